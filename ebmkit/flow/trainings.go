package flow

import (
	"context"
	"fmt"
	"os"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// Trainings are several trainings by maximum likelihood (Likelihood), one after
// another, with the same number of updates and the same size of batches, so that
// the flows can be compared. The optimiser is nn.Adam, whose rate falls to 0 along
// nn.Cosine over the updates.
//
// With File each training has a checkpoint. A program that was interrupted and
// runs again passes over the trainings that were complete, goes on in the middle
// of the one that was not, and arrives at the bits of a run without a break.
type Trainings struct {
	Updates int // of each training
	Batch   int // rows of data per update; 0 means all

	Noise float64 // of Likelihood

	// File returns the path of a checkpoint by its name, "training-NAME.npz",
	// as nb.StateFile of package plotting/nb does; nil: no checkpoints.
	File func(name string) string

	// Progress, if not nil, is told now and then how many updates of all trainings
	// are done.
	Progress func(updates int)

	started int
	files   []string
}

// Run trains f on the rows of x until Updates are done. rate is Adam's at the
// start, name tells this training from the others, and seed shuffles the data.
// It returns *ebmkit.ArgError if Updates is not positive or there was a training of
// that name, and what train.Run returns: ctx.Err() if ctx ends, with the
// checkpoint written.
func (t *Trainings) Run(ctx context.Context, name string, f *Flow, x *ebmkit.Ensemble, rate float64, seed uint64, hooks ...train.Hook) error {
	const fn = "flow.Trainings.Run"
	if t.Updates < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "Updates", Value: t.Updates, Want: "a positive number"}
	}
	adam, err := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: rate, End: 0, Over: t.Updates}})
	if err != nil {
		return err
	}
	cfg := train.Config{Batch: t.Batch, Seed: seed, Hooks: hooks}
	if t.File != nil {
		cfg.Checkpoint = t.File(fmt.Sprintf("training-%s.npz", name))
		for _, file := range t.files {
			if file == cfg.Checkpoint {
				return &ebmkit.ArgError{Func: fn, Arg: "name", Value: name, Want: "another name: there was a training of this one"}
			}
		}
		t.files = append(t.files, cfg.Checkpoint)
	}
	if t.Progress != nil {
		before := t.started * t.Updates
		cfg.Progress = func(done, _ int, _ train.Record) { t.Progress(before + done) }
	}
	t.started++
	_, err = train.Run(ctx, f, x, Likelihood{Noise: t.Noise}, adam, cfg, t.Updates)
	return err
}

// Finish removes the checkpoints, so that the next run of the program trains anew.
// It is called when all trainings are done, and returns the first error of
// removing a file that is there.
func (t *Trainings) Finish() error {
	var first error
	for _, file := range t.files {
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) && first == nil {
			first = err
		}
	}
	t.files, t.started = nil, 0
	return first
}
