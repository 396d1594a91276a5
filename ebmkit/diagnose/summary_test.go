package diagnose

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// TestOptima finds the optima and their 5 % intervals again from the curves of
// efficiency against step.
func TestOptima(t *testing.T) {
	accept := func(x float64) float64 { return math.Erfc(x / math.Sqrt2) } // 2 Phi(-x)
	// Expected squared jump of random-walk Metropolis on N(0, 1): pairs (x, y)
	// are exchangeable, so it is 2 E[(y-x)^2; |y| < |x|], one integral in x.
	jump := func(s float64) float64 {
		const n, top = 400, 10.0
		var sum float64
		for i := range n {
			x := (float64(i) + 0.5) * top / n
			a := 2 * x / s
			second := 0.5*math.Erf(a/math.Sqrt2) - a*math.Exp(-a*a/2)/math.Sqrt(2*math.Pi)
			sum += math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) * second * top / n
		}
		return 4 * s * s * sum
	}
	for _, c := range []struct {
		o       Optimum
		eff     func(l float64) float64
		accept  func(l float64) float64
		tighter float64 // half a unit of the last digit given
	}{
		{RandomWalkOptimum(100), func(l float64) float64 { return l * l * accept(l/2) }, func(l float64) float64 { return accept(l / 2) }, 5e-4},
		{RandomWalkOptimum(1), jump, func(l float64) float64 { return 2 / math.Pi * math.Atan(2/l) }, 5e-3},
		{MALAOptimum(), func(l float64) float64 { return l * l * accept(l*l*l/2) }, func(l float64) float64 { return accept(l * l * l / 2) }, 5e-4},
		{HMCOptimum(), func(l float64) float64 { return l * accept(l*l/2) }, func(l float64) float64 { return accept(l * l / 2) }, 5e-4},
	} {
		const step = 5e-4
		best, at := 0.0, 0.0
		for l := 0.1; l < 5; l += step {
			if e := c.eff(l); e > best {
				best, at = e, l
			}
		}
		edge := func(dir float64) float64 {
			l := at
			for c.eff(l) > 0.95*best {
				l += dir * step
			}
			return c.accept(l)
		}
		for what, v := range map[string][2]float64{
			"best": {c.o.Rate, c.accept(at)}, "low": {c.o.Low, edge(1)}, "high": {c.o.High, edge(-1)},
		} {
			if math.Abs(v[0]-v[1]) > c.tighter+step {
				t.Errorf("%s: %s acceptance %v, computed %.4f", c.o.Kernel, what, v[0], v[1])
			}
		}
	}
	for rate, want := range map[float64]string{0.99: "larger", 0.25: "keep", 0.05: "smaller", math.NaN(): "not an", 1.5: "not an"} {
		if s := RandomWalkOptimum(10).Judge(rate); !strings.Contains(s, want) {
			t.Errorf("Judge(%v) = %q, want it to say %q", rate, s, want)
		}
	}
}

// TestEnsembleErrorsCover checks mean and variance of independent walkers,
// plain and weighted, on an exponential distribution (skewed: fourth moment 9).
func TestEnsembleErrorsCover(t *testing.T) {
	const reps, n = 400, 4000
	z := map[string][]float64{}
	for r := range reps {
		e, err := ebmkit.NewEnsemble(n, 2)
		if err != nil {
			t.Fatal(err)
		}
		s := ebmkit.NewStream(uint64(r), "exponential", 0)
		for i := range n {
			e.X[2*i+1] = s.Exponential()
		}
		z["mean"] = append(z["mean"], Mean(e, 1).Z(1))
		z["variance"] = append(z["variance"], Variance(e, 1).Z(1))
		m := Mean(e, 1)
		z["control: mean with half the error"] = append(z["control: mean with half the error"], 2*m.Z(1))

		// Weights exp(-x) turn the exponential of rate 1 into that of rate 2.
		e.LogW = make([]float64, n)
		for i := range n {
			e.LogW[i] = 1000 - e.X[2*i+1]
		}
		z["weighted mean"] = append(z["weighted mean"], Mean(e, 1).Z(0.5))
		z["weighted variance"] = append(z["weighted variance"], Variance(e, 1).Z(0.25))
		e.LogW = nil
		z["control: weights forgotten"] = append(z["control: weights forgotten"], Mean(e, 1).Z(0.5))
	}
	for name, v := range z {
		ms, off := zOf(v)
		t.Logf("%-36s mean z^2 = %.3f (%+.1f)", name, ms, off)
		// Estimated errors of skewed draws raise mean z^2 by some tens of
		// kurtosis/n; the variance, with kurtosis about 100, has the largest.
		if covers := math.Abs(off) < 4+0.03/math.Sqrt(2./reps); covers == strings.HasPrefix(name, "control") {
			t.Errorf("%s: mean z^2 = %.3f, %+.1f standard errors from 1", name, ms, off)
		}
	}
	one := &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{3}}
	if m, v := Mean(one, 0), Variance(one, 0); m.Value != 3 || !math.IsInf(m.SE, 1) || !math.IsNaN(v.Value) || !math.IsInf(v.SE, 1) {
		t.Errorf("one walker: mean %v, variance %v", m, v)
	}
	equal := &ebmkit.Ensemble{N: 3, Dim: 1, X: []float64{1, 2, 4}, LogW: []float64{-5, -5, -5}}
	plain := &ebmkit.Ensemble{N: 3, Dim: 1, X: equal.X}
	if a, b := Mean(equal, 0), Mean(plain, 0); math.Abs(a.Value-b.Value) > 1e-15 || math.Abs(a.SE-b.SE) > 1e-15 {
		t.Errorf("equal weights: %v, without weights %v", a, b)
	}
}

