package spin

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
)

func TestSaveRBM(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.npz")
	m := stir(must(NewRBM(5, 3)), 1, 1)
	if err := SaveRBM(path, m); err != nil {
		t.Fatal(err)
	}
	if l := must(LoadRBM(path)); !slices.Equal(l.Params(nil), m.Params(nil)) || l.Dim() != 5 || l.Hidden() != 3 {
		t.Error("another RBM comes back")
	}
	if err := SaveRBM(filepath.Join(path, "x"), m); err == nil {
		t.Error("a path that cannot be written gives no error")
	}
}

func TestLoadRBMRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.npz")
	w, b, c := store.Matrix("w", 2, 3, make([]float64, 6)), store.Vector("b", make([]float64, 3)), store.Vector("c", make([]float64, 2))
	for _, e := range []struct {
		what, says string
		kind       string
		arrays     []store.Array
	}{
		{"another kind", "kind", "chain", []store.Array{w, b, c}},
		{"no c", "c", rbmKind, []store.Array{w, b}},
		{"w a vector", "shape of w", rbmKind, []store.Array{store.Vector("w", make([]float64, 6)), b, c}},
		{"b and c exchanged", "shape of b", rbmKind, []store.Array{w, store.Vector("b", make([]float64, 2)), store.Vector("c", make([]float64, 3))}},
		{"c too long", "shape of c", rbmKind, []store.Array{w, b, store.Vector("c", make([]float64, 3))}},
		{"no units", "shape of w", rbmKind, []store.Array{store.Matrix("w", 0, 3, nil), b, store.Vector("c", nil)}},
		{"float32", "b", rbmKind, []store.Array{w, {Name: "b", Shape: []int{3}, Data: make([]float32, 3)}, c}},
		{"infinite", "w, element 4", rbmKind, []store.Array{store.Matrix("w", 2, 3, []float64{0, 0, 0, 0, math.Inf(1), 0}), b, c}},
	} {
		if err := store.Save(path, &store.File{Kind: e.kind, Version: rbmVersion, Arrays: e.arrays}); err != nil {
			t.Fatal(e.what, err)
		}
		_, err := LoadRBM(path)
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) || !strings.Contains(err.Error(), e.says) {
			t.Errorf("%s: %v", e.what, err)
		}
	}
	if err := SaveRBM(path, must(NewRBM(2, 2))); err != nil {
		t.Fatal(err)
	}
	whole, _ := os.ReadFile(path)
	for _, n := range []int{0, 10, len(whole) / 2, len(whole) - 1} {
		os.WriteFile(path, whole[:n], 0o644)
		if _, err := LoadRBM(path); err == nil {
			t.Errorf("%d of %d bytes are taken for a file", n, len(whole))
		}
	}
	if _, err := LoadRBM(filepath.Join(t.TempDir(), "none.npz")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
