package maxent

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// MeansOf returns the constraints that ask for the means which a law has, by
// quadrature: F = f and Target = E_law[f] for every f. The density of largest
// entropy that satisfies them is the least committal one with these means
// (review eq. (96) and (97); with powers, the moments of eq. (8)). Errors as
// those of quad.NewDensity and its Expect, and *ebmkit.ArgError for a statistic
// without F.
func MeansOf(law ebmkit.Energy, dom quad.Domain, f ...energy.Statistic) ([]Constraint, error) {
	d, err := quad.NewDensity(law, dom)
	if err != nil {
		return nil, err
	}
	cs := make([]Constraint, len(f))
	for k := range f {
		if f[k].F == nil {
			return nil, &ebmkit.ArgError{Func: "maxent.MeansOf", Arg: fmt.Sprintf("f[%d].F", k), Value: "nil", Want: "a function"}
		}
		mean, err := d.ExpectOne(f[k].F)
		if err != nil {
			return nil, err
		}
		cs[k] = Constraint{F: f[k], Relation: Equal, Target: mean.Value}
	}
	return cs, nil
}

// State is a law as Lemma 5.1 of the review sees it: two numbers.
type State struct {
	Entropy    float64 // H, in nats
	MeanEnergy float64 // the mean of U under the law
}

// FreeEnergy returns <U> - H/beta, the free energy of review eq. (108) at the
// temperature T = 1/beta, in equilibrium or not. Its argument may be negative:
// FreeEnergy(-beta) = <U> + T H is what eq. (106) would hold stationary with the
// signs as printed.
func (s State) FreeEnergy(beta float64) float64 { return s.MeanEnergy - s.Entropy/beta }

// StateOf returns entropy and mean energy U of a law on a domain, by quadrature.
// U must be finite where the law has mass. Errors as those of quad.NewDensity
// and its Expect.
func StateOf(law, u ebmkit.Energy, dom quad.Domain) (State, error) {
	if u == nil {
		return State{}, &ebmkit.ArgError{Func: "maxent.StateOf", Arg: "u", Value: nil, Want: "an energy"}
	}
	d, err := quad.NewDensity(law, dom)
	if err != nil {
		return State{}, err
	}
	own, err := d.ExpectOne(law.Energy)
	if err != nil {
		return State{}, err
	}
	mean, err := d.ExpectOne(u.Energy)
	if err != nil {
		return State{}, err
	}
	return State{Entropy: d.LogZ.Value + own.Value, MeanEnergy: mean.Value}, nil
}

// Equilibrium is the state of the Boltzmann-Gibbs density of Proposition 5.1,
// exp(-Beta U)/Z. Its numbers satisfy review eq. (107),
//
//	log Z + Beta <U> - H = 0.
type Equilibrium struct {
	State
	Beta float64
	LogZ float64 // log of the integral of exp(-Beta U) over the domain
}

// Boltzmann returns the equilibrium of the energy u at inverse temperature beta
// on a domain, by quadrature. On a finite domain beta may be 0, the uniform
// density, or negative, where high energies are probable. The entropy is taken
// from eq. (107); StateOf computes it without. Errors as those of
// quad.NewDensity, among them that of exp(-beta U) without an integral, and
// *ebmkit.ArgError if beta is not finite.
func Boltzmann(u ebmkit.Energy, beta float64, dom quad.Domain) (Equilibrium, error) {
	const fn = "maxent.Boltzmann"
	if u == nil {
		return Equilibrium{}, &ebmkit.ArgError{Func: fn, Arg: "u", Value: nil, Want: "an energy"}
	}
	if math.IsNaN(beta) || math.IsInf(beta, 0) {
		return Equilibrium{}, &ebmkit.ArgError{Func: fn, Arg: "beta", Value: beta, Want: "a finite number"}
	}
	d, err := quad.NewDensity(energy.Tempered{U: u, Beta: beta}, dom)
	if err != nil {
		return Equilibrium{}, err
	}
	mean, err := d.ExpectOne(u.Energy)
	if err != nil {
		return Equilibrium{}, err
	}
	s := State{Entropy: d.LogZ.Value + beta*mean.Value, MeanEnergy: mean.Value}
	return Equilibrium{State: s, Beta: beta, LogZ: d.LogZ.Value}, nil
}

// Fluctuation returns the relative fluctuation of n independent values, their
// standard deviation over their mean,
//
//	sd/mean,   sd^2 = sum_i (u_i - mean)^2 / n,
//
// with its standard error. For the energies of an equilibrium of d independent
// components it falls as 1/sqrt(d) (review section 5, after Remark 5.1). The
// error is that of the ratio's linear part: with z_i = (u_i - mean)/sd it is the
// standard error of the mean, which is the ratio itself, of
//
//	sd/mean (1 + (z_i^2 - 1)/2 - z_i sd/mean).
//
// Fewer than two values, or a mean of 0, give NaN with the error +Inf.
func Fluctuation(u []float64) ebmkit.Estimate {
	unknown := ebmkit.Estimate{Value: math.NaN(), SE: math.Inf(1)}
	if len(u) < 2 {
		return unknown
	}
	mean := ebmkit.MeanOf(u)
	if mean.Value == 0 {
		return unknown
	}
	sd := mean.SE * math.Sqrt(float64(len(u)-1))
	if sd == 0 { // all values are equal
		return ebmkit.Estimate{}
	}
	ratio := sd / mean.Value
	linear := make([]float64, len(u))
	for i := range u {
		z := (u[i] - mean.Value) / sd
		linear[i] = ratio * (0.5 + z*z/2 - z*ratio)
	}
	return ebmkit.MeanOf(linear)
}
