package fokkerplanck

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// NormalQuantiles returns the n quantiles of N(mean, sd^2). It returns
// *ebmkit.ArgError if n < 2, mean is not finite or sd is not positive.
func NormalQuantiles(n int, mean, sd float64) ([]float64, error) {
	const fn = "fokkerplanck.NormalQuantiles"
	switch {
	case n < 2:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	case mean-mean != 0:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "mean", Value: mean, Want: "a finite number"}
	case !(sd > 0) || math.IsInf(sd, 0):
		return nil, &ebmkit.ArgError{Func: fn, Arg: "sd", Value: sd, Want: "a positive finite number"}
	}
	q := make([]float64, n)
	for i := range q {
		q[i] = mean + sd*vmath.NormalQuantile((float64(i)+0.5)/float64(n))
	}
	return q, nil
}

// ForwardBackward takes one step of the forward-backward splitting, review
// eq. (93), from the quantiles q of a density on the line: a gradient step of
// the energy, then the implicit step of the entropy in the 2-Wasserstein
// distance (Jordan, Kinderlehrer and Otto 1998).
//
//	half = (id - h U')_# rho,
//	next = argmin over rho of -H(rho) + W2(rho, half)^2 / (2h).
//
// The review calls it not implementable except for Gaussians; in quantiles it
// is a convex problem with a tridiagonal Hessian. As long as h U” <= 1 where
// rho lives, the fixed point does not depend on h: it solves, exactly,
//
//	1/(q[i+1] - q[i]) = -sum over j <= i of U'(q[j]),
//
// which is exp(-U)/Z up to an error of order 1/n in the levels.
//
// It returns two new slices of len(q); q is not changed. It returns
// *ebmkit.ArgError if target has no gradient or is not one-dimensional, h is not
// positive, or q is not ascending and finite, and *ebmkit.DivergedError if the
// gradient step leaves the numbers.
func ForwardBackward(target ebmkit.Energy, h float64, q []float64) (half, next []float64, err error) {
	const fn = "fokkerplanck.ForwardBackward"
	g, err := ebmkit.Gradient(fn, "target", target)
	if err != nil {
		return nil, nil, err
	}
	if err := onTheLine(fn, target, q); err != nil {
		return nil, nil, err
	}
	if !(h > 0) || math.IsInf(h, 0) {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "h", Value: h, Want: "a positive finite number"}
	}
	half = make([]float64, len(q))
	ebmkit.NewEvaluator(g).EnergyGrad(nil, half, q)
	for i, du := range half {
		half[i] = q[i] - h*du
		if half[i]-half[i] != 0 {
			return nil, nil, &ebmkit.DivergedError{Func: fn, Walker: i, Value: half[i], Hint: "take a smaller h"}
		}
	}
	slices.Sort(half) // where the map is not increasing, masses change places
	next, err = proximal(fn, nil, h, half, q)
	return half, next, err
}

// JKO takes one implicit step of the free energy in the 2-Wasserstein distance
// (Jordan, Kinderlehrer and Otto 1998, which the review uses in the proof of
// Proposition 3.3), from the quantiles q of a density on the line:
//
//	next = argmin over rho of E_rho[U] - H(rho) + W2(rho, q)^2 / (2h).
//
// Step after step it lowers FreeEnergy, and as h goes to 0 it follows the
// Fokker-Planck equation. The curvature of U comes from differences of its
// gradient. It returns a new slice; q is not changed. Errors are those of
// ForwardBackward; it does not converge if h U” < -1 somewhere on the way, which
// a smaller h mends.
func JKO(target ebmkit.Energy, h float64, q []float64) ([]float64, error) {
	const fn = "fokkerplanck.JKO"
	g, err := ebmkit.Gradient(fn, "target", target)
	if err != nil {
		return nil, err
	}
	if err := onTheLine(fn, target, q); err != nil {
		return nil, err
	}
	if !(h > 0) || math.IsInf(h, 0) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "h", Value: h, Want: "a positive finite number"}
	}
	return proximal(fn, ebmkit.NewEvaluator(g), h, q, q)
}

