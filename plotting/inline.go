package plotting

import (
	"bytes"

	"github.com/ebmkit/hitchhiker/plotting/inline"
)

// largePage is the area of a figure, in square points, from which images get 1.5
// pixels for one of the screen: a page of heat maps would take a megabyte.
const largePage = 360 * 288

// Inline draws the figure for a notebook, at dpi for the screen.
func (f Figure) Inline(dpi int) (inline.Picture, error) { return drawInline(f, dpi) }

// Inline draws the figures for a notebook, at dpi for the screen.
func (m Multiples) Inline(dpi int) (inline.Picture, error) { return drawInline(m, dpi) }

func drawInline(d Drawable, dpi int) (p inline.Picture, err error) {
	if err := d.Err(); err != nil {
		return p, err
	}
	if p.Width, p.Height, err = SizeOf(d); err != nil {
		return p, err
	}
	var svg, png bytes.Buffer
	switch {
	case !HasRaster(d): // the PNG is a second choice
		if err := Render(&svg, d, SVG, 0); err != nil {
			return p, err
		}
		p.SVG = svg.Bytes()
	case p.Width*p.Height > largePage:
		dpi = 3 * dpi / 2
	default:
		dpi *= 2 // two pixels of the image for one of the screen
	}
	if err := Render(&png, d, PNG, dpi); err != nil {
		return p, err
	}
	p.PNG, p.Text, p.Caption = png.Bytes(), Text(d), CaptionOf(d)
	return p, nil
}
