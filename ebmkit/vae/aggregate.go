package vae

import (
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// Aggregate returns the aggregate posterior of the rows of xs, the law of the
// codes that the decoder is trained on,
//
//	q(z) = (1/N) sum_i q_phi(z|x_i),
//
// a mixture of N Gaussians whose component i is Encoding of row i; its log Z is
// log N. The prior is another law: where the two differ, samples of the model
// have codes that no row was given. Errors as ELBO.
func (m *Model) Aggregate(xs *ebmkit.Ensemble) (*energy.Mixture, error) {
	if err := m.check("vae.Model.Aggregate", xs, 1); err != nil {
		return nil, err
	}
	weights, comps := make([]float64, xs.N), make([]energy.Component, xs.N)
	for i := range comps {
		g, err := m.Encoding(xs.Row(i))
		if err != nil {
			return nil, err
		}
		weights[i], comps[i] = 1, g
	}
	return energy.NewMixture(weights, comps)
}

// Information estimates the mutual information of a code and the number of the
// row that it belongs to, from n draws of a row i and of a code from its encoder,
//
//	I = E[ log q_phi(z|x_i) - log q(z) ],   0 <= I <= log N,
//
// with q the Aggregate of the rows of xs. The mean KL of review eq. (30) is the
// sum of two terms (Hoffman and Johnson, ELBO surgery, 2016),
//
//	(1/N) sum_i KL(q_phi(z|x_i) || rho) = I + KL(q || rho).
//
// It returns *ebmkit.ArgError if n < 2; else errors as ELBO.
func (m *Model) Information(xs *ebmkit.Ensemble, n int, seed uint64) (ebmkit.Estimate, error) {
	const fn = "vae.Model.Information"
	if err := m.check(fn, xs, 1); err != nil {
		return ebmkit.Estimate{}, err
	}
	if n < 2 {
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	}
	q, err := m.Aggregate(xs)
	if err != nil {
		return ebmkit.Estimate{}, err
	}
	s, z, info := ebmkit.NewStream(seed, "information", 0), make([]float64, m.cfg.Latent), make([]float64, n)
	for r := range info {
		g := q.Component(s.IntN(xs.N))
		g.Sample(z, s)
		info[r] = q.Energy(z) + q.LogZ() - g.Energy(z) - g.LogZ()
	}
	return ebmkit.MeanOf(info), nil
}
