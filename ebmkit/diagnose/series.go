package diagnose

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Series is one scalar quantity followed along several chains of equal length:
// a coordinate, an energy, any observable. It is never modified after it is
// made; its methods may be called from several goroutines.
type Series struct {
	chains, draws int
	x             []float64 // [chain][draw]
}

// minDraws is the shortest chain that can be split in two halves with a
// variance each.
const minDraws = 4

// NewSeries returns a series with one chain per row. The rows are copied. It
// returns *ArgError when there is no chain, a chain is shorter than 4 draws or
// has another length than the first, or a draw is not finite.
func NewSeries(chains [][]float64) (*Series, error) {
	const fn = "diagnose.NewSeries"
	if len(chains) == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "chains", Value: "no chain", Want: "at least one"}
	}
	s := &Series{chains: len(chains), draws: len(chains[0])}
	if err := checkShape(fn, s.chains, s.draws); err != nil {
		return nil, err
	}
	s.x = make([]float64, 0, s.chains*s.draws)
	for c, row := range chains {
		if len(row) != s.draws {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("len(chains[%d])", c), Value: len(row),
				Want: fmt.Sprintf("%d, the length of the first chain", s.draws)}
		}
		s.x = append(s.x, row...)
	}
	if i := notFinite(s.x); i >= 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("chains[%d][%d]", i/s.draws, i%s.draws),
			Value: s.x[i], Want: "a finite number"}
	}
	return s, nil
}

// FromChain returns coordinate j of every walker of c, one chain per walker. It
// returns *ArgError when c has no coordinate j, has fewer than 4 draws, or
// holds a number that is not finite.
func FromChain(c *ebmkit.Chain, j int) (*Series, error) {
	s, err := newFor("diagnose.FromChain", c)
	if err != nil {
		return nil, err
	}
	if j < 0 || j >= c.Dim {
		return nil, &ebmkit.ArgError{Func: "diagnose.FromChain", Arg: "j", Value: j,
			Want: fmt.Sprintf("a coordinate, 0 to %d", c.Dim-1)}
	}
	if err := gather("diagnose.FromChain", []*Series{s}, c, j); err != nil {
		return nil, err
	}
	return s, nil
}

// FromEnergy returns the potential energies U of every walker of c, one chain
// per walker. It returns *ArgError when c holds none, and as FromChain does.
func FromEnergy(c *ebmkit.Chain) (*Series, error) {
	return perState("diagnose.FromEnergy", c, "U", func(c *ebmkit.Chain) []float64 { return c.U })
}

// FromTotalEnergy returns the total energies H of every walker of c, one chain
// per walker: what EBFMI wants. It returns *ArgError when c holds none, and as
// FromChain does.
func FromTotalEnergy(c *ebmkit.Chain) (*Series, error) {
	return perState("diagnose.FromTotalEnergy", c, "H", func(c *ebmkit.Chain) []float64 { return c.H })
}

// perState returns the field of c that holds one number per draw and walker.
func perState(fn string, c *ebmkit.Chain, name string, field func(*ebmkit.Chain) []float64) (*Series, error) {
	s, err := newFor(fn, c)
	if err != nil {
		return nil, err
	}
	v := field(c)
	if len(v) != c.Draws*c.Walkers {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(c." + name + ")", Value: len(v),
			Want: fmt.Sprintf("Draws*Walkers = %d", c.Draws*c.Walkers)}
	}
	for i, u := range v {
		t, w := i/c.Walkers, i%c.Walkers
		if u-u != 0 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("c.%s[draw %d][walker %d]", name, t, w), Value: u, Want: "a finite number"}
		}
		s.x[w*s.draws+t] = u
	}
	return s, nil
}

// FromFunc returns the observable f(x) along every walker of c, one chain per
// walker. f must not keep or modify x. It returns *ArgError as FromChain does.
func FromFunc(c *ebmkit.Chain, f func(x []float64) float64) (*Series, error) {
	const fn = "diagnose.FromFunc"
	s, err := newFor(fn, c)
	if err != nil {
		return nil, err
	}
	for w := range c.Walkers {
		for t := range c.Draws {
			i := (t*c.Walkers + w) * c.Dim
			v := f(c.X[i : i+c.Dim : i+c.Dim])
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("f at draw %d, walker %d", t, w), Value: v, Want: "a finite number"}
			}
			s.x[w*s.draws+t] = v
		}
	}
	return s, nil
}

