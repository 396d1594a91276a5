package diffusion

import (
	"context"
	"math"
	"math/cmplx"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/conform"
)

// panics fails the test unless f panics.
func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

// lineLaws are the laws on the line.
func lineLaws() map[string]*Law {
	out := map[string]*Law{}
	for name, l := range laws() {
		if l.Dim() == 1 {
			out[name] = l
		}
	}
	return out
}

// On the line E cos kX and E sin kX by quadrature of the density; in the plane by
// draws, where a wave vector that is 10 % too long fails.
func TestCharacteristic(t *testing.T) {
	for name, l := range lineLaws() {
		for _, u := range []float64{0.2, 0.9} {
			rho := must(quad.NewDensity(must(l.At(u)), quad.All()))
			for _, k := range []float64{0, 0.7, -2.5} {
				g := must(rho.Expect(2, func(dst, x []float64) { dst[1], dst[0] = math.Sincos(k * x[0]) }))
				if d := cmplx.Abs(l.Characteristic(u, k) - complex(g[0].Value, g[1].Value)); d > 1e-8 {
					t.Errorf("%s, t = %g, k = %g: off by %.2g", name, u, k, d)
				}
			}
		}
	}
	for _, data := range []*energy.Mixture{ring(), skew()} {
		l := must(Marginal(VP{0.1, 20}, data))
		x := must(ebmkit.Draw(must(l.At(0.1)), 20000, 4))
		re := ebmkit.MeanOf(x.Map(func(x []float64) float64 { return math.Cos(1.3*x[0] - 0.8*x[1]) }))
		im := ebmkit.MeanOf(x.Map(func(x []float64) float64 { return math.Sin(1.3*x[0] - 0.8*x[1]) }))
		g, long := l.Characteristic(0.1, 1.3, -0.8), l.Characteristic(0.1, 1.43, -0.88)
		zScore(t, "Re g", re, real(g))
		zScore(t, "Im g", im, imag(g))
		if z := re.Z(real(long)); math.Abs(z) < 5 {
			t.Errorf("a wave vector 10 %% too long passes, z = %.1f", z)
		}
	}
	// A point mass has no density, but a characteristic function: |g| = 1.
	l := must(Marginal(VE{1, 1}, must(energy.NewGaussian1D(0.3, 1e-9))))
	near(t, "|g| of a point", cmplx.Abs(l.Characteristic(0, 5)), 1, 1e-12)
	panics(t, "wrong length", func() { l.Characteristic(0, 1, 2) })
}

// The derivative of the distribution function is the density, and it goes from 0
// to 1.
func TestCDF(t *testing.T) {
	for name, l := range lineLaws() {
		for _, u := range []float64{0.2, 0.9} {
			near(t, name+": F(-inf)", l.CDF(u, -60), 0, 1e-15)
			near(t, name+": F(inf)", l.CDF(u, 60), 1, 1e-14)
			logp := []float64{0}
			for _, x := range []float64{-1.1, 0.2, 1.4} {
				got, e := conform.Derivative(func(h float64) float64 { return l.CDF(u, x+h) }, 0.05)
				l.LogDensity(logp, u, []float64{x})
				near(t, name+": dF/dx", got, math.Exp(logp[0]), 10*e+1e-9)
			}
		}
	}
	panics(t, "a law in the plane", func() { must(Marginal(VP{0.1, 20}, ring())).CDF(0.5, 0) })
}

// Eq. (64): the current in Fourier space is the derivative of the characteristic
// function in time over ik. The current of a velocity 0.1 % too large fails.
func TestCurrent(t *testing.T) {
	for name, l := range lineLaws() {
		for _, k := range []float64{0.5, 1.7, -3} {
			m := must(l.Current(0.4, k))
			slope := func(part func(complex128) float64) (float64, float64) {
				return conform.Derivative(func(h float64) float64 { return part(l.Characteristic(0.4+h, k)) }, 0.02)
			}
			re, e := slope(func(g complex128) float64 { return real(g) })
			im, f := slope(func(g complex128) float64 { return imag(g) })
			want := complex(re, im) / complex(0, k)
			tol := 10*(e+f)/math.Abs(k) + 1e-10
			if d := cmplx.Abs(m - want); d > tol {
				t.Errorf("%s, k = %g: off by %.2g, tolerance %.2g", name, k, d, tol)
			}
			if s := cmplx.Abs(want); s > 1e-2 && cmplx.Abs(1.001*m-want) < tol {
				t.Errorf("%s, k = %g: 0.1 %% more passes", name, k)
			}
		}
	}
	l := must(Interpolant{OneSided{}, NoNoise{}}.Law(nil, line()))
	_, err := l.Current(0, 1)
	wantArg(t, err, "t")
	panics(t, "a law in the plane", func() { must(must(Marginal(VP{0.1, 20}, ring())).Current(0.5, 1)) })
}

