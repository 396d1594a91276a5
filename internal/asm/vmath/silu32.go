package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// SiLU32 of vmath. Its chain of dependent operations is some 60 cycles long, more
// than a processor looks ahead in one vector's code after another's: vectors are
// done side by side, instruction by instruction.

// silu32Vector is the work on one vector, at disp bytes from x, y and dy.
type silu32Vector struct {
	x, y, dy             reg.Register
	disp                 int
	c, m, t, r, r2, a, b V
}

func (w *silu32Vector) steps(derivative bool) []func() {
	at := func(p reg.Register) Mem { return Mem{Base: p, Disp: w.disp} }
	s := []func(){
		func() { w.m = load(nums(-87)) },
		func() { VMAXPS(at(w.x), w.m, w.m) },
		func() { w.c = mins(w.m, 87) },
		func() { w.t = load(nums(0x1.8p23)) },
		func() { accs(w.c, nums(-0x1.715476p+0), w.t) },
		func() { w.a = subs(w.t, nums(0x1.8p23)) },
		func() { w.r = YMM(); VMOVAPS(w.c, w.r) },
		func() { accs(w.a, nums(0x1.62e43p-1), w.r) },
		func() { accs(w.a, nums(-0x1.05c61p-29), w.r) },
		func() { w.r2 = muls(w.r, w.r) },
		func() { w.b = load(nums(e32[2])) },
		func() { accs(w.r, nums(-e32[3]), w.b) },
		func() { w.a = load(nums(e32[0])) },
		func() { accs(w.r, nums(-e32[1]), w.a) },
		func() { accs(w.r2, nums(e32[4]), w.b) },
		func() { accs(w.b, w.r2, w.a) },
		func() { w.b = load(nums(-1)) },
		func() { accs(w.a, w.r, w.b) },
		func() { w.a = load(nums(1)) },
		func() { accs(w.b, w.r, w.a) },
		func() { VPSLLD(U8(23), w.t, w.t) },
		func() { VPADDD(w.t, w.a, w.a) }, // e^-x
		func() { w.b = adds(w.a, nums(1)) },
		func() { w.t = load(nums(1)) },
		func() { VDIVPS(w.b, w.t, w.t) }, // the sigmoid
		func() { VMULPS(w.m, w.t, w.m) },
		func() { VMOVUPS(w.m, at(w.y)) },
	}
	if derivative {
		s = append(s,
			func() { VMULPS(w.t, w.a, w.a) },
			func() { VMULPS(w.t, w.c, w.c) },
			func() { VFMADD231PS(w.a, w.c, w.t) },
			func() { VMOVUPS(w.t, at(w.dy)) })
	}
	return s
}

func mins(a V, hi float32) V { v := YMM(); VMINPS(a, load(nums(hi)), v); return v }

func silu32() {
	TEXT("silu32AVX2", NOSPLIT, "func(y, dy, x *float32, n int)")
	Doc("silu32AVX2 works on n elements, n a multiple of 8; dy may be nil.")
	Pragma("noescape")
	y, dy, x := Load(Param("y"), GP64()), Load(Param("dy"), GP64()), Load(Param("x"), GP64())
	n := Load(Param("n"), GP64())
	TESTQ(dy, dy)
	JZ(LabelRef("alone"))
	silu32Loops(y, dy, x, n, true)
	finish()
	Label("alone")
	silu32Loops(y, dy, x, n, false)
	finish()
}

func silu32Loops(y, dy, x, n reg.Register, derivative bool) {
	for _, side := range []int{sideBySide, 1} {
		top, end := label("loop"), label("end")
		CMPQ(n, Imm(uint64(8*side)))
		JL(LabelRef(end))
		Label(top)
		var all [][]func()
		for i := range side {
			w := &silu32Vector{x: x, y: y, dy: dy, disp: 32 * i}
			all = append(all, w.steps(derivative))
		}
		for k := range all[0] {
			for i := range side {
				all[i][k]()
			}
		}
		Comment(fmt.Sprint(side, " vectors"))
		ADDQ(Imm(uint64(32*side)), x)
		ADDQ(Imm(uint64(32*side)), y)
		if derivative {
			ADDQ(Imm(uint64(32*side)), dy)
		}
		SUBQ(Imm(uint64(8*side)), n)
		CMPQ(n, Imm(uint64(8*side)))
		JGE(LabelRef(top))
		Label(end)
	}
}

const sideBySide = 2
