package freeenergy_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
)

func nearly(a, b float64) bool { return math.Abs(a-b) <= 1e-12*(1+math.Abs(b)) }

// What a report says of itself, against numbers worked out by hand.
func TestReportSays(t *testing.T) {
	r := must(freeenergy.ReportOf([]float64{0, math.Log(3)})) // weights 1 and 3
	r.Evals = 400
	f, off := r.FreeEnergy(), r.Off(1)
	if !nearly(f.Value, -math.Ln2) || f.SE != r.LogZ.SE || !nearly(off.Value, math.Ln2-1) || off.SE != r.LogZ.SE {
		t.Errorf("free energy %v, off by %v", f, off)
	}
	if w := r.Work(); len(w) != 2 || w[0] != 0 || w[1] != -math.Log(3) || &w[0] == &r.LogW[0] {
		t.Errorf("works %v of log-weights %v", w, r.LogW)
	}
	// The mean of log w is log(3)/2 with the standard error log(3)/2.
	if out := r.Outside(0); !nearly(out, 1) {
		t.Errorf("lower bound %v outside of 0 by %v standard errors, want 1", r.Lower, out)
	}
	r.Upper = ebmkit.Estimate{Value: 2, SE: 0.5}
	if out := r.Outside(3); !nearly(out, 2) {
		t.Errorf("upper bound %v outside of 3 by %v standard errors, want 2", r.Upper, out)
	}
	r.Lower, r.Upper = ebmkit.Estimate{Value: math.Inf(-1)}, ebmkit.Estimate{Value: math.Inf(1)}
	if out := r.Outside(0); !math.IsInf(out, -1) {
		t.Errorf("no bounds: %v", out)
	}
	if p := r.Price(100); !nearly(p, 2*r.LogZ.SE) {
		t.Errorf("a quarter of the evaluations: %v, want twice %v", p, r.LogZ.SE)
	}
	for rule, want := range map[freeenergy.Rule]string{freeenergy.Trapezoid: "trapezoid", freeenergy.Simpson: "Simpson", 7: "Rule(7)"} {
		if rule.String() != want {
			t.Errorf("rule %q, want %q", rule, want)
		}
	}
}

// A sudden pull has works N(m, 2m) with m = L^2/2, in both directions. Of one
// trajectory the mean of -log exp(-W) is m; of two it is, with W = m +- D/2 and
// D of variance 4m,
//
//	m - E[log cosh(D/2)].
func TestBatchFreeEnergy(t *testing.T) {
	const length = 2.0
	const m = length * length / 2
	j := freeenergy.Jarzynski{Path: freeenergy.DraggedTrap{Stiffness: 1, Distance: length}, Lambdas: freeenergy.Linear(1)}
	forth := must(j.Run(ctx, freeenergy.Config{Samples: 40000, Seed: 1}))
	back := must(j.Reverse(ctx, freeenergy.Config{Samples: 40000, Seed: 1}))
	logCosh, weight := 0.0, 0.0
	for i := -800; i <= 800; i++ { // the trapezoidal rule, which is as good as exact here
		x := float64(i) / 100
		p := math.Exp(-x * x / 2)
		logCosh += p * math.Log(math.Cosh(x*math.Sqrt(m)))
		weight += p
	}
	for n, want := range map[int]float64{1: m, 2: m - logCosh/weight} {
		f, b := must(forth.BatchFreeEnergy(n)), must(back.BatchFreeEnergy(n))
		t.Logf("n = %d: forth %v, exact %.5f, z = %.2f; back %v, z = %.2f", n, f, want, f.Z(want), b, b.Z(-want))
		if math.Abs(f.Z(want)) > 4 || math.Abs(b.Z(-want)) > 4 {
			t.Errorf("n = %d: forth %v, want %v; back %v, want %v", n, f, want, b, -want)
		}
		if math.Abs(f.Z(want-0.1)) < 4 { // negative control
			t.Errorf("n = %d: no power against an error of 0.1", n)
		}
	}
	// Two batches, and one weight left over.
	r := must(freeenergy.ReportOf([]float64{0, math.Log(3), math.Log(5), math.Log(7), 1}))
	if f := must(r.BatchFreeEnergy(2)); !nearly(f.Value, -(math.Log(2)+math.Log(6))/2) || !nearly(f.SE, math.Log(3)/2) {
		t.Errorf("two batches: %v", f)
	}
	var arg *ebmkit.ArgError
	for _, n := range []int{0, 3} {
		if _, err := r.BatchFreeEnergy(n); !errors.As(err, &arg) {
			t.Errorf("n = %d of 5 weights: %v", n, err)
		}
	}
}

