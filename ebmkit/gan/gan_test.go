package gan_test

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
	"github.com/ebmkit/hitchhiker/ebmkit/gan"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/race"
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

func within(t *testing.T, what string, e ebmkit.Estimate, exact float64) {
	t.Helper()
	z := e.Z(exact)
	t.Logf("%s: %v, exact %.6g, z = %.2f", what, e, exact, z)
	if !(math.Abs(z) < 4) {
		t.Errorf("%s: z = %.2f", what, z)
	}
}

func adam(rate nn.Schedule) nn.AdamConfig { return nn.AdamConfig{Rate: rate} }

var minusLog4 = -math.Log(4)

// Theorems 3.1 and 3.2 by quadrature: D* = p/(p+q); C(G) = V(G, D*) is the
// maximum over D, -ln 4 plus twice the Jensen-Shannon divergence, and -ln 4 where
// the densities are equal.
func TestOptimum(t *testing.T) {
	p := must(energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-1, 1.5}, []float64{0.5, 0.7}))
	q := must(energy.NewGaussian1D(0.4, 1.3))
	o := must(gan.NewOptimal(p, q))
	for x := -4.0; x <= 5; x += 0.25 {
		at := []float64{x}
		dp, dq := math.Exp(-p.Energy(at)-p.LogZ()), math.Exp(-q.Energy(at)-q.LogZ())
		near(t, "D*", o.At(at), dp/(dp+dq), 1e-14)
	}
	c := must(gan.Cost(p, q, quad.All()))
	js := must(divergence.JensenShannon(p, q, quad.All()))
	near(t, "C(G)", c.Value, minusLog4+2*js.Value, 1e-11)
	if !(js.Value > 0.01 && js.Value < math.Ln2) {
		t.Errorf("JS = %g", js.Value)
	}
	near(t, "C(G*)", must(gan.Cost(p, p, quad.All())).Value, minusLog4, 1e-12)
	for _, f := range []func(x []float64) float64{
		func(x []float64) float64 { return 0.9 * o.LogRatio(x) },
		func(x []float64) float64 { return o.LogRatio(x) + 0.1 },
		func(x []float64) float64 { return 0 },
	} {
		v := must(gan.Value(p, q, f, quad.All())).Value
		if v >= c.Value-1e-6 {
			t.Errorf("V = %g is not below the maximum %g", v, c.Value)
		}
	}
	if testing.Short() {
		return
	}
	// In two dimensions, and for densities that hardly overlap: C is close to 0.
	ring := must(energy.NewRing(3, 4, 0.3))
	far := must(energy.NewIsotropicGaussian([]float64{0, 0}, 0.3))
	dom := quad.Box([]float64{-7, -7}, []float64{7, 7})
	c = must(gan.Cost(ring, far, dom))
	near(t, "C far apart", c.Value, 0, 1e-8)
	near(t, "C(G*) in the plane", must(gan.Cost(far, far, dom)).Value, minusLog4, 1e-10)
}

