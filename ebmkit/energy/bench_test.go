package energy_test

import (
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// BenchmarkEvaluator times U and its gradient on 64 rows; ns/row is per point.
func BenchmarkEvaluator(b *testing.B) {
	for _, c := range []struct {
		name string
		e    ebmkit.Energy
	}{
		{"ring8", must(energy.NewRing(8, 4, 0.5))},
		{"mixture1d", eq8()},
		{"mixture2x50", must(energy.NewMixture([]float64{1, 1}, []energy.Component{
			must(energy.NewIsotropicGaussian(make([]float64, 50), 1)), must(energy.NewIsotropicGaussian(make([]float64, 50), 2))}))},
		{"dense100", must(energy.NewGaussianPrecision(make([]float64, 100), must(energy.NewAR1Gaussian(100, 0.9)).Precision(nil)))},
		{"tridiagonal100", must(energy.NewAR1Gaussian(100, 0.9))},
		{"diagonal100", must(energy.NewIsotropicGaussian(make([]float64, 100), 2))},
		{"doublewell", must(energy.NewDoubleWell(1, 1))},
		{"banana", must(energy.NewBanana(2, 1))},
		{"funnel10", must(energy.NewFunnel(10, 3))},
		{"interpolate", must(energy.NewInterpolate(full2(), crossing(), 0.5))},
	} {
		const n = 64
		d := c.e.Dim()
		xs := make([]float64, n*d)
		ebmkit.NewStream(1, "bench", 0).FillNormal(xs)
		u, grad := make([]float64, n), make([]float64, n*d)
		ev := ebmkit.NewEvaluator(c.e)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ev.EnergyGrad(u, grad, xs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}

// BenchmarkRow times one row through EnergyGrad, which borrows scratch.
func BenchmarkRow(b *testing.B) {
	for _, c := range []struct {
		name string
		e    ebmkit.Differentiable
	}{
		{"ring8", must(energy.NewRing(8, 4, 0.5))},
		{"gaussian2", full2()},
		{"doublewell", must(energy.NewDoubleWell(1, 1))},
		{"interpolate", must(energy.NewInterpolate(full2(), crossing(), 0.5))},
	} {
		x, g := make([]float64, c.e.Dim()), make([]float64, c.e.Dim())
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.e.EnergyGrad(g, x)
			}
		})
	}
}

func BenchmarkParamGrad(b *testing.B) {
	for _, c := range []struct {
		name string
		e    ebmkit.ScoreParametric
	}{{"ring8", must(energy.NewRing(8, 4, 0.5))}, {"doublewell", must(energy.NewDoubleWell(1, 1))}, {"gaussian3", full3()}} {
		const n = 64
		xs := make([]float64, n*c.e.Dim())
		ebmkit.NewStream(1, "bench", 0).FillNormal(xs)
		dst := make([]float64, c.e.NumParams())
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.e.AddParamGrad(dst, nil, xs)
			}
		})
		b.Run(c.name+"/score", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.e.AddScoreParamGrad(dst, xs, xs)
			}
		})
	}
}

func BenchmarkSample(b *testing.B) {
	for _, c := range []struct {
		name string
		e    ebmkit.Sampler
	}{
		{"ring8", must(energy.NewRing(8, 4, 0.5))}, {"doublewell", must(energy.NewDoubleWell(1, 1))},
		{"doublewell high", must(energy.NewDoubleWell(100, 1))}, {"quartic", must(energy.NewQuartic(1, 1))},
		{"dense100", must(energy.NewGaussianPrecision(make([]float64, 100), must(energy.NewAR1Gaussian(100, 0.9)).Precision(nil)))},
	} {
		dst := make([]float64, c.e.Dim())
		s := ebmkit.NewStream(1, "bench", 0)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.e.Sample(dst, s)
			}
		})
	}
}
