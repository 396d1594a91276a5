// Package gan holds generative adversarial networks and what is known exactly of
// their game (review section 3.2).
//
// A Model is a generator G, which makes points of noise z from N(0, I), and a
// discriminator D(x), the probability that x is data. The game is
//
//	min_G max_D V(G, D),   V = E_data[log D(x)] + E_z[log(1 - D(G(z)))],   review eq. (33),
//
// played by a Trainer in alternating steps (review Proposition 3.1). The
// network of D returns its logit, log D/(1-D), which at the optimum is the log
// ratio of the densities of data and generator, review eq. (35): a difference
// of energies.
//
// For laws whose densities are known, Optimal is the best discriminator, Value
// is V by quadrature for any discriminator, and Cost is the C(G) of review eq.
// (37), which is printed there with arg max for max and without logarithms, as
// eq. (36) is. Regret is what a discriminator lacks to the best. Dirac is the
// smallest game, whose orbits are known in closed form. Of samples alone, Judge
// gives V and a lower bound of the Jensen-Shannon divergence; CountModes, along
// training ModeWatch, and Frechet judge them without a discriminator.
package gan
