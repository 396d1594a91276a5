package mathtext

import (
	"strings"

	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
)

// Wrap sets the label s in lines no wider than width (points), broken at spaces
// and hyphens outside of formulas, below one another and centred or flush left. The origin is
// the left end of the first baseline. A word that is wider than the width makes
// the label smaller, down to six tenths of the size.
func Wrap(s string, size, width float64, centred bool) Label {
	one := Layout(s, size)
	if one.Width <= width || width <= 0 {
		return one
	}
	ws := words(s)
	widest := 0.0
	for _, w := range ws {
		widest = max(widest, Layout(w, size).Width)
	}
	if widest > width {
		size *= max(0.6, width/widest)
	}
	var lines []Label
	cur := ""
	for _, w := range ws {
		next := w
		switch {
		case strings.HasSuffix(cur, hyphen):
			next = cur + w
		case cur != "":
			next = cur + " " + w
		}
		if cur != "" && Layout(next, size).Width > width {
			lines = append(lines, Layout(cur, size))
			next = w
		}
		cur = next
	}
	lines = append(lines, Layout(cur, size))
	out := Label{Asc: lines[0].Asc}
	for _, l := range lines {
		out.Width = max(out.Width, l.Width)
	}
	y := 0.0
	for i, l := range lines {
		if i > 0 {
			y -= max(1.22*size, lines[i-1].Desc+l.Asc+0.15*size)
		}
		x := 0.0
		if centred {
			x = (out.Width - l.Width) / 2
		}
		m := canvas.Matrix{A: 1, D: 1, E: x, F: y}
		for _, g := range l.glyphs {
			out.glyphs = append(out.glyphs, canvas.Glyph{Outline: g.Outline, M: m.Mul(g.M)})
		}
		out.Desc = l.Desc - y
	}
	return out
}

// hyphen ends a piece of a word that may stand at the end of a line.
const hyphen = "-"

// words cuts a label at the spaces and after the hyphens outside of formulas.
func words(s string) []string {
	var out []string
	cur := ""
	for i, p := range pieces(s) {
		if i%2 == 1 {
			cur += "$" + p + "$"
			continue
		}
		parts := strings.Split(strings.ReplaceAll(p, "$", `\$`), " ")
		for k, w := range parts {
			if k > 0 && cur != "" {
				out = append(out, cur)
				cur = ""
			}
			for {
				i := strings.Index(w, hyphen)
				if i < 2 || i+3 > len(w) { // nothing much on one of the sides
					break
				}
				out = append(out, cur+w[:i+1])
				cur, w = "", w[i+1:]
			}
			cur += w
		}
	}
	if cur != "" {
		out = append(out, cur)
	}
	return out
}
