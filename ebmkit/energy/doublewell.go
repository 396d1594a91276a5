package energy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// DoubleWell is a quartic double well in the first coordinate, with harmonic
// springs in the others:
//
//	U(x) = a (x_0^2 - b^2)^2 + (k/2) sum_{j>0} x_j^2.
//
// The wells lie at x_0 = +-b, the barrier between them has the height a b^4.
// With z = a b^4 / 2 and the modified Bessel functions I_nu,
//
//	Z = (pi b / 2) exp(-z) [I_{-1/4}(z) + I_{1/4}(z)] (2 pi / k)^((d-1)/2).
//
// The parameters are (log a, log b), and log k if d > 1.
type DoubleWell struct {
	d       int
	a, b, k float64
	logZ    float64

	// The sampler's envelope for x_0: N(0, sd^2), or N(+-b, sd^2), and the
	// chance to be kept exp(-(U - envelope)).
	split  bool
	sd, c0 float64
}

var (
	_ ebmkit.ScoreParametric = (*DoubleWell)(nil)
	_ ebmkit.Differentiable  = (*DoubleWell)(nil)
	_ ebmkit.Batched         = (*DoubleWell)(nil)
	_ ebmkit.Normalized      = (*DoubleWell)(nil)
	_ ebmkit.Sampler         = (*DoubleWell)(nil)
	_ ebmkit.Moments         = (*DoubleWell)(nil)
	_ ebmkit.Modes           = (*DoubleWell)(nil)
)

// NewDoubleWell returns the double well a (x^2 - b^2)^2 in one dimension. It
// returns *ebmkit.ArgError if a or b is not positive.
func NewDoubleWell(a, b float64) (*DoubleWell, error) {
	return newDoubleWell("energy.NewDoubleWell", 1, a, b, 1)
}

// NewDoubleWellND returns the double well in dim dimensions with stiffness k
// across the wells. It returns *ebmkit.ArgError if dim < 1 or a, b or k is not
// positive.
func NewDoubleWellND(dim int, a, b, k float64) (*DoubleWell, error) {
	return newDoubleWell("energy.NewDoubleWellND", dim, a, b, k)
}

func newDoubleWell(fn string, dim int, a, b, k float64) (*DoubleWell, error) {
	if err := wantDim(fn, dim, 1); err != nil {
		return nil, err
	}
	for _, p := range []struct {
		name string
		v    float64
	}{{"a", a}, {"b", b}, {"k", k}} {
		if err := wantSD(fn, p.name, p.v); err != nil {
			return nil, err
		}
	}
	if barrier := a * b * b * b * b; !(barrier > 1e-300 && barrier < 1e300) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "a b^4", Value: barrier, Want: "between 1e-300 and 1e300"}
	}
	e := &DoubleWell{d: dim, a: a, b: b, k: k}
	e.refresh()
	return e, nil
}

func (e *DoubleWell) refresh() {
	a, b := e.a, e.b
	z := a * b * b * b * b / 2
	logZ0 := vmath.Log(math.Pi*b/2) + vmath.Log(besselPair(quarter, z))
	e.logZ = logZ0 + float64(e.d-1)/2*vmath.Log(2*math.Pi/e.k)

	// Two Gaussian envelopes of exp(-a(x^2-b^2)^2), whichever is tighter:
	// around the wells, U >= a b^2 (|x|-b)^2 because (|x|+b)^2 >= b^2; around 0,
	// U = a s^2 >= a (2 c s - c^2) with s = x^2 - b^2, for the best c > 0.
	c := (math.Sqrt(b*b*b*b+1/a) - b*b) / 2
	logM1 := vmath.Log(2*math.Sqrt(math.Pi/a)/b) - logZ0
	logM2 := vmath.Log(math.Sqrt(math.Pi/(2*a*c))) + 2*a*c*b*b + a*c*c - logZ0
	e.split = logM1 < logM2
	if e.split {
		e.sd = 1 / (b * math.Sqrt(2*a))
	} else {
		e.sd, e.c0 = 1/math.Sqrt(4*a*c), c
	}
}

// besselOrder holds what the series of I_{-nu} and I_nu start with.
type besselOrder struct{ nu, gammaMinus, gammaPlus float64 } // Gamma(1-nu), Gamma(1+nu)

var (
	quarter      = besselOrder{0.25, 1.2254167024651776451, 0.9064024770554770780}
	threeQuarter = besselOrder{0.75, 3.6256099082219083119, 0.9190625268488832338}
)

