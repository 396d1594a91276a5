package plotting

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting/inline"
	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
	"gonum.org/v1/plot/vg"
)

// Diagram is boxes joined by arrows: how a model is built. Its methods return a
// changed copy. Every node has a name, by which arrows find it; a centre (x, y)
// and a size w by h in millimetres, from the lower left corner of the page; and a
// label, broken into lines that fit, where "\n" breaks it too. Of the options
// Color and Dashed apply, for arrows also LineWidth, and Offset, which moves the
// label.
//
//	d := plotting.NewDiagram(plotting.Single, 24).
//		Box("x", "$x$", 8, 12, 10, 10).
//		Funnel("e", "encoder", 40, 12, 22, 18, 9).
//		Arrow("x", "e", "", nil)
type Diagram struct {
	w, h           float64
	nodes          []node
	links          []link
	insets         []Inset
	title, caption string
	pairs          []Pair
	err            error
}

type shape uint8

const (
	box shape = iota
	oval
	plain
	raster
)

// node is a node in millimetres. A box whose right side is not as high as its left
// one is a funnel.
type node struct {
	shape       shape
	name, label string
	x, y, w, h  float64
	right       float64 // height of the right side
	style       Style
	rows, cols  int
	pixels      []float64
}

type link struct {
	from, to, label string
	via             []canvas.Point
	style           Style
}

// NewDiagram returns an empty page of the width and the height in millimetres.
func NewDiagram(w Width, height float64) Diagram {
	d := Diagram{w: float64(w), h: height}
	for arg, v := range [2]float64{float64(w), height} {
		if !(v >= 5 && v <= 1000) {
			return d.fail("NewDiagram", [2]string{"w", "height"}[arg], v, "5 to 1000 millimetres")
		}
	}
	return d
}

func (d Diagram) fail(fn, arg string, value any, want string) Diagram {
	if d.err == nil {
		d.err = &ebmkit.ArgError{Func: "plotting." + fn, Arg: arg, Value: value, Want: want}
	}
	return d
}

// find returns the node of the name, nil if there is none.
func (d *Diagram) find(name string) *node {
	for i := range d.nodes {
		if d.nodes[i].name == name {
			return &d.nodes[i]
		}
	}
	return nil
}

func (d Diagram) node(fn string, n node, opts []Option) Diagram {
	fn = "Diagram." + fn
	if n.name == "" || d.find(n.name) != nil {
		return d.fail(fn, "name", fmt.Sprintf("%q", n.name), "a name that no other node has")
	}
	for _, o := range opts {
		o(&n.style)
	}
	if !(n.w > 0 && n.h >= 0 && n.right >= 0 && n.h+n.right > 0) {
		return d.fail(fn, fmt.Sprintf("size of %q", n.name), fmt.Sprintf("%g by %g", n.w, max(n.h, n.right)), "positive millimetres")
	}
	high := max(n.h, n.right)
	if !(n.x-n.w/2 >= 0 && n.x+n.w/2 <= d.w && n.y-high/2 >= 0 && n.y+high/2 <= d.h) {
		return d.fail(fn, fmt.Sprintf("x, y of %q", n.name), fmt.Sprintf("%g, %g", n.x, n.y), fmt.Sprintf("a place at which its %g by %g mm lie on the page of %g by %g", n.w, high, d.w, d.h))
	}
	k := len(d.nodes)
	d.nodes = append(d.nodes[:k:k], n)
	return d
}

// Box adds a rectangle.
func (d Diagram) Box(name, label string, x, y, w, h float64, opts ...Option) Diagram {
	return d.node("Box", node{shape: box, name: name, label: label, x: x, y: y, w: w, h: h, right: h}, opts)
}

// Funnel adds a network: a box whose left and right sides differ in height, as
// the numbers of its inputs and outputs do.
func (d Diagram) Funnel(name, label string, x, y, w, left, right float64, opts ...Option) Diagram {
	return d.node("Funnel", node{shape: box, name: name, label: label, x: x, y: y, w: w, h: left, right: right}, opts)
}

// Oval adds an ellipse: something random.
func (d Diagram) Oval(name, label string, x, y, w, h float64, opts ...Option) Diagram {
	return d.node("Oval", node{shape: oval, name: name, label: label, x: x, y: y, w: w, h: h, right: h}, opts)
}

