package diffusion

import (
	"context"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
)

// BenchmarkW13 is workload w13: the reversed VP process, 500 steps of Euler and
// Maruyama for 10,000 samples, with a score network 3-128-128-2 (x, y, t; SiLU)
// in float32. The network is random, as in the peers. check-mean-z is the
// z-score of the mean of the samples against a run with another seed.
func BenchmarkW13(b *testing.B) {
	const n, steps = 10_000, 500
	vp := VP{BetaMin: 0.1, BetaMax: 20}
	b.Run("reverse-sde", func(b *testing.B) {
		net := must(nn.NewField(nn.FieldConfig{Dim: 2, Hidden: []int{128, 128}, Act: nn.SiLU, Seed: 1}))
		sde := must(Reverse(vp, net))
		run := func(seed uint64) *ebmkit.Ensemble {
			return must(sde.Run(context.Background(), Config{Walkers: n, Times: Uniform(1, 0, steps), Seed: seed})).Last()
		}
		var x *ebmkit.Ensemble
		b.ReportAllocs()
		for b.Loop() {
			x = run(1)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n*steps), "ns/sample-step")
		p, q := ebmkit.MeanOf(x.Col(0)), ebmkit.MeanOf(run(2).Col(0))
		b.ReportMetric((p.Value-q.Value)/math.Hypot(p.SE, q.SE), "check-mean-z")
	})
}
