package vmath

import (
	"math"
	"math/rand/v2"
	"testing"
)

// rowInputs returns xs, mean, diagonal and off-diagonal of rows in n dimensions.
// With odd, some entries are zeros of either sign, infinite, NaN, or so small
// that their products vanish.
func rowInputs(r *rand.Rand, rows, n int, odd bool) (xs, mean, diag, off []float64) {
	xs, mean, diag, off = make([]float64, rows*n), make([]float64, n), make([]float64, n), make([]float64, n)
	strange := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e-200, -1e-200, 5e-324, 1e200}
	for i := range xs {
		xs[i] = r.NormFloat64()
		if odd && r.IntN(n) < 2 {
			xs[i] = strange[r.IntN(len(strange))]
		}
	}
	for j := range n {
		diag[j] = 0.5 + r.Float64()
		if r.IntN(2) == 0 {
			mean[j] = r.NormFloat64()
		}
		if j+1 < n {
			off[j] = r.NormFloat64()
		}
	}
	return xs, mean, diag, off
}

// AVX2 and portable code agree in every dimension and write nothing beyond; the
// energy does not depend on whether the gradient is asked for, nor the gradient
// on the energy.
func TestRowsAgree(t *testing.T) {
	const rows = 3
	r := rand.New(rand.NewPCG(11, 12))
	for n := 1; n < 90; n++ {
		for trial := range 12 {
			xs, mean, diag, off := rowInputs(r, rows, n, trial%2 == 1)
			kinds := map[string]func(u, grad []float64){
				"diagonal":    func(u, grad []float64) { DiagonalRows(u, grad, xs, mean, diag) },
				"tridiagonal": func(u, grad []float64) { TridiagonalRows(u, grad, xs, mean, diag, off) },
			}
			for name, f := range kinds {
				var want []float64 // energies, gradients, a guard
				for _, avx2 := range []bool{false, true} {
					for _, which := range []string{"both", "u", "grad"} {
						got := append(make([]float64, rows+rows*n), -77)
						u, grad := got[:rows], got[rows:rows+rows*n]
						onPath(t, avx2, func() {
							switch which {
							case "both":
								f(u, grad)
							case "u":
								f(u, nil)
								copy(grad, want[rows:])
							case "grad":
								f(nil, grad)
								copy(u, want)
							}
						})
						if want == nil {
							want = got
						}
						for i := range want {
							if !same(got[i], want[i]) {
								t.Fatalf("%s, d = %d, trial %d, avx2 %v, %s: number %d is %x, want %x", name, n, trial, avx2, which, i, got[i], want[i])
							}
						}
					}
				}
			}
		}
	}
}

// The elementwise loops and the reductions beside them, at every length.
func TestLoopsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for n := 1; n < 90; n++ {
		for trial := range 8 {
			x, y, s, _ := rowInputs(r, 1, n, trial%2 == 1)
			run := func() (out []float64) {
				d, a := append(make([]float64, n), -77), append(append([]float64(nil), y...), -77)
				Sub(d[:n], x, y)
				AxpyScaled(a[:n], 0.3, s, x)
				for i := range n {
					if want := x[i] - y[i]; !same(d[i], want) {
						t.Fatalf("n = %d: Sub[%d] = %x, want %x", n, i, d[i], want)
					}
					if want := y[i] + float64(0.3*float64(s[i]*x[i])); !same(a[i], want) {
						t.Fatalf("n = %d: AxpyScaled[%d] = %x, want %x", n, i, a[i], want)
					}
				}
				if d[n] != -77 || a[n] != -77 {
					t.Fatalf("n = %d: written past the end", n)
				}
				return append(out, Dot(x, s), Sum(x), Dot(y, s), Sum(y))
			}
			var a, b []float64
			onPath(t, false, func() { a = run() })
			onPath(t, true, func() { b = run() })
			for i := range a {
				if !same(a[i], b[i]) {
					t.Fatalf("n = %d, trial %d, number %d: portable %x, avx2 %x", n, trial, i, a[i], b[i])
				}
			}
		}
	}
	negative := []float64{math.Copysign(0, -1), math.Copysign(0, -1), math.Copysign(0, -1)}
	onPath(t, false, func() { negative = append(negative, Sum(negative)) })
	onPath(t, true, func() {
		if got := Sum(negative[:3]); !same(got, negative[3]) {
			t.Errorf("sum of -0: avx2 %v, portable %v", got, negative[3])
		}
	})
}

