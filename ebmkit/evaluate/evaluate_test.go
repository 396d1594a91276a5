package evaluate_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/evaluate"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/race"
)

var (
	_ evaluate.Parts = data.Ring{}
	_ evaluate.Parts = (*data.Curves)(nil)
	_ evaluate.Parts = (*evaluate.Nearest)(nil)
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ring(masses ...float64) data.Ring { return must(data.NewRing(masses, 3, 0.4)) }

var unequal = []float64{0.4, 0.3, 0.2, 0.1}

func Example() {
	law := must(data.NewRing([]float64{0.4, 0.3, 0.2, 0.1}, 3, 0.4))
	judge := must(evaluate.NewJudge(must(ebmkit.Draw(law, 500, 1)), evaluate.Config{Parts: law, Truth: law, Projections: 20, Permutations: 39, Seed: 1}))

	// A generator that knows three of the four modes.
	model := must(data.NewRing([]float64{0.4, 0.4, 0.2, 0}, 3, 0.4))
	report := must(judge.Report(evaluate.Generator{
		Name: "three modes", Samples: must(ebmkit.Draw(model, 500, 2)), Params: 12, GradEvals: 1000,
	}))
	fmt.Println(report)
	// Output:
	// three modes: 500 samples, 500 held-out points
	//   MMD^2          0.0114 +- 0.0043 (level 0.0027, p = 0.025)
	//   sliced W2      0.77 +- 0.10 (level 0.48, p = 0.025)
	//   masses         TV 0.126 +- 0.017 (level 0.05, p = 0.025)
	//   modes          3 of 4 found
	//      0  0.434 +- 0.022, true 0.4
	//      1  0.392 +- 0.022, true 0.3
	//      2  0.174 +- 0.017, true 0.2
	//      3  0.0000 +- 0.0020, true 0.1  missed
	//   cost           12 parameters, 1000 gradient evaluations
}

// Under the null hypothesis a level of 0.05 is exceeded one time in 20.
func TestLevels(t *testing.T) {
	runs := 200
	if testing.Short() {
		runs = 50
	}
	law := ring(unequal...)
	told := [3]int{}
	for r := range runs {
		judge := must(evaluate.NewJudge(must(ebmkit.Draw(law, 60, uint64(2*r))), evaluate.Config{Parts: law, Bandwidth: 1, Projections: 4, Permutations: 19, Seed: uint64(r)}))
		rep := must(judge.Report(evaluate.Generator{Samples: must(ebmkit.Draw(law, 60, uint64(2*r+1)))}))
		for i, d := range []evaluate.Distance{rep.MMD2, rep.SlicedW2, rep.Masses} {
			if d.P <= 0.05 {
				told[i]++
			}
			if (d.P <= 0.05) != (d.Value.Value > d.Level) {
				t.Fatalf("run %d: p = %v, but %v against a level of %v", r, d.P, d.Value.Value, d.Level)
			}
		}
	}
	for i, k := range told {
		// Ties make the level of the masses, a discrete number, smaller.
		z := (float64(k) - 0.05*float64(runs)) / math.Sqrt(0.05*0.95*float64(runs))
		t.Logf("statistic %d exceeds its level %d times in %d, z = %.1f", i, k, runs, z)
		if z > 4 || z < -4 && i < 2 {
			t.Errorf("statistic %d: z = %.1f", i, z)
		}
	}
}

// What is wrong with a generator is seen, each fault by the number that is for it.
func TestFaults(t *testing.T) {
	if race.Enabled {
		t.Skip("nothing runs at the same time here, and it is slow under the race detector")
	}
	law := ring(unequal...)
	held := must(ebmkit.Draw(law, 400, 1))
	judge := must(evaluate.NewJudge(held, evaluate.Config{Parts: law, Truth: law, Bandwidth: 0.4, Projections: 10, Permutations: 39, Seed: 1}))
	report := func(name string, model ebmkit.Energy) *evaluate.Report {
		g := evaluate.Generator{Name: name, Samples: must(ebmkit.Draw(model, 400, 3))}
		if n, ok := model.(ebmkit.Normalized); ok {
			g.LogDensity = judge.LogDensity(n)
		}
		r := must(judge.Report(g))
		t.Log(r)
		return r
	}
	// How often the truth exceeds a level is for TestLevels.
	r := report("truth", law)
	if r.Missed != 0 {
		t.Error("the truth misses a mode")
	}
	if r.KL.Value != 0 || r.KL.SE != 0 {
		t.Errorf("KL of the truth from itself = %v", r.KL)
	}
	for k, m := range r.Modes {
		if z := m.Mass.Z(unequal[k]); math.Abs(z) > 4 {
			t.Errorf("mass of mode %d: z = %.1f", k, z)
		}
	}
	if r := report("a mode too few", ring(0.4, 0.4, 0.2, 0)); r.Missed != 1 || r.Modes[3].Found || r.Masses.Ratio() < 2 || r.MMD2.Ratio() < 1 || r.SlicedW2.Ratio() < 1 {
		t.Error("the missing mode is not seen")
	} else if r.KL.Value < 0.1 {
		t.Errorf("KL = %v", r.KL)
	}
	if r := report("equal masses", ring(1, 1, 1, 1)); r.Missed != 0 || r.Masses.Ratio() < 2 || r.SlicedW2.Ratio() < 1 {
		t.Error("wrong masses are not seen")
	} else {
		want := must(divergence.KL(law, ring(1, 1, 1, 1), quad.All()))
		if z := r.KL.Z(want.Value); math.Abs(z) > 4 {
			t.Errorf("KL = %v, exact %v: z = %.1f", r.KL, want.Value, z)
		}
		if z := r.LogLik.Z(-must(divergence.CrossEntropy(law, ring(1, 1, 1, 1), quad.All())).Value); math.Abs(z) > 4 {
			t.Errorf("log-likelihood = %v, z = %.1f", r.LogLik, z)
		}
	}
	wide := must(data.NewRing(unequal, 3, 0.7))
	if r := report("modes too wide", wide); r.MMD2.Ratio() < 2 {
		t.Error("wrong widths are not seen by a kernel as wide as a mode")
	}
}

func TestNearest(t *testing.T) {
	n := must(evaluate.NewNearest(2, []float64{0, 0, 4, 0}, []float64{3, 1}, 1.5))
	for _, c := range []struct {
		x, y float64
		want int
	}{{0, 0, 0}, {1, 1, 0}, {2, 0, -1}, {3, 0, 1}, {4, -1.4, 1}, {9, 9, -1}} {
		if got := n.Part([]float64{c.x, c.y}); got != c.want {
			t.Errorf("Part(%v, %v) = %d, want %d", c.x, c.y, got, c.want)
		}
	}
	if m := n.Masses(nil); m[0] != 0.75 || m[1] != 0.25 {
		t.Error("masses:", m)
	}
	// A uniform cloud: most of it is in no part, which the report says.
	box := &ebmkit.Ensemble{N: 400, Dim: 2, X: make([]float64, 800)}
	ebmkit.NewStream(1, "box", 0).FillUniform(box.X)
	for i := range box.X {
		box.X[i] = 20*box.X[i] - 10
	}
	judge := must(evaluate.NewJudge(box, evaluate.Config{Parts: n, Projections: 4, Permutations: 19}))
	r := must(judge.Report(evaluate.Generator{Samples: box}))
	// The discs cover 2 pi 1.5^2 of 400.
	if z := r.Outside.Z(1 - 2*math.Pi*2.25/400); math.Abs(z) > 4 {
		t.Errorf("outside %v, z = %.1f", r.Outside, z)
	}
	if !strings.Contains(r.String(), "in none") || r.Missed != 2 {
		t.Error(r)
	}
}

func TestSummarize(t *testing.T) {
	law := ring(unequal...)
	judge := must(evaluate.NewJudge(must(ebmkit.Draw(law, 100, 1)), evaluate.Config{Parts: law, Truth: law, Projections: 4, Permutations: 19}))
	var reports []*evaluate.Report
	for seed := range 3 {
		reports = append(reports, must(judge.Report(evaluate.Generator{Name: "truth", Samples: must(ebmkit.Draw(law, 100, uint64(10+seed))),
			LogDensity: judge.LogDensity(law), TrainSeconds: float64(seed + 1)})))
	}
	s := must(evaluate.Summarize(reports))
	if s.Runs != 3 || s.TrainSeconds.Mean != 2 || s.TrainSeconds.SD != 1 || s.TrainSeconds.Min != 1 || s.TrainSeconds.Max != 3 || s.Modes != 4 {
		t.Errorf("%+v", s)
	}
	// Shares of the modes: the mean over the runs, one by one.
	for k, share := range s.Shares {
		want := (reports[0].Modes[k].Mass.Value + reports[1].Modes[k].Mass.Value + reports[2].Modes[k].Mass.Value) / 3
		if share.Runs != 3 || math.Abs(share.Mean-want) > 1e-15 {
			t.Errorf("share of mode %d: %+v, want %v", k, share, want)
		}
	}
	if len(s.Shares) != 4 {
		t.Errorf("shares of %d modes", len(s.Shares))
	}
	for told, passes := range []bool{true, true, false, false} { // of 3 runs
		if r := (evaluate.Summary{Runs: 3, Told: told}); r.Passes() != passes || r.ToldRuns() != fmt.Sprintf("%d of 3", told) {
			t.Errorf("told in %s: passes %v", r.ToldRuns(), r.Passes())
		}
	}
	if s.LogLik.SD != 0 { // one set of held-out points, one density
		t.Errorf("log-likelihood %+v", s.LogLik)
	}
	if len(s.Row()) != len(evaluate.SummaryHeader()) || len(reports[0].Row()) != len(evaluate.Header()) || len(reports[0].ModeRows()[0]) != len(evaluate.ModeHeader()) {
		t.Error("rows do not fit their headers")
	}
	if got, want := fmt.Sprint(s.CostRow()...), fmt.Sprint("truth", 0, 0, "2.0 +- 1.0", "–"); got != want || len(s.CostRow()) != len(evaluate.CostHeader()) {
		t.Errorf("cost %v, want %v", got, want)
	}
	if got, want := fmt.Sprint(reports[1].CostRow()...), fmt.Sprint("truth", 0, 0, "2", "–"); got != want {
		t.Errorf("cost %v, want %v", got, want)
	}
	t.Log(s)
	t.Log(s.Row()...)
	t.Log(reports[0].Row()...)
	one := must(evaluate.Summarize(reports[:1]))
	if !math.IsNaN(one.SlicedW2.SD) || one.SlicedW2.Mean != reports[0].SlicedW2.Value.Value {
		t.Errorf("one run: %+v", one.SlicedW2)
	}
	other := *reports[1]
	other.GradEvals = 5
	for _, bad := range [][]*evaluate.Report{nil, {nil}, {reports[0], &other}} {
		var arg *ebmkit.ArgError
		if _, err := evaluate.Summarize(bad); !errors.As(err, &arg) {
			t.Errorf("want an ArgError, got %v", err)
		}
	}
}

func TestRank(t *testing.T) {
	at := func(mean, sd float64) evaluate.Spread { return evaluate.Spread{Mean: mean, SD: sd, Runs: 4} }
	nan := math.NaN()
	spreads := []evaluate.Spread{at(3, 1), at(nan, nan), at(1, 1), at(2, 1), at(2.5, 1)}
	// SE of a difference is sqrt(1/2): 1 and 2 are 1.4 of it apart, 1 and 2.5 2.1.
	order, shared := evaluate.Rank(spreads, false)
	if !slices.Equal(order, []int{2, 3, 4, 0}) || shared != 2 {
		t.Error(order, shared)
	}
	if order, shared = evaluate.Rank(spreads, true); !slices.Equal(order, []int{0, 4, 3, 2}) || shared != 3 {
		t.Error(order, shared)
	}
	for i := range spreads {
		spreads[i].SD, spreads[i].Runs = nan, 1
	}
	if _, shared = evaluate.Rank(spreads, false); shared != 1 {
		t.Error("one run shares a place:", shared)
	}
	if order, shared = evaluate.Rank(nil, false); order != nil || shared != 0 {
		t.Error(order, shared)
	}
}

func TestNoDensity(t *testing.T) {
	law := must(energy.NewIsotropicGaussian([]float64{0, 0, 0}, 1))
	judge := must(evaluate.NewJudge(must(ebmkit.Draw(law, 50, 1)), evaluate.Config{Projections: 4, Permutations: 19}))
	r := must(judge.Report(evaluate.Generator{Name: "GAN", Samples: must(ebmkit.Draw(law, 40, 2))}))
	if !math.IsNaN(r.LogLik.Value) || !math.IsNaN(r.KL.Value) || r.Modes != nil || r.Row()[1] != "–" || r.Row()[5] != "–" {
		t.Errorf("%+v", r)
	}
	ld := make([]float64, 50)
	ld[3] = math.Inf(-1)
	r = must(judge.Report(evaluate.Generator{Samples: must(ebmkit.Draw(law, 40, 2)), LogDensity: ld}))
	if !math.IsInf(r.LogLik.Value, -1) || !math.IsInf(r.LogLik.SE, 1) {
		t.Errorf("a held-out point where the model's density is 0: %v", r.LogLik)
	}
}

func TestBadInput(t *testing.T) {
	law := ring(unequal...)
	held := must(ebmkit.Draw(law, 50, 1))
	few := must(ebmkit.Draw(law, 5, 1))
	broken := held.Clone()
	broken.X[7] = math.NaN()
	line := must(ebmkit.Draw(must(energy.NewGaussian1D(0, 1)), 50, 1))
	same := held.Clone()
	clear(same.X)
	weighted := held.Clone()
	weighted.LogW = make([]float64, 50)
	box := must(data.NewCheckerboard(4, 1, nil))
	far := held.Clone()
	far.X[7] = 1e200
	judge := must(evaluate.NewJudge(held, evaluate.Config{Projections: 4, Permutations: 19}))
	nan := math.NaN()
	ld := func(v float64) []float64 { s := make([]float64, 50); s[4] = v; return s }
	for _, c := range []struct {
		arg string
		do  func() error
	}{
		{"heldOut", func() error { _, err := evaluate.NewJudge(nil, evaluate.Config{}); return err }},
		{"heldOut", func() error { _, err := evaluate.NewJudge(few, evaluate.Config{}); return err }},
		{"heldOut, row 3, coordinate 1", func() error { _, err := evaluate.NewJudge(broken, evaluate.Config{}); return err }},
		{"Parts.Dim()", func() error { _, err := evaluate.NewJudge(line, evaluate.Config{Parts: law}); return err }},
		{"Truth.Dim()", func() error { _, err := evaluate.NewJudge(line, evaluate.Config{Truth: law}); return err }},
		{"heldOut", func() error { _, err := evaluate.NewJudge(held, evaluate.Config{Truth: box}); return err }},
		{"Bandwidth", func() error { _, err := evaluate.NewJudge(same, evaluate.Config{}); return err }},
		{"Bandwidth", func() error { _, err := evaluate.NewJudge(held, evaluate.Config{Bandwidth: -1}); return err }},
		{"Projections", func() error { _, err := evaluate.NewJudge(held, evaluate.Config{Projections: 1}); return err }},
		{"Permutations", func() error { _, err := evaluate.NewJudge(held, evaluate.Config{Permutations: 5}); return err }},
		{"MinShare", func() error { _, err := evaluate.NewJudge(held, evaluate.Config{MinShare: nan}); return err }},
		{"Samples", func() error { _, err := judge.Report(evaluate.Generator{}); return err }},
		{"Samples, row 3, coordinate 1", func() error { _, err := judge.Report(evaluate.Generator{Samples: broken}); return err }},
		{"Samples", func() error { _, err := judge.Report(evaluate.Generator{Samples: far}); return err }},
		{"Samples.LogW", func() error { _, err := judge.Report(evaluate.Generator{Samples: weighted}); return err }},
		{"Samples.Dim", func() error { _, err := judge.Report(evaluate.Generator{Samples: line}); return err }},
		{"len(LogDensity)", func() error {
			_, err := judge.Report(evaluate.Generator{Samples: held, LogDensity: []float64{1}})
			return err
		}},
		{"LogDensity[4]", func() error {
			_, err := judge.Report(evaluate.Generator{Samples: held, LogDensity: ld(nan)})
			return err
		}},
		{"LogDensity[4]", func() error {
			_, err := judge.Report(evaluate.Generator{Samples: held, LogDensity: ld(math.Inf(1))})
			return err
		}},
		{"Params, GradEvals, TrainSeconds, Per1000Seconds", func() error {
			_, err := judge.Report(evaluate.Generator{Samples: held, TrainSeconds: nan})
			return err
		}},
		{"dim", func() error { _, err := evaluate.NewNearest(0, nil, nil, 1); return err }},
		{"len(centers)", func() error { _, err := evaluate.NewNearest(2, []float64{1}, []float64{1}, 1); return err }},
		{"centers[1]", func() error { _, err := evaluate.NewNearest(2, []float64{1, nan}, []float64{1}, 1); return err }},
		{"masses[0]", func() error { _, err := evaluate.NewNearest(1, []float64{1}, []float64{-1}, 1); return err }},
		{"masses", func() error { _, err := evaluate.NewNearest(1, []float64{1}, []float64{0}, 1); return err }},
		{"radius", func() error { _, err := evaluate.NewNearest(1, []float64{1}, []float64{1}, 0); return err }},
	} {
		var arg *ebmkit.ArgError
		if err := c.do(); !errors.As(err, &arg) || arg.Arg != c.arg || !strings.HasPrefix(arg.Func, "evaluate.") {
			t.Errorf("want an error about %q, got %v", c.arg, err)
		}
	}
}
