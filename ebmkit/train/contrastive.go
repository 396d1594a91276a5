package train

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// CD is contrastive divergence with P steps, review Algorithm 1 (Hinton 2002).
// At each step k:
//
//	X_0^i = RandomSample(data),  i = 1..N
//	X_{p+1}^i = kernel at theta_k (X_p^i),  p = 0..P-1
//	gradient = mean over data of dU/dtheta - mean over i of dU/dtheta (X_P^i).
//
// The review's loop runs from k = 1; here it starts at k = 0. With From the
// walkers start anew from that law instead of the data, the naive approach of
// section 6. CD follows the gradient of the Fisher divergence (eq. 115) as P
// times the step of the kernel goes to 0, and the mass of separated modes stays
// near what it was.
type CD struct {
	Walkers int            // N; may be larger than the number of data
	Kernel  mcmc.Method    // any kernel; the review's is mcmc.ULA
	Steps   int            // P
	From    ebmkit.Sampler // where walkers start; nil means on random data
}

// Bind implements Objective. The data's memory is kept.
func (o CD) Bind(t Task) (Bound, error) {
	const fn = "train.CD"
	e, err := t.energyOf(fn)
	if err != nil {
		return nil, err
	}
	w, err := newWalkers(fn, o.Kernel, e, o.Walkers, o.Steps, t.Seed, "cd")
	if err != nil {
		return nil, err
	}
	if w.renew, err = origin(fn, o.From, t.Data); err != nil {
		return nil, err
	}
	return &cd{o, w, contrast{rowsOf: newRows(e)}}, nil
}

type cd struct {
	o CD
	*walkers
	c contrast
}

func (b *cd) Grad(dst, batch []float64, rec *Record) error {
	if err := b.advance(rec); err != nil {
		return err
	}
	b.c.dataTerm(dst, batch, rec)
	b.c.walkerTerm(dst, nil, b.ens.X, rec)
	rec.Loss = rec.Gap()
	return nil
}

func (b *cd) State() State {
	return State{Identity: fmt.Sprintf("CD walkers %d kernel %T%+v steps %d from %s", b.o.Walkers, b.o.Kernel, b.o.Kernel, b.o.Steps, fromName(b.o.From)),
		Arrays: []NamedArray{{"walkers", b.ens.X}}, Streams: b.streams()}
}

// Walkers returns the walkers after the last step, sharing memory.
func (b *cd) Walkers() *ebmkit.Ensemble { return b.ens }

// PCD is persistent contrastive divergence, review Algorithm 2 (Tieleman 2008):
//
//	X_0^i = RandomSample(data),  i = 1..N
//	at each step k:
//	    gradient = mean over data of dU/dtheta - mean over i of dU/dtheta (X_k^i)
//	    X_{k+1}^i = kernel at theta_k (X_k^i), P times,
//
// the kernel at theta_k as the review prints it, not yet at theta_{k+1}. With
// Init the walkers start there; with Renew each of them is put back, with that
// probability before it moves, on a random point of the data or on a draw of
// From: the rate nu of eq. (112) is Renew per time of a step. Renew = 0 is the
// review's algorithm, and its masses drift at the rate (walkers' fraction -
// data's fraction). A learning rate that outruns the walkers makes parameters
// swing, and with mcmc.ULA they may run away.
type PCD struct {
	Walkers int              // N; may be larger than the number of data
	Kernel  mcmc.Method      // any kernel; the review's is mcmc.ULA
	Steps   int              // P; 0 means 1
	Init    *ebmkit.Ensemble // N points; nil means random data, or draws of From
	Renew   float64          // probability in [0, 1]
	From    ebmkit.Sampler   // where walkers start and are put back; nil means on random data
}

// Bind implements Objective. The data's memory is kept.
func (o PCD) Bind(t Task) (Bound, error) {
	const fn = "train.PCD"
	e, err := t.energyOf(fn)
	if err != nil {
		return nil, err
	}
	if o.Steps == 0 {
		o.Steps = 1
	}
	w, err := newWalkers(fn, o.Kernel, e, o.Walkers, o.Steps, t.Seed, "pcd")
	if err != nil {
		return nil, err
	}
	if w.renew, err = begin(fn, w, o.Init, o.Renew, o.From, t.Data); err != nil {
		return nil, err
	}
	return &pcd{o, w, contrast{rowsOf: newRows(e)}}, nil
}

