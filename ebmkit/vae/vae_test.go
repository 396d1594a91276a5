package vae_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %.12g, want %.12g within %.1g", what, got, want, tol)
	}
}

// within checks an estimate against an exact value.
func within(t *testing.T, what string, e ebmkit.Estimate, exact float64) {
	t.Helper()
	z := e.Z(exact)
	t.Logf("%s: %v, exact %.6g, z = %.2f", what, e, exact, z)
	if !(math.Abs(z) < 4) {
		t.Errorf("%s: z = %.2f", what, z)
	}
}

func adam(rate nn.Schedule) nn.AdamConfig { return nn.AdamConfig{Rate: rate} }

// cigar is n draws from a Gaussian in four dimensions with two wide directions.
func cigar(n int) *ebmkit.Ensemble {
	p := must(vae.NewPPCA([]float64{1, -2, 0.5, 0}, []float64{2, 1, 0, -1, 0.3, -0.6, 0.9, 0.2}, 0.5))
	return must(ebmkit.Draw(must(p.Energy()), n, 7))
}

func linear(seed uint64, p nn.Precision) *vae.Model {
	return must(vae.New(vae.Config{Dim: 4, Latent: 2, Precision: p, Seed: seed}))
}

// The closed forms of probabilistic PCA against each other: the likelihood of
// moments is the mean over the data, the fit is its maximum, EM rises to it, and
// the ELBO with the exact posterior is the log-likelihood of each point.
func TestPPCA(t *testing.T) {
	data := cigar(400)
	m := must(vae.MomentsOf(data))
	best := must(vae.FitPPCA(m, 2))
	top := must(best.LogLik(m))
	law := must(best.Energy())
	var mean float64
	for i := range data.N {
		x := data.Row(i)
		logp := -law.Energy(x) - law.LogZ()
		mean += logp / float64(data.N)
		q := must(best.Posterior(x))
		near(t, "ELBO at the exact posterior", best.ELBO(x, q), logp, 1e-11)
		// Any other Gaussian q: what is missing is KL(q || posterior).
		other := must(energy.NewGaussian([]float64{0.3, -0.2}, []float64{0.5, 0.1, 0.1, 0.8}))
		near(t, "ELBO + KL", best.ELBO(x, other)+divergence.KLGaussian(other, q), logp, 1e-10)
	}
	near(t, "log-likelihood", top, mean, 1e-11)

	s := ebmkit.NewStream(3, "elsewhere", 0)
	for range 50 {
		p := must(vae.NewPPCA(best.Mean, best.W, best.SD))
		for k := range p.W {
			p.W[k] += 0.1 * s.Normal()
		}
		for j := range p.Mean {
			p.Mean[j] += 0.1 * s.Normal()
		}
		if l := must(p.LogLik(m)); l >= top {
			t.Errorf("the likelihood %g is above the maximum %g", l, top)
		}
	}
	em := must(vae.NewPPCA(make([]float64, 4), []float64{1, 0, 0, 0, 0, 1, 0, 0}, 1))
	last := must(em.LogLik(m))
	for range 300 {
		if err := em.EMStep(m); err != nil {
			t.Fatal(err)
		}
		now := must(em.LogLik(m))
		if now < last-1e-12 {
			t.Fatalf("EM lowered the likelihood from %.15g to %.15g", last, now)
		}
		last = now
	}
	near(t, "EM", last, top, 1e-9)
}

