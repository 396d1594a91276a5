package mcmc

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// NUTS is the no-U-turn sampler: HMC that follows a trajectory forwards and
// backwards in time, doubling it until it turns back, and draws the next state
// from it with probability proportional to exp(-H) (Hoffman and Gelman 2014;
// multinomial weights and the generalised criterion of Betancourt 2017, checked
// also across the seam of each doubling, as Stan does).
//
// Config.Adapt tunes Step to a mean acceptance statistic of 0.8 and the masses
// to the target's variances, then freezes both. Without it the parameters are
// used as they are.
type NUTS struct {
	Step     float64   // leapfrog step; 0 means found by doubling or halving until one step is accepted with probability near 0.8
	MaxDepth int       // at most 2^MaxDepth - 1 leapfrog steps a transition; 0 means 10
	InvMass  []float64 // diagonal of M^-1; nil means ones
}

// BlockRows returns 1: walkers follow trees of different depth, so each has a
// block of its own.
func (m NUTS) BlockRows() int { return 1 }

// Bind implements Method.
func (m NUTS) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	const fn = "mcmc.NUTS"
	if m.Step != 0 {
		if err := positive(fn, "Step", m.Step); err != nil {
			return nil, err
		}
	}
	depth := m.MaxDepth
	if depth == 0 {
		depth = 10
	}
	if depth < 1 || depth > 30 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "MaxDepth", Value: m.MaxDepth, Want: "1 to 30, or 0 for 10"}
	}
	if _, err := ebmkit.Gradient(fn, "target", target); err != nil {
		return nil, err
	}
	d := target.Dim()
	if err := wantInvMass(fn, m.InvMass, d); err != nil {
		return nil, err
	}
	k := &nuts{h: m.Step, ev: ebmkit.NewEvaluator(target), dim: d, mass: newMass(d, 1),
		grown: newSubtree(d), sub: make([]subtree, depth), rho: make([]float64, d), mid: make([]float64, d),
		best: newPoint(d), prob: make([]float64, rows), h0: make([]float64, rows)}
	for i := range k.sub {
		k.sub[i] = newSubtree(d)
	}
	for i := range k.end {
		k.end[i] = newPoint(d)
	}
	k.coin = func(p float64) bool { return k.s.Float64() < p }
	if m.InvMass != nil {
		k.mass.set(m.InvMass)
	}
	return k, nil
}

// point is a state of the Hamiltonian flow.
type point struct {
	x, v, grad []float64
	u          [1]float64
}

func newPoint(d int) point {
	return point{x: make([]float64, d), v: make([]float64, d), grad: make([]float64, d)}
}

func (p *point) set(q *point) {
	copy(p.x, q.x)
	copy(p.v, q.v)
	copy(p.grad, q.grad)
	p.u = q.u
}

// subtree is a stretch of trajectory that was built in one direction.
type subtree struct {
	first, last []float64 // momenta at its first and last state in the order of building
	rho         []float64 // sum of its momenta
	logW        float64   // log of the sum of exp(H0 - H)
	pick        point     // a state drawn with probability proportional to exp(-H)
}

func newSubtree(d int) subtree {
	return subtree{first: make([]float64, d), last: make([]float64, d), rho: make([]float64, d), pick: newPoint(d)}
}

type nuts struct {
	h    float64
	ev   ebmkit.Evaluator
	dim  int
	mass mass
	s    *ebmkit.Stream
	coin func(p float64) bool // true with probability p

	end      [2]point // the ends of the trajectory, backwards and forwards
	best     point    // the state drawn so far
	rho, mid []float64
	grown    subtree   // what the last doubling added
	sub      []subtree // sub[j]: second half of a subtree of depth j+1

	// of the transition under way
	start    float64 // H at its start
	accept   float64 // sum of min(1, exp(H0 - H)) over the states visited
	steps    int     // leapfrog steps taken
	info     Info
	prob, h0 []float64
}

func (k *nuts) Start(block *ebmkit.Ensemble, s *ebmkit.Stream) error {
	keepEnergy(k.ev, block, true)
	if k.h == 0 {
		k.h = 1
		k.findStep(block, s)
	}
	return nil
}

func (k *nuts) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	k.s, k.info = s, Info{Prob: k.prob[:block.N], H: k.h0[:block.N]}
	d := k.dim
	for i := range block.N {
		k.load(block, i)
		s.FillNormal(k.end[0].v)
		k.transition()
		k.prob[i], k.h0[i] = k.accept/float64(k.steps), k.start
		copy(block.X[i*d:(i+1)*d], k.best.x)
		copy(block.Grad[i*d:(i+1)*d], k.best.grad)
		block.U[i] = k.best.u[0]
		k.info.Evals += k.steps
	}
	return k.info, nil
}

// load makes row i of the block the one state of the trajectory.
func (k *nuts) load(block *ebmkit.Ensemble, i int) {
	d, e := k.dim, &k.end[0]
	copy(e.x, block.X[i*d:(i+1)*d])
	copy(e.grad, block.Grad[i*d:(i+1)*d])
	e.u[0] = block.U[i]
}

