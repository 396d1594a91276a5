// Package fit finds the parameters of an energy that minimise the
// Kullback-Leibler divergence (in either direction) or the Fisher divergence from a
// given density, by quadrature
// in one or two dimensions. It shows what review Assumption 2.2 is about: if the
// density lies in the class both agree, if not they may differ.
//
// For a Gaussian class with free mean and covariance they agree always: both
// take the moments of the density. For U = sum_k theta_k F_k the minimum of the
// Fisher divergence solves a linear system (see FisherLinear), while that of the
// KL divergence matches the means of the F_k.
package fit

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// Result is a fit. The model that was fitted has the parameters Theta.
type Result struct {
	Theta      []float64
	Divergence quad.Result // the divergence at Theta
	GradNorm   float64     // largest entry of the gradient in theta there
	Steps      int         // iterations of the optimiser
}

// KL sets the parameters of model to a local minimum of KL(p, model), starting
// from the ones it has. The gradient is review eq. (16),
//
//	E_p[dU/dtheta] - E_model[dU/dtheta].
//
// It returns *ebmkit.ArgError as divergence.KL does, or if the divergence at the
// start is infinite, or if the optimiser stopped where the gradient is not small.
func KL(p ebmkit.Energy, model ebmkit.Parametric, dom quad.Domain) (*Result, error) {
	const fn = "fit.KL"
	pd, err := density(fn, p, model, dom)
	if err != nil {
		return nil, err
	}
	n := model.NumParams()
	value := func() (float64, error) {
		// The cross-entropy, review eq. (14): its minimum is that of KL.
		z, err := quad.LogZ(model, dom)
		if err != nil {
			return 0, err
		}
		u, err := pd.ExpectOne(model.Energy)
		return z.Value + u.Value, err
	}
	grad := func(dst []float64) error {
		md, err := quad.NewDensity(model, dom)
		if err != nil {
			return err
		}
		f := func(dst, x []float64) {
			clear(dst)
			model.AddParamGrad(dst, nil, x)
		}
		a, err := pd.Expect(n, f)
		if err != nil {
			return err
		}
		b, err := md.Expect(n, f)
		for k := range b {
			dst[k] = a[k].Value - b[k].Value
		}
		return err
	}
	r, err := minimise(fn, model, value, grad)
	if err != nil {
		return nil, err
	}
	r.Divergence, err = divergence.KL(p, model, dom)
	return r, err
}

// ReverseKL sets the parameters of model to a local minimum of KL(model, p), the
// other direction than maximum likelihood: it picks a mode of p where KL covers
// them all. With f = U_p - U_model its gradient is
//
//	d/dtheta KL(model, p) = -Cov_model(dU/dtheta, f).
//
// Which minimum is found depends on the parameters that model starts with. Errors
// as KL; also if p is zero somewhere where the model is not.
func ReverseKL(p ebmkit.Energy, model ebmkit.Parametric, dom quad.Domain) (*Result, error) {
	const fn = "fit.ReverseKL"
	pd, err := density(fn, p, model, dom)
	if err != nil {
		return nil, err
	}
	n := model.NumParams()
	// f cancels where the model resembles p: no tolerance below the rounding of the
	// energies that it is made of.
	const absTol = 1e-12
	value := func() (float64, error) {
		md, err := quad.NewDensity(model, dom)
		if err != nil {
			return 0, err
		}
		f, err := md.WithAbsTol(absTol).ExpectOne(func(x []float64) float64 { return p.Energy(x) - model.Energy(x) })
		return f.Value - md.LogZ.Value + pd.LogZ.Value, err
	}
	u := make([]float64, n)
	grad := func(dst []float64) error {
		md, err := quad.NewDensity(model, dom)
		if err != nil {
			return err
		}
		r, err := md.WithAbsTol(absTol).Expect(2*n+1, func(dst, x []float64) {
			clear(u)
			model.AddParamGrad(u, nil, x)
			f := p.Energy(x) - model.Energy(x)
			for k, v := range u {
				dst[k], dst[n+k] = v, v*f
			}
			dst[2*n] = f
		})
		if err != nil {
			return err
		}
		for k := range dst {
			dst[k] = r[k].Value*r[2*n].Value - r[n+k].Value
		}
		return nil
	}
	r, err := minimise(fn, model, value, grad)
	if err != nil {
		return nil, err
	}
	r.Divergence, err = divergence.KL(model, p, dom)
	return r, err
}

