package fokkerplanck

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Langevin is the Fokker-Planck equation of a diffusion that is reversible with
// respect to exp(-U), review eq. (47) with its Eps,
//
//	dp/dt = div(D (grad p + p grad U)),   D = Eps Mobility(x),
//
// the law of dX = (-D grad U + div D) dt + sqrt(2 D) dW. On the grid its steady
// state is exp(-U) at the centres of the cells, exactly, and every pair of
// neighbours is in detailed balance.
type Langevin struct {
	// Energy is U, in units of the temperature. +Inf is a wall: nothing enters.
	Energy ebmkit.Energy
	// Eps is the diffusion constant. Default 1.
	Eps float64
	// Mobility writes the symmetric matrix D(x)/Eps, row-major, into d, which is
	// zero when it is called. Default: the identity.
	Mobility func(d, x []float64)
	// MaxPeclet is the largest cell Peclet number, the difference of U between
	// neighbours, that is accepted where exp(-U) is above 1e-6 of its largest
	// value. Above 2 the grid does not see how fast the density moves, although
	// its steady state stays exact. Default 2; +Inf accepts everything.
	MaxPeclet float64
}

// Ito is the Fokker-Planck equation of dX = mu(X) dt + sigma(X) dW in the sense
// of Ito, review eq. (41),
//
//	dp/dt = -div(mu p) + sum_ij d_i d_j (D_ij p),   D = sigma sigma'/2.
//
// The review prints the case sigma = scalar times the identity.
type Ito struct {
	// Drift writes mu(x) into mu, which is zero when it is called. Default: zero.
	Drift func(mu, x []float64)
	// Diffusion writes the symmetric matrix D(x) = sigma sigma'/2, row-major,
	// into d, which is zero when it is called: sigma = 1 is D = 1/2.
	Diffusion func(d, x []float64)
	// MaxPeclet is the largest cell Peclet number |mu_j| h_j/D_jj that is
	// accepted. Above 2 the scheme becomes the upwind scheme, whose error is of
	// first order, an extra diffusion |mu_j| h_j/2. Default 2; +Inf accepts
	// everything.
	MaxPeclet float64
}

// Isotropic returns a diffusion or mobility that is d times the identity
// everywhere.
func Isotropic(d float64) func(dst, x []float64) {
	return func(dst, x []float64) {
		for j := range x {
			dst[j*len(x)+j] = d
		}
	}
}

// Generator is a Fokker-Planck equation on a grid: the rates at which mass jumps
// between neighbouring cells,
//
//	dp_k/dt = sum over neighbours i of (rate i->k) p_i - (rate k->i) p_k,
//
// by the exponentially fitted fluxes of Scharfetter and Gummel (1969). Rates are
// never negative, so densities stay positive, and what leaves a cell enters
// another, so mass stays. A mixed derivative becomes jumps to diagonal
// neighbours.
//
// A Generator is safe for concurrent use, SetEnergy and SetRestart excepted.
type Generator struct {
	grid     *Grid
	langevin Langevin
	u        []float64 // energies at the centres, nil for Ito
	dirs     []direction
	peclet   float64
	pecletAt int

	nu      float64 // rate of restarts
	restart []float64

	version int // counts the changes
}

// direction is a set of parallel links, from every cell k to next(k).
type direction struct {
	axis     int // 0, 1, or -1 for a diagonal
	sign     int // of a diagonal: +1 for (1, 1), -1 for (-1, 1)
	stride   int
	cells    int // along the axis
	periodic bool
	up, down []float64 // rate from k to next(k), and back; 0 where there is none
}

// next returns the cell at the other end of the link from k, or -1.
func (d *direction) next(g *Grid, k int) int {
	if d.axis < 0 {
		n := g.axes[0].Cells
		if i := k%n + d.sign; i < 0 || i >= n || k/n == g.axes[1].Cells-1 {
			return -1
		}
		return k + d.stride
	}
	switch i := k / d.stride % d.cells; {
	case i < d.cells-1:
		return k + d.stride
	case d.periodic:
		return k - (d.cells-1)*d.stride
	}
	return -1
}

func newGenerator(g *Grid) *Generator {
	gen := &Generator{grid: g}
	stride := 1
	for j, a := range g.axes {
		gen.dirs = append(gen.dirs, direction{axis: j, stride: stride, cells: a.Cells, periodic: a.Periodic})
		stride *= a.Cells
	}
	return gen
}

