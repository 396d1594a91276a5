package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
)

// Optimizer makes a loss smaller: nn.SGD, nn.Momentum, nn.Adam.
type Optimizer = nn.Optimizer[float64]

// Config says how a Trainer works.
type Config struct {
	Seed uint64 // of everything random: same seed, same bits, on any number of cores

	// Batch is the number of rows of data per step; 0 means all. Batches of an
	// epoch do not overlap; each epoch shuffles anew, and rows that do not fill a
	// batch wait for the next.
	Batch int

	// Clip, if positive, shortens gradients of a larger norm to it before the
	// optimiser sees them. History has the norm before.
	Clip float64

	// MaxGap is the largest |E_data[U] - E_walkers[U]| at which training goes on;
	// 0 means 1000 + 100 d, +Inf no limit.
	MaxGap float64

	// KeepPath keeps the parameters of every step, for Trainer.Path.
	KeepPath bool

	// Checkpoint is a file that Fit writes every CheckpointEvery steps (0 means
	// 100) and when it ends; empty means none.
	Checkpoint      string
	CheckpointEvery int

	// Notify, if not nil, is called by Run with the reason why it starts anew
	// although there is a file Checkpoint, which training will replace: the file is
	// damaged, or of another training.
	Notify func(reason error)

	Hooks []Hook

	// Progress, if not nil, is called now and then by Fit with the number of
	// steps done and wanted, and the last record. It must not change anything.
	Progress func(done, total int, last Record)
}

// Hook is called by Step after every Every-th step (0 means every step). An
// error ends Fit, which names the hook.
type Hook struct {
	Name  string
	Every int
	Do    func(t *Trainer, last Record) error
}

// Record is what one step says about the parameters theta_k that it started
// from. Numbers that the objective does not know are NaN.
type Record struct {
	Step         int     // k, from 0
	Loss         float64 // the objective's loss; the gap where there is none (CD, PCD, Replay)
	GradNorm     float64 // Euclidean norm of the gradient, before clipping
	DataEnergy   float64 // mean of U over the rows of data used
	WalkerEnergy float64 // weighted mean of U over the walkers, or over the model's law where that is known
	Accept       float64 // acceptance rate of the kernel
	ESS          float64 // effective sample size of weighted walkers, as a fraction of them
	LogZ         float64 // log Z of theta_k, exact or estimated
	Resampled    bool    // the walkers were resampled after the gradient
}

// Gap returns E_data[U] - E_walkers[U].
func (r Record) Gap() float64 { return r.DataEnergy - r.WalkerEnergy }

// Trainer fits a model to data.
type Trainer struct {
	model Model
	data  *ebmkit.Ensemble
	cfg   Config
	bound Bound
	opt   Optimizer

	step    int
	theta   []float64 // the parameters, then the objective's own
	good    []float64 // those of the last step at which all was finite
	grad    []float64
	extra   []float64
	batch   []float64
	order   []int // of this epoch
	epoch   int   // that order belongs to, -1 none
	history []Record
	path    []float64
	failed  error
	hash    uint64 // of the data, 0 until it is needed
}

// New prepares training without taking a step. The trainer changes the model's
// parameters at each step, and keeps the memory of the data, which must not
// change. It returns *ebmkit.ArgError if data is empty or has a NaN or an
// infinity, or an argument does not fit.
func New(model Model, data *ebmkit.Ensemble, o Objective, opt Optimizer, cfg Config) (*Trainer, error) {
	const fn = "train.New"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if model == nil {
		return nil, bad("model", nil, "a model with parameters")
	}
	if model.NumParams() < 1 {
		return nil, bad("model.NumParams()", model.NumParams(), "at least 1 parameter")
	}
	if err := checkPoints(fn, "data", data, model.Dim()); err != nil {
		return nil, err
	}
	if o == nil {
		return nil, bad("o", nil, "an objective, as in train.PCD{Walkers: 100, Kernel: mcmc.ULA{Step: 0.01}}")
	}
	if opt == nil {
		return nil, bad("opt", nil, "an optimiser, as nn.NewAdam makes")
	}
	if cfg.Batch < 0 || cfg.Batch > data.N {
		return nil, bad("Config.Batch", cfg.Batch, fmt.Sprintf("from 1 to the %d rows of data, or 0 for all", data.N))
	}
	if cfg.Batch == data.N {
		cfg.Batch = 0
	}
	if !(cfg.Clip >= 0) {
		return nil, bad("Config.Clip", cfg.Clip, "a positive norm, or 0 for none")
	}
	if cfg.MaxGap == 0 {
		cfg.MaxGap = 1000 + 100*float64(model.Dim())
	}
	if !(cfg.MaxGap > 0) {
		return nil, bad("Config.MaxGap", cfg.MaxGap, "a positive number, +Inf for no limit, or 0 for the default")
	}
	if cfg.CheckpointEvery == 0 {
		cfg.CheckpointEvery = 100
	}
	if cfg.CheckpointEvery < 0 {
		return nil, bad("Config.CheckpointEvery", cfg.CheckpointEvery, "at least 0")
	}
	for i, h := range cfg.Hooks {
		if h.Do == nil || h.Name == "" {
			return nil, bad(fmt.Sprintf("Config.Hooks[%d]", i), fmt.Sprintf("%q", h.Name), "a name and a function")
		}
		if h.Every < 0 {
			return nil, bad(fmt.Sprintf("Config.Hooks[%d].Every", i), h.Every, "at least 0")
		}
	}
	bound, err := o.Bind(Task{Model: model, Data: data, Seed: cfg.Seed})
	if err != nil {
		return nil, err
	}
	t := &Trainer{model: model, data: data, cfg: cfg, bound: bound, opt: opt, epoch: -1}
	t.extra = bound.State().Extra
	t.theta = append(model.Params(nil), t.extra...)
	for k, v := range t.theta {
		if !finite(v) {
			return nil, bad(fmt.Sprintf("parameter %d of the model", k), v, "a finite number")
		}
	}
	t.good = append([]float64(nil), t.theta...)
	t.grad = make([]float64, len(t.theta))
	t.keepPath()
	return t, nil
}

