package vae

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// PixelLaw is the law of a Bernoulli model that makes no use of its code:
// independent pixels,
//
//	U(x) = -sum_j [ x_j log p_j + (1 - x_j) log(1 - p_j) ],   log Z = 0 over pictures of bits.
//
// It is what a collapsed autoencoder can reach, and so the mark that a code must
// beat. As for Bernoulli, grey values between 0 and 1 are taken as probabilities.
type PixelLaw struct {
	log1, log0 []float64 // log p_j, log(1 - p_j)
}

var _ ebmkit.Normalized = (*PixelLaw)(nil)

// IndependentPixels returns the law with the means of the rows of data, smoothed
// by Laplace's rule of succession so that no pixel is certain,
//
//	p_j = (1 + sum_i x_ij) / (2 + n).
//
// It returns *ebmkit.ArgError if data is empty or has a number outside [0, 1].
func IndependentPixels(data *ebmkit.Ensemble) (*PixelLaw, error) {
	const fn = "vae.IndependentPixels"
	if data == nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "data", Value: nil, Want: "points"}
	}
	if err := minibatch.Check(fn, "data", data, max(data.Dim, 1)); err != nil {
		return nil, err
	}
	ink := make([]float64, data.Dim)
	for i, v := range data.X {
		if v < 0 || v > 1 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("data, point %d, coordinate %d", i/data.Dim, i%data.Dim), Value: v, Want: "between 0 and 1"}
		}
		ink[i%data.Dim] += v
	}
	p := &PixelLaw{make([]float64, data.Dim), make([]float64, data.Dim)}
	n := float64(data.N)
	for j, v := range ink {
		p.log1[j], p.log0[j] = vmath.Log((1+v)/(2+n)), vmath.Log((1+n-v)/(2+n))
	}
	return p, nil
}

// Dim returns the number of pixels.
func (p *PixelLaw) Dim() int { return len(p.log1) }

// LogZ returns 0.
func (p *PixelLaw) LogZ() float64 { return 0 }

// Energy returns U(x) = -log p(x). It panics on a wrong length.
func (p *PixelLaw) Energy(x []float64) float64 { return -p.LogDensity(x) }

// LogDensity returns log p(x). It panics on a wrong length.
func (p *PixelLaw) LogDensity(x []float64) (s float64) {
	wantLen(len(x), p.Dim(), "x")
	for j, v := range x {
		s += v*p.log1[j] + (1-v)*p.log0[j]
	}
	return s
}

func (p *PixelLaw) String() string { return fmt.Sprintf("%d independent pixels", p.Dim()) }
