package divergence_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// Gaussians have a closed form. Two standard errors hold it in 95.4 % of the
// runs, up to the skewness of the terms, which at n = 2000 is far below the
// error of that share.
func TestFisherMonteCarloOfGaussians(t *testing.T) {
	p, err := energy.NewGaussian([]float64{0, 1}, []float64{1, 0.5, 0.5, 2})
	if err != nil {
		t.Fatal(err)
	}
	q, err := energy.NewIsotropicGaussian([]float64{0.5, 0}, 1.3)
	if err != nil {
		t.Fatal(err)
	}
	exact := divergence.FisherGaussian(p, q)
	one, err := divergence.FisherMonteCarlo(p, q, 50_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	swapped := divergence.FisherGaussian(q, p)
	t.Logf("%v: z = %.1f, to the divergence with p and q swapped %.1f", one, one.Z(exact), one.Z(swapped))
	if math.Abs(one.Z(exact)) > 4 || math.Abs(one.Z(swapped)) < 4 {
		t.Errorf("%v: z = %.1f, to the divergence with p and q swapped %.1f", one, one.Z(exact), one.Z(swapped))
	}
	runs, err := divergence.FisherMonteCarloRuns(p, q, 2000, 200, 7)
	if err != nil {
		t.Fatal(err)
	}
	if z := diagnose.Coverage(runs, exact, 2).Z(math.Erf(math.Sqrt2)); math.Abs(z) > 4 {
		t.Errorf("coverage of two standard errors: z = %.1f", z)
	}
	third, err := divergence.FisherMonteCarlo(p, q, 2000, 9)
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) != 200 || runs[2] != third {
		t.Errorf("%d runs, the third %v, want that of seed + 2, %v", len(runs), runs[2], third)
	}
}

func TestMedian(t *testing.T) {
	e := []ebmkit.Estimate{{Value: 5}, {Value: 1}, {Value: 100}, {Value: 2}}
	if m := divergence.Median(e); m != 3.5 {
		t.Errorf("median of four: %v", m)
	}
	if m := divergence.Median(e[:3]); m != 5 {
		t.Errorf("median of three: %v", m)
	}
	if m := divergence.Median(nil); !math.IsNaN(m) {
		t.Errorf("median of none: %v", m)
	}
	if e[0].Value != 5 {
		t.Error("the estimates were sorted in place")
	}
}

func TestFisherMonteCarloRefuses(t *testing.T) {
	p, _ := energy.NewGaussian1D(0, 1)
	two, _ := energy.NewIsotropicGaussian([]float64{0, 0}, 1)
	flat, _ := energy.NewFunc(1, func(x []float64) float64 { return 0 }, nil)
	for name, f := range map[string]func() (any, error){
		"different dimensions": func() (any, error) { return divergence.FisherMonteCarlo(p, two, 10, 1) },
		"one draw":             func() (any, error) { return divergence.FisherMonteCarlo(p, p, 1, 1) },
		"no sampler":           func() (any, error) { return divergence.FisherMonteCarlo(flat, p, 10, 1) },
		"no gradient":          func() (any, error) { return divergence.FisherMonteCarlo(p, noGradient{p}, 10, 1) },
		"no runs":              func() (any, error) { return divergence.FisherMonteCarloRuns(p, p, 10, 0, 1) },
		"runs of one draw":     func() (any, error) { return divergence.FisherMonteCarloRuns(p, p, 1, 3, 1) },
	} {
		var arg *ebmkit.ArgError
		if _, err := f(); !errors.As(err, &arg) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
