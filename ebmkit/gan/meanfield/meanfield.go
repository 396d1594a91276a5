// Package meanfield plays the game of generative adversarial networks on
// densities: the discriminator is the best one at every moment, D* = p/(p+q), and
// the generator is free, so that its density q on a grid is all there is of it.
// These are the assumptions of review Theorem 3.3. What is left out is the
// networks and chance.
//
// How a free generator moves is a choice. By Densities it changes q where it
// stands, as the proof of the theorem wants. By the other rules it moves its
// points, as a generator does that is trained through the gradient of D, each
// along minus the gradient of its loss, with D* held fixed:
//
//	Saturating     log(1 - D*)      v = D* grad log p/q
//	NonSaturating  -log D*          v = (1 - D*) grad log p/q
//	Logit          -log D*/(1-D*)   v = grad log p/q = grad U_q - grad U_p
//
// A difference of two forces, with a factor. Logit is the Fokker-Planck equation
// of p, whose points lower KL(q, p); the other two slow it down, Saturating where
// there are only generated points, NonSaturating where there are many data.
package meanfield

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Rule is how the generator's density changes.
type Rule uint8

const (
	// Densities is mirror descent on C(G), with the first variation
	// log(1 - D*) of review eq. (39),
	//
	//	q <- q (1 - D*)^(-Step) / norm,   0 < Step <= 1.
	//
	// C never rises, and C + ln 4 <= KL(p, q_0)/(k Step) after k steps, because C is
	// convex and its Hessian 1/q - 1/(p+q) is below that of the entropy. A Step of 1
	// is q <- (p + q)/2, which halves the error.
	Densities Rule = iota
	// Saturating moves points against the gradient of log(1 - D*), review eq. (33):
	//
	//	dq/dt = div(p grad log(1 + q/p)).
	Saturating
	// NonSaturating moves them along that of log D*:
	//
	//	dq/dt = div(p grad(q/p - log(1 + q/p))).
	NonSaturating
	// Logit moves them along that of log D*/(1 - D*), the difference of energies:
	//
	//	dq/dt = div(p grad(q/p)).
	Logit
)

func (r Rule) String() string {
	switch r {
	case Densities:
		return "Densities"
	case Saturating:
		return "Saturating"
	case NonSaturating:
		return "NonSaturating"
	case Logit:
		return "Logit"
	}
	return fmt.Sprintf("Rule(%d)", uint8(r))
}

// Game is a game on a grid.
type Game struct {
	Rule  Rule
	Step  float64 // of Densities; of time for the others, which take smaller ones if need be
	Steps int
	Every int // keep what happens after every so many; 0: only the last
}

// Path is a game along time.
type Path struct {
	T []float64   // times, Step times the number of steps, from 0
	Q [][]float64 // densities of the generator
	C []float64   // C(G) = V(G, D*) on the grid, review eq. (37) with its logarithms
}

// Excess returns C(G) + ln 4 at the times of the path: twice the Jensen-Shannon
// divergence of the generator from the data, review eq. (38), 0 at the end of the
// game. Its rounding error is some 1e-16.
func (p *Path) Excess() []float64 {
	out := make([]float64, len(p.C))
	for k, c := range p.C {
		out[k] = c + math.Log(4)
	}
	return out
}

// LargestRise returns the largest change of C from one kept time to the next,
// which is negative if C falls every time, as review Theorem 3.3 wants; -Inf of a
// path of one time.
func (p *Path) LargestRise() float64 {
	rise := math.Inf(-1)
	for k := 1; k < len(p.C); k++ {
		rise = max(rise, p.C[k]-p.C[k-1])
	}
	return rise
}

// Rate returns the rate at which the error q - p has decayed over the last
// intervals between kept times, late in the game, when Excess is quadratic in it:
//
//	Rate = log(Excess(t - s)/Excess(t)) / (2 s),
//
// with t the last time and t - s the one so many intervals before. It returns
// *ebmkit.ArgError if the path does not have them, or C has met -ln 4 within
// rounding.
func (p *Path) Rate(intervals int) (float64, error) {
	const fn = "meanfield.Path.Rate"
	last := len(p.T) - 1
	if intervals < 1 || intervals > last {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "intervals", Value: intervals, Want: fmt.Sprintf("1 to %d, those of the path", last)}
	}
	over := p.Excess()
	from, to := over[last-intervals], over[last]
	if !(from > 0 && to > 0) {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "C + ln 4", Value: [2]float64{from, to}, Want: "positive at both ends: a shorter game"}
	}
	return vmath.Log(from/to) / (2 * (p.T[last] - p.T[last-intervals])), nil
}

