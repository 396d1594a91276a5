package train

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// checkpointKind and checkpointVersion name the layout of the file.
const (
	checkpointKind    = "train.Trainer"
	checkpointVersion = 1
)

// probeRows is the number of data rows at which a checkpoint remembers the
// model.
const probeRows = 8

// Save writes a checkpoint from which Load goes on with the same bits:
// parameters, optimiser, walkers, streams, history, path and step. The file is
// replaced as a whole (written under another name, synced, renamed): whenever
// the program is killed, either the old checkpoint or the new one is there. It
// returns *ebmkit.ArgError, and leaves path as it was, if it cannot be written,
// and the reason why training stopped if it had: a run that failed is not saved
// over one that did not.
func (t *Trainer) Save(path string) error {
	if t.failed != nil {
		return t.failed
	}
	state := t.bound.State()
	f := &store.File{Kind: checkpointKind, Version: checkpointVersion, Config: t.identity(state)}
	f.Config["step"] = strconv.Itoa(t.step)
	f.Arrays = append(f.Arrays, store.Vector("theta", t.theta), store.Vector("good", t.good),
		store.Matrix("history", len(t.history), recordFields, flatten(t.history)))
	if probe := t.probe(); probe != nil {
		f.Arrays = append(f.Arrays, store.Vector("probe", probe))
	}
	if t.cfg.KeepPath {
		p := t.model.NumParams()
		f.Arrays = append(f.Arrays, store.Matrix("path", len(t.path)/p, p, t.path))
	}
	for _, a := range state.Arrays {
		f.Arrays = append(f.Arrays, store.Vector("objective/"+a.Name, a.Data))
	}
	if len(state.Streams) > 0 {
		var all []uint8
		for _, s := range state.Streams {
			b, err := s.MarshalBinary()
			if err != nil {
				return err
			}
			all = append(all, b...)
		}
		f.Arrays = append(f.Arrays, store.Array{Name: "streams", Shape: []int{len(state.Streams), len(all) / len(state.Streams)}, Data: all})
	}
	for _, a := range t.opt.State() {
		a.Name = "optimizer/" + a.Name
		f.Arrays = append(f.Arrays, a)
	}
	return store.Save(path, f)
}

// Load makes a trainer that New has just made, with the same model, data,
// objective, kind of optimiser and configuration as the saved one (Checkpoint,
// Hooks, Progress and the constants of the optimiser are free), go on where Save
// was called. It returns *ebmkit.ArgError, and changes nothing, if the file is
// damaged or is not a checkpoint, or belongs to another model, data set,
// objective or configuration; a missing file also matches os.ErrNotExist.
func (t *Trainer) Load(path string) error {
	const fn = "train.Trainer.Load"
	f, err := store.Load(path, checkpointKind, checkpointVersion)
	if err != nil {
		return err
	}
	state := t.bound.State()
	// In a fixed order, so that the error is always the same one.
	now := t.identity(state)
	for _, key := range identityKeys {
		if was := f.Config[key]; was != now[key] {
			return &ebmkit.ArgError{Func: fn, Arg: key, Value: now[key], Want: was + ", as saved in " + path}
		}
	}
	r := &reader{f: f, path: path}
	step := r.number("step")
	theta, good := r.floats("theta", len(t.theta)), r.floats("good", len(t.theta))
	history := r.floats("history", step*recordFields)
	p := t.model.NumParams()
	var walk []float64
	if t.cfg.KeepPath {
		walk = r.floats("path", (step+1)*p)
	}
	arrays := make([][]float64, len(state.Arrays))
	for i, a := range state.Arrays {
		arrays[i] = r.floats("objective/"+a.Name, len(a.Data))
	}
	streams := r.streams(len(state.Streams))
	var opt []store.Array
	for _, a := range f.Arrays {
		if name, ok := cutPrefix(a.Name, "optimizer/"); ok {
			a.Name = name
			opt = append(opt, a)
		}
	}
	if r.err != nil {
		return r.err
	}
	before := t.model.Params(nil)
	if err := t.model.SetParams(theta[:p]); err != nil {
		return err
	}
	if err := t.sameModel(r); err != nil {
		t.model.SetParams(before)
		return err
	}
	if err := t.opt.SetState(opt); err != nil {
		t.model.SetParams(before)
		return err
	}
	// All is well: from here on nothing fails.
	copy(t.theta, theta)
	copy(t.good, good)
	copy(t.extra, theta[p:])
	t.step, t.failed, t.epoch = step, nil, -1
	t.history = unflatten(history)
	t.path = walk
	for i, a := range state.Arrays {
		copy(a.Data, arrays[i])
	}
	for i, s := range state.Streams {
		b, _ := streams[i].MarshalBinary()
		s.UnmarshalBinary(b)
	}
	return nil
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || s[:len(prefix)] != prefix {
		return s, false
	}
	return s[len(prefix):], true
}

var identityKeys = []string{"model", "parameters", "dim", "data", "objective", "optimizer", "seed", "batch", "clip", "path"}

