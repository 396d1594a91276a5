// Package vmath holds elementary functions whose bits do not depend on the
// processor.
//
// Every function is one fixed sequence of IEEE 754 operations with explicit
// fused multiply-adds. math.FMA is exact on every machine (in software where
// the processor has none), and the AVX2 kernels behind the slice forms execute
// the same sequence four elements at a time. So the scalar function, the slice
// function, the portable path and any processor give the same bits, except for
// the payload of a NaN. Products are written float64(x*y), which forbids the
// compiler to fuse them with an addition, here or in the caller.
//
// Slice forms write f(x[i]) into dst[i]; dst may be x itself but must not
// overlap it otherwise; they panic if the lengths differ.
//
// Relative errors of the float64 functions are below 1e-14 (accuracy_test.go),
// counting as none an error of at most the smallest subnormal, 5e-324.
package vmath

// Path returns "avx2" or "portable", the code that the slice forms run. It
// changes their speed and none of their bits.
func Path() string {
	if useAVX2 {
		return "avx2"
	}
	return "portable"
}