// transition moves end[0], which has a fresh momentum, to best.
func (k *nuts) transition() {
	k.end[1].set(&k.end[0])
	k.best.set(&k.end[0])
	copy(k.rho, k.end[0].v)
	k.start = k.end[0].u[0] + kinetic(k.end[0].v)
	k.accept, k.steps = 0, 0
	logW := 0.0
	for depth := range k.sub {
		dir := 0
		if k.coin(0.5) {
			dir = 1
		}
		// The near end moves while the subtree is built; keep its momentum.
		near, far := k.sub[depth].last, k.end[1-dir].v
		copy(near, k.end[dir].v)
		t := &k.grown
		if !k.build(depth, dir, t) {
			return
		}
		if k.coin(acceptance(t.logW - logW)) {
			k.best, t.pick = t.pick, k.best
		}
		logW = logAddExp(logW, t.logW)
		if k.turned(far, near, k.rho, t.first, t.last, t.rho) {
			return
		}
		vmath.Axpy(k.rho, 1, t.rho)
	}
	k.info.TreeLimit++
}

// build adds 2^depth states after end[dir] and describes them in t. It returns
// false if a part of them turned back or diverged: then they must not be used.
func (k *nuts) build(depth, dir int, t *subtree) bool {
	if depth == 0 {
		return k.leap(dir, t)
	}
	if !k.build(depth-1, dir, t) {
		return false
	}
	u := &k.sub[depth-1]
	if !k.build(depth-1, dir, u) {
		return false
	}
	logW := logAddExp(t.logW, u.logW)
	if k.coin(acceptance(u.logW - logW)) {
		t.pick, u.pick = u.pick, t.pick
	}
	turned := k.turned(t.first, t.last, t.rho, u.first, u.last, u.rho)
	vmath.Axpy(t.rho, 1, u.rho)
	t.last, u.last = u.last, t.last
	t.logW = logW
	return !turned
}

// leap takes one leapfrog step from end[dir] and makes t of the new state.
func (k *nuts) leap(dir int, t *subtree) bool {
	e, h := &k.end[dir], k.h
	if dir == 0 {
		h = -h
	}
	k.move(e, h)
	k.steps++
	gap := k.start - (e.u[0] + kinetic(e.v)) // H0 - H
	if gap-gap != 0 {
		k.info.NonFinite++
		return false
	}
	k.accept += acceptance(gap)
	if gap < -maxEnergyError {
		k.info.Divergent++
		return false
	}
	t.logW = gap
	t.pick.set(e)
	copy(t.first, e.v)
	copy(t.last, e.v)
	copy(t.rho, e.v)
	return true
}

// move takes one leapfrog step of length h.
func (k *nuts) move(e *point, h float64) {
	k.mass.addScaled(e.v, -h/2, e.grad)
	k.mass.addScaled(e.x, h, e.v)
	k.ev.EnergyGrad(e.u[:], e.grad, e.x)
	k.mass.addScaled(e.v, -h/2, e.grad)
}

// turned reports whether a trajectory of two halves, far..near and first..last
// with momentum sums a and b, turns back as a whole, from its far end to the
// first state of the second half, or from the near end to the last state.
func (k *nuts) turned(far, near, a, first, last, b []float64) bool {
	m := k.mid
	copy(m, a)
	vmath.Axpy(m, 1, b)
	if vmath.Dot(far, m) <= 0 || vmath.Dot(last, m) <= 0 {
		return true
	}
	copy(m, a)
	vmath.Axpy(m, 1, first)
	if vmath.Dot(far, m) <= 0 || vmath.Dot(first, m) <= 0 {
		return true
	}
	copy(m, b)
	vmath.Axpy(m, 1, near)
	return vmath.Dot(near, m) <= 0 || vmath.Dot(last, m) <= 0
}

// findStep doubles or halves the step until the acceptance probability of one
// leapfrog step crosses 0.8, from row 0 of the block.
func (k *nuts) findStep(block *ebmkit.Ensemble, s *ebmkit.Stream) {
	logTarget := vmath.Log(0.8)
	grow := 0.0
	for range 100 {
		k.load(block, 0)
		e := &k.end[0]
		s.FillNormal(e.v)
		start := e.u[0] + kinetic(e.v)
		k.move(e, k.h)
		gap := start - (e.u[0] + kinetic(e.v))
		up := gap > logTarget // false for NaN
		switch {
		case grow == 0 && up:
			grow = 2
		case grow == 0:
			grow = 0.5
		case up != (grow == 2):
			return
		}
		k.h *= grow
	}
}

// logAddExp returns log(exp(a) + exp(b)) for finite a and b.
func logAddExp(a, b float64) float64 {
	return math.Max(a, b) + vmath.Log1p(vmath.Exp(-math.Abs(a-b)))
}

func (k *nuts) Step() float64          { return k.h }
func (k *nuts) SetStep(h float64)      { k.h = h }
func (k *nuts) Optimum() float64       { return 0.8 }
func (k *nuts) InvMass() []float64     { return k.mass.inv }
func (k *nuts) SetInvMass(v []float64) { k.mass.set(v) }
