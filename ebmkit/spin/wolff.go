package spin

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// cluster is the scratch of Wolff's algorithm.
type cluster struct {
	stream *ebmkit.Stream
	stack  []site
}

type site struct{ row, col int32 }

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
	c := &l.cluster
	join := vmath.Expm1(-2*l.beta*math.Abs(l.torus.J)) * -0x1p53
	// A satisfied bond joins equal spins if J > 0, unequal ones if J < 0.
	var opposite uint64
	if l.torus.J < 0 {
		opposite = 1
	}
	lastRow, lastCol := int32(l.torus.Rows-1), int32(l.torus.Cols-1)
	for range n {
		i := c.stream.IntN(l.Sites())
		first := site{int32(i / l.torus.Cols), int32(i % l.torus.Cols)}
		word, bit := l.locate(int(first.row), int(first.col))
		*word ^= 1 << bit
		c.stack = append(c.stack, first)
		for len(c.stack) > 0 {
			s := c.stack[len(c.stack)-1]
			c.stack = c.stack[:len(c.stack)-1]
			turned++
			word, bit := l.locate(int(s.row), int(s.col))
			wanted := *word>>bit&1 ^ 1 ^ opposite
			around := [4]site{{s.row - 1, s.col}, {s.row + 1, s.col}, {s.row, s.col - 1}, {s.row, s.col + 1}}
			if s.row == 0 {
				around[0].row = lastRow
			}
			if s.row == lastRow {
				around[1].row = 0
			}
			if s.col == 0 {
				around[2].col = lastCol
			}
			if s.col == lastCol {
				around[3].col = 0
			}
			for _, next := range around {
				word, bit := l.locate(int(next.row), int(next.col))
				// A spin that has turned already is not satisfied with its neighbour.
				if *word>>(bit&63)&1 == wanted && float64(c.stream.Uint64()>>11) < join {
					*word ^= 1 << (bit & 63)
					c.stack = append(c.stack, next)
				}
			}
		}
	}
	return turned, nil
}
