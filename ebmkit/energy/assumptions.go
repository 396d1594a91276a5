package energy

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Search looks for points that contradict what the review assumes of an energy.
// A computation can refute an assumption about all of R^d, never prove it: the
// verdicts are "refuted", with a witness, or "not refuted up to R". Zero fields
// have defaults.
type Search struct {
	// Radius of the largest ball around the origin, in the units of x. Default 64.
	Radius float64
	// Trials is the number of random lines through each shell, and 100 times
	// that the number of random pairs for convexity. Default 200.
	Trials int
	// Seed of the random points.
	Seed uint64
}

// Verdict is the outcome of a search.
type Verdict struct {
	Claim   string // what was to be contradicted
	Refuted bool
	Radius  float64     // radius of the ball that was searched
	Witness [][]float64 // the points that contradict it, or the nearest to doing so
	Reason  string      // what is seen at the witness
}

// String says whether the claim is refuted, and by what.
func (v Verdict) String() string {
	if v.Refuted {
		return v.Claim + ": refuted: " + v.Reason
	}
	return fmt.Sprintf("%s: not refuted up to R = %g: %s", v.Claim, v.Radius, v.Reason)
}

// Growth is what Search.Assumption21 measures on growing balls, with a verdict
// on each half of review Assumption 2.1.
type Growth struct {
	// R holds 10 radii, each twice the one before, up to Search.Radius.
	R []float64
	// L[k] is the largest |grad U(x) - grad U(y)| / |x - y| found in the ball of
	// radius R[k]: a lower bound of its Lipschitz constant, the largest spectral
	// norm of the Hessian.
	L []float64
	// A[k] is the smallest x . grad U(x) / |x|^2 found on the sphere of radius
	// R[k].
	A []float64

	Lipschitz   Verdict // some L bounds the Hessian everywhere
	Dissipative Verdict // some a > 0 has x . grad U >= a |x|^2 outside a compact set
}

const shells = 10

func (s Search) withDefaults(fn string, e ebmkit.Energy) (Search, error) {
	if e == nil {
		return s, &ebmkit.ArgError{Func: fn, Arg: "e", Value: nil, Want: "an energy"}
	}
	if s.Radius == 0 {
		s.Radius = 64
	}
	if s.Trials == 0 {
		s.Trials = 200
	}
	if err := wantPositive(fn, "Radius", s.Radius); err != nil {
		return s, err
	}
	if s.Trials < 1 {
		return s, &ebmkit.ArgError{Func: fn, Arg: "Trials", Value: s.Trials, Want: "at least 1"}
	}
	return s, nil
}

// Assumption21 measures how the Lipschitz constant of grad U and the
// dissipativity x . grad U / |x|^2 change on growing balls, review Assumption
// 2.1. The first half counts as refuted if L(R) still grows like a power of R
// (exponent above 1/2 over the four largest radii) or U is +Inf somewhere, the
// second if A(R) is not positive on the two largest spheres or still falls like
// a power of R (exponent below -1/2).
//
// It follows radial lines and great circles and halves any piece over which the
// gradient changes most: of two halves, one has at least the difference quotient
// of the whole, so the search only climbs, and finds ridges much thinner than
// its grid. It returns *ebmkit.ArgError if e has no gradient, a field of s is
// negative or NaN, or the gradient is NaN where U is finite.
func (s Search) Assumption21(e ebmkit.Energy) (*Growth, error) {
	const fn = "energy.Search.Assumption21"
	s, err := s.withDefaults(fn, e)
	if err != nil {
		return nil, err
	}
	g, err := ebmkit.Gradient(fn, "e", e)
	if err != nil {
		return nil, err
	}
	w := &surveyor{e: g, d: e.Dim(), noise: 8 * eps}
	if n, ok := e.(interface{ NumericalGradient() bool }); ok && n.NumericalGradient() {
		w.noise = 1e-9
	}
	st := ebmkit.NewStream(s.Seed, "assumptions", 0)
	out := &Growth{Lipschitz: Verdict{Claim: "Lipschitz gradient"}, Dissipative: Verdict{Claim: "dissipativity"}}
	for k := range shells {
		outer := s.Radius * math.Ldexp(1, k-shells+1)
		inner := outer / 2
		if k == 0 {
			inner = 0
		}
		w.low = math.Inf(1)
		for t := range max(s.Trials, 2*w.d) {
			w.radial(w.direction(st, t), inner, outer)
		}
		if w.d > 1 {
			for t := range s.Trials {
				u, v := w.plane(st, t)
				w.circle(u, v, outer)
			}
			w.sharpen()
			w.descend(st, outer)
		}
		if w.nan != nil {
			return nil, &ebmkit.ArgError{Func: fn, Arg: "e", Value: fmt.Sprintf("NaN at x = %v", w.nan), Want: "an energy and a gradient that are never NaN"}
		}
		if w.wall != nil {
			break
		}
		out.R = append(out.R, outer)
		out.L = append(out.L, w.best)
		out.A = append(out.A, w.low)
	}
	out.judge(w)
	return out, nil
}

