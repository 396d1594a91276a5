package flow

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Planar bends space along one direction (Rezende and Mohamed 2015):
//
//	f(x) = x + u tanh(w.x + b),   det J = 1 + (1 - tanh^2(w.x + b)) w.u.
//
// It is invertible if and only if w.u > -1. The parameters (v, w, b) keep to that
// whatever their values:
//
//	u = v + (m(a) - a) w/|w|^2,   a = w.v,   m(a) = log(1 + (e-1) exp(a)) - 1 > -1,
//
// so that w.u = m(a); the m of the original paper does not leave u = 0 at v = 0.
// The inverse solves the increasing equation s + (w.u) tanh(s + b) = w.z for
// s = w.x.
type Planar struct {
	U, W []float64 // Dim numbers each, W not 0; nil: random and small
	B    float64
}

func (p Planar) build(b *builder) (layer, []float64, error) {
	d := b.dim
	l := &planar{d: d, u: make([]float64, d), w: make([]float64, d)}
	theta := b.normals(2*d + 1)
	for j := range theta {
		theta[j] /= math.Sqrt(float64(d))
	}
	for j := range d {
		theta[j] /= 10
	}
	theta[2*d] = p.B
	if err := b.vector("B", []float64{p.B}, 1); err != nil {
		return nil, nil, err
	}
	if p.W != nil {
		if err := b.vector("W", p.W, d); err != nil {
			return nil, nil, err
		}
		copy(theta[d:], p.W)
	}
	w := theta[d : 2*d]
	if vmath.Dot(w, w) == 0 {
		return nil, nil, b.bad("W", p.W, "a direction that is not 0 (for a shift, take ActNorm)")
	}
	if p.U != nil {
		if err := b.vector("U", p.U, d); err != nil {
			return nil, nil, err
		}
		if p.W == nil {
			return nil, nil, b.bad("W", nil, "W given together with U")
		}
		c := vmath.Dot(p.U, w)
		if !(c > -1+atLeast) {
			return nil, nil, b.bad("U.W", c, "more than -1, or the layer is not invertible: shorten U or turn its sign")
		}
		k := (aboveInverse(c) - c) / vmath.Dot(w, w)
		for j := range d {
			theta[j] = p.U[j] + k*w[j]
		}
	}
	return l, theta, nil
}

type planar struct {
	d int
	// What theta = (v, w, b) means: u and c = w.u.
	v, u, w    []float64
	b, c       float64
	a, k, norm float64 // a = w.v, k = (c - a)/norm, norm = |w|^2
}

func (l *planar) numParams() int { return 2*l.d + 1 }
func (l *planar) numRaw() int    { return 2*l.d + 2 } // of u, w, b, c

func (l *planar) check(theta []float64) (any, string) {
	v, w := theta[:l.d], theta[l.d:2*l.d]
	if n := vmath.Dot(w, w); !(n > 0) || math.IsInf(n, 1) {
		return fmt.Sprint(w), "a direction w of a length that is neither 0 nor infinite"
	}
	if c := above(vmath.Dot(v, w)); !(c > -1+atLeast) {
		return fmt.Sprintf("w.u = %v", c), "w.u > -1, or the layer is not invertible: lower the learning rate"
	}
	return nil, ""
}

func (l *planar) set(theta []float64) {
	d := l.d
	l.v = append(l.v[:0], theta[:d]...)
	copy(l.w, theta[d:2*d])
	l.b = theta[2*d]
	l.a, l.norm = vmath.Dot(l.v, l.w), vmath.Dot(l.w, l.w)
	l.c = above(l.a)
	l.k = (l.c - l.a) / l.norm
	for j, w := range l.w {
		l.u[j] = l.v[j] + l.k*w
	}
}

func (l *planar) chain(dst, raw []float64) {
	d := l.d
	gu, gw, gb, gc := raw[:d], raw[d:2*d], raw[2*d], raw[2*d+1]
	slope := aboveSlope(l.a)
	gk := vmath.Dot(gu, l.w)
	ga := gc*slope + gk*(slope-1)/l.norm
	for j, w := range l.w {
		dst[j] += gu[j] + ga*w
		dst[d+j] += gw[j] + l.k*gu[j] + ga*l.v[j] - 2*gk*l.k/l.norm*w
	}
	dst[2*d] += gb
}

func (l *planar) newWork() work {
	return &planarWork{l: l, x: make([]float64, blockRows*l.d), h: make([]float64, blockRows)}
}

type planarWork struct {
	l    *planar
	x, h []float64 // rows as they came in, and tanh
}

func (k *planarWork) normalise(x, ld []float64, keep bool) {
	l, d := k.l, k.l.d
	if keep {
		copy(k.x, x)
	}
	h := k.h[:len(ld)]
	for i := range h {
		h[i] = vmath.Dot(l.w, x[i*d:(i+1)*d]) + l.b
	}
	vmath.TanhSlice(h, h)
	for i, t := range h {
		vmath.Axpy(x[i*d:(i+1)*d], t, l.u)
		ld[i] += vmath.Log1p((1 - t) * (1 + t) * l.c)
	}
}

func (k *planarWork) generate(z, ld []float64) {
	l, d := k.l, k.l.d
	for i := range ld {
		row := z[i*d : (i+1)*d]
		p := vmath.Dot(l.w, row)
		s := l.solve(p)
		t := vmath.Tanh(s + l.b)
		if l.c > 1 { // there tanh may be steeper in s than the rest of the equation
			t = (p - s) / l.c
		}
		vmath.Axpy(row, -t, l.u)
		ld[i] -= vmath.Log1p((1 - t) * (1 + t) * l.c)
	}
}

// solve returns the s with s + c tanh(s + b) = p, by Newton's method in a bracket
// that it halves where Newton would leave it.
func (l *planar) solve(p float64) float64 {
	reach := math.Abs(l.c)
	lo, hi := p-reach, p+reach
	s := p
	for range 200 {
		t := vmath.Tanh(s + l.b)
		miss := s - p + l.c*t
		if miss > 0 {
			hi = s
		} else {
			lo = s
		}
		next := s - miss/(1+(1-t)*(1+t)*l.c)
		if !(next >= lo && next <= hi) {
			next = lo + (hi-lo)/2
		}
		if math.Abs(next-s) <= 1e-16*math.Abs(s) || miss == 0 {
			break
		}
		s = next
	}
	return s
}

func (k *planarWork) pull(raw, g, dld []float64) {
	l, d := k.l, k.l.d
	for i, dl := range dld {
		x, gi, h := k.x[i*d:(i+1)*d], g[i*d:(i+1)*d], k.h[i]
		slope := (1 - h) * (1 + h)
		det := 1 + slope*l.c
		gp := vmath.Dot(gi, l.u)*slope - 2*dl*l.c*h*slope/det
		if raw != nil {
			vmath.Axpy(raw[:d], h, gi)
			vmath.Axpy(raw[d:2*d], gp, x)
			raw[2*d] += gp
			raw[2*d+1] += dl * slope / det
		}
		vmath.Axpy(gi, gp, l.w)
	}
}
