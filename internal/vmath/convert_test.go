package vmath

import (
	"math"
	"slices"
	"testing"
)

func TestConversions(t *testing.T) {
	for n := range 50 {
		x := inputs(n + 200)[200:]
		var largest []float32
		onBothPaths(func() {
			y, back := make([]float32, n), make([]float64, n)
			top := ToFloat32Slice(y, x)
			FromFloat32Slice(back, y)
			want := float32(0)
			for i, v := range x {
				if !same32(y[i], float32(v)) || !same(back[i], float64(float32(v))) {
					t.Fatalf("n = %d: %v became %v and %v", n, v, y[i], back[i])
				}
				if a := abs32(y[i]); a > want {
					want = a
				}
			}
			if top != want {
				t.Fatalf("n = %d: largest %v, want %v", n, top, want)
			}
			largest = append(largest, top)
		})
		if largest[0] != largest[1] {
			t.Fatalf("n = %d: %v", n, largest)
		}
	}
	x := slices.Repeat([]float64{2, math.NaN()}, 8)
	onBothPaths(func() {
		if top := ToFloat32Slice(make([]float32, 16), x); top != 2 {
			t.Errorf("largest of 2 and NaN is %v", top)
		}
	})
}

func TestTranspose32(t *testing.T) {
	for _, s := range [][4]int{{8, 8, 8, 8}, {16, 8, 20, 11}, {8, 40, 8, 40}, {24, 16, 24, 17}, {0, 8, 8, 8}, {8, 0, 8, 8}} {
		rows, cols, ldd, lds := s[0], s[1], s[2], s[3]
		src := make([]float32, rows*lds)
		for i := range src {
			src[i] = float32(i)
		}
		onBothPaths(func() {
			dst := make([]float32, cols*ldd)
			Transpose32(dst, ldd, src, lds, rows, cols)
			for c := range cols {
				for r := range ldd {
					want := float32(0)
					if r < rows {
						want = src[r*lds+c]
					}
					if dst[c*ldd+r] != want {
						t.Fatalf("%v: element (%d, %d) is %v, want %v", s, c, r, dst[c*ldd+r], want)
					}
				}
			}
		})
	}
}
