package compare

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// A field with the name of the method would hide it.
type netEnergy = nn.Energy

// countedEnergy counts the rows at which a network energy is differentiated.
type countedEnergy struct {
	*netEnergy
	rows *atomic.Int64
}

func (e countedEnergy) AddParamGrad(dst, w, xs []float64) {
	e.rows.Add(int64(len(xs) / e.Dim()))
	e.netEnergy.AddParamGrad(dst, w, xs)
}

func (e countedEnergy) NewEvaluator() ebmkit.Evaluator {
	return countedEvaluator{e.netEnergy.NewEvaluator(), e.Dim(), e.rows}
}

type countedEvaluator struct {
	ebmkit.Evaluator
	dim  int
	rows *atomic.Int64
}

func (e countedEvaluator) EnergyGrad(u, grad, xs []float64) {
	if grad != nil {
		e.rows.Add(int64(len(xs) / e.dim))
	}
	e.Evaluator.EnergyGrad(u, grad, xs)
}

// countedField counts the rows of a regression.
type countedField struct {
	*nn.Field
	rows *atomic.Int64
}

func (f countedField) AddLossGrad(dst, w, ys, ts, xs []float64) float64 {
	f.rows.Add(int64(len(ts)))
	return f.Field.AddLossGrad(dst, w, ys, ts, xs)
}

// countedObjective counts the rows of the batches that an objective is given.
type countedObjective struct {
	train.Objective
	rows *atomic.Int64
}

func (o countedObjective) Bind(t train.Task) (train.Bound, error) {
	b, err := o.Objective.Bind(t)
	return countedBound{b, t.Model.Dim(), o.rows}, err
}

type countedBound struct {
	train.Bound
	dim  int
	rows *atomic.Int64
}

func (b countedBound) Grad(dst, batch []float64, rec *train.Record) error {
	b.rows.Add(int64(len(batch) / b.dim))
	return b.Bound.Grad(dst, batch, rec)
}

// The gradient evaluations that passes declares are those that the networks make.
// Trainers of VAE and GAN own their networks and offer no place to count; what is
// checked of them is the number of steps.
func TestBudgetIsSpent(t *testing.T) {
	ctx := context.Background()
	ring, err := NewRing(2000, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	const steps = 5
	for _, k := range Kinds() {
		m, err := New(k, ring, 1)
		if err != nil {
			t.Fatal(err)
		}
		one, weights := m.Step()
		var rows atomic.Int64
		taken := 0
		after := func(done int) error { taken++; return nil }
		switch l := m.l.(type) {
		case *ebm:
			o, err := l.objective()
			if err != nil {
				t.Fatal(err)
			}
			if err := train64(ctx, countedEnergy{l.e, &rows}, l.t.z, o, l.r, l.seed, steps, after); err != nil {
				t.Fatal(err)
			}
		case *field:
			if err := train64(ctx, countedField{l.Field, &rows}, l.t.z, l.objective(), l.r, l.seed, steps, after); err != nil {
				t.Fatal(err)
			}
		case *realNVP:
			if err := train64(ctx, l.Flow, l.t.z, countedObjective{l.objective(), &rows}, l.r, l.seed, steps, after); err != nil {
				t.Fatal(err)
			}
		default:
			if err := m.l.fit(ctx, steps, after); err != nil {
				t.Fatal(err)
			}
			rows.Store(int64(taken * one))
		}
		got, want := rows.Load(), int64(steps*one)
		t.Logf("%v: %d rows counted, %d declared, %d steps", k, got, want, taken)
		if got != want || taken != steps {
			t.Errorf("%v: %d rows in %d steps, declared %d in %d", k, got, taken, want, steps)
		}
		if weights < one*m.NumParams()/3 || weights > one*m.NumParams() {
			t.Errorf("%v: %d weights passed by %d rows of a model with %d", k, weights, one, m.NumParams())
		}
		for _, b := range []struct {
			task   string
			budget int
		}{{"plane", PlaneBudget}, {"digits", DigitsBudget}} {
			for i, r := range recipes[k] {
				if (i == 2) != (b.task == "digits") {
					continue
				}
				x := ring
				if i == 2 {
					if x, err = NewDigits(0, 1); err != nil {
						t.Fatal(err)
					}
				}
				l, err := build(k, x, r, 1)
				if err != nil {
					t.Fatal(err)
				}
				if one, _ := l.passes(); b.budget%one != 0 {
					t.Errorf("%v: steps of %d gradient evaluations do not make up a budget of %d", k, one, b.budget)
				}
			}
		}
	}
}
