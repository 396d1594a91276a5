package train_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

func TestRunGoesOn(t *testing.T) {
	data := must(ebmkit.Draw(moving(3, -10, 6, trueZ), 200, 1))
	file := filepath.Join(t.TempDir(), "c.npz")
	o := train.Jarzynski{Walkers: 100, Kernel: mcmc.ULA{Step: 0.1}}
	var notes []error
	run := func(ctx context.Context, cfg train.Config) (*train.Trainer, error) {
		notes = nil
		cfg.Notify = func(reason error) { notes = append(notes, reason) }
		return train.Run(ctx, moving(3, -9, 5, 0), data, o, sgd(0.1), cfg, 40)
	}
	whole := must(run(ctx, train.Config{Seed: 1}))

	ctx, stop := context.WithCancel(ctx)
	half := train.Hook{Name: "interrupt", Do: func(_ *train.Trainer, r train.Record) error {
		if r.Step == 16 {
			stop()
		}
		return nil
	}}
	tr, err := run(ctx, train.Config{Seed: 1, Checkpoint: file, Hooks: []train.Hook{half}})
	if !errors.Is(err, context.Canceled) || tr.Steps() != 17 {
		t.Fatalf("%d steps, %v", tr.Steps(), err)
	}
	if notes != nil {
		t.Errorf("there was no file, but it says %v", notes)
	}
	tr = must(run(context.Background(), train.Config{Seed: 1, Checkpoint: file}))
	if !slices.Equal(tr.Params(), whole.Params()) || len(tr.History()) != 40 {
		t.Error("an interrupted run arrives elsewhere")
	}
	if notes != nil {
		t.Errorf("it went on, but it says %v", notes)
	}
	// Of another training, and no checkpoint at all.
	for i, seed := range []uint64{2, 1} {
		if i == 1 {
			if err := os.WriteFile(file, []byte("no checkpoint"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		tr = must(run(context.Background(), train.Config{Seed: seed, Checkpoint: file}))
		if len(tr.History()) != 40 || slices.Equal(tr.Params(), whole.Params()) != (seed == 1) {
			t.Errorf("seed %d: not from the start", seed)
		}
		var arg *ebmkit.ArgError
		if len(notes) != 1 || !errors.As(notes[0], &arg) || i == 0 && arg.Arg != "seed" {
			t.Errorf("seed %d: it says %v", seed, notes)
		}
	}
	// Nobody need listen.
	if err := os.WriteFile(file, []byte("no checkpoint"), 0o666); err != nil {
		t.Fatal(err)
	}
	must(train.Run(context.Background(), moving(3, -9, 5, 0), data, o, sgd(0.1), train.Config{Checkpoint: file}, 3))
	if tr, err := train.Run(ctx, nil, data, o, sgd(0.1), train.Config{}, 40); tr != nil || err == nil {
		t.Error("without a model it runs")
	}
}
