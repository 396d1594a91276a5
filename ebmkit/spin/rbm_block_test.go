package spin

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// The energies of many rows of bits are those of single rows, up to float32.
func TestAnnealEnergies(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 3}, {8, 16}, {30, 20}, {100, 37}} {
		m := stir(must(NewRBM(size[0], size[1])), 0.5, 1)
		at := must(Anneal{m}.Walk())
		if d := at(0).Dim(); d != size[0] {
			t.Fatalf("Dim = %d", d)
		}
		const n = 9
		xs, u := make([]float64, n*m.Dim()), make([]float64, n)
		s := ebmkit.NewStream(2, "x", 0)
		for _, lambda := range []float64{0, 0.3, 1} {
			e := at(lambda)
			ev := e.(ebmkit.Batched).NewEvaluator()
			for range 2 { // the second time fields are known, of all but one row
				for i := range n {
					Anneal{m}.From().Sample(xs[i*m.Dim():(i+1)*m.Dim()], s)
				}
				for range 2 {
					ev.EnergyGrad(u, nil, xs)
					for i := range n {
						x := xs[i*m.Dim() : (i+1)*m.Dim()]
						near(t, "energy", u[i], e.Energy(x), 1e-5)
						if lambda == 1 {
							near(t, "energy at 1", u[i], m.Energy(x), 1e-5)
						}
					}
					xs[4] = 1 - xs[4]
				}
			}
			near(t, "beginning", at(0).Energy(xs[:m.Dim()]), Anneal{m}.From().Energy(xs[:m.Dim()]), 1e-12)
		}
		xs[0] = 0.5 // no unit: row by row
		at(0.3).(ebmkit.Batched).NewEvaluator().EnergyGrad(u, nil, xs)
		for i := range n {
			near(t, "energy of a real row", u[i], at(0.3).Energy(xs[i*m.Dim():(i+1)*m.Dim()]), 0)
		}
	}
}

// exactRows draws rows of the law of m, which has few visible units.
func exactRows(m RBM, n int, seed uint64) *ebmkit.Ensemble {
	logZ := must(m.ExactLogZ())
	cdf, sum := make([]float64, 1<<m.Dim()), 0.0
	for s := range cdf {
		sum += math.Exp(-m.Energy(zeroOne(m.Dim(), s)) - logZ)
		cdf[s] = sum
	}
	e, r := must(ebmkit.NewEnsemble(n, m.Dim())), ebmkit.NewStream(seed, "exact", 0)
	for i := range n {
		s, _ := slices.BinarySearch(cdf, r.Float64())
		copy(e.Row(i), zeroOne(m.Dim(), min(s, len(cdf)-1)))
	}
	return e
}

// frozen is BlockGibbs that draws at another lambda than it is told.
type frozen struct{ BlockGibbs }

func (f frozen) Bind(target ebmkit.Energy, rows int) (mcmc.Kernel, error) {
	k, err := f.BlockGibbs.Bind(target, rows)
	if err != nil {
		return nil, err
	}
	return frozenKernel{k.(*blockGibbs)}, nil
}

type frozenKernel struct{ *blockGibbs }

func (k frozenKernel) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (mcmc.Info, error) {
	old := k.lambda
	k.lambda = 0.9 * old
	defer func() { k.lambda = old }()
	return k.blockGibbs.Advance(block, s)
}

// Annealed importance sampling of an RBM agrees with the sum over all states,
// there and back; a kernel that draws at nine tenths of lambda does not.
func TestAISOfRBM(t *testing.T) {
	ctx := context.Background()
	m := stir(must(NewRBM(10, 6)), 0.7, 3)
	exact := must(m.ExactLogZ())
	path := Anneal{m}
	estimate := func(method mcmc.Method, lambdas, samples int) *freeenergy.Report {
		ais := freeenergy.AIS{Path: path, Lambdas: freeenergy.Linear(lambdas), Method: method}
		return must(ais.Run(ctx, path.From(), m, freeenergy.Config{Samples: samples, Seed: 1}))
	}
	fast, slow, bad := estimate(BlockGibbs{}, 10, 4000), estimate(BlockGibbs{}, 80, 1000), estimate(frozen{}, 80, 1000)
	ais := freeenergy.AIS{Path: path, Lambdas: freeenergy.Linear(30), Method: BlockGibbs{}}
	back := must(ais.Reverse(ctx, path.From(), m, freeenergy.Config{Samples: 1000, Seed: 2, Start: exactRows(m, 1000, 5)}))
	one := estimate(mcmc.Gibbs{}, 20, 300)
	t.Logf("log Z = %.4f; z of 10 steps %.2f, 80 steps %.2f, back %.2f, row by row %.2f; drawn at 0.9 lambda: %.1f", exact,
		fast.LogZ.Z(exact), slow.LogZ.Z(exact), back.LogZ.Z(exact), one.LogZ.Z(exact), bad.LogZ.Z(exact))
	for what, r := range map[string]*freeenergy.Report{"fast": fast, "slow": slow, "back": back, "row by row": one} {
		if z := r.LogZ.Z(exact); !(math.Abs(z) < 4) || !(r.LogZ.SE < 0.05) {
			t.Errorf("%s: log Z = %v, exactly %v (z = %.1f)", what, r.LogZ, exact, z)
		}
	}
	if z := bad.LogZ.Z(exact); math.Abs(z) < 6 {
		t.Errorf("drawn at 0.9 lambda: z = %.1f is not noticed", z)
	}
	if lo, hi := fast.Lower.Z(exact), back.Upper.Z(exact); lo > 4 || hi < -4 {
		t.Errorf("the lower bound lies %.1f standard errors above, the upper one %.1f", lo, hi)
	}
	if slow.LogZ.SE > fast.LogZ.SE {
		t.Errorf("more steps give a larger error: %v, %v", slow.LogZ.SE, fast.LogZ.SE)
	}

	old := runtime.GOMAXPROCS(1)
	again := estimate(BlockGibbs{}, 10, 4000)
	runtime.GOMAXPROCS(old)
	if !slices.Equal(again.LogW, fast.LogW) {
		t.Error("one core gives other weights")
	}
}

