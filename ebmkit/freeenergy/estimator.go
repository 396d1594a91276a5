package freeenergy

import (
	"context"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Estimator is what AIS, Reversed, Bridge, ThermodynamicIntegration and SMC have
// in common: Run estimates log Z of the energy to, starting at the energy from,
// whose log Z is known.
type Estimator interface {
	Run(ctx context.Context, from, to ebmkit.Energy, cfg Config) (*Report, error)
}

var (
	_ Estimator = AIS{}
	_ Estimator = Reversed{}
	_ Estimator = Bridge{}
	_ Estimator = ThermodynamicIntegration{}
	_ Estimator = SMC{}
)

// Reversed is the way back of AIS as an Estimator: its Run is AIS.Reverse.
type Reversed struct{ AIS AIS }

// Run estimates log Z of to from trajectories that go back from exact draws of
// to. Its errors are those of AIS.Reverse.
func (m Reversed) Run(ctx context.Context, from, to ebmkit.Energy, cfg Config) (*Report, error) {
	return m.AIS.Reverse(ctx, from, to, cfg)
}
