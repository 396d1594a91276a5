package compare

import "fmt"

// Kind is a way to make a generator.
type Kind uint8

// The six models of review Table 1 (score-based diffusion and interpolants, which
// share a row there, are two), and two controls without a network.
const (
	EBM         Kind = iota // network energy; walkers
	VAE                     // variational autoencoder
	GAN                     // generative adversarial network, non-saturating
	Diffusion               // score-based diffusion, VP
	Interpolant             // one-sided stochastic interpolant, ODE
	Flow                    // RealNVP
	Gaussian                // control: the Gaussian with the data's moments
	Training                // control: rows of the training data handed back
)

// Kinds returns the six models.
func Kinds() []Kind { return []Kind{EBM, VAE, GAN, Diffusion, Interpolant, Flow} }

var kinds = [...]struct{ name, objective, generation, evaluation string }{
	EBM:         {"EBM", `$\min\ \mathbb E_*[U_\theta]+\log Z_\theta$`, "MCMC", "energy, with log Z by quadrature or annealing"},
	VAE:         {"VAE", `$\max\ \mathbb E_{q}[\log\rho_\theta(x\mid z)]-D_{\mathrm{KL}}(q_\phi\,\Vert\,\rho)$, a bound`, "decoder of Gaussian noise", "a bound, by importance sampling"},
	GAN:         {"GAN", `$\min_G\max_D V(G,D)$, Jensen-Shannon`, "generator", "none: D is not a density"},
	Diffusion:   {"diffusion", `$\min\ \mathbb E\,\lambda\lvert s_\theta-\nabla\log p_t\rvert^2$, a bound if $\lambda=g^2$`, "reversed SDE", "likelihood of the probability flow"},
	Interpolant: {"interpolant", `$\min\ \mathbb E\lvert b_\theta-b\rvert^2$, no bound`, "ODE", "likelihood of the ODE"},
	Flow:        {"flow", `$\max\ \mathbb E_*[\log\rho_Z(\phi_\theta^{-1})+\log\lvert\det J\phi_\theta^{-1}\rvert]$`, "push-forward map", "likelihood, exact"},
	Gaussian:    {"Gaussian", "moments", "affine map", "likelihood, exact"},
	Training:    {"training data", "none", "copies", "none"},
}

// String returns the name of the model.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Objective says what is made large or small, as in review Table 1, corrected.
func (k Kind) Objective() string { return kinds[k].objective }

// Generation says how samples are made, as in review Table 2.
func (k Kind) Generation() string { return kinds[k].generation }

// Evaluation says where a held-out log-likelihood comes from; compare review
// Table 2.
func (k Kind) Evaluation() string { return kinds[k].evaluation }
