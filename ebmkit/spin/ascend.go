package spin

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Exact is a model whose partition function and model average can be computed:
// Boltzmann, RBM, GaussianRBM.
type Exact interface {
	ebmkit.Parametric
	// ExactLogZ returns log Z of the U that Energy returns, or *ebmkit.ArgError
	// if the model is too large.
	ExactLogZ() (float64, error)
	// AddModelGrad adds w E_theta[dU/dtheta] to dst (length NumParams), or
	// returns *ebmkit.ArgError if the model is too large.
	AddModelGrad(dst []float64, w float64) error
}

// LogLikelihood returns the mean log-likelihood per row of the rows xs, in nats,
//
//	L = -sum_i w_i U(x_i) - log Z,
//
// minus the cross-entropy of review eq. (14). The weights w are not negative and
// sum to 1; nil means 1/rows. If grad is not nil (length NumParams) dL/dtheta is
// written into it, review eq. (16):
//
//	dL/dtheta = E_theta[dU/dtheta] - sum_i w_i dU(x_i)/dtheta.
//
// It returns *ebmkit.ArgError if the model is too large to be summed over, xs is
// not a positive number of rows, a number is not finite, or the weights are not
// weights.
func LogLikelihood(m Exact, grad, xs, w []float64) (float64, error) {
	minus, err := checkData("spin.LogLikelihood", m, xs, w)
	if err != nil {
		return 0, err
	}
	return logLikelihood(m, grad, xs, minus)
}

// checkData returns minus the weights of the rows.
func checkData(fn string, m Exact, xs, w []float64) ([]float64, error) {
	d := m.Dim()
	n := len(xs) / d
	if n*d != len(xs) || n == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(xs)", Value: len(xs), Want: fmt.Sprintf("a positive multiple of Dim = %d", d)}
	}
	for i, v := range xs {
		if !isFinite(v) {
			return nil, wantFinite(fn, fmt.Sprintf("xs[%d][%d]", i/d, i%d), v)
		}
	}
	minus := make([]float64, n)
	if w == nil {
		for i := range minus {
			minus[i] = -1 / float64(n)
		}
		return minus, nil
	}
	if err := wantVector(fn, "w", w, n); err != nil {
		return nil, err
	}
	var sum float64
	for i, v := range w {
		if v < 0 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("w[%d]", i), Value: v, Want: "a weight, not negative"}
		}
		sum += v
		minus[i] = -v
	}
	if math.Abs(sum-1) > 1e-9 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "sum(w)", Value: sum, Want: "1"}
	}
	return minus, nil
}

func logLikelihood(m Exact, grad, xs, minus []float64) (float64, error) {
	logZ, err := m.ExactLogZ()
	if err != nil {
		return 0, err
	}
	d := m.Dim()
	l := -logZ
	for i, w := range minus {
		if w != 0 {
			l += w * m.Energy(xs[i*d:(i+1)*d])
		}
	}
	if grad != nil {
		clear(grad)
		m.AddParamGrad(grad, minus, xs)
		if err := m.AddModelGrad(grad, 1); err != nil {
			return 0, err
		}
	}
	return l, nil
}

// Ascent is gradient ascent on the exact log-likelihood, review eq. (16). The
// step grows by a quarter after every step taken and is halved until the
// log-likelihood rises by at least a tenth of what the gradient promises, so it
// never falls.
type Ascent struct {
	Step  float64 // first step size
	Steps int     // largest number of steps
	Tol   float64 // stop when no component of dL/dtheta is larger
}

// AscentTrace is the course of a training.
type AscentTrace struct {
	LogLikelihood []float64 // before the first and after every step, nats per row
	Gap           []float64 // largest |dL/dtheta_k|, that is of model moments minus data moments
	Converged     bool      // Gap is within Tol
}

// Fit trains m on the rows xs with weights w (see LogLikelihood), starting from
// its parameters. It stops when converged, after Steps steps, when no step
// raises the log-likelihood any more, or when ctx ends, with ctx.Err() and what
// was reached. Errors as LogLikelihood; *ebmkit.ArgError if Step or Steps is not
// positive or Tol is negative.
func (a Ascent) Fit(ctx context.Context, m Exact, xs, w []float64) (*AscentTrace, error) {
	const fn = "spin.Ascent.Fit"
	if !(a.Step > 0) || !isFinite(a.Step) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Step", Value: a.Step, Want: "a positive finite number"}
	}
	if a.Steps < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Steps", Value: a.Steps, Want: "at least 1"}
	}
	if !(a.Tol >= 0) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Tol", Value: a.Tol, Want: "not negative"}
	}
	minus, err := checkData(fn, m, xs, w)
	if err != nil {
		return nil, err
	}
	theta := m.Params(nil)
	grad, next, nextGrad := make([]float64, len(theta)), make([]float64, len(theta)), make([]float64, len(theta))
	l, err := logLikelihood(m, grad, xs, minus)
	if err != nil {
		return nil, err
	}
	t := &AscentTrace{}
	step := a.Step
	for {
		var gap, square float64
		for _, g := range grad {
			gap = max(gap, math.Abs(g))
			square += g * g
		}
		t.LogLikelihood = append(t.LogLikelihood, l)
		t.Gap = append(t.Gap, gap)
		if t.Converged = gap <= a.Tol; t.Converged || len(t.Gap) > a.Steps {
			return t, nil
		}
		for {
			if err := ctx.Err(); err != nil {
				m.SetParams(theta)
				return t, err
			}
			for k, v := range theta {
				next[k] = v + step*grad[k]
			}
			if err := m.SetParams(next); err != nil {
				return t, err
			}
			nl, err := logLikelihood(m, nextGrad, xs, minus)
			if err != nil {
				return t, err
			}
			if nl >= l+0.1*step*square {
				l, step = nl, 1.25*step
				copy(theta, next)
				grad, nextGrad = nextGrad, grad
				break
			}
			if step *= 0.5; step*square < 1e-16*(1+math.Abs(l)) {
				return t, m.SetParams(theta) // rounding hides the rest
			}
		}
	}
}
