// Package mathtext sets labels: text in STIX Two Text, and formulas between
// dollar signs, a subset of LaTeX, in STIX Two Math. Nothing that is written in
// a label is an error: what is not known is printed as it is.
package mathtext

import (
	"math"

	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
)

// Label is a set line. Its origin is the left end of the baseline.
type Label struct {
	Width     float64 // advance, in points
	Asc, Desc float64 // ink above and below the baseline, both positive, in points
	glyphs    []canvas.Glyph
}

// Glyphs returns the label with its origin at (x, y), turned by the angle
// (radians, counterclockwise).
func (l Label) Glyphs(x, y, angle float64) []canvas.Glyph {
	s, c := 0.0, 1.0
	switch angle {
	case 0:
	case math.Pi / 2:
		s, c = 1, 0
	default:
		s, c = math.Sincos(angle)
	}
	m := canvas.Matrix{A: c, B: s, C: -s, D: c, E: x, F: y}
	out := make([]canvas.Glyph, len(l.glyphs))
	for i, g := range l.glyphs {
		out[i] = canvas.Glyph{Outline: g.Outline, M: m.Mul(g.M)}
	}
	return out
}

// Dimensions of formulas in em, near the table MATH of STIX Two Math.
const (
	axisHeight   = 0.258 // of fraction bars and minus signs
	ruleWidth    = 0.062
	scriptScale  = 0.71
	scriptFloor  = 0.52 // of the label's size: smaller is not readable
	fracScale    = 0.82
	supShift     = 0.36
	subShift     = 0.19
	supDrop      = 0.28 // superscripts hang this far below the top of a tall base
	subDrop      = 0.12
	scriptGap    = 0.04 // after scripts
	thin         = 3.0 / 18
	medium       = 4.0 / 18
	thick        = 5.0 / 18
	accentHeight = 0.47 // x-height: accents are drawn for it
)

// box is a set piece in points.
type box struct {
	w, asc, desc float64
	glyphs       []canvas.Glyph
	slant        float64 // how far the ink of the last letter leans over its advance
	italic       bool    // a single slanted letter
}

// add places b with its origin at (x, y) of the box.
func (t *box) add(b box, x, y float64) {
	m := canvas.Matrix{A: 1, D: 1, E: x, F: y}
	for _, g := range b.glyphs {
		t.glyphs = append(t.glyphs, canvas.Glyph{Outline: g.Outline, M: m.Mul(g.M)})
	}
	t.asc, t.desc = max(t.asc, b.asc+y), max(t.desc, b.desc-y)
}

// bar adds a filled rectangle.
func (t *box) bar(x0, y0, x1, y1 float64) {
	t.glyphs = append(t.glyphs, canvas.Glyph{Outline: rule, M: canvas.Matrix{A: (x1 - x0) / 1000, D: (y1 - y0) / 1000, E: x0, F: y0}})
	t.asc, t.desc = max(t.asc, y1), max(t.desc, -y0)
}

// Layout sets the label s in the size in points.
func Layout(s string, size float64) Label {
	var t box
	for i, p := range pieces(s) {
		if p == "" {
			continue
		}
		var b box
		if i%2 == 0 {
			b = setText(p, size)
		} else {
			b = (&setter{base: size}).row(parseMath(p), size)
		}
		t.add(b, t.w, 0)
		t.w += b.w
	}
	return Label{Width: t.w, Asc: t.asc, Desc: t.desc, glyphs: t.glyphs}
}

// find returns a character from the first of the faces that has it.
func find(r rune, faces ...*face) (*glyph, *face) {
	for _, f := range faces {
		if g, ok := f.glyph(r); ok {
			return g, f
		}
	}
	g, _ := faces[0].glyph(r)
	return g, faces[0]
}

// setText sets upright text with kerning.
func setText(s string, size float64) box {
	var t box
	k := size / 1000
	var prev *glyph
	var prevFace *face
	for _, r := range s {
		if r == '\n' || r == '\t' {
			r = ' '
		}
		g, f := find(r, textFace, mathFace)
		if prev != nil && prevFace == f && f == textFace {
			t.w += f.kern(prev.gid, g.gid) * k
		}
		t.add(glyphBox(g, size), t.w, 0)
		t.w += g.advance * k
		prev, prevFace = g, f
	}
	return t
}

