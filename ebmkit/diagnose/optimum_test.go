package diagnose

import (
	"fmt"
	"math"
	"testing"
)

// The limits of high dimension must give the constants of the three kernels.
func TestFindOptimumGivesTheKnownRates(t *testing.T) {
	for _, c := range []struct {
		want         Optimum
		inner, outer float64 // acceptance 2 Phi(-l^inner/2), speed l^outer times it
	}{{RandomWalkOptimum(100), 1, 2}, {MALAOptimum(), 3, 2}, {HMCOptimum(), 2, 1}} {
		accept := func(l float64) float64 { return math.Erfc(math.Pow(l, c.inner) / 2 / math.Sqrt2) }
		got, err := FindOptimum(c.want.Kernel, accept, func(l float64) float64 { return math.Pow(l, c.outer) * accept(l) }, 0.1, 6)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", got)
		for _, p := range [][2]float64{{got.Rate, c.want.Rate}, {got.Low, c.want.Low}, {got.High, c.want.High}} {
			if math.Abs(p[0]-p[1]) > 6e-4 { // the constants have three digits
				t.Errorf("%s: %.4f, want %.3f", c.want.Kernel, p[0], p[1])
			}
		}
	}
}

func TestFindOptimumRefuses(t *testing.T) {
	one := func(l float64) float64 { return l }
	for name, c := range map[string]struct {
		speed  func(float64) float64
		lo, hi float64
	}{
		"empty interval":  {one, 1, 1},
		"maximum at end":  {one, 0, 1},
		"NaN":             {func(l float64) float64 { return math.NaN() }, 0, 1},
		"infinite bounds": {one, 0, math.Inf(1)},
	} {
		if _, err := FindOptimum("k", one, c.speed, c.lo, c.hi); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func ExampleFindOptimum() {
	accept := func(l float64) float64 { return math.Erfc(l / 2 / math.Sqrt2) } // 2 Phi(-l/2)
	o, err := FindOptimum("random walk", accept, func(l float64) float64 { return l * l * accept(l) }, 0.1, 6)
	fmt.Printf("%.3f, from %.2f to %.2f, %v\n", o.Rate, o.Low, o.High, err)
	// Output: 0.234, from 0.16 to 0.32, <nil>
}
