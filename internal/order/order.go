// Package order sorts float64 numbers by radix, several times faster than
// comparing them.
package order

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// Sorter is the scratch of a sort and its result. The zero value is ready; it
// is reused from slice to slice without new memory if they do not grow. It
// serves one goroutine.
type Sorter struct {
	Order []uint32  // positions by increasing number, equal numbers by position
	Value []float64 // Value[i] is the number at Order[i], +0 for -0

	words, spare []uint64
}

// Sort puts the numbers of x, none of them NaN, in order.
//
// The bits of a float64, sign-corrected, order like the number. The 32 most
// telling bits of each (those below the common prefix) go with the position
// into one word, and the words are sorted by four passes of radix sort. Numbers
// whose 32 bits agree are left in order of position, and then sorted by value.
func (s *Sorter) Sort(x []float64) {
	n := len(x)
	s.words, s.spare = grow(s.words, n), grow(s.spare, n)
	s.Order, s.Value = grow(s.Order, n), grow(s.Value, n)

	lo, hi := uint64(math.MaxUint64), uint64(0)
	for _, v := range x {
		k := sortKey(v)
		lo, hi = min(lo, k), max(hi, k)
	}
	shift := max(0, bits.Len64(hi-lo)-32)

	const radix = 1 << 8
	var count [4][radix]uint32
	for i, v := range x {
		k := (sortKey(v) - lo) >> shift
		count[0][k&(radix-1)]++
		count[1][k>>8&(radix-1)]++
		count[2][k>>16&(radix-1)]++
		count[3][k>>24&(radix-1)]++
		s.words[i] = k<<32 | uint64(i)
	}
	from, to := s.words, s.spare
	for pass := range 4 {
		c, start := &count[pass], uint32(0)
		for d, m := range c {
			c[d] = start
			start += m
		}
		by := 32 + 8*pass
		for _, w := range from {
			d := w >> by & (radix - 1)
			to[c[d]] = w
			c[d]++
		}
		from, to = to, from
	}
	order, value := s.Order, s.Value
	for i, w := range from {
		order[i] = uint32(w)
	}
	for i, p := range order {
		value[i] = x[p] + 0 // +0, never -0: users may compare bits
	}
	if shift == 0 {
		return
	}
	for i := 1; i < n; i++ {
		if from[i]>>32 != from[i-1]>>32 || s.Value[i] >= s.Value[i-1] {
			continue
		}
		key := from[i] >> 32
		start, end := i-1, i+1
		for start > 0 && from[start-1]>>32 == key {
			start--
		}
		for end < n && from[end]>>32 == key {
			end++
		}
		slices.SortFunc(s.Order[start:end], func(a, b uint32) int {
			if c := cmp.Compare(x[a], x[b]); c != 0 {
				return c
			}
			return cmp.Compare(a, b)
		})
		for k := start; k < end; k++ {
			s.Value[k] = x[s.Order[k]] + 0
		}
		i = end - 1
	}
}

// sortKey maps numbers to integers that order like them, -0 like 0.
func sortKey(v float64) uint64 {
	b := math.Float64bits(v + 0)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// grow returns a slice of length n, reusing the memory of s if it suffices.
// Its contents are unspecified.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
