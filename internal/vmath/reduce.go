package vmath

import "math"

// A reduction keeps 16 running sums, element i going to sum i mod 16, and adds
// them in one fixed tree. The order depends on the length alone.

func tree16(acc *[16]float64) float64 {
	for w := 8; w > 0; w /= 2 {
		for j := range w {
			acc[j] += acc[j+w]
		}
	}
	return acc[0]
}

// Sum returns the sum of x.
func Sum(x []float64) float64 {
	if useAVX2 && len(x) > 0 {
		return sumAVX2(&x[0], len(x))
	}
	var acc [16]float64
	for i, v := range x {
		acc[i%16] += v
	}
	return tree16(&acc)
}

// Dot returns the sum of x[i]*y[i].
func Dot(x, y []float64) float64 {
	sameLength(len(x), len(y))
	if useAVX2 && len(x) > 0 {
		return dotAVX2(&x[0], &y[0], len(x))
	}
	var acc [16]float64
	for i, v := range x {
		acc[i%16] = math.FMA(v, y[i], acc[i%16])
	}
	return tree16(&acc)
}

// Axpy adds a*x[i] to y[i], each with one rounding. y must not overlap x.
func Axpy(y []float64, a float64, x []float64) {
	n := whole(len(y), len(x), 4)
	if n > 0 {
		axpyAVX2(&y[0], a, &x[0], n)
	}
	for i := n; i < len(x); i++ {
		y[i] = math.FMA(a, x[i], y[i])
	}
}

// AxpyScaled adds a*(s[i]*x[i]) to y[i], every operation rounded. y must not
// overlap s or x.
func AxpyScaled(y []float64, a float64, s, x []float64) {
	n := whole(len(y), len(x), 4)
	sameLength(len(s), len(x))
	if n > 0 {
		axpyScaledAVX2(&y[0], a, &s[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		y[i] += float64(a * float64(s[i]*x[i]))
	}
}

// Sub writes x[i] - y[i] into dst[i]; dst may be x or y itself.
func Sub(dst, x, y []float64) {
	n := whole(len(dst), len(x), 4)
	sameLength(len(x), len(y))
	if n > 0 {
		subAVX2(&dst[0], &x[0], &y[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = x[i] - y[i]
	}
}

// Max returns the largest element of x, NaN if one is NaN, -Inf for none. Which
// zero it returns of several is not fixed.
func Max(x []float64) float64 {
	top := math.Inf(-1)
	n := whole(len(x), len(x), 16)
	if n > 0 {
		var acc [16]float64
		for j := range acc {
			acc[j] = top
		}
		maxAVX2(&acc, &x[0], n)
		for _, v := range acc {
			top = max(top, v)
		}
	}
	for _, v := range x[n:] {
		top = max(top, v)
	}
	return top
}

// LogSumExp returns log(sum_i e^x[i]) without overflow; -Inf for no elements.
// Four running sums are kept, element i going to sum i mod 4.
func LogSumExp(x []float64) float64 {
	top := Max(x)
	if math.IsInf(top, 0) || top != top {
		return top
	}
	var acc [4]float64
	n := whole(len(x), len(x), 4)
	if n > 0 {
		sumExpAVX2(&acc, &x[0], top, n)
	}
	for i := n; i < len(x); i++ {
		acc[i%4] += Exp(x[i] - top)
	}
	return top + Log((acc[0]+acc[2])+(acc[1]+acc[3]))
}

// Systematic draws len(index) of the numbers 0 .. len(w)-1, i with w[i]*n copies
// in the mean, rounded up or down, by one uniform number u in [0, 1):
//
//	index[j] = the least i with w[0] + .. + w[i] > (j + u)/n,   n = len(index).
//
// The weights must sum to one; w must not be empty. It is the systematic
// resampling of Carpenter, Clifford and Fearnhead (1999).
func Systematic(index []int, w []float64, u float64) {
	n := float64(len(index))
	i, cum := 0, w[0]
	for j := range index {
		at := (float64(j) + u) / n
		for cum <= at && i < len(w)-1 {
			i++
			cum += w[i]
		}
		index[j] = i
	}
}
