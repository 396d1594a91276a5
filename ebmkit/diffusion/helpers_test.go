package diffusion

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// near fails the test unless got is within tol of want.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.15g, want %.15g, difference %.2g above %.2g", what, got, want, math.Abs(got-want), tol)
	}
}

// zScore fails the test unless e is within 4.5 standard errors of exact.
func zScore(t *testing.T, what string, e ebmkit.Estimate, exact float64) {
	t.Helper()
	z := e.Z(exact)
	t.Logf("%s: %v, exact %.6g, z = %.2f", what, e, exact, z)
	if !(math.Abs(z) < 4.5) {
		t.Errorf("%s: %v, exact %.6g, z = %.2f", what, e, exact, z)
	}
}

// wantArg fails the test unless err is an ArgError for the argument arg.
func wantArg(t *testing.T, err error, arg string) {
	t.Helper()
	var a *ebmkit.ArgError
	if !errors.As(err, &a) {
		t.Errorf("error %v, want *ArgError for %s", err, arg)
	} else if a.Arg != arg {
		t.Errorf("error %v names %s, want %s", err, a.Arg, arg)
	}
}

// Three laws in the plane and one on the line: axis-aligned, full, and unequal.
func line() *energy.Mixture {
	return must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{-1, 1.5}, []float64{0.4, 0.25}))
}

func ring() *energy.Mixture {
	return must(energy.NewWeightedRing([]float64{3, 1, 2}, 1.2, 0.3))
}

func skew() *energy.Mixture {
	a := must(energy.NewGaussian([]float64{1, -0.5}, []float64{0.5, 0.3, 0.3, 0.4}))
	b := must(energy.NewGaussian([]float64{-1, 0.7}, []float64{0.3, -0.1, -0.1, 0.6}))
	return must(energy.NewMixture([]float64{0.4, 0.6}, []energy.Component{a, b}))
}

var processes = map[string]Process{
	"VP": VP{0.1, 20}, "sub-VP": SubVP{0.1, 20}, "VE": VE{1, 1}, "VE Song": must(NewVE(0.1, 10)),
	"Wiener": VE{0.7, 0}, "OU": OU{0.8, 1.3},
}

var interpolants = map[string]Interpolant{
	"linear, bridge":      {Linear{}, Bridge{2}},
	"linear, sine":        {Linear{}, SineSquared{}},
	"linear, parabola":    {Linear{}, Parabola{1.5}},
	"linear, none":        {Linear{}, NoNoise{}},
	"trigonometric":       {Trigonometric{}, Bridge{1}},
	"trigonometric, sine": {Trigonometric{}, SineSquared{}},
}
