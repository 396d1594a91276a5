package vmath

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// portable runs f without assembler.
func portable(f func()) {
	defer func(on bool) { useAVX2 = on }(useAVX2)
	useAVX2 = false
	f()
}

func TestNetworkLoopsBitForBit(t *testing.T) {
	if !useAVX2 {
		t.Skip("one path only")
	}
	clone32 := slices.Clone[[]float32]
	clone := slices.Clone[[]float64]
	for _, n := range []int{0, 1, 7, 8, 9, 31, 1000} {
		a, b := inputs32(n), inputs32(2*n + 1)[n:2*n]
		x, y := clone32(a), clone32(a)
		Add32Slice(x, b)
		portable(func() { Add32Slice(y, b) })
		w := inputs(n)
		p, q := clone(w), clone(w)
		AddFloat32Slice(p, a)
		portable(func() { AddFloat32Slice(q, a) })
		for i := range x {
			if !same32(x[i], y[i]) || !same(p[i], q[i]) {
				t.Fatalf("n = %d: sums differ at %d", n, i)
			}
		}
	}
	r := rand.New(rand.NewPCG(7, 8))
	for rows := range 11 {
		for _, k := range []int{0, 1, 7, 8, 9, 64, 129} {
			a, w := make([]float32, rows*(k+3)), make([]float32, k)
			for _, v := range [][]float32{a, w} {
				for i := range v {
					v[i] = float32(r.NormFloat64())
				}
			}
			x, y := make([]float32, 2*rows), make([]float32, 2*rows)
			DotRows32(x, 2, a, k+3, w, rows)
			portable(func() { DotRows32(y, 2, a, k+3, w, rows) })
			for i := range rows {
				var want float64
				for p := range k {
					want += float64(w[p]) * float64(a[i*(k+3)+p])
				}
				if !same32(x[2*i], y[2*i]) || math.Abs(float64(x[2*i])-want) > 1e-4 || x[2*i+1] != 0 {
					t.Fatalf("DotRows32: %d of %d rows, k = %d: %v, portable %v, in float64 %v", i, rows, k, x[2*i], y[2*i], want)
				}
			}
		}
	}
	const n = 1003
	var s64 AdamStep[float64]
	var s32 AdamStep[float32]
	var v64, w64 [4][]float64
	var v32, w32 [4][]float32
	for i := range s64 {
		s64[i] = r.Float64()
		s32[i] = float32(s64[i])
	}
	for k := range 4 {
		for range n {
			x := r.NormFloat64() * math.Exp(5*r.NormFloat64())
			if k == 2 {
				x = math.Abs(x)
			}
			v64[k], v32[k] = append(v64[k], x), append(v32[k], float32(x))
		}
		w64[k], w32[k] = clone(v64[k]), clone32(v32[k])
	}
	Adam64(v64[0], v64[1], v64[2], v64[3], &s64)
	Adam32(v32[0], v32[1], v32[2], v32[3], &s32)
	portable(func() {
		Adam64(w64[0], w64[1], w64[2], w64[3], &s64)
		Adam32(w32[0], w32[1], w32[2], w32[3], &s32)
	})
	for k := range 3 {
		for i := range n {
			if !same(v64[k][i], w64[k][i]) || !same32(v32[k][i], w32[k][i]) {
				t.Fatalf("Adam: array %d differs at %d", k, i)
			}
		}
	}
}

// Adam says when a parameter or a second moment is not finite, wherever it is.
func TestAdamFinite(t *testing.T) {
	const n = 21
	step := AdamStep[float64]{0.9, 0.1, 0.99, 0.01, 1, 1e-8, 0.1, 1}
	var step32 AdamStep[float32]
	for i, v := range step {
		step32[i] = float32(v)
	}
	for bad := range n + 1 {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for which := range 4 {
				check := func() {
					var a [4][]float64
					var b [4][]float32
					for i := range a {
						a[i], b[i] = make([]float64, n), make([]float32, n)
					}
					if bad < n {
						a[which][bad], b[which][bad] = v, float32(v)
					}
					if Adam64(a[0], a[1], a[2], a[3], &step) != (bad == n) || Adam32(b[0], b[1], b[2], b[3], &step32) != (bad == n) {
						t.Errorf("%g at %d of %d of array %d is not seen, or something else is", v, bad, n, which)
					}
				}
				check()
				portable(check)
			}
		}
	}
}

func TestSumSquares32(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, n := range []int{0, 1, 15, 16, 17, 64, 1003} {
		x, want := make([]float32, n), 0.0
		for i := range x {
			x[i] = float32(r.NormFloat64())
			want += float64(x[i]) * float64(x[i])
		}
		got, other := SumSquares32(x), 0.0
		portable(func() { other = SumSquares32(x) })
		if !same(got, other) || math.Abs(got-want) > 1e-14*want {
			t.Errorf("n = %d: %v, portable %v, want %v", n, got, other, want)
		}
		for i := range x {
			old := x[i]
			for _, v := range []float64{math.NaN(), math.Inf(1), math.MaxFloat32} {
				x[i] = float32(v)
				if s := SumSquares32(x); (s-s == 0) != (v == math.MaxFloat32) {
					t.Fatalf("n = %d: %g at %d makes the sum %g", n, v, i, s)
				}
			}
			x[i] = old
		}
	}
}

func TestBernoulli32(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, n := range []int{0, 1, 3, 4, 64, 787} {
		x, y, sp, dy := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = r.Float32(), float32(3*r.NormFloat64())
		}
		Softplus32Slice(sp, dy, y)
		other := slices.Clone(dy)
		const w = 0.25
		var want, tol, q float64
		for i := range x {
			p := 1 / (1 + math.Exp(-float64(y[i])))
			want += float64(x[i])*math.Log(p) + float64(1-x[i])*math.Log(1-p)
			tol += 1e-6 * (1 + math.Abs(float64(y[i])))
		}
		got := Bernoulli32(dy, x, y, sp, w)
		portable(func() { q = Bernoulli32(other, x, y, sp, w) })
		if !same(got, q) || math.Abs(got-want) > tol {
			t.Errorf("n = %d: %v, portable %v, want %v", n, got, q, want)
		}
		for i := range x {
			p := 1 / (1 + math.Exp(-float64(y[i])))
			if !same32(dy[i], other[i]) || math.Abs(float64(dy[i])-w*(p-float64(x[i]))) > 1e-6 {
				t.Fatalf("n = %d: derivative %d is %v, portable %v, want %v", n, i, dy[i], other[i], w*(p-float64(x[i])))
			}
		}
	}
}
