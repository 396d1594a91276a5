package meanfield_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/train/meanfield"
)

// With data rho = N(0, 1) and U = (x-m)^2/2,
//
//	L rho = alpha m x rho,   L L rho = alpha^2 m (m x^2 - x - m) rho,
//
// and the steady walkers have the mean alpha m/(alpha + nu). On the grid the
// errors fall as the square of the cells' width: they are measured on two grids.
func TestExpansionGaussian(t *testing.T) {
	const alpha, m, nu = 2.0, 0.6, 5.0
	var first, second, mean [2]float64
	for i, cells := range []int{400, 800} {
		g := line(-8, 8, cells)
		rho := must(g.Boltzmann(newShift(0)))
		x := must(meanfield.Expand(newShift(m), g, rho, alpha))
		for k, c := range g.Axis(0).Centers() {
			first[i] = math.Max(first[i], math.Abs(x.First[k]-alpha*m*c*rho[k]))
			second[i] = math.Max(second[i], math.Abs(x.Second[k]-alpha*alpha*m*(m*c*c-c-m)*rho[k]))
		}
		coordinate := func(x []float64) float64 { return x[0] }
		mean[i] = math.Abs(g.Expect(must(x.Steady(nu)), coordinate) - alpha*m/(alpha+nu))
		if got := g.Expect(x.FirstOrder(nu), coordinate); math.Abs(got-alpha*m/nu) > 1e-3 {
			t.Errorf("eq. (113): mean %v, want %v", got, alpha*m/nu)
		}
	}
	t.Logf("errors of L rho %.1e, of L L rho %.1e, of the mean %.1e", first, second, mean)
	for name, e := range map[string][2]float64{"L rho": first, "L L rho": second, "mean": mean} {
		if e[1] > 2e-3 || math.Abs(e[0]/e[1]-4) > 0.5 {
			t.Errorf("%s: errors %v on two grids, not of second order", name, e)
		}
	}
}

// The remainder of eq. (113) is Second/nu^2, and the next one falls as nu^-3.
func TestExpansionOrders(t *testing.T) {
	g := line(-8, 8, 400)
	rho := must(g.Boltzmann(must(energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-1, 1.2}, []float64{0.8, 0.6}))))
	x := must(meanfield.Expand(must(energy.NewGaussian1D(0.3, 1.3)), g, rho, 1))
	off := func(nu float64) (one, two float64) {
		p := must(x.Steady(nu))
		for k, q := range x.FirstOrder(nu) {
			one += g.Volume() * math.Abs(p[k]-q)
			two += g.Volume() * math.Abs(p[k]-q-x.Second[k]/(nu*nu))
		}
		return one, two
	}
	one, two := off(2000)
	half, halfTwo := off(4000)
	t.Logf("remainders %.2e and %.2e, at twice the rate %.2e and %.2e", one, two, half, halfTwo)
	if math.Abs(one/half-4) > 0.1 || math.Abs(two/halfTwo-8) > 0.4 {
		t.Errorf("remainders fall by %v and %v, want 4 and 8", one/half, two/halfTwo)
	}
}

func TestExpansionErrors(t *testing.T) {
	g := line(-8, 8, 320)
	rho := must(g.Boltzmann(newShift(0)))
	x := must(meanfield.Expand(newShift(0), g, rho, 1))
	for name, f := range map[string]func() error{
		"grid":  func() error { _, err := meanfield.Expand(newShift(0), nil, rho, 1); return err },
		"data":  func() error { _, err := meanfield.Expand(newShift(0), g, rho[1:], 1); return err },
		"alpha": func() error { _, err := meanfield.Expand(newShift(0), g, rho, 0); return err },
		"steep": func() error { _, err := meanfield.Expand(must(energy.NewGaussian1D(0, 0.02)), g, rho, 1); return err },
		"nu":    func() error { _, err := x.Steady(0); return err },
		"inf":   func() error { _, err := x.Steady(math.Inf(1)); return err },
	} {
		var arg *ebmkit.ArgError
		if err := f(); !errors.As(err, &arg) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
