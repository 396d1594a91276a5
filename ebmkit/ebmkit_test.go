package ebmkit

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// parabola has an energy only; bowl adds the gradient.
type parabola struct{ d int }

func (p parabola) Dim() int { return p.d }
func (p parabola) Energy(x []float64) float64 {
	var u float64
	for _, v := range x {
		u += v * v / 2
	}
	return u
}

type bowl struct{ parabola }

func (b bowl) EnergyGrad(grad, x []float64) float64 {
	copy(grad, x)
	return b.Energy(x)
}

func (b bowl) Sample(dst []float64, s *Stream) { s.FillNormal(dst) }

// wrapped has the method EnergyGrad whatever it wraps, as combinators do.
type wrapped struct{ in Energy }

func (w wrapped) Dim() int                   { return w.in.Dim() }
func (w wrapped) Energy(x []float64) float64 { return w.in.Energy(x) }
func (w wrapped) Inner() []Energy            { return []Energy{w.in} }
func (w wrapped) EnergyGrad(grad, x []float64) float64 {
	return w.in.(Differentiable).EnergyGrad(grad, x)
}

func TestGradientLooksInsideWrappers(t *testing.T) {
	if _, err := Gradient("f", "target", wrapped{wrapped{bowl{parabola{2}}}}); err != nil {
		t.Fatalf("a wrapped bowl has a gradient, got %v", err)
	}
	_, err := Gradient("mcmc.ULA", "target", wrapped{wrapped{parabola{2}}})
	var arg *ArgError
	if !errors.As(err, &arg) || arg.Arg != "target" || !strings.Contains(arg.Error(), "parabola") {
		t.Fatalf("want an ArgError naming the inner energy, got %v", err)
	}
}

func TestLoopEvaluatorIsRowWise(t *testing.T) {
	e := bowl{parabola{3}}
	xs := []float64{1, 2, 3, -1, 0, 4}
	u, g := make([]float64, 2), make([]float64, 6)
	ev := NewEvaluator(e)
	ev.EnergyGrad(u, g, xs)
	for i := range 2 {
		if want := e.Energy(xs[3*i : 3*i+3]); u[i] != want {
			t.Errorf("u[%d] = %v, want %v", i, u[i], want)
		}
	}
	for i := range g {
		if g[i] != xs[i] {
			t.Errorf("grad[%d] = %v, want %v", i, g[i], xs[i])
		}
	}
	ev.EnergyGrad(nil, g, xs)
	ev.EnergyGrad(u, nil, xs)
	if n := testing.AllocsPerRun(10, func() { ev.EnergyGrad(u, g, xs) }); n != 0 {
		t.Errorf("EnergyGrad allocates %v times", n)
	}
}

func TestEvaluatorPanicsOnWrongLengths(t *testing.T) {
	ev, plain := NewEvaluator(bowl{parabola{2}}), NewEvaluator(parabola{2})
	for name, f := range map[string]func(){
		"xs":          func() { ev.EnergyGrad(nil, nil, make([]float64, 3)) },
		"u":           func() { ev.EnergyGrad(make([]float64, 2), nil, make([]float64, 2)) },
		"grad":        func() { ev.EnergyGrad(nil, make([]float64, 1), make([]float64, 2)) },
		"no gradient": func() { plain.EnergyGrad(nil, make([]float64, 2), make([]float64, 2)) },
	} {
		func() {
			defer func() {
				if r, ok := recover().(string); !ok || !strings.HasPrefix(r, "ebmkit: Evaluator.EnergyGrad") {
					t.Errorf("%s: want a panic with the package prefix, got %v", name, r)
				}
			}()
			f()
		}()
	}
}

func TestEnsembleMap(t *testing.T) {
	e := &Ensemble{N: 3, Dim: 2, X: []float64{1, 2, 3, 4, 5, 6}}
	got := e.Map(func(x []float64) float64 { return 10*x[0] + x[1] })
	if want := []float64{12, 34, 56}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := (&Ensemble{Dim: 2}).Map(nil); len(got) != 0 {
		t.Errorf("%v of no points", got)
	}
}

