package fit_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence/fit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func eq8() *energy.Mixture {
	return must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5}))
}

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	t.Logf("%-34s %.12g  want %.12g  difference %.1e", name, got, want, got-want)
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.12g, want %.12g within %g", name, got, want, tol)
	}
}

// A Gaussian fitted to the mixture of eq. (8): KL takes its moments, and so does
// Fisher, because E_p|s_p + P(x-m)|^2 = E|s_p|^2 - 2 tr P + tr P^2 (C + ..) is
// least at m = mean, P = 1/variance (integration by parts).
func TestGaussianClass(t *testing.T) {
	long(t)
	for name, f := range map[string]func(m *energy.DiagonalGaussian) (*fit.Result, error){
		"KL":     func(m *energy.DiagonalGaussian) (*fit.Result, error) { return fit.KL(eq8(), m, quad.All()) },
		"Fisher": func(m *energy.DiagonalGaussian) (*fit.Result, error) { return fit.Fisher(eq8(), m, quad.All()) },
	} {
		m := must(energy.NewGaussian1D(1, 2))
		r, err := f(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		near(t, name+" mean", m.Mean(nil)[0], 1.5, 1e-7)
		near(t, name+" variance", m.Cov(nil)[0], 6.025, 1e-6)
		t.Logf("%s: %v, gradient %.1e, %d steps", name, r.Divergence, r.GradNorm, r.Steps)
	}
}

func quarticFamily() *energy.ExponentialFamily {
	return must(energy.NewExponentialFamily(1, []float64{0, 0.1, 0, 0.01},
		energy.Power(0, 1), energy.Power(0, 2), energy.Power(0, 3), energy.Power(0, 4)))
}

// moments of the mixture of eq. (8) up to order n, by Stein's recursion
// E[x^k] = m E[x^(k-1)] + s^2 (k-1) E[x^(k-2)] for each component.
func moments(n int) []float64 {
	out := make([]float64, n+1)
	for _, c := range []struct{ w, m, s float64 }{{0.7, 0, 1}, {0.3, 5, 0.5}} {
		a := make([]float64, n+1)
		a[0], a[1] = 1, c.m
		for k := 2; k <= n; k++ {
			a[k] = c.m*a[k-1] + c.s*c.s*float64(k-1)*a[k-2]
		}
		for k := range a {
			out[k] += c.w * a[k]
		}
	}
	return out
}

// The misspecified class of quartic polynomials: the KL fit matches four
// moments, the Fisher fit solves a linear system in moments, and they differ.
func TestQuarticClass(t *testing.T) {
	long(t)
	m := moments(6)
	kl := quarticFamily()
	r, err := fit.KL(eq8(), kl, quad.All())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("KL: theta %.6g, %v, gradient %.1e, %d steps", r.Theta, r.Divergence, r.GradNorm, r.Steps)
	d := must(quad.NewDensity(kl, quad.All()))
	got := must(d.Expect(4, func(dst, x []float64) { kl.Statistics(dst, x) }))
	for k := range got {
		near(t, fmt.Sprintf("KL fit: E[x^%d]", k+1), got[k].Value, m[k+1], 1e-6)
	}

	// Oracle: sum_l E[k l x^(k+l-2)] theta_l = E[k(k-1) x^(k-2)].
	var a [4][5]float64
	for k := 1; k <= 4; k++ {
		for l := 1; l <= 4; l++ {
			a[k-1][l-1] = float64(k*l) * m[k+l-2]
		}
		if k > 1 {
			a[k-1][4] = float64(k*(k-1)) * m[k-2]
		}
	}
	for i := range 4 { // Gauss-Jordan on a small, well-conditioned system
		for r := range 4 {
			if r == i {
				continue
			}
			f := a[r][i] / a[i][i]
			for c := range 5 {
				a[r][c] -= f * a[i][c]
			}
		}
	}
	fi := quarticFamily()
	rf, err := fit.Fisher(eq8(), fi, quad.All())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Fisher: theta %.6g, %v, gradient %.1e, %d steps", rf.Theta, rf.Divergence, rf.GradNorm, rf.Steps)
	linear := must(fit.FisherLinear(eq8(), 4, func(dst, x []float64) {
		for k := range 4 {
			dst[k] = float64(k+1) * math.Pow(x[0], float64(k))
		}
	}, quad.All()))
	far := 0.0
	for k := range 4 {
		want := a[k][4] / a[k][k]
		near(t, fmt.Sprintf("Fisher theta[%d]", k), rf.Theta[k], want, 1e-6)
		near(t, fmt.Sprintf("linear theta[%d]", k), linear[k], want, 1e-9)
		far = max(far, math.Abs(rf.Theta[k]-r.Theta[k]))
	}
	if far < 0.05 {
		t.Errorf("KL and Fisher fits agree to %g: this class should tell them apart", far)
	}
	// Each is better by its own measure.
	if x := must(divergence.KL(eq8(), fi, quad.All())).Value; x < r.Divergence.Value {
		t.Errorf("KL of the Fisher fit %v is below that of the KL fit %v", x, r.Divergence.Value)
	}
	if x := must(divergence.Fisher(eq8(), kl, quad.All())).Value; x < rf.Divergence.Value {
		t.Errorf("Fisher of the KL fit %v is below that of the Fisher fit %v", x, rf.Divergence.Value)
	}
}

// Assumption 2.2 holds: both find the parameters of the density.
func TestRealisable(t *testing.T) {
	p := must(energy.NewDoubleWell(0.5, 1.3))
	for name, f := range map[string]func(m *energy.DoubleWell) (*fit.Result, error){
		"KL":     func(m *energy.DoubleWell) (*fit.Result, error) { return fit.KL(p, m, quad.All()) },
		"Fisher": func(m *energy.DoubleWell) (*fit.Result, error) { return fit.Fisher(p, m, quad.All()) },
	} {
		m := must(energy.NewDoubleWell(1, 1))
		r, err := f(m)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		near(t, name+" log a", r.Theta[0], math.Log(0.5), 1e-6)
		near(t, name+" log b", r.Theta[1], math.Log(1.3), 1e-6)
		near(t, name+" divergence", r.Divergence.Value, 0, 1e-11)
	}
}

func TestBadInput(t *testing.T) {
	g2 := must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	falling := must(energy.NewExponentialFamily(1, []float64{-1}, energy.Power(0, 4)))
	for i, err := range []error{
		second(fit.KL(eq8(), g2, quad.All())),
		second(fit.KL(eq8(), falling, quad.All())),
		second(fit.FisherLinear(eq8(), 0, nil, quad.All())),
		second(fit.FisherLinear(eq8(), 2, func(dst, x []float64) { dst[0], dst[1] = 1, 1 }, quad.All())),
	} {
		if _, ok := err.(*ebmkit.ArgError); !ok {
			t.Errorf("case %d: %v", i, err)
		}
		t.Log(err)
	}
}

func second[T any](_ T, err error) error { return err }

func ExampleKL() {
	data, _ := energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5})
	model, _ := energy.NewGaussian1D(0, 1)
	r, err := fit.KL(data, model, quad.All())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("mean %.4f, variance %.4f, KL %.4f\n", model.Mean(nil)[0], model.Cov(nil)[0], r.Divergence.Value)
	// Output: mean 1.5000, variance 6.0250, KL 0.4964
}

