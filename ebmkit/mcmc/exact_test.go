package mcmc

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// boltzmann returns exp(-u)/Z.
func boltzmann(u []float64) []float64 {
	p := make([]float64, len(u))
	for i, v := range u {
		p[i] = math.Exp(-v)
	}
	z := sum(p)
	for i := range p {
		p[i] /= z
	}
	return p
}

// drift returns max |(pi T)_j - pi_j|, and max |pi_i T_ij - pi_j T_ji|.
func drift(pi, t []float64) (stationary, balance float64) {
	n := len(pi)
	for j := range n {
		var s float64
		for i := range n {
			s += pi[i] * t[i*n+j]
			balance = math.Max(balance, math.Abs(pi[i]*t[i*n+j]-pi[j]*t[j*n+i]))
		}
		stationary = math.Max(stationary, math.Abs(s-pi[j]))
	}
	return stationary, balance
}

// gridProposal discretises a proposal density on the grid xs, row by row.
func gridProposal(xs []float64, logG func(to, from float64) float64) []float64 {
	n := len(xs)
	g := make([]float64, n*n)
	for i := range n {
		u := make([]float64, n)
		for j := range n {
			u[j] = -logG(xs[j], xs[i])
		}
		copy(g[i*n:], boltzmann(u))
	}
	return g
}

func TestMetropolisMatrixOnAGrid(t *testing.T) {
	well := must(energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-1.5, 1}, []float64{0.4, 0.7}))
	const n = 121
	xs, u, du := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range xs {
		xs[i] = -4 + 8*float64(i)/(n-1)
		u[i] = well.EnergyGrad(du[i:i+1], xs[i:i+1])
	}
	at := func(x float64) int { return int(math.Round((x + 4) / 8 * (n - 1))) }
	const h = 0.1
	proposals := map[string][]float64{
		"random walk":  gridProposal(xs, func(to, from float64) float64 { return -(to - from) * (to - from) / (2 * 0.5) }),
		"independence": gridProposal(xs, func(to, from float64) float64 { return -to * to / 8 }),
		"MALA": gridProposal(xs, func(to, from float64) float64 {
			m := to - from + h*du[at(from)]
			return -m * m / (4 * h)
		}),
	}
	pi := boltzmann(u)
	for name, g := range proposals {
		m := must(MetropolisMatrix(u, g))
		s, b := drift(pi, m)
		t.Logf("%s: |pi T - pi| <= %.1e, detailed balance to %.1e", name, s, b)
		if s > 1e-12 || b > 1e-12 {
			t.Errorf("%s: not stationary to 1e-12 (%g) or not reversible (%g)", name, s, b)
		}
		if s, _ := drift(pi, g); s < 1e-4 {
			t.Errorf("%s: the proposal alone is stationary to %g: the test has no power", name, s)
		}
	}
	// The wrong ratio, without the proposal's densities, must fail for MALA.
	wrong := make([]float64, n*n)
	g := proposals["MALA"]
	for i := range n {
		wrong[i*n+i] = 1
		for j := range n {
			if j != i {
				wrong[i*n+j] = g[i*n+j] * acceptance(u[i]-u[j])
				wrong[i*n+i] -= wrong[i*n+j]
			}
		}
	}
	if s, b := drift(pi, wrong); s < 1e-4 || b < 1e-4 {
		t.Errorf("without the proposal ratio: drift %g, balance %g: the test has no power", s, b)
	}
}

// onLattice is an energy on the integers -12..12 with a gradient of even
// integers, so that a leapfrog step of length 1 maps integers to integers. The
// gradient is only near U': reversibility and volume are kept by any field, the
// acceptance rule must do the rest.
type onLattice struct{}

const latticeRadius = 12

func (onLattice) Dim() int { return 1 }
func (onLattice) Energy(x []float64) float64 {
	if math.Abs(x[0]) > latticeRadius {
		return math.Inf(1)
	}
	w := x[0]*x[0]/25 - 1
	return 2*w*w + 0.1*x[0]
}
func (e onLattice) EnergyGrad(grad, x []float64) float64 {
	grad[0] = 2 * math.Round((8*x[0]/25*(x[0]*x[0]/25-1)+0.1)/2)
	return e.Energy(x)
}

