package mcmc

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// On U = |x|^2/2 an explicit Euler step multiplies H by 1 + h^2, exactly; whole
// steps of p, then x, keep H - h x.p/2.
func TestEulerOnAHarmonicWell(t *testing.T) {
	u := must(energy.NewIsotropicGaussian(make([]float64, 2), 1))
	x, p := []float64{1, -0.5}, []float64{0.2, 2}
	const h = 0.3
	e := must(Euler(u, x, p, h, 24))
	s := must(SymplecticEuler(u, x, p, h, 24))
	kept := func(i int) float64 { return s.H[i] - h*(s.X[2*i]*s.P[2*i]+s.X[2*i+1]*s.P[2*i+1])/2 }
	for i := range e.H {
		if want := e.H[0] * math.Pow(1+h*h, float64(i)); math.Abs(e.H[i]/want-1) > 1e-13 {
			t.Errorf("Euler, step %d: H = %v, want %v", i, e.H[i], want)
		}
		if math.Abs(kept(i)-kept(0)) > 1e-13 {
			t.Errorf("whole steps, step %d: H - h x.p/2 = %v, was %v", i, kept(i), kept(0))
		}
	}
	if x[0] != 1 || p[1] != 2 || e.X[1] != -0.5 || e.P[0] != 0.2 || len(e.X) != 50 || e.Dim != 2 {
		t.Error("the start was changed or is not state 0")
	}
}

// Half the step, half the error: both are of order 1 where leapfrog is of order 2.
func TestOrderOfEuler(t *testing.T) {
	well := must(energy.NewDoubleWell(1, 1))
	type integrator func(ebmkit.Energy, []float64, []float64, float64, int) (*Trajectory, error)
	fine := must(Leapfrog(well, []float64{-0.4}, []float64{2}, 1./2048, 2048)).X[2048]
	for name, c := range map[string]struct {
		follow integrator
		order  float64
	}{"explicit": {Euler, 1}, "symplectic": {SymplecticEuler, 1}, "leapfrog": {Leapfrog, 2}} {
		miss := func(n int) float64 {
			return math.Abs(must(c.follow(well, []float64{-0.4}, []float64{2}, 1/float64(n), n)).X[n] - fine)
		}
		// The two measured orders differ from the limit by c h and c h/2.
		first, second := math.Log2(miss(64)/miss(128)), math.Log2(miss(128)/miss(256))
		if limit := 2*second - first; math.Abs(limit-c.order) > 0.1 {
			t.Errorf("%s: order %.3f, %.3f, in the limit %.3f, want %g", name, first, second, limit, c.order)
		}
	}
}

func TestEulerRefuses(t *testing.T) {
	target := correlated()
	x, p := []float64{0, 1, 2}, []float64{0.5, -1, 0.3}
	for arg, f := range map[string]func() error{
		"len(x)": func() error { _, err := Euler(target, x[:2], p, 1, 1); return err },
		"len(p)": func() error { _, err := SymplecticEuler(target, x, nil, 1, 1); return err },
		"h":      func() error { _, err := Euler(target, x, p, math.NaN(), 1); return err },
		"steps":  func() error { _, err := SymplecticEuler(target, x, p, 1, 0); return err },
		"target": func() error { _, err := Euler(energyOnly{target}, x, p, 1, 1); return err },
	} {
		wantArg(t, f(), arg)
	}
}

