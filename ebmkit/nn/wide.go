package nn

import "github.com/ebmkit/hitchhiker/internal/gemm"

// A network of longParams parameters is too big for blocks of rows: each block
// reads all matrices, a parameter gradient costs more to write once for every
// shard and to add up than to make, and a batch has too few blocks to share them
// evenly. So all rows go through one layer after another, and the work of a layer
// is split by columns of its matrix, into panels as gemm has them. Who multiplies
// with a panel packs it, and what no product reads row by row stays in panels:
//
//	forward:   z = a W in panels;   a+ = f(z) by rows, f'(z) in panels
//	backward:  delta = (delta+ W+') f'(z) in panels, and by rows if W is yet to come
//	gradient:  a' delta, some rows at a time
//
// Outputs and gradients in x have the bits that blocks give. A parameter gradient
// is one sum over all rows.
const longParams = 1 << 16

func (r *runner[B, C]) isWide() bool {
	return len(r.c.theta) >= longParams && r.rows > 0 && r.blocks() <= maxShards
}

// wide is what a runner with wide layers keeps of its rows.
type wide[B, C Float] struct {
	r *runner[B, C]

	a     [][]C            // as in tape
	d     []gemm.Packed[C] // f' of layer l; empty for Identity
	delta []gemm.Packed[C] // the cotangents of the sums of layer l
	back  [][]C            // delta by rows, where W_l is yet to come
	y, dy []B              // the output and its cotangents, if B is not C

	pieces [][]span // rows of the gradient of the matrix of each layer
	first  []int    // how many pieces the layers before have
	free   []*bench[C]

	// The loop that runs.
	layer  int
	strips []strip

	inputBlock, forwardTask, outputBlock, backwardTask func(int)
}

// span is rows lo to hi-1, strip those of a panel.
type span struct{ lo, hi int }

type strip struct {
	panel int
	span
}

// bench is the scratch of one goroutine.
type bench[C Float] struct {
	s              gemm.Scratch[C]
	cols           []C // the columns of a matrix that a strip is a product with
	product, piece []C
}

func (r *runner[B, C]) wideLayers() *wide[B, C] {
	if r.wide != nil {
		return r.wide
	}
	n := len(r.c.layers)
	w := &wide[B, C]{r: r, a: make([][]C, n+1), d: make([]gemm.Packed[C], n),
		delta: make([]gemm.Packed[C], n), back: make([][]C, n), pieces: make([][]span, n), first: make([]int, n)}
	count := 0
	for l := range w.pieces {
		w.first[l] = count
		// Large pieces are faster, and small ones at the end let the cores finish
		// together.
		m := r.c.layers[l].in + 1
		for lo := 0; lo < m; {
			hi := min(lo+min(max((m-lo)/8/6*6, 6), 96), m)
			w.pieces[l] = append(w.pieces[l], span{lo, hi})
			lo = hi
		}
		count += len(w.pieces[l])
	}
	w.inputBlock, w.forwardTask, w.outputBlock, w.backwardTask = w.input, w.forwardStrip, w.output, w.backwardStrip
	r.wide = w
	return w
}

// block returns the rows of block b.
func (w *wide[B, C]) block(b int) span {
	return span{b * blockRows, min((b+1)*blockRows, w.r.rows)}
}

// cut makes the strips of a product with n columns: panels, the last two of them
// block by block, so that the cores finish together.
func (w *wide[B, C]) cut(n int) {
	w.strips = w.strips[:0]
	panels := gemm.Panels[C](n)
	for p := range panels {
		if p < panels-2 {
			w.strips = append(w.strips, strip{p, span{0, w.r.rows}})
			continue
		}
		for b := range w.r.blocks() {
			w.strips = append(w.strips, strip{p, w.block(b)})
		}
	}
}

// next returns the rows of the next block of s, and s without them.
func (s span) next() (block, rest span) {
	mid := min(s.lo+blockRows, s.hi)
	return span{s.lo, mid}, span{mid, s.hi}
}

// forward takes r.xs through the layers; y may be nil.
func (w *wide[B, C]) forward(y []B) {
	c, rows := w.r.c, w.r.rows
	for l := range w.a {
		room(&w.a[l], rows*c.stride(l))
	}
	loop(w.r.blocks(), w.inputBlock)
	for l := range c.layers {
		if c.layers[l].act != Identity {
			w.d[l].Reserve(rows, c.layers[l].out)
		}
		w.layer = l
		w.cut(c.layers[l].out)
		loop(len(w.strips), w.forwardTask)
	}
	if y != nil {
		convert(y, w.a[len(c.layers)])
	}
}

