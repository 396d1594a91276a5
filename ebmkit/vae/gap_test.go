package vae_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
)

// Where all is Gaussian the two parts of the gap are closed: the best diagonal
// Gaussian has the mean of the posterior and the inverse diagonal of its precision.
func TestGap(t *testing.T) {
	p := must(vae.NewPPCA([]float64{1, -2, 0.5, 0}, []float64{2, 1, 0, -1, 0.9, 0.6, 0.9, 0.2}, 0.5))
	m := linear(1, nn.Float64)
	if err := m.SetPPCA(p); err != nil {
		t.Fatal(err)
	}
	xs, law := cigar(5), must(p.Energy())
	logp := func(x []float64) float64 { return -law.Energy(x) - law.LogZ() }
	f := vae.FixedForm{Steps: 600, Rate: nn.Cosine{Start: 0.05, End: 1e-5, Over: 600}, Samples: 32, Judge: 40000, Seed: 3}
	g := must(f.Gap(m, xs, logp))
	for i := range xs.N {
		post := must(p.Posterior(xs.Row(i)))
		prec := post.Precision(nil)
		best := must(energy.NewDiagonalGaussian(post.Mean(nil), []float64{1 / math.Sqrt(prec[0]), 1 / math.Sqrt(prec[3])}))
		form := divergence.KLGaussian(best, post)
		price := divergence.KLGaussian(must(m.Encoding(xs.Row(i))), post) - form
		// 40,000 codes, whose terms of the ELBO spread by about 1 nat.
		near(t, "form", g.Form[i], form, 0.02)
		near(t, "amortisation", g.Amortisation[i], price, 0.02)
		if form < 0.1 || price < 0.1 {
			t.Errorf("row %d: the parts %g and %g are too small to tell them apart", i, form, price)
		}
	}
	_, err := f.Gap(m, xs, nil)
	wantArg(t, "logp", err)
	_, err = f.Gap(nil, xs, logp)
	wantArg(t, "m", err)
	f.Steps = -1
	_, err = f.Gap(m, xs, logp)
	wantArg(t, "Steps", err)
}

