package fokkerplanck

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Config says how Evolve steps in time.
type Config struct {
	Scheme Scheme  // default TRBDF2
	Step   float64 // time step
	Steps  int
	Every  int // keep the density after every so many steps; 0: only the last
}

// History is a density along time.
type History struct {
	T      []float64   // times, from 0
	P      [][]float64 // densities at these times, the start first
	Steps  int
	Damped int // steps taken by backward Euler to stay positive, see Flow
}

// Last returns the last density, sharing memory.
func (h *History) Last() []float64 { return h.P[len(h.P)-1] }

// Each returns f of every kept density, as in h.Each(grid.Mass).
func (h *History) Each(f func(p []float64) float64) []float64 {
	v := make([]float64, len(h.P))
	for i, p := range h.P {
		v[i] = f(p)
	}
	return v
}

// Evolve solves the equation from the density p0, which is not changed. It
// returns *ebmkit.ArgError as NewFlow and Flow.Advance do, or if Steps or Every
// is negative. If ctx ends it returns what it has with ctx's error.
func Evolve(ctx context.Context, gen *Generator, p0 []float64, c Config) (*History, error) {
	const fn = "fokkerplanck.Evolve"
	f, err := NewFlow(gen, c.Scheme, c.Step)
	if err != nil {
		return nil, err
	}
	if c.Steps < 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Steps", Value: c.Steps, Want: "at least 0"}
	}
	if c.Every < 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Every", Value: c.Every, Want: "at least 0"}
	}
	p := append([]float64(nil), p0...)
	if err := f.Advance(p, 0); err != nil {
		return nil, err
	}
	h := &History{T: []float64{0}, P: [][]float64{append([]float64(nil), p...)}}
	keep := func() {
		h.T = append(h.T, float64(f.Steps)*c.Step)
		h.P = append(h.P, append([]float64(nil), p...))
	}
	for f.Steps < c.Steps && ctx.Err() == nil {
		f.advance(p)
		if c.Every > 0 && f.Steps%c.Every == 0 && f.Steps < c.Steps {
			keep()
		}
	}
	if f.Steps > 0 && h.T[len(h.T)-1] < float64(f.Steps)*c.Step {
		keep()
	}
	h.Steps, h.Damped = f.Steps, f.Damped
	return h, ctx.Err()
}
