package vae

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Moments are mean and covariance of data: all that Gaussian models see.
type Moments struct {
	Mean []float64 // d
	Cov  []float64 // d x d, with 1/n
}

// MomentsOf returns the moments of data,
//
//	m = sum_i x_i / n,   S = sum_i (x_i - m)(x_i - m)' / n.
//
// It returns *ebmkit.ArgError if data is empty or not finite.
func MomentsOf(data *ebmkit.Ensemble) (*Moments, error) {
	if data == nil {
		return nil, &ebmkit.ArgError{Func: "vae.MomentsOf", Arg: "data", Value: nil, Want: "points"}
	}
	if err := minibatch.Check("vae.MomentsOf", "data", data, data.Dim); err != nil {
		return nil, err
	}
	n, d := data.N, data.Dim
	m := &Moments{make([]float64, d), make([]float64, d*d)}
	for i := range n {
		vmath.Axpy(m.Mean, 1/float64(n), data.Row(i))
	}
	x := make([]float64, d)
	for i := range n {
		vmath.Sub(x, data.Row(i), m.Mean)
		for j, v := range x {
			vmath.Axpy(m.Cov[j*d:j*d+j+1], v/float64(n), x[:j+1])
		}
	}
	for j := range d {
		for k := range j {
			m.Cov[k*d+j] = m.Cov[j*d+k]
		}
	}
	return m, nil
}

// Principal returns the eigenvalues of the covariance, largest first, and the
// principal directions as rows of a d x d matrix: orthonormal, each with its
// largest entry positive.
func (m *Moments) Principal() (values, directions []float64) { return eigen(m.Cov, len(m.Mean)) }

// PPCA is probabilistic principal component analysis (Tipping and Bishop 1999),
// the linear variational autoencoder in closed form: with z from N(0, I) in R^L,
//
//	x = Mean + z W + SD noise,   so x is from N(Mean, W'W + SD^2 I),
//
// rows as vectors, W of L x d, row-major, as in a linear decoder.
type PPCA struct {
	Mean, W []float64
	SD      float64
}

// NewPPCA returns a model with the given parameters, which it copies. It returns
// *ebmkit.ArgError if they do not fit, W has more rows than columns, an entry is
// not finite or sd is not positive.
func NewPPCA(mean, w []float64, sd float64) (*PPCA, error) {
	const fn = "vae.NewPPCA"
	d := len(mean)
	if d < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(mean)", Value: d, Want: "at least 1"}
	}
	if len(w) < d || len(w) > d*d || len(w)%d != 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(w)", Value: len(w), Want: fmt.Sprintf("L*%d with L from 1 to %d", d, d)}
	}
	for j, v := range mean {
		if !finite(v) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("mean[%d]", j), Value: v, Want: "a finite number"}
		}
	}
	for j, v := range w {
		if !finite(v) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("w[%d][%d]", j/d, j%d), Value: v, Want: "a finite number"}
		}
	}
	if !(sd > 0) || math.IsInf(sd, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "sd", Value: sd, Want: "a positive finite number"}
	}
	return &PPCA{append([]float64(nil), mean...), append([]float64(nil), w...), sd}, nil
}

// FitPPCA returns the maximum of the likelihood: with the eigenvalues
// l_1 >= l_2 .. of the covariance and its directions v_k,
//
//	SD^2 = mean of l_{L+1} .. l_d,   row k of W = sqrt(l_k - SD^2) v_k.
//
// W is determined up to a rotation of the code; this one has orthogonal rows,
// for which the posterior is a product, so that an encoder with a diagonal
// covariance reaches it. It returns *ebmkit.ArgError if latent is not in 1..d-1
// or the data have no variance outside of so many directions.
func FitPPCA(m *Moments, latent int) (*PPCA, error) {
	const fn = "vae.FitPPCA"
	d := len(m.Mean)
	if latent < 1 || latent >= d {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "latent", Value: latent, Want: fmt.Sprintf("from 1 to %d, so that there is noise to estimate", d-1)}
	}
	values, directions := m.Principal()
	var rest float64
	for _, v := range values[latent:] {
		rest += v
	}
	rest /= float64(d - latent)
	if !(rest > 1e-14*values[0]) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "latent", Value: latent, Want: "fewer: the data lie in so many directions, and their likelihood has no maximum"}
	}
	p := &PPCA{append([]float64(nil), m.Mean...), make([]float64, latent*d), math.Sqrt(rest)}
	for k := range latent {
		vmath.Axpy(p.W[k*d:(k+1)*d], math.Sqrt(max(values[k]-rest, 0)), directions[k*d:(k+1)*d])
	}
	return p, nil
}

