package divergence_test

import (
	"bufio"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// grid makes the points of testdata/peers.py.
func grid(n, d, a, b, mod int) *ebmkit.Ensemble {
	e := must(ebmkit.NewEnsemble(n, d))
	for i := range e.X {
		e.X[i] = float64((a*i+b)%mod) / 64
	}
	return e
}

// peers reads the values of POT, SciPy and NumPy.
func peers(t *testing.T) map[string]float64 {
	f, err := os.Open("testdata/peers.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v := map[string]float64{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var name string
		var x float64
		if _, err := fmt.Sscan(s.Text(), &name, &x); err != nil {
			t.Fatal(err)
		}
		v[name] = x
	}
	return v
}

func plusOne(x []float64) []float64 {
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = 1 + v
	}
	return w
}

func TestTransportOnTheLineAgreesWithPeers(t *testing.T) {
	want := peers(t)
	x, y, z := grid(50, 1, 7919, 13, 1009).X, grid(50, 1, 104729, 77, 787).X, grid(37, 1, 104729, 77, 787).X
	wx, wz := plusOne(grid(50, 1, 31, 5, 101).X), plusOne(grid(37, 1, 57, 3, 97).X)
	for _, c := range []struct {
		name string
		a, b divergence.Line
	}{
		{"equal", divergence.Line{X: x}, divergence.Line{X: y}},
		{"unequal", divergence.Line{X: x}, divergence.Line{X: z}},
		{"weighted", divergence.Line{X: x, W: wx}, divergence.Line{X: z, W: wz}},
	} {
		near(t, "W1 "+c.name, must(divergence.W1(c.a, c.b)).Value, want["w1-"+c.name], 1e-13)
		near(t, "W2 "+c.name, must(divergence.W2(c.a, c.b)).Value, want["w2-"+c.name], 1e-13)
		near(t, "W1 reversed", must(divergence.W1(c.b, c.a)).Value, want["w1-"+c.name], 1e-13)
		near(t, "W2 reversed", must(divergence.W2(c.b, c.a)).Value, want["w2-"+c.name], 1e-13)
	}
	// A point twice is a point of weight two, in value and potentials.
	twice := append(append([]float64{}, x...), x...)
	a, b := must(divergence.W2(divergence.Line{X: twice}, divergence.Line{X: z})), must(divergence.W2(divergence.Line{X: x}, divergence.Line{X: z}))
	near(t, "each point twice", a.Value, b.Value, 1e-13)
	// Equal weights given as weights change nothing.
	ones := plusOne(make([]float64, len(x)))
	a = must(divergence.W2(divergence.Line{X: x, W: ones}, divergence.Line{X: y}))
	b = must(divergence.W2(divergence.Line{X: x}, divergence.Line{X: y}))
	near(t, "weights of one", a.Value, b.Value, 1e-13)
	near(t, "weights of one, SE", a.SE, b.SE, 1e-13)
	a = must(divergence.W1(divergence.Line{X: x, W: ones}, divergence.Line{X: y}))
	b = must(divergence.W1(divergence.Line{X: x}, divergence.Line{X: y}))
	near(t, "weights of one, SE of W1", a.SE, b.SE, 1e-13)
	near(t, "to itself", must(divergence.W2(divergence.Line{X: x}, divergence.Line{X: x})).Value, 0, 0)
}

