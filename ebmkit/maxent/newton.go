package maxent

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/linalg"
)

const (
	// converged is the Newton decrement, about |E[F] - target| in standard
	// deviations of F, at which the multipliers are right to the accuracy of the
	// integrals.
	converged = 1e-10
	// edge is the distance of the targets from what is possible at all, in
	// standard deviations, that counts as none.
	edge     = 1e-9
	maxSteps = 300
)

// solver minimises the dual by Newton's method. Multipliers of inequalities that
// are 0 and would leave their half-line are held; the rest move freely, with
// halved steps until the dual falls enough.
type solver struct {
	fn     string
	m      measure
	cs     []Constraint
	k      int
	lambda []float64
	at     *state
	scale  []float64 // standard deviations of the F_k at the start
	pinned []bool    // multipliers held at the edge of what can be integrated
	steps  int
}

func solve(fn string, m measure, cs []Constraint) (*Solution, error) {
	s := &solver{fn: fn, m: m, cs: cs, k: len(cs)}
	if err := s.start(); err != nil {
		return nil, err
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	sol := &Solution{Constraints: cs, Multipliers: s.lambda, Means: make([]float64, s.k), Dual: s.at.dual, Iterations: s.steps, Evals: m.evals()}
	sol.Gap = dot(s.lambda, s.at.mean)
	sol.Entropy = sol.Dual - sol.Gap
	for k, c := range cs {
		sol.Means[k] = s.at.mean[k] + c.Target
	}
	return sol, nil
}

// start finds multipliers with a finite dual: all 0, or such that one or two of
// the functions confine x.
func (s *solver) start() error {
	values := []float64{-1, 1, -4, 4}
	try := func(set func(l []float64)) (bool, error) {
		l := make([]float64, s.k)
		set(l)
		for k, c := range s.cs {
			if c.clip(l[k]) != l[k] {
				return false, nil
			}
		}
		st, ok, err := s.m.state(l)
		if ok {
			s.lambda, s.at = l, st
		}
		return ok, err
	}
	ok, err := try(func([]float64) {})
	for i := 0; i < s.k && !ok && err == nil; i++ {
		for _, v := range values {
			if ok, err = try(func(l []float64) { l[i] = v }); ok || err != nil {
				break
			}
		}
	}
	for i := 0; i < s.k && !ok && err == nil; i++ {
		for j := 0; j < i && !ok && err == nil; j++ {
			for c := 0; c < len(values)*len(values) && !ok && err == nil; c++ {
				ok, err = try(func(l []float64) { l[i], l[j] = values[c/len(values)], values[c%len(values)] })
			}
		}
	}
	if err != nil {
		return err
	}
	// Where x has no end, that is often far from the answer, at the edge of what
	// can be integrated. The answer on a window may be near.
	for _, l := range s.m.guesses() {
		st, fine, err := s.m.state(l)
		if err != nil {
			return err
		}
		if fine && (!ok || st.dual < s.at.dual) {
			s.lambda, s.at, ok = l, st, true
		}
	}
	if !ok {
		return &ebmkit.ArgError{Func: s.fn, Arg: "constraints", Value: fmt.Sprintf("%v", s.cs),
			Want: "functions that confine x, or a bounded domain: no exp(lambda.F) was found that can be integrated, and the entropy has no bound"}
	}
	s.scale, s.pinned = make([]float64, s.k), make([]bool, s.k)
	for k, c := range s.cs {
		v, m := s.at.cov[k*s.k+k], s.at.mean[k]
		if !(v > 1e-13*m*m) {
			return &ebmkit.ArgError{Func: s.fn, Arg: fmt.Sprintf("constraints[%d]", k), Value: c, Want: "a function that is not constant"}
		}
		s.scale[k] = math.Sqrt(v)
	}
	return s.independent()
}

// independent returns *ebmkit.ArgError if the function of an equality is, at the
// start, a combination of a constant and those before it.
func (s *solver) independent() error {
	var free []int
	for k, c := range s.cs {
		if c.Relation != Equal {
			continue
		}
		free = append(free, k)
		if _, ok := s.newton(free, 0); !ok {
			return &ebmkit.ArgError{Func: s.fn, Arg: fmt.Sprintf("constraints[%d]", k), Value: c,
				Want: "a function that is not a combination of a constant and those before it"}
		}
	}
	return nil
}

// clip returns the multiplier nearest to v that the relation allows.
func (c Constraint) clip(v float64) float64 {
	switch c.Relation {
	case AtMost:
		return min(v, 0)
	case AtLeast:
		return max(v, 0)
	}
	return v
}

func (s *solver) run() error {
	last := math.Inf(1)
	for ; s.k > 0; s.steps++ {
		if s.steps == maxSteps {
			return s.noProgress(last)
		}
		if err := s.infeasible(); err != nil {
			return err
		}
		g := s.at.mean
		var free []int
		for k, c := range s.cs {
			// Held if the relation stops the multiplier from falling along -g.
			if s.pinned[k] || s.lambda[k] == 0 && g[k] != 0 && c.clip(-g[k]) == 0 {
				continue
			}
			free = append(free, k)
		}
		dir, ok := s.newton(free, 1e-13)
		for ridge := 1e-10; !ok; ridge *= 100 {
			dir, ok = s.newton(free, ridge)
		}
		decrement := math.Sqrt(max(-dot(dir, g), 0))
		done := decrement <= converged && decrement >= last/2 // no better is to be had
		last = decrement
		moved := false
		if !done {
			var err error
			if moved, err = s.line(dir, decrement); err != nil {
				return err
			}
		}
		if moved {
			continue
		}
		last = math.Inf(1)
		if done || decrement <= converged {
			// Best for the free multipliers. The pinned ones may have room again.
			if again, err := s.unpin(); !again {
				return err
			}
			continue
		}
		if err := s.pin(decrement); err != nil {
			return err
		}
	}
	return nil
}

// blocked says whether multiplier k has no room in the direction in which the
// dual falls, by a thousandth of its natural unit.
func (s *solver) blocked(k int) (bool, error) {
	sd := math.Sqrt(max(s.at.cov[k*s.k+k], 0))
	if sd == 0 || s.at.mean[k] == 0 {
		return false, nil
	}
	l := append([]float64(nil), s.lambda...)
	l[k] = s.cs[k].clip(l[k] - 1e-3*math.Copysign(1/sd, s.at.mean[k]))
	if l[k] == s.lambda[k] {
		return false, nil
	}
	_, ok, err := s.m.state(l)
	return !ok, err
}

// pin holds the multiplier that has run to the edge of what can be integrated,
// so that the others can go on. Of several that have no room it is one that is
// nearly 0, where most edges are, and then it becomes 0; or else the one with the
// largest push.
func (s *solver) pin(decrement float64) error {
	best, push := -1, 0.0
	var atZero *state
	for k := range s.cs {
		if s.pinned[k] {
			continue
		}
		no, err := s.blocked(k)
		if err != nil {
			return err
		}
		if !no {
			continue
		}
		sd := math.Sqrt(s.at.cov[k*s.k+k])
		p := math.Abs(s.at.mean[k]) / sd
		if math.Abs(s.lambda[k])*sd < 1e-3 {
			st, ok, err := s.m.state(s.without(k))
			if err != nil {
				return err
			}
			if ok && (atZero == nil || p > push) {
				best, push, atZero = k, p, st
				continue
			}
		}
		if atZero == nil && p > push {
			best, push = k, p
		}
	}
	if best < 0 {
		return s.noProgress(decrement)
	}
	s.pinned[best] = true
	if atZero != nil {
		s.lambda, s.at = s.without(best), atZero
	}
	return nil
}

// without returns the multipliers with 0 for k.
func (s *solver) without(k int) []float64 {
	l := append([]float64(nil), s.lambda...)
	l[k] = 0
	return l
}

// unpin lets pinned multipliers go that have room again. If none has, but one
// still pushes against the edge, it returns *NotAttainedError.
func (s *solver) unpin() (again bool, err error) {
	stuck := -1
	for k, held := range s.pinned {
		if !held || math.Abs(s.at.mean[k]) <= 1e-9*math.Sqrt(max(s.at.cov[k*s.k+k], 0)) {
			continue
		}
		no, err := s.blocked(k)
		if err != nil {
			return false, err
		}
		if no {
			stuck = k
		} else {
			s.pinned[k], again = false, true
		}
	}
	if stuck >= 0 && !again {
		push := make([]float64, s.k)
		push[stuck] = -s.at.mean[stuck]
		if !s.m.outward(push) {
			return false, s.noProgress(math.Abs(s.at.mean[stuck]) / math.Sqrt(s.at.cov[stuck*s.k+stuck]))
		}
		return false, &NotAttainedError{Func: s.fn, Constraint: s.cs[stuck], Multiplier: s.lambda[stuck],
			Mean: s.at.mean[stuck] + s.cs[stuck].Target, Supremum: s.at.dual}
	}
	return again, nil
}

func (s *solver) noProgress(decrement float64) error {
	return &ebmkit.DivergedError{Func: s.fn, Step: s.steps, Walker: -1, Value: decrement,
		Hint: "the dual does not fall any further: functions that nearly depend on each other, or integrals that are too hard"}
}

// line moves along dir as far as the dual falls; it returns false if it does
// not at all.
func (s *solver) line(dir []float64, decrement float64) (bool, error) {
	noise := 1e-12 * max(1, math.Abs(s.at.dual))
	for t, try := 1.0, 0; try < 50; t, try = t/2, try+1 {
		next := make([]float64, s.k)
		var slope float64
		same := true
		for k, c := range s.cs {
			next[k] = c.clip(s.lambda[k] + t*dir[k])
			slope += s.at.mean[k] * (next[k] - s.lambda[k])
			same = same && next[k] == s.lambda[k]
		}
		if same {
			return false, nil
		}
		st, ok, err := s.m.state(next)
		if err != nil {
			return false, err
		}
		if ok && (st.dual <= s.at.dual+1e-4*slope || decrement < 1e-4 && st.dual <= s.at.dual+noise) {
			s.lambda, s.at = next, st
			return true, nil
		}
	}
	return false, nil
}

// newton returns minus the inverse of the Hessian times the gradient, on the
// free multipliers, and false if the functions depend on each other. The
// functions are scaled to variance 1 first.
func (s *solver) newton(free []int, ridge float64) ([]float64, bool) {
	n := len(free)
	l, b, sd := make([]float64, n*n), make([]float64, n), make([]float64, n)
	for i, k := range free {
		sd[i] = math.Sqrt(max(s.at.cov[k*s.k+k], 0))
		if sd[i] <= 1e-13*s.scale[k] {
			if ridge < 1e-8 {
				return nil, false
			}
			sd[i] = s.scale[k]
		}
	}
	for i, k := range free {
		b[i] = -s.at.mean[k] / sd[i]
		for j := range i {
			l[i*n+j] = s.at.cov[k*s.k+free[j]] / (sd[i] * sd[j])
		}
		l[i*n+i] = 1 + ridge
	}
	if _, bad := linalg.Cholesky(l, l, n, 1e-13); bad >= 0 {
		return nil, false
	}
	linalg.Solve(l, b, n)
	dir := make([]float64, s.k)
	for i, k := range free {
		dir[k] = b[i] / sd[i]
	}
	return dir, true
}

// infeasible looks for a proof that no density satisfies the constraints: the
// direction v of the multipliers, if v.(F - Lambda) is negative everywhere
// although its mean would have to be 0 (or more, by the signs of v).
func (s *solver) infeasible() error {
	proof := func(v []float64) (high, size float64) {
		for k := range v {
			size += math.Abs(v[k]) * s.scale[k]
		}
		return s.m.highest(v), size
	}
	v := append([]float64(nil), s.lambda...)
	high, size := proof(v)
	if size == 0 || high > edge*size {
		return nil
	}
	// Leave out what the proof does not need.
	for k := range v {
		old := v[k]
		v[k] = 0
		if h, z := proof(v); z > 0 && h <= edge*z {
			continue
		}
		v[k] = old
	}
	high, size = proof(v)
	e := &InfeasibleError{Func: s.fn, Edge: high >= -edge*size}
	var unit float64
	for _, w := range v {
		if w != 0 {
			unit = math.Abs(w) // the first function has weight 1
			break
		}
	}
	for k, w := range v {
		if w != 0 {
			e.Constraints = append(e.Constraints, s.cs[k])
			e.Weights = append(e.Weights, w/unit)
			e.Asked += w / unit * s.cs[k].Target
		}
	}
	e.Largest = e.Asked + high/unit
	if e.Edge {
		e.Largest = e.Asked
	}
	return e
}
