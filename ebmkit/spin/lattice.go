package spin

import (
	"context"
	"fmt"
	"math"
	"math/bits"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Torus is the Ising model on a square lattice that is closed in both
// directions, with uniform coupling J and uniform field H = mu h_j:
//
//	U(x) = -J sum_<ij> x_i x_j - H sum_j x_j.
//
// Site (r, c) is number r*Cols + c.
type Torus struct {
	Rows, Cols int
	J, H       float64
}

func (t Torus) check(fn string) error {
	if t.Rows < 3 {
		return &ebmkit.ArgError{Func: fn, Arg: "Torus.Rows", Value: t.Rows, Want: "at least 3"}
	}
	if t.Cols < 3 {
		return &ebmkit.ArgError{Func: fn, Arg: "Torus.Cols", Value: t.Cols, Want: "at least 3"}
	}
	if t.Rows > math.MaxInt32/t.Cols {
		return &ebmkit.ArgError{Func: fn, Arg: "Torus.Rows*Torus.Cols", Value: fmt.Sprintf("%d x %d", t.Rows, t.Cols), Want: "below 2^31 sites"}
	}
	if err := wantFinite(fn, "Torus.J", t.J); err != nil {
		return err
	}
	return wantFinite(fn, "Torus.H", t.H)
}

// Ising returns the torus as a graph. It returns *ebmkit.ArgError if a side has
// fewer than 3 sites or a number is not finite.
func (t Torus) Ising() (*Ising, error) {
	if err := t.check("spin.Torus.Ising"); err != nil {
		return nil, err
	}
	var bonds []Bond
	for r := range t.Rows {
		for c := range t.Cols {
			i := r*t.Cols + c
			bonds = append(bonds, Bond{i, r*t.Cols + (c+1)%t.Cols, t.J}, Bond{i, (r+1)%t.Rows*t.Cols + c, t.J})
		}
	}
	return NewIsing(t.Rows*t.Cols, bonds, 1, uniform(t.Rows*t.Cols, t.H))
}

// Lattice simulates a Torus with even sides at the inverse temperature Beta, 64
// spins to a machine word. It starts with all spins up.
//
// A sweep updates the sites of one colour of the checkerboard, then those of the
// other. The words of one colour are cut into fixed blocks of rows, each with
// its own stream, so the same seed gives the same spins on any number of cores.
// A Lattice is not safe for concurrent use.
//
// # How 64 spins are drawn at once
//
// Neighbours are counted with bitwise adders. A spin then turns if u < p, where
// p is one of a few probabilities, chosen by its count. Numbers u and p are
// compared bit by bit from the top, for 256 spins with four random words a bit,
// until all are decided: after about 9 bits. Probabilities are exact to 2^-64.
type Lattice struct {
	torus Torus
	beta  float64
	words int    // words of one colour in a row
	top   int    // bits used in the last word of a row
	mask  uint64 // which bits those are
	spins [2][]uint64
	// Site (r, c) has the colour k = (r+c)&1 and is bit c/2 of row r of
	// spins[k]; bit set = spin up.

	heat, metropolis rule
	blocks           []latticeBlock
	task             func(block int) // updates one block; made once
	active           *rule
	colour           int

	cluster cluster
}

// blockWords is the least number of words that one stream serves. It is part of
// what fixes the numbers that a seed gives.
const blockWords = 64

type latticeBlock struct {
	lo, hi int // rows
	stream *ebmkit.Stream
	random [1024]uint64
	next   int         // random[next:] are unused
	side   []uint64    // scratch: the fourth neighbours
	edge   [2][]uint64 // scratch: the rows above and below, at the ends
}

// NewLattice returns a lattice with all spins up. It returns *ebmkit.ArgError if
// a side is odd or below 4 (the checkerboard needs even sides), or a number is
// not finite, or beta negative.
func NewLattice(t Torus, beta float64, seed uint64) (*Lattice, error) {
	const fn = "spin.NewLattice"
	if err := t.check(fn); err != nil {
		return nil, err
	}
	if t.Rows%2 != 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Torus.Rows", Value: t.Rows, Want: "an even number: the checkerboard has two colours"}
	}
	if t.Cols%2 != 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Torus.Cols", Value: t.Cols, Want: "an even number: the checkerboard has two colours"}
	}
	if err := wantBeta(fn, beta); err != nil {
		return nil, err
	}
	half := t.Cols / 2
	l := &Lattice{torus: t, words: (half + 63) / 64, top: (half-1)%64 + 1}
	l.mask = math.MaxUint64 >> (64 - l.top)
	for k := range l.spins {
		l.spins[k] = make([]uint64, t.Rows*l.words)
	}
	rows := (blockWords + l.words - 1) / l.words
	l.blocks = make([]latticeBlock, (t.Rows+rows-1)/rows)
	for i := range l.blocks {
		b := &l.blocks[i]
		b.lo, b.hi = i*rows, min((i+1)*rows, t.Rows)
		b.stream = ebmkit.NewStream(seed, "ising", i)
		b.next, b.side = len(b.random), make([]uint64, (b.hi-b.lo)*l.words)
		b.edge = [2][]uint64{make([]uint64, len(b.side)), make([]uint64, len(b.side))}
	}
	l.task = func(i int) { l.updateBlock(&l.blocks[i]) }
	l.cluster.stream = ebmkit.NewStream(seed, "wolff", 0)
	l.Fill(1)
	return l, l.SetBeta(beta)
}

