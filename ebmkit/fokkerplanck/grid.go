package fokkerplanck

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Axis is an interval cut into equal cells. At its ends it is reflecting, that
// is, nothing flows through them, unless it is Periodic.
type Axis struct {
	Lo, Hi   float64
	Cells    int
	Periodic bool
}

// Width returns the width of a cell.
func (a Axis) Width() float64 { return (a.Hi - a.Lo) / float64(a.Cells) }

// Centers returns the centres of the cells, ascending.
func (a Axis) Centers() []float64 {
	x := make([]float64, a.Cells)
	for i := range x {
		x[i] = a.center(i)
	}
	return x
}

func (a Axis) center(i int) float64 { return a.Lo + (float64(i)+0.5)*a.Width() }

// Grid is an interval or a rectangle cut into equal cells. A density on it is a
// slice of Len() numbers, one a cell, its mean over that cell. The cell in
// column i of the first axis and row j of the second is entry j*Cells_0 + i, as
// in plotting.Grid. A Grid is not changed once it is made and safe for
// concurrent use.
type Grid struct {
	axes   []Axis
	size   int
	volume float64
	points []float64
}

// NewGrid returns the grid with one or two axes. It returns *ebmkit.ArgError for
// another number of axes, ends that are not finite and ascending, or fewer than
// 3 cells along an axis.
func NewGrid(axes ...Axis) (*Grid, error) {
	const fn = "fokkerplanck.NewGrid"
	if d := len(axes); d != 1 && d != 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(axes)", Value: d, Want: "1 or 2"}
	}
	g := &Grid{axes: slices.Clone(axes), size: 1, volume: 1}
	for j, a := range axes {
		arg := fmt.Sprintf("axes[%d]", j)
		switch w := a.Width(); {
		case a.Cells < 3:
			return nil, &ebmkit.ArgError{Func: fn, Arg: arg + ".Cells", Value: a.Cells, Want: "at least 3"}
		case !(w > 0) || math.IsInf(w, 0) || a.Lo+w == a.Lo || a.Hi-w == a.Hi:
			return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: fmt.Sprintf("[%v, %v]", a.Lo, a.Hi), Want: "finite Lo < Hi, and cells that can be told apart"}
		}
		g.size *= a.Cells
		g.volume *= a.Width()
	}
	if g.size > 1<<26 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "axes", Value: fmt.Sprintf("%d cells", g.size), Want: "at most 67 million cells"}
	}
	g.points = make([]float64, 0, g.size*len(axes))
	for k := range g.size {
		g.points = append(g.points, axes[0].center(k%axes[0].Cells))
		if len(axes) == 2 {
			g.points = append(g.points, axes[1].center(k/axes[0].Cells))
		}
	}
	return g, nil
}

// Dim returns the number of axes.
func (g *Grid) Dim() int { return len(g.axes) }

// Len returns the number of cells.
func (g *Grid) Len() int { return g.size }

// Volume returns the length or area of a cell.
func (g *Grid) Volume() float64 { return g.volume }

// Axis returns axis j.
func (g *Grid) Axis(j int) Axis { return g.axes[j] }

// Points returns the centres of all cells as a new row-major slice, Len() rows
// of Dim() coordinates.
func (g *Grid) Points() []float64 { return slices.Clone(g.points) }

func (g *Grid) point(k int) []float64 { return g.points[k*g.Dim() : (k+1)*g.Dim()] }

// at names cell k in messages.
func (g *Grid) at(k int) string {
	if g.Dim() == 1 {
		return fmt.Sprintf("at cell %d, x = %.6g", k, g.points[k])
	}
	n, x := g.axes[0].Cells, g.point(k)
	return fmt.Sprintf("at cell (%d, %d), x = (%.6g, %.6g)", k%n, k/n, x[0], x[1])
}

// Normalize returns the density proportional to f at the centres of the cells,
// with mass 1. It returns *ebmkit.ArgError if f is negative or not finite
// somewhere, with the cell, or zero everywhere.
func (g *Grid) Normalize(f func(x []float64) float64) ([]float64, error) {
	const fn = "fokkerplanck.Grid.Normalize"
	p, x := make([]float64, g.size), make([]float64, g.Dim())
	for k := range p {
		copy(x, g.point(k))
		p[k] = f(x)
		if !(p[k] >= 0) || math.IsInf(p[k], 1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "f", Value: fmt.Sprintf("%v %s", p[k], g.at(k)), Want: "finite values of at least 0"}
		}
	}
	top := vmath.Max(p)
	if top == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "f", Value: "0 in every cell", Want: "a positive value at the centre of some cell"}
	}
	for k := range p {
		p[k] /= top
	}
	g.scale(p)
	return p, nil
}

// Boltzmann returns the density exp(-U) at the centres of the cells, with mass
// 1. It returns *ebmkit.ArgError if e has another dimension than the grid, is
// NaN or -Inf somewhere, with the cell, or +Inf everywhere.
func (g *Grid) Boltzmann(e ebmkit.Energy) ([]float64, error) {
	u, err := g.energies("fokkerplanck.Grid.Boltzmann", "e", e)
	if err != nil {
		return nil, err
	}
	return g.boltzmann(u), nil
}

// boltzmann returns the density of the energies u, of which one is finite.
func (g *Grid) boltzmann(u []float64) []float64 {
	p := make([]float64, len(u))
	least := math.Inf(1)
	for _, v := range u {
		least = math.Min(least, v)
	}
	for k, v := range u {
		p[k] = least - v
	}
	vmath.ExpSlice(p, p)
	g.scale(p)
	return p
}

// scale divides p by its mass.
func (g *Grid) scale(p []float64) {
	m := g.volume * vmath.Sum(p)
	for k := range p {
		p[k] /= m
	}
}

// energies returns U at the centres, checked.
func (g *Grid) energies(fn, arg string, e ebmkit.Energy) ([]float64, error) {
	if e == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: nil, Want: "an energy"}
	}
	if d := e.Dim(); d != g.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg + ".Dim()", Value: d, Want: fmt.Sprintf("%d, the dimension of the grid", g.Dim())}
	}
	u := make([]float64, g.size)
	ebmkit.NewEvaluator(e).EnergyGrad(u, nil, g.points)
	finite := false
	for k, v := range u {
		if math.IsNaN(v) || math.IsInf(v, -1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: fmt.Sprintf("U = %v %s", v, g.at(k)), Want: "energies that are finite or +Inf"}
		}
		finite = finite || !math.IsInf(v, 1)
	}
	if !finite {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: "U = +Inf in every cell", Want: "an energy that is finite at the centre of some cell"}
	}
	return u, nil
}

// check refuses what is not a density of mass 1.
func (g *Grid) check(fn, arg string, p []float64) error {
	if len(p) != g.size {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ")", Value: len(p), Want: fmt.Sprintf("%d, the number of cells", g.size)}
	}
	for k, v := range p {
		if !(v >= 0) || math.IsInf(v, 1) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d]", arg, k), Value: v, Want: "a density: finite and at least 0"}
		}
	}
	if m := g.Mass(p); math.Abs(m-1) > 1e-9 {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: fmt.Sprintf("mass %v", m), Want: "a density of mass 1, as Grid.Normalize makes it"}
	}
	return nil
}

func (g *Grid) must(who string, p []float64) {
	if len(p) != g.size {
		panic("fokkerplanck: Grid." + who + ": the length of a density is not the number of cells")
	}
}
