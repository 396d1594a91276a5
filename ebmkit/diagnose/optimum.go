package diagnose

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// FindOptimum returns where a kernel is fastest, given its mean acceptance
// probability and its speed as functions of a scale l of the step in [lo, hi]:
//
//	l* = arg max speed(l),   Rate = accept(l*),
//
// Low and High the least and the largest acceptance with speed(l) >= 0.95
// speed(l*). speed must have one maximum. The kernel's speed is what the caller
// says it is: expected squared jump, distance a gradient. It returns
// *ebmkit.ArgError unless lo < hi, when a speed is NaN, and when the maximum is
// at an end of the interval.
func FindOptimum(kernel string, accept, speed func(l float64) float64, lo, hi float64) (Optimum, error) {
	const fn = "diagnose.FindOptimum"
	if !(lo < hi) || math.IsInf(hi-lo, 0) {
		return Optimum{}, &ebmkit.ArgError{Func: fn, Arg: "lo, hi", Value: [2]float64{lo, hi}, Want: "a finite interval"}
	}
	// A scan finds the maximum, the parabola through three neighbours its place:
	// the speed is too flat there for a search by its values.
	const cells = 400
	at := func(k float64) float64 { return lo + (hi-lo)*k/cells }
	best, top := 0, math.Inf(-1)
	for k := range cells + 1 {
		v := speed(at(float64(k)))
		if math.IsNaN(v) {
			return Optimum{}, &ebmkit.ArgError{Func: fn, Arg: "speed", Value: v, Want: "a number on [lo, hi]"}
		}
		if v > top {
			best, top = k, v
		}
	}
	if best == 0 || best == cells {
		return Optimum{}, &ebmkit.ArgError{Func: fn, Arg: "lo, hi", Value: [2]float64{lo, hi}, Want: "an interval with the maximum of speed inside"}
	}
	l, m, r := speed(at(float64(best-1))), top, speed(at(float64(best+1)))
	x := at(float64(best) + (l-r)/(2*(l-2*m+r)))
	top = speed(x)
	o := Optimum{Kernel: kernel, Rate: accept(x), Low: math.Inf(1), High: math.Inf(-1)}
	for _, end := range []float64{lo, hi} {
		far, near := end, x
		if speed(end) >= 0.95*top {
			near = end
		}
		for range 60 {
			if mid := (far + near) / 2; speed(mid) >= 0.95*top {
				near = mid
			} else {
				far = mid
			}
		}
		a := accept(near)
		o.Low, o.High = math.Min(o.Low, a), math.Max(o.High, a)
	}
	return o, nil
}
