// Package linalg factors small symmetric matrices, row-major d x d.
//
// They are factored a few times, when an energy is made or a solver takes a step.
// Plain loops keep LAPACK out of every notebook cell that draws a Gaussian, and
// give the same bits everywhere. Slices of a wrong length panic.
package linalg

import (
	"math"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Cholesky writes the lower triangular L with
//
//	a = L L'
//
// into the lower half of l, and returns log det a and bad = -1. It reads the lower
// half of a; l may be a. A pivot, which is what row i adds to those before it, must
// be above tol times a_ii: at the first that is not (a singular to rounding,
// indefinite or NaN), Cholesky stops and returns its row as bad, with l half
// written. Rounding leaves pivots of d 2^-52 a_ii of a singular matrix.
func Cholesky(l, a []float64, d int, tol float64) (logDet float64, bad int) {
	l, a = l[:d*d], a[:d*d]
	for i := range d {
		for j := 0; j <= i; j++ {
			s := a[i*d+j]
			for k := range j {
				s -= l[i*d+k] * l[j*d+k]
			}
			if i > j {
				l[i*d+j] = s / l[j*d+j]
				continue
			}
			if !(s > tol*a[i*d+i]) {
				return 0, i
			}
			logDet += vmath.Log(s)
			l[i*d+i] = math.Sqrt(s)
		}
	}
	return logDet, -1
}

// InvertLower writes the inverse of the lower triangular l into the lower half of
// inv, which may be l.
func InvertLower(inv, l []float64, d int) {
	inv, l = inv[:d*d], l[:d*d]
	for j := range d {
		inv[j*d+j] = 1 / l[j*d+j]
		for i := j + 1; i < d; i++ {
			var s float64
			for k := j; k < i; k++ {
				s += l[i*d+k] * inv[k*d+j]
			}
			inv[i*d+j] = -s / l[i*d+i]
		}
	}
}

// Gram writes w'w for the lower triangular w into dst: with the inverse of the
// Cholesky factor of a it is the inverse of a. It does not read the upper half of
// w; dst must not be w.
func Gram(dst, w []float64, d int) {
	dst, w = dst[:d*d], w[:d*d]
	for i := range d {
		for j := 0; j <= i; j++ {
			var s float64
			for k := i; k < d; k++ {
				s += w[k*d+i] * w[k*d+j]
			}
			dst[i*d+j], dst[j*d+i] = s, s
		}
	}
}

// Solve solves L L' x = b in place of b, for the lower triangular l.
func Solve(l, b []float64, d int) {
	l, b = l[:d*d], b[:d]
	for i := range d {
		for k := range i {
			b[i] -= l[i*d+k] * b[k]
		}
		b[i] /= l[i*d+i]
	}
	for i := d - 1; i >= 0; i-- {
		for k := i + 1; k < d; k++ {
			b[i] -= l[k*d+i] * b[k]
		}
		b[i] /= l[i*d+i]
	}
}
