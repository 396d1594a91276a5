package flow

import (
	"fmt"
	"math"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// blockRows is the number of rows that go through all layers together.
const blockRows = ebmkit.BlockRows

// Base is the density of the noise z. energy.Mixture and the Gaussians of
// package energy are bases.
type Base interface {
	ebmkit.Normalized
	ebmkit.Differentiable
	ebmkit.Sampler
}

// Config describes a flow.
type Config struct {
	Dim    int
	Layers []Layer // f_1, .., f_L: from data to noise, the first meets the data
	Base   Base    // density of the noise; nil: standard normal
	// Precision of the networks inside couplings. Float32 is the default.
	Precision nn.Precision
	Seed      uint64 // of parameters that start random
}

// Flow is a density made of an invertible map and a base density, as an energy:
//
//	U(x) = -log rho_Z(f(x)) - log |det J f(x)|,   f = phi^-1,   log Z = 0.
//
// Its parameters are those of its layers, one after another. It is safe for
// concurrent use, SetParams and Standardize excepted.
type Flow struct {
	dim      int
	base     Base // nil: standard normal
	layers   []layer
	at, raw  []int // where parameters, and raw gradients, of layer i begin
	theta    []float64
	float32s bool
	kinds    []string
	work     pool[runner]
	benches  pool[bench]
}

var (
	_ ebmkit.Differentiable = (*Flow)(nil)
	_ ebmkit.Batched        = (*Flow)(nil)
	_ ebmkit.Normalized     = (*Flow)(nil)
	_ ebmkit.Sampler        = (*Flow)(nil)
	_ ebmkit.Parametric     = (*Flow)(nil)
)

// New returns a flow. Couplings and ActNorm start as the identity, Linear as a
// random rotation, the others near the identity, unless their fields say
// otherwise. It returns *ebmkit.ArgError, with the number of the layer, if Dim
// is not positive, there is no layer, a size does not fit, a number is not
// finite, a layer would not be invertible, or the base has another dimension or
// no gradient.
func New(cfg Config) (*Flow, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: "flow.New", Arg: arg, Value: value, Want: want}
	}
	if cfg.Dim < 1 || cfg.Dim > 1<<16 {
		return nil, bad("Dim", cfg.Dim, "between 1 and 65536")
	}
	if len(cfg.Layers) == 0 {
		return nil, bad("Layers", "none", "at least one layer")
	}
	if cfg.Precision != nn.Float32 && cfg.Precision != nn.Float64 {
		return nil, bad("Precision", cfg.Precision, "Float32 or Float64")
	}
	if cfg.Base != nil {
		if cfg.Base.Dim() != cfg.Dim {
			return nil, bad("Base.Dim()", cfg.Base.Dim(), fmt.Sprint(cfg.Dim))
		}
		if _, err := ebmkit.Gradient("flow.New", "Base", cfg.Base); err != nil {
			return nil, err
		}
	}
	f := &Flow{dim: cfg.Dim, base: cfg.Base, float32s: cfg.Precision == nn.Float32, at: []int{0}, raw: []int{0}}
	seeds := ebmkit.NewStream(cfg.Seed, "flow", 0)
	for i, description := range cfg.Layers {
		name := fmt.Sprintf("Layers[%d]", i)
		if description == nil {
			return nil, bad(name, nil, "Planar, Radial, Coupling, ActNorm or Linear")
		}
		l, theta, err := description.build(&builder{name: name, dim: cfg.Dim, precision: cfg.Precision, seed: seeds.Uint64()})
		if err != nil {
			return nil, err
		}
		if value, want := l.check(theta); want != "" {
			return nil, bad(name, value, want)
		}
		l.set(theta)
		f.layers = append(f.layers, l)
		f.theta = append(f.theta, theta...)
		f.at = append(f.at, len(f.theta))
		f.raw = append(f.raw, f.raw[i]+l.numRaw())
		f.kinds = append(f.kinds, strings.TrimPrefix(strings.TrimPrefix(ebmkit.TypeName(description), "*"), "flow."))
	}
	f.work.make = func() *runner { return newRunner(f) }
	f.benches.make = func() *bench { return newBench(f) }
	return f, nil
}

// Dim returns d.
func (f *Flow) Dim() int { return f.dim }

// Layers returns the number L of layers.
func (f *Flow) Layers() int { return len(f.layers) }

