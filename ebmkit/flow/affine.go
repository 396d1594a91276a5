package flow

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// ActNorm scales and shifts every coordinate (Kingma and Dhariwal 2018):
//
//	f(x)_j = exp(p_j) x_j + b_j,   log |det J| = sum_j p_j.
//
// Its parameters are (p, b). Flow.Standardize sets them by data.
type ActNorm struct {
	Scale []float64 // exp(p), all positive; nil: 1
	Shift []float64 // b; nil: 0
}

func (a ActNorm) build(b *builder) (layer, []float64, error) {
	d := b.dim
	theta := make([]float64, 2*d)
	if a.Scale != nil {
		if err := b.vector("Scale", a.Scale, d); err != nil {
			return nil, nil, err
		}
		for j, s := range a.Scale {
			if !(s > 0) {
				return nil, nil, b.bad(fmt.Sprintf("Scale[%d]", j), s, "a positive number, or the layer is not invertible")
			}
			theta[j] = vmath.Log(s)
		}
	}
	if a.Shift != nil {
		if err := b.vector("Shift", a.Shift, d); err != nil {
			return nil, nil, err
		}
		copy(theta[d:], a.Shift)
	}
	return &actNorm{d: d, scale: make([]float64, d), shift: make([]float64, d)}, theta, nil
}

type actNorm struct {
	d            int
	scale, shift []float64
	logDet       float64
}

func (l *actNorm) numParams() int { return 2 * l.d }
func (l *actNorm) numRaw() int    { return 2 * l.d }

func (l *actNorm) check(theta []float64) (any, string) {
	for j, p := range theta[:l.d] {
		if math.Abs(p) > maxLog {
			return fmt.Sprintf("p[%d] = %v", j, p), "scales exp(p) between 1e-100 and 1e100: lower the learning rate"
		}
	}
	return nil, ""
}

// maxLog bounds the logarithms of scales, 1e100.
const maxLog = 230.25850929940458

func (l *actNorm) set(theta []float64) {
	l.logDet = 0
	for j, p := range theta[:l.d] {
		l.scale[j] = vmath.Exp(p)
		l.logDet += p
	}
	copy(l.shift, theta[l.d:])
}

func (l *actNorm) chain(dst, raw []float64) { vmath.Axpy(dst, 1, raw) }

func (l *actNorm) newWork() work { return &actNormWork{l, make([]float64, blockRows*l.d)} }

type actNormWork struct {
	l *actNorm
	y []float64 // scaled, not yet shifted
}

func (k *actNormWork) normalise(x, ld []float64, keep bool) {
	d := k.l.d
	for i := range ld {
		row, y := x[i*d:(i+1)*d], k.y[i*d:(i+1)*d]
		for j, s := range k.l.scale {
			y[j] = s * row[j]
			row[j] = y[j] + k.l.shift[j]
		}
		ld[i] += k.l.logDet
	}
}

func (k *actNormWork) generate(z, ld []float64) {
	d := k.l.d
	for i := range ld {
		row := z[i*d : (i+1)*d]
		for j, s := range k.l.scale {
			row[j] = (row[j] - k.l.shift[j]) / s
		}
		ld[i] -= k.l.logDet
	}
}

func (k *actNormWork) pull(raw, g, dld []float64) {
	d := k.l.d
	for i, dl := range dld {
		gi, y := g[i*d:(i+1)*d], k.y[i*d:(i+1)*d]
		if raw != nil {
			for j, v := range gi {
				raw[j] += v*y[j] + dl
				raw[d+j] += v
			}
		}
		for j, s := range k.l.scale {
			gi[j] *= s
		}
	}
}

// Linear is a full matrix, the invertible 1 x 1 convolution of Glow (Kingma and
// Dhariwal 2018) without the convolution:
//
//	f(x) = W x,   W = P L (T + diag(s)),   log |det J| = sum_j log |s_j|,
//
// with a fixed permutation P, L unit lower and T strictly upper triangular, and
// fixed signs of s. Its parameters are L below the diagonal and T above it, each
// row by row, and log |s|: W is invertible whatever their values.
type Linear struct {
	Matrix []float64 // W at the start, Dim x Dim, row-major; nil: a random rotation
}

func (m Linear) build(b *builder) (layer, []float64, error) {
	d := b.dim
	w := append([]float64(nil), m.Matrix...)
	if m.Matrix == nil {
		w = rotation(b.normals(d*d), d)
	}
	if err := b.vector("Matrix", w, d*d); err != nil {
		return nil, nil, err
	}
	size := 0.0
	for _, v := range w {
		size = max(size, math.Abs(v))
	}
	l := &linear{d: d, perm: make([]int, d), sign: make([]float64, d), s: make([]float64, d),
		lower: make([]float64, d*d), upper: make([]float64, d*d), w: make([]float64, d*d), wt: make([]float64, d*d)}
	if rank := eliminate(w, l.perm, 1e-12*size); rank < d {
		return nil, nil, b.bad("Matrix", fmt.Sprintf("rank %d", rank), fmt.Sprintf("an invertible matrix, rank %d", d))
	}
	theta := make([]float64, d*d)
	lo, up := 0, d*(d-1)/2
	for i := range d {
		lo += copy(theta[lo:], w[i*d:i*d+i])
		up += copy(theta[up:], w[i*d+i+1:(i+1)*d])
		s := w[i*d+i]
		l.sign[i] = math.Copysign(1, s)
		theta[d*(d-1)+i] = vmath.Log(math.Abs(s))
	}
	return l, theta, nil
}

