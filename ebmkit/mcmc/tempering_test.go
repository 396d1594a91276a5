package mcmc

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// geometric ladder from 1 to last.
func geometricBetas(n int, last float64) []float64 {
	b := make([]float64, n)
	for l := range b {
		b[l] = math.Pow(last, float64(l)/float64(n-1))
	}
	return b
}

// Two modes 16 standard deviations apart, masses 0.3 and 0.7: tempering finds
// both with the right masses from a start in the light one; the same kernel
// alone does not cross.
func TestTemperingCrossesSixteenSigma(t *testing.T) {
	target := must(energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-8, 8}, []float64{1, 1}))
	start := &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{-8}}
	cfg := Config{Walkers: 64, Burn: 2000, Draws: sized(3000, 1000), Thin: 2, Seed: 3, Init: start, Adapt: true}
	l, err := Tempering{Method: RWM{Step: 2}, Betas: geometricBetas(8, 0.01)}.Run(context.Background(), target, cfg)
	if err != nil {
		t.Fatal(err)
	}
	right := func(c *ebmkit.Chain) ebmkit.Estimate { // the ladders are independent
		f := make([]float64, c.Walkers)
		for i := range c.Draws {
			for w := range c.Walkers {
				if c.X[i*c.Walkers+w] > 0 {
					f[w] += 1 / float64(c.Draws)
				}
			}
		}
		return ebmkit.MeanOf(f)
	}
	mass := right(l.Chain)
	trips := float64(l.RoundTrips) / float64(cfg.Walkers)
	most := l.RoundTripRate() * float64(l.Exchanges)
	t.Logf("mass on the right %v (0.7, z = %.2f); ladder %.3f; swaps %.2f; barrier %.2f; steps %.2f; round trips per ladder %.0f of at most %.0f",
		mass, mass.Z(0.7), l.Betas, l.Swap, l.Barrier(), l.Steps, trips, most)
	if math.Abs(mass.Z(0.7)) > 4 || mass.SE > 0.02 {
		t.Errorf("mass on the right %v, want 0.7", mass)
	}
	if lo, hi := slices.Min(l.Swap), slices.Max(l.Swap); hi-lo > 0.1 {
		t.Errorf("the adapted ladder has swap rates from %.2f to %.2f", lo, hi)
	}
	if trips < 5 || trips > 1.1*most {
		t.Errorf("%.0f round trips per ladder, want between 5 and %.0f", trips, most)
	}
	for k, a := range l.Accept {
		if math.Abs(a-0.44) > 0.05 {
			t.Errorf("level %d accepts %.2f, want 0.44", k, a)
		}
	}
	alone := right(run(t, target, RWM{Step: 2}, Config{Walkers: 64, Burn: 2000, Draws: 1000, Thin: 2, Seed: 3, Init: start}))
	if alone.Value != 0 {
		t.Errorf("without tempering %v crossed: the test has no power", alone)
	}
}

// One exchange of exact draws at two levels leaves both at their laws. With the
// inverse temperatures the wrong way round it does not.
func TestExchangeNoDrift(t *testing.T) {
	target := must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	n := sized(60_000, 20_000)
	betas := []float64{1, 0.4}
	for _, turned := range []bool{false, true} {
		m := must(newTempering(target, Tempering{Method: MALA{Step: 0.2}, Betas: betas}, Config{Walkers: n, Draws: 1}))
		levels := []*ebmkit.Ensemble{{Dim: 2}, {Dim: 2}}
		for i := range m.blocks {
			b := &m.blocks[i]
			for l := range b.levels {
				r := &b.levels[l]
				b.stream.FillNormal(r.ens.X)
				for j := range r.ens.X {
					r.ens.X[j] /= math.Sqrt(betas[l])
				}
				r.kernel.Start(r.ens, b.stream)
			}
			if turned {
				b.levels[0].beta, b.levels[1].beta = betas[1], betas[0]
			}
			b.exchange(0)
			for l, e := range levels {
				e.X = append(e.X, b.levels[l].ens.X...)
				e.N += b.levels[l].ens.N
			}
		}
		for l, e := range levels {
			v := 1 / betas[l]
			z := gaussianZ(e, []float64{0, 0}, []float64{v, 0, 0, v})
			t.Logf("turned %v, level %d: max |z| = %.2f", turned, l, z)
			if !turned && z > 4.5 || turned && z < 8 {
				t.Errorf("turned %v, level %d: max |z| = %.2f", turned, l, z)
			}
		}
	}
}

