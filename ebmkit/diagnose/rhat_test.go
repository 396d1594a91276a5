package diagnose

import (
	"math"
	"testing"
)

// shifted returns AR(1) chains, with chain k multiplied by scale(k) and moved
// by shift(k).
func shifted(t *testing.T, seed uint64, shift, scale func(k int) float64) *Series {
	c := ar1Chain(1000, 4, 1, 0.3, seed)
	for i := range c.X {
		c.X[i] = shift(i%4) + scale(i%4)*c.X[i]
	}
	s, err := FromChain(c, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRHatSees(t *testing.T) {
	zero, one := func(int) float64 { return 0 }, func(int) float64 { return 1 }
	one3 := func(k int) float64 { return []float64{1, 1, 1, 3}[k] }

	// 8 halves of 500 draws with tau about 2: E[R-hat - 1] is about
	// tau/(2n) = 0.002, and 1.01 is far in the tail.
	good := 0
	for seed := range uint64(50) {
		if shifted(t, seed, zero, one).RHat() < maxRHat {
			good++
		}
	}
	if good < 49 {
		t.Errorf("R-hat below %v in %d of 50 runs that mix", maxRHat, good)
	}

	s := shifted(t, 1, func(k int) float64 { return float64(k) }, one)
	if r := s.RHat(); r < 1.1 {
		t.Errorf("chains at four places: R-hat %v", r)
	}
	s = shifted(t, 1, zero, one3)
	if b, f := s.RHatBulk(), s.RHatFolded(); b > 1.01 || f < 1.05 || s.RHat() != f {
		t.Errorf("chains of two widths: bulk %v, folded %v, R-hat %v", b, f, s.RHat())
	}

	// Each chain drifts in the same way: only splitting sees it.
	drift := make([][]float64, 4)
	noise := shifted(t, 2, zero, one)
	for k := range drift {
		drift[k] = noise.Chain(k)
		for i := range drift[k] {
			drift[k][i] += float64(i) / 250
		}
	}
	s, _ = NewSeries(drift)
	if r, unsplit := s.RHat(), rhat(drift); r < 1.1 || unsplit > 1.01 {
		t.Errorf("drift: split R-hat %v, unsplit %v", r, unsplit)
	}
}

// TestAllAreFooled is the case that no diagnostic sees: the target has two
// modes and all chains sit in one.
func TestAllAreFooled(t *testing.T) {
	s := shifted(t, 3, func(int) float64 { return -10 }, func(int) float64 { return 1 }) // half the mass is at +10
	if s.RHat() > maxRHat || s.ESSBulk() < minESS || s.ESSTail() < minESS {
		t.Errorf("R-hat %v, ESS %v, %v", s.RHat(), s.ESSBulk(), s.ESSTail())
	}
	if m := s.Mean(); math.Abs(m.Z(0)) < 50 {
		t.Errorf("the mean of the whole target is 0, the estimate %v", m)
	}
}

// TestInvariance: ranks do not see increasing maps, and nothing sees units.
func TestInvariance(t *testing.T) {
	s := shifted(t, 4, func(k int) float64 { return 0.2 * float64(k) }, func(int) float64 { return 1 })
	mapped := func(f func(float64) float64) *Series {
		rows := make([][]float64, 4)
		for k := range rows {
			rows[k] = s.Chain(k)
			for i, v := range rows[k] {
				rows[k][i] = f(v)
			}
		}
		m, err := NewSeries(rows)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	cubed := mapped(func(x float64) float64 { return x * x * x })
	if cubed.RHatBulk() != s.RHatBulk() || cubed.ESSBulk() != s.ESSBulk() || cubed.ESSTail() != s.ESSTail() {
		t.Error("the rank diagnostics of x and of x^3 differ")
	}
	units := mapped(func(x float64) float64 { return math.Ldexp(x, -60) })
	if units.RHat() != s.RHat() || units.ESSMean() != s.ESSMean() || units.ESSSD() != s.ESSSD() ||
		units.Mean().SE != math.Ldexp(s.Mean().SE, -60) || units.SD().SE != math.Ldexp(s.SD().SE, -60) {
		t.Error("a change of units changes the diagnostics")
	}
}
