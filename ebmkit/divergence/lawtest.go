package divergence

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// LawTest tests many sets of points, one generator after another, against one
// law that can be sampled: by MMD2 to a set of draws of it, with the null law
// computed once.
//
// Under the null hypothesis MMD^2/(1/n + 1/m) of sets of n and m points has a
// limit law (a weighted sum of centred chi-squares). Limit and SD come from
// permutations of two sets of 500 draws, and are scaled to other sizes by that
// factor; for sets of a few hundred points and more this is good to the error of
// the permutations.
type LawTest struct {
	Data      *ebmkit.Ensemble // draws of the law
	Bandwidth float64          // of the kernel
	Level     float64          // probability of rejecting the law itself
	Limit     float64          // the unbiased MMD^2 of sets as large as Data at that level
	SD        float64          // and its standard deviation
}

// lawTestSize is the size of the sets that are permuted.
const lawTestSize = 500

// NewLawTest draws n points of the law, and the null law from about 1/level
// permutations. The bandwidth is the size of what is to be seen, a mode. It
// returns *ebmkit.ArgError if the law has no exact sampler, n < 2, the bandwidth
// is not positive, or the level is not in [1e-6, 1/2].
func NewLawTest(law ebmkit.Energy, n int, bandwidth, level float64, seed uint64) (*LawTest, error) {
	const fn = "divergence.NewLawTest"
	if n < 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	}
	if !(level >= 1e-6 && level <= 0.5) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "level", Value: level, Want: "a number in [1e-6, 1/2]"}
	}
	all, err := ebmkit.Draw(law, n+2*lawTestSize, seed)
	if err != nil {
		return nil, err
	}
	d := all.Dim
	part := func(lo, hi int) *ebmkit.Ensemble { return &ebmkit.Ensemble{N: hi - lo, Dim: d, X: all.X[lo*d : hi*d]} }
	null, err := MMD2Null(part(n, n+lawTestSize), part(n+lawTestSize, all.N), bandwidth, int(math.Ceil(1/level-1e-9))-1, seed)
	if err != nil {
		return nil, err
	}
	var square float64
	for _, v := range null.Values {
		square += v * v / float64(len(null.Values))
	}
	scale := float64(lawTestSize) / float64(n)
	return &LawTest{Data: part(0, n), Bandwidth: bandwidth, Level: level, Limit: null.Quantile(1-level) * scale, SD: math.Sqrt(square) * scale}, nil
}

// Ratio returns the unbiased MMD^2 between x and Data in units of its limit: x
// is rejected if it is above 1. Errors as MMD2.
func (t *LawTest) Ratio(x *ebmkit.Ensemble) (float64, error) {
	d, err := MMD2(x, t.Data, t.Bandwidth)
	if err != nil {
		return math.NaN(), err
	}
	n, m := float64(t.Data.N), float64(x.N)
	return d.Unbiased.Value / (t.Limit * (1/n + 1/m) / (2 / n)), nil
}

// String prints sizes, level and limit.
func (t *LawTest) String() string {
	return fmt.Sprintf("MMD^2 to %d draws, bandwidth %g: limit %.3g at level %g, %.1f sd of the null", t.Data.N, t.Bandwidth, t.Limit, t.Level, t.Limit/t.SD)
}
