package ebmkit

// Chain is what a sampler kept: Draws states of Walkers walkers in R^Dim, in
// memory [draw][walker][dim]. A Chain that was cut short by a cancelled context
// holds the draws made so far.
type Chain struct {
	Draws, Walkers, Dim int
	X                   []float64 // Draws*Walkers*Dim
	U                   []float64 // Draws*Walkers energies of the kept states, nil if the sampler does not know them
	Accept              []float64 // acceptance rate of each walker over the kept part, nil for kernels that always accept
	Seed                uint64
}

// At returns draw t as an ensemble that shares memory with the chain.
func (c *Chain) At(t int) *Ensemble {
	w := c.Walkers * c.Dim
	e := &Ensemble{N: c.Walkers, Dim: c.Dim, X: c.X[t*w : (t+1)*w]}
	if c.U != nil {
		e.U = c.U[t*c.Walkers : (t+1)*c.Walkers]
	}
	return e
}

// Last returns the last draw, sharing memory with the chain. It panics if the
// chain is empty.
func (c *Chain) Last() *Ensemble { return c.At(c.Draws - 1) }

// All returns every draw of every walker as one ensemble of Draws*Walkers
// points that shares memory with the chain.
func (c *Chain) All() *Ensemble {
	return &Ensemble{N: c.Draws * c.Walkers, Dim: c.Dim, X: c.X, U: c.U}
}

// Trace returns a new slice with coordinate j of walker w, one number a draw.
func (c *Chain) Trace(w, j int) []float64 {
	if w < 0 || w >= c.Walkers || j < 0 || j >= c.Dim {
		panic("ebmkit: Chain.Trace: no such walker or coordinate")
	}
	t := make([]float64, c.Draws)
	for i := range t {
		t[i] = c.X[(i*c.Walkers+w)*c.Dim+j]
	}
	return t
}
