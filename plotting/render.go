package plotting

import (
	"io"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
)

// Format is a file format of Render.
type Format int

// The formats.
const (
	SVG Format = iota
	PNG
	PDF
)

// Render writes d in the format, without provenance. dpi is the resolution of PNG
// (96 is a screen, 192 a sharp one, 300 print) and not used by the others.
func Render(w io.Writer, d Drawable, f Format, dpi int) error {
	if f == PNG && (dpi < 20 || dpi > 2400) {
		return &ebmkit.ArgError{Func: "plotting.Render", Arg: "dpi", Value: dpi, Want: "20 to 2400"}
	}
	pg, err := d.layout()
	if err != nil {
		return err
	}
	c := pg.draw()
	meta := canvas.Meta{Title: PlainText(d.titleText())}
	var data []byte
	switch f {
	case SVG:
		data, err = c.SVG(meta, false)
	case PNG:
		data, err = c.PNG(float64(dpi), pg.theme.Paper, meta, false)
	case PDF:
		data, err = c.PDF(meta, false)
	default:
		err = &ebmkit.ArgError{Func: "plotting.Render", Arg: "f", Value: int(f), Want: "SVG, PNG or PDF"}
	}
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// PlainText returns a label as Unicode text, mathematics included as far as that
// goes: "$\\rho_\\theta(x^2)$" becomes "ρ_θ(x²)".
func PlainText(label string) string { return mathtext.Plain(label) }
