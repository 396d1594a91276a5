package plotting

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
)

var blue, orange = Print().Palette[0], Print().Palette[1]

// autoencoder has every shape, a loop and an inset.
func autoencoder() Diagram {
	pix := []float64{0, 1, 0, 1, 0, 1, 0, 1, 0}
	curve := New().Func("", func(x float64) float64 { return 1 - x*x }, -1, 1).XLabel("$z$")
	return NewDiagram(Double, 46).
		Pixels("x", "digit $x$", 3, 3, pix, 12, 28, 14).
		Funnel("enc", "encoder\n$q_\\phi(z|x)$", 45, 28, 28, 26, 12, Color(blue)).
		Oval("z", "$z$", 82, 28, 11, 11, Color(orange)).
		Funnel("dec", "decoder $\\rho_\\theta(x|z)$", 118, 28, 28, 12, 26, Color(blue)).
		Box("y", "$\\hat x$", 150, 28, 12, 12).
		Plain("eps", "$\\epsilon \\sim N(0, I)$", 82, 42, 30, 5).
		Arrow("x", "enc", "", nil).
		Arrow("enc", "z", "$\\mu, \\sigma$", nil).
		Arrow("eps", "z", "", nil, Dashed).
		Arrow("z", "dec", "", nil).
		Arrow("dec", "y", "", nil).
		Arrow("y", "enc", "compare: $|x - \\hat x|^2$", []float64{150, 6, 45, 6}).
		Inset(curve, 169, 28, 12, 10)
}

func TestDiagramFormats(t *testing.T) {
	dir := os.Getenv("EBMKIT_GALLERY")
	d := autoencoder().Title("An autoencoder").Caption("Its parts.").Provenance("k", "v")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	for ext, f := range map[string]Format{".svg": SVG, ".png": PNG, ".pdf": PDF} {
		var a, b bytes.Buffer
		for _, w := range []*bytes.Buffer{&a, &b} {
			if err := Render(w, d, f, 150); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: other bytes the second time", ext)
		}
		if dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "diagram"+ext), a.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if HasRaster(d) {
		t.Error("a diagram without heat maps should be drawn in curves")
	}
	text := Text(d)
	for _, want := range []string{"An autoencoder", "  digit x → encoder q_ϕ(z|x); ", "z → decoder", "(compare: |x - x̂|²)", "inset 1"} {
		if !strings.Contains(strings.ReplaceAll(text, "->", "→"), want) {
			t.Errorf("the text does not contain %q:\n%s", want, text)
		}
	}
	if CaptionOf(d) != "Its parts." {
		t.Error("the caption is lost")
	}
	if err := Export(d, filepath.Join(t.TempDir(), "d")); err != nil {
		t.Error(err)
	}
}

// A changed copy leaves the one it came from as it was.
func TestDiagramIsAValue(t *testing.T) {
	base := NewDiagram(Single, 20).Box("a", "", 10, 10, 8, 8).Box("b", "", 40, 10, 8, 8)
	one := base.Arrow("a", "b", "one", nil)
	two := base.Arrow("b", "a", "two", nil)
	if !strings.Contains(Text(one), "one") || !strings.Contains(Text(two), "two") || strings.Contains(Text(base), "->") {
		t.Errorf("copies share memory:\n%s%s%s", Text(base), Text(one), Text(two))
	}
}

// Arrows end on the border: of rectangles, funnels and ovals.
func TestDiagramBorder(t *testing.T) {
	for _, c := range []struct {
		n    node
		q, p canvas.Point
	}{
		{node{shape: box, x: 10, y: 10, w: 8, h: 4, right: 4}, canvas.Point{X: 20, Y: 10}, canvas.Point{X: 14, Y: 10}},
		{node{shape: box, x: 10, y: 10, w: 8, h: 4, right: 4}, canvas.Point{X: 10, Y: 0}, canvas.Point{X: 10, Y: 8}},
		{node{shape: box, x: 10, y: 10, w: 8, h: 8, right: 8}, canvas.Point{X: 20, Y: 20}, canvas.Point{X: 14, Y: 14}},
		{node{shape: box, x: 10, y: 10, w: 8, h: 8, right: 4}, canvas.Point{X: 10, Y: 20}, canvas.Point{X: 10, Y: 13}},
		{node{shape: oval, x: 10, y: 10, w: 8, h: 4, right: 4}, canvas.Point{X: 10, Y: 20}, canvas.Point{X: 10, Y: 12}},
		{node{shape: oval, x: 0, y: 0, w: 2, h: 2, right: 2}, canvas.Point{X: 3, Y: 4}, canvas.Point{X: 0.6, Y: 0.8}},
	} {
		if p := c.n.border(c.q); math.Abs(p.X-c.p.X) > 1e-12 || math.Abs(p.Y-c.p.Y) > 1e-12 {
			t.Errorf("border of %+v towards %v: %v, want %v", c.n, c.q, p, c.p)
		}
	}
}

func TestDiagramBadInput(t *testing.T) {
	nan := math.NaN()
	ok := NewDiagram(Single, 20).Box("a", "", 10, 10, 8, 8)
	for name, c := range map[string]struct {
		d    Diagram
		want string
	}{
		"page":       {NewDiagram(Single, nan), "height"},
		"empty":      {NewDiagram(Single, 20), "at least one node"},
		"same name":  {ok.Box("a", "", 30, 10, 8, 8), "no other node"},
		"off page":   {ok.Oval("b", "", 84, 10, 8, 8), `x, y of "b"`},
		"NaN place":  {ok.Oval("b", "", nan, 10, 8, 8), `x, y of "b"`},
		"no size":    {ok.Funnel("b", "", 30, 10, 0, 8, 8), `size of "b"`},
		"unknown":    {ok.Arrow("a", "b", "", nil), `"b"`},
		"itself":     {ok.Arrow("a", "a", "", nil), "another node"},
		"odd via":    {ok.Box("b", "", 30, 10, 8, 8).Arrow("a", "b", "", []float64{1}), "len(via)"},
		"via off":    {ok.Box("b", "", 30, 10, 8, 8).Arrow("a", "b", "", []float64{1, 400}), "via[0]"},
		"pixels":     {ok.Pixels("p", "", 2, 2, []float64{1}, 30, 10, 8), "len(pixels)"},
		"NaN pixels": {ok.Pixels("p", "", 1, 2, []float64{1, nan}, 30, 10, 8), "pixels[1]"},
		"inset":      {ok.Inset(New(), 30, 10, 80, 8), "rectangle"},
	} {
		err := c.d.Err()
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an ArgError with %q", name, err, c.want)
		}
		if err := Render(&bytes.Buffer{}, c.d, SVG, 0); err == nil {
			t.Errorf("%s: drawn without an error", name)
		}
	}
}