// Fisher sets the parameters of model to a local minimum of the Fisher
// divergence D_F(p, model), review eq. (51), starting from the ones it has. With
// v = grad U_model - grad U_p its gradient is
//
//	2 E_p[ d/dtheta (v . grad U_model) ] at fixed v.
//
// Errors as KL; also if an energy has no gradient.
func Fisher(p ebmkit.Energy, model ebmkit.ScoreParametric, dom quad.Domain) (*Result, error) {
	const fn = "fit.Fisher"
	pd, err := density(fn, p, model, dom)
	if err != nil {
		return nil, err
	}
	gp, err := ebmkit.Gradient(fn, "p", p)
	if err != nil {
		return nil, err
	}
	gm, err := ebmkit.Gradient(fn, "model", model)
	if err != nil {
		return nil, err
	}
	v, s := make([]float64, p.Dim()), make([]float64, p.Dim())
	// The differences v cancel near the minimum: no tolerance below the rounding
	// of the gradients they are made of.
	size, err := pd.ExpectOne(func(x []float64) float64 {
		gp.EnergyGrad(s, x)
		var sq float64
		for _, g := range s {
			sq += g * g
		}
		return sq
	})
	if err != nil {
		return nil, err
	}
	pd = pd.WithAbsTol(1e-15 * size.Value)
	diff := func(x []float64) float64 {
		gp.EnergyGrad(s, x)
		gm.EnergyGrad(v, x)
		var sq float64
		for j := range v {
			v[j] -= s[j]
			sq += v[j] * v[j]
		}
		return sq
	}
	value := func() (float64, error) {
		r, err := pd.ExpectOne(diff)
		return r.Value, err
	}
	grad := func(dst []float64) error {
		r, err := pd.Expect(model.NumParams(), func(dst, x []float64) {
			diff(x)
			clear(dst)
			model.AddScoreParamGrad(dst, v, x)
		})
		for k := range r {
			dst[k] = 2 * r[k].Value
		}
		return err
	}
	r, err := minimise(fn, model, value, grad)
	if err != nil {
		return nil, err
	}
	r.Divergence, err = divergence.Fisher(p, gm, dom)
	return r, err
}

// FisherLinear returns the minimum of the Fisher divergence for an energy that
// is linear in its parameters, U = sum_k theta_k F_k, in closed form up to
// quadrature:
//
//	sum_l E_p[grad F_k . grad F_l] theta_l = E_p[grad F_k . grad U_p].
//
// gradF writes dF_k/dx_j at x into dst[k*d+j]. It returns *ebmkit.ArgError as
// quad does, or if the system is singular.
func FisherLinear(p ebmkit.Energy, n int, gradF func(dst, x []float64), dom quad.Domain) ([]float64, error) {
	const fn = "fit.FisherLinear"
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 1"}
	}
	gp, err := ebmkit.Gradient(fn, "p", p)
	if err != nil {
		return nil, err
	}
	pd, err := quad.NewDensity(p, dom)
	if err != nil {
		return nil, err
	}
	d := p.Dim()
	g, s := make([]float64, n*d), make([]float64, d)
	r, err := pd.Expect(n*n+n, func(dst, x []float64) {
		gp.EnergyGrad(s, x)
		gradF(g, x)
		for k := range n {
			gk := g[k*d : (k+1)*d]
			var b float64
			for j, v := range gk {
				b += v * s[j]
			}
			dst[n*n+k] = b
			for l := range n {
				var a float64
				for j, v := range gk {
					a += v * g[l*d+j]
				}
				dst[k*n+l] = a
			}
		}
	})
	if err != nil {
		return nil, err
	}
	a, b := make([]float64, n*n), make([]float64, n)
	for i, v := range r {
		if i < n*n {
			a[i] = v.Value
		} else {
			b[i-n*n] = v.Value
		}
	}
	if !solve(a, b) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "gradF", Value: "a singular system", Want: "statistics that are linearly independent under p"}
	}
	return b, nil
}

