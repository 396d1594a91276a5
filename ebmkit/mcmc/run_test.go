package mcmc

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// every lists one method of each kind, with the adaptation it can do.
func every() []struct {
	m     Method
	adapt bool
} {
	wide := must(energy.NewIsotropicGaussian([]float64{0, 0, 0}, 2.5))
	return []struct {
		m     Method
		adapt bool
	}{
		{RWM{Step: 0.7}, true}, {Independence{Proposal: wide}, false}, {ULA{Step: 0.1}, false}, {MALA{Step: 0.2}, true},
		{Underdamped{Step: 0.3, Friction: 1}, false}, {HMC{Step: 0.3, Leapfrog: 3}, true}, {NUTS{}, true}, {Gibbs{}, false},
	}
}

func sameChain(a, b *ebmkit.Chain) bool {
	return slices.Equal(a.X, b.X) && slices.Equal(a.U, b.U) && slices.Equal(a.H, b.H) && slices.Equal(a.Accept, b.Accept) &&
		slices.Equal(a.InvMass, b.InvMass) && a.Step == b.Step && a.Draws == b.Draws && a.Evals == b.Evals &&
		a.Divergent == b.Divergent && a.NonFinite == b.NonFinite && a.TreeLimit == b.TreeLimit && a.Seed == b.Seed
}

func TestSameBitsOnAnyNumberOfCores(t *testing.T) {
	for _, e := range every() {
		var first *ebmkit.Chain
		for _, procs := range []int{1, 2, 7} {
			old := runtime.GOMAXPROCS(procs)
			c := run(t, correlated(), e.m, Config{Walkers: 150, Burn: 60, Draws: 4, Thin: 3, Seed: 8, Adapt: e.adapt})
			runtime.GOMAXPROCS(old)
			if first == nil {
				first = c
			} else if !sameChain(c, first) {
				t.Errorf("%T: GOMAXPROCS %d gives other numbers", e.m, procs)
			}
		}
		other := run(t, correlated(), e.m, Config{Walkers: 150, Burn: 60, Draws: 4, Thin: 3, Seed: 9, Adapt: e.adapt})
		if slices.Equal(other.X, first.X) {
			t.Errorf("%T: another seed gives the same numbers", e.m)
		}
	}
}

// The kept draws are a subsequence of the run that keeps everything.
func TestBurnAndThinAreExact(t *testing.T) {
	for _, e := range every() {
		all := run(t, correlated(), e.m, Config{Walkers: 70, Draws: 25, Seed: 8})
		c := run(t, correlated(), e.m, Config{Walkers: 70, Burn: 4, Draws: 3, Thin: 7, Seed: 8})
		for i := range c.Draws {
			j := 4 + 7*(i+1) - 1
			if !slices.Equal(c.At(i).X, all.At(j).X) || c.U != nil && !slices.Equal(c.At(i).U, all.At(j).U) {
				t.Errorf("%T: draw %d is not transition %d of the whole run", e.m, i, j+1)
			}
		}
	}
}

// stopAfter cancels a context after a number of evaluations.
type stopAfter struct {
	*energy.Gaussian
	left *atomic.Int64
	stop context.CancelFunc
}

func (e stopAfter) NewEvaluator() ebmkit.Evaluator {
	return stopEvaluator{e.Gaussian.NewEvaluator(), e}
}

type stopEvaluator struct {
	ebmkit.Evaluator
	e stopAfter
}

func (e stopEvaluator) EnergyGrad(u, grad, xs []float64) {
	if e.e.left.Add(-1) == 0 {
		e.e.stop()
	}
	e.Evaluator.EnergyGrad(u, grad, xs)
}

// cancelled returns a context that ends after n evaluations of the target.
func cancelled(n int) (context.Context, stopAfter) {
	ctx, stop := context.WithCancel(context.Background())
	e := stopAfter{correlated(), new(atomic.Int64), stop}
	e.left.Store(int64(n))
	return ctx, e
}

func TestCancelledRunReturnsWhatItHas(t *testing.T) {
	whole := run(t, correlated(), MALA{Step: 0.2}, Config{Walkers: 150, Burn: 10, Draws: 200, Seed: 3})
	ctx, target := cancelled(3 * 100)
	c, err := Run(ctx, target, MALA{Step: 0.2}, Config{Walkers: 150, Burn: 10, Draws: 200, Seed: 3})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("want context.Canceled, got %v", err)
	}
	if c.Draws < 1 || c.Draws >= 200 || !slices.Equal(c.X, whole.X[:len(c.X)]) || len(c.U) != c.Draws*150 {
		t.Errorf("%d draws, which are not the first of the whole run", c.Draws)
	}
	ctx, target = cancelled(1)
	if c, err := Run(ctx, target, MALA{Step: 0.2}, Config{Walkers: 150, Burn: 10, Draws: 200, Seed: 3}); !errors.Is(err, context.Canceled) || c.Draws != 0 {
		t.Errorf("cancelled at once: %v, %v", c, err)
	}
}

