package freeenergy_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
)

var ctx = context.Background()

// spins is a small Ising model on a ring with a field, at inverse temperature
// beta, everything about it known by enumeration.
type spins struct {
	j, h []float64
	beta float64
	cum  []float64 // cumulated Boltzmann factors of the 2^n states
}

func newSpins(n int, beta float64) *spins {
	s := &spins{beta: beta}
	r := ebmkit.NewStream(11, "couplings", 0)
	for range n {
		s.j, s.h = append(s.j, r.Normal()), append(s.h, 0.5*r.Normal())
	}
	x := make([]float64, n)
	var sum float64
	for c := range 1 << n {
		s.state(x, c)
		sum += math.Exp(-s.Energy(x))
		s.cum = append(s.cum, sum)
	}
	return s
}

func (s *spins) state(x []float64, c int) {
	for i := range x {
		x[i] = float64(2*(c>>i&1) - 1)
	}
}
func (s *spins) Dim() int      { return len(s.j) }
func (s *spins) LogZ() float64 { return math.Log(s.cum[len(s.cum)-1]) }
func (s *spins) Energy(x []float64) float64 {
	var u float64
	for i, v := range x {
		u -= s.j[i]*v*x[(i+1)%len(x)] + s.h[i]*v
	}
	return s.beta * u
}
func (s *spins) Sample(dst []float64, r *ebmkit.Stream) {
	at, _ := slices.BinarySearch(s.cum, r.Float64()*s.cum[len(s.cum)-1])
	s.state(dst, at)
}
func (s *spins) Sweep(x []float64, r *ebmkit.Stream) {
	n := len(x)
	for i := range x {
		f := s.j[i]*x[(i+1)%n] + s.j[(i+n-1)%n]*x[(i+n-1)%n] + s.h[i]
		x[i] = -1
		if r.Float64() < 1/(1+math.Exp(-2*s.beta*f)) {
			x[i] = 1
		}
	}
}

type problem struct {
	name     string
	from, to ebmkit.Normalized
	path     freeenergy.Path
	method   mcmc.Method
}

func problems() []problem {
	return []problem{
		{"stiffness 1 to 4, d = 3", normal(3, 1), normal(3, 0.5), nil, mcmc.MALA{Step: 0.25}},
		{"two modes", normal(2, 1.6), must(energy.NewMixture([]float64{3, 7}, []energy.Component{
			must(energy.NewIsotropicGaussian([]float64{-1.5, 0}, 1)), must(energy.NewIsotropicGaussian([]float64{1.5, 1}, 0.8))})), nil, mcmc.RWM{Step: 1.2}},
		{"8 spins", newSpins(8, 0), newSpins(8, 1), freeenergy.PathFunc{D: 8, At: func(l float64) ebmkit.Energy { return newSpins(8, l) }}, mcmc.Gibbs{}},
	}
}

