package gemm

import "unsafe"

// Pair holds matrices A (k x m) and B (k x n) of as many rows, packed so that
// A'B can be made in pieces, by several goroutines. It is the gradient of a
// weight matrix, from inputs A and cotangents B. The zero value is ready for
// Reserve.
type Pair[T Float] struct {
	k, m, n int
	strips  []T // of tileRows columns of A, row by row, filled up with zeros
	b       Packed[T]
}

// Reserve makes room for k rows, and reuses the memory of earlier ones.
func (p *Pair[T]) Reserve(k, m, n int) {
	p.k, p.m, p.n = k, m, n
	size := (m + tileRows - 1) / tileRows * tileRows * k
	if cap(p.strips) < size {
		p.strips = make([]T, size)
	}
	p.strips = p.strips[:size]
	p.b.Reserve(k, n)
}

// Put copies rows of A and B, as many as a and b have, from row at on. It may
// run at the same time for other rows. a must be row-major.
func (p *Pair[T]) Put(at int, a, b Matrix[T]) {
	a.check()
	if a.Rows != b.Rows || at < 0 || at+a.Rows > p.k || a.Cols != p.m {
		panic("gemm: shapes do not fit")
	}
	if a.ColStride != 1 {
		panic("gemm: a is not row-major")
	}
	w := width[T](1)
	if unsafe.Sizeof(p.strips[0]) == 8 {
		w = width[T](2)
	}
	for i := 0; i < p.m; i += tileRows {
		dst := p.strips[i*p.k+at*tileRows:][:a.Rows*tileRows]
		r, cols := 0, min(tileRows, p.m-i)
		if n := a.Rows - 1; useAVX2 && cols == tileRows && n > 0 && a.RowStride >= w {
			// Each row is copied with what follows it, over which the next one goes.
			copyRows(dst[:(n-1)*tileRows+w], tileRows, a.Data[i:][:(n-1)*a.RowStride+w], a.RowStride, n, lastVectors[T](w))
			r = n
		}
		for ; r < a.Rows; r++ {
			d := dst[r*tileRows:][:tileRows]
			clear(d[copy(d, a.Data[r*a.RowStride+i:][:cols]):])
		}
	}
	p.b.PackRows(at, b)
}

// PieceRows is what the first row of a piece is a multiple of.
const PieceRows = tileRows

// MulPair writes into c the rows of A'B from row lo on, as many as c has. The
// inner index, a row of A and B, is taken in blocks, and the chains of the blocks
// are added in order:
//
//	c = ((s_0 + s_1) + s_2) + ..,   s_b over the rows b*block to (b+1)*block - 1.
//
// So it has the bits of one product for each block, the first with beta = 0 and
// the others with beta = 1. It panics if the shapes do not fit or lo is not a
// multiple of PieceRows.
func (s *Scratch[T]) MulPair(c Matrix[T], p *Pair[T], lo, block int) {
	c.check()
	if c.Cols != p.n || lo < 0 || lo%tileRows != 0 || lo+c.Rows > p.m || block < 1 || c.ColStride != 1 {
		panic("gemm: shapes do not fit")
	}
	if c.Rows == 0 {
		return
	}
	w := width[T](2)
	for j := 0; j < p.n; j += w {
		cols := min(w, p.n-j)
		vectors := lastVectors[T](cols)
		pw := width[T](vectors)
		panel := func(t []T, ld, i, rows int) {
			strips := Matrix[T]{Data: p.strips[(lo+i)*p.k:], Rows: rows, RowStride: 1, ColStride: tileRows}
			var beta T
			for q := 0; q < p.k; q += block {
				a := strips
				a.Data, a.Cols = strips.Data[q*tileRows:], min(block, p.k-q)
				tiles(rows, vectors, a, 0, tileRows*p.k, p.b.data[j*p.k+q*pw:], pw, t, ld, 1, beta)
				beta = 1
			}
		}
		if cols == pw {
			panel(c.Data[j:], c.RowStride, 0, c.Rows)
			continue
		}
		for i := 0; i < c.Rows; i += tileRows {
			rows := min(tileRows, c.Rows-i)
			panel(s.tile[:], pw, i, rows)
			for r := range rows {
				copy(c.Data[(i+r)*c.RowStride+j:][:cols], s.tile[r*pw:])
			}
		}
	}
}
