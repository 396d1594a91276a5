package divergence_test

import (
	"fmt"
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

// The work of the benchmarks is that of the peers (POT, NumPy) on the same
// sizes: exact W2 of 10,000 points on the line.
func BenchmarkW2Line(b *testing.B) {
	x, y := divergence.Line{X: cloud(10000, 1, 0, 1).X}, divergence.Line{X: cloud(10000, 1, 1, 2).X}
	b.ReportAllocs()
	for b.Loop() {
		must(divergence.W2(x, y))
	}
}

// 100 projections of 10,000 points in 10 dimensions.
func BenchmarkSlicedW2(b *testing.B) {
	x, y := cloud(10000, 10, 0, 1), cloud(10000, 10, 0.5, 2)
	b.ReportAllocs()
	for b.Loop() {
		must(divergence.SlicedW2(x, y, 100, 1))
	}
}

// 1,000 x 1,000 points, epsilon a tenth of the largest cost, 100 iterations,
// with the matrix of distances.
func BenchmarkSinkhorn(b *testing.B) {
	x, y := cloud(1000, 2, 0, 1), cloud(1000, 2, 1, 2)
	for _, eps := range []float64{5, 0.05} {
		b.Run(fmt.Sprintf("epsilon=%v", eps), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(divergence.Sinkhorn{Epsilon: eps, Iterations: 100}.SquaredDistance(x, y))
			}
		})
	}
}

// 2,000 x 2,000 points, both estimates with the standard error.
func BenchmarkMMD2(b *testing.B) {
	for _, d := range []int{2, 10} {
		x, y := cloud(2000, d, 0, 1), cloud(2000, d, 0.5, 2)
		b.Run(fmt.Sprintf("d=%d", d), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(divergence.MMD2(x, y, 1))
			}
		})
	}
}

func BenchmarkMMD2Null(b *testing.B) {
	x, y := cloud(2000, 10, 0, 1), cloud(2000, 10, 0.5, 2)
	b.ReportAllocs()
	for b.Loop() {
		must(divergence.MMD2Null(x, y, 1, 200, 1))
	}
}
