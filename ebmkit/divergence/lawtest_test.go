package divergence

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// The limit has its level, for sets of other sizes too; a law that is 15 % too
// wide is rejected.
func TestLawTest(t *testing.T) {
	ring, err := energy.NewRing(3, 1.2, 0.3)
	if err != nil {
		t.Fatal(err)
	}
	const level = 0.1
	for _, m := range []int{300, 700} {
		over, sets := 0.0, 200
		if testing.Short() {
			sets = 40
		}
		for seed := range sets {
			// A test of its own for each set: sets that share Data are not independent.
			lt, err := NewLawTest(ring, 400, 0.3, level, uint64(2*seed))
			if err != nil {
				t.Fatal(err)
			}
			x, _ := ebmkit.Draw(ring, m, uint64(2*seed+1))
			r, err := lt.Ratio(x)
			if err != nil {
				t.Fatal(err)
			}
			if r > 1 {
				over++
			}
		}
		// The limit itself is a quantile of 9 permutations, which exceeds its level
		// with probability 1/10 exactly if the sizes were the same.
		z := (over - level*float64(sets)) / math.Sqrt(float64(sets)*level*(1-level))
		t.Logf("m = %d: %g of %d rejected, z = %.2f", m, over, sets, z)
		if math.Abs(z) > 4 {
			t.Errorf("m = %d: %g of %d rejected at level %g, z = %.2f", m, over, sets, level, z)
		}
	}
	lt, err := NewLawTest(ring, 3000, 0.3, 1e-3, 1)
	if err != nil {
		t.Fatal(err)
	}
	wide, _ := energy.NewRing(3, 1.2, 0.345)
	for name, e := range map[string]*energy.Mixture{"the law": ring, "too wide": wide} {
		x, _ := ebmkit.Draw(e, 3000, 5)
		r, err := lt.Ratio(x)
		t.Logf("%s: %.2f of the limit; %v", name, r, lt)
		if err != nil || (r < 1) != (e == ring) {
			t.Errorf("%s: %.2f of the limit, %v", name, r, err)
		}
	}
	for arg, f := range map[string]func() error{
		"n":         func() error { _, err := NewLawTest(ring, 1, 1, 0.1, 1); return err },
		"level":     func() error { _, err := NewLawTest(ring, 10, 1, 0, 1); return err },
		"bandwidth": func() error { _, err := NewLawTest(ring, 10, -1, 0.1, 1); return err },
	} {
		var a *ebmkit.ArgError
		if err := f(); !errors.As(err, &a) || a.Arg != arg {
			t.Errorf("error %v, want one that names %s", err, arg)
		}
	}
}
