package train_test

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// The experiment of Carbone et al.: modes at -10 e1 and +6 e1, 3/4 of the data in
// the second. Nobody crosses between them.
func carbone(d int, z float64) *energy.TwoModes {
	a, b := make([]float64, d), make([]float64, d)
	a[0], b[0] = -10, 6
	return must(energy.NewTwoModes(a, b, z))
}

// moving is the same with means that are learned.
func moving(d int, a, b, z float64) *energy.TwoModes {
	x, y := make([]float64, d), make([]float64, d)
	x[0], y[0] = a, b
	return must(energy.NewMovingModes(x, y, z))
}

var trueZ = -math.Log(3)

func inB(e *ebmkit.Ensemble) float64 {
	n := 0.0
	for i := range e.N {
		if e.Row(i)[0] > -2 {
			n++
		}
	}
	return n / float64(e.N)
}

func TestExactLearnsTheMass(t *testing.T) {
	data := must(ebmkit.Draw(carbone(5, trueZ), 4000, 1))
	for _, z0 := range []float64{0, 1} {
		m := carbone(5, z0)
		tr := must(train.New(m, data, train.Exact{}, sgd(2), train.Config{}))
		if err := tr.Fit(ctx, 300); err != nil {
			t.Fatal(err)
		}
		f := inB(data)
		if math.Abs(m.Mass()-f) > 1e-8 {
			t.Errorf("from z = %g: learned mass %v, fraction of the data %v", z0, m.Mass(), f)
		}
		if z := (m.Mass() - 0.75) / math.Sqrt(0.75*0.25/4000); math.Abs(z) > 4 {
			t.Errorf("learned mass %v, z = %.1f", m.Mass(), z)
		}
		h := tr.History()
		for k := 1; k < len(h); k++ {
			if h[k].Loss > h[k-1].Loss+1e-12 {
				t.Fatalf("the cross-entropy rises at step %d", k)
			}
		}
	}
}

// CD: the gradient is the difference of the data's fraction and that of fresh
// walkers, which start on random data and stay in their mode. So z is a random
// walk around where it starts.
func TestCDKeepsTheMass(t *testing.T) {
	const n, k, eta, walkers = 4000, 200, 0.5, 1000
	data := must(ebmkit.Draw(carbone(5, trueZ), n, 1))
	f := inB(data)
	sd := eta * math.Sqrt(k*f*(1-f)/walkers)
	for _, z0 := range []float64{0, 1} {
		m := carbone(5, z0)
		tr := must(train.New(m, data, train.CD{Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}, Steps: 4}, sgd(eta), train.Config{Seed: 2}))
		if err := tr.Fit(ctx, k); err != nil {
			t.Fatal(err)
		}
		z := m.Params(nil)[0]
		t.Logf("CD from z = %g: %.3f after %d steps, random walk of sd %.3f; the data has %.3f", z0, z, k, sd, trueZ)
		if math.Abs(z-z0) > 4*sd {
			t.Errorf("CD from z = %g: z = %.3f, more than 4 sd of %.3f away", z0, z, sd)
		}
		if math.Abs(z-trueZ) < 4*sd {
			t.Errorf("CD from z = %g: reached %.3f", z0, z)
		}
	}
	// Control: samples of the model instead of the data, and the mass is learned.
	m := carbone(5, 0)
	tr := must(train.New(m, data, train.CD{Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}, Steps: 1, From: m}, sgd(eta), train.Config{Seed: 2}))
	if err := tr.Fit(ctx, k); err != nil {
		t.Fatal(err)
	}
	if z := m.Params(nil)[0]; math.Abs(z-trueZ) > 0.3 {
		t.Errorf("with exact samples z = %v", z)
	}
}

