package canvas

import (
	"bytes"
	"compress/zlib"
	"github.com/ebmkit/hitchhiker/internal/store"
	"image"
	"image/color"
	"strconv"
	"unicode/utf16"
)

// PDF returns the page as a PDF 1.7 document without dates, whose ID is a hash of
// its content.
func (c *Canvas) PDF(m Meta, withMeta bool) ([]byte, error) {
	w := pdf{alpha: map[uint8]int{}}
	content, err := w.content(c)
	if err != nil {
		return nil, err
	}
	// Objects 1 to 5 are fixed; images and states of transparency follow.
	var res bytes.Buffer
	res.WriteString("<< /ProcSet [/PDF /ImageC]")
	if len(w.alphas) > 0 {
		res.WriteString(" /ExtGState <<")
		for i, a := range w.alphas {
			res.WriteString(" /G" + itoa(i) + " << /ca " + string(appendNum(nil, float64(a)/255)) + " /CA " + string(appendNum(nil, float64(a)/255)) + " >>")
		}
		res.WriteString(" >>")
	}
	if len(w.images) > 0 {
		res.WriteString(" /XObject <<")
		for i := range w.images {
			res.WriteString(" /I" + itoa(i) + " " + itoa(6+2*i) + " 0 R")
		}
		res.WriteString(" >>")
	}
	res.WriteString(" >>")

	doc := document{}
	doc.buf.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	doc.object(1, "<< /Type /Catalog /Pages 2 0 R"+map[bool]string{true: " /Metadata 5 0 R"}[withMeta]+" >>")
	doc.object(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	doc.object(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 "+string(appendNum(nil, c.W))+" "+string(appendNum(nil, c.H))+
		"] /Group << /S /Transparency /CS /DeviceRGB >> /Resources "+res.String()+" /Contents 4 0 R >>")
	if err := doc.stream(4, "", content); err != nil {
		return nil, err
	}
	if withMeta {
		packet := "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n" + xmp(m) + "</x:xmpmeta>\n<?xpacket end=\"r\"?>"
		doc.plain(5, "/Type /Metadata /Subtype /XML", []byte(packet))
	} else {
		doc.object(5, "null")
	}
	n := 6
	for _, im := range w.images {
		b := im.img.Bounds()
		head := "/Type /XObject /Subtype /Image /Width " + itoa(b.Dx()) + " /Height " + itoa(b.Dy()) + " /BitsPerComponent 8"
		if im.smooth {
			head += " /Interpolate true"
		}
		rgb, alpha, opaque := samples(im.img)
		mask := ""
		if !opaque {
			mask = " /SMask " + itoa(n+1) + " 0 R"
		}
		if err := doc.stream(n, head+" /ColorSpace /DeviceRGB"+mask, rgb); err != nil {
			return nil, err
		}
		if opaque {
			doc.object(n+1, "null")
		} else if err := doc.stream(n+1, head+" /ColorSpace /DeviceGray", alpha); err != nil {
			return nil, err
		}
		n += 2
	}
	info := 0
	if withMeta {
		info = n
		doc.object(info, infoDict(m))
		n++
	}
	doc.trailer(n, info)
	return doc.buf.Bytes(), nil
}

type pdf struct {
	b      []byte
	alpha  map[uint8]int // place in alphas
	alphas []uint8
	images []pdfImage
}

type pdfImage struct {
	img    image.Image
	smooth bool
}

func (w *pdf) str(s string) { w.b = append(w.b, s...) }

func (w *pdf) nums(vs ...float64) {
	for _, v := range vs {
		w.b = append(appendNum(w.b, v), ' ')
	}
}

// setAlpha selects the opacity of what follows, until the state is restored.
func (w *pdf) setAlpha(a uint8) {
	if a == 255 {
		return
	}
	i, ok := w.alpha[a]
	if !ok {
		i = len(w.alphas)
		w.alpha[a] = i
		w.alphas = append(w.alphas, a)
	}
	w.str("/G" + itoa(i) + " gs ")
}

func (w *pdf) color(c color.NRGBA, op string) {
	for _, v := range [3]uint8{c.R, c.G, c.B} {
		w.b = strconv.AppendFloat(w.b, float64(v)/255, 'f', 4, 64)
		w.b = append(w.b, ' ')
	}
	w.str(op + "\n")
}

func (w *pdf) path(p Path, m Matrix) {
	k := 0
	next := func() {
		q := m.Apply(p.pts[k])
		k++
		w.nums(q.X, q.Y)
	}
	for _, v := range p.verbs {
		switch v {
		case moveTo:
			next()
			w.str("m\n")
		case lineTo:
			next()
			w.str("l\n")
		case cubeTo:
			next()
			next()
			next()
			w.str("c\n")
		case closePath:
			w.str("h\n")
		}
	}
}

func (w *pdf) content(c *Canvas) ([]byte, error) {
	w.str("1 j\n") // round joins
	for _, o := range c.ops {
		switch o.kind {
		case opFill, opGlyphs:
			if o.color.A < 255 {
				w.str("q ")
				w.setAlpha(o.color.A)
			}
			w.color(o.color, "rg")
			if o.kind == opFill {
				w.path(o.path, Identity)
			}
			for _, g := range o.glyphs {
				w.path(g.Outline.Path, g.M)
			}
			w.str("f\n")
			if o.color.A < 255 {
				w.str("Q\n")
			}
		case opStroke:
			w.str("q ")
			w.setAlpha(o.color.A)
			w.color(o.color, "RG")
			w.nums(o.width)
			w.str("w ")
			if len(o.dash) > 0 {
				w.str("[")
				w.nums(o.dash...)
				w.str("] 0 d ")
			}
			w.path(o.path, Identity)
			w.str("S Q\n")
		case opImage:
			w.image(o.img, o.rect, o.smooth)
		case opDots:
			if img, r := rasterDots(o, vectorDPI); img != nil {
				w.image(img, r, true)
			}
		case opClip:
			w.str("q ")
			w.nums(o.rect.X0, o.rect.Y0, o.rect.W(), o.rect.H())
			w.str("re W n\n")
		case opUnclip:
			w.str("Q\n")
		}
	}
	return w.b, nil
}

func (w *pdf) image(img image.Image, r Rect, smooth bool) {
	w.str("q ")
	w.nums(r.W(), 0, 0, r.H(), r.X0, r.Y0)
	w.str("cm /I" + itoa(len(w.images)) + " Do Q\n")
	w.images = append(w.images, pdfImage{img, smooth})
}

// samples returns the colours, not premultiplied, and the opacities of an image.
func samples(img image.Image) (rgb, alpha []byte, opaque bool) {
	n := nrgba(img)
	size := n.Rect.Dx() * n.Rect.Dy()
	rgb, alpha = make([]byte, 0, 3*size), make([]byte, 0, size)
	opaque = true
	for y := range n.Rect.Dy() {
		row := n.Pix[y*n.Stride : y*n.Stride+4*n.Rect.Dx()]
		for x := 0; x < len(row); x += 4 {
			rgb, alpha = append(rgb, row[x], row[x+1], row[x+2]), append(alpha, row[x+3])
			opaque = opaque && row[x+3] == 255
		}
	}
	return rgb, alpha, opaque
}

// document collects the objects of a PDF file and their places.
type document struct {
	buf     bytes.Buffer
	offsets []int
}

func (d *document) begin(n int) {
	for len(d.offsets) < n {
		d.offsets = append(d.offsets, 0)
	}
	d.offsets[n-1] = d.buf.Len()
	d.buf.WriteString(itoa(n) + " 0 obj\n")
}

func (d *document) object(n int, body string) {
	d.begin(n)
	d.buf.WriteString(body + "\nendobj\n")
}

func (d *document) plain(n int, head string, data []byte) {
	d.begin(n)
	d.buf.WriteString("<< " + head + " /Length " + itoa(len(data)) + " >>\nstream\n")
	d.buf.Write(data)
	d.buf.WriteString("\nendstream\nendobj\n")
}

func (d *document) stream(n int, head string, data []byte) error {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	d.plain(n, head+" /Filter /FlateDecode", z.Bytes())
	return nil
}

func (d *document) trailer(n, info int) {
	id := "<" + store.SHA256(d.buf.Bytes())[:32] + ">"
	start := d.buf.Len()
	d.buf.WriteString("xref\n0 " + itoa(n) + "\n0000000000 65535 f \n")
	for _, o := range d.offsets {
		s := itoa(o)
		for len(s) < 10 {
			s = "0" + s
		}
		d.buf.WriteString(s + " 00000 n \n")
	}
	d.buf.WriteString("trailer\n<< /Size " + itoa(n) + " /Root 1 0 R")
	if info > 0 {
		d.buf.WriteString(" /Info " + itoa(info) + " 0 R")
	}
	d.buf.WriteString(" /ID [" + id + " " + id + "] >>\nstartxref\n" + itoa(start) + "\n%%EOF\n")
}

// infoDict holds title, caption and all pairs of the provenance. Keys of the
// dictionary are names; pairs go into one text, because their keys may hold
// anything.
func infoDict(m Meta) string {
	s := "<<"
	if m.Title != "" {
		s += " /Title " + utf16String(m.Title)
	}
	if m.Caption != "" {
		s += " /Subject " + utf16String(m.Caption)
	}
	text := ""
	for i, p := range m.Pairs {
		if i > 0 {
			text += "; "
		}
		text += p[0] + ": " + p[1]
	}
	return s + " /Keywords " + utf16String(text) + " /Producer (ebmkit plotting) >>"
}

// utf16String returns s as a hexadecimal string of PDF, UTF-16 with byte order mark.
func utf16String(s string) string {
	b := []byte("<feff")
	for _, u := range utf16.Encode([]rune(s)) {
		for shift := 12; shift >= 0; shift -= 4 {
			b = append(b, hexDigits[u>>shift&15])
		}
	}
	return string(append(b, '>'))
}
