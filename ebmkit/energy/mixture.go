package energy

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/linalg"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Component is what a Mixture is made of: *Gaussian or *DiagonalGaussian.
type Component interface {
	Normal
	ebmkit.ScoreParametric

	clone() Component
	addLogZGrad(dst []float64, c float64) // dst += c d(log Z)/dtheta
	curv(v []float64) float64             // v' (Hess U) v
}

// Mixture is the energy of a Gaussian mixture with K components N_k of any
// dimension,
//
//	U(x) = -log sum_k w_k N_k(x),
//	log Z = log sum_k w_k.
//
// This is review eq. (8) corrected: the review prints U = +log[...], without
// the normalisers 1/sigma_k of the components and without the factor 1/2 in the
// exponents. The weights need not sum to one.
//
// The parameters are the log-weights, then the parameters of each component:
//
//	theta = (log w_0 .. log w_{K-1}, theta_0, .., theta_{K-1}).
type Mixture struct {
	d     int
	logw  []float64
	comps []Component
	logZ  float64
	plane []float64 // table for vmath.MixtureGrad2, if it applies

	eval  evaluators
	parts sync.Pool // *mixtureEvaluator, for the gradients in theta
}

var (
	_ ebmkit.ScoreParametric = (*Mixture)(nil)
	_ ebmkit.Differentiable  = (*Mixture)(nil)
	_ ebmkit.Batched         = (*Mixture)(nil)
	_ ebmkit.Normalized      = (*Mixture)(nil)
	_ ebmkit.Sampler         = (*Mixture)(nil)
	_ ebmkit.Moments         = (*Mixture)(nil)
	_ ebmkit.Modes           = (*Mixture)(nil)
)

// NewMixture returns the energy of the mixture sum_k weights[k] comps[k]; the
// components are copied. It returns *ebmkit.ArgError if the lengths differ, a
// weight is negative or all are zero, or the dimensions of the components
// differ.
func NewMixture(weights []float64, comps []Component) (*Mixture, error) {
	return newMixture("energy.NewMixture", weights, comps)
}

// NewMixture1D returns the energy of sum_k weights[k] N(means[k], sds[k]^2) in
// one dimension. It returns *ebmkit.ArgError if the lengths differ, a weight is
// negative or all are zero, a mean is not finite or a standard deviation not
// positive.
func NewMixture1D(weights, means, sds []float64) (*Mixture, error) {
	const fn = "energy.NewMixture1D"
	if err := wantVector(fn, "means", means, len(weights), wantFinite); err != nil {
		return nil, err
	}
	if err := wantVector(fn, "sds", sds, len(weights), wantSD); err != nil {
		return nil, err
	}
	comps := make([]Component, len(means))
	for k := range comps {
		g, err := newDiagonal(fn, means[k:k+1], sds[k:k+1])
		if err != nil {
			return nil, err
		}
		comps[k] = g
	}
	return newMixture(fn, weights, comps)
}

// NewRing returns the energy of an equal mixture of k isotropic Gaussians in
// the plane, with standard deviation sd and means on a circle:
//
//	mean_j = radius (cos(2 pi j/k), sin(2 pi j/k)).
//
// It returns *ebmkit.ArgError if k < 1, radius is negative or sd not positive.
func NewRing(k int, radius, sd float64) (*Mixture, error) {
	return NewWeightedRing(slices.Repeat([]float64{1 / float64(max(k, 1))}, max(k, 0)), radius, sd)
}

// NewWeightedRing is NewRing with len(weights) modes of unequal masses.
func NewWeightedRing(weights []float64, radius, sd float64) (*Mixture, error) {
	const fn = "energy.NewRing"
	k := len(weights)
	if k < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "k", Value: k, Want: "at least 1 mode"}
	}
	if !(radius >= 0) || !isFinite(radius) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "radius", Value: radius, Want: "a non-negative finite number"}
	}
	if err := wantSD(fn, "sd", sd); err != nil {
		return nil, err
	}
	comps := make([]Component, k)
	for j := range comps {
		s, c := vmath.SinCos2Pi(float64(j) / float64(k))
		g, err := newDiagonal(fn, []float64{radius * c, radius * s}, []float64{sd, sd})
		if err != nil {
			return nil, err
		}
		comps[j] = g
	}
	return newMixture(fn, weights, comps)
}

