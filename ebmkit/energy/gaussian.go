package energy

import (
	"fmt"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/gemm"
	"github.com/ebmkit/hitchhiker/internal/linalg"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

const log2Pi = 1.837877066409345483560659472811 // log(2 pi)

// Normal is a Gaussian energy, whatever way its covariance is stored: Gaussian,
// DiagonalGaussian or TridiagonalGaussian. Closed forms that need only mean and
// precision take it.
type Normal interface {
	ebmkit.Differentiable
	ebmkit.Batched
	ebmkit.Normalized
	ebmkit.Sampler
	ebmkit.Moments
	ebmkit.Modes
	// Precision writes the inverse covariance, row-major d x d, into dst
	// (allocated if nil). It panics on a wrong length.
	Precision(dst []float64) []float64
}

// Gaussian is the energy of N(mean, cov) with a full covariance,
//
//	U(x) = (x - mean)' P (x - mean) / 2,   P = inverse of cov,
//	log Z = (d log(2 pi) + log det cov) / 2.
//
// Its parameters are the mean and the whitening matrix W, lower triangular with
// P = W'W:
//
//	theta = (mean_0 .. mean_{d-1}, log W_00, W_10, log W_11, W_20, W_21, log W_22, ..)
type Gaussian struct {
	d    int
	mean []float64
	w    []float64 // W, d x d lower
	l    []float64 // inverse of W: cov = L L'
	prec []float64
	logZ float64

	centred bool                 // mean = 0
	packed  gemm.Packed[float64] // prec, if d is large

	eval evaluators
	work scratch
}

var (
	_ Normal                 = (*Gaussian)(nil)
	_ Component              = (*Gaussian)(nil)
	_ ebmkit.ScoreParametric = (*Gaussian)(nil)
)

// NewGaussian returns the energy of N(mean, cov), cov row-major d x d. It
// returns *ebmkit.ArgError if the sizes do not fit, an entry is not finite, or
// cov is not symmetric and positive definite.
func NewGaussian(mean, cov []float64) (*Gaussian, error) {
	const fn = "energy.NewGaussian"
	if err := wantVector(fn, "mean", mean, -1, wantFinite); err != nil {
		return nil, err
	}
	d := len(mean)
	l, err := wantPositiveDefinite(fn, "cov", cov, d)
	if err != nil {
		return nil, err
	}
	g := &Gaussian{d: d, mean: slices.Clone(mean), w: invertLower(l, d), l: l}
	g.refresh()
	return g.finite(fn, "cov")
}

// NewGaussianPrecision returns the energy of N(mean, P^-1) for the precision P,
// row-major d x d. It returns *ebmkit.ArgError as NewGaussian does.
func NewGaussianPrecision(mean, prec []float64) (*Gaussian, error) {
	const fn = "energy.NewGaussianPrecision"
	if err := wantVector(fn, "mean", mean, -1, wantFinite); err != nil {
		return nil, err
	}
	d := len(mean)
	if _, err := wantPositiveDefinite(fn, "prec", prec, d); err != nil {
		return nil, err
	}
	c, bad := cholesky(flip(prec, d), d)
	if bad >= 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "prec", Value: "a matrix singular to rounding", Want: "positive definite"}
	}
	w := make([]float64, d*d)
	for i := range d {
		for j := 0; j <= i; j++ {
			w[i*d+j] = c[(d-1-j)*d+(d-1-i)]
		}
	}
	g := &Gaussian{d: d, mean: slices.Clone(mean), w: w, l: invertLower(w, d)}
	g.refresh()
	return g.finite(fn, "prec")
}

// finite returns g, or *ebmkit.ArgError if inverting the matrix overflowed.
func (g *Gaussian) finite(fn, arg string) (*Gaussian, error) {
	for i, p := range g.Cov(nil) {
		if !isFinite(p) || !isFinite(g.prec[i]) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: "a matrix whose inverse overflows", Want: "scales between 1e-150 and 1e150"}
		}
	}
	return g, nil
}

// refresh recomputes what follows from w.
func (g *Gaussian) refresh() {
	if g.prec == nil {
		g.prec = make([]float64, g.d*g.d)
	}
	linalg.Gram(g.prec, g.w, g.d)
	if g.d >= productDim {
		g.packed.Pack(gemm.Of(g.prec, g.d, g.d))
	}
	g.centred = !slices.ContainsFunc(g.mean, func(m float64) bool { return m != 0 })
	g.logZ = float64(g.d) * log2Pi / 2
	for i := range g.d {
		g.logZ -= vmath.Log(g.w[i*g.d+i])
	}
}

func (g *Gaussian) clone() Component {
	c := &Gaussian{d: g.d, mean: slices.Clone(g.mean), w: slices.Clone(g.w), l: slices.Clone(g.l)}
	c.refresh()
	return c
}

// Dim returns d.
func (g *Gaussian) Dim() int { return g.d }

