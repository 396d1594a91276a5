package divergence_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

func TestBoundedDivergencesByQuadrature(t *testing.T) {
	all := quad.All()
	for _, c := range [][4]float64{{0, 1, 1, 1}, {0, 1, 0, 2}, {-1, 0.5, 2, 3}, {0, 1, 1e-4, 1}, {3, 1, 3, 1}, {0, 1, 20, 1}} {
		p, q := must(energy.NewGaussian1D(c[0], c[1])), must(energy.NewGaussian1D(c[2], c[3]))
		h := must(divergence.Hellinger(p, q, all))
		near(t, "Hellinger", h.Value, divergence.HellingerGaussian(p, q), 1e-9)
		tv := must(divergence.TotalVariation(p, q, all))
		near(t, "TV", tv.Value, must(divergence.TotalVariationGaussian(p, q)), 1e-10)
		if hv := h.Value; hv*hv > tv.Value+1e-12 || tv.Value > math.Sqrt2*hv+1e-12 {
			t.Errorf("H = %v and TV = %v break H^2 <= TV <= sqrt(2) H", hv, tv.Value)
		}
	}
	// Tiny shifts keep their digits: H = delta/sqrt(8), TV = delta/sqrt(2 pi).
	p, q := must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(1e-7, 1))
	near(t, "H of a tiny shift", must(divergence.Hellinger(p, q, all)).Value*1e7, 1/math.Sqrt(8), 1e-9)
	near(t, "by hand", divergence.HellingerGaussian(must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(2, 1))),
		math.Sqrt(1-math.Exp(-0.5)), 1e-15)

	box := func(lo, hi float64) ebmkit.Energy {
		return must(energy.NewFunc(1, func(x []float64) float64 {
			if x[0] < lo || x[0] > hi {
				return math.Inf(1)
			}
			return 0
		}, nil))
	}
	dom := quad.Interval(-3, 3, -1, 0, 1)
	near(t, "TV of disjoint", must(divergence.TotalVariation(box(0, 1), box(-1, 0), dom)).Value, 1, 1e-9)
	near(t, "H of disjoint", must(divergence.Hellinger(box(0, 1), box(-1, 0), dom)).Value, 1, 1e-9)
	near(t, "TV(U[0,1], U[-1,1])", must(divergence.TotalVariation(box(0, 1), box(-1, 1), dom)).Value, 0.5, 1e-9)
	near(t, "H(U[0,1], U[-1,1])", must(divergence.Hellinger(box(0, 1), box(-1, 1), dom)).Value, math.Sqrt(1-math.Sqrt(0.5)), 1e-9)
}

func TestBoundedDivergencesInThePlane(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	all := quad.All()
	p := must(energy.NewGaussian([]float64{0, 1}, []float64{2, 0.5, 0.5, 1}))
	q := must(energy.NewGaussian([]float64{1, 0}, []float64{1, -0.3, -0.3, 1}))
	same := must(energy.NewGaussian([]float64{1, 0}, []float64{2, 0.5, 0.5, 1}))
	near(t, "Hellinger", must(divergence.Hellinger(p, q, all)).Value, divergence.HellingerGaussian(p, q), 1e-9)
	near(t, "TV", must(divergence.TotalVariation(p, same, all)).Value, must(divergence.TotalVariationGaussian(p, same)), 1e-8)
}

