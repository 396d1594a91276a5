package diffusion

import (
	"context"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/conform"
)

// laws are all closed laws that the tests look at: diagonal and full, processes
// and interpolants, in one and two dimensions.
func laws() map[string]*Law {
	out := map[string]*Law{}
	for name, p := range processes {
		out[name+", ring"] = must(Marginal(p, ring()))
		out[name+", skew"] = must(Marginal(p, skew()))
		out[name+", line"] = must(Marginal(p, line()))
	}
	base := must(energy.NewGaussian1D(0.3, 1.1))
	for name, p := range interpolants {
		out[name+", line"] = must(p.Law(base, line()))
		out[name+", ring to skew"] = must(p.Law(ring(), skew()))
	}
	one := Interpolant{OneSided{}, Fading{}}
	out["one-sided, skew"] = must(one.Law(nil, skew()))
	d := Diffused{VP{0.1, 20}, 1}
	out["diffused, ring"] = must(Interpolant{d, d}.Law(nil, ring()))
	return out
}

// The density is that of the mixture At(t); the score is its gradient; the
// divergences are derivatives of the fields.
func TestLawDerivatives(t *testing.T) {
	for name, l := range laws() {
		d := l.Dim()
		for _, u := range []float64{0.02, 0.4, 0.9} {
			m := must(l.At(u))
			x := must(ebmkit.Draw(m, 5, 7)).X
			logp := make([]float64, 5)
			l.LogDensity(logp, u, x)
			for i, got := range logp {
				near(t, name+": log density", got, -m.Energy(x[i*d:(i+1)*d])-m.LogZ(), 1e-9*(1+math.Abs(got)))
			}
			s, g := make([]float64, len(x)), make([]float64, d)
			l.Score().At(s, u, x)
			for i := range logp {
				m.EnergyGrad(g, x[i*d:(i+1)*d])
				for j, v := range g {
					near(t, name+": score", s[i*d+j], -v, 1e-9*(1+math.Abs(v)))
				}
			}
			for what, f := range map[string]DivergenceField{"score": l.Score(), "velocity": l.Velocity(), "denoiser": l.Denoiser()} {
				div := make([]float64, 5)
				f.Divergence(div, u, x)
				y, v := make([]float64, d), make([]float64, d)
				for i, got := range div {
					var want, slack float64
					for j := range d {
						dv, e := conform.Derivative(func(h float64) float64 {
							copy(y, x[i*d:(i+1)*d])
							y[j] += h
							f.At(v, u, y)
							return v[j]
						}, 0.02)
						want += dv
						slack += e
					}
					near(t, name+": divergence of the "+what, got, want, 10*slack+1e-8*(1+math.Abs(want)))
				}
			}
		}
	}
}

// eq. (61): d_t log p + div b + b . s = 0, for every law. A velocity that is 1 %
// too large fails.
func TestTransportEquation(t *testing.T) {
	for name, l := range laws() {
		d := l.Dim()
		for _, u := range []float64{0.1, 0.5, 0.95} {
			x := must(ebmkit.Draw(must(l.At(u)), 6, 8)).X
			b, s, div, logp := make([]float64, len(x)), make([]float64, len(x)), make([]float64, 6), make([]float64, 6)
			l.Velocity().At(b, u, x)
			l.Score().At(s, u, x)
			l.Velocity().Divergence(div, u, x)
			for i := range div {
				dt, e := conform.Derivative(func(h float64) float64 {
					l.LogDensity(logp, u+h, x)
					return logp[i]
				}, 0.01)
				flow := div[i]
				for j := range d {
					flow += b[i*d+j] * s[i*d+j]
				}
				near(t, name+": d_t log p", dt, -flow, 10*e+1e-7*(1+math.Abs(dt)))
				if math.Abs(flow) > 0.1 && math.Abs(dt+1.01*flow) < 10*e+1e-7*(1+math.Abs(dt)) {
					t.Errorf("%s: a velocity 1 %% too large passes", name)
				}
			}
		}
	}
}

// The velocity of a process is the drift of its probability flow with the exact
// score: two formulas. And the process, run backwards, as a one-sided
// interpolant: its b is minus T times that drift.
func TestProbabilityFlowIsVelocity(t *testing.T) {
	for name, p := range processes {
		l := must(Marginal(p, skew()))
		flow := must(ProbabilityFlow(p, l.Score()))
		x := must(ebmkit.Draw(must(l.At(0.3)), 10, 9)).X
		a, b, c := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
		da, db := make([]float64, 10), make([]float64, 10)
		l.Velocity().At(a, 0.3, x)
		flow.Drift.At(b, 0.3, x)
		d := Diffused{p, 0.8}
		must(Interpolant{d, d}.Law(nil, skew())).Velocity().At(c, 1-0.3/0.8, x)
		for i := range a {
			near(t, name+": drift of the flow", a[i], b[i], 1e-11*(1+math.Abs(a[i])))
			near(t, name+": b of the interpolant", -c[i]/0.8, a[i], 1e-9*(1+math.Abs(a[i])))
		}
		l.Velocity().Divergence(da, 0.3, x)
		flow.Drift.(DivergenceField).Divergence(db, 0.3, x)
		for i := range da {
			near(t, name+": divergence of the flow", da[i], db[i], 1e-10*(1+math.Abs(da[i])))
		}
	}
}

