package compare

import (
	"context"
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/flow"
	"github.com/ebmkit/hitchhiker/ebmkit/gan"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/vae"
)

// Model is a model of a kind for a task.
type Model struct {
	kind Kind
	seed uint64
	t    *Task
	l    learner
	done int // steps
}

// New returns an untrained model, the same that Train starts from. It returns
// *ebmkit.ArgError if the kind is unknown or t is not a task.
func New(k Kind, t *Task, seed uint64) (*Model, error) {
	if err := t.check("compare.New"); err != nil {
		return nil, err
	}
	if k > Training {
		return nil, &ebmkit.ArgError{Func: "compare.New", Arg: "k", Value: k, Want: "a kind of this package"}
	}
	l, err := build(k, t, recipeFor(k, t), seed)
	if err != nil {
		return nil, err
	}
	return &Model{kind: k, seed: seed, t: t, l: l}, nil
}

// Train spends a budget of gradient evaluations on a new model: as many whole
// steps as it allows, GradEvals of them. after, if not nil, is called after each
// step with the gradient evaluations so far. It returns *ebmkit.ArgError as New
// does or if the budget is less than one step, what the method's trainer returns
// when training runs away, and ctx's error if it ends.
func Train(ctx context.Context, k Kind, t *Task, budget int, seed uint64, after func(evals int)) (*Model, error) {
	m, err := New(k, t, seed)
	if err != nil {
		return nil, err
	}
	if k == Gaussian || k == Training {
		return m, nil
	}
	one, _ := m.l.passes()
	if budget < one {
		return nil, &ebmkit.ArgError{Func: "compare.Train", Arg: "budget", Value: budget, Want: fmt.Sprintf("at least %d, one step of %v on %s", one, k, t.Name)}
	}
	err = m.l.fit(ctx, budget/one, func(done int) error {
		m.done = done
		if after != nil {
			after(done * one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare: %v on %s, seed %d: %w", k, t.Name, seed, err)
	}
	return m, nil
}

// Kind returns the kind.
func (m *Model) Kind() Kind { return m.kind }

// NumParams returns the number of parameters of all its networks.
func (m *Model) NumParams() int { return m.l.numParams() }

// Params returns a copy of the parameters.
func (m *Model) Params() []float64 { return m.l.params() }

// SetParams copies parameters, as Params returned them, into the model. It returns
// *ebmkit.ArgError if they do not fit.
func (m *Model) SetParams(theta []float64) error { return m.l.setParams(theta) }

// Step returns the gradient evaluations of one step of training, and the
// multiplications with weights that their ways forward take: the sum over rows of
// the parameters that each passes.
func (m *Model) Step() (evals, weights int) { return m.l.passes() }

// Cost is what a model spends of a budget.
type Cost struct {
	Params    int // parameters of all its networks
	StepEvals int // gradient evaluations of one step of training
	Steps     int // whole steps that the budget allows
	GradEvals int // of all steps, at most the budget
	Weights   int // multiplications with weights on the ways forward; see Step
}

// Cost returns what training with a budget of gradient evaluations spends, without
// training. The controls spend nothing.
func (m *Model) Cost(budget int) Cost {
	one, weights := m.Step()
	c := Cost{Params: m.NumParams(), StepEvals: one}
	if one > 0 {
		c.Steps = max(0, budget/one)
	}
	c.GradEvals, c.Weights = c.Steps*one, c.Steps*weights
	return c
}

// GradEvals returns how many gradient evaluations training took.
func (m *Model) GradEvals() int {
	one, _ := m.l.passes()
	return m.done * one
}

// Sample returns n independent draws: of an energy by parallel tempering, one
// ladder a draw.
func (m *Model) Sample(ctx context.Context, n int, seed uint64) (*ebmkit.Ensemble, error) {
	x, err := m.l.sample(ctx, n, seed)
	if err != nil {
		return nil, err
	}
	m.t.restore(x.X)
	return x, nil
}

// LogDensity returns the model's log density at the rows of xs, for a VAE a bound
// of it, nil if there is none, and the standard error of what all of them share
// (log Z by annealing). See Kind.Evaluation.
func (m *Model) LogDensity(ctx context.Context, xs *ebmkit.Ensemble, seed uint64) ([]float64, float64, error) {
	z := &ebmkit.Ensemble{N: xs.N, Dim: xs.Dim, X: m.t.standardize(xs.X)}
	ld, shared, err := m.l.logDensity(ctx, z, seed)
	scale := m.t.logScale()
	for i := range ld {
		ld[i] -= scale
	}
	return ld, shared, err
}

// Energy returns the network energy of an EBM, nil for others.
func (m *Model) Energy() *nn.Energy {
	if l, ok := m.l.(*ebm); ok {
		return l.e
	}
	return nil
}

// VAE returns the autoencoder, nil for others.
func (m *Model) VAE() *vae.Model {
	if l, ok := m.l.(*autoencoder); ok {
		return l.Model
	}
	return nil
}

// GAN returns generator and discriminator, nil for others.
func (m *Model) GAN() *gan.Model {
	if l, ok := m.l.(*adversaries); ok {
		return l.Model
	}
	return nil
}

// Flow returns the flow, nil for others.
func (m *Model) Flow() *flow.Flow {
	if l, ok := m.l.(*realNVP); ok {
		return l.Flow
	}
	return nil
}

// Score returns the score of a diffusion at every time of the noising, nil for
// others.
func (m *Model) Score() ebmkit.Field {
	if l, ok := m.l.(*field); ok && !l.velocity {
		return l.score()
	}
	return nil
}

// Velocity returns the velocity of an interpolant, nil for others.
func (m *Model) Velocity() ebmkit.Field {
	if l, ok := m.l.(*field); ok && l.velocity {
		return l.Field
	}
	return nil
}

func badLength(got, want int) error {
	return &ebmkit.ArgError{Func: "compare.Model.SetParams", Arg: "len(theta)", Value: got, Want: fmt.Sprint(want)}
}
