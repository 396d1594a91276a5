package energy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// buffers lends gradients to the row-wise methods of combined energies.
var buffers scratch

// Tempered is the energy Beta U, at the inverse temperature Beta:
//
//	exp(-Beta U)/Z(Beta), review eq. (1).
//
// Beta = 0 leaves a constant on the support of U. It has a gradient if U has.
type Tempered struct {
	U    ebmkit.Energy
	Beta float64
}

var (
	_ ebmkit.Wrapper        = Tempered{}
	_ ebmkit.Differentiable = Tempered{}
	_ ebmkit.Batched        = Tempered{}
)

// NewTempered returns Tempered{u, beta}. It returns *ebmkit.ArgError if u is nil
// or beta negative or not finite.
func NewTempered(u ebmkit.Energy, beta float64) (Tempered, error) {
	const fn = "energy.NewTempered"
	if u == nil {
		return Tempered{}, &ebmkit.ArgError{Func: fn, Arg: "u", Value: nil, Want: "an energy"}
	}
	if !(beta >= 0) || !isFinite(beta) {
		return Tempered{}, &ebmkit.ArgError{Func: fn, Arg: "beta", Value: beta, Want: "a non-negative finite number"}
	}
	return Tempered{u, beta}, nil
}

// Inner returns U.
func (e Tempered) Inner() []ebmkit.Energy { return []ebmkit.Energy{e.U} }

// Dim returns d.
func (e Tempered) Dim() int { return e.U.Dim() }

// String names the energy.
func (e Tempered) String() string { return fmt.Sprintf("Tempered(%v, Beta = %g)", e.U, e.Beta) }

// Energy returns Beta U(x).
func (e Tempered) Energy(x []float64) float64 { return e.scale(e.U.Energy(x)) }

func (e Tempered) scale(u float64) float64 {
	if math.IsInf(u, 1) { // forbidden at every temperature
		return u
	}
	return e.Beta * u
}

// EnergyGrad writes Beta dU/dx into grad and returns Beta U(x). It panics if U
// has no gradient.
func (e Tempered) EnergyGrad(grad, x []float64) float64 {
	u := gradientOf("Tempered", e.U).EnergyGrad(grad, x)
	for j := range grad {
		grad[j] *= e.Beta
	}
	return e.scale(u)
}

// NewEvaluator returns an evaluator of many rows.
func (e Tempered) NewEvaluator() ebmkit.Evaluator {
	return &temperedEvaluator{e, ebmkit.NewEvaluator(e.U)}
}

type temperedEvaluator struct {
	e     Tempered
	inner ebmkit.Evaluator
}

func (ev *temperedEvaluator) EnergyGrad(u, grad, xs []float64) {
	ebmkit.CheckRows("energy: Tempered.EnergyGrad", ev.e.Dim(), u, grad, xs)
	ev.inner.EnergyGrad(u, grad, xs)
	for i := range u {
		u[i] = ev.e.scale(u[i])
	}
	for i := range grad {
		grad[i] *= ev.e.Beta
	}
}

// Sum is the sum of energies of the same dimension: the product of densities.
// It has a gradient if all terms have.
type Sum struct{ Terms []ebmkit.Energy }

// Interpolate is the linear path between two energies,
//
//	U(x) = (1 - T) U0(x) + T U1(x),
//
// on which annealing, thermodynamic integration and tempering move. A term with
// the factor 0 is left out, also where it is +Inf. It has a gradient if both
// energies have.
type Interpolate struct {
	U0, U1 ebmkit.Energy
	T      float64
}

var (
	_ ebmkit.Wrapper        = Sum{}
	_ ebmkit.Differentiable = Sum{}
	_ ebmkit.Batched        = Sum{}
	_ ebmkit.Wrapper        = Interpolate{}
	_ ebmkit.Differentiable = Interpolate{}
	_ ebmkit.Batched        = Interpolate{}
)

// NewSum returns the sum of the terms. It returns *ebmkit.ArgError if there is
// none, one is nil, or the dimensions differ.
func NewSum(terms ...ebmkit.Energy) (Sum, error) {
	const fn = "energy.NewSum"
	if len(terms) == 0 {
		return Sum{}, &ebmkit.ArgError{Func: fn, Arg: "len(terms)", Value: 0, Want: "at least 1"}
	}
	for i, t := range terms {
		if t == nil {
			return Sum{}, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("terms[%d]", i), Value: nil, Want: "an energy"}
		}
		if t.Dim() != terms[0].Dim() {
			return Sum{}, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("terms[%d].Dim()", i), Value: t.Dim(),
				Want: fmt.Sprintf("%d, as terms[0]", terms[0].Dim())}
		}
	}
	return Sum{append([]ebmkit.Energy(nil), terms...)}, nil
}

// NewInterpolate returns Interpolate{u0, u1, t}. It returns *ebmkit.ArgError if
// an energy is nil, the dimensions differ, or t is not in [0, 1].
func NewInterpolate(u0, u1 ebmkit.Energy, t float64) (Interpolate, error) {
	const fn = "energy.NewInterpolate"
	if u0 == nil || u1 == nil {
		return Interpolate{}, &ebmkit.ArgError{Func: fn, Arg: "u0, u1", Value: nil, Want: "two energies"}
	}
	if u0.Dim() != u1.Dim() {
		return Interpolate{}, &ebmkit.ArgError{Func: fn, Arg: "u1.Dim()", Value: u1.Dim(), Want: fmt.Sprintf("%d, as u0", u0.Dim())}
	}
	if !(t >= 0 && t <= 1) {
		return Interpolate{}, &ebmkit.ArgError{Func: fn, Arg: "t", Value: t, Want: "a number in [0, 1]"}
	}
	return Interpolate{u0, u1, t}, nil
}

