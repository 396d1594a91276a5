package divergence

import (
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// FisherMonteCarlo estimates the Fisher divergence, review eq. (51), in any
// dimension from n exact draws of p by the second sum of eq. (53), whose factor
// 1/N is missing in print,
//
//	mean of |grad log p(x_i) - grad log q(x_i)|^2,   x_i from p,
//
// with its standard error. It is the mean of FisherTerms: read there when
// neither is to be trusted. Draws are those of ebmkit.Draw(p, n, seed). It
// returns *ebmkit.ArgError if the dimensions differ, p has no exact sampler, p
// or q no gradient, or n < 2.
func FisherMonteCarlo(p, q ebmkit.Energy, n int, seed uint64) (ebmkit.Estimate, error) {
	const fn = "divergence.FisherMonteCarlo"
	if n < 2 {
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	}
	if err := sameDim(fn, p, q); err != nil {
		return ebmkit.Estimate{}, err
	}
	x, err := ebmkit.Draw(p, n, seed)
	if err != nil {
		return ebmkit.Estimate{}, err
	}
	terms, err := FisherTerms(p, q, x)
	if err != nil {
		return ebmkit.Estimate{}, err
	}
	return ebmkit.MeanOf(terms), nil
}

// FisherMonteCarloRuns repeats FisherMonteCarlo so many times with the seeds
// seed, seed + 1 and so on: what a reader of one run does not see. Their Median
// is what a run typically gives, diagnose.Coverage how often the error bars hold
// the exact value. It returns *ebmkit.ArgError if runs < 1, and as
// FisherMonteCarlo.
func FisherMonteCarloRuns(p, q ebmkit.Energy, n, runs int, seed uint64) ([]ebmkit.Estimate, error) {
	if runs < 1 {
		return nil, &ebmkit.ArgError{Func: "divergence.FisherMonteCarloRuns", Arg: "runs", Value: runs, Want: "at least 1"}
	}
	all := make([]ebmkit.Estimate, runs)
	for r := range all {
		e, err := FisherMonteCarlo(p, q, n, seed+uint64(r))
		if err != nil {
			return nil, err
		}
		all[r] = e
	}
	return all, nil
}

// Median returns the median of the values of estimates, the middle one or the
// mean of the two in the middle: a typical run, where the mean is that of a few
// lucky ones. It is NaN if there are none.
func Median(estimates []ebmkit.Estimate) float64 {
	n := len(estimates)
	if n == 0 {
		return math.NaN()
	}
	v := make([]float64, n)
	for i, e := range estimates {
		v[i] = e.Value
	}
	slices.Sort(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
