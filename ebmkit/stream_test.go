package ebmkit

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func ExampleStream() {
	s := NewStream(1, "noise", 0)
	xi := make([]float64, 3)
	s.FillNormal(xi)
	fmt.Printf("%.4f\n", xi)
	fmt.Printf("%.4f %d\n", s.Float64(), s.IntN(6))
	// Output:
	// [-0.0820 0.4942 1.8085]
	// 0.8125 0
}

// The numbers themselves. They may change only together with StreamVersion.
func TestStreamGolden(t *testing.T) {
	s := NewStream(42, "golden", 7)
	var got strings.Builder
	for range 3 {
		fmt.Fprintf(&got, "%016x ", s.Uint64())
	}
	for range 2 {
		fmt.Fprintf(&got, "%x ", s.Normal())
	}
	fmt.Fprintf(&got, "%x %x %d", s.Float64(), s.Exponential(), s.IntN(1000))
	const want = "fbbaf837df9b4c10 d9d2bd0f243ca096 b8b4a86d66f3a9c6 " +
		"0x1.3245ec5c8376dp-02 -0x1.c68f520917451p-03 0x1.1712365e7d6cap-01 0x1.ec5a329f1215ep-05 31"
	if StreamVersion != 1 || got.String() != want {
		t.Errorf("version %d draws\n%s\nwant\n%s", StreamVersion, got.String(), want)
	}
}

// A Fill is single calls, however it is cut and whatever comes between.
func TestStreamFillIsSingleCalls(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a, b := NewStream(3, "a", 1), NewStream(3, "a", 1)
	for range 3000 {
		n := r.IntN(30)
		got := make([]float64, n)
		var single func() float64
		switch kind := r.IntN(4); kind {
		case 0:
			a.FillNormal(got)
			single = b.Normal
		case 1:
			a.FillUniform(got)
			single = b.Float64
		case 2:
			a.FillExponential(got)
			single = b.Exponential
		case 3:
			w := make([]uint64, n)
			a.FillBits(w)
			for i := range w {
				if v := b.Uint64(); w[i] != v {
					t.Fatalf("word %d: %x, single %x", i, w[i], v)
				}
			}
			continue
		}
		for i := range got {
			if v := single(); got[i] != v || math.Signbit(got[i]) != math.Signbit(v) {
				t.Fatalf("element %d: %x, single %x", i, got[i], v)
			}
		}
	}
}

func TestStreamRanges(t *testing.T) {
	s := NewStream(0, "", 0)
	for n := 1; n < 70; n++ {
		for range 50 {
			if v := s.IntN(n); v < 0 || v >= n {
				t.Fatalf("IntN(%d) = %d", n, v)
			}
		}
	}
	if v := s.IntN(math.MaxInt); v < 0 {
		t.Error("IntN(MaxInt) is negative")
	}
	for range 10000 {
		if u, e := s.Float64(), s.Exponential(); u < 0 || u >= 1 || e < 0 || math.IsInf(e, 0) {
			t.Fatalf("Float64 %v, Exponential %v", u, e)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("IntN(0) does not panic")
		}
	}()
	s.IntN(0)
}

func TestStreamResume(t *testing.T) {
	for used := range 20 {
		s := NewStream(5, "resume", 2)
		for range used {
			s.Uint64()
			s.Normal()
			s.Normal()
		}
		b, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var r Stream
		if err := r.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		for i := range 40 {
			if s.Normal() != r.Normal() || s.Uint64() != r.Uint64() {
				t.Fatalf("after %d calls: the restored stream differs at draw %d", used, i)
			}
		}
	}
}

func TestStreamUnmarshalErrors(t *testing.T) {
	good, _ := NewStream(1, "x", 0).MarshalBinary()
	for name, spoil := range map[string]func([]byte) []byte{
		"short":    func(b []byte) []byte { return b[:len(b)-1] },
		"long":     func(b []byte) []byte { return append(b, 0) },
		"empty":    func(b []byte) []byte { return nil },
		"magic":    func(b []byte) []byte { b[0] ^= 1; return b },
		"version":  func(b []byte) []byte { b[len(streamMagic)]++; return b },
		"position": func(b []byte) []byte { b[len(streamMagic)+1] = 9; return b },
		"zeros":    func(b []byte) []byte { clear(b[len(streamMagic)+3:][:128]); return b },
		"nan":      func(b []byte) []byte { copy(b[len(b)-8:], "\xff\xff\xff\xff\xff\xff\xff\xff"); return b },
	} {
		s := NewStream(9, "kept", 0)
		twin := NewStream(9, "kept", 0)
		err := s.UnmarshalBinary(spoil(append([]byte(nil), good...)))
		var arg *ArgError
		if !errors.As(err, &arg) {
			t.Errorf("%s: error %v, want *ArgError", name, err)
		}
		if s.Uint64() != twin.Uint64() {
			t.Errorf("%s: the stream was changed", name)
		}
	}
}

func FuzzStreamUnmarshal(f *testing.F) {
	good, _ := NewStream(1, "x", 0).MarshalBinary()
	f.Add(good)
	f.Add([]byte(streamMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Stream
		if s.UnmarshalBinary(b) == nil {
			s.Normal()
			s.Uint64()
			if again, _ := s.MarshalBinary(); len(again) != len(b) {
				t.Fatal("length changed")
			}
		}
	})
}

func TestHashNameIsFNV(t *testing.T) {
	prime := new(big.Int).SetBit(big.NewInt(0x13b), 88, 1)
	for _, name := range []string{"", "a", "noise", "a longer name of a purpose"} {
		h, _ := new(big.Int).SetString("6c62272e07bb014262b821756295c58d", 16)
		for i := range len(name) {
			h.Xor(h, big.NewInt(int64(name[i]))).Mul(h, prime)
			h.And(h, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
		}
		lo, hi := hashName(name)
		got := new(big.Int).Lsh(new(big.Int).SetUint64(hi), 64)
		if got.Or(got, new(big.Int).SetUint64(lo)).Cmp(h) != 0 {
			t.Errorf("hashName(%q) = %x, want %x", name, got, h)
		}
	}
}

func TestStreamAllocs(t *testing.T) {
	s := NewStream(1, "allocs", 0)
	dst := make([]float64, 131)
	if n := testing.AllocsPerRun(50, func() {
		s.FillNormal(dst)
		s.FillUniform(dst)
		s.FillExponential(dst)
		s.Normal()
		s.IntN(10)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkStream(b *testing.B) {
	s := NewStream(1, "bench", 0)
	dst := make([]float64, 1024)
	perElement := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(dst)), "ns/element")
	}
	for name, f := range map[string]func([]float64){"FillNormal": s.FillNormal, "FillUniform": s.FillUniform, "FillExponential": s.FillExponential} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f(dst)
			}
			perElement(b)
		})
	}
	b.Run("Normal", func(b *testing.B) {
		for b.Loop() {
			s.Normal()
		}
	})
	b.Run("Uint64", func(b *testing.B) {
		for b.Loop() {
			s.Uint64()
		}
	})
	b.Run("IntN", func(b *testing.B) {
		for b.Loop() {
			s.IntN(10)
		}
	})
	b.Run("NewStream", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewStream(1, "bench", b.N)
		}
	})
}
