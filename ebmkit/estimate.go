package ebmkit

import (
	"fmt"
	"math"
)

// Estimate is a number with its standard error. SE = 0 means exact, SE = +Inf
// means that the error is not known to be finite.
type Estimate struct {
	Value, SE float64
}

// Z returns the z-score (Value - exact)/SE.
func (e Estimate) Z(exact float64) float64 { return (e.Value - exact) / e.SE }

// String prints the value to the second significant digit of its error, as in
// "1.332 +- 0.013".
func (e Estimate) String() string {
	if e.SE > 0 && !math.IsInf(e.SE, 0) {
		digits := 1 - int(math.Floor(math.Log10(e.SE)))
		if digits >= 0 && digits <= 15 && math.Abs(e.Value) < 1e6 {
			return fmt.Sprintf("%.*f +- %.*f", digits, e.Value, digits, e.SE)
		}
		if digits < 0 && digits > -15 && math.Abs(e.Value) < 1e15 {
			unit := math.Pow10(-digits)
			return fmt.Sprintf("%.6g +- %.2g", math.Round(e.Value/unit)*unit, e.SE)
		}
		return fmt.Sprintf("%.6g +- %.2g", e.Value, e.SE)
	}
	if e.SE == 0 {
		return fmt.Sprintf("%.10g", e.Value)
	}
	return fmt.Sprintf("%.6g +- %g", e.Value, e.SE)
}

// MeanOf returns the mean of independent draws with its standard error
// sd/sqrt(n). With fewer than two draws the error is +Inf.
//
//	mean = sum_i v_i / n,   SE^2 = sum_i (v_i - mean)^2 / (n (n-1))
func MeanOf(v []float64) Estimate {
	n := float64(len(v))
	var sum float64
	for _, x := range v {
		sum += x
	}
	mean := sum / n
	if len(v) < 2 {
		return Estimate{mean, math.Inf(1)}
	}
	var ss float64
	for _, x := range v {
		ss += float64((x - mean) * (x - mean))
	}
	return Estimate{mean, math.Sqrt(ss / (n * (n - 1)))}
}
