package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

func onPath(t testing.TB, avx2 bool, f func()) {
	if avx2 && !useAVX2 {
		t.Skip("no AVX2 here")
	}
	saved := useAVX2
	useAVX2 = avx2
	defer func() { useAVX2 = saved }()
	f()
}

// random returns a rows x cols view with padding between its rows, transposed
// or not; what lies outside the view is NaN.
func random[T Float](r *rand.Rand, rows, cols int, trans bool) Matrix[T] {
	if trans {
		return random[T](r, cols, rows, false).T()
	}
	stride := cols + r.IntN(4) + 1
	m := Matrix[T]{make([]T, rows*stride+3), rows, cols, stride, 1}
	for i := range m.Data {
		m.Data[i] = T(math.NaN())
	}
	for i := range rows {
		for j := range cols {
			m.Data[i*stride+j] = T(r.NormFloat64())
		}
	}
	return m
}

func at[T Float](m Matrix[T], i, j int) T { return m.Data[i*m.RowStride+j*m.ColStride] }

func bits[T Float](v T) uint64 { return math.Float64bits(float64(v)) }

// mul is the definition in the package comment.
func mul[T Float](c Matrix[T], alpha T, a, b Matrix[T], beta T) Matrix[T] {
	out := c
	out.Data = append([]T(nil), c.Data...)
	for i := range c.Rows {
		for j := range c.Cols {
			var s T
			for p := range a.Cols {
				s = fma(at(a, i, p), at(b, p, j), s)
			}
			v := T(alpha * s)
			if beta != 0 {
				v = fma(beta, at(c, i, j), v)
			}
			out.Data[i*c.RowStride+j] = v
		}
	}
	return out
}

func sameBits[T Float](t *testing.T, what string, got, want Matrix[T]) {
	t.Helper()
	for i := range want.Data {
		g, w := got.Data[i], want.Data[i]
		if bits(g) != bits(w) && !(g != g && w != w) {
			t.Fatalf("%s: element %d of the slice is %v, want %v", what, i, g, w)
		}
	}
}

func shapes(short bool) [][3]int {
	var s [][3]int
	for _, m := range []int{0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 25} {
		for _, n := range []int{0, 1, 4, 5, 7, 8, 9, 15, 16, 17, 24, 25, 33} {
			for _, k := range []int{0, 1, 2, 7} {
				s = append(s, [3]int{m, n, k})
			}
		}
	}
	s = append(s, [3]int{64, 128, 128}, [3]int{130, 20, 9}, [3]int{121, 50, 3})
	if !short {
		s = append(s, [3]int{250, 77, 65}, [3]int{64, 128, 784})
	}
	return s
}

func testBits[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, path := range []bool{false, true} {
		t.Run(fmt.Sprint("avx2 ", path), func(t *testing.T) {
			onPath(t, path, func() {
				var s Scratch[T]
				var pk Packed[T]
				for _, sh := range shapes(testing.Short()) {
					m, n, k := sh[0], sh[1], sh[2]
					for form := range 4 {
						a, b := random[T](r, m, k, form&1 != 0), random[T](r, k, n, form&2 != 0)
						c := random[T](r, m, n, false)
						for _, ab := range [][2]T{{1, 0}, {1, 1}, {-0.7, 0.3}} {
							what := fmt.Sprintf("%d x %d x %d, form %d, alpha %v, beta %v", m, n, k, form, ab[0], ab[1])
							want := mul(c, ab[0], a, b, ab[1])
							got := c
							got.Data = append([]T(nil), c.Data...)
							if ab[1] == 0 { // c must not be read
								for i := range m {
									for j := range n {
										got.Data[i*c.RowStride+j] = T(math.NaN())
									}
								}
							}
							s.Mul(got, ab[0], a, b, ab[1])
							sameBits(t, what, got, want)
							got.Data = append(got.Data[:0], c.Data...)
							pk.Pack(b)
							s.MulPacked(got, ab[0], a, &pk, ab[1])
							sameBits(t, "packed "+what, got, want)
						}
					}
				}
			})
		})
	}
}