// begin puts all walkers where they start and returns what puts some back.
func begin(fn string, w *walkers, init *ebmkit.Ensemble, renew float64, from ebmkit.Sampler, data *ebmkit.Ensemble) (func(*walkerBlock, int), error) {
	if !(renew >= 0 && renew <= 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Renew", Value: renew, Want: "a probability"}
	}
	put, err := origin(fn, from, data)
	if err != nil {
		return nil, err
	}
	if init == nil {
		w.each(put)
	} else {
		if err := checkPoints(fn, "Init", init, w.ens.Dim); err != nil {
			return nil, err
		}
		if init.N != w.ens.N {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "Init.N", Value: init.N, Want: fmt.Sprintf("%d, the number of walkers", w.ens.N)}
		}
		copy(w.ens.X, init.X)
	}
	if renew == 0 {
		return nil, nil
	}
	return func(b *walkerBlock, i int) {
		if b.stream.Float64() < renew {
			put(b, i)
		}
	}, nil
}

type pcd struct {
	o PCD
	*walkers
	c contrast
}

func (b *pcd) Grad(dst, batch []float64, rec *Record) error {
	b.c.dataTerm(dst, batch, rec)
	b.c.walkerTerm(dst, nil, b.ens.X, rec)
	rec.Loss = rec.Gap()
	return b.advance(rec)
}

func (b *pcd) State() State {
	return State{Identity: fmt.Sprintf("PCD walkers %d kernel %T%+v steps %d renew %g from %s", b.o.Walkers, b.o.Kernel, b.o.Kernel, b.o.Steps, b.o.Renew, fromName(b.o.From)),
		Arrays: []NamedArray{{"walkers", b.ens.X}}, Streams: b.streams()}
}

// Walkers returns the walkers after the last step, sharing memory.
func (b *pcd) Walkers() *ebmkit.Ensemble { return b.ens }

// Replay is PCD with a buffer of many walkers of which N are at work (Du and
// Mordatch 2019). At each step N different ones are taken from the buffer, each
// is put back to its start with probability Renew, moved P times, compared with
// the data and returned to the buffer.
type Replay struct {
	Buffer  int            // size of the buffer, at least Walkers
	Walkers int            // N
	Kernel  mcmc.Method    // any kernel
	Steps   int            // P
	Renew   float64        // probability in [0, 1], often 0.05
	From    ebmkit.Sampler // where walkers start and are put back; nil means on random data
}

// Bind implements Objective. The data's memory is kept.
func (o Replay) Bind(t Task) (Bound, error) {
	const fn = "train.Replay"
	e, err := t.energyOf(fn)
	if err != nil {
		return nil, err
	}
	w, err := newWalkers(fn, o.Kernel, e, o.Walkers, o.Steps, t.Seed, "replay")
	if err != nil {
		return nil, err
	}
	if err := atLeast(fn, "Buffer", o.Buffer, o.Walkers); err != nil {
		return nil, err
	}
	b := &replay{o: o, walkers: w, c: contrast{rowsOf: newRows(e)}, order: make([]int, o.Buffer), pick: ebmkit.NewStream(t.Seed, "replay pick", 0)}
	if b.buffer, err = ebmkit.NewEnsemble(o.Buffer, e.Dim()); err != nil {
		return nil, err
	}
	if w.renew, err = begin(fn, w, nil, o.Renew, o.From, t.Data); err != nil {
		return nil, err
	}
	put, err := origin(fn, o.From, t.Data)
	if err != nil {
		return nil, err
	}
	all := walkerBlock{view: *b.buffer, stream: b.pick}
	for i := range b.buffer.N {
		put(&all, i)
	}
	return b, nil
}

type replay struct {
	o Replay
	*walkers
	c      contrast
	buffer *ebmkit.Ensemble
	order  []int // scratch: the first N are at work
	pick   *ebmkit.Stream
}