// latticeMomenta calls fn for each integer momentum with its probability.
func latticeMomenta(fn func(p, w float64)) {
	const most = 9 // exp(-81/2) is below the rounding of what follows
	var z float64
	for p := -most; p <= most; p++ {
		z += math.Exp(-float64(p*p) / 2)
	}
	for p := -most; p <= most; p++ {
		fn(float64(p), math.Exp(-float64(p*p)/2)/z)
	}
}

// latticeMatrix returns the Boltzmann law and the matrix whose row x is filled
// by leave(x, add).
func latticeMatrix(leave func(x float64, add func(to, p float64))) (pi, t []float64) {
	const n = 2*latticeRadius + 1
	u := make([]float64, n)
	t = make([]float64, n*n)
	for i := range n {
		x := float64(i - latticeRadius)
		u[i] = onLattice{}.Energy([]float64{x})
		leave(x, func(to, p float64) { t[i*n+int(to)+latticeRadius] += p })
	}
	return boltzmann(u), t
}

// The leapfrog and the acceptance rule of HMC, enumerated over all momenta.
func TestHMCOnALattice(t *testing.T) {
	matrix := func(sign float64) (pi, m []float64) {
		k := must(HMC{Step: 1, Leapfrog: 3}.Bind(onLattice{}, 1)).(*hmc)
		return latticeMatrix(func(x float64, add func(to, p float64)) {
			latticeMomenta(func(p, w float64) {
				xs, v, grad, u := []float64{x}, []float64{p}, []float64{0}, []float64{0}
				h0 := onLattice{}.EnergyGrad(grad, xs) + kinetic(v)
				k.leapfrog(u, xs, v, grad)
				a := acceptance(h0 - u[0] - sign*kinetic(v))
				if a > 0 {
					add(xs[0], w*a)
				}
				add(x, w*(1-a))
			})
		})
	}
	s, b := drift(matrix(1))
	t.Logf("|pi T - pi| <= %.1e, detailed balance to %.1e", s, b)
	if s > 1e-12 || b > 1e-12 {
		t.Errorf("not stationary (%g) or not reversible (%g) to 1e-12", s, b)
	}
	if s, _ := drift(matrix(-1)); s < 1e-4 {
		t.Errorf("with the wrong sign of the kinetic energy the drift is %g: the test has no power", s)
	}
}

// The whole transition of NUTS, enumerated over momenta, directions and picks.
func TestNUTSOnALattice(t *testing.T) {
	numbersOnly(t)
	matrix := func(wrong bool) (pi, m []float64) {
		k := must(NUTS{Step: 1, MaxDepth: 3}.Bind(onLattice{}, 1)).(*nuts)
		type choice struct {
			first bool
			p     float64
		}
		var path []choice
		at := 0
		k.coin = func(p float64) bool {
			if wrong && p != 0.5 {
				p = math.Sqrt(p)
			}
			if p <= 0 || p >= 1 {
				return p >= 1
			}
			if at == len(path) {
				path = append(path, choice{true, p})
			}
			c := path[at]
			at++
			return c.first
		}
		return latticeMatrix(func(x float64, add func(to, p float64)) {
			latticeMomenta(func(p, w float64) {
				for path = path[:0]; ; {
					at = 0
					e := &k.end[0]
					e.x[0], e.v[0] = x, p
					e.u[0] = onLattice{}.EnergyGrad(e.grad, e.x)
					k.transition()
					weight := w
					for _, c := range path {
						if c.first {
							weight *= c.p
						} else {
							weight *= 1 - c.p
						}
					}
					add(k.best.x[0], weight)
					for len(path) > 0 && !path[len(path)-1].first {
						path = path[:len(path)-1]
					}
					if len(path) == 0 {
						return
					}
					path[len(path)-1].first = false
				}
			})
		})
	}
	pi, m := matrix(false)
	n := len(pi)
	moved := 0.0
	for i := range n {
		if s := sum(m[i*n : (i+1)*n]); math.Abs(s-1) > 1e-12 {
			t.Fatalf("row %d sums to %v: the enumeration is not complete", i, s)
		}
		moved += pi[i] * (1 - m[i*n+i])
	}
	s, _ := drift(pi, m)
	t.Logf("|pi T - pi| <= %.1e; moves with probability %.2f", s, moved)
	if s > 1e-12 {
		t.Errorf("not stationary to 1e-12: %g", s)
	}
	if s, _ := drift(matrix(true)); s < 1e-4 {
		t.Errorf("with wrong picks the drift is %g: the test has no power", s)
	}
}

