package diffusion

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// The likelihood of the flow is that of the data, up to what the prior misses
// (none here: End is the exact law at T) and the error of the time steps, which
// falls with the order of the scheme.
func TestFlowLikelihood(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	ctx := context.Background()
	for name, data := range map[string]*energy.Mixture{"ring": ring(), "skew": skew(), "line": line()} {
		x := must(ebmkit.Draw(data, 20, 3))
		for pname, p := range processes {
			law := must(Marginal(p, data))
			flow := must(ProbabilityFlow(p, law.Score()))
			worst := func(v ebmkit.Field, scheme Scheme, steps int) float64 {
				var worst float64
				got := must(Flow{Velocity: v, End: must(law.At(1)), Times: Uniform(0, 1, steps), Scheme: scheme}.LogDensity(ctx, x))
				for i, e := range got {
					worst = max(worst, math.Abs(e.Value+data.Energy(x.Row(i))+data.LogZ()))
				}
				return worst
			}
			a, b := worst(flow.Drift, RK4, 400), worst(flow.Drift, Heun, 400)
			t.Logf("%s, %s: largest error of log p %.1e (RK4), %.1e (Heun)", pname, name, a, b)
			if a > 1e-6 || b > 5e-3 {
				t.Errorf("%s, %s: errors of log p %g (RK4), %g (Heun)", pname, name, a, b)
			}
			if bad := worst(must(ProbabilityFlow(p, Scaled(0.9, law.Score()))).Drift, RK4, 400); bad < 1e-2 {
				t.Errorf("%s, %s: 0.9 of the score passes, %g", pname, name, bad)
			}
		}
	}
}

// Divergences by differences and by random probes.
func TestFlowWithoutDivergence(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	ctx := context.Background()
	data := skew()
	x := must(ebmkit.Draw(data, 70, 3))
	p := VP{0.1, 20}
	law := must(Marginal(p, data))
	flow := Flow{Velocity: law.Velocity(), End: must(law.At(1)), Times: Uniform(0, 1, 100), Scheme: RK4}
	exact := must(flow.LogDensity(ctx, x))
	// Hide the divergence.
	bare := struct{ ebmkit.Field }{law.Velocity()}
	flow.Velocity = bare
	_, err := flow.LogDensity(ctx, x)
	wantArg(t, err, "Flow.Velocity")
	flow.Velocity = Differences{bare, 1e-4}
	for i, e := range must(flow.LogDensity(ctx, x)) {
		near(t, "log p by differences", e.Value, exact[i].Value, 1e-6)
	}
	flow.Velocity, flow.Probes, flow.Seed, flow.Times = bare, 20, 4, Uniform(0, 1, 60)
	got := must(flow.LogDensity(ctx, x))
	var chi2 float64
	for i, e := range got {
		chi2 += e.Z(exact[i].Value) * e.Z(exact[i].Value)
	}
	// Squares of Student's t with 19 degrees of freedom: mean 19/17, variance
	// 2 * 19^2 * 18 / (17^2 * 15).
	z := (chi2/70 - 19.0/17) / math.Sqrt(2*19*19*18/(17.0*17*15)/70)
	t.Logf("probes: mean square of z %.2f, as a z-score %.2f", chi2/70, z)
	if math.Abs(z) > 4 {
		t.Errorf("the standard errors of the probes do not fit: z = %.2f", z)
	}
	mean := must(flow.MeanLogDensity(ctx, x))
	zScore(t, "mean log density", mean, -must(entropy(data)))
	flow.Times = Uniform(0, 1, 10)
	got = must(flow.LogDensity(ctx, x))
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		if !slices.Equal(must(flow.LogDensity(ctx, x)), got) {
			t.Errorf("GOMAXPROCS %d: other bits", procs)
		}
		runtime.GOMAXPROCS(old)
	}
}

