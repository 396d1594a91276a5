package divergence

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/linalg"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Hellinger, total variation and Jensen-Shannon are means of a bounded function
// of the log ratio t = log p - log q under the mixture m = (p + q)/2:
//
//	H^2 = E_m[1 - sech(t/2)] = E_m[tanh(t/2) tanh(t/4)]
//	TV  = E_m |tanh(t/2)|
//	JS  = E_m[s(t) log 2 s(t) + s(-t) log 2 s(-t)],   s(t) = 1/(1 + e^-t)
//
// The forms cancel nothing, so tiny divergences keep their digits, and t may be
// infinite.

func hellingerTerm(t float64) float64 { return vmath.Tanh(t/2) * vmath.Tanh(t/4) }

func variationTerm(t float64) float64 { return math.Abs(vmath.Tanh(t / 2)) }

func jensenShannonTerm(t float64) float64 {
	// With r = tanh(t/2), s(t) = (1+r)/2.
	r := vmath.Tanh(t / 2)
	if math.Abs(r) < 1e-3 {
		r2 := r * r
		return r2 * (0.5 + r2*(1./12+r2/30))
	}
	if math.Abs(r) == 1 {
		return math.Ln2
	}
	return ((1+r)*vmath.Log1p(r) + (1-r)*vmath.Log1p(-r)) / 2
}

// Hellinger returns the Hellinger distance,
//
//	H(p, q) = sqrt(1 - integral of sqrt(p q)) = sqrt(integral of (sqrt p - sqrt q)^2 / 2),
//
// between 0 and 1, not its square. H^2 <= TotalVariation <= sqrt(2) H. Errors as
// CrossEntropy.
func Hellinger(p, q ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	r, err := underMixture("divergence.Hellinger", p, q, dom, hellingerTerm)
	e := root(ebmkit.Estimate{Value: r.Value, SE: r.Err})
	r.Value, r.Err = e.Value, e.SE
	return r, err
}

// TotalVariation returns the total variation distance,
//
//	TV(p, q) = integral of |p - q| / 2,
//
// between 0 and 1: the largest difference of the two probabilities of one event.
// Errors as CrossEntropy.
func TotalVariation(p, q ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	return underMixture("divergence.TotalVariation", p, q, dom, variationTerm)
}

// underMixture returns E_m[f(log p - log q)] by quadrature.
func underMixture(fn string, p, q ebmkit.Energy, dom quad.Domain, f func(t float64) float64) (quad.Result, error) {
	if err := sameDim(fn, p, q); err != nil {
		return quad.Result{}, err
	}
	lp, err := logZ(p, dom)
	if err != nil {
		return quad.Result{}, err
	}
	lq, err := logZ(q, dom)
	if err != nil {
		return quad.Result{}, err
	}
	sum := quad.Result{Evals: lp.Evals + lq.Evals}
	for _, side := range []ebmkit.Energy{p, q} {
		d, err := quad.NewDensity(side, dom)
		if err != nil {
			return quad.Result{}, err
		}
		// Where the two densities cross, |tanh| has a kink: 1e-12 of a number
		// below 1 is enough.
		r, err := d.WithAbsTol(1e-12).ExpectOne(func(x []float64) float64 {
			return f((q.Energy(x) + lq.Value) - (p.Energy(x) + lp.Value))
		})
		if err != nil {
			return quad.Result{}, err
		}
		sum.Value += r.Value / 2
		sum.Err += (r.Err + lp.Err + lq.Err) / 2
		sum.Evals += r.Evals
	}
	return sum, nil
}

// HellingerGaussian returns the Hellinger distance of two Gaussians in closed
// form: with C = (C_p + C_q)/2 and m = m_p - m_q,
//
//	H^2 = 1 - (det C_p det C_q)^(1/4) / (det C)^(1/2) exp(-m' C^-1 m / 8).
//
// It panics if the dimensions differ.
func HellingerGaussian(p, q energy.Normal) float64 {
	d := mustSameDim("HellingerGaussian", p, q)
	c, m := p.Cov(nil), p.Mean(nil)
	for i, v := range q.Cov(nil) {
		c[i] = (c[i] + v) / 2
	}
	for i, v := range q.Mean(nil) {
		m[i] -= v
	}
	l := cholesky(c, d)
	dist := -(logDet(p) + logDet(q)) / 4 // Bhattacharyya's
	for i := range d {
		for j := range i {
			m[i] -= l[i*d+j] * m[j]
		}
		m[i] /= l[i*d+i]
		dist += m[i]*m[i]/8 + vmath.Log(l[i*d+i])
	}
	return math.Sqrt(-vmath.Expm1(-max(dist, 0))) // rounding can leave -1e-17
}

