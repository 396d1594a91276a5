package energy_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	t.Logf("%-36s %.15g  want %.15g  difference %.1e", name, got, want, got-want)
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.15g, want %.15g within %g", name, got, want, tol)
	}
}

// Figure 1 of the review: the numbers were computed apart from this code.
func TestFigure1(t *testing.T) {
	m := eq8()
	near(t, "mean", m.Mean(nil)[0], 1.5, 1e-14)
	near(t, "variance", m.Cov(nil)[0], 6.025, 1e-14)
	near(t, "log Z", m.LogZ(), 0, 1e-15)
	near(t, "U(0)", m.Energy([]float64{0}), 1.27561, 5e-6)
	near(t, "U(5)", m.Energy([]float64{5}), 1.42976, 5e-6)
	modes := m.Modes()
	if len(modes) != 2 {
		t.Fatalf("modes %v, want two", modes)
	}
	near(t, "first mode", modes[0], 0, 1e-4)
	near(t, "second mode", modes[1], 5, 1e-4)
	// The barrier: U' changes sign between the modes.
	lo, hi := 1.0, 4.5
	g := make([]float64, 1)
	for range 60 {
		mid := (lo + hi) / 2
		if m.EnergyGrad(g, []float64{mid}); g[0] > 0 {
			lo = mid
		} else {
			hi = mid
		}
	}
	near(t, "barrier x", lo, 3.2747, 5e-5)
	near(t, "barrier U", m.Energy([]float64{lo}), 6.24917, 5e-6)
	// The printed form, U = +log[p exp(-x^2) + ...], is another function.
	printed := math.Log(0.7 + 0.3*math.Exp(-25/0.25))
	if math.Abs(printed-m.Energy([]float64{0})) < 1 {
		t.Error("the printed form of eq. (8) should not agree")
	}
}

// Full, diagonal and tridiagonal storage of one Gaussian agree, and log Z with
// the determinant of a matrix whose determinant is known.
func TestGaussianStorages(t *testing.T) {
	tri := must(energy.NewAR1Gaussian(7, 0.8))
	cov := make([]float64, 49)
	for i := range 7 {
		for j := range 7 {
			cov[i*7+j] = math.Pow(0.8, math.Abs(float64(i-j)))
		}
	}
	full := must(energy.NewGaussian(make([]float64, 7), cov))
	prec := must(energy.NewGaussianPrecision(make([]float64, 7), tri.Precision(nil)))
	for _, g := range []energy.Normal{tri, full, prec} {
		near(t, "log Z", g.LogZ(), 7./2*math.Log(2*math.Pi)+3*math.Log(1-0.64), 1e-12)
		for i, c := range g.Cov(nil) {
			if math.Abs(c-cov[i]) > 1e-13 {
				t.Errorf("%T: cov[%d] = %v, want %v", g, i, c, cov[i])
			}
		}
		x := []float64{1, -2, 0.3, 4, 0, -1, 2}
		near(t, "U", g.Energy(x), full.Energy(x), 1e-11)
	}
	d := must(energy.NewDiagonalGaussian([]float64{1, 2}, []float64{0.5, 3}))
	f := must(energy.NewGaussian([]float64{1, 2}, []float64{0.25, 0, 0, 9}))
	near(t, "diagonal U", d.Energy([]float64{3, 3}), f.Energy([]float64{3, 3}), 1e-14)
	near(t, "diagonal log Z", d.LogZ(), f.LogZ(), 1e-14)
}

// The double well's closed form on both sides of where its series changes, and
// over 20 decades of barrier.
func TestDoubleWellLogZ(t *testing.T) {
	for _, c := range []struct{ a, b float64 }{{1e-8, 0.1}, {0.5, 0.5}, {1, 1}, {39.9, 1}, {40.1, 1}, {3, 3}, {1e4, 2}} {
		w := must(energy.NewDoubleWell(c.a, c.b))
		r := must(quad.LogZ(w, quad.All()))
		near(t, fmt.Sprintf("a b^4 = %g", w.Barrier()), w.LogZ(), r.Value, r.Err+1e-13)
		if r.Err > 1e-10 {
			t.Errorf("quadrature is too coarse: %v", r)
		}
	}
}

func TestMuellerBrownMinima(t *testing.T) {
	m := energy.MuellerBrown{}.Modes()
	// The literature's values, to the digits usually printed.
	for i, want := range [][3]float64{{-0.558, 1.442, -146.70}, {0.623, 0.028, -108.17}, {-0.050, 0.467, -80.77}} {
		near(t, "x", m[2*i], want[0], 6e-4)
		near(t, "y", m[2*i+1], want[1], 6e-4)
		near(t, "U", energy.MuellerBrown{}.Energy(m[2*i:2*i+2]), want[2], 6e-3)
	}
	g := make([]float64, 2)
	energy.MuellerBrown{}.EnergyGrad(g, m[:2])
	near(t, "gradient at the minimum", math.Hypot(g[0], g[1]), 0, 1e-10)
}