func (t *Trainer) keepPath() {
	if t.cfg.KeepPath {
		t.path = append(t.path, t.theta[:t.model.NumParams()]...)
	}
}

// Steps returns the number of steps done.
func (t *Trainer) Steps() int { return t.step }

// History returns the records of all steps. The caller must not change it.
func (t *Trainer) History() []Record { return t.history }

// Series returns one number of each record, as in
// t.Series(func(r train.Record) float64 { return r.Loss }).
func (t *Trainer) Series(f func(r Record) float64) []float64 {
	s := make([]float64, len(t.history))
	for i, r := range t.history {
		s[i] = f(r)
	}
	return s
}

// Params returns a copy of the model's parameters.
func (t *Trainer) Params() []float64 {
	return append([]float64(nil), t.theta[:t.model.NumParams()]...)
}

// Extra returns a copy of what the objective trains besides the model (the log Z
// of NCE), nil for most.
func (t *Trainer) Extra() []float64 {
	return append([]float64(nil), t.theta[t.model.NumParams():]...)
}

// Path returns the parameters before every step and after the last, one point
// per row, if Config.KeepPath was set; nil if not.
func (t *Trainer) Path() *ebmkit.Ensemble {
	if t.path == nil {
		return nil
	}
	p := t.model.NumParams()
	return &ebmkit.Ensemble{N: len(t.path) / p, Dim: p, X: t.path}
}

// Walkers returns the objective's walkers after the last step, sharing memory,
// or nil if it has none. LogW is set if they have weights.
func (t *Trainer) Walkers() *ebmkit.Ensemble {
	if w, ok := t.bound.(interface{ Walkers() *ebmkit.Ensemble }); ok {
		return w.Walkers()
	}
	return nil
}

// Step takes one step: the gradient at the present parameters, then the
// optimiser. It returns the record, which is also the last of History.
//
// When training runs away it returns *ebmkit.DivergedError, whose Value is the
// offending number and whose Hint says what to do; the model then has the last
// parameters at which loss and gradient were finite, and the trainer takes no
// further step. Runaways are a loss or gradient that is not finite, walkers
// that are not, energies of data and walkers more than Config.MaxGap apart,
// weights that have collapsed on a few walkers, and parameters that the model
// refuses.
func (t *Trainer) Step() (Record, error) {
	if t.failed != nil {
		return Record{}, t.failed
	}
	nan := math.NaN()
	rec := Record{Step: t.step, Loss: nan, DataEnergy: nan, WalkerEnergy: nan, Accept: nan, ESS: nan, LogZ: nan}
	clear(t.grad)
	if err := t.bound.Grad(t.grad, t.rows(), &rec); err != nil {
		return rec, t.fail(err)
	}
	rec.GradNorm = nn.Norm(t.grad)
	if err := t.runaway(&rec); err != nil {
		return rec, t.fail(err)
	}
	copy(t.good, t.theta)
	if t.cfg.Clip > 0 {
		nn.Clip(t.grad, t.cfg.Clip)
	}
	t.opt.Step(t.theta, t.grad)
	p := t.model.NumParams()
	if err := t.model.SetParams(t.theta[:p]); err != nil {
		return rec, t.fail(&ebmkit.DivergedError{Func: "train.Trainer", Walker: -1, Value: rec.GradNorm,
			Hint: fmt.Sprintf("the model refuses the new parameters (%v): lower the learning rate; the value is the norm of the gradient", err)})
	}
	copy(t.extra, t.theta[p:])
	t.step++
	t.history = append(t.history, rec)
	t.keepPath()
	for _, h := range t.cfg.Hooks {
		if h.Every > 1 && t.step%h.Every != 0 {
			continue
		}
		if err := h.Do(t, rec); err != nil {
			return rec, fmt.Errorf("train.Trainer: hook %q after step %d: %w", h.Name, rec.Step, err)
		}
	}
	return rec, nil
}

