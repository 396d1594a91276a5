package mcmc

import (
	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Carry moves every walker of e, at x = e.Row(i) with the momentum p in row i of
// e.V, along its trajectory: steps leapfrog steps of length h with unit masses,
// none if steps is 0. It returns the ends as a new ensemble with X and V; e is
// not changed. The map (x, p) -> (x', p') keeps volume in phase space and is
// undone by Carry with -h (review section 4, Hamiltonian Monte Carlo): a closed
// curve of walkers keeps its area.
//
// It returns *ebmkit.ArgError if the target has no gradient, e has another
// dimension than the target or no momenta, h is zero or not finite, or steps is
// negative.
func Carry(target ebmkit.Energy, e *ebmkit.Ensemble, h float64, steps int) (*ebmkit.Ensemble, error) {
	const fn = "mcmc.Carry"
	g, err := ebmkit.Gradient(fn, "target", target)
	if err != nil {
		return nil, err
	}
	d := target.Dim()
	switch {
	case e.Dim != d:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e.Dim", Value: e.Dim, Want: "the dimension of the target"}
	case len(e.V) != e.N*d:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(e.V)", Value: len(e.V), Want: "one momentum for each coordinate"}
	case h == 0 || h-h != 0:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "h", Value: h, Want: "a finite step that is not zero"}
	case steps < 0:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "steps", Value: steps, Want: "at least 0"}
	}
	end := &ebmkit.Ensemble{N: e.N, Dim: d, X: append([]float64(nil), e.X...), V: append([]float64(nil), e.V...)}
	if steps == 0 {
		return end, nil
	}
	k := &hmc{h: h, steps: steps, ev: ebmkit.NewEvaluator(g), mass: newMass(d, 1)}
	u, grad := make([]float64, 1), make([]float64, d)
	for i := range e.N {
		x, v := end.Row(i), end.V[i*d:(i+1)*d]
		k.ev.EnergyGrad(u, grad, x)
		k.leapfrog(u, x, v, grad)
	}
	return end, nil
}
