// Package diffusion moves samples of one law into samples of another along a
// path of densities: stochastic differential equations, score-based diffusion
// and its reversal, the probability flow, and stochastic interpolants (review
// section 3.3, eq. (40)-(69)).
//
// # Conventions
//
// Fields depend on the time and take many rows at once (ebmkit.Field); a score is
// grad log p_t. Ensembles are cut into blocks of ebmkit.BlockRows, each with its
// own stream, and each block calls the field from its own goroutine: fields must
// be safe for concurrent calls. The same seed gives the same bits on any number
// of cores.
//
// Time runs as in the review: a Process leads from data at t = 0 to noise at
// t = T, and its Reverse runs along falling times; an Interpolant leads from the
// base at t = 0 to data at t = 1.
//
//	vp := diffusion.VP{BetaMin: 0.1, BetaMax: 20}
//	law, err := diffusion.Marginal(vp, data)             // p_t in closed form
//	sde, err := diffusion.Reverse(vp, law.Score())       // eq. (56)
//	path, err := sde.Run(ctx, diffusion.Config{Walkers: 1000, Times: diffusion.Uniform(1, 1e-3, 500), Seed: 1})
//
// # What is exact
//
// Law holds the closed forms for Gaussian mixtures: density, distribution and
// characteristic functions, score, velocity and divergences at any time, for
// processes and for interpolants. They are the oracle for everything that is
// learned from a Batch. The law of an equation with other fields is found on a
// grid by package density.
package diffusion
