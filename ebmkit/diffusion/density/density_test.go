package density

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diffusion"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The forward equation of a process has the law of diffusion.Marginal, at a time
// when neither the start nor the end is near; drift and noise of VP depend on the
// time. The error is of second order: four times smaller with twice as many cells
// and steps. The law of a slightly other time fails.
func TestMarginal(t *testing.T) {
	vp := diffusion.VP{BetaMin: 0.1, BetaMax: 20}
	data := must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{-1, 1.5}, []float64{0.4, 0.4}))
	law := must(diffusion.Marginal(vp, data))
	forth := must(diffusion.Forward(vp, 1))
	off := func(n int, end float64) float64 { // KL of the law at the time end to what the grid finds at 0.3
		g := must(fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -6, Hi: 6, Cells: 3 * n}))
		p := must(g.Boltzmann(data))
		if err := Evolve(context.Background(), g, p, forth, diffusion.Uniform(0, 0.3, n)); err != nil {
			t.Fatal(err)
		}
		return g.KL(must(g.Boltzmann(must(law.At(end)))), p)
	}
	coarse, fine, wrong := off(60, 0.3), off(120, 0.3), off(120, 0.31)
	t.Logf("KL: %.3g, with twice as many cells and steps %.3g; against a later time %.3g", coarse, fine, wrong)
	if fine > 1e-6 || wrong < 100*fine {
		t.Errorf("KL to the closed form %g, to that of a later time %g", fine, wrong)
	}
	// KL is quadratic in the error, so second order is a factor 16.
	if r := coarse / fine; r < 12 || r > 20 {
		t.Errorf("the error falls by %.1f in KL, want about 16", r)
	}
}

// In the plane: a Gaussian in an Ornstein-Uhlenbeck process.
func TestPlane(t *testing.T) {
	ou := diffusion.OU{Pull: 1, Noise: 1}
	data := must(energy.NewIsotropicGaussian([]float64{1, -0.5}, 0.6))
	axis := fokkerplanck.Axis{Lo: -4, Hi: 4, Cells: 64}
	g := must(fokkerplanck.NewGrid(axis, axis))
	p := must(g.Boltzmann(data))
	if err := Evolve(context.Background(), g, p, must(diffusion.Forward(ou, 2)), diffusion.Uniform(0, 0.5, 20)); err != nil {
		t.Fatal(err)
	}
	law := must(must(diffusion.Marginal(ou, data)).At(0.5))
	if kl := g.KL(must(g.Boltzmann(law)), p); kl > 1e-4 {
		t.Errorf("KL to the closed form: %g", kl)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	g := must(fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -4, Hi: 4, Cells: 40}))
	p := must(g.Boltzmann(must(energy.NewGaussian1D(0, 1))))
	ok := must(diffusion.Forward(diffusion.OU{Pull: 1, Noise: 1}, 1))
	sigma, silent, still := ok, ok, ok
	sigma.Sigma = func([]float64, float64, []float64) {}
	silent.Noise = nil
	still.Drift = nil
	times := []float64{0, 0.1}
	for _, c := range []struct {
		arg   string
		g     *fokkerplanck.Grid
		e     diffusion.SDE
		times []float64
	}{
		{"g", nil, ok, times}, {"e.Drift", g, still, times}, {"e.Sigma", g, sigma, times}, {"e.Noise", g, silent, times},
		{"e.Drift.Dim()", g, must(diffusion.Forward(diffusion.OU{Pull: 1, Noise: 1}, 2)), times},
		{"len(times)", g, ok, times[:1]}, {"times[1]", g, ok, []float64{1, 0}},
	} {
		var a *ebmkit.ArgError
		if err := Evolve(ctx, c.g, p, c.e, c.times); !errors.As(err, &a) || a.Arg != c.arg {
			t.Errorf("%v, want an error for %s", err, c.arg)
		}
	}
	if err := Evolve(ctx, g, make([]float64, g.Len()), ok, times); err == nil {
		t.Error("no error for a density of mass 0")
	}
	before := append([]float64(nil), p...)
	done, stop := context.WithCancel(ctx)
	stop()
	if err := Evolve(done, g, p, ok, times); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for i := range p {
		if math.Abs(p[i]-before[i]) > 0 {
			t.Fatal("a cancelled run moved the density")
		}
	}
}
