package mcmc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
)

// Config says how many walkers run for how long. The number of transitions is
// Burn + Draws*Thin; the state is kept after every Thin of them once Burn are
// done. The kept draws are exactly a subsequence of the run with Thin 1.
type Config struct {
	Walkers int    // parallel walkers, at least 1
	Burn    int    // transitions before the first that may be kept
	Draws   int    // states kept per walker, at least 1; 1 keeps the final state only
	Thin    int    // transitions per kept state; 0 means 1
	Seed    uint64 // same seed, same bits, on any number of cores

	// Init is where the walkers start: one row per walker, or one row for all.
	// nil means N(0, I), from the stream "init". U must be finite there.
	Init *ebmkit.Ensemble

	// Adapt tunes the step size of a Metropolis kernel to its optimal acceptance
	// rate during Burn, and the masses of HMC and NUTS to the variances seen, then
	// freezes them. It needs Burn >= 20; a few hundred are better.
	Adapt bool

	// Progress, if not nil, is called now and then between transitions with the
	// number done and the total. It must not change anything.
	Progress func(done, total int)
}

// Run samples exp(-U)/Z with the method and returns the kept draws.
//
// If ctx ends, Run returns the draws that all walkers have completed together
// with ctx's error. If the chain diverges it returns the same with
// *ebmkit.DivergedError, which names step and walker. Bad arguments give
// *ebmkit.ArgError and no chain.
func Run(ctx context.Context, target ebmkit.Energy, m Method, cfg Config) (*ebmkit.Chain, error) {
	sim, err := New(target, m, cfg)
	if err != nil {
		return nil, err
	}
	return sim.Run(ctx)
}

// Simulation is a run that can be stopped, saved and continued.
type Simulation struct {
	target ebmkit.Energy
	method Method
	cfg    Config
	ens    *ebmkit.Ensemble
	blocks []block
	adapt  *adaptation // nil unless Config.Adapt and Burn is not over
	step   int         // transitions done
	chain  *ebmkit.Chain
}

// block is a fixed set of walkers with its own kernel and its own stream. Only
// one goroutine at a time touches it.
type block struct {
	lo, hi int // walkers lo to hi-1
	view   ebmkit.Ensemble
	kernel Kernel
	stream *ebmkit.Stream
	prob   []float64 // sum of acceptance probabilities after Burn, nil if the kernel always moves
	info   Info      // counts after Burn
	dual   *dual     // step-size adaptation, nil without
	done   int       // transitions done
	err    error
}

// New prepares a run without taking a step. Its errors are those of Run.
func New(target ebmkit.Energy, m Method, cfg Config) (*Simulation, error) {
	const fn = "mcmc.Run"
	if m == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "m", Value: nil, Want: "a method, as in mcmc.MALA{Step: 0.1}"}
	}
	cfg, err := cfg.checked(fn, target)
	if err != nil {
		return nil, err
	}
	ens, err := start(fn, target, cfg)
	if err != nil {
		return nil, err
	}
	sim := &Simulation{target: target, method: m, cfg: cfg, ens: ens}
	if err := sim.bind(); err != nil {
		return nil, err
	}
	for i := range sim.blocks {
		b := &sim.blocks[i]
		if err := b.kernel.Start(&b.view, b.stream); err != nil {
			return nil, atWalker(err, b.lo, 0)
		}
	}
	sim.joinCaches()
	if cfg.Adapt {
		if sim.adapt, err = newAdaptation(sim); err != nil {
			return nil, err
		}
	}
	if err := sim.allocate(); err != nil {
		return nil, err
	}
	return sim, nil
}

// allocate makes the chain, with what the kernel can fill in.
func (sim *Simulation) allocate() (err error) {
	if sim.chain, err = newChain("mcmc.Run", sim.cfg, sim.ens.Dim); err != nil {
		return err
	}
	rows := sim.cfg.Draws * sim.cfg.Walkers
	if sim.ens.U != nil {
		sim.chain.U = make([]float64, rows)
	}
	if _, ok := sim.blocks[0].kernel.(MassTuner); ok {
		sim.chain.H = make([]float64, rows)
	}
	return nil
}

// checked returns cfg with its default, or an error.
func (cfg Config) checked(fn string, target ebmkit.Energy) (Config, error) {
	if target == nil {
		return cfg, &ebmkit.ArgError{Func: fn, Arg: "target", Value: nil, Want: "an energy"}
	}
	if cfg.Thin == 0 {
		cfg.Thin = 1
	}
	for _, c := range []struct {
		arg      string
		v, least int
	}{
		{"Config.Walkers", cfg.Walkers, 1}, {"Config.Burn", cfg.Burn, 0},
		{"Config.Draws", cfg.Draws, 1}, {"Config.Thin", cfg.Thin, 1},
	} {
		if c.v < c.least {
			return cfg, &ebmkit.ArgError{Func: fn, Arg: c.arg, Value: c.v, Want: fmt.Sprintf("at least %d", c.least)}
		}
	}
	return cfg, nil
}

