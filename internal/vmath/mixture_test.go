package vmath

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// ring is workload w1: 8 Gaussians of sd 0.5 on a circle of radius 4.
func ring(k int, radius, sd float64) []float64 {
	var t []float64
	for j := range k {
		s, c := SinCos2Pi(float64(j) / float64(k))
		t = append(t, -Log(float64(k)*2*math.Pi*sd*sd), radius*c, radius*s, -1/(2*sd*sd), -1/(2*sd*sd))
	}
	return t
}

func randomTable(r *rand.Rand, k int) []float64 {
	var t []float64
	for range k {
		t = append(t, r.NormFloat64(), 3*r.NormFloat64(), 3*r.NormFloat64(), -r.ExpFloat64()*5, -r.ExpFloat64()*5)
	}
	return t
}

// Portable, AVX2, whole and cut into rows: the same bits, at ordinary, far,
// infinite and NaN rows.
func TestMixtureBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, k := range []int{1, 2, 3, 8, 13} {
		table, scratch := randomTable(r, k), make([]float64, 12*k)
		for _, n := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 63, 64, 65, 67, 68, 128, 131, 200} {
			xs := make([]float64, 2*n)
			for i := range xs {
				xs[i] = 4 * r.NormFloat64()
				switch r.IntN(12) {
				case 0:
					xs[i] *= 1e3
				case 1:
					xs[i] = []float64{math.Inf(1), math.NaN(), 1e200, -1e160, 0, 5e-324}[r.IntN(6)]
				}
			}
			run := func() (u, g []float64) {
				u, g = make([]float64, n), make([]float64, 2*n)
				MixtureGrad2(u, g, xs, table, scratch)
				return u, g
			}
			var u, g, u2, g2 []float64
			onPath(t, false, func() { u, g = run() })
			onPath(t, true, func() {
				u2, g2 = run()
				u3, g3 := make([]float64, n), make([]float64, 2*n)
				MixtureGrad2(u3, nil, xs, table, scratch)
				MixtureGrad2(nil, g3, xs, table, scratch)
				for i := range u {
					if !same(u[i], u2[i]) || !same(u[i], u3[i]) {
						t.Fatalf("k %d n %d u[%d]: portable %x, avx2 %x, alone %x", k, n, i, u[i], u2[i], u3[i])
					}
				}
				for i := range g {
					if !same(g[i], g2[i]) || !same(g[i], g3[i]) {
						t.Fatalf("k %d n %d g[%d]: portable %x, avx2 %x, alone %x", k, n, i, g[i], g2[i], g3[i])
					}
				}
			})
			for i := range n {
				if a, b := xs[2*i], xs[2*i+1]; a != a || b != b {
					if u[i] == u[i] || g[2*i] == g[2*i] || g[2*i+1] == g[2*i+1] {
						t.Fatalf("row (%v, %v): u %v, grad %v", a, b, u[i], g[2*i:2*i+2])
					}
				} else if math.Abs(a) > 1e150 || math.Abs(b) > 1e150 {
					if !math.IsInf(u[i], 1) {
						t.Fatalf("row (%v, %v): u %v, want +Inf", a, b, u[i])
					}
				}
			}
		}
	}
}

// Against the definition written with LogSumExp: 1e-13 relative to the size of
// the largest term.
func TestMixtureIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, table := range [][]float64{ring(8, 4, 0.5), ring(8, 4, 0.01), randomTable(r, 5)} {
		k := len(table) / 5
		a, scratch := make([]float64, k), make([]float64, 12*k)
		n := 2000
		xs, u, g := make([]float64, 2*n), make([]float64, n), make([]float64, 2*n)
		for i := range xs {
			xs[i] = 4 * r.NormFloat64()
		}
		MixtureGrad2(u, g, xs, table, scratch)
		top := 0.0
		for i := range n {
			x0, x1 := xs[2*i], xs[2*i+1]
			for j := range k {
				c := table[5*j:]
				a[j] = c[0] + c[3]*(x0-c[1])*(x0-c[1]) + c[4]*(x1-c[2])*(x1-c[2])
			}
			l := LogSumExp(a)
			var w0, w1, s0, s1 float64
			for j := range k {
				c := table[5*j:]
				w := Exp(a[j] - l)
				w0 -= 2 * w * c[3] * (x0 - c[1])
				w1 -= 2 * w * c[4] * (x1 - c[2])
				s0 += math.Abs(2 * w * c[3] * (x0 - c[1]))
				s1 += math.Abs(2 * w * c[4] * (x1 - c[2]))
			}
			// The weights carry the error of the exponents, eps |a|.
			size := 1 + math.Abs(l)
			top = max(top, math.Abs(u[i]+l)/size, math.Abs(g[2*i]-w0)/(s0*size+1e-300), math.Abs(g[2*i+1]-w1)/(s1*size+1e-300))
		}
		t.Logf("k = %d: largest scaled difference %.1e", k, top)
		if top > 4e-15 {
			t.Errorf("k = %d: scaled difference %.1e", k, top)
		}
	}
}

func TestMixturePanics(t *testing.T) {
	v := make([]float64, 20)
	for name, f := range map[string]func(){
		"xs":      func() { MixtureGrad2(nil, nil, v[:3], v[:5], v) },
		"table":   func() { MixtureGrad2(nil, nil, v[:4], v[:6], v) },
		"empty":   func() { MixtureGrad2(nil, nil, v[:4], nil, v) },
		"scratch": func() { MixtureGrad2(nil, nil, v[:4], v[:5], v[:11]) },
		"u":       func() { MixtureGrad2(v[:1], nil, v[:4], v[:5], v) },
		"grad":    func() { MixtureGrad2(nil, v[:2], v[:4], v[:5], v) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// BenchmarkMixture: the ring of workload w1, gradients of 64 rows; then the
// whole step of the unadjusted Langevin algorithm.
func BenchmarkMixture(b *testing.B) {
	table, scratch := ring(8, 4, 0.5), make([]float64, 96)
	s := Lanes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	xs, g, xi := make([]float64, 128), make([]float64, 128), make([]float64, 128)
	s.Normals(xs)
	for _, avx2 := range []bool{true, false} {
		b.Run(fmt.Sprint("gradient/avx2 ", avx2), func(b *testing.B) {
			onPath(b, avx2, func() {
				b.ReportAllocs()
				for b.Loop() {
					MixtureGrad2(nil, g, xs, table, scratch)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/row")
			})
		})
		b.Run(fmt.Sprint("energy/avx2 ", avx2), func(b *testing.B) {
			onPath(b, avx2, func() {
				b.ReportAllocs()
				for b.Loop() {
					MixtureGrad2(xi[:64], nil, xs, table, scratch)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/row")
			})
		})
		b.Run(fmt.Sprint("ULA/avx2 ", avx2), func(b *testing.B) {
			onPath(b, avx2, func() {
				b.ReportAllocs()
				for b.Loop() {
					MixtureGrad2(nil, g, xs, table, scratch)
					s.Normals(xi)
					Axpy(xs, -0.01, g)
					Axpy(xs, math.Sqrt(0.02), xi)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/row")
			})
		})
	}
}
