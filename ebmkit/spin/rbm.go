package spin

import (
	"fmt"
	"math/bits"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// log2Pi is log(2 pi).
const log2Pi = 1.8378770664093454835606594728112352797227949472756

// layers is what both kinds of RBM have: weights between V visible and H hidden
// units and a bias for each unit. Row j of w, w[j*V:(j+1)*V], belongs to hidden
// unit j. theta is w, b, c.
type layers struct {
	nv, nh int
	theta  []float64
	w      []float64 // H*V, part of theta like b and c
	b      []float64 // V
	c      []float64 // H
	pool   sync.Pool // of *[]float64 with H + V elements
}

func newLayers(fn string, visible, hidden int) (*layers, error) {
	if visible < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "visible", Value: visible, Want: "at least 1"}
	}
	if hidden < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "hidden", Value: hidden, Want: "at least 1"}
	}
	l := &layers{nv: visible, nh: hidden, theta: make([]float64, visible*hidden+visible+hidden)}
	l.w, l.b, l.c = l.split(l.theta)
	l.pool.New = func() any { s := make([]float64, hidden+visible); return &s }
	return l, nil
}

// split returns the parts of a vector like theta.
func (l *layers) split(theta []float64) (w, b, c []float64) {
	n := l.nv * l.nh
	return theta[:n:n], theta[n : n+l.nv : n+l.nv], theta[n+l.nv:]
}

func (l *layers) row(j int) []float64 { return l.w[j*l.nv : (j+1)*l.nv] }

// Dim returns the number V of visible units.
func (l *layers) Dim() int { return l.nv }

// Hidden returns the number H of hidden units.
func (l *layers) Hidden() int { return l.nh }

// NumParams returns V*H + V + H.
func (l *layers) NumParams() int { return len(l.theta) }

// Params implements ebmkit.Parametric.
func (l *layers) Params(dst []float64) []float64 {
	dst = paramsInto("RBM", len(l.theta), dst)
	copy(dst, l.theta)
	return dst
}

// SetParams implements ebmkit.Parametric: theta is the weights, row by row for
// each hidden unit, the V visible and the H hidden biases.
func (l *layers) SetParams(theta []float64) error {
	// A sum that is finite has finite terms.
	if len(theta) != len(l.theta) || !isFinite(vmath.Sum(theta)) {
		if err := wantVector("spin.RBM.SetParams", "theta", theta, len(l.theta)); err != nil {
			return err
		}
	}
	copy(l.theta, theta)
	return nil
}

// Weights returns a copy of the weights, row-major H x V: row j is what hidden
// unit j looks for.
func (l *layers) Weights() []float64 { return append([]float64(nil), l.w...) }

// Randomize draws the weights from N(0, scale^2), stream (seed, "rbm", 0), and
// sets the biases to 0: a start for training that treats hidden units
// differently. It returns *ebmkit.ArgError if scale is not positive and finite.
func (l *layers) Randomize(scale float64, seed uint64) error {
	if !(scale > 0) || !isFinite(scale) {
		return &ebmkit.ArgError{Func: "spin.RBM.Randomize", Arg: "scale", Value: scale, Want: "a positive finite number"}
	}
	clear(l.theta)
	ebmkit.NewStream(seed, "rbm", 0).FillNormal(l.w)
	for i := range l.w {
		l.w[i] *= scale
	}
	return nil
}

// RBM is the restricted Boltzmann machine (review section 1.2) with V visible and H
// hidden units, all 0 or 1:
//
//	E(v, h) = -b.v - c.h - sum_j h_j w_j.v,
//	U(v) = -log sum_h exp(-E(v, h)) = -b.v - sum_j log(1 + exp(c_j + w_j.v)).
//
// It is the energy U, the free energy of the hidden units, on rows of 0 and 1. A
// new RBM has all parameters 0; Randomize starts training.
type RBM struct{ *layers }

var (
	_ ebmkit.Parametric = RBM{}
	_ Exact             = RBM{}
)

// NewRBM returns the RBM with all parameters 0. It returns *ebmkit.ArgError if a
// layer has no unit.
func NewRBM(visible, hidden int) (RBM, error) {
	l, err := newLayers("spin.NewRBM", visible, hidden)
	return RBM{l}, err
}

// Energy returns the free energy U(v). It panics if len(v) != Dim.
func (m RBM) Energy(v []float64) float64 {
	checkLen("RBM.Energy", m.nv, v)
	u := -vmath.Dot(m.b, v)
	for j, c := range m.c {
		u -= vmath.Softplus(c + vmath.Dot(m.row(j), v))
	}
	return u
}

