package nn

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/gemm"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Precision is the arithmetic inside a network.
type Precision uint8

// Float32 is the default and twice as fast. Float64 is for tests, for
// Metropolis steps and for Jarzynski works, where differences of energies count.
const (
	Float32 Precision = iota
	Float64
)

func (p Precision) String() string {
	switch p {
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	}
	return fmt.Sprintf("Precision(%d)", uint8(p))
}

// Config describes a multilayer perceptron.
type Config struct {
	Sizes     []int      // width of the input, of every hidden layer, of the output: {2, 128, 128, 1}
	Act       Activation // of the hidden layers; the zero value is Identity
	Out       Activation // of the output
	Precision Precision
	Seed      uint64 // of the initial parameters
}

// MLP is a multilayer perceptron, a function of R^In to R^Out,
//
//	a_0 = x,   a_l = f_l(a_{l-1} W_l + b_l),   l = 1..L,   y = a_L,
//
// with rows as vectors. Layer l has a matrix W_l of Sizes[l-1] x Sizes[l] and a
// bias b_l; the parameters are
//
//	theta = (W_1, b_1, W_2, b_2, ..),   W_l row-major.
//
// Evaluations run in passes (NewPass), one per goroutine; SetParams must not
// run concurrently with any of them.
type MLP struct {
	cfg   Config
	theta []float64      // unless moved
	c32   *core[float32] // one of the two is not nil
	c64   *core[float64]
	// moved says that theta is behind the parameters of the core.
	moved bool
}

// NewMLP returns a network with random parameters: weights of W_l from
// N(0, g^2/Sizes[l-1]), biases 0, with the gain g = sqrt(2) before ReLU (He et
// al. 2015) and 1 before everything else (LeCun et al. 1998). They come from
// the stream (Seed, "nn", l-1) and do not depend on the precision. It returns
// *ebmkit.ArgError if there are fewer than two sizes, a size is not positive,
// or an activation or precision is unknown.
func NewMLP(cfg Config) (*MLP, error) {
	n, err := newMLP("nn.NewMLP", cfg)
	if err != nil {
		return nil, err
	}
	for l := range n.cfg.Sizes[1:] {
		in, out := n.cfg.Sizes[l], n.cfg.Sizes[l+1]
		w := n.theta[n.offset(l):][:in*out]
		ebmkit.NewStream(cfg.Seed, "nn", l).FillNormal(w)
		gain := 1 / math.Sqrt(float64(in))
		if n.activation(l) == ReLU {
			gain *= math.Sqrt2
		}
		for i := range w {
			w[i] *= gain
		}
	}
	n.refresh()
	return n, nil
}

// maxParams bounds the size of a network that a file may ask for.
const maxParams = 1 << 28

// newMLP returns a network with all parameters 0, not yet packed.
func newMLP(fn string, cfg Config) (*MLP, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if len(cfg.Sizes) < 2 {
		return nil, bad("Sizes", cfg.Sizes, "at least the widths of input and output")
	}
	p := 0
	for l, s := range cfg.Sizes {
		if s < 1 || s > 1<<20 {
			return nil, bad(fmt.Sprintf("Sizes[%d]", l), s, "between 1 and 1048576")
		}
		if l > 0 {
			if p += (cfg.Sizes[l-1] + 1) * s; p > maxParams {
				return nil, bad("Sizes", cfg.Sizes, fmt.Sprintf("at most %d parameters", maxParams))
			}
		}
	}
	if cfg.Act >= activations {
		return nil, bad("Act", cfg.Act, "a known activation")
	}
	if cfg.Out >= activations {
		return nil, bad("Out", cfg.Out, "a known activation")
	}
	cfg.Sizes = slices.Clone(cfg.Sizes)
	n := &MLP{cfg: cfg, theta: make([]float64, p)}
	switch cfg.Precision {
	case Float32:
		n.c32 = newCore(n, &kernels32)
	case Float64:
		n.c64 = newCore(n, &kernels64)
	default:
		return nil, bad("Precision", cfg.Precision, "Float32 or Float64")
	}
	return n, nil
}

// offset returns where the parameters of layer l, from 0, begin.
func (n *MLP) offset(l int) int {
	at := 0
	for k := range l {
		at += (n.cfg.Sizes[k] + 1) * n.cfg.Sizes[k+1]
	}
	return at
}

func (n *MLP) activation(l int) Activation {
	if l == len(n.cfg.Sizes)-2 {
		return n.cfg.Out
	}
	return n.cfg.Act
}

// Config returns the description of the network.
func (n *MLP) Config() Config {
	c := n.cfg
	c.Sizes = slices.Clone(c.Sizes)
	return c
}

// In returns the width of the input.
func (n *MLP) In() int { return n.cfg.Sizes[0] }

// Out returns the width of the output.
func (n *MLP) Out() int { return n.cfg.Sizes[len(n.cfg.Sizes)-1] }

// NumParams returns the number of parameters.
func (n *MLP) NumParams() int { return len(n.theta) }

// Params copies theta into dst (allocated if nil) and returns it. It panics if
// dst is neither nil nor of length NumParams.
func (n *MLP) Params(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(n.theta))
	}
	if len(dst) != len(n.theta) {
		panic("nn: MLP.Params: len(dst) != NumParams")
	}
	switch {
	case !n.moved:
		copy(dst, n.theta)
	case n.c32 != nil:
		vmath.FromFloat32Slice(dst, n.c32.theta)
	default:
		copy(dst, n.c64.theta)
	}
	return dst
}

