package energy

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// TridiagonalGaussian is the energy of a Gaussian whose precision P is
// tridiagonal, a Markov chain along the coordinates. One evaluation costs O(d).
//
//	U(x) = y' P y / 2,   y = x - mean,
//	P_jj = diag_j,   P_{j,j+1} = P_{j+1,j} = off_j,
//	log Z = (d log(2 pi) - log det P) / 2.
type TridiagonalGaussian struct {
	mean, diag, off []float64
	// P = C C', C lower bidiagonal: its diagonal, and below it, 0 at the end.
	// With z = C'y, U = |z|^2/2 cannot be negative, nor NaN far out.
	cd, co []float64
	logZ   float64
}

var _ Normal = (*TridiagonalGaussian)(nil)

// NewTridiagonalGaussian returns the energy with the given mean and precision;
// off has one entry less than diag. It returns *ebmkit.ArgError if the lengths
// do not fit, an entry is not finite, or the precision is not positive definite.
func NewTridiagonalGaussian(mean, diag, off []float64) (*TridiagonalGaussian, error) {
	const fn = "energy.NewTridiagonalGaussian"
	if err := wantVector(fn, "mean", mean, -1, wantFinite); err != nil {
		return nil, err
	}
	d := len(mean)
	if err := wantVector(fn, "diag", diag, d, wantPositive); err != nil {
		return nil, err
	}
	if len(off) != d-1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(off)", Value: len(off), Want: fmt.Sprintf("%d", d-1)}
	}
	for i, v := range off {
		if err := wantFinite(fn, fmt.Sprintf("off[%d]", i), v); err != nil {
			return nil, err
		}
	}
	g := &TridiagonalGaussian{mean: slices.Clone(mean), diag: slices.Clone(diag), off: slices.Clone(off),
		cd: make([]float64, d), co: make([]float64, d), logZ: float64(d) * log2Pi / 2}
	for j := range d {
		s := diag[j]
		if j > 0 {
			g.co[j-1] = off[j-1] / g.cd[j-1]
			s -= g.co[j-1] * g.co[j-1]
		}
		if !(s > 8*eps*diag[j]) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("diag[%d]", j), Value: diag[j],
				Want: "a positive definite precision (pivot is not positive)"}
		}
		g.cd[j] = math.Sqrt(s)
		g.logZ -= vmath.Log(g.cd[j])
	}
	return g, nil
}

// NewAR1Gaussian returns the energy of dim consecutive values of a stationary
// autoregressive process with zero mean, unit variance and correlation
// rho^|i-j|. It returns *ebmkit.ArgError if dim < 1 or |rho| >= 1.
func NewAR1Gaussian(dim int, rho float64) (*TridiagonalGaussian, error) {
	const fn = "energy.NewAR1Gaussian"
	if err := wantDim(fn, dim, 1); err != nil {
		return nil, err
	}
	if !(math.Abs(rho) < 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "rho", Value: rho, Want: "strictly between -1 and 1"}
	}
	s := (1 - rho) * (1 + rho) // innovation variance
	diag := slices.Repeat([]float64{(1 + rho*rho) / s}, dim)
	diag[0], diag[dim-1] = 1/s, 1/s
	if dim == 1 {
		diag[0] = 1
	}
	return NewTridiagonalGaussian(make([]float64, dim), diag, slices.Repeat([]float64{-rho / s}, dim-1))
}

// Dim returns d.
func (g *TridiagonalGaussian) Dim() int { return len(g.mean) }

// String names the energy.
func (g *TridiagonalGaussian) String() string {
	return fmt.Sprintf("TridiagonalGaussian(d = %d)", len(g.mean))
}

// Energy returns (x - mean)' P (x - mean) / 2.
func (g *TridiagonalGaussian) Energy(x []float64) float64 {
	return g.one("TridiagonalGaussian.Energy", nil, x)
}

// EnergyGrad writes P (x - mean) into grad and returns U(x).
func (g *TridiagonalGaussian) EnergyGrad(grad, x []float64) float64 {
	return g.one("TridiagonalGaussian.EnergyGrad", grad, x)
}

func (g *TridiagonalGaussian) one(fn string, grad, x []float64) float64 {
	checkX(fn, len(g.mean), grad, x)
	var u [1]float64
	vmath.TridiagonalRows(u[:], grad, x, g.mean, g.cd, g.co)
	return u[0]
}

// NewEvaluator returns an evaluator of many rows.
func (g *TridiagonalGaussian) NewEvaluator() ebmkit.Evaluator { return tridiagonalEvaluator{g} }

type tridiagonalEvaluator struct{ g *TridiagonalGaussian }

func (e tridiagonalEvaluator) EnergyGrad(u, grad, xs []float64) {
	ebmkit.CheckRows("energy: TridiagonalGaussian.EnergyGrad", len(e.g.mean), u, grad, xs)
	vmath.TridiagonalRows(u, grad, xs, e.g.mean, e.g.cd, e.g.co)
}

// LogZ returns (d log(2 pi) - log det P) / 2.
func (g *TridiagonalGaussian) LogZ() float64 { return g.logZ }

// Sample writes a draw into dst.
func (g *TridiagonalGaussian) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("TridiagonalGaussian.Sample", len(g.mean), nil, dst)
	s.FillNormal(dst)
	for j := len(dst) - 1; j >= 0; j-- { // solve C' y = xi from the end
		if j+1 < len(dst) {
			dst[j] -= g.co[j] * dst[j+1]
		}
		dst[j] /= g.cd[j]
	}
	for j, m := range g.mean {
		dst[j] += m
	}
}

// Mean writes the mean into dst (allocated if nil) and returns it.
func (g *TridiagonalGaussian) Mean(dst []float64) []float64 {
	dst = into("TridiagonalGaussian.Mean", dst, len(g.mean))
	copy(dst, g.mean)
	return dst
}

// Cov writes the covariance, row-major, into dst (allocated if nil).
func (g *TridiagonalGaussian) Cov(dst []float64) []float64 {
	d := len(g.mean)
	dst = into("TridiagonalGaussian.Cov", dst, d*d)
	clear(dst)
	for i := range d { // row i solves C C' c = e_i
		c := dst[i*d : (i+1)*d]
		c[i] = 1
		for j := i; j < d; j++ {
			if j > 0 {
				c[j] -= g.co[j-1] * c[j-1]
			}
			c[j] /= g.cd[j]
		}
		for j := d - 1; j >= 0; j-- {
			if j+1 < d {
				c[j] -= g.co[j] * c[j+1]
			}
			c[j] /= g.cd[j]
		}
	}
	return dst
}

// Precision writes P, row-major, into dst (allocated if nil).
func (g *TridiagonalGaussian) Precision(dst []float64) []float64 {
	d := len(g.mean)
	dst = into("TridiagonalGaussian.Precision", dst, d*d)
	clear(dst)
	for j := range d {
		dst[j*d+j] = g.diag[j]
		if j+1 < d {
			dst[j*d+j+1], dst[(j+1)*d+j] = g.off[j], g.off[j]
		}
	}
	return dst
}

// Modes returns the mean.
func (g *TridiagonalGaussian) Modes() []float64 { return slices.Clone(g.mean) }