// E[z | x] sd = -score sd^2, and ScoreOf inverts it.
func TestScoreOf(t *testing.T) {
	p := VP{0.1, 20}
	l := must(Marginal(p, ring()))
	x := must(ebmkit.Draw(ring(), 10, 1)).X
	a, b := make([]float64, len(x)), make([]float64, len(x))
	l.Score().At(a, 0.2, x)
	ScoreOf(l.Denoiser(), func(t float64) float64 { _, sd := p.Kernel(t); return sd }).At(b, 0.2, x)
	for i := range a {
		near(t, "score", b[i], a[i], 1e-12*(1+math.Abs(a[i])))
	}
	Scaled(0.9, l.Score()).At(b, 0.2, x)
	for i := range a {
		near(t, "0.9 score", b[i], 0.9*a[i], 1e-12*(1+math.Abs(a[i])))
	}
	if _, ok := Scaled(0.9, Func{1, nil}).(DivergenceField); ok {
		t.Error("a field without divergence has got one")
	}
}

// histogram returns the chi-square of n points on the line against the density
// p in classes of equal width over [lo, hi], as a z-score.
func histogram(x []float64, lo, hi float64, cdf func(x float64) float64) float64 {
	const classes = 40
	count := make([]float64, classes+2)
	for _, v := range x {
		k := int(math.Floor((v-lo)/(hi-lo)*classes)) + 1
		count[min(max(k, 0), classes+1)]++
	}
	var chi2, degrees float64
	n := float64(len(x))
	edge := func(k int) float64 {
		switch {
		case k < 0:
			return 0
		case k > classes:
			return 1
		}
		return cdf(lo + (hi-lo)*float64(k)/classes)
	}
	var left, want float64 // small classes are joined
	for k, c := range count {
		left += c
		want += n * (edge(k) - edge(k-1))
		if want > 10 {
			chi2 += (left - want) * (left - want) / want
			degrees++
			left, want = 0, 0
		}
	}
	degrees--
	return (chi2 - degrees) / math.Sqrt(2*degrees)
}

// The closed p_t is the law of the simulated process. A p_t at another time
// fails.
func TestLawOfProcess(t *testing.T) {
	const n = 20000
	cdfOf := func(m *energy.Mixture) func(x float64) float64 {
		w := m.Weights(nil)
		return func(x float64) float64 {
			var p float64
			for k := range w {
				c := m.Component(k)
				p += w[k] * 0.5 * math.Erfc(-(x-c.Mean(nil)[0])/math.Sqrt(2*c.Cov(nil)[0]))
			}
			return p
		}
	}
	for name, p := range processes {
		l := must(Marginal(p, line()))
		const end = 0.15
		x := must(must(Forward(p, 1)).Run(context.Background(), Config{Walkers: n, Times: Uniform(0, end, 60), Scheme: Heun, Seed: 2,
			Init: must(ebmkit.Draw(line(), n, 4))})).Last().X
		z := histogram(x, -3, 3, cdfOf(must(l.At(end))))
		wrong := histogram(x, -3, 3, cdfOf(must(l.At(end+0.1))))
		t.Logf("%s: z = %.2f, at a wrong time %.0f", name, z, wrong)
		if math.Abs(z) > 4.5 {
			t.Errorf("%s: histogram against p_t: z = %.2f", name, z)
		}
		if wrong < 8 {
			t.Errorf("%s: p_t at a wrong time passes, z = %.2f", name, wrong)
		}
	}
}

func TestLawErrors(t *testing.T) {
	_, err := Marginal(VP{0.1, 20}, must(energy.NewQuartic(1, 1)))
	wantArg(t, err, "data")
	_, err = Marginal(VP{0.1, 20}, nil)
	wantArg(t, err, "data")
	_, err = Interpolant{Linear{}, Bridge{2}}.Law(ring(), line())
	wantArg(t, err, "data.Dim()")
	_, err = Interpolant{Linear{}, Bridge{2}}.Law(nil, line())
	wantArg(t, err, "base")
	_, err = Interpolant{OneSided{}, Fading{}}.Law(line(), line())
	wantArg(t, err, "base")
	_, err = Interpolant{Linear{}, Bridge{-2}}.Law(line(), line())
	wantArg(t, err, "Bridge.A")
	_, err = Interpolant{nil, Bridge{2}}.Law(line(), line())
	wantArg(t, err, "Interpolant.I")
	_, err = Interpolant{Linear{}, nil}.Law(line(), line())
	wantArg(t, err, "Interpolant.Gamma")
	_, err = Interpolant{Diffused{VP{0.1, 20}, 0}, Fading{}}.Law(nil, line())
	wantArg(t, err, "Diffused.T")
	l := must(Interpolant{OneSided{}, NoNoise{}}.Law(nil, line()))
	_, err = l.At(0)
	wantArg(t, err, "t")
}

func BenchmarkScore(b *testing.B) {
	for name, l := range map[string]*Law{"ring": must(Marginal(VP{0.1, 20}, ring())), "skew": must(Marginal(VP{0.1, 20}, skew()))} {
		b.Run(name, func(b *testing.B) {
			x := make([]float64, 128)
			dst := make([]float64, 128)
			f := l.Score()
			b.ReportAllocs()
			for b.Loop() {
				f.At(dst, 0.3, x)
			}
		})
	}
}
