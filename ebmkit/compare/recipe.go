package compare

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// learner is a model with its recipe: what Train, Sample and LogDensity need.
type learner interface {
	numParams() int
	params() []float64
	setParams(theta []float64) error

	// passes returns the gradient evaluations of one step of training, and the sum
	// over them of the parameters that the row passed.
	passes() (evals, weights int)
	// fit takes so many steps. after is called after each of them, and stops it by
	// an error.
	fit(ctx context.Context, steps int, after func(done int) error) error

	sample(ctx context.Context, n int, seed uint64) (*ebmkit.Ensemble, error)
	// logDensity returns log densities or bounds at the rows of xs, nil if there
	// are none, and the error of what they share, such as log Z.
	logDensity(ctx context.Context, xs *ebmkit.Ensemble, seed uint64) ([]float64, float64, error)
}

// recipe holds what was tuned; see the package's documentation.
type recipe struct {
	rate  float64 // of Adam, where it starts; it falls along a cosine to a hundredth
	batch int     // rows of data per step
	own   int     // walkers, width of code or noise, frequencies of time, couplings
}

// recipes are by kind: ring, moons, digits.
var recipes = map[Kind][3]recipe{
	EBM:         {{0.03, 256, 1152}, {0.03, 256, 1152}, {0.001, 256, 512}},
	VAE:         {{0.03, 128, 2}, {0.03, 128, 2}, {0.01, 128, 16}},
	GAN:         {{0.003, 64, 4}, {0.001, 64, 4}, {0.003, 128, 16}},
	Diffusion:   {{0.003, 128, 4}, {0.03, 128, 4}, {0.01, 128, 4}},
	Interpolant: {{0.03, 128, 4}, {0.03, 128, 4}, {0.01, 128, 4}},
	Flow:        {{0.01, 128, 8}, {0.03, 256, 8}, {0.0003, 128, 6}},
}

// build returns the model of a kind for a task, untrained. The rate of learning
// falls over so many steps.
func build(k Kind, t *Task, r recipe, seed uint64) (learner, error) {
	switch k {
	case EBM:
		return newEBM(t, r, seed)
	case VAE:
		return newVAE(t, r, seed)
	case GAN:
		return newGAN(t, r, seed)
	case Diffusion, Interpolant:
		return newField(t, r, seed, k == Interpolant)
	case Flow:
		return newFlow(t, r, seed)
	case Gaussian, Training:
		return newControl(t, k)
	}
	return nil, &ebmkit.ArgError{Func: "compare.Train", Arg: "k", Value: k, Want: "one of Kinds()"}
}

func recipeFor(k Kind, t *Task) recipe {
	switch {
	case t.Train.Dim > 2:
		return recipes[k][2]
	case t.Name == "moons":
		return recipes[k][1]
	}
	return recipes[k][0]
}

// falling is the schedule of all recipes.
func falling(rate float64, steps int) nn.Cosine {
	return nn.Cosine{Start: rate, End: rate / 100, Over: steps}
}

// train64 runs a train.Trainer.
func train64(ctx context.Context, m train.Model, x *ebmkit.Ensemble, o train.Objective, r recipe, seed uint64, steps int, after func(int) error) error {
	opt, err := nn.NewAdam[float64](nn.AdamConfig{Rate: falling(r.rate, steps)})
	if err != nil {
		return err
	}
	t, err := train.New(m, x, o, opt, train.Config{Seed: seed, Batch: r.batch, Clip: 10,
		Hooks: []train.Hook{{Name: "after", Do: func(t *train.Trainer, _ train.Record) error { return after(t.Steps()) }}}})
	if err != nil {
		return err
	}
	return t.Fit(ctx, steps)
}

// width returns a for the plane and b for digits.
func width(t *Task, a, b int) []int {
	if t.Train.Dim > 2 {
		a = b
	}
	return []int{a, a}
}
