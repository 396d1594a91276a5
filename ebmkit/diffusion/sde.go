package diffusion

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// SDE is a stochastic differential equation in the sense of Ito, review
// eq. (40),
//
//	dX = Drift(X, t) dt + sigma(X, t) dW,
//
// with sigma = Noise(t) I, or Sigma, a matrix that depends on the position. With
// neither it is the ordinary equation dX/dt = Drift.
type SDE struct {
	Drift ebmkit.Field
	// Noise returns g(t), the same in all directions and at all positions.
	Noise func(t float64) float64
	// Sigma writes the d x d matrix sigma(x, t), row-major, into dst. It must be
	// safe for concurrent calls. For the scheme EulerMaruyama only.
	Sigma func(dst []float64, t float64, x []float64)
}

// Scheme is a way to step an SDE or an ordinary equation.
type Scheme int

const (
	// EulerMaruyama is x' = x + h f + sigma sqrt|h| xi, of weak order 1 (and
	// Euler's method without noise).
	EulerMaruyama Scheme = iota
	// Heun evaluates the drift twice,
	//
	//	y = x + h f(x, t) + n,   x' = x + h/2 (f(x, t) + f(y, t+h)) + n,
	//	n = sqrt(|h| (g(t)^2 + g(t+h)^2)/2) xi,
	//
	// of weak order 2 if the noise is Noise; without noise it is Heun's method.
	Heun
	// RK4 is the classical Runge-Kutta method of order 4, without noise only.
	RK4
)

// String returns the name of the scheme.
func (s Scheme) String() string {
	switch s {
	case EulerMaruyama:
		return "EulerMaruyama"
	case Heun:
		return "Heun"
	case RK4:
		return "RK4"
	}
	return fmt.Sprintf("Scheme(%d)", int(s))
}

// Config says how many walkers run along which times.
type Config struct {
	Walkers int // at least 1
	// Times is the grid, rising or falling. Along falling times the equation is
	// that of review eq. (56), with ds negative and noise of variance |ds|.
	Times  []float64
	Scheme Scheme
	// Every keeps the states at the start, after every so many steps, and at the
	// end. 0: at the end only.
	Every int
	// Init is where the walkers start: one row per walker, or one row for all.
	// nil means N(0, I), from the stream "init".
	Init *ebmkit.Ensemble
	Seed uint64 // same seed, same bits, on any number of cores
	// Progress, if not nil, is called now and then with the number of steps done
	// and the total. It must not change anything.
	Progress func(done, total int)
}

// Uniform returns steps+1 equidistant times, from and to included. It returns
// nil, which Run refuses, if steps < 1.
func Uniform(from, to float64, steps int) []float64 {
	if steps < 1 {
		return nil
	}
	t := make([]float64, steps+1)
	for i := range t {
		t[i] = from + (to-from)*float64(i)/float64(steps)
	}
	t[steps] = to
	return t
}

// Path is an ensemble at the times that were kept, in memory
// [time][walker][dim].
type Path struct {
	Times  []float64
	N, Dim int
	X      []float64 // len(Times)*N*Dim
}

// At returns the state at Times[k], sharing memory with the path.
func (p *Path) At(k int) *ebmkit.Ensemble {
	w := p.N * p.Dim
	return &ebmkit.Ensemble{N: p.N, Dim: p.Dim, X: p.X[k*w : (k+1)*w]}
}

// Last returns the last state, sharing memory with the path. It panics if the
// path is empty.
func (p *Path) Last() *ebmkit.Ensemble { return p.At(len(p.Times) - 1) }

// Trace returns a new slice with coordinate j of walker w, one number a time.
func (p *Path) Trace(w, j int) []float64 {
	if w < 0 || w >= p.N || j < 0 || j >= p.Dim {
		panic("diffusion: Path.Trace: no such walker or coordinate")
	}
	tr := make([]float64, len(p.Times))
	for k := range tr {
		tr[k] = p.X[(k*p.N+w)*p.Dim+j]
	}
	return tr
}

