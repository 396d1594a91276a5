package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// convert.go of vmath.

func convert() {
	TEXT("toFloat32AVX2", NOSPLIT, "func(dst *float32, x *float64, n int) float32")
	Doc("toFloat32AVX2 works on n elements, n a positive multiple of 8, and returns the",
		"largest size.")
	Pragma("noescape")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	top := XMM()
	VXORPS(top, top, top)
	sizes := XMM()
	VMOVUPS(bits32(1<<31-1), sizes)
	loop(n, 8, func() {
		for h := range 2 {
			v, a := XMM(), XMM()
			VCVTPD2PSY(Mem{Base: x, Disp: 32 * h}, v)
			VMOVUPS(v, Mem{Base: dst, Disp: 16 * h})
			VANDPS(sizes, v, a)
			VMAXPS(top, a, top) // top if one is NaN
		}
		ADDQ(Imm(64), x)
		ADDQ(Imm(32), dst)
	})
	for _, order := range []uint64{0x4e, 0xb1} {
		t := XMM()
		VPERMILPS(U8(order), top, t)
		VMAXPS(t, top, top)
	}
	Store(top, ReturnIndex(0))
	finish()

	TEXT("fromFloat32AVX2", NOSPLIT, "func(dst *float64, x *float32, n int)")
	Doc("fromFloat32AVX2 works on n elements, n a positive multiple of 8.")
	Pragma("noescape")
	dst, x, n = Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	loop(n, 8, func() {
		for h := range 2 {
			v := YMM()
			VCVTPS2PD(Mem{Base: x, Disp: 16 * h}, v)
			VMOVUPD(v, Mem{Base: dst, Disp: 32 * h})
		}
		ADDQ(Imm(32), x)
		ADDQ(Imm(64), dst)
	})
	finish()

	TEXT("transpose32AVX2", NOSPLIT, "func(dst *float32, ldd int, src *float32, lds, cols int)")
	Doc("transpose32AVX2 transposes 8 rows of src, cols a positive multiple of 8. Rows of dst",
		"are ldd bytes apart, rows of src lds.")
	Pragma("noescape")
	dst, ldd := Load(Param("dst"), GP64()), Load(Param("ldd"), GP64())
	src, lds := Load(Param("src"), GP64()), Load(Param("lds"), GP64())
	n = Load(Param("cols"), GP64())
	src3, src5, src7, dst3, dst5, dst7 := GP64(), GP64(), GP64(), GP64(), GP64(), GP64()
	LEAQ(Mem{Base: lds, Index: lds, Scale: 2}, src3)
	LEAQ(Mem{Base: lds, Index: lds, Scale: 4}, src5)
	LEAQ(Mem{Base: src3, Index: lds, Scale: 4}, src7)
	LEAQ(Mem{Base: ldd, Index: ldd, Scale: 2}, dst3)
	LEAQ(Mem{Base: ldd, Index: ldd, Scale: 4}, dst5)
	LEAQ(Mem{Base: dst3, Index: ldd, Scale: 4}, dst7)
	loop(n, 8, func() {
		from := [8]Mem{{Base: src}, {Base: src, Index: lds, Scale: 1}, {Base: src, Index: lds, Scale: 2}, {Base: src, Index: src3, Scale: 1},
			{Base: src, Index: lds, Scale: 4}, {Base: src, Index: src5, Scale: 1}, {Base: src, Index: src3, Scale: 2}, {Base: src, Index: src7, Scale: 1}}
		to := [8]Mem{{Base: dst}, {Base: dst, Index: ldd, Scale: 1}, {Base: dst, Index: ldd, Scale: 2}, {Base: dst, Index: dst3, Scale: 1},
			{Base: dst, Index: ldd, Scale: 4}, {Base: dst, Index: dst5, Scale: 1}, {Base: dst, Index: dst3, Scale: 2}, {Base: dst, Index: dst7, Scale: 1}}
		// Rows r and r+4 in one register; then 4 x 4 transposes in both halves.
		var a, b [8]V // a[4h+r]: columns 4h to 4h+3 of rows r and r+4
		for r := range 4 {
			for h := range 2 {
				a[4*h+r] = YMM()
				low := XMM()
				VMOVUPS(from[r].Offset(16*h), low)
				VINSERTF128(Imm(1), from[r+4].Offset(16*h), low.AsY(), a[4*h+r])
			}
		}
		for h := range 2 {
			for p := range 2 { // rows 2p, 2p+1
				b[4*h+2*p], b[4*h+2*p+1] = YMM(), YMM()
				VUNPCKLPS(a[4*h+2*p+1], a[4*h+2*p], b[4*h+2*p])
				VUNPCKHPS(a[4*h+2*p+1], a[4*h+2*p], b[4*h+2*p+1])
			}
			for c := range 4 {
				v := YMM()
				if c%2 == 0 {
					VUNPCKLPD(b[4*h+2+c/2], b[4*h+c/2], v)
				} else {
					VUNPCKHPD(b[4*h+2+c/2], b[4*h+c/2], v)
				}
				VMOVUPS(v, to[4*h+c])
			}
		}
		ADDQ(Imm(32), src)
		LEAQ(Mem{Base: dst, Index: ldd, Scale: 8}, dst)
	})
	finish()
}
