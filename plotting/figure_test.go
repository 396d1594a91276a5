package plotting

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
)

func TestRefusals(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	x := []float64{1, 2, 3}
	bad := []float64{1, nan, 3}
	grid := GridOf(func(x, y float64) float64 { return x }, 0, 1, 0, 1, 3, 3)
	badGrid := grid.Map(func(z float64) float64 { return nan })
	for _, c := range []struct {
		name string
		f    Figure
		want string // part of the message
	}{
		{"line nan", New().Line("model", x, bad), `y[1] of "model" = NaN`},
		{"line inf", New().Line("model", []float64{inf, 1}, []float64{1, 2}), `x[0] of "model" = +Inf`},
		{"line length", New().Line("model", x, x[:2]), `len(y of "model") = 2, want len(x) = 3`},
		{"line empty", New().Line("model", nil, nil), `x of "model" = empty`},
		{"func", New().Func("log", math.Log, 0, 1), `fn(0) of "log" = -Inf`},
		{"func range", New().Func("f", math.Sin, 2, 1), `a, b of "f" = 2, 1`},
		{"func nan range", New().Func("f", math.Sin, nan, 1), `a[0] of "f" = NaN`},
		{"hist", New().Hist("draws", bad), `samples[1] of "draws" = NaN`},
		{"hist weights", New().Hist("draws", x, Weights([]float64{1, -1, 1})), `Weights[1] of "draws" = -1`},
		{"hist zero", New().Hist("draws", x, Weights([]float64{0, 0, 0})), `Weights of "draws" = all zero`},
		{"hist short", New().Hist("draws", x, Weights([]float64{1})), `len(Weights of "draws") = 1`},
		{"hist bins", New().Hist("draws", x, Bins(-1)), `Bins of "draws" = -1`},
		{"band", New().Band("b", x, x, bad), `hi[1] of "b" = NaN`},
		{"errors", New().ErrorBars("m", x, x, []float64{1, 1, -1}), `se[2] of "m" = -1`},
		{"bars", New().Bars("b", []string{"a"}, x, nil), `len(labels of "b") = 1`},
		{"bars other", New().Bars("a", []string{"u"}, x[:1], nil).Bars("b", []string{"v"}, x[:1], nil), `labels of "b" = [v]`},
		{"cloud", New().Cloud("c", x), `len(xs of "c") = 3`},
		{"cloud nan", New().Cloud("c", []float64{1, nan}), `xs[1] of "c" = NaN`},
		{"heat", New().Heat(badGrid), `Grid.Z[0] (column 0, row 0) = NaN`},
		{"heat size", New().Heat(Grid{X1: 1, Y1: 1, Nx: 2, Ny: 2, Z: x}), `len(Grid.Z) = 3, want Nx*Ny = 4`},
		{"heat inf", New().Heat(grid.Map(func(float64) float64 { return inf })), `+Inf everywhere`},
		{"heat huge", New().Heat(Grid{X1: 1, Y1: 1, Nx: 1 << 40, Ny: 1 << 40}), `Nx x Grid.Ny`},
		{"heat of plane", New().Heat(GridOf(nil, 1, 0, 0, 1, 3, 3)), `X0 < X1`},
		{"landscape", Landscape(ebm1{}, 0, 1, 0, 1), `e.Dim() = 1, want 2`},
		{"contour", New().Contour(grid, nan), `levels[0] = NaN`},
		{"arrows", New().Arrows("s", Vectors{X1: 1, Y1: 1, Nx: 1, Ny: 1, U: []float64{nan}, V: []float64{1}}), `U[0] of "s" = NaN`},
		{"vline", New().VLine("h", nan), `x[0] of "h" = NaN`},
		{"hline", New().HLine("h", inf), `y[0] of "h" = +Inf`},
		{"note", New().Note("here", nan, 1), `x[0] of "here" = NaN`},
		{"range", New().Line("", x, x).XRange(1, 1), `XRange: lo, hi = 1, 1`},
		{"log x", New().Line("model", []float64{0, 1}, []float64{1, 1}).XLog(), `x[0] of "model" = 0, want positive`},
		{"log y", New().Line("model", x, []float64{1, -2, 3}).YLog(), `y[1] of "model" = -2, want positive`},
		{"log range", New().Line("model", x, x).XRange(-1, 3).XLog(), `lo = -1, want positive`},
		{"empty", New(), `series = none`},
		{"size", New().Line("", x, x).Size(3, 0), `w = 3`},
		{"inset", New().Line("", x, x).Inset(New().Line("in", x, bad), 0, 0, 0.5, 0.5), `y[1] of "in" = NaN`},
		{"inset place", New().Line("", x, x).Inset(New().Line("in", x, x), 0.8, 0, 0.5, 0.5), `a rectangle inside`},
		{"theme", New().Theme(Theme{}), `Print()`},
		{"first error stays", New().Line("one", x, bad).Line("two", x, bad), `"one"`},
		{"density", Density(nil, 0), `an ensemble`},
		{"against", New().Line("", x, x).Against("law", wells{}), `an energy of one dimension`},
	} {
		var b bytes.Buffer
		err := Render(&b, c.f, SVG, 0)
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want *ArgError with %s", c.name, err, c.want)
		}
		if b.Len() > 0 {
			t.Errorf("%s: wrote %d bytes", c.name, b.Len())
		}
		if Small(1, New().Line("", x, x), c.f).Err() == nil && c.f.Err() != nil {
			t.Errorf("%s: Small has no error", c.name)
		}
		if !strings.Contains(Text(c.f), "want") {
			t.Errorf("%s: the text twin does not tell: %s", c.name, Text(c.f))
		}
	}
	for name, m := range map[string]Multiples{"none": Small(2), "cols": Small(0, New().Line("", x, x)), "size": Small(1, New().Line("", x, x)).Size(Single, -1)} {
		if m.Err() == nil || Render(&bytes.Buffer{}, m, SVG, 0) == nil {
			t.Errorf("Small %s: no error", name)
		}
	}
	good := New().Line("", x, x)
	if err := Render(&bytes.Buffer{}, good, PNG, 0); err == nil {
		t.Error("Render accepted dpi 0")
	}
	if err := Render(&bytes.Buffer{}, good, Format(9), 0); err == nil {
		t.Error("Render accepted a format that does not exist")
	}
	if err := Render(&bytes.Buffer{}, Small(4, good, good, good, good).Size(20, 0), SVG, 0); err == nil {
		t.Error("no error for a figure without room for its data")
	}
}

