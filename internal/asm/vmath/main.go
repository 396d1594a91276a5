// Command vmath writes the AVX2 kernels of internal/vmath. Each kernel
// is the scalar function of that package, operation by operation, on four
// float64 at a time; names of constants and variables agree.
package main

import (
	"math"
	"strconv"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")

	unary("exp", exp)
	unary("expm1", func(x V) V {
		return pick(cmp(abs(x), lt, num(0x1p-54)), x, expm1(clamp(x, -50, 710)))
	})
	unary("log", log)
	unary("log1p", log1p)
	unary("tanh", tanh)
	unary("sigmoid", sigmoid)
	unary("softplus", softplus)
	sinCosSlice()
	dot()
	sum()
	axpy()
	axpyScaled()
	subtract()
	diagonal(false)
	diagonal(true)
	tridiagonal(false)
	tridiagonal(true)
	largest()
	sumExp()
	words()
	uniforms()
	exponentials()
	normals()
	mixture2(false)
	mixture2(true)
	activations()
	network()
	silu32()
	dotRows32()
	binary()
	convert()

	Generate()
}

// V is four float64 or four uint64.
type V = reg.VecVirtual

// Constants: one 32-byte memory operand each, shared by all kernels.

var constants = map[uint64]Mem{}

func bits(b uint64) Mem {
	m, ok := constants[b]
	if !ok {
		m = GLOBL("c"+strconv.FormatUint(b, 16), RODATA|NOPTR)
		for i := range 4 {
			DATA(8*i, U64(b))
		}
		constants[b] = m
	}
	return m
}

func num(x float64) Mem { return bits(math.Float64bits(x)) }

func load(m Op) V {
	v := YMM()
	VMOVUPD(m, v)
	return v
}

// broadcast returns a float64 parameter in all elements.
func broadcast(param string) V {
	b, err := Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	v := YMM()
	VBROADCASTSD(b.Addr, v)
	return v
}

// Arithmetic in the order of the formula.

func add(a V, b Op) V { v := YMM(); VADDPD(b, a, v); return v }
func sub(a V, b Op) V { v := YMM(); VSUBPD(b, a, v); return v }
func mul(a V, b Op) V { v := YMM(); VMULPD(b, a, v); return v }
func div(a V, b Op) V { v := YMM(); VDIVPD(b, a, v); return v }
func and(a V, b Op) V { v := YMM(); VANDPD(b, a, v); return v }
func or(a V, b Op) V  { v := YMM(); VORPD(b, a, v); return v }
func xor(a V, b Op) V { v := YMM(); VXORPD(b, a, v); return v }

func iadd(a V, b Op) V     { v := YMM(); VPADDQ(b, a, v); return v }
func isub(a V, b Op) V     { v := YMM(); VPSUBQ(b, a, v); return v }
func shl(a V, n uint64) V  { v := YMM(); VPSLLQ(U8(n), a, v); return v }
func shr(a V, n uint64) V  { v := YMM(); VPSRLQ(U8(n), a, v); return v }
func rotl(a V, n uint64) V { return or(shl(a, n), shr(a, 64-n)) }

// acc returns a*b + c, overwriting c.
func acc(a V, b Op, c V) V { VFMADD231PD(b, a, c); return c }

// fma returns a*b + c, c in memory, overwriting a.
func fma(a, b V, c Op) V { VFMADD213PD(c, b, a); return a }

// poly returns c[0] + c[1] z + ... by pairs of coefficients, as the scalar code
// does: the last coefficients join with an even power.
func pair(lo, hi float64, z V) V { return acc(z, num(hi), load(num(lo))) }

// pick returns mask ? a : b for each element (its sign bit counts).
func pick(mask V, a Op, b V) V { v := YMM(); VBLENDVPD(mask, a, b, v); return v }

// compare predicates, ordered and quiet
const (
	eq        = 0
	unordered = 3
	lt        = 17
	le        = 18
	ge        = 29
)

func cmp(a V, pred uint64, b Op) V { v := YMM(); VCMPPD(U8(pred), b, a, v); return v }

// clamp returns min(max(x, lo), hi), and x where x is NaN.
func clamp(x V, lo, hi float64) V {
	v := YMM()
	VMAXPD(x, load(num(lo)), v)
	w := YMM()
	VMINPD(v, load(num(hi)), w)
	return w
}

