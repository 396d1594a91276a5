package vmath

import (
	"math"
	"math/bits"
)

// Lanes is the state of four xoshiro256++ generators (Blackman and Vigna,
// "Scrambled linear pseudorandom number generators", 2021): word j of lane k is
// Lanes[4*j+k]. One step gives four words, one of each lane. No lane may be all
// zeros.
type Lanes [16]uint64

// step writes the next word of each lane.
func (s *Lanes) step(w *[4]uint64) {
	for k := range 4 {
		a, b, c, d := s[k], s[4+k], s[8+k], s[12+k]
		w[k] = bits.RotateLeft64(a+d, 23) + a
		t := b << 17
		c ^= a
		d ^= b
		b ^= c
		a ^= d
		c ^= t
		s[k], s[4+k], s[8+k], s[12+k] = a, b, c, bits.RotateLeft64(d, 45)
	}
}

// OneTwo returns the number in [1, 2) made of the upper 52 bits of w.
func OneTwo(w uint64) float64 { return math.Float64frombits(w>>12 | oneBits) }

// Words fills dst, of a length divisible by 4, with random bits.
func (s *Lanes) Words(dst []uint64) {
	divisible(len(dst), 4)
	if useAVX2 && len(dst) > 0 {
		wordsAVX2((*[16]uint64)(s), &dst[0], len(dst))
		return
	}
	for i := 0; i < len(dst); i += 4 {
		s.step((*[4]uint64)(dst[i:]))
	}
}

// Uniforms fills dst, of a length divisible by 4, with OneTwo(word) - 1.
func (s *Lanes) Uniforms(dst []float64) {
	divisible(len(dst), 4)
	if useAVX2 && len(dst) > 0 {
		uniformsAVX2((*[16]uint64)(s), &dst[0], len(dst))
		return
	}
	var w [4]uint64
	for i := 0; i < len(dst); i += 4 {
		s.step(&w)
		for k := range 4 {
			dst[i+k] = OneTwo(w[k]) - 1
		}
	}
}

// Exponentials fills dst, of a length divisible by 4, with Exponential(word).
func (s *Lanes) Exponentials(dst []float64) {
	divisible(len(dst), 4)
	if useAVX2 && len(dst) > 0 {
		exponentialsAVX2((*[16]uint64)(s), &dst[0], len(dst))
		return
	}
	var w [4]uint64
	for i := 0; i < len(dst); i += 4 {
		s.step(&w)
		for k := range 4 {
			dst[i+k] = Exponential(w[k])
		}
	}
}

// Exponential makes a draw from exp(-x), x >= 0, of one word: -log(2 -
// OneTwo(w)).
func Exponential(w uint64) float64 {
	return math.Abs(logNormal(2-OneTwo(w), intMagic+1023))
}

// Normals fills dst, of a length divisible by 8, with independent standard
// normal numbers. Each eight take two steps, v and w: dst[k], dst[4+k] =
// boxMuller(v[k], w[k]), k = 0..3.
func (s *Lanes) Normals(dst []float64) {
	divisible(len(dst), 8)
	if useAVX2 && len(dst) > 0 {
		normalsAVX2((*[16]uint64)(s), &dst[0], len(dst))
		return
	}
	var v, w [4]uint64
	for i := 0; i < len(dst); i += 8 {
		s.step(&v)
		s.step(&w)
		for k := range 4 {
			dst[i+k], dst[i+4+k] = boxMuller(v[k], w[k])
		}
	}
}

// boxMuller makes two independent normal numbers of two words (Box and Muller,
// 1958): with u = 2 - OneTwo(v) in (0, 1] and an angle a uniform on the circle,
//
//	sqrt(-2 log u) (cos a, sin a).
//
// The upper 52 bits of w choose a in one quarter of the circle, its last two
// bits the quarter. The largest possible value is sqrt(2*52 log 2) = 8.49; the
// mass beyond is 2e-17. The relative error of either number is below 1e-14.
func boxMuller(v, w uint64) (x, y float64) {
	// -2 log u as logNormal does it, with fewer digits.
	ix := math.Float64bits(2-OneTwo(v)) + (oneBits - sqrtHalfBits)
	k := math.Float64frombits(ix>>52|intMagicBits) - (intMagic + 1023)
	f := math.Float64frombits(ix&mantissa+sqrtHalfBits) - 1
	s := f / (f + 2)
	z := float64(s * s)
	z2 := float64(z * z)
	a0 := math.FMA(nl1, z, nl0)
	a1 := math.FMA(nl3, z, nl2)
	a2 := math.FMA(nl5, z, nl4)
	a1 = math.FMA(a2, z2, a1)
	a0 = math.FMA(a1, z2, a0)
	q := math.FMA(float64(s*z), a0, float64(s*-4))
	r := math.Sqrt(math.FMA(k, -2*math.Ln2, q))

	// sin and cos of t quarter turns, |t| <= 1/2.
	t := OneTwo(w) - 1.5
	z = float64(t * t)
	z2 = float64(z * z)
	a0 = math.FMA(ns1, z, ns0)
	a1 = math.FMA(ns3, z, ns2)
	a2 = math.FMA(ns5, z, ns4)
	a1 = math.FMA(a2, z2, a1)
	sin := float64(math.FMA(a1, z2, a0) * t)
	a0 = math.FMA(nc1, z, nc0)
	a1 = math.FMA(nc3, z, nc2)
	a2 = math.FMA(nc5, z, nc4)
	a1 = math.FMA(a2, z2, a1)
	cos := math.FMA(math.FMA(a1, z2, a0), z, 1)

	cos = math.Float64frombits(math.Float64bits(cos) ^ w<<62&(1<<63))
	if w&1 != 0 {
		sin, cos = cos, sin
	}
	return float64(r * cos), float64(r * sin)
}

// The polynomials of boxMuller, interpolated at Chebyshev nodes.
const (
	// -2 (log((1+s)/(1-s)) - 2s)/(s z), z = s^2, |s| <= (sqrt2-1)/(sqrt2+1);
	// error 7e-16 of the logarithm.
	nl0 = -0x1.55555555553b8p+0
	nl1 = -0x1.9999999b8677ap-1
	nl2 = -0x1.2492462af84abp-1
	nl3 = -0x1.c71fccd953895p-2
	nl4 = -0x1.7382dbfa1ce75p-2
	nl5 = -0x1.546a3155bacbfp-2

	// sin(pi t/2)/t in t^2, |t| <= 1/2; error 4.3e-15 of the sine.
	ns0 = 0x1.921fb54442cfap+0
	ns1 = -0x1.4abbce6257a2ap-1
	ns2 = 0x1.466bc67123fa1p-4
	ns3 = -0x1.32d2c644adc0bp-8
	ns4 = 0x1.5071ce4b47930p-13
	ns5 = -0x1.dd54805f3f706p-19

	// (cos(pi t/2) - 1)/t^2 in t^2, |t| <= 1/2; error 2.6e-16 of the cosine.
	nc0 = -0x1.3bd3cc9be45dbp+0
	nc1 = 0x1.03c1f081b4b74p-2
	nc2 = -0x1.55d3c7e10153fp-6
	nc3 = 0x1.e1f50093e4c8fp-11
	nc4 = -0x1.a6cc32d07dc98p-16
	nc5 = 0x1.f4b536b457d9ep-22
)

func divisible(n, by int) {
	if n%by != 0 {
		panic("vmath: length of dst is not a whole number of groups")
	}
}
