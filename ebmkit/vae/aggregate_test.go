package vae_test

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
	"github.com/ebmkit/hitchhiker/internal/conform"
)

// narrow is a linear model of one code whose encoder is (0.7 x_1, 0.2^2).
func narrow(t *testing.T) *vae.Model {
	t.Helper()
	m := must(vae.New(vae.Config{Dim: 2, Latent: 1, Precision: nn.Float64, Seed: 1}))
	theta := m.Params(nil)
	copy(theta, []float64{0.7, 0, 0, 0, 0, 2 * math.Log(0.2)})
	if err := m.SetParams(theta); err != nil {
		t.Fatal(err)
	}
	return m
}

// The mean KL of review eq. (30) is information plus mismatch, the mismatch by
// quadrature; and the two ends of the information, 0 and log N.
func TestInformation(t *testing.T) {
	m := narrow(t)
	xs := &ebmkit.Ensemble{N: 4, Dim: 2, X: []float64{-1.5, 0, 0.2, 3, 0.6, 0, 2, -1}}
	q := must(m.Aggregate(xs))
	near(t, "log Z of the aggregate", q.LogZ(), math.Log(4), 1e-15)
	means := []float64{-1.05, 0.14, 0.42, 1.4}
	want := must(energy.NewMixture1D([]float64{1, 1, 1, 1}, means, []float64{0.2, 0.2, 0.2, 0.2}))
	for _, z := range []float64{-1, 0, 0.3, 2} {
		near(t, "aggregate", q.Energy([]float64{z}), want.Energy([]float64{z}), 1e-13)
	}
	miss := must(divergence.KL(q, must(energy.NewGaussian1D(0, 1)), quad.All())).Value
	mean := must(m.ELBO(xs, 1, 1)).KL.Value
	got := must(m.Information(xs, 20000, 3))
	within(t, "information", got, mean-miss)
	// Negative control: the mean KL alone is far off.
	if z := got.Z(mean); math.Abs(z) < 6 {
		t.Errorf("the control passes: z = %.1f", z)
	}
	if again := must(m.Information(xs, 20000, 3)); again != got {
		t.Error("the same seed gives other bits")
	}

	same := &ebmkit.Ensemble{N: 3, Dim: 2, X: []float64{1, 0, 1, 5, 1, 9}}
	near(t, "rows with one code", must(m.Information(same, 50, 1)).Value, 0, 1e-13)
	apart := &ebmkit.Ensemble{N: 3, Dim: 2, X: []float64{-20, 0, 0, 0, 20, 0}}
	near(t, "rows far apart", must(m.Information(apart, 50, 1)).Value, math.Log(3), 1e-13)

	_, err := m.Information(xs, 1, 1)
	wantArg(t, "n", err)
	_, err = m.Information(nil, 10, 1)
	wantArg(t, "xs", err)
	_, err = m.Aggregate(must(ebmkit.NewEnsemble(2, 3)))
	wantArg(t, "xs.Dim", err)
}

// Data given a code have the mean of Decode and the spread of the likelihood;
// Sample is SampleGiven of codes from the prior.
func TestSampleGiven(t *testing.T) {
	const n = 20000
	zs := must(ebmkit.NewEnsemble(n, 1))
	for i := range zs.X {
		zs.X[i] = 0.8
	}
	for name, m := range networks() {
		mean := make([]float64, 3)
		m.Decode(mean, []float64{0.8})
		y := make([]float64, 6)
		if name == "GaussianDiag" {
			m.Decoder().NewPass().Values(y, []float64{0.8})
		}
		xs := must(m.SampleGiven(zs, 4))
		for j, want := range mean {
			within(t, name+", mean", ebmkit.MeanOf(xs.Col(j)), want)
			variance := map[string]float64{"Gaussian": 0.36, "GaussianDiag": math.Exp(y[3+j]), "Bernoulli": want * (1 - want)}[name]
			square := xs.Map(func(x []float64) float64 { return (x[j] - want) * (x[j] - want) })
			within(t, name+", variance", ebmkit.MeanOf(square), variance)
		}
		codes := must(ebmkit.NewEnsemble(50, 1))
		ebmkit.NewStream(9, "code", 0).FillNormal(codes.X)
		if !slices.Equal(must(m.Sample(50, 9)).X, must(m.SampleGiven(codes, 9)).X) {
			t.Errorf("%s: Sample is not SampleGiven of its codes", name)
		}
	}
	m := networks()["Bernoulli"]
	_, err := m.SampleGiven(must(ebmkit.NewEnsemble(2, 3)), 1)
	wantArg(t, "zs.Dim", err)
	_, err = must(vae.New(vae.Config{Dim: 2, Latent: 1, Deterministic: true})).SampleGiven(must(ebmkit.NewEnsemble(2, 1)), 1)
	wantArg(t, "Config.Deterministic", err)
}