// The definitions, summed in another way.
func TestRowsAreTheirFormulas(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	near := func(got, want, scale float64) bool { return math.Abs(got-want) <= 1e-14*scale }
	for _, n := range []int{1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 31, 100} {
		x, mean, diag, off := rowInputs(r, 1, n, false)
		g, u := make([]float64, n), make([]float64, 1)
		DiagonalRows(u, g, x, mean, diag)
		var want float64
		for j := range x {
			want += (x[j] - mean[j]) * (x[j] - mean[j]) * diag[j] / 2
			if w := diag[j] * (x[j] - mean[j]); g[j] != w {
				t.Errorf("n = %d: diagonal gradient[%d] = %v, want %v", n, j, g[j], w)
			}
		}
		if !near(u[0], want, want) {
			t.Errorf("n = %d: diagonal energy %v, want %v", n, u[0], want)
		}
		// The precision C C' entry by entry.
		y := make([]float64, n)
		Sub(y, x, mean)
		want = 0
		TridiagonalRows(u, g, x, mean, diag, off)
		for j := range y {
			terms := []float64{diag[j] * diag[j] * y[j]}
			if j > 0 {
				terms = append(terms, off[j-1]*off[j-1]*y[j], off[j-1]*diag[j-1]*y[j-1])
			}
			if j+1 < n {
				terms = append(terms, diag[j]*off[j]*y[j+1])
			}
			var p, size float64
			for _, v := range terms {
				p += v
				size += math.Abs(v)
			}
			if !near(g[j], p, size) {
				t.Errorf("n = %d: tridiagonal gradient[%d] = %v, want %v", n, j, g[j], p)
			}
			want += y[j] * p / 2
		}
		if !near(u[0], want, float64(n)*(1+want)) {
			t.Errorf("n = %d: tridiagonal energy %v, want %v", n, u[0], want)
		}
	}
}

func TestRowsPanicOnLengths(t *testing.T) {
	a, b, u := make([]float64, 9), make([]float64, 8), make([]float64, 1)
	for i, f := range []func(){
		func() { DiagonalRows(nil, b, a, a, a) }, func() { DiagonalRows(u, nil, a, a, b) }, func() { DiagonalRows(b, nil, a, a, a) },
		func() { DiagonalRows(u, nil, a, b, b) }, func() { DiagonalRows(nil, nil, nil, nil, nil) },
		func() { TridiagonalRows(u, a, a, a, a, b) }, func() { TridiagonalRows(u, b, a, a, a, a) },
		func() { Sub(a, a, b) }, func() { AxpyScaled(a, 1, b, a) }, func() { Dot(a, b) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("call %d does not panic", i)
				}
			}()
			f()
		}()
	}
}

func BenchmarkRows(b *testing.B) {
	const rows, d = 8, 100
	xs, mean, diag, off := rowInputs(rand.New(rand.NewPCG(1, 2)), rows, d, false)
	g, u := make([]float64, rows*d), make([]float64, rows)
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"diagonal/grad", func() { DiagonalRows(nil, g, xs, mean, diag) }},
		{"diagonal/both", func() { DiagonalRows(u, g, xs, mean, diag) }},
		{"tridiagonal/grad", func() { TridiagonalRows(nil, g, xs, mean, diag, off) }},
		{"tridiagonal/both", func() { TridiagonalRows(u, g, xs, mean, diag, off) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
