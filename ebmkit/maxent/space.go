package maxent

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// measure is what x ranges over, with the functions less their targets,
// G_k = F_k - Lambda_k.
type measure interface {
	// state returns D(lambda) with its first and second derivatives, the means
	// and covariances of the G_k. It returns false if exp(lambda.G) has no
	// integral, and an error for a function that is NaN.
	state(lambda []float64) (*state, bool, error)
	// highest returns the largest value of v.G.
	highest(v []float64) float64
	// guesses returns multipliers worth starting from.
	guesses() [][]float64
	// outward says whether exp(v.G) grows towards an infinite end, so that
	// multipliers which move along v come to the edge of what can be integrated.
	outward(v []float64) bool
	// evals returns the points at which the functions were evaluated.
	evals() int
}

type state struct {
	dual float64
	mean []float64 // K
	cov  []float64 // K x K
}

// points is a finite set.
type points struct {
	g    []float64 // n x K
	logW []float64
	k    int
}

func newPoints(fn string, e *ebmkit.Ensemble, cs []Constraint) (*points, error) {
	if e == nil || e.N < 1 || e.Dim < 1 || len(e.X) != e.N*e.Dim || (e.LogW != nil && len(e.LogW) != e.N) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "points", Value: "empty, or slices that do not fit N and Dim", Want: "at least one point"}
	}
	p := &points{k: len(cs), g: make([]float64, e.N*len(cs)), logW: make([]float64, e.N)}
	top := math.Inf(-1)
	for i, w := range e.LogW {
		if math.IsNaN(w) || math.IsInf(w, 1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("points.LogW[%d]", i), Value: w, Want: "a number below +Inf"}
		}
		p.logW[i] = w
		top = max(top, w)
	}
	if e.LogW != nil && math.IsInf(top, -1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "points.LogW", Value: "-Inf everywhere", Want: "a point with positive weight"}
	}
	for i := range e.N {
		for k, c := range cs {
			v := c.F.F(e.Row(i))
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s at point %d", c.name(), i), Value: v, Want: "a finite number"}
			}
			p.g[i*p.k+k] = v - c.Target
		}
	}
	return p, nil
}

// logP returns log w + lambda.G of every point, and log of the sum of its exp.
func (p *points) logP(lambda []float64) (s []float64, logZ float64) {
	s = make([]float64, len(p.logW))
	for i := range s {
		s[i] = p.logW[i] + dot(lambda, p.g[i*p.k:])
	}
	return s, vmath.LogSumExp(s)
}

func (p *points) probabilities(lambda []float64) []float64 {
	s, logZ := p.logP(lambda)
	for i := range s {
		s[i] -= logZ
	}
	vmath.ExpSlice(s, s)
	return s
}

func (p *points) state(lambda []float64) (*state, bool, error) {
	s, logZ := p.logP(lambda)
	st := &state{dual: logZ, mean: make([]float64, p.k), cov: make([]float64, p.k*p.k)}
	for i := range s {
		s[i] = vmath.Exp(s[i] - logZ)
		vmath.Axpy(st.mean, s[i], p.g[i*p.k:(i+1)*p.k])
	}
	for i, w := range s {
		for a := range p.k {
			da := p.g[i*p.k+a] - st.mean[a]
			for b := 0; b <= a; b++ {
				st.cov[a*p.k+b] += w * da * (p.g[i*p.k+b] - st.mean[b])
			}
		}
	}
	for a := range p.k {
		for b := range a {
			st.cov[b*p.k+a] = st.cov[a*p.k+b]
		}
	}
	return st, !math.IsInf(logZ, 0) && !math.IsNaN(logZ), nil
}

func (p *points) highest(v []float64) float64 {
	top := math.Inf(-1)
	for i, w := range p.logW {
		if !math.IsInf(w, -1) {
			top = max(top, dot(v, p.g[i*p.k:]))
		}
	}
	return top
}

func (p *points) guesses() [][]float64 { return nil }

func (p *points) outward(v []float64) bool { return false }

