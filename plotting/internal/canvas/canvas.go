// Package canvas records drawings as a list of operations and writes the list as
// SVG, PDF or PNG. All three writers give the same bytes for the same list.
//
// Coordinates are points (1/72 inch) from the lower left corner of the page.
// Text arrives as outlines. Canvas also implements vg.Canvas, so that plotters of
// gonum/plot can draw on it.
package canvas

import (
	"image"
	"image/color"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	gfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// Point is a place on the page.
type Point struct{ X, Y float64 }

// Rect is an upright rectangle.
type Rect struct{ X0, Y0, X1, Y1 float64 }

// W returns the width.
func (r Rect) W() float64 { return r.X1 - r.X0 }

// H returns the height.
func (r Rect) H() float64 { return r.Y1 - r.Y0 }

// Contains reports whether s lies in r.
func (r Rect) Contains(s Rect) bool {
	return s.X0 >= r.X0 && s.X1 <= r.X1 && s.Y0 >= r.Y0 && s.Y1 <= r.Y1
}

// Intersect returns the common part of two rectangles, empty (all zero) if there
// is none.
func (r Rect) Intersect(s Rect) Rect {
	t := Rect{max(r.X0, s.X0), max(r.Y0, s.Y0), min(r.X1, s.X1), min(r.Y1, s.Y1)}
	if t.X0 >= t.X1 || t.Y0 >= t.Y1 {
		return Rect{}
	}
	return t
}

// Union returns the smallest rectangle around both.
func (r Rect) Union(s Rect) Rect {
	return Rect{min(r.X0, s.X0), min(r.Y0, s.Y0), max(r.X1, s.X1), max(r.Y1, s.Y1)}
}

// Matrix maps (x, y) to (A x + C y + E, B x + D y + F).
type Matrix struct{ A, B, C, D, E, F float64 }

// Identity is the map that changes nothing.
var Identity = Matrix{A: 1, D: 1}

// Apply maps a point.
func (m Matrix) Apply(p Point) Point {
	return Point{m.A*p.X + m.C*p.Y + m.E, m.B*p.X + m.D*p.Y + m.F}
}

// Mul returns the map that applies n first and m then.
func (m Matrix) Mul(n Matrix) Matrix {
	return Matrix{
		m.A*n.A + m.C*n.B, m.B*n.A + m.D*n.B,
		m.A*n.C + m.C*n.D, m.B*n.C + m.D*n.D,
		m.A*n.E + m.C*n.F + m.E, m.B*n.E + m.D*n.F + m.F,
	}
}

type verb uint8

const (
	moveTo verb = iota
	lineTo
	cubeTo // three points
	closePath
)

// Path is an outline of lines and cubic curves.
type Path struct {
	verbs []verb
	pts   []Point
}

// MoveTo starts a new piece.
func (p *Path) MoveTo(x, y float64) {
	p.verbs, p.pts = append(p.verbs, moveTo), append(p.pts, Point{x, y})
}

// LineTo draws a line.
func (p *Path) LineTo(x, y float64) {
	p.verbs, p.pts = append(p.verbs, lineTo), append(p.pts, Point{x, y})
}

// CubeTo draws a cubic curve with two control points.
func (p *Path) CubeTo(x1, y1, x2, y2, x, y float64) {
	p.verbs = append(p.verbs, cubeTo)
	p.pts = append(p.pts, Point{x1, y1}, Point{x2, y2}, Point{x, y})
}

// QuadTo draws a quadratic curve with one control point.
func (p *Path) QuadTo(x1, y1, x, y float64) {
	q := p.pts[len(p.pts)-1]
	p.CubeTo(q.X+2*(x1-q.X)/3, q.Y+2*(y1-q.Y)/3, x+2*(x1-x)/3, y+2*(y1-y)/3, x, y)
}

// Close ends the piece with a line to its start.
func (p *Path) Close() { p.verbs = append(p.verbs, closePath) }

// Empty reports whether nothing was drawn.
func (p *Path) Empty() bool { return len(p.verbs) == 0 }

// Rectangle adds a closed rectangle.
func (p *Path) Rectangle(r Rect) {
	p.MoveTo(r.X0, r.Y0)
	p.LineTo(r.X1, r.Y0)
	p.LineTo(r.X1, r.Y1)
	p.LineTo(r.X0, r.Y1)
	p.Close()
}

// kappa makes a quarter circle of a cubic curve.
const kappa = 0.5522847498307936

// Circle adds a closed circle.
func (p *Path) Circle(x, y, r float64) {
	k := kappa * r
	p.MoveTo(x+r, y)
	p.CubeTo(x+r, y+k, x+k, y+r, x, y+r)
	p.CubeTo(x-k, y+r, x-r, y+k, x-r, y)
	p.CubeTo(x-r, y-k, x-k, y-r, x, y-r)
	p.CubeTo(x+k, y-r, x+r, y-k, x+r, y)
	p.Close()
}

// Polyline adds an open line through the points.
func (p *Path) Polyline(pts []Point) {
	for i, q := range pts {
		if i == 0 {
			p.MoveTo(q.X, q.Y)
		} else {
			p.LineTo(q.X, q.Y)
		}
	}
}

// Transform returns the path under m.
func (p Path) Transform(m Matrix) Path {
	q := Path{verbs: p.verbs, pts: make([]Point, len(p.pts))}
	for i, t := range p.pts {
		q.pts[i] = m.Apply(t)
	}
	return q
}

// Outline is the shape of one glyph in units of 1/1000 em. ID is unique among all
// outlines; SVG files use it as the name of the shape.
type Outline struct {
	ID   string
	Path Path
}

// Glyph is an outline placed on the page: M maps units of the outline to points.
type Glyph struct {
	Outline *Outline
	M       Matrix
}

type opKind uint8

const (
	opFill opKind = iota
	opStroke
	opGlyphs
	opImage
	opDots
	opClip   // push
	opUnclip // pop
)

type op struct {
	kind   opKind
	path   Path
	color  color.NRGBA
	width  float64
	dash   []float64
	glyphs []Glyph
	img    image.Image
	rect   Rect // image: where; clip and dots: the clip in force
	smooth bool
	dots   []Point
}

// Canvas records operations.
type Canvas struct {
	W, H float64 // of the page, in points
	ops  []op
	clip []Rect

	st    state // of vg.Canvas
	stack []state
}

type state struct {
	m     Matrix
	color color.NRGBA
	width float64
	dash  []float64
}

// New returns an empty page.
func New(w, h float64) *Canvas {
	return &Canvas{W: w, H: h, clip: []Rect{{0, 0, w, h}},
		st: state{m: Identity, color: color.NRGBA{A: 255}, width: 1}}
}

// FillPath fills by the nonzero rule.
func (c *Canvas) FillPath(p Path, col color.NRGBA) {
	if !p.Empty() && col.A > 0 {
		c.ops = append(c.ops, op{kind: opFill, path: p, color: col})
	}
}

// FillRect fills a rectangle.
func (c *Canvas) FillRect(r Rect, col color.NRGBA) {
	var p Path
	p.Rectangle(r)
	c.FillPath(p, col)
}

// StrokePath draws a line of the width along the path, with round joins and butt
// ends. dash holds lengths of dashes and gaps.
func (c *Canvas) StrokePath(p Path, width float64, dash []float64, col color.NRGBA) {
	if !p.Empty() && width > 0 && col.A > 0 {
		c.ops = append(c.ops, op{kind: opStroke, path: p, width: width, dash: dash, color: col})
	}
}

// Text draws glyphs.
func (c *Canvas) Text(g []Glyph, col color.NRGBA) {
	if len(g) > 0 {
		c.ops = append(c.ops, op{kind: opGlyphs, glyphs: g, color: col})
	}
}

// Image stretches img over r. smooth lets viewers interpolate between pixels.
func (c *Canvas) Image(img image.Image, r Rect, smooth bool) {
	c.ops = append(c.ops, op{kind: opImage, img: img, rect: r, smooth: smooth})
}

// Dots draws discs of one diameter. Vector formats get an image of 600 dpi.
func (c *Canvas) Dots(pts []Point, diameter float64, col color.NRGBA) {
	if len(pts) > 0 {
		c.ops = append(c.ops, op{kind: opDots, dots: pts, width: diameter, color: col, rect: c.clip[len(c.clip)-1]})
	}
}

// PushClip limits what follows to r and the clips in force.
func (c *Canvas) PushClip(r Rect) {
	r = c.clip[len(c.clip)-1].Intersect(r)
	c.clip = append(c.clip, r)
	c.ops = append(c.ops, op{kind: opClip, rect: r})
}

// PopClip ends the last PushClip.
func (c *Canvas) PopClip() {
	c.clip = c.clip[:len(c.clip)-1]
	c.ops = append(c.ops, op{kind: opUnclip, rect: c.clip[len(c.clip)-1]})
}

// The methods of vg.Canvas.

var _ vg.Canvas = (*Canvas)(nil)

// SetLineWidth implements vg.Canvas.
func (c *Canvas) SetLineWidth(w vg.Length) { c.st.width = float64(w) }

// SetLineDash implements vg.Canvas. The offset is ignored when it is zero, and
// realised by rotating the pattern when it is not.
func (c *Canvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	d := make([]float64, len(pattern))
	for i, l := range pattern {
		d[i] = float64(l)
	}
	c.st.dash = shiftDash(d, float64(offset))
}

// SetColor implements vg.Canvas.
func (c *Canvas) SetColor(col color.Color) {
	if col == nil {
		col = color.Black
	}
	c.st.color = color.NRGBAModel.Convert(col).(color.NRGBA)
}

// Rotate implements vg.Canvas.
func (c *Canvas) Rotate(rad float64) {
	s, co := math.Sincos(rad)
	c.st.m = c.st.m.Mul(Matrix{co, s, -s, co, 0, 0})
}

// Translate implements vg.Canvas.
func (c *Canvas) Translate(pt vg.Point) {
	c.st.m = c.st.m.Mul(Matrix{1, 0, 0, 1, float64(pt.X), float64(pt.Y)})
}

// Scale implements vg.Canvas.
func (c *Canvas) Scale(x, y float64) { c.st.m = c.st.m.Mul(Matrix{x, 0, 0, y, 0, 0}) }

// Push implements vg.Canvas.
func (c *Canvas) Push() { c.stack = append(c.stack, c.st) }

// Pop implements vg.Canvas.
func (c *Canvas) Pop() {
	c.st = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

// Size implements vg.CanvasSizer.
func (c *Canvas) Size() (x, y vg.Length) { return vg.Length(c.W), vg.Length(c.H) }

// Stroke implements vg.Canvas.
func (c *Canvas) Stroke(p vg.Path) {
	m := c.st.m
	scale := math.Sqrt(math.Abs(m.A*m.D - m.B*m.C))
	d := make([]float64, len(c.st.dash))
	for i := range d {
		d[i] = c.st.dash[i] * scale
	}
	c.StrokePath(fromVG(p).Transform(m), c.st.width*scale, d, c.st.color)
}

// Fill implements vg.Canvas.
func (c *Canvas) Fill(p vg.Path) { c.FillPath(fromVG(p).Transform(c.st.m), c.st.color) }

// DrawImage implements vg.Canvas. Rotations other than by zero are not supported
// for images: the image fills the bounding rectangle.
func (c *Canvas) DrawImage(r vg.Rectangle, img image.Image) {
	p := c.st.m.Apply(Point{float64(r.Min.X), float64(r.Min.Y)})
	q := c.st.m.Apply(Point{float64(r.Max.X), float64(r.Max.Y)})
	c.Image(img, Rect{min(p.X, q.X), min(p.Y, q.Y), max(p.X, q.X), max(p.Y, q.Y)}, false)
}

// FillString implements vg.Canvas: the text becomes outlines.
func (c *Canvas) FillString(f gfont.Face, pt vg.Point, text string) {
	if f.Font.Size <= 0 {
		return
	}
	size := float64(f.Font.Size)
	pen, prev := 0.0, sfnt.GlyphIndex(0)
	var glyphs []Glyph
	var buf sfnt.Buffer
	unit := fixed.I(1000)
	for i, r := range text {
		gid, err := f.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if k, err := f.Face.Kern(&buf, prev, gid, unit, font.HintingNone); err == nil && i > 0 {
			pen += float64(k) / 64
		}
		prev = gid
		if o := vgOutline(f, &buf, gid); o != nil {
			glyphs = append(glyphs, Glyph{o, c.st.m.Mul(Matrix{size / 1000, 0, 0, size / 1000,
				float64(pt.X) + pen*size/1000, float64(pt.Y)})})
		}
		if a, err := f.Face.GlyphAdvance(&buf, gid, unit, font.HintingNone); err == nil {
			pen += float64(a) / 64
		}
	}
	c.Text(glyphs, c.st.color)
}

// outlines of fonts that come through vg.Canvas, by font name and glyph.
var vgOutlines struct {
	sync.Mutex
	m map[string]*Outline
}

func vgOutline(f gfont.Face, buf *sfnt.Buffer, gid sfnt.GlyphIndex) *Outline {
	id := f.Font.Name() + "-" + itoa(int(gid))
	vgOutlines.Lock()
	defer vgOutlines.Unlock()
	if o, ok := vgOutlines.m[id]; ok {
		return o
	}
	segs, err := f.Face.LoadGlyph(buf, gid, fixed.I(1000), nil)
	if err != nil {
		return nil
	}
	o := &Outline{ID: id, Path: FromSegments(segs)}
	if vgOutlines.m == nil {
		vgOutlines.m = map[string]*Outline{}
	}
	vgOutlines.m[id] = o
	return o
}

// FromSegments converts an outline as package sfnt loads it at 1000 pixels per em.
func FromSegments(segs sfnt.Segments) Path {
	var p Path
	f := func(q fixed.Point26_6) (x, y float64) { return float64(q.X) / 64, -float64(q.Y) / 64 }
	for i, s := range segs {
		x, y := f(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				p.Close()
			}
			p.MoveTo(x, y)
		case sfnt.SegmentOpLineTo:
			p.LineTo(x, y)
		case sfnt.SegmentOpQuadTo:
			x1, y1 := f(s.Args[1])
			p.QuadTo(x, y, x1, y1)
		case sfnt.SegmentOpCubeTo:
			x1, y1 := f(s.Args[1])
			x2, y2 := f(s.Args[2])
			p.CubeTo(x, y, x1, y1, x2, y2)
		}
	}
	if len(segs) > 0 {
		p.Close()
	}
	return p
}

func fromVG(v vg.Path) Path {
	var p Path
	for _, s := range v {
		x, y := float64(s.Pos.X), float64(s.Pos.Y)
		switch s.Type {
		case vg.MoveComp:
			p.MoveTo(x, y)
		case vg.LineComp:
			p.LineTo(x, y)
		case vg.CurveComp:
			c := s.Control
			switch len(c) {
			case 1:
				p.QuadTo(float64(c[0].X), float64(c[0].Y), x, y)
			case 2:
				p.CubeTo(float64(c[0].X), float64(c[0].Y), float64(c[1].X), float64(c[1].Y), x, y)
			}
		case vg.ArcComp:
			p.arc(x, y, float64(s.Radius), s.Start, s.Angle)
		case vg.CloseComp:
			p.Close()
		}
	}
	return p
}

// arc adds an arc of a circle, joined to what was drawn before by a line.
func (p *Path) arc(x, y, r, start, sweep float64) {
	n := int(math.Ceil(math.Abs(sweep) / (math.Pi / 4)))
	if n == 0 {
		n = 1
	}
	d := sweep / float64(n)
	k := 4.0 / 3 * math.Tan(d/4) * r
	s0, c0 := math.Sincos(start)
	if p.Empty() || p.verbs[len(p.verbs)-1] == closePath {
		p.MoveTo(x+r*c0, y+r*s0)
	} else {
		p.LineTo(x+r*c0, y+r*s0)
	}
	for i := 1; i <= n; i++ {
		s1, c1 := math.Sincos(start + float64(i)*d)
		p.CubeTo(x+r*c0-k*s0, y+r*s0+k*c0, x+r*c1+k*s1, y+r*s1-k*c1, x+r*c1, y+r*s1)
		s0, c0 = s1, c1
	}
}

// shiftDash returns the pattern that starts offset into d.
func shiftDash(d []float64, offset float64) []float64 {
	if len(d) == 0 || offset == 0 {
		return d
	}
	if len(d)%2 == 1 {
		d = append(append([]float64(nil), d...), d...)
	}
	total := 0.0
	for _, l := range d {
		total += l
	}
	if !(total > 0) {
		return nil
	}
	offset = math.Mod(offset, total)
	if offset < 0 {
		offset += total
	}
	i := 0
	for offset >= d[i] {
		offset -= d[i]
		i = (i + 1) % len(d)
	}
	out := []float64{d[i] - offset}
	if i%2 == 1 { // inside a gap: a dash of length zero goes before it
		out = []float64{0, d[i] - offset}
	}
	for k := 1; k < len(d); k++ {
		out = append(out, d[(i+k)%len(d)])
	}
	out = append(out, offset)
	if i%2 == 0 { // the two parts of the dash meet without a gap
		out = append(out, 0)
	}
	return out
}

// TextBounds returns the rectangle around the ink of all text, control points of
// curves included.
func (c *Canvas) TextBounds() Rect {
	b := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, o := range c.ops {
		for _, g := range o.glyphs {
			for _, p := range g.Outline.Path.pts {
				q := g.M.Apply(p)
				b = b.Union(Rect{q.X, q.Y, q.X, q.Y})
			}
		}
	}
	return b
}
