package nn

import (
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Energy is a network as an energy,
//
//	U_theta(x) = y_theta(x) + |x|^2/(2 s^2),   y the only output of an MLP.
//
// The second term, the confinement of scale s, makes exp(-U) normalisable where
// y grows slower than it falls, as that of a SiLU network may: such a network is
// linear far out and may fall in some direction. The confinement has no
// parameter and is added in float64.
//
// With a Float32 network an x beyond the range of float32, 3e38, gives NaN.
//
// An Energy is safe for concurrent use, SetParams excepted.
type Energy struct {
	net     *MLP
	confine float64 // s; 0 without
	curb    float64 // 1/s^2
	work    pool[energyWork]
}

var (
	_ ebmkit.Differentiable  = (*Energy)(nil)
	_ ebmkit.Batched         = (*Energy)(nil)
	_ ebmkit.ScoreParametric = (*Energy)(nil)
)

// NewEnergy returns the energy of net with a confinement of the given scale; 0
// and +Inf mean none. The energy uses net itself: SetParams of either is seen by
// both. It returns *ebmkit.ArgError if net is nil or has not one output, or if
// confine is negative, NaN or so small that its square is 0.
func NewEnergy(net *MLP, confine float64) (*Energy, error) {
	const fn = "nn.NewEnergy"
	if net == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "net", Value: nil, Want: "a network"}
	}
	if net.Out() != 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "net.Out()", Value: net.Out(), Want: "1, an energy being one number"}
	}
	e := &Energy{net: net}
	if confine != 0 && !math.IsInf(confine, 1) {
		e.confine, e.curb = confine, 1/(confine*confine)
		if !(confine > 0) || math.IsInf(e.curb, 1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "confine", Value: confine, Want: "a positive scale, or 0 for none"}
		}
	}
	e.work.make = func() *energyWork { return newEnergyWork(e) }
	return e, nil
}

// Net returns the network.
func (e *Energy) Net() *MLP { return e.net }

// Confine returns the scale of the confinement, 0 without.
func (e *Energy) Confine() float64 { return e.confine }

// Dim returns the width of the network's input.
func (e *Energy) Dim() int { return e.net.In() }

// Energy returns U(x). It panics if len(x) != Dim().
func (e *Energy) Energy(x []float64) float64 { return e.one(nil, x) }

// EnergyGrad writes dU/dx into grad and returns U(x). It panics on a wrong
// length.
func (e *Energy) EnergyGrad(grad, x []float64) float64 {
	if len(grad) != e.Dim() {
		panic("nn: Energy.EnergyGrad: len(grad) != Dim")
	}
	return e.one(grad, x)
}

func (e *Energy) one(grad, x []float64) float64 {
	if len(x) != e.Dim() {
		panic("nn: Energy: len(x) != Dim")
	}
	w := e.work.take()
	defer e.work.give(w)
	w.EnergyGrad(w.u[:], grad, x)
	return w.u[0]
}

// NewEvaluator returns an evaluator for many rows.
func (e *Energy) NewEvaluator() ebmkit.Evaluator { return newEnergyWork(e) }

// NumParams returns the number of parameters of the network.
func (e *Energy) NumParams() int { return e.net.NumParams() }

// Params is MLP.Params of the network.
func (e *Energy) Params(dst []float64) []float64 { return e.net.Params(dst) }

// SetParams is MLP.SetParams of the network.
func (e *Energy) SetParams(theta []float64) error { return e.net.SetParams(theta) }

// AddParamGrad accumulates sum_i w_i dU/dtheta (x_i) into dst; w nil means all
// ones. It panics on a wrong length.
func (e *Energy) AddParamGrad(dst, w, xs []float64) {
	wantLen(len(dst), e.NumParams(), "dst")
	n := countRows(len(xs), e.Dim(), "xs")
	if w != nil {
		wantLen(len(w), n, "w")
	}
	k := e.work.take()
	defer e.work.give(k)
	k.w = w
	k.pass.Grad(dst, nil, xs, k.weight)
	k.w = nil
}

// AddScoreParamGrad accumulates sum_i d/dtheta [v_i . grad U(x_i)] into dst. It
// panics on a wrong length.
func (e *Energy) AddScoreParamGrad(dst, v, xs []float64) { e.addJetGrad(1, dst, v, xs) }

