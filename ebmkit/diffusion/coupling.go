package diffusion

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
)

// Coupling pairs the points of two sets of one size: the nu of review
// Definition 3.6, as far as a batch can tell.
type Coupling interface {
	// Pair returns, for each point of x0, the index of its partner in x1. It
	// returns *ebmkit.ArgError if the sets do not fit.
	Pair(x0, x1 *ebmkit.Ensemble, s *ebmkit.Stream) ([]int, error)
}

// Independent pairs points in the order given: independent sets stay
// independent.
type Independent struct{}

// Optimal pairs points such that the sum of squared distances is least: on the
// line by sorting, in more dimensions by the Hungarian method, for sets of up to
// 512 points. The pairing is one-to-one, so both laws are kept exactly. (Tong et
// al. 2024.)
type Optimal struct{}

// Entropic draws the partner of each point of x0 from the entropic transport
// plan of divergence.Sinkhorn, with replacement: Epsilon interpolates between
// Optimal (0) and Independent (infinite). The partners follow x1 only on
// average.
type Entropic struct {
	Epsilon float64 // unit of the squared distance
}

// largestAssignment is the largest set that Optimal pairs off the line; the time
// grows as its cube.
const largestAssignment = 512

func wantPair(fn string, x0, x1 *ebmkit.Ensemble) error {
	if err := wantPoints(fn, "x0", x0, 0); err != nil {
		return err
	}
	if err := wantPoints(fn, "x1", x1, x0.Dim); err != nil {
		return err
	}
	if x0.N != x1.N {
		return &ebmkit.ArgError{Func: fn, Arg: "x1.N", Value: x1.N, Want: fmt.Sprintf("%d, as x0", x0.N)}
	}
	return nil
}

// Pair returns 0, 1, 2, ...
func (Independent) Pair(x0, x1 *ebmkit.Ensemble, _ *ebmkit.Stream) ([]int, error) {
	if err := wantPair("diffusion.Independent.Pair", x0, x1); err != nil {
		return nil, err
	}
	order := make([]int, x0.N)
	for i := range order {
		order[i] = i
	}
	return order, nil
}

// Pair returns the optimal pairing.
func (Optimal) Pair(x0, x1 *ebmkit.Ensemble, _ *ebmkit.Stream) ([]int, error) {
	const fn = "diffusion.Optimal.Pair"
	if err := wantPair(fn, x0, x1); err != nil {
		return nil, err
	}
	if x0.Dim == 1 {
		return sorted(x0.X, x1.X), nil
	}
	if x0.N > largestAssignment {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "x0.N", Value: x0.N, Want: fmt.Sprintf("at most %d (or use Entropic)", largestAssignment)}
	}
	return assign(squaredDistances(x0, x1), x0.N), nil
}

// Pair draws from the plan.
func (c Entropic) Pair(x0, x1 *ebmkit.Ensemble, s *ebmkit.Stream) ([]int, error) {
	const fn = "diffusion.Entropic.Pair"
	if err := wantPair(fn, x0, x1); err != nil {
		return nil, err
	}
	if err := wantPositive(fn, "Entropic.Epsilon", c.Epsilon); err != nil {
		return nil, err
	}
	t, err := divergence.Sinkhorn{Epsilon: c.Epsilon, Tol: 1e-3}.SquaredDistance(x0, x1)
	if err != nil {
		return nil, err
	}
	n := x0.N
	plan, order := t.Plan(nil), make([]int, n)
	for i := range order {
		row := plan[i*n : (i+1)*n]
		var total float64
		for _, p := range row {
			total += p
		}
		u := s.Float64() * total
		for k, p := range row {
			if p > 0 {
				order[i] = k
			}
			if u -= p; u < 0 {
				break
			}
		}
	}
	return order, nil
}

// sorted pairs two sets on the line by rank.
func sorted(x0, x1 []float64) []int {
	rank := func(x []float64) []int {
		r := make([]int, len(x))
		for i := range r {
			r[i] = i
		}
		slices.SortStableFunc(r, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
		return r
	}
	order := make([]int, len(x0))
	r1 := rank(x1)
	for k, i := range rank(x0) {
		order[i] = r1[k]
	}
	return order
}

func squaredDistances(x0, x1 *ebmkit.Ensemble) []float64 {
	c := make([]float64, x0.N*x1.N)
	for i := range x0.N {
		for k := range x1.N {
			for j, v := range x0.Row(i) {
				v -= x1.X[k*x1.Dim+j]
				c[i*x1.N+k] += v * v
			}
		}
	}
	return c
}

// assign returns the permutation p that makes the sum of cost[i*n+p[i]] least:
// the Hungarian method, which adds the rows one after another, each by a
// shortest augmenting path in the reduced costs cost - u - v >= 0.
func assign(cost []float64, n int) []int {
	u, v := make([]float64, n), make([]float64, n)
	rowOf, colOf := make([]int, n), make([]int, n) // partners, -1: none
	for k := range rowOf {
		rowOf[k] = -1
	}
	dist, from := make([]float64, n), make([]int, n) // of columns: length of the path, row before
	done := make([]bool, n)
	for start := range n {
		for k := range n {
			dist[k], done[k] = math.Inf(1), false
		}
		// Grow a tree of shortest paths from the row start to a free column.
		row, low, end := start, 0.0, -1
		for end < 0 {
			best := -1
			for k := range n {
				if done[k] {
					continue
				}
				if c := low + cost[row*n+k] - u[row] - v[k]; c < dist[k] {
					dist[k], from[k] = c, row
				}
				if best < 0 || dist[k] < dist[best] {
					best = k
				}
			}
			low = dist[best]
			done[best] = true
			if row = rowOf[best]; row < 0 {
				end = best
			}
		}
		// New potentials keep the reduced costs at least 0, and 0 along pairs.
		u[start] += low
		for k := range n {
			if done[k] && k != end {
				u[rowOf[k]] += low - dist[k]
				v[k] -= low - dist[k]
			}
		}
		// Exchange pairs along the path.
		for k := end; ; {
			i := from[k]
			rowOf[k] = i
			k, colOf[i] = colOf[i], k
			if i == start {
				break
			}
		}
	}
	return colOf
}
