package quad

// Derivative returns the derivative of f at x by central differences of fourth
// order with the step h,
//
//	(8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / (12 h),
//
// whose error is h^4 f^(5)(x)/30 and, from an error e in the values of f, up to
// 1.5 e/h. It suits a function that is itself an integral, right to 1e-12 or so:
// there h = 1e-3 of the scale of f leaves an error near 1e-9.
func Derivative(f func(x float64) float64, x, h float64) float64 {
	return (8*(f(x+h)-f(x-h)) - (f(x+2*h) - f(x-2*h))) / (12 * h)
}
