package freeenergy

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Rule is a rule of quadrature.
type Rule int

const (
	Trapezoid Rule = iota // any schedule with an even number of intervals
	Simpson               // equal intervals, their number a multiple of 4
)

// String returns the name of the rule.
func (r Rule) String() string {
	switch r {
	case Trapezoid:
		return "trapezoid"
	case Simpson:
		return "Simpson"
	}
	return fmt.Sprintf("Rule(%d)", int(r))
}

// ThermodynamicIntegration estimates log Z by the integral (Kirkwood, 1935)
//
//	log Z(1)/Z(0) = - integral_0^1 <dU_lambda/dlambda>_lambda dlambda.
//
// On a path that is linear in lambda, as the Geometric one is, the slope dU/dlambda
// is U_1 - U_0. On another it is taken by differences of the energy over 1e-4 in
// lambda, of second order. Walkers start as exact draws at 0, move
// Burn + Draws transitions at each lambda, the ends included, and are averaged
// over the last Draws. They are independent, so the statistical error is that
// of their mean; to it the error of the rule is added in quadrature, as
// estimated from the rule with twice the interval (a third of the difference
// for Trapezoid, a fifteenth for Simpson).
//
// On a linear path the mean slope falls with lambda: its sums over left and right
// ends bound log Z, and are Report.Lower and Report.Upper, up to what Burn has
// left. Report.Slopes is the integrand at Report.Lambdas.
type ThermodynamicIntegration struct {
	Lambdas []float64   // from 0 to 1, an even number of intervals
	Rule    Rule        // Trapezoid or Simpson
	Method  mcmc.Method // a kernel that leaves its target invariant
	Burn    int         // transitions at each lambda before averaging
	Draws   int         // transitions averaged over, at least 1
	Path    Path        // smooth in lambda; nil means Geometric
}

// Run estimates log Z of to with cfg.Samples walkers. from must have a known log
// Z and, unless cfg.Start is given, a sampler. Streams and errors are those of
// AIS.Run; an infinite average, as where the target forbids what the reference
// allows, is an *ebmkit.ArgError too.
func (m ThermodynamicIntegration) Run(ctx context.Context, from, to ebmkit.Energy, cfg Config) (*Report, error) {
	const fn = "freeenergy.ThermodynamicIntegration"
	logZ0, err := reference(fn, from, to)
	if err != nil {
		return nil, err
	}
	if err := m.check(fn); err != nil {
		return nil, err
	}
	path, err := ends(fn, m.Path, from, to)
	if err != nil {
		return nil, err
	}
	p := &protocol{fn: fn, path: path, lambdas: m.Lambdas, method: m.Method, moves: m.Burn + m.Draws, start: from, end: to}
	if err := p.prepare(cfg, false); err != nil {
		return nil, err
	}
	straight, err := linear(path, from, to)
	if err != nil {
		return nil, err
	}
	points := len(m.Lambdas)
	mean := make([]float64, points*cfg.Samples) // [walker][point] of dU/dlambda
	slopes := make([]*slope, len(p.evals))
	p.observe = func(block *ebmkit.Ensemble, mv *moving, k, move, first int) {
		if move < m.Burn {
			return
		}
		s := &slopes[first/p.rows]
		if *s == nil {
			*s = newSlope(path, from, to, straight, block.N)
		}
		g, evals := (*s).at(m.Lambdas[k], block.X)
		mv.evals += evals
		for i, v := range g {
			mean[(first+i)*points+k] += v / float64(m.Draws)
		}
	}
	if err := p.walk(ctx); err != nil {
		return nil, err
	}
	for i, v := range mean {
		if !finite(v) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("mean of dU/dlambda at lambda = %g", m.Lambdas[i%points]), Value: v,
				Want: "a finite number (start the schedule from a law that the target allows)"}
		}
	}
	// Each walker gives one integral of each kind.
	kinds := make([][]float64, 4) // value, error of the rule, left sum, right sum
	for i := range cfg.Samples {
		g := mean[i*points : (i+1)*points]
		fine, coarse := trapezoid(m.Lambdas, g, 1), trapezoid(m.Lambdas, g, 2)
		value, diff := fine, (fine-coarse)/3
		if m.Rule == Simpson {
			twice := trapezoid(m.Lambdas, g, 4)
			value = (4*fine - coarse) / 3
			diff = (value - (4*coarse-twice)/3) / 15
		}
		var left, right float64
		for k := range points - 1 {
			w := m.Lambdas[k+1] - m.Lambdas[k]
			left += w * g[k]
			right += w * g[k+1]
		}
		for j, v := range []float64{-value, diff, -left, -right} {
			kinds[j] = append(kinds[j], v)
		}
	}
	value, diff := ebmkit.MeanOf(kinds[0]), ebmkit.MeanOf(kinds[1])
	r := &Report{
		LogZ:  ebmkit.Estimate{Value: value.Value, SE: math.Hypot(value.SE, diff.Value)},
		Lower: ebmkit.MeanOf(kinds[2]), Upper: ebmkit.MeanOf(kinds[3]),
		N: cfg.Samples, Evals: p.cost(), ESS: math.NaN(), CV: math.NaN(), KHat: math.NaN(),
		Lambdas: m.Lambdas,
	}
	if !straight {
		r.Lower, r.Upper = ebmkit.Estimate{Value: math.Inf(-1)}, ebmkit.Estimate{Value: math.Inf(1)}
	}
	column := make([]float64, cfg.Samples)
	for k := range points {
		for i := range column {
			column[i] = mean[i*points+k]
		}
		r.Slopes = append(r.Slopes, ebmkit.MeanOf(column))
	}
	r.shift(logZ0)
	return r, nil
}

