package train_test

import (
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// w4 is the training of workload w4: a network 2-128-128-1 in float32, 512 rows
// of data, 512 persistent walkers, 20 Langevin steps, Adam 1e-3.
func w4() *train.Trainer {
	data := must(ebmkit.Draw(must(energy.NewRing(8, 2, 0.3)), 512, 1))
	m := must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{2, 128, 128, 1}, Act: nn.SiLU, Seed: 1})), 0))
	return must(train.New(m, data, train.PCD{Walkers: 512, Kernel: mcmc.ULA{Step: 0.01}, Steps: 20}, adam(1e-3), train.Config{Seed: 1}))
}

// BenchmarkW4 is workload w4's third part: one PCD iteration. The check is the
// difference of the energies of data and walkers after training, in units of the
// spread that 512 independent walkers would give it: small if the walkers follow.
func BenchmarkW4(b *testing.B) {
	b.Run("pcd", func(b *testing.B) {
		tr := w4()
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			if _, err := tr.Step(); err != nil {
				b.Fatal(err)
			}
			n++
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1e3, "us")
		h := tr.History()
		b.ReportMetric(h[n-1].Gap(), "check-gap")
	})
}

// BenchmarkTwoModes trains on the experiment of Carbone et al. in 50 dimensions
// with 10,000 walkers; times are per walker and step.
func BenchmarkTwoModes(b *testing.B) {
	const walkers = 10000
	data := must(ebmkit.Draw(carbone(50, trueZ), walkers, 1))
	for _, c := range []struct {
		name string
		o    train.Objective
	}{
		{"Jarzynski", train.Jarzynski{Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}}},
		{"PCD", train.PCD{Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}}},
		{"CD", train.CD{Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}, Steps: 1}},
	} {
		b.Run(c.name, func(b *testing.B) {
			tr := must(train.New(carbone(50, 0), data, c.o, sgd(0.01), train.Config{Seed: 1}))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tr.Step(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/walkers, "ns/walker-step")
		})
	}
}

// BenchmarkScore times a step of the score objectives on a network 2-64-64-1.
func BenchmarkScore(b *testing.B) {
	data := must(ebmkit.Draw(must(energy.NewRing(8, 2, 0.3)), 512, 1))
	for _, c := range []struct {
		name string
		o    train.Objective
	}{{"ISM", train.ISM{}}, {"SSM", train.SSM{}}, {"DSM", train.DSM{Sigma: 0.1}}, {"NCE", train.NCE{Noise: iso(2, 0, 0), Ratio: 1}}} {
		b.Run(c.name, func(b *testing.B) {
			m := must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{2, 64, 64, 1}, Act: nn.SiLU, Seed: 1})), 0))
			tr := must(train.New(m, data, c.o, adam(1e-3), train.Config{Seed: 1}))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tr.Step(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A step allocates no more than the model's SetParams does (a mixture 25 times),
// whatever the number of walkers and kernel steps: nothing inside the loops.
func TestStepAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, r := range runs() {
		tr := r.trainer()
		for range 3 {
			if _, err := tr.Step(); err != nil {
				t.Fatal(err)
			}
		}
		n := testing.AllocsPerRun(20, func() {
			if _, err := tr.Step(); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %.0f allocations a step", r.name, n)
		if n > 30 && r.name != "Exact" { // which sets the parameters two times for each
			t.Errorf("%s: %v allocations a step", r.name, n)
		}
	}
}
