package nn

import (
	"context"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/gemm"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Float is the element type of the slices that a pass takes. The arithmetic
// inside is that of the network.
type Float interface{ float32 | float64 }

// blockRows is the number of rows that go through all layers together, so that
// what a layer hands to the next stays in the cache.
const blockRows = ebmkit.BlockRows

// maxShards bounds the number of partial sums of a parameter gradient.
const maxShards = 8

// Pass evaluates an MLP and its derivatives on rows of any number. It owns its
// scratch, allocates nothing once it has seen the largest number of rows, reads
// the current parameters of the network, and serves one goroutine.
//
// The work is split over the cores in blocks of 64 rows, unless a loop of the
// project is running already, as in a sampler: then the caller does it alone.
// Every number has the same bits either way and at any GOMAXPROCS, and does not
// depend on which other rows there are; a parameter gradient is summed in an
// order that depends on the number of rows alone. Bits are the same on every
// processor, too.
//
// All methods panic if lengths do not fit. Slices must not overlap.
type Pass[B Float] struct{ run passes[B] }

// passes is a Pass with either arithmetic inside.
type passes[B Float] interface {
	// values takes rows whose last inputs, common to all, are in common.
	values(y, xs, common []B)
	forward(y, xs []B)
	backward(dtheta, dx, dy []B)
	grad(dtheta, dx, xs []B, cotangent func(dy, y []B, lo int))
	jet(order int, dtheta, xs, v []B, use func(j *jet[B], lo int))
	overwrites(on bool)
	gradNorm() float64
}

// NewPass returns a pass with float64 slices.
func (n *MLP) NewPass() *Pass[float64] { return newPass[float64](n) }

// NewPass32 returns a pass with float32 slices.
func (n *MLP) NewPass32() *Pass[float32] { return newPass[float32](n) }

func newPass[B Float](n *MLP) *Pass[B] {
	if n.c32 != nil {
		return &Pass[B]{newRunner[B](n.c32)}
	}
	return &Pass[B]{newRunner[B](n.c64)}
}

// Forward writes the n outputs y (n x Out) of the n = len(xs)/In rows of xs,
// and keeps what Backward needs. y may be nil.
func (p *Pass[B]) Forward(y, xs []B) { p.run.forward(y, xs) }

// Values writes the n outputs of the n rows of xs into y, and keeps nothing.
func (p *Pass[B]) Values(y, xs []B) {
	p.run.values(y, xs, nil)
}

// Backward applies the transposed derivative at the rows of the last Forward to
// the cotangents dy (n x Out):
//
//	dtheta[k] += sum_i dy_i . dy(x_i)/dtheta_k,   dx_i = (dy/dx)(x_i)' dy_i.
//
// dtheta (NumParams, accumulated into, see Overwrites) or dx (n x In, overwritten) may be nil.
// SetParams must not have been called since Forward.
func (p *Pass[B]) Backward(dtheta, dx, dy []B) { p.run.backward(dtheta, dx, dy) }

// Grad is Forward and Backward together, block by block, which is faster since
// nothing leaves the cache in between. cotangent is called once for each block:
// it reads the block's outputs y, of which the first is row lo, and writes
// their cotangents dy, all of them. Blocks may run at the same time: cotangent
// must write only what belongs to its rows. Make it once and pass it again.
func (p *Pass[B]) Grad(dtheta, dx, xs []B, cotangent func(dy, y []B, lo int)) {
	p.run.grad(dtheta, dx, xs, cotangent)
}

// Overwrites makes Backward and Grad overwrite dtheta from now on, or add to it
// again. A training step that starts from 0 saves two ways through memory.
func (p *Pass[B]) Overwrites(on bool) { p.run.overwrites(on) }

// GradNorm returns the Euclidean norm of the dtheta that Backward or Grad has
// overwritten last, taken while it was in the cache: NaN or +Inf if an entry is not
// finite (in float64, if its square is not). It is 0 before.
func (p *Pass[B]) GradNorm() float64 { return p.run.gradNorm() }

// tape is what one block of rows leaves behind on its way forward.
type tape[B, C Float] struct {
	rows int
	// a[l] is the input of layer l, each row followed by a one; a[layers] is the
	// output, without.
	a     [][]C
	d     [][]C // d[l] is f' of layer l, in the shape of a[l+1]; nil for Identity
	delta [2][]C
	y, dy []B // the output and its cotangents; share memory with a and delta if B is C
	s     gemm.Scratch[C]
}

// runner is a Pass with slices of B and arithmetic in C.
type runner[B, C Float] struct {
	c *core[C]

	tapes []*tape[B, C] // of the last Forward
	n     int           // its rows
	mu    sync.Mutex
	free  []*tape[B, C] // for Grad
	sums  [][]C         // a parameter gradient of each shard
	norms []float64     // squared, of the parts of the last one overwritten
	wide  *wide[B, C]   // nil until needed
	jets  []*jetTape[B, C]

	// The loop that runs.
	xs, out, dtheta, dx, dy []B
	common                  []B
	cotangent               func(dy, y []B, lo int)
	order                   int
	v                       []B
	use                     func(j *jet[B], lo int)
	rows, shards            int
	overwrite               bool

	jetBlock, jetShard                                                                        func(int)
	valuesBlock, forwardBlock, backwardBlock, gradBlock, backwardShard, gradShard, reducePart func(int)
}

func newRunner[B, C Float](c *core[C]) *runner[B, C] {
	r := &runner[B, C]{c: c}
	r.valuesBlock = func(b int) {
		t := r.take()
		r.forwardTape(t, b*blockRows, r.out, false)
		r.give(t)
	}
	r.forwardBlock = func(b int) { r.forwardTape(r.tapes[b], b*blockRows, r.out, true) }
	r.backwardBlock = func(b int) { r.backwardTape(r.tapes[b], b*blockRows, nil, true) }
	r.gradBlock = func(b int) { r.gradTape(b, nil, true) }
	r.backwardShard = func(s int) {
		r.shard(s, func(b int, first bool) { r.backwardTape(r.tapes[b], b*blockRows, r.sums[s], first) })
	}
	r.gradShard = func(s int) {
		r.shard(s, func(b int, first bool) { r.gradTape(b, r.sums[s], first) })
	}
	r.jetBlock = func(b int) { r.jetTape(b, nil, true) }
	r.jetShard = func(s int) {
		r.shard(s, func(b int, first bool) { r.jetTape(b, r.sums[s], first) })
	}
	r.reducePart = r.reduce
	return r
}

func (c *core[C]) in() int  { return c.layers[0].in }
func (c *core[C]) out() int { return c.layers[len(c.layers)-1].out }

// countRows returns the number of rows of width in in xs.
func countRows(n, in int, what string) int {
	if n%in != 0 {
		panic("nn: len(" + what + ") is not a multiple of the width of a row")
	}
	return n / in
}

func wantLen(got, want int, what string) {
	if got != want {
		panic("nn: len(" + what + ") does not fit")
	}
}

// loop runs f for all blocks of work, on all cores if it can.
func loop(blocks int, f func(int)) { par.For(context.Background(), blocks, f) }

func (r *runner[B, C]) blocks() int { return (r.rows + blockRows - 1) / blockRows }

func (r *runner[B, C]) values(y, xs, common []B) {
	r.rows = countRows(len(xs), r.c.in()-len(common), "xs")
	wantLen(len(y), r.rows*r.c.out(), "y")
	r.xs, r.out, r.common = xs, y, common
	r.c.want(matrices)
	loop(r.blocks(), r.valuesBlock)
	r.xs, r.out, r.common = nil, nil, nil
}

func (r *runner[B, C]) forward(y, xs []B) {
	r.rows = countRows(len(xs), r.c.in(), "xs")
	if y != nil {
		wantLen(len(y), r.rows*r.c.out(), "y")
	}
	r.n = r.rows
	if r.isWide() {
		r.xs = xs
		r.wideLayers().forward(y)
		r.xs = nil
		return
	}
	r.c.want(matrices)
	for len(r.tapes) < r.blocks() {
		r.tapes = append(r.tapes, newTape[B](r.c))
	}
	r.xs, r.out = xs, y
	loop(r.blocks(), r.forwardBlock)
	r.xs, r.out = nil, nil
}

func (r *runner[B, C]) backward(dtheta, dx, dy []B) {
	r.rows = r.n
	wantLen(len(dy), r.n*r.c.out(), "dy")
	r.check(dtheta, dx)
	r.dtheta, r.dx, r.dy = dtheta, dx, dy
	if r.isWide() {
		r.wide.backward()
	} else if r.wantBack(); dtheta != nil {
		r.sharded(r.backwardShard)
	} else if dx != nil {
		loop(r.blocks(), r.backwardBlock)
	}
	r.dtheta, r.dx, r.dy = nil, nil, nil
}

func (r *runner[B, C]) grad(dtheta, dx, xs []B, cotangent func(dy, y []B, lo int)) {
	r.rows = countRows(len(xs), r.c.in(), "xs")
	r.check(dtheta, dx)
	r.xs, r.dtheta, r.dx, r.cotangent = xs, dtheta, dx, cotangent
	if dtheta != nil && r.isWide() {
		r.wideLayers().forward(nil)
		r.wide.backward()
	} else {
		r.c.want(matrices)
		r.wantBack()
		if dtheta != nil {
			r.sharded(r.gradShard)
		} else {
			loop(r.blocks(), r.gradBlock)
		}
	}
	r.xs, r.dtheta, r.dx, r.cotangent = nil, nil, nil, nil
}

// wantBack packs what blocks need on their way back.
func (r *runner[B, C]) wantBack() {
	if r.dtheta != nil || r.dx != nil {
		r.c.want(transposes)
	}
	if r.dx != nil {
		r.c.want(firstTranspose)
	}
}

func (r *runner[B, C]) overwrites(on bool) { r.overwrite = on }

func (r *runner[B, C]) gradNorm() float64 {
	var sum float64
	for _, v := range r.norms {
		sum += v
	}
	return math.Sqrt(sum)
}

func (r *runner[B, C]) check(dtheta, dx []B) {
	if dtheta != nil {
		wantLen(len(dtheta), len(r.c.theta), "dtheta")
	}
	if dx != nil {
		wantLen(len(dx), r.rows*r.c.in(), "dx")
	}
}

// sharded runs work over the shards, each of which sums a parameter gradient
// over its blocks, and adds the shards to dtheta in order.
func (r *runner[B, C]) sharded(work func(int)) {
	r.shards = min(r.blocks(), maxShards)
	if r.shards == 0 {
		if r.overwrite {
			clear(r.dtheta)
			r.norms = r.norms[:0]
		}
		return
	}
	for len(r.sums) < r.shards {
		r.sums = append(r.sums, make([]C, len(r.c.theta)))
	}
	loop(r.shards, work)
	parts := (len(r.c.theta) + reduceChunk - 1) / reduceChunk
	if r.overwrite {
		room(&r.norms, parts)
	}
	loop(parts, r.reducePart)
}

// shard calls f for the blocks of shard s.
func (r *runner[B, C]) shard(s int, f func(b int, first bool)) {
	lo, hi := s*r.blocks()/r.shards, (s+1)*r.blocks()/r.shards
	for b := lo; b < hi; b++ {
		f(b, b == lo)
	}
}

const reduceChunk = 4096

// reduce adds part i of all shards to dtheta.
func (r *runner[B, C]) reduce(i int) {
	lo, hi := i*reduceChunk, min((i+1)*reduceChunk, len(r.c.theta))
	sum := r.sums[0][lo:hi]
	for _, s := range r.sums[1:r.shards] {
		r.c.k.add(sum, s[lo:hi])
	}
	r.accumulate(lo, sum)
	if r.overwrite {
		r.norms[i] = sumSquares(r.dtheta[lo:hi])
	}
}

// accumulate adds sum to dtheta from lo on, or overwrites it.
func (r *runner[B, C]) accumulate(lo int, sum []C) {
	if r.overwrite {
		convert(r.dtheta[lo:lo+len(sum)], sum)
		return
	}
	switch dst := any(r.dtheta).(type) {
	case []C:
		r.c.k.add(dst[lo:lo+len(sum)], sum)
	case []float64:
		r.c.k.addTo(dst[lo:lo+len(sum)], sum)
	default:
		dst32 := r.dtheta[lo : lo+len(sum)]
		for k, v := range sum {
			dst32[k] += B(v)
		}
	}
}

// sumSquares returns |x|^2, in float64.
func sumSquares[T Float](x []T) float64 {
	switch x := any(x).(type) {
	case []float32:
		return vmath.SumSquares32(x)
	case []float64:
		return vmath.Dot(x, x)
	}
	panic("unreachable")
}

// take and give lend tapes to the blocks of Grad: as many as goroutines.
func (r *runner[B, C]) take() *tape[B, C] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free); n > 0 {
		t := r.free[n-1]
		r.free = r.free[:n-1]
		return t
	}
	return newTape[B](r.c)
}

