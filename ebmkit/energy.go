package ebmkit

// Energy is a function U on R^d, standing for the density exp(-U)/Z of review
// eq. (5). Implementations must be safe for concurrent calls (SetParams of a
// Parametric energy excepted) and must not modify or keep x.
type Energy interface {
	// Dim returns d.
	Dim() int
	// Energy returns U(x) for x of length Dim. +Inf marks a forbidden point.
	// It panics if len(x) != Dim().
	Energy(x []float64) float64
}

// Differentiable is an Energy with a gradient.
//
// Ask Gradient for it instead of asserting the type: a wrapper such as
// energy.Tempered has the method whatever it wraps.
type Differentiable interface {
	Energy
	// EnergyGrad writes dU/dx_j into grad[j] and returns U(x), in one
	// evaluation. grad and x have length Dim and must not overlap. Where U is
	// +Inf the gradient is unspecified. It panics on a wrong length.
	EnergyGrad(grad, x []float64) float64
}

// Wrapper is an Energy made of other energies. It has a gradient exactly when
// all of them have.
type Wrapper interface {
	Energy
	// Inner returns the wrapped energies.
	Inner() []Energy
}

// Batched is an Energy that evaluates many rows faster than one by one.
type Batched interface {
	Energy
	// NewEvaluator returns an evaluator that owns its scratch and reads the
	// current parameters of the energy. One evaluator serves one goroutine.
	NewEvaluator() Evaluator
}

// Evaluator evaluates an energy on many rows. It is not safe for concurrent
// use; make one per goroutine with NewEvaluator.
type Evaluator interface {
	// EnergyGrad computes, for the n = len(xs)/Dim rows of xs,
	//
	//	u[i] = U(x_i),   grad[i*d+j] = dU/dx_j (x_i).
	//
	// u (length n) or grad (length n*d) may be nil: then it is not computed.
	// No slice may overlap another. It panics on a wrong length, and when grad
	// is asked of an energy that has none.
	EnergyGrad(u, grad, xs []float64)
}

// Parametric is an Energy U_theta with parameters theta.
type Parametric interface {
	Energy
	// NumParams returns the number p of parameters.
	NumParams() int
	// Params copies theta into dst (allocated if nil) and returns it. It panics
	// if dst is neither nil nor of length NumParams.
	Params(dst []float64) []float64
	// SetParams copies theta into the energy. It returns *ArgError, and leaves
	// the energy as it was, if theta has the wrong length or lies outside the
	// parameter space. It must not run concurrently with any evaluation.
	SetParams(theta []float64) error
	// AddParamGrad accumulates, over the n = len(xs)/Dim rows of xs,
	//
	//	dst[k] += sum_i w[i] dU_theta(x_i)/dtheta_k.
	//
	// w has length n; nil means all ones. With w = 1/n on data and -1/n on
	// model samples the sum of two calls is the gradient of the cross-entropy,
	// review eq. (16). It panics on a wrong length.
	AddParamGrad(dst, w, xs []float64)
}

// ScoreParametric is a Parametric energy whose gradient in x can be
// differentiated in theta. This is what score matching, review eq. (54), needs.
type ScoreParametric interface {
	Parametric
	// AddScoreParamGrad accumulates, for one vector v_i per row (v has the
	// shape of xs),
	//
	//	dst[k] += sum_i d/dtheta_k [ v_i . grad U_theta(x_i) ].
	AddScoreParamGrad(dst, v, xs []float64)
	// AddCurvParamGrad accumulates
	//
	//	dst[k] += sum_i d/dtheta_k [ v_i' (Hess U_theta)(x_i) v_i ].
	AddCurvParamGrad(dst, v, xs []float64)
}

// Normalized is an Energy whose partition function is known in closed form.
type Normalized interface {
	Energy
	// LogZ returns log of the integral of exp(-U), review eq. (5), for exactly
	// the U that Energy returns.
	LogZ() float64
}

// Sampler is an Energy that can be sampled exactly.
type Sampler interface {
	Energy
	// Sample writes one exact draw from exp(-U)/Z into dst (length Dim).
	Sample(dst []float64, s *Stream)
}

// Moments is an Energy whose mean and covariance are known in closed form.
type Moments interface {
	Energy
	// Mean writes the mean into dst (length Dim, allocated if nil).
	Mean(dst []float64) []float64
	// Cov writes the covariance, row-major d x d, into dst (allocated if nil).
	Cov(dst []float64) []float64
}

// Modes is an Energy whose local minima, the modes of its density, are known.
type Modes interface {
	Energy
	// Modes returns a new row-major slice of the minima, lowest energy first.
	Modes() []float64
}

// Field is a time-dependent vector field: an SDE's drift, a score network. It
// is not an energy.
type Field interface {
	// Dim returns d.
	Dim() int
	// At writes the field at time t for every row of xs into dst, which has the
	// shape of xs. It panics on a wrong length.
	At(dst []float64, t float64, xs []float64)
}

// Gradient returns e as a Differentiable, or an *ArgError that names the
// innermost energy without a gradient. fn and arg say who asks, for the error.
func Gradient(fn, arg string, e Energy) (Differentiable, error) {
	if bad := withoutGradient(e); bad != nil {
		return nil, &ArgError{Func: fn, Arg: arg, Value: TypeName(bad),
			Want: "an energy with a gradient (implement EnergyGrad, or wrap it in energy.Func)"}
	}
	return e.(Differentiable), nil
}

// withoutGradient returns the innermost energy in e that has no gradient, or
// nil if there is none.
func withoutGradient(e Energy) Energy {
	if w, ok := e.(Wrapper); ok {
		for _, in := range w.Inner() {
			if bad := withoutGradient(in); bad != nil {
				return bad
			}
		}
	}
	if _, ok := e.(Differentiable); !ok {
		return e
	}
	return nil
}

// NewEvaluator returns e's own evaluator if it is Batched, or else one that
// loops over the rows.
func NewEvaluator(e Energy) Evaluator {
	if b, ok := e.(Batched); ok {
		return b.NewEvaluator()
	}
	le := &loopEvaluator{e: e, d: e.Dim()}
	if withoutGradient(e) == nil {
		le.g = e.(Differentiable)
		le.scratch = make([]float64, le.d)
	}
	return le
}

type loopEvaluator struct {
	e       Energy
	g       Differentiable // nil if e has no gradient
	d       int
	scratch []float64
}

func (le *loopEvaluator) EnergyGrad(u, grad, xs []float64) {
	n := CheckRows("ebmkit: Evaluator.EnergyGrad", le.d, u, grad, xs)
	if grad != nil && le.g == nil {
		panic("ebmkit: Evaluator.EnergyGrad: the energy has no gradient")
	}
	for i := range n {
		x := xs[i*le.d : (i+1)*le.d]
		var ui float64
		if grad != nil {
			ui = le.g.EnergyGrad(grad[i*le.d:(i+1)*le.d], x)
		} else if u != nil {
			ui = le.e.Energy(x)
		}
		if u != nil {
			u[i] = ui
		}
	}
}

// CheckRows returns the number of rows of xs, and panics with a message that
// starts with who if the lengths of u, grad (either may be nil) and xs do not
// fit. Evaluators call it first.
func CheckRows(who string, dim int, u, grad, xs []float64) int {
	n := len(xs) / dim
	switch {
	case n*dim != len(xs):
		panic(who + ": len(xs) is not a multiple of Dim")
	case u != nil && len(u) != n:
		panic(who + ": len(u) is not the number of rows")
	case grad != nil && len(grad) != len(xs):
		panic(who + ": len(grad) != len(xs)")
	}
	return n
}