func (b *replay) Grad(dst, batch []float64, rec *Record) error {
	for i := range b.order {
		b.order[i] = i
	}
	for i := range b.ens.N {
		k := i + b.pick.IntN(len(b.order)-i)
		b.order[i], b.order[k] = b.order[k], b.order[i]
		copy(b.ens.Row(i), b.buffer.Row(b.order[i]))
	}
	if err := b.advance(rec); err != nil {
		return err
	}
	for i := range b.ens.N {
		copy(b.buffer.Row(b.order[i]), b.ens.Row(i))
	}
	b.c.dataTerm(dst, batch, rec)
	b.c.walkerTerm(dst, nil, b.ens.X, rec)
	rec.Loss = rec.Gap()
	return nil
}

func (b *replay) State() State {
	return State{Identity: fmt.Sprintf("Replay buffer %d walkers %d kernel %T%+v steps %d renew %g from %s", b.o.Buffer, b.o.Walkers, b.o.Kernel, b.o.Kernel, b.o.Steps, b.o.Renew, fromName(b.o.From)),
		Arrays: []NamedArray{{"buffer", b.buffer.X}, {"walkers", b.ens.X}}, Streams: append(b.streams(), b.pick)}
}

// Walkers returns the buffer after the last step, sharing memory.
func (b *replay) Walkers() *ebmkit.Ensemble { return b.buffer }

// PairedCD is CD with mcmc.ULA in a form that shows its direction: every row of
// data x is the start of two walkers with opposite noise, and each is compared
// with its own start,
//
//	X_{p+1} = X_p - h grad U(X_p) +- sqrt(2h) xi_p,   p = 0..P-1,
//	gradient = mean over data and signs of dU/dtheta (x) - dU/dtheta (X_P).
//
// What is large and random in CD's difference cancels, and as P h goes to 0
//
//	gradient / (P h) -> d/dtheta of D_F/2,
//
// half the Fisher divergence, review eq. (114) and (115) with alpha/nu = P h
// (alpha is missing in print, as is a gradient in div(grad U rho)): the gradient
// of ISM. CD's own estimate is lost in noise there.
type PairedCD struct {
	Step  float64 // h
	Steps int     // P; 0 means 1
}

// Bind implements Objective.
func (o PairedCD) Bind(t Task) (Bound, error) {
	const fn = "train.PairedCD"
	e, err := t.energyOf(fn)
	if err != nil {
		return nil, err
	}
	if o.Steps == 0 {
		o.Steps = 1
	}
	if err := atLeast(fn, "Steps", o.Steps, 1); err != nil {
		return nil, err
	}
	if err := positive(fn, "Step", o.Step); err != nil {
		return nil, err
	}
	if _, err := ebmkit.Gradient(fn, "model", e); err != nil {
		return nil, err
	}
	return &pairedCD{o: o, c: contrast{rowsOf: newRows(e)}, stream: ebmkit.NewStream(t.Seed, "paired cd", 0)}, nil
}

type pairedCD struct {
	o        PairedCD
	c        contrast
	stream   *ebmkit.Stream
	x, g, xi []float64
}

func (b *pairedCD) Grad(dst, batch []float64, rec *Record) error {
	n := len(batch)
	x, g, xi := room(&b.x, 2*n), room(&b.g, 2*n), room(&b.xi, n)
	copy(x, batch)
	copy(x[n:], batch)
	sd := math.Sqrt(2 * b.o.Step)
	for range b.o.Steps {
		b.c.eval(nil, g, x)
		b.stream.FillNormal(xi)
		vmath.Axpy(x, -b.o.Step, g)
		vmath.Axpy(x[:n], sd, xi)
		vmath.Axpy(x[n:], -sd, xi)
	}
	b.c.dataTerm(dst, batch, rec)
	b.c.walkerTerm(dst, nil, x, rec)
	rec.Loss = rec.Gap()
	return nil
}

func (b *pairedCD) State() State {
	return State{Identity: fmt.Sprintf("PairedCD step %g steps %d", b.o.Step, b.o.Steps), Streams: []*ebmkit.Stream{b.stream}}
}
