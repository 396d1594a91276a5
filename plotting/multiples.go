package plotting

import "github.com/ebmkit/hitchhiker/ebmkit"

// Multiples are small figures in a grid with aligned data rectangles, shared
// axes, titles (a), (b), ... and one legend, unless they show different series. Its methods return a changed copy.
type Multiples struct {
	figs           []Figure
	cols           int
	title, caption string
	width, height  float64
	legend         Position
	freeX, freeY   bool
	prov           []Pair
	err            error
}

// Small arranges figures in rows of cols. Axes are shared over all panels unless
// Free says otherwise. The theme is that of the first figure.
func Small(cols int, figs ...Figure) Multiples {
	m := Multiples{cols: cols, figs: append([]Figure(nil), figs...), width: float64(Double), legend: Auto}
	const who = "plotting.Small"
	if len(figs) == 0 {
		m.err = &ebmkit.ArgError{Func: who, Arg: "figs", Value: "empty", Want: "at least one figure"}
		return m
	}
	if cols < 1 {
		m.err = &ebmkit.ArgError{Func: who, Arg: "cols", Value: cols, Want: "at least 1"}
		return m
	}
	m.cols = min(cols, len(figs))
	for _, f := range figs {
		if f.err != nil {
			m.err = f.err
			return m
		}
	}
	return m
}

// Err returns the first thing that was wrong, or nil.
func (m Multiples) Err() error { return m.err }

// Cols returns the number of panels in a row.
func (m Multiples) Cols() int { return m.cols }

// Free gives every panel its own horizontal or vertical axis.
func (m Multiples) Free(x, y bool) Multiples { m.freeX, m.freeY = x, y; return m }

// Title sets the title over all panels.
func (m Multiples) Title(s string) Multiples { m.title = s; return m }

// Caption sets the text that stands under the figure. It is not drawn.
func (m Multiples) Caption(s string) Multiples { m.caption = s; return m }

// Legend places the common legend: Above, Right or None; in a corner it stands in
// the first panel. Each gives every panel a legend of its own, where its figure's
// own Legend says. Auto takes Each if every panel lacks some of the names there
// are, so that a common legend would speak of curves that are not there, and no
// legend would stand on a map. Else it takes Right, for two names or more.
func (m Multiples) Legend(p Position) Multiples { m.legend = p; return m }

// Size sets the size on the page, in millimetres. Height 0 leaves the height to
// the layout.
func (m Multiples) Size(w Width, height float64) Multiples {
	if err := checkSize("plotting.Multiples.Size", w, height); err != nil && m.err == nil {
		m.err = err
	}
	m.width, m.height = float64(w), height
	return m
}

// Provenance adds a line to the metadata of exported files.
func (m Multiples) Provenance(key, value string) Multiples {
	n := len(m.prov)
	m.prov = append(m.prov[:n:n], Pair{key, value})
	return m
}