type ebm1 struct{}

func (ebm1) Dim() int                   { return 1 }
func (ebm1) Energy(x []float64) float64 { return x[0] * x[0] / 2 }

type gauss struct{ ebm1 }

func (gauss) LogZ() float64 { return math.Log(2*math.Pi) / 2 }

func TestAgainst(t *testing.T) {
	// With LogZ, and without: then by quadrature.
	s, err := New().XRange(-3, 3).Against("law", gauss{}).Against("law by quadrature", ebm1{}).Spec()
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range s.Series[0].X {
		want := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		if math.Abs(s.Series[0].Y[i]-want) > 1e-14 {
			t.Fatalf("rho(%v) = %v, want %v", x, s.Series[0].Y[i], want)
		}
		if math.Abs(s.Series[1].Y[i]-want) > 1e-8*want {
			t.Fatalf("by quadrature rho(%v) = %v, want %v", x, s.Series[1].Y[i], want)
		}
	}
}

// A figure is a value: what is made of it does not change it.
func TestFiguresAreValues(t *testing.T) {
	data := []float64{1, 2, 3}
	base := New().Line("a", data, data).Note("n", 1, 1).Provenance("seed", "1")
	svg := func(f Figure) string {
		var b bytes.Buffer
		if err := Render(&b, f, SVG, 0); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	before := svg(base)
	one := base.Line("b", data, data, Dashed)
	two := base.Line("c", data, []float64{3, 2, 1}).XLog().Title("two").Inset(base, 0.5, 0.5, 0.3, 0.3)
	first := svg(one)
	data[1] = 17
	if svg(base) != before {
		t.Error("the figure changed")
	}
	if svg(one) != first || svg(one) == svg(two) {
		t.Error("branches share memory")
	}
	if len(one.s.Series) != 3 || one.s.Series[2].Name != "b" || two.s.Series[2].Name != "c" {
		t.Error("branches overwrite each other's series")
	}
}

func TestHistogram(t *testing.T) {
	edges, y, err := histogram("f", "h", []float64{0, 0.1, 0.3, 0.9, 1}, Style{bins: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(edges) != 3 || edges[1] != 0.5 || y[0] != 3.0/5/0.5 || y[1] != 2.0/5/0.5 {
		t.Errorf("edges %v, densities %v", edges, y)
	}
	_, y, _ = histogram("f", "h", []float64{0, 0.1, 0.3, 0.9, 1}, Style{bins: 2, weights: []float64{1, 0, 0, 0, 3}})
	if y[0] != 0.5 || y[1] != 1.5 {
		t.Errorf("weighted densities %v, want 0.5 and 1.5", y)
	}
	// Density over all samples, also those outside of the bins.
	_, y, _ = histogram("f", "h", []float64{0.5, 5, 6, 7}, Style{bins: 1, within: true, lo: 0, hi: 1})
	if y[0] != 0.25 {
		t.Errorf("density %v, want 0.25", y[0])
	}
	for _, xs := range [][]float64{normals(1000, 4), {3}, {0, 0}, {-7, -7, -7}, {1e-9, 2e-9, 4e-9}} {
		edges, y, err := histogram("f", "h", xs, Style{})
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for k := range y {
			sum += y[k] * (edges[k+1] - edges[k])
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%d samples: integral %v", len(xs), sum)
		}
	}
}

func TestDensityWeights(t *testing.T) {
	e := &ebmkit.Ensemble{N: 2, Dim: 1, X: []float64{0, 1}, LogW: []float64{1000, 1000 + math.Log(3)}}
	s, err := Density(e, 0, Bins(2)).Spec()
	if err != nil {
		t.Fatal(err)
	}
	if y := s.Series[0].Y; math.Abs(y[0]-0.5) > 1e-12 || math.Abs(y[1]-1.5) > 1e-12 {
		t.Errorf("densities %v, want 0.5 and 1.5", y)
	}
	if _, err := Density(e, 1).Spec(); err == nil {
		t.Error("axis 1 of a one-dimensional ensemble was accepted")
	}
}

func TestColoursFollowNames(t *testing.T) {
	x := []float64{1, 2}
	s, err := New().Band("fit", x, x, x).ErrorBars("data", x, x, x).Line("fit", x, x).Spec()
	if err != nil {
		t.Fatal(err)
	}
	if s.Series[0].Style.Color != s.Series[2].Style.Color || s.Series[0].Style.Color == s.Series[1].Style.Color {
		t.Errorf("colours %v", []any{s.Series[0].Style.Color, s.Series[1].Style.Color, s.Series[2].Style.Color})
	}
}

// A name looks the same in all panels, whatever else is drawn there.
func TestColoursFollowNamesOverPanels(t *testing.T) {
	x := []float64{1, 2}
	s, err := Small(2, New().Line("a", x, x).Line("b", x, x).Points("c", x, x),
		New().Line("", x, x).Line("d", x, x).Points("c", x, x).Line("b", x, x)).specs()
	if err != nil {
		t.Fatal(err)
	}
	a, b := s[0].Series, s[1].Series
	if a[2].Style.Color != b[2].Style.Color || a[2].Style.Marker != b[2].Style.Marker || a[1].Style.Color != b[3].Style.Color ||
		len(a[1].Style.Dash) == 0 || len(a[1].Style.Dash) != len(b[3].Style.Dash) {
		t.Errorf("names change their looks: %v, %v", a, b)
	}
	for i := range b {
		for j := range i {
			if b[i].Style.Color == b[j].Style.Color {
				t.Errorf("%q and %q have one colour", b[i].Name, b[j].Name)
			}
		}
	}
}

// Points with errors are those of the estimates.
func TestEstimates(t *testing.T) {
	s, err := New().Estimates("e", []float64{1, 2}, []ebmkit.Estimate{{Value: 3, SE: 0.5}, {Value: 4}}).Spec()
	if err != nil || s.Series[0].Kind != KindErrorBars || s.Series[0].Lo[0] != 2 || s.Series[0].Hi[0] != 4 || s.Series[0].Hi[1] != 4 {
		t.Errorf("%+v, %v", s.Series, err)
	}
	for _, f := range []Figure{New().Estimates("e", []float64{1}, nil), New().Estimates("e", []float64{1}, []ebmkit.Estimate{{Value: 1, SE: math.Inf(1)}})} {
		if f.Err() == nil {
			t.Error("bad estimates are drawn")
		}
	}
}

// The first row of a picture is the upper one.
func TestPicture(t *testing.T) {
	s, err := Picture(2, 3, []float64{1, 2, 3, 4, 5, 6}).Spec()
	if err != nil {
		t.Fatal(err)
	}
	g := s.Series[0].Grid
	if !slices.Equal(g.Z, []float64{4, 5, 6, 1, 2, 3}) || g.CenterX(0) != 0 || g.CenterY(1) != 1 || !s.Picture || !s.Equal {
		t.Errorf("%+v", s)
	}
	p, err := Picture(2, 3, []float64{1, 2, 3, 4, 5, 6}).Title("t").XLabel("x").layout()
	if err != nil || p.bar != nil || len(p.panels[0].xmaj) != 0 || p.panels[0].xlab.Width != 0 {
		t.Errorf("a picture has axes or a colour bar (%v)", err)
	}
	for _, f := range []Figure{Picture(0, 1, nil), Picture(1, 2, []float64{1}), Picture(1, 1, []float64{math.NaN()})} {
		if f.Err() == nil {
			t.Error("bad pixels are accepted")
		}
	}
}

func TestPictures(t *testing.T) {
	got, err := Pictures(1, 2, []float64{1, 2, 3, 4, 5, 6}, 2).Spec()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := Picture(5, 7, []float64{
		1, 1, 1, 1, 1, 1, 1,
		1, 1, 2, 1, 3, 4, 1,
		1, 1, 1, 1, 1, 1, 1,
		1, 5, 6, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1,
	}).Spec()
	if g, w := got.Series[0].Grid, want.Series[0].Grid; g.Nx != w.Nx || g.Ny != w.Ny || !slices.Equal(g.Z, w.Z) {
		t.Errorf("%+v, want %+v", g, w)
	}
	for _, f := range []Figure{Pictures(0, 1, []float64{1}, 1), Pictures(1, 2, []float64{1}, 1), Pictures(1, 1, nil, 1),
		Pictures(1, 1, []float64{1}, 0), Pictures(1, 1, []float64{1}, math.MaxInt), Pictures(1, 1, []float64{math.NaN()}, 1)} {
		if f.Err() == nil {
			t.Error("bad arguments are accepted")
		}
	}
}

func TestSharedAxes(t *testing.T) {
	a, b := New().Line("", []float64{0, 1}, []float64{0, 1}), New().Line("", []float64{5, 9}, []float64{-3, 2})
	s, err := Specs(Small(2, a, b))
	if err != nil {
		t.Fatal(err)
	}
	if s[0].X.Min != s[1].X.Min || s[0].X.Max != s[1].X.Max || s[0].Y.Min != s[1].Y.Min || s[0].X.Max != 9 {
		t.Errorf("axes %+v and %+v", s[0].X, s[1].X)
	}
	s, _ = Specs(Small(2, a, b).Free(true, true))
	if s[0].X.Max != 1 || s[1].X.Min != 5 {
		t.Errorf("free axes %+v and %+v", s[0].X, s[1].X)
	}
	p, err := Small(2, a, b).XYAligned()
	if err != nil || p[0].data.Y0 != p[1].data.Y0 || math.Abs(p[0].data.W()-p[1].data.W()) > 1e-9 {
		t.Errorf("data rectangles %v, %v: %v", p[0].data, p[1].data, err)
	}
}

// XYAligned returns the panels, for the test of their places.
func (m Multiples) XYAligned() ([]*panel, error) {
	pg, err := m.layout()
	if err != nil {
		return nil, err
	}
	return pg.panels, nil
}

// Everything that is drawn as text lies on the page.
func TestNothingIsClipped(t *testing.T) {
	for name, d := range gallery() {
		pg, err := d.layout()
		if err != nil {
			t.Fatal(err)
		}
		if b := pg.draw().TextBounds(); b.X0 < 0.3 || b.Y0 < 0.3 || b.X1 > pg.w-0.3 || b.Y1 > pg.h-0.3 {
			t.Errorf("%s: text covers %.1f to %.1f, %.1f to %.1f on a page of %.1f x %.1f", name, b.X0, b.X1, b.Y0, b.Y1, pg.w, pg.h)
		}
	}
}

// Control of the above: a label over the edge is seen.
func TestTextBoundsSeeTheEdge(t *testing.T) {
	c := canvas.New(50, 50)
	c.Text(mathtext.Layout("label", 8).Glyphs(-3, 10, 0), Print().Ink)
	if b := c.TextBounds(); b.X0 >= 0 || b.X1 < 5 {
		t.Errorf("bounds %+v", b)
	}
}

// The legend covers no data unless it was told to.
func TestLegendIsClear(t *testing.T) {
	for name, d := range gallery() {
		f, ok := d.(Figure)
		if !ok {
			continue
		}
		pg, err := f.layout()
		if err != nil {
			t.Fatal(err)
		}
		p := pg.panels[0]
		if p.legend == nil {
			continue
		}
		r := p.data
		r.X0, r.X1, r.Y1, r.Y0 = p.legend.x, p.legend.x+p.legend.w, p.legend.y, p.legend.y-p.legend.h
		if n := p.occupied().count(r); n > 0 {
			t.Errorf("%s: the legend covers %d cells of data", name, n)
		}
	}
	// Control: a legend forced into a corner with data does cover some.
	f := New().Legend(TopRight).Func("up", func(x float64) float64 { return x }, 0, 1)
	pg, err := f.layout()
	if err != nil {
		t.Fatal(err)
	}
	p := pg.panels[0]
	r := p.data
	r.X0, r.X1, r.Y1, r.Y0 = p.legend.x, p.legend.x+p.legend.w, p.legend.y, p.legend.y-p.legend.h
	if p.occupied().count(r) == 0 {
		t.Error("the count sees no data under a legend that covers them")
	}
}

// The labels of an inset stay off those of the figure around it.
func TestInsetsStayInside(t *testing.T) {
	in := New().Line("", []float64{-1000, 1000}, []float64{-3e-3, 0.004}).XLabel("$x$").YLabel("$y$").Title("inset")
	place := func(x, y, w, h float64) (*panel, error) {
		pg, err := New().Line("", []float64{0, 1}, []float64{0, 1}).Inset(in, x, y, w, h).layout()
		if err != nil {
			return nil, err
		}
		return pg.panels[0], nil
	}
	for _, c := range [][4]float64{{0, 0, 0.4, 0.4}, {0.6, 0, 0.4, 0.4}, {0.6, 0.6, 0.4, 0.4}, {0, 0.6, 0.4, 0.4}, {0, 0, 1, 1}, {0.02, 0.3, 0.3, 0.3}, {0.3, 0.3, 0.4, 0.4}} {
		p, err := place(c[0], c[1], c[2], c[3])
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		if box := p.insets[0].outer(); !p.data.Contains(box) {
			t.Errorf("%v: the inset with its labels is %v, the data rectangle %v", c, box, p.data)
		}
	}
	// One that fits stays where it was put.
	p, err := place(0.3, 0.3, 0.4, 0.4)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.insets[0].data.X0, p.data.X0+0.3*p.data.W(); got != want {
		t.Errorf("an inset with room moved to %v, want %v", got, want)
	}
	// A hopeless one is refused.
	if _, err := New().Size(30, 22).Line("", []float64{0, 1}, []float64{0, 1}).Inset(in, 0, 0, 0.6, 0.6).layout(); err == nil {
		t.Error("an inset without room was drawn")
	}
}

func TestResolution(t *testing.T) {
	peak := func(x float64) float64 { return math.Exp(-1e8 * (x - 0.5004) * (x - 0.5004)) } // a tenth of a default step wide
	points := func(f Figure) (n int, top float64) {
		s, err := f.Spec()
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range s.Series[0].Y {
			top = max(top, y)
		}
		return len(s.Series[0].X), top
	}
	if n, top := points(New().Func("", peak, 0, 1)); n != 513 || top > 0.5 {
		t.Errorf("%d points, the top is %g", n, top)
	}
	if n, top := points(New().Func("", peak, 0, 1, Resolution(20001))); n != 20001 || top < 0.9 {
		t.Errorf("%d points, the top is %g", n, top)
	}
	// Axes set later keep it, and so does a density.
	if n, _ := points(New().Func("", peak, 0.1, 1, Resolution(40)).XLog()); n != 40 {
		t.Errorf("%d points on a logarithmic axis, want 40", n)
	}
	if n, _ := points(New().XRange(-2, 2).Against("", gauss{}, Resolution(60))); n != 60 {
		t.Errorf("%d points of a density, want 60", n)
	}
	for _, n := range []int{-1, 0, 1, 1 << 30} {
		if err := New().Func("f", peak, 0, 1, Resolution(n)).Err(); err == nil || !strings.Contains(err.Error(), `Resolution of "f" = `) {
			t.Errorf("Resolution(%d): %v", n, err)
		}
	}
}

// Panels of the same series share one legend; panels of different series have
// their own, which names what is there and nothing else.
func TestLegendsOfMultiples(t *testing.T) {
	x := []float64{0, 1, 2}
	of := func(names ...string) Figure {
		f := New()
		for _, n := range names {
			f = f.Line(n, x, x)
		}
		return f
	}
	for _, c := range []struct {
		m      Multiples
		common int      // entries of the common legend
		own    []string // of the panels
	}{
		{Small(2, of("a", "b"), of("a", "b")), 2, []string{"", ""}},
		{Small(2, of("a", "b"), of("a")), 2, []string{"", ""}},
		{Small(2, of("a"), of("a")), 0, []string{"", ""}},
		{Small(2, of("a", "b"), of("c", "")), 0, []string{"a b", "c"}},
		{Small(2, of("a", "b"), of("b", "c")).Free(true, true), 0, []string{"a b", "b c"}},
		{Small(3, of("a"), of("b"), of("")), 0, []string{"a", "b", ""}},
		{Small(2, of("a"), of("b").Legend(None)), 0, []string{"a", ""}},
		{Small(2, of("a"), Landscape(wells{}, -1, 1, -1, 1).Points("b", x[:1], x[:1])), 2, []string{"", ""}},
		{Small(2, of("a"), of("b")).Legend(Right), 2, []string{"", ""}},
		{Small(2, of("a"), of("b")).Legend(None), 0, []string{"", ""}},
		{Small(2, of("a", "b"), of("a", "b")).Legend(Each), 0, []string{"a b", "a b"}},
		{Small(1, of("a", "b")).Legend(TopLeft), 0, []string{"a b"}},
	} {
		pg, err := c.m.layout()
		if err != nil {
			t.Fatal(err)
		}
		common := 0
		if pg.legend != nil {
			common = len(pg.legend.entries)
		}
		if common != c.common {
			t.Errorf("%v: a common legend of %d, want %d", c.own, common, c.common)
		}
		for i, p := range pg.panels {
			var names []string
			if l := p.legend; l != nil {
				for _, e := range l.entries {
					names = append(names, e.name)
				}
				if r := (canvas.Rect{X0: l.x, Y0: l.y - l.h, X1: l.x + l.w, Y1: l.y}); !p.data.Contains(r) {
					t.Errorf("%v: the legend %v of panel %d lies outside of %v", c.own, r, i, p.data)
				}
			}
			if got := strings.Join(names, " "); got != c.own[i] {
				t.Errorf("%v: panel %d has a legend of %q", c.own, i, got)
			}
		}
	}
	// Of a figure alone, Each is Auto.
	if pg, err := of("a").Legend(Each).layout(); err != nil || pg.panels[0].legend == nil {
		t.Errorf("no legend: %v", err)
	}
}
