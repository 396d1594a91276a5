package vmath

import "math"

// MixtureGrad2 evaluates the energy of a mixture of K axis-aligned Gaussians in
// the plane, at the n rows (x0, x1) of xs:
//
//	a_k(x) = c_k + q_k0 (x0 - m_k0)^2 + q_k1 (x1 - m_k1)^2
//	u[i] = -log sum_k exp(a_k(x_i)),   grad[2i+j] = du[i]/dx_j
//
// table holds c_k, m_k0, m_k1, q_k0, q_k1 for each k: q = -1/(2 variance), c =
// log weight + log normaliser, finite (leave components of weight 0 out). u
// (length n) or grad (length 2n) may be nil; neither may overlap xs. scratch has
// at least 12K elements. Where every square overflows u is +Inf and the gradient
// NaN; a NaN in a row makes all of its results NaN. Terms below e^-708 of the
// largest count as e^-708 of it. It panics on a wrong length.
func MixtureGrad2(u, grad, xs, table, scratch []float64) {
	n, k := len(xs)/2, len(table)/5
	if len(xs) != 2*n || len(table) != 5*k || k == 0 || len(scratch) < 12*k ||
		u != nil && len(u) != n || grad != nil && len(grad) != 2*n {
		panic("vmath: MixtureGrad2: lengths do not fit")
	}
	done := 0
	if useAVX2 {
		done = n &^ 3
	}
	var tops [64]float64
	for lo := 0; lo < done; lo += len(tops) {
		rows := min(done-lo, len(tops))
		if u == nil && grad != nil {
			mixtureGrad2AVX2(nil, nil, &grad[2*lo], &xs[2*lo], rows, &table[0], k, &scratch[0])
			continue
		}
		if u == nil {
			break
		}
		ub := u[lo : lo+rows]
		if grad == nil {
			mixtureEnergy2AVX2(&ub[0], &tops[0], &xs[2*lo], rows, &table[0], k, &scratch[0])
		} else {
			mixtureGrad2AVX2(&ub[0], &tops[0], &grad[2*lo], &xs[2*lo], rows, &table[0], k, &scratch[0])
		}
		LogSlice(ub, ub)
		for i, t := range tops[:rows] {
			ub[i] = 0 - (ub[i] + t)
		}
	}
	for i := done; i < n; i++ {
		ui, g0, g1 := mixture2(xs[2*i], xs[2*i+1], table, scratch)
		if u != nil {
			u[i] = ui
		}
		if grad != nil {
			grad[2*i], grad[2*i+1] = g0, g1
		}
	}
}

// mixture2 is MixtureGrad2 of one row.
func mixture2(x0, x1 float64, table, a []float64) (u, g0, g1 float64) {
	top := math.Inf(-1)
	for k := range len(table) / 5 {
		t := table[5*k : 5*k+5]
		d0, d1 := x0-t[1], x1-t[2]
		v := math.FMA(float64(t[4]*d1), d1, math.FMA(float64(t[3]*d0), d0, t[0]))
		a[k] = v
		if !(top > v) { // a NaN stays
			top = v
		}
	}
	var sum float64
	for k := range len(table) / 5 {
		t := table[5*k : 5*k+5]
		v := a[k] - top
		if !(v > -expFast) {
			v = -expFast
		}
		e := expWeight(v)
		sum += e
		g0 = math.FMA(e, float64(t[3]*(x0-t[1])), g0)
		g1 = math.FMA(e, float64(t[4]*(x1-t[2])), g1)
	}
	u = 0 - (logNormal(sum, intMagic+1023) + top)
	scale := -2/sum + (top - top) // NaN unless top is finite
	return u, float64(g0 * scale), float64(g1 * scale)
}

// expWeight returns e^v for -708 <= v <= 0 with the relative error 1e-15 +
// 1e-16 |v|: what a softmax needs, where e^v stands beside a 1.
func expWeight(v float64) float64 {
	t := math.FMA(v, log2e, roundMagic)
	r := math.FMA(t-roundMagic, -math.Ln2, v)
	r2 := float64(r * r)
	r4 := float64(r2 * r2)
	a0 := math.FMA(ew1, r, ew0)
	a1 := math.FMA(ew3, r, ew2)
	a2 := math.FMA(ew5, r, ew4)
	a3 := math.FMA(ew7, r, ew6)
	b0 := math.FMA(a1, r2, a0)
	b1 := math.FMA(a3, r2, a2)
	b1 = math.FMA(r4, ew8, b1)
	b0 = math.FMA(b1, r4, b0)
	p := math.FMA(b0, r2, 1+r)
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(t)<<52)
}

// (e^r - 1 - r)/r^2 on |r| <= log(2)/2, interpolated at Chebyshev nodes; it
// puts 9e-16 of relative error on e^r.
const (
	ew0 = 0x1.0000000000000p-1
	ew1 = 0x1.5555555553b78p-3
	ew2 = 0x1.5555555554cb7p-5
	ew3 = 0x1.1111111c478ebp-7
	ew4 = 0x1.6c16c1738ff55p-10
	ew5 = 0x1.a019ada3609f3p-13
	ew6 = 0x1.a019c9a5652d3p-16
	ew7 = 0x1.72c72ca338df0p-19
	ew8 = 0x1.2880411bad1aap-22
)