// entropy is that of a mixture in the plane, on a grid.
func entropy(m *energy.Mixture) (float64, error) {
	var h float64
	const step = 0.05
	for i := -100; i < 100; i++ {
		for j := -100; j < 100; j++ {
			u := m.Energy([]float64{float64(i) * step, float64(j) * step}) + m.LogZ()
			h += u * math.Exp(-u) * step * step
		}
	}
	return h, nil
}

// Interpolants: log rho_1 from the flow back to the base.
func TestInterpolantLikelihood(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	ctx := context.Background()
	base, data := ring(), skew()
	x := must(ebmkit.Draw(data, 20, 3))
	for name, p := range interpolants {
		law := must(p.Law(base, data))
		got := must(Flow{Velocity: law.Velocity(), End: base, Times: Uniform(1, 0, 400), Scheme: RK4}.LogDensity(ctx, x))
		for i, e := range got {
			near(t, name+": log rho_1", e.Value, -data.Energy(x.Row(i))-data.LogZ(), 2e-5)
		}
	}
}

// Probes of a network inside a score inside a flow are those by differences.
func TestProbes(t *testing.T) {
	net := must(nn.NewField(nn.FieldConfig{Dim: 2, Hidden: []int{8}, Act: nn.SiLU, Precision: nn.Float64, Seed: 1}))
	p := VP{0.1, 20}
	score := ScoreOf(net, func(t float64) float64 { _, sd := p.Kernel(t); return sd })
	flow := Flow{Velocity: must(ProbabilityFlow(p, score)).Drift, End: ring(), Times: Uniform(0.1, 1, 20), Scheme: RK4, Probes: 5}
	if probeOf(flow.Velocity) == nil {
		t.Fatal("the probe of the network is not found")
	}
	x := must(ebmkit.Draw(ring(), 10, 1))
	exact := must(flow.LogDensity(context.Background(), x))
	flow.Velocity = struct{ ebmkit.Field }{flow.Velocity}
	for i, e := range must(flow.LogDensity(context.Background(), x)) {
		near(t, "log p by probes", exact[i].Value, e.Value, 1e-5)
		near(t, "its error", exact[i].SE, e.SE, 1e-5)
	}
}

func TestFlowErrors(t *testing.T) {
	ctx := context.Background()
	law := must(Marginal(VP{0.1, 20}, ring()))
	ok := Flow{Velocity: law.Velocity(), End: ring(), Times: Uniform(0, 1, 10), Scheme: Heun}
	x := must(ebmkit.Draw(ring(), 3, 1))
	for arg, edit := range map[string]func(f *Flow){
		"Flow.Velocity":   func(f *Flow) { f.Velocity = nil },
		"Flow.End":        func(f *Flow) { f.End = nil },
		"Flow.End.Dim()":  func(f *Flow) { f.End = line() },
		"Flow.Probes":     func(f *Flow) { f.Probes = 1 },
		"Flow.Scheme":     func(f *Flow) { f.Scheme = -1 },
		"len(Flow.Times)": func(f *Flow) { f.Times = nil },
	} {
		f := ok
		edit(&f)
		_, err := f.LogDensity(ctx, x)
		wantArg(t, err, arg)
	}
	_, err := ok.LogDensity(ctx, must(ebmkit.Draw(line(), 3, 1)))
	wantArg(t, err, "x.Dim")
	_, err = ok.LogDensity(ctx, nil)
	wantArg(t, err, "x")
	cube := Func{2, func(dst []float64, _ float64, x []float64) { dst[0], dst[1] = x[0]*x[0]*x[0], 0 }}
	far := must(ebmkit.NewEnsemble(70, 2))
	far.X[2*66] = 1e4
	_, err = Flow{Velocity: Differences{cube, 1e-4}, End: ring(), Times: Uniform(0, 1, 10), Scheme: Heun}.LogDensity(ctx, far)
	var d *ebmkit.DivergedError
	if !errors.As(err, &d) || d.Walker != 66 {
		t.Errorf("error %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ok.LogDensity(cancelled, x); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}
