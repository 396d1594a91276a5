package diagnose

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// The oracle of this file is the stationary Gaussian AR(1) process
// x' = phi x + xi: its mean is 0, its variance 1/(1-phi^2), rho_t = phi^t, and
//
//	tau = (1+phi)/(1-phi) for x,   (1+phi^2)/(1-phi^2) for x^2.

func ar1Series(t testing.TB, draws, chains int, phi float64, seed uint64) *Series {
	s, err := FromChain(ar1Chain(draws, chains, 1, phi, seed), 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTauOfAR1(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	const reps, chains, draws = 100, 2, 10_000
	for _, phi := range []float64{0, 0.5, 0.9, -0.3, -0.8} {
		want := (1 + phi) / (1 - phi)
		taus := make([]float64, reps)
		var se float64
		for r := range taus {
			e, err := ar1Series(t, draws, chains, phi, uint64(r)).Tau()
			if err != nil {
				t.Fatal(err)
			}
			taus[r] = e.Value
			se += e.SE / reps
		}
		m := ebmkit.MeanOf(taus)
		spread := m.SE * math.Sqrt(reps)
		// Known biases: the window cuts a tail of about exp(-5), the mean is
		// estimated from N draws (each c_t is low by var tau/N, over 2M+1 lags),
		// and the triangle 1-t/n.
		size := max(want, 1/want)
		bias := want*math.Exp(-windowTaus) + (2*windowTaus*size+1)*want/(chains*draws) + 2*size*size/draws
		t.Logf("phi %4.1f: tau %v, want %.4g (bias up to %.2g), z = %.1f; spread %.3g, reported SE %.3g", phi, m, want, bias, m.Z(want), spread, se)
		if math.Abs(m.Value-want) > 4*m.SE+bias {
			t.Errorf("phi %v: tau %v, want %v", phi, m, want)
		}
		// The spread of reps estimates has relative error 1/sqrt(2 reps); Sokal's
		// formula is for a fixed window much longer than tau: 10 % for that.
		if rel := spread/se - 1; math.Abs(rel) > 4/math.Sqrt(2*reps)+0.1 {
			t.Errorf("phi %v: spread %v, reported SE %v", phi, spread, se)
		}
	}
}

// zOf returns the mean square of z over repetitions, and its distance in
// standard errors from 1.
func zOf(z []float64) (meanSquare, off float64) {
	for _, v := range z {
		meanSquare += v * v / float64(len(z))
	}
	return meanSquare, (meanSquare - 1) / math.Sqrt(2/float64(len(z)))
}

func TestMCSECovers(t *testing.T) {
	if race.Enabled {
		t.Skip("long sums; the race detector has other tests")
	}
	const reps, chains, draws = 400, 4, 2000
	type method struct {
		name string
		bad  bool // a negative control: it must fail
		z    func(s *Series, sd float64) float64
	}
	q := func(p float64) func(*Series, float64) float64 {
		return func(s *Series, sd float64) float64 {
			e, _ := s.Quantile(p)
			return e.Z(sd * normQuantile(p))
		}
	}
	for _, phi := range []float64{-0.5, 0, 0.5, 0.9} {
		for _, m := range []method{
			{"mean", false, func(s *Series, _ float64) float64 { return s.Mean().Z(0) }},
			{"variance", false, func(s *Series, sd float64) float64 { return s.Variance().Z(sd * sd) }},
			{"sd", false, func(s *Series, sd float64) float64 { return s.SD().Z(sd) }},
			{"median", false, q(0.5)},
			{"5 % quantile", false, q(0.05)},
			{"mean, draws taken for independent", true, func(s *Series, _ float64) float64 { return ebmkit.MeanOf(s.x).Z(0) }},
			{"sd, ESS of the draws (arviz-stats 0.8.0)", true, func(s *Series, sd float64) float64 {
				e := s.SD()
				return e.Z(sd) / math.Sqrt(s.ESSSD()/s.ESSMean())
			}},
		} {
			if m.bad && math.Abs(phi) < 0.9 {
				continue
			}
			z := make([]float64, reps)
			for r := range z {
				z[r] = m.z(ar1Series(t, draws, chains, phi, uint64(r)), 1/math.Sqrt(1-phi*phi))
			}
			ms, off := zOf(z)
			t.Logf("phi %4.1f %-42s mean z^2 = %.3f (%+.1f standard errors from 1)", phi, m.name, ms, off)
			// The error is estimated too: an ESS with relative spread e raises
			// mean z^2 by e^2, below 0.02 here.
			if covers := math.Abs(off) < 4+0.02/math.Sqrt(2./reps); covers == m.bad {
				t.Errorf("phi %v, %s: mean z^2 = %.3f, %+.1f standard errors from 1", phi, m.name, ms, off)
			}
		}
	}
}

func TestESSOfAR1(t *testing.T) {
	const chains, draws = 4, 50_000
	for _, phi := range []float64{-0.5, 0, 0.5, 0.9} {
		s := ar1Series(t, draws, chains, phi, 9)
		n := float64(chains * draws)
		tau := (1 + phi) / (1 - phi)
		tau2 := (1 + phi*phi) / (1 - phi*phi)
		// rank correlation of a Gaussian pair is nearly its correlation: normal
		// scores of Gaussian draws are the draws, up to scale.
		for _, c := range []struct {
			name      string
			got, want float64
		}{{"mean", s.ESSMean(), n / tau}, {"bulk", s.ESSBulk(), n / tau}, {"sd", s.ESSSD(), n / tau2}} {
			// Geyer's window is a few tau; Sokal's relative error with M = 10 tau.
			rel := math.Sqrt(2*(20*max(tau, 1/tau)+1)/n) + 0.005
			if d := c.got/c.want - 1; math.Abs(d) > 4*rel {
				t.Errorf("phi %v: ESS %s = %.0f, want %.0f +- %.0f", phi, c.name, c.got, c.want, rel*c.want)
			}
		}
		if phi < 0 && !(s.ESSMean() > n) {
			t.Errorf("antithetic chains are worth more than N = %v draws, got %v", n, s.ESSMean())
		}
	}
}

// TestESSWithFewLags compares the short transform with all lags.
func TestESSWithFewLags(t *testing.T) {
	for _, phi := range []float64{0, 0.5, 0.99, 0.9999} {
		s := ar1Series(t, 3000, 3, phi, 5)
		w := &work{}
		rows := halves(s.x, s.chains, s.draws)
		got := w.ess(rows)
		var within, between, means float64
		m, n := float64(len(rows)), float64(len(rows[0]))
		for k, row := range rows {
			var v float64
			w.centre[k], v = meanVar(row)
			within += v / m
			means += w.centre[k] / m
		}
		for _, c := range w.centre {
			between += (c - means) * (c - means) / (m - 1)
		}
		tau, ok := w.geyer(rows, len(rows[0]), within, within*(n-1)/n+between)
		if want := n * m / tau; !ok || math.Abs(got/want-1) > 1e-10 {
			t.Errorf("phi %v: %v with few lags, %v with all", phi, got, want)
		}
	}
}

func TestTauRefusesToFlatter(t *testing.T) {
	short := ar1Series(t, 200, 4, 0.9, 1) // 200 draws, tau 19
	e, err := short.Tau()
	if !errors.Is(err, ErrShortChain) || !(e.Value > 1) || !(e.SE > 0) {
		t.Errorf("short chains: %v, %v", e, err)
	}

	apart := ar1Chain(2000, 4, 1, 0.5, 1)
	for i := range apart.X {
		apart.X[i] += 20 * float64(i%4)
	}
	s, _ := FromChain(apart, 0)
	if e, err := s.Tau(); !errors.Is(err, ErrShortChain) || e.Value < 500 {
		t.Errorf("chains in four modes: tau %v, %v", e, err)
	}
	one, _ := NewSeries([][]float64{s.Chain(0)})
	if e, err := one.Tau(); err != nil || e.Value > 10 {
		t.Errorf("one of them alone cannot know: tau %v, %v", e, err)
	}

	still, _ := NewSeries([][]float64{{1, 1, 1, 1, 1}})
	if e, err := still.Tau(); !errors.Is(err, ErrShortChain) || !math.IsNaN(e.Value) {
		t.Errorf("a chain that never moved: tau %v, %v", e, err)
	}
	if e, err := ar1Series(t, 100, 1, -0.99, 1).Tau(); !errors.Is(err, ErrShortChain) {
		t.Errorf("a short antithetic chain: tau %v, %v", e, err)
	}
	flip, _ := NewSeries([][]float64{{1, -1, 1, -1, 1, -1, 1, -1}})
	if e, err := flip.Tau(); !errors.Is(err, ErrShortChain) {
		t.Errorf("a chain that only flips: tau %v, %v", e, err)
	}
}

func TestAutocorrelationOfAR1(t *testing.T) {
	const phi, chains, draws = 0.7, 4, 20_000
	rho, err := ar1Series(t, draws, chains, phi, 2).Autocorrelation(10)
	if err != nil {
		t.Fatal(err)
	}
	if rho[0] != 1 || len(rho) != 11 {
		t.Fatalf("rho = %v", rho)
	}
	for lag := 1; lag <= 10; lag++ {
		// Bartlett's formula for AR(1).
		p2, pt := phi*phi, math.Pow(phi, float64(lag))
		v := ((1+p2)*(1-pt*pt)/(1-p2) - 2*float64(lag)*pt*pt) / (chains * draws)
		if z := (rho[lag] - pt) / math.Sqrt(v); math.Abs(z) > 4 {
			t.Errorf("rho[%d] = %v, want %v, z = %.1f", lag, rho[lag], pt, z)
		}
	}
}

func TestEBFMI(t *testing.T) {
	// For an AR(1) energy E-BFMI is 2(1 - rho_1).
	const draws = 40_000
	for _, phi := range []float64{0, 0.5, 0.95} {
		for _, b := range EBFMI(ar1Series(t, draws, 2, phi, 7)) {
			// The error of rho_1 is sqrt((1-phi^2)/n).
			se := 2 * math.Sqrt((1-phi*phi)/draws)
			if z := (b - 2*(1-phi)) / se; math.Abs(z) > 4 {
				t.Errorf("phi %v: E-BFMI %v, want %v, z = %.1f", phi, b, 2*(1-phi), z)
			}
		}
	}
	still, _ := NewSeries([][]float64{{1, 1, 1, 1}})
	if b := EBFMI(still); !math.IsNaN(b[0]) {
		t.Errorf("constant energy: E-BFMI %v, want NaN", b[0])
	}
}
