package plotting

import (
	"image"
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"

	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
)

// Plotter draws on the data rectangle of a figure. Package gonumplot makes one of
// any plotter of gonum/plot.
type Plotter interface {
	// Range returns the ends of the data.
	Range() (xmin, xmax, ymin, ymax float64)
	// Plot draws on c, clipped to area. axes holds the ends of the axes, and x
	// and y map values to places on c.
	Plot(c vg.Canvas, area vg.Rectangle, axes Axes)
}

// Swatcher is a Plotter that draws its own entry of the legend. Swatch returns
// false if it has none; then the entry is a line in the colour of the series.
type Swatcher interface {
	Swatch(c vg.Canvas, area vg.Rectangle) bool
}

// Axes are the axes that a Plotter draws in.
type Axes struct {
	X, Y   Axis
	PlaceX func(v float64) vg.Length
	PlaceY func(v float64) vg.Length
}

// Custom adds a plotter of one's own.
func (f Figure) Custom(name string, p Plotter, opts ...Option) Figure {
	x0, x1, y0, y1 := p.Range()
	if err := checkFinite("plotting.Figure.Custom", name, column{"Range()", []float64{x0, x1, y0, y1}}); err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindCustom, Name: name, Custom: p}, opts)
}

// layers is the order of drawing: maps lie under curves, curves under points.
var layers = []int{0, 1, 2, 3, 4, 5, 6}

func layerOf(k Kind) int {
	switch k {
	case KindHeat:
		return 0
	case KindHist, KindBand, KindBars:
		return 1
	case KindCloud:
		return 2
	case KindContour, KindArrows, KindVLine, KindHLine:
		return 3
	case KindLine, KindCustom:
		return 4
	case KindPoints, KindErrorBars:
		return 5
	}
	return 6
}

func histFill(c color.NRGBA) color.NRGBA { return withAlpha(c, 0.32) }
func bandFill(c color.NRGBA) color.NRGBA { return withAlpha(c, 0.2) }

// legible returns c, or the ink if c is the colour of the paper.
func legible(c color.NRGBA, t Theme) color.NRGBA {
	if c == t.Paper {
		return t.Ink
	}
	return c
}

func line(c *canvas.Canvas, x0, y0, x1, y1, width float64, dash []float64, col color.NRGBA) {
	var p canvas.Path
	p.MoveTo(x0, y0)
	p.LineTo(x1, y1)
	c.StrokePath(p, width, dash, col)
}

// draw draws the page.
func (pg *page) draw() *canvas.Canvas {
	c := canvas.New(pg.w, pg.h)
	c.FillRect(canvas.Rect{X1: pg.w, Y1: pg.h}, pg.theme.Paper)
	if pg.title.Width > 0 {
		asc, _ := lineHeight(pg.title, pg.theme.TextSize)
		c.Text(pg.title.Glyphs(pg.panels[0].data.X0, pg.h-margin-asc, 0), pg.theme.Ink)
	}
	for _, p := range pg.panels {
		p.draw(c)
	}
	if pg.bar != nil {
		pg.bar.draw(c, pg.theme)
	}
	if pg.legend != nil {
		pg.legend.draw(c)
	}
	return c
}

func (p *panel) draw(c *canvas.Canvas) {
	c.PushClip(p.data)
	for _, l := range layers[:6] {
		nHist := 0
		for i := range p.s.Series {
			if p.s.Series[i].Kind == KindHist {
				nHist++
			}
		}
		for i := range p.s.Series {
			if r := &p.s.Series[i]; layerOf(r.Kind) == l {
				p.series(c, r, nHist > 1)
			}
		}
	}
	c.PopClip()
	p.axes(c)
	for i, q := range p.insets {
		c.FillRect(p.insetBoxes[i].Intersect(p.data), p.s.Theme.Paper)
		q.draw(c)
	}
	for _, n := range p.notes {
		n.draw(c, p.s.Theme)
	}
	if p.legend != nil {
		p.legend.draw(c)
	}
}