func TestSameBitsOnAnyNumberOfCores(t *testing.T) {
	c := ar1Chain(501, 3, 7, 0.6, 3)
	c.U = make([]float64, 501*3)
	for i := range c.U {
		c.U[i] = c.X[7*i] * c.X[7*i] / 2
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []any
	for _, p := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(p)
		r, err1 := RHat(c)
		e, err2 := ESS(c)
		s, err3 := Summarize(c)
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		s.Accept = 0 // NaN is not equal to itself
		got := []any{r, e, s}
		if first == nil {
			first = got
		}
		if !reflect.DeepEqual(got, first) {
			t.Errorf("GOMAXPROCS %d gives other results than 1", p)
		}
		for j := range r {
			series, _ := FromChain(c, j)
			if r[j] != series.RHat() || e[j] != series.ESSBulk() || s.Rows[j].ESSTail != series.ESSTail() ||
				s.Rows[j].Mean != series.Mean() || s.Rows[j].SD != series.SD() {
				t.Errorf("coordinate %d differs from its own series", j)
			}
		}
	}
}

func TestSummaryNotes(t *testing.T) {
	says := func(c *ebmkit.Chain, names []string, want ...string) {
		t.Helper()
		s, err := Summarize(c, names...)
		if err != nil {
			t.Fatal(err)
		}
		if s.Notes[len(s.Notes)-1] != unknowable {
			t.Errorf("the last note is %q", s.Notes[len(s.Notes)-1])
		}
		if len(s.Notes) != len(want)+1 {
			t.Errorf("%d notes, want %d: %q", len(s.Notes), len(want)+1, s.Notes)
			return
		}
		for i, w := range want {
			if !strings.Contains(s.Notes[i], w) {
				t.Errorf("note %d is %q, want it to say %q", i, s.Notes[i], w)
			}
		}
		if len(s.Header()) != len(s.Cells()[0]) {
			t.Error("header and cells differ in length")
		}
	}
	good := func() *ebmkit.Chain { return ar1Chain(1000, 4, 2, 0.2, 11) }
	says(good(), nil)

	c := good()
	for i := 0; i < len(c.X); i += 2 {
		c.X[i] += float64(i / 2 % 4)
	}
	says(c, []string{"a", "b"}, "R-hat above 1.01: a.", "ESS below 400: a.")

	c = good()
	for i := range c.X {
		if i/2%4 == 3 {
			c.X[i] = 0.3
		}
	}
	says(c, nil, "1 walker never moved: walker 3.", "R-hat")

	c = ar1Chain(3000, 1, 1, 0, 1)
	says(c, nil, "One chain")

	c = good()
	c.Divergent = 3
	c.Accept = []float64{0.5, 0.7, 0.6, 0.6}
	slow := ar1Chain(1000, 4, 1, 0.97, 3)
	c.H = slow.X
	says(c, nil, "3 transitions diverged", "E-BFMI below 0.3 in 4 walkers")
	if s, _ := Summarize(c); math.Abs(s.Accept-0.6) > 1e-15 || !strings.Contains(s.String(), "acceptance 0.600") {
		t.Errorf("acceptance %v", s.Accept)
	}

	still := &ebmkit.Chain{Draws: 10, Walkers: 2, Dim: 1, X: make([]float64, 20)}
	says(still, nil, "2 walkers never moved: walker 0, 1.")
	if s, _ := Summarize(still); !math.IsNaN(s.Rows[0].ESSBulk) || !math.IsNaN(s.Rows[0].RHat) || !math.IsNaN(s.Rows[0].Mean.SE) {
		t.Errorf("a sampler that never moved: %+v", s.Rows[0])
	}
}

