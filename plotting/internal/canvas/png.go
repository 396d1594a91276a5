package canvas

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"github.com/golang/freetype/raster"
	"golang.org/x/image/math/fixed"
)

// vectorDPI is the resolution of clouds inside vector files.
const vectorDPI = 600

// PNG returns the page as a PNG image on an opaque background. With withMeta the
// file also carries its resolution and the texts of m.
func (c *Canvas) PNG(dpi float64, paper color.NRGBA, m Meta, withMeta bool) ([]byte, error) {
	img := c.Raster(dpi, paper)
	data, err := encodePNG(img)
	if err != nil || !withMeta {
		return data, err
	}
	const afterIHDR = 8 + 12 + 13
	var b bytes.Buffer
	b.Write(data[:afterIHDR])
	phys := make([]byte, 9)
	perMetre := uint32(math.Round(dpi / 0.0254))
	binary.BigEndian.PutUint32(phys, perMetre)
	binary.BigEndian.PutUint32(phys[4:], perMetre)
	phys[8] = 1
	chunk(&b, "pHYs", phys)
	if m.Title != "" {
		textChunk(&b, "Title", m.Title)
	}
	if m.Caption != "" {
		textChunk(&b, "Description", m.Caption)
	}
	for _, p := range m.Pairs {
		textChunk(&b, p[0], p[1])
	}
	b.Write(data[afterIHDR:])
	return b.Bytes(), nil
}

func chunk(b *bytes.Buffer, kind string, data []byte) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(data)))
	b.Write(n[:])
	crc := crc32.NewIEEE()
	crc.Write([]byte(kind))
	crc.Write(data)
	b.WriteString(kind)
	b.Write(data)
	binary.BigEndian.PutUint32(n[:], crc.Sum32())
	b.Write(n[:])
}

// textChunk writes an iTXt chunk. PNG wants keywords of 1 to 79 Latin-1 letters;
// others go into the text.
func textChunk(b *bytes.Buffer, key, value string) {
	ok := len(key) >= 1 && len(key) <= 79
	for _, r := range key {
		ok = ok && r >= 32 && r < 127
	}
	if !ok {
		key, value = "Provenance", key+": "+value
	}
	data := append([]byte(key), 0, 0, 0, 0, 0)
	chunk(b, "iTXt", append(data, value...))
}

func encodePNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// Raster draws the page on an image of the background paper.
func (c *Canvas) Raster(dpi float64, paper color.NRGBA) *image.RGBA {
	w, h := int(math.Round(c.W*dpi/72)), int(math.Round(c.H*dpi/72))
	img := image.NewRGBA(image.Rect(0, 0, max(w, 1), max(h, 1)))
	draw.Draw(img, img.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	s := dpi / 72
	r := &rasterizer{
		img: img, scale: s, m: Matrix{A: s, D: -s, F: c.H * s},
		ras:  raster.NewRasterizer(img.Rect.Dx(), img.Rect.Dy()),
		clip: img.Rect,
	}
	r.ras.UseNonZeroWinding = true
	for _, o := range c.ops {
		r.op(o)
	}
	return img
}

// rasterizer replays operations on an image.
type rasterizer struct {
	img   *image.RGBA
	scale float64
	m     Matrix // page to pixels
	ras   *raster.Rasterizer
	clip  image.Rectangle

	cr, cg, cb, ca uint32 // colour of the painter, premultiplied, 16 bits
}

func (r *rasterizer) pixels(q Rect) image.Rectangle {
	p, t := r.m.Apply(Point{q.X0, q.Y1}), r.m.Apply(Point{q.X1, q.Y0})
	return image.Rect(int(math.Round(p.X)), int(math.Round(p.Y)), int(math.Round(t.X)), int(math.Round(t.Y))).Intersect(r.img.Rect)
}

func (r *rasterizer) op(o op) {
	switch o.kind {
	case opFill:
		r.fill(o.path, r.m, o.color)
	case opStroke:
		r.stroke(o)
	case opGlyphs:
		r.ras.Clear()
		for _, g := range o.glyphs {
			r.add(g.Outline.Path, r.m.Mul(g.M))
		}
		r.paint(o.color)
	case opImage:
		r.image(o)
	case opDots:
		stampDots(r.img, r.clip, o, r.m)
	case opClip, opUnclip:
		r.clip = r.pixels(o.rect)
	}
}

// limit keeps coordinates within the range of the rasteriser's fixed point.
func limit(v float64) float64 { return max(-20000, min(20000, v)) }

func fix(p Point) fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(math.Round(limit(p.X) * 64)), Y: fixed.Int26_6(math.Round(limit(p.Y) * 64))}
}