// input copies the inputs of block b.
func (w *wide[B, C]) input(b int) {
	in, rows := w.r.c.in(), w.block(b)
	for i := rows.lo; i < rows.hi; i++ {
		row := w.a[0][i*(in+1) : (i+1)*(in+1)]
		convert(row[:in], w.r.xs[i*in:(i+1)*in])
		row[in] = 1
	}
}

// forwardStrip computes a strip of the output of a layer.
func (w *wide[B, C]) forwardStrip(i int) {
	t := w.take()
	defer w.give(t)
	c, l, s := w.r.c, w.layer, w.strips[i]
	layer, as, zs := &c.layers[l], c.stride(l), c.stride(l+1)
	width := gemm.PanelWidth[C](layer.out, s.panel)
	if c.narrow(layer.out) {
		t.cols = c.columns(layer, t.cols)
	} else {
		room(&t.cols, as*width)
		gemm.PackPanel(t.cols, c.matrix(layer), s.panel)
	}
	for b, rest := s.next(); b.lo < b.hi; b, rest = rest.next() {
		rows := b.hi - b.lo
		room(&t.product, rows*width)
		z, a := t.product, w.a[l][b.lo*as:b.hi*as]
		if c.narrow(layer.out) {
			c.narrowPanel(z, width, a, as, t.cols, layer.out)
		} else {
			gemm.MulPanel(z, gemm.Of(a, rows, as), t.cols, width)
		}
		if layer.act != Identity {
			c.k.activate(layer.act, z, w.d[l].Panel(s.panel, b.lo, b.hi), z)
		}
		next := w.a[l+1][b.lo*zs : b.hi*zs]
		gemm.Unpack(strided(next, rows, layer.out, zs), s.panel, z)
		if s.panel == 0 && l+1 < len(c.layers) {
			c.last(next, l+1, rows, 1)
		}
	}
}

// narrowPanel writes the products of the rows of a with n columns, one after
// another in cols, into the only panel that they make.
func (c *core[C]) narrowPanel(z []C, width int, a []C, as int, cols []C, n int) {
	clear(z)
	length := len(cols) / n
	for j := range n {
		c.k.dots(z[j:], width, a, as, cols[j*length:(j+1)*length], len(z)/width)
	}
}

// backward takes the cotangents of the outputs back: r.dy, or what r.cotangent
// makes of the outputs.
func (w *wide[B, C]) backward() {
	c, rows, last := w.r.c, w.r.rows, len(w.r.c.layers)-1
	for l := range c.layers {
		w.delta[l].Reserve(rows, c.layers[l].out)
		room(&w.back[l], rows*c.layers[l].out)
	}
	if _, same := any(w.y).([]C); !same {
		room(&w.y, rows*c.out())
		room(&w.dy, rows*c.out())
	}
	if w.r.overwrite && w.r.dtheta != nil {
		room(&w.r.norms, w.first[last]+len(w.pieces[last]))
	}
	loop(w.r.blocks(), w.outputBlock)
	for l := last; l >= 0; l-- {
		w.layer, w.strips = l, w.strips[:0]
		if l > 0 || w.r.dx != nil {
			w.cut(c.layers[l].in)
		}
		tasks := len(w.strips)
		if w.r.dtheta != nil {
			tasks += len(w.pieces[l])
		}
		loop(tasks, w.backwardTask)
	}
}

// output makes the cotangents of block b.
func (w *wide[B, C]) output(b int) {
	r, c, l, rows := w.r, w.r.c, len(w.r.c.layers)-1, w.block(b)
	out := c.out()
	from, to := rows.lo*out, rows.hi*out
	z, delta := w.a[l+1][from:to], w.back[l][from:to]
	if r.cotangent == nil {
		convert(delta, r.dy[from:to])
	} else if y, same := any(z).([]B); same {
		r.cotangent(any(delta).([]B), y, rows.lo)
	} else {
		convert(w.y[from:to], z)
		r.cotangent(w.dy[from:to], w.y[from:to], rows.lo)
		convert(delta, w.dy[from:to])
	}
	m := gemm.Of(delta, rows.hi-rows.lo, out)
	w.delta[l].PackRows(rows.lo, m)
	if c.layers[l].act == Identity {
		return
	}
	for p := range gemm.Panels[C](out) {
		z := w.delta[l].Panel(p, rows.lo, rows.hi)
		c.k.mul(z, w.d[l].Panel(p, rows.lo, rows.hi))
		gemm.Unpack(m, p, z)
	}
}

