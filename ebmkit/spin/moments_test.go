package spin

import (
	"context"
	"math"
	"testing"
)

// The moments of a machine of spins are the means of products, summed here over
// all states, and their difference is the gradient of the log-likelihood.
func TestMomentsOfBoltzmann(t *testing.T) {
	const n = 4
	m := stir(must(NewBoltzmann(n)), 0.5, 3)
	data, w := randomPatterns(n, 3, 8), []float64{0.5, 0.2, 0.3}
	all := must(States(n))
	logZ := must(m.ExactLogZ())
	p := make([]float64, 1<<n)
	for s := range p {
		p[s] = math.Exp(-m.Energy(all[s*n:(s+1)*n]) - logZ)
	}
	mean := func(xs, w []float64, f func(x []float64) float64) (v float64) {
		for s, p := range w {
			v += p * f(xs[s*n:(s+1)*n])
		}
		return v
	}
	free, clamped, err := Moments(m, data, w)
	if err != nil {
		t.Fatal(err)
	}
	k := 0
	check := func(what string, f func(x []float64) float64) {
		near(t, what+", free", free[k], mean(all, p, f), 1e-13)
		near(t, what+", clamped", clamped[k], mean(data, w, f), 1e-15)
		k++
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			check("<x_i x_j>", func(x []float64) float64 { return x[i] * x[j] })
		}
	}
	for i := range n {
		check("<x_i>", func(x []float64) float64 { return x[i] })
	}
	if k != m.NumParams() {
		t.Errorf("%d moments of %d", k, m.NumParams())
	}
}

// For machines with hidden units the difference is the gradient too.
func TestMomentsAreTheGradient(t *testing.T) {
	bits := must(States(4))
	for i, v := range bits {
		bits[i] = (v + 1) / 2
	}
	for name, m := range map[string]Exact{
		"RBM":          stir(must(NewRBM(4, 3)), 0.7, 2),
		"Gaussian RBM": stir(must(NewGaussianRBM(4, 3, 0.7)), 0.4, 3),
	} {
		grad := make([]float64, m.NumParams())
		must(LogLikelihood(m, grad, bits[:20], nil))
		free, clamped, err := Moments(m, bits[:20], nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, g := range grad {
			near(t, name, clamped[k]-free[k], g, 1e-14)
		}
	}
	_, _, err := Moments(must(NewRBM(4, 3)), bits[:3], nil)
	wantArg(t, "not a row", err, "len(xs)")
	_, _, err = Moments(must(NewBoltzmann(MaxEnumerate+1)), make([]float64, MaxEnumerate+1), nil)
	wantArg(t, "too large", err, "n")
}

// doubled is a machine whose model gradient is wrong.
type doubled struct{ *Boltzmann }

func (m doubled) AddModelGrad(dst []float64, w float64) error {
	return m.Boltzmann.AddModelGrad(dst, 2*w)
}

// For one spin L = h <x> - log(2 cosh h), so that the error is known at any step.
func TestGradientError(t *testing.T) {
	const h, step = 0.4, 0.3
	m := must(NewBoltzmann(1))
	if err := m.SetParams([]float64{h}); err != nil {
		t.Fatal(err)
	}
	xs, w := []float64{-1, 1}, []float64{0.3, 0.7}
	difference := math.Log(math.Cosh(h+step)/math.Cosh(h-step)) / (2 * step)
	near(t, "large step", must(GradientError(m, xs, w, step)), math.Abs(math.Tanh(h)-difference), 1e-14)
	if worst := must(GradientError(m, xs, w, 1e-5)); worst > 1e-10 {
		t.Errorf("small step: %g", worst)
	}
	near(t, "a wrong gradient", must(GradientError(doubled{m}, xs, w, 1e-5)), math.Tanh(h), 1e-9)
	if theta := m.Params(nil); theta[0] != h {
		t.Errorf("parameters are %v", theta)
	}
	_, err := GradientError(m, xs, w, 0)
	wantArg(t, "step", err, "step")
	_, err = GradientError(m, nil, nil, 1e-5)
	wantArg(t, "no data", err, "len(xs)")
}

// The divergence is that of the law of the data, summed over the states; a
// machine of pairs that fits a law of its own kind comes to 0.
func TestAscentTraceKL(t *testing.T) {
	const n = 3
	truth, m := stir(must(NewBoltzmann(n)), 0.5, 6), must(NewBoltzmann(n))
	xs, logZ := must(States(n)), must(truth.ExactLogZ())
	w := make([]float64, 1<<n)
	var entropy, first float64 // first: from a new machine, which is uniform
	for s := range w {
		w[s] = math.Exp(-truth.Energy(xs[s*n:(s+1)*n]) - logZ)
		entropy -= w[s] * math.Log(w[s])
		first += w[s] * math.Log(w[s]*float64(len(w)))
	}
	trace := must(Ascent{Step: 0.5, Steps: 500}.Fit(context.Background(), m, xs, w))
	kl := trace.KL(entropy)
	near(t, "at the start", kl[0], first, 1e-13)
	near(t, "at the end", kl[len(kl)-1], 0, 1e-12)
	if len(kl) != len(trace.LogLikelihood) {
		t.Errorf("%d values", len(kl))
	}
}