// A run that was cut anywhere, saved, loaded and continued gives the bits of a
// run that was not, also when it was cut while it adapted.
func TestResumeGivesTheSameBits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.npz")
	for _, e := range every() {
		cfg := Config{Walkers: 150, Burn: 60, Draws: 30, Thin: 2, Seed: 8, Adapt: e.adapt}
		whole := run(t, correlated(), e.m, cfg)
		for _, evals := range []int{5, 100, 170, 300, 900, 4000} {
			ctx, target := cancelled(evals)
			sim := must(New(target, e.m, cfg))
			c, err := sim.Run(ctx)
			if err == nil {
				if evals < 200 && fmt.Sprintf("%T", e.m) != "mcmc.Gibbs" {
					t.Errorf("%T: not cut after %d evaluations", e.m, evals)
				}
				continue
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if err := sim.Save(path); err != nil {
				t.Fatal(err)
			}
			again, err := Load(path, correlated(), e.m, cfg)
			if err != nil {
				t.Fatalf("%T: %v", e.m, err)
			}
			rest, err := again.Run(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if !sameChain(rest, whole) {
				t.Errorf("%T: cut after %d evaluations (%d draws): other numbers", e.m, evals, c.Draws)
			}
			// The one that stayed in memory goes on as well.
			if rest := must(sim.Run(context.Background())); !sameChain(rest, whole) {
				t.Errorf("%T: continued in memory after %d evaluations: other numbers", e.m, evals)
			}
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.npz")
	cfg := Config{Walkers: 20, Burn: 60, Draws: 3, Seed: 8, Adapt: true}
	sim := must(New(correlated(), MALA{Step: 0.2}, cfg))
	if err := sim.Save(path); err != nil {
		t.Fatal(err)
	}
	changed := func(f func(c *Config)) Config { c := cfg; f(&c); return c }
	for arg, load := range map[string]func() (*Simulation, error){
		"method": func() (*Simulation, error) { return Load(path, correlated(), MALA{Step: 0.3}, cfg) },
		"dim":    func() (*Simulation, error) { return Load(path, must(energy.NewGaussian1D(0, 1)), MALA{Step: 0.2}, cfg) },
		"walkers": func() (*Simulation, error) {
			return Load(path, correlated(), MALA{Step: 0.2}, changed(func(c *Config) { c.Walkers++ }))
		},
		"burn": func() (*Simulation, error) {
			return Load(path, correlated(), MALA{Step: 0.2}, changed(func(c *Config) { c.Burn++ }))
		},
		"draws": func() (*Simulation, error) {
			return Load(path, correlated(), MALA{Step: 0.2}, changed(func(c *Config) { c.Draws++ }))
		},
		"thin": func() (*Simulation, error) {
			return Load(path, correlated(), MALA{Step: 0.2}, changed(func(c *Config) { c.Thin = 2 }))
		},
		"seed": func() (*Simulation, error) {
			return Load(path, correlated(), MALA{Step: 0.2}, changed(func(c *Config) { c.Seed++ }))
		},
		"adapt": func() (*Simulation, error) {
			return Load(path, correlated(), MALA{Step: 0.2}, changed(func(c *Config) { c.Adapt = false }))
		},
		"target": func() (*Simulation, error) {
			return Load(path, must(energy.NewIsotropicGaussian([]float64{0, 0, 0}, 1)), MALA{Step: 0.2}, cfg)
		},
		"m": func() (*Simulation, error) { return Load(path, correlated(), nil, cfg) },
	} {
		_, err := load()
		wantArg(t, err, arg)
	}
	// Damage: every truncation at some places, a flipped byte, another kind.
	whole := must(os.ReadFile(path))
	bad := filepath.Join(dir, "bad.npz")
	for n := 0; n < len(whole); n += 97 {
		os.WriteFile(bad, whole[:n], 0o644)
		if _, err := Load(bad, correlated(), MALA{Step: 0.2}, cfg); err == nil {
			t.Fatalf("a file cut to %d of %d bytes was loaded", n, len(whole))
		}
		// A changed byte is found, or it was one that says nothing.
		flipped := slices.Clone(whole)
		flipped[n] ^= 4
		os.WriteFile(bad, flipped, 0o644)
		if again, err := Load(bad, correlated(), MALA{Step: 0.2}, cfg); err == nil {
			if err := again.Save(bad); err != nil || !slices.Equal(must(os.ReadFile(bad)), whole) {
				t.Fatalf("a file with byte %d changed was loaded", n)
			}
		}
	}
	// Arrays of a wrong size or absent, resealed with a right hash.
	f := must(store.Load(path, "mcmc.Simulation", saveVersion))
	for i := range f.Arrays {
		g := *f
		g.Arrays = slices.Delete(slices.Clone(f.Arrays), i, i+1)
		if name := f.Arrays[i].Name; name == "prob" || name == "u" || name == "grad" || name == "v" {
			continue
		}
		if err := store.Save(bad, &g); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(bad, correlated(), MALA{Step: 0.2}, cfg); err == nil {
			t.Errorf("a file without the array %s was loaded", f.Arrays[i].Name)
		}
	}
	if err := sim.Save(filepath.Join(dir, "no", "such", "folder.npz")); err == nil {
		t.Error("saved into a folder that does not exist")
	}
}

// Whatever a file holds, loading it ends in a chain, a simulation or an error.
func FuzzLoad(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed.npz")
	target, cfg := must(energy.NewGaussian1D(0, 1)), Config{Walkers: 2, Draws: 2, Seed: 1}
	sim := must(New(target, MALA{Step: 0.5}, cfg))
	if err := sim.Save(path); err != nil {
		f.Fatal(err)
	}
	f.Add(must(os.ReadFile(path)))
	if err := SaveChain(path, must(sim.Run(context.Background()))); err != nil {
		f.Fatal(err)
	}
	f.Add(must(os.ReadFile(path)))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "f.npz")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if c, err := LoadChain(path); err == nil && len(c.X) != c.Draws*c.Walkers*c.Dim {
			t.Errorf("a chain of %d numbers for %d x %d x %d", len(c.X), c.Draws, c.Walkers, c.Dim)
		}
		if sim, err := Load(path, target, MALA{Step: 0.5}, cfg); err == nil {
			sim.Run(context.Background())
		}
	})
}

