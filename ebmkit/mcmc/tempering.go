package mcmc

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Tempering is parallel tempering, or replica exchange (Swendsen and Wang
// 1986): one replica per inverse temperature samples exp(-Beta_l U), and after
// every SwapEvery transitions neighbours exchange their states with probability
//
//	min(1, exp((Beta_l - Beta_{l+1}) (U(x_l) - U(x_{l+1})))),
//
// the pairs (0,1), (2,3), .. and (1,2), (3,4), .. by turns, which is not
// reversible and crosses the ladder faster than a random choice (Syed et al.
// 2021). It leaves the product of the tempered laws invariant.
//
// With Config.Adapt the step sizes of all levels are tuned during Burn, and so
// is the ladder: after 1/8, 1/4, 1/2 and all of Burn the inner Betas are moved
// to where all pairs have the same rate of refusal. Then both are frozen.
type Tempering struct {
	Method    Method    // kernel of every level; it must have a Metropolis test
	Betas     []float64 // 1 = Betas[0] > Betas[1] > .. > 0, at least two
	SwapEvery int       // transitions between exchanges; 0 means 1
}

// Ladder is the result of a tempering run.
type Ladder struct {
	Chain      *ebmkit.Chain // the draws at Beta = 1; walker w is ladder w
	Betas      []float64     // after adaptation
	Swap       []float64     // mean acceptance probability of the exchange of levels l and l+1, after Burn; NaN if it was never offered
	Accept     []float64     // mean acceptance probability of the kernel at each level, after Burn
	Steps      []float64     // step size at each level after adaptation, nil if the kernel has none
	RoundTrips int           // travels of a replica from Beta = 1 to the last Beta and back, after Burn, over all ladders
	Exchanges  int           // rounds of exchanges per ladder after Burn
}

// Barrier returns the communication barrier of the ladder, the sum over the
// pairs of their rate of refusal. It hardly depends on the number of levels:
// many levels with the same Barrier make a good ladder.
func (l *Ladder) Barrier() float64 {
	var b float64
	for _, a := range l.Swap {
		b += 1 - a
	}
	return b
}

// RoundTripRate returns the round trips per exchange round and ladder that the
// refusal rates r_l allow if the levels forget in between (Syed et al. 2021,
// corollary 2):
//
//	1 / (2 + 2 sum_l r_l / (1 - r_l)).
func (l *Ladder) RoundTripRate() float64 {
	var s float64
	for _, a := range l.Swap {
		s += (1 - a) / a
	}
	return 1 / (2 + 2*s)
}

// ladderRows is the number of ladders that one goroutine advances together and
// that share a stream.
const ladderRows = 16

// rungs is a block of ladders.
type rungs struct {
	lo, hi  int
	stream  *ebmkit.Stream
	levels  []rung
	replica [][]int  // replica[l][i]: which replica of ladder lo+i is at level l
	heading [][]int8 // heading[i][r]: +1 once replica r was at the top, -1 once it came from the bottom, 0 unknown
	unif    []float64

	swap       []float64 // sums of exchange probabilities
	swaps      []float64 // how many each sums
	accept     []float64 // sums of acceptance probabilities
	chainInfo  Info      // of level 0, after Burn
	chainProb  []float64
	roundTrips int
	err        error
}

// rung is one level of a block of ladders.
type rung struct {
	beta   float64
	kernel Kernel
	ens    *ebmkit.Ensemble
	dual   *dual
}

// bind makes the kernel for the rung's beta, with the step of the one before.
func (r *rung) bind(t *tempering, s *ebmkit.Stream) error {
	old := r.kernel
	var err error
	if r.kernel, err = t.m.Method.Bind(energy.Tempered{U: t.target, Beta: r.beta}, r.ens.N); err != nil {
		return err
	}
	if was, ok := old.(MassTuner); ok {
		r.kernel.(MassTuner).SetInvMass(was.InvMass())
	}
	if was, ok := old.(Tuner); ok {
		r.kernel.(Tuner).SetStep(was.Step())
	}
	return r.kernel.Start(r.ens, s)
}

// Run samples exp(-U)/Z by parallel tempering. Config.Walkers is the number of
// independent ladders; draws, burn and thin count transitions of the kernel.
// Its errors are those of the function Run; a ladder that is cut short has the
// draws made so far.
func (m Tempering) Run(ctx context.Context, target ebmkit.Energy, cfg Config) (*Ladder, error) {
	t, err := newTempering(target, m, cfg)
	if err != nil {
		return nil, err
	}
	return t.run(ctx)
}

type tempering struct {
	m      Tempering
	target ebmkit.Energy
	cfg    Config
	dim    int
	betas  []float64
	blocks []rungs
	chain  *ebmkit.Chain
	joins  []int // transitions at which the ladder is adapted
	step   int
	gather int // transition since which exchange rates are counted
}

func newTempering(target ebmkit.Energy, m Tempering, cfg Config) (*tempering, error) {
	const fn = "mcmc.Tempering"
	if m.SwapEvery == 0 {
		m.SwapEvery = 1
	}
	if m.SwapEvery < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "SwapEvery", Value: m.SwapEvery, Want: "at least 1"}
	}
	if len(m.Betas) < 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(Betas)", Value: len(m.Betas), Want: "at least 2"}
	}
	for l, b := range m.Betas {
		switch {
		case l == 0 && b != 1:
			return nil, &ebmkit.ArgError{Func: fn, Arg: "Betas[0]", Value: b, Want: "1"}
		case !(b > 0) || l > 0 && !(b < m.Betas[l-1]):
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Betas[%d]", l), Value: b, Want: "positive and below the one before"}
		}
	}
	if m.Method == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Method", Value: nil, Want: "a method with a Metropolis test, as in mcmc.RWM{Step: 1}"}
	}
	cfg, err := cfg.checked(fn, target)
	if err != nil {
		return nil, err
	}
	ens, err := start(fn, target, cfg)
	if err != nil {
		return nil, err
	}
	chain, err := newChain(fn, cfg, ens.Dim)
	if err != nil {
		return nil, err
	}
	chain.U = make([]float64, cfg.Draws*cfg.Walkers)
	t := &tempering{m: m, target: target, cfg: cfg, dim: ens.Dim, betas: slices.Clone(m.Betas), chain: chain}
	t.blocks = make([]rungs, (ens.N+ladderRows-1)/ladderRows)
	for i := range t.blocks {
		lo := i * ladderRows
		if err := t.blocks[i].start(t, ens.Slice(lo, min(lo+ladderRows, ens.N)), i); err != nil {
			return nil, err
		}
	}
	if cfg.Adapt {
		if cfg.Burn < 80*m.SwapEvery {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "Config.Burn", Value: cfg.Burn, Want: fmt.Sprintf("at least %d transitions to adapt in", 80*m.SwapEvery)}
		}
		for _, part := range []int{8, 4, 2, 1} {
			t.joins = append(t.joins, cfg.Burn/part)
		}
	} else if cfg.Burn > 0 {
		t.joins = []int{cfg.Burn}
	}
	return t, nil
}

