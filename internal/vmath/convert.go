package vmath

// ToFloat32Slice writes float32(x[i]) into dst[i] and returns the largest size of
// those, where NaN does not count.
func ToFloat32Slice(dst []float32, x []float64) (largest float32) {
	n := whole(len(dst), len(x), 8)
	if n > 0 {
		largest = toFloat32AVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = float32(x[i])
		if a := abs32(dst[i]); a > largest {
			largest = a
		}
	}
	return largest
}

// FromFloat32Slice writes float64(x[i]) into dst[i].
func FromFloat32Slice(dst []float64, x []float32) {
	n := whole(len(dst), len(x), 8)
	if n > 0 {
		fromFloat32AVX2(&dst[0], &x[0], n)
	}
	for i := n; i < len(x); i++ {
		dst[i] = float64(x[i])
	}
}

// Transpose32 writes the transpose of src, rows x cols, into dst, cols x rows;
// rows of src are lds elements apart, rows of dst ldd. rows and cols are multiples
// of 8.
func Transpose32(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	if rows%8 != 0 || cols%8 != 0 || lds < cols || ldd < rows ||
		rows > 0 && cols > 0 && ((rows-1)*lds+cols > len(src) || (cols-1)*ldd+rows > len(dst)) {
		panic("vmath: Transpose32: wrong size")
	}
	for r := 0; r < rows; r += 8 {
		if useAVX2 && cols > 0 {
			transpose32AVX2(&dst[r], 4*ldd, &src[r*lds], 4*lds, cols)
			continue
		}
		for c := range cols {
			d := dst[c*ldd+r:][:8]
			for i := range d {
				d[i] = src[(r+i)*lds+c]
			}
		}
	}
}
