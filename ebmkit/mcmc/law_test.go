package mcmc

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// run is Run for tests that want no error.
func run(t testing.TB, target ebmkit.Energy, m Method, cfg Config) *ebmkit.Chain {
	t.Helper()
	c, err := Run(context.Background(), target, m, cfg)
	if err != nil {
		t.Fatalf("%T: %v", m, err)
	}
	return c
}

// numbersOnly skips a test of numbers under the race detector.
func numbersOnly(t *testing.T) {
	if raced {
		t.Skip("a test of numbers: skipped under the race detector")
	}
}

// sized returns full, or short under -short.
func sized(full, short int) int {
	if testing.Short() {
		return short
	}
	return full
}

// correlated is a Gaussian in R^3 with variances 0.5, 1, 2, correlations and a
// mean.
func correlated() *energy.Gaussian {
	return must(energy.NewGaussian([]float64{1, -2, 0.5}, []float64{
		0.5, 0.3, -0.2,
		0.3, 1, 0.4,
		-0.2, 0.4, 2}))
}

// gaussianZ returns the largest |z| among the means, variances and covariances
// of independent points against the law N(mean, cov) of the coordinates.
func gaussianZ(e *ebmkit.Ensemble, mean, cov []float64) float64 {
	d, n := e.Dim, float64(e.N)
	worst := 0.0
	see := func(z float64) { worst = math.Max(worst, math.Abs(z)) }
	for i := range d {
		xi := e.Col(i)
		for j := range i + 1 {
			xj := e.Col(j)
			var s float64
			for k := range xi {
				s += (xi[k] - mean[i]) * (xj[k] - mean[j])
			}
			c := cov[i*d+j]
			see((s/n - c) / math.Sqrt((cov[i*d+i]*cov[j*d+j]+c*c)/n))
		}
		see((sum(xi)/n - mean[i]) / math.Sqrt(cov[i*d+i]/n))
	}
	return worst
}

func sum(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s
}

func maxDiff(a, b []float64) float64 {
	var m float64
	for i := range a {
		m = math.Max(m, math.Abs(a[i]-b[i]))
	}
	return m
}

func lawDiff(a, b energy.Normal) float64 {
	return math.Max(maxDiff(a.Mean(nil), b.Mean(nil)), maxDiff(a.Cov(nil), b.Cov(nil)))
}

func TestEigen(t *testing.T) {
	s := ebmkit.NewStream(1, "test", 0)
	for _, d := range []int{1, 2, 5, 20} {
		a := make([]float64, d*d)
		for i := range d {
			for j := range i + 1 {
				a[i*d+j] = s.Normal()
				a[j*d+i] = a[i*d+j]
			}
		}
		e := eigenOf(a, d)
		if err := maxDiff(e.apply(func(l float64) float64 { return l }), a); err > 1e-13 {
			t.Errorf("d = %d: Q diag Q' differs from the matrix by %g", d, err)
		}
		one := e.apply(func(float64) float64 { return 1 })
		for i := range d {
			one[i*d+i]--
		}
		if err := maxDiff(one, make([]float64, d*d)); err > 1e-13 {
			t.Errorf("d = %d: QQ' differs from I by %g", d, err)
		}
	}
}

// Eq. (88) is what iterating eq. (87) gives, and tends to eq. (90); the
// splittings have the limits that the docs state.
func TestGaussianLaws(t *testing.T) {
	numbersOnly(t)
	target := correlated()
	start := must(energy.NewGaussian([]float64{0, 1, 3}, []float64{2, 0.1, 0, 0.1, 1, 0, 0, 0, 0.3}))
	lmin := math.Inf(1)
	for _, l := range eigenOf(target.Cov(nil), 3).values {
		lmin = math.Min(lmin, l)
	}
	for _, h := range []float64{0.05, 0.9 * lmin, 1.7 * lmin} { // the last is beyond the printed bound h < lambda_min
		limit := must(ULALimit(target, h))
		ff, fb, bf := energy.Normal(start), energy.Normal(start), Split{}
		bf.Next = start
		for k := 1; k <= 1500; k++ {
			ff = must(ForwardFlow(target, h, ff)).Next
			fb = must(ForwardBackward(target, h, fb)).Next
			bf = must(BackwardForward(target, h, bf.Next))
			if k == 1 || k == 7 || k == 64 {
				law := must(ULALaw(target, h, k, start.Mean(nil), start.Cov(nil)))
				if err := lawDiff(law, ff); err > 1e-12 {
					t.Errorf("h = %g: eq. (88) after %d steps differs from the iteration by %g", h, k, err)
				}
			}
		}
		late := must(ULALaw(target, h, 1500, start.Mean(nil), nil))
		fbLimit := must(energy.NewGaussian(target.Mean(nil), eigenOf(target.Cov(nil), 3).apply(func(v float64) float64 {
			if v >= h {
				return v
			}
			return h * v / (2*v - h)
		})))
		for name, err := range map[string]float64{
			"eq. (88) for large k against eq. (90)":       lawDiff(late, limit),
			"forward-flow against eq. (90)":               lawDiff(ff, limit),
			"forward-backward against its limit":          lawDiff(fb, fbLimit),
			"backward-forward, half step, against target": lawDiff(bf.Half, target),
		} {
			if err > 1e-11 {
				t.Errorf("h = %g: %s: off by %g", h, name, err)
			}
		}
		want := eigenOf(target.Cov(nil), 3).apply(func(v float64) float64 { r := math.Sqrt(v) + h/math.Sqrt(v); return r * r })
		if err := maxDiff(bf.Next.Cov(nil), want); err > 1e-11 {
			t.Errorf("h = %g: backward-forward: sd differs from s + h/s, by %g in the covariance", h, err)
		}
		if h < lmin && lawDiff(fb, target) > 1e-11 {
			t.Errorf("h = %g: forward-backward is off the target by %g", h, lawDiff(fb, target))
		}
		if lawDiff(ff, target) < 0.01 || lawDiff(bf.Next, target) < 0.01 {
			t.Errorf("h = %g: the biased schemes show no bias: the test has no power", h)
		}
	}
}

