// Package freeenergy estimates log Z and free-energy differences, each with the
// diagnostics that say whether to believe it.
//
// # Estimators
//
//	ImportanceSampling         samples of one law, weighted
//	AIS                        walkers led from one law to the other, weighted; both ways
//	Jarzynski                  the same for a physical protocol; ULA with its corrected work
//	BAR, Bridge, Crooks        both directions combined, and tested against each other
//	ThermodynamicIntegration   the mean slope of the energy, integrated
//	SMC                        annealed populations that are resampled
//
// Those that lead from one energy to another have Run in common: Estimator.
//
// A Path is an energy with a control parameter lambda in [0, 1]; AIS.Run leads
// from the energy from, whose log Z is known, to the energy to, and reports log
// Z of to. Jarzynski.Run reports log Z(1)/Z(0) of its path, which is minus the
// free-energy difference at beta = 1, F = -log Z (review Remark 5.1):
//
//	r, err := freeenergy.AIS{Lambdas: freeenergy.Linear(1000), Method: mcmc.RWM{Step: 1}}.
//	    Run(ctx, from, to, freeenergy.Config{Samples: 1000, Seed: 1})
//
// Enumerate gives spins what the ends of a path need: log Z and exact draws.
// The same seed gives the same bits on any number of cores.
//
// # What to believe
//
// Every estimator returns a Report. Its standard error is computed from the
// samples, so it is itself an estimate: when the weights have a heavy tail
// (KHat above 0.7) neither value nor error can be trusted, and a tail that no
// sample has reached is not seen by any diagnostic.
package freeenergy

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Report is an estimate of log Z (or of a difference of two) with what it cost
// and what speaks for or against it.
type Report struct {
	LogZ ebmkit.Estimate // nats

	// Lower and Upper are estimates whose means bound log Z from below and
	// above (Upper is +Inf, with error 0, if the method gives none).
	Lower, Upper ebmkit.Estimate

	N     int // independent samples or trajectories
	Evals int // points at which an energy, or its gradient, was computed

	ESS  float64 // effective number of weights, (sum w)^2 / sum w^2
	CV   float64 // sample coefficient of variation of the weights, sd(w)/mean(w)
	KHat float64 // Pareto shape of the largest weights; NaN if N is too small

	LogW []float64 // the N log-weights; nil for estimates that are no mean of weights

	// Reverse says that the trajectories ran from the target to the reference.
	// LogW is then minus the log-weight of the way back, so that in both
	// directions it scatters about log Z, and log Z = -log mean exp(-LogW).
	Reverse bool

	// Of ThermodynamicIntegration and of SMC, nil for other methods:
	Lambdas []float64         // the schedule; of adaptive SMC the one that the first population chose
	Slopes  []ebmkit.Estimate // mean of dU/dlambda at each of Lambdas, the integrand
	Along   []float64         // ESS/Particles of SMC's first population at each of Lambdas, before it is resampled
}

// Trusted says whether no diagnostic objects: KHat below the threshold
// min(1 - 1/log10 N, 0.7) of Vehtari, Simpson, Gelman, Yao and Gabry (2024),
// and ESS of at least 10. It is a warning system, not a guarantee.
// An estimate without weights (LogW nil) is trusted if its error is finite.
func (r *Report) Trusted() bool {
	if r.LogW == nil {
		return !math.IsInf(r.LogZ.SE, 0) && !math.IsNaN(r.LogZ.SE)
	}
	return r.KHat < min(1-1/(vmath.Log(float64(r.N))/math.Ln10), 0.7) && r.ESS >= 10
}

// HeavyTail says that KHat is 1/2 or more: the law of the weights has, as far as
// the largest ones tell, no finite variance. Value may still be good, but SE,
// which is computed from the same sample, is then too small: it misses the
// weights that would make it large. KHat has an error of its own, about
// (1+k)/sqrt(3 sqrt(N)).
func (r *Report) HeavyTail() bool { return r.KHat >= 0.5 }

// String prints the estimate and its diagnostics on one line.
func (r *Report) String() string {
	if r.LogW == nil {
		return fmt.Sprintf("log Z = %v", r.LogZ)
	}
	warn := ""
	switch {
	case !r.Trusted():
		warn = "  (weights not to be trusted)"
	case r.HeavyTail():
		warn = "  (heavy tail: the error is too small)"
	}
	return fmt.Sprintf("log Z = %v  ESS %.0f of %d, CV %.3g, k-hat %.2f%s", r.LogZ, r.ESS, r.N, r.CV, r.KHat, warn)
}

