package spin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// wantArg fails unless err is an *ebmkit.ArgError about arg.
func wantArg(t *testing.T, what string, err error, arg string) {
	t.Helper()
	var a *ebmkit.ArgError
	if !errors.As(err, &a) || a.Arg != arg || !strings.HasPrefix(a.Func, "spin.") {
		t.Errorf("%s: error %v, want one about %s", what, err, arg)
	}
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*(1+math.Abs(want))) {
		t.Errorf("%s = %.15g, want %.15g", what, got, want)
	}
}

// bits returns the n spins of state s.
func state(n, s int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(s>>i&1)*2 - 1
	}
	return x
}

func TestIsingAgainstTheFormula(t *testing.T) {
	j := []float64{0, 0.5, -1, 0.5, 0, 0.25, -1, 0.25, 0}
	h := []float64{0.1, -0.2, 0.7}
	m := must(NewIsingMatrix(j, 2, h))
	for s := range 8 {
		x := state(3, s)
		var want float64
		for a := range 3 {
			want -= 2 * h[a] * x[a]
			for b := range 3 {
				want -= j[3*a+b] * x[a] * x[b] / 2 // ordered pairs: half
			}
		}
		near(t, fmt.Sprint("U", x), m.Energy(x), want, 1e-15)
		for i := range x {
			y := slices.Clone(x)
			y[i] = -y[i]
			near(t, "dU of a turn", m.Energy(y)-m.Energy(x), 2*x[i]*m.LocalField(x, i), 1e-14)
		}
	}
	for _, err := range conform.Check(m, conform.Options{Prefix: "spin: "}) {
		t.Error(err)
	}
	for _, err := range conform.Check(must(m.At(0.7)), conform.Options{Prefix: "spin: "}) {
		t.Error(err)
	}
}

func TestIsingErrors(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		what, arg string
		err       func() error
	}{
		{"no sites", "n", func() error { _, e := NewIsing(0, nil, 1, nil); return e }},
		{"self-loop", "bonds[1]", func() error { _, e := NewIsing(3, []Bond{{0, 1, 1}, {2, 2, 1}}, 1, nil); return e }},
		{"no such site", "bonds[0]", func() error { _, e := NewIsing(3, []Bond{{0, 3, 1}}, 1, nil); return e }},
		{"pair twice", "bonds[1]", func() error { _, e := NewIsing(3, []Bond{{0, 1, 1}, {1, 0, 1}}, 1, nil); return e }},
		{"NaN coupling", "bonds[0].J", func() error { _, e := NewIsing(3, []Bond{{0, 1, nan}}, 1, nil); return e }},
		{"NaN field", "h[2]", func() error { _, e := NewIsing(3, nil, 1, []float64{0, 0, nan}); return e }},
		{"short field", "len(h)", func() error { _, e := NewIsing(3, nil, 1, []float64{0}); return e }},
		{"moment", "mu", func() error { _, e := NewIsing(3, nil, math.Inf(1), nil); return e }},
		{"not square", "len(J)", func() error { _, e := NewIsingMatrix(make([]float64, 3), 1, nil); return e }},
		{"asymmetric", "J[1][0]", func() error { _, e := NewIsingMatrix([]float64{0, 1, 2, 0}, 1, nil); return e }},
		{"diagonal", "J[1][1]", func() error { _, e := NewIsingMatrix([]float64{0, 1, 1, 3}, 1, nil); return e }},
		{"short chain", "n", func() error { _, e := NewChain(2, 1, 0); return e }},
		{"small torus", "Torus.Cols", func() error { _, e := Torus{4, 2, 1, 0}.Ising(); return e }},
		{"odd torus", "Torus.Rows", func() error { _, e := NewLattice(Torus{5, 4, 1, 0}, 1, 1); return e }},
		{"odd columns", "Torus.Cols", func() error { _, e := NewLattice(Torus{4, 5, 1, 0}, 1, 1); return e }},
		{"NaN J", "Torus.J", func() error { _, e := NewLattice(Torus{4, 4, nan, 0}, 1, 1); return e }},
		{"beta", "beta", func() error { _, e := NewLattice(Torus{4, 4, 1, 0}, -1, 1); return e }},
		{"beta at", "beta", func() error { _, e := must(NewChain(4, 1, 0)).At(nan); return e }},
		{"spins", "x[3]", func() error {
			x := uniform(16, 1)
			x[3] = 0
			return must(NewLattice(Torus{4, 4, 1, 0}, 1, 1)).SetSpins(x)
		}},
		{"cluster in a field", "Torus.H", func() error { _, e := must(NewLattice(Torus{4, 4, 1, 1}, 1, 1)).Wolff(1); return e }},
		{"run", "thin", func() error {
			_, e := must(NewLattice(Torus{4, 4, 1, 1}, 1, 1)).Run(context.Background(), HeatBath, 0, 1, 0)
			return e
		}},
		{"update", "update", func() error {
			_, e := must(NewLattice(Torus{4, 4, 1, 1}, 1, 1)).Run(context.Background(), 7, 0, 1, 1)
			return e
		}},
		{"too many states", "sites", func() error { _, e := Enumerate(must(NewChain(21, 1, 0))); return e }},
		{"short series", "len(U)", func() error { _, e := (&Series{1, 4, make([]float64, 10), nil}).Observables(); return e }},
		{"series of two lengths", "len(M)", func() error {
			_, e := (&Series{1, 4, make([]float64, 200), make([]float64, 199)}).Observables()
			return e
		}},
		{"Kaufman in a field", "Torus.H", func() error { _, e := KaufmanTorus(Torus{4, 4, 1, 1}, 1); return e }},
		{"Kaufman at 0", "beta*Torus.J", func() error { _, e := KaufmanTorus(Torus{4, 4, 1, 0}, 0); return e }},
	} {
		wantArg(t, c.what, c.err(), c.arg)
	}
}

