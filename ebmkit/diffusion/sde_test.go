package diffusion

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// hermite returns the n nodes and weights of Gauss's rule for the standard
// normal law, found as roots of the Hermite polynomial by Newton's method.
func hermite(n int) (x, w []float64) {
	value := func(y float64) (he, before float64) {
		he, before = 1, 0
		for k := range n {
			he, before = y*he-float64(k)*before, he
		}
		return he, before
	}
	// Sign changes on a fine grid, then bisection: n is small.
	const fine = 4000
	top := 2*math.Sqrt(float64(n)) + 1
	fact := 1.0
	for k := 2; k <= n; k++ {
		fact *= float64(k)
	}
	for i := range fine {
		lo, hi := -top+2*top*float64(i)/fine, -top+2*top*float64(i+1)/fine
		a, _ := value(lo)
		if b, _ := value(hi); a*b >= 0 {
			continue
		}
		for range 80 {
			mid := (lo + hi) / 2
			if m, _ := value(mid); m*a > 0 {
				lo = mid
			} else {
				hi = mid
			}
		}
		_, before := value(lo)
		x = append(x, lo)
		w = append(w, fact/(float64(n*n)*before*before))
	}
	return x, w
}

// weakValue returns E[phi(X_1)] of the scheme for a 2 pi-periodic equation on
// the line started at 0.4, without sampling: u(x) <- E[u(step(x, xi))] by a rule
// over xi, with u held by its values at equidistant points and interpolated by
// trigonometric polynomials.
func weakValue(e SDE, scheme Scheme, steps int, noise []float64, weight []float64, phi func(float64) float64) float64 {
	const m = 32
	times := Uniform(0, 1, steps)
	u := make([]float64, m)
	x := make([]float64, m+1)
	for i := range u {
		x[i] = 2 * math.Pi * float64(i) / m
		u[i] = phi(x[i])
	}
	x[m] = 0.4
	// Coefficients of the trigonometric interpolant.
	interpolate := func(u []float64) func(float64) float64 {
		var a, b [m/2 + 1]float64
		for k := range a {
			for i, v := range u {
				s, c := math.Sincos(float64(k) * x[i])
				a[k] += v * c * 2 / m
				b[k] += v * s * 2 / m
			}
		}
		return func(y float64) float64 {
			sum := a[0]/2 + a[m/2]/2*math.Cos(m/2*y)
			for k := 1; k < m/2; k++ {
				s, c := math.Sincos(float64(k) * y)
				sum += a[k]*c + b[k]*s
			}
			return sum
		}
	}
	s := newStepper(e, scheme, m+1)
	var out float64
	for n := steps - 1; n >= 0; n-- {
		f := interpolate(u)
		next := make([]float64, m+1)
		y, xi := make([]float64, m+1), make([]float64, m+1)
		for q, z := range noise {
			for i := range xi {
				xi[i] = z
			}
			copy(y, x)
			s.advance(y, times[n], times[n+1], xi)
			for i, v := range y {
				next[i] += weight[q] * f(v)
			}
		}
		copy(u, next[:m])
		out = next[m]
	}
	return out
}

// The weak order of the schemes, measured without statistical error on a
// non-linear equation with time-dependent drift and noise.
func TestWeakOrder(t *testing.T) {
	drift := Func{1, func(dst []float64, t float64, x []float64) { dst[0] = math.Sin(x[0]) + 0.5*math.Cos(2*x[0]+t) }}
	e := SDE{Drift: drift, Noise: func(t float64) float64 { return 0.5 + 0.4*t }}
	x, w := hermite(14)
	var total float64
	for _, v := range w {
		total += v
	}
	near(t, "sum of the weights of the rule", total, 1, 1e-12)
	phi := func(x float64) float64 { return math.Cos(x) + 0.3*math.Sin(2*x) }
	value := func(s Scheme, n int) float64 { return weakValue(e, s, n, x, w, phi) }
	// Richardson's extrapolation of Heun is the reference.
	exact := (4*value(Heun, 128) - value(Heun, 64)) / 3
	for s, order := range map[Scheme]float64{EulerMaruyama: 1, Heun: 2} {
		a, b := value(s, 8)-exact, value(s, 16)-exact
		c := value(s, 32) - exact
		got, finer := math.Log2(math.Abs(a/b)), math.Log2(math.Abs(b/c))
		t.Logf("%v: errors %.3g, %.3g, %.3g at 8, 16, 32 steps: order %.2f, %.2f", s, a, b, c, got, finer)
		if math.Abs(finer-order) > 0.15 {
			t.Errorf("%v: order %.2f, want %g", s, finer, order)
		}
	}
}

