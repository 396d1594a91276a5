package diffusion

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// Coefficients and their derivatives agree, and gamma' gamma is that of gamma.
func TestDerivativesInTime(t *testing.T) {
	d := Diffused{VE{1, 1}, 1.5}
	all := map[string]Interpolant{"one-sided": {OneSided{}, Fading{}}, "diffused": {d, d}}
	for name, p := range interpolants {
		all[name] = p
	}
	for name, p := range all {
		for _, u := range []float64{0.2, 0.5, 0.9} {
			_, _, da, db := p.I.Coefficients(u)
			_, product := p.Gamma.At(u)
			for k, want := range []float64{da, db, product} {
				got, e := conform.Derivative(func(h float64) float64 {
					a, b, _, _ := p.I.Coefficients(u + h)
					g, _ := p.Gamma.At(u + h)
					return []float64{a, b, g * g / 2}[k]
				}, 0.02)
				near(t, name+": derivative", want, got, 10*e+1e-10)
			}
		}
	}
}

// b and E[z | x] are conditional expectations: the residual of a sample,
// (target - field(X)), is uncorrelated with any function of X. 0.9 of the field
// fails.
func TestConditionalExpectation(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	const n = 15000
	x0, x1 := must(ebmkit.Draw(ring(), n, 1)), must(ebmkit.Draw(skew(), n, 2))
	for name, p := range interpolants {
		if testing.Short() && name != "linear, bridge" {
			continue
		}
		law := must(p.Law(ring(), skew()))
		for target, field := range map[Target]ebmkit.Field{Velocity: law.Velocity(), Noise: law.Denoiser(), Score: law.Score()} {
			if target != Velocity && p.Gamma == (NoNoise{}) {
				continue
			}
			b := must(NewBatch(n, 2))
			r := Regression{Interpolant: p, Target: target, Margin: 0.05}
			if target == Score {
				r.Margin = 0.2 // the variance of z/gamma
			}
			if err := r.Draw(b, x0, x1, ebmkit.NewStream(3, name, int(target))); err != nil {
				t.Fatal(err)
			}
			v, w := b.values(field), b.values(Scaled(0.9, field))
			good, bad := make([]float64, n), make([]float64, n)
			for i := range n {
				for j := range 2 {
					// A test function of (x, t): the field itself, and a wave.
					k := 2*i + j
					probe := w[k] + 0.3*math.Sin(2*b.X[k]+3*b.T[i])
					good[i] += (b.Y[k] - v[k]) * probe
					bad[i] += (b.Y[k] - w[k]) * probe
				}
			}
			zScore(t, name+", "+target.String(), ebmkit.MeanOf(good), 0)
			if z := ebmkit.MeanOf(bad).Z(0); math.Abs(z) < 5 {
				t.Errorf("%s, %v: 0.9 of the field passes, z = %.1f", name, target, z)
			}
		}
	}
}

// The law at t = 1 is the data, whatever epsilon; with b too small, or with the
// score left out of the SDE, it is not.
func TestGeneration(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	ctx := context.Background()
	base, data := must(energy.NewIsotropicGaussian([]float64{0, 0}, 1)), ring()
	n, small := 3000, 0.9
	if testing.Short() {
		n, small = 500, 0.5
	}
	same := ringTest(n)
	start := must(ebmkit.Draw(base, n, 5))
	run := func(e SDE, scheme Scheme, seed uint64) float64 {
		return must(same.Ratio(must(e.Run(ctx, Config{Walkers: n, Times: Uniform(0, 1, 200), Scheme: scheme, Init: start, Seed: seed})).Last()))
	}
	for _, name := range []string{"linear, bridge", "trigonometric, sine"} {
		law := must(interpolants[name].Law(base, data))
		b, s := law.Velocity(), law.Score()
		d := run(must(Transport(b)), RK4, 0)
		t.Logf("%s: ODE %.2f of the limit", name, d)
		if d >= 1 {
			t.Errorf("%s: the ODE misses the data, %.2f of the limit", name, d)
		}
		for _, eps := range []float64{0.2, 0.5, 2} {
			if testing.Short() && eps != 0.5 {
				continue
			}
			d := run(must(NoisyTransport(b, s, eps)), Heun, uint64(10*eps))
			wrong := must(NoisyTransport(b, Scaled(0, s), eps))
			w := run(wrong, Heun, 1)
			t.Logf("%s: epsilon %g %.2f of the limit, without the score %.1f", name, eps, d, w)
			if d >= 1 || w <= 1 {
				t.Errorf("%s: epsilon %g: %.2f of the limit, without the score %.2f", name, eps, d, w)
			}
		}
		if d := run(must(Transport(Scaled(small, b))), RK4, 0); d <= 1 {
			t.Errorf("%s: %g of b passes, %.2f of the limit", name, small, d)
		}
	}
}

