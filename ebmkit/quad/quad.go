// Package quad integrates in one and two dimensions, with an error estimate,
// and normalises energies: log Z of review eq. (5) and expectations under
// exp(-U)/Z.
//
// # Method
//
// Adaptive Gauss-Kronrod: 15 points an interval, 15 x 15 a rectangle. The error
// of a cell is the difference from the embedded Gauss rule of 7 points, which
// is much larger than the true error once the integrand is resolved; cells with
// too large an error are halved until the sum of errors is small. A half-line
// is mapped to [0, 1) by x = b + s t/(1-t). Everything is deterministic.
//
// Integrals of exp(-U) are taken of exp(-(U - min U)), so neither a large nor a
// small Z overflows. No rule sees a peak that falls between its points: modes
// that an energy knows (ebmkit.Modes), and those found by a scan of the axes,
// are made break points; further ones can be given in Domain.Breaks.
package quad

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Result is an integral with an estimate of its absolute error.
type Result struct {
	Value, Err float64
	Evals      int // evaluations of the integrand
}

// String prints value and error, as in "1.77245385090552 (error 2e-14)".
func (r Result) String() string { return fmt.Sprintf("%.15g (error %.1g)", r.Value, r.Err) }

// ConvergeError reports an integral whose error estimate stayed above the
// tolerance: a divergent integral, or one that is too hard.
type ConvergeError struct {
	Func  string
	Err   float64 // error estimate reached
	Want  float64 // tolerance asked for
	Evals int
}

func (e *ConvergeError) Error() string {
	return fmt.Sprintf("%s: not converged after %d evaluations: error estimate %.2g, want %.2g (a divergent integral, or peaks to be given in Domain.Breaks)",
		e.Func, e.Evals, e.Err, e.Want)
}

// Domain is an interval or a rectangle, finite or not.
type Domain struct {
	// Lo and Hi are the bounds, one per coordinate; entries may be -Inf and
	// +Inf. Both nil: the whole space.
	Lo, Hi []float64
	// Breaks, if not nil, lists points per coordinate where the integrand has
	// peaks or kinks.
	Breaks [][]float64
}

// All is the whole space.
func All() Domain { return Domain{} }

// Interval is the interval from lo to hi, with optional break points.
func Interval(lo, hi float64, breaks ...float64) Domain {
	return Domain{Lo: []float64{lo}, Hi: []float64{hi}, Breaks: [][]float64{breaks}}
}

// Box is the rectangle [lo[0], hi[0]] x [lo[1], hi[1]].
func Box(lo, hi []float64) Domain { return Domain{Lo: lo, Hi: hi} }

// bounds returns the checked bounds in dim dimensions.
func (d Domain) bounds(fn string, dim int) (lo, hi []float64, err error) {
	if d.Lo == nil && d.Hi == nil {
		lo, hi = make([]float64, dim), make([]float64, dim)
		for j := range dim {
			lo[j], hi[j] = math.Inf(-1), math.Inf(1)
		}
	} else {
		lo, hi = d.Lo, d.Hi
	}
	if len(lo) != dim {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "len(Domain.Lo)", Value: len(lo), Want: fmt.Sprintf("%d", dim)}
	}
	if len(hi) != dim {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "len(Domain.Hi)", Value: len(hi), Want: fmt.Sprintf("%d", dim)}
	}
	for j := range dim {
		if !(lo[j] < hi[j]) {
			return nil, nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Domain.Lo[%d]", j), Value: lo[j],
				Want: fmt.Sprintf("less than Hi[%d] = %v", j, hi[j])}
		}
	}
	if d.Breaks != nil && len(d.Breaks) != dim {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "len(Domain.Breaks)", Value: len(d.Breaks), Want: fmt.Sprintf("%d", dim)}
	}
	for j, b := range d.Breaks {
		for i, v := range b {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Domain.Breaks[%d][%d]", j, i), Value: v, Want: "a finite number"}
			}
		}
	}
	return lo, hi, nil
}

// Adaptive holds the tolerances. The zero value has the defaults.
type Adaptive struct {
	// RelTol bounds the error relative to the integral of the absolute value of
	// the integrand. Default 1e-12 in one dimension, 1e-10 in two.
	RelTol float64
	// AbsTol is the absolute error that is good enough: of an integral, or of an
	// expectation, but not of log Z. Set it where functions cancel, because the
	// rounding that is left never meets RelTol. Default 0.
	AbsTol float64
	// MaxEvals bounds the evaluations of the integrand. Default 1e6 in one
	// dimension, 2e7 in two.
	MaxEvals int
}