// Bend says how far the paths are from straight lines at constant speed, by
// steps between the kept times,
//
//	sum over walkers of integral |dX/dt - V|^2 dt / sum over walkers of |V|^2 T,
//
// with V = (X_last - X_first)/T the mean velocity of a walker and T the length of
// time: 0 if one step of Euler's method does the whole way, and 1 if the integral
// of |dX/dt|^2 is twice the least. It is NaN if nobody moves. It panics if fewer
// than two times were kept.
func (p *Path) Bend() float64 {
	n := len(p.Times) - 1
	if n < 1 {
		panic("diffusion: Path.Bend: fewer than two times")
	}
	total := p.Times[n] - p.Times[0]
	var bend, straight float64
	for i := range p.N * p.Dim {
		x := p.Trace(i/p.Dim, i%p.Dim)
		v := (x[n] - x[0]) / total
		for k := range n {
			h := p.Times[k+1] - p.Times[k]
			off := (x[k+1]-x[k])/h - v
			bend += off * off * h
		}
		straight += v * v * total
	}
	return bend / straight
}

// Run simulates the equation. Rows are cut into blocks of ebmkit.BlockRows,
// each with its own stream.
//
// If ctx ends, Run returns the states that all walkers have reached together
// with ctx's error. If a walker is no longer finite it returns the same with
// *ebmkit.DivergedError, which names step and walker. Bad arguments give
// *ebmkit.ArgError and no path.
func (e SDE) Run(ctx context.Context, cfg Config) (*Path, error) {
	const fn = "diffusion.SDE.Run"
	if err := e.check(fn, cfg); err != nil {
		return nil, err
	}
	start, err := initial(fn, e.Drift.Dim(), cfg)
	if err != nil {
		return nil, err
	}
	kept := keptSteps(len(cfg.Times)-1, cfg.Every)
	r := &run{sde: e, cfg: cfg, ens: start}
	r.bind()
	p := &Path{N: start.N, Dim: start.Dim, X: make([]float64, 0, len(kept)*len(start.X))}
	for _, step := range kept {
		if err := r.to(ctx, step); err != nil {
			return p, err
		}
		p.Times = append(p.Times, cfg.Times[step])
		p.X = append(p.X, start.X...)
	}
	return p, nil
}

func (e SDE) check(fn string, cfg Config) error {
	if err := wantField(fn, "SDE.Drift", e.Drift, 0); err != nil {
		return err
	}
	noisy := e.Noise != nil || e.Sigma != nil
	switch {
	case e.Noise != nil && e.Sigma != nil:
		return &ebmkit.ArgError{Func: fn, Arg: "SDE.Sigma", Value: "set", Want: "nil where Noise is set"}
	case cfg.Scheme < EulerMaruyama || cfg.Scheme > RK4:
		return &ebmkit.ArgError{Func: fn, Arg: "Config.Scheme", Value: cfg.Scheme, Want: "EulerMaruyama, Heun or RK4"}
	case cfg.Scheme == Heun && e.Sigma != nil:
		return &ebmkit.ArgError{Func: fn, Arg: "Config.Scheme", Value: cfg.Scheme, Want: "EulerMaruyama, because the noise depends on the position"}
	case cfg.Scheme == RK4 && noisy:
		return &ebmkit.ArgError{Func: fn, Arg: "Config.Scheme", Value: cfg.Scheme, Want: "EulerMaruyama or Heun, because there is noise"}
	case cfg.Walkers < 1:
		return &ebmkit.ArgError{Func: fn, Arg: "Config.Walkers", Value: cfg.Walkers, Want: "at least 1"}
	case cfg.Every < 0:
		return &ebmkit.ArgError{Func: fn, Arg: "Config.Every", Value: cfg.Every, Want: "at least 0"}
	}
	if err := wantTimes(fn, "Config.Times", cfg.Times); err != nil {
		return err
	}
	if e.Noise == nil {
		return nil
	}
	for i, t := range cfg.Times {
		if i == len(cfg.Times)-1 && cfg.Scheme == EulerMaruyama {
			break // not used
		}
		if g := e.Noise(t); !(g >= 0) || math.IsInf(g, 1) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("SDE.Noise(%g)", t), Value: g, Want: "a finite number, at least 0"}
		}
	}
	return nil
}