// The closed form of the implicit heat step is the minimiser of eq. (93): every
// other Gaussian has a larger objective.
func TestForwardBackwardMinimises(t *testing.T) {
	target := must(energy.NewGaussian1D(0, 1.3))
	const h = 0.4
	s := must(ForwardBackward(target, h, must(energy.NewGaussian1D(0.7, 2))))
	half, next := math.Sqrt(s.Half.Cov(nil)[0]), math.Sqrt(s.Next.Cov(nil)[0])
	objective := func(sd, shift float64) float64 { // -H + W2^2/(2h), up to constants
		return -math.Log(sd) + ((sd-half)*(sd-half)+shift*shift)/(2*h)
	}
	least := objective(next, 0)
	for _, eps := range []float64{1e-3, 1e-2, 0.1} {
		for _, v := range []float64{objective(next+eps, 0), objective(next-eps, 0), objective(next, eps)} {
			if v <= least {
				t.Errorf("an objective of %g is below the minimum %g", v, least)
			}
		}
	}
}

func TestULAFollowsEq88(t *testing.T) {
	numbersOnly(t)
	n := sized(200_000, 20_000)
	three := correlated()
	one := must(energy.NewGaussian1D(3, 0.7))
	ten := must(energy.NewAR1Gaussian(10, 0.5))
	for _, c := range []struct {
		name   string
		target energy.Normal
		h      float64
		k      int
	}{
		{"d = 1", one, 0.3, 1}, {"d = 1", one, 0.3, 4}, {"d = 1", one, 0.9, 60},
		{"d = 3", three, 0.1, 3}, {"d = 3", three, 0.1, 20}, {"d = 3", three, 0.3, 200},
		{"d = 10", ten, 0.05, 5}, {"d = 10", ten, 0.4, 100},
	} {
		d := c.target.Dim()
		x0 := make([]float64, d)
		for i := range x0 {
			x0[i] = 2 - 0.3*float64(i)
		}
		init := &ebmkit.Ensemble{N: 1, Dim: d, X: x0}
		e := run(t, c.target, ULA{Step: c.h}, Config{Walkers: n, Burn: c.k - 1, Draws: 1, Seed: 3, Init: init}).Last()
		law := must(ULALaw(c.target, c.h, c.k, x0, nil))
		z := gaussianZ(e, law.Mean(nil), law.Cov(nil))
		control := gaussianZ(e, c.target.Mean(nil), c.target.Cov(nil))
		t.Logf("%s, h = %g, k = %d: max |z| = %.2f against eq. (88); %.1f against the target", c.name, c.h, c.k, z, control)
		if z > 4.5 || control < 8 {
			t.Errorf("%s, h = %g, k = %d: want |z| < 4.5 against eq. (88) and > 8 against the target", c.name, c.h, c.k)
		}
		if c.k >= 60 {
			limit := must(ULALimit(c.target, c.h))
			if z := gaussianZ(e, limit.Mean(nil), limit.Cov(nil)); z > 4.5 {
				t.Errorf("%s, h = %g: |z| = %.2f against eq. (90)", c.name, c.h, z)
			}
		}
	}
}

// The diffusion of eq. (86): a semigroup, whose limit is the target, and which ULA
// approaches to first order in h.
func TestOULaw(t *testing.T) {
	target := must(energy.NewGaussian([]float64{1, -2}, []float64{2, 0.6, 0.6, 0.5}))
	mean0, cov0 := []float64{4, 0}, []float64{0.3, -0.1, -0.1, 0.2}
	far := func(a, b *energy.Gaussian) (d float64) {
		for i, v := range append(a.Mean(nil), a.Cov(nil)...) {
			d = math.Max(d, math.Abs(v-append(b.Mean(nil), b.Cov(nil)...)[i]))
		}
		return d
	}
	whole := must(OULaw(target, 0.7, mean0, cov0))
	part := must(OULaw(target, 0.3, mean0, cov0))
	if d := far(whole, must(OULaw(target, 0.4, part.Mean(nil), part.Cov(nil)))); d > 1e-13 {
		t.Errorf("0.3 then 0.4 differs from 0.7 by %g", d)
	}
	if d := far(target, must(OULaw(target, 200, mean0, nil))); d > 1e-12 {
		t.Errorf("the limit differs from the target by %g", d)
	}
	coarse := far(whole, must(ULALaw(target, 0.7/1000, 1000, mean0, cov0)))
	fine := far(whole, must(ULALaw(target, 0.7/2000, 2000, mean0, cov0)))
	if r := coarse / fine; math.Abs(r-2) > 0.01 {
		t.Errorf("halving h divides ULA's error by %g, want 2", r)
	}
	for arg, f := range map[string]func() error{
		"t":          func() error { _, err := OULaw(target, 0, mean0, nil); return err },
		"len(mean0)": func() error { _, err := OULaw(target, 1, mean0[:1], nil); return err },
		"len(cov0)":  func() error { _, err := OULaw(target, 1, mean0, mean0); return err },
	} {
		var e *ebmkit.ArgError
		if err := f(); !errors.As(err, &e) || e.Arg != arg {
			t.Errorf("want an error about %s, got %v", arg, err)
		}
	}
}
