package fit_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/ebmkit/spin/fit"
)

// Three units that are 1 in three, one and none of three rows.
func TestSetVisibleBiases(t *testing.T) {
	rows := &ebmkit.Ensemble{N: 3, Dim: 3, X: []float64{1, 0, 0, 1, 1, 0, 1, 0, 0}}
	m := machine(3, 2, 0.5, 1)
	was := m.Params(nil)
	if err := fit.SetVisibleBiases(m, rows); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(was[:6], []float64{math.Log(4), math.Log(2.0 / 3), -math.Log(4)}, was[9:])
	for i, v := range m.Params(nil) {
		if math.Abs(v-want[i]) > 1e-15 {
			t.Errorf("parameters %v, want %v", m.Params(nil), want)
			break
		}
	}

	// Without weights: independent units. Log-likelihood and log Z, sums over all
	// states, are those of three coins.
	coins := must(spin.NewRBM(3, 2))
	if err := fit.SetVisibleBiases(coins, rows); err != nil {
		t.Fatal(err)
	}
	p := []float64{4.0 / 5, 2.0 / 5, 1.0 / 5}
	for i, q := range coins.VisibleProb(nil, []float64{1, 0}) {
		if math.Abs(q-p[i]) > 1e-15 {
			t.Errorf("unit %d is 1 with probability %v, want %v", i, q, p[i])
		}
	}
	mean := math.Log(p[0]) + (math.Log(p[1])+2*math.Log(1-p[1]))/3 + math.Log(1-p[2])
	if got := must(spin.LogLikelihood(coins, nil, rows.X, nil)); math.Abs(got-mean) > 1e-14 {
		t.Errorf("log-likelihood %v, want %v", got, mean)
	}
	logZ := 2*math.Ln2 - math.Log(1-p[0]) - math.Log(1-p[1]) - math.Log(1-p[2])
	if got := must(coins.ExactLogZ()); math.Abs(got-logZ) > 1e-14 {
		t.Errorf("log Z %v, want %v", got, logZ)
	}

	was = m.Params(nil)
	for _, bad := range []*ebmkit.Ensemble{nil, {Dim: 3}, {N: 1, Dim: 2, X: []float64{0, 1}}, {N: 2, Dim: 3, X: []float64{0, 1, 0}},
		{N: 1, Dim: 3, X: []float64{0, 1, 2}}} {
		var arg *ebmkit.ArgError
		if err := fit.SetVisibleBiases(m, bad); !errors.As(err, &arg) || !slices.Equal(m.Params(nil), was) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}
