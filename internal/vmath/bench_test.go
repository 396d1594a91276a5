package vmath

import (
	"math/rand/v2"
	"testing"
)

const benchN = 1024

// bench reports ns per element of f, which handles benchN elements, on both
// paths.
func bench(b *testing.B, name string, f func()) {
	for _, p := range []struct {
		name string
		avx2 bool
	}{{"avx2", true}, {"portable", false}} {
		b.Run(name+"/"+p.name, func(b *testing.B) {
			onPath(b, p.avx2, func() {
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchN, "ns/element")
			})
		})
	}
}

func BenchmarkSlices(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, dst, cos := make([]float64, benchN), make([]float64, benchN), make([]float64, benchN)
	pos := make([]float64, benchN)
	for i := range x {
		x[i] = 3 * r.NormFloat64()
		pos[i] = r.ExpFloat64()
	}
	for _, u := range unary {
		in := x
		if u.name == "Log" || u.name == "Log1p" {
			in = pos
		}
		bench(b, u.name, func() { u.slice(dst, in) })
	}
	bench(b, "SinCos2Pi", func() { SinCos2PiSlice(dst, cos, x) })
	bench(b, "Sum", func() { Sum(x) })
	bench(b, "Dot", func() { Dot(x, pos) })
	bench(b, "Axpy", func() { Axpy(dst, 1e-9, x) })
	bench(b, "Max", func() { Max(x) })
	bench(b, "LogSumExp", func() { LogSumExp(x) })
	s := Lanes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	w := make([]uint64, benchN)
	bench(b, "Words", func() { s.Words(w) })
	bench(b, "Uniforms", func() { s.Uniforms(dst) })
	bench(b, "Exponentials", func() { s.Exponentials(dst) })
	bench(b, "Normals", func() { s.Normals(dst) })
}

// One call at a time, each argument waiting for nothing.
func BenchmarkScalar(b *testing.B) {
	var sink float64
	for _, f := range []struct {
		name string
		f    func(float64) float64
	}{{"Exp", Exp}, {"Log", Log}, {"Tanh", Tanh}, {"Sigmoid", Sigmoid}, {"Erfc", Erfc}, {"NormalCDF", NormalCDF}, {"NormalQuantile", NormalQuantile}} {
		b.Run(f.name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				sink += f.f(float64(i&15)/16 + 0.01)
			}
		})
	}
	_ = sink
}

func BenchmarkActivations(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y, dy := make([]float32, benchN), make([]float32, benchN), make([]float32, benchN)
	for i := range x {
		x[i] = float32(2 * r.NormFloat64())
	}
	for _, a := range activations {
		bench(b, a.name, func() { a.slice(y, dy, x) })
	}
	bench(b, "Mul32", func() { Mul32Slice(y, dy) })
	x64, y64, dy64 := make([]float64, benchN), make([]float64, benchN), make([]float64, benchN)
	for i := range x64 {
		x64[i] = float64(x[i])
	}
	bench(b, "SiLU", func() { SiLUSlice(y64, dy64, x64) })
}