// Plain adds a label without a frame.
func (d Diagram) Plain(name, label string, x, y, w, h float64, opts ...Option) Diagram {
	return d.node("Plain", node{shape: plain, name: name, label: label, x: x, y: y, w: w, h: h, right: h}, opts)
}

// Pixels adds a picture as Picture draws it, h millimetres high, with the label
// below it. Ink is the largest number and paper the smallest.
func (d Diagram) Pixels(name, label string, rows, cols int, pixels []float64, x, y, h float64, opts ...Option) Diagram {
	const fn = "Diagram.Pixels"
	if rows < 1 || cols < 1 || len(pixels) != rows*cols {
		return d.fail(fn, "len(pixels)", len(pixels), fmt.Sprintf("rows*cols = %d * %d, at least 1", rows, cols))
	}
	if err := checkFinite("plotting."+fn, name, column{"pixels", pixels}); err != nil {
		if d.err == nil {
			d.err = err
		}
		return d
	}
	return d.node("Pixels", node{shape: raster, name: name, label: label, x: x, y: y, w: h * float64(cols) / float64(rows), h: h, right: h,
		rows: rows, cols: cols, pixels: clone(pixels)}, opts)
}

// Arrow joins two nodes, from border to border, with the label at the middle of
// its longest piece. via are corners that it goes through, as x, y, x, y, ...
// in millimetres.
func (d Diagram) Arrow(from, to, label string, via []float64, opts ...Option) Diagram {
	const fn = "Diagram.Arrow"
	for _, e := range [2][2]string{{"from", from}, {"to", to}} {
		if d.find(e[1]) == nil {
			return d.fail(fn, e[0], fmt.Sprintf("%q", e[1]), "the name of a node that was added before")
		}
	}
	if from == to && len(via) == 0 {
		return d.fail(fn, "to", fmt.Sprintf("%q", to), "another node than from, or corners to go through")
	}
	if len(via)%2 != 0 {
		return d.fail(fn, "len(via)", len(via), "an even number: x, y of every corner")
	}
	l := link{from: from, to: to, label: label}
	for i := 0; i < len(via); i += 2 {
		x, y := via[i], via[i+1]
		if !(x >= 0 && x <= d.w && y >= 0 && y <= d.h) {
			return d.fail(fn, fmt.Sprintf("via[%d], via[%d]", i, i+1), fmt.Sprintf("%g, %g", x, y), fmt.Sprintf("a place on the page of %g by %g mm", d.w, d.h))
		}
		l.via = append(l.via, canvas.Point{X: x, Y: y})
	}
	for _, o := range opts {
		o(&l.style)
	}
	k := len(d.links)
	d.links = append(d.links[:k:k], l)
	return d
}

// Inset draws a figure into the rectangle with the centre (x, y) and the size
// w by h, in millimetres: the rectangle of its data, axes go around it.
func (d Diagram) Inset(g Figure, x, y, w, h float64) Diagram {
	if err := g.Err(); err != nil && d.err == nil {
		d.err = err
	}
	if !(w > 0 && h > 0 && x-w/2 >= 0 && x+w/2 <= d.w && y-h/2 >= 0 && y+h/2 <= d.h) {
		return d.fail("Diagram.Inset", "x, y, w, h", fmt.Sprintf("%g, %g, %g, %g", x, y, w, h), fmt.Sprintf("a rectangle on the page of %g by %g mm", d.w, d.h))
	}
	k := len(d.insets)
	d.insets = append(d.insets[:k:k], Inset{Figure: g, X: (x - w/2) / d.w, Y: (y - h/2) / d.h, W: w / d.w, H: h / d.h})
	return d
}

// Title sets what the diagram is called.
func (d Diagram) Title(s string) Diagram { d.title = s; return d }

// Caption sets the caption, for Export and notebooks.
func (d Diagram) Caption(s string) Diagram { d.caption = s; return d }

// Provenance adds an entry to the metadata of exported files.
func (d Diagram) Provenance(key, value string) Diagram {
	k := len(d.pairs)
	d.pairs = append(d.pairs[:k:k], Pair{key, value})
	return d
}

