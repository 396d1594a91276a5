package diagnose

import "github.com/ebmkit/hitchhiker/ebmkit"

// Draw is what one draw of a made-up chain may depend on.
type Draw struct {
	Chain, T int     // number of the chain and of the draw in it, from 0
	Last     float64 // the draw before in the same chain, 0 at the start
	Normal   float64 // a fresh draw of N(0, 1)
}

// Faulty returns chains of standard normal draws with a fault put in: what they
// should be is known, so that one can ask which diagnostic sees what is wrong.
// Draw T of chain c is
//
//	x_T = fault(Draw{c, T, x_{T-1}, xi}),   xi ~ N(0, 1), all independent.
//
// A fault that returns d.Normal is none: independent draws, with tau = 1.
// r d.Last + sqrt(1-r^2) d.Normal is an autoregression with tau = (1+r)/(1-r).
// The same seed gives every fault the same normals. It returns *ArgError as
// NewSeries does.
func Faulty(chains, draws int, seed uint64, fault func(d Draw) float64) (*Series, error) {
	rows := make([][]float64, max(0, chains))
	for c := range rows {
		s, last := ebmkit.NewStream(seed, "faults", c), 0.
		for t := range draws {
			last = fault(Draw{Chain: c, T: t, Last: last, Normal: s.Normal()})
			rows[c] = append(rows[c], last)
		}
	}
	return NewSeries(rows)
}