func (a Adaptive) withDefaults(fn string, dim int) (Adaptive, error) {
	if math.IsNaN(a.RelTol) || a.RelTol < 0 {
		return a, &ebmkit.ArgError{Func: fn, Arg: "RelTol", Value: a.RelTol, Want: "at least 0"}
	}
	if math.IsNaN(a.AbsTol) || a.AbsTol < 0 {
		return a, &ebmkit.ArgError{Func: fn, Arg: "AbsTol", Value: a.AbsTol, Want: "at least 0"}
	}
	if a.MaxEvals < 0 {
		return a, &ebmkit.ArgError{Func: fn, Arg: "MaxEvals", Value: a.MaxEvals, Want: "at least 0"}
	}
	if a.RelTol == 0 {
		a.RelTol = 1e-12
		if dim == 2 {
			a.RelTol = 1e-10
		}
	}
	if a.MaxEvals == 0 {
		a.MaxEvals = 1e6
		if dim == 2 {
			a.MaxEvals = 2e7
		}
	}
	return a, nil
}

// Integrate returns the integral of f from lo to hi (either may be infinite)
// with the default tolerances. breaks are points where f has peaks or kinks. It
// returns *ebmkit.ArgError for a bad interval or a NaN of f, *ConvergeError
// when the error stays too large.
func Integrate(f func(x float64) float64, lo, hi float64, breaks ...float64) (Result, error) {
	return Adaptive{}.Integrate(f, Interval(lo, hi, breaks...))
}

// Integrate returns the integral of f over a one-dimensional domain.
func (a Adaptive) Integrate(f func(x float64) float64, dom Domain) (Result, error) {
	return a.scalar("quad.Integrate", 1, dom, func(x []float64) float64 { return f(x[0]) })
}

// Integrate2D returns the integral of f over a two-dimensional domain.
func (a Adaptive) Integrate2D(f func(x, y float64) float64, dom Domain) (Result, error) {
	return a.scalar("quad.Integrate2D", 2, dom, func(x []float64) float64 { return f(x[0], x[1]) })
}

func (a Adaptive) scalar(fn string, dim int, dom Domain, f func(x []float64) float64) (Result, error) {
	a, err := a.withDefaults(fn, dim)
	if err != nil {
		return Result{}, err
	}
	lo, hi, err := dom.bounds(fn, dim)
	if err != nil {
		return Result{}, err
	}
	axes := make([][]panel, dim)
	for j := range axes {
		var br []float64
		if dom.Breaks != nil {
			br = graded(dom.Breaks[j], lo[j], hi[j])
		}
		axes[j] = panels(lo[j], hi[j], br, 1)
	}
	s, err := a.run(fn, axes, []float64{a.AbsTol}, func(dst, xs []float64) {
		for i := range dst {
			dst[i] = f(xs[i*dim : (i+1)*dim])
		}
	})
	return Result{s.val[0], s.err[0], s.evals}, err
}

// graded surrounds every break point by shorter and shorter intervals, so that
// a narrow peak there is seen whatever its width.
func graded(breaks []float64, lo, hi float64) []float64 {
	var g []float64
	for _, b := range breaks {
		g = append(g, b)
		near := math.Inf(1)
		for _, o := range append([]float64{lo, hi}, breaks...) {
			if gap := math.Abs(o - b); gap > 0 {
				near = min(near, gap)
			}
		}
		if math.IsInf(near, 1) {
			near = 1
		}
		for w := near / 8; w > near/1e5; w /= 8 {
			g = append(g, b-w, b+w)
		}
	}
	return g
}

// panel is a piece of one axis: x = t for a finite one, x = base + scale t/(1-t)
// for a half-line (scale < 0: to the left).
type panel struct {
	lo, hi      float64 // in t
	tail        bool
	base, scale float64
}

func (p panel) at(t float64) (x, jac float64) {
	if !p.tail {
		return t, 1
	}
	q := 1 / (1 - t)
	return p.base + p.scale*t*q, math.Abs(p.scale) * q * q
}

