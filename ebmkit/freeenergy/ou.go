package freeenergy

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// OU moves walkers in a harmonic trap by the exact law of overdamped Langevin
// dynamics after a time (review Example 4.1; Ornstein and Uhlenbeck): with k_j the
// stiffness of coordinate j and m_j its centre,
//
//	x_j' = m_j + (x_j - m_j) exp(-k_j t) + sqrt((1 - exp(-2 k_j t))/k_j) xi.
//
// It is reversible and leaves the trap's law invariant for every t.
type OU struct {
	Time float64 // t, positive
}

// Bind implements mcmc.Method. The target is an *energy.DiagonalGaussian, a
// path through these, StiffnessChange or DraggedTrap; another is an
// *ebmkit.ArgError.
func (m OU) Bind(target ebmkit.Energy, rows int) (mcmc.Kernel, error) {
	if err := positive("freeenergy.OU", "Time", m.Time); err != nil {
		return nil, err
	}
	k := &ou{time: m.Time, target: target, xi: make([]float64, rows*target.Dim())}
	if _, err := k.gaussian(); err != nil {
		return nil, err
	}
	return k, nil
}

type ou struct {
	time            float64
	target          ebmkit.Energy
	xi              []float64
	mean, sd, decay []float64
}

// gaussian is an energy of independent Gaussian coordinates.
type gaussian interface {
	Mean(dst []float64) []float64
	SD(dst []float64) []float64
}

// gaussian returns the trap of the present lambda.
func (k *ou) gaussian() (gaussian, error) {
	e := k.target
	if m, ok := e.(*moving); ok {
		e = m.now
	}
	switch g := e.(type) {
	case *energy.DiagonalGaussian:
		return g, nil
	case *harmonic:
		return g, nil
	}
	return nil, &ebmkit.ArgError{Func: "freeenergy.OU", Arg: "target", Value: ebmkit.TypeName(e), Want: "an *energy.DiagonalGaussian or a harmonic trap of this package"}
}

func (k *ou) Start(*ebmkit.Ensemble, *ebmkit.Stream) error {
	g, err := k.gaussian()
	if err != nil {
		return err
	}
	k.mean, k.sd = g.Mean(k.mean), g.SD(k.sd)
	if k.decay == nil {
		k.decay = make([]float64, len(k.mean))
	}
	for j, sd := range k.sd {
		a := k.time / (sd * sd)
		k.decay[j] = vmath.Exp(-a)
		k.sd[j] = sd * math.Sqrt(-vmath.Expm1(-2*a))
	}
	return nil
}

func (k *ou) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (mcmc.Info, error) {
	xi := k.xi[:len(block.X)]
	s.FillNormal(xi)
	d := block.Dim
	for lo := 0; lo < len(xi); lo += d {
		for j, m := range k.mean {
			block.X[lo+j] = m + (block.X[lo+j]-m)*k.decay[j] + k.sd[j]*xi[lo+j]
		}
	}
	return mcmc.Info{}, nil
}
