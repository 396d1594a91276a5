package nbi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting"
	"github.com/ebmkit/hitchhiker/plotting/nb"
)

// spec is the chart as the extension reads it.
type spec struct {
	Width, Height int
	Option        struct {
		Title   struct{ Text string }
		Tooltip struct{ Trigger string }
		Legend  struct {
			Show bool
			Data []entry
		}
		XAxis, YAxis []struct {
			Type, Name string
			Min, Max   float64
			Data       []string
		}
		VisualMap *struct {
			SeriesIndex int
			Min, Max    float64
		}
		Series     []series
		BaseOption *struct {
			Timeline struct{ Data []string }
			XAxis    []struct{ Min, Max float64 }
		}
		Options []struct {
			Title  struct{ Text string }
			Series []series
		}
	}
}

type series struct {
	Name, Type, ID, RenderItem string
	Data                       []any
	Step                       string
}

func decode(t *testing.T, parts []nb.Part, err error) (s spec) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if parts[0].MIME != MIMEType {
		t.Fatalf("first part is %s", parts[0].MIME)
	}
	if err := json.Unmarshal([]byte(parts[0].Text), &s); err != nil {
		t.Fatalf("%v in %.300s", err, parts[0].Text)
	}
	return s
}

func (s series) row(i int) (row []float64) {
	for _, v := range s.Data[i].([]any) {
		row = append(row, v.(float64))
	}
	return row
}

var x3 = []float64{0.1, 1, 10}

// every returns a figure with every kind that goes into one chart.
func every() plotting.Figure {
	return plotting.New().Title("$\\sigma^2$").
		Line("line", x3, []float64{1, 2, 3}).
		Func("func", math.Sqrt, 0, 10).
		Hist("samples", []float64{1, 2, 2, 3, 4, 4, 4}, plotting.Bins(4)).
		Band("band", x3, []float64{0, 1, 2}, []float64{2, 3, 4}).
		ErrorBars("measured", x3, []float64{1, 2, 3}, []float64{0.1, 0.2, 0.3}).
		Points("points", x3, x3).
		Cloud("cloud", []float64{1, 2, 3, 4}).
		VLine("bound", 2).HLine("level", 1).
		Note("here", 1, 2).
		XLabel("$h$").YLabel("$\\sigma_h^2$")
}

