package freeenergy

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// AIS is annealed importance sampling (Neal, 2001): walkers start as exact draws
// of the reference, and are led to the target through the laws of a path,
//
//	log w = sum_k [U_k(x_k) - U_{k+1}(x_k)],   E[w] = Z(1)/Z(0),
//
// x_k to x_{k+1} by a kernel that leaves exp(-U_{k+1}) invariant. With mcmc.ULA
// the weights are corrected as Jarzynski says. E[w] is exact for any schedule;
// a fast one only makes the weights spread.
//
// The kernel is bound once per block of walkers, to an energy that follows the
// path, and started again after each change of lambda. A Method that knows the
// energies of a path finds the present one as Inner()[0] of its target.
type AIS struct {
	Lambdas []float64   // schedule from 0 to 1, as freeenergy.Linear(1000) gives
	Method  mcmc.Method // kernel; may be nil for the schedule {0, 1}, which needs none
	Moves   int         // transitions at each inner lambda; 0 means 1
	Path    Path        // from the reference to the target; nil means Geometric
}

// Run estimates log Z of to from cfg.Samples trajectories that start at from,
// which must know its log Z and, unless cfg.Start is given, have a sampler.
// Block b of ebmkit.BlockRows trajectories uses the stream (Seed, "anneal", b).
//
// The mean of Lower is below log Z. Errors are *ebmkit.ArgError for arguments
// that do not fit (among them a Path whose ends are not from and to, so that
// the walkers would not start in equilibrium), *ebmkit.DivergedError if a
// kernel runs away, and ctx.Err() if ctx ends first.
func (m AIS) Run(ctx context.Context, from, to ebmkit.Energy, cfg Config) (*Report, error) {
	return m.run(ctx, from, to, cfg, false)
}

// Reverse estimates log Z of to from trajectories that go back from exact draws
// of to, or from cfg.Start, to from. The mean of Upper is above log Z. Where
// from is wider than to the weights of the way back have heavy tails; with KHat
// near 0.5 or above, the standard error is too small. The stream is named "anneal
// back"; errors are those of Run.
func (m AIS) Reverse(ctx context.Context, from, to ebmkit.Energy, cfg Config) (*Report, error) {
	return m.run(ctx, from, to, cfg, true)
}

func (m AIS) run(ctx context.Context, from, to ebmkit.Energy, cfg Config, back bool) (*Report, error) {
	const fn = "freeenergy.AIS"
	logZ0, err := reference(fn, from, to)
	if err != nil {
		return nil, err
	}
	p, err := ends(fn, m.Path, from, to)
	if err != nil {
		return nil, err
	}
	r, err := (&protocol{fn: fn, path: p, lambdas: m.Lambdas, method: m.Method, moves: m.Moves, start: from, end: to}).run(ctx, cfg, back)
	if err != nil {
		return nil, err
	}
	r.shift(logZ0)
	return r, nil
}

// reference returns log Z of the energy from.
func reference(fn string, from, to ebmkit.Energy) (float64, error) {
	if from == nil || to == nil {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "from and to", Value: nil, Want: "two energies"}
	}
	if from.Dim() != to.Dim() {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "to.Dim()", Value: to.Dim(), Want: fmt.Sprintf("%d, as from", from.Dim())}
	}
	norm, ok := from.(ebmkit.Normalized)
	if !ok {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "from", Value: ebmkit.TypeName(from), Want: "an energy with known log Z"}
	}
	return norm.LogZ(), nil
}

// ends returns the path from from to to: Geometric if p is nil, else p if its
// ends are the two energies at a few points.
func ends(fn string, p Path, from, to ebmkit.Energy) (Path, error) {
	if p == nil {
		return Geometric{from, to}, nil
	}
	at, err := p.Walk()
	if err != nil {
		return nil, err
	}
	if p.Dim() != from.Dim() {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Path.Dim()", Value: p.Dim(), Want: fmt.Sprintf("%d, as from", from.Dim())}
	}
	x := make([]float64, from.Dim())
	s := ebmkit.NewStream(0, "ends", 0)
	for i, e := range []ebmkit.Energy{from, to} {
		lambda := float64(i)
		draw, ok := e.(ebmkit.Sampler)
		if !ok {
			continue // a point of its support is not known
		}
		on := at(lambda)
		for range 3 {
			draw.Sample(x, s)
			if want, got := e.Energy(x), on.Energy(x); !(math.Abs(got-want) <= 1e-9*(1+math.Abs(want))) {
				return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Path at lambda = %g", lambda), Value: fmt.Sprintf("energy %g where the end has %g", got, want),
					Want: "the energies from and to at the ends, or the walkers do not start in equilibrium"}
			}
		}
	}
	return p, nil
}

