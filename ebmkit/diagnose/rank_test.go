package diagnose

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// awkward returns draws that are hard to put in order.
func awkward() map[string][]float64 {
	s := ebmkit.NewStream(3, "awkward", 0)
	made := func(n int, f func(i int) float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	return map[string][]float64{
		"normal":          made(5000, func(int) float64 { return s.Normal() }),
		"ties":            made(5000, func(int) float64 { return math.Floor(3 * s.Normal()) }),
		"signed zeros":    made(100, func(i int) float64 { return []float64{0, math.Copysign(0, -1), 1, -1}[i%4] }),
		"tiny":            made(1000, func(int) float64 { return s.Normal() * 5e-324 * 1000 }),
		"all scales":      made(3000, func(int) float64 { return math.Ldexp(s.Normal(), s.IntN(2000)-1000) }),
		"large offset":    made(3000, func(int) float64 { return 1e9 + s.Normal()*1e-6 }),
		"one outlier":     made(3000, func(i int) float64 { return map[bool]float64{true: 1e300, false: 1 + s.Normal()*1e-14}[i == 7] }),
		"increasing":      made(1000, func(i int) float64 { return float64(i) }),
		"decreasing":      made(1000, func(i int) float64 { return -float64(i) }),
		"constant":        made(100, func(int) float64 { return -2 }),
		"low bits differ": made(2000, func(int) float64 { return math.Float64frombits(math.Float64bits(1) + s.Uint64()%1000) }),
		"four":            {3, 1, 2, 1},
	}
}

func TestSort(t *testing.T) {
	var r ranking
	for name, x := range awkward() {
		r.sort(x)
		want := make([]uint32, len(x))
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(a, b uint32) int {
			switch {
			case x[a] < x[b]:
				return -1
			case x[a] > x[b]:
				return 1
			}
			return 0
		})
		if !slices.Equal(r.order, want) {
			t.Errorf("%s: not the stable order", name)
		}
		for i, p := range r.order {
			if r.value[i] != x[p] {
				t.Fatalf("%s: value[%d] = %v is not the draw at %d", name, i, r.value[i], p)
			}
		}
	}
}

// TestNormalScores compares with ranks counted one by one.
func TestNormalScores(t *testing.T) {
	for name, x := range awkward() {
		if len(x) > 1000 {
			x = x[:1000]
		}
		var r ranking
		r.sort(x)
		z := slices.Clone(r.normalScores(r.order, r.value, len(x)))
		r.fold()
		folded := r.normalScores(r.forder, r.folded, len(x))
		sorted := slices.Clone(x)
		slices.Sort(sorted)
		median := medianOf(sorted)
		f := make([]float64, len(x))
		for i, v := range x {
			f[i] = math.Abs(v - median)
		}
		for i := range x {
			if w := scoreOf(x, i); z[i] != w {
				t.Fatalf("%s: z[%d] = %v, want %v", name, i, z[i], w)
			}
			if w := scoreOf(f, i); folded[i] != w {
				t.Fatalf("%s: folded z[%d] = %v, want %v", name, i, folded[i], w)
			}
		}
	}
}

func scoreOf(x []float64, i int) float64 {
	below, equal := 0, 0
	for _, v := range x {
		if v < x[i] {
			below++
		}
		if v == x[i] {
			equal++
		}
	}
	return normalScore(float64(below)+float64(equal+1)/2, len(x))
}

func TestNormQuantile(t *testing.T) {
	// scipy.special.ndtri
	for _, c := range [][2]float64{
		{0.5, 0}, {0.975, 1.959963984540054}, {0.75, 0.6744897501960817}, {1e-10, -6.361340902404056}, {1e-300, -37.0470962993612},
	} {
		if z := normQuantile(c[0]); math.Abs(z-c[1]) > 1e-15*math.Abs(c[1]) {
			t.Errorf("normQuantile(%g) = %.17g, want %.17g", c[0], z, c[1])
		}
	}
	for i := -330; i <= 80; i++ {
		z := float64(i) / 10
		p := math.Erfc(-z/math.Sqrt2) / 2
		// One unit in the last place of p moves z by ulp(p)/density, and of z by
		// ulp(z); the lower tail has p to full relative precision.
		density := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
		tol := 4*math.Abs(z)*0x1p-53 + 8*p*0x1p-53*(1+z*z)/density
		if got := normQuantile(p); math.Abs(got-z) > tol {
			t.Errorf("normQuantile(Phi(%g)) = %.17g, off by %.1e, tolerance %.1e", z, got, got-z, tol)
		}
	}
	if !math.IsInf(normQuantile(0), -1) || !math.IsInf(normQuantile(1), 1) || !math.IsNaN(normQuantile(-0.1)) ||
		!math.IsNaN(normQuantile(1.1)) || !math.IsNaN(normQuantile(math.NaN())) {
		t.Error("normQuantile at and outside the ends")
	}
}

func TestCorrelatorSum(t *testing.T) {
	s := ebmkit.NewStream(4, "rows", 0)
	f := &correlator{}
	for _, n := range []int{2, 3, 4, 5, 8, 16, 31, 64, 100, 257} {
		for _, m := range []int{1, 2, 3, 6} {
			rows, centre := make([][]float64, m), make([]float64, m)
			var scale float64
			for k := range rows {
				rows[k] = make([]float64, n)
				s.FillNormal(rows[k])
				centre[k] = s.Normal()
				for _, v := range rows[k] {
					scale += (v - centre[k]) * (v - centre[k])
				}
			}
			for _, lags := range []int{2, (n + 1) / 2, n} {
				got := make([]float64, min(max(2, lags), n))
				f.sum(got, rows, centre)
				for lag, g := range got {
					var want float64
					for k, row := range rows {
						for i := range n - lag {
							want += (row[i] - centre[k]) * (row[i+lag] - centre[k])
						}
					}
					if math.Abs(g-want) > 1e-14*scale {
						t.Errorf("n %d, rows %d, lag %d: %v, want %v", n, m, lag, g, want)
					}
				}
			}
		}
	}
}
