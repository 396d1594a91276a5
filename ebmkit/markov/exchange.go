package markov

import (
	"math"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// ExchangeRate returns the mean probability that two replicas at the inverse
// temperatures b0 and b1 exchange their states, each in equilibrium on the same
// n states with energies u (all finite):
//
//	sum_ij p_i q_j min(1, exp((b0 - b1) (u_i - u_j))),
//	p = Boltzmann(b0 u),   q = Boltzmann(b1 u).
//
// It is what the swaps of parallel tempering (review section 4) tend to. The sum
// takes n^2 exponentials.
func ExchangeRate(u []float64, b0, b1 float64) float64 {
	p, q := make([]float64, len(u)), make([]float64, len(u))
	for i, v := range u {
		p[i], q[i] = b0*v, b1*v
	}
	p, q = Boltzmann(p), Boltzmann(q)
	a := 0.0
	for i, pi := range p {
		for j, qj := range q {
			a += pi * qj * math.Min(1, vmath.Exp((b0-b1)*(u[i]-u[j])))
		}
	}
	return a
}