// Jarzynski estimates a ratio of partition functions by driving walkers, which
// start in equilibrium, along a path in finite time (Jarzynski, 1997):
//
//	E[exp(-W)] = Z(1)/Z(0),   so that <W> >= -log Z(1)/Z(0).
//
// With mcmc.ULA{Step: h} it drives the unadjusted Langevin walkers of review eq.
// (84) and corrects the work for their discretisation (Carbone, Hua, Coste and
// Vanden-Eijnden, 2023), so that the equality is exact for every h:
//
//	x' = x - h g + sqrt(2h) xi,   g = grad U_k(x),  g' = grad U_{k+1}(x')
//	-W += U_k(x) + (x'-x).g/2 + h|g|^2/4 - [U_{k+1}(x') + (x-x').g'/2 + h|g'|^2/4].
//
// Any other Method must leave its target invariant; then the energy is changed
// first, and the walkers move by Moves transitions, except after the last change.
type Jarzynski struct {
	Path    Path
	Lambdas []float64   // the protocol from 0 to 1, as freeenergy.Linear(200) gives
	Method  mcmc.Method // mcmc.ULA, OU, or a kernel that leaves its target invariant
	Moves   int         // transitions after each change of lambda; 0 means 1; always 1 with ULA
}

// Run drives cfg.Samples walkers from lambda = 0 to 1 and reports the log of
// Z(1)/Z(0) as LogZ, minus the free-energy difference; LogW is -W, and Lower is
// -<W>. The energy at 0 must have a sampler unless cfg.Start is given. Streams
// and errors are those of AIS.
func (m Jarzynski) Run(ctx context.Context, cfg Config) (*Report, error) {
	return m.protocol().run(ctx, cfg, false)
}

// Reverse drives the walkers from equilibrium at lambda = 1 back to 0 by the
// same protocol read backwards. It reports the same quantity as Run; LogW is
// the work W of the way back, and Upper is its mean. By Crooks' theorem the
// densities of LogW in the two directions have the ratio exp(LogZ - LogW),
// forward over reverse, if the kernel is reversible or ULA.
func (m Jarzynski) Reverse(ctx context.Context, cfg Config) (*Report, error) {
	return m.protocol().run(ctx, cfg, true)
}

func (m Jarzynski) protocol() *protocol {
	return &protocol{fn: "freeenergy.Jarzynski", path: m.Path, lambdas: m.Lambdas, method: m.Method, moves: m.Moves}
}

// protocol is what AIS and Jarzynski have in common.
type protocol struct {
	fn         string
	path       Path
	lambdas    []float64
	method     mcmc.Method
	moves      int
	start, end ebmkit.Energy // whose samplers are used, nil: those of the path

	from    ebmkit.Sampler // nil with Config.Start
	name    string
	cfg     Config
	dim     int
	rows    int // of a block
	logW    []float64
	evals   []int
	observe func(block *ebmkit.Ensemble, m *moving, k, move, first int) // after each transition at lambdas[k], which then include both ends; nil if nobody looks
}

func (p *protocol) run(ctx context.Context, cfg Config, back bool) (*Report, error) {
	if err := p.prepare(cfg, back); err != nil {
		return nil, err
	}
	if err := p.walk(ctx); err != nil {
		return nil, err
	}
	summarise := ReportOf
	if back {
		summarise = reverseReport
	}
	r, err := summarise(p.logW)
	if err != nil {
		return nil, err
	}
	r.Evals = p.cost()
	return r, nil
}

func (p *protocol) cost() (n int) {
	for _, e := range p.evals {
		n += e
	}
	return n
}

