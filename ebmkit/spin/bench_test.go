package spin

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/internal/vmath"
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

// BenchmarkW6 is workload w6: annealed importance sampling from uniform rows for
// log Z of an RBM of 784 x 128 units, 1,000 values of lambda, 100 chains. Its
// log Z is not known; the check is the z-score of the same estimate of an RBM
// with 16 hidden units, which can be enumerated. The RBM is a file that other
// programs can read: w (128 x 784), b, c in testdata/rbm-784x128.npz. The same
// algorithm in NumPy found log Z = 662.822 +- 0.015 for it.
func BenchmarkW6(b *testing.B) {
	ais := func(m RBM) *freeenergy.Report {
		path := Anneal{m}
		return must(freeenergy.AIS{Path: path, Lambdas: freeenergy.Linear(1000), Method: BlockGibbs{}}.
			Run(context.Background(), path.From(), m, freeenergy.Config{Samples: 100, Seed: 1}))
	}
	b.Run("ais", func(b *testing.B) {
		m := must(LoadRBM(w6Model))
		var r *freeenergy.Report
		b.ReportAllocs()
		for b.Loop() {
			r = ais(m)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ms")
		b.StopTimer()
		small := benchRBM(784, 16)
		b.ReportMetric(ais(small).LogZ.Z(must(small.ExactLogZ())), "check-small-z")
		b.ReportMetric(r.LogZ.Value, "check-log-Z")
		b.ReportMetric(r.LogZ.SE, "check-log-Z-se")
	})
}

const w6Model = "testdata/rbm-784x128.npz"

// The file is what benchRBM draws. With EBMKIT_UPDATE=1 it is written anew.
func TestW6Model(t *testing.T) {
	m := benchRBM(784, 128)
	if os.Getenv("EBMKIT_UPDATE") == "1" {
		if err := SaveRBM(w6Model, m); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(LoadRBM(w6Model)); !slices.Equal(got.Params(nil), m.Params(nil)) {
		t.Error(w6Model + " holds another machine than benchRBM draws")
	}
}

// benchRBM draws the parameters of w6: weights N(0, 0.05^2), biases N(0, 0.1^2).
func benchRBM(visible, hidden int) RBM {
	m := must(NewRBM(visible, hidden))
	theta := make([]float64, m.NumParams())
	ebmkit.NewStream(1, "w6", 0).FillNormal(theta)
	for i := range theta {
		if i < visible*hidden {
			theta[i] *= 0.05
		} else {
			theta[i] *= 0.1
		}
	}
	if err := m.SetParams(theta); err != nil {
		panic(err)
	}
	return m
}

// BenchmarkW5 is workload w5: one epoch of 100 updates with rate 0.01 on 10,000
// random images, batches of 100. The check is what the library's generic gradient
// has to say about the last one: the largest difference from it.
func BenchmarkW5(b *testing.B) {
	const images, batch, visible, hidden, rate = 10_000, 100, 784, 128, 0.01
	data := must(ebmkit.Draw(Uniform{N: visible}, images, 1)).X
	for _, name := range []string{"cd1", "pcd"} {
		b.Run(name, func(b *testing.B) {
			m := must(NewRBM(visible, hidden))
			grad, theta := make([]float64, m.NumParams()), make([]float64, m.NumParams())
			c := NewContrast(m, 1)
			var rows, walkers []float64
			b.ReportAllocs()
			for b.Loop() {
				m.Randomize(0.01, 2)
				m.Params(theta)
				if name == "pcd" {
					walkers = append(walkers[:0], data[:batch*visible]...)
				}
				for i := 0; i < len(data); i += batch * visible {
					rows = data[i : i+batch*visible]
					if err := c.Gradient(grad, rows, walkers, 1); err != nil {
						b.Fatal(err)
					}
					vmath.Axpy(theta, -rate, grad)
					if err := m.SetParams(theta); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e6, "ms/epoch")
			b.StopTimer()
			if err := c.Gradient(grad, rows, walkers, 1); err != nil {
				b.Fatal(err)
			}
			model := make([]float64, batch*visible)
			for i := range batch {
				vmath.UnpackBits(model[i*visible:(i+1)*visible], c.walkers[i*visible/8:(i+1)*visible/8])
			}
			w := make([]float64, batch)
			for k, xs := range [][]float64{rows, model} {
				for i := range w {
					w[i] = float64(2*k-1) / batch
				}
				m.AddParamGrad(grad, w, xs)
			}
			b.ReportMetric(max(slices.Max(grad), -slices.Min(grad)), "check-gradient")
		})
	}
}
