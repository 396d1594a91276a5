// Package maxent finds the density of largest entropy among those with given
// means of given functions (review section 5, eq. (96) to (104)).
//
// # Principle
//
// Of all densities on a set Omega that satisfy the constraints, review eq. (96),
//
//	E[F_k] = Lambda_k,   or <= Lambda_k,   or >= Lambda_k,   k = 1, ..., K,
//
// the one of largest entropy, eq. (97), is
//
//	rho(x) = exp(sum_k lambda_k F_k(x)) / Z,
//
// with multipliers that minimise the convex dual function
//
//	D(lambda) = log integral of exp(sum_k lambda_k (F_k(x) - Lambda_k)) dx,
//	lambda_k <= 0 for "<=", >= 0 for ">=", 0 if the inequality is not active.
//
// D(lambda) is at least the entropy of every density that satisfies the
// constraints, so the gap between the two certifies the answer.
//
// # Signs
//
// With F_1 = U this is the Boltzmann-Gibbs density, and lambda_1 = -beta.
// Proposition 5.1 of the review prints exp(lambda_1 U) with lambda_1 > 0; if
// Omega is unbounded and U grows, lambda_1 must be negative or exp(lambda_1 U)
// has no integral. Lemma 5.1 divides by lambda_1; correct is
//
//	lambda_1' = 1/lambda_1 = -T,   lambda_0' = lambda_0/lambda_1,
//
// which makes eq. (106) the stationarity of the free energy <U> - T H; with the
// printed signs it would be <U> + T H.
//
// Eq. (107) and (108) are one identity, for every density pi,
//
//	F[pi] = <U> - T H[pi] = -T log Z + T KL(pi || rho_beta).
//
// What fails out of equilibrium is F[pi] = -T log Z, not the definition of F.
//
// # When there is no answer
//
// If no density satisfies the constraints, D has no lower bound, and the
// direction in which it falls is a proof: *InfeasibleError. If the supremum of the
// entropy is not reached, because the multiplier ends at the edge of where exp
// can be integrated, as with E[x^4] above the Gaussian's for given E[x] and
// E[x^2]: *NotAttainedError.
//
// # What the solver is compared with
//
// Flips and Conditioned count without maximising anything: a city of coins, and
// dice conditioned on their mean, whose law tends to that of largest entropy.
// MeansOf takes the targets from a known law. StateOf and Boltzmann give the
// entropy, the mean energy and the free energy of a law, in equilibrium or not,
// and Fluctuation how sharp an energy is.
package maxent

