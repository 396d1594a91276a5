package train

import (
	"context"
	"errors"
	"os"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Run makes a trainer and takes steps until there are total of them. If
// cfg.Checkpoint is a checkpoint of the same training, as after an interruption,
// it goes on there and arrives at the bits of a run without one. Any other file
// of that name is replaced, and cfg.Notify is told why before the first step. It
// returns what New and Fit return; the trainer is not nil if New was content.
func Run(ctx context.Context, model Model, data *ebmkit.Ensemble, o Objective, opt Optimizer, cfg Config, total int) (*Trainer, error) {
	t, err := New(model, data, o, opt, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Checkpoint != "" {
		// What cannot be loaded changes nothing.
		if err := t.Load(cfg.Checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) && cfg.Notify != nil {
			cfg.Notify(err)
		}
	}
	return t, t.Fit(ctx, total)
}