func TestEveryKind(t *testing.T) {
	parts, err := Forms(every())
	s := decode(t, parts, err)
	var got []string
	for _, r := range s.Option.Series {
		got = append(got, r.Name+":"+r.Type+r.RenderItem)
	}
	want := "line:line func:line samples:line band:customband measured:customerrorbar points:scatter cloud:scatter bound:line level:line :scatter"
	if strings.Join(got, " ") != want {
		t.Errorf("series %v", got)
	}
	if s.Option.Title.Text != "σ²" || s.Option.YAxis[0].Name == "" || strings.ContainsAny(s.Option.YAxis[0].Name, `$\`) {
		t.Errorf("labels %q %q", s.Option.Title.Text, s.Option.YAxis[0].Name)
	}
	sp, _ := every().Spec()
	if s.Option.XAxis[0].Type != "value" || s.Option.XAxis[0].Min != digits(sp.X.Min) || s.Option.YAxis[0].Max != digits(sp.Y.Max) {
		t.Errorf("axes %+v", s.Option.XAxis)
	}
	// The numbers are those of the figure.
	for i, x := range x3 {
		if r := s.Option.Series[0].row(i); r[0] != x || r[1] != float64(i+1) {
			t.Errorf("line, point %d: %v", i, r)
		}
		if r := s.Option.Series[3].row(i); r[1] != float64(i) || r[2] != float64(i+2) {
			t.Errorf("band, point %d: %v", i, r)
		}
		if r := s.Option.Series[4].row(i); math.Abs(r[3]-r[1]-0.2*float64(i+1)) > 1e-5 { // two standard errors
			t.Errorf("error bar %d: %v", i, r)
		}
	}
	// The histogram is a staircase of area 1 that starts and ends at 0.
	h := s.Option.Series[2]
	var area float64
	for i := 1; i < len(h.Data); i++ {
		area += h.row(i - 1)[1] * (h.row(i)[0] - h.row(i - 1)[0])
	}
	if h.Step != "end" || math.Abs(area-1) > 1e-4 || h.row(0)[1] != 0 || h.row(len(h.Data) - 1)[1] != 0 {
		t.Errorf("histogram of area %g: %v", area, h.Data)
	}
	// A static picture and a text go along.
	if len(parts) != 3 || parts[1].MIME != "image/png" || parts[2].MIME != "text/plain" || parts[2].Text == "" {
		t.Errorf("%d parts", len(parts))
	}
	if s.Width != parts[1].Width {
		t.Errorf("chart %d wide, picture %d", s.Width, parts[1].Width)
	}
}

func TestHeat(t *testing.T) {
	g := plotting.GridOf(func(x, y float64) float64 {
		if x < 0 && y < 0 {
			return math.Inf(1)
		}
		return 10*x + y
	}, -1, 1, -2, 2, 4, 2)
	parts, err := Forms(plotting.New().Cloud("c", []float64{0, 0}).Heat(g).Contour(g, 1).ZLabel("$U$"))
	s := decode(t, parts, err)
	if len(s.Option.Series) != 2 || s.Option.VisualMap == nil || s.Option.VisualMap.SeriesIndex != 1 || s.Option.Tooltip.Trigger != "item" {
		t.Fatalf("%+v", s.Option)
	}
	cells := s.Option.Series[1]
	if cells.RenderItem != "cells 0.5 2" || len(cells.Data) != 6 { // two are +Inf
		t.Errorf("%q with %d cells", cells.RenderItem, len(cells.Data))
	}
	for i := range cells.Data {
		if r := cells.row(i); r[2] != 10*r[0]+r[1] {
			t.Errorf("cell %v", r)
		}
	}
	// One unit of x is as long as one of y: twice as high as wide here.
	// Pictures keep their greys, without axes and without a scale.
	parts, err = Forms(plotting.Picture(2, 2, []float64{-1, 1, 1, -1}))
	if err != nil {
		t.Fatal(err)
	}
	if s := parts[0].Text; !strings.Contains(s, "\"#f8f8f8\"") || strings.Count(s, "\"show\":false") < 4 {
		t.Errorf("a picture is drawn with axes or in colours: %s", s)
	}
	parts, err = Forms(plotting.New().Heat(g).EqualAspect())
	var box struct {
		Option struct {
			Grid struct{ Left, Right, Top, Bottom int }
		}
	}
	s = decode(t, parts, err)
	json.Unmarshal([]byte(parts[0].Text), &box)
	if b := box.Option.Grid; s.Height-b.Top-b.Bottom != 2*(s.Width-b.Left-b.Right) {
		t.Errorf("%d x %d with %+v", s.Width, s.Height, b)
	}
	// Contours alone become a heat map.
	parts, err = Forms(plotting.New().Contour(g, 1))
	if s := decode(t, parts, err); len(s.Option.Series) != 1 || s.Option.VisualMap == nil {
		t.Errorf("contours alone: %+v", s.Option.Series)
	}
}

func TestSmallEnough(t *testing.T) {
	xs := make([]float64, 2*20000)
	for i := range xs {
		xs[i] = math.Sin(float64(i)) / 3
	}
	parts, err := Forms(plotting.New().Cloud("cloud", xs))
	s := decode(t, parts, err)
	if c := s.Option.Series[0]; len(c.Data) != 4000 || c.Name != "cloud (1 of 5)" || len(parts[0].Text) > 150_000 {
		t.Errorf("%q: %d points, %d bytes", c.Name, len(c.Data), len(parts[0].Text))
	}
	g := plotting.GridOf(func(x, y float64) float64 { return x + y }, 0, 1, 0, 1, 200, 300)
	parts, err = Forms(plotting.New().Heat(g))
	if s := decode(t, parts, err); len(s.Option.Series[0].Data) > maxCells {
		t.Errorf("%d cells", len(s.Option.Series[0].Data))
	}
	// A mean over blocks of a linear function is the function at their centres.
	c := coarse(g)
	for k, z := range c.Z {
		if want := c.CenterX(k%c.Nx) + c.CenterY(k/c.Nx); math.Abs(z-want) > 1e-12 {
			t.Fatalf("cell %d: %g, want %g", k, z, want)
		}
	}
}

func TestBarsAndLog(t *testing.T) {
	parts, err := Forms(plotting.New().Bars("ESS", []string{"ULA", "$\\mu$"}, []float64{1, 2}, []float64{0.1, 0.2}))
	s := decode(t, parts, err)
	if x := s.Option.XAxis[0]; x.Type != "category" || fmt.Sprint(x.Data) != "[ULA μ]" {
		t.Errorf("axis %+v", x)
	}
	if len(s.Option.Series) != 2 || s.Option.Series[0].Type != "bar" || s.Option.Series[1].RenderItem != "whisker" {
		t.Errorf("%+v", s.Option.Series)
	}
	parts, err = Forms(plotting.New().Line("", []float64{1, 1000}, []float64{1e-6, 1}).XLog().YLog())
	s = decode(t, parts, err)
	if s.Option.XAxis[0].Type != "log" || s.Option.YAxis[0].Type != "log" || s.Option.Legend.Show {
		t.Errorf("%+v", s.Option)
	}
}

func TestTickStep(t *testing.T) {
	for _, c := range []struct {
		span  float64
		split int
		want  float64
	}{{1.3, 5, 0.3}, {1, 5, 0.2}, {6, 6, 1}, {0.001, 5, 0.0002}, {3000, 6, 500}, {48, 5, 10}} {
		if got := tickStep(c.span, c.split); math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("%+v: %g", c, got)
		}
	}
	if _, _, _, first, last := scale(plotting.Axis{Min: 0, Max: 1.3}, 5); !first || last {
		t.Error("0 has a tick, 1.3 has none")
	}
}

func moving(n int) (frames []plotting.Figure, labels []string) {
	for k := range n {
		m := float64(k)
		frames = append(frames, plotting.New().Func("density", func(x float64) float64 { return math.Exp(-(x - m) * (x - m)) }, m-2, m+2))
		labels = append(labels, fmt.Sprintf("$t_%d$", k))
	}
	return frames, labels
}

func TestTimeline(t *testing.T) {
	frames, labels := moving(8)
	parts, err := TimelineForms(frames, labels)
	s := decode(t, parts, err)
	b := s.Option.BaseOption
	if b == nil || len(s.Option.Options) != 8 || fmt.Sprint(b.Timeline.Data[:2]) != "[t₀ t₁]" {
		t.Fatalf("%+v", s.Option)
	}
	if b.XAxis[0].Min > -2 || b.XAxis[0].Max < 9 {
		t.Errorf("the axis %v is not that of all frames", b.XAxis[0])
	}
	for i, f := range s.Option.Options {
		if len(f.Series) != 1 || f.Series[0].ID != "0.0" || math.Abs(f.Series[0].row(0)[0]-float64(i-2)) > 1e-5 {
			t.Errorf("frame %d: %+.60v", i, f.Series)
		}
	}
	if parts[1].MIME != "image/png" || parts[1].Width <= s.Width {
		t.Errorf("static picture %d wide: not the sheet", parts[1].Width)
	}
}

// The static picture of a timeline grows and shrinks with the frames.
func TestTimelineSize(t *testing.T) {
	picture := func(w plotting.Width, height float64) (width, h float64) {
		frames, labels := moving(8)
		for i := range frames {
			if w > 0 {
				frames[i] = frames[i].Size(w, height)
			}
		}
		specs, err := plotting.Specs(frames[0])
		if err != nil {
			t.Fatal(err)
		}
		width, h, err = plotting.SizeOf(sheet(frames, labels, specs[0]))
		if err != nil {
			t.Fatalf("Size(%v, %v): %v", w, height, err)
		}
		return width * 25.4 / 72, h * 25.4 / 72
	}
	for _, c := range []struct {
		w           plotting.Width
		height      float64
		width, tall float64 // of the picture, in mm; tall 0 is not asked
	}{
		{0, 0, 178, 0},
		{plotting.Single, 0, 178, 0},
		{65, 0, 134.5, 0},
		{plotting.Double, 0, 178, 0},
		{plotting.Single, 70, 178, 2 * 70 * 178.0 / 3 / 86},
		{40, 40, 82.8, 2 * 40 * 178.0 / 2 / 86},
		{25, 15, 51.7, 2 * 32},
		{20, 0, 41.4, 0},
	} {
		w, h := picture(c.w, c.height)
		if math.Abs(w-c.width) > 0.1 || c.tall > 0 && math.Abs(h-c.tall) > 0.1 {
			t.Errorf("frames of %v x %v mm: a picture of %.1f x %.1f mm, want %.1f x %.1f", float64(c.w), c.height, w, h, c.width, c.tall)
		}
	}
}

func argError(t *testing.T, err error, want string) {
	t.Helper()
	var ae *ebmkit.ArgError
	if !errors.As(err, &ae) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not say %q", err, want)
	}
}

func TestRefuses(t *testing.T) {
	_, err := Forms(plotting.New().Line("bad", []float64{0, 1}, []float64{1, math.NaN()}))
	argError(t, err, "bad")
	_, err = Forms(plotting.New().Line("bad", []float64{0, 1}, []float64{1, math.Inf(1)}))
	argError(t, err, "bad")
	_, err = Forms(plotting.New())
	if err == nil {
		t.Error("an empty figure was drawn")
	}
	frames, labels := moving(3)
	_, err = TimelineForms(nil, nil)
	argError(t, err, "frames")
	_, err = TimelineForms(frames, labels[:2])
	argError(t, err, "len(labels) = 2")
	_, err = TimelineForms([]plotting.Figure{frames[0], frames[1].HLine("extra", 0)}, labels[:2])
	argError(t, err, "frames[1] = 2 series")
	_, err = TimelineForms([]plotting.Figure{frames[0], plotting.New().Line("other", x3, x3)}, labels[:2])
	argError(t, err, `"other"`)
	_, err = TimelineForms([]plotting.Figure{frames[0], plotting.New().Line("density", x3, []float64{1, 2, math.NaN()})}, labels[:2])
	argError(t, err, "density")
}

func TestSameBytes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	frames, labels := moving(3)
	var first []nb.Part
	for i, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		a, err := Forms(every())
		if err != nil {
			t.Fatal(err)
		}
		b, err := TimelineForms(frames, labels)
		if err != nil {
			t.Fatal(err)
		}
		parts := append(a, b...)
		if i == 0 {
			first = parts
		}
		for j, p := range parts {
			if p.Text != first[j].Text || !bytes.Equal(p.Bytes, first[j].Bytes) {
				t.Errorf("GOMAXPROCS %d: part %d (%s) differs", procs, j, p.MIME)
			}
		}
	}
}

// TestNoFunctions looks for what a front end must never run.
func TestNoFunctions(t *testing.T) {
	parts, err := Forms(every().Title("<img src=x onerror=alert(1)> __f__alert(1)__f__"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(parts[0].Text, "function") || strings.Contains(parts[0].Text, "<img") {
		t.Errorf("%.400s", parts[0].Text)
	}
}

func Example() {
	f := plotting.New().Line("energy", []float64{-1, 0, 1}, []float64{0.5, 0, 0.5})
	parts, err := Forms(f)
	fmt.Println(len(parts), parts[0].MIME, err)
	// Output: 3 application/vnd.ebmkit.echarts.v1+json <nil>
}

func BenchmarkForms(b *testing.B) {
	f := every()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Forms(f); err != nil {
			b.Fatal(err)
		}
	}
}
