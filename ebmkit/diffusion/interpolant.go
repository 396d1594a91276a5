package diffusion

import (
	"fmt"
	"math"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Interpolant is a stochastic interpolant, review eq. (58) and Definition 3.6,
// with an I that is linear in the two points,
//
//	X_t = I(t, X_0, X_1) + gamma(t) z,   I = alpha(t) X_0 + beta(t) X_1,   t in [0, 1],
//
// where X_0 comes from the base, X_1 from the data, and z is standard normal.
type Interpolant struct {
	I     Interpolation
	Gamma Gamma
}

// Interpolation is the deterministic part I of an interpolant. Linear,
// Trigonometric, OneSided and Diffused are Interpolations; another may be
// written.
type Interpolation interface {
	// Coefficients returns alpha, beta and their derivatives at t in [0, 1].
	Coefficients(t float64) (alpha, beta, dalpha, dbeta float64)
}

// Gamma is the noise amplitude of an interpolant. Bridge, SineSquared, Parabola,
// NoNoise, Fading and Diffused are Gammas; another may be written.
type Gamma interface {
	// At returns gamma(t), and gamma gamma' = (gamma^2)'/2, which is finite at
	// t = 0 and t = 1 where gamma' may not be.
	At(t float64) (gamma, product float64)
}

// Linear is I = (1-t) X_0 + t X_1.
type Linear struct{}

// Trigonometric is I = cos(pi t/2) X_0 + sin(pi t/2) X_1. It keeps the variance
// of uncorrelated end points of equal variance, and violates review eq. (60).
type Trigonometric struct{}

// OneSided is I = t X_1, for a base that is the noise itself: use it with
// Fading.
type OneSided struct{}

// Diffused is a process, run backwards from time T to 0, as a one-sided
// interpolant: with mean and sd of the transition kernel
//
//	I = mean(T (1-t)) X_1,   gamma = sd(T (1-t)).
//
// It is both the Interpolation and the Gamma: Interpolant{d, d}. Its law at
// t = 0 is that of X_T, not a standard normal law.
type Diffused struct {
	Process Process
	T       float64
}

// Bridge is gamma = sqrt(A t (1-t)), the noise of a Brownian bridge for A = 1.
// gamma' is infinite at both ends.
type Bridge struct{ A float64 } // 2 is usual

// SineSquared is gamma = sin^2(pi t).
type SineSquared struct{}

// Parabola is gamma = A t (1-t).
type Parabola struct{ A float64 }

// NoNoise is gamma = 0. There is no score to learn then, and the velocity may be
// singular.
type NoNoise struct{}

// Fading is gamma = 1-t, the base of OneSided.
type Fading struct{}

// Coefficients returns 1-t, t, -1, 1.
func (Linear) Coefficients(t float64) (alpha, beta, dalpha, dbeta float64) { return 1 - t, t, -1, 1 }

// Coefficients returns cos(pi t/2), sin(pi t/2) and their derivatives.
func (Trigonometric) Coefficients(t float64) (alpha, beta, dalpha, dbeta float64) {
	s, c := vmath.SinCos2Pi(t / 4)
	return c, s, -math.Pi / 2 * s, math.Pi / 2 * c
}

// Coefficients returns 0, t, 0, 1.
func (OneSided) Coefficients(t float64) (alpha, beta, dalpha, dbeta float64) { return 0, t, 0, 1 }

// Coefficients returns 0, mean(s), 0 and -T r(s) mean(s), s = T (1-t).
func (d Diffused) Coefficients(t float64) (alpha, beta, dalpha, dbeta float64) {
	s := d.T * (1 - t)
	mean, _ := d.Process.Kernel(s)
	return 0, mean, 0, -d.T * d.Process.Rate(s) * mean
}

// At returns sd(s) and its product with the derivative in t, s = T (1-t).
func (d Diffused) At(t float64) (gamma, product float64) {
	s := d.T * (1 - t)
	_, sd := d.Process.Kernel(s)
	g := d.Process.Diffusion(s)
	return sd, -d.T * (d.Process.Rate(s)*sd*sd + g*g/2)
}

// At returns sqrt(A t (1-t)) and A (1-2t)/2.
func (g Bridge) At(t float64) (gamma, product float64) {
	return math.Sqrt(g.A * t * (1 - t)), g.A * (1 - 2*t) / 2
}

// At returns sin^2(pi t) and its product with the derivative.
func (SineSquared) At(t float64) (gamma, product float64) {
	s, c := vmath.SinCos2Pi(t / 2)
	if t == 1 {
		s = 0 // sin(pi), exactly
	}
	return s * s, 2 * math.Pi * s * s * s * c
}

// At returns A t (1-t) and its product with the derivative.
func (g Parabola) At(t float64) (gamma, product float64) {
	gamma = g.A * t * (1 - t)
	return gamma, gamma * g.A * (1 - 2*t)
}

// At returns 0, 0.
func (NoNoise) At(float64) (gamma, product float64) { return 0, 0 }

// At returns 1-t and t-1.
func (Fading) At(t float64) (gamma, product float64) { return 1 - t, t - 1 }

func (d Diffused) check(fn string) error {
	if err := checkProcess(fn, d.Process); err != nil {
		return err
	}
	return wantPositive(fn, "Diffused.T", d.T)
}
func (g Bridge) check(fn string) error   { return wantPositive(fn, "Bridge.A", g.A) }
func (g Parabola) check(fn string) error { return wantPositive(fn, "Parabola.A", g.A) }

func (p Interpolant) check(fn string) error {
	if p.I == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "Interpolant.I", Value: nil, Want: "an Interpolation, as in diffusion.Linear{}"}
	}
	if p.Gamma == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "Interpolant.Gamma", Value: nil, Want: "a Gamma, as in diffusion.Bridge{A: 2}"}
	}
	for _, v := range []any{p.I, p.Gamma} {
		if c, ok := v.(interface{ check(fn string) error }); ok {
			if err := c.check(fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// oneSided says whether I does not use X_0.
func (p Interpolant) oneSided() bool {
	for _, t := range []float64{0, 0.3, 0.7, 1} {
		if a, _, da, _ := p.I.Coefficients(t); a != 0 || da != 0 {
			return false
		}
	}
	return true
}

// Gammas returns gamma(t): the sd of ScoreOf.
func (p Interpolant) Gammas(t float64) float64 {
	g, _ := p.Gamma.At(t)
	return g
}

// Law returns the law of X_t between two Gaussian mixtures under the independent
// coupling: density, score s, and the b of review eq. (62) as its Velocity, in
// closed form. base is nil for a one-sided interpolant. It returns
// *ebmkit.ArgError for energies that are no Gaussian mixtures, different
// dimensions, or a parameter out of range.
func (p Interpolant) Law(base, data ebmkit.Energy) (*Law, error) {
	const fn = "diffusion.Interpolant.Law"
	if err := p.check(fn); err != nil {
		return nil, err
	}
	x1, err := componentsOf(fn, "data", data)
	if err != nil {
		return nil, err
	}
	x0 := origin(x1.d)
	if !p.oneSided() {
		if x0, err = componentsOf(fn, "base", base); err != nil {
			return nil, err
		}
	} else if base != nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "base", Value: ebmkit.TypeName(base), Want: "nil, because I does not use X_0: gamma(0) z is the base"}
	}
	if x0.d != x1.d {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "data.Dim()", Value: x1.d, Want: fmt.Sprintf("%d, as base", x0.d)}
	}
	return newLaw(x0, x1, func(t float64) coefs {
		a, b, da, db := p.I.Coefficients(t)
		g, gdg := p.Gamma.At(t)
		return coefs{a: a, b: b, c2: g * g, da: da, db: db, cdc: gdg}
	}), nil
}

