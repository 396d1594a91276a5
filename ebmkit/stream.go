package ebmkit

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// StreamVersion names the generator, the keying and the order in which calls
// use up the words. Two releases with the same version draw the same numbers.
const StreamVersion = 1

// streamGroup is the number of words, or of normals, made at once.
const streamGroup = 8

// Stream is a reproducible source of random numbers: four xoshiro256++
// generators side by side, keyed by (seed, name, block). Streams with different
// keys are independent for all practical purposes. A Stream belongs to one
// goroutine and is not to be copied.
//
// # Order
//
// The generators make words of 64 bits in groups of eight. Uint64, Float64,
// Exponential, IntN and their Fill forms take words one after another and open
// a new group when the last one is used up. Normal and FillNormal take normals
// one after another; eight normals use up one whole group (Box and Muller).
// What is left of a group of words, or of eight normals, waits for the next
// call of its kind. So what a call returns depends on the sequence of calls
// before it and on nothing else, and a Fill of n is the same as n single calls,
// however n is cut. All of it is the same on every processor.
type Stream struct {
	lanes   vmath.Lanes
	words   [streamGroup]uint64
	normals [streamGroup]float64
	word    int // words[word:] are unused
	normal  int // normals[normal:] are unused
}

var _ rand.Source = (*Stream)(nil)

// NewStream returns the stream keyed by the user's seed, the name of its
// purpose ("init", "draw", "noise") and the block of rows that it serves.
func NewStream(seed uint64, name string, block int) *Stream {
	// ChaCha8, a cipher, spreads the key over the state: keys that differ in
	// one bit give unrelated states.
	var key [32]byte
	lo, hi := hashName(name)
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(block))
	binary.LittleEndian.PutUint64(key[16:], lo)
	binary.LittleEndian.PutUint64(key[24:], hi)
	var c rand.ChaCha8
	c.Seed(key)
	s := &Stream{word: streamGroup, normal: streamGroup}
	for i := range s.lanes {
		s.lanes[i] = c.Uint64()
	}
	return s
}

// hashName returns the 128-bit FNV-1a hash of name.
func hashName(name string) (lo, hi uint64) {
	hi, lo = 0x6c62272e07bb0142, 0x62b821756295c58d
	const primeLo, primeShift = 0x13b, 24 // 2^88 + 0x13b
	for i := range len(name) {
		lo ^= uint64(name[i])
		carry, low := bits.Mul64(lo, primeLo)
		hi = hi*primeLo + carry + lo<<primeShift
		lo = low
	}
	return lo, hi
}

// Uint64 returns 64 random bits; it makes Stream a rand.Source.
func (s *Stream) Uint64() uint64 {
	if s.word == streamGroup {
		s.moreWords()
	}
	w := s.words[s.word&(streamGroup-1)]
	s.word++
	return w
}

func (s *Stream) moreWords() {
	s.lanes.Words(s.words[:])
	s.word = 0
}

// FillBits fills dst with random bits: len(dst) calls of Uint64.
func (s *Stream) FillBits(dst []uint64) {
	n := copy(dst, s.words[s.word:])
	s.word += n
	dst = dst[n:]
	whole := len(dst) - len(dst)%streamGroup
	s.lanes.Words(dst[:whole])
	for i := whole; i < len(dst); i++ {
		dst[i] = s.Uint64()
	}
}

// Float64 returns a uniform number in [0, 1), a multiple of 2^-52.
func (s *Stream) Float64() float64 { return vmath.OneTwo(s.Uint64()) - 1 }

// FillUniform fills dst with independent uniform numbers in [0, 1): len(dst)
// calls of Float64.
func (s *Stream) FillUniform(dst []float64) {
	n := 0
	for n < len(dst) && s.word < streamGroup {
		dst[n] = s.Float64()
		n++
	}
	dst = dst[n:]
	whole := len(dst) - len(dst)%streamGroup
	s.lanes.Uniforms(dst[:whole])
	for i := whole; i < len(dst); i++ {
		dst[i] = s.Float64()
	}
}

// Normal returns a standard normal number.
func (s *Stream) Normal() float64 {
	if s.normal == streamGroup {
		s.moreNormals()
	}
	v := s.normals[s.normal&(streamGroup-1)]
	s.normal++
	return v
}