// At the closed-form optimum the bound of a linear model is the log-likelihood,
// without a gap; with the rows of W rotated it is not, because the posterior is
// no product any more.
func TestLinearOptimum(t *testing.T) {
	data := cigar(2000)
	mom := must(vae.MomentsOf(data))
	best := must(vae.FitPPCA(mom, 2))
	m := linear(1, nn.Float64)
	if err := m.SetPPCA(best); err != nil {
		t.Fatal(err)
	}
	back := must(m.PPCA())
	for k, v := range best.W {
		near(t, "W", back.W[k], v, 1e-15)
	}
	bound := func(p *vae.PPCA) (sum float64) {
		for i := range data.N {
			sum += p.ELBO(data.Row(i), must(m.Encoding(data.Row(i)))) / float64(data.N)
		}
		return sum
	}
	top := must(best.LogLik(mom))
	near(t, "ELBO at the optimum", bound(best), top, 1e-11)
	terms := must(m.ELBO(data, 1, 5))
	// The rows are the same in both: what is left is the noise of the codes, far
	// below the error of a mean over the law.
	near(t, "Monte Carlo ELBO", terms.ELBO.Value, top, 4*terms.ELBO.SE)
	near(t, "its terms", terms.Recon.Value-terms.KL.Value, terms.ELBO.Value, 1e-12)
	iw := must(m.LogLikelihood(data, 5, 5))
	near(t, "importance weights that are all equal", iw.Mean.Value, top, 1e-9)
	near(t, "their number", iw.ESS[17], 5, 1e-9)

	turned := must(vae.NewPPCA(best.Mean, best.W, best.SD))
	c, s := math.Sqrt(0.5), math.Sqrt(0.5)
	for j := range 4 {
		turned.W[j], turned.W[4+j] = c*best.W[j]-s*best.W[4+j], s*best.W[j]+c*best.W[4+j]
	}
	near(t, "a rotation of the code", must(turned.LogLik(mom)), top, 1e-12)
	if err := m.SetPPCA(turned); err != nil {
		t.Fatal(err)
	}
	if gap := top - bound(turned); gap < 0.05 {
		t.Errorf("negative control: the gap is %g", gap)
	}
}

// A linear model that is trained from random networks becomes probabilistic PCA.
// (Some seeds stay longer at the saddle where a coordinate of the code has
// collapsed: 2, for one.)
func TestLinearTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 1,200 steps")
	}
	data := cigar(1000)
	mom := must(vae.MomentsOf(data))
	best := must(vae.FitPPCA(mom, 2))
	m := linear(3, nn.Float64)
	tr := must(vae.NewTrainer(m, data, vae.TrainConfig{
		Adam: adam(nn.Cosine{Start: 0.03, End: 1e-5, Over: 1200}), Samples: 2, Seed: 1}))
	start := must(must(m.PPCA()).LogLik(mom))
	if err := tr.Fit(context.Background(), 1200); err != nil {
		t.Fatal(err)
	}
	p := must(m.PPCA())
	top, got := must(best.LogLik(mom)), must(p.LogLik(mom))
	t.Logf("log-likelihood %.5f -> %.5f, maximum %.5f", start, got, top)
	near(t, "trained log-likelihood", got, top, 2e-3)
	near(t, "trained noise", p.SD, best.SD, 0.02)
	// The rows of W are orthogonal by themselves: the diagonal encoder asks for it.
	dot, a, b := vmath.Dot(p.W[:4], p.W[4:]), vmath.Dot(p.W[:4], p.W[:4]), vmath.Dot(p.W[4:], p.W[4:])
	if cos := dot / math.Sqrt(a*b); math.Abs(cos) > 0.05 {
		t.Errorf("the rows of W make an angle of cosine %g", cos)
	}
	if start > top-1 {
		t.Error("it started at the optimum")
	}
	h := tr.History()
	if first, last := h[0].ELBO(), h[len(h)-1].ELBO(); last < first+1 {
		t.Errorf("ELBO %g -> %g", first, last)
	}
}

// A linear autoencoder projects on the subspace of the principal components.
func TestLinearAutoencoder(t *testing.T) {
	data := cigar(60)
	mom := must(vae.MomentsOf(data))
	values, v := mom.Principal()
	m := must(vae.New(vae.Config{Dim: 4, Latent: 2, Deterministic: true, Precision: nn.Float64, Seed: 3}))
	tr := must(vae.NewTrainer(m, data, vae.TrainConfig{Adam: adam(nn.Cosine{Start: 0.05, End: 1e-6, Over: 3000})}))
	if err := tr.Fit(context.Background(), 3000); err != nil {
		t.Fatal(err)
	}
	h := tr.History()
	near(t, "loss", h[len(h)-1].Loss, values[2]+values[3], 1e-6)
	// d(e(x)) is the projection mean + P (x - mean).
	x, y := []float64{3, 1, -2, 0.7}, make([]float64, 4)
	m.Reconstruct(y, x)
	worst := 0.0
	for j := range 4 {
		want, minor := mom.Mean[j], 0.0
		for k := range 2 {
			for i := range 4 {
				want += v[k*4+j] * v[k*4+i] * (x[i] - mom.Mean[i])
				minor += v[(k+1)*4+j] * v[(k+1)*4+i] * (x[i] - mom.Mean[i])
			}
		}
		near(t, "reconstruction", y[j], want, 1e-3)
		worst = max(worst, math.Abs(y[j]-mom.Mean[j]-minor))
	}
	if worst < 0.1 {
		t.Error("negative control: the second and third components pass")
	}
}

