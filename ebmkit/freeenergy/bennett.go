package freeenergy

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// BAR combines trajectories of both directions by Bennett's acceptance ratio
// (1976), the estimator of least variance. L = log Z solves
//
//	sum_i 1/(1 + exp(L + M - a_i)) = sum_j 1/(1 + exp(b_j - L - M)),
//
// with a and b the LogW of forward and reverse and M = log(n_forward/n_reverse). The
// standard error is Bennett's,
//
//	SE^2 = [<f^2>/<f>^2 - 1]/n_forward + [<g^2>/<g>^2 - 1]/n_reverse,
//
// over the terms f and g of the two sums. The bounds are those of the two
// directions. It returns *ebmkit.ArgError if the directions are not one each.
func BAR(forward, reverse *Report) (*Report, error) {
	const fn = "freeenergy.BAR"
	if err := twoWays(fn, forward, reverse); err != nil {
		return nil, err
	}
	a, b := forward.LogW, reverse.LogW
	m := vmath.Log(float64(len(a)) / float64(len(b)))
	terms := func(l float64) (f, f2, g, g2 float64) {
		for _, v := range a {
			s := vmath.Sigmoid(v - l - m)
			f += s
			f2 += s * s
		}
		for _, v := range b {
			s := vmath.Sigmoid(l + m - v)
			g += s
			g2 += s * s
		}
		return
	}
	// The difference falls with L. Beyond these ends one sum is below the other.
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range [2][]float64{a, b} {
		for _, w := range v {
			if !math.IsInf(w, 0) {
				lo, hi = min(lo, w), max(hi, w)
			}
		}
	}
	if lo > hi {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "LogW", Value: "infinite everywhere", Want: "trajectories between two laws that overlap"}
	}
	lo, hi = lo-math.Abs(m)-1, hi+math.Abs(m)+1
	for range 200 {
		mid := lo + (hi-lo)/2
		if mid == lo || mid == hi {
			break
		}
		if f, _, g, _ := terms(mid); f > g {
			lo = mid
		} else {
			hi = mid
		}
	}
	f, f2, g, g2 := terms(lo)
	na, nb := float64(len(a)), float64(len(b))
	r := &Report{
		LogZ:  ebmkit.Estimate{Value: lo, SE: math.Sqrt(max(0, f2/(f*f)-1/na+g2/(g*g)-1/nb))},
		Lower: forward.Lower, Upper: reverse.Upper,
		N: len(a) + len(b), Evals: forward.Evals + reverse.Evals,
		ESS: math.NaN(), CV: math.NaN(), KHat: math.NaN(),
	}
	if f == 0 || g == 0 {
		r.LogZ.SE = math.Inf(1)
	}
	return r, nil
}

func twoWays(fn string, forward, reverse *Report) error {
	if forward == nil || forward.Reverse || len(forward.LogW) == 0 {
		return &ebmkit.ArgError{Func: fn, Arg: "forward", Value: forward, Want: "a report of trajectories that ran forward"}
	}
	if reverse == nil || !reverse.Reverse || len(reverse.LogW) == 0 {
		return &ebmkit.ArgError{Func: fn, Arg: "reverse", Value: reverse, Want: "a report of trajectories that ran in reverse"}
	}
	return nil
}

// Bridge estimates log Z from trajectories of both directions, cfg.Samples
// each, by Bennett's acceptance ratio. The zero value jumps at once: it is the
// optimal bridge estimate between samples of the two laws (Meng and Wong, 1996).
type Bridge struct {
	Anneal AIS // how the walkers are led; nil Lambdas mean the jump {0, 1}
}

// Run estimates log Z of to. Both energies must have samplers, and from a known
// log Z. Its errors are those of AIS.Run; cfg.Start must be nil, since it cannot
// be in equilibrium at both ends.
func (m Bridge) Run(ctx context.Context, from, to ebmkit.Energy, cfg Config) (*Report, error) {
	if cfg.Start != nil {
		return nil, &ebmkit.ArgError{Func: "freeenergy.Bridge", Arg: "Config.Start", Value: "given", Want: "nil (combine AIS.Run and AIS.Reverse by BAR)"}
	}
	if m.Anneal.Lambdas == nil {
		m.Anneal.Lambdas = []float64{0, 1}
	}
	f, err := m.Anneal.Run(ctx, from, to, cfg)
	if err != nil {
		return nil, err
	}
	r, err := m.Anneal.Reverse(ctx, from, to, cfg)
	if err != nil {
		return nil, err
	}
	return BAR(f, r)
}

