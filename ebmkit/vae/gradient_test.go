package vae

import (
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
)

// models returns one small model of each kind, with data that it can explain.
func models(t *testing.T, precision nn.Precision) map[string]*Model {
	t.Helper()
	out := map[string]*Model{}
	for name, c := range map[string]Config{
		"Gaussian":              {Likelihood: Gaussian, SD: 0.7},
		"Gaussian, fixed":       {Likelihood: Gaussian, SD: 0.7, FixSD: true},
		"GaussianDiag":          {Likelihood: GaussianDiag},
		"Bernoulli":             {Likelihood: Bernoulli},
		"autoencoder":           {Deterministic: true},
		"autoencoder of pixels": {Deterministic: true, Likelihood: Bernoulli},
	} {
		c.Dim, c.Latent, c.Encoder, c.Decoder, c.Act = 5, 2, []int{7}, []int{6}, nn.SiLU
		c.Precision, c.Seed = precision, 3
		m, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = m
	}
	return out
}

func points(n, d int) []float64 {
	xs := make([]float64, n*d)
	ebmkit.NewStream(1, "test", 0).FillUniform(xs)
	return xs
}

// lossAt returns the loss of the model at theta on the rows xs with the noise
// eps, and its gradient if asked.
func lossAt(t *testing.T, e *engine[float64], theta, xs, eps []float64, o objective, grad []float64) float64 {
	t.Helper()
	if err := e.m.SetParams(theta); err != nil {
		t.Fatal(err)
	}
	e.reserve(len(xs)/e.m.cfg.Dim, o.samples)
	copy(e.eps, eps)
	recon, kl := e.grad(grad, xs, o)
	return o.beta*kl - recon
}

// The pathwise gradient is the derivative of the Monte Carlo ELBO with the noise
// held, in every parameter, by central differences of the same noise.
func TestPathwiseGradient(t *testing.T) {
	const n = 67 // more than a block
	for name, m := range models(t, nn.Float64) {
		for _, samples := range []int{1, 3} {
			if testing.Short() && samples > 1 && name != "Bernoulli" {
				continue
			}
			if m.cfg.Deterministic && samples > 1 {
				continue
			}
			o := objective{beta: 0.7, samples: samples}
			xs, eps := points(n, 5), make([]float64, n*samples*2)
			ebmkit.NewStream(2, "eps", 0).FillNormal(eps)
			theta := m.Params(nil)
			grad := make([]float64, len(theta))
			e := newEngine(m, &kernels64)
			lossAt(t, e, theta, xs, eps, o, grad)
			check := func(o objective) (worst float64) {
				at := append([]float64(nil), theta...)
				for k := range theta {
					const h = 1e-5
					at[k] = theta[k] + h
					up := lossAt(t, e, at, xs, eps, o, nil)
					at[k] = theta[k] - h
					down := lossAt(t, e, at, xs, eps, o, nil)
					at[k] = theta[k]
					worst = max(worst, math.Abs((up-down)/(2*h)-grad[k]))
				}
				return worst
			}
			// Differences of losses of size 10 with steps of 1e-5: rounding is of
			// the order 1e-10, h^2 too.
			if worst := check(o); worst > 1e-8 {
				t.Errorf("%s, %d samples: off by %.2g", name, samples, worst)
			}
			if m.cfg.Deterministic {
				continue
			}
			// Negative control: another weight of KL has another gradient.
			if worst := check(objective{beta: 0.71, samples: samples}); worst < 1e-4 {
				t.Errorf("%s: the control is off by %.2g only", name, worst)
			}
			lossAt(t, e, theta, xs, eps, o, nil) // theta back
		}
	}
}

