package gemm

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// BenchmarkNetworkGradient is workload w4 (a) made of this package's products:
// dE/dx of a network 2-128-128-1 with SiLU, 512 rows in blocks of 64, float32.
// It shows what the parts reach together; the networks themselves live
// elsewhere.
func BenchmarkNetworkGradient(b *testing.B) {
	const rows, block, h = 512, 64, 128
	r := rand.New(rand.NewPCG(1, 2))
	w1, w2, w3 := random[float32](r, 2, h, false), random[float32](r, h, h, false), make([]float32, h)
	b1, b2 := make([]float32, h), make([]float32, h)
	for i := range w3 {
		w3[i] = float32(r.NormFloat64())
	}
	var p1, p2, p1t, p2t Packed[float32]
	p1.Pack(w1)
	p2.Pack(w2)
	p1t.Pack(w1.T())
	p2t.Pack(w2.T())
	x, g := make([]float32, rows*2), make([]float32, rows*2)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	type scratch struct {
		s              Scratch[float32]
		a1, d1, a2, d2 []float32
	}
	var sc [rows / block]scratch
	for i := range sc {
		sc[i] = scratch{a1: make([]float32, block*h), d1: make([]float32, block*h), a2: make([]float32, block*h), d2: make([]float32, block*h)}
	}
	one := func(i int) {
		s := &sc[i]
		a1, a2 := Of(s.a1, block, h), Of(s.a2, block, h)
		fill := func(dst, row []float32) {
			for i := 0; i < len(dst); i += len(row) {
				copy(dst[i:], row)
			}
		}
		fill(s.a1, b1)
		s.s.MulPacked(a1, 1, Of(x[i*block*2:], block, 2), &p1, 1)
		vmath.SiLU32Slice(s.a1, s.d1, s.a1)
		fill(s.a2, b2)
		s.s.MulPacked(a2, 1, a1, &p2, 1)
		vmath.SiLU32Slice(s.a2, s.d2, s.a2)
		fill(s.a2, w3)
		vmath.Mul32Slice(s.a2, s.d2)
		s.s.MulPacked(a1, 1, a2, &p2t, 0)
		vmath.Mul32Slice(s.a1, s.d1)
		s.s.MulPacked(Of(g[i*block*2:], block, 2), 1, a1, &p1t, 0)
	}
	b.Run("one core", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range sc {
				one(i)
			}
		}
	})
	b.Run("par", func(b *testing.B) {
		ctx := context.Background()
		b.ReportAllocs()
		for b.Loop() {
			par.For(ctx, len(sc), one)
		}
	})
}
