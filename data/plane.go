package data

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Parts is a law made of parts whose masses are known: the modes of a ring, the
// squares of a checkerboard, the arms of a spiral.
type Parts interface {
	ebmkit.Normalized
	ebmkit.Sampler
	// Masses writes the probability of each part into dst (allocated if nil).
	Masses(dst []float64) []float64
	// Part returns the part that x most likely came from, -1 if it came from
	// none. It panics if len(x) != Dim().
	Part(x []float64) int
}

var (
	_ Parts                 = (*Curves)(nil)
	_ ebmkit.Differentiable = (*Curves)(nil)
	_ ebmkit.Batched        = (*Curves)(nil)
	_ ebmkit.Moments        = (*Curves)(nil)
	_ Parts                 = (*Checkerboard)(nil)
	_ ebmkit.Moments        = (*Checkerboard)(nil)
	_ Parts                 = Ring{}
	_ ebmkit.Differentiable = Ring{}
	_ ebmkit.Batched        = Ring{}
)

// Fractions returns the fraction of the rows of xs in each part of p, with
// binomial standard errors for independent rows, and the number of rows in no
// part. It returns *ebmkit.ArgError if xs is empty or not made of whole rows.
//
//	f_k = c_k / n,   SE_k^2 = g (1 - g) / n,   g = (c_k + 1) / (n + 2)
func Fractions(p Parts, xs []float64) (f []ebmkit.Estimate, outside int, err error) {
	d := p.Dim()
	n := len(xs) / d
	if n == 0 || n*d != len(xs) {
		return nil, 0, &ebmkit.ArgError{Func: "data.Fractions", Arg: "len(xs)", Value: len(xs), Want: fmt.Sprintf("a positive multiple of %d", d)}
	}
	count := make([]int, len(p.Masses(nil)))
	for i := range n {
		if k := p.Part(xs[i*d : (i+1)*d]); k < 0 {
			outside++
		} else {
			count[k]++
		}
	}
	f = make([]ebmkit.Estimate, len(count))
	for k, c := range count {
		g := (float64(c) + 1) / float64(n+2)
		f[k] = ebmkit.Estimate{Value: float64(c) / float64(n), SE: math.Sqrt(g * (1 - g) / float64(n))}
	}
	return f, outside, nil
}

// Curves is the law of a point on one of K curves in the plane, plus noise:
//
//	p(x) = sum_k m_k integral over t of q(t) N(x; c_k(t), Noise^2 I).
//
// Its energy -log p (so log Z = 0) and gradient take the integral by Gauss-
// Legendre quadrature, eight nodes in every stretch of a curve as long as the
// noise is wide. Where p is within e^-300 of its largest value the energy is good
// to 1e-9. NewTwoMoons and NewSpirals make it.
type Curves struct {
	name   string
	masses []float64
	noise  float64
	at     func(k int, t float64) (x, y float64) // curve k at t in [0, 1]
	draw   func(u float64) float64               // t of a uniform number
	table  []float64                             // for vmath.MixtureGrad2: one component per node
	first  []int                                 // nodes of curve k are first[k] to first[k+1]-1
	free   sync.Pool                             // scratch
}

// gauss are nodes and weights of Gauss-Legendre quadrature on [-1, 1].
var gauss = [8][2]float64{
	{-0.9602898564975363, 0.1012285362903763}, {-0.7966664774136267, 0.2223810344533745},
	{-0.5255324099163290, 0.3137066458778873}, {-0.1834346424956498, 0.3626837833783620},
	{0.1834346424956498, 0.3626837833783620}, {0.5255324099163290, 0.3137066458778873},
	{0.7966664774136267, 0.2223810344533745}, {0.9602898564975363, 0.1012285362903763},
}

// newCurves fills in the table; q is the density of t and length an upper bound
// of dc/dt.
func newCurves(c *Curves, q func(t float64) float64, length float64) *Curves {
	panels := int(math.Ceil(length / c.noise))
	for k, m := range c.masses {
		c.first = append(c.first, len(c.table)/5)
		if m == 0 {
			continue
		}
		for p := range panels {
			for _, g := range gauss {
				t := (float64(p) + (1+g[0])/2) / float64(panels)
				x, y := c.at(k, t)
				w := m * q(t) * g[1] / 2 / float64(panels)
				h := -1 / (2 * c.noise * c.noise)
				c.table = append(c.table, vmath.Log(w/(2*math.Pi*c.noise*c.noise)), x, y, h, h)
			}
		}
	}
	c.first = append(c.first, len(c.table)/5)
	return c
}

