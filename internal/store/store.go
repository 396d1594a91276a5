// Package store reads and writes the project's one file format: a NumPy .npz
// archive of plain arrays with one JSON entry, meta, that says what they are.
//
//	z = numpy.load("chain.npz"); z["x"]; json.loads(z["meta"])
//
// The meta entry is
//
//	{"kind":"chain","version":1,"config":{"step":"0.5"},"sha256":{"x":"9f86..."}}
//
// where config holds strings under sorted keys and sha256 the hash of every
// array's .npy entry, header included.
//
// # Format
//
// The archive is a zip file whose entries are stored, not deflated, with no
// dates and no extra fields: meta first, then one NAME.npy per array in the
// order given. The same File gives the same bytes. Arrays are little-endian, in
// C order. Archives of 4 GiB or more are refused.
//
// A file is written under a temporary name in its own folder, synced and
// renamed, so that a reader sees the old file, the new file or none. Load
// refuses whatever Save would not have written: another kind or version, a
// truncated or altered file, a header that promises more data than there is.
//
// The zip, JSON and hash code is the package's own because notebook cells link
// it: archive/zip, encoding/json and crypto/sha256 together take the linker 30 ms
// longer, the few hundred lines here 8.
package store

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// File is the content of one .npz file.
type File struct {
	Kind    string            // what the file holds: "chain", "network", "kept"
	Version int               // version of that kind's layout, at least 1
	Config  map[string]string // configuration; nil means empty
	Arrays  []Array           // in the order in which they are written
}

// Array is a named array of any shape in C order. Data is []float64, []float32,
// []int64 or []uint8, of length equal to the product of Shape (1 for the empty
// shape, a scalar).
type Array struct {
	Name  string // letters, digits, '_', '-', '.', '/', not "meta"
	Shape []int
	Data  any
}

// Vector returns the one-dimensional array of v. It shares memory with v.
func Vector(name string, v []float64) Array { return Array{name, []int{len(v)}, v} }

// Matrix returns the rows x cols array of v. It shares memory with v.
func Matrix(name string, rows, cols int, v []float64) Array {
	return Array{name, []int{rows, cols}, v}
}

// Array returns the array with the given name, or nil.
func (f *File) Array(name string) *Array {
	for i := range f.Arrays {
		if f.Arrays[i].Name == name {
			return &f.Arrays[i]
		}
	}
	return nil
}

// Float64s returns the data and the shape of a float64 array. It returns
// *ebmkit.ArgError if there is no such array or it has another type.
func (f *File) Float64s(name string) ([]float64, []int, error) {
	a := f.Array(name)
	if a == nil {
		return nil, nil, &ebmkit.ArgError{Func: "store.Float64s", Arg: "name", Value: name, Want: "an array of the file"}
	}
	v, ok := a.Data.([]float64)
	if !ok {
		return nil, nil, &ebmkit.ArgError{Func: "store.Float64s", Arg: name, Value: ebmkit.TypeName(a.Data), Want: "[]float64"}
	}
	return v, a.Shape, nil
}

// Save writes f to path, replacing what is there. The folder must exist. It
// returns *ebmkit.ArgError, and leaves path as it was, if f is not valid or
// path cannot be written.
func Save(path string, f *File) (err error) {
	b, err := Encode(f)
	if err != nil {
		return err
	}
	fail := func(err error) error {
		return &ebmkit.ArgError{Func: "store.Save", Arg: "path", Value: path, Want: "a writable file (" + err.Error() + ")"}
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*.npz")
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err := tmp.Write(b); err != nil {
		return fail(err)
	}
	if err := tmp.Chmod(0o644); err != nil {
		return fail(err)
	}
	if err := tmp.Sync(); err != nil {
		return fail(err)
	}
	if err := tmp.Close(); err != nil {
		return fail(err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fail(err)
	}
	// The rename itself lasts once the folder is synced. Not every file system
	// can sync a folder; the file is whole either way.
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		dir.Sync()
		dir.Close()
	}
	return nil
}

// Load reads the file at path. It returns *ebmkit.ArgError if the file cannot
// be read, is not what Save writes, is damaged, or is not of the given kind and
// version; a missing file is such an error and also matches os.ErrNotExist.
func Load(path, kind string, version int) (*File, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, &openError{&ebmkit.ArgError{Func: "store.Load", Arg: "path", Value: path, Want: "a readable file (" + err.Error() + ")"}, err}
	}
	f, err := Decode(b)
	if err != nil {
		err.(*ebmkit.ArgError).Arg = path
		return nil, err
	}
	if f.Kind != kind {
		return nil, &ebmkit.ArgError{Func: "store.Load", Arg: path, Value: "kind " + quoted(f.Kind), Want: "kind " + quoted(kind)}
	}
	if f.Version != version {
		return nil, &ebmkit.ArgError{Func: "store.Load", Arg: path, Value: fmt.Sprint("version ", f.Version), Want: fmt.Sprint("version ", version)}
	}
	return f, nil
}

// openError is an ArgError that keeps the system's reason.
type openError struct {
	arg   *ebmkit.ArgError
	cause error
}

func (e *openError) Error() string   { return e.arg.Error() }
func (e *openError) Unwrap() []error { return []error{e.arg, e.cause} }

func quoted(s string) string { return fmt.Sprintf("%q", s) }
