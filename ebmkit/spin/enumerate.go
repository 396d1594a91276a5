package spin

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// MaxEnumerate is the largest number of units whose states are enumerated.
const MaxEnumerate = 20

// Levels are the energies and magnetisations of all states of a model, from
// which everything follows at every temperature.
type Levels struct {
	sites int
	u     []float64
	m     []float64 // |M|
}

// Enumerate visits the 2^n states of m. It returns *ebmkit.ArgError if there are
// more than MaxEnumerate sites.
func Enumerate(m *Ising) (*Levels, error) {
	if m.n > MaxEnumerate {
		return nil, &ebmkit.ArgError{Func: "spin.Enumerate", Arg: "sites", Value: m.n, Want: fmt.Sprintf("at most %d (2^n states)", MaxEnumerate)}
	}
	e := &Levels{m.n, make([]float64, 1<<m.n), make([]float64, 1<<m.n)}
	x := uniform(m.n, -1)
	up := 0
	for s := range e.u {
		// States in the order of the Gray code: one spin turns at a time.
		if s > 0 {
			i := bits.TrailingZeros(uint(s))
			x[i] = -x[i]
			up += int(x[i])
		}
		e.u[s], e.m[s] = m.Energy(x), math.Abs(float64(2*up-m.n))
	}
	return e, nil
}

// At returns log Z and the observables at the inverse temperature beta. It
// returns *ebmkit.ArgError if beta is negative or not finite.
func (e *Levels) At(beta float64) (Thermo, error) {
	if err := wantBeta("spin.Levels.At", beta); err != nil {
		return Thermo{}, err
	}
	least := math.Inf(1)
	for _, u := range e.u {
		least = min(least, u)
	}
	// Energies from the lowest up: exp does not overflow, squares keep digits.
	var z, u1, u2, m1, m2, m4 float64
	for s, u := range e.u {
		u, m := u-least, e.m[s]
		w := vmath.Exp(-beta * u)
		z += w
		u1 += w * u
		u2 += w * u * u
		m1 += w * m
		m2 += w * m * m
		m4 += w * m * m * m * m
	}
	n := float64(e.sites)
	t := thermo(beta, n, u1/z, u2/z, m1/z, m2/z, m4/z)
	t.Energy += least / n
	t.LogZ = vmath.Log(z) - beta*least
	return t, nil
}
