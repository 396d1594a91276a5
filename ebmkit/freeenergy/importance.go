package freeenergy

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Config holds what every estimator needs.
type Config struct {
	Samples int    // number of independent samples
	Seed    uint64 // the same seed gives the same bits at any GOMAXPROCS

	// Start, if not nil, holds Samples points in equilibrium at the start of a
	// path, in place of exact draws made here; ImportanceSampling ignores it.
	// Where the energy there knows its moments, points that do not have them are
	// refused.
	Start *ebmkit.Ensemble
}

// ImportanceSampling estimates Z of review eq. (6) by samples from a proposal
// density rho_0 that can be drawn exactly and whose log Z is known:
//
//	Z = E_0[exp(-U)/rho_0],   log w = -U(x) + U_0(x) + log Z_0.
//
// The error grows with the dimension: see GaussianCV.
type ImportanceSampling struct {
	// Proposal must implement ebmkit.Normalized and ebmkit.Sampler.
	Proposal ebmkit.Energy
}

// Run draws cfg.Samples points and reports log Z of the target. Block b of
// ebmkit.BlockRows points uses the stream (Seed, "importance", b). It returns
// *ebmkit.ArgError if the dimensions differ, the proposal has no sampler or
// log Z, Samples < 2, an energy is NaN, or no sample met the support of the
// target; and ctx.Err() if ctx ends first.
func (m ImportanceSampling) Run(ctx context.Context, target ebmkit.Energy, cfg Config) (*Report, error) {
	const fn = "freeenergy.ImportanceSampling"
	if m.Proposal == nil || target == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Proposal and target", Value: nil, Want: "two energies"}
	}
	d := target.Dim()
	if m.Proposal.Dim() != d {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Proposal.Dim()", Value: m.Proposal.Dim(), Want: fmt.Sprintf("%d, as the target", d)}
	}
	norm, ok := m.Proposal.(ebmkit.Normalized)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Proposal", Value: ebmkit.TypeName(m.Proposal), Want: "an energy with known log Z"}
	}
	from, ok := m.Proposal.(ebmkit.Sampler)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Proposal", Value: ebmkit.TypeName(m.Proposal), Want: "an energy with an exact sampler"}
	}
	if cfg.Samples < 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Samples", Value: cfg.Samples, Want: "at least 2"}
	}
	logZ0 := norm.LogZ()
	logW := make([]float64, cfg.Samples)
	blocks := (cfg.Samples + ebmkit.BlockRows - 1) / ebmkit.BlockRows
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), blocks) {
		wg.Go(func() {
			xs := make([]float64, ebmkit.BlockRows*d)
			u, u0 := make([]float64, ebmkit.BlockRows), make([]float64, ebmkit.BlockRows)
			ev, ev0 := ebmkit.NewEvaluator(target), ebmkit.NewEvaluator(m.Proposal)
			for ctx.Err() == nil {
				b := int(next.Add(1)) - 1
				if b >= blocks {
					return
				}
				lo := b * ebmkit.BlockRows
				n := min(ebmkit.BlockRows, cfg.Samples-lo)
				s := ebmkit.NewStream(cfg.Seed, "importance", b)
				for i := range n {
					from.Sample(xs[i*d:(i+1)*d], s)
				}
				ev.EnergyGrad(u[:n], nil, xs[:n*d])
				ev0.EnergyGrad(u0[:n], nil, xs[:n*d])
				for i := range n {
					logW[lo+i] = u0[i] - u[i] + logZ0
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, l := range logW {
		if math.IsNaN(l) || math.IsInf(l, 1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("log-weight of sample %d", i), Value: l,
				Want: "energies that are never NaN or -Inf"}
		}
	}
	r, err := ReportOf(logW)
	if err != nil {
		return nil, err
	}
	r.Evals = cfg.Samples
	return r, nil
}

// GaussianCV returns the coefficient of variation of the weights when N(0,
// sigma^2 I_d) is sampled from N(0, s^2 I_d), the exact counterpart of Report.CV:
//
//	CV^2 + 1 = [s^2 / (sigma sqrt(2 s^2 - sigma^2))]^d,
//
// +Inf if s^2 <= sigma^2/2. For s < sigma the weights have a Pareto tail of shape
// k = 1 - s^2/sigma^2. It returns NaN if sigma or s is not positive or d < 1.
func GaussianCV(sigma, s float64, d int) float64 {
	r := s / sigma
	r2 := r * r
	switch {
	case !(sigma > 0 && s > 0 && d >= 1):
		return math.NaN()
	case r2 <= 0.5:
		return math.Inf(1)
	}
	logRatio := vmath.Log1p((r2-1)*(r2-1)/(2*r2-1)) / 2 // of r^2/sqrt(2 r^2 - 1)
	return math.Sqrt(vmath.Expm1(float64(d) * logRatio))
}
