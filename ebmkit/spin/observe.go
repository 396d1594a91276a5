package spin

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
)

// Thermo holds the observables of a spin model in equilibrium, per site, with
// magnetisation M = sum_j x_j:
//
//	Energy       = <U>/N
//	HeatCapacity = Beta^2 (<U^2> - <U>^2)/N
//	AbsM         = <|M|>/N
//	Chi          = Beta (<M^2> - <|M|>^2)/N
//	Binder       = 1 - <M^4>/(3 <M^2>^2)
//
// Chi is the susceptibility as it is used on finite lattices; above the critical
// temperature of a large one Beta <M^2>/N is the usual one. Binder tends to 2/3
// in the ordered phase and to 0 in the disordered one.
type Thermo struct {
	Beta         float64
	LogZ         float64 // of the whole system, not per site
	Energy       float64
	HeatCapacity float64
	AbsM         float64
	Chi          float64
	Binder       float64
}

// thermo computes the observables of n sites from the means of U, U^2, |M|,
// M^2 and M^4.
func thermo(beta, n, u, u2, absM, m2, m4 float64) Thermo {
	return Thermo{
		Beta:         beta,
		LogZ:         math.NaN(),
		Energy:       u / n,
		HeatCapacity: beta * beta * (u2 - u*u) / n,
		AbsM:         absM / n,
		Chi:          beta * (m2 - absM*absM) / n,
		Binder:       1 - m4/(3*m2*m2),
	}
}

// Observables are the estimates of Thermo from a simulation.
type Observables struct {
	Beta         float64
	Energy       ebmkit.Estimate
	HeatCapacity ebmkit.Estimate
	AbsM         ebmkit.Estimate
	Chi          ebmkit.Estimate
	Binder       ebmkit.Estimate
	// Integrated autocorrelation times of U and |M| in draws, from the bins:
	// half the variance of a bin's mean over that of independent draws.
	TauEnergy, TauAbsM float64
}

// Series is what a simulation measured: U and M of every draw.
type Series struct {
	Beta  float64
	Sites int
	U, M  []float64
}

// Bins is the number of bins into which Observables cuts a series. A standard
// error from 64 bins is itself known to 9 %.
const Bins = 64

