package divergence

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Sinkhorn solves optimal transport with an entropy term,
//
//	minimise over plans P >= 0 with row sums a and column sums b
//	sum_ij P_ij C_ij + Epsilon KL(P || a b'),
//
// by Sinkhorn's iteration on the potentials, in the log domain: no Epsilon is
// too small for the arithmetic, but the iterations needed grow as max C/Epsilon.
// (Cuturi 2013.)
type Sinkhorn struct {
	// Epsilon is the weight of the entropy, in the unit of the cost. As it goes
	// to 0 the cost goes down to that of optimal transport.
	Epsilon float64
	// Iterations is the largest number of iterations. Default 1000.
	Iterations int
	// Tol is the marginal error at which to stop; 0: run all Iterations.
	Tol float64
}

// Transport is what Sinkhorn found. Its column sums are right to rounding, its
// row sums to MarginalError.
type Transport struct {
	// Cost is sum_ij P_ij C_ij. With the squared distance as cost it is an
	// upper bound of W2^2 (not of W2), if MarginalError is 0.
	Cost float64
	// Regularized is Cost + Epsilon KL(P || a b'), what is minimised.
	Regularized float64
	// Dual is a lower bound of the smallest Regularized, whatever the marginal
	// errors: sum a f + sum b g - Epsilon (sum P - 1).
	Dual float64

	Iterations    int
	MarginalError float64 // sum_i |sum_j P_ij - a_i|
	Converged     bool    // MarginalError <= Tol

	F, G []float64 // potentials of the n points of x and the m of y, unit of the cost

	epsilon float64
	a, b    []float64
	scaled  []float64 // -C/Epsilon, n x m
	ones    []float64 // m
}

// String prints cost, iterations and marginal error.
func (t *Transport) String() string {
	return fmt.Sprintf("cost %.8g after %d iterations, marginal error %.2g", t.Cost, t.Iterations, t.MarginalError)
}

// Plan writes the n x m plan, row-major,
//
//	P_ij = a_i b_j exp((F_i + G_j - C_ij)/Epsilon),
//
// into dst (allocated if nil). It panics on a wrong length.
func (t *Transport) Plan(dst []float64) []float64 {
	n, m := len(t.a), len(t.b)
	if dst == nil {
		dst = make([]float64, n*m)
	}
	if len(dst) != n*m {
		panic("divergence: Transport.Plan: len(dst) is not rows*columns")
	}
	u, v := t.logScalings()
	for i := range n {
		row := dst[i*m : (i+1)*m]
		t.exponents(row, t.scaled[i*m:(i+1)*m], v, u[i])
		vmath.ExpSlice(row, row)
	}
	return dst
}

// logScalings returns the logs of the row and column factors of the plan.
func (t *Transport) logScalings() (u, v []float64) {
	u, v = make([]float64, len(t.a)), make([]float64, len(t.b))
	for i, f := range t.F {
		u[i] = f/t.epsilon + vmath.Log(t.a[i])
	}
	for j, g := range t.G {
		v[j] = g/t.epsilon + vmath.Log(t.b[j])
	}
	return u, v
}

// SquaredDistance transports the points of x to those of y, all of equal
// weight, at the cost |x_i - y_j|^2. Transport.Cost estimates W2^2: it is biased
// upwards by the entropy, by about d Epsilon/2 for small Epsilon, and by the
// sampling of the points as W2 is. It returns *ebmkit.ArgError for sets that are
// empty, weighted, not finite or of different dimensions, and as Solve.
func (s Sinkhorn) SquaredDistance(x, y *ebmkit.Ensemble) (*Transport, error) {
	const fn = "divergence.Sinkhorn.SquaredDistance"
	if err := wantPoints(fn, x, y); err != nil {
		return nil, err
	}
	cost := make([]float64, x.N*y.N)
	yt := columns(y)
	par.For(context.Background(), x.N, func(i int) {
		squaredDistances(cost[i*y.N:(i+1)*y.N], x.Row(i), yt)
	})
	return s.Solve(equal(x.N), equal(y.N), cost)
}

// squaredDistances writes |x - y_j|^2 into dst, from the coordinates of the y.
func squaredDistances(dst, x []float64, yt [][]float64) {
	clear(dst)
	for k, c := range yt {
		xk := x[k]
		for j, v := range c[:len(dst)] {
			dst[j] += (xk - v) * (xk - v)
		}
	}
}

func equal(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1 / float64(n)
	}
	return w
}

