package freeenergy

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// SMC is the sequential Monte Carlo sampler (Del Moral, Doucet and Jasra,
// 2006): a population of particles is annealed as in AIS, and where the weights
// W have become unequal, drawn anew in proportion to them,
//
//	Z(1)/Z(0) = product over k of sum_i W_i exp(U_k(x_i) - U_{k+1}(x_i)).
//
// Config.Samples populations run independently; their spread gives the error.
//
// With Lambdas the schedule is fixed and the estimate of Z has no bias. Without,
// each population takes the longest step that keeps its conditional effective
// sample size
//
//	CESS/n = (sum W v)^2 / sum W v^2,   v_i = exp(U_k(x_i) - U_{k+1}(x_i)),
//
// at Threshold (Zhou, Johansen and Aston, 2016), by bisection. That leaves a
// bias of the order of 1/Particles in Z; run again with Report.Lambdas and
// another seed to be rid of it.
type SMC struct {
	Particles int         // n in each population, at least 2
	Method    mcmc.Method // a kernel that leaves its target invariant
	Moves     int         // transitions after each change of lambda; 0 means 1
	Lambdas   []float64   // fixed schedule from 0 to 1; nil means adaptive
	Threshold float64     // of CESS/n in (0, 1), for an adaptive schedule; 0 means 0.9
	Resample  float64     // of ESS/n in (0, 1), below which particles are drawn anew; 0 means 0.5
	Path      Path        // nil means Geometric, which an adaptive schedule needs
}

// Run estimates log Z of to from cfg.Samples populations that start as exact
// draws of from, which must know its log Z. Population b uses the stream (Seed,
// "smc", b). Report.LogW are the estimates of log Z of the populations;
// Report.Lambdas and Along are the schedule and the ESS of the first. Errors are those of
// AIS.Run; cfg.Start must be nil.
func (m SMC) Run(ctx context.Context, from, to ebmkit.Energy, cfg Config) (*Report, error) {
	const fn = "freeenergy.SMC"
	logZ0, err := reference(fn, from, to)
	if err != nil {
		return nil, err
	}
	path, err := ends(fn, m.Path, from, to)
	if err != nil {
		return nil, err
	}
	if m, err = m.checked(fn, from, cfg); err != nil {
		return nil, err
	}
	pops := make([]population, cfg.Samples)
	err = par.For(ctx, len(pops), func(b int) {
		pops[b].err = pops[b].run(ctx, m, path, from.(ebmkit.Sampler), to, ebmkit.NewStream(cfg.Seed, "smc", b))
	})
	logW, evals := make([]float64, len(pops)), 0
	for b := range pops {
		if e := pops[b].err; e != nil && !errors.Is(e, context.Canceled) && !errors.Is(e, context.DeadlineExceeded) {
			return nil, e
		}
		logW[b] = pops[b].logZ
		evals += pops[b].evals
	}
	if err != nil {
		return nil, err
	}
	r, err := ReportOf(logW)
	if err != nil {
		return nil, err
	}
	r.shift(logZ0)
	r.Evals = evals
	r.Lambdas, r.Along = pops[0].lambdas, pops[0].ess
	return r, nil
}

// checked returns m with its defaults.
func (m SMC) checked(fn string, from ebmkit.Energy, cfg Config) (SMC, error) {
	if m.Threshold == 0 {
		m.Threshold = 0.9
	}
	if m.Resample == 0 {
		m.Resample = 0.5
	}
	if m.Moves == 0 {
		m.Moves = 1
	}
	bad := func(arg string, v any, want string) (SMC, error) {
		return m, &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: want}
	}
	if _, ok := from.(ebmkit.Sampler); !ok {
		return bad("from", ebmkit.TypeName(from), "an energy with an exact sampler")
	}
	if cfg.Start != nil {
		return bad("Config.Start", "given", "nil (populations start as exact draws)")
	}
	switch m.Method.(type) {
	case nil, mcmc.ULA, mcmc.Underdamped:
		return bad("Method", fmt.Sprintf("%T", m.Method), "a kernel that leaves its target invariant, as mcmc.MALA does")
	}
	if b, ok := m.Method.(interface{ BlockRows() int }); ok && b.BlockRows() < m.Particles {
		return bad("Method", fmt.Sprintf("%T", m.Method), "a kernel that moves many walkers together")
	}
	switch {
	case cfg.Samples < 2:
		return bad("Samples", cfg.Samples, "at least 2 populations")
	case m.Particles < 2:
		return bad("Particles", m.Particles, "at least 2")
	case m.Moves < 1:
		return bad("Moves", m.Moves, "at least 1")
	case !(m.Threshold > 0 && m.Threshold < 1):
		return bad("Threshold", m.Threshold, "a number between 0 and 1")
	case !(m.Resample > 0 && m.Resample < 1):
		return bad("Resample", m.Resample, "a number between 0 and 1")
	}
	if m.Lambdas == nil {
		if m.Path != nil {
			return bad("Lambdas", nil, "a schedule (only the geometric path can be adaptive)")
		}
		return m, nil
	}
	return m, checkSchedule(fn, m.Lambdas)
}

