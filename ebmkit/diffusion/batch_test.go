package diffusion

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// The denoising loss is the explicit loss of eq. (57) plus a constant that does
// not depend on the score: the same for the exact score, for a wrong one, and
// for zero; and in closed form for Gaussian data. Regressing on +z/sd instead
// fails.
func TestDenoisingIsExplicitPlusConstant(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	const n = 30000
	data := line()
	points := must(ebmkit.Draw(data, 100000, 1))
	for name, c := range map[string]struct {
		m DSM
	}{
		"VP, sd^2": {DSM{Process: VP{0.1, 20}, From: 0.02, To: 1}},
		"VE, 1":    {DSM{Process: VE{1, 1}, From: 0.1, To: 2, Weight: func(float64) float64 { return 1 }}},
		"noise":    {DSM{Process: SubVP{0.1, 20}, From: 0.05, To: 1, Target: Noise}},
	} {
		m := c.m
		law := must(Marginal(m.Process, data))
		exact := law.Score()
		if m.Target == Noise {
			exact = law.Denoiser()
		}
		b := must(NewBatch(n, 1))
		if err := m.Draw(b, points, ebmkit.NewStream(2, "test", len(name))); err != nil {
			t.Fatal(err)
		}
		// The constant is the loss of the exact field, so differences of losses
		// are distances: paired, their errors are small.
		least := b.Residuals(exact)
		for what, f := range map[string]ebmkit.Field{
			"half": Scaled(0.5, exact), "zero": Scaled(0, exact),
			"other": Func{1, func(dst []float64, t float64, x []float64) { dst[0] = math.Sin(x[0]) - t }},
		} {
			got, dist := b.Residuals(f), b.Distances(f, exact)
			diff, wrong := make([]float64, n), make([]float64, n)
			for i := range b.Y {
				diff[i] = got[i] - dist[i] - least[i]
				b.Y[i] = -b.Y[i]
			}
			zScore(t, name+", "+what+": DSM - ESM - constant", ebmkit.MeanOf(diff), 0)
			flipped, leastFlipped := b.Residuals(f), b.Residuals(exact)
			for i := range b.Y {
				wrong[i] = flipped[i] - dist[i] - leastFlipped[i]
				b.Y[i] = -b.Y[i]
			}
			if z := ebmkit.MeanOf(wrong).Z(0); math.Abs(z) < 10 {
				t.Errorf("%s, %s: targets of the wrong sign pass, z = %.1f", name, what, z)
			}
		}
		// The constant itself: E lambda (d/sd^2 - |s|^2) by quadrature over t and x.
		want := must(quad.Adaptive{RelTol: 1e-5}.Integrate(func(u float64) float64 {
			mix := must(law.At(u))
			_, sd := m.Process.Kernel(u)
			lambda := sd * sd
			if m.Weight != nil {
				lambda = m.Weight(u)
			}
			g := make([]float64, 1)
			fisher := must(quad.Adaptive{RelTol: 1e-8}.Density(mix, quad.All())).WithAbsTol(1e-8)
			e := must(fisher.ExpectOne(func(x []float64) float64 { mix.EnergyGrad(g, x); return g[0] * g[0] }))
			return lambda * (1/(sd*sd) - e.Value) / (m.To - m.From)
		}, quad.Interval(m.From, m.To)))
		zScore(t, name+": the constant", ebmkit.MeanOf(least), want.Value)
	}
}

// Objectives are half the residuals but for a constant.
func TestObjectives(t *testing.T) {
	b := must(NewBatch(50, 2))
	if err := (DSM{Process: VP{0.1, 20}, From: 0.1, To: 1}).Draw(b, must(ebmkit.Draw(ring(), 100, 1)), ebmkit.NewStream(1, "t", 0)); err != nil {
		t.Fatal(err)
	}
	f := must(Marginal(VP{0.1, 20}, ring())).Score()
	r, o := b.Residuals(f), b.Objectives(f)
	for i := range r {
		var y2 float64
		for _, y := range b.Y[2*i : 2*i+2] {
			y2 += b.W[i] * y * y
		}
		near(t, "objective", o[i], r[i]/2-y2/2, 1e-12*(1+y2))
	}
	// The same stream, the same batch.
	c := must(NewBatch(50, 2))
	(DSM{Process: VP{0.1, 20}, From: 0.1, To: 1}).Draw(c, must(ebmkit.Draw(ring(), 100, 1)), ebmkit.NewStream(1, "t", 0))
	if !slices.Equal(b.X, c.X) || !slices.Equal(b.Y, c.Y) || !slices.Equal(b.T, c.T) {
		t.Error("other bits from the same stream")
	}
}

func TestDSMErrors(t *testing.T) {
	b, s := must(NewBatch(5, 2)), ebmkit.NewStream(1, "t", 0)
	data := must(ebmkit.Draw(ring(), 3, 1))
	ok := DSM{Process: VP{0.1, 20}, From: 0.1, To: 1}
	for arg, edit := range map[string]func(m *DSM){
		"process":    func(m *DSM) { m.Process = nil },
		"DSM.From":   func(m *DSM) { m.From = 0 },
		"DSM.To":     func(m *DSM) { m.To = 0.1 },
		"DSM.Target": func(m *DSM) { m.Target = Velocity },
	} {
		m := ok
		edit(&m)
		wantArg(t, m.Draw(b, data, s), arg)
	}
	wantArg(t, ok.Draw(b, nil, s), "data")
	wantArg(t, ok.Draw(b, must(ebmkit.Draw(line(), 3, 1)), s), "data.Dim")
	wantArg(t, ok.Draw(nil, data, s), "b")
	data.X[3] = math.NaN()
	wantArg(t, ok.Draw(b, data, s), "data[1][1]")
	_, err := NewBatch(0, 1)
	wantArg(t, err, "n")
	_, err = NewBatch(1, 0)
	wantArg(t, err, "dim")
}
