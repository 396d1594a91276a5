package meanfield

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
)

// Crossings returns the times at which parameter k passes a level, in either
// direction, by straight lines between the times that were kept.
func (p *Path) Crossings(k int, level float64) []float64 {
	var times []float64
	for i := 1; i < len(p.T); i++ {
		before, after := p.Theta[i-1][k]-level, p.Theta[i][k]-level
		if before*after < 0 || after == 0 && before != 0 {
			times = append(times, p.T[i]-(p.T[i]-p.T[i-1])*after/(after-before))
		}
	}
	return times
}

// Derivative returns dU/dtheta_k at the centres of the cells. It panics if there is
// no parameter k, or the model has another dimension than the grid.
func Derivative(model ebmkit.Parametric, g *fokkerplanck.Grid, k int) []float64 {
	if k < 0 || k >= model.NumParams() {
		panic(fmt.Sprintf("meanfield: Derivative: no parameter %d of %d", k, model.NumParams()))
	}
	d, xs := g.Dim(), g.Points()
	out, all, one := make([]float64, g.Len()), make([]float64, model.NumParams()), []float64{1}
	for i := range out {
		clear(all)
		model.AddParamGrad(all, one, xs[i*d:(i+1)*d])
		out[i] = all[k]
	}
	return out
}

// Covariance returns the covariance of two functions, given at the centres of the
// cells, under the density p,
//
//	sum_k V p_k (a_k - E a) (b_k - E b).
//
// Of a = b it is the variance. It panics if a length does not fit.
func Covariance(g *fokkerplanck.Grid, p, a, b []float64) float64 {
	if len(p) != g.Len() || len(a) != g.Len() || len(b) != g.Len() {
		panic("meanfield: Covariance: a function is not on the grid")
	}
	var ma, mb, sum float64
	for k, w := range p {
		ma += g.Volume() * w * a[k]
		mb += g.Volume() * w * b[k]
	}
	for k, w := range p {
		sum += g.Volume() * w * (a[k] - ma) * (b[k] - mb)
	}
	return sum
}
