package fokkerplanck

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Steady returns the steady state with mass 1 as a new slice. A Langevin
// equation has exp(-U) at the centres of the cells. Any other, and any with
// restarts, is solved for its fluxes by elimination without subtractions
// (Grassmann, Taksar and Heyman 1985), so that every entry is right to a few
// roundings, however small. In two dimensions that takes time in proportion to
// the number of cells times the square of the shorter side.
//
// It returns *ebmkit.ArgError if there are several steady states, because the
// grid falls apart into regions that do not exchange mass, or if elimination
// would need more than a gigabyte.
func (gen *Generator) Steady() ([]float64, error) {
	if gen.u != nil && gen.nu == 0 {
		return gen.grid.boltzmann(gen.u), nil
	}
	return gen.balance("fokkerplanck.Generator.Steady")
}

// balance solves for the steady state by elimination.
func (gen *Generator) balance(fn string) ([]float64, error) {
	e, err := gen.eliminate(fn, gen.nu, -1, nil)
	if err != nil {
		return nil, err
	}
	p := make([]float64, gen.grid.size)
	if gen.nu > 0 {
		for k, v := range gen.restart {
			p[k] = gen.nu * v
		}
		e.solve(p)
	} else {
		switch n := len(e.roots); {
		case n > 1:
			return nil, &ebmkit.ArgError{Func: fn, Arg: "Generator", Value: fmt.Sprintf("%d regions without exchange of mass", n), Want: "one region, or restarts"}
		case n == 1:
			e.null(p)
		}
	}
	gen.grid.scale(p)
	return p, nil
}

// elimination is the factored system (nu - A) x = b. Cell order[i] is taken out
// i-th. It has links to the next band cells: low[i*band+j-1] is the share of its
// b that goes to cell i+j, and high[i*band+j-1] the share of x_{i+j} in x_i.
type elimination struct {
	order     []int
	band      int
	low, high []float64
	inv       []float64 // 1/pivot, 0 for a root
	roots     []int     // what is left of a closed region: its last cell
	y         []float64
}

// eliminate factors the system in the order of places. Links to cells that are
// not live, if live is not nil, are left out.
func (gen *Generator) eliminate(fn string, nu float64, center int, live []bool) (*elimination, error) {
	g := gen.grid
	place := gen.places(center)
	n := g.size
	e := &elimination{order: make([]int, n), inv: make([]float64, n), y: make([]float64, n), band: 1}
	for k, i := range place {
		e.order[i] = k
	}
	gen.Rates(func(i, k int, _, _ float64) { e.band = max(e.band, place[i]-place[k], place[k]-place[i]) })
	b := e.band
	if n*b > 1<<26 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "grid", Value: fmt.Sprintf("%d cells with a band of %d", n, b), Want: "at most 67 million entries: fewer cells along the shorter axis"}
	}
	e.low, e.high = make([]float64, n*b), make([]float64, n*b)
	gen.Rates(func(i, k int, there, back float64) {
		if live != nil && !(live[i] && live[k]) {
			return
		}
		i, k = place[i], place[k]
		if i > k {
			i, k, there, back = k, i, back, there
		}
		e.low[i*b+k-i-1] += there
		e.high[i*b+k-i-1] += back
	})
	excess := make([]float64, n)
	for i := range excess {
		excess[i] = nu
	}
	for i := range n {
		m := min(b, n-1-i)
		low, high := e.low[i*b:i*b+m], e.high[i*b:i*b+m]
		pivot := excess[i]
		for _, v := range low {
			pivot += v
		}
		if pivot == 0 {
			e.roots = append(e.roots, i)
			clear(high)
			continue
		}
		for j := range m {
			if high[j] == 0 && low[j] == 0 {
				continue
			}
			// Flows from cell i+1+j through i to the cells after it, and from the
			// cells after it through i to i+1+j.
			excess[i+1+j] += excess[i] * (high[j] / pivot)
			at := (i + 1 + j) * b
			if c := high[j] / pivot; c != 0 {
				vmath.Axpy(e.low[at:at+m-j-1], c, low[j+1:])
			}
			if c := low[j] / pivot; c != 0 {
				vmath.Axpy(e.high[at:at+m-j-1], c, high[j+1:])
			}
		}
		for j := range m {
			low[j] /= pivot
			high[j] /= pivot
		}
		e.inv[i] = 1 / pivot
	}
	return e, nil
}