// Every estimator on every problem: the mean over independent runs against the
// exact log Z, the standard error against their spread, and the bounds.
func TestAllEstimatorsAgree(t *testing.T) {
	type estimator func(p problem, n int, seed uint64) (*freeenergy.Report, error)
	anneal := func(p problem) freeenergy.AIS {
		return freeenergy.AIS{Lambdas: freeenergy.Linear(16), Method: p.method, Moves: 2, Path: p.path}
	}
	for _, p := range problems() {
		exact := p.to.LogZ()
		for _, e := range []struct {
			name string
			run  estimator
		}{
			{"AIS", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return anneal(p).Run(ctx, p.from, p.to, freeenergy.Config{Samples: n, Seed: s})
			}},
			{"reverse AIS", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return anneal(p).Reverse(ctx, p.from, p.to, freeenergy.Config{Samples: n, Seed: s})
			}},
			{"bridge", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return freeenergy.Bridge{}.Run(ctx, p.from, p.to, freeenergy.Config{Samples: n, Seed: s})
			}},
			{"annealed bridge", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return freeenergy.Bridge{Anneal: anneal(p)}.Run(ctx, p.from, p.to, freeenergy.Config{Samples: n / 2, Seed: s})
			}},
			{"integration", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				m := freeenergy.ThermodynamicIntegration{Lambdas: freeenergy.Linear(16), Rule: freeenergy.Simpson, Method: p.method, Burn: 12, Draws: 6, Path: p.path}
				return m.Run(ctx, p.from, p.to, freeenergy.Config{Samples: n / 4, Seed: s})
			}},
			{"fixed SMC", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				m := freeenergy.SMC{Particles: 32, Lambdas: freeenergy.Linear(8), Method: p.method, Path: p.path}
				return m.Run(ctx, p.from, p.to, freeenergy.Config{Samples: n / 16, Seed: s})
			}},
			{"adaptive SMC", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				if p.path != nil {
					return nil, nil
				}
				m := freeenergy.SMC{Particles: 64, Threshold: 0.8, Method: p.method}
				return m.Run(ctx, p.from, p.to, freeenergy.Config{Samples: n / 16, Seed: s})
			}},
		} {
			const reps = 40
			var value, z2, lower, upper, khat []float64
			var last *freeenergy.Report
			for s := range reps {
				r, err := e.run(p, 512, uint64(s))
				if err != nil {
					t.Fatalf("%s, %s: %v", p.name, e.name, err)
				}
				if r == nil {
					break
				}
				z := r.LogZ.Z(exact)
				value, z2 = append(value, r.LogZ.Value), append(z2, z*z)
				lower, upper = append(lower, r.Lower.Value), append(upper, r.Upper.Value)
				khat, last = append(khat, r.KHat), r
			}
			if last == nil {
				continue
			}
			m, m2, k := ebmkit.MeanOf(value), ebmkit.MeanOf(z2), ebmkit.MeanOf(khat)
			t.Logf("%-24s %-16s %v exact %.5f z = %5.2f, mean z^2 %.2f, k-hat %.2f, %d evaluations", p.name, e.name, m, exact, m.Z(exact), m2.Value, k.Value, last.Evals)
			// log of an unbiased mean is low by SE^2/2 in forward runs, high in reverse: a
			// fraction of the error of one run, which is what is promised.
			bias := last.LogZ.SE * last.LogZ.SE
			if math.Abs(m.Value-exact) > 4*m.SE+bias {
				t.Errorf("%s, %s: log Z %v, exact %v", p.name, e.name, m, exact)
			}
			// Weights with k near 1/2 have no finite variance, and an error from a
			// sample is then too small: the way back over the two modes, k = 0.5.
			if heavy := k.Value > 0.4; heavy {
				if e.name != "reverse AIS" || p.name != "two modes" {
					t.Errorf("%s, %s: k-hat %v, weights with a heavy tail", p.name, e.name, k)
				}
			} else if m2.Value < 1-4*math.Sqrt(2./reps) || m2.Value > 1+4*math.Sqrt(2./reps) {
				if e.name != "integration" || m2.Value > 1 { // its error of the rule is a bound
					t.Errorf("%s, %s: mean z^2 = %v: the standard error is wrong", p.name, e.name, m2)
				}
			}
			if l := ebmkit.MeanOf(lower); !math.IsInf(l.Value, -1) && l.Z(exact) > 4 {
				t.Errorf("%s, %s: lower bound %v above %v", p.name, e.name, l, exact)
			}
			if u := ebmkit.MeanOf(upper); !math.IsInf(u.Value, 1) && u.Z(exact) < -4 {
				t.Errorf("%s, %s: upper bound %v below %v", p.name, e.name, u, exact)
			}
			// Negative control: the test sees an error of 10 %.
			if math.Abs(m.Value-exact-0.1) < 4*m.SE+bias {
				t.Errorf("%s, %s: no power against an error of 0.1", p.name, e.name)
			}
		}
	}
}

// naive hides ULA, so that its work is not corrected.
type naive struct{ mcmc.ULA }

