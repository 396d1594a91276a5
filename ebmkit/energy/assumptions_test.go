package energy_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// cauchy is U = log(1 + |x|^2): smooth, but x . grad U does not grow.
func cauchy() *energy.Func {
	return must(energy.NewFunc(1, func(x []float64) float64 { return math.Log1p(x[0] * x[0]) },
		func(g, x []float64) { g[0] = 2 * x[0] / (1 + x[0]*x[0]) }))
}

func sameCov() *energy.Mixture {
	cov := []float64{2, 1.2, 1.2, 1}
	return must(energy.NewMixture([]float64{1, 2}, []energy.Component{
		must(energy.NewGaussian([]float64{-3, 0}, cov)), must(energy.NewGaussian([]float64{3, 1}, cov))}))
}

func TestAssumption21(t *testing.T) {
	long(t)
	for _, c := range []struct {
		name              string
		e                 ebmkit.Energy
		lipschitz, dissip bool    // refuted
		power             float64 // of L(R), when refuted
	}{
		{"Gaussian", full2(), false, false, 0},
		{"Gaussian d=3", full3(), false, false, 0},
		{"AR1 d=20", must(energy.NewAR1Gaussian(20, 0.9)), false, false, 0},
		{"mixture eq. (8)", eq8(), false, false, 0},
		{"mixture, equal covariances", sameCov(), false, false, 0},
		{"ring", must(energy.NewRing(8, 4, 0.5)), false, false, 0},
		{"double well", must(energy.NewDoubleWell(1, 1)), true, false, 2},
		{"quartic d=2", must(energy.NewQuartic(2, 1)), true, false, 2},
		{"mixture, crossing covariances", crossing(), true, false, 2},
		{"Cauchy", cauchy(), false, true, 0},
		{"walls", must(energy.NewFunc(2, softBox, nil)), true, false, math.NaN()},
	} {
		g, err := energy.Search{Seed: 1}.Assumption21(c.e)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		t.Logf("%s\n    %v\n    %v", c.name, g.Lipschitz, g.Dissipative)
		if g.Lipschitz.Refuted != c.lipschitz || g.Dissipative.Refuted != c.dissip {
			t.Errorf("%s: refuted %v, %v; want %v, %v\nR %.4g\nL %.4g\nA %.4g", c.name,
				g.Lipschitz.Refuted, g.Dissipative.Refuted, c.lipschitz, c.dissip, g.R, g.L, g.A)
		}
		if c.power > 0 {
			n := len(g.L)
			if p := math.Log2(g.L[n-1] / g.L[n-2]); math.Abs(p-c.power) > 0.2 {
				t.Errorf("%s: L grows like R^%.2f, want R^%g: %.4g", c.name, p, c.power, g.L)
			}
		}
	}
}

// Measured constants against exact ones.
func TestLipschitzConstants(t *testing.T) {
	long(t)
	g := must(energy.Search{}.Assumption21(eq8()))
	near(t, "eq. (8): max |U''|", g.L[len(g.L)-1], 22.47, 0.005)
	near(t, "eq. (8): a(64)", g.A[len(g.A)-1], 1, 1e-9)
	// The largest eigenvalue of the precision of full2: covariance 2, 1.2, 1.2, 1.
	low := 1.5 - math.Sqrt(0.25+1.44)
	g = must(energy.Search{}.Assumption21(full2()))
	near(t, "Gaussian: largest eigenvalue", g.L[0], 1/low, 1e-6/low)
	g = must(energy.Search{}.Assumption21(must(energy.NewAR1Gaussian(20, 0.9))))
	if l := g.L[len(g.L)-1]; l > 19.0 || l < 18.5 { // (1+rho)/(1-rho) is the supremum over d
		t.Errorf("AR1: L = %v, want a little below 19", l)
	}
}

func TestConvexity(t *testing.T) {
	long(t)
	for _, c := range []struct {
		name    string
		e       ebmkit.Energy
		refuted bool
	}{
		{"Gaussian", full2(), false},
		{"Gaussian d=20", must(energy.NewAR1Gaussian(20, 0.9)), false},
		{"quartic", must(energy.NewQuartic(3, 1)), false},
		{"mixture eq. (8)", eq8(), true},
		{"ring", must(energy.NewRing(8, 4, 0.5)), true},
		{"double well", must(energy.NewDoubleWell(1, 1)), true},
		{"banana", must(energy.NewBanana(1, 1)), true},
		{"Cauchy", cauchy(), true},
		{"box", must(energy.NewFunc(2, softBox, nil)), false},
		{"close pair, unimodal and log-concave", must(energy.NewMixture1D([]float64{1, 1}, []float64{-0.9, 0.9}, []float64{1, 1})), false},
		{"pair just apart", must(energy.NewMixture1D([]float64{1, 1}, []float64{-1.1, 1.1}, []float64{1, 1})), true},
	} {
		v, err := energy.Search{Seed: 1}.Convex(c.e)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		t.Logf("%s: %v", c.name, v)
		if v.Refuted != c.refuted {
			t.Errorf("%s: %v; want refuted = %v", c.name, v, c.refuted)
		}
		if v.Refuted { // the witness must stand by itself
			m := make([]float64, c.e.Dim())
			for j := range m {
				m[j] = (v.Witness[0][j] + v.Witness[1][j]) / 2
			}
			if c.e.Energy(m) <= (c.e.Energy(v.Witness[0])+c.e.Energy(v.Witness[1]))/2 {
				t.Errorf("%s: the witness does not refute: %v", c.name, v)
			}
		}
	}
}

func TestSearchBadInput(t *testing.T) {
	for i, err := range []error{
		second(energy.Search{Radius: -1}.Assumption21(eq8())),
		second(energy.Search{Radius: math.NaN()}.Convex(eq8())),
		second(energy.Search{Trials: -1}.Convex(eq8())),
		second(energy.Search{}.Assumption21(onlyEnergy{})),
		second(energy.Search{}.Assumption21(nil)),
		second(energy.Search{}.LogConcave(must(energy.NewFunc(1, func(x []float64) float64 { return math.NaN() }, nil)))),
	} {
		if _, ok := err.(*ebmkit.ArgError); !ok {
			t.Errorf("case %d: %v", i, err)
		}
		t.Log(err)
	}
}

func second[T any](_ T, err error) error { return err }

func ExampleSearch() {
	gauss, _ := energy.NewGaussian1D(0, 1)
	well, _ := energy.NewDoubleWell(1, 1)
	for _, e := range []ebmkit.Energy{gauss, well} {
		v, _ := energy.Search{Radius: 8}.Convex(e)
		g, _ := energy.Search{Radius: 8}.Assumption21(e)
		fmt.Println(e)
		fmt.Println(" convex refuted:", v.Refuted)
		fmt.Println(" Lipschitz gradient refuted:", g.Lipschitz.Refuted)
		fmt.Println(" dissipativity refuted:", g.Dissipative.Refuted)
	}
	// Output:
	// Gaussian(mean = 0, sd = 1)
	//  convex refuted: false
	//  Lipschitz gradient refuted: false
	//  dissipativity refuted: false
	// DoubleWell(d = 1, a = 1, b = 1)
	//  convex refuted: true
	//  Lipschitz gradient refuted: true
	//  dissipativity refuted: false
}

// long skips what has nothing for the race detector to see.
func long(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
}
