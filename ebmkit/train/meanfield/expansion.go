package meanfield

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
)

// Expansion is the law of walkers that move in a fixed energy and are put back on
// the data at a high rate nu, in powers of 1/nu. With
//
//	L p = Alpha div(p grad U + grad p)
//
// the steady walkers of review eq. (112) are, beyond its eq. (113),
//
//	(1 - L/nu)^-1 data = data + First/nu + Second/nu^2 + ...,   First = L data, Second = L L data.
//
// An Expansion belongs to one goroutine.
type Expansion struct {
	Data, First, Second []float64 // on the grid; First and Second have integral 0

	gen *fokkerplanck.Generator
}

// Expand returns the expansion for walkers of speed alpha in the energy u, which
// must not change as long as Steady is used. It returns *ebmkit.ArgError if data is
// not a density on the grid of mass 1, alpha is not positive, or the energy does
// not fit the grid or is too steep for it, as fokkerplanck.Langevin.On says.
func Expand(u ebmkit.Energy, g *fokkerplanck.Grid, data []float64, alpha float64) (*Expansion, error) {
	const fn = "meanfield.Expand"
	if g == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "g", Value: nil, Want: "a grid"}
	}
	if !(alpha > 0) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "alpha", Value: alpha, Want: "a positive number"}
	}
	if !isDensity(g, data) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "data", Value: fmt.Sprintf("%d numbers", len(data)), Want: fmt.Sprintf("a density of mass 1 on %d cells", g.Len())}
	}
	gen, err := fokkerplanck.Langevin{Energy: u, Eps: alpha}.On(g)
	if err != nil {
		return nil, err
	}
	x := &Expansion{Data: append([]float64(nil), data...), gen: gen}
	x.First, x.Second = make([]float64, g.Len()), make([]float64, g.Len())
	gen.Apply(x.First, x.Data)
	gen.Apply(x.Second, x.First)
	return x, nil
}

// Steady returns the steady walkers of review eq. (112) themselves, to all orders
// in 1/nu. It returns *ebmkit.ArgError if nu is not positive and finite.
func (x *Expansion) Steady(nu float64) ([]float64, error) {
	if !(nu > 0) {
		return nil, &ebmkit.ArgError{Func: "meanfield.Expansion.Steady", Arg: "nu", Value: nu, Want: "a positive number"}
	}
	if err := x.gen.SetRestart(nu, x.Data); err != nil {
		return nil, err
	}
	return x.gen.Steady()
}

// FirstOrder returns review eq. (113) without its remainder,
//
//	data + First/nu.
//
// Where nu is small it may be negative, and is no density.
func (x *Expansion) FirstOrder(nu float64) []float64 {
	p := append([]float64(nil), x.Data...)
	for k, d := range x.First {
		p[k] += 1 / nu * d
	}
	return p
}
