package freeenergy_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/internal/race"
)

var ctx = context.Background()

type problem struct {
	name     string
	from, to interface {
		ebmkit.Normalized
		ebmkit.Sampler
	}
	near   ebmkit.Energy // a proposal for importance sampling
	path   freeenergy.Path
	method mcmc.Method
	step   float64 // of ULA, 0 for spins
}

// scaled returns the RBM with all parameters times l.
func scaled(m spin.RBM, l float64) spin.RBM {
	r := must(spin.NewRBM(m.Dim(), m.Hidden()))
	theta := m.Params(nil)
	for i := range theta {
		theta[i] *= l
	}
	if err := r.SetParams(theta); err != nil {
		panic(err)
	}
	return r
}

// The four targets of the notebook, small.
func problems() []problem {
	torus := must(spin.Torus{Rows: 4, Cols: 4, J: 1}.Ising())
	ising := func(l float64) ebmkit.Energy { return must(torus.At(0.4 * l)) }
	rbm := must(spin.NewRBM(8, 4))
	if err := rbm.SetParams(append(append(randoms(32, 1), randoms(8, 0.5)...), randoms(4, 0.5)...)); err != nil {
		panic(err)
	}
	machine := func(l float64) ebmkit.Energy { return scaled(rbm, l) }
	return []problem{
		{"stiffness 1 to 4, d = 3", normal(3, 1), normal(3, 0.5), normal(3, 0.6), nil, mcmc.MALA{Step: 0.25}, 0.1},
		{"two modes", normal(2, 1.6), must(energy.NewMixture([]float64{3, 7}, []energy.Component{
			must(energy.NewIsotropicGaussian([]float64{-1.5, 0}, 1)), must(energy.NewIsotropicGaussian([]float64{1.5, 1}, 0.8))})), normal(2, 1.6), nil, mcmc.RWM{Step: 1.2}, 0.2},
		{"Ising 4 x 4", must(freeenergy.Enumerate(ising(0), -1, 1)), must(freeenergy.Enumerate(ising(1), -1, 1)), must(freeenergy.Enumerate(ising(0.8), -1, 1)),
			freeenergy.PathFunc{D: 16, At: ising}, mcmc.Gibbs{}, 0},
		{"RBM 8 x 4", must(freeenergy.Enumerate(machine(0), 0, 1)), must(freeenergy.Enumerate(machine(1), 0, 1)), must(freeenergy.Enumerate(machine(0.7), 0, 1)),
			freeenergy.PathFunc{D: 8, At: machine}, mcmc.Gibbs{}, 0},
	}
}

func randoms(n int, scale float64) []float64 {
	v := make([]float64, n)
	s := ebmkit.NewStream(3, "parameters", n)
	for i := range v {
		v[i] = scale * s.Normal()
	}
	return v
}

// drive returns the protocol of k steps: ULA where there is a gradient, else one
// sweep after each step. Its ends have samplers.
func drive(p problem, k int) freeenergy.Jarzynski {
	if p.step > 0 {
		return freeenergy.Jarzynski{Path: freeenergy.Geometric{From: p.from, To: p.to}, Lambdas: freeenergy.Linear(k), Method: mcmc.ULA{Step: p.step}}
	}
	at := p.path.(freeenergy.PathFunc).At
	return freeenergy.Jarzynski{Path: freeenergy.PathFunc{D: p.to.Dim(), At: func(l float64) ebmkit.Energy {
		switch l {
		case 0:
			return p.from
		case 1:
			return p.to
		}
		return at(l)
	}}, Lambdas: freeenergy.Linear(k), Method: p.method}
}

