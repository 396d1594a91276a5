package nb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
)

const (
	keptKind    = "kept"
	keptVersion = 1
)

// Keep stores v for later cells, which are programs of their own, in the file
// kept/NAME.npz of the notebook's state folder. params are the parameters that v was
// computed with: Recall must be given the same. A second Keep of the same name
// replaces the first.
//
// v is a number, a bool, a string, a slice or an array of these, a struct whose
// fields are all exported and of such types (ebmkit.Estimate, ebmkit.Chain), a
// pointer to such a struct (*ebmkit.Ensemble), or a slice of such structs.
// params are of the same kinds, or structs with fields of any kind but functions,
// maps and channels, such as energies.
//
// A value that cannot be stored ends the cell with an error, as Must does.
func Keep(name string, v any, params ...any) {
	Must0(keep(keptDir(), name, v, params))
}

// Recall returns what a cell has kept under a name with the same parameters. If
// there is nothing, or it was kept with other parameters or another type, it ends
// the cell and says which cell to run again.
func Recall[T any](name string, params ...any) T {
	var v T
	Must0(recall(keptDir(), name, &v, params))
	return v
}

func keptDir() string { return filepath.Join(stateDir(), keptName) }

func keep(dir, name string, v any, params []any) error {
	if err := checkName("nb.Keep", name); err != nil {
		return err
	}
	text, err := paramsText("nb.Keep", params)
	if err != nil {
		return err
	}
	rv := reflect.ValueOf(v)
	if !rv.IsValid() {
		return &ebmkit.ArgError{Func: "nb.Keep", Arg: name, Value: "nil", Want: "a value"}
	}
	f := &store.File{Kind: keptKind, Version: keptVersion, Config: map[string]string{
		"type":        rv.Type().String(),
		"params":      shorten(text),
		"params_hash": store.SHA256([]byte(text)),
	}}
	if err := flatten(f, "v", rv); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("nb.Keep: %w", err)
	}
	return store.Save(filepath.Join(dir, name+".npz"), f)
}

func recall(dir, name string, ptr any, params []any) error {
	if err := checkName("nb.Recall", name); err != nil {
		return err
	}
	text, err := paramsText("nb.Recall", params)
	if err != nil {
		return err
	}
	rerun := fmt.Sprintf("run the cell with nb.Keep(%q, ...)", name)
	f, err := store.Load(filepath.Join(dir, name+".npz"), keptKind, keptVersion)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("nb.Recall: nothing was kept as %q: %s first", name, rerun)
	}
	if err != nil {
		return fmt.Errorf("%w; %s again", err, rerun)
	}
	rv := reflect.ValueOf(ptr).Elem()
	if f.Config["params_hash"] != store.SHA256([]byte(text)) {
		return fmt.Errorf("nb.Recall: %q was kept with parameters (%s), not (%s): %s again",
			name, f.Config["params"], shorten(text), rerun)
	}
	if t := rv.Type().String(); f.Config["type"] != t {
		return fmt.Errorf("nb.Recall: %q is of type %s, not %s", name, f.Config["type"], t)
	}
	if err := restore(f, "v", rv); err != nil {
		return fmt.Errorf("%w; %s again", err, rerun)
	}
	return nil
}