func abs(x V) V         { return and(x, bits(1<<63-1)) }
func copysign(m, x V) V { return or(and(m, bits(1<<63-1)), and(x, bits(1<<63))) }

// Rare branches are written after the RET of their kernel.

var (
	rare   []func()
	labels int
)

func label(s string) string {
	labels++
	return s + strconv.Itoa(labels)
}

func flushRare() {
	for len(rare) > 0 {
		f := rare[0]
		rare = rare[1:]
		f()
	}
}

// unlessAll returns usual(), or unusual() if some element of mask is clear.
func unlessAll(mask V, usual, unusual func() V) V {
	slow, done := label("rare"), label("join")
	m := GP32()
	VMOVMSKPD(mask, m)
	CMPL(m, Imm(15))
	JNE(LabelRef(slow))
	r := YMM()
	VMOVAPD(usual(), r)
	Label(done)
	rare = append(rare, func() {
		Label(slow)
		VMOVAPD(unusual(), r)
		JMP(LabelRef(done))
	})
	return r
}

// loop runs body over n elements, step at a time; body advances its pointers.
func loop(n reg.Register, step uint64, body func()) {
	top, end := label("loop"), label("end")
	TESTQ(n, n)
	JZ(LabelRef(end))
	Label(top)
	body()
	SUBQ(Imm(step), n)
	JNZ(LabelRef(top))
	Label(end)
}

func unary(name string, f func(x V) V) {
	TEXT(name+"AVX2", NOSPLIT, "func(dst, x *float64, n int)")
	Doc(name + "AVX2 works on n elements, n a multiple of 4.")
	Pragma("noescape")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	loop(n, 4, func() {
		VMOVUPD(f(load(Mem{Base: x})), Mem{Base: dst})
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), dst)
	})
	finish()
}

func finish() {
	VZEROUPPER()
	RET()
	flushRare()
}

// exp.go

const (
	log2e      = 0x1.71547652b82fep+0
	ln2Hi      = 0x1.62e42feep-1
	ln2Lo      = 0x1.a39ef35793c76p-33
	roundMagic = 0x1.8p52
	kBias      = 0x4338000000000000
)

var e = [...]float64{
	0x1.0000000000001p-1, 0x1.5555555555556p-3, 0x1.5555555553d63p-5, 0x1.11111111109b3p-7,
	0x1.6c16c1788bd90p-10, 0x1.a01a01a7c41d5p-13, 0x1.a019b90d2ae7ap-16, 0x1.71de0dae63bb3p-19,
	0x1.289185613a3d6p-22, 0x1.af38a9b0ec855p-26,
}

func expReduce(x V) (kbits, em1 V) {
	t := acc(x, num(log2e), load(num(roundMagic)))
	k := sub(t, num(roundMagic))
	r := YMM()
	VMOVAPD(x, r)
	r = acc(k, num(-ln2Hi), r)
	r = acc(k, num(-ln2Lo), r)
	r2 := mul(r, r)
	r4 := mul(r2, r2)
	a0 := pair(e[0], e[1], r)
	a1 := pair(e[2], e[3], r)
	a2 := pair(e[4], e[5], r)
	a3 := pair(e[6], e[7], r)
	a4 := pair(e[8], e[9], r)
	b0 := acc(a1, r2, a0)
	b1 := acc(a3, r2, a2)
	b1 = acc(a4, r4, b1)
	b0 = acc(b1, r4, b0)
	return t, acc(b0, r2, r)
}

func exp(x V) V {
	return unlessAll(cmp(abs(x), le, num(708)),
		func() V {
			k, em1 := expReduce(x)
			return iadd(shl(k, 52), add(em1, num(1)))
		},
		func() V {
			kbits, em1 := expReduce(clamp(x, -746, 710))
			k := isub(kbits, bits(kBias-2048))
			h := shr(k, 1)
			one := load(bits(1))
			p := mul(add(em1, num(1)), shl(isub(h, one), 52))
			return mul(p, shl(isub(isub(k, h), one), 52))
		})
}

func expm1(x V) V {
	k, em1 := expReduce(x)
	h := iadd(shl(k, 52), bits(1022<<52))
	v := acc(h, em1, sub(h, num(0.5)))
	return add(v, v)
}

