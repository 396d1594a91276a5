package gan

import (
	"context"
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/loop"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Loss is what the generator makes smaller.
type Loss uint8

const (
	// NonSaturating is -E_z[log D(G(z))], which has the same fixed points as the
	// game and a gradient where D sees through everything.
	NonSaturating Loss = iota
	// Saturating is E_z[log(1 - D(G(z)))], review eq. (33): its gradient carries a
	// factor D(G(z)), and vanishes while the generator is poor.
	Saturating
	// Linear is the game of a linear D without the logistic function, that of
	// Wasserstein GANs without their constraint. Only Dirac knows it.
	Linear
)

func (l Loss) String() string {
	switch l {
	case NonSaturating:
		return "NonSaturating"
	case Saturating:
		return "Saturating"
	case Linear:
		return "Linear"
	}
	return fmt.Sprintf("Loss(%d)", uint8(l))
}

// TrainConfig says how a Trainer works.
type TrainConfig struct {
	AdamG, AdamD nn.AdamConfig // Rate is required
	Batch        int           // rows of data, and of noise, per step; 0 means all
	DSteps       int           // k, discriminator steps for each of the generator; 0 means 1
	Loss         Loss
	Seed         uint64 // of noise and batches: same seed, same bits, on any number of cores

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

// Record is what one step says. Numbers of the discriminator are of its last
// step, before its update; those of the generator come after it.
type Record struct {
	Step         int     // k, from 0
	V            float64 // V(G, D) on the batch; -ln 4 if D = 1/2 everywhere
	DData, DFake float64 // mean of D over data and over generated points
	DNorm        float64 // norm of the discriminator's gradient
	GLoss        float64 // the generator's loss
	GNorm        float64 // norm of its gradient
}

// Saturation warns that the discriminator tells data from fakes almost without
// fault, so that the generator learns little or nothing.
type Saturation struct {
	Step         int // at which it was noticed
	Steps        int // in a row it had lasted by then
	DData, DFake float64
	Cure         string
}

func (s Saturation) String() string {
	return fmt.Sprintf("step %d: for %d steps D has been above %.3g on data and below %.3g on fakes: %s", s.Step, s.Steps, s.DData, s.DFake, s.Cure)
}

// saturationSteps in a row with D beyond saturationLevel make a warning.
const (
	saturationSteps = 50
	saturationLevel = 0.01
)

// Trainer plays the game on data: k steps of Adam for the discriminator, one for
// the generator, review Proposition 3.1. A Float32 model is trained in float32
// throughout.
type Trainer struct {
	m         *Model
	cfg       TrainConfig
	do        player
	loop      *loop.Loop[Record]
	rec       Record // of the step that runs
	saturated int
	warnings  []Saturation
}

// player is training in the arithmetic of the model.
type player interface {
	stepD(rec *Record) error
	stepG(rec *Record) error
}

// NewTrainer prepares training without taking a step. The trainer changes the
// parameters of the model and keeps a copy of the data. It returns
// *ebmkit.ArgError if the data does not fit or is not finite, the batch is
// larger than the data, or a value of cfg is out of range.
func NewTrainer(m *Model, data *ebmkit.Ensemble, cfg TrainConfig) (*Trainer, error) {
	const fn = "gan.NewTrainer"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if m == nil {
		return nil, bad("m", nil, "a model")
	}
	if cfg.DSteps == 0 {
		cfg.DSteps = 1
	}
	if cfg.DSteps < 1 {
		return nil, bad("DSteps", cfg.DSteps, "at least 1")
	}
	if cfg.Loss > Saturating {
		return nil, bad("Loss", cfg.Loss, "NonSaturating or Saturating")
	}
	t := &Trainer{m: m, cfg: cfg}
	hooks := make([]loop.Hook[Record], len(cfg.Hooks))
	for i, h := range cfg.Hooks {
		if err := loop.CheckHook(fn, i, h.Name, h.Every, h.Do != nil); err != nil {
			return nil, err
		}
		hooks[i] = loop.Hook[Record]{Name: h.Name, Every: h.Every, Do: func(last Record) error { return h.Do(t, last) }}
	}
	t.loop = loop.New("gan.Trainer", t.take, hooks, cfg.Progress)
	var err error
	if m.cfg.Precision == nn.Float32 {
		t.do, err = newGame(m, vmath.Softplus32Slice, (*nn.MLP).NewPass32, data, &cfg)
	} else {
		softplus := func(y, dy, z []float64) {
			vmath.SigmoidSlice(dy, z)
			vmath.SoftplusSlice(y, z)
		}
		t.do, err = newGame(m, softplus, (*nn.MLP).NewPass, data, &cfg)
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

// game is a player in T.
type game[T nn.Float] struct {
	m        *Model
	loss     Loss
	n        int // rows of a batch
	softplus func(y, dy, z []T)
	data     *minibatch.Batches[T]
	stream   *ebmkit.Stream
	g, d     side[T]

	normal     []float64
	z          []T // n rows of noise
	xs         []T // n rows of data, then n generated
	dx         []T
	sp         []T // log(1 + e^logit) of the rows of xs
	logit, sig []T
	lossD      func(dy, y []T, lo int)
	lossG      func(dy, y []T, lo int)
}

// side is one of the players.
type side[T nn.Float] struct {
	pass    *nn.Pass[T]
	descent *nn.Descent[T]
	grad    []T
}

func newGame[T nn.Float](m *Model, softplus func(y, dy, z []T), pass func(*nn.MLP) *nn.Pass[T],
	data *ebmkit.Ensemble, cfg *TrainConfig) (*game[T], error) {
	b, err := minibatch.New[T]("gan.NewTrainer", data, m.cfg.Dim, cfg.Batch, cfg.Seed)
	if err != nil {
		return nil, err
	}
	n, d := b.Size(), m.cfg.Dim
	p := &game[T]{
		m: m, loss: cfg.Loss, n: n, softplus: softplus, data: b, stream: ebmkit.NewStream(cfg.Seed, "noise", 0),
		normal: make([]float64, n*m.cfg.Noise), z: make([]T, n*m.cfg.Noise),
		xs: make([]T, 2*n*d), dx: make([]T, n*d),
		sp: make([]T, 2*n), logit: make([]T, 2*n), sig: make([]T, 2*n),
	}
	p.lossD, p.lossG = p.rowsD, p.rowsG
	for _, s := range []struct {
		to   *side[T]
		net  *nn.MLP
		adam nn.AdamConfig
	}{{&p.g, m.g, cfg.AdamG}, {&p.d, m.d, cfg.AdamD}} {
		descent, err := nn.NewDescent[T](s.adam, s.net)
		if err != nil {
			return nil, err
		}
		*s.to = side[T]{pass: pass(s.net), descent: descent, grad: make([]T, s.net.NumParams())}
		s.to.pass.Overwrites(true)
	}
	return p, nil
}

// noise fills z.
func (p *game[T]) noise() {
	p.stream.FillNormal(p.normal)
	for i, v := range p.normal {
		p.z[i] = T(v)
	}
}

// rowsD is the discriminator's loss -V on a block of rows of xs.
func (p *game[T]) rowsD(dy, y []T, lo int) {
	hi := lo + len(y)
	copy(p.logit[lo:hi], y)
	p.softplus(p.sp[lo:hi], p.sig[lo:hi], y)
	w := 1 / T(p.n)
	for i := range dy {
		s := p.sig[lo+i]
		if lo+i < p.n {
			s--
		}
		dy[i] = w * s
	}
}

// rowsG is the generator's loss on a block of generated rows.
func (p *game[T]) rowsG(dy, y []T, lo int) {
	hi := lo + len(y)
	copy(p.logit[lo:hi], y)
	p.softplus(p.sp[lo:hi], p.sig[lo:hi], y)
	w := 1 / T(p.n)
	for i := range dy {
		if p.loss == Saturating {
			dy[i] = -w * p.sig[lo+i]
		} else {
			dy[i] = w * (p.sig[lo+i] - 1)
		}
	}
}

func (p *game[T]) stepD(rec *Record) error {
	half := p.n * p.m.cfg.Dim
	copy(p.xs[:half], p.data.Next())
	p.noise()
	p.g.pass.Values(p.xs[half:], p.z)
	p.d.pass.Grad(p.d.grad, nil, p.xs, p.lossD)
	var value, onData, onFake float64
	for i := range p.n {
		// log D = l - softplus(l), log(1 - D) = -softplus(l)
		value += float64(p.logit[i]) - float64(p.sp[i]) - float64(p.sp[p.n+i])
		onData += float64(p.sig[i])
		onFake += float64(p.sig[p.n+i])
	}
	n := float64(p.n)
	rec.V, rec.DData, rec.DFake = value/n, onData/n, onFake/n
	rec.DNorm = p.d.pass.GradNorm()
	return p.d.update("discriminator", rec.DNorm, rec.V)
}

func (p *game[T]) stepG(rec *Record) error {
	half := p.n * p.m.cfg.Dim
	fake := p.xs[half:]
	p.noise()
	p.g.pass.Forward(fake, p.z)
	p.d.pass.Grad(nil, p.dx, fake, p.lossG)
	p.g.pass.Backward(p.g.grad, nil, p.dx)
	var loss float64
	for i := range p.n {
		if p.loss == Saturating {
			loss -= float64(p.sp[i])
		} else {
			loss += float64(p.sp[i]) - float64(p.logit[i])
		}
	}
	rec.GLoss = loss / float64(p.n)
	rec.GNorm = p.g.pass.GradNorm()
	return p.g.update("generator", rec.GNorm, rec.GLoss)
}

// update takes a step of Adam if all is finite.
func (s *side[T]) update(who string, norm, loss float64) error {
	diverged := func(v float64, hint string) error {
		return &ebmkit.DivergedError{Func: "gan.Trainer", Walker: -1, Value: v, Hint: hint}
	}
	if norm-norm != 0 {
		return diverged(norm, fmt.Sprintf("norm of the gradient of the %s, loss %g: lower the learning rate", who, loss))
	}
	if loss-loss != 0 {
		return diverged(loss, "loss of the "+who+": lower the learning rate")
	}
	if err := s.descent.Step(s.grad); err != nil {
		return diverged(norm, fmt.Sprintf("the value is the norm of the gradient of the %s; %v", who, err))
	}
	return nil
}

// Model returns the model that is trained.
func (t *Trainer) Model() *Model { return t.m }

// Steps returns the number of steps done.
func (t *Trainer) Steps() int { return t.loop.Steps() }

// History returns the records of all steps. The caller must not change it.
func (t *Trainer) History() []Record { return t.loop.History() }

// Series returns one number of each record, as in
// t.Series(func(r gan.Record) float64 { return r.V }).
func (t *Trainer) Series(f func(r Record) float64) []float64 { return t.loop.Series(f) }

// Warnings returns what training has warned of so far: one Saturation each time
// that D was below 0.01 on fakes and above 0.99 on data for 50 steps in a row.
func (t *Trainer) Warnings() []Saturation { return t.warnings }

// StepD takes one step of the discriminator alone: with the generator fixed, D
// approaches the optimum of review eq. (35). It is not counted in Steps and
// History. Errors as Step.
func (t *Trainer) StepD() (Record, error) {
	t.rec = Record{Step: t.Steps()}
	if err := t.loop.Failed(); err != nil {
		return t.rec, err
	}
	if err := t.do.stepD(&t.rec); err != nil {
		return t.rec, t.loop.Fail(err)
	}
	return t.rec, nil
}

// Step takes DSteps steps of the discriminator and one of the generator, and
// returns the record, which is also the last of History. When a loss or a
// gradient is not finite it returns *ebmkit.DivergedError, the network keeps its
// last parameters, and the trainer takes no further step.
func (t *Trainer) Step() (Record, error) { return t.loop.Step() }

// Fit takes steps until there are total of them. It stops between two steps when
// ctx ends and returns ctx.Err(); it can be called again and goes on with the
// same bits. Errors of Step end it.
func (t *Trainer) Fit(ctx context.Context, total int) error { return t.loop.Fit(ctx, total) }

// take takes step k.
func (t *Trainer) take(k int) (Record, error) {
	t.rec = Record{Step: k}
	for range t.cfg.DSteps {
		if err := t.do.stepD(&t.rec); err != nil {
			return t.rec, err
		}
	}
	if err := t.do.stepG(&t.rec); err != nil {
		return t.rec, err
	}
	t.watch(t.rec)
	return t.rec, nil
}

// watch warns of a discriminator that is too good.
func (t *Trainer) watch(rec Record) {
	if rec.DFake >= saturationLevel || rec.DData <= 1-saturationLevel {
		t.saturated = 0
		return
	}
	if t.saturated++; t.saturated != saturationSteps {
		return
	}
	cure := "take fewer discriminator steps, lower its learning rate, or add noise to the data"
	if t.cfg.Loss == Saturating {
		cure = "the gradient of the generator has vanished with D; take the loss NonSaturating"
	}
	t.warnings = append(t.warnings, Saturation{rec.Step, t.saturated, rec.DData, rec.DFake, cure})
}
