package energy

import (
	"fmt"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Statistic is one function F of an exponential family with its derivatives.
// All three must be safe for concurrent calls and must not keep or change x.
type Statistic struct {
	// Name is for messages and tables, as in "x^2".
	Name string
	// F returns F(x).
	F func(x []float64) float64
	// Grad writes dF/dx into dst.
	Grad func(dst, x []float64)
	// Curv returns v' (Hess F)(x) v. It may be nil; then AddCurvParamGrad takes
	// it from differences of Grad.
	Curv func(x, v []float64) float64
}

// Power is the statistic x_j^n, n >= 1, named "x0^2", or "x0" for n = 1. It
// panics if j < 0 or n < 1.
func Power(j, n int) Statistic {
	if j < 0 || n < 1 {
		panic("energy: Power: want j >= 0 and n >= 1")
	}
	name := fmt.Sprintf("x%d^%d", j, n)
	if n == 1 {
		name = fmt.Sprintf("x%d", j)
	}
	return Statistic{
		Name: name,
		F:    func(x []float64) float64 { return power(x[j], n) },
		Grad: func(dst, x []float64) {
			clear(dst)
			dst[j] = float64(n) * power(x[j], n-1)
		},
		Curv: func(x, v []float64) float64 {
			if n == 1 {
				return 0
			}
			return float64(n*(n-1)) * power(x[j], n-2) * v[j] * v[j]
		},
	}
}

// Product is the statistic x_i x_j. It panics if i < 0 or j < 0.
func Product(i, j int) Statistic {
	if i < 0 || j < 0 {
		panic("energy: Product: want i >= 0 and j >= 0")
	}
	return Statistic{
		Name: fmt.Sprintf("x%d x%d", i, j),
		F:    func(x []float64) float64 { return x[i] * x[j] },
		Grad: func(dst, x []float64) {
			clear(dst)
			dst[i] += x[j]
			dst[j] += x[i]
		},
		Curv: func(_, v []float64) float64 { return 2 * v[i] * v[j] },
	}
}

func power(x float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p *= x
		}
		x *= x
	}
	return p
}

// ExponentialFamily is an energy that is linear in its parameters,
//
//	U(x) = sum_k theta_k F_k(x).
//
// Whether exp(-U) can be normalised depends on theta and is the caller's
// business; quad.LogZ says so if it cannot.
type ExponentialFamily struct {
	d     int
	theta []float64
	stats []Statistic
	work  scratch
}

var (
	_ ebmkit.ScoreParametric = (*ExponentialFamily)(nil)
	_ ebmkit.Differentiable  = (*ExponentialFamily)(nil)
)

// NewExponentialFamily returns sum_k theta[k] stats[k] on R^dim. It returns
// *ebmkit.ArgError if dim < 1, the lengths differ or are zero, theta is not
// finite, or a statistic lacks F or Grad.
func NewExponentialFamily(dim int, theta []float64, stats ...Statistic) (*ExponentialFamily, error) {
	const fn = "energy.NewExponentialFamily"
	if err := wantDim(fn, dim, 1); err != nil {
		return nil, err
	}
	if err := wantVector(fn, "theta", theta, len(stats), wantFinite); err != nil {
		return nil, err
	}
	for k, s := range stats {
		if s.F == nil || s.Grad == nil {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("stats[%d]", k), Value: "without F or Grad", Want: "both"}
		}
	}
	return &ExponentialFamily{d: dim, theta: slices.Clone(theta), stats: slices.Clone(stats)}, nil
}

// Dim returns d.
func (e *ExponentialFamily) Dim() int { return e.d }

// String names the energy and says whether second derivatives are numerical.
func (e *ExponentialFamily) String() string {
	how := ""
	if e.NumericalCurvature() {
		how = ", curvature by central differences"
	}
	return fmt.Sprintf("ExponentialFamily(d = %d, %d statistics%s)", e.d, len(e.stats), how)
}

// NumericalCurvature says whether some statistic has no Curv.
func (e *ExponentialFamily) NumericalCurvature() bool {
	return slices.ContainsFunc(e.stats, func(s Statistic) bool { return s.Curv == nil })
}

// Statistics writes F_k(x) into dst (length NumParams, allocated if nil).
func (e *ExponentialFamily) Statistics(dst, x []float64) []float64 {
	checkX("ExponentialFamily.Statistics", e.d, nil, x)
	dst = into("ExponentialFamily.Statistics", dst, len(e.stats))
	for k, s := range e.stats {
		dst[k] = s.F(x)
	}
	return dst
}

