package data

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func wantArg(t *testing.T, what string, err error, arg string) {
	t.Helper()
	var a *ebmkit.ArgError
	if !errors.As(err, &a) || a.Arg != arg || !strings.HasPrefix(a.Func, "data.") {
		t.Errorf("%s: error %v, want one about %s", what, err, arg)
	}
}

// The counts per class are those of the data set's description; sums of pixels
// were taken from the file with another program.
func TestDigits(t *testing.T) {
	p := must(Digits())
	if p.N != 1797 || p.Dim() != 64 || len(p.X) != 1797*64 || len(p.Label) != 1797 {
		t.Fatalf("%d pictures of %d pixels", p.N, p.Dim())
	}
	if e := p.Points(); e.N != p.N || e.Dim != 64 || &e.Row(1)[0] != &p.At(1)[0] {
		t.Error("Points are not the pictures")
	}
	count := map[string]int{}
	for _, l := range p.Label {
		count[l]++
	}
	for k, want := range []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180} {
		if got := count[fmt.Sprint(k)]; got != want {
			t.Errorf("%d pictures of a %d, want %d", got, k, want)
		}
	}
	var sum float64
	for _, v := range p.X {
		sum += v
	}
	if sum != 561718 {
		t.Errorf("the pixels sum to %v, want 561718", sum)
	}
	first := p.At(0)
	if p.Label[0] != "0" || first[2] != 5 || first[3] != 13 || first[63] != 0 || p.Label[1796] != "8" {
		t.Errorf("the first picture is a %s: %v", p.Label[0], first[:8])
	}
	first[0] = 9
	if must(Digits()).X[0] != 0 {
		t.Error("two calls share memory")
	}
}

func TestDigitsRefusesBadFiles(t *testing.T) {
	spoiled := bytes.Clone(digitsFile)
	spoiled[100] ^= 1
	for _, file := range [][]byte{spoiled, digitsFile[:len(digitsFile)-1], nil} {
		_, err := readDigits(file)
		wantArg(t, "spoiled file", err, "digits.csv.gz")
	}
	line := strings.Repeat("1,", 64) + "7\n"
	good := line + line
	if p, err := ParseDigits([]byte(good), 2); err != nil || p.N != 2 || p.Label[1] != "7" {
		t.Fatalf("%v, %v", p, err)
	}
	for what, c := range map[string]struct {
		text, arg string
	}{
		"a line less":     {line, "lines"},
		"a line more":     {good + line, "lines"},
		"nothing":         {"", "lines"},
		"no line end":     {good[:len(good)-1], "line 2"},
		"cut in a number": {good[:len(good)-20], "line 2"},
		"short line":      {line + strings.Repeat("1,", 63) + "7\n", "line 2"},
		"too dark":        {line + "17" + line[1:], "line 2, number 1"},
		"negative":        {line + "-1" + line[1:], "line 2, number 1"},
		"not a number":    {line + "x" + line[1:], "line 2, number 1"},
		"digit 10":        {line + strings.Repeat("1,", 64) + "10\n", "line 2, number 65"},
	} {
		_, err := ParseDigits([]byte(c.text), 2)
		wantArg(t, what, err, c.arg)
	}
	_, err := ParseDigits(nil, 0)
	wantArg(t, "count", err, "count")
}

func FuzzParseDigits(f *testing.F) {
	line := strings.Repeat("1,", 64) + "7\n"
	f.Add([]byte(line), 1)
	f.Add([]byte(line+line[:40]), 2)
	f.Fuzz(func(t *testing.T, text []byte, count int) {
		p, err := ParseDigits(text, count%100)
		if err != nil {
			return
		}
		if len(p.X) != p.N*64 || len(p.Label) != p.N {
			t.Fatalf("%d pictures, %d pixels, %d labels", p.N, len(p.X), len(p.Label))
		}
		for _, v := range p.X {
			if v < 0 || v > 16 || v != math.Trunc(v) {
				t.Fatalf("pixel %v", v)
			}
		}
	})
}

func TestBarsAndStripes(t *testing.T) {
	for size := 1; size <= 5; size++ {
		p := must(BarsAndStripes(size))
		want := 1<<(size+1) - 2
		if p.N != want || len(p.X) != want*size*size || len(p.Label) != want {
			t.Fatalf("size %d: %d pictures, want %d", size, p.N, want)
		}
		seen := map[string]bool{}
		for i := range p.N {
			x := p.At(i)
			rows, cols := true, true
			for k, v := range x {
				rows = rows && v == x[k/size*size]
				cols = cols && v == x[k%size]
				if v != 0 && v != 1 {
					t.Fatalf("pixel %v", v)
				}
			}
			if !rows && !cols || p.Label[i] == "rows" && !rows || p.Label[i] == "columns" && !cols {
				t.Errorf("size %d: picture %d (%s) is %v", size, i, p.Label[i], x)
			}
			seen[fmt.Sprint(x)] = true
		}
		if len(seen) != want {
			t.Errorf("size %d: %d different pictures, want %d", size, len(seen), want)
		}
	}
	for _, bad := range []int{0, -1, 13} {
		_, err := BarsAndStripes(bad)
		wantArg(t, "size", err, "size")
	}
}

