package meanfield_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
	"github.com/ebmkit/hitchhiker/ebmkit/gan/meanfield"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

var ctx = context.Background()

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %.12g, want %.12g within %.1g", what, got, want, tol)
	}
}

var (
	data  = must(energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-1, 1.2}, []float64{0.6, 0.5}))
	first = must(energy.NewGaussian1D(-0.5, 0.8))
	grid  = must(fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -5, Hi: 5, Cells: 200}))
	p     = must(grid.Boltzmann(data))
	start = must(grid.Boltzmann(first))
)

func TestCost(t *testing.T) {
	js := must(divergence.JensenShannon(data, first, quad.All()))
	near(t, "C", meanfield.Cost(grid, p, start), -math.Log(4)+2*js.Value, 1e-5)
	near(t, "C of the data", meanfield.Cost(grid, p, p), -math.Log(4), 1e-13)
	one, other := make([]float64, grid.Len()), make([]float64, grid.Len())
	one[3], other[4] = 1/grid.Volume(), 1/grid.Volume()
	near(t, "C of what does not overlap", meanfield.Cost(grid, one, other), 0, 0)
}

// Steps of 1 halve the error, smaller ones keep the bound of mirror descent, and
// the power is right.
func TestDensities(t *testing.T) {
	path := must(meanfield.Game{Rule: meanfield.Densities, Step: 1, Steps: 20, Every: 1}.Run(ctx, data, grid, start))
	for k, q := range path.Q {
		for i := range q {
			near(t, "half of the error", q[i]-p[i], math.Ldexp(start[i]-p[i], -k), 1e-13)
		}
	}
	kl := grid.KL(p, start)
	for _, eta := range []float64{0.05, 0.3, 0.999} {
		path := must(meanfield.Game{Step: eta, Steps: 100, Every: 1}.Run(ctx, data, grid, start))
		near(t, "mass", grid.Mass(path.Q[100]), 1, 1e-12)
		for k := 1; k <= 100; k++ {
			if over := path.C[k] + math.Log(4); path.C[k] > path.C[k-1]+1e-13 || over > kl/(eta*float64(k)) {
				t.Fatalf("step %d of %g: C + ln 4 = %g", k, eta, over)
			}
		}
		var q []float64
		var mass float64
		for i := range start {
			d := p[i] / (p[i] + start[i])
			q = append(q, start[i]*math.Pow(1-d, -eta))
			mass += q[i] * grid.Volume()
		}
		for i := range q {
			near(t, "first step", path.Q[1][i], q[i]/mass, 1e-12)
		}
	}
	// What a density in one mode does not have, it gets.
	alone := make([]float64, grid.Len())
	alone[80] = 1 / grid.Volume()
	q := must(meanfield.Game{Step: 1, Steps: 30}.Run(ctx, data, grid, alone)).Q[0]
	near(t, "from a point", meanfield.Cost(grid, p, q), -math.Log(4), 1e-8)
}

