package divergence_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
)

// cloud returns n normal points of R^d, shifted in each coordinate.
func cloud(n, d int, shift float64, seed uint64) *ebmkit.Ensemble {
	e := must(ebmkit.NewEnsemble(n, d))
	ebmkit.NewStream(seed, "cloud", 0).FillNormal(e.X)
	for i := range e.X {
		e.X[i] += shift
	}
	return e
}

// BenchmarkW12 is workload w12, on sizes for which POT and NumPy were timed. The
// checks are z-scores against the laws, from which all distances are known, and
// for Sinkhorn the marginal error.
func BenchmarkW12(b *testing.B) {
	run := func(name string, work func(), check string, value func() float64) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				work()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ms")
			b.ReportMetric(value(), "check-"+check)
		})
	}

	// 2,000 x 2,000 points, both estimates with the standard error.
	for _, d := range []int{2, 10} {
		const shift = 0.5
		x, y := cloud(2000, d, 0, 1), cloud(2000, d, shift, 2)
		var m divergence.Discrepancy
		dim := float64(d)
		exact := 2 * math.Pow(3, -dim/2) * -math.Expm1(-dim*shift*shift/6)
		run(fmt.Sprintf("mmd-d%d", d), func() { m = must(divergence.MMD2(x, y, 1)) }, "z", func() float64 { return m.Unbiased.Z(exact) })
	}

	// 100 projections of 10,000 points in 10 dimensions.
	var e ebmkit.Estimate
	x, y := cloud(10000, 10, 0, 1), cloud(10000, 10, 0.5, 2)
	run("sliced-w2", func() { e = must(divergence.SlicedW2(x, y, 100, 1)) }, "z", func() float64 { return e.Z(0.5) })

	// 1,000 x 1,000 points, epsilon a tenth of the largest cost, 100 iterations.
	p, q := cloud(1000, 2, 0, 1), cloud(1000, 2, 1, 2)
	cost, top := make([]float64, p.N*q.N), 0.0
	for i := range p.N {
		for j := range q.N {
			for k, v := range p.Row(i) {
				cost[i*q.N+j] += (v - q.Row(j)[k]) * (v - q.Row(j)[k])
			}
			top = max(top, cost[i*q.N+j])
		}
	}
	w := make([]float64, p.N)
	for i := range w {
		w[i] = 1 / float64(len(w))
	}
	var t *divergence.Transport
	run("sinkhorn-log", func() { t = must(divergence.Sinkhorn{Epsilon: 0.1 * top, Iterations: 100}.Solve(w, w, cost)) },
		"marginal", func() float64 { return t.MarginalError })

	// Exact W2 of 10,000 points on the line.
	u, v := divergence.Line{X: cloud(10000, 1, 0, 1).X}, divergence.Line{X: cloud(10000, 1, 1, 2).X}
	run("w2-1d", func() { e = must(divergence.W2(u, v)) }, "z", func() float64 { return e.Z(1) })
}

// A small epsilon: exponents of all sizes.
func BenchmarkSinkhornSharp(b *testing.B) {
	x, y := cloud(1000, 2, 0, 1), cloud(1000, 2, 1, 2)
	b.ReportAllocs()
	for b.Loop() {
		must(divergence.Sinkhorn{Epsilon: 0.05, Iterations: 100}.SquaredDistance(x, y))
	}
}

func BenchmarkMMD2Null(b *testing.B) {
	x, y := cloud(2000, 10, 0, 1), cloud(2000, 10, 0.5, 2)
	b.ReportAllocs()
	for b.Loop() {
		must(divergence.MMD2Null(x, y, 1, 200, 1))
	}
}
