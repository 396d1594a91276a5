package energy_test

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/conform"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// eq8 is the mixture of review Figure 1.
func eq8() *energy.Mixture {
	return must(energy.NewMixture1D([]float64{0.7, 0.3}, []float64{0, 5}, []float64{1, 0.5}))
}

func full2() *energy.Gaussian {
	return must(energy.NewGaussian([]float64{1, -2}, []float64{2, 1.2, 1.2, 1}))
}

func full3() *energy.Gaussian {
	return must(energy.NewGaussianPrecision([]float64{1, -2, 0.5}, []float64{2, 0.3, -0.4, 0.3, 1, 0.2, -0.4, 0.2, 3}))
}

// crossing is a mixture whose components have different covariances: along two
// lines through the origin both are equally likely, however far out.
func crossing() *energy.Mixture {
	return must(energy.NewMixture([]float64{1, 1}, []energy.Component{
		must(energy.NewDiagonalGaussian([]float64{0, 0}, []float64{1, 2})),
		must(energy.NewGaussian([]float64{0, 0}, []float64{4, 0.5, 0.5, 1})),
	}))
}

func softBox(x []float64) float64 {
	var u float64
	for _, v := range x {
		if v < -6 || v > 6 {
			return math.Inf(1)
		}
		u += v * v / 2
	}
	return u
}

type row struct {
	name string
	e    ebmkit.Energy
	o    conform.Options
}

func zoo() []row {
	family := must(energy.NewExponentialFamily(2, []float64{-0.5, 0.3, 0.25, 0.1, 0.7},
		energy.Power(0, 1), energy.Power(0, 2), energy.Power(0, 4), energy.Product(0, 1), energy.Power(1, 2)))
	sine := energy.Statistic{Name: "sin x0", F: func(x []float64) float64 { return math.Sin(x[0]) },
		Grad: func(g, x []float64) { clear(g); g[0] = math.Cos(x[0]) }}
	return []row{
		{"Gaussian1D", must(energy.NewGaussian1D(3, 0.7)), conform.Options{Center: []float64{3}}},
		{"Gaussian2D", full2(), conform.Options{}},
		{"Gaussian3D precision", full3(), conform.Options{}},
		{"Gaussian d=1", must(energy.NewGaussian([]float64{3}, []float64{4})), conform.Options{}},
		{"Diagonal d=5", must(energy.NewDiagonalGaussian([]float64{1, 2, 3, 4, 5}, []float64{1, 0.1, 2, 0.5, 3})), conform.Options{}},
		{"Isotropic d=20", must(energy.NewIsotropicGaussian(make([]float64, 20), 2)), conform.Options{Samples: 5000}},
		{"Tridiagonal d=2", must(energy.NewTridiagonalGaussian([]float64{1, 0}, []float64{2, 1}, []float64{-0.7})), conform.Options{}},
		{"AR1 d=30", must(energy.NewAR1Gaussian(30, 0.9)), conform.Options{Samples: 5000}},
		{"AR1 d=1", must(energy.NewAR1Gaussian(1, 0.9)), conform.Options{}},
		{"Mixture eq. (8)", eq8(), conform.Options{Scale: 2}},
		{"Mixture unnormalised", must(energy.NewMixture1D([]float64{3, 4, 0.5}, []float64{-2, 1, 6}, []float64{1, 2, 0.5})), conform.Options{Scale: 2}},
		{"Mixture zero weight", must(energy.NewMixture1D([]float64{0, 2}, []float64{-2, 1}, []float64{1, 2})), conform.Options{}},
		{"Mixture crossing", crossing(), conform.Options{}},
		{"Mixture 3D full", must(energy.NewMixture([]float64{1, 2}, []energy.Component{full3(), must(energy.NewIsotropicGaussian([]float64{0, 1, 2}, 1))})), conform.Options{}},
		{"Ring", must(energy.NewRing(8, 4, 0.5)), conform.Options{Scale: 3}},
		{"Weighted ring", must(energy.NewWeightedRing([]float64{1, 2, 3}, 3, 1)), conform.Options{Scale: 3}},
		{"TwoModes", must(energy.NewTwoModes([]float64{-1.5}, []float64{2}, -0.7)), conform.Options{}},
		{"TwoModes 2D", must(energy.NewTwoModes([]float64{-1.5, 0}, []float64{1, 1}, 0.4)), conform.Options{}},
		{"TwoModes 7D", must(energy.NewTwoModes([]float64{-1.5, 0, 0, 0, 0, 0, 0}, []float64{1, 0, 0, 0, 0, 0, 1}, -0.7)), conform.Options{}},
		{"MovingModes", must(energy.NewMovingModes([]float64{-1.5}, []float64{2}, -0.7)), conform.Options{}},
		{"MovingModes 3D", must(energy.NewMovingModes([]float64{-0.5, 0, 1}, []float64{1, 1, 0}, 0.4)), conform.Options{}},
		{"DoubleWell", must(energy.NewDoubleWell(1, 1.5)), conform.Options{}},
		{"DoubleWell flat", must(energy.NewDoubleWell(0.3, 0.2)), conform.Options{}},
		{"DoubleWell 2D", must(energy.NewDoubleWellND(2, 2, 1, 3)), conform.Options{}},
		{"DoubleWell 4D", must(energy.NewDoubleWellND(4, 2, 1, 3)), conform.Options{}},
		{"Quartic", must(energy.NewQuartic(1, 0.25)), conform.Options{}},
		{"Quartic 3D", must(energy.NewQuartic(3, 2)), conform.Options{}},
		{"Banana", must(energy.NewBanana(2, 0.3)), conform.Options{}},
		{"Rosenbrock", must(energy.NewRosenbrock(1, 0.5, 2)), conform.Options{}},
		{"Funnel 2D", must(energy.NewFunnel(2, 1)), conform.Options{HeavyTails: true}},
		{"Funnel 10D", must(energy.NewFunnel(10, 3)), conform.Options{HeavyTails: true}},
		{"MuellerBrown", energy.MuellerBrown{}, conform.Options{Center: []float64{-0.3, 0.6}, Scale: 0.3}},
		{"ExponentialFamily", family, conform.Options{}},
		{"ExponentialFamily numerical curvature", must(energy.NewExponentialFamily(2, []float64{1, 0.4}, sine, energy.Power(1, 2))), conform.Options{GradTol: 1e-9}},
		{"Func", must(energy.NewFunc(2, func(x []float64) float64 { return x[0]*x[0] + math.Cosh(x[1]/10) },
			func(g, x []float64) { g[0], g[1] = 2*x[0], math.Sinh(x[1]/10)/10 })), conform.Options{}},
		{"Func numerical", must(energy.NewFunc(2, func(x []float64) float64 { return x[0]*x[0]*x[1] + x[1] }, nil)), conform.Options{GradTol: 1e-9}},
		{"Func with walls", must(energy.NewFunc(2, softBox, nil)), conform.Options{GradTol: 1e-9}},
		{"Tempered", must(energy.NewTempered(eq8(), 0.3)), conform.Options{}},
		{"Sum", must(energy.NewSum(full2(), crossing(), must(energy.NewQuartic(2, 1)))), conform.Options{}},
		{"Interpolate", must(energy.NewInterpolate(full2(), crossing(), 0.25)), conform.Options{}},
		{"Interpolate end", must(energy.NewInterpolate(full2(), crossing(), 1)), conform.Options{}},
		{"Nested", must(energy.NewTempered(must(energy.NewSum(must(energy.NewFunc(2, softBox, nil)), full2())), 0)), conform.Options{}},
	}
}

