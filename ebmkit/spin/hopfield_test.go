package spin

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// randomPatterns returns p patterns of n fair spins.
func randomPatterns(n, p int, seed uint64) []float64 {
	s := ebmkit.NewStream(seed, "patterns", 0)
	x := make([]float64, n*p)
	for i := range x {
		x[i] = float64(2*s.IntN(2) - 1)
	}
	return x
}

func TestHebbByHand(t *testing.T) {
	y := []float64{1, -1, 1, 1, 1, -1}
	hebb := must(NewHopfield(Hebb, 3, y)).Couplings()
	diag := must(NewHopfield(HebbDiagonal, 3, y)).Couplings()
	for i := range 3 {
		for j := range 3 {
			want := (y[i]*y[j] + y[3+i]*y[3+j]) / 3
			near(t, "J kept", diag[3*i+j], want, 1e-15)
			if i == j {
				want = 0
			}
			near(t, "J", hebb[3*i+j], want, 1e-15)
		}
	}
	// The energy is that of the Ising model with the same couplings.
	net := must(NewHopfield(Hebb, 3, y))
	h := []float64{0.3, -0.1, 0.2}
	if err := net.SetField(h); err != nil {
		t.Fatal(err)
	}
	m := must(NewIsingMatrix(hebb, 1, h))
	for s := range 8 {
		x := state(3, s)
		near(t, "U", net.Energy(x), m.Energy(x), 1e-15)
		for i, f := range net.Fields(nil, x) {
			near(t, "field", f, m.LocalField(x, i), 1e-15)
		}
	}
	for _, err := range conform.Check(net, conform.Options{Prefix: "spin: "}) {
		t.Error(err)
	}
}

// The pseudo-inverse keeps strongly correlated patterns that Hebb's rule loses.
func TestPseudoInverseKeepsCorrelatedPatterns(t *testing.T) {
	const n, p = 64, 12
	base := randomPatterns(n, 1, 1)
	s := ebmkit.NewStream(2, "flips", 0)
	var y []float64
	for range p {
		for _, v := range base {
			if s.Float64() < 0.15 {
				v = -v
			}
			y = append(y, v)
		}
	}
	kept := func(rule Storage) (k int) {
		net := must(NewHopfield(rule, n, y))
		for i := range p {
			if r := must(net.RetrieveSync(y[i*n:(i+1)*n], 1)); r.Outcome == FixedPoint {
				k++
			}
		}
		if fixed := must(net.FixedPoints(y)); fixed != k {
			t.Errorf("%v: %d fixed points, by retrieval %d", rule, fixed, k)
		}
		return k
	}
	t.Logf("kept of %d: Hebb %d, pseudo-inverse %d", p, kept(Hebb), kept(PseudoInverse))
	if kept(PseudoInverse) != p || kept(Hebb) > p/2 {
		t.Errorf("kept of %d: Hebb %d, pseudo-inverse %d", p, kept(Hebb), kept(PseudoInverse))
	}
	// With its diagonal the matrix is the projection: it maps patterns to themselves.
	net := must(NewHopfield(PseudoInverse, n, y))
	j := net.Couplings()
	row := y[:n]
	// (P y)_i = y_i, so the field without the diagonal is (1 - P_ii) y_i, the same
	// ratio for every pattern.
	for i, f := range net.Fields(nil, row) {
		other := net.Fields(nil, y[n:2*n])
		near(t, "1 - P_ii", f*row[i], other[i]*y[n+i], 1e-11)
		if j[i*n+i] != 0 {
			t.Fatal("the diagonal is kept")
		}
	}
}

