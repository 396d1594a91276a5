// Package minibatch deals the rows of a data set into batches.
package minibatch

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Batches gives rows of data in batches, in an order fixed by the seed. Those
// of an epoch do not overlap; each epoch shuffles anew, and rows that do not
// fill a batch wait for the next.
type Batches[T float32 | float64] struct {
	rows  []T
	n, d  int
	size  int
	seed  uint64
	step  int
	order []int
	batch []T
}

// New returns the batches of data, of size rows each; 0 means all. It keeps a
// copy of data. fn names the caller in errors: it returns *ebmkit.ArgError if
// data is not n >= 1 finite points of R^d, or size is negative or more than n.
func New[T float32 | float64](fn string, data *ebmkit.Ensemble, d, size int, seed uint64) (*Batches[T], error) {
	if err := Check(fn, "data", data, d); err != nil {
		return nil, err
	}
	if size < 0 || size > data.N {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Batch", Value: size,
			Want: fmt.Sprintf("from 1 to the %d rows of data, or 0 for all", data.N)}
	}
	if size == 0 {
		size = data.N
	}
	b := &Batches[T]{rows: make([]T, len(data.X)), n: data.N, d: d, size: size, seed: seed}
	for i, v := range data.X {
		b.rows[i] = T(v)
		if b.rows[i]-b.rows[i] != 0 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("data, point %d, coordinate %d", i/d, i%d), Value: v, Want: "within the range of float32"}
		}
	}
	if size < data.N {
		b.order, b.batch = make([]int, data.N), make([]T, size*d)
	}
	return b, nil
}

// Size returns the number of rows of a batch.
func (b *Batches[T]) Size() int { return b.size }

// Next returns the next batch, valid until the following call.
func (b *Batches[T]) Next() []T {
	if b.order == nil {
		return b.rows
	}
	per := b.n / b.size
	epoch, at := b.step/per, b.step%per*b.size
	b.step++
	if at == 0 {
		s := ebmkit.NewStream(b.seed, "epoch", epoch)
		for i := range b.order {
			k := s.IntN(i + 1)
			b.order[i] = b.order[k]
			b.order[k] = i
		}
	}
	d := b.d
	for i := range b.size {
		k := b.order[at+i]
		copy(b.batch[i*d:(i+1)*d], b.rows[k*d:(k+1)*d])
	}
	return b.batch
}

// Check returns *ebmkit.ArgError unless e holds n >= 1 finite points of R^d.
func Check(fn, arg string, e *ebmkit.Ensemble, d int) error {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	switch {
	case e == nil:
		return bad(arg, nil, "points")
	case e.N < 1:
		return bad(arg+".N", e.N, "at least 1 point")
	case e.Dim != d:
		return bad(arg+".Dim", e.Dim, fmt.Sprintf("%d, the dimension of the model", d))
	case len(e.X) != e.N*d:
		return bad("len("+arg+".X)", len(e.X), fmt.Sprintf("%d, which is N*Dim", e.N*d))
	}
	for i, v := range e.X {
		if v-v != 0 {
			return bad(fmt.Sprintf("%s, point %d, coordinate %d", arg, i/d, i%d), v, "a finite number")
		}
	}
	return nil
}
