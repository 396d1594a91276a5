package mcmc

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// MALA is the Metropolis-adjusted Langevin algorithm (review Definition 4.4): a
// ULA step as the proposal, with density
//
//	g(x'|x) = (4 pi h)^(-d/2) exp(-|x' - x + h grad U(x)|^2 / (4h)),
//
// and a Metropolis-Hastings test, review eq. (77). Review eq. (95) prints the
// normaliser (2 pi h)^(d/2) and h U for h grad U. MALA has no asymptotic bias;
// a small Step gives an acceptance rate near 1, not a low one. The efficient
// rate is 0.574.
type MALA struct {
	Step float64 // h
}

// Bind implements Method.
func (m MALA) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	if err := positive("mcmc.MALA", "Step", m.Step); err != nil {
		return nil, err
	}
	if _, err := ebmkit.Gradient("mcmc.MALA", "target", target); err != nil {
		return nil, err
	}
	d := target.Dim()
	n := min(rows, cachedRows(d)) * d
	return &mala{h: m.Step, ev: ebmkit.NewEvaluator(target), p: newProposal(rows, d, true),
		xi: make([]float64, n), sum: make([]float64, n)}, nil
}

type mala struct {
	h       float64
	ev      ebmkit.Evaluator
	p       proposal
	xi, sum []float64 // of the rows in the cache: noise; sum of the gradients at both ends
}

func (k *mala) Start(block *ebmkit.Ensemble, _ *ebmkit.Stream) error {
	keepEnergy(k.ev, block, true)
	return nil
}

func (k *mala) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	p, d := k.p.rows(block.N), block.Dim
	r := math.Sqrt(2 * k.h)
	group := cachedRows(d)
	for lo := 0; lo < block.N; lo += group {
		hi := min(lo+group, block.N)
		from, to := lo*d, hi*d
		x, grad, g := p.x[from:to], block.Grad[from:to], p.grad[from:to]
		xi, sum := k.xi[:to-from], k.sum[:to-from]
		s.FillNormal(xi)
		copy(x, block.X[from:to])
		vmath.Axpy(x, -k.h, grad)
		vmath.Axpy(x, r, xi)
		k.ev.EnergyGrad(p.u[lo:hi], g, x)
		copy(sum, grad)
		vmath.Axpy(sum, 1, g)
		for i := lo; i < hi; i++ {
			j := (i - lo) * d
			p.prob[i] = block.U[i] - p.u[i] + malaLogRatio(xi[j:j+d], sum[j:j+d], r)
		}
	}
	return p.decide(block, s), nil
}

// malaLogRatio returns log g(x|x') - log g(x'|x) for x' = x - h g + r xi with
// r = sqrt(2h), where sum is g plus the gradient at x'. The way back needs the
// noise r sum/2 - xi, so the ratio is (|xi|^2 - |r sum/2 - xi|^2)/2.
func malaLogRatio(xi, sum []float64, r float64) float64 {
	if len(xi) > 8 {
		return r/2*vmath.Dot(xi, sum) - r*r/8*vmath.Dot(sum, sum)
	}
	var q float64
	for j, s := range sum {
		q += s * (xi[j] - r/4*s)
	}
	return r / 2 * q
}

func (k *mala) Step() float64     { return k.h }
func (k *mala) SetStep(h float64) { k.h = h }
func (k *mala) Optimum() float64  { return 0.574 }
