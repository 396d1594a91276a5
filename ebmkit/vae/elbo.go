package vae

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// log2Pi is log(2 pi).
const log2Pi = 1.8378770664093454836

// Gradient is the way to differentiate E_q[log rho_theta(x|z)] in phi.
type Gradient uint8

const (
	// Pathwise is the reparametrisation z = mu + sigma eps, review eq. (31),
	// differentiated through the decoder.
	Pathwise Gradient = iota
	// ScoreFunction is E_q[(log rho_theta(x|z) - b) d log q_phi(z|x)/dphi], which
	// asks nothing of the decoder and is noisier. With R > 1 samples the baseline
	// b of each is the mean over the others, which leaves the gradient unbiased;
	// with one there is none.
	ScoreFunction
)

func (g Gradient) String() string {
	switch g {
	case Pathwise:
		return "Pathwise"
	case ScoreFunction:
		return "ScoreFunction"
	}
	return fmt.Sprintf("Gradient(%d)", uint8(g))
}

// objective is what a gradient is taken of.
type objective struct {
	beta     float64
	samples  int // R
	gradient Gradient
}

// kernels holds the elementwise loops of one element type.
type kernels[T nn.Float] struct {
	softplus func(y, dy, z []T) // log(1 + e^z) and its derivative
	// bernoulli returns sum_i x_i y_i - sp_i and sets dy_i = w (dy_i - x_i).
	bernoulli func(dy, x, y, sp []T, w T) float64
	pass      func(n *nn.MLP) *nn.Pass[T]
}

var kernels32 = kernels[float32]{vmath.Softplus32Slice, vmath.Bernoulli32, (*nn.MLP).NewPass32}

var kernels64 = kernels[float64]{
	func(y, dy, z []float64) {
		vmath.SigmoidSlice(dy, z)
		vmath.SoftplusSlice(y, z)
	},
	bernoulli64,
	(*nn.MLP).NewPass,
}

// bernoulli64 is vmath.Bernoulli32 in float64.
func bernoulli64(dy, x, y, sp []float64, w float64) float64 {
	var s0, s1, s2, s3 float64
	dy, y, sp = dy[:len(x)], y[:len(x)], sp[:len(x)]
	j := 0
	for ; j+4 <= len(x); j += 4 {
		x, y, sp, dy := x[j:j+4:j+4], y[j:j+4:j+4], sp[j:j+4:j+4], dy[j:j+4:j+4]
		s0 += float64(x[0]*y[0]) - sp[0]
		s1 += float64(x[1]*y[1]) - sp[1]
		s2 += float64(x[2]*y[2]) - sp[2]
		s3 += float64(x[3]*y[3]) - sp[3]
		dy[0] = w * (dy[0] - x[0])
		dy[1] = w * (dy[1] - x[1])
		dy[2] = w * (dy[2] - x[2])
		dy[3] = w * (dy[3] - x[3])
	}
	for ; j < len(x); j++ {
		s0 += float64(x[j]*y[j]) - sp[j]
		dy[j] = w * (dy[j] - x[j])
	}
	return (s0 + s2) + (s1 + s3)
}

// engine computes the Monte Carlo ELBO of review eq. (32) and its gradient, with
// noise that is given.
type engine[T nn.Float] struct {
	m        *Model
	k        *kernels[T]
	enc, dec *nn.Pass[T]

	n, r  int
	eps   []float64 // noise, n*R x L: sample s of row i is row i*R+s
	h, dh []T       // outputs of the encoder
	sd    []float64 // n x L
	z, dz []T       // n*R x L
	logp  []float64 // log rho_theta(x|z), n*R

	// The loop that runs.
	xs      []T
	weight  float64
	scratch []T // a row of the decoder for each block
	loss    func(dy, y []T, lo int)
}

func newEngine[T nn.Float](m *Model, k *kernels[T]) *engine[T] {
	e := &engine[T]{m: m, k: k, enc: k.pass(m.enc), dec: k.pass(m.dec)}
	e.loss = e.rows
	e.enc.Overwrites(true)
	e.dec.Overwrites(true)
	return e
}