// A discriminator that is trained on a generator held fixed, here a linear one
// whose law is known, approaches D*: V rises to C(G), and the logit to the log
// ratio of the densities where there are points.
func TestTrainedDiscriminator(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 1,500 steps")
	}
	p := must(energy.NewMixture1D([]float64{0.4, 0.6}, []float64{-1.2, 1.2}, []float64{0.5, 0.5}))
	data := must(ebmkit.Draw(p, 40000, 1))
	m := must(gan.New(gan.Config{Dim: 1, Noise: 1, Discriminator: []int{32, 32}, Act: nn.SiLU, Seed: 2}))
	if err := m.Generator().SetParams([]float64{1.1, 0.3}); err != nil {
		t.Fatal(err)
	}
	q := must(energy.NewGaussian1D(0.3, 1.1))
	o := must(gan.NewOptimal(p, q))
	cost := must(gan.Cost(p, q, quad.All())).Value
	logit := func(x []float64) float64 {
		var l [1]float64
		m.LogRatio(l[:], x)
		return l[0]
	}
	loss := func() float64 { return cost - value(p, q, logit) }
	before := loss()
	steps := 1500
	tr := must(gan.NewTrainer(m, data, gan.TrainConfig{Batch: 512, Seed: 3,
		AdamD: adam(nn.Cosine{Start: 5e-3, End: 1e-5, Over: steps}), AdamG: adam(nn.Constant(1e-3))}))
	for range steps {
		must(tr.StepD())
	}
	after := loss()
	worst := 0.0
	for x := -2.0; x <= 2; x += 0.1 {
		at := []float64{x}
		worst = max(worst, math.Abs(1/(1+math.Exp(-logit(at)))-o.At(at)))
	}
	t.Logf("C - V: %.4f -> %.2g; largest |D - D*| in [-2, 2]: %.3f", before, after, worst)
	// 8e5 draws of each side and 1,000 parameters: C - V of the order of
	// parameters/draws = 1e-3.
	if after > 2e-3 || after < 0 || before < 0.05 {
		t.Errorf("C - V: %g -> %g", before, after)
	}
	if worst > 0.05 {
		t.Errorf("|D - D*| up to %g", worst)
	}
	if !slices.Equal(m.Generator().Params(nil), []float64{1.1, 0.3}) {
		t.Error("the generator moved")
	}
	if tr.Steps() != 0 || len(tr.History()) != 0 {
		t.Error("steps of D alone were counted")
	}
}

// value is V by a plain sum, for logits in float32 that are not smooth enough
// for an adaptive rule.
func value(p, q ebmkit.Normalized, logit func(x []float64) float64) (v float64) {
	const h = 0.01
	for x := -7.0; x <= 7; x += h {
		at := []float64{x}
		l := logit(at)
		v -= h * math.Exp(-p.Energy(at)-p.LogZ()) * math.Log1p(math.Exp(-l))
		v -= h * math.Exp(-q.Energy(at)-q.LogZ()) * math.Log1p(math.Exp(l))
	}
	return v
}

