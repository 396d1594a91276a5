package quad_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

func oneD(f func(x float64) float64) *energy.Func {
	return must(energy.NewFunc(1, func(x []float64) float64 { return f(x[0]) }, nil))
}

// Narrow curved ridges, correlated and distant peaks, heavy tails, kinks, walls:
// a product rule on rectangles misses the first five by up to 4 % and says 1e-11.
func TestHardDensities(t *testing.T) {
	long(t)
	for _, c := range []struct {
		name string
		e    ebmkit.Energy
		want float64
	}{
		{"funnel", must(energy.NewFunnel(2, 3)), must(energy.NewFunnel(2, 3)).LogZ()},
		{"wide banana", must(energy.NewBanana(10, 0.1)), must(energy.NewBanana(10, 0.1)).LogZ()},
		{"bent banana", must(energy.NewBanana(1, 5)), must(energy.NewBanana(1, 5)).LogZ()},
		{"Rosenbrock", must(energy.NewRosenbrock(1, 0.05, 5)), must(energy.NewRosenbrock(1, 0.05, 5)).LogZ()},
		{"correlation 0.999", must(energy.NewGaussian([]float64{3, 4}, []float64{1, 0.999, 0.999, 1})),
			math.Log(2*math.Pi) + math.Log(1-0.999*0.999)/2},
		{"the same without hints", hidden{must(energy.NewGaussian([]float64{3, 4}, []float64{1, 0.999, 0.999, 1}))},
			math.Log(2*math.Pi) + math.Log(1-0.999*0.999)/2},
		{"wide ring of narrow modes", must(energy.NewRing(8, 20, 0.1)), 0},
		{"far and narrow", hidden{must(energy.NewGaussian1D(1234.5, 1e-3))}, math.Log(1e-3 * math.Sqrt(2*math.Pi))},
		{"broad", hidden{must(energy.NewGaussian1D(0, 1e6))}, math.Log(1e6 * math.Sqrt(2*math.Pi))},
		{"Cauchy", oneD(func(x float64) float64 { return math.Log1p((x - 7) * (x - 7)) }), math.Log(math.Pi)},
		{"Laplace", oneD(func(x float64) float64 { return math.Abs(x - 0.3) }), math.Ln2},
		{"exponential", oneD(func(x float64) float64 {
			if x < 0 {
				return math.Inf(1)
			}
			return x
		}), 0},
		{"deep wells", must(energy.NewSum(energy.MuellerBrown{}, must(energy.NewFunc(2, func([]float64) float64 { return 5000 }, nil)))),
			must(quad.LogZ(energy.MuellerBrown{}, quad.Box([]float64{-2, -1}, []float64{2, 3}))).Value - 5000},
	} {
		r, err := quad.LogZ(c.e, quad.All())
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		within(t, c.name, r, c.want)
	}
}

func TestNoDensity(t *testing.T) {
	long(t)
	for name, e := range map[string]ebmkit.Energy{
		"flat":     oneD(func(float64) float64 { return 0 }),
		"falling":  oneD(func(x float64) float64 { return -x * x }),
		"nowhere":  oneD(func(float64) float64 { return math.Inf(1) }),
		"NaN":      oneD(func(x float64) float64 { return math.Sqrt(x) }),
		"flat 2-D": must(energy.NewFunc(2, func(x []float64) float64 { return x[0] * x[0] }, nil)),
	} {
		r, err := quad.LogZ(e, quad.All())
		if err == nil {
			t.Errorf("%s: %v, want an error", name, r)
		}
		t.Log(name+": ", err)
	}
}

func ExampleLogZ() {
	well, _ := energy.NewDoubleWellND(2, 1, 1.5, 2)
	r, err := quad.LogZ(well, quad.All())
	fmt.Printf("quadrature %.9f, error below 1e-9: %v, %v\n", r.Value, r.Err < 1e-9, err)
	fmt.Printf("closed form %.9f\n", well.LogZ())
	// Output:
	// quadrature 0.789355174, error below 1e-9: true, <nil>
	// closed form 0.789355174
}

func ExampleIntegrate() {
	r, err := quad.Integrate(func(x float64) float64 { return math.Exp(-x * x) }, math.Inf(-1), math.Inf(1))
	fmt.Printf("%.12f squared is %.12f, %v\n", r.Value, r.Value*r.Value, err)
	// Output: 1.772453850906 squared is 3.141592653590, <nil>
}

// long skips what has nothing for the race detector to see.
func long(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
}
