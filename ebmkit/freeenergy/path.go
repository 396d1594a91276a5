package freeenergy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Path is an energy U_lambda that depends on a control parameter lambda, which
// runs from 0 to 1. With a schedule of values of lambda it is a protocol.
type Path interface {
	// Dim returns d.
	Dim() int
	// Walk returns a function that gives U_lambda. Each block of walkers has its
	// own; it may return the same pointer every time, its parameters changed, so
	// an energy is good until the next call. It returns *ebmkit.ArgError if a
	// parameter of the path is out of range.
	Walk() (func(lambda float64) ebmkit.Energy, error)
}

// Linear returns the schedule 0, 1/k, 2/k, .., 1. It panics if k < 1.
func Linear(k int) []float64 { return Power(k, 1) }

// Power returns the schedule (i/k)^p, i = 0..k. With a whole p above 1 it takes
// small steps where lambda is small, where the law changes most if the walkers
// start far from the target. It panics if k or p is less than 1.
func Power(k, p int) []float64 {
	if k < 1 || p < 1 {
		panic("freeenergy: Power: k and p must be at least 1")
	}
	l := make([]float64, k+1)
	for i := range l {
		l[i] = 1
		for range p {
			l[i] *= float64(i) / float64(k)
		}
	}
	l[k] = 1
	return l
}

// checkSchedule returns an error unless l goes from 0 to 1 and only upwards.
func checkSchedule(fn string, l []float64) error {
	if len(l) < 2 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(Lambdas)", Value: len(l), Want: "at least 2, as freeenergy.Linear(100) gives"}
	}
	for i, v := range l {
		switch {
		case i == 0 && v != 0:
			return &ebmkit.ArgError{Func: fn, Arg: "Lambdas[0]", Value: v, Want: "0, where the walkers are in equilibrium"}
		case i > 0 && !(v > l[i-1]):
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Lambdas[%d]", i), Value: v, Want: fmt.Sprintf("more than %g, the one before", l[i-1])}
		case i == len(l)-1 && v != 1:
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Lambdas[%d]", i), Value: v, Want: "1, the end of the path"}
		}
	}
	return nil
}

// Geometric is the path between two densities through their geometric means,
//
//	U_lambda = (1 - lambda) From + lambda To.
type Geometric struct{ From, To ebmkit.Energy }

// Dim returns d.
func (p Geometric) Dim() int { return p.From.Dim() }

// Walk implements Path. It returns *ebmkit.ArgError if the dimensions differ.
func (p Geometric) Walk() (func(float64) ebmkit.Energy, error) {
	between, err := p.interpolation()
	if err != nil {
		return nil, err
	}
	return between.at, nil
}

func (p Geometric) interpolation() (*interpolation, error) {
	if p.From == nil || p.To == nil {
		return nil, &ebmkit.ArgError{Func: "freeenergy.Geometric", Arg: "From and To", Value: nil, Want: "two energies"}
	}
	e, err := energy.NewInterpolate(p.From, p.To, 0)
	if err != nil {
		return nil, &ebmkit.ArgError{Func: "freeenergy.Geometric", Arg: "To.Dim()", Value: p.To.Dim(), Want: fmt.Sprintf("%d, as From", p.From.Dim())}
	}
	return &interpolation{e}, nil
}

// interpolation is an energy.Interpolate whose T moves and whose evaluators stay.
type interpolation struct{ energy.Interpolate }

func (e *interpolation) at(lambda float64) ebmkit.Energy {
	e.T = lambda
	switch lambda {
	case 0:
		return e.U0
	case 1:
		return e.U1
	}
	return e
}

func (e *interpolation) NewEvaluator() ebmkit.Evaluator {
	return &interpolationEvaluator{e: e, ev0: ebmkit.NewEvaluator(e.U0), ev1: ebmkit.NewEvaluator(e.U1)}
}

type interpolationEvaluator struct {
	e        *interpolation
	ev0, ev1 ebmkit.Evaluator
	u, grad  []float64
}