// Inner returns the terms.
func (e Sum) Inner() []ebmkit.Energy { return e.Terms }

// Inner returns U0 and U1.
func (e Interpolate) Inner() []ebmkit.Energy { return []ebmkit.Energy{e.U0, e.U1} }

// Dim returns d.
func (e Sum) Dim() int { return e.Terms[0].Dim() }

// Dim returns d.
func (e Interpolate) Dim() int { return e.U0.Dim() }

// String names the energy.
func (e Sum) String() string { return fmt.Sprintf("Sum%v", e.Terms) }

// String names the energy.
func (e Interpolate) String() string {
	return fmt.Sprintf("Interpolate(%v, %v, T = %g)", e.U0, e.U1, e.T)
}

// Energy returns the sum of the terms at x.
func (e Sum) Energy(x []float64) float64 {
	var u float64
	for _, t := range e.Terms {
		u += t.Energy(x)
	}
	return u
}

// Energy returns (1 - T) U0(x) + T U1(x).
func (e Interpolate) Energy(x []float64) float64 {
	var u float64
	if e.T != 1 {
		u = (1 - e.T) * e.U0.Energy(x)
	}
	if e.T != 0 {
		u += e.T * e.U1.Energy(x)
	}
	return u
}

// EnergyGrad writes the sum of the gradients into grad and returns U(x). It
// panics if a term has no gradient.
func (e Sum) EnergyGrad(grad, x []float64) float64 {
	var u float64
	add := adder("Sum", grad)
	for _, t := range e.Terms {
		u += add(t, 1, x)
	}
	return u
}

// EnergyGrad writes (1 - T) dU0/dx + T dU1/dx into grad and returns U(x). It
// panics if an energy has no gradient.
func (e Interpolate) EnergyGrad(grad, x []float64) float64 {
	var u float64
	add := adder("Interpolate", grad)
	if e.T != 1 {
		u = add(e.U0, 1-e.T, x)
	}
	if e.T != 0 {
		u += add(e.U1, e.T, x)
	}
	return u
}

// adder clears grad and returns a function that adds c dU/dx to it and returns
// c U(x).
func adder(who string, grad []float64) func(u ebmkit.Energy, c float64, x []float64) float64 {
	clear(grad)
	return func(u ebmkit.Energy, c float64, x []float64) float64 {
		buf := buffers.get(len(grad))
		defer buffers.put(buf)
		g := (*buf)[:len(grad)]
		v := gradientOf(who, u).EnergyGrad(g, x)
		for j := range grad {
			grad[j] += c * g[j]
		}
		return c * v
	}
}

func gradientOf(who string, u ebmkit.Energy) ebmkit.Differentiable {
	g, ok := u.(ebmkit.Differentiable)
	if !ok {
		panic("energy: " + who + ".EnergyGrad: an inner energy has no gradient")
	}
	return g
}

// NewEvaluator returns an evaluator of many rows.
func (e Sum) NewEvaluator() ebmkit.Evaluator {
	ev := &sumEvaluator{name: "energy: Sum.EnergyGrad", d: e.Dim()}
	for _, t := range e.Terms {
		ev.add(t, 1)
	}
	return ev
}

// NewEvaluator returns an evaluator of many rows.
func (e Interpolate) NewEvaluator() ebmkit.Evaluator {
	ev := &sumEvaluator{name: "energy: Interpolate.EnergyGrad", d: e.Dim()}
	if e.T != 1 {
		ev.add(e.U0, 1-e.T)
	}
	if e.T != 0 {
		ev.add(e.U1, e.T)
	}
	return ev
}

// sumEvaluator evaluates sum_k c_k U_k.
type sumEvaluator struct {
	name  string
	d     int
	c     []float64
	terms []ebmkit.Evaluator
	u, g  []float64
}

func (ev *sumEvaluator) add(u ebmkit.Energy, c float64) {
	ev.c = append(ev.c, c)
	ev.terms = append(ev.terms, ebmkit.NewEvaluator(u))
}

func (ev *sumEvaluator) EnergyGrad(u, grad, xs []float64) {
	n := ebmkit.CheckRows(ev.name, ev.d, u, grad, xs)
	var tu, tg []float64
	if u != nil {
		clear(u)
		if len(ev.u) < n {
			ev.u = make([]float64, n)
		}
		tu = ev.u[:n]
	}
	if grad != nil {
		clear(grad)
		if len(ev.g) < len(xs) {
			ev.g = make([]float64, len(xs))
		}
		tg = ev.g[:len(xs)]
	}
	for k, t := range ev.terms {
		t.EnergyGrad(tu, tg, xs)
		for i, v := range tu {
			u[i] += ev.c[k] * v
		}
		for i, v := range tg {
			grad[i] += ev.c[k] * v
		}
	}
}