// Torus returns the model.
func (l *Lattice) Torus() Torus { return l.torus }

// Beta returns the inverse temperature.
func (l *Lattice) Beta() float64 { return l.beta }

// Sites returns the number of spins.
func (l *Lattice) Sites() int { return l.torus.Rows * l.torus.Cols }

// SetBeta changes the inverse temperature and keeps the spins. It returns
// *ebmkit.ArgError, and changes nothing, if beta is negative or not finite.
func (l *Lattice) SetBeta(beta float64) error {
	if err := wantBeta("spin.Lattice.SetBeta", beta); err != nil {
		return err
	}
	l.beta = beta
	l.heat.set(l.torus, beta, heatBathUp, true)
	l.metropolis.set(l.torus, beta, metropolisUp, false)
	return nil
}

// heatBathUp is the probability that a spin is up after a heat-bath update, with
// the local field f.
func heatBathUp(beta, f float64, _ bool) float64 { return vmath.Sigmoid(2 * beta * f) }

// metropolisUp is the probability that a spin is up after its turn was proposed
// and accepted with probability min(1, exp(-dU)).
func metropolisUp(beta, f float64, up bool) float64 {
	if up {
		return 1 - vmath.Exp(min(0, -2*beta*f))
	}
	return vmath.Exp(min(0, 2*beta*f))
}

// Fill sets all spins to v, -1 or +1. It panics if v is something else.
func (l *Lattice) Fill(v int) {
	if v != 1 && v != -1 {
		panic("spin: Lattice.Fill: v is not -1 or +1")
	}
	for k := range l.spins {
		for i := range l.spins[k] {
			l.spins[k][i] = 0
			if v == 1 {
				l.spins[k][i] = l.valid(i % l.words)
			}
		}
	}
}

// Randomize draws all spins anew, up or down with equal probability, which is
// the state of infinite temperature.
func (l *Lattice) Randomize() {
	for n := range l.blocks {
		b := &l.blocks[n]
		for k := range l.spins {
			for i := b.lo * l.words; i < b.hi*l.words; i++ {
				l.spins[k][i] = b.stream.Uint64() & l.valid(i%l.words)
			}
		}
	}
}

// valid returns which bits of word w of a row are sites.
func (l *Lattice) valid(w int) uint64 {
	if w == l.words-1 {
		return l.mask
	}
	return math.MaxUint64
}

// Spins writes the spins, -1 and +1, row by row into dst (length Sites,
// allocated if nil) and returns it. It panics on a wrong length.
func (l *Lattice) Spins(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, l.Sites())
	}
	if len(dst) != l.Sites() {
		panic("spin: Lattice.Spins: len(dst) != Sites")
	}
	for i := range dst {
		word, bit := l.locate(i/l.torus.Cols, i%l.torus.Cols)
		dst[i] = float64(2*int(*word>>bit&1) - 1)
	}
	return dst
}

// SetSpins sets the spins row by row. It returns *ebmkit.ArgError, and changes
// nothing, if x has not length Sites or an entry is not -1 or +1.
func (l *Lattice) SetSpins(x []float64) error {
	if err := wantSpins("spin.Lattice.SetSpins", "x", x, l.Sites()); err != nil {
		return err
	}
	l.Fill(-1)
	for i, v := range x {
		if v == 1 {
			word, bit := l.locate(i/l.torus.Cols, i%l.torus.Cols)
			*word |= 1 << bit
		}
	}
	return nil
}

// locate returns the word and the bit of site (r, c).
func (l *Lattice) locate(r, c int) (word *uint64, bit int) {
	return &l.spins[(r+c)&1][r*l.words+c>>7], c >> 1 & 63
}

// Magnetization returns the sum of the spins.
func (l *Lattice) Magnetization() int {
	up := 0
	for k := range l.spins {
		for _, w := range l.spins[k] {
			up += bits.OnesCount64(w)
		}
	}
	return 2*up - l.Sites()
}

