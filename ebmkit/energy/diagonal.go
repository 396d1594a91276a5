package energy

import (
	"fmt"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// DiagonalGaussian is the energy of independent Gaussian coordinates,
//
//	U(x) = sum_j (x_j - mean_j)^2 / (2 sd_j^2),
//	log Z = sum_j log(sd_j sqrt(2 pi)).
//
// Its parameters are
//
//	theta = (mean_0 .. mean_{d-1}, log sd_0 .. log sd_{d-1}).
type DiagonalGaussian struct {
	mean, sd []float64
	prec     []float64 // 1/sd^2
	logZ     float64
}

var (
	_ Normal                 = (*DiagonalGaussian)(nil)
	_ Component              = (*DiagonalGaussian)(nil)
	_ ebmkit.ScoreParametric = (*DiagonalGaussian)(nil)
)

// NewDiagonalGaussian returns the energy of independent N(mean[j], sd[j]^2). It
// returns *ebmkit.ArgError if the lengths differ, a mean is not finite or a
// standard deviation not positive.
func NewDiagonalGaussian(mean, sd []float64) (*DiagonalGaussian, error) {
	return newDiagonal("energy.NewDiagonalGaussian", mean, sd)
}

// NewIsotropicGaussian returns the energy of N(mean, sd^2 I). It returns
// *ebmkit.ArgError as NewDiagonalGaussian does.
func NewIsotropicGaussian(mean []float64, sd float64) (*DiagonalGaussian, error) {
	const fn = "energy.NewIsotropicGaussian"
	if err := wantSD(fn, "sd", sd); err != nil {
		return nil, err
	}
	return newDiagonal(fn, mean, slices.Repeat([]float64{sd}, len(mean)))
}

// NewGaussian1D returns the energy of N(mean, sd^2) in one dimension. It
// returns *ebmkit.ArgError if mean is not finite or sd not positive.
func NewGaussian1D(mean, sd float64) (*DiagonalGaussian, error) {
	const fn = "energy.NewGaussian1D"
	if err := wantFinite(fn, "mean", mean); err != nil {
		return nil, err
	}
	if err := wantSD(fn, "sd", sd); err != nil {
		return nil, err
	}
	return newDiagonal(fn, []float64{mean}, []float64{sd})
}

func newDiagonal(fn string, mean, sd []float64) (*DiagonalGaussian, error) {
	if err := wantVector(fn, "mean", mean, -1, wantFinite); err != nil {
		return nil, err
	}
	if err := wantVector(fn, "sd", sd, len(mean), wantSD); err != nil {
		return nil, err
	}
	g := &DiagonalGaussian{mean: slices.Clone(mean), sd: slices.Clone(sd), prec: make([]float64, len(mean))}
	g.refresh()
	return g, nil
}

func (g *DiagonalGaussian) refresh() {
	g.logZ = 0
	for j, s := range g.sd {
		g.prec[j] = 1 / (s * s)
		g.logZ += log2Pi/2 + vmath.Log(s)
	}
}

func (g *DiagonalGaussian) clone() Component {
	return &DiagonalGaussian{mean: slices.Clone(g.mean), sd: slices.Clone(g.sd), prec: slices.Clone(g.prec), logZ: g.logZ}
}

// Dim returns d.
func (g *DiagonalGaussian) Dim() int { return len(g.mean) }

// String names the energy.
func (g *DiagonalGaussian) String() string {
	if len(g.mean) == 1 {
		return fmt.Sprintf("Gaussian(mean = %g, sd = %g)", g.mean[0], g.sd[0])
	}
	return fmt.Sprintf("DiagonalGaussian(d = %d)", len(g.mean))
}

// Energy returns sum_j (x_j - mean_j)^2 / (2 sd_j^2).
func (g *DiagonalGaussian) Energy(x []float64) float64 {
	return g.one("DiagonalGaussian.Energy", nil, x)
}

// EnergyGrad writes (x_j - mean_j)/sd_j^2 into grad and returns U(x).
func (g *DiagonalGaussian) EnergyGrad(grad, x []float64) float64 {
	return g.one("DiagonalGaussian.EnergyGrad", grad, x)
}

func (g *DiagonalGaussian) one(fn string, grad, x []float64) float64 {
	checkX(fn, len(g.mean), grad, x)
	var u [1]float64
	vmath.DiagonalRows(u[:], grad, x, g.mean, g.prec)
	return u[0]
}

// NewEvaluator returns an evaluator of many rows.
func (g *DiagonalGaussian) NewEvaluator() ebmkit.Evaluator { return diagonalEvaluator{g} }

type diagonalEvaluator struct{ g *DiagonalGaussian }

func (e diagonalEvaluator) EnergyGrad(u, grad, xs []float64) {
	ebmkit.CheckRows("energy: DiagonalGaussian.EnergyGrad", len(e.g.mean), u, grad, xs)
	vmath.DiagonalRows(u, grad, xs, e.g.mean, e.g.prec)
}

// LogZ returns sum_j log(sd_j sqrt(2 pi)).
func (g *DiagonalGaussian) LogZ() float64 { return g.logZ }

// Sample writes a draw into dst.
func (g *DiagonalGaussian) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("DiagonalGaussian.Sample", len(g.mean), nil, dst)
	s.FillNormal(dst)
	for j := range dst {
		dst[j] = g.mean[j] + g.sd[j]*dst[j]
	}
}