// The values that the tests compare with come from elsewhere: the enumeration
// of levels and of hidden states in package spin, Kaufman's formula.
func TestEnumerateKnowsLogZ(t *testing.T) {
	p := problems()
	torus := spin.Torus{Rows: 4, Cols: 4, J: 1}
	levels := must(must(spin.Enumerate(must(torus.Ising()))).At(0.4)).LogZ
	kaufman := must(spin.KaufmanTorus(torus, 0.4)).LogZ
	rbm := p[3].path.(freeenergy.PathFunc).At(1).(spin.RBM)
	for name, v := range map[string][2]float64{
		"Ising":        {p[2].to.LogZ(), levels},
		"Kaufman":      {p[2].to.LogZ(), kaufman},
		"RBM":          {p[3].to.LogZ(), must(rbm.ExactLogZ())},
		"Ising from":   {p[2].from.LogZ(), 16 * math.Ln2},
		"RBM from":     {p[3].from.LogZ(), 12 * math.Ln2},
		"three values": {must(freeenergy.Enumerate(must(energy.NewFunc(2, func(x []float64) float64 { return x[0] * x[1] }, nil)), -1, 0, 1)).LogZ(), math.Log(5 + 2*math.E + 2/math.E)},
	} {
		if math.Abs(v[0]-v[1]) > 1e-12*math.Abs(v[1]) {
			t.Errorf("%s: log Z = %v, want %v", name, v[0], v[1])
		}
	}
	// Exact draws: each of the 256 states of the RBM as often as it should be.
	const n = 100000
	to, count := p[3].to, make([]float64, 256)
	for _, row := range [][]float64{must(ebmkit.Draw(to, n, 1)).X} {
		for i := range n {
			s := 0
			for j, v := range row[8*i : 8*i+8] {
				s |= int(v) << j
			}
			count[s]++
		}
	}
	chi2, wrong, df := 0.0, 0.0, -1.0
	x := make([]float64, 8)
	var restGot, restWant float64
	for s, c := range count {
		for j := range x {
			x[j] = float64(s >> j & 1)
		}
		want := n * math.Exp(-to.Energy(x)-to.LogZ())
		if want < 5 {
			restGot, restWant = restGot+c, restWant+want
			continue
		}
		chi2, df = chi2+(c-want)*(c-want)/want, df+1
		off := want * (1 + 0.1*float64(s&1)) // negative control
		wrong += (c - off) * (c - off) / off
	}
	if restWant > 0 {
		chi2, df = chi2+(restGot-restWant)*(restGot-restWant)/restWant, df+1
	}
	z := (chi2 - df) / math.Sqrt(2*df)
	t.Logf("chi^2 = %.1f with %g degrees of freedom, z = %.2f", chi2, df, z)
	if math.Abs(z) > 4 {
		t.Errorf("draws: chi^2 = %v with %v degrees of freedom", chi2, df)
	}
	if (wrong-df)/math.Sqrt(2*df) < 4 {
		t.Error("no power against probabilities off by 10 %")
	}
}

// Every estimator on every problem: the mean over independent runs against the
// exact log Z, the standard error against their spread, and the bounds.
func TestAllEstimatorsAgree(t *testing.T) {
	if race.Enabled {
		t.Skip("long; the tests of same bits run the same code on several cores")
	}
	type estimator func(p problem, n int, seed uint64) (*freeenergy.Report, error)
	anneal := func(p problem) freeenergy.AIS {
		return freeenergy.AIS{Lambdas: freeenergy.Linear(16), Method: p.method, Moves: 2, Path: p.path}
	}
	reps := 25
	if testing.Short() {
		reps = 10
	}
	for _, p := range problems() {
		exact := p.to.LogZ()
		for _, e := range []struct {
			name string
			run  estimator
		}{
			{"importance", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return freeenergy.ImportanceSampling{Proposal: p.near}.Run(ctx, p.to, freeenergy.Config{Samples: 4 * n, Seed: s})
			}},
			{"AIS", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return anneal(p).Run(ctx, p.from, p.to, freeenergy.Config{Samples: n, Seed: s})
			}},
			{"reverse AIS", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return anneal(p).Reverse(ctx, p.from, p.to, freeenergy.Config{Samples: n, Seed: s})
			}},
			{"Jarzynski", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				r, err := drive(p, 16).Run(ctx, freeenergy.Config{Samples: n, Seed: s})
				if err == nil { // it reports the ratio
					r.LogZ.Value += p.from.LogZ()
					r.Lower.Value += p.from.LogZ()
				}
				return r, err
			}},
			{"bridge", func(p problem, n int, s uint64) (*freeenergy.Report, error) {
				return freeenergy.Bridge{}.Run(ctx, p.from, p.to, freeenergy.Config{Samples: 4 * n, Seed: s})
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
			const n = 512
			var value, z2, lower, upper, khat []float64
			var last *freeenergy.Report
			for s := range reps {
				r, err := e.run(p, n, uint64(s))
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
			} else if math.Abs(m2.Value-1) > 4*max(m2.SE, math.Sqrt(2/float64(reps))) {
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
			// Negative control: the test sees an error of 0.2.
			if math.Abs(m.Value-exact-0.2) < 4*m.SE+bias {
				t.Errorf("%s, %s: no power against an error of 0.2", p.name, e.name)
			}
		}
	}
}

