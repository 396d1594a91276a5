package train

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// NCE is noise-contrastive estimation (Gutmann and Hyvarinen 2012): a classifier
// tells data from noise of known density q, with log Z as one more parameter c:
//
//	G(x) = -U(x) - c - log q(x) - log Ratio,
//	Loss = mean over data of softplus(-G) + Ratio mean over noise of softplus(G).
//
// Its minimum over all U and c is the data's law, and c is then log Z: Trainer.
// Extra returns it, Record.LogZ has it. It needs no samples of the model, but
// noise that covers the data: of modes that the noise never visits it learns
// nothing.
type NCE struct {
	Noise ebmkit.Normalized // q; it must be an ebmkit.Sampler too
	Ratio int               // noise points per row of data, at least 1
	LogZ  float64           // where c starts
}

// Bind implements Objective.
func (o NCE) Bind(t Task) (Bound, error) {
	const fn = "train.NCE"
	e, err := t.energyOf(fn)
	if err != nil {
		return nil, err
	}
	noise, ok := o.Noise.(ebmkit.Sampler)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Noise", Value: ebmkit.TypeName(o.Noise), Want: "an energy with known log Z and an exact sampler"}
	}
	if noise.Dim() != e.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Noise.Dim()", Value: noise.Dim(), Want: fmt.Sprintf("%d, the dimension of the model", e.Dim())}
	}
	if err := atLeast(fn, "Ratio", o.Ratio, 1); err != nil {
		return nil, err
	}
	if !finite(o.LogZ) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "LogZ", Value: o.LogZ, Want: "a finite number"}
	}
	return &nce{o: o, rows: newRows(e), sampler: noise, q: ebmkit.NewEvaluator(o.Noise),
		stream: ebmkit.NewStream(t.Seed, "nce", 0), c: []float64{o.LogZ}}, nil
}

type nce struct {
	o       NCE
	rows    *rowsOf
	sampler ebmkit.Sampler
	q       ebmkit.Evaluator
	stream  *ebmkit.Stream
	c       []float64
	xs      []float64 // noise
	u, w, v []float64
}

// logit fills v with G at the rows of xs, and returns the mean of U.
func (b *nce) logit(xs []float64) float64 {
	n := len(xs) / b.rows.e.Dim()
	u, v := room(&b.u, n), room(&b.v, n)
	b.rows.eval(u, nil, xs)
	b.q.EnergyGrad(v, nil, xs)
	shift := b.o.Noise.LogZ() - vmath.Log(float64(b.o.Ratio)) - b.c[0]
	for i := range v {
		v[i] += shift - u[i]
	}
	return vmath.Sum(u) / float64(n)
}

func (b *nce) Grad(dst, batch []float64, rec *Record) error {
	d := b.rows.e.Dim()
	n := len(batch) / d
	p := len(dst) - 1
	if len(b.xs) != n*b.o.Ratio*d {
		b.xs = make([]float64, n*b.o.Ratio*d)
	}
	for i := 0; i < len(b.xs); i += d {
		b.sampler.Sample(b.xs[i:i+d], b.stream)
	}
	// One part: the sign is that of G in its softplus.
	var loss float64
	part := func(xs []float64, sign float64) (meanU float64) {
		meanU = b.logit(xs)
		rows := len(xs) / d
		w := room(&b.w, rows)
		g := b.v[:rows]
		for i := range g {
			g[i] *= sign
		}
		vmath.SoftplusSlice(w, g)
		loss += vmath.Sum(w) / float64(n)
		vmath.SigmoidSlice(w, g)
		for i := range w {
			w[i] *= -sign / float64(n)
		}
		b.rows.addParamGrad(dst[:p], w, xs)
		dst[p] += vmath.Sum(w)
		return meanU
	}
	rec.DataEnergy = part(batch, -1)
	part(b.xs, 1)
	rec.Loss, rec.LogZ = loss, b.c[0]
	return nil
}

func (b *nce) State() State {
	return State{Identity: fmt.Sprintf("NCE noise %s ratio %d", fromName(b.sampler), b.o.Ratio), Streams: []*ebmkit.Stream{b.stream}, Extra: b.c}
}
