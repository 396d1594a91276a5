package maxent

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Flips tosses a city of fair coins (review section 5, before Assumption 5.1)
// the given number of times and returns the number of heads of each toss. The
// bits come from the stream (seed, "city", coins). It returns *ebmkit.ArgError
// if coins or times is not positive.
func Flips(coins, times int, seed uint64) ([]int, error) {
	const fn = "maxent.Flips"
	if coins < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "coins", Value: coins, Want: "at least one"}
	}
	if times < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "times", Value: times, Want: "at least one"}
	}
	s := ebmkit.NewStream(seed, "city", coins)
	words := make([]uint64, (coins+63)/64)
	unused := 64*len(words) - coins
	heads := make([]int, times)
	for i := range heads {
		s.FillBits(words)
		words[0] >>= unused
		for _, w := range words {
			heads[i] += bits.OnesCount64(w)
		}
	}
	return heads, nil
}

// rarest is the least chance of a total that Conditioned accepts: below it the
// chances of neighbouring totals lose digits.
const rarest = 1e-290

// Conditioned returns the law of one of n fair dice with faces 1 to sides, given
// the total of all n, by exact counting:
//
//	P(face f | total) = P(total of n-1 dice = total - f) / (sides P(total of n dice = total)).
//
// With growing n, at constant total/n, it approaches the law of largest entropy
// of that mean (the conditional limit theorem: Cover and Thomas, Elements of
// Information Theory, chapter 11); ConditionedGap says how fast. Entry f-1
// belongs to face f. It returns *ebmkit.ArgError if sides or n is not positive,
// or the total is impossible or less probable than 1e-290.
func Conditioned(sides, n, total int) ([]float64, error) {
	const fn = "maxent.Conditioned"
	if sides < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "sides", Value: sides, Want: "at least one"}
	}
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least one die"}
	}
	if total < n || total > sides*n {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "total", Value: total, Want: fmt.Sprintf("a number from %d to %d", n, sides*n)}
	}
	rest := []float64{1} // rest[s] is the chance of the total s of the dice so far
	for range n - 1 {
		rest = another(rest, sides)
	}
	chance := another(rest, sides)[total]
	if chance < rarest {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "total", Value: total, Want: fmt.Sprintf("a total of chance at least %g", rarest)}
	}
	law := make([]float64, sides)
	for f := range law {
		if s := total - f - 1; s >= 0 && s < len(rest) {
			law[f] = rest[s] / (float64(sides) * chance)
		}
	}
	return law, nil
}

// another returns the chances of the total with one more fair die.
func another(p []float64, sides int) []float64 {
	q := make([]float64, len(p)+sides)
	for s := range q {
		for f := 1; f <= sides; f++ {
			if i := s - f; i >= 0 && i < len(p) {
				q[s] += p[i]
			}
		}
		q[s] /= float64(sides)
	}
	return q
}

// ConditionedGap returns the leading term, as n grows, of the Kullback-Leibler
// divergence KL(p_n || p) of the law p_n of one of n independent draws given
// their mean from the law p of largest entropy that has this mean,
//
//	(kappa - 1 - gamma^2) / (8 n^2),
//
// with gamma and kappa the skewness and the kurtosis of p. What is conditioned
// on can be tilted to p without changing p_n; then Edgeworth's expansion of
// the sum of the other n-1 draws gives, with z = (x - mean)/sd,
//
//	p_n(x) = p(x) (1 + (1 - z^2 + gamma z)/(2n) + O(1/n^2)),
//
// and the divergence is half the mean square of the correction. x are the
// values and p their probabilities. It returns *ebmkit.ArgError if their
// lengths differ, p is not a law or has no variance, or n is not positive.
func ConditionedGap(x, p []float64, n int) (float64, error) {
	const fn = "maxent.ConditionedGap"
	if len(x) != len(p) {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "p", Value: fmt.Sprintf("%d probabilities", len(p)), Want: fmt.Sprintf("%d, one for each x", len(x))}
	}
	if n < 1 {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least one draw"}
	}
	var mass, mean float64
	for i, w := range p {
		if !(w >= 0) {
			return 0, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("p[%d]", i), Value: w, Want: "a probability"}
		}
		mass += w
		mean += w * x[i]
	}
	if !(math.Abs(mass-1) < 1e-9) {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "p", Value: fmt.Sprintf("sum %g", mass), Want: "probabilities that add up to 1"}
	}
	var m2, m3, m4 float64
	for i, w := range p {
		d := x[i] - mean
		m2 += w * d * d
		m3 += w * d * d * d
		m4 += w * d * d * d * d
	}
	if !(m2 > 0) {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "p", Value: "all in one point", Want: "a law with a variance"}
	}
	skew2, kurt := m3*m3/(m2*m2*m2), m4/(m2*m2)
	return (kurt - 1 - skew2) / (8 * float64(n) * float64(n)), nil
}
