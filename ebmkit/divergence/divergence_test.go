package divergence_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// eq8 is the mixture of review Figure 1.
func eq8() *energy.Mixture {
	return must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5}))
}

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	t.Logf("%-34s %.15g  want %.15g  difference %.1e", name, got, want, got-want)
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.15g, want %.15g within %g", name, got, want, tol)
	}
}

func TestGaussianClosedFormsAgreeWithQuadrature(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	all := quad.All()
	for _, c := range []struct{ p, q energy.Normal }{
		{must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(0, 2))},
		{must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(3, 0.5))},
		{must(energy.NewGaussian([]float64{0, 1}, []float64{2, 0.5, 0.5, 1})), must(energy.NewDiagonalGaussian([]float64{1, 1}, []float64{1, 2}))},
		{must(energy.NewTridiagonalGaussian([]float64{1, 0}, []float64{2, 1}, []float64{-0.7})), must(energy.NewAR1Gaussian(2, 0.5))},
	} {
		near(t, "KL", must(divergence.KL(c.p, c.q, all)).Value, divergence.KLGaussian(c.p, c.q), 1e-9)
		near(t, "KL reversed", must(divergence.KL(c.q, c.p, all)).Value, divergence.KLGaussian(c.q, c.p), 1e-9)
		near(t, "Fisher", must(divergence.Fisher(c.p, c.q, all)).Value, divergence.FisherGaussian(c.p, c.q), 1e-9)
		near(t, "entropy", must(divergence.Entropy(c.p, all)).Value, divergence.EntropyGaussian(c.p), 1e-9)
	}
	// By hand: log(s2/s1) + (s1^2 + dm^2)/(2 s2^2) - 1/2.
	p, q := must(energy.NewGaussian1D(1, 2)), must(energy.NewGaussian1D(-1, 3))
	near(t, "KL by hand", divergence.KLGaussian(p, q), math.Log(1.5)+8./18-0.5, 1e-15)
	near(t, "entropy by hand", divergence.EntropyGaussian(p), 0.5*math.Log(2*math.Pi*math.E*4), 1e-15)
	near(t, "Fisher by hand", divergence.FisherGaussian(p, q), (0.25-1./9)*(0.25-1./9)*4+4./81, 1e-15)
}

// Identities of eq. (13), in the right order of arguments, and of eq. (14).
func TestIdentities(t *testing.T) {
	all := quad.All()
	p, q := eq8(), must(energy.NewGaussian1D(1.5, math.Sqrt(6.025)))
	hpq := must(divergence.CrossEntropy(p, q, all)).Value
	hp := must(divergence.Entropy(p, all)).Value
	hq := must(divergence.Entropy(q, all)).Value
	kl := must(divergence.KL(p, q, all)).Value
	near(t, "eq. (13): H(p,q) = H(p) + KL(p,q)", hpq, hp+kl, 1e-10)
	printed := hq + must(divergence.KL(q, p, all)).Value
	if math.Abs(hpq-printed) < 0.1 {
		t.Errorf("eq. (13) as printed closes too: %v, %v: the test has no power", hpq, printed)
	}
	near(t, "entropy of Figure 1", hp, 1.8204954, 5e-8)

	// eq. (14) with unnormalised weights: log Z matters.
	un := must(energy.NewMixture1D([]float64{3, 4}, []float64{-1, 2}, []float64{1, 2}))
	pd := must(quad.NewDensity(p, all))
	eu := must(pd.ExpectOne(un.Energy)).Value
	near(t, "eq. (14)", must(divergence.CrossEntropy(p, un, all)).Value, must(quad.LogZ(un, all)).Value+eu, 1e-10)
	near(t, "KL(p, p)", must(divergence.KL(p, p, all)).Value, 0, 1e-14)
}

// Means -5 and +5, eq. (52): closed forms and values of the paper map.
func TestSeparatedModes(t *testing.T) {
	mix := func(z float64) *energy.Mixture {
		w := 1 / (1 + math.Exp(-z))
		return must(energy.NewMixture1D([]float64{1 - w, w}, []float64{-5, 5}, []float64{1, 1}))
	}
	for _, c := range []struct{ z, fisher, klGap float64 }{
		{1, 2.94583e-6, -1.1e-7}, {5, 1.107745e-4, -4.3e-6}, {10, 1.217309e-3, -4.8e-5},
	} {
		p, q := mix(0), mix(c.z)
		kl := must(divergence.KL(p, q, quad.All()))
		near(t, "KL - log cosh(z/2)", kl.Value-math.Log(math.Cosh(c.z/2)), c.klGap, 0.06*math.Abs(c.klGap))
		f := must(divergence.Fisher(p, q, quad.All()))
		near(t, "Fisher", f.Value, c.fisher, 2e-6*c.fisher+5e-12)
	}
}

