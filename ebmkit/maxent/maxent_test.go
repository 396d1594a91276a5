package maxent_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/maxent"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	t.Logf("%-34s %.15g  want %.15g  difference %.1e", name, got, want, got-want)
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.15g, want %.15g within %g", name, got, want, tol)
	}
}

var (
	x   = energy.Power(0, 1)
	x2  = energy.Power(0, 2)
	x4  = energy.Power(0, 4)
	abs = energy.Statistic{Name: "|x|", F: func(x []float64) float64 { return math.Abs(x[0]) },
		Grad: func(dst, x []float64) { dst[0] = math.Copysign(1, x[0]) }}
	logx = energy.Statistic{Name: "log x", F: func(x []float64) float64 { return math.Log(x[0]) }}
	half = quad.Interval(0, math.Inf(1))
)

func mean(f energy.Statistic, target float64) maxent.Constraint {
	return maxent.Constraint{F: f, Target: target}
}

func atMost(f energy.Statistic, target float64) maxent.Constraint {
	return maxent.Constraint{F: f, Relation: maxent.AtMost, Target: target}
}

func atLeast(f energy.Statistic, target float64) maxent.Constraint {
	return maxent.Constraint{F: f, Relation: maxent.AtLeast, Target: target}
}

func solved(t *testing.T, s *maxent.Solution, err error) *maxent.Solution {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", s)
	if !(math.Abs(s.Gap) <= 1e-10) {
		t.Errorf("gap %v", s.Gap)
	}
	return s
}

// The families that are known: multipliers and entropies in closed form.
func TestKnownFamilies(t *testing.T) {
	all := quad.All()
	log := math.Log
	for _, c := range []struct {
		name    string
		dim     int
		dom     quad.Domain
		cs      []maxent.Constraint
		lambda  []float64
		entropy float64
	}{
		{"uniform", 1, quad.Interval(-1, 4), nil, nil, log(5)},
		{"uniform on a box", 2, quad.Box([]float64{0, 0}, []float64{2, 3}), nil, nil, log(6)},
		{"exponential", 1, half, []maxent.Constraint{mean(x, 2)}, []float64{-0.5}, 1 + log(2)},
		{"Gaussian", 1, all, []maxent.Constraint{mean(x, 1), mean(x2, 5)}, []float64{0.25, -0.125}, 0.5 * log(2*math.Pi*math.E*4)},
		{"Gaussian far away", 1, all, []maxent.Constraint{mean(x, 100), mean(x2, 10001)}, []float64{100, -0.5}, 0.5 * log(2*math.Pi*math.E)},
		{"Gaussian farther away", 1, all, []maxent.Constraint{mean(x, 1000), mean(x2, 1000004)}, []float64{250, -0.125}, 0.5 * log(2*math.Pi*math.E*4)},
		{"Gaussian, variance at most", 1, all, []maxent.Constraint{atMost(x2, 4)}, []float64{-0.125}, 0.5 * log(2*math.Pi*math.E*4)},
		{"Laplace", 1, all, []maxent.Constraint{mean(abs, 3)}, []float64{-1. / 3}, 1 + log(6)},
		{"Gaussian in the plane", 2, all, []maxent.Constraint{mean(x2, 2), mean(energy.Power(1, 2), 1), mean(energy.Product(0, 1), 0.5)},
			[]float64{-0.5 / 1.75, -1 / 1.75, 0.5 / 1.75}, log(2*math.Pi*math.E) + 0.5*log(1.75)},
		{"Gamma of shape 3", 1, half, []maxent.Constraint{mean(x, 3), mean(logx, 1.5-0.5772156649015329)},
			[]float64{-1, 2}, 3 + log(2) - 2*(1.5-0.5772156649015329)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.dim == 2 && c.cs != nil {
				t.Skip("long")
			}
			s, err := maxent.OnDomain(c.dim, c.dom, c.cs...)
			s = solved(t, s, err)
			for k, want := range c.lambda {
				near(t, "multiplier", s.Multipliers[k], want, 1e-9*max(1, math.Abs(want)))
			}
			if !math.IsNaN(c.entropy) {
				near(t, "entropy", s.Entropy, c.entropy, 1e-10)
				near(t, "log Z of the density", s.Density.LogZ(), must(quad.LogZ(s.Density, c.dom)).Value, 1e-10)
				near(t, "entropy by quadrature", must(divergence.Entropy(s.Density, c.dom)).Value, c.entropy, 1e-9)
			}
			for k, con := range c.cs {
				near(t, "mean", s.Means[k], con.Target, 1e-9*max(1, math.Abs(con.Target)))
			}
		})
	}
}

