// Package meanfield follows training with infinitely many walkers: their density
// on a grid, review eq. (112), and the parameters that it drives, eq. (111),
//
//	drho/dt   = Alpha div(rho grad U_theta + grad rho) - Nu (rho - rho_data),
//	dtheta/dt = Rate (E_rho[dU/dtheta] - E_data[dU/dtheta]).
//
// Nu = 0 is persistent contrastive divergence, a large Nu is contrastive
// divergence, and Alpha = +Inf is gradient descent on the cross-entropy, in which
// the walkers are in equilibrium at every moment. What is left out is noise: of
// the walkers, of their time step and of the data. What remains is the bias of
// the algorithms.
//
// A training with train.PCD{Kernel: mcmc.ULA{Step: h}, Renew: p} and steps eta of
// gradient descent is followed with Alpha = 1, Nu = p/h, Rate = eta/h and Step =
// h. In train.CD with P steps a walker has the age P h when it is used, here it has
// the mean age 1/Nu: to first order they are the same for Alpha/Nu = P h.
//
// For Nu t much larger than 1 and Nu large, review eq. (113),
//
//	rho = rho_data + (Alpha/Nu) div(rho_data grad U + grad rho_data) + O(1/Nu^2),
//
// and the gradient is Alpha/Nu times that of half the Fisher divergence, eq. (115),
// by the integration by parts of eq. (116); eq. (114) is printed without Alpha.
package meanfield

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
)

// Training is training by a density of walkers.
type Training struct {
	Alpha float64   // speed of the walkers, positive; +Inf: always in equilibrium
	Nu    float64   // rate of restarts at the data
	Rate  float64   // of learning, positive
	Start []float64 // the walkers' density at first; nil means the data's; not used if Alpha is +Inf
	Step  float64   // of time
	Steps int       // number of them
	Every int       // keep what happens after every so many; 0: only the last
}

// Path is a training along time.
type Path struct {
	T            []float64   // times, from 0
	Theta        [][]float64 // parameters at these times
	P            [][]float64 // densities of the walkers
	CrossEntropy []float64   // -E_data[log rho_theta] on the grid, in nats
}

// Param returns parameter k along time.
func (p *Path) Param(k int) []float64 {
	out := make([]float64, len(p.Theta))
	for i, theta := range p.Theta {
		out[i] = theta[k]
	}
	return out
}

// Run trains the model, which ends with the last parameters, on the density data.
// At each step the gradient is that of the present walkers, and the walkers move
// at the present parameters, as in review Algorithm 2; the error falls in
// proportion to Step. It returns *ebmkit.ArgError if an argument is out of range,
// data or Start is not a density on the grid of mass 1, or the model's energy
// becomes too steep for the grid; if ctx ends, what it has with ctx's error.
func (t Training) Run(ctx context.Context, model ebmkit.Parametric, g *fokkerplanck.Grid, data []float64) (*Path, error) {
	const fn = "meanfield.Training.Run"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	switch {
	case model == nil:
		return nil, bad("model", nil, "an energy with parameters")
	case g == nil:
		return nil, bad("g", nil, "a grid")
	case !(t.Alpha > 0):
		return nil, bad("Alpha", t.Alpha, "a positive number, or +Inf")
	case !(t.Nu >= 0) || math.IsInf(t.Nu, 1):
		return nil, bad("Nu", t.Nu, "a rate that is not negative")
	case !(t.Rate > 0) || math.IsInf(t.Rate, 1):
		return nil, bad("Rate", t.Rate, "a positive number")
	case t.Steps < 1:
		return nil, bad("Steps", t.Steps, "at least 1")
	case t.Every < 0:
		return nil, bad("Every", t.Every, "at least 0")
	}
	wanted := fmt.Sprintf("a density of mass 1 on %d cells", g.Len())
	if !isDensity(g, data) {
		return nil, bad("data", fmt.Sprintf("%d numbers", len(data)), wanted)
	}
	if t.Start != nil && !isDensity(g, t.Start) {
		return nil, bad("Start", fmt.Sprintf("%d numbers", len(t.Start)), wanted)
	}
	speed := t.Alpha
	if math.IsInf(speed, 1) {
		speed = 1
	}
	gen, err := fokkerplanck.Langevin{Energy: model, Eps: speed}.On(g)
	if err != nil {
		return nil, err
	}
	if err := gen.SetRestart(t.Nu, data); err != nil {
		return nil, err
	}
	flow, err := fokkerplanck.NewFlow(gen, fokkerplanck.TRBDF2, t.Step)
	if err != nil {
		return nil, err
	}
	p := append([]float64(nil), data...)
	if t.Start != nil {
		p = append(p[:0], t.Start...)
	}
	theta := model.Params(nil)
	grad := make([]float64, len(theta))
	path := &Path{}
	for k := 0; ; k++ {
		law, err := g.Boltzmann(model)
		if err != nil {
			return nil, err
		}
		if math.IsInf(t.Alpha, 1) {
			copy(p, law)
		}
		if k == t.Steps || k == 0 && t.Every > 0 || t.Every > 0 && k%t.Every == 0 {
			path.T = append(path.T, float64(k)*t.Step)
			path.Theta = append(path.Theta, append([]float64(nil), theta...))
			path.P = append(path.P, append([]float64(nil), p...))
			path.CrossEntropy = append(path.CrossEntropy, g.Entropy(data)+g.KL(data, law))
		}
		if k == t.Steps {
			return path, nil
		}
		if err := ctx.Err(); err != nil {
			return path, err
		}
		if err := gen.SetEnergy(model); err != nil {
			return nil, fmt.Errorf("meanfield: step %d: %w", k, err)
		}
		clear(grad)
		Gradient(grad, model, g, data, p)
		if !math.IsInf(t.Alpha, 1) {
			if err := flow.Advance(p, 1); err != nil {
				return nil, err
			}
		}
		for j := range theta {
			theta[j] -= t.Step * t.Rate * grad[j]
		}
		if err := model.SetParams(theta); err != nil {
			return nil, fmt.Errorf("meanfield: step %d: %w", k, err)
		}
	}
}

func isDensity(g *fokkerplanck.Grid, p []float64) bool {
	return len(p) == g.Len() && math.Abs(g.Mass(p)-1) < 1e-9
}

// Gradient adds to dst what training takes for the gradient of the cross-entropy
// when the walkers have the density p, the left side of review eq. (114),
//
//	dst += integral of dU/dtheta (data - p),
//
// and returns dst, allocated if nil. It panics if a length does not fit.
func Gradient(dst []float64, model ebmkit.Parametric, g *fokkerplanck.Grid, data, p []float64) []float64 {
	if len(data) != g.Len() || len(p) != g.Len() {
		panic("meanfield: Gradient: a density is not on the grid")
	}
	if dst == nil {
		dst = make([]float64, model.NumParams())
	}
	w := make([]float64, len(p))
	for k := range w {
		w[k] = g.Volume() * (data[k] - p[k])
	}
	model.AddParamGrad(dst, w, g.Points())
	return dst
}