// On puts the equation on a grid. It returns *ebmkit.ArgError, naming the cell
// where there is one, if the energy is of another dimension, NaN, -Inf or +Inf
// everywhere, Eps is not positive, the mobility is not symmetric and positive,
// a mixed mobility is too large for the shape of the cells (see Ito.On), or the
// cell Peclet number exceeds MaxPeclet.
func (l Langevin) On(g *Grid) (*Generator, error) {
	const fn = "fokkerplanck.Langevin.On"
	if g == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "g", Value: nil, Want: "a grid"}
	}
	if l.Eps == 0 {
		l.Eps = 1
	}
	if !(l.Eps > 0) || math.IsInf(l.Eps, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Eps", Value: l.Eps, Want: "a positive finite number"}
	}
	var err error
	if l.MaxPeclet, err = maxPeclet(fn, l.MaxPeclet); err != nil {
		return nil, err
	}
	gen := newGenerator(g)
	gen.langevin = l
	if err := gen.setEnergy(fn, l.Energy); err != nil {
		return nil, err
	}
	return gen, nil
}

func maxPeclet(fn string, p float64) (float64, error) {
	if p == 0 {
		return 2, nil
	}
	if !(p > 0) {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "MaxPeclet", Value: p, Want: "a positive number, or 0 for the default"}
	}
	return p, nil
}

// SetEnergy replaces the energy of a Langevin equation, or reads it again after
// its parameters have changed. Every Flow of the generator goes on with the new
// one. On error, which is that of Langevin.On, nothing has changed.
func (gen *Generator) SetEnergy(e ebmkit.Energy) error {
	const fn = "fokkerplanck.Generator.SetEnergy"
	if gen.u == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "Generator", Value: "an Ito equation", Want: "a Langevin equation"}
	}
	return gen.setEnergy(fn, e)
}

func (gen *Generator) setEnergy(fn string, e ebmkit.Energy) error {
	g, l := gen.grid, gen.langevin
	u, err := g.energies(fn, "Energy", e)
	if err != nil {
		return err
	}
	least := math.Inf(1)
	for _, v := range u {
		least = math.Min(least, v)
	}
	const negligible = 13.8 // exp(-13.8) = 1e-6
	worst, worstAt := 0.0, 0
	for a := range g.axes {
		d := &gen.dirs[a]
		for k := range u {
			i := d.next(g, k)
			if i < 0 || u[k] > least+negligible || u[i] > least+negligible {
				continue
			}
			if p := math.Abs(u[i] - u[k]); p > worst {
				worst, worstAt = p, k
			}
		}
	}
	if worst > l.MaxPeclet {
		return g.tooCoarse(fn, worst, worstAt, l.MaxPeclet)
	}
	dirs, err := gen.withDiagonals(fn, "Mobility", l.Mobility)
	if err != nil {
		return err
	}
	m := newMatrices(g, l.Mobility)
	for n := range dirs {
		d := &dirs[n]
		d.up, d.down = make([]float64, g.size), make([]float64, g.size)
		for k := range u {
			i := d.next(g, k)
			if i < 0 || math.IsInf(u[k], 1) || math.IsInf(u[i], 1) {
				continue
			}
			kappa := l.Eps
			if l.Mobility == nil {
				kappa /= m.square(d)
			} else {
				at, err := m.rate(fn, "Mobility", d, m.face(d, k), nil)
				if err != nil {
					return err
				}
				kappa *= at
			}
			b, c := bernoulli(u[i] - u[k])
			d.up[k], d.down[k] = kappa*b, kappa*c
		}
	}
	gen.langevin.Energy, gen.u, gen.dirs = e, u, dirs
	gen.peclet, gen.pecletAt = worst, worstAt
	gen.version++
	return nil
}