// Energy returns U of the current spins.
func (l *Lattice) Energy() float64 {
	unequal := 0 // bonds of unequal spins; every bond has one end of colour 0
	b := &l.blocks[0]
	for r := range l.torus.Rows {
		above, here, below := l.otherRows(0, r)
		side := l.shift(b.side[:l.words], here, r&1 == 0)
		for w, x := range l.spins[0][r*l.words : (r+1)*l.words] {
			v := l.valid(w)
			unequal += bits.OnesCount64((x^above[w])&v) + bits.OnesCount64((x^below[w])&v) +
				bits.OnesCount64((x^here[w])&v) + bits.OnesCount64((x^side[w])&v)
		}
	}
	return -l.torus.J*float64(2*l.Sites()-2*unequal) - l.torus.H*float64(l.Magnetization())
}

// otherRows returns the rows r-1, r and r+1 of the other colour. Bit m of each
// is a neighbour of bit m of row r.
func (l *Lattice) otherRows(colour, r int) (above, here, below []uint64) {
	other, n := l.spins[1-colour], l.words
	up, down := r-1, r+1
	if r == 0 {
		up = l.torus.Rows - 1
	}
	if down == l.torus.Rows {
		down = 0
	}
	return other[up*n:][:n], other[r*n:][:n], other[down*n:][:n]
}

// shift writes the fourth neighbours of a row into side: bit m-1 of here where
// left is set, that is where row number and colour are both even or both odd,
// and bit m+1 elsewhere, around the end. Bits that are no sites may be set.
func (l *Lattice) shift(side, here []uint64, left bool) []uint64 {
	last, top := len(here)-1, l.top-1
	side = side[:len(here)]
	if left {
		carry := here[last] >> top & 1
		for w, x := range here {
			side[w] = x<<1 | carry
			carry = x >> 63
		}
		return side
	}
	carry := here[0] & 1 << top
	for w := last; w >= 0; w-- {
		side[w] = here[w]>>1 | carry
		carry = here[w] << 63
	}
	return side
}

// HeatBath makes n sweeps in which every spin is drawn from its law given its
// neighbours.
func (l *Lattice) HeatBath(n int) { l.sweep(&l.heat, n) }

// Metropolis makes n sweeps in which every spin is offered to turn and does so
// with probability min(1, exp(-Beta dU)). At Beta = 0 every offer is accepted
// and the states repeat: use HeatBath.
func (l *Lattice) Metropolis(n int) { l.sweep(&l.metropolis, n) }

func (l *Lattice) sweep(r *rule, n int) {
	l.active = r
	for range n {
		for l.colour = range l.spins {
			par.For(context.Background(), len(l.blocks), l.task)
		}
	}
}

// updateBlock updates the sites of the current colour in the rows of b.
func (l *Lattice) updateBlock(b *latticeBlock) {
	rule, other, n := l.active, l.spins[1-l.colour], l.words
	own := l.spins[l.colour][b.lo*n : b.hi*n]
	above, here, below := l.rows(b.edge[0], other, b.lo-1), other[b.lo*n:b.hi*n], l.rows(b.edge[1], other, b.lo+1)
	for r := b.lo; r < b.hi; r++ {
		at := (r - b.lo) * n
		l.shift(b.side[at:at+n], here[at:at+n], (r+l.colour)&1 == 0)
	}
	for at := 0; at < len(own); {
		if b.next > len(b.random)-lanes*maxRounds {
			b.refill()
		}
		if groups := (len(own) - at) / lanes; useAVX2 && rule.symmetric && groups > 0 {
			done, used := turnAVX2(&own[at], &above[at], &here[at], &below[at], &b.side[at], groups,
				&rule.rare, rule.against, rule.heatBath, &b.random[b.next], (len(b.random)-b.next)/lanes)
			at += lanes * done
			b.next += lanes * used
			continue
		}
		end := min(at+lanes, len(own))
		b.next += lanes * rule.turn(own[at:end], above[at:end], here[at:end], below[at:end], b.side[at:end], b.random[b.next:])
		at = end
	}
	for last := n - 1; last < len(own); last += n {
		own[last] &= l.mask
	}
}

// rows returns rows lo, lo+1, ... of s, as many as edge has, around the end. Only
// there does it copy them, to edge.
func (l *Lattice) rows(edge, s []uint64, lo int) []uint64 {
	lo *= l.words
	if lo >= 0 && lo+len(edge) <= len(s) {
		return s[lo : lo+len(edge)]
	}
	if lo < 0 {
		k := copy(edge, s[len(s)+lo:])
		copy(edge[k:], s)
	} else {
		k := copy(edge, s[lo:])
		copy(edge[k:], s)
	}
	return edge
}

// refill moves the unused random words to the front and adds new ones.
func (b *latticeBlock) refill() {
	n := copy(b.random[:], b.random[b.next:])
	b.stream.FillBits(b.random[n:])
	b.next = 0
}