// NumPy reads a saved chain, where there is one.
func TestNumPyReadsAChain(t *testing.T) {
	if err := exec.Command("python3", "-c", "import numpy").Run(); err != nil {
		t.Skip("no python3 with numpy")
	}
	c := run(t, correlated(), RWM{Step: 0.7}, Config{Walkers: 5, Draws: 4, Seed: 3})
	path := filepath.Join(t.TempDir(), "chain.npz")
	if err := SaveChain(path, c); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("python3", "-c", `
import json, sys, numpy
z = numpy.load(sys.argv[1])
print(z["x"].shape, z["u"].shape, repr(float(z["x"][2, 1, 0])), json.loads(bytes(z["meta"]) if "meta" in z.files else "{}").get("kind"))
`, path).CombinedOutput()
	want := fmt.Sprintf("(5, 4, 3) (5, 4) %v", c.X[(1*5+2)*3])
	if err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}

func TestChainFiles(t *testing.T) {
	dir := t.TempDir()
	c := run(t, correlated(), HMC{Step: 0.3, Leapfrog: 3}, Config{Walkers: 5, Burn: 40, Draws: 4, Seed: 3, Adapt: true})
	path := filepath.Join(dir, "chain.npz")
	if err := SaveChain(path, c); err != nil {
		t.Fatal(err)
	}
	back, err := LoadChain(path)
	if err != nil || !sameChain(c, back) || back.Walkers != 5 || back.Dim != 3 {
		t.Errorf("not the same chain: %v", err)
	}
	f := must(store.Load(path, "chain", 1))
	x := f.Array("x")
	if !slices.Equal(x.Shape, []int{5, 4, 3}) || x.Data.([]float64)[(2*4+1)*3+1] != c.X[(1*5+2)*3+1] {
		t.Errorf("x has shape %v, or is not [chain][draw][dim]", x.Shape)
	}
	whole := must(os.ReadFile(path))
	for n := 0; n < len(whole); n += 31 {
		os.WriteFile(path, whole[:n], 0o644)
		if _, err := LoadChain(path); err == nil {
			t.Fatalf("a chain cut to %d bytes was loaded", n)
		}
	}
	file := filepath.Join(dir, "chain.csv")
	if err := SaveCSV(file, c); err != nil {
		t.Fatal(err)
	}
	rows := must(csv.NewReader(strings.NewReader(string(must(os.ReadFile(file))))).ReadAll())
	if len(rows) != 21 || strings.Join(rows[0], ",") != "chain,draw,x0,x1,x2,u" {
		t.Fatalf("%d rows, header %v", len(rows), rows[0])
	}
	at := 2*4 + 1 + 1 // chain 2, draw 1
	if rows[at][0] != "2" || rows[at][1] != "1" || must(strconv.ParseFloat(rows[at][4], 64)) != c.X[(1*5+2)*3+2] || must(strconv.ParseFloat(rows[at][5], 64)) != c.U[1*5+2] {
		t.Errorf("row %v", rows[at])
	}
	empty := &ebmkit.Chain{Walkers: 1, Dim: 1}
	wantArg(t, SaveChain(path, empty), "c")
	wantArg(t, SaveCSV(file, empty), "c")
	wantArg(t, SaveCSV(filepath.Join(dir, "no", "folder.csv"), c), "path")
	if left := must(filepath.Glob(filepath.Join(dir, ".tmp*"))); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// energyOnly hides every method but those of Energy.
type energyOnly struct{ in ebmkit.Energy }

func (e energyOnly) Dim() int                   { return e.in.Dim() }
func (e energyOnly) Energy(x []float64) float64 { return e.in.Energy(x) }

// bad is a Gaussian that returns another value in a region.
type bad struct {
	*energy.DiagonalGaussian
	value, grad float64
}

func (e bad) Energy(x []float64) float64 {
	if x[0] > 1 {
		return e.value
	}
	return e.DiagonalGaussian.Energy(x)
}

func (e bad) EnergyGrad(grad, x []float64) float64 {
	u := e.DiagonalGaussian.EnergyGrad(grad, x)
	if x[0] > 1 {
		grad[0] = e.grad
		return e.value
	}
	return u
}

func (e bad) NewEvaluator() ebmkit.Evaluator { return badEvaluator{e} }

type badEvaluator struct{ e bad }

func (b badEvaluator) EnergyGrad(u, grad, xs []float64) {
	d := b.e.Dim()
	g := make([]float64, d)
	for i := range len(xs) / d {
		v := b.e.EnergyGrad(g, xs[i*d:(i+1)*d])
		if u != nil {
			u[i] = v
		}
		if grad != nil {
			copy(grad[i*d:], g)
		}
	}
}

// Kernels with a Metropolis test never enter a region where U is NaN or
// infinite, and count what they refuse; the law is that of the rest.
func TestRegionsThatAreNotFinite(t *testing.T) {
	numbersOnly(t)
	in := must(energy.NewIsotropicGaussian([]float64{0}, 1))
	inside := &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{0}}
	// The mean of a standard normal below 1 is -phi(1)/Phi(1).
	mean := -math.Exp(-0.5) / math.Sqrt(2*math.Pi) / normalCDF(1)
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		target := bad{in, value, math.NaN()}
		for _, m := range []Method{RWM{Step: 1}, MALA{Step: 0.5}, HMC{Step: 0.5, Leapfrog: 3}, NUTS{Step: 0.5}, Independence{Proposal: in}} {
			c := run(t, target, m, Config{Walkers: sized(3000, 1500), Burn: 40, Draws: 1, Seed: 2, Init: inside})
			e := ebmkit.MeanOf(c.X)
			t.Logf("U = %v beyond 1, %T: mean %v, exact %.4f, z = %.2f", value, m, e, mean, e.Z(mean))
			if slices.Max(c.X) > 1 || math.Abs(e.Z(mean)) > 4 {
				t.Errorf("U = %v beyond 1, %T: mean %v, largest %v", value, m, e, slices.Max(c.X))
			}
			if c := run(t, target, m, Config{Walkers: 300, Draws: 20, Seed: 2, Init: inside}); c.NonFinite == 0 {
				t.Errorf("U = %v, %T: nothing counted", value, m)
			}
		}
		for _, m := range []Method{ULA{Step: 0.5}, Underdamped{Step: 0.5, Friction: 1}} {
			_, err := Run(context.Background(), target, m, Config{Walkers: 100, Draws: 100, Seed: 2, Init: inside})
			var d *ebmkit.DivergedError
			if !errors.As(err, &d) {
				t.Errorf("%T: want a DivergedError, got %v", m, err)
			}
		}
		_, err := Run(context.Background(), target, RWM{Step: 1}, Config{Walkers: 3, Draws: 1, Init: &ebmkit.Ensemble{N: 3, Dim: 1, X: []float64{0, 0, 2}}})
		wantArg(t, err, "U at the start of walker 2")
	}
}

