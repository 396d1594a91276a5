package diffusion

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Characteristic returns the characteristic function of the law at time t,
// review eq. (63), at a wave vector k of length Dim,
//
//	g(k, t) = E exp(i k . X_t) = sum_j w_j exp(i k . m_j - k' C_j k/2),
//
// with the weights, means and covariances of the mixture. It sees positions,
// widths and masses of the modes, and exists at every t, also where the law has
// no density. It panics on a wrong length.
func (l *Law) Characteristic(t float64, k ...float64) complex128 {
	if len(k) != l.d {
		panic("diffusion: Law.Characteristic: len(k) != Dim")
	}
	c, d := l.coef(t), l.d
	cov := make([]float64, l.size)
	var g complex128
	for j, logw := range l.logw {
		l.combine(cov, j, c.a*c.a, c.b*c.b, c.c2)
		var phase, square float64
		for p, kp := range k {
			phase += kp * (c.a*l.m0[j*d+p] + c.b*l.m1[j*d+p])
			if l.diag {
				square += kp * kp * cov[p]
				continue
			}
			square += kp * vmath.Dot(cov[p*d:(p+1)*d], k)
		}
		size := vmath.Exp(logw - square/2)
		sin, cos := math.Sincos(phase)
		g += complex(size*cos, size*sin)
	}
	return g
}

// CDF returns the distribution function of the law at time t, the mass to the
// left of x, for a law on the line:
//
//	F_t(x) = sum_j w_j Phi((x - m_j)/sd_j).
//
// The ordinary equation dX/dt = Velocity keeps it: F_t(X_t) = F_0(X_0), review
// Lemma 3.3 on the line, where solutions cannot cross. It panics if Dim is not 1.
func (l *Law) CDF(t, x float64) float64 {
	l.onLine("Law.CDF")
	c := l.coef(t)
	var p float64
	for j, logw := range l.logw {
		mean, sd := l.normal(j, c)
		p += vmath.Exp(logw) * vmath.Erfc((mean-x)/(sd*math.Sqrt2)) / 2
	}
	return p
}

// Current returns the current of the law at time t in Fourier space, review
// eq. (65), for a law on the line,
//
//	m(k, t) = integral of exp(i k x) b(x, t) p_t(x) dx,   b = Velocity,
//
// by the trapezoidal rule, whose error is below rounding. By eq. (64) it is
// d_t g/(i k), g = Characteristic; by eq. (62) it is the mean of d_t X_t
// exp(i k X_t). It panics if Dim is not 1; it returns *ebmkit.ArgError if the law
// has no density at t.
func (l *Law) Current(t, k float64) (complex128, error) {
	x, mass, err := l.nodes("diffusion.Law.Current", t)
	if err != nil {
		return complex(math.NaN(), math.NaN()), err
	}
	b := make([]float64, len(x))
	l.Velocity().At(b, t, x)
	var m complex128
	for i, p := range mass {
		sin, cos := math.Sincos(k * x[i])
		m += complex(cos*b[i]*p, sin*b[i]*p)
	}
	return m, nil
}

// Action returns the integral over time of the mean square of a field over a
// law on the line,
//
//	integral of E|f(X_t, t)|^2 dt, t between from and to.
//
// For Velocity it is the kinetic energy of the path of densities, which from 0
// to 1 is at least W2(p_0, p_1)^2 (Benamou and Brenier 2000). E is computed by
// the trapezoidal rule with points eight to the smallest standard deviation of a
// component, for fields that are smooth on that scale. It panics if Dim is not 1;
// it returns *ebmkit.ArgError if f has another dimension, from is not below to, or
// the law has no density at some t, and the errors of quad.Integrate.
func (l *Law) Action(f ebmkit.Field, from, to float64) (quad.Result, error) {
	const fn = "diffusion.Law.Action"
	if err := wantField(fn, "f", f, l.d); err != nil {
		return quad.Result{}, err
	}
	if !(from < to) || to-from > math.MaxFloat64 {
		return quad.Result{}, &ebmkit.ArgError{Func: fn, Arg: "to", Value: to, Want: "a finite time above from"}
	}
	var failed error
	r, err := quad.Integrate(func(t float64) float64 {
		x, mass, err := l.nodes(fn, t)
		if err != nil {
			failed = err
			return math.NaN()
		}
		v := make([]float64, len(x))
		f.At(v, t, x)
		var s float64
		for i, p := range mass {
			s += v[i] * v[i] * p
		}
		return s
	}, from, to)
	if failed != nil {
		return quad.Result{}, failed
	}
	return r, err
}

