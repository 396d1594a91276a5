package nn

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Schedule gives the learning rate of every step.
type Schedule interface {
	// Rate returns the rate of step k, from 0.
	Rate(k int) float64
}

// Constant is the same rate at every step.
type Constant float64

// Rate implements Schedule.
func (c Constant) Rate(int) float64 { return float64(c) }

// Steps is Start times Factor^floor(k/Every).
type Steps struct {
	Start  float64
	Every  int
	Factor float64 // 0 < Factor <= 1
}

// Rate implements Schedule.
func (s Steps) Rate(k int) float64 {
	r := s.Start
	for range k / s.Every {
		if r *= s.Factor; r == 0 || s.Factor == 1 {
			break
		}
	}
	return r
}

// Cosine falls from Start to End along half a period of the cosine and stays
// there (Loshchilov and Hutter, 2017),
//
//	End + (Start - End) (1 + cos(pi k/Over))/2   for k < Over.
type Cosine struct {
	Start, End float64
	Over       int
}

// Rate implements Schedule.
func (c Cosine) Rate(k int) float64 {
	if k >= c.Over {
		return c.End
	}
	_, cos := vmath.SinCos2Pi(float64(k) / float64(2*c.Over))
	return c.End + (c.Start-c.End)*(1+cos)/2
}

// Warmup rises linearly to the rate of Then over the first Over steps:
// Then.Rate(k) (k+1)/Over for k < Over.
type Warmup struct {
	Over int
	Then Schedule
}

// Rate implements Schedule.
func (w Warmup) Rate(k int) float64 {
	r := w.Then.Rate(k)
	if k < w.Over {
		r *= float64(k+1) / float64(w.Over)
	}
	return r
}

// Harmonic is Start/(1 + k/Half), the 1/k of stochastic approximation (Robbins
// and Monro, 1951); Half is the step at which the rate is half of Start.
type Harmonic struct {
	Start, Half float64
}

// Rate implements Schedule.
func (h Harmonic) Rate(k int) float64 { return h.Start / (1 + float64(k)/h.Half) }

// checkSchedule returns *ebmkit.ArgError if a schedule of this package is not
// valid.
func checkSchedule(fn string, s Schedule) error {
	bad := func(field string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: field, Value: value, Want: want}
	}
	rate := func(field string, r float64) error {
		if !(r > 0) || math.IsInf(r, 0) {
			return bad(field, r, "a positive finite learning rate")
		}
		return nil
	}
	switch s := s.(type) {
	case nil:
		return bad("Rate", nil, "a Schedule, such as nn.Constant(1e-3)")
	case Constant:
		return rate("Rate", float64(s))
	case Steps:
		if s.Every < 1 {
			return bad("Steps.Every", s.Every, "at least 1")
		}
		if !(s.Factor > 0 && s.Factor <= 1) {
			return bad("Steps.Factor", s.Factor, "0 < Factor <= 1")
		}
		return rate("Steps.Start", s.Start)
	case Cosine:
		if s.Over < 1 {
			return bad("Cosine.Over", s.Over, "at least 1")
		}
		if !(s.End >= 0 && s.End <= s.Start) {
			return bad("Cosine.End", s.End, "between 0 and Start")
		}
		return rate("Cosine.Start", s.Start)
	case Warmup:
		if s.Over < 1 {
			return bad("Warmup.Over", s.Over, "at least 1")
		}
		return checkSchedule(fn, s.Then)
	case Harmonic:
		if !(s.Half > 0) || math.IsInf(s.Half, 0) {
			return bad("Harmonic.Half", s.Half, "a positive number of steps")
		}
		return rate("Harmonic.Start", s.Start)
	}
	return nil
}
