package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
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

	adam("adam32", "float32", 8, adamOps{VBROADCASTSS, VMULPS, VFMADD231PS, VFMSUB231PS, VSUBPS, VSQRTPS, VDIVPS})
	adam("adam64", "float64", 4, adamOps{VBROADCASTSD, VMULPD, VFMADD231PD, VFMSUB231PD, VSUBPD, VSQRTPD, VDIVPD})

	squares32()
	bernoulli32()
}

type adamOps struct {
	broadcast func(ops ...Op)
	mul       func(ops ...Op)
	fma       func(ops ...Op)
	fms       func(ops ...Op)
	sub       func(ops ...Op)
	sqrt      func(ops ...Op)
	div       func(ops ...Op)
}

func adam(name, typ string, group uint64, p adamOps) {
	TEXT(name+"AVX2", NOSPLIT, fmt.Sprintf("func(theta, m, v, grad *%[1]s, step *[8]%[1]s, n int) bool", typ))
	Doc(fmt.Sprintf("%sAVX2 works on n elements, n a multiple of %d, and reports whether all of", name, group),
		"theta and v are finite.")
	Pragma("noescape")
	theta, m, v := Load(Param("theta"), GP64()), Load(Param("m"), GP64()), Load(Param("v"), GP64())
	grad, step, n := Load(Param("grad"), GP64()), Load(Param("step"), GP64()), Load(Param("n"), GP64())
	var c [8]V
	for i := range c {
		c[i] = YMM()
		p.broadcast(Mem{Base: step, Disp: i * 32 / int(group)}, c[i])
	}
	beta1, rest1, beta2, rest2, root, eps, rate, keep := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	odd := YMM()
	VXORPS(odd, odd, odd)
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
		for _, x := range []V{vv, mv} {
			p.sub(x, x, x) // 0 unless x is not finite
			VORPS(x, odd, odd)
		}
		for _, r := range []Op{theta, m, v, grad} {
			ADDQ(Imm(32), r)
		}
	})
	VPTEST(odd, odd)
	SETEQ(mustAddr(ReturnIndex(0)))
	finish()
}

func mustAddr(c gotypes.Component) Op {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// squares32 keeps sixteen sums of float64.
func squares32() {
	TEXT("squares32AVX2", NOSPLIT, "func(acc *[16]float64, x *float32, n int)")
	Doc("squares32AVX2 adds the squares of n elements, n a multiple of 16.")
	Pragma("noescape")
	acc, x, n := Load(Param("acc"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	var sums [4]V
	for i := range sums {
		sums[i] = load(Mem{Base: acc, Disp: 32 * i})
	}
	loop(n, 16, func() {
		for i := range sums {
			v := YMM()
			VCVTPS2PD(Mem{Base: x, Disp: 16 * i}, v)
			VFMADD231PD(v, v, sums[i])
		}
		ADDQ(Imm(64), x)
	})
	for i := range sums {
		VMOVUPD(sums[i], Mem{Base: acc, Disp: 32 * i})
	}
	finish()
}

func bernoulli32() {
	TEXT("bernoulli32AVX2", NOSPLIT, "func(sums *[4]float64, dy, x, y, sp *float32, w float32, n int)")
	Doc("bernoulli32AVX2 works on n elements, n a multiple of 4.")
	Pragma("noescape")
	dy, x := Load(Param("dy"), GP64()), Load(Param("x"), GP64())
	y, sp := Load(Param("y"), GP64()), Load(Param("sp"), GP64())
	sums, n := Load(Param("sums"), GP64()), Load(Param("n"), GP64())
	w := XMM()
	VBROADCASTSS(mustAddr(Param("w")), w)
	sum := load(Mem{Base: sums})
	loop(n, 4, func() {
		xv, t, wide, d := XMM(), XMM(), YMM(), XMM()
		VMOVUPS(Mem{Base: x}, xv)
		VMULPS(Mem{Base: y}, xv, t)
		VSUBPS(Mem{Base: sp}, t, t)
		VCVTPS2PD(t, wide)
		VADDPD(wide, sum, sum)
		VMOVUPS(Mem{Base: dy}, d)
		VSUBPS(xv, d, d)
		VMULPS(w, d, d)
		VMOVUPS(d, Mem{Base: dy})
		for _, r := range []Op{dy, x, y, sp} {
			ADDQ(Imm(16), r)
		}
	})
	VMOVUPD(sum, Mem{Base: sums})
	finish()
}

// dotRows32 keeps one register of sums for each of four rows.
func dotRows32() {
	TEXT("dotRows32AVX2", NOSPLIT, "func(dst *float32, ldd int, a *float32, lda int, w *float32, rows, k int)")
	Doc("dotRows32AVX2 works on a positive number of rows and on k elements, k a positive",
		"multiple of 8; ldd and lda are in bytes.")
	Pragma("noescape")
	dst, ldd := Load(Param("dst"), GP64()), Load(Param("ldd"), GP64())
	a, lda := Load(Param("a"), GP64()), Load(Param("lda"), GP64())
	w, rows, k := Load(Param("w"), GP64()), Load(Param("rows"), GP64()), Load(Param("k"), GP64())
	lda3 := GP64()
	LEAQ(Mem{Base: lda, Index: lda, Scale: 2}, lda3)
	for _, group := range []int{4, 1} {
		top, end := label("rows"), label("end")
		CMPQ(rows, Imm(uint64(group)))
		JL(LabelRef(end))
		Label(top)
		sums := make([]V, group)
		for i := range sums {
			sums[i] = YMM()
			VXORPS(sums[i], sums[i], sums[i])
		}
		p, x, n := GP64(), GP64(), GP64()
		MOVQ(w, p)
		MOVQ(a, x)
		MOVQ(k, n)
		loop(n, 8, func() {
			v := load(Mem{Base: p})
			for i := range sums {
				m := Mem{Base: x}
				switch i {
				case 1, 2:
					m.Index, m.Scale = lda, uint8(i)
				case 3:
					m.Index, m.Scale = lda3, 1
				}
				accs(v, m, sums[i])
			}
			ADDQ(Imm(32), p)
			ADDQ(Imm(32), x)
		})
		for i := range sums {
			s, t := sums[i].AsX(), XMM()
			VEXTRACTF128(Imm(1), sums[i], t)
			VADDPS(t, s, s)
			VPERMILPS(U8(0x4e), s, t)
			VADDPS(t, s, s)
			VPERMILPS(U8(0xb1), s, t)
			VADDSS(t, s, s)
			VMOVSS(s, Mem{Base: dst})
			ADDQ(ldd, dst)
			ADDQ(lda, a)
		}
		SUBQ(Imm(uint64(group)), rows)
		CMPQ(rows, Imm(uint64(group)))
		JGE(LabelRef(top))
		Label(end)
	}
	finish()
}