// panels cuts the axis from lo to hi at the break points that lie inside.
// scale is the length of tails where there is no break point to tell.
func panels(lo, hi float64, breaks []float64, scale float64) []panel {
	slices.Sort(breaks)
	breaks = slices.Compact(breaks)
	breaks = slices.DeleteFunc(breaks, func(b float64) bool { return b <= lo || b >= hi })
	if len(breaks) == 0 && math.IsInf(lo, -1) && math.IsInf(hi, 1) {
		breaks = []float64{0}
	}
	if n := len(breaks); n > 1 {
		scale = max((breaks[n-1]-breaks[0])/4, math.SmallestNonzeroFloat64)
	}
	var ps []panel
	at := lo
	if math.IsInf(lo, -1) {
		at = hi
		if len(breaks) > 0 {
			at = breaks[0]
			breaks = breaks[1:]
		}
		ps = append(ps, panel{0, 1, true, at, -scale})
	}
	for _, b := range breaks {
		ps = append(ps, panel{lo: at, hi: b})
		at = b
	}
	switch {
	case math.IsInf(hi, 1):
		ps = append(ps, panel{0, 1, true, at, scale})
	case at < hi:
		ps = append(ps, panel{lo: at, hi: hi})
	}
	return ps
}

// Nodes and weights of the Gauss-Kronrod rule with 15 points on [-1, 1] (from
// QUADPACK), from the outside to the centre; the Gauss rule with 7 points uses
// every second node.
var (
	xk = [8]float64{0.991455371120812639206854697526329, 0.949107912342758524526189684047851, 0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
		0.586087235467691130294144691693013, 0.405845151377397166906606412076961, 0.207784955007898467600689403773245, 0}
	wk = [8]float64{0.022935322010529224963732008058970, 0.063092092629978553290700663189204, 0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
		0.169004726639267902826583426598550, 0.190350578064785409913256402421014, 0.204432940075298892414161999234649, 0.209482141084727828012999174891714}
	wg = [4]float64{0.129484966168869693270611432679082, 0.279705391489276667901467771423780, 0.381830050505118944950369775488975, 0.417959183673469387755102040816327}
)

// node returns node i of 0..14 with its Kronrod and Gauss weights.
func node(i int) (x, k, g float64) {
	j := i
	sign := -1.0
	if i > 7 {
		j, sign = 14-i, 1
	}
	if j%2 == 1 {
		g = wg[j/2]
	}
	return sign * xk[j], wk[j], g
}

// batch computes n values at each of len(xs)/dim points, row-major into dst.
type batch func(dst, xs []float64)

// maxDepth bounds the halvings of a cell, so that t < 1 stays true in tails.
const maxDepth = 40

// cell is a product of pieces of panels with its share of the integrals.
type cell struct {
	p     [2]panel
	axis  int // the one to halve
	depth int
}

// sums are the integrals of n functions, of their absolute values, and the sums
// of the error estimates.
type sums struct {
	val, abs, err []float64
	evals         int
}

// run integrates len(absTol) functions at once over the product of the axes. It
// goes in rounds: every cell that has more than its share of the tolerance is
// halved.
func (a Adaptive) run(fn string, axes [][]panel, absTol []float64, f batch) (sums, error) {
	dim, n := len(axes), len(absTol)
	var todo []cell
	for _, p := range axes[0] {
		if dim == 1 {
			todo = append(todo, cell{p: [2]panel{p}})
			continue
		}
		for _, q := range axes[1] {
			todo = append(todo, cell{p: [2]panel{p, q}})
		}
	}
	w := newWorker(dim, n, f)
	var cells []cell
	var vals, abss, errs []float64 // n per cell
	total := sums{val: make([]float64, n), abs: make([]float64, n), err: make([]float64, n)}
	for {
		for i := range todo {
			if bad := w.apply(&todo[i]); bad >= 0 {
				return total, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("f(%v)", slices.Clone(w.xs[bad*dim:(bad+1)*dim])),
					Value: w.badValue, Want: "a finite number"}
			}
			cells = append(cells, todo[i])
			vals = append(vals, w.val...)
			abss = append(abss, w.abs...)
			errs = append(errs, w.err...)
			total.evals += w.rows
		}
		for j := range n {
			total.val[j], total.abs[j], total.err[j] = 0, 0, 0
			for c := range cells {
				total.val[j] += vals[c*n+j]
				total.abs[j] += abss[c*n+j]
				total.err[j] += errs[c*n+j]
			}
		}
		worst := -1
		var tol float64
		for j := range n {
			t := max(absTol[j], a.RelTol*total.abs[j])
			if total.err[j] > t && (worst < 0 || total.err[j]/t > total.err[worst]/tol) {
				worst, tol = j, t
			}
		}
		if worst < 0 {
			return total, nil
		}
		if total.evals >= a.MaxEvals {
			return total, &ConvergeError{fn, total.err[worst], tol, total.evals}
		}
		// Halve what has more than its share; keep the rest in order.
		todo = todo[:0]
		keep := 0
		share := 0.5 / float64(len(cells))
		for c := range cells {
			split := false
			for j := range n {
				t := max(absTol[j], a.RelTol*total.abs[j])
				split = split || (total.err[j] > t && errs[c*n+j] > share*t)
			}
			if split && cells[c].depth < maxDepth {
				lo, hi := cells[c].halves()
				todo = append(todo, lo, hi)
				continue
			}
			cells[keep] = cells[c]
			copy(vals[keep*n:], vals[c*n:(c+1)*n])
			copy(abss[keep*n:], abss[c*n:(c+1)*n])
			copy(errs[keep*n:], errs[c*n:(c+1)*n])
			keep++
		}
		cells, vals, abss, errs = cells[:keep], vals[:keep*n], abss[:keep*n], errs[:keep*n]
		if len(todo) == 0 {
			return total, &ConvergeError{fn, total.err[worst], tol, total.evals}
		}
	}
}