// newChain makes the chain that a run fills, without energies.
func newChain(fn string, cfg Config, dim int) (*ebmkit.Chain, error) {
	if n := float64(cfg.Draws) * float64(cfg.Walkers) * float64(dim); n > 1<<40 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Config.Draws*Config.Walkers*Dim", Value: n, Want: "a chain that fits in memory"}
	}
	return &ebmkit.Chain{Draws: cfg.Draws, Walkers: cfg.Walkers, Dim: dim,
		X: make([]float64, cfg.Draws*cfg.Walkers*dim), Seed: cfg.Seed}, nil
}

// start returns the initial ensemble, checked.
func start(fn string, target ebmkit.Energy, cfg Config) (*ebmkit.Ensemble, error) {
	d := target.Dim()
	ens, err := ebmkit.NewEnsemble(cfg.Walkers, d)
	if err != nil {
		return nil, err
	}
	switch in := cfg.Init; {
	case in == nil:
		for lo := 0; lo < ens.N; lo += ebmkit.BlockRows {
			hi := min(lo+ebmkit.BlockRows, ens.N)
			ebmkit.NewStream(cfg.Seed, "init", lo/ebmkit.BlockRows).FillNormal(ens.X[lo*d : hi*d])
		}
	case in.Dim != d:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Config.Init.Dim", Value: in.Dim, Want: fmt.Sprintf("%d, the dimension of the target", d)}
	case len(in.X) != in.N*d:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(Config.Init.X)", Value: len(in.X), Want: fmt.Sprintf("%d, which is N*Dim", in.N*d)}
	case in.N == ens.N:
		copy(ens.X, in.X)
	case in.N == 1:
		for i := range ens.N {
			copy(ens.Row(i), in.X)
		}
	default:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Config.Init.N", Value: in.N, Want: fmt.Sprintf("1 or %d, the number of walkers", ens.N)}
	}
	u := make([]float64, ens.N)
	ebmkit.NewEvaluator(target).EnergyGrad(u, nil, ens.X)
	for i, v := range u {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("U at the start of walker %d", i), Value: v,
				Want: "a finite energy (set Config.Init to points inside the support)"}
		}
	}
	return ens, nil
}

// bind makes the blocks, each with its kernel and its stream.
func (sim *Simulation) bind() error {
	rows := ebmkit.BlockRows
	if b, ok := sim.method.(blockRows); ok {
		rows = b.BlockRows()
	}
	ens := sim.ens
	sim.blocks = make([]block, (ens.N+rows-1)/rows)
	for i := range sim.blocks {
		b := &sim.blocks[i]
		b.lo, b.hi = i*rows, min((i+1)*rows, ens.N)
		b.view = ens.Slice(b.lo, b.hi)
		b.stream = ebmkit.NewStream(sim.cfg.Seed, "mcmc", i)
		var err error
		if b.kernel, err = sim.method.Bind(sim.target, b.hi-b.lo); err != nil {
			return err
		}
	}
	return nil
}

// joinCaches moves the slices that Start allocated per block into the ensemble,
// so that the whole state is in one place.
func (sim *Simulation) joinCaches() {
	join := func(get func(*ebmkit.Ensemble) *[]float64, width int) {
		if *get(&sim.blocks[0].view) == nil {
			return
		}
		all := get(sim.ens)
		if *all == nil {
			*all = make([]float64, sim.ens.N*width)
		}
		for i := range sim.blocks {
			b := &sim.blocks[i]
			part := get(&b.view)
			at := (*all)[b.lo*width : b.hi*width]
			copy(at, *part)
			*part = at
		}
	}
	join(func(e *ebmkit.Ensemble) *[]float64 { return &e.U }, 1)
	join(func(e *ebmkit.Ensemble) *[]float64 { return &e.Grad }, sim.ens.Dim)
	join(func(e *ebmkit.Ensemble) *[]float64 { return &e.V }, sim.ens.Dim)
}

// Run continues to the end of the configuration. See the function Run for what
// it returns when it is cut short; it can then be called again.
func (sim *Simulation) Run(ctx context.Context) (*ebmkit.Chain, error) {
	total := sim.cfg.Burn + sim.cfg.Draws*sim.cfg.Thin
	for segment := 1; sim.step < total; {
		began := time.Now()
		next := min(total, sim.step+segment)
		if sim.adapt != nil {
			next = min(next, sim.adapt.nextJoin(sim.step))
		}
		if sim.step < sim.cfg.Burn {
			next = min(next, sim.cfg.Burn)
		}
		if err := sim.advance(ctx, next); err != nil {
			return sim.kept(), err
		}
		if sim.adapt != nil {
			sim.adapt.join(sim)
			if sim.step >= sim.cfg.Burn {
				sim.adapt = nil
			}
		}
		if sim.cfg.Progress != nil {
			sim.cfg.Progress(sim.step, total)
		}
		if took := time.Since(began); took < segmentTime/2 {
			segment *= 2
		} else if took > 2*segmentTime {
			segment = max(1, segment/2)
		}
	}
	return sim.kept(), nil
}

