package data

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

func planeLaws() map[string]Parts {
	return map[string]Parts{
		"moons":         must(NewTwoMoons(0.3, 0.1)),
		"one moon":      must(NewTwoMoons(1, 0.3)),
		"spirals":       must(NewSpirals([]float64{1, 2, 1}, 1.5, 3, 0.15)),
		"board":         must(NewCheckerboard(4, 8, nil)),
		"uneven board":  must(NewCheckerboard(3, 2, []float64{1, 2, 0, 4, 1})),
		"ring":          must(NewRing([]float64{1, 2, 3, 4}, 4, 0.4)),
		"straight arms": must(NewSpirals([]float64{1, 1}, 0, 1, 0.3)),
	}
}

func TestPlaneConforms(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	for name, e := range planeLaws() {
		if _, ok := e.(*Checkerboard); ok {
			continue // jumps are beyond quadrature; see TestPlaneSamples
		}
		o := conform.Options{Prefix: "data: ", Scale: 0.7, Seed: 3, Fast: true, Samples: 5000}
		if name == "ring" {
			o.Prefix = "energy: "
		}
		for _, err := range conform.Check(e, o) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The density against the integral along the curve by adaptive quadrature.
func TestCurvesDensity(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	for _, c := range []struct {
		*Curves
		q func(t float64) float64
	}{
		{must(NewTwoMoons(0.3, 0.1)), func(float64) float64 { return 1 }},
		{must(NewTwoMoons(0.5, 0.02)), func(float64) float64 { return 1 }},
		{must(NewSpirals([]float64{1, 2, 1}, 2, 3, 0.1)), func(t float64) float64 { return 2 * t }},
		{must(NewSpirals([]float64{1}, 3, 1, 0.5)), func(t float64) float64 { return 2 * t }},
	} {
		s := ebmkit.NewStream(1, "test", 0)
		x := make([]float64, 2)
		worst := 0.0
		for i := range 40 {
			c.Sample(x, s)
			if i%2 == 1 { // off the curve
				x[0] += 3 * c.noise * s.Normal()
				x[1] += 3 * c.noise * s.Normal()
			}
			var p float64
			for k, m := range c.masses {
				// The integrand is a needle at the nearest points of the curve.
				var breaks []float64
				for j := 1; j < 200; j++ {
					breaks = append(breaks, float64(j)/200)
				}
				r, err := quad.Adaptive{RelTol: 1e-12}.Integrate(func(t float64) float64 {
					px, py := c.at(k, t)
					return c.q(t) * math.Exp(-((x[0]-px)*(x[0]-px)+(x[1]-py)*(x[1]-py))/(2*c.noise*c.noise))
				}, quad.Interval(0, 1, breaks...))
				if err != nil && r.Value > 1e-200 {
					t.Fatal(err)
				}
				p += m * r.Value / (2 * math.Pi * c.noise * c.noise)
			}
			worst = max(worst, math.Abs(c.Energy(x)+math.Log(p)))
		}
		t.Logf("%v: largest error of the energy %.1e", c, worst)
		if worst > 1e-9 {
			t.Errorf("%v: the energy is off by %.1e", c, worst)
		}
	}
}

func TestPlaneSamples(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	n := 40000
	if testing.Short() {
		n = 10000
	}
	for name, e := range planeLaws() {
		ens := must(ebmkit.Draw(e, n, 7))
		masses := e.Masses(nil)
		f, outside, err := Fractions(e, ens.X)
		if err != nil || outside != 0 {
			t.Errorf("%s: %d outside, %v", name, outside, err)
		}
		var sum float64
		for k, m := range masses {
			sum += m
			// Arms of a spiral meet in the middle, and moons come close: there the
			// part is a guess.
			if z := f[k].Z(m); math.Abs(z) > 4.5 && name != "spirals" && name != "straight arms" {
				t.Errorf("%s: part %d has %v, want %v (z = %.1f)", name, k, f[k], m, z)
			}
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%s: masses sum to %v", name, sum)
		}
		m := e.(ebmkit.Moments)
		mean, cov := m.Mean(nil), m.Cov(nil)
		for j := range 2 {
			for l := range j + 1 {
				v := make([]float64, n)
				for i := range v {
					v[i] = (ens.X[2*i+j] - mean[j]) * (ens.X[2*i+l] - mean[l])
				}
				if z := ebmkit.MeanOf(v).Z(cov[2*j+l]); math.Abs(z) > 4.5 {
					t.Errorf("%s: covariance %d %d: z = %.1f", name, j, l, z)
				}
			}
			if z := ebmkit.MeanOf(ens.Col(j)).Z(mean[j]); math.Abs(z) > 4.5 {
				t.Errorf("%s: mean %d: z = %.1f", name, j, z)
			}
		}
		// E[-log p] is the entropy: against the mean of -log p over a grid.
		if b, ok := e.(*Checkerboard); ok {
			a := b.side / float64(b.cells)
			var h float64
			for _, m := range masses {
				if m > 0 {
					h -= m * math.Log(m/(a*a))
				}
			}
			u := make([]float64, n)
			ebmkit.NewEvaluator(e).EnergyGrad(u, nil, ens.X)
			got := ebmkit.MeanOf(u)
			if math.Abs(got.Value-h) > 4.5*got.SE+1e-10 {
				t.Errorf("%s: entropy %v, want %v", name, got, h)
			}
		}
	}
	// Control: samples of other masses are found out.
	ring := must(NewRing([]float64{1, 2, 3, 4}, 4, 0.4))
	other := must(ebmkit.Draw(must(NewRing([]float64{1, 2, 3.5, 4}, 4, 0.4)), n, 7))
	f, _, _ := Fractions(ring, other.X)
	if z := f[2].Z(0.3); math.Abs(z) < 4.5 {
		t.Errorf("masses off by 0.03 pass with z = %.1f", z)
	}
}

func TestBoardSquares(t *testing.T) {
	for cells := 1; cells <= 7; cells++ {
		b := must(NewCheckerboard(cells, 1, nil))
		var seen []int
		for r := range cells {
			for c := range cells {
				x := []float64{(float64(c)+0.5)/float64(cells) - 0.5, (float64(r)+0.5)/float64(cells) - 0.5}
				k := b.Part(x)
				if black := (r+c)%2 == 0; black != (k >= 0) || black == math.IsInf(b.Energy(x), 1) {
					t.Fatalf("cells %d: square %d %d is part %d", cells, c, r, k)
				}
				if k >= 0 {
					seen = append(seen, k)
					if sc, sr := b.square(k); sc != c || sr != r {
						t.Errorf("cells %d: square(%d) = %d, %d", cells, k, sc, sr)
					}
				}
			}
		}
		if !slices.IsSorted(seen) || len(slices.Compact(seen)) != len(b.masses) {
			t.Errorf("cells %d: parts %v", cells, seen)
		}
		if b.Part([]float64{0.5001, 0}) != -1 || b.Part([]float64{math.NaN(), 0}) != -1 {
			t.Error("outside is inside")
		}
	}
}

func TestPlaneArguments(t *testing.T) {
	nan := math.NaN()
	for what, c := range map[string]struct {
		err func() error
		arg string
	}{
		"upper":      {func() error { _, err := NewTwoMoons(1.1, 0.1); return err }, "upper"},
		"upper nan":  {func() error { _, err := NewTwoMoons(nan, 0.1); return err }, "upper"},
		"noise":      {func() error { _, err := NewTwoMoons(0.5, 0); return err }, "noise"},
		"no arms":    {func() error { _, err := NewSpirals(nil, 1, 1, 1); return err }, "len(masses)"},
		"arm mass":   {func() error { _, err := NewSpirals([]float64{1, -1}, 1, 1, 1); return err }, "masses[1]"},
		"zero mass":  {func() error { _, err := NewRing([]float64{0, 0}, 1, 1); return err }, "masses"},
		"turns":      {func() error { _, err := NewSpirals([]float64{1}, -1, 1, 1); return err }, "turns"},
		"radius":     {func() error { _, err := NewSpirals([]float64{1}, 1, 0, 1); return err }, "radius"},
		"sharp":      {func() error { _, err := NewSpirals([]float64{1}, 1, 1, 1e-4); return err }, "noise"},
		"cells":      {func() error { _, err := NewCheckerboard(0, 1, nil); return err }, "cells"},
		"side":       {func() error { _, err := NewCheckerboard(2, nan, nil); return err }, "side"},
		"few masses": {func() error { _, err := NewCheckerboard(2, 1, []float64{1}); return err }, "len(masses)"},
		"rows": {func() error {
			_, _, err := Fractions(must(NewTwoMoons(0.5, 0.1)), make([]float64, 3))
			return err
		}, "len(xs)"},
	} {
		wantArg(t, what, c.err(), c.arg)
	}
}

func ExampleNewTwoMoons() {
	moons, _ := NewTwoMoons(0.25, 0.1)
	x, _ := ebmkit.Draw(moons, 10000, 1)
	f, outside, _ := Fractions(moons, x.X)
	fmt.Println(f[0], f[1], outside)
	// Output: 0.2501 +- 0.0043 0.7499 +- 0.0043 0
}
