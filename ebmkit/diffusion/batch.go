package diffusion

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Target says which field a regression learns.
type Target int

const (
	// Score learns grad log p_t: denoising score matching, and review eq. (69).
	Score Target = iota
	// Noise learns E[z | X_t]; ScoreOf makes it a score. Its targets are of one
	// size at all times, where those of Score grow as 1/sd.
	Noise
	// Velocity learns the b of review eq. (62), by eq. (68).
	Velocity
)

// String returns the name of the target.
func (t Target) String() string {
	switch t {
	case Score:
		return "Score"
	case Noise:
		return "Noise"
	case Velocity:
		return "Velocity"
	}
	return fmt.Sprintf("Target(%d)", int(t))
}

// Batch is N examples for the regression of a field: minimise the mean of
// W_i |f(T_i, X_i) - Y_i|^2.
type Batch struct {
	N, Dim int
	T      []float64 // N times
	X      []float64 // N*Dim points X_t
	Y      []float64 // N*Dim targets, whose mean given (t, X_t) is the field
	W      []float64 // N weights lambda(t)
	Z      []float64 // N*Dim noises from which X was made
}

// NewBatch returns an empty batch. It returns *ebmkit.ArgError if n or dim is
// less than 1.
func NewBatch(n, dim int) (*Batch, error) {
	const fn = "diffusion.NewBatch"
	if n < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 1"}
	}
	if dim < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "dim", Value: dim, Want: "at least 1"}
	}
	m := n * dim
	return &Batch{N: n, Dim: dim, T: make([]float64, n), X: make([]float64, m), Y: make([]float64, m),
		W: make([]float64, n), Z: make([]float64, m)}, nil
}

// Residuals returns the N numbers W_i |f(T_i, X_i) - Y_i|^2; their mean is the
// loss. It panics if f has another dimension.
func (b *Batch) Residuals(f ebmkit.Field) []float64 {
	return b.rows(f, func(w, fj, yj float64, _ int) float64 { return w * (fj - yj) * (fj - yj) })
}

// Objectives returns the N numbers W_i (|f|^2/2 - Y_i . f), whose mean is the
// objective of review eq. (68), or (69) for the target Score (W = 1): half of
// the loss, but for a constant. It panics if f has another dimension.
func (b *Batch) Objectives(f ebmkit.Field) []float64 {
	return b.rows(f, func(w, fj, yj float64, _ int) float64 { return w * (fj*fj/2 - yj*fj) })
}

// Distances returns the N numbers W_i |f(T_i, X_i) - e(T_i, X_i)|^2 to another
// field, such as the exact score: with the target Score their mean is the
// explicit loss of review eq. (57). It panics if a dimension differs.
func (b *Batch) Distances(f, e ebmkit.Field) []float64 {
	exact := b.values(e)
	return b.rows(f, func(w, fj, _ float64, i int) float64 { return w * (fj - exact[i]) * (fj - exact[i]) })
}

// values returns the field at every example. Each has its own time.
func (b *Batch) values(f ebmkit.Field) []float64 {
	v, d := make([]float64, len(b.X)), b.Dim
	if n, ok := f.(interface{ AtTimes(dst, ts, xs []float64) }); ok { // nn.Field
		n.AtTimes(v, b.T, b.X)
		return v
	}
	for i, t := range b.T {
		f.At(v[i*d:(i+1)*d], t, b.X[i*d:(i+1)*d])
	}
	return v
}

// rows returns the sums over the coordinates of a row.
func (b *Batch) rows(f ebmkit.Field, term func(w, fj, yj float64, i int) float64) []float64 {
	out, v := make([]float64, b.N), b.values(f)
	for i, fj := range v {
		out[i/b.Dim] += term(b.W[i/b.Dim], fj, b.Y[i], i)
	}
	return out
}

// DSM is denoising score matching over time: the loss of review eq. (57),
//
//	E_t E[lambda(t) |s(X_t, t) - grad log p_t(X_t)|^2],   t uniform in [From, To],
//
// with the unknown score replaced by that of the transition kernel, -z/sd(t).
// The two differ by a constant that does not depend on s (Vincent 2011). (After
// eq. (57) the review refers to eq. (57) where it means eq. (54).)
type DSM struct {
	Process  Process
	From, To float64                 // 0 < From < To
	Weight   func(t float64) float64 // lambda; nil: sd(t)^2, which weights all times alike; g(t)^2 bounds the likelihood
	Target   Target                  // Score, or Noise for the same loss in terms of -sd s
}

// Draw fills the batch: data points, times, and noise. If there are as many
// points as examples each is used once; otherwise they are drawn at random.
//
//	X = mean(t) x + sd(t) z;   Score: Y = -z/sd, W = lambda;   Noise: Y = z, W = lambda/sd^2.
//
// It returns *ebmkit.ArgError if an argument is out of range, data are not
// finite, or their dimension is not that of the batch.
func (m DSM) Draw(b *Batch, data *ebmkit.Ensemble, s *ebmkit.Stream) error {
	const fn = "diffusion.DSM.Draw"
	if err := checkProcess(fn, m.Process); err != nil {
		return err
	}
	if err := wantPositive(fn, "DSM.From", m.From); err != nil {
		return err
	}
	if !(m.To > m.From) || math.IsInf(m.To, 1) {
		return &ebmkit.ArgError{Func: fn, Arg: "DSM.To", Value: m.To, Want: "a finite time above DSM.From"}
	}
	if m.Target != Score && m.Target != Noise {
		return &ebmkit.ArgError{Func: fn, Arg: "DSM.Target", Value: m.Target, Want: "Score or Noise"}
	}
	if err := checkBatch(fn, b); err != nil {
		return err
	}
	if err := wantPoints(fn, "data", data, b.Dim); err != nil {
		return err
	}
	s.FillUniform(b.T)
	s.FillNormal(b.Z)
	points := some(b.N, data, s)
	d := b.Dim
	for i, u := range b.T {
		t := m.From + u*(m.To-m.From)
		mean, sd := m.Process.Kernel(t)
		b.T[i] = t
		lambda := sd * sd
		if m.Weight != nil {
			lambda = m.Weight(t)
			if !(lambda >= 0) || math.IsInf(lambda, 1) {
				return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("DSM.Weight(%g)", t), Value: lambda, Want: "a finite number, at least 0"}
			}
		}
		scale := -1 / sd
		if m.Target == Noise {
			scale, lambda = 1, lambda/(sd*sd)
		}
		b.W[i] = lambda
		x := points.Row(i)
		for j, z := range b.Z[i*d : (i+1)*d] {
			b.X[i*d+j] = mean*x[j] + sd*z
			b.Y[i*d+j] = scale * z
		}
	}
	return nil
}

// some returns n points of x: x itself if it has as many, or else points drawn
// with replacement.
func some(n int, x *ebmkit.Ensemble, s *ebmkit.Stream) *ebmkit.Ensemble {
	if x.N == n {
		return x
	}
	p := &ebmkit.Ensemble{N: n, Dim: x.Dim, X: make([]float64, n*x.Dim)}
	for i := range n {
		copy(p.Row(i), x.Row(s.IntN(x.N)))
	}
	return p
}

func checkBatch(fn string, b *Batch) error {
	if b == nil || b.N < 1 || b.Dim < 1 || len(b.T) != b.N || len(b.W) != b.N ||
		len(b.X) != b.N*b.Dim || len(b.Y) != b.N*b.Dim || len(b.Z) != b.N*b.Dim {
		return &ebmkit.ArgError{Func: fn, Arg: "b", Value: ebmkit.TypeName(b), Want: "a batch made by NewBatch"}
	}
	return nil
}