// newFor returns an empty series with one chain per walker of c.
func newFor(fn string, c *ebmkit.Chain) (*Series, error) {
	if err := checkChain(fn, c); err != nil {
		return nil, err
	}
	return &Series{chains: c.Walkers, draws: c.Draws, x: make([]float64, c.Walkers*c.Draws)}, nil
}

func checkChain(fn string, c *ebmkit.Chain) error {
	if c == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "c", Value: "nil", Want: "a chain"}
	}
	if c.Walkers < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "c.Walkers", Value: c.Walkers, Want: "at least 1"}
	}
	if c.Dim < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "c.Dim", Value: c.Dim, Want: "at least 1"}
	}
	if err := checkShape(fn, c.Walkers, c.Draws); err != nil {
		return err
	}
	if len(c.X) != c.Draws*c.Walkers*c.Dim {
		return &ebmkit.ArgError{Func: fn, Arg: "len(c.X)", Value: len(c.X), Want: fmt.Sprintf("Draws*Walkers*Dim = %d", c.Draws*c.Walkers*c.Dim)}
	}
	return nil
}

// gather fills group[k] with coordinate j+k of c. Reading a group at once
// fetches each line of memory once for all of it.
func gather(fn string, group []*Series, c *ebmkit.Chain, j int) error {
	stride := c.Walkers * c.Dim
	for w := range c.Walkers {
		at := w * c.Draws
		for i := w*c.Dim + j; i < len(c.X); i += stride {
			for k, v := range c.X[i : i+len(group)] {
				group[k].x[at] = v
			}
			at++
		}
	}
	for k, s := range group {
		if i := notFinite(s.x); i >= 0 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("c.X[draw %d][walker %d][%d]", i%s.draws, i/s.draws, j+k),
				Value: s.x[i], Want: "a finite number"}
		}
	}
	return nil
}

func checkShape(fn string, chains, draws int) error {
	if draws < minDraws {
		return &ebmkit.ArgError{Func: fn, Arg: "draws", Value: draws,
			Want: fmt.Sprintf("at least %d in every chain (diagnose.Mean and Variance take one ensemble of independent walkers)", minDraws)}
	}
	if int64(chains)*int64(draws) > math.MaxUint32 {
		return &ebmkit.ArgError{Func: fn, Arg: "chains*draws", Value: int64(chains) * int64(draws), Want: "less than 2^32"}
	}
	return nil
}

// notFinite returns the index of the first NaN or Inf of x, or -1.
func notFinite(x []float64) int {
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return -1
}

// Chains returns the number of chains.
func (s *Series) Chains() int { return s.chains }

// Draws returns the length of each chain.
func (s *Series) Draws() int { return s.draws }

// Chain returns a copy of chain c, in the order it was drawn. It panics if
// there is no such chain.
func (s *Series) Chain(c int) []float64 {
	return append([]float64(nil), s.x[c*s.draws:(c+1)*s.draws]...)
}

// Constant reports whether all draws of all chains are equal: a sampler that
// never moved. ESS, R-hat and MCSE of such a series are NaN.
func (s *Series) Constant() bool {
	for _, v := range s.x {
		if v != s.x[0] {
			return false
		}
	}
	return true
}

// halves returns the chains of x cut in two, as slices into x. The middle draw
// of a chain of odd length belongs to neither half.
func halves(x []float64, chains, draws int) [][]float64 {
	half := draws / 2
	rows := make([][]float64, 0, 2*chains)
	for c := range chains {
		row := x[c*draws : (c+1)*draws]
		rows = append(rows, row[:half], row[draws-half:])
	}
	return rows
}

// meanVar returns the mean of x and its variance with divisor len(x)-1, both
// corrected for the rounding of the first sum.
func meanVar(x []float64) (mean, variance float64) {
	var sum, rest, ss float64
	for _, v := range x {
		sum += v
	}
	n := float64(len(x))
	mean = sum / n
	for _, v := range x {
		d := v - mean
		rest += d
		ss += d * d
	}
	return mean + rest/n, max(0, ss-rest*rest/n) / (n - 1)
}
