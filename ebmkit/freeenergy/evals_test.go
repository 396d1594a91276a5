package freeenergy_test

import (
	"sync/atomic"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
)

// Evals is the number of energies that were really computed, on a path that
// mixes two energies and on one that is a function of lambda.
func TestEvalsAreCounted(t *testing.T) {
	var calls atomic.Int64
	counted := func(k float64) ebmkit.Energy {
		return must(energy.NewFunc(2, func(x []float64) float64 { calls.Add(1); return k * (x[0]*x[0] + x[1]*x[1]) / 2 }, nil))
	}
	from := normal(2, 1)
	scaled := freeenergy.PathFunc{D: 2, At: func(lambda float64) ebmkit.Energy { return counted(1 + lambda) }}
	for _, c := range []struct {
		name string
		run  func() *freeenergy.Report
		own  int64 // energies of from alone, in the weights: 100 samples, 10 steps
	}{
		{"a function of lambda", func() *freeenergy.Report {
			return must(freeenergy.AIS{Path: scaled, Lambdas: freeenergy.Linear(10), Method: mcmc.RWM{Step: 1}}.Run(ctx, from, counted(2), freeenergy.Config{Samples: 100}))
		}, 0},
		{"two energies", func() *freeenergy.Report {
			return must(freeenergy.AIS{Lambdas: freeenergy.Linear(10), Method: mcmc.RWM{Step: 1}}.Run(ctx, from, counted(2), freeenergy.Config{Samples: 100}))
		}, 1000},
	} {
		calls.Store(0)
		r := c.run()
		computed := calls.Load() + c.own
		t.Logf("%s: %d counted, %d computed", c.name, r.Evals, computed)
		// A few more are computed to check the arguments.
		if more := computed - int64(r.Evals); more < 0 || more > 5 {
			t.Errorf("%s: %d counted, %d computed", c.name, r.Evals, computed)
		}
	}
}
