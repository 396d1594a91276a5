package diffusion

import (
	"fmt"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/linalg"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Law is the law of X_t = a(t) X_0 + b(t) X_1 + c(t) z for independent Gaussian
// mixtures X_0, X_1 and standard normal z, at every t: it is a mixture again,
// with one component for each pair of components k = (k_0, k_1),
//
//	m_k(t) = a m_k0 + b m_k1,   C_k(t) = a^2 C_k0 + b^2 C_k1 + c^2 I,
//
// so that density, score and conditional expectations are known in closed form.
// Marginal makes it for a Process, Interpolant.Law for an interpolant. A Law is
// safe for concurrent use.
type Law struct {
	d     int
	coef  func(t float64) coefs
	diag  bool      // covariances are held as their diagonals
	size  int       // numbers held of a covariance: d, or d x d
	step  int       // from one of its diagonal entries to the next
	logw  []float64 // K log-weights, normalised
	m0    []float64 // K x d
	m1    []float64
	c0    []float64 // K x size
	c1    []float64
	works sync.Pool // *lawWork
}

// coefs are a, b, c^2 and a', b', c c' = (c^2)'/2 at one time. The last is
// finite where c' is not.
type coefs struct{ a, b, c2, da, db, cdc float64 }

// Marginal returns the law of X_t of the process, review eq. (55), started from
// data at t = 0: p_t, its score, and the drift of the probability flow in closed
// form. data is an *energy.Mixture, *energy.Gaussian or
// *energy.DiagonalGaussian. It returns *ebmkit.ArgError for another energy, or
// if a parameter of the process is out of range.
func Marginal(p Process, data ebmkit.Energy) (*Law, error) {
	const fn = "diffusion.Marginal"
	if err := checkProcess(fn, p); err != nil {
		return nil, err
	}
	m, err := componentsOf(fn, "data", data)
	if err != nil {
		return nil, err
	}
	return newLaw(origin(m.d), m, func(t float64) coefs {
		mean, sd := p.Kernel(t)
		r, g := p.Rate(t), p.Diffusion(t)
		return coefs{b: mean, c2: sd * sd, db: r * mean, cdc: r*sd*sd + g*g/2}
	}), nil
}

// components is a Gaussian mixture taken apart.
type components struct {
	d         int
	diag      bool
	logw      []float64
	mean, cov []float64 // K x d, K x d x d
}

// origin is the law of a point at 0.
func origin(d int) components {
	return components{d: d, diag: true, logw: []float64{0}, mean: make([]float64, d), cov: make([]float64, d*d)}
}

func componentsOf(fn, arg string, e ebmkit.Energy) (components, error) {
	switch e := e.(type) {
	case *energy.Mixture:
		m := components{d: e.Dim(), diag: true}
		for k, w := range e.Weights(nil) {
			if w > 0 {
				m.add(vmath.Log(w), e.Component(k))
			}
		}
		return m, nil
	case energy.Component:
		m := components{d: e.Dim(), diag: true}
		m.add(0, e)
		return m, nil
	case nil:
		return components{}, &ebmkit.ArgError{Func: fn, Arg: arg, Value: nil, Want: "a Gaussian mixture"}
	}
	return components{}, &ebmkit.ArgError{Func: fn, Arg: arg, Value: ebmkit.TypeName(e),
		Want: "an *energy.Mixture, *energy.Gaussian or *energy.DiagonalGaussian (another density has no closed form)"}
}

func (m *components) add(logw float64, c energy.Component) {
	_, diag := c.(*energy.DiagonalGaussian)
	m.diag = m.diag && diag
	m.logw = append(m.logw, logw)
	m.mean = append(m.mean, c.Mean(nil)...)
	m.cov = append(m.cov, c.Cov(nil)...)
}

func newLaw(x0, x1 components, coef func(t float64) coefs) *Law {
	d := x0.d
	l := &Law{d: d, coef: coef, diag: x0.diag && x1.diag, size: d * d, step: d + 1}
	if l.diag {
		l.size, l.step = d, 1
	}
	cov := func(dst, c []float64) []float64 {
		if !l.diag {
			return append(dst, c...)
		}
		for j := range d {
			dst = append(dst, c[j*d+j])
		}
		return dst
	}
	for k0, w0 := range x0.logw {
		for k1, w1 := range x1.logw {
			l.logw = append(l.logw, w0+w1)
			l.m0 = append(l.m0, x0.mean[k0*d:(k0+1)*d]...)
			l.m1 = append(l.m1, x1.mean[k1*d:(k1+1)*d]...)
			l.c0 = cov(l.c0, x0.cov[k0*d*d:(k0+1)*d*d])
			l.c1 = cov(l.c1, x1.cov[k1*d*d:(k1+1)*d*d])
		}
	}
	return l
}

// Dim returns d.
func (l *Law) Dim() int { return l.d }

// String names the law.
func (l *Law) String() string { return fmt.Sprintf("Law(K = %d, d = %d)", len(l.logw), l.d) }

// At returns the law at time t as an energy, with density, exact sampler and
// moments. It returns *ebmkit.ArgError if a covariance is singular at t.
func (l *Law) At(t float64) (*energy.Mixture, error) {
	c, d := l.coef(t), l.d
	weights, comps := make([]float64, len(l.logw)), make([]energy.Component, len(l.logw))
	for k, w := range l.logw {
		weights[k] = vmath.Exp(w)
		mean := make([]float64, d)
		for j := range mean {
			mean[j] = c.a*l.m0[k*d+j] + c.b*l.m1[k*d+j]
		}
		cov := l.combine(nil, k, c.a*c.a, c.b*c.b, c.c2)
		var err error
		if l.diag {
			for j, v := range cov {
				cov[j] = math.Sqrt(v)
			}
			comps[k], err = energy.NewDiagonalGaussian(mean, cov)
		} else {
			comps[k], err = energy.NewGaussian(mean, cov)
		}
		if err != nil {
			return nil, &ebmkit.ArgError{Func: "diffusion.Law.At", Arg: "t", Value: t, Want: "a time at which the law has a density"}
		}
	}
	return energy.NewMixture(weights, comps)
}

// combine writes u C_k0 + v C_k1 + w I into dst (allocated if nil).
func (l *Law) combine(dst []float64, k int, u, v, w float64) []float64 {
	if dst == nil {
		dst = make([]float64, l.size)
	}
	c0, c1 := l.c0[k*l.size:], l.c1[k*l.size:]
	for i := range dst {
		dst[i] = u*c0[i] + v*c1[i]
	}
	for i := 0; i < l.size; i += l.step {
		dst[i] += w
	}
	return dst
}

// LogDensity writes log p_t(x_i) for the rows of xs into dst (one number per
// row). It panics on a wrong length. Where the law has no density at t the
// result is NaN.
func (l *Law) LogDensity(dst []float64, t float64, xs []float64) {
	ebmkit.CheckRows("diffusion: Law.LogDensity", l.d, dst, nil, xs)
	l.do(ask{logp: dst}, t, xs)
}

// Score returns the field grad log p_t(x). It has a Divergence.
func (l *Law) Score() DivergenceField { return condition{l, score} }

// Velocity returns the field
//
//	b(x, t) = E[a' X_0 + b' X_1 + c' z | X_t = x]
//
// of review eq. (62), which transports p_t by eq. (61). For the law of a Process
// it is the drift of the probability flow, r x - g^2/2 grad log p_t. It has a
// Divergence.
func (l *Law) Velocity() DivergenceField { return condition{l, velocity} }

// Denoiser returns the field E[z | X_t = x] = -c(t) grad log p_t(x), which stays
// bounded where c goes to 0. It has a Divergence.
func (l *Law) Denoiser() DivergenceField { return condition{l, denoiser} }

// what is a conditional expectation of a quantity that is Gaussian, jointly with
// X_t, in each component: with mean v_k and covariance M_k with X_t,
//
//	E[q | x] = sum_k r_k(x) w_k(x),   w_k = v_k + M_k C_k^-1 (x - m_k),
//
// where r_k is the probability that x came from component k. Its divergence is
//
//	sum_k r_k [tr(M_k C_k^-1) + (s_k - s) . w_k],   s_k = -C_k^-1 (x - m_k),   s = sum_k r_k s_k.
type what int

const (
	score    what = iota // v = 0, M = -I
	denoiser             // v = 0, M = c I
	velocity             // v = a' m_0 + b' m_1, M = a a' C_0 + b b' C_1 + c c' I
)

// condition is a conditional expectation as a field.
type condition struct {
	l    *Law
	what what
}

var _ DivergenceField = condition{}

func (f condition) Dim() int { return f.l.d }

func (f condition) At(dst []float64, t float64, xs []float64) {
	ebmkit.CheckRows("diffusion: Field.At", f.l.d, nil, dst, xs)
	f.l.do(ask{what: f.what, field: dst}, t, xs)
}

func (f condition) Divergence(dst []float64, t float64, xs []float64) {
	ebmkit.CheckRows("diffusion: Field.Divergence", f.l.d, dst, nil, xs)
	f.l.do(ask{what: f.what, div: dst}, t, xs)
}

// ask says what to compute; nil slices are not.
type ask struct {
	what             what
	logp, field, div []float64
}

// do answers for all rows.
func (l *Law) do(q ask, t float64, xs []float64) {
	w, ok := l.works.Get().(*lawWork)
	if !ok {
		w = newLawWork(l)
	}
	if l.diag && l.d <= 2 && q.div == nil && q.what != velocity {
		w.plane(q, t, xs)
	} else {
		w.set(t)
		d := l.d
		for lo := 0; lo < len(xs)/d; lo += lawRows {
			hi := min(lo+lawRows, len(xs)/d)
			w.block(q.rows(lo, hi, d), xs[lo*d:hi*d])
		}
	}
	l.works.Put(w)
}

func (q ask) rows(lo, hi, d int) ask {
	if q.logp != nil {
		q.logp = q.logp[lo:hi]
	}
	if q.field != nil {
		q.field = q.field[lo*d : hi*d]
	}
	if q.div != nil {
		q.div = q.div[lo:hi]
	}
	return q
}

// lawRows is the number of rows whose terms are held at once.
const lawRows = 64

// lawWork is the law at one time, and room for a block of rows.
type lawWork struct {
	l     *Law
	c     coefs
	mean  []float64 // K x d
	prec  []float64 // inverse covariances, as Law.c0
	vel   []float64 // v_k of the velocity
	cross []float64 // M_k of the velocity, as Law.c0
	trP   []float64 // K traces of prec, and of cross prec
	trMP  []float64
	log   []float64 // K: log-weight + log-normaliser
	chol  []float64
	table []float64 // for vmath.MixtureGrad2
	tmp   []float64

	r []float64 // K x rows: log w_k N_k(x), then r_k
	g []float64 // K x rows x d: C_k^-1 (x - m_k)
	s []float64 // d: score of a row

	pairs, grads [2 * lawRows]float64 // for points on the line
}

func newLawWork(l *Law) *lawWork {
	k, d, n := len(l.logw), l.d, len(l.c0)
	return &lawWork{l: l, mean: make([]float64, k*d), prec: make([]float64, n), vel: make([]float64, k*d), cross: make([]float64, n),
		trP: make([]float64, k), trMP: make([]float64, k), log: make([]float64, k), chol: make([]float64, d*d),
		table: make([]float64, 5*k), tmp: make([]float64, 12*k+d),
		r: make([]float64, k*lawRows), g: make([]float64, k*lawRows*d), s: make([]float64, d)}
}

const log2Pi = 1.837877066409345483560659472811

// set computes the components at time t.
func (w *lawWork) set(t float64) {
	l := w.l
	w.c = l.coef(t)
	c, d := w.c, l.d
	for j, m0 := range l.m0 {
		w.mean[j] = c.a*m0 + c.b*l.m1[j]
		w.vel[j] = c.da*m0 + c.db*l.m1[j]
	}
	for k := range l.logw {
		p, m := w.prec[k*l.size:(k+1)*l.size], w.cross[k*l.size:(k+1)*l.size]
		l.combine(p, k, c.a*c.a, c.b*c.b, c.c2)
		l.combine(m, k, c.a*c.da, c.b*c.db, c.cdc)
		var logdet float64
		if l.diag {
			for j, v := range p {
				logdet += vmath.Log(v)
				p[j] = 1 / v
			}
		} else {
			logdet = invert(p, w.chol, d)
		}
		w.log[k] = l.logw[k] - (logdet+float64(d)*log2Pi)/2
		w.trP[k], w.trMP[k] = 0, 0
		for j, v := range m {
			w.trMP[k] += v * p[j] // both are symmetric
		}
		for j := 0; j < l.size; j += l.step {
			w.trP[k] += p[j]
		}
	}
}

// invert replaces the positive definite a by its inverse and returns log det a.
// All become NaN if it is not positive definite: there is no density then. l is
// scratch of the size of a.
func invert(a, l []float64, d int) (logdet float64) {
	logdet, bad := linalg.Cholesky(l, a, d, 0)
	if bad >= 0 {
		for i := range a {
			a[i] = math.NaN()
		}
		return math.NaN()
	}
	linalg.InvertLower(l, l, d)
	linalg.Gram(a, l, d)
	return logdet
}

// block answers for a block of rows.
func (w *lawWork) block(q ask, xs []float64) {
	l := w.l
	d, kk := l.d, len(l.logw)
	n := len(xs) / d
	for k := range kk {
		r, g := w.r[k*n:(k+1)*n], w.g[k*n*d:(k+1)*n*d]
		mean := w.mean[k*d : (k+1)*d]
		for i := range n {
			gi := g[i*d : (i+1)*d]
			r[i] = w.log[k] - w.solve(gi, k, xs[i*d:(i+1)*d], mean)/2
		}
	}
	for i := range n {
		t := math.Inf(-1)
		for k := range kk {
			if v := w.r[k*n+i]; !(v <= t) {
				t = v
			}
		}
		if q.logp != nil {
			q.logp[i] = t
		}
		for k := range kk {
			w.r[k*n+i] -= t
		}
	}
	vmath.ExpSlice(w.r[:kk*n], w.r[:kk*n])
	for i := range n {
		var sum float64
		for k := range kk {
			sum += w.r[k*n+i]
		}
		if q.logp != nil {
			q.logp[i] += vmath.Log(sum)
		}
		for k := range kk {
			w.r[k*n+i] /= sum
		}
		if q.field != nil {
			w.expect(q.what, q.field[i*d:(i+1)*d], i, n)
		}
		if q.div != nil {
			q.div[i] = w.divergence(q.what, i, n)
		}
	}
}

// solve writes P_k (x - mean) into g and returns (x - mean)' P_k (x - mean).
func (w *lawWork) solve(g []float64, k int, x, mean []float64) float64 {
	d := w.l.d
	var q float64
	if w.l.diag {
		p := w.prec[k*d : (k+1)*d]
		for j, v := range x {
			y := v - mean[j]
			g[j] = p[j] * y
			q += g[j] * y
		}
		return q
	}
	y := w.tmp[:d]
	for j, v := range x {
		y[j] = v - mean[j]
	}
	for j := range g {
		g[j] = vmath.Dot(w.prec[k*d*d+j*d:k*d*d+(j+1)*d], y)
		q += g[j] * y[j]
	}
	return q
}

// part writes w_k for row i of n into dst.
func (w *lawWork) part(what what, dst []float64, k, i, n int) {
	d := w.l.d
	g := w.g[(k*n+i)*d : (k*n+i+1)*d]
	switch {
	case what == score:
		for j, v := range g {
			dst[j] = -v
		}
	case what == denoiser:
		c := math.Sqrt(w.c.c2)
		for j, v := range g {
			dst[j] = c * v
		}
	case w.l.diag:
		for j, v := range g {
			dst[j] = w.vel[k*d+j] + w.cross[k*d+j]*v
		}
	default:
		for j := range dst {
			dst[j] = w.vel[k*d+j] + vmath.Dot(w.cross[k*d*d+j*d:k*d*d+(j+1)*d], g)
		}
	}
}

// expect writes sum_k r_k w_k for row i of n into dst.
func (w *lawWork) expect(what what, dst []float64, i, n int) {
	clear(dst)
	part := w.tmp[:len(dst)]
	for k := range w.l.logw {
		r := w.r[k*n+i]
		if r == 0 { // leaves out overflowed terms
			continue
		}
		w.part(what, part, k, i, n)
		for j, v := range part {
			dst[j] += r * v
		}
	}
}

// divergence returns the divergence of the expectation at row i of n.
func (w *lawWork) divergence(what what, i, n int) float64 {
	d := w.l.d
	w.expect(score, w.s, i, n)
	part := w.tmp[:d]
	var div float64
	for k := range w.l.logw {
		r := w.r[k*n+i]
		if r == 0 {
			continue
		}
		tr := w.trMP[k]
		switch what {
		case score:
			tr = -w.trP[k]
		case denoiser:
			tr = math.Sqrt(w.c.c2) * w.trP[k]
		}
		w.part(what, part, k, i, n)
		g := w.g[(k*n+i)*d : (k*n+i+1)*d]
		for j, v := range part {
			tr -= (g[j] + w.s[j]) * v
		}
		div += r * tr
	}
	return div
}

// plane answers for an axis-aligned mixture in the plane, with the fast kernel of
// energy.Mixture, and for one on the line, as a plane whose second coordinate is 0.
func (w *lawWork) plane(q ask, t float64, xs []float64) {
	l, d := w.l, w.l.d
	c := l.coef(t)
	for k, lw := range l.logw {
		row := w.table[5*k : 5*k+5]
		row[0], row[2], row[4] = lw-float64(d)/2*log2Pi, 0, -0.5
		v := 1.0
		for j := range d {
			i := d*k + j
			row[1+j] = c.a*l.m0[i] + c.b*l.m1[i]
			variance := c.a*c.a*l.c0[i] + c.b*c.b*l.c1[i] + c.c2
			row[3+j] = -0.5 / variance
			v *= variance
		}
		row[0] -= vmath.Log(v) / 2
	}
	if d == 2 {
		vmath.MixtureGrad2(q.logp, q.field, xs, w.table, w.tmp)
	} else {
		w.onLine(q, xs)
	}
	factor := -1.0
	if q.what == denoiser {
		factor = math.Sqrt(c.c2)
	}
	for i, v := range q.logp {
		q.logp[i] = -v
	}
	for i, v := range q.field {
		q.field[i] = factor * v
	}
}

// onLine is MixtureGrad2 for one coordinate.
func (w *lawWork) onLine(q ask, xs []float64) {
	for lo := 0; lo < len(xs); lo += lawRows {
		hi := min(lo+lawRows, len(xs))
		b := q.rows(lo, hi, 1)
		x, grad := w.pairs[:2*(hi-lo)], []float64(nil)
		for i, v := range xs[lo:hi] {
			x[2*i] = v
		}
		if b.field != nil {
			grad = w.grads[:2*(hi-lo)]
		}
		vmath.MixtureGrad2(b.logp, grad, x, w.table, w.tmp)
		for i := range b.field {
			b.field[i] = grad[2*i]
		}
	}
}
