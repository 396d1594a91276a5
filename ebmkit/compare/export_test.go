package compare

import "github.com/ebmkit/hitchhiker/data"

// Blob is an easy task: a Gaussian off the origin and narrower than what models
// start from.
func Blob(train, heldOut int, seed uint64) *Task {
	one, err := data.NewRing([]float64{1}, 1, 0.4)
	if err != nil {
		panic(err)
	}
	t, err := plane("compare.Blob", "blob", one, 0.4, train, heldOut, seed)
	if err != nil {
		panic(err)
	}
	return t
}