// The orbits of the smallest game against their closed forms.
func TestDirac(t *testing.T) {
	start := gan.Dirac{Theta: 1, Psi: 0.5, Step: 0.2}
	radius2 := func(x []float64) float64 { return x[0]*x[0] + x[1]*x[1] }
	with := func(l gan.Loss, u gan.Update, step, r1 float64) gan.Dirac {
		g := start
		g.Loss, g.Update, g.Step, g.R1 = l, u, step, r1
		return g
	}
	// Simultaneous steps spiral out, by a factor that is known at each.
	orbit := must(with(gan.Saturating, gan.Simultaneous, 0.2, 0).Play(200))
	for k := range 200 {
		x := orbit.Row(k)
		s := 1 / (1 + math.Exp(-x[0]*x[1]))
		near(t, "growth", radius2(orbit.Row(k+1)), radius2(x)*(1+0.04*s*s), 1e-13*radius2(x))
	}
	if r := radius2(orbit.Row(200)); r < 2 {
		t.Errorf("radius^2 %g", r)
	}
	orbit = must(with(gan.Linear, gan.Simultaneous, 0.2, 0).Play(50))
	near(t, "linear growth", radius2(orbit.Row(50)), 1.25*math.Pow(1.04, 50), 1e-12)
	// Alternating ones do not: the linear game keeps a quadratic form.
	orbit = must(with(gan.Linear, gan.Alternating, 0.2, 0).Play(1000))
	form := func(x []float64) float64 { return radius2(x) - 0.2*x[0]*x[1] }
	near(t, "invariant", form(orbit.Row(1000)), form(orbit.Row(0)), 1e-12)
	if simultaneous := must(with(gan.Linear, gan.Simultaneous, 0.2, 0).Play(10)); math.Abs(form(simultaneous.Row(10))-form(simultaneous.Row(0))) < 0.1 {
		t.Error("negative control: simultaneous steps keep it too")
	}

	// The continuous game: circles, with a known period.
	for _, l := range []gan.Loss{gan.Saturating, gan.Linear} {
		g := with(l, gan.Simultaneous, 0, 0)
		period := must(g.Period())
		integral := must(quad.Integrate(func(phi float64) float64 {
			if l == gan.Linear {
				return 1
			}
			return 1 + math.Exp(-radius2([]float64{1, 0.5})/2*math.Sin(2*phi))
		}, 0, 2*math.Pi)).Value
		near(t, "period", period, integral, 1e-12)
		// Against small steps of the midpoint rule, in both coordinates.
		const n = 4000
		h := 1.3 * period / n
		theta, psi := g.Theta, g.Psi
		for k := range n {
			if k%1000 == 0 {
				x, y, err := g.Flow(float64(k) * h)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "flow theta", x, theta, 1e-5)
				near(t, "flow psi", y, psi, 1e-5)
				near(t, "flow radius", x*x+y*y, 1.25, 1e-13)
			}
			a, b := g.Velocity(theta, psi)
			a, b = g.Velocity(theta+h/2*a, psi+h/2*b)
			theta, psi = theta+h*a, psi+h*b
		}
		x, y, err := g.Flow(3 * period)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "after three turns", math.Hypot(x-1, y-0.5), 0, 1e-9)
	}
	// Two cures: R1 makes the game converge, the non-saturating loss slowly too.
	end := func(g gan.Dirac, n int) float64 { return radius2(must(g.Play(n)).Row(n)) }
	if r := end(with(gan.Saturating, gan.Alternating, 0.1, 1), 1000); r > 1e-6 {
		t.Errorf("with R1: radius^2 %g", r)
	}
	if r := end(with(gan.NonSaturating, gan.Alternating, 0.02, 0), 20000); r > 0.3 {
		t.Errorf("non-saturating: radius^2 %g", r)
	}
	var arg *ebmkit.ArgError
	for _, err := range []error{
		last(with(gan.NonSaturating, 0, 0, 0).Period()), last(with(gan.Saturating, 0, 0, 1).Period()),
		last(gan.Dirac{Theta: 100}.Period()), last(gan.Dirac{Theta: math.NaN(), Step: 1}.Play(1)),
		last(with(gan.Linear, 0, 0, 0).Play(1)), last(start.Play(-1)), last(with(9, 0, 1, 0).Play(1)),
		last(with(0, 9, 1, 0).Play(1)), last(with(0, 0, 1, -1).Play(1)),
	} {
		if !errors.As(err, &arg) {
			t.Errorf("got %v", err)
		}
	}
}

func last[T any](_ T, err error) error { return err }

// Values and gradients of a step are those of V and of the generator's loss:
// the numbers by plain sums over the same noise, the norms of the gradients by
// finite differences of those sums.
func TestGradients(t *testing.T) {
	const n = 100
	for _, loss := range []gan.Loss{gan.NonSaturating, gan.Saturating} {
		m := must(gan.New(gan.Config{Dim: 2, Noise: 2, Generator: []int{6}, Discriminator: []int{7}, Act: nn.Tanh, Precision: nn.Float64, Seed: 4}))
		data := must(ebmkit.NewEnsemble(n, 2))
		ebmkit.NewStream(2, "data", 0).FillNormal(data.X)
		still := adam(nn.Constant(1e-12))
		tr := must(gan.NewTrainer(m, data, gan.TrainConfig{Loss: loss, Seed: 5, AdamG: still, AdamD: still}))
		rec := must(tr.Step())
		// The noise of the step: one batch for D, one for G.
		s := ebmkit.NewStream(5, "noise", 0)
		zd, zg, fake, logit := make([]float64, 2*n), make([]float64, 2*n), make([]float64, 2*n), make([]float64, n)
		s.FillNormal(zd)
		s.FillNormal(zg)
		// meanLog returns the mean of log s(sign*logit) over points.
		meanLog := func(sign float64, xs []float64) (v float64) {
			m.LogRatio(logit, xs)
			for _, l := range logit {
				v -= math.Log1p(math.Exp(-sign*l)) / n
			}
			return v
		}
		value := func() float64 {
			m.Generate(fake, zd)
			return meanLog(1, data.X) + meanLog(-1, fake)
		}
		lossG := func() float64 {
			m.Generate(fake, zg)
			if loss == gan.Saturating {
				return meanLog(-1, fake)
			}
			return -meanLog(1, fake)
		}
		norm := func(net *nn.MLP, f func() float64) (sum float64) {
			theta := net.Params(nil)
			at := slices.Clone(theta)
			for k := range theta {
				const h = 1e-5
				at[k] = theta[k] + h
				net.SetParams(at)
				up := f()
				at[k] = theta[k] - h
				net.SetParams(at)
				sum += math.Pow((up-f())/(2*h), 2)
				at[k] = theta[k]
			}
			net.SetParams(theta)
			return math.Sqrt(sum)
		}
		near(t, "V", rec.V, value(), 1e-10)
		near(t, "loss", rec.GLoss, lossG(), 1e-10)
		near(t, "norm of the gradient of D", rec.DNorm, norm(m.Discriminator(), value), 1e-9)
		near(t, fmt.Sprint(loss, ": norm of the gradient of G"), rec.GNorm, norm(m.Generator(), lossG), 1e-9)
	}
}

