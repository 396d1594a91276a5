package mcmc

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// SaveChain writes a chain to an .npz file that NumPy and ArviZ read: x is
// [chain][draw][dim], u and h are [chain][draw], accept is [chain], inv_mass is
// [dim]; what the chain does not know is absent. Seed, step and counts are in
// the entry meta. The folder must exist. It returns *ebmkit.ArgError, and
// leaves path as it was, if the chain is empty or path cannot be written.
func SaveChain(path string, c *ebmkit.Chain) error {
	if err := wholeChain("mcmc.SaveChain", c); err != nil {
		return err
	}
	f := &store.File{Kind: "chain", Version: saveVersion, Config: map[string]string{
		"seed":       strconv.FormatUint(c.Seed, 10),
		"step":       strconv.FormatFloat(c.Step, 'g', -1, 64),
		"divergent":  strconv.Itoa(c.Divergent),
		"non_finite": strconv.Itoa(c.NonFinite),
		"tree_limit": strconv.Itoa(c.TreeLimit),
		"evals":      strconv.Itoa(c.Evals),
	}}
	add := func(name string, v []float64, shape ...int) {
		if v != nil {
			f.Arrays = append(f.Arrays, store.Array{Name: name, Shape: shape, Data: v})
		}
	}
	add("x", transposed(c.X, c.Draws, c.Walkers, c.Dim), c.Walkers, c.Draws, c.Dim)
	add("u", transposed(c.U, c.Draws, c.Walkers, 1), c.Walkers, c.Draws)
	add("h", transposed(c.H, c.Draws, c.Walkers, 1), c.Walkers, c.Draws)
	add("accept", c.Accept, c.Walkers)
	add("inv_mass", c.InvMass, c.Dim)
	return store.Save(path, f)
}

// LoadChain reads a chain that SaveChain wrote. It returns *ebmkit.ArgError if
// the file cannot be read, is damaged, or is not a chain.
func LoadChain(path string) (*ebmkit.Chain, error) {
	f, err := store.Load(path, "chain", saveVersion)
	if err != nil {
		return nil, err
	}
	r := reader{f: f, path: path}
	a := f.Array("x")
	if a == nil || len(a.Shape) != 3 || a.Shape[0] < 1 || a.Shape[1] < 1 || a.Shape[2] < 1 {
		r.fail("x", "wrong or none", "[chain][draw][dim]")
		return nil, r.err
	}
	c := &ebmkit.Chain{Walkers: a.Shape[0], Draws: a.Shape[1], Dim: a.Shape[2]}
	rows := c.Walkers * c.Draws
	c.X = transposed(r.floats("x", rows*c.Dim, true), c.Walkers, c.Draws, c.Dim)
	c.U = transposed(r.floats("u", rows, false), c.Walkers, c.Draws, 1)
	c.H = transposed(r.floats("h", rows, false), c.Walkers, c.Draws, 1)
	c.Accept, c.InvMass = r.floats("accept", c.Walkers, false), r.floats("inv_mass", c.Dim, false)
	if c.Seed, err = strconv.ParseUint(f.Config["seed"], 10, 64); err != nil {
		r.fail("meta", "seed "+f.Config["seed"], "an unsigned integer")
	}
	if c.Step, err = strconv.ParseFloat(f.Config["step"], 64); err != nil {
		r.fail("meta", "step "+f.Config["step"], "a number")
	}
	for key, dst := range map[string]*int{"divergent": &c.Divergent, "non_finite": &c.NonFinite, "tree_limit": &c.TreeLimit, "evals": &c.Evals} {
		if *dst, err = strconv.Atoi(f.Config[key]); err != nil {
			r.fail("meta", key+" "+f.Config[key], "an integer")
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}

// transposed returns [b][a][w] for v in [a][b][w], nil for nil.
func transposed(v []float64, a, b, w int) []float64 {
	if v == nil {
		return nil
	}
	out := make([]float64, len(v))
	for i := range a {
		for j := range b {
			copy(out[(j*a+i)*w:(j*a+i+1)*w], v[(i*b+j)*w:])
		}
	}
	return out
}

// SaveCSV writes a chain as text, one line per walker and draw:
//
//	chain,draw,x0,x1,..,u
//
// ordered by chain, then draw; u is absent if the chain has no energies.
// Numbers are the shortest that read back to the same bits. The folder must
// exist. It returns *ebmkit.ArgError, and leaves path as it was, if the chain is
// empty or path cannot be written.
func SaveCSV(path string, c *ebmkit.Chain) error {
	const fn = "mcmc.SaveCSV"
	if err := wholeChain(fn, c); err != nil {
		return err
	}
	b := []byte("chain,draw")
	for j := range c.Dim {
		b = append(b, ",x"...)
		b = strconv.AppendInt(b, int64(j), 10)
	}
	if c.U != nil {
		b = append(b, ",u"...)
	}
	b = append(b, '\n')
	for w := range c.Walkers {
		for t := range c.Draws {
			row := t*c.Walkers + w
			b = strconv.AppendInt(b, int64(w), 10)
			b = append(b, ',')
			b = strconv.AppendInt(b, int64(t), 10)
			for _, x := range c.X[row*c.Dim : (row+1)*c.Dim] {
				b = strconv.AppendFloat(append(b, ','), x, 'g', -1, 64)
			}
			if c.U != nil {
				b = strconv.AppendFloat(append(b, ','), c.U[row], 'g', -1, 64)
			}
			b = append(b, '\n')
		}
	}
	if err := replaceFile(path, b); err != nil {
		return &ebmkit.ArgError{Func: fn, Arg: "path", Value: path, Want: "a writable file (" + err.Error() + ")"}
	}
	return nil
}

// replaceFile writes b under a temporary name in the folder of path and renames
// it, so that path holds the old content or all of the new.
func replaceFile(path string, b []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once renamed
	_, err = tmp.Write(b)
	for _, step := range []func() error{func() error { return tmp.Chmod(0o644) }, tmp.Sync, tmp.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// wholeChain returns an error unless the chain has draws and slices of the
// right lengths.
func wholeChain(fn string, c *ebmkit.Chain) error {
	if c == nil || c.Draws < 1 || c.Walkers < 1 || c.Dim < 1 {
		return &ebmkit.ArgError{Func: fn, Arg: "c", Value: "an empty chain", Want: "at least one draw"}
	}
	if float64(c.Draws)*float64(c.Walkers)*float64(c.Dim) > math.MaxInt32*1024. {
		return &ebmkit.ArgError{Func: fn, Arg: "c", Value: "a chain of absurd size", Want: "one that fits in memory"}
	}
	rows := c.Draws * c.Walkers
	for _, s := range []struct {
		name string
		v    []float64
		n    int
	}{{"c.X", c.X, rows * c.Dim}, {"c.U", c.U, rows}, {"c.H", c.H, rows}, {"c.Accept", c.Accept, c.Walkers}, {"c.InvMass", c.InvMass, c.Dim}} {
		if len(s.v) != s.n && (s.v != nil || s.name == "c.X") {
			return &ebmkit.ArgError{Func: fn, Arg: "len(" + s.name + ")", Value: len(s.v), Want: fmt.Sprint(s.n)}
		}
	}
	return nil
}
