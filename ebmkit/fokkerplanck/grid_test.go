package fokkerplanck

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/race"
)

func line(lo, hi float64, cells int) *Grid {
	return must(NewGrid(Axis{Lo: lo, Hi: hi, Cells: cells}))
}

func plane(lo, hi float64, n0, n1 int) *Grid {
	return must(NewGrid(Axis{Lo: lo, Hi: hi, Cells: n0}, Axis{Lo: lo, Hi: hi, Cells: n1}))
}

func ring(cells int) *Grid { return must(NewGrid(Axis{Hi: 1, Cells: cells, Periodic: true})) }

// furthest is the largest difference, and relative the largest relative one.
func furthest(a, b []float64) (d float64) {
	for k := range a {
		d = math.Max(d, math.Abs(a[k]-b[k]))
	}
	return d
}

func relative(a, b []float64) (d float64) {
	for k := range a {
		if a[k] != b[k] {
			d = math.Max(d, math.Abs(a[k]/b[k]-1))
		}
	}
	return d
}

// crossed is an energy of the plane that is no sum of two, with two wells.
func crossed() ebmkit.Energy {
	return must(energy.NewMixture([]float64{1, 2}, []energy.Component{
		must(energy.NewGaussian([]float64{-1, -0.5}, []float64{0.6, 0.3, 0.3, 0.5})),
		must(energy.NewGaussian([]float64{1, 0.7}, []float64{0.5, -0.2, -0.2, 0.6})),
	}))
}

// tilt is a mobility with mixed entries of both signs.
func tilt(d, x []float64) {
	d[0], d[3] = 1+0.3*math.Sin(x[0]), 1
	d[1] = 0.6 * math.Sin(x[0]+2*x[1])
	d[2] = d[1]
}

type problem struct {
	name string
	gen  *Generator
	p0   []float64
}

// problems has a generator of every kind, on small grids.
func problems() []problem {
	well := must(energy.NewDoubleWell(1, 1))
	drift := func(mu, x []float64) {
		mu[0] = 1 + math.Cos(2*math.Pi*x[0])
		if len(x) == 2 {
			mu[1] = x[0] - x[1]
		}
	}
	wavy := must(energy.NewFunc(2, func(x []float64) float64 { return math.Sin(2*math.Pi*x[0]) * math.Cos(2*math.Pi*x[1]) }, nil))
	torus := must(NewGrid(Axis{Hi: 1, Cells: 9, Periodic: true}, Axis{Hi: 1, Cells: 14, Periodic: true}))
	tube := must(NewGrid(Axis{Hi: 1, Cells: 15}, Axis{Hi: 1, Cells: 7, Periodic: true}))
	bump := func(g *Grid) []float64 {
		return must(g.Normalize(func(x []float64) float64 {
			r := 0.0
			for _, v := range x {
				r += (v - 0.4) * (v - 0.4)
			}
			return math.Exp(-5 * r)
		}))
	}
	free := math.Inf(1)
	list := []problem{
		{name: "well", gen: must(Langevin{Energy: well, Eps: 0.7}.On(line(-2.5, 2.5, 80)))},
		{name: "ring with drift", gen: must(Ito{Drift: drift, Diffusion: Isotropic(0.2)}.On(ring(41)))},
		{name: "noise of the place", gen: must(Ito{Drift: drift, Diffusion: func(d, x []float64) { d[0] = 0.1 + x[0]*x[0] }}.On(line(0, 1, 30)))},
		{name: "two wells", gen: must(Langevin{Energy: crossed(), MaxPeclet: free}.On(plane(-3, 3, 17, 22)))},
		{name: "tilted mobility", gen: must(Langevin{Energy: crossed(), Mobility: tilt, MaxPeclet: free}.On(plane(-3, 3, 20, 20)))},
		{name: "correlated noise", gen: must(Ito{Drift: drift, Diffusion: tilt, MaxPeclet: free}.On(plane(-1, 1, 18, 19)))},
		{name: "torus", gen: must(Langevin{Energy: wavy}.On(torus))},
		{name: "tube with drift", gen: must(Ito{Drift: drift, Diffusion: Isotropic(0.3)}.On(tube))},
	}
	for i := range list {
		list[i].p0 = bump(list[i].gen.grid)
	}
	restarts := problem{name: "restarts", gen: must(Langevin{Energy: crossed(), MaxPeclet: free}.On(plane(-3, 3, 16, 12)))}
	restarts.p0 = bump(restarts.gen.grid)
	if err := restarts.gen.SetRestart(0.8, restarts.p0); err != nil {
		panic(err)
	}
	return append(list, restarts)
}

