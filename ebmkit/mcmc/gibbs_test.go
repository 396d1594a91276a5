package mcmc

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// spins is a chain of three coupled spins in a field, with heat-bath
// conditionals; crooked ones if skew is not zero.
type spins struct{ coupling, field, skew float64 }

func (m spins) Dim() int { return 3 }

func (m spins) Energy(x []float64) float64 {
	return -m.coupling*(x[0]*x[1]+x[1]*x[2]) - m.field*(x[0]+x[1]+x[2])
}

func (m spins) Sweep(x []float64, s *ebmkit.Stream) {
	for j := range x {
		pull := m.field
		if j > 0 {
			pull += m.coupling * x[j-1]
		}
		if j < 2 {
			pull += m.coupling * x[j+1]
		}
		x[j] = -1
		if s.Float64() < 1/(1+math.Exp(-2*pull))+m.skew {
			x[j] = 1
		}
	}
}

// Gibbs on a Sweeper samples all 8 states with their probabilities, by
// chi-squared with 7 degrees of freedom.
func TestGibbsOnSpins(t *testing.T) {
	numbersOnly(t)
	n := sized(200_000, 50_000)
	chi2 := func(m spins) float64 {
		up := &ebmkit.Ensemble{N: 1, Dim: 3, X: []float64{1, 1, 1}}
		c := run(t, m, Gibbs{}, Config{Walkers: n, Burn: 30, Draws: 1, Seed: 4, Init: up})
		state := func(i int) []float64 {
			return []float64{float64(i&1)*2 - 1, float64(i>>1&1)*2 - 1, float64(i>>2&1)*2 - 1}
		}
		u, seen := make([]float64, 8), make([]float64, 8)
		for i := range u {
			u[i] = m.Energy(state(i))
		}
		for w := range n {
			x := c.X[3*w : 3*w+3]
			seen[int(x[0]+1)/2+int(x[1]+1)+2*int(x[2]+1)]++
		}
		var s float64
		for i, p := range boltzmann(u) {
			want := p * float64(n)
			s += (seen[i] - want) * (seen[i] - want) / want
		}
		return s
	}
	good, crooked := chi2(spins{0.5, 0.2, 0}), chi2(spins{0.5, 0.2, 0.01})
	t.Logf("chi2 = %.1f with 7 degrees of freedom; with conditionals off by 0.01: %.1f", good, crooked)
	// P(chi2_7 > 30) = 1e-4.
	if good > 30 || crooked < 30 {
		t.Errorf("chi2 = %.1f, crooked %.1f", good, crooked)
	}
}