func TestFunnelForms(t *testing.T) {
	f := must(energy.NewFunnel(3, 2))
	n := f.NonCentered()
	z := []float64{1.2, -0.5, 2}
	x := make([]float64, 3)
	f.Center(x, z)
	// U(x) = U'(z) + log|det dx/dz|, and |det| = exp((d-1) v/2).
	near(t, "centred", f.Energy(x), n.Energy(z)+1.2, 1e-14)
	near(t, "log Z", f.LogZ(), n.LogZ(), 1e-14)
	deep := f.Energy([]float64{-800, 0, 0})
	if math.IsNaN(deep) {
		t.Error("NaN deep in the neck")
	}
}

// Far out and at the edge of float64 there is +Inf, never NaN.
func TestFarAway(t *testing.T) {
	for _, r := range zoo() {
		for _, big := range []float64{1e6, 1e100, 1e200, -1e300} {
			x := make([]float64, r.e.Dim())
			for j := range x {
				x[j] = big
			}
			if r.name == "Func numerical" || r.name == "ExponentialFamily" || r.name == "ExponentialFamily numerical curvature" {
				continue // polynomials of either sign: Inf - Inf is theirs
			}
			if u := r.e.Energy(x); math.IsNaN(u) {
				t.Errorf("%s: U(%g ..) is NaN", r.name, big)
			}
		}
		x := make([]float64, r.e.Dim())
		x[0] = math.NaN()
		if u := r.e.Energy(x); !math.IsNaN(u) && r.name != "Func with walls" && r.name != "Nested" {
			t.Errorf("%s: U(NaN) = %v: a NaN was repaired", r.name, u)
		}
	}
}

func TestBadInput(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	fail := func(_ any, err error) error { return err }
	g1 := must(energy.NewGaussian1D(0, 1))
	g2 := must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	for _, c := range []struct {
		err  error
		want string
	}{
		{fail(energy.NewGaussian([]float64{0, 0}, []float64{1, 0, 0})), "len(cov) = 3, want 4"},
		{fail(energy.NewGaussian([]float64{0, 0}, []float64{1, 0.5, 0.4, 1})), "cov[0][1] = 0.5, want 0.4"},
		{fail(energy.NewGaussian([]float64{0, 0}, []float64{1, nan, nan, 1})), "cov[0][1] = NaN"},
		{fail(energy.NewGaussian([]float64{0, 0}, []float64{1, 1, 1, 1})), "cov[1][1] = 1, want a positive definite"},
		{fail(energy.NewGaussian([]float64{0, 0}, []float64{1, 2, 2, 1})), "positive definite"},
		{fail(energy.NewGaussian(nil, nil)), "len(mean) = 0"},
		{fail(energy.NewGaussian([]float64{inf}, []float64{1})), "mean[0] = +Inf"},
		{fail(energy.NewGaussianPrecision([]float64{0, 0}, []float64{1, 1, 1, 1})), "prec[1][1]"},
		{fail(energy.NewDiagonalGaussian([]float64{0, 0}, []float64{1, 0})), "sd[1] = 0, want a positive"},
		{fail(energy.NewDiagonalGaussian([]float64{0, 0}, []float64{1})), "len(sd) = 1, want 2"},
		{fail(energy.NewGaussian([]float64{0}, []float64{1e-320})), "inverse overflows"},
		{fail(energy.NewGaussian1D(0, 1e-200)), "sd = 1e-200, want between"},
		{fail(energy.NewDoubleWell(1e100, 1e100)), "a b^4 = +Inf"},
		{fail(energy.NewGaussian1D(nan, 1)), "mean = NaN"},
		{fail(energy.NewGaussian1D(0, -1)), "sd = -1"},
		{fail(energy.NewIsotropicGaussian(nil, 1)), "len(mean) = 0"},
		{fail(energy.NewTridiagonalGaussian([]float64{0, 0}, []float64{1, 1}, []float64{2})), "diag[1] = 1"},
		{fail(energy.NewTridiagonalGaussian([]float64{0, 0}, []float64{1, 1}, nil)), "len(off) = 0, want 1"},
		{fail(energy.NewAR1Gaussian(3, 1)), "rho = 1"},
		{fail(energy.NewMixture1D([]float64{1, -1}, []float64{0, 1}, []float64{1, 1})), "weights[1] = -1"},
		{fail(energy.NewMixture1D([]float64{0, 0}, []float64{0, 1}, []float64{1, 1})), "weights = [0 0], want at least one positive"},
		{fail(energy.NewMixture1D([]float64{1, nan}, []float64{0, 1}, []float64{1, 1})), "weights[1] = NaN"},
		{fail(energy.NewMixture1D([]float64{1, 1}, []float64{0}, []float64{1, 1})), "len(means) = 1, want 2"},
		{fail(energy.NewMixture1D([]float64{1, 1}, []float64{0, 1}, []float64{1, 0})), "sds[1] = 0"},
		{fail(energy.NewMixture1D(nil, nil, nil)), "= 0, want at least 1"},
		{fail(energy.NewMixture([]float64{1, 1}, []energy.Component{g1, g2})), "comps[1].Dim() = 2, want 1"},
		{fail(energy.NewMixture([]float64{1, 1}, []energy.Component{g1, nil})), "comps[1]"},
		{fail(energy.NewRing(0, 1, 1)), "k = 0"},
		{fail(energy.NewRing(8, -1, 1)), "radius = -1"},
		{fail(energy.NewRing(8, 4, nan)), "sd = NaN"},
		{fail(energy.NewDoubleWell(0, 1)), "a = 0"},
		{fail(energy.NewDoubleWellND(0, 1, 1, 1)), "dim = 0"},
		{fail(energy.NewDoubleWellND(2, 1, 1, -1)), "k = -1"},
		{fail(energy.NewQuartic(1, nan)), "a = NaN"},
		{fail(energy.NewBanana(1, inf)), "bend = +Inf"},
		{fail(energy.NewRosenbrock(1, 0, 1)), "a = 0"},
		{fail(energy.NewFunnel(1, 3)), "dim = 1, want at least 2"},
		{fail(energy.NewFunc(1, nil, nil)), "f = <nil>"},
		{fail(energy.NewExponentialFamily(1, []float64{1}, energy.Power(0, 1), energy.Power(0, 2))), "len(theta) = 1, want 2"},
		{fail(energy.NewExponentialFamily(1, []float64{1}, energy.Statistic{})), "stats[0]"},
		{fail(energy.NewTempered(g1, -1)), "beta = -1"},
		{fail(energy.NewSum(g1, g2)), "terms[1].Dim() = 2"},
		{fail(energy.NewSum()), "len(terms) = 0"},
		{fail(energy.NewInterpolate(g1, g1, 1.5)), "t = 1.5"},
		{eq8().SetParams([]float64{0, 0, 0, 0, nan, 0}), "component 1, theta[0] = NaN"},
		{eq8().SetParams([]float64{math.Inf(-1), math.Inf(-1), 0, 0, 0, 0}), "at least one finite log-weight"},
		{g1.SetParams([]float64{0, 1000}), "theta[1] = 1000"},
	} {
		var ae *ebmkit.ArgError
		if !errors.As(c.err, &ae) || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got %v, want an *ebmkit.ArgError with %q", c.err, c.want)
		}
	}
}

