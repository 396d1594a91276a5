package gan

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Optimal is the best discriminator of two known densities, review eq. (35),
//
//	D*(x) = p(x)/(p(x) + q(x)),   log D*/(1 - D*) = U_q(x) - U_p(x) + log Z_q - log Z_p,
//
// with p of the data and q of the generator.
type Optimal struct {
	p, q   ebmkit.Normalized
	offset float64
}

// NewOptimal returns the best discriminator of p, of the data, and q, of the
// generator. It returns *ebmkit.ArgError if one is nil or the dimensions differ.
func NewOptimal(p, q ebmkit.Normalized) (*Optimal, error) {
	if p == nil || q == nil {
		return nil, &ebmkit.ArgError{Func: "gan.NewOptimal", Arg: "p and q", Value: nil, Want: "two densities"}
	}
	if p.Dim() != q.Dim() {
		return nil, &ebmkit.ArgError{Func: "gan.NewOptimal", Arg: "q.Dim()", Value: q.Dim(), Want: fmt.Sprintf("%d, as p", p.Dim())}
	}
	return &Optimal{p, q, q.LogZ() - p.LogZ()}, nil
}

// LogRatio returns log D*/(1 - D*) = log p(x) - log q(x).
func (o *Optimal) LogRatio(x []float64) float64 { return o.q.Energy(x) - o.p.Energy(x) + o.offset }

// At returns D*(x).
func (o *Optimal) At(x []float64) float64 { return vmath.Sigmoid(o.LogRatio(x)) }

// Value returns V(G, D) by quadrature in one or two dimensions, for data of the
// density p, a generator of the density q, and any discriminator given by its
// logit,
//
//	V = E_p[log D] + E_q[log(1 - D)],   review eq. (33), (34) and, with its logarithms, (36).
//
// It returns *ebmkit.ArgError if the dimensions differ or are not 1 or 2, or the
// logit is NaN, and what quad returns.
func Value(p, q ebmkit.Energy, logit func(x []float64) float64, dom quad.Domain) (quad.Result, error) {
	const fn = "gan.Value"
	if p.Dim() != q.Dim() {
		return quad.Result{}, &ebmkit.ArgError{Func: fn, Arg: "q.Dim()", Value: q.Dim(), Want: fmt.Sprintf("%d, as p", p.Dim())}
	}
	var sum quad.Result
	for k, e := range []ebmkit.Energy{p, q} {
		sign := float64(1 - 2*k)
		d, err := quad.NewDensity(e, dom)
		if err != nil {
			return quad.Result{}, err
		}
		r, err := d.ExpectOne(func(x []float64) float64 { return -vmath.Softplus(-sign * logit(x)) })
		if err != nil {
			return quad.Result{}, err
		}
		sum.Value += r.Value
		sum.Err += r.Err
		sum.Evals += r.Evals
	}
	return sum, nil
}

// Cost returns C(G) = max_D V(G, D) = V(G, D*) by quadrature, review eq. (37)
// corrected,
//
//	C = E_p[log p/(p+q)] + E_q[log q/(p+q)] = -ln 4 + 2 JS(p, q),   review eq. (38),
//
// so that -ln 4 <= C <= 0. What C exceeds V(G, D) by is how far D is from the
// optimum. Errors as Value and NewOptimal.
func Cost(p, q ebmkit.Normalized, dom quad.Domain) (quad.Result, error) {
	o, err := NewOptimal(p, q)
	if err != nil {
		return quad.Result{}, err
	}
	return Value(p, q, o.LogRatio, dom)
}

// regretTol is the error to which Regret is known: the integrand of a good
// discriminator is a difference of nearly equal numbers of order 1.
const regretTol = 1e-12

// Regret returns C(G) - V(G, D) by quadrature in one or two dimensions: what the
// discriminator with the given logit loses against the best, as the divergence
// of their verdicts, which are coins,
//
//	C - V = integral of (p + q) KL(D*, D) dx,
//	KL(D*, D) = D* log D*/D + (1 - D*) log (1 - D*)/(1 - D),
//
// so that it is never negative, and 0 for review eq. (35) alone. It is right to
// 1e-12 or so also where C and V agree in most of their digits. Errors as Value
// and NewOptimal.
func Regret(p, q ebmkit.Normalized, logit func(x []float64) float64, dom quad.Domain) (quad.Result, error) {
	o, err := NewOptimal(p, q)
	if err != nil {
		return quad.Result{}, err
	}
	kl := func(x []float64) float64 {
		best, l := o.LogRatio(x), logit(x)
		return vmath.Sigmoid(best)*(vmath.Softplus(-l)-vmath.Softplus(-best)) +
			vmath.Sigmoid(-best)*(vmath.Softplus(l)-vmath.Softplus(best))
	}
	var sum quad.Result
	for _, e := range []ebmkit.Energy{p, q} {
		d, err := quad.NewDensity(e, dom)
		if err != nil {
			return quad.Result{}, err
		}
		r, err := d.WithAbsTol(regretTol).ExpectOne(kl)
		if err != nil {
			return quad.Result{}, err
		}
		sum.Value += r.Value
		sum.Err += r.Err
		sum.Evals += r.Evals
	}
	return sum, nil
}
