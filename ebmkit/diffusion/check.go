package diffusion

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

func wantFinite(fn, arg string, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a finite number"}
	}
	return nil
}

func wantPositive(fn, arg string, v float64) error {
	if !(v > 0) || math.IsInf(v, 1) {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a positive finite number"}
	}
	return nil
}

// wantTimes returns *ebmkit.ArgError unless times are at least two finite
// numbers that only rise or only fall.
func wantTimes(fn, arg string, times []float64) error {
	if len(times) < 2 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ")", Value: len(times), Want: "at least 2, as from diffusion.Uniform(0, 1, 500)"}
	}
	for i, t := range times {
		if t-t != 0 {
			return wantFinite(fn, fmt.Sprintf("%s[%d]", arg, i), t)
		}
		if i > 0 && !((t-times[i-1])*(times[1]-times[0]) > 0) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d]", arg, i), Value: t, Want: "times that only rise or only fall"}
		}
	}
	return nil
}

// wantField returns *ebmkit.ArgError unless f is a field of dimension dim (any
// if dim < 1).
func wantField(fn, arg string, f ebmkit.Field, dim int) error {
	if f == nil {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: nil, Want: "a field"}
	}
	if d := f.Dim(); d < 1 || dim > 0 && d != dim {
		want := "at least 1"
		if dim > 0 {
			want = fmt.Sprint(dim)
		}
		return &ebmkit.ArgError{Func: fn, Arg: arg + ".Dim()", Value: d, Want: want}
	}
	return nil
}

// wantPoints returns *ebmkit.ArgError unless e has at least one point, all
// finite, of dimension dim (any if dim < 1), without weights.
func wantPoints(fn, arg string, e *ebmkit.Ensemble, dim int) error {
	if e == nil {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: nil, Want: "points"}
	}
	if e.N < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: arg + ".N", Value: e.N, Want: "at least 1"}
	}
	if e.Dim < 1 || dim > 0 && e.Dim != dim {
		return &ebmkit.ArgError{Func: fn, Arg: arg + ".Dim", Value: e.Dim, Want: fmt.Sprint(max(dim, 1))}
	}
	if len(e.X) != e.N*e.Dim {
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ".X)", Value: len(e.X), Want: fmt.Sprintf("%d, which is N*Dim", e.N*e.Dim)}
	}
	if e.LogW != nil {
		return &ebmkit.ArgError{Func: fn, Arg: arg + ".LogW", Value: "weights", Want: "nil (resample first)"}
	}
	for i, x := range e.X { // at every step of training: words only if there is something to say
		if x-x != 0 {
			return wantFinite(fn, fmt.Sprintf("%s[%d][%d]", arg, i/e.Dim, i%e.Dim), x)
		}
	}
	return nil
}
