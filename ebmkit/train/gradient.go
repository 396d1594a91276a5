package train

import "github.com/ebmkit/hitchhiker/ebmkit"

// Gradient returns the gradient that an objective takes for a model at its present
// parameters on all rows of data, as the first step of a Trainer of that seed does:
// of the cross-entropy, review eq. (109), for CD, PCD or Exact, of half the Fisher
// divergence, eq. (115), for ISM. It has one entry per parameter of the model, then
// one per parameter that the objective trains itself. The model is not changed. It
// returns *ebmkit.ArgError as New does, and the objective's own error.
func Gradient(model Model, data *ebmkit.Ensemble, o Objective, seed uint64) ([]float64, error) {
	const fn = "train.Gradient"
	if model == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: nil, Want: "a model with parameters"}
	}
	if o == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "o", Value: nil, Want: "an objective, as in train.Exact{}"}
	}
	if err := checkPoints(fn, "data", data, model.Dim()); err != nil {
		return nil, err
	}
	b, err := o.Bind(Task{Model: model, Data: data, Seed: seed})
	if err != nil {
		return nil, err
	}
	grad := make([]float64, model.NumParams()+len(b.State().Extra))
	if err := b.Grad(grad, data.X, new(Record)); err != nil {
		return nil, err
	}
	return grad, nil
}
