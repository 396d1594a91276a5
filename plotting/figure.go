package plotting

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Figure is one pair of axes with its data, encoding and labels. Its methods
// return a changed copy. The zero Figure is an empty figure.
type Figure struct {
	s   Spec
	err error
}

// New returns an empty figure of one journal column in the theme Print.
func New() Figure { return Figure{} }

// Err returns the first thing that was wrong with the arguments of the figure's
// methods, an *ebmkit.ArgError, or nil.
func (f Figure) Err() error { return f.err }

func (f Figure) fail(err error) Figure {
	if f.err == nil {
		f.err = err
	}
	return f
}

// add appends a series without touching the memory of other figures.
func (f Figure) add(s Series, opts []Option) Figure {
	for _, o := range opts {
		o(&s.Style)
	}
	n := len(f.s.Series)
	f.s.Series = append(f.s.Series[:n:n], s)
	return f
}

// column is one named slice of a series on its way into the figure.
type column struct {
	name string
	v    []float64
}

// checkColumns returns an error if the columns differ in length, are empty or
// hold NaN or Inf.
func checkColumns(fn, series string, cols ...column) error {
	for _, c := range cols {
		if len(c.v) == 0 {
			return &ebmkit.ArgError{Func: fn, Arg: argName(c.name, series), Value: "empty", Want: "at least one value"}
		}
		if len(c.v) != len(cols[0].v) {
			return &ebmkit.ArgError{Func: fn, Arg: "len(" + argName(c.name, series) + ")", Value: len(c.v),
				Want: fmt.Sprintf("len(%s) = %d", cols[0].name, len(cols[0].v))}
		}
		if err := checkFinite(fn, series, c); err != nil {
			return err
		}
	}
	return nil
}

func checkFinite(fn, series string, c column) error {
	for i, v := range c.v {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &ebmkit.ArgError{Func: fn, Arg: argName(fmt.Sprintf("%s[%d]", c.name, i), series), Value: v, Want: "a finite number"}
		}
	}
	return nil
}

func argName(arg, series string) string {
	if series == "" {
		return arg
	}
	return fmt.Sprintf("%s of %q", arg, series)
}

func clone(v []float64) []float64 { return append([]float64(nil), v...) }

// Line draws straight lines through the points (x[i], y[i]), in their order.
func (f Figure) Line(name string, x, y []float64, opts ...Option) Figure {
	if err := checkColumns("plotting.Figure.Line", name, column{"x", x}, column{"y", y}); err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindLine, Name: name, X: clone(x), Y: clone(y)}, opts)
}

// funcPoints is the number of points at which a function is drawn: about a point
// of the page apart in the widest figure.
const funcPoints = 513

// maxFuncPoints keeps a slip of the pen from taking all memory.
const maxFuncPoints = 1 << 20

// Func draws the function fn on [a, b], evaluated at 513 points that are equally
// spaced on the axis, also on a logarithmic one. The option Resolution says how
// many otherwise: more for a narrow peak, fewer for a small file.
func (f Figure) Func(name string, fn func(x float64) float64, a, b float64, opts ...Option) Figure {
	const who = "plotting.Figure.Func"
	if err := checkColumns(who, name, column{"a", []float64{a}}, column{"b", []float64{b}}); err != nil {
		return f.fail(err)
	}
	if !(a < b) {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: argName("a, b", name), Value: fmt.Sprintf("%g, %g", a, b), Want: "a < b"})
	}
	st := Style{resolution: funcPoints}
	for _, o := range opts {
		o(&st)
	}
	if n := st.resolution; n < 2 || n > maxFuncPoints {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: argName("Resolution", name), Value: n, Want: fmt.Sprintf("2 to %d", maxFuncPoints)})
	}
	s := Series{Kind: KindLine, Name: name, fn: fn, a: a, b: b, Style: st}
	if err := s.sample(f.s.X.Log); err != nil {
		return f.fail(err)
	}
	return f.add(s, nil)
}

// sample evaluates the function of a series made by Func.
func (s *Series) sample(log bool) error {
	n := s.Style.resolution
	s.X, s.Y = make([]float64, n), make([]float64, n)
	for i := range s.X {
		t := float64(i) / float64(n-1)
		x := s.a + t*(s.b-s.a)
		if log && s.a > 0 {
			x = s.a * vmath.Exp(t*vmath.Log(s.b/s.a))
		}
		if i == n-1 {
			x = s.b
		}
		s.X[i], s.Y[i] = x, s.fn(x)
		if math.IsNaN(s.Y[i]) || math.IsInf(s.Y[i], 0) {
			return &ebmkit.ArgError{Func: "plotting.Figure.Func", Arg: argName(fmt.Sprintf("fn(%g)", x), s.Name), Value: s.Y[i], Want: "a finite number"}
		}
	}
	return nil
}

