package plotting

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
)

// Distances on the page, in points.
const (
	margin      = 2.0 // around everything
	tickGap     = 2.2 // between a tick and its label
	labelGap    = 3.0 // between tick labels and the label of an axis
	titleGap    = 4.5
	panelGap    = 9.0 // between data rectangles that share an axis
	barGap      = 7.0 // between a map and its colour bar
	barWidth    = 7.5
	legendInset = 4.0
	swatch      = 17.0
	swatchGap   = 5.0
)

func points(mm float64) float64 { return mm * 72 / 25.4 }

// page is a drawing with every place decided.
type page struct {
	w, h   float64
	theme  Theme
	title  mathtext.Label
	panels []*panel
	legend *legend
	bar    *colorBar
}

// panel is one pair of axes on the page.
type panel struct {
	s            *Spec
	data         canvas.Rect
	xt, yt       ticks
	ticksX       bool // tick labels are shown
	ticksY       bool
	labelX       bool // labels of axes are shown
	labelY       bool
	titleText    string
	title        mathtext.Label
	xlab, ylab   mathtext.Label
	xmaj, ymaj   []mathtext.Label
	xnote, ynote mathtext.Label
	busy         *occupancy
	legend       *legend
	notes        []placedNote
	insets       []*panel
	insetBoxes   []canvas.Rect
	bare         bool // an inset: frame all around
}

// frame reports whether the data rectangle is framed on all sides.
func (p *panel) frame() bool { return p.bare || p.s.hasField() }

// x and y return the place of a value on the page.
func (p *panel) x(v float64) float64 {
	return p.data.X0 + axisPlace(&p.s.X, v)*p.data.W()
}

func (p *panel) y(v float64) float64 {
	return p.data.Y0 + axisPlace(&p.s.Y, v)*p.data.H()
}

func axisPlace(a *Axis, v float64) float64 {
	if a.Log {
		if v <= 0 {
			return -3 // below the axis, out of sight
		}
		return vmath.Log(v/a.Min) / vmath.Log(a.Max/a.Min)
	}
	return (v - a.Min) / (a.Max - a.Min)
}

func (p *panel) small(s string) mathtext.Label { return mathtext.Layout(s, p.s.Theme.SmallSize) }

// lineHeight is the room that a line of the label takes above and below its
// baseline, at least that of a capital and a comma, so that labels align.
func lineHeight(l mathtext.Label, size float64) (asc, desc float64) {
	if l.Width == 0 {
		return 0, 0
	}
	return max(l.Asc, 0.66*size), max(l.Desc, 0.16*size)
}

// setTicks chooses the ticks for a data rectangle of the size.
func (p *panel) setTicks(w, h float64) {
	size := p.s.Theme.SmallSize
	xTarget := max(2, int(w/26))
	yTarget := max(2, int(h/(2.7*size)))
	if p.s.hasField() { // as dense as the other axis
		yTarget = max(2, int(h/26))
	}
	if xTarget > 9 {
		xTarget = 9
	}
	if yTarget > 8 {
		yTarget = 8
	}
	p.xt = makeTicks(p.s.X, xTarget, func(major []tick) bool {
		end := math.Inf(-1)
		for _, t := range major {
			l := p.small(t.label)
			at := axisPlace(&p.s.X, t.v) * w
			if at-l.Width/2 < end+0.75*size {
				return false
			}
			end = at + l.Width/2
		}
		return true
	})
	p.yt = makeTicks(p.s.Y, yTarget, func(major []tick) bool {
		for i := 1; i < len(major); i++ {
			if (axisPlace(&p.s.Y, major[i].v)-axisPlace(&p.s.Y, major[i-1].v))*h < 1.5*size {
				return false
			}
		}
		return true
	})
	p.xmaj, p.ymaj = p.xmaj[:0], p.ymaj[:0]
	for _, t := range p.xt.major {
		l := p.small(t.label)
		if n := len(p.s.X.Names); n > 0 { // names of bars break into lines
			l = mathtext.Wrap(t.label, size, 0.94*w/(p.s.X.Max-p.s.X.Min), true)
		}
		p.xmaj = append(p.xmaj, l)
	}
	for _, t := range p.yt.major {
		p.ymaj = append(p.ymaj, p.small(t.label))
	}
	p.xnote, p.ynote = p.small(p.xt.note), p.small(p.yt.note)
}

