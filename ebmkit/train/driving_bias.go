package train

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
)

// DrivingBias returns the bias of the log Z of Jarzynski's walkers that drive their
// own parameters, where it can be computed: gradient descent on the means of well
// separated unit Gaussians of the given masses in dim dimensions (as of
// energy.NewMovingModes), with N walkers that make one step of mcmc.ULA{Step: step}
// at a time. Entry k is N times the bias at step k:
//
//	B_0 = 0,   B_{k+1} = B_k - sum over modes of eta_k m dim (1 + c_k),   eta_k = rate.Rate(k),
//	c_0 = 0,   c_{k+1} = (1-step) [(1 - eta_k m) c_k - eta_k m].
//
// The 1 alone is what walkers that are fresh at every step would give, the sum of
// eta_k tr Cov(dU/dtheta) that Jarzynski names. With e the distance of the walkers'
// mean from that of their mode and u the distance of the latter from that of the data,
// c_k is E[e u]/E[e^2]: walkers remember, and the mode has moved away from where they
// were too many. Left out are terms of order 1/N^2, and of relative order step: the
// walkers' weights are taken to be nearly equal.
//
// The slice has steps+1 entries. It returns *ebmkit.ArgError if there are no masses or
// one is not in [0, 1], dim < 1, step is not in (0, 2), where ULA is stable, rate is
// nil or gives a rate that is not in [0, 2), or steps < 0.
func DrivingBias(masses []float64, dim int, step float64, rate nn.Schedule, steps int) ([]float64, error) {
	const fn = "train.DrivingBias"
	bad := func(arg string, value any, want string) ([]float64, error) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	switch {
	case len(masses) == 0:
		return bad("masses", masses, "at least one")
	case dim < 1:
		return bad("dim", dim, "at least 1")
	case !(step > 0 && step < 2):
		return bad("step", step, "in (0, 2)")
	case rate == nil:
		return bad("rate", nil, "a schedule")
	case steps < 0:
		return bad("steps", steps, "at least 0")
	}
	bias := make([]float64, steps+1)
	for i, m := range masses {
		if !(m >= 0 && m <= 1) {
			return bad(fmt.Sprintf("masses[%d]", i), m, "in [0, 1]")
		}
		var sum, memory float64
		for k := range steps {
			eta := rate.Rate(k)
			if !(eta >= 0 && eta < 2) {
				return bad(fmt.Sprintf("rate.Rate(%d)", k), eta, "in [0, 2)")
			}
			speed := m * eta
			sum -= speed * float64(dim) * (1 + memory)
			memory = (1 - step) * ((1-speed)*memory - speed)
			bias[k+1] += sum
		}
	}
	return bias, nil
}