// Hist draws the histogram of samples, normalised to a density:
//
//	y_k = sum of the weights in bin k / (sum of all weights * width of bin k)
//
// The options Bins, Within and Weights apply.
func (f Figure) Hist(name string, samples []float64, opts ...Option) Figure {
	const who = "plotting.Figure.Hist"
	if err := checkColumns(who, name, column{"samples", samples}); err != nil {
		return f.fail(err)
	}
	var st Style
	for _, o := range opts {
		o(&st)
	}
	edges, y, err := histogram(who, name, samples, st)
	if err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindHist, Name: name, X: edges, Y: y, N: len(samples)}, opts)
}

// Band fills the region between lo and hi over x.
func (f Figure) Band(name string, x, lo, hi []float64, opts ...Option) Figure {
	if err := checkColumns("plotting.Figure.Band", name, column{"x", x}, column{"lo", lo}, column{"hi", hi}); err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindBand, Name: name, X: clone(x), Lo: clone(lo), Hi: clone(hi)}, opts)
}

// interval returns y -+ k se.
func interval(who, name string, y, se []float64, k float64) (lo, hi []float64, err error) {
	lo, hi = make([]float64, len(y)), make([]float64, len(y))
	for i := range y {
		if se[i] < 0 {
			return nil, nil, &ebmkit.ArgError{Func: who, Arg: argName(fmt.Sprintf("se[%d]", i), name), Value: se[i], Want: "at least 0"}
		}
		lo[i], hi[i] = y[i]-k*se[i], y[i]+k*se[i]
	}
	return lo, hi, nil
}

// errorMultiple returns the k of StandardErrors, 2 if the option is absent.
func errorMultiple(opts []Option) float64 {
	st := Style{K: 2}
	for _, o := range opts {
		o(&st)
	}
	return st.K
}

// ErrorBars draws points with bars of y -+ k se, k = 2 unless the option
// StandardErrors says otherwise.
func (f Figure) ErrorBars(name string, x, y, se []float64, opts ...Option) Figure {
	const who = "plotting.Figure.ErrorBars"
	if err := checkColumns(who, name, column{"x", x}, column{"y", y}, column{"se", se}); err != nil {
		return f.fail(err)
	}
	k := errorMultiple(opts)
	lo, hi, err := interval(who, name, y, se, k)
	if err != nil {
		return f.fail(err)
	}
	s := Series{Kind: KindErrorBars, Name: name, X: clone(x), Y: clone(y), Lo: lo, Hi: hi}
	s.Style.K = k
	return f.add(s, opts)
}

// Estimates is ErrorBars of estimates with their standard errors.
func (f Figure) Estimates(name string, x []float64, e []ebmkit.Estimate, opts ...Option) Figure {
	y, se := make([]float64, len(e)), make([]float64, len(e))
	for i, v := range e {
		y[i], se[i] = v.Value, v.SE
	}
	return f.ErrorBars(name, x, y, se, opts...)
}

// Bars draws one bar per label from zero to y, with error bars y -+ k se unless
// se is nil. Several calls with the same labels stand side by side.
func (f Figure) Bars(name string, labels []string, y, se []float64, opts ...Option) Figure {
	const who = "plotting.Figure.Bars"
	if err := checkColumns(who, name, column{"y", y}); err != nil {
		return f.fail(err)
	}
	if len(labels) != len(y) {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "len(" + argName("labels", name) + ")", Value: len(labels), Want: fmt.Sprintf("len(y) = %d", len(y))})
	}
	s := Series{Kind: KindBars, Name: name, Labels: append([]string(nil), labels...), Y: clone(y)}
	if se != nil {
		if err := checkColumns(who, name, column{"y", y}, column{"se", se}); err != nil {
			return f.fail(err)
		}
		s.Style.K = errorMultiple(opts)
		var err error
		if s.Lo, s.Hi, err = interval(who, name, y, se, s.Style.K); err != nil {
			return f.fail(err)
		}
	}
	if names := f.s.X.Names; names != nil && !equalStrings(names, labels) {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: argName("labels", name), Value: labels, Want: fmt.Sprintf("the labels of the bars before, %v", names)})
	}
	f.s.X.Names = s.Labels
	return f.add(s, opts)
}

