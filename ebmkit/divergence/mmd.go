package divergence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/gemm"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Discrepancy is the square of a kernel distance between the laws of two sets of
// independent points.
type Discrepancy struct {
	// Unbiased is the estimate without the pairs of a point with itself; it may
	// be negative. SE has the part that is linear in the points and the part that
	// is left when the laws agree. In that case the estimate is not normal and SE
	// is on the safe side, by about a third; a level is to be read from MMD2Null or
	// EnergyDistanceNull.
	Unbiased ebmkit.Estimate
	// Biased is the square of the distance between the sets themselves, never
	// negative. As an estimate for the laws it is biased upwards, by about
	// (E k(x,x) - E k(x,x'))/n + (E k(y,y) - E k(y,y'))/m.
	Biased float64
}

// MMD2 estimates the square of the maximum mean discrepancy of two sets of
// points with the Gaussian kernel k(x, y) = exp(-|x-y|^2/(2 bandwidth^2)),
//
//	MMD^2 = E k(x, x') - 2 E k(x, y) + E k(y, y'),
//
// where x, x', y, y' are independent. It has no unit. Sizes may differ. (Gretton,
// Borgwardt, Rasch, Schoelkopf and Smola 2012.) It returns *ebmkit.ArgError if
// the sets have different dimensions, are of fewer than 2 points, weighted or
// not finite, or if the bandwidth is not positive.
func MMD2(x, y *ebmkit.Ensemble, bandwidth float64) (Discrepancy, error) {
	p, err := gaussianPairs("divergence.MMD2", x, y, bandwidth)
	if err != nil {
		return Discrepancy{}, err
	}
	return p.discrepancy(), nil
}

// MMD2Null returns the null law of the unbiased estimate of MMD2 from so many
// permutations, all in one sweep over the kernel. Conditions and errors as MMD2
// and PermutationNull.
func MMD2Null(x, y *ebmkit.Ensemble, bandwidth float64, permutations int, seed uint64) (*Null, error) {
	const fn = "divergence.MMD2Null"
	p, err := gaussianPairs(fn, x, y, bandwidth)
	if err != nil {
		return nil, err
	}
	return p.null(fn, permutations, seed)
}

// EnergyDistance estimates the square of the energy distance of two sets of
// points,
//
//	D^2 = 2 E|x - y| - E|x - x'| - E|y - y'|,
//
// in the unit of x: MMD2 with the kernel -|x - y|, which has no bandwidth to
// choose. On the line D^2 = 2 integral of (F_x - F_y)^2. (Szekely and Rizzo
// 2013.) Errors as MMD2.
func EnergyDistance(x, y *ebmkit.Ensemble) (Discrepancy, error) {
	p, err := distancePairs("divergence.EnergyDistance", x, y)
	if err != nil {
		return Discrepancy{}, err
	}
	return p.discrepancy(), nil
}

// EnergyDistanceNull returns the null law of the unbiased estimate of
// EnergyDistance. Conditions and errors as MMD2Null.
func EnergyDistanceNull(x, y *ebmkit.Ensemble, permutations int, seed uint64) (*Null, error) {
	const fn = "divergence.EnergyDistanceNull"
	p, err := distancePairs(fn, x, y)
	if err != nil {
		return nil, err
	}
	return p.null(fn, permutations, seed)
}

// MedianDistance returns the median distance between different points of the
// union of x and y, the usual bandwidth of MMD2. Of large sets it takes 1000
// points, evenly spaced in the order given. Errors as MMD2.
func MedianDistance(x, y *ebmkit.Ensemble) (float64, error) {
	if err := wantPoints("divergence.MedianDistance", x, y); err != nil {
		return 0, err
	}
	n := x.N + y.N
	k := min(n, 1000)
	row := func(i int) []float64 {
		i = i * n / k
		if i < x.N {
			return x.Row(i)
		}
		return y.Row(i - x.N)
	}
	d2 := make([]float64, 0, k*(k-1)/2)
	for i := range k {
		for j := range i {
			d2 = append(d2, squaredDistance(row(i), row(j)))
		}
	}
	slices.Sort(d2)
	return math.Sqrt(d2[len(d2)/2]), nil
}