// reserve makes room for n rows with r samples each.
func (e *engine[T]) reserve(n, r int) {
	l, c := e.m.cfg.Latent, e.m.codeWidth()
	e.n, e.r = n, r
	room(&e.h, n*c)
	room(&e.dh, n*c)
	room(&e.sd, n*l)
	room(&e.logp, n*r)
	room(&e.eps, n*r*l)
	room(&e.z, n*r*l)
	room(&e.dz, n*r*l)
	room(&e.scratch, (n*r+ebmkit.BlockRows-1)/ebmkit.BlockRows*e.m.dataWidth())
}

// room gives s the length n, in memory kept between calls.
func room[E any](s *[]E, n int) {
	if cap(*s) < n {
		*s = make([]E, n)
	}
	*s = (*s)[:n]
}

// grad returns the means over rows of Recon and KL at xs, the rows for which
// reserve made room, with the noise in e.eps, and writes the gradient of
// -(Recon - beta KL) into dst unless it is nil.
func (e *engine[T]) grad(dst, xs []T, o objective) (recon, kl float64) {
	m := e.m
	l, c, ne := m.cfg.Latent, m.codeWidth(), m.enc.NumParams()
	e.enc.Forward(e.h, xs)
	if m.cfg.Deterministic {
		copy(e.z, e.h)
	} else {
		kl = e.reparametrise()
	}
	e.xs, e.weight = xs, 1/float64(e.n*e.r)
	var ddec, dz []T
	if dst != nil {
		ddec = dst[ne : ne+m.dec.NumParams()]
		if o.gradient == Pathwise {
			dz = e.dz
		}
	}
	e.dec.Grad(ddec, dz, e.z, e.loss)
	e.xs = nil
	for _, v := range e.logp {
		recon += v
	}
	recon /= float64(len(e.logp))
	if dst == nil {
		return recon, kl
	}
	if m.learnsSD() {
		// |x - y|^2/s^2 from the mean of log rho(x|z) itself.
		d := float64(m.cfg.Dim)
		dst[len(dst)-1] = T(d - 2*(-recon-d*m.logSD-d/2*log2Pi))
	}
	switch {
	case m.cfg.Deterministic:
		copy(e.dh, e.dz)
	case o.gradient == Pathwise:
		for i := range e.n {
			h, dh := e.h[i*c:(i+1)*c], e.dh[i*c:(i+1)*c]
			for k := range l {
				s := e.sd[i*l+k]
				var dmu, dsd float64
				for at := i*e.r*l + k; at < (i+1)*e.r*l; at += l {
					g := float64(e.dz[at])
					dmu += g
					dsd += g * e.eps[at]
				}
				dh[k], dh[l+k] = e.codeGrad(float64(h[k]), s, dmu, dsd*s/2, o.beta)
			}
		}
	default:
		for i := range e.n {
			h, dh := e.h[i*c:(i+1)*c], e.dh[i*c:(i+1)*c]
			logp := e.logp[i*e.r : (i+1)*e.r]
			var sum float64
			for _, v := range logp {
				sum += v
			}
			for k := range l {
				s := e.sd[i*l+k]
				var dmu, dlv float64
				for r, v := range logp {
					if e.r > 1 {
						v -= (sum - v) / float64(e.r-1)
					}
					eps := e.eps[(i*e.r+r)*l+k]
					dmu -= e.weight * v * eps / s
					dlv -= e.weight * v * (eps*eps - 1) / 2
				}
				dh[k], dh[l+k] = e.codeGrad(float64(h[k]), s, dmu, dlv, o.beta)
			}
		}
	}
	e.enc.Backward(dst[:ne], nil, e.dh)
	return recon, kl
}

// codeGrad adds the gradient of beta KL in mu and log sigma^2 to that of -Recon.
func (e *engine[T]) codeGrad(mu, sd, dmu, dlv, beta float64) (T, T) {
	b := beta / float64(e.n)
	return T(dmu + b*mu), T(dlv + b*(sd*sd-1)/2)
}

