package diagnose_test

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
)

func first(x []float64) float64 { return x[0] }

func TestExpectIsMeanOfACoordinate(t *testing.T) {
	e := &ebmkit.Ensemble{N: 4, Dim: 2, X: []float64{1, 9, 2, 9, 4, 9, 8, 9}}
	for _, logW := range [][]float64{nil, {0, 1, -1, 0.5}} {
		e.LogW = logW
		if got, want := diagnose.Expect(e, first), diagnose.Mean(e, 0); got != want {
			t.Errorf("weights %v: %v, want %v", logW, got, want)
		}
	}
	e.LogW = nil
	p := diagnose.Expect(e, func(x []float64) float64 { return diagnose.Indicator(x[0] > 3) })
	if p.Value != 0.5 || math.Abs(p.SE-math.Sqrt(1./12)) > 1e-15 { // variance 4/3 * 1/4, over 4
		t.Errorf("share above 3: %v", p)
	}
}

// Two draws of three walkers that do not move: the error is that of three
// values, not of six.
func TestExpectChainCountsWalkers(t *testing.T) {
	x := []float64{1, 2, 6, 1, 2, 6}
	c := &ebmkit.Chain{Draws: 2, Walkers: 3, Dim: 1, X: x}
	got, want := diagnose.ExpectChain(c, first), ebmkit.MeanOf(x[:3])
	if math.Abs(got.Value-want.Value) > 1e-15 || math.Abs(got.SE-want.SE) > 1e-15 {
		t.Errorf("%v, want %v", got, want)
	}
	if naive := ebmkit.MeanOf(x); naive.SE > 0.8*got.SE {
		t.Errorf("all draws taken as independent should claim a much smaller error than %v: %v", got, naive)
	}
}

func TestSquaredJump(t *testing.T) {
	from := &ebmkit.Ensemble{N: 2, Dim: 2, X: []float64{0, 0, 1, 1}}
	to := &ebmkit.Ensemble{N: 2, Dim: 2, X: []float64{3, 4, 1, 2}}
	if got := diagnose.SquaredJump(from, to); got != ebmkit.MeanOf([]float64{25, 1}) {
		t.Errorf("got %v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("ensembles of different sizes were accepted")
		}
	}()
	diagnose.SquaredJump(from, &ebmkit.Ensemble{N: 1, Dim: 2, X: []float64{0, 0}})
}

// Means of normal draws hold the truth at the rate of the normal law; with
// errors that are half as large they do not.
func TestCoverage(t *testing.T) {
	s := ebmkit.NewStream(1, "coverage", 0)
	honest, small := make([]ebmkit.Estimate, 4000), make([]ebmkit.Estimate, 4000)
	for i := range honest {
		v := make([]float64, 200)
		s.FillNormal(v)
		honest[i] = ebmkit.MeanOf(v)
		small[i] = ebmkit.Estimate{Value: honest[i].Value, SE: honest[i].SE / 2}
	}
	want := math.Erf(math.Sqrt(0.5))
	if z := diagnose.Coverage(honest, 0, 1).Z(want); math.Abs(z) > 4 {
		t.Errorf("honest errors: z = %.1f", z)
	}
	if z := diagnose.Coverage(small, 0, 1).Z(want); z > -20 {
		t.Errorf("errors half as large: z = %.1f, want far below", z)
	}
	if got := diagnose.Coverage([]ebmkit.Estimate{{SE: math.Inf(1)}, {SE: math.NaN()}}, 0, 1); got.Value != 0 {
		t.Errorf("unknown errors hold %v", got)
	}
}