// PCD: walkers keep their mode for ever, so z drifts at the constant rate
// eta (walkers' fraction - data's fraction).
func TestPCDDrifts(t *testing.T) {
	// Not for ever: where z is beyond about +-70 the lesser mode has dissolved.
	const n, k, eta, walkers = 4000, 100, 0.5, 1000
	data := must(ebmkit.Draw(carbone(5, trueZ), n, 1))
	f := inB(data)
	inA := must(ebmkit.Draw(iso(1, -10, 0, 0, 0, 0), walkers, 3))
	for what, o := range map[string]train.PCD{
		"on the data":  {Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}},
		"all in A":     {Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}, Init: inA},
		"on the model": {Walkers: walkers, Kernel: mcmc.MALA{Step: 0.1}, From: carbone(5, 0)},
	} {
		m := carbone(5, 0)
		tr := must(train.New(m, data, o, sgd(eta), train.Config{Seed: 2}))
		w := inB(tr.Walkers())
		if err := tr.Fit(ctx, k); err != nil {
			t.Fatal(err)
		}
		z, want := m.Params(nil)[0], k*eta*(w-f)
		t.Logf("PCD, walkers %s: z = %.4f, predicted %.4f; the data has %.3f", what, z, want, trueZ)
		if math.Abs(z-want) > 1e-6*(1+math.Abs(want)) {
			t.Errorf("walkers %s: z = %v, predicted %v", what, z, want)
		}
		if inB(tr.Walkers()) != w {
			t.Errorf("walkers %s: some changed their mode", what)
		}
		if z := (w - f) / math.Sqrt(f*(1-f)/walkers); what == "on the data" && (z == 0 || math.Abs(z) > 4.5) {
			t.Errorf("fraction of the walkers %v, of the data %v", w, f)
		}
	}
}

// Jarzynski: over five seeds the learned mass is that of the data, and an
// independent ensemble on the recorded path finds the exact log Z.
func TestJarzynskiLearnsTheMass(t *testing.T) {
	n, k, d, walkers := 4000, 300, 10, 3000
	if testing.Short() {
		n, d, walkers = 1000, 3, 1500
	}
	data := must(ebmkit.Draw(carbone(d, trueZ), n, 1))
	f := inB(data)
	o := train.Jarzynski{Walkers: walkers, Kernel: mcmc.ULA{Step: 0.1}}
	var mass []float64
	for seed := range uint64(5) {
		m := carbone(d, 0)
		opt := must(nn.NewSGD[float64](nn.Harmonic{Start: 0.5, Half: 60}))
		tr := must(train.New(m, data, o, opt, train.Config{Seed: seed, KeepPath: true}))
		if err := tr.Fit(ctx, k); err != nil {
			t.Fatal(err)
		}
		mass = append(mass, m.Mass())
		last := tr.History()[k-1]
		at := carbone(d, tr.Path().Row(k - 1)[0])
		if e := last.LogZ - at.LogZ(); math.Abs(e) > 0.1 {
			t.Errorf("seed %d: log Z = %v, exact %v", seed, last.LogZ, at.LogZ())
		}
		if seed > 0 {
			continue
		}
		est := must(train.Follow(ctx, m, tr.Path(), o, 99))
		if len(est) != k+1 || m.Mass() != mass[0] {
			t.Fatalf("%d estimates; mass %v became %v", len(est), mass[0], m.Mass())
		}
		for i := 0; i <= k; i += 50 {
			exact := carbone(d, tr.Path().Row(i)[0]).LogZ()
			if z := est[i].Z(exact); i > 0 && math.Abs(z) > 4 || i == 0 && est[i].Value != exact {
				t.Errorf("theta_%d: log Z %v, exact %v, z = %.1f", i, est[i], exact, z)
			}
		}
	}
	got := ebmkit.MeanOf(mass)
	t.Logf("learned mass %v over five seeds, fraction of the data %v", got, f)
	if z := got.Z(f); math.Abs(z) > 4 || got.SE > 0.01 {
		t.Errorf("learned mass %v, fraction of the data %v", got, f)
	}
}

// plainULA is ULA that Jarzynski does not know to correct.
type plainULA struct{ mcmc.ULA }

// A stiffness change 1 -> 4, with and without the correction for ULA's bias.
func TestFollowNeedsTheCorrection(t *testing.T) {
	const d, k = 4, 60
	path := must(ebmkit.NewEnsemble(k+1, 2*d))
	for i := range path.N {
		for j := range d {
			path.Row(i)[d+j] = -math.Ln2 * float64(i) / k
		}
	}
	m := iso(1, 0, 0, 0, 0)
	exact := m.LogZ() - d*math.Ln2
	walkers := 8000
	if testing.Short() {
		walkers = 2000
	}
	run := func(kernel mcmc.Method, steps int) float64 {
		est := must(train.Follow(ctx, m, path, train.Jarzynski{Walkers: walkers, Kernel: kernel, Steps: steps}, 1))
		last := est[len(est)-1]
		t.Logf("%T, %d steps: log Z %v, exact %v, z = %.1f", kernel, steps, last, exact, last.Z(exact))
		return math.Abs(last.Z(exact))
	}
	if z := run(mcmc.ULA{Step: 0.1}, 1); z > 4 {
		t.Errorf("ULA: z = %.1f", z)
	}
	if z := run(mcmc.ULA{Step: 0.1}, 3); z > 4 {
		t.Errorf("ULA, 3 steps: z = %.1f", z)
	}
	if z := run(mcmc.MALA{Step: 0.1}, 2); z > 4 {
		t.Errorf("MALA: z = %.1f", z)
	}
	if z := run(plainULA{mcmc.ULA{Step: 0.1}}, 3); z < 5 {
		t.Errorf("without the correction nothing is wrong: z = %.1f", z)
	}
}

