package nb

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/jsontext"
)

// zLimit is where a check fails. A correct estimate is that far off once in
// 16,000 times.
const zLimit = 4

// Check compares an estimate with the exact value, prints value, error, exact
// value and z-score, and records them for Checks and for the tests.
//
//	z = (got.Value - exact) / got.SE
//
// It fails, visibly but without ending the cell, unless |z| < 4. An estimate
// without a positive, finite error cannot be checked so, and fails: use CheckTol.
// A notebook uses each name once.
func Check(name string, got ebmkit.Estimate, exact float64) {
	r := record{name: name, value: got.Value, se: got.SE, exact: exact, z: got.Z(exact), kind: "z"}
	r.ok = math.Abs(r.z) < zLimit && got.SE > 0 && !math.IsInf(got.SE, 0)
	report(r)
}

// CheckTol compares a number that has no statistical error with the exact value,
// and prints and records the error in units of the tolerance. It fails unless
//
//	|got - exact| <= tol.
func CheckTol(name string, got, exact, tol float64) {
	r := record{name: name, value: got, se: tol, exact: exact, z: (got - exact) / tol, kind: "tol"}
	if got == exact {
		r.z = 0 // also where tol is 0
	}
	r.ok = math.Abs(r.z) <= 1 && tol >= 0
	report(r)
}

// CheckTrue records whether a statement holds. detail, which may be empty, says
// what was seen.
func CheckTrue(name string, ok bool, detail string) {
	r := record{name: name, exact: 1, ok: ok, kind: "true", detail: detail}
	if ok {
		r.value = 1
	}
	report(r)
}

// Checks shows a table of all checks that were made since the kernel started. If
// a cell was run again, its checks have their last values.
func Checks() {
	records, err := readRecords(checksPath(), session())
	Must0(err)
	if len(records) == 0 {
		Markdown("No checks were made.")
		return
	}
	t, failed := checksTable(records)
	t.show()
	if failed == 0 {
		fmt.Printf("%d checks, all passed\n", len(records))
	} else {
		fmt.Printf("%s\n", red(fmt.Sprintf("%d checks, %d FAILED", len(records), failed)))
	}
}

func checksTable(records []record) (t *table, failed int) {
	rows := make([][]any, len(records))
	bad := make([]bool, len(records))
	for i, r := range records {
		mark := "✓"
		if !r.ok {
			mark, bad[i] = "✗ failed", true
			failed++
		}
		rows[i] = []any{r.name, r.measured(), r.expected(), r.score(), mark}
	}
	t, _ = newTable("nb.Checks", []string{"claim", "measured", "exact", "z", ""}, rows)
	t.numeric = []bool{false, true, true, true, false}
	t.bad = bad
	return t, failed
}

// record is one line of checks.jsonl.
type record struct {
	name                string
	value, se, exact, z float64
	ok                  bool
	kind                string
	session             string
	detail              string // printed, not recorded
}

func (r record) measured() string {
	switch r.kind {
	case "true":
		if r.value == 1 {
			return "holds"
		}
		return "does not hold"
	case "tol":
		return number(r.value)
	}
	return estimateText(ebmkit.Estimate{Value: r.value, SE: r.se})
}

func (r record) expected() string {
	if r.kind == "true" {
		return ""
	}
	return number(r.exact)
}

// score prints how far off the value is.
func (r record) score() string {
	switch r.kind {
	case "true":
		return ""
	case "tol":
		return fmt.Sprintf("%.2g tol", math.Abs(r.z))
	}
	s := fmt.Sprintf("%.1f", r.z)
	if s == "-0.0" {
		return "0.0"
	}
	return s
}

func number(x float64) string { return fmt.Sprintf("%.6g", x) }