// Jaynes' dice: faces 1 to 6 with mean 4.5.
func dice() *ebmkit.Ensemble {
	return &ebmkit.Ensemble{N: 6, Dim: 1, X: []float64{1, 2, 3, 4, 5, 6}}
}

func TestJaynesDice(t *testing.T) {
	s, err := maxent.OnPoints(dice(), mean(x, 4.5))
	s = solved(t, s, err)
	near(t, "lambda", s.Multipliers[0], 0.371049, 5e-7)
	for i, want := range []float64{0.05435, 0.07877, 0.11416, 0.16545, 0.23977, 0.34749} {
		near(t, "p", s.P[i], want, 5e-6)
	}
	// Negative control: another mean gives other numbers.
	if o := must(maxent.OnPoints(dice(), mean(x, 4.501))); math.Abs(o.Multipliers[0]-0.371049) < 5e-7 {
		t.Error("the multiplier does not depend on the target")
	}
	fair := must(maxent.OnPoints(dice()))
	near(t, "entropy of a fair die", fair.Entropy, math.Log(6), 1e-15)
	// Close to what is possible at all.
	s, err = maxent.OnPoints(dice(), mean(x, 5.9999))
	s = solved(t, s, err)
	near(t, "mean", s.Means[0], 5.9999, 1e-12)
}

// No feasible law has a larger entropy: random moves along the constraints.
func TestNoFeasibleLawIsBetter(t *testing.T) {
	s := must(maxent.OnPoints(dice(), mean(x, 4.5)))
	st := ebmkit.NewStream(1, "moves", 0)
	for range 200 {
		// d with sum d = 0 and sum i d = 0.
		d := make([]float64, 6)
		st.FillNormal(d)
		var m0, m1 float64
		for i := range d {
			m0 += d[i] / 6
			m1 += d[i] * (float64(i) - 2.5) / 17.5
		}
		var h float64
		for i := range d {
			p := s.P[i] + 1e-3*(d[i]-m0-m1*(float64(i)-2.5))
			h -= p * math.Log(p)
		}
		if h >= s.Entropy {
			t.Fatalf("entropy %v above %v", h, s.Entropy)
		}
	}
}

func TestInequalities(t *testing.T) {
	// Not active: the multiplier is exactly 0.
	s := must(maxent.OnDomain(1, quad.Interval(0, 1), atMost(x, 0.7)))
	near(t, "inactive", s.Multipliers[0], 0, 0)
	near(t, "mean", s.Means[0], 0.5, 1e-12)
	// Active.
	a, b := must(maxent.OnDomain(1, quad.Interval(0, 1), atMost(x, 0.3))), must(maxent.OnDomain(1, quad.Interval(0, 1), mean(x, 0.3)))
	near(t, "active", a.Multipliers[0], b.Multipliers[0], 1e-10)
	if a.Multipliers[0] >= 0 {
		t.Error("the multiplier of an active <= is negative")
	}
	// A band, two relations on one function: at most one is active.
	band := must(maxent.OnPoints(dice(), atLeast(x, 4), atMost(x, 5)))
	near(t, "band, lower", band.Multipliers[0], must(maxent.OnPoints(dice(), mean(x, 4))).Multipliers[0], 1e-10)
	near(t, "band, upper", band.Multipliers[1], 0, 0)
	// With others: E[x^4] <= 5 is not active next to the Gaussian's 3.
	s, err := maxent.OnDomain(1, quad.All(), mean(x, 0), mean(x2, 1), atMost(x4, 5))
	s = solved(t, s, err)
	near(t, "x^4", s.Multipliers[2], 0, 0)
	near(t, "x^2", s.Multipliers[1], -0.5, 1e-9)
	// And E[x^4] <= 2 is.
	s, err = maxent.OnDomain(1, quad.All(), mean(x, 0), mean(x2, 1), atMost(x4, 2))
	s = solved(t, s, err)
	near(t, "E[x^4]", s.Means[2], 2, 1e-9)
	if s.Multipliers[2] >= 0 || s.Entropy >= 0.5*math.Log(2*math.Pi*math.E) {
		t.Errorf("%v", s)
	}
}

