package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// network.go of vmath.

func network() {
	TEXT("add32AVX2", NOSPLIT, "func(dst, x *float32, n int)")
	Doc("add32AVX2 works on n elements, n a multiple of 8.")
	Pragma("noescape")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	loop(n, 8, func() {
		VMOVUPS(adds(load(Mem{Base: dst}), Mem{Base: x}), Mem{Base: dst})
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), dst)
	})
	finish()

	TEXT("addWide32AVX2", NOSPLIT, "func(dst *float64, x *float32, n int)")
	Doc("addWide32AVX2 works on n elements, n a multiple of 4.")
	Pragma("noescape")
	dst, x, n = Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	loop(n, 4, func() {
		v := YMM()
		VCVTPS2PD(Mem{Base: x}, v)
		VMOVUPD(add(v, Mem{Base: dst}), Mem{Base: dst})
		ADDQ(Imm(16), x)
		ADDQ(Imm(32), dst)
	})
	finish()

	activation("relu32", "float32", 8, func(x V) (y, dy V) {
		// !(x <= 0), so that NaN stays; 22 is "not less or equal", quiet.
		mask := cmps(x, 22, nums(0))
		return and(mask, x), and(mask, nums(1))
	})

	adam("adam32", "float32", 8, adamOps{VBROADCASTSS, VMULPS, VFMADD231PS, VFMSUB231PS, VSQRTPS, VDIVPS})
	adam("adam64", "float64", 4, adamOps{VBROADCASTSD, VMULPD, VFMADD231PD, VFMSUB231PD, VSQRTPD, VDIVPD})
}

type adamOps struct {
	broadcast func(ops ...Op)
	mul       func(ops ...Op)
	fma       func(ops ...Op)
	fms       func(ops ...Op)
	sqrt      func(ops ...Op)
	div       func(ops ...Op)
}

func adam(name, typ string, group uint64, p adamOps) {
	TEXT(name+"AVX2", NOSPLIT, fmt.Sprintf("func(theta, m, v, grad *%[1]s, step *[8]%[1]s, n int)", typ))
	Doc(fmt.Sprintf("%sAVX2 works on n elements, n a multiple of %d.", name, group))
	Pragma("noescape")
	theta, m, v := Load(Param("theta"), GP64()), Load(Param("m"), GP64()), Load(Param("v"), GP64())
	grad, step, n := Load(Param("grad"), GP64()), Load(Param("step"), GP64()), Load(Param("n"), GP64())
	var c [8]V
	for i := range c {
		c[i] = YMM()
		p.broadcast(Mem{Base: step, Disp: i * 32 / int(group)}, c[i])
	}
	beta1, rest1, beta2, rest2, root, eps, rate, keep := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	loop(n, group, func() {
		g := load(Mem{Base: grad})
		mv, vv := YMM(), YMM()
		p.mul(rest1, g, mv)
		p.fma(Mem{Base: m}, beta1, mv)
		VMOVUPS(mv, Mem{Base: m})
		p.mul(g, g, vv)
		p.mul(rest2, vv, vv)
		p.fma(Mem{Base: v}, beta2, vv)
		VMOVUPS(vv, Mem{Base: v})
		den, s := load(eps), YMM()
		p.sqrt(vv, s)
		p.fma(root, s, den)
		p.mul(rate, mv, mv)
		p.div(den, mv, mv)
		p.fms(Mem{Base: theta}, keep, mv) // mv = keep theta - mv
		VMOVUPS(mv, Mem{Base: theta})
		for _, r := range []Op{theta, m, v, grad} {
			ADDQ(Imm(32), r)
		}
	})
	finish()
}
