package vae_test

import (
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
)

// BenchmarkW11 is workload w11, vae: one training step in float32, Adam
// included, of 784-400-(20,20)/20-400-784 with ReLU and a Bernoulli decoder, on a
// fixed batch of 128. The check is the ELBO per pixel that it has reached.
func BenchmarkW11(b *testing.B) {
	b.Run("vae", func(b *testing.B) {
		data := must(ebmkit.NewEnsemble(128, 784))
		s := ebmkit.NewStream(1, "pixels", 0)
		for i := range data.X {
			if s.Float64() < 0.3 {
				data.X[i] = 1
			}
		}
		m := must(vae.New(vae.Config{Dim: 784, Latent: 20, Encoder: []int{400}, Decoder: []int{400}, Act: nn.ReLU,
			Likelihood: vae.Bernoulli, Seed: 1}))
		t := must(vae.NewTrainer(m, data, vae.TrainConfig{Adam: nn.AdamConfig{Rate: nn.Constant(1e-3)}, Seed: 1}))
		var last vae.Record
		b.ReportAllocs()
		for b.Loop() {
			last = must(t.Step())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e6/float64(b.N), "ms/step")
		b.ReportMetric(last.ELBO()/784, "check-elbo-per-pixel")
	})
}