// linearMap returns the matrix of a linear map of R^n, column by column.
func linearMap(n int, f func(in []float64) []float64) [][]float64 {
	cols := make([][]float64, n)
	for j := range cols {
		in := make([]float64, n)
		in[j] = 1
		cols[j] = f(in)
	}
	return cols
}

// covarianceAfter returns M C M' for M given by columns and C n x n.
func covarianceAfter(cols [][]float64, c []float64) []float64 {
	n, m := len(cols), len(cols[0])
	out := make([]float64, m*m)
	for a := range n {
		for b := range n {
			for i := range m {
				for j := range m {
					out[i*m+j] += cols[a][i] * c[a*n+b] * cols[b][j]
				}
			}
		}
	}
	return out
}

// blockCov returns the covariance of (x, xi) for x ~ cov and xi ~ N(0, I).
func blockCov(cov []float64, d, noise int) []float64 {
	n := d + noise
	c := make([]float64, n*n)
	for i := range n {
		if i >= d {
			c[i*n+i] = 1
			continue
		}
		copy(c[i*n:i*n+d], cov[i*d:(i+1)*d])
	}
	return c
}

// One sweep of the Gaussian Gibbs sampler is linear in (x, xi): the covariance
// after it is that of the target, exactly.
func TestGibbsIsStationary(t *testing.T) {
	g := must(energy.NewGaussian(make([]float64, 3), correlated().Cov(nil)))
	w := newGaussianSweeper(g)
	for _, broken := range []bool{false, true} {
		cols := linearMap(6, func(in []float64) []float64 {
			x := append([]float64(nil), in[:3]...)
			for j := range 3 {
				xi := in[3+j]
				if broken {
					xi *= math.Sqrt2
				}
				w.draw(x, j, xi)
			}
			return x
		})
		err := maxDiff(covarianceAfter(cols, blockCov(g.Cov(nil), 3, 3)), g.Cov(nil))
		t.Logf("broken %v: the covariance changes by %.1e", broken, err)
		if !broken && err > 1e-13 || broken && err < 1e-2 {
			t.Errorf("broken %v: the covariance changes by %g", broken, err)
		}
	}
}

// A BAOAB step is linear too: its stationary covariance, found by iterating it,
// has the target's positions exactly and velocities of variance 1 - h^2/(4 s^2).
// Without the middle kick's symmetry (OBABO) the positions are biased.
func TestBAOABGaussianPositionsAreExact(t *testing.T) {
	const sd, gamma = 1.3, 0.8
	target := must(energy.NewGaussian1D(0, sd))
	for _, h := range []float64{0.1, 0.9, 2.3} {
		k := must(Underdamped{Step: h, Friction: gamma}.Bind(target, 1)).(*underdamped)
		cols := linearMap(3, func(in []float64) []float64 { // x, v, xi
			e := &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{in[0]}, V: []float64{in[1]}, Grad: []float64{in[0] / (sd * sd)}}
			k.step(e, in[2:3])
			return []float64{e.X[0], e.V[0]}
		})
		cov := []float64{1, 0, 0, 1}
		for range 5000 {
			cov = covarianceAfter(cols, blockCov(cov, 2, 1))
		}
		wantV := 1 - h*h/(4*sd*sd)
		t.Logf("h = %g: position variance off by %.1e, velocity variance %.6f (%.6f)", h, cov[0]-sd*sd, cov[3], wantV)
		if math.Abs(cov[0]-sd*sd) > 1e-12 || math.Abs(cov[1]) > 1e-12 {
			t.Errorf("h = %g: positions have variance %v, want %v", h, cov[0], sd*sd)
		}
		if math.Abs(cov[3]-wantV) > 1e-12 {
			t.Errorf("h = %g: velocities have variance %v, want %v", h, cov[3], wantV)
		}
		c := math.Exp(-gamma * h / 2)
		obabo := linearMap(4, func(in []float64) []float64 {
			x, v := in[0], c*in[1]+math.Sqrt(1-c*c)*in[2]
			v -= h / 2 * x / (sd * sd)
			x += h * v
			v -= h / 2 * x / (sd * sd)
			return []float64{x, c*v + math.Sqrt(1-c*c)*in[3]}
		})
		cov = []float64{1, 0, 0, 1}
		for range 5000 {
			cov = covarianceAfter(obabo, blockCov(cov, 2, 2))
		}
		if bias := cov[0]/(sd*sd) - 1; math.Abs(bias) < h*h/(8*sd*sd) {
			t.Errorf("h = %g: OBABO has a bias of only %g: the test has no power", h, bias)
		}
	}
}

