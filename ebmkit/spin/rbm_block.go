package spin

import (
	"bytes"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// BlockGibbs is mcmc.Gibbs for an RBM, on blocks of rows at a time and many times
// faster: one step draws all hidden units given the visible ones, then all
// visible units given those. Its target is an RBM or an energy of the path Anneal.
//
// Units are kept as bits, and of the weights' products with them only sums are
// left to do. Weights and sums are float32, so that fields are good to about 1e-6
// of the sum of absolute weights, and probabilities to a relative 1e-6. Rows that
// are not of 0 and 1 are moved by RBM.Sweep, after which they are.
type BlockGibbs struct{}

// BlockRows makes blocks of 50 walkers: 100 chains keep two cores busy.
func (BlockGibbs) BlockRows() int { return 50 }

// Bind implements mcmc.Method.
func (BlockGibbs) Bind(target ebmkit.Energy, rows int) (mcmc.Kernel, error) {
	const fn = "spin.BlockGibbs"
	if m, ok := target.(RBM); ok {
		k := &blockGibbs{newAnnealed(m), true}
		return k, k.load()
	}
	a, ok := target.(*annealed)
	if w, wrapped := target.(ebmkit.Wrapper); wrapped && len(w.Inner()) == 1 {
		// Only a wrapper that changes nothing, as the path's follower in package
		// freeenergy, has the same conditionals.
		if a, ok = w.Inner()[0].(*annealed); ok {
			x := make([]float64, a.m.nv)
			ok = target.Energy(x) == a.Energy(x)
		}
	}
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "target", Value: ebmkit.TypeName(target), Want: "spin.RBM, or an energy of spin.Anneal"}
	}
	return &blockGibbs{a, false}, nil
}

type blockGibbs struct {
	*annealed
	current bool // reads the parameters of the RBM at every Start
}

func (k *blockGibbs) Start(*ebmkit.Ensemble, *ebmkit.Stream) error {
	if k.current {
		return k.load()
	}
	return nil
}

func (k *blockGibbs) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (mcmc.Info, error) {
	if k.rows.see(block.X) {
		k.rows.sweep(k.lambda, s)
		k.rows.show(block.X)
	} else {
		for i := range block.N {
			k.Sweep(block.Row(i), s)
		}
	}
	return mcmc.Info{Evals: block.N}, nil
}

// Anneal is the path to an RBM on which annealed importance sampling leads
// walkers (Salakhutdinov and Murray 2008): the joint energy of both layers times
// lambda, so that
//
//	U_lambda(v) = -lambda b.v - sum_j log(1 + exp(lambda (c_j + w_j.v))).
//
// It starts at the uniform law, From, and implements freeenergy.Path:
//
//	path := spin.Anneal{RBM: m}
//	freeenergy.AIS{Path: path, Lambdas: freeenergy.Linear(1000), Method: spin.BlockGibbs{}}.
//	    Run(ctx, path.From(), m, freeenergy.Config{Samples: 100, Seed: 1})
//
// Energies of many rows of 0 and 1, which make the weights, are computed with
// fields and exponentials in float32 and sums in float64.
type Anneal struct{ RBM RBM }

// Dim returns the number of visible units.
func (p Anneal) Dim() int { return p.RBM.nv }

// From returns the beginning of the path: the uniform law with U = -Hidden log 2.
func (p Anneal) From() Uniform {
	return Uniform{N: p.RBM.nv, U: -float64(p.RBM.nh) * math.Ln2}
}

// Walk implements freeenergy.Path. It reads the parameters of the RBM; later
// changes do not count. It returns *ebmkit.ArgError if one is beyond 1e30.
func (p Anneal) Walk() (func(lambda float64) ebmkit.Energy, error) {
	if p.RBM.layers == nil {
		return nil, &ebmkit.ArgError{Func: "spin.Anneal", Arg: "RBM", Value: nil, Want: "an RBM"}
	}
	a := newAnnealed(p.RBM)
	if err := a.load(); err != nil {
		return nil, err
	}
	return func(lambda float64) ebmkit.Energy {
		a.lambda = lambda
		return a
	}, nil
}

// Uniform is the uniform law on rows of N units 0 or 1, as a constant energy U:
//
//	log Z = N log 2 - U.
type Uniform struct {
	N int
	U float64
}

var (
	_ ebmkit.Sampler    = Uniform{}
	_ ebmkit.Normalized = Uniform{}
)

// Dim returns N.
func (e Uniform) Dim() int { return e.N }