// On puts the equation on a grid. Diffusion is a jump process on the grid only
// if it has positive rates: a mixed derivative asks for
//
//	|D_01| h_0/h_1 <= D_00   and   |D_01| h_1/h_0 <= D_11
//
// with cells of h_0 by h_1, so correlated noise may need cells of another shape.
// It returns *ebmkit.ArgError, with the cell, if that does not hold, if the
// drift is not finite, the diffusion is not symmetric and positive, or the cell
// Peclet number exceeds MaxPeclet; also for a mixed derivative with periodic
// axes.
func (s Ito) On(g *Grid) (*Generator, error) {
	const fn = "fokkerplanck.Ito.On"
	if g == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "g", Value: nil, Want: "a grid"}
	}
	if s.Diffusion == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Diffusion", Value: nil, Want: "a function, such as Isotropic(0.5)"}
	}
	limit, err := maxPeclet(fn, s.MaxPeclet)
	if err != nil {
		return nil, err
	}
	gen := newGenerator(g)
	if gen.dirs, err = gen.withDiagonals(fn, "Diffusion", s.Diffusion); err != nil {
		return nil, err
	}
	m := newMatrices(g, s.Diffusion)
	mu := make([]float64, g.Dim())
	for n := range gen.dirs {
		d := &gen.dirs[n]
		// In q = D p the flux is (mu/D) q - q', whose fitted form has the rates
		// D_k/h^2 B(-mu h/D) and, back, D_i/h^2 B(mu h/D).
		at := make([]float64, g.size) // D/h^2 at the centres
		for k := range at {
			if at[k], err = m.rate(fn, "Diffusion", d, g.point(k), nil); err != nil {
				return nil, err
			}
		}
		d.up, d.down = make([]float64, g.size), make([]float64, g.size)
		for k := range at {
			i := d.next(g, k)
			if i < 0 {
				continue
			}
			if d.axis < 0 {
				d.up[k], d.down[k] = at[k], at[i]
				continue
			}
			x, h := m.face(d, k), g.axes[d.axis].Width()
			var full float64
			face, err := m.rate(fn, "Diffusion", d, x, &full)
			if err != nil {
				return nil, err
			}
			v := 0.0
			if s.Drift != nil {
				clear(mu)
				s.Drift(mu, x)
				if v = mu[d.axis]; v-v != 0 {
					return nil, &ebmkit.ArgError{Func: fn, Arg: "Drift", Value: fmt.Sprintf("mu[%d] = %v beyond the face %s", d.axis, v, g.at(k)), Want: "a finite drift"}
				}
			}
			if p := math.Abs(v) * h / full; p > gen.peclet {
				gen.peclet, gen.pecletAt = p, k
			}
			if face == 0 { // all of the diffusion is along a diagonal
				d.up[k], d.down[k] = math.Max(v, 0)/h, math.Max(-v, 0)/h
				continue
			}
			b, c := bernoulli(-v / (h * face))
			d.up[k], d.down[k] = at[k]*b, at[i]*c
		}
	}
	if gen.peclet > limit {
		return nil, g.tooCoarse(fn, gen.peclet, gen.pecletAt, limit)
	}
	gen.version++
	return gen, nil
}

func (g *Grid) tooCoarse(fn string, p float64, k int, limit float64) error {
	return &ebmkit.ArgError{Func: fn, Arg: "grid", Value: fmt.Sprintf("cell Peclet number %.3g %s", p, g.at(k)),
		Want: fmt.Sprintf("at most MaxPeclet = %g: %.1f times as many cells along that axis, or a larger MaxPeclet", limit, math.Ceil(10*p/limit)/10)}
}

// bernoulli returns B(z) and B(-z), B(z) = z/(exp(z) - 1). Their ratio is exp(-z)
// to a few roundings, and neither loses digits near 0.
func bernoulli(z float64) (b, back float64) {
	a := math.Abs(z)
	small := 1.0
	if a > 0 {
		small = a / vmath.Expm1(a)
	}
	if z > 0 {
		return small, small + a
	}
	return small + a, small
}

// matrices evaluates a diffusion matrix and cuts it into rates along the links:
// with cells of h_0 by h_1,
//
//	D = r_0 h_0^2 e_0 e_0' + r_1 h_1^2 e_1 e_1' + r_+- (h_0, +-h_1)(h_0, +-h_1)'.
type matrices struct {
	g    *Grid
	f    func(d, x []float64)
	d, x []float64
}

func newMatrices(g *Grid, f func(d, x []float64)) *matrices {
	return &matrices{g: g, f: f, d: make([]float64, g.Dim()*g.Dim()), x: make([]float64, g.Dim())}
}

// square returns the square of the cells' width along an axis.
func (m *matrices) square(d *direction) float64 {
	h := m.g.axes[d.axis].Width()
	return h * h
}

// face returns the middle of the link from k, in a slice that the next call
// overwrites.
func (m *matrices) face(d *direction, k int) []float64 {
	copy(m.x, m.g.point(k))
	if d.axis >= 0 {
		m.x[d.axis] += m.g.axes[d.axis].Width() / 2
	} else {
		m.x[0] += float64(d.sign) * m.g.axes[0].Width() / 2
		m.x[1] += m.g.axes[1].Width() / 2
	}
	return m.x
}

