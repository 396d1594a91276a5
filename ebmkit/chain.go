package ebmkit

// Chain is what a sampler kept: Draws states of Walkers walkers in R^Dim, in
// memory [draw][walker][dim]. A Chain that was cut short by a cancelled context
// holds the draws made so far.
type Chain struct {
	Draws, Walkers, Dim int
	X                   []float64 // Draws*Walkers*Dim
	U                   []float64 // Draws*Walkers energies of the kept states, nil if the sampler does not use them
	H                   []float64 // Draws*Walkers total energies at the start of each kept transition, nil unless the kernel has momenta
	Accept              []float64 // mean acceptance probability of each walker after Burn, nil for kernels that always accept
	Divergent           int       // transitions after Burn in which the energy error was absurd
	NonFinite           int       // proposals after Burn that were refused because U or its gradient was not finite
	TreeLimit           int       // NUTS transitions after Burn that were stopped by the limit on the tree's depth
	Evals               int       // rows after Burn at which the energy or its gradient was computed
	Step                float64   // step size after adaptation, 0 for kernels that have none
	InvMass             []float64 // Dim inverse masses after adaptation, nil for kernels that have none
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
