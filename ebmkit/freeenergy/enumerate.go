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

// Energy returns U(x), as the enumerated energy does, also where a coordinate
// is none of the values.
func (e *Enumerated) Energy(x []float64) float64 { return e.u.Energy(x) }

// NewEvaluator returns that of the enumerated energy.
func (e *Enumerated) NewEvaluator() ebmkit.Evaluator { return ebmkit.NewEvaluator(e.u) }

// LogZ returns log of the sum of exp(-U) over all states.
func (e *Enumerated) LogZ() float64 { return e.logZ }

// Sample writes a state, drawn with probability exp(-U)/Z, into dst. It panics
// if len(dst) != Dim.
func (e *Enumerated) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Sample", e.Dim(), nil, dst)
	at := s.Float64() * e.cum[len(e.cum)-1]
	e.state(dst, sort.Search(len(e.cum)-1, func(i int) bool { return e.cum[i] > at }))
}