// Energy returns sum_k theta_k F_k(x).
func (e *ExponentialFamily) Energy(x []float64) float64 {
	checkX("ExponentialFamily.Energy", e.d, nil, x)
	var u float64
	for k, s := range e.stats {
		u += e.theta[k] * s.F(x)
	}
	return u
}

// EnergyGrad writes sum_k theta_k grad F_k(x) into grad and returns U(x).
func (e *ExponentialFamily) EnergyGrad(grad, x []float64) float64 {
	checkX("ExponentialFamily.EnergyGrad", e.d, grad, x)
	buf := e.work.get(e.d)
	defer e.work.put(buf)
	g := (*buf)[:e.d]
	clear(grad)
	var u float64
	for k, s := range e.stats {
		u += e.theta[k] * s.F(x)
		s.Grad(g, x)
		for j, v := range g {
			grad[j] += e.theta[k] * v
		}
	}
	return u
}

// NumParams returns the number of statistics.
func (e *ExponentialFamily) NumParams() int { return len(e.theta) }

// Params copies theta into dst (allocated if nil).
func (e *ExponentialFamily) Params(dst []float64) []float64 {
	dst = into("ExponentialFamily.Params", dst, len(e.theta))
	copy(dst, e.theta)
	return dst
}

// SetParams copies theta into the energy. It returns *ebmkit.ArgError if theta
// has the wrong length or is not finite.
func (e *ExponentialFamily) SetParams(theta []float64) error {
	if err := wantVector("energy.ExponentialFamily.SetParams", "theta", theta, len(e.theta), wantFinite); err != nil {
		return err
	}
	copy(e.theta, theta)
	return nil
}

// AddParamGrad accumulates sum_i w_i F_k(x_i).
func (e *ExponentialFamily) AddParamGrad(dst, w, xs []float64) {
	n := checkParamGrad("energy: ExponentialFamily.AddParamGrad", e.d, len(e.theta), dst, w, xs)
	for i := range n {
		for k, s := range e.stats {
			dst[k] += weight(w, i) * s.F(xs[i*e.d:(i+1)*e.d])
		}
	}
}

// AddScoreParamGrad accumulates sum_i v_i . grad F_k(x_i).
func (e *ExponentialFamily) AddScoreParamGrad(dst, v, xs []float64) {
	n := checkScoreGrad("energy: ExponentialFamily.AddScoreParamGrad", e.d, len(e.theta), dst, v, xs)
	buf := e.work.get(e.d)
	defer e.work.put(buf)
	g := (*buf)[:e.d]
	for i := range n {
		for k, s := range e.stats {
			s.Grad(g, xs[i*e.d:(i+1)*e.d])
			for j, gj := range g {
				dst[k] += v[i*e.d+j] * gj
			}
		}
	}
}

// AddCurvParamGrad accumulates sum_i v_i' (Hess F_k)(x_i) v_i. A statistic
// without Curv is differentiated by central differences along v, with a relative
// error of about 1e-10.
func (e *ExponentialFamily) AddCurvParamGrad(dst, v, xs []float64) {
	d := e.d
	n := checkScoreGrad("energy: ExponentialFamily.AddCurvParamGrad", d, len(e.theta), dst, v, xs)
	for i := range n {
		x, vi := xs[i*d:(i+1)*d], v[i*d:(i+1)*d]
		for k, s := range e.stats {
			if s.Curv != nil {
				dst[k] += s.Curv(x, vi)
				continue
			}
			dst[k] += e.curvByDifferences(s, x, vi)
		}
	}
}

func (e *ExponentialFamily) curvByDifferences(s Statistic, x, v []float64) float64 {
	d := e.d
	size, length := 1.0, 0.0
	for j := range x {
		size = max(size, x[j], -x[j])
		length = max(length, v[j], -v[j])
	}
	if length == 0 {
		return 0
	}
	h := cbrtEps * size / length
	y, g := make([]float64, d), make([]float64, d)
	var sum float64
	for _, sign := range []float64{1, -1} {
		for j := range y {
			y[j] = x[j] + sign*h*v[j]
		}
		s.Grad(g, y)
		for j := range g {
			sum += sign * v[j] * g[j]
		}
	}
	return sum / (2 * h)
}