// Walkers that drive their own parameters: log Z is too small by about K eta d/N
// when the mean of a unit Gaussian is trained.
func TestDrivingBias(t *testing.T) {
	const d, k, eta = 4, 60, 0.1
	data := must(ebmkit.NewEnsemble(1, d))
	bias := func(walkers, runs int) ebmkit.Estimate {
		v := make([]float64, runs)
		for seed := range v {
			m := iso(1, 0, 0, 0, 0)
			tr := must(train.New(means{m}, data, train.Jarzynski{Walkers: walkers, Kernel: mcmc.ULA{Step: 0.5}, Resample: 0.3}, sgd(eta), train.Config{Seed: uint64(seed)}))
			if err := tr.Fit(ctx, k+1); err != nil {
				t.Fatal(err)
			}
			v[seed] = tr.History()[k].LogZ - m.LogZ()
		}
		return ebmkit.MeanOf(v)
	}
	runs := 200
	if testing.Short() {
		runs = 60
	}
	var scaled []ebmkit.Estimate
	for _, walkers := range []int{64, 256} {
		got, want := bias(walkers, runs), -k*eta*d/float64(walkers)
		t.Logf("N = %d: bias of log Z %v, K eta d/N = %.4f", walkers, got, want)
		// The estimate leaves out that theta remembers the noise of earlier steps,
		// which takes away a fifth here.
		if r := got.Value / want; math.Abs(r-0.85) > 0.25 {
			t.Errorf("N = %d: bias %v, expected about %.4f", walkers, got, want)
		}
		scaled = append(scaled, ebmkit.Estimate{Value: got.Value * float64(walkers), SE: got.SE * float64(walkers)})
	}
	if z := (scaled[0].Value - scaled[1].Value) / math.Hypot(scaled[0].SE, scaled[1].SE); math.Abs(z) > 4 || scaled[1].Z(0) > -4 {
		t.Errorf("N times the bias is %v and %v: not one number, or 0", scaled[0], scaled[1])
	}
	// Not so when the path is fixed.
	m := iso(1, 0, 0, 0, 0)
	path := must(ebmkit.NewEnsemble(k+1, 2*d))
	ebmkit.NewStream(1, "walk", 0).FillNormal(path.X)
	for i := range path.N {
		for j := range d {
			x := &path.Row(i)[j]
			*x *= 0.1
			if i == 0 {
				*x = 0
			} else {
				*x += path.Row(i - 1)[j]
			}
			path.Row(i)[d+j] = 0
		}
	}
	est := must(train.Follow(ctx, m, path, train.Jarzynski{Walkers: 4000, Kernel: mcmc.ULA{Step: 0.5}}, 3))
	if z := est[k].Z(m.LogZ()); math.Abs(z) > 4 {
		t.Errorf("a fixed path: log Z %v, exact %v", est[k], m.LogZ())
	}
}

// What float32 inside a network adds to log Z: the same walkers, noise and path.
func TestFollowInFloat32(t *testing.T) {
	make := func(p nn.Precision) *nn.Energy {
		return must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{2, 16, 16, 1}, Act: nn.SiLU, Precision: p, Seed: 1})), 1))
	}
	wide, narrow := make(nn.Float64), make(nn.Float32)
	const k = 200
	theta := wide.Params(nil)
	path := must(ebmkit.NewEnsemble(k+1, len(theta)))
	for i := range path.N {
		for j, v := range theta {
			path.Row(i)[j] = v * (0.01 + float64(i)/k)
		}
	}
	o := train.Jarzynski{Walkers: 500, Kernel: mcmc.ULA{Step: 0.02}, Init: must(ebmkit.Draw(iso(1, 0, 0), 500, 1))}
	a, b := must(train.Follow(ctx, wide, path, o, 1)), must(train.Follow(ctx, narrow, path, o, 1))
	d := math.Abs(a[k].Value - b[k].Value)
	t.Logf("log Z %v in float64; float32 changes it by %.1e", a[k], d)
	if d > 1e-6 || d == 0 {
		t.Errorf("float32 changes log Z by %.1e", d)
	}
}

