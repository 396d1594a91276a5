package vmath

// ExpSlice writes Exp(x[i]) into dst[i].
func ExpSlice(dst, x []float64) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		expAVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = Exp(x[i])
	}
}

// Expm1Slice writes Expm1(x[i]) into dst[i].
func Expm1Slice(dst, x []float64) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		expm1AVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = Expm1(x[i])
	}
}

// LogSlice writes Log(x[i]) into dst[i].
func LogSlice(dst, x []float64) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		logAVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = Log(x[i])
	}
}

// Log1pSlice writes Log1p(x[i]) into dst[i].
func Log1pSlice(dst, x []float64) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		log1pAVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = Log1p(x[i])
	}
}

// TanhSlice writes Tanh(x[i]) into dst[i].
func TanhSlice(dst, x []float64) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		tanhAVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = Tanh(x[i])
	}
}

// SigmoidSlice writes Sigmoid(x[i]) into dst[i].
func SigmoidSlice(dst, x []float64) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		sigmoidAVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = Sigmoid(x[i])
	}
}

// SoftplusSlice writes Softplus(x[i]) into dst[i].
func SoftplusSlice(dst, x []float64) {
	n := whole(len(dst), len(x), 4)
	if n > 0 {
		softplusAVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = Softplus(x[i])
	}
}

// SinCos2PiSlice writes SinCos2Pi(u[i]) into sin[i] and cos[i], which must be
// different slices; either may be u.
func SinCos2PiSlice(sin, cos, u []float64) {
	n := whole(len(sin), len(u), 4)
	sameLength(len(cos), len(u))
	if n > 0 {
		sinCosAVX2(&sin[0], &cos[0], &u[0], n)
	}
	for i := n; i < len(u); i++ {
		sin[i], cos[i] = SinCos2Pi(u[i])
	}
}

// whole returns how many of n elements go to a kernel that works on groups of
// the given size: none on the portable path. It panics if m != n.
func whole(m, n, group int) int {
	sameLength(m, n)
	if !useAVX2 {
		return 0
	}
	return n - n%group
}

func sameLength(m, n int) {
	if m != n {
		panic("vmath: slices of different lengths")
	}
}