// slope computes dU/dlambda at the rows of a block.
type slope struct {
	ev0, ev1 ebmkit.Evaluator            // of the ends of a linear path
	walk     func(float64) ebmkit.Energy // of another path, else nil
	u, g     []float64
}

func newSlope(p Path, from, to ebmkit.Energy, straight bool, rows int) *slope {
	s := &slope{u: make([]float64, rows), g: make([]float64, rows)}
	if straight {
		s.ev0, s.ev1 = ebmkit.NewEvaluator(from), ebmkit.NewEvaluator(to)
	} else {
		s.walk, _ = p.Walk() // which has been walked without an error
	}
	return s
}

// at returns the slopes and how many energies they took.
func (s *slope) at(lambda float64, xs []float64) (g []float64, evals int) {
	n := len(s.g)
	if s.walk == nil {
		s.ev0.EnergyGrad(s.u, nil, xs)
		s.ev1.EnergyGrad(s.g, nil, xs)
		vmath.Axpy(s.g, -1, s.u)
		return s.g, 2 * n
	}
	const h = 1e-4
	// Inside a central difference, at the ends a one-sided one of the same order.
	points, weights := [3]float64{lambda - h, lambda, lambda + h}, [3]float64{-0.5 / h, 0, 0.5 / h}
	if lambda < h {
		points, weights = [3]float64{lambda, lambda + h, lambda + 2*h}, [3]float64{-1.5 / h, 2 / h, -0.5 / h}
	} else if lambda > 1-h {
		points, weights = [3]float64{lambda - 2*h, lambda - h, lambda}, [3]float64{0.5 / h, -2 / h, 1.5 / h}
	}
	clear(s.g)
	for i, w := range weights {
		if w != 0 {
			ebmkit.NewEvaluator(s.walk(points[i])).EnergyGrad(s.u, nil, xs)
			vmath.Axpy(s.g, w, s.u)
			evals += n
		}
	}
	return s.g, evals
}

func (m ThermodynamicIntegration) check(fn string) error {
	if m.Burn < 0 {
		return &ebmkit.ArgError{Func: fn, Arg: "Burn", Value: m.Burn, Want: "at least 0"}
	}
	if m.Draws < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "Draws", Value: m.Draws, Want: "at least 1"}
	}
	switch m.Method.(type) {
	case nil, mcmc.ULA:
		return &ebmkit.ArgError{Func: fn, Arg: "Method", Value: fmt.Sprintf("%T", m.Method), Want: "a kernel that leaves its target invariant, as mcmc.MALA does"}
	}
	n := len(m.Lambdas) - 1
	switch m.Rule {
	case Trapezoid:
		if n < 2 || n%2 != 0 {
			return &ebmkit.ArgError{Func: fn, Arg: "len(Lambdas)", Value: n + 1, Want: "an even number of intervals"}
		}
	case Simpson:
		if n < 4 || n%4 != 0 {
			return &ebmkit.ArgError{Func: fn, Arg: "len(Lambdas)", Value: n + 1, Want: "a number of intervals that is a multiple of 4"}
		}
		for k, l := range m.Lambdas {
			if math.Abs(l-float64(k)/float64(n)) > 1e-12 {
				return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Lambdas[%d]", k), Value: l, Want: "equal intervals for Simpson's rule"}
			}
		}
	default:
		return &ebmkit.ArgError{Func: fn, Arg: "Rule", Value: int(m.Rule), Want: "Trapezoid or Simpson"}
	}
	return nil
}

// trapezoid integrates g over every stride-th point of l.
func trapezoid(l, g []float64, stride int) (sum float64) {
	for k := stride; k < len(l); k += stride {
		sum += (l[k] - l[k-stride]) * (g[k] + g[k-stride]) / 2
	}
	return sum
}

// linear says whether the energy half-way is the mean of the ends, at a few
// points. Without a sampler there are no points to try it on.
func linear(p Path, from, to ebmkit.Energy) (bool, error) {
	if _, geometric := p.(Geometric); geometric {
		return true, nil
	}
	at, err := p.Walk()
	if err != nil {
		return false, err
	}
	draw, ok := from.(ebmkit.Sampler)
	if !ok {
		return false, nil
	}
	x := make([]float64, from.Dim())
	s := ebmkit.NewStream(0, "linear", 0)
	for range 3 {
		draw.Sample(x, s)
		half, u0, u1 := at(0.5).Energy(x), from.Energy(x), to.Energy(x)
		if !(math.Abs(half-(u0+u1)/2) <= 1e-9*(1+math.Abs(u0)+math.Abs(u1))) {
			return false, nil
		}
	}
	return true, nil
}
