package plotting

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

func small() Figure {
	return New().Title(`Densities $\rho_\beta$ & <friends>`).Caption("What to see.").
		Hist("samples", normals(500, 9)).
		Func(`$e^{-x^2/2}/\sqrt{2\pi}$`, func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }, -3, 3).
		Cloud("cloud", []float64{-1, 0.1, 0, 0.2, 1, 0.1}).
		XLabel("$x$").YLabel(`$\rho(x)$`).Provenance("seed", "17").Provenance("schlüssel", "größe")
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range es {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	return names
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("EBMKIT_NOTEBOOK", "2-energy-based-models")
	t.Setenv("EBMKIT_REVISION", "")
	if err := Export(small(), filepath.Join(dir, "figures", "fig1.png")); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, "figures")
	if got := strings.Join(list(t, dir), " "); got != "fig1.csv fig1.pdf fig1.png fig1.svg" {
		t.Fatalf("files: %s", got)
	}
	read := func(ext string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, "fig1"+ext))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	data := read(".csv")
	sum := sha256.Sum256(data)
	svg, pdf, pn := read(".svg"), read(".pdf"), read(".png")
	for _, want := range []string{"2-energy-based-models", "seed: 17", "schlüssel: größe", hex.EncodeToString(sum[:]), "What to see.", "Densities ρᵦ &amp; &lt;friends&gt;", "Processor path: "} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("SVG lacks %q", want)
		}
		if !bytes.Contains(pdf, []byte(want)) {
			t.Errorf("PDF (XMP) lacks %q", want)
		}
	}
	if bytes.Contains(svg, []byte("Revision")) {
		t.Error("a revision without EBMKIT_REVISION")
	}
	for _, want := range []string{"pHYs", "iTXt", "Notebook\x00\x00\x00\x00\x002-energy-based-models", "größe"} {
		if !bytes.Contains(pn, []byte(want)) {
			t.Errorf("PNG lacks %q", want)
		}
	}
	// 300 dots an inch are 11811 a metre.
	if i := bytes.Index(pn, []byte("pHYs")); !bytes.Equal(pn[i+4:i+13], []byte{0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1}) {
		t.Errorf("pHYs is % x", pn[i+4:i+13])
	}
	img, err := png.Decode(bytes.NewReader(pn))
	if err != nil {
		t.Fatal(err)
	}
	if w := img.Bounds().Dx(); w != int(math.Round(86/25.4*300)) {
		t.Errorf("%d pixels wide", w)
	}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("SVG is not XML: %v", err)
		}
	}
	if bytes.Contains(svg, []byte("<text")) {
		t.Error("SVG has text that needs a font")
	}
	// The CSV reads back what was drawn.
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	s, _ := small().Spec()
	n := 0
	for _, r := range rows[1:] {
		if r[2] == "line" {
			x, _ := strconv.ParseFloat(r[4], 64)
			y, _ := strconv.ParseFloat(r[6], 64)
			if x != s.Series[1].X[n] || y != s.Series[1].Y[n] {
				t.Fatalf("row %v, drawn (%v, %v)", r, s.Series[1].X[n], s.Series[1].Y[n])
			}
			n++
		}
	}
	if n != funcPoints || bytes.Contains(data, []byte("\r")) {
		t.Errorf("%d rows of the line", n)
	}
	t.Setenv("EBMKIT_REVISION", "abc123")
	if err := Export(small(), filepath.Join(dir, "fig1")); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(read(".svg"), []byte("Revision: abc123")) {
		t.Error("the revision of the environment is missing")
	}
}

func TestExportRefusals(t *testing.T) {
	dir := t.TempDir()
	check := func(what string, err error) {
		t.Helper()
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) {
			t.Errorf("%s: %v, want *ArgError", what, err)
		}
	}
	bad := small().Line("bad", []float64{1}, []float64{math.NaN()})
	check("NaN", Export(bad, filepath.Join(dir, "new", "fig")))
	check("empty", Export(New(), filepath.Join(dir, "fig")))
	check("no name", Export(small(), ""))
	check("only an ending", Export(small(), ".svg"))
	check("folder", Export(small(), dir+string(filepath.Separator)))
	if got := list(t, dir); len(got) > 0 {
		t.Errorf("left on disk: %v", got)
	}
	// The folder is a file.
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	check("folder is a file", Export(small(), filepath.Join(dir, "file", "fig")))
	// The third target is a folder: the two files before it come back as they were.
	os.WriteFile(filepath.Join(dir, "fig.svg"), []byte("old"), 0o644)
	os.Mkdir(filepath.Join(dir, "fig.png"), 0o755)
	check("a target is a folder", Export(small(), filepath.Join(dir, "fig")))
	if got := strings.Join(list(t, dir), " "); got != "fig.png fig.svg file" {
		t.Errorf("on disk: %s", got)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "fig.svg")); string(b) != "old" {
		t.Error("the old file is lost")
	}
	if os.Getuid() != 0 {
		os.Chmod(dir, 0o555)
		check("read-only folder", Export(small(), filepath.Join(dir, "other")))
		os.Chmod(dir, 0o755)
	}
}