// besselPair returns exp(-z) [I_{-nu}(z) + I_nu(z)] for z > 0: the power series,
// all of whose terms are positive, up to z = 20, and the asymptotic series
// beyond, where the neglected part is of order exp(-2z).
func besselPair(o besselOrder, z float64) float64 {
	if z > 20 {
		sum, term := 1.0, 1.0
		for k := 1; k < 40; k++ {
			odd := float64(2*k - 1)
			term *= -(4*o.nu*o.nu - odd*odd) / (8 * float64(k) * z)
			sum += term
			if math.Abs(term) < eps/4 {
				break
			}
		}
		return 2 * sum / math.Sqrt(2*math.Pi*z)
	}
	h := z / 2
	pow := math.Sqrt(math.Sqrt(h)) // h^(1/4)
	if o.nu > 0.5 {
		pow = pow * pow * pow
	}
	minus, plus := 1/(pow*o.gammaMinus), pow/o.gammaPlus
	var sum float64
	for m := 1.0; ; m++ {
		sum += minus + plus
		minus *= h * h / (m * (m - o.nu))
		plus *= h * h / (m * (m + o.nu))
		if minus+plus < sum*eps/4 {
			return sum * vmath.Exp(-z)
		}
	}
}

// Dim returns d.
func (e *DoubleWell) Dim() int { return e.d }

// String names the energy.
func (e *DoubleWell) String() string {
	return fmt.Sprintf("DoubleWell(d = %d, a = %g, b = %g)", e.d, e.a, e.b)
}

// Barrier returns the height a b^4 of the barrier.
func (e *DoubleWell) Barrier() float64 { return e.a * e.b * e.b * e.b * e.b }

// Energy returns U(x).
func (e *DoubleWell) Energy(x []float64) float64 {
	checkX("DoubleWell.Energy", e.d, nil, x)
	return e.row(nil, x)
}

// EnergyGrad writes dU/dx into grad and returns U(x).
func (e *DoubleWell) EnergyGrad(grad, x []float64) float64 {
	checkX("DoubleWell.EnergyGrad", e.d, grad, x)
	return e.row(grad, x)
}

func (e *DoubleWell) row(grad, x []float64) float64 {
	x0 := x[0]
	c := x0*x0 - e.b*e.b
	ac := e.a * c
	u := ac * c
	for _, v := range x[1:] {
		u += e.k / 2 * v * v
	}
	if grad != nil {
		grad[0] = 4 * ac * x0
		for j, v := range x[1:] {
			grad[j+1] = e.k * v
		}
	}
	return u
}

// NewEvaluator returns an evaluator of many rows.
func (e *DoubleWell) NewEvaluator() ebmkit.Evaluator {
	return rowEvaluator{"energy: DoubleWell.EnergyGrad", e.d, e.row}
}

// rowEvaluator applies a function of one row, known to need no scratch, to many.
type rowEvaluator struct {
	name string
	d    int
	row  func(grad, x []float64) float64
}

func (e rowEvaluator) EnergyGrad(u, grad, xs []float64) {
	d := e.d
	n := ebmkit.CheckRows(e.name, d, u, grad, xs)
	for i := range n {
		var gi []float64
		if grad != nil {
			gi = grad[i*d : (i+1)*d]
		}
		ui := e.row(gi, xs[i*d:(i+1)*d])
		if u != nil {
			u[i] = ui
		}
	}
}

// LogZ returns the logarithm of the closed form of Z.
func (e *DoubleWell) LogZ() float64 { return e.logZ }

// Sample writes an exact draw into dst, by rejection from a Gaussian envelope.
func (e *DoubleWell) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("DoubleWell.Sample", e.d, nil, dst)
	b2 := e.b * e.b
	for {
		x := e.sd * s.Normal()
		var excess float64 // U minus the envelope's energy, >= 0
		if e.split {
			x += e.b
			if x < 0 {
				continue
			}
			y := x - e.b
			excess = e.a * y * y * ((x+e.b)*(x+e.b) - b2)
			if s.Float64() < 0.5 {
				x = -x
			}
		} else {
			q := x*x - b2 - e.c0
			excess = e.a * q * q
		}
		if s.Float64() < vmath.Exp(-excess) {
			dst[0] = x
			break
		}
	}
	sd := 1 / math.Sqrt(e.k)
	for j := 1; j < e.d; j++ {
		dst[j] = sd * s.Normal()
	}
}

// Mean writes zeros into dst (allocated if nil).
func (e *DoubleWell) Mean(dst []float64) []float64 {
	dst = into("DoubleWell.Mean", dst, e.d)
	clear(dst)
	return dst
}

