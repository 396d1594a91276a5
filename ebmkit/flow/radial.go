package flow

import (
	"math"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Radial blows space up around a centre, or draws it in (Rezende and Mohamed
// 2015): with r = |x - c|,
//
//	f(x) = x + beta (x - c)/(alpha + r),
//	det J = (1 + beta/(alpha + r))^(d-1) (1 + alpha beta/(alpha + r)^2).
//
// It is invertible if and only if alpha > 0 and beta > -alpha. The parameters
// (c, p, q) keep to that whatever their values:
//
//	alpha = exp(p),   beta = alpha m(q),   m(q) = log(1 + (e-1) exp(q)) - 1 > -1.
//
// The inverse solves the increasing equation r + beta r/(alpha + r) = |z - c|,
// whose positive root is that of a quadratic.
type Radial struct {
	Center      []float64 // Dim numbers; nil: random normal
	Alpha, Beta float64   // Alpha 0 means 1
}

func (p Radial) build(b *builder) (layer, []float64, error) {
	d := b.dim
	theta := append(b.normals(d), 0, 0)
	if p.Center != nil {
		if err := b.vector("Center", p.Center, d); err != nil {
			return nil, nil, err
		}
		copy(theta, p.Center)
	}
	alpha := p.Alpha
	if alpha == 0 {
		alpha = 1
	}
	if !(alpha > 0) || math.IsInf(alpha, 1) {
		return nil, nil, b.bad("Alpha", p.Alpha, "a positive, finite number")
	}
	if !(p.Beta/alpha > -1+atLeast) || math.IsInf(p.Beta, 1) {
		return nil, nil, b.bad("Beta", p.Beta, "finite and more than -Alpha, or the layer is not invertible: it would fold the ball around Center")
	}
	theta[d], theta[d+1] = vmath.Log(alpha), aboveInverse(p.Beta/alpha)
	return &radial{d: d, c: make([]float64, d)}, theta, nil
}

type radial struct {
	d                  int
	c                  []float64
	alpha, beta, slope float64 // slope of beta in q
}

func (l *radial) numParams() int { return l.d + 2 }
func (l *radial) numRaw() int    { return l.d + 2 } // of c, alpha, beta

func (l *radial) check(theta []float64) (any, string) {
	alpha, m := vmath.Exp(theta[l.d]), above(theta[l.d+1])
	if !(alpha > 1e-100 && alpha < 1e100) {
		return alpha, "an alpha = exp(p) between 1e-100 and 1e100: lower the learning rate"
	}
	if !(m > -1+atLeast) {
		return alpha * m, "beta > -alpha, or the layer is not invertible: lower the learning rate"
	}
	return nil, ""
}

func (l *radial) set(theta []float64) {
	copy(l.c, theta)
	l.alpha = vmath.Exp(theta[l.d])
	l.beta = l.alpha * above(theta[l.d+1])
	l.slope = l.alpha * aboveSlope(theta[l.d+1])
}

func (l *radial) chain(dst, raw []float64) {
	d := l.d
	for j, g := range raw[:d] {
		dst[j] += g
	}
	dst[d] += raw[d]*l.alpha + raw[d+1]*l.beta
	dst[d+1] += raw[d+1] * l.slope
}

// stretch returns the factors of the determinant, at distance r of x from c.
func (l *radial) stretch(r float64) (around, along float64) {
	h := 1 / (l.alpha + r)
	return 1 + l.beta*h, 1 + l.alpha*l.beta*h*h
}

func (l *radial) logDet(r float64) float64 {
	h := 1 / (l.alpha + r)
	return float64(l.d-1)*vmath.Log1p(l.beta*h) + vmath.Log1p(l.alpha*l.beta*h*h)
}

func (l *radial) newWork() work {
	return &radialWork{l: l, y: make([]float64, blockRows*l.d), r: make([]float64, blockRows)}
}

type radialWork struct {
	l    *radial
	y, r []float64 // x - c and its length
}

func (k *radialWork) normalise(x, ld []float64, keep bool) {
	l, d := k.l, k.l.d
	for i := range ld {
		row, y := x[i*d:(i+1)*d], k.y[i*d:(i+1)*d]
		vmath.Sub(y, row, l.c)
		r := math.Sqrt(vmath.Dot(y, y))
		k.r[i] = r
		vmath.Axpy(row, l.beta/(l.alpha+r), y)
		ld[i] += l.logDet(r)
	}
}

func (k *radialWork) generate(z, ld []float64) {
	l, d := k.l, k.l.d
	for i := range ld {
		row, y := z[i*d:(i+1)*d], k.y[i*d:(i+1)*d]
		vmath.Sub(y, row, l.c)
		far := math.Sqrt(vmath.Dot(y, y))
		// r^2 + q r - far alpha = 0, in the form without cancellation
		q := l.alpha + l.beta - far
		root := math.Sqrt(q*q + 4*far*l.alpha)
		r := (root - q) / 2
		if q > 0 {
			r = 2 * far * l.alpha / (root + q)
		}
		around, _ := l.stretch(r)
		for j, c := range l.c {
			row[j] = c + y[j]/around
		}
		ld[i] -= l.logDet(r)
	}
}

func (k *radialWork) pull(raw, g, dld []float64) {
	l, d := k.l, k.l.d
	for i, dl := range dld {
		y, gi, r := k.y[i*d:(i+1)*d], g[i*d:(i+1)*d], k.r[i]
		h := 1 / (l.alpha + r)
		around, along := l.stretch(r)
		along, around = dl/along, float64(d-1)*dl/around
		s := vmath.Dot(gi, y)
		gh := s*l.beta + around*l.beta + 2*along*l.alpha*l.beta*h
		gr := -gh * h * h
		pull := 0.0
		if r > 0 {
			pull = gr / r
		}
		for j := range gi {
			gy := l.beta*h*gi[j] + pull*y[j]
			gi[j] += gy
			if raw != nil {
				raw[j] -= gy
			}
		}
		if raw != nil {
			raw[d] += gr + along*l.beta*h*h
			raw[d+1] += s*h + around*h + along*l.alpha*h*h
		}
	}
}