// AddCurvParamGrad accumulates sum_i d/dtheta [v_i' (Hess U)(x_i) v_i] into
// dst; 0 for a ReLU network. It panics on a wrong length.
func (e *Energy) AddCurvParamGrad(dst, v, xs []float64) { e.addJetGrad(2, dst, v, xs) }

func (e *Energy) addJetGrad(order int, dst, v, xs []float64) {
	wantLen(len(dst), e.NumParams(), "dst")
	k := e.work.take()
	defer e.work.give(k)
	k.pass.run.jet(order, dst, xs, v, k.top[order-1])
}

// Along writes the first and the second derivative of U at every row of xs in
// the direction of the row of v,
//
//	du_i = v_i . grad U(x_i),   ddu_i = v_i' (Hess U)(x_i) v_i.
//
// ddu, the dearer of the two, may be nil. It panics on a wrong length.
func (e *Energy) Along(du, ddu, v, xs []float64) {
	n := countRows(len(xs), e.Dim(), "xs")
	wantLen(len(du), n, "du")
	order := 1
	if ddu != nil {
		wantLen(len(ddu), n, "ddu")
		order = 2
	}
	k := e.work.take()
	defer e.work.give(k)
	k.du, k.ddu, k.v, k.xs = du, ddu, v, xs
	k.pass.run.jet(order, nil, xs, v, k.along)
	k.du, k.ddu, k.v, k.xs = nil, nil, nil, nil
}

// energyWork is an evaluator, and the scratch of the other methods.
type energyWork struct {
	e    *Energy
	pass *Pass[float64]
	u    [1]float64

	weight func(dy, y []float64, lo int) // cotangents w, outputs into out
	w, out []float64

	top            [2]func(j *jet[float64], lo int) // cotangent 1 of the highest order
	along          func(j *jet[float64], lo int)
	du, ddu, v, xs []float64
}

func newEnergyWork(e *Energy) *energyWork {
	k := &energyWork{e: e, pass: e.net.NewPass()}
	k.weight = func(dy, y []float64, lo int) {
		if k.out != nil {
			copy(k.out[lo:], y)
		}
		if k.w != nil {
			copy(dy, k.w[lo:])
			return
		}
		for i := range dy {
			dy[i] = 1
		}
	}
	for i := range k.top {
		k.top[i] = func(j *jet[float64], lo int) {
			for r := range j.rows {
				j.c[i+1][r] = 1
			}
		}
	}
	k.along = func(j *jet[float64], lo int) {
		d := e.Dim()
		for r := range j.rows {
			x, v := k.xs[(lo+r)*d:(lo+r+1)*d], k.v[(lo+r)*d:(lo+r+1)*d]
			var xv, vv float64
			if e.curb != 0 {
				for q := range x {
					xv += x[q] * v[q]
					vv += v[q] * v[q]
				}
			}
			k.du[lo+r] = j.y[1][r] + e.curb*xv
			if k.ddu != nil {
				k.ddu[lo+r] = j.y[2][r] + e.curb*vv
			}
		}
	}
	return k
}

// EnergyGrad implements ebmkit.Evaluator.
func (k *energyWork) EnergyGrad(u, grad, xs []float64) {
	n := ebmkit.CheckRows("nn: Evaluator.EnergyGrad", k.e.Dim(), u, grad, xs)
	k.out = u
	k.pass.Grad(nil, grad, xs, k.weight)
	k.out = nil
	if k.e.curb == 0 {
		return
	}
	d := k.e.Dim()
	for i := range n {
		var r2 float64
		for j, v := range xs[i*d : (i+1)*d] {
			r2 += v * v
			if grad != nil {
				grad[i*d+j] += k.e.curb * v
			}
		}
		if u != nil {
			u[i] += k.e.curb * r2 / 2
		}
	}
}

// pool lends scratch to methods that any number of goroutines may call.
type pool[T any] struct {
	mu   sync.Mutex
	free []*T
	make func() *T
}

func (p *pool[T]) take() *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		t := p.free[n-1]
		p.free = p.free[:n-1]
		return t
	}
	return p.make()
}

func (p *pool[T]) give(t *T) {
	p.mu.Lock()
	p.free = append(p.free, t)
	p.mu.Unlock()
}