// The rate of wrong spins after one step is the binomial probability.
func TestOneStepErrorAgainstSimulation(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	for _, c := range []struct{ n, p int }{{50, 20}, {101, 30}, {40, 41}} {
		wrong, zero, err := OneStepError(c.n, c.p)
		if err != nil {
			t.Fatal(err)
		}
		approx := math.Erfc(math.Sqrt(float64(c.n-1)/float64(2*(c.p-1)))) / 2
		// Spins of one set of patterns are not independent; sets are. For even N
		// the fields of a whole set even agree modulo 4, so all or none can be ties.
		const sets = 400
		rate, ties, withDiagonal := make([]float64, sets), make([]float64, sets), make([]float64, sets)
		for k := range sets {
			y := randomPatterns(c.n, c.p, uint64(1000+k))
			net := must(NewHopfield(Hebb, c.n, y))
			kept := must(NewHopfield(HebbDiagonal, c.n, y))
			for q := range c.p {
				x := y[q*c.n : (q+1)*c.n]
				f := net.Fields(nil, x)
				next := must(net.RetrieveSync(x, 1)).Last()
				nextKept := must(kept.RetrieveSync(x, 1)).Last()
				for i := range x {
					if next[i] != x[i] {
						rate[k] += 1 / float64(c.n*c.p)
					}
					if nextKept[i] != x[i] {
						withDiagonal[k] += 1 / float64(c.n*c.p)
					}
					if math.Abs(f[i]) < 1e-9 {
						ties[k] += 1 / float64(c.n*c.p)
					}
				}
			}
		}
		r, z, d := ebmkit.MeanOf(rate), ebmkit.MeanOf(ties), ebmkit.MeanOf(withDiagonal)
		t.Logf("N = %d, P = %d: wrong %v, exact %.6g (z = %.2f), erfc %.4g; ties %v, exact %.6g (z = %.2f); diagonal kept %v", c.n, c.p, r, wrong, r.Z(wrong), approx, z, zero, z.Z(zero), d)
		if math.Abs(r.Z(wrong)) > 4 || math.Abs(z.Z(zero)) > 4 && zero > 0 {
			t.Errorf("N = %d, P = %d: z = %.1f, %.1f", c.n, c.p, r.Z(wrong), z.Z(zero))
		}
		// Negative control: the law is not that of the network with its diagonal.
		if math.Abs(d.Z(wrong)) < 8 {
			t.Errorf("N = %d, P = %d: the diagonal makes no difference", c.n, c.p)
		}
	}
}

func TestOneStepErrorByHand(t *testing.T) {
	// n = 2, p = 3: S is the sum of two signs; S < -1 is S = -2.
	wrong, zero, _ := OneStepError(2, 3)
	near(t, "wrong", wrong, 0.25, 1e-15)
	near(t, "zero", zero, 0, 0)
	// n = 2, p = 4: three signs; S = -3 is wrong, S = -1 a tie.
	wrong, zero, _ = OneStepError(2, 4)
	near(t, "wrong", wrong, 1.0/8, 1e-15)
	near(t, "zero", zero, 3.0/8, 1e-15)
	if w, z, _ := OneStepError(10, 1); w != 0 || z != 0 {
		t.Error("a single pattern has errors")
	}
	// Large: the sum of ten million signs.
	w, _, _ := OneStepError(10_001, 1001)
	near(t, "large", w, math.Erfc(math.Sqrt(10_000.0/2000))/2, 1e-3)
}

// One spin at a time the energy never rises, at any load; the rule itself, not
// only its end.
func TestAsynchronousEnergyNeverRises(t *testing.T) {
	for _, rule := range []Storage{Hebb, HebbDiagonal, PseudoInverse} {
		for seed := range uint64(20) {
			net := must(NewHopfield(rule, 60, randomPatterns(60, 15, seed)))
			net.SetField(must2(seed))
			r := must(net.RetrieveAsync(randomPatterns(60, 1, 100+seed), 200, seed))
			if r.Outcome != FixedPoint {
				t.Errorf("%v, seed %d: %v", rule, seed, r.Outcome)
			}
			for k := 1; k < len(r.Descent); k++ {
				if r.Descent[k] > r.Descent[k-1]+1e-12 {
					t.Errorf("%v, seed %d: U rises from %v to %v", rule, seed, r.Descent[k-1], r.Descent[k])
				}
			}
			// The energies of single spins pass through those of the sweeps.
			at := 0
			for k, u := range r.Energy {
				for at < len(r.Descent) && math.Abs(r.Descent[at]-u) > 1e-11 {
					at++
				}
				if at == len(r.Descent) {
					t.Errorf("%v, seed %d: U = %v after sweep %d is not on the way down", rule, seed, u, k)
				}
			}
		}
	}
}

// must2 is a field for 60 spins.
func must2(seed uint64) []float64 {
	h := make([]float64, 60)
	s := ebmkit.NewStream(seed, "field", 0)
	s.FillNormal(h)
	for i := range h {
		h[i] *= 0.1
	}
	return h
}