// checkName makes sure that a name is the name of a file, on every system.
func checkName(who, name string) error {
	ok := name != "" && len(name) <= 100 && name[0] != '.'
	for i := range len(name) {
		c := name[i]
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !ok {
		return &ebmkit.ArgError{Func: who, Arg: "name", Value: strconv.Quote(name), Want: "letters, digits, '-', '_' and '.'"}
	}
	return nil
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 200 {
		return string(r[:197]) + "..."
	}
	return s
}

// flatten appends v to the file as arrays. Fields and elements get names below
// the one of v.
func flatten(f *store.File, name string, v reflect.Value) error {
	add := func(shape []int, data any) {
		f.Arrays = append(f.Arrays, store.Array{Name: name, Shape: shape, Data: data})
	}
	t := v.Type()
	switch t.Kind() {
	case reflect.Float64, reflect.Float32:
		add(nil, []float64{v.Float()})
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		add(nil, []int64{v.Int()})
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		add(nil, []int64{int64(v.Uint())})
	case reflect.Bool:
		b := []uint8{0}
		if v.Bool() {
			b[0] = 1
		}
		add(nil, b)
	case reflect.String:
		add([]int{v.Len()}, []uint8(v.String()))
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && v.IsNil() {
			return nil // an array that is not there
		}
		n := v.Len()
		switch data := slice(v).(type) {
		case []float64, []float32, []int64, []uint8:
			add([]int{n}, data)
		default:
			add(nil, []int64{int64(n)})
			for i := range n {
				if err := flatten(f, name+"/"+strconv.Itoa(i), v.Index(i)); err != nil {
					return err
				}
			}
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if !t.Field(i).IsExported() {
				return &ebmkit.ArgError{Func: "nb.Keep", Arg: "field " + t.Field(i).Name, Value: t.String(), Want: "a struct with exported fields only"}
			}
			if err := flatten(f, name+"/"+t.Field(i).Name, v.Field(i)); err != nil {
				return err
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return &ebmkit.ArgError{Func: "nb.Keep", Arg: name, Value: "nil " + t.String(), Want: "a pointer to something"}
		}
		if t.Elem().Kind() != reflect.Struct {
			return unkeepable(name, t)
		}
		return flatten(f, name, v.Elem())
	default:
		return unkeepable(name, t)
	}
	return nil
}

func unkeepable(name string, t reflect.Type) error {
	return &ebmkit.ArgError{Func: "nb.Keep", Arg: name, Value: t.String(), Want: "numbers, strings, and structs and slices of them"}
}

// slice returns v as one of the slices that the store takes, sharing memory, or
// nil if it is not such a slice.
func slice(v reflect.Value) any {
	if v.Kind() != reflect.Slice {
		return nil
	}
	switch v.Type().Elem().Kind() {
	case reflect.Float64:
		return v.Convert(reflect.TypeFor[[]float64]()).Interface()
	case reflect.Float32:
		return v.Convert(reflect.TypeFor[[]float32]()).Interface()
	case reflect.Int64:
		return v.Convert(reflect.TypeFor[[]int64]()).Interface()
	case reflect.Uint8:
		return v.Bytes()
	}
	return nil
}

// restore is the inverse of flatten: it fills v from the arrays below name.
func restore(f *store.File, name string, v reflect.Value) error {
	t := v.Type()
	a := f.Array(name)
	missing := fmt.Errorf("nb.Recall: the file has no array %q that fits a %s", name, t)
	switch t.Kind() {
	case reflect.Float64, reflect.Float32:
		if x, ok := scalar[float64](a); ok {
			v.SetFloat(x)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n, ok := scalar[int64](a); ok && !v.OverflowInt(n) {
			v.SetInt(n)
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if n, ok := scalar[int64](a); ok && !v.OverflowUint(uint64(n)) {
			v.SetUint(uint64(n))
			return nil
		}
	case reflect.Bool:
		if b, ok := scalar[uint8](a); ok {
			v.SetBool(b != 0)
			return nil
		}
	case reflect.String:
		if a != nil {
			if b, ok := a.Data.([]uint8); ok {
				v.SetString(string(b))
				return nil
			}
		}
	case reflect.Slice, reflect.Array:
		if a == nil && t.Kind() == reflect.Slice {
			return nil
		}
		if t.Kind() == reflect.Slice && slice(reflect.Zero(t)) != nil {
			data := reflect.ValueOf(a.Data)
			if len(a.Shape) == 1 && data.Type().Elem().Kind() == t.Elem().Kind() {
				v.Set(data.Convert(t))
				return nil
			}
			return missing
		}
		n, ok := scalar[int64](a)
		if !ok || n < 0 || n > int64(len(f.Arrays)) {
			return missing
		}
		if t.Kind() == reflect.Slice {
			v.Set(reflect.MakeSlice(t, int(n), int(n)))
		} else if int(n) != v.Len() {
			return missing
		}
		for i := range int(n) {
			if err := restore(f, name+"/"+strconv.Itoa(i), v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Struct:
		for i := range t.NumField() {
			if err := restore(f, name+"/"+t.Field(i).Name, v.Field(i)); err != nil {
				return err
			}
		}
		return nil
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		return restore(f, name, v.Elem())
	}
	return missing
}

func scalar[T any](a *store.Array) (x T, ok bool) {
	if a == nil || len(a.Shape) != 0 {
		return x, false
	}
	v, ok := a.Data.([]T)
	if !ok || len(v) != 1 {
		return x, false
	}
	return v[0], true
}

// paramsText writes parameters so that equal ones give equal text in every
// process: numbers in full, structs with their fields, pointers as what they
// point to.
func paramsText(who string, params []any) (string, error) {
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteString(", ")
		}
		if err := writeParam(&b, reflect.ValueOf(p), 0); err != nil {
			return "", &ebmkit.ArgError{Func: who, Arg: fmt.Sprintf("params[%d]", i), Value: ebmkit.TypeName(p), Want: err.Error()}
		}
	}
	return b.String(), nil
}

func writeParam(b *strings.Builder, v reflect.Value, depth int) error {
	if depth > 20 {
		return errors.New("a value without cycles")
	}
	switch v.Kind() {
	case reflect.Invalid:
		b.WriteString("nil")
	case reflect.Bool:
		b.WriteString(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		b.WriteString(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		b.WriteString(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		b.WriteString(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
	case reflect.String:
		b.WriteString(strconv.Quote(v.String()))
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			if err := writeParam(b, v.Index(i), depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case reflect.Struct:
		if v.Type().PkgPath() == "sync" {
			return nil // pools of scratch and locks are not parameters
		}
		b.WriteString(v.Type().String())
		b.WriteByte('{')
		for i := range v.NumField() {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(v.Type().Field(i).Name)
			b.WriteByte(':')
			if err := writeParam(b, v.Field(i), depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return nil
		}
		return writeParam(b, v.Elem(), depth+1)
	default:
		if (v.Kind() == reflect.Func || v.Kind() == reflect.Map || v.Kind() == reflect.Chan) && v.IsNil() {
			b.WriteString("nil")
			return nil
		}
		return errors.New("parameters without functions, maps and channels")
	}
	return nil
}
