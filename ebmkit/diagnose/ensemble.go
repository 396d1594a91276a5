package diagnose

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Mean returns the mean of coordinate axis over independent walkers with its
// standard error,
//
//	mean = sum_i w_i x_i,   SE^2 = n/(n-1) sum_i w_i^2 (x_i - mean)^2,
//
// with w_i = 1/n, or proportional to exp(LogW[i]) if the ensemble has
// log-weights: then it is the self-normalised importance-sampling estimate, its
// SE that of the delta method. Fewer than two walkers give SE +Inf. The walkers
// must be independent: for draws along chains use Series.Mean. It panics if
// there is no such axis.
func Mean(e *ebmkit.Ensemble, axis int) ebmkit.Estimate {
	return weightedMean(e.Col(axis), weights(e))
}

// Variance returns the variance of coordinate axis over independent walkers
// with its standard error. Without log-weights,
//
//	v = sum_i (x_i - mean)^2 / (n-1),   SE^2 = (m4 - (n-3)/(n-1) v^2) / n,
//
// m4 the fourth central moment; with log-weights v = sum_i w_i (x_i - mean)^2
// and SE is that of the mean of (x_i - mean)^2. Fewer than four walkers give SE
// +Inf. It panics if there is no such axis.
func Variance(e *ebmkit.Ensemble, axis int) ebmkit.Estimate {
	x, w := e.Col(axis), weights(e)
	n := float64(len(x))
	if w != nil {
		mean := weightedMean(x, w).Value
		for i, v := range x {
			x[i] = (v - mean) * (v - mean)
		}
		v := weightedMean(x, w)
		if n < 4 {
			v.SE = math.Inf(1)
		}
		return v
	}
	mean, v := meanVar(x)
	if n < 2 {
		v = math.NaN()
	}
	if n < 4 {
		return ebmkit.Estimate{Value: v, SE: math.Inf(1)}
	}
	var m4 float64
	for _, xi := range x {
		d2 := (xi - mean) * (xi - mean)
		m4 += d2 * d2 / n
	}
	return ebmkit.Estimate{Value: v, SE: math.Sqrt(max(0, m4-v*v*(n-3)/(n-1)) / n)}
}

// weights returns the normalised weights of e, nil if it has no log-weights.
func weights(e *ebmkit.Ensemble) []float64 {
	if e.LogW == nil {
		return nil
	}
	w := make([]float64, len(e.LogW))
	norm := vmath.LogSumExp(e.LogW)
	for i, l := range e.LogW {
		w[i] = vmath.Exp(l - norm)
	}
	return w
}

func weightedMean(x, w []float64) ebmkit.Estimate {
	if w == nil {
		return ebmkit.MeanOf(x)
	}
	var mean, ss float64
	for i, v := range x {
		mean += w[i] * v
	}
	for i, v := range x {
		d := w[i] * (v - mean)
		ss += d * d
	}
	n := float64(len(x))
	if n < 2 {
		return ebmkit.Estimate{Value: mean, SE: math.Inf(1)}
	}
	return ebmkit.Estimate{Value: mean, SE: math.Sqrt(ss * n / (n - 1))}
}
