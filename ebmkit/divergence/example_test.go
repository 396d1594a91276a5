package divergence_test

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

func ExampleMMD2() {
	// Has a generator learned the data? A distance alone does not say: compare it
	// with what two sets from one law would give.
	ring, _ := energy.NewRing(8, 4, 0.5)
	data, _ := ebmkit.Draw(ring, 300, 1)
	good, _ := ebmkit.Draw(ring, 300, 2)
	lost, _ := energy.NewWeightedRing([]float64{1, 1, 1, 1, 1, 1, 1, 0}, 4, 0.5)
	bad, _ := ebmkit.Draw(lost, 300, 3)

	const bandwidth = 1 // the size of what is to be seen: a mode
	for _, x := range []*ebmkit.Ensemble{good, bad} {
		null, _ := divergence.MMD2Null(x, data, bandwidth, 999, 1)
		fmt.Printf("MMD^2 above the 99 %% quantile: %v\n", null.Observed > null.Quantile(0.99))
	}
	// Output:
	// MMD^2 above the 99 % quantile: false
	// MMD^2 above the 99 % quantile: true
}

func ExampleW2() {
	// Of equal sizes: sorted points are paired. Of unequal ones mass is split.
	x := divergence.Line{X: []float64{0, 3, 1}}
	a, _ := divergence.W2(x, divergence.Line{X: []float64{5, 6, 8}})
	b, _ := divergence.W2(x, divergence.Line{X: []float64{5, 8}, W: []float64{2, 1}})
	fmt.Printf("%.6f %.6f\n", a.Value, b.Value)
	// Output: 5.000000 4.690416
}

func ExampleSinkhorn() {
	x := &ebmkit.Ensemble{N: 2, Dim: 1, X: []float64{0, 1}}
	y := &ebmkit.Ensemble{N: 2, Dim: 1, X: []float64{3, 2}}
	t, _ := divergence.Sinkhorn{Epsilon: 0.5, Tol: 1e-12}.SquaredDistance(x, y)
	fmt.Printf("cost %.6f, plan %.4f, converged %v\n", t.Cost, t.Plan(nil), t.Converged)
	// Output: cost 4.119203, plan [0.0596 0.4404 0.4404 0.0596], converged true
}

func ExampleKNNEntropy() {
	g, _ := energy.NewIsotropicGaussian([]float64{0, 0}, 1)
	x, _ := ebmkit.Draw(g, 4000, 1)
	e, _ := divergence.KNNEntropy(x, 3)
	fmt.Printf("%v nats, exact %.3f\n", e, divergence.EntropyGaussian(g))
	// Output: 2.806 +- 0.019 nats, exact 2.838
}
