package fit_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/ebmkit/spin/fit"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var ctx = context.Background()

func machine(visible, hidden int, scale float64, seed uint64) spin.RBM {
	m := must(spin.NewRBM(visible, hidden))
	if err := m.Randomize(scale, seed); err != nil {
		panic(err)
	}
	return m
}

// exact returns n draws of m.
func exact(m spin.RBM, n int, seed uint64) *ebmkit.Ensemble {
	return must(ebmkit.Draw(must(freeenergy.Enumerate(m, 0, 1)), n, seed))
}

func bars() *ebmkit.Ensemble {
	b := must(data.BarsAndStripes(3))
	return &ebmkit.Ensemble{N: b.N, Dim: 9, X: b.X}
}

func sgd(rate float64) train.Optimizer { return must(nn.NewSGD[float64](nn.Constant(rate))) }

// readable is the gradient with the walkers given, by two calls of AddParamGrad.
func readable(m spin.RBM, batch, walkers []float64) []float64 {
	g := make([]float64, m.NumParams())
	for _, side := range []struct {
		xs   []float64
		sign float64
	}{{batch, 1}, {walkers, -1}} {
		n := len(side.xs) / m.Dim()
		m.AddParamGrad(g, slices.Repeat([]float64{side.sign / float64(n)}, n), side.xs)
	}
	return g
}

// The gradient is that of the readable path for the walkers at the end of the
// step, and is added.
func TestIsTheReadableGradient(t *testing.T) {
	m, points := machine(9, 6, 0.5, 1), bars()
	b := must(fit.PCD{Walkers: 70, Sweeps: 2}.Bind(train.Task{Model: m, Data: points, Seed: 3}))
	walkers := b.(interface{ Walkers() *ebmkit.Ensemble }).Walkers()
	for range 3 {
		before := slices.Clone(walkers.X)
		g := slices.Repeat([]float64{0.25}, m.NumParams())
		rec := train.Record{Loss: math.NaN()}
		if err := b.Grad(g, points.X, &rec); err != nil {
			t.Fatal(err)
		}
		if rec.Loss != 0 || slices.Equal(before, walkers.X) {
			t.Errorf("loss %v, or the walkers stand still", rec.Loss)
		}
		for k, want := range readable(m, points.X, walkers.X) {
			if !(math.Abs(g[k]-0.25-want) < 2e-6) {
				t.Fatalf("gradient %d is %v, want %v", k, g[k]-0.25, want)
			}
		}
	}
}

