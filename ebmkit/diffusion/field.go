package diffusion

import (
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// DivergenceField is a field whose divergence is known, which is what the
// likelihood of a flow needs.
type DivergenceField interface {
	ebmkit.Field
	// Divergence writes sum_j d f_j/d x_j at time t for every row of xs into dst
	// (one number per row). It panics on a wrong length.
	Divergence(dst []float64, t float64, xs []float64)
}

var (
	_ ebmkit.Field    = Func{}
	_ ebmkit.Field    = mixed{}
	_ ebmkit.Field    = sum{}
	_ DivergenceField = linear{}
	_ DivergenceField = mixedDivergence{}
	_ DivergenceField = Differences{}
)

// Func is a field given by a function of one point; it must be safe for
// concurrent calls.
type Func struct {
	D int // dimension
	F func(dst []float64, t float64, x []float64)
}

// Dim returns D.
func (f Func) Dim() int { return f.D }

// At calls F for every row.
func (f Func) At(dst []float64, t float64, xs []float64) {
	ebmkit.CheckRows("diffusion: Func.At", f.D, nil, dst, xs)
	for lo := 0; lo < len(xs); lo += f.D {
		f.F(dst[lo:lo+f.D], t, xs[lo:lo+f.D])
	}
}

// Scaled returns the field c f, with a Divergence if f has one: a score that is
// too small by c, for example.
func Scaled(c float64, f ebmkit.Field) ebmkit.Field {
	return combined(f, func(float64) (float64, float64) { return 0, c })
}

// ScoreOf returns the score -E[z | x]/sd(t) from a field that predicts the
// noise, review eq. (69) and Lemma 3.4: sd is the standard deviation of the
// noise, Process.Kernel's second value or the gamma of an interpolant. It has a
// Divergence if the denoiser has one.
func ScoreOf(denoiser ebmkit.Field, sd func(t float64) float64) ebmkit.Field {
	return combined(denoiser, func(t float64) (float64, float64) { return 0, -1 / sd(t) })
}

// Reverse returns the reversed SDE of review eq. (56) and Lemma 3.2,
//
//	dX = [f(X, s) - g(s)^2 grad log p_s(X)] ds + g(s) dW,   s from T down to 0,
//
// with the score given. Run it along falling times, from Init drawn from Prior.
// It returns *ebmkit.ArgError if a parameter of the process is out of range or
// there is no score.
func Reverse(p Process, score ebmkit.Field) (SDE, error) {
	const fn = "diffusion.Reverse"
	if err := checkScore(fn, p, score); err != nil {
		return SDE{}, err
	}
	drift := combined(score, func(t float64) (float64, float64) {
		g := p.Diffusion(t)
		return p.Rate(t), -g * g
	})
	return SDE{Drift: drift, Noise: p.Diffusion}, nil
}

// ProbabilityFlow returns the ordinary equation with the laws of the process
// (Song et al. 2021; compare review eq. (66)),
//
//	dX/dt = f(X, t) - g(t)^2/2 grad log p_t(X),
//
// with the score given. Its drift has a Divergence if the score has one. The
// review calls score-based diffusion SDE-based; this is its ODE. Errors as
// Reverse.
func ProbabilityFlow(p Process, score ebmkit.Field) (SDE, error) {
	const fn = "diffusion.ProbabilityFlow"
	if err := checkScore(fn, p, score); err != nil {
		return SDE{}, err
	}
	return SDE{Drift: combined(score, func(t float64) (float64, float64) {
		g := p.Diffusion(t)
		return p.Rate(t), -g * g / 2
	})}, nil
}

func checkScore(fn string, p Process, score ebmkit.Field) error {
	if err := checkProcess(fn, p); err != nil {
		return err
	}
	return wantField(fn, "score", score, 0)
}

// mixed is the field r x + c f(x, t), with r and c of the time.
type mixed struct {
	f    ebmkit.Field
	coef func(t float64) (r, c float64)
}

// combined returns the field, with a Divergence if f has one.
func combined(f ebmkit.Field, coef func(t float64) (r, c float64)) ebmkit.Field {
	m := mixed{f, coef}
	if g, ok := f.(DivergenceField); ok {
		return mixedDivergence{m, g}
	}
	return m
}

func (m mixed) Dim() int { return m.f.Dim() }

func (m mixed) At(dst []float64, t float64, xs []float64) {
	m.f.At(dst, t, xs)
	r, c := m.coef(t)
	for i, x := range xs {
		dst[i] = r*x + c*dst[i]
	}
}

// prober is a field that knows v' J v, as nn.Field does.
type prober interface {
	Probe(vjv []float64, t float64, v, xs []float64)
}

// probeOf returns how to compute v' J v of f, or nil if f does not know.
func probeOf(f ebmkit.Field) func(vjv []float64, t float64, v, xs []float64) {
	switch f := f.(type) {
	case prober:
		return f.Probe
	case mixedDivergence:
		return probeOf(f.mixed)
	case mixed:
		inner := probeOf(f.f)
		if inner == nil {
			return nil
		}
		return func(vjv []float64, t float64, v, xs []float64) {
			inner(vjv, t, v, xs)
			r, c := f.coef(t)
			d := f.Dim()
			for i := range vjv {
				vjv[i] = r*vmath.Dot(v[i*d:(i+1)*d], v[i*d:(i+1)*d]) + c*vjv[i]
			}
		}
	}
	return nil
}

type mixedDivergence struct {
	mixed
	g DivergenceField
}

func (m mixedDivergence) Divergence(dst []float64, t float64, xs []float64) {
	m.g.Divergence(dst, t, xs)
	r, c := m.coef(t)
	r *= float64(m.Dim())
	for i := range dst {
		dst[i] = r + c*dst[i]
	}
}

// sum is the field a + c b.
type sum struct {
	a, b ebmkit.Field
	c    float64
	pool *sync.Pool
}

func (f sum) Dim() int { return f.a.Dim() }

func (f sum) At(dst []float64, t float64, xs []float64) {
	p, ok := f.pool.Get().(*[]float64)
	if !ok || len(*p) < len(xs) {
		s := make([]float64, len(xs))
		p = &s
	}
	tmp := (*p)[:len(xs)]
	f.a.At(dst, t, xs)
	f.b.At(tmp, t, xs)
	vmath.Axpy(dst, f.c, tmp)
	f.pool.Put(p)
}

// Differences gives a field a Divergence by central differences of step H
// (1e-4 times the scale of x is usual): 2d evaluations of the field, an error of
// order H^2. It is for fields of few dimensions; in many use Flow.Probes.
type Differences struct {
	ebmkit.Field
	H float64
}

// Divergence writes sum_j [f_j(x + H e_j) - f_j(x - H e_j)]/(2 H) for every row
// of xs into dst. It panics on a wrong length.
func (f Differences) Divergence(dst []float64, t float64, xs []float64) {
	d := f.Dim()
	ebmkit.CheckRows("diffusion: Differences.Divergence", d, dst, nil, xs)
	y, v := append([]float64(nil), xs...), make([]float64, len(xs))
	clear(dst)
	for j := range d {
		for _, h := range []float64{f.H, -f.H} {
			for i := j; i < len(xs); i += d {
				y[i] = xs[i] + h
			}
			f.At(v, t, y)
			for i := range dst {
				dst[i] += v[i*d+j] / (2 * h)
			}
		}
		for i := j; i < len(xs); i += d {
			y[i] = xs[i]
		}
	}
}