// JointEnergy returns E(v, h). It panics on a wrong length.
func (m RBM) JointEnergy(v, h []float64) float64 {
	checkLen("RBM.JointEnergy", m.nv, v)
	checkLen("RBM.JointEnergy", m.nh, h)
	e := -vmath.Dot(m.b, v)
	for j, hj := range h {
		e -= hj * (m.c[j] + vmath.Dot(m.row(j), v))
	}
	return e
}

// HiddenProb writes P(h_j = 1 given v) into dst (length Hidden, allocated if
// nil) and returns it. It panics on a wrong length.
func (m RBM) HiddenProb(dst, v []float64) []float64 {
	checkLen("RBM.HiddenProb", m.nv, v)
	if dst == nil {
		dst = make([]float64, m.nh)
	}
	checkLen("RBM.HiddenProb", m.nh, dst)
	for j := range dst {
		dst[j] = vmath.Sigmoid(m.c[j] + vmath.Dot(m.row(j), v))
	}
	return dst
}

// VisibleProb writes P(v_i = 1 given h) into dst (length Dim, allocated if nil)
// and returns it. It panics on a wrong length.
func (m RBM) VisibleProb(dst, h []float64) []float64 {
	checkLen("RBM.VisibleProb", m.nh, h)
	if dst == nil {
		dst = make([]float64, m.nv)
	}
	checkLen("RBM.VisibleProb", m.nv, dst)
	copy(dst, m.b)
	for j, hj := range h {
		vmath.Axpy(dst, hj, m.row(j))
	}
	vmath.SigmoidSlice(dst, dst)
	return dst
}

// AddParamGrad implements ebmkit.Parametric: with p_j = P(h_j = 1 given v),
// dU/dw_ji = -p_j v_i, dU/db_i = -v_i, dU/dc_j = -p_j.
func (m RBM) AddParamGrad(dst, w, xs []float64) {
	rows := checkParamGrad("RBM", m.nv, len(m.theta), dst, w, xs)
	dw, db, dc := m.split(dst)
	for r := range rows {
		v, k := xs[r*m.nv:(r+1)*m.nv], weight(w, r)
		vmath.Axpy(db, -k, v)
		for j, c := range m.c {
			p := k * vmath.Sigmoid(c+vmath.Dot(m.row(j), v))
			dc[j] -= p
			vmath.Axpy(dw[j*m.nv:(j+1)*m.nv], -p, v)
		}
	}
}

// Sweep draws all hidden units given v, then all visible ones given those (block
// Gibbs); it makes RBM an mcmc.Sweeper. BlockGibbs does the same for many rows.
// It panics if len(v) != Dim.
func (m RBM) Sweep(v []float64, s *ebmkit.Stream) { m.sweepAt(1, v, s) }

// sweepAt is Sweep with the joint energy E(v, h) times lambda.
func (m RBM) sweepAt(lambda float64, v []float64, s *ebmkit.Stream) {
	checkLen("RBM.Sweep", m.nv, v)
	p := m.pool.Get().(*[]float64)
	h := (*p)[:m.nh]
	for j, c := range m.c {
		h[j] = vmath.Sigmoid(lambda * (c + vmath.Dot(m.row(j), v)))
	}
	bernoulli(h, s)
	copy(v, m.b)
	for j, hj := range h {
		vmath.Axpy(v, hj, m.row(j))
	}
	for i := range v {
		v[i] *= lambda
	}
	vmath.SigmoidSlice(v, v)
	bernoulli(v, s)
	m.pool.Put(p)
}

// bernoulli replaces probabilities by draws, 0 or 1.
func bernoulli(p []float64, s *ebmkit.Stream) {
	for i, q := range p {
		p[i] = 0
		if s.Float64() < q {
			p[i] = 1
		}
	}
}

// eachSide visits the 2^k states of the smaller layer, one unit changing at a
// time, with the fields on the other layer: f(s, state, bias.state, fields). f
// must not change its arguments.
func (m RBM) eachSide(hidden bool, f func(s int, x []float64, bias float64, fields []float64)) {
	own, other := m.c, m.b
	if !hidden {
		own, other = m.b, m.c
	}
	x, fields := make([]float64, len(own)), append([]float64(nil), other...)
	var bias float64
	f(0, x, bias, fields)
	for s := 1; s < 1<<len(own); s++ {
		k := bits.TrailingZeros(uint(s))
		sign := 1 - 2*x[k]
		x[k] += sign
		bias += sign * own[k]
		if hidden {
			vmath.Axpy(fields, sign, m.row(k))
		} else {
			for j := range fields {
				fields[j] += sign * m.w[j*m.nv+k]
			}
		}
		f(s, x, bias, fields)
	}
}

