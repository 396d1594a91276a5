package mcmc

import "math"

// eigen is a symmetric matrix Q diag(Values) Q'.
type eigen struct {
	d      int
	values []float64
	q      []float64 // column j is the eigenvector of values[j]
}

// eigenOf decomposes the symmetric d x d matrix a by cyclic Jacobi rotations,
// which find small eigenvalues as accurately as large ones.
func eigenOf(a []float64, d int) eigen {
	m := append([]float64(nil), a...)
	q := make([]float64, d*d)
	for i := range d {
		q[i*d+i] = 1
	}
	for range 50 {
		var off, diag float64
		for i := range d {
			diag += m[i*d+i] * m[i*d+i]
			for j := range i {
				off += m[i*d+j] * m[i*d+j]
			}
		}
		if off <= 1e-34*diag {
			break
		}
		for i := range d {
			for j := range i {
				rotate(m, q, d, i, j)
			}
		}
	}
	e := eigen{d: d, values: make([]float64, d), q: q}
	for i := range d {
		e.values[i] = m[i*d+i]
	}
	return e
}

// rotate makes m[i][j] zero and applies the same rotation to q.
func rotate(m, q []float64, d, i, j int) {
	if m[i*d+j] == 0 {
		return
	}
	theta := (m[j*d+j] - m[i*d+i]) / (2 * m[i*d+j])
	t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	for k := range d {
		a, b := m[k*d+i], m[k*d+j]
		m[k*d+i], m[k*d+j] = c*a-s*b, s*a+c*b
	}
	for k := range d {
		a, b := m[i*d+k], m[j*d+k]
		m[i*d+k], m[j*d+k] = c*a-s*b, s*a+c*b
		a, b = q[k*d+i], q[k*d+j]
		q[k*d+i], q[k*d+j] = c*a-s*b, s*a+c*b
	}
}

// apply returns Q diag(f(Values)) Q', exactly symmetric.
func (e eigen) apply(f func(float64) float64) []float64 {
	d := e.d
	fv := make([]float64, d)
	for k, v := range e.values {
		fv[k] = f(v)
	}
	m := make([]float64, d*d)
	for i := range d {
		for j := 0; j <= i; j++ {
			var s float64
			for k := range d {
				s += e.q[i*d+k] * fv[k] * e.q[j*d+k]
			}
			m[i*d+j], m[j*d+i] = s, s
		}
	}
	return m
}

// multiply returns a*b for d x d matrices.
func multiply(a, b []float64, d int) []float64 {
	m := make([]float64, d*d)
	for i := range d {
		for k := range d {
			v := a[i*d+k]
			for j := range d {
				m[i*d+j] += v * b[k*d+j]
			}
		}
	}
	return m
}

// sandwich returns a*s*a for symmetric a and s, exactly symmetric.
func sandwich(a, s []float64, d int) []float64 {
	m := multiply(multiply(a, s, d), a, d)
	for i := range d {
		for j := range i {
			v := (m[i*d+j] + m[j*d+i]) / 2
			m[i*d+j], m[j*d+i] = v, v
		}
	}
	return m
}
