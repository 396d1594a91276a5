package mathtext

import (
	"math"
	"strconv"
	"sync"

	"codeberg.org/go-fonts/stix/stix2mathregular"
	"codeberg.org/go-fonts/stix/stix2textregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
)

// glyph is a character of a font in units of 1/1000 em.
type glyph struct {
	outline        *canvas.Outline
	gid            sfnt.GlyphIndex
	advance        float64
	x0, y0, x1, y1 float64 // bounds of the ink
}

// face is a font that is parsed when its first character is asked for.
type face struct {
	prefix string // of the names of outlines
	data   *[]byte

	mu    sync.Mutex
	font  *sfnt.Font
	buf   sfnt.Buffer
	cache map[rune]*glyph
	kerns map[[2]sfnt.GlyphIndex]float64
}

var (
	mathFace = &face{prefix: "m", data: &stix2mathregular.TTF}
	textFace = &face{prefix: "t", data: &stix2textregular.TTF}
)

var em = fixed.I(1000)

func (f *face) load() {
	if f.font != nil {
		return
	}
	font, err := sfnt.Parse(*f.data)
	if err != nil {
		panic("plotting: embedded font: " + err.Error())
	}
	f.font = font
	f.cache = map[rune]*glyph{}
	f.kerns = map[[2]sfnt.GlyphIndex]float64{}
}

// glyph returns a character. ok is false if the font does not have it.
func (f *face) glyph(r rune) (g *glyph, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load()
	if g, ok := f.cache[r]; ok {
		return g, g.gid != 0
	}
	gid, err := f.font.GlyphIndex(&f.buf, r)
	if err != nil {
		gid = 0
	}
	g = &glyph{gid: gid}
	if a, err := f.font.GlyphAdvance(&f.buf, gid, em, font.HintingNone); err == nil {
		g.advance = float64(a) / 64
	}
	g.outline = &canvas.Outline{ID: f.prefix + strconv.Itoa(int(gid))}
	if segs, err := f.font.LoadGlyph(&f.buf, gid, em, nil); err == nil && len(segs) > 0 {
		g.outline.Path = canvas.FromSegments(segs)
		b := segs.Bounds()
		g.x0, g.x1 = float64(b.Min.X)/64, float64(b.Max.X)/64
		g.y0, g.y1 = -float64(b.Max.Y)/64, -float64(b.Min.Y)/64
	}
	f.cache[r] = g
	return g, gid != 0
}

// kern returns the change of the distance of two glyphs.
func (f *face) kern(a, b sfnt.GlyphIndex) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := [2]sfnt.GlyphIndex{a, b}
	if v, ok := f.kerns[k]; ok {
		return v
	}
	v := 0.0
	if x, err := f.font.Kern(&f.buf, a, b, em, font.HintingNone); err == nil {
		v = math.Round(float64(x) / 64)
	}
	f.kerns[k] = v
	return v
}

// rule is the unit of lines: a square of 1 em.
var rule = func() *canvas.Outline {
	o := &canvas.Outline{ID: "rule"}
	o.Path.Rectangle(canvas.Rect{X1: 1000, Y1: 1000})
	return o
}()