// BlockGibbs leaves the exact law of an RBM where it is.
func TestBlockGibbsLaw(t *testing.T) {
	const walkers, d = 5000, 5
	m := stir(must(NewRBM(d, 9)), 0.8, 12)
	off := must(NewRBM(d, 9))
	theta := m.Params(nil)
	theta[d*9+1] += 0.5
	off.SetParams(theta)
	logZ := must(m.ExactLogZ())
	chi2 := func(sampled RBM) (x2 float64) {
		start := must(ebmkit.NewEnsemble(1, d))
		c := must(mcmc.Run(context.Background(), sampled, BlockGibbs{}, mcmc.Config{Walkers: walkers, Burn: 40, Draws: 1, Seed: 3, Init: start}))
		seen := make([]float64, 1<<d)
		for i := range walkers {
			s := 0
			for k, v := range c.X[d*i : d*i+d] {
				s |= int(v) << k
			}
			seen[s]++
		}
		for s, n := range seen {
			want := walkers * math.Exp(-m.Energy(zeroOne(d, s))-logZ)
			x2 += (n - want) * (n - want) / want
		}
		return x2
	}
	good, bad := chi2(m), chi2(off)
	t.Logf("chi2 with 31 degrees of freedom %.1f; one bias off by 0.5: %.1f", good, bad)
	if good > 69 || bad < 69 { // P(chi2_31 > 69) = 1e-4
		t.Errorf("chi2 with 31 degrees of freedom %.1f; one bias off by 0.5: %.1f", good, bad)
	}
}

// A kernel reads the parameters at Start, also changed ones, and takes rows that
// are not of 0 and 1.
func TestBlockGibbsStart(t *testing.T) {
	const d = 12
	m := stir(must(NewRBM(d, 4)), 0.5, 1)
	k := must(BlockGibbs{}.Bind(m, 50))
	block, s := must(ebmkit.NewEnsemble(50, d)), ebmkit.NewStream(1, "x", 0)
	s.FillNormal(block.X)
	step := func() float64 {
		if err := k.Start(block, s); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Advance(block, s); err != nil {
			t.Fatal(err)
		}
		ones := 0.0
		for _, v := range block.X {
			if v != 0 && v != 1 {
				t.Fatalf("%v is no unit", v)
			}
			ones += v
		}
		return ones
	}
	step()
	theta := m.Params(nil)
	for i := range d {
		theta[d*4+i] = 90
	}
	m.SetParams(theta)
	if n := step(); n != 50*d {
		t.Errorf("with large biases %v of %d units are 1", n, 50*d)
	}
	theta[0] = 1e31
	m.SetParams(theta)
	wantArg(t, "a weight beyond float32", k.Start(block, s), "theta[0]")
	if !race.Enabled {
		a := must(Anneal{stir(m, 0.5, 1)}.Walk())(0.5)
		k, ev, u := must(BlockGibbs{}.Bind(a, 50)), a.(ebmkit.Batched).NewEvaluator(), make([]float64, 50)
		f := func() { ev.EnergyGrad(u, nil, block.X); k.Start(block, s); k.Advance(block, s) }
		f()
		if n := testing.AllocsPerRun(20, f); n != 0 {
			t.Errorf("a sweep allocates %v times", n)
		}
	}
}

func TestBlockErrors(t *testing.T) {
	m := stir(must(NewRBM(3, 2)), 0.5, 1)
	huge := must(NewRBM(3, 2))
	theta := huge.Params(nil)
	theta[7] = -1e31
	huge.SetParams(theta)
	half := must(energy.NewTempered(m, 0.5))
	onPath := must(energy.NewTempered(must(Anneal{m}.Walk())(1), 0.5))
	for _, c := range []struct {
		what, arg string
		err       func() error
	}{
		{"another energy", "target", func() error { _, e := BlockGibbs{}.Bind(must(NewBoltzmann(3)), 1); return e }},
		{"tempered", "target", func() error { _, e := BlockGibbs{}.Bind(half, 1); return e }},
		{"tempered path", "target", func() error { _, e := BlockGibbs{}.Bind(onPath, 1); return e }},
		{"huge weight", "theta[7]", func() error { _, e := BlockGibbs{}.Bind(huge, 1); return e }},
		{"huge weight on the path", "theta[7]", func() error { _, e := Anneal{huge}.Walk(); return e }},
		{"no RBM", "RBM", func() error { _, e := Anneal{}.Walk(); return e }},
	} {
		wantArg(t, c.what, c.err(), c.arg)
	}
}

// Uniform rows: every unit is a fair coin, and log Z counts the rows.
func TestUniform(t *testing.T) {
	e := Uniform{N: 130, U: 2}
	near(t, "log Z", e.LogZ(), 130*math.Ln2-2, 1e-12)
	const n = 4000
	x := must(ebmkit.Draw(e, n, 1))
	chi2 := 0.0
	for j := range 130 {
		z := ebmkit.MeanOf(x.Col(j)).Z(0.5)
		chi2 += z * z
	}
	if z := (chi2 - 130) / math.Sqrt(2*130); math.Abs(z) > 4 {
		t.Errorf("means: chi2 of 130 is %.1f", chi2)
	}
}
