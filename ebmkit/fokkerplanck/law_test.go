package fokkerplanck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// order fits the exponent of error = c step^order to the last two of a sequence
// in which the step is halved.
func order(errs []float64) float64 {
	n := len(errs)
	return math.Log2(errs[n-2] / errs[n-1])
}

// normal is the density of N(mean, sd^2) at the centres.
func normal(g *Grid, mean, sd float64) []float64 {
	return must(g.Boltzmann(must(energy.NewGaussian1D(mean, sd))))
}

// ouLaw is the law at time t of dX = -X dt + sqrt(2) dW from N(1.5, 0.6^2).
func ouLaw(g *Grid, t float64) []float64 {
	v := 1 + (0.36-1)*math.Exp(-2*t)
	return normal(g, 1.5*math.Exp(-t), math.Sqrt(v))
}

// The Ornstein-Uhlenbeck process against its closed form: second order in the
// width of the cells, and in the step second or first as the scheme says.
func TestOrnsteinUhlenbeck(t *testing.T) {
	gauss := must(energy.NewGaussian1D(0, 1))
	const end = 0.8
	var errs []float64
	for _, cells := range []int{40, 80, 160, 320} {
		g := line(-6, 6, cells)
		gen := must(Langevin{Energy: gauss}.On(g))
		h := must(Evolve(context.Background(), gen, ouLaw(g, 0), Config{Step: end / 4000, Steps: 4000}))
		errs = append(errs, furthest(h.Last(), ouLaw(g, end)))
	}
	if o := order(errs); math.Abs(o-2) > 0.05 || errs[3] > 1e-4 {
		t.Errorf("errors %.2e, order %.3f in the width of the cells, want 2", errs, o)
	} else {
		t.Logf("errors %.2e, order %.3f in the width of the cells", errs, o)
	}

	g := line(-6, 6, 120)
	gen := must(Langevin{Energy: gauss}.On(g))
	p0 := ouLaw(g, 0)
	exact := must(Evolve(context.Background(), gen, p0, Config{Scheme: CrankNicolson, Step: end / 8192, Steps: 8192})).Last()
	for _, c := range []struct {
		s    Scheme
		want float64
	}{{TRBDF2, 2}, {CrankNicolson, 2}, {BackwardEuler, 1}} {
		errs = nil
		for steps := 32; steps <= 256; steps *= 2 {
			h := must(Evolve(context.Background(), gen, p0, Config{Scheme: c.s, Step: end / float64(steps), Steps: steps}))
			errs = append(errs, furthest(h.Last(), exact))
		}
		if o := order(errs); math.Abs(o-c.want) > 0.06 {
			t.Errorf("%v: errors %.2e, order %.3f in the step, want %g", c.s, errs, o, c.want)
		} else {
			t.Logf("%v: errors %.2e, order %.3f in the step", c.s, errs, o)
		}
	}
}

// Splitting in the plane is of second order where the sweeps do not commute.
func TestSplittingIsOfSecondOrder(t *testing.T) {
	gen := must(Langevin{Energy: crossed(), Mobility: tilt}.On(plane(-3, 3, 28, 28)))
	p0 := must(gen.grid.Normalize(func(x []float64) float64 { return math.Exp(-2 * (x[0]*x[0] + x[1]*x[1])) }))
	at := func(steps int) []float64 {
		h := must(Evolve(context.Background(), gen, p0, Config{Step: 0.4 / float64(steps), Steps: steps}))
		if h.Damped > 0 {
			t.Fatalf("%d damped steps", h.Damped)
		}
		return h.Last()
	}
	finest := 128
	if testing.Short() {
		finest = 32
	}
	exact := at(8 * finest)
	var errs []float64
	for steps := 16; steps <= finest; steps *= 2 {
		errs = append(errs, furthest(at(steps), exact))
	}
	if o := order(errs); math.Abs(o-2) > 0.1 {
		t.Errorf("errors %.2e, order %.3f", errs, o)
	} else {
		t.Logf("errors %.2e, order %.3f", errs, o)
	}
}

