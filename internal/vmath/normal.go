package vmath

import "math"

// erf(x)/x as a polynomial in x^2 on |x| <= 1/2; error 2e-17.
var erfNear = [...]float64{
	0x1.20dd750429b6dp+0, -0x1.812746b0379b5p-2, 0x1.ce2f21a03d814p-4, -0x1.b82ce30f2b28fp-6,
	0x1.565bcbf8e0365p-8, -0x1.c02d4f6e4921ap-11, 0x1.f98db34e8872ep-14, -0x1.f224dfc5409afp-17,
	0x1.8b4b60851826bp-20,
}

// (1 + 2x) e^(x^2) erfc(x) as a polynomial in t = (x-3)/(x+3), 1/2 <= x <= 28
// (the substitution of Shepherd and Laframboise, 1981); error 5e-17.
var erfcFar = [...]float64{
	0x1.40c522d7e4987p+0, -0x1.15c084bb9e8e6p-3, -0x1.85a15c58a9c50p-5, 0x1.098366a5b4073p-3,
	-0x1.e88b803a5bf08p-4, 0x1.17ca28780e64dp-4, -0x1.8574c4049e707p-6, 0x1.4b884e02ee1b7p-9,
	0x1.ef1bd7a8ed5fep-10, -0x1.98db46c2ed7f6p-11, -0x1.b90fea1ca5ad4p-14, 0x1.0659343d05f9dp-13,
	0x1.4b6fe543b8222p-18, -0x1.511ab4c7b4e8cp-16, -0x1.787a8ea693e4ap-21, 0x1.cf63ac74d78cbp-19,
	0x1.456c5dc57139fp-22, -0x1.39929f83ab60ap-21, -0x1.69df914237f17p-24, 0x1.31fbe70a65bc0p-24,
	0x1.28b841ccbe9cep-27,
}

// horner returns p[0] + p[1] x + ...
func horner(p []float64, x float64) float64 {
	v := p[len(p)-1]
	for i := len(p) - 2; i >= 0; i-- {
		v = math.FMA(v, x, p[i])
	}
	return v
}

// expMinusSquare returns e^(-scale x^2), scale a power of two, without the loss
// that rounding x^2 would bring to the far tail.
func expMinusSquare(x, scale float64) float64 {
	h := float64(x * x)
	low := float64(math.FMA(x, x, -h) * scale)
	e := Exp(-(h * scale))
	return math.FMA(-low, e, e)
}

// erfcxFar returns e^(x^2) erfc(x) for 1/2 <= x <= 28.
func erfcxFar(x float64) float64 {
	return horner(erfcFar[:], (x-3)/(x+3)) / (1 + float64(2*x))
}

// Erf returns the error function of x.
func Erf(x float64) float64 {
	if math.Abs(x) < 0.5 {
		return float64(x * horner(erfNear[:], float64(x*x)))
	}
	if x != x {
		return x
	}
	return math.Copysign(1-Erfc(math.Abs(x)), x)
}

// Erfc returns 1 - Erf(x), accurate where it is small.
func Erfc(x float64) float64 {
	switch {
	case x != x:
		return x
	case x < 0.5:
		if x <= -0.5 {
			return 2 - Erfc(-x)
		}
		return 1 - Erf(x)
	case x > 28:
		return 0
	}
	return float64(expMinusSquare(x, 1) * erfcxFar(x))
}

// NormalCDF returns the probability that a standard normal number is below x,
// accurate in the lower tail down to the smallest subnormal.
func NormalCDF(x float64) float64 {
	y := float64(-x * (math.Sqrt2 / 2))
	switch {
	case x != x:
		return x
	case y > 28:
		return 0
	case y >= 0.5:
		return float64(0.5 * expMinusSquare(x, 0.5) * erfcxFar(y))
	case y > -0.5:
		return 0.5 - float64(0.5*Erf(y))
	}
	return 1 - NormalCDF(-x)
}

// NormalQuantile returns the x with NormalCDF(x) = p: -Inf at 0, +Inf at 1, NaN
// outside. It is algorithm AS 241 (Wichura, 1988), three rational functions.
func NormalQuantile(p float64) float64 {
	switch {
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case !(p > 0 && p < 1):
		return math.NaN()
	}
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return float64(q * (horner(quantileMiddle[0][:], r) / horner(quantileMiddle[1][:], r)))
	}
	r := math.Sqrt(-Log(min(p, 1-p)))
	f, shift := &quantileTail, 1.6
	if r > 5 {
		f, shift = &quantileFar, 5
	}
	r -= shift
	return math.Copysign(horner(f[0][:], r)/horner(f[1][:], r), q)
}

var (
	quantileMiddle = [2][8]float64{{
		3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
		4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
	}, {
		1, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
		2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
	}}
	quantileTail = [2][8]float64{{
		1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
		1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
	}, {
		1, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
		1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
	}}
	quantileFar = [2][8]float64{{
		6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
		2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
	}, {
		1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
		7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
	}}
)
