// Package divergence compares densities exp(-U)/Z, and sets of points drawn from
// them: cross-entropy, entropy, Kullback-Leibler, Jensen-Shannon and Fisher
// divergence, Hellinger and total variation distance, maximum mean discrepancy,
// energy distance, and optimal transport. Logarithms are natural (nats).
//
// # Conventions
//
// KL(p, q) is D(p||q), the expectation under p. Energies need not be
// normalised: log Z is taken from the energy if it is ebmkit.Normalized and the
// domain is the whole space, and computed by quadrature otherwise. The functions
// that take a quad.Domain integrate in one or two dimensions and return an error
// estimate. Where p is positive and q is not, the answer is +Inf, not NaN.
//
// A name says whether it is a square: W2, SlicedW2 and Hellinger are distances,
// MMD2 and HellingerSquaredMonteCarlo are squares.
//
// # Which one
//
//	densities, 1 or 2 dimensions   KL, CrossEntropy, ..., Hellinger, TotalVariation: quadrature
//	Gaussians                      ...Gaussian: closed forms
//	densities, exact sampler       ...MonteCarlo: unbiased, with standard error
//	sets of points                 MMD2, EnergyDistance, SlicedW2, Sinkhorn; W1, W2 on the line
//	one set of points              KNNEntropy
//
// A distance between sets of points is never zero, even if their laws agree:
// compare it with its null law (MMD2Null, EnergyDistanceNull, PermutationNull).
package divergence

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// CrossEntropy returns the cross-entropy of q relative to p, review eq. (9) in
// the form of eq. (14),
//
//	H(p, q) = -integral of p log q = log Z_q + E_p[U_q].
//
// The review's eq. (13) has its arguments swapped; correct is
// H(p, q) = H(p) + KL(p, q). It returns *ebmkit.ArgError if the dimensions
// differ or are not 1 or 2, and what quad returns.
func CrossEntropy(p, q ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	const fn = "divergence.CrossEntropy"
	if err := sameDim(fn, p, q); err != nil {
		return quad.Result{}, err
	}
	lq, err := logZ(q, dom)
	if err != nil {
		return quad.Result{}, err
	}
	pd, err := quad.NewDensity(p, dom)
	if err != nil {
		return quad.Result{}, err
	}
	return expectOrInf(pd, lq, q.Energy)
}

// Entropy returns the differential entropy, review eq. (11),
//
//	H(p) = -integral of p log p = log Z_p + E_p[U_p].
//
// It may be negative. Errors as CrossEntropy.
func Entropy(p ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	return CrossEntropy(p, p, dom)
}

// KL returns the Kullback-Leibler divergence D(p||q), review eq. (10),
//
//	KL(p, q) = integral of p log(p/q) = E_p[U_q - U_p] + log Z_q - log Z_p.
//
// It is +Inf, with error 0, if q is zero somewhere where p was seen to be
// positive. Errors as CrossEntropy.
func KL(p, q ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	const fn = "divergence.KL"
	if err := sameDim(fn, p, q); err != nil {
		return quad.Result{}, err
	}
	lq, err := logZ(q, dom)
	if err != nil {
		return quad.Result{}, err
	}
	pd, err := quad.NewDensity(p, dom)
	if err != nil {
		return quad.Result{}, err
	}
	lp := pd.LogZ
	if exact, ok := closedLogZ(p, dom); ok {
		lp = quad.Result{Value: exact, Evals: lp.Evals}
	}
	lq.Value -= lp.Value
	lq.Err += lp.Err
	lq.Evals += lp.Evals
	pd, err = cancelling(pd, func(x []float64) float64 { return math.Abs(p.Energy(x)) + 1 })
	if err != nil {
		return quad.Result{}, err
	}
	return expectOrInf(pd, lq, func(x []float64) float64 {
		uq := q.Energy(x)
		if math.IsInf(uq, 1) {
			return uq
		}
		return uq - p.Energy(x)
	})
}

