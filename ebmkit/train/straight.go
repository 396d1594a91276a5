package train

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Straight returns the straight path of parameters from one model to another of the
// same kind, as Follow takes it: steps+1 points of dimension NumParams,
//
//	theta_k = theta_from + (theta_to - theta_from) k/steps,   k = 0..steps.
//
// Neither model is changed. It returns *ebmkit.ArgError if a model is nil, they have
// different numbers of parameters, or steps < 1.
func Straight(from, to Model, steps int) (*ebmkit.Ensemble, error) {
	const fn = "train.Straight"
	for i, m := range []Model{from, to} {
		if m == nil {
			return nil, &ebmkit.ArgError{Func: fn, Arg: []string{"from", "to"}[i], Value: nil, Want: "a model"}
		}
	}
	if err := atLeast(fn, "steps", steps, 1); err != nil {
		return nil, err
	}
	if to.NumParams() != from.NumParams() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "to", Value: fmt.Sprintf("%d parameters", to.NumParams()),
			Want: fmt.Sprintf("%d, as many as from", from.NumParams())}
	}
	start, end := from.Params(nil), to.Params(nil)
	path, err := ebmkit.NewEnsemble(steps+1, len(start))
	if err != nil {
		return nil, err
	}
	for k := range path.N {
		row := path.Row(k)
		for i := range row {
			row[i] = start[i] + (end[i]-start[i])*float64(k)/float64(steps)
		}
	}
	return path, nil
}