// At returns X_t of review eq. (58), alpha x_0 + beta x_1 + gamma z, number by
// number: for points on the line, or rows of any dimension. x0, x1 and z have one
// length and are not changed; x0 is not read, and may be nil, for a one-sided
// interpolant. It panics on a wrong length.
func (p Interpolant) At(t float64, x0, x1, z []float64) []float64 {
	a, b, _, _ := p.I.Coefficients(t)
	return p.mix("At", a, b, p.Gammas(t), x0, x1, z)
}

// Speed returns the derivative of At in time, alpha' x_0 + beta' x_1 + gamma' z,
// whose mean given X_t is the velocity b of review eq. (62). Where gamma is 0 the
// noise is left out, as in Regression. Arguments as At.
func (p Interpolant) Speed(t float64, x0, x1, z []float64) []float64 {
	_, _, da, db := p.I.Coefficients(t)
	var dg float64
	if g, product := p.Gamma.At(t); g != 0 {
		dg = product / g
	}
	return p.mix("Speed", da, db, dg, x0, x1, z)
}

// mix returns a x0 + b x1 + c z.
func (p Interpolant) mix(who string, a, b, c float64, x0, x1, z []float64) []float64 {
	if len(x1) != len(z) || len(x0) != len(z) && !(x0 == nil && p.oneSided()) {
		panic("diffusion: Interpolant." + who + ": x0, x1 and z differ in length")
	}
	x := make([]float64, len(z))
	for i := range x {
		x[i] = b*x1[i] + c*z[i]
		if x0 != nil {
			x[i] = a*x0[i] + b*x1[i] + c*z[i]
		}
	}
	return x
}

// Transport returns the generative ODE of review Lemma 3.3, dX/dt = b(X, t),
// whose law follows eq. (61): run it from X_0 along rising times. It returns
// *ebmkit.ArgError if b is nil.
func Transport(b ebmkit.Field) (SDE, error) {
	if err := wantField("diffusion.Transport", "b", b, 0); err != nil {
		return SDE{}, err
	}
	return SDE{Drift: b}, nil
}

