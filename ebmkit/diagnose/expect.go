package diagnose

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Expect returns the mean of f over independent walkers with its standard
// error, as Mean does for a coordinate:
//
//	mean = sum_i w_i f(x_i),   SE^2 = n/(n-1) sum_i w_i^2 (f(x_i) - mean)^2.
//
// For a probability let f be 1 where the event holds and 0 elsewhere. f must not
// keep or change x.
func Expect(e *ebmkit.Ensemble, f func(x []float64) float64) ebmkit.Estimate {
	v := make([]float64, e.N)
	for i := range v {
		v[i] = f(e.Row(i))
	}
	return weightedMean(v, weights(e))
}

// ExpectChain returns the mean of f over all draws of independent walkers. Its
// standard error comes from the spread between walkers,
//
//	v_w = sum_t f(x_tw) / Draws,   mean = sum_w v_w / n,
//	SE^2 = sum_w (v_w - mean)^2 / (n (n-1)),
//
// and so needs no autocorrelation time, but many walkers (n is their number)
// and starts in the target or a burn-in that forgets them. With few long chains
// use FromFunc and Series.Mean. f must not keep or change x.
func ExpectChain(c *ebmkit.Chain, f func(x []float64) float64) ebmkit.Estimate {
	v := make([]float64, c.Walkers)
	for t := range c.Draws {
		e := c.At(t)
		for w := range v {
			v[w] += f(e.Row(w)) / float64(c.Draws)
		}
	}
	return ebmkit.MeanOf(v)
}

// SquaredJump returns the expected squared jump from one ensemble to a later
// one of the same independent walkers, which is what one transition achieves if
// from is in the target (review section 4; Gelman, Roberts and Gilks 1996),
//
//	ESJD = (1/n) sum_i |to_i - from_i|^2.
//
// It panics if the two differ in size.
func SquaredJump(from, to *ebmkit.Ensemble) ebmkit.Estimate {
	if from.N != to.N || from.Dim != to.Dim {
		panic(fmt.Sprintf("diagnose: SquaredJump: %d x %d points against %d x %d", from.N, from.Dim, to.N, to.Dim))
	}
	v := make([]float64, from.N)
	for i, x := range to.X[:to.N*to.Dim] {
		d := x - from.X[i]
		v[i/from.Dim] += d * d
	}
	return ebmkit.MeanOf(v)
}

// Indicator returns 1 if the event holds and 0 if not: what Expect needs to
// estimate a probability.
func Indicator(event bool) float64 {
	if event {
		return 1
	}
	return 0
}

// Coverage returns how often an estimate holds the exact value within k of its
// standard errors, with the standard error of that share. For a normal
// estimator with honest errors it is erf(k/sqrt 2): 68.3 % for k = 1. An
// estimate whose SE is not finite or NaN does not hold it.
func Coverage(estimates []ebmkit.Estimate, exact, k float64) ebmkit.Estimate {
	v := make([]float64, len(estimates))
	for i, e := range estimates {
		v[i] = Indicator(!math.IsInf(e.SE, 0) && math.Abs(e.Value-exact) < k*e.SE)
	}
	return ebmkit.MeanOf(v)
}