// population is one run of SMC.
type population struct {
	logZ    float64
	lambdas []float64
	ess     []float64 // over n, at each of lambdas, before resampling
	evals   int
	err     error

	w, inc, v, x []float64
	index        []int
}

func (p *population) run(ctx context.Context, m SMC, path Path, from ebmkit.Sampler, to ebmkit.Energy, s *ebmkit.Stream) error {
	n, d := m.Particles, from.Dim()
	mv, err := follow(path, 0, n)
	if err != nil {
		return err
	}
	ens := &ebmkit.Ensemble{N: n, Dim: d, X: make([]float64, n*d)}
	for i := range n {
		from.Sample(ens.Row(i), s)
	}
	p.w, p.inc, p.v, p.x, p.index = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n*d), make([]int, n)
	p.lambdas, p.ess = []float64{0}, []float64{1}
	for i := range p.w {
		p.w[i] = 1 / float64(n)
	}
	var kernel mcmc.Kernel
	for lambda := 0.0; lambda < 1; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if m.Lambdas != nil {
			lambda = m.Lambdas[len(p.lambdas)]
		} else if lambda, err = p.next(m, mv, ens.X); err != nil {
			return err
		}
		p.lambdas = append(p.lambdas, lambda)
		clear(p.inc)
		mv.change(p.inc, lambda, ens.X)
		if !p.reweight() {
			p.evals = mv.evals
			return p.bad()
		}
		ess := 1 / vmath.Dot(p.w, p.w)
		p.ess = append(p.ess, ess/float64(n))
		if lambda == 1 {
			break
		}
		if ess < m.Resample*float64(n) {
			vmath.Systematic(p.index, p.w, s.Float64())
			for i, from := range p.index {
				copy(p.x[i*d:(i+1)*d], ens.Row(from))
				p.w[i] = 1 / float64(n)
			}
			copy(ens.X, p.x)
		}
		if kernel == nil {
			if kernel, err = m.Method.Bind(mv.target(), n); err != nil {
				return err
			}
		}
		if err := kernel.Start(ens, s); err != nil {
			return err
		}
		for range m.Moves {
			if _, err := kernel.Advance(ens, s); err != nil {
				return err
			}
		}
	}
	p.evals = mv.evals
	return onStates("freeenergy.SMC", to, ens)
}

// bad explains weights that do not sum to a positive number: all particles in a
// forbidden place is an estimate of zero, anything else is an error.
func (p *population) bad() error {
	for i, l := range p.inc {
		if math.IsNaN(l) || math.IsInf(l, 1) {
			return &ebmkit.ArgError{Func: "freeenergy.SMC", Arg: fmt.Sprintf("log-weight of particle %d", i), Value: l, Want: "energies that are never NaN or -Inf"}
		}
	}
	p.logZ = math.Inf(-1)
	return nil
}

// reweight multiplies the normalised weights by exp(inc), adds the log of their
// sum to logZ and normalises again. It says whether the sum was positive.
func (p *population) reweight() bool {
	top := vmath.Max(p.inc)
	if !finite(top) {
		return false
	}
	var sum float64
	for i, l := range p.inc {
		p.w[i] *= vmath.Exp(l - top)
		sum += p.w[i]
	}
	if !(sum > 0) {
		return false
	}
	for i := range p.w {
		p.w[i] /= sum
	}
	p.logZ += top + vmath.Log(sum)
	return true
}

// next returns the largest lambda whose CESS is at least the threshold.
func (p *population) next(m SMC, mv *moving, xs []float64) (float64, error) {
	n := len(p.w)
	mv.ev0.EnergyGrad(mv.u0[:n], nil, xs)
	mv.ev1.EnergyGrad(mv.u1[:n], nil, xs)
	mv.evals += 2 * n
	good := func(lambda float64) bool {
		step, top := lambda-mv.lambda, math.Inf(-1)
		for i := range p.v {
			p.v[i] = step * (mv.u0[i] - mv.u1[i])
			top = max(top, p.v[i])
		}
		var s1, s2 float64
		for i, v := range p.v {
			e := vmath.Exp(v - top)
			s1 += p.w[i] * e
			s2 += p.w[i] * e * e
		}
		return s1*s1 >= m.Threshold*s2
	}
	if good(1) {
		return 1, nil
	}
	lo, hi := mv.lambda, 1.0
	for range 60 {
		if mid := lo + (hi-lo)/2; good(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	if !(lo > mv.lambda) {
		return 0, &ebmkit.ArgError{Func: "freeenergy.SMC", Arg: "Threshold", Value: m.Threshold,
			Want: fmt.Sprintf("a smaller number: no step from lambda = %g keeps so many particles (is the target +Inf there?)", mv.lambda)}
	}
	return lo, nil
}
