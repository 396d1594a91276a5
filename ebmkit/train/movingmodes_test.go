package train_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

func moving(d int, a, b, z float64) *train.MovingModes {
	x, y := make([]float64, d), make([]float64, d)
	x[0], y[0] = a, b
	return must(train.NewMovingModes(x, y, z))
}

func TestMovingModesParamGrad(t *testing.T) {
	const d, n = 3, 7
	m := moving(d, -0.5, 1, 0.4)
	xs, w := make([]float64, n*d), make([]float64, n)
	s := ebmkit.NewStream(1, "points", 0)
	s.FillNormal(xs)
	s.FillNormal(w)
	g := make([]float64, m.NumParams())
	for k := range g {
		g[k] = float64(k) // accumulates
	}
	m.AddParamGrad(g, w, xs)
	theta := m.Params(nil)
	value := func() (sum float64) {
		for i := range n {
			sum += w[i] * m.Energy(xs[i*d:(i+1)*d])
		}
		return sum
	}
	for k := range theta {
		const h = 1e-5
		was := theta[k]
		theta[k] = was + h
		m.SetParams(theta)
		up := value()
		theta[k] = was - h
		m.SetParams(theta)
		want := float64(k) + (up-value())/(2*h)
		theta[k] = was
		m.SetParams(theta)
		if math.Abs(g[k]-want) > 1e-8 {
			t.Errorf("dU/dtheta_%d = %v, finite differences %v", k, g[k], want)
		}
	}
	fixed := must(train.NewTwoModes(theta[:d], theta[d:2*d], theta[2*d]))
	for i := range n {
		if x := xs[i*d : (i+1)*d]; m.Energy(x) != fixed.Energy(x) {
			t.Errorf("U = %v, with fixed means %v", m.Energy(x), fixed.Energy(x))
		}
	}
	if m.LogZ() != fixed.LogZ() || m.Mass() != fixed.Mass() {
		t.Error("log Z or mass differ from those of fixed means")
	}
	theta[1] = math.NaN()
	var bad *ebmkit.ArgError
	if err := m.SetParams(theta); !errors.As(err, &bad) || bad.Arg != "theta[1]" {
		t.Errorf("NaN: %v", err)
	}
}

// KLFrom against a mean over exact draws, where the modes do not overlap.
func TestMovingModesKL(t *testing.T) {
	const d, n = 4, 20000
	p, q := moving(d, -10, 6, trueZ), moving(d, -9, 5, 2)
	draws := must(ebmkit.Draw(p, n, 1))
	v := make([]float64, n)
	for i := range v {
		x := draws.Row(i)
		v[i] = q.Energy(x) + q.LogZ() - p.Energy(x) - p.LogZ()
	}
	if e := ebmkit.MeanOf(v); math.Abs(e.Z(q.KLFrom(p))) > 4 || math.Abs(e.Z(p.KLFrom(q))) < 4 {
		t.Errorf("KL by draws %v, in closed form %v", e, q.KLFrom(p))
	}
	if kl := p.KLFrom(p); kl != 0 {
		t.Errorf("KL(p, p) = %v", kl)
	}
}

// All methods learn where the modes are; the mass only Jarzynski. A population
// that is resampled early stays in proportion to the masses, and the bias of the
// driving walkers is then the same in both modes.
func TestMovingModesShapesAndMasses(t *testing.T) {
	const n, k, d, walkers = 4000, 300, 10, 2000
	truth := moving(d, -10, 6, trueZ)
	data := must(ebmkit.Draw(truth, n, 1))
	f := inB(data)
	kernel := mcmc.ULA{Step: 0.1}
	for name, o := range map[string]train.Objective{
		"CD":        train.CD{Walkers: walkers, Kernel: kernel, Steps: 8},
		"Jarzynski": train.Jarzynski{Walkers: walkers, Kernel: kernel, Resample: 0.8},
	} {
		m := moving(d, -9, 5, 0)
		opt := must(nn.NewSGD[float64](nn.Harmonic{Start: 0.3, Half: 50}))
		tr := must(train.New(m, data, o, opt, train.Config{Seed: 2}))
		if err := tr.Fit(ctx, k); err != nil {
			t.Fatal(err)
		}
		theta := m.Params(nil)
		if math.Abs(theta[0]+10) > 0.15 || math.Abs(theta[d]-6) > 0.15 {
			t.Errorf("%s: modes at %.3f and %.3f", name, theta[0], theta[d])
		}
		if got := math.Abs(m.Mass() - f); (got < 0.05) != (name == "Jarzynski") {
			t.Errorf("%s: learned mass %.3f, fraction of the data %.3f", name, m.Mass(), f)
		}
	}
}