func (r *rasterizer) fill(p Path, m Matrix, c color.NRGBA) {
	r.ras.Clear()
	r.add(p, m)
	r.paint(c)
}

func (r *rasterizer) add(p Path, m Matrix) {
	k := 0
	next := func() fixed.Point26_6 {
		k++
		return fix(m.Apply(p.pts[k-1]))
	}
	var start fixed.Point26_6
	open := false
	for _, v := range p.verbs {
		switch v {
		case moveTo:
			if open {
				r.ras.Add1(start)
			}
			start = next()
			r.ras.Start(start)
			open = true
		case lineTo:
			r.ras.Add1(next())
		case cubeTo:
			a, b, c := next(), next(), next()
			r.ras.Add3(a, b, c)
		case closePath:
			r.ras.Add1(start)
			open = false
		}
	}
	if open {
		r.ras.Add1(start)
	}
}

func (r *rasterizer) paint(c color.NRGBA) {
	r.cr, r.cg, r.cb, r.ca = c.RGBA()
	r.ras.Rasterize(r)
}

// Paint implements raster.Painter: source over destination, inside the clip.
func (r *rasterizer) Paint(spans []raster.Span, _ bool) {
	const m = 1<<16 - 1
	b := r.clip
	for _, s := range spans {
		if s.Y < b.Min.Y {
			continue
		}
		if s.Y >= b.Max.Y {
			return
		}
		s.X0, s.X1 = max(s.X0, b.Min.X), min(s.X1, b.Max.X)
		if s.X0 >= s.X1 {
			continue
		}
		ma := s.Alpha
		a := (m - r.ca*ma/m) * 0x101
		pix := r.img.Pix[s.Y*r.img.Stride+4*s.X0 : s.Y*r.img.Stride+4*s.X1]
		for i := 0; i+3 < len(pix); i += 4 {
			pix[i] = uint8((uint32(pix[i])*a + r.cr*ma) / m >> 8)
			pix[i+1] = uint8((uint32(pix[i+1])*a + r.cg*ma) / m >> 8)
			pix[i+2] = uint8((uint32(pix[i+2])*a + r.cb*ma) / m >> 8)
			pix[i+3] = uint8((uint32(pix[i+3])*a + r.ca*ma) / m >> 8)
		}
	}
}

// stroke fills the outline of a line. Lines along an axis snap to whole pixels,
// as crisp as a screen allows.
func (r *rasterizer) stroke(o op) {
	r.ras.Clear()
	width := o.width * r.scale
	if q, ok := r.snapped(o, width); ok {
		draw.Draw(r.img, q.Intersect(r.clip), image.NewUniform(o.color), image.Point{}, draw.Over)
		return
	}
	var pattern []float64
	for _, d := range o.dash {
		pattern = append(pattern, d*r.scale)
	}
	lines := flatten(o.path, r.m)
	total := 0
	for _, pl := range lines {
		total += len(pl.pts)
	}
	// The rasteriser keeps a list of the pixels that edges touch in every row, so
	// its time grows with the square of what is drawn at once. Long lines are drawn
	// in parts that share a segment, which no one sees.
	part := total + 1
	if total > longLine {
		part = linePart
	}
	added := 0
	for _, pl := range lines {
		for _, q := range dashes(pl, pattern) {
			pts := q.pts
			if q.closed { // go round a little further: a round join at the seam
				pts = append(append([]Point(nil), pts...), pts[:2]...)
			}
			for len(pts) > 1 {
				n := min(len(pts), part+1)
				raster.Stroke(r.ras, rasterPath(pts[:n]), fixed.Int26_6(math.Round(width*64)), raster.ButtCapper, raster.RoundJoiner)
				if n == len(pts) {
					pts = nil
				} else {
					pts = pts[n-2:]
				}
				if added += n; added >= part {
					r.paint(o.color)
					r.ras.Clear()
					added = 0
				}
			}
		}
	}
	r.paint(o.color)
}

