// Package loop is what the trainers have in common: they count steps, keep the
// record of each, call hooks, report progress, and stop for good when a step
// fails.
package loop

import (
	"context"
	"fmt"
	"time"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Hook is called after every Every-th step (0 means every step).
type Hook[R any] struct {
	Name  string
	Every int
	Do    func(last R) error
}

// Loop takes steps that leave records R.
type Loop[R any] struct {
	name     string
	take     func(k int) (R, error)
	hooks    []Hook[R]
	progress func(done, total int, last R)

	steps   int
	history []R
	failed  error
}

// New returns a loop of no steps. name is that of the trainer in errors, take
// takes step k, from 0, and progress may be nil.
func New[R any](name string, take func(k int) (R, error), hooks []Hook[R], progress func(done, total int, last R)) *Loop[R] {
	return &Loop[R]{name: name, take: take, hooks: hooks, progress: progress}
}

// CheckHook returns *ebmkit.ArgError unless hook i has a name, something to do,
// which set says, and Every of at least 0.
func CheckHook(fn string, i int, name string, every int, set bool) error {
	if set && name != "" && every >= 0 {
		return nil
	}
	return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Hooks[%d]", i), Value: fmt.Sprintf("%q every %d", name, every),
		Want: "a name, a function and Every of at least 0"}
}

// Steps returns the number of steps done.
func (l *Loop[R]) Steps() int { return l.steps }

// History returns the records of all steps.
func (l *Loop[R]) History() []R { return l.history }

// Series returns one number of each record.
func (l *Loop[R]) Series(f func(R) float64) []float64 {
	s := make([]float64, len(l.history))
	for i, r := range l.history {
		s[i] = f(r)
	}
	return s
}

// Failed returns the error after which no step is taken, nil if there was none.
func (l *Loop[R]) Failed() error { return l.failed }

// Fail makes err that error and returns it; an *ebmkit.DivergedError is told the
// number of the step.
func (l *Loop[R]) Fail(err error) error {
	if d, ok := err.(*ebmkit.DivergedError); ok {
		d.Step = l.steps
	}
	l.failed = err
	return err
}

// Step takes one step, keeps its record, and calls the hooks that are due. The
// error of a hook is returned with its name, and more steps may follow; that of
// take is final.
func (l *Loop[R]) Step() (R, error) {
	if l.failed != nil {
		var none R
		return none, l.failed
	}
	rec, err := l.take(l.steps)
	if err != nil {
		return rec, l.Fail(err)
	}
	l.steps++
	l.history = append(l.history, rec)
	for _, h := range l.hooks {
		if h.Every > 1 && l.steps%h.Every != 0 {
			continue
		}
		if err := h.Do(rec); err != nil {
			return rec, fmt.Errorf("%s: hook %q after step %d: %w", l.name, h.Name, l.steps-1, err)
		}
	}
	return rec, nil
}

// progressTime is how often Fit reports, more or less. It changes no number.
const progressTime = 50 * time.Millisecond

// Fit takes steps until there are total of them. It stops between two steps when
// ctx ends and returns ctx.Err(), or with the error of a step or hook; it can be
// called again and goes on.
func (l *Loop[R]) Fit(ctx context.Context, total int) error {
	var shown time.Time
	for l.steps < total {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := l.Step()
		if err != nil {
			return err
		}
		if l.progress != nil && (l.steps == total || time.Since(shown) > progressTime) {
			l.progress(l.steps, total, rec)
			shown = time.Now()
		}
	}
	return l.failed
}