// PPCA returns what a model with a linear decoder and the likelihood Gaussian is
// in closed form. It returns *ebmkit.ArgError for any other model.
func (m *Model) PPCA() (*PPCA, error) {
	if m.cfg.Likelihood != Gaussian || m.cfg.Deterministic || len(m.cfg.Decoder) > 0 {
		return nil, &ebmkit.ArgError{Func: "vae.Model.PPCA", Arg: "m", Value: fmt.Sprintf("%v, hidden layers %v", m.cfg.Likelihood, m.cfg.Decoder),
			Want: "a variational autoencoder with a linear decoder and the likelihood Gaussian"}
	}
	theta := m.dec.Params(nil)
	at := m.cfg.Latent * m.cfg.Dim
	return NewPPCA(theta[at:], theta[:at], m.SD())
}

// SetPPCA makes the model, whose networks must be linear, p with the encoder
//
//	mu(x) = (x - Mean) W' M^-1,   sigma_k^2 = SD^2 (M^-1)_kk,   M = W W' + SD^2 I,
//
// which is the best one with a diagonal covariance if the rows of W are
// orthogonal, as FitPPCA makes them: the ELBO is then the log-likelihood. It
// returns *ebmkit.ArgError if model and p do not fit.
func (m *Model) SetPPCA(p *PPCA) error {
	d, l := len(p.Mean), p.Latent()
	if m.cfg.Likelihood != Gaussian || m.cfg.Deterministic || m.cfg.FixSD || len(m.cfg.Encoder)+len(m.cfg.Decoder) > 0 ||
		m.cfg.Dim != d || m.cfg.Latent != l {
		return &ebmkit.ArgError{Func: "vae.Model.SetPPCA", Arg: "p", Value: fmt.Sprintf("%d codes in %d dimensions", l, d),
			Want: "a linear variational autoencoder of the same sizes, with the likelihood Gaussian"}
	}
	inv := p.invM()
	theta := m.Params(nil)
	c := 2 * l
	bias := theta[d*c : (d+1)*c]
	for k := range l {
		for j := range d {
			var s float64
			for r := range l {
				s += p.W[r*d+j] * inv[r*l+k]
			}
			theta[j*c+k], theta[j*c+l+k] = s, 0
		}
		bias[k], bias[l+k] = 0, vmath.Log(p.SD*p.SD*inv[k*l+k])
		for j := range d {
			bias[k] -= p.Mean[j] * theta[j*c+k]
		}
	}
	at := (d + 1) * c
	at += copy(theta[at:], p.W)
	at += copy(theta[at:], p.Mean)
	theta[at] = vmath.Log(p.SD)
	return m.SetParams(theta)
}

// Latent returns L.
func (p *PPCA) Latent() int { return len(p.W) / len(p.Mean) }

// invM returns the inverse of M = W W' + SD^2 I, L x L.
func (p *PPCA) invM() []float64 {
	d, l := len(p.Mean), p.Latent()
	m := make([]float64, l*l)
	for i := range l {
		for k := range l {
			m[i*l+k] = vmath.Dot(p.W[i*d:(i+1)*d], p.W[k*d:(k+1)*d])
		}
		m[i*l+i] += p.SD * p.SD
	}
	return inverse(m, l)
}

// Energy returns the law of the data, rho_theta(x) of review eq. (19), as an
// energy with closed log Z.
func (p *PPCA) Energy() (*energy.Gaussian, error) {
	d, l := len(p.Mean), p.Latent()
	cov := make([]float64, d*d)
	for i := range d {
		for j := range d {
			for k := range l {
				cov[i*d+j] += p.W[k*d+i] * p.W[k*d+j]
			}
		}
		cov[i*d+i] += p.SD * p.SD
	}
	return energy.NewGaussian(p.Mean, cov)
}

// LogLik returns the mean of log rho_theta(x) over data with these moments,
//
//	-[d log(2 pi) + log det C + tr(C^-1 S) + (m - Mean)' C^-1 (m - Mean)]/2,   C = W'W + SD^2 I.
func (p *PPCA) LogLik(m *Moments) (float64, error) {
	if err := p.fits("vae.PPCA.LogLik", m); err != nil {
		return 0, err
	}
	g, err := p.Energy()
	if err != nil {
		return 0, err
	}
	return -g.LogZ() - g.Energy(m.Mean) - vmath.Dot(g.Precision(nil), m.Cov)/2, nil
}

func (p *PPCA) fits(fn string, m *Moments) error {
	if len(m.Mean) != len(p.Mean) {
		return &ebmkit.ArgError{Func: fn, Arg: "len(m.Mean)", Value: len(m.Mean), Want: fmt.Sprint(len(p.Mean))}
	}
	return nil
}

