package compare

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/flow"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// realNVP is a normalizing flow of affine couplings.
type realNVP struct {
	*flow.Flow
	t    *Task
	r    recipe
	seed uint64
}

// Widths of the networks of so many couplings, for the parameters altogether.
var couplingWidths = map[int][2]int{4: {45, 58}, 6: {36, 46}, 8: {31, 37}, 12: {25, 26}}

func newFlow(t *Task, r recipe, seed uint64) (*realNVP, error) {
	w := couplingWidths[r.own]
	f, err := flow.New(flow.Config{Dim: t.Train.Dim, Layers: flow.RealNVP(r.own, nn.SiLU, width(t, w[0], w[1])...), Seed: seed})
	return &realNVP{f, t, r, seed}, err
}

func (m *realNVP) numParams() int                  { return m.NumParams() }
func (m *realNVP) params() []float64               { return m.Params(nil) }
func (m *realNVP) setParams(theta []float64) error { return m.SetParams(theta) }

func (m *realNVP) passes() (evals, weights int) { return m.r.batch, m.r.batch * m.NumParams() }

func (m *realNVP) fit(ctx context.Context, steps int, after func(int) error) error {
	return train64(ctx, m.Flow, m.t.z, m.objective(), m.r, m.seed, steps, after)
}

func (m *realNVP) objective() train.Objective { return flow.Likelihood{} }

func (m *realNVP) sample(_ context.Context, n int, seed uint64) (*ebmkit.Ensemble, error) {
	return m.Draw(n, seed)
}

func (m *realNVP) logDensity(_ context.Context, xs *ebmkit.Ensemble, _ uint64) ([]float64, float64, error) {
	return m.LogDensity(nil, xs.X), 0, nil
}
