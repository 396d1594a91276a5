package fokkerplanck

import (
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// JKOPath takes one JKO step of each length in h, from the quantiles q of a
// density on the line, and returns the quantiles before the first step and after
// each: len(h) + 1 sets, all new. Conditions and errors as JKO.
func JKOPath(target ebmkit.Energy, q, h []float64) ([][]float64, error) {
	return quantilePath(q, h, func(h float64, q []float64) ([]float64, error) {
		return JKO(target, h, q)
	})
}

// ForwardBackwardPath takes one step of review eq. (93) of each length in h and
// returns the quantiles as JKOPath does. Conditions and errors as
// ForwardBackward.
func ForwardBackwardPath(target ebmkit.Energy, q, h []float64) ([][]float64, error) {
	return quantilePath(q, h, func(h float64, q []float64) ([]float64, error) {
		_, next, err := ForwardBackward(target, h, q)
		return next, err
	})
}

func quantilePath(q, h []float64, step func(h float64, q []float64) ([]float64, error)) ([][]float64, error) {
	path := [][]float64{slices.Clone(q)}
	for k := range h {
		next, err := step(h[k], path[k])
		if err != nil {
			return nil, err
		}
		path = append(path, next)
	}
	return path, nil
}

// GrowingSteps returns step lengths for a relaxation that is fast at first: each
// is the given share of the time passed since the first, which starts at t0, but
// at most longest; the last is the first to end at or after the time end.
//
//	h_k = min(longest, share t_k),   t_0 = t0,   t_{k+1} = t_k + h_k
//
// It also returns the times t_k, one more than the steps. It returns
// *ebmkit.ArgError unless 0 < t0 < end and share and longest are positive and
// finite.
func GrowingSteps(t0, end, share, longest float64) (t, h []float64, err error) {
	const fn = "fokkerplanck.GrowingSteps"
	switch {
	case !(t0 > 0):
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "t0", Value: t0, Want: "a positive time"}
	case !(end > t0) || math.IsInf(end, 0):
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "end", Value: end, Want: "a finite time after t0"}
	case !(share > 0) || math.IsInf(share, 0):
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "share", Value: share, Want: "a positive finite number"}
	case !(longest > 0) || math.IsInf(longest, 0):
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "longest", Value: longest, Want: "a positive finite step"}
	}
	t = []float64{t0}
	for now := t0; now < end; t = append(t, now) {
		step := min(longest, share*now)
		h = append(h, step)
		now += step
	}
	return t, h, nil
}

// Slope returns the derivative of a function given at the centres of the cells
// of a one-dimensional grid, by central differences,
//
//	(v_{i+1} - v_{i-1}) / (2 Width),
//
// and 0 in the two cells at the ends, where there are none. Its error is of the
// order of the square of the cells' width. It panics on a wrong length or a grid
// of two dimensions.
func (g *Grid) Slope(v []float64) []float64 {
	g.must("Slope", v)
	if g.Dim() != 1 {
		panic("fokkerplanck: Slope: the grid has two dimensions")
	}
	d := make([]float64, len(v))
	h := g.axes[0].Width()
	for i := 1; i < len(v)-1; i++ {
		d[i] = (v[i+1] - v[i-1]) / (2 * h)
	}
	return d
}
