package nn

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Optimizer moves parameters against a gradient.
//
// Step number k, from 0, uses the rate of the optimiser's Schedule at k. What an
// optimiser remembers from step to step takes the length of the first theta;
// another length later panics. Nothing is repaired: a gradient that is not
// finite makes theta not finite. Look at Norm before.
type Optimizer[T Float] interface {
	// Step updates theta with the gradient of a function to be minimised. It
	// panics if the lengths differ.
	Step(theta, grad []T)
	// State returns what the optimiser remembers, for a checkpoint. The arrays
	// share memory with the optimiser until the next Step.
	State() []store.Array
	// SetState takes over a copy of what State of an optimiser of the same kind
	// returned. It returns *ebmkit.ArgError, and changes nothing, if an array is
	// missing or is of another type or length.
	SetState(state []store.Array) error
}

var (
	_ Optimizer[float64] = (*SGD[float64])(nil)
	_ Optimizer[float64] = (*Momentum[float64])(nil)
	_ Optimizer[float32] = (*Adam[float32])(nil)
)

// SGD is gradient descent,
//
//	theta <- theta - rate_k g.
type SGD[T Float] struct {
	rate Schedule
	k    int
}

// NewSGD returns an SGD. It returns *ebmkit.ArgError if rate is not valid.
func NewSGD[T Float](rate Schedule) (*SGD[T], error) {
	if err := checkSchedule("nn.NewSGD", rate); err != nil {
		return nil, err
	}
	return &SGD[T]{rate: rate}, nil
}

// Step implements Optimizer.
func (o *SGD[T]) Step(theta, grad []T) {
	wantLen(len(grad), len(theta), "grad")
	rate := T(o.rate.Rate(o.k))
	for i, g := range grad {
		theta[i] -= rate * g
	}
	o.k++
}

// State implements Optimizer.
func (o *SGD[T]) State() []store.Array { return []store.Array{steps("sgd.steps", o.k)} }

// SetState implements Optimizer.
func (o *SGD[T]) SetState(state []store.Array) error {
	r := stateReader[T]{fn: "nn.SGD.SetState", state: state}
	k := r.steps("sgd.steps")
	if r.err == nil {
		o.k = k
	}
	return r.err
}

// Momentum is the heavy ball of Polyak (1964),
//
//	m <- Mu m + g,   theta <- theta - rate_k m.
type Momentum[T Float] struct {
	rate Schedule
	mu   T
	k    int
	m    []T
}

// NewMomentum returns a Momentum. It returns *ebmkit.ArgError if rate is not
// valid or mu outside [0, 1).
func NewMomentum[T Float](rate Schedule, mu float64) (*Momentum[T], error) {
	if err := checkSchedule("nn.NewMomentum", rate); err != nil {
		return nil, err
	}
	if !(mu >= 0 && mu < 1) {
		return nil, &ebmkit.ArgError{Func: "nn.NewMomentum", Arg: "mu", Value: mu, Want: "0 <= mu < 1"}
	}
	return &Momentum[T]{rate: rate, mu: T(mu)}, nil
}

// Step implements Optimizer.
func (o *Momentum[T]) Step(theta, grad []T) {
	wantLen(len(grad), len(theta), "grad")
	if o.m == nil {
		o.m = make([]T, len(theta))
	}
	wantLen(len(theta), len(o.m), "theta")
	rate := T(o.rate.Rate(o.k))
	for i, g := range grad {
		m := o.mu*o.m[i] + g
		o.m[i] = m
		theta[i] -= rate * m
	}
	o.k++
}

// State implements Optimizer.
func (o *Momentum[T]) State() []store.Array {
	return []store.Array{steps("momentum.steps", o.k), {Name: "momentum.m", Shape: []int{len(o.m)}, Data: o.m}}
}

// SetState implements Optimizer.
func (o *Momentum[T]) SetState(state []store.Array) error {
	r := stateReader[T]{fn: "nn.Momentum.SetState", state: state}
	k, m := r.steps("momentum.steps"), r.vector("momentum.m", -1)
	if r.err == nil {
		o.k, o.m = k, m
	}
	return r.err
}

// AdamConfig holds the constants of Adam; zero values mean the defaults.
type AdamConfig struct {
	Rate         Schedule // required
	Beta1, Beta2 float64  // default 0.9 and 0.999
	Eps          float64  // default 1e-8
	Decay        float64  // weight decay of AdamW; default 0
}