// The generator learns a Gaussian, whose game ends at V = -ln 4; the same with the
// discriminator one step ahead and the saturating loss.
func TestLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("trains two networks")
	}
	target := must(energy.NewGaussian([]float64{1, -0.5}, []float64{0.5, 0.2, 0.2, 0.3}))
	data := must(ebmkit.Draw(target, 4096, 1))
	for _, c := range []gan.TrainConfig{{Loss: gan.NonSaturating}, {Loss: gan.Saturating, DSteps: 2}} {
		m := must(gan.New(gan.Config{Dim: 2, Noise: 2, Generator: []int{16}, Discriminator: []int{32}, Act: nn.SiLU, Seed: 1}))
		steps := 1500
		c.AdamG, c.AdamD = nn.AdamConfig{Rate: nn.Cosine{Start: 2e-3, End: 1e-5, Over: steps}, Beta1: 0.5}, nn.AdamConfig{Rate: nn.Cosine{Start: 4e-3, End: 1e-5, Over: steps}, Beta1: 0.5}
		c.Batch, c.Seed = 256, 2
		tr := must(gan.NewTrainer(m, data, c))
		before := must(gan.Frechet(must(m.Sample(4000, 1)), data))
		if err := tr.Fit(context.Background(), steps); err != nil {
			t.Fatal(err)
		}
		after := must(gan.Frechet(must(m.Sample(4000, 1)), data))
		v := ebmkit.MeanOf(tr.Series(func(r gan.Record) float64 { return r.V })[steps-100:])
		t.Logf("%v: Frechet distance %v -> %v, V = %v", c.Loss, before, after, v)
		if after.Value > 0.03 || before.Value < 0.3 {
			t.Errorf("%v: Frechet distance %v -> %v", c.Loss, before, after)
		}
		near(t, "V", v.Value, minusLog4, 0.03)
		if w := tr.Warnings(); len(w) != 0 {
			t.Errorf("warned of %v", w)
		}
	}
}

// A discriminator that has won is reported, with the cure that fits, and the
// saturating loss leaves the generator without a gradient.
func TestSaturation(t *testing.T) {
	data := must(ebmkit.NewEnsemble(64, 1))
	for i := range data.X {
		data.X[i] = 30
	}
	norm := map[gan.Loss]float64{}
	for _, loss := range []gan.Loss{gan.Saturating, gan.NonSaturating} {
		m := must(gan.New(gan.Config{Dim: 1, Noise: 1, Act: nn.SiLU, Seed: 1}))
		tr := must(gan.NewTrainer(m, data, gan.TrainConfig{Loss: loss, Seed: 1, AdamG: adam(nn.Constant(1e-9)), AdamD: adam(nn.Constant(0.2))}))
		if err := tr.Fit(context.Background(), 400); err != nil {
			t.Fatal(err)
		}
		w := tr.Warnings()
		if len(w) != 1 || w[0].Cure == "" {
			t.Fatalf("%v: warnings %v", loss, w)
		}
		t.Log(w[0])
		norm[loss] = tr.History()[399].GNorm
	}
	if norm[gan.Saturating] > 1e-2*norm[gan.NonSaturating] {
		t.Errorf("gradient norms %v", norm)
	}
}