// Between N(0, 1) and N(2, 9) without noise X_t is Gaussian: b moves mean and
// standard deviation s, s^2 = (1-t)^2 + 9 t^2, so E b^2 = 4 + s'^2. And the field
// x has E x^2 = mean^2 + s^2.
func TestAction(t *testing.T) {
	base, data := must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(2, 3))
	l := must(Interpolant{Linear{}, NoNoise{}}.Law(base, data))
	s2 := func(t float64) float64 { return (1-t)*(1-t) + 9*t*t }
	kinetic := must(quad.Integrate(func(t float64) float64 {
		half := 9*t - (1 - t) // (s^2)'/2 = s s'
		return 4 + half*half/s2(t)
	}, 0.1, 0.8)).Value
	near(t, "kinetic energy", must(l.Action(l.Velocity(), 0.1, 0.8)).Value, kinetic, 1e-8)
	x := Func{D: 1, F: func(dst []float64, _ float64, x []float64) { dst[0] = x[0] }}
	square := must(quad.Integrate(func(t float64) float64 { return 4*t*t + s2(t) }, 0, 1)).Value
	near(t, "E x^2", must(l.Action(x, 0, 1)).Value, square, 1e-8)

	_, err := l.Action(Func{D: 2}, 0, 1)
	wantArg(t, err, "f.Dim()")
	_, err = l.Action(x, 1, 1)
	wantArg(t, err, "to")
	point := must(Interpolant{OneSided{}, NoNoise{}}.Law(nil, line()))
	_, err = point.Action(x, -1e-12, 1e-12) // its middle is 0, where all is one point
	wantArg(t, err, "t")
}

// Points whose distance is known: f = x, e = (1, t) at (3, 4) and (0, 0).
func TestDistance(t *testing.T) {
	f := Func{D: 2, F: func(dst []float64, _ float64, x []float64) { copy(dst, x) }}
	e := Func{D: 2, F: func(dst []float64, t float64, _ []float64) { dst[0], dst[1] = 1, t }}
	x := &ebmkit.Ensemble{N: 2, Dim: 2, X: []float64{3, 4, 0, 0}}
	got := Distance(f, e, 2, x) // 4+4 and 1+4
	near(t, "mean", got.Value, 6.5, 0)
	near(t, "error", got.SE, 1.5, 1e-15)
	near(t, "mean square", Distance(f, nil, 2, x).Value, 12.5, 0)
}

func TestBinMeans(t *testing.T) {
	x := []float64{-1, -0.5, 0, 0.4, 0.9, 1, 7, -3}
	v := []float64{1, 3, 10, 20, 30, 99, 99, 99}
	centre, mean, err := BinMeans(x, v, -1, 1, 2, 3)
	if err != nil || len(centre) != 1 || centre[0] != 0.5 || mean[0].Value != 20 {
		t.Errorf("%v %v %v: bins are [lo, hi), and those with too few draws go", centre, mean, err)
	}
	near(t, "error of the mean", mean[0].SE, 10/math.Sqrt(3), 1e-12)
	_, _, err = BinMeans(x, v[1:], -1, 1, 2, 3)
	wantArg(t, err, "len(v)")
	_, _, err = BinMeans(x, v, 1, 1, 2, 3)
	wantArg(t, err, "hi")
	_, _, err = BinMeans(x, v, -1, 1, 0, 3)
	wantArg(t, err, "bins")
}

