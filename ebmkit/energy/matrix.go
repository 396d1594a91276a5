package energy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// The matrices here are small and are factored once, when an energy is made or
// its parameters change. Plain loops keep LAPACK out of every notebook cell
// that draws a Gaussian, and give the same bits everywhere.

// eps is the distance from 1 to the next float64.
const eps = 0x1p-52

// wantSymmetric returns *ebmkit.ArgError unless a is a symmetric d x d matrix
// of finite numbers.
func wantSymmetric(fn, arg string, a []float64, d int) error {
	if len(a) != d*d {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ")", Value: len(a),
			Want: fmt.Sprintf("%d (%d x %d, row-major)", d*d, d, d)}
	}
	for i := range d {
		for j := range d {
			at := func(i, j int) string { return fmt.Sprintf("%s[%d][%d]", arg, i, j) }
			if err := wantFinite(fn, at(i, j), a[i*d+j]); err != nil {
				return err
			}
			if j < i && math.Abs(a[i*d+j]-a[j*d+i]) > 1e-12*math.Sqrt(math.Abs(a[i*d+i]*a[j*d+j])) {
				return &ebmkit.ArgError{Func: fn, Arg: at(j, i), Value: a[j*d+i],
					Want: fmt.Sprintf("%v, because %s is symmetric", a[i*d+j], arg)}
			}
		}
	}
	return nil
}

// cholesky returns the lower L with a = L L', or the index of the first pivot
// that is not positive beyond rounding (bad < 0: none).
func cholesky(a []float64, d int) (l []float64, bad int) {
	l = make([]float64, d*d)
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
			if !(s > 4*float64(d)*eps*a[i*d+i]) {
				return nil, i
			}
			l[i*d+i] = math.Sqrt(s)
		}
	}
	return l, -1
}

// wantPositiveDefinite returns the Cholesky factor of a, or *ebmkit.ArgError.
func wantPositiveDefinite(fn, arg string, a []float64, d int) ([]float64, error) {
	if err := wantSymmetric(fn, arg, a, d); err != nil {
		return nil, err
	}
	l, bad := cholesky(a, d)
	if bad >= 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d][%d]", arg, bad, bad), Value: a[bad*d+bad],
			Want: fmt.Sprintf("a positive definite matrix (row %d depends on the rows before it)", bad)}
	}
	return l, nil
}

// invertLower returns the inverse of the lower triangular l.
func invertLower(l []float64, d int) []float64 {
	inv := make([]float64, d*d)
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
	return inv
}

// gram writes w'w for the lower triangular w into dst.
func gram(dst, w []float64, d int) {
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

// flip reverses the order of rows and columns of a. The Cholesky factor C of a
// flipped matrix, flipped and transposed, is the lower W with a = W'W.
func flip(a []float64, d int) []float64 {
	f := make([]float64, d*d)
	for i := range d {
		for j := range d {
			f[i*d+j] = a[(d-1-i)*d+(d-1-j)]
		}
	}
	return f
}

// solveCholesky solves L L' x = b in place of b.
func solveCholesky(l, b []float64, d int) {
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
