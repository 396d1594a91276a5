package spin

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Moments returns what maximum likelihood makes equal, review eq. (16): the
// moments of the statistics -dU/dtheta with the model running freely and with the
// visible units clamped to the rows xs of weights w (see LogLikelihood),
//
//	free_k = -E_theta[dU/dtheta_k],   clamped_k = -sum_i w_i dU(x_i)/dtheta_k,
//
// each of length NumParams, in the order of Params. The gradient of the
// log-likelihood is clamped - free. For a Boltzmann machine they are <x_i x_j> for
// i < j, then <x_i>; for an RBM <p_j v_i>, <v_i> and <p_j>, with p_j the
// probability that hidden unit j is 1. Errors as LogLikelihood.
func Moments(m Exact, xs, w []float64) (free, clamped []float64, err error) {
	minus, err := checkData("spin.Moments", m, xs, w)
	if err != nil {
		return nil, nil, err
	}
	free, clamped = make([]float64, m.NumParams()), make([]float64, m.NumParams())
	m.AddParamGrad(clamped, minus, xs)
	if err := m.AddModelGrad(free, -1); err != nil {
		return nil, nil, err
	}
	return free, clamped, nil
}

// GradientError returns the largest difference between a component of the gradient
// of LogLikelihood, review eq. (16), and the central difference of the
// log-likelihood L itself,
//
//	max_k |dL/dtheta_k - [L(theta + step e_k) - L(theta - step e_k)]/(2 step)|,
//
// which is about step^2/6 times a third derivative of L, plus 1e-16/step of
// rounding, if the gradient is right: try step = 1e-5. The parameters of m are
// moved and put back. Errors as LogLikelihood; *ebmkit.ArgError if step is not
// positive and finite.
func GradientError(m Exact, xs, w []float64, step float64) (float64, error) {
	const fn = "spin.GradientError"
	if !(step > 0) || !isFinite(step) {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "step", Value: step, Want: "a positive finite number"}
	}
	minus, err := checkData(fn, m, xs, w)
	if err != nil {
		return 0, err
	}
	grad, theta := make([]float64, m.NumParams()), m.Params(nil)
	if _, err := logLikelihood(m, grad, xs, minus); err != nil {
		return 0, err
	}
	defer m.SetParams(theta)
	at := func(k int, h float64) (float64, error) {
		moved := append([]float64(nil), theta...)
		moved[k] += h
		if err := m.SetParams(moved); err != nil {
			return 0, err
		}
		return logLikelihood(m, nil, xs, minus)
	}
	var worst float64
	for k, g := range grad {
		down, err := at(k, -step)
		if err != nil {
			return 0, err
		}
		up, err := at(k, step)
		if err != nil {
			return 0, err
		}
		worst = max(worst, math.Abs(g-(up-down)/(2*step)))
	}
	return worst, nil
}

// KL returns the Kullback-Leibler divergence of the data from the model, before
// the first and after every step,
//
//	KL = sum_i w_i log w_i - sum_i w_i log rho_theta(x_i) = -entropy - L,
//
// the cross-entropy of review eq. (14) minus the entropy of the data,
// -sum_i w_i log w_i if the rows x_i all differ.
func (t *AscentTrace) KL(entropy float64) []float64 {
	kl := make([]float64, len(t.LogLikelihood))
	for k, l := range t.LogLikelihood {
		kl[k] = -l - entropy
	}
	return kl
}
