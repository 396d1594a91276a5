package spin

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// wantFinite returns *ebmkit.ArgError unless v is a finite number.
func wantFinite(fn, arg string, v float64) error {
	if !isFinite(v) {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a finite number"}
	}
	return nil
}

// wantVector returns *ebmkit.ArgError unless v has length n and is finite.
func wantVector(fn, arg string, v []float64, n int) error {
	if len(v) != n {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ")", Value: len(v), Want: fmt.Sprint(n)}
	}
	for i, x := range v {
		if !isFinite(x) {
			return wantFinite(fn, fmt.Sprintf("%s[%d]", arg, i), x)
		}
	}
	return nil
}

// wantSpins returns *ebmkit.ArgError unless x has length n and entries -1 or +1.
func wantSpins(fn, arg string, x []float64, n int) error {
	if len(x) != n {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ")", Value: len(x), Want: fmt.Sprint(n)}
	}
	for i, v := range x {
		if v != 1 && v != -1 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d]", arg, i), Value: v, Want: "-1 or +1"}
		}
	}
	return nil
}

// wantBeta returns *ebmkit.ArgError unless beta is finite and not negative.
func wantBeta(fn string, beta float64) error {
	if !(beta >= 0) || !isFinite(beta) {
		return &ebmkit.ArgError{Func: fn, Arg: "beta", Value: beta, Want: "a finite number, not negative"}
	}
	return nil
}

// checkLen panics, in the name of who, if x has not length n.
func checkLen(who string, n int, x []float64) {
	if len(x) != n {
		panic("spin: " + who + ": len(x) != Dim")
	}
}

// symmetric returns the size of the square matrix j. It returns
// *ebmkit.ArgError if it is not square, finite and symmetric.
func symmetric(fn string, j []float64) (int, error) {
	n := int(math.Sqrt(float64(len(j))))
	if n*n != len(j) || n == 0 {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "len(J)", Value: len(j), Want: "n*n with n at least 1"}
	}
	for a := range n {
		for b := range n {
			switch v := j[a*n+b]; {
			case !isFinite(v):
				return 0, wantFinite(fn, fmt.Sprintf("J[%d][%d]", a, b), v)
			case b < a && v != j[b*n+a]:
				return 0, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("J[%d][%d]", a, b), Value: v,
					Want: fmt.Sprintf("J[%d][%d] = %v: couplings are symmetric", b, a, j[b*n+a])}
			}
		}
	}
	return n, nil
}
