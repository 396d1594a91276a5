package vae

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/loop"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
)

// TrainConfig says how a Trainer works.
type TrainConfig struct {
	Adam    nn.AdamConfig // Rate is required
	Batch   int           // rows of data per step; 0 means all
	Samples int           // R, codes per row; 0 means 1
	Seed    uint64        // of noise and batches: same seed, same bits, on any number of cores

	// Beta weighs the KL term; nil means 1. Above 1 codes are pressed to the
	// prior, below 1 the loss is no bound any more; nn.Warmup lets it rise, which
	// helps against posteriors that collapse early.
	Beta nn.Schedule

	// Gradient is Pathwise unless said otherwise.
	Gradient Gradient

	// Clip, if positive, shortens gradients of a larger norm to it.
	Clip float64

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

// Record is what one step says about the parameters that it started from, on
// the rows and the noise of that step: means per row, in nats.
type Record struct {
	Step      int     // k, from 0
	Loss      float64 // -(Recon - Beta KL)
	Recon, KL float64 // the terms of review eq. (30)
	Beta      float64
	GradNorm  float64 // before clipping
	SD        float64 // s of a Gaussian likelihood, NaN for others
}

// ELBO returns Recon - KL.
func (r Record) ELBO() float64 { return r.Recon - r.KL }

// Trainer fits a model to data: joint ascent of the ELBO in theta and phi by
// Adam (Kingma and Welling 2014), review eq. (32), or descent of the loss of a
// plain autoencoder. A Float32 model is trained in float32 throughout.
type Trainer struct {
	m    *Model
	cfg  TrainConfig
	do   stepper
	loop *loop.Loop[Record]
}

// stepper is training in the arithmetic of the model.
type stepper interface {
	step(o objective, clip float64) (recon, kl, norm float64, err error)
}

// NewTrainer prepares training without taking a step. The trainer changes the
// parameters of the model and keeps a copy of the data. It returns
// *ebmkit.ArgError if the data does not fit, lies outside [0, 1] for a Bernoulli
// model or is not finite, the batch is larger than the data, or a value of cfg is
// out of range.
func NewTrainer(m *Model, data *ebmkit.Ensemble, cfg TrainConfig) (*Trainer, error) {
	const fn = "vae.NewTrainer"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if m == nil {
		return nil, bad("m", nil, "a model")
	}
	if err := m.checkData(fn, "data", data); err != nil {
		return nil, err
	}
	if cfg.Samples == 0 {
		cfg.Samples = 1
	}
	if cfg.Samples < 1 {
		return nil, bad("Samples", cfg.Samples, "at least 1")
	}
	if cfg.Gradient > ScoreFunction {
		return nil, bad("Gradient", cfg.Gradient, "Pathwise or ScoreFunction")
	}
	if m.cfg.Deterministic && (cfg.Samples != 1 || cfg.Gradient != Pathwise || cfg.Beta != nil) {
		return nil, bad("Samples, Gradient and Beta", fmt.Sprint(cfg.Samples, ", ", cfg.Gradient, ", ", cfg.Beta),
			"the zero values: a plain autoencoder has no noise and no KL")
	}
	if cfg.Beta == nil {
		cfg.Beta = nn.Constant(1)
	}
	if !(cfg.Clip >= 0) {
		return nil, bad("Clip", cfg.Clip, "a positive norm, or 0 for none")
	}
	t := &Trainer{m: m, cfg: cfg}
	hooks := make([]loop.Hook[Record], len(cfg.Hooks))
	for i, h := range cfg.Hooks {
		if err := loop.CheckHook(fn, i, h.Name, h.Every, h.Do != nil); err != nil {
			return nil, err
		}
		hooks[i] = loop.Hook[Record]{Name: h.Name, Every: h.Every, Do: func(last Record) error { return h.Do(t, last) }}
	}
	t.loop = loop.New("vae.Trainer", t.take, hooks, cfg.Progress)
	var err error
	if m.cfg.Precision == nn.Float32 {
		t.do, err = newRun(m, &kernels32, data, &cfg)
	} else {
		t.do, err = newRun(m, &kernels64, data, &cfg)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// run is a stepper in T.
type run[T nn.Float] struct {
	e     *engine[T]
	data  *minibatch.Batches[T]
	noise *ebmkit.Stream
	nets  *nn.Descent[T]
	sd    *nn.Adam[T] // of log s
	logSD [1]T
	grad  []T
}

func newRun[T nn.Float](m *Model, k *kernels[T], data *ebmkit.Ensemble, cfg *TrainConfig) (*run[T], error) {
	b, err := minibatch.New[T]("vae.NewTrainer", data, m.cfg.Dim, cfg.Batch, cfg.Seed)
	if err != nil {
		return nil, err
	}
	nets, err := nn.NewDescent[T](cfg.Adam, m.enc, m.dec)
	if err != nil {
		return nil, err
	}
	sd, err := nn.NewAdam[T](cfg.Adam)
	if err != nil {
		return nil, err
	}
	r := &run[T]{e: newEngine(m, k), data: b, noise: ebmkit.NewStream(cfg.Seed, "noise", 0), nets: nets, sd: sd,
		grad: make([]T, m.NumParams())}
	r.e.reserve(b.Size(), cfg.Samples)
	return r, nil
}

func (r *run[T]) step(o objective, clip float64) (recon, kl, norm float64, err error) {
	r.noise.FillNormal(r.e.eps)
	recon, kl = r.e.grad(r.grad, r.data.Next(), o)
	nets := r.grad[:r.nets.NumParams()]
	norm = math.Hypot(r.e.enc.GradNorm(), r.e.dec.GradNorm())
	for _, g := range r.grad[len(nets):] {
		norm = math.Hypot(norm, float64(g))
	}
	diverged := func(v float64, hint string) error {
		return &ebmkit.DivergedError{Func: "vae.Trainer", Walker: -1, Value: v, Hint: hint}
	}
	switch loss := o.beta*kl - recon; {
	case !finite(norm):
		return recon, kl, norm, diverged(norm, fmt.Sprintf("the gradient's norm, loss %g: lower the learning rate, or set Clip", loss))
	case !finite(loss):
		return recon, kl, norm, diverged(loss, "the loss, gradient norm finite: lower the learning rate, or set Clip")
	}
	if clip > 0 && norm > clip {
		nn.Clip(r.grad, clip)
	}
	m := r.e.m
	if m.learnsSD() {
		r.logSD[0] = T(m.logSD)
		r.sd.Step(r.logSD[:], r.grad[len(nets):])
		if err := checkLogSD("vae.Trainer.Step", float64(r.logSD[0])); err != nil {
			return recon, kl, norm, diverged(norm, fmt.Sprintf("the model refuses a parameter (%v): lower the learning rate; the value is the norm of the gradient", err))
		}
	}
	if err := r.nets.Step(nets); err != nil {
		return recon, kl, norm, diverged(norm, fmt.Sprintf("the value is the norm of the gradient; %v", err))
	}
	if m.learnsSD() {
		m.logSD = float64(r.logSD[0])
	}
	return recon, kl, norm, nil
}

func finite(v float64) bool { return v-v == 0 }

// Model returns the model that is trained.
func (t *Trainer) Model() *Model { return t.m }

// Steps returns the number of steps done.
func (t *Trainer) Steps() int { return t.loop.Steps() }

// History returns the records of all steps. The caller must not change it.
func (t *Trainer) History() []Record { return t.loop.History() }

// Series returns one number of each record, as in t.Series(vae.Record.ELBO).
func (t *Trainer) Series(f func(r Record) float64) []float64 { return t.loop.Series(f) }

// Step takes one step and returns its record, which is also the last of History.
// When loss or gradient are not finite it returns *ebmkit.DivergedError, the
// model keeps its last parameters, and the trainer takes no further step. When it
// is a parameter that is not, which takes absurd rates, the parameters are lost.
func (t *Trainer) Step() (Record, error) { return t.loop.Step() }

// Fit takes steps until there are total of them. It stops between two steps when
// ctx ends and returns ctx.Err(); it can be called again and goes on with the
// same bits. Errors of Step end it.
func (t *Trainer) Fit(ctx context.Context, total int) error { return t.loop.Fit(ctx, total) }

// FitPath is Fit that looks back: it returns copies of the model's parameters as
// they are now, after each number of steps that is a multiple of every, and after
// the last step. Training takes the same steps as with Fit. It returns
// *ebmkit.ArgError if every < 1; else errors as Fit, with what there is until then.
func (t *Trainer) FitPath(ctx context.Context, total, every int) ([][]float64, error) {
	if every < 1 {
		return nil, &ebmkit.ArgError{Func: "vae.Trainer.FitPath", Arg: "every", Value: every, Want: "at least 1"}
	}
	path := [][]float64{t.m.Params(nil)}
	for k := t.Steps(); k < total; {
		k = min((k/every+1)*every, total)
		if err := t.Fit(ctx, k); err != nil {
			return path, err
		}
		path = append(path, t.m.Params(nil))
	}
	return path, nil
}

// take takes step k.
func (t *Trainer) take(k int) (Record, error) {
	rec := Record{Step: k, Beta: t.cfg.Beta.Rate(k), SD: t.m.SD()}
	if t.m.cfg.Deterministic {
		rec.Beta = 0
	} else if !(rec.Beta >= 0) || math.IsInf(rec.Beta, 1) {
		return rec, &ebmkit.ArgError{Func: "vae.Trainer.Step", Arg: fmt.Sprintf("Beta.Rate(%d)", k), Value: rec.Beta, Want: "a finite weight of at least 0"}
	}
	var err error
	rec.Recon, rec.KL, rec.GradNorm, err = t.do.step(objective{rec.Beta, t.cfg.Samples, t.cfg.Gradient}, t.cfg.Clip)
	rec.Loss = rec.Beta*rec.KL - rec.Recon
	return rec, err
}