func (r *runner[B, C]) give(t *tape[B, C]) {
	r.mu.Lock()
	r.free = append(r.free, t)
	r.mu.Unlock()
}

func newTape[B, C Float](c *core[C]) *tape[B, C] {
	t := &tape[B, C]{a: make([][]C, len(c.layers)+1), d: make([][]C, len(c.layers))}
	wide := 0
	for l := range t.a {
		t.a[l] = make([]C, blockRows*c.stride(l))
		wide = max(wide, len(t.a[l]))
		if l > 0 && c.layers[l-1].act != Identity {
			t.d[l-1] = make([]C, len(t.a[l]))
		}
	}
	t.delta[0], t.delta[1] = make([]C, wide), make([]C, wide)
	if y, ok := any(t.a[len(c.layers)]).([]B); ok {
		t.y, t.dy = y, any(t.delta[0]).([]B)
	} else {
		t.y, t.dy = make([]B, blockRows*c.out()), make([]B, blockRows*c.out())
	}
	return t
}

// stride returns how far apart the rows of the input of layer l are.
func (c *core[C]) stride(l int) int {
	if l == len(c.layers) {
		return c.out()
	}
	return c.layers[l].in + 1
}

// forwardTape computes the rows from lo.
func (r *runner[B, C]) forwardTape(t *tape[B, C], lo int, y []B, derivative bool) {
	t.rows = min(blockRows, r.rows-lo)
	in := r.c.in()
	d := in - len(r.common)
	for i := range t.rows {
		row := t.a[0][i*(in+1) : (i+1)*(in+1)]
		convert(row[:d], r.xs[(lo+i)*d:(lo+i+1)*d])
		convert(row[d:in], r.common)
		row[in] = 1
	}
	for l := range r.c.layers {
		r.c.apply(l, t.rows, t.a[l+1], t.a[l], &t.s)
		if a := r.c.layers[l].act; a != Identity {
			z := t.a[l+1][:t.rows*r.c.stride(l+1)]
			var d []C
			if derivative {
				d = t.d[l][:len(z)]
			}
			r.c.k.activate(a, z, d, z)
		}
		if l+1 < len(r.c.layers) {
			r.c.last(t.a[l+1], l+1, t.rows, 1)
		}
	}
	if y != nil {
		out := r.c.out()
		convert(y[lo*out:(lo+t.rows)*out], t.a[len(r.c.layers)][:t.rows*out])
	}
}