// The bits of a lattice are the spins of the graph, for rows of less than a
// word, of a whole word and of more.
func TestLatticeIsTheGraph(t *testing.T) {
	for _, tor := range []Torus{{4, 4, 1, 0.3}, {6, 10, -0.7, 0}, {8, 128, 1, 0.1}, {4, 130, 1, 0}, {4, 258, 1, -0.5}} {
		g, l := must(tor.Ising()), must(NewLattice(tor, 0.4, 5))
		for k := range 3 {
			switch k {
			case 1:
				l.Randomize()
			case 2:
				l.HeatBath(3)
				l.Metropolis(2)
			}
			x := l.Spins(nil)
			near(t, "energy", l.Energy(), g.Energy(x), 1e-12)
			var m float64
			for _, v := range x {
				m += v
			}
			if int(m) != l.Magnetization() {
				t.Errorf("%v: magnetisation %d, spins sum to %v", tor, l.Magnetization(), m)
			}
			if err := l.SetSpins(x); err != nil || !slices.Equal(l.Spins(nil), x) {
				t.Errorf("%v: spins do not come back (%v)", tor, err)
			}
		}
	}
}

// The probability with which each spin of the 4x4 torus and of a wide one turns
// is the one of the formula, whatever its neighbours and the field: one
// half-sweep from fixed states, counted many times.
func TestOneUpdateHasTheRightLaw(t *testing.T) {
	const spinDraws = 3_000_000
	for _, tor := range []Torus{{4, 4, 1, 0}, {4, 4, -0.6, 0}, {4, 4, 1, 0.35}, {4, 132, 0.5, 0}, {150, 6, 0.8, 0}, {70, 130, 0.8, -0.2}} {
		for _, name := range []string{"heat bath", "Metropolis"} {
			const beta = 0.4
			repeats := min(4000, spinDraws/(tor.Rows*tor.Cols))
			l, g := must(NewLattice(tor, beta, 11)), must(tor.Ising())
			l.Randomize()
			before := l.Spins(nil)
			law, update := heatBathUp, l.HeatBath
			if name == "Metropolis" {
				law, update = metropolisUp, l.Metropolis
			}
			ups := make([]float64, len(before))
			x := make([]float64, len(before))
			for range repeats {
				l.SetSpins(before)
				update(1)
				for i, v := range l.Spins(x) {
					if v == 1 {
						ups[i]++
					}
				}
			}
			// Sites of colour 0 are updated first: they saw the state before.
			worst, certain := 0.0, 0
			for i := range before {
				if (i/tor.Cols+i%tor.Cols)&1 != 0 {
					continue
				}
				p := law(beta, g.LocalField(before, i), before[i] == 1)
				if p == 0 || p == 1 {
					certain++
					if ups[i] != p*float64(repeats) {
						t.Errorf("%v, %s: site %d is up %v times of %d, probability %v", tor, name, i, ups[i], repeats, p)
					}
					continue
				}
				worst = max(worst, math.Abs(ups[i]/float64(repeats)-p)/math.Sqrt(p*(1-p)/float64(repeats)))
			}
			t.Logf("%v, %s: largest |z| %.2f, %d certain", tor, name, worst, certain)
			// Up to 4,550 sites; at the smallest expected counts, about 20, a
			// Poisson count is 5.5 standard errors off with probability 2e-6.
			if worst > 5.5 {
				t.Errorf("%v, %s: |z| = %.2f", tor, name, worst)
			}
		}
	}
}

