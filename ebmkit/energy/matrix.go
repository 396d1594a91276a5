package energy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/linalg"
)

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
	_, bad = linalg.Cholesky(l, a, d, 4*float64(d)*eps)
	return l, bad
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
	linalg.InvertLower(inv, l, d)
	return inv
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