// String names the energy.
func (g *Gaussian) String() string { return fmt.Sprintf("Gaussian(d = %d)", g.d) }

// Energy returns (x - mean)' P (x - mean) / 2.
func (g *Gaussian) Energy(x []float64) float64 {
	checkX("Gaussian.Energy", g.d, nil, x)
	return g.eval.one(g, nil, x)
}

// EnergyGrad writes P (x - mean) into grad and returns U(x).
func (g *Gaussian) EnergyGrad(grad, x []float64) float64 {
	checkX("Gaussian.EnergyGrad", g.d, grad, x)
	return g.eval.one(g, grad, x)
}

// NewEvaluator returns an evaluator of many rows.
func (g *Gaussian) NewEvaluator() ebmkit.Evaluator { return &gaussianEvaluator{g: g} }

// productDim is the dimension from which the gradients of a block of rows are
// one matrix product. The choice depends on nothing else, so that one row and
// many give the same bits.
const productDim = 8

type gaussianEvaluator struct {
	g     *Gaussian
	y, py []float64 // a block of x - mean, and of P (x - mean)
	z     []float64
	mul   gemm.Scratch[float64]
}

func (e *gaussianEvaluator) EnergyGrad(u, grad, xs []float64) {
	g, d := e.g, e.g.d
	n := ebmkit.CheckRows("energy: Gaussian.EnergyGrad", d, u, grad, xs)
	const block = 64
	if e.z == nil {
		e.z = make([]float64, d)
	}
	if size := min(n, block) * d; len(e.y) < size {
		e.y, e.py = make([]float64, size), make([]float64, size)
	}
	for lo := 0; lo < n; lo += block {
		rows := min(block, n-lo)
		y, py := xs[lo*d:(lo+rows)*d], e.py[:rows*d]
		if grad != nil {
			py = grad[lo*d : (lo+rows)*d]
		}
		if !g.centred {
			y = e.y[:rows*d]
			for i := range rows {
				vmath.Sub(y[i*d:(i+1)*d], xs[(lo+i)*d:(lo+i+1)*d], g.mean)
			}
		}
		if d >= productDim {
			e.mul.MulPacked(gemm.Of(py, rows, d), 1, gemm.Of(y, rows, d), &g.packed, 0)
		} else {
			for i := range rows {
				yi := y[i*d : (i+1)*d]
				for j := range d {
					var s float64
					for k, p := range g.prec[j*d : (j+1)*d] {
						s += p * yi[k]
					}
					py[i*d+j] = s
				}
			}
		}
		if u == nil {
			continue
		}
		for i := range rows {
			var s float64
			yi, pi := y[i*d:(i+1)*d], py[i*d:(i+1)*d]
			if d >= productDim {
				s = vmath.Dot(yi, pi)
			} else {
				for j, v := range yi {
					s += v * pi[j]
				}
			}
			if !(s >= 0) {
				// Far out y'Py can be Inf - Inf, and near 0 fall below 0 by
				// rounding; |W y|^2 does neither.
				g.white(e.z, yi)
				s = vmath.Dot(e.z, e.z)
			}
			u[lo+i] = s / 2
		}
	}
}

// LogZ returns (d log(2 pi) + log det cov) / 2.
func (g *Gaussian) LogZ() float64 { return g.logZ }

// Sample writes a draw of N(mean, cov) into dst.
func (g *Gaussian) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Gaussian.Sample", g.d, nil, dst)
	s.FillNormal(dst)
	for i := g.d - 1; i >= 0; i-- { // L is lower: from below, in place
		dst[i] = g.mean[i] + vmath.Dot(dst[:i+1], g.l[i*g.d:i*g.d+i+1])
	}
}

// Mean writes the mean into dst (allocated if nil) and returns it.
func (g *Gaussian) Mean(dst []float64) []float64 {
	dst = into("Gaussian.Mean", dst, g.d)
	copy(dst, g.mean)
	return dst
}

// Cov writes the covariance, row-major, into dst (allocated if nil).
func (g *Gaussian) Cov(dst []float64) []float64 {
	d := g.d
	dst = into("Gaussian.Cov", dst, d*d)
	for i := range d {
		for j := 0; j <= i; j++ {
			c := vmath.Dot(g.l[i*d:i*d+j+1], g.l[j*d:j*d+j+1])
			dst[i*d+j], dst[j*d+i] = c, c
		}
	}
	return dst
}

// Precision writes P, row-major, into dst (allocated if nil).
func (g *Gaussian) Precision(dst []float64) []float64 {
	dst = into("Gaussian.Precision", dst, g.d*g.d)
	copy(dst, g.prec)
	return dst
}

// Modes returns the mean.
func (g *Gaussian) Modes() []float64 { return slices.Clone(g.mean) }

// NumParams returns d + d(d+1)/2.
func (g *Gaussian) NumParams() int { return g.d + g.d*(g.d+1)/2 }

