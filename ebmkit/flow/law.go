package flow

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Law is a density of the plane that is known, tabulated at the centres of equal
// cells of a rectangle: what flows have made of it is measured there, as often as
// one likes, by the midpoint rule
//
//	integral of g = area of a cell * sum over cells of g(centre).
//
// For densities that are smooth and vanish at the walls its error falls faster
// than any power of the spacing; what lies outside the rectangle is left out.
type Law struct {
	X    []float64 // the centres, row-major, along x first
	LogP []float64 // log p there; -Inf where p is 0
	Area float64   // of one cell
}

// NewLaw tabulates p on nx by ny cells of [x0, x1] x [y0, y1]. It returns
// *ebmkit.ArgError unless p is of two dimensions, x0 < x1 and y0 < y1 are finite,
// nx and ny are positive, with at most 10^8 cells, and p has no NaN.
func NewLaw(p ebmkit.Normalized, x0, x1, y0, y1 float64, nx, ny int) (*Law, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: "flow.NewLaw", Arg: arg, Value: value, Want: want}
	}
	if p == nil || p.Dim() != 2 {
		return nil, bad("p", ebmkit.TypeName(p), "a law of the plane")
	}
	if !finite(x0) || !finite(x1) || x0 >= x1 {
		return nil, bad("x0, x1", [2]float64{x0, x1}, "finite, x0 < x1")
	}
	if !finite(y0) || !finite(y1) || y0 >= y1 {
		return nil, bad("y0, y1", [2]float64{y0, y1}, "finite, y0 < y1")
	}
	if nx < 1 || ny < 1 || nx > 1e8/ny {
		return nil, bad("nx, ny", [2]int{nx, ny}, "positive, at most 10^8 cells")
	}
	l := &Law{X: make([]float64, 0, 2*nx*ny), Area: (x1 - x0) * (y1 - y0) / float64(nx*ny)}
	for j := range ny {
		for i := range nx {
			l.X = append(l.X, x0+(x1-x0)*(float64(i)+0.5)/float64(nx), y0+(y1-y0)*(float64(j)+0.5)/float64(ny))
		}
	}
	l.LogP = l.logDensity(p)
	for i, v := range l.LogP {
		if math.IsNaN(v) {
			return nil, bad("p", [2]float64{l.X[2*i], l.X[2*i+1]}, "an energy that is not NaN there")
		}
	}
	return l, nil
}

// logDensity returns the log-density of q at the centres.
func (l *Law) logDensity(q ebmkit.Normalized) []float64 {
	u, logZ := make([]float64, len(l.X)/2), q.LogZ()
	ebmkit.NewEvaluator(q).EnergyGrad(u, nil, l.X)
	for i := range u {
		u[i] = -u[i] - logZ
	}
	return u
}

// Mass returns the probability of the rectangle, the integral of p over it.
func (l *Law) Mass() float64 {
	sum := 0.0
	for _, v := range l.LogP {
		sum += vmath.Exp(v)
	}
	return l.Area * sum
}

// Masses returns the probability of each of so many parts of the rectangle: a cell
// belongs to the part that part says of its centre, and to none if that is not
// between 0 and parts-1. part must not keep or change its argument.
func (l *Law) Masses(parts int, part func(x []float64) int) []float64 {
	m := make([]float64, parts)
	for i, v := range l.LogP {
		if k := part(l.X[2*i : 2*i+2]); k >= 0 && k < parts {
			m[k] += l.Area * vmath.Exp(v)
		}
	}
	return m
}

// KL returns the Kullback-Leibler divergence of review eq. (10), in nats,
//
//	D(p||q) = integral of p (log p - log q),
//
// where q need not have been normalised by this grid: with all of p in the
// rectangle a negative value says that q is no density. It is +Inf if q is 0 where
// p is not. It panics if q is not of two dimensions.
func (l *Law) KL(q ebmkit.Normalized) float64 {
	if q.Dim() != 2 {
		panic("flow: Law.KL: q is not of two dimensions")
	}
	sum := 0.0
	for i, logQ := range l.logDensity(q) {
		if p := l.LogP[i]; !math.IsInf(p, -1) {
			sum += l.Area * vmath.Exp(p) * (p - logQ)
		}
	}
	return sum
}