// Energy returns U. It panics if len(x) != N.
func (e Uniform) Energy(x []float64) float64 {
	checkLen("Uniform.Energy", e.N, x)
	return e.U
}

// LogZ returns N log 2 - U, the logarithm of the sum of exp(-U) over all rows.
func (e Uniform) LogZ() float64 { return float64(e.N)*math.Ln2 - e.U }

// Sample draws N units, 64 from a random word. It panics if len(dst) != N.
func (e Uniform) Sample(dst []float64, s *ebmkit.Stream) {
	checkLen("Uniform.Sample", e.N, dst)
	var w uint64
	for i := range dst {
		if i%64 == 0 {
			w = s.Uint64()
		}
		dst[i] = float64(w & 1)
		w >>= 1
	}
}

// annealed is the energy of a path at lambda, with the rows of one block of
// walkers. Its evaluators share those and serve one goroutine.
type annealed struct {
	m      RBM
	lambda float64
	w      weights32
	rows   rows
}

func newAnnealed(m RBM) *annealed {
	a := &annealed{m: m, lambda: 1, w: newWeights32(m.nv, m.nh)}
	a.rows = newRows(&a.w)
	return a
}

// load reads the parameters.
func (a *annealed) load() error {
	a.rows.n = 0
	return a.w.load(a.m)
}

func (a *annealed) Dim() int { return a.m.nv }

func (a *annealed) Energy(v []float64) float64 {
	checkLen("Anneal.Energy", a.m.nv, v)
	u := -a.lambda * vmath.Dot(a.m.b, v)
	for j, c := range a.m.c {
		u -= vmath.Softplus(a.lambda * (c + vmath.Dot(a.m.row(j), v)))
	}
	return u
}

// Sweep makes it an mcmc.Sweeper.
func (a *annealed) Sweep(v []float64, s *ebmkit.Stream) { a.m.sweepAt(a.lambda, v, s) }

func (a *annealed) NewEvaluator() ebmkit.Evaluator { return (*annealedEvaluator)(a) }

type annealedEvaluator annealed

func (e *annealedEvaluator) EnergyGrad(u, grad, xs []float64) {
	a := (*annealed)(e)
	n := ebmkit.CheckRows("spin: Anneal.EnergyGrad", a.m.nv, u, nil, xs)
	if grad != nil {
		panic("spin: Anneal.EnergyGrad: units 0 and 1 have no gradient")
	}
	if u == nil {
		return
	}
	if a.rows.see(xs) {
		a.rows.energies(u, a.lambda)
		return
	}
	for i := range n {
		u[i] = a.Energy(xs[i*a.m.nv : (i+1)*a.m.nv])
	}
}

// weights32 holds the parameters in float32, as the products with bits read them:
// both layers are filled up to whole bytes with units that are 0.
type weights32 struct {
	nv, nh int       // units
	pv, ph int       // with those that fill up
	up     []float32 // pv x ph: what each visible unit sends to the hidden ones
	down   []float32 // ph x pv: what each hidden unit sends to the visible ones
	b, c   []float32 // pv, ph
	b64    []float64 // nv
}

func newWeights32(nv, nh int) weights32 {
	pv, ph := 8*vmath.BitBytes(nv), 8*vmath.BitBytes(nh)
	return weights32{nv: nv, nh: nh, pv: pv, ph: ph, up: make([]float32, pv*ph), down: make([]float32, pv*ph),
		b: make([]float32, pv), c: make([]float32, ph), b64: make([]float64, nv)}
}

// load copies the parameters of m, which has the same layers.
func (w *weights32) load(m RBM) error {
	copy(w.b64, m.b)
	for i, v := range m.b {
		w.b[i] = float32(v)
	}
	for j, v := range m.c {
		w.c[j] = float32(v)
	}
	for j := 0; j < w.nh; j += 8 {
		w.loadRows(m, j, min(j+8, w.nh))
	}
	return wantModest(m)
}

// loadRows copies the weights of the hidden units from lo to hi.
func (w *weights32) loadRows(m RBM, lo, hi int) {
	for j := lo; j < hi; j++ {
		d := w.down[j*w.pv:][:w.nv]
		for i, v := range m.row(j) {
			d[i] = float32(v)
		}
	}
	for i := range w.nv {
		u := w.up[i*w.ph:][:hi]
		for j := lo; j < hi; j++ {
			u[j] = w.down[j*w.pv+i]
		}
	}
}