func TestInfeasible(t *testing.T) {
	for _, c := range []struct {
		name string
		err  func() error
		who  []string
		edge bool
	}{
		{"dice above 6", func() error { _, err := maxent.OnPoints(dice(), mean(x, 7)); return err }, []string{"E[x0] = 7"}, false},
		{"dice at 6", func() error { _, err := maxent.OnPoints(dice(), mean(x, 6)); return err }, []string{"E[x0] = 6"}, true},
		{"interval", func() error { _, err := maxent.OnDomain(1, quad.Interval(0, 1), mean(x, 1.5)); return err }, []string{"E[x0] = 1.5"}, false},
		{"interval at its end", func() error { _, err := maxent.OnDomain(1, quad.Interval(0, 1), mean(x, 1)); return err }, []string{"E[x0] = 1"}, true},
		{"negative variance", func() error { _, err := maxent.OnDomain(1, quad.All(), mean(x, 2), mean(x2, 1)); return err },
			[]string{"E[x0] = 2", "E[x0^2] = 1"}, false},
		{"variance zero", func() error { _, err := maxent.OnDomain(1, quad.All(), mean(x, 2), mean(x2, 4)); return err },
			[]string{"E[x0] = 2", "E[x0^2] = 4"}, true},
		{"one of three", func() error {
			_, err := maxent.OnDomain(1, quad.Interval(-1, 1), mean(x, 0.1), mean(energy.Power(0, 3), 0.1), atLeast(x2, 1.2))
			return err
		}, []string{"E[x0^2] >= 1.2"}, false},
		{"empty band", func() error { _, err := maxent.OnPoints(dice(), atMost(x, 3), atLeast(x, 4)); return err },
			[]string{"E[x0] <= 3", "E[x0] >= 4"}, false},
		{"Jensen", func() error { _, err := maxent.OnDomain(1, quad.All(), mean(x2, 2), mean(x4, 3)); return err },
			[]string{"E[x0^2] = 2", "E[x0^4] = 3"}, false},
	} {
		err := c.err()
		t.Logf("%s: %v", c.name, err)
		var inf *maxent.InfeasibleError
		if !errors.As(err, &inf) {
			t.Errorf("%s: %v is not an InfeasibleError", c.name, err)
			continue
		}
		var who []string
		for _, con := range inf.Constraints {
			who = append(who, con.String())
		}
		if strings.Join(who, ";") != strings.Join(c.who, ";") || inf.Edge != c.edge {
			t.Errorf("%s: blames %v (edge %v), want %v (edge %v)", c.name, who, inf.Edge, c.who, c.edge)
		}
		if inf.Largest > inf.Asked {
			t.Errorf("%s: the proof does not hold: %v", c.name, err)
		}
	}
	// Negative control: just inside there is a solution.
	for _, err := range []error{
		second(maxent.OnPoints(dice(), mean(x, 5.99))),
		second(maxent.OnDomain(1, quad.Interval(0, 1), mean(x, 0.99))),
		second(maxent.OnDomain(1, quad.All(), mean(x, 2), mean(x2, 4.1))),
		second(maxent.OnDomain(1, quad.All(), mean(x2, 2), mean(x4, 4.5))),
	} {
		if err != nil {
			t.Errorf("feasible, but %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestNotAttained(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	for _, c := range []maxent.Constraint{mean(x4, 5), atLeast(x4, 5)} {
		_, err := maxent.OnDomain(1, quad.All(), mean(x, 0), mean(x2, 1), c)
		t.Logf("%v", err)
		var na *maxent.NotAttainedError
		if !errors.As(err, &na) {
			t.Fatalf("%v: %v is not a NotAttainedError", c, err)
		}
		if na.Constraint.String() != c.String() {
			t.Errorf("blames %v", na.Constraint)
		}
		near(t, "multiplier at the edge", na.Multiplier, 0, 0)
		near(t, "mean at the edge", na.Mean, 3, 1e-9)
		near(t, "supremum", na.Supremum, 0.5*math.Log(2*math.Pi*math.E), 1e-10)
	}
	// Just inside it is attained, and at the edge itself.
	for _, m4 := range []float64{2.9, 2.999, 3} {
		s, err := maxent.OnDomain(1, quad.All(), mean(x, 0), mean(x2, 1), mean(x4, m4))
		s = solved(t, s, err)
		near(t, "E[x^4]", s.Means[2], m4, 1e-8)
	}
	// On an interval it is attained: the extra moment sits at the ends.
	s, err := maxent.OnDomain(1, quad.Interval(-5, 5), mean(x, 0), mean(x2, 1), mean(x4, 5))
	s = solved(t, s, err)
	if s.Multipliers[2] <= 0 {
		t.Errorf("multiplier of x^4 = %v, want positive", s.Multipliers[2])
	}
}

// Proposition 5.1: lambda_1 = -beta, and Lemma 5.1: F[pi] = <U> - T H[pi] is
// -T log Z + T KL(pi || rho) for every pi, so rho minimises it.
// More and more moments of eq. (8), on the whole line: the entropies fall towards
// that of the mixture, 1.8204954, and the means are met. The starts of one
// multiplier alone lie so far from these answers that Newton's steps lose their
// way; only the windows find them.
func TestManyMomentsOnTheLine(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	mix := must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5}))
	last := math.Inf(1)
	for n := 2; n <= 8; n += 2 {
		var cs []maxent.Constraint
		for k := 1; k <= n; k++ {
			f := func(x []float64) float64 { return math.Pow((x[0]-1.5)/2.5, float64(k)) }
			m := must(quad.Adaptive{}.Density(mix, quad.All()))
			e := must(m.Expect(1, func(dst, x []float64) { dst[0] = f(x) }))
			cs = append(cs, maxent.Constraint{F: energy.Statistic{Name: fmt.Sprintf("t^%d", k), F: f}, Target: e[0].Value})
		}
		sol := must(maxent.OnDomain(1, quad.All(), cs...))
		t.Logf("%d moments: entropy %.7f, gap %.0e, %d evaluations", n, sol.Entropy, sol.Gap, sol.Evals)
		if !(sol.Entropy < last) || !(sol.Entropy > 1.8204954) || !(math.Abs(sol.Gap) < 1e-9) {
			t.Errorf("%d moments: entropy %v after %v, gap %v", n, sol.Entropy, last, sol.Gap)
		}
		last = sol.Entropy
	}
}

