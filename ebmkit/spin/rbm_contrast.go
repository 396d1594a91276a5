package spin

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Contrast makes gradients for training an RBM by contrastive divergence (Hinton
// 2002; review Algorithm 1) or with persistent walkers (Tieleman 2008; review
// Algorithm 2), from whole minibatches at once. Units are bits; fields,
// probabilities and gradients are float32 before the gradient is written, good to
// about 1e-6. It computes what two calls of RBM.AddParamGrad do, on the data and
// on the walkers, many times faster. It is not safe for concurrent use.
type Contrast struct {
	// Step numbers the calls of Gradient, which raises it by one: block b of
	// walkers draws from the stream (seed, "contrast", Step*65536 + b). Training
	// resumes with the same bits if it is restored.
	Step int

	m          RBM
	seed       uint64
	w          weights32
	data       []byte    // units of the data, rows of w.pv/8 bytes
	walkers    []byte    // units of the walkers
	hidden     []byte    // hidden units of the walkers
	prob       []float32 // hidden probabilities of data, then walkers, times -1/n or 1/m
	byUnit     []byte    // units of data, then walkers; row i is visible unit i
	dw         []float32 // gradient of the weights, pv x ph
	zero       []float32 // ph
	workers    []contrastBlock
	call       contrastCall
	load, stat func(int)
	draw       func(int)
}

// contrastCall is what the blocks of one call share.
type contrastCall struct {
	grad, data, walkers []float64
	n, m                int // rows of data, walkers
	np                  int // n, filled up to whole bytes
	sweeps              int
	inPlace             bool // the walkers are the caller's
}

// contrastBlock is the scratch and the result of one block.
type contrastBlock struct {
	rows    rows
	flipped []float32
	always  []byte
	largest float32
	bad     int // row that is not of 0 and 1, -1 for none
}

// contrastRows of a minibatch, or of the walkers, share a stream; contrastUnits
// visible units are one block of the statistics, contrastHidden hidden ones of
// the weights' copy.
const (
	contrastRows   = 50
	contrastUnits  = 200
	contrastHidden = 16
)

// NewContrast returns a Contrast for m, whose parameters it reads at every
// Gradient.
func NewContrast(m RBM, seed uint64) *Contrast {
	c := &Contrast{m: m, seed: seed, w: newWeights32(m.nv, m.nh)}
	c.dw, c.zero = make([]float32, c.w.pv*c.w.ph), make([]float32, c.w.ph)
	c.load, c.draw, c.stat = c.loadBlock, c.drawBlock, c.statBlock
	return c
}

// Gradient writes into grad, of length NumParams, the gradient of the
// cross-entropy with walkers in place of the model, review eq. (16):
//
//	grad = mean over data of dU/dtheta - mean over walkers of dU/dtheta.
//
// Training goes against it. Both are rows of Dim units 0 or 1. With nil walkers it
// is contrastive divergence: as many walkers start at the data, make sweeps
// block Gibbs sweeps, and are forgotten. Walkers that are given are moved by so
// many sweeps where they are. It panics on a wrong length; it returns
// *ebmkit.ArgError, and moves no walker, if there are no rows, a number is
// neither 0 nor 1, sweeps is not positive, or a parameter is beyond 1e30.
func (c *Contrast) Gradient(grad, data, walkers []float64, sweeps int) error {
	const fn = "spin.Contrast.Gradient"
	w := &c.w
	if len(grad) != len(c.m.theta) || len(data)%w.nv != 0 || len(walkers)%w.nv != 0 {
		panic("spin: Contrast.Gradient: wrong length of a slice")
	}
	n, m := len(data)/w.nv, len(walkers)/w.nv
	if n == 0 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(data)", Value: 0, Want: "at least one row"}
	}
	if walkers == nil {
		m = n
	} else if m == 0 {
		return &ebmkit.ArgError{Func: fn, Arg: "len(walkers)", Value: 0, Want: "at least one row, or nil"}
	}
	if sweeps < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "sweeps", Value: sweeps, Want: "at least 1"}
	}
	c.call = contrastCall{grad: grad, data: data, walkers: walkers, n: n, m: m, np: 8 * vmath.BitBytes(n), sweeps: sweeps, inPlace: walkers != nil}
	defer func() { c.call = contrastCall{} }()
	if err := c.prepare(fn); err != nil {
		return err
	}
	ctx := context.Background()
	par.For(ctx, c.drawBlocks(), c.draw)
	par.For(ctx, c.statBlocks(), c.stat)
	c.Step++
	return nil
}