// sight is the data rectangle with room for the width of lines: what lies outside
// is cut off before drawing, because numbers far off the page are trouble in
// every format.
func (p *panel) sight() canvas.Rect {
	const room = 12
	return canvas.Rect{X0: p.data.X0 - room, Y0: p.data.Y0 - room, X1: p.data.X1 + room, Y1: p.data.Y1 + room}
}

// polyline returns the visible pieces of a line series on the page.
func (p *panel) polyline(r *Series) [][]canvas.Point {
	pts := make([]canvas.Point, 0, len(r.X))
	for i := range r.X {
		q := canvas.Point{X: p.x(r.X[i]), Y: p.y(r.Y[i])}
		if r.Style.Step && i > 0 {
			pts = append(pts, canvas.Point{X: q.X, Y: pts[len(pts)-1].Y})
		}
		pts = append(pts, q)
	}
	return clipLine(thin(pts), p.sight())
}

// bandOutline returns the outline of a band on the page. Of a long one it takes,
// in each strip, the lowest and the highest place.
func (p *panel) bandOutline(r *Series) []canvas.Point {
	var lo, hi []canvas.Point
	sorted := sort.Float64sAreSorted(r.X)
	for i := range r.X {
		x, l, h := p.x(r.X[i]), p.y(r.Lo[i]), p.y(r.Hi[i])
		if n := len(lo); n > 0 && sorted && len(r.X) > manyPoints && x-lo[n-1].X < strip && i+1 < len(r.X) {
			lo[n-1].Y, hi[n-1].Y = min(lo[n-1].Y, l, h), max(hi[n-1].Y, l, h)
			continue
		}
		lo, hi = append(lo, canvas.Point{X: x, Y: l}), append(hi, canvas.Point{X: x, Y: h})
	}
	for i := len(hi) - 1; i >= 0; i-- {
		lo = append(lo, hi[i])
	}
	return lo
}

// Lines of more than manyPoints points are thinned in strips of a width, in
// points, that no printer resolves.
const (
	manyPoints = 3000
	strip      = 0.12
)

// thin drops points of a long line that cannot be seen: of each strip it keeps the
// first, the lowest, the highest and the last.
func thin(pts []canvas.Point) []canvas.Point {
	if len(pts) < manyPoints || !sort.SliceIsSorted(pts, func(i, j int) bool { return pts[i].X < pts[j].X }) {
		return pts
	}
	var out []canvas.Point
	for i := 0; i < len(pts); {
		j, lo, hi := i, i, i
		for ; j < len(pts) && pts[j].X-pts[i].X < strip; j++ {
			if pts[j].Y < pts[lo].Y {
				lo = j
			}
			if pts[j].Y > pts[hi].Y {
				hi = j
			}
		}
		keep := []int{i, min(lo, hi), max(lo, hi), j - 1}
		for k, v := range keep {
			if k == 0 || v != keep[k-1] {
				out = append(out, pts[v])
			}
		}
		i = j
	}
	return out
}

// clipLine returns the pieces of a line inside r (Liang and Barsky).
func clipLine(pts []canvas.Point, r canvas.Rect) [][]canvas.Point {
	if len(pts) == 1 {
		return [][]canvas.Point{pts}
	}
	var out [][]canvas.Point
	var cur []canvas.Point
	for i := 1; i < len(pts); i++ {
		a, b := pts[i-1], pts[i]
		t0, t1, ok := clipSegment(a, b, r)
		if !ok {
			if len(cur) > 0 {
				out, cur = append(out, cur), nil
			}
			continue
		}
		at := func(t float64) canvas.Point {
			switch t {
			case 0:
				return a
			case 1:
				return b
			}
			return canvas.Point{X: a.X + t*(b.X-a.X), Y: a.Y + t*(b.Y-a.Y)}
		}
		if len(cur) == 0 {
			cur = append(cur, at(t0))
		}
		cur = append(cur, at(t1))
		if t1 < 1 {
			out, cur = append(out, cur), nil
		}
	}
	if len(cur) > 0 {
		out = append(out, cur)
	}
	return out
}