// networks returns small models with a code of one number, not linear.
func networks() map[string]*vae.Model {
	out := map[string]*vae.Model{}
	for _, l := range []vae.Likelihood{vae.Gaussian, vae.GaussianDiag, vae.Bernoulli} {
		c := vae.Config{Dim: 3, Latent: 1, Encoder: []int{8}, Decoder: []int{8}, Act: nn.Tanh, Likelihood: l, Precision: nn.Float64, Seed: 5}
		if l == vae.Gaussian {
			c.SD = 0.6
		}
		out[l.String()] = must(vae.New(c))
	}
	return out
}

// Lemma 3.1, review eq. (22) and (23), with a code of one number, where all of it
// can be integrated: ELBO + KL(q || posterior) = log rho(x), and the bound.
func TestDecomposition(t *testing.T) {
	for name, m := range networks() {
		for _, x := range [][]float64{{0.2, 0.9, 0.5}, {1, 0, 1}} {
			post := must(m.Posterior(x))
			logp := must(quad.LogZ(post, quad.All())).Value
			q := must(m.Encoding(x))
			// E_q[log rho(x, z) - log q(z)] by quadrature of the definition, eq. (21).
			elbo := must(must(quad.NewDensity(q, quad.All())).ExpectOne(func(z []float64) float64 {
				return -post.Energy(z) + q.Energy(z) + q.LogZ()
			})).Value
			gap := must(divergence.KL(q, post, quad.All())).Value
			t.Logf("%s: log rho = %.6f, ELBO = %.6f, KL = %.6f", name, logp, elbo, gap)
			near(t, name+": ELBO + KL", elbo+gap, logp, 1e-8)
			if elbo > logp {
				t.Errorf("%s: the ELBO %g is above %g", name, elbo, logp)
			}
			// Negative control: the other KL does not fill the gap.
			if other := must(divergence.KL(post, q, quad.All())).Value; math.Abs(elbo+other-logp) < 1e-4 {
				t.Errorf("%s: the reverse KL passes", name)
			}

			// The estimators, for many copies of the row.
			rows := must(ebmkit.NewEnsemble(400, 3))
			for i := range rows.N {
				copy(rows.Row(i), x)
			}
			within(t, name+": ELBO by samples", must(m.ELBO(rows, 20, 1)).ELBO, elbo)
			iw := must(m.LogLikelihood(rows, 100, 2))
			// Its bias is -Var(w)/(2 K) of each row, to first order.
			se := iw.Row[0].SE
			near(t, name+": importance-weighted", iw.Mean.Value, logp-se*se/2, 4*iw.Mean.SE+se*se)
			if iw.Mean.Value < elbo {
				t.Errorf("%s: 100 samples give less than the ELBO", name)
			}
			t.Logf("%s: importance-weighted %v, ESS %.1f of 100", name, iw.Mean, iw.ESS[0])
		}
	}
}

