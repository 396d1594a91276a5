package canvas

import (
	"bytes"
	"encoding/base64"
	"image/color"
	"math"
	"strconv"
)

// Meta is the text that goes into files. Empty fields are left out.
type Meta struct {
	Title   string
	Caption string
	Pairs   [][2]string // key, value
}

// appendNum appends v with at most three decimals and no trailing zeros.
func appendNum(b []byte, v float64) []byte {
	n := math.Round(v * 1000)
	if n == 0 || math.IsNaN(n) {
		return append(b, '0')
	}
	if math.Abs(n) > 1e15 { // far outside of any page
		n = math.Copysign(1e15, n)
	}
	i := int64(n)
	if i < 0 {
		b, i = append(b, '-'), -i
	}
	whole, frac := i/1000, i%1000
	if whole > 0 || frac == 0 {
		b = strconv.AppendInt(b, whole, 10)
	}
	if frac > 0 {
		b = append(b, '.', byte('0'+frac/100))
		if frac%100 > 0 {
			b = append(b, byte('0'+frac/10%10))
			if frac%10 > 0 {
				b = append(b, byte('0'+frac%10))
			}
		}
	}
	return b
}

func itoa(i int) string { return strconv.Itoa(i) }

const hexDigits = "0123456789abcdef"

func appendHex(b []byte, c color.NRGBA) []byte {
	b = append(b, '#')
	for _, v := range [3]uint8{c.R, c.G, c.B} {
		b = append(b, hexDigits[v>>4], hexDigits[v&15])
	}
	return b
}

func escape(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r < 0x20 && r != '\n' && r != '\t', r == 0xfffe, r == 0xffff:
			b = append(b, "\ufffd"...)
		default:
			b = append(b, string(r)...)
		}
	}
	return b
}