// apply writes z = a W + t b of layer l, where t is what the last column of a
// holds.
func (c *core[C]) apply(l, rows int, z, a []C, s *gemm.Scratch[C]) {
	y := &c.layers[l]
	zs, as := c.stride(l+1), c.stride(l)
	if c.narrow(y.out) {
		for j := range y.out {
			c.k.dots(z[j:], zs, a, as, y.cols[j*as:(j+1)*as], rows)
		}
		return
	}
	s.MulPacked(gemm.Matrix[C]{Data: z, Rows: rows, Cols: y.out, RowStride: zs, ColStride: 1}, 1,
		gemm.Matrix[C]{Data: a, Rows: rows, Cols: y.in + 1, RowStride: as, ColStride: 1}, &y.w, 0)
}

// last writes v into the last column of a matrix with the stride of the input
// of layer l.
func (c *core[C]) last(a []C, l, rows int, v C) {
	s := c.stride(l)
	for i := s - 1; i < rows*s; i += s {
		a[i] = v
	}
}

// backwardTape applies the transposed derivative to the cotangents r.dy of the
// rows from lo.
func (r *runner[B, C]) backwardTape(t *tape[B, C], lo int, sum []C, first bool) {
	out := r.c.out()
	r.pull(t, lo, r.dy[lo*out:(lo+t.rows)*out], sum, first)
}

