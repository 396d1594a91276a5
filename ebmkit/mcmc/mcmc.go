// Package mcmc samples Boltzmann-Gibbs densities exp(-U)/Z by Markov chains
// (review section 4).
//
// A method is a plain struct of the paper's parameters, such as ULA{Step: h};
// Run does the rest:
//
//	chain, err := mcmc.Run(ctx, target, mcmc.MALA{Step: 0.1},
//	    mcmc.Config{Walkers: 1000, Burn: 500, Draws: 100, Seed: 1})
//
// # Conventions
//
// For the Langevin kernels h is the step of review eq. (84), x' = x - h grad U +
// sqrt(2h) xi; for kernels with momenta it is the time step of the integrator.
// Walkers are cut into blocks of rows, each with its own stream of random
// numbers, so the same seed gives the same bits on any number of cores. Kernels
// with a Metropolis test refuse proposals at which U is not finite, and count
// them; kernels without one stop with *ebmkit.DivergedError.
//
// RWM, Independence, MALA, HMC, NUTS, Gibbs and Tempering leave exp(-U)/Z
// invariant. ULA and Underdamped do not, except for the positions of a Gaussian
// under Underdamped.
package mcmc

import "github.com/ebmkit/hitchhiker/ebmkit"

// Method is a sampling algorithm with its parameters, not yet tied to a target.
type Method interface {
	// Bind checks the parameters against the target, looks up the optional
	// interfaces it needs, and allocates all scratch for blocks of up to rows
	// rows. It returns *ebmkit.ArgError if a parameter is out of range or the
	// target lacks a gradient that is needed.
	Bind(target ebmkit.Energy, rows int) (Kernel, error)
}

// Kernel advances one block of walkers. It owns its scratch and belongs to one
// goroutine. What must persist from step to step is in the block, or is the
// step size and the masses of a Tuner: that is what Simulation.Save writes.
type Kernel interface {
	// Start computes what the kernel keeps in the block between steps (energies,
	// gradients, velocities), allocating the slices that are nil. Call it before
	// the first Advance, and again when X or the target's parameters were
	// changed from outside.
	Start(block *ebmkit.Ensemble, s *ebmkit.Stream) error
	// Advance moves every row of the block one step. It does not allocate. The
	// error is *ebmkit.DivergedError with Walker counted within the block and
	// Step 0; whoever runs the kernel fills in the rest.
	Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error)
}

// Info is what a kernel says about its last step. Its slices belong to the
// kernel and are overwritten by the next step.
type Info struct {
	Prob      []float64 // acceptance probability of each row, nil for kernels that always move
	H         []float64 // total energy of each row at the start of the step, nil without momenta
	Evals     int       // rows at which the energy or its gradient was computed
	Divergent int       // rows whose energy error was above 1000
	NonFinite int       // rows whose proposal had a U or gradient that is not finite
	TreeLimit int       // rows whose tree reached the limit on its depth
}

// Tuner is a Kernel whose step size can be changed between steps.
type Tuner interface {
	Kernel
	Step() float64
	SetStep(h float64)
	// Optimum returns the acceptance rate at which the kernel is most efficient.
	Optimum() float64
}

// MassTuner is a Tuner with momenta and a diagonal mass matrix. Its Info has H.
type MassTuner interface {
	Tuner
	// InvMass returns the inverse masses, one per dimension. The caller must not
	// change them.
	InvMass() []float64
	// SetInvMass copies the inverse masses, an estimate of the variances of the
	// target.
	SetInvMass(v []float64)
}

// blockRows is implemented by methods that want blocks of another size than
// ebmkit.BlockRows.
type blockRows interface{ BlockRows() int }

// stepFinder is implemented by kernels that can find a first step size.
type stepFinder interface {
	findStep(block *ebmkit.Ensemble, s *ebmkit.Stream)
}

var (
	_ Method    = RWM{}
	_ Method    = Independence{}
	_ Method    = ULA{}
	_ Method    = MALA{}
	_ Method    = Underdamped{}
	_ Method    = HMC{}
	_ Method    = NUTS{}
	_ Method    = Gibbs{}
	_ blockRows = NUTS{}

	_ Tuner      = (*rwm)(nil)
	_ Tuner      = (*mala)(nil)
	_ MassTuner  = (*hmc)(nil)
	_ MassTuner  = (*nuts)(nil)
	_ stepFinder = (*nuts)(nil)
	_ Sweeper    = (*gaussianSweeper)(nil)
)