// The posterior keeps the contracts of an energy, and its gradient is right.
func TestPosteriorConforms(t *testing.T) {
	for name, m := range networks() {
		post := must(m.Posterior([]float64{0.2, 0.9, 0.5}))
		for _, err := range conform.Check(post, conform.Options{Prefix: "vae: "}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Draws have the law of the model: mean and covariance of the linear one in
// closed form, the means of a Bernoulli one by quadrature over the code.
func TestSample(t *testing.T) {
	const n = 20000
	m := linear(4, nn.Float64)
	p := must(m.PPCA())
	cov := must(p.Energy()).Cov(nil)
	x := must(m.Sample(n, 1))
	for i := range 4 {
		within(t, "mean", ebmkit.MeanOf(x.Col(i)), p.Mean[i])
		for j := range i + 1 {
			prod := make([]float64, n)
			for k := range prod {
				prod[k] = (x.X[k*4+i] - p.Mean[i]) * (x.X[k*4+j] - p.Mean[j])
			}
			within(t, "covariance", ebmkit.MeanOf(prod), cov[i*4+j])
		}
	}
	b := networks()["Bernoulli"]
	prior := must(quad.NewDensity(must(energy.NewGaussian1D(0, 1)), quad.All()))
	x = must(b.Sample(n, 2))
	for j := range 3 {
		want := must(prior.ExpectOne(func(z []float64) float64 {
			y := make([]float64, 3)
			b.Decode(y, z)
			return y[j]
		})).Value
		within(t, "pixel", ebmkit.MeanOf(x.Col(j)), want)
	}
}

// A heavy KL term makes the posterior collapse on the prior, coordinate by
// coordinate; LatentKL sees it.
func TestCollapse(t *testing.T) {
	data := cigar(300)
	kl := func(beta float64) []float64 {
		m := linear(1, nn.Float64)
		tr := must(vae.NewTrainer(m, data, vae.TrainConfig{Adam: adam(nn.Constant(0.02)), Beta: nn.Constant(beta), Seed: 1}))
		if err := tr.Fit(context.Background(), 400); err != nil {
			t.Fatal(err)
		}
		parts := must(m.LatentKL(data))
		near(t, "sum over coordinates", parts[0]+parts[1], must(m.ELBO(data, 1, 1)).KL.Value, 1e-12)
		return parts
	}
	if k := kl(1); k[0] < 0.2 || k[1] < 0.2 {
		t.Errorf("collapsed at beta = 1: %v", k)
	}
	if k := kl(40); k[0] > 0.01 || k[1] > 0.01 {
		t.Errorf("not collapsed at beta = 40: %v", k)
	}
}

// The same seed gives the same bits on any number of cores, in either precision.
func TestSameBits(t *testing.T) {
	data := cigar(300)
	for _, p := range []nn.Precision{nn.Float32, nn.Float64} {
		train := func(cores int, seed uint64) ([]float64, []float64) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			m := must(vae.New(vae.Config{Dim: 4, Latent: 2, Encoder: []int{16}, Decoder: []int{16}, Act: nn.SiLU, Precision: p, Seed: 1}))
			tr := must(vae.NewTrainer(m, data, vae.TrainConfig{Adam: adam(nn.Constant(0.01)), Batch: 130, Samples: 2, Seed: seed}))
			if err := tr.Fit(context.Background(), 20); err != nil {
				t.Fatal(err)
			}
			return m.Params(nil), tr.Series(vae.Record.ELBO)
		}
		theta, elbo := train(1, 1)
		for _, cores := range []int{2, 7} {
			th, el := train(cores, 1)
			if !slices.Equal(theta, th) || !slices.Equal(elbo, el) {
				t.Errorf("%v: %d cores give other bits", p, cores)
			}
		}
		if th, _ := train(1, 2); slices.Equal(theta, th) {
			t.Errorf("%v: another seed gives the same", p)
		}
	}
}

func TestFit(t *testing.T) {
	data := cigar(64)
	ctx, stop := context.WithCancel(context.Background())
	var calls, shown int
	bad := errors.New("enough")
	cfg := vae.TrainConfig{Adam: adam(nn.Constant(0.01)), Clip: 0.5, Seed: 1,
		Progress: func(done, total int, last vae.Record) { shown++ },
		Hooks: []vae.Hook{{Name: "count", Every: 2, Do: func(tr *vae.Trainer, r vae.Record) error {
			calls++
			if tr.Steps() == 6 {
				stop()
			}
			if tr.Steps() == 10 {
				return bad
			}
			return nil
		}}}}
	tr := must(vae.NewTrainer(linear(1, nn.Float32), data, cfg))
	if err := tr.Fit(ctx, 20); err != context.Canceled || tr.Steps() != 6 || calls != 3 {
		t.Errorf("%v after %d steps, %d calls", err, tr.Steps(), calls)
	}
	if err := tr.Fit(context.Background(), 20); !errors.Is(err, bad) || tr.Steps() != 10 {
		t.Errorf("%v after %d steps", err, tr.Steps())
	}
	if shown == 0 || len(tr.History()) != 10 {
		t.Errorf("progress %d times, %d records", shown, len(tr.History()))
	}
}

// Training that runs away says so and leaves the last good parameters.
func TestDiverges(t *testing.T) {
	data := cigar(64)
	for _, p := range []nn.Precision{nn.Float32, nn.Float64} {
		m := linear(1, p)
		tr := must(vae.NewTrainer(m, data, vae.TrainConfig{Adam: adam(nn.Constant(50)), Seed: 1}))
		err := tr.Fit(context.Background(), 1000)
		var d *ebmkit.DivergedError
		if !errors.As(err, &d) || d.Step != tr.Steps() || d.Hint == "" {
			t.Fatalf("%v: %v", p, err)
		}
		for k, v := range m.Params(nil) {
			if v-v != 0 {
				t.Fatalf("%v: parameter %d is %g", p, k, v)
			}
		}
		if _, again := tr.Step(); again != err {
			t.Errorf("%v: it goes on: %v", p, again)
		}
	}
}

func TestBadArguments(t *testing.T) {
	ok := vae.Config{Dim: 4, Latent: 2, Seed: 1}
	with := func(f func(c *vae.Config)) vae.Config {
		c := ok
		f(&c)
		return c
	}
	for want, c := range map[string]vae.Config{
		"Dim":           with(func(c *vae.Config) { c.Dim = 0 }),
		"Latent":        with(func(c *vae.Config) { c.Latent = 5 }),
		"Latent ":       with(func(c *vae.Config) { c.Latent = 0 }),
		"Encoder[1]":    with(func(c *vae.Config) { c.Encoder = []int{3, 0} }),
		"Likelihood":    with(func(c *vae.Config) { c.Likelihood = 9 }),
		"SD":            with(func(c *vae.Config) { c.SD = math.NaN() }),
		"SD ":           with(func(c *vae.Config) { c.Likelihood = vae.Bernoulli; c.SD = 2 }),
		"Deterministic": with(func(c *vae.Config) { c.Deterministic = true; c.Likelihood = vae.GaussianDiag }),
		"Act":           with(func(c *vae.Config) { c.Act = 99 }),
		"Precision":     with(func(c *vae.Config) { c.Precision = 99 }),
	} {
		_, err := vae.New(c)
		wantArg(t, want, err)
	}
	m := must(vae.New(ok))
	b := must(vae.New(with(func(c *vae.Config) { c.Likelihood = vae.Bernoulli })))
	plain := must(vae.New(with(func(c *vae.Config) { c.Deterministic = true })))
	data := cigar(10)
	good := vae.TrainConfig{Adam: adam(nn.Constant(0.01))}
	try := func(want string, m *vae.Model, data *ebmkit.Ensemble, f func(c *vae.TrainConfig)) {
		t.Helper()
		c := good
		f(&c)
		_, err := vae.NewTrainer(m, data, c)
		wantArg(t, want, err)
	}
	keep := func(*vae.TrainConfig) {}
	try("m", nil, data, keep)
	try("data", m, nil, keep)
	try("data.Dim", m, must(ebmkit.NewEnsemble(3, 3)), keep)
	grey := data.Clone()
	for i := range grey.X {
		grey.X[i] = 0.5
	}
	grey.X[6] = 1.5
	try("data, point 1, coordinate 2", b, grey, keep)
	grey.X[6] = math.NaN()
	try("data, point 1, coordinate 2", m, grey, keep)
	try("Batch", m, data, func(c *vae.TrainConfig) { c.Batch = 11 })
	try("Samples", m, data, func(c *vae.TrainConfig) { c.Samples = -1 })
	try("Gradient", m, data, func(c *vae.TrainConfig) { c.Gradient = 7 })
	try("Clip", m, data, func(c *vae.TrainConfig) { c.Clip = math.NaN() })
	try("Hooks[0]", m, data, func(c *vae.TrainConfig) { c.Hooks = []vae.Hook{{Name: "none"}} })
	try("Rate", m, data, func(c *vae.TrainConfig) { c.Adam.Rate = nil })
	try("Samples, Gradient and Beta", plain, data, func(c *vae.TrainConfig) { c.Samples = 2 })
	tr := must(vae.NewTrainer(m, data, vae.TrainConfig{Adam: good.Adam, Beta: nn.Constant(-1)}))
	_, err := tr.Step()
	wantArg(t, "Beta.Rate(0)", err)
	_, err = m.ELBO(data, 0, 1)
	wantArg(t, "samples", err)
	_, err = plain.ELBO(data, 1, 1)
	wantArg(t, "Config.Deterministic", err)
	_, err = plain.Sample(3, 1)
	wantArg(t, "Config.Deterministic", err)
	_, err = m.Sample(0, 1)
	wantArg(t, "n", err)
	_, err = m.Posterior([]float64{1})
	wantArg(t, "xs.Dim", err)
	_, _, err = m.GradientSpread(vae.Pathwise, data, 1, 1, 1)
	wantArg(t, "repeats", err)
	_, err = b.PPCA()
	wantArg(t, "m", err)
	mom := must(vae.MomentsOf(data))
	_, err = vae.FitPPCA(mom, 4)
	wantArg(t, "latent", err)
	_, err = vae.MomentsOf(nil)
	wantArg(t, "data", err)
	_, err = vae.NewPPCA(nil, nil, 1)
	wantArg(t, "len(mean)", err)
	_, err = vae.NewPPCA([]float64{0, 0}, []float64{1}, 1)
	wantArg(t, "len(w)", err)
	_, err = vae.NewPPCA([]float64{0, 0}, []float64{1, math.Inf(1)}, 1)
	wantArg(t, "w[0][1]", err)
	_, err = vae.NewPPCA([]float64{0, 0}, []float64{1, 1}, 0)
	wantArg(t, "sd", err)
	wantArg(t, "p", m.SetPPCA(must(vae.NewPPCA([]float64{0}, []float64{1}, 1))))
	theta := m.Params(nil)
	bad := append([]float64(nil), theta...)
	bad[3] = math.Inf(1)
	wantArg(t, "theta[3]", m.SetParams(bad))
	bad[3], bad[len(bad)-1] = 0, 1e4
	wantArg(t, "log s", m.SetParams(bad))
	if !slices.Equal(theta, m.Params(nil)) {
		t.Error("a refused SetParams changed the model")
	}
}

// wantArg checks that err is about the argument arg.
func wantArg(t *testing.T, arg string, err error) {
	t.Helper()
	var e *ebmkit.ArgError
	for len(arg) > 0 && arg[len(arg)-1] == ' ' {
		arg = arg[:len(arg)-1]
	}
	if !errors.As(err, &e) || e.Arg != arg {
		t.Errorf("want an error about %s, got %v", arg, err)
	}
}

// A step allocates nothing but the growing history, and a stream per epoch.
func TestAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	tr := must(vae.NewTrainer(linear(1, nn.Float32), cigar(200), vae.TrainConfig{Adam: adam(nn.Constant(0.01)), Batch: 10, Seed: 1}))
	must(tr.Step())
	if n := testing.AllocsPerRun(100, func() { must(tr.Step()) }); n > 0.5 {
		t.Errorf("%g allocations per step", n)
	}
}

// A linear model, trained, is probabilistic PCA.
func Example() {
	law := must(vae.NewPPCA([]float64{1, 0, -1}, []float64{2, 1, 0}, 0.5))
	data := must(ebmkit.Draw(must(law.Energy()), 2000, 1))

	m := must(vae.New(vae.Config{Dim: 3, Latent: 1, Seed: 1}))
	t := must(vae.NewTrainer(m, data, vae.TrainConfig{
		Adam:  nn.AdamConfig{Rate: nn.Cosine{Start: 0.02, End: 1e-4, Over: 1000}},
		Batch: 250, Seed: 1}))
	if err := t.Fit(context.Background(), 1000); err != nil {
		fmt.Println(err)
	}
	moments := must(vae.MomentsOf(data))
	best := must(vae.FitPPCA(moments, 1))
	fmt.Printf("maximum of the log-likelihood %.2f\n", must(best.LogLik(moments)))
	fmt.Printf("of the trained model          %.2f\n", must(must(m.PPCA()).LogLik(moments)))
	fmt.Printf("its bound                     %.2f\n", must(m.ELBO(data, 10, 2)).ELBO.Value)
	// Output:
	// maximum of the log-likelihood -3.66
	// of the trained model          -3.67
	// its bound                     -3.68
}