func tanh(x V) V {
	a := abs(x)
	y := YMM()
	VMINPD(add(a, a), load(num(44)), y)
	e := expm1(y)
	return copysign(div(e, add(e, num(2))), x)
}

func sigmoid(x V) V {
	e := exp(or(x, bits(1<<63)))
	top := pick(cmp(x, ge, num(0)), num(1), e)
	return div(top, add(e, num(1)))
}

func softplus(x V) V {
	e := exp(or(x, bits(1<<63)))
	up := YMM()
	VMAXPD(x, load(num(0)), up)
	return add(log1pFinite(e), up)
}

// log.go

const (
	sqrtHalfBits = 0x3fe6a09e667f3bcd
	oneBits      = 0x3ff0000000000000
	mantissa     = 0x000fffffffffffff
	intMagic     = 0x1p52
	intMagicBits = 0x4330000000000000
	minNormal    = 0x1p-1022
)

var l = [...]float64{
	0x1.5555555555558p-1, 0x1.99999999952e2p-2, 0x1.2492492df148dp-2, 0x1.c71c62e5800a1p-3,
	0x1.7462b4ab2ef6bp-3, 0x1.39fe606542ddep-3, 0x1.2b584aae78a57p-3,
}

func logNormal(x V, bias Op) V {
	ix := iadd(x, bits(oneBits-sqrtHalfBits))
	k := sub(or(shr(ix, 52), bits(intMagicBits)), bias)
	f := sub(iadd(and(ix, bits(mantissa)), bits(sqrtHalfBits)), num(1))
	s := div(f, add(f, num(2)))
	z := mul(s, s)
	z2 := mul(z, z)
	a0 := pair(l[0], l[1], z)
	a1 := pair(l[2], l[3], z)
	a2 := pair(l[4], l[5], z)
	a2 = acc(z2, num(l[6]), a2)
	a1 = acc(a2, z2, a1)
	a0 = acc(a1, z2, a0)
	half := mul(mul(f, num(0.5)), f)
	h := YMM()
	VMOVAPD(half, h)
	t := acc(a0, z, h)
	t = acc(k, num(ln2Lo), mul(s, t))
	return acc(k, num(ln2Hi), sub(f, sub(half, t)))
}

func log(x V) V {
	normal := and(cmp(x, ge, num(minNormal)), cmp(x, le, num(math.MaxFloat64)))
	return unlessAll(normal,
		func() V { return logNormal(x, num(intMagic+1023)) },
		func() V {
			small := cmp(x, lt, num(minNormal))
			r := logNormal(pick(small, mul(x, num(0x1p54)), x),
				pick(small, num(intMagic+1023+54), load(num(intMagic+1023))))
			r = pick(cmp(x, le, num(math.MaxFloat64)), r, x) // +Inf and NaN
			r = pick(cmp(x, eq, num(0)), num(math.Inf(-1)), r)
			return pick(cmp(x, lt, num(0)), num(math.NaN()), r)
		})
}

func log1pFinite(x V) V {
	u := add(x, num(1))
	b := sub(u, num(1))
	c := add(sub(load(num(1)), sub(u, b)), sub(x, b))
	return add(logNormal(u, num(intMagic+1023)), div(c, u))
}

func log1p(x V) V {
	finite := and(cmp(x, 30, num(-1)), cmp(x, le, num(math.MaxFloat64)))
	return unlessAll(finite,
		func() V { return copysign(log1pFinite(x), x) },
		func() V {
			r := copysign(log1pFinite(x), x)
			r = pick(cmp(x, le, num(math.MaxFloat64)), r, x)
			r = pick(cmp(x, eq, num(-1)), num(math.Inf(-1)), r)
			return pick(cmp(x, lt, num(-1)), num(math.NaN()), r)
		})
}

// trig.go

var s = [...]float64{
	0x1.921fb54442d18p+2, -0x1.4abbce625be41p+5, 0x1.466bc677587f8p+6, -0x1.32d2cce2e5b19p+6,
	0x1.50782fda12d96p+5, -0x1.e30071afc3e59p+3, 0x1.e3f38399551bfp+1,
}

