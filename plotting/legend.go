package plotting

import (
	"math"

	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
)

// entry is one name of the legend with the series that carry it.
type entry struct {
	name   string
	series []*Series
	panel  int // whose series draw the swatch
	label  mathtext.Label
	h      float64 // of the row
	x, y   float64 // of the row's upper left corner, from that of the legend
}

// legendEntries collects the named series of all panels in the order of their
// first appearance.
func legendEntries(specs []Spec) []entry {
	var es []entry
	for i := range specs {
	series:
		for j := range specs[i].Series {
			r := &specs[i].Series[j]
			if r.Name == "" || r.Kind == KindNote || r.Kind == KindHeat || r.Kind == KindContour {
				continue
			}
			for k := range es {
				if es[k].name == r.Name {
					if es[k].panel == i {
						es[k].series = append(es[k].series, r)
					}
					continue series
				}
			}
			es = append(es, entry{name: r.Name, series: []*Series{r}, panel: i})
		}
	}
	return es
}

// oneLegend reports whether a legend beside the panels, of n names, serves all of
// them: one of the panels has series of all names, or a map leaves no room inside.
func oneLegend(specs []Spec, n int) bool {
	for i := range specs {
		k := len(legendEntries(specs[i : i+1]))
		if k == n || k > 0 && specs[i].hasField() {
			return true
		}
	}
	return false
}

// legend is a set of entries with its place on the page: x, y is the upper left
// corner.
type legend struct {
	entries []entry
	theme   Theme
	x, y    float64
	w, h    float64
	ground  bool // the colour of the paper lies under it, for it stands on data
}

func newLegend(es []entry, t Theme) *legend {
	l := &legend{theme: t}
	l.entries = append(l.entries, es...)
	return l
}

// setLabels breaks names that are wider than width.
func (l *legend) setLabels(width float64) {
	t := l.theme.TextSize
	for i := range l.entries {
		e := &l.entries[i]
		e.label = mathtext.Wrap(e.name, t, max(width-swatch-swatchGap, 20), false)
		e.h = max(1.38*t, e.label.Asc+e.label.Desc+0.3*t)
	}
}

// column stacks the entries, none wider than width.
func (l *legend) column(width float64) {
	l.setLabels(width)
	l.w, l.h = 0, 0
	for i := range l.entries {
		e := &l.entries[i]
		e.x, e.y = 0, l.h
		l.w = max(l.w, swatch+swatchGap+e.label.Width)
		l.h += e.h
	}
}

// rows sets the entries in columns of equal width, as many as fit.
func (l *legend) rows(width float64) {
	l.setLabels(width)
	widest := 0.0
	for i := range l.entries {
		widest = max(widest, swatch+swatchGap+l.entries[i].label.Width)
	}
	const gap = 12
	step := widest + gap
	n := len(l.entries)
	cols := min(n, max(1, int((width+gap)/step)))
	lines := (n + cols - 1) / cols
	cols = (n + lines - 1) / lines
	l.w, l.h = float64(cols)*step-gap, 0
	for i := 0; i < n; i += cols {
		line := l.entries[i:min(i+cols, n)]
		h := 0.0
		for k := range line {
			h = max(h, line[k].h)
		}
		for k := range line {
			line[k].x, line[k].y, line[k].h = float64(k)*step, l.h, h
		}
		l.h += h
	}
}

// placeLegend puts the legend into a corner of the data rectangle. With Auto it
// takes the first free corner, or makes room above the data, and returns false
// if there is no good place.
func (p *panel) placeLegend(l *legend, pos Position, shared bool) bool {
	l.column(0.75 * p.data.W())
	at := func(c Position) canvas.Rect { return p.corner(l, c) }
	put := func(r canvas.Rect) bool { return p.putLegend(l, r) }
	if pos != Auto {
		return put(at(pos))
	}
	if l.h > 0.7*p.data.H() {
		return false
	}
	grown := func(r canvas.Rect) canvas.Rect {
		return canvas.Rect{X0: r.X0 - 3, Y0: r.Y0 - 3, X1: r.X1 + 3, Y1: r.Y1 + 3}
	}
	for _, c := range corners {
		if p.busy.count(grown(at(c))) == 0 {
			return put(at(c))
		}
	}
	if p.s.Y.Fixed || shared || p.s.hasField() {
		return false
	}
	// Room above the data: the axis grows by at most a little more than a third.
	old := p.s.Y.Max
	for _, f := range []float64{0.08, 0.16, 0.24, 0.32, 0.4} {
		if p.s.Y.Log {
			p.s.Y.Max = pad(span{p.s.Y.Min, old}, true, 0, f).hi
		} else {
			p.s.Y.Max = old + f*(old-p.s.Y.Min)
		}
		p.busy = p.occupied()
		for _, c := range corners[:2] {
			if p.busy.count(grown(at(c))) == 0 {
				p.setTicks(p.data.W(), p.data.H())
				return put(at(c))
			}
		}
	}
	p.s.Y.Max = old
	p.busy = p.occupied()
	return false
}

