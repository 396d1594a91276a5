package quad

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Density is an energy in one or two dimensions, normalised by quadrature on a
// domain.
type Density struct {
	// LogZ is log of the integral of exp(-U) over the domain, with its error.
	LogZ Result

	e     ebmkit.Energy
	dim   int
	rule  Adaptive
	outer []panel // of the first coordinate
	lines *lines  // for the second, if there is one
	shift float64 // about min U

	probes int // evaluations spent on looking for minima
}

// LogZ returns log of the integral of exp(-U) over the domain, review eq. (5),
// with the default tolerances. It returns *ebmkit.ArgError if e is not of one
// or two dimensions, is NaN somewhere, or is +Inf wherever it was looked at;
// *ConvergeError if the integral does not converge.
func LogZ(e ebmkit.Energy, dom Domain) (Result, error) {
	d, err := Adaptive{}.Density(e, dom)
	if d == nil {
		return Result{}, err
	}
	return d.LogZ, err
}

// NewDensity returns the density of e on the domain with the default
// tolerances; errors as LogZ.
func NewDensity(e ebmkit.Energy, dom Domain) (*Density, error) { return Adaptive{}.Density(e, dom) }

// Density normalises e on the domain; errors as LogZ.
func (a Adaptive) Density(e ebmkit.Energy, dom Domain) (*Density, error) {
	const fn = "quad.LogZ"
	dim := e.Dim()
	if dim != 1 && dim != 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e.Dim()", Value: dim, Want: "1 or 2"}
	}
	a, err := a.withDefaults(fn, dim)
	if err != nil {
		return nil, err
	}
	lo, hi, err := dom.bounds(fn, dim)
	if err != nil {
		return nil, err
	}
	d := &Density{e: e, dim: dim, rule: a}
	var hints []float64 // first coordinates of known modes
	var modes []float64
	if m, ok := e.(ebmkit.Modes); ok {
		modes = m.Modes()
		for i := 0; i+dim <= len(modes); i += dim {
			hints = append(hints, modes[i])
		}
	}
	var first line // the first coordinate: U itself, or its minimum over the second
	if dim == 1 {
		first = line{lo: lo[0], hi: hi[0], many: energies(e, &d.probes)}
		first.grid = grid(lo[0], hi[0], 1.1)
	} else {
		d.lines = newLines(e, lo[1], hi[1], modes, dom, &d.probes)
		first = line{lo: lo[0], hi: hi[0], many: d.lines.valleys}
		first.grid = grid(lo[0], hi[0], 1.2)
	}
	first.hints = hints
	first.scan()
	if first.nan {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: fmt.Sprintf("NaN at x[0] = %v", first.nanAt), Want: "an energy that is never NaN"}
	}
	if math.IsInf(first.least, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: "+Inf wherever it was looked at",
			Want: "an energy that is finite somewhere near 0, or Domain bounds around its support"}
	}
	d.shift = first.least
	br := first.breaks()
	if dom.Breaks != nil {
		br = append(br, graded(dom.Breaks[0], lo[0], hi[0])...)
	}
	d.outer = panels(lo[0], hi[0], br, 1)
	var s sums
	for try := 0; ; try++ {
		least := d.shift
		s, err = d.integrate(fn, 0, nil, &least)
		if least > d.shift-100 {
			break
		}
		if try == 3 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: fmt.Sprintf("U = %.3g and falling", least), Want: "an energy bounded below"}
		}
		d.shift = least // a deeper well turned up: start again from there
	}
	d.LogZ = Result{-d.shift + vmath.Log(s.val[0]), s.err[0] / s.val[0], s.evals + d.probes}
	if err != nil {
		return d, err
	}
	if s.val[0] == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: "exp(-U) = 0 at every node", Want: "Domain.Breaks near the minima of U"}
	}
	return d, nil
}

// Energy returns the energy that was normalised.
func (d *Density) Energy() ebmkit.Energy { return d.e }

// WithAbsTol returns the same density with another Adaptive.AbsTol for its
// expectations.
func (d *Density) WithAbsTol(tol float64) *Density {
	c := *d
	c.rule.AbsTol = tol
	return &c
}

// LogDensity returns -U(x) - log Z.
func (d *Density) LogDensity(x []float64) float64 { return -d.e.Energy(x) - d.LogZ.Value }

// Expect returns the expectations of n functions under the density. f writes
// them at x into dst (length n); it is not called where the density is zero.
//
//	E[f_k] = integral of f_k exp(-U) / integral of exp(-U)
//
// The two integrals are taken on the same cells. It returns *ebmkit.ArgError if
// n < 1 or a function is not finite, *ConvergeError if one does not converge.
func (d *Density) Expect(n int, f func(dst, x []float64)) ([]Result, error) {
	const fn = "quad.Density.Expect"
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 1"}
	}
	least := d.shift
	s, err := d.integrate(fn, n, f, &least)
	out := make([]Result, n)
	for k := range out {
		m := s.val[k+1] / s.val[0]
		out[k] = Result{m, (s.err[k+1] + math.Abs(m)*s.err[0]) / s.val[0], s.evals}
	}
	return out, err
}

// ExpectOne is Expect of one function.
func (d *Density) ExpectOne(f func(x []float64) float64) (Result, error) {
	r, err := d.Expect(1, func(dst, x []float64) { dst[0] = f(x) })
	if r == nil {
		return Result{}, err
	}
	return r[0], err
}

// integrate integrates exp(-(U-shift)) and its products with f.
func (d *Density) integrate(fn string, n int, f func(dst, x []float64), least *float64) (sums, error) {
	absTol := make([]float64, n+1) // none for exp(-U) itself
	for k := range n {
		absTol[k+1] = d.rule.AbsTol * vmath.Exp(d.LogZ.Value+d.shift)
	}
	ev := ebmkit.NewEvaluator(d.e)
	u := make([]float64, 15)
	values := func(dst, rows []float64) {
		ev.EnergyGrad(u, nil, rows)
		for i, ui := range u {
			out := dst[i*(n+1) : (i+1)*(n+1)]
			w := vmath.Exp(d.shift - ui)
			if ui < *least {
				*least = ui
			}
			if w > 1e200 { // this run will be thrown away
				w = 1e200
			}
			clear(out)
			out[0] = w
			if n == 0 || w == 0 {
				continue
			}
			f(out[1:], rows[i*d.dim:(i+1)*d.dim])
			for k := range n {
				out[k+1] *= w
			}
		}
	}
	if d.dim == 1 {
		return d.rule.run(fn, d.outer, n+1, d.rule.tolerance(absTol), values)
	}
	rows := make([]float64, 30)
	probes := 0
	ls := d.lines.share(&probes)
	inner := func(x float64) []panel { return ls.panels(x, d.shift) }
	s, err := d.rule.run2(fn, d.outer, inner, absTol, func(dst []float64, x float64, ys []float64) {
		for i, y := range ys {
			rows[2*i], rows[2*i+1] = x, y
		}
		values(dst, rows)
	})
	s.evals += probes
	return s, err
}