// All at once, with the diagonal of review eq. (3) kept, there is no 2-cycle and
// no rise of the energy; with J_ii = 0 both occur.
func TestSynchronousCycles(t *testing.T) {
	count := func(rule Storage) (cycles, rises int) {
		for seed := range uint64(60) {
			net := must(NewHopfield(rule, 40, randomPatterns(40, 12, seed)))
			r := must(net.RetrieveSync(randomPatterns(40, 1, 500+seed), 500))
			if r.Outcome == Unfinished {
				t.Errorf("%v, seed %d: neither fixed point nor 2-cycle", rule, seed)
			}
			if r.Outcome == TwoCycle {
				cycles++
			}
			rises += r.Rises()
		}
		return cycles, rises
	}
	kept, keptRises := count(HebbDiagonal)
	zero, zeroRises := count(Hebb)
	t.Logf("60 starts: diagonal kept %d 2-cycles, %d rises; J_ii = 0: %d 2-cycles, %d rises", kept, keptRises, zero, zeroRises)
	if kept != 0 || keptRises != 0 || zero == 0 || zeroRises == 0 {
		t.Errorf("diagonal kept: %d 2-cycles, %d rises; J_ii = 0: %d, %d", kept, keptRises, zero, zeroRises)
	}
}

// At low load a pattern with one spin in ten reversed comes back.
func TestRetrieval(t *testing.T) {
	const n, p = 200, 8
	y := randomPatterns(n, p, 3)
	net := must(NewHopfield(Hebb, n, y))
	for q := range p {
		x := slices.Clone(y[q*n : (q+1)*n])
		for i := 0; i < n; i += 10 {
			x[i] = -x[i]
		}
		r := must(net.RetrieveAsync(x, 50, 1))
		if m := Overlap(r.Last(), y[q*n:(q+1)*n]); m < 0.97 || r.Outcome != FixedPoint {
			t.Errorf("pattern %d: overlap %v, %v", q, m, r.Outcome)
		}
		if r.States[0][0] != x[0] || &r.States[0][0] == &x[0] {
			t.Error("the start is not a copy of x")
		}
	}
}

func TestHopfieldErrors(t *testing.T) {
	y := randomPatterns(6, 2, 1)
	net := must(NewHopfield(Hebb, 6, y))
	bad := slices.Clone(y)
	bad[8] = 0
	for _, c := range []struct {
		what, arg string
		err       func() error
	}{
		{"entry 0", "patterns[1][2]", func() error { _, e := NewHopfield(Hebb, 6, bad); return e }},
		{"no pattern", "len(patterns)", func() error { _, e := NewHopfield(Hebb, 6, nil); return e }},
		{"cut pattern", "len(patterns)", func() error { _, e := NewHopfield(Hebb, 6, y[:11]); return e }},
		{"no spins", "n", func() error { _, e := NewHopfield(Hebb, 0, y); return e }},
		{"rule", "rule", func() error { _, e := NewHopfield(9, 6, y); return e }},
		{"dependent", "patterns[2]", func() error {
			_, e := NewHopfield(PseudoInverse, 6, append(slices.Clone(y), y[:6]...))
			return e
		}},
		{"start", "x[0]", func() error { _, e := net.RetrieveSync([]float64{0.5, 1, 1, 1, 1, 1}, 3); return e }},
		{"short start", "len(x)", func() error { _, e := net.RetrieveAsync(y[:3], 3, 1); return e }},
		{"limit", "limit", func() error { _, e := net.RetrieveAsync(y[:6], 0, 1); return e }},
		{"field", "h[1]", func() error { return net.SetField([]float64{0, math.NaN(), 0, 0, 0, 0}) }},
		{"one spin", "n", func() error { _, _, e := OneStepError(1, 3); return e }},
		{"no patterns", "p", func() error { _, _, e := OneStepError(5, 0); return e }},
	} {
		wantArg(t, c.what, c.err(), c.arg)
	}
	if s := fmt.Sprint(Hebb, PseudoInverse, TwoCycle, HeatBath); s != "Hebb pseudo-inverse 2-cycle heat bath" {
		t.Error(s)
	}
}