// Without noise: the order of the methods for ordinary equations.
func TestOrder(t *testing.T) {
	drift := Func{1, func(dst []float64, t float64, x []float64) { dst[0] = math.Sin(x[0]) + t*math.Cos(x[0]) }}
	end := func(s Scheme, n int) float64 {
		return must(SDE{Drift: drift}.Run(context.Background(), Config{Walkers: 1, Times: Uniform(0, 2, n), Scheme: s,
			Init: &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{0.3}}})).X[0]
	}
	exact := end(RK4, 4000)
	for s, order := range map[Scheme]float64{EulerMaruyama: 1, Heun: 2, RK4: 4} {
		a, b := end(s, 40)-exact, end(s, 80)-exact
		got := math.Log2(math.Abs(a / b))
		t.Logf("%v: errors %.3g, %.3g: order %.2f", s, a, b, got)
		if math.Abs(got-order) > 0.2 {
			t.Errorf("%v: order %.2f, want %g", s, got, order)
		}
	}
}

// Noise that depends on the position: geometric Brownian motion, and a matrix
// that correlates two coordinates.
func TestSigma(t *testing.T) {
	const n = 20000
	const mu, vol = 0.3, 0.5
	gbm := SDE{
		Drift: Func{1, func(dst []float64, _ float64, x []float64) { dst[0] = mu * x[0] }},
		Sigma: func(dst []float64, _ float64, x []float64) { dst[0] = vol * x[0] },
	}
	x := must(gbm.Run(context.Background(), Config{Walkers: n, Times: Uniform(0, 1, 200), Seed: 1,
		Init: &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{1}}})).Last().X
	// The scheme's own mean is (1 + mu/200)^200, its second moment has
	// ((1+mu h)^2 + vol^2 h) per step.
	zScore(t, "mean", ebmkit.MeanOf(x), math.Pow(1+mu/200, 200))
	sq := make([]float64, n)
	for i, v := range x {
		sq[i] = v * v
	}
	zScore(t, "second moment", ebmkit.MeanOf(sq), math.Pow((1+mu/200)*(1+mu/200)+vol*vol/200, 200))

	pair := SDE{
		Drift: Func{2, func(dst []float64, _ float64, _ []float64) { clear(dst) }},
		Sigma: func(dst []float64, _ float64, _ []float64) { copy(dst, []float64{1, 0, 0.6, 0.8}) },
	}
	y := must(pair.Run(context.Background(), Config{Walkers: n, Times: Uniform(0, 2, 4), Seed: 2,
		Init: &ebmkit.Ensemble{N: 1, Dim: 2, X: []float64{0, 0}}})).Last()
	prod := make([]float64, n)
	for i := range prod {
		prod[i] = y.X[2*i] * y.X[2*i+1]
	}
	zScore(t, "covariance", ebmkit.MeanOf(prod), 2*0.6)
}

// The same bits at any GOMAXPROCS, whatever is kept and whether there is
// progress; the first blocks do not depend on the number of walkers.
func TestReproducible(t *testing.T) {
	law := must(Marginal(VP{0.1, 20}, ring()))
	sde := must(Reverse(VP{0.1, 20}, law.Score()))
	cfg := Config{Walkers: 333, Times: Uniform(1, 0.01, 30), Seed: 5}
	var ref []float64
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		for _, every := range []int{0, 7} {
			c := cfg
			c.Every = every
			if every > 0 {
				c.Progress = func(done, total int) {}
			}
			p := must(sde.Run(context.Background(), c))
			if ref == nil {
				ref = p.X
			}
			if !slices.Equal(p.Last().X, ref) {
				t.Errorf("GOMAXPROCS %d, Every %d: other bits", procs, every)
			}
			if every > 0 && (len(p.Times) != 6 || p.Times[0] != 1 || p.Times[5] != 0.01 || len(p.Trace(3, 1)) != 6) {
				t.Errorf("kept times %v", p.Times)
			}
		}
		runtime.GOMAXPROCS(old)
	}
	cfg.Walkers = 128
	if p := must(sde.Run(context.Background(), cfg)); !slices.Equal(p.X, ref[:256]) {
		t.Error("the first blocks depend on the number of walkers")
	}
}