// identity says what a checkpoint belongs to.
func (t *Trainer) identity(s State) map[string]string {
	return map[string]string{
		"model":      ebmkit.TypeName(t.model),
		"parameters": strconv.Itoa(t.model.NumParams()),
		"dim":        strconv.Itoa(t.model.Dim()),
		"data":       fmt.Sprintf("%d rows, hash %016x", t.data.N, t.dataHash()),
		"objective":  s.Identity,
		"optimizer":  ebmkit.TypeName(t.opt),
		"seed":       strconv.FormatUint(t.cfg.Seed, 10),
		"batch":      strconv.Itoa(t.cfg.Batch),
		"clip":       strconv.FormatFloat(t.cfg.Clip, 'g', -1, 64),
		"path":       strconv.FormatBool(t.cfg.KeepPath),
	}
}

// dataHash mixes the bits of the data, in order.
func (t *Trainer) dataHash() uint64 {
	if t.hash == 0 {
		h := uint64(0xcbf29ce484222325)
		for _, v := range t.data.X {
			h = (h ^ math.Float64bits(v)) * 0x9e3779b97f4a7c15
			h ^= h >> 29
		}
		t.hash = h | 1
	}
	return t.hash
}

// probe returns the model at the first rows of the data: U for an energy, the
// first numbers of a field. nil for a model that is neither.
func (t *Trainer) probe() []float64 {
	n := min(probeRows, t.data.N)
	x := t.data.X[:n*t.data.Dim]
	switch m := t.model.(type) {
	case ebmkit.Energy:
		u := make([]float64, n)
		ebmkit.NewEvaluator(m).EnergyGrad(u, nil, x)
		return u
	case ebmkit.Field:
		v := make([]float64, len(x))
		m.At(v, 0, x)
		return v
	}
	return nil
}

// sameModel compares the model, at the saved parameters, with what it was:
// another one may have as many parameters.
func (t *Trainer) sameModel(r *reader) error {
	now := t.probe()
	if now == nil {
		return nil
	}
	was := r.floats("probe", len(now))
	if r.err != nil {
		return r.err
	}
	for i, v := range now {
		if !(math.Abs(v-was[i]) <= 1e-6*(1+math.Abs(was[i]))) && math.Float64bits(v) != math.Float64bits(was[i]) {
			return &ebmkit.ArgError{Func: "train.Trainer.Load", Arg: "model", Value: fmt.Sprintf("one with the value %g at a row of the data", v),
				Want: fmt.Sprintf("the one that has %g there with the saved parameters, as in %s", was[i], r.path)}
		}
	}
	return nil
}

const recordFields = 9

func flatten(h []Record) []float64 {
	v := make([]float64, 0, len(h)*recordFields)
	for _, r := range h {
		resampled := 0.0
		if r.Resampled {
			resampled = 1
		}
		v = append(v, float64(r.Step), r.Loss, r.GradNorm, r.DataEnergy, r.WalkerEnergy, r.Accept, r.ESS, r.LogZ, resampled)
	}
	return v
}

func unflatten(v []float64) []Record {
	h := make([]Record, len(v)/recordFields)
	for i := range h {
		r := v[i*recordFields:]
		h[i] = Record{int(r[0]), r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8] != 0}
	}
	return h
}

// reader takes arrays out of a checkpoint and keeps the first error.
type reader struct {
	f    *store.File
	path string
	err  error
}

func (r *reader) fail(what string, got any, want string) {
	if r.err == nil {
		r.err = &ebmkit.ArgError{Func: "train.Trainer.Load", Arg: r.path, Value: fmt.Sprintf("%s: %v", what, got), Want: want}
	}
}

func (r *reader) number(key string) int {
	n, err := strconv.Atoi(r.f.Config[key])
	if err != nil || n < 0 || n > 1<<40 {
		r.fail(key, r.f.Config[key], "a number")
		return 0
	}
	return n
}

// floats returns an array of n numbers, nil after an error.
func (r *reader) floats(name string, n int) []float64 {
	v, _, err := r.f.Float64s(name)
	if err != nil || len(v) != n {
		r.fail("array "+name, fmt.Sprintf("%d numbers", len(v)), fmt.Sprintf("%d float64", n))
		return nil
	}
	return v
}

func (r *reader) streams(n int) []*ebmkit.Stream {
	if n == 0 {
		return nil
	}
	out := make([]*ebmkit.Stream, n)
	for i := range out {
		out[i] = new(ebmkit.Stream)
	}
	a := r.f.Array("streams")
	if a == nil || len(a.Shape) != 2 || a.Shape[0] != n {
		r.fail("array streams", "wrong or none", fmt.Sprintf("%d streams", n))
		return out
	}
	b, ok := a.Data.([]uint8)
	if !ok {
		r.fail("array streams", ebmkit.TypeName(a.Data), "uint8")
		return out
	}
	per := len(b) / n
	for i, s := range out {
		if err := s.UnmarshalBinary(b[i*per : (i+1)*per]); err != nil && r.err == nil {
			r.err = err
		}
	}
	return out
}