func TestLogLikBelow(t *testing.T) {
	l := &vae.LogLik{Row: []ebmkit.Estimate{{Value: -3}, {Value: -5}, {Value: -4}}, ESS: []float64{1, 2.5, 7}}
	got := l.Below([]float64{-2, -4.5, -4}) // 1, 0.5, 0
	near(t, "mean", got.Value, 0.5, 1e-15)
	near(t, "error", got.SE, 0.5/math.Sqrt(3), 1e-15)
	for ess, want := range map[float64]int{1: 0, 2.5: 1, 3: 2, 10: 3} {
		if n := l.LowESS(ess); n != want {
			t.Errorf("LowESS(%g) = %d, want %d", ess, n, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a wrong length is taken")
		}
	}()
	l.Below([]float64{1})
}

// EM is EMStep, step by step, and ends at the closed form.
func TestEM(t *testing.T) {
	mom := must(vae.MomentsOf(cigar(400)))
	start := func() *vae.PPCA {
		return must(vae.NewPPCA(make([]float64, 4), []float64{1, 0, 0, 0, 0, 1, 0, 0}, 1))
	}
	p, q := start(), start()
	like := must(p.EM(mom, 200))
	for k, v := range like {
		near(t, "log-likelihood", v, must(q.LogLik(mom)), 0)
		if k > 0 && v < like[k-1]-1e-12 {
			t.Errorf("step %d lowered the likelihood", k)
		}
		if err := q.EMStep(mom); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "end", like[200], must(must(vae.FitPPCA(mom, 2)).LogLik(mom)), 1e-9)
	_, err := p.EM(mom, -1)
	wantArg(t, "steps", err)
	_, err = must(vae.NewPPCA([]float64{0}, []float64{1}, 1)).EM(mom, 1)
	wantArg(t, "len(m.Mean)", err)
}

// A turned code has the same law of data and the turned posterior; a quarter turn
// swaps the rows of W.
func TestRotated(t *testing.T) {
	p := must(vae.NewPPCA([]float64{1, -2, 0.5, 0}, []float64{2, 1, 0, -1, 0.3, -0.6, 0.9, 0.2}, 0.5))
	q := must(p.Rotated(0, 1, 0.7))
	a, b := must(p.Energy()), must(q.Energy())
	x := []float64{0.3, -1, 2, 0.1}
	near(t, "law of the data", b.Energy(x)+b.LogZ(), a.Energy(x)+a.LogZ(), 1e-13)
	c, s := math.Cos(0.7), math.Sin(0.7)
	z, w := must(p.Posterior(x)).Mean(nil), must(q.Posterior(x)).Mean(nil)
	near(t, "posterior, first code", w[0], c*z[0]-s*z[1], 1e-14)
	near(t, "posterior, second code", w[1], s*z[0]+c*z[1], 1e-14)
	if math.Abs(w[0]-z[0]) < 0.01 {
		t.Error("negative control: the code was not turned")
	}
	quarter := must(p.Rotated(0, 1, math.Pi/2))
	for j := range 4 {
		near(t, "quarter turn", quarter.W[j], -p.W[4+j], 1e-15)
		near(t, "quarter turn", quarter.W[4+j], p.W[j], 1e-15)
	}
	for arg, f := range map[string]func() (*vae.PPCA, error){
		"i":     func() (*vae.PPCA, error) { return p.Rotated(2, 0, 1) },
		"k":     func() (*vae.PPCA, error) { return p.Rotated(0, -1, 1) },
		"k ":    func() (*vae.PPCA, error) { return p.Rotated(1, 1, 1) },
		"angle": func() (*vae.PPCA, error) { return p.Rotated(0, 1, math.NaN()) },
	} {
		_, err := f()
		wantArg(t, arg, err)
	}
}

// FitPath is Fit in portions: the same bits, parameters at the multiples and at
// the end.
func TestFitPath(t *testing.T) {
	data, cfg := cigar(40), vae.TrainConfig{Adam: adam(nn.Constant(0.02)), Batch: 16, Seed: 3}
	m, other := linear(2, nn.Float32), linear(2, nn.Float32)
	start := m.Params(nil)
	path := must(must(vae.NewTrainer(m, data, cfg)).FitPath(context.Background(), 25, 10))
	if len(path) != 4 || !slices.Equal(path[0], start) {
		t.Fatalf("%d sets of parameters, want 4 that begin with the start", len(path))
	}
	tr := must(vae.NewTrainer(other, data, cfg))
	for i, k := range []int{0, 10, 20, 25} {
		if err := tr.Fit(context.Background(), k); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(path[i], other.Params(nil)) {
			t.Errorf("other parameters after %d steps", k)
		}
	}
	if more := must(tr.FitPath(context.Background(), 31, 10)); len(more) != 3 || !slices.Equal(more[0], path[3]) {
		t.Errorf("from 25 to 31: %d sets of parameters, want those at 25, 30, 31", len(more))
	}
	_, err := tr.FitPath(context.Background(), 40, 0)
	wantArg(t, "every", err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tr.FitPath(ctx, 40, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
}

// Without room for the answer Encode, Decode and Reconstruct make it.
func TestNilDestination(t *testing.T) {
	xs := []float64{0.2, 0.9, 0.5, 1, 0, 1}
	for name, m := range networks() {
		z, x, back := make([]float64, 2), make([]float64, 6), make([]float64, 6)
		m.Encode(z, nil, xs)
		m.Decode(x, z)
		m.Reconstruct(back, xs)
		if !slices.Equal(m.Encode(nil, nil, xs), z) || !slices.Equal(m.Decode(nil, z), x) || !slices.Equal(m.Reconstruct(nil, xs), back) {
			t.Errorf("%s: nil gives another answer", name)
		}
	}
}
