package mcmc

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// acceptance returns the probability of accepting a proposal, review eq. (77)
// with min for the printed arg min:
//
//	A = min(1, exp(logRatio)).
//
// A ratio that is NaN is never accepted.
func acceptance(logRatio float64) float64 {
	switch {
	case logRatio >= 0:
		return 1
	case logRatio != logRatio:
		return 0
	}
	return vmath.Exp(logRatio)
}

// proposal holds what a Metropolis-Hastings kernel proposes for a block of
// rows, and decides.
type proposal struct {
	dim  int
	x    []float64 // rows*dim proposed states
	u    []float64 // their energies
	grad []float64 // their gradients, nil if the kernel keeps none
	prob []float64 // log of the acceptance ratio; decide turns it into the acceptance probability
	unif []float64
}

func newProposal(rows, dim int, grad bool) proposal {
	p := proposal{dim: dim, x: make([]float64, rows*dim), u: make([]float64, rows),
		prob: make([]float64, rows), unif: make([]float64, rows)}
	if grad {
		p.grad = make([]float64, rows*dim)
	}
	return p
}

// rows cuts the scratch to n rows.
func (p *proposal) rows(n int) proposal {
	q := proposal{dim: p.dim, x: p.x[:n*p.dim], u: p.u[:n], prob: p.prob[:n], unif: p.unif[:n]}
	if p.grad != nil {
		q.grad = p.grad[:n*p.dim]
	}
	return q
}

// decide accepts row i with probability acceptance(prob[i]) and copies what was
// accepted into the block. A proposal whose energy or ratio is not finite is
// refused and counted: a forbidden point (U = +Inf) and an energy that returns
// NaN both end here.
func (p *proposal) decide(block *ebmkit.Ensemble, s *ebmkit.Stream) Info {
	info := Info{Prob: p.prob, Evals: block.N}
	u := p.u[:len(p.prob)]
	for i, a := range p.prob {
		p.prob[i] = min(a, 0)
		// v-v is 0 for finite v and NaN otherwise.
		if bad := (u[i] - u[i]) + (a - a); bad != 0 {
			p.prob[i] = math.Inf(-1)
			info.NonFinite++
		}
	}
	vmath.ExpSlice(p.prob, p.prob)
	s.FillUniform(p.unif)
	p.take(block)
	return info
}

// take moves the rows with unif < prob into the block.
func (p *proposal) take(block *ebmkit.Ensemble) {
	d, unif := p.dim, p.unif[:len(p.prob)]
	if d > 4 {
		for i, a := range p.prob {
			if unif[i] < a {
				block.U[i] = p.u[i]
				copy(block.X[i*d:(i+1)*d], p.x[i*d:(i+1)*d])
				if p.grad != nil {
					copy(block.Grad[i*d:(i+1)*d], p.grad[i*d:(i+1)*d])
				}
			}
		}
		return
	}
	// Whether a row is taken cannot be predicted, and for short rows a wrong
	// guess of the processor costs more than the copy: choose without a branch.
	for i, a := range p.prob {
		mask := -(math.Float64bits(unif[i]-a) >> 63) // all ones if unif < a
		choose(&block.U[i], p.u[i], mask)
		for j := i * d; j < (i+1)*d; j++ {
			choose(&block.X[j], p.x[j], mask)
		}
		if p.grad != nil {
			for j := i * d; j < (i+1)*d; j++ {
				choose(&block.Grad[j], p.grad[j], mask)
			}
		}
	}
}

// choose sets *old to v where the bits of mask are ones.
func choose(old *float64, v float64, mask uint64) {
	b := math.Float64bits(*old)
	*old = math.Float64frombits(b ^ (b^math.Float64bits(v))&mask)
}

// keepEnergy computes the energies (and, if grad, the gradients) of a block,
// allocating the slices that are nil.
func keepEnergy(ev ebmkit.Evaluator, block *ebmkit.Ensemble, grad bool) {
	if block.U == nil {
		block.U = make([]float64, block.N)
	}
	if !grad {
		ev.EnergyGrad(block.U, nil, block.X)
		return
	}
	if block.Grad == nil {
		block.Grad = make([]float64, block.N*block.Dim)
	}
	ev.EnergyGrad(block.U, block.Grad, block.X)
}

// positive returns an error unless v is a positive finite number.
func positive(fn, arg string, v float64) error {
	if v > 0 && !math.IsInf(v, 0) {
		return nil
	}
	return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a positive finite number"}
}

// diverged returns the error of an unadjusted kernel for the first row of the
// block that is not finite, or nil if all are.
func diverged(fn string, block *ebmkit.Ensemble, hint string) error {
	// A sum is finite unless a term is not, or it overflows.
	if s := vmath.Sum(block.X); s-s == 0 {
		return nil
	}
	for i, x := range block.X {
		if x-x != 0 {
			return &ebmkit.DivergedError{Func: fn, Walker: i / block.Dim, Value: x, Hint: hint}
		}
	}
	return nil
}

// MetropolisMatrix returns the transition matrix of Metropolis-Hastings on n
// states with energies u and the proposal probabilities g[i*n+j] = g(j|i),
// row-major, review eq. (80):
//
//	T(i, j) = g(j|i) A(j, i)  for j != i,   T(i, i) = 1 - sum of the rest,
//	A(j, i) = min(1, exp(u_i - u_j) g(i|j) / g(j|i)).
//
// The review prints A(x, s) for A(s, x) in eq. (80); its rows would not sum to
// one. It returns *ebmkit.ArgError if g is not n x n, has a negative or NaN
// entry or a row that does not sum to 1 within 1e-9, or if u has a NaN or -Inf.
func MetropolisMatrix(u, g []float64) ([]float64, error) {
	const fn = "mcmc.MetropolisMatrix"
	n := len(u)
	if n == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(u)", Value: 0, Want: "at least 1"}
	}
	if len(g) != n*n {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(g)", Value: len(g), Want: fmt.Sprintf("%d, the square of len(u)", n*n)}
	}
	for i := range u {
		if math.IsNaN(u[i]) || math.IsInf(u[i], -1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("u[%d]", i), Value: u[i], Want: "an energy, finite or +Inf"}
		}
		var sum float64
		for j := range u {
			if !(g[i*n+j] >= 0) {
				return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("g[%d][%d]", i, j), Value: g[i*n+j], Want: "a probability"}
			}
			sum += g[i*n+j]
		}
		if math.Abs(sum-1) > 1e-9 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("sum of g[%d]", i), Value: sum, Want: "1"}
		}
	}
	t := make([]float64, n*n)
	for i := range u {
		stay := 1.0
		for j := range u {
			if j == i || g[i*n+j] == 0 {
				continue
			}
			p := g[i*n+j] * acceptance(u[i]-u[j]+vmath.Log(g[j*n+i])-vmath.Log(g[i*n+j]))
			t[i*n+j] = p
			stay -= p
		}
		t[i*n+i] = stay
	}
	return t, nil
}