func squaredDistance(a, b []float64) float64 {
	var s float64
	for j, v := range a {
		s += (v - b[j]) * (v - b[j])
	}
	return s
}

// pairs is the matrix of a kernel over the union of two sets, n points of x
// before m of y. It is never stored: tiles of pairBlock points by pairBlock
// points are computed as they are needed. Blocks do not straddle the two sets.
type pairs struct {
	n, m   int
	starts []int   // of the blocks, and n+m at the end
	self   float64 // k(x, x)
	tile   func(dst []float64, rows, cols int, s *gemm.Scratch[float64])
}

const pairBlock = 128

func newPairs(x, y *ebmkit.Ensemble) *pairs {
	p := &pairs{n: x.N, m: y.N}
	for i := 0; i < x.N; i += pairBlock {
		p.starts = append(p.starts, i)
	}
	for i := 0; i < y.N; i += pairBlock {
		p.starts = append(p.starts, x.N+i)
	}
	p.starts = append(p.starts, x.N+y.N)
	return p
}

func (p *pairs) blocks() int    { return len(p.starts) - 1 }
func (p *pairs) size(b int) int { return p.starts[b+1] - p.starts[b] }

// set returns 0 for a block of x, 1 for one of y.
func (p *pairs) set(b int) int {
	if p.starts[b] < p.n {
		return 0
	}
	return 1
}

// gaussianPairs is the Gaussian kernel. The exponent is one matrix product,
//
//	-|x-y|^2/2 = [x, -|x|^2/2, 1] . [y, 1, -|y|^2/2],
//
// of points in units of the bandwidth from their common mean.
func gaussianPairs(fn string, x, y *ebmkit.Ensemble, bandwidth float64) (*pairs, error) {
	if err := wantPoints(fn, x, y); err != nil {
		return nil, err
	}
	if !(bandwidth > 0) || math.IsInf(bandwidth, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "bandwidth", Value: bandwidth, Want: "a positive finite number"}
	}
	p := newPairs(x, y)
	p.self = 1
	d, total := x.Dim, x.N+y.N
	mean := make([]float64, d)
	for _, e := range []*ebmkit.Ensemble{x, y} {
		for i := range e.N {
			vmath.Axpy(mean, 1/float64(total), e.Row(i))
		}
	}
	w := d + 2
	left, right := make([]float64, total*w), make([]float64, total*w)
	for i := range total {
		var row []float64
		if i < x.N {
			row = x.Row(i)
		} else {
			row = y.Row(i - x.N)
		}
		l, r := left[i*w:(i+1)*w], right[i*w:(i+1)*w]
		var half float64
		for j, v := range row {
			v = (v - mean[j]) / bandwidth
			l[j], r[j] = v, v
			half += v * v / 2
		}
		l[d], l[d+1] = -half, 1
		r[d], r[d+1] = 1, -half
	}
	packed := make([]gemm.Packed[float64], p.blocks())
	for b := range packed {
		packed[b].Pack(gemm.Of(right[p.starts[b]*w:], p.size(b), w).T())
	}
	p.tile = func(dst []float64, rows, cols int, s *gemm.Scratch[float64]) {
		a := gemm.Of(left[p.starts[rows]*w:], p.size(rows), w)
		s.MulPacked(gemm.Of(dst, p.size(rows), p.size(cols)), 1, a, &packed[cols], 0)
		vmath.ExpSlice(dst, dst)
	}
	return p, nil
}

