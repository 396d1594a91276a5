package flow_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/flow"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// Two trainings are the same as two by hand; interrupted in the middle of the
// second and run again, the first is not repeated and the bits are the same.
func TestTrainings(t *testing.T) {
	const updates = 20
	ctx, points := context.Background(), &ebmkit.Ensemble{N: 200, Dim: 2, X: normals(400, 2)}
	fresh := func() *flow.Flow {
		return must(flow.New(flow.Config{Dim: 2, Layers: flow.Glow(2, nn.Tanh, 8), Seed: 1}))
	}
	rates := []float64{0.01, 0.02}
	var want [2][]float64
	for i, rate := range rates {
		f := fresh()
		adam := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: rate, End: 0, Over: updates}}))
		must(train.Run(ctx, f, points, flow.Likelihood{}, adam, train.Config{Batch: 50, Seed: 3}, updates))
		want[i] = f.Params(nil)
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	var last, steps int
	run := func(ctx context.Context, stop func(int)) (*flow.Trainings, error) {
		lab := &flow.Trainings{Updates: updates, Batch: 50, File: file, Progress: func(done int) { last = done }}
		steps = 0
		count := train.Hook{Name: "count", Do: func(*train.Trainer, train.Record) error { steps++; stop(steps); return nil }}
		for i, name := range []string{"one", "two"} {
			f := fresh()
			if err := lab.Run(ctx, name, f, points, rates[i], 3, count); err != nil {
				return lab, err
			}
			if !slices.Equal(f.Params(nil), want[i]) {
				t.Errorf("training %s ends elsewhere than one by hand", name)
			}
		}
		return lab, nil
	}
	broken, cancel := context.WithCancel(ctx)
	if _, err := run(broken, func(n int) {
		if n == updates+7 {
			cancel()
		}
	}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	lab, err := run(ctx, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if steps != updates-7 || last != 2*updates {
		t.Errorf("%d updates were left, and %d of all done; want %d and %d", steps, last, updates-7, 2*updates)
	}
	if files := must(os.ReadDir(dir)); len(files) != 2 || files[0].Name() != "training-one.npz" {
		t.Errorf("checkpoints: %v", files)
	}
	var arg *ebmkit.ArgError
	if err := lab.Run(ctx, "one", fresh(), points, 0.01, 3); !errors.As(err, &arg) || arg.Arg != "name" {
		t.Errorf("a name twice: %v", err)
	}
	if err := lab.Finish(); err != nil {
		t.Error(err)
	}
	if files := must(os.ReadDir(dir)); len(files) != 0 {
		t.Errorf("checkpoints are left: %v", files)
	}
	if _, err := run(ctx, func(int) {}); err != nil || steps != 2*updates {
		t.Errorf("after Finish: %d updates, %v", steps, err)
	}
	bare := &flow.Trainings{Updates: updates, Batch: 50}
	f := fresh()
	if err := bare.Run(ctx, "one", f, points, rates[0], 3); err != nil || !slices.Equal(f.Params(nil), want[0]) {
		t.Errorf("without checkpoint: %v", err)
	}
	blurred := &flow.Trainings{Updates: updates, Batch: 50, Noise: 0.2}
	g, h := fresh(), fresh()
	adam := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 0.01, End: 0, Over: updates}}))
	must(train.Run(ctx, h, points, flow.Likelihood{Noise: 0.2}, adam, train.Config{Batch: 50, Seed: 3}, updates))
	if err := blurred.Run(ctx, "one", g, points, 0.01, 3); err != nil || !slices.Equal(g.Params(nil), h.Params(nil)) {
		t.Errorf("with noise: %v", err)
	}
	if err := (&flow.Trainings{}).Run(ctx, "one", f, points, 0.01, 3); !errors.As(err, &arg) || arg.Arg != "Updates" {
		t.Errorf("no updates: %v", err)
	}
	if err := bare.Run(ctx, "two", f, points, -1, 3); !errors.As(err, &arg) {
		t.Errorf("a negative rate: %v", err)
	}
}

// The two terms of eq. (72): in closed form for z = s x, and their sum is the loss.
func TestLossTerms(t *testing.T) {
	xs := normals(130, 4) // two blocks and a rest
	line := must(flow.New(flow.Config{Dim: 1, Layers: []flow.Layer{flow.Linear{Matrix: []float64{-0.5}}}}))
	square := 0.0
	for _, x := range xs {
		square += x * x / 130
	}
	base, volume := line.LossTerms(xs)
	if wantBase, wantVolume := (0.25*square+log2Pi)/2, log2; !near(base, wantBase) || !near(volume, wantVolume) {
		t.Errorf("terms %v and %v, want %v and %v", base, volume, wantBase, wantVolume)
	}
	for _, c := range flows(2, nn.Float64) {
		base, volume := c.f.LossTerms(xs)
		w := slices.Repeat([]float64{1.0 / 65}, 65)
		if loss := c.f.AddLossGrad(make([]float64, c.f.NumParams()), w, xs); !near(base+volume, loss) {
			t.Errorf("%s: terms %v and %v, loss %v", c.name, base, volume, loss)
		}
	}
}

const log2, log2Pi = 0.6931471805599453, 1.8378770664093453

func near(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }

// Numerical determinants against the formulas, and one that is singular.
func TestNumericLogDets(t *testing.T) {
	for _, d := range []int{1, 2, 5} {
		for _, c := range flows(d, nn.Float64) {
			xs, want := normals(70*d, 7), make([]float64, 70)
			c.f.Normalize(make([]float64, len(xs)), want, xs)
			for i, got := range c.f.NumericLogDets(xs, 1e-5) {
				// rounding of 1e-16/1e-5 per entry, and h^2 times third derivatives
				if e := got - want[i]; !(e < 1e-7 && e > -1e-7) {
					t.Errorf("%s: log det %v, numerically %v", c.name, want[i], got)
				}
			}
		}
	}
	matrix := []float64{0, 2, -3, 1}
	f := must(flow.New(flow.Config{Dim: 2, Layers: []flow.Layer{flow.Linear{Matrix: matrix}}}))
	if got, want := f.NumericLogDets([]float64{1, 2}, 0.5)[0], log2+1.0986122886681098; !near(got, want) {
		t.Errorf("log det %v of a matrix with det 6, want %v", got, want)
	}
	// A step that x swallows leaves no difference.
	if got := f.NumericLogDets([]float64{1e20, 1e20}, 1e-5)[0]; got > -1e300 {
		t.Errorf("log det %v of a singular Jacobian", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("half a row does not panic")
		}
	}()
	f.NumericLogDets([]float64{1, 2, 3}, 1e-5)
}