// rate returns the rate along d at x, without drift, and in full, if it is not
// nil, the diagonal entry of the matrix for that axis.
func (m *matrices) rate(fn, arg string, d *direction, x []float64, full *float64) (float64, error) {
	clear(m.d)
	m.f(m.d, x)
	bad := func(want string) (float64, error) {
		where := fmt.Sprintf("at x = %.6g", x[0])
		if len(x) == 2 {
			where = fmt.Sprintf("at x = (%.6g, %.6g)", x[0], x[1])
		}
		return 0, &ebmkit.ArgError{Func: fn, Arg: arg, Value: fmt.Sprintf("%v %s", m.d, where), Want: want}
	}
	for _, v := range m.d {
		if v-v != 0 {
			return bad("finite entries")
		}
	}
	if len(x) == 1 {
		if !(m.d[0] > 0) {
			return bad("a positive diffusion")
		}
		if full != nil {
			*full = m.d[0]
		}
		return m.d[0] / m.square(d), nil
	}
	h0, h1 := m.g.axes[0].Width(), m.g.axes[1].Width()
	a, b, c := m.d[0], m.d[3], m.d[1]
	if c != m.d[2] {
		return bad("a symmetric matrix")
	}
	if !(a > 0) || !(b > 0) || c*c > a*b {
		return bad("a positive matrix")
	}
	mixed := math.Abs(c) / (h0 * h1)
	if d.axis < 0 {
		if c*float64(d.sign) <= 0 {
			return 0, nil
		}
		return mixed, nil
	}
	own := a
	if d.axis == 1 {
		own = b
	}
	if full != nil {
		*full = own
	}
	r := own/m.square(d) - mixed
	if r < 0 {
		if r > -1e-12*mixed { // equality, up to rounding
			return 0, nil
		}
		return bad(fmt.Sprintf("|d[1]| <= d[0] %.4g and |d[1]| <= d[3] %.4g: cells of another shape", h1/h0, h0/h1))
	}
	return r, nil
}

// withDiagonals returns the directions of the axes without rates, and those of
// the diagonals if the matrix has a mixed entry somewhere.
func (gen *Generator) withDiagonals(fn, arg string, f func(d, x []float64)) ([]direction, error) {
	g := gen.grid
	var dirs []direction
	for _, d := range gen.dirs {
		if d.axis >= 0 {
			d.up, d.down = nil, nil
			dirs = append(dirs, d)
		}
	}
	if g.Dim() == 1 || f == nil {
		return dirs, nil
	}
	var plus, minus bool
	d := make([]float64, 4)
	for k := range g.size {
		clear(d)
		f(d, g.point(k))
		plus = plus || d[1] > 0
		minus = minus || d[1] < 0
	}
	n := g.axes[0].Cells
	if (plus || minus) && (g.axes[0].Periodic || g.axes[1].Periodic) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: "a matrix with mixed entries on a periodic grid", Want: "reflecting axes, or a diagonal matrix"}
	}
	if plus {
		dirs = append(dirs, direction{axis: -1, sign: 1, stride: n + 1})
	}
	if minus {
		dirs = append(dirs, direction{axis: -1, sign: -1, stride: n - 1})
	}
	return dirs, nil
}

// SetRestart adds to the equation the restarts of review eq. (112): at the rate
// nu a walker is taken away and put back at a point drawn from target,
//
//	dp/dt = ... + nu (target - p).
//
// target is copied; nu = 0 removes the term. It returns *ebmkit.ArgError if nu
// is negative or not finite, or target is not a density on the grid of mass 1.
func (gen *Generator) SetRestart(nu float64, target []float64) error {
	const fn = "fokkerplanck.Generator.SetRestart"
	if !(nu >= 0) || math.IsInf(nu, 1) {
		return &ebmkit.ArgError{Func: fn, Arg: "nu", Value: nu, Want: "a finite rate of at least 0"}
	}
	if nu == 0 {
		gen.nu, gen.restart = 0, nil
		gen.version++
		return nil
	}
	if err := gen.grid.check(fn, "target", target); err != nil {
		return err
	}
	if err := gen.allowed(fn, "target", target); err != nil {
		return err
	}
	gen.nu, gen.restart = nu, append([]float64(nil), target...)
	gen.version++
	return nil
}