// distancePairs is the kernel -|x - y|, by differences, so that points that are
// close or equal keep their digits.
func distancePairs(fn string, x, y *ebmkit.Ensemble) (*pairs, error) {
	if err := wantPoints(fn, x, y); err != nil {
		return nil, err
	}
	p := newPairs(x, y)
	all := &ebmkit.Ensemble{N: x.N + y.N, Dim: x.Dim, X: slices.Concat(x.X, y.X)}
	cols := columns(all)
	p.tile = func(dst []float64, rows, c int, _ *gemm.Scratch[float64]) {
		yt := make([][]float64, len(cols))
		for k := range yt {
			yt[k] = cols[k][p.starts[c]:p.starts[c+1]]
		}
		w := p.size(c)
		for i := range p.size(rows) {
			row := dst[i*w : (i+1)*w]
			squaredDistances(row, all.Row(p.starts[rows]+i), yt)
			for j, v := range row {
				row[j] = -math.Sqrt(v)
			}
		}
	}
	return p, nil
}

// pairSums are sums over the kernel without its diagonal.
type pairSums struct {
	rows    [2][]float64  // rows[g][i]: over the points of set g, for each point i
	squares [2][2]float64 // of the squares over pairs of two sets
}

// sums sweeps over the upper half of the matrix. Task t does the rows of blocks
// t, t + tasks, ...: their number and the order of addition depend on the sizes
// alone.
func (p *pairs) sums() pairSums {
	total, blocks := p.n+p.m, p.blocks()
	tasks := min(blocks, 16)
	parts := make([]pairSums, tasks)
	par.For(context.Background(), tasks, func(task int) {
		s := pairSums{rows: [2][]float64{make([]float64, total), make([]float64, total)}}
		var scratch gemm.Scratch[float64]
		buf := make([]float64, pairBlock*pairBlock)
		for r := task; r < blocks; r += tasks {
			for c := r; c < blocks; c++ {
				h, w := p.size(r), p.size(c)
				tile := buf[:h*w]
				p.tile(tile, r, c, &scratch)
				if r == c {
					for i := range h {
						tile[i*w+i] = 0
					}
				}
				across, down := s.rows[p.set(c)][p.starts[r]:], s.rows[p.set(r)][p.starts[c]:p.starts[c+1]]
				for i := range h {
					row := tile[i*w : (i+1)*w]
					across[i] += vmath.Sum(row)
					if r != c {
						vmath.Axpy(down, 1, row)
					}
				}
				q := vmath.Dot(tile, tile)
				s.squares[p.set(r)][p.set(c)] += q
				if r != c {
					s.squares[p.set(c)][p.set(r)] += q
				}
			}
		}
		parts[task] = s
	})
	s := parts[0]
	for _, part := range parts[1:] {
		for g := range 2 {
			vmath.Axpy(s.rows[g], 1, part.rows[g])
			for h := range 2 {
				s.squares[g][h] += part.squares[g][h]
			}
		}
	}
	return s
}

// discrepancy turns the sums into estimates. With h(x) the mean of k(x, x') -
// k(x, y) and g(y) likewise, Hoeffding's decomposition gives
//
//	Var = 4 Var h/n + 4 Var g/m + second,
//	second = 2 Vxx/(n(n-1)) + 2 Vyy/(m(m-1)) + 4 Vxy/(n m),
//
// V being the variance of the kernel less the parts that depend on one point
// alone. The sample variances of h and g contain twice the second term.
func (p *pairs) discrepancy() Discrepancy {
	s := p.sums()
	n, m := float64(p.n), float64(p.m)
	size := [2]float64{n, m}
	var h [2][]float64
	var own, pure [2]float64 // mean of the kernel within a set, and its second-order variance
	cross, pureCross := 0.0, s.squares[0][1]/(n*m)
	for g, lo, hi := 0, 0, p.n; g < 2; g, lo, hi = g+1, p.n, p.n+p.m {
		within, between := s.rows[g][lo:hi], s.rows[1-g][lo:hi]
		a, b := size[g], size[1-g]
		h[g] = make([]float64, hi-lo)
		cross = 0
		var rows2, between2 float64
		for i := range within {
			own[g] += within[i]
			cross += between[i]
			rows2 += within[i] * within[i]
			between2 += between[i] * between[i]
			h[g][i] = within[i]/(a-1) - between[i]/b
		}
		own[g] /= a * (a - 1)
		cross /= n * m
		pure[g] = s.squares[g][g]/(a*(a-1)) - 2*rows2/(a*(a-1)*(a-1)) + own[g]*own[g]
		pureCross -= between2 / (a * b * b)
	}
	pureCross += cross * cross
	second := 2*max(pure[0], 0)/(n*(n-1)) + 2*max(pure[1], 0)/(m*(m-1)) + 4*max(pureCross, 0)/(n*m)
	hx, hy := ebmkit.MeanOf(h[0]).SE, ebmkit.MeanOf(h[1]).SE
	both := 4*hx*hx + 4*hy*hy
	return Discrepancy{
		Unbiased: ebmkit.Estimate{
			Value: own[0] + own[1] - 2*cross,
			SE:    math.Sqrt(max(both-second, second)),
		},
		Biased: (own[0]*(n-1)+p.self)/n + (own[1]*(m-1)+p.self)/m - 2*cross,
	}
}