func clipSegment(a, b canvas.Point, r canvas.Rect) (t0, t1 float64, ok bool) {
	t0, t1 = 0, 1
	dx, dy := b.X-a.X, b.Y-a.Y
	for _, e := range [4][2]float64{{-dx, a.X - r.X0}, {dx, r.X1 - a.X}, {-dy, a.Y - r.Y0}, {dy, r.Y1 - a.Y}} {
		d, q := e[0], e[1]
		switch {
		case d == 0:
			if q < 0 {
				return 0, 0, false
			}
		case d < 0:
			t0 = max(t0, q/d)
		default:
			t1 = min(t1, q/d)
		}
	}
	return t0, t1, t0 <= t1
}

// clipPolygon cuts a polygon to the part with lo <= y <= hi (Sutherland and
// Hodgman, two half planes).
func clipPolygon(pts []canvas.Point, lo, hi float64) []canvas.Point {
	cut := func(pts []canvas.Point, inside func(y float64) bool, at float64) []canvas.Point {
		var out []canvas.Point
		for i, b := range pts {
			a := pts[(i+len(pts)-1)%len(pts)]
			if inside(a.Y) != inside(b.Y) {
				t := (at - a.Y) / (b.Y - a.Y)
				out = append(out, canvas.Point{X: a.X + t*(b.X-a.X), Y: at})
			}
			if inside(b.Y) {
				out = append(out, b)
			}
		}
		return out
	}
	pts = cut(pts, func(y float64) bool { return y >= lo }, lo)
	return cut(pts, func(y float64) bool { return y <= hi }, hi)
}

func (p *panel) polygon(c *canvas.Canvas, pts []canvas.Point, col color.NRGBA) {
	s := p.sight()
	pts = clipPolygon(pts, s.Y0, s.Y1)
	if len(pts) < 3 {
		return
	}
	var path canvas.Path
	path.Polyline(pts)
	path.Close()
	c.FillPath(path, col)
}

func (p *panel) series(c *canvas.Canvas, r *Series, outlined bool) {
	st := r.Style
	switch r.Kind {
	case KindHeat:
		p.heat(c, r)
	case KindHist:
		p.hist(c, r, outlined)
	case KindBand:
		p.polygon(c, p.bandOutline(r), bandFill(st.Color))
	case KindBars:
		for k := range r.Y {
			x0, x1 := p.barEnds(r, k)
			y0, y1 := p.y(0), p.y(r.Y[k])
			if p.s.Y.Log {
				y0 = p.data.Y0
			}
			p.polygon(c, []canvas.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}, st.Color)
			if r.Lo != nil {
				p.errorBar(c, (x0+x1)/2, r.Lo[k], r.Hi[k], p.s.Theme.Ink)
			}
		}
	case KindLine:
		var path canvas.Path
		for _, pl := range p.polyline(r) {
			if len(pl) == 1 { // one point is no line: show it
				drawMarker(c, pl[0].X, pl[0].Y, st)
			}
			path.Polyline(pl)
		}
		c.StrokePath(path, st.Width, st.Dash, st.Color)
	case KindPoints:
		for i := range r.X {
			if p.inSight(p.x(r.X[i]), p.y(r.Y[i])) {
				drawMarker(c, p.x(r.X[i]), p.y(r.Y[i]), st)
			}
		}
	case KindErrorBars:
		for i := range r.X {
			x := p.x(r.X[i])
			p.errorBar(c, x, r.Lo[i], r.Hi[i], st.Color)
			if p.inSight(x, p.y(r.Y[i])) {
				drawMarker(c, x, p.y(r.Y[i]), st)
			}
		}
	case KindCloud:
		var dots []canvas.Point
		for i := range r.X {
			if x, y := p.x(r.X[i]), p.y(r.Y[i]); p.inSight(x, y) {
				dots = append(dots, canvas.Point{X: x, Y: y})
			}
		}
		c.Dots(dots, st.Size, st.Color)
	case KindContour:
		p.contour(c, r)
	case KindArrows:
		p.arrows(c, r)
	case KindVLine:
		line(c, p.x(r.X[0]), p.data.Y0, p.x(r.X[0]), p.data.Y1, st.Width, st.Dash, st.Color)
	case KindHLine:
		line(c, p.data.X0, p.y(r.Y[0]), p.data.X1, p.y(r.Y[0]), st.Width, st.Dash, st.Color)
	case KindCustom:
		c.Push()
		r.Custom.Plot(c, vgRect(p.data), Axes{X: p.s.X, Y: p.s.Y,
			PlaceX: func(v float64) vg.Length { return vg.Length(p.x(v)) },
			PlaceY: func(v float64) vg.Length { return vg.Length(p.y(v)) },
		})
		c.Pop()
	}
}

