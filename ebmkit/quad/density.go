package quad

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Density is an energy in one or two dimensions, normalised by quadrature on a
// domain.
type Density struct {
	// LogZ is log of the integral of exp(-U) over the domain, with its error.
	LogZ Result

	e     ebmkit.Energy
	rule  Adaptive
	axes  [][]panel
	shift float64 // about min U
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
	p := &prospector{e: e, lo: lo, hi: hi, least: math.Inf(1)}
	p.scan()
	if p.nan != nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: fmt.Sprintf("NaN at x = %v", p.nan), Want: "an energy that is never NaN"}
	}
	if math.IsInf(p.least, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: "+Inf wherever it was looked at",
			Want: "an energy that is finite somewhere near 0, or Domain bounds around its support"}
	}
	d := &Density{e: e, rule: a, shift: p.least}
	for j := range dim {
		br := p.breaks(j)
		if dom.Breaks != nil {
			br = append(br, dom.Breaks[j]...)
		}
		d.axes = append(d.axes, panels(lo[j], hi[j], br, 1))
	}
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
	d.LogZ = Result{-d.shift + vmath.Log(s.val[0]), s.err[0] / s.val[0], s.evals + p.evals}
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
	dim := len(d.axes)
	ev := ebmkit.NewEvaluator(d.e)
	var u []float64
	absTol := make([]float64, n+1) // none for exp(-U) itself
	for k := range n {
		absTol[k+1] = d.rule.AbsTol * vmath.Exp(d.LogZ.Value+d.shift)
	}
	return d.rule.run(fn, d.axes, absTol, func(dst, xs []float64) {
		rows := len(xs) / dim
		if u == nil {
			u = make([]float64, rows)
		}
		ev.EnergyGrad(u, nil, xs)
		for i, ui := range u {
			out := dst[i*(n+1) : (i+1)*(n+1)]
			w := vmath.Exp(d.shift - ui)
			if ui < *least {
				*least = ui
			}
			if w > 1e200 { // this run will be thrown away
				w = 1e200
			}
			out[0] = w
			if n == 0 {
				continue
			}
			if w == 0 {
				clear(out)
				continue
			}
			f(out[1:], xs[i*dim:(i+1)*dim])
			for k := range n {
				out[k+1] *= w
			}
		}
	})
}

// prospector looks for the minima of U, so that the cells start where the mass
// is. What it misses, the adaptive rule may still find.
type prospector struct {
	e      ebmkit.Energy
	lo, hi []float64
	evals  int
	least  float64
	nan    []float64
	minima [][]float64
}

func (p *prospector) at(x []float64) float64 {
	for j, v := range x {
		if v < p.lo[j] || v > p.hi[j] {
			return math.Inf(1)
		}
	}
	p.evals++
	u := p.e.Energy(x)
	if math.IsNaN(u) && p.nan == nil {
		p.nan = slices.Clone(x)
	}
	p.least = min(p.least, u)
	return u
}

// grid returns points of one axis: even on a finite interval, spaced in
// proportion to their distance from an end or from 0 on an infinite one.
func grid(lo, hi float64, n int) []float64 {
	var g []float64
	switch {
	case !math.IsInf(lo, -1) && !math.IsInf(hi, 1):
		for i := range n {
			g = append(g, lo+(hi-lo)*(float64(i)+0.5)/float64(n))
		}
		return g
	case !math.IsInf(lo, -1):
		for v := 1e-4; v < 1e6; v *= 1 + 30/float64(n) {
			g = append(g, lo+v)
		}
	case !math.IsInf(hi, 1):
		for v := 1e-4; v < 1e6; v *= 1 + 30/float64(n) {
			g = append(g, hi-v)
		}
	default:
		g = append(g, 0)
		for v := 1e-2; v < 1e5; v *= 1 + 30/float64(n) {
			g = append(g, v, -v)
		}
	}
	slices.Sort(g)
	return g
}