func equalStrings(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Points draws a marker at every (x[i], y[i]).
func (f Figure) Points(name string, x, y []float64, opts ...Option) Figure {
	if err := checkColumns("plotting.Figure.Points", name, column{"x", x}, column{"y", y}); err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindPoints, Name: name, X: clone(x), Y: clone(y)}, opts)
}

// Cloud draws many small points, given as row-major pairs x0, y0, x1, y1, ...
// (Ensemble.X of dimension two). In vector files it is an image of 600 dpi.
func (f Figure) Cloud(name string, xs []float64, opts ...Option) Figure {
	const who = "plotting.Figure.Cloud"
	if len(xs)%2 != 0 {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "len(" + argName("xs", name) + ")", Value: len(xs), Want: "an even number: pairs x, y"})
	}
	if err := checkColumns(who, name, column{"xs", xs}); err != nil {
		return f.fail(err)
	}
	x, y := make([]float64, len(xs)/2), make([]float64, len(xs)/2)
	for i := range x {
		x[i], y[i] = xs[2*i], xs[2*i+1]
	}
	return f.add(Series{Kind: KindCloud, Name: name, X: x, Y: y}, opts)
}

// Heat draws the grid as a colour map with a colour bar, labelled by ZLabel.
// The options Pixels and Diverging apply.
func (f Figure) Heat(g Grid, opts ...Option) Figure {
	if err := g.check("plotting.Figure.Heat"); err != nil {
		return f.fail(err)
	}
	g.Z = clone(g.Z)
	return f.add(Series{Kind: KindHeat, Grid: g}, opts)
}

// Contour draws labelled lines of equal value. Without levels it takes five
// to eleven round ones.
func (f Figure) Contour(g Grid, levels ...float64) Figure {
	const who = "plotting.Figure.Contour"
	if err := g.check(who); err != nil {
		return f.fail(err)
	}
	if g.Nx < 2 || g.Ny < 2 {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "Grid.Nx x Grid.Ny", Value: fmt.Sprintf("%d x %d", g.Nx, g.Ny), Want: "at least 2 x 2"})
	}
	if err := checkFinite(who, "", column{"levels", levels}); err != nil {
		return f.fail(err)
	}
	if len(levels) == 0 {
		levels = contourLevels(g.Z)
	}
	g.Z = clone(g.Z)
	return f.add(Series{Kind: KindContour, Grid: g, Levels: clone(levels)}, nil)
}

// Arrows draws a vector field, one arrow centred in each cell. Lengths grow as the
// square root of the lengths of the vectors, because forces differ by orders of
// magnitude; the 95th percentile spans its cell, and longer ones are cut to that.
func (f Figure) Arrows(name string, v Vectors, opts ...Option) Figure {
	const who = "plotting.Figure.Arrows"
	g := v.grid()
	if err := g.checkShape(who); err != nil {
		return f.fail(err)
	}
	if len(v.U) != v.Nx*v.Ny {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "len(" + argName("U", name) + ")", Value: len(v.U), Want: fmt.Sprintf("Nx*Ny = %d", v.Nx*v.Ny)})
	}
	if err := checkColumns(who, name, column{"U", v.U}, column{"V", v.V}); err != nil {
		return f.fail(err)
	}
	x, y := make([]float64, len(v.U)), make([]float64, len(v.U))
	for k := range x {
		x[k], y[k] = g.CenterX(k%v.Nx), g.CenterY(k/v.Nx)
	}
	return f.add(Series{Kind: KindArrows, Name: name, X: x, Y: y, U: clone(v.U), V: clone(v.V), Grid: g}, opts)
}

// VLine draws a vertical line at x.
func (f Figure) VLine(name string, x float64, opts ...Option) Figure {
	if err := checkColumns("plotting.Figure.VLine", name, column{"x", []float64{x}}); err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindVLine, Name: name, X: []float64{x}}, opts)
}

// HLine draws a horizontal line at y.
func (f Figure) HLine(name string, y float64, opts ...Option) Figure {
	if err := checkColumns("plotting.Figure.HLine", name, column{"y", []float64{y}}); err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindHLine, Name: name, Y: []float64{y}}, opts)
}

