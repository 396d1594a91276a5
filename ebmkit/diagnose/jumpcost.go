package diagnose

import "github.com/ebmkit/hitchhiker/ebmkit"

// JumpCost returns how many evaluations a transition from one ensemble to a
// later one of the same independent walkers costs for a squared jump of full,
//
//	cost = evals full / ESJD,   SE = cost SE(ESJD) / ESJD   (delta method),
//
// with evals the evaluations per walker and ESJD that of SquaredJump. full is
// what an independent draw would jump: twice the trace of the covariance, 2d for
// N(0, I_d). So the cost is what a kernel pays for as much movement, on average,
// as an independent draw makes (review section 4, the exploration that
// Hamiltonian Monte Carlo promises). Walkers that did not move cost +Inf, with
// SE NaN. It panics as SquaredJump does.
func JumpCost(from, to *ebmkit.Ensemble, full, evals float64) ebmkit.Estimate {
	jump := SquaredJump(from, to)
	cost := evals * full / jump.Value
	return ebmkit.Estimate{Value: cost, SE: cost * jump.SE / jump.Value}
}
