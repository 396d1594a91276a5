package energy_test

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// The mixture of review Figure 1: what is known about it, and what it costs to
// climb from one mode to the other.
func Example() {
	u, err := energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	grad := make([]float64, 1)
	fmt.Printf("U(0) = %.5f, U(5) = %.5f\n", u.Energy([]float64{0}), u.Energy([]float64{5}))
	fmt.Printf("U(3) = %.5f, U'(3) = %.5f\n", u.EnergyGrad(grad, []float64{3}), grad[0])
	fmt.Printf("mean %.1f, variance %.3f\n", u.Mean(nil)[0], u.Cov(nil)[0])

	draws, _ := ebmkit.Draw(u, 10000, 1)
	mean := ebmkit.MeanOf(draws.X)
	fmt.Println("mean of 10000 draws within 4 errors:", math.Abs(mean.Z(1.5)) < 4)

	_, err = energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, -0.5})
	fmt.Println(err)
	// Output:
	// U(0) = 1.27561, U(5) = 1.42976
	// U(3) = 5.75006, U'(3) = 2.72247
	// mean 1.5, variance 6.025
	// mean of 10000 draws within 4 errors: true
	// energy.NewMixture1D: sds[1] = -0.5, want a positive finite number
}

func ExampleNewGaussian() {
	u, _ := energy.NewGaussian([]float64{1, -2}, []float64{2, 1.2, 1.2, 1})
	fmt.Printf("U = %.4f, log Z = %.4f, mean %v\n", u.Energy([]float64{0, 0}), u.LogZ(), u.Mean(nil))
	_, err := energy.NewGaussian([]float64{0, 0}, []float64{1, 2, 2, 1})
	fmt.Println(err)
	// Output:
	// U = 12.3214, log Z = 1.5480, mean [1 -2]
	// energy.NewGaussian: cov[1][1] = 1, want a positive definite matrix (row 1 depends on the rows before it)
}

func ExampleNewFunc() {
	u, _ := energy.NewFunc(2, func(x []float64) float64 { return math.Abs(x[0]) + x[1]*x[1] }, nil)
	g := make([]float64, 2)
	value := u.EnergyGrad(g, []float64{-2, 3})
	fmt.Println(u)
	fmt.Printf("U = %g, gradient %.6f\n", value, g)
	// Output:
	// Func(d = 2, gradient by central differences)
	// U = 11, gradient [-1.000000 6.000000]
}

func ExampleNewExponentialFamily() {
	// U = -x^2 + x^4/2: a double well as a member of an exponential family.
	u, _ := energy.NewExponentialFamily(1, []float64{-1, 0.5}, energy.Power(0, 2), energy.Power(0, 4))
	dU := make([]float64, 2)
	u.AddParamGrad(dU, nil, []float64{2})
	fmt.Println("U(2) =", u.Energy([]float64{2}), "dU/dtheta =", dU)
	// Output: U(2) = 4 dU/dtheta = [4 16]
}

func ExampleTempered() {
	u, _ := energy.NewGaussian1D(0, 1)
	for _, beta := range []float64{0.5, 1, 4} {
		t := energy.Tempered{U: u, Beta: beta}
		fmt.Println(beta, t.Energy([]float64{2}))
	}
	// Output:
	// 0.5 1
	// 1 2
	// 4 8
}

func ExampleInterpolate() {
	u0, _ := energy.NewGaussian1D(0, 1)
	u1, _ := energy.NewGaussian1D(4, 1)
	for _, t := range []float64{0, 0.5, 1} {
		path, _ := energy.NewInterpolate(u0, u1, t)
		fmt.Println(t, path.Energy([]float64{0}))
	}
	// Output:
	// 0 0
	// 0.5 4
	// 1 8
}