func TestKernelDistancesAgreeWithPeers(t *testing.T) {
	want := peers(t)
	x, y := grid(60, 2, 7919, 13, 211), grid(45, 2, 104729, 77, 233)
	m, e := must(divergence.MMD2(x, y, 0.7)), must(divergence.EnergyDistance(x, y))
	near(t, "MMD^2 unbiased", m.Unbiased.Value, want["mmd2-unbiased"], 1e-14)
	near(t, "MMD^2 biased", m.Biased, want["mmd2-biased"], 1e-14)
	near(t, "energy unbiased", e.Unbiased.Value, want["energy-unbiased"], 1e-13)
	near(t, "energy biased", e.Biased, want["energy-biased"], 1e-13)
	near(t, "energy on the line", must(divergence.EnergyDistance(grid(50, 1, 7919, 13, 1009), grid(37, 1, 104729, 77, 787))).Biased, want["energy-1d"], 1e-13)
	near(t, "to itself", must(divergence.MMD2(x, x, 0.7)).Biased, 0, 1e-14)

	// The observed value of the null is that of the statistic.
	near(t, "null of MMD", must(divergence.MMD2Null(x, y, 0.7, 3, 1)).Observed, m.Unbiased.Value, 1e-14)
	near(t, "null of energy", must(divergence.EnergyDistanceNull(x, y, 3, 1)).Observed, e.Unbiased.Value, 1e-13)
	// Blocks larger than one, of both sets: against the plain double sum.
	a, b := cloud(300, 3, 0, 1), cloud(170, 3, 0.2, 2)
	var sum [3]float64
	for i := range a.N {
		for j := range a.N {
			if i != j {
				sum[0] += gaussKernel(a.Row(i), a.Row(j))
			}
		}
		for j := range b.N {
			sum[1] += gaussKernel(a.Row(i), b.Row(j))
		}
	}
	for i := range b.N {
		for j := range b.N {
			if i != j {
				sum[2] += gaussKernel(b.Row(i), b.Row(j))
			}
		}
	}
	near(t, "double sum", must(divergence.MMD2(a, b, 1)).Unbiased.Value, sum[0]/(300*299)+sum[2]/(170*169)-2*sum[1]/(300*170), 1e-14)
}

func gaussKernel(x, y []float64) float64 {
	var s float64
	for j := range x {
		s += (x[j] - y[j]) * (x[j] - y[j])
	}
	return math.Exp(-s / 2)
}

// The fast null and the plain one are the same law on the same permutations.
func TestNullsAgree(t *testing.T) {
	x, y := cloud(150, 2, 0, 1), cloud(140, 2, 0.3, 2)
	fast := must(divergence.MMD2Null(x, y, 1, 300, 5))
	slow := must(divergence.PermutationNull(x, y, func(x, y *ebmkit.Ensemble) (float64, error) {
		d, err := divergence.MMD2(x, y, 1)
		return d.Unbiased.Value, err
	}, 300, 5))
	for i := range fast.Values {
		if math.Abs(fast.Values[i]-slow.Values[i]) > 1e-13 {
			t.Fatalf("value %d: %v and %v", i, fast.Values[i], slow.Values[i])
		}
	}
	if fast.PValue() != slow.PValue() || fast.PValue() > 0.05 {
		t.Errorf("p = %v and %v for a shift of 0.3", fast.PValue(), slow.PValue())
	}
	if q := fast.Quantile(0.999); !math.IsInf(q, 1) {
		t.Errorf("300 permutations cannot give the 99.9 %% quantile, got %v", q)
	}
}

