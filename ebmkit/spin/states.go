package spin

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// States returns all 2^n states of n spins, row-major: spin i of state s is
//
//	x_i = +1 if bit i of s is set, else -1,
//
// so that state 0 has all spins down and the last one all spins up. It returns
// *ebmkit.ArgError if n < 1 or n > MaxEnumerate.
func States(n int) ([]float64, error) {
	if n < 1 || n > MaxEnumerate {
		return nil, &ebmkit.ArgError{Func: "spin.States", Arg: "n", Value: n, Want: fmt.Sprintf("from 1 to %d (2^n states)", MaxEnumerate)}
	}
	xs := make([]float64, n<<n)
	for k := range xs {
		xs[k] = float64(2*(k/n>>(k%n)&1) - 1)
	}
	return xs, nil
}
