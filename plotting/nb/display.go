package nb

import (
	"bufio"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ebmkit/hitchhiker/plotting/nb/internal/wire"
)

// Part is one form of an output. A front end shows the richest form that it
// knows, so that an output carries several: a picture and its text, say.
type Part struct {
	MIME   string // "text/html", "image/png", ...
	Text   string // the content,
	Bytes  []byte // or, if not nil, binary content
	Width  int    // size on the screen in CSS pixels, 0 to leave it to the content
	Height int
}

// Display shows one output in the forms given; the others of this package are
// made from it. Outside a notebook it prints the text/plain form, if there is
// one. It returns once the output is shown.
func Display(parts ...Part) { update("", parts) }

// Markdown shows text as Markdown, with mathematics between dollar signs.
func Markdown(text string) {
	Display(Part{MIME: "text/markdown", Text: text}, Part{MIME: "text/plain", Text: text})
}

// kernel is the connection to GoNB: a pipe to the kernel, one back, and the
// state of both.
var kernel struct {
	sync.Mutex
	opened bool
	to     *os.File // nil outside a notebook, and after an error
	from   *bufio.Reader
	syncs  int
}

// update shows parts as the output with an id, or as a new one if id is empty.
func update(id string, parts []Part) {
	kernel.Lock()
	defer kernel.Unlock()
	if !connect() {
		if id == "" {
			printPlain(parts)
		}
		return
	}
	// Text that was printed before travels in other pipes. It must be out first.
	settleLocked()
	forms := make([]wire.Part, len(parts))
	for i, p := range parts {
		forms[i] = wire.Part(p)
	}
	send(wire.Display(id, forms))
	await()
}

func printPlain(parts []Part) {
	for _, p := range parts {
		if p.MIME == "text/plain" {
			os.Stdout.WriteString(strings.TrimRight(p.Text, "\n") + "\n")
		}
	}
}

// settle waits until everything that was printed or shown has left the program.
func settle() {
	kernel.Lock()
	defer kernel.Unlock()
	if connect() {
		settleLocked()
	}
}

func settleLocked() {
	drain(os.Stdout)
	drain(os.Stderr)
	// The kernel has read the last text, but may not have passed it on, and there
	// is no asking. Two outputs of 6,000 changed places on a busy machine with the
	// round trip alone, none of 24,000 with a millisecond as well; on an overloaded
	// one, where the kernel waits for a processor, a millisecond is nothing.
	time.Sleep(time.Millisecond)
	idle(os.Getppid())
	await()
}

// connect opens the pipes and reports whether there is a notebook to talk to.
func connect() bool {
	if kernel.opened {
		return kernel.to != nil
	}
	kernel.opened = true
	path, back := os.Getenv("GONB_PIPE"), os.Getenv("GONB_PIPE_BACK")
	if path == "" || back == "" {
		return false
	}
	to, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		disconnect(err)
		return false
	}
	from, err := os.OpenFile(back, os.O_RDONLY, 0)
	if err != nil {
		to.Close()
		disconnect(err)
		return false
	}
	kernel.to, kernel.from = to, bufio.NewReader(from)
	send(wire.Types())
	return kernel.to != nil
}

// disconnect gives up the connection: later output is plain text.
func disconnect(err error) {
	kernel.to, kernel.from = nil, nil
	os.Stderr.WriteString("nb: no connection to the notebook: " + err.Error() + "\n")
}

func send(msg []byte) {
	if kernel.to == nil {
		return
	}
	if _, err := kernel.to.Write(msg); err != nil {
		disconnect(err)
	}
}

// await returns when the kernel has dealt with all that was sent.
func await() {
	send(wire.Sync(kernel.syncs))
	kernel.syncs++
	for kernel.to != nil {
		msg, err := readMessage(kernel.from)
		if err != nil {
			disconnect(err)
			return
		}
		if wire.IsAck(msg) {
			return
		}
	}
}

// readMessage reads one message of a gob stream: a length and as many bytes.
func readMessage(r *bufio.Reader) ([]byte, error) {
	c, err := r.ReadByte()
	if err != nil {
		return nil, err
	}
	n := uint64(c)
	if c >= 0x80 {
		n = 0
		for range -int(int8(c)) {
			c, err := r.ReadByte()
			if err != nil {
				return nil, err
			}
			n = n<<8 | uint64(c)
		}
	}
	if n > 1<<24 { // acknowledgements and widget values are tiny
		return nil, io.ErrUnexpectedEOF
	}
	msg := make([]byte, n)
	_, err = io.ReadFull(r, msg)
	return msg, err
}

// idle waits until the process pid, the kernel, has nothing more to do, a second
// at most: what it has read it has then passed on.
func idle(pid int) {
	for wait := 50 * time.Microsecond; runs(pid) && wait < 300*time.Millisecond; wait = wait * 3 / 2 {
		time.Sleep(wait)
	}
}

// drain waits until the kernel has read what was written to the pipe f, two
// seconds at most.
func drain(f *os.File) {
	for wait := 20 * time.Microsecond; unread(f) && wait < time.Second; wait = wait * 3 / 2 {
		time.Sleep(wait)
	}
}