// Modes are counted with errors that fit, and a missing one is named.
func TestCountModes(t *testing.T) {
	weights := []float64{1, 2, 3, 4}
	ring := must(energy.NewWeightedRing(weights, 5, 0.3))
	xs := must(ebmkit.Draw(ring, 20000, 1))
	m := must(gan.CountModes(ring, xs, 2))
	for k, e := range m.Mass {
		near(t, "exact mass", m.Exact[k], weights[k]/10*(1-math.Exp(-2)), 1e-14)
		within(t, "mass", e, m.Exact[k])
	}
	within(t, "outside", m.Outside, math.Exp(-2))
	if m.Found() != 4 || m.Distance() > 0.01 {
		t.Errorf("found %d, distance %g", m.Found(), m.Distance())
	}
	part := must(ebmkit.Draw(must(energy.NewIsotropicGaussian(ring.Modes()[:2], 0.3)), 1000, 2))
	m = must(gan.CountModes(ring, part, 4))
	if m.Found() != 1 || len(m.Missed) != 3 || m.Distance() < 0.5 {
		t.Errorf("of one mode: found %d, missed %v, distance %g", m.Found(), m.Missed, m.Distance())
	}
	// In other dimensions, against draws.
	for _, d := range []int{1, 3, 4, 5} {
		c := must(energy.NewIsotropicGaussian(make([]float64, d), 1))
		mix := must(energy.NewMixture([]float64{1}, []energy.Component{c}))
		m := must(gan.CountModes(mix, must(ebmkit.Draw(c, 20000, uint64(d))), 1.7))
		within(t, fmt.Sprint("ball in ", d), m.Mass[0], m.Exact[0])
	}
	var arg *ebmkit.ArgError
	for _, err := range []error{last(gan.CountModes(nil, xs, 2)), last(gan.CountModes(ring, nil, 2)), last(gan.CountModes(ring, xs, 0))} {
		if !errors.As(err, &arg) {
			t.Errorf("got %v", err)
		}
	}
}

// The Frechet distance of Gaussians is that of their laws within its error, and
// that error has the right size; of a ring and a Gaussian with its moments it is
// 0: it sees no modes.
func TestFrechet(t *testing.T) {
	p := must(energy.NewGaussian([]float64{0, 0}, []float64{1, 0.3, 0.3, 0.5}))
	q := must(energy.NewGaussian([]float64{0.5, 0}, []float64{0.4, 0, 0, 1.5}))
	w := divergence.W2Gaussian(p, q)
	var z []float64
	for seed := range uint64(40) {
		e := must(gan.Frechet(must(ebmkit.Draw(p, 1000, 2*seed)), must(ebmkit.Draw(q, 800, 2*seed+1))))
		z = append(z, e.Z(w*w))
	}
	m := ebmkit.MeanOf(z)
	spread := m.SE * math.Sqrt(40)
	t.Logf("z = %v, spread %.2f", m, spread)
	// The spread of 40 deviates is 1 +- 0.11; SE itself, of 20 groups, is good to 16 %.
	if math.Abs(m.Value) > 0.8 || spread < 0.6 || spread > 1.5 {
		t.Error("the errors do not fit")
	}
	ring := must(energy.NewRing(8, 2, 0.1))
	same := must(energy.NewGaussian(ring.Mean(nil), ring.Cov(nil)))
	x, y := must(ebmkit.Draw(ring, 20000, 1)), must(ebmkit.Draw(same, 20000, 2))
	blind := must(gan.Frechet(x, y))
	sliced := must(divergence.SlicedW2(x, y, 50, 1))
	t.Logf("ring against a Gaussian: Frechet %.4g, sliced W2 %v", blind.Value, sliced)
	if blind.Value > 2e-3 || sliced.Value < 0.1 {
		t.Errorf("Frechet %v, sliced W2 %v", blind, sliced)
	}
	flat := x.Clone()
	for i := range flat.N {
		flat.X[2*i] = 1
	}
	var arg *ebmkit.ArgError
	for _, err := range []error{last(gan.Frechet(nil, y)), last(gan.Frechet(x, nil)), last(gan.Frechet(flat, y)), last(gan.Frechet(must(ebmkit.Draw(p, 59, 1)), y))} {
		if !errors.As(err, &arg) {
			t.Errorf("got %v", err)
		}
	}
}

