package mcmc

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// ULA is the unadjusted Langevin algorithm (review Definition 4.3, eq. (84)):
//
//	x' = x - Step grad U(x) + sqrt(2 Step) xi.
//
// It is biased: on a Gaussian with covariance S the limit is N(mu, S (I - h/2
// S^-1)^-1), review eq. (90), and it is stable for h < 2 lambda_min(S); the
// printed h < lambda_min is sufficient only. ULALaw and ULALimit give the law.
// It stops with *ebmkit.DivergedError when a walker is no longer finite.
type ULA struct {
	Step float64 // h
}

// Bind implements Method.
func (m ULA) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	if err := positive("mcmc.ULA", "Step", m.Step); err != nil {
		return nil, err
	}
	if _, err := ebmkit.Gradient("mcmc.ULA", "target", target); err != nil {
		return nil, err
	}
	n := rows * target.Dim()
	return &ula{h: m.Step, ev: ebmkit.NewEvaluator(target), grad: make([]float64, n), xi: make([]float64, n)}, nil
}

type ula struct {
	h        float64
	ev       ebmkit.Evaluator
	grad, xi []float64
}

func (k *ula) Start(*ebmkit.Ensemble, *ebmkit.Stream) error { return nil }

func (k *ula) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	g, xi := k.grad[:len(block.X)], k.xi[:len(block.X)]
	k.ev.EnergyGrad(nil, g, block.X)
	s.FillNormal(xi)
	vmath.Axpy(block.X, -k.h, g)
	vmath.Axpy(block.X, math.Sqrt(2*k.h), xi)
	return Info{Evals: block.N}, diverged("mcmc.ULA", block,
		"take a smaller Step (a Gaussian of variance v needs Step < 2v), or a kernel with a Metropolis test")
}
