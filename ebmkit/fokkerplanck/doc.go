// Package fokkerplanck follows densities instead of samples, by the
// Fokker-Planck equation of a diffusion (review sections 3.3 and 4): on grids of
// one and two dimensions, and as the gradient flow of the free energy in the
// space of densities with the 2-Wasserstein distance, in quantiles.
//
// # Grids
//
// An equation is Langevin, for dX = -Eps grad U dt + sqrt(2 Eps) dW and its like,
// or Ito, for any drift and noise. Its method On puts it on a Grid and gives a
// Generator, which knows its steady state, its spectral gap, currents and the
// decay of divergences; Evolve and Flow step it in time.
//
//	grid, err := fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -3, Hi: 3, Cells: 300})
//	gen, err := fokkerplanck.Langevin{Energy: u, Eps: 1}.On(grid)
//	run, err := fokkerplanck.Evolve(ctx, gen, start, fokkerplanck.Config{Step: 0.01, Steps: 500, Every: 50})
//
// Whatever the step and the cells: densities stay positive, mass stays to
// rounding, exp(-U) at the centres is the steady state of a Langevin equation,
// and neighbours are in detailed balance. The errors of everything else fall as
// the squares of the step and of the cells' width. A grid too coarse for the
// drift is refused, see MaxPeclet.
//
// # Quantiles
//
// ForwardBackward and FreeEnergy take U as in package ebmkit, the density
// exp(-U)/Z and the diffusion dX = -grad U dt + sqrt(2) dW. The free energy is
// that of review eq. (92), without its constant log Z:
//
//	F(rho) = E_rho[U] - H(rho) = KL(rho || exp(-U)/Z) - log Z.
//
// On the line the 2-Wasserstein distance is the mean square distance of
// quantiles, so a density is held as n quantiles of equal mass: q[i] is the
// quantile of level (i + 1/2)/n. Between neighbours the density is constant,
//
//	rho = 1 / (n (q[i+1] - q[i])).
package fokkerplanck
