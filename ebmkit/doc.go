// Package ebmkit holds the contracts of the laboratory: what an energy is, how
// many walkers are stored, where random numbers come from, what an error says.
// The algorithms live in its subpackages (energy, freeenergy, divergence, ...).
//
// # Conventions
//
// One sign for the whole project: an energy U stands for the Boltzmann-Gibbs
// density of review eq. (5),
//
//	rho(x) = exp(-U(x)) / Z,   Z = integral of exp(-U(x)) dx,
//
// so low energy means probable. Temperature enters only through
// energy.Tempered. U = +Inf is legal (a forbidden region); U = NaN is a bug of
// the energy. The additive constant of U is arbitrary but constant; LogZ always
// belongs to the U that is returned.
//
// Many points are stored row-major in one slice: walker i of dimension d is
// xs[i*d : (i+1)*d]. Logarithms are natural, divergences are in nats.
//
// # Errors
//
// Constructors, loaders and drivers return *ArgError, which names the function,
// the argument, its value and what was wanted. A computation that runs away
// returns *DivergedError with the step and the walker. Methods that are called
// once per evaluation panic on a slice of the wrong length, and on nothing else.
//
// # Reproducibility
//
// There is no package-level randomness. Every algorithm takes a seed and makes
// its Streams from it, one per block of rows, so that the same seed gives the
// same bits at any GOMAXPROCS.
package ebmkit