// runaway returns an error if a step shows that training has run away.
func (t *Trainer) runaway(rec *Record) error {
	diverged := func(v float64, hint string) error {
		return &ebmkit.DivergedError{Func: "train.Trainer", Walker: -1, Value: v, Hint: hint}
	}
	if !finite(rec.GradNorm) {
		worst, at := 0.0, 0
		for k, g := range t.grad {
			if !finite(g) {
				worst, at = g, k
				break
			}
			if a := math.Abs(g); a > math.Abs(worst) {
				worst, at = g, k
			}
		}
		return diverged(worst, fmt.Sprintf("the gradient of parameter %d, loss %g: lower the learning rate, or set Config.Clip", at, rec.Loss))
	}
	if !finite(rec.Loss) {
		return diverged(rec.Loss, fmt.Sprintf("the loss, gradient norm %g: lower the learning rate, or set Config.Clip", rec.GradNorm))
	}
	if math.IsInf(rec.DataEnergy, 0) || math.IsInf(rec.WalkerEnergy, 0) {
		return diverged(rec.Gap(), "a mean energy is infinite: data or walkers lie where the model forbids them")
	}
	if gap := rec.Gap(); math.Abs(gap) > t.cfg.MaxGap {
		return diverged(gap, fmt.Sprintf("mean energy %g of data and %g of walkers drift apart (Config.MaxGap = %g), gradient norm %g: lower the learning rate, take more kernel steps or smaller ones, or confine the energy",
			rec.DataEnergy, rec.WalkerEnergy, t.cfg.MaxGap, rec.GradNorm))
	}
	return nil
}

// fail ends training with the last good parameters.
func (t *Trainer) fail(err error) error {
	var d *ebmkit.DivergedError
	if errors.As(err, &d) {
		e := *d
		e.Step = t.step
		err = &e
	}
	copy(t.theta, t.good)
	p := t.model.NumParams()
	if back := t.model.SetParams(t.theta[:p]); back != nil {
		err = errors.Join(err, back)
	}
	copy(t.extra, t.theta[p:])
	t.failed = err
	return err
}

// rows returns the data of this step.
func (t *Trainer) rows() []float64 {
	b, n, d := t.cfg.Batch, t.data.N, t.data.Dim
	if b == 0 {
		return t.data.X
	}
	per := n / b
	epoch, at := t.step/per, t.step%per*b
	if epoch != t.epoch {
		if t.order == nil {
			t.order, t.batch = make([]int, n), make([]float64, b*d)
		}
		s := ebmkit.NewStream(t.cfg.Seed, "epoch", epoch)
		for i := range t.order {
			k := s.IntN(i + 1)
			t.order[i] = t.order[k]
			t.order[k] = i
		}
		t.epoch = epoch
	}
	for i := range b {
		k := t.order[at+i]
		copy(t.batch[i*d:(i+1)*d], t.data.X[k*d:(k+1)*d])
	}
	return t.batch
}

// Fit takes steps until there are total of them, those before a Load included.
// It stops between two steps when ctx ends and returns ctx.Err(); it can be
// called again and goes on with the same bits. Errors of Step end it, and those
// of writing the checkpoint. A checkpoint is written at the end too, also when
// ctx ended, but not after an error: the last good one stays.
func (t *Trainer) Fit(ctx context.Context, total int) error {
	var shown time.Time
	for t.step < total {
		if ctx.Err() != nil {
			break
		}
		rec, err := t.Step()
		if err != nil {
			return err
		}
		if t.cfg.Checkpoint != "" && t.step%t.cfg.CheckpointEvery == 0 && t.step < total {
			if err := t.Save(t.cfg.Checkpoint); err != nil {
				return err
			}
		}
		if t.cfg.Progress != nil && (t.step == total || time.Since(shown) > progressTime) {
			t.cfg.Progress(t.step, total, rec)
			shown = time.Now()
		}
	}
	if t.cfg.Checkpoint != "" {
		if err := t.Save(t.cfg.Checkpoint); err != nil {
			return err
		}
	}
	if t.step < total {
		return ctx.Err()
	}
	return t.failed
}

// progressTime is how often Fit reports, more or less. It changes no number.
const progressTime = 50 * time.Millisecond
