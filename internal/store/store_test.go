package store

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

func sample() *File {
	return &File{
		Kind: "test", Version: 3,
		Config: map[string]string{"step": "0.5", "quote\"\\": "new\nline\tand \u2028 \x01 é", "empty": ""},
		Arrays: []Array{
			Matrix("x", 2, 3, []float64{1, math.Copysign(0, -1), math.Inf(1), math.NaN(), 1e-310, math.MaxFloat64}),
			{"layer/0.w", []int{2, 1, 2}, []float32{1, 2, 3, -4}},
			{"n", []int{}, []int64{-7}},
			{"bytes", []int{5}, []uint8{0, 1, 2, 254, 255}},
			{"none", []int{0, 4}, []float64{}},
		},
	}
}

func argError(t *testing.T, err error, contains string) {
	t.Helper()
	var ae *ebmkit.ArgError
	if !errors.As(err, &ae) {
		t.Fatalf("got %v (%T), want *ArgError with %q", err, err, contains)
	}
	if !strings.Contains(err.Error(), contains) {
		t.Fatalf("error %q does not say %q", err, contains)
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	f := sample()
	if err := Save(path, f); err != nil {
		t.Fatal(err)
	}
	g, err := Load(path, "test", 3)
	if err != nil {
		t.Fatal(err)
	}
	if g.Kind != f.Kind || g.Version != f.Version || !reflect.DeepEqual(g.Config, f.Config) || len(g.Arrays) != len(f.Arrays) {
		t.Fatalf("got %+v", g)
	}
	for i := range f.Arrays {
		a, b := f.Arrays[i], g.Arrays[i]
		if a.Name != b.Name || !reflect.DeepEqual(a.Shape, b.Shape) || reflect.TypeOf(a.Data) != reflect.TypeOf(b.Data) {
			t.Fatalf("array %d: %+v became %+v", i, a, b)
		}
		ab, _ := npyEncode(&a)
		bb, _ := npyEncode(&b)
		if !bytes.Equal(ab, bb) { // bits, so that NaN and -0 count
			t.Fatalf("array %s: %v became %v", a.Name, a.Data, b.Data)
		}
	}
	x, shape, err := g.Float64s("x")
	if err != nil || len(x) != 6 || shape[1] != 3 {
		t.Fatal(x, shape, err)
	}
	_, _, err = g.Float64s("n")
	argError(t, err, "[]int64")
	_, _, err = g.Float64s("y")
	argError(t, err, "y")
}

func TestSameBytes(t *testing.T) {
	a, _ := Encode(sample())
	for range 20 { // maps are walked in another order each time
		b, _ := Encode(sample())
		if !bytes.Equal(a, b) {
			t.Fatal("two encodings differ")
		}
	}
	// A format change must be a decision: it changes this hash and a version.
	const want = "5e106bce"
	if got := SHA256(a)[:8]; got != want {
		t.Errorf("bytes of the format changed: %s, want %s", got, want)
	}
}

// TestStandardReaders checks our zip, JSON and hash against the library's.
func TestStandardReaders(t *testing.T) {
	f := sample()
	b, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != 1+len(f.Arrays) {
		t.Fatal(len(z.File), "entries")
	}
	var m struct {
		Kind    string
		Version int
		Config  map[string]string
		SHA256  map[string]string
	}
	for i, zf := range z.File {
		r, err := zf.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(zf.Name, err)
		}
		if i == 0 {
			if err := json.Unmarshal(data, &m); err != nil {
				t.Fatal(err)
			}
			continue
		}
		sum := sha256.Sum256(data)
		if name := f.Arrays[i-1].Name; zf.Name != name+".npy" || m.SHA256[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: sha256 %s, meta says %s", zf.Name, hex.EncodeToString(sum[:]), m.SHA256[name])
		}
	}
	if m.Kind != "test" || m.Version != 3 || !reflect.DeepEqual(m.Config, f.Config) {
		t.Errorf("meta %+v", m)
	}
}

func TestSHA256(t *testing.T) {
	p := make([]byte, 300)
	for i := range p {
		p[i] = byte(i * 7)
	}
	for n := range p { // every length around both padding cases
		sum := sha256.Sum256(p[:n])
		if got := SHA256(p[:n]); got != hex.EncodeToString(sum[:]) {
			t.Fatalf("length %d: %s", n, got)
		}
	}
}