func (p *points) evals() int { return len(p.logW) }

func dot(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// space is an interval or a rectangle.
type space struct {
	dim    int
	dom    quad.Domain
	cs     []Constraint
	rule   quad.Adaptive
	scan   [][]float64 // points of each axis at which highest looks first
	fn     string
	count  int
	f, x   []float64
	nan    error     // where a function was NaN
	values []float64 // of F at the points of the scan, K each
	far    []int     // the points of the scan at the infinite ends
}

func newSpace(fn string, dim int, dom quad.Domain, cs []Constraint) (*space, error) {
	s := &space{fn: fn, dim: dim, dom: dom, cs: cs, f: make([]float64, len(cs)), x: make([]float64, dim)}
	s.rule.MaxEvals = 200_000
	if dim == 2 {
		s.rule.MaxEvals = 4_000_000
	}
	// The domain is checked by what uses it.
	probe, _ := energy.NewFunc(dim, func(x []float64) float64 { return dot(x, x) }, nil)
	if _, err := s.rule.Density(probe, dom); err != nil {
		if ae, ok := err.(*ebmkit.ArgError); ok {
			ae.Func = fn
			return nil, ae
		}
	}
	for j := range dim {
		lo, hi := math.Inf(-1), math.Inf(1)
		if dom.Lo != nil {
			lo, hi = dom.Lo[j], dom.Hi[j]
		}
		s.scan = append(s.scan, axis(lo, hi, 4001/(dim*dim*dim*dim)))
	}
	n := len(s.scan[0])
	if dim == 2 {
		n *= len(s.scan[1])
	}
	s.values = make([]float64, n*len(cs))
	for i := range n {
		copy(s.values[i*len(cs):], s.at(s.node(i)))
		if s.nan != nil {
			return nil, s.nan
		}
		for j, v := range s.x {
			if math.Abs(v) > farAway && (dom.Lo == nil || math.IsInf(dom.Lo[j], -1) && v < 0 || math.IsInf(dom.Hi[j], 1) && v > 0) {
				s.far = append(s.far, i)
				break
			}
		}
	}
	return s, nil
}

// farAway is where a density on an infinite domain must have fallen below
// r^(-dim/2) of its height. It is less than integrability asks for, since few
// points are looked at; quadrature does the rest.
const farAway = 5e5

// falls says whether exp(lambda.F) falls towards the infinite ends.
func (s *space) falls(lambda []float64) bool {
	k := len(s.cs)
	if k == 0 {
		return len(s.far) == 0
	}
	top := math.Inf(-1)
	for i := range len(s.values) / k {
		top = max(top, dot(lambda, s.values[i*k:]))
	}
	for _, i := range s.far {
		if dot(lambda, s.values[i*k:]) > top-float64(s.dim)/2*vmath.Log(farAway) {
			return false
		}
	}
	return true
}

// axis returns about n points of an interval with its ends: evenly spaced, or
// closer to its finite end, or to 0, if it is infinite.
func axis(lo, hi float64, n int) []float64 {
	var a []float64
	if !math.IsInf(lo, -1) && !math.IsInf(hi, 1) {
		for i := range n {
			a = append(a, lo+(hi-lo)*float64(i)/float64(n-1))
		}
		return a
	}
	base, left, right := 0.0, true, true
	if !math.IsInf(lo, -1) {
		base, left = lo, false
	}
	if !math.IsInf(hi, 1) {
		base, right = hi, false
	}
	a = append(a, base)
	ratio := vmath.Exp(vmath.Log(1e12) / float64(n/2))
	for r := 1e-6; r <= 1e6; r *= ratio {
		if left {
			a = append(a, base-r)
		}
		if right {
			a = append(a, base+r)
		}
	}
	return a
}

// node returns point i of the scan; it is overwritten by the next call.
func (s *space) node(i int) []float64 {
	s.x[0] = s.scan[0][i%len(s.scan[0])]
	if s.dim == 2 {
		s.x[1] = s.scan[1][i/len(s.scan[0])]
	}
	return s.x
}

// at returns the F_k at x; overwritten by the next call.
func (s *space) at(x []float64) []float64 {
	s.count++
	for k, c := range s.cs {
		s.f[k] = c.F.F(x)
		if math.IsNaN(s.f[k]) && s.nan == nil {
			s.nan = &ebmkit.ArgError{Func: s.fn, Arg: fmt.Sprintf("%s at %v", c.name(), x), Value: s.f[k], Want: "a number"}
		}
	}
	return s.f
}

// inside says whether x lies in the domain.
func (s *space) inside(x []float64) bool {
	if s.dom.Lo != nil {
		for j, v := range x {
			if v < s.dom.Lo[j] || v > s.dom.Hi[j] {
				return false
			}
		}
	}
	return true
}

// atMode returns the values of the functions where the density is largest. From
// there little cancels, however far it is from 0 and from the targets. Where one
// is infinite, zeros do.
func (s *space) atMode(lambda []float64) []float64 {
	mode, _ := s.climb(lambda)
	ref := append([]float64(nil), s.at(mode)...)
	for _, v := range ref {
		if math.IsInf(v, 0) {
			clear(ref)
		}
	}
	return ref
}

// energy returns U = -lambda.(F - ref), +Inf outside the domain. Functions with
// multiplier 0 are not evaluated: they may be infinite.
func (s *space) energy(lambda, ref []float64) (*energy.Func, error) {
	f := func(x []float64) float64 {
		if !s.inside(x) {
			return math.Inf(1)
		}
		var u float64
		for k, c := range s.cs {
			if lambda[k] != 0 {
				u -= lambda[k] * (c.F.F(x) - ref[k])
			}
		}
		return u
	}
	for k, c := range s.cs {
		if c.F.Grad == nil && lambda[k] != 0 {
			return energy.NewFunc(s.dim, f, nil)
		}
	}
	return energy.NewFunc(s.dim, f, func(grad, x []float64) {
		clear(grad)
		g := make([]float64, len(x))
		for k, c := range s.cs {
			if lambda[k] != 0 {
				c.F.Grad(g, x)
				vmath.Axpy(grad, -lambda[k], g)
			}
		}
	})
}

func (s *space) state(lambda []float64) (*state, bool, error) {
	if !s.falls(lambda) {
		return nil, false, nil
	}
	ref := s.atMode(lambda)
	u, err := energy.NewFunc(s.dim, func(x []float64) float64 {
		if !s.inside(x) {
			return math.Inf(1)
		}
		var u float64
		for k, f := range s.at(x) {
			if lambda[k] != 0 {
				u -= lambda[k] * (f - ref[k])
			}
		}
		return u
	}, nil)
	if err != nil {
		return nil, false, err
	}
	d, err := s.rule.Density(u, s.dom)
	if err != nil {
		return nil, false, s.nan // no integral, or a NaN
	}
	k := len(s.cs)
	st := &state{dual: d.LogZ.Value, mean: make([]float64, k), cov: make([]float64, k*k)}
	for a, c := range s.cs {
		st.mean[a] = ref[a] - c.Target
		st.dual += lambda[a] * st.mean[a]
	}
	if k == 0 {
		return st, true, nil
	}
	r, err := d.Expect(k+k*(k+1)/2, func(dst, x []float64) {
		for a, f := range s.at(x) {
			dst[a] = f - ref[a]
		}
		n := k
		for a := range k {
			for b := 0; b <= a; b++ {
				dst[n] = dst[a] * dst[b]
				n++
			}
		}
	})
	if err != nil {
		return nil, false, s.nan // no variance: as good as no integral
	}
	n := k
	for a := range k {
		for b := 0; b <= a; b++ {
			st.cov[a*k+b] = r[n].Value - r[a].Value*r[b].Value
			st.cov[b*k+a] = st.cov[a*k+b]
			n++
		}
		st.mean[a] += r[a].Value
	}
	return st, true, nil
}

func (s *space) highest(v []float64) float64 {
	_, top := s.climb(v)
	for k, c := range s.cs {
		top -= v[k] * c.Target
	}
	return top
}

// climb returns the point where v.F is largest, and the value there: the best of
// the scan, improved by a compass search.
func (s *space) climb(v []float64) (x []float64, top float64) {
	k := len(s.cs)
	best := 0
	top = math.Inf(-1)
	for i := 0; i < len(s.values); i += max(k, 1) {
		if h := dot(v, s.values[i:]); h > top {
			best, top = i/k, h
		}
	}
	x = append([]float64(nil), s.node(best)...)
	step := make([]float64, s.dim)
	for j := range step {
		step[j] = s.spacing(j, x[j])
	}
	for range 60 {
		moved := false
		for j := range x {
			for _, sign := range []float64{1, -1} {
				old := x[j]
				x[j] += sign * step[j]
				if s.dom.Lo != nil {
					x[j] = min(max(x[j], s.dom.Lo[j]), s.dom.Hi[j])
				}
				if h := dot(v, s.at(x)); h > top {
					top, moved = h, true
				} else {
					x[j] = old
				}
			}
		}
		if !moved {
			for j := range step {
				step[j] /= 2
			}
		}
	}
	return x, top
}

// spacing returns the largest distance of x from its neighbours on axis j.
func (s *space) spacing(j int, x float64) float64 {
	below, above := math.Inf(-1), math.Inf(1)
	for _, a := range s.scan[j] {
		if a < x {
			below = max(below, a)
		}
		if a > x {
			above = min(above, a)
		}
	}
	var d float64
	if !math.IsInf(below, -1) {
		d = x - below
	}
	if !math.IsInf(above, 1) {
		d = max(d, above-x)
	}
	return d
}

func (s *space) outward(v []float64) bool {
	k := len(s.cs)
	near, far := math.Inf(-1), math.Inf(-1)
	at := 0 // the next of s.far
	for i := range len(s.values) / k {
		h := dot(v, s.values[i*k:])
		if at < len(s.far) && s.far[at] == i {
			at++
			far = max(far, h)
		} else {
			near = max(near, h)
		}
	}
	return far > near
}

// guesses returns, on a domain with an infinite end, the answers on points that
// fill windows of 2, 4, 8, .. times the unit around 0 or from the finite end.
func (s *space) guesses() (all [][]float64) {
	if len(s.far) == 0 {
		return nil
	}
	n := 400
	if s.dim == 2 {
		n = 48
	}
	for r := 1.0; r <= 1024; r *= 2 {
		axes := make([][]float64, s.dim)
		for j := range axes {
			lo, hi := math.Inf(-1), math.Inf(1)
			if s.dom.Lo != nil {
				lo, hi = s.dom.Lo[j], s.dom.Hi[j]
			}
			switch {
			case math.IsInf(lo, -1) && math.IsInf(hi, 1):
				lo, hi = -r, r
			case math.IsInf(lo, -1):
				lo = hi - 2*r
			case math.IsInf(hi, 1):
				hi = lo + 2*r
			}
			h := (hi - lo) / float64(n)
			for i := range n {
				axes[j] = append(axes[j], lo+(float64(i)+0.5)*h)
			}
		}
		window := &ebmkit.Ensemble{Dim: s.dim}
	nodes:
		for i := range pow(n, s.dim) {
			x := []float64{axes[0][i%n]}
			if s.dim == 2 {
				x = append(x, axes[1][i/n])
			}
			for _, f := range s.at(x) {
				if math.IsInf(f, 0) || math.IsNaN(f) {
					continue nodes
				}
			}
			window.X = append(window.X, x...)
			window.N++
		}
		s.count += window.N
		if sol, err := OnPoints(window, s.cs...); err == nil {
			all = append(all, sol.Multipliers)
		}
	}
	return all
}

func pow(n, k int) int {
	p := 1
	for range k {
		p *= n
	}
	return p
}

func (s *space) evals() int { return s.count }
