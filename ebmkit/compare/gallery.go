package compare

import "slices"

// Sample is a set of points to look at.
type Sample struct {
	Name string
	X    []float64 // row by row
}

// Gallery returns what a figure of samples shows: the held-out data, then of each
// kind, in the order of the results, the samples of its first model. The training
// data handed back are left out, since they look as held-out data do.
func Gallery(t *Task, results []Result) []Sample {
	all := []Sample{{"held out", t.HeldOut.X}}
	var seen []Kind
	for _, r := range results {
		if r.Kind != Training && !slices.Contains(seen, r.Kind) {
			seen = append(seen, r.Kind)
			all = append(all, Sample{r.Kind.String(), r.X})
		}
	}
	return all
}
