package mcmc

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/markov"
)

func TestLambdaMin(t *testing.T) {
	rho := 0.7 // eigenvalues 1 - rho and 1 + rho
	pair := must(energy.NewGaussian(make([]float64, 2), []float64{1, rho, rho, 1}))
	if got := LambdaMin(pair); math.Abs(got-(1-rho)) > 1e-14 {
		t.Errorf("two coordinates: %v, want %v", got, 1-rho)
	}
	axes := must(energy.NewDiagonalGaussian([]float64{0, 1, 2}, []float64{2, 0.5, 3}))
	if got := LambdaMin(axes); math.Abs(got-0.25) > 1e-15 {
		t.Errorf("standard deviations 2, 0.5, 3: %v, want 0.25", got)
	}
	// The bound itself: a limit exists below twice the value, and not above.
	g := correlated()
	below := 2 * LambdaMin(g) * (1 - 1e-9)
	if _, err := ULALimit(g, below); err != nil {
		t.Errorf("h = %v below the bound: %v", below, err)
	}
	if _, err := ULALimit(g, 2*LambdaMin(g)*(1+1e-9)); err == nil {
		t.Error("ULALimit accepts a step above twice lambda_min")
	}
}

// lineGrid returns n points at the middles of n equal cells of [-a, a].
func lineGrid(a float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = -a + 2*a*(float64(i)+0.5)/float64(n)
	}
	return x
}

func onGrid(e ebmkit.Energy, x []float64) []float64 {
	u := make([]float64, len(x))
	for i := range u {
		u[i] = e.Energy(x[i : i+1])
	}
	return markov.Boltzmann(u)
}

func TestULAMatrix(t *testing.T) {
	target := must(energy.NewGaussian1D(0.2, 0.8))
	const h, k = 0.3, 7
	x := lineGrid(7, 280)
	m := must(ULAMatrix(target, h, x))

	// Rows are N(x - h U'(x), 2h): mean and variance, where the grid reaches far
	// enough beyond the mean.
	for i, v := range x {
		if math.Abs(v) > 3 {
			continue
		}
		var mass, mean, square float64
		for j, p := range m[i*len(x) : (i+1)*len(x)] {
			mass += p
			mean += p * x[j]
			square += p * x[j] * x[j]
		}
		want := v - h*(v-0.2)/0.64
		if math.Abs(mass-1) > 1e-13 || math.Abs(mean-want) > 1e-9 || math.Abs(square-mean*mean-2*h) > 1e-9 {
			t.Fatalf("row of %v: mass %v, mean %v, variance %v; want 1, %v, %v", v, mass, mean, square-mean*mean, want, 2*h)
		}
	}

	// The law after k steps is that of eq. (88).
	start := must(energy.NewGaussian1D(1, 0.5))
	law := must(ULALaw(target, h, k, []float64{1}, []float64{0.25}))
	if d := markov.TV(markov.Evolve(onGrid(start, x), m, k), onGrid(law, x)); d > 1e-8 {
		t.Errorf("law after %d steps: total variation %.1e from ULALaw", k, d)
	}

	// On a Gaussian it is in detailed balance with its own limit, eq. (90), not
	// with the target; on a double well it has no balance at all.
	if f := markov.Imbalance(onGrid(must(ULALimit(target, h)), x), m); f > 1e-12 {
		t.Errorf("net flow %.1e with respect to ULALimit", f)
	}
	if f := markov.Imbalance(onGrid(target, x), m); f < 1e-5 {
		t.Errorf("net flow %.1e with respect to the target, want a positive one", f)
	}
	well := must(energy.NewDoubleWell(1, 1))
	grid := lineGrid(6, 240)
	double := must(ULAMatrix(well, 0.05, grid))
	p := markov.Evolve(onGrid(well, grid), double, 3000)
	if d, f := markov.Drift(p, double), markov.Imbalance(p, double); d > 1e-11 || f < 1e-5 {
		t.Errorf("double well: drift %.1e, want 0; net flow %.1e, want a positive one", d, f)
	}
}