func TestCalibrate(t *testing.T) {
	report := func(value, se float64) *freeenergy.Report {
		return &freeenergy.Report{LogZ: ebmkit.Estimate{Value: value, SE: se}, KHat: value / 10}
	}
	// Errors 1 and -3: squares 1 and 9, mean 5 +- 4. Stated are 1 and 2: z^2 is 1 and 9/4.
	c := must(freeenergy.Calibrate([]*freeenergy.Report{report(3, 1), report(-1, 2)}, 2))
	for name, v := range map[string][2]float64{
		"made":            {c.Made.Value, math.Sqrt(5)},
		"its error":       {c.Made.SE, 2 / math.Sqrt(5)},
		"stated":          {c.Stated.Value, 1.5},
		"mean z^2":        {c.Z2.Value, 1.625},
		"its error too":   {c.Z2.SE, 0.625},
		"mean k-hat":      {c.KHat.Value, 0.1},
		"error of stated": {c.Stated.SE, 0.5},
	} {
		if !nearly(v[0], v[1]) {
			t.Errorf("%s %v, want %v", name, v[0], v[1])
		}
	}
	// Normal errors of standard deviation 2, of which half is stated: z^2 has mean 4.
	s := ebmkit.NewStream(1, "calibration", 0)
	var many []*freeenergy.Report
	for range 4000 {
		many = append(many, report(2*s.Normal(), 1))
	}
	c = must(freeenergy.Calibrate(many, 0))
	t.Logf("made %v z = %.2f, mean z^2 %v z = %.2f", c.Made, c.Made.Z(2), c.Z2, c.Z2.Z(4))
	if math.Abs(c.Made.Z(2)) > 4 || math.Abs(c.Z2.Z(4)) > 4 || math.Abs(c.Z2.Z(1)) < 4 {
		t.Errorf("made %v, want 2; mean z^2 %v, want 4", c.Made, c.Z2)
	}
	var arg *ebmkit.ArgError
	for _, bad := range [][]*freeenergy.Report{nil, many[:1], {many[0], nil}} {
		if _, err := freeenergy.Calibrate(bad, 0); !errors.As(err, &arg) {
			t.Errorf("%d reports: %v", len(bad), err)
		}
	}
}

// The histograms of a sudden pull against the integrals of two Gaussians,
// N(m, 2m) forth and N(-m, 2m) back, over the same bins.
func TestCrooksRatio(t *testing.T) {
	const m, width = 2.0, 0.5
	j := freeenergy.Jarzynski{Path: freeenergy.DraggedTrap{Stiffness: 1, Distance: math.Sqrt(2 * m)}, Lambdas: freeenergy.Linear(1)}
	forth := must(j.Run(ctx, freeenergy.Config{Samples: 40000, Seed: 1}))
	back := must(j.Reverse(ctx, freeenergy.Config{Samples: 20000, Seed: 1}))
	ratio := must(freeenergy.CrooksRatio(forth, back, width, 20))
	mass := func(w, mean float64) float64 { // of the bin around w
		z := (w - mean) / (2 * math.Sqrt(m))
		return (math.Erf(z+width/4/math.Sqrt(m)) - math.Erf(z-width/4/math.Sqrt(m))) / 2
	}
	if len(ratio.Work) < 15 || len(ratio.Log) != len(ratio.Work) {
		t.Fatalf("%d bins, %d ratios", len(ratio.Work), len(ratio.Log))
	}
	worst, wrong := 0.0, 0.0
	for i, w := range ratio.Work {
		want := math.Log(mass(w, m) / mass(w, -m))
		worst = max(worst, math.Abs(ratio.Log[i].Z(want)))
		wrong = max(wrong, math.Abs(ratio.Log[i].Z(1.1*w))) // negative control: another slope
		if i > 0 && !nearly(w-ratio.Work[i-1], width) {
			t.Errorf("bins at %v and %v", ratio.Work[i-1], w)
		}
		// Within a bin exp(W) and the density back, of slope -(w+m)/2m, vary: to the
		// second order the ratio is off by width^2 (1/24 - (w+m)/24m).
		if off := width * width / 24 * (1 - (w+m)/m); math.Abs(want-w-off) > 1e-3 {
			t.Errorf("W = %v: the bin has %v, far from Crooks' theorem", w, want)
		}
	}
	t.Logf("%d bins from %v to %v: largest |z| %.2f, with a wrong slope %.2f", len(ratio.Work), ratio.Work[0], ratio.Work[len(ratio.Work)-1], worst, wrong)
	if worst > 4 || wrong < 4 {
		t.Errorf("largest |z| %.2f, with a wrong slope %.2f", worst, wrong)
	}
	// Counts by hand: bins of width 1 from -1 and from 0.
	few := must(freeenergy.ReportOf([]float64{-0.5, -0.25, 0.5, -3}))
	other := must(freeenergy.ReportOf([]float64{-0.75, 0.25}))
	other.Reverse = true
	r := must(freeenergy.CrooksRatio(few, other, 1, 1))
	if len(r.Work) != 2 || r.Work[0] != -0.5 || r.Work[1] != 0.5 || !nearly(r.Log[0].Value, -math.Ln2) || !nearly(r.Log[1].Value, 0) ||
		!nearly(r.Log[0].SE, math.Sqrt(2)) || !nearly(r.Log[1].SE, math.Sqrt(1.5)) {
		t.Errorf("ratios %v at %v", r.Log, r.Work)
	}
	var arg *ebmkit.ArgError
	endless := must(freeenergy.ReportOf([]float64{0, math.Inf(-1)}))
	for name, err := range map[string]error{
		"one direction": second(freeenergy.CrooksRatio(few, few, 1, 1)),
		"width":         second(freeenergy.CrooksRatio(few, other, 0, 1)),
		"least":         second(freeenergy.CrooksRatio(few, other, 1, 0)),
		"infinite work": second(freeenergy.CrooksRatio(endless, other, 1, 1)),
	} {
		if !errors.As(err, &arg) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The way back as an Estimator is the way back.
func TestReversed(t *testing.T) {
	p := problems()[1]
	m := freeenergy.AIS{Lambdas: freeenergy.Linear(4), Method: mcmc.RWM{Step: 1.2}}
	cfg := freeenergy.Config{Samples: 200, Seed: 1}
	got, want := must(freeenergy.Reversed{AIS: m}.Run(ctx, p.from, p.to, cfg)), must(m.Reverse(ctx, p.from, p.to, cfg))
	if got.LogZ != want.LogZ || !got.Reverse || got.LogZ == must(m.Run(ctx, p.from, p.to, cfg)).LogZ {
		t.Errorf("%v, want %v", got, want)
	}
}
