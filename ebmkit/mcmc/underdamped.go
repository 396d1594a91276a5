package mcmc

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Underdamped is Langevin dynamics with inertia,
//
//	dx = v dt,   dv = -grad U dt - Friction v dt + sqrt(2 Friction) dW,
//
// by the BAOAB splitting (Leimkuhler and Matthews 2013): with h = Step and
// c = exp(-Friction h),
//
//	v -= h/2 grad U;  x += h/2 v;  v = c v + sqrt(1 - c^2) xi;  x += h/2 v;  v -= h/2 grad U.
//
// The velocities live in the ensemble's V. On a Gaussian the positions have
// exactly the target's law for every stable step (Step < 2 sqrt of the smallest
// variance), the velocities have not; otherwise the bias is of order h^2. It
// stops with *ebmkit.DivergedError when a walker is no longer finite.
type Underdamped struct {
	Step     float64 // h, a time
	Friction float64 // gamma, an inverse time
}

// Bind implements Method.
func (m Underdamped) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	const fn = "mcmc.Underdamped"
	if err := positive(fn, "Step", m.Step); err != nil {
		return nil, err
	}
	if err := positive(fn, "Friction", m.Friction); err != nil {
		return nil, err
	}
	if _, err := ebmkit.Gradient(fn, "target", target); err != nil {
		return nil, err
	}
	return &underdamped{h: m.Step, c: vmath.Exp(-m.Friction * m.Step), s: math.Sqrt(-vmath.Expm1(-2 * m.Friction * m.Step)),
		ev: ebmkit.NewEvaluator(target), xi: make([]float64, rows*target.Dim())}, nil
}

type underdamped struct {
	h, c, s float64 // s = sqrt(1 - c^2)
	ev      ebmkit.Evaluator
	xi      []float64
}

func (k *underdamped) Start(block *ebmkit.Ensemble, s *ebmkit.Stream) error {
	if block.V == nil {
		block.V = make([]float64, len(block.X))
	}
	if block.Grad == nil {
		block.Grad = make([]float64, len(block.X))
	}
	s.FillNormal(block.V)
	k.ev.EnergyGrad(nil, block.Grad, block.X)
	return nil
}

func (k *underdamped) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	xi := k.xi[:len(block.X)]
	s.FillNormal(xi)
	k.step(block, xi)
	return Info{Evals: block.N}, diverged("mcmc.Underdamped", block, "take a smaller Step (a Gaussian of variance s^2 needs Step < 2s)")
}

// step is one BAOAB step with the noise xi.
func (k *underdamped) step(block *ebmkit.Ensemble, xi []float64) {
	x, v, half := block.X, block.V[:len(block.X)], k.h/2
	vmath.Axpy(v, -half, block.Grad)
	for i := range x {
		w := k.c*v[i] + k.s*xi[i]
		x[i] += half * (v[i] + w)
		v[i] = w
	}
	k.ev.EnergyGrad(nil, block.Grad, x)
	vmath.Axpy(v, -half, block.Grad)
}