// sideWeights returns which layer is summed over and the log-weight of each of
// its states: bias.state + sum log(1 + exp(field)).
func (m RBM) sideWeights(fn string) (hidden bool, logW []float64, err error) {
	hidden = m.nh <= m.nv
	k := min(m.nh, m.nv)
	if k > MaxEnumerate {
		return false, nil, &ebmkit.ArgError{Func: fn, Arg: "min(visible, hidden)", Value: k, Want: fmt.Sprintf("at most %d (2^n states)", MaxEnumerate)}
	}
	logW = make([]float64, 1<<k)
	soft := make([]float64, max(m.nh, m.nv))
	m.eachSide(hidden, func(s int, _ []float64, bias float64, fields []float64) {
		soft := soft[:len(fields)]
		vmath.SoftplusSlice(soft, fields)
		for _, v := range soft {
			bias += v
		}
		logW[s] = bias
	})
	return hidden, logW, nil
}

// ExactLogZ returns log of the sum of exp(-U) over the 2^V visible states, by
// summing over the smaller layer. It returns *ebmkit.ArgError if that has more
// than MaxEnumerate units.
func (m RBM) ExactLogZ() (float64, error) {
	_, logW, err := m.sideWeights("spin.RBM.ExactLogZ")
	return vmath.LogSumExp(logW), err
}

// AddModelGrad adds w E_theta[dU/dtheta], by summing over the smaller layer.
// Errors as ExactLogZ; it panics if len(dst) != NumParams.
func (m RBM) AddModelGrad(dst []float64, w float64) error {
	if len(dst) != len(m.theta) {
		panic("spin: RBM.AddModelGrad: len(dst) != NumParams")
	}
	hidden, logW, err := m.sideWeights("spin.RBM.AddModelGrad")
	if err != nil {
		return err
	}
	logZ := vmath.LogSumExp(logW)
	dw, db, dc := m.split(dst)
	mean := make([]float64, max(m.nh, m.nv))
	m.eachSide(hidden, func(s int, x []float64, _ float64, fields []float64) {
		p := w * vmath.Exp(logW[s]-logZ)
		mean := mean[:len(fields)]
		vmath.SigmoidSlice(mean, fields)
		v, h := x, mean
		if hidden {
			v, h = mean, x
		}
		vmath.Axpy(db, -p, v)
		vmath.Axpy(dc, -p, h)
		for j, hj := range h {
			if hj != 0 {
				vmath.Axpy(dw[j*m.nv:(j+1)*m.nv], -p*hj, v)
			}
		}
	})
	return nil
}

// GaussianRBM is the RBM with V real visible units of standard deviation Sigma
// and H hidden units 0 or 1:
//
//	E(v, h) = |v - b|^2/(2 sigma^2) - c.h - sum_j h_j w_j.v/sigma,
//	U(v) = |v - b|^2/(2 sigma^2) - sum_j log(1 + exp(c_j + w_j.v/sigma)).
//
// Given h the visible units are N(b + sigma sum_j h_j w_j, sigma^2 I): the
// density is a mixture of 2^H Gaussians. Sigma is not trained.
type GaussianRBM struct {
	*layers
	sigma float64
}

var (
	_ ebmkit.Parametric     = GaussianRBM{}
	_ ebmkit.Differentiable = GaussianRBM{}
	_ Exact                 = GaussianRBM{}
)

// NewGaussianRBM returns the machine with all parameters 0. It returns
// *ebmkit.ArgError if a layer has no unit or sigma is not positive and finite.
func NewGaussianRBM(visible, hidden int, sigma float64) (GaussianRBM, error) {
	const fn = "spin.NewGaussianRBM"
	if !(sigma >= 1e-150 && sigma <= 1e150) {
		return GaussianRBM{}, &ebmkit.ArgError{Func: fn, Arg: "sigma", Value: sigma, Want: "between 1e-150 and 1e150"}
	}
	l, err := newLayers(fn, visible, hidden)
	return GaussianRBM{l, sigma}, err
}

// Energy returns U(v). It panics if len(v) != Dim.
func (m GaussianRBM) Energy(v []float64) float64 {
	checkLen("GaussianRBM.Energy", m.nv, v)
	u := 0.0
	for i, b := range m.b {
		z := (v[i] - b) / m.sigma
		u += z * z / 2
	}
	for j, c := range m.c {
		u -= vmath.Softplus(c + vmath.Dot(m.row(j), v)/m.sigma)
	}
	return u
}

// EnergyGrad implements ebmkit.Differentiable:
//
//	dU/dv = (v - b)/sigma^2 - sum_j p_j w_j/sigma,   p_j = P(h_j = 1 given v).
func (m GaussianRBM) EnergyGrad(grad, v []float64) float64 {
	checkLen("GaussianRBM.EnergyGrad", m.nv, grad)
	u := m.Energy(v)
	for i, b := range m.b {
		grad[i] = (v[i] - b) / m.sigma / m.sigma
	}
	for j, c := range m.c {
		vmath.Axpy(grad, -vmath.Sigmoid(c+vmath.Dot(m.row(j), v)/m.sigma)/m.sigma, m.row(j))
	}
	return u
}