// z-scores of 200 repetitions: the standard errors are right when the laws
// differ, and the unbiased estimates are unbiased also when they agree.
func TestStandardErrorsOfSampleDistances(t *testing.T) {
	const reps, n, m = 200, 120, 80
	// E exp(-|x-y|^2/2) for x-y from N(s 1, 2) in d = 2: exp(-s^2 2/6)/3.
	mmd := func(s float64) float64 { return 2. / 3 * (1 - math.Exp(-s*s/3)) }
	for _, c := range []struct {
		name  string
		exact float64
		bias  float64 // of the estimate, allowed
		f     func(seed uint64) ebmkit.Estimate
	}{
		{"MMD^2, shift 0.8", mmd(0.8), 0, func(r uint64) ebmkit.Estimate {
			return must(divergence.MMD2(cloud(n, 2, 0, 2*r), cloud(m, 2, 0.8, 2*r+1), 1)).Unbiased
		}},
		{"MMD^2, equal laws", 0, 0, func(r uint64) ebmkit.Estimate {
			return must(divergence.MMD2(cloud(n, 2, 0, 2*r), cloud(m, 2, 0, 2*r+1), 1)).Unbiased
		}},
		{"energy, equal laws", 0, 0, func(r uint64) ebmkit.Estimate {
			return must(divergence.EnergyDistance(cloud(n, 2, 0, 2*r), cloud(m, 2, 0, 2*r+1))).Unbiased
		}},
		{"energy, shift 1 on the line", 2*(2/math.Sqrt(math.Pi)*math.Exp(-0.25)+math.Erf(0.5)) - 4/math.Sqrt(math.Pi), 0, func(r uint64) ebmkit.Estimate {
			return must(divergence.EnergyDistance(cloud(n, 1, 0, 2*r), cloud(m, 1, 1, 2*r+1))).Unbiased
		}},
		{"W1, shift 2", 2, 0, func(r uint64) ebmkit.Estimate {
			return must(divergence.W1(divergence.Line{X: cloud(n, 1, 0, 2*r).X}, divergence.Line{X: cloud(m, 1, 2, 2*r+1).X}))
		}},
		{"W2, shift 2", 2, 0.02, func(r uint64) ebmkit.Estimate {
			return must(divergence.W2(divergence.Line{X: cloud(n, 1, 0, 2*r).X}, divergence.Line{X: cloud(m, 1, 2, 2*r+1).X}))
		}},
		{"SW2, shift 2 in d = 3", 2, 0.02, func(r uint64) ebmkit.Estimate {
			return must(divergence.SlicedW2(cloud(n, 3, 0, 2*r), cloud(m, 3, 2, 2*r+1), 40, r))
		}},
	} {
		var sum, sum2, z2 float64
		for r := range reps {
			e := c.f(uint64(r))
			d := e.Value - c.exact
			sum, sum2 = sum+d, sum2+d*d
			z := d / e.SE
			z2 += z * z
		}
		mean := sum / reps
		se := math.Sqrt((sum2/reps - mean*mean) / reps)
		t.Logf("%-28s mean error %8.5f +- %.5f, mean z^2 = %.2f", c.name, mean, se, z2/reps)
		if math.Abs(mean) > 4*se+c.bias {
			t.Errorf("%s: biased by %v +- %v", c.name, mean, se)
		}
		// Mean of a chi-square: 1 +- sqrt(2/reps) = 0.1, four of which are allowed.
		// Under equal laws the error is stated on the safe side, as documented: not
		// more than twice the true one.
		low := 0.6
		if c.exact == 0 {
			low = 0.25
		}
		if z2/reps < low || z2/reps > 1.4 {
			t.Errorf("%s: mean z^2 = %v, want 1", c.name, z2/reps)
		}
	}
}

// Under equal laws the test of level 10 % rejects in 10 % of the cases, and a
// shift is found.
func TestPermutationLevel(t *testing.T) {
	const reps = 300
	var rejected, found int
	for r := range uint64(reps) {
		if must(divergence.MMD2Null(cloud(40, 2, 0, 2*r), cloud(30, 2, 0, 2*r+1), 1, 39, r)).PValue() <= 0.1 {
			rejected++
		}
		if must(divergence.MMD2Null(cloud(40, 2, 0, 2*r), cloud(30, 2, 0.6, 2*r+1), 1, 39, r)).PValue() <= 0.1 {
			found++
		}
	}
	z := (float64(rejected) - 0.1*reps) / math.Sqrt(0.09*reps)
	t.Logf("level 10 %%: %d of %d, z = %.2f; a shift of 0.6 is found %d times", rejected, reps, z, found)
	if math.Abs(z) > 4 {
		t.Errorf("rejected %d of %d", rejected, reps)
	}
	if found < reps/2 {
		t.Errorf("a shift is found %d times of %d", found, reps)
	}
}

func TestSlicedOfShift(t *testing.T) {
	// The same points shifted by c: each projection moves by v.c, so that SW2^2
	// has mean |c|^2/d and only the directions err.
	x := cloud(500, 4, 0, 1)
	y := x.Clone()
	for i := range y.N {
		y.Row(i)[0] += 3
	}
	e := must(divergence.SlicedW2(x, y, 2000, 7))
	t.Logf("SW2 %v, exact %.4f, z = %.2f", e, 1.5, e.Z(1.5))
	if math.Abs(e.Z(1.5)) > 4 {
		t.Errorf("SW2 = %v, want 1.5", e)
	}
	if math.Abs(e.Z(1.65)) < 4 { // negative control: 10 % too much
		t.Errorf("SW2 = %v would also pass for 1.65", e)
	}
	// On the line all directions are the same two.
	a, b := cloud(50, 1, 0, 1), cloud(40, 1, 1, 2)
	near(t, "d = 1", must(divergence.SlicedW2(a, b, 3, 1)).Value, must(divergence.W2(divergence.Line{X: a.X}, divergence.Line{X: b.X})).Value, 1e-13)
	near(t, "d = 1, W1", must(divergence.SlicedW1(a, b, 3, 1)).Value, must(divergence.W1(divergence.Line{X: a.X}, divergence.Line{X: b.X})).Value, 1e-13)
}