// means is a Gaussian of which only the mean is trained.
type means struct{ *energy.DiagonalGaussian }

func (m means) NumParams() int { return m.Dim() }
func (m means) Params(dst []float64) []float64 {
	return append(dst[:0], m.Mean(nil)...)
}
func (m means) SetParams(theta []float64) error {
	all := m.DiagonalGaussian.Params(nil)
	copy(all, theta)
	return m.DiagonalGaussian.SetParams(all)
}
func (m means) AddParamGrad(dst, w, xs []float64) {
	all := make([]float64, 2*m.Dim())
	m.DiagonalGaussian.AddParamGrad(all, w, xs)
	for j := range dst {
		dst[j] += all[j]
	}
}

// An RBM on bars and stripes, 3 x 3: Jarzynski's log Z along training against the
// sum over all states. What the driving walkers' log Z lacks is sum_k eta_k tr
// Cov(dU/dtheta)/N; independent walkers on the same path lack nothing.
func TestJarzynskiRBM(t *testing.T) {
	bars := barsAndStripes()
	data := &ebmkit.Ensemble{N: len(bars) / 9, Dim: 9, X: bars}
	const k, eta = 150, 0.05
	var diff []float64
	seeds, walkers := uint64(6), 1000
	if testing.Short() {
		seeds, walkers = 4, 200
	}
	var want float64
	for seed := range seeds {
		m := must(spin.NewRBM(9, 8))
		m.Randomize(0.3, 5)
		o := train.Jarzynski{Walkers: walkers, Kernel: mcmc.Gibbs{}, Init: sampleStates(m, walkers, seed)}
		tr := must(train.New(m, data, o, sgd(eta), train.Config{Seed: seed, KeepPath: true}))
		if err := tr.Fit(ctx, k); err != nil {
			t.Fatal(err)
		}
		last := tr.History()[k-1]
		at := must(spin.NewRBM(9, 8))
		at.SetParams(tr.Path().Row(k - 1))
		exact := must(at.ExactLogZ())
		diff = append(diff, last.LogZ-exact)
		if first := tr.History()[0]; last.Loss > first.Loss-0.3 {
			t.Errorf("the cross-entropy fell from %.3f to %.3f only", first.Loss, last.Loss)
		}
		if seed > 0 {
			continue
		}
		for i := range k {
			at.SetParams(tr.Path().Row(i))
			if i%10 == 0 {
				want -= 10 * eta * trCov(at, sampleStates(at, 300, 7)) / float64(walkers)
			}
		}
		at.SetParams(tr.Path().Row(0))
		o.Init = sampleStates(at, walkers, 55)
		est := must(train.Follow(ctx, at, tr.Path(), o, 99))
		if z := est[k-1].Z(exact); math.Abs(z) > 4 {
			t.Errorf("independent walkers: log Z %v, exact %v", est[k-1], exact)
		}
	}
	got := ebmkit.MeanOf(diff)
	t.Logf("RBM: log Z - exact = %v over %d seeds, expected about %.4f", got, len(diff), want)
	if r := got.Value / want; math.Abs(r-0.9) > 0.3 {
		t.Errorf("log Z - exact = %v, expected about %.4f", got, want)
	}
}

// trCov returns the trace of the covariance of dU/dtheta over the points.
func trCov(m ebmkit.Parametric, e *ebmkit.Ensemble) float64 {
	p := m.NumParams()
	mean, square := make([]float64, p), 0.0
	g := make([]float64, p)
	for i := range e.N {
		clear(g)
		m.AddParamGrad(g, nil, e.Row(i))
		for k, v := range g {
			mean[k] += v / float64(e.N)
			square += v * v / float64(e.N)
		}
	}
	for _, v := range mean {
		square -= v * v
	}
	return square
}

func barsAndStripes() []float64 {
	var x []float64
	for p := range 8 {
		for _, rows := range []bool{true, false} {
			if !rows && (p == 0 || p == 7) {
				continue
			}
			for r := range 3 {
				for c := range 3 {
					k := c
					if rows {
						k = r
					}
					x = append(x, float64(p>>k&1))
				}
			}
		}
	}
	return x
}