// Note writes text near the point (x, y), with an arrow to it.
func (f Figure) Note(text string, x, y float64, opts ...Option) Figure {
	if err := checkColumns("plotting.Figure.Note", text, column{"x", []float64{x}}, column{"y", []float64{y}}); err != nil {
		return f.fail(err)
	}
	return f.add(Series{Kind: KindNote, Name: text, X: []float64{x}, Y: []float64{y}}, opts)
}

// Against draws the density of an energy of one dimension over the range of the
// series before it:
//
//	rho(x) = exp(-U(x) - LogZ)
//
// LogZ is that of the energy if it knows it, or else found by quadrature over
// the whole line.
func (f Figure) Against(name string, e ebmkit.Energy, opts ...Option) Figure {
	const who = "plotting.Figure.Against"
	if e == nil || e.Dim() != 1 {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: argName("e", name), Value: ebmkit.TypeName(e), Want: "an energy of one dimension"})
	}
	if f.err != nil {
		return f
	}
	a, b := f.s.X.Min, f.s.X.Max
	if !f.s.X.Fixed {
		x, _ := extents(&f.s)
		a, b = x.lo, x.hi
	}
	if !(a < b) {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "range of x", Value: "unknown", Want: "a series before, or XRange"})
	}
	var logZ float64
	if n, ok := e.(ebmkit.Normalized); ok {
		logZ = n.LogZ()
	} else {
		z, err := quad.LogZ(e, quad.All())
		if err != nil {
			return f.fail(err)
		}
		logZ = z.Value
	}
	var x [1]float64
	return f.Func(name, func(t float64) float64 {
		x[0] = t
		return vmath.Exp(-e.Energy(x[:]) - logZ)
	}, a, b, opts...)
}

// Title sets the title over the data rectangle.
func (f Figure) Title(s string) Figure { f.s.Title = s; return f }

// XLabel labels the horizontal axis.
func (f Figure) XLabel(s string) Figure { f.s.X.Label = s; return f }

// YLabel labels the vertical axis.
func (f Figure) YLabel(s string) Figure { f.s.Y.Label = s; return f }

// ZLabel labels the colour bar.
func (f Figure) ZLabel(s string) Figure { f.s.Z.Label = s; return f }

// XLog makes the horizontal axis logarithmic.
func (f Figure) XLog() Figure {
	f.s.X.Log = true
	series := append([]Series(nil), f.s.Series...)
	for i := range series {
		if series[i].fn != nil {
			if err := series[i].sample(true); err != nil {
				return f.fail(err)
			}
		}
	}
	f.s.Series = series
	return f
}

// YLog makes the vertical axis logarithmic. Bands and error bars that reach zero
// or below end at the axis; other data must be positive.
func (f Figure) YLog() Figure { f.s.Y.Log = true; return f }

// XRange sets the ends of the horizontal axis.
func (f Figure) XRange(lo, hi float64) Figure {
	if err := f.s.X.limit("plotting.Figure.XRange", lo, hi); err != nil {
		return f.fail(err)
	}
	return f
}

// YRange sets the ends of the vertical axis.
func (f Figure) YRange(lo, hi float64) Figure {
	if err := f.s.Y.limit("plotting.Figure.YRange", lo, hi); err != nil {
		return f.fail(err)
	}
	return f
}

// ZRange sets the ends of the colour bar. Values outside take the colours of the
// ends, which the bar shows by a pointed end.
func (f Figure) ZRange(lo, hi float64) Figure {
	if err := f.s.Z.limit("plotting.Figure.ZRange", lo, hi); err != nil {
		return f.fail(err)
	}
	return f
}

func (a *Axis) limit(who string, lo, hi float64) error {
	if !(lo < hi) || math.IsInf(hi-lo, 0) {
		return &ebmkit.ArgError{Func: who, Arg: "lo, hi", Value: fmt.Sprintf("%g, %g", lo, hi), Want: "finite, lo < hi"}
	}
	a.Min, a.Max, a.Fixed = lo, hi, true
	return nil
}

// EqualAspect makes one unit of x as long as one unit of y.
func (f Figure) EqualAspect() Figure { f.s.Equal = true; return f }

// Legend places the legend.
func (f Figure) Legend(p Position) Figure { f.s.Legend = p; return f }

// Size sets the size on the page, in millimetres. Height 0 leaves the height to
// the layout.
func (f Figure) Size(w Width, height float64) Figure {
	if err := checkSize("plotting.Figure.Size", w, height); err != nil {
		return f.fail(err)
	}
	f.s.Width, f.s.Height = float64(w), height
	return f
}