// NoisyTransport returns the generative SDE of review Lemma 3.4 and eq. (67),
//
//	dX = [b(X, t) + epsilon s(X, t)] dt + sqrt(2 epsilon) dW,
//
// whose law at every t is that of Transport for any epsilon, if b and s are
// exact. It returns *ebmkit.ArgError if epsilon is not positive, a field is nil
// or the dimensions differ.
func NoisyTransport(b, s ebmkit.Field, epsilon float64) (SDE, error) {
	const fn = "diffusion.NoisyTransport"
	if err := wantField(fn, "b", b, 0); err != nil {
		return SDE{}, err
	}
	if err := wantField(fn, "s", s, b.Dim()); err != nil {
		return SDE{}, err
	}
	if err := wantPositive(fn, "epsilon", epsilon); err != nil {
		return SDE{}, err
	}
	g := math.Sqrt(2 * epsilon)
	return SDE{Drift: sum{b, s, epsilon, new(sync.Pool)}, Noise: func(float64) float64 { return g }}, nil
}

// Regression makes examples for the fields of an interpolant, review eq. (68)
// and (69) and Proposition 3.5, at times uniform in [Margin, 1-Margin]:
//
//	Velocity: Y = alpha' x_0 + beta' x_1 + gamma' z;   Score: Y = -z/gamma;   Noise: Y = z;   W = 1.
//
// gamma' and 1/gamma may be infinite at t = 0 and t = 1, and where they are, the
// variance of Velocity and Score needs a Margin above 0; Noise does not.
type Regression struct {
	Interpolant Interpolant
	Coupling    Coupling // of the points of a batch; nil: Independent
	Target      Target
	Margin      float64 // in [0, 1/2)
}

// Draw fills the batch: points of x0 and x1, paired by the coupling, times, and
// noise. If a set has as many points as there are examples each is used once;
// otherwise they are drawn at random. x0 is nil for a one-sided interpolant. It returns
// *ebmkit.ArgError if an argument is out of range or the dimensions differ, and
// the errors of the coupling.
func (r Regression) Draw(b *Batch, x0, x1 *ebmkit.Ensemble, s *ebmkit.Stream) error {
	const fn = "diffusion.Regression.Draw"
	ip := r.Interpolant
	if err := ip.check(fn); err != nil {
		return err
	}
	if err := checkBatch(fn, b); err != nil {
		return err
	}
	if !(r.Margin >= 0 && r.Margin < 0.5) {
		return &ebmkit.ArgError{Func: fn, Arg: "Regression.Margin", Value: r.Margin, Want: "a number in [0, 1/2)"}
	}
	if r.Target < Score || r.Target > Velocity {
		return &ebmkit.ArgError{Func: fn, Arg: "Regression.Target", Value: r.Target, Want: "Score, Noise or Velocity"}
	}
	if err := wantPoints(fn, "x1", x1, b.Dim); err != nil {
		return err
	}
	if ip.oneSided() {
		if x0 != nil {
			return &ebmkit.ArgError{Func: fn, Arg: "x0", Value: "points", Want: "nil, because I does not use X_0"}
		}
	} else if err := wantPoints(fn, "x0", x0, b.Dim); err != nil {
		return err
	}
	p0, p1, err := r.pairs(b.N, x0, x1, s)
	if err != nil {
		return err
	}
	d := b.Dim
	s.FillUniform(b.T)
	s.FillNormal(b.Z)
	for i, u := range b.T {
		t := r.Margin + u*(1-2*r.Margin)
		b.T[i], b.W[i] = t, 1
		al, be, dal, dbe := ip.I.Coefficients(t)
		g, gdg := ip.Gamma.At(t)
		var dg float64
		if g != 0 {
			dg = gdg / g
		} else if r.Target == Score {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Regression.Interpolant.Gamma at %g", t), Value: g, Want: "a positive number, for the target Score"}
		}
		for j, z := range b.Z[i*d : (i+1)*d] {
			v1 := p1.X[i*d+j]
			var v0 float64
			if p0 != nil {
				v0 = p0.X[i*d+j]
			}
			b.X[i*d+j] = al*v0 + be*v1 + g*z
			switch r.Target {
			case Velocity:
				b.Y[i*d+j] = dal*v0 + dbe*v1 + dg*z
			case Score:
				b.Y[i*d+j] = -z / g
			case Noise:
				b.Y[i*d+j] = z
			}
		}
	}
	return nil
}

// pairs returns n points of each set, paired; p0 is nil if x0 is.
func (r Regression) pairs(n int, x0, x1 *ebmkit.Ensemble, s *ebmkit.Stream) (p0, p1 *ebmkit.Ensemble, err error) {
	p1 = some(n, x1, s)
	if x0 == nil {
		return nil, p1, nil
	}
	p0 = some(n, x0, s)
	c := r.Coupling
	if c == nil {
		c = Independent{}
	}
	order, err := c.Pair(p0, p1, s)
	if err != nil {
		return nil, nil, err
	}
	q := &ebmkit.Ensemble{N: n, Dim: p1.Dim, X: make([]float64, len(p1.X))}
	for i, k := range order {
		copy(q.Row(i), p1.Row(k))
	}
	return p0, q, nil
}