// Figure returns the diagram as a figure without axes.
func (d Diagram) Figure() Figure {
	if d.err != nil {
		return Figure{err: d.err}
	}
	if len(d.nodes) == 0 {
		return Figure{err: d.fail("Diagram", "nodes", "none", "at least one node").err}
	}
	f := New().Custom(d.describe(), d).XRange(0, d.w).YRange(0, d.h).Size(Width(d.w), d.h).Legend(None).Title(d.title).Caption(d.caption)
	f.s.Picture, f.s.Insets, f.s.Provenance = true, d.insets, d.pairs
	return f
}

// Err returns the first thing that was wrong with the arguments of the methods,
// an *ebmkit.ArgError, or nil.
func (d Diagram) Err() error { return d.Figure().Err() }

// Inline draws the diagram for a notebook.
func (d Diagram) Inline(dpi int) (inline.Picture, error) { return drawInline(d, dpi) }

func (d Diagram) specs() ([]Spec, error) { return d.Figure().specs() }
func (d Diagram) layout() (*page, error) { return d.Figure().layout() }
func (d Diagram) captionText() string    { return d.caption }
func (d Diagram) titleText() string      { return d.title }
func (d Diagram) provenance() []Pair     { return d.Figure().provenance() }

var _ Drawable = Diagram{}

// called is what a node is called in a text.
func (n *node) called() string {
	if n.label == "" {
		return n.name
	}
	return strings.ReplaceAll(n.label, "\n", " ")
}

// describe is the twin of the drawing in words.
func (d *Diagram) describe() string {
	var parts []string
	for _, l := range d.links {
		s := d.find(l.from).called() + " -> " + d.find(l.to).called()
		if l.label != "" {
			s += " (" + strings.ReplaceAll(l.label, "\n", " ") + ")"
		}
		parts = append(parts, s)
	}
	if parts == nil {
		for i := range d.nodes {
			parts = append(parts, d.nodes[i].called())
		}
	}
	return strings.Join(parts, "; ")
}

// Range implements Plotter.
func (d Diagram) Range() (xmin, xmax, ymin, ymax float64) { return 0, d.w, 0, d.h }

const (
	diagramTint = 0.16 // opacity of the filling of coloured nodes
	headLength  = 5.2  // of arrows, in points
	nodeGap     = 1.2  // between arrow and border, in points
	labelRise   = 2.2  // of labels over arrows, in points
)

// Plot implements Plotter.
func (d Diagram) Plot(cv vg.Canvas, _ vg.Rectangle, a Axes) {
	c := cv.(*canvas.Canvas)
	t := Print()
	at := func(x, y float64) canvas.Point {
		return canvas.Point{X: float64(a.PlaceX(x)), Y: float64(a.PlaceY(y))}
	}
	for i := range d.links {
		d.links[i].draw(c, t, &d, at)
	}
	for i := range d.nodes {
		d.nodes[i].draw(c, t, at)
	}
}

// stroke returns colour and width of the lines of something in the style.
func stroke(st Style, t Theme) (color.NRGBA, float64) {
	col, width := t.Ink, 0.9
	if st.Color.A != 0 {
		col = st.Color
	}
	if st.Width > 0 {
		width = st.Width
	}
	return col, width
}

// outline returns the corners of a node in millimetres, nil for an oval.
func (n *node) outline() []canvas.Point {
	if n.shape == oval {
		return nil
	}
	l, r := n.x-n.w/2, n.x+n.w/2
	return []canvas.Point{{X: l, Y: n.y - n.h/2}, {X: r, Y: n.y - n.right/2}, {X: r, Y: n.y + n.right/2}, {X: l, Y: n.y + n.h/2}}
}

