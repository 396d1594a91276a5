// Package jsontext writes and reads the few forms of JSON that the project puts
// into its own files: strings, numbers and literal text between them.
// Notebook cells link it; encoding/json would cost each of them 10 ms.
package jsontext

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become the
// replacement character.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// AppendFloat appends the shortest number that reads back as x, or null if x is
// not finite.
func AppendFloat(b []byte, x float64) []byte {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, x, 'g', -1, 64)
}

// Reader reads from the front of Rest. After the first thing that is not there
// Failed is true and Rest empty, whatever is asked next, so that a caller looks
// once, at the end.
type Reader struct {
	Rest   []byte
	Failed bool
}

// Fail makes the reader fail.
func (r *Reader) Fail() { r.Failed, r.Rest = true, nil }

// Literal reads exactly the text s.
func (r *Reader) Literal(s string) {
	if len(r.Rest) < len(s) || string(r.Rest[:len(s)]) != s {
		r.Fail()
		return
	}
	r.Rest = r.Rest[len(s):]
}

// Next reports whether the next byte is c, without reading it.
func (r *Reader) Next(c byte) bool { return len(r.Rest) > 0 && r.Rest[0] == c }

// Int reads a non-negative integer.
func (r *Reader) Int() int {
	n := 0
	for n < len(r.Rest) && '0' <= r.Rest[n] && r.Rest[n] <= '9' {
		n++
	}
	v, err := strconv.Atoi(string(r.Rest[:n]))
	if err != nil {
		r.Fail()
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Float reads a number, or null as NaN.
func (r *Reader) Float() float64 {
	if r.Next('n') {
		r.Literal("null")
		return math.NaN()
	}
	n := 0
	for n < len(r.Rest) {
		c := r.Rest[n]
		if !('0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E') {
			break
		}
		n++
	}
	v, err := strconv.ParseFloat(string(r.Rest[:n]), 64)
	if err != nil {
		r.Fail()
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Bool reads true or false.
func (r *Reader) Bool() bool {
	if r.Next('t') {
		r.Literal("true")
		return !r.Failed
	}
	r.Literal("false")
	return false
}

// String reads a string as AppendString writes it.
func (r *Reader) String() string {
	r.Literal(`"`)
	var out []byte
	for !r.Failed {
		if len(r.Rest) == 0 {
			r.Fail()
			break
		}
		c := r.Rest[0]
		switch {
		case c == '"':
			r.Rest = r.Rest[1:]
			if !utf8.Valid(out) {
				r.Fail()
			}
			return string(out)
		case c == '\\' && len(r.Rest) >= 2:
			out = r.escape(out)
		case c < 0x20 || c == '\\':
			r.Fail()
		default:
			out = append(out, c)
			r.Rest = r.Rest[1:]
		}
	}
	return ""
}

func (r *Reader) escape(out []byte) []byte {
	n := 2
	switch c := r.Rest[1]; c {
	case '"', '\\':
		out = append(out, c)
	case 'n':
		out = append(out, '\n')
	case 't':
		out = append(out, '\t')
	case 'u':
		if len(r.Rest) < 6 {
			r.Fail()
			return out
		}
		v, err := strconv.ParseUint(string(r.Rest[2:6]), 16, 16)
		if err != nil {
			r.Fail()
			return out
		}
		out = utf8.AppendRune(out, rune(v))
		n = 6
	default:
		r.Fail()
		return out
	}
	r.Rest = r.Rest[n:]
	return out
}
