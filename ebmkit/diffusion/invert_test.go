package diffusion

import (
	"math"
	"testing"
)

// What has no density is NaN throughout, in no part of it infinite.
func TestInvertSingular(t *testing.T) {
	a := []float64{2, 1, 1, 1}
	if logdet := invert(a, make([]float64, 4), 2); math.Abs(logdet) > 1e-15 || math.Abs(a[0]-1) > 1e-15 || math.Abs(a[3]-2) > 1e-15 {
		t.Errorf("log det %v, inverse %v", logdet, a)
	}
	for _, a := range [][]float64{{0, 0, 0, 1}, {1, 1, 1, 1}, {1, 2, 2, 1}, {math.NaN(), 0, 0, 1}} {
		logdet := invert(a, make([]float64, 4), 2)
		for _, v := range append(a, logdet) {
			if !math.IsNaN(v) {
				t.Errorf("log det %v, inverse %v", logdet, a)
			}
		}
	}
}
