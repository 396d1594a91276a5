package vae

import (
	"fmt"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Posterior is the law of codes of one x as an energy on R^L,
//
//	U(z) = -log rho_theta(x, z) = -log rho_theta(x|z) + |z|^2/2 + (L/2) log(2 pi),
//
// so that exp(-U)/Z = rho_theta(z|x) and log Z = log rho_theta(x), the
// log-likelihood that the ELBO bounds, review eq. (22). It reads the current
// parameters of the model. For quadrature the model should be of Float64: the
// rounding of float32 is a noise that adaptive rules chase.
type Posterior struct {
	m    *Model
	x    []float64
	pool sync.Pool
}

var (
	_ ebmkit.Differentiable = (*Posterior)(nil)
	_ ebmkit.Batched        = (*Posterior)(nil)
)

// Posterior returns the posterior of x, of length d. It returns *ebmkit.ArgError
// if x does not fit or the model is a plain autoencoder.
func (m *Model) Posterior(x []float64) (*Posterior, error) {
	if err := m.check("vae.Model.Posterior", &ebmkit.Ensemble{N: 1, Dim: len(x), X: x}, 1); err != nil {
		return nil, err
	}
	p := &Posterior{m: m, x: append([]float64(nil), x...)}
	p.pool.New = func() any { return p.NewEvaluator() }
	return p, nil
}

// Encoding returns q_phi(z|x) of one x, review eq. (29). Errors as Posterior.
func (m *Model) Encoding(x []float64) (*energy.DiagonalGaussian, error) {
	if err := m.check("vae.Model.Encoding", &ebmkit.Ensemble{N: 1, Dim: len(x), X: x}, 1); err != nil {
		return nil, err
	}
	mean, sd := make([]float64, m.cfg.Latent), make([]float64, m.cfg.Latent)
	m.Encode(mean, sd, x)
	return energy.NewDiagonalGaussian(mean, sd)
}

// Dim returns L.
func (p *Posterior) Dim() int { return p.m.cfg.Latent }

// Energy returns U(z). It panics on a wrong length.
func (p *Posterior) Energy(z []float64) float64 { return p.EnergyGrad(nil, z) }

// EnergyGrad writes dU/dz into grad, unless it is nil, and returns U(z). It
// panics on a wrong length.
func (p *Posterior) EnergyGrad(grad, z []float64) float64 {
	wantLen(len(z), p.Dim(), "z")
	var u [1]float64
	ev := p.pool.Get().(ebmkit.Evaluator)
	ev.EnergyGrad(u[:], grad, z)
	p.pool.Put(ev)
	return u[0]
}

// NewEvaluator returns an evaluator for many codes.
func (p *Posterior) NewEvaluator() ebmkit.Evaluator {
	return &posteriorEvaluator{p, newEngine(p.m, &kernels64)}
}

func (p *Posterior) String() string {
	return fmt.Sprintf("posterior of a code of %d numbers", p.Dim())
}

type posteriorEvaluator struct {
	p *Posterior
	e *engine[float64]
}

// EnergyGrad implements ebmkit.Evaluator.
func (v *posteriorEvaluator) EnergyGrad(u, grad, zs []float64) {
	n := ebmkit.CheckRows("vae: Posterior", v.p.Dim(), u, grad, zs)
	v.e.reserve(1, n) // one x for all codes
	v.e.xs, v.e.weight = v.p.x, 1
	v.e.dec.Grad(nil, grad, zs, v.e.loss)
	l := v.p.Dim()
	for i := range u {
		z := zs[i*l : (i+1)*l]
		u[i] = vmath.Dot(z, z)/2 + float64(l)/2*log2Pi - v.e.logp[i]
		if math.IsInf(v.e.logp[i], -1) {
			u[i] = math.Inf(1)
		}
	}
	if grad != nil {
		vmath.Axpy(grad, 1, zs)
	}
}
