package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// idx returns a file of unsigned bytes with the given sizes.
func idx(sizes ...int) []byte {
	b := []byte{0, 0, 8, byte(len(sizes))}
	n := 1
	for _, s := range sizes {
		b = binary.BigEndian.AppendUint32(b, uint32(s))
		n *= s
	}
	for i := range n {
		b = append(b, byte(i*37))
	}
	return b
}

func gzipped(b []byte) []byte {
	var w bytes.Buffer
	z := gzip.NewWriter(&w)
	z.Write(b)
	z.Close()
	return w.Bytes()
}

func TestLoadIDX(t *testing.T) {
	dir := t.TempDir()
	save := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	images, labels := save("images", idx(3, 2, 4)), save("labels", idx(3))
	p := must(LoadIDX(images, labels, 0))
	if p.N != 3 || p.Rows != 2 || p.Cols != 4 || p.At(1)[1] != float64(9*37%256) || p.Label[2] != "74" || len(p.X) != 24 {
		t.Errorf("%+v", p)
	}
	if p := must(LoadIDX(save("i.gz", gzipped(idx(3, 2, 4))), save("l.gz", gzipped(idx(3))), 2)); p.N != 2 || len(p.X) != 16 || len(p.Label) != 2 {
		t.Errorf("%+v", p)
	}
	good := idx(3, 2, 4)
	spoil := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	for what, c := range map[string]struct {
		images, labels []byte
		count          int
		arg            string
	}{
		"empty":           {nil, idx(3), 0, "images at byte 0"},
		"no magic":        {spoil(0, 1), idx(3), 0, "images at byte 0"},
		"floats":          {spoil(2, 13), idx(3), 0, "images at byte 2"},
		"swapped":         {idx(3), good, 0, "images at byte 3"},
		"labels twice":    {idx(3), idx(3), 0, "images at byte 3"},
		"pictures twice":  {good, good, 0, "labels at byte 3"},
		"no size":         {good[:9], idx(3), 0, "images at byte 9"},
		"size 0":          {idx(3, 0, 4), idx(3), 0, "images at byte 8"},
		"huge":            {spoil(8, 0xff), idx(3), 0, "images at byte 8"},
		"cut":             {good[:len(good)-1], idx(3), 0, "images at byte 39"},
		"long":            {append(bytes.Clone(good), 0), idx(3), 0, "images at byte 40"},
		"other count":     {good, idx(4), 0, "labels at byte 4"},
		"cut labels":      {good, idx(3)[:10], 0, "labels at byte 10"},
		"too few":         {good, idx(3), 4, "count"},
		"negative":        {good, idx(3), -1, "count"},
		"gzip of nothing": {gzipped(nil), idx(3), 0, "images at byte 0"},
		"gzip cut":        {gzipped(good)[:30], idx(3), 0, "images"},
		"gzip of a cut":   {gzipped(good[:20]), idx(3), 0, "images at byte 20"},
		"gzip too long":   {gzipped(append(bytes.Clone(good), 1, 2, 3)), idx(3), 0, "images at byte 40"},
		"gzip of a lie":   {gzipped([]byte{0, 0, 8, 3, 0x10, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1}), idx(3), 0, "images at byte 4"},
	} {
		_, err := LoadIDX(save("images", c.images), save("labels", c.labels), c.count)
		wantArg(t, what, err, c.arg)
	}
	_, err := LoadIDX(filepath.Join(dir, "none"), labels, 0)
	wantArg(t, "missing", err, "path")
}

func FuzzParseIDX(f *testing.F) {
	f.Add(idx(3, 2, 4), idx(3), 0)
	f.Add(idx(1, 1, 1), idx(1), 1)
	f.Add(idx(3)[:7], []byte{}, 0)
	f.Fuzz(func(t *testing.T, images, labels []byte, count int) {
		p, err := ParseIDX("images", images, "labels", labels, count)
		if err != nil {
			var a *ebmkit.ArgError
			if !errors.As(err, &a) || p != nil {
				t.Fatalf("%v, %v", p, err)
			}
			return
		}
		if p.N < 1 || len(p.X) != p.N*p.Dim() || len(p.Label) != p.N || len(p.X)+16 > len(images) {
			t.Fatalf("%d pictures of %d x %d in %d bytes", p.N, p.Rows, p.Cols, len(images))
		}
	})
}

