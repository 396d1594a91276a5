package vae

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Likelihood is the law of data given a code.
type Likelihood uint8

// The likelihoods, with y the output of the decoder's network.
const (
	// Gaussian is N(y(z), s^2 I) with one s, learned unless Config.FixSD.
	Gaussian Likelihood = iota
	// GaussianDiag is N(mu(z), diag sigma(z)^2) with y = (mu, log sigma^2), review
	// eq. (18). It has no maximum likelihood: sigma goes to 0 where data repeat.
	GaussianDiag
	// Bernoulli is independent pixels that are 1 with probability
	// 1/(1 + e^(-y_j)). Grey values between 0 and 1 are taken as probabilities:
	// the log-likelihood is then a cross-entropy.
	Bernoulli
	likelihoods
)

func (l Likelihood) String() string {
	if l >= likelihoods {
		return fmt.Sprintf("Likelihood(%d)", uint8(l))
	}
	return [...]string{"Gaussian", "GaussianDiag", "Bernoulli"}[l]
}

// Config describes a Model.
type Config struct {
	Dim    int // d, of the data
	Latent int // L, of the code

	// Encoder and Decoder are the widths of the hidden layers, in the direction of
	// the network; nil makes it linear.
	Encoder, Decoder []int
	Act              nn.Activation // of the hidden layers

	Likelihood Likelihood
	SD         float64 // s of Gaussian at the start; 0 means 1
	FixSD      bool    // s stays

	// Deterministic makes a plain autoencoder: z = e(x), without noise and
	// without a law of codes. The loss is |x - d(e(x))|^2 for Gaussian, and the
	// cross-entropy for Bernoulli.
	Deterministic bool

	Precision nn.Precision
	Seed      uint64
}

// Model is a variational autoencoder. Its parameters are those of the encoder's
// network, of the decoder's, and log s if it is learned. Methods are safe for
// concurrent use, SetParams and training excepted; they panic on a wrong length.
type Model struct {
	cfg      Config
	enc, dec *nn.MLP
	logSD    float64
}

// New returns a model with random networks (nn.NewMLP). It returns
// *ebmkit.ArgError if Latent is larger than Dim, a width is not positive, SD is
// not a positive number, or a value is unknown.
func New(cfg Config) (*Model, error) {
	const fn = "vae.New"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if cfg.Dim < 1 {
		return nil, bad("Dim", cfg.Dim, "at least 1")
	}
	if cfg.Latent < 1 || cfg.Latent > cfg.Dim {
		return nil, bad("Latent", cfg.Latent, fmt.Sprintf("from 1 to Dim = %d: a wider code has nothing to compress", cfg.Dim))
	}
	if cfg.Likelihood >= likelihoods {
		return nil, bad("Likelihood", cfg.Likelihood, "Gaussian, GaussianDiag or Bernoulli")
	}
	if cfg.SD == 0 {
		cfg.SD = 1
	}
	if !(cfg.SD > 0) || math.IsInf(cfg.SD, 1) {
		return nil, bad("SD", cfg.SD, "a positive finite number")
	}
	if cfg.Likelihood != Gaussian && (cfg.FixSD || cfg.SD != 1) {
		return nil, bad("SD", cfg.SD, "the zero value: only Gaussian has one standard deviation")
	}
	if cfg.Deterministic && (cfg.Likelihood == GaussianDiag || cfg.FixSD || cfg.SD != 1) {
		return nil, bad("Deterministic", true, "Gaussian or Bernoulli, without SD: a plain autoencoder has no law of data")
	}
	cfg.Encoder, cfg.Decoder = slices.Clone(cfg.Encoder), slices.Clone(cfg.Decoder)
	m := &Model{cfg: cfg, logSD: vmath.Log(cfg.SD)}
	for _, net := range []struct {
		arg     string
		to      **nn.MLP
		in, out int
		hidden  []int
		seed    uint64
	}{
		{"Encoder", &m.enc, cfg.Dim, m.codeWidth(), cfg.Encoder, cfg.Seed},
		{"Decoder", &m.dec, cfg.Latent, m.dataWidth(), cfg.Decoder, ebmkit.NewStream(cfg.Seed, "decoder", 0).Uint64()},
	} {
		for l, w := range net.hidden {
			if w < 1 {
				return nil, bad(fmt.Sprintf("%s[%d]", net.arg, l), w, "at least 1")
			}
		}
		sizes := append(append([]int{net.in}, net.hidden...), net.out)
		mlp, err := nn.NewMLP(nn.Config{Sizes: sizes, Act: cfg.Act, Precision: cfg.Precision, Seed: net.seed})
		if err != nil {
			return nil, err
		}
		*net.to = mlp
	}
	return m, nil
}

// codeWidth returns the number of outputs of the encoder, dataWidth those of the
// decoder.
func (m *Model) codeWidth() int {
	if m.cfg.Deterministic {
		return m.cfg.Latent
	}
	return 2 * m.cfg.Latent
}

