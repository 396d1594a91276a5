package divergence

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// CrossEntropyMonteCarlo estimates the cross-entropy H(p, q) = -E_p[log q] in
// any dimension from n exact draws of p,
//
//	mean of U_q(x_i) + log Z_q,   x_i from p.
//
// It is unbiased, and its standard error is that of a mean. The density of p is
// not used. Draws are those of ebmkit.Draw(p, n, seed). The value is +Inf if a
// draw falls where q is zero. It returns *ebmkit.ArgError if the dimensions
// differ, p has no exact sampler, or n < 2.
func CrossEntropyMonteCarlo(p ebmkit.Energy, q ebmkit.Normalized, n int, seed uint64) (ebmkit.Estimate, error) {
	const fn = "divergence.CrossEntropyMonteCarlo"
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
	u := make([]float64, n)
	ebmkit.NewEvaluator(q).EnergyGrad(u, nil, draws.X)
	for _, v := range u {
		if math.IsInf(v, 1) {
			return ebmkit.Estimate{Value: v}, nil
		}
	}
	e := ebmkit.MeanOf(u)
	e.Value += q.LogZ()
	return e, nil
}

// EntropyMonteCarlo estimates the entropy of p from n exact draws of it: it is
// CrossEntropyMonteCarlo(p, p, n, seed), unbiased. KNNEntropy needs no density.
func EntropyMonteCarlo(p ebmkit.Normalized, n int, seed uint64) (ebmkit.Estimate, error) {
	return CrossEntropyMonteCarlo(p, p, n, seed)
}

// JensenShannonMonteCarlo estimates the Jensen-Shannon divergence in any
// dimension from n exact draws of p and n of q. It is unbiased; its standard
// error, below 1/sqrt(n), is that of the mean of a bounded function of
// log p - log q under the mixture m = (p + q)/2. It returns *ebmkit.ArgError if
// the dimensions differ, p or q has no exact sampler, or n < 2.
func JensenShannonMonteCarlo(p, q ebmkit.Normalized, n int, seed uint64) (ebmkit.Estimate, error) {
	return mixtureMonteCarlo("divergence.JensenShannonMonteCarlo", p, q, n, seed, jensenShannonTerm)
}

// TotalVariationMonteCarlo estimates the total variation distance in any
// dimension; unbiased; draws, error and errors as JensenShannonMonteCarlo.
func TotalVariationMonteCarlo(p, q ebmkit.Normalized, n int, seed uint64) (ebmkit.Estimate, error) {
	return mixtureMonteCarlo("divergence.TotalVariationMonteCarlo", p, q, n, seed, variationTerm)
}

// HellingerSquaredMonteCarlo estimates the square H^2 of the Hellinger distance
// in any dimension; unbiased; draws, error and errors as
// JensenShannonMonteCarlo.
func HellingerSquaredMonteCarlo(p, q ebmkit.Normalized, n int, seed uint64) (ebmkit.Estimate, error) {
	return mixtureMonteCarlo("divergence.HellingerSquaredMonteCarlo", p, q, n, seed, hellingerTerm)
}

// HellingerMonteCarlo estimates the Hellinger distance H: the root of
// HellingerSquaredMonteCarlo, with its error by the delta method,
//
//	SE(H) = SE(H^2) / (2 H).
//
// The root biases it down by SE(H)^2/(2 H); near H = 0 use the square. Draws and
// errors as JensenShannonMonteCarlo.
func HellingerMonteCarlo(p, q ebmkit.Normalized, n int, seed uint64) (ebmkit.Estimate, error) {
	e, err := mixtureMonteCarlo("divergence.HellingerMonteCarlo", p, q, n, seed, hellingerTerm)
	return root(e), err
}

// root returns the estimate of the root by the delta method. At 0, where the
// root has no derivative, it is within the root of the error.
func root(e ebmkit.Estimate) ebmkit.Estimate {
	if e.Value == 0 {
		return ebmkit.Estimate{SE: math.Sqrt(e.SE)}
	}
	r := math.Sqrt(e.Value)
	return ebmkit.Estimate{Value: r, SE: e.SE / (2 * r)}
}

// mixtureMonteCarlo estimates E_m[f(log p - log q)] from n draws of each.
func mixtureMonteCarlo(fn string, p, q ebmkit.Normalized, n int, seed uint64, f func(t float64) float64) (ebmkit.Estimate, error) {
	if err := sameDim(fn, p, q); err != nil {
		return ebmkit.Estimate{}, err
	}
	if n < 2 {
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 2"}
	}
	lp, lq := p.LogZ(), q.LogZ()
	up, uq := make([]float64, n), make([]float64, n)
	var half [2]ebmkit.Estimate
	// One seed would give p and q of one family the same noise.
	seeds := [2]uint64{seed, ebmkit.NewStream(seed, "second", 0).Uint64()}
	for k, e := range []ebmkit.Energy{p, q} {
		draws, err := ebmkit.Draw(e, n, seeds[k])
		if err != nil {
			return ebmkit.Estimate{}, err
		}
		ebmkit.NewEvaluator(p).EnergyGrad(up, nil, draws.X)
		ebmkit.NewEvaluator(q).EnergyGrad(uq, nil, draws.X)
		for i := range up {
			up[i] = f((uq[i] + lq) - (up[i] + lp))
		}
		half[k] = ebmkit.MeanOf(up)
	}
	return ebmkit.Estimate{
		Value: (half[0].Value + half[1].Value) / 2,
		SE:    math.Sqrt(half[0].SE*half[0].SE+half[1].SE*half[1].SE) / 2,
	}, nil
}
