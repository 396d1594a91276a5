package train

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Freeze returns e with only the parameters whose indices are listed, in that
// order; the others keep their values. It shares e: either sees the parameters
// that the other sets. It has e's gradient in x and its evaluator, but neither its
// log Z nor its sampler. It returns *ebmkit.ArgError if e is nil, or no index or
// one twice or one out of range is listed.
func Freeze(e ebmkit.Parametric, free ...int) (ebmkit.Parametric, error) {
	const fn = "train.Freeze"
	if e == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: nil, Want: "an energy with parameters"}
	}
	if len(free) == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "free", Value: free, Want: "at least one index"}
	}
	seen := make([]bool, e.NumParams())
	for i, k := range free {
		if k < 0 || k >= len(seen) || seen[k] {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("free[%d]", i), Value: k, Want: fmt.Sprintf("an index from 0 to %d, each once", len(seen)-1)}
		}
		seen[k] = true
	}
	return &frozen{e, append([]int(nil), free...)}, nil
}

type frozen struct {
	ebmkit.Parametric
	free []int
}

// A wrapper has a gradient if and only if what it wraps has one.
var (
	_ ebmkit.Wrapper = (*frozen)(nil)
	_ ebmkit.Batched = (*frozen)(nil)
)

func (f *frozen) Inner() []ebmkit.Energy         { return []ebmkit.Energy{f.Parametric} }
func (f *frozen) NewEvaluator() ebmkit.Evaluator { return ebmkit.NewEvaluator(f.Parametric) }
func (f *frozen) NumParams() int                 { return len(f.free) }
func (f *frozen) String() string                 { return fmt.Sprintf("%v with parameters %v", f.Parametric, f.free) }

func (f *frozen) EnergyGrad(grad, x []float64) float64 {
	return f.Parametric.(ebmkit.Differentiable).EnergyGrad(grad, x)
}

func (f *frozen) Params(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(f.free))
	}
	if len(dst) != len(f.free) {
		panic("train: Freeze: len(dst) != NumParams")
	}
	all := f.Parametric.Params(nil)
	for i, k := range f.free {
		dst[i] = all[k]
	}
	return dst
}

func (f *frozen) SetParams(theta []float64) error {
	if len(theta) != len(f.free) {
		return &ebmkit.ArgError{Func: "train.Freeze", Arg: "len(theta)", Value: len(theta), Want: fmt.Sprint(len(f.free))}
	}
	all := f.Parametric.Params(nil)
	for i, k := range f.free {
		all[k] = theta[i]
	}
	return f.Parametric.SetParams(all)
}

func (f *frozen) AddParamGrad(dst, w, xs []float64) {
	if len(dst) != len(f.free) {
		panic("train: Freeze: len(dst) != NumParams")
	}
	all := make([]float64, f.Parametric.NumParams())
	f.Parametric.AddParamGrad(all, w, xs)
	for i, k := range f.free {
		dst[i] += all[k]
	}
}