// setLabels breaks title and labels of the axes into lines that fit a data
// rectangle of the size.
func (p *panel) setLabels(w, h float64) {
	size := p.s.Theme.TextSize
	p.title = mathtext.Wrap(p.titleText, size, w, false)
	p.xlab = mathtext.Wrap(p.s.X.Label, size, w+panelGap/2, true)
	p.ylab = mathtext.Wrap(p.s.Y.Label, size, h+panelGap, true)
}

// margins returns the room that axes and title take around a data rectangle of
// the size.
func (p *panel) margins(w, h float64) (l, r, t, b float64) {
	th := p.s.Theme
	size := th.SmallSize
	if p.s.Picture {
		p.setLabels(w, h)
		p.xlab, p.ylab = mathtext.Label{}, mathtext.Label{}
		if p.title.Width > 0 {
			asc, desc := lineHeight(p.title, th.TextSize)
			t = titleGap + asc + desc
		}
		return 0, 0, t, 0
	}
	p.setTicks(w, h)
	p.setLabels(w, h)
	l, b = th.TickMajor, th.TickMajor
	if p.ticksY {
		widest := 0.0
		for _, m := range p.ymaj {
			widest = max(widest, m.Width)
		}
		l += tickGap + widest
		t = max(t, 0.36*size) // half of a label at the upper end
		b = max(b, 0.36*size)
	}
	if p.labelY && p.s.Y.Label != "" {
		asc, desc := lineHeight(p.ylab, th.TextSize)
		l += labelGap + asc + desc
	}
	if p.ticksX {
		asc, desc := 0.66*size, 0.0
		for i, m := range p.xmaj {
			asc, desc = max(asc, m.Asc), max(desc, m.Desc)
			at := axisPlace(&p.s.X, p.xt.major[i].v) * w
			l = max(l, m.Width/2-at)
			r = max(r, at+m.Width/2-w)
		}
		b += tickGap + asc + desc
	}
	note := 0.0
	if p.ticksX && p.xnote.Width > 0 {
		asc, desc := lineHeight(p.xnote, size)
		note = labelGap - 1 + asc + desc
	}
	if p.labelX && p.s.X.Label != "" {
		asc, desc := lineHeight(p.xlab, th.TextSize)
		note = max(note, labelGap+asc+desc)
	}
	b += note
	if p.ticksY && p.ynote.Width > 0 {
		t = max(t, titleGap+p.ynote.Asc+p.ynote.Desc)
	}
	if p.title.Width > 0 {
		asc, desc := lineHeight(p.title, th.TextSize)
		t = max(t, titleGap+asc+desc)
		if p.ticksY && p.ynote.Width > 0 {
			t += p.ynote.Asc + p.ynote.Desc + 2
		}
	}
	return l, r, t, b
}

// sheet is what layoutSheet arranges: one figure, or multiples.
type sheet struct {
	specs        []Spec
	cols         int
	title        string
	width        float64 // mm
	height       float64 // mm or 0
	legend       Position
	freeX, freeY bool
	multiple     bool
}

func (f Figure) layout() (*page, error) {
	s, err := f.Spec()
	if err != nil {
		return nil, err
	}
	return layoutSheet(sheet{specs: []Spec{s}, cols: 1, title: s.Title, width: s.Width, height: s.Height, legend: s.Legend})
}

func (m Multiples) layout() (*page, error) {
	specs, err := m.specs()
	if err != nil {
		return nil, err
	}
	return layoutSheet(sheet{specs: specs, cols: m.cols, title: m.title, width: m.width, height: m.height,
		legend: m.legend, freeX: m.freeX, freeY: m.freeY, multiple: true})
}

