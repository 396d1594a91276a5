package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rows.go of vmath, and the elementwise loops beside Axpy.

// loopAt runs body for the elements from i, which advances, to n, four at a time;
// i is less than n.
func loopAt(i, n reg.Register, body func()) {
	top := label("loop")
	Label(top)
	body()
	ADDQ(Imm(4), i)
	CMPQ(i, n)
	JLT(LabelRef(top))
}

func zeroGP() reg.Register {
	i := GP64()
	XORQ(i, i)
	return i
}

// at returns the place of element i of p.
func at(p, i reg.Register) Mem { return Mem{Base: p, Index: i, Scale: 8} }

func axpyScaled() {
	TEXT("axpyScaledAVX2", NOSPLIT, "func(y *float64, a float64, s, x *float64, n int)")
	Doc("axpyScaledAVX2 adds a*(s[i]*x[i]) to y[i] for i < n, n a positive multiple of 4.")
	Pragma("noescape")
	y, s := Load(Param("y"), GP64()), Load(Param("s"), GP64())
	x, n := Load(Param("x"), GP64()), Load(Param("n"), GP64())
	av, i := broadcast("a"), zeroGP()
	loopAt(i, n, func() {
		v := mul(av, mul(load(at(s, i)), at(x, i)))
		VMOVUPD(add(v, at(y, i)), at(y, i))
	})
	finish()
}

func subtract() {
	TEXT("subAVX2", NOSPLIT, "func(dst, x, y *float64, n int)")
	Doc("subAVX2 works on n elements, n a positive multiple of 4.")
	Pragma("noescape")
	dst, x := Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	y, n := Load(Param("y"), GP64()), Load(Param("n"), GP64())
	i := zeroGP()
	loopAt(i, n, func() { VMOVUPD(sub(load(at(x, i)), at(y, i)), at(dst, i)) })
	finish()
}

func diagonal(energy bool) {
	name, first := "diagonalGradAVX2", ""
	if energy {
		name, first = "diagonalEnergyAVX2", "sums *[4]float64, "
	}
	TEXT(name, NOSPLIT, "func("+first+"grad, x, mean, prec *float64, n int)")
	Doc(name + " works on n elements, n a positive multiple of 4.")
	Pragma("noescape")
	grad, x, mean := Load(Param("grad"), GP64()), Load(Param("x"), GP64()), Load(Param("mean"), GP64())
	prec, n := Load(Param("prec"), GP64()), Load(Param("n"), GP64())
	i := zeroGP()
	sum := YMM()
	VXORPD(sum, sum, sum)
	loopAt(i, n, func() {
		y := sub(load(at(x, i)), at(mean, i))
		g := mul(y, at(prec, i))
		store(g, grad, i, energy)
		if energy {
			VADDPD(mul(y, g), sum, sum)
		}
	})
	if energy {
		VMOVUPD(sum, Mem{Base: Load(Param("sums"), GP64())})
	}
	finish()
}

// store writes v to element i of p, unless p may be and is nil.
func store(v V, p, i reg.Register, orNil bool) {
	skip := label("noGradient")
	if orNil {
		TESTQ(p, p)
		JZ(LabelRef(skip))
	}
	VMOVUPD(v, at(p, i))
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
	Doc(name+" works on n elements, n a multiple of 4, at least 8. next is",
		"x[n] - mean[n], or 0 if there are no more.")
	Pragma("noescape")
	grad, x, mean := Load(Param("grad"), GP64()), Load(Param("x"), GP64()), Load(Param("mean"), GP64())
	diag, off, n := Load(Param("diag"), GP64()), Load(Param("off"), GP64()), Load(Param("n"), GP64())
	i := zeroGP()
	sum := XMM()
	VXORPD(sum, sum, sum)
	y, before := YMM(), YMM() // y; off z of the elements before
	VMOVUPD(sub(load(at(x, i)), at(mean, i)), y)
	VXORPD(before, before, before)
	four := func(next V) {
		d, o := load(at(diag, i)), load(at(off, i))
		z := add(mul(y, d), mul(after(y, next), o))
		c := mul(z, o)
		store(add(mul(z, d), shifted(before, c)), grad, i, energy)
		if energy {
			q := mul(z, z)
			high := XMM()
			VEXTRACTF128(Imm(1), q, high)
			VADDPD(q.AsX(), sum, sum)
			VADDPD(high, sum, sum)
		}
		VMOVAPD(c, before)
		VMOVAPD(next, y)
	}
	SUBQ(Imm(4), n)
	loopAt(i, n, func() {
		four(sub(load(at(x, i).Offset(32)), at(mean, i).Offset(32)))
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
