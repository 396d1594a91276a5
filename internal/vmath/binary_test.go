package vmath

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// onBothPaths calls f with the assembler and without.
func onBothPaths(f func()) {
	defer func(v bool) { useAVX2 = v }(useAVX2)
	f()
	useAVX2 = false
	f()
}

func randomUnits(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(r.IntN(2))
	}
	return x
}

func TestBitsRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	onBothPaths(func() {
		for n := range 70 {
			x := randomUnits(r, n)
			b := slices.Repeat([]byte{0xaa}, BitBytes(n))
			if !PackBits(b, x) {
				t.Fatalf("n = %d: units are refused", n)
			}
			for i, v := range x {
				if b[i/8]>>(i%8)&1 != byte(v) {
					t.Fatalf("n = %d: bit %d is not %v", n, i, v)
				}
			}
			if n%8 != 0 && b[n/8]>>(n%8) != 0 {
				t.Fatalf("n = %d: bits beyond the end", n)
			}
			y := make([]float64, n)
			UnpackBits(y, b)
			if !slices.Equal(x, y) {
				t.Fatalf("n = %d: %v became %v", n, x, y)
			}
			for i := range x {
				for _, bad := range []float64{math.Copysign(0, -1), -1, 0.5, 2, 1 + 0x1p-52, 5e-324, math.NaN(), math.Inf(1)} {
					old := x[i]
					x[i] = bad
					if PackBits(b, x) {
						t.Fatalf("n = %d: %v passes as a unit at %d", n, bad, i)
					}
					x[i] = old
				}
			}
		}
	})
}

func TestTransposeBits(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for _, s := range [][2]int{{1, 1}, {8, 8}, {9, 7}, {3, 20}, {100, 50}, {17, 64}} {
		rows, cols := s[0], s[1]
		a, b := make([]byte, rows*BitBytes(cols)), make([]byte, cols*BitBytes(rows))
		for i := range rows {
			PackBits(a[i*BitBytes(cols):(i+1)*BitBytes(cols)], randomUnits(r, cols))
		}
		TransposeBits(b, BitBytes(rows), a, BitBytes(cols), rows, cols)
		ones := [2]int{}
		for i := range rows {
			for j := range cols {
				if a[i*BitBytes(cols)+j/8]>>(j%8)&1 != b[j*BitBytes(rows)+i/8]>>(i%8)&1 {
					t.Fatalf("%d x %d: unit (%d, %d) differs", rows, cols, i, j)
				}
			}
		}
		for k, m := range [][]byte{a, b} {
			for _, v := range m {
				ones[k] += bits.OnesCount8(v)
			}
		}
		if ones[0] != ones[1] {
			t.Fatalf("%d x %d: bits beyond the end", rows, cols)
		}
	}
}

// The product of units with a matrix: both paths to the bit, and against float64
// within the error of as many float32 additions.
func TestSumSelected(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	scratch := new(BitScratch)
	for _, s := range [][3]int{{1, 8, 8}, {3, 16, 24}, {5, 104, 64}, {7, 784, 128}, {4, 128, 784}, {2, 200, 72}, {50, 24, 120}, {0, 8, 8}, {6, 8, 0}} {
		rows, k, n := s[0], s[1], s[2]
		units, w, start := make([]byte, rows*k/8), make([]float32, k*n), make([]float32, n)
		for i := range rows {
			PackBits(units[i*k/8:(i+1)*k/8], randomUnits(r, k))
		}
		for _, v := range [][]float32{w, start} {
			for i := range v {
				v[i] = float32(r.NormFloat64())
			}
		}
		var results [][]float32
		onBothPaths(func() {
			dst := slices.Repeat([]float32{float32(math.NaN())}, rows*n)
			SumSelected(dst, start, units, w, rows, k, n, scratch)
			results = append(results, dst)
		})
		for i, v := range results[0] {
			if !same32(v, results[1][i]) {
				t.Fatalf("%v: element %d is %v with the assembler, %v without", s, i, v, results[1][i])
			}
		}
		for i, v := range results[0] {
			row, j := i/n, i%n
			sum, size := float64(start[j]), math.Abs(float64(start[j]))
			for p := range k {
				size += math.Abs(float64(w[p*n+j]))
				if units[row*k/8+p/8]>>(p%8)&1 == 1 {
					sum += float64(w[p*n+j])
				}
			}
			if d := math.Abs(float64(v) - sum); !(d <= size*0x1p-24*float64(k/4+3)) {
				t.Fatalf("%v: element %d is %v, want %v", s, i, v, sum)
			}
		}
	}
}

