package ebmkit

// BlockRows is the number of rows that share one Stream. Ensembles are cut into
// blocks of this size whatever the number of cores, which is why the same seed
// gives the same bits at any GOMAXPROCS. Changing it changes every sampled
// number of the project.
const BlockRows = 64

// Ensemble is N points of R^Dim, row-major: point i is X[i*Dim : (i+1)*Dim].
// The other slices are optional (nil when absent).
type Ensemble struct {
	N, Dim int
	X      []float64 // N*Dim
	U      []float64 // N energies U(x_i)
	Grad   []float64 // N*Dim gradients of U
	V      []float64 // N*Dim velocities, for kernels that carry them from step to step
	LogW   []float64 // N log-weights, up to a common constant
}

// NewEnsemble returns n points at the origin of R^dim. It returns *ArgError if
// n or dim is not positive.
func NewEnsemble(n, dim int) (*Ensemble, error) {
	if n < 1 {
		return nil, &ArgError{"ebmkit.NewEnsemble", "n", n, "at least 1"}
	}
	if dim < 1 {
		return nil, &ArgError{"ebmkit.NewEnsemble", "dim", dim, "at least 1"}
	}
	return &Ensemble{N: n, Dim: dim, X: make([]float64, n*dim)}, nil
}

// Row returns point i, sharing memory with the ensemble.
func (e *Ensemble) Row(i int) []float64 { return e.X[i*e.Dim : (i+1)*e.Dim : (i+1)*e.Dim] }

// Col returns a new slice with coordinate j of every point.
func (e *Ensemble) Col(j int) []float64 {
	if j < 0 || j >= e.Dim {
		panic("ebmkit: Ensemble.Col: no such coordinate")
	}
	c := make([]float64, e.N)
	for i := range c {
		c[i] = e.X[i*e.Dim+j]
	}
	return c
}

// Map returns f of every point, in order: e.Map(target.Energy) are N energies. f
// must not keep or change its argument.
func (e *Ensemble) Map(f func(x []float64) float64) []float64 {
	v := make([]float64, e.N)
	for i := range v {
		v[i] = f(e.Row(i))
	}
	return v
}

// Slice returns points lo to hi-1 as an ensemble that shares memory with e.
func (e *Ensemble) Slice(lo, hi int) Ensemble {
	s := Ensemble{N: hi - lo, Dim: e.Dim, X: e.X[lo*e.Dim : hi*e.Dim]}
	if e.U != nil {
		s.U = e.U[lo:hi]
	}
	if e.Grad != nil {
		s.Grad = e.Grad[lo*e.Dim : hi*e.Dim]
	}
	if e.V != nil {
		s.V = e.V[lo*e.Dim : hi*e.Dim]
	}
	if e.LogW != nil {
		s.LogW = e.LogW[lo:hi]
	}
	return s
}

// Clone returns a deep copy.
func (e *Ensemble) Clone() *Ensemble {
	c := *e
	c.X = append([]float64(nil), e.X...)
	c.U = append([]float64(nil), e.U...)
	c.Grad = append([]float64(nil), e.Grad...)
	c.V = append([]float64(nil), e.V...)
	c.LogW = append([]float64(nil), e.LogW...)
	return &c
}

// Draw returns n exact samples of e. Rows come from the streams (seed, "draw",
// block), so the first rows do not depend on n. It returns *ArgError if e is
// not a Sampler or n < 1.
func Draw(e Energy, n int, seed uint64) (*Ensemble, error) {
	s, ok := e.(Sampler)
	if !ok {
		return nil, &ArgError{"ebmkit.Draw", "e", TypeName(e), "an energy with an exact sampler"}
	}
	if n < 1 {
		return nil, &ArgError{"ebmkit.Draw", "n", n, "at least 1"}
	}
	ens, err := NewEnsemble(n, e.Dim())
	if err != nil {
		return nil, err
	}
	for lo := 0; lo < n; lo += BlockRows {
		st := NewStream(seed, "draw", lo/BlockRows)
		for i := lo; i < min(lo+BlockRows, n); i++ {
			s.Sample(ens.Row(i), st)
		}
	}
	return ens, nil
}