// TotalVariationGaussian returns the total variation distance of two Gaussians
// in closed form: with equal covariances C in any dimension,
//
//	TV = erf(delta / sqrt(8)),   delta^2 = (m_p - m_q)' C^-1 (m_p - m_q),
//
// and on the line for any two. It returns *ebmkit.ArgError if the dimensions
// differ, or if they are above 1 and the covariances differ: then there is no
// closed form.
func TotalVariationGaussian(p, q energy.Normal) (float64, error) {
	const fn = "divergence.TotalVariationGaussian"
	if err := sameDim(fn, p, q); err != nil {
		return 0, err
	}
	d := p.Dim()
	cp, cq, m, mq := p.Cov(nil), q.Cov(nil), p.Mean(nil), q.Mean(nil)
	if d == 1 && cp[0] != cq[0] {
		return variation1D(m[0], math.Sqrt(cp[0]), mq[0], math.Sqrt(cq[0])), nil
	}
	for i := range cp {
		if math.Abs(cp[i]-cq[i]) > 1e-14*math.Sqrt(cp[i/d*(d+1)]*cp[i%d*(d+1)]) {
			return 0, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("cov(q)[%d][%d]", i/d, i%d), Value: cq[i],
				Want: fmt.Sprintf("%v, as p: there is no closed form otherwise", cp[i])}
		}
	}
	l := cholesky(cp, d)
	var delta2 float64
	for i := range d {
		m[i] -= mq[i]
		for j := range i {
			m[i] -= l[i*d+j] * m[j]
		}
		m[i] /= l[i*d+i]
		delta2 += m[i] * m[i]
	}
	return vmath.Erf(math.Sqrt(delta2 / 8)), nil
}

// variation1D is the total variation of N(m, s^2) and N(n, r^2), s != r: the
// difference of their probabilities between the two points where the densities
// are equal.
func variation1D(m, s, n, r float64) float64 {
	if s > r {
		m, s, n, r = n, r, m, s
	}
	// In units z of the narrower: z^2 - ((s z + m - n)/r)^2 = 2 log(r/s).
	a, b := s/r, (m-n)/r
	den := (1 - a) * (1 + a)
	root := math.Sqrt(b*b + 2*vmath.Log(r/s)*den)
	lo, hi := (a*b-root)/den, (a*b+root)/den
	return mass(lo, hi) - mass(a*lo+b, a*hi+b)
}

// mass is the standard normal probability of [lo, hi].
func mass(lo, hi float64) float64 {
	return (vmath.Erf(hi/math.Sqrt2) - vmath.Erf(lo/math.Sqrt2)) / 2
}

// W2Gaussian returns the Wasserstein-2 distance of two Gaussians, not its
// square (Bures' metric),
//
//	W2^2 = |m_p - m_q|^2 + tr(C_p + C_q - 2 (C_p^(1/2) C_q C_p^(1/2))^(1/2)).
//
// It is computed as the smallest |L_p - L_q R| over rotations R, where
// C = L L', which cancels nothing. It panics if the dimensions differ.
func W2Gaussian(p, q energy.Normal) float64 {
	d := mustSameDim("W2Gaussian", p, q)
	lp, lq := cholesky(p.Cov(nil), d), cholesky(q.Cov(nil), d)
	// The best R is U V' where lq' lp = U S V'.
	us := make([]float64, d*d)
	for i := range d {
		for j := range d {
			for k := range d {
				us[i*d+j] += lq[k*d+i] * lp[k*d+j]
			}
		}
	}
	v := orthogonalize(us, d) // us is now U S
	norms := make([]float64, d)
	for j := range d {
		for i := range d {
			norms[j] += us[i*d+j] * us[i*d+j]
		}
		norms[j] = math.Sqrt(norms[j])
	}
	rot := make([]float64, d*d)
	for i := range d {
		for j := range d {
			for k := range d {
				rot[i*d+j] += us[i*d+k] / norms[k] * v[j*d+k]
			}
		}
	}
	var w2 float64
	for i := range d {
		for j := range d {
			diff := lp[i*d+j]
			for k := range d {
				diff -= lq[i*d+k] * rot[k*d+j]
			}
			w2 += diff * diff
		}
	}
	mp, mq := p.Mean(nil), q.Mean(nil)
	for i := range mp {
		w2 += (mp[i] - mq[i]) * (mp[i] - mq[i])
	}
	return math.Sqrt(w2)
}

// orthogonalize turns the columns of the d x d matrix a until they are
// orthogonal, a <- a V, and returns the rotation V (one-sided Jacobi).
func orthogonalize(a []float64, d int) []float64 {
	v := make([]float64, d*d)
	for i := range d {
		v[i*d+i] = 1
	}
	for turned := true; turned; {
		turned = false
		for p := range d {
			for q := p + 1; q < d; q++ {
				var pp, qq, pq float64
				for i := range d {
					x, y := a[i*d+p], a[i*d+q]
					pp += x * x
					qq += y * y
					pq += x * y
				}
				if math.Abs(pq) <= 1e-15*math.Sqrt(pp*qq) {
					continue
				}
				turned = true
				zeta := (qq - pp) / (2 * pq)
				t := math.Copysign(1/(math.Abs(zeta)+math.Sqrt(1+zeta*zeta)), zeta)
				c := 1 / math.Sqrt(1+t*t)
				s := c * t
				for i := range d {
					a[i*d+p], a[i*d+q] = c*a[i*d+p]-s*a[i*d+q], s*a[i*d+p]+c*a[i*d+q]
					v[i*d+p], v[i*d+q] = c*v[i*d+p]-s*v[i*d+q], s*v[i*d+p]+c*v[i*d+q]
				}
			}
		}
	}
	return v
}

// cholesky returns the lower L with a = L L' of a positive definite matrix, as
// covariances of energies are; NaN for another.
func cholesky(a []float64, d int) []float64 {
	l := make([]float64, d*d)
	if _, bad := linalg.Cholesky(l, a, d, 0); bad >= 0 {
		for i := range l {
			l[i] = math.NaN()
		}
	}
	return l
}

// logDet returns log det of the covariance of p.
func logDet(p energy.Normal) float64 {
	return 2*p.LogZ() - float64(p.Dim())*vmath.Log(2*math.Pi)
}