func (s *Stream) moreNormals() {
	s.lanes.Normals(s.normals[:])
	s.normal = 0
}

// FillNormal fills dst with independent standard normal numbers: len(dst) calls
// of Normal.
func (s *Stream) FillNormal(dst []float64) {
	n := copy(dst, s.normals[s.normal:])
	s.normal += n
	dst = dst[n:]
	whole := len(dst) - len(dst)%streamGroup
	s.lanes.Normals(dst[:whole])
	for i := whole; i < len(dst); i++ {
		dst[i] = s.Normal()
	}
}

// Exponential returns a draw from exp(-x), x >= 0.
func (s *Stream) Exponential() float64 { return vmath.Exponential(s.Uint64()) }

// FillExponential fills dst with independent draws from exp(-x): len(dst) calls
// of Exponential.
func (s *Stream) FillExponential(dst []float64) {
	n := 0
	for n < len(dst) && s.word < streamGroup {
		dst[n] = s.Exponential()
		n++
	}
	dst = dst[n:]
	whole := len(dst) - len(dst)%streamGroup
	s.lanes.Exponentials(dst[:whole])
	for i := whole; i < len(dst); i++ {
		dst[i] = s.Exponential()
	}
}

// IntN returns a uniform integer in [0, n), exactly uniform. It takes one word,
// and another with probability below n/2^64. It panics if n < 1.
func (s *Stream) IntN(n int) int {
	if n < 1 {
		panic("ebmkit: Stream.IntN: n < 1")
	}
	// Lemire, "Fast random integer generation in an interval", 2019.
	u := uint64(n)
	hi, lo := bits.Mul64(s.Uint64(), u)
	if lo < u {
		for reject := -u % u; lo < reject; {
			hi, lo = bits.Mul64(s.Uint64(), u)
		}
	}
	return int(hi)
}

const (
	streamMagic = "ebmkit stream\x00\x00"
	streamBytes = len(streamMagic) + 1 + 2 + 8*(16+2*streamGroup)
)

// MarshalBinary returns the state, from which UnmarshalBinary goes on exactly
// where s is. The length is always the same; the error is always nil.
func (s *Stream) MarshalBinary() ([]byte, error) {
	b := append(make([]byte, 0, streamBytes), streamMagic...)
	b = append(b, StreamVersion, byte(s.word), byte(s.normal))
	for _, w := range s.lanes {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	for _, w := range s.words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	for _, v := range s.normals {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b, nil
}

// UnmarshalBinary restores a state written by MarshalBinary. It returns
// *ArgError, and leaves s as it was, if b is not one of this StreamVersion.
func (s *Stream) UnmarshalBinary(b []byte) error {
	fail := func(arg string, value any, want string) error {
		return &ArgError{"ebmkit.Stream.UnmarshalBinary", arg, value, want}
	}
	if len(b) != streamBytes {
		return fail("len(b)", len(b), "the length that MarshalBinary writes")
	}
	if string(b[:len(streamMagic)]) != streamMagic {
		return fail("b", b[:len(streamMagic)], "a state written by MarshalBinary")
	}
	b = b[len(streamMagic):]
	if b[0] != StreamVersion {
		return fail("version", b[0], "the StreamVersion of this release")
	}
	if b[1] > streamGroup || b[2] > streamGroup {
		return fail("b", b[1:3], "positions of at most 8")
	}
	t := Stream{word: int(b[1]), normal: int(b[2])}
	b = b[3:]
	next := func() uint64 {
		w := binary.LittleEndian.Uint64(b)
		b = b[8:]
		return w
	}
	for i := range t.lanes {
		t.lanes[i] = next()
	}
	for k := range 4 {
		if t.lanes[k]|t.lanes[4+k]|t.lanes[8+k]|t.lanes[12+k] == 0 {
			return fail("b", "a generator of zeros", "a state written by MarshalBinary")
		}
	}
	for i := range t.words {
		t.words[i] = next()
	}
	for i := range t.normals {
		t.normals[i] = math.Float64frombits(next())
		if v := t.normals[i]; !(math.Abs(v) < 9) {
			return fail("b", v, "normals below 9")
		}
	}
	*s = t
	return nil
}
