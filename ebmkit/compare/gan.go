package compare

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/gan"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
)

// adversaries are a generator and a discriminator.
type adversaries struct {
	*gan.Model
	t    *Task
	r    recipe
	seed uint64
}

func newGAN(t *Task, r recipe, seed uint64) (*adversaries, error) {
	h := width(t, 64, 108)
	m, err := gan.New(gan.Config{Dim: t.Train.Dim, Noise: r.own, Generator: h, Discriminator: h, Act: nn.SiLU, Seed: seed})
	return &adversaries{m, t, r, seed}, err
}

func (m *adversaries) numParams() int {
	return m.Generator().NumParams() + m.Discriminator().NumParams()
}

func (m *adversaries) params() []float64 {
	return append(m.Generator().Params(nil), m.Discriminator().Params(nil)...)
}

func (m *adversaries) setParams(theta []float64) error {
	g := m.Generator().NumParams()
	if len(theta) != m.numParams() {
		return badLength(len(theta), m.numParams())
	}
	if err := m.Generator().SetParams(theta[:g]); err != nil {
		return err
	}
	return m.Discriminator().SetParams(theta[g:])
}

// passes: G forward, D at data and at fakes; then G and D for the generator.
func (m *adversaries) passes() (evals, weights int) {
	g, d := m.Generator().NumParams(), m.Discriminator().NumParams()
	return 5 * m.r.batch, m.r.batch * (2*g + 3*d)
}

func (m *adversaries) fit(ctx context.Context, steps int, after func(int) error) error {
	adam := nn.AdamConfig{Rate: falling(m.r.rate, steps), Beta1: 0.5}
	t, err := gan.NewTrainer(m.Model, m.t.z, gan.TrainConfig{AdamG: adam, AdamD: adam, Batch: m.r.batch, Seed: m.seed,
		Hooks: []gan.Hook{{Name: "after", Do: func(t *gan.Trainer, _ gan.Record) error { return after(t.Steps()) }}}})
	if err != nil {
		return err
	}
	return t.Fit(ctx, steps)
}

func (m *adversaries) sample(_ context.Context, n int, seed uint64) (*ebmkit.Ensemble, error) {
	return m.Sample(n, seed)
}

// logDensity: a generator has no density, and D is none.
func (m *adversaries) logDensity(context.Context, *ebmkit.Ensemble, uint64) ([]float64, float64, error) {
	return nil, 0, nil
}
