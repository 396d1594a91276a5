package energy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Banana is a Gaussian in the plane bent along a parabola,
//
//	U(x) = (x_0 - m)^2 / (2 s^2) + (x_1 - c (x_0^2 - h))^2 / (2 t^2),
//	log Z = log(2 pi s t).
//
// Both Rosenbrock's function and the twisted Gaussian of Haario, Saksman and
// Tamminen (1999) have this form, which can be sampled exactly: x_0 from
// N(m, s^2), then x_1 from N(c (x_0^2 - h), t^2).
type Banana struct{ m, s, t, c, h float64 }

var (
	_ ebmkit.Differentiable = (*Banana)(nil)
	_ ebmkit.Batched        = (*Banana)(nil)
	_ ebmkit.Normalized     = (*Banana)(nil)
	_ ebmkit.Sampler        = (*Banana)(nil)
	_ ebmkit.Moments        = (*Banana)(nil)
	_ ebmkit.Modes          = (*Banana)(nil)
)

// NewBanana returns the twisted Gaussian: N(0, diag(sd^2, 1)) whose second
// coordinate is shifted by bend (x_0^2 - sd^2), so that the mean stays 0. It
// returns *ebmkit.ArgError if sd is not positive or bend not finite.
func NewBanana(sd, bend float64) (*Banana, error) {
	const fn = "energy.NewBanana"
	if err := wantSD(fn, "sd", sd); err != nil {
		return nil, err
	}
	if err := wantFinite(fn, "bend", bend); err != nil {
		return nil, err
	}
	return &Banana{s: sd, t: 1, c: bend, h: sd * sd}, nil
}

// NewRosenbrock returns Rosenbrock's function as an energy,
//
//	U(x) = a (m - x_0)^2 + b (x_1 - x_0^2)^2.
//
// The usual choice is m = 1, a = 1/20, b = 100/20. It returns *ebmkit.ArgError
// if m is not finite, or a or b not positive.
func NewRosenbrock(m, a, b float64) (*Banana, error) {
	const fn = "energy.NewRosenbrock"
	if err := wantFinite(fn, "m", m); err != nil {
		return nil, err
	}
	if err := wantSD(fn, "a", a); err != nil {
		return nil, err
	}
	if err := wantSD(fn, "b", b); err != nil {
		return nil, err
	}
	return &Banana{m: m, s: math.Sqrt(0.5 / a), t: math.Sqrt(0.5 / b), c: 1}, nil
}

// Dim returns 2.
func (e *Banana) Dim() int { return 2 }

// String names the energy.
func (e *Banana) String() string { return fmt.Sprintf("Banana(sd = %g, %g, bend = %g)", e.s, e.t, e.c) }

// Energy returns U(x).
func (e *Banana) Energy(x []float64) float64 {
	checkX("Banana.Energy", 2, nil, x)
	return e.row(nil, x)
}

// EnergyGrad writes dU/dx into grad and returns U(x).
func (e *Banana) EnergyGrad(grad, x []float64) float64 {
	checkX("Banana.EnergyGrad", 2, grad, x)
	return e.row(grad, x)
}

func (e *Banana) row(grad, x []float64) float64 {
	y0 := x[0] - e.m
	y1 := x[1] - e.c*(x[0]*x[0]-e.h)
	p0, p1 := y0/(e.s*e.s), y1/(e.t*e.t)
	if grad != nil {
		grad[0] = p0 - 2*e.c*x[0]*p1
		grad[1] = p1
	}
	return (y0*p0 + y1*p1) / 2
}

// NewEvaluator returns an evaluator of many rows.
func (e *Banana) NewEvaluator() ebmkit.Evaluator {
	return rowEvaluator{"energy: Banana.EnergyGrad", 2, e.row}
}

// LogZ returns log(2 pi s t).
func (e *Banana) LogZ() float64 { return vmath.Log(2 * math.Pi * e.s * e.t) }

// Sample writes an exact draw into dst.
func (e *Banana) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Banana.Sample", 2, nil, dst)
	dst[0] = e.m + e.s*s.Normal()
	dst[1] = e.c*(dst[0]*dst[0]-e.h) + e.t*s.Normal()
}

// Mean writes (m, c (m^2 + s^2 - h)) into dst (allocated if nil).
func (e *Banana) Mean(dst []float64) []float64 {
	dst = into("Banana.Mean", dst, 2)
	dst[0], dst[1] = e.m, e.c*(e.m*e.m+e.s*e.s-e.h)
	return dst
}

// Cov writes the covariance into dst (row-major, allocated if nil).
//
//	Var x_0 = s^2,  Cov = 2 c m s^2,  Var x_1 = t^2 + c^2 (2 s^4 + 4 m^2 s^2)
func (e *Banana) Cov(dst []float64) []float64 {
	dst = into("Banana.Cov", dst, 4)
	v := e.s * e.s
	dst[0] = v
	dst[1] = 2 * e.c * e.m * v
	dst[2] = dst[1]
	dst[3] = e.t*e.t + e.c*e.c*(2*v*v+4*e.m*e.m*v)
	return dst
}

// Modes returns (m, c (m^2 - h)).
func (e *Banana) Modes() []float64 { return []float64{e.m, e.c * (e.m*e.m - e.h)} }
