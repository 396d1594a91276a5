package freeenergy

import (
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// The energies that the paths make keep the contracts of package ebmkit.
func TestConform(t *testing.T) {
	g0, err := energy.NewIsotropicGaussian([]float64{0, 1}, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	g1, err := energy.NewGaussian([]float64{1, -1}, []float64{1, 0.4, 0.4, 0.8})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]Path{
		"geometric": Geometric{g0, g1},
		"stiffness": StiffnessChange{D: 3, From: 1, To: 4},
		"trap":      DraggedTrap{Stiffness: 2, Distance: 3},
		"field":     FieldRamp{U: g1, Field: []float64{1, -2}},
		"masses":    ModeMasses{A: []float64{-1, 0}, B: []float64{1, 0.5}, ToZ: 1},
	} {
		at, err := p.Walk()
		if err != nil {
			t.Fatal(err)
		}
		for _, lambda := range []float64{0.3, 1} {
			e := at(lambda)
			prefix := "freeenergy: "
			if e == ebmkit.Energy(g1) {
				continue // conforms in its own package
			}
			if name == "geometric" || name == "masses" {
				prefix = "energy: "
			}
			for _, fault := range conform.Check(e, conform.Options{Prefix: prefix, Samples: 4000, Seed: 1, Fast: true}) {
				t.Errorf("%s at %g: %v", name, lambda, fault)
			}
		}
	}
}

// A particle of weight w has floor(n w) or more copies, in ceil(n w) or fewer,
// in the mean n w, and none if w is zero.
func TestSystematic(t *testing.T) {
	w := []float64{0.05, 0, 0.5, 0.25, 0.2, 0}
	n := 7
	mean := make([]float64, len(w))
	const grid = 7000
	for r := range grid {
		index := make([]int, n)
		vmath.Systematic(index, w, (float64(r)+0.5)/grid)
		count := make([]int, len(w))
		for _, i := range index {
			count[i]++
		}
		for i, c := range count {
			if d := float64(c) - float64(n)*w[i]; d >= 1 || d <= -1 {
				t.Fatalf("particle %d of weight %v has %d copies of %d", i, w[i], c, n)
			}
			mean[i] += float64(c) / grid
		}
	}
	for i, m := range mean {
		if d := m - float64(n)*w[i]; d > 2./grid || d < -2./grid {
			t.Errorf("particle %d: %v copies in the mean, want %v", i, m, float64(n)*w[i])
		}
	}
}
