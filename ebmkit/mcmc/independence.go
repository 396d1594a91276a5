package mcmc

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Independence is Metropolis-Hastings with a proposal that ignores the current
// state:
//
//	x' ~ q,   accepted with probability min(1, [exp(-U(x')) q(x)] / [exp(-U(x)) q(x')]).
//
// It works only where q covers the target with heavier tails.
type Independence struct {
	Proposal ebmkit.Sampler // q, up to its constant exp(-Proposal.Energy)
}

// String names the method and its proposal.
func (m Independence) String() string {
	if n, ok := m.Proposal.(fmt.Stringer); ok {
		return "{Proposal:" + n.String() + "}"
	}
	return "{Proposal:" + ebmkit.TypeName(m.Proposal) + "}"
}

// Bind implements Method.
func (m Independence) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	const fn = "mcmc.Independence"
	if m.Proposal == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Proposal", Value: nil, Want: "an energy with an exact sampler"}
	}
	if m.Proposal.Dim() != target.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Proposal.Dim()", Value: m.Proposal.Dim(), Want: "the dimension of the target"}
	}
	return &independence{q: m.Proposal, ev: ebmkit.NewEvaluator(target), evQ: ebmkit.NewEvaluator(m.Proposal),
		p: newProposal(rows, target.Dim(), false), v: make([]float64, rows), v0: make([]float64, rows)}, nil
}

type independence struct {
	q       ebmkit.Sampler
	ev, evQ ebmkit.Evaluator
	p       proposal
	v0, v   []float64 // -log q, up to a constant, of the current and of the proposed states
}

func (k *independence) Start(block *ebmkit.Ensemble, _ *ebmkit.Stream) error {
	keepEnergy(k.ev, block, false)
	return nil
}

func (k *independence) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	p, v0, v := k.p.rows(block.N), k.v0[:block.N], k.v[:block.N]
	for i := range block.N {
		k.q.Sample(p.x[i*p.dim:(i+1)*p.dim], s)
	}
	k.ev.EnergyGrad(p.u, nil, p.x)
	k.evQ.EnergyGrad(v, nil, p.x)
	k.evQ.EnergyGrad(v0, nil, block.X)
	for i, u := range block.U {
		p.prob[i] = (u - v0[i]) - (p.u[i] - v[i])
	}
	return p.decide(block, s), nil
}
