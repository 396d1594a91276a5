package diagnose

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Without a fault the draws are the normals of the stream, one for each chain;
// an autoregression has the autocorrelation time (1+r)/(1-r).
func TestFaultyMakesWhatItSays(t *testing.T) {
	s, err := Faulty(3, 20_000, 5, func(d Draw) float64 { return d.Normal })
	if err != nil {
		t.Fatal(err)
	}
	var first, second float64
	for c := range 3 {
		stream := ebmkit.NewStream(5, "faults", c)
		for i, x := range s.Chain(c) {
			if x != stream.Normal() {
				t.Fatalf("chain %d, draw %d is not that of its stream", c, i)
			}
			first, second = first+x/60_000, second+x*x/60_000
		}
	}
	// Standard errors are 1/sqrt(60000) and sqrt(2/60000).
	if math.Abs(first) > 4/math.Sqrt(60_000) || math.Abs(second-1) > 4*math.Sqrt(2./60_000) {
		t.Errorf("mean %g and second moment %g, want 0 and 1", first, second)
	}
	const r = 0.8
	slow, err := Faulty(3, 20_000, 5, func(d Draw) float64 { return r*d.Last + math.Sqrt(1-r*r)*d.Normal })
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		series *Series
		tau    float64
	}{{s, 1}, {slow, (1 + r) / (1 - r)}} {
		tau, err := c.series.Tau()
		if err != nil || math.Abs(tau.Z(c.tau)) > 4 {
			t.Errorf("tau %v, want %g; %v", tau, c.tau, err)
		}
	}
}

// A fault sees its own chain and time, and the draw before it.
func TestFaultyTellsWhereItIs(t *testing.T) {
	s, err := Faulty(2, 5, 1, func(d Draw) float64 { return d.Last + float64(10*d.Chain+d.T) })
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range [][]float64{{0, 1, 3, 6, 10}, {10, 21, 33, 46, 60}} {
		for i, x := range s.Chain(c) {
			if x != want[i] {
				t.Errorf("chain %d: %v, want %v", c, s.Chain(c), want)
				break
			}
		}
	}
	for _, size := range [][2]int{{0, 100}, {-1, 100}, {4, 3}, {4, -1}} {
		_, err := Faulty(size[0], size[1], 1, func(d Draw) float64 { return d.Normal })
		var bad *ebmkit.ArgError
		if !errors.As(err, &bad) {
			t.Errorf("%d chains of %d draws: error %v", size[0], size[1], err)
		}
	}
}

// A kernel that draws anew costs its evaluations; one that goes a third of the
// way there costs nine times as much.
func TestJumpCost(t *testing.T) {
	const n, d = 4000, 3
	s := ebmkit.NewStream(2, "jumps", 0)
	from, to := &ebmkit.Ensemble{N: n, Dim: d, X: make([]float64, n*d)}, &ebmkit.Ensemble{N: n, Dim: d, X: make([]float64, n*d)}
	s.FillNormal(from.X)
	s.FillNormal(to.X)
	fresh := JumpCost(from, to, 2*d, 7)
	if z := fresh.Z(7); math.Abs(z) > 4 {
		t.Errorf("independent draws cost %v, want 7", fresh)
	}
	// |x'-x|^2 is 2 chi^2_d: its relative standard deviation is sqrt(2/d).
	if want := 7 * math.Sqrt(2./d/n); math.Abs(fresh.SE/want-1) > 0.1 {
		t.Errorf("standard error %g, want about %g", fresh.SE, want)
	}
	for i, x := range from.X {
		to.X[i] = x + (to.X[i]-x)/3
	}
	if short := JumpCost(from, to, 2*d, 7); math.Abs(short.Value/fresh.Value-9) > 1e-9 {
		t.Errorf("jumps of a third cost %v, want 9 times %v", short, fresh)
	}
	if still := JumpCost(from, from, 2*d, 7); !math.IsInf(still.Value, 1) {
		t.Errorf("no jump costs %v, want +Inf", still)
	}
}
