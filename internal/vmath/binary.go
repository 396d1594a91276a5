package vmath

import "math"

// Units that are 0 or 1, packed: unit i is bit i%8 of byte i/8, and bits that
// are no units are 0. A matrix of them has rows of whole bytes.

// BitBytes returns the number of bytes of n units.
func BitBytes(n int) int { return (n + 7) / 8 }

// PackBits packs x into dst, of length BitBytes(len(x)), and reports whether all
// of x are 0 or 1; if not, dst means nothing. A negative zero is neither.
func PackBits(dst []byte, x []float64) bool {
	sameLength(len(dst), BitBytes(len(x)))
	n := 0
	if useAVX2 {
		n = len(x) &^ 7
	}
	if n > 0 && packBitsAVX2(&dst[0], &x[0], n) != 255 {
		return false
	}
	clear(dst[n/8:])
	for i := n; i < len(x); i++ {
		switch math.Float64bits(x[i]) {
		case 0:
		case oneBits:
			dst[i/8] |= 1 << (i % 8)
		default:
			return false
		}
	}
	return true
}

// UnpackBits writes the units of src, 0 or 1, into x.
func UnpackBits(x []float64, src []byte) {
	sameLength(len(src), BitBytes(len(x)))
	n := 0
	if useAVX2 {
		n = len(x) &^ 7
	}
	if n > 0 {
		unpackBitsAVX2(&x[0], &src[0], n)
	}
	for i := n; i < len(x); i++ {
		x[i] = float64(src[i/8] >> (i % 8) & 1)
	}
}

// TransposeBits writes the transpose of src, rows x cols units, into dst, cols x
// rows units. Rows of src are lds bytes apart, rows of dst ldd; of those
// BitBytes(rows) are written.
func TransposeBits(dst []byte, ldd int, src []byte, lds, rows, cols int) {
	for r := 0; r < rows; r += 8 {
		top := min(8, rows-r)
		for c := range BitBytes(cols) {
			var m uint64 // unit (r+i, 8c+j) is bit 8i+j
			for i := range top {
				m |= uint64(src[(r+i)*lds+c]) << (8 * i)
			}
			// Transpose 2x2 blocks, then blocks of those, then of those.
			t := (m ^ m>>7) & 0x00aa00aa00aa00aa
			m ^= t ^ t<<7
			t = (m ^ m>>14) & 0x0000cccc0000cccc
			m ^= t ^ t<<14
			t = (m ^ m>>28) & 0x00000000f0f0f0f0
			m ^= t ^ t<<28
			for j := range min(8, cols-8*c) {
				dst[(8*c+j)*ldd+r/8] = byte(m >> (8 * j))
			}
		}
	}
}

// BernoulliBits draws a unit for every element of x, 1 with the probability
// 1/(1 + e^(-scale x)), and packs them into dst, of length BitBytes(len(x)).
// Unit i is made of one half of words[i/2], the lower one if i is even. It is 1 if
//
//	u (1 + e^-y) < 1,   y = scale x, not beyond +-80,
//
// in float32; u is an odd multiple of 2^-31, rounded. So probabilities are
// exact to a relative 5e-7 or an absolute 2^-31.
func BernoulliBits(dst []byte, x []float32, scale float32, words []uint64) {
	sameLength(len(dst), BitBytes(len(x)))
	sameLength(len(words), (len(x)+1)/2)
	n := 0
	if useAVX2 {
		n = len(x) &^ 7
	}
	if n > 0 {
		bernoulliBitsAVX2(&dst[0], &x[0], -scale, &words[0], n)
	}
	clear(dst[n/8:])
	for i := n; i < len(x); i++ {
		if bernoulli32(x[i], -scale, uint32(words[i/2]>>(32*(i%2)))) {
			dst[i/8] |= 1 << (i % 8)
		}
	}
}

func bernoulli32(x, minusScale float32, w uint32) bool {
	k, em1 := expReduce32(below32(80, above32(-80, float32(x*minusScale))))
	e := math.Float32frombits(math.Float32bits(1+em1) + k<<23)
	u := float32(float32(int32(w>>1|1)) * 0x1p-31)
	return float32(u*(1+e)) < 1
}

// below32 returns the smaller of hi and x, and x where x is NaN.
func below32(hi, x float32) float32 {
	if hi < x {
		return hi
	}
	return x
}