// checkMasses returns masses that sum to one.
func checkMasses(fn string, masses []float64, least int) ([]float64, error) {
	if len(masses) < least {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(masses)", Value: len(masses), Want: fmt.Sprintf("at least %d", least)}
	}
	var sum float64
	for k, m := range masses {
		if !(m >= 0) || math.IsInf(m, 1) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("masses[%d]", k), Value: m, Want: "a non-negative finite number"}
		}
		sum += m
	}
	if !(sum > 0) || math.IsInf(sum, 1) {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "masses", Value: masses, Want: "at least one positive mass"}
	}
	out := make([]float64, len(masses))
	for k, m := range masses {
		out[k] = m / sum
	}
	return out, nil
}

func checkBetween(fn, arg string, v, lo, hi float64) error {
	if v >= lo && v <= hi {
		return nil
	}
	return &ebmkit.ArgError{Func: fn, Arg: arg, Value: v, Want: fmt.Sprintf("between %g and %g", lo, hi)}
}

// NewTwoMoons returns two interleaving half circles of radius 1 with noise, as
// in scikit-learn's make_moons:
//
//	c_0(t) = (cos pi t, sin pi t),   c_1(t) = (1 - cos pi t, 1/2 - sin pi t),
//
// t uniform; part 0 has the probability upper, part 1 the rest. It returns
// *ebmkit.ArgError unless upper is in [0, 1] and noise, a standard deviation,
// from 0.005 to 10.
func NewTwoMoons(upper, noise float64) (*Curves, error) {
	const fn = "data.NewTwoMoons"
	if err := checkBetween(fn, "upper", upper, 0, 1); err != nil {
		return nil, err
	}
	if err := checkBetween(fn, "noise", noise, 0.005, 10); err != nil {
		return nil, err
	}
	c := &Curves{name: fmt.Sprintf("TwoMoons(upper = %g, noise = %g)", upper, noise), masses: []float64{upper, 1 - upper}, noise: noise,
		at: func(k int, t float64) (x, y float64) {
			s, c := vmath.SinCos2Pi(t / 2)
			if k == 0 {
				return c, s
			}
			return 1 - c, 0.5 - s
		},
		draw: func(u float64) float64 { return u }}
	return newCurves(c, func(float64) float64 { return 1 }, math.Pi), nil
}

// NewSpirals returns len(masses) arms that leave the origin and wind turns times
// around it, with noise:
//
//	c_k(t) = radius t (cos, sin)(2 pi (turns t + k/K)),
//
// t with density 2t, which spreads the points almost evenly along an arm of many
// turns. masses need not sum to one. It returns *ebmkit.ArgError if there are no
// masses or one is negative, or unless turns is from 0 to 20, radius from 0.01
// to 100 and noise/radius from 0.002 to 10.
func NewSpirals(masses []float64, turns, radius, noise float64) (*Curves, error) {
	const fn = "data.NewSpirals"
	m, err := checkMasses(fn, masses, 1)
	if err != nil {
		return nil, err
	}
	if err := checkBetween(fn, "turns", turns, 0, 20); err != nil {
		return nil, err
	}
	if err := checkBetween(fn, "radius", radius, 0.01, 100); err != nil {
		return nil, err
	}
	if err := checkBetween(fn, "noise", noise, 0.002*radius, 10*radius); err != nil {
		return nil, err
	}
	c := &Curves{name: fmt.Sprintf("Spirals(K = %d, turns = %g, noise = %g)", len(m), turns, noise), masses: m, noise: noise,
		at: func(k int, t float64) (x, y float64) {
			s, c := vmath.SinCos2Pi(frac(turns*t + float64(k)/float64(len(m))))
			return radius * t * c, radius * t * s
		},
		draw: math.Sqrt}
	speed := radius * math.Sqrt(1+4*math.Pi*math.Pi*turns*turns)
	return newCurves(c, func(t float64) float64 { return 2 * t }, speed), nil
}

func frac(v float64) float64 { return v - math.Floor(v) }

// Dim returns 2.
func (c *Curves) Dim() int { return 2 }

// String names the law.
func (c *Curves) String() string { return c.name }

// LogZ returns 0.
func (c *Curves) LogZ() float64 { return 0 }

// Masses implements Parts: one part per curve.
func (c *Curves) Masses(dst []float64) []float64 { return fill(dst, c.masses) }

// Noise returns the standard deviation of the noise.
func (c *Curves) Noise() float64 { return c.noise }

// Point returns the point of curve k at t in [0, 1], without noise, for drawing.
// It panics if there is no curve k.
func (c *Curves) Point(k int, t float64) (x, y float64) {
	_ = c.masses[k]
	return c.at(k, t)
}

// Energy returns -log p(x).
func (c *Curves) Energy(x []float64) float64 {
	checkRow("Curves.Energy", 2, x)
	return c.one(nil, x, c.table)
}

// EnergyGrad writes -grad log p(x) into grad and returns -log p(x).
func (c *Curves) EnergyGrad(grad, x []float64) float64 {
	checkRow("Curves.EnergyGrad", 2, x)
	checkRow("Curves.EnergyGrad", 2, grad)
	return c.one(grad, x, c.table)
}

