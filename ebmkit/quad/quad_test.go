package quad_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// within checks an integral against the truth: the error must be below the
// estimate plus rounding, and the estimate itself must be small.
func within(t *testing.T, name string, r quad.Result, want float64) {
	t.Helper()
	diff := math.Abs(r.Value - want)
	round := 1e-13 * (1 + math.Abs(want))
	t.Logf("%-28s %.15g  error %.1e  estimate %.1e  evals %d", name, r.Value, diff, r.Err, r.Evals)
	if !(diff <= r.Err+round) || !(r.Err <= 1e-8*(1+math.Abs(want))) {
		t.Errorf("%s: %v, want %.15g", name, r, want)
	}
}

func TestIntegrate(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name   string
		f      func(float64) float64
		lo, hi float64
		breaks []float64
		want   float64
	}{
		{"x^13 on [0,1]", func(x float64) float64 { return math.Pow(x, 13) }, 0, 1, nil, 1. / 14},
		{"x^22 on [-1,1]", func(x float64) float64 { return math.Pow(x, 22) }, -1, 1, nil, 2. / 23},
		{"exp(-x^2)", func(x float64) float64 { return math.Exp(-x * x) }, -inf, inf, nil, math.Sqrt(math.Pi)},
		{"exp(-x) on [0,inf)", func(x float64) float64 { return math.Exp(-x) }, 0, inf, nil, 1},
		{"exp(x) on (-inf,0]", math.Exp, -inf, 0, nil, 1},
		{"Cauchy", func(x float64) float64 { return 1 / (1 + x*x) }, -inf, inf, nil, math.Pi},
		{"sqrt", math.Sqrt, 0, 1, nil, 2. / 3},
		{"|x - 1/3|", func(x float64) float64 { return math.Abs(x - 1./3) }, 0, 1, []float64{1. / 3}, 5. / 18},
		{"odd", func(x float64) float64 { return x * math.Exp(-x*x) }, -inf, inf, nil, 0},
		{"narrow, hinted", func(x float64) float64 { return math.Exp(-(x - 3) * (x - 3) * 5e7) }, -10, 10, []float64{3}, math.Sqrt(math.Pi / 5e7)},
	} {
		r, err := quad.Integrate(c.f, c.lo, c.hi, c.breaks...)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		within(t, c.name, r, c.want)
	}
	r, err := quad.Adaptive{}.Integrate2D(func(x, y float64) float64 { return math.Exp(-x*x - 3*y*y + x*y) }, quad.All())
	if err != nil {
		t.Error(err)
	}
	within(t, "2-D Gaussian", r, math.Pi/math.Sqrt(3-0.25))
	r, err = quad.Adaptive{}.Integrate2D(func(x, y float64) float64 { return math.Cos(x * y) }, quad.Box([]float64{0, 0}, []float64{1, 1}))
	if err != nil {
		t.Error(err)
	}
	within(t, "cos(xy) on the unit square", r, 0.946083070367183) // Si(1)
}

func TestNotConverged(t *testing.T) {
	for name, f := range map[string]func(float64) float64{
		"constant": func(float64) float64 { return 1 },
		"1/|x|":    func(x float64) float64 { return 1 / (1 + math.Abs(x)) },
	} {
		r, err := quad.Integrate(f, math.Inf(-1), math.Inf(1))
		var ce *quad.ConvergeError
		var ae *ebmkit.ArgError
		if !errors.As(err, &ce) && !errors.As(err, &ae) {
			t.Errorf("%s: got %v, %v; want an error", name, r, err)
		}
		t.Log(name, err)
	}
}