// nullGroup is the number of permutations in one product.
const nullGroup = 256

// null computes a'Ka for the indicators a of random sets of n points: with the
// row sums of K it gives all three sums of the statistic.
func (p *pairs) null(fn string, permutations int, seed uint64) (*Null, error) {
	if permutations < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "permutations", Value: permutations, Want: "at least 1"}
	}
	s := p.sums()
	total := p.n + p.m
	var all float64
	rows := make([]float64, total)
	for i := range rows {
		rows[i] = s.rows[0][i] + s.rows[1][i]
		all += rows[i]
	}
	n, m := float64(p.n), float64(p.m)
	statistic := func(inside, touching float64) float64 {
		xx, xy := inside, touching-inside
		yy := all - 2*touching + inside
		return xx/(n*(n-1)) + yy/(m*(m-1)) - 2*xy/(n*m)
	}
	var inside, touching float64
	for i := range p.n {
		inside += s.rows[0][i]
		touching += rows[i]
	}
	null := &Null{Observed: statistic(inside, touching), Values: make([]float64, permutations)}
	blocks := p.blocks()
	for first := 0; first < permutations; first += nullGroup {
		w := min(nullGroup, permutations-first)
		in := make([]float64, total*w)
		touch := make([]float64, w)
		for k := range w {
			for _, i := range permutation(total, seed, first+k)[:p.n] {
				in[i*w+k] = 1
				touch[k] += rows[i]
			}
		}
		packed := make([]gemm.Packed[float64], blocks)
		for b := range packed {
			packed[b].Pack(gemm.Of(in[p.starts[b]*w:], p.size(b), w))
		}
		sums := make([][]float64, blocks)
		par.For(context.Background(), blocks, func(r int) {
			var scratch gemm.Scratch[float64]
			buf, product := make([]float64, pairBlock*pairBlock), make([]float64, p.size(r)*w)
			beta := 0.0
			for c := range blocks {
				h, wide := p.size(r), p.size(c)
				tile := buf[:h*wide]
				p.tile(tile, r, c, &scratch)
				if r == c {
					for i := range h {
						tile[i*wide+i] = 0
					}
				}
				scratch.MulPacked(gemm.Of(product, h, w), 1, gemm.Of(tile, h, wide), &packed[c], beta)
				beta = 1
			}
			sum := make([]float64, w)
			for i := range p.size(r) {
				a := in[(p.starts[r]+i)*w:]
				for k, v := range product[i*w : (i+1)*w] {
					sum[k] += a[k] * v
				}
			}
			sums[r] = sum
		})
		for _, sum := range sums[1:] {
			vmath.Axpy(sums[0], 1, sum)
		}
		for k := range w {
			null.Values[first+k] = statistic(sums[0][k], touch[k])
		}
	}
	slices.Sort(null.Values)
	return null, nil
}

// String prints the unbiased estimate with its error, and the biased one.
func (d Discrepancy) String() string {
	return fmt.Sprintf("%v (biased %.6g)", d.Unbiased, d.Biased)
}
