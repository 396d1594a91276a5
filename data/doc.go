// Package data holds the small data sets of the laboratory: bars and stripes,
// which can be enumerated, letters as patterns of -1 and +1, the handwritten
// digits of the UCI repository, and laws in the plane with known density and
// masses (moons, spirals, checkerboard, ring). It reads MNIST's IDX files and
// tables of numbers that the user has, and the times that "make bench" has
// measured. README.md says where each comes from.
//
// Pictures are rows of Rows*Cols numbers, top row first.
package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Pictures are N grey or black-and-white pictures of the same size, row-major:
// picture i is X[i*Rows*Cols : (i+1)*Rows*Cols].
type Pictures struct {
	N, Rows, Cols int
	X             []float64
	Label         []string // what each picture shows
}

// Dim returns the number of pixels of a picture.
func (p *Pictures) Dim() int { return p.Rows * p.Cols }

// Points returns the pictures as points of R^Dim, sharing memory.
func (p *Pictures) Points() *ebmkit.Ensemble {
	return &ebmkit.Ensemble{N: p.N, Dim: p.Dim(), X: p.X}
}

// At returns picture i, sharing memory. It panics if there is none.
func (p *Pictures) At(i int) []float64 {
	return p.X[i*p.Dim() : (i+1)*p.Dim() : (i+1)*p.Dim()]
}

// Find returns the number of the first picture with the label, -1 if there is
// none.
func (p *Pictures) Find(label string) int { return slices.Index(p.Label, label) }

// Threshold returns the pictures with pixels above cut set to high and all
// others to low: Threshold(7.5, 0, 1) makes bits of the digits, and
// Threshold(7.5, -1, 1) spins.
func (p *Pictures) Threshold(cut, low, high float64) *Pictures {
	q := &Pictures{p.N, p.Rows, p.Cols, make([]float64, len(p.X)), slices.Clone(p.Label)}
	for i, v := range p.X {
		q.X[i] = low
		if v > cut {
			q.X[i] = high
		}
	}
	return q
}

// Select returns copies of the pictures with one of the labels, in their order.
// It returns *ebmkit.ArgError if a label does not occur.
func (p *Pictures) Select(labels ...string) (*Pictures, error) {
	q := &Pictures{Rows: p.Rows, Cols: p.Cols}
	for k, l := range labels {
		if p.Find(l) < 0 {
			return nil, &ebmkit.ArgError{Func: "data.Pictures.Select", Arg: fmt.Sprintf("labels[%d]", k), Value: l, Want: "a label of these pictures"}
		}
	}
	for i, l := range p.Label {
		if slices.Contains(labels, l) {
			q.X = append(q.X, p.At(i)...)
			q.Label = append(q.Label, l)
			q.N++
		}
	}
	return q, nil
}

// Split returns the first n pictures and the rest, sharing memory. It returns
// *ebmkit.ArgError unless 0 < n < N.
func (p *Pictures) Split(n int) (first, rest *Pictures, err error) {
	if n < 1 || n >= p.N {
		return nil, nil, &ebmkit.ArgError{Func: "data.Pictures.Split", Arg: "n", Value: n, Want: fmt.Sprintf("from 1 to %d", p.N-1)}
	}
	cut := n * p.Dim()
	return &Pictures{n, p.Rows, p.Cols, p.X[:cut:cut], p.Label[:n:n]},
		&Pictures{p.N - n, p.Rows, p.Cols, p.X[cut:], p.Label[n:]}, nil
}

// Crop returns the part of every picture that starts at row top and column left,
// rows x cols pixels. It returns *ebmkit.ArgError if that is not inside.
func (p *Pictures) Crop(top, left, rows, cols int) (*Pictures, error) {
	if top < 0 || left < 0 || rows < 1 || cols < 1 || rows > p.Rows-top || cols > p.Cols-left {
		return nil, &ebmkit.ArgError{Func: "data.Pictures.Crop", Arg: "top, left, rows, cols", Value: fmt.Sprintf("%d, %d, %d, %d", top, left, rows, cols),
			Want: fmt.Sprintf("a rectangle inside %d x %d pixels", p.Rows, p.Cols)}
	}
	q := &Pictures{N: p.N, Rows: rows, Cols: cols, Label: slices.Clone(p.Label), X: make([]float64, 0, p.N*rows*cols)}
	for i := range p.N {
		for r := top; r < top+rows; r++ {
			q.X = append(q.X, p.At(i)[r*p.Cols+left:r*p.Cols+left+cols]...)
		}
	}
	return q, nil
}

// Distinct returns the different pictures, in the order in which they first
// occur and with the label of that one, and the fraction of the pictures that
// each of them stands for: the empirical law.
func (p *Pictures) Distinct() (*Pictures, []float64) {
	q := &Pictures{Rows: p.Rows, Cols: p.Cols}
	var count []float64
	seen := map[string]int{}
	key := make([]byte, 0, 8*p.Dim())
	for i := range p.N {
		key = key[:0]
		for _, v := range p.At(i) {
			key = binary.LittleEndian.AppendUint64(key, math.Float64bits(v+0)) // -0 is 0
		}
		k, old := seen[string(key)]
		if !old {
			k = q.N
			seen[string(key)] = k
			q.X, q.Label, q.N = append(q.X, p.At(i)...), append(q.Label, p.Label[i]), q.N+1
			count = append(count, 0)
		}
		count[k]++
	}
	for k := range count {
		count[k] /= float64(p.N)
	}
	return q, count
}

// Index returns the number of the first picture with the pixels x, -1 if there is
// none.
func (p *Pictures) Index(x []float64) int {
	for i := range p.N {
		if slices.Equal(p.At(i), x) {
			return i
		}
	}
	return -1
}

// Means returns the average picture of each label, in the order in which the
// labels first occur.
func (p *Pictures) Means() *Pictures {
	q := &Pictures{Rows: p.Rows, Cols: p.Cols}
	var count []float64
	for i := range p.N {
		k := q.Find(p.Label[i])
		if k < 0 {
			k = q.N
			q.X, q.Label, q.N = append(q.X, make([]float64, p.Dim())...), append(q.Label, p.Label[i]), q.N+1
			count = append(count, 0)
		}
		for j, v := range p.At(i) {
			q.At(k)[j] += v
		}
		count[k]++
	}
	for k, n := range count {
		for j := range q.At(k) {
			q.At(k)[j] /= n
		}
	}
	return q
}