func TestGrowthAndRanks(t *testing.T) {
	s := ar1Series(t, 2000, 3, 0.5, 1)
	g, err := s.ESSGrowth(10)
	if err != nil {
		t.Fatal(err)
	}
	if len(g) != 10 || g[0].Draws != 200 || g[9].Draws != 2000 || g[9].Bulk != s.ESSBulk() || g[9].Tail != s.ESSTail() || g[0].Bulk > g[9].Bulk/5 {
		t.Errorf("growth %v", g)
	}
	counts, err := s.RankCounts(20)
	if err != nil {
		t.Fatal(err)
	}
	inBin := make([]int, 20)
	for c, row := range counts {
		total := 0
		for b, k := range row {
			total += k
			inBin[b] += k
			// Binomial with correlated draws: variance at most tau times larger.
			if z := (float64(k) - 100) / math.Sqrt(100*3); math.Abs(z) > 4.5 {
				t.Errorf("chain %d, bin %d: %d draws of 100 expected", c, b, k)
			}
		}
		if total != 2000 {
			t.Errorf("chain %d: %d ranks", c, total)
		}
	}
	for b, k := range inBin {
		if k != 300 {
			t.Errorf("bin %d holds %d ranks, want 300", b, k)
		}
	}
}

func TestBadInput(t *testing.T) {
	good := func() *ebmkit.Chain { return ar1Chain(10, 2, 3, 0.5, 1) }
	bad := func(f func(c *ebmkit.Chain)) *ebmkit.Chain { c := good(); f(c); return c }
	series, err := FromChain(good(), 1)
	if err != nil {
		t.Fatal(err)
	}
	of := func(_ any, err error) error { return err }
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		err     error
		fn, arg string
	}{
		{of(NewSeries(nil)), "NewSeries", "chains"},
		{of(NewSeries([][]float64{{}})), "NewSeries", "draws"},
		{of(NewSeries([][]float64{{1, 2, 3}})), "NewSeries", "draws"},
		{of(NewSeries([][]float64{{1, 2, 3, 4}, {1, 2, 3, 4, 5}})), "NewSeries", "len(chains[1])"},
		{of(NewSeries([][]float64{{1, 2, 3, 4}, {1, 2, nan, 4}})), "NewSeries", "chains[1][2]"},
		{of(NewSeries([][]float64{{1, 2, 3, inf}})), "NewSeries", "chains[0][3]"},
		{of(FromChain(nil, 0)), "FromChain", "c"},
		{of(FromChain(good(), 3)), "FromChain", "j"},
		{of(FromChain(good(), -1)), "FromChain", "j"},
		{of(FromChain(bad(func(c *ebmkit.Chain) { c.X[2*6+3+1] = nan }), 1)), "FromChain", "c.X[draw 2][walker 1][1]"},
		{of(FromChain(bad(func(c *ebmkit.Chain) { c.X = c.X[1:] }), 1)), "FromChain", "len(c.X)"},
		{of(FromChain(bad(func(c *ebmkit.Chain) { c.Walkers = 0 }), 1)), "FromChain", "c.Walkers"},
		{of(FromChain(bad(func(c *ebmkit.Chain) { c.Draws, c.X = 3, c.X[:18] }), 1)), "FromChain", "draws"},
		{of(FromEnergy(good())), "FromEnergy", "len(c.U)"},
		{of(FromTotalEnergy(good())), "FromTotalEnergy", "len(c.H)"},
		{of(FromEnergy(bad(func(c *ebmkit.Chain) { c.U = make([]float64, 20); c.U[5] = inf }))), "FromEnergy", "c.U[draw 2][walker 1]"},
		{of(FromFunc(good(), func(x []float64) float64 { return nan })), "FromFunc", "f at draw 0, walker 0"},
		{of(RHat(bad(func(c *ebmkit.Chain) { c.X[2] = nan }))), "RHat", "c.X[draw 0][walker 0][2]"},
		{of(ESS(nil)), "ESS", "c"},
		{of(Summarize(good(), "a")), "Summarize", "len(names)"},
		{of(Summarize(bad(func(c *ebmkit.Chain) { c.Dim = 0 }))), "Summarize", "c.Dim"},
		{of(series.Quantile(1.5)), "Quantile", "p"},
		{of(series.Quantile(nan)), "Quantile", "p"},
		{of(series.ESSQuantile(-0.1)), "ESSQuantile", "p"},
		{of(series.Autocorrelation(10)), "Autocorrelation", "maxLag"},
		{of(series.Autocorrelation(-1)), "Autocorrelation", "maxLag"},
		{of(series.ESSGrowth(3)), "ESSGrowth", "points"},
		{of(series.RankCounts(0)), "RankCounts", "bins"},
	} {
		var arg *ebmkit.ArgError
		if !errors.As(c.err, &arg) || arg.Func != "diagnose."+c.fn || arg.Arg != c.arg {
			t.Errorf("want an error of diagnose.%s about %s, got %v", c.fn, c.arg, c.err)
		}
	}
}

