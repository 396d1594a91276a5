package ebmkit

import (
	"math"
	"math/rand/v2"
)

// Stream is a reproducible source of random numbers. Two streams with different
// (seed, name, block) are independent for all practical purposes. A Stream
// belongs to one goroutine.
type Stream struct {
	src rand.PCG
	rnd *rand.Rand
}

var _ rand.Source = (*Stream)(nil)

// NewStream returns the stream keyed by the user's seed, the name of its
// purpose ("init", "draw", "noise") and the block of rows that it serves.
func NewStream(seed uint64, name string, block int) *Stream {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	s := &Stream{}
	s.src.Seed(seed, h^(uint64(block)*0x9e3779b97f4a7c15))
	s.rnd = rand.New(&s.src)
	return s
}

// Uint64 returns 64 random bits; it makes Stream a rand.Source.
func (s *Stream) Uint64() uint64 { return s.src.Uint64() }

// Float64 returns a uniform number in [0, 1).
func (s *Stream) Float64() float64 { return float64(s.src.Uint64()>>11) / (1 << 53) }

// Normal returns a standard normal number.
func (s *Stream) Normal() float64 { return s.rnd.NormFloat64() }

// FillNormal fills dst with independent standard normal numbers.
func (s *Stream) FillNormal(dst []float64) {
	for i := range dst {
		dst[i] = s.rnd.NormFloat64()
	}
}

// FillUniform fills dst with independent uniform numbers in [0, 1).
func (s *Stream) FillUniform(dst []float64) {
	for i := range dst {
		dst[i] = s.Float64()
	}
}

// Exponential returns a draw from exp(-x), x > 0.
func (s *Stream) Exponential() float64 { return -math.Log(1 - s.Float64()) }

// IntN returns a uniform integer in [0, n). It panics if n < 1.
func (s *Stream) IntN(n int) int { return s.rnd.IntN(n) }
