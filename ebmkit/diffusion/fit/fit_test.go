package fit_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diffusion"
	"github.com/ebmkit/hitchhiker/ebmkit/diffusion/fit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func data() *energy.Mixture {
	return must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{-1, 1.5}, []float64{0.4, 0.25}))
}

func network() *nn.Field {
	return must(nn.NewField(nn.FieldConfig{Dim: 1, Hidden: []int{32, 32}, Act: nn.SiLU, Seed: 1}))
}

func adam() *nn.Adam[float64] {
	return must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 0.01, End: 1e-4, Over: 1200}}))
}

var vp = diffusion.VP{BetaMin: 0.1, BetaMax: 20}

// Each regression brings the network close to the exact field: its distance in
// the loss's own weights falls by a factor of 20 at least from that of the zero
// field, the rest being what 1,200 steps leave.
func TestLearns(t *testing.T) {
	points := must(ebmkit.Draw(data(), 20000, 1))
	base := must(energy.NewGaussian1D(0, 1))
	dsm := diffusion.DSM{Process: vp, From: 0.02, To: 1, Target: diffusion.Noise}
	ip := diffusion.Interpolant{I: diffusion.Linear{}, Gamma: diffusion.Bridge{A: 1}}
	velocity := diffusion.Regression{Interpolant: ip, Target: diffusion.Velocity, Margin: 0.02}
	for name, c := range map[string]struct {
		o     train.Objective
		exact ebmkit.Field
		draw  func(b *diffusion.Batch, s *ebmkit.Stream) error
	}{
		"score": {fit.Score{DSM: dsm}, must(diffusion.Marginal(vp, data())).Denoiser(),
			func(b *diffusion.Batch, s *ebmkit.Stream) error { return dsm.Draw(b, points, s) }},
		"velocity": {fit.Interpolant{Regression: velocity, Base: base}, must(ip.Law(base, data())).Velocity(),
			func(b *diffusion.Batch, s *ebmkit.Stream) error {
				return velocity.Draw(b, must(ebmkit.Draw(base, 20000, 9)), points, s)
			}},
	} {
		net := network()
		tr := must(train.New(net, points, c.o, adam(), train.Config{Batch: 256, Seed: 2}))
		if err := tr.Fit(context.Background(), 1200); err != nil {
			t.Fatal(err)
		}
		b := must(diffusion.NewBatch(4000, 1))
		if err := c.draw(b, ebmkit.NewStream(5, "test", 0)); err != nil {
			t.Fatal(err)
		}
		got := ebmkit.MeanOf(b.Distances(net, c.exact))
		zero := ebmkit.MeanOf(b.Distances(diffusion.Scaled(0, c.exact), c.exact))
		least, loss := ebmkit.MeanOf(b.Residuals(c.exact)), ebmkit.MeanOf(b.Residuals(net))
		t.Logf("%s: distance %v, of the zero field %v; loss %v, least %v", name, got, zero, loss, least)
		if got.Value > zero.Value/20 {
			t.Errorf("%s: distance %v, of the zero field %v", name, got, zero)
		}
	}
}

// A run that is saved and goes on has the bits of one that never stopped; a
// checkpoint of another objective is refused.
func TestResume(t *testing.T) {
	points := must(ebmkit.Draw(data(), 1000, 1))
	o := fit.Score{DSM: diffusion.DSM{Process: vp, From: 0.02, To: 1}}
	start := func(o train.Objective) (*nn.Field, *train.Trainer) {
		net := network()
		return net, must(train.New(net, points, o, adam(), train.Config{Batch: 64, Seed: 2}))
	}
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "run.npz")
	whole, tr := start(o)
	if err := tr.Fit(ctx, 30); err != nil {
		t.Fatal(err)
	}
	_, tr = start(o)
	if err := errors.Join(tr.Fit(ctx, 17), tr.Save(path)); err != nil {
		t.Fatal(err)
	}
	net, tr := start(o)
	if err := errors.Join(tr.Load(path), tr.Fit(ctx, 30)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(net.Params(nil), whole.Params(nil)) {
		t.Error("other bits after resuming")
	}
	o.To = 0.9
	_, tr = start(o)
	if tr.Load(path) == nil {
		t.Error("the checkpoint of another objective was read")
	}
}

func TestErrors(t *testing.T) {
	points := must(ebmkit.Draw(data(), 10, 1))
	ok := diffusion.DSM{Process: vp, From: 0.02, To: 1}
	base := must(energy.NewGaussian1D(0, 1))
	ip := diffusion.Interpolant{I: diffusion.Linear{}, Gamma: diffusion.Bridge{A: -1}}
	for arg, c := range map[string]struct {
		m train.Model
		o train.Objective
	}{
		"model":                  {base, fit.Score{DSM: ok}},
		"DSM.To":                 {network(), fit.Score{DSM: diffusion.DSM{Process: vp, From: 0.1, To: math.NaN()}}},
		"Bridge.A":               {network(), fit.Interpolant{Regression: diffusion.Regression{Interpolant: ip}, Base: base}},
		"Interpolant.Base.Dim()": {network(), fit.Interpolant{Base: must(energy.NewRing(3, 1, 1))}},
	} {
		_, err := train.New(c.m, points, c.o, adam(), train.Config{})
		var a *ebmkit.ArgError
		if !errors.As(err, &a) || a.Arg != arg {
			t.Errorf("error %v, want one that names %s", err, arg)
		}
	}
}

func ExampleScore() {
	// Learn the noise in X_t, and make a score of it.
	points, _ := ebmkit.Draw(data(), 10000, 1)
	net, _ := nn.NewField(nn.FieldConfig{Dim: 1, Hidden: []int{32, 32}, Act: nn.SiLU, Seed: 1})
	opt, _ := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 0.01, End: 1e-4, Over: 800}})
	tr, err := train.New(net, points,
		fit.Score{DSM: diffusion.DSM{Process: vp, From: 0.02, To: 1, Target: diffusion.Noise}},
		opt, train.Config{Batch: 256, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tr.Fit(context.Background(), 800); err != nil {
		fmt.Println(err)
		return
	}
	score := diffusion.ScoreOf(net, func(t float64) float64 { _, sd := vp.Kernel(t); return sd })
	learned, exact := make([]float64, 1), make([]float64, 1)
	score.At(learned, 0.3, []float64{0.5})
	law, _ := diffusion.Marginal(vp, data())
	law.Score().At(exact, 0.3, []float64{0.5})
	fmt.Printf("learned score within 0.1 of the exact one: %v\n", math.Abs(learned[0]-exact[0]) < 0.1)
	// Output: learned score within 0.1 of the exact one: true
}

func TestBlockMeans(t *testing.T) {
	middle, mean, err := fit.BlockMeans([]float64{1, 3, 10, 20, 99}, 2)
	if err != nil || len(mean) != 2 || mean[0] != 2 || mean[1] != 15 || middle[0] != 1 || middle[1] != 3 {
		t.Errorf("%v %v %v", middle, mean, err)
	}
	for _, size := range []int{0, 6} {
		var a *ebmkit.ArgError
		if _, _, err := fit.BlockMeans(make([]float64, 5), size); !errors.As(err, &a) {
			t.Errorf("size %d: %v", size, err)
		}
	}
}
