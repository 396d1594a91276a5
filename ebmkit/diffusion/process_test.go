package diffusion

import (
	"context"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// moments integrates mean' = r mean, v' = 2 r v + g^2 by Runge and Kutta, from
// nothing but the rate and the diffusion.
func moments(rate, diffusion func(float64) float64, t float64) (mean, sd float64) {
	const n = 4000
	h := t / n
	y := [2]float64{1, 0}
	f := func(t float64, y [2]float64) [2]float64 {
		g := diffusion(t)
		return [2]float64{rate(t) * y[0], 2*rate(t)*y[1] + g*g}
	}
	add := func(y, k [2]float64, h float64) [2]float64 { return [2]float64{y[0] + h*k[0], y[1] + h*k[1]} }
	for i := range n {
		s := float64(i) * h
		k1 := f(s, y)
		k2 := f(s+h/2, add(y, k1, h/2))
		k3 := f(s+h/2, add(y, k2, h/2))
		k4 := f(s+h, add(y, k3, h))
		for j := range y {
			y[j] += h / 6 * (k1[j] + 2*k2[j] + 2*k3[j] + k4[j])
		}
	}
	return y[0], math.Sqrt(y[1])
}

func TestKernels(t *testing.T) {
	for name, p := range processes {
		if m, sd := p.Kernel(0); m != 1 || sd != 0 {
			t.Errorf("%s: the kernel at 0 is %g, %g", name, m, sd)
		}
		for _, u := range []float64{0.01, 0.3, 1} {
			m, sd := p.Kernel(u)
			wm, ws := moments(p.Rate, p.Diffusion, u)
			near(t, name+" mean", m, wm, 1e-10)
			near(t, name+" sd", sd, ws, 1e-9*ws)
		}
	}
	// The control: sub-VP is not VP.
	_, sd := VP{0.1, 20}.Kernel(0.3)
	if _, ws := moments(VP{0.1, 20}.Rate, SubVP{0.1, 20}.Diffusion, 0.3); math.Abs(sd-ws) < 1e-3 {
		t.Error("the kernel of VP fits the noise of sub-VP")
	}
	// Closed forms of the review: the Wiener process and f = 0, g = e^t.
	_, sd = VE{1, 0}.Kernel(2)
	near(t, "Wiener variance at 2", sd*sd, 2, 1e-15)
	_, sd = VE{1, 1}.Kernel(1.5)
	near(t, "variance of g = e^t", sd*sd, math.Expm1(3)/2, 1e-13)
	song := must(NewVE(0.1, 10))
	_, sd = song.Kernel(1)
	near(t, "Song's sigma^2", sd*sd, 100-0.01, 1e-11)
}

// The transitions of a simulation follow the kernel: mean and variance of the
// displacement, in standard errors.
func TestForwardMoments(t *testing.T) {
	const n = 20000
	for name, p := range processes {
		sde := must(Forward(p, 1))
		x := must(sde.Run(context.Background(), Config{Walkers: n, Times: Uniform(0, 0.5, 100), Scheme: Heun, Seed: uint64(len(name)),
			Init: &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{2}}})).Last()
		mean, sd := p.Kernel(0.5)
		sq := make([]float64, n)
		for i, v := range x.X {
			sq[i] = (v - 2*mean) * (v - 2*mean)
		}
		zScore(t, name+" mean", ebmkit.MeanOf(x.X), 2*mean)
		zScore(t, name+" variance", ebmkit.MeanOf(sq), sd*sd)
	}
}

func TestProcessErrors(t *testing.T) {
	for arg, p := range map[string]Process{
		"VP.BetaMin": VP{-1, 2}, "VP.BetaMax": VP{3, 2}, "SubVP.BetaMax": SubVP{0, math.NaN()}, "VE.Scale": VE{0, 1},
		"VE.Growth": VE{1, math.Inf(1)}, "OU.Pull": OU{0, 1}, "OU.Noise": OU{1, -1}, "process": nil,
	} {
		_, err := Forward(p, 2)
		wantArg(t, err, arg)
		_, err = Marginal(p, ring())
		wantArg(t, err, arg)
		_, err = Prior(p, 1, 2)
		wantArg(t, err, arg)
		_, err = Reverse(p, linear{VP{1, 1}, 2})
		wantArg(t, err, arg)
		_, err = ProbabilityFlow(p, linear{VP{1, 1}, 2})
		wantArg(t, err, arg)
	}
	_, err := Forward(VP{0.1, 20}, 0)
	wantArg(t, err, "dim")
	_, err = Prior(VP{0.1, 20}, 0, 1)
	wantArg(t, err, "t")
	_, err = Reverse(VP{0.1, 20}, nil)
	wantArg(t, err, "score")
	_, err = NewVE(1, 1)
	wantArg(t, err, "sigmaMax")
	_, err = NewVE(0, 1)
	wantArg(t, err, "sigmaMin")
}