// places returns the place of every cell in the order of elimination, along the
// shorter axis first. With a center, cells come in the order of their distance
// from it along the axes, the center last. A longer axis that is periodic is
// folded in any case, so that its ends are close.
func (gen *Generator) places(center int) []int {
	g := gen.grid
	fast, slow := 0, g.Dim()-1
	if slow == 1 && g.axes[0].Cells > g.axes[1].Cells {
		fast, slow = 1, 0
	}
	at := func(axis, k int) int {
		if axis == 0 {
			return k % g.axes[0].Cells
		}
		return k / g.axes[0].Cells
	}
	axisOrder := func(axis int) []int {
		a := g.axes[axis]
		order := make([]int, a.Cells)
		for i := range order {
			order[i] = i
		}
		c := 0
		switch {
		case center >= 0:
			c = at(axis, center)
		case !a.Periodic || axis != slow:
			return order
		}
		distance := func(i int) int {
			d := max(i-c, c-i)
			if a.Periodic {
				d = min(d, a.Cells-d)
			}
			return d
		}
		slices.SortStableFunc(order, func(i, j int) int { return distance(j) - distance(i) })
		place := make([]int, a.Cells)
		for n, i := range order {
			place[i] = n
		}
		return place
	}
	place := make([]int, g.size)
	first := axisOrder(slow)
	if g.Dim() == 1 {
		copy(place, first)
		return place
	}
	second := axisOrder(fast)
	for k := range place {
		place[k] = first[at(slow, k)]*g.axes[fast].Cells + second[at(fast, k)]
	}
	return place
}

// solve overwrites b, in the order of the grid, with x, which is 0 at the roots.
func (e *elimination) solve(b []float64) {
	for i, k := range e.order {
		e.y[i] = b[k]
	}
	n, w := len(e.y), e.band
	for i, v := range e.y {
		m := min(w, n-1-i)
		if v != 0 && e.inv[i] != 0 {
			vmath.Axpy(e.y[i+1:i+1+m], v, e.low[i*w:i*w+m])
		}
	}
	for i := n - 1; i >= 0; i-- {
		m := min(w, n-1-i)
		e.y[i] = e.y[i]*e.inv[i] + vmath.Dot(e.high[i*w:i*w+m], e.y[i+1:i+1+m])
	}
	for i, k := range e.order {
		b[k] = e.y[i]
	}
}

// null writes the solution with b = 0 that is 1 at the only root, up to a
// factor.
func (e *elimination) null(x []float64) {
	n, w := len(e.y), e.band
	clear(e.y)
	e.y[e.roots[0]] = 1
	for i := e.roots[0] - 1; i >= 0; i-- {
		m := min(w, n-1-i)
		v := vmath.Dot(e.high[i*w:i*w+m], e.y[i+1:i+1+m])
		if v > 1e200 { // keep away from overflow
			for j := i + 1; j < n; j++ {
				e.y[j] *= 1e-200
			}
			v *= 1e-200
		}
		e.y[i] = v
	}
	// Cells after the root have been left for good: nothing comes back to them.
	for i, k := range e.order {
		x[k] = e.y[i]
	}
}

// Gap is the slowest relaxation of a reversible diffusion.
type Gap struct {
	// Rate is the spectral gap: every expectation tends to its steady value at
	// least as fast as exp(-Rate t).
	Rate float64
	// Mode is the function on the cells that decays the slowest, with mean 0 and
	// variance 1 under the steady state: from any start
	//
	//	E_t[f] = E[f] + c exp(-Rate t) E[f Mode] + faster terms.
	//
	// Between two wells it is a step. Where the steady state is zero so is it.
	Mode []float64
}

// Gap returns the spectral gap: the smallest eigenvalue of -A but 0, by Lanczos'
// iteration with the inverse of A on functions of mean 0. The inverse comes from
// elimination without subtractions, so a gap that is exponentially small has all
// its digits. Restarts at the rate nu add nu to it. Rate is 0, and Mode nil, if
// the grid falls apart into regions that do not exchange mass.
//
// It returns *ebmkit.ArgError if the generator is not reversible, and as Steady.
func (gen *Generator) Gap() (Gap, error) {
	const fn = "fokkerplanck.Generator.Gap"
	g := gen.grid
	pi, err := gen.reversibleSteady(fn)
	if err != nil {
		return Gap{}, err
	}
	if pi == nil {
		return Gap{Rate: gen.nu}, nil
	}
	// Cells that no start of positive mass will ever notice count as walls.
	live := make([]bool, len(pi))
	top := vmath.Max(pi)
	for k, v := range pi {
		live[k] = v > underflow*top
		if !live[k] {
			pi[k] = 0
		}
	}
	// Elimination ends where most of the mass is, because what the sums of a
	// right-hand side of mass 0 leave by rounding ends up there.
	e, err := gen.eliminate(fn, 0, slices.Index(pi, top), live)
	if err != nil {
		return Gap{}, err
	}
	parts := 0
	for _, r := range e.roots {
		if live[e.order[r]] {
			parts++
		}
	}
	if parts > 1 {
		return Gap{Rate: gen.nu}, nil
	}
	g.scale(pi)
	for k := range pi {
		pi[k] *= g.volume
	}
	l := lanczos{pi: pi, work: make([]float64, g.size)}
	rate, mode, err := l.smallest(fn, e)
	if err != nil {
		return Gap{}, err
	}
	return Gap{Rate: rate + gen.nu, Mode: mode}, nil
}