// judge fills in the verdicts.
func (g *Growth) judge(w *surveyor) {
	n := len(g.R)
	v := &g.Lipschitz
	switch {
	case w.wall != nil:
		v.Refuted, v.Witness, v.Reason = true, [][]float64{w.wall}, fmt.Sprintf("U = +Inf at x = %.4g", w.wall)
	case n > 0:
		p := powerLaw(g.R, g.L)
		v.Refuted, v.Witness = p > 0.5, [][]float64{w.a, w.b}
		if v.Refuted {
			v.Reason = fmt.Sprintf("L(R) grows like R^%.2f; it is at least %.4g near x = %.4g", p, w.best, w.a)
		} else {
			v.Reason = fmt.Sprintf("L is at least %.4g, near x = %.4g", w.best, w.a)
		}
	}
	v = &g.Dissipative
	if n == 0 {
		g.Lipschitz.Radius, v.Radius, v.Reason = 0, 0, "no ball on which U is finite"
		return
	}
	g.Lipschitz.Radius, v.Radius = g.R[n-1], g.R[n-1]
	v.Witness = [][]float64{w.lowAt}
	last := g.A[n-1]
	switch {
	case n > 1 && last <= 0 && g.A[n-2] <= 0:
		v.Refuted, v.Reason = true, fmt.Sprintf("x . grad U / |x|^2 = %.4g at x = %.4g", last, w.lowAt)
	case last > 0 && powerLaw(g.R, g.A) < -0.5:
		v.Refuted, v.Reason = true, fmt.Sprintf("a(R) falls like R^%.2f; it is %.4g at x = %.4g", powerLaw(g.R, g.A), last, w.lowAt)
	default:
		v.Reason = fmt.Sprintf("a = %.4g on the outermost sphere", last)
	}
}

// powerLaw returns the exponent of v against r: the slope of the logarithms over
// the last four radii. It is 0 if one of them is not positive, or there are
// fewer.
func powerLaw(r, v []float64) float64 {
	n := len(r)
	if n < 4 {
		return 0
	}
	var slope float64
	for i := range 4 {
		if v[n-4+i] <= 0 {
			return 0
		}
		slope += (float64(i) - 1.5) / 5 * vmath.Log(v[n-4+i]) // sum of squares is 5
	}
	return slope / math.Ln2
}

// surveyor evaluates gradients along lines and keeps the extremes.
type surveyor struct {
	e     ebmkit.Differentiable
	d     int
	noise float64 // relative error of a gradient

	best      float64 // largest difference quotient so far
	a, b      []float64
	low       float64 // smallest x.grad U/|x|^2 on the sphere
	lowAt     []float64
	nan, wall []float64
}

