package energy

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Funnel is Neal's funnel (2003): v = x_0 is N(0, sd^2), and given v the other
// coordinates are N(0, exp(v)),
//
//	U(x) = v^2/(2 sd^2) + (d-1) v/2 + exp(-v) sum_{j>0} x_j^2 / 2,
//	log Z = log(sd sqrt(2 pi)) + (d-1) log(2 pi)/2.
//
// No single step size suits both its neck and its mouth. Its non-centred form
// is a plain Gaussian: see NonCentered.
type Funnel struct {
	d  int
	sd float64
}

var (
	_ ebmkit.Differentiable = (*Funnel)(nil)
	_ ebmkit.Batched        = (*Funnel)(nil)
	_ ebmkit.Normalized     = (*Funnel)(nil)
	_ ebmkit.Sampler        = (*Funnel)(nil)
	_ ebmkit.Moments        = (*Funnel)(nil)
	_ ebmkit.Modes          = (*Funnel)(nil)
)

// NewFunnel returns the funnel in dim dimensions; Neal's has dim 10 and sd 3. It
// returns *ebmkit.ArgError if dim < 2 or sd is not positive.
func NewFunnel(dim int, sd float64) (*Funnel, error) {
	const fn = "energy.NewFunnel"
	if err := wantDim(fn, dim, 2); err != nil {
		return nil, err
	}
	if err := wantSD(fn, "sd", sd); err != nil {
		return nil, err
	}
	return &Funnel{dim, sd}, nil
}

// Dim returns d.
func (e *Funnel) Dim() int { return e.d }

// String names the energy.
func (e *Funnel) String() string { return fmt.Sprintf("Funnel(d = %d, sd = %g)", e.d, e.sd) }

// Energy returns U(x).
func (e *Funnel) Energy(x []float64) float64 {
	checkX("Funnel.Energy", e.d, nil, x)
	return e.row(nil, x)
}

// EnergyGrad writes dU/dx into grad and returns U(x).
func (e *Funnel) EnergyGrad(grad, x []float64) float64 {
	checkX("Funnel.EnergyGrad", e.d, grad, x)
	return e.row(grad, x)
}

func (e *Funnel) row(grad, x []float64) float64 {
	v, n := x[0], float64(e.d-1)
	prec := vmath.Exp(-v)
	var q float64
	for j, xj := range x[1:] {
		if xj == 0 { // prec may be +Inf deep in the neck
			if grad != nil {
				grad[j+1] = 0
			}
			continue
		}
		p := prec * xj
		q += p * xj
		if grad != nil {
			grad[j+1] = p
		}
	}
	pv := v / (e.sd * e.sd)
	if grad != nil {
		grad[0] = pv + n/2 - q/2
	}
	return v*pv/2 + n*v/2 + q/2
}

// NewEvaluator returns an evaluator of many rows.
func (e *Funnel) NewEvaluator() ebmkit.Evaluator {
	return rowEvaluator{"energy: Funnel.EnergyGrad", e.d, e.row}
}

// LogZ returns log(sd sqrt(2 pi)) + (d-1) log(2 pi)/2.
func (e *Funnel) LogZ() float64 { return vmath.Log(e.sd) + float64(e.d)*log2Pi/2 }

// Sample writes an exact draw into dst.
func (e *Funnel) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Funnel.Sample", e.d, nil, dst)
	s.FillNormal(dst)
	dst[0] *= e.sd
	e.Center(dst, dst)
}

// Center maps a point (v, z_1, ..) of the non-centred form to the funnel,
// (v, exp(v/2) z_1, ..), into dst. dst may be z. It panics on a wrong length.
func (e *Funnel) Center(dst, z []float64) {
	checkX("Funnel.Center", e.d, dst, z)
	w := vmath.Exp(z[0] / 2)
	dst[0] = z[0]
	for j := 1; j < e.d; j++ {
		dst[j] = w * z[j]
	}
}

// NonCentered returns the energy of (v, z_1, ..) with x_j = exp(v/2) z_j: an
// uncorrelated Gaussian, which every sampler masters. Center maps its samples to
// the funnel's.
func (e *Funnel) NonCentered() *DiagonalGaussian {
	sd := make([]float64, e.d)
	for j := range sd {
		sd[j] = 1
	}
	sd[0] = e.sd
	g, err := NewDiagonalGaussian(make([]float64, e.d), sd)
	if err != nil {
		panic("energy: Funnel.NonCentered: " + err.Error()) // sd was checked by NewFunnel
	}
	return g
}

// Mean writes zeros into dst (allocated if nil).
func (e *Funnel) Mean(dst []float64) []float64 {
	dst = into("Funnel.Mean", dst, e.d)
	clear(dst)
	return dst
}

// Cov writes the covariance into dst (row-major, allocated if nil): diagonal,
// sd^2 for v and exp(sd^2/2) for the others.
func (e *Funnel) Cov(dst []float64) []float64 {
	dst = into("Funnel.Cov", dst, e.d*e.d)
	clear(dst)
	dst[0] = e.sd * e.sd
	for j := 1; j < e.d; j++ {
		dst[j*e.d+j] = vmath.Exp(e.sd * e.sd / 2)
	}
	return dst
}

// Modes returns the only minimum, v = -sd^2 (d-1)/2 in the neck, far from where
// the mass is.
func (e *Funnel) Modes() []float64 {
	m := make([]float64, e.d)
	m[0] = -e.sd * e.sd * float64(e.d-1) / 2
	return m
}