// The leapfrog integrator has order 2: halving the step quarters the energy
// error; it is reversible and keeps volume.
func TestLeapfrogOrderAndGeometry(t *testing.T) {
	well := must(energy.NewDoubleWell(1, 1))
	end := func(h float64, steps int, x, p float64) (x1, p1, dH float64) {
		k := must(HMC{Step: h, Leapfrog: steps}.Bind(well, 1)).(*hmc)
		xs, v, g, u := []float64{x}, []float64{p}, []float64{0}, []float64{0}
		h0 := well.EnergyGrad(g, xs) + kinetic(v)
		k.leapfrog(u, xs, v, g)
		return xs[0], v[0], u[0] + kinetic(v) - h0
	}
	// The measured order is 2 + c h^2 + O(h^4): two of them give the limit.
	var lastErr, lastOrder float64
	for i, h := range []float64{0.02, 0.01, 0.005, 0.0025} {
		_, _, err := end(h, int(math.Round(1/h)), 0.4, 1.1)
		order := math.Log2(lastErr / err)
		if limit := (4*order - lastOrder) / 3; i > 1 {
			t.Logf("h = %g: energy error %.3e, order %.5f, extrapolated %.7f", h, err, order, limit)
			if math.Abs(limit-2) > 1e4*h*h*h*h {
				t.Errorf("h = %g: order %v in the limit, want 2", h, limit)
			}
		}
		lastErr, lastOrder = err, order
	}
	const h, n, eps = 0.1, 7, 1e-5
	x1, p1, _ := end(h, n, 0.4, 1.1)
	x0, p0, _ := end(h, n, x1, -p1)
	if math.Abs(x0-0.4) > 1e-14 || math.Abs(p0+1.1) > 1e-14 {
		t.Errorf("there and back: (%v, %v), want (0.4, -1.1)", x0, p0)
	}
	xa, pa, _ := end(h, n, 0.4+eps, 1.1)
	xb, pb, _ := end(h, n, 0.4-eps, 1.1)
	xc, pc, _ := end(h, n, 0.4, 1.1+eps)
	xd, pd, _ := end(h, n, 0.4, 1.1-eps)
	det := ((xa-xb)*(pc-pd) - (xc-xd)*(pa-pb)) / (4 * eps * eps)
	if math.Abs(det-1) > 1e-8 {
		t.Errorf("the Jacobian determinant is %v, want 1", det)
	}
}

