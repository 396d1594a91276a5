package plotting

import (
	"fmt"
	"image/color"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// span is an interval; the empty one has lo > hi.
type span struct{ lo, hi float64 }

var empty = span{math.Inf(1), math.Inf(-1)}

func (s span) with(vs ...float64) span {
	for _, v := range vs {
		s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	}
	return s
}

func (s span) union(t span) span { return span{min(s.lo, t.lo), max(s.hi, t.hi)} }

func (s span) empty() bool { return s.lo > s.hi }

// isField reports whether a kind fills a rectangle of the plane.
func (k Kind) isField() bool { return k == KindHeat || k == KindContour || k == KindArrows }

// hasField reports whether the figure is a map rather than a curve.
func (s *Spec) hasField() bool {
	for i := range s.Series {
		if s.Series[i].Kind.isField() {
			return true
		}
	}
	return false
}

// extents returns the ranges of the data of all series.
func extents(s *Spec) (x, y span) {
	x, y = empty, empty
	for i := range s.Series {
		sx, sy := s.Series[i].extents()
		x, y = x.union(sx), y.union(sy)
	}
	return x, y
}

func (r *Series) extents() (x, y span) {
	x, y = empty, empty
	switch r.Kind {
	case KindHist:
		x = x.with(r.X...)
		y = y.with(0).with(r.Y...)
	case KindBars:
		x = span{-0.6, float64(len(r.Labels)) - 0.4}
		y = y.with(0).with(r.Y...).with(r.Lo...).with(r.Hi...)
	case KindHeat, KindContour, KindArrows:
		x, y = span{r.Grid.X0, r.Grid.X1}, span{r.Grid.Y0, r.Grid.Y1}
	case KindCustom:
		x0, x1, y0, y1 := r.Custom.Range()
		x, y = span{x0, x1}, span{y0, y1}
	default:
		x = x.with(r.X...)
		y = y.with(r.Y...).with(r.Lo...).with(r.Hi...)
	}
	return x, y
}

// positive returns the positive part of what a series spans, for logarithmic axes.
func positive(s span, vs ...[]float64) span {
	if s.lo > 0 || s.empty() {
		return s
	}
	p := empty
	for _, v := range vs {
		for _, t := range v {
			if t > 0 {
				p = p.with(t)
			}
		}
	}
	return p
}

// pad widens the interval by the fractions below and above of its length,
// measured on the axis.
func pad(s span, log bool, below, above float64) span {
	if log {
		if s.lo == s.hi {
			return span{s.lo / 3, s.hi * 3}
		}
		l := vmath.Log(s.hi / s.lo)
		return span{s.lo * vmath.Exp(-below*l), s.hi * vmath.Exp(above*l)}
	}
	if s.lo == s.hi {
		d := math.Abs(s.lo) * 0.1
		if d == 0 {
			d = 1
		}
		return span{s.lo - d, s.hi + d}
	}
	l := s.hi - s.lo
	return span{s.lo - below*l, s.hi + above*l}
}

// limits returns the ends of the axes: those given by the user, those of maps
// exactly, else those of the data with some room.
func limits(s *Spec) (x, y span) {
	x, y = empty, empty
	padX, base := empty, empty
	for i := range s.Series {
		r := &s.Series[i]
		sx, sy := r.extents()
		if s.X.Log {
			sx = positive(sx, r.X)
		}
		if s.Y.Log {
			sy = positive(sy, r.Y, r.Lo, r.Hi)
		}
		if s.hasField() && !r.Kind.isField() {
			continue // a cloud does not widen the map that it lies on
		}
		switch r.Kind {
		case KindPoints, KindErrorBars, KindCloud, KindVLine, KindNote, KindCustom:
			padX = padX.union(sx)
		default:
			x = x.union(sx)
		}
		if r.Kind == KindHist || r.Kind == KindBars {
			base = base.with(0)
		}
		y = y.union(sy)
	}
	if s.hasField() {
		return s.X.given(x), s.Y.given(y)
	}
	if !padX.empty() { // markers at an end of the axis need room, curves do not
		all := x.union(padX)
		room := pad(all, s.X.Log, 0.04, 0.04)
		switch {
		case all.lo == all.hi:
			x = room
		default:
			x = all
			if near(padX.lo, all, s.X.Log) < 0.02 {
				x.lo = room.lo
			}
			if near(padX.hi, all, s.X.Log) > 0.98 {
				x.hi = room.hi
			}
		}
	}
	if !x.empty() && x.lo == x.hi {
		x = pad(x, s.X.Log, 0, 0)
	}
	if y.empty() {
		y = span{0, 1}
		if s.Y.Log {
			y = span{0.1, 10}
		}
	} else {
		below, above := 0.05, 0.06
		if !s.Y.Log && y.lo >= 0 && (y.lo <= 0.03*y.hi && y.hi > 0) {
			y.lo, below = 0, 0
		}
		if !base.empty() && y.hi <= 0 && !s.Y.Log {
			above = 0
		}
		y = pad(y, s.Y.Log, below, above)
	}
	if x.empty() {
		x = span{0, 1}
		if s.X.Log {
			x = span{0.1, 10}
		}
	}
	return s.X.given(x), s.Y.given(y)
}

// near returns where v lies in the interval, 0 to 1.
func near(v float64, s span, log bool) float64 {
	if s.lo == s.hi {
		return 0
	}
	if log {
		return vmath.Log(v/s.lo) / vmath.Log(s.hi/s.lo)
	}
	return (v - s.lo) / (s.hi - s.lo)
}

func (a Axis) given(s span) span {
	if a.Fixed {
		return span{a.Min, a.Max}
	}
	return s
}

// checkLog returns an error if data lie off a logarithmic axis.
func checkLog(s *Spec) error {
	for i := range s.Series {
		r := &s.Series[i]
		if r.Kind == KindCustom {
			continue
		}
		if s.X.Log {
			if err := checkPositive(r, "x", r.X); err != nil {
				return err
			}
			if r.Kind.isField() && r.Grid.X0 <= 0 {
				return logError(r, "Grid.X0", r.Grid.X0)
			}
		}
		if s.Y.Log {
			// Histograms, bars, bands and error bars may reach zero: they end at the axis.
			if r.Kind != KindHist && r.Kind != KindBars {
				if err := checkPositive(r, "y", r.Y); err != nil {
					return err
				}
			}
			if r.Kind.isField() && r.Grid.Y0 <= 0 {
				return logError(r, "Grid.Y0", r.Grid.Y0)
			}
		}
	}
	if s.X.Log && s.X.Fixed && s.X.Min <= 0 {
		return &ebmkit.ArgError{Func: "plotting.Figure.XRange", Arg: "lo", Value: s.X.Min, Want: "positive on a logarithmic axis"}
	}
	if s.Y.Log && s.Y.Fixed && s.Y.Min <= 0 {
		return &ebmkit.ArgError{Func: "plotting.Figure.YRange", Arg: "lo", Value: s.Y.Min, Want: "positive on a logarithmic axis"}
	}
	return nil
}

func checkPositive(r *Series, axis string, v []float64) error {
	for i, t := range v {
		if t <= 0 {
			return logError(r, fmt.Sprintf("%s[%d]", axis, i), t)
		}
	}
	return nil
}

func logError(r *Series, arg string, v float64) error {
	name := r.Name
	if name == "" {
		name = r.Kind.String()
	}
	return &ebmkit.ArgError{Func: "plotting.Figure", Arg: argName(arg, name), Value: v, Want: "positive on a logarithmic axis"}
}

// Spec returns the resolved specification of the figure: styles from the theme,
// ends of the axes from the data.
func (f Figure) Spec() (Spec, error) { return f.spec(newStyles()) }

func (f Figure) spec(shared styles) (Spec, error) {
	if f.err != nil {
		return Spec{}, f.err
	}
	s := f.s
	if len(s.Series) == 0 {
		return Spec{}, &ebmkit.ArgError{Func: "plotting.Figure", Arg: "series", Value: "none", Want: "something to draw"}
	}
	if err := checkLog(&s); err != nil {
		return Spec{}, err
	}
	if s.Theme.TextSize == 0 {
		s.Theme = Print()
	}
	if s.Width == 0 {
		s.Width = float64(Single)
	}
	x, y := limits(&s)
	s.X.Min, s.X.Max, s.Y.Min, s.Y.Max = x.lo, x.hi, y.lo, y.hi
	if !s.Z.Fixed {
		z := heatRange(&s)
		s.Z.Min, s.Z.Max = z.lo, z.hi
	}
	s.Series = append([]Series(nil), s.Series...)
	resolveStyles(&s, shared)
	return s, nil
}

// heatRange returns the finite range of all heat maps, symmetric about zero if
// one of them is diverging.
func heatRange(s *Spec) span {
	z, symmetric := empty, false
	for i := range s.Series {
		if r := &s.Series[i]; r.Kind == KindHeat {
			for _, v := range r.Grid.Z {
				if !math.IsInf(v, 0) {
					z = z.with(v)
				}
			}
			symmetric = symmetric || r.Style.diverging
		}
	}
	if z.empty() {
		return span{}
	}
	if symmetric {
		m := max(math.Abs(z.lo), math.Abs(z.hi))
		z = span{-m, m}
	}
	if z.lo == z.hi {
		z = pad(z, false, 0, 0)
	}
	return z
}

// styles holds what series of a name look like, also in the next panels.
type styles struct{ color, dash map[string]int } // places in the palettes

func newStyles() styles { return styles{map[string]int{}, map[string]int{}} }

// places gives out places of a palette: to a name always the same one, to what
// has no name, or a new one, the first that nobody else in the panel has.
type places struct {
	of    map[string]int
	taken map[int]bool
	next  int
}

func newPlaces(of map[string]int, series []Series, uses func(Kind) bool) *places {
	p := &places{of: of, taken: map[int]bool{}}
	for i := range series {
		if c, ok := of[series[i].Name]; ok && uses(series[i].Kind) {
			p.taken[c] = true
		}
	}
	return p
}

func (p *places) at(name string) int {
	if c, ok := p.of[name]; ok {
		return c
	}
	for p.taken[p.next] {
		p.next++
	}
	c := p.next
	p.next++
	if name != "" {
		p.of[name] = c
	}
	return c
}

// resolveStyles fills in what the options left open.
func resolveStyles(s *Spec, shared styles) {
	t := s.Theme
	coloured := func(k Kind) bool { return k != KindVLine && k != KindHLine && k != KindNote && !k.isField() }
	color := newPlaces(shared.color, s.Series, coloured)
	dash := newPlaces(shared.dash, s.Series, func(k Kind) bool { return k == KindLine })
	onHeat, onDark := false, false
	for i := range s.Series {
		if r := &s.Series[i]; r.Kind == KindHeat {
			onHeat, onDark = true, !r.Style.diverging
		}
	}
	for i := range s.Series {
		r := &s.Series[i]
		st := &r.Style
		grey := mix(t.Ink, t.Paper, 0.35)
		switch r.Kind {
		case KindVLine, KindHLine:
			r.fallback(grey, 0.8, []float64{3, 2})
			continue
		case KindNote:
			r.fallback(t.Ink, t.AxisWidth, nil)
			continue
		case KindHeat:
			continue
		case KindContour:
			ink := t.Ink
			if onDark {
				ink = t.Paper
			}
			r.fallback(ink, 0.7, nil)
			continue
		case KindArrows:
			ink := t.Ink
			if onDark {
				ink = t.Paper
			}
			r.fallback(ink, 0.7, nil)
			continue
		case KindCloud:
			if st.Size == 0 {
				switch n := len(r.X); {
				case n <= 300:
					st.Size = 2.4
				case n <= 1500:
					st.Size = 1.6
				default:
					st.Size = 1.2
				}
			}
			if onHeat {
				r.fallback(withAlpha(t.Ink, 0.7), t.LineWidth, nil)
				continue
			}
		}
		c := color.at(r.Name)
		var d []float64
		if r.Kind == KindLine {
			if k := dash.at(r.Name); r.Name != "" {
				d = t.Dashes[k%len(t.Dashes)]
			}
		}
		r.fallback(t.Palette[c%len(t.Palette)], t.LineWidth, d)
		if r.Kind == KindCloud && !st.colorSet && len(r.X) > 1000 {
			st.Color = withAlpha(st.Color, 0.6)
		}
		if st.Size == 0 {
			st.Size = t.MarkerSize
		}
		if !st.markerSet && (r.Kind == KindPoints || r.Kind == KindErrorBars) {
			st.Marker = []Marker{Disc, Square, Diamond, TriangleUp}[c%4]
		}
	}
}

// fallback sets what the options of the series left open.
func (r *Series) fallback(c color.NRGBA, width float64, dash []float64) {
	st := &r.Style
	if !st.colorSet {
		st.Color = c
	}
	if !st.widthSet {
		st.Width = width
	}
	if !st.dashSet {
		st.Dash = dash
	}
}

// mix returns a + t (b - a).
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	m := func(x, y uint8) uint8 { return uint8(float64(x) + t*(float64(y)-float64(x)) + 0.5) }
	return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), m(a.A, b.A)}
}