// prepare checks everything that can be checked before a walker moves.
func (p *protocol) prepare(cfg Config, back bool) error {
	if p.path == nil {
		return &ebmkit.ArgError{Func: p.fn, Arg: "Path", Value: nil, Want: "a path, as in freeenergy.StiffnessChange{D: 1, From: 1, To: 4}"}
	}
	if err := checkSchedule(p.fn, p.lambdas); err != nil {
		return err
	}
	if p.moves == 0 {
		p.moves = 1
	}
	if p.moves < 1 {
		return &ebmkit.ArgError{Func: p.fn, Arg: "Moves", Value: p.moves, Want: "at least 1"}
	}
	if cfg.Samples < 2 {
		return &ebmkit.ArgError{Func: p.fn, Arg: "Samples", Value: cfg.Samples, Want: "at least 2"}
	}
	if p.method == nil && len(p.lambdas) > 2 {
		return &ebmkit.ArgError{Func: p.fn, Arg: "Method", Value: nil, Want: "a kernel, as in mcmc.MALA{Step: 0.1}"}
	}
	switch u := p.method.(type) {
	case mcmc.Underdamped:
		return &ebmkit.ArgError{Func: p.fn, Arg: "Method", Value: ebmkit.TypeName(u), Want: "a kernel that leaves its target invariant, or mcmc.ULA, whose work is corrected"}
	case mcmc.ULA:
		if p.moves != 1 {
			return &ebmkit.ArgError{Func: p.fn, Arg: "Moves", Value: p.moves, Want: "1 with mcmc.ULA (take more values of lambda)"}
		}
	}
	p.cfg, p.name = cfg, "anneal"
	if back {
		p.name = "anneal back"
		l := make([]float64, len(p.lambdas))
		for i := range l {
			l[i] = p.lambdas[len(l)-1-i]
		}
		p.lambdas = l
		p.start, p.end = p.end, p.start
	}
	at, err := p.path.Walk()
	if err != nil {
		return err
	}
	p.dim = p.path.Dim()
	first := p.start
	if first == nil {
		first = at(p.lambdas[0])
	}
	if cfg.Start != nil {
		if err := inEquilibrium(p.fn, cfg, first, p.dim); err != nil {
			return err
		}
	} else if s, ok := first.(ebmkit.Sampler); ok {
		p.from = s
	} else {
		return &ebmkit.ArgError{Func: p.fn, Arg: fmt.Sprintf("energy at lambda = %g", p.lambdas[0]), Value: ebmkit.TypeName(first),
			Want: "an energy with an exact sampler, or Config.Start"}
	}
	p.rows = ebmkit.BlockRows
	if b, ok := p.method.(interface{ BlockRows() int }); ok {
		p.rows = b.BlockRows()
	}
	p.logW = make([]float64, cfg.Samples)
	p.evals = make([]int, (cfg.Samples+p.rows-1)/p.rows)
	return nil
}

// inEquilibrium returns an error if the points of cfg.Start do not fit, have
// probability zero, or have means or variances, where e knows them, that are
// not those of its law.
func inEquilibrium(fn string, cfg Config, e ebmkit.Energy, d int) error {
	in := cfg.Start
	if in.Dim != d || in.N != cfg.Samples || len(in.X) != in.N*d {
		return &ebmkit.ArgError{Func: fn, Arg: "Config.Start", Value: fmt.Sprintf("%d points of dimension %d (%d numbers)", in.N, in.Dim, len(in.X)),
			Want: fmt.Sprintf("%d points of dimension %d", cfg.Samples, d)}
	}
	u := make([]float64, in.N)
	ebmkit.NewEvaluator(e).EnergyGrad(u, nil, in.X)
	for i, v := range u {
		if !finite(v) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("energy at Config.Start, point %d", i), Value: v, Want: "a finite number"}
		}
	}
	law, ok := e.(ebmkit.Moments)
	if !ok || in.N < 100 {
		return nil
	}
	// Of a Gaussian the errors of mean and variance are known. Of another law the
	// points may not show the rare ones that make its moments: then only too large
	// a variance speaks against them.
	normal := false
	switch e.(type) {
	case energy.Normal, *harmonic:
		normal = true
	}
	mean, cov := law.Mean(nil), law.Cov(nil)
	root := math.Sqrt(float64(in.N))
	const limit = 7 // standard errors
	for j := range d {
		c, v := in.Col(j), cov[j*d+j]
		m := ebmkit.MeanOf(c)
		z := (m.Value - mean[j]) / max(m.SE, math.Sqrt(v)/root)
		if math.Abs(z) > limit {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("mean of Config.Start, coordinate %d", j), Value: fmt.Sprintf("%.3g, %.3g standard errors from %g", m.Value, z, mean[j]),
				Want: "points in equilibrium at the start of the path"}
		}
		for i := range c {
			c[i] = (c[i] - mean[j]) * (c[i] - mean[j])
		}
		s := ebmkit.MeanOf(c)
		if normal {
			s.SE = v * math.Sqrt2 / root
		}
		if z := s.Z(v); z > limit || normal && z < -limit {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("variance of Config.Start, coordinate %d", j), Value: fmt.Sprintf("%.3g, %.3g standard errors from %g", s.Value, z, v),
				Want: "points in equilibrium at the start of the path"}
		}
	}
	return nil
}

// walk leads all blocks along the schedule.
func (p *protocol) walk(ctx context.Context) error {
	errs := make([]error, len(p.evals))
	err := par.For(ctx, len(errs), func(b int) { errs[b] = p.block(ctx, b) })
	for _, e := range errs {
		if e != nil && !errors.Is(e, context.Canceled) && !errors.Is(e, context.DeadlineExceeded) {
			return e
		}
	}
	return err
}