func TestConformance(t *testing.T) {
	for _, r := range zoo() {
		t.Run(r.name, func(t *testing.T) {
			r.o.Log = t.Logf
			r.o.Seed = 1
			if r.o.Fast = testing.Short(); r.o.Fast {
				r.o.Samples = 2000
			}
			for _, err := range conform.Check(r.e, r.o) {
				t.Error(err)
			}
		})
	}
}

// broken wraps a mixture and spoils one thing.
type broken struct {
	*energy.Mixture
	how string
}

func (b broken) EnergyGrad(grad, x []float64) float64 {
	u := b.Mixture.EnergyGrad(grad, x)
	switch b.how {
	case "gradient":
		grad[0] *= 1 + 1e-5
	case "input":
		x[0] += 1e-9
	}
	return u
}

func (b broken) NewEvaluator() ebmkit.Evaluator {
	return brokenEvaluator{b.Mixture.NewEvaluator(), b.how}
}

type brokenEvaluator struct {
	ebmkit.Evaluator
	how string
}

func (e brokenEvaluator) EnergyGrad(u, grad, xs []float64) {
	e.Evaluator.EnergyGrad(u, grad, xs)
	if e.how == "batch" && u != nil {
		u[len(u)-1] = math.Nextafter(u[len(u)-1], 100)
	}
}

func (b broken) LogZ() float64 {
	if b.how == "log Z" {
		return b.Mixture.LogZ() + 1e-10
	}
	return b.Mixture.LogZ()
}

func (b broken) Sample(dst []float64, s *ebmkit.Stream) {
	b.Mixture.Sample(dst, s)
	if b.how == "sampler" {
		dst[0] *= 1.02
	}
}

func (b broken) AddParamGrad(dst, w, xs []float64) {
	before := append([]float64(nil), dst...)
	b.Mixture.AddParamGrad(dst, w, xs)
	if b.how == "parameters" {
		dst[1] += 1e-5 * (dst[1] - before[1])
	}
}

func (b broken) AddScoreParamGrad(dst, v, xs []float64) {
	b.Mixture.AddScoreParamGrad(dst, v, xs)
	if b.how == "score" {
		dst[0] += 1e-4
	}
}

func (b broken) AddCurvParamGrad(dst, v, xs []float64) {
	b.Mixture.AddCurvParamGrad(dst, v, xs)
	if b.how == "curvature" {
		dst[2] += 1e-4
	}
}

func (b broken) Modes() []float64 {
	m := b.Mixture.Modes()
	if b.how == "modes" {
		m[0] += 0.01
	}
	return m
}

// Negative control: the conformance test finds each fault.
func TestConformanceFindsFaults(t *testing.T) {
	long(t)
	for _, how := range []string{"gradient", "input", "batch", "log Z", "sampler", "parameters", "score", "curvature", "modes"} {
		faults := conform.Check(broken{eq8(), how}, conform.Options{Scale: 2, Seed: 1, Samples: 100000})
		if len(faults) == 0 {
			t.Errorf("a broken %s is not found", how)
			continue
		}
		t.Logf("%-10s %v", how, faults[0])
	}
	if faults := conform.Check(broken{eq8(), ""}, conform.Options{Scale: 2, Seed: 1, Samples: 100000}); len(faults) > 0 {
		t.Errorf("the unbroken wrapper has faults: %v", faults)
	}
}