func layoutSheet(sh sheet) (*page, error) {
	t := sh.specs[0].Theme
	pg := &page{w: points(sh.width), theme: t, title: mathtext.Wrap(sh.title, t.TextSize, 0.8*points(sh.width), false)}
	n, cols := len(sh.specs), sh.cols
	rows := (n + cols - 1) / cols

	// Panels, and what each of them shows.
	for i := range sh.specs {
		p := &panel{s: &sh.specs[i]}
		below := i+cols >= n // nothing stands under it
		p.ticksX, p.labelX = sh.freeX || below, sh.freeX || below
		p.ticksY, p.labelY = sh.freeY || i%cols == 0, sh.freeY || i%cols == 0
		if !sh.freeX && !p.labelX {
			p.labelX = p.s.X.Label != sh.specs[min(i+cols, n-1)].X.Label
		}
		if !sh.freeY && !p.labelY {
			p.labelY = p.s.Y.Label != sh.specs[i-1].Y.Label
		}
		switch {
		case sh.multiple && n > 1 && !p.s.Picture:
			p.titleText = panelTag(i) + " " + p.s.Title
		case sh.multiple:
			p.titleText = p.s.Title
		}
		pg.panels = append(pg.panels, p)
	}

	// What stands outside of the panels.
	entries := legendEntries(sh.specs)
	pos := sh.legend
	if sh.multiple && pos == Auto {
		switch {
		case len(entries) < 2:
			pos = None
		case oneLegend(sh.specs, len(entries)):
			pos = Right
		default:
			pos = Each
		}
	}
	if !sh.multiple && pos == Each {
		pos = Auto
	}
	if len(entries) == 0 {
		pos = None
	}
	var lg *legend
	if pos != None && pos != Each {
		lg = newLegend(entries, t)
	}
	for i := range sh.specs {
		if sh.specs[i].hasHeat() && !sh.specs[i].Picture {
			pg.bar = &colorBar{s: &sh.specs[i]}
			break
		}
	}
	top := margin
	if pg.title.Width > 0 {
		asc, desc := lineHeight(pg.title, t.TextSize)
		top += asc + desc + titleGap
	}

	if pos == Auto && sh.specs[0].hasField() {
		pos = Above // a map is full of data
	}
	for {
		if err := pg.arrange(sh, rows, top, pos, lg); err != nil {
			return nil, err
		}
		if lg == nil || pos == Above || pos == Right {
			break
		}
		// A corner of the first panel.
		p := pg.panels[0]
		p.busy = p.occupied()
		if p.placeLegend(lg, pos, sh.multiple) {
			break
		}
		pos = Above
	}
	for i, p := range pg.panels {
		if p.busy == nil {
			p.busy = p.occupied()
		}
		if pos == Each {
			p.ownLegend(legendEntries(sh.specs[i:i+1]), !sh.freeY)
		}
		p.placeNotes()
	}
	return pg, nil
}

// panelTag returns (a), (b), ..., (z), (aa), ...
func panelTag(i int) string {
	s := string(rune('a' + i%26))
	if i >= 26 {
		s = string(rune('a'+i/26-1)) + s
	}
	return "(" + s + ")"
}

