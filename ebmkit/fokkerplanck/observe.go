package fokkerplanck

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// KolmogorovMean returns the mean of Kolmogorov over groups of m points, with the
// error of that mean: of xs[0:m], xs[m:2m] and so on, as many groups as there
// are but at most the given number. For independent points of the law p, and
// cells that do not show, it is
//
//	sqrt(m) mean = sqrt(pi/2) log 2 - 1/(6 sqrt m) + smaller terms
//
// (Kolmogorov; sqrt(pi/2) log 2 = 0.8687). Of one group the error is +Inf. It
// returns *ebmkit.ArgError if m or groups is below 1 or there are fewer than m
// points, and as Kolmogorov.
func (g *Grid) KolmogorovMean(p, xs []float64, m, groups int) (ebmkit.Estimate, error) {
	const fn = "fokkerplanck.Grid.KolmogorovMean"
	switch {
	case m < 1:
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "m", Value: m, Want: "at least 1"}
	case groups < 1:
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "groups", Value: groups, Want: "at least 1"}
	case len(xs) < m:
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "len(xs)", Value: len(xs), Want: fmt.Sprintf("at least m = %d points", m)}
	}
	distances := make([]float64, min(groups, len(xs)/m))
	for i := range distances {
		d, err := g.Kolmogorov(p, xs[i*m:(i+1)*m])
		if err != nil {
			return ebmkit.Estimate{}, err
		}
		distances[i] = d
	}
	return ebmkit.MeanOf(distances), nil
}

// PointMass returns the density with all its mass in the cell that holds x, the
// Dirac delta of the grid. A point on a face belongs to the cell above it, the
// upper end of an axis to the last cell. It returns *ebmkit.ArgError if x has
// another dimension than the grid or lies outside of it.
func (g *Grid) PointMass(x ...float64) ([]float64, error) {
	const fn = "fokkerplanck.Grid.PointMass"
	if len(x) != g.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(x)", Value: len(x), Want: fmt.Sprintf("%d, the dimension of the grid", g.Dim())}
	}
	cell, stride := 0, 1
	for j, a := range g.axes {
		if !(a.Lo <= x[j] && x[j] <= a.Hi) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("x[%d]", j), Value: x[j], Want: fmt.Sprintf("a point in [%v, %v]", a.Lo, a.Hi)}
		}
		cell += stride * min(int((x[j]-a.Lo)/a.Width()), a.Cells-1)
		stride *= a.Cells
	}
	p := make([]float64, g.size)
	p[cell] = 1 / g.volume
	return p, nil
}

// LogRatio returns log(p_k/q_k) of two densities at every cell, the log R of
// review eq. (48). It is -Inf where p alone is zero, +Inf where q alone is, and
// NaN where both are.
func (g *Grid) LogRatio(p, q []float64) []float64 {
	g.must("LogRatio", p)
	g.must("LogRatio", q)
	v := make([]float64, len(p))
	for k := range v {
		switch {
		case q[k] > 0:
			v[k] = vmath.Log(p[k] / q[k])
		case p[k] > 0:
			v[k] = math.Inf(1)
		default:
			v[k] = math.NaN()
		}
	}
	return v
}

// Rate returns the derivative in time of f at the kept density k, by central
// differences,
//
//	(f(P[k+1]) - f(P[k-1])) / (T[k+1] - T[k-1]).
//
// With f the divergence from the steady state it is the left side of review
// eq. (50). Its error is of the order of the square of the time between kept
// densities, if these are evenly spaced. It panics unless there is a kept
// density on both sides of k.
func (h *History) Rate(k int, f func(p []float64) float64) float64 {
	if k < 1 || k > len(h.P)-2 {
		panic(fmt.Sprintf("fokkerplanck: History.Rate: k = %d has no neighbours among %d densities", k, len(h.P)))
	}
	return (f(h.P[k+1]) - f(h.P[k-1])) / (h.T[k+1] - h.T[k-1])
}

// SameNoise returns the diffusion of an Ito equation whose noise is the matrix
// sigma everywhere, row by row,
//
//	D = sigma sigma'/2,   review eq. (41),
//
// which is not sigma sigma/2 unless sigma is symmetric. It returns
// *ebmkit.ArgError unless sigma has 1 entry, for one dimension, or 4, for two,
// all finite.
func SameNoise(sigma ...float64) (func(d, x []float64), error) {
	const fn = "fokkerplanck.SameNoise"
	dim := map[int]int{1: 1, 4: 2}[len(sigma)]
	if dim == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(sigma)", Value: len(sigma), Want: "1 or 4: a matrix in one dimension or two"}
	}
	for i, v := range sigma {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("sigma[%d]", i), Value: v, Want: "a finite number"}
		}
	}
	half := make([]float64, dim*dim)
	for i := range dim {
		for j := range dim {
			for k := range dim {
				half[i*dim+j] += sigma[i*dim+k] * sigma[j*dim+k] / 2
			}
		}
	}
	return func(d, x []float64) { copy(d, half) }, nil
}
