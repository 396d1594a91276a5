package train_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// Ends, middle and equal steps; and along it Follow finds the exact log Z of a trap
// that becomes four times as stiff.
func TestStraight(t *testing.T) {
	soft, stiff := iso(1, 1, -2), iso(0.5, 3, -2)
	path := must(train.Straight(soft, stiff, 40))
	if path.N != 41 || path.Dim != 4 {
		t.Fatalf("%d points of dimension %d", path.N, path.Dim)
	}
	if !slices.Equal(path.Row(0), soft.Params(nil)) {
		t.Errorf("starts at %v", path.Row(0))
	}
	for k := range path.N {
		s := float64(k) / 40
		want := []float64{1 + 2*s, -2, -math.Ln2 * s, -math.Ln2 * s}
		for i, v := range path.Row(k) {
			if math.Abs(v-want[i]) > 1e-14 {
				t.Fatalf("point %d is %v, want %v", k, path.Row(k), want)
			}
		}
	}
	est := must(train.Follow(ctx, soft, path, train.Jarzynski{Walkers: 2000, Kernel: mcmc.ULA{Step: 0.1}}, 1))
	want := soft.LogZ() - 2*math.Ln2
	if z := est[40].Z(want); math.Abs(z) > 4 {
		t.Errorf("log Z at the end %v, exact %v, z = %.1f", est[40], want, z)
	}

	wide := must(energy.NewTwoModes([]float64{-1, 0}, []float64{1, 0}, 0))
	for _, c := range []struct {
		arg      string
		from, to train.Model
		steps    int
	}{{"from", nil, stiff, 1}, {"to", soft, nil, 1}, {"to", soft, wide, 1}, {"steps", soft, stiff, 0}} {
		var arg *ebmkit.ArgError
		if _, err := train.Straight(c.from, c.to, c.steps); !errors.As(err, &arg) || arg.Arg != c.arg {
			t.Errorf("want an error about %s, got %v", c.arg, err)
		}
	}
}
