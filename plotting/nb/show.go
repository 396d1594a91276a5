package nb

import (
	"math"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/plotting/inline"
)

// screenDPI is the number of CSS pixels on the screen for an inch on the page, one
// and a half times the usual 96: 8.5 point text becomes 17 pixels high, a single
// column 488 pixels wide.
const screenDPI = 144

// Drawable is a figure: a plotting.Figure or plotting.Multiples.
type Drawable interface {
	// Inline draws it for a notebook, at dpi for the screen.
	Inline(dpi int) (inline.Picture, error)
}

// Show shows a figure with a caption below it. The caption is Markdown with
// mathematics between dollar signs; without one, the figure's own is used. The
// output holds the figure as SVG, as PNG for where SVG is not shown, and as text.
// Clouds and heat maps come as PNG only: they are images anyway, and notebooks
// stay small. A figure with an error ends the cell, as Must does.
func Show(d Drawable, caption ...string) {
	p, err := d.Inline(screenDPI)
	Must0(err)
	Display(forms(p)...)
	text := strings.Join(caption, " ")
	if text == "" {
		text = p.Caption
	}
	Caption(text)
}

// Forms returns the static forms of a figure, as Show displays them. A figure
// with an error has none.
func Forms(d Drawable) ([]Part, error) {
	p, err := d.Inline(screenDPI)
	if err != nil {
		return nil, err
	}
	return forms(p), nil
}

func forms(p inline.Picture) []Part {
	w, h := Pixels(p.Width), Pixels(p.Height)
	var parts []Part
	if p.SVG != nil {
		parts = append(parts, Part{MIME: "image/svg+xml", Text: onScreen(string(p.SVG), w, h)})
	}
	return append(parts, Part{MIME: "image/png", Bytes: p.PNG, Width: w, Height: h}, Part{MIME: "text/plain", Text: p.Text})
}

// onScreen gives an SVG picture its size on the screen: it replaces width and
// height of the root element, whose view box stays.
func onScreen(svg string, w, h int) string {
	start := strings.Index(svg, "<svg")
	if start < 0 {
		return svg
	}
	end := start + strings.IndexByte(svg[start:], '>')
	root := svg[start:end]
	for name, px := range map[string]int{"width": w, "height": h} {
		before, rest, ok := strings.Cut(root, " "+name+`="`)
		_, after, ok2 := strings.Cut(rest, `"`)
		if !ok || !ok2 {
			return svg
		}
		root = before + " " + name + `="` + strconv.Itoa(px) + `"` + after
	}
	return svg[:start] + root + svg[end:]
}

// Pixels returns the length on the screen, in CSS pixels, of a length on the page
// in points.
func Pixels(pt float64) int { return int(math.Round(pt * screenDPI / 72)) }

// Caption shows text as Show does below a figure: smaller than the notebook's
// own. It shows nothing if text is empty.
func Caption(text string) {
	if text == "" {
		return
	}
	Display(
		Part{MIME: "text/html", Text: `<div style="max-width: 62em; font-size: 90%; line-height: 1.4; opacity: 0.85">` + inlineMarkdown(text) + `</div>`},
		Part{MIME: "text/markdown", Text: text},
		Part{MIME: "text/plain", Text: text})
}
