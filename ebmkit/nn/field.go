package nn

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// FieldConfig describes a Field.
type FieldConfig struct {
	Dim    int        // d
	Hidden []int      // widths of the hidden layers, which may be none
	Act    Activation // of the hidden layers; the output has none
	// Freqs are the frequencies of the time embedding, in periods per unit of t.
	// nil gives the network t itself.
	Freqs     []float64
	Precision Precision
	Seed      uint64
}

// OctaveFreqs returns n frequencies for the time embedding, 1/4 and its
// doublings: over 0 <= t <= 1 the slowest pair does not repeat and tells all
// times apart, the others resolve finer steps.
func OctaveFreqs(n int) []float64 {
	f := make([]float64, n)
	for k := range f {
		f[k] = math.Ldexp(0.25, k)
	}
	return f
}

// Field is a network as a time-dependent vector field f_theta(x, t) of R^d, an
// ebmkit.Field: a score network, a velocity, a denoiser. The network gets
//
//	(x, t)   or   (x, sin 2 pi w_1 t, cos 2 pi w_1 t, sin 2 pi w_2 t, ..)
//
// and returns d numbers. Times are given one for all rows or one for each.
//
// A Field is safe for concurrent use, SetParams excepted. Methods panic on a
// wrong length.
type Field struct {
	cfg  FieldConfig
	net  *MLP
	work pool[fieldWork]
}

var _ ebmkit.Field = (*Field)(nil)

// NewField returns a field with random parameters (see NewMLP). It returns
// *ebmkit.ArgError if Dim or a width is not positive, a frequency is not finite
// or an activation or precision is unknown.
func NewField(cfg FieldConfig) (*Field, error) {
	sizes, err := cfg.sizes("nn.NewField")
	if err != nil {
		return nil, err
	}
	net, err := NewMLP(Config{Sizes: sizes, Act: cfg.Act, Precision: cfg.Precision, Seed: cfg.Seed})
	if err != nil {
		err.(*ebmkit.ArgError).Func = "nn.NewField"
		return nil, err
	}
	return newField(cfg, net), nil
}

func (c *FieldConfig) sizes(fn string) ([]int, error) {
	if c.Dim < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Dim", Value: c.Dim, Want: "at least 1"}
	}
	for k, w := range c.Freqs {
		if !(math.Abs(w) <= 1e15) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Freqs[%d]", k), Value: w, Want: "a finite number of periods per unit of time, at most 1e15"}
		}
	}
	return append(append([]int{c.Dim + c.times()}, c.Hidden...), c.Dim), nil
}

// times returns how many numbers stand for the time.
func (c *FieldConfig) times() int {
	if c.Freqs == nil {
		return 1
	}
	return 2 * len(c.Freqs)
}

func newField(cfg FieldConfig, net *MLP) *Field {
	cfg.Hidden, cfg.Freqs = slices.Clone(cfg.Hidden), slices.Clone(cfg.Freqs)
	f := &Field{cfg: cfg, net: net}
	f.work.make = func() *fieldWork { return newFieldWork(f) }
	return f
}

// Config returns the description of the field.
func (f *Field) Config() FieldConfig {
	c := f.cfg
	c.Hidden, c.Freqs = slices.Clone(c.Hidden), slices.Clone(c.Freqs)
	return c
}

// Net returns the network, whose inputs are x and the embedding of t.
func (f *Field) Net() *MLP { return f.net }

// Dim returns d.
func (f *Field) Dim() int { return f.cfg.Dim }

// NumParams returns the number of parameters.
func (f *Field) NumParams() int { return f.net.NumParams() }

// Params is MLP.Params of the network.
func (f *Field) Params(dst []float64) []float64 { return f.net.Params(dst) }

// SetParams is MLP.SetParams of the network.
func (f *Field) SetParams(theta []float64) error { return f.net.SetParams(theta) }

// At writes f(x_i, t) for every row of xs into dst, of the shape of xs.
func (f *Field) At(dst []float64, t float64, xs []float64) {
	wantLen(len(dst), len(xs), "dst")
	w := f.work.take()
	defer f.work.give(w)
	w.embed(w.time, t)
	w.pass.run.values(dst, xs, w.time)
}

