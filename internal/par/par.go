// Package par runs the blocks of a loop on all cores.
//
// The workers are started once. After a loop they spin for some 20 us, so that
// the next loop of a sampler or of a training step finds them awake, and then
// park: an idle program costs nothing. A loop that is started while another
// runs, from a block or from another goroutine, runs on its caller alone.
package par

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/ebmkit/hitchhiker/internal/cpu"
)

// For calls f(0), ..., f(blocks-1), each once, on up to GOMAXPROCS goroutines,
// and returns when all are done. Which goroutine runs a block, and when, is not
// fixed: f must write only what belongs to its block.
//
// When ctx ends, no further block is started and For returns ctx.Err(); it
// returns nil if every block ran. A panic of f stops the loop in the same way
// and reaches the caller of For with its value, once no block runs any more. f
// must not end its goroutine. For itself allocates nothing; pass the same f
// again, since making a closure does.
func For(ctx context.Context, blocks int, f func(block int)) error {
	workers := min(runtime.GOMAXPROCS(0), runtime.NumCPU(), blocks) - 1
	if workers < 1 || !shared.mu.TryLock() {
		for b := range blocks {
			if err := ctx.Err(); err != nil {
				return err
			}
			f(b)
		}
		return nil
	}
	defer shared.mu.Unlock()
	return shared.run(ctx, blocks, f, workers)
}

// spins is how often a waiting goroutine looks before it parks; with the pause
// between two looks about 20 us.
const spins = 1200

var shared = pool{done: make(chan struct{}, 1)}

type pool struct {
	mu      sync.Mutex
	workers []*worker

	// The loop that runs.
	ctx    context.Context
	blocks int64
	f      func(int)
	next   atomic.Int64 // the first block not yet taken

	pending atomic.Int32 // workers invited and not yet back
	waiting atomic.Bool  // the caller is parked on done
	done    chan struct{}

	failed   sync.Mutex
	err      error
	panicked bool
	value    any
}

type worker struct {
	state atomic.Int32
	wake  chan struct{}
	_     [64]byte // states are not to share a cache line
}

const (
	idle = iota
	invited
	parked
)

func (p *pool) run(ctx context.Context, blocks int, f func(int), workers int) error {
	for len(p.workers) < workers {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go p.serve(w)
	}
	p.ctx, p.blocks, p.f = ctx, int64(blocks), f
	p.err, p.panicked, p.value = nil, false, nil
	p.next.Store(0)
	p.pending.Store(int32(workers))
	for _, w := range p.workers[:workers] {
		if w.state.Swap(invited) == parked {
			w.wake <- struct{}{}
		}
	}
	p.work()
	// Who has not come by now is not needed.
	for _, w := range p.workers[:workers] {
		if w.state.CompareAndSwap(invited, idle) {
			p.pending.Add(-1)
		}
	}
	p.join()
	p.ctx, p.f = nil, nil
	if p.panicked {
		v := p.value
		p.value = nil
		panic(v)
	}
	return p.err
}

// join waits until no worker is at work.
func (p *pool) join() {
	for range spins {
		if p.pending.Load() == 0 {
			return
		}
		cpu.Pause()
	}
	p.waiting.Store(true)
	if p.pending.Load() == 0 && p.waiting.CompareAndSwap(true, false) {
		return
	}
	<-p.done
}

// serve is the life of a worker.
func (p *pool) serve(w *worker) {
	for {
		for n := 0; !w.state.CompareAndSwap(invited, idle); n++ {
			cpu.Pause()
			if n >= spins && w.state.CompareAndSwap(idle, parked) {
				<-w.wake
				n = 0
			}
		}
		p.work()
		if p.pending.Add(-1) == 0 && p.waiting.CompareAndSwap(true, false) {
			p.done <- struct{}{}
		}
	}
}

// work takes blocks until there are none.
func (p *pool) work() {
	defer func() {
		if v := recover(); v != nil {
			p.stop(func() { p.panicked, p.value = true, v })
		}
	}()
	for {
		b := p.next.Add(1) - 1
		if b >= p.blocks {
			return
		}
		if err := p.ctx.Err(); err != nil {
			p.stop(func() { p.err = err })
			return
		}
		p.f(int(b))
	}
}

// stop ends the loop; the first reason counts.
func (p *pool) stop(reason func()) {
	p.failed.Lock()
	defer p.failed.Unlock()
	p.next.Store(p.blocks)
	if p.err == nil && !p.panicked {
		reason()
	}
}
