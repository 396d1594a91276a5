package vmath

import (
	"math"
	"testing"
)

var scalarOnly = []func(float64) float64{Erf, Erfc, NormalCDF, NormalQuantile}

func TestNormalEdges(t *testing.T) {
	inf, nan, negZero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	for _, c := range []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"Erf", Erf, 0, 0}, {"Erf", Erf, negZero, negZero}, {"Erf", Erf, inf, 1}, {"Erf", Erf, -inf, -1}, {"Erf", Erf, nan, nan},
		{"Erfc", Erfc, 0, 1}, {"Erfc", Erfc, inf, 0}, {"Erfc", Erfc, -inf, 2}, {"Erfc", Erfc, nan, nan}, {"Erfc", Erfc, 27.3, 0},
		{"NormalCDF", NormalCDF, 0, 0.5}, {"NormalCDF", NormalCDF, inf, 1}, {"NormalCDF", NormalCDF, -inf, 0}, {"NormalCDF", NormalCDF, nan, nan}, {"NormalCDF", NormalCDF, 9, 1},
	} {
		if got := c.f(c.x); !same(got, c.want) {
			t.Errorf("%s(%v) = %v, want %v", c.name, c.x, got, c.want)
		}
	}
}
