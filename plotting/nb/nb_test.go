package nb

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting"
	"github.com/janpfeifer/gonb/gonbui/protocol"
)

func init() { gob.Register(map[string]any{}) } // as the kernel does

// cells are programs that tests run as processes of their own.
var cells = map[string]func(){
	"mixed": func() {
		for i := range 300 {
			switch i % 5 {
			case 0:
				Markdown(fmt.Sprintf("%d", i))
			case 1:
				Display(Part{MIME: "image/png", Bytes: make([]byte, 1+i*i), Width: 10}, Part{MIME: "text/plain", Text: fmt.Sprint(i)})
			default:
				fmt.Println(i)
			}
		}
	},
	"must": func() {
		fmt.Println("before")
		Must(ebmkit.NewEnsemble(0, 1))
		fmt.Println("never")
	},
	"interrupted": func() { Must0(fmt.Errorf("mcmc.Run: %w", context.Canceled)) },
	"context": func() {
		ctx := Context()
		tick := Progress("waiting", 10)
		tick(3)
		fmt.Println("ready")
		<-ctx.Done()
		if Context() != ctx {
			fmt.Println("two contexts")
		}
		time.Sleep(50 * time.Millisecond)
		fmt.Println("partial result")
		if os.Getenv("NB_STAY") != "" {
			select {}
		}
	},
	"progress": func() {
		tick := Progress("sampling", 2000)
		for i := 0; i <= 2000; i += 4 {
			time.Sleep(time.Millisecond)
			tick(i)
		}
		tick(2000)
	},
	"checks": func() {
		Check("mean", ebmkit.Estimate{Value: 1.01, SE: 0.01}, 1)
		CheckTol("log Z", 2, 2.001, 0.01)
		CheckTrue("sorted", true, "all 7")
		Checks()
	},
	"check again": func() {
		Check("mean", ebmkit.Estimate{Value: 1.05, SE: 0.01}, 1)
		Checks()
	},
	"figure": func() { Show(testFigure(), "A *caption* with $x<y$.") },
	"recall": func() { Recall[float64]("none", 1) },
}

func testFigure() plotting.Figure {
	return plotting.New().Line("line", []float64{0, 1}, []float64{1, 2}).XLabel("$x$")
}

func TestMain(m *testing.M) {
	if cell := cells[os.Getenv("NB_TEST_CELL")]; cell != nil {
		cell()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// event is one thing a notebook gets: a display, or text in a stream.
type event struct {
	display *protocol.DisplayData
	stream  string
	text    string
}

// result is what a cell left.
type result struct {
	events []event
	status int
}

func (r result) text(stream string) string {
	var s string
	for _, e := range r.events {
		if e.stream == stream {
			s += e.text
		}
	}
	return s
}

// cellCommand prepares a cell with a clean environment.
func cellCommand(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "NB_TEST_CELL="+name, "GONB_PIPE=", "GONB_PIPE_BACK=", "JPY_SESSION_NAME=",
		"EBMKIT_NOTEBOOK=test", "EBMKIT_REDUCED=", "GONB_TMP_DIR=/tmp/gonb_0001")
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = t.TempDir()
	return cmd
}

// runPlain runs a cell outside a notebook.
func runPlain(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		status = exit.ExitCode()
	}
	return out.String(), errs.String(), status
}