func (c cell) halves() (lo, hi cell) {
	lo, hi = c, c
	p := &c.p[c.axis]
	mid := p.lo + (p.hi-p.lo)/2
	lo.p[c.axis].hi, hi.p[c.axis].lo = mid, mid
	lo.depth, hi.depth = c.depth+1, c.depth+1
	return lo, hi
}

// worker applies the rule to one cell at a time.
type worker struct {
	dim, n, rows  int
	f             batch
	xs, jac, fs   []float64
	val, abs, err []float64
	kg, gk, gg    []float64 // rules mixed by axis
	badValue      float64
}

func newWorker(dim, n int, f batch) *worker {
	rows := 15
	if dim == 2 {
		rows = 225
	}
	return &worker{dim: dim, n: n, rows: rows, f: f,
		xs: make([]float64, rows*dim), jac: make([]float64, rows), fs: make([]float64, rows*n),
		val: make([]float64, n), abs: make([]float64, n), err: make([]float64, n),
		kg: make([]float64, n), gk: make([]float64, n), gg: make([]float64, n)}
}

// apply integrates over c, sets the axis to halve, and returns the row of a
// value that is not finite, or -1.
func (w *worker) apply(c *cell) (bad int) {
	n := w.n
	ny := 1
	if w.dim == 2 {
		ny = 15
	}
	half := [2]float64{(c.p[0].hi - c.p[0].lo) / 2, (c.p[1].hi - c.p[1].lo) / 2}
	for i := range 15 {
		ti, _, _ := node(i)
		x, jx := c.p[0].at(c.p[0].lo + half[0]*(1+ti))
		for j := range ny {
			r := i*ny + j
			w.xs[r*w.dim], w.jac[r] = x, jx*half[0]
			if w.dim == 2 {
				tj, _, _ := node(j)
				y, jy := c.p[1].at(c.p[1].lo + half[1]*(1+tj))
				w.xs[r*2+1] = y
				w.jac[r] *= jy * half[1]
			}
		}
	}
	w.f(w.fs, w.xs)
	for k := range n {
		w.val[k], w.abs[k], w.kg[k], w.gk[k], w.gg[k] = 0, 0, 0, 0, 0
	}
	for i := range 15 {
		_, ki, gi := node(i)
		for j := range ny {
			kj, gj := 1.0, 1.0
			if w.dim == 2 {
				_, kj, gj = node(j)
			}
			r := i*ny + j
			for k := range n {
				v := w.fs[r*n+k]
				if v == 0 {
					continue
				}
				v *= w.jac[r]
				if math.IsNaN(v) || math.IsInf(v, 0) {
					w.badValue = w.fs[r*n+k]
					return r
				}
				w.val[k] += ki * kj * v
				w.abs[k] += ki * kj * math.Abs(v)
				w.kg[k] += ki * gj * v
				w.gk[k] += gi * kj * v
				w.gg[k] += gi * gj * v
			}
		}
	}
	var ex, ey float64
	for k := range n {
		// Rounding is an error that halving cannot reduce: below it, none counts.
		e := math.Abs(w.val[k] - w.gg[k])
		if e < 20*0x1p-52*w.abs[k] {
			e = 0
		}
		w.err[k] = e
		if w.dim == 2 && w.abs[k] > 0 {
			ex = max(ex, math.Abs(w.val[k]-w.gk[k])/w.abs[k])
			ey = max(ey, math.Abs(w.val[k]-w.kg[k])/w.abs[k])
		}
	}
	c.axis = 0
	if ey > ex {
		c.axis = 1
	}
	return -1
}