// compare returns the largest |z| of the estimates against the exact values.
func compare(t *testing.T, what string, o Observables, e Thermo) float64 {
	t.Helper()
	worst := 0.0
	for _, c := range []struct {
		name string
		est  ebmkit.Estimate
		want float64
	}{{"energy", o.Energy, e.Energy}, {"heat capacity", o.HeatCapacity, e.HeatCapacity}, {"|m|", o.AbsM, e.AbsM},
		{"chi", o.Chi, e.Chi}, {"Binder", o.Binder, e.Binder}} {
		z := math.Abs(c.est.Z(c.want))
		t.Logf("%s: %-13s %s, exact %.6g, z = %.2f", what, c.name, c.est, c.want, c.est.Z(c.want))
		if !(z <= worst) {
			worst = z
		}
	}
	return worst
}

func TestTorusAgainstEnumeration(t *testing.T) {
	draws := 40_000
	if testing.Short() {
		draws = 10_000
	}
	tor := Torus{4, 4, 1, 0}
	levels := must(Enumerate(must(tor.Ising())))
	for _, beta := range []float64{0.2, 0.44, 0.6} {
		exact := must(levels.At(beta))
		for _, u := range []Update{HeatBath, Metropolis, Wolff, Mixed} {
			l := must(NewLattice(tor, beta, 3))
			s := must(l.Run(context.Background(), u, 200, draws, 3))
			o, err := s.Observables()
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("beta %v, %v", beta, u)
			if z := compare(t, what, o, exact); z > 4 {
				t.Errorf("%s: |z| = %.1f", what, z)
			}
		}
	}
	// With a field, and antiferromagnetic.
	for _, tor := range []Torus{{4, 4, 1, 0.1}, {4, 4, -1, 0.4}} {
		exact := must(must(Enumerate(must(tor.Ising()))).At(0.35))
		for _, u := range []Update{HeatBath, Metropolis} {
			o := must(must(must(NewLattice(tor, 0.35, 4)).Run(context.Background(), u, 200, draws, 3)).Observables())
			if z := compare(t, fmt.Sprint(tor, " ", u), o, exact); z > 4 {
				t.Errorf("%v, %v: |z| = %.1f", tor, u, z)
			}
		}
	}
}

// Negative controls: a temperature that is off by 2 % and one wrong probability
// do not pass the comparison with enumeration.
func TestEnumerationNoticesAWrongKernel(t *testing.T) {
	tor, beta := Torus{4, 4, 1, 0}, 0.44
	exact := must(must(Enumerate(must(tor.Ising()))).At(beta))
	for name, spoil := range map[string]func(l *Lattice){
		"beta 2 % too large": func(l *Lattice) { l.SetBeta(1.02 * beta); l.beta = beta },
		"probability of one more turn": func(l *Lattice) {
			p := heatBathUp(beta, -2, false) + 0.01
			for i := range l.heat.rare {
				l.heat.rare[i][0] = spread(p, i)
			}
		},
	} {
		l := must(NewLattice(tor, beta, 3))
		spoil(l)
		o := must(must(l.Run(context.Background(), HeatBath, 200, 40_000, 3)).Observables())
		if z := compare(t, name, o, exact); z < 5 {
			t.Errorf("%s: |z| = %.1f is not noticed", name, z)
		}
	}
}

