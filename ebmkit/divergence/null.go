package divergence

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Null is the law of a statistic of two sets of points if both came from one
// law, estimated by dealing out their union at random again and again. It is
// what a distance between sets must exceed before it means anything.
type Null struct {
	Observed float64   // the statistic of the sets as they are
	Values   []float64 // of the permutations, ascending
}

// PValue returns the share of permutations with a statistic at least as large
// as the observed one, which counts as a permutation itself: a valid level for
// any number of permutations, never below 1/(1 + len(Values)).
func (n *Null) PValue() float64 {
	i, _ := slices.BinarySearch(n.Values, n.Observed)
	return float64(1+len(n.Values)-i) / float64(1+len(n.Values))
}

// Quantile returns the value that the statistic exceeds with probability at
// most 1 - p if the laws are equal. It is +Inf if there are too few
// permutations to say: for p = 0.95 at least 19 are needed. It panics if p is
// not in (0, 1).
func (n *Null) Quantile(p float64) float64 {
	if !(p > 0 && p < 1) {
		panic("divergence: Null.Quantile: p is not in (0, 1)")
	}
	k := int(math.Ceil(p*float64(len(n.Values)+1) - 1e-9))
	if k > len(n.Values) {
		return math.Inf(1)
	}
	return n.Values[max(k, 1)-1]
}

// String prints the observed value, the 95 % quantile and the p-value.
func (n *Null) String() string {
	return fmt.Sprintf("%.6g (95 %% of %d permutations below %.6g, p = %.4g)", n.Observed, len(n.Values), n.Quantile(0.95), n.PValue())
}

// PermutationNull returns the null law of any statistic, such as
//
//	func(x, y *ebmkit.Ensemble) (float64, error) {
//		e, err := divergence.SlicedW2(x, y, 50, 1)
//		return e.Value, err
//	}
//
// from so many permutations of the union of x and y, made from the seed. The
// points must be independent: of correlated draws of a chain the null is too
// narrow. MMD2Null is the faster form for MMD. It returns *ebmkit.ArgError for
// sets that are empty, weighted, not finite or of different dimensions, or if
// permutations < 1, and the errors of the statistic.
func PermutationNull(x, y *ebmkit.Ensemble, statistic func(x, y *ebmkit.Ensemble) (float64, error), permutations int, seed uint64) (*Null, error) {
	const fn = "divergence.PermutationNull"
	if err := wantPoints(fn, x, y); err != nil {
		return nil, err
	}
	if permutations < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "permutations", Value: permutations, Want: "at least 1"}
	}
	observed, err := statistic(x, y)
	if err != nil {
		return nil, err
	}
	null := &Null{Observed: observed, Values: make([]float64, permutations)}
	all := &ebmkit.Ensemble{N: x.N + y.N, Dim: x.Dim, X: make([]float64, len(x.X)+len(y.X))}
	a, b := all.Slice(0, x.N), all.Slice(x.N, all.N)
	for k := range null.Values {
		for i, p := range permutation(x.N+y.N, seed, k) {
			from := x
			if p >= x.N {
				from, p = y, p-x.N
			}
			copy(all.Row(i), from.Row(p))
		}
		if null.Values[k], err = statistic(&a, &b); err != nil {
			return nil, err
		}
	}
	slices.Sort(null.Values)
	return null, nil
}

// permutation returns the k-th permutation of 0, ..., n-1.
func permutation(n int, seed uint64, k int) []int {
	s := ebmkit.NewStream(seed, "permutation", k)
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := s.IntN(i + 1)
		p[i], p[j] = p[j], p[i]
	}
	return p
}