// hash is FNV-1a, for names of clip paths.
func hash(s []byte) string {
	h := uint64(14695981039346656037)
	for _, c := range s {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return strconv.FormatUint(h, 36)
}

// SVG returns the page as an SVG document. Names of glyphs and clips come from
// their content, so that several documents can stand in one web page.
func (c *Canvas) SVG(m Meta, withMeta bool) ([]byte, error) {
	w := svg{h: c.H}
	var defs []byte
	seen := map[string]bool{}
	for _, o := range c.ops {
		switch o.kind {
		case opGlyphs:
			for _, g := range o.glyphs {
				if id := g.Outline.ID; !seen[id] && !g.Outline.Path.Empty() {
					seen[id] = true
					defs = append(defs, `<path id="g`...)
					defs = append(defs, id...)
					defs = append(defs, `" d="`...)
					defs = appendPath(defs, g.Outline.Path, Matrix{A: 1, D: 1})
					defs = append(defs, "\"/>\n"...)
				}
			}
		case opClip:
			id := w.clipID(o.rect)
			if !seen["clip"+id] {
				seen["clip"+id] = true
				defs = append(defs, `<clipPath id="`...)
				defs = append(defs, id...)
				defs = append(defs, `"><rect`...)
				defs = w.rectAttrs(defs, o.rect)
				defs = append(defs, "/></clipPath>\n"...)
			}
		}
	}
	b := &w.b
	num := func(v float64) string { return string(appendNum(nil, v)) }
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="` + num(c.W) +
		`pt" height="` + num(c.H) + `pt" viewBox="0 0 ` + num(c.W) + " " + num(c.H) + "\" role=\"img\">\n")
	if m.Title != "" {
		b.WriteString("<title>" + string(escape(nil, m.Title)) + "</title>\n")
	}
	if m.Caption != "" {
		b.WriteString("<desc>" + string(escape(nil, m.Caption)) + "</desc>\n")
	}
	if withMeta {
		b.WriteString("<metadata>\n")
		b.WriteString(xmp(m))
		b.WriteString("</metadata>\n")
	}
	if len(defs) > 0 {
		b.WriteString("<defs>\n")
		b.Write(defs)
		b.WriteString("</defs>\n")
	}
	for _, o := range c.ops {
		if err := w.op(o); err != nil {
			return nil, err
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes(), nil
}

type svg struct {
	b bytes.Buffer
	h float64
}

func (w *svg) rectAttrs(b []byte, r Rect) []byte {
	b = append(b, ` x="`...)
	b = appendNum(b, r.X0)
	b = append(b, `" y="`...)
	b = appendNum(b, w.h-r.Y1)
	b = append(b, `" width="`...)
	b = appendNum(b, r.W())
	b = append(b, `" height="`...)
	b = appendNum(b, r.H())
	return append(b, '"')
}

func (w *svg) clipID(r Rect) string { return "c" + hash(w.rectAttrs(nil, r)) }

// appendPath appends path data under m (which turns the page over for SVG).
func appendPath(b []byte, p Path, m Matrix) []byte {
	k := 0
	pt := func() {
		q := m.Apply(p.pts[k])
		k++
		b = appendNum(b, q.X)
		// A minus sign separates as well as a space does.
		mark := len(b)
		b = append(b, ' ')
		b = appendNum(b, q.Y)
		if b[mark+1] == '-' {
			b = append(b[:mark], b[mark+1:]...)
		}
	}
	for _, v := range p.verbs {
		switch v {
		case moveTo:
			b = append(b, 'M')
			pt()
		case lineTo:
			b = append(b, 'L')
			pt()
		case cubeTo:
			b = append(b, 'C')
			pt()
			b = append(b, ' ')
			pt()
			b = append(b, ' ')
			pt()
		case closePath:
			b = append(b, 'Z')
		}
	}
	return b
}

func (w *svg) op(o op) error {
	flip := Matrix{A: 1, D: -1, F: w.h}
	var b []byte
	switch o.kind {
	case opFill:
		b = append(b, `<path fill="`...)
		b = appendHex(b, o.color)
		b = append(b, '"')
		b = appendOpacity(b, "fill", o.color)
		b = append(b, ` d="`...)
		b = appendPath(b, o.path, flip)
		b = append(b, "\"/>\n"...)
	case opStroke:
		b = append(b, `<path fill="none" stroke="`...)
		b = appendHex(b, o.color)
		b = append(b, '"')
		b = appendOpacity(b, "stroke", o.color)
		b = append(b, ` stroke-width="`...)
		b = appendNum(b, o.width)
		b = append(b, `" stroke-linejoin="round"`...)
		if len(o.dash) > 0 {
			b = append(b, ` stroke-dasharray="`...)
			for i, d := range o.dash {
				if i > 0 {
					b = append(b, ' ')
				}
				b = appendNum(b, d)
			}
			b = append(b, '"')
		}
		b = append(b, ` d="`...)
		b = appendPath(b, o.path, flip)
		b = append(b, "\"/>\n"...)
	case opGlyphs:
		b = append(b, `<g fill="`...)
		b = appendHex(b, o.color)
		b = append(b, '"')
		b = appendOpacity(b, "fill", o.color)
		b = append(b, '>')
		for _, g := range o.glyphs {
			if g.Outline.Path.Empty() {
				continue
			}
			m := flip.Mul(g.M)
			b = append(b, `<use xlink:href="#g`...)
			b = append(b, g.Outline.ID...)
			b = append(b, `" transform="matrix(`...)
			for i, v := range [6]float64{m.A, m.B, m.C, m.D, m.E, m.F} {
				if i > 0 {
					b = append(b, ' ')
				}
				if i < 4 { // scales of outlines are small numbers
					b = strconv.AppendFloat(b, math.Round(v*1e6)/1e6+0, 'f', -1, 64)
				} else {
					b = appendNum(b, v)
				}
			}
			b = append(b, `)"/>`...)
		}
		b = append(b, "</g>\n"...)
	case opImage:
		data, err := encodePNG(o.img)
		if err != nil {
			return err
		}
		w.image(data, o.rect, o.smooth)
	case opDots:
		img, r := rasterDots(o, vectorDPI)
		if img == nil {
			return nil
		}
		data, err := encodePNG(img)
		if err != nil {
			return err
		}
		w.image(data, r, true)
	case opClip:
		b = append(b, `<g clip-path="url(#`...)
		b = append(b, w.clipID(o.rect)...)
		b = append(b, ")\">\n"...)
	case opUnclip:
		b = append(b, "</g>\n"...)
	}
	w.b.Write(b)
	return nil
}

func (w *svg) image(data []byte, r Rect, smooth bool) {
	b := append([]byte(nil), `<image preserveAspectRatio="none"`...)
	b = w.rectAttrs(b, r)
	if !smooth {
		b = append(b, ` image-rendering="pixelated"`...)
	}
	b = append(b, ` xlink:href="data:image/png;base64,`...)
	w.b.Write(b)
	w.b.WriteString(base64.StdEncoding.EncodeToString(data))
	w.b.WriteString("\"/>\n")
}

func appendOpacity(b []byte, what string, c color.NRGBA) []byte {
	if c.A == 255 {
		return b
	}
	b = append(b, ' ')
	b = append(b, what...)
	b = append(b, `-opacity="`...)
	b = appendNum(b, float64(c.A)/255)
	return append(b, '"')
}

// xmp returns the metadata as RDF, the same in SVG and PDF. Values of the
// project's own keys are attributes of list items, because keys may hold any text.
func xmp(m Meta) string {
	b := []byte(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:ebm="urn:ebmkit:figure">` + "\n")
	if m.Title != "" {
		b = append(b, `<dc:title><rdf:Alt><rdf:li xml:lang="x-default">`...)
		b = escape(b, m.Title)
		b = append(b, "</rdf:li></rdf:Alt></dc:title>\n"...)
	}
	if m.Caption != "" {
		b = append(b, `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">`...)
		b = escape(b, m.Caption)
		b = append(b, "</rdf:li></rdf:Alt></dc:description>\n"...)
	}
	b = append(b, "<ebm:provenance><rdf:Seq>\n"...)
	for _, p := range m.Pairs {
		b = append(b, "<rdf:li>"...)
		b = escape(b, p[0]+": "+p[1])
		b = append(b, "</rdf:li>\n"...)
	}
	b = append(b, "</rdf:Seq></ebm:provenance>\n</rdf:Description></rdf:RDF>\n"...)
	return string(b)
}