// Posterior returns rho_theta(z|x) = N((x - Mean) W' M^-1, SD^2 M^-1) with its
// full covariance, M = W W' + SD^2 I. It panics on a wrong length.
func (p *PPCA) Posterior(x []float64) (*energy.Gaussian, error) {
	d, l := len(p.Mean), p.Latent()
	wantLen(len(x), d, "x")
	inv := p.invM()
	mean := make([]float64, l)
	for r := range l {
		var s float64
		for j := range d {
			s += (x[j] - p.Mean[j]) * p.W[r*d+j]
		}
		vmath.Axpy(mean, s, inv[r*l:(r+1)*l])
	}
	for i := range inv {
		inv[i] *= p.SD * p.SD
	}
	return energy.NewGaussian(mean, inv)
}

// ELBO returns the bound of review eq. (21) in closed form for one x and any
// Gaussian q on the code:
//
//	E_q[log rho_theta(x|z)] = -d log(SD sqrt(2 pi)) - [|x - Mean - mu W|^2 + tr(W W' Sigma)]/(2 SD^2),
//	KL(q || N(0, I)) = [tr Sigma + |mu|^2 - L]/2 - (log det Sigma)/2.
//
// It panics on a wrong length or dimension.
func (p *PPCA) ELBO(x []float64, q energy.Normal) float64 {
	d, l := len(p.Mean), p.Latent()
	wantLen(len(x), d, "x")
	wantLen(q.Dim(), l, "q")
	mu, cov := q.Mean(nil), q.Cov(nil)
	r := make([]float64, d)
	vmath.Sub(r, x, p.Mean)
	for k, v := range mu {
		vmath.Axpy(r, -v, p.W[k*d:(k+1)*d])
	}
	square, kl := vmath.Dot(r, r), vmath.Dot(mu, mu)-float64(l)
	for i := range l {
		kl += cov[i*l+i]
		for k := range l {
			square += cov[i*l+k] * vmath.Dot(p.W[i*d:(i+1)*d], p.W[k*d:(k+1)*d])
		}
	}
	// log det Sigma = 2 log Z - L log(2 pi)
	kl -= 2*q.LogZ() - float64(l)*log2Pi
	return -float64(d)*(vmath.Log(p.SD)+log2Pi/2) - square/(2*p.SD*p.SD) - kl/2
}

// EMStep takes one step of expectation and maximisation, review eq. (25), on data
// with the moments m, and never lowers the likelihood. It sets Mean to that of
// the data; then, with M = W W' + SD^2 I, the posteriors give
//
//	E = mean of E[z]'(x - Mean) = M^-1 W S,   C = mean of E[z'z] = SD^2 M^-1 + E W' M^-1,
//
// and their maximum is (Tipping and Bishop 1999, transposed)
//
//	W <- C^-1 E,   SD^2 <- tr(S - E' W)/d   with the new W.
//
// It converges to a stationary point, of which FitPPCA has the highest. It
// returns *ebmkit.ArgError if m does not fit, and *ebmkit.DivergedError if the
// noise goes to 0.
func (p *PPCA) EMStep(m *Moments) error {
	if err := p.fits("vae.PPCA.EMStep", m); err != nil {
		return err
	}
	d, l := len(p.Mean), p.Latent()
	inv := p.invM()
	a := make([]float64, l*d) // W S
	for k := range l {
		for j := range d {
			vmath.Axpy(a[k*d:(k+1)*d], p.W[k*d+j], m.Cov[j*d:(j+1)*d])
		}
	}
	e := make([]float64, l*d) // M^-1 W S, the correlation of codes and data
	for k := range l {
		for r := range l {
			vmath.Axpy(e[k*d:(k+1)*d], inv[k*l+r], a[r*d:(r+1)*d])
		}
	}
	c := make([]float64, l*l) // the mean of z z' under the posteriors
	for i := range l {
		for k := range l {
			c[i*l+k] = p.SD * p.SD * inv[i*l+k]
			for r := range l {
				c[i*l+k] += vmath.Dot(e[i*d:(i+1)*d], p.W[r*d:(r+1)*d]) * inv[r*l+k]
			}
		}
	}
	ci := inverse(c, l)
	w := make([]float64, l*d)
	for k := range l {
		for r := range l {
			vmath.Axpy(w[k*d:(k+1)*d], ci[k*l+r], e[r*d:(r+1)*d])
		}
	}
	var trace float64
	for j := range d {
		trace += m.Cov[j*d+j]
	}
	trace -= vmath.Dot(e, w)
	if !(trace > 0) {
		return &ebmkit.DivergedError{Func: "vae.PPCA.EMStep", Walker: -1, Value: trace, Hint: "the noise has gone to 0: the data lie in as many directions as the code has; take fewer"}
	}
	copy(p.Mean, m.Mean)
	p.W, p.SD = w, math.Sqrt(trace/float64(d))
	return nil
}