// initial returns the walkers at the start.
func initial(fn string, d int, cfg Config) (*ebmkit.Ensemble, error) {
	ens, err := ebmkit.NewEnsemble(cfg.Walkers, d)
	if err != nil {
		return nil, err
	}
	in := cfg.Init
	if in == nil {
		for lo := 0; lo < ens.N; lo += ebmkit.BlockRows {
			hi := min(lo+ebmkit.BlockRows, ens.N)
			ebmkit.NewStream(cfg.Seed, "init", lo/ebmkit.BlockRows).FillNormal(ens.X[lo*d : hi*d])
		}
		return ens, nil
	}
	if err := wantPoints(fn, "Config.Init", in, d); err != nil {
		return nil, err
	}
	switch in.N {
	case ens.N:
		copy(ens.X, in.X)
	case 1:
		for i := range ens.N {
			copy(ens.Row(i), in.X)
		}
	default:
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Config.Init.N", Value: in.N, Want: fmt.Sprintf("1 or %d, the number of walkers", ens.N)}
	}
	return ens, nil
}

// keptSteps returns the numbers of the steps after which the state is kept.
func keptSteps(total, every int) []int {
	if every == 0 {
		return []int{total}
	}
	var kept []int
	for s := 0; s < total; s += every {
		kept = append(kept, s)
	}
	return append(kept, total)
}

// run is a simulation on its way.
type run struct {
	sde    SDE
	cfg    Config
	ens    *ebmkit.Ensemble
	blocks []block
	step   int // steps done
}

// block is a fixed set of walkers with its own stream and its own scratch. Only
// one goroutine at a time touches it.
type block struct {
	lo     int // first walker
	x      []float64
	stream *ebmkit.Stream
	xi     []float64
	step   stepper
	err    error
}

func (r *run) bind() {
	d := r.ens.Dim
	r.blocks = make([]block, (r.ens.N+ebmkit.BlockRows-1)/ebmkit.BlockRows)
	for i := range r.blocks {
		b := &r.blocks[i]
		b.lo = i * ebmkit.BlockRows
		b.x = r.ens.X[b.lo*d : min(b.lo+ebmkit.BlockRows, r.ens.N)*d]
		b.stream = ebmkit.NewStream(r.cfg.Seed, "sde", i)
		if r.sde.Noise != nil || r.sde.Sigma != nil {
			b.xi = make([]float64, len(b.x))
		}
		b.step = newStepper(r.sde, r.cfg.Scheme, len(b.x))
	}
}

// to runs every block up to step last.
func (r *run) to(ctx context.Context, last int) error {
	total := len(r.cfg.Times) - 1
	for r.step < last {
		next := last
		if r.cfg.Progress != nil {
			next = min(last, r.step+1+total/50)
		}
		par.For(ctx, len(r.blocks), func(i int) { r.blocks[i].advance(ctx, r, next) })
		if err := r.failure(ctx); err != nil {
			return err
		}
		r.step = next
		if r.cfg.Progress != nil {
			r.cfg.Progress(next, total)
		}
	}
	return ctx.Err()
}

// failure returns the error of the block that stopped first, or ctx's.
func (r *run) failure(ctx context.Context) error {
	var first *ebmkit.DivergedError
	for i := range r.blocks {
		var d *ebmkit.DivergedError
		if errors.As(r.blocks[i].err, &d) && (first == nil || d.Step < first.Step) {
			first = d
		}
	}
	if first != nil {
		return first
	}
	return ctx.Err()
}

