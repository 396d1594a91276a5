package vmath

import "math"

const (
	log2e = 0x1.71547652b82fep+0
	ln2Hi = 0x1.62e42feep-1 // log 2 to 32 bits: k*ln2Hi is exact
	ln2Lo = 0x1.a39ef35793c76p-33

	// roundMagic added to |t| < 2^51 leaves round(t) in the low bits.
	roundMagic = 0x1.8p52
	kBias      = 0x4338000000000000 // its bits

	// Beyond expFast, 2^k leaves the normal range.
	expFast = 708
	expMax  = 710  // exp(710) overflows
	expMin  = -746 // exp(-746) rounds to 0
)

// (e^r - 1 - r)/r^2 on |r| <= log(2)/2, interpolated at Chebyshev nodes; it
// puts 1.3e-17 of relative error on e^r.
const (
	e0 = 0x1.0000000000001p-1
	e1 = 0x1.5555555555556p-3
	e2 = 0x1.5555555553d63p-5
	e3 = 0x1.11111111109b3p-7
	e4 = 0x1.6c16c1788bd90p-10
	e5 = 0x1.a01a01a7c41d5p-13
	e6 = 0x1.a019b90d2ae7ap-16
	e7 = 0x1.71de0dae63bb3p-19
	e8 = 0x1.289185613a3d6p-22
	e9 = 0x1.af38a9b0ec855p-26
)

// expReduce splits x = k log 2 + r and returns the bits of roundMagic + k, and
// e^r - 1.
func expReduce(x float64) (kbits uint64, em1 float64) {
	t := math.FMA(x, log2e, roundMagic)
	k := t - roundMagic
	r := math.FMA(k, -ln2Hi, x)
	r = math.FMA(k, -ln2Lo, r)
	r2 := float64(r * r)
	r4 := float64(r2 * r2)
	a0 := math.FMA(e1, r, e0)
	a1 := math.FMA(e3, r, e2)
	a2 := math.FMA(e5, r, e4)
	a3 := math.FMA(e7, r, e6)
	a4 := math.FMA(e9, r, e8)
	b0 := math.FMA(a1, r2, a0)
	b1 := math.FMA(a3, r2, a2)
	b1 = math.FMA(a4, r4, b1)
	b0 = math.FMA(b1, r4, b0)
	return math.Float64bits(t), math.FMA(b0, r2, r)
}

// Exp returns e^x.
func Exp(x float64) float64 {
	if math.Abs(x) <= expFast {
		k, em1 := expReduce(x)
		return math.Float64frombits(math.Float64bits(1+em1) + k<<52)
	}
	if x != x {
		return x
	}
	kbits, em1 := expReduce(min(max(x, expMin), expMax))
	// 2^k in two factors, so that only the last product can round.
	k := kbits - (kBias - 2048) // k + 2048 > 0
	h := k >> 1
	p := float64((1 + em1) * math.Float64frombits((h-1)<<52))
	return float64(p * math.Float64frombits((k-h-1)<<52))
}

// Expm1 returns e^x - 1, accurate for small x.
func Expm1(x float64) float64 {
	if x != x || math.Abs(x) < 0x1p-54 {
		return x
	}
	return expm1(min(max(x, -50), expMax))
}

// expm1 returns e^x - 1 for -50 <= x <= expMax; its last step halves and
// doubles, which the smallest subnormals do not survive.
func expm1(x float64) float64 {
	k, em1 := expReduce(x)
	h := math.Float64frombits(k<<52 + 1022<<52) // 2^(k-1); 2^k could overflow
	return float64(2 * math.FMA(h, em1, h-0.5))
}

// Tanh returns the hyperbolic tangent of x.
func Tanh(x float64) float64 {
	if x != x {
		return x
	}
	e := expm1(min(2*math.Abs(x), 44)) // tanh(22) rounds to 1
	return math.Copysign(e/(e+2), x)
}

// Sigmoid returns 1/(1 + e^-x).
func Sigmoid(x float64) float64 {
	e := Exp(-math.Abs(x))
	if x >= 0 {
		return 1 / (1 + e)
	}
	return e / (1 + e)
}

// Softplus returns log(1 + e^x).
func Softplus(x float64) float64 {
	return log1pFinite(Exp(-math.Abs(x))) + max(x, 0)
}