// naive hides ULA, so that its work is not corrected.
type naive struct{ mcmc.ULA }

// hot sweeps spins at a temperature 1.3 times too high.
type hot struct{}

func (hot) Bind(target ebmkit.Energy, rows int) (mcmc.Kernel, error) { return &hotKernel{target}, nil }

type hotKernel struct{ target ebmkit.Energy }

func (k *hotKernel) Start(*ebmkit.Ensemble, *ebmkit.Stream) error { return nil }
func (k *hotKernel) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (mcmc.Info, error) {
	t := k.target.(ebmkit.Wrapper).Inner()[0].(spin.Tempered)
	for i := range block.N {
		t.Ising.SweepAt(t.Beta/1.3, block.Row(i), s)
	}
	return mcmc.Info{}, nil
}

// Each estimator with a fault: a work of the wrong sign, a kernel that does not
// keep its target, a correction left out, walkers out of equilibrium. What the
// test above accepts must refuse all of them.
func TestFaultsAreSeen(t *testing.T) {
	ps := problems()
	trap, ising := ps[0], ps[2]
	cfg := freeenergy.Config{Samples: 4000, Seed: 5}
	minus := func(r *freeenergy.Report, err error) (*freeenergy.Report, error) {
		if err != nil {
			return nil, err
		}
		w := slices.Clone(r.LogW)
		for i := range w {
			w[i] = -w[i]
		}
		return freeenergy.ReportOf(w)
	}
	ula := naive{mcmc.ULA{Step: 0.1}}
	fast := freeenergy.AIS{Lambdas: freeenergy.Linear(8), Method: ula}
	sweep := freeenergy.AIS{Lambdas: freeenergy.Linear(16), Method: hot{}, Path: ising.path}
	right := trap.to.LogZ() - trap.from.LogZ()
	wrongStart := must(ebmkit.Draw(ising.from, cfg.Samples, 1))
	for _, c := range []struct {
		name  string
		exact float64
		r     func() (*freeenergy.Report, error)
	}{
		{"importance, density of the proposal forgotten", trap.to.LogZ(), func() (*freeenergy.Report, error) {
			x := must(ebmkit.Draw(trap.near, cfg.Samples, 1))
			w := make([]float64, x.N)
			for i := range w {
				w[i] = -trap.to.Energy(x.Row(i))
			}
			return freeenergy.ReportOf(w)
		}},
		{"importance, wrong sign", trap.to.LogZ(), func() (*freeenergy.Report, error) {
			return minus(freeenergy.ImportanceSampling{Proposal: trap.near}.Run(ctx, trap.to, cfg))
		}},
		{"AIS, wrong sign", trap.to.LogZ(), func() (*freeenergy.Report, error) {
			return minus(freeenergy.AIS{Lambdas: freeenergy.Linear(16), Method: trap.method}.Run(ctx, trap.from, trap.to, cfg))
		}},
		{"AIS, uncorrected ULA", trap.to.LogZ(), func() (*freeenergy.Report, error) { return fast.Run(ctx, trap.from, trap.to, cfg) }},
		{"AIS, spins too hot", ising.to.LogZ(), func() (*freeenergy.Report, error) { return sweep.Run(ctx, ising.from, ising.to, cfg) }},
		{"reverse AIS, read as forward", ising.to.LogZ(), func() (*freeenergy.Report, error) {
			sweep := sweep
			sweep.Method = mcmc.Gibbs{}
			r, err := sweep.Reverse(ctx, ising.from, ising.to, cfg)
			if err != nil {
				return nil, err
			}
			return freeenergy.ReportOf(r.LogW)
		}},
		{"reverse AIS, spins too hot", ising.to.LogZ(), func() (*freeenergy.Report, error) { return sweep.Reverse(ctx, ising.from, ising.to, cfg) }},
		{"reverse AIS, not from the target", ising.to.LogZ(), func() (*freeenergy.Report, error) {
			sweep := sweep
			sweep.Method = mcmc.Gibbs{}
			return sweep.Reverse(ctx, ising.from, ising.to, freeenergy.Config{Samples: cfg.Samples, Seed: 5, Start: wrongStart})
		}},
		{"integration, uncorrected ULA", trap.to.LogZ(), func() (*freeenergy.Report, error) {
			m := freeenergy.ThermodynamicIntegration{Lambdas: freeenergy.Linear(16), Rule: freeenergy.Simpson, Method: ula, Burn: 12, Draws: 6}
			return m.Run(ctx, trap.from, trap.to, cfg)
		}},
		{"BAR, uncorrected ULA", trap.to.LogZ(), func() (*freeenergy.Report, error) {
			return freeenergy.Bridge{Anneal: fast}.Run(ctx, trap.from, trap.to, cfg)
		}},
		{"BAR, works of the way back with the wrong sign", trap.to.LogZ(), func() (*freeenergy.Report, error) {
			r := must(fast.Reverse(ctx, trap.from, trap.to, cfg))
			for i := range r.LogW {
				r.LogW[i] = -r.LogW[i]
			}
			return freeenergy.BAR(must(fast.Run(ctx, trap.from, trap.to, cfg)), r)
		}},
		{"Jarzynski, uncorrected ULA", right, func() (*freeenergy.Report, error) {
			j := drive(trap, 8)
			j.Method = ula
			return j.Run(ctx, cfg)
		}},
		{"Jarzynski, wrong sign", right, func() (*freeenergy.Report, error) { return minus(drive(trap, 8).Run(ctx, cfg)) }},
		{"SMC, uncorrected ULA", trap.to.LogZ(), func() (*freeenergy.Report, error) {
			m := freeenergy.SMC{Particles: 32, Lambdas: freeenergy.Linear(8), Method: ula}
			return m.Run(ctx, trap.from, trap.to, freeenergy.Config{Samples: 200, Seed: 5})
		}},
	} {
		r, err := c.r()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		t.Logf("%-48s %v, exact %.4f, z = %.1f", c.name, r.LogZ, c.exact, r.LogZ.Z(c.exact))
		if math.Abs(r.LogZ.Z(c.exact)) < 6 {
			t.Errorf("%s: not seen: %v, exact %v", c.name, r.LogZ, c.exact)
		}
	}
}

