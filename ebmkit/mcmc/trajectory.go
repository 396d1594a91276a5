package mcmc

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Trajectory is a path of Hamilton's equations, as HMC follows it with unit
// masses. State i is X[i*Dim:(i+1)*Dim] with momentum P[i*Dim:(i+1)*Dim] and
// total energy H[i] = U(x) + |p|^2/2; state 0 is the start.
type Trajectory struct {
	Dim     int
	X, P, H []float64
}

// Leapfrog follows steps leapfrog steps of length h from (x, p), which are not
// changed:
//
//	p -= h/2 grad U(x);  x += h p;  p -= h/2 grad U(x).
//
// The energy error H[i] - H[0] stays bounded and falls as h^2. It returns
// *ebmkit.ArgError if the target has no gradient, h is zero or not finite (a
// negative h goes back in time), steps < 1, or x or p has not length Dim.
func Leapfrog(target ebmkit.Energy, x, p []float64, h float64, steps int) (*Trajectory, error) {
	const fn = "mcmc.Leapfrog"
	g, err := checkTrajectory(fn, target, x, p, h, steps)
	if err != nil {
		return nil, err
	}
	d := target.Dim()
	k := &hmc{h: h, steps: 1, ev: ebmkit.NewEvaluator(g), mass: newMass(d, 1)}
	t := &Trajectory{Dim: d, X: make([]float64, (steps+1)*d), P: make([]float64, (steps+1)*d), H: make([]float64, steps+1)}
	xi, pi, grad, u := append([]float64(nil), x...), append([]float64(nil), p...), make([]float64, d), make([]float64, 1)
	k.ev.EnergyGrad(u, grad, xi)
	for i := 0; ; i++ {
		copy(t.X[i*d:], xi)
		copy(t.P[i*d:], pi)
		t.H[i] = u[0] + kinetic(pi)
		if i == steps {
			return t, nil
		}
		k.leapfrog(u, xi, pi, grad)
	}
}

// checkTrajectory checks the arguments of an integrator and returns the target with
// its gradient.
func checkTrajectory(fn string, target ebmkit.Energy, x, p []float64, h float64, steps int) (ebmkit.Differentiable, error) {
	g, err := ebmkit.Gradient(fn, "target", target)
	if err != nil {
		return nil, err
	}
	d := target.Dim()
	switch {
	case len(x) != d:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(x)", Value: len(x), Want: fmt.Sprint(d)}
	case len(p) != d:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(p)", Value: len(p), Want: fmt.Sprint(d)}
	case h == 0 || h-h != 0:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "h", Value: h, Want: "a finite step that is not zero"}
	case steps < 1:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "steps", Value: steps, Want: "at least 1"}
	}
	return g, nil
}
