package train_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/conform"
)

var ctx = context.Background()

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func sgd(rate float64) train.Optimizer { return must(nn.NewSGD[float64](nn.Constant(rate))) }
func adam(rate float64) train.Optimizer {
	return must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(rate)}))
}

func net(seed uint64, sizes ...int) *nn.Energy {
	return must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: sizes, Act: nn.SiLU, Precision: nn.Float64, Seed: seed})), 2))
}

func field(seed uint64, d int) *nn.Field {
	return must(nn.NewField(nn.FieldConfig{Dim: d, Hidden: []int{16, 16}, Act: nn.Tanh, Precision: nn.Float64, Seed: seed}))
}

func mixture1() *energy.Mixture {
	return must(energy.NewMixture1D([]float64{0.6, 0.4}, []float64{-1, 1.5}, []float64{0.8, 0.5}))
}

func gauss1(mean, sd float64) *energy.DiagonalGaussian { return must(energy.NewGaussian1D(mean, sd)) }

func iso(sd float64, mean ...float64) *energy.DiagonalGaussian {
	return must(energy.NewIsotropicGaussian(mean, sd))
}

// gradOnce returns loss and gradient of the first step of an objective.
func gradOnce(t testing.TB, m train.Model, data *ebmkit.Ensemble, o train.Objective) (float64, []float64) {
	t.Helper()
	b := must(o.Bind(train.Task{Model: m, Data: data, Seed: 5}))
	g := make([]float64, m.NumParams()+len(b.State().Extra))
	var rec train.Record
	if err := b.Grad(g, data.X, &rec); err != nil {
		t.Fatal(err)
	}
	return rec.Loss, g
}

// The gradient of every objective whose loss can be computed is the derivative
// of that loss, at the same noise.
func TestGradientIsDerivativeOfLoss(t *testing.T) {
	data1 := must(ebmkit.Draw(mixture1(), 20, 1))
	data2 := must(ebmkit.Draw(must(energy.NewRing(3, 1, 0.4)), 20, 1))
	bits := must(ebmkit.NewEnsemble(20, 5))
	s := ebmkit.NewStream(3, "bits", 0)
	for i := range bits.X {
		bits.X[i] = float64(s.IntN(2))
	}
	rbm := must(spin.NewRBM(5, 3))
	rbm.Randomize(0.5, 1)
	noise1, noise2 := gauss1(0, 2), iso(2, 0, 0)
	some := 25 // parameters of each
	if testing.Short() {
		some = 4
	}
	box := train.Exact{Lo: []float64{-14, -14}, Hi: []float64{14, 14}, Nodes: 90}
	for _, c := range []struct {
		name string
		m    train.Model
		data *ebmkit.Ensemble
		o    train.Objective
	}{
		{"exact, log Z by differences", mixture1(), data1, train.Exact{}},
		{"exact, grid", mixture1(), data1, train.Exact{Lo: []float64{-9}, Hi: []float64{9}}},
		{"exact, states", rbm, bits, train.Exact{}},
		{"exact, grid, network", net(1, 2, 6, 6, 1), data2, box},
		{"ISM", mixture1(), data1, train.ISM{}},
		{"ISM, network", net(1, 2, 6, 6, 1), data2, train.ISM{}},
		{"ISM, field", field(1, 2), data2, train.ISM{Time: 0.3}},
		{"SSM", mixture1(), data1, train.SSM{}},
		{"SSM, network", net(1, 2, 6, 6, 1), data2, train.SSM{Slices: 3}},
		{"SSM, field", field(1, 2), data2, train.SSM{Slices: 2}},
		{"DSM", mixture1(), data1, train.DSM{Sigma: 0.3}},
		{"DSM, network", net(1, 2, 6, 6, 1), data2, train.DSM{Sigma: 0.3, Draws: 3}},
		{"DSM, field", field(1, 2), data2, train.DSM{Sigma: 0.5, Time: 0.5}},
		{"NCE", mixture1(), data1, train.NCE{Noise: noise1, Ratio: 3, LogZ: 0.5}},
		{"NCE, network", net(1, 2, 6, 6, 1), data2, train.NCE{Noise: noise2, Ratio: 2}},
	} {
		theta := c.m.Params(nil)
		_, g := gradOnce(t, c.m, c.data, c.o)
		worst := 0.0
		for k := 0; k < len(theta); k += 1 + len(theta)/some {
			move := func(h float64) float64 {
				moved := append([]float64(nil), theta...)
				moved[k] += h
				if err := c.m.SetParams(moved); err != nil {
					t.Fatal(err)
				}
				l, _ := gradOnce(t, c.m, c.data, c.o)
				return l
			}
			num, e := conform.Derivative(move, 0.02)
			// Second derivatives of U in the loss of ISM and SSM may themselves be
			// differences, good to 1e-7.
			if d := math.Abs(num-g[k]) / (1 + math.Abs(num)); d > 3e-6+5*e {
				t.Errorf("%s: parameter %d: gradient %v, derivative %v +- %.1e", c.name, k, g[k], num, e)
			} else {
				worst = max(worst, d)
			}
		}
		c.m.SetParams(theta)
		t.Logf("%s: largest difference %.1e", c.name, worst)
	}
	// NCE's own parameter.
	o := train.NCE{Noise: noise1, Ratio: 3, LogZ: 0.5}
	_, g := gradOnce(t, mixture1(), data1, o)
	num, e := conform.Derivative(func(h float64) float64 {
		o := o
		o.LogZ += h
		l, _ := gradOnce(t, mixture1(), data1, o)
		return l
	}, 0.05)
	if last := g[len(g)-1]; math.Abs(last-num) > 1e-8+5*e {
		t.Errorf("NCE: dLoss/dc = %v, derivative %v", last, num)
	}
}

