package gonumplot

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/ebmkit/hitchhiker/plotting"
)

func points() plotter.XYs {
	var xys plotter.XYs
	for x := 0.1; x <= 6; x += 0.1 {
		xys = append(xys, plotter.XY{X: x, Y: 2 + math.Sin(x)})
	}
	return xys
}

func picture(t *testing.T, f plotting.Figure) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := plotting.Render(&b, f, plotting.PNG, 96); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func differing(a, b image.Image) int {
	n := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, _, _, _ := a.At(x, y).RGBA()
			s, _, _, _ := b.At(x, y).RGBA()
			if r>>8 > s>>8+60 || s>>8 > r>>8+60 {
				n++
			}
		}
	}
	return n
}

// gonum's line lies where the figure's own line lies, on linear and logarithmic axes.
func TestWrap(t *testing.T) {
	xys := points()
	l, err := plotter.NewLine(xys)
	if err != nil {
		t.Fatal(err)
	}
	w, err := Wrap(l)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float64, len(xys)), make([]float64, len(xys))
	for i, p := range xys {
		x[i], y[i] = p.X, p.Y
	}
	for _, set := range []func(plotting.Figure) plotting.Figure{
		func(f plotting.Figure) plotting.Figure { return f },
		func(f plotting.Figure) plotting.Figure { return f.XLog().YLog() },
	} {
		base := set(plotting.New().XRange(0.1, 6).YRange(0.5, 4))
		gonum := picture(t, base.Custom("", w))
		own := picture(t, base.Line("", x, y, plotting.Color(l.Color)))
		other := picture(t, base.Line("", x, x, plotting.Color(l.Color)))
		if n := differing(gonum, own); n > 10 {
			t.Errorf("%d pixels differ from the figure's own line", n)
		}
		if n := differing(gonum, other); n < 100 {
			t.Errorf("control: only %d pixels differ from another line", n)
		}
	}
	if _, err := Wrap(nil); err == nil {
		t.Error("nil was accepted")
	}
}

// Plotters with text, glyphs and images draw too.
func TestKinds(t *testing.T) {
	xys := points()
	sc, _ := plotter.NewScatter(xys)
	lb, _ := plotter.NewLabels(plotter.XYLabels{XYs: xys[:2], Labels: []string{"one", "two"}})
	bars, _ := plotter.NewHist(plotter.Values{1, 2, 2, 3}, 3)
	for _, p := range []Plotter{sc, lb, bars} {
		w, err := Wrap(p)
		if err != nil {
			t.Fatal(err)
		}
		with := plotting.New().Custom("gonum's", w)
		var b bytes.Buffer
		for _, f := range []plotting.Format{plotting.SVG, plotting.PDF, plotting.PNG} {
			if err := plotting.Render(&b, with, f, 72); err != nil {
				t.Errorf("%T: %v", p, err)
			}
		}
	}
	var _ plot.Plotter = sc
}

func Example() {
	line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 2}})
	if err != nil {
		panic(err)
	}
	p, err := Wrap(line)
	if err != nil {
		panic(err)
	}
	fig := plotting.New().Custom("gonum's line", p).XLabel("$t$")
	fmt.Print(plotting.Text(fig))
	// Output:
	// figure
	//   t from -0.04 to 1.04, y from 0 to 2.12
	//   custom gonum's line
}