func (v *interpolationEvaluator) EnergyGrad(u, grad, xs []float64) {
	n := ebmkit.CheckRows("energy: Interpolate.EnergyGrad", v.e.Dim(), u, grad, xs)
	if v.e.T == 0 {
		v.ev0.EnergyGrad(u, grad, xs)
		return
	}
	if v.e.T == 1 {
		v.ev1.EnergyGrad(u, grad, xs)
		return
	}
	if len(v.u) < n {
		v.u, v.grad = make([]float64, n), make([]float64, len(xs))
	}
	var u1, g1 []float64
	if u != nil {
		u1 = v.u[:n]
	}
	if grad != nil {
		g1 = v.grad[:len(xs)]
	}
	v.ev0.EnergyGrad(u, grad, xs)
	v.ev1.EnergyGrad(u1, g1, xs)
	for i := range u1 {
		u[i] = (1-v.e.T)*u[i] + v.e.T*u1[i]
	}
	for i := range g1 {
		grad[i] = (1-v.e.T)*grad[i] + v.e.T*g1[i]
	}
}

// PathFunc is a path given by a function that makes the energy of each lambda,
// for instance a spin model with couplings times lambda. At is called by many
// goroutines at once and must return a new energy, or one that does not change.
type PathFunc struct {
	D  int
	At func(lambda float64) ebmkit.Energy
}

// Dim returns D.
func (p PathFunc) Dim() int { return p.D }

// Walk implements Path.
func (p PathFunc) Walk() (func(float64) ebmkit.Energy, error) {
	const fn = "freeenergy.PathFunc"
	if p.At == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "At", Value: nil, Want: "a function"}
	}
	for _, l := range []float64{0, 1} {
		e := p.At(l)
		if e == nil {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("At(%g)", l), Value: nil, Want: "an energy"}
		}
		if e.Dim() != p.D {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("At(%g).Dim()", l), Value: e.Dim(), Want: fmt.Sprintf("%d, which is D", p.D)}
		}
	}
	return p.At, nil
}

// StiffnessChange is a harmonic trap in d dimensions whose stiffness changes,
//
//	U_lambda = k |x|^2 / 2,   k = (1 - lambda) From + lambda To,
//	log Z(1)/Z(0) = -(d/2) log(To/From).
type StiffnessChange struct {
	D        int     // d
	From, To float64 // stiffness, positive
}

// Dim returns D.
func (p StiffnessChange) Dim() int { return p.D }

// Walk implements Path.
func (p StiffnessChange) Walk() (func(float64) ebmkit.Energy, error) {
	const fn = "freeenergy.StiffnessChange"
	if p.D < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "D", Value: p.D, Want: "at least 1"}
	}
	if err := positive(fn, "From", p.From); err != nil {
		return nil, err
	}
	if err := positive(fn, "To", p.To); err != nil {
		return nil, err
	}
	e := newHarmonic(p.D)
	return func(l float64) ebmkit.Energy {
		e.stiffen((1-l)*p.From + l*p.To)
		return e
	}, nil
}

// DraggedTrap is a harmonic trap on the line whose centre moves from 0 to
// Distance,
//
//	U_lambda = Stiffness (x - lambda Distance)^2 / 2,   log Z(1)/Z(0) = 0.
//
// Dragged at speed v for a time tau over overdamped dynamics (beta = gamma = 1),
//
//	<W> = v^2 [tau - (1 - exp(-k tau))/k],   Var W = 2 <W>.
type DraggedTrap struct {
	Stiffness float64 // k, positive
	Distance  float64 // v tau
}

// Dim returns 1.
func (p DraggedTrap) Dim() int { return 1 }

// Walk implements Path.
func (p DraggedTrap) Walk() (func(float64) ebmkit.Energy, error) {
	const fn = "freeenergy.DraggedTrap"
	if err := positive(fn, "Stiffness", p.Stiffness); err != nil {
		return nil, err
	}
	if !finite(p.Distance) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Distance", Value: p.Distance, Want: "a finite number"}
	}
	e := newHarmonic(1)
	e.stiffen(p.Stiffness)
	return func(l float64) ebmkit.Energy {
		e.mean[0] = l * p.Distance
		return e
	}, nil
}

// MeanWork returns the exact mean work of dragging in steps times OU moves of
// the time dt each, which lie between steps+1 equal jumps of the trap, at a lag
// y_j of the mean behind the centre:
//
//	<W> = sum_j (k s y_j + k s^2/2),   y_0 = 0,  y_{j+1} = (y_j + s) exp(-k dt),
//
// s = Distance/(steps+1). Var W = 2 <W> holds exactly. It is NaN if steps or dt
// is negative.
func (p DraggedTrap) MeanWork(steps int, dt float64) float64 {
	if steps < 0 || !(dt >= 0) {
		return math.NaN()
	}
	s, decay := p.Distance/float64(steps+1), vmath.Exp(-p.Stiffness*dt)
	var w, y float64
	for range steps + 1 {
		w += p.Stiffness * s * (y + s/2)
		y = (y + s) * decay
	}
	return w
}