func newMixture(fn string, weights []float64, comps []Component) (*Mixture, error) {
	if len(weights) == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(weights)", Value: 0, Want: "at least 1"}
	}
	if len(comps) != len(weights) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(comps)", Value: len(comps), Want: fmt.Sprintf("%d, one per weight", len(weights))}
	}
	m := &Mixture{logw: make([]float64, len(weights)), comps: make([]Component, len(comps))}
	var sum float64
	for k, w := range weights {
		if !(w >= 0) || !isFinite(w) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("weights[%d]", k), Value: w, Want: "a non-negative finite number"}
		}
		sum += w
		m.logw[k] = math.Inf(-1)
		if w > 0 {
			m.logw[k] = vmath.Log(w)
		}
	}
	if sum == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "weights", Value: weights, Want: "at least one positive weight"}
	}
	for k, c := range comps {
		if c == nil {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("comps[%d]", k), Value: nil, Want: "a component"}
		}
		if c.Dim() != comps[0].Dim() {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("comps[%d].Dim()", k), Value: c.Dim(),
				Want: fmt.Sprintf("%d, as comps[0]", comps[0].Dim())}
		}
		m.comps[k] = c.clone()
	}
	m.d = comps[0].Dim()
	m.refresh()
	return m, nil
}

func (m *Mixture) refresh() {
	m.logZ = vmath.LogSumExp(m.logw)
	m.plane = planeTable(m.plane[:0], m.logw, m.comps)
}

// planeTable returns what vmath.MixtureGrad2 reads, or nil unless this is a
// mixture of axis-aligned Gaussians in the plane.
func planeTable(t, logw []float64, comps []Component) []float64 {
	for k, c := range comps {
		g, ok := c.(*DiagonalGaussian)
		if !ok || len(g.mean) != 2 {
			return nil
		}
		if !math.IsInf(logw[k], -1) {
			t = append(t, logw[k]-g.logZ, g.mean[0], g.mean[1], -g.prec[0]/2, -g.prec[1]/2)
		}
	}
	return t
}

// Dim returns d.
func (m *Mixture) Dim() int { return m.d }

// String names the energy.
func (m *Mixture) String() string { return fmt.Sprintf("Mixture(K = %d, d = %d)", len(m.comps), m.d) }

// NumComponents returns K.
func (m *Mixture) NumComponents() int { return len(m.comps) }

// Component returns a copy of component k.
func (m *Mixture) Component(k int) Component { return m.comps[k].clone() }

// Weights writes the normalised weights w_k / sum_j w_j into dst (length K,
// allocated if nil).
func (m *Mixture) Weights(dst []float64) []float64 {
	dst = into("Mixture.Weights", dst, len(m.logw))
	for k, l := range m.logw {
		dst[k] = vmath.Exp(l - m.logZ)
	}
	return dst
}

// Energy returns -log sum_k w_k N_k(x).
func (m *Mixture) Energy(x []float64) float64 {
	checkX("Mixture.Energy", m.d, nil, x)
	return m.eval.one(m, nil, x)
}

// EnergyGrad writes sum_k r_k(x) grad U_k(x) into grad and returns U(x), where
// r_k(x) = w_k N_k(x) / sum_j w_j N_j(x).
func (m *Mixture) EnergyGrad(grad, x []float64) float64 {
	checkX("Mixture.EnergyGrad", m.d, grad, x)
	return m.eval.one(m, grad, x)
}