func TestLoadCSV(t *testing.T) {
	for what, c := range map[string]struct {
		text  string
		names string
		x     string
	}{
		"plain":      {"1,2\n3,-4e1\n", "[x1 x2]", "[1 2 3 -40]"},
		"header":     {"a,\"b c\"\r\n1, 2\r\n", "[a b c]", "[1 2]"},
		"semicolons": {"u;v\n0.5;1\n\n\n", "[u v]", "[0.5 1]"},
		"tabs":       {"\ufeffu\tv\n0.5\t1", "[u v]", "[0.5 1]"},
		"one column": {"h\n1\n2", "[h]", "[1 2]"},
	} {
		tab, err := ParseCSV("f.csv", []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if fmt.Sprint(tab.Names) != c.names || fmt.Sprint(tab.X) != c.x || tab.N*tab.Dim != len(tab.X) {
			t.Errorf("%s: %+v", what, tab)
		}
	}
	for what, c := range map[string]struct{ text, arg string }{
		"empty":         {"", "f.csv"},
		"blank":         {" \n\n", "f.csv"},
		"header only":   {"a,b\n", "f.csv, row 2"},
		"ragged":        {"a,b\n1,2\n1,2,3\n", "f.csv, row 3"},
		"word":          {"1,2\n3,x\n", "f.csv, row 2, column 2 (x2)"},
		"nan":           {"a,b\n1,2\nNaN,4\n", "f.csv, row 3, column 1 (a)"},
		"nan first":     {"nan,nan\n1,2\n", "f.csv, row 1, column 1 (x1)"},
		"inf":           {"a,b\n1,-Inf\n", "f.csv, row 2, column 2 (b)"},
		"too large":     {"a,b\n1,1e999\n", "f.csv, row 2, column 2 (b)"},
		"missing":       {"a,b\n1,\n", "f.csv, row 2, column 2 (b)"},
		"missing first": {"a,\n1,2\n", "f.csv, row 1, column 1 (x1)"},
		"blank inside":  {"1\n\n2\n", "f.csv, row 2, column 1 (x1)"},
		"half header":   {"a,2\n1,2\n", "f.csv, row 1, column 1 (x1)"},
		"not text":      {"\xff\xfe1\x00", "f.csv"},
		"quoted number": {"1,\"2\"\n", "f.csv, row 1, column 2 (x2)"},
	} {
		_, err := ParseCSV("f.csv", []byte(c.text))
		wantArg(t, what, err, c.arg)
	}
	_, err := LoadCSV(filepath.Join(t.TempDir(), "none.csv"))
	wantArg(t, "missing file", err, "path")
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("1,2\n3,4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p := must(LoadCSV(path)).Points(); p.N != 2 || p.Dim != 2 || p.X[3] != 4 {
		t.Errorf("%+v", p)
	}
}

func FuzzParseCSV(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"))
	f.Add([]byte("1;2\r\n3;4"))
	f.Add([]byte("\ufeffNaN\t\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tab, err := ParseCSV("f", b)
		if err != nil {
			var a *ebmkit.ArgError
			if !errors.As(err, &a) || tab != nil {
				t.Fatalf("%v, %v", tab, err)
			}
			return
		}
		if tab.N < 1 || tab.Dim < 1 || len(tab.X) != tab.N*tab.Dim || len(tab.Names) != tab.Dim {
			t.Fatalf("%+v", tab)
		}
		for _, v := range tab.X {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatal(v)
			}
		}
	})
}

func TestTable(t *testing.T) {
	tab := must(ParseCSV("f", []byte("a,b,c\n1,10,5\n2,20,5\n6,60,5\n")))
	s := must(tab.Select("b", "a"))
	if fmt.Sprint(s.Names, s.X, s.N, s.Dim) != "[b a] [10 1 20 2 60 6] 3 2" {
		t.Errorf("%+v", s)
	}
	_, err := tab.Select("a", "z")
	wantArg(t, "unknown", err, "names[1]")
	_, err = tab.Select()
	wantArg(t, "none", err, "names")
	out, mean, sd, err := s.Standardized()
	if err != nil {
		t.Fatal(err)
	}
	for j := range 2 {
		var m, v float64
		for i := range 3 {
			y := out.X[2*i+j]
			m += y / 3
			v += y * y / 3
			if back := mean[j] + sd[j]*y; math.Abs(back-s.X[2*i+j]) > 1e-12 {
				t.Errorf("row %d: %v back, %v was", i, back, s.X[2*i+j])
			}
		}
		if math.Abs(m) > 1e-14 || math.Abs(v-1) > 1e-14 {
			t.Errorf("column %d: mean %v, variance %v", j, m, v)
		}
	}
	_, _, _, err = tab.Standardized()
	wantArg(t, "constant", err, "standard deviation of column 3 (c)")
	tab = must(ParseCSV("f", []byte("0.1\n"+strings.Repeat("0.1\n", 6))))
	_, _, _, err = tab.Standardized()
	wantArg(t, "constant up to rounding", err, "standard deviation of column 1 (x1)")
}