// The stiffness change k = 1 -> 4 with ULA: unbiased with the correction, wrong
// without. <W> is far from Delta F, E[exp(-W)] is not.
func TestULANeedsItsCorrection(t *testing.T) {
	const d = 2
	exact := -d * math.Log(4) / 2
	j := freeenergy.Jarzynski{Path: freeenergy.StiffnessChange{D: d, From: 1, To: 4}, Lambdas: freeenergy.Linear(20), Method: mcmc.ULA{Step: 0.15}}
	z := func(r *freeenergy.Report) (ratio ebmkit.Estimate) {
		w := make([]float64, r.N)
		for i, l := range r.LogW {
			w[i] = math.Exp(l - exact)
		}
		return ebmkit.MeanOf(w)
	}
	f := must(j.Run(ctx, freeenergy.Config{Samples: 20000, Seed: 1}))
	b := must(j.Reverse(ctx, freeenergy.Config{Samples: 20000, Seed: 1}))
	t.Logf("corrected: E[exp(-W+F)] %v z = %.2f; <-W> %v, exact %.4f, reverse %v, upper %v", z(f), z(f).Z(1), f.Lower, exact, b, b.Upper)
	if math.Abs(z(f).Z(1)) > 4 || math.Abs(b.LogZ.Z(exact)) > 4 {
		t.Errorf("corrected ULA: %v, reverse %v, exact %v", f, b, exact)
	}
	if f.Lower.Z(exact) > -10 || b.Upper.Z(exact) < 10 {
		t.Errorf("the protocol is not fast: <-W> = %v and %v, exact %v", f.Lower, b.Upper, exact)
	}
	slope, c, err := freeenergy.Crooks(f, b)
	t.Logf("Crooks: slope %v z = %.2f, log Z %v z = %.2f; BAR %v", slope, slope.Z(1), c, c.Z(exact), must(freeenergy.BAR(f, b)))
	if err != nil || math.Abs(slope.Z(1)) > 4 || math.Abs(c.Z(exact)) > 4 || slope.SE > 0.1 {
		t.Errorf("Crooks: slope %v, log Z %v, %v", slope, c, err)
	}
	j.Method = naive{mcmc.ULA{Step: 0.15}}
	wrong := must(j.Run(ctx, freeenergy.Config{Samples: 20000, Seed: 1}))
	t.Logf("uncorrected: E[exp(-W+F)] %v z = %.2f", z(wrong), z(wrong).Z(1))
	if math.Abs(z(wrong).Z(1)) < 6 {
		t.Errorf("ULA without its correction is not seen: z = %.2f", z(wrong).Z(1))
	}
	wback := must(j.Reverse(ctx, freeenergy.Config{Samples: 20000, Seed: 1}))
	if bar := must(freeenergy.BAR(wrong, wback)); math.Abs(bar.LogZ.Z(exact)) < 4 {
		t.Errorf("BAR of uncorrected works is not seen to be wrong: %v", bar)
	}
	slope, _, err = freeenergy.Crooks(wrong, wback)
	t.Logf("uncorrected: Crooks' slope %v z = %.2f", slope, slope.Z(1))
	if err != nil || math.Abs(slope.Z(1)) < 6 {
		t.Errorf("Crooks' slope of uncorrected works %v, %v", slope, err)
	}
}

// The dragged trap against its closed form.
func TestDraggedTrap(t *testing.T) {
	const k, v, tau, steps = 1.5, 1.0, 2.0, 50
	p := freeenergy.DraggedTrap{Stiffness: k, Distance: v * tau}
	limit := v * v * (tau - (1-math.Exp(-k*tau))/k)
	// The discrete protocol tends to the continuous one, with an error of order dt.
	e1 := p.MeanWork(1000, tau/1000) - limit
	e2 := p.MeanWork(2000, tau/2000) - limit
	if math.Abs(e1) > 1e-2 || math.Abs(e1/e2-2) > 0.05 {
		t.Errorf("mean work: errors %v, %v of the continuous limit", e1, e2)
	}
	want := p.MeanWork(steps, tau/steps)
	j := freeenergy.Jarzynski{Path: p, Lambdas: freeenergy.Linear(steps + 1), Method: freeenergy.OU{Time: tau / steps}}
	r := must(j.Run(ctx, freeenergy.Config{Samples: 20000, Seed: 3}))
	work, sq, ew := make([]float64, r.N), make([]float64, r.N), make([]float64, r.N)
	for i, l := range r.LogW {
		work[i], sq[i], ew[i] = -l, (l+want)*(l+want), math.Exp(l)
	}
	w, va, e := ebmkit.MeanOf(work), ebmkit.MeanOf(sq), ebmkit.MeanOf(ew)
	t.Logf("<W> %v exact %.4f (continuous %.4f) z = %.2f; Var W %v exact %.4f z = %.2f; E[exp(-W)] %v z = %.2f",
		w, want, limit, w.Z(want), va, 2*want, va.Z(2*want), e, e.Z(1))
	if math.Abs(w.Z(want)) > 4 || math.Abs(va.Z(2*want)) > 4 || math.Abs(e.Z(1)) > 4 {
		t.Error("the work does not have its law")
	}
	if 2*want > 4 {
		t.Error("Var W is above 4: E[exp(-W)] has no error to trust")
	}
	if math.Abs(w.Z(0)) < 10 || math.Abs(w.Z(limit*1.1)) < 4 {
		t.Error("no power")
	}
	// The same through corrected ULA: no bias.
	j.Method = mcmc.ULA{Step: tau / steps}
	if r := must(j.Run(ctx, freeenergy.Config{Samples: 20000, Seed: 4})); math.Abs(r.LogZ.Z(0)) > 4 {
		t.Errorf("ULA: %v, want 0", r)
	}
}

