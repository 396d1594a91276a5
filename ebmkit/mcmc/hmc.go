package mcmc

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// HMC is Hamiltonian Monte Carlo (Duane et al. 1987; named in review section
// 4): momenta p ~ N(0, M) are drawn, the energy
//
//	H(x, p) = U(x) + p' M^-1 p / 2
//
// is followed for Leapfrog steps
//
//	p -= h/2 grad U(x);  x += h M^-1 p;  p -= h/2 grad U(x),   h = Step,
//
// and the end is accepted with probability min(1, exp(H - H')). The step is of
// order 2: the energy error falls as h^2. A transition with H' - H > 1000 is
// counted as divergent. The efficient acceptance rate is 0.651.
type HMC struct {
	Step     float64   // h, a time
	Leapfrog int       // steps per transition, at least 1
	InvMass  []float64 // diagonal of M^-1, best near the target's variances; nil means ones
}

// Bind implements Method.
func (m HMC) Bind(target ebmkit.Energy, rows int) (Kernel, error) {
	const fn = "mcmc.HMC"
	if err := positive(fn, "Step", m.Step); err != nil {
		return nil, err
	}
	if m.Leapfrog < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Leapfrog", Value: m.Leapfrog, Want: "at least 1"}
	}
	if _, err := ebmkit.Gradient(fn, "target", target); err != nil {
		return nil, err
	}
	d := target.Dim()
	if err := wantInvMass(fn, m.InvMass, d); err != nil {
		return nil, err
	}
	group := min(rows, cachedRows(d))
	k := &hmc{h: m.Step, steps: m.Leapfrog, ev: ebmkit.NewEvaluator(target), p: newProposal(rows, d, true),
		v: make([]float64, group*d), h0: make([]float64, rows), mass: newMass(d, group)}
	if m.InvMass != nil {
		k.mass.set(m.InvMass)
	}
	return k, nil
}

// wantInvMass checks inverse masses; nil is legal.
func wantInvMass(fn string, v []float64, d int) error {
	if v != nil && len(v) != d {
		return &ebmkit.ArgError{Func: fn, Arg: "len(InvMass)", Value: len(v), Want: fmt.Sprintf("%d, the dimension of the target", d)}
	}
	for i, w := range v {
		if err := positive(fn, fmt.Sprintf("InvMass[%d]", i), w); err != nil {
			return err
		}
	}
	return nil
}

// mass is a diagonal mass matrix. Kernels hold the momenta in its units, v =
// M^-1/2 p ~ N(0, I), so that x moves by h s v and v by h s grad U with s =
// M^-1/2, and p' M^-1 p = |v|^2.
type mass struct {
	inv  []float64 // M^-1
	s    []float64 // M^-1/2, repeated for each row
	unit bool
}

func newMass(d, rows int) mass {
	return mass{inv: slices.Repeat([]float64{1}, d), s: slices.Repeat([]float64{1}, d*rows), unit: true}
}

func (m *mass) set(inv []float64) {
	copy(m.inv, inv)
	m.unit = true
	d := len(m.inv)
	for i := range m.s {
		m.s[i] = math.Sqrt(m.inv[i%d])
		m.unit = m.unit && m.s[i] == 1
	}
}

// addScaled computes dst += a s src, whole rows at a time.
func (m *mass) addScaled(dst []float64, a float64, src []float64) {
	if m.unit {
		vmath.Axpy(dst, a, src)
		return
	}
	vmath.AxpyScaled(dst, a, m.s[:len(dst)], src)
}

type hmc struct {
	h     float64
	steps int
	ev    ebmkit.Evaluator
	p     proposal
	v     []float64 // momenta of the rows in the cache
	h0    []float64 // H at the start
	mass  mass
}

func (k *hmc) Start(block *ebmkit.Ensemble, _ *ebmkit.Stream) error {
	keepEnergy(k.ev, block, true)
	return nil
}

func (k *hmc) Advance(block *ebmkit.Ensemble, s *ebmkit.Stream) (Info, error) {
	p, d := k.p.rows(block.N), block.Dim
	h0, divergent, group := k.h0[:block.N], 0, cachedRows(d)
	for lo := 0; lo < block.N; lo += group {
		hi := min(lo+group, block.N)
		from, to := lo*d, hi*d
		x, grad, v := p.x[from:to], p.grad[from:to], k.v[:to-from]
		s.FillNormal(v)
		for i := lo; i < hi; i++ {
			h0[i] = block.U[i] + kinetic(v[(i-lo)*d:][:d])
		}
		copy(x, block.X[from:to])
		copy(grad, block.Grad[from:to])
		k.leapfrog(p.u[lo:hi], x, v, grad)
		for i := lo; i < hi; i++ {
			a := h0[i] - p.u[i] - kinetic(v[(i-lo)*d:][:d])
			if a < -maxEnergyError && !math.IsInf(a, 0) {
				divergent++
			}
			p.prob[i] = a
		}
	}
	info := p.decide(block, s)
	info.H, info.Evals, info.Divergent = h0, k.steps*block.N, divergent
	return info, nil
}

// maxEnergyError is the energy error above which a trajectory has left the
// integrator's region of stability.
const maxEnergyError = 1000

// cachedRows returns how many rows of length d go through a transition together,
// so that what moves stays in the nearest cache: three arrays of 29 kB in all,
// but at least 12 rows, because fewer starve a matrix product.
func cachedRows(d int) int { return max(12, 1200/d) }

// leapfrog follows the rows x with momenta v for all steps. grad holds the
// gradients at x, before and after; u gets the energies at the end.
func (k *hmc) leapfrog(u, x, v, grad []float64) {
	k.mass.addScaled(v, -k.h/2, grad)
	for l := 1; l < k.steps; l++ {
		k.mass.addScaled(x, k.h, v)
		k.ev.EnergyGrad(nil, grad, x)
		k.mass.addScaled(v, -k.h, grad) // the end of one step and the start of the next
	}
	k.mass.addScaled(x, k.h, v)
	k.ev.EnergyGrad(u, grad, x)
	k.mass.addScaled(v, -k.h/2, grad)
}

// kinetic returns |v|^2 / 2.
func kinetic(v []float64) float64 { return vmath.Dot(v, v) / 2 }

func (k *hmc) Step() float64          { return k.h }
func (k *hmc) SetStep(h float64)      { k.h = h }
func (k *hmc) Optimum() float64       { return 0.651 }
func (k *hmc) InvMass() []float64     { return k.mass.inv }
func (k *hmc) SetInvMass(v []float64) { k.mass.set(v) }
