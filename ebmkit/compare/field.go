package compare

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diffusion"
	"github.com/ebmkit/hitchhiker/ebmkit/diffusion/fit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// field is a network f(x, t): the noise predictor of a score-based diffusion, or
// the velocity of a one-sided interpolant.
type field struct {
	*nn.Field
	t        *Task
	r        recipe
	seed     uint64
	velocity bool
}

var vp = diffusion.VP{BetaMin: 0.1, BetaMax: 20}

const (
	earliest = 0.003 // time of the noising at which data are taken to be reached
	sdeSteps = 200
	odeSteps = 100
	probes   = 8 // of the divergence on digits
)

func newField(t *Task, r recipe, seed uint64, velocity bool) (*field, error) {
	f, err := nn.NewField(nn.FieldConfig{Dim: t.Train.Dim, Hidden: width(t, 88, 144), Act: nn.SiLU, Freqs: nn.OctaveFreqs(r.own), Seed: seed})
	return &field{f, t, r, seed, velocity}, err
}

func (m *field) numParams() int                  { return m.NumParams() }
func (m *field) params() []float64               { return m.Params(nil) }
func (m *field) setParams(theta []float64) error { return m.SetParams(theta) }

func (m *field) passes() (evals, weights int) { return m.r.batch, m.r.batch * m.NumParams() }

func (m *field) fit(ctx context.Context, steps int, after func(int) error) error {
	return train64(ctx, m.Field, m.t.z, m.objective(), m.r, m.seed, steps, after)
}

func (m *field) objective() train.Objective {
	if m.velocity {
		return fit.Interpolant{Regression: diffusion.Regression{Interpolant: bridge, Target: diffusion.Velocity}}
	}
	return fit.Score{DSM: diffusion.DSM{Process: vp, From: earliest, To: 1, Target: diffusion.Noise}}
}

// bridge leads from noise to data: X_t = t X_1 + (1-t) z.
var bridge = diffusion.Interpolant{I: diffusion.OneSided{}, Gamma: diffusion.Fading{}}

// Score returns the score of the diffusion's model at time t.
func (m *field) score() ebmkit.Field {
	return diffusion.ScoreOf(m.Field, func(t float64) float64 { _, sd := vp.Kernel(t); return sd })
}

func (m *field) sample(ctx context.Context, n int, seed uint64) (*ebmkit.Ensemble, error) {
	cfg := diffusion.Config{Walkers: n, Seed: seed}
	var e diffusion.SDE
	var err error
	if m.velocity {
		cfg.Times, cfg.Scheme = diffusion.Uniform(0, 1, odeSteps), diffusion.Heun
		e, err = diffusion.Transport(m.Field)
	} else {
		cfg.Times = diffusion.Uniform(1, earliest, sdeSteps)
		e, err = diffusion.Reverse(vp, m.score())
	}
	if err != nil {
		return nil, err
	}
	p, err := e.Run(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return p.Last(), nil
}

// logDensity is that of the probability flow, or of the interpolant's ODE.
func (m *field) logDensity(ctx context.Context, xs *ebmkit.Ensemble, seed uint64) ([]float64, float64, error) {
	f := diffusion.Flow{Scheme: diffusion.Heun, Seed: seed}
	if xs.Dim > 2 {
		f.Probes = probes
	}
	end, err := energy.NewIsotropicGaussian(make([]float64, xs.Dim), 1)
	if err != nil {
		return nil, 0, err
	}
	if m.velocity {
		f.Velocity, f.End, f.Times = m.Field, end, diffusion.Uniform(1, 0, odeSteps)
	} else {
		e, err := diffusion.ProbabilityFlow(vp, m.score())
		if err != nil {
			return nil, 0, err
		}
		f.Velocity, f.Times = e.Drift, diffusion.Uniform(earliest, 1, odeSteps)
		if f.End, err = diffusion.Prior(vp, 1, xs.Dim); err != nil {
			return nil, 0, err
		}
	}
	l, err := f.LogDensity(ctx, xs)
	if err != nil {
		return nil, 0, err
	}
	ld := make([]float64, xs.N)
	for i, e := range l {
		ld[i] = e.Value
	}
	return ld, 0, nil
}
