package mcmc

import (
	"context"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// benchRing runs 10,000 walkers for 1,000 steps on the ring of 8 Gaussians from
// the origin. The checks: by symmetry each mode holds 1/8 of the walkers, so
// modes-chi2 is chi-squared with 7 degrees of freedom; r2-z is the z-score of
// E|x|^2 against its value for separated modes of the given variance.
func benchRing(b *testing.B, m Method, variance float64) {
	const walkers, steps = 10_000, 1_000
	ring := must(energy.NewRing(8, 4, 0.5))
	origin := &ebmkit.Ensemble{N: 1, Dim: 2, X: []float64{0, 0}}
	var c *ebmkit.Chain
	for b.Loop() {
		c = must(Run(context.Background(), ring, m, Config{Walkers: walkers, Burn: steps - 1, Draws: 1, Seed: 1, Init: origin}))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(walkers*steps), "ns/walker-step")
	var counts [8]float64
	r2 := make([]float64, walkers)
	for i := range r2 {
		x, y := c.X[2*i], c.X[2*i+1]
		r2[i] = x*x + y*y
		counts[int(math.Round(math.Atan2(y, x)/(math.Pi/4))+8)%8]++
	}
	var chi2 float64
	for _, n := range counts {
		chi2 += (n - walkers/8) * (n - walkers/8) / (walkers / 8)
	}
	b.ReportMetric(chi2, "check-modes-chi2")
	b.ReportMetric(ebmkit.MeanOf(r2).Z(16+2*variance), "check-r2-z")
}

// BenchmarkW1 is workload w1; h = 0.01 gives each mode the variance of eq. (90).
func BenchmarkW1(b *testing.B) {
	b.Run("ula-ring8", func(b *testing.B) { benchRing(b, ULA{Step: 0.01}, 0.25/(1-0.01/(2*0.25))) })
}

// BenchmarkW2 is workload w2.
func BenchmarkW2(b *testing.B) {
	b.Run("rwm-ring8", func(b *testing.B) { benchRing(b, RWM{Step: 1}, 0.25) })
}

// BenchmarkW3 is workload w3: 1,000 chains x 200 transitions from 0 on 100-d
// Gaussians with an AR(1) precision (rho = 0.9), stored dense and tridiagonal,
// and with the diagonal precision 1..5. The checks are the mean acceptance and
// the mean variance of the coordinates.
func BenchmarkW3(b *testing.B) {
	const d, walkers, draws, leaps = 100, 1000, 200, 10
	tri := must(energy.NewAR1Gaussian(d, 0.9))
	dense := must(energy.NewGaussianPrecision(make([]float64, d), tri.Precision(nil)))
	sds := make([]float64, d)
	for i := range sds {
		sds[i] = 1 / math.Sqrt(1+4*float64(i)/(d-1))
	}
	diag := must(energy.NewDiagonalGaussian(make([]float64, d), sds))
	origin := &ebmkit.Ensemble{N: 1, Dim: d, X: make([]float64, d)}
	for _, c := range []struct {
		name   string
		target energy.Normal
		m      Method
		unit   string
		per    float64
	}{
		{"hmc-dense", dense, HMC{Step: 0.15, Leapfrog: leaps}, "ns/leapfrog", leaps},
		{"hmc-tri", tri, HMC{Step: 0.15, Leapfrog: leaps}, "ns/leapfrog", leaps},
		{"hmc-diag", diag, HMC{Step: 0.15, Leapfrog: leaps}, "ns/leapfrog", leaps},
		{"mala-dense", dense, MALA{Step: 0.01}, "ns/transition", 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			var ch *ebmkit.Chain
			for b.Loop() {
				ch = must(Run(context.Background(), c.target, c.m, Config{Walkers: walkers, Draws: 1, Thin: draws, Seed: 1, Init: origin}))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(walkers*draws*c.per), c.unit)
			var v float64
			for _, x := range ch.X {
				v += x * x / float64(len(ch.X))
			}
			b.ReportMetric(sum(ch.Accept)/walkers, "check-acceptance")
			b.ReportMetric(v, "check-variance")
		})
	}
}

// BenchmarkStep is one transition of a block of 64 walkers (NUTS: of one).
func BenchmarkStep(b *testing.B) {
	target := must(energy.NewRing(8, 4, 0.5))
	for _, m := range []Method{RWM{Step: 1}, Independence{Proposal: target}, ULA{Step: 0.01}, MALA{Step: 0.05},
		Underdamped{Step: 0.1, Friction: 1}, HMC{Step: 0.2, Leapfrog: 10}, NUTS{Step: 0.3}} {
		b.Run(ebmkit.TypeName(m), func(b *testing.B) {
			rows := ebmkit.BlockRows
			if r, ok := m.(blockRows); ok {
				rows = r.BlockRows()
			}
			k := must(m.Bind(target, rows))
			block := must(ebmkit.Draw(target, rows, 1))
			s := ebmkit.NewStream(1, "bench", 0)
			k.Start(block, s)
			b.ReportAllocs()
			evals := 0
			for b.Loop() {
				info, _ := k.Advance(block, s)
				evals += info.Evals
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(evals), "ns/eval")
		})
	}
}
