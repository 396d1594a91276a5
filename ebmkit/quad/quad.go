// Package quad integrates in one and two dimensions, with an error estimate,
// and normalises energies: log Z of review eq. (5) and expectations under
// exp(-U)/Z.
//
// # Method
//
// Adaptive Gauss-Kronrod, 15 points an interval. The error of an interval is the
// difference from the embedded Gauss rule of 7 points, which is much larger than
// the true error once the integrand is resolved; intervals with too large an
// error are halved until the sum of errors is small. A half-line is mapped to
// [0, 1) by x = b + s t/(1-t). In two dimensions the inner integral, over the
// second coordinate, is computed anew for each value of the first, so that a
// narrow curved ridge is as good as a straight one. Everything is deterministic.
//
// Integrals of exp(-U) are taken of exp(-(U - min U)), so neither a large nor a
// small Z overflows. No rule sees a peak that falls between its points, so every
// line is scanned for minima of U before it is integrated; modes that an energy
// knows (ebmkit.Modes) and Domain.Breaks are break points too. What this can
// miss is a narrow hole in a flat U.
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
	const fn = "quad.Integrate"
	a, err := a.withDefaults(fn, 1)
	if err != nil {
		return Result{}, err
	}
	lo, hi, err := dom.bounds(fn, 1)
	if err != nil {
		return Result{}, err
	}
	s, err := a.run(fn, dom.panels(0, lo[0], hi[0]), 1, a.tolerance([]float64{a.AbsTol}), func(dst, xs []float64) {
		for i, x := range xs {
			dst[i] = f(x)
		}
	})
	return Result{s.val[0], s.err[0], s.evals}, err
}

// Integrate2D returns the integral of f over a two-dimensional domain.
func (a Adaptive) Integrate2D(f func(x, y float64) float64, dom Domain) (Result, error) {
	const fn = "quad.Integrate2D"
	a, err := a.withDefaults(fn, 2)
	if err != nil {
		return Result{}, err
	}
	lo, hi, err := dom.bounds(fn, 2)
	if err != nil {
		return Result{}, err
	}
	inner := dom.panels(1, lo[1], hi[1])
	s, err := a.run2(fn, dom.panels(0, lo[0], hi[0]), func(float64) []panel { return inner }, []float64{a.AbsTol},
		func(dst []float64, x float64, ys []float64) {
			for i, y := range ys {
				dst[i] = f(x, y)
			}
		})
	return Result{s.val[0], s.err[0], s.evals}, err
}

// panels cuts axis j at the break points, with short intervals around each.
func (d Domain) panels(j int, lo, hi float64) []panel {
	var br []float64
	if d.Breaks != nil {
		br = graded(d.Breaks[j], lo, hi)
	}
	return panels(lo, hi, br, 1)
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

// The same as three tables over the 15 nodes from left to right.
var nodes, wKronrod, wGauss = func() (x, k, g [15]float64) {
	for i := range 15 {
		j, sign := i, -1.0
		if i > 7 {
			j, sign = 14-i, 1
		}
		x[i], k[i] = sign*xk[j], wk[j]
		if j%2 == 1 {
			g[i] = wg[j/2]
		}
	}
	return x, k, g
}()

// batch computes n values at each point of xs, row-major into dst.
type batch func(dst, xs []float64)

// maxDepth bounds the halvings of a panel, so that t < 1 stays true in tails.
const maxDepth = 40

// cell is a piece of a panel with its share of the integrals.
type cell struct {
	panel
	depth         int
	val, abs, err []float64
}

// sums are the integrals of n functions, of their absolute values, and the sums
// of the error estimates.
type sums struct {
	val, abs, err []float64
	evals         int
}

// tolerance is the plain rule: relative to the integral of the absolute value.
func (a Adaptive) tolerance(absTol []float64) func(s *sums, j int) float64 {
	return func(s *sums, j int) float64 { return max(absTol[j], a.RelTol*s.abs[j]) }
}

// run integrates n functions at once over the panels. It goes in rounds: every
// cell that has more than its share of the tolerance tol(sums, j) is halved.
func (a Adaptive) run(fn string, ps []panel, n int, tol func(s *sums, j int) float64, f batch) (sums, error) {
	todo := make([]cell, len(ps))
	for i, p := range ps {
		todo[i].panel = p
	}
	xs, jac, fs := make([]float64, 15), make([]float64, 15), make([]float64, 15*n)
	var cells []cell
	total := sums{val: make([]float64, n), abs: make([]float64, n), err: make([]float64, n)}
	for {
		for _, c := range todo {
			for i := range xs {
				xs[i], jac[i] = c.at(c.lo + (c.hi-c.lo)/2*(1+nodes[i]))
				jac[i] *= (c.hi - c.lo) / 2
			}
			f(fs, xs)
			total.evals += len(xs)
			room := make([]float64, 3*n)
			c.val, c.abs, c.err = room[:n], room[n:2*n], room[2*n:]
			if bad := c.sum(fs, jac); bad >= 0 {
				return total, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("f(%v)", xs[bad/n]), Value: fs[bad], Want: "a finite number"}
			}
			cells = append(cells, c)
		}
		for j := range n {
			total.val[j], total.abs[j], total.err[j] = 0, 0, 0
			for _, c := range cells {
				total.val[j] += c.val[j]
				total.abs[j] += c.abs[j]
				total.err[j] += c.err[j]
			}
		}
		over := make([]float64, n) // tolerances that are not met, else +Inf
		worst := -1
		for j := range n {
			over[j] = math.Inf(1)
			if t := tol(&total, j); total.err[j] > t {
				over[j] = t
				if worst < 0 || total.err[j]/t > total.err[worst]/over[worst] {
					worst = j
				}
			}
		}
		if worst < 0 {
			return total, nil
		}
		// Halve what has more than its share; keep the rest in order.
		todo = todo[:0]
		share := 0.5 / float64(len(cells))
		cells = slices.DeleteFunc(cells, func(c cell) bool {
			for j := range n {
				if c.err[j] > share*over[j] && c.depth < maxDepth {
					mid := c.lo + (c.hi-c.lo)/2
					left, right := c, c
					left.hi, right.lo = mid, mid
					left.depth, right.depth = c.depth+1, c.depth+1
					todo = append(todo, left, right)
					return true
				}
			}
			return false
		})
		if len(todo) == 0 || total.evals >= a.MaxEvals {
			return total, &ConvergeError{fn, total.err[worst], over[worst], total.evals}
		}
	}
}

