package spin

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Run draws from exp(-beta U)/Z with the heat bath, starting from the spins x,
// which it moves, and measures draws times, after every thin sweeps: U, and in
// place of the magnetisation
//
//	M = sum_i y_i x_i,
//
// N times the overlap with the pattern y of N spins; nil is all spins up, for
// which M is the magnetisation. There is no burn-in: a start that is far from
// equilibrium needs a call of its own. Random numbers come from s. Run stops when
// ctx ends and returns what was measured with ctx.Err(). It returns
// *ebmkit.ArgError if x or the pattern is not N spins, beta is negative or not
// finite, or draws or thin is not positive.
func (m *Ising) Run(ctx context.Context, beta float64, x, pattern []float64, draws, thin int, s *ebmkit.Stream) (*Series, error) {
	const fn = "spin.Ising.Run"
	if err := wantBeta(fn, beta); err != nil {
		return nil, err
	}
	if err := wantSpins(fn, "x", x, m.n); err != nil {
		return nil, err
	}
	if pattern == nil {
		pattern = uniform(m.n, 1)
	}
	if err := wantSpins(fn, "pattern", pattern, m.n); err != nil {
		return nil, err
	}
	if draws < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "draws", Value: draws, Want: "at least 1"}
	}
	if thin < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "thin", Value: thin, Want: "at least 1"}
	}
	series := &Series{Beta: beta, Sites: m.n}
	for range draws {
		if err := ctx.Err(); err != nil {
			return series, err
		}
		for range thin {
			m.SweepAt(beta, x, s)
		}
		var overlap float64
		for i, v := range x {
			overlap += pattern[i] * v
		}
		series.U = append(series.U, m.Energy(x))
		series.M = append(series.M, overlap)
	}
	return series, nil
}
