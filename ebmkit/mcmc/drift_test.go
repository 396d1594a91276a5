package mcmc

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// crookedHMC is HMC with a mistake: the half kicks are full kicks.
type crookedHMC struct{ HMC }

func (m crookedHMC) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	k, err := m.HMC.Bind(target, rows)
	return &crookedHMCKernel{k.(*hmc)}, err
}

type crookedHMCKernel struct{ *hmc }

func (k *crookedHMCKernel) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	p, d := k.p.rows(block.N), block.Dim
	v := k.v[:len(block.X)]
	s.FillNormal(v)
	for i := range block.N {
		k.h0[i] = block.U[i] + kinetic(v[i*d:(i+1)*d])
	}
	copy(p.x, block.X)
	copy(p.grad, block.Grad)
	for i, g := range p.grad {
		v[i] -= k.h / 2 * g
	}
	k.leapfrog(p.u, p.x, v, p.grad)
	for i := range block.N {
		p.prob[i] = k.h0[i] - p.u[i] - kinetic(v[i*d:(i+1)*d])
	}
	return p.decide(block, s), nil
}

// crookedMALA forgets the densities of the proposal.
type crookedMALA struct{ MALA }

func (m crookedMALA) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	k, err := m.MALA.Bind(target, rows)
	return &crookedMALAKernel{k.(*mala)}, err
}

type crookedMALAKernel struct{ *mala }

func (k *crookedMALAKernel) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	p := k.p.rows(block.N)
	s.FillNormal(k.xi[:len(block.X)])
	for i, x := range block.X {
		p.x[i] = x - k.h*block.Grad[i] + math.Sqrt(2*k.h)*k.xi[i]
	}
	k.ev.EnergyGrad(p.u, p.grad, p.x)
	for i, u := range block.U {
		p.prob[i] = u - p.u[i]
	}
	return p.decide(block, s), nil
}

// Kernels that are exact stay at the target when they start there; a mistake
// of a sign or of a factor does not.
func TestNoDrift(t *testing.T) {
	numbersOnly(t)
	target := correlated()
	wide := must(energy.NewDiagonalGaussian([]float64{0, -1, 0}, []float64{1.5, 2, 2.5}))
	n := sized(60_000, 20_000)
	init := must(ebmkit.Draw(target, n, 21))
	for _, c := range []struct {
		name  string
		m     Method
		steps int
		drift bool // expected
	}{
		{"RWM", RWM{Step: 0.7}, 20, false},
		{"Independence", Independence{Proposal: wide}, 20, false},
		{"MALA", MALA{Step: 0.25}, 20, false},
		{"HMC", HMC{Step: 0.4, Leapfrog: 4}, 10, false},
		{"HMC with masses", HMC{Step: 0.4, Leapfrog: 4, InvMass: []float64{0.5, 1, 2}}, 10, false},
		{"NUTS", NUTS{Step: 0.5}, 3, false},
		{"NUTS with masses", NUTS{Step: 0.5, InvMass: []float64{0.5, 1, 2}}, 3, false},
		{"NUTS cut at depth 2", NUTS{Step: 0.3, MaxDepth: 2}, 3, false},
		{"Gibbs", Gibbs{}, 20, false},
		{"MALA without the proposal ratio", crookedMALA{MALA{Step: 0.25}}, 20, true},
		{"HMC with a full first kick", crookedHMC{HMC{Step: 0.4, Leapfrog: 4}}, 20, true},
		{"ULA", ULA{Step: 0.25}, 20, true},
	} {
		e := run(t, target, c.m, Config{Walkers: n, Draws: 1, Thin: c.steps, Seed: 4, Init: init}).Last()
		z := gaussianZ(e, target.Mean(nil), target.Cov(nil))
		t.Logf("%s: max |z| = %.2f after %d steps", c.name, z, c.steps)
		if c.drift && z < 6 || !c.drift && z > 4.5 {
			t.Errorf("%s: max |z| = %.2f", c.name, z)
		}
	}
	limit := must(ULALimit(target, 0.25))
	e := run(t, target, ULA{Step: 0.25}, Config{Walkers: n, Draws: 1, Thin: 20, Seed: 4, Init: must(ebmkit.Draw(limit, n, 8))}).Last()
	if z := gaussianZ(e, limit.Mean(nil), limit.Cov(nil)); z > 4.5 {
		t.Errorf("ULA from eq. (90): max |z| = %.2f", z)
	}
	// BAOAB: exact positions once the velocities have settled.
	e = run(t, target, Underdamped{Step: 0.5, Friction: 1}, Config{Walkers: n, Draws: 1, Thin: 60, Seed: 4, Init: init}).Last()
	z := gaussianZ(e, target.Mean(nil), target.Cov(nil))
	t.Logf("Underdamped: max |z| = %.2f after 60 steps", z)
	if z > 4.5 {
		t.Errorf("Underdamped: max |z| = %.2f", z)
	}
}