// Lines of more points than longLine are drawn in parts of linePart points.
const longLine, linePart = 600, 100

// rasterPath converts points to the rasteriser's numbers, without repetitions.
func rasterPath(pts []Point) raster.Path {
	var p raster.Path
	last := fix(pts[0])
	p.Start(last)
	for _, t := range pts[1:] {
		if f := fix(t); f != last {
			p.Add1(f)
			last = f
		}
	}
	return p
}

// snapped returns the whole pixels of a single undashed horizontal or vertical
// line of less than three pixels width.
func (r *rasterizer) snapped(o op, width float64) (image.Rectangle, bool) {
	if len(o.dash) > 0 || len(o.path.pts) != 2 || o.path.verbs[len(o.path.verbs)-1] != lineTo || width > 3 {
		return image.Rectangle{}, false
	}
	p, q := r.m.Apply(o.path.pts[0]), r.m.Apply(o.path.pts[1])
	w := max(1, math.Round(width))
	switch {
	case p.X == q.X:
		x := int(math.Round(p.X - w/2))
		y0, y1 := math.Round(min(p.Y, q.Y)), math.Round(max(p.Y, q.Y))
		return image.Rect(x, int(y0), x+int(w), int(y1)), true
	case p.Y == q.Y:
		y := int(math.Round(p.Y - w/2))
		x0, x1 := math.Round(min(p.X, q.X)), math.Round(max(p.X, q.X))
		return image.Rect(int(x0), y, int(x1), y+int(w)), true
	}
	return image.Rectangle{}, false
}

// polyline is a flattened piece of a path, in pixels.
type polyline struct {
	pts    []Point
	closed bool
}

func flatten(p Path, m Matrix) []polyline {
	var out []polyline
	var cur polyline
	flush := func() {
		if len(cur.pts) > 1 {
			out = append(out, cur)
		}
		cur = polyline{}
	}
	k := 0
	next := func() Point {
		k++
		return m.Apply(p.pts[k-1])
	}
	for _, v := range p.verbs {
		switch v {
		case moveTo:
			flush()
			cur.pts = append(cur.pts, next())
		case lineTo:
			cur.pts = append(cur.pts, next())
		case cubeTo:
			a := cur.pts[len(cur.pts)-1]
			b, c, d := next(), next(), next()
			n := 4 + int(2*math.Sqrt(math.Abs(b.X-a.X)+math.Abs(b.Y-a.Y)+math.Abs(c.X-b.X)+math.Abs(c.Y-b.Y)+math.Abs(d.X-c.X)+math.Abs(d.Y-c.Y)))
			n = min(n, 200)
			for i := 1; i <= n; i++ {
				t := float64(i) / float64(n)
				u := 1 - t
				cur.pts = append(cur.pts, Point{
					u*u*u*a.X + 3*u*u*t*b.X + 3*u*t*t*c.X + t*t*t*d.X,
					u*u*u*a.Y + 3*u*u*t*b.Y + 3*u*t*t*c.Y + t*t*t*d.Y,
				})
			}
		case closePath:
			start := Point{}
			if len(cur.pts) > 0 {
				start = cur.pts[0]
			}
			cur.closed = true
			flush()
			cur.pts = append(cur.pts, start)
		}
	}
	flush()
	return out
}

