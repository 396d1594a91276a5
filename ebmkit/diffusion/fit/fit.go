// Package fit trains networks for diffusions and interpolants: the regressions
// of package diffusion as objectives of train.Trainer.
//
//	net, err := nn.NewField(nn.FieldConfig{Dim: 2, Hidden: []int{64, 64}, Act: nn.SiLU, Freqs: nn.OctaveFreqs(4)})
//	tr, err := train.New(net, data, fit.Score{DSM: diffusion.DSM{Process: vp, From: 0.01, To: 1, Target: diffusion.Noise}},
//	    adam, train.Config{Batch: 256, Seed: 1})
//	err = tr.Fit(ctx, 2000)
//
// The model is a *nn.Field or another Learner. The loss in the records is the
// mean of W |f - Y|^2 over the batch: a constant above the distance to the exact
// field, so it does not go to 0.
package fit

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diffusion"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// Learner is a field with parameters that can be regressed: *nn.Field is one.
type Learner interface {
	ebmkit.Field
	train.Model
	// AddLossGrad returns sum_i w_i |f(x_i, t_i) - y_i|^2 and adds its gradient in
	// the parameters to dst.
	AddLossGrad(dst, w, ys, ts, xs []float64) float64
}

var (
	_ Learner         = (*nn.Field)(nil)
	_ train.Objective = Score{}
	_ train.Objective = Interpolant{}
)

// Score is denoising score matching over time, review eq. (57), on the rows of
// the batch, each with a time and a noise of its own at every step.
type Score struct {
	diffusion.DSM
}

// Interpolant is the regression of the velocity, the noise or the score of a
// stochastic interpolant, review eq. (68) and (69), between draws of Base and
// the rows of the batch.
type Interpolant struct {
	diffusion.Regression
	Base ebmkit.Sampler // nil for a one-sided interpolant
}

// Bind implements train.Objective.
func (o Score) Bind(t train.Task) (train.Bound, error) {
	f, err := learner("fit.Score", t)
	if err != nil {
		return nil, err
	}
	weight := "sd^2"
	if o.Weight != nil {
		weight = "given"
	}
	b := &bound{f: f, stream: ebmkit.NewStream(t.Seed, "diffusion", 0),
		name: fmt.Sprintf("Score %T%+v from %g to %g weight %s target %v", o.Process, o.Process, o.From, o.To, weight, o.Target)}
	b.draw = func(batch *diffusion.Batch, data *ebmkit.Ensemble) error { return o.Draw(batch, data, b.stream) }
	return b, b.try(t.Data)
}

// Bind implements train.Objective.
func (o Interpolant) Bind(t train.Task) (train.Bound, error) {
	const fn = "fit.Interpolant"
	f, err := learner(fn, t)
	if err != nil {
		return nil, err
	}
	if o.Base != nil && o.Base.Dim() != f.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Interpolant.Base.Dim()", Value: o.Base.Dim(), Want: fmt.Sprintf("%d, as the model", f.Dim())}
	}
	ip := o.Regression.Interpolant
	b := &bound{f: f, stream: ebmkit.NewStream(t.Seed, "diffusion", 0),
		name: fmt.Sprintf("Interpolant %T%+v %T%+v coupling %T%+v target %v margin %g base %v", ip.I, ip.I, ip.Gamma, ip.Gamma,
			o.Coupling, o.Coupling, o.Target, o.Margin, o.Base)}
	var base *ebmkit.Ensemble
	b.draw = func(batch *diffusion.Batch, data *ebmkit.Ensemble) error {
		if o.Base == nil {
			return o.Draw(batch, nil, data, b.stream)
		}
		if base == nil || base.N != batch.N {
			base = &ebmkit.Ensemble{N: batch.N, Dim: batch.Dim, X: make([]float64, len(batch.X))}
		}
		for i := range base.N {
			o.Base.Sample(base.Row(i), b.stream)
		}
		return o.Draw(batch, base, data, b.stream)
	}
	return b, b.try(t.Data)
}

func learner(fn string, t train.Task) (Learner, error) {
	f, ok := t.Model.(Learner)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: ebmkit.TypeName(t.Model), Want: "a fit.Learner, as *nn.Field"}
	}
	return f, nil
}

// bound is a regression at work on one field.
type bound struct {
	f      Learner
	name   string
	stream *ebmkit.Stream
	draw   func(b *diffusion.Batch, data *ebmkit.Ensemble) error
	batch  *diffusion.Batch
}

// try draws an example, so that bad arguments are found before training, and
// puts the stream back.
func (b *bound) try(data *ebmkit.Ensemble) error {
	before, err := b.stream.MarshalBinary()
	if err != nil {
		return err
	}
	one, err := diffusion.NewBatch(1, data.Dim)
	if err != nil {
		return err
	}
	if err := b.draw(one, data); err != nil {
		return err
	}
	return b.stream.UnmarshalBinary(before)
}

// Grad implements train.Bound.
func (b *bound) Grad(dst, rows []float64, rec *train.Record) error {
	d := b.f.Dim()
	n := len(rows) / d
	if b.batch == nil || b.batch.N != n {
		var err error
		if b.batch, err = diffusion.NewBatch(n, d); err != nil {
			return err
		}
	}
	if err := b.draw(b.batch, &ebmkit.Ensemble{N: n, Dim: d, X: rows}); err != nil {
		return err
	}
	for i := range b.batch.W {
		b.batch.W[i] /= float64(n)
	}
	rec.Loss = b.f.AddLossGrad(dst, b.batch.W, b.batch.Y, b.batch.T, b.batch.X)
	return nil
}

// State implements train.Bound.
func (b *bound) State() train.State {
	return train.State{Identity: b.name, Streams: []*ebmkit.Stream{b.stream}}
}

// BlockMeans returns the means of a series, such as the losses of a training,
// over blocks of so many entries, and the middles of the blocks, counted in
// entries: what is left at the end is left out. The loss of one batch is mostly
// noise; a mean of n has 1/sqrt(n) of it. It returns *ebmkit.ArgError if size < 1
// or there is less than one block.
func BlockMeans(series []float64, size int) (middle, mean []float64, err error) {
	const fn = "fit.BlockMeans"
	if size < 1 {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "size", Value: size, Want: "at least 1"}
	}
	if len(series) < size {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "len(series)", Value: len(series), Want: fmt.Sprintf("at least %d, one block", size)}
	}
	for lo := 0; lo+size <= len(series); lo += size {
		var sum float64
		for _, v := range series[lo : lo+size] {
			sum += v
		}
		middle = append(middle, float64(lo)+float64(size)/2)
		mean = append(mean, sum/float64(size))
	}
	return middle, mean, nil
}