// AddParamGrad implements ebmkit.Parametric.
func (m GaussianRBM) AddParamGrad(dst, w, xs []float64) {
	rows := checkParamGrad("GaussianRBM", m.nv, len(m.theta), dst, w, xs)
	dw, db, dc := m.split(dst)
	for r := range rows {
		v, k := xs[r*m.nv:(r+1)*m.nv], weight(w, r)
		for i, b := range m.b {
			db[i] -= k * (v[i] - b) / m.sigma / m.sigma
		}
		for j, c := range m.c {
			p := k * vmath.Sigmoid(c+vmath.Dot(m.row(j), v)/m.sigma)
			dc[j] -= p
			vmath.Axpy(dw[j*m.nv:(j+1)*m.nv], -p/m.sigma, v)
		}
	}
}

// Sweep draws all hidden units given v, then all visible ones given those (block
// Gibbs); it makes GaussianRBM an mcmc.Sweeper. It panics if len(v) != Dim.
func (m GaussianRBM) Sweep(v []float64, s *ebmkit.Stream) {
	checkLen("GaussianRBM.Sweep", m.nv, v)
	p := m.pool.Get().(*[]float64)
	h := (*p)[:m.nh]
	for j, c := range m.c {
		h[j] = vmath.Sigmoid(c + vmath.Dot(m.row(j), v)/m.sigma)
	}
	bernoulli(h, s)
	s.FillNormal(v)
	for j, hj := range h {
		vmath.Axpy(v, hj, m.row(j))
	}
	for i, b := range m.b {
		v[i] = b + m.sigma*v[i]
	}
	m.pool.Put(p)
}

// each visits the 2^H hidden states with their log-weights
//
//	c.h + sum_j h_j w_j.b/sigma + |sum_j h_j w_j|^2/2
//
// and their means sum_j h_j w_j, one unit changing at a time.
func (m GaussianRBM) each(f func(s int, h []float64, logW float64, mean []float64)) {
	h, mean := make([]float64, m.nh), make([]float64, m.nv)
	var bias float64
	for s := range 1 << m.nh {
		if s > 0 {
			k := bits.TrailingZeros(uint(s))
			sign := 1 - 2*h[k]
			h[k] += sign
			bias += sign * (m.c[k] + vmath.Dot(m.row(k), m.b)/m.sigma)
			vmath.Axpy(mean, sign, m.row(k))
		}
		f(s, h, bias+vmath.Dot(mean, mean)/2, mean)
	}
}

func (m GaussianRBM) weights(fn string) ([]float64, error) {
	if m.nh > MaxEnumerate {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "hidden", Value: m.nh, Want: fmt.Sprintf("at most %d (2^n states)", MaxEnumerate)}
	}
	logW := make([]float64, 1<<m.nh)
	m.each(func(s int, _ []float64, l float64, _ []float64) { logW[s] = l })
	return logW, nil
}

// ExactLogZ returns log of the integral of exp(-U), by summing over the 2^H
// hidden states. It returns *ebmkit.ArgError if H > MaxEnumerate.
func (m GaussianRBM) ExactLogZ() (float64, error) {
	logW, err := m.weights("spin.GaussianRBM.ExactLogZ")
	return vmath.LogSumExp(logW) + float64(m.nv)*(log2Pi/2+vmath.Log(m.sigma)), err
}

// AddModelGrad adds w E_theta[dU/dtheta], by summing over the hidden states.
// Errors as ExactLogZ; it panics if len(dst) != NumParams.
func (m GaussianRBM) AddModelGrad(dst []float64, w float64) error {
	if len(dst) != len(m.theta) {
		panic("spin: GaussianRBM.AddModelGrad: len(dst) != NumParams")
	}
	logW, err := m.weights("spin.GaussianRBM.AddModelGrad")
	if err != nil {
		return err
	}
	logZ := vmath.LogSumExp(logW)
	dw, db, dc := m.split(dst)
	m.each(func(s int, h []float64, _ float64, mean []float64) {
		p := w * vmath.Exp(logW[s]-logZ)
		vmath.Axpy(db, -p/m.sigma, mean)
		vmath.Axpy(dc, -p, h)
		for j, hj := range h {
			if hj != 0 {
				row := dw[j*m.nv : (j+1)*m.nv]
				vmath.Axpy(row, -p/m.sigma, m.b)
				vmath.Axpy(row, -p, mean)
			}
		}
	})
	return nil
}
