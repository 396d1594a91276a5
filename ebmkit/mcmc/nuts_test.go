package mcmc

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// Neal's funnel, v ~ N(0, 9): in its own coordinates NUTS must say that it is in
// trouble; in the non-centred ones the quantiles of v are right.
func TestNUTSOnTheFunnel(t *testing.T) {
	numbersOnly(t)
	funnel := must(energy.NewFunnel(10, 3))
	cfg := Config{Walkers: 4, Burn: 1000, Draws: sized(2500, 1000), Seed: 1, Adapt: true}

	c := run(t, funnel, NUTS{}, cfg)
	bfmi := diagnose.EBFMI(must(diagnose.FromTotalEnergy(c)))
	t.Logf("centred: %d divergent transitions of %d, E-BFMI %.2f, smallest v %.2f", c.Divergent, c.Draws*c.Walkers, bfmi, slices.Min(must(diagnose.FromChain(c, 0)).Chain(0)))
	if c.Divergent == 0 || slices.Min(bfmi) > 0.3 {
		t.Errorf("centred: %d divergent transitions, E-BFMI %.2f: no warning", c.Divergent, bfmi)
	}

	c = run(t, funnel.NonCentered(), NUTS{}, cfg)
	bfmi = diagnose.EBFMI(must(diagnose.FromTotalEnergy(c)))
	v := must(diagnose.FromChain(c, 0))
	t.Logf("non-centred: %d divergent, E-BFMI %.2f, R-hat %.4f, bulk ESS %.0f of %d draws, %d evaluations", c.Divergent, bfmi, v.RHat(), v.ESSBulk(), c.Draws*c.Walkers, c.Evals)
	if c.Divergent != 0 || slices.Min(bfmi) < 0.6 || c.TreeLimit != 0 {
		t.Errorf("non-centred: %d divergent transitions, E-BFMI %.2f", c.Divergent, bfmi)
	}
	for p, z := range map[float64]float64{0.05: -1.6448536269514722, 0.25: -0.6744897501960817, 0.5: 0, 0.75: 0.6744897501960817, 0.95: 1.6448536269514722} {
		q := must(v.Quantile(p))
		t.Logf("quantile %.2f of v: %v, exact %.3f, z = %.2f", p, q, 3*z, q.Z(3*z))
		if math.Abs(q.Z(3*z)) > 4 {
			t.Errorf("quantile %.2f of v is %v, want %.3f", p, q, 3*z)
		}
	}
}

// A Gaussian with correlation 0.9 between neighbours and standard deviations
// from 0.1 to 10.
func TestNUTSOnACorrelatedGaussian(t *testing.T) {
	numbersOnly(t)
	const d = 20
	cov, sd := must(energy.NewAR1Gaussian(d, 0.9)).Cov(nil), make([]float64, d)
	for i := range sd {
		sd[i] = math.Pow(10, 2*float64(i)/(d-1)-1)
	}
	for i := range cov {
		cov[i] *= sd[i/d] * sd[i%d]
	}
	target := must(energy.NewGaussian(sd, cov)) // the mean of each is its standard deviation
	c := run(t, target, NUTS{}, Config{Walkers: 4, Burn: 1000, Draws: sized(2000, 700), Seed: 3, Adapt: true})
	worst, least := 0.0, math.Inf(1)
	for j := range d {
		s := must(diagnose.FromChain(c, j))
		zm, zv := s.Mean().Z(sd[j]), s.Variance().Z(cov[j*d+j])
		worst = math.Max(worst, math.Max(math.Abs(zm), math.Abs(zv)))
		least = math.Min(least, s.ESSBulk())
		if s.RHat() > 1.02 {
			t.Errorf("R-hat of coordinate %d is %.3f", j, s.RHat())
		}
	}
	p := must(diagnose.FromFunc(c, func(x []float64) float64 { return (x[4] - sd[4]) * (x[5] - sd[5]) })).Mean()
	t.Logf("largest |z| of %d means and variances %.2f; covariance of neighbours %v, exact %.4f, z = %.2f; least bulk ESS %.0f of %d; %.1f leapfrog steps a draw",
		2*d, worst, p, cov[4*d+5], p.Z(cov[4*d+5]), least, c.Draws*c.Walkers, float64(c.Evals)/float64(c.Draws*c.Walkers))
	if worst > 4.2 || math.Abs(p.Z(cov[4*d+5])) > 4 || c.Divergent > 0 {
		t.Errorf("largest |z| %.2f, %d divergent", worst, c.Divergent)
	}
}

// The tree stops at its limit and says so.
func TestNUTSTreeLimit(t *testing.T) {
	c := run(t, must(energy.NewGaussian1D(0, 1)), NUTS{Step: 1e-3, MaxDepth: 3}, Config{Walkers: 1, Draws: 50, Seed: 1})
	if c.TreeLimit != 50 || c.Evals != 50*7 {
		t.Errorf("%d of 50 at the limit, %d evaluations, want 350", c.TreeLimit, c.Evals)
	}
}
