package quad

import (
	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Cells is a rectangle of the plane cut into equal cells, for the midpoint rule,
//
//	integral of f  ~  Area sum_i f(c_i),
//
// with the centres c_i of the cells. Where f is smooth and negligible at the border
// its error falls faster than any power of the size of a cell, as soon as that is
// smaller than what f resolves; what lies outside of the rectangle is left out.
// LogZ and Integrate find their own points and bound their error; Cells are for what
// is wanted at the same points many times: densities that are compared, and drawn.
type Cells struct {
	Centers *ebmkit.Ensemble // row by row from below, each row from the left
	Area    float64          // of one cell
}

// maxCells bounds the memory of Cells.
const maxCells = 1e8

// NewCells cuts [x0, x1] x [y0, y1] into nx by ny cells. It returns
// *ebmkit.ArgError unless x0 < x1 and y0 < y1 are finite and nx and ny are positive,
// with at most 10^8 cells.
func NewCells(x0, x1, y0, y1 float64, nx, ny int) (*Cells, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: "quad.NewCells", Arg: arg, Value: value, Want: want}
	}
	if w := x1 - x0; !(w > 0) || w-w != 0 {
		return nil, bad("x0, x1", [2]float64{x0, x1}, "finite, x0 < x1")
	}
	if h := y1 - y0; !(h > 0) || h-h != 0 {
		return nil, bad("y0, y1", [2]float64{y0, y1}, "finite, y0 < y1")
	}
	if nx < 1 || ny < 1 || nx > maxCells/ny {
		return nil, bad("nx, ny", [2]int{nx, ny}, "positive, at most 10^8 cells")
	}
	c, err := ebmkit.NewEnsemble(nx*ny, 2)
	if err != nil {
		return nil, err
	}
	for k := range c.N {
		i, j := k%nx, k/nx
		c.X[2*k] = x0 + (x1-x0)*(float64(i)+0.5)/float64(nx)
		c.X[2*k+1] = y0 + (y1-y0)*(float64(j)+0.5)/float64(ny)
	}
	return &Cells{Centers: c, Area: (x1 - x0) * (y1 - y0) / float64(nx*ny)}, nil
}

// Integral returns the integral of a function with these values at the centres. It
// panics unless there is one value for each.
func (c *Cells) Integral(values []float64) float64 {
	if len(values) != c.Centers.N {
		panic("quad: Cells.Integral: one value for each cell is wanted")
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return c.Area * sum
}