func (b *block) advance(ctx context.Context, r *run, last int) {
	for s := r.step; s < last; s++ {
		if b.err = ctx.Err(); b.err != nil {
			return
		}
		if b.xi != nil {
			b.stream.FillNormal(b.xi)
		}
		b.step.advance(b.x, r.cfg.Times[s], r.cfg.Times[s+1], b.xi)
		if i := notFinite(b.x); i >= 0 {
			b.err = &ebmkit.DivergedError{Func: "diffusion.SDE.Run", Step: s, Walker: b.lo + i/r.ens.Dim, Value: b.x[i],
				Hint: "take more steps, or stop before the drift becomes singular"}
			return
		}
	}
}

// notFinite returns the index of the first entry that is not finite, or -1.
func notFinite(x []float64) int {
	// A sum is finite unless a term is not, or it overflows.
	if s := vmath.Sum(x); s-s == 0 {
		return -1
	}
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return -1
}

// stepper moves rows from one time to another. It owns its scratch.
type stepper struct {
	sde    SDE
	scheme Scheme
	f      [4][]float64 // drifts
	y      []float64
	sigma  []float64
}

func newStepper(e SDE, scheme Scheme, n int) stepper {
	s := stepper{sde: e, scheme: scheme}
	drifts := map[Scheme]int{EulerMaruyama: 1, Heun: 2, RK4: 4}[scheme]
	for i := range drifts {
		s.f[i] = make([]float64, n)
	}
	if scheme != EulerMaruyama {
		s.y = make([]float64, n)
	}
	if e.Sigma != nil {
		s.sigma = make([]float64, e.Drift.Dim()*e.Drift.Dim())
	}
	return s
}

// advance moves the rows x from time t to time u with the standard normal
// numbers xi (nil without noise).
func (s *stepper) advance(x []float64, t, u float64, xi []float64) {
	h := u - t
	switch s.scheme {
	case EulerMaruyama:
		s.sde.Drift.At(s.f[0], t, x)
		if s.sigma != nil {
			s.scatter(x, t, h, xi)
			return
		}
		vmath.Axpy(x, h, s.f[0])
		if xi != nil {
			vmath.Axpy(x, s.sde.Noise(t)*math.Sqrt(math.Abs(h)), xi)
		}
	case Heun:
		s.sde.Drift.At(s.f[0], t, x)
		copy(s.y, x)
		vmath.Axpy(s.y, h, s.f[0])
		if xi != nil {
			g0, g1 := s.sde.Noise(t), s.sde.Noise(u)
			g := math.Sqrt(math.Abs(h) * (g0*g0 + g1*g1) / 2)
			vmath.Axpy(s.y, g, xi)
			vmath.Axpy(x, g, xi)
		}
		s.sde.Drift.At(s.f[1], u, s.y)
		vmath.Axpy(x, h/2, s.f[0])
		vmath.Axpy(x, h/2, s.f[1])
	case RK4:
		at := func(k int, c, t float64) {
			copy(s.y, x)
			vmath.Axpy(s.y, c, s.f[k-1])
			s.sde.Drift.At(s.f[k], t, s.y)
		}
		s.sde.Drift.At(s.f[0], t, x)
		at(1, h/2, t+h/2)
		at(2, h/2, t+h/2)
		at(3, h, u)
		for k, c := range [4]float64{h / 6, h / 3, h / 3, h / 6} {
			vmath.Axpy(x, c, s.f[k])
		}
	}
}

// scatter is a step of Euler and Maruyama with a matrix of the position.
func (s *stepper) scatter(x []float64, t, h float64, xi []float64) {
	d, root := s.sde.Drift.Dim(), math.Sqrt(math.Abs(h))
	for lo := 0; lo < len(x); lo += d {
		row, n := x[lo:lo+d], xi[lo:lo+d]
		s.sde.Sigma(s.sigma, t, row) // before the row moves
		for j := range row {
			var noise float64
			for k, v := range n {
				noise += s.sigma[j*d+k] * v
			}
			row[j] += h*s.f[0][lo+j] + root*noise
		}
	}
}