// dashes cuts a line by a pattern of dashes and gaps; without a pattern it is one
// piece.
func dashes(pl polyline, pattern []float64) []polyline {
	total := 0.0
	for _, d := range pattern {
		total += d
	}
	if !(total > 0) {
		return []polyline{pl}
	}
	pts := pl.pts
	if pl.closed {
		pts = append(append([]Point(nil), pts...), pts[0])
	}
	if len(pattern)%2 == 1 {
		pattern = append(append([]float64(nil), pattern...), pattern...)
	}
	var out []polyline
	cur := polyline{pts: []Point{pts[0]}}
	i, left, on := 0, pattern[0], true
	for k := 1; k < len(pts); k++ {
		a, b := pts[k-1], pts[k]
		l := math.Sqrt((b.X-a.X)*(b.X-a.X) + (b.Y-a.Y)*(b.Y-a.Y))
		if l == 0 || l > 1e6 {
			continue
		}
		pos := 0.0
		for l-pos > left {
			pos += left
			q := Point{a.X + (b.X-a.X)*pos/l, a.Y + (b.Y-a.Y)*pos/l}
			if on {
				cur.pts = append(cur.pts, q)
				out = append(out, cur)
			}
			on = !on
			cur = polyline{pts: []Point{q}}
			i = (i + 1) % len(pattern)
			left = pattern[i]
			if left <= 0 && total < 1e-3 {
				break
			}
		}
		left -= l - pos
		if on {
			cur.pts = append(cur.pts, b)
		}
	}
	if on && len(cur.pts) > 1 {
		out = append(out, cur)
	}
	return out
}

// nrgba returns img with its origin at (0, 0) and colours not premultiplied.
func nrgba(img image.Image) *image.NRGBA {
	b := img.Bounds()
	if n, ok := img.(*image.NRGBA); ok && b.Min == (image.Point{}) {
		return n
	}
	n := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			n.SetNRGBA(x, y, color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA))
		}
	}
	return n
}

// image resamples o.img into its rectangle: between pixel centres if smooth, the
// nearest pixel otherwise.
func (r *rasterizer) image(o op) {
	src := nrgba(o.img)
	w, h := src.Rect.Dx(), src.Rect.Dy()
	p, q := r.m.Apply(Point{o.rect.X0, o.rect.Y1}), r.m.Apply(Point{o.rect.X1, o.rect.Y0})
	box := r.pixels(o.rect).Intersect(r.clip)
	sx, sy := float64(w)/(q.X-p.X), float64(h)/(q.Y-p.Y)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		fy := (float64(y) + 0.5 - p.Y) * sy
		for x := box.Min.X; x < box.Max.X; x++ {
			fx := (float64(x) + 0.5 - p.X) * sx
			dst := r.img.Pix[r.img.PixOffset(x, y):]
			if !o.smooth {
				i := max(0, min(w-1, int(math.Floor(fx))))
				j := max(0, min(h-1, int(math.Floor(fy))))
				s := src.Pix[j*src.Stride+4*i:]
				over(dst, float64(s[0]), float64(s[1]), float64(s[2]), float64(s[3])/255)
				continue
			}
			gx, gy := max(0, min(float64(w-1), fx-0.5)), max(0, min(float64(h-1), fy-0.5))
			x0, y0 := int(gx), int(gy)
			tx, ty := gx-float64(x0), gy-float64(y0)
			right, down := 4*min(1, w-1-x0), src.Stride*min(1, h-1-y0)
			s := src.Pix[y0*src.Stride+4*x0:]
			w00, w10, w01, w11 := (1-tx)*(1-ty), tx*(1-ty), (1-tx)*ty, tx*ty
			at := func(c int) float64 {
				return w00*float64(s[c]) + w10*float64(s[right+c]) + w01*float64(s[down+c]) + w11*float64(s[down+right+c])
			}
			over(dst, at(0), at(1), at(2), at(3)/255)
		}
	}
}

