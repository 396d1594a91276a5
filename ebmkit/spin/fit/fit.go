// Package fit trains restricted Boltzmann machines of many units: the gradients of
// spin.Contrast as objectives of train.Trainer.
//
//	m, err := spin.NewRBM(784, 500)
//	err = m.Randomize(0.01, 1)
//	tr, err := train.New(m, pictures, fit.PCD{Walkers: 100}, sgd, train.Config{Batch: 100, Seed: 1})
//	err = tr.Fit(ctx, 10_000)
//
// They are train.CD and train.PCD with the kernel spin.BlockGibbs, many times
// faster: units are bits, and both means of dU/dtheta are one pass over them in
// float32, good to about 1e-6. Energies are not computed, so that Record.Loss is 0,
// Record.Gap is NaN, and Config.MaxGap stops nothing: what training has learned,
// spin.LogLikelihood or annealed importance sampling tells, in a train.Hook if it
// is to be seen on the way.
package fit

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// CD is contrastive divergence for a spin.RBM, review Algorithm 1 (Hinton 2002):
// at each step as many walkers as the batch has rows start on the batch, make
// Sweeps sweeps of block Gibbs, and are forgotten,
//
//	gradient = mean over batch of dU/dtheta - mean over walkers of dU/dtheta.
type CD struct {
	Sweeps int // P; 0 means 1
}

// PCD is persistent contrastive divergence for a spin.RBM, review Algorithm 2
// (Tieleman 2008). At step k the walkers make Sweeps sweeps at theta_k and are then
// compared with the batch,
//
//	X_{k+1} = block Gibbs at theta_k (X_k), P times,
//	gradient = mean over batch of dU/dtheta - mean over walkers of dU/dtheta (X_{k+1}),
//
// as Tieleman does: one move fresher than the X_k that the review prints and
// train.PCD takes. That counts where parameters go far in one step.
type PCD struct {
	Walkers int              // N
	Sweeps  int              // P; 0 means 1
	Init    *ebmkit.Ensemble // where the N walkers start, in units 0 or 1; nil means on random rows of the data
}

var (
	_ train.Objective = CD{}
	_ train.Objective = PCD{}
)

// Bind implements train.Objective. The model must be a spin.RBM, and data units of
// 0 or 1.
func (o CD) Bind(t train.Task) (train.Bound, error) {
	return bind("fit.CD", t, o.Sweeps)
}

// Bind implements train.Objective. The model must be a spin.RBM, and data and Init
// units of 0 or 1.
func (o PCD) Bind(t train.Task) (train.Bound, error) {
	const fn = "fit.PCD"
	b, err := bind(fn, t, o.Sweeps)
	if err != nil {
		return nil, err
	}
	if o.Walkers < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Walkers", Value: o.Walkers, Want: "at least 1"}
	}
	d := t.Model.Dim()
	if b.walkers, err = ebmkit.NewEnsemble(o.Walkers, d); err != nil {
		return nil, err
	}
	if o.Init == nil {
		s := ebmkit.NewStream(t.Seed, "contrast start", 0)
		for i := range o.Walkers {
			copy(b.walkers.Row(i), t.Data.Row(s.IntN(t.Data.N)))
		}
		return b, nil
	}
	if o.Init.N != o.Walkers || o.Init.Dim != d || len(o.Init.X) != o.Walkers*d {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Init", Value: fmt.Sprintf("%d points of dimension %d", o.Init.N, o.Init.Dim),
			Want: fmt.Sprintf("%d walkers of %d units", o.Walkers, d)}
	}
	copy(b.walkers.X, o.Init.X)
	return b, wantUnits(fn, "Init", o.Init)
}

// wantUnits returns *ebmkit.ArgError unless all numbers are 0 or 1.
func wantUnits(fn, arg string, e *ebmkit.Ensemble) error {
	for i, v := range e.X {
		if v != 0 && v != 1 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d][%d]", arg, i/e.Dim, i%e.Dim), Value: v, Want: "0 or 1"}
		}
	}
	return nil
}

// contrast is both objectives at work.
type contrast struct {
	c       *spin.Contrast
	sweeps  int
	walkers *ebmkit.Ensemble // nil for CD
	step    [1]float64       // of c, for the checkpoint
	grad    []float64
}

func bind(fn string, t train.Task, sweeps int) (*contrast, error) {
	m, ok := t.Model.(spin.RBM)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: ebmkit.TypeName(t.Model), Want: "a spin.RBM"}
	}
	if sweeps == 0 {
		sweeps = 1
	}
	if sweeps < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Sweeps", Value: sweeps, Want: "at least 1, or 0 for 1"}
	}
	if err := wantUnits(fn, "data", t.Data); err != nil {
		return nil, err
	}
	return &contrast{c: spin.NewContrast(m, t.Seed), sweeps: sweeps, grad: make([]float64, m.NumParams())}, nil
}

// Grad implements train.Bound.
func (b *contrast) Grad(dst, batch []float64, rec *train.Record) error {
	var walkers []float64
	if b.walkers != nil {
		walkers = b.walkers.X
	}
	b.c.Step = int(b.step[0]) // a checkpoint may have been read
	if err := b.c.Gradient(b.grad, batch, walkers, b.sweeps); err != nil {
		return err
	}
	b.step[0] = float64(b.c.Step)
	vmath.Axpy(dst, 1, b.grad)
	rec.Loss = 0
	return nil
}

// State implements train.Bound.
func (b *contrast) State() train.State {
	s := train.State{Identity: fmt.Sprintf("fit.CD sweeps %d", b.sweeps), Arrays: []train.NamedArray{{Name: "step", Data: b.step[:]}}}
	if b.walkers != nil {
		s.Identity = fmt.Sprintf("fit.PCD walkers %d sweeps %d", b.walkers.N, b.sweeps)
		s.Arrays = append(s.Arrays, train.NamedArray{Name: "walkers", Data: b.walkers.X})
	}
	return s
}

// Walkers returns the walkers after the last step, sharing memory, and nil for CD,
// which keeps none.
func (b *contrast) Walkers() *ebmkit.Ensemble { return b.walkers }
