package mcmc

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/markov"
	"gonum.org/v1/gonum/mathext"
)

// LambdaMin returns the smallest eigenvalue of the covariance S of a Gaussian,
// its smallest variance along any axis. ULA on the Gaussian is stable for
//
//	0 < h < 2 lambda_min(S);
//
// the review asks for h < lambda_min(S) at eq. (89), which is sufficient only.
func LambdaMin(target energy.Normal) float64 {
	steepest := 0.0 // the largest eigenvalue of the precision
	for _, l := range eigenOf(target.Precision(nil), target.Dim()).values {
		steepest = max(steepest, l)
	}
	return 1 / steepest
}

// ULAMatrix returns the transition matrix of ULA on a grid of the line, equally
// spaced points x_0 < .. < x_{n-1}: the density g of eq. (95) at the points,
// each row divided by its sum, n x n and row-major as in package markov,
//
//	T(i, j) = g(x_j|x_i) / sum_k g(x_k|x_i),
//	g(x'|x) = (4 pi h)^(-1/2) exp(-(x' - x + h U'(x))^2 / (4h)).
//
// It is the kernel of review eq. (84) up to errors that fall faster than any
// power of the spacing, as long as the spacing is below sqrt(2h) and the grid
// reaches several sqrt(2h) beyond the points x - h U'(x). It returns
// *ebmkit.ArgError if target is not of one dimension or has no gradient, h is
// not positive, or the points are fewer than 2, not finite or not ascending.
func ULAMatrix(target ebmkit.Energy, h float64, x []float64) ([]float64, error) {
	const fn = "mcmc.ULAMatrix"
	if target.Dim() != 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "target.Dim()", Value: target.Dim(), Want: "1"}
	}
	u, err := ebmkit.Gradient(fn, "target", target)
	if err != nil {
		return nil, err
	}
	if err := positive(fn, "h", h); err != nil {
		return nil, err
	}
	if err := ascending(fn, x); err != nil {
		return nil, err
	}
	mean := make([]float64, len(x)) // of the next point
	var point, grad [1]float64
	for i, v := range x {
		point[0] = v
		u.EnergyGrad(grad[:], point[:])
		mean[i] = v - h*grad[0]
	}
	return markov.Kernel(len(x), func(i, j int) float64 {
		return (x[j] - mean[i]) * (x[j] - mean[i]) / (4 * h)
	}), nil
}

// ascending returns an error unless x has two finite, ascending entries or more.
func ascending(fn string, x []float64) error {
	if len(x) < 2 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(x)", Value: len(x), Want: "at least 2"}
	}
	for i, v := range x {
		if v-v != 0 || i > 0 && v <= x[i-1] {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("x[%d]", i), Value: v, Want: "finite and ascending"}
		}
	}
	return nil
}

// SplitPath returns the laws of so many steps of a splitting, from the Gaussian
// start: entry k holds the half step and the whole step that lead from step k
// to step k + 1 of review eq. (92), (93) or (94). split is ForwardFlow,
// ForwardBackward or BackwardForward. It returns *ebmkit.ArgError if steps is
// less than 1, and the errors of split.
func SplitPath(split func(target energy.Normal, h float64, rho energy.Normal) (Split, error),
	target energy.Normal, h float64, start energy.Normal, steps int) ([]Split, error) {
	if steps < 1 {
		return nil, &ebmkit.ArgError{Func: "mcmc.SplitPath", Arg: "steps", Value: steps, Want: "at least 1"}
	}
	path := make([]Split, steps)
	rho := start
	for k := range path {
		s, err := split(target, h, rho)
		if err != nil {
			return nil, err
		}
		path[k], rho = s, s.Next
	}
	return path, nil
}

// MALAAcceptance returns the mean acceptance probability of MALA with step h,
// review Definition 4.4, on the Gaussian N(0, I_d), in equilibrium:
//
//	a = 2 I_p(d/2, d/2),   p = 1/2 - h^2 / (2 sqrt(h^4 + 8h)),
//
// with the regularised incomplete beta function I_p. The acceptance ratio is
// exp(-D), D = h/4 (|x'|^2 - |x|^2). Steps there and back are equally likely,
// so that E min(1, e^-D) = 2 P(D < 0); D is a sum of d equal quadratic forms of
// position and noise, b_1 A + b_2 B with b_1 > 0 > b_2 and A, B independent
// chi-squared of d degrees, and A/(A+B) has the beta law of I_p at
// p = -b_2/(b_1 - b_2).
//
// For small h in one dimension 1 - a is near h^(3/2)/(pi sqrt(2)), and with
// 2h = l^2 d^(-1/3) and large d a is near 2 Phi(-l^3/8) (Roberts and Rosenthal
// 1998). The review says that a small h can give a very low acceptance; a tends
// to 1. It returns *ebmkit.ArgError if h is not positive and finite, or d < 1.
func MALAAcceptance(h float64, d int) (float64, error) {
	const fn = "mcmc.MALAAcceptance"
	if err := positive(fn, "h", h); err != nil {
		return 0, err
	}
	if d < 1 {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "d", Value: d, Want: "at least 1"}
	}
	p := 0.5 - h*h/(2*math.Sqrt(h*h*h*h+8*h))
	return 2 * mathext.RegIncBeta(float64(d)/2, float64(d)/2, p), nil
}