func (m *Model) dataWidth() int {
	if m.cfg.Likelihood == GaussianDiag {
		return 2 * m.cfg.Dim
	}
	return m.cfg.Dim
}

// learnsSD says whether log s is a parameter.
func (m *Model) learnsSD() bool {
	return m.cfg.Likelihood == Gaussian && !m.cfg.FixSD && !m.cfg.Deterministic
}

// Config returns the description of the model.
func (m *Model) Config() Config {
	c := m.cfg
	c.Encoder, c.Decoder = slices.Clone(c.Encoder), slices.Clone(c.Decoder)
	return c
}

// Dim returns d.
func (m *Model) Dim() int { return m.cfg.Dim }

// Latent returns L.
func (m *Model) Latent() int { return m.cfg.Latent }

// SD returns the standard deviation s of a Gaussian likelihood, NaN for others.
func (m *Model) SD() float64 {
	if m.cfg.Likelihood != Gaussian || m.cfg.Deterministic {
		return math.NaN()
	}
	return vmath.Exp(m.logSD)
}

// Encoder returns the network from data to (mu, log sigma^2). Its parameters are
// set through SetParams of the model.
func (m *Model) Encoder() *nn.MLP { return m.enc }

// Decoder returns the network from codes to the parameters of the likelihood; see
// Encoder.
func (m *Model) Decoder() *nn.MLP { return m.dec }

// NumParams returns the number of parameters.
func (m *Model) NumParams() int {
	n := m.enc.NumParams() + m.dec.NumParams()
	if m.learnsSD() {
		n++
	}
	return n
}

// Params copies the parameters into dst (allocated if nil) and returns it.
func (m *Model) Params(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, m.NumParams())
	}
	wantLen(len(dst), m.NumParams(), "dst")
	e, d := m.enc.NumParams(), m.dec.NumParams()
	m.enc.Params(dst[:e])
	m.dec.Params(dst[e : e+d])
	if m.learnsSD() {
		dst[e+d] = m.logSD
	}
	return dst
}

// SetParams copies theta into the model. It returns *ebmkit.ArgError, and leaves
// the model as it was, if theta has the wrong length or is not finite.
func (m *Model) SetParams(theta []float64) error {
	const fn = "vae.Model.SetParams"
	if len(theta) != m.NumParams() {
		return &ebmkit.ArgError{Func: fn, Arg: "len(theta)", Value: len(theta), Want: fmt.Sprint(m.NumParams())}
	}
	top := math.MaxFloat64
	if m.cfg.Precision == nn.Float32 {
		top = math.MaxFloat32
	}
	for k, v := range theta {
		if !(math.Abs(v) <= top) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("theta[%d]", k), Value: v, Want: "a finite number"}
		}
	}
	e, d := m.enc.NumParams(), m.dec.NumParams()
	if m.learnsSD() {
		if err := checkLogSD(fn, theta[e+d]); err != nil {
			return err
		}
		m.logSD = theta[e+d]
	}
	if err := m.enc.SetParams(theta[:e]); err != nil {
		return err
	}
	return m.dec.SetParams(theta[e : e+d])
}

// checkLogSD returns *ebmkit.ArgError if s^2 is 0 or infinite, or nearly so.
func checkLogSD(fn string, v float64) error {
	if math.Abs(v) < 300 {
		return nil
	}
	return &ebmkit.ArgError{Func: fn, Arg: "log s", Value: v, Want: "a number between -300 and 300"}
}

// Encode writes the mean of q_phi(z|x) into mean (allocated if nil), which it
// returns, and the standard deviation into sd, both n x L, for every row of xs.
// sd may be nil, which means do not compute it; it is 0 for a plain autoencoder.
func (m *Model) Encode(mean, sd, xs []float64) []float64 {
	n, l, c := rowsOf(len(xs), m.cfg.Dim, "xs"), m.cfg.Latent, m.codeWidth()
	if mean == nil {
		mean = make([]float64, n*l)
	}
	wantLen(len(mean), n*l, "mean")
	if sd != nil {
		wantLen(len(sd), n*l, "sd")
	}
	h := make([]float64, n*c)
	m.enc.NewPass().Values(h, xs)
	for i := range n {
		copy(mean[i*l:(i+1)*l], h[i*c:])
		for k := range l {
			if sd == nil {
				break
			}
			if m.cfg.Deterministic {
				sd[i*l+k] = 0
				continue
			}
			sd[i*l+k] = vmath.Exp(h[i*c+l+k] / 2)
		}
	}
	return mean
}

// Decode writes the mean of rho_theta(x|z), n x d, for every row of zs into mean
// (allocated if nil) and returns it: for Bernoulli the probabilities.
func (m *Model) Decode(mean, zs []float64) []float64 {
	n, d, w := rowsOf(len(zs), m.cfg.Latent, "zs"), m.cfg.Dim, m.dataWidth()
	if mean == nil {
		mean = make([]float64, n*d)
	}
	wantLen(len(mean), n*d, "mean")
	y := make([]float64, n*w)
	m.dec.NewPass().Values(y, zs)
	for i := range n {
		copy(mean[i*d:(i+1)*d], y[i*w:])
	}
	if m.cfg.Likelihood == Bernoulli {
		vmath.SigmoidSlice(mean, mean)
	}
	return mean
}

