package nb_test

import (
	"os"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting/nb"
)

func Example() {
	dir, err := os.MkdirTemp("", "nb")
	nb.Must0(err)
	defer os.RemoveAll(dir)
	os.Setenv("EBMKIT_STATE", dir)
	defer os.Unsetenv("EBMKIT_STATE")

	sample := []float64{0.9, 1.2, 1.1, 0.7, 1.3}
	mean := ebmkit.MeanOf(sample)
	nb.Keep("mean", mean, len(sample))

	// A later cell:
	kept := nb.Recall[ebmkit.Estimate]("mean", 5)
	nb.Check("mean", kept, 1)
	nb.Table([]string{"what", "value"}, [][]any{{"mean", kept}, {"draws", len(sample)}})
	// Output:
	// ✓ mean: 1.04 ± 0.11, exact 1, z = 0.4
	// what         value
	// -----  -----------
	// mean   1.04 ± 0.11
	// draws            5
}
