package diagnose

import "math"

// RHat returns the rank-normalised split R-hat of Vehtari et al. (2021): the
// larger of RHatBulk, which sees chains at different places, and RHatFolded,
// which sees chains of different width. Run longer until it is below 1.01.
//
// A single chain has nothing to be compared with and a constant series has no
// variance: both give NaN. Chains that are each constant at different values
// give +Inf.
func (s *Series) RHat() float64 { return new(work).rhat(s) }

func (w *work) rhat(s *Series) float64 {
	bulk := w.rhatBulk(s)
	folded := w.rhatFolded(s)
	return max(bulk, folded)
}

// RHatBulk returns R-hat of the normal scores of the split chains,
//
//	R-hat^2 = (B/W + n - 1) / n,
//
// with n the length of a half, B n times the variance of the means of the
// halves, and W the mean of their variances.
func (s *Series) RHatBulk() float64 { return new(work).rhatBulk(s) }

func (w *work) rhatBulk(s *Series) float64 {
	if s.chains < 2 || s.Constant() {
		return math.NaN()
	}
	return rhat(halves(w.bulkScores(s), s.chains, s.draws))
}

// RHatFolded returns R-hat of the normal scores of the distances from the
// median. It is NaN when all distances are equal.
func (s *Series) RHatFolded() float64 { return new(work).rhatFolded(s) }

func (w *work) rhatFolded(s *Series) float64 {
	if s.chains < 2 || s.Constant() {
		return math.NaN()
	}
	w.sortedDraws(s)
	w.fold()
	return rhat(halves(w.normalScores(w.forder, w.folded, len(s.x)), s.chains, s.draws))
}

// rhat returns R-hat of chains as they are.
func rhat(rows [][]float64) float64 {
	m, n := float64(len(rows)), float64(len(rows[0]))
	means := make([]float64, len(rows))
	var within float64
	for k, row := range rows {
		if allEqual(row) {
			means[k] = row[0] // exact, so that chains frozen apart are recognised
			continue
		}
		var v float64
		means[k], v = meanVar(row)
		within += v / m
	}
	_, between := meanVar(means)
	return math.Sqrt((n*between/within + n - 1) / n)
}
