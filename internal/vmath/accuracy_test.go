package vmath

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ebmkit/hitchhiker/internal/race"
)

// The oracle: exp and sin by their power series in math/big, the rest from them.

const prec = 260

func bf(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }
func bn() *big.Float          { return new(big.Float).SetPrec(prec) }

var bigPi, _ = bn().SetString("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798214808651328230664709384460955058223172535940812848111745")

// bigExp returns e^x: the series for x/2^k below 1/16, squared k times.
func bigExp(x *big.Float) *big.Float {
	k := max(0, x.MantExp(nil)+4)
	r := bn().SetMantExp(x, -k)
	sum, term := bf(1), bf(1)
	for n := 1; n < 60; n++ {
		term.Mul(term, r).Quo(term, bf(float64(n)))
		sum.Add(sum, term)
	}
	for range k {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLog corrects math/big's missing logarithm: y + log(x e^-y) with y good to
// 1e-13 and three terms of the series.
func bigLog(x *big.Float) *big.Float {
	m := bn()
	k := x.MantExp(m)
	f, _ := m.Float64()
	y := bn().Add(bf(math.Log(f)), bn().Mul(bf(float64(k)), bigLn2))
	e := bn().Sub(bn().Mul(x, bigExp(bn().Neg(y))), bf(1))
	e2 := bn().Mul(e, e)
	y.Add(y, e).Sub(y, bn().Quo(e2, bf(2)))
	e3 := bn().Mul(e2, e)
	e4 := bn().Mul(e2, e2)
	return y.Add(y, e3.Quo(e3, bf(3))).Sub(y, e4.Quo(e4, bf(4)))
}

var bigLn2, _ = bn().SetString("0.693147180559945309417232121458176568075500134360255254120680009493393621969694715605863326996418687542147932140170819150614827022")

// bigSin returns sin(x) for |x| <= 7.
func bigSin(x *big.Float) *big.Float {
	x2 := bn().Mul(x, x)
	sum, term := bn().Set(x), bn().Set(x)
	for n := 2; n < 90; n += 2 {
		term.Mul(term, x2).Quo(term, bf(float64(-n*(n+1))))
		sum.Add(sum, term)
	}
	return sum
}

// bigErfc returns erfc(x), 0 <= x <= 28, by the series of erf at a precision
// that survives the cancellation.
func bigErfc(x float64) *big.Float {
	const p = 3400
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(p).SetFloat64(v) }
	if x == 0 {
		return f(1)
	}
	x2 := f(x)
	x2.Mul(x2, x2)
	// erf = 2/sqrt(pi) e^(-x^2) sum x (2x^2)^n / (1 3 5 ... (2n+1)), all positive;
	// e^(-x^2) by its own series of the positive exponent.
	sum, term := f(x), f(x)
	for n := 1; ; n++ {
		term.Mul(term, x2).Mul(term, f(2)).Quo(term, f(float64(2*n+1)))
		sum.Add(sum, term)
		if n > 50 && term.MantExp(nil) < sum.MantExp(nil)-p {
			break
		}
	}
	e, t := f(1), f(1)
	for n := 1; ; n++ {
		t.Mul(t, x2).Quo(t, f(float64(n)))
		e.Add(e, t)
		if n > 50 && t.MantExp(nil) < e.MantExp(nil)-p {
			break
		}
	}
	sum.Quo(sum, e).Mul(sum, f(2)).Quo(sum, longSqrtPi())
	return sum.Sub(f(1), sum)
}

var longPi *big.Float

// longSqrtPi computes pi by Machin's formula once.
func longSqrtPi() *big.Float {
	if longPi == nil {
		const p = 3500
		f := func(v int64) *big.Float { return new(big.Float).SetPrec(p).SetInt64(v) }
		arctan := func(inv int64) *big.Float {
			sum, term := f(0), new(big.Float).SetPrec(p).Quo(f(1), f(inv))
			for n := int64(0); term.MantExp(nil) > -p; n++ {
				s := new(big.Float).SetPrec(p).Quo(term, f(2*n+1))
				if n%2 == 1 {
					s.Neg(s)
				}
				sum.Add(sum, s)
				term.Quo(term, f(inv*inv))
			}
			return sum
		}
		a, b := arctan(5), arctan(239)
		a.Mul(a, f(16)).Sub(a, b.Mul(b, f(4)))
		longPi = a.Sqrt(a)
	}
	return longPi
}

// relErr returns |got - want|/|want|, counting as none an error of at most the
// smallest subnormal.
func relErr(got float64, want *big.Float) float64 {
	if w, _ := want.Float64(); math.IsInf(got, 0) || math.IsNaN(got) {
		if got == w {
			return 0
		}
		return math.Inf(1)
	}
	d := new(big.Float).SetPrec(want.Prec()).Sub(bf(got), want)
	if d.Sign() == 0 {
		return 0
	}
	d.Abs(d)
	if d.Cmp(big.NewFloat(5e-324)) <= 0 {
		return 0
	}
	if want.Sign() == 0 {
		return math.Inf(1)
	}
	d.Quo(d, new(big.Float).Abs(want))
	r, _ := d.Float64()
	return r
}

// bigTailCDF returns the normal CDF at x <= 0.
func bigTailCDF(x float64) *big.Float {
	// erfc at a float64 near -x/sqrt2, moved to the exact point by three terms
	// of the Taylor series.
	root := new(big.Float).SetPrec(3400).SetInt64(2)
	root.Sqrt(root)
	y := new(big.Float).SetPrec(3400).SetFloat64(-x)
	y.Quo(y, root)
	y0, _ := y.Float64()
	v := bigErfc(y0)
	h := new(big.Float).SetPrec(3400).Sub(y, new(big.Float).SetPrec(3400).SetFloat64(y0))
	b := func(f float64) *big.Float { return new(big.Float).SetPrec(3400).SetFloat64(f) }
	yy := bn().Mul(bf(y0), bf(y0))
	slope := new(big.Float).SetPrec(3400).Quo(b(2), longSqrtPi())
	slope.Mul(slope, bigExp(yy.Neg(yy)))
	lin := new(big.Float).SetPrec(3400).Mul(slope, h)
	quad := new(big.Float).SetPrec(3400).Mul(lin, h)
	quad.Mul(quad, b(y0))
	v.Sub(v, lin).Add(v, quad)
	return v.Quo(v, b(2))
}

const goal = 1e-14

func worst(t *testing.T, name string, n int, draw func() float64, f func(float64) float64, oracle func(float64) *big.Float) {
	t.Helper()
	top, at := 0.0, 0.0
	for range n {
		x := draw()
		if e := relErr(f(x), oracle(x)); e > top {
			top, at = e, x
		}
	}
	t.Logf("%-24s max relative error %.2e at %v, %d points", name, top, at, n)
	if top > goal {
		t.Errorf("%s(%v) = %v: relative error %.2e > %.0e", name, at, f(at), top, goal)
	}
}

func TestAccuracy(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	r := rand.New(rand.NewPCG(7, 8))
	n := size(1000, 5_000)
	uniform := func(a, b float64) func() float64 { return func() float64 { return a + (b-a)*r.Float64() } }
	scaled := func(lo, hi int, sign bool) func() float64 {
		return func() float64 {
			x := math.Ldexp(1+r.Float64(), lo+r.IntN(hi-lo))
			if sign && r.IntN(2) == 0 {
				x = -x
			}
			return x
		}
	}
	one := bf(1)
	exp := func(x float64) *big.Float { return bigExp(bf(x)) }
	expm1 := func(x float64) *big.Float {
		if math.Abs(x) < 1e-30 { // the next term is below 1e-60
			v := bf(x)
			h := bn().Mul(v, v)
			return v.Add(v, h.Quo(h, bf(2)))
		}
		return bn().Sub(exp(x), one)
	}
	log := func(x float64) *big.Float { return bigLog(bf(x)) }
	log1p := func(x float64) *big.Float {
		if math.Abs(x) < 1e-30 {
			v := bf(x)
			h := bn().Mul(v, v)
			return v.Sub(v, h.Quo(h, bf(2)))
		}
		return bigLog(bn().Add(bf(x), one))
	}
	tanh := func(x float64) *big.Float {
		if math.Abs(x) < 1e-20 {
			return bf(x)
		}
		e := bigExp(bn().Mul(bf(x), bf(2)))
		return bn().Quo(bn().Sub(e, one), bn().Add(e, one))
	}
	sigmoid := func(x float64) *big.Float { return bn().Quo(one, bn().Add(one, exp(-x))) }
	softplus := func(x float64) *big.Float {
		e := exp(x)
		if x < -100 {
			return e
		}
		return bigLog(bn().Add(one, e))
	}

	worst(t, "Exp dense", n, uniform(-2, 2), Exp, exp)
	worst(t, "Exp full", n, uniform(-745.2, 709.78), Exp, exp)
	worst(t, "Exp subnormal", n, uniform(-745.13, -708), Exp, exp)
	worst(t, "Expm1 dense", n, uniform(-2, 2), Expm1, expm1)
	worst(t, "Expm1 full", n, uniform(-60, 709.78), Expm1, expm1)
	worst(t, "Expm1 small", n, scaled(-1074, 0, true), Expm1, expm1)
	worst(t, "Log near 1", n, uniform(0.5, 2), Log, log)
	worst(t, "Log at 1", n, func() float64 {
		if x := 1 + math.Ldexp(r.NormFloat64(), -r.IntN(52)-3); x != 1 {
			return x
		}
		return math.Nextafter(1, 2)
	}, Log, log)
	worst(t, "Log full", n, scaled(-1074, 1023, false), Log, log)
	worst(t, "Log subnormal", n, scaled(-1074, -1022, false), Log, log)
	worst(t, "Log1p dense", n, uniform(-0.99, 3), Log1p, log1p)
	worst(t, "Log1p small", n, scaled(-1074, 0, false), Log1p, log1p)
	worst(t, "Log1p negative", n, func() float64 { return -math.Ldexp(1+r.Float64(), -1-r.IntN(1073)) * (1 - 0x1p-30) }, Log1p, log1p)
	worst(t, "Log1p large", n, scaled(0, 1023, false), Log1p, log1p)
	worst(t, "Tanh dense", n, uniform(-3, 3), Tanh, tanh)
	worst(t, "Tanh full", n, uniform(-30, 30), Tanh, tanh)
	worst(t, "Tanh small", n, scaled(-1074, 0, true), Tanh, tanh)
	worst(t, "Sigmoid dense", n, uniform(-4, 4), Sigmoid, sigmoid)
	worst(t, "Sigmoid full", n, uniform(-745, 745), Sigmoid, sigmoid)
	worst(t, "Softplus dense", n, uniform(-4, 4), Softplus, softplus)
	worst(t, "Softplus full", n, uniform(-745, 745), Softplus, softplus)

	sin := func(u float64) *big.Float {
		v := u - math.RoundToEven(u) // exact
		if v == 0 || math.Abs(v) == 0.5 {
			return bn()
		}
		return bigSin(bn().Mul(bf(2*v), bigPi))
	}
	cos := func(u float64) *big.Float {
		v := bn().Add(bf(0.25), bf(u-math.RoundToEven(u)))
		return bigSin(v.Mul(v.Mul(v, bf(2)), bigPi))
	}
	sin1 := func(u float64) float64 { s, _ := SinCos2Pi(u); return s }
	cos1 := func(u float64) float64 { _, c := SinCos2Pi(u); return c }
	worst(t, "Sin2Pi turn", n, uniform(-1, 1), sin1, sin)
	worst(t, "Cos2Pi turn", n, uniform(-1, 1), cos1, cos)
	worst(t, "Sin2Pi small", n, scaled(-1000, 0, true), sin1, sin)
	worst(t, "Sin2Pi large", n, scaled(0, 60, true), sin1, sin)

	m := size(60, 600)
	erf := func(x float64) *big.Float {
		c := bigErfc(math.Abs(x))
		c.Sub(new(big.Float).SetPrec(c.Prec()).SetInt64(1), c)
		if x < 0 {
			c.Neg(c)
		}
		return c
	}
	erfc := func(x float64) *big.Float {
		c := bigErfc(math.Abs(x))
		if x < 0 {
			c.Sub(new(big.Float).SetPrec(c.Prec()).SetInt64(2), c)
		}
		return c
	}
	cdf := func(x float64) *big.Float {
		c := bigTailCDF(-math.Abs(x))
		if x > 0 {
			c.Sub(new(big.Float).SetPrec(c.Prec()).SetInt64(1), c)
		}
		return c
	}
	worst(t, "Erf", m, uniform(-3, 3), Erf, erf)
	worst(t, "Erf small", m, scaled(-40, 0, true), Erf, erf)
	worst(t, "Erfc", m, uniform(-2, 6), Erfc, erfc)
	worst(t, "Erfc tail", m, uniform(6, 27.2), Erfc, erfc)
	worst(t, "NormalCDF", m, uniform(-6, 6), NormalCDF, cdf)
	worst(t, "NormalCDF tail", m, uniform(-38.4, -6), NormalCDF, cdf)
}

// The quantile against the CDF in big arithmetic: one Newton step from the
// returned x, whose size is the error.
func TestNormalQuantile(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	r := rand.New(rand.NewPCG(9, 10))
	top, at := 0.0, 0.0
	check := func(p float64) {
		x := NormalQuantile(p)
		c := bigTailCDF(-math.Abs(x))
		if x > 0 {
			c.Sub(new(big.Float).SetPrec(c.Prec()).SetInt64(1), c)
		}
		c.Sub(c, bf(p))
		c.Quo(c, bigExp(bn().Mul(bn().Mul(bf(x), bf(x)), bf(-0.5))))
		d, _ := c.Float64()
		e := math.Abs(d * math.Sqrt(2*math.Pi) / x)
		if e > top {
			top, at = e, p
		}
	}
	for range size(60, 500) {
		check(r.Float64())
		check(math.Ldexp(1+r.Float64(), -2-r.IntN(1010)))
		check(0.5 + math.Ldexp(r.Float64()-0.5, -r.IntN(40)))
	}
	t.Logf("NormalQuantile: max relative error %.2e at p = %v", top, at)
	if top > goal {
		t.Errorf("NormalQuantile(%v): relative error %.2e", at, top)
	}
	for p, want := range map[float64]float64{0: math.Inf(-1), 1: math.Inf(1), -0.1: math.NaN(), 1.1: math.NaN(), 0.5: 0, math.NaN(): math.NaN()} {
		if got := NormalQuantile(p); !same(got, want) {
			t.Errorf("NormalQuantile(%v) = %v, want %v", p, got, want)
		}
	}
}

// Both numbers of boxMuller against its formula, also for the largest and the
// smallest radius.
func TestBoxMullerAccuracy(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	var top float64
	for i := range size(1000, 10_000) {
		v, w := r.Uint64(), r.Uint64()
		switch i % 8 {
		case 0: // 2 - OneTwo(v) near 0
			v = ^(r.Uint64() >> (r.IntN(50) + 1))
		case 1: // near 1
			v = r.Uint64() >> (r.IntN(50) + 1)
		case 2: // an angle near a quarter's middle
			w = 1<<63 + r.Uint64()>>(r.IntN(50)+10)
		}
		u := 2 - OneTwo(v)
		if u == 1 {
			continue // both numbers are 0
		}
		rad := bn().Mul(bigLog(bf(u)), bf(-2))
		rad.Sqrt(rad)
		turn := OneTwo(w) - 1.5
		a := bn().Mul(bn().Quo(bigPi, bf(2)), bf(turn))
		sin, cos := bigSin(a), bigSin(bn().Add(a, bn().Quo(bigPi, bf(2))))
		if w&2 != 0 {
			cos.Neg(cos)
		}
		if w&1 != 0 {
			sin, cos = cos, sin
		}
		x, y := boxMuller(v, w)
		for _, c := range []struct {
			got  float64
			want *big.Float
		}{{x, cos.Mul(cos, rad)}, {y, sin.Mul(sin, rad)}} {
			if e := relErr(c.got, c.want); turn != 0 && e > top {
				top = e
			}
		}
	}
	t.Logf("boxMuller: max relative error %.2e", top)
	if top > goal {
		t.Errorf("boxMuller: relative error %.2e", top)
	}
}

// The accuracy test can fail: a logarithm whose reduction drops ln2Lo, and an
// exponential in which one coefficient is off by 1e-9, are caught.
func TestAccuracyCatchesErrors(t *testing.T) {
	wrongLog := func(x float64) float64 {
		k := math.Floor(math.Log2(x))
		return math.FMA(k, ln2Hi, Log(math.Ldexp(x, -int(k))))
	}
	wrongExp := func(x float64) float64 { return Exp(x) + 1e-9*e4*x*x*x*x*x*x }
	r := rand.New(rand.NewPCG(11, 12))
	var badLog, badExp float64
	for range 100 {
		x := math.Ldexp(1+r.Float64(), r.IntN(100)+1)
		badLog = max(badLog, relErr(wrongLog(x), bigLog(bf(x))))
		x = r.Float64()
		badExp = max(badExp, relErr(wrongExp(x), bigExp(bf(x))))
	}
	if badLog < goal || badExp < goal {
		t.Errorf("errors of %.1e and %.1e pass", badLog, badExp)
	}
}