func TestConditions(t *testing.T) {
	const (
		start = iota
		end
		bounded
		g0
		g1
		positive
		moment
		transport
	)
	d := Diffused{VP{0.1, 20}, 1}
	bare := func(p Interpolant, base ebmkit.Energy, violated ...int) {
		t.Helper()
		got := must(p.Conditions(base, skew()))
		if len(got) != 8 {
			t.Fatalf("%d conditions", len(got))
		}
		for i, c := range got {
			want := true
			for _, v := range violated {
				want = want && v != i
			}
			if c.Holds != want {
				t.Errorf("%T, %T: %v", p.I, p.Gamma, c)
			}
			if strings.Contains(c.String(), "VIOLATED") == c.Holds {
				t.Errorf("verdict of %v", c)
			}
		}
	}
	bare(Interpolant{Linear{}, Bridge{2}}, ring())
	bare(Interpolant{Linear{}, SineSquared{}}, ring())
	bare(Interpolant{Linear{}, NoNoise{}}, ring(), positive)
	bare(Interpolant{Trigonometric{}, Parabola{1}}, ring(), bounded)
	bare(Interpolant{OneSided{}, Fading{}}, nil, start, bounded, g0)
	bare(Interpolant{d, d}, nil, start, bounded, g0)
	bare(Interpolant{Linear{}, Fading{}}, ring(), g0)
	bare(Interpolant{backwards{}, Bridge{2}}, ring(), start, end)
	// A derivative that is not that of the coefficients breaks eq. (61).
	bare(Interpolant{misprinted{}, Bridge{2}}, ring(), transport)
	bare(Interpolant{abrupt{}, Bridge{2}}, ring(), bounded, moment)
	if _, err := (Interpolant{Linear{}, Bridge{2}}).Conditions(line(), skew()); err == nil {
		t.Error("no error for different dimensions")
	}
}

type backwards struct{}

func (backwards) Coefficients(t float64) (alpha, beta, dalpha, dbeta float64) { return t, 1 - t, 1, -1 }

type misprinted struct{}

func (misprinted) Coefficients(t float64) (alpha, beta, dalpha, dbeta float64) {
	return 1 - t*t, t * t, -t, t
}

// abrupt starts with infinite speed.
type abrupt struct{}

func (abrupt) Coefficients(t float64) (alpha, beta, dalpha, dbeta float64) {
	r := math.Sqrt(t)
	return 1 - r, r, -1 / (2 * r), 1 / (2 * r)
}

// At t = 0, 1 the law is that of the end points.
func TestEndPoints(t *testing.T) {
	base, data := ring(), skew()
	for name, p := range interpolants {
		l := must(p.Law(base, data))
		x := must(ebmkit.Draw(data, 5, 1)).X
		logp := make([]float64, 5)
		for u, e := range map[float64]*energy.Mixture{0: base, 1: data} {
			l.LogDensity(logp, u, x)
			for i, v := range logp {
				near(t, name+": log density at an end", v, -e.Energy(x[2*i:2*i+2])-e.LogZ(), 1e-9*(1+math.Abs(v)))
			}
		}
	}
}

func TestRegressionErrors(t *testing.T) {
	b, s := must(NewBatch(5, 2)), ebmkit.NewStream(1, "t", 0)
	x := must(ebmkit.Draw(ring(), 3, 1))
	ok := Regression{Interpolant: Interpolant{Linear{}, Bridge{2}}, Target: Velocity}
	for arg, edit := range map[string]func(m *Regression){
		"Interpolant.I":     func(m *Regression) { m.Interpolant.I = nil },
		"Regression.Margin": func(m *Regression) { m.Margin = 0.5 },
		"Regression.Target": func(m *Regression) { m.Target = 7 },
		"Entropic.Epsilon":  func(m *Regression) { m.Coupling = Entropic{0} },
	} {
		m := ok
		edit(&m)
		wantArg(t, m.Draw(b, x, x, s), arg)
	}
	wantArg(t, ok.Draw(b, nil, x, s), "x0")
	wantArg(t, ok.Draw(b, x, must(ebmkit.Draw(line(), 3, 1)), s), "x1.Dim")
	wantArg(t, ok.Draw(&Batch{}, x, x, s), "b")
	wantArg(t, Regression{Interpolant: Interpolant{OneSided{}, Fading{}}}.Draw(b, x, x, s), "x0")
	err := Regression{Interpolant: Interpolant{Linear{}, NoNoise{}}, Target: Score}.Draw(b, x, x, s)
	if err == nil {
		t.Error("a score without noise")
	}
	_, err = NoisyTransport(linear{VP{1, 1}, 2}, linear{VP{1, 1}, 2}, 0)
	wantArg(t, err, "epsilon")
	_, err = NoisyTransport(linear{VP{1, 1}, 2}, linear{VP{1, 1}, 3}, 1)
	wantArg(t, err, "s.Dim()")
	_, err = Transport(nil)
	wantArg(t, err, "b")
}