func (c *Curves) one(grad, x, table []float64) float64 {
	p, ok := c.free.Get().(*[]float64)
	if !ok {
		s := make([]float64, 12*len(c.table)/5+1)
		p = &s
	}
	u := (*p)[:1]
	vmath.MixtureGrad2(u, grad, x, table, (*p)[1:])
	v := u[0]
	c.free.Put(p)
	return v
}

// NewEvaluator returns an evaluator of many rows.
func (c *Curves) NewEvaluator() ebmkit.Evaluator {
	return &curvesEvaluator{c, make([]float64, 12*len(c.table)/5)}
}

type curvesEvaluator struct {
	c       *Curves
	scratch []float64
}

func (e *curvesEvaluator) EnergyGrad(u, grad, xs []float64) {
	ebmkit.CheckRows("data: Curves.EnergyGrad", 2, u, grad, xs)
	vmath.MixtureGrad2(u, grad, xs, e.c.table, e.scratch)
}

// Part implements Parts.
func (c *Curves) Part(x []float64) int {
	checkRow("Curves.Part", 2, x)
	best, low := -1, math.Inf(1)
	for k, m := range c.masses {
		if m == 0 {
			continue
		}
		if u := c.one(nil, x, c.table[5*c.first[k]:5*c.first[k+1]]); u < low {
			best, low = k, u
		}
	}
	return best
}

// Sample writes a draw into dst.
func (c *Curves) Sample(dst []float64, s *ebmkit.Stream) {
	checkRow("Curves.Sample", 2, dst)
	k := pick(c.masses, s.Float64())
	x, y := c.at(k, c.draw(s.Float64()))
	dst[0] = x + c.noise*s.Normal()
	dst[1] = y + c.noise*s.Normal()
}

// Mean writes the mean into dst (length 2, allocated if nil).
func (c *Curves) Mean(dst []float64) []float64 {
	m, _ := c.moments()
	return fill(dst, m[:])
}

// Cov writes the covariance, row-major 2 x 2, into dst (allocated if nil).
func (c *Curves) Cov(dst []float64) []float64 {
	_, v := c.moments()
	return fill(dst, v[:])
}

func (c *Curves) moments() (mean [2]float64, cov [4]float64) {
	norm := 2 * math.Pi * c.noise * c.noise
	for n := 0; n < len(c.table); n += 5 {
		t := c.table[n : n+5]
		w := vmath.Exp(t[0]) * norm
		mean[0] += w * t[1]
		mean[1] += w * t[2]
		cov[0] += w * t[1] * t[1]
		cov[1] += w * t[1] * t[2]
		cov[3] += w * t[2] * t[2]
	}
	cov[0] += c.noise*c.noise - mean[0]*mean[0]
	cov[1] -= mean[0] * mean[1]
	cov[2] = cov[1]
	cov[3] += c.noise*c.noise - mean[1]*mean[1]
	return mean, cov
}

// Checkerboard is a law that is uniform on each black square of a board of Cells
// x Cells squares, centred at the origin. Part k is the k-th black square, row by
// row from the bottom left, which is black:
//
//	p(x) = m_k / a^2 in part k, 0 elsewhere,   a = side/Cells.
//
// Its energy -log p is +Inf outside; log Z = 0.
type Checkerboard struct {
	cells  int
	side   float64
	masses []float64
}

// NewCheckerboard returns a board of cells x cells squares with sides of length
// side altogether. masses, one per black square, need not sum to one; nil means
// equal. It returns *ebmkit.ArgError unless cells is from 1 to 100, side from
// 1e-3 to 1e6 and masses are as many as black squares, not negative, not all 0.
func NewCheckerboard(cells int, side float64, masses []float64) (*Checkerboard, error) {
	const fn = "data.NewCheckerboard"
	if cells < 1 || cells > 100 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "cells", Value: cells, Want: "from 1 to 100"}
	}
	if err := checkBetween(fn, "side", side, 1e-3, 1e6); err != nil {
		return nil, err
	}
	black := (cells*cells + 1) / 2
	if masses == nil {
		masses = slices.Repeat([]float64{1}, black)
	}
	if len(masses) != black {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(masses)", Value: len(masses), Want: fmt.Sprintf("%d, the number of black squares", black)}
	}
	m, err := checkMasses(fn, masses, 1)
	if err != nil {
		return nil, err
	}
	return &Checkerboard{cells, side, m}, nil
}

// Dim returns 2.
func (b *Checkerboard) Dim() int { return 2 }

// String names the law.
func (b *Checkerboard) String() string {
	return fmt.Sprintf("Checkerboard(%d x %d, side = %g)", b.cells, b.cells, b.side)
}

// LogZ returns 0.
func (b *Checkerboard) LogZ() float64 { return 0 }

