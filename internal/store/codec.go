package store

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Encode returns the bytes that Save writes. It returns *ebmkit.ArgError if f
// is not valid.
func Encode(f *File) ([]byte, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: "store.Encode", Arg: arg, Value: value, Want: want}
	}
	if f.Kind == "" {
		return nil, bad("Kind", quoted(f.Kind), "a name")
	}
	if f.Version < 1 {
		return nil, bad("Version", f.Version, "at least 1")
	}
	for k, v := range f.Config {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, bad("Config["+quoted(k)+"]", quoted(v), "UTF-8 text")
		}
	}
	if !utf8.ValidString(f.Kind) {
		return nil, bad("Kind", quoted(f.Kind), "UTF-8 text")
	}
	entries := make([]entry, 1, 1+len(f.Arrays))
	hashes := map[string]string{}
	for i := range f.Arrays {
		a := &f.Arrays[i]
		if !validName(a.Name) {
			return nil, bad("Arrays", quoted(a.Name), "a name of letters, digits, '_', '-', '.', '/', not meta")
		}
		if hashes[a.Name] != "" {
			return nil, bad("Arrays", quoted(a.Name), "a name that is used once")
		}
		data, err := npyEncode(a)
		if err != nil {
			return nil, bad("Arrays["+quoted(a.Name)+"]", ebmkit.TypeName(a.Data)+" of shape "+fmt.Sprint(a.Shape), err.Error())
		}
		hashes[a.Name] = SHA256(data)
		entries = append(entries, entry{a.Name + ".npy", data})
	}
	entries[0] = entry{"meta", metaEncode(meta{f.Kind, f.Version, f.Config, hashes})}
	b, err := zipEncode(entries)
	if err != nil {
		return nil, bad("Arrays", err.Error(), "a smaller file")
	}
	return b, nil
}

// Decode reads what Encode returns. It returns *ebmkit.ArgError for anything
// else, and never allocates much more than len(b).
func Decode(b []byte) (*File, error) {
	bad := func(value string) error {
		return &ebmkit.ArgError{Func: "store.Load", Arg: "file", Value: value, Want: "a whole .npz file of this project"}
	}
	entries, err := zipDecode(b)
	if err != nil {
		return nil, bad(err.Error())
	}
	if len(entries) == 0 || entries[0].name != "meta" {
		return nil, bad("no meta entry")
	}
	m, err := metaDecode(entries[0].data)
	if err != nil {
		return nil, bad(err.Error())
	}
	f := &File{Kind: m.kind, Version: m.version, Config: m.config}
	if len(m.sha256) != len(entries)-1 {
		return nil, bad("other arrays than meta lists")
	}
	for _, e := range entries[1:] {
		name, ok := strings.CutSuffix(e.name, ".npy")
		if !ok || !validName(name) || f.Array(name) != nil {
			return nil, bad("entry " + quoted(e.name))
		}
		if SHA256(e.data) != m.sha256[name] {
			return nil, bad("sha256 of array " + quoted(name) + " does not match")
		}
		a, err := npyDecode(name, e.data)
		if err != nil {
			return nil, bad(err.Error())
		}
		f.Arrays = append(f.Arrays, a)
	}
	return f, nil
}

func validName(s string) bool {
	if s == "" || s == "meta" || len(s) > 1000 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '.' || c == '/') {
			return false
		}
	}
	return true
}