// sinkhornRows is the number of rows in one block of the parallel loop; column
// sums are added block by block.
const sinkhornRows = 64

// tiny is a sum of exponentials below which some of them may have underflowed.
const tiny = 1e-280

// Solve transports the weights a of n points to the weights b of m points;
// cost is n x m, row-major, and may have entries +Inf (forbidden pairs). The
// weights are divided by their sums. It returns *ebmkit.ArgError for wrong
// lengths, weights that are not positive, a cost that is NaN or -Inf, a point
// without a partner, or Epsilon, Iterations or Tol out of range.
func (s Sinkhorn) Solve(a, b, cost []float64) (*Transport, error) {
	const fn = "divergence.Sinkhorn.Solve"
	fail := func(arg string, value any, want string) (*Transport, error) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if !(s.Epsilon > 0) || math.IsInf(s.Epsilon, 1) {
		return fail("Epsilon", s.Epsilon, "a positive finite number")
	}
	if s.Iterations < 0 {
		return fail("Iterations", s.Iterations, "at least 1, or 0 for 1000")
	}
	if s.Iterations == 0 {
		s.Iterations = 1000
	}
	if !(s.Tol >= 0) {
		return fail("Tol", s.Tol, "at least 0")
	}
	n, m := len(a), len(b)
	if n == 0 || m == 0 || len(cost) != n*m {
		return fail("len(cost)", len(cost), fmt.Sprintf("len(a)*len(b) = %d, not zero", n*m))
	}
	t := &Transport{epsilon: s.Epsilon, scaled: make([]float64, n*m), F: make([]float64, n), G: make([]float64, m)}
	var err error
	if t.a, err = weights(fn, "a", a); err != nil {
		return nil, err
	}
	if t.b, err = weights(fn, "b", b); err != nil {
		return nil, err
	}
	partner := make([]bool, m)
	for i := range n {
		some := false
		for j, c := range cost[i*m : (i+1)*m] {
			if math.IsNaN(c) || math.IsInf(c, -1) {
				return fail(fmt.Sprintf("cost[%d][%d]", i, j), c, "a number above -Inf")
			}
			if !math.IsInf(c, 1) {
				some, partner[j] = true, true
			}
			t.scaled[i*m+j] = -c / s.Epsilon
		}
		if !some {
			return fail(fmt.Sprintf("cost[%d]", i), "+Inf in the whole row", "a point that can be transported somewhere")
		}
	}
	for j, some := range partner {
		if !some {
			return fail(fmt.Sprintf("cost[.][%d]", j), "+Inf in the whole column", "a point that can be reached")
		}
	}
	t.ones = make([]float64, m)
	for j := range t.ones {
		t.ones[j] = 1
	}
	t.iterate(s)
	return t, nil
}

// weights returns w divided by its sum.
func weights(fn, arg string, w []float64) ([]float64, error) {
	var sum float64
	for i, v := range w {
		if !(v > 0) || math.IsInf(v, 1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d]", arg, i), Value: v, Want: "a positive finite number (leave points of weight 0 out)"}
		}
		sum += v
	}
	out := make([]float64, len(w))
	for i, v := range w {
		out[i] = v / sum
	}
	return out, nil
}

