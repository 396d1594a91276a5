package nn_test

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/nn"
)

// BenchmarkW4 is workload w4, (a) and (b): the network energy 2-128-128-1 with
// SiLU in float32, 512 rows. The checks compare with the same network in
// float64: the largest error over the largest number.
func BenchmarkW4(b *testing.B) {
	const rows = 512
	c := nn.Config{Sizes: []int{2, 128, 128, 1}, Act: nn.SiLU, Seed: 1}
	low := must(nn.NewMLP(c))
	e := must(nn.NewEnergy(low, 0))
	c.Precision = nn.Float64
	high := must(nn.NewMLP(c))
	exact := must(nn.NewEnergy(high, 0))
	data, neg := normals(2*rows, 1), normals(2*rows, 2)
	us := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N), "us") }

	b.Run("grad-x", func(b *testing.B) {
		ev := e.NewEvaluator()
		g, want := make([]float64, 2*rows), make([]float64, 2*rows)
		b.ReportAllocs()
		for b.Loop() {
			ev.EnergyGrad(nil, g, data)
		}
		us(b)
		exact.NewEvaluator().EnergyGrad(nil, want, data)
		b.ReportMetric(largestError(g, want), "check-error")
	})
	b.Run("grad-theta", func(b *testing.B) {
		up, down := make([]float64, rows), make([]float64, rows)
		for i := range up {
			up[i], down[i] = 1./rows, -1./rows
		}
		gradient := func(e *nn.Energy, d []float64) {
			clear(d)
			e.AddParamGrad(d, up, data)
			e.AddParamGrad(d, down, neg)
		}
		g, want := make([]float64, e.NumParams()), make([]float64, e.NumParams())
		b.ReportAllocs()
		for b.Loop() {
			gradient(e, g)
		}
		us(b)
		gradient(exact, want)
		b.ReportMetric(largestError(g, want), "check-error")
	})
}

func largestError(got, want []float64) float64 {
	var err, size float64
	for i := range got {
		err, size = max(err, math.Abs(got[i]-want[i])), max(size, math.Abs(want[i]))
	}
	return err / size
}

// The network of workload w13, 3-128-128-2, on 10,000 rows.
func BenchmarkField(b *testing.B) {
	const rows = 10_000
	f := must(nn.NewField(nn.FieldConfig{Dim: 2, Hidden: []int{128, 128}, Act: nn.SiLU, Seed: 1}))
	xs, dst := normals(2*rows, 1), make([]float64, 2*rows)
	b.ReportAllocs()
	for b.Loop() {
		f.At(dst, 0.5, xs)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

func BenchmarkAdam(b *testing.B) {
	const n = 1 << 18
	bench := func(b *testing.B, step func()) {
		b.ReportAllocs()
		for b.Loop() {
			step()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/parameter")
	}
	c := nn.AdamConfig{Rate: nn.Constant(1e-3)}
	b.Run("float64", func(b *testing.B) {
		o, theta, g := must(nn.NewAdam[float64](c)), make([]float64, n), normals(n, 1)
		bench(b, func() { o.Step(theta, g) })
	})
	b.Run("float32", func(b *testing.B) {
		o, theta, g := must(nn.NewAdam[float32](c)), make([]float32, n), make([]float32, n)
		for i, v := range normals(n, 1) {
			g[i] = float32(v)
		}
		bench(b, func() { o.Step(theta, g) })
	})
}

func BenchmarkSetParams(b *testing.B) {
	n := must(nn.NewMLP(nn.Config{Sizes: []int{2, 128, 128, 1}}))
	theta := n.Params(nil)
	for b.Loop() {
		n.SetParams(theta)
	}
}
