package fit

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// SetVisibleBiases sets the visible biases of m to the log-odds of each unit in the
// data, and leaves its other parameters as they are:
//
//	b_i = log [(n_i + 1)/(N - n_i + 1)],
//
// n_i the number of the N rows in which unit i is 1; one more row with it and one
// without keep b_i finite. With small weights this is where training starts that need
// not first learn how much ink there is (Hinton, A Practical Guide to Training
// Restricted Boltzmann Machines, 2012, section 8.1). With weights and hidden biases 0
// units are independent, each 1 with probability (n_i + 1)/(N + 2), and
//
//	log Z = H log 2 + sum_i log(1 + exp(b_i)).
//
// It returns *ebmkit.ArgError, and leaves m as it was, if data is nil, empty, of
// another dimension than m, or not of units 0 or 1.
func SetVisibleBiases(m spin.RBM, data *ebmkit.Ensemble) error {
	const fn = "fit.SetVisibleBiases"
	d := m.Dim()
	switch {
	case data == nil:
		return &ebmkit.ArgError{Func: fn, Arg: "data", Value: nil, Want: "rows of 0 and 1"}
	case data.N < 1 || data.Dim != d || len(data.X) != data.N*d:
		return &ebmkit.ArgError{Func: fn, Arg: "data", Value: fmt.Sprintf("%d points of dimension %d in %d numbers", data.N, data.Dim, len(data.X)),
			Want: fmt.Sprintf("at least one of %d units", d)}
	}
	if err := wantUnits(fn, "data", data); err != nil {
		return err
	}
	on := make([]float64, d)
	for i := range data.N {
		vmath.Axpy(on, 1, data.Row(i))
	}
	theta := m.Params(nil)
	biases := theta[d*m.Hidden():][:d]
	for i, n := range on {
		biases[i] = vmath.Log((n + 1) / (float64(data.N) - n + 1))
	}
	return m.SetParams(theta)
}
