package energy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// cbrtEps is eps^(1/3), the relative step at which the truncation error h^2 and
// the rounding error eps/h of a central difference balance.
const cbrtEps = 6.0554544523933395e-06

// Func is an energy given as a Go function. If no gradient is given, it is
// computed by central differences, 2d evaluations, with an error of about 1e-10
// relative to U/|x|:
//
//	dU/dx_j ~ (U(x + h_j e_j) - U(x - h_j e_j)) / (2 h_j),
//	h_j = eps^(1/3) max(1, |x_j|).
//
// NumericalGradient and String say so.
type Func struct {
	d    int
	f    func(x []float64) float64
	grad func(grad, x []float64)
	work scratch
}

var _ ebmkit.Differentiable = (*Func)(nil)

// NewFunc returns the energy f on R^dim; grad, if not nil, writes dU/dx. Both
// must be safe for concurrent calls and must not keep or change x; the U that f
// returns may be +Inf but not NaN. It returns *ebmkit.ArgError if dim < 1 or f
// is nil.
func NewFunc(dim int, f func(x []float64) float64, grad func(grad, x []float64)) (*Func, error) {
	const fn = "energy.NewFunc"
	if err := wantDim(fn, dim, 1); err != nil {
		return nil, err
	}
	if f == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "f", Value: nil, Want: "a function"}
	}
	return &Func{d: dim, f: f, grad: grad}, nil
}

// Dim returns d.
func (e *Func) Dim() int { return e.d }

// NumericalGradient says whether the gradient is computed by finite differences.
func (e *Func) NumericalGradient() bool { return e.grad == nil }

// String names the energy and says how its gradient is computed.
func (e *Func) String() string {
	how := "given"
	if e.grad == nil {
		how = "by central differences"
	}
	return fmt.Sprintf("Func(d = %d, gradient %s)", e.d, how)
}

// Energy returns f(x).
func (e *Func) Energy(x []float64) float64 {
	checkX("Func.Energy", e.d, nil, x)
	return e.f(x)
}

// EnergyGrad writes the gradient and returns f(x).
func (e *Func) EnergyGrad(grad, x []float64) float64 {
	checkX("Func.EnergyGrad", e.d, grad, x)
	u := e.f(x)
	if e.grad != nil {
		e.grad(grad, x)
		return u
	}
	buf := e.work.get(e.d)
	defer e.work.put(buf)
	y := *buf
	copy(y, x)
	for j, xj := range x {
		h := cbrtEps * math.Max(1, math.Abs(xj))
		up, down := xj+h, xj-h // what is added is what is divided by
		y[j] = up
		a := e.f(y)
		y[j] = down
		b := e.f(y)
		y[j] = xj
		grad[j] = (a - b) / (up - down)
	}
	return u
}