// reversibleSteady returns the steady state without restarts, or nil if there
// are several, after a look at the detailed balance of every link.
func (gen *Generator) reversibleSteady(fn string) ([]float64, error) {
	g := gen.grid
	if gen.u != nil {
		return g.boltzmann(gen.u), nil
	}
	e, err := gen.eliminate(fn, 0, -1, nil)
	if err != nil || len(e.roots) > 1 {
		return nil, err
	}
	pi := make([]float64, g.size)
	e.null(pi)
	g.scale(pi)
	reversible := true
	gen.Rates(func(i, k int, there, back float64) {
		there, back = there*pi[i], back*pi[k]
		if math.Abs(there-back) > 1e-9*(there+back)+underflow {
			reversible = false
		}
	})
	if !reversible {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Generator", Value: "a steady state with currents", Want: "detailed balance: a drift that comes from an energy"}
	}

	return pi, nil
}

// lanczos iterates f -> M^-1(pi f)/pi, which is symmetric in the inner product
// <f, g> = sum_k pi_k f_k g_k; pi sums to 1.
type lanczos struct {
	pi, work []float64
	basis    [][]float64
}

func (l *lanczos) inner(f, g []float64) float64 {
	for k, v := range f {
		l.work[k] = l.pi[k] * v
	}
	return vmath.Dot(l.work, g)
}

// center makes the mean of f zero, and f where pi is.
func (l *lanczos) center(f []float64) {
	mean := vmath.Dot(l.pi, f)
	for k := range f {
		f[k] -= mean
		if l.pi[k] == 0 {
			f[k] = 0
		}
	}
}

func (l *lanczos) smallest(fn string, e *elimination) (float64, []float64, error) {
	const most = 200
	f := make([]float64, len(l.pi))
	ebmkit.NewStream(1, fn, 0).FillNormal(f) // any start with a part along the mode
	for k := range f {
		f[k] += 10 * float64(k) / float64(len(f))
	}
	l.center(f)
	var alpha, beta []float64
	norm := math.Sqrt(l.inner(f, f))
	var theta float64
	var s []float64
	for j := 0; ; j++ {
		for k := range f {
			f[k] /= norm
		}
		l.basis = append(l.basis, f)
		next := make([]float64, len(f))
		for k, v := range f {
			next[k] = l.pi[k] * v
		}
		e.solve(next)
		for k := range next {
			if l.pi[k] > 0 {
				next[k] /= l.pi[k]
			}
		}
		l.center(next)
		alpha = append(alpha, l.inner(next, f))
		for range 2 { // full orthogonalisation, twice
			for _, b := range l.basis {
				vmath.Axpy(next, -l.inner(next, b), b)
			}
			l.center(next)
		}
		norm = math.Sqrt(l.inner(next, next))
		theta, s = largest(alpha, beta)
		if norm*math.Abs(s[j]) <= 1e-11*theta || j+2 >= len(f) {
			break
		}
		if j == most-1 {
			return 0, nil, &ebmkit.DivergedError{Func: fn, Step: j, Walker: -1, Value: 1 / theta, Hint: "the iteration did not converge: are there cells whose weight underflows?"}
		}
		beta = append(beta, norm)
		f = next
	}
	mode := make([]float64, len(f))
	for j, b := range l.basis {
		vmath.Axpy(mode, s[j], b)
	}
	l.center(mode)
	c := 1 / math.Sqrt(l.inner(mode, mode))
	if mode[len(mode)-1] < 0 {
		c = -c
	}
	for k := range mode {
		mode[k] *= c
	}
	return 1 / theta, mode, nil
}

// largest returns the largest eigenvalue of the symmetric tridiagonal matrix and
// its unit eigenvector.
func largest(diag, off []float64) (float64, []float64) {
	n := len(diag)
	hi := 0.0 // Gershgorin
	for i, a := range diag {
		r := math.Abs(a)
		if i > 0 {
			r += off[i-1]
		}
		if i < n-1 {
			r += off[i]
		}
		hi = math.Max(hi, r)
	}
	lo := 0.0
	// t is above all eigenvalues if every pivot of t - T is positive.
	for range 200 {
		t := (lo + hi) / 2
		if t <= lo || t >= hi {
			break
		}
		pivot, above := t-diag[0], true
		for i := 1; i < n && pivot > 0; i++ {
			pivot = t - diag[i] - off[i-1]*off[i-1]/pivot
		}
		above = pivot > 0
		if above {
			hi = t
		} else {
			lo = t
		}
	}
	// Inverse iteration just above it.
	x := make([]float64, n)
	for i := range x {
		x[i] = 1
	}
	d, o, y := make([]float64, n), make([]float64, n), make([]float64, n)
	for range 4 {
		for i := range d {
			d[i] = hi*(1+1e-15) - diag[i]
			if i < n-1 {
				o[i] = -off[i]
			}
		}
		solveTridiagonal(y, d, o, x)
		norm := 0.0
		for _, v := range y {
			norm += v * v
		}
		norm = math.Sqrt(norm)
		for i := range x {
			x[i] = y[i] / norm
		}
	}
	return hi, x
}
