package nn

import (
	"github.com/ebmkit/hitchhiker/internal/gemm"
)

// A jet is the second-order Taylor polynomial of the network along a line,
//
//	y(x + t v) = y + t dy + t^2 ddy/2 + ..,   dy = J v,   ddy_k = v' (Hess y_k) v,
//
// for the rows of a block. It goes forward through the layers as values do, and
// what comes out, differentiated backwards, gives the mixed derivatives that
// score matching needs: with z = a W + b, a+ = f(z) the orders of a layer are
//
//	a+ = f(z),   da+ = f1(z) dz,   dda+ = f2(z) dz^2 + f1(z) ddz,
//
// f1 and f2 being the derivatives of f.
type jet[B Float] struct {
	y    [3][]B // y, dy, ddy of the rows, up to the order
	c    [3][]B // their cotangents; cleared before
	rows int
}

// jetTape is a tape with all orders.
type jetTape[B, C Float] struct {
	jet   jet[B]   // of 64 rows
	shown *jet[B]  // of the rows of the block
	a     [3][][]C // a[k][l]: order k of the input of layer l
	z     [3][][]C // z[k][l]: order k, 1 or 2, before the activation of layer l
	f     [3][][]C // f[k][l]: derivative k+1 of layer l; nil for Identity
	delta [2][3][]C
	s     gemm.Scratch[C]
}

// jet computes, block by block, jets of the given order (1 or 2) at the rows of
// xs along those of v, and hands them to use. use is like the cotangent of
// Pass.Grad: the parameter gradient of sum_k c[k] . y[k] is added to dtheta, unless
// that is nil.
func (r *runner[B, C]) jet(order int, dtheta, xs, v []B, use func(j *jet[B], lo int)) {
	r.rows = countRows(len(xs), r.c.in(), "xs")
	wantLen(len(v), len(xs), "v")
	r.check(dtheta, nil)
	r.order, r.xs, r.v, r.dtheta, r.use = order, xs, v, dtheta, use
	r.c.want(matrices)
	if dtheta != nil {
		r.c.want(transposes)
		r.sharded(r.jetShard)
	} else {
		loop(r.blocks(), r.jetBlock)
	}
	r.xs, r.v, r.dtheta, r.use = nil, nil, nil, nil
}

func (r *runner[B, C]) takeJet() *jetTape[B, C] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.jets); n > 0 {
		t := r.jets[n-1]
		r.jets = r.jets[:n-1]
		return t
	}
	c := r.c
	t := &jetTape[B, C]{shown: new(jet[B])}
	wide := 0
	for k := range 3 {
		t.jet.y[k], t.jet.c[k] = make([]B, blockRows*c.out()), make([]B, blockRows*c.out())
		t.a[k], t.z[k], t.f[k] = make([][]C, len(c.layers)+1), make([][]C, len(c.layers)), make([][]C, len(c.layers))
		for l := range t.a[k] {
			t.a[k][l] = make([]C, blockRows*c.stride(l))
			wide = max(wide, len(t.a[k][l]))
			if l > 0 && c.layers[l-1].act != Identity {
				t.z[k][l-1] = make([]C, len(t.a[k][l]))
				t.f[k][l-1] = make([]C, len(t.a[k][l]))
			}
		}
	}
	for i := range t.delta {
		for k := range 3 {
			t.delta[i][k] = make([]C, wide)
		}
	}
	return t
}

func (r *runner[B, C]) jetTape(b int, sum []C, first bool) {
	t := r.takeJet()
	lo := b * blockRows
	rows := min(blockRows, r.rows-lo)
	back := sum != nil
	r.jetForward(t, lo, rows, back)
	n := rows * r.c.out()
	j := jet[B]{rows: rows}
	for k := range r.order + 1 {
		j.y[k], j.c[k] = t.jet.y[k][:n], t.jet.c[k][:n]
		convert(j.y[k], t.a[k][len(r.c.layers)][:n])
		clear(j.c[k])
	}
	*t.shown = j // the copy that use sees is on the heap, once
	r.use(t.shown, lo)
	if back {
		r.jetPull(t, &j, sum, first)
	}
	r.mu.Lock()
	r.jets = append(r.jets, t)
	r.mu.Unlock()
}

