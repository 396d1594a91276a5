package diagnose

import (
	"math"

	"github.com/ebmkit/hitchhiker/internal/order"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// ranking is the scratch of everything that needs draws in order. One goroutine
// reuses it from series to series of the same size.
type ranking struct {
	order  []uint32  // positions of the draws, by increasing value, equal values by position
	value  []float64 // value[i] is the draw at order[i]
	folded []float64 // the same for the folded draws
	forder []uint32
	sorter order.Sorter
	scores []float64 // normal scores of the ranks 1, 2, ..., len(scores)
	z      []float64 // normal scores of the draws, at their positions
}

// sort puts the draws of x in order.
func (r *ranking) sort(x []float64) {
	r.sorter.Sort(x)
	r.order, r.value = r.sorter.Order, r.sorter.Value
}

// keepHalves drops the middle draws of chains of odd length, which belong to
// neither half, from the order.
func (r *ranking) keepHalves(draws int) {
	if draws%2 == 0 {
		return
	}
	k := 0
	for i, p := range r.order {
		if int(p)%draws == draws/2 {
			continue
		}
		r.order[k], r.value[k] = p, r.value[i]
		k++
	}
	r.order, r.value = r.order[:k], r.value[:k]
}

// fold puts the distances from the median in order, by merging the draws below
// it, read downwards, with those above.
func (r *ranking) fold() {
	n := len(r.value)
	r.forder, r.folded = grow(r.forder, n), grow(r.folded, n)
	median := medianOf(r.value)
	up := n / 2
	down := up - 1
	value, order, folded, forder := r.value, r.order, r.folded, r.forder
	k := 0
	for ; down >= 0 && up < n; k++ {
		// Bits of non-negative numbers order like the numbers. On integers the
		// choice compiles without a branch, which no predictor could guess.
		below, above := math.Float64bits(median-value[down]), math.Float64bits(value[up]-median)
		step := 0
		if above < below {
			step = 1
		}
		folded[k], forder[k] = math.Float64frombits(min(below, above)), order[down+step*(up-down)]
		up += step
		down += step - 1
	}
	for ; down >= 0; k, down = k+1, down-1 {
		folded[k], forder[k] = median-value[down], order[down]
	}
	for ; up < n; k, up = k+1, up+1 {
		folded[k], forder[k] = value[up]-median, order[up]
	}
}

// normalScores writes at each draw's position in z the normal score of its
// rank,
//
//	z = Phi^-1((rank - 3/8) / (n + 1/4)),
//
// equal values sharing their average rank (Vehtari et al. 2021, eq. (14)).
// len(z) is the number of draws with the middle ones; their places are left
// alone.
func (r *ranking) normalScores(order []uint32, value []float64, positions int) []float64 {
	n := len(order)
	if len(r.scores) != n {
		r.scores = grow(r.scores, n)
		for i := range (n + 1) / 2 {
			q := normalScore(float64(i+1), n)
			r.scores[i], r.scores[n-1-i] = q, -q
		}
	}
	r.z = grow(r.z, positions)
	for i := 0; i < n; {
		if i+1 == n || value[i+1] != value[i] {
			r.z[order[i]] = r.scores[i]
			i++
			continue
		}
		end := i + 2
		for end < n && value[end] == value[i] {
			end++
		}
		q := normalScore(float64(i+1+end)/2, n)
		for ; i < end; i++ {
			r.z[order[i]] = q
		}
	}
	return r.z
}

func normalScore(rank float64, n int) float64 {
	if 2*rank > float64(n+1) {
		return -normalScore(float64(n+1)-rank, n) // exact: the small tail is the accurate one
	}
	return normQuantile((rank - 0.375) / (float64(n) + 0.25))
}

// medianOf returns the median of values in order, +0 for -0.
func medianOf(v []float64) float64 {
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1]+v[n/2])/2 + 0
}

// normQuantile returns the standard normal quantile of p by algorithm AS 241
// (Wichura 1988, PPND16), whose relative error is about 1e-16. It is -Inf at 0,
// +Inf at 1, NaN outside [0, 1].
func normQuantile(p float64) float64 {
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - q*q
		return q * (((((((2.5090809287301226727e3*r+3.3430575583588128105e4)*r+6.7265770927008700853e4)*r+
			4.5921953931549871457e4)*r+1.3731693765509461125e4)*r+1.9715909503065514427e3)*r+
			1.3314166789178437745e2)*r + 3.3871328727963666080e0) /
			(((((((5.2264952788528545610e3*r+2.8729085735721942674e4)*r+3.9307895800092710610e4)*r+
				2.1213794301586595867e4)*r+5.3941960214247511077e3)*r+6.8718700749205790830e2)*r+
				4.2313330701600911252e1)*r + 1)
	}
	tail := min(p, 1-p)
	if !(tail > 0) {
		switch {
		case p == 0:
			return math.Inf(-1)
		case p == 1:
			return math.Inf(1)
		}
		return math.NaN()
	}
	r := math.Sqrt(-vmath.Log(tail))
	var z float64
	if r <= 5 {
		r -= 1.6
		z = (((((((7.74545014278341407640e-4*r+2.27238449892691845833e-2)*r+2.41780725177450611770e-1)*r+
			1.27045825245236838258e0)*r+3.64784832476320460504e0)*r+5.76949722146069140550e0)*r+
			4.63033784615654529590e0)*r + 1.42343711074968357734e0) /
			(((((((1.05075007164441684324e-9*r+5.47593808499534494600e-4)*r+1.51986665636164571966e-2)*r+
				1.48103976427480074590e-1)*r+6.89767334985100004550e-1)*r+1.67638483018380384940e0)*r+
				2.05319162663775882187e0)*r + 1)
	} else {
		r -= 5
		z = (((((((2.01033439929228813265e-7*r+2.71155556874348757815e-5)*r+1.24266094738807843860e-3)*r+
			2.65321895265761230930e-2)*r+2.96560571828504891230e-1)*r+1.78482653991729133580e0)*r+
			5.46378491116411436990e0)*r + 6.65790464350110377720e0) /
			(((((((2.04426310338993978564e-15*r+1.42151175831644588870e-7)*r+1.84631831751005468180e-5)*r+
				7.86869131145613259100e-4)*r+1.48753612908506148525e-2)*r+1.36929880922735805310e-1)*r+
				5.99832206555887937690e-1)*r + 1)
	}
	if q < 0 {
		return -z
	}
	return z
}

// grow returns a slice of length n, reusing the memory of s if it suffices.
// Its contents are unspecified.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
