// Command gemm writes the AVX2 micro-kernels of internal/gemm.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64")
	kernel(single)
	kernel(double)
	copyRows()
	Generate()
}

// precision holds the instructions of one element type.
type precision struct {
	name, typ string
	load      func(m, v Op)
	broadcast func(m, v Op)
	zero      func(a, b, v Op)
	mul       func(a, b, v Op)
	fma       func(a, b, v Op) // v += a*b
	compare   func(a, b Op)
}

var single = precision{
	"tile32AVX2", "float32",
	func(m, v Op) { VMOVUPS(m, v) },
	func(m, v Op) { VBROADCASTSS(m, v) },
	func(a, b, v Op) { VXORPS(a, b, v) },
	func(a, b, v Op) { VMULPS(a, b, v) },
	func(a, b, v Op) { VFMADD231PS(a, b, v) },
	func(a, b Op) { VUCOMISS(a, b) },
}

var double = precision{
	"tile64AVX2", "float64",
	func(m, v Op) { VMOVUPD(m, v) },
	func(m, v Op) { VBROADCASTSD(m, v) },
	func(a, b, v Op) { VXORPD(a, b, v) },
	func(a, b, v Op) { VMULPD(a, b, v) },
	func(a, b, v Op) { VFMADD231PD(a, b, v) },
	func(a, b Op) { VUCOMISD(a, b) },
}

const maxRows = 6

// kernel writes the tile of rows x (vectors*32 bytes): 12 registers of sums, two
// of B, one of A.
func kernel(p precision) {
	TEXT(p.name, NOSPLIT, fmt.Sprintf(
		"func(tiles, rows, vectors, k int, a *%[1]s, rs, cs, step int, b *%[1]s, bs int, c *%[1]s, ldc int, alpha, beta %[1]s)", p.typ))
	Doc(
		fmt.Sprintf("%s computes tiles, one below another, of rows (1 to 6) by", p.name),
		"vectors (1 or 2) of 32 bytes of C = alpha*A*B + beta*C, each element one chain",
		"of fused multiply-adds over k. The strides rs and cs of A, step from a tile of",
		"A to the next, bs of the rows of B and ldc of C are in bytes. C is not read if",
		"beta is 0.")
	Pragma("noescape")
	rows := Load(Param("rows"), GP64())
	vectors := Load(Param("vectors"), GP64())
	for nv := 1; nv <= 2; nv++ {
		for nr := 1; nr <= maxRows; nr++ {
			if nv == 2 && nr == maxRows {
				break // falls through to the common case below
			}
			next := fmt.Sprintf("not%dx%d", nr, nv)
			CMPQ(rows, Imm(uint64(nr)))
			JNE(LabelRef(next))
			CMPQ(vectors, Imm(uint64(nv)))
			JNE(LabelRef(next))
			tile(p, nr, nv)
			Label(next)
		}
	}
	tile(p, maxRows, 2)
}

// param returns the place of a parameter in memory.
func param(name string) Op {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

func tile(p precision, nr, nv int) {
	name := fmt.Sprintf("%dx%d", nr, nv)
	tiles := Load(Param("tiles"), GP64())
	first := Load(Param("a"), GP64())
	rs, cs := Load(Param("rs"), GP64()), Load(Param("cs"), GP64())
	bs := Load(Param("bs"), GP64())
	c, ldc := Load(Param("c"), GP64()), Load(Param("ldc"), GP64())

	Label("tile" + name)
	k, b, a := Load(Param("k"), GP64()), Load(Param("b"), GP64()), GP64()
	MOVQ(first, a)
	acc := make([][]reg.VecVirtual, nr)
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, nv)
		for j := range acc[i] {
			acc[i][j] = YMM()
			p.zero(acc[i][j], acc[i][j], acc[i][j])
		}
	}
	// Rows 0 to 2 from a, rows 3 to 5 from a + 3 rs.
	a2 := GP64()
	if nr > 3 {
		LEAQ(Mem{Base: a, Index: rs, Scale: 2}, a2)
		ADDQ(rs, a2)
	}
	row := func(i int) Mem {
		base := a
		if i >= 3 {
			base, i = a2, i-3
		}
		if i == 0 {
			return Mem{Base: base}
		}
		return Mem{Base: base, Index: rs, Scale: uint8(i)}
	}

	TESTQ(k, k)
	JZ(LabelRef("store" + name))
	Label("loop" + name)
	bv := make([]reg.VecVirtual, nv)
	for j := range bv {
		bv[j] = YMM()
		p.load(Mem{Base: b, Disp: 32 * j}, bv[j])
	}
	ADDQ(bs, b)
	for i := range nr {
		av := YMM()
		p.broadcast(row(i), av)
		for j := range nv {
			p.fma(bv[j], av, acc[i][j])
		}
	}
	ADDQ(cs, a)
	if nr > 3 {
		ADDQ(cs, a2)
	}
	DECQ(k)
	JNZ(LabelRef("loop" + name))

	Label("store" + name)
	alpha := YMM()
	p.broadcast(param("alpha"), alpha)
	for i := range nr {
		for j := range nv {
			p.mul(alpha, acc[i][j], acc[i][j])
		}
	}
	beta := YMM()
	p.broadcast(param("beta"), beta)
	zero := XMM()
	p.zero(zero, zero, zero)
	p.compare(param("beta"), zero)
	JNE(LabelRef("add" + name))
	JPS(LabelRef("add" + name))
	write := func(add bool) {
		for i := range nr {
			for j := range nv {
				m := Mem{Base: c, Disp: 32 * j}
				if add {
					p.fma(m, beta, acc[i][j])
				}
				p.load(acc[i][j], m)
			}
			ADDQ(ldc, c)
		}
		ADDQ(param("step"), first)
		DECQ(tiles)
		JNZ(LabelRef("tile" + name))
		VZEROUPPER()
		RET()
	}
	write(false)
	Label("add" + name)
	write(true)
}

// copyRows writes the copy of a block of rows.
func copyRows() {
	TEXT("copyRowsAVX2", NOSPLIT, "func(dst *byte, ldd int, src *byte, lds int, rows int, vectors int)")
	Doc("copyRowsAVX2 copies rows (at least 1) of vectors (1 or 2) of 32 bytes, ldd and",
		"lds bytes apart, in order.")
	Pragma("noescape")
	dst, ldd := Load(Param("dst"), GP64()), Load(Param("ldd"), GP64())
	src, lds := Load(Param("src"), GP64()), Load(Param("lds"), GP64())
	rows, vectors := Load(Param("rows"), GP64()), Load(Param("vectors"), GP64())
	for nv := 1; nv <= 2; nv++ {
		loop := fmt.Sprint("copy", nv)
		if nv == 1 {
			CMPQ(vectors, Imm(1))
			JNE(LabelRef("copy2"))
		}
		Label(loop)
		v := []reg.VecVirtual{YMM(), YMM()}[:nv]
		for j := range v {
			VMOVUPS(Mem{Base: src, Disp: 32 * j}, v[j])
		}
		for j := range v {
			VMOVUPS(v[j], Mem{Base: dst, Disp: 32 * j})
		}
		ADDQ(lds, src)
		ADDQ(ldd, dst)
		DECQ(rows)
		JNZ(LabelRef(loop))
		VZEROUPPER()
		RET()
	}
}
