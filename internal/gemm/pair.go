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
	for i := 0; i < p.m; i += tileRows {
		dst := p.strips[i*p.k+at*tileRows:][:a.Rows*tileRows]
		src := a.Data[i:]
		if i+tileRows > p.m {
			for r := range a.Rows {
				d := dst[r*tileRows:][:tileRows]
				clear(d[copy(d, src[r*a.RowStride:][:p.m-i]):])
			}
			continue
		}
		for r := range a.Rows {
			d, s := dst[r*tileRows:][:tileRows], src[r*a.RowStride:][:tileRows]
			if unsafe.Sizeof(d[0]) == 4 {
				to, from := (*[3]uint64)(unsafe.Pointer(&d[0])), (*[3]uint64)(unsafe.Pointer(&s[0]))
				to[0], to[1], to[2] = from[0], from[1], from[2]
				continue
			}
			copy(d, s)
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
	w := width[T](2)
	for j := 0; j < p.n; j += w {
		cols := min(w, p.n-j)
		vectors := lastVectors[T](cols)
		pw := width[T](vectors)
		for i := 0; i < c.Rows; i += tileRows {
			rows := min(tileRows, c.Rows-i)
			t, ld := s.tile[:], pw
			if cols == pw {
				t, ld = c.Data[i*c.RowStride+j:], c.RowStride
			}
			strip := p.strips[(lo+i)*p.k:]
			var beta T
			for q := 0; q < p.k; q += block {
				a := Matrix[T]{Data: strip[q*tileRows:], Rows: rows, Cols: min(block, p.k-q), RowStride: 1, ColStride: tileRows}
				tile(rows, vectors, a, 0, p.b.data[j*p.k+q*pw:], pw, t, ld, 1, beta)
				beta = 1
			}
			if cols < pw {
				for r := range rows {
					copy(c.Data[(i+r)*c.RowStride+j:][:cols], t[r*pw:])
				}
			}
		}
	}
}