// sampleStates draws from an RBM of 9 visible units by its list of states.
func sampleStates(m spin.RBM, n int, seed uint64) *ebmkit.Ensemble {
	state := func(dst []float64, s int) {
		for j := range dst {
			dst[j] = float64(s >> j & 1)
		}
	}
	logZ := must(m.ExactLogZ())
	v := make([]float64, 9)
	cum := make([]float64, 512)
	sum := 0.0
	for s := range cum {
		state(v, s)
		sum += math.Exp(-m.Energy(v) - logZ)
		cum[s] = sum
	}
	out := must(ebmkit.NewEnsemble(n, 9))
	st := ebmkit.NewStream(seed, "states", 0)
	for i := range n {
		u, s := st.Float64()*sum, 0
		for cum[s] < u {
			s++
		}
		state(out.Row(i), s)
	}
	return out
}

// CD's direction is that of the Fisher divergence as P h goes to 0, if walkers
// are compared with their own starts; the printed difference drowns in noise.
func TestCDFollowsTheFisherGradient(t *testing.T) {
	data := must(ebmkit.Draw(gauss1(0.3, 1.2), 40000, 1))
	m := mixture1()
	_, fisher := gradOnce(t, m, data, train.ISM{})
	cosine := func(a, b []float64) float64 {
		var ab, aa, bb float64
		for i := range a {
			ab += a[i] * b[i]
			aa += a[i] * a[i]
			bb += b[i] * b[i]
		}
		return ab / math.Sqrt(aa*bb)
	}
	last := 0.0
	for _, h := range []float64{0.1, 0.01, 0.001} {
		_, g := gradOnce(t, m, data, train.PairedCD{Step: h, Steps: 2})
		_, plain := gradOnce(t, m, data, train.CD{Walkers: 40000, Kernel: mcmc.ULA{Step: h}, Steps: 2})
		var size float64
		for k := range g {
			size += g[k] * fisher[k] / (2 * h)
		}
		var norm float64
		for _, f := range fisher {
			norm += f * f
		}
		t.Logf("h = %g: cosine of paired CD %.5f, length %.3f of P h times the Fisher gradient; cosine of plain CD %.3f", h, cosine(g, fisher), size/norm, cosine(plain, fisher))
		last = cosine(g, fisher)
		if h == 0.001 {
			if last < 0.999 || math.Abs(size/norm-1) > 0.05 {
				t.Errorf("h = %g: cosine %v, length %v", h, last, size/norm)
			}
			if c := cosine(plain, fisher); c > 0.98 {
				t.Errorf("plain CD's cosine is %v: where is its noise?", c)
			}
		}
	}
}

// All methods learn where the modes are; the mass only Jarzynski. A population
// that is resampled early stays in proportion to the masses, and the bias of the
// driving walkers is then the same in both modes.
func TestMovingModesShapesAndMasses(t *testing.T) {
	const n, k, d, walkers = 4000, 300, 10, 2000
	truth := moving(d, -10, 6, trueZ)
	data := must(ebmkit.Draw(truth, n, 1))
	f := inB(data)
	kernel := mcmc.ULA{Step: 0.1}
	for name, o := range map[string]train.Objective{
		"CD":        train.CD{Walkers: walkers, Kernel: kernel, Steps: 8},
		"Jarzynski": train.Jarzynski{Walkers: walkers, Kernel: kernel, Resample: 0.8},
	} {
		m := moving(d, -9, 5, 0)
		opt := must(nn.NewSGD[float64](nn.Harmonic{Start: 0.3, Half: 50}))
		tr := must(train.New(m, data, o, opt, train.Config{Seed: 2}))
		if err := tr.Fit(ctx, k); err != nil {
			t.Fatal(err)
		}
		theta := m.Params(nil)
		if math.Abs(theta[0]+10) > 0.15 || math.Abs(theta[d]-6) > 0.15 {
			t.Errorf("%s: modes at %.3f and %.3f", name, theta[0], theta[d])
		}
		if got := math.Abs(m.Mass() - f); (got < 0.05) != (name == "Jarzynski") {
			t.Errorf("%s: learned mass %.3f, fraction of the data %.3f", name, m.Mass(), f)
		}
	}
}
