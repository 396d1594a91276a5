package evaluate

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// Square is the square [-Half, Half]^2 of the plane, cut into N x N equal cells: for
// pictures of densities and for their integrals by the midpoint rule.
type Square struct {
	Half float64
	N    int
	*quad.Cells
}

// NewSquare returns the square with its cells. It returns *ebmkit.ArgError if half is
// not a positive number or n is not from 1 to 10,000.
func NewSquare(half float64, n int) (*Square, error) {
	const fn = "evaluate.NewSquare"
	if !(half > 0) || math.IsInf(half, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "half", Value: half, Want: "a positive number"}
	}
	if n < 1 || n > 10_000 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "from 1 to 10,000 cells a side"}
	}
	cells, err := quad.NewCells(-half, half, -half, half, n, n)
	if err != nil {
		return nil, err
	}
	return &Square{Half: half, N: n, Cells: cells}, nil
}

// Shares returns what each cell has of the whole: the values, which are the density
// of a law at the centres up to a factor, divided by their sum. It panics as Integral
// does. Where all values are 0 the shares are NaN.
func (s *Square) Shares(values []float64) []float64 {
	s.check(values)
	total := sum(values)
	shares := make([]float64, len(values))
	for i, v := range values {
		shares[i] = v / total
	}
	return shares
}

// TotalVariation returns the total variation distance of two laws of which the
// densities at the centres are given up to factors,
//
//	sum_i |p_i - q_i| / 2   of their Shares,
//
// which is between 0 and 1. It panics as Integral does.
func (s *Square) TotalVariation(p, q []float64) float64 {
	p, q = s.Shares(p), s.Shares(q)
	distance := 0.0
	for i := range p {
		distance += math.Abs(p[i]-q[i]) / 2
	}
	return distance
}

func (s *Square) check(values []float64) {
	if len(values) != s.Centers.N {
		panic("evaluate: one value for each cell of a Square is wanted")
	}
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}
