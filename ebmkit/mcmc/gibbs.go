package mcmc

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// Sweeper is an energy that can draw its variables from their conditionals.
type Sweeper interface {
	ebmkit.Energy
	// Sweep replaces the variables x (length Dim), one or one group at a time in
	// a fixed order, each by a draw from its law given the others. It must be
	// safe for concurrent calls.
	Sweep(x []float64, s *ebmkit.Stream)
}

// Gibbs is the Gibbs sampler with systematic scan (Geman and Geman 1984): one
// step is one Sweep of the target, which must be a Sweeper, a Gaussian of package
// energy, or energy.Tempered of a TemperedSweeper, which is how Tempering runs on
// spins. It leaves exp(-U)/Z invariant without detailed balance, which
// is sufficient for Proposition 4.1 of the review but not, as printed there,
// equivalent.
type Gibbs struct{}

// Bind implements Method.
func (m Gibbs) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	switch t := target.(type) {
	case Sweeper:
		return &gibbs{t}, nil
	case energy.Tempered:
		if u, ok := t.U.(TemperedSweeper); ok {
			return &gibbs{tempered{t, u}}, nil
		}
	case energy.Normal:
		return &gibbs{newGaussianSweeper(t)}, nil
	}
	return nil, &ebmkit.ArgError{Func: "mcmc.Gibbs", Arg: "target", Value: ebmkit.TypeName(target),
		Want: "an energy that gives conditionals (implement mcmc.Sweeper)"}
}

// TemperedSweeper is a Sweeper that can also draw from exp(-beta U).
type TemperedSweeper interface {
	Sweeper
	SweepAt(beta float64, x []float64, s *ebmkit.Stream)
}

type tempered struct {
	energy.Tempered
	u TemperedSweeper
}

func (t tempered) Sweep(x []float64, s *ebmkit.Stream) { t.u.SweepAt(t.Beta, x, s) }

type gibbs struct{ target Sweeper }

func (k *gibbs) Start(block *ebmkit.Ensemble, _ *ebmkit.Stream) error {
	if _, ok := k.target.(tempered); ok { // exchanges need the energies
		block.U = make([]float64, block.N)
		k.energies(block)
	}
	return nil
}

func (k *gibbs) energies(block *ebmkit.Ensemble) {
	for i := range block.U {
		block.U[i] = k.target.Energy(block.Row(i))
	}
}

func (k *gibbs) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	for i := range block.N {
		k.target.Sweep(block.Row(i), s)
	}
	k.energies(block)
	return Info{Evals: block.N}, diverged("mcmc.Gibbs", block, "check the conditionals that the target's Sweep draws from")
}

// gaussianSweeper draws the coordinates of a Gaussian one after the other: with
// P the precision,
//
//	x_j given the rest ~ N(mu_j - sum_{i != j} P_ji (x_i - mu_i) / P_jj, 1/P_jj).
type gaussianSweeper struct {
	energy.Normal
	mean, prec []float64
	sd         []float64 // P_jj^-1/2
}

func newGaussianSweeper(g energy.Normal) *gaussianSweeper {
	d := g.Dim()
	w := &gaussianSweeper{Normal: g, mean: g.Mean(nil), prec: g.Precision(nil), sd: make([]float64, d)}
	for j := range d {
		w.sd[j] = 1 / math.Sqrt(w.prec[j*d+j])
	}
	return w
}

func (w *gaussianSweeper) Sweep(x []float64, s *ebmkit.Stream) {
	for j := range x {
		w.draw(x, j, s.Normal())
	}
}

// draw replaces coordinate j, with the noise xi.
func (w *gaussianSweeper) draw(x []float64, j int, xi float64) {
	d := len(x)
	var pull float64 // sum over i of P_ji (x_i - mu_i), x_j included
	for i, p := range w.prec[j*d : (j+1)*d] {
		pull += p * (x[i] - w.mean[i])
	}
	x[j] += w.sd[j] * (xi - w.sd[j]*pull)
}
