package nb

import (
	"bytes"
	"math"
	"strings"

	"github.com/ebmkit/hitchhiker/plotting"
)

// screenScale is the size of a figure on the screen over its size on the page:
// 8.5 point text becomes 17 pixels high, a single column 488 pixels wide.
const screenScale = 1.5

// Show shows a figure with a caption below it. The caption is Markdown with
// mathematics between dollar signs; without one, the figure's own is used. The
// output holds the figure as SVG, as PNG for where SVG is not shown, and as text.
// Clouds and heat maps come as PNG only: they are images anyway, and notebooks
// stay small. A figure with an error ends the cell, as Must does.
func Show(d plotting.Drawable, caption ...string) {
	parts, err := Forms(d)
	Must0(err)
	Display(parts...)
	text := strings.Join(caption, " ")
	if text == "" {
		text = plotting.CaptionOf(d)
	}
	showCaption(text)
}

// Forms returns the static forms of a figure, as Show displays them. A figure
// with an error has none.
func Forms(d plotting.Drawable) ([]Part, error) {
	if err := d.Err(); err != nil {
		return nil, err
	}
	w, h, err := plotting.SizeOf(d)
	if err != nil {
		return nil, err
	}
	px := func(pt float64) int { return int(math.Round(pt * screenScale * 96 / 72)) }
	var parts []Part
	dpi := 2 * screenScale * 96 // two pixels of the image for one of the page
	if !plotting.HasRaster(d) {
		var svg bytes.Buffer
		if err := plotting.Render(&svg, d, plotting.SVG, 0); err != nil {
			return nil, err
		}
		parts = append(parts, Part{MIME: "image/svg+xml", Text: svg.String()})
		dpi = screenScale * 96 // a second choice
	}
	var png bytes.Buffer
	if err := plotting.Render(&png, d, plotting.PNG, dpi); err != nil {
		return nil, err
	}
	return append(parts,
		Part{MIME: "image/png", Bytes: png.Bytes(), Width: px(w), Height: px(h)},
		Part{MIME: "text/plain", Text: plotting.Text(d)}), nil
}

// showCaption shows the text below a figure, smaller than the notebook's own.
func showCaption(text string) {
	if text == "" {
		return
	}
	Display(
		Part{MIME: "text/html", Text: `<div style="max-width: 62em; font-size: 90%; line-height: 1.4; opacity: 0.85">` + inlineMarkdown(text) + `</div>`},
		Part{MIME: "text/markdown", Text: text},
		Part{MIME: "text/plain", Text: text})
}
