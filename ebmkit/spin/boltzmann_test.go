package spin

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// stir sets the parameters to normal numbers.
func stir[M ebmkit.Parametric](m M, scale float64, seed uint64) M {
	theta := m.Params(nil)
	ebmkit.NewStream(seed, "theta", 0).FillNormal(theta)
	for k := range theta {
		theta[k] *= scale
	}
	if err := m.SetParams(theta); err != nil {
		panic(err)
	}
	return m
}

// zeroOne returns the n units of state s.
func zeroOne(n, s int) []float64 {
	x := state(n, s)
	for i := range x {
		x[i] = (x[i] + 1) / 2
	}
	return x
}

// normalized lets the conformance test compare log Z with quadrature.
type normalized struct{ GaussianRBM }

func (m normalized) LogZ() float64 { return must(m.ExactLogZ()) }

func TestConformance(t *testing.T) {
	for name, e := range map[string]ebmkit.Energy{
		"Boltzmann":          stir(must(NewBoltzmann(5)), 0.5, 1),
		"Boltzmann, 1 spin":  stir(must(NewBoltzmann(1)), 0.5, 1),
		"RBM":                stir(must(NewRBM(6, 4)), 0.7, 2),
		"RBM, few visible":   stir(must(NewRBM(3, 7)), 0.7, 2),
		"Gaussian RBM, 1-D":  normalized{stir(must(NewGaussianRBM(1, 3, 0.8)), 0.7, 3)},
		"Gaussian RBM, 2-D":  normalized{stir(must(NewGaussianRBM(2, 3, 1.3)), 0.7, 4)},
		"Gaussian RBM, wide": stir(must(NewGaussianRBM(7, 5, 1.3)), 0.4, 5),
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range conform.Check(e, conform.Options{Prefix: "spin: ", Fast: testing.Short(), Log: t.Logf}) {
				t.Error(err)
			}
		})
	}
}

// The machine is the Ising model with its couplings.
func TestBoltzmannIsIsing(t *testing.T) {
	m := stir(must(NewBoltzmann(7)), 0.6, 3)
	theta := m.Params(nil)
	g := must(NewIsingMatrix(m.Couplings(), 1, theta[21:]))
	near(t, "U", m.Energy(state(7, 37)), g.Energy(state(7, 37)), 1e-14)
	near(t, "log Z", must(m.ExactLogZ()), must(must(Enumerate(g)).At(1)).LogZ, 1e-13)
}

// U of the RBM is the free energy of the joint law, and log Z by either layer
// is the sum over all states.
func TestRBMByBruteForce(t *testing.T) {
	for _, size := range [][2]int{{4, 3}, {3, 5}} {
		nv, nh := size[0], size[1]
		m := stir(must(NewRBM(nv, nh)), 0.8, 9)
		var z float64
		grad := make([]float64, m.NumParams())
		for s := range 1 << nv {
			v := zeroOne(nv, s)
			var zv float64
			ph := make([]float64, nh)
			for q := range 1 << nh {
				h := zeroOne(nh, q)
				p := math.Exp(-m.JointEnergy(v, h))
				zv += p
				for j, hj := range h {
					ph[j] += p * hj
				}
			}
			near(t, "U(v)", m.Energy(v), -math.Log(zv), 1e-13)
			for j, p := range m.HiddenProb(nil, v) {
				near(t, "P(h|v)", p, ph[j]/zv, 1e-13)
			}
			z += zv
			m.AddParamGrad(grad, []float64{zv}, v)
		}
		near(t, "log Z", must(m.ExactLogZ()), math.Log(z), 1e-13)
		got := make([]float64, len(grad))
		if err := m.AddModelGrad(got, 1); err != nil {
			t.Fatal(err)
		}
		for k := range grad {
			near(t, "E[dU/dtheta]", got[k], grad[k]/z, 1e-12)
		}
		h := zeroOne(nh, 5)
		for i, p := range m.VisibleProb(nil, h) {
			v := make([]float64, nv)
			e0 := m.JointEnergy(v, h)
			v[i] = 1
			near(t, "P(v|h)", p, 1/(1+math.Exp(m.JointEnergy(v, h)-e0)), 1e-13)
		}
	}
}

