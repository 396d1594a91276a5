package vmath

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestNetworkLoopsBitForBit(t *testing.T) {
	if !useAVX2 {
		t.Skip("one path only")
	}
	portable := func(f func()) {
		useAVX2 = false
		defer func() { useAVX2 = true }()
		f()
	}
	clone32 := func(x []float32) []float32 { return append([]float32(nil), x...) }
	clone := func(x []float64) []float64 { return append([]float64(nil), x...) }
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