// allowed refuses densities with mass where U is +Inf.
func (gen *Generator) allowed(fn, arg string, p []float64) error {
	for k, u := range gen.u {
		if math.IsInf(u, 1) && p[k] > 0 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d]", arg, k), Value: p[k], Want: "0 where U is +Inf, " + gen.grid.at(k)}
		}
	}
	return nil
}

// Grid returns the grid.
func (gen *Generator) Grid() *Grid { return gen.grid }

// Peclet returns the largest cell Peclet number and the centre of the cell below
// its face: |mu| h/D of an Ito equation over all faces; of a Langevin equation
// the difference of U between neighbours, over those where exp(-U) is above 1e-6
// of its largest value.
func (gen *Generator) Peclet() (number float64, at []float64) {
	return gen.peclet, append([]float64(nil), gen.grid.point(gen.pecletAt)...)
}

// Rates calls f for every pair of neighbours i and k with the rate of jumps from
// i to k and back, not counting restarts.
func (gen *Generator) Rates(f func(i, k int, there, back float64)) {
	for n := range gen.dirs {
		d := &gen.dirs[n]
		for k := range d.up {
			if d.up[k] != 0 || d.down[k] != 0 {
				f(k, d.next(gen.grid, k), d.up[k], d.down[k])
			}
		}
	}
}

// Apply writes dp/dt into dst. It panics on a wrong length; dst must not overlap
// p.
func (gen *Generator) Apply(dst, p []float64) {
	gen.grid.must("Apply", p)
	gen.grid.must("Apply", dst)
	clear(dst)
	gen.Rates(func(i, k int, there, back float64) {
		flow := there*p[i] - back*p[k]
		dst[i] -= flow
		dst[k] += flow
	})
	for k, r := range gen.restart {
		dst[k] += gen.nu * (r - p[k])
	}
}

// Current writes the probability current J at the centres of the cells,
// row-major as Points, into dst (allocated if nil): half the sum of the flows
// over the links of a cell, each times its length,
//
//	dp/dt = -div J.
//
// At a reflecting end only one face of a cell counts. It panics on a wrong
// length.
func (gen *Generator) Current(dst, p []float64) []float64 {
	g := gen.grid
	g.must("Current", p)
	dim := g.Dim()
	if dst == nil {
		dst = make([]float64, g.size*dim)
	}
	if len(dst) != g.size*dim {
		panic("fokkerplanck: Generator.Current: dst needs a row for each cell")
	}
	clear(dst)
	for n := range gen.dirs {
		d := &gen.dirs[n]
		for k := range d.up {
			i := d.next(g, k)
			if i < 0 {
				continue
			}
			flow := (d.up[k]*p[k] - d.down[k]*p[i]) / 2
			for j, a := range g.axes {
				step := a.Width()
				switch {
				case d.axis < 0 && j == 0:
					step *= float64(d.sign)
				case d.axis >= 0 && d.axis != j:
					continue
				}
				dst[k*dim+j] += flow * step
				dst[i*dim+j] += flow * step
			}
		}
	}
	return dst
}

// KLRate returns the derivative of KL(p, q) in time as p moves and q stays,
// review eq. (48),
//
//	sum_k V (dp_k/dt) log(p_k/q_k).
//
// If q is the steady state of a Langevin equation with constant Eps it is
// -Eps Fisher(p, q), review eq. (50), up to an error of the order of the square
// of the cells' width, and it is never positive. It is -Inf where mass enters a
// cell with p = 0, and +Inf if q is zero where p is not.
func (gen *Generator) KLRate(p, q []float64) float64 {
	g := gen.grid
	g.must("KLRate", p)
	g.must("KLRate", q)
	ratio := make([]float64, g.size)
	for k, v := range p {
		switch d := v - q[k]; {
		case q[k] == 0 && v > 0:
			return math.Inf(1)
		case q[k] == 0: // neither has mass there, nor has the divergence
		case math.Abs(d) < 0.5*q[k]:
			ratio[k] = vmath.Log1p(d / q[k])
		default:
			ratio[k] = vmath.Log(v) - vmath.Log(q[k])
		}
	}
	sum := 0.0
	gen.Rates(func(i, k int, there, back float64) {
		if flow := there*p[i] - back*p[k]; flow != 0 {
			sum += flow * (ratio[k] - ratio[i])
		}
	})
	for k, r := range gen.restart {
		if gain := gen.nu * (r - p[k]); gain != 0 {
			sum += gain * ratio[k]
		}
	}
	return g.volume * sum
}