func vgRect(r canvas.Rect) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: vg.Length(r.X0), Y: vg.Length(r.Y0)},
		Max: vg.Point{X: vg.Length(r.X1), Y: vg.Length(r.Y1)},
	}
}

func (p *panel) inSight(x, y float64) bool {
	s := p.sight()
	return x >= s.X0 && x <= s.X1 && y >= s.Y0 && y <= s.Y1
}

// hist fills the outline of all bins at once: between bins filled one by one,
// viewers show seams.
func (p *panel) hist(c *canvas.Canvas, r *Series, outlined bool) {
	base := p.data.Y0
	if !p.s.Y.Log {
		base = p.y(0)
	}
	pts := []canvas.Point{{X: p.x(r.X[0]), Y: base}}
	for k, y := range r.Y {
		pts = append(pts, canvas.Point{X: p.x(r.X[k]), Y: p.y(y)}, canvas.Point{X: p.x(r.X[k+1]), Y: p.y(y)})
	}
	pts = append(pts, canvas.Point{X: p.x(r.X[len(r.X)-1]), Y: base})
	p.polygon(c, pts, histFill(r.Style.Color))
	if outlined {
		var path canvas.Path
		for _, pl := range clipLine(pts, p.sight()) {
			path.Polyline(pl)
		}
		c.StrokePath(path, 0.6, nil, r.Style.Color)
	}
}

// barEnds returns the left and right end of bar k; series of bars stand side by side.
func (p *panel) barEnds(r *Series, k int) (x0, x1 float64) {
	n, at := 0, 0
	for i := range p.s.Series {
		if p.s.Series[i].Kind == KindBars {
			if &p.s.Series[i] == r {
				at = n
			}
			n++
		}
	}
	width := 0.76 / float64(n)
	left := float64(k) - 0.38 + float64(at)*width
	return p.x(left), p.x(left + width*0.96)
}

func (p *panel) errorBar(c *canvas.Canvas, x, lo, hi float64, col color.NRGBA) {
	s := p.sight()
	y0, y1 := max(p.y(lo), s.Y0), min(p.y(hi), s.Y1)
	if y0 > y1 || x < s.X0 || x > s.X1 {
		return
	}
	line(c, x, y0, x, y1, 0.7, nil, col)
	const half = 1.8
	for _, y := range [2]float64{y0, y1} {
		if y > s.Y0 && y < s.Y1 {
			line(c, x-half, y, x+half, y, 0.7, nil, col)
		}
	}
}

func drawMarker(c *canvas.Canvas, x, y float64, st Style) {
	var p canvas.Path
	r := st.Size / 2
	switch st.Marker {
	case Square:
		r *= 0.9
		p.Rectangle(canvas.Rect{X0: x - r, Y0: y - r, X1: x + r, Y1: y + r})
	case Diamond:
		r *= 1.25
		p.Polyline([]canvas.Point{{X: x + r, Y: y}, {X: x, Y: y + r}, {X: x - r, Y: y}, {X: x, Y: y - r}})
		p.Close()
	case TriangleUp:
		r *= 1.2
		p.Polyline([]canvas.Point{{X: x - 0.87*r, Y: y - 0.5*r}, {X: x + 0.87*r, Y: y - 0.5*r}, {X: x, Y: y + r}})
		p.Close()
	case Ring:
		p.Circle(x, y, r)
		c.StrokePath(p, max(0.6, 0.22*st.Size), nil, st.Color)
		return
	case Cross:
		p.MoveTo(x-r, y-r)
		p.LineTo(x+r, y+r)
		p.MoveTo(x-r, y+r)
		p.LineTo(x+r, y-r)
		c.StrokePath(p, max(0.7, 0.22*st.Size), nil, st.Color)
		return
	default:
		p.Circle(x, y, r)
	}
	c.FillPath(p, st.Color)
}