// The gradient of the log-likelihood is the derivative of the log-likelihood.
func TestLogLikelihoodGradient(t *testing.T) {
	spins, bits := randomPatterns(5, 9, 4), randomPatterns(5, 9, 5)
	for i, v := range bits {
		bits[i] = (v + 1) / 2
	}
	w := []float64{0.3, 0.1, 0, 0.05, 0.05, 0.2, 0.1, 0.1, 0.1}
	for name, c := range map[string]struct {
		m  Exact
		xs []float64
	}{
		"Boltzmann":    {stir(must(NewBoltzmann(5)), 0.5, 1), spins},
		"RBM":          {stir(must(NewRBM(5, 3)), 0.7, 2), bits},
		"RBM, wide":    {stir(must(NewRBM(5, 8)), 0.7, 2), bits},
		"Gaussian RBM": {stir(must(NewGaussianRBM(5, 4, 0.7)), 0.4, 3), spins},
	} {
		for _, weights := range [][]float64{nil, w} {
			grad := make([]float64, c.m.NumParams())
			must(LogLikelihood(c.m, grad, c.xs, weights))
			theta := c.m.Params(nil)
			worst := 0.0
			for k := range theta {
				moved := slices.Clone(theta)
				d, derr := conform.Derivative(func(h float64) float64 {
					moved[k] = theta[k] + h
					c.m.SetParams(moved)
					return must(LogLikelihood(c.m, nil, c.xs, weights))
				}, 0.05)
				near(t, name, grad[k], d, 10*derr+1e-12)
				worst = max(worst, math.Abs(grad[k]-d))
			}
			c.m.SetParams(theta)
			t.Logf("%s: largest difference %.1g", name, worst)
			if worst > 1e-8 {
				t.Errorf("%s: the comparison is not sharp", name)
			}
		}
	}
}

// Trained on the exact law of a machine, another one finds its parameters, and
// its moments are the data's.
func TestBoltzmannFindsItsParameters(t *testing.T) {
	const n = 4
	truth := stir(must(NewBoltzmann(n)), 0.5, 6)
	logZ := must(truth.ExactLogZ())
	var xs, w []float64
	var entropy float64
	for s := range 1 << n {
		x := state(n, s)
		p := math.Exp(-truth.Energy(x) - logZ)
		xs, w = append(xs, x...), append(w, p)
		entropy -= p * math.Log(p)
	}
	m := must(NewBoltzmann(n))
	tr, err := Ascent{Step: 0.2, Steps: 2000, Tol: 1e-7}.Fit(context.Background(), m, xs, w)
	if err != nil || !tr.Converged {
		t.Fatalf("not converged after %d steps, gap %v (%v)", len(tr.Gap)-1, tr.Gap[len(tr.Gap)-1], err)
	}
	want := truth.Params(nil)
	for k, v := range m.Params(nil) {
		near(t, "theta", v, want[k], 1e-5)
	}
	near(t, "log-likelihood", tr.LogLikelihood[len(tr.LogLikelihood)-1], -entropy, 1e-11)
	near(t, "log-likelihood at theta = 0", tr.LogLikelihood[0], -n*math.Ln2, 1e-14)
	rises(t, tr)
	// Moments: summed by hand under both laws.
	z := must(m.ExactLogZ())
	for a := range n {
		for b := range a {
			var data, model float64
			for s := range w {
				x := xs[s*n : (s+1)*n]
				data += w[s] * x[a] * x[b]
				model += math.Exp(-m.Energy(x)-z) * x[a] * x[b]
			}
			near(t, "moment", model, data, 1e-6)
		}
	}
	t.Logf("%d steps", len(tr.Gap)-1)
}

func rises(t *testing.T, tr *AscentTrace) {
	t.Helper()
	for k := 1; k < len(tr.LogLikelihood); k++ {
		if tr.LogLikelihood[k] < tr.LogLikelihood[k-1] {
			t.Errorf("the log-likelihood falls at step %d", k)
		}
	}
}

