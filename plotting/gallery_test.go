package plotting

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// gallery returns every kind of figure and the hard cases of layout.
func gallery() map[string]Drawable {
	g := map[string]Drawable{}
	xs := normals(5000, 1)
	for i := range xs {
		if i%2 == 0 {
			xs[i] = -1.2 + 0.45*xs[i]
		} else {
			xs[i] = 1 + 0.6*xs[i]
		}
	}
	bump := func(x, m, s float64) float64 {
		return 0.5 * math.Exp(-(x-m)*(x-m)/(2*s*s)) / (s * math.Sqrt(2*math.Pi))
	}
	rho := func(x float64) float64 { return bump(x, -1.2, 0.45) + bump(x, 1, 0.6) }
	g["density"] = New().Hist("samples, $n = 5000$", xs).Func(`model $\rho_\theta(x)$`, rho, -3.2, 3.2).
		Note("barrier", -0.3, rho(-0.3)).XLabel("$x$").YLabel(`$\rho_\theta(x)$`)

	e := wells{}
	cloud := make([]float64, 0, 4000)
	z := normals(4000, 2)
	for i := 0; i+1 < len(z); i += 2 {
		m := 1.0
		if i%4 == 0 {
			m = -1
		}
		cloud = append(cloud, m+0.18*z[i], 0.45*m+0.45*z[i+1])
	}
	g["landscape"] = Landscape(e, -2, 2, -2, 2).Cloud("", cloud).ZLabel(`$\beta U(x_1, x_2)$`)
	g["landscape-bare"] = Landscape(e, -2, 2, -2, 2)

	var panels []Figure
	for b := 1.0; b <= 4; b++ {
		f := New().Title(`$\beta = ` + number(b, 0) + `$`).XLabel("$x$").YLabel(`$\langle x_1\rangle$`)
		for k := 1.0; k <= 3; k++ {
			f = f.Func("$k = "+number(k, 0)+"$", func(x float64) float64 { return math.Sin(k*x) / math.Sqrt(b) }, -math.Pi, math.Pi)
		}
		panels = append(panels, f)
	}
	g["multiples"] = Small(4, panels...)
	g["multiples-2"] = Small(2, panels[:3]...).Size(Single, 0).Legend(Above).Title("Three of them in one column")

	wave := func(k float64) func(float64) float64 { return func(x float64) float64 { return math.Sin(k * x) } }
	g["multiples-each"] = Small(2, New().Title("spectral gap").Func("Kramers", func(x float64) float64 { return math.Exp(-x) }, 0, 8).
		Points("grid", []float64{1, 3, 5, 7}, []float64{0.4, 0.05, 0.01, 0.001}).XLabel("barrier $a$").YLabel(`$\lambda$`),
		New().Title("solution").Func("solution", wave(1), 0, 6).Func(`$e^{-2\lambda t}$`, wave(2), 0, 6).XLabel("$t$").YLabel("$x_t$")).Free(true, true).Size(Double, 60)
	g["multiples-each-maps"] = Small(2, Landscape(e, -2, 2, -2, 2).Cloud("data", cloud).Title("colours"),
		New().Cloud("walkers", cloud).Cloud("late walkers", shifted(cloud, 0.4)).EqualAspect().XRange(-2, 2).YRange(-2, 2).XLabel("$x_1$").YLabel("$x_2$").Title("points").Legend(BottomRight)).Legend(Each)

	n, kl, se := []float64{}, []float64{}, []float64{}
	lo, hi, fit := []float64{}, []float64{}, []float64{}
	noise := normals(9, 3)
	for i := range 9 {
		v := math.Pow(10, 1+float64(i)/2)
		n = append(n, v)
		y := 1.1 / math.Sqrt(v)
		fit, lo, hi = append(fit, y), append(lo, y*0.7), append(hi, y*1.4)
		kl, se = append(kl, y*math.Exp(0.1*noise[i])), append(se, 0.1*y)
	}
	inset := New().Func("", rho, -3, 3, Color(Print().Palette[2]))
	g["loglog"] = New().XLog().YLog().ErrorBars(`measured, $\pm 2\sigma$`, n, kl, se).
		Band("$N^{-1/2}$", n, lo, hi).Line("$N^{-1/2}$", n, fit, Dashed).
		XLabel("number of samples $N$").YLabel(`$\mathrm{KL}(p \,\|\, q_\theta)$`).Inset(inset, 0.14, 0.12, 0.28, 0.24)

	g["inset-corner"] = New().Func("decay", func(x float64) float64 { return 1000 * math.Exp(-x) }, 0, 5).XLabel("$t$").YLabel("$C(t)$").
		Inset(inset.XLabel("$x$").YLabel("$\\rho$"), 0, 0, 0.4, 0.36).Inset(inset.Title("above"), 0.6, 0.62, 0.4, 0.38)
	g["inset-large"] = New().Line("", []float64{0, 1}, []float64{0, 1}).Inset(inset.XLabel("$x$").YLabel("density"), 0, 0, 1, 1)

	g["bars"] = New().Bars("AIS", []string{"EBM", "VAE", "GAN", "flow"}, []float64{1.2, 0.8, 1.9, 1.1}, []float64{0.1, 0.08, 0.2, 0.05}).
		Bars("exact", []string{"EBM", "VAE", "GAN", "flow"}, []float64{1.1, 0.9, 1.7, 1.15}, nil).YLabel(`$\log Z$`)
	g["score"] = New().Heat(GridOf(func(x, y float64) float64 { return math.Exp(-e.Energy([]float64{x, y})) }, -2, 2, -2, 2, 200, 200)).
		Arrows(`$-\nabla U$`, VectorsOf(func(x, y float64) (float64, float64) {
			var d [2]float64
			e.EnergyGrad(d[:], []float64{x, y})
			return -d[0], -d[1]
		}, -2, 2, -2, 2, 16, 16)).EqualAspect().XLabel("$x_1$").YLabel("$x_2$").ZLabel(`$e^{-U}$`)
	spins := GridOf(func(x, y float64) float64 { return math.Copysign(1, math.Sin(7*x)+math.Cos(5*y+x)) }, 0, 32, 0, 32, 32, 32)
	g["spins"] = New().Heat(spins, Pixels).EqualAspect().Title("Ising, $32^2$ spins")
	letter := []float64{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1}
	g["picture"] = Picture(5, 6, letter).Title("A").Size(Single/2, 0)
	var letters []Figure
	for i := range 10 {
		noisy := clone(letter)
		for k := range i {
			noisy[(7*k+3*i)%30] = 0.5
		}
		letters = append(letters, Picture(5, 6, noisy).Title(number(float64(i), 0)+" grey"))
	}
	g["pictures"] = Small(5, letters...).Title("Pictures have no axes")
	g["diverging"] = New().Heat(GridOf(func(x, y float64) float64 { return math.Sin(3*x) * math.Cos(2*y) }, -2, 2, -1, 1, 220, 120), Diverging).
		Contour(GridOf(func(x, y float64) float64 { return math.Sin(3*x) * math.Cos(2*y) }, -2, 2, -1, 1, 220, 120)).
		XLabel("$x$").YLabel("$y$").ZLabel(`correlation $C_{ij}$`).Size(Double, 70)
	g["contour-only"] = New().Contour(GridOf(func(x, y float64) float64 { return x*x + 3*y*y + x*y }, -3, 3, -2, 2, 150, 150)).XLabel("$x$").YLabel("$y$")
	g["cloud"] = New().Cloud("data", cloud).Cloud("model", shifted(cloud, 0.4)).EqualAspect().XLabel("$x_1$").YLabel("$x_2$")

	var eight = New()
	for k := range 8 {
		ph := float64(k)
		eight = eight.Func("series "+number(ph+1, 0), func(x float64) float64 { return math.Sin(x+ph/3) * (1 + ph/8) }, 0, 12)
	}
	g["eight"] = eight.XLabel("time $t$").YLabel("$f_k(t)$")
	g["eight-wide"] = eight.XLabel("time $t$").YLabel("$f_k(t)$").Size(Double, 0).Legend(Right)
	g["tiny"] = New().Func("", func(x float64) float64 { return 1e-6 * x * x }, -1e-6, 1e-6).XLabel("$x$").YLabel("$y$")
	g["tiny2"] = New().Func("drift", func(x float64) float64 { return 1e-6 * math.Sin(6*x) }, 0, 1).XLabel("$t$").YLabel("energy error").Title("Shadow energy")
	g["offset"] = New().Func("", func(x float64) float64 { return 1000.0015 + 0.0005*math.Sin(x) }, 0, 6).XLabel("$t$").YLabel("$H$")
	g["offset-x"] = New().Line("", []float64{1000.001, 1000.0013, 1000.002}, []float64{1, 3, 2}).XLabel("a long label of the axis").YLabel("$H$")
	g["huge"] = New().Func("", func(x float64) float64 { return -3e12 * x }, 0, 2e9).XLabel("$x$").YLabel("$y$")
	g["one-point"] = New().Points("the point", []float64{3}, []float64{2})
	g["constant"] = New().Line("constant", []float64{0, 1, 2}, []float64{5, 5, 5}).XLabel("$t$")
	g["negative"] = New().Func(`$-e^{-x}$`, func(x float64) float64 { return -math.Exp(-x) }, -3, 0).XLabel("$x$")
	g["log-narrow"] = New().YLog().Func("decay", func(x float64) float64 { return 3 * math.Exp(-x) }, 0, 1).XLabel("$t$").YLabel("$C(t)$")
	g["log-wide"] = New().XLog().YLog().Func("power", func(x float64) float64 { return math.Pow(x, -3) }, 1e-6, 1e7).XLabel("$k$").YLabel("$S(k)$")
	g["long-labels"] = New().Func("a legend entry which is far too long for the corner of a figure", math.Sin, 0, 6).
		Func("another", math.Cos, 0, 6).
		XLabel(`time since the quench $t / \tau_{\mathrm{eq}}$, in units of sweeps of the whole lattice`).
		YLabel(`$\frac{1}{N}\sum_{i=1}^{N} \langle \sigma_i(0)\,\sigma_i(t)\rangle$`).
		Title(`Autocorrelation at $\beta J = 0.44$`)
	g["maths"] = New().Func(`$\hat\rho_\theta(x) = \frac{1}{Z_\theta} e^{-\beta U_\theta(x)}$`, rho, -3, 3).
		Func(`$\sqrt{x^2 + \sigma_{t}^{2}}/10$`, func(x float64) float64 { return math.Sqrt(x*x+0.3) / 10 }, -3, 3).
		Func(`$\|\nabla\log \tilde p\|^2 \le \mathcal{L}(\mathbf{w})$, $x\in\mathbb{R}^d$`, func(x float64) float64 { return 0.15 + x/40 }, -3, 3).
		XLabel(`$\bar x_{i_1}^{(k+1)} \to x^\prime - h\,\partial_x U$`).YLabel(`$D_{\mathrm{KL}}(p\,\|\,q) \approx \int p\log\frac{p}{q}$`).
		VLine("$h < 2\\sigma^2$", 0.4).HLine("", 0.2)
	long := make([]float64, 20000)
	tt := make([]float64, 20000)
	w := normals(20000, 5)
	for i := range long {
		tt[i] = float64(i)
		if i > 0 {
			long[i] = 0.99*long[i-1] + 0.14*w[i]
		}
	}
	g["trace"] = New().Line("", tt, long, LineWidth(0.5)).XLabel("step").YLabel("$x_t$").Size(Double, 45)
	g["step"] = New().Line("staircase", []float64{0, 1, 2, 3, 4}, []float64{1, 3, 2, 5, 4}, Step).Points("data", []float64{0, 1, 2, 3, 4}, []float64{1, 3, 2, 5, 4})
	g["two-hist"] = New().Hist("before", xs[:2000]).Hist("after", normals(2000, 8)).XLabel("$x$").YLabel("density")
	var maps []Figure
	for _, b := range []float64{0.5, 1, 2} {
		maps = append(maps, New().Title(`$\beta = `+number(b, 1)+`$`).
			Heat(GridOf(func(x, y float64) float64 { return b * e.Energy([]float64{x, y}) }, -2, 2, -2, 2, 160, 160)).
			ZRange(0, 12).EqualAspect().XLabel("$x_1$").YLabel("$x_2$").ZLabel(`$\beta U$`))
	}
	g["maps"] = Small(3, maps...)
	g["forbidden"] = Landscape(half{}, -1.5, 1.5, -1, 1)
	g["field"] = New().Arrows("", VectorsOf(func(x, y float64) (float64, float64) { return -y, x }, -1, 1, -1, 1, 13, 13)).EqualAspect().XLabel("$x$").YLabel("$v$")
	g["notes"] = New().Func("", rho, -3.2, 3.2).Note("left mode", -1.2, rho(-1.2)).Note("right mode", 1, rho(1)).Note("barrier", -0.2, rho(-0.2)).
		Note("tail", 2.7, rho(2.7)).XLabel("$x$")
	g["bars-negative"] = New().Bars("", []string{"a", "b", "$\\gamma$", "a long name"}, []float64{-1, 2, -0.5, 0.3}, []float64{0.2, 0.2, 0.1, 0.1}).YLabel("bias")
	g["bars-many"] = New().Bars("", []string{"Gaussian", "Neal's funnel", "double well", "banana", "ring of modes", "Mueller-Brown"}, []float64{1, 2, 3, 4, 5, 6}, nil).YLabel("ESS")
	g["markers"] = New().Points("one", []float64{1, 2, 3}, []float64{1, 2, 3}).Points("two", []float64{1, 2, 3}, []float64{2, 3, 4}).
		Points("three", []float64{1, 2, 3}, []float64{3, 4, 5}).Points("four", []float64{1, 2, 3}, []float64{4, 5, 6}).
		Points("ring", []float64{1, 2, 3}, []float64{5, 6, 7}, Shape(Ring)).Points("cross", []float64{1, 2, 3}, []float64{6, 7, 8}, Shape(Cross))
	g["double"] = New().Size(Double, 60).Hist("samples, $n = 5000$", xs).Func(`model $\rho_\theta(x)$`, rho, -3.2, 3.2).XLabel("$x$").YLabel(`$\rho_\theta(x)$`)
	g["lines-3"] = New().Func("target", math.Sin, 0, 6).Func("eq. (90)", math.Cos, 0, 6).Points("measured", []float64{1, 2, 3}, []float64{0.8, 0.9, 0.1}).XLabel("$t$")
	return g
}

