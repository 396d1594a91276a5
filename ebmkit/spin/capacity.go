package spin

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// RandomPatterns returns p patterns of n fair spins, row-major, from the stream
// (seed, "patterns", 0). It returns *ebmkit.ArgError if n < 1 or p < 1.
func RandomPatterns(n, p int, seed uint64) ([]float64, error) {
	if err := wantPatterns("spin.RandomPatterns", n, p); err != nil {
		return nil, err
	}
	return drawPatterns(ebmkit.NewStream(seed, "patterns", 0), n, p), nil
}

func wantPatterns(fn string, n, p int) error {
	if n < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "n", Value: n, Want: "at least 1"}
	}
	if p < 1 || p > math.MaxInt32/n {
		return &ebmkit.ArgError{Func: fn, Arg: "p", Value: p, Want: "at least 1, and n*p below 2^31"}
	}
	return nil
}

func drawPatterns(s *ebmkit.Stream, n, p int) []float64 {
	x := make([]float64, n*p)
	for i := range x {
		x[i] = float64(2*s.IntN(2) - 1)
	}
	return x
}

// Spoil returns a copy of x in which k different spins, drawn from the stream
// (seed, "spoil", 0), are turned. It returns *ebmkit.ArgError if k is negative or
// more than len(x).
func Spoil(x []float64, k int, seed uint64) ([]float64, error) {
	if k < 0 || k > len(x) {
		return nil, &ebmkit.ArgError{Func: "spin.Spoil", Arg: "k", Value: k, Want: fmt.Sprintf("from 0 to len(x) = %d", len(x))}
	}
	s := ebmkit.NewStream(seed, "spoil", 0)
	y := append([]float64(nil), x...)
	left := k // to choose from the spins that remain (Knuth's algorithm S)
	for i := range y {
		if s.IntN(len(y)-i) < left {
			y[i] = -y[i]
			left--
		}
	}
	return y, nil
}

// Capacity is what a Hopfield network makes of random patterns, averaged over
// independent sets of them, which is where the errors come from: spins and
// patterns of one set are not independent.
type Capacity struct {
	// Wrong is the fraction of spins of stored patterns that one synchronous step
	// from the pattern turns; its exact value for Hebb is that of OneStepError.
	Wrong ebmkit.Estimate
	// Overlap is that of a stored pattern with the fixed point reached from it,
	// one spin after the other; Kept is the fraction of patterns that are fixed
	// points.
	Overlap, Kept ebmkit.Estimate
}

// MeasureCapacity stores sets independent sets of p random patterns of n spins by
// the rule; set k draws its patterns from the stream (seed, "capacity", k).
// Wrong and Kept are over all patterns, Overlap over the first starts of each
// set. It returns *ebmkit.ArgError if n or p is below 1, sets below 2, starts not
// from 1 to p, or the rule cannot store the patterns.
func MeasureCapacity(rule Storage, n, p, sets, starts int, seed uint64) (Capacity, error) {
	const fn = "spin.MeasureCapacity"
	if err := wantPatterns(fn, n, p); err != nil {
		return Capacity{}, err
	}
	if sets < 2 {
		return Capacity{}, &ebmkit.ArgError{Func: fn, Arg: "sets", Value: sets, Want: "at least 2: their spread is the error"}
	}
	if starts < 1 || starts > p {
		return Capacity{}, &ebmkit.ArgError{Func: fn, Arg: "starts", Value: starts, Want: fmt.Sprintf("from 1 to p = %d", p)}
	}
	wrong, overlap, kept := make([]float64, sets), make([]float64, sets), make([]float64, sets)
	field := make([]float64, n)
	for k := range sets {
		y := drawPatterns(ebmkit.NewStream(seed, "capacity", k), n, p)
		net, err := NewHopfield(rule, n, y)
		if err != nil {
			return Capacity{}, err
		}
		for m := range p {
			x := y[m*n : (m+1)*n]
			turned := 0
			for i, f := range net.Fields(field, x) {
				if net.sign(i, f, x[i]) != x[i] {
					turned++
				}
			}
			wrong[k] += float64(turned) / float64(n*p)
			if turned == 0 {
				kept[k]++
			}
			if m >= starts {
				continue
			}
			end := x // stays so if no field turns a spin
			if turned > 0 {
				r, err := net.RetrieveAsync(x, 1000, seed)
				if err != nil {
					return Capacity{}, err
				}
				end = r.Last()
			}
			overlap[k] += Overlap(x, end)
		}
		kept[k] /= float64(p)
		overlap[k] /= float64(starts)
	}
	return Capacity{Wrong: ebmkit.MeanOf(wrong), Overlap: ebmkit.MeanOf(overlap), Kept: ebmkit.MeanOf(kept)}, nil
}
