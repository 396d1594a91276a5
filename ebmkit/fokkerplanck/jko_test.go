package fokkerplanck

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func moments(q []float64) (mean, variance float64) {
	for _, v := range q {
		mean += v / float64(len(q))
	}
	for _, v := range q {
		variance += (v - mean) * (v - mean) / float64(len(q))
	}
	return mean, variance
}

// On Gaussians the step is the closed form of eq. (93), with an error that falls
// as 1/n.
func TestForwardBackwardFollowsTheClosedForm(t *testing.T) {
	target := must(energy.NewGaussian1D(1, 0.8))
	const h, steps = 0.2, 6
	var law energy.Normal = must(energy.NewGaussian1D(-1, 1.7))
	for range steps {
		law = must(mcmc.ForwardBackward(target, h, law)).Next
	}
	wantMean, wantVar := law.Mean(nil)[0], law.Cov(nil)[0]
	last := math.Inf(1)
	sizes := []int{100, 400, 1600, 6400}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, n := range sizes {
		q := must(NormalQuantiles(n, -1, 1.7))
		for range steps {
			_, next, err := ForwardBackward(target, h, q)
			if err != nil {
				t.Fatal(err)
			}
			q = next
		}
		mean, variance := moments(q)
		err := math.Abs(variance - wantVar)
		t.Logf("n = %d: mean %.6f (%.6f), variance %.6f (%.6f), error %.2e", n, mean, wantMean, variance, wantVar, err)
		if math.Abs(mean-wantMean) > 1e-10 {
			t.Errorf("n = %d: mean %v, want %v: the entropy must not move it", n, mean, wantMean)
		}
		if err > last/3 || err > 2/float64(n) {
			t.Errorf("n = %d: variance off by %g, %g before", n, err, last)
		}
		last = err
	}
}

// The step of JKO on Gaussians in closed form: for the target N(0, 1)
//
//	m' = m/(1 + h),   s' = (s + sqrt(s^2 + 4 h (1 + h)))/(2 (1 + h)).
//
// For the double well its error as a solution of the equation halves with h, and
// the free energy falls.
func TestJKO(t *testing.T) {
	target := must(energy.NewGaussian1D(0, 1))
	const h = 0.3
	last := math.Inf(1)
	for _, n := range []int{100, 400, 1600} {
		m, s := 1.5, 0.6
		q := must(NormalQuantiles(n, m, s))
		for range 3 {
			q = must(JKO(target, h, q))
			m, s = m/(1+h), (s+math.Sqrt(s*s+4*h*(1+h)))/(2*(1+h))
		}
		mean, variance := moments(q)
		err := math.Abs(variance - s*s)
		t.Logf("n = %d: mean %.6f (%.6f), variance %.6f (%.6f)", n, mean, m, variance, s*s)
		if math.Abs(mean-m) > 1e-10 || err > last/3 || err > 2/float64(n) {
			t.Errorf("n = %d: mean off by %g, variance by %g", n, mean-m, err)
		}
		last = err
	}

	well := must(energy.NewDoubleWell(1, 1))
	g := line(-3.2, 3.2, 800)
	gen := must(Langevin{Energy: well, MaxPeclet: 3}.On(g))
	p := must(Evolve(t.Context(), gen, normal(g, 0.3, 0.5), Config{Step: 2e-3, Steps: 200})).Last()
	var errs []float64
	for _, h := range []float64{0.04, 0.02, 0.01} {
		q := must(NormalQuantiles(800, 0.3, 0.5))
		f := must(FreeEnergy(well, q))
		for range int(math.Round(0.4 / h)) {
			q = must(JKO(well, h, q))
			if now := must(FreeEnergy(well, q)); now > f {
				t.Fatalf("h = %g: the free energy rises from %v to %v", h, f, now)
			} else {
				f = now
			}
		}
		errs = append(errs, must(g.Kolmogorov(p, q)))
	}
	t.Logf("distances from the equation %.2e, order %.2f", errs, order(errs))
	if o := order(errs); errs[2] > 0.005 || o < 0.7 || o > 1.3 {
		t.Errorf("distances %.2e, order %.2f", errs, o)
	}
}

// distance returns the largest difference between the level of a quantile and
// the target's distribution function there, the latter by the trapezoidal rule.
func distance(target ebmkit.Energy, q []float64) float64 {
	const m, lo, hi = 200_001, -6.0, 6.0
	cdf := make([]float64, m)
	last := 0.0
	for i := range cdf {
		p := math.Exp(-target.Energy([]float64{lo + (hi-lo)*float64(i)/(m-1)}))
		if i > 0 {
			cdf[i] = cdf[i-1] + (p+last)/2
		}
		last = p
	}
	worst := 0.0
	for i, v := range q {
		at := (v - lo) / (hi - lo) * (m - 1)
		k := int(at)
		f := (cdf[k] + (at-float64(k))*(cdf[k+1]-cdf[k])) / cdf[m-1]
		worst = math.Max(worst, math.Abs(f-(float64(i)+0.5)/float64(len(q))))
	}
	return worst
}