// The Wiener process, review eq. (42) to (44), from a narrow Gaussian.
func TestWienerProcess(t *testing.T) {
	var errs []float64
	for _, cells := range []int{100, 200, 400} {
		g := line(-8, 8, cells)
		gen := must(Ito{Diffusion: Isotropic(0.5)}.On(g)) // sigma = 1
		h := must(Evolve(context.Background(), gen, normal(g, 0, 0.3), Config{Step: 1e-3, Steps: 1000}))
		errs = append(errs, furthest(h.Last(), normal(g, 0, math.Sqrt(1.09))))
		if v := g.Expect(h.Last(), func(x []float64) float64 { return x[0] * x[0] }); math.Abs(v-1.09) > 1e-6 {
			t.Errorf("%d cells: variance %v, want 1.09", cells, v) // exact on the grid
		}
	}
	if o := order(errs); math.Abs(o-2) > 0.05 {
		t.Errorf("errors %.2e, order %.3f", errs, o)
	}
}

// Correlated noise in the plane: the covariance of dX = -X dt + sigma dW is
// D (1 - exp(-2t)) + C_0 exp(-2t) with D = sigma sigma'/2.
func TestCorrelatedNoise(t *testing.T) {
	d := func(m, x []float64) { m[0], m[1], m[2], m[3] = 1, -0.45, -0.45, 0.6 }
	back := func(mu, x []float64) { mu[0], mu[1] = -x[0], -x[1] }
	var errs []float64
	for _, cells := range []int{40, 80} {
		g := plane(-5.5, 5.5, cells, cells)
		gen := must(Ito{Drift: back, Diffusion: d, MaxPeclet: 3}.On(g))
		p0 := must(g.Boltzmann(must(energy.NewIsotropicGaussian([]float64{0.5, 0}, 0.7))))
		h := must(Evolve(context.Background(), gen, p0, Config{Step: 0.02, Steps: 30}))
		e := math.Exp(-1.2)
		worst := 0.0
		for _, c := range []struct {
			i, j int
			d    float64
		}{{0, 0, 1}, {0, 1, -0.45}, {1, 1, 0.6}} {
			got := g.Expect(h.Last(), func(x []float64) float64 { return x[c.i] * x[c.j] })
			want := c.d * (1 - e)
			if c.i == c.j {
				want += 0.49 * e
			}
			if c.i == 0 && c.j == 0 {
				want += 0.25 * e
			}
			worst = math.Max(worst, math.Abs(got-want))
		}
		errs = append(errs, worst)
	}
	if errs[0] > 0.04 || math.Abs(order(errs)-2) > 0.2 {
		t.Errorf("errors of the second moments %.2e, order %.2f", errs, order(errs))
	} else {
		t.Logf("errors of the second moments %.2e, order %.2f", errs, order(errs))
	}
}

// Noise that depends on the place, in the sense of Ito: dX = -X dt +
// sqrt(2 D) dW with D = (1 + x^2)/4 has p proportional to (1 + x^2)^-3. In the
// sense of Stratonovich the power would be -5/2, and the test must see that.
func TestItoNoise(t *testing.T) {
	var errs []float64
	for _, cells := range []int{200, 400, 800} {
		g := line(-6, 6, cells)
		gen := must(Ito{
			Drift:     func(mu, x []float64) { mu[0] = -x[0] },
			Diffusion: func(d, x []float64) { d[0] = (1 + x[0]*x[0]) / 4 },
		}.On(g))
		power := func(a float64) []float64 {
			return must(g.Normalize(func(x []float64) float64 { return math.Pow(1+x[0]*x[0], a) }))
		}
		p := must(gen.Steady())
		errs = append(errs, furthest(p, power(-3)))
		if d := furthest(p, power(-2.5)); d < 0.02 {
			t.Errorf("the law of Stratonovich is only %g away", d)
		}
	}
	if errs[2] > 1e-4 || math.Abs(order(errs)-2) > 0.05 {
		t.Errorf("errors %.2e, order %.2f", errs, order(errs))
	}
}

