package spin

import (
	"context"
	"testing"
)

// BenchmarkW7 is workload w7: 1,000 checkerboard sweeps of the heat bath on a
// lattice of 256 x 256 spins at beta = 0.44. There one sweep takes longer to
// forget than a benchmark lasts; so the check lets clusters turn in between, and
// compares the energy with the exact one of this finite torus (Kaufman).
func BenchmarkW7(b *testing.B) {
	b.Run("ising", func(b *testing.B) {
		const sweeps = 1000
		torus := Torus{256, 256, 1, 0}
		l := must(NewLattice(torus, 0.44, 1))
		l.Randomize()
		b.ReportAllocs()
		for b.Loop() {
			l.HeatBath(sweeps)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(sweeps*l.Sites()), "ns/update")
		b.StopTimer()
		o := must(must(l.Run(context.Background(), Mixed, 500, 64*64, 2)).Observables())
		b.ReportMetric(o.Energy.Z(must(KaufmanTorus(torus, 0.44)).Energy), "check-energy-z")
		b.ReportMetric(o.AbsM.Value, "check-abs-m")
	})
}