// backwardStrip computes a strip of what a layer passes on to the layer before,
// or else, after the strips, a piece of its gradient.
func (w *wide[B, C]) backwardStrip(i int) {
	t := w.take()
	defer w.give(t)
	if i >= len(w.strips) {
		w.gradient(t, i-len(w.strips))
		return
	}
	c, l, s := w.r.c, w.layer, w.strips[i]
	layer := &c.layers[l]
	width := gemm.PanelWidth[C](layer.in, s.panel)
	cols := c.theta[layer.off:][:layer.in*layer.out] // of the transpose, if it is narrow
	if !c.narrow(layer.in) {
		room(&t.cols, layer.out*width)
		gemm.PackPanel(t.cols, c.weightsOf(layer).T(), s.panel)
	}
	for b, rest := s.next(); b.lo < b.hi; b, rest = rest.next() {
		rows := b.hi - b.lo
		var z []C
		if l > 0 {
			z = w.delta[l-1].Panel(s.panel, b.lo, b.hi)
		} else {
			room(&t.product, rows*width)
			z = t.product
		}
		if delta := w.back[l][b.lo*layer.out : b.hi*layer.out]; c.narrow(layer.in) {
			c.narrowPanel(z, width, delta, layer.out, cols, layer.in)
		} else {
			gemm.MulPanel(z, gemm.Of(delta, rows, layer.out), t.cols, width)
		}
		if l == 0 {
			w.writeDX(s.panel, b, z, width)
			continue
		}
		if c.layers[l-1].act != Identity {
			c.k.mul(z, w.d[l-1].Panel(s.panel, b.lo, b.hi))
		}
		if l > 1 || w.r.dx != nil {
			gemm.Unpack(gemm.Of(w.back[l-1][b.lo*layer.in:], rows, layer.in), s.panel, z)
		}
	}
}

// writeDX writes rows of a panel into dx.
func (w *wide[B, C]) writeDX(panel int, b span, z []C, width int) {
	in, at := w.r.c.in(), panel*gemm.PanelCols[C]()
	n := min(width, in-at)
	for i := b.lo; i < b.hi; i++ {
		convert(w.r.dx[i*in+at:][:n], z[(i-b.lo)*width:][:n])
	}
}

// gradient adds piece i of the parameter gradient of a layer to dtheta.
func (w *wide[B, C]) gradient(t *bench[C], i int) {
	r, l := w.r, w.layer
	k := w.pieces[l][i]
	rows := k.hi - k.lo
	layer := &r.c.layers[l]
	lo, n := layer.off+k.lo*layer.out, rows*layer.out
	dst, direct := any(r.dtheta).([]C)
	if direct = direct && r.overwrite; direct {
		dst = dst[lo : lo+n]
	} else {
		room(&t.piece, n)
		dst = t.piece
	}
	a := strided(w.a[l][k.lo:], r.rows, rows, r.c.stride(l))
	t.s.MulPacked(gemm.Of(dst, rows, layer.out), 1, a.T(), &w.delta[l], 0)
	if !direct {
		r.accumulate(lo, dst)
	}
	if r.overwrite {
		r.norms[w.first[l]+i] = sumSquares(r.dtheta[lo : lo+n])
	}
}

// strided returns a matrix whose rows are stride apart.
func strided[C Float](data []C, rows, cols, stride int) gemm.Matrix[C] {
	return gemm.Matrix[C]{Data: data, Rows: rows, Cols: cols, RowStride: stride, ColStride: 1}
}

// room gives s the length n, in memory kept between calls.
func room[T any](s *[]T, n int) {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	*s = (*s)[:n]
}

// take and give lend benches to tasks: as many as goroutines.
func (w *wide[B, C]) take() *bench[C] {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if n := len(w.free); n > 0 {
		t := w.free[n-1]
		w.free = w.free[:n-1]
		return t
	}
	return new(bench[C])
}

func (w *wide[B, C]) give(t *bench[C]) {
	w.r.mu.Lock()
	w.free = append(w.free, t)
	w.r.mu.Unlock()
}