func TestBoltzmannGibbs(t *testing.T) {
	u := must(energy.NewDoubleWell(1, 1))
	stat := energy.Statistic{Name: "U", F: u.Energy, Grad: func(dst, x []float64) { u.EnergyGrad(dst, x) }}
	const beta = 1.7
	tempered := must(energy.NewTempered(u, beta))
	ubar := must(must(quad.NewDensity(tempered, quad.All())).ExpectOne(u.Energy)).Value
	s, err := maxent.OnDomain(1, quad.All(), mean(stat, ubar))
	s = solved(t, s, err)
	near(t, "lambda_1 = -beta", s.Multipliers[0], -beta, 1e-9)
	near(t, "same law", must(divergence.KL(tempered, s.Density, quad.All())).Value, 0, 1e-12)
	// The printed sign cannot be integrated.
	if _, err := quad.LogZ(must(energy.NewTempered(must(energy.NewFunc(1, func(x []float64) float64 { return -u.Energy(x) }, nil)), beta)), quad.All()); err == nil {
		t.Error("exp(+beta U) has an integral")
	}
	// Lemma 5.1 for a pi that is not the equilibrium.
	pi := must(energy.NewGaussian1D(0.3, 0.8))
	const temp = 1 / beta
	free := must(must(quad.NewDensity(pi, quad.All())).ExpectOne(u.Energy)).Value - temp*divergence.EntropyGaussian(pi)
	logZ := must(quad.LogZ(tempered, quad.All())).Value
	near(t, "free energy", free, -temp*logZ+temp*must(divergence.KL(pi, tempered, quad.All())).Value, 1e-10)
}