func TestFromFunc(t *testing.T) {
	c := ar1Chain(10, 2, 3, 0.5, 1)
	s, err := FromFunc(c, func(x []float64) float64 { return x[2] })
	if err != nil {
		t.Fatal(err)
	}
	want, _ := FromChain(c, 2)
	for w := range 2 {
		if !reflect.DeepEqual(s.Chain(w), want.Chain(w)) || !reflect.DeepEqual(s.Chain(w), c.Trace(w, 2)) {
			t.Errorf("walker %d: %v, want %v", w, s.Chain(w), c.Trace(w, 2))
		}
	}
}

// TestOverflowIsSeen: squares that overflow give NaN, not a made-up number, and
// the ranks do not care.
func TestOverflowIsSeen(t *testing.T) {
	s := ar1Series(t, 500, 4, 0.5, 1)
	rows := make([][]float64, 4)
	for k := range rows {
		rows[k] = s.Chain(k)
		for i := range rows[k] {
			rows[k][i] *= 1e200
		}
	}
	huge, err := NewSeries(rows)
	if err != nil {
		t.Fatal(err)
	}
	if e := huge.ESSMean(); !math.IsNaN(e) {
		t.Errorf("ESSMean = %v", e)
	}
	if m, v := huge.Mean(), huge.SD(); !math.IsNaN(m.SE) || !math.IsNaN(v.SE) {
		t.Errorf("errors of %v, %v", m, v)
	}
	if huge.ESSBulk() != s.ESSBulk() || huge.RHat() != s.RHat() || huge.ESSTail() != s.ESSTail() {
		t.Error("the rank diagnostics changed")
	}
}

// FuzzSeries: no input makes a diagnostic panic, and finite draws of moderate
// size give numbers, or NaN where the documentation says so.
func FuzzSeries(f *testing.F) {
	f.Add(uint64(1), uint8(2), uint8(10), uint8(0))
	f.Add(uint64(2), uint8(1), uint8(4), uint8(3))
	f.Add(uint64(3), uint8(4), uint8(9), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, chains, draws, levels uint8) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rows := make([][]float64, 1+chains%6)
		for k := range rows {
			rows[k] = make([]float64, 4+draws%60)
			for i := range rows[k] {
				if levels > 0 {
					rows[k][i] = float64(rng.IntN(int(levels)))
				} else {
					rows[k][i] = math.Ldexp(rng.NormFloat64(), rng.IntN(200)-100)
				}
			}
		}
		s, err := NewSeries(rows)
		if err != nil {
			t.Fatal(err)
		}
		n := float64(len(s.x))
		for name, e := range map[string]float64{"bulk": s.ESSBulk(), "tail": s.ESSTail(), "mean": s.ESSMean(), "sd": s.ESSSD()} {
			if s.Constant() != math.IsNaN(e) && name != "sd" {
				t.Errorf("ESS %s = %v of %v", name, e, rows)
			}
			if e > n*max(1, math.Log10(n))*(1+1e-12) || e <= 0 {
				t.Errorf("ESS %s = %v of %v draws", name, e, n)
			}
		}
		if r := s.RHat(); r < 0 {
			t.Errorf("R-hat %v", r)
		}
		s.Tau()
		s.SD()
		s.Quantile(0.9)
		EBFMI(s)
	})
}