// Masses implements Parts: one part per black square.
func (b *Checkerboard) Masses(dst []float64) []float64 { return fill(dst, b.masses) }

// Part implements Parts; -1 means a white square or off the board.
func (b *Checkerboard) Part(x []float64) int {
	checkRow("Checkerboard.Part", 2, x)
	n := float64(b.cells)
	c, r := math.Floor((x[0]/b.side+0.5)*n), math.Floor((x[1]/b.side+0.5)*n)
	if !(c >= 0 && c < n && r >= 0 && r < n) {
		return -1
	}
	k := int(r)*b.cells + int(c)
	if (int(r)+int(c))%2 == 1 {
		return -1
	}
	// Of every two squares in the order of reading one is black, the first of
	// even rows; where rows have an even number, odd rows begin with a white one.
	return k / 2
}

// square returns column and row of part k.
func (b *Checkerboard) square(k int) (col, row int) {
	at := 2 * k
	row = at / b.cells
	col = at % b.cells
	if b.cells%2 == 0 && row%2 == 1 {
		col++
	}
	return col, row
}

// Energy returns -log p(x), +Inf outside the black squares.
func (b *Checkerboard) Energy(x []float64) float64 {
	k := b.Part(x)
	if k < 0 || b.masses[k] == 0 {
		return math.Inf(1)
	}
	a := b.side / float64(b.cells)
	return -vmath.Log(b.masses[k] / (a * a))
}

// Sample writes a draw into dst.
func (b *Checkerboard) Sample(dst []float64, s *ebmkit.Stream) {
	checkRow("Checkerboard.Sample", 2, dst)
	col, row := b.square(pick(b.masses, s.Float64()))
	n := float64(b.cells)
	dst[0] = b.side * ((float64(col)+s.Float64())/n - 0.5)
	dst[1] = b.side * ((float64(row)+s.Float64())/n - 0.5)
}

// Mean writes the mean into dst (length 2, allocated if nil).
func (b *Checkerboard) Mean(dst []float64) []float64 {
	m, _ := b.moments()
	return fill(dst, m[:])
}

// Cov writes the covariance, row-major 2 x 2, into dst (allocated if nil).
func (b *Checkerboard) Cov(dst []float64) []float64 {
	_, v := b.moments()
	return fill(dst, v[:])
}

func (b *Checkerboard) moments() (mean [2]float64, cov [4]float64) {
	a := b.side / float64(b.cells)
	for k, m := range b.masses {
		col, row := b.square(k)
		x, y := a*(float64(col)+0.5)-b.side/2, a*(float64(row)+0.5)-b.side/2
		mean[0] += m * x
		mean[1] += m * y
		cov[0] += m * x * x
		cov[1] += m * x * y
		cov[3] += m * y * y
	}
	cov[0] += a*a/12 - mean[0]*mean[0]
	cov[1] -= mean[0] * mean[1]
	cov[2] = cov[1]
	cov[3] += a*a/12 - mean[1]*mean[1]
	return mean, cov
}

// Ring is energy.NewWeightedRing with its parts: isotropic Gaussian modes on a
// circle, part k at the angle 2 pi k/K.
type Ring struct{ *energy.Mixture }

// NewRing returns len(masses) modes of standard deviation sd on a circle of the
// given radius. masses need not sum to one; log Z is 0 all the same. It returns
// *ebmkit.ArgError if there are no masses or one is negative, radius is negative
// or sd not positive.
func NewRing(masses []float64, radius, sd float64) (Ring, error) {
	m, err := checkMasses("data.NewRing", masses, 1)
	if err != nil {
		return Ring{}, err
	}
	mix, err := energy.NewWeightedRing(m, radius, sd)
	return Ring{mix}, err
}

// Masses implements Parts: one part per mode.
func (r Ring) Masses(dst []float64) []float64 { return r.Weights(dst) }

// Part implements Parts: the mode with the largest responsibility.
func (r Ring) Part(x []float64) int {
	p := r.Responsibilities(nil, x)
	best := 0
	for k, v := range p {
		if math.IsNaN(v) {
			return -1
		}
		if v > p[best] {
			best = k
		}
	}
	return best
}

// pick returns the part at height u of the cumulated masses.
func pick(masses []float64, u float64) int {
	last := 0
	for k, m := range masses {
		if m == 0 {
			continue
		}
		last = k
		if u -= m; u < 0 {
			break
		}
	}
	return last
}

// fill copies v into dst, allocated if nil.
func fill(dst, v []float64) []float64 {
	if dst == nil {
		return slices.Clone(v)
	}
	if len(dst) != len(v) {
		panic("data: wrong length")
	}
	copy(dst, v)
	return dst
}

func checkRow(who string, dim int, x []float64) {
	if len(x) != dim {
		panic("data: " + who + ": wrong length")
	}
}