// The cold level stays at its law, and the exchange rates are the exact ones.
func TestTemperingNoDrift(t *testing.T) {
	target := must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))
	n := sized(40_000, 10_000)
	l, err := Tempering{Method: MALA{Step: 0.2}, Betas: []float64{1, 0.5, 0.2}}.Run(context.Background(), target,
		Config{Walkers: n, Burn: 40, Draws: 1, Thin: 2, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	z := gaussianZ(l.Chain.Last(), target.Mean(nil), target.Cov(nil))
	// The exchange of N(0, I/b0) and N(0, I/b1) in the plane: with R = U0 - U1 of
	// exponential energies the mean of min(1, exp((b0-b1) R)) is 2 b1/(b0+b1).
	want := []float64{2 * 0.5 / 1.5, 2 * 0.2 / 0.7}
	t.Logf("max |z| = %.2f; swaps %.4f, exact %.4f", z, l.Swap, want)
	if z > 4.5 {
		t.Errorf("max |z| = %.2f", z)
	}
	for k, a := range l.Swap {
		se := 0.5 / math.Sqrt(float64(n)) // an acceptance probability has sd <= 1/2
		if math.Abs(a-want[k]) > 4*se {
			t.Errorf("pair %d: swaps %.4f, want %.4f", k, a, want[k])
		}
	}
	for i, x := range l.Chain.X[:2*n] {
		if i%2 == 0 {
			u := (x*x + l.Chain.X[i+1]*l.Chain.X[i+1]) / 2
			if math.Abs(u-l.Chain.U[i/2]) > 1e-12*(1+u) {
				t.Fatalf("U of walker %d is %v, want %v", i/2, l.Chain.U[i/2], u)
			}
		}
	}
}

func TestTemperingIsReproducible(t *testing.T) {
	target := must(energy.NewMixture1D([]float64{1, 1}, []float64{-2, 2}, []float64{0.5, 0.5}))
	var first *Ladder
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		l, err := Tempering{Method: MALA{Step: 0.2}, Betas: geometricBetas(4, 0.1), SwapEvery: 2}.Run(context.Background(), target,
			Config{Walkers: 40, Burn: 200, Draws: 30, Seed: 5, Adapt: true})
		runtime.GOMAXPROCS(old)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = l
		} else if !slices.Equal(l.Chain.X, first.Chain.X) || !slices.Equal(l.Betas, first.Betas) || l.RoundTrips != first.RoundTrips {
			t.Errorf("GOMAXPROCS %d gives other numbers", procs)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	l, err := Tempering{Method: MALA{Step: 0.2}, Betas: geometricBetas(4, 0.1)}.Run(ctx, target, Config{Walkers: 3, Burn: 64, Draws: 1000, Seed: 5,
		Progress: func(done, _ int) {
			if done >= 160 {
				cancel()
			}
		}})
	if !errors.Is(err, context.Canceled) || l.Chain.Draws != 96 || len(l.Chain.X) != 3*96 {
		t.Errorf("cancelled after 160 transitions: %v, %d draws", err, l.Chain.Draws)
	}
}

func TestTemperingRefusesBadInput(t *testing.T) {
	target := must(energy.NewGaussian1D(0, 1))
	cfg := Config{Walkers: 1, Draws: 1}
	for arg, m := range map[string]Tempering{
		"len(Betas)": {Method: RWM{Step: 1}, Betas: []float64{1}},
		"Betas[0]":   {Method: RWM{Step: 1}, Betas: []float64{0.9, 0.5}},
		"Betas[2]":   {Method: RWM{Step: 1}, Betas: []float64{1, 0.5, 0.5}},
		"Betas[1]":   {Method: RWM{Step: 1}, Betas: []float64{1, math.NaN()}},
		"Method":     {Betas: []float64{1, 0.5}},
		"SwapEvery":  {Method: RWM{Step: 1}, Betas: []float64{1, 0.5}, SwapEvery: -1},
		"Step":       {Method: RWM{Step: -1}, Betas: []float64{1, 0.5}},
	} {
		_, err := m.Run(context.Background(), target, cfg)
		wantArg(t, err, arg)
	}
	_, err := Tempering{Method: ULA{Step: 0.1}, Betas: []float64{1, 0.5}}.Run(context.Background(), target, cfg)
	wantArg(t, err, "Method")
	_, err = Tempering{Method: RWM{Step: 1}, Betas: []float64{1, 0.5}}.Run(context.Background(), target, Config{Walkers: 1, Draws: 1, Burn: 10, Adapt: true})
	wantArg(t, err, "Config.Burn")
}

// wantArg wants an *ebmkit.ArgError about arg.
func wantArg(t *testing.T, err error, arg string) {
	t.Helper()
	var e *ebmkit.ArgError
	if !errors.As(err, &e) || e.Arg != arg {
		t.Errorf("want an error about %s, got %v", arg, err)
	}
}
