package divergence

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/order"
)

// Line is a set of points on the line, the atoms of an empirical law.
type Line struct {
	X []float64
	W []float64 // weights of the points, at least 0, in any unit; nil: all equal
}

// W1 returns the Wasserstein-1 distance of two sets of points on the line,
//
//	W1 = integral of |F_x(t) - F_y(t)| dt,
//
// exactly, in the unit of x, for any sizes and weights. The time is that of
// sorting.
//
// As an estimate of the distance of the laws from which independent points came
// it is biased upwards, by about n^(-1/2) where the laws agree. SE is its
// standard error by the delta method, for laws that differ: the spread of
//
//	phi(x) = integral of sign(F_y - F_x)(t) 1{x > t} dt
//
// over each set. Of equal laws it says nothing; use a null such as
// PermutationNull. It returns *ebmkit.ArgError for an empty set, a number that is
// not finite, or weights that do not fit.
func W1(x, y Line) (ebmkit.Estimate, error) {
	const fn = "divergence.W1"
	var a, b atoms
	if err := a.load(fn, "x", x); err != nil {
		return ebmkit.Estimate{}, err
	}
	if err := b.load(fn, "y", y); err != nil {
		return ebmkit.Estimate{}, err
	}
	phi, psi := make([]float64, len(a.x)), make([]float64, len(b.x))
	w1 := transport1(&a, &b, phi, psi)
	return ebmkit.Estimate{Value: w1, SE: math.Sqrt(a.meanVariance(phi) + b.meanVariance(psi))}, nil
}

// W2 returns the Wasserstein-2 distance of two sets of points on the line, not
// its square,
//
//	W2^2 = integral over u in (0, 1) of (quantile_x(u) - quantile_y(u))^2,
//
// exactly, in the unit of x, for any sizes and weights. Bias as W1. SE is the
// standard error for laws that differ, by the delta method from that of W2^2,
// which is the spread of the potential phi, phi'(x) = 2 (x - T(x)), where T is
// the optimal map (del Barrio and Loubes 2019). Errors as W1.
func W2(x, y Line) (ebmkit.Estimate, error) {
	const fn = "divergence.W2"
	var a, b atoms
	if err := a.load(fn, "x", x); err != nil {
		return ebmkit.Estimate{}, err
	}
	if err := b.load(fn, "y", y); err != nil {
		return ebmkit.Estimate{}, err
	}
	phi, psi := make([]float64, len(a.x)), make([]float64, len(b.x))
	w2 := transport2(&a, &b, phi, psi)
	return root(ebmkit.Estimate{Value: w2, SE: math.Sqrt(a.meanVariance(phi) + b.meanVariance(psi))}), nil
}

// atoms is a Line in order.
type atoms struct {
	sorter order.Sorter
	x      []float64 // ascending
	cum    []float64 // cum[i] is the weight of the points before i, nil for equal weights; one longer than x
}

func (a *atoms) load(fn, arg string, l Line) error {
	if len(l.X) == 0 {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: "no points", Want: "at least one"}
	}
	if l.W != nil && len(l.W) != len(l.X) {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ".W)", Value: len(l.W), Want: fmt.Sprintf("%d, as X", len(l.X))}
	}
	for i, v := range l.X {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s.X[%d]", arg, i), Value: v, Want: "a finite number"}
		}
	}
	var sum float64
	for i, w := range l.W {
		if !(w >= 0) || math.IsInf(w, 1) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s.W[%d]", arg, i), Value: w, Want: "a finite number, at least 0"}
		}
		sum += w
	}
	if l.W != nil && !(sum > 0 && !math.IsInf(sum, 1)) {
		return &ebmkit.ArgError{Func: fn, Arg: arg + ".W", Value: fmt.Sprintf("sum %v", sum), Want: "a positive finite sum"}
	}
	a.sort(l.X)
	if l.W != nil {
		a.cum = make([]float64, len(a.x)+1)
		for i, p := range a.sorter.Order {
			a.cum[i+1] = a.cum[i] + l.W[p]
		}
		last := a.cum[len(a.x)]
		for i := range a.cum {
			a.cum[i] /= last
		}
	}
	return nil
}

func (a *atoms) sort(x []float64) {
	a.sorter.Sort(x)
	a.x = a.sorter.Value
}

// before returns the weight of the first i points.
func (a *atoms) before(i int) float64 {
	if a.cum != nil {
		return a.cum[i]
	}
	return float64(i) / float64(len(a.x))
}