// Observables estimates the observables and their standard errors: the series
// is cut into Bins bins (draws that do not fill them are left out at the
// beginning), and each observable is computed with one bin left out at a time
// (jackknife), which serves the nonlinear ones too:
//
//	SE^2 = (B-1)/B sum_b (f_b - mean f)^2,   Value = B f - (B-1) mean f.
//
// It returns *ebmkit.ArgError if the series is malformed or has fewer than
// 2*Bins draws, and the estimates together with diagnose.ErrShortChain if a bin
// is shorter than 10 autocorrelation times or U and M never change: then the
// errors are too small.
func (s *Series) Observables() (Observables, error) {
	const fn = "spin.Series.Observables"
	if s.Sites < 1 {
		return Observables{}, &ebmkit.ArgError{Func: fn, Arg: "Sites", Value: s.Sites, Want: "at least 1"}
	}
	if err := wantBeta(fn, s.Beta); err != nil {
		return Observables{}, err
	}
	if len(s.U) < 2*Bins {
		return Observables{}, &ebmkit.ArgError{Func: fn, Arg: "len(U)", Value: len(s.U), Want: fmt.Sprintf("at least %d draws", 2*Bins)}
	}
	if err := wantVector(fn, "U", s.U, len(s.U)); err != nil {
		return Observables{}, err
	}
	if err := wantVector(fn, "M", s.M, len(s.U)); err != nil {
		return Observables{}, err
	}

	length := len(s.U) / Bins
	skip := len(s.U) - length*Bins
	// Moments are taken about the mean energy, or U^2 would cost digits.
	var shift float64
	for _, u := range s.U {
		shift += u / float64(len(s.U))
	}
	var bins [Bins][5]float64
	var all [5]float64
	var absM2 float64
	for b := range bins {
		for i := skip + b*length; i < skip+(b+1)*length; i++ {
			u, m := s.U[i]-shift, math.Abs(s.M[i])
			for k, v := range [5]float64{u, u * u, m, m * m, m * m * m * m} {
				bins[b][k] += v
			}
			absM2 += m * m
		}
		for k, v := range bins[b] {
			all[k] += v
		}
	}
	n := float64(s.Sites)
	observe := func(sum [5]float64, draws int) [5]float64 {
		d := float64(draws)
		t := thermo(s.Beta, n, sum[0]/d, sum[1]/d, sum[2]/d, sum[3]/d, sum[4]/d)
		return [5]float64{t.Energy + shift/n, t.HeatCapacity, t.AbsM, t.Chi, t.Binder}
	}
	var without [Bins][5]float64
	var mean [5]float64
	for b := range without {
		rest := all
		for k := range rest {
			rest[k] -= bins[b][k]
		}
		without[b] = observe(rest, (Bins-1)*length)
		for k, v := range without[b] {
			mean[k] += v / Bins
		}
	}
	whole := observe(all, Bins*length)
	var est [5]ebmkit.Estimate
	for k := range est {
		var ss float64
		for b := range without {
			d := without[b][k] - mean[k]
			ss += d * d
		}
		est[k] = ebmkit.Estimate{Value: Bins*whole[k] - (Bins-1)*mean[k], SE: math.Sqrt(ss * (Bins - 1) / Bins)}
	}
	draws := float64(Bins * length)
	tau := func(e ebmkit.Estimate, sum, sum2 float64) float64 {
		variance := (sum2/draws - sum/draws*sum/draws) / (n * n)
		return e.SE * e.SE * draws / (2 * variance)
	}
	o := Observables{Beta: s.Beta, Energy: est[0], HeatCapacity: est[1], AbsM: est[2], Chi: est[3], Binder: est[4],
		TauEnergy: tau(est[0], all[0], all[1]), TauAbsM: tau(est[2], all[2], absM2)}
	if longest := max(o.TauEnergy, o.TauAbsM); !(float64(length) >= 10*longest) {
		return o, fmt.Errorf("%s: bins of %d draws, autocorrelation time %.3g: %w", fn, length, longest, diagnose.ErrShortChain)
	}
	return o, nil
}

// Update is a way to move a Lattice on.
type Update int

const (
	HeatBath   Update = iota // one checkerboard sweep
	Metropolis               // one checkerboard sweep
	Wolff                    // one cluster
	Mixed                    // one checkerboard sweep of the heat bath, then one cluster
)

// String returns the name of the update.
func (u Update) String() string {
	switch u {
	case HeatBath:
		return "heat bath"
	case Metropolis:
		return "Metropolis"
	case Wolff:
		return "Wolff"
	case Mixed:
		return "heat bath and Wolff"
	}
	return fmt.Sprintf("Update(%d)", int(u))
}

// Run makes burn updates, then draws times thin updates with a measurement of U
// and M after every thin. It stops when ctx ends and returns what was measured
// with ctx.Err(). It returns *ebmkit.ArgError if burn is negative, draws or thin
// is not positive, or the update does not fit the model.
func (l *Lattice) Run(ctx context.Context, update Update, burn, draws, thin int) (*Series, error) {
	const fn = "spin.Lattice.Run"
	var step func(n int)
	switch update {
	case HeatBath:
		step = l.HeatBath
	case Metropolis:
		step = l.Metropolis
	case Wolff, Mixed:
		if _, err := l.Wolff(0); err != nil {
			return nil, err
		}
		step = func(n int) {
			if update == Wolff {
				l.Wolff(n)
				return
			}
			for range n {
				l.HeatBath(1)
				l.Wolff(1)
			}
		}
	default:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "update", Value: update, Want: "HeatBath, Metropolis, Wolff or Mixed"}
	}
	if burn < 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "burn", Value: burn, Want: "at least 0"}
	}
	if draws < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "draws", Value: draws, Want: "at least 1"}
	}
	if thin < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "thin", Value: thin, Want: "at least 1"}
	}
	s := &Series{Beta: l.beta, Sites: l.Sites(), U: make([]float64, 0, draws), M: make([]float64, 0, draws)}
	for range burn {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		step(1)
	}
	for range draws {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		step(thin)
		s.U = append(s.U, l.Energy())
		s.M = append(s.M, float64(l.Magnetization()))
	}
	return s, nil
}
