package quad

import (
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// line is the search for the minima of a function of one variable, so that the
// cells start where the mass is. What it misses, the adaptive rule may still
// find.
type line struct {
	lo, hi float64
	many   batch     // values at many points
	grid   []float64 // points to scan
	hints  []float64 // minima that are known

	minima []float64
	least  float64
	nan    bool
	nanAt  float64

	one, val [1]float64
	u        []float64
	xs, us   [2 * steps]float64
}

// reach are the distances at which breaks looks at a minimum x, in units of
// 1 + |x|: 1e-6 times powers of 1.5.
const steps = 70

var reach = func() (r [steps]float64) {
	r[0] = 1e-6
	for k := 1; k < steps; k++ {
		r[k] = 1.5 * r[k-1]
	}
	return r
}()

func (l *line) at(x float64) float64 {
	if x < l.lo || x > l.hi {
		return math.Inf(1)
	}
	l.one[0] = x
	l.many(l.val[:], l.one[:])
	l.note(x, l.val[0])
	return l.val[0]
}

func (l *line) note(x, u float64) {
	if math.IsNaN(u) && !l.nan {
		l.nan, l.nanAt = true, x
	}
	if u < l.least {
		l.least = u
	}
}

// grid returns points of one axis: even on a finite interval; spaced in
// proportion to their distance from an end, or from 0, on an infinite one.
func grid(lo, hi, ratio float64) []float64 {
	var g []float64
	switch {
	case !math.IsInf(lo, -1) && !math.IsInf(hi, 1):
		n := int(30 / (ratio - 1))
		for i := range n {
			g = append(g, lo+(hi-lo)*(float64(i)+0.5)/float64(n))
		}
		return g
	case !math.IsInf(lo, -1):
		for v := 1e-4; v < 1e6; v *= ratio {
			g = append(g, lo+v)
		}
	case !math.IsInf(hi, 1):
		for v := 1e-4; v < 1e6; v *= ratio {
			g = append(g, hi-v)
		}
	default:
		g = append(g, 0)
		for v := 1e-2; v < 1e5; v *= ratio {
			g = append(g, v, -v)
		}
	}
	slices.Sort(g)
	return g
}

// scan finds the minima: the hints, and what the grid shows, refined.
func (l *line) scan() {
	l.least = math.Inf(1)
	l.minima = l.minima[:0]
	if len(l.u) < len(l.grid) {
		l.u = make([]float64, len(l.grid))
	}
	u := l.u[:len(l.grid)]
	l.many(u, l.grid)
	for i, x := range l.grid {
		l.note(x, u[i])
	}
	for _, h := range l.hints {
		if v := l.at(h); !math.IsInf(v, 1) && !math.IsNaN(v) {
			l.minima = append(l.minima, h)
		}
	}
	for i := range u {
		left, right := math.Inf(1), math.Inf(1)
		if i > 0 {
			left = u[i-1]
		}
		if i+1 < len(u) {
			right = u[i+1]
		}
		if u[i] < left && u[i] <= right && u[i] < l.least+1e4 {
			l.refine(l.grid[i], u[i], l.grid[max(i-1, 0)], l.grid[min(i+1, len(u)-1)])
		}
	}
}

// refine moves the minimum x, bracketed by a and b, to a 5e7th of the bracket.
func (l *line) refine(x, ux, a, b float64) {
	for _, h := range l.hints {
		if a < h && h < b { // known better
			return
		}
	}
	const inside = 9 // points a round: many at once cost little more than one
	var xs, us [inside]float64
	for range 11 {
		for i := range xs {
			xs[i] = a + (b-a)*float64(i+1)/(inside+1)
		}
		l.many(us[:], xs[:])
		best := 0
		for i, v := range us {
			l.note(xs[i], v)
			if v < us[best] {
				best = i
			}
		}
		if us[best] <= ux {
			x, ux = xs[best], us[best]
		}
		a, b = a+(b-a)*float64(best)/(inside+1), a+(b-a)*float64(best+2)/(inside+1)
	}
	l.minima = append(l.minima, x)
}

// breaks returns the minima and two points on both sides of each: where U has
// risen by about 8 (four standard deviations of a Gaussian), and by about 40,
// beyond which nothing is left of a Gaussian peak. A tail that is still not that
// low 30 times farther out is broad enough for the rule to see.
func (l *line) breaks() []float64 {
	var br []float64
	add := func(v, w float64) {
		if v <= l.lo || v >= l.hi {
			return
		}
		for _, b := range br {
			if math.Abs(b-v) < w/2 {
				return
			}
		}
		br = append(br, v)
	}
	for _, m := range l.minima {
		u0 := l.at(m)
		if u0 > l.least+40 {
			continue
		}
		// U at geometrically growing distances on both sides, in one go.
		for k := range steps {
			w := (1 + math.Abs(m)) * reach[k]
			l.xs[k] = max(m-w, l.lo)
			l.xs[steps+k] = min(m+w, l.hi)
		}
		l.many(l.us[:], l.xs[:])
		for side, sign := range []float64{-1, 1} {
			u := l.us[side*steps : (side+1)*steps]
			k := 0
			for k < steps-1 && u[k] < u0+8 {
				k++
			}
			far := k
			for far < steps-1 && far < k+9 && u[far] < u0+40 { // 1.5^9 = 38
				far++
			}
			w := (1 + math.Abs(m)) * reach[k]
			if side == 0 {
				add(m, w)
			}
			add(m+sign*w, w)
			add(m+sign*(1+math.Abs(m))*reach[far], w)
		}
	}
	return br
}

// energies returns U of a one-dimensional energy at many points.
func energies(e ebmkit.Energy, count *int) batch {
	ev := ebmkit.NewEvaluator(e)
	return func(dst, xs []float64) {
		*count += len(xs)
		ev.EnergyGrad(dst, nil, xs)
	}
}

// lines looks along the second coordinate at fixed values of the first.
type lines struct {
	e      ebmkit.Energy
	ev     ebmkit.Evaluator
	rows   []float64
	x      float64
	line   line
	modes  []float64 // rows of known modes
	breaks []float64 // the user's
	grids  [2][]float64
	count  *int
}

func newLines(e ebmkit.Energy, lo, hi float64, modes []float64, dom Domain, count *int) *lines {
	ls := &lines{e: e, modes: modes, grids: [2][]float64{grid(lo, hi, 1.35), grid(lo, hi, 1.1)}}
	ls.line.lo, ls.line.hi = lo, hi
	if dom.Breaks != nil {
		ls.breaks = graded(dom.Breaks[1], lo, hi)
	}
	return ls.share(count)
}

// share returns a copy with scratch of its own.
func (ls *lines) share(count *int) *lines {
	c := &lines{e: ls.e, ev: ebmkit.NewEvaluator(ls.e), modes: ls.modes, breaks: ls.breaks, grids: ls.grids, count: count}
	c.line.lo, c.line.hi = ls.line.lo, ls.line.hi
	c.line.many = func(dst, ys []float64) {
		*c.count += len(ys)
		c.rows = c.rows[:0]
		for _, y := range ys {
			c.rows = append(c.rows, c.x, y)
		}
		c.ev.EnergyGrad(dst, nil, c.rows)
	}
	return c
}

// valleys computes the minimum of U over the second coordinate.
func (ls *lines) valleys(dst, xs []float64) {
	ls.line.grid = ls.grids[0]
	for i, x := range xs {
		ls.x = x
		ls.line.hints = ls.line.hints[:0]
		for k := 0; k < len(ls.modes); k += 2 {
			if ls.modes[k] == x {
				ls.line.hints = append(ls.line.hints, ls.modes[k+1])
			}
		}
		ls.line.scan()
		dst[i] = ls.line.least
		if ls.line.nan {
			dst[i] = math.NaN()
		}
	}
}

// panels cuts the second coordinate at x, or returns nil if exp(-(U - shift)) is
// zero all along it.
func (ls *lines) panels(x, shift float64) []panel {
	ls.x = x
	ls.line.grid = ls.grids[1]
	ls.line.hints = nil
	ls.line.scan()
	if ls.line.least > shift+745 {
		return nil
	}
	return panels(ls.line.lo, ls.line.hi, append(ls.line.breaks(), ls.breaks...), 1)
}
