package diagnose

import (
	"math/bits"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// correlator computes sums of autocovariances by FFT. It is the scratch of one
// goroutine.
type correlator struct {
	x     []complex128
	power []float64
	roots []complex128 // exp(-2 pi i k/len) of the largest level, k < len/4, then of the next
	size  int          // transform length that roots belong to
}

// sum writes, for lags t = 0 to len(dst)-1,
//
//	dst[t] = sum over rows k, and i < n-t, of (row_k[i] - centre_k)(row_k[i+t] - centre_k).
//
// All rows have length n >= len(dst).
//
// Rows are zero-padded to m >= n+len(dst)-1, so that no wanted lag wraps around,
// and travel in pairs as real and imaginary parts. With z = a + ib, |Z|^2 is
// |A|^2 + |B|^2 plus a part that is odd in frequency; the odd part of a real
// spectrum transforms to imaginary numbers, so the real part of the one inverse
// transform is the sum over all rows.
func (f *correlator) sum(dst []float64, rows [][]float64, centre []float64) {
	n := len(rows[0])
	m := fftSize(n + len(dst) - 1)
	f.plan(m)
	clear(f.power)
	for k := 0; k < len(rows); k += 2 {
		a, ca := rows[k], centre[k]
		if k+1 < len(rows) {
			b, cb := rows[k+1], centre[k+1]
			for i, v := range a {
				f.x[i] = complex(v-ca, b[i]-cb)
			}
		} else {
			for i, v := range a {
				f.x[i] = complex(v-ca, 0)
			}
		}
		clear(f.x[n:])
		forward(f.x, f.roots)
		for i, z := range f.x {
			f.power[i] += real(z)*real(z) + imag(z)*imag(z)
		}
	}
	for i, p := range f.power {
		f.x[i] = complex(p, 0)
	}
	inverse(f.x, f.roots)
	for t := range dst {
		dst[t] = real(f.x[t]) / float64(m)
	}
}

// fftSize returns the power of two that is at least n.
func fftSize(n int) int { return 1 << bits.Len(uint(n-1)) }

// plan makes room and roots for transforms of length m.
func (f *correlator) plan(m int) {
	f.x, f.power = grow(f.x, m), grow(f.power, m)
	if f.size == m {
		return
	}
	f.size, f.roots = m, f.roots[:0]
	for l := m; l >= 4; l /= 4 {
		for k := range l / 4 {
			s, c := vmath.SinCos2Pi(float64(k) / float64(l))
			f.roots = append(f.roots, complex(c, -s))
		}
	}
}

// forward replaces x by its discrete Fourier transform, in an order that only
// inverse knows: decimation in frequency, radix 4, no reordering. len(x) is a
// power of two and roots those of plan for it.
func forward(x, roots []complex128) {
	switch len(x) {
	case 1:
		return
	case 2:
		x[0], x[1] = x[0]+x[1], x[0]-x[1]
		return
	case 4:
		a, b, c, d := x[0], x[1], x[2], x[3]
		s, t, u, v := a+c, a-c, b+d, b-d
		v = complex(imag(v), -real(v))
		x[0], x[1], x[2], x[3] = s+u, t+v, s-u, t-v
		return
	}
	q := len(x) / 4
	w, x0, x1, x2, x3 := roots[:q], x[:q], x[q:2*q], x[2*q:3*q], x[3*q:4*q]
	for i, w1 := range w {
		a, b, c, d := x0[i], x1[i], x2[i], x3[i]
		w2 := w1 * w1
		s, t, u, v := a+c, a-c, b+d, b-d
		v = complex(imag(v), -real(v)) // -i v
		x0[i] = s + u
		x1[i] = (t + v) * w1
		x2[i] = (s - u) * w2
		x3[i] = (t - v) * (w2 * w1)
	}
	for k := 0; k < len(x); k += q {
		forward(x[k:k+q], roots[q:])
	}
}

// inverse undoes forward, times len(x).
func inverse(x, roots []complex128) {
	switch len(x) {
	case 1:
		return
	case 2:
		x[0], x[1] = x[0]+x[1], x[0]-x[1]
		return
	case 4:
		a, b, c, d := x[0], x[1], x[2], x[3]
		s, t, u, v := a+c, a-c, b+d, b-d
		v = complex(-imag(v), real(v))
		x[0], x[1], x[2], x[3] = s+u, t+v, s-u, t-v
		return
	}
	q := len(x) / 4
	for k := 0; k < len(x); k += q {
		inverse(x[k:k+q], roots[q:])
	}
	w, x0, x1, x2, x3 := roots[:q], x[:q], x[q:2*q], x[2*q:3*q], x[3*q:4*q]
	for i, w1 := range w {
		w1 = complex(real(w1), -imag(w1))
		w2 := w1 * w1
		a, b, c, d := x0[i], x1[i]*w1, x2[i]*w2, x3[i]*(w2*w1)
		s, t, u, v := a+c, a-c, b+d, b-d
		v = complex(-imag(v), real(v)) // i v
		x0[i] = s + u
		x1[i] = t + v
		x2[i] = s - u
		x3[i] = t - v
	}
}
