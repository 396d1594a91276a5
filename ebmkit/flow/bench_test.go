package flow_test

import (
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/flow"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// w11 is the flow of workload w11.
func w11(p nn.Precision) *flow.Flow {
	layers := make([]flow.Layer, 8)
	for i := range layers {
		layers[i] = flow.Coupling{Hidden: []int{64, 64}, Act: nn.Tanh, Cap: 1, Flip: i%2 == 1}
	}
	return must(flow.New(flow.Config{Dim: 2, Layers: layers, Precision: p, Seed: 1}))
}

// BenchmarkW11 is the flow of workload w11: a step of maximum likelihood, Adam
// included, of 8 couplings with networks 1-64-64-2 in float32 on 512 rows. The
// check compares the last gradient with the same flow in float64: the largest
// error over the largest number.
func BenchmarkW11(b *testing.B) {
	const rows = 512
	points := &ebmkit.Ensemble{N: rows, Dim: 2, X: make([]float64, 2*rows)}
	ebmkit.NewStream(1, "w11", 0).FillNormal(points.X)
	b.Run("realnvp", func(b *testing.B) {
		f := w11(nn.Float32)
		adam := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(1e-3)}))
		t := must(train.New(f, points, flow.Likelihood{}, adam, train.Config{Seed: 1}))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := t.Step(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e6/float64(b.N), "ms/step")
		exact := w11(nn.Float64)
		if err := exact.SetParams(f.Params(nil)); err != nil {
			b.Fatal(err)
		}
		g, want := make([]float64, f.NumParams()), make([]float64, f.NumParams())
		f.AddParamGrad(g, nil, points.X)
		exact.AddParamGrad(want, nil, points.X)
		b.ReportMetric(largestError(g, want), "check-error")
	})
}

func BenchmarkGradient(b *testing.B) {
	const rows = 512
	f := w11(nn.Float32)
	xs := make([]float64, 2*rows)
	ebmkit.NewStream(1, "w11", 0).FillNormal(xs)
	ms := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e6/float64(b.N), "ms") }
	b.Run("theta", func(b *testing.B) {
		g := make([]float64, f.NumParams())
		b.ReportAllocs()
		for b.Loop() {
			f.AddLossGrad(g, nil, xs)
		}
		ms(b)
	})
	b.Run("x", func(b *testing.B) {
		g, ev := make([]float64, len(xs)), f.NewEvaluator()
		b.ReportAllocs()
		for b.Loop() {
			ev.EnergyGrad(nil, g, xs)
		}
		ms(b)
	})
	b.Run("draw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f.Generate(xs, nil, xs)
		}
		ms(b)
	})
	b.Run("set", func(b *testing.B) {
		theta := f.Params(nil)
		b.ReportAllocs()
		for b.Loop() {
			f.SetParams(theta)
		}
		ms(b)
	})
}