// For the double well the splitting tends to exp(-U)/Z, whatever h; the free
// energy falls at every step and ends at -log Z.
func TestForwardBackwardReachesTheDoubleWell(t *testing.T) {
	well := must(energy.NewDoubleWell(1, 1))
	var z float64
	for x := -5.0; x < 5; x += 1e-3 {
		z += 1e-3 * math.Exp(-well.Energy([]float64{x}))
	}
	settle := func(n int, h, time float64) []float64 {
		q := must(NormalQuantiles(n, 0.3, 0.5))
		f := must(FreeEnergy(well, q))
		for range int(time / h) {
			_, next, err := ForwardBackward(well, h, q)
			if err != nil {
				t.Fatal(err)
			}
			now := must(FreeEnergy(well, next))
			if now > f+1e-12 {
				t.Fatalf("n = %d, h = %g: the free energy rises from %v to %v", n, h, f, now)
			}
			q, f = next, now
		}
		t.Logf("n = %d, h = %g: levels within %.2e, free energy %.5f, -log Z = %.5f", n, h, distance(well, q), f, -math.Log(z))
		return q
	}
	if testing.Short() {
		settle(100, 0.02, 5)
		return
	}
	coarse, fine := settle(100, 0.02, 30), settle(400, 0.02, 30)
	a, b := distance(well, coarse), distance(well, fine)
	if a > 0.02 || b > a/3 {
		t.Errorf("distance to the target %g for n = 100, %g for n = 400", a, b)
	}
	if far := distance(well, must(NormalQuantiles(400, 0.3, 0.5))); far < 0.1 {
		t.Errorf("the start is within %g of the target: the test has no power", far)
	}
	other := settle(100, 0.01, 30)
	for i := range other {
		if math.Abs(other[i]-coarse[i]) > 1e-7 {
			t.Fatalf("quantile %d depends on h: %v and %v", i, other[i], coarse[i])
		}
	}
	var pull float64 // the equation of the fixed point
	g := make([]float64, 1)
	for i := range len(coarse) - 1 {
		well.EnergyGrad(g, coarse[i:i+1])
		pull -= g[0]
		if gap := 1 / (coarse[i+1] - coarse[i]); math.Abs(gap-pull) > 1e-6*gap {
			t.Fatalf("interval %d: 1/gap = %v, want %v", i, gap, pull)
		}
	}
}

func TestRefusesBadInput(t *testing.T) {
	g := must(energy.NewGaussian1D(0, 1))
	q := []float64{-1, 0, 1}
	for arg, f := range map[string]func() error{
		"target.Dim()": func() error {
			_, _, err := ForwardBackward(must(energy.NewIsotropicGaussian([]float64{0, 0}, 1)), 1, q)
			return err
		},
		"h":             func() error { _, _, err := ForwardBackward(g, math.NaN(), q); return err },
		"len(q) of JKO": func() error { _, err := JKO(g, 1, nil); return err },
		"h of JKO":      func() error { _, err := JKO(g, -1, q); return err },
		"q[2]":          func() error { _, _, err := ForwardBackward(g, 1, []float64{0, 1, 1}); return err },
		"q[1]":          func() error { _, err := FreeEnergy(g, []float64{0, math.Inf(1)}); return err },
		"len(q)":        func() error { _, _, err := ForwardBackward(g, 1, q[:1]); return err },
		"n":             func() error { _, err := NormalQuantiles(1, 0, 1); return err },
		"mean":          func() error { _, err := NormalQuantiles(9, math.Inf(1), 1); return err },
		"sd":            func() error { _, err := NormalQuantiles(9, 0, 0); return err },
	} {
		var e *ebmkit.ArgError
		if err := f(); !errors.As(err, &e) || e.Arg != strings.TrimSuffix(arg, " of JKO") {
			t.Errorf("want an error about %s, got %v", arg, err)
		}
	}
}

// Quantiles of a narrow start spread into both wells.
func ExampleForwardBackward() {
	well, _ := energy.NewDoubleWell(1, 1)
	q, _ := NormalQuantiles(200, 0, 0.2)
	for range 500 {
		_, q, _ = ForwardBackward(well, 0.05, q)
	}
	fmt.Printf("a quarter lies beyond %.3f\n", (q[149]+q[150])/2)
	// Output:
	// a quarter lies beyond 0.867
}

func BenchmarkForwardBackward(b *testing.B) {
	well := must(energy.NewDoubleWell(1, 1))
	q := must(NormalQuantiles(1000, 0, 1))
	for b.Loop() {
		ForwardBackward(well, 0.02, q)
	}
}