func checkSize(who string, w Width, height float64) error {
	if !(w >= 20 && w <= 2000) {
		return &ebmkit.ArgError{Func: who, Arg: "w", Value: float64(w), Want: "20 to 2000 millimetres"}
	}
	if !(height == 0 || height >= 15 && height <= 2000) {
		return &ebmkit.ArgError{Func: who, Arg: "height", Value: height, Want: "15 to 2000 millimetres, or 0 for automatic"}
	}
	return nil
}

// Caption sets the text that stands under the figure. It is not drawn: a notebook
// shows it, exported files carry it as metadata.
func (f Figure) Caption(s string) Figure { f.s.Caption = s; return f }

// Theme sets the look.
func (f Figure) Theme(t Theme) Figure {
	if t.TextSize <= 0 || len(t.Palette) == 0 || len(t.Map) != 768 || len(t.Diverging) != 768 {
		return f.fail(&ebmkit.ArgError{Func: "plotting.Figure.Theme", Arg: "t", Value: "incomplete", Want: "a changed copy of Print()"})
	}
	f.s.Theme = t
	return f
}

// Inset puts g into the data rectangle. x, y, w, h are fractions of the
// rectangle, (x, y) is the lower left corner of the inset's data rectangle. If its
// labels would reach over the axes it moves inwards, and shrinks if need be.
func (f Figure) Inset(g Figure, x, y, w, h float64) Figure {
	if g.err != nil {
		return f.fail(g.err)
	}
	if !(x >= 0 && y >= 0 && w > 0 && h > 0 && x+w <= 1 && y+h <= 1) {
		return f.fail(&ebmkit.ArgError{Func: "plotting.Figure.Inset", Arg: "x, y, w, h", Value: fmt.Sprintf("%g, %g, %g, %g", x, y, w, h),
			Want: "a rectangle inside [0, 1] x [0, 1]"})
	}
	n := len(f.s.Insets)
	f.s.Insets = append(f.s.Insets[:n:n], Inset{g, x, y, w, h})
	return f
}

// Provenance adds a line to the metadata of exported files: a parameter, a seed.
func (f Figure) Provenance(key, value string) Figure {
	n := len(f.s.Provenance)
	f.s.Provenance = append(f.s.Provenance[:n:n], Pair{key, value})
	return f
}

// Density is the histogram of coordinate axis (from 0) of an ensemble, weighted
// by LogW where there are weights. Compare it with Against, Func or Line.
func Density(e *ebmkit.Ensemble, axis int, opts ...Option) Figure {
	const who = "plotting.Density"
	f := New()
	if e == nil || e.N < 1 {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "e", Value: e, Want: "an ensemble with at least one point"})
	}
	if axis < 0 || axis >= e.Dim {
		return f.fail(&ebmkit.ArgError{Func: who, Arg: "axis", Value: axis, Want: fmt.Sprintf("0 to %d", e.Dim-1)})
	}
	if e.LogW != nil {
		top := math.Inf(-1)
		for _, l := range e.LogW {
			top = max(top, l)
		}
		w := make([]float64, e.N)
		for i := range w {
			w[i] = vmath.Exp(e.LogW[i] - top)
		}
		opts = append([]Option{Weights(w)}, opts...)
	}
	x := "$x$"
	if e.Dim > 1 {
		x = fmt.Sprintf("$x_{%d}$", axis+1)
	}
	return f.Hist(fmt.Sprintf("samples, $n = %d$", e.N), e.Col(axis), opts...).XLabel(x).YLabel("density")
}

// landscapeCells is the grid of Landscape, fine enough for smooth contours at 178 mm.
const landscapeCells = 240

// Landscape is the map of an energy of two dimensions: colours, labelled contours
// and a colour bar. The colours end near the third quartile of U over the
// rectangle, because the interesting region of an energy is its valleys; contours
// are dense near the minimum. Add samples with Cloud.
func Landscape(e ebmkit.Energy, x0, x1, y0, y1 float64) Figure {
	g := GridOfEnergy(e, x0, x1, y0, y1, landscapeCells, landscapeCells)
	f := New().Heat(g)
	if f.err != nil {
		return f
	}
	lo, hi, levels := landscapeLevels(g.Z)
	return f.ZRange(lo, hi).Contour(g, levels...).EqualAspect().
		XLabel("$x_1$").YLabel("$x_2$").ZLabel("$U(x_1, x_2)$")
}
