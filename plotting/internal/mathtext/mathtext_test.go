package mathtext

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"codeberg.org/go-fonts/stix/stix2textregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                          "plain",
		`$x$`:                            "x",
		`model $\rho_\theta(x)$`:         "model ρ_θ(x)",
		`$x^2$`:                          "x²",
		`$x_{ij}^{n+1}$`:                 "xᵢⱼⁿ⁺¹",
		`$N^{-1/2}$`:                     "N^(−1/2)",
		`$\frac{a}{b+c}$`:                "a/(b + c)",
		`$\sqrt{x}$`:                     "√x",
		`$\sqrt[3]{x+y}$`:                "³√(x + y)",
		`$\hat\rho$`:                     "ρ\u0302",
		`$\mathbb{R}^d$`:                 "ℝ^d",
		`$\mathcal{L}$`:                  "ℒ",
		`$-\nabla U$`:                    "−∇U",
		`$a - b$`:                        "a − b",
		`$x\in[0,1]$`:                    "x ∈ [0, 1]",
		`$\log Z$`:                       "log Z",
		`$\left(\frac12\right)$`:         "(1/2)",
		`$\|x\| \le 1$`:                  "‖x‖ ≤ 1",
		`$\unknown{x}$`:                  `\unknownx`,
		`$x'$`:                           "x′",
		`costs \$5`:                      "costs $5",
		"costs $5":                       "costs $5",
		`$\mathrm{KL}(p\,\|\,q)$`:        "KL(p ‖ q)",
		`$\langle x_1\rangle$`:           "⟨x₁⟩",
		`$\text{rate of } x$`:            "rate of x",
		`$h < 2\sigma^2$`:                "h < 2σ²",
		`$10^{-3}$`:                      "10⁻³",
		`$\int_0^\infty e^{-x}\,dx$`:     "∫₀^∞ e^−x dx",
		`$\to \infty$`:                   "→ ∞",
		`$\propto \approx \sim \ne \ge$`: "∝≈∼≠≥",
		`$\pm 2\sigma$`:                  "±2σ",
		`$}x{$`:                          "}x",
		`$^2$`:                           "²",
		`$a^{b^{c}}$`:                    "a^(b^c)",
	} {
		if got := Plain(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// The width of text is the sum of advances and kerning of the font.
func TestWidth(t *testing.T) {
	f, err := sfnt.Parse(stix2textregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	for _, s := range []string{"samples", "AVATAR", "x", "number of samples"} {
		want := 0.0
		prev := sfnt.GlyphIndex(0)
		for i, r := range s {
			g, _ := f.GlyphIndex(&buf, r)
			a, _ := f.GlyphAdvance(&buf, g, fixed.I(1000), font.HintingNone)
			want += float64(a) / 64
			if i > 0 {
				if k, err := f.Kern(&buf, prev, g, fixed.I(1000), font.HintingNone); err == nil {
					want += math.Round(float64(k) / 64)
				}
			}
			prev = g
		}
		if got := Layout(s, 8.5).Width; math.Abs(got-want*8.5/1000) > 1e-9 {
			t.Errorf("%s: %v points, want %v", s, got, want*8.5/1000)
		}
	}
	// Kerning is there at all.
	if a, b := Layout("AV", 1000).Width, Layout("A", 1000).Width+Layout("V", 1000).Width; a >= b {
		t.Errorf("AV is %v wide, A and V are %v", a, b)
	}
}

func TestLayout(t *testing.T) {
	at := func(s string) Label { return Layout(s, 10) }
	// Size scales everything.
	if a, b := at(`$\frac{x^2}{y}$`), Layout(`$\frac{x^2}{y}$`, 20); math.Abs(2*a.Width-b.Width) > 1e-9 || math.Abs(2*a.Asc-b.Asc) > 1e-9 {
		t.Error("a label of twice the size is not twice as large")
	}
	// Superscripts rise, subscripts sink, scripts are smaller.
	x, up, down := at("$x$"), at("$x^x$"), at("$x_x$")
	if up.Asc <= x.Asc || down.Desc <= x.Desc || up.Width >= 2*x.Width || down.Width >= 2*x.Width {
		t.Errorf("x %+v, x^x %+v, x_x %+v", x, up, down)
	}
	// Sub- and superscripts do not touch.
	both := at("$x_{y}^{y}$")
	sup, sub := both.glyphs[1].M.F, both.glyphs[2].M.F
	if sup-sub < 5 {
		t.Errorf("baselines of the scripts at %v and %v", sup, sub)
	}
	// Relations have space, signs have none.
	if eq, sign := at("$a=b$"), at("$-b$"); eq.Width <= at("$a$").Width+at("$=$").Width+at("$b$").Width+2 ||
		math.Abs(sign.Width-at("$-$").Width-at("$b$").Width) > 0.5 {
		t.Error("space around relations or signs")
	}
	// A fraction is as wide as its wider part and stands on the axis.
	fr := at(`$\frac{aaaa}{b}$`)
	if fr.Width < 4*0.8*at("$a$").Width || fr.Asc < 7.5 || fr.Desc < 3 {
		t.Errorf("fraction %+v", fr)
	}
	// Fences grow.
	if at(`$\left(\frac{a}{b}\right)$`).Asc <= at(`$($`).Asc {
		t.Error("\\left( does not grow")
	}
	// Unknown commands and unbalanced braces are printed.
	if n := len(at(`$\foo$`).glyphs); n != 4 {
		t.Errorf("\\foo has %d glyphs, want 4", n)
	}
	// All commands have a glyph.
	for name, s := range commands {
		if g, _ := find(styled(s.r, italic), mathFace, textFace); g.gid == 0 {
			t.Errorf("\\%s: no glyph for %c", name, s.r)
		}
	}
	for name, m := range accents {
		if g, _ := find(m, mathFace, textFace); g.gid == 0 || g.outline.Path.Empty() {
			t.Errorf("\\%s: no glyph", name)
		}
	}
	for _, r := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		for a := italic; a <= script; a++ {
			if g, _ := find(styled(r, a), mathFace, textFace); g.gid == 0 {
				t.Errorf("no glyph for %c in alphabet %d", r, a)
			}
		}
	}
}

func TestWrap(t *testing.T) {
	s := "a rather long label with $x + y$ in the middle of it"
	for _, w := range []float64{30, 60, 100, 1000} {
		l := Wrap(s, 8, w, true)
		if l.Width > w {
			t.Errorf("%v wide, want at most %v", l.Width, w)
		}
		if w < 1000 && l.Desc < 8 {
			t.Errorf("no second line at width %v", w)
		}
	}
	if Wrap(s, 8, 1000, true).Width != Layout(s, 8).Width {
		t.Error("a label that fits was changed")
	}
}

func FuzzLayout(f *testing.F) {
	for _, s := range []string{`$\frac{1}{2}$`, `$x_{a^{b_c}}$`, `$\sqrt[3]{\left( x \right)}$`, `$\hat{\mathbb{R}}$ and $5`, `$\left\langle`,
		`\`, `$\$`, `$^_^_{}}{$`, `$\frac\frac\frac$`, strings.Repeat(`$\sqrt{`, 50), strings.Repeat("{", 99), `$\text{a}{b}\left.\right|$`, "\x00\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := Layout(s, 8.5)
		for _, v := range []float64{l.Width, l.Asc, l.Desc} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%q: %+v", s, l)
			}
		}
		for _, g := range l.Glyphs(1, 2, 0.3) {
			if g.Outline == nil || math.IsNaN(g.M.E+g.M.F+g.M.A+g.M.D) {
				t.Fatalf("%q: glyph %+v", s, g)
			}
		}
		if utf8.ValidString(s) && !utf8.ValidString(Plain(s)) {
			t.Fatalf("%q: plain text %q", s, Plain(s))
		}
		Wrap(s, 8.5, 20, true)
	})
}