var corners = []Position{TopRight, TopLeft, BottomRight, BottomLeft}

// corner returns the place of the legend in a corner of the data rectangle.
func (p *panel) corner(l *legend, c Position) canvas.Rect {
	r := canvas.Rect{X0: p.data.X0 + legendInset + 1, Y1: p.data.Y1 - legendInset + 1}
	if c == TopRight || c == BottomRight {
		r.X0 = p.data.X1 - legendInset - l.w
	}
	if c == BottomLeft || c == BottomRight {
		r.Y1 = p.data.Y0 + legendInset + l.h
	}
	r.X1, r.Y0 = r.X0+l.w, r.Y1-l.h
	return r
}

func (p *panel) putLegend(l *legend, r canvas.Rect) bool {
	l.x, l.y = r.X0, r.Y1
	p.legend = l
	p.busy.mark(r)
	return true
}

// ownLegend puts a legend of the entries into the panel: into the corner that its
// figure asks for, a free one, or else over the least data, on a ground of its own.
func (p *panel) ownLegend(es []entry, shared bool) {
	pos := p.s.Legend
	if len(es) == 0 || pos == None {
		return
	}
	if pos == Above || pos == Right || pos == Each {
		pos = Auto
	}
	l := newLegend(es, p.s.Theme)
	if !p.s.hasField() && p.placeLegend(l, pos, shared) {
		return
	}
	l.column(0.75 * p.data.W())
	best := corners[0]
	if pos != Auto {
		best = pos
	} else {
		for _, c := range corners[1:] {
			if p.busy.count(p.corner(l, c)) < p.busy.count(p.corner(l, best)) {
				best = c
			}
		}
	}
	l.ground = true
	p.putLegend(l, p.corner(l, best))
}

// draw draws the entries.
func (l *legend) draw(c *canvas.Canvas) {
	if l.ground {
		c.FillRect(canvas.Rect{X0: l.x - 3, Y0: l.y - l.h - 1, X1: l.x + l.w + 2, Y1: l.y + 1}, withAlpha(l.theme.Paper, 0.85))
	}
	for i := range l.entries {
		e := &l.entries[i]
		x, mid := l.x+e.x, l.y-e.y-e.h/2
		box := canvas.Rect{X0: x, Y0: mid - 0.32*l.theme.TextSize, X1: x + swatch, Y1: mid + 0.32*l.theme.TextSize}
		for _, layer := range layers {
			for _, r := range e.series {
				if layerOf(r.Kind) == layer {
					drawSwatch(c, r, box, l.theme)
				}
			}
		}
		// One line centres on its letters, more lines on their block.
		base := mid - 0.24*l.theme.TextSize
		if h := e.label.Asc + e.label.Desc; h > 1.6*l.theme.TextSize {
			base = mid + h/2 - e.label.Asc
		}
		c.Text(e.label.Glyphs(x+swatch+swatchGap, base, 0), l.theme.Ink)
	}
}

func drawSwatch(c *canvas.Canvas, r *Series, b canvas.Rect, t Theme) {
	mid, x := (b.Y0+b.Y1)/2, (b.X0+b.X1)/2
	st := r.Style
	switch r.Kind {
	case KindHist:
		c.FillRect(b, histFill(st.Color))
	case KindBand:
		c.FillRect(b, bandFill(st.Color))
	case KindBars:
		c.FillRect(b, st.Color)
	case KindCustom:
		if s, ok := r.Custom.(Swatcher); ok {
			c.Push()
			drawn := s.Swatch(c, vgRect(b))
			c.Pop()
			if drawn {
				return
			}
		}
		line(c, b.X0, mid, b.X1, mid, st.Width, st.Dash, st.Color)
	case KindLine, KindHLine, KindVLine:
		line(c, b.X0, mid, b.X1, mid, max(st.Width, 0.5), st.Dash, st.Color)
	case KindPoints:
		drawMarker(c, x, mid, st)
	case KindCloud:
		s := st
		s.Size = max(s.Size, 2)
		s.Color.A = 255
		drawMarker(c, x, mid, s)
	case KindErrorBars:
		line(c, x, b.Y0-0.8, x, b.Y1+0.8, 0.7, nil, st.Color)
		for _, y := range []float64{b.Y0 - 0.8, b.Y1 + 0.8} {
			line(c, x-1.7, y, x+1.7, y, 0.7, nil, st.Color)
		}
		drawMarker(c, x, mid, st)
	case KindArrows:
		arrow(c, b.X0+1, mid, b.X1-1, mid, max(st.Width, 0.7), 3.2, legible(st.Color, t))
	}
}

// occupancy marks which cells of the data rectangle hold data.
type occupancy struct {
	r      canvas.Rect
	nx, ny int
	cells  []uint8
}

