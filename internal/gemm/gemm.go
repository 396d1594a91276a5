// Package gemm multiplies dense matrices of float32 or float64.
//
// Each element of the product is one chain of fused multiply-adds over the
// inner index, in order; alpha and beta come last:
//
//	s = 0;  s = fma(a[i,p], b[p,j], s), p = 0..k-1;  c[i,j] = fma(beta, c[i,j], alpha*s)
//
// So its bits depend neither on the shape of the other dimensions, nor on the
// processor, nor on whether B was packed; the portable code gives them too, at
// a hundredth of the speed.
package gemm

import (
	"math"
	"unsafe"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Float is the type of an element.
type Float interface{ float32 | float64 }

// Matrix is a view of a matrix in a slice: element (i, j) is
// Data[i*RowStride + j*ColStride]. One of the strides is 1.
type Matrix[T Float] struct {
	Data                 []T
	Rows, Cols           int
	RowStride, ColStride int
}

// Of returns the row-major matrix of the first rows*cols elements of data.
func Of[T Float](data []T, rows, cols int) Matrix[T] {
	return Matrix[T]{data, rows, cols, cols, 1}
}

// T returns the transposed view.
func (m Matrix[T]) T() Matrix[T] {
	return Matrix[T]{m.Data, m.Cols, m.Rows, m.ColStride, m.RowStride}
}

// check panics if an element of m lies outside its slice.
func (m Matrix[T]) check() {
	if m.Rows < 0 || m.Cols < 0 || m.RowStride < 1 || m.ColStride < 1 {
		panic("gemm: negative size or non-positive stride")
	}
	if m.Rows > 0 && m.Cols > 0 && (m.Rows-1)*m.RowStride+(m.Cols-1)*m.ColStride >= len(m.Data) {
		panic("gemm: matrix reaches beyond its slice")
	}
}

// A panel is 64 bytes wide: 16 float32 or 8 float64, two registers. The last
// columns of B make a panel of one register if they fit.
func width[T Float](vectors int) int {
	var z T
	return vectors * 32 / int(unsafe.Sizeof(z))
}

// lastVectors returns how many registers wide the panel of cols columns is.
func lastVectors[T Float](cols int) int {
	if cols <= width[T](1) {
		return 1
	}
	return 2
}

// Packed is a matrix in the order in which the kernels read a right factor:
// panels of columns, row by row, filled up with zeros. Weights that many
// products share are packed once. The zero value is ready for Pack.
type Packed[T Float] struct {
	rows, cols int
	data       []T
}

// Pack stores a copy of b, and reuses the memory of an earlier one.
func (p *Packed[T]) Pack(b Matrix[T]) {
	p.Reserve(b.Rows, b.Cols)
	for j := range Panels[T](b.Cols) {
		PackPanel(p.Panel(j, 0, b.Rows), b, j)
	}
}

// Reserve makes room for a matrix, of which Panel then returns what is to be
// filled, or PackRows fills some rows.
func (p *Packed[T]) Reserve(rows, cols int) {
	size := 0
	if n := Panels[T](cols); n > 0 {
		size = ((n-1)*width[T](2) + PanelWidth[T](cols, n-1)) * rows
	}
	if cap(p.data) < size {
		p.data = make([]T, size)
	}
	p.rows, p.cols, p.data = rows, cols, p.data[:size]
}

// PackPanel copies a panel of b into dst, which has b.Rows rows of PanelWidth.
func PackPanel[T Float](dst []T, b Matrix[T], panel int) {
	b.check()
	if len(dst) != b.Rows*PanelWidth[T](b.Cols, panel) {
		panic("gemm: shapes do not fit")
	}
	packPanel(dst, b, panel*width[T](2))
}

// PanelCols returns how many columns the panels but the last have.
func PanelCols[T Float]() int { return width[T](2) }

// Panels returns the number of panels of a matrix with so many columns.
func Panels[T Float](cols int) int { return (cols + width[T](2) - 1) / width[T](2) }

// PanelWidth returns how wide a panel of a matrix with so many columns is,
// zeros included.
func PanelWidth[T Float](cols, panel int) int {
	rest := cols - panel*width[T](2)
	if panel < 0 || rest < 1 {
		panic("gemm: no such panel")
	}
	return width[T](lastVectors[T](rest))
}

// Panel returns rows lo to hi-1 of a panel, one after another, each filled up with
// zeros to PanelWidth. They share memory with p.
func (p *Packed[T]) Panel(panel, lo, hi int) []T {
	w := PanelWidth[T](p.cols, panel)
	return p.data[panel*width[T](2)*p.rows:][: w*p.rows : w*p.rows][lo*w : hi*w]
}

// Unpack writes rows of a panel, as Packed.Panel has them, into its columns of
// c, which is row-major.
func Unpack[T Float](c Matrix[T], panel int, rows []T) {
	c.check()
	j, w := panel*width[T](2), PanelWidth[T](c.Cols, panel)
	cols := min(w, c.Cols-j)
	if c.ColStride != 1 || len(rows) != c.Rows*w {
		panic("gemm: shapes do not fit")
	}
	if c.Rows == 0 {
		return
	}
	if useAVX2 && cols == w {
		copyRows(c.Data[j:], c.RowStride, rows, w, c.Rows, lastVectors[T](cols))
		return
	}
	for i := range c.Rows {
		copy(c.Data[i*c.RowStride+j:][:cols], rows[i*w:])
	}
}

// PackRows copies b as rows at, at+1, .. of the matrix.
func (p *Packed[T]) PackRows(at int, b Matrix[T]) {
	b.check()
	if at < 0 || at+b.Rows > p.rows || b.Cols != p.cols {
		panic("gemm: shapes do not fit")
	}
	w := width[T](2)
	for j := 0; j < p.cols; j += w {
		packPanel(p.data[j*p.rows+at*width[T](lastVectors[T](p.cols-j)):], b, j)
	}
}

// packPanel copies the panel of b that starts at column j.
func packPanel[T Float](dst []T, b Matrix[T], j int) {
	cols := min(width[T](2), b.Cols-j)
	w := width[T](lastVectors[T](cols))
	if b.ColStride == 1 {
		if cols == width[T](2) {
			if useAVX2 && b.Rows > 0 {
				copyRows(dst[:b.Rows*w], w, b.Data[j:][:(b.Rows-1)*b.RowStride+w], b.RowStride, b.Rows, 2)
				return
			}
			for p := range b.Rows {
				copy(dst[p*w:(p+1)*w], b.Data[p*b.RowStride+j:])
			}
			return
		}
		for p := range b.Rows {
			d, s := dst[p*w:(p+1)*w], b.Data[p*b.RowStride+j:]
			clear(d[copy(d, s[:cols]):])
		}
		return
	}
	p := 0
	if d, ok := any(dst).([]float32); ok && cols == w && b.RowStride == 1 {
		p = b.Rows &^ 7
		s := any(b.Data).([]float32)[j*b.ColStride:]
		vmath.Transpose32(d, w, s, b.ColStride, cols, p)
	}
	for i := range w {
		if i >= cols {
			for q := range b.Rows {
				dst[q*w+i] = 0
			}
			continue
		}
		s := b.Data[(j+i)*b.ColStride:]
		for q := p; q < b.Rows; q++ {
			dst[q*w+i] = s[q*b.RowStride]
		}
	}
}

// copyRows copies rows of vectors*32 bytes, ldd and lds elements apart.
func copyRows[T Float](dst []T, ldd int, src []T, lds, rows, vectors int) {
	size := int(unsafe.Sizeof(dst[0]))
	copyRowsAVX2((*byte)(unsafe.Pointer(&dst[0])), size*ldd, (*byte)(unsafe.Pointer(&src[0])), size*lds, rows, vectors)
}

// Scratch is the memory a product works in. The zero value is ready; it grows
// to what the largest product needs and then allocates nothing more. It serves
// one goroutine.
type Scratch[T Float] struct {
	panel  []T
	packed Packed[T]
	tile   [96]T // one tile of edge columns
}

const (
	tileRows = 6
	// rowChunk rows of A stay in the second cache while all of B passes.
	rowChunk = 20 * tileRows
	// directRows is up to how many rows of A it is cheaper to read B where it
	// lies than to pack it.
	directRows = 24
)

// Mul sets c = alpha a b + beta c; c is not read if beta is 0. It panics if the
// shapes do not fit, if c is not row-major, or if a view reaches beyond its
// slice. c must not overlap a or b.
func (s *Scratch[T]) Mul(c Matrix[T], alpha T, a, b Matrix[T], beta T) {
	check(c, a, b.Rows, b.Cols)
	if a.Rows > rowChunk {
		s.packed.Pack(b)
		s.MulPacked(c, alpha, a, &s.packed, beta)
		return
	}
	b.check()
	w := width[T](2)
	if cap(s.panel) < w*b.Rows {
		s.panel = make([]T, w*b.Rows)
	}
	panel := s.panel[:w*b.Rows]
	for j := 0; j < b.Cols; j += w {
		cols := min(w, b.Cols-j)
		if cols == w && b.ColStride == 1 && a.Rows <= directRows && b.Rows > 0 {
			s.columns(c, alpha, a, b.Data[j:], b.RowStride, j, cols, beta, 0, a.Rows)
			continue
		}
		packPanel(panel, b, j)
		s.columns(c, alpha, a, panel, width[T](lastVectors[T](cols)), j, cols, beta, 0, a.Rows)
	}
}

// MulPacked is Mul with a packed b.
func (s *Scratch[T]) MulPacked(c Matrix[T], alpha T, a Matrix[T], b *Packed[T], beta T) {
	check(c, a, b.rows, b.cols)
	w := width[T](2)
	for lo := 0; lo < a.Rows; lo += rowChunk {
		hi := min(lo+rowChunk, a.Rows)
		for j := 0; j < b.cols; j += w {
			cols := min(w, b.cols-j)
			s.columns(c, alpha, a, b.data[j*b.rows:], width[T](lastVectors[T](cols)), j, cols, beta, lo, hi)
		}
	}
}

// MulPanel writes a times a packed panel into dst, in which it is packed too:
// with the bits of MulPacked, and zeros where the panel has them. It needs no
// scratch. It panics if the shapes do not fit.
func MulPanel[T Float](dst []T, a Matrix[T], panel []T, cols int) {
	a.check()
	if vectors := cols / width[T](1); vectors*width[T](1) != cols || len(panel) != a.Cols*cols || len(dst) != a.Rows*cols {
		panic("gemm: shapes do not fit")
	} else if a.Rows > 0 {
		tiles(a.Rows, vectors, a, 0, tileRows*a.RowStride, panel, cols, dst, cols, 1, 0)
	}
}

func check[T Float](c, a Matrix[T], k, n int) {
	c.check()
	a.check()
	if c.Rows != a.Rows || c.Cols != n || a.Cols != k {
		panic("gemm: shapes do not fit")
	}
	if c.ColStride != 1 {
		panic("gemm: c is not row-major")
	}
}

// columns computes columns j to j+cols-1 of rows lo to hi-1 of C. The rows of
// the panel are bs elements apart.
func (s *Scratch[T]) columns(c Matrix[T], alpha T, a Matrix[T], panel []T, bs, j, cols int, beta T, lo, hi int) {
	if lo >= hi {
		return
	}
	vectors := lastVectors[T](cols)
	w := width[T](vectors)
	if cols == w {
		tiles(hi-lo, vectors, a, lo, tileRows*a.RowStride, panel, bs, c.Data[lo*c.RowStride+j:], c.RowStride, alpha, beta)
		return
	}
	for i := lo; i < hi; i += tileRows {
		rows := min(tileRows, hi-i)
		t := s.tile[:]
		tiles(rows, vectors, a, i, 0, panel, bs, t, w, alpha, 0)
		for r := range rows {
			row := c.Data[(i+r)*c.RowStride+j:][:cols]
			if beta == 0 {
				copy(row, t[r*w:])
				continue
			}
			for q := range row {
				row[q] = fma(beta, row[q], t[r*w+q])
			}
		}
	}
}

// tiles computes rows x vectors of C at c from rows i... of A, of which those of
// a tile begin step elements after those of the tile before.
func tiles[T Float](rows, vectors int, a Matrix[T], i, step int, b []T, bs int, c []T, ldc int, alpha, beta T) {
	k := a.Cols
	if !useAVX2 || k == 0 {
		for r := 0; r < rows; r += tileRows {
			at := a
			if k > 0 {
				at.Data = a.Data[i*a.RowStride+r/tileRows*step:]
			}
			tileGo(min(tileRows, rows-r), width[T](vectors), at, 0, b, bs, c[r*ldc:], ldc, alpha, beta)
		}
		return
	}
	full := rows / tileRows
	if full > 0 {
		tilesAVX2(full, tileRows, vectors, a, i*a.RowStride, step, b, bs, c, ldc, alpha, beta)
	}
	if rest := rows % tileRows; rest > 0 {
		tilesAVX2(1, rest, vectors, a, i*a.RowStride+full*step, step, b, bs, c[full*tileRows*ldc:], ldc, alpha, beta)
	}
}

func tilesAVX2[T Float](n, rows, vectors int, a Matrix[T], at, step int, b []T, bs int, c []T, ldc int, alpha, beta T) {
	if unsafe.Sizeof(alpha) == 4 {
		tile32AVX2(n, rows, vectors, a.Cols,
			(*float32)(unsafe.Pointer(&a.Data[at])), 4*a.RowStride, 4*a.ColStride, 4*step,
			(*float32)(unsafe.Pointer(&b[0])), 4*bs,
			(*float32)(unsafe.Pointer(&c[0])), 4*ldc, float32(alpha), float32(beta))
		return
	}
	tile64AVX2(n, rows, vectors, a.Cols,
		(*float64)(unsafe.Pointer(&a.Data[at])), 8*a.RowStride, 8*a.ColStride, 8*step,
		(*float64)(unsafe.Pointer(&b[0])), 8*bs,
		(*float64)(unsafe.Pointer(&c[0])), 8*ldc, float64(alpha), float64(beta))
}

// tileGo is tile without assembler.
func tileGo[T Float](rows, w int, a Matrix[T], i int, b []T, bs int, c []T, ldc int, alpha, beta T) {
	for r := range rows {
		var sum [16]T
		for p := range a.Cols {
			v := a.Data[(i+r)*a.RowStride+p*a.ColStride]
			row := b[p*bs:][:w]
			for q, bv := range row {
				sum[q] = fma(v, bv, sum[q])
			}
		}
		row := c[r*ldc:][:w]
		for q := range row {
			v := T(alpha * sum[q])
			if beta != 0 {
				v = fma(beta, row[q], v)
			}
			row[q] = v
		}
	}
}

// fma returns x*y + z with one rounding.
func fma[T Float](x, y, z T) T {
	if unsafe.Sizeof(x) == 8 {
		return T(math.FMA(float64(x), float64(y), float64(z)))
	}
	return T(vmath.FMA32(float32(x), float32(y), float32(z)))
}