// prepare makes room, and copies parameters and units.
func (c *Contrast) prepare(fn string) error {
	w, k := &c.w, &c.call
	stride, total := w.pv/8, k.np+8*vmath.BitBytes(k.m)
	c.data, c.walkers = sized(c.data, k.n*stride), sized(c.walkers, k.m*stride)
	c.hidden = sized(c.hidden, k.m*w.ph/8)
	c.prob, c.byUnit = sized(c.prob, total*w.ph), sized(c.byUnit, w.nv*total/8)
	clear(c.prob[k.n*w.ph : k.np*w.ph])
	clear(c.prob[(k.np+k.m)*w.ph:])
	strips := (w.nh + contrastHidden - 1) / contrastHidden
	tasks := max(strips, blocksOf(k.n), blocksOf(k.m))
	for len(c.workers) < max(tasks, c.drawBlocks(), c.statBlocks()) {
		c.workers = append(c.workers, contrastBlock{rows: newRows(w)})
	}
	par.For(context.Background(), tasks, c.load)
	largest := max(vmath.ToFloat32Slice(w.b[:w.nv], c.m.b), vmath.ToFloat32Slice(w.c[:w.nh], c.m.c))
	for i := range tasks {
		b := &c.workers[i]
		if b.bad >= 0 {
			return c.refuse(fn, b.bad)
		}
		largest = max(largest, b.largest)
	}
	if !(largest <= 1e30) {
		return wantModest(c.m)
	}
	return nil
}

// refuse names the number that is not a unit.
func (c *Contrast) refuse(fn string, row int) error {
	name, xs := "data", c.call.data
	if row >= c.call.n {
		name, xs, row = "walkers", c.call.walkers, row-c.call.n
	}
	for i, v := range xs[row*c.w.nv : (row+1)*c.w.nv] {
		if v != 0 && v != 1 || 1/v < 0 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s[%d][%d]", name, row, i), Value: v, Want: "0 or 1"}
		}
	}
	panic("unreachable")
}

func blocksOf(rows int) int { return (rows + contrastRows - 1) / contrastRows }

// sized returns s with length n, or a new slice.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// loadBlock copies the weights of contrastHidden hidden units, and packs
// contrastRows rows of data and of walkers.
func (c *Contrast) loadBlock(t int) {
	w, k, b := &c.w, &c.call, &c.workers[t]
	b.bad, b.largest = -1, 0
	if lo := t * contrastHidden; lo < w.nh {
		hi := min(lo+contrastHidden, w.nh)
		for j := lo; j < hi; j++ {
			b.largest = max(b.largest, vmath.ToFloat32Slice(w.down[j*w.pv:][:w.nv], c.m.row(j)))
		}
		cols := min(contrastHidden, w.ph-lo)
		vmath.Transpose32(w.up[lo:], w.ph, w.down[lo*w.pv:], w.pv, cols, w.pv)
	}
	stride := w.pv / 8
	for _, set := range []struct {
		to    []byte
		from  []float64
		first int
	}{{c.data, k.data, 0}, {c.walkers, k.walkers, k.n}} {
		rows := len(set.from) / w.nv
		for r := t * contrastRows; r < min((t+1)*contrastRows, rows); r++ {
			if !vmath.PackBits(set.to[r*stride:(r+1)*stride], set.from[r*w.nv:(r+1)*w.nv]) {
				b.bad = set.first + r
				return
			}
		}
	}
}

// drawBlocks returns how many blocks draw: those of the walkers come first, since
// they take longer; those of the data follow, unless they start the walkers.
func (c *Contrast) drawBlocks() int {
	if c.call.inPlace {
		return blocksOf(c.call.m) + blocksOf(c.call.n)
	}
	return blocksOf(c.call.n)
}