// Wolff satisfies detailed balance: between all spins up and one or two
// neighbours down, moves there and back have rates in the ratio
// exp(-Beta dU). A temperature that is off by 10 % is noticed.
func TestWolffDetailedBalance(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	const tries = 200_000
	tor, beta := Torus{4, 4, 1, 0}, 0.2
	g := must(tor.Ising())
	up := uniform(16, 1)
	for _, down := range [][]int{{5}, {5, 6}} {
		y := slices.Clone(up)
		for _, i := range down {
			y[i] = -1
		}
		z := func(actual float64) float64 {
			l := must(NewLattice(tor, actual, 6))
			count := func(from, to []float64) (n float64) {
				x := make([]float64, 16)
				for range tries {
					l.SetSpins(from)
					l.Wolff(1)
					if slices.Equal(l.Spins(x), to) {
						n++
					}
				}
				return n
			}
			there, back := count(up, y), count(y, up)
			want := -beta * (g.Energy(y) - g.Energy(up))
			return (math.Log(there/back) - want) / math.Sqrt(1/there+1/back)
		}
		good, bad := z(beta), z(1.1*beta)
		t.Logf("%d down: z = %.2f; at 1.1 Beta %.2f", len(down), good, bad)
		if math.Abs(good) > 4 || math.Abs(bad) < 5 {
			t.Errorf("%d down: z = %.2f; at 1.1 Beta %.2f", len(down), good, bad)
		}
	}
}

// mcmc.Gibbs runs on the model's own heat bath.
func TestGibbsOnTheTorus(t *testing.T) {
	g := must(Torus{4, 4, 1, 0.05}.Ising())
	up := &ebmkit.Ensemble{N: 1, Dim: 16, X: uniform(16, 1)}
	c := must(mcmc.Run(context.Background(), must(g.At(0.3)), mcmc.Gibbs{},
		mcmc.Config{Walkers: 4000, Burn: 60, Draws: 1, Seed: 2, Init: up}))
	u, m := make([]float64, c.Walkers), make([]float64, c.Walkers)
	for w := range u {
		x := c.At(0).Row(w)
		u[w] = g.Energy(x) / 16
		for _, v := range x {
			m[w] += v / 16
		}
		m[w] = math.Abs(m[w])
	}
	exact := must(must(Enumerate(g)).At(0.3))
	for _, r := range []struct {
		name string
		est  ebmkit.Estimate
		want float64
	}{{"energy", ebmkit.MeanOf(u), exact.Energy}, {"|m|", ebmkit.MeanOf(m), exact.AbsM}} {
		t.Logf("%s: %v, exact %.6g, z = %.2f", r.name, r.est, r.want, r.est.Z(r.want))
		if math.Abs(r.est.Z(r.want)) > 4 {
			t.Errorf("%s: z = %.1f", r.name, r.est.Z(r.want))
		}
	}
}

func TestEnumerationByHand(t *testing.T) {
	// Two sites, one bond: Z = 2 exp(b J) 2 .. = 4 cosh(b J) without a field.
	m := must(NewIsing(2, []Bond{{0, 1, 0.8}}, 1, nil))
	e := must(must(Enumerate(m)).At(1.3))
	k := 1.3 * 0.8
	near(t, "log Z", e.LogZ, math.Log(4*math.Cosh(k)), 1e-14)
	near(t, "energy", e.Energy, -0.8*math.Tanh(k)/2, 1e-14)
	near(t, "heat capacity", e.HeatCapacity, k*k/math.Pow(math.Cosh(k), 2)/2, 1e-14)
	near(t, "|m|", e.AbsM, math.Exp(k)/(2*math.Cosh(k)), 1e-14)
	// With q = P(equal spins): <M^2> = 4q, <M^4> = 16q.
	near(t, "Binder", e.Binder, 1-1/(3*math.Exp(k)/(2*math.Cosh(k))), 1e-13)
}

