package gan

import (
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// ModeWatch counts modes along training: its hook draws points of the generator
// and counts them in the modes of a mixture.
//
//	watch := &gan.ModeWatch{Mix: ring, Points: 1000, Radius: 4, Seed: 1}
//	cfg.Hooks = append(cfg.Hooks, watch.Hook(100))
//
// It changes nothing in the training. One watch follows one training.
type ModeWatch struct {
	Mix    *energy.Mixture
	Points int     // of the generator, each time
	Radius float64 // of a mode, in standard deviations: see CountModes
	Seed   uint64  // of the noise, which is the same each time

	Steps []int    // done when it counted
	Modes []*Modes // what it found
}

// Count draws points of the generator, counts their modes, and keeps nothing.
// Errors as Sample and CountModes.
func (w *ModeWatch) Count(m *Model) (*Modes, error) {
	xs, err := m.Sample(w.Points, w.Seed)
	if err != nil {
		return nil, err
	}
	return CountModes(w.Mix, xs, w.Radius)
}

// Hook returns a hook that counts after every so many steps (0 means every step),
// and appends to Steps and Modes. An error of Count ends the training.
func (w *ModeWatch) Hook(every int) Hook {
	return Hook{Name: "modes", Every: every, Do: func(t *Trainer, _ Record) error {
		found, err := w.Count(t.Model())
		if err != nil {
			return err
		}
		w.Steps = append(w.Steps, t.Steps())
		w.Modes = append(w.Modes, found)
		return nil
	}}
}

// Masses returns the fraction of points in each mode at each count, without the
// errors: one row for each mode, one column for each count, row-major. It is what
// a heat map of modes against time wants.
func (w *ModeWatch) Masses() []float64 {
	if len(w.Modes) == 0 {
		return nil
	}
	n := len(w.Modes)
	out := make([]float64, n*len(w.Modes[0].Mass))
	for i, found := range w.Modes {
		for k, e := range found.Mass {
			out[k*n+i] = e.Value
		}
	}
	return out
}