func (n *node) draw(c *canvas.Canvas, t Theme, at func(x, y float64) canvas.Point) {
	col, width := stroke(n.style, t)
	var path canvas.Path
	switch n.shape {
	case box:
		path = roundedPolygon(n.outline(), at, 2.5)
	case oval:
		const k = 0.5522847498 // of a quarter circle by a cubic
		m, e := at(n.x, n.y), at(n.x+n.w/2, n.y+n.h/2)
		rx, ry := e.X-m.X, e.Y-m.Y
		path.MoveTo(m.X+rx, m.Y)
		path.CubeTo(m.X+rx, m.Y+k*ry, m.X+k*rx, m.Y+ry, m.X, m.Y+ry)
		path.CubeTo(m.X-k*rx, m.Y+ry, m.X-rx, m.Y+k*ry, m.X-rx, m.Y)
		path.CubeTo(m.X-rx, m.Y-k*ry, m.X-k*rx, m.Y-ry, m.X, m.Y-ry)
		path.CubeTo(m.X+k*rx, m.Y-ry, m.X+rx, m.Y-k*ry, m.X+rx, m.Y)
		path.Close()
	case raster:
		n.drawPixels(c, t, at)
		path.Polyline([]canvas.Point{at(n.x-n.w/2, n.y-n.h/2), at(n.x+n.w/2, n.y-n.h/2), at(n.x+n.w/2, n.y+n.h/2), at(n.x-n.w/2, n.y+n.h/2)})
		path.Close()
		width = 0.6
	}
	if n.shape == box || n.shape == oval {
		c.FillPath(path, t.Paper) // arrows end under nodes
		if n.style.Color.A != 0 {
			c.FillPath(path, withAlpha(col, diagramTint))
		}
	}
	if n.shape != plain {
		c.StrokePath(path, width, n.style.Dash, col)
	}
	ink := t.Ink
	if n.shape == plain {
		ink = col
	}
	m, e := at(n.x, n.y), at(n.x+n.w/2, n.y-max(n.h, n.right)/2)
	if n.shape == raster {
		drawLines(c, n.label, t.SmallSize, 4*(e.X-m.X), m.X, e.Y-2-0.5*t.SmallSize, ink, below)
		return
	}
	drawLines(c, n.label, t.TextSize, 2*(e.X-m.X)-5, m.X, m.Y, ink, middle)
}

func (n *node) drawPixels(c *canvas.Canvas, t Theme, at func(x, y float64) canvas.Point) {
	s := empty.with(n.pixels...)
	for i, v := range n.pixels {
		r, k := i/n.cols, i%n.cols
		ink := 0.0
		if s.hi > s.lo {
			ink = (v - s.lo) / (s.hi - s.lo)
		}
		if ink == 0 {
			continue
		}
		p := at(n.x-n.w/2+n.w*float64(k)/float64(n.cols), n.y+n.h/2-n.h*float64(r+1)/float64(n.rows))
		q := at(n.x-n.w/2+n.w*float64(k+1)/float64(n.cols), n.y+n.h/2-n.h*float64(r)/float64(n.rows))
		c.FillRect(canvas.Rect{X0: p.X, Y0: p.Y, X1: q.X, Y1: q.Y}, Greys.At(ink))
	}
}

// roundedPolygon is a polygon with corners of the radius (points).
func roundedPolygon(corners []canvas.Point, at func(x, y float64) canvas.Point, radius float64) canvas.Path {
	pts := make([]canvas.Point, len(corners))
	for i, p := range corners {
		pts[i] = at(p.X, p.Y)
	}
	var path canvas.Path
	for i, p := range pts {
		prev, next := pts[(i+len(pts)-1)%len(pts)], pts[(i+1)%len(pts)]
		in, out := towards(p, prev, radius), towards(p, next, radius)
		if i == 0 {
			path.MoveTo(in.X, in.Y)
		} else {
			path.LineTo(in.X, in.Y)
		}
		path.QuadTo(p.X, p.Y, out.X, out.Y)
	}
	path.Close()
	return path
}

// towards is the point at the distance r from p on the way to q, at most half
// way.
func towards(p, q canvas.Point, r float64) canvas.Point {
	l := distance(p, q)
	if l == 0 {
		return p
	}
	s := min(r/l, 0.5)
	return canvas.Point{X: p.X + s*(q.X-p.X), Y: p.Y + s*(q.Y-p.Y)}
}

func distance(p, q canvas.Point) float64 {
	return math.Sqrt((p.X-q.X)*(p.X-q.X) + (p.Y-q.Y)*(p.Y-q.Y))
}

