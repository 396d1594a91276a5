package gan_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/gan"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// onLine is a model with G(z) = 0.3 + 1.1 z, and the laws of its data and of G.
func onLine(t *testing.T, hidden ...int) (m *gan.Model, p *energy.Mixture, q *energy.DiagonalGaussian) {
	t.Helper()
	m = must(gan.New(gan.Config{Dim: 1, Noise: 1, Discriminator: hidden, Act: nn.SiLU, Precision: nn.Float64, Seed: 2}))
	if err := m.Generator().SetParams([]float64{1.1, 0.3}); err != nil {
		t.Fatal(err)
	}
	p = must(energy.NewMixture1D([]float64{0.4, 0.6}, []float64{-1.2, 1.2}, []float64{0.5, 0.5}))
	return m, p, must(energy.NewGaussian1D(0.3, 1.1))
}

// One point at a time is a row of many.
func TestOnePoint(t *testing.T) {
	m, p, _ := onLine(t, 16)
	xs := must(ebmkit.Draw(p, 50, 1))
	l, d := make([]float64, xs.N), make([]float64, xs.N)
	m.LogRatio(l, xs.X)
	m.Discriminate(d, xs.X)
	if !slices.Equal(l, xs.Map(m.Logit)) || !slices.Equal(d, xs.Map(m.At)) {
		t.Error("Logit and At differ from LogRatio and Discriminate")
	}
}

// The means over samples are those of quadrature, and the bound of the
// Jensen-Shannon divergence is one, which the best discriminator meets.
func TestJudge(t *testing.T) {
	m, p, q := onLine(t, 16)
	v := must(m.Judge(must(ebmkit.Draw(p, 20000, 1)), must(m.Sample(30000, 2))))
	within(t, "V", v.V(), must(gan.Value(p, q, m.Logit, quad.All())).Value)
	fake := must(must(quad.NewDensity(q, quad.All())).ExpectOne(func(x []float64) float64 { return math.Log(1 - m.At(x)) }))
	within(t, "E[log(1 - D)]", v.Fake, fake.Value)

	// Two Gaussians of the same width: D* has a linear logit, -3/2 (x - 3/4).
	m = must(gan.New(gan.Config{Dim: 1, Noise: 1, Precision: nn.Float64}))
	if err := m.Discriminator().SetParams([]float64{-1.5, 1.125}); err != nil {
		t.Fatal(err)
	}
	data, fakes := must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(1.5, 1))
	js := must(divergence.JensenShannon(data, fakes, quad.All())).Value
	x, y := must(ebmkit.Draw(data, 20000, 3)), must(ebmkit.Draw(fakes, 20000, 4))
	within(t, "the best bound", must(m.Judge(x, y)).JensenShannon(), js)
	// Negative control: a lazy discriminator says less.
	if err := m.Discriminator().SetParams([]float64{-0.5, 0.375}); err != nil {
		t.Fatal(err)
	}
	if lazy := must(m.Judge(x, y)).JensenShannon(); lazy.Z(js) > -4 {
		t.Errorf("a lazy discriminator: %v, JSD %g", lazy, js)
	}
	wantArg(t, "data", last(m.Judge(nil, y)))
	wantArg(t, "fakes.Dim", last(m.Judge(x, must(ebmkit.NewEnsemble(3, 2)))))
}

// Regret is C - V, also where there is hardly a difference: it is half the mean
// square of a small change of the logit under p q/(p+q).
func TestRegret(t *testing.T) {
	m, p, q := onLine(t, 16)
	c := must(gan.Cost(p, q, quad.All())).Value
	o := must(gan.NewOptimal(p, q))
	for _, logit := range []func(x []float64) float64{
		m.Logit, func([]float64) float64 { return 0 }, func(x []float64) float64 { return o.LogRatio(x) + x[0] },
	} {
		r := must(gan.Regret(p, q, logit, quad.All()))
		near(t, "C - V", r.Value, c-must(gan.Value(p, q, logit, quad.All())).Value, 1e-10)
	}
	near(t, "regret of the best", must(gan.Regret(p, q, o.LogRatio, quad.All())).Value, 0, 0)
	const eps = 1e-4
	half := must(must(quad.NewDensity(p, quad.All())).ExpectOne(func(x []float64) float64 { return (1 - o.At(x)) * x[0] * x[0] / 2 })).Value
	r := must(gan.Regret(p, q, func(x []float64) float64 { return o.LogRatio(x) + eps*x[0] }, quad.All())).Value
	// The next order is smaller by eps, and the quadrature is right to 1e-12.
	near(t, "second order", r/(eps*eps*half), 1, 3e-4)
	// In the plane, where equal laws make D* = 1/2, and D = s(1) costs
	// 2 KL(1/2, s(1)) = log (1+e)^2/(4e).
	plane := must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	r = must(gan.Regret(plane, plane, func([]float64) float64 { return 1 }, quad.All())).Value
	near(t, "equal laws", r, 2*math.Log(1+math.E)-1-math.Log(4), 1e-10)
	wantArg(t, "p and q", last(gan.Regret(nil, q, m.Logit, quad.All())))
}

// A watch counts what CountModes counts, when it should, and does not touch the
// training.
func TestModeWatch(t *testing.T) {
	ring := must(energy.NewRing(3, 2, 0.3))
	data := must(ebmkit.Draw(ring, 500, 1))
	train := func(hooks ...gan.Hook) *gan.Model {
		m := must(gan.New(gan.Config{Dim: 2, Noise: 2, Generator: []int{8}, Discriminator: []int{8}, Act: nn.ReLU, Seed: 1}))
		tr := must(gan.NewTrainer(m, data, gan.TrainConfig{AdamG: adam(nn.Constant(0.01)), AdamD: adam(nn.Constant(0.01)), Batch: 50, Seed: 1, Hooks: hooks}))
		if err := tr.Fit(context.Background(), 45); err != nil {
			t.Fatal(err)
		}
		return m
	}
	watch := &gan.ModeWatch{Mix: ring, Points: 200, Radius: 4, Seed: 7}
	if watch.Masses() != nil {
		t.Error("masses before training")
	}
	m := train(watch.Hook(15))
	if !slices.Equal(watch.Steps, []int{15, 30, 45}) || len(watch.Modes) != 3 {
		t.Fatalf("counted after %v", watch.Steps)
	}
	want := must(gan.CountModes(ring, must(m.Sample(200, 7)), 4))
	now := must(watch.Count(m))
	masses, sum := watch.Masses(), now.Outside.Value
	for k, e := range want.Mass {
		if watch.Modes[2].Mass[k] != e || now.Mass[k] != e || masses[3*k+2] != e.Value || masses[3*k] != watch.Modes[0].Mass[k].Value {
			t.Errorf("mode %d: %v, %v, %v", k, e, now.Mass[k], masses)
		}
		sum += masses[3*k+2]
	}
	near(t, "all points", sum, 1, 1e-15)
	if len(masses) != 9 || len(watch.Modes) != 3 {
		t.Errorf("%d masses of %d counts", len(masses), len(watch.Modes))
	}
	if plain := train(); !slices.Equal(plain.Generator().Params(nil), m.Generator().Params(nil)) {
		t.Error("watching changes the training")
	}
	wantArg(t, "radius", last((&gan.ModeWatch{Mix: ring, Points: 20}).Count(m)))
	wantArg(t, "n", last((&gan.ModeWatch{Mix: ring, Radius: 4}).Count(m)))
}