// reparametrise makes the codes z = mu + sigma eps and returns the mean over rows
// of
//
//	KL(q_phi(z|x) || N(0, I)) = sum_k (mu_k^2 + sigma_k^2 - 1 - log sigma_k^2)/2.
func (e *engine[T]) reparametrise() (kl float64) {
	l, c := e.m.cfg.Latent, e.m.codeWidth()
	for i := range e.n {
		for k, lv := range e.h[i*c+l : (i+1)*c] {
			e.sd[i*l+k] = float64(lv) / 2
		}
	}
	vmath.ExpSlice(e.sd, e.sd)
	for i := range e.n {
		h, sd := e.h[i*c:(i+1)*c], e.sd[i*l:(i+1)*l]
		for k, s := range sd {
			mu, lv := float64(h[k]), float64(h[l+k])
			kl += mu*mu + (s*s - 1 - lv)
			for at := i*e.r*l + k; at < (i+1)*e.r*l; at += l {
				e.z[at] = T(mu + s*e.eps[at])
			}
		}
	}
	return kl / 2 / float64(e.n)
}

// rows is the loss of one block of codes: it writes log rho_theta(x|z) into logp
// and the gradient of weight times its negative into dy.
func (e *engine[T]) rows(dy, y []T, lo int) {
	d, w := e.m.cfg.Dim, e.m.dataWidth()
	buf := e.scratch[lo/ebmkit.BlockRows*w:][:w]
	for i := range len(y) / w {
		x := e.xs[(lo+i)/e.r*d:][:d]
		e.logp[lo+i] = e.row(dy[i*w:(i+1)*w], y[i*w:(i+1)*w], x, buf)
	}
}

func (e *engine[T]) row(dy, y, x, buf []T) float64 {
	m, d := e.m, float64(len(x))
	dy = dy[:len(y)]
	switch {
	case m.cfg.Likelihood == Bernoulli:
		e.k.softplus(buf, dy, y)
		return e.k.bernoulli(dy, x, y, buf, T(e.weight))
	case m.cfg.Likelihood == GaussianDiag:
		var s float64
		for j, v := range x {
			lv, r := float64(y[len(x)+j]), float64(y[j])-float64(v)
			prec := vmath.Exp(-lv)
			s += r*r*prec + lv
			dy[j] = T(e.weight * r * prec)
			dy[len(x)+j] = T(e.weight * (1 - r*r*prec) / 2)
		}
		return -(s + d*log2Pi) / 2
	}
	prec, constant := vmath.Exp(-2*m.logSD), d*m.logSD+d/2*log2Pi
	if m.cfg.Deterministic {
		prec, constant = 2, 0
	}
	w := T(e.weight * prec)
	var s float64
	for j, v := range x {
		r := y[j] - v
		s += float64(r) * float64(r)
		dy[j] = w * r
	}
	return -s*prec/2 - constant
}

// Terms are means over rows of the two parts of the ELBO and of their
// difference. The standard errors are those of means over the law that the rows
// came from, the noise of the codes included.
type Terms struct {
	Recon, KL, ELBO ebmkit.Estimate
}

