package compare_test

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit/compare"
)

// Models spend the same budget; the controls spend nothing.
func Example() {
	moons := must(compare.NewMoons(1000, 100, 1))
	kinds := []compare.Kind{compare.GAN, compare.Gaussian}
	results := must(compare.Run(ctx, moons, compare.Config{Budget: 5120, Seeds: 2, Kinds: kinds, Permutations: 19}))
	for _, k := range kinds {
		s := must(compare.Summarize(results, k))
		fmt.Printf("%-8v  %4d parameters, %4d gradient evaluations, told from the data in %d of %d runs\n", k, s.Params, s.GradEvals, s.Told, s.Runs)
	}
	// Output:
	// GAN       9027 parameters, 5120 gradient evaluations, told from the data in 2 of 2 runs
	// Gaussian     0 parameters,    0 gradient evaluations, told from the data in 2 of 2 runs
}
