package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Jarzynski is training by weighted walkers (Carbone, Hua, Coste and Vanden-
// Eijnden 2024), which keeps the masses of modes right where CD and PCD do not.
// Walkers start in equilibrium at theta_0 and carry log-weights A, 0 at first.
// With mcmc.ULA{Step: h}, at each step k > 0, g = grad U_{k-1}(x), g' = grad U_k(x'):
//
//	x' = x - h g + sqrt(2h) xi
//	A += U_{k-1}(x) + (x'-x).g/2 + h|g|^2/4 - [U_k(x') + (x-x').g'/2 + h|g'|^2/4]
//	gradient = mean over data of dU/dtheta - sum_i w_i dU/dtheta (x_i),   w = softmax(A).
//
// With any other kernel, which must leave its target invariant, A += U_{k-1}(x)
// - U_k(x) first, and then the walkers move. Where ESS/N falls below Resample
// they are drawn anew in proportion to w (systematically, after the gradient) and
// A becomes 0. Loss is the estimated cross-entropy E_data[U] + log Z, with
//
//	log Z_k = log Z_0 + sum over resamplings of log mean exp(A) + log mean exp(A).
//
// # What is exact
//
// For a sequence of theta that does not depend on the walkers, E[exp(A)] = Z_k/Z_0
// for every h and N: Follow repeats a recorded path with independent walkers.
// Walkers that drive their own parameters are biased: each step lowers U where
// they happen to be fewer than they should, and log Z comes out too small by
// about
//
//	sum_k eta_k tr Cov(dU/dtheta)/N
//
// for gradient descent with rates eta_k, if walkers are fresh at every step; the
// memory of walkers and parameters takes part of it away. Take N large enough for it to be small,
// or let the rate fall.
//
// Works are differences of energies. The rounding of a network in nn.Float32 does
// them no harm: it changes log Z by less than 1e-6 in hundreds of steps.
type Jarzynski struct {
	Walkers  int              // N, at least 2
	Kernel   mcmc.Method      // mcmc.ULA, or a kernel that leaves its target invariant
	Steps    int              // moves per step of training; 0 means 1
	Init     *ebmkit.Ensemble // N points in equilibrium at theta_0; nil means exact draws of the model, an ebmkit.Sampler
	LogZ0    float64          // log Z of theta_0, for models that cannot tell: log Z counts from it
	Resample float64          // of ESS/N in (0, 1); 0 means 0.5
	MinESS   float64          // of ESS/N in [0, Resample): below it the weights have collapsed and training stops; 0 means 0.01
}

// Bind implements Objective.
func (o Jarzynski) Bind(t Task) (Bound, error) { return o.bind(t) }

func (o Jarzynski) bind(t Task) (*jarzynski, error) {
	const fn = "train.Jarzynski"
	bad := func(arg string, value any, want string) (*jarzynski, error) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	e, err := t.energyOf(fn)
	if err != nil {
		return nil, err
	}
	if o.Steps == 0 {
		o.Steps = 1
	}
	if o.Resample == 0 {
		o.Resample = 0.5
	}
	if !(o.Resample > 0 && o.Resample < 1) {
		return bad("Resample", o.Resample, "a number between 0 and 1")
	}
	if o.MinESS == 0 {
		o.MinESS = min(0.01, o.Resample/2)
	}
	if !(o.MinESS >= 0 && o.MinESS < o.Resample) {
		return bad("MinESS", o.MinESS, "at least 0 and below Resample")
	}
	if err := atLeast(fn, "Walkers", o.Walkers, 2); err != nil {
		return nil, err
	}
	if u, ok := o.Kernel.(mcmc.Underdamped); ok {
		return bad("Kernel", ebmkit.TypeName(u), "a kernel that leaves its target invariant, or mcmc.ULA, whose work is corrected")
	}
	w, err := newWalkers(fn, o.Kernel, e, o.Walkers, o.Steps, t.Seed, "jarzynski")
	if err != nil {
		return nil, err
	}
	n, d := o.Walkers, e.Dim()
	w.ens.LogW = make([]float64, n)
	b := &jarzynski{o: o, e: e, walkers: w, c: contrast{rowsOf: newRows(e)}, u: make([]float64, n), next: make([]float64, n),
		w: make([]float64, n), x: make([]float64, n*d), pick: ebmkit.NewStream(t.Seed, "resample", 0), acc: make([]float64, 2), index: make([]int, n)}
	switch m := t.Model.(type) {
	case ebmkit.Normalized:
		b.o.LogZ0 = m.LogZ()
	case enumerable:
		if z, err := m.ExactLogZ(); err == nil {
			b.o.LogZ0 = z
		}
	}
	if !finite(b.o.LogZ0) {
		return bad("LogZ0", b.o.LogZ0, "a finite number")
	}
	if o.Init != nil {
		if err := checkPoints(fn, "Init", o.Init, d); err != nil {
			return nil, err
		}
		if o.Init.N != n {
			return bad("Init.N", o.Init.N, fmt.Sprintf("%d, the number of walkers", n))
		}
		copy(w.ens.X, o.Init.X)
	} else {
		s, ok := t.Model.(ebmkit.Sampler)
		if !ok {
			return bad("model", ebmkit.TypeName(t.Model), "an energy with an exact sampler, or walkers in equilibrium as Init")
		}
		w.each(func(k *walkerBlock, i int) { s.Sample(k.view.Row(i), k.stream) })
	}
	if ula, ok := o.Kernel.(mcmc.ULA); ok {
		b.h, b.g = ula.Step, make([]float64, n*d)
		b.langevin = make([]langevin, len(w.blocks))
		for i := range b.langevin {
			rows := w.blocks[i].view.N
			l := langevin{ev: ebmkit.NewEvaluator(e), tile: rows}
			// Few enough rows at a time that what they need stays in the first cache;
			// a network has blocks of its own.
			if _, net := e.(*nn.Energy); !net && d <= 128 {
				l.tile = min(rows, max(8, 512/d))
			}
			l.t, l.xi = make([]float64, l.tile*d), make([]float64, l.tile*d)
			b.langevin[i] = l
		}
		b.step = b.advanceLangevin
	}
	return b, nil
}

type jarzynski struct {
	o Jarzynski
	e ebmkit.Parametric
	*walkers
	c       contrast
	u, next []float64 // energies at the parameters of the last step; scratch
	w       []float64
	x       []float64 // scratch of resampling
	index   []int
	pick    *ebmkit.Stream
	acc     []float64 // whether the walkers have energies, and the log of all means before the last resampling

	// With mcmc.ULA only.
	h        float64
	g        []float64 // gradients at the parameters of the last step
	langevin []langevin
	step     func(i int)
}

// langevin is the scratch of a block.
type langevin struct {
	ev    ebmkit.Evaluator
	tile  int
	t, xi []float64
	err   error
}

// advanceLangevin moves block i and adds the work: with sum = g + g' the increment
// of A is
//
//	U_{k-1}(x) - U_k(x') + sqrt(2h) xi.sum/2 - h |sum|^2/4.
func (b *jarzynski) advanceLangevin(i int) {
	l, blk := &b.langevin[i], &b.blocks[i]
	d := b.ens.Dim
	sd := math.Sqrt(2 * b.h)
	l.err = nil
	for r := blk.lo; r < blk.hi; r += l.tile {
		top := min(r+l.tile, blk.hi)
		lo, hi := r*d, top*d
		x, g, t, xi := b.ens.X[lo:hi], b.g[lo:hi], l.t[:hi-lo], l.xi[:hi-lo]
		u, next := b.u[r:top], b.next[r:top]
		for range b.o.Steps {
			blk.stream.FillNormal(xi)
			vmath.Axpy(x, -b.h, g)
			vmath.Axpy(x, sd, xi)
			l.ev.EnergyGrad(next, t, x)
			vmath.Axpy(g, 1, t)
			for j := range next {
				sum := g[j*d : (j+1)*d]
				b.ens.LogW[r+j] += u[j] - next[j] + sd*vmath.Dot(xi[j*d:(j+1)*d], sum)/2 - b.h*vmath.Dot(sum, sum)/4
			}
			copy(g, t)
			copy(u, next)
		}
		for j := r; j < top; j++ {
			if a := b.ens.LogW[j]; !finite(a) {
				l.err = &ebmkit.DivergedError{Func: "train.Jarzynski", Walker: j, Value: a, Hint: "the value is a log-weight: take a smaller Step of mcmc.ULA, or lower the learning rate"}
				return
			}
		}
	}
}

// advance brings the walkers from the parameters of the last step to the present.
func (b *jarzynski) advance(rec *Record) error {
	if b.acc[0] == 0 {
		b.acc[0] = 1
		b.c.eval(b.u, b.g, b.ens.X)
		for i, u := range b.u {
			if !finite(u) {
				return &ebmkit.ArgError{Func: "train.Jarzynski", Arg: fmt.Sprintf("U at the start of walker %d", i), Value: u, Want: "a finite energy"}
			}
		}
		return nil
	}
	if b.step != nil {
		par.For(context.Background(), len(b.blocks), b.step)
		for i := range b.langevin {
			if b.langevin[i].err != nil {
				return b.langevin[i].err
			}
		}
		return nil
	}
	b.c.eval(b.next, nil, b.ens.X)
	for i := range b.u {
		a := b.ens.LogW[i] + b.u[i] - b.next[i]
		if math.IsInf(b.next[i], 1) {
			a = math.Inf(-1) // where the walker stands is forbidden now
		}
		b.ens.LogW[i] = a
	}
	if err := b.walkers.advance(rec); err != nil {
		return err
	}
	b.c.eval(b.u, nil, b.ens.X)
	return nil
}

func (b *jarzynski) Grad(dst, batch []float64, rec *Record) error {
	if err := b.advance(rec); err != nil {
		return err
	}
	logMean, ess := normalise(b.w, b.ens.LogW)
	n := float64(b.ens.N)
	rec.ESS = ess / n
	rec.LogZ = b.o.LogZ0 + b.acc[1] + logMean
	if !finite(rec.ESS) || !finite(rec.LogZ) {
		return &ebmkit.DivergedError{Func: "train.Jarzynski", Walker: -1, Value: rec.LogZ, Hint: "log Z is not finite, all walkers may have lost their weight: lower the learning rate"}
	}
	if rec.ESS < max(b.o.MinESS, 1.5/n) {
		return &ebmkit.DivergedError{Func: "train.Jarzynski", Walker: -1, Value: ess,
			Hint: fmt.Sprintf("the weights have collapsed: the value is the effective number of %d walkers. The parameters change faster than walkers follow: lower the learning rate, or take more Steps", b.ens.N)}
	}
	b.c.dataTerm(dst, batch, rec)
	b.c.addParamGrad(dst, b.minus(), b.ens.X)
	rec.WalkerEnergy = vmath.Dot(b.w, b.u)
	rec.Loss = rec.DataEnergy + rec.LogZ
	if rec.ESS < b.o.Resample {
		b.resample(logMean)
		rec.Resampled = true
	}
	return nil
}

// minus returns -w, in scratch.
func (b *jarzynski) minus() []float64 {
	for i, w := range b.w {
		b.next[i] = -w
	}
	return b.next
}

func (b *jarzynski) resample(logMean float64) {
	b.acc[1] += logMean
	vmath.Systematic(b.index, b.w, b.pick.Float64())
	d := b.ens.Dim
	gather := func(v []float64, d int) {
		old := b.x[:len(v)]
		copy(old, v)
		for i, from := range b.index {
			copy(v[i*d:(i+1)*d], old[from*d:(from+1)*d])
		}
	}
	gather(b.ens.X, d)
	gather(b.u, 1)
	if b.g != nil {
		gather(b.g, d)
	}
	clear(b.ens.LogW)
}

func (b *jarzynski) State() State {
	s := State{Identity: fmt.Sprintf("Jarzynski walkers %d kernel %T%+v steps %d resample %g min %g log Z0 %g", b.o.Walkers, b.o.Kernel, b.o.Kernel, b.o.Steps, b.o.Resample, b.o.MinESS, b.o.LogZ0),
		Arrays:  []NamedArray{{"walkers", b.ens.X}, {"log_w", b.ens.LogW}, {"energies", b.u}, {"account", b.acc}},
		Streams: append(b.streams(), b.pick)}
	if b.g != nil {
		s.Arrays = append(s.Arrays, NamedArray{"gradients", b.g})
	}
	return s
}

// Walkers returns the weighted walkers after the last step, sharing memory.
func (b *jarzynski) Walkers() *ebmkit.Ensemble { return b.ens }

// Follow leads independent walkers along a path of parameters that is fixed
// beforehand, such as Trainer.Path, and returns the estimates of log Z at each of
// its points, with the standard errors of the weights,
//
//	SE_k^2 = 1/ESS_k - 1/N.
//
// Nothing is resampled, so that walkers stay independent and E[exp(A)] = Z_k/Z_0
// holds exactly: that is the check of a training run, whose own walkers drive
// their parameters. Row k of path is theta_k; walkers start in equilibrium at
// theta_0, as Jarzynski says. The model's parameters are restored. Errors are
// those of Trainer.Step, and ctx.Err() if ctx ends.
func Follow(ctx context.Context, model ebmkit.Parametric, path *ebmkit.Ensemble, o Jarzynski, seed uint64) ([]ebmkit.Estimate, error) {
	const fn = "train.Follow"
	if model == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: nil, Want: "an energy with parameters"}
	}
	if err := checkPoints(fn, "path", path, model.NumParams()); err != nil {
		return nil, err
	}
	before := model.Params(nil)
	defer model.SetParams(before)
	if err := model.SetParams(path.Row(0)); err != nil {
		return nil, err
	}
	b, err := o.bind(Task{Model: model, Seed: seed})
	if err != nil {
		return nil, err
	}
	out := make([]ebmkit.Estimate, 0, path.N)
	for k := range path.N {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if err := model.SetParams(path.Row(k)); err != nil {
			return out, err
		}
		var rec Record
		if err := b.advance(&rec); err != nil {
			var d *ebmkit.DivergedError
			if errors.As(err, &d) {
				d.Step = k
			}
			return out, err
		}
		logMean, ess := normalise(b.w, b.ens.LogW)
		out = append(out, ebmkit.Estimate{Value: b.o.LogZ0 + logMean, SE: math.Sqrt(max(0, 1/ess-1/float64(b.ens.N)))})
	}
	return out, nil
}
