package divergence_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// The means of the terms are the closed forms for Gaussians; under the wrong
// law, draws of q, they are not.
func TestTermsAverageToTheDivergence(t *testing.T) {
	p, err := energy.NewGaussian([]float64{0, 1}, []float64{1, 0.5, 0.5, 2})
	if err != nil {
		t.Fatal(err)
	}
	q, err := energy.NewIsotropicGaussian([]float64{0.5, 0}, 1.3)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []struct {
		law   ebmkit.Energy
		right bool
	}{{p, true}, {q, false}} {
		x, err := ebmkit.Draw(from.law, 20_000, 1)
		if err != nil {
			t.Fatal(err)
		}
		kl, err := divergence.KLTerms(p, q, x)
		if err != nil {
			t.Fatal(err)
		}
		fisher, err := divergence.FisherTerms(p, q, x)
		if err != nil {
			t.Fatal(err)
		}
		zKL, zFisher := ebmkit.MeanOf(kl).Z(divergence.KLGaussian(p, q)), ebmkit.MeanOf(fisher).Z(divergence.FisherGaussian(p, q))
		t.Logf("draws of p %v: z = %.1f, %.1f", from.right, zKL, zFisher)
		if math.Abs(zKL) < 4 != from.right || math.Abs(zFisher) < 4 != from.right {
			t.Errorf("draws of p %v: z = %.1f, %.1f", from.right, zKL, zFisher)
		}
	}
}

func TestTermsRefuse(t *testing.T) {
	p, _ := energy.NewGaussian1D(0, 1)
	two, _ := energy.NewIsotropicGaussian([]float64{0, 0}, 1)
	flat, _ := energy.NewFunc(1, func(x []float64) float64 { return 0 }, nil)
	x := &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{0}}
	var arg *ebmkit.ArgError
	if _, err := divergence.KLTerms(p, two, x); !errors.As(err, &arg) {
		t.Errorf("different dimensions: %v", err)
	}
	if _, err := divergence.KLTerms(p, p, &ebmkit.Ensemble{N: 2, Dim: 1, X: []float64{0}}); !errors.As(err, &arg) {
		t.Errorf("a row is missing: %v", err)
	}
	if _, err := divergence.FisherTerms(p, p, nil); !errors.As(err, &arg) {
		t.Errorf("no points: %v", err)
	}
	if _, err := divergence.FisherTerms(p, noGradient{flat}, x); !errors.As(err, &arg) {
		t.Errorf("no gradient: %v", err)
	}
}

// noGradient hides the gradient of an energy.
type noGradient struct{ u ebmkit.Energy }

func (e noGradient) Dim() int                   { return e.u.Dim() }
func (e noGradient) Energy(x []float64) float64 { return e.u.Energy(x) }