// point is a place with its gradient; ok is false where U = +Inf.
type point struct {
	x, g []float64
	ok   bool
}

func (w *surveyor) at(x []float64) point {
	p := point{x, make([]float64, w.d), true}
	u := w.e.EnergyGrad(p.g, x)
	if math.IsInf(u, 1) {
		p.ok = false
		if w.wall == nil {
			w.wall = slices.Clone(x)
		}
		return p
	}
	bad := math.IsNaN(u)
	for _, v := range p.g {
		bad = bad || math.IsNaN(v)
	}
	if bad {
		p.ok = false
		if w.nan == nil {
			w.nan = slices.Clone(x)
		}
	}
	return p
}

// quotient returns |grad U(p) - grad U(q)|/|p - q|, less what rounding can make.
func (w *surveyor) quotient(p, q point) float64 {
	if !p.ok || !q.ok {
		return 0
	}
	var num, den, size float64
	for j := range p.x {
		num += (p.g[j] - q.g[j]) * (p.g[j] - q.g[j])
		den += (p.x[j] - q.x[j]) * (p.x[j] - q.x[j])
		size = max(size, math.Abs(p.g[j]), math.Abs(q.g[j]))
	}
	if den == 0 || math.IsInf(num, 0) {
		return 0
	}
	return (math.Sqrt(num) - w.noise*size) / math.Sqrt(den)
}

// direction returns unit vector t: the axes first, then random ones.
func (w *surveyor) direction(s *ebmkit.Stream, t int) []float64 {
	u := make([]float64, w.d)
	if t < 2*w.d {
		u[t/2] = 1 - 2*float64(t%2)
		return u
	}
	s.FillNormal(u)
	return unit(u)
}

func unit(u []float64) []float64 {
	r := math.Sqrt(vmath.Dot(u, u))
	for j := range u {
		u[j] /= r
	}
	return u
}

// plane returns two orthonormal vectors: the first two axes, then random ones.
func (w *surveyor) plane(s *ebmkit.Stream, t int) (u, v []float64) {
	u, v = make([]float64, w.d), make([]float64, w.d)
	if t == 0 || w.d == 2 {
		u[0], v[1] = 1, 1
		return u, v
	}
	s.FillNormal(u)
	s.FillNormal(v)
	unit(u)
	c := vmath.Dot(u, v)
	for j := range v {
		v[j] -= c * u[j]
	}
	return u, unit(v)
}

// radial searches the line from inner to outer along u.
func (w *surveyor) radial(u []float64, inner, outer float64) {
	const pieces = 32
	w.line(pieces, func(t float64) []float64 {
		x := make([]float64, w.d)
		for j := range x {
			x[j] = u[j] * (inner + (outer-inner)*t)
		}
		return x
	}, false)
	w.sphere(w.at(scaled(u, outer)))
}

func scaled(u []float64, r float64) []float64 {
	x := slices.Clone(u)
	for j := range x {
		x[j] *= r
	}
	return x
}

// circle searches the circle of radius r in the plane of u and v.
func (w *surveyor) circle(u, v []float64, r float64) {
	const pieces = 128
	w.line(pieces, func(t float64) []float64 {
		sin, cos := vmath.SinCos2Pi(t)
		x := make([]float64, w.d)
		for j := range x {
			x[j] = r * (cos*u[j] + sin*v[j])
		}
		return x
	}, true)
}

// line cuts the curve into pieces, and halves the two steepest.
func (w *surveyor) line(pieces int, curve func(t float64) []float64, onSphere bool) {
	ps := make([]point, pieces+1)
	for i := range ps {
		ps[i] = w.at(curve(float64(i) / float64(pieces)))
		if onSphere {
			w.sphere(ps[i])
		}
	}
	first, second := -1, -1
	var q1, q2 float64
	for i := range pieces {
		switch q := w.quotient(ps[i], ps[i+1]); {
		case q > q1:
			first, second, q1, q2 = i, first, q, q1
		case q > q2:
			second, q2 = i, q
		}
	}
	for _, i := range []int{first, second} {
		if i < 0 {
			continue
		}
		w.halve(curve, float64(i)/float64(pieces), float64(i+1)/float64(pieces), ps[i], ps[i+1])
	}
}