func TestSinkhorn(t *testing.T) {
	want := peers(t)
	x, y := grid(60, 2, 7919, 13, 211), grid(45, 2, 104729, 77, 233)
	for _, eps := range []float64{1, 0.1} {
		name := fmt.Sprintf("sinkhorn-%.1f", eps)
		r := must(divergence.Sinkhorn{Epsilon: eps, Iterations: 100000, Tol: 1e-13}.SquaredDistance(x, y))
		near(t, name, r.Cost, want[name], 1e-11)
		p := r.Plan(nil)
		near(t, name+" p00", p[0]/want[name+"-p00"], 1, 1e-9)
		if !r.Converged || r.Cost < want["emd2"] {
			t.Errorf("%v: below the cost %v of optimal transport, or not converged", r, want["emd2"])
		}
		near(t, "duality", r.Dual, r.Regularized, 1e-11)
		for i := range 60 {
			var s float64
			for j := range 45 {
				s += p[i*45+j]
			}
			if math.Abs(s-1./60) > 1e-13 {
				t.Fatalf("row %d of the plan sums to %v", i, s)
			}
		}
		for j := range 45 {
			var s float64
			for i := range 60 {
				s += p[i*45+j]
			}
			if math.Abs(s-1./45) > 1e-15 {
				t.Fatalf("column %d of the plan sums to %v", j, s)
			}
		}
	}
	// So small an epsilon that exp(-C/epsilon) is 0 almost everywhere: the log
	// domain does not mind. The cost is off by the marginal error times the
	// largest cost at most, and by the entropy.
	for _, eps := range []float64{5e-3, 5e-4} {
		r := must(divergence.Sinkhorn{Epsilon: eps, Iterations: 4000, Tol: 1e-6}.SquaredDistance(x, y))
		t.Logf("epsilon %v: %v, optimal %v", eps, r, want["emd2"])
		room := eps * math.Log(60*45)
		if !(r.Dual <= want["emd2"]+room) || math.Abs(r.Cost-want["emd2"]) > room+23*r.MarginalError {
			t.Errorf("%v, dual %v, want near %v", r, r.Dual, want["emd2"])
		}
	}
	// A forbidden pair has no mass; two points far away are still matched.
	inf := math.Inf(1)
	r := must(divergence.Sinkhorn{Epsilon: 1, Iterations: 200, Tol: 1e-14}.Solve([]float64{1, 1}, []float64{1, 1}, []float64{0, inf, 1e6, 2e6}))
	p := r.Plan(nil)
	near(t, "forbidden", p[1], 0, 0)
	near(t, "forced", p[3], 0.5, r.MarginalError)
	near(t, "forced cost", r.Cost, 1e6, 2e6*r.MarginalError+1e-9)
}

func TestSampleDistancesDoNotDependOnCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	x, y := cloud(300, 3, 0, 1), cloud(280, 3, 0.3, 2)
	var first []float64
	for _, cores := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(cores)
		m := must(divergence.MMD2(x, y, 1))
		e := must(divergence.EnergyDistance(x, y))
		n := must(divergence.MMD2Null(x, y, 1, 20, 3))
		s := must(divergence.SlicedW2(x, y, 30, 1))
		k := must(divergence.Sinkhorn{Epsilon: 0.5, Iterations: 20}.SquaredDistance(x, y))
		h := must(divergence.KNNEntropy(x, 3))
		got := append([]float64{m.Unbiased.Value, m.Unbiased.SE, m.Biased, e.Unbiased.Value, s.Value, s.SE, k.Cost, k.Dual, h.Value, h.SE}, n.Values...)
		if first == nil {
			first = got
			continue
		}
		for i := range got {
			if got[i] != first[i] {
				t.Errorf("%d cores: number %d is %v, was %v", cores, i, got[i], first[i])
			}
		}
	}
}

