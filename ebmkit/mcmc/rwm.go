package mcmc

import (
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// RWM is random-walk Metropolis (review Definition 4.2 with a Gaussian
// proposal):
//
//	x' = x + Step xi,   accepted with probability min(1, exp(U(x) - U(x'))).
//
// It needs no gradient. The efficient Step in d dimensions is about 2.38/sqrt(d)
// times the scale of the target, with an acceptance rate of 0.234 (0.44 in one
// dimension); Config.Adapt finds it. An acceptance rate near 1 means that the
// steps are too small, not that the chain has converged as the review says.
type RWM struct {
	Step float64 // standard deviation of the proposal
}

// Bind implements Method.
func (m RWM) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	if err := positive("mcmc.RWM", "Step", m.Step); err != nil {
		return nil, err
	}
	d := target.Dim()
	return &rwm{step: m.Step, ev: ebmkit.NewEvaluator(target), p: newProposal(rows, d, false), xi: make([]float64, rows*d)}, nil
}

type rwm struct {
	step float64
	ev   ebmkit.Evaluator
	p    proposal
	xi   []float64
}

func (k *rwm) Start(block *ebmkit.Ensemble, _ *ebmkit.Stream) error {
	keepEnergy(k.ev, block, false)
	return nil
}

func (k *rwm) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	p := k.p.rows(block.N)
	xi := k.xi[:len(block.X)]
	s.FillNormal(xi)
	copy(p.x, block.X)
	vmath.Axpy(p.x, k.step, xi)
	k.ev.EnergyGrad(p.u, nil, p.x)
	vmath.Sub(p.prob, block.U, p.u)
	return p.decide(block, s), nil
}

func (k *rwm) Step() float64     { return k.step }
func (k *rwm) SetStep(h float64) { k.step = h }
func (k *rwm) Optimum() float64 {
	if k.p.dim == 1 {
		return 0.44
	}
	return 0.234
}
