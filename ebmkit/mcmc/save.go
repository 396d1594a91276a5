package mcmc

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// saveVersion is the version of the layout of saved simulations and chains.
const saveVersion = 1

// Save writes the state of the simulation to an .npz file, from which Load
// continues with the same bits as if it had not been interrupted, also in the
// middle of Burn. It must not be called while Run runs. It returns
// *ebmkit.ArgError, and leaves path as it was, if path cannot be written.
func (sim *Simulation) Save(path string) error {
	n, d, nb := sim.ens.N, sim.ens.Dim, len(sim.blocks)
	u := make([]float64, n)
	ebmkit.NewEvaluator(sim.target).EnergyGrad(u, nil, sim.ens.X)
	f := &store.File{Kind: "mcmc.Simulation", Version: saveVersion, Config: sim.identity()}
	f.Config["step"] = strconv.Itoa(sim.step)
	add := func(name string, v []float64, shape ...int) {
		if v != nil {
			f.Arrays = append(f.Arrays, store.Array{Name: name, Shape: shape, Data: v})
		}
	}
	add("x", sim.ens.X, n, d)
	add("energy", u, n)
	add("u", sim.ens.U, n)
	add("grad", sim.ens.Grad, n, d)
	add("v", sim.ens.V, n, d)

	var streams []uint8
	var prob, steps, inv, dual, moments []float64
	counts := make([]int64, 0, nb*countFields)
	for i := range sim.blocks {
		b := &sim.blocks[i]
		s, err := b.stream.MarshalBinary()
		if err != nil {
			return err
		}
		streams = append(streams, s...)
		counts = append(counts, int64(b.done), int64(b.info.Evals), int64(b.info.Divergent), int64(b.info.NonFinite), int64(b.info.TreeLimit))
		prob = append(prob, b.prob...)
		if b.prob == nil && sim.counting() { // this block is still at the end of Burn
			prob = append(prob, make([]float64, b.hi-b.lo)...)
		}
		if t, ok := b.kernel.(Tuner); ok {
			steps = append(steps, t.Step())
		}
		if t, ok := b.kernel.(MassTuner); ok {
			inv = append(inv, t.InvMass()...)
		}
		if b.dual != nil && sim.adapt != nil {
			for _, v := range b.dual.state() {
				dual = append(dual, *v)
			}
			moments = append(append(moments, b.dual.mean...), b.dual.m2...)
		}
	}
	f.Arrays = append(f.Arrays,
		store.Array{Name: "streams", Shape: []int{nb, len(streams) / nb}, Data: streams},
		store.Array{Name: "counts", Shape: []int{nb, countFields}, Data: counts})
	add("prob", prob, n)
	add("steps", steps, nb)
	add("inv_mass", inv, nb, d)
	add("dual", dual, nb, len(dual)/nb)
	add("moments", moments, nb, 2, d)
	add("chain_x", sim.chain.X, sim.chain.Draws, n, d)
	add("chain_u", sim.chain.U, sim.chain.Draws, n)
	add("chain_h", sim.chain.H, sim.chain.Draws, n)
	return store.Save(path, f)
}

// counting reports whether some block has counted acceptance probabilities.
func (sim *Simulation) counting() bool {
	for i := range sim.blocks {
		if sim.blocks[i].prob != nil {
			return true
		}
	}
	return false
}

// countFields is the number of integers kept per block.
const countFields = 5

// state lists what dual averaging remembers.
func (d *dual) state() []*float64 {
	return []*float64{&d.mu, &d.t, &d.hbar, &d.logBar, &d.step, &d.n}
}

// identity says what a saved state belongs to.
func (sim *Simulation) identity() map[string]string {
	c := &sim.cfg
	return map[string]string{
		"method":  fmt.Sprintf("%T%v", sim.method, sim.method),
		"dim":     strconv.Itoa(sim.target.Dim()),
		"walkers": strconv.Itoa(c.Walkers),
		"burn":    strconv.Itoa(c.Burn),
		"draws":   strconv.Itoa(c.Draws),
		"thin":    strconv.Itoa(c.Thin),
		"seed":    strconv.FormatUint(c.Seed, 10),
		"adapt":   strconv.FormatBool(c.Adapt),
	}
}

// Load returns the simulation that Save wrote to path, for the same target,
// method and configuration (Init, which is behind it, and Progress are free).
// It returns *ebmkit.ArgError if the file is damaged or not a simulation, or
// was made with another method or configuration, another dimension, or a target
// that has other energies at the saved states.
func Load(path string, target ebmkit.Energy, m Method, cfg Config) (*Simulation, error) {
	const fn = "mcmc.Load"
	f, err := store.Load(path, "mcmc.Simulation", saveVersion)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "m", Value: nil, Want: "the method that was saved"}
	}
	if cfg, err = cfg.checked(fn, target); err != nil {
		return nil, err
	}
	sim := &Simulation{target: target, method: m, cfg: cfg}
	for key, now := range sim.identity() {
		if was := f.Config[key]; was != now {
			return nil, &ebmkit.ArgError{Func: fn, Arg: key, Value: now, Want: was + ", as saved in " + path}
		}
	}
	r := reader{f: f, path: path}
	n, d := cfg.Walkers, target.Dim()
	sim.ens = &ebmkit.Ensemble{N: n, Dim: d, X: r.floats("x", n*d, true), U: r.floats("u", n, false),
		Grad: r.floats("grad", n*d, false), V: r.floats("v", n*d, false)}
	was := r.floats("energy", n, true)
	if r.err != nil {
		return nil, r.err
	}
	now := make([]float64, n)
	ebmkit.NewEvaluator(target).EnergyGrad(now, nil, sim.ens.X)
	for i := range now {
		if !(math.Abs(now[i]-was[i]) <= 1e-9*(1+math.Abs(was[i]))) && math.Float64bits(now[i]) != math.Float64bits(was[i]) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "target", Value: fmt.Sprintf("an energy with U = %g at walker %d", now[i], i),
				Want: fmt.Sprintf("one with %g there, as saved in %s", was[i], path)}
		}
	}
	if err := sim.bind(); err != nil {
		return nil, err
	}
	if err := sim.restore(&r); err != nil {
		return nil, err
	}
	return sim, nil
}