func TestSampleDistancesBadInput(t *testing.T) {
	x, y := cloud(10, 2, 0, 1), cloud(10, 3, 0, 1)
	nan := cloud(10, 2, 0, 1)
	nan.X[7] = math.NaN()
	weighted := cloud(10, 2, 0, 1)
	weighted.LogW = make([]float64, 10)
	line := divergence.Line{X: []float64{1, 2}}
	sink := divergence.Sinkhorn{Epsilon: 1}
	for name, f := range map[string]func() error{
		"y.Dim":       func() error { _, err := divergence.MMD2(x, y, 1); return err },
		"y.X[7]":      func() error { _, err := divergence.SlicedW2(x, nan, 10, 1); return err },
		"x.LogW":      func() error { _, err := divergence.EnergyDistance(weighted, x); return err },
		"bandwidth":   func() error { _, err := divergence.MMD2(x, x, 0); return err },
		"projections": func() error { _, err := divergence.SlicedW2(x, x, 1, 1); return err },
		"permutations": func() error {
			_, err := divergence.MMD2Null(x, x, 1, 0, 1)
			return err
		},
		"y":        func() error { _, err := divergence.W2(line, divergence.Line{}); return err },
		"len(y.W)": func() error { _, err := divergence.W2(line, divergence.Line{X: []float64{1}, W: line.X}); return err },
		"x.W[1]": func() error {
			_, err := divergence.W1(divergence.Line{X: line.X, W: []float64{1, -1}}, line)
			return err
		},
		"x.X[0]":    func() error { _, err := divergence.W1(divergence.Line{X: []float64{math.Inf(1)}}, line); return err },
		"Epsilon":   func() error { _, err := divergence.Sinkhorn{}.SquaredDistance(x, x); return err },
		"len(cost)": func() error { _, err := sink.Solve(line.X, line.X, line.X); return err },
		"a[0]":      func() error { _, err := sink.Solve([]float64{0, 1}, []float64{1}, line.X); return err },
		"cost[1]":   func() error { _, err := sink.Solve(line.X, []float64{1}, []float64{1, math.Inf(1)}); return err },
		"k":         func() error { _, err := divergence.KNNEntropy(x, 10); return err },
	} {
		err := f()
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) || ae.Arg != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Entropy from samples: the bias grows with the dimension, the error bar does
// not see it.
func TestKNNEntropy(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums of one goroutine")
	}
	const reps = 100
	for _, c := range []struct {
		n, d, k int
		bias    float64 // largest that is accepted
	}{{400, 1, 3, 0.02}, {400, 2, 3, 0.04}, {400, 5, 3, 0.3}} {
		g := must(energy.NewIsotropicGaussian(make([]float64, c.d), 1))
		exact := divergence.EntropyGaussian(g)
		var sum, sum2, v float64
		for r := range uint64(reps) {
			e := must(divergence.KNNEntropy(cloud(c.n, c.d, 0, r), c.k))
			d := e.Value - exact
			sum, sum2, v = sum+d, sum2+d*d, v+e.SE*e.SE
		}
		mean := sum / reps
		sd := math.Sqrt(sum2/reps - mean*mean)
		ratio := math.Sqrt(v/reps) / sd
		t.Logf("n = %d, d = %d: bias %.4f +- %.4f, spread %.4f, stated/true error %.2f", c.n, c.d, mean, sd/math.Sqrt(reps), sd, ratio)
		if math.Abs(mean) > c.bias+4*sd/math.Sqrt(reps) {
			t.Errorf("d = %d: bias %v", c.d, mean)
		}
		if ratio < 0.75 || ratio > 1.33 { // the spread is known to 7 %
			t.Errorf("d = %d: stated error is %v of the true one", c.d, ratio)
		}
	}
	// Scaling adds d log c exactly; uniform points on [0, 1] have entropy 0.
	x := cloud(300, 2, 0, 1)
	y := x.Clone()
	for i := range y.X {
		y.X[i] *= 4
	}
	near(t, "scaling", must(divergence.KNNEntropy(y, 2)).Value-must(divergence.KNNEntropy(x, 2)).Value, 2*math.Log(4), 1e-12)
	twin := must(ebmkit.NewEnsemble(5, 1))
	if _, err := divergence.KNNEntropy(twin, 1); err == nil {
		t.Error("five equal points have no entropy estimate")
	}
}