// Logit is the Fokker-Planck equation; the two others are it with a factor, in the
// velocity at first and at half speed at the end; C falls in all.
func TestPoints(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 100,000 steps")
	}
	gen := must(fokkerplanck.Langevin{Energy: data}.On(grid))
	exact := must(fokkerplanck.Evolve(ctx, gen, start, fokkerplanck.Config{Step: 1e-3, Steps: 500})).P
	path := must(meanfield.Game{Rule: meanfield.Logit, Step: 0.5, Steps: 1}.Run(ctx, data, grid, start))
	for i, v := range exact[len(exact)-1] {
		near(t, "Fokker-Planck", path.Q[0][i], v, 5e-4)
	}
	gap := must(gen.Gap()).Rate
	var rates []float64
	for _, rule := range []meanfield.Rule{meanfield.Saturating, meanfield.NonSaturating, meanfield.Logit} {
		// A short step against the divergence of q v, to second order in the cells.
		worst := [2]float64{}
		for l := range worst {
			g := must(fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -5, Hi: 5, Cells: 200 << l}))
			q0 := must(g.Boltzmann(first))
			q := must(meanfield.Game{Rule: rule, Step: 1e-6, Steps: 1}.Run(ctx, data, g, q0)).Q[0]
			for i, x := range g.Axis(0).Centers() {
				flux := func(x float64) float64 {
					at, gp, gq := []float64{x}, []float64{0}, []float64{0}
					dp := math.Exp(-data.EnergyGrad(gp, at) - data.LogZ())
					dq := math.Exp(-first.EnergyGrad(gq, at) - first.LogZ())
					factor := map[meanfield.Rule]float64{meanfield.Saturating: dp / (dp + dq), meanfield.NonSaturating: dq / (dp + dq), meanfield.Logit: 1}[rule]
					return dq * factor * (gq[0] - gp[0])
				}
				worst[l] = max(worst[l], math.Abs((q[i]-q0[i])/1e-6+(flux(x+1e-4)-flux(x-1e-4))/2e-4))
			}
		}
		t.Logf("%v: largest error of dq/dt %.2g", rule, worst)
		if worst[0] > 0.05 || worst[1] > 0.27*worst[0] {
			t.Errorf("%v: errors of dq/dt %.2g", rule, worst)
		}
		n := 250
		path := must(meanfield.Game{Rule: rule, Step: 0.1, Steps: n, Every: 1}.Run(ctx, data, grid, start))
		near(t, "mass", grid.Mass(path.Q[n]), 1, 1e-10)
		for k := range n {
			if path.C[k+1] > path.C[k]+1e-13 || slices.Min(path.Q[k]) < 0 {
				t.Fatalf("%v: C rises at step %d, from %g to %g", rule, k, path.C[k], path.C[k+1])
			}
		}
		// C + ln 4 is quadratic in the error: it falls at twice its rate.
		over := func(k int) float64 { return path.C[k] + math.Log(4) }
		k := slices.IndexFunc(path.C, func(c float64) bool { return c+math.Log(4) < 1e-8 })
		if k < 0 {
			k = n
		}
		rates = append(rates, math.Log(over(k-20)/over(k))/2/2/gap)
	}
	t.Logf("late rates over the gap: %.4f", rates)
	near(t, "Saturating, rate over the gap", rates[0], 0.5, 0.01)
	near(t, "NonSaturating, rate over the gap", rates[1], 0.5, 0.01)
	near(t, "Logit, rate over the gap", rates[2], 1, 0.02)
}

// What a path says of itself, where it is known: a step of Densities of size 1 halves
// the error, so that its rate is log 2.
func TestPath(t *testing.T) {
	path := must(meanfield.Game{Rule: meanfield.Densities, Step: 1, Steps: 16, Every: 1}.Run(ctx, data, grid, start))
	js := must(divergence.JensenShannon(data, first, quad.All()))
	near(t, "excess at first", path.Excess()[0], 2*js.Value, 1e-5)
	// In u = q/p - 1 at the start, the excess after k steps is
	// sum V p (2^-2k u^2/4 - 2^-3k u^3/8 + ...): the rate is log 2 and the next order.
	// What is left is rounding, 4e-16 of an excess of 1e-10, divided by 8.
	var a, b float64
	for i, v := range p {
		u := start[i]/v - 1
		a += v * u * u / 4
		b -= v * u * u * u / 8
	}
	near(t, "rate", must(path.Rate(4)), math.Ln2+b/a*(math.Ldexp(1, -12)-math.Ldexp(1, -16))/8, 1e-6)
	if rise := path.LargestRise(); !(rise < 0) || rise != path.C[16]-path.C[15] {
		t.Errorf("largest rise %g", rise)
	}
	risen := meanfield.Path{T: []float64{0, 1, 2}, C: []float64{-1, -1.2, -1.1}}
	near(t, "a rise", risen.LargestRise(), 0.1, 1e-15)
	near(t, "a rate over one interval", must(risen.Rate(1)), math.Log((math.Log(4)-1.2)/(math.Log(4)-1.1))/2, 1e-14)
	one := must(meanfield.Game{Step: 1, Steps: 1}.Run(ctx, data, grid, start))
	if !math.IsInf(one.LargestRise(), -1) {
		t.Error("a path of one time rises")
	}
	done := meanfield.Path{T: []float64{0, 1}, C: []float64{-1, -math.Log(4)}}
	for name, f := range map[string]func() (float64, error){
		"none":     func() (float64, error) { return path.Rate(0) },
		"too many": func() (float64, error) { return path.Rate(17) },
		"one time": func() (float64, error) { return one.Rate(1) },
		"at rest":  func() (float64, error) { return done.Rate(1) },
	} {
		var arg *ebmkit.ArgError
		if _, err := f(); !errors.As(err, &arg) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestPlane(t *testing.T) {
	ring := must(energy.NewRing(3, 1, 0.5))
	g := must(fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -2.5, Hi: 2.5, Cells: 30}, fokkerplanck.Axis{Lo: -2.5, Hi: 2.5, Cells: 30}))
	from := must(g.Boltzmann(must(energy.NewIsotropicGaussian([]float64{0.5, 0.5}, 0.5))))
	path := must(meanfield.Game{Rule: meanfield.NonSaturating, Step: 0.5, Steps: 30, Every: 10}.Run(ctx, ring, g, from))
	if !slices.IsSortedFunc(path.C, func(a, b float64) int { return -int(math.Copysign(1, a-b)) }) {
		t.Errorf("C: %v", path.C)
	}
	near(t, "C at the end", path.C[3], -math.Log(4), 2e-3)
}

