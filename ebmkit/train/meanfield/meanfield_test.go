package meanfield_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/ebmkit/train/meanfield"
)

var ctx = context.Background()

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// shift is a unit Gaussian on the line of which only the mean is a parameter.
type shift struct{ *energy.DiagonalGaussian }

func newShift(m float64) shift { return shift{must(energy.NewGaussian1D(m, 1))} }

func (s shift) NumParams() int                 { return 1 }
func (s shift) Params(dst []float64) []float64 { return append(dst[:0], s.Mean(nil)...) }
func (s shift) SetParams(theta []float64) error {
	return s.DiagonalGaussian.SetParams([]float64{theta[0], 0})
}
func (s shift) AddParamGrad(dst, w, xs []float64) {
	all := make([]float64, 2)
	s.DiagonalGaussian.AddParamGrad(all, w, xs)
	dst[0] += all[0]
}

func line(lo, hi float64, cells int) *fokkerplanck.Grid {
	return must(fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: lo, Hi: hi, Cells: cells}))
}

// With data N(0, 1) the walkers' mean w and the model's m obey
//
//	w' = -alpha (w - m) - nu w,   m' = -rate w,
//
// which is solved here by small steps of Runge and Kutta.
func linear(alpha, nu, rate, w, m, t float64) float64 {
	const n = 4000
	h := t / n
	f := func(w, m float64) (float64, float64) { return -alpha*(w-m) - nu*w, -rate * w }
	for range n {
		a, b := f(w, m)
		c, d := f(w+h/2*a, m+h/2*b)
		e, g := f(w+h/2*c, m+h/2*d)
		i, j := f(w+h*e, m+h*g)
		w, m = w+h/6*(a+2*c+2*e+i), m+h/6*(b+2*d+2*g+j)
	}
	return m
}

func TestGaussianMean(t *testing.T) {
	g := line(-8, 8, 320)
	data := must(g.Boltzmann(newShift(0)))
	for _, c := range []struct{ alpha, nu, rate float64 }{{1, 0, 1}, {2, 0, 0.3}, {1, 1, 1}, {1, 10, 3}} {
		var err [2]float64
		want := linear(c.alpha, c.nu, c.rate, 0, 1, 3)
		for i, h := range []float64{0.02, 0.01} {
			m := newShift(1)
			path := must(meanfield.Training{Alpha: c.alpha, Nu: c.nu, Rate: c.rate, Step: h, Steps: int(3/h + 0.5), Every: 50}.Run(ctx, m, g, data))
			got := path.Param(0)[len(path.T)-1]
			if m.Mean(nil)[0] != got || math.Abs(path.T[len(path.T)-1]-3) > 1e-9 {
				t.Fatalf("the model has mean %v, the path ends at %v", m.Mean(nil), path.Theta)
			}
			err[i] = got - want
		}
		t.Logf("%+v: mean %.5f, errors %.2e, %.2e", c, want, err[0], err[1])
		if math.Abs(err[1]) > 0.02 || math.Abs(2*err[1]-err[0]) > 0.1*math.Abs(err[0])+2e-4 {
			t.Errorf("%+v: errors %v at steps of 0.02 and 0.01", c, err)
		}
	}
}

// Alpha = +Inf is gradient descent: m falls as exp(-rate t), and so does the
// cross-entropy, (1 + log 2 pi + m^2)/2.
func TestEquilibrium(t *testing.T) {
	g := line(-8, 8, 320)
	data := must(g.Boltzmann(newShift(0)))
	const h = 0.01
	path := must(meanfield.Training{Alpha: math.Inf(1), Rate: 1, Step: h, Steps: 200, Every: 20}.Run(ctx, newShift(1), g, data))
	if len(path.T) != 11 || len(path.P) != 11 {
		t.Fatalf("%d times kept", len(path.T))
	}
	for i, m := range path.Param(0) {
		if want := math.Pow(1-h, float64(20*i)); math.Abs(m-want) > 1e-6 {
			t.Errorf("t = %g: mean %v, want %v", path.T[i], m, want)
		}
		if want := (1 + math.Log(2*math.Pi) + m*m) / 2; math.Abs(path.CrossEntropy[i]-want) > 1e-4 {
			t.Errorf("t = %g: cross-entropy %v, want %v", path.T[i], path.CrossEntropy[i], want)
		}
	}
}