// Beyond the bound of stability ULA stops and says where, the same on any
// number of cores; before it, also beyond the printed bound, it does not.
func TestDivergenceSaysWhere(t *testing.T) {
	numbersOnly(t)
	target := must(energy.NewGaussian1D(0, 1))
	var first string
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		c, err := Run(context.Background(), target, ULA{Step: 2.1}, Config{Walkers: 500, Burn: 100, Draws: 100_000, Seed: 1})
		runtime.GOMAXPROCS(old)
		var d *ebmkit.DivergedError
		if !errors.As(err, &d) || d.Func != "mcmc.ULA" || d.Hint == "" || d.Walker < 0 || d.Walker >= 500 {
			t.Fatalf("want a DivergedError, got %v", err)
		}
		// |x| grows as 1.1^k: it overflows near k = log(1.8e308)/log 1.1 = 7448.
		if d.Step < 7300 || d.Step > 7500 || c.Draws != d.Step-100 {
			t.Errorf("diverged at step %d with %d draws", d.Step, c.Draws)
		}
		if first == "" {
			first = err.Error()
			t.Log(first)
		} else if err.Error() != first {
			t.Errorf("GOMAXPROCS %d: %v", procs, err)
		}
	}
	run(t, target, ULA{Step: 1.9}, Config{Walkers: 10, Draws: 20_000, Seed: 1})
}

