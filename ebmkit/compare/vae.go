package compare

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
)

// autoencoder is a variational autoencoder with a Gaussian decoder.
type autoencoder struct {
	*vae.Model
	t    *Task
	r    recipe
	seed uint64
}

func newVAE(t *Task, r recipe, seed uint64) (*autoencoder, error) {
	h := width(t, 64, 104)
	m, err := vae.New(vae.Config{Dim: t.Train.Dim, Latent: r.own, Encoder: h, Decoder: h, Act: nn.SiLU, SD: 0.5, Seed: seed})
	return &autoencoder{m, t, r, seed}, err
}

func (m *autoencoder) numParams() int                  { return m.NumParams() }
func (m *autoencoder) params() []float64               { return m.Params(nil) }
func (m *autoencoder) setParams(theta []float64) error { return m.SetParams(theta) }

func (m *autoencoder) passes() (evals, weights int) {
	return 2 * m.r.batch, m.r.batch * (m.Encoder().NumParams() + m.Decoder().NumParams())
}

func (m *autoencoder) fit(ctx context.Context, steps int, after func(int) error) error {
	t, err := vae.NewTrainer(m.Model, m.t.z, vae.TrainConfig{Adam: nn.AdamConfig{Rate: falling(m.r.rate, steps)}, Batch: m.r.batch, Seed: m.seed,
		Hooks: []vae.Hook{{Name: "after", Do: func(t *vae.Trainer, _ vae.Record) error { return after(t.Steps()) }}}})
	if err != nil {
		return err
	}
	return t.Fit(ctx, steps)
}

func (m *autoencoder) sample(_ context.Context, n int, seed uint64) (*ebmkit.Ensemble, error) {
	return m.Sample(n, seed)
}

// logDensity is the importance-weighted bound.
func (m *autoencoder) logDensity(_ context.Context, xs *ebmkit.Ensemble, seed uint64) ([]float64, float64, error) {
	l, err := m.LogLikelihood(xs, 500, seed)
	if err != nil {
		return nil, 0, err
	}
	ld := make([]float64, xs.N)
	for i, e := range l.Row {
		ld[i] = e.Value
	}
	return ld, 0, nil
}