// Spins driven fast: the mean of exp(-W) is right in both directions, the mean
// work is not.
func TestFastSpins(t *testing.T) {
	for _, p := range problems()[2:] {
		ratio := p.to.LogZ() - p.from.LogZ()
		j := drive(p, 6)
		f, b := must(j.Run(ctx, freeenergy.Config{Samples: 10000, Seed: 2})), must(j.Reverse(ctx, freeenergy.Config{Samples: 10000, Seed: 2}))
		ef, eb := make([]float64, f.N), make([]float64, b.N)
		for i := range ef {
			ef[i], eb[i] = math.Exp(f.LogW[i]-ratio), math.Exp(ratio-b.LogW[i])
		}
		mf, mb := ebmkit.MeanOf(ef), ebmkit.MeanOf(eb)
		slope, c, err := freeenergy.Crooks(f, b)
		t.Logf("%s: exp(-W+F) %v z = %.2f, back %v z = %.2f; -<W> %v and %v around %.4f; Crooks %v, %v, %v",
			p.name, mf, mf.Z(1), mb, mb.Z(1), f.Lower, b.Upper, ratio, slope, c, err)
		if math.Abs(mf.Z(1)) > 4 || math.Abs(mb.Z(1)) > 4 || math.Abs(slope.Z(1)) > 4 || math.Abs(c.Z(ratio)) > 4 {
			t.Errorf("%s: %v, %v; Crooks %v, %v, %v", p.name, mf, mb, slope, c, err)
		}
		if f.Lower.Z(ratio) > -10 || b.Upper.Z(ratio) < 10 {
			t.Errorf("%s: the mean work is not above Delta F: %v, %v, exact %v", p.name, f.Lower, b.Upper, ratio)
		}
	}
}