func TestNumpy(t *testing.T) {
	python := "python3"
	if p := os.Getenv("PYTHON"); p != "" {
		python = p
	}
	if exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("no numpy")
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := Save(path, sample()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", `
import sys, json, numpy as np
z = np.load(sys.argv[1])
m = json.loads(z["meta"])
x = z["x"]
print(m["kind"], m["version"], m["config"]["step"], x.shape, x.dtype, x[0, 2], np.isnan(x[1, 0]), x[1, 1])
print(z["layer/0.w"].tolist(), z["n"].item(), z["bytes"].tolist(), z["none"].shape)
`, path).CombinedOutput()
	want := "test 3 0.5 (2, 3) float64 inf True 1e-310\n[[[1.0, 2.0]], [[3.0, -4.0]]] -7 [0, 1, 2, 254, 255] (0, 4)\n"
	if err != nil || string(out) != want {
		t.Errorf("numpy says %v\n%s", err, out)
	}
}

// TestEveryDamage cuts the file at every length and flips every byte: each must
// be refused, except in the few header bytes that carry nothing.
func TestEveryDamage(t *testing.T) {
	b, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if _, err := Decode(b[:n]); err == nil {
			t.Fatalf("accepted the first %d of %d bytes", n, len(b))
		}
	}
	want, _ := Decode(b)
	harmless := 0
	for i := range b {
		c := bytes.Clone(b)
		c[i] ^= 0x55
		got, err := Decode(c)
		if err == nil {
			harmless++
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("flipping byte %d changed the content and was accepted", i)
			}
		} else {
			argError(t, err, "store.Load")
		}
	}
	if harmless > len(b)/4 {
		t.Errorf("%d of %d flips went unseen", harmless, len(b))
	}
}

// reseal puts other bytes into the first array and makes checksums fit again,
// as someone with intent would.
func reseal(t *testing.T, change func(npy []byte) []byte) []byte {
	t.Helper()
	entries, err := zipDecode(must(Encode(&File{Kind: "test", Version: 1, Arrays: []Array{Vector("x", []float64{1, 2})}})))
	if err != nil {
		t.Fatal(err)
	}
	entries[1].data = change(bytes.Clone(entries[1].data))
	m, _ := metaDecode(entries[0].data)
	m.sha256["x"] = SHA256(entries[1].data)
	entries[0].data = metaEncode(m)
	return must(zipEncode(entries))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestLyingHeaders(t *testing.T) {
	if _, err := Decode(reseal(t, func(b []byte) []byte { return b })); err != nil {
		t.Fatal("control:", err)
	}
	for _, shape := range []string{"(3,)", "(2, 2)", "(4611686018427387904, 4)", "(9223372036854775807,)", "(0,)", "(-2,)", "(-1, -2)"} {
		b := reseal(t, func(b []byte) []byte {
			dict := "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }"
			pad := 63 - (len(npyMagic)+2+len(dict))%64
			dict += strings.Repeat(" ", pad) + "\n"
			return append([]byte(npyMagic+string([]byte{byte(len(dict)), 0})+dict), b[len(b)-16:]...)
		})
		allocs := testing.AllocsPerRun(1, func() {
			_, err := Decode(b)
			argError(t, err, "array")
		})
		if allocs > 200 {
			t.Errorf("shape %s: %v allocations", shape, allocs)
		}
	}
	_, err := Decode(reseal(t, func(b []byte) []byte { return bytes.Replace(b, []byte("<f8"), []byte(">f8"), 1) }))
	argError(t, err, ">f8")
	_, err = Decode(reseal(t, func(b []byte) []byte { return bytes.Replace(b, []byte("False"), []byte("True "), 1) }))
	argError(t, err, "header")

	// A directory that promises four gigabytes.
	b := must(Encode(&File{Kind: "test", Version: 1}))
	i := bytes.Index(b, []byte{0x50, 0x4b, 1, 2})
	binary.LittleEndian.PutUint32(b[i+24:], 0xfffffff0)
	_, err = Decode(b)
	argError(t, err, "outside the file")
	// An altered number with the zip checksum made to fit: the hash sees it.
	b = must(Encode(&File{Kind: "test", Version: 1, Arrays: []Array{Vector("x", []float64{1, 2})}}))
	entries := must(zipDecode(b))
	entries[1].data[len(entries[1].data)-1] ^= 1
	_, err = Decode(must(zipEncode(entries)))
	argError(t, err, "sha256")
	if crc32.ChecksumIEEE(entries[1].data) == 0 {
		t.Fatal("no checksum")
	}
}

func TestWrongKindAndVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := Save(path, sample()); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path, "chain", 3)
	argError(t, err, `kind "test", want kind "chain"`)
	_, err = Load(path, "test", 2)
	argError(t, err, "version 3, want version 2")
	_, err = Load(path+"x", "test", 3)
	argError(t, err, "no such file")
	if !errors.Is(err, os.ErrNotExist) {
		t.Error("a missing file is not os.ErrNotExist")
	}
}

func TestRefusedBeforeWriting(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.npz")
	for want, f := range map[string]*File{
		"Kind":                 {Version: 1},
		"Version":              {Kind: "test"},
		"UTF-8":                {Kind: "test", Version: 1, Config: map[string]string{"a": "\xff"}},
		"a name of letters":    {Kind: "test", Version: 1, Arrays: []Array{Vector("a b", nil)}},
		`"meta"`:               {Kind: "test", Version: 1, Arrays: []Array{Vector("meta", nil)}},
		"used once":            {Kind: "test", Version: 1, Arrays: []Array{Vector("a", nil), Vector("a", nil)}},
		"as many elements":     {Kind: "test", Version: 1, Arrays: []Array{Matrix("a", 2, 2, make([]float64, 3))}},
		"[]int of shape [1]":   {Kind: "test", Version: 1, Arrays: []Array{{"a", []int{1}, []int{1}}}},
		"of shape [-1]":        {Kind: "test", Version: 1, Arrays: []Array{{"a", []int{-1}, []int64{}}}},
		"of shape [0 2 3 -1]":  {Kind: "test", Version: 1, Arrays: []Array{{"a", []int{0, 2, 3, -1}, []int64{}}}},
		"nil> of shape [1 33]": {Kind: "test", Version: 1, Arrays: []Array{{"a", []int{1, 33}, nil}}},
	} {
		argError(t, Save(path, f), want)
	}
	argError(t, Save(filepath.Join(dir, "no", "a.npz"), sample()), "no such file")
	left, _ := os.ReadDir(dir)
	if len(left) != 0 {
		t.Errorf("left on disk: %v", left)
	}
	// A failed rename (the target is a folder) leaves nothing either.
	if err := os.MkdirAll(filepath.Join(path, "in-the-way"), 0o755); err != nil {
		t.Fatal(err)
	}
	argError(t, Save(path, sample()), "a.npz")
	if left, _ = os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left on disk: %v", left)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(must(Encode(sample())))
	f.Add(must(Encode(&File{Kind: "k", Version: 1})))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := Decode(b)
		if err != nil {
			argError(t, err, "store.Load")
			return
		}
		// Whatever is accepted can be written and read again.
		if _, err := Decode(must(Encode(g))); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzMeta reaches the JSON reader without having to fake a checksum.
func FuzzMeta(f *testing.F) {
	f.Add(metaEncode(meta{"k", 1, map[string]string{"a": "\"\n\x02"}, map[string]string{"x": "0"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := metaDecode(b)
		if err != nil {
			return
		}
		again, err := metaDecode(metaEncode(m))
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v became %+v (%v)", m, again, err)
		}
	})
}

func ExampleSave() {
	dir, _ := os.MkdirTemp("", "store")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "points.npz")
	err := Save(path, &File{
		Kind: "points", Version: 1,
		Config: map[string]string{"seed": "1"},
		Arrays: []Array{Matrix("x", 2, 2, []float64{1, 2, 3, 4})},
	})
	if err != nil {
		fmt.Println(err)
	}
	f, err := Load(path, "points", 1)
	if err != nil {
		fmt.Println(err)
	}
	x, shape, _ := f.Float64s("x")
	fmt.Println(x, shape, f.Config["seed"])
	// Output: [1 2 3 4] [2 2] 1
}

func BenchmarkEncode(b *testing.B) {
	f := &File{Kind: "bench", Version: 1, Arrays: []Array{Matrix("x", 20000, 2, make([]float64, 40000))}}
	b.SetBytes(320000)
	b.ReportAllocs()
	for b.Loop() {
		must(Encode(f))
	}
}

func BenchmarkDecode(b *testing.B) {
	p := must(Encode(&File{Kind: "bench", Version: 1, Arrays: []Array{Matrix("x", 20000, 2, make([]float64, 40000))}}))
	b.SetBytes(320000)
	b.ReportAllocs()
	for b.Loop() {
		must(Decode(p))
	}
}
