// Package fokkerplanck follows densities instead of samples: the gradient flow
// of the free energy in the space of densities with the 2-Wasserstein distance,
// which is the Fokker-Planck equation of the Langevin diffusion (review
// sections 3.3 and 4).
//
// # Conventions
//
// U is an energy as in package ebmkit, the density exp(-U)/Z, the diffusion
// dX = -grad U dt + sqrt(2) dW. The free energy is that of review eq. (92),
// without its constant log Z:
//
//	F(rho) = E_rho[U] - H(rho) = KL(rho || exp(-U)/Z) - log Z.
//
// On the line the 2-Wasserstein distance is the mean square distance of
// quantiles, so a density is held as n quantiles of equal mass: q[i] is the
// quantile of level (i + 1/2)/n. Between neighbours the density is constant,
//
//	rho = 1 / (n (q[i+1] - q[i])).
package fokkerplanck
