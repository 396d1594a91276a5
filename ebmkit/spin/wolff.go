package spin

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// cluster is the scratch of Wolff's algorithm.
type cluster struct {
	stream *ebmkit.Stream
	stack  []int32
}

// Wolff turns n clusters (Wolff 1989) and returns how many spins that turned:
// from a random site, satisfied bonds join a neighbour with probability
//
//	1 - exp(-2 Beta |J|).
//
// Near the critical point it forgets much faster than single spins do. It
// returns *ebmkit.ArgError if the torus has a field, which clusters ignore.
func (l *Lattice) Wolff(n int) (turned int, err error) {
	if l.torus.H != 0 {
		return 0, &ebmkit.ArgError{Func: "spin.Lattice.Wolff", Arg: "Torus.H", Value: l.torus.H, Want: "0: clusters turn without looking at the field"}
	}
	rows, cols := l.torus.Rows, l.torus.Cols
	c := &l.cluster
	join := vmath.Expm1(-2*l.beta*math.Abs(l.torus.J)) * -0x1p53
	// A satisfied bond joins equal spins if J > 0, unequal ones if J < 0.
	var opposite uint64
	if l.torus.J < 0 {
		opposite = 1
	}
	// turn reverses spin i and remembers it; what it was is returned.
	turn := func(i int) uint64 {
		word, bit := l.locate(i)
		was := *word >> bit & 1
		*word ^= 1 << bit
		c.stack = append(c.stack, int32(i))
		turned++
		return was
	}
	visit := func(i int, wanted uint64) {
		word, bit := l.locate(i)
		// A spin that has turned already is not satisfied with its neighbour.
		if *word>>bit&1 == wanted && float64(c.stream.Uint64()>>11) < join {
			turn(i)
		}
	}
	for range n {
		turn(c.stream.IntN(rows * cols))
		for len(c.stack) > 0 {
			i := int(c.stack[len(c.stack)-1])
			c.stack = c.stack[:len(c.stack)-1]
			word, bit := l.locate(i)
			wanted := *word>>bit&1 ^ 1 ^ opposite
			r, k := i/cols, i%cols
			visit((r+1)%rows*cols+k, wanted)
			visit((r+rows-1)%rows*cols+k, wanted)
			visit(r*cols+(k+1)%cols, wanted)
			visit(r*cols+(k+cols-1)%cols, wanted)
		}
	}
	return turned, nil
}
