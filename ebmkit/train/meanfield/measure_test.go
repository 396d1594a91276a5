package meanfield_test

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/train/meanfield"
)

func TestCrossings(t *testing.T) {
	path := &meanfield.Path{T: []float64{0, 1, 2, 4, 5, 6, 7}}
	for _, v := range []float64{0, 4, 3, -1, 1, 3, 1} { // passes 1; touches it at the end
		path.Theta = append(path.Theta, []float64{9, v})
	}
	if got := path.Crossings(1, 1); !slices.Equal(got, []float64{0.25, 3, 5, 7}) {
		t.Errorf("crossings at %v", got)
	}
	if got := path.Crossings(0, 1); got != nil {
		t.Errorf("a constant crosses at %v", got)
	}
}

// dU/dz of two modes is the probability 1/(1 + exp(z - 2 a x)) that x came from the
// one at a, and that of a Gaussian U = (x-m)^2/2 with respect to m is m - x.
func TestDerivative(t *testing.T) {
	g := line(-8, 8, 64)
	modes := must(energy.NewTwoModes([]float64{-2}, []float64{2}, 0.7))
	r, d := meanfield.Derivative(modes, g, 0), meanfield.Derivative(newShift(0.3), g, 0)
	for i, x := range g.Axis(0).Centers() {
		if want := 1 / (1 + math.Exp(0.7-4*x)); math.Abs(r[i]-want) > 1e-12 {
			t.Errorf("two modes at %g: %v, want %v", x, r[i], want)
		}
		if math.Abs(d[i]-(0.3-x)) > 1e-12 {
			t.Errorf("Gaussian at %g: %v, want %v", x, d[i], 0.3-x)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a parameter that there is not, and no panic")
		}
	}()
	meanfield.Derivative(modes, g, 1)
}

// Under N(m, 1), cov(x, x^3) = 3 + 3 m^2 and var(x) = 1. Sums over the grid have no
// error but that of rounding: the density and its derivatives vanish at the ends.
func TestCovariance(t *testing.T) {
	const m = 0.5
	g := line(-9, 9, 300)
	p := must(g.Boltzmann(newShift(m)))
	x := g.Axis(0).Centers()
	cube := make([]float64, len(x))
	for i := range x {
		cube[i] = x[i] * x[i] * x[i]
	}
	if got := meanfield.Covariance(g, p, x, cube); math.Abs(got-(3+3*m*m)) > 1e-9 {
		t.Errorf("cov(x, x^3) = %v, want %v", got, 3+3*m*m)
	}
	if got := meanfield.Covariance(g, p, x, x); math.Abs(got-1) > 1e-9 {
		t.Errorf("var(x) = %v, want 1", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a function off the grid, and no panic")
		}
	}()
	meanfield.Covariance(g, p, x, cube[1:])
}