// Carry goes where Leapfrog goes, and back. A circle of walkers in the phase
// space of the harmonic well becomes an ellipse of the same area, that of the
// matrix of leapfrog, whose determinant is 1.
func TestCarry(t *testing.T) {
	target := correlated()
	start := &ebmkit.Ensemble{N: 2, Dim: 3, X: []float64{0, 1, 2, -1, 0, 3}, V: []float64{0.5, -1, 0.3, 2, 1, 0}}
	end := must(Carry(target, start, 0.2, 50))
	for i := range 2 {
		path := must(Leapfrog(target, start.Row(i), start.V[3*i:3*i+3], 0.2, 50))
		if maxDiff(end.Row(i), path.X[150:]) > 1e-12 || maxDiff(end.V[3*i:3*i+3], path.P[150:]) > 1e-12 {
			t.Errorf("walker %d is not where leapfrog takes it", i)
		}
	}
	back := must(Carry(target, end, -0.2, 50))
	if maxDiff(back.X, start.X) > 1e-12 || maxDiff(back.V, start.V) > 1e-12 {
		t.Error("the way back misses the start")
	}
	if still := must(Carry(target, start, 0.2, 0)); maxDiff(still.X, start.X) != 0 || &still.X[0] == &start.X[0] {
		t.Error("no steps: not a copy of the start")
	}

	const n = 400
	circle := &ebmkit.Ensemble{N: n, Dim: 1}
	for i := range n {
		a := 2 * math.Pi * float64(i) / n
		circle.X, circle.V = append(circle.X, 1+math.Cos(a)), append(circle.V, math.Sin(a))
	}
	area := func(e *ebmkit.Ensemble) (sum float64) {
		for i := range n {
			j := (i + 1) % n
			sum += (e.X[i]*e.V[j] - e.X[j]*e.V[i]) / 2
		}
		return sum
	}
	polygon := n * math.Sin(2*math.Pi/n) / 2
	if got := area(must(Carry(must(energy.NewGaussian1D(0, 1)), circle, 1.5, 7))); math.Abs(got-polygon) > 1e-12 {
		t.Errorf("area %v after 7 steps, want %v", got, polygon)
	}
	for arg, f := range map[string]func() error{
		"e.Dim": func() error { _, err := Carry(target, circle, 1, 1); return err },
		"len(e.V)": func() error {
			_, err := Carry(target, &ebmkit.Ensemble{N: 1, Dim: 3, X: circle.X[:3]}, 1, 1)
			return err
		},
		"h":      func() error { _, err := Carry(target, start, 0, 1); return err },
		"steps":  func() error { _, err := Carry(target, start, 1, -1); return err },
		"target": func() error { _, err := Carry(energyOnly{target}, start, 1, 1); return err },
	} {
		wantArg(t, f(), arg)
	}
}

// The closed form against the sum of the autocovariances v' B^t C v, with B read
// off the sampler's own sweep without noise; and against the formulas of two
// variables and of d equal correlations.
func TestGibbsTau(t *testing.T) {
	g := must(energy.NewGaussian(make([]float64, 3), correlated().Cov(nil)))
	w, cov := newGaussianSweeper(g), g.Cov(nil)
	b := linearMap(3, func(in []float64) []float64 {
		x := append([]float64(nil), in...)
		for j := range 3 {
			w.draw(x, j, 0)
		}
		return x
	})
	for _, v := range [][]float64{{1, 1, 1}, {1, 0, 0}, {0.3, -2, 1}} {
		y := make([]float64, 3) // B^t C v
		for i := range y {
			y[i] = cov[3*i]*v[0] + cov[3*i+1]*v[1] + cov[3*i+2]*v[2]
		}
		dot := func() float64 { return v[0]*y[0] + v[1]*y[1] + v[2]*y[2] }
		variance, sum := dot(), 1.
		for range 400 {
			next := make([]float64, 3)
			for j, col := range b {
				for i := range next {
					next[i] += col[i] * y[j]
				}
			}
			y = next
			sum += 2 * dot() / variance
		}
		if got := must(GibbsTau(g, v)); math.Abs(got/sum-1) > 1e-12 {
			t.Errorf("v = %v: %v, want %v", v, got, sum)
		}
	}
	const r = 0.7
	pair := must(energy.NewGaussian([]float64{1, 2}, []float64{1, r, r, 1}))
	for j, v := range [][]float64{{1, 0}, {0, 1}} {
		if got, want := must(GibbsTau(pair, v)), (1+r*r)/(1-r*r); math.Abs(got-want) > 1e-12 {
			t.Errorf("x_%d of a pair: %v, want %v", j+1, got, want)
		}
	}
	all := make([]float64, 36)
	for i := range all {
		all[i] = r
		if i%7 == 0 {
			all[i] = 1
		}
	}
	six := must(energy.NewGaussian(make([]float64, 6), all))
	if got, want := must(GibbsTau(six, []float64{1, 1, 1, 1, 1, 1})), (1+4*r)/(1-r); math.Abs(got-want) > 1e-12 {
		t.Errorf("six equally correlated variables: %v, want %v", got, want)
	}
	for arg, v := range map[string][]float64{"len(v)": {1}, "v": {0, 0}} {
		_, err := GibbsTau(pair, v)
		wantArg(t, err, arg)
	}
}
