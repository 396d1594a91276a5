package train

import (
	"fmt"
	"slices"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// TwoModes is the mixture of two unit Gaussians on which Carbone et al. (2024)
// compare trainings. Its only parameter z says how the mass is shared:
//
//	U_z(x) = -log(exp(-|x-A|^2/2) + exp(-|x-B|^2/2 - z)),
//	log Z = (d/2) log(2 pi) + log(1 + exp(-z)),   mass of B = 1/(1 + exp(z)).
//
// The gradient dU/dz at x is the probability that x came from B.
type TwoModes struct {
	a, b, ba []float64 // ba = b - a
	one      []float64
	half     float64 // |ba|^2/2
	shift    float64 // a.ba + half
	z        float64
	free     sync.Pool
}

var (
	_ ebmkit.ScoreParametric = (*TwoModes)(nil)
	_ ebmkit.Differentiable  = (*TwoModes)(nil)
	_ ebmkit.Batched         = (*TwoModes)(nil)
	_ ebmkit.Normalized      = (*TwoModes)(nil)
	_ ebmkit.Sampler         = (*TwoModes)(nil)
	_ ebmkit.Moments         = (*TwoModes)(nil)
)

// NewTwoModes returns the mixture with means a and b, which are copied. It
// returns *ebmkit.ArgError if they differ in length, are empty or not finite, or
// z is not finite.
func NewTwoModes(a, b []float64, z float64) (*TwoModes, error) {
	const fn = "train.NewTwoModes"
	if len(a) == 0 || len(b) != len(a) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(a), len(b)", Value: fmt.Sprint(len(a), ", ", len(b)), Want: "equal and at least 1"}
	}
	for j := range a {
		if !finite(a[j]) || !finite(b[j]) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("a[%d], b[%d]", j, j), Value: fmt.Sprint(a[j], ", ", b[j]), Want: "finite numbers"}
		}
	}
	e := &TwoModes{a: slices.Clone(a), b: slices.Clone(b), ba: make([]float64, len(a)), one: slices.Repeat([]float64{1}, len(a))}
	e.measure()
	return e, e.set(fn, z)
}

// measure computes what follows from the means.
func (e *TwoModes) measure() {
	vmath.Sub(e.ba, e.b, e.a)
	e.half = vmath.Dot(e.ba, e.ba) / 2
	e.shift = vmath.Dot(e.a, e.ba) + e.half
}

func (e *TwoModes) set(fn string, z float64) error {
	if !finite(z) {
		return &ebmkit.ArgError{Func: fn, Arg: "z", Value: z, Want: "a finite number"}
	}
	e.z = z
	return nil
}

// Dim returns d.
func (e *TwoModes) Dim() int { return len(e.a) }

// String names the energy.
func (e *TwoModes) String() string { return fmt.Sprintf("TwoModes(d = %d, z = %.4g)", len(e.a), e.z) }

// Mass returns the mass of mode B, 1/(1 + exp(z)).
func (e *TwoModes) Mass() float64 { return vmath.Sigmoid(-e.z) }

// LogZ returns (d/2) log(2 pi) + log(1 + exp(-z)).
func (e *TwoModes) LogZ() float64 {
	const log2Pi = 1.8378770664093454836
	return float64(len(e.a))/2*log2Pi + vmath.Softplus(-e.z)
}

// Energy returns U(x).
func (e *TwoModes) Energy(x []float64) float64 { return e.single(nil, x) }

// EnergyGrad writes x - A - r (B - A) into grad, r the probability that x came
// from B, and returns U(x).
func (e *TwoModes) EnergyGrad(grad, x []float64) float64 {
	if len(grad) != len(e.a) {
		panic("train: TwoModes.EnergyGrad: len(grad) != Dim")
	}
	return e.single(grad, x)
}

func (e *TwoModes) single(grad, x []float64) float64 {
	if len(x) != len(e.a) {
		panic("train: TwoModes: len(x) != Dim")
	}
	v := e.borrow()
	defer e.free.Put(v)
	var u [1]float64
	v.EnergyGrad(u[:], grad, x)
	return u[0]
}

func (e *TwoModes) borrow() *twoModes {
	if v, ok := e.free.Get().(*twoModes); ok {
		return v
	}
	return &twoModes{e: e}
}

// NewEvaluator returns an evaluator of many rows.
func (e *TwoModes) NewEvaluator() ebmkit.Evaluator { return &twoModes{e: e} }

type twoModes struct {
	e       *TwoModes
	y, t, s []float64
	u       []float64
}

// odds fills y with x - A, u with |x-A|^2/2 and t with log(r/(1-r)) =
// y.(B-A) - |B-A|^2/2 - z.
func (v *twoModes) odds(u, y, xs []float64) (t []float64) {
	e := v.e
	d := len(e.a)
	n := len(xs) / d
	t = room(&v.t, n)
	vmath.DiagonalRows(u, y, xs, e.a, e.one)
	for i := range t {
		t[i] = vmath.Dot(y[i*d:(i+1)*d], e.ba) - e.half - e.z
	}
	return t
}

