package freeenergy_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/internal/race"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func normal(d int, sd float64) *energy.DiagonalGaussian {
	return must(energy.NewIsotropicGaussian(make([]float64, d), sd))
}

func run(t testing.TB, target, from ebmkit.Energy, n int, seed uint64) *freeenergy.Report {
	t.Helper()
	r, err := freeenergy.ImportanceSampling{Proposal: from}.Run(context.Background(), target, freeenergy.Config{Samples: n, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLogZWithinItsError(t *testing.T) {
	for _, c := range []struct {
		name   string
		target ebmkit.Normalized
		from   ebmkit.Energy
	}{
		{"Gaussian d=1", normal(1, 1), normal(1, 1.3)},
		{"Gaussian d=5", normal(5, 1), normal(5, 1.2)},
		{"mixture", must(energy.NewMixture1D([]float64{3, 4}, []float64{0, 5}, []float64{1, 0.5})), must(energy.NewGaussian1D(2, 4))},
		{"double well d=2", must(energy.NewDoubleWellND(2, 1, 1.5, 2)), normal(2, 1.5)},
	} {
		const reps = 50
		var z, z2, logz, var0 float64
		for s := range reps {
			r := run(t, c.target, c.from, 4000, uint64(s))
			zs := r.LogZ.Z(c.target.LogZ())
			z += zs / reps
			z2 += zs * zs / reps
			logz += r.LogZ.Value / reps
			var0 += r.LogZ.SE * r.LogZ.SE / reps
		}
		mean := ebmkit.Estimate{Value: logz, SE: math.Sqrt(var0 / reps)}
		t.Logf("%-16s log Z %v exact %.6f z = %.2f; mean z^2 = %.2f", c.name, mean, c.target.LogZ(), mean.Z(c.target.LogZ()), z2)
		if math.Abs(mean.Z(c.target.LogZ())) > 4 {
			t.Errorf("%s: log Z %v, exact %v", c.name, mean, c.target.LogZ())
		}
		// z^2 has mean 1 and standard error sqrt(2/reps): the error bars are right.
		if math.Abs(z2-1) > 4*math.Sqrt(2./reps) {
			t.Errorf("%s: mean z^2 = %.2f, the standard error is wrong", c.name, z2)
		}
		// Negative control: a log Z off by 3 % of Z must be rejected.
		if wrong := c.target.LogZ() + 0.03; math.Abs(mean.Z(wrong)) < 4 {
			t.Errorf("%s: no power against an error of 3 %%: z = %.2f", c.name, mean.Z(wrong))
		}
	}
}

// The coefficient of variation against its closed form. The sample CV^2 has an
// error of its own, measured over independent runs.
func TestCoefficientOfVariation(t *testing.T) {
	for _, c := range []struct {
		d int
		s float64
	}{{1, 1.1}, {1, 2}, {5, 1.2}, {10, 1.2}} {
		exact := math.Pow(c.s*c.s/math.Sqrt(2*c.s*c.s-1), float64(c.d)) - 1
		if cv := freeenergy.GaussianCV(1, c.s, c.d); math.Abs(cv*cv/exact-1) > 1e-12 {
			t.Errorf("GaussianCV^2 = %v, want %v", cv*cv, exact)
		}
		var v []float64
		for seed := range 40 {
			r := run(t, normal(c.d, 1), normal(c.d, c.s), 5000, uint64(seed))
			v = append(v, r.CV*r.CV)
			if ess := float64(r.N) / (1 + r.CV*r.CV*float64(r.N-1)/float64(r.N)); math.Abs(r.ESS/ess-1) > 1e-12 {
				t.Errorf("ESS %v and CV disagree: %v", r.ESS, ess)
			}
		}
		m := ebmkit.MeanOf(v)
		t.Logf("d = %2d, s = %.1f: CV^2 %v, exact %.6f, z = %.2f", c.d, c.s, m, exact, m.Z(exact))
		if math.Abs(m.Z(exact)) > 4 {
			t.Errorf("CV^2 %v, exact %v", m, exact)
		}
	}
}

// k-hat on weights that have exactly the law it assumes, and on Gaussians.
func TestParetoK(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	for _, k := range []float64{-0.3, 0.2, 0.5, 0.8, 1.2} {
		var est []float64
		for seed := range 60 {
			s := ebmkit.NewStream(uint64(seed), "pareto", 0)
			logw := make([]float64, 4000)
			for i := range logw {
				logw[i] = math.Log(1 + (math.Pow(1-s.Float64(), -k)-1)/k) // a generalised Pareto law, shifted by 1
			}
			est = append(est, freeenergy.ParetoK(logw))
		}
		m := ebmkit.MeanOf(est)
		// The shrinkage towards 1/2 is part of the definition: m = 190 of 200.
		tail := math.Ceil(3 * math.Sqrt(4000))
		want := (tail*k + 5) / (tail + 10)
		sd := m.SE * math.Sqrt(60)
		t.Logf("true k = %.2f: k-hat %v (spread %.3f), with shrinkage %.3f", k, m, sd, want)
		// The fit itself is biased by O(1/tail): a third of its spread is allowed.
		if math.Abs(m.Value-want) > 4*m.SE+sd/3 {
			t.Errorf("k = %v: k-hat %v, want %v", k, m, want)
		}
	}
	// Weights of a discrete law, with many ties that differ by rounding.
	for _, k := range []float64{0.2, 0.8} {
		var fine, coarse []float64
		for seed := range 20 {
			s := ebmkit.NewStream(uint64(seed), "ties", 0)
			a, b := make([]float64, 4000), make([]float64, 4000)
			for i := range a {
				a[i] = math.Log(1 + (math.Pow(1-s.Float64(), -k)-1)/k)
				b[i] = math.Floor(a[i]*8)/8 + 1e-14*s.Float64()
			}
			fine, coarse = append(fine, freeenergy.ParetoK(a)), append(coarse, freeenergy.ParetoK(b))
		}
		f, c := ebmkit.MeanOf(fine), ebmkit.MeanOf(coarse)
		t.Logf("true k = %.1f: k-hat %v, of rounded weights %v", k, f, c)
		if math.Abs(f.Value-c.Value) > 0.1 {
			t.Errorf("k = %v: k-hat %v, of rounded weights %v", k, f, c)
		}
	}
	// Gaussian weights with s < sigma: k = 1 - s^2/sigma^2, approached slowly.
	for _, s := range []float64{0.5, 0.7, 0.9} {
		var est []float64
		for seed := range 20 {
			est = append(est, run(t, normal(1, 1), normal(1, s), 20000, uint64(seed)).KHat)
		}
		m := ebmkit.MeanOf(est)
		t.Logf("s = %.1f: k-hat %v, true k %.2f", s, m, 1-s*s)
	}
	bad := run(t, normal(1, 1), normal(1, 0.4), 20000, 1)
	good := run(t, normal(1, 1), normal(1, 1.2), 20000, 1)
	if bad.Trusted() || !good.Trusted() {
		t.Errorf("infinite variance: %v; finite: %v", bad, good)
	}
}

func TestGaussianCVEdges(t *testing.T) {
	if cv := freeenergy.GaussianCV(1, 0.7, 1); !math.IsInf(cv, 1) {
		t.Errorf("s^2 < sigma^2/2: %v, want +Inf", cv)
	}
	if cv := freeenergy.GaussianCV(2, 2, 50); cv != 0 {
		t.Errorf("s = sigma: %v, want 0", cv)
	}
	if cv := freeenergy.GaussianCV(1, -1, 1); !math.IsNaN(cv) {
		t.Errorf("s < 0: %v, want NaN", cv)
	}
}

func TestEqualWeights(t *testing.T) {
	r := run(t, normal(3, 1), normal(3, 1), 1000, 1)
	if math.Abs(r.LogZ.Z(normal(3, 1).LogZ())) > 0 && math.Abs(r.LogZ.Value-normal(3, 1).LogZ()) > 1e-12 {
		t.Errorf("proposal = target: %v", r)
	}
	if math.Abs(r.ESS-1000) > 1e-6 {
		t.Errorf("ESS = %v, want 1000", r.ESS)
	}
}

func TestSameBitsAtAnyGOMAXPROCS(t *testing.T) {
	target := must(energy.NewRing(8, 4, 0.5))
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	first := run(t, target, normal(2, 3), 10007, 5)
	for _, p := range []int{2, 7} {
		runtime.GOMAXPROCS(p)
		r := run(t, target, normal(2, 3), 10007, 5)
		if r.LogZ != first.LogZ || r.KHat != first.KHat || !slices.Equal(r.LogW, first.LogW) {
			t.Errorf("GOMAXPROCS %d: %v, want %v", p, r, first)
		}
	}
	if other := run(t, target, normal(2, 3), 10007, 6); other.LogZ == first.LogZ {
		t.Error("another seed gives the same estimate")
	}
}

func TestBadInput(t *testing.T) {
	ctx := context.Background()
	g := normal(2, 1)
	nan := must(energy.NewFunc(2, func([]float64) float64 { return math.NaN() }, nil))
	away := must(energy.NewFunc(2, func([]float64) float64 { return math.Inf(1) }, nil))
	for name, err := range map[string]error{
		"dimension":  second(freeenergy.ImportanceSampling{Proposal: normal(3, 1)}.Run(ctx, g, freeenergy.Config{Samples: 10})),
		"no sampler": second(freeenergy.ImportanceSampling{Proposal: nan}.Run(ctx, g, freeenergy.Config{Samples: 10})),
		"nil":        second(freeenergy.ImportanceSampling{}.Run(ctx, g, freeenergy.Config{Samples: 10})),
		"samples":    second(freeenergy.ImportanceSampling{Proposal: g}.Run(ctx, g, freeenergy.Config{})),
		"NaN":        second(freeenergy.ImportanceSampling{Proposal: g}.Run(ctx, nan, freeenergy.Config{Samples: 10})),
		"away":       second(freeenergy.ImportanceSampling{Proposal: g}.Run(ctx, away, freeenergy.Config{Samples: 10})),
		"one weight": second(freeenergy.ReportOf([]float64{1})),
	} {
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) {
			t.Errorf("%s: %v, want *ebmkit.ArgError", name, err)
		}
		t.Log(err)
	}
	stop, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := (freeenergy.ImportanceSampling{Proposal: g}).Run(stop, g, freeenergy.Config{Samples: 1000}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func ExampleImportanceSampling() {
	target, _ := energy.NewMixture1D([]float64{7, 3}, []float64{0, 5}, []float64{1, 0.5})
	from, _ := energy.NewGaussian1D(2, 3)
	r, _ := freeenergy.ImportanceSampling{Proposal: from}.Run(context.Background(), target, freeenergy.Config{Samples: 100000, Seed: 1})
	fmt.Printf("exact %.3f, within 4 errors: %v, error below 0.01: %v\n",
		target.LogZ(), math.Abs(r.LogZ.Z(target.LogZ())) < 4, r.LogZ.SE < 0.01)
	fmt.Println("weights trusted:", r.Trusted())
	// Output:
	// exact 2.303, within 4 errors: true, error below 0.01: true
	// weights trusted: true
}

func BenchmarkImportanceSampling(b *testing.B) {
	target, from := must(energy.NewRing(8, 4, 0.5)), normal(2, 3)
	b.ReportAllocs()
	for b.Loop() {
		run(b, target, from, 100000, 1)
	}
}

func BenchmarkParetoK(b *testing.B) {
	r := run(b, normal(5, 1), normal(5, 1.2), 100000, 1)
	b.ReportAllocs()
	for b.Loop() {
		freeenergy.ParetoK(r.LogW)
	}
}
