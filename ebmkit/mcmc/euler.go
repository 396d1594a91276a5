package mcmc

import (
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Euler follows Hamilton's equations with unit masses as Leapfrog does, by
// explicit Euler steps of length h, which move x and p at once:
//
//	x' = x + h p,  p' = p - h grad U(x).
//
// Its order is 1, and it does not keep volume in phase space: on U = |x|^2/2
// every step multiplies H by 1 + h^2. It is here to be compared with Leapfrog;
// no sampler uses it. It returns *ebmkit.ArgError as Leapfrog does.
func Euler(target ebmkit.Energy, x, p []float64, h float64, steps int) (*Trajectory, error) {
	return follow("mcmc.Euler", target, x, p, h, steps, func(x, p, g []float64) {
		for i, v := range p {
			x[i] += h * v
			p[i] -= h * g[i]
		}
	})
}

// SymplecticEuler follows Hamilton's equations with unit masses as Leapfrog
// does, by whole steps of length h, first of p, then of x:
//
//	p' = p - h grad U(x),  x' = x + h p'.
//
// It keeps volume in phase space, so that its energy error stays bounded, but
// without the half steps of Leapfrog that error falls as h only. It returns
// *ebmkit.ArgError as Leapfrog does.
func SymplecticEuler(target ebmkit.Energy, x, p []float64, h float64, steps int) (*Trajectory, error) {
	return follow("mcmc.SymplecticEuler", target, x, p, h, steps, func(x, p, g []float64) {
		for i := range p {
			p[i] -= h * g[i]
			x[i] += h * p[i]
		}
	})
}

// follow takes steps of an explicit integrator from (x, p): step changes both in
// place; grad is the gradient at x before it.
func follow(fn string, target ebmkit.Energy, x, p []float64, h float64, steps int,
	step func(x, p, grad []float64)) (*Trajectory, error) {
	g, err := checkTrajectory(fn, target, x, p, h, steps)
	if err != nil {
		return nil, err
	}
	ev, u, grad := ebmkit.NewEvaluator(g), make([]float64, 1), make([]float64, target.Dim())
	x, p = slices.Clone(x), slices.Clone(p)
	t := &Trajectory{Dim: target.Dim()}
	for i := range steps + 1 {
		if i > 0 {
			step(x, p, grad)
		}
		ev.EnergyGrad(u, grad, x)
		t.X, t.P, t.H = append(t.X, x...), append(t.P, p...), append(t.H, u[0]+kinetic(p))
	}
	return t, nil
}