func TestULAMatrixErrors(t *testing.T) {
	line := must(energy.NewGaussian1D(0, 1))
	good := []float64{0, 1, 2}
	for name, call := range map[string]func() ([]float64, error){
		"dimension":  func() ([]float64, error) { return ULAMatrix(correlated(), 0.1, good) },
		"step":       func() ([]float64, error) { return ULAMatrix(line, 0, good) },
		"one point":  func() ([]float64, error) { return ULAMatrix(line, 0.1, good[:1]) },
		"descending": func() ([]float64, error) { return ULAMatrix(line, 0.1, []float64{0, 2, 1}) },
		"infinite":   func() ([]float64, error) { return ULAMatrix(line, 0.1, []float64{0, math.Inf(1)}) },
		"NaN":        func() ([]float64, error) { return ULAMatrix(line, 0.1, []float64{math.NaN(), 1}) },
	} {
		_, err := call()
		wantArgError(t, name, err)
	}
}

func wantArgError(t *testing.T, name string, err error) {
	t.Helper()
	var arg *ebmkit.ArgError
	if !errors.As(err, &arg) {
		t.Errorf("%s: error %v, want *ebmkit.ArgError", name, err)
	}
}

func TestSplitPath(t *testing.T) {
	target := correlated()
	start := must(energy.NewIsotropicGaussian([]float64{2, 0, -1}, 0.7))
	h := 0.6 * LambdaMin(target)

	// Forward-flow is ULA: the law of every step is that of eq. (88).
	path := must(SplitPath(ForwardFlow, target, h, start, 5))
	if len(path) != 5 {
		t.Fatalf("%d steps, want 5", len(path))
	}
	for k, s := range path {
		law := must(ULALaw(target, h, k+1, start.Mean(nil), start.Cov(nil)))
		if d := max(farthest(s.Next.Mean(nil), law.Mean(nil)), farthest(s.Next.Cov(nil), law.Cov(nil))); d > 1e-13 {
			t.Errorf("step %d: %.1e from ULALaw", k+1, d)
		}
	}

	// The other two end where review eq. (93) and (94) lead: at the target, and
	// at the target with the half step only.
	const many = 400
	exact := must(SplitPath(ForwardBackward, target, h, start, many))[many-1].Next
	half := must(SplitPath(BackwardForward, target, h, start, many))[many-1].Half
	for name, law := range map[string]*energy.Gaussian{"forward-backward": exact, "backward-forward, half": half} {
		if d := max(farthest(law.Mean(nil), target.Mean(nil)), farthest(law.Cov(nil), target.Cov(nil))); d > 1e-10 {
			t.Errorf("%s: %.1e from the target", name, d)
		}
	}

	_, err := SplitPath(ForwardFlow, target, h, start, 0)
	wantArgError(t, "no steps", err)
	_, err = SplitPath(ForwardFlow, target, 2.1*LambdaMin(target), start, 3)
	wantArgError(t, "unstable step", err)
}

// farthest returns the largest |a_i - b_i|.
func farthest(a, b []float64) float64 {
	worst := 0.0
	for i := range a {
		worst = math.Max(worst, math.Abs(a[i]-b[i]))
	}
	return worst
}

// Against the characteristic function of the log acceptance ratio, which
// TestExactAcceptance and TestAcceptanceCurves hold against other kernels and
// against chains.
func TestMALAAcceptance(t *testing.T) {
	for _, d := range []int{1, 2, 7, 100} {
		for _, h := range []float64{0.01, 0.1, 0.5, 1, 2, 3} {
			got, want := must(MALAAcceptance(h, d)), exactAcceptance(malaForm(h), d)
			if math.Abs(got-want) > 1e-9 {
				t.Errorf("d = %d, h = %g: %v, want %v", d, h, got, want)
			}
		}
	}
	if got := must(MALAAcceptance(2, 1)); math.Abs(got-0.5) > 1e-14 {
		t.Errorf("d = 1, h = 2: %v, want 1/2", got) // p = 1/2 - 2/sqrt(32), I_p = (2/pi) arcsin(sqrt(p)) = 1/4
	}
	h := 1e-4
	small := math.Pow(h, 1.5) / (math.Pi * math.Sqrt2)
	if got := 1 - must(MALAAcceptance(h, 1)); math.Abs(got/small-1) > 1e-3 {
		t.Errorf("refused at h = %g: %v, want about %v", h, got, small)
	}
	const l, large = 1.65, 1_000_000
	limit := 2 * normalCDF(-l*l*l/8)
	if got := must(MALAAcceptance(malaStep(l, large), large)); math.Abs(got-limit) > 1e-4 {
		t.Errorf("d = %d: %v, limit %v", large, got, limit)
	}
	_, err := MALAAcceptance(0, 1)
	wantArgError(t, "h = 0", err)
	_, err = MALAAcceptance(0.1, 0)
	wantArgError(t, "d = 0", err)
}
