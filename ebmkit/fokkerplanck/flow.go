package fokkerplanck

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
)

// Scheme is a way to step in time. All are implicit, keep mass to rounding and
// leave the steady state of a Langevin equation as it is, whatever the step.
// With S = (1 - a h A)^-1, where A is the generator:
type Scheme int

const (
	// TRBDF2 is the L-stable scheme of second order of Bank et al. (1985),
	//
	//	p' = (1 + sqrt 2) S S p - sqrt 2 S p,   a = 1 - 1/sqrt 2.
	TRBDF2 Scheme = iota
	// CrankNicolson is of second order and half as dear, with a fourth of the
	// error for the same work, but it does not damp what is rough:
	//
	//	p' = 2 S p - p,   a = 1/2.
	CrankNicolson
	// BackwardEuler is of first order,
	//
	//	p' = S p,   a = 1,
	//
	// and the only one of the three that is positive for every step; no linear
	// scheme of second order is (Bolley and Crouzeix 1978).
	BackwardEuler
)

func (s Scheme) String() string {
	switch s {
	case TRBDF2:
		return "TR-BDF2"
	case CrankNicolson:
		return "Crank-Nicolson"
	case BackwardEuler:
		return "backward Euler"
	}
	return fmt.Sprintf("Scheme(%d)", int(s))
}

// implicit returns a.
func (s Scheme) implicit() float64 {
	switch s {
	case TRBDF2:
		return 1 - math.Sqrt2/2
	case CrankNicolson:
		return 0.5
	}
	return 1
}

// Flow moves densities by the steps of a scheme. In two dimensions a step is
// split into sweeps along the directions (Strang 1968): half a step along each
// but the last, a whole one along the last, and back. Every sweep leaves exp(-U)
// as it is. Lines are shared among all cores, with the same bits on any number
// of them.
//
// Densities never become negative. If a step of second order would make one
// negative, which happens while it is rougher than the step can follow, as a
// point mass is, the step is taken again as two of backward Euler. Damped counts
// these steps.
//
// A Flow has its own scratch and serves one goroutine; its steps do not allocate.
type Flow struct {
	Steps  int // taken so far
	Damped int // of them by backward Euler, to stay positive

	gen     *Generator
	scheme  Scheme
	step    float64
	version int

	sweeps, damped []sweep // damped: half a step of backward Euler; nil until needed
	old, q, r      []float64
}

// NewFlow returns a flow with the given time step. It returns *ebmkit.ArgError
// if gen is nil, the step is not positive or the scheme is unknown.
func NewFlow(gen *Generator, scheme Scheme, step float64) (*Flow, error) {
	const fn = "fokkerplanck.NewFlow"
	switch {
	case gen == nil:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "gen", Value: nil, Want: "a generator"}
	case scheme < TRBDF2 || scheme > BackwardEuler:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "scheme", Value: int(scheme), Want: "TRBDF2, CrankNicolson or BackwardEuler"}
	case !(step > 0) || math.IsInf(step, 1):
		return nil, &ebmkit.ArgError{Func: fn, Arg: "step", Value: step, Want: "a positive finite number"}
	}
	n := gen.grid.size
	return &Flow{gen: gen, scheme: scheme, step: step, version: -1,
		old: make([]float64, n), q: make([]float64, n), r: make([]float64, n)}, nil
}

// Advance moves p, in place, by so many steps. It returns *ebmkit.ArgError, and
// leaves p as it was, if p is not a density on the grid of mass 1 or has mass
// where U is +Inf.
func (f *Flow) Advance(p []float64, steps int) error {
	const fn = "fokkerplanck.Flow.Advance"
	if err := f.gen.grid.check(fn, "p", p); err != nil {
		return err
	}
	if err := f.gen.allowed(fn, "p", p); err != nil {
		return err
	}
	for range steps {
		f.advance(p)
	}
	return nil
}

// underflow is where rounding is no longer relative to the number.
const underflow = 1e-290

func (f *Flow) advance(p []float64) {
	if f.version != f.gen.version {
		f.sweeps, f.damped = f.gen.sweeps(f.sweeps, f.scheme, f.step, f.q, f.r), nil
		f.version = f.gen.version
	}
	f.Steps++
	if f.scheme == BackwardEuler {
		through(f.sweeps, p)
		return
	}
	copy(f.old, p)
	through(f.sweeps, p)
	if !clean(p) {
		return
	}
	if f.damped == nil {
		f.damped = f.gen.sweeps(nil, BackwardEuler, f.step/2, f.q, f.r)
	}
	f.Damped++
	copy(p, f.old)
	through(f.damped, p)
	through(f.damped, p)
}