// Responsibilities writes r_k(x), the probability that x came from component k,
// into dst (length K, allocated if nil).
func (m *Mixture) Responsibilities(dst, x []float64) []float64 {
	checkX("Mixture.Responsibilities", m.d, nil, x)
	dst = into("Mixture.Responsibilities", dst, len(m.comps))
	for k, c := range m.comps {
		dst[k] = m.logw[k] - c.LogZ() - c.Energy(x)
	}
	top := vmath.LogSumExp(dst)
	for k := range dst {
		dst[k] = vmath.Exp(dst[k] - top)
	}
	return dst
}

// mixtureBlock is the number of rows whose terms are held at once: contiguous
// loops over rows, and little memory.
const mixtureBlock = 64

// NewEvaluator returns an evaluator of many rows.
func (m *Mixture) NewEvaluator() ebmkit.Evaluator { return &mixtureEvaluator{m: m} }

// mixtureEvaluator holds, for a block of n rows and each component k,
//
//	a[k*n+i] = log w_k N_k(x_i), then r_k(x_i),
//	g[k*n*d + i*d + j] = d U_k(x_i)/dx_j.
type mixtureEvaluator struct {
	m      *Mixture
	comps  []ebmkit.Evaluator
	a, g   []float64
	w      []float64 // room for gradients in theta
	top, s [mixtureBlock]float64
}

func (e *mixtureEvaluator) EnergyGrad(u, grad, xs []float64) {
	d := e.m.d
	n := ebmkit.CheckRows("energy: Mixture.EnergyGrad", d, u, grad, xs)
	if t := e.m.plane; len(t) > 0 {
		if len(e.a) < 12*len(t)/5 {
			e.a = make([]float64, 12*len(t)/5)
		}
		vmath.MixtureGrad2(u, grad, xs, t, e.a)
		return
	}
	for lo := 0; lo < n; lo += mixtureBlock {
		hi := min(lo+mixtureBlock, n)
		var gb []float64
		if grad != nil {
			gb = grad[lo*d : hi*d]
		}
		e.block(gb, xs[lo*d:hi*d], grad != nil)
		if u != nil {
			ub := u[lo:hi]
			vmath.LogSlice(ub, e.s[:hi-lo])
			for i, l := range ub {
				ub[i] = -(e.top[i] + l)
			}
		}
	}
}

// block fills a with responsibilities, top and s such that the log-density is
// top + log s, and, if wantGrad, grad (may be nil) and g.
func (e *mixtureEvaluator) block(grad, xs []float64, wantGrad bool) {
	m, d := e.m, e.m.d
	n, kk := len(xs)/d, len(m.comps)
	if e.comps == nil {
		for _, c := range m.comps {
			e.comps = append(e.comps, c.NewEvaluator())
		}
	}
	if len(e.a) < kk*n {
		e.a = make([]float64, kk*n)
	}
	if wantGrad && len(e.g) < kk*n*d {
		e.g = make([]float64, kk*n*d)
	}
	top, s := e.top[:n], e.s[:n]
	for k, c := range m.comps {
		a := e.a[k*n : (k+1)*n]
		if wantGrad {
			e.comps[k].EnergyGrad(a, e.g[k*n*d:(k+1)*n*d], xs)
		} else {
			e.comps[k].EnergyGrad(a, nil, xs)
		}
		b := m.logw[k] - c.LogZ()
		for i := range a {
			a[i] = b - a[i]
		}
		if k == 0 {
			copy(top, a)
			continue
		}
		for i, v := range a {
			if !(v <= top[i]) {
				top[i] = v
			}
		}
	}
	for i, t := range top {
		if math.IsInf(t, -1) { // beyond the range of float64: U = +Inf, not NaN
			top[i] = 0
		}
		s[i] = 0
	}
	for k := range m.comps {
		a := e.a[k*n : (k+1)*n]
		for i := range a {
			a[i] -= top[i]
		}
	}
	vmath.ExpSlice(e.a[:kk*n], e.a[:kk*n])
	for k := range m.comps {
		for i, v := range e.a[k*n : (k+1)*n] {
			s[i] += v
		}
	}
	if !wantGrad {
		return
	}
	clear(grad)
	for k := range m.comps {
		a, g := e.a[k*n:(k+1)*n], e.g[k*n*d:(k+1)*n*d]
		for i := range a {
			r := a[i] / s[i]
			a[i] = r
			if grad == nil || r == 0 { // r = 0 leaves out overflowed gradients
				continue
			}
			gi, out := g[i*d:(i+1)*d], grad[i*d:(i+1)*d]
			if d >= productDim {
				vmath.Axpy(out, r, gi)
				continue
			}
			for j, v := range gi {
				out[j] += r * v
			}
		}
	}
}