// The mean over many steps is the exact gradient, all states enumerated: of
// persistent walkers that started in equilibrium, and of contrastive divergence
// whose walkers have time to forget the data. One sweep is too few: its bias is
// seen.
func TestMeanIsTheExactGradient(t *testing.T) {
	const parts = 20
	steps := 2000
	if testing.Short() {
		steps = 400
	}
	m := machine(6, 4, 1, 3)
	points := exact(machine(6, 4, 1, 4), 50, 1)
	want := make([]float64, m.NumParams())
	must(spin.LogLikelihood(m, want, points.X, nil))
	for k := range want {
		want[k] = -want[k] // training descends
	}
	for _, c := range []struct {
		name  string
		o     train.Objective
		right bool
	}{
		{"PCD", fit.PCD{Walkers: 50, Init: exact(m, 50, 2)}, true},
		{"CD, 30 sweeps", fit.CD{Sweeps: 30}, true},
		{"CD, 1 sweep", fit.CD{}, false},
	} {
		b := must(c.o.Bind(train.Task{Model: m, Data: points, Seed: 5}))
		means := make([][]float64, parts)
		for p := range means {
			means[p] = make([]float64, m.NumParams())
			for range steps / parts {
				if err := b.Grad(means[p], points.X, &train.Record{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		var worst float64
		for k := range want {
			v := make([]float64, parts)
			for p := range v {
				v[p] = means[p][k] / float64(steps/parts)
			}
			worst = max(worst, math.Abs(ebmkit.MeanOf(v).Z(want[k])))
		}
		t.Logf("%s: largest |z| of %d is %.2f", c.name, len(want), worst)
		// Student's t with 19 degrees of freedom beyond 5: 8e-5, of 34 numbers 0.3 %.
		if (worst < 5) != c.right {
			t.Errorf("%s: largest |z| of %d is %.2f", c.name, len(want), worst)
		}
	}
}

// plain is PCD written out: one walker after the other, with RBM.Sweep.
type plain struct{ walkers, sweeps int }

type plainBound struct {
	plain
	m spin.RBM
	x *ebmkit.Ensemble
	s *ebmkit.Stream
}

func (p plain) Bind(t train.Task) (train.Bound, error) {
	b := &plainBound{p, t.Model.(spin.RBM), must(ebmkit.NewEnsemble(p.walkers, t.Model.Dim())), ebmkit.NewStream(t.Seed, "plain", 0)}
	for i := range b.x.N {
		copy(b.x.Row(i), t.Data.Row(b.s.IntN(t.Data.N)))
	}
	return b, nil
}

func (b *plainBound) Grad(dst, batch []float64, rec *train.Record) error {
	for i := range b.x.N {
		for range b.sweeps {
			b.m.Sweep(b.x.Row(i), b.s)
		}
	}
	for k, g := range readable(b.m, batch, b.x.X) {
		dst[k] += g
	}
	rec.Loss = 0
	return nil
}

func (b *plainBound) State() train.State { return train.State{} }

// On bars and stripes the fused objective learns what the readable one does: the
// mean log-likelihoods after training with several seeds agree. With half the rate
// it does not.
func TestLearnsAsTheReadablePath(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds of training")
	}
	const seeds, steps = 10, 300
	points := bars()
	after := func(o train.Objective, rate float64) ebmkit.Estimate {
		l := make([]float64, seeds)
		for r := range l {
			m := machine(9, 8, 0.1, 1)
			if err := must(train.New(m, points, o, sgd(rate), train.Config{Seed: uint64(r)})).Fit(ctx, steps); err != nil {
				t.Fatal(err)
			}
			l[r] = must(spin.LogLikelihood(m, nil, points.X, nil))
		}
		return ebmkit.MeanOf(l)
	}
	z := func(a, b ebmkit.Estimate) float64 { return (a.Value - b.Value) / math.Hypot(a.SE, b.SE) }
	fused := fit.PCD{Walkers: 200, Sweeps: 2}
	f, r := after(fused, 0.5), after(plain{200, 2}, 0.5)
	slow := after(fused, 0.25)
	t.Logf("log-likelihood %v, by the readable path %v (z = %.1f), at half the rate %v (z = %.1f)", f, r, z(f, r), slow, z(slow, r))
	// Student's t with about 18 degrees of freedom beyond 4.5: 3e-4.
	if math.Abs(z(f, r)) > 4.5 || math.Abs(z(slow, r)) < 4.5 {
		t.Errorf("log-likelihood %v, by the readable path %v; at half the rate %v", f, r, slow)
	}
}

// Training that is interrupted and goes on arrives at the same bits, on one core
// too; another seed does not.
func TestResumes(t *testing.T) {
	points := bars()
	for name, o := range map[string]train.Objective{"CD": fit.CD{}, "PCD": fit.PCD{Walkers: 120, Sweeps: 2}} {
		file := filepath.Join(t.TempDir(), "c.npz")
		var notes []error
		run := func(steps int, cfg train.Config) *train.Trainer {
			cfg.Batch = 7
			cfg.Notify = func(why error) { notes = append(notes, why) }
			return must(train.Run(ctx, machine(9, 8, 0.1, 1), points, o, sgd(0.2), cfg, steps))
		}
		whole := run(30, train.Config{Seed: 1})
		run(13, train.Config{Seed: 1, Checkpoint: file})
		old := runtime.GOMAXPROCS(1)
		again := run(30, train.Config{Seed: 1, Checkpoint: file})
		runtime.GOMAXPROCS(old)
		if notes != nil {
			t.Errorf("%s: %v", name, notes)
		}
		if !slices.Equal(whole.Params(), again.Params()) {
			t.Errorf("%s: other parameters after an interruption", name)
		}
		if w := whole.Walkers(); w != nil && !slices.Equal(w.X, again.Walkers().X) || (w == nil) != (name == "CD") {
			t.Errorf("%s: other walkers after an interruption", name)
		}
		if slices.Equal(whole.Params(), run(30, train.Config{Seed: 2}).Params()) {
			t.Errorf("%s: the seed does nothing", name)
		}
		// Another objective does not take the checkpoint.
		run = func(steps int, cfg train.Config) *train.Trainer {
			return must(train.New(machine(9, 8, 0.1, 1), points, fit.CD{Sweeps: 9}, sgd(0.2), cfg))
		}
		var arg *ebmkit.ArgError
		if err := run(0, train.Config{Seed: 1, Batch: 7}).Load(file); !errors.As(err, &arg) || arg.Arg != "objective" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrors(t *testing.T) {
	m, points := machine(2, 3, 0.1, 1), &ebmkit.Ensemble{N: 3, Dim: 2, X: []float64{0, 1, 1, 1, 0, 0}}
	half := &ebmkit.Ensemble{N: 1, Dim: 2, X: []float64{0, 0.5}}
	gauss := must(spin.NewGaussianRBM(2, 3, 1))
	for _, c := range []struct {
		arg   string
		model train.Model
		data  *ebmkit.Ensemble
		o     train.Objective
	}{
		{"model", gauss, points, fit.CD{}},
		{"model", gauss, points, fit.PCD{Walkers: 1}},
		{"Sweeps", m, points, fit.CD{Sweeps: -1}},
		{"Sweeps", m, points, fit.PCD{Walkers: 1, Sweeps: -1}},
		{"Walkers", m, points, fit.PCD{}},
		{"data[0][1]", m, half, fit.CD{}},
		{"Init", m, points, fit.PCD{Walkers: 2, Init: points}},
		{"Init", m, points, fit.PCD{Walkers: 3, Init: &ebmkit.Ensemble{N: 3, Dim: 1, X: []float64{0, 1, 0}}}},
		{"Init[0][1]", m, points, fit.PCD{Walkers: 1, Init: half}},
	} {
		var arg *ebmkit.ArgError
		if tr, err := train.New(c.model, c.data, c.o, sgd(1), train.Config{}); !errors.As(err, &arg) || arg.Arg != c.arg || tr != nil {
			t.Errorf("want an error about %s, got %v", c.arg, err)
		}
	}
}

func Example() {
	points := bars()
	m, err := spin.NewRBM(9, 10)
	if err == nil {
		err = m.Randomize(0.1, 1)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	opt, _ := nn.NewSGD[float64](nn.Constant(0.2))
	tr, err := train.New(m, points, fit.PCD{Walkers: 200, Sweeps: 2}, opt, train.Config{Seed: 1})
	if err == nil {
		err = tr.Fit(context.Background(), 2000)
	}
	l, _ := spin.LogLikelihood(m, nil, points.X, nil)
	fmt.Printf("log-likelihood %.1f, of fair coins %.1f, at best %.1f; error %v\n", l, -9*math.Ln2, -math.Log(14), err)
	// Output: log-likelihood -3.3, of fair coins -6.2, at best -2.6; error <nil>
}