// The likelihood objectives at a common point: the three ways of Exact agree, and
// CD, PCD, Replay and Jarzynski agree with it if their walkers are exact samples
// that do not move away.
func TestSameGradientFromSamples(t *testing.T) {
	m := mixture1()
	data := must(ebmkit.Draw(gauss1(0.5, 1), 200, 2))
	_, exact := gradOnce(t, m, data, train.Exact{})
	_, grid := gradOnce(t, m, data, train.Exact{Lo: []float64{-10}, Hi: []float64{10}})
	for k, g := range exact {
		if math.Abs(g-grid[k]) > 1e-8 {
			t.Errorf("parameter %d: %v by differences of log Z, %v on a grid", k, g, grid[k])
		}
	}
	n := 4000
	kernel := mcmc.MALA{Step: 0.1}
	for name, o := range map[string]train.Objective{
		"CD":        train.CD{Walkers: n, Kernel: kernel, Steps: 3, From: m},
		"PCD":       train.PCD{Walkers: n, Kernel: kernel, From: m},
		"Replay":    train.Replay{Buffer: 2 * n, Walkers: n, Kernel: kernel, Steps: 2, From: m},
		"Jarzynski": train.Jarzynski{Walkers: n, Kernel: kernel},
		"Init":      train.PCD{Walkers: n, Kernel: kernel, Init: must(ebmkit.Draw(m, n, 9))},
	} {
		_, g := gradOnce(t, m, data, o)
		// Errors from the spread of dU/dtheta over n samples.
		sample := must(ebmkit.Draw(m, 2000, 77))
		for k := range g {
			v := make([]float64, sample.N)
			one := make([]float64, len(g))
			for i := range v {
				clear(one)
				m.AddParamGrad(one, nil, sample.Row(i))
				v[i] = one[k]
			}
			se := ebmkit.MeanOf(v).SE * math.Sqrt(float64(sample.N)/float64(n))
			if z := (g[k] - exact[k]) / se; math.Abs(z) > 4.5 {
				t.Errorf("%s: parameter %d: %v, exact %v (z = %.1f)", name, k, g[k], exact[k], z)
			}
		}
	}
	// Control: walkers on the data are no samples of the model.
	_, g := gradOnce(t, m, data, train.CD{Walkers: n, Kernel: mcmc.ULA{Step: 1e-6}, Steps: 1})
	if math.Abs(g[0]-exact[0]) < 0.02 && math.Abs(g[2]-exact[2]) < 0.02 {
		t.Errorf("CD from the data with tiny steps has gradient %v, exact %v", g, exact)
	}
}

func ExampleTrainer() {
	truth, _ := energy.NewGaussian1D(2, 0.5)
	points, _ := ebmkit.Draw(truth, 1000, 1)
	model, _ := energy.NewGaussian1D(0, 1)
	opt, _ := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(0.05)})
	t, err := train.New(model, points, train.PCD{Walkers: 1000, Kernel: mcmc.MALA{Step: 0.1}, Steps: 10}, opt, train.Config{Seed: 1})
	if err != nil {
		fmt.Println(err)
	}
	if err := t.Fit(context.Background(), 300); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("mean %.1f, sd %.1f after %d steps\n", model.Mean(nil)[0], model.SD(nil)[0], t.Steps())
	// Output: mean 2.0, sd 0.5 after 300 steps
}