// over lays a colour over a pixel.
func over(dst []uint8, r, g, b, a float64) {
	dst[0] = uint8(r*a + float64(dst[0])*(1-a) + 0.5)
	dst[1] = uint8(g*a + float64(dst[1])*(1-a) + 0.5)
	dst[2] = uint8(b*a + float64(dst[2])*(1-a) + 0.5)
	dst[3] = uint8(255*a + float64(dst[3])*(1-a) + 0.5)
}

// rasterDots draws a cloud on a transparent image, which covers the dots inside
// the clip, and returns it with its place on the page.
func rasterDots(o op, dpi float64) (*image.RGBA, Rect) {
	s := dpi / 72
	r := o.width / 2
	box := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range o.dots {
		if q := o.rect.Intersect(Rect{p.X - r, p.Y - r, p.X + r, p.Y + r}); q != (Rect{}) {
			box = box.Union(q)
		}
	}
	if box.X0 > box.X1 {
		return nil, Rect{}
	}
	// Whole pixels of the page, so that equal clouds give equal images.
	x0, y0 := int(math.Floor(box.X0*s)), int(math.Floor(box.Y0*s))
	x1, y1 := int(math.Ceil(box.X1*s)), int(math.Ceil(box.Y1*s))
	img := image.NewRGBA(image.Rect(0, 0, max(1, x1-x0), max(1, y1-y0)))
	stampDots(img, img.Rect, o, Matrix{A: s, D: -s, E: -float64(x0), F: float64(y1)})
	return img, Rect{float64(x0) / s, float64(y0) / s, float64(x1) / s, float64(y1) / s}
}

// stampDots draws discs with the coverage of a pixel taken from its distance to
// the edge.
func stampDots(img *image.RGBA, clip image.Rectangle, o op, m Matrix) {
	r := o.width / 2 * math.Abs(m.A)
	cr, cg, cb, ca := o.color.RGBA()
	strength := 1.0
	if r < 0.5 { // smaller than a pixel: a pixel of less colour
		strength = 4 * r * r
		r = 0.5
	}
	for _, p := range o.dots {
		q := m.Apply(p)
		if q.X < float64(clip.Min.X)-r || q.X > float64(clip.Max.X)+r || q.Y < float64(clip.Min.Y)-r || q.Y > float64(clip.Max.Y)+r {
			continue
		}
		x0, x1 := max(clip.Min.X, int(math.Floor(q.X-r-0.5))), min(clip.Max.X-1, int(math.Ceil(q.X+r+0.5)))
		y0, y1 := max(clip.Min.Y, int(math.Floor(q.Y-r-0.5))), min(clip.Max.Y-1, int(math.Ceil(q.Y+r+0.5)))
		for y := y0; y <= y1; y++ {
			dy := float64(y) + 0.5 - q.Y
			for x := x0; x <= x1; x++ {
				dx := float64(x) + 0.5 - q.X
				cover := r + 0.5 - math.Sqrt(dx*dx+dy*dy)
				if cover <= 0 {
					continue
				}
				ma := uint32(min(1, cover) * strength * 65535)
				a := 65535 - ca*ma/65535
				pix := img.Pix[img.PixOffset(x, y):]
				pix[0] = uint8((uint32(pix[0])*0x101*a/65535 + cr*ma/65535) >> 8)
				pix[1] = uint8((uint32(pix[1])*0x101*a/65535 + cg*ma/65535) >> 8)
				pix[2] = uint8((uint32(pix[2])*0x101*a/65535 + cb*ma/65535) >> 8)
				pix[3] = uint8((uint32(pix[3])*0x101*a/65535 + ca*ma/65535) >> 8)
			}
		}
	}
}
