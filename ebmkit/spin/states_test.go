package spin

import (
	"math"
	"slices"
	"testing"
)

// The states are in the order of their numbers, and the sum over them is Z.
func TestStates(t *testing.T) {
	if got, want := must(States(2)), []float64{-1, -1, 1, -1, -1, 1, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("two spins: %v, want %v", got, want)
	}
	const n = 6
	xs := must(States(n))
	m := must(NewChain(n, 0.7, 0.2))
	var z float64
	for s := range 1 << n {
		if x := xs[s*n : (s+1)*n]; !slices.Equal(x, state(n, s)) {
			t.Errorf("state %d: %v", s, x)
		} else {
			z += math.Exp(-0.9 * m.Energy(x))
		}
	}
	near(t, "log Z of a chain", math.Log(z), must(TransferChain(n, 0.7, 0.2, 0.9)).LogZ, 1e-13)
	if len(xs) != n<<n {
		t.Errorf("%d numbers", len(xs))
	}
	_, err := States(0)
	wantArg(t, "no spin", err, "n")
	_, err = States(MaxEnumerate + 1)
	wantArg(t, "too many", err, "n")
}
