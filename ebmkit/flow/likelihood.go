package flow

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Likelihood is maximum likelihood for a *Flow, review eq. (71) and (72):
//
//	Loss = -mean over the batch of log rho(x + Noise e),   e ~ N(0, I),
//
// the cross-entropy E_data[U] of eq. (14) with log Z = 0. With Noise the data is
// blurred anew at each step, so that a density exists where data lie on a grid or
// on a surface, and the loss cannot run to -Inf; the flow then learns the
// blurred law.
type Likelihood struct {
	Noise float64 // standard deviation; 0: none
}

var _ train.Objective = Likelihood{}

// LossTerms returns the means over the rows of xs of the two terms of review eq.
// (72), as they stand in the loss,
//
//	base = -mean of log rho_Z(phi^-1(x)),   volume = -mean of log |det J phi^-1(x)|,
//
// whose sum is the loss of Likelihood without noise. It panics on a wrong length.
func (f *Flow) LossTerms(xs []float64) (base, volume float64) {
	n := len(xs) / f.dim
	logDet := make([]float64, n)
	f.Normalize(make([]float64, len(xs)), logDet, xs)
	volume = -vmath.Sum(logDet) / float64(n)
	return -vmath.Sum(f.LogDensity(nil, xs))/float64(n) - volume, volume
}

// Bind implements train.Objective.
func (o Likelihood) Bind(t train.Task) (train.Bound, error) {
	const fn = "flow.Likelihood"
	f, ok := t.Model.(*Flow)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: ebmkit.TypeName(t.Model), Want: "a *flow.Flow"}
	}
	if !(o.Noise >= 0) || !finite(o.Noise) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Noise", Value: o.Noise, Want: "a finite number, 0 or more"}
	}
	b := &likelihood{f: f, noise: o.Noise}
	if o.Noise > 0 {
		b.stream = ebmkit.NewStream(t.Seed, "blur", 0)
	}
	return b, nil
}

type likelihood struct {
	f      *Flow
	noise  float64
	stream *ebmkit.Stream
	w, x   []float64
}

// Grad implements train.Bound.
func (b *likelihood) Grad(dst, batch []float64, rec *train.Record) error {
	n := len(batch) / b.f.dim
	if len(b.w) != n {
		b.w, b.x = make([]float64, n), make([]float64, len(batch))
		for i := range b.w {
			b.w[i] = 1 / float64(n)
		}
	}
	if b.stream != nil {
		b.stream.FillNormal(b.x)
		for i, v := range batch {
			b.x[i] = v + b.noise*b.x[i]
		}
		batch = b.x
	}
	rec.Loss = b.f.AddLossGrad(dst, b.w, batch)
	rec.DataEnergy, rec.LogZ = rec.Loss, 0
	return nil
}

// State implements train.Bound.
func (b *likelihood) State() train.State {
	s := train.State{Identity: fmt.Sprintf("flow.Likelihood, noise %v", b.noise)}
	if b.stream != nil {
		s.Streams = []*ebmkit.Stream{b.stream}
	}
	return s
}