// start makes block number i of the ladders whose replicas all start at x0.
func (b *rungs) start(t *tempering, x0 ebmkit.Ensemble, i int) error {
	n, levels := x0.N, len(t.betas)
	b.lo, b.hi = i*ladderRows, i*ladderRows+n
	b.stream = ebmkit.NewStream(t.cfg.Seed, "tempering", i)
	b.levels, b.unif = make([]rung, levels), make([]float64, n)
	b.swap, b.swaps, b.accept = make([]float64, levels-1), make([]float64, levels-1), make([]float64, levels)
	b.chainProb = make([]float64, n)
	b.replica, b.heading = make([][]int, levels), make([][]int8, n)
	for j := range n {
		b.heading[j] = make([]int8, levels)
	}
	for l := range b.levels {
		r := &b.levels[l]
		b.replica[l] = slices.Repeat([]int{l}, n)
		r.beta, r.ens = t.betas[l], x0.Clone()
		if err := r.bind(t, b.stream); err != nil {
			return atWalker(err, b.lo, 0)
		}
		if r.ens.U == nil {
			return &ebmkit.ArgError{Func: "mcmc.Tempering", Arg: "Method", Value: ebmkit.TypeName(t.m.Method),
				Want: "a method with a Metropolis test"}
		}
		if tuner, ok := r.kernel.(Tuner); ok && t.cfg.Adapt {
			r.dual = newDual(tuner.Step(), tuner.Optimum())
		}
	}
	return nil
}