func TestExactResultsAgree(t *testing.T) {
	// Kaufman against enumeration, rows and columns exchanged, above and below
	// the critical point and on it.
	for _, tor := range []Torus{{4, 4, 1, 0}, {3, 5, 0.7, 0}, {5, 3, 0.7, 0}} {
		levels := must(Enumerate(must(tor.Ising())))
		for _, beta := range []float64{0.05, 0.3, BetaC / tor.J, 0.6, 1.5} {
			e, k := must(levels.At(beta)), must(KaufmanTorus(tor, beta))
			near(t, fmt.Sprintf("%v, beta %v: log Z", tor, beta), k.LogZ, e.LogZ, 1e-12)
			near(t, fmt.Sprintf("%v, beta %v: energy", tor, beta), k.Energy, e.Energy, 1e-12)
		}
	}
	// A large torus away from the critical point is the infinite lattice.
	for _, beta := range []float64{0.3, 0.6} {
		k := must(KaufmanTorus(Torus{512, 512, 1, 0}, beta))
		near(t, fmt.Sprintf("Onsager, beta %v", beta), OnsagerEnergy(beta), k.Energy, 1e-11)
	}
	near(t, "Onsager at the critical point", OnsagerEnergy(BetaC), -math.Sqrt2, 1e-7)
	near(t, "beta_c", BetaC, math.Log(1+math.Sqrt2)/2, 1e-15)
	// The heat capacity is -K^2 dU/dK.
	for _, k := range []float64{0.2, 0.4, 0.44, 0.45, 0.7} {
		d, err := conform.Derivative(func(h float64) float64 { return OnsagerEnergy(k + h) }, min(0.02, math.Abs(k-BetaC)/2))
		near(t, fmt.Sprintf("C at K = %v", k), OnsagerHeatCapacity(k), -k*k*d, 1e-9+10*err)
	}
	if YangM(BetaC) != 0 || YangM(0.44) != 0 || !(YangM(0.4407) > 0.3) {
		t.Error("Yang's magnetisation does not begin at beta_c")
	}
	near(t, "Yang at 0.5", YangM(0.5), math.Pow(1-math.Pow(math.Sinh(1), -4), 0.125), 1e-14)

	// The transfer matrix against enumeration.
	for _, c := range []struct{ j, h, beta float64 }{{1, 0, 0.7}, {1, 0.3, 0.7}, {-0.8, 0.5, 1.2}, {1, 0, 0}, {1, -2, 3}} {
		levels := must(Enumerate(must(NewChain(9, c.j, c.h))))
		e, x := must(levels.At(c.beta)), must(TransferChain(9, c.j, c.h, c.beta))
		near(t, fmt.Sprint("chain log Z ", c), x.LogZ, e.LogZ, 1e-13)
		near(t, fmt.Sprint("chain energy ", c), x.Energy, e.Energy, 1e-13)
	}
	// A long one: free energy per site tends to log(2 cosh K), without overflow.
	x := must(TransferChain(1_000_000, 1, 0, 2))
	near(t, "long chain", x.LogZ/1e6, math.Log(2*math.Cosh(2)), 1e-12)
	near(t, "long chain correlation", x.Correlation, math.Tanh(2), 1e-12)
}