import (
	"fmt"
	"math"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// Relation says how the mean of a function compares with its target.
type Relation int

const (
	Equal   Relation = iota // E[F] = target
	AtMost                  // E[F] <= target
	AtLeast                 // E[F] >= target
)

func (r Relation) String() string {
	switch r {
	case Equal:
		return "="
	case AtMost:
		return "<="
	case AtLeast:
		return ">="
	}
	return fmt.Sprintf("Relation(%d)", int(r))
}

// Constraint is one line of review eq. (96).
type Constraint struct {
	F        energy.Statistic // Grad may be nil: then the density's gradient is numerical
	Relation Relation
	Target   float64 // Lambda, in the unit of F
}

// String prints the constraint, as in "E[x0^2] <= 1".
func (c Constraint) String() string {
	return fmt.Sprintf("E[%s] %v %g", c.name(), c.Relation, c.Target)
}

func (c Constraint) name() string {
	if c.F.Name == "" {
		return "F"
	}
	return c.F.Name
}

// Solution is the density of largest entropy.
type Solution struct {
	Constraints []Constraint
	Multipliers []float64 // lambda_k: the density is proportional to exp(sum lambda_k F_k)
	Means       []float64 // E[F_k]

	Density *Density  // on a domain, else nil
	P       []float64 // on points: their probabilities, else nil

	Entropy float64 // of the density, in nats; on points, -sum p log(p/w)
	Dual    float64 // D(lambda), an upper bound of the entropy
	Gap     float64 // Dual - Entropy

	Iterations int // Newton steps
	Evals      int // evaluations of all the functions at one point
}

// String prints one line for each constraint.
func (s *Solution) String() string {
	var b strings.Builder
	for k, c := range s.Constraints {
		fmt.Fprintf(&b, "%v: multiplier %.8g, mean %.8g\n", c, s.Multipliers[k], s.Means[k])
	}
	fmt.Fprintf(&b, "entropy %.10g nats, gap %.1g, %d Newton steps", s.Entropy, s.Gap, s.Iterations)
	return b.String()
}

// Density is a density of largest entropy, which makes review eq. (104) vanish, as
// an energy,
//
//	U(x) = -sum_k lambda_k (F_k(x) - F_k(mode)),   +Inf outside the domain.
//
// It is 0 at the mode. The gradient is numerical if a Statistic has no Grad.
type Density struct {
	*energy.Func
	logZ float64
}

var (
	_ ebmkit.Normalized     = (*Density)(nil)
	_ ebmkit.Differentiable = (*Density)(nil)
)

// LogZ returns log of the integral of exp(-U) over the domain.
func (d *Density) LogZ() float64 { return d.logZ }

// InfeasibleError reports constraints that no density satisfies, with the
// proof: a combination of the functions whose largest value is below (or at) what
// the targets ask for.
type InfeasibleError struct {
	Func        string
	Constraints []Constraint // the conflicting ones; without any of them there would be no conflict
	Weights     []float64    // of their functions in the combination
	Largest     float64      // of the combination, wherever it was looked at
	Asked       float64      // its mean if the constraints held
	Edge        bool         // Largest = Asked: only points of the maximum could have mass
}

func (e *InfeasibleError) Error() string {
	var terms []string
	for k, c := range e.Constraints {
		switch w := e.Weights[k]; w {
		case 1:
			terms = append(terms, "+"+c.name())
		case -1:
			terms = append(terms, "-"+c.name())
		default:
			terms = append(terms, fmt.Sprintf("%+.4g %s", w, c.name()))
		}
	}
	what := strings.TrimPrefix(strings.Join(terms, " "), "+")
	var which []string
	for _, c := range e.Constraints {
		which = append(which, c.String())
	}
	if e.Edge {
		return fmt.Sprintf("%s: infeasible: %s needs all mass where %s is largest (%.6g), so the multipliers are infinite",
			e.Func, strings.Join(which, " with "), what, e.Largest)
	}
	return fmt.Sprintf("%s: infeasible: %s: %s is at most %.6g, but its mean would have to be %.6g",
		e.Func, strings.Join(which, " with "), what, e.Largest, e.Asked)
}

// NotAttainedError reports that entropies come as near as one likes to a
// supremum that no density has: the multiplier of one constraint has run to the
// edge of where exp(sum lambda F) can be integrated, and its mean still falls
// short of its target. The difference can be put into ever less mass ever
// farther out.
type NotAttainedError struct {
	Func       string
	Constraint Constraint
	Multiplier float64 // at the edge
	Mean       float64 // E[F] there
	Supremum   float64 // of the entropy, nats; an upper bound
}

func (e *NotAttainedError) Error() string {
	return fmt.Sprintf("%s: no maximum: %v cannot be met: with its multiplier at the edge of what can be integrated (%.3g) the mean is %.6g; entropies approach %.6g without reaching it",
		e.Func, e.Constraint, e.Multiplier, e.Mean, e.Supremum)
}

// OnDomain maximises the entropy of a density on an interval or rectangle,
// finite or not, in dim = 1 or 2 dimensions, with integrals by quadrature.
// Without constraints the answer is the uniform density (review Example 5.1, eq.
// (98) to (101)). It returns *ebmkit.ArgError for bad arguments, functions that
// depend on each other linearly, or constraints that do not confine x on an
// infinite domain (the entropy has no bound); *InfeasibleError;
// *NotAttainedError.
func OnDomain(dim int, dom quad.Domain, constraints ...Constraint) (*Solution, error) {
	const fn = "maxent.OnDomain"
	if dim != 1 && dim != 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "dim", Value: dim, Want: "1 or 2"}
	}
	if err := check(fn, constraints); err != nil {
		return nil, err
	}
	m, err := newSpace(fn, dim, dom, constraints)
	if err != nil {
		return nil, err
	}
	s, err := solve(fn, m, constraints)
	if err != nil {
		return nil, err
	}
	ref := m.atMode(s.Multipliers)
	u, err := m.energy(s.Multipliers, ref)
	if err != nil {
		return nil, err
	}
	logZ := s.Dual
	for k, c := range constraints {
		logZ += s.Multipliers[k] * (c.Target - ref[k])
	}
	s.Density = &Density{u, logZ}
	return s, nil
}

// OnPoints maximises the entropy of probabilities of given points,
//
//	-sum_i p_i log(p_i/w_i),   w_i = exp(LogW_i), or 1 if points.LogW is nil.
//
// The points are the faces of a die, the states of a lattice, or a sample that is
// to be reweighted as little as possible. Errors as OnDomain.
func OnPoints(points *ebmkit.Ensemble, constraints ...Constraint) (*Solution, error) {
	const fn = "maxent.OnPoints"
	if err := check(fn, constraints); err != nil {
		return nil, err
	}
	m, err := newPoints(fn, points, constraints)
	if err != nil {
		return nil, err
	}
	s, err := solve(fn, m, constraints)
	if err != nil {
		return nil, err
	}
	s.P = m.probabilities(s.Multipliers)
	return s, nil
}

func check(fn string, constraints []Constraint) error {
	for k, c := range constraints {
		arg := func(field string) string { return fmt.Sprintf("constraints[%d].%s", k, field) }
		if c.F.F == nil {
			return &ebmkit.ArgError{Func: fn, Arg: arg("F.F"), Value: "nil", Want: "a function"}
		}
		if math.IsNaN(c.Target) || math.IsInf(c.Target, 0) {
			return &ebmkit.ArgError{Func: fn, Arg: arg("Target"), Value: c.Target, Want: "a finite number"}
		}
		if c.Relation < Equal || c.Relation > AtLeast {
			return &ebmkit.ArgError{Func: fn, Arg: arg("Relation"), Value: int(c.Relation), Want: "Equal, AtMost or AtLeast"}
		}
	}
	return nil
}