// Many walkers of PCD with restarts follow the density. Control: at half the rate
// of restarts they do not.
func TestParticles(t *testing.T) {
	const n, h, eta, k = 40000, 0.02, 0.02, 150
	truth := newShift(0)
	data := must(ebmkit.Draw(truth, n, 1))
	mean := ebmkit.MeanOf(data.X).Value
	for i := range data.X {
		data.X[i] -= mean // of all that can differ, the mean alone matters
	}
	g := line(-8, 8, 320)
	rho := must(g.Boltzmann(truth))
	m := newShift(1)
	nu := 2.0
	must0(must(train.New(m, data, train.PCD{Walkers: n, Kernel: mcmc.ULA{Step: h}, Renew: nu * h}, must(nn.NewSGD[float64](nn.Constant(eta))), train.Config{Seed: 3})).Fit(ctx, k))
	// The walkers' mean has variance 1/n and a correlation time of about 1/(1+nu).
	se := eta / h * math.Sqrt(2*k*h/((1+nu)*n))
	for _, c := range []struct {
		nu   float64
		same bool
	}{{nu, true}, {nu / 2, false}} {
		path := must(meanfield.Training{Alpha: 1, Nu: c.nu, Rate: eta / h, Step: h, Steps: k}.Run(ctx, newShift(1), g, rho))
		z := (m.Mean(nil)[0] - path.Theta[0][0]) / se
		t.Logf("nu = %g: particles %.4f, density %.4f, z = %.1f", c.nu, m.Mean(nil)[0], path.Theta[0][0], z)
		if (math.Abs(z) < 4) != c.same {
			t.Errorf("nu = %g: particles %v, density %v, z = %.1f", c.nu, m.Mean(nil), path.Theta, z)
		}
	}
}

func must0(err error) {
	if err != nil {
		panic(err)
	}
}

// Review eq. (113) and (114): alpha times the gradient of half the Fisher
// divergence over nu, with an error that falls as nu^-2.
func TestFisherGradient(t *testing.T) {
	g := line(-7, 7, 2000)
	truth := must(energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-1, 1.2}, []float64{0.8, 0.6}))
	data := must(g.Boltzmann(truth))
	m := must(energy.NewGaussian1D(0.3, 1.3))
	const alpha = 2
	half := func(k int, h float64) float64 {
		theta := m.Params(nil)
		theta[k] += h
		q := must(energy.NewGaussian1D(0, 1))
		must0(q.SetParams(theta))
		return g.Fisher(data, must(g.Boltzmann(q))) / 2
	}
	gen := must(fokkerplanck.Langevin{Energy: m, Eps: alpha}.On(g))
	for k := range 2 {
		want := alpha * (half(k, 1e-4) - half(k, -1e-4)) / 2e-4
		var err [2]float64
		for i, nu := range []float64{500, 1000} {
			must0(gen.SetRestart(nu, data))
			got := meanfield.Gradient(nil, m, g, data, must(gen.Steady()))
			err[i] = got[k] - want/nu
		}
		t.Logf("parameter %d: nu x gradient %.5f, errors %.2e and %.2e", k, want, err[0], err[1])
		if r := err[0] / err[1]; math.Abs(r-4) > 0.15 {
			t.Errorf("parameter %d: errors %v, ratio %v", k, err, r)
		}
	}
}

func TestErrors(t *testing.T) {
	g := line(-8, 8, 320)
	data := must(g.Boltzmann(newShift(0)))
	good := meanfield.Training{Alpha: 1, Rate: 1, Step: 0.1, Steps: 1}
	for name, c := range map[string]func(*meanfield.Training){
		"Alpha": func(c *meanfield.Training) { c.Alpha = 0 },
		"nan":   func(c *meanfield.Training) { c.Alpha = math.NaN() },
		"Nu":    func(c *meanfield.Training) { c.Nu = -1 },
		"Rate":  func(c *meanfield.Training) { c.Rate = 0 },
		"Step":  func(c *meanfield.Training) { c.Step = 0 },
		"Steps": func(c *meanfield.Training) { c.Steps = 0 },
		"Every": func(c *meanfield.Training) { c.Every = -1 },
		"Start": func(c *meanfield.Training) { c.Start = []float64{1} },
	} {
		bad := good
		c(&bad)
		var arg *ebmkit.ArgError
		if _, err := bad.Run(ctx, newShift(0), g, data); !errors.As(err, &arg) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var arg *ebmkit.ArgError
	if _, err := good.Run(ctx, newShift(0), g, data[1:]); !errors.As(err, &arg) {
		t.Errorf("data: %v", err)
	}
	steep := good
	steep.Rate, steep.Steps = 1e4, 3
	if _, err := steep.Run(ctx, newShift(2), g, data); !errors.As(err, &arg) {
		t.Errorf("a model too steep for the grid: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	long := good
	long.Steps, long.Every = 10, 1
	if path, err := long.Run(gone, newShift(0), g, data); !errors.Is(err, context.Canceled) || len(path.T) != 1 {
		t.Errorf("cancelled: %v", err)
	}
}

// Walkers that lag behind make the mass of a mode swing past its goal, z = 1.
func ExampleTraining() {
	g, _ := fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -8, Hi: 8, Cells: 200})
	model, _ := energy.NewTwoModes([]float64{-1.8}, []float64{1.8}, 1)
	data, _ := g.Boltzmann(model)
	_ = model.SetParams([]float64{-1})
	path, err := meanfield.Training{Alpha: 1, Rate: 4, Step: 0.02, Steps: 2000, Every: 200}.Run(context.Background(), model, g, data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.1f\n", path.Param(0))
	// Output: [-1.0 0.6 1.8 1.4 0.8 0.7 1.0 1.1 1.0 0.9 1.0]
}
