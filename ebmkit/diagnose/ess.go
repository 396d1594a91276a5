package diagnose

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// work is the scratch of one goroutine. It serves one series after another.
type work struct {
	ranking
	correlator
	of      *Series   // whose order ranking holds
	whole   []float64 // the draws of an odd-length series in order, with the middle ones
	derived []float64 // indicators or squares of the draws
	centre  []float64
	acov    []float64
	rho     []float64
}

// sortedDraws puts the draws of s in order, once, and returns all of them; the
// ranking is left with those that belong to a half.
func (w *work) sortedDraws(s *Series) []float64 {
	if w.of != s {
		w.of = s
		w.sort(s.x)
		w.whole = w.value
		if s.draws%2 == 1 {
			w.whole = append([]float64(nil), w.value...)
		}
		w.keepHalves(s.draws)
	}
	return w.whole
}

// bulkScores returns the normal scores of the draws of s, at their positions.
func (w *work) bulkScores(s *Series) []float64 {
	w.sortedDraws(s)
	return w.normalScores(w.order, w.value, len(s.x))
}

// ESSBulk returns the effective sample size of the ranks: how many independent
// draws would tell as much about the bulk of the distribution. It is that of
// the normal scores of the split chains, with the autocorrelation of Vehtari et
// al. (2021), eq. (10),
//
//	rho_t = 1 - (W - mean over chains of acov_t) / var+,
//
// which counts disagreement between chains as correlation, and Geyer's initial
// monotone sequence. Antithetic chains may have ESSBulk above the number N of
// draws; it is cut at N log10(N). A constant series gives NaN.
func (s *Series) ESSBulk() float64 { return new(work).essBulk(s) }

func (w *work) essBulk(s *Series) float64 {
	if s.Constant() {
		return math.NaN()
	}
	return w.ess(halves(w.bulkScores(s), s.chains, s.draws))
}

// ESSTail returns the smaller effective sample size of the 5 % and the 95 %
// quantile. A constant series gives NaN.
func (s *Series) ESSTail() float64 { return new(work).essTail(s) }

func (w *work) essTail(s *Series) float64 {
	return min(w.essQuantile(s, 0.05), w.essQuantile(s, 0.95))
}

// ESSMean returns the effective sample size for the mean: that of the split
// chains as they are. It needs a finite variance. A constant series gives NaN,
// and so do draws whose squares overflow.
func (s *Series) ESSMean() float64 { return new(work).essMean(s) }

func (w *work) essMean(s *Series) float64 {
	if s.Constant() {
		return math.NaN()
	}
	return w.ess(halves(s.x, s.chains, s.draws))
}

// ESSSD returns the effective sample size for variance and standard deviation:
// that of the squared deviations from the mean of all draws. A constant series
// gives NaN, and so do draws whose fourth powers overflow.
func (s *Series) ESSSD() float64 { return new(work).essSD(s) }

func (w *work) essSD(s *Series) float64 {
	if s.Constant() {
		return math.NaN()
	}
	return w.ess(halves(w.squares(s), s.chains, s.draws))
}

// squares returns the squared deviations from the mean of all draws.
func (w *work) squares(s *Series) []float64 {
	mean, _ := meanVar(s.x)
	w.derived = grow(w.derived, len(s.x))
	for i, v := range s.x {
		w.derived[i] = (v - mean) * (v - mean)
	}
	return w.derived
}

// ESSQuantile returns the effective sample size for the p-quantile: that of the
// indicator x <= quantile. When all draws are at or below the quantile (draws
// with ties) the indicator says nothing and N is returned, as ArviZ does. A
// constant series gives NaN. It returns *ArgError unless 0 <= p <= 1.
func (s *Series) ESSQuantile(p float64) (float64, error) {
	if err := checkProbability("diagnose.ESSQuantile", p); err != nil {
		return math.NaN(), err
	}
	return new(work).essQuantile(s, p), nil
}

func checkProbability(fn string, p float64) error {
	if !(p >= 0 && p <= 1) {
		return &ebmkit.ArgError{Func: fn, Arg: "p", Value: p, Want: "a probability, 0 to 1"}
	}
	return nil
}

func (w *work) essQuantile(s *Series, p float64) float64 {
	if s.Constant() {
		return math.NaN()
	}
	q := quantile(w.sortedDraws(s), p)
	w.derived = grow(w.derived, len(s.x))
	for i, v := range s.x {
		w.derived[i] = 0
		if v <= q {
			w.derived[i] = 1
		}
	}
	return w.ess(halves(w.derived, s.chains, s.draws))
}

// ess returns the effective sample size of chains as they are: the number of
// draws if all draws are equal.
func (w *work) ess(rows [][]float64) float64 {
	m, n := len(rows), len(rows[0])
	total := float64(m * n)
	w.centre = grow(w.centre, m)
	var means, between, within float64
	constant := true
	for k, row := range rows {
		var v float64
		w.centre[k], v = meanVar(row)
		within += v / float64(m)
		means += w.centre[k] / float64(m)
		constant = constant && row[0] == rows[0][0] && allEqual(row)
	}
	if constant {
		return total
	}
	for _, c := range w.centre {
		between += (c - means) * (c - means) / float64(m-1)
	}
	plus := within*float64(n-1)/float64(n) + between

	// Mixing chains need few lags, and few lags need a shorter transform. Chains
	// that do not stop there are done again with all lags.
	for lags := shortLags(n); ; lags = n {
		if tau, ok := w.geyer(rows, lags, within, plus); ok {
			return total / max(tau, math.Ln10/vmath.Log(total))
		}
	}
}

