package gemm

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// A piece of A'B has the bits of products of blocks that are added up.
func testPair[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	var p Pair[T]
	var s Scratch[T]
	for _, sh := range [][4]int{{1, 1, 1, 1}, {3, 6, 16, 2}, {128, 25, 40, 64}, {100, 13, 33, 64}, {7, 12, 8, 7}, {9, 7, 9, 4}} {
		k, m, n, block := sh[0], sh[1], sh[2], sh[3]
		a, b := random[T](r, k, m, false), random[T](r, k, n, false)
		want := random[T](r, m, n, false)
		p.Reserve(k, m, n)
		for q := 0; q < k; q += block {
			rows := min(block, k-q)
			part := func(m Matrix[T]) Matrix[T] {
				m.Data, m.Rows = m.Data[q*m.RowStride:], rows
				return m
			}
			p.Put(q, part(a), part(b))
			beta := T(1)
			if q == 0 {
				beta = 0
			}
			s.Mul(want, 1, part(a).T(), part(b), beta)
		}
		for lo := 0; lo < m; lo += 2 * PieceRows {
			c := random[T](r, min(2*PieceRows, m-lo), n, false)
			s.MulPair(c, &p, lo, block)
			for i := range c.Rows {
				for j := range n {
					if g, w := at(c, i, j), at(want, lo+i, j); bits(g) != bits(w) {
						t.Fatalf("%v: element (%d, %d): %v, want %v", sh, lo+i, j, g, w)
					}
				}
			}
		}
	}
}

func TestPair(t *testing.T) {
	for _, avx2 := range []bool{true, false} {
		onPath(t, avx2, func() {
			t.Run(fmt.Sprint("f32/", avx2), testPair[float32])
			t.Run(fmt.Sprint("f64/", avx2), testPair[float64])
		})
	}
}

// BenchmarkPair is the gradient of a matrix of 785 x 400 over 128 rows, on one
// core, with and without the packing.
func BenchmarkPair(b *testing.B) {
	const k, m, n, block, piece = 128, 785, 400, 64, 48
	r := rand.New(rand.NewPCG(13, 14))
	x, y := random[float32](r, k, m, false), random[float32](r, k, n, false)
	c := make([]float32, piece*n)
	var p Pair[float32]
	var s Scratch[float32]
	p.Reserve(k, m, n)
	put := func() {
		for q := 0; q < k; q += block {
			u, v := x, y
			u.Data, u.Rows, v.Data, v.Rows = x.Data[q*x.RowStride:], block, y.Data[q*y.RowStride:], block
			p.Put(q, u, v)
		}
	}
	b.Run("Put", func(b *testing.B) {
		for b.Loop() {
			put()
		}
	})
	b.Run("MulPair", func(b *testing.B) {
		for b.Loop() {
			for lo := 0; lo < m; lo += piece {
				rows := min(piece, m-lo)
				s.MulPair(Of(c, rows, n), &p, lo, block)
			}
		}
		b.ReportMetric(2*k*m*n*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOPS")
	})
	b.Run("Mul", func(b *testing.B) {
		c := make([]float32, m*n)
		for b.Loop() {
			s.Mul(Of(c, m, n), 1, x.T(), y, 0)
		}
		b.ReportMetric(2*k*m*n*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOPS")
	})
}