// An RBM learns three bits of even parity, which no machine of pairs can tell
// from noise, and the six bars and stripes of 2 x 2. Where it stops its free
// moments are the clamped ones.
func TestRBMLearns(t *testing.T) {
	for _, c := range []struct {
		name    string
		dim     int
		xs      []float64
		without float64 // the best log-likelihood without hidden units
	}{
		{"parity", 3, []float64{0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0}, -math.Log(8)},
		{"bars and stripes", 4, []float64{0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 0, 1}, -math.Log(6)},
	} {
		m := must(NewRBM(c.dim, 4))
		if err := m.Randomize(0.5, 1); err != nil {
			t.Fatal(err)
		}
		tr, err := Ascent{Step: 0.5, Steps: 4000}.Fit(context.Background(), m, c.xs, nil)
		if err != nil {
			t.Fatal(err)
		}
		rises(t, tr)
		best, last := -math.Log(float64(len(c.xs)/c.dim)), tr.LogLikelihood[len(tr.LogLikelihood)-1]
		spins := slices.Clone(c.xs)
		for i, v := range spins {
			spins[i] = 2*v - 1
		}
		bm := must(NewBoltzmann(c.dim))
		pairs, err := Ascent{Step: 0.2, Steps: 2000, Tol: 1e-9}.Fit(context.Background(), bm, spins, nil)
		if err != nil {
			t.Fatal(err)
		}
		without, gap := pairs.LogLikelihood[len(pairs.LogLikelihood)-1], tr.Gap[len(tr.Gap)-1]
		t.Logf("%s: log-likelihood %.4f of at most %.4f, without hidden units %.4f; gap %.2g after %d steps", c.name, last, best, without, gap, len(tr.Gap)-1)
		if last > best || last < best-0.02 || gap > 2e-3 || math.Abs(without-c.without) > 0.01 {
			t.Errorf("%s: log-likelihood %v of at most %v, gap %v, without hidden units %v", c.name, last, best, gap, without)
		}
	}
}

// A Gaussian RBM with one hidden unit is a mixture of two Gaussians; trained on
// two clusters it puts one on each.
func TestGaussianRBMIsAMixture(t *testing.T) {
	m := must(NewGaussianRBM(1, 1, 0.5))
	if err := m.SetParams([]float64{4, -1, -8 + 4}); err != nil { // w, b, c
		t.Fatal(err)
	}
	// Means b and b + sigma w; weights 1 and exp(c + w b/sigma + w^2/2).
	odds := math.Exp(-4 + 4*(-1)/0.5 + 8)
	for _, x := range []float64{-1.5, 0, 0.3, 1.2} {
		g := func(mu float64) float64 {
			return math.Exp(-(x-mu)*(x-mu)/(2*0.25)) / math.Sqrt(2*math.Pi*0.25)
		}
		want := (g(-1) + odds*g(1)) / (1 + odds)
		near(t, "density", math.Exp(-m.Energy([]float64{x})-must(m.ExactLogZ())), want, 1e-13)
	}
}

// Block Gibbs leaves the exact law where it is: frequencies of all visible
// states, by chi-squared; a bias in the parameters is noticed.
func TestBlockGibbs(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	const walkers = 20_000
	m := stir(must(NewRBM(4, 3)), 0.8, 12)
	off := must(NewRBM(4, 3))
	theta := m.Params(nil)
	theta[12] += 0.2
	off.SetParams(theta)
	bm := stir(must(NewBoltzmann(4)), 0.4, 12)
	chi2 := func(sampled, exact Exact, unit func(n, s int) []float64) float64 {
		start := &ebmkit.Ensemble{N: 1, Dim: 4, X: unit(4, 0)}
		c := must(mcmc.Run(context.Background(), sampled, mcmc.Gibbs{}, mcmc.Config{Walkers: walkers, Burn: 40, Draws: 1, Seed: 3, Init: start}))
		seen := make([]float64, 16)
		for i := range walkers {
			s := 0
			for k, v := range c.X[4*i : 4*i+4] {
				if v > 0 {
					s |= 1 << k
				}
			}
			seen[s]++
		}
		logZ := must(exact.ExactLogZ())
		var x2 float64
		for s, n := range seen {
			want := walkers * math.Exp(-exact.Energy(unit(4, s))-logZ)
			x2 += (n - want) * (n - want) / want
		}
		return x2
	}
	good, bad, spins := chi2(m, m, zeroOne), chi2(off, m, zeroOne), chi2(bm, bm, state)
	t.Logf("chi2 with 15 degrees of freedom: RBM %.1f, Boltzmann %.1f; one bias off by 0.2: %.1f", good, spins, bad)
	// P(chi2_15 > 44) = 1e-4.
	if good > 44 || spins > 44 || bad < 44 {
		t.Errorf("chi2: RBM %.1f, Boltzmann %.1f, one bias off %.1f", good, spins, bad)
	}

	// Gaussian units: moments of U and v against the exact mixture.
	g := stir(must(NewGaussianRBM(2, 3, 0.7)), 0.8, 4)
	c := must(mcmc.Run(context.Background(), g, mcmc.Gibbs{}, mcmc.Config{Walkers: walkers, Burn: 60, Draws: 1, Seed: 5}))
	grad := make([]float64, g.NumParams())
	if err := g.AddModelGrad(grad, 1); err != nil {
		t.Fatal(err)
	}
	one, got := make([]float64, len(grad)), make([][]float64, len(grad))
	for i := range walkers {
		clear(one)
		g.AddParamGrad(one, nil, c.X[2*i:2*i+2])
		for k, v := range one {
			got[k] = append(got[k], v)
		}
	}
	worst := 0.0
	for k, v := range got {
		worst = max(worst, math.Abs(ebmkit.MeanOf(v).Z(grad[k])))
	}
	t.Logf("Gaussian RBM: largest |z| of %d moments %.2f", len(grad), worst)
	if worst > 4 {
		t.Errorf("Gaussian RBM: |z| = %.1f", worst)
	}
}

