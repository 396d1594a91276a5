package linalg

import (
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

const eps = 0x1p-52

// spd returns B B' + 0.1 I for a B of normal numbers.
func spd(d int, seed uint64) []float64 {
	b, a := make([]float64, d*d), make([]float64, d*d)
	ebmkit.NewStream(seed, "matrix", 0).FillNormal(b)
	for i := range d {
		for j := range d {
			for k := range d {
				a[i*d+j] += b[i*d+k] * b[j*d+k]
			}
		}
		a[i*d+i] += 0.1
	}
	return a
}

func times(a, b []float64, d int, transposeB bool) []float64 {
	c := make([]float64, d*d)
	for i := range d {
		for j := range d {
			for k := range d {
				if transposeB {
					c[i*d+j] += a[i*d+k] * b[j*d+k]
				} else {
					c[i*d+j] += a[i*d+k] * b[k*d+j]
				}
			}
		}
	}
	return c
}

func wantClose(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tol) {
			t.Fatalf("%s: entry %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// The factor, its inverse, the inverse of the matrix and the solution of a system
// undo each other; in place they have the same bits, and only the lower half counts.
func TestFactor(t *testing.T) {
	for d := 1; d <= 12; d++ {
		a := spd(d, uint64(d))
		l, one := make([]float64, d*d), make([]float64, d*d)
		logDet, bad := Cholesky(l, a, d, 4*float64(d)*eps)
		if bad >= 0 {
			t.Fatalf("d = %d: row %d is refused", d, bad)
		}
		var scale, sum float64
		for i := range d {
			one[i*d+i] = 1
			scale = max(scale, a[i*d+i])
			sum += 2 * math.Log(l[i*d+i])
		}
		wantClose(t, "L L'", times(l, l, d, true), a, 4*float64(d)*eps*scale)
		wantClose(t, "log det", []float64{logDet}, []float64{sum}, 1e-13*(1+math.Abs(sum)))

		w, inv := make([]float64, d*d), make([]float64, d*d)
		InvertLower(w, l, d)
		wantClose(t, "L^-1 L", times(w, l, d, false), one, 1e-12)
		Gram(inv, w, d)
		// The condition number is at most trace/0.1 <= 10 d scale; d^2 eps times that,
		// and a factor of 10.
		tol := 100 * float64(d*d) * float64(d) * eps * scale
		wantClose(t, "a^-1 a", times(inv, a, d, false), one, tol)
		x := make([]float64, d)
		ebmkit.NewStream(9, "x", 0).FillNormal(x)
		b := make([]float64, d)
		for i := range d {
			for j := range d {
				b[i] += a[i*d+j] * x[j]
			}
		}
		Solve(l, b, d)
		wantClose(t, "solution", b, x, tol)

		same := slices.Clone(a)
		for i := range d {
			for j := i + 1; j < d; j++ {
				same[i*d+j] = math.NaN()
			}
		}
		if again, _ := Cholesky(same, same, d, 0); again != logDet {
			t.Errorf("d = %d: log det in place is %v, not %v", d, again, logDet)
		}
		lower := func(of, want []float64, what string) {
			for i := range d {
				if !slices.Equal(of[i*d:i*d+i+1], want[i*d:i*d+i+1]) {
					t.Errorf("d = %d: %s in place has other bits", d, what)
				}
			}
		}
		lower(same, l, "the factor")
		InvertLower(same, same, d)
		lower(same, w, "the inverse")
		back := make([]float64, d*d)
		if Gram(back, same, d); !slices.Equal(back, inv) {
			t.Errorf("d = %d: Gram reads the upper half", d)
		}
	}
}

// Hilbert's matrix of order 5 has the determinant 1/266716800000.
func TestHilbert(t *testing.T) {
	const d = 5
	a, l := make([]float64, d*d), make([]float64, d*d)
	for i := range d {
		for j := range d {
			a[i*d+j] = 1 / float64(i+j+1)
		}
	}
	logDet, bad := Cholesky(l, a, d, 4*d*eps)
	if want := -math.Log(266716800000); bad >= 0 || math.Abs(logDet-want) > 1e-9 {
		t.Errorf("log det %v, bad row %d, want %v", logDet, bad, want)
	}
}

func TestRefused(t *testing.T) {
	nan := math.NaN()
	tol := 4 * 3 * eps
	// Rows 0 and 1 are independent, row 2 is their sum: rounding leaves a pivot that
	// need not be 0.
	u, v := []float64{0.1, 0.7, -0.3}, []float64{0.2, -0.4, 1.1}
	rank2 := make([]float64, 9)
	for i := range 3 {
		for j := range 3 {
			rank2[i*3+j] = u[i]*u[j] + v[i]*v[j]
		}
	}
	for _, c := range []struct {
		name string
		a    []float64
		tol  float64
		bad  int
	}{
		{"zero", make([]float64, 9), 0, 0},
		{"rank 1", []float64{1, 2, 3, 2, 4, 6, 3, 6, 9}, tol, 1},
		{"rank 2", rank2, tol, 2},
		{"indefinite", []float64{1, 0, 0, 0, 1, 2, 0, 2, 1}, tol, 2},
		{"negative", []float64{-1, 0, 0, 0, 1, 0, 0, 0, 1}, tol, 0},
		{"NaN below", []float64{1, 0, 0, nan, 1, 0, 0, 0, 1}, tol, 1},
		{"NaN on the diagonal", []float64{1, 0, 0, 0, 1, 0, 0, 0, nan}, 0, 2},
		{"Inf", []float64{1, 0, 0, 0, math.Inf(1), 0, 0, 0, 1}, tol, 1},
		{"NaN above", []float64{1, nan, nan, 0, 1, nan, 0, 0, 1}, tol, -1},
		{"tiny but sound", []float64{1e-300, 0, 0, 0, 1, 0, 0, 0, 1e300}, tol, -1},
	} {
		if _, bad := Cholesky(make([]float64, 9), c.a, 3, c.tol); bad != c.bad {
			t.Errorf("%s: refused row %d, want %d", c.name, bad, c.bad)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a short slice does not panic")
		}
	}()
	Cholesky(make([]float64, 9), make([]float64, 8), 3, 0)
}
