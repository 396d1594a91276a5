package flow

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Law is a density of the plane that is known, tabulated at the centres of cells:
// what flows have made of it is measured there by the midpoint rule, as often as one
// likes.
type Law struct {
	*quad.Cells
	LogP []float64 // log p at the centres; -Inf where p is 0
}

// NewLaw tabulates p on nx by ny cells of [x0, x1] x [y0, y1]. It returns
// *ebmkit.ArgError if p is not of two dimensions or has a NaN, and the errors of
// quad.NewCells.
func NewLaw(p ebmkit.Normalized, x0, x1, y0, y1 float64, nx, ny int) (*Law, error) {
	bad := func(value any, want string) error {
		return &ebmkit.ArgError{Func: "flow.NewLaw", Arg: "p", Value: value, Want: want}
	}
	if p == nil || p.Dim() != 2 {
		return nil, bad(ebmkit.TypeName(p), "a law of the plane")
	}
	cells, err := quad.NewCells(x0, x1, y0, y1, nx, ny)
	if err != nil {
		return nil, err
	}
	l := &Law{Cells: cells}
	l.LogP = l.logDensity(p)
	for i, v := range l.LogP {
		if math.IsNaN(v) {
			return nil, bad([2]float64(cells.Centers.Row(i)), "an energy that is not NaN there")
		}
	}
	return l, nil
}

// logDensity returns the log-density of q at the centres.
func (l *Law) logDensity(q ebmkit.Normalized) []float64 {
	u, logZ := make([]float64, l.Centers.N), q.LogZ()
	ebmkit.NewEvaluator(q).EnergyGrad(u, nil, l.Centers.X)
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
		if k := part(l.Centers.Row(i)); k >= 0 && k < parts {
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