// JensenShannon returns the Jensen-Shannon divergence
//
//	JS(p, q) = KL(p, m)/2 + KL(q, m)/2,   m = (p + q)/2,
//
// which lies between 0 and log 2 and is always finite. Errors as CrossEntropy.
func JensenShannon(p, q ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	const fn = "divergence.JensenShannon"
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
	var sum quad.Result
	for _, side := range []struct {
		a, b   ebmkit.Energy
		la, lb quad.Result
	}{{p, q, lp, lq}, {q, p, lq, lp}} {
		d, err := quad.NewDensity(side.a, dom)
		if err != nil {
			return quad.Result{}, err
		}
		r, err := d.WithAbsTol(1e-15).ExpectOne(func(x []float64) float64 {
			t := (-side.b.Energy(x) - side.lb.Value) - (-side.a.Energy(x) - side.la.Value)
			return math.Ln2 - vmath.Softplus(t)
		})
		if err != nil {
			return quad.Result{}, err
		}
		sum.Value += r.Value / 2
		sum.Err += (r.Err + side.la.Err + side.lb.Err) / 2
		sum.Evals += r.Evals + side.la.Evals
	}
	return sum, nil
}

// Fisher returns the Fisher divergence, review eq. (51),
//
//	D_F(p, q) = integral of p |grad log p - grad log q|^2 = E_p |grad U_q - grad U_p|^2,
//
// which does not depend on the normalisations. Errors as CrossEntropy; also if
// an energy has no gradient.
func Fisher(p, q ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	const fn = "divergence.Fisher"
	if err := sameDim(fn, p, q); err != nil {
		return quad.Result{}, err
	}
	gp, err := ebmkit.Gradient(fn, "p", p)
	if err != nil {
		return quad.Result{}, err
	}
	gq, err := ebmkit.Gradient(fn, "q", q)
	if err != nil {
		return quad.Result{}, err
	}
	pd, err := quad.NewDensity(p, dom)
	if err != nil {
		return quad.Result{}, err
	}
	a, b := make([]float64, p.Dim()), make([]float64, p.Dim())
	pd, err = cancelling(pd, func(x []float64) float64 {
		gp.EnergyGrad(a, x)
		return vmath.Dot(a, a)
	})
	if err != nil {
		return quad.Result{}, err
	}
	return expectOrInf(pd, quad.Result{Evals: pd.LogZ.Evals}, func(x []float64) float64 {
		gp.EnergyGrad(a, x)
		if math.IsInf(gq.EnergyGrad(b, x), 1) {
			return math.Inf(1)
		}
		var s float64
		for j := range a {
			s += (b[j] - a[j]) * (b[j] - a[j])
		}
		return s
	})
}

// cancelling returns d with an absolute tolerance for differences of terms of
// the given size: what their rounding leaves is not to be resolved.
func cancelling(d *quad.Density, size func(x []float64) float64) (*quad.Density, error) {
	r, err := d.ExpectOne(size)
	return d.WithAbsTol(1e-15 * r.Value), err
}

// expectOrInf returns offset + E[f], or +Inf if f is +Inf at a node where the
// density is positive.
func expectOrInf(d *quad.Density, offset quad.Result, f func(x []float64) float64) (quad.Result, error) {
	infinite := false
	r, err := d.ExpectOne(func(x []float64) float64 {
		v := f(x)
		if math.IsInf(v, 1) {
			infinite = true
			return 0
		}
		return v
	})
	r.Evals += offset.Evals
	if infinite {
		return quad.Result{Value: math.Inf(1), Evals: r.Evals}, nil
	}
	r.Value += offset.Value
	r.Err += offset.Err
	return r, err
}

func sameDim(fn string, p, q ebmkit.Energy) error {
	if p.Dim() != q.Dim() {
		return &ebmkit.ArgError{Func: fn, Arg: "q.Dim()", Value: q.Dim(), Want: fmt.Sprintf("%d, as p", p.Dim())}
	}
	return nil
}

