package fokkerplanck_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
)

func lineGrid(t *testing.T, lo, hi float64, cells int) *fokkerplanck.Grid {
	t.Helper()
	g, err := fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: lo, Hi: hi, Cells: cells})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// One point x of the uniform law on [0, 1] is max(x, 1-x) away from it.
func TestKolmogorovMeanOfSinglePoints(t *testing.T) {
	g := lineGrid(t, 0, 1, 10)
	p := slices.Repeat([]float64{1}, 10)
	xs := []float64{0.5, 0.25, 0.9, 0.1}
	got, err := g.KolmogorovMean(p, xs, 1, 3) // not the fourth
	if err != nil {
		t.Fatal(err)
	}
	want := ebmkit.MeanOf([]float64{0.5, 0.75, 0.9})
	if math.Abs(got.Value-want.Value) > 1e-15 || math.Abs(got.SE-want.SE) > 1e-15 {
		t.Errorf("mean over single points: %v, want %v", got, want)
	}
	whole, err := g.KolmogorovMean(p, xs, 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	if d, _ := g.Kolmogorov(p, xs); whole.Value != d || !math.IsInf(whole.SE, 1) {
		t.Errorf("one group: %v, want %v with an unknown error", whole, d)
	}
}

// Kolmogorov's law holds for draws of the density and for no other.
func TestKolmogorovMeanFollowsItsLaw(t *testing.T) {
	g := lineGrid(t, -6, 6, 1200)
	right, err := energy.NewGaussian1D(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := energy.NewGaussian1D(0.1, 1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.Boltzmann(right)
	if err != nil {
		t.Fatal(err)
	}
	const m = 300
	r := math.Sqrt(m)
	want := math.Sqrt(math.Pi/2)*math.Ln2 - 1/(6*r)
	for _, law := range []struct {
		from  ebmkit.Energy
		right bool
	}{{right, true}, {wrong, false}} {
		x, err := ebmkit.Draw(law.from, 200*m, 1)
		if err != nil {
			t.Fatal(err)
		}
		d, err := g.KolmogorovMean(p, x.X, m, 200)
		if err != nil {
			t.Fatal(err)
		}
		z := ebmkit.Estimate{Value: r * d.Value, SE: r * d.SE}.Z(want)
		t.Logf("draws of the density %v: z = %.1f", law.right, z)
		if math.Abs(z) < 4 != law.right {
			t.Errorf("draws of the density %v: z = %.1f", law.right, z)
		}
	}
}

func TestPointMass(t *testing.T) {
	line := lineGrid(t, -8, 8, 801)
	p, err := line.PointMass(0)
	if err != nil {
		t.Fatal(err)
	}
	if p[400] != 1/line.Volume() || math.Abs(line.Mass(p)-1) > 1e-15 {
		t.Errorf("middle of the line: %v in cell 400, mass %v", p[400], line.Mass(p))
	}
	plane, err := fokkerplanck.NewGrid(
		fokkerplanck.Axis{Lo: 0, Hi: 4, Cells: 4}, fokkerplanck.Axis{Lo: 0, Hi: 3, Cells: 6})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		x    []float64
		cell int
	}{{[]float64{2.5, 1.2}, 2*4 + 2}, {[]float64{1, 0}, 1}, {[]float64{4, 3}, 23}} {
		p, err := plane.PointMass(c.x...)
		if err != nil {
			t.Fatal(err)
		}
		if p[c.cell] != 2 || plane.Mass(p) != 1 {
			t.Errorf("x = %v: %v in cell %d, mass %v", c.x, p[c.cell], c.cell, plane.Mass(p))
		}
	}
}

func TestLogRatio(t *testing.T) {
	g := lineGrid(t, 0, 4, 4)
	got := g.LogRatio([]float64{0.5, 0, 0.5, 0}, []float64{0.25, 0.75, 0, 0})
	if math.Abs(got[0]-math.Ln2) > 1e-16 || !math.IsInf(got[1], -1) || !math.IsInf(got[2], 1) || !math.IsNaN(got[3]) {
		t.Errorf("got %v, want log 2, -Inf, +Inf, NaN", got)
	}
}

// The difference of a square is exact; along a solution the rate of the
// divergence is the flow through the faces.
func TestHistoryRate(t *testing.T) {
	square := &fokkerplanck.History{T: []float64{0, 0.5, 1, 1.5}, P: [][]float64{{0}, {0.25}, {1}, {2.25}}}
	if r := square.Rate(2, func(p []float64) float64 { return p[0] }); r != 2 {
		t.Errorf("derivative of t^2 at 1: %v", r)
	}
	u, err := energy.NewDoubleWell(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	g := lineGrid(t, -2.6, 2.6, 200)
	gen, err := fokkerplanck.Langevin{Energy: u}.On(g)
	if err != nil {
		t.Fatal(err)
	}
	start, err := energy.NewGaussian1D(0.3, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	p, err := g.Boltzmann(start)
	if err != nil {
		t.Fatal(err)
	}
	run, err := fokkerplanck.Evolve(context.Background(), gen, p, fokkerplanck.Config{Step: 1e-3, Steps: 400, Every: 1})
	if err != nil {
		t.Fatal(err)
	}
	pi, err := gen.Steady()
	if err != nil {
		t.Fatal(err)
	}
	kl := func(p []float64) float64 { return g.KL(p, pi) }
	if got, want := run.Rate(200, kl), gen.KLRate(run.P[200], pi); math.Abs(got/want-1) > 1e-4 {
		t.Errorf("rate of the divergence %v, flow %v", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("the first density has no neighbour before it, and no panic")
		}
	}()
	run.Rate(0, kl)
}

func TestSameNoise(t *testing.T) {
	for _, c := range []struct{ sigma, want []float64 }{
		{[]float64{3}, []float64{4.5}},
		{[]float64{1, 0, 2, 3}, []float64{0.5, 1, 1, 6.5}}, // sigma sigma/2: 0.5, 0, 4, 4.5
	} {
		f, err := fokkerplanck.SameNoise(c.sigma...)
		if err != nil {
			t.Fatal(err)
		}
		d := make([]float64, len(c.want))
		f(d, nil)
		if !slices.Equal(d, c.want) {
			t.Errorf("sigma = %v: D = %v, want %v", c.sigma, d, c.want)
		}
	}
}

func TestObservablesRefuse(t *testing.T) {
	g := lineGrid(t, 0, 1, 4)
	p := []float64{1, 1, 1, 1}
	x := []float64{0.1, 0.2}
	mean := func(p, xs []float64, m, groups int) error {
		_, err := g.KolmogorovMean(p, xs, m, groups)
		return err
	}
	point := func(x ...float64) error {
		_, err := g.PointMass(x...)
		return err
	}
	noise := func(sigma ...float64) error {
		_, err := fokkerplanck.SameNoise(sigma...)
		return err
	}
	for name, err := range map[string]error{
		"groups of no points":   mean(p, x, 0, 1),
		"no groups":             mean(p, x, 1, 0),
		"fewer points than one": mean(p, x, 3, 1),
		"not a density":         mean([]float64{1, 1, 1, 2}, x, 1, 1),
		"a point outside":       point(1.5),
		"NaN":                   point(math.NaN()),
		"a point of the plane":  point(0.5, 0.5),
		"three numbers":         noise(1, 2, 3),
		"infinite noise":        noise(math.Inf(1)),
	} {
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