// arrange decides the data rectangles. Margins depend on ticks and ticks on the
// size of the data rectangles; three rounds settle both.
func (pg *page) arrange(sh sheet, rows int, top float64, pos Position, lg *legend) error {
	cols, n := sh.cols, len(pg.panels)
	t := pg.theme
	height := points(sh.height)
	aspect := 0.0 // of the data rectangles: height by width
	if s := pg.panels[0].s; s.Equal && !s.X.Log && !s.Y.Log {
		aspect = (s.Y.Max - s.Y.Min) / (s.X.Max - s.X.Min)
	}
	dw, dh := pg.w/float64(cols)*0.8, 0.0
	switch {
	case aspect > 0:
		dh = dw * aspect
	case sh.height > 0:
		dh = height / float64(rows) * 0.7
	case sh.multiple && cols > 1:
		dh = dw * 0.9
	default:
		dh = defaultHeight(pg.w)
	}
	var colL, colR []float64
	var rowT, rowB []float64
	var bottom, side, head float64
	for range 4 {
		colL, colR = make([]float64, cols), make([]float64, cols)
		rowT, rowB = make([]float64, rows), make([]float64, rows)
		for i, p := range pg.panels {
			l, r, tp, b := p.margins(dw, dh)
			c, q := i%cols, i/cols
			colL[c], colR[c] = max(colL[c], l), max(colR[c], r)
			rowT[q], rowB[q] = max(rowT[q], tp), max(rowB[q], b)
		}
		side = margin
		if pg.bar != nil {
			pg.bar.measure(t, dh*float64(rows))
			side += barGap + barWidth + pg.bar.w
		}
		if lg != nil && pos == Right {
			lg.column(0.4 * pg.w)
			side += barGap + 2 + lg.w
		}
		used := margin + side
		for c := range cols {
			used += colL[c] + colR[c]
			if c > 0 {
				used += panelGap
			}
		}
		dw = (pg.w - used) / float64(cols)
		if dw < 15 {
			return &ebmkit.ArgError{Func: "plotting: layout", Arg: "width", Value: fmt.Sprintf("%.4g mm", sh.width),
				Want: fmt.Sprintf("more room: axes and labels leave %.3g points for the data", dw)}
		}
		head = top
		if lg != nil && pos == Above {
			lg.rows(dw*float64(cols) + panelGap*float64(cols-1) + sumOf(colL[1:]) + sumOf(colR[:cols-1]))
			head += lg.h + titleGap
		}
		bottom = margin
		vertical := head + bottom
		for q := range rows {
			vertical += rowT[q] + rowB[q]
			if q > 0 {
				vertical += panelGap
			}
		}
		switch {
		case sh.height > 0:
			dh = (height - vertical) / float64(rows)
			if dh < 12 {
				return &ebmkit.ArgError{Func: "plotting: layout", Arg: "height", Value: fmt.Sprintf("%.4g mm", sh.height),
					Want: fmt.Sprintf("more room: axes and labels leave %.3g points for the data", dh)}
			}
			if aspect > 0 { // the smaller of the two sides decides
				if dh > dw*aspect {
					dh = dw * aspect
				}
			}
		case aspect > 0:
			dh = dw * aspect
		case sh.multiple && cols > 1:
			dh = min(dw*0.9, defaultHeight(pg.w))
		default:
			dh = defaultHeight(pg.w)
		}
		pg.h = vertical + dh*float64(rows)
		if sh.height > 0 {
			pg.h = height
		}
	}
	w := dw
	if aspect > 0 && sh.height > 0 {
		w = min(dw, dh/aspect)
	}
	y := pg.h - head
	for q := range rows {
		if q > 0 {
			y -= panelGap
		}
		y -= rowT[q]
		x := margin
		for c := range cols {
			if c > 0 {
				x += panelGap
			}
			x += colL[c]
			if i := q*cols + c; i < n {
				pg.panels[i].data = canvas.Rect{X0: x, Y0: y - dh, X1: x + w, Y1: y}
				pg.panels[i].busy = nil
				if err := pg.panels[i].placeInsets(); err != nil {
					return err
				}
			}
			x += w + colR[c]
		}
		y -= dh + rowB[q]
	}
	first, last := pg.panels[0].data, pg.panels[n-1].data
	right := pg.panels[min(cols, n)-1].data.X1 + colR[cols-1]
	if pg.bar != nil {
		pg.bar.rect = canvas.Rect{X0: right + barGap, Y0: last.Y0, X1: right + barGap + barWidth, Y1: first.Y1}
		right += barGap + barWidth + pg.bar.w
	}
	pg.legend = nil
	if lg != nil {
		switch pos {
		case Right:
			lg.x, lg.y = right+barGap+2, first.Y1
			pg.legend = lg
		case Above:
			lg.x, lg.y = first.X0, pg.h-top
			pg.legend = lg
		}
	}
	return nil
}