func TestFieldAndMasses(t *testing.T) {
	g := must(energy.NewGaussian([]float64{1, -1}, []float64{1, 0.4, 0.4, 0.8}))
	h := []float64{0.7, -0.5}
	exact := 0.7 + 0.5 + (0.49*1-2*0.35*0.4+0.25*0.8)/2
	for name, m := range map[string]mcmc.Method{"ULA": mcmc.ULA{Step: 0.1}, "HMC": mcmc.HMC{Step: 0.3, Leapfrog: 3}, "NUTS": mcmc.NUTS{Step: 0.5}} {
		j := freeenergy.Jarzynski{Path: freeenergy.FieldRamp{U: g, Field: h}, Lambdas: freeenergy.Linear(10), Method: m}
		r := must(j.Run(ctx, freeenergy.Config{Samples: 4000, Seed: 1}))
		t.Logf("field, %s: %v, exact %.4f", name, r, exact)
		if math.Abs(r.LogZ.Z(exact)) > 4 || r.LogZ.SE > 0.03 {
			t.Errorf("field, %s: %v, exact %v", name, r, exact)
		}
	}
	a, b := []float64{-2, 0, 1}, []float64{1, 0.5, 0}
	p := freeenergy.ModeMasses{A: a, B: b, ToZ: -2}
	f := must(freeenergy.Jarzynski{Path: p, Lambdas: freeenergy.Linear(20), Method: mcmc.ULA{Step: 0.1}}.Run(ctx, freeenergy.Config{Samples: 4000, Seed: 1}))
	r := must(freeenergy.Jarzynski{Path: p, Lambdas: freeenergy.Linear(20), Method: mcmc.ULA{Step: 0.1}}.Reverse(ctx, freeenergy.Config{Samples: 4000, Seed: 2}))
	want := math.Log(1+math.Exp(2)) - math.Log(2)
	if math.Abs(f.LogZ.Z(want)) > 4 || math.Abs(r.LogZ.Z(want)) > 4 {
		t.Errorf("masses: %v, reverse %v, exact %v", f, r, want)
	}
	// The energy of the path is that of a mixture, up to its constant, and so is
	// its gradient.
	at := must(p.Walk())
	mix := must(energy.NewMixture([]float64{1, math.Exp(1)}, []energy.Component{must(energy.NewIsotropicGaussian(a, 1)), must(energy.NewIsotropicGaussian(b, 1))}))
	on := at(0.5).(ebmkit.Differentiable)
	c := 1.5 * math.Log(2*math.Pi)
	if d := on.(ebmkit.Normalized).LogZ() - c - mix.LogZ(); math.Abs(d) > 1e-13 {
		t.Errorf("log Z off by %v", d)
	}
	s := ebmkit.NewStream(1, "points", 0)
	g1, g2 := make([]float64, 3), make([]float64, 3)
	for range 20 {
		x := []float64{3 * s.Normal(), s.Normal(), s.Normal()}
		u1, u2 := on.EnergyGrad(g1, x), mix.EnergyGrad(g2, x)
		if math.Abs(u1-(u2-c)) > 1e-12*(1+math.Abs(u1)) {
			t.Errorf("energy %v, want %v", u1, u2-c)
		}
		for i := range g1 {
			if math.Abs(g1[i]-g2[i]) > 1e-12*(1+math.Abs(g2[i])) {
				t.Errorf("gradient %v, want %v", g1, g2)
			}
		}
	}
}