// The same seed gives the same bits on any number of cores, in either precision.
func TestSameBits(t *testing.T) {
	data := must(ebmkit.NewEnsemble(300, 2))
	ebmkit.NewStream(1, "data", 0).FillNormal(data.X)
	for _, p := range []nn.Precision{nn.Float32, nn.Float64} {
		train := func(cores int, seed uint64) []float64 {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			m := must(gan.New(gan.Config{Dim: 2, Noise: 3, Generator: []int{16}, Discriminator: []int{16}, Act: nn.SiLU, Precision: p, Seed: 1}))
			tr := must(gan.NewTrainer(m, data, gan.TrainConfig{AdamG: adam(nn.Constant(0.01)), AdamD: adam(nn.Constant(0.01)), Batch: 130, DSteps: 2, Seed: seed}))
			if err := tr.Fit(context.Background(), 20); err != nil {
				t.Fatal(err)
			}
			return append(m.Generator().Params(nil), m.Discriminator().Params(nil)...)
		}
		theta := train(1, 1)
		for _, cores := range []int{2, 7} {
			if !slices.Equal(theta, train(cores, 1)) {
				t.Errorf("%v: %d cores give other bits", p, cores)
			}
		}
		if slices.Equal(theta, train(1, 2)) {
			t.Errorf("%v: another seed gives the same", p)
		}
	}
}

func TestFit(t *testing.T) {
	data := must(ebmkit.NewEnsemble(64, 2))
	ebmkit.NewStream(1, "data", 0).FillNormal(data.X)
	ctx, stop := context.WithCancel(context.Background())
	var calls, shown int
	enough := errors.New("enough")
	m := must(gan.New(gan.Config{Dim: 2, Noise: 1, Seed: 1}))
	tr := must(gan.NewTrainer(m, data, gan.TrainConfig{AdamG: adam(nn.Constant(0.01)), AdamD: adam(nn.Constant(0.01)),
		Progress: func(done, total int, last gan.Record) { shown++ },
		Hooks: []gan.Hook{{Name: "count", Every: 2, Do: func(tr *gan.Trainer, r gan.Record) error {
			calls++
			if tr.Steps() == 6 {
				stop()
			}
			if tr.Steps() == 10 {
				return enough
			}
			return nil
		}}}}))
	if err := tr.Fit(ctx, 20); err != context.Canceled || tr.Steps() != 6 || calls != 3 {
		t.Errorf("%v after %d steps, %d calls", err, tr.Steps(), calls)
	}
	if err := tr.Fit(context.Background(), 20); !errors.Is(err, enough) || tr.Steps() != 10 || shown == 0 {
		t.Errorf("%v after %d steps", err, tr.Steps())
	}
	// Running away.
	tr = must(gan.NewTrainer(m, data, gan.TrainConfig{AdamG: adam(nn.Constant(1e30)), AdamD: adam(nn.Constant(1e30))}))
	err := tr.Fit(context.Background(), 100)
	var d *ebmkit.DivergedError
	if !errors.As(err, &d) || d.Step != tr.Steps() || d.Hint == "" {
		t.Fatalf("got %v", err)
	}
	if _, again := tr.Step(); again != err {
		t.Errorf("it goes on: %v", again)
	}
}