// smoothCells is the number of cells a side from which viewers may interpolate
// a heat map: finer cells are samples of a smooth function, coarser ones are
// themselves what is shown.
const smoothCells = 100

// heatPixel is the side of the pixels of a heat map, in points (180 dpi).
const heatPixel = 0.4

func (p *panel) heat(c *canvas.Canvas, r *Series) {
	g := r.Grid
	cmap := p.s.Theme.Map
	if r.Style.diverging {
		cmap = p.s.Theme.Diverging
	}
	rect := canvas.Rect{X0: p.x(g.X0), Y0: p.y(g.Y0), X1: p.x(g.X1), Y1: p.y(g.Y1)}
	smooth := !r.Style.Pixels && g.Nx >= smoothCells && g.Ny >= smoothCells
	// Viewers differ in how they enlarge images, so maps come in k x k pixels a cell,
	// too small for it to matter. Smooth maps interpolate values, not colours.
	k := int(math.Ceil(max(rect.W()/float64(g.Nx), rect.H()/float64(g.Ny)) / heatPixel))
	for k > 1 && k*k*g.Nx*g.Ny > 1<<21 {
		k--
	}
	w, h := k*g.Nx, k*g.Ny
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	lo, scale := p.s.Z.Min, 1/(p.s.Z.Max-p.s.Z.Min)
	for j := range h {
		for i := range w {
			var z float64
			if smooth {
				z = g.at((float64(i)+0.5)/float64(k)-0.5, (float64(j)+0.5)/float64(k)-0.5)
			} else {
				z = g.Z[j/k*g.Nx+i/k]
			}
			col := p.s.Theme.Forbidden
			if !math.IsInf(z, 1) {
				col = cmap.At((z - lo) * scale)
			}
			img.SetNRGBA(i, h-1-j, col)
		}
	}
	c.Image(img, rect, smooth)
}

// arrows draws a vector field.
func (p *panel) arrows(c *canvas.Canvas, r *Series) {
	g := r.Grid
	cell := min(p.data.W()/float64(g.Nx), p.data.H()/float64(g.Ny))
	// Directions are those on the page, so that arrows follow curves also where
	// the axes have different scales.
	kx, ky := p.data.W()/(p.s.X.Max-p.s.X.Min), p.data.H()/(p.s.Y.Max-p.s.Y.Min)
	size := make([]float64, len(r.U))
	for i := range size {
		u, v := r.U[i]*kx, r.V[i]*ky
		size[i] = math.Sqrt(u*u + v*v)
	}
	sorted := clone(size)
	sort.Float64s(sorted)
	unit := quantile(sorted, 0.95)
	if unit == 0 {
		unit = sorted[len(sorted)-1]
	}
	if unit == 0 {
		return
	}
	for i := range size {
		if size[i] == 0 {
			continue
		}
		l := 0.92 * cell * math.Sqrt(min(1, size[i]/unit))
		dx, dy := r.U[i]*kx/size[i]*l/2, r.V[i]*ky/size[i]*l/2
		x, y := p.x(r.X[i]), p.y(r.Y[i])
		arrow(c, x-dx, y-dy, x+dx, y+dy, r.Style.Width, min(3.4, 0.42*l), r.Style.Color)
	}
}

// arrow draws a line with a filled head of the length.
func arrow(c *canvas.Canvas, x0, y0, x1, y1, width, head float64, col color.NRGBA) {
	l := math.Sqrt((x1-x0)*(x1-x0) + (y1-y0)*(y1-y0))
	if l == 0 {
		return
	}
	ux, uy := (x1-x0)/l, (y1-y0)/l
	if bx, by := x1-ux*head*0.8, y1-uy*head*0.8; l > head {
		line(c, x0, y0, bx, by, width, nil, col)
	}
	w := 0.36 * head
	var p canvas.Path
	p.MoveTo(x1, y1)
	p.LineTo(x1-ux*head-uy*w, y1-uy*head+ux*w)
	p.LineTo(x1-ux*head*0.8, y1-uy*head*0.8)
	p.LineTo(x1-ux*head+uy*w, y1-uy*head-ux*w)
	p.Close()
	c.FillPath(p, col)
}

