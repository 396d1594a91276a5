package plotting

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Grid is a function of the plane on Nx by Ny equal cells of the rectangle
// [X0, X1] x [Y0, Y1]. Z[j*Nx+i] is the value at the centre of column i (from
// X0) and row j (from Y0). +Inf is a forbidden region, drawn in grey.
type Grid struct {
	X0, X1, Y0, Y1 float64
	Nx, Ny         int
	Z              []float64

	err error
}

// CenterX returns the x of the centres of column i.
func (g Grid) CenterX(i int) float64 { return g.X0 + (float64(i)+0.5)*(g.X1-g.X0)/float64(g.Nx) }

// CenterY returns the y of the centres of row j.
func (g Grid) CenterY(j int) float64 { return g.Y0 + (float64(j)+0.5)*(g.Y1-g.Y0)/float64(g.Ny) }

// Map returns the grid of f(z), for example exp(-z).
func (g Grid) Map(f func(z float64) float64) Grid {
	z := make([]float64, len(g.Z))
	for i, v := range g.Z {
		z[i] = f(v)
	}
	g.Z = z
	return g
}

// at interpolates linearly between the centres of cells, which are the integers
// here. Beside a forbidden cell it takes the nearest value.
func (g Grid) at(x, y float64) float64 {
	x, y = max(0, min(float64(g.Nx-1), x)), max(0, min(float64(g.Ny-1), y))
	i, j := int(x), int(y)
	tx, ty := x-float64(i), y-float64(j)
	if tx == 0 && ty == 0 {
		return g.Z[j*g.Nx+i]
	}
	i1, j1 := min(i+1, g.Nx-1), min(j+1, g.Ny-1)
	z := (g.Z[j*g.Nx+i]*(1-tx)+g.Z[j*g.Nx+i1]*tx)*(1-ty) + (g.Z[j1*g.Nx+i]*(1-tx)+g.Z[j1*g.Nx+i1]*tx)*ty
	if math.IsInf(z, 0) || math.IsNaN(z) {
		return g.Z[int(y+0.5)*g.Nx+int(x+0.5)]
	}
	return z
}

// maxCells keeps a slip of the pen (nx = 1e6) from taking all memory.
const maxCells = 1 << 24

func (g Grid) checkShape(fn string) error {
	switch {
	case g.err != nil:
		return g.err
	case g.Nx < 1 || g.Ny < 1 || g.Nx > maxCells/g.Ny:
		return &ebmkit.ArgError{Func: fn, Arg: "Grid.Nx x Grid.Ny", Value: fmt.Sprintf("%d x %d", g.Nx, g.Ny),
			Want: fmt.Sprintf("at least 1 x 1 and at most %d cells", maxCells)}
	case !(g.X1 > g.X0) || math.IsInf(g.X1-g.X0, 0):
		return &ebmkit.ArgError{Func: fn, Arg: "Grid.X0, Grid.X1", Value: fmt.Sprintf("%g, %g", g.X0, g.X1), Want: "finite, X0 < X1"}
	case !(g.Y1 > g.Y0) || math.IsInf(g.Y1-g.Y0, 0):
		return &ebmkit.ArgError{Func: fn, Arg: "Grid.Y0, Grid.Y1", Value: fmt.Sprintf("%g, %g", g.Y0, g.Y1), Want: "finite, Y0 < Y1"}
	}
	return nil
}

func (g Grid) check(fn string) error {
	if err := g.checkShape(fn); err != nil {
		return err
	}
	if len(g.Z) != g.Nx*g.Ny {
		return &ebmkit.ArgError{Func: fn, Arg: "len(Grid.Z)", Value: len(g.Z), Want: fmt.Sprintf("Nx*Ny = %d", g.Nx*g.Ny)}
	}
	finite := false
	for k, z := range g.Z {
		if math.IsNaN(z) || math.IsInf(z, -1) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Grid.Z[%d] (column %d, row %d)", k, k%g.Nx, k/g.Nx),
				Value: z, Want: "a number or +Inf"}
		}
		finite = finite || !math.IsInf(z, 1)
	}
	if !finite {
		return &ebmkit.ArgError{Func: fn, Arg: "Grid.Z", Value: "+Inf everywhere", Want: "at least one finite value"}
	}
	return nil
}