// iterate runs Sinkhorn's iteration. One sweep over the matrix does both
// halves: with P the plan so far, whose columns are right, the row sums r give
// the new row factors a/r, and the sums of the columns of P, each row times
// a_i/r_i, the new column factors. So one exponential per entry and iteration is
// enough, and none overflows, because no entry exceeds its column's weight. A
// sum that is so small that terms may have underflowed is taken again with the
// largest exponent in front.
func (t *Transport) iterate(s Sinkhorn) {
	n, m := len(t.a), len(t.b)
	u, v := make([]float64, n), make([]float64, m) // P_ij = exp(u_i + v_j + scaled_ij)
	next := make([]float64, n)                     // u of the next plan
	logA, logB := make([]float64, n), make([]float64, m)
	vmath.LogSlice(logA, t.a)
	vmath.LogSlice(logB, t.b)
	blocks := (n + sinkhornRows - 1) / sinkhornRows
	rowSums := make([]float64, n)
	colSums := make([][]float64, blocks)
	scratch := make([][]float64, blocks)
	for k := range blocks {
		colSums[k], scratch[k] = make([]float64, m), make([]float64, m)
	}
	// A start that is right in the columns: v_j = log b_j - log sum_i exp.
	t.columns(u, v, logB, nil)
	sweep := func(block int) {
		sums, e := colSums[block], scratch[block]
		clear(sums)
		for i := block * sinkhornRows; i < min((block+1)*sinkhornRows, n); i++ {
			t.exponents(e, t.scaled[i*m:(i+1)*m], v, u[i])
			vmath.ExpSlice(e, e)
			r := vmath.Sum(e)
			rowSums[i] = r
			if r > tiny {
				next[i] = u[i] + logA[i] - vmath.Log(r)
				vmath.Axpy(sums, t.a[i]/r, e)
				continue
			}
			t.exponents(e, t.scaled[i*m:(i+1)*m], v, 0)
			next[i] = logA[i] - vmath.LogSumExp(e)
			t.exponents(e, e, nil, next[i])
			vmath.ExpSlice(e, e)
			vmath.Axpy(sums, 1, e)
		}
	}
	lost := make([]int, 0, m)
	for t.Iterations < s.Iterations {
		par.For(context.Background(), blocks, sweep)
		if t.MarginalError = marginalError(rowSums, t.a); t.Iterations > 0 && t.MarginalError <= s.Tol && s.Tol > 0 {
			break
		}
		t.Iterations++
		u, next = next, u
		sums := colSums[0]
		for _, part := range colSums[1:] {
			vmath.Axpy(sums, 1, part)
		}
		lost = lost[:0]
		for j, c := range sums {
			if c > tiny {
				v[j] += logB[j] - vmath.Log(c)
			} else {
				lost = append(lost, j)
			}
		}
		t.columns(u, v, logB, lost)
	}
	for i := range u {
		t.F[i] = t.epsilon * (u[i] - logA[i])
	}
	for j := range v {
		t.G[j] = t.epsilon * (v[j] - logB[j])
	}
	t.finish(s, u, v)
}

// columns sets the log factors of the columns in js, nil for all, from those of
// the rows.
func (t *Transport) columns(u, v, logB []float64, js []int) {
	m := len(v)
	e := make([]float64, len(u))
	one := func(j int) {
		for i := range e {
			e[i] = u[i] + t.scaled[i*m+j]
		}
		v[j] = logB[j] - vmath.LogSumExp(e)
	}
	if js == nil {
		for j := range v {
			one(j)
		}
	}
	for _, j := range js {
		one(j)
	}
}

// exponents writes scaled_j + v_j + u into dst; v may be nil for zeros. The
// vector kernels beat the plain loop here, although they pass three times.
func (t *Transport) exponents(dst, scaled, v []float64, u float64) {
	copy(dst, scaled)
	if v != nil {
		vmath.Axpy(dst, 1, v)
	}
	vmath.Axpy(dst, u, t.ones)
}

func marginalError(sums, want []float64) float64 {
	var e float64
	for i, r := range sums {
		e += math.Abs(r - want[i])
	}
	return e
}

// finish computes the costs and the marginal error of the plan.
func (t *Transport) finish(s Sinkhorn, u, v []float64) {
	n, m := len(t.a), len(t.b)
	rows, costs, mass, entropy := make([]float64, n), make([]float64, n), 0.0, 0.0
	blocks := (n + sinkhornRows - 1) / sinkhornRows
	par.For(context.Background(), blocks, func(block int) {
		e := make([]float64, m)
		for i := block * sinkhornRows; i < min((block+1)*sinkhornRows, n); i++ {
			scaled := t.scaled[i*m : (i+1)*m]
			t.exponents(e, scaled, v, u[i])
			vmath.ExpSlice(e, e)
			rows[i] = vmath.Sum(e)
			var c float64
			for j, p := range e {
				if p > 0 { // a forbidden pair costs +Inf and has no mass
					c -= p * scaled[j]
				}
			}
			costs[i] = c * t.epsilon
		}
	})
	t.Cost = 0
	for i := range rows {
		t.Cost += costs[i]
		mass += rows[i]
		entropy += rows[i] * t.F[i]
		t.Dual += t.a[i] * t.F[i]
	}
	for j, g := range t.G {
		t.Dual += t.b[j] * g
		entropy += t.b[j] * g
	}
	// Epsilon KL(P || a b') = sum P (F + G - C), column sums being b.
	t.Regularized = entropy
	t.Dual -= t.epsilon * (mass - 1)
	t.MarginalError = marginalError(rows, t.a)
	t.Converged = t.MarginalError <= s.Tol
}
