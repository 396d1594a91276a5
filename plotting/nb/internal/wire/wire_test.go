package wire

import (
	"bytes"
	"encoding/gob"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func init() { gob.Register(map[string]any{}) } // as the kernel does

// TestDecodedByGob reads our bytes as the kernel does.
func TestDecodedByGob(t *testing.T) {
	var stream []byte
	var want []protocol.DisplayData
	stream = append(stream, Types()...)
	add := func(b []byte, d protocol.DisplayData) {
		stream, want = append(stream, b...), append(want, d)
	}
	data := func(kv ...any) map[protocol.MIMEType]any {
		m := map[protocol.MIMEType]any{}
		for i := 0; i < len(kv); i += 2 {
			m[protocol.MIMEType(kv[i].(string))] = kv[i+1]
		}
		return m
	}
	add(Display("", []Part{{MIME: "text/markdown", Text: "*hi*"}}),
		protocol.DisplayData{Data: data("text/markdown", "*hi*")})
	add(Sync(0), protocol.DisplayData{Data: data("gonb/comm_value", protocol.CommValue{Address: "#gonbui/sync", Value: 0})})
	add(Sync(129), protocol.DisplayData{Data: data("gonb/comm_value", protocol.CommValue{Address: "#gonbui/sync", Value: 129})})
	for _, n := range []int{1, 127, 128, 255, 256, 65535, 65536, 1 << 20} {
		png, text := bytes.Repeat([]byte{0xfe}, n), strings.Repeat("é", n)
		add(Display("id", []Part{{MIME: "image/png", Bytes: png, Width: 640, Height: n}, {MIME: "text/plain", Text: text}}),
			protocol.DisplayData{Data: data("image/png", png, "text/plain", text), DisplayID: "id",
				Metadata: map[string]any{"image/png": size(640, n)}})
	}
	add(Display("", []Part{{MIME: "a", Text: "1", Width: 2}, {MIME: "b", Text: "3", Width: 300, Height: 4}}),
		protocol.DisplayData{Data: data("a", "1", "b", "3"), Metadata: map[string]any{"a": size(2, 0), "b": size(300, 4)}})
	add(Display("only-id", []Part{{MIME: "text/html", Text: ""}}),
		protocol.DisplayData{Data: data("text/html", ""), DisplayID: "only-id"})

	dec := gob.NewDecoder(bytes.NewReader(stream))
	for i := range want {
		var got protocol.DisplayData
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if !reflect.DeepEqual(got, want[i]) {
			t.Fatalf("message %d: got %.300v, want %.300v", i, got, want[i])
		}
	}
	if err := dec.Decode(&protocol.DisplayData{}); err != io.EOF {
		t.Fatal("something follows:", err)
	}
}

func size(w, h int) map[string]any {
	m := map[string]any{"width": w}
	if h > 0 {
		m["height"] = h
	}
	return m
}

// TestTypesNeeded is the negative control: without the type messages, or with
// only the first of them, gob must complain.
func TestTypesNeeded(t *testing.T) {
	msg := Display("", []Part{{MIME: "a", Text: "b"}})
	if gob.NewDecoder(bytes.NewReader(msg)).Decode(&protocol.DisplayData{}) == nil {
		t.Error("decoded without types")
	}
	types := Types()
	first := int(types[0]) + 1 // only DisplayData, not the map it refers to
	if gob.NewDecoder(bytes.NewReader(append(types[:first:first], msg...))).Decode(&protocol.DisplayData{}) == nil {
		t.Error("decoded without the type of the map")
	}
}

// TestIsAck feeds what a kernel sends, message by message.
func TestIsAck(t *testing.T) {
	var buf bytes.Buffer
	enc := gob.NewEncoder(&buf)
	send := func(v *protocol.CommValue) (acks, messages int) {
		buf.Reset()
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		for b := buf.Bytes(); len(b) > 0; messages++ {
			n, head := int(b[0]), 1
			if b[0] >= 0x80 {
				head += -int(int8(b[0]))
				n = 0
				for _, c := range b[1:head] {
					n = n<<8 | int(c)
				}
			}
			if IsAck(b[head : head+n]) {
				acks++
			}
			b = b[head+n:]
		}
		return acks, messages
	}
	if a, m := send(&protocol.CommValue{Address: "#gonbui/sync_ack", Value: 3}); a != 1 || m < 2 {
		t.Errorf("first acknowledgement: %d of %d messages", a, m)
	}
	if a, m := send(&protocol.CommValue{Address: "#gonbui/sync_ack", Value: 400}); a != 1 || m != 1 {
		t.Errorf("next acknowledgement: %d of %d messages", a, m)
	}
	if a, _ := send(&protocol.CommValue{Address: "slider", Value: 1.5}); a != 0 {
		t.Error("a slider's value is not an acknowledgement")
	}
	for _, b := range [][]byte{nil, {0x80}, {0xff}, {0xf8, 1}, {0x90}} {
		if IsAck(b) {
			t.Errorf("%x is not an acknowledgement", b)
		}
	}
}

func BenchmarkDisplay(b *testing.B) {
	parts := []Part{{MIME: "image/png", Bytes: make([]byte, 50000), Width: 640}, {MIME: "image/svg+xml", Text: strings.Repeat("x", 20000)}}
	b.ReportAllocs()
	for b.Loop() {
		Display("", parts)
	}
}
