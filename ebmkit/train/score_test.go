package train_test

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// moments returns mean and covariance (divisor n) of points in the plane.
func moments(e *ebmkit.Ensemble) (m [2]float64, c [4]float64) {
	n := float64(e.N)
	for i := range e.N {
		x := e.Row(i)
		m[0] += x[0] / n
		m[1] += x[1] / n
	}
	for i := range e.N {
		a, b := e.Row(i)[0]-m[0], e.Row(i)[1]-m[1]
		c[0] += a * a / n
		c[1] += a * b / n
		c[3] += b * b / n
	}
	c[2] = c[1]
	return m, c
}

// On Gaussians implicit score matching is maximum likelihood: its gradient
// vanishes at the mean and the covariance of the points, exactly.
func TestISMIsMaximumLikelihoodOnGaussians(t *testing.T) {
	// The data need not be Gaussian.
	data := must(ebmkit.Draw(must(energy.NewMixture([]float64{1, 1}, []energy.Component{
		must(energy.NewGaussian([]float64{1, 0}, []float64{1, 0.5, 0.5, 2})), iso(0.4, -1, 1)})), 500, 1))
	m, c := moments(data)
	ml := must(energy.NewGaussian(m[:], c[:]))
	for name, o := range map[string]train.Objective{"ISM": train.ISM{}, "Exact": train.Exact{}} {
		_, g := gradOnce(t, ml, data, o)
		tol := 1e-12
		if name == "Exact" {
			tol = 1e-8 // log Z by differences
		}
		if n := nn.Norm(g); n > tol {
			t.Errorf("%s: gradient %.1e at the moments of the data", name, n)
		}
		// Control: elsewhere it does not vanish.
		off := must(energy.NewGaussian([]float64{m[0] + 0.01, m[1]}, c[:]))
		if _, g := gradOnce(t, off, data, o); nn.Norm(g) < 1e-3 {
			t.Errorf("%s: gradient %v off the moments", name, g)
		}
	}
	// And training gets there.
	fit := must(energy.NewGaussian([]float64{0, 0}, []float64{1, 0, 0, 1}))
	tr := must(train.New(fit, data, train.ISM{}, adam(0.02), train.Config{}))
	if err := tr.Fit(ctx, 800); err != nil {
		t.Fatal(err)
	}
	mean, cov := fit.Mean(nil), fit.Cov(nil)
	for j := range 2 {
		if math.Abs(mean[j]-m[j]) > 1e-4 {
			t.Errorf("mean %v, of the data %v", mean, m)
		}
	}
	for j := range 4 {
		if math.Abs(cov[j]-c[j]) > 1e-3 {
			t.Errorf("covariance %v, of the data %v", cov, c)
		}
	}
}

// repeat returns the mean gradient of many draws of an objective's noise, with
// errors.
func repeat(t *testing.T, m train.Model, data *ebmkit.Ensemble, o train.Objective, times int) (loss ebmkit.Estimate, grad []ebmkit.Estimate) {
	b := must(o.Bind(train.Task{Model: m, Data: data, Seed: 8}))
	p := m.NumParams()
	all := make([][]float64, p)
	var losses []float64
	g := make([]float64, p)
	for range times {
		clear(g)
		var rec train.Record
		if err := b.Grad(g, data.X, &rec); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, rec.Loss)
		for k, v := range g {
			all[k] = append(all[k], v)
		}
	}
	for _, v := range all {
		grad = append(grad, ebmkit.MeanOf(v))
	}
	return ebmkit.MeanOf(losses), grad
}

// The minimiser of denoising score matching among Gaussians is N(mean, cov +
// sigma^2 I) of the points, in closed form.
func TestDSMMinimiser(t *testing.T) {
	data := must(ebmkit.Draw(must(energy.NewGaussian([]float64{1, -1}, []float64{1, 0.5, 0.5, 2})), 40, 1))
	m, c := moments(data)
	sigma := 0.5
	at := func(add float64) float64 {
		g := must(energy.NewGaussian(m[:], []float64{c[0] + add, c[1], c[2], c[3] + add}))
		_, grad := repeat(t, g, data, train.DSM{Sigma: sigma, Draws: 20}, 300)
		worst := 0.0
		for _, e := range grad {
			worst = max(worst, math.Abs(e.Z(0)))
		}
		return worst
	}
	right, wrong := at(sigma*sigma), at(0)
	t.Logf("largest z of the gradient: %.1f at cov + sigma^2 I, %.1f at cov", right, wrong)
	if right > 4.5 {
		t.Errorf("at the closed form the gradient is %.1f standard errors from 0", right)
	}
	if wrong < 6 {
		t.Errorf("at the covariance of the data the gradient is only %.1f standard errors from 0", wrong)
	}
}

