package train

import "github.com/ebmkit/hitchhiker/ebmkit/energy"

// NewTwoModes is energy.NewTwoModes.
func NewTwoModes(a, b []float64, z float64) (*energy.TwoModes, error) {
	return energy.NewTwoModes(a, b, z)
}
