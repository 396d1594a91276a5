package plotting

import (
	"fmt"
	"math"
	"strings"
)

// Text describes d in a few lines: the twin of the picture for terminals, for
// screen readers and for notebooks in version control.
func Text(d Drawable) string {
	specs, err := d.specs()
	if err != nil {
		return "figure: " + err.Error() + "\n"
	}
	var b strings.Builder
	_, multiple := d.(Multiples)
	if t := d.titleText(); t != "" {
		b.WriteString("figure: " + PlainText(t) + "\n")
	} else {
		b.WriteString("figure\n")
	}
	for i := range specs {
		s := &specs[i]
		indent := "  "
		if multiple {
			b.WriteString("  " + panelTag(i) + " " + PlainText(s.Title) + "\n")
			indent = "    "
		}
		if !s.Picture {
			b.WriteString(indent + axisText("x", s.X) + ", " + axisText("y", s.Y) + "\n")
		}
		for j := range s.Series {
			b.WriteString(indent + s.Series[j].text() + "\n")
		}
		for k, in := range s.Insets {
			fmt.Fprintf(&b, "%sinset %d: %s", indent, k+1, strings.ReplaceAll(strings.TrimPrefix(Text(in.Figure), "figure\n"), "\n", "\n"+indent))
			b.WriteString("\n")
		}
	}
	return strings.ReplaceAll(strings.TrimRight(b.String(), " \n")+"\n", "\u2212", "-")
}

func axisText(name string, a Axis) string {
	label := name
	if a.Label != "" {
		label = PlainText(a.Label)
	}
	if a.Names != nil {
		return label + ": " + PlainText(strings.Join(a.Names, ", "))
	}
	scale := ""
	if a.Log {
		scale = ", logarithmic"
	}
	return fmt.Sprintf("%s from %s to %s%s", label, shortNumber(a.Min), shortNumber(a.Max), scale)
}

func (r *Series) text() string {
	name := r.Kind.String()
	if r.Name != "" {
		name += " " + strings.TrimSpace(PlainText(r.Name))
	}
	between := func(v []float64) string {
		s := empty.with(v...)
		if s.lo == s.hi {
			return shortNumber(s.lo)
		}
		return shortNumber(s.lo) + " to " + shortNumber(s.hi)
	}
	switch r.Kind {
	case KindHist:
		return fmt.Sprintf("%s: n = %d, %d bins, x %s, density up to %s", name, r.N, len(r.Y), between(r.X), shortNumber(empty.with(r.Y...).hi))
	case KindBand:
		return fmt.Sprintf("%s: %d points, x %s, y %s", name, len(r.X), between(r.X), between(append(clone(r.Lo), r.Hi...)))
	case KindBars:
		var parts []string
		for i := range r.Y {
			p := PlainText(r.Labels[i]) + " " + shortNumber(r.Y[i])
			if r.Lo != nil {
				p += fmt.Sprintf(" (%s to %s)", shortNumber(r.Lo[i]), shortNumber(r.Hi[i]))
			}
			parts = append(parts, p)
		}
		return name + ": " + strings.Join(parts, ", ")
	case KindHeat, KindContour:
		z := empty
		for _, v := range r.Grid.Z {
			if !math.IsInf(v, 0) {
				z = z.with(v)
			}
		}
		t := fmt.Sprintf("%s: %d x %d cells, values %s to %s", name, r.Grid.Nx, r.Grid.Ny, shortNumber(z.lo), shortNumber(z.hi))
		if r.Kind == KindContour {
			t += ", levels"
			for i, l := range r.Levels {
				if i > 0 {
					t += ","
				}
				t += " " + shortNumber(l)
			}
		}
		return t
	case KindArrows:
		return fmt.Sprintf("%s: %d x %d arrows", name, r.Grid.Nx, r.Grid.Ny)
	case KindVLine:
		return name + ": x = " + shortNumber(r.X[0])
	case KindHLine:
		return name + ": y = " + shortNumber(r.Y[0])
	case KindNote:
		return fmt.Sprintf("%s at (%s, %s)", name, shortNumber(r.X[0]), shortNumber(r.Y[0]))
	case KindCustom:
		if _, ok := r.Custom.(Diagram); ok {
			return PlainText(r.Name)
		}
		return name
	}
	return fmt.Sprintf("%s: %d points, x %s, y %s", name, len(r.X), between(r.X), between(r.Y))
}