// restore puts the saved state into the blocks and the chain.
func (sim *Simulation) restore(r *reader) error {
	n, d, nb := sim.ens.N, sim.ens.Dim, len(sim.blocks)
	streams := r.bytes("streams", nb)
	counts := r.ints("counts", nb*countFields)
	prob := r.floats("prob", n, false)
	step, err := strconv.Atoi(r.f.Config["step"])
	if err != nil || step < 0 || step > sim.cfg.Burn+sim.cfg.Draws*sim.cfg.Thin {
		return &ebmkit.ArgError{Func: "mcmc.Load", Arg: r.path, Value: "step " + r.f.Config["step"], Want: "a step of the configuration"}
	}
	sim.step = step
	_, tuned := sim.blocks[0].kernel.(Tuner)
	_, massive := sim.blocks[0].kernel.(MassTuner)
	steps, inv := r.floats("steps", nb, tuned), r.floats("inv_mass", nb*d, massive)
	if r.err != nil {
		return r.err
	}
	per := len(streams) / nb
	for i := range sim.blocks {
		b := &sim.blocks[i]
		if err := b.stream.UnmarshalBinary(streams[i*per : (i+1)*per]); err != nil {
			return err
		}
		c := counts[i*countFields : (i+1)*countFields]
		b.done = int(c[0])
		b.info = Info{Evals: int(c[1]), Divergent: int(c[2]), NonFinite: int(c[3]), TreeLimit: int(c[4])}
		if prob != nil {
			b.prob = prob[b.lo:b.hi]
		}
		if tuned {
			b.kernel.(Tuner).SetStep(steps[i])
		}
		if massive {
			b.kernel.(MassTuner).SetInvMass(inv[i*d : (i+1)*d])
		}
	}
	if sim.cfg.Adapt && step < sim.cfg.Burn {
		if sim.adapt, err = newAdaptation(sim); err != nil {
			return err
		}
		width := len(sim.blocks[0].dual.state())
		dual, moments := r.floats("dual", nb*width, true), r.floats("moments", nb*2*d, massive)
		if r.err != nil {
			return r.err
		}
		for i := range sim.blocks {
			b := &sim.blocks[i]
			for j, v := range b.dual.state() {
				*v = dual[i*width+j]
			}
			if massive {
				copy(b.dual.mean, moments[2*i*d:])
				copy(b.dual.m2, moments[(2*i+1)*d:])
			}
		}
	}
	if err := sim.allocate(); err != nil {
		return err
	}
	rows := sim.cfg.Draws * n
	copy(sim.chain.X, r.floats("chain_x", rows*d, true))
	copy(sim.chain.U, r.floats("chain_u", rows, sim.chain.U != nil))
	copy(sim.chain.H, r.floats("chain_h", rows, sim.chain.H != nil))
	return r.err
}

// reader takes arrays out of a file and keeps the first error.
type reader struct {
	f    *store.File
	path string
	err  error
}

func (r *reader) fail(name string, got any, want string) {
	if r.err == nil {
		r.err = &ebmkit.ArgError{Func: "mcmc.Load", Arg: r.path, Value: fmt.Sprintf("array %s: %v", name, got), Want: want}
	}
}

// floats returns an array of n numbers; nil if it is absent and not needed.
func (r *reader) floats(name string, n int, need bool) []float64 {
	a := r.f.Array(name)
	if a == nil {
		if need {
			r.fail(name, "none", "what Save writes")
		}
		return nil
	}
	v, ok := a.Data.([]float64)
	if !ok || len(v) != n {
		r.fail(name, a.Shape, fmt.Sprintf("%d float64", n))
		return nil
	}
	return v
}

func (r *reader) ints(name string, n int) []int64 {
	if a := r.f.Array(name); a != nil {
		if v, ok := a.Data.([]int64); ok && len(v) == n {
			return v
		}
	}
	r.fail(name, "wrong or none", fmt.Sprintf("%d int64", n))
	return make([]int64, n)
}

func (r *reader) bytes(name string, rows int) []uint8 {
	if a := r.f.Array(name); a != nil {
		if v, ok := a.Data.([]uint8); ok && len(a.Shape) == 2 && a.Shape[0] == rows {
			return v
		}
	}
	r.fail(name, "wrong or none", fmt.Sprintf("uint8 in %d rows", rows))
	return nil
}
