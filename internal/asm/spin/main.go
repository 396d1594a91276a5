// Command spin writes the AVX2 kernel of ebmkit/spin's Lattice.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	turn()
	Generate()
}

func vec(f func(a, b, v Op), a, b Op) reg.VecVirtual {
	v := YMM()
	f(a, b, v)
	return v
}

func xor(a, b Op) reg.VecVirtual { return vec(func(a, b, v Op) { VPXOR(a, b, v) }, a, b) }
func and(a, b Op) reg.VecVirtual { return vec(func(a, b, v Op) { VPAND(a, b, v) }, a, b) }
func or(a, b Op) reg.VecVirtual  { return vec(func(a, b, v Op) { VPOR(a, b, v) }, a, b) }

// without returns a &^ b.
func without(a, b Op) reg.VecVirtual { return vec(func(a, b, v Op) { VPANDN(a, b, v) }, a, b) }

// unrolled is the constant early of package spin.
const unrolled = 8

func turn() {
	TEXT("turnAVX2", NOSPLIT, "func(own, above, here, below, side *uint64, groups int, digits *[64][2]uint64, against uint64, heatBath bool, random *uint64, rounds int) (done, used int)")
	Doc(
		"turnAVX2 updates groups of four words as rule.turn does, and stops when fewer",
		"than 64 of the rounds of random words are left. It returns how many groups it",
		"updated and how many rounds it used.")
	Pragma("noescape")
	own := Load(Param("own"), GP64())
	above := Load(Param("above"), GP64())
	here := Load(Param("here"), GP64())
	below := Load(Param("below"), GP64())
	side := Load(Param("side"), GP64())
	groups := Load(Param("groups"), GP64())
	digits := Load(Param("digits"), GP64())
	random := Load(Param("random"), GP64())
	spare := Load(Param("rounds"), GP64())
	heatBath := Load(Param("heatBath"), GP8())
	against := YMM()
	VPBROADCASTQ(NewParamAddr("against", 56), against)
	ones := YMM()
	VPCMPEQD(ones, ones, ones)

	Comment("at is the place in the arrays, in bytes; spare the rounds left beyond 64")
	SHLQ(Imm(5), groups)
	SUBQ(Imm(64), spare)
	start := GP64()
	MOVQ(random, start)
	at := GP64()
	XORQ(at, at)

	Label("group")
	CMPQ(at, groups)
	JGE(LabelRef("end"))
	TESTQ(spare, spare)
	JS(LabelRef("end"))

	Comment("c0 + 2 c1 + 4 c2 neighbours are up")
	word := func(p reg.Register) Mem { return Mem{Base: p, Index: at, Scale: 1} }
	load := func(p reg.Register) reg.VecVirtual {
		v := YMM()
		VMOVDQU(word(p), v)
		return v
	}
	p, q, s, t := load(above), load(below), load(here), load(side)
	odd, even, both, pair := xor(p, q), xor(s, t), and(p, q), and(s, t)
	c0 := xor(odd, even)
	c1 := xor(xor(both, pair), and(odd, even))
	c2 := and(both, pair)
	major := xor(or(c2, and(c1, c0)), against)
	four := xor(or(c0, c1), ones)
	tie := without(c1, c0)
	open := xor(tie, ones)
	rare := YMM()
	VPXOR(rare, rare, rare)

	digit := func(d Mem, j int) reg.VecVirtual {
		v := YMM()
		VPBROADCASTQ(d.Offset(8*j), v)
		return v
	}
	round := func(d, u Mem) {
		p := or(and(c0, digit(d, 0)), and(four, digit(d, 1)))
		decided := YMM()
		VPXOR(u, p, decided)
		VPAND(open, decided, decided)
		VPXOR(decided, open, open)
		VPAND(decided, p, p)
		VPOR(p, rare, rare)
	}
	first := YMM()
	VMOVDQU(Mem{Base: random}, first)
	for i := range unrolled {
		round(Mem{Base: digits, Disp: 16 * i}, Mem{Base: random, Disp: 32 * i})
	}
	ADDQ(U32(32*unrolled), random)
	SUBQ(Imm(unrolled), spare)
	d, left := GP64(), GP64()
	LEAQ(Mem{Base: digits, Disp: 16 * unrolled}, d)
	MOVQ(U32(64-unrolled), left)

	Label("round")
	VPTEST(open, open)
	JZ(LabelRef("drawn"))
	round(Mem{Base: d}, Mem{Base: random})
	ADDQ(Imm(16), d)
	ADDQ(Imm(32), random)
	DECQ(spare)
	DECQ(left)
	JNZ(LabelRef("round"))

	Label("drawn")
	TESTB(heatBath, heatBath)
	JZ(LabelRef("metropolis"))
	Comment("spins with a tie have not used their bits of the first word")
	up := xor(xor(without(major, tie), rare), and(first, tie))
	VMOVDQU(up, word(own))
	ADDQ(Imm(32), at)
	JMP(LabelRef("group"))

	Label("metropolis")
	Comment("with the minority or a tie a spin always turns")
	x := load(own)
	up = xor(x, or(or(tie, without(xor(x, major), tie)), rare))
	VMOVDQU(up, word(own))
	ADDQ(Imm(32), at)
	JMP(LabelRef("group"))

	Label("end")
	SHRQ(Imm(5), at)
	Store(at, ReturnIndex(0))
	SUBQ(start, random)
	SHRQ(Imm(5), random)
	Store(random, ReturnIndex(1))
	VZEROUPPER()
	RET()
}