func TestEnsemble(t *testing.T) {
	for _, c := range []struct {
		n, dim int
		arg    string
	}{{0, 2, "n"}, {3, 0, "dim"}, {-1, 1, "n"}} {
		_, err := NewEnsemble(c.n, c.dim)
		var arg *ArgError
		if !errors.As(err, &arg) || arg.Arg != c.arg {
			t.Errorf("NewEnsemble(%d, %d): want an error about %s, got %v", c.n, c.dim, c.arg, err)
		}
	}
	e, err := NewEnsemble(4, 2)
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.X {
		e.X[i] = float64(i)
	}
	e.U = []float64{0, 1, 2, 3}
	if r := e.Row(2); r[0] != 4 || r[1] != 5 || cap(r) != 2 {
		t.Errorf("Row(2) = %v with cap %d", r, cap(r))
	}
	if c := e.Col(1); c[0] != 1 || c[3] != 7 {
		t.Errorf("Col(1) = %v", c)
	}
	s := e.Slice(1, 3)
	s.X[0] = -1
	if e.X[2] != -1 || s.N != 2 || s.U[1] != 2 || s.LogW != nil {
		t.Errorf("Slice does not share memory or lost a field: %+v", s)
	}
	c := e.Clone()
	c.X[0] = 99
	if e.X[0] == 99 || c.Grad != nil || len(c.U) != 4 {
		t.Errorf("Clone is not a deep copy: %+v", c)
	}
}

func TestDraw(t *testing.T) {
	e := bowl{parabola{3}}
	a, err := Draw(e, 200, 7)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Draw(e, 130, 7)
	for i := range b.X {
		if a.X[i] != b.X[i] {
			t.Fatalf("the first rows depend on n: x[%d] = %v and %v", i, a.X[i], b.X[i])
		}
	}
	c, _ := Draw(e, 130, 8)
	if c.X[0] == b.X[0] || a.X[0] == a.X[64*3] {
		t.Error("two seeds or two blocks give the same numbers")
	}
	var arg *ArgError
	if _, err := Draw(parabola{1}, 5, 1); !errors.As(err, &arg) || arg.Arg != "e" {
		t.Errorf("want an error about e, got %v", err)
	}
	if _, err := Draw(e, 0, 1); !errors.As(err, &arg) || arg.Arg != "n" {
		t.Errorf("want an error about n, got %v", err)
	}
}

func TestMeanOf(t *testing.T) {
	m := MeanOf([]float64{1, 2, 3, 4})
	if m.Value != 2.5 || math.Abs(m.SE-math.Sqrt(5.0/3/4)) > 1e-15 {
		t.Errorf("MeanOf = %v", m)
	}
	if m := MeanOf([]float64{3}); m.Value != 3 || !math.IsInf(m.SE, 1) {
		t.Errorf("one draw has no error bar, got %v", m)
	}
	// The error bar covers the truth: z of 400 repetitions is standard normal.
	var z2 float64
	const reps = 400
	for r := range reps {
		s := NewStream(uint64(r), "test", 0)
		v := make([]float64, 50)
		s.FillNormal(v)
		z := MeanOf(v).Z(0)
		z2 += z * z
	}
	// z follows Student's t with 49 degrees of freedom: E z^2 = 49/47, sd about
	// sqrt(2.19/reps).
	if d := (z2/reps - 49.0/47) / math.Sqrt(2.19/reps); math.Abs(d) > 4 {
		t.Errorf("mean z^2 = %v, %v standard errors from 49/47", z2/reps, d)
	}
}

func TestEstimateString(t *testing.T) {
	for _, c := range []struct {
		e    Estimate
		want string
	}{
		{Estimate{1.33216, 0.01334}, "1.332 +- 0.013"},
		{Estimate{-204.5, 31}, "-204 +- 31"},
		{Estimate{0.5, 0}, "0.5"},
		{Estimate{2.5, math.Inf(1)}, "2.5 +- +Inf"},
		{Estimate{3.2e9, 1.5e7}, "3.2e+09 +- 1.5e+07"},
		{Estimate{12199.6, 13211}, "12000 +- 1.3e+04"},
		{Estimate{1, 1e-17}, "1 +- 1e-17"},
	} {
		if got := c.e.String(); got != c.want {
			t.Errorf("%#v prints %q, want %q", c.e, got, c.want)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	a := &ArgError{"energy.NewGaussian", "cov[1][2]", math.NaN(), "a finite number"}
	if got := a.Error(); got != "energy.NewGaussian: cov[1][2] = NaN, want a finite number" {
		t.Error(got)
	}
	d := &DivergedError{"mcmc.ULA", 12, 3, math.Inf(1), "take a smaller Step"}
	if got := d.Error(); got != "mcmc.ULA: diverged at step 12, walker 3, value +Inf: take a smaller Step" {
		t.Error(got)
	}
	d.Walker = -1
	if !strings.Contains(d.Error(), "all walkers") {
		t.Error(d.Error())
	}
}
