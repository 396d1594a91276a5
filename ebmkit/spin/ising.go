package spin

import (
	"fmt"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Bond couples sites A and B with strength J; J > 0 favours equal spins.
type Bond struct {
	A, B int
	J    float64
}

// Ising is the Ising model on a graph, review eq. (2),
//
//	U(x) = -sum_<ij> J_ij x_i x_j - mu sum_j h_j x_j,
//
// every bond counted once. It is an energy on rows of -1 and +1.
type Ising struct {
	n     int
	bonds []Bond
	field []float64 // mu h_j
	// The neighbours of site i are site[first[i]:first[i+1]], coupled by
	// coupling at the same places.
	first    []int
	site     []int
	coupling []float64
}

var _ ebmkit.Energy = (*Ising)(nil)

// NewIsing returns the model with n sites, the given bonds, magnetic moment mu
// and fields h, length n; nil means no field. It returns *ebmkit.ArgError if
// n < 1, a bond joins a site to itself or to one that does not exist, a pair
// occurs twice, or a number is not finite.
func NewIsing(n int, bonds []Bond, mu float64, h []float64) (*Ising, error) {
	const fn = "spin.NewIsing"
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 1"}
	}
	if err := wantFinite(fn, "mu", mu); err != nil {
		return nil, err
	}
	m := &Ising{n: n, bonds: slices.Clone(bonds), field: make([]float64, n), first: make([]int, n+1)}
	if h != nil {
		if err := wantVector(fn, "h", h, n); err != nil {
			return nil, err
		}
		for j, v := range h {
			m.field[j] = mu * v
			if err := wantFinite(fn, fmt.Sprintf("mu*h[%d]", j), m.field[j]); err != nil {
				return nil, err
			}
		}
	}
	degree := make([]int, n)
	for k, b := range bonds {
		arg := fmt.Sprintf("bonds[%d]", k)
		switch {
		case b.A < 0 || b.A >= n || b.B < 0 || b.B >= n:
			return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: b, Want: fmt.Sprintf("sites from 0 to %d", n-1)}
		case b.A == b.B:
			return nil, &ebmkit.ArgError{Func: fn, Arg: arg, Value: b, Want: "two different sites (x_i x_i = 1 is a constant)"}
		case !isFinite(b.J):
			return nil, wantFinite(fn, arg+".J", b.J)
		}
		degree[b.A]++
		degree[b.B]++
	}
	for i, d := range degree {
		m.first[i+1] = m.first[i] + d
	}
	m.site, m.coupling = make([]int, 2*len(bonds)), make([]float64, 2*len(bonds))
	next := slices.Clone(m.first)
	for k, b := range bonds {
		if slices.Contains(m.site[m.first[b.A]:next[b.A]], b.B) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("bonds[%d]", k), Value: b, Want: "every pair once"}
		}
		m.site[next[b.A]], m.coupling[next[b.A]] = b.B, b.J
		m.site[next[b.B]], m.coupling[next[b.B]] = b.A, b.J
		next[b.A]++
		next[b.B]++
	}
	return m, nil
}

// NewIsingMatrix returns the model with the couplings J, row-major n x n. Pairs
// with J_ij = 0 are not bonds. It returns *ebmkit.ArgError if J is not square
// and symmetric with a zero diagonal, and where NewIsing does.
func NewIsingMatrix(j []float64, mu float64, h []float64) (*Ising, error) {
	const fn = "spin.NewIsingMatrix"
	n, err := symmetric(fn, j)
	if err != nil {
		return nil, err
	}
	var bonds []Bond
	for a := range n {
		if v := j[a*n+a]; v != 0 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("J[%d][%d]", a, a), Value: v, Want: "0: a site is not its own neighbour"}
		}
		for b := a + 1; b < n; b++ {
			if v := j[a*n+b]; v != 0 {
				bonds = append(bonds, Bond{a, b, v})
			}
		}
	}
	return NewIsing(n, bonds, mu, h)
}

// NewChain returns the closed chain of n >= 3 sites with uniform coupling j and
// field h = mu h_j. It returns *ebmkit.ArgError if n < 3 or a number is not
// finite.
func NewChain(n int, j, h float64) (*Ising, error) {
	if n < 3 {
		return nil, &ebmkit.ArgError{Func: "spin.NewChain", Arg: "n", Value: n, Want: "at least 3 sites to close a chain"}
	}
	bonds := make([]Bond, n)
	for i := range bonds {
		bonds[i] = Bond{i, (i + 1) % n, j}
	}
	return NewIsing(n, bonds, 1, uniform(n, h))
}

func uniform(n int, h float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = h
	}
	return v
}

// Dim returns the number of sites.
func (m *Ising) Dim() int { return m.n }

// Bonds returns a copy of the bonds.
func (m *Ising) Bonds() []Bond { return slices.Clone(m.bonds) }

// Energy returns U(x). It panics if len(x) != Dim.
func (m *Ising) Energy(x []float64) float64 {
	checkLen("Ising.Energy", m.n, x)
	var u float64
	for _, b := range m.bonds {
		u -= b.J * x[b.A] * x[b.B]
	}
	for j, h := range m.field {
		u -= h * x[j]
	}
	return u
}

// LocalField returns what acts on spin i,
//
//	f_i = sum_j J_ij x_j + mu h_i,
//
// so that turning the spin raises U by 2 x_i f_i. It panics if len(x) != Dim or
// there is no site i.
func (m *Ising) LocalField(x []float64, i int) float64 {
	checkLen("Ising.LocalField", m.n, x)
	f := m.field[i]
	for k := m.first[i]; k < m.first[i+1]; k++ {
		f += m.coupling[k] * x[m.site[k]]
	}
	return f
}

// Sweep draws every spin in turn from its law given the others at Beta = 1, the
// heat bath; it makes Ising an mcmc.Sweeper. It panics if len(x) != Dim.
func (m *Ising) Sweep(x []float64, s *ebmkit.Stream) { m.SweepAt(1, x, s) }

// SweepAt draws every spin in turn from its law given the others at the inverse
// temperature beta,
//
//	P(x_i = 1 given the others) = 1/(1 + exp(-2 beta f_i)),
//
// f_i the LocalField. It panics if len(x) != Dim.
func (m *Ising) SweepAt(beta float64, x []float64, s *ebmkit.Stream) {
	checkLen("Ising.Sweep", m.n, x)
	for i := range x {
		if s.Float64() < vmath.Sigmoid(2*beta*m.LocalField(x, i)) {
			x[i] = 1
		} else {
			x[i] = -1
		}
	}
}

// Tempered is the energy Beta U of an Ising model, review eq. (1), with its
// heat bath. Make it with Ising.At.
type Tempered struct {
	Ising *Ising
	Beta  float64
}

// At returns the energy Beta U with its heat bath, for the samplers of package
// mcmc. It returns *ebmkit.ArgError if beta is negative or not finite.
func (m *Ising) At(beta float64) (Tempered, error) {
	if err := wantBeta("spin.Ising.At", beta); err != nil {
		return Tempered{}, err
	}
	return Tempered{m, beta}, nil
}

// Dim returns the number of sites.
func (t Tempered) Dim() int { return t.Ising.n }

// Energy returns Beta U(x). It panics if len(x) != Dim.
func (t Tempered) Energy(x []float64) float64 { return t.Beta * t.Ising.Energy(x) }

// Sweep draws every spin in turn from its law given the others. It panics if
// len(x) != Dim.
func (t Tempered) Sweep(x []float64, s *ebmkit.Stream) { t.Ising.SweepAt(t.Beta, x, s) }