// ELBO returns the terms of the bound on the rows of xs, each with so many codes
// drawn from the encoder, review eq. (32). KL is exact for each row. It returns
// *ebmkit.ArgError if xs does not fit, samples < 1, or the model is a plain
// autoencoder.
func (m *Model) ELBO(xs *ebmkit.Ensemble, samples int, seed uint64) (Terms, error) {
	const fn = "vae.Model.ELBO"
	if err := m.check(fn, xs, samples); err != nil {
		return Terms{}, err
	}
	recon, kl, elbo := make([]float64, xs.N), make([]float64, xs.N), make([]float64, xs.N)
	e := newEngine(m, &kernels64)
	s := ebmkit.NewStream(seed, "elbo", 0)
	chunk := chunkRows(samples, m.cfg.Dim)
	for lo := 0; lo < xs.N; lo += chunk {
		n := min(chunk, xs.N-lo)
		e.reserve(n, samples)
		s.FillNormal(e.eps)
		e.grad(nil, xs.X[lo*xs.Dim:(lo+n)*xs.Dim], objective{beta: 1, samples: samples})
		for i := range n {
			var r float64
			for _, v := range e.logp[i*samples : (i+1)*samples] {
				r += v
			}
			recon[lo+i], kl[lo+i] = r/float64(samples), e.klOf(i, nil)
			elbo[lo+i] = recon[lo+i] - kl[lo+i]
		}
	}
	return Terms{ebmkit.MeanOf(recon), ebmkit.MeanOf(kl), ebmkit.MeanOf(elbo)}, nil
}

// chunkRows bounds the memory of a pass over many rows.
func chunkRows(samples, dim int) int { return max(1, 1<<20/(samples*dim)) }

// klOf returns KL(q(z|x_i) || prior), and adds the part of each coordinate of
// the code to parts unless it is nil.
func (e *engine[T]) klOf(i int, parts []float64) (kl float64) {
	l, c := e.m.cfg.Latent, e.m.codeWidth()
	for k, s := range e.sd[i*l : (i+1)*l] {
		mu, lv := float64(e.h[i*c+k]), float64(e.h[i*c+l+k])
		v := (mu*mu + (s*s - 1 - lv)) / 2
		kl += v
		if parts != nil {
			parts[k] += v
		}
	}
	return kl
}

// LatentKL returns, for each coordinate of the code, the mean over the rows of xs
// of KL(q(z_k|x) || N(0, 1)). A coordinate with almost none carries nothing of
// the data: its posterior has collapsed. Errors as ELBO.
func (m *Model) LatentKL(xs *ebmkit.Ensemble) ([]float64, error) {
	if err := m.check("vae.Model.LatentKL", xs, 1); err != nil {
		return nil, err
	}
	l := m.cfg.Latent
	mean, sd, kl := make([]float64, xs.N*l), make([]float64, xs.N*l), make([]float64, l)
	m.Encode(mean, sd, xs.X)
	for at, s := range sd {
		kl[at%l] += (mean[at]*mean[at] + (s*s - 1 - 2*vmath.Log(s))) / 2
	}
	for k := range kl {
		kl[k] /= float64(xs.N)
	}
	return kl, nil
}

// LogLik is an importance-weighted estimate of log rho_theta(x).
type LogLik struct {
	Mean ebmkit.Estimate   // over the rows, with the error of a mean over their law
	Row  []ebmkit.Estimate // of each row, with the error of the weights
	ESS  []float64         // effective number of weights of each row, 1..K
}

// Below returns the mean over the rows of exact_i - Row_i, how far the estimate
// lies below the log-likelihoods, with the error of a mean of differences: the
// spread of the log-likelihood itself drops out. It panics if exact has not one
// number a row.
func (l *LogLik) Below(exact []float64) ebmkit.Estimate {
	wantLen(len(exact), len(l.Row), "exact")
	miss := make([]float64, len(exact))
	for i, e := range l.Row {
		miss[i] = exact[i] - e.Value
	}
	return ebmkit.MeanOf(miss)
}

// LowESS returns the number of rows with fewer effective weights than ess.
func (l *LogLik) LowESS(ess float64) (n int) {
	for _, v := range l.ESS {
		if v < ess {
			n++
		}
	}
	return n
}

