package evaluate_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/evaluate"
)

func TestSquareCenters(t *testing.T) {
	s := must(evaluate.NewSquare(3, 3))
	want := []float64{-2, -2, 0, -2, 2, -2, -2, 0, 0, 0, 2, 0, -2, 2, 0, 2, 2, 2}
	if !slices.Equal(s.Centers.X, want) {
		t.Errorf("centres %v, want %v", s.Centers.X, want)
	}
	// Shares of known numbers, and an integral of a polynomial that the midpoint rule
	// has exactly: of 1 + x over a square of side 6.
	if got := s.Integral(s.Centers.Map(func(x []float64) float64 { return 1 + x[0] })); math.Abs(got-36) > 1e-12 {
		t.Errorf("integral of 1 + x = %v, want 36", got)
	}
	if got := s.Shares([]float64{1, 0, 0, 0, 3, 0, 0, 0, 0}); got[0] != 0.25 || got[4] != 0.75 || got[8] != 0 {
		t.Errorf("shares %v", got)
	}
	corner, middle := []float64{2, 0, 0, 0, 0, 0, 0, 0, 0}, []float64{7, 0, 0, 0, 7, 0, 0, 0, 0}
	if got := s.TotalVariation(corner, middle); got != 0.5 {
		t.Errorf("total variation %v, want 0.5", got)
	}
}

// Integral and distance of Gaussians against closed forms.
func TestSquareGaussians(t *testing.T) {
	s := must(evaluate.NewSquare(8, 200))
	p := must(energy.NewDiagonalGaussian([]float64{0.5, 0}, []float64{0.7, 1}))
	q := must(energy.NewDiagonalGaussian([]float64{-0.5, 0.4}, []float64{0.7, 1}))
	density := func(e ebmkit.Normalized) []float64 {
		return s.Centers.Map(func(x []float64) float64 { return math.Exp(-e.Energy(x) - e.LogZ()) })
	}
	if got := s.Integral(density(p)); math.Abs(got-1) > 1e-9 {
		t.Errorf("integral of a density %v", got)
	}
	// The difference has a kink along a line. A cell on it, of side h, is wrong by less
	// than h^3/4 times the slope of the difference, here below 0.4; 140 cells of h = 0.08
	// are on the part of the line where the densities are not negligible.
	want := must(divergence.TotalVariationGaussian(p, q))
	scaled := density(q)
	for i := range scaled {
		scaled[i] *= 17 // a factor does not matter
	}
	got := s.TotalVariation(density(p), scaled)
	t.Logf("total variation %.6f, exact %.6f", got, want)
	if math.Abs(got-want) > 140*0.08*0.08*0.08/4*0.4/2 {
		t.Errorf("total variation %v, want %v", got, want)
	}
}

func TestSquareBadInput(t *testing.T) {
	for _, c := range []struct {
		half float64
		n    int
		arg  string
	}{{0, 3, "half"}, {math.NaN(), 3, "half"}, {math.Inf(1), 3, "half"}, {1, 0, "n"}, {1, 10_001, "n"}} {
		var arg *ebmkit.ArgError
		if _, err := evaluate.NewSquare(c.half, c.n); !errors.As(err, &arg) || arg.Arg != c.arg {
			t.Errorf("want an error about %q, got %v", c.arg, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic at a wrong length")
		}
	}()
	must(evaluate.NewSquare(1, 2)).Integral([]float64{1})
}
