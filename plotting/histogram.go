package plotting

import (
	"fmt"
	"math"
	"sort"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// histogram returns the edges of the bins and the densities in them.
func histogram(who, name string, samples []float64, st Style) (edges, density []float64, err error) {
	w := st.weights
	if w != nil {
		if len(w) != len(samples) {
			return nil, nil, &ebmkit.ArgError{Func: who, Arg: "len(" + argName("Weights", name) + ")", Value: len(w), Want: fmt.Sprintf("len(samples) = %d", len(samples))}
		}
		for i, v := range w {
			if !(v >= 0) || math.IsInf(v, 1) {
				return nil, nil, &ebmkit.ArgError{Func: who, Arg: argName(fmt.Sprintf("Weights[%d]", i), name), Value: v, Want: "a finite number, at least 0"}
			}
		}
	}
	if st.bins < 0 {
		return nil, nil, &ebmkit.ArgError{Func: who, Arg: argName("Bins", name), Value: st.bins, Want: "at least 1"}
	}
	sorted := clone(samples)
	sort.Float64s(sorted)
	lo, hi := sorted[0], sorted[len(sorted)-1]
	if st.within {
		if !(st.lo < st.hi) || math.IsInf(st.hi-st.lo, 0) {
			return nil, nil, &ebmkit.ArgError{Func: who, Arg: argName("Within", name), Value: fmt.Sprintf("%g, %g", st.lo, st.hi), Want: "finite, lo < hi"}
		}
		lo, hi = st.lo, st.hi
	}
	bins := st.bins
	if lo == hi { // one value: one bin around it
		half := math.Abs(lo) * 0.05
		if half == 0 {
			half = 0.5
		}
		lo, hi = lo-half, hi+half
		if bins == 0 {
			bins = 1
		}
	}
	if bins == 0 {
		n := float64(len(sorted))
		iqr := quantile(sorted, 0.75) - quantile(sorted, 0.25)
		if width := 1.2 * iqr / math.Cbrt(n); width > 0 {
			bins = int(min(120, max(10, math.Ceil((hi-lo)/width))))
		} else {
			bins = 20
		}
	}
	width := (hi - lo) / float64(bins)
	edges, density = make([]float64, bins+1), make([]float64, bins)
	for k := range edges {
		edges[k] = lo + float64(k)*width
	}
	edges[bins] = hi
	total := 0.0
	for i, x := range samples {
		m := 1.0
		if w != nil {
			m = w[i]
		}
		total += m
		if x < lo || x > hi {
			continue
		}
		k := min(bins-1, int((x-lo)/width))
		density[k] += m
	}
	if total == 0 {
		return nil, nil, &ebmkit.ArgError{Func: who, Arg: argName("Weights", name), Value: "all zero", Want: "a positive sum"}
	}
	for k := range density {
		density[k] /= total * (edges[k+1] - edges[k])
	}
	return edges, density, nil
}

// quantile interpolates linearly in sorted values.
func quantile(sorted []float64, p float64) float64 {
	t := p * float64(len(sorted)-1)
	i := int(t)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (t-float64(i))*(sorted[i+1]-sorted[i])
}

// finiteSorted returns the finite values of z, sorted.
func finiteSorted(z []float64) []float64 {
	s := make([]float64, 0, len(z))
	for _, v := range z {
		if !math.IsInf(v, 0) {
			s = append(s, v)
		}
	}
	sort.Float64s(s)
	return s
}

// contourLevels returns five to eleven round levels inside the range of z, without
// the upper twentieth of the values.
func contourLevels(z []float64) []float64 {
	s := finiteSorted(z)
	lo, hi := s[0], quantile(s, 0.95)
	if !(hi > lo) {
		hi = s[len(s)-1]
	}
	if !(hi > lo) {
		return []float64{lo}
	}
	st := niceStep((hi - lo) / 5)
	if st.size() > (hi-lo)/5*(1+1e-9) {
		st = niceStep((hi - lo) / 11)
	}
	var levels []float64
	for i := math.Floor(lo/st.size()) + 1; st.at(i) < hi && len(levels) < 50; i++ {
		if v := st.at(i); v > lo {
			levels = append(levels, v)
		}
	}
	return levels
}

// landscapeLevels returns the ends of the colours and contour levels for an
// energy: distances 0, 1, 2, 4, 8, ... round units above the floor.
func landscapeLevels(z []float64) (lo, hi float64, levels []float64) {
	s := finiteSorted(z)
	lo = s[0]
	if k := int(0.75 * float64(len(z))); k < len(s) {
		hi = s[k]
	} else { // the forbidden region covers more than a quarter
		hi = s[len(s)-1]
	}
	if !(hi > lo) {
		hi = s[len(s)-1]
	}
	if !(hi > lo) {
		return lo - 0.5, lo + 0.5, []float64{lo}
	}
	st := niceStep((hi - lo) / 12)
	base := math.Ceil(lo / st.size())
	for _, k := range []float64{0, 1, 2, 4, 8, 16} {
		if v := st.at(base + k); v > lo+0.1*st.size() && v < hi {
			levels = append(levels, v)
		}
	}
	return lo, hi, levels
}