// wantModest returns an error if a parameter is beyond 1e30: sums of float32
// could overflow.
func wantModest(m RBM) error {
	for k, v := range m.theta {
		if !(math.Abs(v) <= 1e30) {
			return &ebmkit.ArgError{Func: "spin.RBM", Arg: fmt.Sprintf("theta[%d]", k), Value: v, Want: "at most 1e30 in size, for arithmetic in float32"}
		}
	}
	return nil
}

// rows are the units of a block of walkers. What they hold of visible units they
// know the fields on the hidden ones of.
type rows struct {
	w       *weights32
	n       int       // rows that are known
	v, h    []byte    // n x pv/8, n x ph/8
	bias    []float64 // n: b.v
	hidden  []float32 // n x ph: fields on the hidden units
	visible []float32 // n x pv: fields on the visible units
	packed  []byte    // n x pv/8
	words   []uint64
	scratch *vmath.BitScratch // of its own, so that it begins at a cache line
}

func newRows(w *weights32) rows { return rows{w: w, scratch: new(vmath.BitScratch)} }

// grow makes room for n rows, which forgets those that are known.
func (r *rows) grow(n int) {
	if w := r.w; len(r.bias) < n {
		r.n = 0
		r.v, r.h, r.packed = make([]byte, n*w.pv/8), make([]byte, n*w.ph/8), make([]byte, n*w.pv/8)
		r.bias = make([]float64, n)
		r.hidden, r.visible = make([]float32, n*w.ph), make([]float32, n*w.pv)
		r.words = make([]uint64, max(w.pv, w.ph)/2)
	}
}

// see takes over the visible units xs, and reports whether all are 0 or 1; if
// not, nothing has changed. Their fields are computed unless they are known.
func (r *rows) see(xs []float64) bool {
	nv, stride := r.w.nv, r.w.pv/8
	n := len(xs) / nv
	r.grow(n)
	for i := range n {
		if !vmath.PackBits(r.packed[i*stride:(i+1)*stride], xs[i*nv:(i+1)*nv]) {
			return false
		}
	}
	if n != r.n || !bytes.Equal(r.packed[:n*stride], r.v[:n*stride]) {
		r.n = n
		r.v, r.packed = r.packed, r.v
		r.lookUp()
		r.addBias(xs)
	}
	return true
}

// lookUp computes the fields on the hidden units.
func (r *rows) lookUp() {
	w := r.w
	vmath.SumSelected(r.hidden[:r.n*w.ph], w.c, r.v[:r.n*w.pv/8], w.up, r.n, w.pv, w.ph, r.scratch)
}

// addBias computes b.v of the units xs.
func (r *rows) addBias(xs []float64) {
	nv := r.w.nv
	for i := range r.n {
		r.bias[i] = vmath.Dot(r.w.b64, xs[i*nv:(i+1)*nv])
	}
}

// energies writes U_lambda of all rows.
func (r *rows) energies(u []float64, lambda float64) {
	l := float32(lambda) // as the draws have it: one path, whatever the rounding
	for i := range r.n {
		u[i] = -float64(l)*r.bias[i] - vmath.SoftplusSum32(r.hidden[i*r.w.ph:][:r.w.nh], l)
	}
}

// sweep draws the hidden units, then the visible ones, and computes fields.
func (r *rows) sweep(lambda float64, s *ebmkit.Stream) {
	r.drawHidden(lambda, s)
	r.drawVisible(lambda, s)
	r.lookUp()
}

func (r *rows) drawHidden(lambda float64, s *ebmkit.Stream) {
	r.draw(r.h, r.hidden, r.w.nh, r.w.ph, lambda, s)
}

func (r *rows) drawVisible(lambda float64, s *ebmkit.Stream) {
	w := r.w
	vmath.SumSelected(r.visible[:r.n*w.pv], w.b, r.h[:r.n*w.ph/8], w.down, r.n, w.ph, w.pv, r.scratch)
	r.draw(r.v, r.visible, w.nv, w.pv, lambda, s)
}

// draw makes units of their fields.
func (r *rows) draw(units []byte, fields []float32, n, padded int, lambda float64, s *ebmkit.Stream) {
	words := r.words[:(n+1)/2]
	for i := range r.n {
		s.FillBits(words)
		vmath.BernoulliBits(units[i*padded/8:(i+1)*padded/8], fields[i*padded:][:n], float32(lambda), words)
	}
}

// show writes the visible units into xs.
func (r *rows) show(xs []float64) {
	nv, stride := r.w.nv, r.w.pv/8
	for i := range r.n {
		x := xs[i*nv : (i+1)*nv]
		vmath.UnpackBits(x, r.v[i*stride:(i+1)*stride])
		r.bias[i] = vmath.Dot(r.w.b64, x)
	}
}