// harmonic is a trap of the same stiffness k in all directions,
//
//	U(x) = k |x - mean|^2 / 2.
type harmonic struct{ mean, prec []float64 }

// newHarmonic returns a trap of stiffness 1 around the origin.
func newHarmonic(d int) *harmonic {
	e := &harmonic{mean: make([]float64, d), prec: make([]float64, d)}
	e.stiffen(1)
	return e
}

func (e *harmonic) stiffen(k float64) {
	for j := range e.prec {
		e.prec[j] = k
	}
}

func (e *harmonic) Dim() int                       { return len(e.mean) }
func (e *harmonic) Energy(x []float64) float64     { return e.EnergyGrad(nil, x) }
func (e *harmonic) NewEvaluator() ebmkit.Evaluator { return harmonicEvaluator{e} }

func (e *harmonic) EnergyGrad(grad, x []float64) float64 {
	checkX("EnergyGrad", len(e.mean), grad, x)
	var u [1]float64
	vmath.DiagonalRows(u[:], grad, x, e.mean, e.prec)
	return u[0]
}

type harmonicEvaluator struct{ e *harmonic }

func (v harmonicEvaluator) EnergyGrad(u, grad, xs []float64) {
	ebmkit.CheckRows("freeenergy: EnergyGrad", len(v.e.mean), u, grad, xs)
	vmath.DiagonalRows(u, grad, xs, v.e.mean, v.e.prec)
}

// LogZ returns (d/2) log(2 pi/k).
func (e *harmonic) LogZ() float64 {
	return float64(len(e.mean)) * (math.Log(2*math.Pi) - vmath.Log(e.prec[0])) / 2
}

func (e *harmonic) Sample(dst []float64, s *ebmkit.Stream) {
	checkX("Sample", len(e.mean), nil, dst)
	s.FillNormal(dst)
	for j := range dst {
		dst[j] = e.mean[j] + dst[j]/math.Sqrt(e.prec[j])
	}
}

func (e *harmonic) Mean(dst []float64) []float64 {
	dst = into("Mean", dst, len(e.mean))
	copy(dst, e.mean)
	return dst
}

func (e *harmonic) SD(dst []float64) []float64 {
	dst = into("SD", dst, len(e.mean))
	for j, k := range e.prec {
		dst[j] = 1 / math.Sqrt(k)
	}
	return dst
}

func (e *harmonic) Cov(dst []float64) []float64 {
	d := len(e.mean)
	dst = into("Cov", dst, d*d)
	clear(dst)
	for j, k := range e.prec {
		dst[j*d+j] = 1 / k
	}
	return dst
}

// into returns dst, or a new slice if it is nil, and panics unless it has n
// elements.
func into(method string, dst []float64, n int) []float64 {
	if dst == nil {
		return make([]float64, n)
	}
	if len(dst) != n {
		panic("freeenergy: " + method + ": wrong length of dst")
	}
	return dst
}

// checkX panics unless x, and grad if not nil, have length d.
func checkX(method string, d int, grad, x []float64) {
	if len(x) != d || grad != nil && len(grad) != d {
		panic("freeenergy: " + method + ": wrong length of a slice")
	}
}

// FieldRamp switches on a field,
//
//	U_lambda(x) = U(x) - lambda Field . x.
//
// For a Gaussian with mean m and covariance C, log Z(1)/Z(0) = Field.m +
// Field'C Field/2. Walkers start from U, which must be a Sampler unless
// Config.Start is given.
type FieldRamp struct {
	U     ebmkit.Energy
	Field []float64 // d numbers
}

// Dim returns d.
func (p FieldRamp) Dim() int { return p.U.Dim() }

// Walk implements Path.
func (p FieldRamp) Walk() (func(float64) ebmkit.Energy, error) {
	const fn = "freeenergy.FieldRamp"
	if p.U == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "U", Value: nil, Want: "an energy"}
	}
	if len(p.Field) != p.U.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(Field)", Value: len(p.Field), Want: fmt.Sprintf("%d, the dimension of U", p.U.Dim())}
	}
	for j, h := range p.Field {
		if !finite(h) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Field[%d]", j), Value: h, Want: "a finite number"}
		}
	}
	in := &inField{u: p.U, field: p.Field}
	return func(l float64) ebmkit.Energy {
		if in.lambda = l; l == 0 {
			return in.u
		}
		return in
	}, nil
}