// A path is the same as one HMC trajectory, goes back the way it came, and its
// energy error stays bounded.
func TestLeapfrogPath(t *testing.T) {
	target := correlated()
	x, p := []float64{0, 1, 2}, []float64{0.5, -1, 0.3}
	a := must(Leapfrog(target, x, p, 0.2, 50))
	k := must(HMC{Step: 0.2, Leapfrog: 50}.Bind(target, 1)).(*hmc)
	xs, v, g, u := append([]float64(nil), x...), append([]float64(nil), p...), make([]float64, 3), make([]float64, 1)
	target.EnergyGrad(g, xs)
	k.leapfrog(u, xs, v, g)
	if maxDiff(a.X[150:], xs) > 1e-12 || maxDiff(a.P[150:], v) > 1e-12 || math.Abs(a.H[50]-u[0]-kinetic(v)) > 1e-12 {
		t.Error("the path does not end where HMC's trajectory ends")
	}
	back := must(Leapfrog(target, a.X[150:], a.P[150:], -0.2, 50))
	if maxDiff(back.X[150:], x) > 1e-12 || maxDiff(back.P[150:], p) > 1e-12 {
		t.Error("the way back misses the start")
	}
	for i, h := range a.H {
		if math.Abs(h-a.H[0]) > 0.2*a.H[0] {
			t.Errorf("energy error %g at step %d", h-a.H[0], i)
		}
	}
	for arg, f := range map[string]func() error{
		"len(x)": func() error { _, err := Leapfrog(target, x[:2], p, 1, 1); return err },
		"len(p)": func() error { _, err := Leapfrog(target, x, nil, 1, 1); return err },
		"h":      func() error { _, err := Leapfrog(target, x, p, 0, 1); return err },
		"steps":  func() error { _, err := Leapfrog(target, x, p, 1, 0); return err },
		"target": func() error { _, err := Leapfrog(energyOnly{target}, x, p, 1, 1); return err },
	} {
		wantArg(t, f(), arg)
	}
}

// The exchange of two replicas on a grid: states are pairs (x, y) with the law
// exp(-b0 U(x) - b1 U(y)).
func TestExchangeOnAGrid(t *testing.T) {
	const n = 9
	b0, b1 := 1.0, 0.3
	u := make([]float64, n)
	for i := range u {
		u[i] = onLattice{}.Energy([]float64{float64(2*i - n)})
	}
	for _, sign := range []float64{1, -1} {
		joint, m := make([]float64, n*n), make([]float64, n*n*n*n)
		for x := range n {
			for y := range n {
				joint[x*n+y] = b0*u[x] + b1*u[y]
				a := exchangeProb(b0, b1, sign*u[x], sign*u[y])
				m[(x*n+y)*n*n+y*n+x] += a
				m[(x*n+y)*n*n+x*n+y] += 1 - a
			}
		}
		s, b := drift(boltzmann(joint), m)
		t.Logf("sign %+g: |pi T - pi| <= %.1e, detailed balance to %.1e", sign, s, b)
		if sign > 0 && (s > 1e-12 || b > 1e-12) || sign < 0 && s < 1e-3 {
			t.Errorf("sign %+g: drift %g, balance %g", sign, s, b)
		}
	}
}

// A systematic Gibbs sweep over three spins: stationary to 1e-12, but without
// detailed balance, which Proposition 4.1's proof says is equivalent.
func TestGibbsSweepIsStationaryWithoutDetailedBalance(t *testing.T) {
	m := spins{coupling: 0.5, field: 0.2}
	u := make([]float64, 8)
	state := func(i int) []float64 {
		return []float64{float64(i&1)*2 - 1, float64(i>>1&1)*2 - 1, float64(i>>2&1)*2 - 1}
	}
	for i := range u {
		u[i] = m.Energy(state(i))
	}
	law := boltzmann(u)
	sweep := make([]float64, 64)
	for i := range 8 {
		sweep[i*8+i] = 1
	}
	for j := range 3 { // redraw spin j from the exact conditional of the law
		next := make([]float64, 64)
		for i := range 8 {
			for k := range 8 {
				up, down := k|1<<j, k&^(1<<j)
				next[i*8+up] += sweep[i*8+k] * law[up] / (law[up] + law[down])
				next[i*8+down] += sweep[i*8+k] * law[down] / (law[up] + law[down])
			}
		}
		sweep = next
	}
	s, b := drift(law, sweep)
	t.Logf("|pi T - pi| <= %.1e, detailed balance violated by %.1e", s, b)
	if s > 1e-12 || b < 1e-3 {
		t.Errorf("drift %g, balance %g", s, b)
	}
}