// The integrand where it is known: of the trap d (k1 - k0)/(2k), of spins their
// mean energy; and on a path that is not linear.
func TestSlopes(t *testing.T) {
	ps := problems()
	run := func(p problem, path freeenergy.Path, method mcmc.Method) *freeenergy.Report {
		m := freeenergy.ThermodynamicIntegration{Lambdas: freeenergy.Linear(8), Rule: freeenergy.Simpson, Method: method, Burn: 20, Draws: 10, Path: path}
		return must(m.Run(ctx, p.from, p.to, freeenergy.Config{Samples: 500, Seed: 1}))
	}
	levels := must(spin.Enumerate(must(spin.Torus{Rows: 4, Cols: 4, J: 1}.Ising())))
	curved := freeenergy.PathFunc{D: 3, At: func(l float64) ebmkit.Energy { return normal(3, 1-l/2) }}
	for _, c := range []struct {
		name  string
		r     *freeenergy.Report
		log0  float64
		slope func(l float64) float64
		exact float64
	}{
		{"trap", run(ps[0], nil, ps[0].method), 0, func(l float64) float64 { return 3 * 3 / (2 * (1 + 3*l)) }, ps[0].to.LogZ()},
		{"Ising", run(ps[2], ps[2].path, ps[2].method), 0, func(l float64) float64 { return 0.4 * 16 * must(levels.At(0.4*l)).Energy }, ps[2].to.LogZ()},
		// sd = s: dU/dlambda = -|x|^2/s^3 ds/dlambda, and <|x|^2> = 3 s^2.
		{"sd falls", run(ps[0], curved, mcmc.MALA{Step: 0.25}), 0, func(l float64) float64 { return 3 * 0.5 / (1 - l/2) }, ps[0].to.LogZ()},
	} {
		if math.Abs(c.r.LogZ.Z(c.exact)) > 4 {
			t.Errorf("%s: %v, exact %v", c.name, c.r, c.exact)
		}
		if len(c.r.Slopes) != len(c.r.Lambdas) {
			t.Fatalf("%s: %d slopes at %d lambdas", c.name, len(c.r.Slopes), len(c.r.Lambdas))
		}
		for i, l := range c.r.Lambdas {
			if z := c.r.Slopes[i].Z(c.slope(l)); math.Abs(z) > 4 || !(c.r.Slopes[i].SE < 0.1) {
				t.Errorf("%s: slope at %g is %v, exact %v", c.name, l, c.r.Slopes[i], c.slope(l))
			}
		}
		if linear := c.name != "sd falls"; linear != !math.IsInf(c.r.Upper.Value, 1) || linear && c.r.Upper.Z(c.exact) < 0 {
			t.Errorf("%s: bounds %v, %v", c.name, c.r.Lower, c.r.Upper)
		}
	}
}

// Without resampling SMC's ESS is that of annealed weights; it falls along the
// path and comes back to one where particles are drawn anew.
func TestAlong(t *testing.T) {
	p := problems()[0]
	m := freeenergy.SMC{Particles: 500, Lambdas: freeenergy.Linear(20), Method: p.method, Resample: 1e-9}
	r := must(m.Run(ctx, p.from, p.to, freeenergy.Config{Samples: 2, Seed: 1}))
	m.Resample = 0.8
	again := must(m.Run(ctx, p.from, p.to, freeenergy.Config{Samples: 2, Seed: 1}))
	for _, r := range []*freeenergy.Report{r, again} {
		if len(r.Along) != 21 || len(r.Lambdas) != 21 || r.Along[0] != 1 {
			t.Fatalf("%d values at %d lambdas, the first %v", len(r.Along), len(r.Lambdas), r.Along[0])
		}
	}
	if !(r.Along[20] < 0.8) || slices.Min(again.Along) < 0.6 {
		t.Errorf("ESS at the end %v without resampling, lowest with it %v", r.Along[20], slices.Min(again.Along))
	}
}

