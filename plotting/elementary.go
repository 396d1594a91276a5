package plotting

import "math"

// exp is e^x with the same bits on every amd64 processor; math.Exp uses fused
// multiply-add where there is one. With x = k ln 2 + r, |r| <= ln 2 / 2, a Taylor
// polynomial of r of degree 13 leaves a relative error below 1e-15.
func exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 709.78:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	const (
		ln2Hi = 6.93147180369123816490e-01
		ln2Lo = 1.90821492927058770002e-10
	)
	k := math.Floor(x*math.Log2E + 0.5)
	r := x - k*ln2Hi - k*ln2Lo
	s := 1.0
	for n := 13.0; n >= 1; n-- {
		s = 1 + s*r/n
	}
	return math.Ldexp(s, int(k))
}

// ln is the natural logarithm: math.Log is portable code on amd64.
func ln(x float64) float64 { return math.Log(x) }