// clean sets negative numbers beyond the range of relative rounding to zero, and
// reports whether there is a larger one.
func clean(p []float64) (negative bool) {
	for k, v := range p {
		if v < 0 {
			if v < -underflow {
				return true
			}
			p[k] = 0
		}
	}
	return false
}

// through takes one step: there and back through the directions.
func through(sweeps []sweep, p []float64) {
	for i := range sweeps {
		sweeps[i].run(p)
	}
	for i := len(sweeps) - 2; i >= 0; i-- {
		sweeps[i].run(p)
	}
}

// sweep is the implicit step along one direction. Elimination along a line takes
// cell after cell out of the system (1 - a h A) x = b. What is kept are numbers
// that are never subtracted from each other, so x >= 0 if b >= 0:
//
//	b_next += low b_k           going up,
//	x_k = inv b_k + high x_next  going down.
//
// Where a line is periodic its last cell, which is next to the first, is
// eliminated last, and every other cell has a share from (wrapLow) and to
// (wrapHigh) it.
type sweep struct {
	scheme   Scheme
	d        *direction
	row      int // cells of a row of the grid
	low, inv []float64
	high     []float64
	wrapLow  []float64 // nil unless periodic
	wrapHigh []float64
	source   []float64 // a h nu times the density of restarts, or nil

	p, q, r []float64
	block   func(int)
	blocks  int
}

// sweeps returns the sweeps of a step, using the memory of old if it fits.
func (gen *Generator) sweeps(old []sweep, scheme Scheme, step float64, q, r []float64) []sweep {
	s := old
	if len(s) != len(gen.dirs) {
		s = make([]sweep, len(gen.dirs))
	}
	for i := range s {
		h := step
		if i < len(s)-1 {
			h = step / 2
		}
		s[i].q, s[i].r = q, r
		s[i].factor(gen, i, scheme, h)
	}
	return s
}

func (s *sweep) factor(gen *Generator, i int, scheme Scheme, h float64) {
	g, d := gen.grid, &gen.dirs[i]
	n := g.size
	if len(s.low) != n {
		s.low, s.inv, s.high = make([]float64, n), make([]float64, n), make([]float64, n)
	}
	if d.periodic && len(s.wrapLow) != n {
		s.wrapLow, s.wrapHigh = make([]float64, n), make([]float64, n)
	}
	s.scheme, s.d, s.row = scheme, d, g.axes[0].Cells
	w := h * scheme.implicit()
	// Each direction has its share of the restarts; what is rounded off in 1 + nu
	// must not be given back by the source.
	nu := (1 + w*gen.nu/float64(len(gen.dirs))) - 1
	s.source = nil
	if nu > 0 {
		s.source = make([]float64, n)
		for k, v := range gen.restart {
			s.source[k] = nu * v
		}
	}

	// With excess e_k, the sum of column k in what is left of the system,
	//
	//	pivot_k = e_k + w up_k,   e_next = 1 + w nu + w down_k e_k/pivot_k:
	//
	// subtraction-free, after Grassmann, Taksar and Heyman (1985). inv holds e_k
	// until the line comes to k.
	for k := range s.inv {
		s.inv[k] = 1 + nu
	}
	switch {
	case d.periodic:
		s.factorPeriodic(w)
	case d.axis == 0:
		s.factorRows(w)
	default:
		for k := range n {
			s.eliminate(k, min(k+d.stride, n-1), w*d.up[k], w*d.down[k])
		}
	}
	s.share(g)
}

// eliminate takes out cell k, whose only neighbour left is next. Where there is
// no link, there and back are 0 and next does not matter.
func (s *sweep) eliminate(k, next int, there, back float64) {
	e := s.inv[k]
	pivot := e + there
	s.low[k], s.high[k], s.inv[k] = there/pivot, back/pivot, 1/pivot
	if back > 0 {
		s.inv[next] += e * s.high[k]
	}
}

// factorRows takes out every row of the grid in the order of solve: from the
// left in groups of four rows, the rest from both ends.
func (s *sweep) factorRows(w float64) {
	n, d := s.row, s.d
	size := len(s.inv)
	for lo := 0; lo < size; lo += n {
		m := n - 1
		if lo >= size/(4*n)*(4*n) {
			m = n / 2
		}
		for k := lo; k < lo+m; k++ {
			s.eliminate(k, k+1, w*d.up[k], w*d.down[k])
		}
		for k := lo + n - 1; k > lo+m; k-- {
			s.eliminate(k, k-1, w*d.down[k-1], w*d.up[k-1])
		}
		s.eliminate(lo+m, 0, 0, 0)
	}
}