func TestRunErrors(t *testing.T) {
	still := Func{2, func(dst []float64, _ float64, _ []float64) { clear(dst) }}
	one := func(float64) float64 { return 1 }
	ok := Config{Walkers: 10, Times: Uniform(0, 1, 4)}
	for i, c := range []struct {
		arg  string
		e    SDE
		edit func(c *Config)
	}{
		{"SDE.Drift", SDE{}, nil},
		{"SDE.Sigma", SDE{Drift: still, Noise: one, Sigma: func([]float64, float64, []float64) {}}, nil},
		{"Config.Scheme", SDE{Drift: still, Sigma: func([]float64, float64, []float64) {}}, func(c *Config) { c.Scheme = Heun }},
		{"Config.Scheme", SDE{Drift: still, Noise: one}, func(c *Config) { c.Scheme = RK4 }},
		{"Config.Scheme", SDE{Drift: still}, func(c *Config) { c.Scheme = 9 }},
		{"Config.Walkers", SDE{Drift: still}, func(c *Config) { c.Walkers = 0 }},
		{"Config.Every", SDE{Drift: still}, func(c *Config) { c.Every = -1 }},
		{"len(Config.Times)", SDE{Drift: still}, func(c *Config) { c.Times = Uniform(0, 1, 0) }},
		{"Config.Times[2]", SDE{Drift: still}, func(c *Config) { c.Times = []float64{0, 1, 1} }},
		{"Config.Times[1]", SDE{Drift: still}, func(c *Config) { c.Times = []float64{0, math.NaN()} }},
		{"Config.Init.Dim", SDE{Drift: still}, func(c *Config) { c.Init = &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{0}} }},
		{"Config.Init.N", SDE{Drift: still}, func(c *Config) { c.Init = must(ebmkit.NewEnsemble(3, 2)) }},
		{"Config.Init[0][1]", SDE{Drift: still}, func(c *Config) { c.Init = &ebmkit.Ensemble{N: 1, Dim: 2, X: []float64{0, math.NaN()}} }},
		{"SDE.Noise(0.5)", SDE{Drift: still, Noise: func(t float64) float64 { return math.Sqrt(0.4 - t) }}, nil},
	} {
		cfg := ok
		if c.edit != nil {
			c.edit(&cfg)
		}
		if c.arg == "SDE.Noise(0.5)" {
			cfg.Times = Uniform(0, 1, 2)
		}
		p, err := c.e.Run(context.Background(), cfg)
		if p != nil {
			t.Errorf("case %d: a path", i)
		}
		wantArg(t, err, c.arg)
	}
}

func TestDiverges(t *testing.T) {
	// Walker 70 starts where the cube explodes.
	cube := SDE{Drift: Func{1, func(dst []float64, _ float64, x []float64) { dst[0] = x[0] * x[0] * x[0] }}}
	init := must(ebmkit.NewEnsemble(100, 1))
	init.X[70] = 50
	p, err := cube.Run(context.Background(), Config{Walkers: 100, Times: Uniform(0, 1, 20), Every: 1, Init: init})
	var d *ebmkit.DivergedError
	if !errors.As(err, &d) || d.Walker != 70 || d.Step > 8 || d.Step < 2 || len(p.Times) != d.Step+1 {
		t.Errorf("error %v, %d states kept", err, len(p.Times))
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	still := SDE{Drift: Func{1, func(dst []float64, _ float64, _ []float64) { clear(dst) }}}
	p, err := still.Run(ctx, Config{Walkers: 10, Times: Uniform(0, 1, 100), Every: 10, Progress: func(done, _ int) {
		if done >= 50 {
			cancel()
		}
	}})
	if err != context.Canceled || len(p.Times) != 5 {
		t.Errorf("error %v, times %v", err, p.Times)
	}
}

func ExampleSDE_Run() {
	// Noise becomes data: the reversed VP process with the exact score.
	data := ring()
	vp := VP{BetaMin: 0.1, BetaMax: 20}
	law, _ := Marginal(vp, data)
	sde, _ := Reverse(vp, law.Score())
	path, err := sde.Run(context.Background(), Config{Walkers: 10000, Times: Uniform(1, 1e-3, 500), Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for i := range path.N {
		if path.Last().Row(i)[0] > 0.3 { // the first mode, of mass 1/2
			n++
		}
	}
	fmt.Printf("mass of the first mode: %.2f\n", float64(n)/10000)
	// Output: mass of the first mode: 0.50
}