// SetParams copies theta into the network. In Float32 the network keeps theta
// as it is, for Params, and computes with its rounded numbers. It returns
// *ebmkit.ArgError, and leaves the network as it was, if theta has the wrong
// length or an entry that is not finite (for a Float32 network, beyond the
// range of float32).
func (n *MLP) SetParams(theta []float64) error {
	if err := n.checkParams("nn.MLP.SetParams", theta); err != nil {
		return err
	}
	copy(n.theta, theta)
	n.moved = false
	n.refresh()
	return nil
}

func (n *MLP) checkParams(fn string, theta []float64) error {
	if len(theta) != len(n.theta) {
		return &ebmkit.ArgError{Func: fn, Arg: "len(theta)", Value: len(theta), Want: fmt.Sprint(len(n.theta))}
	}
	top, want := math.MaxFloat64, "a finite number"
	if n.c32 != nil {
		top, want = math.MaxFloat32, "a finite number of float32"
	}
	if vmath.Dot(theta, theta) < math.MaxFloat32 {
		return nil
	}
	for i, v := range theta {
		if !(math.Abs(v) <= top) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("theta[%d]", i), Value: v, Want: want}
		}
	}
	return nil
}

// refresh brings the core up to theta.
func (n *MLP) refresh() {
	if n.c32 != nil {
		vmath.ToFloat32Slice(n.c32.theta, n.theta)
		n.c32.changed()
	} else {
		copy(n.c64.theta, n.theta)
		n.c64.changed()
	}
}

// core is a network in the arithmetic T.
type core[T gemm.Float] struct {
	k      *kernels[T]
	theta  []T
	layers []layer[T]

	// What products take of theta is packed when it is first needed.
	mu     sync.Mutex
	packed [3]atomic.Bool
}

// What is packed together.
const (
	matrices       = iota // of all layers
	transposes            // of all layers but the first: every way back takes them
	firstTranspose        // of the first layer, for gradients in x
)

// layer is one matrix of in+1 rows and out columns: the weights, then the bias.
// Its input carries a one in a further column, so that a product with the matrix
// adds the bias and the product that makes its gradient sums the bias' one.
type layer[T gemm.Float] struct {
	in, out int
	act     Activation
	off     int            // of the matrix in theta
	w       gemm.Packed[T] // (in+1) x out
	wt      gemm.Packed[T] // out x in: the weights transposed
	cols    []T            // the columns of the matrix one after another, if narrow(out)
}

// narrow reports whether products with a matrix so thin are made of dot
// products, which is faster than the tiles of gemm. Float64 has no kernel for it.
func (c *core[T]) narrow(n int) bool { return n <= 2 && c.k.dots != nil }

func newCore[T gemm.Float](n *MLP, k *kernels[T]) *core[T] {
	c := &core[T]{k: k, theta: make([]T, len(n.theta)), layers: make([]layer[T], len(n.cfg.Sizes)-1)}
	off := 0
	for l := range c.layers {
		in, out := n.cfg.Sizes[l], n.cfg.Sizes[l+1]
		c.layers[l] = layer[T]{in: in, out: out, act: n.activation(l), off: off}
		off += (in + 1) * out
	}
	return c
}

// changed says that theta is not what was packed.
func (c *core[T]) changed() {
	for i := range c.packed {
		c.packed[i].Store(false)
	}
}

// want packs what is not packed yet.
func (c *core[T]) want(what int) {
	if c.packed[what].Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.packed[what].Load() {
		return
	}
	for l := range c.layers {
		y := &c.layers[l]
		switch {
		case what == matrices && c.narrow(y.out):
			y.cols = c.columns(y, y.cols)
		case what == matrices:
			y.w.Pack(c.matrix(y))
		case (what == firstTranspose) == (l == 0) && !c.narrow(y.in):
			y.wt.Pack(c.weightsOf(y).T())
		}
	}
	c.packed[what].Store(true)
}

// matrix returns the matrix of a layer, weightsOf what of it is not bias.
func (c *core[T]) matrix(y *layer[T]) gemm.Matrix[T] {
	return gemm.Of(c.theta[y.off:], y.in+1, y.out)
}

func (c *core[T]) weightsOf(y *layer[T]) gemm.Matrix[T] {
	return gemm.Of(c.theta[y.off:], y.in, y.out)
}

// columns returns the columns of the matrix of a layer, one after another, in the
// memory of buf if there is enough.
func (c *core[T]) columns(y *layer[T], buf []T) []T {
	n := y.in + 1
	room(&buf, n*y.out)
	for i, v := range c.theta[y.off : y.off+n*y.out] {
		buf[i%y.out*n+i/y.out] = v
	}
	return buf
}

// convert copies src into dst, of the same length, with a change of precision.
func convert[D, S gemm.Float](dst []D, src []S) {
	dst = dst[:len(src)]
	if same, ok := any(dst).([]S); ok {
		if len(src) > 0 && &same[0] != &src[0] {
			copy(same, src)
		}
		return
	}
	for i, v := range src {
		dst[i] = D(v)
	}
}
