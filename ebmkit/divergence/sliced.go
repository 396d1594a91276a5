package divergence

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// SlicedW2 returns the sliced Wasserstein-2 distance of two sets of points, not
// its square,
//
//	SW2^2 = mean over unit vectors v of W2^2(v.x, v.y),
//
// with the mean over all directions estimated from random ones, independent and
// uniform on the sphere, made from the seed. A shift by c gives |c|/sqrt(d).
// Sizes may differ.
//
// As an estimate for the laws from which independent points came, the square is
// biased upwards by about 1/n where the laws agree. SE is by the delta method for
// laws that differ, and has both parts: the random directions, and the random
// points. Of equal laws it says nothing: see PermutationNull. The same seed gives
// the same bits on any number of cores. It returns *ebmkit.ArgError if the sets
// have different dimensions, are empty, weighted or not finite, or if
// projections < 2.
func SlicedW2(x, y *ebmkit.Ensemble, projections int, seed uint64) (ebmkit.Estimate, error) {
	e, err := sliced("divergence.SlicedW2", x, y, projections, seed, transport2)
	return root(e), err
}

// SlicedW1 returns the sliced Wasserstein-1 distance, the mean of W1(v.x, v.y)
// over unit vectors v. Directions, error and errors as SlicedW2; as an estimate
// for the laws it is biased upwards, by about n^(-1/2) where they agree.
func SlicedW1(x, y *ebmkit.Ensemble, projections int, seed uint64) (ebmkit.Estimate, error) {
	return sliced("divergence.SlicedW1", x, y, projections, seed, transport1)
}

// slicedBlock is the number of projections that share scratch.
const slicedBlock = 8

// sliced returns the mean of a transport cost over random directions.
func sliced(fn string, x, y *ebmkit.Ensemble, projections int, seed uint64, cost func(a, b *atoms, phi, psi []float64) float64) (ebmkit.Estimate, error) {
	if err := wantPoints(fn, x, y); err != nil {
		return ebmkit.Estimate{}, err
	}
	if projections < 2 {
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: fn, Arg: "projections", Value: projections, Want: "at least 2"}
	}
	d := x.Dim
	xt, yt := columns(x), columns(y)
	costs := make([]float64, projections)
	blocks := (projections + slicedBlock - 1) / slicedBlock
	phis, psis := make([][]float64, blocks), make([][]float64, blocks)
	par.For(context.Background(), blocks, func(block int) {
		var a, b atoms
		px, py := make([]float64, x.N), make([]float64, y.N)
		phi, psi := make([]float64, x.N), make([]float64, y.N)
		sumPhi, sumPsi := make([]float64, x.N), make([]float64, y.N)
		v := make([]float64, d)
		s := ebmkit.NewStream(seed, "sliced", block)
		for k := block * slicedBlock; k < min((block+1)*slicedBlock, projections); k++ {
			direction(v, s)
			project(px, xt, v)
			project(py, yt, v)
			a.sort(px)
			b.sort(py)
			costs[k] = cost(&a, &b, phi, psi)
			for i, p := range a.sorter.Order {
				sumPhi[p] += phi[i]
			}
			for i, p := range b.sorter.Order {
				sumPsi[p] += psi[i]
			}
		}
		phis[block], psis[block] = sumPhi, sumPsi
	})
	e := ebmkit.MeanOf(costs)
	points := varianceOfMean(phis) + varianceOfMean(psis)
	e.SE = math.Sqrt(e.SE*e.SE + points/(float64(projections)*float64(projections)))
	return e, nil
}

// direction makes v uniform on the unit sphere.
func direction(v []float64, s *ebmkit.Stream) {
	for {
		s.FillNormal(v)
		if r := math.Sqrt(vmath.Dot(v, v)); r > 0 {
			for j := range v {
				v[j] /= r
			}
			return
		}
	}
}

// columns returns the coordinates of e, one after another.
func columns(e *ebmkit.Ensemble) [][]float64 {
	c := make([][]float64, e.Dim)
	for j := range c {
		c[j] = e.Col(j)
	}
	return c
}

// project writes the dot products of the points with v.
func project(dst []float64, cols [][]float64, v []float64) {
	clear(dst)
	for j, c := range cols {
		vmath.Axpy(dst, v[j], c)
	}
}

// varianceOfMean returns the variance of the mean over the points of the sum of
// the parts, which it adds up in the first.
func varianceOfMean(parts [][]float64) float64 {
	sum := parts[0]
	for _, p := range parts[1:] {
		vmath.Axpy(sum, 1, p)
	}
	se := ebmkit.MeanOf(sum).SE
	return se * se
}

// wantPoints returns *ebmkit.ArgError unless x and y are sets of points with
// equal weights in the same space.
func wantPoints(fn string, x, y *ebmkit.Ensemble) error {
	for k, e := range []*ebmkit.Ensemble{x, y} {
		arg := string("xy"[k])
		if e == nil || e.N < 2 || e.Dim < 1 || len(e.X) != e.N*e.Dim {
			n := 0
			if e != nil {
				n = e.N
			}
			return &ebmkit.ArgError{Func: fn, Arg: arg, Value: fmt.Sprintf("%d points", n), Want: "an ensemble of at least 2 points with N*Dim numbers"}
		}
		if e.LogW != nil {
			return &ebmkit.ArgError{Func: fn, Arg: arg + ".LogW", Value: fmt.Sprintf("%d log-weights", len(e.LogW)), Want: "points of equal weight (resample first)"}
		}
		for i, v := range e.X {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s.X[%d]", arg, i), Value: v, Want: "a finite number"}
			}
		}
	}
	if x.Dim != y.Dim {
		return &ebmkit.ArgError{Func: fn, Arg: "y.Dim", Value: y.Dim, Want: fmt.Sprintf("%d, as x", x.Dim)}
	}
	return nil
}
