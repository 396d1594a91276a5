// Package diagnose says how far draws from a Markov chain can be trusted
// (review section 4): how many independent draws they are worth, whether chains
// agree, and what error bars their averages have.
//
// # Conventions
//
// A Series is one scalar quantity followed along several chains: FromChain takes
// a coordinate of an ebmkit.Chain, FromFunc any observable, FromEnergy the
// energies. Lags and autocorrelation times are counted in kept draws. Averages
// come as ebmkit.Estimate with their Monte Carlo standard error (MCSE).
//
// Effective sample sizes and R-hat are those of Vehtari, Gelman, Simpson,
// Carpenter and Buerkner (2021), "Rank-normalization, folding, and localization:
// an improved R-hat", computed as ArviZ computes them and tested to 1e-8 against
// it. Three things differ on purpose: a sampler that never moved gives NaN where
// ArviZ says that all of its draws are effective; draws are constant when they
// are equal, in any unit, and not when they differ by less than 1e-15; and the
// standard error of a standard deviation uses the effective sample size of the
// squared deviations, as ArviZ did before arviz-stats.
//
// The functions Mean and Variance take one ensemble of independent walkers
// instead, such as the final states of a run.
//
// # What no diagnostic knows
//
// All of this is computed from where the chains have been. A mode that no walker
// visited leaves no trace: chains that all sit in the same mode agree with each
// other, and R-hat is 1. Start walkers far apart, and compare with what is known
// of the target.
package diagnose
