package mcmc

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// quadratic is the symmetric matrix (a b; b c) of a quadratic form of two
// standard normals.
type quadratic struct{ a, b, c float64 }

// exactAcceptance returns the mean acceptance probability on N(0, I_d) at
// stationarity of a kernel whose log acceptance ratio is minus a sum over the d
// dimensions of the form q of (position, noise). Both ways being equally
// likely, E min(1, e^-D) = 2 P(D < 0), and P comes from the characteristic
// function by the formula of Gil-Pelaez,
//
//	P(D < 0) = 1/2 - (1/pi) integral over t > 0 of Im[prod_k (1 - 2 i t b_k)^(-d/2)] / t,
//
// with b_k the eigenvalues of q.
func exactAcceptance(q quadratic, d int) float64 {
	mean, r := (q.a+q.c)/2, math.Hypot((q.a-q.c)/2, q.b)
	im := func(t float64) float64 {
		l := cmplx.Log(complex(1, -2*t*(mean+r))) + cmplx.Log(complex(1, -2*t*(mean-r)))
		return imag(cmplx.Exp(complex(-float64(d)/2, 0) * l))
	}
	// t = exp(s): the integrand decays on both sides, so the trapezoidal rule
	// converges geometrically.
	const h = 0.01
	var s float64
	for v := -60.0; v < 25; v += h {
		s += im(math.Exp(v)) * h
	}
	return 1 - 2/math.Pi*s
}

func rwmForm(s float64) quadratic { return quadratic{0, s / 2, s * s / 2} }

func malaForm(h float64) quadratic {
	r := math.Sqrt(2 * h)
	return quadratic{h / 4 * (h*h - 2*h), h / 4 * (1 - h) * r, h / 4 * r * r}
}

func hmcForm(h float64, steps int) quadratic {
	xx, xp, px, pp := 1.0, 0.0, 0.0, 1.0 // the leapfrog's matrix
	for range steps {
		px, pp = px-h/2*xx, pp-h/2*xp
		xx, xp = xx+h*px, xp+h*pp
		px, pp = px-h/2*xx, pp-h/2*xp
	}
	return quadratic{(xx*xx + px*px - 1) / 2, (xx*xp + px*pp) / 2, (xp*xp + pp*pp - 1) / 2}
}

func TestExactAcceptance(t *testing.T) {
	for _, s := range []float64{0.3, 1, 2.4, 8} {
		if got, want := exactAcceptance(rwmForm(s), 1), 2/math.Pi*math.Atan(2/s); math.Abs(got-want) > 1e-10 {
			t.Errorf("d = 1, s = %g: %v, want (2/pi) arctan(2/s) = %v", s, got, want)
		}
	}
}

// scaled are the kernels with their step as a function of the scale l at which
// acceptance and efficiency have a limit as d grows.
var scaled = []struct {
	name    string
	method  func(l float64, d int) Method
	form    func(l float64, d int) quadratic
	limit   func(l float64) float64 // acceptance as d -> infinity
	speed   float64                 // efficiency is l^speed times acceptance
	optimum float64
	flat    [2]float64
	ls      []float64
}{
	{"RWM", func(l float64, d int) Method { return RWM{Step: l / math.Sqrt(float64(d))} },
		func(l float64, d int) quadratic { return rwmForm(l / math.Sqrt(float64(d))) },
		func(l float64) float64 { return 2 * normalCDF(-l/2) }, 2, 0.234, [2]float64{0.16, 0.32}, []float64{1, 1.7, 2.38, 3, 4}},
	{"MALA", func(l float64, d int) Method { return MALA{Step: malaStep(l, d)} },
		func(l float64, d int) quadratic { return malaForm(malaStep(l, d)) },
		func(l float64) float64 { return 2 * normalCDF(-l*l*l/8) }, 2, 0.574, [2]float64{0.44, 0.70}, []float64{1, 1.4, 1.65, 1.9, 2.2}},
	// A trajectory of fixed length T = pi/2: on N(0, I) it ends where it is
	// independent of the start; c = h^2-coefficient of the energy error.
	{"HMC", func(l float64, d int) Method { h, n := hmcStep(l, d); return HMC{Step: h, Leapfrog: n} },
		func(l float64, d int) quadratic { return hmcForm(hmcStep(l, d)) },
		func(l float64) float64 { return 2 * normalCDF(-l*l/8) }, 1, 0.651, [2]float64{0.52, 0.77}, []float64{1, 1.5, 1.9, 2.3, 2.8}},
}

// malaStep returns h with 2h = l^2 d^(-1/3).
func malaStep(l float64, d int) float64 { return l * l / 2 / math.Cbrt(float64(d)) }

// hmcStep returns h = l d^(-1/4) and the number of steps that comes nearest to
// pi/2. The nearest number makes h jump a little; the form knows.
func hmcStep(l float64, d int) (h float64, steps int) {
	h = l / math.Sqrt(math.Sqrt(float64(d)))
	return h, max(1, int(math.Round(math.Pi/2/h)))
}

