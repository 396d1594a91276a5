package vmath

import "math"

const (
	sqrtHalfBits = 0x3fe6a09e667f3bcd // bits of sqrt(1/2)
	oneBits      = 0x3ff0000000000000
	mantissa     = 0x000fffffffffffff

	// intMagic's bits or-ed with an integer below 2^52 are intMagic + integer.
	intMagic     = 0x1p52
	intMagicBits = 0x4330000000000000

	minNormal = 0x1p-1022
)

// (log((1+s)/(1-s)) - 2s)/(s z) with z = s^2, |s| <= (sqrt2-1)/(sqrt2+1),
// interpolated at Chebyshev nodes; it puts 1e-17 of relative error on the log.
const (
	l0 = 0x1.5555555555558p-1
	l1 = 0x1.99999999952e2p-2
	l2 = 0x1.2492492df148dp-2
	l3 = 0x1.c71c62e5800a1p-3
	l4 = 0x1.7462b4ab2ef6bp-3
	l5 = 0x1.39fe606542ddep-3
	l6 = 0x1.2b584aae78a57p-3
)

// logNormal returns log(x) for finite x >= minNormal; bias is intMagic + 1023
// plus any power of two by which x was scaled.
func logNormal(x, bias float64) float64 {
	// x = 2^k (1+f) with sqrt(1/2) <= 1+f < sqrt(2).
	ix := math.Float64bits(x) + (oneBits - sqrtHalfBits)
	k := math.Float64frombits(ix>>52|intMagicBits) - bias
	f := math.Float64frombits(ix&mantissa+sqrtHalfBits) - 1
	// log(1+f) = f - f^2/2 + s (f^2/2 + R(s^2)), s = f/(2+f): f is exact, the
	// rest is small.
	s := f / (f + 2)
	z := float64(s * s)
	z2 := float64(z * z)
	a0 := math.FMA(l1, z, l0)
	a1 := math.FMA(l3, z, l2)
	a2 := math.FMA(l5, z, l4)
	a2 = math.FMA(l6, z2, a2)
	a1 = math.FMA(a2, z2, a1)
	a0 = math.FMA(a1, z2, a0)
	half := float64(float64(0.5*f) * f)
	t := math.FMA(a0, z, half)
	t = math.FMA(k, ln2Lo, float64(s*t))
	return math.FMA(k, ln2Hi, f-(half-t))
}

// Log returns the natural logarithm of x: -Inf at 0, NaN below.
func Log(x float64) float64 {
	switch {
	case x >= minNormal && x <= math.MaxFloat64:
		return logNormal(x, intMagic+1023)
	case x > 0 && x < minNormal:
		return logNormal(x*0x1p54, intMagic+1023+54)
	case x == 0:
		return math.Inf(-1)
	case x < 0:
		return math.NaN()
	}
	return x // +Inf and NaN
}

// Log1p returns log(1 + x), accurate for small x: -Inf at -1, NaN below.
func Log1p(x float64) float64 {
	switch {
	case x > -1 && x <= math.MaxFloat64:
		return math.Copysign(log1pFinite(x), x)
	case x == -1:
		return math.Inf(-1)
	case x < -1:
		return math.NaN()
	}
	return x // +Inf and NaN
}

// log1pFinite returns log(1+x) for finite x > -1, and some NaN for NaN.
func log1pFinite(x float64) float64 {
	// 1 + x = u + c exactly, and log(u+c) = log(u) + c/u to the last bit.
	u := 1 + x
	b := u - 1
	c := (1 - (u - b)) + (x - b)
	return logNormal(u, intMagic+1023) + c/u
}
