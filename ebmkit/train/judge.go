package train

import (
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Parted is a law made of parts, such as modes, of which density and masses are
// known: data.Ring, data.Curves, data.Checkerboard.
type Parted interface {
	ebmkit.Normalized
	// Masses writes the probability of each part into dst (allocated if nil).
	Masses(dst []float64) []float64
	// Part returns the part that x most likely came from, -1 if none.
	Part(x []float64) int
}

// Verdict is what a model has made of a law that is known.
type Verdict struct {
	LogZ   float64   // of the model
	KL     float64   // D(law || model), in nats
	Masses []float64 // the model's probability of each part of the law
}

// Judge compares a model with the law that it should have learned, on the grid
// that Exact describes:
//
//	log Z = log of the integral of exp(-U),
//	KL = integral of p (log p + U) + log Z,
//	Masses[k] = integral over part k of exp(-U)/Z.
//
// It returns *ebmkit.ArgError for a grid that does not fit, and
// *ebmkit.DivergedError where the grid is too small or too coarse for the model,
// as training with Exact does, but at 1e-5 of the probability in the outermost
// layer.
func (o Exact) Judge(model ebmkit.Parametric, law Parted) (*Verdict, error) {
	const fn = "train.Exact.Judge"
	if model == nil || law == nil || model.Dim() != law.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model, law", Value: ebmkit.TypeName(model) + ", " + ebmkit.TypeName(law), Want: "two energies of the same dimension"}
	}
	g, err := newGrid(fn, o, model.Dim())
	if err != nil {
		return nil, err
	}
	logZ, err := g.measure(newRows(model), 1e-5)
	if err != nil {
		return nil, err
	}
	v := &Verdict{LogZ: logZ, Masses: make([]float64, len(law.Masses(nil)))}
	logP := -law.LogZ()
	for i := range g.u {
		x := g.xs[i*g.d : (i+1)*g.d]
		if k := law.Part(x); k >= 0 {
			v.Masses[k] += g.w[i]
		}
		if u := law.Energy(x); finite(u) {
			v.KL += vmath.Exp(logP-u+g.logVolume) * (logP - u + g.u[i] + logZ)
		}
	}
	return v, nil
}

// SpreadOfGrad returns the trace of the covariance of dU/dtheta over the points of
// e, of equal weight: with draws of the model, what the bias of walkers that drive
// their own parameters is made of (see Jarzynski).
//
//	tr Cov(dU/dtheta) = sum over parameters of the variance of dU/dtheta_k
//
// It returns *ebmkit.ArgError if e has another dimension than the model or no
// finite points.
func SpreadOfGrad(model ebmkit.Parametric, e *ebmkit.Ensemble) (float64, error) {
	const fn = "train.SpreadOfGrad"
	if err := checkPoints(fn, "e", e, model.Dim()); err != nil {
		return 0, err
	}
	n := float64(e.N)
	mean, g := make([]float64, model.NumParams()), make([]float64, model.NumParams())
	model.AddParamGrad(mean, nil, e.X)
	for k := range mean {
		mean[k] /= n
	}
	var sum float64
	for i := range e.N {
		clear(g)
		model.AddParamGrad(g, nil, e.Row(i))
		vmath.Sub(g, g, mean)
		sum += vmath.Dot(g, g)
	}
	return sum / n, nil
}