// The same figure gives the same bytes, run after run, on any number of cores.
func TestSameBytes(t *testing.T) {
	all := gallery()
	ds := []Drawable{small()}
	names := []string{"landscape", "multiples", "loglog", "score", "maths", "bars"}
	if testing.Short() {
		names = []string{"loglog"}
	}
	for _, n := range names {
		ds = append(ds, all[n])
	}
	render := func() string {
		h := sha256.New()
		for _, d := range ds {
			for _, f := range []Format{SVG, PNG, PDF} {
				if err := Render(h, d, f, 72); err != nil {
					t.Fatal(err)
				}
			}
			c, err := CSV(d)
			if err != nil {
				t.Fatal(err)
			}
			h.Write(c)
			h.Write([]byte(Text(d)))
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	want := render()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, n := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(n)
		got := make(chan string)
		for range 2 { // also at the same time
			go func() { got <- render() }()
		}
		for range 2 {
			if g := <-got; g != want {
				t.Errorf("GOMAXPROCS %d: %s, want %s", n, g, want)
			}
		}
	}
}

// The same bytes without fused multiply-add and on the portable path. The data are
// made by exact operations, so that only the drawing can differ.
func TestSameBytesOnEveryProcessor(t *testing.T) {
	if testing.Short() {
		t.Skip("starts four processes")
	}
	if os.Getenv("EBMKIT_TEST_PRINT_HASH") == "1" {
		r := rand.New(rand.NewPCG(1, 2))
		var xs, pairs []float64
		for range 3000 {
			xs = append(xs, r.Float64()+r.Float64()+r.Float64())
			pairs = append(pairs, 3*r.Float64()-1.5, 3*r.Float64()-1.5)
		}
		h := sha256.New()
		for _, d := range []Drawable{
			New().Hist("h", xs).Func("$f$", func(x float64) float64 { return x * (3 - x) / 4.5 }, 0.1, 3).Note("top", 1.5, 0.5).XLog(),
			Landscape(wells{}, -2, 2, -2, 2).Cloud("", pairs),
			New().YLog().Func("", func(x float64) float64 { return 1 / (1 + x*x) }, -20, 30).ErrorBars("$\\pm$", xs[:5], xs[:5], xs[:5]),
			New().Arrows("v", VectorsOf(func(x, y float64) (float64, float64) { return -y, x }, -1, 1, -1, 1, 9, 9)),
		} {
			for _, f := range []Format{SVG, PNG, PDF} {
				if err := Render(h, d, f, 72); err != nil {
					t.Fatal(err)
				}
			}
		}
		fmt.Println("hash", hex.EncodeToString(h.Sum(nil)))
		return
	}
	var first string
	for _, env := range [][]string{nil, {"GODEBUG=cpu.fma=off"}, {"EBMKIT_PORTABLE=1"}, {"GODEBUG=cpu.fma=off,cpu.avx2=off", "EBMKIT_PORTABLE=1"}} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSameBytesOnEveryProcessor$")
		cmd.Env = append(append(os.Environ(), "EBMKIT_TEST_PRINT_HASH=1"), env...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", env, err, out)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		if !strings.HasPrefix(line, "hash ") {
			t.Fatalf("%v: %s", env, out)
		}
		if first == "" {
			first = line
		}
		if line != first {
			t.Errorf("%v: %s, want %s", env, line, first)
		}
	}
}