// Reconstruct writes for every row of xs the decoder's mean at the encoder's
// mean into dst (allocated if nil) and returns it. dst may be xs.
func (m *Model) Reconstruct(dst, xs []float64) []float64 {
	return m.Decode(dst, m.Encode(nil, nil, xs))
}

// SquaredError returns the mean over the rows of xs of the loss of Figure 2 of
// the review,
//
//	|x - d(e(x))|^2,
//
// with d(e(x)) as Reconstruct has it. It returns *ebmkit.ArgError if xs does not
// fit.
func (m *Model) SquaredError(xs *ebmkit.Ensemble) (ebmkit.Estimate, error) {
	if err := m.checkData("vae.Model.SquaredError", "xs", xs); err != nil {
		return ebmkit.Estimate{}, err
	}
	back, d := m.Reconstruct(nil, xs.X), m.cfg.Dim
	vmath.Sub(back, back, xs.X)
	rows := make([]float64, xs.N)
	for i := range rows {
		r := back[i*d : (i+1)*d]
		rows[i] = vmath.Dot(r, r)
	}
	return ebmkit.MeanOf(rows), nil
}

// Sample returns n draws from the model: a code from the prior, then data given
// the code, review eq. (17). Decode of codes gives pictures without the noise of
// the last step. It returns *ebmkit.ArgError if n < 1 or the model is a plain
// autoencoder, which is no law of data.
func (m *Model) Sample(n int, seed uint64) (*ebmkit.Ensemble, error) {
	const fn = "vae.Model.Sample"
	if err := m.wantLaw(fn); err != nil {
		return nil, err
	}
	zs, err := ebmkit.NewEnsemble(max(n, 0), m.cfg.Latent)
	if err != nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 1"}
	}
	ebmkit.NewStream(seed, "code", 0).FillNormal(zs.X)
	return m.SampleGiven(zs, seed)
}

// SampleGiven returns one draw of data from rho_theta(x|z) for every code z, a
// row of zs: the last step of Sample, with codes of one's own. It returns
// *ebmkit.ArgError if zs is empty, not finite or of another dimension than the
// code, or the model is a plain autoencoder.
func (m *Model) SampleGiven(zs *ebmkit.Ensemble, seed uint64) (*ebmkit.Ensemble, error) {
	const fn = "vae.Model.SampleGiven"
	if err := m.wantLaw(fn); err != nil {
		return nil, err
	}
	if err := minibatch.Check(fn, "zs", zs, m.cfg.Latent); err != nil {
		return nil, err
	}
	out, err := ebmkit.NewEnsemble(zs.N, m.cfg.Dim)
	if err != nil {
		return nil, err
	}
	d, w := m.cfg.Dim, m.dataWidth()
	y := make([]float64, zs.N*w)
	m.dec.NewPass().Values(y, zs.X)
	s := ebmkit.NewStream(seed, "data", 0)
	sd := vmath.Exp(m.logSD)
	for i := range zs.N {
		x, y := out.Row(i), y[i*w:(i+1)*w]
		for j := range x {
			switch m.cfg.Likelihood {
			case Gaussian:
				x[j] = y[j] + sd*s.Normal()
			case GaussianDiag:
				x[j] = y[j] + vmath.Exp(y[d+j]/2)*s.Normal()
			case Bernoulli:
				if s.Float64() < vmath.Sigmoid(y[j]) {
					x[j] = 1
				}
			}
		}
	}
	return out, nil
}

// wantLaw returns an error for a plain autoencoder.
func (m *Model) wantLaw(fn string) error {
	if m.cfg.Deterministic {
		return &ebmkit.ArgError{Func: fn, Arg: "Config.Deterministic", Value: true, Want: "a variational autoencoder: a plain one is no law of data"}
	}
	return nil
}

// checkData returns an error unless e holds points that the model can explain.
func (m *Model) checkData(fn, arg string, e *ebmkit.Ensemble) error {
	if err := minibatch.Check(fn, arg, e, m.cfg.Dim); err != nil {
		return err
	}
	if m.cfg.Likelihood != Bernoulli {
		return nil
	}
	for i, v := range e.X {
		if v < 0 || v > 1 {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s, point %d, coordinate %d", arg, i/e.Dim, i%e.Dim), Value: v,
				Want: "between 0 and 1, as Bernoulli has it: scale the data, or take Gaussian"}
		}
	}
	return nil
}

func rowsOf(n, width int, what string) int {
	if n%width != 0 {
		panic("vae: len(" + what + ") is not a multiple of the width of a row")
	}
	return n / width
}

func wantLen(got, want int, what string) {
	if got != want {
		panic("vae: len(" + what + ") does not fit")
	}
}
