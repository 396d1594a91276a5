//go:build !amd64

package gemm

var useAVX2 = false

func tile32AVX2(tiles, rows, vectors, k int, a *float32, rs, cs, step int, b *float32, bs int, c *float32, ldc int, alpha, beta float32) {
	panic("unreachable")
}

func tile64AVX2(tiles, rows, vectors, k int, a *float64, rs, cs, step int, b *float64, bs int, c *float64, ldc int, alpha, beta float64) {
	panic("unreachable")
}

func copyRowsAVX2(dst *byte, ldd int, src *byte, lds, rows, vectors int) { panic("unreachable") }
