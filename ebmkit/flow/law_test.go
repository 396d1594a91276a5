package flow_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/flow"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// Two Gaussians have a KL in closed form, and the quadrants of one with unit
// variances and correlation r have the mass 1/4 + asin(r)/(2 pi). The walls are 12
// standard deviations away, the spacing is a quarter of one: the midpoint rule is
// good to rounding.
func TestLawOfGaussian(t *testing.T) {
	p := must(energy.NewGaussian([]float64{0, 0}, []float64{1, 0.6, 0.6, 1}))
	q := must(energy.NewGaussian([]float64{0.5, -1}, []float64{2, -0.3, -0.3, 1.5}))
	l := must(flow.NewLaw(p, -12, 12, -12, 12, 96, 100))
	if got, want := l.KL(q), divergence.KLGaussian(p, q); math.Abs(got-want) > 1e-12 {
		t.Errorf("KL %v, in closed form %v", got, want)
	}
	if got := l.KL(p); got != 0 {
		t.Errorf("KL of a law from itself is %v", got)
	}
	if m := l.Mass(); math.Abs(m-1) > 1e-12 {
		t.Errorf("mass %v", m)
	}
	even := must(flow.NewLaw(p, -12, 12, -12, 12, 1200, 1200)) // no centre on an axis
	quadrant := func(x []float64) int {
		k := 0
		if x[0] > 0 {
			k++
		}
		if x[1] > 0 {
			k += 2
		}
		return k - 1 // the third quadrant belongs to no part, the first is part 2
	}
	m := even.Masses(3, quadrant)
	same, opposite := 0.25+math.Asin(0.6)/(2*math.Pi), 0.25-math.Asin(0.6)/(2*math.Pi)
	for k, want := range []float64{opposite, opposite, same} {
		// Along an axis the density is cut off, where the midpoint rule is of second
		// order: the error is (0.02^2/24) times integrals of its derivative, below 1.
		if math.Abs(m[k]-want) > 2e-5 {
			t.Errorf("mass %v of part %d, in closed form %v", m[k], k, want)
		}
	}
}

// A bent flow against adaptive quadrature, and an affine one against the closed
// form.
func TestLawOfFlow(t *testing.T) {
	moons := must(data.NewTwoMoons(0.5, 0.15))
	if m := must(flow.NewLaw(moons, -2.2, 3.2, -1.8, 2.3, 135, 100)).Mass(); math.Abs(m-1) > 1e-9 {
		t.Errorf("mass of the moons %v", m)
	}
	ring := must(energy.NewRing(3, 1.5, 0.5))
	f := flows(2, nn.Float64)[0].f
	box := quad.Box([]float64{-7, -7}, []float64{7, 7})
	// divergence.KL normalises f on the box.
	want := must(divergence.KL(ring, f, box)).Value - must(quad.LogZ(f, box)).Value
	if got := must(flow.NewLaw(ring, -7, 7, -7, 7, 140, 140)).KL(f); math.Abs(got-want) > 1e-8 {
		t.Errorf("KL %v, by adaptive quadrature %v", got, want)
	}
	p := must(energy.NewGaussian([]float64{1, 2}, []float64{4, 0, 0, 1}))
	exact := must(flow.New(flow.Config{Dim: 2, Layers: []flow.Layer{flow.ActNorm{Scale: []float64{0.5, 1}, Shift: []float64{-0.5, -2}}}}))
	if kl := must(flow.NewLaw(p, -23, 25, -10, 14, 96, 96)).KL(exact); math.Abs(kl) > 1e-12 {
		t.Errorf("KL of a Gaussian from the flow that makes it: %v", kl)
	}
}

// On cells that fit its squares a checkerboard is exact, holes and all.
func TestLawOfCheckerboard(t *testing.T) {
	board := must(data.NewCheckerboard(4, 4, nil))
	l := must(flow.NewLaw(board, -3, 3, -3, 3, 60, 60))
	for k, m := range l.Masses(8, board.Part) {
		if math.Abs(m-1.0/8) > 1e-12 {
			t.Errorf("square %d has mass %v", k, m)
		}
	}
	wide := must(energy.NewGaussian([]float64{0, 0}, []float64{4, 0, 0, 4}))
	// D = -log 8 + log(8 pi) + E|x|^2/8, with E|x|^2 = 2 (second moment of the
	// uniform law on [-2, 2], 4/3) less 1/12 per axis and squared cell.
	want := -math.Log(8) + math.Log(8*math.Pi) + 2*(4.0/3-0.01/12)/8
	if got := l.KL(wide); math.Abs(got-want) > 1e-12 {
		t.Errorf("KL %v, in closed form %v", got, want)
	}
	if got := must(flow.NewLaw(wide, -3, 3, -3, 3, 60, 60)).KL(board); !math.IsInf(got, 1) {
		t.Errorf("KL from a law with holes: %v", got)
	}
}

func TestLawRefuses(t *testing.T) {
	p := must(energy.NewGaussian([]float64{0, 0}, []float64{1, 0, 0, 1}))
	line := must(energy.NewGaussian1D(0, 1))
	for i, bad := range []func() error{
		func() error { _, err := flow.NewLaw(nil, 0, 1, 0, 1, 2, 2); return err },
		func() error { _, err := flow.NewLaw(line, 0, 1, 0, 1, 2, 2); return err },
		func() error { _, err := flow.NewLaw(p, 1, 0, 0, 1, 2, 2); return err },
		func() error { _, err := flow.NewLaw(p, 0, 1, 0, math.Inf(1), 2, 2); return err },
		func() error { _, err := flow.NewLaw(p, 0, 1, 0, 1, 0, 2); return err },
		func() error { _, err := flow.NewLaw(p, 0, 1, 0, 1, 1<<40, 1<<40); return err },
		func() error { _, err := flow.NewLaw(notANumber{p}, 0, 1, 0, 1, 2, 2); return err },
	} {
		var arg *ebmkit.ArgError
		if err := bad(); !errors.As(err, &arg) {
			t.Errorf("case %d: %v", i, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("KL of a law of the line does not panic")
		}
	}()
	must(flow.NewLaw(p, -1, 1, -1, 1, 2, 2)).KL(line)
}

// notANumber is a law of the plane with a bug.
type notANumber struct{ ebmkit.Normalized }

func (notANumber) Energy([]float64) float64 { return math.NaN() }