// The magnetisation of a lattice of 64 x 64 below the critical temperature is
// Yang's, the energy that of the torus.
func TestYang(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	const draws = 1500
	tor := Torus{64, 64, 1, 0}
	for _, beta := range []float64{0.47, 0.55} {
		for _, u := range []Update{HeatBath, Wolff, Mixed} {
			l := must(NewLattice(tor, beta, 21))
			thin := 20
			if u != HeatBath {
				thin = 2
			}
			o := must(must(l.Run(context.Background(), u, 500, draws, thin)).Observables())
			kaufman := must(KaufmanTorus(tor, beta))
			t.Logf("beta %v, %v: |m| = %v, Yang %.5f, z = %.2f; energy %v, exact %.5f, z = %.2f", beta, u,
				o.AbsM, YangM(beta), o.AbsM.Z(YangM(beta)), o.Energy, kaufman.Energy, o.Energy.Z(kaufman.Energy))
			if z := o.AbsM.Z(YangM(beta)); math.Abs(z) > 4 {
				t.Errorf("beta %v, %v: |m| is %.1f standard errors from Yang's", beta, u, z)
			}
			if z := o.Energy.Z(kaufman.Energy); math.Abs(z) > 4 {
				t.Errorf("beta %v, %v: the energy is %.1f standard errors from the exact one", beta, u, z)
			}
		}
	}
}

func TestLatticeBitsOnAnyCores(t *testing.T) {
	run := func(procs int) []float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		l := must(NewLattice(Torus{256, 256, 1, 0}, 0.44, 1))
		l.HeatBath(7)
		l.Metropolis(5)
		l.Wolff(2)
		return l.Spins(nil)
	}
	one := run(1)
	for _, p := range []int{2, 7} {
		if !slices.Equal(run(p), one) {
			t.Errorf("GOMAXPROCS = %d gives other spins than 1", p)
		}
	}
	other := must(NewLattice(Torus{256, 256, 1, 0}, 0.44, 2))
	other.HeatBath(7)
	if slices.Equal(other.Spins(nil), one) {
		t.Error("two seeds give the same spins")
	}
}

// The assembler makes the same spins as the Go code, also where the words of a
// block do not fill its groups of four and where rows end inside a word.
func TestLatticePathsAgree(t *testing.T) {
	defer func(v bool) { useAVX2 = v }(useAVX2)
	if !useAVX2 {
		t.Skip("one path only")
	}
	for _, tor := range []Torus{{256, 256, 1, 0}, {4, 4, 1, 0}, {6, 10, -1, 0}, {130, 130, 0.3, 0}, {10, 390, -0.7, 0}, {64, 128, 1, 0.2}} {
		for _, beta := range []float64{0, 0.1, 0.44, 3} {
			run := func(avx2 bool) []float64 {
				useAVX2 = avx2
				l := must(NewLattice(tor, beta, 9))
				l.Randomize()
				l.HeatBath(20)
				l.Metropolis(20)
				return l.Spins(nil)
			}
			if !slices.Equal(run(true), run(false)) {
				t.Errorf("%+v at beta %g: the paths differ", tor, beta)
			}
		}
	}
}

// The error bars are honest: over independent runs z is standard normal; and
// the errors of a slow chain are said to be too small.
func TestObservablesErrors(t *testing.T) {
	tor, beta := Torus{4, 4, 1, 0}, 0.44
	exact := must(must(Enumerate(must(tor.Ising()))).At(beta))
	const runs = 60
	var z2 [5]float64
	for r := range runs {
		l := must(NewLattice(tor, beta, uint64(100+r)))
		o := must(must(l.Run(context.Background(), HeatBath, 100, 64*120, 1)).Observables())
		for k, z := range []float64{o.Energy.Z(exact.Energy), o.HeatCapacity.Z(exact.HeatCapacity), o.AbsM.Z(exact.AbsM), o.Chi.Z(exact.Chi), o.Binder.Z(exact.Binder)} {
			z2[k] += z * z / runs
		}
	}
	t.Logf("mean z^2 of energy, C, |m|, chi, Binder over %d runs: %.2f", runs, z2)
	for k, v := range z2 {
		// z^2 has mean 63/61 and variance about 2.2 (Student, 63 degrees).
		if math.Abs(v-63.0/61) > 4*math.Sqrt(2.2/runs) {
			t.Errorf("observable %d: mean z^2 = %.2f", k, v)
		}
	}
	l := must(NewLattice(Torus{64, 64, 1, 0}, 0.45, 1))
	if o, err := must(l.Run(context.Background(), HeatBath, 0, 200, 1)).Observables(); !errors.Is(err, diagnose.ErrShortChain) || !(o.AbsM.Value > 0) {
		t.Errorf("200 sweeps at the critical point: %v, error %v", o.AbsM, err)
	}
}

