package spin_test

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
)

// The Ising model on a small torus, simulated and summed over all its states.
func Example() {
	torus := spin.Torus{Rows: 4, Cols: 4, J: 1}
	const beta = 0.44

	lattice, err := spin.NewLattice(torus, beta, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	series, err := lattice.Run(context.Background(), spin.HeatBath, 200, 100_000, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	seen, err := series.Observables()
	if err != nil {
		fmt.Println(err)
		return
	}

	model, _ := torus.Ising()
	levels, _ := spin.Enumerate(model)
	exact, _ := levels.At(beta)
	fmt.Printf("energy %v, exact %.4f\n", seen.Energy, exact.Energy)
	fmt.Printf("|m|    %v, exact %.4f\n", seen.AbsM, exact.AbsM)
	fmt.Println("within 4 standard errors:", math.Abs(seen.Energy.Z(exact.Energy)) < 4 && math.Abs(seen.AbsM.Z(exact.AbsM)) < 4)
	// Output:
	// energy -1.5630 +- 0.0028, exact -1.5628
	// |m|    0.8428 +- 0.0014, exact 0.8427
	// within 4 standard errors: true
}

// A spoiled letter is recognised.
func ExampleHopfield() {
	letters := data.Letters()
	net, err := spin.NewHopfield(spin.PseudoInverse, letters.Dim(), letters.X)
	if err != nil {
		fmt.Println(err)
		return
	}
	x := append([]float64(nil), letters.At(letters.Find("A"))...)
	for _, i := range []int{3, 10, 25, 40, 55} { // five spins reversed
		x[i] = -x[i]
	}
	r, err := net.RetrieveAsync(x, 20, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Outcome)
	for k := range letters.N {
		if spin.Overlap(r.Last(), letters.At(k)) == 1 {
			fmt.Println("this is", letters.Label[k])
		}
	}
	// Output:
	// fixed point
	// this is A
}

// An RBM trained by exact gradients on all bars and stripes of 3 x 3 pixels. The
// log-likelihood of 14 equally likely pictures is at most -log 14.
func ExampleAscent() {
	pictures, _ := data.BarsAndStripes(3)
	m, _ := spin.NewRBM(9, 6)
	m.Randomize(0.3, 1)
	trace, err := spin.Ascent{Step: 1, Steps: 1500}.Fit(context.Background(), m, pictures.X, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f before, %.2f after, at most %.2f\n", trace.LogLikelihood[0], trace.LogLikelihood[len(trace.LogLikelihood)-1], -math.Log(14))
	// Output:
	// -6.36 before, -2.72 after, at most -2.64
}