// AtTimes is At with the time ts[i] of row i.
func (f *Field) AtTimes(dst, ts, xs []float64) {
	wantLen(len(dst), len(xs), "dst")
	w := f.work.take()
	defer f.work.give(w)
	w.inputsAt(xs, ts)
	w.pass.Values(dst, w.in)
}

// AddParamGrad accumulates the transposed derivative in theta,
//
//	dst[k] += sum_i dy_i . df(x_i, t_i)/dtheta_k,
//
// for one cotangent dy_i per row (dy has the shape of xs).
func (f *Field) AddParamGrad(dst, dy, ts, xs []float64) {
	wantLen(len(dst), f.NumParams(), "dst")
	wantLen(len(dy), len(xs), "dy")
	w := f.work.take()
	defer f.work.give(w)
	w.inputsAt(xs, ts)
	w.dy = dy
	w.pass.Grad(dst, nil, w.in, w.given)
	w.dy = nil
}

// AddLossGrad returns the weighted squares
//
//	L = sum_i w_i |f(x_i, t_i) - y_i|^2
//
// and accumulates dL/dtheta into dst, unless it is nil. w nil means all ones;
// 1/n makes L a mean. With y = -z/sigma_t this is denoising score matching,
// review eq. (57), and with other targets the losses of eq. (68) and (69).
func (f *Field) AddLossGrad(dst, w, ys, ts, xs []float64) float64 {
	n := countRows(len(xs), f.Dim(), "xs")
	wantLen(len(ys), len(xs), "ys")
	if dst != nil {
		wantLen(len(dst), f.NumParams(), "dst")
	}
	if w != nil {
		wantLen(len(w), n, "w")
	}
	k := f.work.take()
	defer f.work.give(k)
	k.inputsAt(xs, ts)
	k.rows(n)
	k.w, k.target = w, ys
	k.pass.Grad(dst, nil, k.in, k.squares)
	k.w, k.target = nil, nil
	var sum float64
	for _, v := range k.row[:n] {
		sum += v
	}
	return sum
}

// Divergence writes the trace of the derivative in x,
//
//	div_i = sum_j df_j/dx_j (x_i, t),
//
// exactly, by d derivatives forward through the network.
func (f *Field) Divergence(div []float64, t float64, xs []float64) {
	n := countRows(len(xs), f.Dim(), "xs")
	wantLen(len(div), n, "div")
	w := f.work.take()
	defer f.work.give(w)
	w.inputs(xs, t)
	clear(div)
	d := f.Dim()
	w.out = div
	for j := range d {
		clear(w.dir)
		for i := j; i < len(w.dir); i += d + f.cfg.times() {
			w.dir[i] = 1
		}
		w.axis = j
		w.pass.run.jet(1, nil, w.in, w.dir, w.trace)
	}
	w.out = nil
}

// Probe writes v_i' J v_i with the derivative J = df/dx at (x_i, t), one probe
// v_i per row: its mean over probes with E v v' = 1 is the divergence
// (Hutchinson).
func (f *Field) Probe(vjv []float64, t float64, v, xs []float64) {
	n := countRows(len(xs), f.Dim(), "xs")
	wantLen(len(vjv), n, "vjv")
	wantLen(len(v), len(xs), "v")
	w := f.work.take()
	defer f.work.give(w)
	w.inputs(xs, t)
	w.directions(v)
	w.out, w.dy = vjv, v
	w.pass.run.jet(1, nil, w.in, w.dir, w.probe)
	w.out, w.dy = nil, nil
}

// AddProbeParamGrad accumulates
//
//	dst[k] += sum_i w_i d/dtheta_k [ v_i' J_i v_i ],   J_i = df/dx (x_i, t_i).
//
// w nil means all ones. With AddParamGrad of dy = f it is the gradient of
// sliced score matching for a score network; with v running over the axes, of
// implicit score matching, review eq. (54).
func (f *Field) AddProbeParamGrad(dst, w, v, ts, xs []float64) {
	n := countRows(len(xs), f.Dim(), "xs")
	wantLen(len(dst), f.NumParams(), "dst")
	wantLen(len(v), len(xs), "v")
	if w != nil {
		wantLen(len(w), n, "w")
	}
	k := f.work.take()
	defer f.work.give(k)
	k.inputsAt(xs, ts)
	k.directions(v)
	k.w, k.dy = w, v
	k.pass.run.jet(1, dst, k.in, k.dir, k.probeBack)
	k.w, k.dy = nil, nil
}

