package maxent_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/maxent"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// The means of a Gaussian, and the Gaussian back from two of them.
func TestMeansOf(t *testing.T) {
	law := must(energy.NewGaussian1D(1, 2))
	cs := must(maxent.MeansOf(law, quad.All(), x, x2, x4))
	for k, want := range []float64{1, 5, 1 + 6*4 + 3*16} {
		near(t, cs[k].String(), cs[k].Target, want, 1e-9*want)
	}
	s := must(maxent.OnDomain(1, quad.All(), cs[:2]...))
	near(t, "multiplier of x", s.Multipliers[0], 0.25, 1e-9)
	near(t, "multiplier of x^2", s.Multipliers[1], -0.125, 1e-9)
}

// A Gaussian law in a quadratic energy: closed forms.
func TestStateOf(t *testing.T) {
	u := must(energy.NewGaussian1D(0, 1)) // x^2/2
	s := must(maxent.StateOf(must(energy.NewGaussian1D(1, 2)), u, quad.All()))
	near(t, "entropy", s.Entropy, 0.5*math.Log(2*math.Pi*math.E*4), 1e-10)
	near(t, "mean energy", s.MeanEnergy, 2.5, 1e-10)
	near(t, "free energy", s.FreeEnergy(0.5), s.MeanEnergy-2*s.Entropy, 1e-14)
	near(t, "with the other sign", s.FreeEnergy(-0.5), s.MeanEnergy+2*s.Entropy, 1e-14)
}

// U = x^2/2 at every temperature, and the entropy without eq. (107).
func TestBoltzmann(t *testing.T) {
	u := must(energy.NewGaussian1D(0, 1))
	for _, beta := range []float64{0.1, 1, 30} {
		e := must(maxent.Boltzmann(u, beta, quad.All()))
		near(t, "log Z", e.LogZ, 0.5*math.Log(2*math.Pi/beta), 1e-10)
		near(t, "mean energy", e.MeanEnergy, 0.5/beta, 1e-10/beta)
		near(t, "entropy", e.Entropy, 0.5*math.Log(2*math.Pi*math.E/beta), 1e-10)
		near(t, "free energy", e.FreeEnergy(beta), -e.LogZ/beta, 1e-10)
	}
	// On a box: U = x at beta = -2, 0 and 2 on [0, 1].
	line := must(energy.NewFunc(1, func(x []float64) float64 { return x[0] }, nil))
	box := quad.Interval(0, 1)
	for _, beta := range []float64{-2, 2} {
		e := must(maxent.Boltzmann(line, beta, box))
		near(t, "log Z on a box", e.LogZ, math.Log((1-math.Exp(-beta))/beta), 1e-10)
		near(t, "mean energy on a box", e.MeanEnergy, 1/beta-1/math.Expm1(beta), 1e-10)
		own := must(maxent.StateOf(energy.Tempered{U: line, Beta: beta}, line, box))
		near(t, "entropy on a box", e.Entropy, own.Entropy, 1e-10)
	}
	flat := must(maxent.Boltzmann(line, 0, box))
	near(t, "entropy of the uniform density", flat.Entropy, 0, 1e-10)
	near(t, "mean energy of the uniform density", flat.MeanEnergy, 0.5, 1e-10)
	if _, err := maxent.Boltzmann(u, -1, quad.All()); err == nil {
		t.Error("exp(+x^2/2) has an integral")
	}
}

// Against the jackknife, which knows nothing of the linear part, and against
// the exact sqrt(2/d) of a chi-squared variable.
func TestFluctuation(t *testing.T) {
	const n, d = 400, 5
	s := ebmkit.NewStream(1, "fluctuation", 0)
	u, z := make([]float64, n), make([]float64, d)
	var sum, square float64
	for i := range u {
		s.FillNormal(z)
		for _, v := range z {
			u[i] += v * v / 2
		}
		sum += u[i]
		square += u[i] * u[i]
	}
	ratio := func(sum, square, n float64) float64 {
		return math.Sqrt((square-sum*sum/n)/n) / (sum / n)
	}
	var mean, spread float64
	without := make([]float64, n)
	for i, v := range u {
		without[i] = ratio(sum-v, square-v*v, n-1)
		mean += without[i] / n
	}
	for _, v := range without {
		spread += (v - mean) * (v - mean) * (n - 1) / n
	}
	got := maxent.Fluctuation(u)
	t.Logf("%v, exact %.4f; jackknife's error %.5f", got, math.Sqrt(2./d), math.Sqrt(spread))
	near(t, "ratio", got.Value, ratio(sum, square, n), 1e-12)
	// The two errors differ by terms of relative order 1/n, here with the
	// eighth moment of a skewed variable before it.
	near(t, "error", got.SE/math.Sqrt(spread), 1, 0.03)
	if math.Abs(got.Z(math.Sqrt(2./d))) > 4 {
		t.Errorf("%v, want %v", got, math.Sqrt(2./d))
	}
	for name, v := range map[string][]float64{"none": nil, "one": {1}, "mean 0": {-1, 1}} {
		if e := maxent.Fluctuation(v); !math.IsNaN(e.Value) || !math.IsInf(e.SE, 1) {
			t.Errorf("%s: %v", name, e)
		}
	}
	if e := maxent.Fluctuation([]float64{3, 3}); e != (ebmkit.Estimate{}) {
		t.Errorf("no spread: %v", e)
	}
}

func TestBadEquilibrium(t *testing.T) {
	g := must(energy.NewGaussian1D(0, 1))
	for name, err := range map[string]error{
		"f[1].F": second(maxent.MeansOf(g, quad.All(), x, energy.Statistic{})),
		"u":      second(maxent.StateOf(g, nil, quad.All())),
		"beta":   second(maxent.Boltzmann(g, math.NaN(), quad.All())),
	} {
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) || ae.Arg != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := second(maxent.Boltzmann(nil, 1, quad.All())); err == nil {
		t.Error("no energy, no error")
	}
}