func (v *twoModes) EnergyGrad(u, grad, xs []float64) {
	d := len(v.e.a)
	n := ebmkit.CheckRows("train: TwoModes.EnergyGrad", d, u, grad, xs)
	y := grad
	if y == nil {
		y = room(&v.y, len(xs))
	}
	if u == nil {
		u = room(&v.u, n)
	}
	t, s := v.odds(u, y, xs), room(&v.s, n)
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
			vmath.Axpy(grad[i*d:(i+1)*d], -r, v.e.ba)
		}
	}
}

// Sample writes a draw into dst.
func (e *TwoModes) Sample(dst []float64, s *ebmkit.Stream) {
	if len(dst) != len(e.a) {
		panic("train: TwoModes.Sample: len(dst) != Dim")
	}
	at := e.a
	if s.Float64() < e.Mass() {
		at = e.b
	}
	s.FillNormal(dst)
	vmath.Axpy(dst, 1, at)
}

// Mean writes (1-m) A + m B into dst (allocated if nil), m the mass of B.
func (e *TwoModes) Mean(dst []float64) []float64 {
	dst = into(dst, len(e.a))
	copy(dst, e.a)
	vmath.Axpy(dst, e.Mass(), e.ba)
	return dst
}

// Cov writes I + m (1-m) (B-A)(B-A)', row-major, into dst (allocated if nil).
func (e *TwoModes) Cov(dst []float64) []float64 {
	d := len(e.a)
	dst = into(dst, d*d)
	m := e.Mass()
	for i, bi := range e.ba {
		for j, bj := range e.ba {
			dst[i*d+j] = m * (1 - m) * bi * bj
		}
		dst[i*d+i]++
	}
	return dst
}

func into(dst []float64, n int) []float64 {
	if dst == nil {
		return make([]float64, n)
	}
	if len(dst) != n {
		panic("train: TwoModes: wrong length")
	}
	return dst
}

// NumParams returns 1.
func (e *TwoModes) NumParams() int { return 1 }

// Params writes z into dst (allocated if nil).
func (e *TwoModes) Params(dst []float64) []float64 {
	dst = into(dst, 1)
	dst[0] = e.z
	return dst
}

// SetParams sets z. It returns *ebmkit.ArgError if theta is not one finite
// number.
func (e *TwoModes) SetParams(theta []float64) error {
	const fn = "train.TwoModes.SetParams"
	if len(theta) != 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(theta)", Value: len(theta), Want: "1"}
	}
	return e.set(fn, theta[0])
}

// AddParamGrad accumulates sum_i w_i r_i.
func (e *TwoModes) AddParamGrad(dst, w, xs []float64) {
	e.rows(dst, w, nil, xs, func(i int, r, w float64) { dst[0] += w * r })
}

// AddScoreParamGrad accumulates sum_i r_i (1 - r_i) v_i.(B - A).
func (e *TwoModes) AddScoreParamGrad(dst, v, xs []float64) {
	d := len(e.a)
	e.rows(dst, nil, v, xs, func(i int, r, _ float64) { dst[0] += r * (1 - r) * vmath.Dot(v[i*d:(i+1)*d], e.ba) })
}

// AddCurvParamGrad accumulates sum_i r_i (1 - r_i) (1 - 2 r_i) (v_i.(B - A))^2.
func (e *TwoModes) AddCurvParamGrad(dst, v, xs []float64) {
	d := len(e.a)
	e.rows(dst, nil, v, xs, func(i int, r, _ float64) {
		p := vmath.Dot(v[i*d:(i+1)*d], e.ba)
		dst[0] += r * (1 - r) * (1 - 2*r) * p * p
	})
}

// rows calls add with r and the weight of each row.
func (e *TwoModes) rows(dst, w, v, xs []float64, add func(i int, r, w float64)) {
	d := len(e.a)
	n := ebmkit.CheckRows("train: TwoModes", d, w, v, xs)
	if len(dst) != 1 {
		panic("train: TwoModes: len(dst) != NumParams")
	}
	k := e.borrow()
	defer e.free.Put(k)
	const piece = 64
	for lo := 0; lo < n; lo += piece {
		hi := min(lo+piece, n)
		t := room(&k.t, hi-lo)
		for i := range t {
			t[i] = vmath.Dot(xs[(lo+i)*d:(lo+i+1)*d], e.ba) - e.shift - e.z
		}
		vmath.SigmoidSlice(t, t)
		for i, r := range t {
			weight := 1.0
			if w != nil {
				weight = w[lo+i]
			}
			add(lo+i, r, weight)
		}
	}
}