type inField struct {
	u      ebmkit.Energy
	field  []float64
	lambda float64
}

func (e *inField) Dim() int               { return len(e.field) }
func (e *inField) Inner() []ebmkit.Energy { return []ebmkit.Energy{e.u} }
func (e *inField) Energy(x []float64) float64 {
	checkX("Energy", len(e.field), nil, x)
	return e.u.Energy(x) - e.lambda*vmath.Dot(e.field, x)
}

func (e *inField) EnergyGrad(grad, x []float64) float64 {
	checkX("EnergyGrad", len(e.field), grad, x)
	u := e.u.(ebmkit.Differentiable).EnergyGrad(grad, x)
	vmath.Axpy(grad, -e.lambda, e.field)
	return u - e.lambda*vmath.Dot(e.field, x)
}

func (e *inField) NewEvaluator() ebmkit.Evaluator {
	return &inFieldEvaluator{e, ebmkit.NewEvaluator(e.u)}
}

type inFieldEvaluator struct {
	e  *inField
	in ebmkit.Evaluator
}

func (v *inFieldEvaluator) EnergyGrad(u, grad, xs []float64) {
	ebmkit.CheckRows("freeenergy: FieldRamp.EnergyGrad", v.e.Dim(), u, grad, xs)
	v.in.EnergyGrad(u, grad, xs)
	d := len(v.e.field)
	for i := range u {
		u[i] -= v.e.lambda * vmath.Dot(v.e.field, xs[i*d:(i+1)*d])
	}
	for lo := 0; lo < len(grad); lo += d {
		vmath.Axpy(grad[lo:lo+d], -v.e.lambda, v.e.field)
	}
}

// ModeMasses shifts mass between two unit Gaussians with means A and B: it is
// energy.TwoModes with a moving z,
//
//	U_lambda(x) = -log(exp(-|x-A|^2/2) + exp(-|x-B|^2/2 - z)),
//	z = (1 - lambda) FromZ + lambda ToZ,
//	log Z(1)/Z(0) = log(1 + exp(-ToZ)) - log(1 + exp(-FromZ)).
//
// The mass of mode B is 1/(1 + exp(z)).
type ModeMasses struct {
	A, B       []float64
	FromZ, ToZ float64
}

// Dim returns d.
func (p ModeMasses) Dim() int { return len(p.A) }

// Walk implements Path.
func (p ModeMasses) Walk() (func(float64) ebmkit.Energy, error) {
	const fn = "freeenergy.ModeMasses"
	if !finite(p.FromZ) || !finite(p.ToZ) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "FromZ, ToZ", Value: fmt.Sprint(p.FromZ, ", ", p.ToZ), Want: "finite numbers"}
	}
	e, err := energy.NewTwoModes(p.A, p.B, p.FromZ)
	if arg, ok := err.(*ebmkit.ArgError); ok {
		arg.Func = fn
	}
	if err != nil {
		return nil, err
	}
	z := make([]float64, 1)
	return func(l float64) ebmkit.Energy {
		z[0] = (1-l)*p.FromZ + l*p.ToZ
		if err := e.SetParams(z); err != nil {
			panic("freeenergy: ModeMasses: lambda is not finite")
		}
		return e
	}, nil
}

var (
	_ Path              = Geometric{}
	_ Path              = PathFunc{}
	_ Path              = StiffnessChange{}
	_ Path              = DraggedTrap{}
	_ Path              = FieldRamp{}
	_ Path              = ModeMasses{}
	_ ebmkit.Moments    = (*harmonic)(nil)
	_ ebmkit.Batched    = (*harmonic)(nil)
	_ ebmkit.Normalized = (*harmonic)(nil)
	_ ebmkit.Sampler    = (*harmonic)(nil)
	_ ebmkit.Batched    = (*inField)(nil)
	_ ebmkit.Wrapper    = (*inField)(nil)
	_ ebmkit.Batched    = (*interpolation)(nil)
)

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func positive(fn, arg string, v float64) error {
	if v > 0 && !math.IsInf(v, 1) {
		return nil
	}
	return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: "a positive finite number"}
}
