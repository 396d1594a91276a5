package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rows.go of vmath, and the elementwise loops beside Axpy.

func advance(pointers ...reg.Register) {
	for _, p := range pointers {
		ADDQ(Imm(32), p)
	}
}

func axpyScaled() {
	TEXT("axpyScaledAVX2", NOSPLIT, "func(y *float64, a float64, s, x *float64, n int)")
	Doc("axpyScaledAVX2 adds a*(s[i]*x[i]) to y[i] for i < n, n a multiple of 4.")
	Pragma("noescape")
	y, s := Load(Param("y"), GP64()), Load(Param("s"), GP64())
	x, n := Load(Param("x"), GP64()), Load(Param("n"), GP64())
	av := broadcast("a")
	loop(n, 4, func() {
		v := mul(av, mul(load(Mem{Base: s}), Mem{Base: x}))
		VMOVUPD(add(v, Mem{Base: y}), Mem{Base: y})
		advance(x, s, y)
	})
	finish()
}

func subtract() {
	TEXT("subAVX2", NOSPLIT, "func(dst, x, y *float64, n int)")
	Doc("subAVX2 works on n elements, n a multiple of 4.")
	Pragma("noescape")
	dst, x := Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	y, n := Load(Param("y"), GP64()), Load(Param("n"), GP64())
	loop(n, 4, func() {
		VMOVUPD(sub(load(Mem{Base: x}), Mem{Base: y}), Mem{Base: dst})
		advance(x, y, dst)
	})
	finish()
}

func diagonal(energy bool) {
	name, first := "diagonalGradAVX2", ""
	if energy {
		name, first = "diagonalEnergyAVX2", "sums *[4]float64, "
	}
	TEXT(name, NOSPLIT, "func("+first+"grad, x, mean, prec *float64, n int)")
	Doc(name + " works on n elements, n a multiple of 4.")
	Pragma("noescape")
	grad, x, mean := Load(Param("grad"), GP64()), Load(Param("x"), GP64()), Load(Param("mean"), GP64())
	prec, n := Load(Param("prec"), GP64()), Load(Param("n"), GP64())
	sum := YMM()
	VXORPD(sum, sum, sum)
	loop(n, 4, func() {
		y := sub(load(Mem{Base: x}), Mem{Base: mean})
		g := mul(y, Mem{Base: prec})
		store(g, grad, energy)
		if energy {
			VADDPD(mul(y, g), sum, sum)
		}
		advance(x, mean, prec)
	})
	if energy {
		VMOVUPD(sum, Mem{Base: Load(Param("sums"), GP64())})
	}
	finish()
}

// store writes v to p, unless p may be and is nil.
func store(v V, p reg.Register, orNil bool) {
	skip := label("noGradient")
	if orNil {
		TESTQ(p, p)
		JZ(LabelRef(skip))
	}
	VMOVUPD(v, Mem{Base: p})
	advance(p)
	if orNil {
		Label(skip)
	}
}

func tridiagonal(energy bool) {
	name, first := "tridiagonalGradAVX2", ""
	if energy {
		name, first = "tridiagonalEnergyAVX2", "sums *[2]float64, "
	}
	TEXT(name, NOSPLIT, "func("+first+"grad, x, mean, diag, off *float64, next float64, n int)")
	Doc(name+" works on n elements, n a positive multiple of 4. next is",
		"x[n] - mean[n], or 0 if there are no more.")
	Pragma("noescape")
	grad, x, mean := Load(Param("grad"), GP64()), Load(Param("x"), GP64()), Load(Param("mean"), GP64())
	diag, off, n := Load(Param("diag"), GP64()), Load(Param("off"), GP64()), Load(Param("n"), GP64())
	sum := XMM()
	VXORPD(sum, sum, sum)
	y, before := YMM(), YMM() // y; off z of the elements before
	VMOVUPD(sub(load(Mem{Base: x}), Mem{Base: mean}), y)
	VXORPD(before, before, before)
	four := func(next V) {
		z := add(mul(y, Mem{Base: diag}), mul(after(y, next), Mem{Base: off}))
		c := mul(z, Mem{Base: off})
		store(add(mul(z, Mem{Base: diag}), shifted(before, c)), grad, energy)
		if energy {
			q := mul(z, z)
			high := XMM()
			VEXTRACTF128(Imm(1), q, high)
			VADDPD(q.AsX(), sum, sum)
			VADDPD(high, sum, sum)
		}
		VMOVAPD(c, before)
		VMOVAPD(next, y)
		advance(diag, off)
	}
	SUBQ(Imm(4), n)
	loop(n, 4, func() {
		advance(x, mean)
		four(sub(load(Mem{Base: x}), Mem{Base: mean}))
	})
	four(broadcast("next"))
	if energy {
		VMOVUPD(sum, Mem{Base: Load(Param("sums"), GP64())})
	}
	finish()
}

// after returns a[1], a[2], a[3], b[0].
func after(a, b V) V {
	t, v := YMM(), YMM()
	VPERM2F128(Imm(0x21), b, a, t)
	VSHUFPD(Imm(5), t, a, v)
	return v
}

// shifted returns a[3], b[0], b[1], b[2].
func shifted(a, b V) V {
	t, v := YMM(), YMM()
	VPERM2F128(Imm(0x21), b, a, t)
	VSHUFPD(Imm(5), b, t, v)
	return v
}