// Energies keep no reference to what they were given, nor give one away.
func TestNoAliasing(t *testing.T) {
	mean, sd := []float64{1, 2}, []float64{1, 1}
	g := must(energy.NewDiagonalGaussian(mean, sd))
	m := must(energy.NewMixture([]float64{1}, []energy.Component{g}))
	x := []float64{0, 0}
	u := m.Energy(x)
	mean[0], sd[0] = 100, 100
	g.SetParams([]float64{5, 5, 0, 0})
	m.Component(0).SetParams([]float64{7, 7, 0, 0})
	m.Modes()[0] = 1e9
	if m.Energy(x) != u {
		t.Error("the mixture changed with its arguments")
	}
	ev := m.NewEvaluator()
	theta := m.Params(nil)
	theta[1] = -3
	if err := m.SetParams(theta); err != nil {
		t.Fatal(err)
	}
	got := make([]float64, 1)
	ev.EnergyGrad(got, nil, x)
	if got[0] != m.Energy(x) || got[0] == u {
		t.Error("an evaluator must read the current parameters")
	}
}

func TestGradientOfWrappers(t *testing.T) {
	plain := onlyEnergy{}
	w := must(energy.NewTempered(must(energy.NewSum(full2(), plain)), 2))
	if _, err := ebmkit.Gradient("t", "e", w); err == nil || !strings.Contains(err.Error(), "onlyEnergy") {
		t.Errorf("a wrapped energy without a gradient: %v", err)
	}
	f := must(energy.NewFunc(2, plain.Energy, nil))
	if !f.NumericalGradient() || !strings.Contains(f.String(), "central differences") {
		t.Errorf("%v does not say that its gradient is numerical", f)
	}
	// A forbidden region stays forbidden at Beta = 0 and inside a path.
	wall := must(energy.NewFunc(1, func(x []float64) float64 {
		if x[0] < 0 {
			return math.Inf(1)
		}
		return 0
	}, nil))
	g := must(energy.NewGaussian1D(0, 1))
	x := []float64{-1}
	if u := must(energy.NewTempered(wall, 0)).Energy(x); !math.IsInf(u, 1) {
		t.Errorf("Beta = 0: %v", u)
	}
	if u := must(energy.NewInterpolate(g, wall, 0)).Energy(x); u != 0.5 {
		t.Errorf("T = 0: %v, want U0 alone", u)
	}
	if u := must(energy.NewInterpolate(g, wall, 0.1)).Energy(x); !math.IsInf(u, 1) {
		t.Errorf("T = 0.1: %v", u)
	}
}

type onlyEnergy struct{}

func (onlyEnergy) Dim() int                   { return 2 }
func (onlyEnergy) Energy(x []float64) float64 { return x[0]*x[0] + x[1]*x[1] }
