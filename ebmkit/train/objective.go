package train

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Model is what is trained: a function on R^Dim with parameters theta. Every
// ebmkit.Parametric energy is one, and every *nn.Field.
type Model interface {
	Dim() int
	NumParams() int
	Params(dst []float64) []float64
	SetParams(theta []float64) error
}

// Objective is a loss with its parameters, not yet tied to a model.
type Objective interface {
	// Bind checks the parameters against model and data and allocates. It returns
	// *ebmkit.ArgError if a parameter is out of range or the model lacks what is
	// needed. It must not keep the data's memory unless it says so.
	Bind(t Task) (Bound, error)
}

// Task is what an objective is tied to.
type Task struct {
	Model Model
	Data  *ebmkit.Ensemble // checked: not empty, all finite
	Seed  uint64
}

// Bound is an objective at work on one model. It belongs to one Trainer.
type Bound interface {
	// Grad adds the gradient of the loss at the model's present parameters, on the
	// rows of batch, to dst, fills in what it knows of rec, and moves its walkers.
	// dst has one entry per parameter of the model, then one per Extra. It must set
	// rec.Loss, to 0 if there is nothing like a loss.
	Grad(dst, batch []float64, rec *Record) error
	// State returns what must go into a checkpoint. Its slices and streams are
	// the objective's own: a checkpoint that is read is copied into them.
	State() State
}

// State is everything that an objective carries from step to step.
type State struct {
	Identity string // the objective and its parameters: a checkpoint of another is refused
	Arrays   []NamedArray
	Streams  []*ebmkit.Stream
	Extra    []float64 // parameters of the objective itself, which are trained too (NCE's log Z)
}

// NamedArray is a slice with a name of letters, digits and '_'.
type NamedArray struct {
	Name string
	Data []float64
}

// energyOf returns the task's model as an energy.
func (t Task) energyOf(fn string) (ebmkit.Parametric, error) {
	e, ok := t.Model.(ebmkit.Parametric)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: ebmkit.TypeName(t.Model), Want: "an ebmkit.Parametric energy"}
	}
	return e, nil
}

// rowsOf evaluates an energy and its gradient in theta at many rows, on all
// cores. The rows are cut in the same way on any number of them.
type rowsOf struct {
	e        ebmkit.Parametric
	parallel bool // the energy itself spreads over the cores

	mu   sync.Mutex
	free []ebmkit.Evaluator

	part      []float64 // gradients of the pieces
	w, x      []float64 // of the loop that runs
	u, g      []float64
	size      int
	evalPiece func(b int)
	add       func(dst []float64, lo, hi int)
	addPiece  func(b int)
	addParam  func(dst []float64, lo, hi int)
}

// pieceRows is the number of rows evaluated at once, and the least number in a
// piece of a gradient.
const pieceRows = 4 * ebmkit.BlockRows

// maxPieces bounds the memory of a gradient: each piece has its own sum.
const maxPieces = 16

func newRows(e ebmkit.Parametric) *rowsOf {
	r := &rowsOf{e: e}
	_, r.parallel = e.(*nn.Energy)
	d := e.Dim()
	r.addParam = func(dst []float64, lo, hi int) {
		var w []float64
		if r.w != nil {
			w = r.w[lo:hi]
		}
		e.AddParamGrad(dst, w, r.x[lo*d:hi*d])
	}
	r.addPiece = func(b int) {
		p := e.NumParams()
		dst := r.part[b*p : (b+1)*p]
		clear(dst)
		r.add(dst, b*r.size, min((b+1)*r.size, len(r.x)/d))
	}
	r.evalPiece = func(b int) {
		lo, hi := b*pieceRows, min((b+1)*pieceRows, len(r.x)/d)
		var u, g []float64
		if r.u != nil {
			u = r.u[lo:hi]
		}
		if r.g != nil {
			g = r.g[lo*d : hi*d]
		}
		ev := r.take()
		ev.EnergyGrad(u, g, r.x[lo*d:hi*d])
		r.give(ev)
	}
	return r
}

func (r *rowsOf) take() ebmkit.Evaluator {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free); n > 0 {
		ev := r.free[n-1]
		r.free = r.free[:n-1]
		return ev
	}
	return ebmkit.NewEvaluator(r.e)
}

func (r *rowsOf) give(ev ebmkit.Evaluator) {
	r.mu.Lock()
	r.free = append(r.free, ev)
	r.mu.Unlock()
}

