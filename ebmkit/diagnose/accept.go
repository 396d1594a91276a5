package diagnose

import (
	"fmt"
	"math"
)

// Optimum is the mean acceptance probability at which a Metropolis kernel
// explores fastest, and the interval Low to High in which its efficiency is
// within 5 % of that. Acceptance outside says that the step is wrong; inside it
// says nothing about whether the chain has converged, and acceptance near 1 is a
// fault, not a merit: the steps are tiny.
type Optimum struct {
	Kernel          string
	Rate, Low, High float64
}

// RandomWalkOptimum returns the optimum of Gaussian random-walk Metropolis in
// dimension dim: 0.234 in high dimension, where the speed of steps l/sqrt(dim)
// is
//
//	l^2 a(l),   a(l) = 2 Phi(-l/2)
//
// (Roberts, Gelman and Gilks 1997), and 0.44 for a Gaussian in dimension 1
// (expected squared jump). Between them it falls quickly: 0.35 in dimension 2,
// 0.28 in 5; the interval for high dimension is returned from dimension 2 on.
func RandomWalkOptimum(dim int) Optimum {
	if dim == 1 {
		return Optimum{"random-walk Metropolis, d = 1", 0.44, 0.35, 0.53}
	}
	return Optimum{"random-walk Metropolis", 0.234, 0.158, 0.325}
}

// MALAOptimum returns the optimum of the Metropolis-adjusted Langevin algorithm
// in high dimension, where its speed is
//
//	l^2 a(l),   a(l) = 2 Phi(-l^3/2)   in units of the target
//
// (Roberts and Rosenthal 1998).
func MALAOptimum() Optimum { return Optimum{"MALA", 0.574, 0.444, 0.698} }

// HMCOptimum returns the optimum of Hamiltonian Monte Carlo of fixed trajectory
// length in high dimension, where distance travelled per gradient is
//
//	l a(l),   a(l) = 2 Phi(-l^2/2)   in units of the target
//
// (Beskos et al. 2013).
func HMCOptimum() Optimum { return Optimum{"HMC", 0.651, 0.516, 0.771} }

// Judge says in one line what a mean acceptance probability means for the step.
func (o Optimum) Judge(rate float64) string {
	verdict := "keep this step"
	switch {
	case math.IsNaN(rate) || rate < 0 || rate > 1:
		return fmt.Sprintf("%s: %g is not an acceptance rate", o.Kernel, rate)
	case rate < o.Low:
		verdict = "take smaller steps"
	case rate > o.High:
		verdict = "take larger steps"
	}
	return fmt.Sprintf("%s: acceptance %.3f, efficient from %.3g to %.3g (best %.3g): %s",
		o.Kernel, rate, o.Low, o.High, o.Rate, verdict)
}