// long skips what has nothing for the race detector to see.
func long(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
}

// Backwards, a Gaussian picks one mode of eq. (8): the one it starts at. At a mode
// of weight w alone, KL(q, p) <= -log w, and the minimum is stationary: no step of
// the parameters lowers it. Where the density is in the class, it is found.
func TestReverseKL(t *testing.T) {
	for _, c := range []struct{ start, mode, sd, w float64 }{{-1, 0, 1, 0.7}, {6, 5, 0.5, 0.3}} {
		m := must(energy.NewGaussian1D(c.start, 1))
		r, err := fit.ReverseKL(eq8(), m, quad.All())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("from %g: mean %.6f, sd %.6f, %v, gradient %.1e, %d steps", c.start, m.Mean(nil)[0], m.SD(nil)[0], r.Divergence, r.GradNorm, r.Steps)
		if math.Abs(m.Mean(nil)[0]-c.mode) > 0.05 || math.Abs(m.SD(nil)[0]-c.sd) > 0.05 {
			t.Errorf("from %g: did not find the mode at %g", c.start, c.mode)
		}
		if r.Divergence.Value > -math.Log(c.w) {
			t.Errorf("KL %v is above -log w = %v", r.Divergence.Value, -math.Log(c.w))
		}
		for k := range 2 {
			for _, h := range []float64{-1e-3, 1e-3} {
				theta := append([]float64(nil), r.Theta...)
				theta[k] += h
				if err := m.SetParams(theta); err != nil {
					t.Fatal(err)
				}
				if v := must(divergence.KL(m, eq8(), quad.All())).Value; v < r.Divergence.Value {
					t.Errorf("from %g: theta[%d] %+g lowers KL to %v", c.start, k, h, v)
				}
			}
		}
	}
	m := must(energy.NewGaussian1D(1, 2))
	if _, err := fit.ReverseKL(must(energy.NewGaussian1D(-0.5, 0.7)), m, quad.All()); err != nil {
		t.Fatal(err)
	}
	near(t, "realisable mean", m.Mean(nil)[0], -0.5, 1e-7)
	near(t, "realisable sd", m.SD(nil)[0], 0.7, 1e-7)
}