// Crooks tests Crooks' theorem on trajectories of both directions: it fits
//
//	log [p_forward(w)/p_reverse(w)] = -slope (w - c),   w = LogW,
//
// by logistic regression of the direction on w and returns the slope, which is
// 1 if the walkers started in equilibrium and went the same way back, and c,
// which is then log Z. It returns *ebmkit.ArgError if the directions are not one
// each, a weight is zero, or their works do not overlap.
func Crooks(forward, reverse *Report) (slope, logZ ebmkit.Estimate, err error) {
	const fn = "freeenergy.Crooks"
	if err := twoWays(fn, forward, reverse); err != nil {
		return slope, logZ, err
	}
	bar, err := BAR(forward, reverse)
	if err != nil {
		return slope, logZ, err
	}
	// In y = w - c0 the log odds of "forward" are M - s y + i; start at s = 1, i = 0.
	c0 := bar.LogZ.Value
	m := vmath.Log(float64(len(forward.LogW)) / float64(len(reverse.LogW)))
	s, i := 1.0, 0.0
	var hss, hsi, hii, det float64
	for range 50 {
		var gs, gi float64
		hss, hsi, hii = 0, 0, 0
		add := func(ws []float64, label float64) bool {
			for _, w := range ws {
				if !finite(w) {
					return false
				}
				y := w - c0
				p := vmath.Sigmoid(m + i - s*y)
				gs -= (label - p) * y
				gi += label - p
				q := p * (1 - p)
				hss += q * y * y
				hsi -= q * y
				hii += q
			}
			return true
		}
		if !add(forward.LogW, 1) || !add(reverse.LogW, 0) {
			return slope, logZ, &ebmkit.ArgError{Func: fn, Arg: "LogW", Value: "an infinite one", Want: "finite works"}
		}
		det = hss*hii - hsi*hsi
		if !(det > 0) {
			break
		}
		ds, di := (hii*gs-hsi*gi)/det, (hss*gi-hsi*gs)/det
		// A Newton step that is too long is cut; the likelihood is concave.
		if cut := 1 / (1 + math.Abs(ds)); cut < 0.5 {
			ds, di = ds*cut, di*cut
		}
		s, i = s+ds, i+di
		if math.Abs(ds) < 1e-12 && math.Abs(di) < 1e-12 {
			slope = ebmkit.Estimate{Value: s, SE: math.Sqrt(hii / det)}
			// c = c0 + i/s, by the delta method.
			vs, vi, vsi := hii/det, hss/det, -hsi/det
			logZ = ebmkit.Estimate{Value: c0 + i/s, SE: math.Sqrt(vi/(s*s) + vs*i*i/(s*s*s*s) - 2*vsi*i/(s*s*s))}
			return slope, logZ, nil
		}
	}
	return slope, logZ, &ebmkit.ArgError{Func: fn, Arg: "LogW", Value: "works that do not overlap", Want: "directions whose works overlap (a slower protocol)"}
}

// WorkRatio is Crooks' theorem bin by bin: the densities of the work of both
// directions, as two histograms give them.
type WorkRatio struct {
	Work []float64         // centres of the bins, ascending
	Log  []ebmkit.Estimate // log [p_forward(W)/p_reverse(-W)] there, in theory W - FreeEnergy
}

// CrooksRatio counts the works of both directions in bins of the given width, one
// of which begins at zero, and returns the logarithm of their ratio in those bins
// that hold at least least works of each direction:
//
//	log (n/N) - log (m/M),   SE^2 = 1/n + 1/m,
//
// for n of N works forward and m of M in reverse. In a bin of finite width this
// is W - FreeEnergy but for terms of the order of the width squared. The error is
// that of Poisson's law, a little too large where a bin holds much of the whole.
// CrooksRatio returns *ebmkit.ArgError if the directions are not one each, a work
// is not finite, width is not positive, or least < 1.
func CrooksRatio(forward, reverse *Report, width float64, least int) (*WorkRatio, error) {
	const fn = "freeenergy.CrooksRatio"
	if err := twoWays(fn, forward, reverse); err != nil {
		return nil, err
	}
	if err := positive(fn, "width", width); err != nil {
		return nil, err
	}
	if least < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "least", Value: least, Want: "at least 1"}
	}
	counts := [2]map[float64]int{{}, {}}
	for way, r := range [2]*Report{forward, reverse} {
		for i, l := range r.LogW {
			if !finite(l) {
				return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("LogW[%d]", i), Value: l, Want: "a finite work"}
			}
			counts[way][math.Floor(-l/width)]++
		}
	}
	ratio := &WorkRatio{}
	all := vmath.Log(float64(len(forward.LogW)) / float64(len(reverse.LogW)))
	for _, bin := range slices.Sorted(maps.Keys(counts[0])) {
		n, m := float64(counts[0][bin]), float64(counts[1][bin])
		if min(n, m) < float64(least) {
			continue
		}
		ratio.Work = append(ratio.Work, (bin+0.5)*width)
		ratio.Log = append(ratio.Log, ebmkit.Estimate{Value: vmath.Log(n/m) - all, SE: math.Sqrt(1/n + 1/m)})
	}
	return ratio, nil
}