// Z from a fixed schedule has no bias even with two particles and a hard jump.
func TestSMCUnbiased(t *testing.T) {
	from, to := normal(1, 1), must(energy.NewGaussian1D(1, 0.7))
	m := freeenergy.SMC{Particles: 4, Lambdas: freeenergy.Linear(4), Method: mcmc.RWM{Step: 1}, Resample: 0.7}
	r := must(m.Run(ctx, from, to, freeenergy.Config{Samples: 20000, Seed: 1}))
	z := make([]float64, r.N)
	for i, l := range r.LogW {
		z[i] = math.Exp(l - to.LogZ())
	}
	e := ebmkit.MeanOf(z)
	t.Logf("Z/exact %v, z = %.2f; mean log Z %v, exact %.4f", e, e.Z(1), r.Lower, to.LogZ())
	if math.Abs(e.Z(1)) > 4 || r.Lower.Z(to.LogZ()) > -4 {
		t.Errorf("Z/exact %v; mean log Z %v, exact %v", e, r.Lower, to.LogZ())
	}
	// The adaptive schedule starts at 0, ends at 1, and takes more steps for a
	// higher threshold.
	var steps []int
	for _, c := range []float64{0.5, 0.9, 0.99} {
		m := freeenergy.SMC{Particles: 100, Threshold: c, Method: mcmc.RWM{Step: 1}}
		l := must(m.Run(ctx, normal(5, 2), normal(5, 0.5), freeenergy.Config{Samples: 2, Seed: 1})).Lambdas
		if l[0] != 0 || l[len(l)-1] != 1 || !slices.IsSorted(l) {
			t.Errorf("schedule %v", l)
		}
		steps = append(steps, len(l))
	}
	if !(steps[0] < steps[1] && steps[1] < steps[2]) {
		t.Errorf("steps %v for rising thresholds", steps)
	}
}

// What a run allocates does not depend on the number of steps.
func TestNoAllocationPerStep(t *testing.T) {
	from, to := normal(3, 1), normal(3, 0.5)
	for name, run := range map[string]func(k int){
		"AIS": func(k int) {
			must(freeenergy.AIS{Lambdas: freeenergy.Linear(k), Method: mcmc.RWM{Step: 0.5}}.Run(ctx, from, to, freeenergy.Config{Samples: 64}))
		},
		"Jarzynski": func(k int) {
			must(freeenergy.Jarzynski{Path: freeenergy.StiffnessChange{D: 3, From: 1, To: 2}, Lambdas: freeenergy.Linear(k), Method: mcmc.ULA{Step: 0.1}}.Run(ctx, freeenergy.Config{Samples: 64}))
		},
	} {
		few, many := testing.AllocsPerRun(5, func() { run(10) }), testing.AllocsPerRun(5, func() { run(300) })
		t.Logf("%s: %v allocations for 10 steps, %v for 300", name, few, many)
		if many > few+2 { // the runtime's own
			t.Errorf("%s: %v allocations for 10 steps, %v for 300", name, few, many)
		}
	}
}

// A target that forbids half of the reference: weights of zero, no NaN.
func TestForbiddenRegion(t *testing.T) {
	half := must(energy.NewFunc(1, func(x []float64) float64 {
		if x[0] < 0 {
			return math.Inf(1)
		}
		return x[0] * x[0] / 2
	}, nil))
	want := math.Log(2*math.Pi)/2 - math.Ln2
	r := must(freeenergy.AIS{Lambdas: freeenergy.Linear(8), Method: mcmc.RWM{Step: 1}}.Run(ctx, normal(1, 1), half, freeenergy.Config{Samples: 4000, Seed: 1}))
	if math.Abs(r.LogZ.Z(want)) > 4 || !math.IsInf(r.Lower.Value, -1) {
		t.Errorf("%v, lower %v, exact %v", r, r.Lower, want)
	}
}

func TestPathsSameBitsAtAnyGOMAXPROCS(t *testing.T) {
	old := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(old)
	p := problems()[1]
	runs := func() (out []float64) {
		cfg := freeenergy.Config{Samples: 300, Seed: 9}
		out = append(out, must(freeenergy.AIS{Lambdas: freeenergy.Linear(5), Method: p.method}.Run(ctx, p.from, p.to, cfg)).LogW...)
		out = append(out, must(freeenergy.Jarzynski{Path: freeenergy.StiffnessChange{D: 3, From: 1, To: 2}, Lambdas: freeenergy.Linear(5), Method: mcmc.ULA{Step: 0.1}}.Reverse(ctx, cfg)).LogW...)
		ti := must(freeenergy.ThermodynamicIntegration{Lambdas: freeenergy.Linear(4), Method: p.method, Draws: 2}.Run(ctx, p.from, p.to, cfg))
		out = append(out, ti.LogZ.Value, ti.LogZ.SE, ti.Upper.Value)
		cfg.Samples = 9
		smc := must(freeenergy.SMC{Particles: 50, Method: p.method}.Run(ctx, p.from, p.to, cfg))
		return append(append(out, smc.LogW...), smc.Lambdas...)
	}
	runtime.GOMAXPROCS(1)
	want := runs()
	for _, n := range []int{2, 7} {
		runtime.GOMAXPROCS(n)
		if !slices.Equal(runs(), want) {
			t.Errorf("GOMAXPROCS %d: other bits", n)
		}
	}
}

