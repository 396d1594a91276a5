package gan

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Modes counts points in the modes of a mixture. A point belongs to the component
// whose centre is nearest, in standard deviations of the component, unless it is
// further away than the radius that CountModes was given.
type Modes struct {
	Mass    []ebmkit.Estimate // fraction of the points in each mode
	Exact   []float64         // what points of the mixture itself would have
	Outside ebmkit.Estimate   // fraction in none
	Missed  []int             // modes with less than a tenth of their mass
}

// Found returns the number of modes that are not missed.
func (m *Modes) Found() int { return len(m.Mass) - len(m.Missed) }

// Distance returns the total variation distance of the masses, points outside
// counted as a mode of their own: 0 if all are as they should be, at most 1.
func (m *Modes) Distance() float64 {
	sum, outside := 0.0, 1.0
	for k, e := range m.Mass {
		sum += math.Abs(e.Value - m.Exact[k])
		outside -= m.Exact[k]
	}
	return (sum + math.Abs(m.Outside.Value-outside)) / 2
}

// CountModes counts the points xs in the modes of mix, each within the given
// number of standard deviations. Errors are binomial, for independent points:
//
//	f_k = c_k/n,   SE_k^2 = g (1 - g)/n,   g = (c_k + 1)/(n + 2),
//	Exact_k = w_k P(|z| <= radius),   z from N(0, I),
//
// the latter for modes that do not overlap. It returns *ebmkit.ArgError if xs is
// empty, not finite or of another dimension, or radius is not positive.
func CountModes(mix *energy.Mixture, xs *ebmkit.Ensemble, radius float64) (*Modes, error) {
	const fn = "gan.CountModes"
	if mix == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "mix", Value: nil, Want: "a mixture"}
	}
	if err := minibatch.Check(fn, "xs", xs, mix.Dim()); err != nil {
		return nil, err
	}
	if !(radius > 0) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "radius", Value: radius, Want: "a positive number of standard deviations"}
	}
	k := mix.NumComponents()
	counts, outside := make([]int, k), 0
	for i := range xs.N {
		best, u := 0, math.Inf(1)
		for c := range k {
			if v := mix.Component(c).Energy(xs.Row(i)); v < u {
				best, u = c, v
			}
		}
		// The energy of a Gaussian is half the squared distance.
		if 2*u <= radius*radius {
			counts[best]++
		} else {
			outside++
		}
	}
	out := &Modes{Mass: make([]ebmkit.Estimate, k), Exact: mix.Weights(nil)}
	var total float64
	for _, w := range out.Exact {
		total += w
	}
	inside := ballMass(mix.Dim(), radius)
	for c, n := range counts {
		out.Exact[c] *= inside / total
		out.Mass[c] = fraction(n, xs.N)
		if out.Mass[c].Value < out.Exact[c]/10 {
			out.Missed = append(out.Missed, c)
		}
	}
	out.Outside = fraction(outside, xs.N)
	return out, nil
}

func fraction(c, n int) ebmkit.Estimate {
	g := float64(c+1) / float64(n+2)
	return ebmkit.Estimate{Value: float64(c) / float64(n), SE: math.Sqrt(g * (1 - g) / float64(n))}
}

// ballMass returns P(|z| <= r) for z from N(0, I) in R^d, by
//
//	P_d = P_{d-2} - (r^2/2)^{d/2-1} e^{-r^2/2} / Gamma(d/2).
func ballMass(d int, r float64) float64 {
	h := r * r / 2
	if math.IsInf(h, 1) {
		return 1
	}
	e := vmath.Exp(-h)
	p, term, k := 1-e, h*e, 2 // term = h^{k/2} e^{-h}/Gamma(k/2+1)
	if d%2 == 1 {
		p, term, k = vmath.Erf(r/math.Sqrt2), math.Sqrt(h)*e*2/math.Sqrt(math.Pi), 1
	}
	for ; k < d; k += 2 {
		p -= term
		term *= h / (float64(k)/2 + 1)
	}
	return max(p, 0)
}

// frechetGroups is the number of groups of the jackknife.
const frechetGroups = 20

