package energy

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// MuellerBrown is the potential of Mueller and Brown (1979), a test surface of
// chemistry with three minima and a curved path between them:
//
//	U(x, y) = sum_k A_k exp(a_k (x-x_k)^2 + b_k (x-x_k)(y-y_k) + c_k (y-y_k)^2).
//
// Its deepest minimum is -146.7; use it through Tempered with Beta about 0.05.
// Log Z has no closed form; quad.LogZ computes it. U is +Inf where its
// confining term overflows.
type MuellerBrown struct{}

var (
	_ ebmkit.Differentiable = MuellerBrown{}
	_ ebmkit.Batched        = MuellerBrown{}
	_ ebmkit.Modes          = MuellerBrown{}
)

var muellerBrown = [4]struct{ A, a, b, c, x, y float64 }{
	{-200, -1, 0, -10, 1, 0},
	{-100, -1, 0, -10, 0, 0.5},
	{-170, -6.5, 11, -6.5, -0.5, 1.5},
	{15, 0.7, 0.6, 0.7, -1, 1},
}

// Dim returns 2.
func (MuellerBrown) Dim() int { return 2 }

// String names the energy.
func (MuellerBrown) String() string { return "MuellerBrown" }

// Energy returns U(x).
func (e MuellerBrown) Energy(x []float64) float64 {
	checkX("MuellerBrown.Energy", 2, nil, x)
	return e.row(nil, x)
}

// EnergyGrad writes dU/dx into grad and returns U(x).
func (e MuellerBrown) EnergyGrad(grad, x []float64) float64 {
	checkX("MuellerBrown.EnergyGrad", 2, grad, x)
	return e.row(grad, x)
}

func (MuellerBrown) row(grad, x []float64) float64 {
	var u, g0, g1 float64
	for _, p := range &muellerBrown {
		dx, dy := x[0]-p.x, x[1]-p.y
		// As a sum of squares of one sign, so that it overflows to +-Inf, not NaN.
		h := p.b / (2 * p.a)
		sq := dx + h*dy
		t := p.A * vmath.Exp(p.a*sq*sq+(p.c-p.b*h/2)*dy*dy)
		if t == 0 { // the wells far out, where a slope could overflow
			continue
		}
		u += t
		g0 += t * (2*p.a*dx + p.b*dy)
		g1 += t * (p.b*dx + 2*p.c*dy)
	}
	if grad != nil {
		grad[0], grad[1] = g0, g1
	}
	return u
}

// NewEvaluator returns an evaluator of many rows.
func (e MuellerBrown) NewEvaluator() ebmkit.Evaluator {
	return rowEvaluator{"energy: MuellerBrown.EnergyGrad", 2, e.row}
}

// Modes returns the three minima, found by Newton's method.
func (e MuellerBrown) Modes() []float64 {
	m := []float64{-0.56, 1.44, 0.62, 0.03, -0.05, 0.47} // starting points, deepest first
	for i := 0; i < len(m); i += 2 {
		x := m[i : i+2]
		for range 20 {
			var g0, g1, hxx, hxy, hyy float64
			for _, p := range &muellerBrown {
				dx, dy := x[0]-p.x, x[1]-p.y
				t := p.A * vmath.Exp(p.a*dx*dx+p.b*dx*dy+p.c*dy*dy)
				qx, qy := 2*p.a*dx+p.b*dy, p.b*dx+2*p.c*dy
				g0 += t * qx
				g1 += t * qy
				hxx += t * (qx*qx + 2*p.a)
				hxy += t * (qx*qy + p.b)
				hyy += t * (qy*qy + 2*p.c)
			}
			det := hxx*hyy - hxy*hxy
			sx, sy := (hyy*g0-hxy*g1)/det, (hxx*g1-hxy*g0)/det
			x[0] -= sx
			x[1] -= sy
			if math.Abs(sx)+math.Abs(sy) < 1e-15 {
				break
			}
		}
	}
	return m
}