func TestBernoulliBits(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	// Both paths to the bit, with the corners.
	x := inputs32(size(20_000, 300_000) + 5)
	for i, v := range x {
		if v != v { // NaN is not for drawing
			x[i] = 0
		}
	}
	words := make([]uint64, (len(x)+1)/2)
	for i := range words {
		words[i] = r.Uint64()
	}
	words[1], words[2] = 0, math.MaxUint64
	for _, scale := range []float32{1, 0.37, 0} {
		if scale == 0 { // 0 Inf
			for i, v := range x {
				if math.IsInf(float64(v), 0) {
					x[i] = 1
				}
			}
		}
		var results [][]byte
		onBothPaths(func() {
			b := make([]byte, BitBytes(len(x)))
			BernoulliBits(b, x, scale, words)
			results = append(results, b)
		})
		if !slices.Equal(results[0], results[1]) {
			t.Fatalf("scale %v: the paths differ", scale)
		}
	}
	// The law: counts of n draws at each x, as a chi-squared; a shift of x by 0.02
	// must show.
	n := size(1<<16, 1<<20)
	at := []float32{-9, -3, -1, -0.2, 0, 0.5, 2, 6}
	chi2 := func(shift float64) (sum float64) {
		for _, v := range at {
			y, w, b := make([]float32, n), make([]uint64, n/2), make([]byte, n/8)
			for i := range y {
				y[i] = v / 0.5
			}
			for i := range w {
				w[i] = r.Uint64()
			}
			BernoulliBits(b, y, 0.5, w)
			ones := 0
			for _, c := range b {
				ones += bits.OnesCount8(c)
			}
			p := Sigmoid(float64(v) + shift)
			d := float64(ones) - float64(n)*p
			sum += d * d / (float64(n) * p * (1 - p))
		}
		return sum
	}
	good, bad := chi2(0), chi2(0.1)
	t.Logf("chi2 with %d degrees of freedom %.1f; x off by 0.1: %.1f", len(at), good, bad)
	if good > 32 || bad < 32 { // P(chi2_8 > 32) = 1e-4
		t.Errorf("chi2 with %d degrees of freedom %.1f; x off by 0.1: %.1f", len(at), good, bad)
	}
	// The threshold itself: the largest u that is taken lies at the probability.
	for _, v := range []float32{-15, -3, -0.1, 0, 0.7, 4} {
		lo, hi := uint32(0), uint32(math.MaxUint32) // taken, not taken
		for hi-lo > 1 {
			if mid := lo + (hi-lo)/2; bernoulli32(v, -1, mid) {
				lo = mid
			} else {
				hi = mid
			}
		}
		got, want := float64(hi)/0x1p32, Sigmoid(float64(v))
		if math.Abs(got-want) > 5e-7*want+0x1p-31 {
			t.Errorf("probability at %v is %v, want %v", v, got, want)
		}
	}
}

func TestSoftplusSum32(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 13, 128, 1016, 1024, 5000} {
		for _, scale := range []float32{1, 0.3, 0} {
			x := make([]float32, n)
			for i, v := range inputs(n + 100)[100:] {
				x[i] = float32(math.Mod(v, 60))
				if v != v || math.IsInf(v, 0) {
					x[i] = 0
				}
			}
			var results []float64
			onBothPaths(func() { results = append(results, SoftplusSum32(x, scale)) })
			if results[0] != results[1] {
				t.Fatalf("n = %d: %v with the assembler, %v without", n, results[0], results[1])
			}
			want := new(big.Float)
			var size float64
			for _, v := range x {
				y := float64(float32(v * scale))
				want.Add(want, big.NewFloat(max(0, y)+math.Log1p(math.Exp(-math.Abs(y)))))
				size += math.Exp(-math.Abs(y))
			}
			w, _ := want.Float64()
			if math.Abs(results[0]-w) > 5e-7*size+1e-14*w {
				t.Errorf("n = %d, scale %v: %v, want %v", n, scale, results[0], w)
			}
		}
	}
}

func BenchmarkBinary(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 1))
	const rows, k, n = 50, 784, 128
	units, w, dst := make([]byte, rows*k/8), make([]float32, k*n), make([]float32, rows*k)
	for i := range units {
		units[i] = byte(r.Uint32())
	}
	for i := range w {
		w[i] = float32(r.NormFloat64())
	}
	x, words := make([]float64, k), make([]uint64, k/2)
	for i := range words {
		words[i] = r.Uint64()
	}
	scratch := new(BitScratch)
	sink := 0.0
	for _, c := range []struct {
		name string
		per  float64
		f    func()
	}{
		{"SumSelected/784x128", rows * k * n, func() { SumSelected(dst[:rows*n], dst[:n], units, w, rows, k, n, scratch) }},
		{"SumSelected/128x784", rows * k * n, func() { SumSelected(dst, dst[:k], units[:rows*n/8], w, rows, n, k, scratch) }},
		{"PackBits", k, func() { PackBits(units[:k/8], x) }},
		{"UnpackBits", k, func() { UnpackBits(x, units[:k/8]) }},
		{"BernoulliBits", k, func() { BernoulliBits(units[:k/8], w[:k], 1, words) }},
		{"SoftplusSum32", k, func() { sink += SoftplusSum32(w[:k], 1) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/c.per, "ns/element")
		})
	}
}
