package train_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// For a Gaussian U = (x-m)^2/(2 s^2) and theta = (m, log s) the cross-entropy is
// log s + E_data[(x-m)^2]/(2 s^2) up to a constant, so that
//
//	dH/dm = -(mean - m)/s^2,   dH/d log s = 1 - E_data[(x-m)^2]/s^2.
func TestGradientGaussian(t *testing.T) {
	data := must(ebmkit.Draw(gauss1(0.4, 0.7), 50, 1))
	model := gauss1(1, 2)
	mean, square := 0.0, 0.0
	for _, x := range data.X {
		mean += x / 50
		square += (x - 1) * (x - 1) / 50
	}
	got := must(train.Gradient(model, data, train.Exact{}, 1))
	for j, want := range []float64{-(mean - 1) / 4, 1 - square/4} {
		if math.Abs(got[j]-want) > 1e-8 {
			t.Errorf("parameter %d: %v, want %v", j, got[j], want)
		}
	}
}

// What the first step of a trainer of the same seed does is minus the rate times
// that; with another seed it is something else.
func TestGradientIsFirstStep(t *testing.T) {
	data := must(ebmkit.Draw(mixture1(), 60, 1))
	cd := train.CD{Walkers: 30, Kernel: mcmc.ULA{Step: 0.05}, Steps: 3}
	model := mixture1()
	before := model.Params(nil)
	g := must(train.Gradient(model, data, cd, 7))
	other := must(train.Gradient(model, data, cd, 8))
	for j, v := range model.Params(nil) {
		if v != before[j] {
			t.Fatalf("parameter %d has changed", j)
		}
	}
	must(must(train.New(model, data, cd, sgd(0.1), train.Config{Seed: 7})).Step())
	same := true
	for j, v := range model.Params(nil) {
		if math.Abs(v-(before[j]-0.1*g[j])) > 1e-14 {
			t.Errorf("parameter %d: %v after a step, gradient %v", j, v, g[j])
		}
		same = same && math.Abs(g[j]-other[j]) < 1e-6
	}
	if same {
		t.Error("another seed, the same gradient")
	}
	if g := must(train.Gradient(model, data, train.NCE{Noise: gauss1(0, 3), Ratio: 1}, 1)); len(g) != model.NumParams()+1 {
		t.Errorf("NCE has its log Z as one more parameter, the gradient %d entries", len(g))
	}
}

func TestGradientErrors(t *testing.T) {
	data := must(ebmkit.Draw(mixture1(), 10, 1))
	bad := &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{math.NaN()}}
	for name, f := range map[string]func() ([]float64, error){
		"model":     func() ([]float64, error) { return train.Gradient(nil, data, train.Exact{}, 1) },
		"data":      func() ([]float64, error) { return train.Gradient(mixture1(), bad, train.Exact{}, 1) },
		"objective": func() ([]float64, error) { return train.Gradient(mixture1(), data, nil, 1) },
		"Bind":      func() ([]float64, error) { return train.Gradient(mixture1(), data, train.CD{}, 1) },
	} {
		var arg *ebmkit.ArgError
		if _, err := f(); !errors.As(err, &arg) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