// gap returns the weight of the first i points of a less that of the first j of
// b, exactly 0 where equal weights say so.
func (a *atoms) gap(b *atoms, i, j int) float64 {
	if a.cum == nil && b.cum == nil {
		n, m := len(a.x), len(b.x)
		return float64(i*m-j*n) / (float64(n) * float64(m))
	}
	return a.before(i) - b.before(j)
}

// meanVariance returns the variance of the weighted mean of f over the points.
func (a *atoms) meanVariance(f []float64) float64 {
	n := float64(len(f))
	var mean, ss float64
	if a.cum == nil {
		for _, v := range f {
			mean += v
		}
		mean /= n
		for _, v := range f {
			ss += (v - mean) * (v - mean)
		}
		if n < 2 {
			return math.Inf(1)
		}
		return ss / (n * (n - 1))
	}
	var w2 float64
	for i, v := range f {
		mean += (a.cum[i+1] - a.cum[i]) * v
	}
	for i, v := range f {
		w := a.cum[i+1] - a.cum[i]
		w2 += w * w
		ss += w * w * (v - mean) * (v - mean)
	}
	if w2 >= 1 {
		return math.Inf(1)
	}
	return ss / (1 - w2)
}

// transport1 returns W1 of sorted points and writes the potential at the points
// into phi and psi.
func transport1(a, b *atoms, phi, psi []float64) float64 {
	// Walk through all points in order; between two of them the distribution
	// functions are constant.
	var w1, potential float64
	n, m := len(a.x), len(b.x)
	last := min(a.x[0], b.x[0])
	for i, j := 0, 0; i < n || j < m; {
		fromX := j == m || i < n && a.x[i] <= b.x[j]
		var at float64
		if fromX {
			at = a.x[i]
		} else {
			at = b.x[j]
		}
		gap := a.gap(b, i, j) // F_x - F_y between last and at
		w1 += math.Abs(gap) * (at - last)
		switch {
		case gap > 1e-14: // below it is the rounding of weights
			potential -= at - last
		case gap < -1e-14:
			potential += at - last
		}
		last = at
		if fromX {
			phi[i] = potential
			i++
		} else {
			psi[j] = potential
			j++
		}
	}
	return w1
}

// transport2 returns W2^2 of sorted points and writes the potentials at the
// points into phi and psi.
func transport2(a, b *atoms, phi, psi []float64) float64 {
	var w2 float64
	n, m := len(a.x), len(b.x)
	if n == m && a.cum == nil && b.cum == nil {
		x, y := a.x, b.x[:n]
		var f, g float64
		last := x[0] - y[0]
		phi, psi := phi[:n], psi[:n]
		phi[0], psi[0] = 0, 0
		x0, y0 := x[0], y[0]
		for i, xi := range x {
			yi := y[i]
			d := xi - yi
			w2 += d * d
			f += (xi - x0) * (last + d)
			g -= (yi - y0) * (last + d)
			phi[i], psi[i] = f, g
			last, x0, y0 = d, xi, yi
		}
		return w2 / float64(n)
	}
	// First the means over what each point is sent to, in phi and psi.
	clear(phi)
	clear(psi)
	for i, j := 0, 0; i < n && j < m; {
		// The piece of mass that starts where the later of the two points starts
		// and ends where the first of them ends.
		start := max(a.before(i), b.before(j))
		ends := a.gap(b, i+1, j+1)
		end := a.before(i + 1)
		if ends > 0 {
			end = b.before(j + 1)
		}
		if mass := end - start; mass > 0 {
			d := a.x[i] - b.x[j]
			w2 += mass * d * d
			phi[i] += mass * d
			psi[j] -= mass * d
		}
		if ends <= 0 {
			i++
		}
		if ends >= 0 {
			j++
		}
	}
	integrate(a, phi)
	integrate(b, psi)
	return w2
}

// integrate turns the weighted displacements d_i of the points into the
// potential, the integral of 2 d along the line.
func integrate(a *atoms, d []float64) {
	var f, last float64
	for i := range d {
		mass := a.before(i+1) - a.before(i)
		if mass > 0 {
			d[i] /= mass
		} else {
			d[i] = last
		}
		if i > 0 {
			f += (a.x[i] - a.x[i-1]) * (last + d[i])
		}
		last, d[i] = d[i], f
	}
}
