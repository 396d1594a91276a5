package order

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	made := func(n int, f func(i int) float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	var s Sorter
	for name, x := range map[string][]float64{
		"normal":          made(5000, func(int) float64 { return rng.NormFloat64() }),
		"ties":            made(5000, func(int) float64 { return math.Floor(3 * rng.NormFloat64()) }),
		"signed zeros":    made(100, func(i int) float64 { return []float64{0, math.Copysign(0, -1), 1, -1}[i%4] }),
		"subnormal":       made(1000, func(int) float64 { return rng.NormFloat64() * 5e-321 }),
		"all scales":      made(3000, func(int) float64 { return math.Ldexp(rng.NormFloat64(), rng.IntN(2000)-1000) }),
		"large offset":    made(3000, func(int) float64 { return 1e9 + rng.NormFloat64()*1e-6 }),
		"low bits differ": made(2000, func(int) float64 { return math.Float64frombits(math.Float64bits(1) + rng.Uint64()%1000) }),
		"infinite":        {math.Inf(1), 1, math.Inf(-1), 0},
		"none":            nil,
	} {
		s.Sort(x)
		want := make([]uint32, len(x))
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(a, b uint32) int { return cmp.Compare(x[a], x[b]) })
		if !slices.Equal(s.Order, want) {
			t.Errorf("%s: not the stable order", name)
		}
		for i, p := range s.Order {
			if s.Value[i] != x[p] {
				t.Fatalf("%s: Value[%d] = %v is not the number at %d", name, i, s.Value[i], p)
			}
		}
	}
}

func BenchmarkSort(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, 10000)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	var s Sorter
	b.ReportAllocs()
	for b.Loop() {
		s.Sort(x)
	}
}
