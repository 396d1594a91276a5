package mcmc

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// GibbsTau returns the integrated autocorrelation time of v.x under Gibbs on a
// Gaussian, in sweeps, with every sweep kept (review section 4, Gibbs sampling).
// With covariance C, precision P and w = C v,
//
//	tau = 1 + 2 sum_{t>=1} rho_t = w' diag(P) w / v' w.
//
// A sweep in the order 1, 2, .., d is the linear map x' = B x + noise with
// B = -(D+L)^-1 L', where P = L + D + L' has the diagonal D and the strictly
// lower triangle L. It is stationary, so that the t-th autocovariance of v.x is
// v' B^t C v; the series sums to v' (I-B)^-1 C v, and (I-B)^-1 = C (D+L). Twice
// that less v' C v is w' (D + L + D + L' - P) w = w' D w. It is the same in any
// order of the sweep.
//
// It returns *ebmkit.ArgError if v has not one number for each coordinate, or if
// v is zero or not finite.
func GibbsTau(g energy.Normal, v []float64) (float64, error) {
	d := g.Dim()
	if len(v) != d {
		return 0, &ebmkit.ArgError{Func: "mcmc.GibbsTau", Arg: "len(v)", Value: len(v), Want: fmt.Sprint(d)}
	}
	c, p := g.Cov(nil), g.Precision(nil)
	var top, variance float64
	for i := range d {
		w := vmath.Dot(c[i*d:(i+1)*d], v)
		top += w * w * p[i*d+i]
		variance += w * v[i]
	}
	if !(variance > 0) || math.IsInf(variance, 0) {
		return 0, &ebmkit.ArgError{Func: "mcmc.GibbsTau", Arg: "v", Value: v, Want: "a direction of finite variance"}
	}
	return top / variance, nil
}
