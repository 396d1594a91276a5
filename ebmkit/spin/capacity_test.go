package spin

import (
	"math"
	"slices"
	"testing"
)

// One step from a stored pattern turns as many spins as the binomial law says,
// for Hebb's rule with J_ii = 0, and not with the diagonal kept.
func TestCapacityAgainstBinomialLaw(t *testing.T) {
	for _, c := range []struct{ n, p int }{{50, 20}, {101, 30}} {
		wrong, _, err := OneStepError(c.n, c.p)
		if err != nil {
			t.Fatal(err)
		}
		got := must(MeasureCapacity(Hebb, c.n, c.p, 200, 1, 7))
		kept := must(MeasureCapacity(HebbDiagonal, c.n, c.p, 200, 1, 7))
		t.Logf("N = %d, P = %d: wrong %v, exact %.5g (z = %.2f); diagonal kept %v", c.n, c.p, got.Wrong, wrong, got.Wrong.Z(wrong), kept.Wrong)
		if math.Abs(got.Wrong.Z(wrong)) > 4 {
			t.Errorf("N = %d, P = %d: z = %.1f", c.n, c.p, got.Wrong.Z(wrong))
		}
		if math.Abs(kept.Wrong.Z(wrong)) < 8 {
			t.Errorf("N = %d, P = %d: the diagonal makes no difference", c.n, c.p)
		}
	}
	// Far below capacity everything is kept, far above nothing is.
	low, high := must(MeasureCapacity(Hebb, 200, 4, 10, 4, 1)), must(MeasureCapacity(Hebb, 100, 60, 10, 4, 1))
	if low.Kept.Value != 1 || low.Overlap.Value != 1 || high.Kept.Value > 0.01 || high.Overlap.Value > 0.6 {
		t.Errorf("low load: %+v, high load: %+v", low, high)
	}
	// By the pseudo-inverse the high load is kept too.
	if pi := must(MeasureCapacity(PseudoInverse, 100, 60, 5, 4, 1)); pi.Kept.Value != 1 {
		t.Errorf("pseudo-inverse: %+v", pi)
	}
}

func TestSpoil(t *testing.T) {
	x := must(RandomPatterns(40, 1, 3))
	before := slices.Clone(x)
	count := make([]int, 40)
	const runs = 4000
	for seed := range uint64(runs) {
		y := must(Spoil(x, 10, seed))
		turned := 0
		for i := range y {
			if y[i] != x[i] {
				turned++
				count[i]++
			}
		}
		if turned != 10 {
			t.Fatalf("%d spins turned", turned)
		}
	}
	if !slices.Equal(x, before) {
		t.Error("x changed")
	}
	// Every spin is as likely: a quarter of the runs, within 4.5 standard errors.
	for i, c := range count {
		if z := (float64(c) - runs/4) / math.Sqrt(runs*0.25*0.75); math.Abs(z) > 4.5 {
			t.Errorf("spin %d: turned %d times, z = %.1f", i, c, z)
		}
	}
	if y := must(Spoil(x, 40, 1)); Overlap(x, y) != -1 {
		t.Error("not all turned")
	}
}

func TestCapacityErrors(t *testing.T) {
	for _, c := range []struct {
		what, arg string
		err       func() error
	}{
		{"no spins", "n", func() error { _, e := RandomPatterns(0, 1, 1); return e }},
		{"no patterns", "p", func() error { _, e := RandomPatterns(1, 0, 1); return e }},
		{"too many", "k", func() error { _, e := Spoil([]float64{1}, 2, 1); return e }},
		{"negative", "k", func() error { _, e := Spoil([]float64{1}, -1, 1); return e }},
		{"no spins", "n", func() error { _, e := MeasureCapacity(Hebb, 0, 1, 2, 1, 1); return e }},
		{"one set", "sets", func() error { _, e := MeasureCapacity(Hebb, 5, 1, 1, 1, 1); return e }},
		{"no starts", "starts", func() error { _, e := MeasureCapacity(Hebb, 5, 1, 2, 0, 1); return e }},
		{"many starts", "starts", func() error { _, e := MeasureCapacity(Hebb, 5, 1, 2, 2, 1); return e }},
		{"no states", "len(xs)", func() error { _, e := must(NewHopfield(Hebb, 2, []float64{1, 1})).FixedPoints(nil); return e }},
		{"half a state", "len(xs)", func() error { _, e := must(NewHopfield(Hebb, 2, []float64{1, 1})).FixedPoints([]float64{1}); return e }},
		{"no spin", "xs[1]", func() error {
			_, e := must(NewHopfield(Hebb, 2, []float64{1, 1})).FixedPoints([]float64{1, 0})
			return e
		}},
		{"rule", "rule", func() error { _, e := MeasureCapacity(Storage(9), 5, 1, 2, 1, 1); return e }},
	} {
		wantArg(t, c.what, c.err(), c.arg)
	}
}

// The Curie-Weiss model is the network with one pattern, summed over its states.
func TestCurieWeissByEnumeration(t *testing.T) {
	y := must(RandomPatterns(11, 1, 5))
	net := must(NewHopfield(Hebb, 11, y))
	j := net.Couplings()
	for a, v := range y { // in terms of the overlap
		for b, w := range y {
			j[11*a+b] *= v * w
		}
	}
	levels := must(Enumerate(must(NewIsingMatrix(j, 0, nil))))
	for _, beta := range []float64{0, 0.7, 1, 3} {
		got, want := must(CurieWeiss(11, beta)), must(levels.At(beta))
		near(t, "log Z", got.LogZ, want.LogZ, 1e-13)
		near(t, "energy", got.Energy, want.Energy, 1e-12)
		near(t, "heat capacity", got.HeatCapacity, want.HeatCapacity, 1e-11)
		near(t, "|m|", got.AbsM, want.AbsM, 1e-12)
		near(t, "chi", got.Chi, want.Chi, 1e-11)
		near(t, "Binder", got.Binder, want.Binder, 1e-11)
	}
	// Mean field: m = tanh(m/T) at T = 0.8.
	m := 1.0
	for range 1000 {
		m = math.Tanh(m / 0.8)
	}
	near(t, "large n", must(CurieWeiss(20_000, 1/0.8)).AbsM, m, 1e-3)
	_, err := CurieWeiss(1, 1)
	wantArg(t, "one spin", err, "n")
	_, err = CurieWeiss(5, -1)
	wantArg(t, "beta", err, "beta")
}