// axes draws spines, ticks, labels and the title.
func (p *panel) axes(c *canvas.Canvas) {
	t := p.s.Theme
	d := p.data
	ink := t.Ink
	tick := func(x0, y0, x1, y1 float64) { line(c, x0, y0, x1, y1, t.AxisWidth, nil, ink) }
	switch {
	case p.s.Picture && !p.s.hasField(): // a diagram
	case p.frame():
		for _, e := range [4][4]float64{{d.X0, d.Y0, d.X1, d.Y0}, {d.X0, d.Y1, d.X1, d.Y1}, {d.X0, d.Y0, d.X0, d.Y1}, {d.X1, d.Y0, d.X1, d.Y1}} {
			tick(e[0], e[1], e[2], e[3])
		}
	default:
		tick(d.X0-t.AxisWidth/2, d.Y0, d.X1, d.Y0)
		tick(d.X0, d.Y0-t.AxisWidth/2, d.X0, d.Y1)
	}
	names := p.s.X.Names != nil // bars name themselves
	if names && p.s.Y.Min < 0 && p.s.Y.Max > 0 && !p.s.Y.Log {
		tick(d.X0, p.y(0), d.X1, p.y(0)) // where bars start
	}
	for _, m := range p.xt.major {
		if !names {
			tick(p.x(m.v), d.Y0, p.x(m.v), d.Y0-t.TickMajor)
		}
	}
	for _, v := range p.xt.minor {
		tick(p.x(v), d.Y0, p.x(v), d.Y0-t.TickMinor)
	}
	for _, m := range p.yt.major {
		tick(d.X0-t.TickMajor, p.y(m.v), d.X0, p.y(m.v))
	}
	for _, v := range p.yt.minor {
		tick(d.X0-t.TickMinor, p.y(v), d.X0, p.y(v))
	}
	size := t.SmallSize
	low := d.Y0 - t.TickMajor
	if p.ticksX {
		asc, desc := 0.66*size, 0.0
		for _, l := range p.xmaj {
			asc, desc = max(asc, l.Asc), max(desc, l.Desc)
		}
		base := low - tickGap - asc
		for i, l := range p.xmaj {
			c.Text(l.Glyphs(p.x(p.xt.major[i].v)-l.Width/2, base, 0), ink)
		}
		low = base - desc
		if p.xnote.Width > 0 {
			a, _ := lineHeight(p.xnote, size)
			c.Text(p.xnote.Glyphs(d.X1-p.xnote.Width, low-labelGap+1-a, 0), ink)
		}
	}
	if p.labelX && p.xlab.Width > 0 {
		asc, _ := lineHeight(p.xlab, t.TextSize)
		x := (d.X0+d.X1)/2 - p.xlab.Width/2
		if p.xnote.Width > 0 { // keep clear of the factor at the end
			x = min(x, d.X1-p.xnote.Width-6-p.xlab.Width)
		}
		c.Text(p.xlab.Glyphs(x, low-labelGap-asc, 0), ink)
	}
	left := d.X0 - t.TickMajor
	if p.ticksY {
		widest := 0.0
		for i, l := range p.ymaj {
			c.Text(l.Glyphs(left-tickGap-l.Width, p.y(p.yt.major[i].v)-0.325*size, 0), ink)
			widest = max(widest, l.Width)
		}
		left -= tickGap + widest
		if p.ynote.Width > 0 {
			c.Text(p.ynote.Glyphs(d.X0-t.TickMajor, d.Y1+titleGap+p.ynote.Desc, 0), ink)
		}
	}
	if p.labelY && p.ylab.Width > 0 {
		_, desc := lineHeight(p.ylab, t.TextSize)
		c.Text(p.ylab.Glyphs(left-labelGap-desc, (d.Y0+d.Y1)/2-p.ylab.Width/2, math.Pi/2), ink)
	}
	if p.title.Width > 0 {
		_, desc := lineHeight(p.title, t.TextSize)
		y := d.Y1 + titleGap + desc
		if p.ticksY && p.ynote.Width > 0 {
			y += p.ynote.Asc + p.ynote.Desc + 2
		}
		c.Text(p.title.Glyphs(d.X0, y, 0), ink)
	}
}