// LogZ returns log sum_k w_k.
func (m *Mixture) LogZ() float64 { return m.logZ }

// Sample writes a draw into dst.
func (m *Mixture) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Mixture.Sample", m.d, nil, dst)
	m.comps[m.pick(s.Float64())].Sample(dst, s)
}

// pick returns the component at height u of the cumulated weights.
func (m *Mixture) pick(u float64) int {
	last := 0
	for k, l := range m.logw {
		if math.IsInf(l, -1) {
			continue
		}
		last = k
		if u -= vmath.Exp(l - m.logZ); u < 0 {
			break
		}
	}
	return last
}

// Mean writes sum_k w_k mean_k / sum_k w_k into dst (allocated if nil).
func (m *Mixture) Mean(dst []float64) []float64 {
	dst = into("Mixture.Mean", dst, m.d)
	clear(dst)
	w := m.Weights(nil)
	mk := make([]float64, m.d)
	for k, c := range m.comps {
		for j, v := range c.Mean(mk) {
			dst[j] += w[k] * v
		}
	}
	return dst
}

// Cov writes the covariance, within and between components, into dst (row-major,
// allocated if nil).
func (m *Mixture) Cov(dst []float64) []float64 {
	d := m.d
	dst = into("Mixture.Cov", dst, d*d)
	clear(dst)
	w, mean := m.Weights(nil), m.Mean(nil)
	mk, ck := make([]float64, d), make([]float64, d*d)
	for k, c := range m.comps {
		c.Mean(mk)
		c.Cov(ck)
		for i := range d {
			for j := range d {
				dst[i*d+j] += w[k] * (ck[i*d+j] + (mk[i]-mean[i])*(mk[j]-mean[j]))
			}
		}
	}
	return dst
}

// Modes returns the minima of U that descent from the mean of every component
// leads to, lowest first. A mixture of dimension 2 or more can have further
// modes between its components; they are not looked for.
func (m *Mixture) Modes() []float64 {
	type mode struct {
		x []float64
		u float64
	}
	var found []mode
	for k, c := range m.comps {
		if math.IsInf(m.logw[k], -1) {
			continue
		}
		x := c.Mean(nil)
		if !m.climb(x) {
			continue
		}
		u := m.Energy(x)
		if !slices.ContainsFunc(found, func(f mode) bool { return m.close(f.x, x) }) {
			found = append(found, mode{x, u})
		}
	}
	slices.SortStableFunc(found, func(a, b mode) int {
		switch {
		case a.u < b.u:
			return -1
		case a.u > b.u:
			return 1
		}
		return slices.Compare(a.x, b.x)
	})
	var out []float64
	for _, f := range found {
		out = append(out, f.x...)
	}
	return out
}

// climb moves x to a mode by the fixed point of grad U = 0,
//
//	x <- (sum_k r_k P_k)^-1 sum_k r_k P_k mean_k,
//
// which never raises U, and says whether it arrived.
func (m *Mixture) climb(x []float64) bool {
	d := m.d
	r, pk, p := make([]float64, len(m.comps)), make([]float64, d*d), make([]float64, d*d)
	g := make([]float64, d)
	for range 20000 {
		m.Responsibilities(r, x)
		m.EnergyGrad(g, x)
		clear(p)
		for k, c := range m.comps {
			for i, v := range c.Precision(pk) {
				p[i] += r[k] * v
			}
		}
		l, bad := cholesky(p, d)
		if bad >= 0 {
			return false
		}
		linalg.Solve(l, g, d) // the step is P^-1 grad U
		var step, size float64
		for j := range x {
			x[j] -= g[j]
			step = max(step, math.Abs(g[j])*math.Sqrt(p[j*d+j]))
			size = max(size, math.Abs(x[j])*math.Sqrt(p[j*d+j]))
		}
		if step < 1e-13+4*eps*size {
			return true
		}
	}
	return false
}