// factorPeriodic does the same where last -> first is a link as well.
func (s *sweep) factorPeriodic(w float64) {
	d := s.d
	span := d.cells * d.stride
	for first := range s.inv {
		if first%span >= d.stride {
			continue // not the first cell of a line
		}
		last := first + (d.cells-1)*d.stride
		from, to := w*d.down[last], w*d.up[last] // first -> last, last -> first
		for k := first; k < last; k += d.stride {
			e, up, down := s.inv[k], w*d.up[k], w*d.down[k]
			if k+d.stride == last { // its neighbour is the last cell
				from, up = from+up, 0
				to, down = to+down, 0
			}
			pivot := e + up + from
			s.low[k], s.high[k] = up/pivot, down/pivot
			s.wrapLow[k], s.wrapHigh[k] = from/pivot, to/pivot
			s.inv[k] = 1 / pivot
			s.inv[last] += e * s.wrapHigh[k]
			s.inv[k+d.stride] += e * s.high[k]
			from, to = from*s.high[k], to*s.low[k]
		}
		s.low[last], s.high[last], s.wrapLow[last], s.wrapHigh[last] = 0, 0, 0, 0
		s.inv[last] = 1 / s.inv[last]
	}
}

// share cuts the lines into blocks for the cores, the cells base + k stride + c
// with k < count and c < width, of which the lines run along k. Blocks depend on
// the grid alone.
func (s *sweep) share(g *Grid) {
	if s.block != nil {
		return
	}
	n := s.row
	rows := g.size / n
	switch {
	case s.d.axis == 0: // rows of the grid, four at a time
		s.blocks = (rows + 3) / 4
		s.block = func(b int) { s.do(b*4*n, n, min(4, rows-4*b), n) }
	case s.d.axis == 1: // columns, some at a time
		const width = 32
		s.blocks = (n + width - 1) / width
		s.block = func(b int) { s.do(b*width, n, rows, min(width, n-b*width)) }
	default: // all diagonals at once
		s.blocks = 1
		s.block = func(int) { s.do(0, s.d.stride, (g.size+s.d.stride-1)/s.d.stride, s.d.stride) }
	}
}

// run takes one step along the direction.
func (s *sweep) run(p []float64) {
	s.p = p
	if len(p) < 4096 { // not worth waking other cores
		for b := range s.blocks {
			s.block(b)
		}
		return
	}
	par.For(context.Background(), s.blocks, s.block)
}

// do steps one block.
func (s *sweep) do(base, stride, count, width int) {
	each := func(f func(lo, hi int)) {
		if stride == width {
			f(base, min(base+count*stride, len(s.p)))
			return
		}
		for k := range count {
			f(base+k*stride, base+k*stride+width)
		}
	}
	p, q, r := s.p, s.q, s.r
	switch s.scheme {
	case BackwardEuler:
		each(func(lo, hi int) { s.load(p, p, lo, hi) })
		s.solve(p, base, stride, count, width)
	case CrankNicolson:
		each(func(lo, hi int) { s.load(q, p, lo, hi) })
		s.solve(q, base, stride, count, width)
		each(func(lo, hi int) {
			x := q[lo:hi]
			p := p[lo:hi][:len(x)]
			for k, v := range x {
				p[k] = 2*v - p[k]
			}
		})
	default:
		each(func(lo, hi int) { s.load(q, p, lo, hi) })
		s.solve(q, base, stride, count, width)
		each(func(lo, hi int) { s.load(r, q, lo, hi) })
		s.solve(r, base, stride, count, width)
		each(func(lo, hi int) {
			x := q[lo:hi]
			y, p := r[lo:hi][:len(x)], p[lo:hi][:len(x)]
			for k, v := range x {
				// = y + sqrt 2 (y - v), without losing the unit sum of the weights
				p[k] = math.FMA(math.Sqrt2, y[k]-v, y[k])
			}
		})
	}
}

// load writes p plus the source into dst, which may be p.
func (s *sweep) load(dst, p []float64, lo, hi int) {
	copy(dst[lo:hi], p[lo:hi])
	if s.source != nil {
		for k, v := range s.source[lo:hi] {
			dst[lo+k] += v
		}
	}
}

// solve overwrites the block's lines of b with the solution.
func (s *sweep) solve(b []float64, base, stride, count, width int) {
	switch {
	case s.d.axis != 0:
		s.columns(b, base, stride, count, width)
	case s.d.periodic:
		for i := range count {
			s.columns(b, base+i*stride, 1, width, 1)
		}
	case count == 4:
		s.fourRows(b, base, width)
	default:
		for i := range count {
			s.fromBothEnds(b, base+i*stride, width)
		}
	}
}