// half is an energy with a wall.
type half struct{ w wells }

func (half) Dim() int { return 2 }

func (h half) Energy(x []float64) float64 {
	if x[0]+0.5*x[1] > 0.6 {
		return math.Inf(1)
	}
	return h.w.Energy(x)
}

func shifted(v []float64, d float64) []float64 {
	out := clone(v)
	for i := range out {
		out[i] += d
	}
	return out
}

// wells is a double well in the plane, for tests.
type wells struct{}

func (wells) Dim() int { return 2 }
func (wells) Energy(x []float64) float64 {
	a := x[0]*x[0] - 1
	b := x[1] - 0.45*x[0]
	return 3*a*a + 2*b*b + 0.3*x[0]
}
func (w wells) EnergyGrad(g, x []float64) float64 {
	a := x[0]*x[0] - 1
	b := x[1] - 0.45*x[0]
	g[0] = 12*a*x[0] - 1.8*b + 0.3
	g[1] = 4 * b
	return w.Energy(x)
}

// TestGallery draws everything in every format. With EBMKIT_GALLERY set to a
// folder it leaves the files there, to be looked at.
func TestGallery(t *testing.T) {
	dir := os.Getenv("EBMKIT_GALLERY")
	for name, d := range gallery() {
		for _, f := range []struct {
			format Format
			ext    string
		}{{SVG, ".svg"}, {PNG, ".png"}, {PDF, ".pdf"}} {
			var b bytes.Buffer
			if testing.Short() && (f.format != SVG || HasRaster(d)) {
				continue
			}
			dpi := 72
			if dir != "" {
				dpi = 150
			}
			if err := Render(&b, d, f.format, dpi); err != nil {
				t.Errorf("%s%s: %v", name, f.ext, err)
				continue
			}
			if dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+f.ext), b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