// SSM has the loss and the gradient of ISM as means, for energies and fields.
func TestSSMIsUnbiased(t *testing.T) {
	data := must(ebmkit.Draw(must(energy.NewRing(3, 1, 0.4)), 30, 1))
	mix := must(energy.NewMixture([]float64{1, 2}, []energy.Component{
		must(energy.NewGaussian([]float64{1, 0}, []float64{1, 0.5, 0.5, 2})), iso(0.7, -1, 1)}))
	for name, m := range map[string]train.Model{"mixture": mix, "network": net(2, 2, 6, 1), "field": field(2, 2)} {
		want, g := gradOnce(t, m, data, train.ISM{})
		loss, grad := repeat(t, m, data, train.SSM{}, 400)
		if z := loss.Z(want); math.Abs(z) > 4 {
			t.Errorf("%s: loss %v, of ISM %v (z = %.1f)", name, loss, want, z)
		}
		worst := 0.0
		for k, e := range grad {
			if e.SE > 1e-12 {
				worst = max(worst, math.Abs(e.Z(g[k])))
			}
		}
		t.Logf("%s: loss z = %.1f, largest z of %d parameters %.1f", name, loss.Z(want), len(g), worst)
		if worst > 5 {
			t.Errorf("%s: a parameter is %.1f standard errors from ISM", name, worst)
		}
	}
}

// A score network learns the score of a mixture where there are data, and is
// wrong where there are none.
func TestLearnedScore(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks")
	}
	truth := must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{-4, 4}, []float64{1, 1}))
	data := must(ebmkit.Draw(truth, 2000, 1))
	score := must(nn.NewField(nn.FieldConfig{Dim: 1, Hidden: []int{32, 32}, Act: nn.SiLU, Seed: 1}))
	energyNet := must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{1, 32, 32, 1}, Act: nn.SiLU, Seed: 1})), 0))
	const steps = 600
	const sigma = 0.2
	noisy := must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{-4, 4}, []float64{math.Sqrt(1 + sigma*sigma), math.Sqrt(1 + sigma*sigma)}))
	for name, c := range map[string]struct {
		m     train.Model
		o     train.Objective
		truth *energy.Mixture
		at    func(s, x []float64)
	}{
		"field, ISM": {score, train.ISM{}, truth, func(s, x []float64) { score.At(s, 0, x) }},
		"energy, DSM": {energyNet, train.DSM{Sigma: sigma}, noisy, func(s, x []float64) {
			ebmkit.NewEvaluator(energyNet).EnergyGrad(nil, s, x)
			for i := range s {
				s[i] = -s[i]
			}
		}},
	} {
		tr := must(train.New(c.m, data, c.o, adam(0.01), train.Config{Batch: 250, Seed: 3}))
		if err := tr.Fit(ctx, steps); err != nil {
			t.Fatal(err)
		}
		off := func(x []float64) float64 {
			s, g := make([]float64, len(x)), make([]float64, len(x))
			c.at(s, x)
			ebmkit.NewEvaluator(c.truth).EnergyGrad(nil, g, x)
			var e float64
			for i := range x {
				e += (s[i] + g[i]) * (s[i] + g[i]) / float64(len(x))
			}
			return math.Sqrt(e)
		}
		var between []float64
		for x := -1.5; x <= 1.5; x += 0.05 {
			between = append(between, x)
		}
		test := must(ebmkit.Draw(c.truth, 2000, 9))
		on, away := off(test.X), off(between)
		t.Logf("%s: root mean square error of the score %.3f on data, %.3f between the modes", name, on, away)
		if on > 0.35 {
			t.Errorf("%s: error %.3f on data", name, on)
		}
		if away < 2*on {
			t.Errorf("%s: error %.3f off data is no larger than %.3f on data", name, away, on)
		}
	}
}

// NCE finds the data's law and its log Z.
func TestNCE(t *testing.T) {
	truth := gauss1(1, 0.7)
	data := must(ebmkit.Draw(truth, 3000, 1))
	var sum, square float64
	for _, x := range data.X {
		sum += x
		square += x * x
	}
	mean := sum / 3000
	sd := math.Sqrt(square/3000 - mean*mean)
	m := gauss1(0, 1.5)
	tr := must(train.New(m, data, train.NCE{Noise: gauss1(0, 2), Ratio: 5}, must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 0.05, End: 0.001, Over: 600}})), train.Config{Seed: 1}))
	if err := tr.Fit(ctx, 600); err != nil {
		t.Fatal(err)
	}
	c := tr.Extra()[0]
	t.Logf("NCE: mean %.3f, sd %.3f (data %.3f, %.3f), log Z %.3f, exact %.3f", m.Mean(nil)[0], m.SD(nil)[0], mean, sd, c, m.LogZ())
	// Its errors are about those of maximum likelihood, 0.013 and 0.009, and what
	// the last steps still move.
	if math.Abs(m.Mean(nil)[0]-mean) > 0.05 || math.Abs(m.SD(nil)[0]-sd) > 0.04 || math.Abs(c-m.LogZ()) > 0.05 {
		t.Errorf("NCE: mean %v, sd %v, log Z %v", m.Mean(nil)[0], m.SD(nil)[0], c)
	}
	if h := tr.History(); h[599].LogZ == h[0].LogZ || h[599].Loss > h[0].Loss {
		t.Errorf("history: %+v", h[599])
	}
}