// closedLogZ returns log Z in closed form, if there is one for this domain.
func closedLogZ(e ebmkit.Energy, dom quad.Domain) (float64, bool) {
	if n, ok := e.(ebmkit.Normalized); ok && dom.Lo == nil && dom.Hi == nil {
		return n.LogZ(), true
	}
	return 0, false
}

func logZ(e ebmkit.Energy, dom quad.Domain) (quad.Result, error) {
	if v, ok := closedLogZ(e, dom); ok {
		return quad.Result{Value: v}, nil
	}
	return quad.LogZ(e, dom)
}

// KLMonteCarlo estimates KL(p, q) in any dimension from n exact draws of p,
//
//	mean of log p(x_i) - log q(x_i),   x_i from p,
//
// with its standard error. Draws are those of ebmkit.Draw(p, n, seed). It
// returns *ebmkit.ArgError if the dimensions differ, p has no exact sampler,
// p or q no closed log Z, or n < 2. The value is +Inf if a draw falls where q
// is zero.
func KLMonteCarlo(p, q ebmkit.Normalized, n int, seed uint64) (ebmkit.Estimate, error) {
	const fn = "divergence.KLMonteCarlo"
	if err := sameDim(fn, p, q); err != nil {
		return ebmkit.Estimate{}, err
	}
	if n < 2 {
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	}
	draws, err := ebmkit.Draw(p, n, seed)
	if err != nil {
		return ebmkit.Estimate{}, err
	}
	up, uq := make([]float64, n), make([]float64, n)
	ebmkit.NewEvaluator(p).EnergyGrad(up, nil, draws.X)
	ebmkit.NewEvaluator(q).EnergyGrad(uq, nil, draws.X)
	c := q.LogZ() - p.LogZ()
	for i := range uq {
		if math.IsInf(uq[i], 1) {
			return ebmkit.Estimate{Value: math.Inf(1)}, nil
		}
		uq[i] += c - up[i]
	}
	return ebmkit.MeanOf(uq), nil
}

// KLGaussian returns KL(p, q) of two Gaussians in closed form,
//
//	[tr(P_q C_p) - d + (m_p - m_q)' P_q (m_p - m_q) + log det C_q - log det C_p] / 2.
//
// It panics if the dimensions differ.
func KLGaussian(p, q energy.Normal) float64 {
	d := mustSameDim("KLGaussian", p, q)
	cp, pq := p.Cov(nil), q.Precision(nil)
	mp, mq := p.Mean(nil), q.Mean(nil)
	s := -float64(d)
	for i := range d {
		for j := range d {
			s += pq[i*d+j] * (cp[i*d+j] + (mp[i]-mq[i])*(mp[j]-mq[j]))
		}
	}
	return s/2 + q.LogZ() - p.LogZ()
}

// EntropyGaussian returns the entropy log Z + d/2 of a Gaussian,
//
//	[d + d log(2 pi) + log det C] / 2.
func EntropyGaussian(p energy.Normal) float64 { return p.LogZ() + float64(p.Dim())/2 }

// FisherGaussian returns the Fisher divergence of two Gaussians in closed form,
//
//	tr((P_p - P_q) C_p (P_p - P_q)) + |P_q (m_p - m_q)|^2.
//
// It panics if the dimensions differ.
func FisherGaussian(p, q energy.Normal) float64 {
	d := mustSameDim("FisherGaussian", p, q)
	cp, pp, pq := p.Cov(nil), p.Precision(nil), q.Precision(nil)
	mp, mq := p.Mean(nil), q.Mean(nil)
	diff := make([]float64, d*d)
	for i := range diff {
		diff[i] = pp[i] - pq[i]
	}
	var s float64
	for i := range d {
		var shift float64
		for j := range d {
			shift += pq[i*d+j] * (mp[j] - mq[j])
			for k := range d {
				s += diff[i*d+j] * cp[j*d+k] * diff[k*d+i]
			}
		}
		s += shift * shift
	}
	return s
}

func mustSameDim(who string, p, q ebmkit.Energy) int {
	if p.Dim() != q.Dim() {
		panic("divergence: " + who + ": dimensions differ")
	}
	return p.Dim()
}