func (t *tempering) run(ctx context.Context) (*Ladder, error) {
	total := t.cfg.Burn + t.cfg.Draws*t.cfg.Thin
	for t.step < total {
		if err := ctx.Err(); err != nil {
			return t.ladder(), err
		}
		next := min(total, t.step+ladderSegment)
		for _, j := range t.joins {
			if j > t.step {
				next = min(next, j)
			}
		}
		// Not ctx: all blocks go to next, so that what they count is of the same steps.
		par.For(context.Background(), len(t.blocks), func(i int) { t.blocks[i].advance(t, next) })
		for i := range t.blocks {
			if err := t.blocks[i].err; err != nil {
				return t.ladder(), err
			}
		}
		t.step = next
		if slices.Contains(t.joins, t.step) {
			if err := t.join(); err != nil {
				return t.ladder(), err
			}
		}
		if t.cfg.Progress != nil {
			t.cfg.Progress(t.step, total)
		}
	}
	return t.ladder(), nil
}

// ladderSegment is the number of transitions between two looks at the context.
// It does not change any number.
const ladderSegment = 32

func (b *rungs) advance(t *tempering, next int) {
	cfg := &t.cfg
	for step := t.step; step < next; step++ {
		for l := range b.levels {
			r := &b.levels[l]
			info, err := r.kernel.Advance(r.ens, b.stream)
			if err != nil {
				b.err = atWalker(err, b.lo, step)
				return
			}
			a := 1.0 // kernels that always move
			if info.Prob != nil {
				a = vmath.Sum(info.Prob) / float64(len(info.Prob))
			}
			b.accept[l] += a
			if r.dual != nil && step < cfg.Burn {
				r.dual.update(a)
				r.kernel.(Tuner).SetStep(r.dual.step)
			}
			if step >= cfg.Burn {
				b.chainInfo.Evals += info.Evals
				if l == 0 {
					b.chainInfo.Divergent += info.Divergent
					b.chainInfo.NonFinite += info.NonFinite
					b.chainInfo.TreeLimit += info.TreeLimit
					if info.Prob != nil {
						vmath.Axpy(b.chainProb, 1, info.Prob)
					}
				}
			}
		}
		if (step+1)%t.m.SwapEvery == 0 {
			b.exchange((step + 1) / t.m.SwapEvery % 2)
		}
		if kept := step + 1 - cfg.Burn; kept > 0 && kept%cfg.Thin == 0 {
			at := (kept/cfg.Thin-1)*cfg.Walkers + b.lo
			copy(t.chain.X[at*t.dim:], b.levels[0].ens.X)
			copy(t.chain.U[at:], b.levels[0].ens.U)
		}
	}
}

// exchange offers the exchange of levels first and first+1, first+2 and
// first+3, and so on, in every ladder of the block.
func (b *rungs) exchange(first int) {
	for l := first; l+1 < len(b.levels); l += 2 {
		lo, hi := &b.levels[l], &b.levels[l+1]
		bLo, bHi := lo.beta, hi.beta
		b.stream.FillUniform(b.unif)
		for i := range b.unif {
			uLo, uHi := lo.ens.U[i]/bLo, hi.ens.U[i]/bHi // the ensembles hold Beta U
			a := exchangeProb(bLo, bHi, uLo, uHi)
			b.swap[l] += a
			b.swaps[l]++
			if b.unif[i] >= a {
				continue
			}
			lo.ens.U[i], hi.ens.U[i] = bLo*uHi, bHi*uLo
			exchangeRows(lo.ens.Row(i), hi.ens.Row(i), 1)
			if d := lo.ens.Dim; lo.ens.Grad != nil {
				exchangeRows(lo.ens.Grad[i*d:(i+1)*d], hi.ens.Grad[i*d:(i+1)*d], bLo/bHi)
			}
			b.replica[l][i], b.replica[l+1][i] = b.replica[l+1][i], b.replica[l][i]
		}
	}
	last := len(b.levels) - 1
	for i, h := range b.heading {
		if r := b.replica[0][i]; h[r] != 1 {
			if h[r] == -1 {
				b.roundTrips++
			}
			h[r] = 1
		}
		if r := b.replica[last][i]; h[r] == 1 {
			h[r] = -1
		}
	}
}

// exchangeProb returns the probability of exchanging the states at the inverse
// temperatures a and b, where U is ua and ub.
func exchangeProb(a, b, ua, ub float64) float64 { return acceptance((a - b) * (ua - ub)) }