// Measured acceptance against the exact value at d = 100 and 1, and the exact
// value against the limits 2 Phi(-l/2), 2 Phi(-l^3/8), 2 Phi(-l^2/8).
func TestAcceptanceCurves(t *testing.T) {
	numbersOnly(t)
	seed := uint64(0) // of the last measurement: each is independent of the others
	measure := func(m Method, d, walkers int) ebmkit.Estimate {
		seed++
		target := must(energy.NewIsotropicGaussian(make([]float64, d), 1))
		init := must(ebmkit.Draw(target, walkers, seed))
		return ebmkit.MeanOf(run(t, target, m, Config{Walkers: walkers, Draws: 1, Thin: 2, Seed: seed, Init: init}).Accept)
	}
	for _, s := range []float64{0.3, 1, 2.4, 8} {
		a := measure(RWM{Step: s}, 1, sized(40_000, 10_000))
		want := 2 / math.Pi * math.Atan(2/s)
		t.Logf("d = 1, RWM step %g: acceptance %v, (2/pi) arctan(2/s) = %.4f, z = %.2f", s, a, want, a.Z(want))
		if math.Abs(a.Z(want)) > 4 {
			t.Errorf("d = 1, RWM step %g: z = %.2f", s, a.Z(want))
		}
	}
	for _, c := range scaled {
		for _, l := range c.ls {
			const d = 100
			a, want := measure(c.method(l, d), d, sized(10_000, 2_000)), exactAcceptance(c.form(l, d), d)
			t.Logf("d = %d, %s, l = %g: acceptance %v, exact %.4f, z = %.2f, limit %.4f", d, c.name, l, a, want, a.Z(want), c.limit(l))
			if math.Abs(a.Z(want)) > 4 {
				t.Errorf("%s, l = %g: z = %.2f", c.name, l, a.Z(want))
			}
			// The distance to the limit goes to zero.
			far, near := math.Abs(exactAcceptance(c.form(l, 1000), 1000)-c.limit(l)), math.Abs(exactAcceptance(c.form(l, 1e9), 1e9)-c.limit(l))
			if near > 2e-3 || near > far {
				t.Errorf("%s, l = %g: %g from the limit at d = 1e9, %g at d = 1000", c.name, l, near, far)
			}
		}
		// A step that is 5 % off is told apart.
		l := c.ls[2]
		if z := measure(c.method(1.05*l, 100), 100, sized(10_000, 4_000)).Z(exactAcceptance(c.form(l, 100), 100)); math.Abs(z) < 4 {
			t.Errorf("%s: a step 5 %% too large has z = %.2f: the test has no power", c.name, z)
		}
	}
}

// The efficiency l^2 a (RWM, MALA) or l a (HMC) is largest at acceptance 0.234,
// 0.574 and 0.651, and flat around it: within 5 % over the
// ranges of the acceptance rate, to the percent.
func TestEfficiencyMaxima(t *testing.T) {
	for _, c := range scaled {
		best, at := 0.0, 0.0
		eff := func(l float64) float64 { return math.Pow(l, c.speed) * c.limit(l) }
		for l := 0.1; l < 6; l += 1e-4 {
			if e := eff(l); e > best {
				best, at = e, l
			}
		}
		t.Logf("%s: best l = %.3f at acceptance %.4f", c.name, at, c.limit(at))
		if math.Abs(c.limit(at)-c.optimum) > 5e-4 {
			t.Errorf("%s: optimum at acceptance %.4f, want %.3f", c.name, c.limit(at), c.optimum)
		}
		for l := 0.1; l < 6; l += 1e-3 {
			if a := c.limit(l); a >= c.flat[0] && a <= c.flat[1] && eff(l) < 0.945*best {
				t.Errorf("%s: efficiency %.3f of the best at acceptance %.3f", c.name, eff(l)/best, a)
			}
		}
		k := must(c.method(at, 100).Bind(must(energy.NewIsotropicGaussian(make([]float64, 100), 1)), 1)).(Tuner)
		if k.Optimum() != c.optimum {
			t.Errorf("%s: Optimum() = %v, want %v", c.name, k.Optimum(), c.optimum)
		}
	}
}

// The squared jump of RWM and l^2 times the measured acceptance of MALA at d =
// 100 are largest near acceptance 0.234 and 0.574: the maximum of a parabola
// fitted to the logarithm, over repetitions, against the same fit to the exact
// curve.
func TestMeasuredEfficiencyIsLargestAtTheOptimum(t *testing.T) {
	numbersOnly(t)
	const d = 100
	target := must(energy.NewIsotropicGaussian(make([]float64, d), 1))
	for i, space := range []float64{0.08, 0.04} {
		c := scaled[i]
		mid := c.ls[2]
		peak := func(eff func(l float64) float64) float64 { // acceptance at the fitted maximum
			var s2, s4, y0, y1, y2 float64
			const n = 9
			for i := range n {
				z := float64(i - n/2)
				y := math.Log(eff(mid * math.Exp(space*z)))
				s2, s4 = s2+z*z, s4+z*z*z*z
				y0, y1, y2 = y0+y, y1+y*z, y2+y*z*z
			}
			slope, curve := y1/s2, (y2-s2/n*y0)/(s4-s2*s2/n)
			return exactAcceptance(c.form(mid*math.Exp(-space*slope/(2*curve)), d), d)
		}
		var peaks []float64
		for rep := range uint64(8) {
			init := must(ebmkit.Draw(target, sized(4000, 1500), rep))
			peaks = append(peaks, peak(func(l float64) float64 {
				ch := run(t, target, c.method(l, d), Config{Walkers: init.N, Draws: 1, Seed: rep, Init: init})
				if c.name == "MALA" {
					return l * l * sum(ch.Accept)
				}
				var s float64
				for i, x := range ch.X {
					s += (x - init.X[i]) * (x - init.X[i])
				}
				return s
			}))
		}
		fit := ebmkit.MeanOf(peaks)
		want := peak(func(l float64) float64 { return l * l * exactAcceptance(c.form(l, d), d) })
		t.Logf("%s, d = %d: largest at acceptance %v; exact curve %.4f (z = %.2f); limit %.3f", c.name, d, fit, want, fit.Z(want), c.optimum)
		if math.Abs(fit.Z(want)) > 4 || math.Abs(want-c.optimum) > 0.02 {
			t.Errorf("%s: the maximum is at acceptance %v, want %.3f at d = %d and %.3f in the limit", c.name, fit, want, d, c.optimum)
		}
	}
}
