package train

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Exact is maximum likelihood with the model's term computed, not sampled:
//
//	Loss = cross-entropy = E_data[U] + log Z,
//	gradient = E_data[dU/dtheta] - E_theta[dU/dtheta],
//
// review eq. (14) and (16). Where the model's term comes from:
//
//   - with Lo and Hi, a grid of Nodes points along each axis of that box (up to
//     three dimensions), whose error falls faster than any power of the spacing
//     as long as the density vanishes at the walls;
//   - else from the model itself if it sums over its states (spin.RBM,
//     spin.Boltzmann: methods ExactLogZ and AddModelGrad);
//   - else from log Z, if the model is ebmkit.Normalized: E_theta[dU/dtheta] =
//     -dlog Z/dtheta by central differences, good to about 1e-9.
type Exact struct {
	Lo, Hi []float64 // walls of the box; nil for no grid
	Nodes  int       // along each axis, even; 0 means 400 in 1-D, 200 in 2-D, 60 in 3-D
}

// enumerable is what models of package spin implement.
type enumerable interface {
	ExactLogZ() (float64, error)
	AddModelGrad(dst []float64, w float64) error
}

// Bind implements Objective.
func (o Exact) Bind(t Task) (Bound, error) {
	const fn = "train.Exact"
	e, err := t.energyOf(fn)
	if err != nil {
		return nil, err
	}
	b := &exact{c: contrast{rowsOf: newRows(e)}, name: "Exact"}
	switch m := t.Model.(type) {
	case enumerable:
		if o.Lo != nil {
			break
		}
		b.model = func(dst []float64, rec *Record) (float64, error) {
			if err := m.AddModelGrad(dst, -1); err != nil {
				return 0, err
			}
			return m.ExactLogZ()
		}
		return b, nil
	case ebmkit.Normalized:
		if o.Lo != nil {
			break
		}
		b.model = func(dst []float64, rec *Record) (float64, error) { return m.LogZ(), addLogZGrad(dst, m, e) }
		return b, nil
	}
	if o.Lo == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model", Value: ebmkit.TypeName(t.Model), Want: "an energy with known log Z, or a box Lo, Hi to integrate over"}
	}
	g, err := newGrid(fn, o, e.Dim())
	if err != nil {
		return nil, err
	}
	b.name = fmt.Sprintf("Exact on %v to %v, %d nodes", o.Lo, o.Hi, g.nodes)
	w := contrast{rowsOf: newRows(e)}
	b.model = func(dst []float64, rec *Record) (float64, error) { return g.model(&w, dst, rec) }
	return b, nil
}

type exact struct {
	c     contrast
	name  string
	model func(dst []float64, rec *Record) (logZ float64, err error) // dst -= E_theta[dU/dtheta]
}

func (b *exact) Grad(dst, batch []float64, rec *Record) error {
	b.c.dataTerm(dst, batch, rec)
	logZ, err := b.model(dst, rec)
	rec.LogZ = logZ
	rec.Loss = rec.DataEnergy + logZ
	return err
}

func (b *exact) State() State { return State{Identity: b.name} }

// addLogZGrad adds dlog Z/dtheta by central differences.
func addLogZGrad(dst []float64, m ebmkit.Normalized, e ebmkit.Parametric) error {
	theta := e.Params(nil)
	was := append([]float64(nil), theta...)
	for k, v := range was {
		h := 6e-6 * (1 + math.Abs(v)) // the cube root of the rounding
		up, down := v+h, v-h
		theta[k] = up
		if err := e.SetParams(theta); err != nil {
			return err
		}
		dl := m.LogZ()
		theta[k] = down
		if err := e.SetParams(theta); err != nil {
			return err
		}
		dst[k] += (dl - m.LogZ()) / (up - down)
		theta[k] = v
	}
	return e.SetParams(was)
}

// grid is a lattice of cell centres in a box.
type grid struct {
	xs         []float64
	u, w       []float64
	nodes, d   int
	logVolume  float64 // of a cell
	wall, half []bool  // nodes of the outermost layer; nodes of the grid with twice the spacing
}

func newGrid(fn string, o Exact, d int) (*grid, error) {
	if d > 3 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "model.Dim()", Value: d, Want: "at most 3 for a grid"}
	}
	if len(o.Lo) != d || len(o.Hi) != d {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(Lo), len(Hi)", Value: fmt.Sprint(len(o.Lo), ", ", len(o.Hi)), Want: fmt.Sprintf("%d, the dimension of the model", d)}
	}
	for j := range d {
		if !finite(o.Lo[j]) || !finite(o.Hi[j]) || o.Lo[j] >= o.Hi[j] {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("Lo[%d], Hi[%d]", j, j), Value: fmt.Sprint(o.Lo[j], ", ", o.Hi[j]), Want: "finite, Lo < Hi"}
		}
	}
	n := o.Nodes
	if n == 0 {
		n = []int{400, 200, 60}[d-1]
	}
	if n < 8 || n%2 != 0 || math.Pow(float64(n), float64(d)) > 5e6 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Nodes", Value: o.Nodes, Want: "an even number, at least 8, at most 5 million in all"}
	}
	total := 1
	g := &grid{nodes: n, d: d}
	for j := range d {
		total *= n
		g.logVolume += vmath.Log((o.Hi[j] - o.Lo[j]) / float64(n))
	}
	g.xs, g.u, g.w = make([]float64, total*d), make([]float64, total), make([]float64, total)
	g.wall, g.half = make([]bool, total), make([]bool, total)
	for i := range total {
		g.half[i] = true
		for j, rest := 0, i; j < d; j, rest = j+1, rest/n {
			k := rest % n
			g.xs[i*d+j] = o.Lo[j] + (o.Hi[j]-o.Lo[j])*(float64(k)+0.5)/float64(n)
			g.wall[i] = g.wall[i] || k == 0 || k == n-1
			g.half[i] = g.half[i] && k%2 == 0
		}
	}
	return g, nil
}

func (g *grid) model(c *contrast, dst []float64, rec *Record) (float64, error) {
	logZ, err := g.measure(c.rowsOf, 1e-8)
	if err != nil {
		return 0, err
	}
	c.walkerTerm(dst, g.w, g.xs, rec)
	return logZ, nil
}

// measure writes the energies of the nodes and their probabilities into g.u and
// g.w, and returns log Z. Of the probability no more than outside may lie in the
// outermost layer.
func (g *grid) measure(r *rowsOf, outside float64) (float64, error) {
	r.eval(g.u, nil, g.xs)
	for i, u := range g.u {
		g.w[i] = -u
	}
	logMean, _ := normalise(g.w, g.w)
	logZ := logMean + vmath.Log(float64(len(g.w))) + g.logVolume
	var half, wall float64
	for i, p := range g.w {
		if g.half[i] {
			half += p
		}
		if g.wall[i] {
			wall += p
		}
	}
	scale := 1.0
	for range g.d {
		scale *= 2
	}
	fail := func(v float64, hint string) error {
		return &ebmkit.DivergedError{Func: "train.Exact", Walker: -1, Value: v, Hint: hint}
	}
	if !finite(logZ) {
		return 0, fail(logZ, "log Z on the grid is not finite: lower the learning rate")
	}
	if wall > outside {
		return 0, fail(wall, "the value is the probability of the outermost layer of the grid: take a larger box, or confine the energy")
	}
	if e := math.Abs(half*scale - 1); e > 1e-3 {
		return 0, fail(e, "the value is the change of Z when every second node is left out: take more Nodes")
	}
	return logZ, nil
}