// Away from Gaussians: the energy's mean and the mass left of zero stay those of
// fresh exact draws of a skew double well.
func TestNoDriftOnAMixture(t *testing.T) {
	numbersOnly(t)
	target := must(energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-1.5, 1}, []float64{0.4, 0.7}))
	n := sized(100_000, 20_000)
	facts := func(e *ebmkit.Ensemble) (u, left, sq ebmkit.Estimate) {
		us, ls, sqs := make([]float64, e.N), make([]float64, e.N), make([]float64, e.N)
		for i, x := range e.X {
			us[i], sqs[i] = target.Energy(e.X[i:i+1]), x*x
			if x < 0 {
				ls[i] = 1
			}
		}
		return ebmkit.MeanOf(us), ebmkit.MeanOf(ls), ebmkit.MeanOf(sqs)
	}
	u0, l0, q0 := facts(must(ebmkit.Draw(target, 4*n, 99)))
	init := must(ebmkit.Draw(target, n, 1))
	z := func(a, b ebmkit.Estimate) float64 { return (a.Value - b.Value) / math.Hypot(a.SE, b.SE) }
	for _, c := range []struct {
		m     Method
		drift bool
	}{
		{RWM{Step: 1}, false}, {MALA{Step: 0.15}, false}, {HMC{Step: 0.35, Leapfrog: 5}, false},
		{NUTS{Step: 0.4}, false}, {Independence{Proposal: must(energy.NewGaussian1D(0, 2))}, false},
		{crookedMALA{MALA{Step: 0.15}}, true}, {ULA{Step: 0.1}, true}, {Underdamped{Step: 0.75, Friction: 1}, true},
	} {
		e := run(t, target, c.m, Config{Walkers: n, Draws: 1, Thin: 15, Seed: 9, Init: init}).Last()
		u, l, q := facts(e)
		zu, zl, zq := z(u, u0), z(l, l0), z(q, q0)
		worst := math.Max(math.Abs(zu), math.Max(math.Abs(zl), math.Abs(zq)))
		t.Logf("%T: z of the energy %.2f, of the mass on the left %.2f, of x^2 %.2f", c.m, zu, zl, zq)
		if c.drift && worst < 5 || !c.drift && worst > 4.2 {
			t.Errorf("%T: worst |z| = %.2f", c.m, worst)
		}
	}
}

// The bias of an unadjusted kernel on a target that is not Gaussian has the
// order of the scheme or better: halving h halves ULA's and quarters BAOAB's.
func TestOrderOfTheBias(t *testing.T) {
	numbersOnly(t)
	if testing.Short() {
		t.Skip("needs long runs")
	}
	target := must(energy.NewMixture1D([]float64{1, 1}, []float64{-1, 1}, []float64{0.6, 0.6}))
	const m = 2001
	var exact float64 // E U by the trapezoidal rule, spectrally accurate for a decaying integrand
	for i := range m {
		u := target.Energy([]float64{-8 + 16*float64(i)/(m-1)})
		exact += 16.0 / (m - 1) * u * math.Exp(-u-target.LogZ())
	}
	init := must(ebmkit.Draw(target, 120_000, 31))
	bias := func(method Method, steps int) ebmkit.Estimate {
		c := run(t, target, method, Config{Walkers: init.N, Burn: steps, Draws: 6, Thin: steps / 4, Seed: 2, Init: init})
		us := make([]float64, c.Walkers) // averages of independent walkers
		for t := range c.Draws {
			for i, x := range c.At(t).X {
				us[i] += (target.Energy([]float64{x}) - exact) / float64(c.Draws)
			}
		}
		return ebmkit.MeanOf(us)
	}
	for _, c := range []struct {
		name   string
		method func(h float64) Method
		h      float64
		steps  int
		order  float64
	}{
		{"ULA", func(h float64) Method { return ULA{Step: h} }, 0.1, 40, 1},
		{"BAOAB", func(h float64) Method { return Underdamped{Step: h, Friction: 0.3} }, 0.64, 24, 2},
	} {
		a, b := bias(c.method(c.h), c.steps), bias(c.method(c.h/2), 2*c.steps)
		order := math.Log2(a.Value / b.Value)
		se := math.Hypot(a.SE/a.Value, b.SE/b.Value) / math.Ln2
		t.Logf("%s: bias of E U %v at h = %g, %v at h/2: order %.2f +- %.2f", c.name, a, c.h, b, order, se)
		// The next order of h is still felt, and BAOAB's h^2 term, which vanishes
		// on Gaussians, is small here: the order is told from those below.
		if order < c.order-4*se || se > 0.3 {
			t.Errorf("%s: order %.2f +- %.2f, want at least %g", c.name, order, se, c.order)
		}
	}
}