// A tilted cosine on a ring: the steady state has a current. With
// Phi = (V - f x)/D,
//
//	p(x) = c exp(-Phi(x)) integral from x to x+1 of exp(Phi),
//	J = c D (1 - exp(-f/D)).
func TestDriftOnARing(t *testing.T) {
	const d, f, a = 0.25, 0.9, 0.2
	phi := func(x float64) float64 { return (a*math.Cos(2*math.Pi*x) - f*x) / d }
	weight := func(x float64) float64 {
		r := must(quad.Integrate(func(y float64) float64 { return math.Exp(phi(y) - phi(x)) }, x, x+1))
		return r.Value
	}
	norm := must(quad.Integrate(weight, 0, 1)).Value
	current := d * (1 - math.Exp(-f/d)) / norm
	var errs, flow []float64
	for _, cells := range []int{50, 100, 200} {
		g := ring(cells)
		gen := must(Ito{
			Drift:     func(mu, x []float64) { mu[0] = f + 2*math.Pi*a*math.Sin(2*math.Pi*x[0]) },
			Diffusion: Isotropic(d),
		}.On(g))
		p := must(gen.Steady())
		worst := 0.0
		for k, v := range p {
			worst = math.Max(worst, math.Abs(v-weight(g.points[k])/norm))
		}
		errs = append(errs, worst)
		j := gen.Current(nil, p)
		for k := range j {
			if math.Abs(j[k]/j[0]-1) > 1e-9 {
				t.Fatalf("the current is %v in cell 0 and %v in cell %d", j[0], j[k], k)
			}
		}
		flow = append(flow, math.Abs(j[0]-current))
		h := must(Evolve(context.Background(), gen, must(g.Normalize(func([]float64) float64 { return 1 })), Config{Step: 0.02, Steps: 400}))
		if dist := furthest(h.Last(), p); dist > 1e-10 {
			t.Errorf("after t = 8 the density is %g from the steady state", dist)
		}
		var e *ebmkit.ArgError
		if _, err := gen.Gap(); !errors.As(err, &e) {
			t.Errorf("a spectral gap of an irreversible diffusion: %v", err)
		}
	}
	t.Logf("current %.6f; errors of the density %.2e, order %.2f; of the current %.2e, order %.2f", current, errs, order(errs), flow, order(flow))
	if math.Abs(order(errs)-2) > 0.1 || order(flow) < 1.9 || errs[2] > 1e-3 {
		t.Error("not of second order")
	}
}

// A drift that turns leaves the Gaussian as it is but has a current.
func TestRotation(t *testing.T) {
	const omega = 1.5
	var errs []float64
	for _, cells := range []int{24, 48} {
		g := plane(-4, 4, cells, cells)
		gen := must(Ito{
			Drift:     func(mu, x []float64) { mu[0], mu[1] = -x[0]-omega*x[1], -x[1]+omega*x[0] },
			Diffusion: Isotropic(1), MaxPeclet: 4,
		}.On(g))
		p := must(gen.Steady())
		want := must(g.Boltzmann(must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))))
		errs = append(errs, furthest(p, want))
		j := gen.Current(nil, p)
		k := cells/2*cells + 5*cells/8 // about (1, 0)
		if x := g.point(k); math.Abs(j[2*k+1]/(omega*x[0]*p[k])-1) > 0.1 {
			t.Errorf("current %v at %v", j[2*k:2*k+2], x)
		}
	}
	if errs[1] > 2e-3 || math.Abs(order(errs)-2) > 0.2 {
		t.Errorf("errors %.2e, order %.2f", errs, order(errs))
	}
}

// Review eq. (48) to (50): along the solution the Kullback-Leibler divergence
// falls at the rate Eps times the Fisher divergence, which the review prints
// without Eps. In time the identity is exact; on the grid its error falls as the
// square of the cells' width.
func TestDissipation(t *testing.T) {
	const eps = 0.4
	well := must(energy.NewDoubleWell(1, 1))
	var errs []float64
	for _, cells := range []int{50, 100, 200, 400} {
		g := line(-2.6, 2.6, cells)
		gen := must(Langevin{Energy: well, Eps: eps, MaxPeclet: 3}.On(g))
		pi := must(gen.Steady())
		const dt = 1e-4
		h := must(Evolve(context.Background(), gen, normal(g, 0.4, 0.5), Config{Step: dt, Steps: 3000, Every: 1}))
		last, worst := math.Inf(1), 0.0
		for i := 10; i < len(h.P)-1; i += 10 {
			p := h.P[i]
			kl, rate, fisher := g.KL(p, pi), gen.KLRate(p, pi), g.Fisher(p, pi)
			slope := (g.KL(h.P[i+1], pi) - g.KL(h.P[i-1], pi)) / (2 * dt)
			if math.Abs(slope-rate) > 1e-5*math.Abs(rate) {
				t.Fatalf("t = %g: d/dt KL is %v, the flow through the faces gives %v", h.T[i], slope, rate)
			}
			if kl >= last || rate > 0 {
				t.Fatalf("t = %g: KL rises", h.T[i])
			}
			last = kl
			worst = math.Max(worst, math.Abs(rate+eps*fisher)/fisher)
			if math.Abs(rate+fisher) < 0.3*fisher {
				t.Fatal("the identity without Eps goes unnoticed")
			}
		}
		errs = append(errs, worst)
	}
	t.Logf("relative errors of d/dt KL = -Eps Fisher: %.2e, order %.2f", errs, order(errs))
	if errs[3] > 1e-3 || math.Abs(order(errs)-2) > 0.1 {
		t.Error("not of second order")
	}
}

