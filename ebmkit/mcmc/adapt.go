package mcmc

import (
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// adaptation tunes step sizes, and masses where the kernel has them, during
// Burn. Each block follows its own acceptance rate by dual averaging (Hoffman
// and Gelman 2014, section 3.2); what couples blocks happens at joins whose
// step numbers are fixed by the configuration: variances are pooled at the end
// of each window, and at the end of Burn all blocks get the geometric mean of
// their steps.
type adaptation struct {
	burn    int
	windows []int // ends of the windows in which variances are gathered, ascending
	first   int   // transition at which the first window starts
	dim     int
}

// newAdaptation returns *ebmkit.ArgError if the kernel has no step to tune or
// Burn is too short.
func newAdaptation(sim *Simulation) (*adaptation, error) {
	k, ok := sim.blocks[0].kernel.(Tuner)
	if !ok {
		return nil, &ebmkit.ArgError{Func: "mcmc.Run", Arg: "Config.Adapt", Value: true,
			Want: "false for " + ebmkit.TypeName(sim.method) + ", which has no acceptance rate to tune"}
	}
	if sim.cfg.Burn < 20 {
		return nil, &ebmkit.ArgError{Func: "mcmc.Run", Arg: "Config.Burn", Value: sim.cfg.Burn, Want: "at least 20 transitions to adapt in"}
	}
	a := &adaptation{burn: sim.cfg.Burn, dim: sim.ens.Dim}
	_, mass := k.(MassTuner)
	if mass {
		a.first, a.windows = windows(sim.cfg.Burn)
	}
	for i := range sim.blocks {
		b := &sim.blocks[i]
		t := b.kernel.(Tuner)
		d := newDual(t.Step(), t.Optimum())
		if mass {
			d.mean, d.m2 = make([]float64, a.dim), make([]float64, a.dim)
		}
		b.dual = d
	}
	return a, nil
}

// windows returns where variances begin to be gathered and where each window
// ends: after 15 % of Burn, windows that double, and the last tenth for the
// step alone (Stan's scheme in proportion).
func windows(burn int) (first int, ends []int) {
	first, last := burn*15/100, burn*9/10
	for at, w := first, max(10, burn/40); at < last; w *= 2 {
		at += w
		if at+2*w > last {
			at = last
		}
		ends = append(ends, at)
	}
	return first, ends
}

// nextJoin returns the first transition after step at which blocks must meet.
func (a *adaptation) nextJoin(step int) int {
	for _, w := range a.windows {
		if w > step {
			return w
		}
	}
	return a.burn
}

// see is called by each block after each of its transitions.
func (a *adaptation) see(b *block, info Info) {
	if b.done > a.burn {
		return
	}
	d := b.dual
	d.update(vmath.Sum(info.Prob) / float64(len(info.Prob)))
	b.kernel.(Tuner).SetStep(d.step)
	if d.mean != nil && b.done > a.first && b.done <= a.windows[len(a.windows)-1] {
		d.gather(b.view.X, a.dim)
	}
}

// join is called when all blocks have reached the same transition.
func (a *adaptation) join(sim *Simulation) {
	if sim.step == a.burn {
		var sum float64
		for i := range sim.blocks {
			sum += sim.blocks[i].dual.logBar
		}
		h := vmath.Exp(sum / float64(len(sim.blocks)))
		for i := range sim.blocks {
			sim.blocks[i].kernel.(Tuner).SetStep(h)
		}
		return
	}
	for _, w := range a.windows {
		if w == sim.step {
			a.pool(sim)
		}
	}
}

// pool sets the inverse masses to the variances seen in the window by all
// walkers together, shrunk towards 1e-3 as in Stan, and starts the next window.
func (a *adaptation) pool(sim *Simulation) {
	n := 0.0
	mean, m2 := make([]float64, a.dim), make([]float64, a.dim)
	for i := range sim.blocks {
		d := sim.blocks[i].dual
		for j := range mean {
			delta := d.mean[j] - mean[j]
			mean[j] += delta * d.n / (n + d.n)
			m2[j] += d.m2[j] + delta*delta*n*d.n/(n+d.n)
			d.mean[j], d.m2[j] = 0, 0
		}
		n += d.n
		d.n = 0
	}
	for j := range m2 {
		m2[j] = m2[j]/(n-1)*n/(n+5) + 1e-3*5/(n+5)
	}
	for i := range sim.blocks {
		b := &sim.blocks[i]
		b.kernel.(MassTuner).SetInvMass(m2)
		if f, ok := b.kernel.(stepFinder); ok {
			f.findStep(&b.view, b.stream)
			b.dual.step = b.kernel.(Tuner).Step()
		}
		b.dual.restart()
	}
}

// dual is Nesterov's dual averaging of log step towards an acceptance rate:
//
//	hbar_t  = (1 - 1/(t+t0)) hbar + (optimum - accept)/(t+t0)
//	log h   = mu - sqrt(t)/gamma hbar_t
//	log bar = t^-kappa log h + (1 - t^-kappa) log bar
type dual struct {
	optimum, mu, t, hbar, logBar, step float64

	n        float64 // states gathered in this window
	mean, m2 []float64
}

// The gain 1/dualGamma is a quarter of Hoffman and Gelman's: with theirs the
// step still swings widely in the short last window, and where the acceptance
// rate falls off a cliff the mean of its logarithm ends below the optimum
// (measured on a correlated Gaussian: HMC 0.80 for 0.651, NUTS 0.86 for 0.8; with
// this gain 0.66 and 0.80).
const (
	dualGamma = 0.2
	dualT0    = 10
	dualKappa = 0.75
)

func newDual(step, optimum float64) *dual {
	d := &dual{optimum: optimum, step: step, logBar: vmath.Log(step)}
	d.restart()
	return d
}

// restart forgets the history and looks around the current step.
func (d *dual) restart() {
	d.mu = vmath.Log(d.step)
	d.t, d.hbar = 0, 0
}

func (d *dual) update(accept float64) {
	d.t++
	w := 1 / (d.t + dualT0)
	d.hbar = (1-w)*d.hbar + w*(d.optimum-accept)
	logH := d.mu - math.Sqrt(d.t)/dualGamma*d.hbar
	eta := vmath.Exp(-dualKappa * vmath.Log(d.t))
	d.logBar = eta*logH + (1-eta)*d.logBar
	d.step = vmath.Exp(logH)
}

// gather adds the rows of x to the running mean and sum of squares (Welford).
func (d *dual) gather(x []float64, dim int) {
	for lo := 0; lo < len(x); lo += dim {
		d.n++
		for j := range dim {
			v := x[lo+j]
			delta := v - d.mean[j]
			d.mean[j] += delta / d.n
			d.m2[j] += delta * (v - d.mean[j])
		}
	}
}
