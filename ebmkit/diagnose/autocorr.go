package diagnose

import (
	"errors"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// ErrShortChain says that chains are too short for the number that comes with
// it to be trusted. It is always wrapped with the lengths: test with errors.Is.
var ErrShortChain = errors.New("chain too short to trust its autocorrelation time")

// Autocorrelation returns the autocorrelation function at lags 0 to maxLag,
//
//	rho_t = c_t / c_0,   c_t = sum over chains c, i < n-t, of (x_ci - mean)(x_c,i+t - mean),
//
// about the mean of all chains together: chains that sit at different places
// are correlated for ever. The sums are not rescaled by n/(n-t), which keeps
// rho positive definite. A constant series gives NaN. It returns *ArgError
// unless 0 <= maxLag < Draws.
func (s *Series) Autocorrelation(maxLag int) ([]float64, error) {
	if maxLag < 0 || maxLag >= s.draws {
		return nil, &ebmkit.ArgError{Func: "diagnose.Autocorrelation", Arg: "maxLag", Value: maxLag,
			Want: fmt.Sprintf("0 to Draws-1 = %d", s.draws-1)}
	}
	return new(work).autocorrelation(s, maxLag+1), nil
}

func (w *work) autocorrelation(s *Series, lags int) []float64 {
	rows := make([][]float64, s.chains)
	w.centre = grow(w.centre, s.chains)
	mean, _ := meanVar(s.x)
	for c := range rows {
		rows[c] = s.x[c*s.draws : (c+1)*s.draws]
		w.centre[c] = mean
	}
	w.acov = grow(w.acov, lags)
	w.sum(w.acov, rows, w.centre)
	rho := make([]float64, lags)
	for t, c := range w.acov {
		rho[t] = c / w.acov[0]
	}
	if s.Constant() {
		for t := range rho {
			rho[t] = math.NaN()
		}
	}
	return rho
}

// The window of Tau is windowTaus autocorrelation times, and Tau trusts chains
// of shortTaus of them (emcee's choices).
const (
	windowTaus = 5
	shortTaus  = 50
)

// Tau returns the integrated autocorrelation time in draws, with Sokal's
// automatic window,
//
//	tau = 1 + 2 sum_{t=1}^{M} rho_t,   smallest M >= 5 tau(M),
//	SE = tau sqrt(2(2M+1)/N),
//
// N draws being worth N/tau independent ones. For one chain it is emcee's
// estimate. Where rho_1 < 0 the terms change sign, so the window is chosen by the
// sum of |rho_t| instead, and the last term counts half, which cancels the noise
// of the alternating part; tau of such antithetic chains is below 1.
//
// Chains shorter than 50 tau (of the sum of |rho_t|, if antithetic), or whose
// window does not close, return the estimate together with an error that wraps
// ErrShortChain: such an estimate is usually too small. So do a constant
// series, with NaN, and chains that never leave different places. Longer chains
// with tau not positive also do: the truth is too near 0 to be seen.
func (s *Series) Tau() (ebmkit.Estimate, error) { return new(work).tau(s) }

func (w *work) tau(s *Series) (ebmkit.Estimate, error) {
	if s.Constant() {
		return ebmkit.Estimate{Value: math.NaN(), SE: math.NaN()},
			fmt.Errorf("%w: the chain never moved", ErrShortChain)
	}
	lags := shortLags(s.draws)
	tau, size, window := sokal(w.autocorrelation(s, lags))
	if window < 0 && lags < s.draws {
		tau, size, window = sokal(w.autocorrelation(s, s.draws))
	}
	closed := window >= 0
	if !closed {
		window = s.draws - 1
	}
	e := ebmkit.Estimate{Value: tau, SE: math.Abs(tau) * math.Sqrt(2*float64(2*window+1)/float64(len(s.x)))}
	switch {
	case !closed || float64(s.draws) < shortTaus*size:
		return e, fmt.Errorf("%w: %d draws, tau about %.3g or more, want at least %d tau = %.0f",
			ErrShortChain, s.draws, size, shortTaus, math.Ceil(shortTaus*size))
	case !(tau > 0):
		return e, fmt.Errorf("%w: tau = %.2g is not positive, its true value is too near 0 for %d draws", ErrShortChain, tau, s.draws)
	}
	return e, nil
}

// sokal returns tau, the sum that chose the window, and the window, -1 if it
// does not close within the lags given.
func sokal(rho []float64) (tau, size float64, window int) {
	tau, size = 1, 1
	for m := 1; m < len(rho); m++ {
		tau += 2 * rho[m]
		if rho[1] < 0 {
			size += 2 * math.Abs(rho[m])
		} else {
			size = tau
		}
		if float64(m) >= windowTaus*size {
			if rho[1] < 0 {
				tau -= rho[m]
			}
			return tau, size, m
		}
	}
	return tau, size, -1
}
