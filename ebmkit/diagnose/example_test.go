package diagnose_test

import (
	"errors"
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
)

// sticky returns four walkers of the chain x' = 0.9 x + xi in two independent
// coordinates: each draw is worth about 1/19 of an independent one.
func sticky(draws int) *ebmkit.Chain {
	const walkers, dim = 4, 2
	c := &ebmkit.Chain{Draws: draws, Walkers: walkers, Dim: dim, X: make([]float64, draws*walkers*dim)}
	ebmkit.NewStream(1, "example", 0).FillNormal(c.X)
	for i := walkers * dim; i < len(c.X); i++ {
		c.X[i] += 0.9 * c.X[i-walkers*dim]
	}
	return c
}

func Example() {
	sum, err := diagnose.Summarize(sticky(5000), "x", "y")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(sum)
	// Output:
	// 4 chains of 5000 draws
	//              mean              sd            5 %          median            95 %  ESS bulk  ESS tail  R-hat
	// x  0.086 +- 0.068  2.280 +- 0.035  -3.64 +- 0.10  0.078 +- 0.080    3.83 +- 0.10      1126      2343  1.003
	// y  0.069 +- 0.077  2.328 +- 0.036  -3.82 +- 0.12  0.105 +- 0.085  3.828 +- 0.093       924      2324  1.006
	// - What this cannot know: a mode that no walker visited. Walkers that all sit in one mode agree, with R-hat 1; start them far apart.
}

// The autocorrelation time of this chain is (1+0.9)/(1-0.9) = 19 draws.
func ExampleSeries_Tau() {
	for _, draws := range []int{300, 30_000} {
		s, err := diagnose.FromChain(sticky(draws), 0)
		if err != nil {
			fmt.Println(err)
			return
		}
		tau, err := s.Tau()
		fmt.Printf("%5d draws: tau %v, too short: %v\n", draws, tau, errors.Is(err, diagnose.ErrShortChain))
	}
	// Output:
	// 300 draws: tau 12.5 +- 5.7, too short: true
	// 30000 draws: tau 18.4 +- 1.0, too short: false
}

func ExampleOptimum_Judge() {
	fmt.Println(diagnose.RandomWalkOptimum(50).Judge(0.99))
	// Output:
	// random-walk Metropolis: acceptance 0.990, efficient from 0.158 to 0.325 (best 0.234): take larger steps
}
