package store

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"strings"
)

const npyMagic = "\x93NUMPY\x01\x00"

// elemCount returns the number of elements of a shape, or false if it is
// negative or would overflow memory.
func elemCount(shape []int) (int, bool) {
	n := 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt/16/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// npyEncode returns the .npy form of a, or an error that says what is wrong.
func npyEncode(a *Array) ([]byte, error) {
	var descr string
	var n, width int
	switch v := a.Data.(type) {
	case []float64:
		descr, n, width = "<f8", len(v), 8
	case []float32:
		descr, n, width = "<f4", len(v), 4
	case []int64:
		descr, n, width = "<i8", len(v), 8
	case []uint8:
		descr, n, width = "|u1", len(v), 1
	default:
		return nil, errors.New("[]float64, []float32, []int64 or []uint8")
	}
	if want, ok := elemCount(a.Shape); !ok || want != n {
		return nil, errors.New("as many elements as the shape says, not " + strconv.Itoa(n))
	}
	head := npyHeader(descr, a.Shape)
	b := make([]byte, 0, len(head)+n*width)
	b = append(b, head...)
	le := binary.LittleEndian
	switch v := a.Data.(type) {
	case []float64:
		for _, x := range v {
			b = le.AppendUint64(b, math.Float64bits(x))
		}
	case []float32:
		for _, x := range v {
			b = le.AppendUint32(b, math.Float32bits(x))
		}
	case []int64:
		for _, x := range v {
			b = le.AppendUint64(b, uint64(x))
		}
	case []uint8:
		b = append(b, v...)
	}
	return b, nil
}

// npyHeader returns magic, length and the padded dictionary, 64-byte aligned.
func npyHeader(descr string, shape []int) string {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	tuple := "(" + strings.Join(dims, ", ") + ")"
	if len(shape) == 1 {
		tuple = "(" + dims[0] + ",)"
	}
	dict := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + tuple + ", }"
	pad := 63 - (len(npyMagic)+2+len(dict))%64
	dict += strings.Repeat(" ", pad) + "\n"
	return npyMagic + string([]byte{byte(len(dict)), byte(len(dict) >> 8)}) + dict
}

// npyDecode reads what npyEncode writes. Nothing larger than b is allocated.
func npyDecode(name string, b []byte) (Array, error) {
	bad := errors.New("array " + quoted(name) + " has a damaged header")
	if len(b) < len(npyMagic)+2 || string(b[:len(npyMagic)]) != npyMagic {
		return Array{}, bad
	}
	n := int(b[8]) | int(b[9])<<8
	if len(b) < 10+n {
		return Array{}, bad
	}
	head, body := string(b[10:10+n]), b[10+n:]
	rest, ok := strings.CutPrefix(head, "{'descr': '")
	descr, rest, ok2 := strings.Cut(rest, "', 'fortran_order': False, 'shape': (")
	tuple, _, ok3 := strings.Cut(rest, ")")
	if !ok || !ok2 || !ok3 {
		return Array{}, bad
	}
	shape := []int{}
	for field := range strings.SplitSeq(tuple, ",") {
		field = strings.TrimSpace(field)
		if field == "" {
			continue
		}
		d, err := strconv.Atoi(field)
		if err != nil {
			return Array{}, bad
		}
		shape = append(shape, d)
	}
	// Only our own spelling of the header is accepted.
	if npyHeader(descr, shape) != string(b[:10+n]) {
		return Array{}, bad
	}
	count, ok := elemCount(shape)
	width := map[string]int{"<f8": 8, "<f4": 4, "<i8": 8, "|u1": 1}[descr]
	if width == 0 {
		return Array{}, errors.New("array " + quoted(name) + " has element type " + quoted(descr))
	}
	if !ok || count*width != len(body) {
		return Array{}, errors.New("array " + quoted(name) + " of shape (" + tuple + ") does not fit its " + strconv.Itoa(len(body)) + " bytes")
	}
	le := binary.LittleEndian
	a := Array{Name: name, Shape: shape}
	switch descr {
	case "<f8":
		v := make([]float64, count)
		for i := range v {
			v[i] = math.Float64frombits(le.Uint64(body[8*i:]))
		}
		a.Data = v
	case "<f4":
		v := make([]float32, count)
		for i := range v {
			v[i] = math.Float32frombits(le.Uint32(body[4*i:]))
		}
		a.Data = v
	case "<i8":
		v := make([]int64, count)
		for i := range v {
			v[i] = int64(le.Uint64(body[8*i:]))
		}
		a.Data = v
	case "|u1":
		a.Data = append([]uint8{}, body...)
	}
	return a, nil
}
