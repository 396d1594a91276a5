// Package markov computes with Markov chains on finitely many states, where
// everything said about transition kernels (review section 4) is a statement
// about matrices: the law after a step, stationarity, detailed balance, the rate
// of convergence. It is the exact side of package mcmc: a density on a grid, a
// proposal on a grid, mcmc.MetropolisMatrix.
//
// # Conventions
//
// A law is a slice p of n probabilities. A kernel is a row-major n x n matrix t
// with t[i*n+j] = T(i, j), the probability of going from i to j; laws are row
// vectors, so that the law after a step is p T. Functions panic if a slice has
// the wrong length.
package markov

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Boltzmann returns the law of n states with energies u, review eq. (5):
//
//	p_i = exp(-u_i) / sum_j exp(-u_j).
//
// u_i = +Inf gives 0. If no u is finite, or one is NaN, the law is NaN.
func Boltzmann(u []float64) []float64 {
	low := math.Inf(1)
	for _, v := range u {
		low = math.Min(low, v)
	}
	p := make([]float64, len(u))
	var z float64
	for i, v := range u {
		p[i] = vmath.Exp(low - v)
		z += p[i]
	}
	for i := range p {
		p[i] /= z
	}
	return p
}

// Kernel returns the n x n kernel whose row i is Boltzmann of u(i, 0), ..,
// u(i, n-1): for a density g(x'|x) on a grid, u(i, j) = -log g(x_j|x_i).
func Kernel(n int, u func(from, to int) float64) []float64 {
	t := make([]float64, n*n)
	row := make([]float64, n)
	for i := range n {
		for j := range n {
			row[j] = u(i, j)
		}
		copy(t[i*n:], Boltzmann(row))
	}
	return t
}

// Scan returns the kernel that draws one of two variables from its law given the
// other. The states are pairs (a, b) of nb values of b, numbered a*nb + b; axis
// 0 draws a given b, axis 1 draws b given a:
//
//	T((a, b), (a', b)) = p(a', b) / sum_c p(c, b)   for axis 0.
//
// Product of both is one systematic scan of the Gibbs sampler. It panics unless
// nb divides len(p) and axis is 0 or 1.
func Scan(p []float64, nb, axis int) []float64 {
	n := len(p)
	if nb < 1 || n%nb != 0 || axis != 0 && axis != 1 {
		panic(fmt.Sprintf("markov: Scan of %d states with nb = %d, axis %d", n, nb, axis))
	}
	line := func(i int) int { return i % nb } // what stays
	if axis == 1 {
		line = func(i int) int { return i / nb }
	}
	total := make([]float64, n)
	for i := range n {
		total[line(i)] += p[i]
	}
	t := make([]float64, n*n)
	for i := range n {
		for j := range n {
			if line(i) == line(j) {
				t[i*n+j] = p[j] / total[line(i)]
			}
		}
	}
	return t
}

// Product returns the kernel of a step of s followed by a step of t, S T.
func Product(s, t []float64) []float64 {
	n := order(s)
	if len(t) != len(s) {
		panic(fmt.Sprintf("markov: product of %d and %d numbers", len(s), len(t)))
	}
	out := make([]float64, n*n)
	for i := range n {
		copy(out[i*n:], Push(s[i*n:(i+1)*n], t))
	}
	return out
}

// Push returns the law after one step from the law p, review eq. (75) for a
// kernel with the Markov property, eq. (76):
//
//	(p T)_j = sum_i p_i T(i, j).
func Push(p, t []float64) []float64 {
	n := len(p)
	if len(t) != n*n {
		panic(fmt.Sprintf("markov: kernel of %d numbers for %d states", len(t), n))
	}
	out := make([]float64, n)
	for i, a := range p {
		for j, v := range t[i*n : (i+1)*n] {
			out[j] += a * v
		}
	}
	return out
}

// Evolve returns the law after k steps from the law p, p T^k. It panics if k is
// negative.
func Evolve(p, t []float64, k int) []float64 {
	if k < 0 {
		panic(fmt.Sprintf("markov: Evolve by %d steps", k))
	}
	p = append([]float64(nil), p...)
	for range k {
		p = Push(p, t)
	}
	return p
}

// RowSums returns sum_j T(i, j) for each i: ones, if t is a kernel.
func RowSums(t []float64) []float64 {
	n := order(t)
	sums := make([]float64, n)
	for i := range t {
		sums[i/n] += t[i]
	}
	return sums
}

// TV returns the total variation distance of two laws, sum_i |p_i - q_i| / 2.
func TV(p, q []float64) float64 {
	if len(p) != len(q) {
		panic(fmt.Sprintf("markov: laws of %d and %d states", len(p), len(q)))
	}
	var s float64
	for i := range p {
		s += math.Abs(p[i] - q[i])
	}
	return s / 2
}

// Drift returns how far p is from stationary, review eq. (78):
//
//	max_j |(p T)_j - p_j|.
func Drift(p, t []float64) float64 {
	var worst float64
	for j, v := range Push(p, t) {
		worst = math.Max(worst, math.Abs(v-p[j]))
	}
	return worst
}

// Flow returns the net flow of probability from i to j in a step, the n x n
// antisymmetric matrix
//
//	F_ij = p_i T(i, j) - p_j T(j, i).
//
// It is zero if and only if p and T are in detailed balance, review eq. (79). For
// Metropolis-Hastings both terms are min{p_i g(j|i), p_j g(i|j)}, eq. (81).
func Flow(p, t []float64) []float64 {
	n := order(t)
	if len(p) != n {
		panic(fmt.Sprintf("markov: kernel of %d states for %d states", n, len(p)))
	}
	f := make([]float64, n*n)
	for i := range n {
		for j := range n {
			f[i*n+j] = p[i]*t[i*n+j] - p[j]*t[j*n+i]
		}
	}
	return f
}

// Imbalance returns the largest entry of Flow: 0 in detailed balance.
func Imbalance(p, t []float64) float64 {
	var worst float64
	for _, v := range Flow(p, t) {
		worst = math.Max(worst, math.Abs(v))
	}
	return worst
}

// CrossingRate returns the probability that a step of the stationary chain goes
// from the states where left is true to the others,
//
//	sum over i left, j not of p_i T(i, j).
//
// Its inverse is the mean number of steps from one such crossing to the next.
func CrossingRate(p, t []float64, left func(i int) bool) float64 {
	n := order(t)
	if len(p) != n {
		panic(fmt.Sprintf("markov: kernel of %d states for %d states", n, len(p)))
	}
	var rate float64
	for i := range n {
		if !left(i) {
			continue
		}
		for j := range n {
			if !left(j) {
				rate += p[i] * t[i*n+j]
			}
		}
	}
	return rate
}

// order returns n of an n x n matrix.
func order(t []float64) int {
	n := int(math.Sqrt(float64(len(t))))
	if n*n != len(t) {
		panic(fmt.Sprintf("markov: kernel of %d numbers is not square", len(t)))
	}
	return n
}
