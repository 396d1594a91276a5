package diagnose

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// ar1Chain returns independent stationary AR(1) chains of unit noise,
// x' = phi x + xi.
func ar1Chain(draws, walkers, dim int, phi float64, seed uint64) *ebmkit.Chain {
	c := &ebmkit.Chain{Draws: draws, Walkers: walkers, Dim: dim, X: make([]float64, draws*walkers*dim), Seed: seed}
	s := ebmkit.NewStream(seed, "ar1", 0)
	s.FillNormal(c.X)
	row := walkers * dim
	start := 1 / math.Sqrt(1-phi*phi)
	for i := range row {
		c.X[i] *= start
	}
	for i := row; i < len(c.X); i++ {
		c.X[i] += phi * c.X[i-row]
	}
	return c
}

// BenchmarkW9 is workload w9: rank-normalised split R-hat and bulk ESS of AR(1)
// with phi = 0.5, 4 chains x 100,000 draws x 20 dimensions. The checks are R-hat
// and ESS of the first dimension over its expectation N/3.
func BenchmarkW9(b *testing.B) {
	c := ar1Chain(100_000, 4, 20, 0.5, 1)
	b.Run("rhat", func(b *testing.B) {
		var r []float64
		for b.Loop() {
			r, _ = RHat(c)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(b.N), "ms")
		b.ReportMetric(r[0], "check-rhat0")
	})
	b.Run("ess", func(b *testing.B) {
		var e []float64
		for b.Loop() {
			e, _ = ESS(c)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(b.N), "ms")
		ratio := e[0] / (4e5 / 3)
		b.ReportMetric(ratio, "check-ess0-ratio")
		if math.Abs(ratio-1) > 0.05 { // its relative error is about 0.01
			b.Errorf("ESS[0] = %v, want about %v", e[0], 4e5/3)
		}
	})
}

func BenchmarkParts(b *testing.B) {
	c := ar1Chain(100_000, 4, 20, 0.5, 1)
	s, err := FromChain(c, 0)
	if err != nil {
		b.Fatal(err)
	}
	w := &work{}
	w.bulkScores(s)
	rows := halves(w.z, s.chains, s.draws)
	b.Run("gather", func(b *testing.B) {
		for b.Loop() {
			gather("", []*Series{s}, c, 0)
		}
	})
	b.Run("sort", func(b *testing.B) {
		for b.Loop() {
			w.sort(s.x)
		}
	})
	b.Run("fold", func(b *testing.B) {
		for b.Loop() {
			w.fold()
		}
	})
	b.Run("scores", func(b *testing.B) {
		for b.Loop() {
			w.normalScores(w.order, w.value, len(s.x))
		}
	})
	b.Run("rhat", func(b *testing.B) {
		for b.Loop() {
			rhat(rows)
		}
	})
	b.Run("ess", func(b *testing.B) {
		for b.Loop() {
			w.ess(rows)
		}
	})
	f := &correlator{}
	f.plan(1 << 16)
	b.Run("fft65536", func(b *testing.B) {
		for b.Loop() {
			clear(f.x)
			forward(f.x, f.roots)
		}
	})
}
