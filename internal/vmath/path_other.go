//go:build !amd64

package vmath

var useAVX2 = false

func expAVX2(dst, x *float64, n int)                               { panic("unreachable") }
func expm1AVX2(dst, x *float64, n int)                             { panic("unreachable") }
func logAVX2(dst, x *float64, n int)                               { panic("unreachable") }
func log1pAVX2(dst, x *float64, n int)                             { panic("unreachable") }
func tanhAVX2(dst, x *float64, n int)                              { panic("unreachable") }
func sigmoidAVX2(dst, x *float64, n int)                           { panic("unreachable") }
func softplusAVX2(dst, x *float64, n int)                          { panic("unreachable") }
func sinCosAVX2(sin, cos, u *float64, n int)                       { panic("unreachable") }
func dotAVX2(x, y *float64, n int) float64                         { panic("unreachable") }
func sumAVX2(x *float64, n int) float64                            { panic("unreachable") }
func axpyAVX2(y *float64, a float64, x *float64, n int)            { panic("unreachable") }
func maxAVX2(acc *[16]float64, x *float64, n int)                  { panic("unreachable") }
func sumExpAVX2(acc *[4]float64, x *float64, shift float64, n int) { panic("unreachable") }
func wordsAVX2(state *[16]uint64, dst *uint64, n int)              { panic("unreachable") }
func uniformsAVX2(state *[16]uint64, dst *float64, n int)          { panic("unreachable") }
func exponentialsAVX2(state *[16]uint64, dst *float64, n int)      { panic("unreachable") }
func normalsAVX2(state *[16]uint64, dst *float64, n int)           { panic("unreachable") }

func mixtureEnergy2AVX2(sums, tops, xs *float64, n int, table *float64, k int, scratch *float64) {
	panic("unreachable")
}
func mixtureGrad2AVX2(sums, tops, grad, xs *float64, n int, table *float64, k int, scratch *float64) {
	panic("unreachable")
}

func axpyScaledAVX2(y *float64, a float64, s, x *float64, n int)               { panic("unreachable") }
func subAVX2(dst, x, y *float64, n int)                                        { panic("unreachable") }
func diagonalGradAVX2(grad, x, mean, prec *float64, n int)                     { panic("unreachable") }
func diagonalEnergyAVX2(sums *[4]float64, grad, x, mean, prec *float64, n int) { panic("unreachable") }
func tridiagonalGradAVX2(grad, x, mean, diag, off *float64, next float64, n int) {
	panic("unreachable")
}
func tridiagonalEnergyAVX2(sums *[2]float64, grad, x, mean, diag, off *float64, next float64, n int) {
	panic("unreachable")
}

func mul32AVX2(dst, x *float32, n int)        { panic("unreachable") }
func sigmoid32AVX2(y, x *float32, n int)      { panic("unreachable") }
func silu32AVX2(y, dy, x *float32, n int)     { panic("unreachable") }
func tanh32AVX2(y, dy, x *float32, n int)     { panic("unreachable") }
func softplus32AVX2(y, dy, x *float32, n int) { panic("unreachable") }
func siluAVX2(y, dy, x *float64, n int)       { panic("unreachable") }

func packBitsAVX2(dst *byte, x *float64, n int) uint32               { panic("unreachable") }
func unpackBitsAVX2(x *float64, src *byte, n int)                    { panic("unreachable") }
func softplusSum32AVX2(a *[16]float64, x *float32, s float32, n int) { panic("unreachable") }
func bernoulliBitsAVX2(dst *byte, x *float32, s float32, words *uint64, n int) {
	panic("unreachable")
}
func selections32AVX2(base, table, w *float32, ldw, groups, vectors int) { panic("unreachable") }
func addSelected32AVX2(dst *float32, ldd int, from *float32, ldf int, units *byte, ldu, rows int, base, table *float32, count, vectors int) {
	panic("unreachable")
}

func toFloat32AVX2(dst *float32, x *float64, n int) float32              { panic("unreachable") }
func fromFloat32AVX2(dst *float64, x *float32, n int)                    { panic("unreachable") }
func transpose32AVX2(dst *float32, ldd int, src *float32, lds, cols int) { panic("unreachable") }

func add32AVX2(dst, x *float32, n int)                  { panic("unreachable") }
func addWide32AVX2(dst *float64, x *float32, n int)     { panic("unreachable") }
func relu32AVX2(y, dy, x *float32, n int)               { panic("unreachable") }
func squares32AVX2(acc *[16]float64, x *float32, n int) { panic("unreachable") }

func adam32AVX2(theta, m, v, grad *float32, step *[8]float32, n int) bool { panic("unreachable") }
func adam64AVX2(theta, m, v, grad *float64, step *[8]float64, n int) bool { panic("unreachable") }

func bernoulli32AVX2(sums *[4]float64, dy, x, y, sp *float32, w float32, n int) {
	panic("unreachable")
}

func dotRows32AVX2(dst *float32, ldd int, a *float32, lda int, w *float32, rows, k int) {
	panic("unreachable")
}