// shortLags returns the number of lags below n that the shortest transform
// holding n/4 of them leaves intact.
func shortLags(n int) int { return min(n, max(8, fftSize(n+n/4)-n)) }

// geyer returns the integrated autocorrelation time by Geyer's initial monotone
// sequence, as ArviZ computes it, from lags below the given number. It reports
// false if they do not suffice.
func (w *work) geyer(rows [][]float64, lags int, within, plus float64) (tau float64, ok bool) {
	n := len(rows[0])
	w.acov = grow(w.acov, lags)
	w.sum(w.acov, rows, w.centre)
	at := func(t int) float64 {
		return 1 - (within-w.acov[t]/float64(n*len(rows)))/plus
	}
	w.rho = grow(w.rho, lags+1)
	clear(w.rho)

	// Initial positive sequence: sums of pairs (even, odd) of a reversible chain
	// are positive; stop where noise makes one negative.
	even, odd := 1.0, at(1)
	w.rho[0], w.rho[1] = even, odd
	t := 1
	for t < n-3 && even+odd > 0 {
		if t+2 >= lags {
			return 0, false
		}
		even, odd = at(t+1), at(t+2)
		if even+odd >= 0 {
			w.rho[t+1], w.rho[t+2] = even, odd
		}
		t += 2
	}
	if math.IsNaN(even + odd) {
		return math.NaN(), true // squares overflow
	}
	last := t - 2
	if even > 0 {
		w.rho[last+1] = even
	}

	// Initial monotone sequence: they also decrease.
	for t := 1; t <= last-2; t += 2 {
		if w.rho[t+1]+w.rho[t+2] > w.rho[t-1]+w.rho[t] {
			w.rho[t+1] = (w.rho[t-1] + w.rho[t]) / 2
			w.rho[t+2] = w.rho[t+1]
		}
	}
	tau = -1
	for _, r := range w.rho[:last+1] {
		tau += 2 * r
	}
	return tau + w.rho[last+1], true
}

func allEqual(x []float64) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}

// quantile returns the p-quantile of values in order by linear interpolation at
// (n-1)p, type 7 of Hyndman and Fan, in NumPy's arithmetic.
func quantile(sorted []float64, p float64) float64 {
	at := float64(len(sorted)-1) * p
	i := min(int(math.Floor(at)), len(sorted)-1)
	a, b, t := sorted[i], sorted[min(i+1, len(sorted)-1)], at-float64(i)
	d := b - a
	if t >= 0.5 {
		return b - d*(1-t)
	}
	return a + d*t
}

// GrowthPoint is the effective sample size of the first Draws draws of every
// chain.
type GrowthPoint struct {
	Draws      int // per chain
	Bulk, Tail float64
}

// ESSGrowth returns how the effective sample size grows as the chains do, at
// the given number of equally spaced lengths, the full length last. A sampler
// that works gives a straight line; one that falls off it has begun to see
// correlation, or a mode, that the first draws did not show. It returns
// *ArgError unless 1 <= points <= Draws/4.
func (s *Series) ESSGrowth(points int) ([]GrowthPoint, error) {
	if points < 1 || points > s.draws/minDraws {
		return nil, &ebmkit.ArgError{Func: "diagnose.ESSGrowth", Arg: "points", Value: points,
			Want: fmt.Sprintf("1 to Draws/%d = %d", minDraws, s.draws/minDraws)}
	}
	growth := make([]GrowthPoint, points)
	w := &work{}
	for k := range growth {
		n := s.draws * (k + 1) / points
		part := &Series{chains: s.chains, draws: n, x: make([]float64, 0, s.chains*n)}
		for c := range s.chains {
			part.x = append(part.x, s.x[c*s.draws:c*s.draws+n]...)
		}
		growth[k] = GrowthPoint{n, w.essBulk(part), w.essTail(part)}
	}
	return growth, nil
}

// RankCounts returns, for every chain, how many of its draws have a rank in
// each of the given number of equal bins of the ranks of all draws. Chains that
// sample the same distribution give flat rows. Equal draws are ranked chain
// after chain, so that heavily tied quantities look sorted. It returns
// *ArgError if bins < 1.
func (s *Series) RankCounts(bins int) ([][]int, error) {
	if bins < 1 {
		return nil, &ebmkit.ArgError{Func: "diagnose.RankCounts", Arg: "bins", Value: bins, Want: "at least 1"}
	}
	var r ranking
	r.sort(s.x)
	counts := make([][]int, s.chains)
	for c := range counts {
		counts[c] = make([]int, bins)
	}
	for rank, p := range r.order {
		counts[int(p)/s.draws][rank*bins/len(s.x)]++
	}
	return counts, nil
}
