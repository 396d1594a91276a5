package nn_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/store"
)

func TestSaveAndLoad(t *testing.T) {
	dir := t.TempDir()
	path := func(s string) string { return filepath.Join(dir, s) }
	xs := normals(2*70, 1)
	for _, p := range []nn.Precision{nn.Float32, nn.Float64} {
		n := shaken(nn.Config{Sizes: []int{2, 9, 1}, Act: nn.Tanh, Out: nn.Softplus, Precision: p, Seed: 6})
		must(0, n.Save(path("n")))
		m := must(nn.Load(path("n")))
		a, b := n.Config(), m.Config()
		if !slices.Equal(n.Params(nil), m.Params(nil)) || !slices.Equal(a.Sizes, b.Sizes) || a.Act != b.Act || a.Out != b.Out || a.Precision != b.Precision || a.Seed != b.Seed {
			t.Errorf("loaded %+v, saved %+v", b, a)
		}
		e := must(nn.NewEnergy(n, 2.5))
		must(0, e.Save(path("e")))
		u, v := make([]float64, 70), make([]float64, 70)
		e.NewEvaluator().EnergyGrad(u, nil, xs)
		must(nn.LoadEnergy(path("e"))).NewEvaluator().EnergyGrad(v, nil, xs)
		if !slices.Equal(u, v) {
			t.Error("a loaded energy has other values")
		}
	}
	for _, freqs := range [][]float64{nil, {}, {0.5, 7}} {
		f := testField(nn.SiLU, freqs)
		must(0, f.Save(path("f")))
		g := must(nn.LoadField(path("f")))
		a, b := make([]float64, 60), make([]float64, 60)
		f.At(a, 0.3, xs[:60])
		g.At(b, 0.3, xs[:60])
		if !slices.Equal(a, b) || (g.Config().Freqs == nil) != (freqs == nil) {
			t.Errorf("%v: a loaded field has other values", freqs)
		}
	}
	var a *ebmkit.ArgError
	if _, err := nn.Load(path("e")); !errors.As(err, &a) || !strings.Contains(err.Error(), "nn.Energy") {
		t.Errorf("an energy is not a network: %v", err)
	}
	if _, err := nn.Load(path("none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// damagedFiles returns files with a good checksum and a wrong content.
func damagedFiles() map[string]*store.File {
	good := func() *store.File {
		return &store.File{Kind: "nn.MLP", Version: 1, Config: map[string]string{
			"sizes": "2 3 1", "act": "silu", "out": "identity", "precision": "float32", "seed": "0"},
			Arrays: []store.Array{store.Vector("theta", make([]float64, 13))}}
	}
	files := map[string]*store.File{}
	change := func(what string, f func(*store.File)) {
		g := good()
		f(g)
		files[what] = g
	}
	change("good", func(*store.File) {})
	for k, v := range map[string]string{"sizes": "2 4 1", "act": "gelu", "out": "", "precision": "float16", "seed": "-1"} {
		change(k, func(f *store.File) { f.Config[k] = v })
	}
	change("sizes2", func(f *store.File) { f.Config["sizes"] = "x" })
	change("sizes3", func(f *store.File) { f.Config["sizes"] = "-2 -3"; f.Arrays[0] = store.Vector("theta", nil) })
	change("sizes4", func(f *store.File) { f.Config["sizes"] = "268435456 268435456 1" })
	change("sizes5", func(f *store.File) { f.Config["sizes"] = "13"; f.Arrays[0] = store.Vector("theta", []float64{}) })
	change("theta", func(f *store.File) { f.Arrays[0].Data = make([]float32, 13) })
	change("nan", func(f *store.File) { v := make([]float64, 13); v[7] = 1e300; f.Arrays[0].Data = v })
	change("none", func(f *store.File) { f.Arrays = nil })
	change("version", func(f *store.File) { f.Version = 2 })
	return files
}

func TestLoadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n.npz")
	for what, f := range damagedFiles() {
		if f.Arrays != nil && f.Arrays[0].Shape[0] == 0 {
			f.Arrays[0].Data = []float64{}
		}
		must(0, store.Save(path, f))
		_, err := nn.Load(path)
		var a *ebmkit.ArgError
		if (what == "good") != (err == nil) || err != nil && (!errors.As(err, &a) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, d := range damagedFiles() {
		if b, err := store.Encode(d); err == nil {
			f.Add(b)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(dir, "f.npz")
		if os.WriteFile(path, b, 0o600) != nil {
			t.Skip()
		}
		n, err := nn.Load(path)
		if err != nil {
			var a *ebmkit.ArgError
			if !errors.As(err, &a) {
				t.Fatalf("not an ArgError: %v", err)
			}
			return
		}
		y := make([]float64, n.Out())
		n.NewPass().Forward(y, make([]float64, n.In()))
	})
}
