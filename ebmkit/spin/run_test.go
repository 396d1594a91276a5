package spin

import (
	"context"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// With a pattern stored by Hebb the series is that of the Curie-Weiss law, and
// without a pattern that of the magnetisation.
func TestIsingRun(t *testing.T) {
	const n, temperature = 16, 0.8
	pattern := must(RandomPatterns(n, 1, 5))
	net := must(NewHopfield(Hebb, n, pattern))
	m := must(NewIsingMatrix(net.Couplings(), 0, nil))
	exact := must(CurieWeiss(n, 1/temperature))
	run := func(pattern []float64) (*Series, []float64) {
		x := append([]float64(nil), pattern...)
		if pattern == nil {
			x = uniform(n, 1)
		}
		s := ebmkit.NewStream(2, "test", 0)
		return must(m.Run(context.Background(), 1/temperature, x, pattern, 6000, 4, s)), x
	}
	series, x := run(pattern)
	o := must(series.Observables())
	for what, z := range map[string]float64{"energy": o.Energy.Z(exact.Energy), "overlap": o.AbsM.Z(exact.AbsM), "Binder": o.Binder.Z(exact.Binder)} {
		t.Logf("%s: z = %.2f", what, z)
		if math.Abs(z) > 4 {
			t.Errorf("%s: z = %.1f", what, z)
		}
	}
	last := len(series.U) - 1
	near(t, "last energy", series.U[last], m.Energy(x), 0)
	near(t, "last overlap", series.M[last], n*Overlap(x, pattern), 0)
	if last != 5999 || series.Sites != n || series.Beta != 1/temperature {
		t.Errorf("%d draws, %d sites, beta %g", last+1, series.Sites, series.Beta)
	}
	// The magnetisation is another thing: across the pattern it is nearly that of
	// free spins, far below the overlap.
	plain, x := run(nil)
	var sum float64
	for _, v := range x {
		sum += v
	}
	near(t, "magnetisation", plain.M[last], sum, 0)
	if o := must(plain.Observables()); !(o.AbsM.Value < exact.AbsM-0.2) {
		t.Errorf("|m| = %v", o.AbsM)
	}
}

func TestIsingRunErrors(t *testing.T) {
	m := must(NewChain(4, 1, 0))
	ctx, s := context.Background(), ebmkit.NewStream(1, "test", 0)
	up := uniform(4, 1)
	for arg, err := range map[string]error{
		"beta":         second(m.Run(ctx, -1, up, nil, 1, 1, s)),
		"len(x)":       second(m.Run(ctx, 1, up[:3], nil, 1, 1, s)),
		"len(pattern)": second(m.Run(ctx, 1, up, up[:3], 1, 1, s)),
		"pattern[0]":   second(m.Run(ctx, 1, up, []float64{0, 1, 1, 1}, 1, 1, s)),
		"draws":        second(m.Run(ctx, 1, up, nil, 0, 1, s)),
		"thin":         second(m.Run(ctx, 1, up, nil, 1, 0, s)),
	} {
		wantArg(t, arg, err, arg)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if series, err := m.Run(stopped, 1, up, nil, 5, 1, s); err != context.Canceled || len(series.U) != 0 {
		t.Errorf("stopped: %v, %v", series, err)
	}
}

func second[T any](_ T, err error) error { return err }