func sumOf(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

// defaultHeight returns the height of the data rectangle on a page of the width.
func defaultHeight(w float64) float64 {
	return min(w*0.58, 0.3*w+points(24))
}

// placeInsets sets the panels of insets.
func (p *panel) placeInsets() error {
	p.insets, p.insetBoxes = nil, nil
	for _, in := range p.s.Insets {
		s, err := in.Figure.Spec()
		if err != nil {
			return err
		}
		th := p.s.Theme
		th.TextSize, th.SmallSize = th.TextSize*0.86, th.SmallSize*0.86
		th.TickMajor, th.TickMinor = th.TickMajor*0.75, th.TickMinor*0.75
		s.Theme = th
		q := &panel{s: &s, bare: true, ticksX: true, ticksY: true, labelX: true, labelY: true}
		q.data = canvas.Rect{
			X0: p.data.X0 + in.X*p.data.W(), Y0: p.data.Y0 + in.Y*p.data.H(),
			X1: p.data.X0 + (in.X+in.W)*p.data.W(), Y1: p.data.Y0 + (in.Y+in.H)*p.data.H(),
		}
		q.titleText = s.Title
		box := q.outer()
		// Labels that reach over the axes of p would hide its own: move inwards, and
		// shrink what is too large. The margins depend on the ticks, these on the size.
		for round := 0; round < 4 && !p.data.Contains(box); round++ {
			l, r, b, t := q.data.X0-box.X0, box.X1-q.data.X1, q.data.Y0-box.Y0, box.Y1-q.data.Y1
			q.data.X0, q.data.X1 = inside(q.data.X0, q.data.X1, p.data.X0+l+insetGap, p.data.X1-r)
			q.data.Y0, q.data.Y1 = inside(q.data.Y0, q.data.Y1, p.data.Y0+b+insetGap, p.data.Y1-t)
			if q.data.W() < 10 || q.data.H() < 10 {
				return &ebmkit.ArgError{Func: "plotting.Figure.Inset", Arg: "x, y, w, h", Value: fmt.Sprintf("%g, %g, %g, %g", in.X, in.Y, in.W, in.H),
					Want: "room for the axes and labels of the inset"}
			}
			box = q.outer()
		}
		p.insetBoxes = append(p.insetBoxes, canvas.Rect{X0: box.X0 - 1.5, Y0: box.Y0 - 1.5, X1: box.X1 + 1.5, Y1: box.Y1 + 1.5})
		q.busy = q.occupied()
		q.placeNotes()
		p.insets = append(p.insets, q)
	}
	return nil
}

// insetGap is the distance from an axis to the labels of an inset that had to move.
const insetGap = 3

// outer returns the data rectangle with its axes and title.
func (p *panel) outer() canvas.Rect {
	l, r, t, b := p.margins(p.data.W(), p.data.H())
	return canvas.Rect{X0: p.data.X0 - l, Y0: p.data.Y0 - b, X1: p.data.X1 + r, Y1: p.data.Y1 + t}
}

// inside moves the interval [a, b] into [lo, hi], and cuts what does not fit.
func inside(a, b, lo, hi float64) (float64, float64) {
	d := max(0, lo-a) - max(0, b-hi)
	return max(a+d, lo), min(b+d, hi)
}

// colorBar is the scale of heat maps.
type colorBar struct {
	s     *Spec
	rect  canvas.Rect
	t     ticks
	maj   []mathtext.Label
	label mathtext.Label
	note  mathtext.Label
	w     float64 // room at the right of the strip
}

func (b *colorBar) measure(t Theme, h float64) {
	target := min(8, max(2, int(h/(2.6*t.SmallSize))))
	b.t = linearTicks(b.s.Z.Min, b.s.Z.Max, target, func(major []tick) bool { return len(major) <= 9 })
	b.maj = b.maj[:0]
	widest := 0.0
	for _, m := range b.t.major {
		l := mathtext.Layout(m.label, t.SmallSize)
		b.maj = append(b.maj, l)
		widest = max(widest, l.Width)
	}
	b.note = mathtext.Layout(b.t.note, t.SmallSize)
	b.label = mathtext.Wrap(b.s.Z.Label, t.TextSize, h, true)
	b.w = t.TickMajor + tickGap + widest
	if b.label.Width > 0 {
		asc, desc := lineHeight(b.label, t.TextSize)
		b.w += labelGap + asc + desc
	}
	b.w = max(b.w, b.note.Width-barWidth)
}

// clipped reports whether values lie outside of the ends of the bar.
func (b *colorBar) clipped() (below, above bool) {
	for i := range b.s.Series {
		if r := &b.s.Series[i]; r.Kind == KindHeat {
			for _, v := range r.Grid.Z {
				below = below || v < b.s.Z.Min
				above = above || v > b.s.Z.Max && !math.IsInf(v, 1)
			}
		}
	}
	return below, above
}
