package divergence

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// KLTerms returns what the Monte Carlo estimate of KL(p, q) averages, first sum
// of review eq. (53),
//
//	log p(x_i) - log q(x_i),   x_i from p,
//
// at the n rows of x. The mean of the terms over draws of p is unbiased;
// KLMonteCarlo draws and averages in one call. It returns *ebmkit.ArgError if
// the dimensions differ.
func KLTerms(p, q ebmkit.Normalized, x *ebmkit.Ensemble) ([]float64, error) {
	const fn = "divergence.KLTerms"
	if err := sameRows(fn, p, q, x); err != nil {
		return nil, err
	}
	t, u := make([]float64, x.N), make([]float64, x.N)
	ebmkit.NewEvaluator(q).EnergyGrad(t, nil, x.X)
	ebmkit.NewEvaluator(p).EnergyGrad(u, nil, x.X)
	logZ := q.LogZ() - p.LogZ()
	for i := range t {
		t[i] = (t[i] - u[i]) + logZ
	}
	return t, nil
}

// FisherTerms returns what the Monte Carlo estimate of Fisher(p, q) averages,
// second sum of review eq. (53), whose factor 1/N is missing in print,
//
//	|grad log p(x_i) - grad log q(x_i)|^2,   x_i from p,
//
// at the n rows of x. No log Z is needed. The mean over draws of p is unbiased,
// but where the scores differ only in a region of small probability under p,
// neither the mean nor its standard error can be trusted before draws fall
// there. It returns *ebmkit.ArgError if the dimensions differ or an energy has
// no gradient.
func FisherTerms(p, q ebmkit.Energy, x *ebmkit.Ensemble) ([]float64, error) {
	const fn = "divergence.FisherTerms"
	if err := sameRows(fn, p, q, x); err != nil {
		return nil, err
	}
	gp, err := ebmkit.Gradient(fn, "p", p)
	if err != nil {
		return nil, err
	}
	gq, err := ebmkit.Gradient(fn, "q", q)
	if err != nil {
		return nil, err
	}
	a, b := make([]float64, len(x.X)), make([]float64, len(x.X))
	ebmkit.NewEvaluator(gp).EnergyGrad(nil, a, x.X)
	ebmkit.NewEvaluator(gq).EnergyGrad(nil, b, x.X)
	t := make([]float64, x.N)
	for i := range a {
		d := a[i] - b[i]
		t[i/x.Dim] += d * d
	}
	return t, nil
}

// sameRows checks that p, q and the points x live in one space.
func sameRows(fn string, p, q ebmkit.Energy, x *ebmkit.Ensemble) error {
	if err := sameDim(fn, p, q); err != nil {
		return err
	}
	if x == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "x", Value: x, Want: "points"}
	}
	if d := p.Dim(); x.Dim != d {
		return &ebmkit.ArgError{Func: fn, Arg: "x.Dim", Value: x.Dim, Want: fmt.Sprintf("%d, that of p", d)}
	}
	if len(x.X) != x.N*x.Dim {
		return &ebmkit.ArgError{Func: fn, Arg: "len(x.X)", Value: len(x.X), Want: fmt.Sprintf("N*Dim = %d", x.N*x.Dim)}
	}
	return nil
}
