package gan_test

import (
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/gan"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
)

// BenchmarkW11 is workload w11, gan: one step of D and one of G in float32, Adam
// included, G 2-64-64-2 and D 2-64-64-1 with ReLU, on a fixed batch of 512. The
// check is V, which goes to -ln 4 = -1.386 as G learns the Gaussian of the data.
func BenchmarkW11(b *testing.B) {
	b.Run("gan", func(b *testing.B) {
		data := must(ebmkit.NewEnsemble(512, 2))
		ebmkit.NewStream(1, "data", 0).FillNormal(data.X)
		m := must(gan.New(gan.Config{Dim: 2, Noise: 2, Generator: []int{64, 64}, Discriminator: []int{64, 64}, Act: nn.ReLU, Seed: 1}))
		a := nn.AdamConfig{Rate: nn.Constant(1e-3)}
		t := must(gan.NewTrainer(m, data, gan.TrainConfig{AdamG: a, AdamD: a, Seed: 1}))
		var last gan.Record
		b.ReportAllocs()
		for b.Loop() {
			last = must(t.Step())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e6/float64(b.N), "ms/step")
		b.ReportMetric(last.V, "check-V")
	})
}