func (c *Contrast) drawBlock(t int) {
	w, k, r := &c.w, &c.call, &c.workers[t].rows
	units, all := c.walkers, k.m
	first := blocksOf(k.m)
	if !k.inPlace {
		units, all = c.data, k.n
	} else if t >= first {
		t -= first
		units, all, first = c.data, k.n, -1
	}
	lo := t * contrastRows
	n, stride := min(contrastRows, all-lo), w.pv/8
	r.grow(contrastRows)
	r.n, r.v = n, units[lo*stride:(lo+n)*stride]
	r.lookUp()
	if first < 0 || !k.inPlace {
		c.probabilities(r, lo, -1/float32(k.n))
		if first < 0 {
			return
		}
		r.v = c.walkers[lo*stride : (lo+n)*stride]
	}
	r.h = c.hidden[lo*w.ph/8 : (lo+n)*w.ph/8]
	s := ebmkit.NewStream(c.seed, "contrast", c.Step<<16+t)
	for range k.sweeps {
		r.sweep(1, s)
	}
	c.probabilities(r, k.np+lo, 1/float32(k.m))
	if k.inPlace {
		for i := range n {
			vmath.UnpackBits(k.walkers[(lo+i)*w.nv:(lo+i+1)*w.nv], r.v[i*stride:(i+1)*stride])
		}
	}
}

// probabilities writes those of the hidden units, times scale, into the rows of
// c.prob from lo on.
func (c *Contrast) probabilities(r *rows, lo int, scale float32) {
	p := c.prob[lo*c.w.ph : (lo+r.n)*c.w.ph]
	vmath.Sigmoid32Slice(p, r.hidden[:len(p)])
	for i := range p {
		p[i] *= scale
	}
}

// statBlocks returns how many blocks make the statistics: of visible units, and
// one for the biases of the hidden ones.
func (c *Contrast) statBlocks() int { return (c.w.nv+contrastUnits-1)/contrastUnits + 1 }

// statBlock writes the gradient of the weights and biases of contrastUnits visible
// units,
//
//	dU/dw_ji = -p_j v_i, of which both means are one product of bits with c.prob,
//
// or, as if of a unit that is always 1, that of the biases of the hidden units.
func (c *Contrast) statBlock(t int) {
	w, k, b := &c.w, &c.call, &c.workers[t]
	if t == c.statBlocks()-1 {
		always := sized(b.always, len(c.prob)/w.ph/8)
		for i := range always {
			always[i] = 255
		}
		sum := sized(b.flipped, contrastUnits*w.ph)
		vmath.SumSelected(sum[:w.ph], c.zero, always, c.prob, 1, 8*len(always), w.ph, b.rows.scratch)
		_, _, dc := c.m.split(k.grad)
		vmath.FromFloat32Slice(dc, sum[:w.nh])
		b.always, b.flipped = always, sum
		return
	}
	lo := t * contrastUnits
	units := min(contrastUnits, w.nv-lo)
	total := len(c.prob) / w.ph
	stride, ld := w.pv/8, total/8
	byUnit := c.byUnit[lo*ld : (lo+units)*ld]
	vmath.TransposeBits(byUnit, ld, c.data[lo/8:], stride, k.n, units)
	vmath.TransposeBits(byUnit[k.np/8:], ld, c.walkers[lo/8:], stride, k.m, units)

	dw, db, _ := c.m.split(k.grad)
	for i := range units {
		row := byUnit[i*ld : (i+1)*ld]
		db[lo+i] = float64(ones(row[k.np/8:]))/float64(k.m) - float64(ones(row[:k.np/8]))/float64(k.n)
	}

	padded := 8 * vmath.BitBytes(units)
	sums := c.dw[lo*w.ph : (lo+padded)*w.ph]
	clear(sums[units*w.ph:])
	vmath.SumSelected(sums[:units*w.ph], c.zero, byUnit, c.prob, units, total, w.ph, b.rows.scratch)
	b.flipped = sized(b.flipped, contrastUnits*w.ph)
	vmath.Transpose32(b.flipped, padded, sums, w.ph, padded, w.ph)
	for j := range w.nh {
		vmath.FromFloat32Slice(dw[j*w.nv+lo:][:units], b.flipped[j*padded:][:units])
	}
}

// ones counts the bits that are set.
func ones(b []byte) (n int) {
	for _, v := range b {
		n += bits.OnesCount8(v)
	}
	return n
}