// runInKernel runs a cell as GoNB does: the same pipes, the same goroutines, the
// same decoder.
func runInKernel(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	dir := t.TempDir()
	to, back := filepath.Join(dir, "to"), filepath.Join(dir, "back")
	for _, p := range []string{to, back} {
		if err := syscall.Mkfifo(p, 0o600); err != nil {
			t.Skip("no named pipes:", err)
		}
	}
	cmd.Env = append(cmd.Env, "GONB_PIPE="+to, "GONB_PIPE_BACK="+back)
	var mu sync.Mutex
	var r result
	add := func(e event) {
		mu.Lock()
		defer mu.Unlock()
		r.events = append(r.events, e)
	}
	stdout, _ := cmd.StdoutPipe()
	stderr, _ := cmd.StderrPipe()
	var streams, pipes sync.WaitGroup
	copyStream := func(name string, f io.Reader) {
		buf := make([]byte, 32*1024)
		for {
			n, err := f.Read(buf)
			if n > 0 {
				add(event{stream: name, text: string(buf[:n])})
			}
			if err != nil {
				return
			}
		}
	}
	streams.Go(func() { copyStream("stdout", stdout) })
	streams.Go(func() { copyStream("stderr", stderr) })
	// Read-write opens do not block, whether or not the cell opens its ends.
	in, err := os.OpenFile(to, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(back, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	pipes.Go(func() {
		dec, enc := gob.NewDecoder(in), gob.NewEncoder(out)
		for {
			d := &protocol.DisplayData{}
			if dec.Decode(d) != nil {
				return
			}
			if v, ok := d.Data[protocol.MIMECommValue].(protocol.CommValue); ok {
				enc.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: v.Value})
				continue
			}
			add(event{display: d})
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	streams.Wait()
	if err := cmd.Wait(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		r.status = exit.ExitCode()
	}
	in.Close()
	pipes.Wait()
	return r
}

func TestOrderOfTextAndDisplays(t *testing.T) {
	r := runInKernel(t, cellCommand(t, "mixed"))
	var got []string
	for _, e := range r.events {
		if e.display != nil {
			got = append(got, e.display.Data["text/plain"].(string))
		} else {
			got = append(got, strings.Fields(e.text)...)
		}
	}
	if len(got) != 300 {
		t.Fatalf("%d outputs of 300", len(got))
	}
	wrong := 0
	for i, s := range got {
		if s != fmt.Sprint(i) {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of 300 outputs out of order", wrong)
	}
}

func TestMust(t *testing.T) {
	const want = "error: ebmkit.NewEnsemble: n = 0, want at least 1\n"
	out, errs, status := runPlain(t, cellCommand(t, "must"))
	if out != "before\n" || errs != want || status != 1 {
		t.Errorf("status %d, stdout %q, stderr %q", status, out, errs)
	}
	r := runInKernel(t, cellCommand(t, "must"))
	if r.status != 1 || r.text("stderr") != want || r.text("stdout") != "before\n" || len(r.events) != 2 || r.events[0].stream != "stdout" {
		t.Errorf("in a notebook: %+v", r)
	}
	if _, errs, status := runPlain(t, cellCommand(t, "interrupted")); status != 1 || errs != "interrupted: mcmc.Run: context canceled\n" {
		t.Errorf("status %d, stderr %q", status, errs)
	}
	if Must(7, nil) != 7 {
		t.Error("Must(7, nil)")
	}
}

func TestContextEndsOnInterrupt(t *testing.T) {
	for _, stay := range []string{"", "1"} {
		cmd := cellCommand(t, "context", "NB_STAY="+stay)
		pipe, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := func() string {
			b := make([]byte, 100)
			n, _ := pipe.Read(b)
			return string(b[:n])
		}
		if s := line(); s != "ready\n" {
			t.Fatalf("%q", s)
		}
		cmd.Process.Signal(os.Interrupt)
		got := line()
		if stay == "" {
			rest, _ := io.ReadAll(pipe)
			got += string(rest)
		} else {
			for !strings.Contains(got, "partial") {
				got += line()
			}
			cmd.Process.Signal(os.Interrupt) // the second one ends it
		}
		err := cmd.Wait()
		if got != "waiting: 3 of 10\npartial result\n" || (err != nil) != (stay != "") {
			t.Errorf("stay %q: %q, %v", stay, got, err)
		}
	}
}

func TestProgress(t *testing.T) {
	const last = "sampling: 2,000 of 2,000"
	if out, _, _ := runPlain(t, cellCommand(t, "progress")); out != last+"\n" {
		t.Errorf("plain: %q", out)
	}
	r := runInKernel(t, cellCommand(t, "progress"))
	if len(r.events) != 1 || r.events[0].display.Data["text/plain"] != last || r.events[0].display.DisplayID != "" {
		t.Errorf("headless: %+v", r.events)
	}
	r = runInKernel(t, cellCommand(t, "progress", "JPY_SESSION_NAME=/x/test.ipynb"))
	n := len(r.events)
	if n < 2 || n > 20 {
		t.Fatalf("watched: %d pictures of 0.5 s", n)
	}
	for i, e := range r.events {
		text := e.display.Data["text/plain"].(string)
		if e.display.DisplayID != r.events[0].display.DisplayID || e.display.DisplayID == "" {
			t.Error("another output", e.display.DisplayID)
		}
		if strings.Contains(text, "left") == (i == n-1) {
			t.Errorf("picture %d of %d: %q", i, n, text)
		}
	}
	if text := r.events[n-1].display.Data["text/plain"]; text != last {
		t.Errorf("last picture: %q", text)
	}
}

func TestShow(t *testing.T) {
	r := runInKernel(t, cellCommand(t, "figure"))
	if len(r.events) != 2 || r.status != 0 {
		t.Fatalf("status %d, %d outputs, stderr %s", r.status, len(r.events), r.text("stderr"))
	}
	fig, caption := r.events[0].display, r.events[1].display
	svg, _ := fig.Data["image/svg+xml"].(string)
	png, _ := fig.Data["image/png"].([]byte)
	if !strings.Contains(svg, "<svg") || !bytes.HasPrefix(png, []byte("\x89PNG")) || fig.Data["text/plain"] != plotting.Text(testFigure()) {
		t.Errorf("figure %.100q %.10q %q", svg, png, fig.Data["text/plain"])
	}
	if !strings.Contains(svg, `width="488" height="`) || !strings.Contains(svg, "viewBox") {
		t.Errorf("size of the SVG: %.200s", svg)
	}
	if size, _ := fig.Metadata["image/png"].(map[string]any); size["width"] != 488 {
		t.Errorf("metadata %v", fig.Metadata)
	}
	if html, _ := caption.Data["text/html"].(string); !strings.Contains(html, "A <em>caption</em> with $x&lt;y$.") {
		t.Errorf("caption %v", caption.Data)
	}
	again := runInKernel(t, cellCommand(t, "figure"))
	if !reflect.DeepEqual(r, again) {
		t.Error("two runs differ")
	}
}

func TestFormsOfRasterFigures(t *testing.T) {
	parts, err := Forms(testFigure().Cloud("cloud", []float64{0, 1, 1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if p.MIME == "image/svg+xml" {
			t.Error("a cloud as SVG")
		}
	}
	if _, err := Forms(plotting.New().Line("bad", []float64{0, 1}, []float64{1, math.NaN()})); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("a figure with NaN: %v", err)
	}
}

func TestEach(t *testing.T) {
	if got := Each([]int{1, 2, 3}, func(k int) float64 { return float64(k) / 2 }); !slices.Equal(got, []float64{0.5, 1, 1.5}) {
		t.Errorf("%v", got)
	}
}

func TestSize(t *testing.T) {
	for env, want := range map[string]int{"": 10, "0": 10, "1": 2} {
		t.Setenv("EBMKIT_REDUCED", env)
		if got := Size(10, 2); got != want {
			t.Errorf("EBMKIT_REDUCED=%q: %d", env, got)
		}
	}
}

func TestNotebookName(t *testing.T) {
	for _, c := range []struct{ ebmkit, session, want string }{
		{"a", "/x/b.ipynb", "a"},
		{"", "/x/2-energy based.ipynb", "2-energy based"},
		{"", "b.ipynb", "b"},
		{"../../c.ipynb", "", "c"},
		{"", "", "unnamed"},
		{"..", "", "unnamed"},
	} {
		t.Setenv("EBMKIT_NOTEBOOK", c.ebmkit)
		t.Setenv("JPY_SESSION_NAME", c.session)
		if got := notebookName(); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestTable(t *testing.T) {
	tab, err := newTable("nb.Table", []string{"method", "$\\tau$", "n"}, [][]any{
		{"ULA <b>", ebmkit.Estimate{Value: 1.5, SE: 0.25}, 10},
		{"*MALA*", -2.25, 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := tab.text()
	lines := strings.Split(got, "\n")
	if len(lines) != 5 || lines[0] != "method        $\\tau$     n" || lines[2] != "ULA <b>  1.50 ± 0.25    10" || lines[3] != "*MALA*         -2.25  1000" {
		t.Errorf("text:\n%s", got)
	}
	html := tab.html()
	for _, s := range []string{"ULA &lt;b&gt;", "<em>MALA</em>", `<td style="text-align: right">−2.25</td>`, "1.50\u00a0±\u00a00.25", "$\\tau$"} {
		if !strings.Contains(html, s) {
			t.Errorf("%q is not in\n%s", s, html)
		}
	}
	if _, err := newTable("nb.Table", []string{"a"}, [][]any{{1}, {1, 2}}); err == nil || !strings.Contains(err.Error(), "rows[1] = 2 cells") {
		t.Error(err)
	}
	if _, err := newTable("nb.Table", nil, nil); err == nil {
		t.Error("no header, no error")
	}
}

func TestInlineMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"plain":               "plain",
		"a *b* c":             "a <em>b</em> c",
		"**b** `x<y`":         "<strong>b</strong> <code>x&lt;y</code>",
		"$a*b*c$":             "$a*b*c$",
		"2 * 3 * 4":           "2 * 3 * 4",
		"costs 5$":            "costs 5$",
		"<script>&":           "&lt;script&gt;&amp;",
		"$<img src=x>$ *open": "$&lt;img src=x&gt;$ *open",
		"":                    "",
	} {
		if got := inlineMarkdown(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCheckVerdicts(t *testing.T) {
	t.Setenv("EBMKIT_STATE", t.TempDir())
	t.Setenv("GONB_TMP_DIR", "verdicts")
	inf, nan := math.Inf(1), math.NaN()
	est := func(v, se float64) ebmkit.Estimate { return ebmkit.Estimate{Value: v, SE: se} }
	quiet(t, func() {
		Check("good", est(1.39, 0.1), 1)
		Check("bad", est(1.41, 0.1), 1)
		Check("low", est(0.5, 0.1), 1)
		Check("exact", est(1, 0), 1)
		Check("unknown error", est(1, inf), 1)
		Check("negative error", est(1, -1), 1)
		Check("NaN", est(nan, 1), 1)
		Check("NaN error", est(1, nan), 1)
		Check("NaN exact", est(1, 1), nan)
		CheckTol("tol good", 1.0000005, 1, 1e-6)
		CheckTol("tol bad", 1.000002, 1, 1e-6)
		CheckTol("tol zero", 1, 1, 0)
		CheckTol("tol zero bad", 1+1e-15, 1, 0)
		CheckTol("tol NaN", nan, 1, 1)
		CheckTol("tol negative", 1, 2, -5)
		CheckTrue("true", true, "")
		CheckTrue("false", false, "")
		Check("good", est(2, 0.1), 1) // the same name, later in the cell
	})
	records, err := readRecords(checksPath(), session())
	if err != nil {
		t.Fatal(err)
	}
	var passed []string
	for _, r := range records {
		if r.ok {
			passed = append(passed, r.name)
		}
	}
	if got := strings.Join(passed, ", "); got != "good, tol good, tol zero, true" || len(records) != 18 {
		t.Errorf("%d records, passed: %s", len(records), got)
	}
	if last := records[len(records)-1].name; last != "good (2)" {
		t.Errorf("the second check of a name is called %q", last)
	}
	// What another program reads.
	b, _ := os.ReadFile(checksPath())
	for line := range strings.Lines(string(b)) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil || len(m) != 8 {
			t.Errorf("%s: %v", line, err)
		}
	}
	tab, failed := checksTable(records)
	if failed != 14 || !strings.Contains(tab.html(), "✗ failed") {
		t.Errorf("%d failed", failed)
	}
}

// quiet runs f with standard output thrown away.
func quiet(t *testing.T, f func()) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	stdout := os.Stdout
	os.Stdout = null
	defer func() { os.Stdout = stdout }()
	f()
}

func TestChecksOfASession(t *testing.T) {
	state := t.TempDir()
	run := func(cell, session string) string {
		out, errs, status := runPlain(t, cellCommand(t, cell, "EBMKIT_STATE="+state, "GONB_TMP_DIR=/tmp/"+session))
		if status != 0 || errs != "" {
			t.Fatal(status, errs)
		}
		return out
	}
	want := `✓ mean: 1.010 ± 0.010, exact 1, z = 1.0
✓ log Z: 2, exact 2.001, error 0.001, tolerance 0.01
✓ sorted: holds (all 7)
claim        measured  exact        z
------  -------------  -----  -------  -
mean    1.010 ± 0.010      1      1.0  ✓
log Z               2  2.001  0.1 tol  ✓
sorted          holds                  ✓
3 checks, all passed
`
	if got := run("checks", "gonb_1"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The cell is run again: the same table, no line twice.
	if got := run("checks", "gonb_1"); got != want {
		t.Errorf("again\n%s", got)
	}
	// Another cell of the session changes one check, in its place, to a failure.
	got := run("check again", "gonb_1")
	if !strings.Contains(got, "✗ FAILED mean") || !strings.Contains(got, "3 checks, 1 FAILED") ||
		strings.Index(got, "mean    1.050") > strings.Index(got, "log Z") {
		t.Errorf("after a failure\n%s", got)
	}
	// A new session knows nothing of the old one.
	if got := run("check again", "gonb_2"); !strings.Contains(got, "1 checks") {
		t.Errorf("in a new session\n%s", got)
	}
	b, _ := os.ReadFile(filepath.Join(state, "test", "checks.jsonl"))
	if strings.Contains(string(b), "gonb_1") || strings.Count(string(b), "\n") != 1 {
		t.Errorf("file\n%s", b)
	}
}

type sweep struct {
	Name     string
	Steps    []float64
	Variance []ebmkit.Estimate
	Last     *ebmkit.Ensemble
	Seed     uint64
	Done     bool
	Counts   []int
	Grid     [2]float64
	None     []float64
	Nested   struct{ Rows [][]float64 }
}

func TestStateFile(t *testing.T) {
	root := t.TempDir()
	t.Setenv("EBMKIT_STATE", root)
	t.Setenv("EBMKIT_NOTEBOOK", "some/4a-test.ipynb")
	path := StateFile("run.npz")
	if want := filepath.Join(root, "4a-test", "run.npz"); path != want {
		t.Errorf("StateFile = %s, want %s", path, want)
	}
	if err := os.WriteFile(path, []byte("a checkpoint"), 0o666); err != nil {
		t.Error(err)
	}
	// A value kept under the same name is another file.
	Keep("run", 1.5)
	if got := Recall[float64]("run"); got != 1.5 {
		t.Errorf("recalled %v, want 1.5", got)
	}
	if b, err := os.ReadFile(path); string(b) != "a checkpoint" {
		t.Errorf("after Keep the file holds %q, %v", b, err)
	}
	for _, name := range []string{"", ".", "..", "../run.npz", "a/b", `a\b`, "checks.jsonl", "Checks.JSONL", "kept"} {
		var bad *ebmkit.ArgError
		if path, err := stateFile(root, name); !errors.As(err, &bad) || bad.Arg != "name" {
			t.Errorf("stateFile(%q) = %q, %v; want an ArgError", name, path, err)
		}
	}
}

func TestKeepRecall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet")
	ens := &ebmkit.Ensemble{N: 2, Dim: 2, X: []float64{1, 2, 3, math.NaN()}, LogW: []float64{0, math.Inf(-1)}}
	big := sweep{Name: "é", Steps: []float64{0.5}, Variance: []ebmkit.Estimate{{Value: 1, SE: 2}, {Value: 3, SE: 4}}, Last: ens,
		Seed: math.MaxUint64, Done: true, Counts: []int{-1, 2}, Grid: [2]float64{5, 6}}
	big.Nested.Rows = [][]float64{{1}, {}, {2, 3}}
	roundTrip(t, dir, "ensemble", ens)
	roundTrip(t, dir, "sweep", big)
	roundTrip(t, dir, "vector", []float64{1, 2})
	roundTrip(t, dir, "empty", []float64{})
	roundTrip(t, dir, "number", -0.5)
	roundTrip(t, dir, "count", 12)
	roundTrip(t, dir, "estimate", ebmkit.Estimate{Value: 1, SE: math.Inf(1)})
	roundTrip(t, dir, "chain", &ebmkit.Chain{Draws: 1, Walkers: 1, Dim: 1, X: []float64{4}, Seed: 1})
	roundTrip(t, dir, "float32", []float32{1, 2})
	roundTrip(t, dir, "bytes", []byte{1, 2})
	roundTrip(t, dir, "strings", []string{"a", ""})
}

func roundTrip[T any](t *testing.T, dir, name string, v T) {
	t.Helper()
	if err := keep(dir, name, v, []any{1, "p"}); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	var got T
	if err := recall(dir, name, &got, []any{1, "p"}); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	// Sprintf, because NaN is not equal to itself.
	if fmt.Sprintf("%+v", deref(got)) != fmt.Sprintf("%+v", deref(v)) {
		t.Errorf("%s: %+v became %+v", name, v, got)
	}
}

func deref(v any) any {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		return rv.Elem().Interface()
	}
	if s, ok := v.(sweep); ok {
		s.Nested.Rows = append(s.Nested.Rows, s.Last.X)
		s.Last = nil
		return s
	}
	return v
}

func TestRecallRefuses(t *testing.T) {
	dir := t.TempDir()
	type params struct {
		Step float64
		Seed *uint64
	}
	seed, other := uint64(1), uint64(2)
	if err := keep(dir, "v", 1.5, []any{params{0.5, &seed}, []int{1, 2}, nil}); err != nil {
		t.Fatal(err)
	}
	var v float64
	seed2 := uint64(1) // equal, elsewhere in memory
	if err := recall(dir, "v", &v, []any{params{0.5, &seed2}, []int{1, 2}, nil}); err != nil || v != 1.5 {
		t.Fatal(v, err)
	}
	for name, p := range map[string][]any{
		"none":           nil,
		"another number": {params{0.5000000000000001, &seed}, []int{1, 2}, nil},
		"another seed":   {params{0.5, &other}, []int{1, 2}, nil},
		"another slice":  {params{0.5, &seed}, []int{1, 3}, nil},
		"fewer":          {params{0.5, &seed}, []int{1, 2}},
	} {
		err := recall(dir, "v", &v, p)
		if err == nil || !strings.Contains(err.Error(), "was kept with parameters") || !strings.Contains(err.Error(), `run the cell with nb.Keep("v", ...) again`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var wrong int
	for want, err := range map[string]error{
		"is of type float64, not int":       recall(dir, "v", &wrong, []any{params{0.5, &seed}, []int{1, 2}, nil}),
		"nothing was kept as \"w\"":         recall(dir, "w", &v, nil),
		`"../v", want letters`:              keep(dir, "../v", 1, nil),
		`".v", want letters`:                recall(dir, ".v", &v, nil),
		"functions, maps and channels":      keep(dir, "f", 1, []any{func() {}}),
		"without cycles":                    keep(dir, "f", 1, []any{cycle()}),
		"map[string]int":                    keep(dir, "f", map[string]int{}, nil),
		"exported fields":                   keep(dir, "f", struct{ a int }{1}, nil),
		"nil *ebmkit.Ensemble":              keep(dir, "f", (*ebmkit.Ensemble)(nil), nil),
		"= nil, want a value":               keep(dir, "f", nil, nil),
		"*int, want numbers":                keep(dir, "f", new(int), nil),
		"func(float64) float64, want numbe": keep(dir, "f", math.Sqrt, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	// A damaged file names the cell, too.
	path := filepath.Join(dir, "v.npz")
	b, _ := os.ReadFile(path)
	os.WriteFile(path, b[:len(b)/2], 0o644)
	if err := recall(dir, "v", &v, []any{params{0.5, &seed}, []int{1, 2}, nil}); err == nil || !strings.Contains(err.Error(), "again") {
		t.Error(err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 1 {
		t.Errorf("files: %v", left)
	}
	if _, errs, status := runPlain(t, cellCommand(t, "recall")); status != 1 || errs != "error: nb.Recall: nothing was kept as \"none\": run the cell with nb.Keep(\"none\", ...) first\n" {
		t.Errorf("%d %q", status, errs)
	}
}

type node struct{ Next *node }

func cycle() *node {
	n := &node{}
	n.Next = n
	return n
}