func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := must(NewLattice(Torus{4, 4, 1, 0}, 1, 1)).Run(ctx, HeatBath, 0, 10, 1)
	if !errors.Is(err, context.Canceled) || len(s.U) != 0 {
		t.Errorf("%d draws, error %v", len(s.U), err)
	}
}

func TestLatticeAllocs(t *testing.T) {
	l := must(NewLattice(Torus{256, 256, 1, 0}, 0.44, 1))
	l.Wolff(100)
	if n := testing.AllocsPerRun(10, func() { l.HeatBath(1); l.Metropolis(1); l.Energy(); l.Magnetization() }); n != 0 {
		t.Errorf("a sweep allocates %v times", n)
	}
}

func BenchmarkLattice(b *testing.B) {
	for _, u := range []struct {
		name string
		h    float64
		run  func(l *Lattice, n int)
	}{{"HeatBath", 0, (*Lattice).HeatBath}, {"Metropolis", 0, (*Lattice).Metropolis}, {"HeatBathField", 0.1, (*Lattice).HeatBath}} {
		b.Run(u.name, func(b *testing.B) {
			b.ReportAllocs()
			l := must(NewLattice(Torus{256, 256, 1, u.h}, 0.44, 1))
			u.run(l, 100)
			for b.Loop() {
				u.run(l, 10)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10/(256*256), "ns/update")
		})
	}
	b.Run("Wolff", func(b *testing.B) {
		l := must(NewLattice(Torus{256, 256, 1, 0}, 0.44, 1))
		l.Wolff(300)
		turned := 0
		for b.Loop() {
			n, _ := l.Wolff(1)
			turned += n
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(turned), "ns/turn")
	})
}

// Tempering with heat-bath sweeps at every level: from all up, the coldest level
// reaches the exact energy, |m| and, through the hot ones, m = 0, which it does not
// reach alone.
func TestTemperingOfSpins(t *testing.T) {
	g := must(Torus{Rows: 4, Cols: 4, J: 0.6}.Ising())
	exact := must(must(Enumerate(g)).At(1))
	n := 3000
	if testing.Short() {
		n = 600
	}
	cfg := mcmc.Config{Walkers: n, Burn: 300, Draws: 1, Seed: 9, Init: &ebmkit.Ensemble{N: 1, Dim: 16, X: uniform(16, 1)}}
	ladder := must(mcmc.Tempering{Method: mcmc.Gibbs{}, Betas: []float64{1, 0.7, 0.4}, SwapEvery: 1}.Run(context.Background(), g, cfg))
	u, absM, m := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		x := ladder.Chain.Last().Row(i)
		u[i] = g.Energy(x) / 16
		for _, v := range x {
			m[i] += v / 16
		}
		absM[i] = math.Abs(m[i])
	}
	cfg.Burn = 30
	alone := must(mcmc.Run(context.Background(), g, mcmc.Gibbs{}, cfg))
	stuck := make([]float64, n)
	for i := range n {
		for _, v := range alone.Last().Row(i) {
			stuck[i] += v / 16
		}
	}
	if z := ebmkit.MeanOf(stuck).Z(0); z < 10 {
		t.Errorf("one level alone forgot its start, z = %.1f: the test has no power", z)
	}
	for _, c := range []struct {
		name  string
		got   ebmkit.Estimate
		exact float64
	}{
		{"energy", ebmkit.MeanOf(u), exact.Energy},
		{"|m|", ebmkit.MeanOf(absM), exact.AbsM},
		{"m", ebmkit.MeanOf(m), 0},
	} {
		z := c.got.Z(c.exact)
		t.Logf("%s %v, exact %g, z = %.2f", c.name, c.got, c.exact, z)
		if math.Abs(z) > 4 {
			t.Errorf("%s %v, exact %g, z = %.1f", c.name, c.got, c.exact, z)
		}
	}
}
