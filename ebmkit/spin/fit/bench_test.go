package fit_test

import (
	"fmt"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/ebmkit/spin/fit"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// BenchmarkStep takes steps of training on batches of 100, by the fused and by the
// readable path.
func BenchmarkStep(b *testing.B) {
	for _, size := range [][2]int{{64, 32}, {784, 500}} {
		points := must(ebmkit.Draw(spin.Uniform{N: size[0]}, 1000, 1))
		for _, c := range []struct {
			name string
			o    train.Objective
		}{
			{"CD/fused", fit.CD{}},
			{"CD/readable", train.CD{Walkers: 100, Kernel: spin.BlockGibbs{}, Steps: 1}},
			{"PCD/fused", fit.PCD{Walkers: 100}},
			{"PCD/readable", train.PCD{Walkers: 100, Kernel: spin.BlockGibbs{}}},
		} {
			b.Run(fmt.Sprintf("%dx%d/%s", size[0], size[1], c.name), func(b *testing.B) {
				tr := must(train.New(machine(size[0], size[1], 0.01, 1), points, c.o, sgd(0.01), train.Config{Seed: 1, Batch: 100}))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := tr.Step(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
