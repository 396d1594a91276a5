package diagnose

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Mean returns the mean of all draws with its Monte Carlo standard error,
//
//	SE = sd / sqrt(ESSMean).
//
// A constant series gives SE NaN: it says nothing about its error.
func (s *Series) Mean() ebmkit.Estimate { return new(work).mean(s) }

func (w *work) mean(s *Series) ebmkit.Estimate {
	mean, v := meanVar(s.x)
	return ebmkit.Estimate{Value: mean, SE: math.Sqrt(v / w.essMean(s))}
}

// Variance returns the variance of all draws (divisor N-1) with its Monte Carlo
// standard error
//
//	SE^2 = (m4 - m2^2) / ESSSD,   m_k = mean of (x - mean)^k.
func (s *Series) Variance() ebmkit.Estimate { return new(work).variance(s) }

func (w *work) variance(s *Series) ebmkit.Estimate {
	_, v := meanVar(s.x)
	ess := w.essSD(s) // leaves the squared deviations in w.derived
	if math.IsNaN(ess) {
		return ebmkit.Estimate{Value: v, SE: ess}
	}
	var m2, m4 float64
	for _, d2 := range w.derived {
		m2 += d2
		m4 += d2 * d2
	}
	n := float64(len(s.x))
	m2, m4 = m2/n, m4/n
	return ebmkit.Estimate{Value: v, SE: math.Sqrt((m4 - m2*m2) / ess)}
}

// SD returns the standard deviation of all draws (divisor N-1) with its Monte
// Carlo standard error, that of the variance divided by twice the standard
// deviation (Kenney and Keeping 1951, section 7.8).
//
// arviz-stats 0.8.0 divides by the effective sample size of the draws instead
// of that of their squared deviations; ArviZ 0.23.4 and posterior (R) do as
// here. The tests show which one covers.
func (s *Series) SD() ebmkit.Estimate { return new(work).sd(s) }

func (w *work) sd(s *Series) ebmkit.Estimate {
	v := w.variance(s)
	n := float64(len(s.x))
	return ebmkit.Estimate{Value: math.Sqrt(v.Value), SE: v.SE / (2 * math.Sqrt(v.Value*(n-1)/n))}
}

// Quantile returns the p-quantile of all draws, interpolated linearly (type 7 of
// Hyndman and Fan), with its Monte Carlo standard error: half the distance
// between the draws at the 16 % and the 84 % quantile of
//
//	Beta(ESS p + 1, ESS (1-p) + 1),   ESS = ESSQuantile(p).
//
// It returns *ArgError unless 0 <= p <= 1.
func (s *Series) Quantile(p float64) (ebmkit.Estimate, error) {
	if err := checkProbability("diagnose.Quantile", p); err != nil {
		return ebmkit.Estimate{Value: math.NaN(), SE: math.NaN()}, err
	}
	q, _ := new(work).quantile(s, p)
	return q, nil
}

// quantile returns the p-quantile with its error and effective sample size.
func (w *work) quantile(s *Series, p float64) (q ebmkit.Estimate, ess float64) {
	sorted := w.sortedDraws(s)
	q.Value = quantile(sorted, p)
	ess = w.essQuantile(s, p)
	if math.IsNaN(ess) {
		q.SE = ess
		return q, ess
	}
	// Phi(-1) and Phi(1), with ArviZ's digits. The beta quantiles only choose
	// two draws, so that their last bits do not matter.
	n := float64(len(sorted))
	lo := mathext.InvRegIncBeta(ess*p+1, ess*(1-p)+1, 0.1586553)*n - 1
	hi := mathext.InvRegIncBeta(ess*p+1, ess*(1-p)+1, 0.8413447)*n - 1
	lo, hi = math.Floor(max(lo, 0)), math.Ceil(min(hi, n-1))
	q.SE = (sorted[int(hi)] - sorted[int(lo)]) / 2
	return q, ess
}

// EBFMI returns, chain by chain, the energy Bayesian fraction of missing
// information of Betancourt (2016),
//
//	E-BFMI = mean (E_t - E_{t-1})^2 / var E,
//
// of a series of total energies E = U + K at the start of successive transitions
// of Hamiltonian Monte Carlo (FromTotalEnergy). Values below 0.3 say that the
// momenta drawn anew change E too little to cross the energies of the target. In
// a thinned chain the kept transitions are not successive, and E-BFMI is larger
// than it should be. A chain of constant energy gives NaN.
func EBFMI(energy *Series) []float64 {
	b := make([]float64, energy.chains)
	for c := range b {
		e := energy.x[c*energy.draws : (c+1)*energy.draws]
		var jumps float64
		for t := 1; t < len(e); t++ {
			jumps += (e[t] - e[t-1]) * (e[t] - e[t-1])
		}
		_, v := meanVar(e)
		b[c] = jumps / float64(len(e)-1) / v
	}
	return b
}