// eliminate replaces the square matrix w by its factors L (below the diagonal,
// where it has ones) and U with P'w = L U, by Gaussian elimination with row
// exchanges: row i of P'w is row perm[i] of w. It returns how many pivots it found
// that are larger than least, and stops at the first that is not.
func eliminate(w []float64, perm []int, least float64) int {
	d := len(perm)
	for i := range perm {
		perm[i] = i
	}
	for k := range d {
		p := k
		for i := k + 1; i < d; i++ {
			if math.Abs(w[i*d+k]) > math.Abs(w[p*d+k]) {
				p = i
			}
		}
		if !(math.Abs(w[p*d+k]) > least) {
			return k
		}
		if p != k {
			perm[k], perm[p] = perm[p], perm[k]
			for j := range d {
				w[k*d+j], w[p*d+j] = w[p*d+j], w[k*d+j]
			}
		}
		for i := k + 1; i < d; i++ {
			f := w[i*d+k] / w[k*d+k]
			w[i*d+k] = f
			vmath.Axpy(w[i*d+k+1:(i+1)*d], -f, w[k*d+k+1:(k+1)*d])
		}
	}
	return d
}

// rotation makes the rows of a random matrix orthonormal (Gram and Schmidt, twice).
func rotation(w []float64, d int) []float64 {
	for i := range d {
		row := w[i*d : (i+1)*d]
		for range 2 {
			for k := range i {
				q := w[k*d : (k+1)*d]
				vmath.Axpy(row, -vmath.Dot(row, q), q)
			}
		}
		n := math.Sqrt(vmath.Dot(row, row))
		for j := range row {
			row[j] /= n
		}
	}
	return w
}

type linear struct {
	d            int
	perm         []int // row i of L (T + diag s) is row perm[i] of W
	sign, s      []float64
	lower, upper []float64 // L with its ones, T + diag s
	w, wt        []float64 // W and its transpose
	logDet       float64
}

func (l *linear) numParams() int { return l.d * l.d }
func (l *linear) numRaw() int    { return l.d*l.d + 1 } // of W, and the sum of dld

func (l *linear) check(theta []float64) (any, string) {
	for j, p := range theta[l.d*(l.d-1):] {
		if math.Abs(p) > maxLog {
			return fmt.Sprintf("log|s[%d]| = %v", j, p), "|s| between 1e-100 and 1e100: lower the learning rate"
		}
	}
	return nil, ""
}

func (l *linear) set(theta []float64) {
	d := l.d
	lo, up := 0, d*(d-1)/2
	l.logDet = 0
	for i := range d {
		lo += copy(l.lower[i*d:i*d+i], theta[lo:])
		l.lower[i*d+i] = 1
		up += copy(l.upper[i*d+i+1:(i+1)*d], theta[up:])
		p := theta[d*(d-1)+i]
		l.s[i] = l.sign[i] * vmath.Exp(p)
		l.upper[i*d+i] = l.s[i]
		l.logDet += p
	}
	for i, p := range l.perm {
		row := l.w[p*d : (p+1)*d]
		clear(row)
		for k := range i + 1 {
			vmath.Axpy(row[k:], l.lower[i*d+k], l.upper[k*d+k:(k+1)*d])
		}
		for j, v := range row {
			l.wt[j*d+p] = v
		}
	}
}

func (l *linear) chain(dst, raw []float64) {
	d := l.d
	lo, up, diag := 0, d*(d-1)/2, d*(d-1)
	gm := make([]float64, d*d) // of L (T + diag s)
	for i, p := range l.perm {
		copy(gm[i*d:(i+1)*d], raw[p*d:])
	}
	gu := make([]float64, d)
	for i := range d {
		for k := range i {
			dst[lo] += vmath.Dot(gm[i*d+k:(i+1)*d], l.upper[k*d+k:(k+1)*d])
			lo++
		}
		clear(gu)
		for k := i; k < d; k++ {
			vmath.Axpy(gu, l.lower[k*d+i], gm[k*d:(k+1)*d])
		}
		dst[diag+i] += gu[i]*l.s[i] + raw[d*d]
		for _, g := range gu[i+1:] {
			dst[up] += g
			up++
		}
	}
}

func (l *linear) newWork() work {
	return &linearWork{l, make([]float64, blockRows*l.d), make([]float64, l.d)}
}

type linearWork struct {
	l *linear
	x []float64 // as it came in
	y []float64 // one row
}

func (k *linearWork) normalise(x, ld []float64, keep bool) {
	l, d := k.l, k.l.d
	copy(k.x, x)
	for i := range ld {
		for j := range d {
			x[i*d+j] = vmath.Dot(l.w[j*d:(j+1)*d], k.x[i*d:(i+1)*d])
		}
		ld[i] += l.logDet
	}
}

func (k *linearWork) generate(z, ld []float64) {
	l, d := k.l, k.l.d
	for i := range ld {
		row, y := z[i*d:(i+1)*d], k.y
		for j, p := range l.perm {
			y[j] = row[p] - vmath.Dot(l.lower[j*d:j*d+j], y[:j])
		}
		for j := d - 1; j >= 0; j-- {
			row[j] = (y[j] - vmath.Dot(l.upper[j*d+j+1:(j+1)*d], row[j+1:])) / l.s[j]
		}
		ld[i] -= l.logDet
	}
}

func (k *linearWork) pull(raw, g, dld []float64) {
	l, d := k.l, k.l.d
	for i, dl := range dld {
		gi := g[i*d : (i+1)*d]
		copy(k.y, gi)
		if raw != nil {
			for j, v := range k.y {
				vmath.Axpy(raw[j*d:(j+1)*d], v, k.x[i*d:(i+1)*d])
			}
			raw[d*d] += dl
		}
		for j := range gi {
			gi[j] = vmath.Dot(l.wt[j*d:(j+1)*d], k.y)
		}
	}
}