// gradTape is a whole block of Grad.
func (r *runner[B, C]) gradTape(b int, sum []C, first bool) {
	t := r.take()
	lo := b * blockRows
	back := sum != nil || r.dx != nil
	r.forwardTape(t, lo, nil, back)
	n := t.rows * r.c.out()
	convert(t.y[:n], t.a[len(r.c.layers)][:n])
	r.cotangent(t.dy[:n], t.y[:n], lo)
	if back {
		r.pull(t, lo, t.dy[:n], sum, first)
	}
	r.give(t)
}

// pull takes the cotangents dy back through the layers. The parameter gradient
// is added to sum, or written if first, unless sum is nil; or it is left to piece.
func (r *runner[B, C]) pull(t *tape[B, C], lo int, dy []B, sum []C, first bool) {
	c, last := r.c, len(r.c.layers)-1
	delta, other := t.delta[0], t.delta[1]
	convert(delta[:len(dy)], dy)
	if d := t.d[last]; d != nil {
		c.k.mul(delta[:len(dy)], d[:len(dy)])
	}
	beta := C(1)
	if first {
		beta = 0
	}
	for l := last; l >= 0; l-- {
		if sum != nil {
			c.weights(l, t.rows, sum, t.a[l], delta, &t.s, beta)
		}
		if l == 0 && r.dx == nil {
			break
		}
		c.transposed(l, t.rows, other, delta, &t.s)
		delta, other = other, delta
		if l > 0 {
			n := t.rows * c.stride(l)
			c.last(delta, l, t.rows, 0)
			if d := t.d[l-1]; d != nil {
				c.k.mul(delta[:n], d[:n])
			}
		}
	}
	if r.dx != nil {
		in := c.in()
		for i := range t.rows {
			convert(r.dx[(lo+i)*in:(lo+i+1)*in], delta[i*(in+1):][:in])
		}
	}
}