// EM takes steps of EMStep and returns the log-likelihood of the data, as LogLik
// has it, before the first step and after each: steps+1 numbers that never fall.
// It returns *ebmkit.ArgError if m does not fit or steps < 0, and
// *ebmkit.DivergedError if the noise goes to 0.
func (p *PPCA) EM(m *Moments, steps int) ([]float64, error) {
	const fn = "vae.PPCA.EM"
	if err := p.fits(fn, m); err != nil {
		return nil, err
	}
	if steps < 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "steps", Value: steps, Want: "not negative"}
	}
	like := make([]float64, steps+1)
	for k := range like {
		if k > 0 {
			if err := p.EMStep(m); err != nil {
				return nil, err
			}
		}
		var err error
		if like[k], err = p.LogLik(m); err != nil {
			return nil, err
		}
	}
	return like, nil
}

// Rotated returns the model with coordinates i and k of the code turned by an
// angle,
//
//	W_i <- cos(angle) W_i - sin(angle) W_k,   W_k <- sin(angle) W_i + cos(angle) W_k.
//
// The law of the data is the same, because N(0, I) is the same law of codes when
// it is turned. It returns *ebmkit.ArgError if i or k is no coordinate, they are
// equal, or angle is not finite.
func (p *PPCA) Rotated(i, k int, angle float64) (*PPCA, error) {
	const fn = "vae.PPCA.Rotated"
	l, d := p.Latent(), len(p.Mean)
	if i < 0 || i >= l {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "i", Value: i, Want: fmt.Sprintf("from 0 to %d", l-1)}
	}
	if k < 0 || k >= l || k == i {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "k", Value: k, Want: fmt.Sprintf("from 0 to %d and not i = %d", l-1, i)}
	}
	if !finite(angle) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "angle", Value: angle, Want: "a finite number"}
	}
	q, err := NewPPCA(p.Mean, p.W, p.SD)
	if err != nil {
		return nil, err
	}
	s, c := vmath.SinCos2Pi(angle / (2 * math.Pi))
	rotate(q.W[i*d:(i+1)*d], q.W[k*d:(k+1)*d], c, s)
	return q, nil
}

// inverse returns the inverse of a symmetric positive definite matrix.
func inverse(a []float64, n int) []float64 {
	inv := make([]float64, n*n)
	for i := range n {
		inv[i*n+i] = 1
	}
	a = append([]float64(nil), a...)
	for i := range n { // Gauss and Jordan; no pivots are needed
		f := 1 / a[i*n+i]
		for j := range n {
			a[i*n+j] *= f
			inv[i*n+j] *= f
		}
		for k := range n {
			if f := a[k*n+i]; k != i {
				for j := range n {
					a[k*n+j] -= f * a[i*n+j]
					inv[k*n+j] -= f * inv[i*n+j]
				}
			}
		}
	}
	return inv
}

// eigen returns eigenvalues, largest first, and eigenvectors, as rows, of a
// symmetric matrix by cyclic Jacobi rotations.
func eigen(a []float64, n int) (values, vectors []float64) {
	a = append([]float64(nil), a...)
	v := make([]float64, n*n)
	for i := range n {
		v[i*n+i] = 1
	}
	for range 60 {
		var off, on float64
		for i := range n {
			on += a[i*n+i] * a[i*n+i]
			for j := range i {
				off += a[i*n+j] * a[i*n+j]
			}
		}
		if off <= 1e-32*on {
			break
		}
		for p := range n {
			for q := p + 1; q < n; q++ {
				if a[p*n+q] == 0 {
					continue
				}
				theta := (a[q*n+q] - a[p*n+p]) / (2 * a[p*n+q])
				t := math.Copysign(1/(math.Abs(theta)+math.Sqrt(theta*theta+1)), theta)
				c := 1 / math.Sqrt(t*t+1)
				s := t * c
				for k := range n { // columns, then rows
					x, y := a[k*n+p], a[k*n+q]
					a[k*n+p], a[k*n+q] = c*x-s*y, s*x+c*y
				}
				rotate(a[p*n:(p+1)*n], a[q*n:(q+1)*n], c, s)
				rotate(v[p*n:(p+1)*n], v[q*n:(q+1)*n], c, s)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
		for k := i; k > 0 && a[order[k]*n+order[k]] > a[order[k-1]*n+order[k-1]]; k-- {
			order[k], order[k-1] = order[k-1], order[k]
		}
	}
	values, vectors = make([]float64, n), make([]float64, n*n)
	for i, k := range order {
		values[i] = a[k*n+k]
		row := v[k*n : (k+1)*n]
		big := 0
		for j, x := range row {
			if math.Abs(x) > math.Abs(row[big])*(1+1e-12) {
				big = j
			}
		}
		vmath.Axpy(vectors[i*n:(i+1)*n], math.Copysign(1, row[big]), row)
	}
	return values, vectors
}

func rotate(x, y []float64, c, s float64) {
	for k, u := range x {
		x[k], y[k] = c*u-s*y[k], s*u+c*y[k]
	}
}