// rasterised returns a file as other programs draw it.
func rasterised(t *testing.T, dir, name, ext string, dpi int) image.Image {
	t.Helper()
	in, out := filepath.Join(dir, name+ext), filepath.Join(dir, name+ext+"-seen")
	var cmd *exec.Cmd
	if ext == ".pdf" {
		cmd = exec.Command("pdftoppm", "-r", strconv.Itoa(dpi), "-png", "-singlefile", in, out)
	} else {
		// Lengths in pt: 72 of them are an inch.
		cmd = exec.Command("rsvg-convert", "-d", strconv.Itoa(dpi), "-p", strconv.Itoa(dpi), "-o", out+".png", in)
	}
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, b)
	} else if len(b) > 0 {
		t.Errorf("%s complains about %s: %s", cmd.Args[0], name+ext, b)
	}
	f, err := os.Open(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// difference is the mean difference of two images after averaging over blocks of
// 4 x 4 pixels, in parts of full scale: edges are drawn differently by every
// program, areas and places are not.
func difference(a, b image.Image) float64 {
	w, h := min(a.Bounds().Dx(), b.Bounds().Dx())/4, min(a.Bounds().Dy(), b.Bounds().Dy())/4
	sum := 0.0
	for y := range h {
		for x := range w {
			var d [3]float64
			for k := range 16 {
				for s, img := range []image.Image{a, b} {
					r, g, b, _ := img.At(img.Bounds().Min.X+4*x+k%4, img.Bounds().Min.Y+4*y+k/4).RGBA()
					sign := float64(1 - 2*s)
					d[0] += sign * float64(r)
					d[1] += sign * float64(g)
					d[2] += sign * float64(b)
				}
			}
			sum += (math.Abs(d[0]) + math.Abs(d[1]) + math.Abs(d[2])) / 3 / 16 / 65535
		}
	}
	return sum / float64(w*h)
}

func TestFormatsLookTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("draws with other programs")
	}
	for _, p := range []string{"pdftoppm", "rsvg-convert"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skip(p + " is not installed")
		}
	}
	const dpi, limit = 144, 0.006
	dir := t.TempDir()
	all := gallery()
	var seen []image.Image
	for _, name := range []string{"density", "landscape", "loglog", "score", "two-hist", "multiples", "cloud"} {
		for _, f := range []struct {
			format Format
			ext    string
		}{{SVG, ".svg"}, {PDF, ".pdf"}, {PNG, ".png"}} {
			var b bytes.Buffer
			if err := Render(&b, all[name], f.format, dpi); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name+f.ext), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		f, err := os.Open(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		own, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, ext := range []string{".svg", ".pdf"} {
			img := rasterised(t, dir, name, ext, dpi)
			if dx, dy := img.Bounds().Dx()-own.Bounds().Dx(), img.Bounds().Dy()-own.Bounds().Dy(); dx*dx > 1 || dy*dy > 1 {
				t.Errorf("%s%s: %v pixels, PNG has %v", name, ext, img.Bounds(), own.Bounds())
			}
			d := difference(own, img)
			t.Logf("%s%s: %.4f", name, ext, d)
			if d > limit {
				t.Errorf("%s%s differs from PNG by %.4f", name, ext, d)
			}
		}
		seen = append(seen, own)
	}
	// Cells of a coarse map stay sharp: few pixels have a colour between the two.
	var b bytes.Buffer
	if err := Render(&b, all["spins"], SVG, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "spins.svg"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	img := rasterised(t, dir, "spins", ".svg", dpi)
	between, n := 0, 0
	for y := img.Bounds().Dy() / 4; y < img.Bounds().Dy()/2; y++ {
		for x := img.Bounds().Dx() / 4; x < img.Bounds().Dx()/2; x++ {
			if r, _, _, _ := img.At(x, y).RGBA(); r>>8 > 90 && r>>8 < 230 {
				between++
			}
			n++
		}
	}
	if between*12 > n {
		t.Errorf("%d of %d pixels of a map of spins are blurred", between, n)
	}
	// Controls: another figure, and the same one with a curve of another colour.
	if d := difference(seen[0], seen[2]); d < 3*limit {
		t.Errorf("different figures differ by only %.4f", d)
	}
}

func BenchmarkDensitySVG(b *testing.B)      { benchRender(b, gallery()["density"], SVG, 0) }
func BenchmarkDensityPDF(b *testing.B)      { benchRender(b, gallery()["density"], PDF, 0) }
func BenchmarkDensityPNG96(b *testing.B)    { benchRender(b, gallery()["density"], PNG, 96) }
func BenchmarkDensityPNG192(b *testing.B)   { benchRender(b, gallery()["density"], PNG, 192) }
func BenchmarkLandscapeSVG(b *testing.B)    { benchRender(b, gallery()["landscape"], SVG, 0) }
func BenchmarkLandscapePNG192(b *testing.B) { benchRender(b, gallery()["landscape"], PNG, 192) }

func benchRender(b *testing.B, d Drawable, f Format, dpi int) {
	b.ReportAllocs()
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := Render(&buf, d, f, dpi); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(buf.Len()), "bytes")
}