// solve overwrites b with the solution of the symmetric positive definite a x =
// b, by elimination; it returns false if a is singular to rounding.
func solve(a, b []float64) bool {
	n := len(b)
	for i := range n {
		size := a[i*n+i]
		for k := range i {
			f := a[i*n+k] / a[k*n+k]
			for j := k; j < n; j++ {
				a[i*n+j] -= f * a[k*n+j]
			}
			b[i] -= f * b[k]
		}
		if !(a[i*n+i] > 1e-13*size) {
			return false
		}
	}
	for i := n - 1; i >= 0; i-- {
		for j := i + 1; j < n; j++ {
			b[i] -= a[i*n+j] * b[j]
		}
		b[i] /= a[i*n+i]
	}
	return true
}

func density(fn string, p ebmkit.Energy, model ebmkit.Parametric, dom quad.Domain) (*quad.Density, error) {
	if p.Dim() != model.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model.Dim()", Value: model.Dim(), Want: fmt.Sprintf("%d, as p", p.Dim())}
	}
	return quad.NewDensity(p, dom)
}

// minimise runs BFGS with a backtracking line search from the model's
// parameters. Where the divergence cannot be computed (exp(-U) not integrable)
// the line search steps back. It ends when the gradient is small, or no step
// along the gradient lowers the value beyond rounding; only the gradient then
// decides whether that is a minimum.
func minimise(fn string, model ebmkit.Parametric, value func() (float64, error), grad func([]float64) error) (*Result, error) {
	x := model.Params(nil)
	n := len(x)
	f, err := value()
	if err != nil {
		return nil, err
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: f, Want: "a finite divergence at the first parameters"}
	}
	g, gNew, step, y, hy := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	xNew := make([]float64, n)
	if err := grad(g); err != nil {
		return nil, err
	}
	h := identity(n) // inverse Hessian
	fresh := true
	r := &Result{}
	for r.Steps = 0; r.Steps < 1000 && largest(g) > 1e-10; r.Steps++ {
		var slope float64
		for i := range n {
			step[i] = 0
			for j := range n {
				step[i] -= h[i*n+j] * g[j]
			}
			slope += step[i] * g[i]
		}
		if !(slope < 0) {
			h, fresh = identity(n), true
			continue
		}
		t := 1.0
		if fresh {
			t = min(1, 1/largest(g))
		}
		ok := false
		var fNew float64
		for ; t > 1e-14; t /= 2 {
			for i := range n {
				xNew[i] = x[i] + t*step[i]
			}
			if model.SetParams(xNew) != nil {
				continue
			}
			fNew, err = value()
			if err != nil || !(fNew <= f+1e-4*t*slope+1e-14*math.Abs(f)) {
				continue
			}
			if err = grad(gNew); err == nil && (fNew < f || largest(gNew) < largest(g)) {
				ok = true
				break
			}
		}
		if !ok {
			if fresh { // even steepest descent finds nothing lower
				break
			}
			h, fresh = identity(n), true
			continue
		}
		// H <- (I - s y'/sy) H (I - y s'/sy) + s s'/sy with s = t step.
		var sy, yhy float64
		for i := range n {
			step[i] *= t
			y[i] = gNew[i] - g[i]
			sy += step[i] * y[i]
		}
		for i := range n {
			hy[i] = 0
			for j := range n {
				hy[i] += h[i*n+j] * y[j]
			}
			yhy += y[i] * hy[i]
		}
		if sy > 0 {
			if fresh {
				for i := range h {
					h[i] *= sy / yhy
				}
				for i := range hy {
					hy[i] *= sy / yhy
				}
				yhy = sy
				fresh = false
			}
			for i := range n {
				for j := range n {
					h[i*n+j] += (1+yhy/sy)*step[i]*step[j]/sy - (hy[i]*step[j]+step[i]*hy[j])/sy
				}
			}
		}
		copy(x, xNew)
		copy(g, gNew)
		f = fNew
	}
	if err := model.SetParams(x); err != nil {
		return nil, err
	}
	r.Theta, r.GradNorm = x, largest(g)
	if !(r.GradNorm < 1e-6) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: fmt.Sprintf("gradient %.2g after %d steps", r.GradNorm, r.Steps),
			Want: "first parameters from which the divergence can be minimised"}
	}
	return r, nil
}

func identity(n int) []float64 {
	h := make([]float64, n*n)
	for i := range n {
		h[i*n+i] = 1
	}
	return h
}

func largest(g []float64) float64 {
	var m float64
	for _, v := range g {
		m = max(m, math.Abs(v))
	}
	return m
}