// close says whether a and b are one mode found twice.
func (m *Mixture) close(a, b []float64) bool {
	for _, c := range m.comps {
		prec := c.Precision(nil)
		for j := range a {
			if math.Abs(a[j]-b[j])*math.Sqrt(prec[j*m.d+j]) > 1e-6 {
				return false
			}
		}
	}
	return true
}

// NumParams returns K plus the numbers of parameters of the components.
func (m *Mixture) NumParams() int {
	p := len(m.comps)
	for _, c := range m.comps {
		p += c.NumParams()
	}
	return p
}

// Params copies theta into dst (allocated if nil). The log-weight of a
// component of weight zero is -Inf.
func (m *Mixture) Params(dst []float64) []float64 {
	dst = into("Mixture.Params", dst, m.NumParams())
	at := copy(dst, m.logw)
	for _, c := range m.comps {
		p := c.NumParams()
		c.Params(dst[at : at+p])
		at += p
	}
	return dst
}

// SetParams copies theta into the energy. It returns *ebmkit.ArgError if theta
// has the wrong length or an entry is not finite; log-weights may be -Inf, but
// not all of them.
func (m *Mixture) SetParams(theta []float64) error {
	const fn = "energy.Mixture.SetParams"
	if len(theta) != m.NumParams() {
		return &ebmkit.ArgError{Func: fn, Arg: "len(theta)", Value: len(theta), Want: fmt.Sprintf("%d", m.NumParams())}
	}
	kk := len(m.comps)
	some := false
	for k, l := range theta[:kk] {
		if math.IsNaN(l) || math.IsInf(l, 1) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("theta[%d]", k), Value: l, Want: "a log-weight (finite or -Inf)"}
		}
		some = some || !math.IsInf(l, -1)
	}
	if !some {
		return &ebmkit.ArgError{Func: fn, Arg: "theta", Value: theta[:kk], Want: "at least one finite log-weight"}
	}
	next := make([]Component, kk)
	at := kk
	for k, c := range m.comps {
		next[k] = c.clone()
		p := c.NumParams()
		if err := next[k].SetParams(theta[at : at+p]); err != nil {
			if ae, ok := err.(*ebmkit.ArgError); ok {
				ae.Func, ae.Arg = fn, fmt.Sprintf("component %d, %s", k, ae.Arg)
			}
			return err
		}
		at += p
	}
	// All legal: now change the components in place, because evaluators hold them.
	copy(m.logw, theta)
	at = kk
	for _, c := range m.comps {
		p := c.NumParams()
		_ = c.SetParams(theta[at : at+p]) // succeeded above
		at += p
	}
	m.refresh()
	return nil
}

// borrow lends an evaluator whose a and g are to hold responsibilities and
// gradients; the caller puts it back into parts.
func (m *Mixture) borrow() *mixtureEvaluator {
	if e, ok := m.parts.Get().(*mixtureEvaluator); ok {
		return e
	}
	return &mixtureEvaluator{m: m, w: make([]float64, mixtureBlock+3*len(m.comps)+m.d)}
}