func TestLetters(t *testing.T) {
	p := Letters()
	if p.N != 15 || len(p.X) != 15*64 || len(p.Label) != 15 {
		t.Fatalf("%d letters, %d pixels", p.N, len(p.X))
	}
	// No two are alike or each other's negative.
	for i := range p.N {
		for k := range i {
			if m := spin.Overlap(p.At(i), p.At(k)); math.Abs(m) > 0.85 {
				t.Errorf("%s and %s have overlap %.2f", p.Label[i], p.Label[k], m)
			}
		}
	}
	// Stored by the pseudo-inverse all are fixed points; by Hebb they are not.
	fixed := func(rule spin.Storage) (n int) {
		net := must(spin.NewHopfield(rule, 64, p.X))
		for i := range p.N {
			if must(net.RetrieveSync(p.At(i), 1)).Outcome == spin.FixedPoint {
				n++
			}
		}
		return n
	}
	if a, b := fixed(spin.PseudoInverse), fixed(spin.Hebb); a != p.N || b > p.N/3 {
		t.Errorf("fixed points: %d by pseudo-inverse, %d by Hebb", a, b)
	}
}

func TestPictures(t *testing.T) {
	p := Letters()
	q := must(p.Select("E", "A"))
	if q.N != 2 || q.Label[0] != "A" || q.Label[1] != "E" || q.At(1)[0] != 1 || p.Find("?") != -1 {
		t.Errorf("selected %v", q.Label)
	}
	_, err := p.Select("A", "?")
	wantArg(t, "label", err, "labels[1]")
	bits := p.Threshold(0, 0, 1)
	for i, v := range bits.X {
		if v != (p.X[i]+1)/2 {
			t.Fatalf("pixel %d: %v of %v", i, v, p.X[i])
		}
	}
	a, b, err := p.Split(5)
	if err != nil || a.N != 5 || b.N != 10 || b.Label[0] != p.Label[5] || b.At(0)[0] != p.At(5)[0] {
		t.Errorf("split %v %v", a, err)
	}
	for _, bad := range []int{0, 15} {
		_, _, err = p.Split(bad)
		wantArg(t, "split", err, "n")
	}
}

func TestCropAndDistinct(t *testing.T) {
	p := &Pictures{N: 3, Rows: 2, Cols: 3, X: []float64{1, 2, 3, 4, 5, 6, 0, 2, 3, 9, 5, 6, 7, 7, 7, 8, 8, 8}, Label: []string{"a", "b", "c"}}
	q := must(p.Crop(0, 1, 2, 2))
	if !slices.Equal(q.X, []float64{2, 3, 5, 6, 2, 3, 5, 6, 7, 7, 8, 8}) || q.Rows != 2 || q.Cols != 2 || q.Label[2] != "c" {
		t.Errorf("cropped %v", q)
	}
	d, w := q.Distinct()
	if d.N != 2 || !slices.Equal(d.X, []float64{2, 3, 5, 6, 7, 7, 8, 8}) || !slices.Equal(d.Label, []string{"a", "c"}) || w[0] != 2.0/3 || w[1] != 1.0/3 {
		t.Errorf("distinct %v %v", d, w)
	}
	if d.Index([]float64{7, 7, 8, 8}) != 1 || d.Index([]float64{7, 7, 8}) != -1 || d.Index([]float64{0, 0, 0, 0}) != -1 {
		t.Error("Index")
	}
	if all, w := p.Distinct(); all.N != 3 || w[1] != 1.0/3 {
		t.Errorf("distinct %v", w)
	}
	three := &Pictures{N: 3, Rows: 1, Cols: 2, X: []float64{1, 2, 7, 8, 3, 6}, Label: []string{"b", "a", "b"}}
	if m := three.Means(); m.N != 2 || !slices.Equal(m.Label, []string{"b", "a"}) || !slices.Equal(m.X, []float64{2, 4, 7, 8}) || three.X[0] != 1 {
		t.Errorf("means %+v", m)
	}
	minus := &Pictures{N: 2, Rows: 1, Cols: 1, X: []float64{0, math.Copysign(0, -1)}, Label: []string{"", ""}}
	if one, _ := minus.Distinct(); one.N != 1 {
		t.Error("-0 and 0 are different")
	}
	for _, c := range [][4]int{{-1, 0, 1, 1}, {0, -1, 1, 1}, {0, 0, 3, 1}, {1, 0, 2, 1}, {0, 2, 1, 2}, {0, 0, 0, 1}, {0, 0, 1, 0}} {
		_, err := p.Crop(c[0], c[1], c[2], c[3])
		wantArg(t, "crop", err, "top, left, rows, cols")
	}
}

func ExampleLetters() {
	p := Letters()
	x := p.At(p.Find("S"))
	for r := range p.Rows {
		for c := range p.Cols {
			fmt.Print(map[float64]string{1: "#", -1: "."}[x[r*p.Cols+c]])
		}
		fmt.Println()
	}
	// Output:
	// .#######
	// ##......
	// ##......
	// .######.
	// ......##
	// ......##
	// ......##
	// #######.
}
