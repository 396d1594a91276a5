package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// binary.go of vmath: units that are 0 or 1, eight to a byte.

func binary() {
	packBits()
	unpackBits()
	bernoulliBits()
	softplusSum32()
	selections()
	addSelected()
}

func packBits() {
	TEXT("packBitsAVX2", NOSPLIT, "func(dst *byte, x *float64, n int) uint32")
	Doc("packBitsAVX2 works on n elements, n a positive multiple of 8, and returns 255 if",
		"all are 0 or 1.")
	Pragma("noescape")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	bad, one := YMM(), load(bits32(0x3ff00000))
	VPXOR(bad, bad, bad)
	loop(n, 8, func() {
		a, b := load(Mem{Base: x}), load(Mem{Base: x, Disp: 32})
		high, low := YMM(), YMM() // of elements 0 1 4 5 2 3 6 7
		VSHUFPS(U8(0xdd), b, a, high)
		VSHUFPS(U8(0x88), b, a, low)
		VPOR(low, bad, bad)
		sign, set := YMM(), YMM()
		VPSLLD(U8(2), high, sign)
		VPSRAD(U8(31), sign, set)
		VPAND(one, set, set)
		VPXOR(high, set, set)
		VPOR(set, bad, bad)
		inOrder, m := YMM(), GP32()
		VPERMQ(U8(0xd8), sign, inOrder)
		VMOVMSKPS(inOrder, m)
		MOVB(m.As8(), Mem{Base: dst})
		ADDQ(Imm(64), x)
		INCQ(dst)
	})
	zero, good := YMM(), GP32()
	VPXOR(zero, zero, zero)
	VPCMPEQD(zero, bad, bad)
	VMOVMSKPS(bad, good)
	Store(good, ReturnIndex(0))
	finish()
}

func unpackBits() {
	var masks [2]Mem
	for h := range masks {
		masks[h] = GLOBL(fmt.Sprintf("bitMask%d", h), RODATA|NOPTR)
		for i := range 4 {
			DATA(8*i, U64(1<<(4*h+i)))
		}
	}
	TEXT("unpackBitsAVX2", NOSPLIT, "func(x *float64, src *byte, n int)")
	Doc("unpackBitsAVX2 works on n elements, n a positive multiple of 8.")
	Pragma("noescape")
	x, src, n := Load(Param("x"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	m, one := [2]V{load(masks[0]), load(masks[1])}, load(num(1))
	loop(n, 8, func() {
		b := YMM()
		VPBROADCASTB(Mem{Base: src}, b)
		for h := range m {
			v := YMM()
			VPAND(m[h], b, v)
			VPCMPEQQ(m[h], v, v)
			VPAND(one, v, v)
			VMOVUPD(v, Mem{Base: x, Disp: 32 * h})
		}
		INCQ(src)
		ADDQ(Imm(64), x)
	})
	finish()
}

// broadcast32 returns a float32 parameter in all elements.
func broadcast32(param string) V {
	b, err := Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	v := YMM()
	VBROADCASTSS(b.Addr, v)
	return v
}

func belows(hi float32, x V) V { v := YMM(); VMINPS(x, load(nums(hi)), v); return v }

func bernoulliBits() {
	TEXT("bernoulliBitsAVX2", NOSPLIT, "func(dst *byte, x *float32, minusScale float32, words *uint64, n int)")
	Doc("bernoulliBitsAVX2 works on n elements, n a positive multiple of 8.")
	Pragma("noescape")
	dst, x := Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	words, n := Load(Param("words"), GP64()), Load(Param("n"), GP64())
	scale := broadcast32("minusScale")
	loop(n, 8, func() {
		y := belows(80, aboves(-80, muls(scale, Mem{Base: x})))
		k, em1 := expReduce32(y)
		e := iadds(shls(k, 23), adds(em1, nums(1)))
		w, u := YMM(), YMM()
		VPSRLD(U8(1), load(Mem{Base: words}), w)
		VCVTDQ2PS(or(w, bits32(1)), u)
		u = muls(u, nums(0x1p-31))
		m := GP32()
		VMOVMSKPS(cmps(muls(u, adds(e, nums(1))), lt, nums(1)), m)
		MOVB(m.As8(), Mem{Base: dst})
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), words)
		INCQ(dst)
	})
	finish()
}

func softplusSum32() {
	TEXT("softplusSum32AVX2", NOSPLIT, "func(acc *[16]float64, x *float32, scale float32, n int)")
	Doc("softplusSum32AVX2 adds max(0, y) to acc[i%8] and multiplies acc[8+i%8] by 1 + exp(-|y|),",
		"y = scale*x[i], for i < n, n a positive multiple of 8.")
	Pragma("noescape")
	a, x := Load(Param("acc"), GP64()), Load(Param("x"), GP64())
	scale, n := broadcast32("scale"), Load(Param("n"), GP64())
	v := lanes(a, 4)
	loop(n, 8, func() {
		y := muls(scale, Mem{Base: x})
		up := aboves(0, y)
		e := expMinus32(y)
		for h := range 2 {
			u, f := YMM(), YMM()
			if h == 0 {
				VCVTPS2PD(up.AsX(), u)
				VCVTPS2PD(e.AsX(), f)
			} else {
				uh, eh := XMM(), XMM()
				VEXTRACTF128(Imm(1), up, uh)
				VEXTRACTF128(Imm(1), e, eh)
				VCVTPS2PD(uh, u)
				VCVTPS2PD(eh, f)
			}
			VADDPD(u, v[h], v[h])
			VMULPD(add(f, num(1)), v[2+h], v[2+h])
		}
		ADDQ(Imm(32), x)
	})
	storeLanes(v, a)
	finish()
}