// The score-function gradient has the mean of the pathwise one, with one sample
// and with a baseline, and is noisier.
func TestScoreFunctionGradient(t *testing.T) {
	for _, name := range []string{"Gaussian", "Bernoulli"} {
		m := models(t, nn.Float64)[name]
		xs := &ebmkit.Ensemble{N: 3, Dim: 5, X: points(3, 5)}
		repeats := 4000
		if testing.Short() {
			repeats = 1000
		}
		spread := func(g Gradient, samples int) (mean, sd []float64) {
			mean, sd, err := m.GradientSpread(g, xs, samples, repeats, uint64(1+samples)+10*uint64(g))
			if err != nil {
				t.Fatal(err)
			}
			return mean, sd
		}
		ne := m.enc.NumParams()
		compare := func(m1, s1, m2, s2 []float64) (worst float64) {
			for k := range m1[:ne] {
				worst = max(worst, math.Abs(m1[k]-m2[k])/math.Sqrt((s1[k]*s1[k]+s2[k]*s2[k])/float64(repeats)))
			}
			return worst
		}
		pm, ps := spread(Pathwise, 4)
		for _, samples := range []int{1, 4} {
			sm, ss := spread(ScoreFunction, samples)
			// The largest of 70 normal deviates: above 4.5 once in 2,000.
			if z := compare(pm, ps, sm, ss); z > 4.5 {
				t.Errorf("%s, %d samples: %.1f standard errors from the pathwise gradient", name, samples, z)
			}
			var path, score float64
			for k := range ne {
				path += ps[k] * ps[k]
				score += ss[k] * ss[k]
			}
			t.Logf("%s, %d samples: total variance %.3g against %.3g", name, samples, score, path)
			if score < path {
				t.Errorf("%s: the score function is not noisier", name)
			}
		}
		// Negative control: the gradient of a model nearby.
		theta := m.Params(nil)
		other := append([]float64(nil), theta...)
		for k := range other {
			other[k] *= 1.3
		}
		if err := m.SetParams(other); err != nil {
			t.Fatal(err)
		}
		if qm, qs := spread(Pathwise, 4); compare(pm, ps, qm, qs) < 6 {
			t.Errorf("%s: the control passes", name)
		}
	}
}

// Float32 slices and networks give the gradient of float64 within the error of
// float32 sums.
func TestFloat32Gradient(t *testing.T) {
	const n = 130
	low := models(t, nn.Float32)
	for name, m := range models(t, nn.Float64) {
		o := objective{beta: 0.7, samples: 1}
		xs, eps := points(n, 5), make([]float64, n*2)
		ebmkit.NewStream(2, "eps", 0).FillNormal(eps)
		want := make([]float64, m.NumParams())
		loss := lossAt(t, newEngine(m, &kernels64), m.Params(nil), xs, eps, o, want)
		e := newEngine(low[name], &kernels32)
		e.reserve(n, 1)
		copy(e.eps, eps)
		x32 := make([]float32, len(xs))
		for i, v := range xs {
			x32[i] = float32(v)
		}
		grad := make([]float32, len(want))
		recon, kl := e.grad(grad, x32, o)
		var err, size float64
		for k, v := range want {
			err, size = max(err, math.Abs(v-float64(grad[k]))), max(size, math.Abs(v))
		}
		if off := math.Abs(o.beta*kl - recon - loss); err > 3e-6*size || off > 3e-6*math.Abs(loss) {
			t.Errorf("%s: gradient off by %.2g of %.2g, loss by %.2g of %.2g", name, err, size, off, loss)
		}
	}
}

// The eigenvectors of a symmetric matrix.
func TestEigen(t *testing.T) {
	const n = 12
	a := make([]float64, n*n)
	ebmkit.NewStream(4, "eigen", 0).FillNormal(a)
	for i := range n {
		for j := range i {
			a[i*n+j] = a[j*n+i]
		}
	}
	values, v := eigen(a, n)
	for i := range n {
		if i > 0 && values[i] > values[i-1] {
			t.Error("not in order")
		}
		for j := range n {
			var av, dot float64
			for k := range n {
				av += a[j*n+k] * v[i*n+k]
				dot += v[i*n+k] * v[j*n+k]
			}
			if i == j {
				dot--
			}
			if math.Abs(av-values[i]*v[i*n+j]) > 1e-13 || math.Abs(dot) > 1e-13 {
				t.Fatal(fmt.Sprint("eigenvector ", i, ": residual ", av-values[i]*v[i*n+j], ", product ", dot))
			}
		}
	}
}