// Adam is the method of Kingma and Ba (2015),
//
//	m <- Beta1 m + (1-Beta1) g,   v <- Beta2 v + (1-Beta2) g^2,
//	theta <- theta - rate_k [ mh/(sqrt(vh) + Eps) + Decay theta ],
//	mh = m/(1 - Beta1^{k+1}),   vh = v/(1 - Beta2^{k+1}).
//
// With Decay > 0 it is AdamW (Loshchilov and Hutter, 2019): the decay does not
// pass through the moments.
type Adam[T Float] struct {
	c      AdamConfig
	k      int
	b1, b2 float64 // Beta1^k, Beta2^k
	m, v   []T

	// The step that runs.
	theta, grad []T
	coef        vmath.AdamStep[T]
	kernel      func(theta, m, v, grad []T, s *vmath.AdamStep[T]) bool
	block       func(int)
}

// NewAdam returns an Adam. It returns *ebmkit.ArgError if the rate is not
// valid, a Beta lies outside [0, 1), Eps is not positive or Decay negative.
func NewAdam[T Float](c AdamConfig) (*Adam[T], error) {
	const fn = "nn.NewAdam"
	if err := checkSchedule(fn, c.Rate); err != nil {
		return nil, err
	}
	if c.Beta1 == 0 {
		c.Beta1 = 0.9
	}
	if c.Beta2 == 0 {
		c.Beta2 = 0.999
	}
	if c.Eps == 0 {
		c.Eps = 1e-8
	}
	for _, v := range []struct {
		arg  string
		x    float64
		ok   bool
		want string
	}{
		{"Beta1", c.Beta1, c.Beta1 >= 0 && c.Beta1 < 1, "0 < Beta1 < 1"},
		{"Beta2", c.Beta2, c.Beta2 >= 0 && c.Beta2 < 1, "0 < Beta2 < 1"},
		{"Eps", c.Eps, c.Eps > 0 && c.Eps < 1, "a small positive number"},
		{"Decay", c.Decay, c.Decay >= 0 && c.Decay < math.MaxFloat32, "0 or more"},
	} {
		if !v.ok {
			return nil, &ebmkit.ArgError{Func: fn, Arg: v.arg, Value: v.x, Want: v.want}
		}
	}
	o := &Adam[T]{c: c, b1: 1, b2: 1}
	switch o := any(o).(type) {
	case *Adam[float32]:
		o.kernel = vmath.Adam32
	case *Adam[float64]:
		o.kernel = vmath.Adam64
	}
	o.block = o.stepBlock
	return o, nil
}

// adamChunk parameters are a block of a step.
const adamChunk = 8192

// Step implements Optimizer.
func (o *Adam[T]) Step(theta, grad []T) {
	wantLen(len(grad), len(theta), "grad")
	o.begin(len(theta))
	o.theta, o.grad = theta, grad
	loop((len(theta)+adamChunk-1)/adamChunk, o.block)
	o.theta, o.grad = nil, nil
}

func (o *Adam[T]) stepBlock(b int) {
	lo, hi := b*adamChunk, min((b+1)*adamChunk, len(o.theta))
	o.part(o.theta[lo:hi], o.grad[lo:hi], lo)
}

// begin sets out on the next step of n parameters, which part takes.
func (o *Adam[T]) begin(n int) {
	if o.m == nil {
		o.m, o.v = make([]T, n), make([]T, n)
	}
	wantLen(n, len(o.m), "theta")
	c := &o.c
	rate := c.Rate.Rate(o.k)
	o.b1 *= c.Beta1
	o.b2 *= c.Beta2
	o.coef = vmath.AdamStep[T]{T(c.Beta1), T(1 - c.Beta1), T(c.Beta2), T(1 - c.Beta2),
		T(1 / math.Sqrt(1-o.b2)), T(c.Eps), T(rate / (1 - o.b1)), T(1 - rate*c.Decay)}
	o.k++
}

// part moves the parameters from number at on, and reports whether they and their
// second moments are finite.
func (o *Adam[T]) part(theta, grad []T, at int) bool {
	return o.kernel(theta, o.m[at:at+len(grad)], o.v[at:at+len(grad)], grad, &o.coef)
}

// State implements Optimizer.
func (o *Adam[T]) State() []store.Array {
	return []store.Array{steps("adam.steps", o.k),
		{Name: "adam.m", Shape: []int{len(o.m)}, Data: o.m}, {Name: "adam.v", Shape: []int{len(o.v)}, Data: o.v}}
}

// SetState implements Optimizer.
func (o *Adam[T]) SetState(state []store.Array) error {
	r := stateReader[T]{fn: "nn.Adam.SetState", state: state}
	k, m := r.steps("adam.steps"), r.vector("adam.m", -1)
	v := r.vector("adam.v", len(m))
	if r.err != nil {
		return r.err
	}
	o.k, o.m, o.v, o.b1, o.b2 = k, m, v, 1, 1
	for range k { // the same bits as by k steps
		o.b1 *= o.c.Beta1
		o.b2 *= o.c.Beta2
		if o.b1 == 0 && o.b2 == 0 {
			break
		}
	}
	return nil
}

func steps(name string, k int) store.Array { return store.Array{Name: name, Data: []int64{int64(k)}} }

