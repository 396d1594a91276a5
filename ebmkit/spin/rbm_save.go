package spin

import (
	"fmt"
	"strconv"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// The kind and the version of the files of SaveRBM.
const (
	rbmKind    = "spin.RBM"
	rbmVersion = 1
)

// SaveRBM writes the parameters of m to an .npz file, which NumPy reads too: w of
// shape (Hidden, Dim), b of Dim, c of Hidden numbers, all float64. It returns
// *ebmkit.ArgError, and leaves path as it was, if path cannot be written.
func SaveRBM(path string, m RBM) error {
	return store.Save(path, &store.File{Kind: rbmKind, Version: rbmVersion,
		Config: map[string]string{"visible": strconv.Itoa(m.nv), "hidden": strconv.Itoa(m.nh)},
		Arrays: []store.Array{store.Matrix("w", m.nh, m.nv, m.w), store.Vector("b", m.b), store.Vector("c", m.c)}})
}

// LoadRBM reads a file of SaveRBM. It returns *ebmkit.ArgError if the file is
// damaged, holds something else, has arrays whose shapes do not fit each other,
// or has a parameter that is not finite.
func LoadRBM(path string) (RBM, error) {
	f, err := store.Load(path, rbmKind, rbmVersion)
	if err != nil {
		return RBM{}, err
	}
	fail := func(arg string, value any, want string) (RBM, error) {
		return RBM{}, &ebmkit.ArgError{Func: "spin.LoadRBM", Arg: path + ": " + arg, Value: value, Want: want}
	}
	var parts [3][]float64
	var shapes [3][]int
	for k, name := range []string{"w", "b", "c"} {
		if parts[k], shapes[k], err = f.Float64s(name); err != nil {
			return fail(name, "missing, or not of float64", "an array of float64")
		}
	}
	if len(shapes[0]) != 2 {
		return fail("shape of w", fmt.Sprint(shapes[0]), "hidden x visible units")
	}
	hidden, visible := shapes[0][0], shapes[0][1]
	if len(shapes[1]) != 1 || shapes[1][0] != visible {
		return fail("shape of b", fmt.Sprint(shapes[1]), fmt.Sprintf("[%d], as w has columns", visible))
	}
	if len(shapes[2]) != 1 || shapes[2][0] != hidden {
		return fail("shape of c", fmt.Sprint(shapes[2]), fmt.Sprintf("[%d], as w has rows", hidden))
	}
	m, err := NewRBM(visible, hidden)
	if err != nil {
		return fail("shape of w", fmt.Sprint(shapes[0]), "at least one unit in each layer")
	}
	for k, part := range [][]float64{m.w, m.b, m.c} {
		for i, v := range parts[k] {
			if !isFinite(v) {
				return fail(fmt.Sprintf("%s, element %d", []string{"w", "b", "c"}[k], i), v, "a finite number")
			}
		}
		copy(part, parts[k])
	}
	return m, nil
}
