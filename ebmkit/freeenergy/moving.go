package freeenergy

import (
	"math"
	"reflect"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
)

// moving is the energy of one block of walkers, which follows a path. A kernel
// is bound to it once; after every change of lambda it is started again. It
// counts the rows evaluated.
type moving struct {
	dim   int
	at    func(lambda float64) ebmkit.Energy
	now   ebmkit.Energy
	evals int
	ev    ebmkit.Evaluator // of this block, for the work

	between  *interpolation // of a geometric path, else nil
	ev0, ev1 ebmkit.Evaluator
	lambda   float64
	u0, u1   []float64
}

// sweeping is a moving energy whose conditionals can be drawn from.
type sweeping struct{ *moving }

func (m sweeping) Sweep(x []float64, s *ebmkit.Stream) {
	m.evals++
	m.now.(mcmc.Sweeper).Sweep(x, s)
}

// follow starts at lambda with blocks of up to rows walkers.
func follow(p Path, lambda float64, rows int) (*moving, error) {
	m := &moving{u0: make([]float64, rows), u1: make([]float64, rows)}
	if g, ok := p.(Geometric); ok {
		between, err := g.interpolation()
		if err != nil {
			return nil, err
		}
		m.between, m.at = between, between.at
		m.ev0, m.ev1 = ebmkit.NewEvaluator(g.From), ebmkit.NewEvaluator(g.To)
	} else {
		at, err := p.Walk()
		if err != nil {
			return nil, err
		}
		m.at = at
	}
	m.dim = p.Dim()
	m.ev = m.NewEvaluator()
	m.to(lambda)
	return m, nil
}

func (m *moving) to(lambda float64) { m.now, m.lambda = m.at(lambda), lambda }

// target returns what a kernel is bound to.
func (m *moving) target() ebmkit.Energy {
	if _, ok := m.now.(mcmc.Sweeper); ok && m.between == nil {
		return sweeping{m}
	}
	return m
}

// change moves on to lambda and adds U_before(x) - U_after(x) to the log-weight
// of every row. Rows of weight zero stay so.
func (m *moving) change(logW []float64, lambda float64, xs []float64) {
	n := len(logW)
	before, after := m.u0[:n], m.u1[:n]
	if m.between != nil {
		old := m.lambda
		m.to(lambda)
		m.ev0.EnergyGrad(before, nil, xs)
		m.ev1.EnergyGrad(after, nil, xs)
		m.evals += 2 * n
		for i := range logW {
			// Where a term begins to count and is +Inf the weight vanishes; a
			// term that no longer counts was finite where the walker could be.
			switch inc := (lambda - old) * (before[i] - after[i]); {
			case math.IsInf(logW[i], -1):
			case lambda > 0 && math.IsInf(after[i], 1), lambda < 1 && math.IsInf(before[i], 1):
				logW[i] = math.Inf(-1)
			default:
				logW[i] += inc
			}
		}
		return
	}
	m.ev.EnergyGrad(before, nil, xs)
	m.to(lambda)
	m.ev.EnergyGrad(after, nil, xs)
	for i := range logW {
		switch {
		case math.IsInf(logW[i], -1):
		case math.IsInf(after[i], 1):
			logW[i] = math.Inf(-1)
		default:
			logW[i] += before[i] - after[i]
		}
	}
}

// Dim returns d.
func (m *moving) Dim() int { return m.dim }

// Inner returns the energy at the present lambda; on the geometric path both
// ends, so that a gradient is asked of both.
func (m *moving) Inner() []ebmkit.Energy {
	if m.between != nil {
		return m.between.Inner()
	}
	return []ebmkit.Energy{m.now}
}

func (m *moving) Energy(x []float64) float64 {
	m.evals++
	return m.now.Energy(x)
}

func (m *moving) EnergyGrad(grad, x []float64) float64 {
	m.evals++
	return m.now.(ebmkit.Differentiable).EnergyGrad(grad, x)
}

// NewEvaluator returns an evaluator that follows.
func (m *moving) NewEvaluator() ebmkit.Evaluator { return &movingEvaluator{m: m} }

type movingEvaluator struct {
	m  *moving
	of ebmkit.Energy
	ev ebmkit.Evaluator
}

func (v *movingEvaluator) EnergyGrad(u, grad, xs []float64) {
	// The evaluator of a pointer reads its present parameters; a value may hold
	// slices, and could not be compared.
	if reflect.TypeOf(v.m.now).Kind() != reflect.Pointer || v.of != v.m.now {
		v.of, v.ev = v.m.now, ebmkit.NewEvaluator(v.m.now)
	}
	v.m.evals += len(xs) / v.m.dim
	v.ev.EnergyGrad(u, grad, xs)
}
