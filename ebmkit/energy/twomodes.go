package energy

import (
	"fmt"
	"slices"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// TwoModes is the mixture of two unit Gaussians on which Carbone et al. (2024)
// compare trainings. The number z says how the mass is shared:
//
//	U(x) = -log(exp(-|x-a|^2/2) + exp(-|x-b|^2/2 - z)),
//	log Z = (d/2) log(2 pi) + log(1 + exp(-z)),   mass of b = 1/(1 + exp(z)).
//
// With r the probability that x came from b,
//
//	dU/dx = x - a - r (b-a),
//	dU/da = -(1-r) (x-a),   dU/db = -r (x-b),   dU/dz = r.
//
// Its parameter is z alone, theta = (z), or, of NewMovingModes, the means too,
// theta = (a, b, z). The means are a shape, which is learned from where walkers
// stand; z is a mass, which is learned from how many do. With a = -5, b = 5 on the
// line it is the rho_2 of review eq. (52).
type TwoModes struct {
	a, b, ba []float64 // ba = b - a
	one      []float64
	half     float64 // |ba|^2/2
	shift    float64 // a.ba + half
	z        float64
	moving   bool // the means are parameters

	eval evaluators
	free sync.Pool // *twoModesEvaluator, for the gradients in theta
}

var (
	_ ebmkit.ScoreParametric = (*TwoModes)(nil)
	_ ebmkit.Differentiable  = (*TwoModes)(nil)
	_ ebmkit.Batched         = (*TwoModes)(nil)
	_ ebmkit.Normalized      = (*TwoModes)(nil)
	_ ebmkit.Sampler         = (*TwoModes)(nil)
	_ ebmkit.Moments         = (*TwoModes)(nil)
)

// NewTwoModes returns the mixture with means a and b, which are copied and stay,
// and one parameter z. It returns *ebmkit.ArgError if the means differ in length,
// are empty or not finite, or z is not finite.
func NewTwoModes(a, b []float64, z float64) (*TwoModes, error) {
	return newTwoModes("energy.NewTwoModes", a, b, z, false)
}

// NewMovingModes is NewTwoModes with 2d + 1 parameters, theta = (a, b, z).
func NewMovingModes(a, b []float64, z float64) (*TwoModes, error) {
	return newTwoModes("energy.NewMovingModes", a, b, z, true)
}

func newTwoModes(fn string, a, b []float64, z float64, moving bool) (*TwoModes, error) {
	if err := wantVector(fn, "a", a, -1, wantFinite); err != nil {
		return nil, err
	}
	if err := wantVector(fn, "b", b, len(a), wantFinite); err != nil {
		return nil, err
	}
	if err := wantFinite(fn, "z", z); err != nil {
		return nil, err
	}
	e := &TwoModes{a: slices.Clone(a), b: slices.Clone(b), ba: make([]float64, len(a)),
		one: slices.Repeat([]float64{1}, len(a)), z: z, moving: moving}
	e.refresh()
	return e, nil
}

// refresh computes what follows from the means.
func (e *TwoModes) refresh() {
	vmath.Sub(e.ba, e.b, e.a)
	e.half = vmath.Dot(e.ba, e.ba) / 2
	e.shift = vmath.Dot(e.a, e.ba) + e.half
}

// Dim returns d.
func (e *TwoModes) Dim() int { return len(e.a) }

// String names the energy.
func (e *TwoModes) String() string {
	name := "TwoModes"
	if e.moving {
		name = "MovingModes"
	}
	return fmt.Sprintf("%s(d = %d, z = %.4g)", name, len(e.a), e.z)
}

// Mass returns the mass of mode b, 1/(1 + exp(z)).
func (e *TwoModes) Mass() float64 { return vmath.Sigmoid(-e.z) }

// LogZ returns (d/2) log(2 pi) + log(1 + exp(-z)).
func (e *TwoModes) LogZ() float64 { return float64(len(e.a))/2*log2Pi + vmath.Softplus(-e.z) }

// Energy returns U(x). It panics if len(x) != Dim.
func (e *TwoModes) Energy(x []float64) float64 {
	checkX("TwoModes.Energy", len(e.a), nil, x)
	return e.eval.one(e, nil, x)
}

// EnergyGrad writes dU/dx into grad and returns U(x). It panics on a wrong length.
func (e *TwoModes) EnergyGrad(grad, x []float64) float64 {
	checkX("TwoModes.EnergyGrad", len(e.a), grad, x)
	return e.eval.one(e, grad, x)
}

// NewEvaluator returns an evaluator of many rows.
func (e *TwoModes) NewEvaluator() ebmkit.Evaluator { return &twoModesEvaluator{e: e} }

type twoModesEvaluator struct {
	e          *TwoModes
	u, y, t, s []float64
}

// EnergyGrad computes, with y = x - a,
//
//	U = |y|^2/2 - log(1 + exp t),   t = log(r/(1-r)) = y.(b-a) - |b-a|^2/2 - z.
func (v *twoModesEvaluator) EnergyGrad(u, grad, xs []float64) {
	e := v.e
	d := len(e.a)
	n := ebmkit.CheckRows("energy: TwoModes.EnergyGrad", d, u, grad, xs)
	y := grad
	if y == nil {
		y = grown(&v.y, len(xs))
	}
	if u == nil {
		u = grown(&v.u, n)
	}
	t, s := grown(&v.t, n), grown(&v.s, n)
	vmath.DiagonalRows(u, y, xs, e.a, e.one)
	for i := range t {
		t[i] = vmath.Dot(y[i*d:(i+1)*d], e.ba) - e.half - e.z
	}
	vmath.SoftplusSlice(s, t)
	for i := range t {
		u[i] -= s[i]
	}
	if grad == nil {
		return
	}
	vmath.SigmoidSlice(t, t)
	for i, r := range t {
		if r != 0 {
			vmath.Axpy(grad[i*d:(i+1)*d], -r, e.ba)
		}
	}
}

// grown returns n numbers to be written, in memory kept between calls.
func grown(buf *[]float64, n int) []float64 {
	if len(*buf) < n {
		*buf = make([]float64, n)
	}
	return (*buf)[:n]
}

// Sample writes an exact draw into dst. It panics if len(dst) != Dim.
func (e *TwoModes) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("TwoModes.Sample", len(e.a), nil, dst)
	at := e.a
	if s.Float64() < e.Mass() {
		at = e.b
	}
	s.FillNormal(dst)
	vmath.Axpy(dst, 1, at)
}