// GridOf evaluates fn at the centres of nx by ny cells. What is wrong with the
// arguments is reported by the figure that the grid is given to.
func GridOf(fn func(x, y float64) float64, x0, x1, y0, y1 float64, nx, ny int) Grid {
	g := Grid{X0: x0, X1: x1, Y0: y0, Y1: y1, Nx: nx, Ny: ny}
	if g.err = g.checkShape("plotting.GridOf"); g.err != nil {
		return g
	}
	g.Z = make([]float64, nx*ny)
	for j := range ny {
		y := g.CenterY(j)
		for i := range nx {
			g.Z[j*nx+i] = fn(g.CenterX(i), y)
		}
	}
	return g
}

// GridOfEnergy evaluates the energy e of two dimensions at the centres of nx by
// ny cells, one row of cells at a time with the batched evaluator of e. What is
// wrong with the arguments is reported by the figure that the grid is given to.
func GridOfEnergy(e ebmkit.Energy, x0, x1, y0, y1 float64, nx, ny int) Grid {
	g := Grid{X0: x0, X1: x1, Y0: y0, Y1: y1, Nx: nx, Ny: ny}
	if g.err = checkPlanar("plotting.GridOfEnergy", e); g.err != nil {
		return g
	}
	if g.err = g.checkShape("plotting.GridOfEnergy"); g.err != nil {
		return g
	}
	g.Z = make([]float64, nx*ny)
	ev := ebmkit.NewEvaluator(e)
	xs := make([]float64, 2*nx)
	for j := range ny {
		for i := range nx {
			xs[2*i], xs[2*i+1] = g.CenterX(i), g.CenterY(j)
		}
		ev.EnergyGrad(g.Z[j*nx:(j+1)*nx], nil, xs)
	}
	return g
}

func checkPlanar(fn string, e ebmkit.Energy) error {
	if e == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "e", Value: nil, Want: "an energy of two dimensions"}
	}
	if d := e.Dim(); d != 2 {
		return &ebmkit.ArgError{Func: fn, Arg: "e.Dim()", Value: d, Want: "2"}
	}
	return nil
}

// Vectors is a vector field at the centres of Nx by Ny equal cells of
// [X0, X1] x [Y0, Y1], ordered as in Grid.
type Vectors struct {
	X0, X1, Y0, Y1 float64
	Nx, Ny         int
	U, V           []float64

	err error
}

func (v Vectors) grid() Grid {
	return Grid{X0: v.X0, X1: v.X1, Y0: v.Y0, Y1: v.Y1, Nx: v.Nx, Ny: v.Ny, err: v.err}
}

// VectorsOf evaluates fn at the centres of nx by ny cells.
func VectorsOf(fn func(x, y float64) (u, v float64), x0, x1, y0, y1 float64, nx, ny int) Vectors {
	f := Vectors{X0: x0, X1: x1, Y0: y0, Y1: y1, Nx: nx, Ny: ny}
	g := f.grid()
	if f.err = g.checkShape("plotting.VectorsOf"); f.err != nil {
		return f
	}
	f.U, f.V = make([]float64, nx*ny), make([]float64, nx*ny)
	for k := range f.U {
		f.U[k], f.V[k] = fn(g.CenterX(k%nx), g.CenterY(k/nx))
	}
	return f
}

// ScoreOf evaluates the score -grad U of the energy e of two dimensions at the
// centres of nx by ny cells.
func ScoreOf(e ebmkit.Energy, x0, x1, y0, y1 float64, nx, ny int) Vectors {
	f := Vectors{X0: x0, X1: x1, Y0: y0, Y1: y1, Nx: nx, Ny: ny}
	if f.err = checkPlanar("plotting.ScoreOf", e); f.err != nil {
		return f
	}
	if _, f.err = ebmkit.Gradient("plotting.ScoreOf", "e", e); f.err != nil {
		return f
	}
	g := f.grid()
	if f.err = g.checkShape("plotting.ScoreOf"); f.err != nil {
		return f
	}
	xs, grad := make([]float64, 2*nx*ny), make([]float64, 2*nx*ny)
	for k := range nx * ny {
		xs[2*k], xs[2*k+1] = g.CenterX(k%nx), g.CenterY(k/nx)
	}
	ebmkit.NewEvaluator(e).EnergyGrad(nil, grad, xs)
	f.U, f.V = make([]float64, nx*ny), make([]float64, nx*ny)
	for k := range f.U {
		f.U[k], f.V[k] = -grad[2*k], -grad[2*k+1]
	}
	return f
}