func (p *prospector) scan() {
	dim := len(p.lo)
	if m, ok := p.e.(ebmkit.Modes); ok {
		for modes := m.Modes(); len(modes) >= dim; modes = modes[dim:] {
			if u := p.at(modes[:dim]); !math.IsInf(u, 1) {
				p.minima = append(p.minima, slices.Clone(modes[:dim]))
			}
		}
	}
	if len(p.minima) > 0 {
		return
	}
	if dim == 1 {
		g := grid(p.lo[0], p.hi[0], 300)
		u := make([]float64, len(g))
		for i, x := range g {
			u[i] = p.at([]float64{x})
		}
		for i := range g {
			left, right := math.Inf(1), math.Inf(1)
			if i > 0 {
				left = u[i-1]
			}
			if i+1 < len(g) {
				right = u[i+1]
			}
			if u[i] < left && u[i] <= right && !math.IsInf(u[i], 1) {
				p.refine([]float64{g[i]}, g[max(i-1, 0)], g[min(i+1, len(g)-1)])
			}
		}
		return
	}
	gx, gy := grid(p.lo[0], p.hi[0], 90), grid(p.lo[1], p.hi[1], 90)
	u := make([]float64, len(gx)*len(gy))
	for i, x := range gx {
		for j, y := range gy {
			u[i*len(gy)+j] = p.at([]float64{x, y})
		}
	}
	for i := range gx {
		for j := range gy {
			c := u[i*len(gy)+j]
			lowest := !math.IsInf(c, 1)
			for di := -1; di <= 1; di++ {
				for dj := -1; dj <= 1; dj++ {
					ii, jj := i+di, j+dj
					if (di == 0 && dj == 0) || ii < 0 || jj < 0 || ii >= len(gx) || jj >= len(gy) {
						continue
					}
					v := u[ii*len(gy)+jj]
					before := di < 0 || (di == 0 && dj < 0)
					if v < c || (before && v == c) {
						lowest = false
					}
				}
			}
			if lowest {
				p.minima = append(p.minima, []float64{gx[i], gy[j]})
			}
		}
	}
	// A handful of the deepest is enough to start from.
	slices.SortStableFunc(p.minima, func(a, b []float64) int {
		if p.at(a) < p.at(b) {
			return -1
		}
		return 1
	})
	p.minima = p.minima[:min(len(p.minima), 8)]
}

// refine moves a minimum of one dimension, bracketed by lo and hi, by golden
// section.
func (p *prospector) refine(x []float64, lo, hi float64) {
	const g = 0.6180339887498949
	a, b := lo, hi
	c, d := b-g*(b-a), a+g*(b-a)
	uc, ud := p.at([]float64{c}), p.at([]float64{d})
	for range 60 {
		if uc < ud {
			b, d, ud = d, c, uc
			c = b - g*(b-a)
			uc = p.at([]float64{c})
		} else {
			a, c, uc = c, d, ud
			d = a + g*(b-a)
			ud = p.at([]float64{d})
		}
	}
	best := (a + b) / 2
	if p.at([]float64{best}) > p.at(x) {
		best = x[0]
	}
	p.minima = append(p.minima, []float64{best})
}

// breaks returns, on axis j, the minima and two points on both sides of each:
// where U has risen by about 8 (four standard deviations of a Gaussian), and by
// about 40, beyond which nothing is left of a Gaussian peak. A tail that is
// still not that low 30 times farther out is broad enough for the rule to see.
func (p *prospector) breaks(j int) []float64 {
	var br []float64
	add := func(v float64, w float64) {
		if v <= p.lo[j] || v >= p.hi[j] {
			return
		}
		for _, b := range br {
			if math.Abs(b-v) < w/2 {
				return
			}
		}
		br = append(br, v)
	}
	for _, m := range p.minima {
		u0 := p.at(m)
		if u0 > p.least+40 {
			continue
		}
		x := slices.Clone(m)
		reach := func(sign, w, rise, most float64) float64 {
			for w < most {
				x[j] = m[j] + sign*w
				if !(p.at(x) < u0+rise) {
					break
				}
				w *= 1.5
			}
			return w
		}
		for _, sign := range []float64{-1, 1} {
			w := reach(sign, 1e-6*(1+math.Abs(m[j])), 8, 1e5)
			far := reach(sign, w, 40, 30*w)
			if sign < 0 {
				add(m[j], w)
			}
			add(m[j]+sign*w, w)
			add(m[j]+sign*far, w)
		}
	}
	return br
}
