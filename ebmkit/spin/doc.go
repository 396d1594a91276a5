// Package spin holds the models of review section 1.2: the Ising model, the
// Hopfield network, the Boltzmann machine and the restricted Boltzmann machine
// (RBM), each with what is known of it exactly.
//
// # Conventions
//
// Spins are -1 and +1, stored as float64 rows. There is one Hamiltonian, review
// eq. (2), in which every pair is counted once:
//
//	U(x) = -sum_<ij> J_ij x_i x_j - mu sum_j h_j x_j.
//
// Summed over all ordered pairs, as for Hopfield networks and Boltzmann
// machines, that is U(x) = -x'Jx/2 - h.x with the local field Jx + h. Visible
// and hidden units of the RBM are 0 and 1.
//
// Temperature is outside the energy, exp(-Beta U)/Z: simulators take Beta
// themselves, and Ising.At makes an energy for the samplers of package mcmc.
//
// Ising, Boltzmann and RBM give their conditionals through Sweep, so that
// mcmc.Gibbs runs them. A large uniform lattice runs much faster as Lattice,
// which keeps 64 spins in a word. Observables of a simulation and of an
// enumeration have the same names and the same definitions per site.
package spin