// Mean writes the mean into dst (allocated if nil) and returns it.
func (g *DiagonalGaussian) Mean(dst []float64) []float64 {
	dst = into("DiagonalGaussian.Mean", dst, len(g.mean))
	copy(dst, g.mean)
	return dst
}

// SD writes the standard deviations into dst (allocated if nil).
func (g *DiagonalGaussian) SD(dst []float64) []float64 {
	dst = into("DiagonalGaussian.SD", dst, len(g.sd))
	copy(dst, g.sd)
	return dst
}

// Cov writes the covariance, row-major, into dst (allocated if nil).
func (g *DiagonalGaussian) Cov(dst []float64) []float64 {
	return fillDiagonal(into("DiagonalGaussian.Cov", dst, len(g.sd)*len(g.sd)), g.sd, func(s float64) float64 { return s * s })
}

// Precision writes the inverse covariance, row-major, into dst (allocated if
// nil).
func (g *DiagonalGaussian) Precision(dst []float64) []float64 {
	return fillDiagonal(into("DiagonalGaussian.Precision", dst, len(g.sd)*len(g.sd)), g.prec, func(p float64) float64 { return p })
}

func fillDiagonal(dst, diag []float64, f func(float64) float64) []float64 {
	clear(dst)
	for j, v := range diag {
		dst[j*len(diag)+j] = f(v)
	}
	return dst
}

// Modes returns the mean.
func (g *DiagonalGaussian) Modes() []float64 { return slices.Clone(g.mean) }

// NumParams returns 2d.
func (g *DiagonalGaussian) NumParams() int { return 2 * len(g.mean) }

// Params copies theta into dst (allocated if nil).
func (g *DiagonalGaussian) Params(dst []float64) []float64 {
	dst = into("DiagonalGaussian.Params", dst, g.NumParams())
	k := copy(dst, g.mean)
	for j, s := range g.sd {
		dst[k+j] = vmath.Log(s)
	}
	return dst
}

// SetParams copies theta into the energy. It returns *ebmkit.ArgError if theta
// has the wrong length, is not finite, or a scale overflows.
func (g *DiagonalGaussian) SetParams(theta []float64) error {
	const fn = "energy.DiagonalGaussian.SetParams"
	if err := wantVector(fn, "theta", theta, g.NumParams(), wantFinite); err != nil {
		return err
	}
	d := len(g.mean)
	for k := d; k < 2*d; k++ {
		if err := wantScale(fn, k, theta[k]); err != nil {
			return err
		}
	}
	copy(g.mean, theta)
	for j := range d {
		g.sd[j] = vmath.Exp(theta[d+j])
	}
	g.refresh()
	return nil
}

// AddParamGrad accumulates sum_i w_i dU(x_i)/dtheta.
func (g *DiagonalGaussian) AddParamGrad(dst, w, xs []float64) {
	d := len(g.mean)
	n := checkParamGrad("energy: DiagonalGaussian.AddParamGrad", d, 2*d, dst, w, xs)
	for i := range n {
		wi := weight(w, i)
		for j, m := range g.mean {
			y := xs[i*d+j] - m
			p := wi * y * g.prec[j]
			dst[j] -= p
			dst[d+j] -= p * y
		}
	}
}

// AddScoreParamGrad accumulates sum_i d/dtheta [v_i . grad U(x_i)].
func (g *DiagonalGaussian) AddScoreParamGrad(dst, v, xs []float64) {
	d := len(g.mean)
	n := checkScoreGrad("energy: DiagonalGaussian.AddScoreParamGrad", d, 2*d, dst, v, xs)
	for i := range n {
		for j, m := range g.mean {
			p := v[i*d+j] * g.prec[j]
			dst[j] -= p
			dst[d+j] -= 2 * p * (xs[i*d+j] - m)
		}
	}
}

// AddCurvParamGrad accumulates sum_i d/dtheta [sum_j v_ij^2 / sd_j^2].
func (g *DiagonalGaussian) AddCurvParamGrad(dst, v, xs []float64) {
	d := len(g.mean)
	n := checkScoreGrad("energy: DiagonalGaussian.AddCurvParamGrad", d, 2*d, dst, v, xs)
	for i := range n {
		for j := range d {
			dst[d+j] -= 2 * v[i*d+j] * v[i*d+j] * g.prec[j]
		}
	}
}

func (g *DiagonalGaussian) addLogZGrad(dst []float64, c float64) {
	for j := range g.sd {
		dst[len(g.mean)+j] += c
	}
}

func (g *DiagonalGaussian) curv(v []float64) float64 {
	var s float64
	for j, p := range g.prec {
		s += p * v[j] * v[j]
	}
	return s
}