func TestBadArguments(t *testing.T) {
	for want, c := range map[string]gan.Config{
		"Dim": {Noise: 1}, "Noise": {Dim: 1}, "Generator[0]": {Dim: 1, Noise: 1, Generator: []int{0}},
		"Discriminator[1]": {Dim: 1, Noise: 1, Discriminator: []int{2, -1}}, "Act": {Dim: 1, Noise: 1, Act: 99},
		"Precision": {Dim: 1, Noise: 1, Precision: 99},
	} {
		_, err := gan.New(c)
		wantArg(t, want, err)
	}
	m := must(gan.New(gan.Config{Dim: 2, Noise: 1}))
	data := must(ebmkit.NewEnsemble(10, 2))
	try := func(want string, m *gan.Model, data *ebmkit.Ensemble, f func(c *gan.TrainConfig)) {
		t.Helper()
		c := gan.TrainConfig{AdamG: adam(nn.Constant(0.01)), AdamD: adam(nn.Constant(0.01))}
		f(&c)
		_, err := gan.NewTrainer(m, data, c)
		wantArg(t, want, err)
	}
	keep := func(*gan.TrainConfig) {}
	nan := data.Clone()
	nan.X[5] = math.NaN()
	try("m", nil, data, keep)
	try("data", m, nil, keep)
	try("data.Dim", m, must(ebmkit.NewEnsemble(10, 3)), keep)
	try("data, point 2, coordinate 1", m, nan, keep)
	try("Batch", m, data, func(c *gan.TrainConfig) { c.Batch = 11 })
	try("DSteps", m, data, func(c *gan.TrainConfig) { c.DSteps = -1 })
	try("Loss", m, data, func(c *gan.TrainConfig) { c.Loss = gan.Linear })
	try("Rate", m, data, func(c *gan.TrainConfig) { c.AdamD.Rate = nil })
	try("Hooks[0]", m, data, func(c *gan.TrainConfig) { c.Hooks = []gan.Hook{{Name: "none"}} })
	_, err := m.Sample(0, 1)
	wantArg(t, "n", err)
	one, two := must(energy.NewGaussian1D(0, 1)), must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	_, err = gan.NewOptimal(one, two)
	wantArg(t, "q.Dim()", err)
	_, err = gan.NewOptimal(nil, two)
	wantArg(t, "p and q", err)
	_, err = gan.Value(one, two, func([]float64) float64 { return 0 }, quad.All())
	wantArg(t, "q.Dim()", err)
}

func wantArg(t *testing.T, arg string, err error) {
	t.Helper()
	var e *ebmkit.ArgError
	if !errors.As(err, &e) || e.Arg != arg {
		t.Errorf("want an error about %s, got %v", arg, err)
	}
}

// A step allocates nothing but the growing history, and a stream per epoch.
func TestAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	data := must(ebmkit.NewEnsemble(1000, 2))
	m := must(gan.New(gan.Config{Dim: 2, Noise: 1, Generator: []int{8}, Discriminator: []int{8}, Act: nn.ReLU}))
	tr := must(gan.NewTrainer(m, data, gan.TrainConfig{AdamG: adam(nn.Constant(0.01)), AdamD: adam(nn.Constant(0.01)), Batch: 20}))
	must(tr.Step())
	if n := testing.AllocsPerRun(100, func() { must(tr.Step()) }); n > 0.5 {
		t.Errorf("%g allocations per step", n)
	}
}

// What the game amounts to is known for known densities.
func Example() {
	data := must(energy.NewGaussian1D(0, 1))
	generator := must(energy.NewGaussian1D(1, 1))
	best := must(gan.NewOptimal(data, generator))
	fmt.Printf("D* at 0: %.4f, at 1: %.4f\n", best.At([]float64{0}), best.At([]float64{1}))
	fmt.Printf("C(G) = %.4f, at the optimum %.4f\n",
		must(gan.Cost(data, generator, quad.All())).Value, must(gan.Cost(data, data, quad.All())).Value)

	game := gan.Dirac{Theta: 1, Loss: gan.Saturating, Step: 0.1}
	period := must(game.Period())
	end := must(game.Play(200)).Row(200)
	fmt.Printf("a turn takes %.3f; 200 steps end at the radius %.3f\n", period, math.Hypot(end[0], end[1]))
	// Output:
	// D* at 0: 0.6225, at 1: 0.3775
	// C(G) = -1.1635, at the optimum -1.3863
	// a turn takes 12.965; 200 steps end at the radius 1.272
}