// Params copies theta into dst (allocated if nil).
func (g *Gaussian) Params(dst []float64) []float64 {
	dst = into("Gaussian.Params", dst, g.NumParams())
	k := copy(dst, g.mean)
	for i := range g.d {
		for j := 0; j < i; j++ {
			dst[k] = g.w[i*g.d+j]
			k++
		}
		dst[k] = vmath.Log(g.w[i*g.d+i])
		k++
	}
	return dst
}

// SetParams copies theta into the energy. It returns *ebmkit.ArgError if theta
// has the wrong length, is not finite, or a scale overflows.
func (g *Gaussian) SetParams(theta []float64) error {
	const fn = "energy.Gaussian.SetParams"
	if err := wantVector(fn, "theta", theta, g.NumParams(), wantFinite); err != nil {
		return err
	}
	w := make([]float64, g.d*g.d)
	k := g.d
	for i := range g.d {
		for j := 0; j < i; j++ {
			w[i*g.d+j] = theta[k]
			k++
		}
		w[i*g.d+i] = vmath.Exp(theta[k])
		if err := wantScale(fn, k, theta[k]); err != nil {
			return err
		}
		k++
	}
	copy(g.mean, theta)
	g.w, g.l = w, invertLower(w, g.d)
	g.refresh()
	return nil
}

// wantScale returns *ebmkit.ArgError unless exp(t) and its square are normal
// numbers.
func wantScale(fn string, k int, t float64) error {
	if t < -350 || t > 350 {
		return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("theta[%d]", k), Value: t, Want: "the logarithm of a scale, within +-350"}
	}
	return nil
}

// white computes z = W y.
func (g *Gaussian) white(z, y []float64) {
	for i := range z {
		z[i] = vmath.Dot(y[:i+1], g.w[i*g.d:i*g.d+i+1])
	}
}

// addLower adds c z_i y_j, for the entries of theta that make up W, to dst.
func (g *Gaussian) addLower(dst []float64, c float64, z, y []float64) {
	k := g.d
	for i := range g.d {
		for j := 0; j < i; j++ {
			dst[k] += c * z[i] * y[j]
			k++
		}
		dst[k] += c * z[i] * y[i] * g.w[i*g.d+i]
		k++
	}
}

// AddParamGrad accumulates sum_i w_i dU(x_i)/dtheta.
func (g *Gaussian) AddParamGrad(dst, w, xs []float64) {
	d := g.d
	n := checkParamGrad("energy: Gaussian.AddParamGrad", d, g.NumParams(), dst, w, xs)
	buf := g.work.get(4 * d)
	defer g.work.put(buf)
	y, z := (*buf)[:d], (*buf)[d:2*d]
	for i := range n {
		wi := weight(w, i)
		for j := range y {
			y[j] = xs[i*d+j] - g.mean[j]
		}
		g.white(z, y)
		for j := range d {
			dst[j] -= wi * vmath.Dot(y, g.prec[j*d:(j+1)*d])
		}
		g.addLower(dst, wi, z, y)
	}
}

// AddScoreParamGrad accumulates sum_i d/dtheta [v_i . grad U(x_i)].
func (g *Gaussian) AddScoreParamGrad(dst, v, xs []float64) {
	d := g.d
	n := checkScoreGrad("energy: Gaussian.AddScoreParamGrad", d, g.NumParams(), dst, v, xs)
	buf := g.work.get(4 * d)
	defer g.work.put(buf)
	y, z, b := (*buf)[:d], (*buf)[d:2*d], (*buf)[2*d:3*d]
	for i := range n {
		vi := v[i*d : (i+1)*d]
		for j := range y {
			y[j] = xs[i*d+j] - g.mean[j]
		}
		g.white(z, y)
		g.white(b, vi)
		for j := range d {
			dst[j] -= vmath.Dot(vi, g.prec[j*d:(j+1)*d])
		}
		g.addLower(dst, 1, z, vi)
		g.addLower(dst, 1, b, y)
	}
}

// AddCurvParamGrad accumulates sum_i d/dtheta [v_i' P v_i].
func (g *Gaussian) AddCurvParamGrad(dst, v, xs []float64) {
	d := g.d
	n := checkScoreGrad("energy: Gaussian.AddCurvParamGrad", d, g.NumParams(), dst, v, xs)
	buf := g.work.get(4 * d)
	defer g.work.put(buf)
	b := (*buf)[:d]
	for i := range n {
		vi := v[i*d : (i+1)*d]
		g.white(b, vi)
		g.addLower(dst, 2, b, vi)
	}
}

func (g *Gaussian) addLogZGrad(dst []float64, c float64) {
	k := g.d
	for i := range g.d {
		k += i
		dst[k] -= c
		k++
	}
}

func (g *Gaussian) curv(v []float64) float64 {
	var s float64
	for i := range g.d {
		b := vmath.Dot(v[:i+1], g.w[i*g.d:i*g.d+i+1])
		s += b * b
	}
	return s
}
