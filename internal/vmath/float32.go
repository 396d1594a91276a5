package vmath

import "math"

// The activations of networks in float32, with their derivatives; each is again
// one sequence of IEEE operations, in float32. Functions are good to a relative,
// derivatives to an absolute 5e-7, apart from subnormal results; e^-|x| counts
// as 0 where |x| > 87.

const (
	log2e32 float32 = 0x1.715476p+0
	ln2Hi32 float32 = 0x1.62e43p-1
	ln2Lo32 float32 = -0x1.05c61p-29
	magic32 float32 = 0x1.8p23
)

// (e^r - 1 - r)/r^2 on |r| <= log(2)/2; error 8e-9 of e^r.
const (
	e320 float32 = 0x1p-1
	e321 float32 = 0x1.5554dcp-3
	e322 float32 = 0x1.55551ap-5
	e323 float32 = 0x1.120b6ep-7
	e324 float32 = 0x1.6d110ap-10
)

// (log((1+s)/(1-s)) - 2s)/(s z), z = s^2 <= 1/9; error 2e-8 of the logarithm.
const (
	l320 float32 = 0x1.55554cp-1
	l321 float32 = 0x1.99ad6cp-2
	l322 float32 = 0x1.21249ap-2
	l323 float32 = 0x1.12f598p-2
)

// expReduce32 is expReduce for -87 <= x <= 0.
func expReduce32(x float32) (kbits uint32, em1 float32) {
	t := FMA32(x, log2e32, magic32)
	k := t - magic32
	r := FMA32(k, -ln2Hi32, x)
	r = FMA32(k, -ln2Lo32, r)
	r2 := float32(r * r)
	a0 := FMA32(e321, r, e320)
	a1 := FMA32(e323, r, e322)
	a1 = FMA32(r2, e324, a1)
	a0 = FMA32(a1, r2, a0)
	return math.Float32bits(t), FMA32(a0, r2, r)
}

// expMinus32 returns e^-|x|, 0 for |x| > 87.
func expMinus32(x float32) float32 {
	if abs32(x) > 87 {
		return 0
	}
	k, em1 := expReduce32(above32(-87, -abs32(x)))
	return math.Float32frombits(math.Float32bits(1+em1) + k<<23)
}

// above32 returns the larger of lo and x, and x where x is NaN.
func above32(lo, x float32) float32 {
	if lo > x {
		return lo
	}
	return x
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// sigmoid32 returns 1/(1 + e^-x), given e = e^-|x|.
func sigmoid32(x, e float32) float32 {
	if x >= 0 {
		return 1 / (1 + e)
	}
	return e / (1 + e)
}

// Sigmoid32 returns 1/(1 + e^-x).
func Sigmoid32(x float32) float32 { return sigmoid32(x, expMinus32(x)) }

// SiLU32 returns x/(1 + e^-x) and its derivative; x is finite or NaN.
func SiLU32(x float32) (y, dy float32) {
	// e^-x for x from -87 to 87, beyond which a sigmoid of 1e-38 counts as 0.
	m := above32(-87, x)
	c := m
	if c > 87 {
		c = 87
	}
	t := FMA32(c, -log2e32, magic32)
	k := t - magic32
	r := FMA32(k, ln2Hi32, c) // minus the r of expReduce32
	r = FMA32(k, ln2Lo32, r)
	r2 := float32(r * r)
	a0 := FMA32(-e321, r, e320)
	a1 := FMA32(-e323, r, e322)
	a1 = FMA32(r2, e324, a1)
	a0 = FMA32(a1, r2, a0)
	e := FMA32(FMA32(a0, r, -1), r, 1)
	e = math.Float32frombits(math.Float32bits(e) + math.Float32bits(t)<<23)
	s := 1 / (1 + e)
	return float32(m * s), FMA32(float32(c*s), float32(e*s), s)
}

// SiLU returns x/(1 + e^-x) and its derivative; x is finite or NaN.
func SiLU(x float64) (y, dy float64) {
	e := Exp(-math.Abs(x))
	s := 1 / (1 + e)
	t := float64(e * s)
	if !(x >= 0) {
		s, t = t, s
	}
	y = float64(x * s)
	return y, math.FMA(y, t, s)
}

// Tanh32 returns the hyperbolic tangent of x and its derivative.
func Tanh32(x float32) (y, dy float32) {
	k, em1 := expReduce32(above32(-40, -2*abs32(x)))
	h := math.Float32frombits(k<<23 + 127<<23)
	m := FMA32(h, em1, h-1) // e^-2|x| - 1
	y = abs32(m / (m + 2))
	y = math.Float32frombits(math.Float32bits(y) | math.Float32bits(x)&(1<<31))
	return y, FMA32(-y, y, 1)
}

// Softplus32 returns log(1 + e^x) and its derivative, the sigmoid.
func Softplus32(x float32) (y, dy float32) {
	e := expMinus32(x)
	// log(1+e) = 2s + s z P(z), s = e/(2+e), z = s^2.
	s := e / (e + 2)
	z := float32(s * s)
	a0 := FMA32(l321, z, l320)
	a1 := FMA32(l323, z, l322)
	a0 = FMA32(a1, float32(z*z), a0)
	y = FMA32(float32(s*z), a0, s+s) + above32(0, x)
	return y, sigmoid32(x, e)
}

// FMA32 returns x*y + z with one rounding. In float64 the product is exact; the
// sum is rounded to odd, after which rounding to float32 is as if it were the
// first (Boldo and Melquiond, 2008).
func FMA32(x, y, z float32) float32 {
	p, c := float64(x)*float64(y), float64(z)
	s := p + c
	if b := math.Float64bits(s); b&0x1fffffff == 0x10000000 || math.Abs(s) < 0x1p-125 {
		// s may lie in the middle of two float32: what did the sum lose?
		t := s - p
		lost := (p - (s - t)) + (c - t)
		if lost != 0 && b&1 == 0 {
			if (lost > 0) == (s > 0) {
				b++
			} else {
				b--
			}
			s = math.Float64frombits(b)
		}
	}
	return float32(s)
}

// The slice forms write f(x[i]) into y[i] and, where the function has one, the
// derivative into dy[i] unless dy is nil. y may be x; dy must not overlap
// either.

// Mul32Slice multiplies dst[i] by x[i], the step of the chain rule.
func Mul32Slice(dst, x []float32) {
	n := whole(len(dst), len(x), 8)
	if n > 0 {
		mul32AVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] *= x[i]
	}
}

