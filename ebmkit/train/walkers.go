package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// walkers are N points that a kernel moves, in fixed blocks, each with its own
// kernel and stream.
type walkers struct {
	ens    *ebmkit.Ensemble
	blocks []walkerBlock
	steps  int
	renew  func(b *walkerBlock, i int) // before the moves, row i of block b; nil: never
	move   func(b int)
}

type walkerBlock struct {
	lo, hi int
	view   ebmkit.Ensemble
	kernel mcmc.Kernel
	stream *ebmkit.Stream
	prob   float64 // sum of acceptance probabilities in the last round
	tests  int     // number of those
	err    error
}

// newWalkers binds the kernel to the target for each block of n walkers. Block b
// uses the stream (seed, name, b).
func newWalkers(fn string, m mcmc.Method, target ebmkit.Energy, n, steps int, seed uint64, name string) (*walkers, error) {
	if err := atLeast(fn, "Walkers", n, 1); err != nil {
		return nil, err
	}
	if err := atLeast(fn, "Steps", steps, 1); err != nil {
		return nil, err
	}
	if m == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Kernel", Value: nil, Want: "a kernel, as in mcmc.ULA{Step: 0.01}"}
	}
	ens, err := ebmkit.NewEnsemble(n, target.Dim())
	if err != nil {
		return nil, err
	}
	rows := ebmkit.BlockRows
	if b, ok := m.(interface{ BlockRows() int }); ok {
		rows = b.BlockRows()
	}
	w := &walkers{ens: ens, blocks: make([]walkerBlock, (n+rows-1)/rows), steps: steps}
	for i := range w.blocks {
		b := &w.blocks[i]
		b.lo, b.hi = i*rows, min((i+1)*rows, n)
		b.view = ens.Slice(b.lo, b.hi)
		b.stream = ebmkit.NewStream(seed, name, i)
		if b.kernel, err = m.Bind(target, b.hi-b.lo); err != nil {
			return nil, err
		}
	}
	w.move = func(i int) { w.blocks[i].advance(w) }
	return w, nil
}

func (b *walkerBlock) advance(w *walkers) {
	b.prob, b.tests = 0, 0
	if w.renew != nil {
		for i := range b.view.N {
			w.renew(b, i)
		}
	}
	// The parameters have changed since the last round: what the kernel keeps of
	// the energies is out of date.
	if b.err = b.kernel.Start(&b.view, b.stream); b.err != nil {
		return
	}
	for range w.steps {
		info, err := b.kernel.Advance(&b.view, b.stream)
		if err != nil {
			b.err = err
			return
		}
		for _, p := range info.Prob {
			b.prob += p
		}
		b.tests += len(info.Prob)
	}
}

// advance moves all walkers and writes the rate of acceptance, if there is one.
func (w *walkers) advance(rec *Record) error {
	par.For(context.Background(), len(w.blocks), w.move)
	var prob float64
	tests := 0
	for i := range w.blocks {
		b := &w.blocks[i]
		if b.err != nil {
			var d *ebmkit.DivergedError
			if errors.As(b.err, &d) {
				e := *d
				if e.Walker >= 0 {
					e.Walker += b.lo
				}
				return &e
			}
			return b.err
		}
		prob += b.prob
		tests += b.tests
	}
	if tests > 0 {
		rec.Accept = prob / float64(tests)
	}
	return nil
}

// each calls f for every row, block by block, with the block's stream.
func (w *walkers) each(f func(b *walkerBlock, i int)) {
	for k := range w.blocks {
		b := &w.blocks[k]
		for i := range b.view.N {
			f(b, i)
		}
	}
}

func (w *walkers) streams() []*ebmkit.Stream {
	s := make([]*ebmkit.Stream, len(w.blocks))
	for i := range s {
		s[i] = w.blocks[i].stream
	}
	return s
}

// origin returns what puts a walker where it starts: on a random point of the
// data, which is kept, or on a draw of the law from.
func origin(fn string, from ebmkit.Sampler, data *ebmkit.Ensemble) (func(b *walkerBlock, i int), error) {
	if from == nil {
		x, n, d := data.X, data.N, data.Dim
		return func(b *walkerBlock, i int) {
			k := b.stream.IntN(n)
			copy(b.view.Row(i), x[k*d:(k+1)*d])
		}, nil
	}
	if from.Dim() != data.Dim {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "From.Dim()", Value: from.Dim(), Want: fmt.Sprintf("%d, the dimension of the model", data.Dim)}
	}
	return func(b *walkerBlock, i int) { from.Sample(b.view.Row(i), b.stream) }, nil
}

// fromName says in an Identity where walkers start.
func fromName(from ebmkit.Sampler) string {
	if from == nil {
		return "data"
	}
	if s, ok := from.(fmt.Stringer); ok {
		return s.String()
	}
	return ebmkit.TypeName(from)
}

// normalise turns log-weights into weights w that sum to one. It returns the log
// of the mean of exp(logW) and the effective sample size (sum w)^2/sum w^2; NaN
// for log-weights that cannot be normalised.
func normalise(w, logW []float64) (logMean, ess float64) {
	top := vmath.Max(logW)
	for i, l := range logW {
		w[i] = l - top
	}
	vmath.ExpSlice(w, w)
	sum := vmath.Sum(w)
	for i := range w {
		w[i] /= sum
	}
	return top + vmath.Log(sum/float64(len(w))), 1 / vmath.Dot(w, w)
}