// normal returns mean and standard deviation of component j on the line.
func (l *Law) normal(j int, c coefs) (mean, sd float64) {
	variance := c.a*c.a*l.c0[j] + c.b*c.b*l.c1[j] + c.c2
	return c.a*l.m0[j] + c.b*l.m1[j], math.Sqrt(variance)
}

func (l *Law) onLine(who string) {
	if l.d != 1 {
		panic("diffusion: " + who + ": the law is not on the line")
	}
}

// nodes returns equidistant points on the line, eight to the smallest standard
// deviation and ten of them beyond every mean, with the mass of the law at each:
// E f(X_t) is the sum of mass f(x). For an analytic f the error of this rule falls
// as exp(-2 pi^2 8^2).
func (l *Law) nodes(fn string, t float64) (x, mass []float64, err error) {
	l.onLine(fn[len("diffusion."):])
	const perSD, beyond, most = 8, 10, 1e6
	c := l.coef(t)
	lo, hi, least := math.Inf(1), math.Inf(-1), math.Inf(1)
	for j := range l.logw {
		mean, sd := l.normal(j, c)
		lo, hi, least = min(lo, mean-beyond*sd), max(hi, mean+beyond*sd), min(least, sd)
	}
	steps := math.Ceil((hi - lo) * perSD / least)
	if !(steps >= 1 && steps <= most) {
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "t", Value: t,
			Want: fmt.Sprintf("a time at which the law has a density that %g points resolve", most)}
	}
	x = Uniform(lo, hi, int(steps))
	mass = make([]float64, len(x))
	l.LogDensity(mass, t, x)
	vmath.ExpSlice(mass, mass)
	for i := range mass {
		mass[i] *= (hi - lo) / steps
	}
	return x, mass, nil
}

// Distance returns the mean squared distance of two fields at time t over the
// points x, with the error of that mean: E|f(X, t) - e(X, t)|^2. With e nil it is
// the mean square of f. It panics if a dimension differs.
func Distance(f, e ebmkit.Field, t float64, x *ebmkit.Ensemble) ebmkit.Estimate {
	v, w := make([]float64, len(x.X)), make([]float64, len(x.X))
	f.At(v, t, x.X)
	if e != nil {
		e.At(w, t, x.X)
	}
	square := make([]float64, x.N)
	for i := range v {
		square[i/x.Dim] += (v[i] - w[i]) * (v[i] - w[i])
	}
	return ebmkit.MeanOf(square)
}

// BinMeans returns what a conditional expectation E[v | x], such as review
// eq. (62), looks like in draws: the means of v over the draws whose x lies in
// each of so many equal bins of [lo, hi), and the centres of the bins. Bins with
// fewer than least draws are left out. It returns *ebmkit.ArgError if the
// lengths differ, lo >= hi or bins < 1.
func BinMeans(x, v []float64, lo, hi float64, bins, least int) (centre []float64, mean []ebmkit.Estimate, err error) {
	const fn = "diffusion.BinMeans"
	switch {
	case len(v) != len(x):
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "len(v)", Value: len(v), Want: fmt.Sprint(len(x))}
	case !(lo < hi) || hi-lo > math.MaxFloat64:
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "hi", Value: hi, Want: "a finite number above lo"}
	case bins < 1:
		return nil, nil, &ebmkit.ArgError{Func: fn, Arg: "bins", Value: bins, Want: "at least 1"}
	}
	width := (hi - lo) / float64(bins)
	in := make([][]float64, bins)
	for i := range x {
		if k := math.Floor((x[i] - lo) / width); k >= 0 && k < float64(bins) {
			in[int(k)] = append(in[int(k)], v[i])
		}
	}
	for k, v := range in {
		if len(v) >= least {
			centre = append(centre, lo+(float64(k)+0.5)*width)
			mean = append(mean, ebmkit.MeanOf(v))
		}
	}
	return centre, mean, nil
}