// String names dimension, layers and parameters.
func (f *Flow) String() string {
	s := fmt.Sprintf("flow.Flow(d = %d, %d parameters:", f.dim, len(f.theta))
	for i := 0; i < len(f.kinds); {
		n := 1
		for i+n < len(f.kinds) && f.kinds[i+n] == f.kinds[i] {
			n++
		}
		s += " " + f.kinds[i]
		if n > 1 {
			s += fmt.Sprintf(" x %d", n)
		}
		i += n
	}
	return s + ")"
}

// LogZ returns 0: a flow is normalised whatever its parameters, if its base is.
func (f *Flow) LogZ() float64 { return 0 }

// Energy returns U(x) = -log rho(x). It panics if len(x) != Dim().
func (f *Flow) Energy(x []float64) float64 { return f.one(nil, x) }

// EnergyGrad writes dU/dx into grad and returns U(x). It panics on a wrong
// length.
func (f *Flow) EnergyGrad(grad, x []float64) float64 {
	if len(grad) != f.dim {
		panic("flow: Flow.EnergyGrad: len(grad) != Dim")
	}
	return f.one(grad, x)
}

func (f *Flow) one(grad, x []float64) float64 {
	if len(x) != f.dim {
		panic("flow: Flow.Energy: len(x) != Dim")
	}
	r := f.work.take()
	defer f.work.give(r)
	r.EnergyGrad(r.u1[:], grad, x)
	return r.u1[0]
}

// NewEvaluator returns an evaluator of many rows.
func (f *Flow) NewEvaluator() ebmkit.Evaluator { return newRunner(f) }

// LogDensity writes log rho(x_i) = -U(x_i) of every row of xs into dst (allocated
// if nil) and returns it. It panics on a wrong length.
func (f *Flow) LogDensity(dst, xs []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(xs)/f.dim)
	}
	r := f.work.take()
	defer f.work.give(r)
	r.EnergyGrad(dst, nil, xs)
	for i, u := range dst {
		dst[i] = -u
	}
	return dst
}

// Normalize writes z_i = phi^-1(x_i) for every row of xs into zs and log |det J
// phi^-1(x_i)| into logDet, which may be nil. zs may be xs. It panics on a wrong
// length.
func (f *Flow) Normalize(zs, logDet, xs []float64) { f.carry(true, zs, logDet, xs, nil, nil) }

// Generate writes x_i = phi(z_i) for every row of zs into xs and log |det J
// phi(z_i)| into logDet, which may be nil. xs may be zs. It panics on a wrong
// length.
func (f *Flow) Generate(xs, logDet, zs []float64) { f.carry(false, xs, logDet, zs, nil, nil) }

// NormalStages returns the rows of xs on their way to the base: element 0 is a
// copy of xs, element i the rows after the layers 1 to i, element L the z.
func (f *Flow) NormalStages(xs []float64) [][]float64 { return f.stages(true, xs) }

// Stages returns the rows of zs on their way to the data: element 0 is a copy of
// zs, element i the rows after the inverses of the last i layers, element L the
// x.
func (f *Flow) Stages(zs []float64) [][]float64 { return f.stages(false, zs) }

func (f *Flow) stages(normal bool, from []float64) [][]float64 {
	s := make([][]float64, len(f.layers)+1)
	for i := range s {
		s[i] = make([]float64, len(from))
	}
	copy(s[0], from)
	f.carry(normal, make([]float64, len(from)), nil, from, s, nil)
	return s
}

// NormalLogDets returns the factors of review eq. (74) at the rows of xs, as
// logarithms: element i is log |det J f_{i+1}| at the rows of element i of
// NormalStages. Their sum over i is the logDet of Normalize.
func (f *Flow) NormalLogDets(xs []float64) [][]float64 {
	s := make([][]float64, len(f.layers))
	for i := range s {
		s[i] = make([]float64, len(xs)/f.dim)
	}
	f.carry(true, make([]float64, len(xs)), nil, xs, nil, s)
	for i := len(s) - 1; i > 0; i-- {
		vmath.Sub(s[i], s[i], s[i-1])
	}
	return s
}

