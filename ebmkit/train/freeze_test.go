package train_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/conform"
)

func TestFreeze(t *testing.T) {
	m := mixture1()
	was := m.Params(nil)
	f := must(train.Freeze(m, 4, 0))
	same := must(train.Freeze(must(energy.NewTwoModes([]float64{-1, 0}, []float64{1, 0.5}, 0.3)), 0))
	for _, err := range conform.Check(same, conform.Options{Seed: 2, Fast: true}) {
		// The rest of what it says in a panic is said by the energy in it.
		if !strings.Contains(err.Error(), "panic train: Freeze: len(dst) != NumParams") {
			t.Error(err)
		}
	}
	if p := f.Params(nil); p[0] != was[4] || p[1] != was[0] {
		t.Errorf("parameters %v of %v", p, was)
	}
	data := must(ebmkit.Draw(gauss1(0.5, 1), 300, 2))
	_, all := gradOnce(t, m, data, train.Exact{})
	box := train.Exact{Lo: []float64{-10}, Hi: []float64{10}}
	if _, g := gradOnce(t, f, data, box); math.Abs(g[0]-all[4]) > 1e-8 || math.Abs(g[1]-all[0]) > 1e-8 {
		t.Errorf("gradient %v, of all parameters %v", g, all)
	}
	if err := must(train.New(f, data, box, sgd(0.1), train.Config{})).Fit(ctx, 20); err != nil {
		t.Fatal(err)
	}
	for k, v := range m.Params(nil) {
		if moved := v != was[k]; moved != (k == 0 || k == 4) {
			t.Errorf("parameter %d: %v, was %v", k, v, was[k])
		}
	}
	var arg *ebmkit.ArgError
	for _, free := range [][]int{nil, {-1}, {6}, {1, 1}} {
		if _, err := train.Freeze(m, free...); !errors.As(err, &arg) {
			t.Errorf("%v: %v", free, err)
		}
	}
	if _, err := train.Freeze(nil, 0); !errors.As(err, &arg) {
		t.Errorf("nil: %v", err)
	}
}
