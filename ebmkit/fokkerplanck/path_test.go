package fokkerplanck_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
)

func TestPathsAreSingleSteps(t *testing.T) {
	u, err := energy.NewDoubleWell(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	q, err := fokkerplanck.NormalQuantiles(50, 0.3, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	h := []float64{0.02, 0.01, 0.03}
	type path = func(ebmkit.Energy, []float64, []float64) ([][]float64, error)
	for name, c := range map[string]struct {
		all  path
		step func(h float64, q []float64) ([]float64, error)
	}{
		"JKO": {fokkerplanck.JKOPath, func(h float64, q []float64) ([]float64, error) { return fokkerplanck.JKO(u, h, q) }},
		"forward-backward": {fokkerplanck.ForwardBackwardPath, func(h float64, q []float64) ([]float64, error) {
			_, next, err := fokkerplanck.ForwardBackward(u, h, q)
			return next, err
		}},
	} {
		got, err := c.all(u, q, h)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(q)
		for k := range got {
			if !slices.Equal(got[k], want) {
				t.Errorf("%s: set %d differs from single steps", name, k)
			}
			if k < len(h) {
				if want, err = c.step(h[k], want); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(got) != 4 || &got[0][0] == &q[0] {
			t.Errorf("%s: %d sets, want 4 new ones", name, len(got))
		}
		var arg *ebmkit.ArgError
		if p, err := c.all(u, q, []float64{0.02, -1}); p != nil || !errors.As(err, &arg) {
			t.Errorf("%s: a negative step gives %v, %v", name, p, err)
		}
	}
}

func TestGrowingSteps(t *testing.T) {
	times, h, err := fokkerplanck.GrowingSteps(1e-3, 10, 0.05, 0.02)
	if err != nil {
		t.Fatal(err)
	}
	for k, step := range h {
		if times[k+1] != times[k]+step || step != min(0.02, 0.05*times[k]) {
			t.Fatalf("step %d from %g to %g is %g", k, times[k], times[k+1], step)
		}
	}
	if last := len(h); len(times) != last+1 || times[last] < 10 || times[last-1] >= 10 || times[0] != 1e-3 {
		t.Errorf("%d times, %d steps, from %g, ends %g and %g", len(times), last, times[0], times[last-1], times[last])
	}
	for _, a := range [][4]float64{{0, 1, 1, 1}, {1, 1, 1, 1}, {1, math.Inf(1), 1, 1}, {1, 2, 0, 1}, {1, 2, 1, math.NaN()}, {1, 2, 1, math.Inf(1)}} {
		var arg *ebmkit.ArgError
		if _, _, err := fokkerplanck.GrowingSteps(a[0], a[1], a[2], a[3]); !errors.As(err, &arg) {
			t.Errorf("%v: %v", a, err)
		}
	}
}

// Central differences are exact for parabolas and of second order for a sine.
func TestSlope(t *testing.T) {
	worst := func(n int, f, df func(x float64) float64) (w float64) {
		g, err := fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -1, Hi: 2, Cells: n})
		if err != nil {
			t.Fatal(err)
		}
		x := g.Axis(0).Centers()
		v := make([]float64, n)
		for i := range x {
			v[i] = f(x[i])
		}
		d := g.Slope(v)
		if d[0] != 0 || d[n-1] != 0 {
			t.Errorf("ends: %g, %g", d[0], d[n-1])
		}
		for i := 1; i < n-1; i++ {
			w = max(w, math.Abs(d[i]-df(x[i])))
		}
		return w
	}
	if w := worst(30, func(x float64) float64 { return x * x }, func(x float64) float64 { return 2 * x }); w > 1e-12 {
		t.Errorf("parabola: off by %g", w)
	}
	if r := worst(100, math.Sin, math.Cos) / worst(200, math.Sin, math.Cos); math.Abs(r-4) > 0.1 {
		t.Errorf("sine: half the width divides the error by %g, want 4", r)
	}
}