// Divergences on the grid against closed forms of Gaussians.
func TestMeasures(t *testing.T) {
	g := line(-9, 9, 1200)
	p, q := normal(g, 0.5, 1.2), normal(g, -0.3, 0.8)
	sp, sq, dm := 1.44, 0.64, 0.8
	for _, c := range []struct {
		name             string
		got, want, bound float64
	}{
		{"KL", g.KL(p, q), (sp/sq - 1 + dm*dm/sq - math.Log(sp/sq)) / 2, 1e-9},
		{"entropy", g.Entropy(p), (1 + math.Log(2*math.Pi*sp)) / 2, 1e-9},
		{"Fisher", g.Fisher(p, q), (1/sp-1/sq)*(1/sp-1/sq)*sp + dm*dm/(sq*sq), 1e-3},
		{"KL of itself", g.KL(p, p), 0, 0},
		{"mean", g.Expect(p, func(x []float64) float64 { return x[0] }), 0.5, 1e-9},
		{"free energy", must(g.FreeEnergy(p, must(energy.NewGaussian1D(-0.3, 0.8)))) - g.KL(p, q), -math.Log(math.Sqrt(2 * math.Pi * sq)), 1e-9},
	} {
		if math.Abs(c.got-c.want) > c.bound {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	// A divergence far below the rounding of its terms.
	near := append([]float64(nil), q...)
	for k, x := range g.points {
		near[k] *= 1 + 1e-9*math.Sin(x)
	}
	want := 0.0
	for k, v := range q {
		want += g.volume * v * (near[k]/v - 1) * (near[k]/v - 1) / 2
	}
	if got := g.KL(near, q); math.Abs(got/want-1) > 1e-6 {
		t.Errorf("KL of a relative difference of 1e-9: %g, want %g", got, want)
	}
	if v := g.KL(p, make([]float64, g.size)); !math.IsInf(v, 1) {
		t.Errorf("KL to zero = %v", v)
	}
	two := plane(-6, 6, 120, 100)
	r := must(two.Boltzmann(must(energy.NewDiagonalGaussian([]float64{0, 1}, []float64{1, 0.7}))))
	s := must(two.Boltzmann(must(energy.NewIsotropicGaussian([]float64{0, 0}, 1))))
	if f, want := two.Fisher(r, s), (1/0.49-1)*(1/0.49-1)*0.49+1; math.Abs(f/want-1) > 0.02 {
		t.Errorf("Fisher divergence in the plane %v, want %v", f, want)
	}
	if d := furthest(two.Marginal(r, 1), normal(line(-6, 6, 100), 1, 0.7)); d > 1e-12 {
		t.Errorf("marginal off by %g", d)
	}
	// Points at the quantiles are 1/(2n) from their own law.
	xs := must(NormalQuantiles(200, 0.5, 1.2))
	if d := must(g.Kolmogorov(p, xs)); math.Abs(d-1./400) > 1e-4 {
		t.Errorf("Kolmogorov's distance of quantiles %v, want 1/400", d)
	}
	if d := must(g.Kolmogorov(p, []float64{100})); math.Abs(d-1) > 1e-12 {
		t.Errorf("Kolmogorov's distance of a point beyond the grid %v, want 1", d)
	}
}

// The gap of the Ornstein-Uhlenbeck process is 1/sd^2, with Hermite's first
// polynomial; of an interval of length L with nothing in it pi^2/L^2, exactly
// 2 (1 - cos(pi/n)) D/h^2 on n cells; of two wells what the tail of the solution
// says; small gaps keep their digits.
func TestGap(t *testing.T) {
	g := line(-8, 8, 800)
	ou := must(must(Langevin{Energy: must(energy.NewGaussian1D(0, 1))}.On(g)).Gap())
	if math.Abs(ou.Rate-1) > 1e-4 {
		t.Errorf("gap of the Ornstein-Uhlenbeck process %v", ou.Rate)
	}
	for k, x := range g.points {
		if math.Abs(x) < 3 && math.Abs(ou.Mode[k]-x) > 1e-3 {
			t.Fatalf("mode %v at x = %v", ou.Mode[k], x)
		}
	}
	box := must(must(Ito{Diffusion: Isotropic(1)}.On(line(0, 2, 50))).Gap())
	if want := 2 * (1 - math.Cos(math.Pi/50)) / (0.04 * 0.04); math.Abs(box.Rate/want-1) > 1e-11 {
		t.Errorf("gap of an interval %v, want %v", box.Rate, want)
	}
	// In the plane it is the smaller of the two of a product.
	two := must(energy.NewDiagonalGaussian([]float64{0, 0}, []float64{1, 1.5}))
	flat := must(must(Langevin{Energy: two}.On(plane(-8, 8, 64, 64))).Gap())
	one := must(must(Langevin{Energy: must(energy.NewGaussian1D(0, 1.5))}.On(line(-8, 8, 64))).Gap())
	if math.Abs(flat.Rate/one.Rate-1) > 1e-10 {
		t.Errorf("gap of a product %v, of its slow factor %v", flat.Rate, one.Rate)
	}
	// Wells with barriers of 1 to 60: the decay of the mean, and for the high
	// ones the resistance of the barrier.
	for _, barrier := range []float64{1, 5, 20, 60} {
		well := must(energy.NewDoubleWell(barrier, 1)) // a (x^2 - b)^2
		g := line(-2.2, 2.2, 600)
		gen := must(Langevin{Energy: well, MaxPeclet: 3}.On(g))
		gap := must(gen.Gap())
		if barrier >= 20 {
			pi := must(gen.Steady())
			if want := exitRate(gen, pi); math.Abs(gap.Rate/want-1) > 1e-6 {
				t.Errorf("barrier %g: gap %.6e, rate of exits %.6e", barrier, gap.Rate, want)
			}
		} else {
			p := normal(g, 0.8, 0.3)
			odd := func(p []float64) float64 { return g.Expect(p, func(x []float64) float64 { return x[0] }) }
			T := 1 / gap.Rate
			h := must(Evolve(context.Background(), gen, p, Config{Step: T / 2000, Steps: 8000, Every: 4000}))
			m := h.Each(odd)
			if got := math.Log(m[1]/m[2]) / (2 * T); math.Abs(got/gap.Rate-1) > 1e-3 {
				t.Errorf("barrier %g: gap %.6e, the mean decays at the rate %.6e", barrier, gap.Rate, got)
			}
		}
		t.Logf("barrier %g: gap %.6e", barrier, gap.Rate)
	}
	wall := must(energy.NewFunc(1, func(x []float64) float64 {
		if math.Abs(x[0]) < 0.5 {
			return math.Inf(1)
		}
		return 0
	}, nil))
	apart := must(Langevin{Energy: wall}.On(line(-2, 2, 40)))
	if gap := must(apart.Gap()); gap.Rate != 0 || gap.Mode != nil {
		t.Errorf("gap of two regions %v", gap.Rate)
	}
	gen := must(Langevin{Energy: must(energy.NewGaussian1D(0, 1))}.On(g))
	if err := gen.SetRestart(0.7, normal(g, 1, 1)); err != nil {
		t.Fatal(err)
	}
	if gap := must(gen.Gap()); math.Abs(gap.Rate-0.7-ou.Rate) > 1e-12 {
		t.Errorf("gap with restarts %v", gap.Rate)
	}
}

// exitRate is the Rayleigh quotient of the committor between the minima -1 and 1
// of a symmetric well: 4/(sum of the links' resistances between them). The gap is
// below it by a factor exponentially close to 1.
func exitRate(gen *Generator, pi []float64) float64 {
	resistance := 0.0
	gen.Rates(func(i, k int, there, _ float64) {
		if x := gen.grid.points; math.Abs(x[i]) < 1 && math.Abs(x[k]) < 1 {
			resistance += 1 / (gen.grid.volume * pi[i] * there)
		}
	})
	return 4 / resistance
}

// Restarts, review eq. (112): of the Ornstein-Uhlenbeck process at the rate nu to
// N(0, s^2) the variance tends to (2 + nu s^2)/(2 + nu).
func TestRestarts(t *testing.T) {
	const nu, s = 1.3, 0.4
	g := line(-9, 9, 900)
	gen := must(Langevin{Energy: must(energy.NewGaussian1D(0, 1))}.On(g))
	before := must(gen.Steady())
	if err := gen.SetRestart(nu, normal(g, 0, s)); err != nil {
		t.Fatal(err)
	}
	p := must(gen.Steady())
	square := func(x []float64) float64 { return x[0] * x[0] }
	want := (2 + nu*s*s) / (2 + nu)
	if v := g.Expect(p, square); math.Abs(v-want) > 1e-4 {
		t.Errorf("variance %v, want %v", v, want)
	}
	h := must(Evolve(context.Background(), gen, before, Config{Step: 1e-3, Steps: 500}))
	if v, want := g.Expect(h.Last(), square), want+(1-want)*math.Exp(-(2+nu)*0.5); math.Abs(v-want) > 1e-4 {
		t.Errorf("variance at t = 0.5 %v, want %v", v, want)
	}
	for _, s := range []Scheme{TRBDF2, CrankNicolson, BackwardEuler} {
		q := append([]float64(nil), p...)
		if err := must(NewFlow(gen, s, 0.5)).Advance(q, 30); err != nil || relative(q, p) > 1e-11 {
			t.Errorf("%v: the steady state with restarts moves by %g: %v", s, relative(q, p), err)
		}
	}
	if err := gen.SetRestart(0, nil); err != nil || furthest(before, must(gen.Steady())) != 0 {
		t.Errorf("removing the restarts: %v", err)
	}
	// In the plane splitting moves the steady state by the square of the step.
	two := must(Langevin{Energy: crossed()}.On(plane(-3, 3, 24, 24)))
	back := must(two.grid.Boltzmann(must(energy.NewIsotropicGaussian([]float64{-1, 1}, 0.5))))
	if err := two.SetRestart(0.6, back); err != nil {
		t.Fatal(err)
	}
	steady := must(two.Steady())
	var errs []float64
	for _, h := range []float64{0.1, 0.05} {
		q := append([]float64(nil), steady...)
		if err := must(NewFlow(two, TRBDF2, h)).Advance(q, int(10/h)); err != nil {
			t.Fatal(err)
		}
		errs = append(errs, furthest(q, steady))
	}
	if math.Abs(order(errs)-2) > 0.3 || errs[1] > 1e-3 {
		t.Errorf("steady state of the split steps off by %.2e, order %.2f", errs, order(errs))
	}
}

// An energy that changes along the way, and walls.
func TestSetEnergy(t *testing.T) {
	g := line(-4, 4, 160)
	narrow, wide := must(energy.NewGaussian1D(0, 0.5)), must(energy.NewGaussian1D(0, 1))
	gen := must(Langevin{Energy: narrow}.On(g))
	f := must(NewFlow(gen, TRBDF2, 0.02))
	p := must(gen.Steady())
	if err := gen.SetEnergy(wide); err != nil {
		t.Fatal(err)
	}
	if err := f.Advance(p, 1500); err != nil {
		t.Fatal(err)
	}
	if d := relative(p, must(g.Boltzmann(wide))); d > 1e-9 {
		t.Errorf("the flow does not follow the energy: %g", d)
	}
	if err := wide.SetParams([]float64{0.3, math.Log(0.8)}); err != nil {
		t.Fatal(err)
	}
	if err := gen.SetEnergy(wide); err != nil {
		t.Fatal(err)
	}
	if err := f.Advance(p, 1500); err != nil {
		t.Fatal(err)
	}
	if d := relative(p, normal(g, 0.3, 0.8)); d > 1e-9 {
		t.Errorf("the flow does not follow the parameters: %g", d)
	}
	disc := must(energy.NewFunc(2, func(x []float64) float64 {
		if x[0]*x[0]+x[1]*x[1] > 1 {
			return math.Inf(1)
		}
		return 0
	}, nil))
	round := must(Langevin{Energy: disc}.On(plane(-1.2, 1.2, 48, 48)))
	q := must(round.Steady())
	p = make([]float64, len(q))
	for k := range p {
		if round.grid.point(k)[0] < 0 {
			p[k] = 2 * q[k]
		}
	}
	h := must(Evolve(context.Background(), round, p, Config{Step: 0.01, Steps: 1000}))
	if d := furthest(h.Last(), q); d > 1e-9 {
		t.Errorf("in a disc with walls the density ends %g from uniform", d)
	}
	// The slowest mode of a disc is J_1, rate 1.8412^2.
	if gap := must(round.Gap()); math.Abs(gap.Rate/(1.8412*1.8412)-1) > 0.05 {
		t.Errorf("gap of a disc %v", gap.Rate)
	}
}

// The scheme of Jordan, Kinderlehrer and Otto in quantiles follows the equation,
// with an error of first order in its step.
func TestForwardBackwardFollowsTheEquation(t *testing.T) {
	well := must(energy.NewDoubleWell(1, 1))
	g := line(-3.2, 3.2, 1200)
	gen := must(Langevin{Energy: well, MaxPeclet: 3}.On(g))
	const end = 0.4
	p := must(Evolve(context.Background(), gen, normal(g, 0.3, 0.5), Config{Step: 1e-3, Steps: 400})).Last()
	mean := g.Expect(p, func(x []float64) float64 { return x[0] })
	second := g.Expect(p, func(x []float64) float64 { return (x[0] - mean) * (x[0] - mean) })
	var errs []float64
	for _, h := range []float64{0.04, 0.02, 0.01} {
		q := must(NormalQuantiles(1600, 0.3, 0.5))
		for range int(math.Round(end / h)) {
			_, next, err := ForwardBackward(well, h, q)
			if err != nil {
				t.Fatal(err)
			}
			q = next
		}
		m, v := moments(q)
		d := must(g.Kolmogorov(p, q))
		errs = append(errs, d)
		t.Logf("h = %g: mean %.5f (%.5f), variance %.5f (%.5f), distance of the distribution functions %.2e", h, m, mean, v, second, d)
	}
	if o := order(errs); errs[2] > 0.004 || o < 0.7 || o > 1.3 {
		t.Errorf("distances %.2e, order %.2f", errs, o)
	}
}

func TestEvolve(t *testing.T) {
	g := line(-4, 4, 100)
	gen := must(Langevin{Energy: must(energy.NewGaussian1D(0, 1))}.On(g))
	p0 := normal(g, 1, 0.5)
	h := must(Evolve(context.Background(), gen, p0, Config{Step: 0.01, Steps: 25, Every: 10}))
	if got := fmt.Sprintf("%.2f", h.T); got != "[0.00 0.10 0.20 0.25]" || len(h.P) != 4 || h.Steps != 25 {
		t.Errorf("times %s, %d densities", got, len(h.P))
	}
	thin := must(Evolve(context.Background(), gen, p0, Config{Step: 0.01, Steps: 25}))
	if furthest(thin.Last(), h.Last()) != 0 || furthest(h.P[0], p0) != 0 {
		t.Error("what is kept changes the solution")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if h, err := Evolve(ctx, gen, p0, Config{Step: 0.01, Steps: 25}); !errors.Is(err, context.Canceled) || len(h.P) != 1 {
		t.Errorf("cancelled: %v", err)
	}
	if n, at := gen.Peclet(); math.Abs(n-3.92*0.08) > 1e-12 || math.Abs(math.Abs(at[0])-3.94) > 0.03 { // |U'| h at the last face
		t.Errorf("cell Peclet number %v at %v", n, at)
	}
}

// The double well relaxes: the divergence falls, in the end at twice the
// spectral gap.
func ExampleEvolve() {
	well, _ := energy.NewDoubleWell(1, 1)
	grid, _ := NewGrid(Axis{Lo: -3, Hi: 3, Cells: 300})
	gen, _ := Langevin{Energy: well}.On(grid)
	start, _ := grid.Normalize(func(x []float64) float64 { return math.Exp(-20 * (x[0] - 1) * (x[0] - 1)) })
	run, _ := Evolve(context.Background(), gen, start, Config{Step: 0.01, Steps: 600, Every: 200})
	steady, _ := gen.Steady()
	for i, p := range run.P {
		fmt.Printf("t = %.0f  KL = %.5f\n", run.T[i], grid.KL(p, steady))
	}
	gap, _ := gen.Gap()
	fmt.Printf("gap %.4f\n", gap.Rate)
	// Output:
	// t = 0  KL = 1.20730
	// t = 2  KL = 0.03171
	// t = 4  KL = 0.00157
	// t = 6  KL = 0.00008
	// gap 0.7487
}