// Mean writes (1-m) a + m b into dst (allocated if nil), m the mass of b.
func (e *TwoModes) Mean(dst []float64) []float64 {
	dst = into("TwoModes.Mean", dst, len(e.a))
	copy(dst, e.a)
	vmath.Axpy(dst, e.Mass(), e.ba)
	return dst
}

// Cov writes I + m (1-m) (b-a)(b-a)', row-major, into dst (allocated if nil).
func (e *TwoModes) Cov(dst []float64) []float64 {
	d := len(e.a)
	dst = into("TwoModes.Cov", dst, d*d)
	m := e.Mass()
	for i, bi := range e.ba {
		for j, bj := range e.ba {
			dst[i*d+j] = m * (1 - m) * bi * bj
		}
		dst[i*d+i]++
	}
	return dst
}

// KLFrom returns the divergence D(p || e) of the mixture e from another p of the
// same dimension,
//
//	sum over modes of m_k [ log(m_k/q_k) + |mu_k - nu_k|^2/2 ],
//
// m and mu the masses and means of p, q and nu those of e. It is exact up to the
// overlap of the modes, about exp(-|b-a|^2/8); it is never less than the truth. It
// panics if the dimensions differ.
func (e *TwoModes) KLFrom(p *TwoModes) float64 {
	if p.Dim() != e.Dim() {
		panic("energy: TwoModes.KLFrom: dimensions differ")
	}
	diff := make([]float64, e.Dim())
	half := func(x, y []float64) float64 {
		vmath.Sub(diff, x, y)
		return vmath.Dot(diff, diff) / 2
	}
	// log of the masses of a and b is -softplus(-z) and -softplus(z).
	m := p.Mass()
	return (1-m)*(vmath.Softplus(-e.z)-vmath.Softplus(-p.z)+half(p.a, e.a)) +
		m*(vmath.Softplus(e.z)-vmath.Softplus(p.z)+half(p.b, e.b))
}

// NumParams returns 1, or 2d + 1 if the means are parameters.
func (e *TwoModes) NumParams() int {
	if e.moving {
		return 2*len(e.a) + 1
	}
	return 1
}

// Params writes (z), or (a, b, z), into dst (allocated if nil).
func (e *TwoModes) Params(dst []float64) []float64 {
	dst = into("TwoModes.Params", dst, e.NumParams())
	ga, gb, gz := e.split(dst)
	copy(ga, e.a)
	copy(gb, e.b)
	gz[0] = e.z
	return dst
}

// split returns the parts of a vector like theta; those of fixed means are empty.
func (e *TwoModes) split(theta []float64) (a, b, z []float64) {
	d := (len(theta) - 1) / 2
	return theta[:d:d], theta[d : 2*d : 2*d], theta[2*d:]
}

