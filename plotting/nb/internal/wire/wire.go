// Package wire speaks GoNB's display protocol without encoding/gob.
//
// A cell shows rich output by writing gob-encoded protocol.DisplayData values
// into the named pipe $GONB_PIPE. The gob package reads its types by reflection,
// which keeps the linker from dropping code and adds 60 ms to every cell; but the
// values are always the same two structs, so that this package writes their bytes
// itself. The tests decode them with encoding/gob into the real types of GoNB.
//
// A gob stream is a sequence of messages, each with its length in front. The
// messages of Types define the types; a value message is a type number and a
// value. Numbers below 128 are one byte, larger ones a negated byte count and
// big-endian bytes; a struct is a list of (field number increment, value) that
// ends in 0; an interface value is the registered name of its type, the type's
// number, the length and the value, where anything but a struct has a 0 in
// front.
package wire

import (
	"encoding/binary"
	"math/bits"
)

// Numbers of types: those up to 8 are built into gob, ours start at 64.
const (
	typeBool      = 1
	typeInt       = 2
	typeBytes     = 5
	typeString    = 6
	typeInterface = 8
	typeDisplay   = 64 // protocol.DisplayData
	typeMap       = 65 // map from a string type to any
	typeComm      = 66 // protocol.CommValue
)

// Registered names of the types that travel as interface values.
const (
	nameBytes  = "[]uint8"
	nameString = "string"
	nameInt    = "int"
	nameMap    = "map[string]interface {}"
	nameComm   = "github.com/janpfeifer/gonb/gonbui/protocol.CommValue"

	syncAddress = "#gonbui/sync"
	ackAddress  = "#gonbui/sync_ack"
)

// Part is one form of a display: a MIME type and its content.
type Part struct {
	MIME   string
	Text   string // the content,
	Bytes  []byte // or, if not nil, binary content, which the front end gets as base64
	Width  int    // size in CSS pixels on the screen, 0 if it is the content's own
	Height int
}

// Types returns the messages that must open the stream.
func Types() []byte {
	// protocol.DisplayData: wireType.StructT (field 3) = structType{
	// CommonType{Name, Id}, []*fieldType{Name, Id}}.
	b := message(nil, structType(typeDisplay, "DisplayData",
		field{"Data", typeMap}, field{"Metadata", typeMap}, field{"DisplayID", typeString}))
	// wireType.MapT (field 4) = mapType{CommonType{Id}, Key, Elem}.
	m := appendInt(nil, -typeMap)
	m = append(m, 4, 1, 2)
	m = appendInt(m, typeMap)
	m = append(m, 0, 1)
	m = appendInt(m, typeString)
	m = append(m, 1)
	m = appendInt(m, typeInterface)
	m = append(m, 0, 0)
	b = message(b, m)
	return message(b, structType(typeComm, "CommValue",
		field{"Address", typeString}, field{"Request", typeBool}, field{"Value", typeInterface}))
}

type field struct {
	name string
	typ  int
}

func structType(id int, name string, fields ...field) []byte {
	b := appendInt(nil, -id)
	b = append(b, 3, 1, 1)
	b = appendString(b, name)
	b = append(b, 1)
	b = appendInt(b, id)
	b = append(b, 0, 1)
	b = appendUint(b, uint64(len(fields)))
	for _, f := range fields {
		b = append(b, 1)
		b = appendString(b, f.name)
		b = append(b, 1)
		b = appendInt(b, f.typ)
		b = append(b, 0)
	}
	return append(b, 0, 0)
}

// Display returns the message that shows the parts as one output. With an id,
// the first message makes the output and later ones replace its content.
func Display(id string, parts []Part) []byte {
	b := appendInt(nil, typeDisplay)
	b = append(b, 1) // Data
	b = appendUint(b, uint64(len(parts)))
	sized := 0
	for _, p := range parts {
		b = appendString(b, p.MIME)
		if p.Bytes != nil {
			b = appendAny(b, nameBytes, typeBytes, appendString([]byte{0}, string(p.Bytes)))
		} else {
			b = appendAny(b, nameString, typeString, appendString([]byte{0}, p.Text))
		}
		if p.Width > 0 {
			sized++
		}
	}
	next := byte(2) // from Data to DisplayID
	if sized > 0 {
		next = 1
		b = append(b, 1) // Metadata
		b = appendUint(b, uint64(sized))
		for _, p := range parts {
			if p.Width > 0 {
				b = appendString(b, p.MIME)
				b = appendAny(b, nameMap, typeMap, sizeMap(p))
			}
		}
	}
	if id != "" {
		b = append(b, next)
		b = appendString(b, id)
	}
	return message(nil, append(b, 0))
}

func sizeMap(p Part) []byte {
	b := []byte{0}
	if p.Height == 0 {
		b = appendUint(b, 1)
	} else {
		b = appendUint(b, 2)
		b = appendString(b, "height")
		b = appendAny(b, nameInt, typeInt, appendInt([]byte{0}, p.Height))
	}
	b = appendString(b, "width")
	return appendAny(b, nameInt, typeInt, appendInt([]byte{0}, p.Width))
}

// Sync returns the message that asks the kernel to answer once everything
// before it has been shown.
func Sync(id int) []byte {
	comm := append([]byte{1}, appendString(nil, syncAddress)...)
	comm = append(comm, 2) // from Address to Value
	comm = appendAny(comm, nameInt, typeInt, appendInt([]byte{0}, id))
	comm = append(comm, 0)

	b := appendInt(nil, typeDisplay)
	b = append(b, 1)
	b = appendUint(b, 1)
	b = appendString(b, "gonb/comm_value")
	b = appendAny(b, nameComm, typeComm, comm)
	return message(nil, append(b, 0))
}

// IsAck reports whether a message of the kernel, without its length, answers a
// Sync. Only one Sync may be waiting.
func IsAck(msg []byte) bool {
	if len(msg) == 0 {
		return false
	}
	// The message starts with a type number, negative where it defines a type:
	// then the lowest bit of the number, in its last byte, is set.
	last := 0
	if msg[0] >= 0x80 {
		last = -int(int8(msg[0]))
	}
	if last >= len(msg) || msg[last]&1 != 0 {
		return false
	}
	for i := 0; i+len(ackAddress) <= len(msg); i++ {
		if string(msg[i:i+len(ackAddress)]) == ackAddress {
			return true
		}
	}
	return false
}

// message appends the length of m and m.
func message(b, m []byte) []byte { return append(appendUint(b, uint64(len(m))), m...) }

func appendUint(b []byte, v uint64) []byte {
	if v < 128 {
		return append(b, byte(v))
	}
	n := (bits.Len64(v) + 7) / 8
	var be [8]byte
	binary.BigEndian.PutUint64(be[:], v)
	return append(append(b, byte(-n)), be[8-n:]...)
}

func appendInt(b []byte, v int) []byte {
	if v < 0 {
		return appendUint(b, uint64(^v)<<1|1)
	}
	return appendUint(b, uint64(v)<<1)
}

func appendString(b []byte, s string) []byte {
	return append(appendUint(b, uint64(len(s))), s...)
}

// appendAny appends an interface value.
func appendAny(b []byte, name string, typ int, value []byte) []byte {
	b = appendString(b, name)
	b = appendInt(b, typ)
	return message(b, value)
}