// fieldWork is the scratch of one call.
type fieldWork struct {
	f       *Field
	pass    *Pass[float64]
	in, dir []float64 // inputs of the network, and directions
	row     []float64 // one number per row
	time    []float64 // embedding of one time

	out, dy, w, target []float64
	axis               int

	given, squares          func(dy, y []float64, lo int)
	trace, probe, probeBack func(j *jet[float64], lo int)
}

func newFieldWork(f *Field) *fieldWork {
	k := &fieldWork{f: f, pass: f.net.NewPass(), time: make([]float64, f.cfg.times())}
	d := f.cfg.Dim
	k.given = func(dy, _ []float64, lo int) { copy(dy, k.dy[lo*d:]) }
	k.squares = func(dy, y []float64, lo int) {
		for i := range len(y) / d {
			w := 1.0
			if k.w != nil {
				w = k.w[lo+i]
			}
			var s float64
			for j := i * d; j < (i+1)*d; j++ {
				e := y[j] - k.target[lo*d+j]
				s += e * e
				dy[j] = 2 * w * e
			}
			k.row[lo+i] = w * s
		}
	}
	k.trace = func(j *jet[float64], lo int) {
		for i := range j.rows {
			k.out[lo+i] += j.y[1][i*d+k.axis]
		}
	}
	k.probe = func(j *jet[float64], lo int) {
		for i := range j.rows {
			var s float64
			for q := i * d; q < (i+1)*d; q++ {
				s += j.y[1][q] * k.dy[lo*d+q]
			}
			k.out[lo+i] = s
		}
	}
	k.probeBack = func(j *jet[float64], lo int) {
		for i := range j.rows {
			w := 1.0
			if k.w != nil {
				w = k.w[lo+i]
			}
			for q := i * d; q < (i+1)*d; q++ {
				j.c[1][q] = w * k.dy[lo*d+q]
			}
		}
	}
	return k
}

// grown returns v with length n, in its memory if it is large enough.
func grown(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n)
	}
	return v[:n]
}

func (k *fieldWork) rows(n int) { k.row = grown(k.row, n) }

// inputs fills in with the rows of xs and the embedding of t.
func (k *fieldWork) inputs(xs []float64, t float64) {
	d, e := k.room(xs)
	if len(xs) == 0 {
		return
	}
	k.embed(k.in[d:d+e], t)
	for i := range len(xs) / d {
		row := k.in[i*(d+e) : (i+1)*(d+e)]
		copy(row[:d], xs[i*d:])
		if i > 0 {
			copy(row[d:], k.in[d:d+e])
		}
	}
}

// inputsAt is inputs with a time for each row.
func (k *fieldWork) inputsAt(xs, ts []float64) {
	d, e := k.room(xs)
	wantLen(len(ts), len(xs)/d, "ts")
	for i, t := range ts {
		row := k.in[i*(d+e) : (i+1)*(d+e)]
		copy(row[:d], xs[i*d:])
		k.embed(row[d:], t)
	}
}

// room makes in and dir large enough and returns the widths of x and of t.
func (k *fieldWork) room(xs []float64) (d, e int) {
	d, e = k.f.cfg.Dim, k.f.cfg.times()
	n := countRows(len(xs), d, "xs")
	k.in, k.dir = grown(k.in, n*(d+e)), grown(k.dir, n*(d+e))
	return d, e
}

func (k *fieldWork) embed(dst []float64, t float64) {
	if k.f.cfg.Freqs == nil {
		dst[0] = t
		return
	}
	for j, w := range k.f.cfg.Freqs {
		dst[2*j], dst[2*j+1] = vmath.SinCos2Pi(w * t)
	}
}

// directions fills dir with the rows of v, which leave the time alone.
func (k *fieldWork) directions(v []float64) {
	d, e := k.f.cfg.Dim, k.f.cfg.times()
	clear(k.dir)
	for i := range len(v) / d {
		copy(k.dir[i*(d+e):], v[i*d:(i+1)*d])
	}
}