// AddParamGrad accumulates sum_i w_i dU(x_i)/dtheta: with a_k = log w_k N_k(x),
//
//	dU/dtheta_k = -r_k da_k/dtheta_k.
func (m *Mixture) AddParamGrad(dst, w, xs []float64) {
	d, kk := m.d, len(m.comps)
	n := checkParamGrad("energy: Mixture.AddParamGrad", d, m.NumParams(), dst, w, xs)
	e := m.borrow()
	defer m.parts.Put(e)
	for lo := 0; lo < n; lo += mixtureBlock {
		hi := min(lo+mixtureBlock, n)
		x, b := xs[lo*d:hi*d], hi-lo
		e.block(nil, x, true)
		at := kk
		for k, c := range m.comps {
			p := c.NumParams()
			wr := e.w[:b]
			var sum float64
			for i := range wr {
				wr[i] = weight(w, lo+i) * e.a[k*b+i]
				sum += wr[i]
			}
			dst[k] -= sum
			c.AddParamGrad(dst[at:at+p], wr, x)
			c.addLogZGrad(dst[at:at+p], sum)
			at += p
		}
	}
}

// AddScoreParamGrad accumulates sum_i d/dtheta [v_i . grad U(x_i)]: with
// s_k = v . grad U_k and mean s = sum_k r_k s_k,
//
//	d/dtheta_k = r_k ds_k/dtheta_k + r_k (s_k - mean s) da_k/dtheta_k.
func (m *Mixture) AddScoreParamGrad(dst, v, xs []float64) {
	d := m.d
	n := checkScoreGrad("energy: Mixture.AddScoreParamGrad", d, m.NumParams(), dst, v, xs)
	m.addSecond(dst, v, xs, n, false)
}

// AddCurvParamGrad accumulates sum_i d/dtheta [v_i' (Hess U)(x_i) v_i]: with
// c_k = v' (Hess U_k) v the bracket is sum_k r_k (c_k - s_k^2) + (mean s)^2.
func (m *Mixture) AddCurvParamGrad(dst, v, xs []float64) {
	d := m.d
	n := checkScoreGrad("energy: Mixture.AddCurvParamGrad", d, m.NumParams(), dst, v, xs)
	m.addSecond(dst, v, xs, n, true)
}

// addSecond is the common part of the two: both are
//
//	sum_k [ d(A_k)/dtheta_k at fixed r + r_k (t_k - mean t) da_k/dtheta_k ],
//
// with t_k = s_k, A_k = r_k s_k, or t_k = c_k - s_k^2 + 2 s_k mean s,
// A_k = r_k (c_k - s_k^2) + (r_k s_k) 2 mean s.
func (m *Mixture) addSecond(dst, v, xs []float64, n int, curv bool) {
	d, kk := m.d, len(m.comps)
	e := m.borrow()
	defer m.parts.Put(e)
	w1, free := e.w[:1], e.w[mixtureBlock:]
	s, t, r, vk := free[:kk], free[kk:2*kk], free[2*kk:3*kk], free[3*kk:]
	for i := range n {
		x, vi := xs[i*d:(i+1)*d], v[i*d:(i+1)*d]
		e.block(nil, x, true)
		copy(r, e.a)
		var ms, mt float64
		for k := range m.comps {
			s[k] = 0
			if r[k] > 0 {
				s[k] = vmath.Dot(vi, e.g[k*d:(k+1)*d])
			}
			ms += r[k] * s[k]
		}
		for k, c := range m.comps {
			t[k] = s[k]
			if curv {
				t[k] = c.curv(vi) - s[k]*s[k] + 2*s[k]*ms
			}
			mt += r[k] * t[k]
		}
		at := kk
		for k, c := range m.comps {
			p := c.NumParams()
			out := dst[at : at+p]
			at += p
			if r[k] == 0 {
				continue
			}
			f := r[k] // weight of ds_k/dtheta_k
			if curv {
				f = 2 * r[k] * (ms - s[k])
				root := math.Sqrt(r[k])
				for j := range vk {
					vk[j] = root * vi[j]
				}
				c.AddCurvParamGrad(out, vk, x)
			}
			for j := range vk {
				vk[j] = f * vi[j]
			}
			c.AddScoreParamGrad(out, vk, x)
			q := r[k] * (t[k] - mt)
			dst[k] += q
			w1[0] = -q
			c.AddParamGrad(out, w1, x)
			c.addLogZGrad(out, -q)
		}
	}
}
