package evaluate_test

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/evaluate"
)

// The same models in the order of each number: of likelihood more is better, of
// distances less.
func TestCriteria(t *testing.T) {
	at := func(mean float64) evaluate.Spread { return evaluate.Spread{Mean: mean, SD: 1, Runs: 4} }
	model := func(name string, loglik, mmd, w2 float64) *evaluate.Summary {
		return &evaluate.Summary{Name: name, Runs: 4, LogLik: at(loglik), MMD2Ratio: at(mmd), SlicedW2Ratio: at(w2)}
	}
	// SE of a difference is sqrt(1/2): those that are 1 apart share a place, those
	// that are 2 apart do not.
	models := []*evaluate.Summary{model("a", 1, 1, 3), model("b", 5, 2, 3.5), model("c", math.NaN(), 9, 2.5)}
	for _, c := range []struct {
		by     evaluate.Criterion
		names  []string
		first  string
		next   string
		leader string
		other  string
	}{
		{evaluate.ByLogLik, []string{"b", "a"}, "b", "a: 1.0 +- 1.0", "b", "a"},
		{evaluate.ByMMD2, []string{"a", "b", "c"}, "a, b", "c: 9.0 +- 1.0", "b", "c"},
		{evaluate.BySlicedW2, []string{"c", "a", "b"}, "c, a, b", "–", "b", "d"},
	} {
		r := c.by.Rank(models)
		if !slices.Equal(r.Names, c.names) || r.First() != c.first || r.Next() != c.next {
			t.Errorf("%v: %v, first %q, next %q", c.by, r.Names, r.First(), r.Next())
		}
		if !r.Leads(c.leader) || r.Leads(c.other) {
			t.Errorf("%v: %s leads %v, %s leads %v", c.by, c.leader, r.Leads(c.leader), c.other, r.Leads(c.other))
		}
		if want := r.Spreads[0].String(); r.Best() != want {
			t.Errorf("%v: best %q, want %q", c.by, r.Best(), want)
		}
	}
	// No modes, no masses: nobody is ranked.
	if r := evaluate.ByMasses.Rank(models); r.Shared != 0 || r.First() != "" || r.Next() != "–" || r.Best() != "–" || r.Leads("a") {
		t.Errorf("%+v", r)
	}
	if n := len(evaluate.Criteria()); n != 4 || evaluate.ByMasses.String() != "masses/level" || evaluate.Criterion(9).String() != "Criterion(9)" {
		t.Error(n, evaluate.ByMasses, evaluate.Criterion(9))
	}
}