// widths are the numbers of vectors of a tile, with one piece of code each.
var widths = []int{8, 4, 2, 1}

// forWidths writes body for every width and goes to the one asked for.
func forWidths(vectors reg.Register, body func(m int)) {
	for _, m := range widths {
		next := label("width")
		CMPQ(vectors, Imm(uint64(m)))
		JNE(LabelRef(next))
		body(m)
		VZEROUPPER()
		RET()
		Label(next)
	}
	RET()
}

func selections() {
	TEXT("selections32AVX2", NOSPLIT, "func(table, w *float32, ldw, groups, vectors int)")
	Doc("selections32AVX2 writes, for every group of four rows of w, which are ldw bytes",
		"apart, the sums of its 16 selections, each of 1, 2, 4 or 8 vectors.")
	Pragma("noescape")
	table, w, ldw := Load(Param("table"), GP64()), Load(Param("w"), GP64()), Load(Param("ldw"), GP64())
	groups := Load(Param("groups"), GP64())
	forWidths(Load(Param("vectors"), GP64()), func(m int) {
		third := GP64()
		loop(groups, 1, func() {
			LEAQ(Mem{Base: w, Index: ldw, Scale: 2}, third)
			for v := range m {
				at := func(s int) Mem { return Mem{Base: table, Disp: 32 * (s*m + v)} }
				var t [8]V
				t[0] = YMM()
				VXORPS(t[0], t[0], t[0])
				t[1] = load(Mem{Base: w, Disp: 32 * v})
				t[2] = load(Mem{Base: w, Index: ldw, Scale: 1, Disp: 32 * v})
				t[4] = load(Mem{Base: third, Disp: 32 * v})
				last := load(Mem{Base: third, Index: ldw, Scale: 1, Disp: 32 * v})
				t[3] = adds(t[1], t[2])
				for s := 5; s < 8; s++ {
					t[s] = adds(t[s-4], t[4])
				}
				for s := range t {
					VMOVUPS(t[s], at(s))
				}
				VMOVUPS(last, at(8))
				for s := 1; s < 8; s++ {
					VMOVUPS(adds(t[s], last), at(8+s))
				}
			}
			LEAQ(Mem{Base: w, Index: ldw, Scale: 4}, w)
			ADDQ(U32(512*m), table)
		})
	})
}

func addSelected() {
	TEXT("addSelected32AVX2", NOSPLIT, "func(dst *float32, ldd int, units *byte, ldu, rows int, table *float32, count, vectors int)")
	Doc("addSelected32AVX2 adds to each of rows rows of dst one selection of every group of the",
		"table, two groups for each of count bytes of units. Rows of dst are ldd bytes",
		"apart, rows of units ldu. rows and count are positive.")
	Pragma("noescape")
	dst, ldd := Load(Param("dst"), GP64()), Load(Param("ldd"), GP64())
	units, ldu := Load(Param("units"), GP64()), Load(Param("ldu"), GP64())
	rows, table, count := Load(Param("rows"), GP64()), Load(Param("table"), GP64()), Load(Param("count"), GP64())
	forWidths(Load(Param("vectors"), GP64()), func(m int) {
		shift := map[int]uint64{1: 5, 2: 6, 4: 7, 8: 8}[m]
		p, t, left := GP64(), GP64(), GP64()
		loop(rows, 1, func() {
			sum := make([]V, m)
			for v := range sum {
				sum[v] = load(Mem{Base: dst, Disp: 32 * v})
			}
			MOVQ(units, p)
			MOVQ(table, t)
			MOVQ(count, left)
			loop(left, 1, func() {
				low, high := GP64(), GP64()
				MOVBQZX(Mem{Base: p}, low)
				MOVQ(low, high)
				ANDQ(Imm(15), low)
				SHRQ(Imm(4), high)
				SHLQ(Imm(shift), low)
				SHLQ(Imm(shift), high)
				for v := range sum {
					VADDPS(Mem{Base: t, Index: low, Scale: 1, Disp: 32 * v}, sum[v], sum[v])
				}
				for v := range sum {
					VADDPS(Mem{Base: t, Index: high, Scale: 1, Disp: 512*m + 32*v}, sum[v], sum[v])
				}
				ADDQ(U32(1024*m), t)
				INCQ(p)
			})
			for v := range sum {
				VMOVUPS(sum[v], Mem{Base: dst, Disp: 32 * v})
			}
			ADDQ(ldd, dst)
			ADDQ(ldu, units)
		})
	})
}
