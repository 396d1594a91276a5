package vae

import (
	"fmt"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Marginal is the law of the data as an energy on R^d, the integral of review
// eq. (19) by the trapezoidal rule on a grid of codes z_g,
//
//	U(x) = -log sum_g w_g rho_theta(x|z_g),   w_g proportional to exp(-|z_g|^2/2), of sum 1.
//
// It is the autoencoder as an energy-based model, with log Z = 0 exactly for any
// grid, since the sum is a mixture of decoders. (A Bernoulli model sums to one
// over pictures of bits.) The gradient is the mean of the decoder's under the
// posterior of the code,
//
//	grad U(x) = -E[ grad_x log rho_theta(x|z) ],   z from rho_theta(z|x).
//
// The rule converges faster than any power of the spacing as soon as that is
// smaller than the standard deviation of the posteriors; two grids tell.
type Marginal struct {
	m     *Model
	logW  []float64 // G
	y     []float64 // outputs of the decoder's network, G x its width
	shift []float64 // what log rho(x|z_g) has beside x, G
	pool  sync.Pool
}

var (
	_ ebmkit.Differentiable = (*Marginal)(nil)
	_ ebmkit.Normalized     = (*Marginal)(nil)
)

// reach is how far the grid of a Marginal goes: the prior has 1e-15 beyond.
const reach = 8

// Marginal returns the law of the data under the parameters that m has now, with
// so many codes per axis from -8 to 8. It returns *ebmkit.ArgError if the code
// has more than two numbers, nodes is not from 2 to 10,000, or the model is a
// plain autoencoder.
func (m *Model) Marginal(nodes int) (*Marginal, error) {
	const fn = "vae.Model.Marginal"
	if err := m.wantLaw(fn); err != nil {
		return nil, err
	}
	l := m.cfg.Latent
	if l > 2 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Config.Latent", Value: l, Want: "1 or 2: take LogLikelihood for longer codes"}
	}
	if nodes < 2 || nodes > 10000 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "nodes", Value: nodes, Want: "from 2 to 10,000"}
	}
	axis := make([]float64, nodes)
	for i := range axis {
		axis[i] = reach * (2*float64(i)/float64(nodes-1) - 1)
	}
	g := nodes
	if l == 2 {
		g *= nodes
	}
	p := &Marginal{m: m, logW: make([]float64, g), shift: make([]float64, g), y: make([]float64, g*m.dataWidth())}
	z := make([]float64, g*l)
	for i := range g {
		for k, at := 0, i; k < l; k, at = k+1, at/nodes {
			v := axis[at%nodes]
			z[i*l+k] = v
			p.logW[i] -= v * v / 2
		}
	}
	total := vmath.LogSumExp(p.logW)
	for i := range p.logW {
		p.logW[i] -= total
	}
	m.dec.NewPass().Values(p.y, z)
	d, w := m.cfg.Dim, m.dataWidth()
	soft := make([]float64, d)
	for i := range g {
		y := p.y[i*w : (i+1)*w]
		switch m.cfg.Likelihood {
		case Bernoulli:
			vmath.SoftplusSlice(soft, y)
			p.shift[i] = -vmath.Sum(soft)
		case GaussianDiag:
			p.shift[i] = -(vmath.Sum(y[d:]) + float64(d)*log2Pi) / 2
			for j, lv := range y[d:] {
				y[d+j] = vmath.Exp(-lv) // the precisions
			}
		default:
			p.shift[i] = -float64(d) * (m.logSD + log2Pi/2)
		}
	}
	prec := vmath.Exp(-2 * m.logSD)
	p.pool.New = func() any { return &marginalScratch{a: make([]float64, g), r: make([]float64, d), prec: prec} }
	return p, nil
}

type marginalScratch struct {
	a, r []float64
	prec float64
}

// Dim returns d.
func (p *Marginal) Dim() int { return p.m.cfg.Dim }

// LogZ returns 0.
func (p *Marginal) LogZ() float64 { return 0 }

// LogDensity returns log rho_theta(x) = -U(x), review eq. (19). It panics on a
// wrong length.
func (p *Marginal) LogDensity(x []float64) float64 { return -p.Energy(x) }

// Energy returns U(x) = -log rho_theta(x). It panics on a wrong length.
func (p *Marginal) Energy(x []float64) float64 { return p.EnergyGrad(nil, x) }

