package compare

import (
	"context"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/freeenergy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// ebm is a network energy trained by walkers: U = y + |x|^2/2s^2, whose last layer
// starts at 0, so that at first exp(-U) is a Gaussian.
type ebm struct {
	e    *nn.Energy
	t    *Task
	r    recipe
	seed uint64
}

// Walkers move by ULA with a quarter of MALA's step.
const (
	planeScale, digitsScale = 1.5, 1.0   // s
	planeStep, digitsStep   = 0.02, 0.08 // of MALA
)

func newEBM(t *Task, r recipe, seed uint64) (*ebm, error) {
	h := width(t, 92, 170)
	net, err := nn.NewMLP(nn.Config{Sizes: []int{t.Train.Dim, h[0], h[1], 1}, Act: nn.SiLU, Seed: seed})
	if err != nil {
		return nil, err
	}
	theta := net.Params(nil)
	clear(theta[len(theta)-h[1]-1:])
	if err := net.SetParams(theta); err != nil {
		return nil, err
	}
	m := &ebm{t: t, r: r, seed: seed}
	m.e, err = nn.NewEnergy(net, m.scale())
	return m, err
}

func (m *ebm) scale() float64 {
	if m.t.Train.Dim > 2 {
		return digitsScale
	}
	return planeScale
}

func (m *ebm) step() float64 {
	if m.t.Train.Dim > 2 {
		return digitsStep
	}
	return planeStep
}

// base is the law of the confinement.
func (m *ebm) base() (*energy.DiagonalGaussian, error) {
	return energy.NewIsotropicGaussian(make([]float64, m.t.Train.Dim), m.scale())
}

func (m *ebm) numParams() int                  { return m.e.NumParams() }
func (m *ebm) params() []float64               { return m.e.Params(nil) }
func (m *ebm) setParams(theta []float64) error { return m.e.SetParams(theta) }

// passes: the gradient in parameters at data and walkers, and in x at walkers.
func (m *ebm) passes() (evals, weights int) {
	n := m.r.batch + 2*m.r.own
	return n, n * m.numParams()
}

func (m *ebm) fit(ctx context.Context, steps int, after func(int) error) error {
	o, err := m.objective()
	if err != nil {
		return err
	}
	return train64(ctx, m.e, m.t.z, o, m.r, m.seed, steps, after)
}

// objective is training by weighted walkers, which start in equilibrium.
func (m *ebm) objective() (train.Objective, error) {
	base, err := m.base()
	if err != nil {
		return nil, err
	}
	start, err := ebmkit.Draw(base, m.r.own, m.seed)
	if err != nil {
		return nil, err
	}
	return train.Jarzynski{Walkers: m.r.own, Kernel: mcmc.ULA{Step: m.step() / 4}, Init: start, LogZ0: base.LogZ(), Resample: 0.8}, nil
}

// sample runs parallel tempering, one ladder a draw.
func (m *ebm) sample(ctx context.Context, n int, seed uint64) (*ebmkit.Ensemble, error) {
	base, err := m.base()
	if err != nil {
		return nil, err
	}
	start, err := ebmkit.Draw(base, n, seed)
	if err != nil {
		return nil, err
	}
	l, err := mcmc.Tempering{Method: mcmc.MALA{Step: m.step()}, Betas: []float64{1, 0.5, 0.25, 0.1}}.
		Run(ctx, m.e, mcmc.Config{Walkers: n, Burn: 200, Draws: 1, Seed: seed, Init: start})
	if err != nil {
		return nil, err
	}
	return l.Chain.Last(), nil
}

func (m *ebm) logDensity(ctx context.Context, xs *ebmkit.Ensemble, seed uint64) ([]float64, float64, error) {
	z, err := m.logZ(ctx, seed)
	if err != nil {
		return nil, 0, err
	}
	u := make([]float64, xs.N)
	m.e.NewEvaluator().EnergyGrad(u, nil, xs.X)
	for i := range u {
		u[i] = -u[i] - z.Value
	}
	return u, z.SE, nil
}

// logZ is by quadrature in the plane and by annealing from the confinement on
// digits.
func (m *ebm) logZ(ctx context.Context, seed uint64) (ebmkit.Estimate, error) {
	if m.e.Dim() == 2 {
		z, err := m.quadrature()
		return ebmkit.Estimate{Value: z}, err
	}
	base, err := m.base()
	if err != nil {
		return ebmkit.Estimate{}, err
	}
	r, err := freeenergy.AIS{Lambdas: freeenergy.Linear(500), Method: mcmc.MALA{Step: m.step()}}.
		Run(ctx, base, m.e, freeenergy.Config{Samples: 128, Seed: seed})
	if err != nil {
		return ebmkit.Estimate{}, err
	}
	return r.LogZ, nil
}

// quadrature returns log Z by the trapezoidal rule, whose error falls faster than
// any power of the spacing as long as the density vanishes at the walls. Six
// standard deviations of the confinement are taken each way.
func (m *ebm) quadrature() (float64, error) {
	const n, wall = 400, 6 * planeScale
	h := 2 * wall / float64(n)
	x, u, ev := make([]float64, 2*n), make([]float64, n), m.e.NewEvaluator()
	top, sum, edge := math.Inf(-1), 0.0, 0.0 // of exp(-U - top)
	for j := range n {
		for i := range n {
			x[2*i], x[2*i+1] = -wall+h*(float64(i)+0.5), -wall+h*(float64(j)+0.5)
		}
		ev.EnergyGrad(u, nil, x)
		if t := -slices.Min(u); t > top {
			scale := vmath.Exp(top - t)
			top, sum, edge = t, sum*scale, edge*scale
		}
		for i, v := range u {
			p := vmath.Exp(-v - top)
			sum += p
			if i == 0 || i == n-1 || j == 0 || j == n-1 {
				edge += p
			}
		}
	}
	if !(edge < 1e-6*sum) {
		return 0, &ebmkit.DivergedError{Func: "compare.Model.LogDensity", Walker: -1, Value: edge / sum, Hint: "the energy has this share of its mass at the walls of the quadrature: it has not learned where data are"}
	}
	return top + vmath.Log(sum*h*h), nil
}