// ReportOf summarises independent log-weights: log Z = log mean exp(logW). The
// slice is kept as Report.LogW. It returns *ebmkit.ArgError if there are fewer
// than two, one is NaN or +Inf, or all are -Inf (no sample met the target).
//
//	log Z = log (sum_i w_i / n)
//	SE = CV / sqrt(n)                     (delta method)
//	CV^2 = sum_i (w_i - mean)^2 / ((n-1) mean^2)
//	ESS = (sum_i w_i)^2 / sum_i w_i^2
//	Lower = mean of log w (Jensen; -Inf if some weight is zero)
func ReportOf(logW []float64) (*Report, error) {
	const fn = "freeenergy.ReportOf"
	n := len(logW)
	if n < 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(logW)", Value: n, Want: "at least 2"}
	}
	top := math.Inf(-1)
	for i, l := range logW {
		if math.IsNaN(l) || math.IsInf(l, 1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("logW[%d]", i), Value: l, Want: "a number below +Inf"}
		}
		top = max(top, l)
	}
	if math.IsInf(top, -1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "logW", Value: "-Inf everywhere", Want: "a sample where the target is positive"}
	}
	var sum, sum2 float64
	w := make([]float64, n)
	for i, l := range logW {
		w[i] = vmath.Exp(l - top)
		sum += w[i]
		sum2 += w[i] * w[i]
	}
	mean := sum / float64(n)
	var ss float64
	for _, v := range w {
		ss += (v - mean) * (v - mean)
	}
	cv := math.Sqrt(ss/float64(n-1)) / mean
	r := &Report{
		LogZ:  ebmkit.Estimate{Value: top + vmath.Log(mean), SE: cv / math.Sqrt(float64(n))},
		Upper: ebmkit.Estimate{Value: math.Inf(1)},
		N:     n, ESS: sum * sum / sum2, CV: cv, KHat: ParetoK(logW), LogW: logW,
	}
	r.Lower = ebmkit.MeanOf(logW)
	if math.IsNaN(r.Lower.SE) { // some weight is zero
		r.Lower = ebmkit.Estimate{Value: math.Inf(-1)}
	}
	return r, nil
}

// reverseReport summarises log-weights of the way back.
func reverseReport(logW []float64) (*Report, error) {
	r, err := ReportOf(logW)
	if err != nil {
		return nil, err
	}
	for i := range logW {
		logW[i] = -logW[i]
	}
	r.LogZ.Value = -r.LogZ.Value
	r.Upper = ebmkit.Estimate{Value: -r.Lower.Value, SE: r.Lower.SE}
	r.Lower = ebmkit.Estimate{Value: math.Inf(-1)}
	r.Reverse = true
	return r, nil
}

// shift adds a known constant to log Z and everything that scatters about it.
func (r *Report) shift(c float64) {
	r.LogZ.Value += c
	r.Lower.Value += c
	r.Upper.Value += c
	for i := range r.LogW {
		r.LogW[i] += c
	}
}

// ParetoK returns the shape k of the generalised Pareto law fitted to the
// largest min(n/5, 3 sqrt(n)) weights, as Pareto-smoothed importance sampling
// does: Zhang and Stephens' estimator (2009), drawn a little towards 1/2 as by
// 10 further observations. Weights with finite variance have k < 1/2, with
// finite mean k < 1. Of a discrete law many weights are equal, but for rounding:
// the tail then begins between two values that differ, and holds a few more of
// them. It is NaN if fewer than 5 weights are in the tail, and -Inf if all
// weights are equal.
func ParetoK(logW []float64) float64 {
	n := len(logW)
	m := int(math.Ceil(min(0.2*float64(n), 3*math.Sqrt(float64(n)))))
	if m < 5 || m >= n {
		return math.NaN()
	}
	s := slices.Clone(logW)
	slices.Sort(s)
	top := s[n-1]
	equal := func(a, b float64) bool { return a == b || b-a <= 1e-10 }
	if equal(s[0], top) {
		return math.Inf(-1)
	}
	at := n - m // where the tail begins
	for at > 0 && equal(s[at-1], s[n-m]) {
		at--
	}
	if at == 0 { // all below are equal, so begin above them
		for at = n - m; equal(s[0], s[at]); at++ {
		}
	}
	cut := vmath.Exp(s[at-1] - top)
	if at != n-m { // between two values of a discrete law
		cut = (cut + vmath.Exp(s[at]-top)) / 2
	}
	if m = n - at; m < 5 {
		return math.NaN()
	}
	x := make([]float64, m)
	for i := range x {
		x[i] = vmath.Exp(s[at+i]-top) - cut
	}
	k := fitPareto(x)
	return (float64(m)*k + 10*0.5) / (float64(m) + 10)
}

// fitPareto returns the posterior mean shape k of the law
//
//	P(X > x) = (1 + k x/sigma)^(-1/k),   x >= 0,
//
// of Zhang and Stephens (Technometrics 51, 2009) for ascending x. They write
// theta = -k/sigma and average it over a grid of their quasi-prior; k then
// follows as mean log(1 - theta x).
func fitPareto(x []float64) float64 {
	n := len(x)
	nf := float64(n)
	quart := x[int(nf/4+0.5)-1]
	if quart == 0 { // ties at the cut
		i := slices.IndexFunc(x, func(v float64) bool { return v > 0 })
		quart = x[i]
	}
	grid := 30 + int(math.Sqrt(nf))
	theta, like := make([]float64, grid), make([]float64, grid)
	shape := func(t float64) float64 {
		var s float64
		for _, v := range x {
			s += vmath.Log1p(-t * v)
		}
		return s / nf
	}
	best := math.Inf(-1)
	for j := range theta {
		theta[j] = 1/x[n-1] + (1-math.Sqrt(float64(grid)/(float64(j)+0.5)))/(3*quart)
		k := shape(theta[j])
		like[j] = nf * (vmath.Log(-theta[j]/k) - k - 1)
		best = max(best, like[j])
	}
	var sum, mean float64
	for j, t := range theta {
		w := vmath.Exp(like[j] - best)
		sum += w
		mean += w * t
	}
	return shape(mean / sum)
}