// SoftplusSum32 returns the sum of log(1 + e^y), y = scale x[i]. The exponentials
// are good to a relative 5e-7, sums and logarithm to float64: what is added up is
// the larger of 0 and y, and what is multiplied up, before one logarithm, is
// 1 + e^-|y|. y is finite or NaN.
func SoftplusSum32(x []float32, scale float32) float64 {
	const run = 1016 // so many factors below 2 do not overflow
	total := 0.0
	for len(x) > 0 {
		m := min(run, len(x))
		acc := [16]float64{8: 1, 9: 1, 10: 1, 11: 1, 12: 1, 13: 1, 14: 1, 15: 1}
		n := 0
		if useAVX2 {
			n = m &^ 7
		}
		if n > 0 {
			softplusSum32AVX2(&acc, &x[0], scale, n)
		}
		for i := n; i < m; i++ {
			y := float32(x[i] * scale)
			acc[i%8] += float64(above32(0, y))
			acc[8+i%8] *= 1 + float64(expMinus32(y))
		}
		sum, product := acc[:8], acc[8:]
		for w := 4; w > 0; w /= 2 {
			for j := range w {
				sum[j] += sum[j+w]
				product[j] *= product[j+w]
			}
		}
		total += sum[0] + Log(product[0])
		x = x[m:]
	}
	return total
}

// BitScratch is the memory of SumSelected. It should be allocated alone: in the
// middle of a struct it would cross cache lines.
type BitScratch [64 + 6144]float32

// SumSelected writes into every row of dst, rows x n, the sum of start, n numbers,
// and of the rows of w, k x n, that are set in the same row of units, rows x k:
//
//	dst[r*n+j] = start[j] + sum of w[i*n+j] over i with units[r][i] = 1.
//
// It is the product of a binary matrix with a real one, by the method of the four
// Russians (Arlazarov, Dinic, Kronrod and Faradzev, 1970). Of every four rows of w
// the sums of the 16 selections are made once, and each row of units picks one of
// them; since a selection and its complement add up to all four rows, they are
// kept as half of all four plus or minus one of eight sums. The error is that of
// k/4 additions, relative to the sum of all sizes |w[i*n+j]|. The order of
// operations is fixed. k and n are multiples of 8, k is positive.
func SumSelected(dst, start []float32, units []byte, w []float32, rows, k, n int, scratch *BitScratch) {
	if k < 8 || k%8 != 0 || n%8 != 0 || len(dst) != rows*n || len(start) != n || len(units) != rows*k/8 || len(w) != k*n {
		panic("vmath: SumSelected: wrong size")
	}
	if rows == 0 {
		return
	}
	for j := 0; j < n; {
		vectors := 8 // of 8 columns
		for 8*vectors > n-j {
			vectors /= 2
		}
		cols := 8 * vectors
		base, table := scratch[:cols], scratch[64:]
		const chunk = 6 * 64 // bytes of units, times columns, whose table fits
		for at := 0; at < k/8; at += chunk / cols {
			count := min(chunk/cols, k/8-at)
			clear(base)
			from, ldf := dst, n // what is added to
			if at == 0 {
				from, ldf = start, 0
			}
			if useAVX2 {
				selections32AVX2(&base[0], &table[0], &w[8*at*n+j], 4*n, 2*count, vectors)
				addSelected32AVX2(&dst[j], 4*n, &from[j], 4*ldf, &units[at], k/8, rows, &base[0], &table[0], count, vectors)
				continue
			}
			for g := range 2 * count {
				selections(base, table[8*cols*g:], w[(8*at+4*g)*n+j:], n)
			}
			for r := range rows {
				d := dst[r*n+j:][:cols]
				copy(d, from[r*ldf+j:])
				addSelected(d, units[r*k/8+at:][:count], base, table)
			}
		}
		j += cols
	}
}

// selections writes h3 +- h2 +- h1 +- h0, the halves of four rows of w, n apart,
// into the 8 rows of table; bit i of the row's number gives the sign of hi. The
// last row, half of all, is added to base.
func selections(base, table, w []float32, n int) {
	cols := len(base)
	for c := range base {
		h0, h1, h2, h3 := float32(w[c]*0.5), float32(w[n+c]*0.5), float32(w[2*n+c]*0.5), float32(w[3*n+c]*0.5)
		for s, v := range [4]float32{(h3 - h2) - h1, (h3 - h2) + h1, (h3 + h2) - h1, (h3 + h2) + h1} {
			table[2*s*cols+c] = v - h0
			table[(2*s+1)*cols+c] = v + h0
		}
		base[c] += table[7*cols+c]
	}
}

// addSelected adds base, and one row of each group of the table or its negative.
func addSelected(dst []float32, units []byte, base, table []float32) {
	cols := len(dst)
	for c, v := range base {
		dst[c] += v
	}
	for g := range 2 * len(units) {
		pick := int(units[g/2]>>(4*(g%2))) & 15
		if pick >= 8 {
			for c, v := range table[(8*g+pick-8)*cols:][:cols] {
				dst[c] += v
			}
		} else {
			for c, v := range table[(8*g+7-pick)*cols:][:cols] {
				dst[c] -= v
			}
		}
	}
}