// Cov writes the covariance into dst (row-major, allocated if nil): diagonal, with
//
//	E[x_0^2] = (b^2/2) (1 + [I_{-3/4}(z) + I_{3/4}(z)] / [I_{-1/4}(z) + I_{1/4}(z)]).
func (e *DoubleWell) Cov(dst []float64) []float64 {
	dst = into("DoubleWell.Cov", dst, e.d*e.d)
	clear(dst)
	z := e.Barrier() / 2
	dst[0] = e.b * e.b / 2 * (1 + besselPair(threeQuarter, z)/besselPair(quarter, z))
	for j := 1; j < e.d; j++ {
		dst[j*e.d+j] = 1 / e.k
	}
	return dst
}

// Modes returns the two wells.
func (e *DoubleWell) Modes() []float64 {
	m := make([]float64, 2*e.d)
	m[0], m[e.d] = -e.b, e.b
	return m
}

// NumParams returns 2 in one dimension, 3 in more.
func (e *DoubleWell) NumParams() int { return 2 + min(e.d-1, 1) }

// Params copies theta into dst (allocated if nil).
func (e *DoubleWell) Params(dst []float64) []float64 {
	dst = into("DoubleWell.Params", dst, e.NumParams())
	dst[0], dst[1] = vmath.Log(e.a), vmath.Log(e.b)
	if e.d > 1 {
		dst[2] = vmath.Log(e.k)
	}
	return dst
}

// SetParams copies theta into the energy. It returns *ebmkit.ArgError if theta
// has the wrong length, is not finite, or a scale overflows.
func (e *DoubleWell) SetParams(theta []float64) error {
	const fn = "energy.DoubleWell.SetParams"
	if err := wantVector(fn, "theta", theta, e.NumParams(), wantFinite); err != nil {
		return err
	}
	for k, t := range theta {
		if t < -100 || t > 100 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("theta[%d]", k), Value: t, Want: "the logarithm of a parameter, within +-100"}
		}
	}
	e.a, e.b = vmath.Exp(theta[0]), vmath.Exp(theta[1])
	if e.d > 1 {
		e.k = vmath.Exp(theta[2])
	}
	e.refresh()
	return nil
}

// AddParamGrad accumulates sum_i w_i dU(x_i)/dtheta.
func (e *DoubleWell) AddParamGrad(dst, w, xs []float64) {
	n := checkParamGrad("energy: DoubleWell.AddParamGrad", e.d, e.NumParams(), dst, w, xs)
	for i := range n {
		x, wi := xs[i*e.d:(i+1)*e.d], weight(w, i)
		c := x[0]*x[0] - e.b*e.b
		dst[0] += wi * e.a * c * c
		dst[1] -= wi * 4 * e.a * c * e.b * e.b
		for _, v := range x[1:] {
			dst[2] += wi * e.k / 2 * v * v
		}
	}
}

// AddScoreParamGrad accumulates sum_i d/dtheta [v_i . grad U(x_i)].
func (e *DoubleWell) AddScoreParamGrad(dst, v, xs []float64) {
	n := checkScoreGrad("energy: DoubleWell.AddScoreParamGrad", e.d, e.NumParams(), dst, v, xs)
	for i := range n {
		x, vi := xs[i*e.d:(i+1)*e.d], v[i*e.d:(i+1)*e.d]
		dst[0] += vi[0] * 4 * e.a * x[0] * (x[0]*x[0] - e.b*e.b)
		dst[1] -= vi[0] * 8 * e.a * x[0] * e.b * e.b
		for j := 1; j < e.d; j++ {
			dst[2] += vi[j] * e.k * x[j]
		}
	}
}

// AddCurvParamGrad accumulates sum_i d/dtheta [v_i' (Hess U)(x_i) v_i].
func (e *DoubleWell) AddCurvParamGrad(dst, v, xs []float64) {
	n := checkScoreGrad("energy: DoubleWell.AddCurvParamGrad", e.d, e.NumParams(), dst, v, xs)
	for i := range n {
		x, vi := xs[i*e.d:(i+1)*e.d], v[i*e.d:(i+1)*e.d]
		dst[0] += vi[0] * vi[0] * 4 * e.a * (3*x[0]*x[0] - e.b*e.b)
		dst[1] -= vi[0] * vi[0] * 8 * e.a * e.b * e.b
		for j := 1; j < e.d; j++ {
			dst[2] += vi[j] * vi[j] * e.k
		}
	}
}
