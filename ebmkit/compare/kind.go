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
	EBM:         {"EBM", "$\\mathbb E_*[U_\\theta]+\\log Z_\\theta$", "MCMC", "energy, and log Z by quadrature or annealing"},
	VAE:         {"VAE", "ELBO $\\leq\\mathbb E_*[\\log\\rho_\\theta]$", "decoder of Gaussian noise", "bound, by importance sampling"},
	GAN:         {"GAN", "$\\min_G\\max_D V$: Jensen-Shannon", "generator", "none; D is not a density"},
	Diffusion:   {"diffusion", "Fisher divergence over noise levels", "reversed SDE", "likelihood of the probability flow"},
	Interpolant: {"interpolant", "squares of the velocity", "ODE", "likelihood of the ODE"},
	Flow:        {"flow", "$\\mathbb E_*[\\log\\rho_\\theta]$", "push-forward map", "likelihood, exact"},
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
