package spin

import (
	"fmt"
	"math/bits"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Boltzmann is the fully visible Boltzmann machine (review section 1.2) of n spins,
//
//	U(x) = -sum_{i<j} J_ij x_i x_j - sum_j h_j x_j,
//
// the energy of a Hopfield network at temperature 1 with its couplings as
// parameters. theta is J_01, J_02, .., J_{n-2,n-1} row by row, then h. A new
// machine has theta = 0.
type Boltzmann struct {
	n int
	j []float64 // n*n, symmetric, zero diagonal
	h []float64
}

var (
	_ ebmkit.Parametric = (*Boltzmann)(nil)
	_ Exact             = (*Boltzmann)(nil)
)

// NewBoltzmann returns the machine of n spins with theta = 0. It returns
// *ebmkit.ArgError if n < 1.
func NewBoltzmann(n int) (*Boltzmann, error) {
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: "spin.NewBoltzmann", Arg: "n", Value: n, Want: "at least 1"}
	}
	return &Boltzmann{n, make([]float64, n*n), make([]float64, n)}, nil
}

// Dim returns the number of spins.
func (m *Boltzmann) Dim() int { return m.n }

// NumParams returns n(n-1)/2 + n.
func (m *Boltzmann) NumParams() int { return m.n*(m.n-1)/2 + m.n }

// Couplings returns a copy of J, row-major n x n.
func (m *Boltzmann) Couplings() []float64 { return append([]float64(nil), m.j...) }

// Params implements ebmkit.Parametric.
func (m *Boltzmann) Params(dst []float64) []float64 {
	dst = paramsInto("Boltzmann", m.NumParams(), dst)
	k := 0
	for a := range m.n {
		k += copy(dst[k:], m.j[a*m.n+a+1:(a+1)*m.n])
	}
	copy(dst[k:], m.h)
	return dst
}

// SetParams implements ebmkit.Parametric.
func (m *Boltzmann) SetParams(theta []float64) error {
	if err := wantVector("spin.Boltzmann.SetParams", "theta", theta, m.NumParams()); err != nil {
		return err
	}
	k := 0
	for a := range m.n {
		for b := a + 1; b < m.n; b++ {
			m.j[a*m.n+b], m.j[b*m.n+a] = theta[k], theta[k]
			k++
		}
	}
	copy(m.h, theta[k:])
	return nil
}

// Energy returns U(x). It panics if len(x) != Dim.
func (m *Boltzmann) Energy(x []float64) float64 {
	checkLen("Boltzmann.Energy", m.n, x)
	var u float64
	for a, v := range x {
		u -= v * (vmath.Dot(m.j[a*m.n:(a+1)*m.n], x)/2 + m.h[a])
	}
	return u
}

// AddParamGrad implements ebmkit.Parametric: dU/dJ_ij = -x_i x_j,
// dU/dh_j = -x_j.
func (m *Boltzmann) AddParamGrad(dst, w, xs []float64) {
	rows := checkParamGrad("Boltzmann", m.n, m.NumParams(), dst, w, xs)
	for r := range rows {
		m.addMoments(dst, -weight(w, r), xs[r*m.n:(r+1)*m.n])
	}
}

// addMoments adds w x_i x_j and w x_j to dst, in the order of theta.
func (m *Boltzmann) addMoments(dst []float64, w float64, x []float64) {
	k := 0
	for a, v := range x {
		vmath.Axpy(dst[k:k+m.n-a-1], w*v, x[a+1:])
		k += m.n - a - 1
	}
	vmath.Axpy(dst[k:], w, x)
}

// Sweep draws every spin in turn from its law given the others; it makes
// Boltzmann an mcmc.Sweeper. It panics if len(x) != Dim.
func (m *Boltzmann) Sweep(x []float64, s *ebmkit.Stream) { m.SweepAt(1, x, s) }

// SweepAt draws every spin in turn from its law given the others under
// exp(-beta U). It panics if len(x) != Dim.
func (m *Boltzmann) SweepAt(beta float64, x []float64, s *ebmkit.Stream) {
	checkLen("Boltzmann.Sweep", m.n, x)
	for a := range x {
		x[a] = -1
		if s.Float64() < vmath.Sigmoid(2*beta*(vmath.Dot(m.j[a*m.n:(a+1)*m.n], x)+m.h[a])) {
			x[a] = 1
		}
	}
}

// each calls f for all 2^n states with their energies, one spin turning at a
// time. f must not change x.
func (m *Boltzmann) each(f func(s int, u float64, x []float64)) {
	x := uniform(m.n, -1)
	u := m.Energy(x)
	f(0, u, x)
	for s := 1; s < 1<<m.n; s++ {
		i := bits.TrailingZeros(uint(s))
		u += 2 * x[i] * (vmath.Dot(m.j[i*m.n:(i+1)*m.n], x) + m.h[i])
		x[i] = -x[i]
		f(s, u, x)
	}
}

// ExactLogZ returns log of the sum of exp(-U) over the 2^n states. It returns
// *ebmkit.ArgError if n > MaxEnumerate.
func (m *Boltzmann) ExactLogZ() (float64, error) {
	u, err := m.energies("spin.Boltzmann.ExactLogZ")
	return vmath.LogSumExp(u), err
}

// energies returns -U of all states.
func (m *Boltzmann) energies(fn string) ([]float64, error) {
	if m.n > MaxEnumerate {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: m.n, Want: fmt.Sprintf("at most %d (2^n states)", MaxEnumerate)}
	}
	logW := make([]float64, 1<<m.n)
	m.each(func(s int, u float64, _ []float64) { logW[s] = -u })
	return logW, nil
}

// AddModelGrad adds w E_theta[dU/dtheta], by enumeration. Errors as ExactLogZ.
func (m *Boltzmann) AddModelGrad(dst []float64, w float64) error {
	if len(dst) != m.NumParams() {
		panic("spin: Boltzmann.AddModelGrad: len(dst) != NumParams")
	}
	logW, err := m.energies("spin.Boltzmann.AddModelGrad")
	if err != nil {
		return err
	}
	logZ := vmath.LogSumExp(logW)
	m.each(func(s int, u float64, x []float64) {
		m.addMoments(dst, -w*vmath.Exp(-u-logZ), x)
	})
	return nil
}

// paramsInto returns dst, or a new slice if it is nil.
func paramsInto(who string, p int, dst []float64) []float64 {
	if dst == nil {
		return make([]float64, p)
	}
	if len(dst) != p {
		panic("spin: " + who + ".Params: len(dst) != NumParams")
	}
	return dst
}

// checkParamGrad returns the number of rows of xs and panics on a wrong length.
func checkParamGrad(who string, d, p int, dst, w, xs []float64) int {
	n := ebmkit.CheckRows("spin: "+who+".AddParamGrad", d, w, nil, xs)
	if len(dst) != p {
		panic("spin: " + who + ".AddParamGrad: len(dst) != NumParams")
	}
	return n
}

func weight(w []float64, i int) float64 {
	if w == nil {
		return 1
	}
	return w[i]
}