// stateReader takes arrays out of a state and keeps the first error.
type stateReader[T Float] struct {
	fn    string
	state []store.Array
	err   error
}

func (r *stateReader[T]) find(name, want string, use func(data any) bool) {
	var got any = "missing"
	for i := range r.state {
		if a := &r.state[i]; a.Name == name {
			if use(a.Data) {
				return
			}
			got = fmt.Sprintf("%s of shape %v", ebmkit.TypeName(a.Data), a.Shape)
		}
	}
	if r.err == nil {
		r.err = &ebmkit.ArgError{Func: r.fn, Arg: name, Value: got, Want: want}
	}
}

func (r *stateReader[T]) steps(name string) (k int) {
	r.find(name, "one number of steps", func(data any) bool {
		v, ok := data.([]int64)
		if !ok || len(v) != 1 || v[0] < 0 {
			return false
		}
		k = int(v[0])
		return true
	})
	return k
}

// vector returns a copy of an array of length n, or of any if n is -1; nil if
// it is empty.
func (r *stateReader[T]) vector(name string, n int) (c []T) {
	want := fmt.Sprintf("%T", c)
	if n >= 0 {
		want += fmt.Sprintf(" of length %d", n)
	}
	r.find(name, want, func(data any) bool {
		v, ok := data.([]T)
		if !ok || n >= 0 && len(v) != n {
			return false
		}
		c = append(c, v...)
		return true
	})
	return c
}

// Norm returns the Euclidean norm of a gradient; NaN or +Inf if an entry is not
// finite.
func Norm[T Float](grad []T) float64 {
	// Component i goes to sum i mod 4.
	var s0, s1, s2, s3 float64
	for ; len(grad) >= 4; grad = grad[4:] {
		a, b, c, d := float64(grad[0]), float64(grad[1]), float64(grad[2]), float64(grad[3])
		s0 += a * a
		s1 += b * b
		s2 += c * c
		s3 += d * d
	}
	for i, g := range grad {
		switch square := float64(g) * float64(g); i {
		case 0:
			s0 += square
		case 1:
			s1 += square
		default:
			s2 += square
		}
	}
	return math.Sqrt((s0 + s1) + (s2 + s3))
}

// Clip shortens a gradient to the norm limit if it is longer, and returns the
// norm that it had; it was clipped if that is larger than limit. A gradient
// that is not finite is left as it is. It panics if limit is not positive.
func Clip[T Float](grad []T, limit float64) float64 {
	if !(limit > 0) {
		panic("nn: Clip: limit is not positive")
	}
	norm := Norm(grad)
	if norm > limit && !math.IsInf(norm, 1) {
		f := T(limit / norm)
		for i := range grad {
			grad[i] *= f
		}
	}
	return norm
}

// EMA is the exponential moving average of parameters along training,
//
//	avg <- decay avg + (1 - decay) theta,   avg = theta at the first Update.
type EMA[T Float] struct {
	decay T
	k     int
	avg   []T
}

// NewEMA returns an empty average. It returns *ebmkit.ArgError if decay is
// outside [0, 1).
func NewEMA[T Float](decay float64) (*EMA[T], error) {
	if !(decay >= 0 && decay < 1) {
		return nil, &ebmkit.ArgError{Func: "nn.NewEMA", Arg: "decay", Value: decay, Want: "0 <= decay < 1"}
	}
	return &EMA[T]{decay: T(decay)}, nil
}

// Update takes theta into the average. It panics if its length changes.
func (e *EMA[T]) Update(theta []T) {
	if e.k == 0 {
		e.avg = append(e.avg[:0], theta...)
	}
	wantLen(len(theta), len(e.avg), "theta")
	for i, v := range theta {
		e.avg[i] += (1 - e.decay) * (v - e.avg[i])
	}
	e.k++
}

// Params copies the average into dst (allocated if nil) and returns it. It
// panics before the first Update and on a wrong length.
func (e *EMA[T]) Params(dst []T) []T {
	if e.k == 0 {
		panic("nn: EMA.Params: no Update yet")
	}
	if dst == nil {
		dst = make([]T, len(e.avg))
	}
	wantLen(len(dst), len(e.avg), "dst")
	copy(dst, e.avg)
	return dst
}

// State returns the average for a checkpoint, as Optimizer.State does.
func (e *EMA[T]) State() []store.Array {
	return []store.Array{steps("ema.steps", e.k), {Name: "ema.avg", Shape: []int{len(e.avg)}, Data: e.avg}}
}

// SetState is to State what it is for an Optimizer.
func (e *EMA[T]) SetState(state []store.Array) error {
	r := stateReader[T]{fn: "nn.EMA.SetState", state: state}
	k, avg := r.steps("ema.steps"), r.vector("ema.avg", -1)
	if r.err == nil {
		e.k, e.avg = k, avg
	}
	return r.err
}