// columns solves width lines side by side, from base in steps of stride.
func (s *sweep) columns(b []float64, base, stride, count, width int) {
	last := base + (count-1)*stride
	for a := base; a < last; a += stride {
		x, low := b[a:a+width], s.low[a:a+width]
		next := b[a+stride : min(a+stride+width, len(b))]
		low = low[:len(x)]
		for c := range next {
			next[c] = low[c]*x[c] + next[c]
		}
		if s.wrapLow != nil {
			wrap, end := s.wrapLow[a:a+width], b[last:last+width]
			for c := range end {
				end[c] = wrap[c]*x[c] + end[c]
			}
		}
	}
	end := min(last+width, len(b))
	for k := last; k < end; k++ {
		b[k] *= s.inv[k]
	}
	for a := last - stride; a >= base; a -= stride {
		x, inv, high := b[a:a+width], s.inv[a:a+width], s.high[a:a+width]
		next := b[a+stride : min(a+stride+width, len(b))]
		for c := range next {
			x[c] = high[c]*next[c] + x[c]*inv[c]
		}
		for c := len(next); c < width; c++ {
			x[c] *= inv[c]
		}
		if s.wrapHigh != nil {
			wrap, end := s.wrapHigh[a:a+width], b[last:last+width]
			for c := range end {
				x[c] = wrap[c]*end[c] + x[c]
			}
		}
	}
}

// fromBothEnds solves the row of n cells from base. Each cell waits for the one
// before it, so the row is eliminated from both ends at once, to its middle.
func (s *sweep) fromBothEnds(b []float64, base, n int) {
	x := b[base : base+n]
	low, inv, high := s.low[base : base+n][:len(x)], s.inv[base : base+n][:len(x)], s.high[base : base+n][:len(x)]
	m := n / 2
	right := n - 1 - m // cells right of the middle, m or m-1
	var v, w, cv, cw float64
	for i := range right {
		j := n - 1 - i
		v = cv*v + x[i]
		w = cw*w + x[j]
		x[i], x[j] = v, w
		cv, cw = low[i], low[j]
	}
	if right < m {
		v = cv*v + x[right]
		x[right] = v
		cv = low[right]
	}
	v = (x[m] + (cv*v + cw*w)) * inv[m]
	x[m], w = v, v
	if right < m {
		v = high[right]*v + x[right]*inv[right]
		x[right] = v
	}
	for i := right - 1; i >= 0; i-- {
		j := n - 1 - i
		v = high[i]*v + x[i]*inv[i]
		w = high[j]*w + x[j]*inv[j]
		x[i], x[j] = v, w
	}
}

// fourRows solves four rows of n cells from base, whose waits overlap.
func (s *sweep) fourRows(b []float64, base, n int) {
	var x, low, inv, high [4][]float64
	for i := range 4 {
		lo := base + i*n
		x[i], low[i], inv[i], high[i] = b[lo:lo+n], s.low[lo:lo+n], s.inv[lo:lo+n], s.high[lo:lo+n]
	}
	x0, x1, x2, x3 := x[0], x[1][:n], x[2][:n], x[3][:n]
	l0, l1, l2, l3 := low[0][:n], low[1][:n], low[2][:n], low[3][:n]
	var v0, v1, v2, v3, c0, c1, c2, c3 float64
	for k := range x0 {
		v0 = c0*v0 + x0[k]
		v1 = c1*v1 + x1[k]
		v2 = c2*v2 + x2[k]
		v3 = c3*v3 + x3[k]
		x0[k], x1[k], x2[k], x3[k] = v0, v1, v2, v3
		c0, c1, c2, c3 = l0[k], l1[k], l2[k], l3[k]
	}
	i0, i1, i2, i3 := inv[0][:n], inv[1][:n], inv[2][:n], inv[3][:n]
	h0, h1, h2, h3 := high[0][:n], high[1][:n], high[2][:n], high[3][:n]
	v0, v1, v2, v3 = 0, 0, 0, 0
	for k := n - 1; k >= 0; k-- {
		v0 = h0[k]*v0 + x0[k]*i0[k]
		v1 = h1[k]*v1 + x1[k]*i1[k]
		v2 = h2[k]*v2 + x2[k]*i2[k]
		v3 = h3[k]*v3 + x3[k]*i3[k]
		x0[k], x1[k], x2[k], x3[k] = v0, v1, v2, v3
	}
}