func TestSweepAllocs(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector empties pools")
	}
	s := ebmkit.NewStream(1, "x", 0)
	m, g, b := stir(must(NewRBM(30, 20)), 1, 1), stir(must(NewGaussianRBM(30, 20, 1)), 0.1, 1), stir(must(NewBoltzmann(30)), 0.1, 1)
	v := make([]float64, 30)
	if n := testing.AllocsPerRun(100, func() { m.Sweep(v, s); g.Sweep(v, s); b.Sweep(v, s); m.Energy(v) }); n != 0 {
		t.Errorf("a sweep allocates %v times", n)
	}
}

func TestMachineErrors(t *testing.T) {
	m := must(NewRBM(3, 2))
	big := must(NewBoltzmann(21))
	fit := func(a Ascent, xs, w []float64) error {
		_, err := a.Fit(context.Background(), m, xs, w)
		return err
	}
	ok := Ascent{Step: 1, Steps: 1}
	x := []float64{0, 1, 0}
	for _, c := range []struct {
		what, arg string
		err       func() error
	}{
		{"no spins", "n", func() error { _, e := NewBoltzmann(0); return e }},
		{"no visible", "visible", func() error { _, e := NewRBM(0, 1); return e }},
		{"no hidden", "hidden", func() error { _, e := NewRBM(1, 0); return e }},
		{"sigma", "sigma", func() error { _, e := NewGaussianRBM(1, 1, 0); return e }},
		{"theta", "theta[1]", func() error { t := m.Params(nil); t[1] = math.Inf(1); return m.SetParams(t) }},
		{"short theta", "len(theta)", func() error { return big.SetParams(nil) }},
		{"scale", "scale", func() error { return m.Randomize(-1, 1) }},
		{"too many spins", "n", func() error { _, e := big.ExactLogZ(); return e }},
		{"too many states", "n", func() error { return big.AddModelGrad(make([]float64, big.NumParams()), 1) }},
		{"both layers large", "min(visible, hidden)", func() error { _, e := must(NewRBM(21, 21)).ExactLogZ(); return e }},
		{"hidden layer large", "hidden", func() error { _, e := must(NewGaussianRBM(2, 21, 1)).ExactLogZ(); return e }},
		{"step", "Step", func() error { return fit(Ascent{Steps: 1}, x, nil) }},
		{"steps", "Steps", func() error { return fit(Ascent{Step: 1}, x, nil) }},
		{"tol", "Tol", func() error { return fit(Ascent{Step: 1, Steps: 1, Tol: math.NaN()}, x, nil) }},
		{"cut row", "len(xs)", func() error { return fit(ok, x[:2], nil) }},
		{"NaN data", "xs[0][1]", func() error { return fit(ok, []float64{0, math.NaN(), 0}, nil) }},
		{"negative weight", "w[1]", func() error { return fit(ok, append(x, x...), []float64{2, -1}) }},
		{"weights", "sum(w)", func() error { return fit(ok, append(x, x...), []float64{1, 1}) }},
	} {
		wantArg(t, c.what, c.err(), c.arg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	before := m.Params(nil)
	if tr, err := ok.Fit(ctx, m, x, nil); !errors.Is(err, context.Canceled) || len(tr.Gap) != 1 || !slices.Equal(before, m.Params(nil)) {
		t.Errorf("cancelled: %v, %v", tr, err)
	}
}

func BenchmarkRBMSweep(b *testing.B) {
	b.ReportAllocs()
	m := stir(must(NewRBM(784, 100)), 0.05, 1)
	v, s := make([]float64, 784), ebmkit.NewStream(1, "bench", 0)
	for b.Loop() {
		m.Sweep(v, s)
	}
}
