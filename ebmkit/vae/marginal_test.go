package vae_test

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// The sum over a grid of codes against adaptive quadrature of the posterior.
func TestMarginal(t *testing.T) {
	for name, m := range networks() {
		law := must(m.Marginal(200))
		for _, x := range [][]float64{{0.2, 0.9, 0.5}, {1, 0, 1}, {0, 0, 0}} {
			want := must(quad.LogZ(must(m.Posterior(x)), quad.All())).Value
			near(t, name, -law.Energy(x), want, 1e-10)
			if coarse := must(m.Marginal(5)); math.Abs(-coarse.Energy(x)-want) < 1e-4 {
				t.Errorf("%s: negative control: 5 nodes are good enough", name)
			}
		}
	}
	// Two numbers, where the integral is closed.
	p := must(vae.NewPPCA([]float64{1, -2, 0.5, 0}, []float64{2, 1, 0, -1, 0.3, -0.6, 0.9, 0.2}, 0.5))
	m := linear(1, nn.Float64)
	if err := m.SetPPCA(p); err != nil {
		t.Fatal(err)
	}
	law, exact := must(m.Marginal(120)), must(p.Energy())
	got, want := make([]float64, 4), make([]float64, 4)
	for _, x := range [][]float64{{1, -2, 0.5, 0}, {3, -1, 0, 1}} {
		near(t, "linear", law.EnergyGrad(got, x), exact.EnergyGrad(want, x)+exact.LogZ(), 1e-10)
		for j := range got {
			near(t, "linear, gradient", got[j], want[j], 1e-9)
		}
	}
	// A Bernoulli model sums to one over its pictures, on any grid.
	for _, nodes := range []int{3, 50} {
		law := must(networks()["Bernoulli"].Marginal(nodes))
		var sum float64
		for b := range 8 {
			sum += math.Exp(-law.Energy([]float64{float64(b & 1), float64(b >> 1 & 1), float64(b >> 2)}))
		}
		near(t, "sum over pictures", sum, 1, 1e-13)
	}
}

// A Marginal keeps the contracts of an energy; in two dimensions log Z = 0 is
// checked by quadrature.
func TestMarginalConforms(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	for _, l := range []vae.Likelihood{vae.Gaussian, vae.GaussianDiag} {
		m := must(vae.New(vae.Config{Dim: 2, Latent: 1, Encoder: []int{6}, Decoder: []int{6}, Act: nn.Tanh, Likelihood: l, Precision: nn.Float64, Seed: 5}))
		for _, err := range conform.Check(must(m.Marginal(40)), conform.Options{Prefix: "vae: "}) {
			t.Errorf("%v: %v", l, err)
		}
	}
	law := must(networks()["Bernoulli"].Marginal(40))
	x, g := []float64{0.3, 0.8, 0.1}, make([]float64, 3)
	law.EnergyGrad(g, x)
	for j := range x {
		d, _ := conform.Derivative(func(t float64) float64 {
			y := slices.Clone(x)
			y[j] += t
			return law.Energy(y)
		}, 0.1)
		near(t, "Bernoulli gradient", g[j], d, 1e-8)
	}
}

func TestAngles(t *testing.T) {
	c, s := math.Cos(0.3), math.Sin(0.3)
	a := []float64{2, 0, 0, 0, 1, 1, 0, 0} // the first two axes
	b := []float64{c, 0, s, 0, 0, 3, 0, 3e-9}
	got := must(vae.Angles(a, b, 4))
	near(t, "large angle", got[0], 0.3, 1e-14)
	near(t, "small angle", got[1], 1e-9, 1e-17)
	near(t, "the same subspace", must(vae.Angles(a, []float64{1, -1, 0, 0, 5, 2, 0, 0}, 4))[0], 0, 1e-15)
	near(t, "a right angle", must(vae.Angles([]float64{1, 0}, []float64{0, 7}, 2))[0], math.Pi/2, 1e-15)
	for arg, f := range map[string]func() ([]float64, error){
		"len(a)":  func() ([]float64, error) { return vae.Angles([]float64{1, 2, 3}, []float64{1, 2, 3}, 2) },
		"len(b)":  func() ([]float64, error) { return vae.Angles([]float64{1, 2}, []float64{1, 2, 3, 4}, 2) },
		"a":       func() ([]float64, error) { return vae.Angles([]float64{0, 0}, []float64{1, 2}, 2) },
		"b":       func() ([]float64, error) { return vae.Angles([]float64{1, 0, 0, 1}, []float64{1, 2, 2, 4}, 2) },
		"len(a) ": func() ([]float64, error) { return vae.Angles(nil, nil, 2) },
	} {
		_, err := f()
		wantArg(t, arg, err)
	}
}

// The best diagonal Gaussian for a Gaussian posterior is known: its mean, and the
// inverse of the diagonal of its precision.
func TestFixedForm(t *testing.T) {
	p := must(vae.NewPPCA([]float64{1, -2, 0.5, 0}, []float64{2, 1, 0, -1, 0.9, 0.6, 0.9, 0.2}, 0.5))
	m := linear(1, nn.Float64)
	if err := m.SetPPCA(p); err != nil {
		t.Fatal(err)
	}
	xs := cigar(6)
	f := vae.FixedForm{Steps: 800, Rate: nn.Cosine{Start: 0.05, End: 1e-5, Over: 800}, Samples: 32, Judge: 40000, Seed: 3}
	got := must(f.Fit(m, xs))
	f.Steps = 0
	start := must(f.Fit(m, xs))
	for i := range xs.N {
		post := must(p.Posterior(xs.Row(i)))
		mean, prec := post.Mean(nil), post.Precision(nil)
		for k := range 2 {
			near(t, "mean", got.Mean[i*2+k], mean[k], 0.01)
			near(t, "sd", got.SD[i*2+k], 1/math.Sqrt(prec[k*3]), 0.01)
		}
		best := p.ELBO(xs.Row(i), must(energy.NewDiagonalGaussian(mean, []float64{1 / math.Sqrt(prec[0]), 1 / math.Sqrt(prec[3])})))
		within(t, "ELBO", got.ELBO[i], best)
		within(t, "ELBO of the encoder", start.ELBO[i], p.ELBO(xs.Row(i), must(m.Encoding(xs.Row(i)))))
		// Negative control: the encoder of SetPPCA has the marginal variances,
		// which are not the best if the posterior is no product.
		if z := start.ELBO[i].Z(best); math.Abs(z) < 6 {
			t.Errorf("the control passes: z = %.1f", z)
		}
	}
	if again := must(f.Fit(m, xs)); !slices.Equal(again.ELBO, start.ELBO) {
		t.Error("the same seed gives other bits")
	}
	for arg, g := range map[string]vae.FixedForm{"Steps": {Steps: -1}, "Samples": {Samples: -2}, "Judge": {Judge: 1}, "Rate": {Steps: 1}} {
		_, err := g.Fit(m, xs)
		wantArg(t, arg, err)
	}
	_, err := f.Fit(m, must(ebmkit.NewEnsemble(2, 3)))
	wantArg(t, "xs.Dim", err)
	_, err = f.Fit(nil, xs)
	wantArg(t, "m", err)
	_, err = m.Marginal(1)
	wantArg(t, "nodes", err)
	wide := must(vae.New(vae.Config{Dim: 4, Latent: 3}))
	_, err = wide.Marginal(10)
	wantArg(t, "Config.Latent", err)
}