// The steady state by fluxes alone is exp(-U) at the centres, in every cell,
// however unlikely, and steps of any size leave it.
func TestSteadyStateIsBoltzmann(t *testing.T) {
	free := math.Inf(1)
	for name, gen := range map[string]*Generator{
		"well":            must(Langevin{Energy: must(energy.NewDoubleWell(2, 1)), MaxPeclet: free}.On(line(-3.5, 3.5, 500))),
		"two wells":       must(Langevin{Energy: crossed(), MaxPeclet: free}.On(plane(-4, 4, 40, 50))),
		"tilted mobility": must(Langevin{Energy: crossed(), Mobility: tilt, MaxPeclet: free}.On(plane(-4, 4, 40, 40))),
	} {
		want := must(gen.Steady())
		got := must(gen.balance(""))
		if d := relative(got, want); d > 1e-12 {
			t.Errorf("%s: steady state off by %g, relative", name, d)
		} else {
			t.Logf("%s: steady state within %.1e, relative, down to p = %.1e", name, d, want[0])
		}
		for _, s := range []Scheme{TRBDF2, CrankNicolson, BackwardEuler} {
			for _, h := range []float64{1e-3, 0.3, 50} {
				p := append([]float64(nil), want...)
				f := must(NewFlow(gen, s, h))
				if err := f.Advance(p, 20); err != nil || f.Damped > 0 {
					t.Fatal(err, f.Damped)
				}
				if d := relative(p, want); d > 1e-11 {
					t.Errorf("%s, %v, step %g: the steady state moves by %g, relative", name, s, h, d)
				}
			}
		}
		// A rate that is wrong by one part in a million must be seen.
		gen.dirs[0].up[gen.grid.size/2] *= 1 + 1e-6
		if d := relative(must(gen.balance("")), want); d < 1e-8 {
			t.Errorf("%s: a wrong rate goes unnoticed: %g", name, d)
		}
	}
	// From afar, by steps.
	g, p := w8Grid(1, 512)
	gen := must(Langevin{Energy: w8Energy(1), Eps: 0.5}.On(g))
	h := must(Evolve(context.Background(), gen, p, Config{Step: 0.1, Steps: 1000}))
	if d := relative(h.Last(), must(gen.Steady())); d > 1e-12 {
		t.Errorf("after t = 100 the relative distance from the steady state is %g", d)
	}
}

// Every pair of cells of a Langevin equation is in detailed balance, and the
// rates of any equation are positive and conserve mass.
func TestRates(t *testing.T) {
	for _, c := range problems() {
		g := c.gen.grid
		pi := must(c.gen.Steady())
		pairs, worst := 0, 0.0
		c.gen.Rates(func(i, k int, there, back float64) {
			pairs++
			if !(there >= 0 && back >= 0) || math.IsInf(there+back, 0) {
				t.Fatalf("%s: rates %v and %v between %d and %d", c.name, there, back, i, k)
			}
			worst = math.Max(worst, math.Abs(there*pi[i]-back*pi[k])/(there*pi[i]+back*pi[k]))
		})
		if c.gen.u != nil && c.gen.nu == 0 && worst > 1e-13 {
			t.Errorf("%s: detailed balance broken by %g", c.name, worst)
		}
		if strings.HasSuffix(c.name, "with drift") && worst < 1e-3 {
			t.Errorf("%s: detailed balance although there is a current", c.name)
		}
		dp := make([]float64, g.size)
		c.gen.Apply(dp, c.p0)
		if m := g.Mass(dp); math.Abs(m) > 1e-12*float64(g.size) {
			t.Errorf("%s: mass changes at the rate %g", c.name, m)
		}
		c.gen.Apply(dp, pi)
		scale := 0.0
		c.gen.Rates(func(i, k int, there, back float64) { scale = math.Max(scale, there*pi[i]) })
		for k, v := range dp {
			if math.Abs(v) > 1e-12*scale {
				t.Fatalf("%s: the steady state changes at the rate %g in cell %d", c.name, v, k)
			}
		}
		t.Logf("%s: %d links, detailed balance within %.1e", c.name, pairs, worst)
	}
}