// segmentTime is how long blocks run on their own, more or less, before they
// meet to report progress: what a cancelled run can lose. It changes no number.
const segmentTime = 50 * time.Millisecond

// advance runs every block up to transition next. Blocks that a cancelled
// context left behind catch up when it is called again.
func (sim *Simulation) advance(ctx context.Context, next int) error {
	for i := range sim.blocks {
		sim.blocks[i].err = nil
	}
	par.For(ctx, len(sim.blocks), func(i int) { sim.blocks[i].advance(ctx, sim, next) })
	var first *ebmkit.DivergedError
	for i := range sim.blocks {
		err := sim.blocks[i].err
		var d *ebmkit.DivergedError
		switch {
		case err == nil || errors.Is(err, ctx.Err()):
		case errors.As(err, &d):
			if first == nil || d.Step < first.Step {
				first = d
			}
		default:
			return err
		}
	}
	if first != nil {
		return first
	}
	if err := ctx.Err(); err != nil {
		for i := range sim.blocks {
			if sim.blocks[i].done < next {
				return err
			}
		}
	}
	sim.step = next
	return nil
}

func (b *block) advance(ctx context.Context, sim *Simulation, next int) {
	cfg, dim := &sim.cfg, sim.ens.Dim
	for b.done < next {
		if b.err = ctx.Err(); b.err != nil {
			return
		}
		info, err := b.kernel.Advance(&b.view, b.stream)
		if err != nil {
			b.err = atWalker(err, b.lo, b.done)
			return
		}
		b.done++
		if sim.adapt != nil {
			sim.adapt.see(b, info)
		}
		if b.done <= cfg.Burn {
			continue
		}
		b.count(info)
		if (b.done-cfg.Burn)%cfg.Thin == 0 {
			b.keep(sim.chain, info, (b.done-cfg.Burn)/cfg.Thin-1, dim)
		}
	}
}

// count adds what the kernel says about a transition after Burn.
func (b *block) count(info Info) {
	b.info.Divergent += info.Divergent
	b.info.NonFinite += info.NonFinite
	b.info.TreeLimit += info.TreeLimit
	b.info.Evals += info.Evals
	if info.Prob == nil {
		return
	}
	if b.prob == nil {
		b.prob = make([]float64, b.hi-b.lo)
	}
	for i, p := range info.Prob {
		b.prob[i] += p
	}
}

// keep writes the block's state as draw t.
func (b *block) keep(c *ebmkit.Chain, info Info, t, dim int) {
	at := t*c.Walkers + b.lo
	n := b.hi - b.lo
	copy(c.X[at*dim:(at+n)*dim], b.view.X)
	if c.U != nil {
		copy(c.U[at:at+n], b.view.U)
	}
	if c.H != nil {
		copy(c.H[at:at+n], info.H)
	}
}

// kept returns the chain up to the last draw that every block has completed.
func (sim *Simulation) kept() *ebmkit.Chain {
	c := *sim.chain
	done := math.MaxInt
	for i := range sim.blocks {
		done = min(done, sim.blocks[i].done)
	}
	c.Draws = max(0, (done-sim.cfg.Burn)/sim.cfg.Thin)
	c.X = c.X[:c.Draws*c.Walkers*c.Dim]
	if c.U != nil {
		c.U = c.U[:c.Draws*c.Walkers]
	}
	if c.H != nil {
		c.H = c.H[:c.Draws*c.Walkers]
	}
	for i := range sim.blocks {
		b := &sim.blocks[i]
		c.Divergent += b.info.Divergent
		c.NonFinite += b.info.NonFinite
		c.TreeLimit += b.info.TreeLimit
		c.Evals += b.info.Evals
		if b.prob != nil && b.done > sim.cfg.Burn {
			if c.Accept == nil {
				c.Accept = make([]float64, c.Walkers)
			}
			for j, p := range b.prob {
				c.Accept[b.lo+j] = p / float64(b.done-sim.cfg.Burn)
			}
		}
	}
	if t, ok := sim.blocks[0].kernel.(Tuner); ok {
		c.Step = t.Step()
	}
	if t, ok := sim.blocks[0].kernel.(MassTuner); ok {
		c.InvMass = append([]float64(nil), t.InvMass()...)
	}
	return &c
}

// atWalker completes a DivergedError that a kernel returned.
func atWalker(err error, lo, step int) error {
	var d *ebmkit.DivergedError
	if !errors.As(err, &d) {
		return err
	}
	e := *d
	e.Walker += lo
	e.Step = step
	return &e
}