// cellSize is the side of the cells in points.
const cellSize = 1.5

func newOccupancy(r canvas.Rect) *occupancy {
	o := &occupancy{r: r, nx: int(r.W()/cellSize) + 1, ny: int(r.H()/cellSize) + 1}
	o.cells = make([]uint8, o.nx*o.ny)
	return o
}

func (o *occupancy) cell(x, y float64) (i, j int) {
	lim := func(v float64, n int) int { return int(max(-1, min(float64(n), math.Floor(v/cellSize)))) }
	return lim(x-o.r.X0, o.nx), lim(y-o.r.Y0, o.ny)
}

func (o *occupancy) dot(x, y float64) {
	if i, j := o.cell(x, y); i >= 0 && i < o.nx && j >= 0 && j < o.ny {
		if o.cells[j*o.nx+i] < 255 {
			o.cells[j*o.nx+i]++
		}
	}
}

func (o *occupancy) mark(r canvas.Rect) {
	i0, j0 := o.cell(r.X0, r.Y0)
	i1, j1 := o.cell(r.X1, r.Y1)
	for j := max(j0, 0); j <= min(j1, o.ny-1); j++ {
		for i := max(i0, 0); i <= min(i1, o.nx-1); i++ {
			o.cells[j*o.nx+i] = 255
		}
	}
}

func (o *occupancy) segment(a, b canvas.Point) {
	n := int(min(2000, max(math.Abs(b.X-a.X), math.Abs(b.Y-a.Y))/cellSize)) + 1
	for k := 0; k <= n; k++ {
		t := float64(k) / float64(n)
		o.dot(a.X+t*(b.X-a.X), a.Y+t*(b.Y-a.Y))
	}
}

// count returns the number of cells with data in r.
func (o *occupancy) count(r canvas.Rect) int {
	n := 0
	i0, j0 := o.cell(r.X0, r.Y0)
	i1, j1 := o.cell(r.X1, r.Y1)
	for j := max(j0, 0); j <= min(j1, o.ny-1); j++ {
		for i := max(i0, 0); i <= min(i1, o.nx-1); i++ {
			if o.cells[j*o.nx+i] > 0 {
				n++
			}
		}
	}
	return n
}

// occupied marks the data of the panel.
func (p *panel) occupied() *occupancy {
	o := newOccupancy(p.data)
	for _, b := range p.insetBoxes {
		o.mark(b)
	}
	column := func(x0, x1, y0, y1 float64) {
		o.mark(canvas.Rect{X0: min(x0, x1), X1: max(x0, x1), Y0: min(y0, y1), Y1: max(y0, y1)})
	}
	for i := range p.s.Series {
		r := &p.s.Series[i]
		switch r.Kind {
		case KindLine:
			for _, pl := range p.polyline(r) {
				for k := 1; k < len(pl); k++ {
					o.segment(pl[k-1], pl[k])
				}
				if len(pl) == 1 {
					o.dot(pl[0].X, pl[0].Y)
				}
			}
		case KindPoints, KindCloud:
			for k := range r.X {
				o.dot(p.x(r.X[k]), p.y(r.Y[k]))
			}
		case KindErrorBars:
			for k := range r.X {
				x := p.x(r.X[k])
				column(x-2, x+2, p.y(r.Lo[k]), p.y(r.Hi[k]))
			}
		case KindHist:
			for k := range r.Y {
				column(p.x(r.X[k]), p.x(r.X[k+1]), p.data.Y0, p.y(r.Y[k]))
			}
		case KindBars:
			for k := range r.Y {
				x0, x1 := p.barEnds(r, k)
				top := r.Y[k]
				if r.Hi != nil {
					top = max(top, r.Hi[k])
				}
				column(x0, x1, p.y(min(0, r.Y[k])), p.y(top))
			}
		case KindBand:
			for k := 1; k < len(r.X); k++ {
				column(p.x(r.X[k-1]), p.x(r.X[k]), p.y(min(r.Lo[k], r.Lo[k-1])), p.y(max(r.Hi[k], r.Hi[k-1])))
			}
		case KindVLine:
			o.segment(canvas.Point{X: p.x(r.X[0]), Y: p.data.Y0}, canvas.Point{X: p.x(r.X[0]), Y: p.data.Y1})
		case KindHLine:
			o.segment(canvas.Point{X: p.data.X0, Y: p.y(r.Y[0])}, canvas.Point{X: p.data.X1, Y: p.y(r.Y[0])})
		case KindNote:
			o.dot(p.x(r.X[0]), p.y(r.Y[0]))
		case KindArrows:
			o.mark(p.data)
		case KindCustom:
			x0, x1, y0, y1 := r.Custom.Range()
			column(p.x(x0), p.x(x1), p.y(y0), p.y(y1))
		}
	}
	return o
}
