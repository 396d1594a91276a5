package canvas

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"regexp"
	"strconv"
	"testing"

	"gonum.org/v1/plot/vg"
)

var (
	black = color.NRGBA{A: 255}
	white = color.NRGBA{255, 255, 255, 255}
	red   = color.NRGBA{255, 0, 0, 255}
)

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", -1: "-1", 0.5: ".5", -0.25: "-.25", 12.3456: "12.346", 100: "100", 0.0004: "0",
		-0.0004: "0", 1.05: "1.05", 1.005: "1.005", 1e300: "1000000000000", math.NaN(): "0", 0.001: ".001"} {
		if got := string(appendNum(nil, v)); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// Areas of filled shapes, measured in the picture, are those of geometry.
func TestAreas(t *testing.T) {
	for name, c := range map[string]struct {
		draw func(c *Canvas)
		want float64 // square points
	}{
		"rectangle":  {func(c *Canvas) { c.FillRect(Rect{10.3, 10.7, 40.1, 30.2}, black) }, 29.8 * 19.5},
		"circle":     {func(c *Canvas) { var p Path; p.Circle(50, 50, 20.5); c.FillPath(p, black) }, math.Pi * 20.5 * 20.5},
		"half alpha": {func(c *Canvas) { c.FillRect(Rect{10, 10, 30, 30}, color.NRGBA{0, 0, 0, 128}) }, 400 * 128.0 / 255},
		"stroke":     {func(c *Canvas) { var p Path; p.MoveTo(10, 10); p.LineTo(90, 70); c.StrokePath(p, 3, nil, black) }, 300},
		"dashes": {func(c *Canvas) {
			var p Path
			p.MoveTo(10, 10)
			p.LineTo(90, 70)
			c.StrokePath(p, 3, []float64{5, 5}, black)
		}, 150},
		"long line": {func(c *Canvas) { // drawn in parts: 40 legs of 80, 1 apart, each of 100 points
			var p Path
			p.MoveTo(10, 10)
			for i := range 40 {
				for k := 1; k <= 100; k++ {
					x := 0.8 * float64(k)
					if i%2 == 1 {
						x = 80 - x
					}
					p.LineTo(10+x, 10+2*float64(i))
				}
				if i < 39 {
					p.LineTo(p.pts[len(p.pts)-1].X, 12+2*float64(i))
				}
			}
			c.StrokePath(p, 1, nil, black)
		}, 40*80 + 39*2 - 78*(1.0/4-math.Pi/16)}, // corners overlap inside and are round outside
		"closed stroke": {func(c *Canvas) { var p Path; p.Circle(50, 50, 20); c.StrokePath(p, 2, nil, black) }, 2 * math.Pi * 20 * 2},
		"clip":          {func(c *Canvas) { c.PushClip(Rect{20, 20, 40, 40}); c.FillRect(Rect{0, 0, 99, 99}, black); c.PopClip() }, 400},
		"image": {func(c *Canvas) {
			m := image.NewNRGBA(image.Rect(0, 0, 2, 1))
			m.SetNRGBA(0, 0, black)
			m.SetNRGBA(1, 0, white)
			c.Image(m, Rect{10, 10, 50, 30}, false)
		}, 400},
		"dots":       {func(c *Canvas) { c.Dots([]Point{{30, 30}, {60.3, 60.8}}, 10, black) }, 2 * math.Pi * 25},
		"small dots": {func(c *Canvas) { c.Dots([]Point{{30, 30}, {60.3, 60.8}, {12.2, 70}}, 0.9, black) }, 3 * math.Pi * 0.45 * 0.45},
	} {
		p := New(100, 100)
		c.draw(p)
		img := p.Raster(288, white)
		got := 0.0
		for i := 0; i < len(img.Pix); i += 4 {
			got += 1 - float64(img.Pix[i])/255
		}
		got /= 16
		tol := 0.006 * c.want
		if name == "small dots" { // a few pixels each
			tol = 0.1 * c.want
		}
		if math.Abs(got-c.want) > tol {
			t.Errorf("%s: area %.2f, want %.2f", name, got, c.want)
		}
	}
}

// The cross-reference table of a PDF file points at its objects.
func TestPDFStructure(t *testing.T) {
	c := New(100, 50)
	c.FillRect(Rect{10, 10, 20, 20}, color.NRGBA{255, 0, 0, 100})
	c.Dots([]Point{{30, 30}}, 3, red)
	img := image.NewNRGBA(image.Rect(0, 0, 3, 3))
	c.Image(img, Rect{1, 1, 9, 9}, true)
	for _, with := range []bool{false, true} {
		b, err := c.PDF(Meta{Title: "a ρ", Caption: "c", Pairs: [][2]string{{"k", "v"}}}, with)
		if err != nil {
			t.Fatal(err)
		}
		start := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(b)
		if start == nil {
			t.Fatal("no startxref")
		}
		at, _ := strconv.Atoi(string(start[1]))
		lines := bytes.Split(b[at:], []byte("\n"))
		if string(lines[0]) != "xref" {
			t.Fatalf("startxref points at %q", lines[0])
		}
		var n int
		fmt.Sscanf(string(lines[1]), "0 %d", &n)
		for i := 1; i < n; i++ {
			off, _ := strconv.Atoi(string(lines[2+i][:10]))
			if want := fmt.Sprintf("%d 0 obj\n", i); !bytes.HasPrefix(b[off:], []byte(want)) {
				t.Errorf("object %d: offset points at %q", i, b[off:off+12])
			}
		}
		if bytes.Contains(b, []byte("/CreationDate")) {
			t.Error("a date")
		}
		if with != bytes.Contains(b, []byte("/Metadata 5 0 R")) {
			t.Error("metadata")
		}
	}
}

func TestShiftDash(t *testing.T) {
	// Lengths of dash (+) and gap (-) along a line, from the pattern that starts
	// offset into the other one, must agree wherever one looks.
	on := func(d []float64, at float64) bool {
		total := 0.0
		for _, l := range d {
			total += l
		}
		at = math.Mod(at, total)
		for i, l := range d {
			if at < l {
				return i%2 == 0
			}
			at -= l
		}
		return false
	}
	for _, d := range [][]float64{{3, 1}, {4, 2, 1, 2}, {2, 3, 2, 3}} {
		for _, off := range []float64{0, 0.5, 3.5, 4.25, -1.5, 17.75} {
			s := shiftDash(d, off)
			total := 0.0
			for _, l := range d {
				total += l
			}
			for x := 0.03; x < 20; x += 0.1 {
				if on(s, x) != on(d, x+off+10*total) {
					t.Fatalf("%v shifted by %v: %v is wrong at %v", d, off, s, x)
				}
			}
		}
	}
}

// Through vg.Canvas the same drawing comes out as by the canvas's own methods.
func TestVGCanvas(t *testing.T) {
	a, b := New(60, 60), New(60, 60)
	a.FillRect(Rect{10, 10, 30, 20}, red)
	var p Path
	p.Circle(40, 40, 8)
	a.StrokePath(p, 2, nil, black)
	vg.Initialize(b)
	b.SetColor(red)
	b.Push()
	b.Translate(vg.Point{X: 10, Y: 10})
	b.Scale(2, 1)
	var q vg.Path
	q.Move(vg.Point{})
	q.Line(vg.Point{X: 10})
	q.Line(vg.Point{X: 10, Y: 10})
	q.Line(vg.Point{Y: 10})
	q.Close()
	b.Fill(q)
	b.Pop()
	b.SetColor(nil)
	b.SetLineWidth(2)
	var r vg.Path
	r.Move(vg.Point{X: 48, Y: 40})
	r.Arc(vg.Point{X: 40, Y: 40}, 8, 0, 2*math.Pi)
	r.Close()
	b.Stroke(r)
	x, y := a.Raster(144, white), b.Raster(144, white)
	worst := 0
	for i := range x.Pix {
		worst = max(worst, int(math.Abs(float64(x.Pix[i])-float64(y.Pix[i]))))
	}
	if worst > 40 {
		t.Errorf("pictures differ by up to %d of 255", worst)
	}
}

// Drawing far off the page is harmless.
func TestFarOff(t *testing.T) {
	c := New(50, 50)
	var p Path
	p.MoveTo(-1e9, -1e9)
	p.LineTo(1e9, 1e9)
	c.StrokePath(p, 1, []float64{4, 2}, black)
	c.FillRect(Rect{-1e12, 10, 1e12, 20}, red)
	c.Dots([]Point{{1e15, 3}}, 2, red)
	if _, err := c.PNG(72, white, Meta{}, false); err != nil {
		t.Error(err)
	}
	if _, err := c.SVG(Meta{}, false); err != nil {
		t.Error(err)
	}
}
