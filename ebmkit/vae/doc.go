// Package vae holds variational autoencoders, plain autoencoders and
// probabilistic principal components (review section 3.1).
//
// A Model joins two conditional laws, each with the parameters that a network
// gives it: the decoder rho_theta(x|z) of data x in R^d given a code z in R^L,
// with the prior rho(z) = N(0, I), and the encoder
//
//	q_phi(z|x) = N(mu_phi(x), diag sigma_phi(x)^2),   review eq. (29)
//
// (the review prints rho_phi for q_phi). The encoder's network returns mu and
// log sigma^2. Without hidden layers both are linear, and the best such model is
// probabilistic PCA, which PPCA has in closed form.
//
// # Signs
//
// The evidence lower bound, review eq. (21) and (30), of one x is
//
//	ELBO = Recon - KL <= log rho_theta(x),
//	Recon = E_q[log rho_theta(x|z)],   KL = KL(q_phi(z|x) || rho(z)),
//
// in nats, with equality if and only if q is the posterior rho_theta(z|x), review
// eq. (23). The review calls it the variational free energy too; that is minus the
// ELBO. What a Trainer makes smaller is the mean over rows of -(Recon - Beta KL):
// at Beta 1 minus the amortised objective of review eq. (28), in which one encoder
// answers for all rows. FixedForm gives every row a Gaussian of its own, eq. (27).
//
// # A posterior is an energy
//
// Model.Posterior is the energy U(z) = -log rho_theta(x, z), whose log Z is
// log rho_theta(x): with a code of one or two dimensions package quad computes
// the log-likelihood that the ELBO bounds, and package divergence the gap.
// Model.Marginal is the law of the data as an energy, with log Z = 0.
package vae