// draw draws the strip of colours with its ticks. A pointed end says that values
// lie beyond it.
func (b *colorBar) draw(c *canvas.Canvas, t Theme) {
	r := b.rect
	cmap := t.Map
	for i := range b.s.Series {
		if b.s.Series[i].Kind == KindHeat && b.s.Series[i].Style.diverging {
			cmap = t.Diverging
		}
	}
	below, above := b.clipped()
	const point = 6.0
	if above {
		r.Y1 -= point
	}
	if below {
		r.Y0 += point
	}
	img := image.NewNRGBA(image.Rect(0, 0, 1, 256))
	for i := range 256 {
		img.SetNRGBA(0, 255-i, cmap.At((float64(i)+0.5)/256))
	}
	c.Image(img, r, false)
	mid := (r.X0 + r.X1) / 2
	var outline canvas.Path
	outline.MoveTo(r.X0, r.Y0)
	if below {
		var p canvas.Path
		p.Polyline([]canvas.Point{{X: r.X0, Y: r.Y0}, {X: mid, Y: r.Y0 - point}, {X: r.X1, Y: r.Y0}})
		p.Close()
		c.FillPath(p, cmap.At(0))
		outline.LineTo(mid, r.Y0-point)
	}
	outline.LineTo(r.X1, r.Y0)
	outline.LineTo(r.X1, r.Y1)
	if above {
		var p canvas.Path
		p.Polyline([]canvas.Point{{X: r.X0, Y: r.Y1}, {X: mid, Y: r.Y1 + point}, {X: r.X1, Y: r.Y1}})
		p.Close()
		c.FillPath(p, cmap.At(1))
		outline.LineTo(mid, r.Y1+point)
	}
	outline.LineTo(r.X0, r.Y1)
	outline.Close()
	c.StrokePath(outline, t.AxisWidth, nil, t.Ink)
	place := func(v float64) float64 {
		return r.Y0 + (v-b.s.Z.Min)/(b.s.Z.Max-b.s.Z.Min)*r.H()
	}
	widest := 0.0
	for i, m := range b.t.major {
		y := place(m.v)
		line(c, r.X1, y, r.X1+t.TickMajor, y, t.AxisWidth, nil, t.Ink)
		c.Text(b.maj[i].Glyphs(r.X1+t.TickMajor+tickGap, y-0.325*t.SmallSize, 0), t.Ink)
		widest = max(widest, b.maj[i].Width)
	}
	for _, v := range b.t.minor {
		line(c, r.X1, place(v), r.X1+t.TickMinor, place(v), t.AxisWidth, nil, t.Ink)
	}
	if b.note.Width > 0 {
		c.Text(b.note.Glyphs(r.X0, b.rect.Y1+titleGap, 0), t.Ink)
	}
	if b.label.Width > 0 {
		asc, _ := lineHeight(b.label, t.TextSize)
		x := r.X1 + t.TickMajor + tickGap + widest + labelGap + asc
		c.Text(b.label.Glyphs(x, (b.rect.Y0+b.rect.Y1)/2-b.label.Width/2, math.Pi/2), t.Ink)
	}
}

// placedNote is a note with its place.
type placedNote struct {
	label  mathtext.Label
	box    canvas.Rect // of the text
	tip    canvas.Point
	style  Style
	leader bool
}