// Sigmoid32Slice writes Sigmoid32(x[i]) into y[i].
func Sigmoid32Slice(y, x []float32) {
	n := whole(len(y), len(x), 8)
	if n > 0 {
		sigmoid32AVX2(&y[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		y[i] = Sigmoid32(x[i])
	}
}

// SiLU32Slice writes SiLU32(x[i]) into y[i] and dy[i].
func SiLU32Slice(y, dy, x []float32) {
	n := whole(len(y), len(x), 8)
	if dy != nil && len(dy) != len(x) {
		panic("vmath: slices of different lengths")
	}
	if n > 0 {
		var d *float32
		if dy != nil {
			d = &dy[0]
		}
		silu32AVX2(&y[0], d, &x[0], n)
	}
	for i := n; i < len(x); i++ {
		v, d := SiLU32(x[i])
		y[i] = v
		if dy != nil {
			dy[i] = d
		}
	}
}

// Tanh32Slice writes Tanh32(x[i]) into y[i] and dy[i].
func Tanh32Slice(y, dy, x []float32) {
	n := whole(len(y), len(x), 8)
	if dy != nil && len(dy) != len(x) {
		panic("vmath: slices of different lengths")
	}
	if n > 0 {
		var d *float32
		if dy != nil {
			d = &dy[0]
		}
		tanh32AVX2(&y[0], d, &x[0], n)
	}
	for i := n; i < len(x); i++ {
		v, d := Tanh32(x[i])
		y[i] = v
		if dy != nil {
			dy[i] = d
		}
	}
}

// Softplus32Slice writes Softplus32(x[i]) into y[i] and dy[i].
func Softplus32Slice(y, dy, x []float32) {
	n := whole(len(y), len(x), 8)
	if dy != nil && len(dy) != len(x) {
		panic("vmath: slices of different lengths")
	}
	if n > 0 {
		var d *float32
		if dy != nil {
			d = &dy[0]
		}
		softplus32AVX2(&y[0], d, &x[0], n)
	}
	for i := n; i < len(x); i++ {
		v, d := Softplus32(x[i])
		y[i] = v
		if dy != nil {
			dy[i] = d
		}
	}
}

// SiLUSlice writes SiLU(x[i]) into y[i] and dy[i].
func SiLUSlice(y, dy, x []float64) {
	n := whole(len(y), len(x), 4)
	if dy != nil && len(dy) != len(x) {
		panic("vmath: slices of different lengths")
	}
	if n > 0 {
		var d *float64
		if dy != nil {
			d = &dy[0]
		}
		siluAVX2(&y[0], d, &x[0], n)
	}
	for i := n; i < len(x); i++ {
		v, d := SiLU(x[i])
		y[i] = v
		if dy != nil {
			dy[i] = d
		}
	}
}
