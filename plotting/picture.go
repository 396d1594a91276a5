package plotting

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Picture shows pixels, row-major with the top row first, as grey squares: the
// largest number is ink, the smallest paper, and +Inf a forbidden pixel. There
// are no axes and no colour bar; a title says what it is, and small multiples of
// pictures have no letters. Pixel (r, c) is the unit square around the point
// (c, rows-1-r) of the plane. ZRange fixes what is paper and what is ink.
func Picture(rows, cols int, pixels []float64) Figure {
	const who = "plotting.Picture"
	f := New()
	if rows < 1 || cols < 1 || rows > maxCells/cols {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "rows x cols", Value: fmt.Sprintf("%d x %d", rows, cols),
			Want: fmt.Sprintf("at least 1 x 1 and at most %d pixels", maxCells)})
	}
	if len(pixels) != rows*cols {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "len(pixels)", Value: len(pixels), Want: fmt.Sprintf("rows*cols = %d", rows*cols)})
	}
	g := Grid{X0: -0.5, X1: float64(cols) - 0.5, Y0: -0.5, Y1: float64(rows) - 0.5, Nx: cols, Ny: rows, Z: make([]float64, 0, len(pixels))}
	for r := rows - 1; r >= 0; r-- {
		g.Z = append(g.Z, pixels[r*cols:(r+1)*cols]...)
	}
	f.s.Picture, f.s.Theme = true, Print()
	f.s.Theme.Map = Greys
	return f.Heat(g, Pixels).EqualAspect()
}