// halve follows the steeper half until it no longer matters.
func (w *surveyor) halve(curve func(t float64) []float64, lo, hi float64, p, q point) {
	w.keep(p, q)
	last := w.quotient(p, q)
	for n := 0; n < 40; n++ {
		mid := (lo + hi) / 2
		m := w.at(curve(mid))
		left, right := w.quotient(p, m), w.quotient(m, q)
		if left >= right {
			hi, q = mid, m
		} else {
			lo, p = mid, m
		}
		w.keep(p, q)
		now := max(left, right)
		if n > 3 && now < 1.0001*last {
			return
		}
		last = now
	}
}

func (w *surveyor) keep(p, q point) {
	if c := w.quotient(p, q); c > w.best {
		w.best, w.a, w.b = c, slices.Clone(p.x), slices.Clone(q.x)
	}
}

// sphere looks at one point of the outermost sphere.
func (w *surveyor) sphere(p point) {
	if !p.ok {
		return
	}
	c := vmath.Dot(p.x, p.g) / vmath.Dot(p.x, p.x)
	if c < w.low {
		w.low, w.lowAt = c, slices.Clone(p.x)
	}
}

// sharpen turns the best pair into the direction in which the gradient changes
// most, by power iteration on differences.
func (w *surveyor) sharpen() {
	if w.a == nil {
		return
	}
	mid, v := make([]float64, w.d), make([]float64, w.d)
	for j := range mid {
		mid[j] = (w.a[j] + w.b[j]) / 2
		v[j] = w.b[j] - w.a[j]
	}
	h := math.Sqrt(vmath.Dot(v, v)) / 2
	for range 30 {
		unit(v)
		p, q := w.at(shifted(mid, v, -h)), w.at(shifted(mid, v, h))
		if !p.ok || !q.ok {
			return
		}
		w.keep(p, q)
		for j := range v {
			v[j] = q.g[j] - p.g[j]
		}
		if vmath.Dot(v, v) == 0 {
			return
		}
	}
}

func shifted(x, v []float64, h float64) []float64 {
	y := slices.Clone(x)
	for j := range y {
		y[j] += h * v[j]
	}
	return y
}

// descend moves the lowest point on the sphere of radius r by smaller and
// smaller random steps.
func (w *surveyor) descend(s *ebmkit.Stream, r float64) {
	if w.lowAt == nil {
		return
	}
	v := make([]float64, w.d)
	for step := 0.1; step > 1e-4; step *= 0.8 {
		for range 5 {
			s.FillNormal(v)
			x := unit(shifted(scaled(w.lowAt, 1/r), v, step))
			w.sphere(w.at(scaled(x, r)))
		}
	}
}

// Convex looks for a pair of points that violates convexity, review eq. (7), by
// the midpoint test
//
//	U((x1+x2)/2) <= (U(x1) + U(x2))/2.
//
// Review Definition 2.1 mixes the names lambda and t; both are the weight of x1.
// Pairs are those of known modes and random ones of all lengths in the ball; the
// worst is moved to where it violates most. It returns *ebmkit.ArgError if e is
// nil or NaN somewhere, or a field of s is negative or NaN.
func (s Search) Convex(e ebmkit.Energy) (Verdict, error) {
	return s.midpoint("energy.Search.Convex", "convexity of U", e)
}

// LogConcave looks for a pair of points that shows that exp(-U) is not
// log-concave, review Definition 2.2: one that violates the convexity of U.
// Errors as Convex.
func (s Search) LogConcave(e ebmkit.Energy) (Verdict, error) {
	return s.midpoint("energy.Search.LogConcave", "log-concavity of exp(-U)", e)
}