// dense solves (1 - w A) x = b by Gaussian elimination with pivots, where A
// holds the links of the directions given.
func dense(gen *Generator, dirs []int, w float64, b []float64) []float64 {
	n := gen.grid.size
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n+1)
		share := float64(len(dirs)) / float64(len(gen.dirs))
		m[i][i], m[i][n] = 1+w*gen.nu*share, b[i]
		if gen.nu > 0 {
			m[i][n] += w * gen.nu * share * gen.restart[i]
		}
	}
	for _, j := range dirs {
		d := &gen.dirs[j]
		for k := range n {
			if i := d.next(gen.grid, k); i >= 0 {
				m[k][k] += w * d.up[k]
				m[i][k] -= w * d.up[k]
				m[i][i] += w * d.down[k]
				m[k][i] -= w * d.down[k]
			}
		}
	}
	for k := range n {
		top := k
		for i := k; i < n; i++ {
			if math.Abs(m[i][k]) > math.Abs(m[top][k]) {
				top = i
			}
		}
		m[k], m[top] = m[top], m[k]
		for i := k + 1; i < n; i++ {
			if c := m[i][k] / m[k][k]; c != 0 {
				for j := k; j <= n; j++ {
					m[i][j] -= c * m[k][j]
				}
			}
		}
	}
	x := make([]float64, n)
	for k := n - 1; k >= 0; k-- {
		x[k] = m[k][n]
		for j := k + 1; j < n; j++ {
			x[k] -= m[k][j] * x[j]
		}
		x[k] /= m[k][k]
	}
	return x
}

// Sweeps along rows, columns, rings and diagonals are the implicit steps of a
// dense matrix, and elimination solves the whole.
func TestImplicitStepsAgainstDenseMatrix(t *testing.T) {
	for _, c := range problems() {
		for j := range c.gen.dirs {
			for _, s := range []Scheme{BackwardEuler, CrankNicolson, TRBDF2} {
				n := c.gen.grid.size
				const h = 0.07
				sw := make([]sweep, len(c.gen.dirs))
				sw[j].q, sw[j].r = make([]float64, n), make([]float64, n)
				sw[j].factor(c.gen, j, s, h)
				p := append([]float64(nil), c.p0...)
				sw[j].run(p)
				want := dense(c.gen, []int{j}, h*s.implicit(), c.p0)
				switch s {
				case CrankNicolson:
					for k := range want {
						want[k] = 2*want[k] - c.p0[k]
					}
				case TRBDF2:
					again := dense(c.gen, []int{j}, h*s.implicit(), want)
					for k := range want {
						want[k] = (1+math.Sqrt2)*again[k] - math.Sqrt2*want[k]
					}
				}
				if d := furthest(p, want); d > 1e-12 {
					t.Errorf("%s, direction %d, %v: differs from the dense solution by %g", c.name, j, s, d)
				}
			}
		}
		all := make([]int, len(c.gen.dirs))
		for j := range all {
			all[j] = j
		}
		const w = 3.0 // (1 - w A) x = b is (1/w - A) x = b/w
		b := append([]float64(nil), c.p0...)
		want := dense(c.gen, all, w, b)
		for k := range b {
			b[k] /= w
			if c.gen.nu > 0 {
				b[k] += c.gen.nu * c.gen.restart[k]
			}
		}
		e := must(c.gen.eliminate("", 1/w+c.gen.nu, -1, nil))
		e.solve(b)
		if d := furthest(b, want); d > 1e-11 {
			t.Errorf("%s: elimination differs from the dense solution by %g", c.name, d)
		}
	}
}