// SetParams copies (z), or (a, b, z). It returns *ebmkit.ArgError, and changes
// nothing, if theta has another length or an entry that is not finite.
func (e *TwoModes) SetParams(theta []float64) error {
	if err := wantVector("energy.TwoModes.SetParams", "theta", theta, e.NumParams(), wantFinite); err != nil {
		return err
	}
	a, b, z := e.split(theta)
	e.z = z[0]
	if e.moving {
		copy(e.a, a)
		copy(e.b, b)
		e.refresh()
	}
	return nil
}

// AddParamGrad accumulates sum_i w_i dU(x_i)/dtheta.
func (e *TwoModes) AddParamGrad(dst, w, xs []float64) {
	d := len(e.a)
	n := checkParamGrad("energy: TwoModes.AddParamGrad", d, e.NumParams(), dst, w, xs)
	ga, gb, gz := e.split(dst)
	if !e.moving {
		e.rows(n, xs, func(i int, r float64) { gz[0] += weight(w, i) * r })
		return
	}
	// sum w (1-r) (x-a) = sum w (1-r) x - a sum w (1-r), and the same of b.
	var sa float64
	sb := gz[0]
	e.rows(n, xs, func(i int, r float64) {
		x := xs[i*d : (i+1)*d]
		if q := weight(w, i) * (1 - r); q != 0 {
			sa += q
			vmath.Axpy(ga, -q, x)
		}
		if q := weight(w, i) * r; q != 0 {
			gz[0] += q
			vmath.Axpy(gb, -q, x)
		}
	})
	vmath.Axpy(ga, sa, e.a)
	vmath.Axpy(gb, gz[0]-sb, e.b)
}

// AddScoreParamGrad accumulates, with s = v.(b-a) and q = r (1-r) s,
//
//	d/da = q (x-a) - (1-r) v,   d/db = -q (x-b) - r v,   d/dz = q.
func (e *TwoModes) AddScoreParamGrad(dst, v, xs []float64) {
	e.addSecond("energy: TwoModes.AddScoreParamGrad", dst, v, xs, func(r, s float64) (q, ca, cb float64) {
		return r * (1 - r) * s, r - 1, -r
	})
}

// AddCurvParamGrad accumulates, with s = v.(b-a) and q = r (1-r) (1-2r) s^2,
//
//	d/da = q (x-a) + 2 r (1-r) s v,   d/db = -q (x-b) - 2 r (1-r) s v,   d/dz = q.
func (e *TwoModes) AddCurvParamGrad(dst, v, xs []float64) {
	e.addSecond("energy: TwoModes.AddCurvParamGrad", dst, v, xs, func(r, s float64) (q, ca, cb float64) {
		c := 2 * r * (1 - r) * s
		return r * (1 - r) * (1 - 2*r) * s * s, c, -c
	})
}

// addSecond is the common part of the two: q (x-a) + ca v for a, -q (x-b) + cb v
// for b, and q for z.
func (e *TwoModes) addSecond(who string, dst, v, xs []float64, parts func(r, s float64) (q, ca, cb float64)) {
	d := len(e.a)
	n := checkScoreGrad(who, d, e.NumParams(), dst, v, xs)
	ga, gb, gz := e.split(dst)
	e.rows(n, xs, func(i int, r float64) {
		x, vi := xs[i*d:(i+1)*d], v[i*d:(i+1)*d]
		q, ca, cb := parts(r, vmath.Dot(vi, e.ba))
		gz[0] += q
		if e.moving {
			vmath.Axpy(ga, q, x)
			vmath.Axpy(ga, -q, e.a)
			vmath.Axpy(ga, ca, vi)
			vmath.Axpy(gb, -q, x)
			vmath.Axpy(gb, q, e.b)
			vmath.Axpy(gb, cb, vi)
		}
	})
}

// rows calls add with the probability r of each row.
func (e *TwoModes) rows(n int, xs []float64, add func(i int, r float64)) {
	d := len(e.a)
	k, ok := e.free.Get().(*twoModesEvaluator)
	if !ok {
		k = &twoModesEvaluator{e: e}
	}
	defer e.free.Put(k)
	const piece = 64
	for lo := 0; lo < n; lo += piece {
		t := grown(&k.t, min(piece, n-lo))
		for i := range t {
			t[i] = vmath.Dot(xs[(lo+i)*d:(lo+i+1)*d], e.ba) - e.shift - e.z
		}
		vmath.SigmoidSlice(t, t)
		for i, r := range t {
			add(lo+i, r)
		}
	}
}