func (s Search) midpoint(fn, claim string, e ebmkit.Energy) (Verdict, error) {
	s, err := s.withDefaults(fn, e)
	if err != nil {
		return Verdict{}, err
	}
	d := e.Dim()
	st := ebmkit.NewStream(s.Seed, "convexity", 0)
	mid := make([]float64, d)
	var nan []float64
	// gap returns U(mid) - mean U less rounding; negative if the test is passed.
	gap := func(a, b []float64) float64 {
		for j := range mid {
			mid[j] = a[j] + (b[j]-a[j])/2
		}
		ua, ub, um := e.Energy(a), e.Energy(b), e.Energy(mid)
		if math.IsNaN(ua+ub) || math.IsNaN(um) {
			if !math.IsInf(ua, 1) && !math.IsInf(ub, 1) {
				nan = slices.Clone(mid)
			}
			return math.Inf(-1)
		}
		if math.IsInf(ua, 1) || math.IsInf(ub, 1) {
			return math.Inf(-1) // nothing is asked of such a pair
		}
		return um - (ua+ub)/2 - 16*eps*(math.Abs(ua)+math.Abs(ub)+math.Abs(um))
	}
	worst := math.Inf(-1)
	var wa, wb []float64
	try := func(a, b []float64) {
		if c := gap(a, b); c > worst {
			worst, wa, wb = c, slices.Clone(a), slices.Clone(b)
		}
	}
	if m, ok := e.(ebmkit.Modes); ok {
		modes := m.Modes()
		for i := 0; i < len(modes); i += d {
			for k := 0; k < i; k += d {
				try(modes[k:k+d], modes[i:i+d])
			}
		}
	}
	a, b := make([]float64, d), make([]float64, d)
	pairs := 100 * s.Trials
	for i := range pairs {
		// Distances from the origin and lengths spread over five octaves and more.
		st.FillNormal(a)
		st.FillNormal(b)
		r := s.Radius * vmath.Exp(-5*st.Float64())
		l := s.Radius * vmath.Exp(-7*st.Float64())
		unit(a)
		unit(b)
		for j := range a {
			a[j] *= r
			b[j] = a[j] + l*b[j]
		}
		if i%d == 0 && d > 1 { // along an axis
			j := (i / d) % d
			clear(b)
			copy(b, a)
			b[j] += l
		}
		try(a, b)
	}
	if nan != nil {
		return Verdict{}, &ebmkit.ArgError{Func: fn, Arg: "e", Value: fmt.Sprintf("NaN near x = %v", nan), Want: "an energy that is never NaN"}
	}
	v := Verdict{Claim: claim, Radius: s.Radius, Refuted: worst > 0}
	if wa == nil {
		v.Reason = "U is +Inf wherever it was looked at"
		return v, nil
	}
	if v.Refuted && !math.IsInf(worst, 1) {
		step := math.Sqrt(sqDist(wa, wb)) / 4
		for n := 0; n < 200; n++ {
			st.FillNormal(a)
			st.FillNormal(b)
			try(shifted(wa, a, step), shifted(wb, b, step))
			step *= 0.97
		}
	}
	v.Witness = [][]float64{wa, wb}
	um := e.Energy(shifted(wa, shifted(wb, wa, -1), 0.5))
	mean := (e.Energy(wa) + e.Energy(wb)) / 2
	if v.Refuted {
		v.Reason = fmt.Sprintf("U = %.6g halfway between x1 = %.4g and x2 = %.4g, where its mean is %.6g", um, wa, wb, mean)
	} else {
		v.Reason = fmt.Sprintf("%d pairs passed", pairs)
	}
	return v, nil
}

func sqDist(a, b []float64) float64 {
	var s float64
	for j := range a {
		s += (a[j] - b[j]) * (a[j] - b[j])
	}
	return s
}
