package vmath

import "math"

// The remaining loops of networks and of their optimisers, in float32 and
// float64: each again one sequence of IEEE operations.

// Add32Slice adds x[i] to dst[i].
func Add32Slice(dst, x []float32) {
	n := whole(len(dst), len(x), 8)
	if n > 0 {
		add32AVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] += x[i]
	}
}

// AddFloat32Slice adds float64(x[i]) to dst[i].
func AddFloat32Slice(dst []float64, x []float32) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		addWide32AVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] += float64(x[i])
	}
}

// ReLU32 returns max(x, 0), which is never -0, and its derivative, 0 at 0; NaN
// stays NaN.
func ReLU32(x float32) (y, dy float32) {
	if x <= 0 {
		return 0, 0
	}
	return x, 1
}

// ReLU32Slice writes ReLU32(x[i]) into y[i] and dy[i].
func ReLU32Slice(y, dy, x []float32) {
	n := whole(len(y), len(x), 8)
	if dy != nil && len(dy) != len(x) {
		panic("vmath: slices of different lengths")
	}
	if n > 0 {
		var d *float32
		if dy != nil {
			d = &dy[0]
		}
		relu32AVX2(&y[0], d, &x[0], n)
	}
	for i := n; i < len(x); i++ {
		v, d := ReLU32(x[i])
		y[i] = v
		if dy != nil {
			dy[i] = d
		}
	}
}

// AdamStep holds the numbers of one step of Adam,
//
//	m <- Beta1 m + Rest1 g,   v <- Beta2 v + Rest2 g^2,
//	theta <- Keep theta - Rate m/(Root sqrt(v) + Eps),
//
// in this order: Beta1, Rest1, Beta2, Rest2, Root, Eps, Rate, Keep.
type AdamStep[T float32 | float64] [8]T

// Adam64 updates theta, m and v, of the length of grad, and reports whether all of
// theta and v are finite.
func Adam64(theta, m, v, grad []float64, s *AdamStep[float64]) (finite bool) {
	sameLength(len(m), len(v))
	sameLength(len(m), len(theta))
	finite = true
	n := whole(len(theta), len(grad), 4)
	if n > 0 {
		finite = adam64AVX2(&theta[0], &m[0], &v[0], &grad[0], (*[8]float64)(s), n)
	}
	for i := n; i < len(grad); i++ {
		g := grad[i]
		m[i] = math.FMA(s[0], m[i], float64(s[1]*g))
		v[i] = math.FMA(s[2], v[i], float64(s[3]*float64(g*g)))
		q := float64(s[6]*m[i]) / math.FMA(math.Sqrt(v[i]), s[4], s[5])
		theta[i] = math.FMA(s[7], theta[i], -q)
		finite = finite && theta[i]-theta[i] == 0 && v[i]-v[i] == 0
	}
	return finite
}

// Adam32 is Adam64 in float32.
func Adam32(theta, m, v, grad []float32, s *AdamStep[float32]) (finite bool) {
	sameLength(len(m), len(v))
	sameLength(len(m), len(theta))
	finite = true
	n := whole(len(theta), len(grad), 8)
	if n > 0 {
		finite = adam32AVX2(&theta[0], &m[0], &v[0], &grad[0], (*[8]float32)(s), n)
	}
	for i := n; i < len(grad); i++ {
		g := grad[i]
		m[i] = FMA32(s[0], m[i], float32(s[1]*g))
		v[i] = FMA32(s[2], v[i], float32(s[3]*float32(g*g)))
		root := float32(math.Sqrt(float64(v[i])))
		q := float32(s[6]*m[i]) / FMA32(root, s[4], s[5])
		theta[i] = FMA32(s[7], theta[i], -q)
		finite = finite && theta[i]-theta[i] == 0 && v[i]-v[i] == 0
	}
	return finite
}

// SumSquares32 returns the sum of float64(x[i])^2, which is finite if x is.
func SumSquares32(x []float32) float64 {
	var acc [16]float64
	n := 0
	if useAVX2 && len(x) >= 16 {
		n = len(x) &^ 15
		squares32AVX2(&acc, &x[0], n)
	}
	for i := n; i < len(x); i++ {
		v := float64(x[i])
		acc[i%16] = math.FMA(v, v, acc[i%16])
	}
	return tree16(&acc)
}

// Bernoulli32 returns the log-likelihood of x in [0, 1] under the logits y,
//
//	sum_i x_i y_i - sp_i,   sp_i = log(1 + e^y_i),
//
// and turns the derivatives of sp in dy into those of the loss,
//
//	dy_i <- w (dy_i - x_i).
//
// Terms are float32 and their sum is float64: of four sums, so that none waits for
// another.
func Bernoulli32(dy, x, y, sp []float32, w float32) float64 {
	sameLength(len(dy), len(sp))
	sameLength(len(dy), len(y))
	var s [4]float64
	n := whole(len(dy), len(x), 4)
	if n > 0 {
		bernoulli32AVX2(&s, &dy[0], &x[0], &y[0], &sp[0], w, n)
	}
	for i := n; i < len(x); i++ {
		s[i%4] += float64(float32(x[i]*y[i]) - sp[i])
		dy[i] = w * (dy[i] - x[i])
	}
	return (s[0] + s[2]) + (s[1] + s[3])
}

// DotRows32 writes into dst[i*ldd] the dot product of w and the len(w) elements
// of a from i*lda, i < rows. Eight sums are kept, element p going to sum p mod 8,
// and added in a tree; the last len(w) mod 8 elements come after, one by one.
func DotRows32(dst []float32, ldd int, a []float32, lda int, w []float32, rows int) {
	if rows <= 0 {
		return
	}
	if ldd < 1 || lda < len(w) || (rows-1)*ldd >= len(dst) || (rows-1)*lda+len(w) > len(a) {
		panic("vmath: DotRows32: wrong size")
	}
	n := len(w) &^ 7
	if useAVX2 && n > 0 {
		dotRows32AVX2(&dst[0], 4*ldd, &a[0], 4*lda, &w[0], rows, n)
	} else {
		for i := range rows {
			var s [8]float32
			for p, v := range a[i*lda:][:n] {
				s[p%8] = FMA32(w[p], v, s[p%8])
			}
			dst[i*ldd] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
		}
	}
	for p := n; p < len(w); p++ {
		for i := range rows {
			dst[i*ldd] = FMA32(w[p], a[i*lda+p], dst[i*ldd])
		}
	}
}