// X_t by draws has the law of X_t, and Speed is the derivative of At.
func TestPaths(t *testing.T) {
	const n = 20000
	base := must(energy.NewGaussian1D(0.3, 1.1))
	x0, x1 := must(ebmkit.Draw(base, n, 1)).X, must(ebmkit.Draw(line(), n, 2)).X
	z := make([]float64, n)
	ebmkit.NewStream(3, "z", 0).FillNormal(z)
	for name, p := range interpolants {
		x := ebmkit.Ensemble{N: n, Dim: 1, X: p.At(0.6, x0, x1, z)}
		cos := ebmkit.MeanOf(x.Map(func(x []float64) float64 { return math.Cos(2 * x[0]) }))
		zScore(t, name, cos, real(must(p.Law(base, line())).Characteristic(0.6, 2)))
		if z := cos.Z(real(must(p.Law(base, line())).Characteristic(0.8, 2))); math.Abs(z) < 5 {
			t.Errorf("%s: the law of another time passes", name)
		}
		for i, got := range p.Speed(0.6, x0[:5], x1[:5], z[:5]) {
			want, e := conform.Derivative(func(h float64) float64 { return p.At(0.6+h, x0[:5], x1[:5], z[:5])[i] }, 0.02)
			near(t, name+": speed", got, want, 10*e+1e-10)
		}
		for i, v := range p.At(1, x0[:5], x1[:5], z[:5]) {
			near(t, name+": the end", v, x1[i], 1e-14)
		}
	}
	one := Interpolant{OneSided{}, Fading{}}
	near(t, "one-sided", one.At(0.25, nil, []float64{8}, []float64{4})[0], 5, 1e-14)
	near(t, "its speed", one.Speed(0.25, nil, []float64{8}, []float64{4})[0], 4, 1e-14)
	panics(t, "no x0", func() { interpolants["linear, none"].At(0.5, nil, x1, z) })
	panics(t, "lengths", func() { one.Speed(0.5, nil, x1[1:], z) })
}

// The way t^2 in unit time has |dX/dt - 1|^2 = (2t - 1)^2, whose integral is 1/3;
// for n steps of equal length 1/3 - 1/(3 n^2). A straight line has 0, and the
// clock does not matter.
func TestBend(t *testing.T) {
	const n = 10
	p := &Path{Times: Uniform(0, 1, n), N: 1, Dim: 1}
	for _, u := range p.Times {
		p.X = append(p.X, u*u)
	}
	near(t, "t^2", p.Bend(), 1.0/3-1.0/(3*n*n), 1e-14)
	p.Times = Uniform(5, 1, n)
	near(t, "t^2, another clock", p.Bend(), 1.0/3-1.0/(3*n*n), 1e-14)
	straight := &Path{Times: []float64{0, 0.5, 1}, N: 2, Dim: 1, X: []float64{0, 1, 1, 1, 2, 1}}
	near(t, "straight", straight.Bend(), 0, 0)
	panics(t, "one time", func() { (&Path{Times: []float64{0}, N: 1, Dim: 1, X: []float64{0}}).Bend() })
}

// The flow with a wrong End between Gaussians: dX/dt = 0, so q is End, and
// KL(N(0,1) || N(1,1)) = 1/2.
func TestFlowKL(t *testing.T) {
	ctx := context.Background()
	p, end := must(energy.NewGaussian1D(0, 1)), must(energy.NewGaussian1D(1, 1))
	x := must(ebmkit.Draw(p, 4000, 5))
	still := Differences{Func{D: 1, F: func(dst []float64, _ float64, _ []float64) { dst[0] = 0 }}, 1e-4}
	f := Flow{Velocity: still, End: end, Times: []float64{0, 1}, Scheme: RK4}
	zScore(t, "KL", must(f.KL(ctx, p, x)), 0.5)
	if got := must(f.KL(ctx, end, x)); got.Value != 0 || got.SE != 0 {
		t.Errorf("KL of a law to itself: %v", got)
	}
	_, err := f.KL(ctx, nil, x)
	wantArg(t, err, "p")
	_, err = f.KL(ctx, ring(), x)
	wantArg(t, err, "p.Dim()")
	_, err = f.KL(ctx, p, nil)
	wantArg(t, err, "x")
}

func TestViolated(t *testing.T) {
	all := must(Interpolant{OneSided{}, Fading{}}.Conditions(nil, skew()))
	var keys []string
	for _, c := range Violated(all) {
		keys = append(keys, c.Key)
	}
	if len(keys) != 3 || keys[0] != "X_0" || keys[1] != "60" || keys[2] != "gamma(0)" {
		t.Errorf("violated: %q", keys)
	}
	seen := map[string]bool{}
	for _, c := range all {
		if c.Key == "" || seen[c.Key] {
			t.Errorf("key %q of %s", c.Key, c.Name)
		}
		seen[c.Key] = true
	}
}