func (p *protocol) block(ctx context.Context, b int) error {
	lo := b * p.rows
	n := min(p.rows, p.cfg.Samples-lo)
	m, err := follow(p.path, p.lambdas[0], n)
	if err != nil {
		return err
	}
	s := ebmkit.NewStream(p.cfg.Seed, p.name, b)
	ens := &ebmkit.Ensemble{N: n, Dim: p.dim, X: make([]float64, n*p.dim)}
	if p.from == nil {
		copy(ens.X, p.cfg.Start.X[lo*p.dim:])
	} else {
		// The sampler may share its state with other blocks of a path; draw from
		// this block's own energy where the path provides it.
		from := p.from
		if p.start == nil {
			from = m.now.(ebmkit.Sampler)
		}
		for i := range n {
			from.Sample(ens.Row(i), s)
		}
	}
	logW := p.logW[lo : lo+n]
	if ula, ok := p.method.(mcmc.ULA); ok && p.observe == nil {
		err = p.langevin(ctx, ens, m, ula.Step, logW, s)
	} else {
		err = p.jumps(ctx, ens, m, logW, s, lo)
	}
	if err == nil {
		err = onStates(p.fn, p.end, ens)
	}
	p.evals[b] = m.evals
	if err != nil {
		return p.located(err, lo)
	}
	for i, l := range logW {
		if math.IsNaN(l) || math.IsInf(l, 1) {
			return &ebmkit.ArgError{Func: p.fn, Arg: fmt.Sprintf("log-weight of trajectory %d", lo+i), Value: l, Want: "energies that are never NaN or -Inf"}
		}
	}
	return nil
}

func (p *protocol) located(err error, lo int) error {
	var d *ebmkit.DivergedError
	if errors.As(err, &d) && d.Walker >= 0 {
		d.Walker += lo
	}
	return err
}

// jumps changes lambda and lets the kernel move, by turns.
func (p *protocol) jumps(ctx context.Context, ens *ebmkit.Ensemble, m *moving, logW []float64, s *ebmkit.Stream, lo int) error {
	var kernel mcmc.Kernel
	last := len(p.lambdas) - 1
	for k := range p.lambdas {
		if err := ctx.Err(); err != nil {
			return err
		}
		if k > 0 {
			m.change(logW, p.lambdas[k], ens.X)
		}
		if (k == 0 || k == last) && p.observe == nil {
			continue
		}
		if kernel == nil {
			var err error
			if kernel, err = p.method.Bind(m.target(), ens.N); err != nil {
				return err
			}
		}
		if err := kernel.Start(ens, s); err != nil {
			return err
		}
		for move := range p.moves {
			if _, err := kernel.Advance(ens, s); err != nil {
				var d *ebmkit.DivergedError
				if errors.As(err, &d) {
					d.Step = k*p.moves + move
				}
				return err
			}
			if p.observe != nil {
				p.observe(ens, m, k, move, lo)
			}
		}
	}
	return nil
}

// langevin is the protocol with ULA. With t = g + g' the increment of -W is
//
//	U_k(x) - U_{k+1}(x') + sqrt(2h) xi.t/2 - h |t|^2/4.
func (p *protocol) langevin(ctx context.Context, ens *ebmkit.Ensemble, m *moving, h float64, logW []float64, s *ebmkit.Stream) error {
	if err := positive(p.fn, "Method.Step", h); err != nil {
		return err
	}
	if _, err := ebmkit.Gradient(p.fn, "Path", m.target()); err != nil {
		return err
	}
	n, d := ens.N, ens.Dim
	u, next := make([]float64, n), make([]float64, n)
	g, t, xi := make([]float64, n*d), make([]float64, n*d), make([]float64, n*d)
	sd := math.Sqrt(2 * h)
	m.ev.EnergyGrad(u, g, ens.X)
	tile := n // rows at a time: few enough that what they need stays in the first cache
	if d <= 128 {
		tile = min(n, max(8, 512/d))
	}
	for k, lambda := range p.lambdas[1:] {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.to(lambda)
		for r := 0; r < n; r += tile {
			top := min(r+tile, n)
			lo, hi := r*d, top*d
			s.FillNormal(xi[lo:hi])
			vmath.Axpy(ens.X[lo:hi], -h, g[lo:hi])
			vmath.Axpy(ens.X[lo:hi], sd, xi[lo:hi])
			m.ev.EnergyGrad(next[r:top], t[lo:hi], ens.X[lo:hi])
			vmath.Axpy(g[lo:hi], 1, t[lo:hi]) // g now holds the sum, t the new gradient
			for i := r; i < top; i++ {
				sum := g[i*d : (i+1)*d]
				logW[i] += u[i] - next[i] + sd*vmath.Dot(xi[i*d:(i+1)*d], sum)/2 - h*vmath.Dot(sum, sum)/4
				if !finite(logW[i]) {
					return &ebmkit.DivergedError{Func: p.fn, Step: k, Walker: i, Value: logW[i], Hint: "take a smaller Step of mcmc.ULA"}
				}
			}
		}
		g, t, u, next = t, g, next, u
	}
	return nil
}
