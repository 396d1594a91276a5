package plotting

import (
	"fmt"
	"slices"

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

// Pictures shows pictures of rows x cols pixels, one after another in pixels, as one
// Picture: so many across, with a line of paper around each. The last row may be
// short.
func Pictures(rows, cols int, pixels []float64, across int) Figure {
	const who = "plotting.Pictures"
	bad := func(arg string, value any, want string) Figure {
		return New().fail(&ebmkit.ArgError{Func: who, Arg: arg, Value: value, Want: want})
	}
	switch {
	case rows < 1 || cols < 1 || rows > maxCells/cols:
		return bad("rows x cols", fmt.Sprintf("%d x %d", rows, cols), fmt.Sprintf("at least 1 x 1 and at most %d pixels", maxCells))
	case len(pixels) == 0 || len(pixels)%(rows*cols) != 0:
		return bad("len(pixels)", len(pixels), fmt.Sprintf("a positive multiple of rows*cols = %d", rows*cols))
	case across < 1 || across > maxCells:
		return bad("across", across, fmt.Sprintf("from 1 to %d pictures", maxCells))
	}
	n := len(pixels) / (rows * cols)
	down := (n + across - 1) / across
	high, wide := down*(rows+1)+1, across*(cols+1)+1
	if high > maxCells/wide {
		return bad("across", across, fmt.Sprintf("so many that the whole has at most %d pixels", maxCells))
	}
	all := slices.Repeat([]float64{slices.Min(pixels)}, high*wide)
	for i := range n * rows {
		k, r := i/rows, i%rows
		at := (k/across*(rows+1)+1+r)*wide + k%across*(cols+1) + 1
		copy(all[at:at+cols], pixels[i*cols:])
	}
	return Picture(high, wide, all)
}
