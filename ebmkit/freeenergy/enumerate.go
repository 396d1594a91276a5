package freeenergy

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// maxStates is how many states Enumerate visits at most.
const maxStates = 1 << 20

// Enumerated is an energy whose coordinates take a few values each, as spins do,
// together with what visiting all states tells of it: log Z and exact draws,
//
//	Z = sum over x of exp(-U(x)).
//
// It is the end of a path over spins, and the exact value to compare with. A
// path of a spin model, with its Gibbs sweep, is a PathFunc.
type Enumerated struct {
	u      ebmkit.Energy
	values []float64
	cum    []float64 // of exp(-U), from the lowest energy, in the order of the states
	logZ   float64
}

var (
	_ ebmkit.Normalized = (*Enumerated)(nil)
	_ ebmkit.Sampler    = (*Enumerated)(nil)
	_ ebmkit.Batched    = (*Enumerated)(nil)
)

// Enumerate visits the len(values)^d states of u whose coordinates are among
// values: -1, 1 for Ising spins, 0, 1 for the visible units of an RBM. It returns
// *ebmkit.ArgError if there are fewer than two values, two are equal or not
// finite, the states are more than 2^20, or an energy is NaN, -Inf, or +Inf
// everywhere.
func Enumerate(u ebmkit.Energy, values ...float64) (*Enumerated, error) {
	const fn = "freeenergy.Enumerate"
	if u == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "u", Value: nil, Want: "an energy"}
	}
	if len(values) < 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(values)", Value: len(values), Want: "at least 2, as in Enumerate(u, -1, 1)"}
	}
	for i, v := range values {
		if !finite(v) || slices.Contains(values[:i], v) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("values[%d]", i), Value: v, Want: "different finite numbers"}
		}
	}
	d, states := u.Dim(), 1
	for range d {
		if states *= len(values); states > maxStates {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "u", Value: fmt.Sprintf("%d^%d states", len(values), d), Want: "at most 2^20"}
		}
	}
	e := &Enumerated{u: u, values: slices.Clone(values), cum: make([]float64, states)}
	xs := make([]float64, ebmkit.BlockRows*d)
	ev := ebmkit.NewEvaluator(u)
	for lo := 0; lo < states; lo += ebmkit.BlockRows {
		n := min(ebmkit.BlockRows, states-lo)
		for i := range n {
			e.state(xs[i*d:(i+1)*d], lo+i)
		}
		ev.EnergyGrad(e.cum[lo:lo+n], nil, xs[:n*d])
	}
	least := math.Inf(1)
	for s, v := range e.cum {
		if math.IsNaN(v) || math.IsInf(v, -1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("energy of state %d", s), Value: v, Want: "a number above -Inf"}
		}
		least = min(least, v)
	}
	if math.IsInf(least, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "u", Value: "+Inf everywhere", Want: "an energy that allows a state"}
	}
	var sum float64
	for s, v := range e.cum {
		sum += vmath.Exp(least - v)
		e.cum[s] = sum
	}
	e.logZ = vmath.Log(sum) - least
	return e, nil
}

// state writes state s: its digits in base len(values), the lowest first.
func (e *Enumerated) state(x []float64, s int) {
	for j := range x {
		x[j] = e.values[s%len(e.values)]
		s /= len(e.values)
	}
}

// Dim returns d.
func (e *Enumerated) Dim() int { return e.u.Dim() }

// Energy returns U(x), and +Inf where a coordinate is none of the values. It
// panics if len(x) != Dim.
func (e *Enumerated) Energy(x []float64) float64 {
	checkX("Energy", e.Dim(), nil, x)
	if !e.has(x) {
		return math.Inf(1)
	}
	return e.u.Energy(x)
}

func (e *Enumerated) has(x []float64) bool {
	for _, v := range x {
		if !slices.Contains(e.values, v) {
			return false
		}
	}
	return true
}

// onStates returns an error if e is Enumerated and a walker is at none of its
// states, where the energy of a path may well have a value.
func onStates(fn string, e ebmkit.Energy, ens *ebmkit.Ensemble) error {
	u, ok := e.(*Enumerated)
	for i := 0; ok && i < ens.N; i++ {
		if !u.has(ens.Row(i)) {
			return &ebmkit.ArgError{Func: fn, Arg: "Method", Value: fmt.Sprintf("walker at %.3g", ens.Row(i)), Want: fmt.Sprintf("a kernel that stays at coordinates %g, as mcmc.Gibbs does", u.values)}
		}
	}
	return nil
}

// NewEvaluator implements ebmkit.Batched. It gives no gradient.
func (e *Enumerated) NewEvaluator() ebmkit.Evaluator {
	return enumeratedEvaluator{e, ebmkit.NewEvaluator(e.u)}
}

type enumeratedEvaluator struct {
	e  *Enumerated
	in ebmkit.Evaluator
}

func (v enumeratedEvaluator) EnergyGrad(u, grad, xs []float64) {
	if grad != nil {
		panic("freeenergy: Enumerated.EnergyGrad: no gradient")
	}
	d := v.e.Dim()
	ebmkit.CheckRows("freeenergy: Enumerated.EnergyGrad", d, u, nil, xs)
	v.in.EnergyGrad(u, nil, xs)
	for i := range u {
		if !v.e.has(xs[i*d : (i+1)*d]) {
			u[i] = math.Inf(1)
		}
	}
}

// LogZ returns log of the sum of exp(-U) over all states.
func (e *Enumerated) LogZ() float64 { return e.logZ }

// Sample writes a state, drawn with probability exp(-U)/Z, into dst. It panics
// if len(dst) != Dim.
func (e *Enumerated) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Sample", e.Dim(), nil, dst)
	at := s.Float64() * e.cum[len(e.cum)-1]
	e.state(dst, sort.Search(len(e.cum)-1, func(i int) bool { return e.cum[i] > at }))
}