// weights sets sum = a' delta + beta sum, beta 0 or 1, on the matrix of layer l;
// the one in every row of a makes the gradient of the bias.
func (c *core[C]) weights(l, rows int, sum, a, delta []C, s *gemm.Scratch[C], beta C) {
	y := &c.layers[l]
	am := gemm.Of(a, rows, y.in+1)
	dm := gemm.Matrix[C]{Data: delta, Rows: rows, Cols: y.out, RowStride: c.stride(l + 1), ColStride: 1}
	if y.out == 1 { // a column is as good as a row
		s.Mul(gemm.Of(sum[y.off:], 1, y.in+1), 1, dm.T(), am, beta)
		return
	}
	s.Mul(gemm.Of(sum[y.off:], y.in+1, y.out), 1, am.T(), dm, beta)
}

// transposed writes delta W' of layer l in the shape of its input; the last
// column is left as it is.
func (c *core[C]) transposed(l, rows int, dst, delta []C, s *gemm.Scratch[C]) {
	y := &c.layers[l]
	ds, ws := c.stride(l), c.stride(l+1)
	if c.narrow(y.in) {
		for j := range y.in {
			c.k.dots(dst[j:], ds, delta, ws, c.theta[y.off+j*y.out:][:y.out], rows)
		}
		return
	}
	s.MulPacked(gemm.Matrix[C]{Data: dst, Rows: rows, Cols: y.in, RowStride: ds, ColStride: 1}, 1,
		gemm.Matrix[C]{Data: delta, Rows: rows, Cols: y.out, RowStride: ws, ColStride: 1}, &y.wt, 0)
}
