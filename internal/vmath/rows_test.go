package vmath

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// rowInputs returns x, mean, diagonal and off-diagonal of length n. With odd,
// some entries are zeros of either sign, infinite, NaN, or so small that their
// products vanish.
func rowInputs(r *rand.Rand, n int, odd bool) (x, mean, diag, off []float64) {
	x, mean, diag, off = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	strange := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 1e-200, -1e-200, 5e-324, 1e200}
	for i := range x {
		x[i], diag[i] = r.NormFloat64(), 0.5+r.Float64()
		if r.IntN(2) == 0 {
			mean[i] = r.NormFloat64()
		}
		if i+1 < n {
			off[i] = r.NormFloat64()
		}
		if odd && r.IntN(n) < 2 {
			x[i] = strange[r.IntN(len(strange))]
		}
	}
	return x, mean, diag, off
}

// AVX2 and portable code agree at every length, with and without energy and
// gradient, and write nothing beyond.
func TestRowsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for n := 1; n < 90; n++ {
		for trial := range 12 {
			x, mean, diag, off := rowInputs(r, n, trial%2 == 1)
			run := func() (out []float64) {
				guard := func(f func(dst []float64)) {
					dst := append(make([]float64, n), -77)
					f(dst[:n])
					out = append(out, dst...)
				}
				guard(func(g []float64) { DiagonalGrad(g, x, mean, diag) })
				guard(func(g []float64) { out = append(out, DiagonalEnergy(g, x, mean, diag)) })
				guard(func(g []float64) { TridiagonalGrad(g, x, mean, diag, off) })
				guard(func(g []float64) { out = append(out, TridiagonalEnergy(g, x, mean, diag, off)) })
				guard(func(g []float64) { Sub(g, x, mean) })
				guard(func(g []float64) { copy(g, mean); AxpyScaled(g, 0.3, diag, x) })
				return append(out, DiagonalEnergy(nil, x, mean, diag), TridiagonalEnergy(nil, x, mean, diag, off), Dot(x, diag), Sum(x))
			}
			var a, b []float64
			onPath(t, false, func() { a = run() })
			onPath(t, true, func() { b = run() })
			for i := range a {
				if !same(a[i], b[i]) {
					t.Fatalf("n = %d, trial %d, number %d: portable %x, avx2 %x", n, trial, i, a[i], b[i])
				}
			}
			// The gradient alone is that beside an energy, and so is the energy.
			g, h := make([]float64, n), make([]float64, n)
			TridiagonalGrad(g, x, mean, diag, off)
			u := TridiagonalEnergy(h, x, mean, diag, off)
			if w := TridiagonalEnergy(nil, x, mean, diag, off); !same(u, w) {
				t.Fatalf("n = %d: tridiagonal energy %x, without gradient %x", n, u, w)
			}
			d, e := make([]float64, n), make([]float64, n)
			DiagonalGrad(d, x, mean, diag)
			u = DiagonalEnergy(e, x, mean, diag)
			if w := DiagonalEnergy(nil, x, mean, diag); !same(u, w) {
				t.Fatalf("n = %d: diagonal energy %x, without gradient %x", n, u, w)
			}
			for i := range g {
				if !same(g[i], h[i]) || !same(d[i], e[i]) {
					t.Fatalf("n = %d: gradient[%d] depends on whether the energy is computed", n, i)
				}
			}
		}
	}
}

// The definitions, summed in another way.
func TestRowsAreTheirFormulas(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	near := func(got, want, scale float64) bool { return math.Abs(got-want) <= 1e-14*scale }
	for _, n := range []int{1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 31, 100} {
		x, mean, diag, off := rowInputs(r, n, false)
		g := make([]float64, n)
		var u float64
		for j := range x {
			u += (x[j] - mean[j]) * (x[j] - mean[j]) * diag[j] / 2
		}
		if got := DiagonalEnergy(g, x, mean, diag); !near(got, u, u) {
			t.Errorf("n = %d: diagonal energy %v, want %v", n, got, u)
		}
		for j := range g {
			if want := diag[j] * (x[j] - mean[j]); g[j] != want {
				t.Errorf("n = %d: diagonal gradient[%d] = %v, want %v", n, j, g[j], want)
			}
		}
		// The precision C C' entry by entry.
		y := make([]float64, n)
		for j := range y {
			y[j] = x[j] - mean[j]
		}
		u = 0
		TridiagonalGrad(g, x, mean, diag, off)
		for j := range y {
			p := diag[j] * diag[j] * y[j]
			size := math.Abs(p)
			if j > 0 {
				p += off[j-1]*off[j-1]*y[j] + off[j-1]*diag[j-1]*y[j-1]
				size += math.Abs(off[j-1]*off[j-1]*y[j]) + math.Abs(off[j-1]*diag[j-1]*y[j-1])
			}
			if j+1 < n {
				p += diag[j] * off[j] * y[j+1]
				size += math.Abs(diag[j] * off[j] * y[j+1])
			}
			if !near(g[j], p, size) {
				t.Errorf("n = %d: tridiagonal gradient[%d] = %v, want %v", n, j, g[j], p)
			}
			u += y[j] * p / 2
		}
		if got := TridiagonalEnergy(nil, x, mean, diag, off); !near(got, u, float64(n)*(1+u)) {
			t.Errorf("n = %d: tridiagonal energy %v, want %v", n, got, u)
		}
	}
}

func TestRowsPanicOnLengths(t *testing.T) {
	a, b := make([]float64, 9), make([]float64, 8)
	for i, f := range []func(){
		func() { DiagonalGrad(b, a, a, a) }, func() { DiagonalEnergy(nil, a, b, a) }, func() { DiagonalEnergy(b, a, a, a) },
		func() { TridiagonalGrad(a, a, a, a, b) }, func() { TridiagonalEnergy(b, a, a, a, a) }, func() { Sub(a, a, b) },
		func() { AxpyScaled(a, 1, b, a) }, func() { Dot(a, b) },
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
	x, mean, diag, off := rowInputs(rand.New(rand.NewPCG(1, 2)), 100, false)
	g := make([]float64, 100)
	for name, f := range map[string]func(){
		"DiagonalGrad":      func() { DiagonalGrad(g, x, mean, diag) },
		"DiagonalEnergy":    func() { DiagonalEnergy(g, x, mean, diag) },
		"TridiagonalGrad":   func() { TridiagonalGrad(g, x, mean, diag, off) },
		"TridiagonalEnergy": func() { TridiagonalEnergy(g, x, mean, diag, off) },
		"Dot":               func() { Dot(x, diag) },
	} {
		b.Run(fmt.Sprint(name, "/100"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
