package store

import (
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/ebmkit/hitchhiker/internal/jsontext"
)

// meta is the JSON entry.
type meta struct {
	kind    string
	version int
	config  map[string]string
	sha256  map[string]string
}

// metaEncode returns m as one line of JSON with a fixed order of keys.
func metaEncode(m meta) []byte {
	b := append([]byte(`{"kind":`), jsontext.AppendString(nil, m.kind)...)
	b = append(b, `,"version":`...)
	b = strconv.AppendInt(b, int64(m.version), 10)
	b = append(b, `,"config":`...)
	b = appendObject(b, m.config)
	b = append(b, `,"sha256":`...)
	b = appendObject(b, m.sha256)
	return append(b, '}')
}

func appendObject(b []byte, obj map[string]string) []byte {
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(obj)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, k)
		b = append(b, ':')
		b = jsontext.AppendString(b, obj[k])
	}
	return append(b, '}')
}

// metaDecode reads exactly the form that metaEncode writes: a file of ours has
// no other.
func metaDecode(b []byte) (m meta, err error) {
	r := jsontext.Reader{Rest: b}
	r.Literal(`{"kind":`)
	m.kind = r.String()
	r.Literal(`,"version":`)
	m.version = r.Int()
	r.Literal(`,"config":`)
	m.config = readObject(&r)
	r.Literal(`,"sha256":`)
	m.sha256 = readObject(&r)
	r.Literal(`}`)
	if r.Failed || len(r.Rest) != 0 || m.kind == "" || m.version < 1 {
		return meta{}, errors.New("damaged meta entry")
	}
	return m, nil
}

func readObject(r *jsontext.Reader) map[string]string {
	obj := map[string]string{}
	r.Literal("{")
	for !r.Failed && !r.Next('}') {
		if len(obj) > 0 {
			r.Literal(",")
		}
		k := r.String()
		r.Literal(":")
		if _, twice := obj[k]; twice {
			r.Fail()
		}
		obj[k] = r.String()
	}
	r.Literal("}")
	return obj
}