func TestPathsBadInput(t *testing.T) {
	g, h := normal(2, 1), normal(2, 2)
	plain := must(energy.NewFunc(2, func(x []float64) float64 { return x[0] * x[0] }, nil))
	lin, rwm := freeenergy.Linear(4), mcmc.RWM{Step: 1}
	cfg := freeenergy.Config{Samples: 200, Seed: 1}
	away := must(ebmkit.Draw(must(energy.NewIsotropicGaussian([]float64{0, 3}, 1)), 200, 1))
	wide := must(ebmkit.Draw(h, 200, 1))
	narrow := must(ebmkit.Draw(normal(2, 0.5), 200, 1))
	good := must(ebmkit.Draw(g, 200, 1))
	with := func(e *ebmkit.Ensemble) freeenergy.Config { return freeenergy.Config{Samples: 200, Start: e} }
	trap := freeenergy.StiffnessChange{D: 1, From: 1, To: 4}
	ula := mcmc.ULA{Step: 0.1}
	jar := func(p freeenergy.Path, m mcmc.Method) error {
		return second(freeenergy.Jarzynski{Path: p, Lambdas: lin, Method: m}.Run(ctx, cfg))
	}
	ais := func(m freeenergy.AIS, from, to ebmkit.Energy, c freeenergy.Config) error {
		return second(m.Run(ctx, from, to, c))
	}
	ok := freeenergy.AIS{Lambdas: lin, Method: rwm}
	if err := ais(ok, g, h, with(good)); err != nil {
		t.Errorf("points in equilibrium are refused: %v", err)
	}
	smc := func(m freeenergy.SMC) error { return second(m.Run(ctx, g, h, freeenergy.Config{Samples: 4})) }
	ti := func(m freeenergy.ThermodynamicIntegration) error { return second(m.Run(ctx, g, h, cfg)) }
	f, b := must(ok.Run(ctx, g, h, cfg)), must(ok.Reverse(ctx, g, h, cfg))
	for name, err := range map[string]error{
		"dimension":          ais(ok, g, normal(3, 1), cfg),
		"nil":                ais(ok, g, nil, cfg),
		"no log Z":           ais(ok, plain, g, cfg),
		"reverse no sampler": second(ok.Reverse(ctx, g, plain, cfg)),
		"samples":            ais(ok, g, h, freeenergy.Config{}),
		"no schedule":        ais(freeenergy.AIS{Method: rwm}, g, h, cfg),
		"schedule start":     ais(freeenergy.AIS{Method: rwm, Lambdas: []float64{0.1, 1}}, g, h, cfg),
		"schedule order":     ais(freeenergy.AIS{Method: rwm, Lambdas: []float64{0, 0.5, 0.5, 1}}, g, h, cfg),
		"schedule NaN":       ais(freeenergy.AIS{Method: rwm, Lambdas: []float64{0, math.NaN(), 1}}, g, h, cfg),
		"schedule end":       ais(freeenergy.AIS{Method: rwm, Lambdas: []float64{0, 2}}, g, h, cfg),
		"no method":          ais(freeenergy.AIS{Lambdas: lin}, g, h, cfg),
		"biased method":      ais(freeenergy.AIS{Lambdas: lin, Method: mcmc.Underdamped{Step: 0.1, Friction: 1}}, g, h, cfg),
		"kernel's own":       ais(freeenergy.AIS{Lambdas: lin, Method: mcmc.RWM{Step: -1}}, g, h, cfg),
		"step NaN":           ais(freeenergy.AIS{Lambdas: lin, Method: mcmc.ULA{Step: math.NaN()}}, g, h, cfg),
		"moves with ULA":     ais(freeenergy.AIS{Lambdas: lin, Method: ula, Moves: 2}, g, h, cfg),
		"not equilibrium":    ais(freeenergy.AIS{Lambdas: lin, Method: rwm, Path: freeenergy.Geometric{From: h, To: g}}, g, h, cfg),
		"Start's mean":       ais(ok, g, h, with(away)),
		"Start's variance":   ais(ok, g, h, with(wide)),
		"Start too narrow":   ais(ok, g, h, with(narrow)),
		"Start's size":       ais(ok, g, h, freeenergy.Config{Samples: 100, Start: good}),
		"no path":            jar(nil, ula),
		"path nil energies":  jar(freeenergy.Geometric{}, ula),
		"stiffness":          jar(freeenergy.StiffnessChange{D: 1, From: 1, To: -4}, ula),
		"stiffness dim":      jar(freeenergy.StiffnessChange{From: 1, To: 4}, ula),
		"trap":               jar(freeenergy.DraggedTrap{Distance: 1}, ula),
		"field":              jar(freeenergy.FieldRamp{U: g, Field: []float64{1}}, ula),
		"field nil":          jar(freeenergy.FieldRamp{Field: []float64{1}}, ula),
		"field NaN":          jar(freeenergy.FieldRamp{U: g, Field: []float64{1, math.NaN()}}, ula),
		"modes":              jar(freeenergy.ModeMasses{A: []float64{1}}, ula),
		"func nil":           jar(freeenergy.PathFunc{D: 1}, ula),
		"func dim":           jar(freeenergy.PathFunc{D: 1, At: func(float64) ebmkit.Energy { return g }}, ula),
		"start not sampler":  jar(freeenergy.PathFunc{D: 2, At: func(float64) ebmkit.Energy { return plain }}, rwm),
		"OU elsewhere":       jar(freeenergy.FieldRamp{U: g, Field: []float64{1, 1}}, freeenergy.OU{Time: 1}),
		"OU time":            jar(trap, freeenergy.OU{}),
		"SMC particles":      smc(freeenergy.SMC{Method: rwm}),
		"SMC method":         smc(freeenergy.SMC{Particles: 8, Method: ula}),
		"SMC threshold":      smc(freeenergy.SMC{Particles: 8, Method: rwm, Threshold: 1}),
		"SMC threshold < 0":  smc(freeenergy.SMC{Particles: 8, Method: rwm, Threshold: -0.5}),
		"SMC resample":       smc(freeenergy.SMC{Particles: 8, Method: rwm, Resample: 1.5}),
		"SMC NUTS":           smc(freeenergy.SMC{Particles: 8, Method: mcmc.NUTS{Step: 0.1}}),
		"TI odd":             ti(freeenergy.ThermodynamicIntegration{Lambdas: freeenergy.Linear(3), Method: rwm, Draws: 1}),
		"TI Simpson":         ti(freeenergy.ThermodynamicIntegration{Lambdas: freeenergy.Power(4, 2), Rule: freeenergy.Simpson, Method: rwm, Draws: 1}),
		"TI draws":           ti(freeenergy.ThermodynamicIntegration{Lambdas: lin, Method: rwm}),
		"TI method":          ti(freeenergy.ThermodynamicIntegration{Lambdas: lin, Draws: 1}),
		"TI curved": second(freeenergy.ThermodynamicIntegration{Lambdas: lin, Method: rwm, Draws: 1, Path: freeenergy.PathFunc{D: 2, At: func(l float64) ebmkit.Energy {
			return must(energy.NewIsotropicGaussian([]float64{0, 0}, 1+l))
		}}}.Run(ctx, g, h, cfg)),
		"BAR the same way":  second(freeenergy.BAR(f, f)),
		"BAR nil":           second(freeenergy.BAR(f, nil)),
		"Bridge with Start": second(freeenergy.Bridge{}.Run(ctx, g, h, with(good))),
		"Crooks reversed":   third(freeenergy.Crooks(b, f)),
	} {
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) {
			t.Errorf("%s: %v, want *ebmkit.ArgError", name, err)
		}
		t.Logf("%-20s %v", name, err)
	}
	var de *ebmkit.DivergedError
	if err := second(freeenergy.Jarzynski{Path: freeenergy.StiffnessChange{D: 1, From: 1, To: 1e9}, Lambdas: freeenergy.Linear(100), Method: mcmc.ULA{Step: 1}}.Run(ctx, cfg)); !errors.As(err, &de) || de.Step == 0 {
		t.Errorf("runaway: %v, want *ebmkit.DivergedError", err)
	}
	stop, cancel := context.WithCancel(ctx)
	cancel()
	for _, err := range []error{
		second(ok.Run(stop, g, h, cfg)),
		second(freeenergy.SMC{Particles: 8, Method: rwm}.Run(stop, g, h, cfg)),
		second(freeenergy.ThermodynamicIntegration{Lambdas: lin, Method: rwm, Draws: 1}.Run(stop, g, h, cfg)),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// Exact draws of a law with a rare mode are never refused, whether they met it
// or not.
func TestEquilibriumIsNotRefused(t *testing.T) {
	rare := must(energy.NewMixture1D([]float64{0.995, 0.005}, []float64{0, 20}, []float64{1, 1}))
	for seed := range 300 {
		start := must(ebmkit.Draw(rare, 100, uint64(seed)))
		m := freeenergy.AIS{Lambdas: []float64{0, 1}}
		if _, err := m.Run(ctx, rare, normal(1, 1), freeenergy.Config{Samples: 100, Start: start}); err != nil {
			t.Fatal(err)
		}
	}
}

func third[S, T any](_ S, _ T, err error) error { return err }

func ExampleAIS() {
	from, _ := energy.NewIsotropicGaussian([]float64{0, 0}, 3)
	target, _ := energy.NewRing(8, 4, 0.5)
	m := freeenergy.AIS{Lambdas: freeenergy.Linear(100), Method: mcmc.RWM{Step: 0.8}}
	cfg := freeenergy.Config{Samples: 500, Seed: 1}
	f, _ := m.Run(context.Background(), from, target, cfg)
	r, _ := m.Reverse(context.Background(), from, target, cfg)
	both, _ := freeenergy.BAR(f, r)
	exact := target.LogZ()
	fmt.Println("between its bounds:", f.Lower.Value < exact && exact < r.Upper.Value)
	fmt.Printf("within 4 errors: %v, error below 0.05: %v\n", math.Abs(both.LogZ.Z(exact)) < 4, both.LogZ.SE < 0.05)
	// Output:
	// between its bounds: true
	// within 4 errors: true, error below 0.05: true
}

func ExampleJarzynski() {
	// Tighten a trap four times in two dimensions: Delta F = log 4.
	m := freeenergy.Jarzynski{
		Path:    freeenergy.StiffnessChange{D: 2, From: 1, To: 4},
		Lambdas: freeenergy.Linear(50),
		Method:  mcmc.ULA{Step: 0.05},
	}
	r, _ := m.Run(context.Background(), freeenergy.Config{Samples: 5000, Seed: 1})
	fmt.Printf("Delta F within 4 errors: %v\n", math.Abs(r.LogZ.Z(-math.Log(4))) < 4)
	fmt.Printf("the mean work is more: %v\n", -r.Lower.Value > math.Log(4))
	// Output:
	// Delta F within 4 errors: true
	// the mean work is more: true
}

// BenchmarkW10 is workload w10: Jarzynski-weighted ULA on a mixture of two modes,
// d = 50, 10,000 walkers, h = 0.1, 200 steps; log ratio ln 2.
func BenchmarkW10(b *testing.B) {
	const walkers, steps = 10000, 200
	p := freeenergy.ModeMasses{A: make([]float64, 50), B: make([]float64, 50), ToZ: -math.Log(3)}
	p.A[0], p.B[0] = -10, 6
	m := freeenergy.Jarzynski{Path: p, Lambdas: freeenergy.Linear(steps), Method: mcmc.ULA{Step: 0.1}}
	b.Run("jarzynski", func(b *testing.B) {
		b.ReportAllocs()
		var r *freeenergy.Report
		for b.Loop() {
			r = must(m.Run(ctx, freeenergy.Config{Samples: walkers, Seed: 1}))
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(walkers*steps), "ns/walker-step")
		b.ReportMetric(r.LogZ.Z(math.Ln2), "check-log-ratio-z")
	})
}

func BenchmarkPaths(b *testing.B) {
	from, to := normal(10, 1), normal(10, 0.5)
	ais := freeenergy.AIS{Lambdas: freeenergy.Linear(100), Method: mcmc.RWM{Step: 0.3}}
	cfg := freeenergy.Config{Samples: 1000, Seed: 1}
	f, r := must(ais.Run(ctx, from, to, cfg)), must(ais.Reverse(ctx, from, to, cfg))
	for name, run := range map[string]func(){
		"AIS": func() { must(ais.Run(ctx, from, to, cfg)) },
		"BAR": func() { must(freeenergy.BAR(f, r)) },
		"SMC": func() {
			must(freeenergy.SMC{Particles: 250, Method: mcmc.RWM{Step: 0.3}}.Run(ctx, from, to, freeenergy.Config{Samples: 4, Seed: 1}))
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
		})
	}
}