// border returns where the way from the centre of a node to q, in millimetres,
// leaves it.
func (n *node) border(q canvas.Point) canvas.Point {
	m := canvas.Point{X: n.x, Y: n.y}
	dx, dy := q.X-m.X, q.Y-m.Y
	if dx == 0 && dy == 0 {
		return m
	}
	s := 0.0
	if n.shape == oval {
		s = 1 / math.Sqrt(4*dx*dx/(n.w*n.w)+4*dy*dy/(n.h*n.h))
	} else {
		pts := n.outline()
		for i, a := range pts {
			b := pts[(i+1)%len(pts)]
			ex, ey := b.X-a.X, b.Y-a.Y
			det := dx*ey - dy*ex
			if det == 0 {
				continue
			}
			t := ((a.X-m.X)*ey - (a.Y-m.Y)*ex) / det // along the way
			u := ((a.X-m.X)*dy - (a.Y-m.Y)*dx) / det // along the side
			if t > 0 && u >= 0 && u <= 1 {
				s = max(s, t)
			}
		}
	}
	return canvas.Point{X: m.X + s*dx, Y: m.Y + s*dy}
}

func (l *link) draw(c *canvas.Canvas, t Theme, d *Diagram, at func(x, y float64) canvas.Point) {
	from, to := d.find(l.from), d.find(l.to)
	way := append([]canvas.Point{{X: from.x, Y: from.y}}, l.via...)
	way = append(way, canvas.Point{X: to.x, Y: to.y})
	last := len(way) - 1
	way[0], way[last] = from.border(way[1]), to.border(way[last-1])
	for i, p := range way {
		way[i] = at(p.X, p.Y)
	}
	way[0], way[last] = towards(way[0], way[1], nodeGap), towards(way[last], way[last-1], nodeGap)
	col, width := stroke(l.style, t)

	stop := towards(way[last], way[last-1], headLength*0.8)
	var path canvas.Path
	path.MoveTo(way[0].X, way[0].Y)
	for i := 1; i < last; i++ {
		in, out := towards(way[i], way[i-1], 4), towards(way[i], way[i+1], 4)
		path.LineTo(in.X, in.Y)
		path.QuadTo(way[i].X, way[i].Y, out.X, out.Y)
	}
	path.LineTo(stop.X, stop.Y)
	c.StrokePath(path, width, l.style.Dash, col)
	// The head alone: the line ends where its notch is.
	arrow(c, stop.X, stop.Y, way[last].X, way[last].Y, width, headLength, col)

	if l.label == "" {
		return
	}
	long := 1
	for i := 2; i <= last; i++ {
		if distance(way[i-1], way[i]) > distance(way[long-1], way[long])+1e-9 {
			long = i
		}
	}
	p, q := way[long-1], way[long]
	x, y := (p.X+q.X)/2+l.style.dx, (p.Y+q.Y)/2+l.style.dy
	if math.Abs(q.Y-p.Y) > 2*math.Abs(q.X-p.X) { // beside a steep arrow
		drawLines(c, l.label, t.TextSize, 0, x+labelRise+1, y, t.Ink, rightOf)
		return
	}
	drawLines(c, l.label, t.TextSize, 0, x, y+labelRise, t.Ink, above)
}

// place says where lines of text stand to a point.
type place uint8

const (
	middle place = iota
	above
	below
	rightOf
)

// drawLines sets a label around or beside (x, y), in lines no wider than width
// if that is positive.
func drawLines(c *canvas.Canvas, label string, size, width, x, y float64, ink color.NRGBA, where place) {
	if label == "" {
		return
	}
	var lines []mathtext.Label
	height := 0.0
	var drop []float64 // from the top to each baseline
	for _, s := range strings.Split(label, "\n") {
		l := mathtext.Wrap(s, size, width, true)
		asc, desc := max(l.Asc, 0.66*size), max(l.Desc, 0.2*size)
		if len(lines) > 0 {
			height += 0.28 * size
		}
		lines, drop = append(lines, l), append(drop, height+asc)
		height += asc + desc
	}
	top := y
	switch where {
	case middle, rightOf:
		top += height / 2
	case above:
		top += height
	}
	for i, l := range lines {
		left := x - l.Width/2
		if where == rightOf {
			left = x
		}
		c.Text(l.Glyphs(left, top-drop[i], 0), ink)
	}
}