var c = [...]float64{
	-0x1.3bd3cc9be45dep+4, 0x1.03c1f081b5ac0p+6, -0x1.55d3c7e3cb241p+6, 0x1.e1f5068688d5bp+5,
	-0x1.a6d1eef479be1p+4, 0x1.f9ce245cada0bp+2, -0x1.b2f3eb054afcdp+0,
}

func sinCosTurn(u V) (sin, cos V) {
	m := acc(u, num(4), load(num(roundMagic)))
	t := acc(sub(m, num(roundMagic)), num(-0.25), u)
	z := mul(t, t)
	z2 := mul(z, z)
	half := func(c []float64) V {
		a0 := pair(c[0], c[1], z)
		a1 := pair(c[2], c[3], z)
		a2 := pair(c[4], c[5], z)
		a2 = acc(z2, num(c[6]), a2)
		a1 = acc(a2, z2, a1)
		return acc(a1, z2, a0)
	}
	si := mul(half(s[:]), t)
	co := fma(half(c[:]), z, num(1))
	swap := shl(m, 63)
	sin = pick(swap, co, si)
	cos = pick(swap, si, co)
	sign := bits(1 << 63)
	sin = xor(sin, and(shl(m, 62), sign))
	cos = xor(cos, and(shl(iadd(m, bits(1)), 62), sign))
	return sin, cos
}

func sinCosSlice() {
	TEXT("sinCosAVX2", NOSPLIT, "func(sin, cos, u *float64, n int)")
	Doc("sinCosAVX2 works on n elements, n a multiple of 4.")
	Pragma("noescape")
	sin, cos := Load(Param("sin"), GP64()), Load(Param("cos"), GP64())
	u, n := Load(Param("u"), GP64()), Load(Param("n"), GP64())
	loop(n, 4, func() {
		x := load(Mem{Base: u})
		whole := YMM()
		VROUNDPD(Imm(8), x, whole) // to nearest even
		si, co := sinCosTurn(sub(x, whole))
		VMOVUPD(si, Mem{Base: sin})
		VMOVUPD(co, Mem{Base: cos})
		ADDQ(Imm(32), u)
		ADDQ(Imm(32), sin)
		ADDQ(Imm(32), cos)
	})
	finish()
}

// reduce.go

func lanes(p reg.Register, k int) []V {
	v := make([]V, k)
	for i := range v {
		v[i] = load(Mem{Base: p, Disp: 32 * i})
	}
	return v
}

func storeLanes(v []V, p reg.Register) {
	for i := range v {
		VMOVUPD(v[i], Mem{Base: p, Disp: 32 * i})
	}
}

// reduce16 writes the end of a reduction over n elements, n positive: four
// registers of sums, element i going to sum i mod 16, then their tree.
func reduce16(n reg.Register, add func(v V, disp int), addMasked func(v, mask V, disp int) V, advance func()) {
	v := make([]V, 4)
	for i := range v {
		v[i] = YMM()
		VXORPD(v[i], v[i], v[i])
	}
	whole := GP64()
	MOVQ(n, whole)
	ANDQ(I32(-16), whole)
	loop(whole, 16, func() {
		for i := range v {
			add(v[i], 32*i)
		}
		advance()
	})
	ANDQ(Imm(15), n)
	masks := GP64()
	LEAQ(maskTable(), masks)
	tree := label("tree")
	for i := range 3 {
		few := label("few")
		CMPQ(n, Imm(4))
		JLT(LabelRef(few))
		add(v[i], 32*i)
		SUBQ(Imm(4), n)
		rare = append(rare, func() {
			Label(few)
			partial(n, masks, v[i], 32*i, tree, addMasked)
			JMP(LabelRef(tree))
		})
	}
	partial(n, masks, v[3], 96, tree, addMasked)
	Label(tree)
	VADDPD(v[2], v[0], v[0])
	VADDPD(v[3], v[1], v[1])
	VADDPD(v[1], v[0], v[0])
	high := YMM()
	VEXTRACTF128(Imm(1), v[0], high.AsX())
	VADDPD(high.AsX(), v[0].AsX(), v[0].AsX())
	VPERMILPD(Imm(1), v[0].AsX(), high.AsX())
	VADDSD(high.AsX(), v[0].AsX(), v[0].AsX())
	Store(v[0].AsX(), ReturnIndex(0))
	finish()
}

