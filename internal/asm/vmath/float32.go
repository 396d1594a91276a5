package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// float32.go of vmath: eight float32 at a time. Names end in s, for single, where
// main.go has the function of four float64.

func nums(x float32) Mem {
	b := uint64(math.Float32bits(x))
	return bits(b<<32 | b)
}

func bits32(b uint32) Mem { return bits(uint64(b)<<32 | uint64(b)) }

func adds(a V, b Op) V { v := YMM(); VADDPS(b, a, v); return v }
func subs(a V, b Op) V { v := YMM(); VSUBPS(b, a, v); return v }
func muls(a V, b Op) V { v := YMM(); VMULPS(b, a, v); return v }
func divs(a V, b Op) V { v := YMM(); VDIVPS(b, a, v); return v }

func accs(a V, b Op, c V) V         { VFMADD231PS(b, a, c); return c }
func pairs(lo, hi float32, z V) V   { return accs(z, nums(hi), load(nums(lo))) }
func picks(mask V, a Op, b V) V     { v := YMM(); VBLENDVPS(mask, a, b, v); return v }
func cmps(a V, pred uint64, b Op) V { v := YMM(); VCMPPS(U8(pred), b, a, v); return v }
func aboves(lo float32, x V) V      { v := YMM(); VMAXPS(x, load(nums(lo)), v); return v }
func shls(a V, n uint64) V          { v := YMM(); VPSLLD(U8(n), a, v); return v }
func iadds(a V, b Op) V             { v := YMM(); VPADDD(b, a, v); return v }

var e32 = [...]float32{0x1p-1, 0x1.5554dcp-3, 0x1.55551ap-5, 0x1.120b6ep-7, 0x1.6d110ap-10}
var l32 = [...]float32{0x1.55554cp-1, 0x1.99ad6cp-2, 0x1.21249ap-2, 0x1.12f598p-2}

// expReduce32 overwrites x.
func expReduce32(x V) (kbits, em1 V) {
	t := accs(x, nums(0x1.715476p+0), load(nums(0x1.8p23)))
	k := subs(t, nums(0x1.8p23))
	r := accs(k, nums(-0x1.62e43p-1), x)
	r = accs(k, nums(0x1.05c61p-29), r)
	r2 := muls(r, r)
	a0 := pairs(e32[0], e32[1], r)
	a1 := pairs(e32[2], e32[3], r)
	a1 = accs(r2, nums(e32[4]), a1)
	a0 = accs(a1, r2, a0)
	return t, accs(a0, r2, r)
}

func expMinus32(x V) V {
	m := or(x, bits32(1<<31))
	k, em1 := expReduce32(aboves(-87, m))
	e := iadds(shls(k, 23), adds(em1, nums(1)))
	VANDNPS(e, cmps(m, lt, nums(-87)), e)
	return e
}

func sigmoid32(x, e V) V {
	top := picks(cmps(x, ge, nums(0)), nums(1), e)
	return divs(top, adds(e, nums(1)))
}

func silu(x V) (y, dy V) {
	e := exp(or(x, bits(1<<63)))
	w := div(load(num(1)), add(e, num(1)))
	v := mul(e, w)
	up := cmp(x, ge, num(0))
	s, t := pick(up, w, v), pick(up, v, w)
	y = mul(x, s)
	return y, acc(y, t, s)
}

func tanh32(x V) (y, dy V) {
	m := or(x, bits32(1<<31))
	k, em1 := expReduce32(aboves(-40, adds(m, m)))
	h := iadds(shls(k, 23), bits32(127<<23))
	m = accs(h, em1, subs(h, nums(1)))
	y = and(divs(m, adds(m, nums(2))), bits32(1<<31-1))
	y = or(y, and(x, bits32(1<<31)))
	dy = load(nums(1))
	VFNMADD231PS(y, y, dy)
	return y, dy
}

func softplus32(x V) (y, dy V) {
	e := expMinus32(x)
	s := divs(e, adds(e, nums(2)))
	z := muls(s, s)
	a0 := pairs(l32[0], l32[1], z)
	a1 := pairs(l32[2], l32[3], z)
	a0 = accs(a1, muls(z, z), a0)
	y = adds(accs(muls(s, z), a0, adds(s, s)), aboves(0, x))
	return y, sigmoid32(x, e)
}

func activations() {
	TEXT("sigmoid32AVX2", NOSPLIT, "func(y, x *float32, n int)")
	Doc("sigmoid32AVX2 works on n elements, n a multiple of 8.")
	Pragma("noescape")
	dst, x, n := Load(Param("y"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	loop(n, 8, func() {
		v := load(Mem{Base: x})
		VMOVUPS(sigmoid32(v, expMinus32(v)), Mem{Base: dst})
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), dst)
	})
	finish()

	TEXT("mul32AVX2", NOSPLIT, "func(dst, x *float32, n int)")
	Doc("mul32AVX2 works on n elements, n a multiple of 8.")
	Pragma("noescape")
	dst, x, n = Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	loop(n, 8, func() {
		VMOVUPS(muls(load(Mem{Base: dst}), Mem{Base: x}), Mem{Base: dst})
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), dst)
	})
	finish()

	activation("tanh32", "float32", 8, tanh32)
	activation("softplus32", "float32", 8, softplus32)
	activation("silu", "float64", 4, silu)
}

func activation(name, typ string, group uint64, f func(x V) (y, dy V)) {
	TEXT(name+"AVX2", NOSPLIT, fmt.Sprintf("func(y, dy, x *%s, n int)", typ))
	Doc(fmt.Sprintf("%sAVX2 works on n elements, n a multiple of %d; dy may be nil.", name, group))
	Pragma("noescape")
	y, dy, x := Load(Param("y"), GP64()), Load(Param("dy"), GP64()), Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	loop(n, group, func() {
		v, d := f(load(Mem{Base: x}))
		VMOVUPS(v, Mem{Base: y})
		skip := label("noDerivative")
		TESTQ(dy, dy)
		JZ(LabelRef(skip))
		VMOVUPS(d, Mem{Base: dy})
		ADDQ(Imm(32), dy)
		Label(skip)
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), y)
	})
	finish()
}
