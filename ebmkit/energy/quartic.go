package energy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Quartic is the sum of quartic wells, flat at the bottom and steep outside:
//
//	U(x) = a sum_j x_j^4,   Z = [2 Gamma(5/4) a^(-1/4)]^d,
//	E[x_j^2] = a^(-1/2) Gamma(3/4)/Gamma(1/4).
type Quartic struct {
	d int
	a float64
}

var (
	_ ebmkit.Differentiable = (*Quartic)(nil)
	_ ebmkit.Batched        = (*Quartic)(nil)
	_ ebmkit.Normalized     = (*Quartic)(nil)
	_ ebmkit.Sampler        = (*Quartic)(nil)
	_ ebmkit.Moments        = (*Quartic)(nil)
	_ ebmkit.Modes          = (*Quartic)(nil)
)

// NewQuartic returns a sum_j x_j^4 in dim dimensions. It returns
// *ebmkit.ArgError if dim < 1 or a is not positive.
func NewQuartic(dim int, a float64) (*Quartic, error) {
	const fn = "energy.NewQuartic"
	if err := wantDim(fn, dim, 1); err != nil {
		return nil, err
	}
	if err := wantSD(fn, "a", a); err != nil {
		return nil, err
	}
	return &Quartic{dim, a}, nil
}

// Dim returns d.
func (e *Quartic) Dim() int { return e.d }

// String names the energy.
func (e *Quartic) String() string { return fmt.Sprintf("Quartic(d = %d, a = %g)", e.d, e.a) }

// Energy returns a sum_j x_j^4.
func (e *Quartic) Energy(x []float64) float64 {
	checkX("Quartic.Energy", e.d, nil, x)
	return e.row(nil, x)
}

// EnergyGrad writes 4 a x_j^3 into grad and returns U(x).
func (e *Quartic) EnergyGrad(grad, x []float64) float64 {
	checkX("Quartic.EnergyGrad", e.d, grad, x)
	return e.row(grad, x)
}

func (e *Quartic) row(grad, x []float64) float64 {
	var u float64
	for j, v := range x {
		ac := e.a * v * v * v
		u += ac * v
		if grad != nil {
			grad[j] = 4 * ac
		}
	}
	return u
}

// NewEvaluator returns an evaluator of many rows.
func (e *Quartic) NewEvaluator() ebmkit.Evaluator {
	return rowEvaluator{"energy: Quartic.EnergyGrad", e.d, e.row}
}

// LogZ returns d log(2 Gamma(5/4) a^(-1/4)).
func (e *Quartic) LogZ() float64 {
	return float64(e.d) * (vmath.Log(2*quarter.gammaPlus) - vmath.Log(e.a)/4)
}

// Sample writes an exact draw into dst, by rejection from a Gaussian envelope:
// a x^4 >= sqrt(a) x^2 - 1/4, which keeps 80 % of the proposals.
func (e *Quartic) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Quartic.Sample", e.d, nil, dst)
	root := math.Sqrt(e.a)
	sd := 1 / math.Sqrt(2*root)
	for j := range dst {
		for {
			x := sd * s.Normal()
			q := root*x*x - 0.5
			if s.Float64() < vmath.Exp(-q*q) {
				dst[j] = x
				break
			}
		}
	}
}

// Mean writes zeros into dst (allocated if nil).
func (e *Quartic) Mean(dst []float64) []float64 {
	dst = into("Quartic.Mean", dst, e.d)
	clear(dst)
	return dst
}

// Cov writes the covariance into dst (row-major, allocated if nil).
func (e *Quartic) Cov(dst []float64) []float64 {
	dst = into("Quartic.Cov", dst, e.d*e.d)
	clear(dst)
	for j := range e.d {
		dst[j*e.d+j] = quarter.gammaMinus / threeQuarter.gammaMinus / math.Sqrt(e.a)
	}
	return dst
}

// Modes returns the origin.
func (e *Quartic) Modes() []float64 { return make([]float64, e.d) }