// proximal minimises, by Newton's method from the ascending start,
//
//	f(q) = sum_i (q_i - y_i)^2 / (2h) + sum_i U(q_i) - sum_i log(q_{i+1} - q_i),
//
// n times the objective of eq. (93), or with a U that of JKO, up to a constant.
// Without U, which may be nil, f is strictly convex and self-concordant, so the
// damped method converges from everywhere.
func proximal(fn string, u ebmkit.Evaluator, h float64, y, start []float64) ([]float64, error) {
	n := len(y)
	q := slices.Clone(start)
	var du, above, below, at []float64
	if u != nil {
		du, above, below, at = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	}
	grad, diag, off, step := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for range 500 {
		for i := range q {
			grad[i], diag[i], off[i] = (q[i]-y[i])/h, 1/h, 0
		}
		if u != nil {
			const d = 1e-5
			u.EnergyGrad(nil, du, q)
			for i, x := range q {
				at[i] = x + d
			}
			u.EnergyGrad(nil, above, at)
			for i, x := range q {
				at[i] = x - d
			}
			u.EnergyGrad(nil, below, at)
			for i := range q {
				grad[i] += du[i]
				diag[i] += (above[i] - below[i]) / (2 * d)
			}
		}
		for i := range n - 1 {
			r := 1 / (q[i+1] - q[i])
			grad[i] += r
			grad[i+1] -= r
			diag[i] += r * r
			diag[i+1] += r * r
			off[i] = -r * r
		}
		solveTridiagonal(step, diag, off, grad)
		var decrement float64 // squared
		for i := range q {
			decrement += grad[i] * step[i]
		}
		// Undamped once the decrement is small; before that 1/(1 + decrement),
		// which keeps the order and lowers f (Nesterov).
		t := 1.0
		if d := math.Sqrt(math.Max(decrement, 0)); d > 0.25 {
			t = 1 / (1 + d)
		}
		moved := 0.0
		for i := range q {
			q[i] -= t * step[i]
			moved = math.Max(moved, math.Abs(step[i])/(1+math.Abs(q[i])))
		}
		if moved < 1e-13 {
			return q, nil
		}
		// At the rounding of q the steps stop shrinking.
		if decrement < 1e-20*float64(n) {
			return q, nil
		}
	}
	return nil, &ebmkit.DivergedError{Func: fn, Step: 500, Walker: -1, Value: h, Hint: "the implicit step did not converge; take a smaller h or fewer quantiles"}
}

// solveTridiagonal solves the symmetric positive definite system with the given
// diagonal and off-diagonal, overwriting diag.
func solveTridiagonal(x, diag, off, b []float64) {
	n := len(b)
	x[0] = b[0]
	for i := 1; i < n; i++ {
		w := off[i-1] / diag[i-1]
		diag[i] -= w * off[i-1]
		x[i] = b[i] - w*x[i-1]
	}
	x[n-1] /= diag[n-1]
	for i := n - 2; i >= 0; i-- {
		x[i] = (x[i] - off[i]*x[i+1]) / diag[i]
	}
}

// FreeEnergy returns E_rho[U] - H(rho) of the density with quantiles q,
//
//	F = (1/n) sum_i U(q_i) - (1/n) sum_i log(n (q_{i+1} - q_i)).
//
// It is the functional that the discrete steps lower; it tends to KL(rho ||
// exp(-U)/Z) - log Z as n grows. Its errors are those of ForwardBackward.
func FreeEnergy(target ebmkit.Energy, q []float64) (float64, error) {
	if err := onTheLine("fokkerplanck.FreeEnergy", target, q); err != nil {
		return 0, err
	}
	n := float64(len(q))
	u := make([]float64, len(q))
	ebmkit.NewEvaluator(target).EnergyGrad(u, nil, q)
	f := vmath.Sum(u)
	for i := range len(q) - 1 {
		f -= vmath.Log(n * (q[i+1] - q[i]))
	}
	return f / n, nil
}

// Density returns the density with quantiles q as a step function: the middles
// of the n-1 intervals between neighbours and its value there, for a figure. It
// panics if q has fewer than two entries.
func Density(q []float64) (x, rho []float64) {
	if len(q) < 2 {
		panic("fokkerplanck: Density: fewer than two quantiles")
	}
	x, rho = make([]float64, len(q)-1), make([]float64, len(q)-1)
	for i := range x {
		x[i] = (q[i] + q[i+1]) / 2
		rho[i] = 1 / (float64(len(q)) * (q[i+1] - q[i]))
	}
	return x, rho
}

func onTheLine(fn string, target ebmkit.Energy, q []float64) error {
	if d := target.Dim(); d != 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "target.Dim()", Value: d, Want: "1"}
	}
	if len(q) < 2 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(q)", Value: len(q), Want: "at least 2 quantiles"}
	}
	for i, v := range q {
		if v-v != 0 || i > 0 && !(v > q[i-1]) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("q[%d]", i), Value: v, Want: "finite quantiles in strictly ascending order"}
		}
	}
	return nil
}
