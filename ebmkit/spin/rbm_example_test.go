package spin_test

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
)

// log Z of a restricted Boltzmann machine by annealed importance sampling, beside
// the exact one, which is known because 2^8 hidden states can be summed over.
func ExampleAnneal() {
	m, _ := spin.NewRBM(64, 8)
	m.Randomize(0.4, 1)
	exact, _ := m.ExactLogZ()
	path := spin.Anneal{RBM: m}
	r, err := freeenergy.AIS{Path: path, Lambdas: freeenergy.Linear(200), Method: spin.BlockGibbs{}}.
		Run(context.Background(), path.From(), m, freeenergy.Config{Samples: 200, Seed: 1})
	fmt.Println(err)
	fmt.Printf("exactly %.2f\n", exact)
	fmt.Println("within 3 standard errors:", math.Abs(r.LogZ.Z(exact)) < 3, "of less than 0.05:", r.LogZ.SE < 0.05)
	// Output:
	// <nil>
	// exactly 60.30
	// within 3 standard errors: true of less than 0.05: true
}
