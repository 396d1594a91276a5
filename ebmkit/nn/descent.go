package nn

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Descent trains networks together by Adam, in place and in their own precision:
// a step goes through memory once, where Adam.Step and SetParams go three times.
//
// What others set between two steps counts: a step starts from the parameters that
// the networks have. Passes see the new ones from then on. A Descent serves one
// goroutine, and none may evaluate a network during a step.
type Descent[T Float] struct {
	adam  *Adam[T]
	nets  []*MLP
	cores []*core[T]
	parts []part
	total int

	// The loop that runs.
	grad     []T
	bad      atomic.Bool
	movePart func(i int)
}

// part is the parameters lo to hi-1 of a network, whose gradient begins at off.
type part struct{ net, off, lo, hi int }

// NewDescent returns a Descent of the networks. It returns *ebmkit.ArgError if
// there are none, one of them is nil, given twice or does not compute in T, or c is
// not valid, as NewAdam.
func NewDescent[T Float](c AdamConfig, nets ...*MLP) (*Descent[T], error) {
	const fn = "nn.NewDescent"
	adam, err := NewAdam[T](c)
	if err != nil {
		return nil, err
	}
	if len(nets) == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "nets", Value: "none", Want: "one network or more"}
	}
	d := &Descent[T]{adam: adam, nets: nets}
	for i, n := range nets {
		if n == nil || slices.Contains(nets[:i], n) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("nets[%d]", i), Value: "nil, or given before", Want: "another network"}
		}
		var c *core[T]
		switch want := any(&c).(type) {
		case **core[float32]:
			*want = n.c32
		case **core[float64]:
			*want = n.c64
		}
		if c == nil {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("nets[%d]", i), Value: n.cfg.Precision,
				Want: fmt.Sprintf("the precision %T", T(0))}
		}
		for lo := 0; lo < len(c.theta); lo += adamChunk {
			d.parts = append(d.parts, part{i, d.total, lo, min(lo+adamChunk, len(c.theta))})
		}
		d.cores = append(d.cores, c)
		d.total += len(c.theta)
	}
	d.movePart = d.move
	return d, nil
}

// NumParams returns the number of parameters of all networks.
func (d *Descent[T]) NumParams() int { return d.total }

// Step takes one step of Adam against grad, the gradients of the networks one
// after another. Nothing is repaired: look at Pass.GradNorm before. If a parameter, or the
// second moment of a gradient, is not finite after it, it returns
// *ebmkit.DivergedError, and the parameters are lost. It panics if len(grad) is
// not NumParams.
func (d *Descent[T]) Step(grad []T) error {
	wantLen(len(grad), d.total, "grad")
	d.adam.begin(d.total)
	d.grad = grad
	d.bad.Store(false)
	loop(len(d.parts), d.movePart)
	d.grad = nil
	for i, c := range d.cores {
		c.changed()
		d.nets[i].moved = true
	}
	if d.bad.Load() {
		return d.diverged()
	}
	return nil
}

func (d *Descent[T]) move(i int) {
	k := &d.parts[i]
	theta := d.cores[k.net].theta[k.lo:k.hi]
	if !d.adam.part(theta, d.grad[k.off+k.lo:k.off+k.hi], k.off+k.lo) {
		d.bad.Store(true)
	}
}

// diverged says which parameter or moment is not finite.
func (d *Descent[T]) diverged() error {
	err := &ebmkit.DivergedError{Func: "nn.Descent.Step", Step: d.adam.k - 1, Walker: -1}
	at := 0
	for i, c := range d.cores {
		for k, v := range c.theta {
			err.Value, err.Hint = float64(v), fmt.Sprintf("parameter %d of network %d: lower the learning rate", k, i)
			if v-v != 0 {
				return err
			}
			if v := d.adam.v[at]; v-v != 0 {
				err.Value, err.Hint = float64(v), fmt.Sprintf("second moment of the gradient in parameter %d of network %d: clip gradients", k, i)
				return err
			}
			at++
		}
	}
	return err
}