// NumericLogDets returns log |det J phi^-1(x_i)| for every row of xs by central
// differences of Normalize over the step h: the Jacobian has the entries
//
//	J_kj = [phi^-1(x + h e_j) - phi^-1(x - h e_j)]_k / (2h),
//
// and its determinant is found by elimination. It knows nothing of the formulas of
// the layers, which it is there to check, is -Inf where J is singular, and good to
// about h^2 and 1e-16/h: networks want nn.Float64. It panics if xs is not made of
// whole rows.
func (f *Flow) NumericLogDets(xs []float64, h float64) []float64 {
	d := f.dim
	n := len(xs) / d
	if n*d != len(xs) {
		panic("flow: Flow.NumericLogDets: len(xs) is not a multiple of Dim")
	}
	dst := make([]float64, n)
	near, jac, perm := make([]float64, 2*d*d), make([]float64, d*d), make([]int, d)
	for i := range dst {
		for j := range d {
			plus, minus := near[2*j*d:(2*j+1)*d], near[(2*j+1)*d:(2*j+2)*d]
			copy(plus, xs[i*d:])
			copy(minus, xs[i*d:])
			plus[j] += h
			minus[j] -= h
		}
		f.Normalize(near, nil, near)
		for j := range d {
			for k := range d {
				jac[k*d+j] = (near[2*j*d+k] - near[(2*j+1)*d+k]) / (2 * h)
			}
		}
		if eliminate(jac, perm, 0) < d {
			dst[i] = math.Inf(-1)
			continue
		}
		for k := range d {
			dst[i] += vmath.Log(math.Abs(jac[k*d+k]))
		}
	}
	return dst
}

// carry takes the rows of src through all layers. stages, if not nil, are filled
// with the rows after each layer, sums with log |det J| of the layers so far.
func (f *Flow) carry(normal bool, dst, logDet, src []float64, stages, sums [][]float64) {
	n := len(src) / f.dim
	if n*f.dim != len(src) || len(dst) != len(src) || logDet != nil && len(logDet) != n {
		panic("flow: Flow: the lengths of the slices do not fit")
	}
	r := f.work.take()
	defer f.work.give(r)
	r.carry(normal, dst, logDet, src, stages, sums)
}

// Sample writes one draw into dst: phi of a draw of the base. It panics if
// len(dst) != Dim(). Draw is faster for many.
func (f *Flow) Sample(dst []float64, s *ebmkit.Stream) {
	if len(dst) != f.dim {
		panic("flow: Flow.Sample: len(dst) != Dim")
	}
	f.sampleBase(dst, s)
	f.Generate(dst, nil, dst)
}

func (f *Flow) sampleBase(dst []float64, s *ebmkit.Stream) {
	if f.base != nil {
		f.base.Sample(dst, s)
		return
	}
	s.FillNormal(dst)
}

// Noise returns n draws of the base, the noise that Draw carries to the data. It
// returns *ebmkit.ArgError if n < 1.
func (f *Flow) Noise(n int, seed uint64) (*ebmkit.Ensemble, error) {
	e, err := ebmkit.NewEnsemble(n, f.dim)
	if err != nil {
		return nil, err
	}
	for lo := 0; lo < n; lo += blockRows {
		s := ebmkit.NewStream(seed, "draw", lo/blockRows)
		for i := lo; i < min(lo+blockRows, n); i++ {
			f.sampleBase(e.Row(i), s)
		}
	}
	return e, nil
}

// Draw returns n draws: what ebmkit.Draw(f, n, seed) returns, many rows at a
// time. Errors as Noise.
func (f *Flow) Draw(n int, seed uint64) (*ebmkit.Ensemble, error) {
	e, err := f.Noise(n, seed)
	if err != nil {
		return nil, err
	}
	f.Generate(e.X, nil, e.X)
	return e, nil
}

// NumParams returns the number of parameters.
func (f *Flow) NumParams() int { return len(f.theta) }

// Params copies theta into dst (allocated if nil) and returns it. It panics on a
// wrong length.
func (f *Flow) Params(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(f.theta))
	}
	if len(dst) != len(f.theta) {
		panic("flow: Flow.Params: len(dst) != NumParams")
	}
	copy(dst, f.theta)
	return dst
}

// LayerParams returns a copy of the parameters of layer i, from 0, which stand at
// offset in Params. It panics if there is no such layer.
func (f *Flow) LayerParams(i int) (theta []float64, offset int) {
	return append([]float64(nil), f.theta[f.at[i]:f.at[i+1]]...), f.at[i]
}