// partial adds the last n elements to v, or goes to done if n = 0. The lanes
// beyond are left as they are: adding 0 would turn -0 into 0.
func partial(n, masks reg.Register, v V, disp int, done string, addMasked func(v, mask V, disp int) V) {
	TESTQ(n, n)
	JZ(LabelRef(done))
	SHLQ(Imm(5), n)
	mask := load(Mem{Base: masks, Index: n, Scale: 1})
	VBLENDVPD(mask, addMasked(v, mask, disp), v, v)
}

var masks Mem

// maskTable holds, for i = 0 to 3, four elements of which the first i are all
// ones.
func maskTable() Mem {
	if masks.Symbol.Name == "" {
		masks = GLOBL("masks", RODATA|NOPTR)
		for i := range 4 {
			for j := range 4 {
				var b uint64
				if j < i {
					b = math.MaxUint64
				}
				DATA(32*i+8*j, U64(b))
			}
		}
	}
	return masks
}

func loadMasked(mask V, m Mem) V {
	v := YMM()
	VMASKMOVPD(m, mask, v)
	return v
}

func dot() {
	TEXT("dotAVX2", NOSPLIT, "func(x, y *float64, n int) float64")
	Doc("dotAVX2 works on n elements, n positive.")
	Pragma("noescape")
	x, y, n := Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("n"), GP64())
	reduce16(n,
		func(v V, disp int) { acc(load(Mem{Base: x, Disp: disp}), Mem{Base: y, Disp: disp}, v) },
		func(v, mask V, disp int) V {
			t := YMM()
			VMOVAPD(v, t)
			return acc(loadMasked(mask, Mem{Base: x, Disp: disp}), loadMasked(mask, Mem{Base: y, Disp: disp}), t)
		},
		func() {
			ADDQ(Imm(128), x)
			ADDQ(Imm(128), y)
		})
}

func sum() {
	TEXT("sumAVX2", NOSPLIT, "func(x *float64, n int) float64")
	Doc("sumAVX2 works on n elements, n positive.")
	Pragma("noescape")
	x, n := Load(Param("x"), GP64()), Load(Param("n"), GP64())
	reduce16(n,
		func(v V, disp int) { VADDPD(Mem{Base: x, Disp: disp}, v, v) },
		func(v, mask V, disp int) V { return add(v, loadMasked(mask, Mem{Base: x, Disp: disp})) },
		func() { ADDQ(Imm(128), x) })
}

func axpy() {
	TEXT("axpyAVX2", NOSPLIT, "func(y *float64, a float64, x *float64, n int)")
	Doc("axpyAVX2 adds a*x[i] to y[i] for i < n, n a multiple of 4.")
	Pragma("noescape")
	y := Load(Param("y"), GP64())
	x, n := Load(Param("x"), GP64()), Load(Param("n"), GP64())
	av := broadcast("a")
	loop(n, 4, func() {
		v := load(Mem{Base: y})
		acc(av, Mem{Base: x}, v)
		VMOVUPD(v, Mem{Base: y})
		ADDQ(Imm(32), x)
		ADDQ(Imm(32), y)
	})
	finish()
}