// Run plays from the generator's density start, which is not changed. Points move
// between neighbouring cells i and k by
//
//	flow = w_ik (Phi(q_i/p_i) - Phi(q_k/p_k)),
//
// with the weights w of fokkerplanck.Langevin of data, and with Phi(r) = log(1+r),
// r - log(1+r) and r for the three rules. So mass is kept, no density becomes
// negative, C never rises in continuous time, and p is where it all ends. Time steps
// are explicit (Euler's), at most half of the shortest stay in a cell.
//
// It returns *ebmkit.ArgError if an argument is out of range, data is 0 on a cell
// or too steep for the grid, or start is not a density on the grid of mass 1; if
// ctx ends, what it has with ctx's error.
func (a Game) Run(ctx context.Context, data ebmkit.Energy, g *fokkerplanck.Grid, start []float64) (*Path, error) {
	const fn = "meanfield.Game.Run"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	switch {
	case data == nil:
		return nil, bad("data", nil, "an energy")
	case g == nil:
		return nil, bad("g", nil, "a grid")
	case a.Rule > Logit:
		return nil, bad("Rule", a.Rule, "one of the constants")
	case !(a.Step > 0) || math.IsInf(a.Step, 1):
		return nil, bad("Step", a.Step, "a positive number")
	case a.Rule == Densities && a.Step > 1:
		return nil, bad("Step", a.Step, "at most 1 for Densities: beyond that C may rise")
	case a.Steps < 1:
		return nil, bad("Steps", a.Steps, "at least 1")
	case a.Every < 0:
		return nil, bad("Every", a.Every, "at least 0")
	}
	if len(start) != g.Len() || !(math.Abs(g.Mass(start)-1) < 1e-9) {
		return nil, bad("start", fmt.Sprintf("%d numbers", len(start)), fmt.Sprintf("a density of mass 1 on %d cells", g.Len()))
	}
	for i, v := range start {
		if !(v >= 0) {
			return nil, bad(fmt.Sprintf("start[%d]", i), v, "a density")
		}
	}
	p, err := g.Boltzmann(data)
	if err != nil {
		return nil, err
	}
	for i, v := range p {
		if !(v > 0) {
			return nil, bad(fmt.Sprintf("data in cell %d", i), v, "a positive density: a smaller grid")
		}
	}
	q := append([]float64(nil), start...)
	step := func() { mirror(q, p, a.Step, g.Volume()) }
	if a.Rule != Densities {
		gen, err := fokkerplanck.Langevin{Energy: data}.On(g)
		if err != nil {
			return nil, err
		}
		step = newPoints(gen, p, q, a).step
	}
	path := &Path{}
	for k := 0; ; k++ {
		if k == a.Steps || k == 0 && a.Every > 0 || a.Every > 0 && k%a.Every == 0 {
			path.T = append(path.T, float64(k)*a.Step)
			path.Q = append(path.Q, append([]float64(nil), q...))
			path.C = append(path.C, Cost(g, p, q))
		}
		if k == a.Steps {
			return path, nil
		}
		if err := ctx.Err(); err != nil {
			return path, err
		}
		step()
	}
}

// Cost returns C(G) of two densities on the grid,
//
//	C = sum_k V [p log p/(p+q) + q log q/(p+q)],
//
// between -ln 4 and 0. It panics on a wrong length.
func Cost(g *fokkerplanck.Grid, p, q []float64) float64 {
	if len(p) != g.Len() || len(q) != g.Len() {
		panic("meanfield: Cost: a density is not on the grid")
	}
	var c float64
	for i := range p {
		if p[i] > 0 {
			c -= p[i] * vmath.Log1p(q[i]/p[i])
		}
		if q[i] > 0 {
			c -= q[i] * vmath.Log1p(p[i]/q[i])
		}
	}
	return g.Volume() * c
}

// mirror takes a step of Densities.
func mirror(q, p []float64, eta, volume float64) {
	var mass float64
	for i := range q {
		switch {
		case eta == 1:
			q[i] += p[i]
		case q[i] > 0:
			q[i] *= vmath.Exp(eta * vmath.Log1p(p[i]/q[i]))
		}
		mass += q[i]
	}
	for i := range q {
		q[i] /= mass * volume
	}
}

// points moves the generator's points.
type points struct {
	rule Rule
	p, q []float64
	phi  []float64
	link [][2]int
	w    []float64 // of the links
	dt   float64
	subs int
}

func newPoints(gen *fokkerplanck.Generator, p, q []float64, a Game) *points {
	m := &points{rule: a.Rule, p: p, q: q, phi: make([]float64, len(p))}
	exit := make([]float64, len(p))
	gen.Rates(func(i, k int, there, back float64) {
		m.link = append(m.link, [2]int{i, k})
		m.w = append(m.w, there*p[i])
		exit[i] += there
		exit[k] += back
	})
	fastest := 0.0
	for _, r := range exit {
		fastest = max(fastest, r)
	}
	m.subs = max(1, int(math.Ceil(2*a.Step*fastest)))
	m.dt = a.Step / float64(m.subs)
	return m
}

func (m *points) step() {
	for range m.subs {
		for i, q := range m.q {
			m.phi[i] = q / m.p[i]
		}
		switch m.rule {
		case Saturating:
			vmath.Log1pSlice(m.phi, m.phi)
		case NonSaturating:
			for i, r := range m.phi {
				m.phi[i] = above(r)
			}
		}
		for l, at := range m.link {
			flow := m.dt * m.w[l] * (m.phi[at[0]] - m.phi[at[1]])
			m.q[at[0]] -= flow
			m.q[at[1]] += flow
		}
	}
}

// above returns r - log(1+r) without cancellation near 0, by
//
//	log(1+r) = 2 artanh(t),   t = r/(2+r),   r - 2t = r t.
func above(r float64) float64 {
	if r > 0.1 {
		return r - vmath.Log1p(r)
	}
	t := r / (2 + r)
	t2 := t * t
	return r*t - 2*t*t2*(1./3+t2*(1./5+t2*(1./7+t2*(1./9+t2/11))))
}