func glyphBox(g *glyph, size float64) box {
	k := size / 1000
	b := box{w: g.advance * k}
	if !g.outline.Path.Empty() {
		b.glyphs = []canvas.Glyph{{Outline: g.outline, M: canvas.Matrix{A: k, D: k}}}
		b.asc, b.desc = g.y1*k, -g.y0*k
		b.slant = max(0, g.x1-g.advance) * k
	}
	return b
}

type setter struct{ base float64 } // size of the label

func (s *setter) scriptSize(size float64) float64 { return max(size*scriptScale, s.base*scriptFloor) }

// classAt returns the class of a node for spacing.
func nodeClass(n node) class {
	switch n := n.(type) {
	case char:
		return n.c
	case text:
		return n.c
	case scripts:
		return nodeClass(n.base)
	}
	return ord
}

// gap returns the space between neighbours, as in TeX. Scripts have none around
// relations and operations.
func gap(a, b class, small bool) float64 {
	switch {
	case a == bin || b == bin:
		if small {
			return 0
		}
		return medium
	case a == rel && b == rel:
		return 0
	case a == rel || b == rel:
		if small || a == open || b == closing {
			return 0
		}
		return thick
	case a == op && b != open && b != closing && b != punct, b == op && (a == ord || a == closing):
		return thin
	case a == punct && !small:
		return thin
	}
	return 0
}

func (s *setter) row(r row, size float64) box {
	var t box
	small := size < s.base*0.99
	prev, have := ord, false
	for i, n := range r {
		if sp, ok := n.(space); ok {
			t.w += float64(sp) * size
			have = false
			continue
		}
		c := nodeClass(n)
		if c == bin {
			// A sign without a left operand, or before nothing, is no operation.
			next := ord
			if i+1 < len(r) {
				next = nodeClass(r[i+1])
			}
			if !have && i == 0 || i+1 == len(r) || have && (prev == bin || prev == rel || prev == open || prev == punct || prev == op) || next == rel || next == closing {
				c = ord
			}
		}
		if have {
			t.w += gap(prev, c, small) * size
		}
		b := s.node(n, size)
		t.add(b, t.w, 0)
		t.w += b.w
		t.slant, t.italic = b.slant, b.italic && len(r) == 1
		// A leaning letter must not run into an upright one.
		if b.slant > 0.02*size && i+1 < len(r) {
			switch nodeClass(r[i+1]) {
			case closing, open, ord:
				t.w += b.slant * 0.6
			}
		}
		prev, have = c, true
	}
	return t
}

func (s *setter) node(n node, size float64) box {
	switch n := n.(type) {
	case char:
		g, _ := find(styled(n.r, n.a), mathFace, textFace)
		b := glyphBox(g, size)
		b.italic = n.a == italic && n.c == ord && (isLetter(n.r) || n.r >= 'α' && n.r <= 'ω')
		return b
	case text:
		return setText(n.s, size)
	case row:
		return s.row(n, size)
	case scripts:
		return s.scripts(n, size)
	case frac:
		return s.frac(n, size)
	case root:
		return s.root(n, size)
	case accent:
		return s.accent(n, size)
	case overline:
		b := s.node(n.body, size)
		var t box
		t.add(b, 0, 0)
		t.w = b.w
		y := b.asc + 0.1*size
		t.bar(b.slant*0.5, y, b.w+b.slant*0.5, y+ruleWidth*size)
		return t
	case fence:
		return s.fence(n, size)
	}
	return box{}
}

func (s *setter) scripts(n scripts, size float64) box {
	base := s.node(orEmpty(n.base), size)
	small := s.scriptSize(size)
	t := box{w: base.w}
	t.add(base, 0, 0)
	x := base.w
	integral := false
	if c, ok := n.base.(char); ok {
		integral = c.r == '∫' || c.r == '∬' || c.r == '∮'
	}
	end := x
	var subTop float64
	if p, ok := n.sup.(char); ok && isPrime(p.r) {
		// The font draws primes where they belong.
		b := s.node(p, size)
		t.add(b, x+base.slant*0.7, 0)
		end = x + base.slant*0.7 + b.w
		n.sup = nil
	}
	if n.sup != nil {
		b := s.node(n.sup, small)
		up := max(supShift*size, base.asc-supDrop*size, b.desc+0.12*size)
		if n.sub != nil {
			up = max(up, 0.39*size)
		}
		dx := base.slant + 0.03*size
		if base.italic && base.slant == 0 {
			dx = 0.05 * size
		}
		t.add(b, x+dx, up)
		end = max(end, x+dx+b.w)
		subTop = up - b.desc - 0.1*size
	}
	if n.sub != nil {
		b := s.node(n.sub, small)
		down := max(subShift*size, base.desc+subDrop*size*0.5, b.asc-0.4*size)
		if n.sup != nil {
			down = max(down, b.asc-subTop)
		}
		dx := 0.02 * size
		if integral {
			dx = -0.14 * size
		}
		t.add(b, x+dx, -down)
		end = max(end, x+dx+b.w)
	}
	t.w = end + scriptGap*size
	return t
}