func largest() {
	TEXT("maxAVX2", NOSPLIT, "func(acc *[16]float64, x *float64, n int)")
	Doc("maxAVX2 raises acc[i%16] to x[i] for i < n, n a multiple of 16; a NaN anywhere in",
		"x makes one of acc[:4] NaN.")
	Pragma("noescape")
	a, x, n := Load(Param("acc"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	v := lanes(a, 4)
	nan := YMM()
	VXORPD(nan, nan, nan)
	loop(n, 16, func() {
		for i := range v {
			w := load(Mem{Base: x, Disp: 32 * i})
			VORPD(cmp(w, unordered, w), nan, nan)
			VMAXPD(w, v[i], v[i])
		}
		ADDQ(Imm(128), x)
	})
	VORPD(nan, v[0], v[0]) // all bits set: a NaN
	storeLanes(v, a)
	finish()
}

func sumExp() {
	TEXT("sumExpAVX2", NOSPLIT, "func(acc *[4]float64, x *float64, shift float64, n int)")
	Doc("sumExpAVX2 adds exp(x[i]-shift) to acc[i%4] for i < n, n a multiple of 4.")
	Pragma("noescape")
	a, x := Load(Param("acc"), GP64()), Load(Param("x"), GP64())
	shift, n := broadcast("shift"), Load(Param("n"), GP64())
	v := load(Mem{Base: a})
	loop(n, 4, func() {
		VADDPD(exp(sub(load(Mem{Base: x}), shift)), v, v)
		ADDQ(Imm(32), x)
	})
	VMOVUPD(v, Mem{Base: a})
	finish()
}

// lanes.go

// xoshiro is the state of four generators, one to a lane.
type xoshiro [4]V

func loadState(p reg.Register) xoshiro {
	return xoshiro(lanes(p, 4))
}

// step returns the next word of each lane (xoshiro256++).
func (g xoshiro) step() V {
	r := iadd(rotl(iadd(g[0], g[3]), 23), g[0])
	t := shl(g[1], 17)
	VPXOR(g[0], g[2], g[2])
	VPXOR(g[1], g[3], g[3])
	VPXOR(g[2], g[1], g[1])
	VPXOR(g[3], g[0], g[0])
	VPXOR(t, g[2], g[2])
	VMOVDQA(rotl(g[3], 45), g[3])
	return r
}

// oneTwo returns the uniform number in [1, 2) of 52 random bits.
func oneTwo(w V) V { return or(shr(w, 12), bits(oneBits)) }

func words() {
	TEXT("wordsAVX2", NOSPLIT, "func(state *[16]uint64, dst *uint64, n int)")
	Doc("wordsAVX2 writes n random words, n a multiple of 4.")
	Pragma("noescape")
	st, dst, n := Load(Param("state"), GP64()), Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	g := loadState(st)
	loop(n, 4, func() {
		VMOVDQU(g.step(), Mem{Base: dst})
		ADDQ(Imm(32), dst)
	})
	storeLanes(g[:], st)
	finish()
}

func uniforms() {
	TEXT("uniformsAVX2", NOSPLIT, "func(state *[16]uint64, dst *float64, n int)")
	Doc("uniformsAVX2 writes n uniform numbers in [0, 1), n a multiple of 4.")
	Pragma("noescape")
	st, dst, n := Load(Param("state"), GP64()), Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	g := loadState(st)
	loop(n, 4, func() {
		VMOVUPD(sub(oneTwo(g.step()), num(1)), Mem{Base: dst})
		ADDQ(Imm(32), dst)
	})
	storeLanes(g[:], st)
	finish()
}

func exponentials() {
	TEXT("exponentialsAVX2", NOSPLIT, "func(state *[16]uint64, dst *float64, n int)")
	Doc("exponentialsAVX2 writes n draws from exp(-x), n a multiple of 4.")
	Pragma("noescape")
	st, dst, n := Load(Param("state"), GP64()), Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	g := loadState(st)
	loop(n, 4, func() {
		u := sub(load(num(2)), oneTwo(g.step()))
		VMOVUPD(abs(logNormal(u, num(intMagic+1023))), Mem{Base: dst})
		ADDQ(Imm(32), dst)
	})
	storeLanes(g[:], st)
	finish()
}

var (
	nl = []float64{
		-0x1.55555555553b8p+0, -0x1.9999999b8677ap-1, -0x1.2492462af84abp-1,
		-0x1.c71fccd953895p-2, -0x1.7382dbfa1ce75p-2, -0x1.546a3155bacbfp-2,
	}
	ns = []float64{
		0x1.921fb54442cfap+0, -0x1.4abbce6257a2ap-1, 0x1.466bc67123fa1p-4,
		-0x1.32d2c644adc0bp-8, 0x1.5071ce4b47930p-13, -0x1.dd54805f3f706p-19,
	}
	nc = []float64{
		-0x1.3bd3cc9be45dbp+0, 0x1.03c1f081b4b74p-2, -0x1.55d3c7e10153fp-6,
		0x1.e1f50093e4c8fp-11, -0x1.a6cc32d07dc98p-16, 0x1.f4b536b457d9ep-22,
	}
)

// poly6 returns c[0] + c[1] z + ... + c[5] z^5.
func poly6(c []float64, z, z2 V) V {
	a0 := pair(c[0], c[1], z)
	a1 := pair(c[2], c[3], z)
	a2 := pair(c[4], c[5], z)
	a1 = acc(a2, z2, a1)
	return acc(a1, z2, a0)
}

// normals is boxMuller in three stages of about equal length, each working on
// another group of eight: the scheduler of no processor reaches far enough to
// overlap whole groups by itself (1.9 ns per number without the stages).
func normals() {
	TEXT("normalsAVX2", NOSPLIT, "func(state *[16]uint64, dst *float64, n int)")
	Doc("normalsAVX2 writes n standard normal numbers, n a positive multiple of 8.")
	Pragma("noescape")
	st, dst, n := Load(Param("state"), GP64()), Load(Param("dst"), GP64()), Load(Param("n"), GP64())
	g := loadState(st)

	// What passes from stage to stage.
	s1, k1, w1 := YMM(), YMM(), YMM()
	r2, w2 := YMM(), YMM()
	first := func() {
		ix := iadd(sub(load(num(2)), oneTwo(g.step())), bits(oneBits-sqrtHalfBits))
		VMOVAPD(sub(or(shr(ix, 52), bits(intMagicBits)), num(intMagic+1023)), k1)
		f := sub(iadd(and(ix, bits(mantissa)), bits(sqrtHalfBits)), num(1))
		VMOVAPD(div(f, add(f, num(2))), s1)
		VMOVAPD(g.step(), w1)
	}
	second := func() {
		z := mul(s1, s1)
		z2 := mul(z, z)
		a0 := poly6(nl, z, z2)
		q := acc(mul(s1, z), a0, mul(s1, num(-4)))
		VMOVAPD(acc(k1, num(-2*math.Ln2), q), r2)
		VMOVAPD(w1, w2)
	}
	third := func() {
		r := YMM()
		VSQRTPD(r2, r)
		t := sub(oneTwo(w2), num(1.5))
		z := mul(t, t)
		z2 := mul(z, z)
		sin := mul(poly6(ns, z, z2), t)
		cos := fma(poly6(nc, z, z2), z, num(1))
		cos = xor(cos, and(shl(w2, 62), bits(1<<63)))
		swap := shl(w2, 63)
		VMOVUPD(mul(r, pick(swap, sin, cos)), Mem{Base: dst})
		VMOVUPD(mul(r, pick(swap, cos, sin)), Mem{Base: dst, Disp: 32})
		ADDQ(Imm(64), dst)
	}

	first()
	SUBQ(Imm(8), n)
	JZ(LabelRef("last"))
	second()
	first()
	Label("steady")
	SUBQ(Imm(8), n)
	JZ(LabelRef("lastTwo"))
	third()
	second()
	first()
	JMP(LabelRef("steady"))
	Label("lastTwo")
	third()
	Label("last")
	second()
	third()
	storeLanes(g[:], st)
	finish()
}

// mixture.go

// mixtureEnergy2 and mixtureGrad2 take four rows at a time, x0 and x1 in one
// register each, elements in the order of rows 0, 2, 1, 3 (which unpacking makes
// and undoes).
func mixture2(withGrad bool) {
	name, params := "mixtureEnergy2AVX2", "sums, tops, xs *float64, n int, table *float64, k int, scratch *float64"
	if withGrad {
		name, params = "mixtureGrad2AVX2", "sums, tops, grad, xs *float64, n int, table *float64, k int, scratch *float64"
	}
	TEXT(name, NOSPLIT, "func("+params+")")
	Doc(name+" works on n rows, n a positive multiple of 4, and k components.",
		"With a gradient, sums may be nil. The logarithm is left to another pass: here",
		"nothing would overlap it.")
	Pragma("noescape")
	sums, tops, xs := Load(Param("sums"), GP64()), Load(Param("tops"), GP64()), Load(Param("xs"), GP64())
	n, table := Load(Param("n"), GP64()), Load(Param("table"), GP64())
	count, scratch := Load(Param("k"), GP64()), Load(Param("scratch"), GP64())
	var grad reg.Register
	if withGrad {
		grad = Load(Param("grad"), GP64())
	}

	kept := 1 // vectors of a component between the two passes
	if withGrad {
		kept = 3
	}
	// entry i of the component at t in all elements
	t, a, k := GP64(), GP64(), GP64()
	entry := func(i int) V {
		v := YMM()
		VBROADCASTSD(Mem{Base: t, Disp: 8 * i}, v)
		return v
	}
	components := func(name string, body func()) {
		MOVQ(table, t)
		MOVQ(scratch, a)
		MOVQ(count, k)
		Label(name)
		body()
		ADDQ(Imm(40), t)
		ADDQ(Imm(uint64(32*kept)), a)
		DECQ(k)
		JNZ(LabelRef(name))
	}

	loop(n, 4, func() {
		low, high := load(Mem{Base: xs}), load(Mem{Base: xs, Disp: 32})
		x0, x1 := YMM(), YMM()
		VUNPCKLPD(high, low, x0)
		VUNPCKHPD(high, low, x1)
		ADDQ(Imm(64), xs)

		top := load(num(math.Inf(-1)))
		components("exponents", func() {
			d0, d1 := sub(x0, entry(1)), sub(x1, entry(2))
			t0, t1 := mul(d0, entry(3)), mul(d1, entry(4))
			v := acc(t0, d0, entry(0))
			v = acc(t1, d1, v)
			VMOVUPD(v, Mem{Base: a})
			if withGrad {
				VMOVUPD(t0, Mem{Base: a, Disp: 32})
				VMOVUPD(t1, Mem{Base: a, Disp: 64})
			}
			VMAXPD(v, top, top)
		})

		sum, g0, g1 := YMM(), YMM(), YMM()
		VXORPD(sum, sum, sum)
		if withGrad {
			VXORPD(g0, g0, g0)
			VXORPD(g1, g1, g1)
		}
		components("terms", func() {
			v := sub(load(Mem{Base: a}), top)
			VMAXPD(num(-708), v, v)
			e := expWeight(v)
			VADDPD(e, sum, sum)
			if withGrad {
				acc(e, Mem{Base: a, Disp: 32}, g0)
				acc(e, Mem{Base: a, Disp: 64}, g1)
			}
		})

		if withGrad {
			TESTQ(sums, sums)
			JZ(LabelRef("noEnergy"))
		}
		for _, out := range []struct {
			v V
			p reg.Register
		}{{sum, sums}, {top, tops}} {
			inOrder := YMM()
			VPERMPD(Imm(0xd8), out.v, inOrder)
			VMOVUPD(inOrder, Mem{Base: out.p})
			ADDQ(Imm(32), out.p)
		}
		if !withGrad {
			return
		}
		Label("noEnergy")
		s := add(div(load(num(-2)), sum), sub(top, top))
		VMULPD(s, g0, g0)
		VMULPD(s, g1, g1)
		VUNPCKLPD(g1, g0, low)
		VUNPCKHPD(g1, g0, high)
		VMOVUPD(low, Mem{Base: grad})
		VMOVUPD(high, Mem{Base: grad, Disp: 32})
		ADDQ(Imm(64), grad)
	})
	finish()
}

var ew = [...]float64{
	0x1.0000000000000p-1, 0x1.5555555553b78p-3, 0x1.5555555554cb7p-5, 0x1.1111111c478ebp-7,
	0x1.6c16c1738ff55p-10, 0x1.a019ada3609f3p-13, 0x1.a019c9a5652d3p-16, 0x1.72c72ca338df0p-19,
	0x1.2880411bad1aap-22,
}

// expWeight overwrites v.
func expWeight(v V) V {
	t := acc(v, num(log2e), load(num(roundMagic)))
	r := acc(sub(t, num(roundMagic)), num(-math.Ln2), v)
	r2 := mul(r, r)
	r4 := mul(r2, r2)
	a0 := pair(ew[0], ew[1], r)
	a1 := pair(ew[2], ew[3], r)
	a2 := pair(ew[4], ew[5], r)
	a3 := pair(ew[6], ew[7], r)
	b0 := acc(a1, r2, a0)
	b1 := acc(a3, r2, a2)
	b1 = acc(r4, num(ew[8]), b1)
	b0 = acc(b1, r4, b0)
	return iadd(shl(t, 52), acc(b0, r2, add(r, num(1))))
}