// EnergyGrad writes dU/dx into grad, unless it is nil, and returns U(x). It
// panics on a wrong length.
func (p *Marginal) EnergyGrad(grad, x []float64) float64 {
	d, w := p.m.cfg.Dim, p.m.dataWidth()
	wantLen(len(x), d, "x")
	if grad != nil {
		wantLen(len(grad), d, "grad")
	}
	s := p.pool.Get().(*marginalScratch)
	defer p.pool.Put(s)
	for g := range s.a {
		s.a[g] = p.logW[g] + p.shift[g] + p.exponent(s, p.y[g*w:(g+1)*w], x)
	}
	u := -vmath.LogSumExp(s.a)
	if grad == nil {
		return u
	}
	for g := range s.a {
		s.a[g] += u
	}
	vmath.ExpSlice(s.a, s.a) // the posterior of the code
	clear(s.r)
	for g, v := range s.a {
		y := p.y[g*w : (g+1)*w]
		switch p.m.cfg.Likelihood {
		case Bernoulli:
			vmath.Axpy(s.r, -v, y)
		case GaussianDiag:
			for j := range d {
				s.r[j] += v * y[d+j] * (x[j] - y[j])
			}
		default:
			for j := range d {
				s.r[j] += v * s.prec * (x[j] - y[j])
			}
		}
	}
	copy(grad, s.r)
	return u
}

// exponent returns what log rho(x|z) has of x.
func (p *Marginal) exponent(s *marginalScratch, y, x []float64) float64 {
	var sum float64
	switch p.m.cfg.Likelihood {
	case Bernoulli:
		return vmath.Dot(x, y)
	case GaussianDiag:
		for j, v := range x {
			r := v - y[j]
			sum += r * r * y[len(x)+j]
		}
		return -sum / 2
	}
	vmath.Sub(s.r, x, y)
	return -vmath.Dot(s.r, s.r) * s.prec / 2
}

func (p *Marginal) String() string {
	return fmt.Sprintf("%v autoencoder, summed over %d codes", p.m.cfg.Likelihood, len(p.logW))
}

// Angles returns the principal angles between the subspaces that the rows of a
// and of b span, in radians, largest first. Both are row-major with rows of
// length d and as many rows. It returns *ebmkit.ArgError if they do not fit or
// rows are linearly dependent.
func Angles(a, b []float64, d int) ([]float64, error) {
	const fn = "vae.Angles"
	if d < 1 || len(a) == 0 || len(a)%d != 0 || len(a) > d*d {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(a)", Value: len(a), Want: fmt.Sprintf("from 1 to d rows of length d = %d", d)}
	}
	if len(b) != len(a) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(b)", Value: len(b), Want: fmt.Sprintf("%d, as many as a has", len(a))}
	}
	qa, ok := orthonormal(a, d)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "a", Value: "dependent rows", Want: "finite rows that are linearly independent"}
	}
	qb, ok := orthonormal(b, d)
	if !ok {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "b", Value: "dependent rows", Want: "finite rows that are linearly independent"}
	}
	// Sines from what is left of a outside of b, cosines from what is inside:
	// each is exact where the other is not.
	l := len(a) / d
	inside, outside := make([]float64, l*d), append([]float64(nil), qa...)
	for i := range l {
		for k := range l {
			q := qb[k*d : (k+1)*d]
			c := vmath.Dot(qa[i*d:(i+1)*d], q)
			vmath.Axpy(inside[i*d:(i+1)*d], c, q)
			vmath.Axpy(outside[i*d:(i+1)*d], -c, q)
		}
	}
	gram := func(m []float64) []float64 {
		out := make([]float64, l*l)
		for i := range l {
			for k := range l {
				out[i*l+k] = vmath.Dot(m[i*d:(i+1)*d], m[k*d:(k+1)*d])
			}
		}
		values, _ := eigen(out, l)
		return values
	}
	sines, cosines := gram(outside), gram(inside)
	angles := make([]float64, l)
	for k, s := range sines {
		angles[k] = math.Atan2(math.Sqrt(max(s, 0)), math.Sqrt(max(cosines[l-1-k], 0)))
	}
	return angles, nil
}

// orthonormal returns an orthonormal basis of the rows by Gram and Schmidt,
// twice, and whether there is one.
func orthonormal(a []float64, d int) ([]float64, bool) {
	q := append([]float64(nil), a...)
	for i := 0; i < len(q); i += d {
		row := q[i : i+d]
		size := math.Sqrt(vmath.Dot(row, row))
		for range 2 {
			for k := 0; k < i; k += d {
				vmath.Axpy(row, -vmath.Dot(row, q[k:k+d]), q[k:k+d])
			}
		}
		left := math.Sqrt(vmath.Dot(row, row))
		if !(left > 1e-13*size) || math.IsInf(size, 1) {
			return nil, false
		}
		for j := range row {
			row[j] /= left
		}
	}
	return q, true
}