// Frechet returns the Frechet distance of two sets of points, a square: the
// W2^2 of the Gaussians with their means and covariances,
//
//	|m_x - m_y|^2 + tr(C_x + C_y - 2 (C_x^(1/2) C_y C_x^(1/2))^(1/2)).
//
// Of images it is taken between features of a network (FID). It sees moments and
// nothing else: a ring of modes and a Gaussian with its moments are at 0. As an
// estimate for the laws of independent points it is biased upwards, by about 1/n.
// SE is by the jackknife over groups of points, for laws whose moments differ;
// of equal ones it says nothing. It returns *ebmkit.ArgError if the sets have
// different dimensions, are not finite, have fewer than 20 (d+1) points, or
// points in a plane (a coordinate that is constant, say: leave it out).
func Frechet(x, y *ebmkit.Ensemble) (ebmkit.Estimate, error) {
	const fn = "gan.Frechet"
	if x == nil {
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "x", Value: nil, Want: "points"}
	}
	d := x.Dim
	sums := [2][]moments{}
	for k, e := range []*ebmkit.Ensemble{x, y} {
		arg := [...]string{"x", "y"}[k]
		if err := minibatch.Check(fn, arg, e, d); err != nil {
			return ebmkit.Estimate{}, err
		}
		if e.N < frechetGroups*(d+1) {
			return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: arg + ".N", Value: e.N, Want: fmt.Sprintf("at least %d points", frechetGroups*(d+1))}
		}
		sums[k] = momentsOf(e, x.Row(0))
	}
	distance := func(leaveX, leaveY int) (float64, error) {
		p, err := gaussian(fn, "x", sums[0], leaveX, d)
		if err != nil {
			return 0, err
		}
		q, err := gaussian(fn, "y", sums[1], leaveY, d)
		if err != nil {
			return 0, err
		}
		w := divergence.W2Gaussian(p, q)
		return w * w, nil
	}
	value, err := distance(-1, -1)
	if err != nil {
		return ebmkit.Estimate{}, err
	}
	var variance float64
	for side := range 2 {
		var v [frechetGroups]float64
		var mean float64
		for g := range v {
			leave := [2]int{-1, -1}
			leave[side] = g
			if v[g], err = distance(leave[0], leave[1]); err != nil {
				return ebmkit.Estimate{}, err
			}
			mean += v[g] / frechetGroups
		}
		for _, u := range v {
			variance += (u - mean) * (u - mean) * (frechetGroups - 1) / frechetGroups
		}
	}
	return ebmkit.Estimate{Value: value, SE: math.Sqrt(variance)}, nil
}

// moments are sums over a group of points, about an origin.
type moments struct {
	n           float64
	sum, square []float64
}

// momentsOf returns the sums of frechetGroups groups.
func momentsOf(e *ebmkit.Ensemble, origin []float64) []moments {
	d := e.Dim
	out := make([]moments, frechetGroups)
	x := make([]float64, d)
	for g := range out {
		m := moments{sum: make([]float64, d), square: make([]float64, d*d)}
		for i := g * e.N / frechetGroups; i < (g+1)*e.N/frechetGroups; i++ {
			vmath.Sub(x, e.Row(i), origin)
			m.n++
			vmath.Axpy(m.sum, 1, x)
			for j, v := range x {
				vmath.Axpy(m.square[j*d:(j+1)*d], v, x)
			}
		}
		out[g] = m
	}
	return out
}

// gaussian returns the Gaussian with the moments of all groups but one.
func gaussian(fn, arg string, groups []moments, leave, d int) (*energy.Gaussian, error) {
	mean, cov, n := make([]float64, d), make([]float64, d*d), 0.0
	for g, m := range groups {
		if g == leave {
			continue
		}
		n += m.n
		vmath.Axpy(mean, 1, m.sum)
		vmath.Axpy(cov, 1, m.square)
	}
	for j := range mean {
		mean[j] /= n
	}
	for i := range d {
		for j := range i + 1 {
			v := cov[i*d+j]/n - mean[i]*mean[j]
			cov[i*d+j], cov[j*d+i] = v, v
		}
	}
	q, err := energy.NewGaussian(mean, cov)
	if err != nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: err, Want: "points that vary in every direction: leave out constant coordinates"}
	}
	return q, nil
}