// Independent pixels sum to one over pictures, have the rule of succession as
// means, and are a Bernoulli model whose decoder is constant.
func TestIndependentPixels(t *testing.T) {
	data := &ebmkit.Ensemble{N: 4, Dim: 3, X: []float64{1, 0, 0.5, 1, 0, 0, 1, 0, 1, 1, 0, 0}}
	p := must(vae.IndependentPixels(data))
	means := []float64{5. / 6, 1. / 6, 2.5 / 6}
	sum, ink := 0.0, make([]float64, 3)
	for b := range 8 {
		x := []float64{float64(b & 1), float64(b >> 1 & 1), float64(b >> 2)}
		weight := math.Exp(p.LogDensity(x))
		sum += weight
		for j, v := range x {
			ink[j] += weight * v
		}
	}
	near(t, "sum over pictures", sum, 1, 1e-15)
	m := networks()["Bernoulli"]
	theta := make([]float64, m.NumParams())
	for j, v := range means {
		near(t, "mean", ink[j], v, 1e-15)
		theta[len(theta)-3+j] = math.Log(v / (1 - v)) // biases of the last layer
	}
	if err := m.SetParams(theta); err != nil {
		t.Fatal(err)
	}
	law := must(m.Marginal(30))
	for _, x := range [][]float64{{1, 0, 0}, {0.2, 0.9, 0.5}} {
		near(t, "Bernoulli model", law.LogDensity(x), p.LogDensity(x), 1e-14)
		near(t, "energy", p.Energy(x)+p.LogZ(), -p.LogDensity(x), 0)
	}
	for _, err := range conform.Check(p, conform.Options{Prefix: "vae: "}) {
		t.Error(err)
	}
	_, err := vae.IndependentPixels(nil)
	wantArg(t, "data", err)
	_, err = vae.IndependentPixels(&ebmkit.Ensemble{N: 1})
	wantArg(t, "data.Dim", err)
	_, err = vae.IndependentPixels(&ebmkit.Ensemble{N: 2, Dim: 2, X: []float64{0, 1, 0, 1.5}})
	wantArg(t, "data, point 1, coordinate 1", err)
}

// The loss of a linear autoencoder on its principal plane is the sum of the other
// eigenvalues.
func TestSquaredError(t *testing.T) {
	data := cigar(300)
	mom := must(vae.MomentsOf(data))
	values, v := mom.Principal()
	m := must(vae.New(vae.Config{Dim: 4, Latent: 2, Deterministic: true, Precision: nn.Float64, Seed: 1}))
	theta := make([]float64, m.NumParams())
	copy(theta[10:], v[:8])    // decoder: z -> z V + mean
	copy(theta[18:], mom.Mean) //
	for j := range 4 {         // encoder: x -> (x - mean) V'
		for k := range 2 {
			theta[j*2+k] = v[k*4+j]
			theta[8+k] -= mom.Mean[j] * v[k*4+j]
		}
	}
	if err := m.SetParams(theta); err != nil {
		t.Fatal(err)
	}
	got := must(m.SquaredError(data))
	near(t, "loss", got.Value, values[2]+values[3], 1e-12)
	rows := data.Map(func(x []float64) float64 {
		y, s := make([]float64, 4), 0.0
		m.Reconstruct(y, x)
		for j := range y {
			s += (y[j] - x[j]) * (y[j] - x[j])
		}
		return s
	})
	near(t, "its error", got.SE, ebmkit.MeanOf(rows).SE, 1e-13)
	_, err := m.SquaredError(must(ebmkit.NewEnsemble(2, 3)))
	wantArg(t, "xs.Dim", err)
}