// SetParams copies theta into the flow. It returns *ebmkit.ArgError, and leaves
// the flow as it was, if theta has the wrong length, an entry that is not finite,
// or a layer that is not invertible in floating-point arithmetic.
func (f *Flow) SetParams(theta []float64) error {
	const fn = "flow.Flow.SetParams"
	if len(theta) != len(f.theta) {
		return &ebmkit.ArgError{Func: fn, Arg: "len(theta)", Value: len(theta), Want: fmt.Sprint(len(f.theta))}
	}
	plain := vmath.Dot(theta, theta) < math.MaxFloat32 // then all are finite
	for i, l := range f.layers {
		part := theta[f.at[i]:f.at[i+1]]
		if _, net := l.(*coupling); net && plain {
			continue
		}
		for k, v := range part {
			if v-v != 0 {
				return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("theta[%d]", f.at[i]+k), Value: v, Want: "a finite number"}
			}
		}
		if value, want := l.check(part); want != "" {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("layer %d, %s", i, f.kinds[i]), Value: value, Want: want}
		}
	}
	copy(f.theta, theta)
	r := f.work.take()
	loop(len(f.layers), r.setLayer)
	f.work.give(r)
	return nil
}

// AddParamGrad accumulates sum_i w_i dU/dtheta (x_i) into dst; w nil means all
// ones. It panics on a wrong length.
func (f *Flow) AddParamGrad(dst, w, xs []float64) { f.AddLossGrad(dst, w, xs) }

// AddLossGrad is AddParamGrad, and returns sum_i w_i U(x_i), which costs
// nothing more. With w = 1/n it is the mean of -log rho.
func (f *Flow) AddLossGrad(dst, w, xs []float64) float64 {
	n := len(xs) / f.dim
	switch {
	case n*f.dim != len(xs):
		panic("flow: Flow.AddParamGrad: len(xs) is not a multiple of Dim")
	case w != nil && len(w) != n:
		panic("flow: Flow.AddParamGrad: len(w) is not the number of rows")
	case len(dst) != len(f.theta):
		panic("flow: Flow.AddParamGrad: len(dst) != NumParams")
	}
	r := f.work.take()
	defer f.work.give(r)
	return r.addParamGrad(dst, w, xs)
}

// ExactLogZ and AddModelGrad tell train.Exact that the model's term of the
// gradient, E_theta[dU/dtheta] = -dlog Z/dtheta, is 0.
func (f *Flow) ExactLogZ() (float64, error) { return 0, nil }

// AddModelGrad adds w E_theta[dU/dtheta] = 0 to dst. See ExactLogZ.
func (f *Flow) AddModelGrad(dst []float64, w float64) error { return nil }

// Standardize goes through the layers with the rows of xs and sets every ActNorm
// so that what leaves it has mean 0 and standard deviation 1 in every
// coordinate: the start that Kingma and Dhariwal (2018) give it. It returns
// *ebmkit.ArgError, and changes nothing, if there is no ActNorm, xs is not made
// of at least two finite rows, or a coordinate that comes to an ActNorm is
// constant.
func (f *Flow) Standardize(xs []float64) error {
	const fn = "flow.Flow.Standardize"
	n := len(xs) / f.dim
	if n*f.dim != len(xs) || n < 2 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(xs)", Value: len(xs), Want: fmt.Sprintf("at least 2 rows of %d", f.dim)}
	}
	for i, v := range xs {
		if v-v != 0 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("xs[%d]", i), Value: v, Want: "a finite number"}
		}
	}
	was := f.Params(nil)
	theta := f.Params(nil)
	found := false
	for i, l := range f.layers {
		norm, ok := l.(*actNorm)
		if !ok {
			continue
		}
		found = true
		x := f.NormalStages(xs)[i]
		for j := range f.dim {
			var sum, ss float64
			for k := j; k < len(x); k += f.dim {
				sum += x[k]
			}
			mean := sum / float64(n)
			for k := j; k < len(x); k += f.dim {
				ss += (x[k] - mean) * (x[k] - mean)
			}
			sd := math.Sqrt(ss / float64(n))
			if !(sd > 1e-12*math.Abs(mean)) || !(sd > 1e-90) {
				f.SetParams(was)
				return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("coordinate %d before layer %d", j, i), Value: fmt.Sprintf("standard deviation %v", sd),
					Want: "a coordinate that varies: leave it out, or add noise to it"}
			}
			theta[f.at[i]+j] = -vmath.Log(sd)
			theta[f.at[i]+norm.d+j] = -mean / sd
		}
		if err := f.SetParams(theta); err != nil {
			f.SetParams(was)
			return err
		}
	}
	if !found {
		return &ebmkit.ArgError{Func: fn, Arg: "f", Value: f.String(), Want: "a flow with an ActNorm"}
	}
	return nil
}
