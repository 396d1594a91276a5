package flow

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Mesh is a set of lines in the plane, as points along them: what a figure of a
// deformed grid draws.
type Mesh struct {
	Lines, Points int       // lines, and points on each
	X             []float64 // (Lines x Points) points of the plane, line after line
}

// NewMesh returns the lines of a square grid over [lo, hi]^2: so many lines of
// constant x, then as many of constant y. It returns *ebmkit.ArgError unless
// lo < hi, both finite, and there are at least 2 lines and 2 points.
func NewMesh(lo, hi float64, lines, points int) (Mesh, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: "flow.NewMesh", Arg: arg, Value: value, Want: want}
	}
	if !finite(lo) || !finite(hi) || lo >= hi {
		return Mesh{}, bad("lo, hi", fmt.Sprint(lo, ", ", hi), "finite, lo < hi")
	}
	if lines < 2 || lines > 10_000 {
		return Mesh{}, bad("lines", lines, "between 2 and 10000")
	}
	if points < 2 || points > 10_000 {
		return Mesh{}, bad("points", points, "between 2 and 10000")
	}
	m := Mesh{Lines: 2 * lines, Points: points}
	for across := range 2 {
		for i := range lines {
			at := lo + (hi-lo)*float64(i)/float64(lines-1)
			for k := range points {
				x := [2]float64{at, lo + (hi-lo)*float64(k)/float64(points-1)}
				m.X = append(m.X, x[across], x[1-across])
			}
		}
	}
	return m, nil
}

// Line returns the coordinates of the points of line i.
func (m Mesh) Line(i int) (x, y []float64) {
	for k := i * m.Points; k < (i+1)*m.Points; k++ {
		x, y = append(x, m.X[2*k]), append(y, m.X[2*k+1])
	}
	return x, y
}

// Deform carries a mesh of the base to the data: element 0 is m, element i the
// mesh after the inverses of the last i layers. It returns *ebmkit.ArgError if
// the flow is not of the plane.
func (f *Flow) Deform(m Mesh) ([]Mesh, error) {
	if f.dim != 2 {
		return nil, &ebmkit.ArgError{Func: "flow.Flow.Deform", Arg: "f.Dim()", Value: f.dim, Want: "2"}
	}
	out := make([]Mesh, 0, len(f.layers)+1)
	for _, x := range f.Stages(m.X) {
		out = append(out, Mesh{Lines: m.Lines, Points: m.Points, X: x})
	}
	return out, nil
}