func TestRunRefusesBadInput(t *testing.T) {
	g := correlated()
	ok := Config{Walkers: 2, Draws: 1}
	with := func(f func(c *Config)) Config { c := ok; f(&c); return c }
	three := []float64{1, 1, 1}
	for i, c := range []struct {
		target ebmkit.Energy
		m      Method
		cfg    Config
		arg    string
	}{
		{nil, ULA{Step: 1}, ok, "target"},
		{g, nil, ok, "m"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Walkers = 0 }), "Config.Walkers"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Draws = 0 }), "Config.Draws"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Burn = -1 }), "Config.Burn"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Thin = -2 }), "Config.Thin"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Draws = 1 << 50 }), "Config.Draws*Config.Walkers*Dim"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Init = &ebmkit.Ensemble{N: 1, Dim: 2, X: three[:2]} }), "Config.Init.Dim"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Init = &ebmkit.Ensemble{N: 2, Dim: 3, X: three} }), "len(Config.Init.X)"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Walkers = 3; c.Init = &ebmkit.Ensemble{N: 2, Dim: 3, X: make([]float64, 6)} }), "Config.Init.N"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Init = &ebmkit.Ensemble{N: 1, Dim: 3, X: []float64{0, math.NaN(), 0}} }), "U at the start of walker 0"},
		{g, RWM{Step: 1}, with(func(c *Config) { c.Adapt = true }), "Config.Burn"},
		{g, ULA{Step: 1}, with(func(c *Config) { c.Adapt = true; c.Burn = 100 }), "Config.Adapt"},
		{g, RWM{}, ok, "Step"}, {g, ULA{Step: -1}, ok, "Step"}, {g, MALA{Step: math.NaN()}, ok, "Step"},
		{g, HMC{Step: math.Inf(1), Leapfrog: 1}, ok, "Step"}, {g, HMC{Step: 1}, ok, "Leapfrog"},
		{g, HMC{Step: 1, Leapfrog: 1, InvMass: three[:2]}, ok, "len(InvMass)"},
		{g, HMC{Step: 1, Leapfrog: 1, InvMass: []float64{1, 0, 1}}, ok, "InvMass[1]"},
		{g, NUTS{Step: -1}, ok, "Step"}, {g, NUTS{MaxDepth: 31}, ok, "MaxDepth"}, {g, NUTS{InvMass: []float64{1, 1, math.NaN()}}, ok, "InvMass[2]"},
		{g, Underdamped{Friction: 1}, ok, "Step"}, {g, Underdamped{Step: 1}, ok, "Friction"},
		{g, Independence{}, ok, "Proposal"}, {g, Independence{Proposal: must(energy.NewGaussian1D(0, 1))}, ok, "Proposal.Dim()"},
		{energyOnly{g}, ULA{Step: 1}, ok, "target"}, {energyOnly{g}, MALA{Step: 1}, ok, "target"}, {energyOnly{g}, HMC{Step: 1, Leapfrog: 1}, ok, "target"},
		{energyOnly{g}, NUTS{}, ok, "target"}, {energyOnly{g}, Underdamped{Step: 1, Friction: 1}, ok, "target"}, {energyOnly{g}, Gibbs{}, ok, "target"},
		{must(energy.NewGaussian1D(0, 1)), Gibbs{}, ok, ""}, {energyOnly{g}, RWM{Step: 1}, ok, ""},
	} {
		chain, err := Run(context.Background(), c.target, c.m, c.cfg)
		if c.arg == "" {
			if err != nil {
				t.Errorf("case %d: %v", i, err)
			}
			continue
		}
		if wantArg(t, err, c.arg); chain != nil {
			t.Errorf("case %d: a chain with the error", i)
		}
	}
}

