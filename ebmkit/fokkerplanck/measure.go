package fokkerplanck

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Mass returns the integral of p. It panics on a wrong length, as all measures
// of a Grid do.
func (g *Grid) Mass(p []float64) float64 {
	g.must("Mass", p)
	return g.volume * vmath.Sum(p)
}

// Expect returns the expectation of f at the centres of the cells,
//
//	sum_k V p_k f(x_k),
//
// over the cells in which p is not zero.
func (g *Grid) Expect(p []float64, f func(x []float64) float64) float64 {
	g.must("Expect", p)
	x := make([]float64, g.Dim())
	sum := 0.0
	for k, v := range p {
		if v != 0 {
			copy(x, g.point(k))
			sum += v * f(x)
		}
	}
	return g.volume * sum
}

// Marginal returns the density of coordinate j, one number for each cell of
// that axis.
func (g *Grid) Marginal(p []float64, j int) []float64 {
	g.must("Marginal", p)
	m := make([]float64, g.axes[j].Cells)
	n := g.axes[0].Cells
	for k, v := range p {
		if j == 0 {
			m[k%n] += v
		} else {
			m[k/n] += v
		}
	}
	for i := range m {
		m[i] *= g.volume / g.axes[j].Width()
	}
	return m
}

// Entropy returns -sum_k V p_k log p_k.
func (g *Grid) Entropy(p []float64) float64 {
	g.must("Entropy", p)
	sum := 0.0
	for _, v := range p {
		if v > 0 {
			sum -= v * vmath.Log(v)
		}
	}
	return g.volume * sum
}

// KL returns the Kullback-Leibler divergence of two densities on the grid,
// review eq. (10),
//
//	KL(p, q) = sum_k V p_k log(p_k/q_k),
//
// +Inf if q is zero where p is not.
func (g *Grid) KL(p, q []float64) float64 {
	g.must("KL", p)
	g.must("KL", q)
	// The sum is taken of q ((1 + t) log(1 + t) - t), t = p/q - 1, which is never
	// negative, so that nothing cancels between cells; the masses are equal.
	sum := 0.0
	for k, v := range p {
		d := v - q[k]
		switch {
		case v == 0:
			sum += q[k]
		case q[k] == 0:
			return math.Inf(1)
		case math.Abs(d) < 0.5*q[k]:
			sum += v*vmath.Log1p(d/q[k]) - d
		default:
			sum += v*(vmath.Log(v)-vmath.Log(q[k])) - d
		}
	}
	return g.volume * sum
}

// Fisher returns the Fisher divergence of two densities on the grid, review
// eq. (51), with R = p/q and over the faces between cells i and j of either
// axis at distance h,
//
//	Fisher(p, q) = sum V 4 sqrt(q_i q_j) (sqrt R_i - sqrt R_j)^2 / h^2,
//
// which is the integral of p |grad log R|^2 up to an error of order h^2. No
// logarithm is taken, so that a p that is zero somewhere does no harm; it is
// +Inf if q is zero where p is not.
func (g *Grid) Fisher(p, q []float64) float64 {
	g.must("Fisher", p)
	g.must("Fisher", q)
	for k, v := range p {
		if v > 0 && q[k] == 0 {
			return math.Inf(1)
		}
	}
	sum := 0.0
	for j, a := range g.axes {
		face := 0.0
		d := direction{axis: j, stride: 1, cells: a.Cells, periodic: a.Periodic}
		if j == 1 {
			d.stride = g.axes[0].Cells
		}
		for k := range p {
			i := d.next(g, k)
			if i < 0 || p[k] == 0 && p[i] == 0 {
				continue
			}
			var s float64 // (q_k q_i)^(1/4) (sqrt R_k - sqrt R_i)
			if p[k] > 0 {
				s = math.Sqrt(p[k] * math.Sqrt(q[i]/q[k]))
			}
			if p[i] > 0 {
				s -= math.Sqrt(p[i] * math.Sqrt(q[k]/q[i]))
			}
			face += s * s
		}
		sum += 4 * face / (a.Width() * a.Width())
	}
	return g.volume * sum
}

// FreeEnergy returns the free energy of p, review eq. (92) without its constant
// log Z,
//
//	F = sum_k V p_k (U(x_k) + log p_k) = KL(p, exp(-U)/Z) - log Z,
//
// where Z is that of the grid. Errors as Boltzmann. It is +Inf if p is positive
// in a forbidden cell.
func (g *Grid) FreeEnergy(p []float64, e ebmkit.Energy) (float64, error) {
	g.must("FreeEnergy", p)
	u, err := g.energies("fokkerplanck.Grid.FreeEnergy", "e", e)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for k, v := range p {
		if v > 0 {
			sum += v * (u[k] + vmath.Log(v))
		}
	}
	return g.volume * sum, nil
}

// Kolmogorov returns the largest distance between the distribution function of p
// and that of the points xs,
//
//	sup over x of |F_p(x) - #{xs <= x}/len(xs)|,
//
// with p constant in each cell. Points outside the grid count at its ends. It
// returns *ebmkit.ArgError for a grid of two dimensions, a p that is not a
// density, no points, or a point that is NaN.
func (g *Grid) Kolmogorov(p, xs []float64) (float64, error) {
	const fn = "fokkerplanck.Grid.Kolmogorov"
	if d := g.Dim(); d != 1 {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "Dim()", Value: d, Want: "a grid of one dimension"}
	}
	if err := g.check(fn, "p", p); err != nil {
		return 0, err
	}
	if len(xs) == 0 {
		return 0, &ebmkit.ArgError{Func: fn, Arg: "len(xs)", Value: 0, Want: "at least 1 point"}
	}
	for i, x := range xs {
		if math.IsNaN(x) {
			return 0, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("xs[%d]", i), Value: x, Want: "a number"}
		}
	}
	xs = slices.Clone(xs)
	slices.Sort(xs)
	a, w := g.axes[0], g.axes[0].Width()
	n := float64(len(xs))
	below, cell, worst := 0.0, 0, 0.0 // mass of the cells before cell
	for i, x := range xs {
		for cell < len(p) && a.Lo+float64(cell+1)*w <= x {
			below += p[cell] * w
			cell++
		}
		f := below
		if cell < len(p) {
			f += p[cell] * math.Max(x-a.Lo-float64(cell)*w, 0)
		}
		worst = math.Max(worst, math.Max(math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n)))
	}
	return worst, nil
}