func withAlpha(c color.NRGBA, a float64) color.NRGBA {
	c.A = uint8(float64(c.A)*a + 0.5)
	return c
}

func (f Figure) specs() ([]Spec, error) {
	s, err := f.Spec()
	if err != nil {
		return nil, err
	}
	return []Spec{s}, nil
}

func (f Figure) captionText() string { return f.s.Caption }
func (f Figure) titleText() string   { return f.s.Title }
func (f Figure) provenance() []Pair  { return f.s.Provenance }

func (m Multiples) captionText() string { return m.caption }
func (m Multiples) titleText() string   { return m.title }

// provenance returns the lines of the multiples and, once each, of the panels.
func (m Multiples) provenance() []Pair {
	out := append([]Pair(nil), m.prov...)
	for _, f := range m.figs {
	next:
		for _, p := range f.s.Provenance {
			for _, q := range out {
				if p == q {
					continue next
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// specs resolves the panels and makes shared axes equal.
func (m Multiples) specs() ([]Spec, error) {
	if m.err != nil {
		return nil, m.err
	}
	out := make([]Spec, len(m.figs))
	x, y, z := empty, empty, empty
	shared := newStyles()
	for i, f := range m.figs {
		s, err := f.spec(shared)
		if err != nil {
			return nil, err
		}
		out[i] = s
		x, y = x.with(s.X.Min, s.X.Max), y.with(s.Y.Min, s.Y.Max)
		if s.hasHeat() {
			z = z.with(s.Z.Min, s.Z.Max)
		}
	}
	for i := range out {
		if !m.freeX {
			out[i].X.Min, out[i].X.Max = x.lo, x.hi
		}
		if !m.freeY {
			out[i].Y.Min, out[i].Y.Max = y.lo, y.hi
		}
		if out[i].hasHeat() {
			out[i].Z.Min, out[i].Z.Max = z.lo, z.hi
		}
	}
	return out, nil
}

func (s *Spec) hasHeat() bool {
	for i := range s.Series {
		if s.Series[i].Kind == KindHeat {
			return true
		}
	}
	return false
}