// exchangeRows sets x, y to ratio y, x/ratio.
func exchangeRows(x, y []float64, ratio float64) {
	for j := range x {
		x[j], y[j] = ratio*y[j], x[j]/ratio
	}
}

// join pools what the blocks counted, moves the ladder and starts the counts
// again. At the end of Burn it freezes steps and ladder.
func (t *tempering) join() error {
	if t.cfg.Adapt {
		t.betas = equalRefusal(t.betas, t.swapRates())
	}
	for l := range t.betas {
		var logStep float64
		for i := range t.blocks {
			if d := t.blocks[i].levels[l].dual; d != nil {
				logStep += d.logBar
			}
		}
		for i := range t.blocks {
			b := &t.blocks[i]
			r := &b.levels[l]
			if r.dual != nil && t.step == t.cfg.Burn {
				r.kernel.(Tuner).SetStep(vmath.Exp(logStep / float64(len(t.blocks))))
			}
			r.beta = t.betas[l]
			if err := r.bind(t, b.stream); err != nil {
				return atWalker(err, b.lo, t.step)
			}
		}
	}
	for i := range t.blocks {
		b := &t.blocks[i]
		clear(b.swap)
		clear(b.swaps)
		clear(b.accept)
		b.roundTrips = 0
		for _, h := range b.heading {
			clear(h)
		}
	}
	t.gather = t.step
	return nil
}

// swapRates returns the mean acceptance probability of each pair, NaN for one
// that has not been offered an exchange.
func (t *tempering) swapRates() []float64 {
	out := make([]float64, len(t.betas)-1)
	for l := range out {
		var s, n float64
		for i := range t.blocks {
			s += t.blocks[i].swap[l]
			n += t.blocks[i].swaps[l]
		}
		out[l] = s / n
	}
	return out
}

// equalRefusal returns the ladder with the same ends whose pairs share the sum
// of the rates of refusal equally, by linear interpolation of the cumulative
// rate in log Beta.
func equalRefusal(betas, swap []float64) []float64 {
	n := len(swap)
	cum := make([]float64, n+1)
	for l, a := range swap {
		cum[l+1] = cum[l] + math.Max(1-a, 1e-3)
	}
	out := slices.Clone(betas)
	k := 0
	for l := 1; l < n; l++ {
		want := cum[n] * float64(l) / float64(n)
		for cum[k+1] < want {
			k++
		}
		w := (want - cum[k]) / (cum[k+1] - cum[k])
		out[l] = vmath.Exp((1-w)*vmath.Log(betas[k]) + w*vmath.Log(betas[k+1]))
	}
	return out
}

// ladder returns the result up to the last joint step.
func (t *tempering) ladder() *Ladder {
	c := *t.chain
	after := t.step - t.cfg.Burn
	c.Draws = max(0, after/t.cfg.Thin)
	c.X, c.U = c.X[:c.Draws*c.Walkers*c.Dim], c.U[:c.Draws*c.Walkers]
	l := &Ladder{Chain: &c, Betas: slices.Clone(t.betas), Swap: t.swapRates(), Accept: make([]float64, len(t.betas))}
	if after > 0 {
		c.Accept = make([]float64, c.Walkers)
		l.Exchanges = t.step/t.m.SwapEvery - t.cfg.Burn/t.m.SwapEvery
	}
	for i := range t.blocks {
		b := &t.blocks[i]
		c.Divergent += b.chainInfo.Divergent
		c.NonFinite += b.chainInfo.NonFinite
		c.TreeLimit += b.chainInfo.TreeLimit
		c.Evals += b.chainInfo.Evals
		l.RoundTrips += b.roundTrips
		for j, p := range b.chainProb {
			if after > 0 {
				c.Accept[b.lo+j] = p / float64(after)
			}
		}
		for k, a := range b.accept {
			if n := t.step - t.gather; n > 0 {
				l.Accept[k] += a / float64(n) / float64(len(t.blocks))
			}
		}
	}
	for k := range t.betas {
		if s, ok := t.blocks[0].levels[k].kernel.(Tuner); ok {
			l.Steps = append(l.Steps, s.Step())
		}
	}
	if l.Steps != nil {
		c.Step = l.Steps[0]
	}
	return l
}