func TestBadInput(t *testing.T) {
	g := must(energy.NewGaussian1D(0, 1))
	f := func(x float64) float64 { return x }
	_, e1 := quad.Integrate(f, 1, 0)
	_, e2 := quad.Integrate(f, math.NaN(), 0)
	_, e3 := quad.Integrate(func(float64) float64 { return math.NaN() }, 0, 1)
	_, e4 := quad.LogZ(must(energy.NewIsotropicGaussian(make([]float64, 3), 1)), quad.All())
	_, e5 := quad.LogZ(g, quad.Box([]float64{0, 0}, []float64{1, 1}))
	_, e6 := quad.Adaptive{RelTol: -1}.Integrate(f, quad.Interval(0, 1))
	_, e7 := must(quad.NewDensity(g, quad.All())).Expect(0, nil)
	for i, c := range []struct {
		err  error
		want string
	}{{e1, "Domain.Lo[0] = 1"}, {e2, "Domain.Lo[0] = NaN"}, {e3, "= NaN, want a finite number"}, {e4, "e.Dim() = 3"},
		{e5, "len(Domain.Lo) = 2"}, {e6, "RelTol = -1"}, {e7, "n = 0"}} {
		var ae *ebmkit.ArgError
		if !errors.As(c.err, &ae) || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("case %d: %v, want it to contain %q", i, c.err, c.want)
		}
	}
}

func TestLogZAndExpect(t *testing.T) {
	long(t)
	for _, e := range []interface {
		ebmkit.Normalized
		ebmkit.Moments
	}{
		must(energy.NewGaussian1D(3, 0.01)),
		must(energy.NewGaussian1D(-2000, 5)),
		must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5})),
		must(energy.NewMixture1D([]float64{1, 1e-3, 2}, []float64{-30, 0, 40}, []float64{0.02, 3, 0.5})),
		must(energy.NewDoubleWell(1, 1)),
		must(energy.NewDoubleWell(0.01, 0.1)),
		must(energy.NewDoubleWell(50, 3)),
		must(energy.NewGaussian([]float64{1, -2}, []float64{2, 1.2, 1.2, 1})),
		must(energy.NewRing(8, 4, 0.5)),
		must(energy.NewDoubleWellND(2, 2, 1, 3)),
	} {
		d, err := quad.NewDensity(e, quad.All())
		if err != nil {
			t.Errorf("%v: %v", e, err)
			continue
		}
		within(t, ebmkit.TypeName(e)+" log Z", d.LogZ, e.LogZ())
		dim := e.Dim()
		mean, cov := e.Mean(nil), e.Cov(nil)
		r, err := d.Expect(2, func(dst, x []float64) {
			dst[0] = x[0]
			dst[1] = (x[0] - mean[0]) * (x[dim-1] - mean[dim-1])
		})
		if err != nil {
			t.Errorf("%v: %v", e, err)
		}
		within(t, "  mean[0]", r[0], mean[0])
		within(t, "  cov[0][d-1]", r[1], cov[dim-1])
	}
}

// hidden makes an energy forget what it knows, so that the scan has to find the
// minima.
type hidden struct{ e ebmkit.Energy }

func (h hidden) Dim() int                   { return h.e.Dim() }
func (h hidden) Energy(x []float64) float64 { return h.e.Energy(x) }

func TestScanWithoutHints(t *testing.T) {
	long(t)
	for _, e := range []ebmkit.Normalized{
		must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5})),
		must(energy.NewGaussian1D(70, 0.3)),
		must(energy.NewRing(8, 4, 0.5)),
		must(energy.NewGaussian([]float64{100, -20}, []float64{2, 1.2, 1.2, 1})),
	} {
		r, err := quad.LogZ(hidden{e}, quad.All())
		if err != nil {
			t.Errorf("%v: %v", e, err)
		}
		within(t, ebmkit.TypeName(e), r, e.LogZ())
	}
}

func BenchmarkLogZ1D(b *testing.B) {
	m := must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5}))
	b.ReportAllocs()
	for b.Loop() {
		quad.LogZ(m, quad.All())
	}
}

func BenchmarkLogZ2D(b *testing.B) {
	m := must(energy.NewRing(8, 4, 0.5))
	b.ReportAllocs()
	for b.Loop() {
		quad.LogZ(m, quad.All())
	}
}
