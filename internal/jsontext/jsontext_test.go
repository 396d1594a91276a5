package jsontext_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/internal/jsontext"
)

func TestAgainstEncodingJSON(t *testing.T) {
	for _, s := range []string{"", "plain", "quote \" back \\ slash", "line\nfeed\ttab\r\x00\x1f\x7f", "\u2028\u2029é 中 😀", "<b>&"} {
		b := jsontext.AppendString(nil, s)
		var std string
		if err := json.Unmarshal(b, &std); err != nil || std != s {
			t.Errorf("%q: encoding/json reads %s as %q, %v", s, b, std, err)
		}
		r := jsontext.Reader{Rest: b}
		if got := r.String(); got != s || r.Failed || len(r.Rest) != 0 {
			t.Errorf("%q came back as %q, failed %v", s, got, r.Failed)
		}
	}
	for _, x := range []float64{0, -1.5, 1e-300, math.MaxFloat64, math.Pi} {
		b := jsontext.AppendFloat(nil, x)
		var std float64
		r := jsontext.Reader{Rest: b}
		if err := json.Unmarshal(b, &std); err != nil || std != x || r.Float() != x || r.Failed {
			t.Errorf("%v: %s", x, b)
		}
	}
	if got := string(jsontext.AppendFloat(nil, math.Inf(1))); got != "null" {
		t.Error(got)
	}
}

func TestBadTextFails(t *testing.T) {
	for _, s := range []string{"", `"`, `"a`, `"\`, `"\q"`, `"\u12"`, `"\uzzzz"`, "\"\x01\"", "\"\xff\"", "a"} {
		r := jsontext.Reader{Rest: []byte(s)}
		if got := r.String(); !r.Failed || got != "" && s != "\"\xff\"" {
			t.Errorf("%q was read as %q", s, got)
		}
	}
	for _, s := range []string{"", "x", "--1", "1e", "nul"} {
		r := jsontext.Reader{Rest: []byte(s)}
		if r.Float(); !r.Failed {
			t.Errorf("%q was read as a number", s)
		}
	}
	r := jsontext.Reader{Rest: []byte("99999999999999999999")}
	if r.Int(); !r.Failed {
		t.Error("an integer overflowed")
	}
	r = jsontext.Reader{Rest: []byte("maybe")}
	if r.Bool(); !r.Failed {
		t.Error("maybe is not a bool")
	}
}

func Example() {
	b := append([]byte(`{"name":`), jsontext.AppendString(nil, "log Z")...)
	b = append(b, `,"value":`...)
	b = append(jsontext.AppendFloat(b, 0.5), '}')
	fmt.Println(string(b))

	r := jsontext.Reader{Rest: b}
	r.Literal(`{"name":`)
	name := r.String()
	r.Literal(`,"value":`)
	value := r.Float()
	r.Literal("}")
	fmt.Println(name, value, r.Failed)
	// Output:
	// {"name":"log Z","value":0.5}
	// log Z 0.5 false
}

func FuzzString(f *testing.F) {
	f.Add(`"a\n\u0001\""`)
	f.Fuzz(func(t *testing.T, s string) {
		r := jsontext.Reader{Rest: []byte(s)}
		if v := r.String(); !r.Failed {
			again := jsontext.Reader{Rest: jsontext.AppendString(nil, v)}
			if w := again.String(); w != v {
				t.Fatalf("%q became %q", v, w)
			}
		}
	})
}
