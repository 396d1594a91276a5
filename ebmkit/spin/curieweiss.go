package spin

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// CurieWeiss returns the exact observables of n spins that all couple equally,
//
//	U(x) = -(1/n) sum_{i<j} x_i x_j = -(M^2/n - 1)/2,
//
// from the binomial law of M = sum_i x_i. They are those of a Hopfield network
// with one pattern stored by Hebb, with M/n the overlap with it. For large n the
// critical temperature is 1 and |M|/n tends to the m >= 0 of m = tanh(beta m).
// It returns *ebmkit.ArgError if n < 2 or beta is negative or not finite.
func CurieWeiss(n int, beta float64) (Thermo, error) {
	const fn = "spin.CurieWeiss"
	if n < 2 {
		return Thermo{}, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	}
	if err := wantBeta(fn, beta); err != nil {
		return Thermo{}, err
	}
	size := float64(n)
	logW := make([]float64, n+1) // of k spins up
	var choose float64           // log of n over k
	for k := range logW {
		m := float64(2*k - n)
		logW[k] = choose + beta*(m*m/size-1)/2
		if k < n {
			choose += vmath.Log(float64(n-k) / float64(k+1))
		}
	}
	logZ := vmath.LogSumExp(logW)
	var u, u2, m1, m2, m4 float64
	for k, l := range logW {
		p, m := vmath.Exp(l-logZ), math.Abs(float64(2*k-n))
		e := -(m*m/size - 1) / 2
		u += p * e
		u2 += p * e * e
		m1 += p * m
		m2 += p * m * m
		m4 += p * m * m * m * m
	}
	t := thermo(beta, size, u, u2, m1, m2, m4)
	t.LogZ = logZ
	return t, nil
}
