package nn_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// Adam against the formulas of its paper, written out, in float64.
func TestAdamIsThePaper(t *testing.T) {
	for _, decay := range []float64{0, 0.1} {
		const b1, b2, eps, rate = 0.8, 0.95, 1e-3, 0.02
		o := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(rate), Beta1: b1, Beta2: b2, Eps: eps, Decay: decay}))
		o32 := must(nn.NewAdam[float32](nn.AdamConfig{Rate: nn.Constant(rate), Beta1: b1, Beta2: b2, Eps: eps, Decay: decay}))
		const n = 19
		theta, grads := normals(n, 1), normals(n*50, 2)
		got, got32 := slices.Clone(theta), make([]float32, n)
		for i, v := range theta {
			got32[i] = float32(v)
		}
		g32 := make([]float32, n)
		m, v := make([]float64, n), make([]float64, n)
		for k := range 50 {
			g := grads[k*n : (k+1)*n]
			for i := range g {
				g32[i] = float32(g[i])
			}
			o.Step(got, g)
			o32.Step(got32, g32)
			for i := range theta {
				m[i] = b1*m[i] + (1-b1)*g[i]
				v[i] = b2*v[i] + (1-b2)*g[i]*g[i]
				mh, vh := m[i]/(1-math.Pow(b1, float64(k+1))), v[i]/(1-math.Pow(b2, float64(k+1)))
				theta[i] -= rate * (mh/(math.Sqrt(vh)+eps) + decay*theta[i])
				if math.Abs(theta[i]-got[i]) > 1e-14*(1+math.Abs(theta[i])) {
					t.Fatalf("step %d: theta[%d] = %v, want %v", k, i, got[i], theta[i])
				}
				if math.Abs(theta[i]-float64(got32[i])) > 1e-5 {
					t.Fatalf("float32, step %d: theta[%d] = %v, want %v", k, i, got32[i], theta[i])
				}
			}
		}
	}
}

func TestSGDAndMomentum(t *testing.T) {
	sgd := must(nn.NewSGD[float64](nn.Harmonic{Start: 1, Half: 1}))
	theta := []float64{1, 2}
	for range 3 { // rates 1, 1/2, 1/3
		sgd.Step(theta, []float64{6, -6})
	}
	if theta[0] != 1-11 || theta[1] != 2+11 {
		t.Errorf("SGD: %v", theta)
	}
	mom := must(nn.NewMomentum[float64](nn.Constant(1), 0.5))
	theta = []float64{0}
	for range 3 { // moments 1, 1.5, 1.75
		mom.Step(theta, []float64{1})
	}
	if theta[0] != -4.25 {
		t.Errorf("Momentum: %v", theta)
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		s    nn.Schedule
		want map[int]float64
	}{
		{nn.Constant(0.3), map[int]float64{0: 0.3, 99: 0.3}},
		{nn.Steps{Start: 1, Every: 10, Factor: 0.5}, map[int]float64{0: 1, 9: 1, 10: 0.5, 35: 0.125}},
		{nn.Cosine{Start: 3, End: 1, Over: 100}, map[int]float64{0: 3, 50: 2, 25: 2 + math.Sqrt2/2, 100: 1, 500: 1}},
		{nn.Warmup{Over: 4, Then: nn.Constant(2)}, map[int]float64{0: 0.5, 3: 2, 4: 2}},
		{nn.Harmonic{Start: 1, Half: 10}, map[int]float64{0: 1, 10: 0.5, 90: 0.1}},
	} {
		for k, want := range c.want {
			if got := c.s.Rate(k); math.Abs(got-want) > 1e-14 {
				t.Errorf("%T step %d: %v, want %v", c.s, k, got, want)
			}
		}
	}
}

func TestNormAndClip(t *testing.T) {
	g := []float64{3, 4, 0, 0, 12}
	if n := nn.Clip(g, 20); n != 13 || g[4] != 12 {
		t.Errorf("a short gradient is left alone: %v %v", n, g)
	}
	if n := nn.Clip(g, 2); n != 13 || math.Abs(nn.Norm(g)-2) > 1e-15 || math.Abs(g[0]*4-g[1]*3) > 1e-15 {
		t.Errorf("Clip: %v %v", n, g)
	}
	g[2] = math.NaN()
	if n := nn.Clip(g, 0.1); !math.IsNaN(n) || math.Abs(g[4]-24./13) > 1e-15 {
		t.Errorf("NaN is hidden: %v %v", n, g)
	}
}

func TestEMA(t *testing.T) {
	e := must(nn.NewEMA[float64](0.9))
	e.Update([]float64{1})
	e.Update([]float64{2})
	e.Update([]float64{3})
	if got := e.Params(nil)[0]; math.Abs(got-(0.9*(0.9*1+0.1*2)+0.1*3)) > 1e-15 {
		t.Errorf("EMA: %v", got)
	}
}

// An optimiser resumed from its state goes on with the same bits, through a
// file.
func TestOptimizersResume(t *testing.T) {
	rate := nn.Warmup{Over: 30, Then: nn.Cosine{Start: 0.1, Over: 60}}
	type resumable interface {
		State() []store.Array
		SetState([]store.Array) error
	}
	const n = 40
	for name, fresh := range map[string]func() (resumable, func(theta, g []float64)){
		"sgd": func() (resumable, func(theta, g []float64)) { o := must(nn.NewSGD[float64](rate)); return o, o.Step },
		"momentum": func() (resumable, func(theta, g []float64)) {
			o := must(nn.NewMomentum[float64](rate, 0.9))
			return o, o.Step
		},
		"adam": func() (resumable, func(theta, g []float64)) {
			o := must(nn.NewAdam[float64](nn.AdamConfig{Rate: rate}))
			return o, o.Step
		},
		"ema": func() (resumable, func(theta, g []float64)) {
			o := must(nn.NewEMA[float64](0.9))
			return o, func(theta, g []float64) { o.Update(g); o.Params(theta) }
		},
	} {
		theta := normals(n, 1)
		o, step := fresh()
		grads := normals(40*n, 2)
		run := func(step func(theta, g []float64), theta []float64, from, to int) {
			for k := from; k < to; k++ {
				step(theta, grads[k*n:(k+1)*n])
			}
		}
		run(step, theta, 0, 17)
		f := &store.File{Kind: "test", Version: 1, Arrays: o.State()}
		b := must(store.Encode(f))
		again, step2 := fresh()
		must(0, again.SetState(must(store.Decode(b)).Arrays))
		theta2 := slices.Clone(theta)
		run(step, theta, 17, 40)
		run(step2, theta2, 17, 40)
		if !slices.Equal(theta, theta2) {
			t.Errorf("%s: resumed, it takes other steps", name)
		}
		var a *ebmkit.ArgError
		if err := again.SetState(o.State()[:0]); !errors.As(err, &a) {
			t.Errorf("%s: an empty state gives %v", name, err)
		}
	}
	// float64 moments are not taken for float32 ones.
	o := must(nn.NewAdam[float64](nn.AdamConfig{Rate: rate}))
	o.Step(make([]float64, 3), make([]float64, 3))
	var a *ebmkit.ArgError
	if err := must(nn.NewAdam[float32](nn.AdamConfig{Rate: rate})).SetState(o.State()); !errors.As(err, &a) || a.Arg != "adam.m" {
		t.Errorf("wrong type: %v", err)
	}
}