// placeNotes looks for a free place for every note: twelve directions at growing
// distances, the first with the fewest marks of data under text and arrow.
func (p *panel) placeNotes() {
	p.notes = nil
	for i := range p.s.Series {
		r := &p.s.Series[i]
		if r.Kind != KindNote {
			continue
		}
		n := placedNote{label: mathtext.Wrap(r.Name, p.s.Theme.TextSize, 0.6*p.data.W(), true), tip: canvas.Point{X: p.x(r.X[0]), Y: p.y(r.Y[0])}, style: r.Style, leader: true}
		asc, desc := lineHeight(n.label, p.s.Theme.TextSize)
		w, h := n.label.Width, asc+desc
		box := func(dx, dy float64) canvas.Rect {
			// The middle of the text's nearest side stands at the offset.
			x, y := n.tip.X+dx, n.tip.Y+dy
			switch {
			case math.Abs(dx) < math.Abs(dy)*0.4:
				x -= w / 2
			case dx < 0:
				x -= w
			}
			switch {
			case math.Abs(dy) < math.Abs(dx)*0.4:
				y -= h / 2
			case dy < 0:
				y -= h
			}
			return canvas.Rect{X0: x, Y0: y, X1: x + w, Y1: y + h}
		}
		if r.Style.offset {
			n.box = box(r.Style.dx, r.Style.dy)
		} else {
			best := math.Inf(1)
			for _, dist := range []float64{14, 20, 28, 38, 50, 64} {
				for _, dir := range [12][2]float64{{0, 1}, {0.5, 0.87}, {-0.5, 0.87}, {0.87, 0.5}, {-0.87, 0.5}, {1, 0}, {-1, 0},
					{0, -1}, {0.5, -0.87}, {-0.5, -0.87}, {0.87, -0.5}, {-0.87, -0.5}} {
					b := box(dist*dir[0], dist*dir[1])
					if b.X0 < p.data.X0+1 || b.X1 > p.data.X1-1 || b.Y0 < p.data.Y0+2 || b.Y1 > p.data.Y1 {
						continue
					}
					g := canvas.Rect{X0: b.X0 - 2, Y0: b.Y0 - 2, X1: b.X1 + 2, Y1: b.Y1 + 2}
					path := newOccupancy(p.data)
					q := nearest(b, n.tip)
					path.segment(canvas.Point{X: n.tip.X + 0.15*(q.X-n.tip.X), Y: n.tip.Y + 0.15*(q.Y-n.tip.Y)}, q)
					cross := 0
					for k, v := range path.cells {
						if v > 0 && p.busy.cells[k] > 0 {
							cross++
						}
					}
					if cost := 3*float64(p.busy.count(g)) + float64(cross) + 0.08*dist; cost < best {
						best, n.box = cost, b
					}
				}
			}
			if math.IsInf(best, 1) { // longer than the axis: where it is least cut
				n.box = box(0, 16)
			}
		}
		p.busy.mark(n.box)
		p.notes = append(p.notes, n)
	}
}

// nearest returns the point of a rectangle that an arrow to p should start at.
func nearest(b canvas.Rect, p canvas.Point) canvas.Point {
	q := canvas.Point{X: max(b.X0, min(b.X1, p.X)), Y: max(b.Y0-1, min(b.Y1+1, p.Y))}
	// From the middle of a long side rather than from a corner.
	if p.X < b.X0 || p.X > b.X1 {
		if p.Y < b.Y0 || p.Y > b.Y1 {
			mid := (b.X0 + b.X1) / 2
			w := min(b.W()/2, 8)
			q.X = max(mid-w, min(mid+w, q.X))
			if b.W() > 24 {
				q.X = max(b.X0+6, min(b.X1-6, p.X))
			}
		} else {
			q.Y = (b.Y0 + b.Y1) / 2
			if p.X < b.X0 {
				q.X = b.X0 - 2
			} else {
				q.X = b.X1 + 2
			}
		}
	}
	return q
}

func (n placedNote) draw(c *canvas.Canvas, t Theme) {
	_, desc := lineHeight(n.label, t.TextSize)
	q := nearest(n.box, n.tip)
	dx, dy := n.tip.X-q.X, n.tip.Y-q.Y
	if l := math.Sqrt(dx*dx + dy*dy); l > 6 {
		arrow(c, q.X, q.Y, n.tip.X-1.2*dx/l, n.tip.Y-1.2*dy/l, max(n.style.Width, 0.5), 4.2, n.style.Color)
	}
	c.Text(n.label.Glyphs(n.box.X0, n.box.Y0+desc, 0), n.style.Color)
}