// Both paths, all forms and edges, packed or not: the bits of the definition,
// and nothing outside C is written.
func TestBits(t *testing.T) {
	t.Run("float32", testBits[float32])
	t.Run("float64", testBits[float64])
}

// Against gonum's BLAS, another program: |difference| <= (k+2) eps (|A||B|).
func TestAgainstBLAS(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	m, n, k := 37, 53, 129
	impl := gonum.Implementation{}
	tr := map[bool]blas.Transpose{false: blas.NoTrans, true: blas.Trans}
	for form := range 4 {
		ta, tb := form&1 != 0, form&2 != 0
		{
			a, b, c := random[float64](r, m, k, ta), random[float64](r, k, n, tb), random[float64](r, m, n, false)
			d := append([]float64(nil), c.Data...)
			impl.Dgemm(tr[ta], tr[tb], m, n, k, 1.5, a.Data, max(a.RowStride, a.ColStride), b.Data, max(b.RowStride, b.ColStride), -0.5, d, c.RowStride)
			var s Scratch[float64]
			s.Mul(c, 1.5, a, b, -0.5)
			within(t, c, d, a, b, 0x1p-53)
		}
		{
			a, b, c := random[float32](r, m, k, ta), random[float32](r, k, n, tb), random[float32](r, m, n, false)
			d := append([]float32(nil), c.Data...)
			impl.Sgemm(tr[ta], tr[tb], m, n, k, 1.5, a.Data, max(a.RowStride, a.ColStride), b.Data, max(b.RowStride, b.ColStride), -0.5, d, c.RowStride)
			var s Scratch[float32]
			s.Mul(c, 1.5, a, b, -0.5)
			within(t, c, d, a, b, 0x1p-24)
		}
	}
}

func within[T Float](t *testing.T, c Matrix[T], d []T, a, b Matrix[T], eps float64) {
	t.Helper()
	for i := range c.Rows {
		for j := range c.Cols {
			size := 1.0
			for p := range a.Cols {
				size += 1.5 * math.Abs(float64(at(a, i, p))*float64(at(b, p, j)))
			}
			got, want := float64(at(c, i, j)), float64(d[i*c.RowStride+j])
			if !(math.Abs(got-want) <= 2*float64(a.Cols+2)*eps*size) {
				t.Fatalf("c[%d][%d] = %v, BLAS has %v", i, j, got, want)
			}
		}
	}
}