// eval is Evaluator.EnergyGrad on all cores.
func (r *rowsOf) eval(u, g, xs []float64) {
	n := len(xs) / r.e.Dim()
	if r.parallel || n <= pieceRows {
		ev := r.take()
		ev.EnergyGrad(u, g, xs)
		r.give(ev)
		return
	}
	r.u, r.g, r.x = u, g, xs
	par.For(context.Background(), (n+pieceRows-1)/pieceRows, r.evalPiece)
	r.u, r.g, r.x = nil, nil, nil
}

// addParamGrad is AddParamGrad on all cores.
func (r *rowsOf) addParamGrad(dst, w, xs []float64) {
	r.w = w
	r.accumulate(dst, xs, r.addParam)
	r.w = nil
}

// accumulate calls add for pieces of the rows, each with a sum of its own, and
// adds these to dst in the order of the rows. add may read r.x.
func (r *rowsOf) accumulate(dst, xs []float64, add func(dst []float64, lo, hi int)) {
	n, p := len(xs)/r.e.Dim(), len(dst)
	r.x, r.add = xs, add
	if r.parallel || n <= pieceRows {
		add(dst, 0, n)
		return
	}
	pieces := min(maxPieces, (n+pieceRows-1)/pieceRows)
	r.size = (n + pieces - 1) / pieces
	pieces = (n + r.size - 1) / r.size
	if len(r.part) < pieces*p {
		r.part = make([]float64, pieces*p)
	}
	par.For(context.Background(), pieces, r.addPiece)
	for b := range pieces {
		vmath.Axpy(dst, 1, r.part[b*p:(b+1)*p])
	}
}

// contrast adds to dst the gradient that all likelihood objectives share,
//
//	dst += mean over data of dU/dtheta - sum_i w_i dU/dtheta (walker i),
//
// w nil meaning 1/N, and writes the two mean energies into rec.
type contrast struct {
	*rowsOf
	u, wd, ww []float64
}

// room returns n numbers to be written, in memory kept between calls.
func room(buf *[]float64, n int) []float64 {
	if len(*buf) < n {
		*buf = make([]float64, n)
	}
	return (*buf)[:n]
}

// uniform returns n times c, in memory kept between calls.
func uniform(buf *[]float64, n int, c float64) []float64 {
	w := room(buf, n)
	for i := range w {
		w[i] = c
	}
	return w
}

func (c *contrast) dataTerm(dst, data []float64, rec *Record) {
	n := len(data) / c.e.Dim()
	c.addParamGrad(dst, uniform(&c.wd, n, 1/float64(n)), data)
	u := room(&c.u, n)
	c.eval(u, nil, data)
	rec.DataEnergy = vmath.Sum(u) / float64(n)
}

func (c *contrast) walkerTerm(dst, w, xs []float64, rec *Record) {
	n := len(xs) / c.e.Dim()
	minus := uniform(&c.ww, n, -1/float64(n))
	for i := range w {
		minus[i] = -w[i]
	}
	c.addParamGrad(dst, minus, xs)
	u := room(&c.u, n)
	c.eval(u, nil, xs)
	rec.WalkerEnergy = -vmath.Dot(minus, u)
}

func finite(v float64) bool { return v-v == 0 }

// checkPoints returns an error unless e holds n >= 1 finite points of R^d.
func checkPoints(fn, arg string, e *ebmkit.Ensemble, d int) error {
	switch {
	case e == nil:
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: nil, Want: "points"}
	case e.N < 1:
		return &ebmkit.ArgError{Func: fn, Arg: arg + ".N", Value: e.N, Want: "at least 1 point"}
	case e.Dim != d:
		return &ebmkit.ArgError{Func: fn, Arg: arg + ".Dim", Value: e.Dim, Want: fmt.Sprintf("%d, the dimension of the model", d)}
	case len(e.X) != e.N*d:
		return &ebmkit.ArgError{Func: fn, Arg: "len(" + arg + ".X)", Value: len(e.X), Want: fmt.Sprintf("%d, which is N*Dim", e.N*d)}
	}
	for i, v := range e.X {
		if !finite(v) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s, point %d, coordinate %d", arg, i/d, i%d), Value: v, Want: "a finite number"}
		}
	}
	return nil
}

func atLeast(fn, arg string, v, least int) error {
	if v >= least {
		return nil
	}
	return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: fmt.Sprintf("at least %d", least)}
}

func positive(fn, arg string, v float64) error {
	if v > 0 && !math.IsInf(v, 1) {
		return nil
	}
	return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a positive finite number"}
}