func permutationCost(x0, x1 *ebmkit.Ensemble, order []int) float64 {
	var c float64
	for i, k := range order {
		for j, v := range x0.Row(i) {
			c += (v - x1.Row(k)[j]) * (v - x1.Row(k)[j])
		}
	}
	return c / float64(len(order))
}

// The Hungarian method against enumeration, against sorting on the line, and
// against the lower bound of Sinkhorn.
func TestOptimal(t *testing.T) {
	for seed := range uint64(20) {
		n := 1 + int(seed)%6
		x0, x1 := must(ebmkit.Draw(ring(), n, seed)), must(ebmkit.Draw(skew(), n, seed))
		got := permutationCost(x0, x1, must(Optimal{}.Pair(x0, x1, nil)))
		best := math.Inf(1)
		order := make([]int, n)
		var try func(k int, used int)
		try = func(k, used int) {
			if k == n {
				best = min(best, permutationCost(x0, x1, order))
				return
			}
			for v := range n {
				if used>>v&1 == 0 {
					order[k] = v
					try(k+1, used|1<<v)
				}
			}
		}
		try(0, 0)
		near(t, "optimal cost", got, best, 1e-12)
	}
	x0, x1 := must(ebmkit.Draw(line(), 100, 1)), must(ebmkit.Draw(line(), 100, 2))
	near(t, "cost on the line", permutationCost(x0, x1, sorted(x0.X, x1.X)), permutationCost(x0, x1, assign(squaredDistances(x0, x1), 100)), 1e-12)
	w := must(divergence.W2(divergence.Line{X: x0.X}, divergence.Line{X: x1.X})).Value
	near(t, "W2 squared", permutationCost(x0, x1, sorted(x0.X, x1.X)), w*w, 1e-12)

	y0, y1 := must(ebmkit.Draw(ring(), 200, 3)), must(ebmkit.Draw(skew(), 200, 4))
	order := must(Optimal{}.Pair(y0, y1, nil))
	seen := make([]bool, 200)
	for _, k := range order {
		seen[k] = true
	}
	for k, s := range seen {
		if !s {
			t.Fatalf("point %d has no partner", k)
		}
	}
	optimal := permutationCost(y0, y1, order)
	entropic := permutationCost(y0, y1, must(Entropic{0.02}.Pair(y0, y1, ebmkit.NewStream(1, "t", 0))))
	wide := permutationCost(y0, y1, must(Entropic{100}.Pair(y0, y1, ebmkit.NewStream(1, "t", 0))))
	independent := permutationCost(y0, y1, must(Independent{}.Pair(y0, y1, nil)))
	t.Logf("mean squared distance: optimal %.3f, entropic %.3f, wide %.3f, independent %.3f", optimal, entropic, wide, independent)
	if !(optimal < entropic+0.05 && entropic < 0.6*independent && wide > 0.7*independent) {
		t.Error("the couplings are not in order")
	}
	_, err := Optimal{}.Pair(must(ebmkit.Draw(ring(), 513, 1)), must(ebmkit.Draw(ring(), 513, 1)), nil)
	wantArg(t, err, "x0.N")
	_, err = Optimal{}.Pair(y0, x1, nil)
	wantArg(t, err, "x1.Dim")
	_, err = Independent{}.Pair(y0, must(ebmkit.Draw(ring(), 5, 1)), nil)
	wantArg(t, err, "x1.N")
}

func BenchmarkOptimal(b *testing.B) {
	x0, x1 := must(ebmkit.Draw(ring(), 512, 1)), must(ebmkit.Draw(skew(), 512, 2))
	for b.Loop() {
		Optimal{}.Pair(x0, x1, nil)
	}
}
