package train

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// MovingModes is TwoModes with its means as parameters too, theta = (a, b, z):
//
//	U(x) = -log(exp(-|x-a|^2/2) + exp(-|x-b|^2/2 - z)),
//	dU/da = -(1-r) (x-a),   dU/db = -r (x-b),   dU/dz = r,
//
// r the probability that x came from b. The means are a shape, which is learned
// from where walkers stand; z is a mass, which is learned from how many do.
type MovingModes struct{ m *TwoModes }

var (
	_ ebmkit.Parametric     = (*MovingModes)(nil)
	_ ebmkit.Differentiable = (*MovingModes)(nil)
	_ ebmkit.Batched        = (*MovingModes)(nil)
	_ ebmkit.Normalized     = (*MovingModes)(nil)
	_ ebmkit.Sampler        = (*MovingModes)(nil)
)

// NewMovingModes returns the mixture with means a and b, which are copied.
// Errors are those of NewTwoModes.
func NewMovingModes(a, b []float64, z float64) (*MovingModes, error) {
	m, err := NewTwoModes(a, b, z)
	if err != nil {
		return nil, err
	}
	return &MovingModes{m}, nil
}

// Dim returns d.
func (e *MovingModes) Dim() int { return e.m.Dim() }

// Mass returns the mass of mode b, 1/(1 + exp(z)).
func (e *MovingModes) Mass() float64 { return e.m.Mass() }

// LogZ returns (d/2) log(2 pi) + log(1 + exp(-z)).
func (e *MovingModes) LogZ() float64 { return e.m.LogZ() }

// Energy returns U(x).
func (e *MovingModes) Energy(x []float64) float64 { return e.m.Energy(x) }

// EnergyGrad writes dU/dx into grad and returns U(x). It panics on a wrong length.
func (e *MovingModes) EnergyGrad(grad, x []float64) float64 { return e.m.EnergyGrad(grad, x) }

// NewEvaluator returns an evaluator of many rows.
func (e *MovingModes) NewEvaluator() ebmkit.Evaluator { return e.m.NewEvaluator() }

// Sample writes a draw into dst.
func (e *MovingModes) Sample(dst []float64, s *ebmkit.Stream) { e.m.Sample(dst, s) }

// String names the energy.
func (e *MovingModes) String() string {
	return fmt.Sprintf("MovingModes(d = %d, z = %.4g)", e.Dim(), e.m.z)
}

// NumParams returns 2d + 1.
func (e *MovingModes) NumParams() int { return 2*e.Dim() + 1 }

// Params writes a, b and z into dst (allocated if nil).
func (e *MovingModes) Params(dst []float64) []float64 {
	dst = into(dst, e.NumParams())
	d := copy(dst, e.m.a)
	copy(dst[d:], e.m.b)
	dst[2*d] = e.m.z
	return dst
}

// SetParams copies a, b and z. It returns *ebmkit.ArgError, and changes nothing,
// if theta has not 2d + 1 finite entries.
func (e *MovingModes) SetParams(theta []float64) error {
	const fn = "train.MovingModes.SetParams"
	if len(theta) != e.NumParams() {
		return &ebmkit.ArgError{Func: fn, Arg: "len(theta)", Value: len(theta), Want: fmt.Sprint(e.NumParams())}
	}
	for k, v := range theta {
		if !finite(v) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("theta[%d]", k), Value: v, Want: "a finite number"}
		}
	}
	m, d := e.m, e.Dim()
	copy(m.a, theta)
	copy(m.b, theta[d:])
	m.z = theta[2*d]
	m.measure()
	return nil
}

// AddParamGrad accumulates sum_i w_i dU(x_i)/dtheta; w nil means all ones.
func (e *MovingModes) AddParamGrad(dst, w, xs []float64) {
	if len(dst) != e.NumParams() {
		panic("train: MovingModes: len(dst) != NumParams")
	}
	d := e.Dim()
	ga, gb, gz := dst[:d], dst[d:2*d], dst[2*d:]
	// sum w (1-r) (x-a) = sum w (1-r) x - a sum w (1-r), and the same of b.
	var sa float64
	sb := gz[0]
	e.m.rows(gz, w, nil, xs, func(i int, r, w float64) {
		x := xs[i*d : (i+1)*d]
		if q := w * (1 - r); q != 0 {
			sa += q
			vmath.Axpy(ga, -q, x)
		}
		if q := w * r; q != 0 {
			gz[0] += q
			vmath.Axpy(gb, -q, x)
		}
	})
	vmath.Axpy(ga, sa, e.m.a)
	vmath.Axpy(gb, gz[0]-sb, e.m.b)
}

// KLFrom returns the divergence D(p || e) of the mixture e from another p of the
// same dimension,
//
//	sum over modes of m_k [ log(m_k/q_k) + |mu_k - nu_k|^2/2 ],
//
// m and mu the masses and means of p, q and nu those of e. It is exact up to the
// overlap of the modes, about exp(-|b-a|^2/8); it is never less than the truth.
func (e *MovingModes) KLFrom(p *MovingModes) float64 {
	if p.Dim() != e.Dim() {
		panic("train: MovingModes.KLFrom: dimensions differ")
	}
	d := e.Dim()
	mean := make([]float64, d)
	half := func(x, y []float64) float64 {
		vmath.Sub(mean, x, y)
		return vmath.Dot(mean, mean) / 2
	}
	// log of the masses of a and b is -softplus(-z) and -softplus(z).
	m := p.Mass()
	return (1-m)*(vmath.Softplus(-e.m.z)-vmath.Softplus(-p.m.z)+half(p.m.a, e.m.a)) +
		m*(vmath.Softplus(e.m.z)-vmath.Softplus(p.m.z)+half(p.m.b, e.m.b))
}