// sum applies the rule to the n values at each of the 15 nodes; it returns the
// index of a value that is not finite, or -1.
func (c *cell) sum(fs, jac []float64) int {
	n := len(c.val)
	for k := range n {
		var gauss float64
		for i, w := range wKronrod {
			v := fs[i*n+k]
			if v == 0 {
				continue
			}
			v *= jac[i]
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return i*n + k
			}
			c.val[k] += w * v
			c.abs[k] += w * math.Abs(v)
			gauss += wGauss[i] * v
		}
		// Rounding is an error that halving cannot reduce: below it, none counts.
		if e := math.Abs(c.val[k] - gauss); e >= 20*0x1p-52*c.abs[k] {
			c.err[k] = e
		}
	}
	return -1
}

// run2 integrates n = len(absTol) functions over the outer panels and, for each
// outer x, over inner(x); where that is nil the inner integral is 0. The outer
// run carries the inner integrals, those of absolute values, and the inner
// errors, which are added to its own.
func (a Adaptive) run2(fn string, outer []panel, inner func(x float64) []panel, absTol []float64, f func(dst []float64, x float64, ys []float64)) (sums, error) {
	n := len(absTol)
	in := Adaptive{RelTol: a.RelTol / 100, MaxEvals: 100000}
	free := make([]float64, n)
	evals := 0
	var failed error
	s, err := a.run(fn, outer, 3*n, func(s *sums, j int) float64 {
		if j >= n {
			return math.Inf(1)
		}
		return max(absTol[j], a.RelTol*s.val[n+j])
	}, func(dst, xs []float64) {
		clear(dst)
		for i, x := range xs {
			ps := inner(x)
			if ps == nil || evals > a.MaxEvals {
				continue
			}
			r, err := in.run(fn, ps, n, in.tolerance(free), func(dst, ys []float64) { f(dst, x, ys) })
			evals += r.evals
			if _, late := err.(*ConvergeError); err != nil && !late {
				failed = err
			}
			row := dst[i*3*n : (i+1)*3*n]
			copy(row, r.val)
			copy(row[n:], r.abs)
			copy(row[2*n:], r.err)
		}
	})
	out := sums{s.val[:n], s.val[n : 2*n], make([]float64, n), evals}
	for j := range n {
		out.err[j] = s.err[j] + s.val[2*n+j]
	}
	if failed != nil {
		return out, failed
	}
	if ce, ok := err.(*ConvergeError); ok {
		ce.Evals = evals
	}
	if err == nil && evals > a.MaxEvals {
		err = &ConvergeError{fn, math.Inf(1), 0, evals}
	}
	for j := range n {
		if t := max(absTol[j], a.RelTol*out.abs[j]); err == nil && out.err[j] > 10*t {
			err = &ConvergeError{fn, out.err[j], t, evals}
		}
	}
	return out, err
}
