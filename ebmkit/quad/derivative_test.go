package quad_test

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// Exact for polynomials of degree four, with an error h^4 f^(5)/30 beyond.
func TestDerivative(t *testing.T) {
	quartic := func(x float64) float64 { return x*x*x*x - 3*x*x + 2*x }
	if got := quad.Derivative(quartic, 0.5, 0.25); math.Abs(got-(0.5-3+2)) > 1e-14 {
		t.Errorf("quartic: %v", got)
	}
	for _, h := range []float64{0.2, 0.1} {
		quintic := func(x float64) float64 { return x * x * x * x * x }
		if got, want := quad.Derivative(quintic, 1, h)-5, -4*h*h*h*h; math.Abs(got-want) > 1e-12 {
			t.Errorf("h = %g: error %g, want %g", h, got, want)
		}
	}
}