// line is the record as Check prints it.
func (r record) line() string {
	var s string
	switch r.kind {
	case "true":
		s = r.name + ": " + r.measured()
		if r.detail != "" {
			s += " (" + r.detail + ")"
		}
	case "tol":
		s = fmt.Sprintf("%s: %s, exact %s, error %.2g, tolerance %.2g", r.name, r.measured(), r.expected(), math.Abs(r.value-r.exact), r.se)
	default:
		s = fmt.Sprintf("%s: %s, exact %s, z = %s", r.name, r.measured(), r.expected(), r.score())
	}
	if r.ok {
		return "✓ " + s
	}
	return red("✗ FAILED " + s)
}

// red marks text as the terminal and the notebook do.
func red(s string) string { return "\x1b[1;31m" + s + "\x1b[0m" }

var checked struct {
	sync.Mutex
	times map[string]int // of each name, in this program
}

// report prints and records a check.
func report(r record) {
	checked.Lock()
	defer checked.Unlock()
	if checked.times == nil {
		checked.times = map[string]int{}
	}
	// The same name twice in one cell is two checks, say in a loop.
	checked.times[r.name]++
	if n := checked.times[r.name]; n > 1 {
		r.name = fmt.Sprintf("%s (%d)", r.name, n)
	}
	os.Stdout.WriteString(r.line() + "\n")
	r.session = session()
	Must0(appendRecord(checksPath(), r))
}

func checksPath() string { return filepath.Join(stateDir(), checksName) }

// appendRecord adds a line to the file, which it empties first if it is of
// another session.
func appendRecord(path string, r record) error {
	old, err := readRecords(path, r.session)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("nb.Check: %w", err)
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if len(old) == 0 {
		mode |= os.O_TRUNC
	}
	f, err := os.OpenFile(path, mode, 0o644)
	if err != nil {
		return fmt.Errorf("nb.Check: %w", err)
	}
	if _, err := f.Write(r.json()); err != nil {
		f.Close()
		return fmt.Errorf("nb.Check: %w", err)
	}
	return f.Close()
}

func (r record) json() []byte {
	b := append([]byte(`{"name":`), jsontext.AppendString(nil, r.name)...)
	b = jsontext.AppendFloat(append(b, `,"value":`...), r.value)
	b = jsontext.AppendFloat(append(b, `,"se":`...), r.se)
	b = jsontext.AppendFloat(append(b, `,"exact":`...), r.exact)
	b = jsontext.AppendFloat(append(b, `,"z":`...), r.z)
	b = fmt.Appendf(b, `,"ok":%t,"kind":`, r.ok)
	b = jsontext.AppendString(b, r.kind)
	b = jsontext.AppendString(append(b, `,"session":`...), r.session)
	return append(b, "}\n"...)
}

func parseRecord(line string) (r record, ok bool) {
	p := jsontext.Reader{Rest: []byte(line)}
	p.Literal(`{"name":`)
	r.name = p.String()
	p.Literal(`,"value":`)
	r.value = p.Float()
	p.Literal(`,"se":`)
	r.se = p.Float()
	p.Literal(`,"exact":`)
	r.exact = p.Float()
	p.Literal(`,"z":`)
	r.z = p.Float()
	p.Literal(`,"ok":`)
	r.ok = p.Bool()
	p.Literal(`,"kind":`)
	r.kind = p.String()
	p.Literal(`,"session":`)
	r.session = p.String()
	p.Literal(`}`)
	return r, !p.Failed && len(p.Rest) == 0
}

// readRecords returns the last record of each name, in the order in which the
// names came, if the file is of the given session. Lines that this package did
// not write are an error.
func readRecords(path, session string) ([]record, error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("nb.Checks: %w", err)
	}
	var records []record
	place := map[string]int{}
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		r, ok := parseRecord(strings.TrimSuffix(line, "\n"))
		if !ok {
			return nil, &ebmkit.ArgError{Func: "nb.Checks", Arg: path, Value: fmt.Sprintf("line %d", n), Want: "a record of a check; delete the file and run the cells again"}
		}
		if r.session != session {
			return nil, nil
		}
		if i, seen := place[r.name]; seen {
			records[i] = r
		} else {
			place[r.name] = len(records)
			records = append(records, r)
		}
	}
	return records, nil
}
