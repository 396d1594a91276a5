package evaluate

import (
	"fmt"
	"slices"
	"strings"
)

// Criterion is a number by which models are ranked.
type Criterion uint8

// The numbers of a Summary by which models are ranked: the log-likelihood, of which
// more is better, and three distances in units of their null levels.
const (
	ByLogLik Criterion = iota
	ByMMD2
	BySlicedW2
	ByMasses
)

// Criteria returns all of them.
func Criteria() []Criterion { return []Criterion{ByLogLik, ByMMD2, BySlicedW2, ByMasses} }

var criteria = [...]struct {
	name   string
	larger bool
	of     func(s *Summary) Spread
}{
	ByLogLik:   {"log-likelihood", true, func(s *Summary) Spread { return s.LogLik }},
	ByMMD2:     {"MMD$^2$/level", false, func(s *Summary) Spread { return s.MMD2Ratio }},
	BySlicedW2: {"sliced W2/level", false, func(s *Summary) Spread { return s.SlicedW2Ratio }},
	ByMasses:   {"masses/level", false, func(s *Summary) Spread { return s.MassesRatio }},
}

// String returns the name of the number, for a table.
func (c Criterion) String() string {
	if int(c) < len(criteria) {
		return criteria[c].name
	}
	return fmt.Sprintf("Criterion(%d)", uint8(c))
}

// Of returns the number of a model, with its spread over seeds. Its mean is NaN, or
// it has no runs, if the model has no such number.
func (c Criterion) Of(s *Summary) Spread { return criteria[c].of(s) }

// Rank orders models from the best, without those that have no such number. Which
// of them share the first place is said by the function Rank.
func (c Criterion) Rank(models []*Summary) Ranking {
	var names []string
	var spreads []Spread
	for _, m := range models {
		if s := c.Of(m); s.Runs > 0 {
			names, spreads = append(names, m.Name), append(spreads, s)
		}
	}
	order, shared := Rank(spreads, criteria[c].larger)
	r := Ranking{Shared: shared}
	for _, i := range order {
		r.Names, r.Spreads = append(r.Names, names[i]), append(r.Spreads, spreads[i])
	}
	return r
}

// Ranking is an order of models, best first.
type Ranking struct {
	Names   []string
	Spreads []Spread // of the number by which they are ranked
	Shared  int      // how many share the first place
}

// First returns the names of those that share the first place, as in
// "interpolant, EBM".
func (r Ranking) First() string { return strings.Join(r.Names[:r.Shared], ", ") }

// Leads reports whether the model shares the first place.
func (r Ranking) Leads(name string) bool { return slices.Contains(r.Names[:r.Shared], name) }

// Best returns the number of the best, a dash if there are no models.
func (r Ranking) Best() string {
	if len(r.Spreads) == 0 {
		return dash
	}
	return r.Spreads[0].String()
}

// Next returns the best of those that do not share the first place with its number,
// as in "flow: -1.747 +- 0.027", and a dash if all share it.
func (r Ranking) Next() string {
	if r.Shared == len(r.Names) {
		return dash
	}
	return r.Names[r.Shared] + ": " + r.Spreads[r.Shared].String()
}
