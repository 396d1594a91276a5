package vmath

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// activations lists the float32 functions in the form with a derivative.
var activations = []struct {
	name  string
	f     func(float32) (y, dy float32)
	slice func(y, dy, x []float32)
	exact func(x float64) (y, dy float64)
}{
	{"Sigmoid32", func(x float32) (float32, float32) { return Sigmoid32(x), 0 },
		func(y, dy, x []float32) { Sigmoid32Slice(y, x); clear(dy) },
		func(x float64) (float64, float64) { return Sigmoid(x), 0 }},
	{"SiLU32", SiLU32, SiLU32Slice, SiLU},
	{"Tanh32", Tanh32, Tanh32Slice, func(x float64) (float64, float64) {
		c := 1 / math.Cosh(x)
		return Tanh(x), c * c
	}},
	{"ReLU32", ReLU32, ReLU32Slice, func(x float64) (float64, float64) { return max(x, 0), min(1, max(0, x*1e300)) }},
	{"Softplus32", Softplus32, Softplus32Slice, func(x float64) (float64, float64) { return Softplus(x), Sigmoid(x) }},
}

func inputs32(n int) []float32 {
	r := rand.New(rand.NewPCG(21, 22))
	var x []float32
	for _, v := range []float32{0, 0x1p-149, 0x1p-126, 1e-30, 1e-8, 0x1p-24, 0.3, 1, 8.6, 20, 40, 87, 87.4, 88, 88.8, 104, 1e10, 3e38,
		float32(math.Inf(1)), float32(math.NaN())} {
		x = append(x, v, -v)
	}
	for len(x) < n {
		x = append(x, float32(4*r.NormFloat64()), float32(200*(r.Float64()-0.5)), math.Float32frombits(r.Uint32()))
	}
	return x[:n]
}

func same32(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

func TestActivationsBitForBit(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, size(100_000, 2_000_003)} {
		x := inputs32(max(n, 1))[:n]
		y, dy, alone := make([]float32, n), make([]float32, n), make([]float32, n)
		for _, a := range activations {
			a.slice(y, dy, x)
			a.slice(alone, nil, x)
			for i, v := range x {
				if w, d := a.f(v); !same32(y[i], w) || !same32(dy[i], d) || !same32(alone[i], w) {
					t.Fatalf("%s(%x): slice %x %x, without derivative %x, scalar %x %x", a.name, v, y[i], dy[i], alone[i], w, d)
				}
			}
		}
	}
	for n := range 20 {
		a, b := inputs32(n), inputs32(2 * n)[n:]
		dst := append([]float32(nil), a...)
		Mul32Slice(dst, b)
		for i := range a {
			if !same32(dst[i], a[i]*b[i]) {
				t.Fatalf("Mul32Slice, n = %d: element %d is %v", n, i, dst[i])
			}
		}
	}
	x := inputs(size(100_000, 1_000_003))
	y, dy := make([]float64, len(x)), make([]float64, len(x))
	SiLUSlice(y, dy, x)
	for i, v := range x {
		if w, d := SiLU(v); !same(y[i], w) || !same(dy[i], d) {
			t.Fatalf("SiLU(%x): slice %x %x, scalar %x %x", v, y[i], dy[i], w, d)
		}
	}
}

// Against float64: relative error of the function, and error of the derivative
// relative to the largest derivative, 1.1.
func TestActivationsAccuracy(t *testing.T) {
	for _, a := range activations {
		var top, topD float64
		var at, atD float32
		for _, x := range inputs32(size(100_000, 1_000_000)) {
			if x != x || math.Abs(float64(x)) > 1e30 {
				continue
			}
			y, d := a.f(x)
			wy, wd := a.exact(float64(x))
			if math.Abs(float64(x)) < 87 && math.Abs(wy) > 2e-38 || math.Abs(wy) > 1e-30 {
				if e := math.Abs(float64(y)-wy) / math.Abs(wy); e > top {
					top, at = e, x
				}
			} else if math.Abs(float64(y)-wy) > 1e-35 {
				t.Fatalf("%s(%v) = %v, want %v", a.name, x, y, wy)
			}
			if e := math.Abs(float64(d) - wd); e > topD {
				topD, atD = e, x
			}
		}
		t.Logf("%-12s max relative error %.2e at %v; derivative, absolute %.2e at %v", a.name, top, at, topD, atD)
		if top > 5e-7 || topD > 5e-7 {
			t.Errorf("%s: errors %.2e, %.2e", a.name, top, topD)
		}
	}
}

// FMA32 against exact arithmetic, on numbers made to be hard: sums that fall in
// the middle of two float32, results below the normal range.
func TestFMA32(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	n := 3_000_000
	if testing.Short() {
		n = 200_000
	}
	small := func() float32 { // few bits, many scales
		return float32(math.Ldexp(float64(r.IntN(1<<r.IntN(25)))*float64(1-2*r.IntN(2)), r.IntN(60)-30))
	}
	twice := 0
	for i := range n {
		x, y := small(), small()
		z := float32(math.Ldexp(float64(r.IntN(1<<24)), r.IntN(90)-45))
		if i%4 == 0 { // the product is half a unit of z, and a little more
			z = 1 + float32(r.IntN(1<<22))*0x1p-23
			x, y = 0x1p-12*(1+float32(r.IntN(3)-1)*0x1p-20), 0x1p-12
			x = float32(math.Ldexp(float64(x), -r.IntN(2)))
		}
		if i%4 == 1 { // subnormal
			x, y = float32(r.NormFloat64()*0x1p-70), float32(r.NormFloat64()*0x1p-70)
			z = math.Float32frombits(r.Uint32() & 0x807fffff)
		}
		// The exact sum needs fewer than 600 bits.
		e := new(big.Float).SetPrec(600).SetFloat64(float64(x) * float64(y))
		e.Add(e, new(big.Float).SetFloat64(float64(z)))
		want, _ := e.Float32()
		if got := FMA32(x, y, z); got != want {
			t.Fatalf("FMA32(%x, %x, %x) = %x, want %x", x, y, z, got, want)
		}
		if float32(float64(x)*float64(y)+float64(z)) != want {
			twice++
		}
	}
	if twice == 0 {
		t.Error("the inputs contain no case in which rounding twice is wrong")
	}
	t.Logf("rounding twice would be wrong in %d of %d cases", twice, n)
}
