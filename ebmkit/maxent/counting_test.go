package maxent_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/maxent"
)

// The number of heads has mean n/2 and variance n/4, also where the last word
// is not full; their parity is fair.
func TestFlips(t *testing.T) {
	const times = 20000
	for _, n := range []int{1, 3, 64, 65, 200} {
		var mean, square, odd []float64
		for _, h := range must(maxent.Flips(n, times, 1)) {
			if h < 0 || h > n {
				t.Fatalf("%d heads of %d coins", h, n)
			}
			d := float64(h) - float64(n)/2
			mean = append(mean, d)
			square = append(square, d*d)
			odd = append(odd, float64(h%2))
		}
		for name, e := range map[string][2]any{
			"mean":     {ebmkit.MeanOf(mean), 0.0},
			"variance": {ebmkit.MeanOf(square), float64(n) / 4},
			"odd":      {ebmkit.MeanOf(odd), 0.5},
		} {
			got, want := e[0].(ebmkit.Estimate), e[1].(float64)
			t.Logf("n = %d, %s: %v, exact %g", n, name, got, want)
			if math.Abs(got.Value-want) > 4*got.SE+1e-12 { // one coin has no spread of squares
				t.Errorf("n = %d, %s: %v, want %g", n, name, got, want)
			}
		}
	}
	if fmt.Sprint(must(maxent.Flips(70, 9, 3))) != fmt.Sprint(must(maxent.Flips(70, 20, 3))[:9]) {
		t.Error("the first tosses depend on how many follow")
	}
}

// Against the list of all throws.
func TestConditionedEnumerated(t *testing.T) {
	for _, c := range []struct{ sides, n int }{{6, 1}, {6, 2}, {6, 5}, {3, 6}, {1, 4}, {2, 7}} {
		throws := int(math.Pow(float64(c.sides), float64(c.n)) + 0.5)
		shown := make([][]float64, c.sides*c.n+1) // [total][face of the first die]
		for total := range shown {
			shown[total] = make([]float64, c.sides)
		}
		for k := range throws {
			total, code := c.n, k
			for range c.n {
				total += code % c.sides
				code /= c.sides
			}
			shown[total][k%c.sides]++
		}
		for total := c.n; total <= c.sides*c.n; total++ {
			var all float64
			for _, v := range shown[total] {
				all += v
			}
			law := must(maxent.Conditioned(c.sides, c.n, total))
			for f := range law {
				if math.Abs(law[f]-shown[total][f]/all) > 1e-14 {
					t.Errorf("%d dice of %d sides, total %d, face %d: %v, want %v", c.n, c.sides, total, f+1, law[f], shown[total][f]/all)
				}
			}
		}
	}
}

// Many dice: the divergence from the law of largest entropy, times n^2, tends to
// what ConditionedGap says, with an error of order 1/n.
func TestConditionedGap(t *testing.T) {
	for _, tenths := range []int{25, 40, 45} {
		p := must(maxent.OnPoints(dice(), mean(x, float64(tenths)/10))).P
		var ratio [2]float64
		for i, n := range []int{100, 400} {
			law := must(maxent.Conditioned(6, n, tenths*n/10))
			var kl, m float64
			for f := range law {
				kl += law[f] * math.Log(law[f]/p[f])
				m += law[f] * float64(f+1)
			}
			near(t, "mean", m, float64(tenths)/10, 1e-11)
			ratio[i] = kl / must(maxent.ConditionedGap(dice().X, p, n))
		}
		t.Logf("mean %g: KL / gap %.5f at 100, %.5f at 400", float64(tenths)/10, ratio[0], ratio[1])
		if off := math.Abs(ratio[1] - 1); !(off < 0.01) || !(off < 0.35*math.Abs(ratio[0]-1)) {
			t.Errorf("mean %g: ratio %v at 400, %v at 100", float64(tenths)/10, ratio[1], ratio[0])
		}
	}
	// Three equal chances: gamma = 0, kappa = 3/2. Two values: nothing left to say.
	third := 1. / 3
	near(t, "three values", must(maxent.ConditionedGap([]float64{4, 6, 8}, []float64{third, third, third}, 5)), 0.5/200, 1e-16)
	near(t, "two values", must(maxent.ConditionedGap([]float64{-1, 1}, []float64{0.9, 0.1}, 5)), 0, 1e-15)
}

func TestBadCounting(t *testing.T) {
	even := []float64{0.5, 0.5}
	for name, err := range map[string]error{
		"coins": second(maxent.Flips(0, 1, 1)),
		"times": second(maxent.Flips(1, 0, 1)),
		"sides": second(maxent.Conditioned(0, 1, 1)),
		"n":     second(maxent.Conditioned(6, 0, 1)),
		"total": second(maxent.Conditioned(6, 2, 13)),
		"p":     second(maxent.ConditionedGap([]float64{1}, even, 1)),
		"p[1]":  second(maxent.ConditionedGap([]float64{1, 2}, []float64{2, -1}, 1)),
	} {
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) || ae.Arg != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"too rare a total": second(maxent.Conditioned(6, 400, 400)),
		"too low a total":  second(maxent.Conditioned(6, 2, 1)),
		"no draw":          second(maxent.ConditionedGap([]float64{1, 2}, even, 0)),
		"not a law":        second(maxent.ConditionedGap([]float64{1, 2}, []float64{0.5, 0.4}, 1)),
		"no variance":      second(maxent.ConditionedGap([]float64{1, 1}, even, 1)),
	} {
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