func TestErrors(t *testing.T) {
	good := meanfield.Game{Rule: meanfield.Saturating, Step: 0.1, Steps: 1}
	with := func(f func(a *meanfield.Game)) meanfield.Game { a := good; f(&a); return a }
	wide := must(fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -50, Hi: 50, Cells: 100}))
	var arg *ebmkit.ArgError
	for name, f := range map[string]func() (*meanfield.Path, error){
		"data":  func() (*meanfield.Path, error) { return good.Run(ctx, nil, grid, start) },
		"grid":  func() (*meanfield.Path, error) { return good.Run(ctx, data, nil, start) },
		"start": func() (*meanfield.Path, error) { return good.Run(ctx, data, grid, start[1:]) },
		"negative": func() (*meanfield.Path, error) {
			s := slices.Clone(start)
			s[0], s[1] = -1, s[1]+s[0]+1
			return good.Run(ctx, data, grid, s)
		},
		"NaN": func() (*meanfield.Path, error) {
			s := slices.Clone(start)
			s[0] = math.NaN()
			return good.Run(ctx, data, grid, s)
		},
		"rule": func() (*meanfield.Path, error) {
			return with(func(a *meanfield.Game) { a.Rule = 9 }).Run(ctx, data, grid, start)
		},
		"step": func() (*meanfield.Path, error) {
			return with(func(a *meanfield.Game) { a.Step = math.NaN() }).Run(ctx, data, grid, start)
		},
		"eta": func() (*meanfield.Path, error) {
			return with(func(a *meanfield.Game) { a.Rule, a.Step = 0, 1.1 }).Run(ctx, data, grid, start)
		},
		"steps": func() (*meanfield.Path, error) {
			return with(func(a *meanfield.Game) { a.Steps = 0 }).Run(ctx, data, grid, start)
		},
		"every": func() (*meanfield.Path, error) {
			return with(func(a *meanfield.Game) { a.Every = -1 }).Run(ctx, data, grid, start)
		},
		"zero": func() (*meanfield.Path, error) {
			return good.Run(ctx, data, wide, must(wide.Boltzmann(must(energy.NewGaussian1D(0, 5)))))
		},
	} {
		if _, err := f(); !errors.As(err, &arg) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	ended, end := context.WithCancel(ctx)
	end()
	if path, err := good.Run(ended, data, grid, start); err != context.Canceled || path == nil {
		t.Errorf("path %v, error %v", path, err)
	}
}

func BenchmarkGame(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(meanfield.Game{Rule: meanfield.NonSaturating, Step: 1, Steps: 1}.Run(ctx, data, grid, start))
	}
}

// The generator that Theorem 3.3 assumes halves its error at every step.
func Example() {
	q := start
	for k := range 4 {
		fmt.Printf("step %d: C + ln 4 = %.5f\n", k, meanfield.Cost(grid, p, q)+math.Log(4))
		q = must(meanfield.Game{Step: 1, Steps: 1}.Run(ctx, data, grid, q)).Q[0]
	}
	// Output:
	// step 0: C + ln 4 = 0.40288
	// step 1: C + ln 4 = 0.08647
	// step 2: C + ln 4 = 0.02297
	// step 3: C + ln 4 = 0.00612
}