// Reverse AIS between separated modes: no finite variance, and the report says so.
func TestHeavyTail(t *testing.T) {
	far := must(energy.NewMixture([]float64{3, 7}, []energy.Component{
		must(energy.NewIsotropicGaussian([]float64{-2, 0}, 0.5)), must(energy.NewIsotropicGaussian([]float64{2, 1}, 0.5))}))
	back := freeenergy.AIS{Lambdas: []float64{0, 1}}
	heavy := must(back.Reverse(ctx, normal(2, 2), far, freeenergy.Config{Samples: 4000, Seed: 1}))
	light := must(back.Run(ctx, normal(2, 2), far, freeenergy.Config{Samples: 4000, Seed: 1}))
	w := make([]float64, 4000)
	for i := range w { // a Pareto law with k = 0.6, at its quantiles
		w[i] = -0.6 * math.Log((float64(i)+0.5)/4000)
	}
	between := must(freeenergy.ReportOf(w))
	t.Logf("%v; %v; %v", heavy, between, light)
	if !heavy.HeavyTail() || light.HeavyTail() || !between.HeavyTail() || !between.Trusted() || !strings.Contains(between.String(), "heavy tail") {
		t.Errorf("%v; %v; %v", heavy, between, light)
	}
}

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
	g, h, ising := normal(2, 1), normal(2, 2), problems()[2]
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
		"spins off lattice":  ais(freeenergy.AIS{Lambdas: lin, Method: rwm, Path: ising.path}, ising.from, ising.to, cfg),
		"SMC off lattice":    second(freeenergy.SMC{Particles: 8, Method: rwm, Lambdas: lin, Path: ising.path}.Run(ctx, ising.from, ising.to, freeenergy.Config{Samples: 4})),
		"TI off lattice":     second(freeenergy.ThermodynamicIntegration{Lambdas: lin, Method: rwm, Draws: 1, Path: ising.path}.Run(ctx, ising.from, ising.to, cfg)),
		"gradient of spins":  ais(freeenergy.AIS{Lambdas: lin, Method: ula, Path: ising.path}, ising.from, ising.to, cfg),
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
		"enumerate nil":      second(freeenergy.Enumerate(nil, 0, 1)),
		"enumerate one":      second(freeenergy.Enumerate(g, 1)),
		"enumerate equal":    second(freeenergy.Enumerate(g, 1, 0, 1)),
		"enumerate many":     second(freeenergy.Enumerate(normal(21, 1), 0, 1)),
		"enumerate NaN":      second(freeenergy.Enumerate(must(energy.NewFunc(1, func([]float64) float64 { return math.NaN() }, nil)), 0, 1)),
		"enumerate nothing":  second(freeenergy.Enumerate(must(energy.NewFunc(1, func([]float64) float64 { return math.Inf(1) }, nil)), 0, 1)),
		"BAR the same way":   second(freeenergy.BAR(f, f)),
		"BAR nil":            second(freeenergy.BAR(f, nil)),
		"Bridge with Start":  second(freeenergy.Bridge{}.Run(ctx, g, h, with(good))),
		"Crooks reversed":    third(freeenergy.Crooks(b, f)),
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

func ExampleEnumerate() {
	// A magnet of 3 x 3 spins, annealed from free ones.
	torus, _ := spin.Torus{Rows: 3, Cols: 3, J: 1}.Ising()
	at := func(lambda float64) ebmkit.Energy {
		u, _ := torus.At(0.4 * lambda)
		return u
	}
	from, _ := freeenergy.Enumerate(at(0), -1, 1)
	to, _ := freeenergy.Enumerate(at(1), -1, 1)
	m := freeenergy.AIS{Lambdas: freeenergy.Linear(50), Method: mcmc.Gibbs{}, Path: freeenergy.PathFunc{D: 9, At: at}}
	r, _ := m.Run(context.Background(), from, to, freeenergy.Config{Samples: 500, Seed: 1})
	fmt.Printf("counted %.3f, annealed within 4 errors: %v\n", to.LogZ(), math.Abs(r.LogZ.Z(to.LogZ())) < 4)
	// Output:
	// counted 8.456, annealed within 4 errors: true
}
