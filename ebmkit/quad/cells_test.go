package quad_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// The midpoint rule is exact for what is linear in a cell, far better than second
// order for a Gaussian that has vanished at the border, and of second order for one
// that has not.
func TestCells(t *testing.T) {
	c, err := quad.NewCells(-1, 3, 2, 4, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{-0.5, 2.5, 0.5, 2.5, 1.5, 2.5, 2.5, 2.5, -0.5, 3.5, 0.5, 3.5, 1.5, 3.5, 2.5, 3.5}
	for i, v := range want {
		if c.Centers.X[i] != v {
			t.Fatalf("centres %v, want %v", c.Centers.X, want)
		}
	}
	if got := c.Integral(c.Centers.Map(func(x []float64) float64 { return x[0] * x[1] })); got != 24 {
		t.Errorf("integral of xy: %v, want 24", got)
	}
	gauss := func(half float64, n int) float64 {
		c, err := quad.NewCells(-half, half, -half, half, n, n)
		if err != nil {
			t.Fatal(err)
		}
		return c.Integral(c.Centers.Map(func(x []float64) float64 { return math.Exp(-(x[0]*x[0] + x[1]*x[1]) / 2) }))
	}
	if got := gauss(9, 24); math.Abs(got-2*math.Pi) > 1e-12 {
		t.Errorf("whole Gaussian: %v off by %g", got, got-2*math.Pi)
	}
	exact := 2 * math.Pi * math.Pow(math.Erf(math.Sqrt2/2), 2)
	if a, b := gauss(1, 10)-exact, gauss(1, 20)-exact; math.Abs(a/b-4) > 0.02 {
		t.Errorf("cut Gaussian: errors %g and %g, not of second order", a, b)
	}
	for i, f := range []func() error{
		func() error { _, err := quad.NewCells(1, 0, 0, 1, 2, 2); return err },
		func() error { _, err := quad.NewCells(0, 1, 0, math.Inf(1), 2, 2); return err },
		func() error { _, err := quad.NewCells(math.NaN(), 1, 0, 1, 2, 2); return err },
		func() error { _, err := quad.NewCells(0, 1, 0, 1, 0, 2); return err },
		func() error { _, err := quad.NewCells(0, 1, 0, 1, 1<<40, 1<<40); return err },
	} {
		var arg *ebmkit.ArgError
		if err := f(); !errors.As(err, &arg) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}