func TestAdvanceDoesNotAllocate(t *testing.T) {
	for _, e := range every() {
		init := must(ebmkit.Draw(correlated(), 64, 1))
		rows := 64
		if b, ok := e.m.(blockRows); ok {
			rows = b.BlockRows()
		}
		k := must(e.m.Bind(correlated(), rows))
		block, s := init.Slice(0, rows), ebmkit.NewStream(1, "test", 0)
		if err := k.Start(&block, s); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(50, func() { k.Advance(&block, s) }); n != 0 {
			t.Errorf("%T: %v allocations a step", e.m, n)
		}
	}
}

func TestProgressCountsToTheEnd(t *testing.T) {
	var last, calls int
	run(t, correlated(), RWM{Step: 1}, Config{Walkers: 2, Burn: 300, Draws: 100, Thin: 5, Progress: func(done, total int) {
		if done <= last || total != 800 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last, calls = done, calls+1
	}})
	if last != 800 || calls < 3 {
		t.Errorf("ended at %d after %d calls", last, calls)
	}
}

// Adaptation finds the optimal acceptance rate from a step that is far off, and
// the variances.
func TestAdaptation(t *testing.T) {
	numbersOnly(t)
	// Correlated, so that no trajectory comes back in all directions at once
	// (on N(0, I) the acceptance rate of HMC has a peak at each half turn), with
	// standard deviations from 0.1 to 10.
	const d = 20
	ar, sds := must(energy.NewAR1Gaussian(d, 0.8)).Cov(nil), make([]float64, d)
	for i := range sds {
		sds[i] = math.Pow(10, 2*float64(i)/(d-1)-1)
	}
	for i := range ar {
		ar[i] *= sds[i/d] * sds[i%d]
	}
	target := must(energy.NewGaussian(make([]float64, d), ar))
	init := must(ebmkit.Draw(target, 64, 1))
	for _, c := range []struct {
		m         Method
		rate, tol float64
	}{
		{RWM{Step: 5}, 0.234, 0.02}, {RWM{Step: 1e-3}, 0.234, 0.02}, {MALA{Step: 1}, 0.574, 0.02},
		{HMC{Step: 1e-3, Leapfrog: 3}, 0.651, 0.02}, {HMC{Step: 10, Leapfrog: 3}, 0.651, 0.02},
		// NUTS ends above its goal, as Stan does: each tree's statistic is noisy
		// and falls faster above the mean step than it rises below.
		{NUTS{}, 0.8, 0.08},
	} {
		walkers := 64
		if _, ok := c.m.(NUTS); ok {
			walkers = 8
		}
		from := init.Slice(0, walkers)
		chain := run(t, target, c.m, Config{Walkers: walkers, Burn: 600, Draws: 1, Thin: 100, Seed: 6, Adapt: true, Init: &from})
		rate := ebmkit.MeanOf(chain.Accept)
		t.Logf("%T: step %.4g, acceptance %v, want %g", c.m, chain.Step, rate, c.rate)
		if math.Abs(rate.Value-c.rate) > c.tol+4*rate.SE {
			t.Errorf("%T: acceptance %v, want %g", c.m, rate, c.rate)
		}
		for j, v := range chain.InvMass {
			// At least 64 independent draws stand behind each variance.
			if math.Abs(math.Log(v/(sds[j]*sds[j]))) > 5*math.Sqrt(2.0/64) {
				t.Errorf("%T: inverse mass %d is %.3g, the variance %.3g", c.m, j, v, sds[j]*sds[j])
			}
		}
	}
}