func (r *runner[B, C]) jetForward(t *jetTape[B, C], lo, rows int, back bool) {
	c, in := r.c, r.c.in()
	for i := range rows {
		x, v := t.a[0][0][i*(in+1):(i+1)*(in+1)], t.a[1][0][i*(in+1):(i+1)*(in+1)]
		convert(x[:in], r.xs[(lo+i)*in:(lo+i+1)*in])
		convert(v[:in], r.v[(lo+i)*in:(lo+i+1)*in])
		x[in] = 1
	}
	if r.order == 2 {
		clear(t.a[2][0][:rows*(in+1)])
	}
	for l := range c.layers {
		n := rows * c.stride(l+1)
		if act := c.layers[l].act; act == Identity {
			for k := range r.order + 1 {
				c.apply(l, rows, t.a[k][l+1], t.a[k][l], &t.s)
			}
		} else {
			for k := range r.order + 1 {
				c.apply(l, rows, t.z[k][l], t.a[k][l], &t.s)
			}
			f1, f2, z, z1 := t.f[0][l][:n], t.f[1][l][:n], t.z[0][l][:n], t.z[1][l][:n]
			a, a1 := t.a[0][l+1][:n], t.a[1][l+1][:n]
			if r.order == 1 && !back { // f2 is not needed
				c.k.activate(act, a, f1, z)
			} else {
				var f3 []C
				if back && r.order == 2 {
					f3 = t.f[2][l][:n]
				}
				derivatives(c.k, act, f1, f2, f3, z)
				c.k.activate(act, a, nil, z)
			}
			copy(a1, z1)
			c.k.mul(a1, f1)
			if r.order == 2 {
				a2, z2 := t.a[2][l+1][:n], t.z[2][l][:n]
				for i := range a2 {
					a2[i] = f2[i]*z1[i]*z1[i] + f1[i]*z2[i]
				}
			}
		}
		if l+1 < len(c.layers) {
			for k := range r.order + 1 {
				one := C(0)
				if k == 0 {
					one = 1
				}
				c.last(t.a[k][l+1], l+1, rows, one)
			}
		}
	}
}

// jetPull takes the cotangents back through the layers, and adds the parameter
// gradient to sum, or writes it if first.
func (r *runner[B, C]) jetPull(t *jetTape[B, C], j *jet[B], sum []C, first bool) {
	c, last := r.c, len(r.c.layers)-1
	delta, other := &t.delta[0], &t.delta[1]
	for k := range r.order + 1 {
		convert(delta[k][:len(j.c[k])], j.c[k])
	}
	for l := last; l >= 0; l-- {
		n := j.rows * c.stride(l+1)
		if c.layers[l].act != Identity {
			// The transposed derivative of the three lines above.
			f1, f2, z1 := t.f[0][l][:n], t.f[1][l][:n], t.z[1][l][:n]
			d0, d1 := delta[0][:n], delta[1][:n]
			if r.order == 1 {
				for i, u1 := range d1 {
					d0[i] = f1[i]*d0[i] + f2[i]*z1[i]*u1
					d1[i] = f1[i] * u1
				}
			} else {
				f3, z2, d2 := t.f[2][l][:n], t.z[2][l][:n], delta[2][:n]
				for i, u2 := range d2 {
					u1 := d1[i]
					d0[i] = f1[i]*d0[i] + f2[i]*z1[i]*u1 + (f3[i]*z1[i]*z1[i]+f2[i]*z2[i])*u2
					d1[i] = f1[i]*u1 + 2*f2[i]*z1[i]*u2
					d2[i] = f1[i] * u2
				}
			}
		}
		for k := range r.order + 1 {
			beta := C(1)
			if first && k == 0 {
				beta = 0
			}
			c.weights(l, j.rows, sum, t.a[k][l], delta[k], &t.s, beta)
			if l > 0 {
				c.transposed(l, j.rows, other[k], delta[k], &t.s)
				c.last(other[k], l, j.rows, 0)
			}
		}
		delta, other = other, delta
	}
}
