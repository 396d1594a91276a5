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

// Normals fills dst, of a length divisible by 8, with independent standard
// normal numbers. Each eight take two steps, v and w (Box and Muller, 1958):
//
//	dst[k]   = r_k cos(2 pi u_k),   r_k = sqrt(-2 log(2 - OneTwo(v_k)))
//	dst[4+k] = r_k sin(2 pi u_k),   u_k = OneTwo(w_k) - 1,   k = 0..3
//
// The largest possible value is sqrt(2*52 log 2) = 8.49; the mass beyond is
// 2e-17.
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
			r := math.Sqrt(-2 * logNormal(2-OneTwo(v[k]), intMagic+1023))
			sin, cos := sinCosTurn(OneTwo(w[k]) - 1)
			dst[i+k] = r * cos
			dst[i+4+k] = r * sin
		}
	}
}

func divisible(n, by int) {
	if n%by != 0 {
		panic("vmath: length of dst is not a whole number of groups")
	}
}
