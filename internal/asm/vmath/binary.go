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
	TEXT("selections32AVX2", NOSPLIT, "func(base, table, w *float32, ldw, groups, vectors int)")
	Doc("selections32AVX2 writes, for every group of four rows of w, which are ldw bytes",
		"apart, the eight sums h3 +- h2 +- h1 +- h0 of their halves, each of 1, 2, 4 or 8",
		"vectors, and adds the last of them to base.")
	Pragma("noescape")
	base, table := Load(Param("base"), GP64()), Load(Param("table"), GP64())
	w, ldw := Load(Param("w"), GP64()), Load(Param("ldw"), GP64())
	groups, half := Load(Param("groups"), GP64()), load(nums(0.5))
	forWidths(Load(Param("vectors"), GP64()), func(m int) {
		third := GP64()
		loop(groups, 1, func() {
			LEAQ(Mem{Base: w, Index: ldw, Scale: 2}, third)
			for v := range m {
				at := func(s int) Mem { return Mem{Base: table, Disp: 32 * (s*m + v)} }
				h0, h1 := muls(half, Mem{Base: w, Disp: 32 * v}), muls(half, Mem{Base: w, Index: ldw, Scale: 1, Disp: 32 * v})
				h2, h3 := muls(half, Mem{Base: third, Disp: 32 * v}), muls(half, Mem{Base: third, Index: ldw, Scale: 1, Disp: 32 * v})
				down, up := subs(h3, h2), adds(h3, h2)
				for s, t := range [4]V{subs(down, h1), adds(down, h1), subs(up, h1), adds(up, h1)} {
					VMOVUPS(subs(t, h0), at(2*s))
					t = adds(t, h0)
					VMOVUPS(t, at(2*s+1))
					if s == 3 {
						VMOVUPS(adds(t, Mem{Base: base, Disp: 32 * v}), Mem{Base: base, Disp: 32 * v})
					}
				}
			}
			LEAQ(Mem{Base: w, Index: ldw, Scale: 4}, w)
			ADDQ(U32(256*m), table)
		})
	})
}

func addSelected() {
	sign := GLOBL("signOfSelection", RODATA|NOPTR)
	for s := range 16 {
		one := uint32(0x3f800000)
		if s < 8 {
			one |= 1 << 31
		}
		DATA(4*s, U32(one))
	}
	TEXT("addSelected32AVX2", NOSPLIT, "func(dst *float32, ldd int, from *float32, ldf int, units *byte, ldu, rows int, base, table *float32, count, vectors int)")
	Doc("addSelected32AVX2 writes into each of rows rows of dst the sum of a row of from, of",
		"base, and of one sum of every group of the table or its negative, two groups for",
		"each of count bytes of units. Rows of dst are ldd bytes apart, rows of from ldf,",
		"rows of units ldu. rows and count are positive.")
	Pragma("noescape")
	dst, ldd := Load(Param("dst"), GP64()), Load(Param("ldd"), GP64())
	from, ldf := Load(Param("from"), GP64()), Load(Param("ldf"), GP64())
	units, ldu := Load(Param("units"), GP64()), Load(Param("ldu"), GP64())
	rows, signs := Load(Param("rows"), GP64()), GP64()
	LEAQ(sign, signs)
	forWidths(Load(Param("vectors"), GP64()), func(m int) {
		shift := map[int]uint64{1: 5, 2: 6, 4: 7, 8: 8}[m]
		p, t, left := GP64(), GP64(), GP64()
		loop(rows, 1, func() {
			sum := make([]V, m)
			Load(Param("base"), t)
			for v := range sum {
				sum[v] = adds(load(Mem{Base: from, Disp: 32 * v}), Mem{Base: t, Disp: 32 * v})
			}
			MOVQ(units, p)
			Load(Param("table"), t)
			Load(Param("count"), left)
			loop(left, 1, func() {
				pick := [2]reg.GPVirtual{GP64(), GP64()}
				MOVBQZX(Mem{Base: p}, pick[0])
				MOVQ(pick[0], pick[1])
				ANDQ(Imm(15), pick[0])
				SHRQ(Imm(4), pick[1])
				for g, pick := range pick {
					one, row := YMM(), GP64()
					VBROADCASTSS(Mem{Base: signs, Index: pick, Scale: 4}, one)
					// pick - 8, or 7 - pick if that is negative
					MOVQ(pick, row)
					SHRQ(Imm(3), row)
					DECQ(row)
					XORQ(pick, row)
					ANDQ(Imm(7), row)
					SHLQ(Imm(shift), row)
					for v := range sum {
						VFMADD231PS(Mem{Base: t, Index: row, Scale: 1, Disp: 256*m*g + 32*v}, one, sum[v])
					}
				}
				ADDQ(U32(512*m), t)
				INCQ(p)
			})
			for v := range sum {
				VMOVUPS(sum[v], Mem{Base: dst, Disp: 32 * v})
			}
			ADDQ(ldd, dst)
			ADDQ(ldf, from)
			ADDQ(ldu, units)
		})
	})
}