// Mass stays to 1e-13 over a hundred steps, six solutions each in the plane, and densities are never negative,
// from a point mass too; without damping they would be.
func TestMassAndPositivity(t *testing.T) {
	for _, c := range problems() {
		for _, s := range []Scheme{TRBDF2, CrankNicolson, BackwardEuler} {
			for _, h := range []float64{1e-4, 3e-2, 10} {
				p := append([]float64(nil), c.p0...)
				f := must(NewFlow(c.gen, s, h))
				if err := f.Advance(p, 100); err != nil {
					t.Fatal(err)
				}
				if m := c.gen.grid.Mass(p); math.Abs(m-1) > 1e-13 {
					t.Errorf("%s, %v, step %g: mass 1 %+.1e", c.name, s, h, m-1)
				}
				point := make([]float64, len(p))
				point[len(p)/3] = 1 / c.gen.grid.volume
				for range 20 {
					if err := f.Advance(point, 1); err != nil {
						t.Fatal(err) // Advance refuses negative densities
					}
				}
				if s == BackwardEuler && f.Damped > 0 {
					t.Errorf("%s, %v: %d damped steps", c.name, s, f.Damped)
				}
			}
		}
	}
	gen := must(Langevin{Energy: must(energy.NewGaussian1D(0, 1))}.On(line(-5, 5, 200)))
	point := make([]float64, 200)
	point[80] = 20
	for _, s := range []Scheme{TRBDF2, CrankNicolson} {
		f := must(NewFlow(gen, s, 0.05))
		p := append([]float64(nil), point...)
		through(gen.sweeps(nil, s, 0.05, f.q, f.r), p)
		if least := -min(p[80], p[79], p[81]); least < 0.1 {
			t.Errorf("%v of a point mass: smallest density %g, the test has no power", s, -least)
		}
		p = append([]float64(nil), point...)
		if err := f.Advance(p, 100); err != nil {
			t.Fatal(err)
		}
		if f.Damped == 0 || s == TRBDF2 && f.Damped > 10 {
			t.Errorf("%v: %d of 100 steps damped", s, f.Damped)
		}
		t.Logf("%v: %d of 100 steps damped", s, f.Damped)
	}
	long := must(NewFlow(gen, TRBDF2, 1e-3))
	p := must(gen.grid.Boltzmann(must(energy.NewGaussian1D(1, 0.5))))
	if err := long.Advance(p, 2000); err != nil {
		t.Fatal(err)
	}
	if m := gen.grid.Mass(p); math.Abs(m-1) > 1e-13 {
		t.Errorf("mass 1 %+.1e after 2000 steps", m-1)
	}
}

func TestSameBitsOnAnyNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first [][]float64
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		var all [][]float64
		g := plane(-3, 3, 90, 70) // large enough to be shared
		for _, gen := range []*Generator{
			must(Langevin{Energy: crossed()}.On(g)),
			must(Langevin{Energy: crossed(), Mobility: tilt}.On(plane(-3, 3, 80, 80))),
			must(Ito{Diffusion: Isotropic(1)}.On(must(NewGrid(Axis{Hi: 1, Cells: 70, Periodic: true}, Axis{Hi: 1, Cells: 66, Periodic: true})))),
		} {
			p := must(gen.grid.Normalize(func(x []float64) float64 { return math.Exp(-x[0]*x[0] - x[1]*x[1]) }))
			if err := must(NewFlow(gen, TRBDF2, 0.02)).Advance(p, 5); err != nil {
				t.Fatal(err)
			}
			all = append(all, p)
		}
		if first == nil {
			first = all
		}
		for i := range all {
			for k := range all[i] {
				if all[i][k] != first[i][k] {
					t.Fatalf("GOMAXPROCS = %d: other bits in cell %d of equation %d", procs, k, i)
				}
			}
		}
	}
}

func TestStepsDoNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, c := range problems() {
		f := must(NewFlow(c.gen, TRBDF2, 1e-3))
		f.advance(c.p0)
		if n := testing.AllocsPerRun(20, func() { f.advance(c.p0) }); n > 0 {
			t.Errorf("%s: %v allocations a step", c.name, n)
		}
	}
}

func TestGridRefusesBadInput(t *testing.T) {
	g := line(-1, 1, 10)
	two := plane(-1, 1, 4, 4)
	gauss := must(energy.NewGaussian1D(0, 1))
	uniform := must(g.Normalize(func([]float64) float64 { return 1 }))
	gen := must(Langevin{Energy: gauss}.On(g))
	fn := func(v float64) *energy.Func {
		return must(energy.NewFunc(1, func(x []float64) float64 {
			if x[0] > 0.8 {
				return v
			}
			return 0
		}, nil))
	}
	noise := func(v float64) func(d, x []float64) { return func(d, x []float64) { d[0] = v * (1 - x[0]) } }
	mixed := func(a, b, c, d float64) func(m, x []float64) {
		return func(m, x []float64) { m[0], m[1], m[2], m[3] = a, b, c, d }
	}
	for _, c := range []struct {
		arg, says string
		f         func() error
	}{
		{"len(axes)", "", func() error { _, err := NewGrid(); return err }},
		{"axes[0].Cells", "", func() error { _, err := NewGrid(Axis{Hi: 1, Cells: 2}); return err }},
		{"axes[1]", "", func() error { _, err := NewGrid(Axis{Hi: 1, Cells: 5}, Axis{Lo: 1, Cells: 5}); return err }},
		{"axes[0]", "", func() error { _, err := NewGrid(Axis{Hi: math.Inf(1), Cells: 5}); return err }},
		{"axes[0]", "", func() error { _, err := NewGrid(Axis{Lo: math.NaN(), Hi: 1, Cells: 5}); return err }},
		{"f", "cell 9", func() error {
			_, err := g.Normalize(func(x []float64) float64 { return 0.8 - x[0] })
			return err
		}},
		{"f", "every", func() error { _, err := g.Normalize(func(x []float64) float64 { return 0 }); return err }},
		{"e", "cell 9", func() error { _, err := g.Boltzmann(fn(math.Inf(-1))); return err }},
		{"Energy", "cell 9", func() error { _, err := Langevin{Energy: fn(math.NaN())}.On(g); return err }},
		{"Energy", "", func() error { _, err := Langevin{}.On(g); return err }},
		{"Energy.Dim()", "", func() error { _, err := Langevin{Energy: gauss}.On(two); return err }},
		{"Eps", "", func() error { _, err := Langevin{Energy: gauss, Eps: -1}.On(g); return err }},
		{"MaxPeclet", "", func() error { _, err := Langevin{Energy: gauss, MaxPeclet: math.NaN()}.On(g); return err }},
		{"g", "", func() error { _, err := Langevin{Energy: gauss}.On(nil); return err }},
		{"grid", "Peclet number 3 at cell 8", func() error { _, err := Langevin{Energy: fn(3)}.On(g); return err }},
		{"grid", "Peclet number 20", func() error {
			_, err := Ito{Drift: func(mu, x []float64) { mu[0] = 100 }, Diffusion: Isotropic(1)}.On(g)
			return err
		}},
		{"Diffusion", "", func() error { _, err := Ito{}.On(g); return err }},
		{"Diffusion", "x = -0.9", func() error { _, err := Ito{Diffusion: noise(-1)}.On(g); return err }},
		{"Diffusion", "finite", func() error { _, err := Ito{Diffusion: noise(math.NaN())}.On(g); return err }},
		{"Diffusion", "symmetric", func() error { _, err := Ito{Diffusion: mixed(1, 0.5, 0, 1)}.On(two); return err }},
		{"Diffusion", "positive", func() error { _, err := Ito{Diffusion: mixed(1, 2, 2, 1)}.On(two); return err }},
		{"Diffusion", "another shape", func() error { _, err := Ito{Diffusion: mixed(1, 1.5, 1.5, 4)}.On(two); return err }},
		{"Mobility", "another shape", func() error {
			_, err := Langevin{Energy: crossed(), Mobility: mixed(1, 1.5, 1.5, 4), MaxPeclet: 9}.On(two)
			return err
		}},
		{"Drift", "NaN", func() error {
			_, err := Ito{Drift: func(mu, x []float64) { mu[0] = math.NaN() }, Diffusion: Isotropic(1)}.On(g)
			return err
		}},
		{"Diffusion", "periodic", func() error {
			_, err := Ito{Diffusion: mixed(1, 0.5, 0.5, 1)}.On(must(NewGrid(Axis{Hi: 1, Cells: 4, Periodic: true}, Axis{Hi: 1, Cells: 4})))
			return err
		}},
		{"nu", "", func() error { return gen.SetRestart(-1, uniform) }},
		{"target", "mass", func() error { return gen.SetRestart(1, make([]float64, 10)) }},
		{"gen", "", func() error { _, err := NewFlow(nil, 0, 1); return err }},
		{"scheme", "", func() error { _, err := NewFlow(gen, 9, 1); return err }},
		{"step", "", func() error { _, err := NewFlow(gen, 0, math.NaN()); return err }},
		{"len(p)", "", func() error { return must(NewFlow(gen, 0, 1)).Advance(uniform[:3], 1) }},
		{"p[2]", "", func() error {
			p := append([]float64(nil), uniform...)
			p[2] = math.NaN()
			return must(NewFlow(gen, 0, 1)).Advance(p, 1)
		}},
		{"p[9]", "+Inf", func() error {
			walled := must(Langevin{Energy: fn(math.Inf(1))}.On(g))
			return must(NewFlow(walled, 0, 1)).Advance(uniform, 1)
		}},
		{"Steps", "", func() error {
			_, err := Evolve(context.Background(), gen, uniform, Config{Step: 1, Steps: -1})
			return err
		}},
		{"Every", "", func() error {
			_, err := Evolve(context.Background(), gen, uniform, Config{Step: 1, Every: -1})
			return err
		}},
		{"len(xs)", "", func() error { _, err := g.Kolmogorov(uniform, nil); return err }},
		{"xs[1]", "", func() error { _, err := g.Kolmogorov(uniform, []float64{0, math.NaN()}); return err }},
		{"Generator", "Langevin", func() error { return must(Ito{Diffusion: Isotropic(1)}.On(g)).SetEnergy(gauss) }},
		{"Generator", "2 regions", func() error {
			_, err := must(Ito{Diffusion: Isotropic(1)}.On(g)).cut(4).Steady()
			return err
		}},
	} {
		var e *ebmkit.ArgError
		if err := c.f(); !errors.As(err, &e) || e.Arg != c.arg || !strings.Contains(e.Error(), c.says) {
			t.Errorf("want an error about %s that says %q, got %v", c.arg, c.says, err)
		}
	}
	// A wrong energy leaves the equation as it was.
	before := must(gen.Steady())
	if gen.SetEnergy(fn(math.NaN())) == nil || furthest(before, must(gen.Steady())) != 0 {
		t.Error("a refused energy changed the equation")
	}
}

// cut removes the link above cell k.
func (gen *Generator) cut(k int) *Generator {
	gen.dirs[0].up[k], gen.dirs[0].down[k] = 0, 0
	return gen
}
