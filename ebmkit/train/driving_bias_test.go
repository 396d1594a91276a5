package train_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// A constant rate can be summed: with a = (1-h)(1-s), s = eta m,
//
//	c_k = -b (1 - a^k)/(1 - a),   b = (1-h) s.
//
// Without memory, h = 1, the bias is -K eta d, whatever the masses.
func TestDrivingBiasInClosedForm(t *testing.T) {
	const d, k, h, eta = 7, 80, 0.05, 0.1
	got := must(train.DrivingBias([]float64{0.3, 0.7}, d, h, nn.Constant(eta), k))
	if len(got) != k+1 || got[0] != 0 {
		t.Fatalf("%d entries, the first %v", len(got), got[0])
	}
	for _, n := range []int{1, 2, k} {
		var want float64
		for _, m := range []float64{0.3, 0.7} {
			s := eta * m
			a, b := (1-h)*(1-s), (1-h)*s
			sumOfC := -b / (1 - a) * (float64(n) - (1-math.Pow(a, float64(n)))/(1-a))
			want -= s * d * (float64(n) + sumOfC)
		}
		if math.Abs(got[n]-want) > 1e-12*math.Abs(want) {
			t.Errorf("step %d: %v, want %v", n, got[n], want)
		}
	}
	fresh := must(train.DrivingBias([]float64{0.3, 0.7}, d, 1, nn.Constant(eta), k))
	if want := -k * eta * d; math.Abs(fresh[k]-want) > 1e-12*k {
		t.Errorf("without memory %v, want %v", fresh[k], want)
	}
}

// The same by the covariance of two numbers, each step by step: e, the deviation of
// the walkers' mean from the mode's, and u, that of the mode from the data,
//
//	e' = (1-h) e + noise that keeps var e = 1,   u' = u - eta m (e + u),
//
// along which log Z moves by -eta m E[e (e + u)].
func TestDrivingBiasFromCovariances(t *testing.T) {
	const k, h = 200, 0.1
	rate := nn.Harmonic{Start: 0.3, Half: 20}
	var want float64
	for _, m := range []float64{0.25, 0.75} {
		f, s := [2][2]float64{{1 - h, 0}}, [2][2]float64{{1, 0}, {0, 0}}
		for j := range k {
			eta := m * rate.Rate(j)
			want -= eta * (s[0][0] + s[0][1])
			f[1] = [2]float64{-eta, 1 - eta}
			next := [2][2]float64{{1 - (1-h)*(1-h), 0}}
			for a := range 2 {
				for b := range 2 {
					for p := range 2 {
						for q := range 2 {
							next[a][b] += f[a][p] * s[p][q] * f[b][q]
						}
					}
				}
			}
			s = next
		}
	}
	got := must(train.DrivingBias([]float64{0.25, 0.75}, 1, h, rate, k))[k]
	if math.Abs(got-want) > 1e-12*math.Abs(want) {
		t.Errorf("%v, from covariances %v", got, want)
	}
}

// Walkers that train the mean of a Gaussian have this bias, up to a relative error of
// the order of ULA's step: the variance of their weighted mean falls from 1/N to
// 1/(N (1 + h/2)), because weights exp(-h |x|^2/4) cut the outliers of a chain that is
// too wide. They have not that of walkers without memory.
func TestDrivingBiasIsMeasured(t *testing.T) {
	const d, k, eta, walkers, h = 4, 60, 0.1, 512, 0.05
	runs := 300
	if testing.Short() {
		runs = 100
	}
	data := must(ebmkit.NewEnsemble(1, d))
	v := make([]float64, runs)
	for seed := range v {
		m := iso(1, 0, 0, 0, 0)
		o := train.Jarzynski{Walkers: walkers, Kernel: mcmc.ULA{Step: h}}
		tr := must(train.New(means{m}, data, o, sgd(eta), train.Config{Seed: uint64(seed)}))
		if err := tr.Fit(ctx, k+1); err != nil {
			t.Fatal(err)
		}
		v[seed] = (tr.History()[k].LogZ - m.LogZ()) * walkers
	}
	got := ebmkit.MeanOf(v)
	want := must(train.DrivingBias([]float64{1}, d, h, nn.Constant(eta), k))[k]
	fresh := must(train.DrivingBias([]float64{1}, d, 1, nn.Constant(eta), k))[k]
	t.Logf("N times the bias: %v, want %.2f, z = %.1f; without memory %.2f, z = %.1f", got, want, got.Z(want), fresh, got.Z(fresh))
	if math.Abs(got.Value-want) > 4*got.SE+h/2*math.Abs(want) {
		t.Errorf("N times the bias is %v, want %.2f", got, want)
	}
	if got.Z(fresh) < 4 {
		t.Errorf("N times the bias is %v, as for walkers without memory: %.2f", got, fresh)
	}
}

func TestDrivingBiasErrors(t *testing.T) {
	one, c := []float64{1}, nn.Constant(0.1)
	for _, x := range []struct {
		arg    string
		masses []float64
		dim    int
		step   float64
		rate   nn.Schedule
		steps  int
	}{
		{"masses", nil, 1, 0.1, c, 1},
		{"masses[1]", []float64{1, -1}, 1, 0.1, c, 1},
		{"masses[0]", []float64{math.NaN()}, 1, 0.1, c, 1},
		{"dim", one, 0, 0.1, c, 1},
		{"step", one, 1, 2, c, 1},
		{"rate", one, 1, 0.1, nil, 1},
		{"rate.Rate(0)", one, 1, 0.1, nn.Constant(2), 1},
		{"steps", one, 1, 0.1, c, -1},
	} {
		var arg *ebmkit.ArgError
		if _, err := train.DrivingBias(x.masses, x.dim, x.step, x.rate, x.steps); !errors.As(err, &arg) || arg.Arg != x.arg {
			t.Errorf("want an error about %s, got %v", x.arg, err)
		}
	}
}