func TestDisjointSupports(t *testing.T) {
	box := func(lo, hi float64) ebmkit.Energy {
		return must(energy.NewFunc(1, func(x []float64) float64 {
			if x[0] < lo || x[0] > hi {
				return math.Inf(1)
			}
			return 0
		}, func(g, x []float64) { g[0] = 0 }))
	}
	dom := quad.Interval(-3, 3, 0, 1)
	r, err := divergence.KL(box(0, 1), box(-1, 0), dom)
	if err != nil || !math.IsInf(r.Value, 1) {
		t.Errorf("disjoint: %v, %v; want +Inf", r, err)
	}
	r, err = divergence.KL(must(energy.NewGaussian1D(0, 1)), box(-1, 1), quad.Interval(-3, 3, -1, 1))
	if err != nil || !math.IsInf(r.Value, 1) {
		t.Errorf("q narrower: %v, %v; want +Inf", r, err)
	}
	r, err = divergence.KL(box(0, 1), box(-1, 1), quad.Interval(-3, 3, -1, 0, 1))
	if err != nil {
		t.Error(err)
	}
	near(t, "KL(U[0,1], U[-1,1])", r.Value, math.Ln2, 1e-9)
	js, err := divergence.JensenShannon(box(0, 1), box(-1, 0), quad.Interval(-3, 3, -1, 0, 1))
	if err != nil {
		t.Error(err)
	}
	near(t, "JS of disjoint", js.Value, math.Ln2, 1e-9)
}

func TestMonteCarlo(t *testing.T) {
	p, q := eq8(), must(energy.NewGaussian1D(1.5, math.Sqrt(6.025)))
	exact := must(divergence.KL(p, q, quad.All())).Value
	est := must(divergence.KLMonteCarlo(p, q, 40000, 1))
	t.Logf("KL %v, exact %.6f, z = %.2f", est, exact, est.Z(exact))
	if math.Abs(est.Z(exact)) > 4 {
		t.Errorf("KL %v, exact %v", est, exact)
	}
	// Negative control: the other direction must be rejected.
	if wrong := must(divergence.KL(q, p, quad.All())).Value; math.Abs(est.Z(wrong)) < 4 {
		t.Errorf("KL(q, p) = %v is not told from KL(p, q) = %v", wrong, est)
	}
}

func TestBadInput(t *testing.T) {
	a, b := must(energy.NewGaussian1D(0, 1)), must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	_, e1 := divergence.KL(a, b, quad.All())
	_, e2 := divergence.Fisher(a, b, quad.All())
	_, e3 := divergence.KLMonteCarlo(a, a, 1, 0)
	for i, err := range []error{e1, e2, e3} {
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func ExampleKL() {
	p, _ := energy.NewGaussian1D(0, 1)
	q, _ := energy.NewGaussian1D(1, 2)
	pq, _ := divergence.KL(p, q, quad.All())
	qp, _ := divergence.KL(q, p, quad.All())
	fmt.Printf("KL(p, q) = %.6f, closed form %.6f\n", pq.Value, divergence.KLGaussian(p, q))
	fmt.Printf("KL(q, p) = %.6f\n", qp.Value)
	// Output:
	// KL(p, q) = 0.443147, closed form 0.443147
	// KL(q, p) = 1.306853
}

func ExampleFisher() {
	// Two modes far apart: the Fisher divergence hardly sees their masses.
	p, _ := energy.NewMixture1D([]float64{0.5, 0.5}, []float64{-5, 5}, []float64{1, 1})
	q, _ := energy.NewMixture1D([]float64{0.01, 0.99}, []float64{-5, 5}, []float64{1, 1})
	kl, _ := divergence.KL(p, q, quad.All())
	f, _ := divergence.Fisher(p, q, quad.All())
	fmt.Printf("KL %.4f, Fisher %.6f\n", kl.Value, f.Value)
	// Output: KL 1.6145, Fisher 0.000088
}