func isPrime(r rune) bool { return r >= '′' && r <= '‴' || r == '⁗' }

func (s *setter) frac(n frac, size float64) box {
	small := max(size*fracScale, s.base*scriptFloor)
	num, den := s.node(n.num, small), s.node(n.den, small)
	w := max(num.w, den.w) + 0.12*size
	pad := 0.08 * size
	var t box
	t.w = w + 2*pad
	axis, half := axisHeight*size, ruleWidth*size/2
	t.add(num, pad+(w-num.w)/2, axis+half+0.1*size+num.desc)
	t.add(den, pad+(w-den.w)/2, axis-half-0.1*size-den.asc)
	t.bar(pad, axis-half, pad+w, axis+half)
	return t
}

func (s *setter) root(n root, size float64) box {
	body := s.node(n.body, size)
	g, _ := find('√', mathFace)
	k := size / 1000
	thickness := ruleWidth * size
	top := max(body.asc, 0.45*size) + 0.1*size + thickness
	bottom := max(body.desc, 0) + 0.06*size
	// The sign is stretched upwards only: its strokes keep their width.
	ky := (top + bottom) / ((g.y1 - g.y0) * k)
	var t box
	x := 0.0
	if n.index != nil {
		b := s.node(n.index, max(size*0.6, s.base*scriptFloor))
		t.add(b, 0, 0.35*size)
		x = max(0, b.w-0.25*size)
	}
	t.glyphs = append(t.glyphs, canvas.Glyph{Outline: g.outline, M: canvas.Matrix{A: k, D: k * ky, E: x, F: -bottom - g.y0*k*ky}})
	x += g.x1 * k
	t.add(body, x+0.04*size, 0)
	t.w = x + 0.04*size + body.w + body.slant + 0.06*size
	t.bar(x-thickness*0.6, top-thickness, t.w, top)
	t.desc = max(t.desc, bottom)
	return t
}

func (s *setter) accent(n accent, size float64) box {
	body := s.node(n.body, size)
	g, _ := find(n.mark, mathFace, textFace)
	k := size / 1000
	t := box{w: body.w, slant: body.slant, italic: body.italic}
	t.add(body, 0, 0)
	skew := 0.0
	if body.italic {
		skew = 0.08 * size
	}
	x := body.w/2 + skew - (g.x0+g.x1)/2*k
	y := max(0, body.asc-accentHeight*size)
	t.glyphs = append(t.glyphs, canvas.Glyph{Outline: g.outline, M: canvas.Matrix{A: k, D: k, E: x, F: y}})
	t.asc = max(t.asc, g.y1*k+y)
	return t
}

func (s *setter) fence(n fence, size float64) box {
	body := s.node(orEmpty(n.body), size)
	axis := axisHeight * size
	half := max(body.asc-axis, body.desc+axis, 0.45*size) + 0.03*size
	var t box
	side := func(r rune) {
		if r == 0 {
			return
		}
		g, _ := find(r, mathFace)
		k := size / 1000
		height := (g.y1 - g.y0) * k
		ky := max(1, 2*half/max(height, 1e-9))
		middle := (g.y1 + g.y0) / 2 * k * ky
		t.glyphs = append(t.glyphs, canvas.Glyph{Outline: g.outline, M: canvas.Matrix{A: k, D: k * ky, E: t.w, F: axis - middle}})
		t.asc, t.desc = max(t.asc, axis+height*ky/2), max(t.desc, height*ky/2-axis)
		t.w += g.advance * k
	}
	side(n.left)
	t.add(body, t.w, 0)
	t.w += body.w + body.slant*0.6
	side(n.right)
	return t
}