func TestPanics(t *testing.T) {
	v := make([]float64, 12)
	var s Scratch[float64]
	for name, f := range map[string]func(){
		"inner":        func() { s.Mul(Of(v, 2, 2), 1, Of(v, 2, 3), Of(v, 2, 2), 0) },
		"rows":         func() { s.Mul(Of(v, 3, 2), 1, Of(v, 2, 2), Of(v, 2, 2), 0) },
		"cols":         func() { s.Mul(Of(v, 2, 3), 1, Of(v, 2, 2), Of(v, 2, 2), 0) },
		"a short":      func() { s.Mul(Of(v, 5, 2), 1, Of(v, 5, 3), Of(v, 3, 2), 0) },
		"b short":      func() { s.Mul(Of(v, 2, 5), 1, Of(v, 2, 3), Of(v, 3, 5), 0) },
		"c short":      func() { s.Mul(Of(v[:3], 2, 2), 1, Of(v, 2, 2), Of(v, 2, 2), 0) },
		"c transposed": func() { s.Mul(Of(v, 2, 3).T(), 1, Of(v, 3, 2), Of(v, 2, 2), 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestAllocs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	a, b, c := random[float32](r, 70, 33, false), random[float32](r, 33, 20, true), random[float32](r, 70, 20, false)
	var s Scratch[float32]
	var pk Packed[float32]
	s.Mul(c, 1, a, b, 0)
	pk.Pack(b)
	if n := testing.AllocsPerRun(20, func() {
		s.Mul(c, 1, a, b, 0)
		pk.Pack(b)
		s.MulPacked(c, 1, a, &pk, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func benchMul[T Float](b *testing.B, m, n, k int, packed bool, form int) {
	r := rand.New(rand.NewPCG(9, 10))
	x, y, c := random[T](r, m, k, form&1 != 0), random[T](r, k, n, form&2 != 0), random[T](r, m, n, false)
	var s Scratch[T]
	var pk Packed[T]
	pk.Pack(y)
	b.ReportAllocs()
	for b.Loop() {
		if packed {
			s.MulPacked(c, 1, x, &pk, 0)
		} else {
			s.Mul(c, 1, x, y, 0)
		}
	}
	flops := 2 * float64(m) * float64(n) * float64(k) * float64(b.N)
	b.ReportMetric(flops/float64(b.Elapsed().Nanoseconds()), "GFLOPS")
}

// A product made of panels has the bits of MulPacked, in part or whole, with zeros
// beyond its columns.
func testPanel[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	var s Scratch[T]
	var b, out Packed[T]
	for _, sh := range [][3]int{{1, 1, 1}, {13, 6, 16}, {64, 25, 40}, {7, 12, 8}, {9, 0, 9}, {6, 3, 33}} {
		m, k, n := sh[0], sh[1], sh[2]
		a, full := random[T](r, m, k, false), random[T](r, k, n, false)
		want, got := random[T](r, m, n, false), random[T](r, m, n, false)
		b.Pack(full)
		s.MulPacked(want, 1, a, &b, 0)
		out.Reserve(m, n)
		for j := range Panels[T](n) {
			for lo, hi := 0, (m+1)/2; lo < m; lo, hi = hi, m {
				part := a
				part.Data, part.Rows = a.Data[lo*a.RowStride:], hi-lo
				MulPanel(out.Panel(j, lo, hi), part, b.Panel(j, 0, k), PanelWidth[T](n, j))
				c := got
				c.Data, c.Rows = got.Data[lo*got.RowStride:], hi-lo
				Unpack(c, j, out.Panel(j, lo, hi))
			}
			w := PanelWidth[T](n, j)
			for at, v := range out.Panel(j, 0, m) {
				if col := j*PanelCols[T]() + at%w; col >= n && v != 0 {
					t.Errorf("%v: %v beyond the last column", sh, v)
				}
			}
		}
		for i := range m {
			for j := range n {
				if g, w := at(got, i, j), at(want, i, j); bits(g) != bits(w) {
					t.Fatalf("%v: element (%d, %d): %v, want %v", sh, i, j, g, w)
				}
			}
		}
	}
}

func TestPanel(t *testing.T) {
	for _, avx2 := range []bool{true, false} {
		onPath(t, avx2, func() {
			t.Run(fmt.Sprint("f32/", avx2), testPanel[float32])
			t.Run(fmt.Sprint("f64/", avx2), testPanel[float64])
		})
	}
}

func BenchmarkMul(b *testing.B) {
	for _, sh := range [][3]int{{128, 128, 128}, {512, 512, 512}, {64, 128, 128}, {64, 128, 2}, {64, 2, 128}, {64, 1, 128}, {128, 128, 512}, {16, 16, 16}, {100, 128, 784}} {
		m, n, k := sh[0], sh[1], sh[2]
		name := fmt.Sprintf("%dx%dx%d", m, n, k)
		b.Run("f32/packed/"+name, func(b *testing.B) { benchMul[float32](b, m, n, k, true, 0) })
		b.Run("f32/NN/"+name, func(b *testing.B) { benchMul[float32](b, m, n, k, false, 0) })
		b.Run("f32/TN/"+name, func(b *testing.B) { benchMul[float32](b, m, n, k, false, 1) })
		b.Run("f32/NT/"+name, func(b *testing.B) { benchMul[float32](b, m, n, k, false, 2) })
		b.Run("f64/packed/"+name, func(b *testing.B) { benchMul[float64](b, m, n, k, true, 0) })
	}
}

func BenchmarkPortable(b *testing.B) {
	onPath(b, false, func() {
		b.Run("f32", func(b *testing.B) { benchMul[float32](b, 64, 128, 128, true, 0) })
		b.Run("f64", func(b *testing.B) { benchMul[float64](b, 64, 128, 128, true, 0) })
	})
}
