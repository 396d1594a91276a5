package markov

import (
	"fmt"
	"math"
	"testing"
)

// The weather of two days: a chain whose law after k steps is closed form.
func twoState(a, b float64) []float64 { return []float64{1 - a, a, b, 1 - b} }

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v within %g", what, got, want, tol)
	}
}

func TestTwoStates(t *testing.T) {
	const a, b = 0.3, 0.1
	k := twoState(a, b)
	pi := []float64{b / (a + b), a / (a + b)}
	near(t, "drift", Drift(pi, k), 0, 1e-16)
	near(t, "imbalance", Imbalance(pi, k), 0, 1e-16) // two states are always in balance
	p := []float64{1, 0}
	for i := 1; i <= 10; i++ {
		p = Push(p, k)
		near(t, fmt.Sprintf("TV after %d steps", i), TV(p, pi), pi[1]*math.Pow(1-a-b, float64(i)), 1e-15)
	}
	if got := Evolve([]float64{1, 0}, k, 10); got[0] != p[0] || got[1] != p[1] {
		t.Errorf("Evolve by 10 steps: %v, want %v", got, p)
	}
	near(t, "crossing rate", CrossingRate(pi, k, func(i int) bool { return i == 0 }), a*b/(a+b), 1e-16)
	if d := Drift([]float64{0.5, 0.5}, k); d < 0.05 {
		t.Errorf("a law that is not stationary drifts by %g only", d)
	}
}

// A ring that always turns the same way is stationary without balance.
func TestRingHasFlow(t *testing.T) {
	k := []float64{0, 1, 0, 0, 0, 1, 1, 0, 0}
	pi := []float64{1. / 3, 1. / 3, 1. / 3}
	near(t, "drift", Drift(pi, k), 0, 1e-16)
	near(t, "imbalance", Imbalance(pi, k), 1./3, 1e-16)
	f := Flow(pi, k)
	near(t, "flow 0 to 1", f[1], 1./3, 1e-16)
	near(t, "flow 1 to 0", f[3], -1./3, 1e-16)
}

func TestScanIsStationaryAndNotReversible(t *testing.T) {
	const na, nb = 4, 5
	u := make([]float64, na*nb)
	for i := range u {
		x, y := float64(i/nb)-1.5, float64(i%nb)-2
		u[i] = (x*x - 1.2*x*y + y*y) / 2
	}
	p := Boltzmann(u)
	for axis := range 2 {
		s := Scan(p, nb, axis)
		near(t, "drift of one update", Drift(p, s), 0, 1e-15)
		near(t, "imbalance of one update", Imbalance(p, s), 0, 1e-15)
		for i, v := range RowSums(s) {
			near(t, fmt.Sprintf("row %d", i), v, 1, 1e-14)
		}
		for i := range p { // what stays, stays
			for j := range p {
				if same := i%nb == j%nb && axis == 0 || i/nb == j/nb && axis == 1; !same && s[i*len(p)+j] != 0 {
					t.Fatalf("axis %d goes from %d to %d", axis, i, j)
				}
			}
		}
	}
	gibbs := Product(Scan(p, nb, 0), Scan(p, nb, 1))
	near(t, "drift of a scan", Drift(p, gibbs), 0, 1e-15)
	if b := Imbalance(p, gibbs); b < 1e-3 {
		t.Errorf("a systematic scan is balanced to %g", b)
	}
	// Independent variables: one scan draws from the law itself, in balance.
	flat := Boltzmann([]float64{0, 1, 2, 1, 2, 3})
	near(t, "imbalance of independent variables", Imbalance(flat, Product(Scan(flat, 3, 0), Scan(flat, 3, 1))), 0, 1e-16)
}

func TestBoltzmannForbids(t *testing.T) {
	p := Boltzmann([]float64{math.Inf(1), 1000, 1000 + math.Log(3)})
	near(t, "forbidden", p[0], 0, 0)
	near(t, "allowed", p[1], 0.75, 1e-13)
	if p := Boltzmann([]float64{0, math.NaN()}); !math.IsNaN(p[0]) {
		t.Errorf("NaN was repaired: %v", p)
	}
}

func TestPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"Push":         func() { Push([]float64{1}, make([]float64, 4)) },
		"Product":      func() { Product(make([]float64, 4), make([]float64, 9)) },
		"Evolve":       func() { Evolve([]float64{1}, []float64{1}, -1) },
		"TV":           func() { TV([]float64{1}, []float64{1, 0}) },
		"RowSums":      func() { RowSums(make([]float64, 3)) },
		"Flow":         func() { Flow([]float64{1}, make([]float64, 4)) },
		"CrossingRate": func() { CrossingRate([]float64{1}, make([]float64, 4), nil) },
		"Scan":         func() { Scan(make([]float64, 6), 4, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s accepts a wrong length", name)
				}
			}()
			f()
		}()
	}
}

// A random walk on three states of a grid.
func ExampleKernel() {
	g := Kernel(3, func(from, to int) float64 { d := float64(to - from); return d * d })
	fmt.Printf("%.3f\n", g[:3])
	// Output: [0.721 0.265 0.013]
}

func ExampleDrift() {
	t := []float64{0, 1, 0, 0, 0, 1, 1, 0, 0} // always to the right neighbour on a ring
	pi := []float64{1. / 3, 1. / 3, 1. / 3}
	fmt.Printf("stationary to %.0e, out of balance by %.3f\n", Drift(pi, t), Imbalance(pi, t))
	// Output: stationary to 0e+00, out of balance by 0.333
}