func TestW2Gaussian(t *testing.T) {
	a, b := must(energy.NewGaussian1D(1, 2)), must(energy.NewGaussian1D(-1, 3))
	near(t, "on the line", divergence.W2Gaussian(a, b), math.Sqrt(5), 1e-15)
	// Covariances that commute: |sqrt C - sqrt D|.
	p := must(energy.NewGaussian([]float64{0, 0}, []float64{4, 0, 0, 1}))
	q := must(energy.NewGaussian([]float64{3, 4}, []float64{1, 0, 0, 9}))
	near(t, "commuting", divergence.W2Gaussian(p, q), math.Sqrt(25+1+4), 1e-14)
	// A Gaussian pushed forward by the gradient of a convex function x -> A x:
	// the map is optimal, so W2^2 = tr((A - 1) C (A - 1)).
	c := []float64{2, 0.5, 0.3, 0.5, 1, -0.2, 0.3, -0.2, 1.5}
	m := []float64{1.2, 0.3, -0.1, 0.3, 0.7, 0.2, -0.1, 0.2, 2}
	d := make([]float64, 9)
	var want float64
	at := func(i, j int) float64 {
		if i == j {
			return m[i*3+j] - 1
		}
		return m[i*3+j]
	}
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				want += at(i, j) * c[j*3+k] * at(k, i)
				for l := range 3 {
					d[i*3+l] += m[i*3+j] * c[j*3+k] * m[l*3+k]
				}
			}
		}
	}
	for i := range 3 {
		for j := range i {
			d[i*3+j] = d[j*3+i]
		}
	}
	zero := make([]float64, 3)
	x, y := must(energy.NewGaussian(zero, c)), must(energy.NewGaussian(zero, d))
	near(t, "linear map", divergence.W2Gaussian(x, y), math.Sqrt(want), 1e-14)
	near(t, "symmetry", divergence.W2Gaussian(y, x), math.Sqrt(want), 1e-14)
	near(t, "to itself", divergence.W2Gaussian(x, x), 0, 1e-14)
}

func TestMonteCarloAgreesWithQuadrature(t *testing.T) {
	p, q := eq8(), must(energy.NewGaussian1D(1.5, math.Sqrt(6.025)))
	all := quad.All()
	const n = 40000
	for _, c := range []struct {
		name  string
		est   ebmkit.Estimate
		exact float64
	}{
		{"cross-entropy", must(divergence.CrossEntropyMonteCarlo(p, q, n, 1)), must(divergence.CrossEntropy(p, q, all)).Value},
		{"entropy", must(divergence.EntropyMonteCarlo(p, n, 1)), 1.8204954},
		{"JS", must(divergence.JensenShannonMonteCarlo(p, q, n, 1)), must(divergence.JensenShannon(p, q, all)).Value},
		{"TV", must(divergence.TotalVariationMonteCarlo(p, q, n, 1)), must(divergence.TotalVariation(p, q, all)).Value},
		{"Hellinger", must(divergence.HellingerMonteCarlo(p, q, n, 1)), must(divergence.Hellinger(p, q, all)).Value},
	} {
		z := c.est.Z(c.exact)
		t.Logf("%-14s %v, exact %.6f, z = %.2f", c.name, c.est, c.exact, z)
		if !(math.Abs(z) < 4) {
			t.Errorf("%s: %v, exact %v", c.name, c.est, c.exact)
		}
		// Negative control: an error of 4 % must be seen.
		if math.Abs(c.est.Z(1.04*c.exact)) < 4 {
			t.Errorf("%s: %v would also pass for %v", c.name, c.est, 1.04*c.exact)
		}
	}
}

// The draws of p and q must be independent, or the errors of the two halves do
// not add: with common noise the z-scores of repetitions are too broad.
func TestMonteCarloErrorsAreCalibrated(t *testing.T) {
	p, q := must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(1, 1))
	exact := must(divergence.TotalVariationGaussian(p, q))
	const reps = 400
	var z2 float64
	for r := range reps {
		z := must(divergence.TotalVariationMonteCarlo(p, q, 400, uint64(r))).Z(exact)
		z2 += z * z
	}
	// Mean of a chi-square of one degree: 1 +- sqrt(2/reps).
	d := (z2/reps - 1) / math.Sqrt(2.0/reps)
	t.Logf("mean z^2 = %.3f, %.2f standard errors from 1", z2/reps, d)
	if math.Abs(d) > 4 {
		t.Errorf("mean z^2 = %v", z2/reps)
	}
}

func TestBoundedBadInput(t *testing.T) {
	a, b := must(energy.NewGaussian1D(0, 1)), must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	c := must(energy.NewIsotropicGaussian([]float64{0, 0}, 2))
	_, e1 := divergence.Hellinger(a, b, quad.All())
	_, e2 := divergence.TotalVariationMonteCarlo(a, a, 1, 0)
	_, e3 := divergence.TotalVariationGaussian(b, c)
	_, e4 := divergence.CrossEntropyMonteCarlo(a, b, 10, 0)
	for i, err := range []error{e1, e2, e3, e4} {
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}