// A sample reweighted to other means: the weights change as little as they can.
func TestReweightedSample(t *testing.T) {
	g := must(energy.NewGaussian1D(0, 1))
	sample := must(ebmkit.Draw(g, 20000, 1))
	s, err := maxent.OnPoints(sample, mean(x, 0.5), mean(x2, 1.25))
	s = solved(t, s, err)
	// In the limit of many points: N(0, 1) tilted to N(0.5, 1), multipliers 0.5, 0.
	// Their spread is that of the sample means of x and x^2, 1/sqrt(n) and
	// sqrt(2/n), through a Hessian of order one: 10 of those cover it.
	near(t, "tilt", s.Multipliers[0], 0.5, 10/math.Sqrt(20000))
	near(t, "curvature", s.Multipliers[1], 0, 10/math.Sqrt(20000))
	var sum, m float64
	for i, p := range s.P {
		sum += p
		m += p * sample.X[i]
	}
	near(t, "sum", sum, 1, 1e-12)
	near(t, "mean", m, 0.5, 1e-10)
	// Weights of the points are the law that the entropy is relative to.
	w := dice()
	w.LogW = []float64{0, 0, 0, 0, 0, math.Inf(-1)}
	s, err = maxent.OnPoints(w, mean(x, 3))
	s = solved(t, s, err)
	near(t, "excluded face", s.P[5], 0, 0)
	near(t, "uniform on the rest", s.Entropy, math.Log(5), 1e-12)
}

func TestDensityConforms(t *testing.T) {
	s := must(maxent.OnDomain(1, quad.All(), mean(x, 0.2), mean(x2, 1), mean(x4, 2)))
	for _, err := range conform.Check(s.Density, conform.Options{Prefix: "energy: "}) {
		t.Error(err)
	}
}

func TestBadInput(t *testing.T) {
	nan := energy.Statistic{Name: "nan", F: func(x []float64) float64 { return math.NaN() }}
	for name, f := range map[string]func() error{
		"dim":                     func() error { return second(maxent.OnDomain(3, quad.All())) },
		"constraints[0].Target":   func() error { return second(maxent.OnPoints(dice(), mean(x, math.NaN()))) },
		"constraints[1].Relation": func() error { return second(maxent.OnPoints(dice(), mean(x, 1), maxent.Constraint{F: x, Relation: 7})) },
		"constraints[0].F.F":      func() error { return second(maxent.OnPoints(dice(), maxent.Constraint{})) },
		"constraints":             func() error { return second(maxent.OnDomain(1, quad.All(), mean(x, 0))) },
		"constraints[1]": func() error {
			return second(maxent.OnPoints(dice(), mean(x, 4), mean(energy.Statistic{Name: "2x+1", F: func(x []float64) float64 { return 2*x[0] + 1 }}, 9)))
		},
		"points":         func() error { return second(maxent.OnPoints(nil)) },
		"nan at point 0": func() error { return second(maxent.OnPoints(dice(), mean(nan, 1))) },
		"Domain.Lo[0]":   func() error { return second(maxent.OnDomain(1, quad.Interval(1, 0))) },
	} {
		err := f()
		t.Logf("%s: %v", name, err)
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) || ae.Arg != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func Example() {
	// Jaynes' dice: all that is known is that the mean of many throws is 4.5.
	faces := &ebmkit.Ensemble{N: 6, Dim: 1, X: []float64{1, 2, 3, 4, 5, 6}}
	s, err := maxent.OnPoints(faces, maxent.Constraint{F: energy.Power(0, 1), Target: 4.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("lambda = %.6f\np = %.5f\n", s.Multipliers[0], s.P)

	_, err = maxent.OnPoints(faces, maxent.Constraint{F: energy.Power(0, 1), Target: 7})
	fmt.Println(err)
	// Output:
	// lambda = 0.371049
	// p = [0.05435 0.07877 0.11416 0.16545 0.23977 0.34749]
	// maxent.OnPoints: infeasible: E[x0] = 7: x0 is at most 6, but its mean would have to be 7
}

func BenchmarkGaussian(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(maxent.OnDomain(1, quad.All(), mean(x, 1), mean(x2, 5)))
	}
}
