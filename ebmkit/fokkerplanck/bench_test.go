package fokkerplanck

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// w8Grid is the grid of workload w8 in so many dimensions, with its start
// N(0, 0.25).
func w8Grid(dim, cells int) (*Grid, []float64) {
	axes := make([]Axis, dim)
	for j := range axes {
		axes[j] = Axis{Lo: -3, Hi: 3, Cells: cells}
	}
	g := must(NewGrid(axes...))
	return g, must(g.Boltzmann(must(energy.NewIsotropicGaussian(make([]float64, dim), 0.5))))
}

// w8Energy is V/D, V = x^4/4 - x^2/2 (+ y^2/2), D = 1/2.
func w8Energy(dim int) *energy.Func {
	return must(energy.NewFunc(dim, func(x []float64) float64 {
		v := x[0] * x[0] * (x[0]*x[0]/2 - 1)
		if dim == 2 {
			v += x[1] * x[1]
		}
		return v
	}, nil))
}

// BenchmarkW8 is workload w8: the Fokker-Planck equation of the double well
// V = x^4/4 - x^2/2 with D = 1/2 from N(0, 1/4), all from the energy on: rates,
// factors and steps. fp1d takes the 1000 steps of Crank-Nicolson of its peer.
// The checks of fp1d and fp2d are the errors of time at t = 1, relative to the
// largest density, against steps so small that nothing changes any more; that of
// steady the largest relative error where p is above 1e-6 of its top.
func BenchmarkW8(b *testing.B) {
	evolve := func(b *testing.B, dim, cells, steps int, s Scheme) {
		g, p0 := w8Grid(dim, cells)
		u := w8Energy(dim)
		p := make([]float64, len(p0))
		run := func(scheme Scheme, steps int) {
			gen := must(Langevin{Energy: u, Eps: 0.5}.On(g))
			copy(p, p0)
			f := must(NewFlow(gen, scheme, 1/float64(steps)))
			if err := f.Advance(p, steps); err != nil || f.Damped > 0 {
				b.Fatal(err, f.Damped)
			}
		}
		b.ReportAllocs()
		for b.Loop() {
			run(s, steps)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(b.N), "ms")
		b.StopTimer()
		got := append([]float64(nil), p...)
		fine := 20 * steps
		if dim == 2 {
			fine = 8 * steps
		}
		run(CrankNicolson, fine)
		worst, top := 0.0, 0.0
		for k, v := range p {
			worst, top = math.Max(worst, math.Abs(v-got[k])), math.Max(top, v)
		}
		b.ReportMetric(worst/top, "check-time-error")
		b.ReportMetric(math.Abs(g.Mass(got)-1), "check-mass")
		if !(worst/top < 1e-4) {
			b.Errorf("error of time %g", worst/top)
		}
	}
	b.Run("fp1d", func(b *testing.B) { evolve(b, 1, 512, 1000, CrankNicolson) })
	b.Run("steady", func(b *testing.B) {
		g, _ := w8Grid(1, 512)
		u := w8Energy(1)
		var p []float64
		for b.Loop() {
			p = must(must(Langevin{Energy: u, Eps: 0.5}.On(g)).balance("")) // by its fluxes, not by exp(-U)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/1e3/float64(b.N), "ms")
		want := must(g.Boltzmann(u))
		worst, top := 0.0, 0.0
		for _, v := range want {
			top = math.Max(top, v)
		}
		for k, v := range want {
			if v > 1e-6*top {
				worst = math.Max(worst, math.Abs(p[k]/v-1))
			}
		}
		b.ReportMetric(worst, "check-relative")
		if !(worst < 1e-12) {
			b.Errorf("relative error %g", worst)
		}
	})
	b.Run("fp2d", func(b *testing.B) { evolve(b, 2, 128, 100, TRBDF2) })
}
