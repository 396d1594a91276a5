package flow

import (
	"context"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// maxShards bounds the number of partial sums of a parameter gradient.
const maxShards = 8

// loop runs f for all blocks of work, on all cores if it can.
func loop(blocks int, f func(int)) { par.For(context.Background(), blocks, f) }

// runner does one evaluation at a time on rows of any number. It is the flow's
// evaluator.
type runner struct {
	f    *Flow
	u1   [1]float64
	sums [][]float64 // a raw gradient of each shard
	us   []float64   // weighted energies of the rows

	// The loop that runs.
	rows, shards     int
	normal           bool
	xs, dst, u, w    []float64
	stages, lds      [][]float64
	evalBlock        func(b int)
	carryBlock       func(b int)
	shard            func(s int)
	reduce, setLayer func(layer int)
}

// bench is where a block of rows is worked on.
type bench struct {
	f              *Flow
	works          []work
	x, g           []float64
	ld, u, weights []float64
	base           ebmkit.Evaluator
}

func newBench(f *Flow) *bench {
	k := &bench{f: f, x: make([]float64, blockRows*f.dim), g: make([]float64, blockRows*f.dim),
		ld: make([]float64, blockRows), u: make([]float64, blockRows), weights: make([]float64, blockRows)}
	for _, l := range f.layers {
		k.works = append(k.works, l.newWork())
	}
	if f.base != nil {
		k.base = ebmkit.NewEvaluator(f.base)
	}
	return k
}

func newRunner(f *Flow) *runner {
	r := &runner{f: f}
	r.evalBlock = func(b int) {
		k := f.benches.take()
		lo, hi := r.block(b)
		u, grad := r.u, r.dst
		if u != nil {
			u = u[lo:hi]
		}
		if grad != nil {
			grad = grad[lo*f.dim : hi*f.dim]
		}
		k.energy(u, r.xs[lo*f.dim:hi*f.dim], grad != nil)
		if grad != nil {
			k.back(grad, nil, nil)
		}
		f.benches.give(k)
	}
	r.shard = func(s int) {
		k := f.benches.take()
		sum := r.sums[s]
		clear(sum)
		blocks := r.blocks()
		for b := s * blocks / r.shards; b < (s+1)*blocks/r.shards; b++ {
			lo, hi := r.block(b)
			var w []float64
			if r.w != nil {
				w = r.w[lo:hi]
			}
			us := r.us[lo:hi]
			k.energy(us, r.xs[lo*f.dim:hi*f.dim], true)
			k.back(nil, sum, w)
			for i := range w {
				us[i] *= w[i]
			}
		}
		f.benches.give(k)
	}
	r.reduce = func(i int) {
		lo, hi := f.raw[i], f.raw[i+1]
		sum := r.sums[0][lo:hi]
		for _, s := range r.sums[1:r.shards] {
			vmath.Axpy(sum, 1, s[lo:hi])
		}
		f.layers[i].chain(r.dst[f.at[i]:f.at[i+1]], sum)
	}
	r.setLayer = func(i int) { f.layers[i].set(f.theta[f.at[i]:f.at[i+1]]) }
	r.carryBlock = func(b int) {
		k := f.benches.take()
		lo, hi := r.block(b)
		d := f.dim
		x, ld := k.x[:(hi-lo)*d], k.ld[:hi-lo]
		copy(x, r.xs[lo*d:hi*d])
		clear(ld)
		for i := range k.works {
			if r.normal {
				k.works[i].normalise(x, ld, false)
			} else {
				k.works[len(k.works)-1-i].generate(x, ld)
			}
			if r.stages != nil {
				copy(r.stages[i+1][lo*d:], x)
			}
			if r.lds != nil {
				copy(r.lds[i][lo:], ld)
			}
		}
		copy(r.dst[lo*d:], x)
		if r.u != nil {
			copy(r.u[lo:], ld)
		}
		f.benches.give(k)
	}
	return r
}

func (r *runner) blocks() int { return (r.rows + blockRows - 1) / blockRows }

func (r *runner) block(b int) (lo, hi int) { return b * blockRows, min((b+1)*blockRows, r.rows) }

// EnergyGrad implements ebmkit.Evaluator.
func (r *runner) EnergyGrad(u, grad, xs []float64) {
	r.rows = ebmkit.CheckRows("flow: Evaluator.EnergyGrad", r.f.dim, u, grad, xs)
	if u == nil && grad == nil {
		return
	}
	r.xs, r.u, r.dst = xs, u, grad
	loop(r.blocks(), r.evalBlock)
	r.xs, r.u, r.dst = nil, nil, nil
}

func (r *runner) addParamGrad(dst, w, xs []float64) float64 {
	r.rows = len(xs) / r.f.dim
	r.shards = min(r.blocks(), maxShards)
	if r.shards == 0 {
		return 0
	}
	for len(r.sums) < r.shards {
		r.sums = append(r.sums, make([]float64, r.f.raw[len(r.f.layers)]))
	}
	if len(r.us) < r.rows {
		r.us = make([]float64, r.rows)
	}
	r.xs, r.w, r.dst = xs, w, dst
	loop(r.shards, r.shard)
	loop(len(r.f.layers), r.reduce)
	r.xs, r.w, r.dst = nil, nil, nil
	return vmath.Sum(r.us[:r.rows])
}

func (r *runner) carry(normal bool, dst, logDet, src []float64, stages, sums [][]float64) {
	r.rows = len(src) / r.f.dim
	r.normal, r.xs, r.dst, r.u, r.stages, r.lds = normal, src, dst, logDet, stages, sums
	loop(r.blocks(), r.carryBlock)
	r.xs, r.dst, r.u, r.stages, r.lds = nil, nil, nil, nil, nil
}

const halfLog2Pi = 0.9189385332046727

// energy writes the energies of the rows of xs into u, which may be nil if back
// follows, as keep tells.
func (k *bench) energy(u, xs []float64, keep bool) {
	d := k.f.dim
	n := len(xs) / d
	k.x, k.ld = k.x[:n*d], k.ld[:n]
	copy(k.x, xs)
	clear(k.ld)
	for _, w := range k.works {
		w.normalise(k.x, k.ld, keep)
	}
	k.g = k.g[:n*d]
	if k.base != nil {
		if u == nil {
			u = k.u[:n]
		}
		g := k.g
		if !keep {
			g = nil
		}
		k.base.EnergyGrad(u, g, k.x)
		shift := k.f.base.LogZ()
		for i, l := range k.ld {
			u[i] += shift - l
		}
		return
	}
	if keep {
		copy(k.g, k.x)
	}
	if u != nil {
		constant := float64(d) * halfLog2Pi
		for i, l := range k.ld {
			z := k.x[i*d : (i+1)*d]
			u[i] = vmath.Dot(z, z)/2 + constant - l
		}
	}
}

// back follows energy with the gradients: dU/dx into grad, and the raw gradient
// of sum_i w_i U(x_i) added to raw, w nil meaning ones. Only one of grad and raw
// is not nil.
func (k *bench) back(grad, raw, w []float64) {
	d, n := k.f.dim, len(k.ld)
	dld := k.weights[:n]
	for i := range dld {
		dld[i] = -1
		if w != nil {
			dld[i] = -w[i]
			for j := i * d; j < (i+1)*d; j++ {
				k.g[j] *= w[i]
			}
		}
	}
	for i := len(k.works) - 1; i >= 0; i-- {
		var sum []float64
		if raw != nil {
			sum = raw[k.f.raw[i]:k.f.raw[i+1]]
		}
		k.works[i].pull(sum, k.g, dld)
	}
	if grad != nil {
		copy(grad, k.g)
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

// finite reports whether x is.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
