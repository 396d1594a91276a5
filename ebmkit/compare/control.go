package compare

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
)

// control is a generator without a network.
type control struct {
	law *energy.Gaussian // nil: the training data themselves
	t   *Task
}

func newControl(t *Task, k Kind) (*control, error) {
	if k == Training {
		return &control{t: t}, nil
	}
	m, err := vae.MomentsOf(t.z)
	if err != nil {
		return nil, err
	}
	g, err := energy.NewGaussian(m.Mean, m.Cov)
	return &control{g, t}, err
}

func (m *control) numParams() int                                       { return 0 }
func (m *control) params() []float64                                    { return nil }
func (m *control) setParams([]float64) error                            { return nil }
func (m *control) passes() (evals, weights int)                         { return 0, 0 }
func (m *control) fit(context.Context, int, func(done int) error) error { return nil }

// sample returns draws of the Gaussian, or different rows of the training data.
func (m *control) sample(_ context.Context, n int, seed uint64) (*ebmkit.Ensemble, error) {
	if m.law != nil {
		return ebmkit.Draw(m.law, n, seed)
	}
	x := m.t.z
	if n > x.N {
		return nil, &ebmkit.ArgError{Func: "compare.Model.Sample", Arg: "n", Value: n, Want: "at most the training data, which this control hands back"}
	}
	s, at := ebmkit.NewStream(seed, "rows", 0), make([]int, x.N)
	for i := range at {
		at[i] = i
	}
	out := &ebmkit.Ensemble{N: n, Dim: x.Dim}
	for i := range n {
		j := i + s.IntN(x.N-i)
		at[i], at[j] = at[j], at[i]
		out.X = append(out.X, x.Row(at[i])...)
	}
	return out, nil
}

func (m *control) logDensity(_ context.Context, xs *ebmkit.Ensemble, _ uint64) ([]float64, float64, error) {
	if m.law == nil {
		return nil, 0, nil
	}
	ld := make([]float64, xs.N)
	for i := range ld {
		ld[i] = -m.law.Energy(xs.Row(i)) - m.law.LogZ()
	}
	return ld, 0, nil
}