// LogLikelihood estimates log rho_theta(x) of the rows of xs by importance
// sampling with the encoder (Burda, Grosse and Salakhutdinov 2016),
//
//	log [ (1/K) sum_s w_s ],   w_s = rho_theta(x, z_s)/q_phi(z_s|x),   z_s from q_phi,
//
// with K samples a row. In the mean it is a lower bound, never below the ELBO,
// which is the case K = 1, and rises to the truth with K; a small ESS says that
// it is far from it, and then the errors are too small. Errors as ELBO.
func (m *Model) LogLikelihood(xs *ebmkit.Ensemble, samples int, seed uint64) (*LogLik, error) {
	const fn = "vae.Model.LogLikelihood"
	if err := m.check(fn, xs, samples); err != nil {
		return nil, err
	}
	out := &LogLik{Row: make([]ebmkit.Estimate, xs.N), ESS: make([]float64, xs.N)}
	values := make([]float64, xs.N)
	e := newEngine(m, &kernels64)
	s := ebmkit.NewStream(seed, "importance", 0)
	l, c := m.cfg.Latent, m.codeWidth()
	chunk := chunkRows(samples, m.cfg.Dim)
	for lo := 0; lo < xs.N; lo += chunk {
		n := min(chunk, xs.N-lo)
		e.reserve(n, samples)
		s.FillNormal(e.eps)
		e.grad(nil, xs.X[lo*xs.Dim:(lo+n)*xs.Dim], objective{beta: 1, samples: samples})
		for i := range n {
			logw := e.logp[i*samples : (i+1)*samples]
			for r := range logw {
				for k := range l {
					at := (i*samples+r)*l + k
					z, eps := float64(e.z[at]), e.eps[at]
					logw[r] += (eps*eps-z*z)/2 + float64(e.h[i*c+l+k])/2
				}
			}
			values[lo+i], out.Row[lo+i].SE, out.ESS[lo+i] = logMean(logw)
			out.Row[lo+i].Value = values[lo+i]
		}
	}
	out.Mean = ebmkit.MeanOf(values)
	return out, nil
}

// logMean returns log of the mean of exp(logw), its error by the delta method
// and the effective number of weights.
func logMean(logw []float64) (v, se, ess float64) {
	n := float64(len(logw))
	v = vmath.LogSumExp(logw) - vmath.Log(n)
	var square float64
	for _, w := range logw {
		r := vmath.Exp(w - v) // of mean 1
		square += r * r
	}
	ess = n * n / square
	se = math.Inf(1)
	if len(logw) > 1 {
		se = math.Sqrt(max(square/n-1, 0) / (n - 1))
	}
	return v, se, ess
}

func (m *Model) check(fn string, xs *ebmkit.Ensemble, samples int) error {
	if err := m.wantLaw(fn); err != nil {
		return err
	}
	if samples < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "samples", Value: samples, Want: "at least 1"}
	}
	return m.checkData(fn, "xs", xs)
}

// GradientSpread returns mean and standard deviation of each component of the
// gradient of -ELBO in all parameters, over repeated draws of the noise at the
// rows of xs. Both gradients have the same mean; the standard deviations compare
// them (review, after eq. (31)). Those of the decoder are the same. Errors as
// ELBO; also if repeats < 2 or g is unknown.
func (m *Model) GradientSpread(g Gradient, xs *ebmkit.Ensemble, samples, repeats int, seed uint64) (mean, sd []float64, err error) {
	const fn = "vae.Model.GradientSpread"
	if err := m.check(fn, xs, samples); err != nil {
		return nil, nil, err
	}
	if repeats < 2 {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "repeats", Value: repeats, Want: "at least 2"}
	}
	if g > ScoreFunction {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "g", Value: g, Want: "Pathwise or ScoreFunction"}
	}
	e := newEngine(m, &kernels64)
	e.reserve(xs.N, samples)
	s := ebmkit.NewStream(seed, "spread", 0)
	p := m.NumParams()
	grad := make([]float64, p)
	mean, sd = make([]float64, p), make([]float64, p)
	for k := range repeats {
		s.FillNormal(e.eps)
		e.grad(grad, xs.X, objective{1, samples, g})
		// Welford.
		for i, v := range grad {
			delta := v - mean[i]
			mean[i] += delta / float64(k+1)
			sd[i] += delta * (v - mean[i])
		}
	}
	for i, v := range sd {
		sd[i] = math.Sqrt(v / float64(repeats-1))
	}
	return mean, sd, nil
}
