package energy_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

func moving(d int, a, b, z float64) *energy.TwoModes {
	x, y := make([]float64, d), make([]float64, d)
	x[0], y[0] = a, b
	return must(energy.NewMovingModes(x, y, z))
}

// TwoModes is a mixture of two Gaussians with weights 1 and exp(-z), but for the
// constant (d/2) log(2 pi). Free means change nothing but the parameters.
func TestTwoModesIsAMixture(t *testing.T) {
	const d, z = 3, 0.4
	a, b := []float64{-0.5, 0, 1}, []float64{1, 2, 0}
	fixed, free := must(energy.NewTwoModes(a, b, z)), must(energy.NewMovingModes(a, b, z))
	mix := must(energy.NewMixture([]float64{1, math.Exp(-z)}, []energy.Component{
		must(energy.NewIsotropicGaussian(a, 1)), must(energy.NewIsotropicGaussian(b, 1))}))
	c := d * math.Log(2*math.Pi) / 2
	near(t, "log Z", fixed.LogZ(), mix.LogZ()+c, 1e-14)
	near(t, "mass", fixed.Mass(), mix.Weights(nil)[1], 1e-15)
	s := ebmkit.NewStream(1, "points", 0)
	x, g, h := make([]float64, d), make([]float64, d), make([]float64, d)
	r := make([]float64, 2)
	for range 20 {
		s.FillNormal(x)
		u := fixed.EnergyGrad(g, x)
		if want := mix.EnergyGrad(h, x) - c; math.Abs(u-want) > 1e-13*(1+math.Abs(want)) {
			t.Errorf("U(%v) = %v, want %v", x, u, want)
		}
		for j := range g {
			if math.Abs(g[j]-h[j]) > 1e-13*(1+math.Abs(h[j])) {
				t.Errorf("gradient %v, want %v", g, h)
			}
		}
		dz := make([]float64, 1)
		fixed.AddParamGrad(dz, nil, x)
		if mix.Responsibilities(r, x); math.Abs(dz[0]-r[1]) > 1e-14 {
			t.Errorf("dU/dz = %v, the probability of b is %v", dz[0], r[1])
		}
		if free.Energy(x) != u || free.LogZ() != fixed.LogZ() {
			t.Error("free means change the energy")
		}
		all := make([]float64, 2*d+1)
		if free.AddParamGrad(all, nil, x); all[2*d] != dz[0] {
			t.Errorf("free means change dU/dz from %v to %v", dz[0], all[2*d])
		}
	}
}

func TestTwoModesErrors(t *testing.T) {
	one, two := []float64{1}, []float64{1, 2}
	of := func(_ *energy.TwoModes, err error) error { return err }
	m := must(energy.NewMovingModes(one, []float64{2}, 0))
	for _, c := range []struct {
		arg string
		err error
	}{
		{"len(b)", of(energy.NewTwoModes(one, two, 0))},
		{"len(a)", of(energy.NewTwoModes(nil, nil, 0))},
		{"a[0]", of(energy.NewTwoModes([]float64{math.NaN()}, one, 0))},
		{"b[1]", of(energy.NewMovingModes(two, []float64{1, math.Inf(1)}, 0))},
		{"z", of(energy.NewTwoModes(one, one, math.Inf(1)))},
		{"len(theta)", m.SetParams(one)},
		{"theta[1]", m.SetParams([]float64{5, math.NaN(), 0})},
		{"len(theta)", must(energy.NewTwoModes(one, one, 0)).SetParams(two)},
	} {
		var arg *ebmkit.ArgError
		if !errors.As(c.err, &arg) || arg.Arg != c.arg {
			t.Errorf("want an error about %s, got %v", c.arg, c.err)
		}
	}
	if p := m.Params(nil); p[0] != 1 || p[1] != 2 || p[2] != 0 {
		t.Errorf("a refused theta changed the parameters to %v", p)
	}
}

// KLFrom against a mean over exact draws, where the modes do not overlap.
func TestTwoModesKL(t *testing.T) {
	const d, n = 4, 20000
	p, q := moving(d, -10, 6, -math.Log(3)), moving(d, -9, 5, 2)
	draws := must(ebmkit.Draw(p, n, 1))
	v := make([]float64, n)
	for i := range v {
		x := draws.Row(i)
		v[i] = q.Energy(x) + q.LogZ() - p.Energy(x) - p.LogZ()
	}
	e := ebmkit.MeanOf(v)
	t.Logf("KL by draws %v, in closed form %.6f", e, q.KLFrom(p))
	if math.Abs(e.Z(q.KLFrom(p))) > 4 || math.Abs(e.Z(p.KLFrom(q))) < 4 {
		t.Errorf("KL by draws %v, in closed form %v", e, q.KLFrom(p))
	}
	if kl := p.KLFrom(p); kl != 0 {
		t.Errorf("KL(p, p) = %v", kl)
	}
}
