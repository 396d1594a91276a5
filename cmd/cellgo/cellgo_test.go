package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A lab is a small library in a module of its own, and kernels as GoNB makes
// them: a module with a go.work that uses the library.
type lab struct {
	t       *testing.T
	dir     string
	records string
}

func newLab(t *testing.T) *lab {
	if testing.Short() {
		t.Skip("runs the go command many times")
	}
	// The environment of a kernel.
	t.Setenv("GOFLAGS", "-buildvcs=false '-ldflags=-s -w'")
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOWORK", "")
	t.Setenv("GOTOOLCHAIN", "local")
	t.Setenv("CGO_ENABLED", "0")
	l := &lab{t: t, dir: t.TempDir()}
	l.records = filepath.Join(l.dir, "records")
	l.write("lib/go.mod", "module example.org/lib\n\ngo 1.26\n")
	l.write("lib/lib.go", "package lib\n\nimport _ \"embed\"\n\n//go:embed words/word.txt\nvar Word string\n\nfunc Double(x int) int { return 2 * x }\n")
	l.write("lib/words/word.txt", "one")
	l.write("lib/internal/secret/secret.go", "package secret\n\nconst X = 1\n")
	l.write("lib/other/other.go", "package other\n\nimport \"example.org/lib/internal/secret\"\n\nfunc Triple(x int) int { return 3*x + 0*secret.X }\n")
	l.settle()
	return l
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		l.t.Fatal(err)
	}
}

// settle makes the library look as if it was written a while ago, since nothing
// is recorded that changed during the build.
func (l *lab) settle() {
	l.t.Helper()
	past := time.Now().Add(-time.Minute)
	err := filepath.Walk(filepath.Join(l.dir, "lib"), func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && time.Since(info.ModTime()) < 30*time.Second {
			err = os.Chtimes(path, past, past)
		}
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

type kernel struct {
	*lab
	dir, name string
}

func (l *lab) kernel(name string) *kernel {
	l.t.Helper()
	k := &kernel{l, filepath.Join(l.dir, name), name}
	l.write(name+"/go.mod", "module "+name+"\n\ngo 1.26\n\nreplace example.org/lib => "+l.dir+"/lib\n")
	l.write(name+"/go.work", "go 1.26\n\nuse (\n\t"+l.dir+"/lib\n\t.\n)\n")
	return k
}

// What became of a cell.
type outcome struct {
	replayed bool   // by a record that was there before
	built    bool   // by cellgo at all; if not, by the real go build
	output   string // of the program, or of the real go build that failed
}

// cell builds and runs a cell, as GoNB does.
func (k *kernel) cell(source string) outcome {
	k.t.Helper()
	k.write(k.name+"/main.go", source)
	return k.run()
}

func (k *kernel) run() outcome {
	b := builder{dir: k.dir, out: filepath.Join(k.dir, k.name), goCmd: goCommand(k.t), records: k.records}
	os.Remove(b.out)
	var o outcome
	if imports, err := readCell(b.dir); err == nil {
		if key, err := keyOf(b.dir, b.goCmd, b.cell(), os.Environ()); err == nil {
			o.replayed = findRecord(b.records, key, imports) != nil
		}
	}
	o.built = b.build()
	if !o.built {
		o.replayed = false
		cmd := exec.Command(b.goCmd, "build", "-o", b.out)
		cmd.Dir = b.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			o.output = string(out)
			return o
		}
	}
	out, err := exec.Command(b.out).CombinedOutput()
	o.output = string(out)
	if err != nil {
		o.output += err.Error()
	}
	return o
}

func goCommand(t *testing.T) string {
	path, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (k *kernel) expect(o outcome, replayed bool, output string) {
	k.t.Helper()
	if o.replayed != replayed || !strings.Contains(o.output, output) {
		k.t.Errorf("replayed %v, output %q; want %v, %q", o.replayed, o.output, replayed, output)
	}
}

const cellLib = `package main

import (
	"example.org/lib"
	"fmt"
)

func main() { fmt.Println("got", lib.Double(@), lib.Word) }
`

func at(source, with string) string { return strings.ReplaceAll(source, "@", with) }

func TestReplay(t *testing.T) {
	k := newLab(t).kernel("gonb_00000001")
	// The first build compiles the library, and its files are not yet named in
	// the build cache; the second writes the record.
	k.expect(k.cell(at(cellLib, "1")), false, "got 2 one")
	k.expect(k.cell(at(cellLib, "2")), false, "got 4 one")
	k.expect(k.cell(at(cellLib, "3")), true, "got 6 one")
	k.expect(k.cell(at(cellLib, "4")), true, "got 8 one")
	// Fewer imports are served by the same record.
	k.expect(k.cell("package main\n\nfunc main() { println(5) }\n"), true, "5")
	k.expect(k.cell("package main\n\nimport \"strconv\"\n\nfunc main() { println(strconv.Itoa(6)) }\n"), true, "6")
}

func TestSameCellAgain(t *testing.T) {
	k := recorded(t)
	again := func() os.FileInfo {
		t.Helper()
		k.write(k.name+"/main.go", at(cellLib, "21"))
		b := builder{dir: k.dir, out: filepath.Join(k.dir, k.name), goCmd: goCommand(t), records: k.records}
		if !b.build() {
			t.Fatal("not built")
		}
		info, err := os.Stat(b.out)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(b.out).CombinedOutput(); err != nil || string(out) != "got 42 one\n" {
			t.Fatal(string(out), err)
		}
		return info
	}
	first := again()
	// GoNB leaves the binary where it is: at once again, and once more.
	for range 2 {
		if !os.SameFile(first, again()) {
			t.Error("the same cell was made again")
		}
	}
	k.expect(k.cell(at(cellLib, "22")), true, "got 44 one")
	if !os.SameFile(first, again()) {
		t.Error("the same cell was made again")
	}
	// Not after an edit of the library.
	k.write("lib/words/word.txt", "two")
	k.expect(k.cell(at(cellLib, "21")), false, "got 42 two")
	k.settle()
	k.cell(at(cellLib, "23"))
	k.cell(at(cellLib, "24"))
	k.expect(k.cell(at(cellLib, "21")), true, "got 42 two")
	// The binaries that are kept are few.
	for i := range 2 * maxKept {
		k.cell(at("package main\n\nfunc main() { println(@) }\n", strconv.Itoa(i)))
	}
	kept, err := os.ReadDir(filepath.Join(k.dir, ".cellgo"))
	if err != nil || len(kept) != maxKept {
		t.Errorf("%d binaries kept, want %d (%v)", len(kept), maxKept, err)
	}
}

// recorded gives a kernel that replays cellLib.
func recorded(t *testing.T) *kernel {
	t.Helper()
	k := newLab(t).kernel("gonb_00000001")
	k.cell(at(cellLib, "1"))
	k.cell(at(cellLib, "2"))
	k.expect(k.cell(at(cellLib, "3")), true, "got 6 one")
	return k
}

func TestImportSetChanges(t *testing.T) {
	k := recorded(t)
	cell := "package main\n\nimport \"example.org/lib/other\"\n\nfunc main() { println(other.Triple(@)) }\n"
	k.expect(k.cell(at(cell, "1")), false, "3")
	k.cell(at(cell, "2"))
	k.expect(k.cell(at(cell, "3")), true, "9")
	// Both sets are now on record, but not together.
	both := "package main\n\nimport (\n\t\"example.org/lib\"\n\t\"example.org/lib/other\"\n)\n\nfunc main() { println(other.Triple(lib.Double(1))) }\n"
	k.expect(k.cell(both), false, "6")
}

func TestInternalPackageIsRefused(t *testing.T) {
	k := recorded(t)
	k.cell("package main\n\nimport \"example.org/lib/other\"\n\nfunc main() { println(other.Triple(1)) }\n")
	k.cell("package main\n\nimport \"example.org/lib/other\"\n\nfunc main() { println(other.Triple(2)) }\n")
	// It is in the record's build, but a cell may not import it.
	k.expect(k.cell("package main\n\nimport \"example.org/lib/internal/secret\"\n\nfunc main() { println(secret.X) }\n"), false, "use of internal package example.org/lib/internal/secret not allowed")
}

func TestLibraryEdited(t *testing.T) {
	k := recorded(t)
	k.write("lib/lib.go", "package lib\n\nvar Word = \"two\"\n\nfunc Double(x int) int { return 20 * x }\n")
	k.expect(k.cell(at(cellLib, "3")), false, "got 60 two")
	k.settle()
	k.cell(at(cellLib, "4"))
	k.cell(at(cellLib, "5"))
	k.expect(k.cell(at(cellLib, "6")), true, "got 120 two")
}

func TestLibraryFileAddedAndRemoved(t *testing.T) {
	k := recorded(t)
	k.write("lib/more.go", "package lib\n\nfunc init() { Word = \"from more\" }\n")
	k.expect(k.cell(at(cellLib, "3")), false, "got 6 from more")
	k.settle()
	k.cell(at(cellLib, "4"))
	k.cell(at(cellLib, "5"))
	k.expect(k.cell(at(cellLib, "6")), true, "got 12 from more")
	if err := os.Remove(filepath.Join(k.lab.dir, "lib/more.go")); err != nil {
		t.Fatal(err)
	}
	k.expect(k.cell(at(cellLib, "7")), false, "got 14 one")
}

func TestEmbeddedFileEdited(t *testing.T) {
	k := recorded(t)
	k.write("lib/words/word.txt", "two")
	k.expect(k.cell(at(cellLib, "3")), false, "got 6 two")
}

func TestTestFileDoesNotMatter(t *testing.T) {
	k := recorded(t)
	k.write("lib/lib_test.go", "package lib\n")
	k.expect(k.cell(at(cellLib, "4")), true, "got 8 one")
}

func TestModuleFileEdited(t *testing.T) {
	k := recorded(t)
	k.write("lib/go.mod", "module example.org/lib\n\ngo 1.25\n")
	k.expect(k.cell(at(cellLib, "3")), false, "got 6 one")
}

func TestCellModuleEdited(t *testing.T) {
	k := recorded(t)
	f, err := os.OpenFile(filepath.Join(k.dir, "go.mod"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("\ngodebug panicnil=1\n")
	f.Close()
	o := k.cell("package main\n\nfunc main() { defer func() { println(recover() == nil) }(); panic(nil) }\n")
	k.expect(o, false, "")
}

func TestFlagsChange(t *testing.T) {
	k := recorded(t)
	t.Setenv("GOFLAGS", "-buildvcs=false '-ldflags=-X main.version=7'")
	cell := "package main\n\nvar version string\n\nfunc main() { println(\"version\", version) }\n"
	k.expect(k.cell(cell), false, "version 7")
}

func TestGoCommandChanges(t *testing.T) {
	k := recorded(t)
	real := goCommand(t)
	// Another go: same behaviour, another file.
	fake := filepath.Join(k.lab.dir, "bin", "go")
	k.write("bin/go", "#!/bin/sh\nexec "+real+" \"$@\"\n")
	if err := os.Chmod(fake, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(fake)+":"+os.Getenv("PATH"))
	k.expect(k.cell(at(cellLib, "4")), false, "got 8 one")
}

func TestCellOfTwoFiles(t *testing.T) {
	k := recorded(t)
	k.write(k.name+"/other.go", "package main\n\nfunc init() { println(\"other\") }\n")
	k.expect(k.cell(at(cellLib, "4")), false, "other")
}

func TestCellWithDirectives(t *testing.T) {
	k := recorded(t)
	o := k.cell("//go:debug panicnil=1\n\npackage main\n\nfunc main() { defer func() { println(\"nil\", recover() == nil) }(); panic(nil) }\n")
	k.expect(o, false, "nil true")
	if o.built {
		t.Error("a cell with a directive was not left to the real go build")
	}
}

func TestCompileErrorIsThatOfGoBuild(t *testing.T) {
	k := recorded(t)
	source := "package main\n\nimport (\n\t\"example.org/lib\"\n\t\"fmt\"\n)\n\nfunc main() { fmt.Println(lib.Double(undefined), 1+\"a\") }\n"
	k.write(k.name+"/main.go", source)
	cmd := exec.Command(goCommand(t), "build", "-o", filepath.Join(k.dir, k.name))
	cmd.Dir = k.dir
	want, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("the cell compiles")
	}
	for _, when := range []string{"with a record", "without"} {
		if o := k.run(); o.built || o.output != string(want) {
			t.Errorf("%s: built %v, output %q, want %q", when, o.built, o.output, want)
		}
		os.RemoveAll(k.records)
	}
	// A syntax error, and an import that does not exist.
	for _, source := range []string{"package main\n\nfunc main() { ", "package main\n\nimport \"example.org/nothing\"\n\nfunc main() { nothing.F() }\n"} {
		if o := k.cell(source); o.built || o.output == "" {
			t.Errorf("%q: built %v, output %q", source, o.built, o.output)
		}
	}
}

func TestPanicTraceNamesTheCell(t *testing.T) {
	k := recorded(t)
	o := k.cell("package main\n\nfunc main() { panic(\"here\") }\n")
	k.expect(o, true, filepath.Join(k.dir, "main.go")+":3")
}

func TestRecordsAreSharedBetweenKernels(t *testing.T) {
	k := recorded(t)
	other := k.lab.kernel("gonb_00000002")
	other.expect(other.cell(at(cellLib, "4")), true, "got 8 one")
	// Build information must name the kernel's own module.
	out, err := exec.Command(goCommand(t), "version", "-m", filepath.Join(other.dir, other.name)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "path\t"+other.name+"\n") || !strings.Contains(string(out), "mod\t"+other.name+"\t") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestConcurrentKernels(t *testing.T) {
	k := recorded(t)
	var wg sync.WaitGroup
	for _, name := range []string{"gonb_0000000a", "gonb_0000000b", "gonb_0000000c"} {
		other := k.lab.kernel(name)
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 3 {
				// One kernel keeps losing the records that another makes.
				if name == "gonb_0000000c" {
					os.RemoveAll(k.records)
				}
				if o := other.cell(at(cellLib, "4")); !strings.Contains(o.output, "got 8 one") {
					t.Errorf("%s: %+v", name, o)
				}
			}
		}()
	}
	wg.Wait()
}

func TestBrokenRecords(t *testing.T) {
	k := recorded(t)
	files, err := filepath.Glob(filepath.Join(k.records, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	broken := map[string]string{
		"empty":           "",
		"truncated":       string(good[:len(good)/2]),
		"not JSON":        "compile it yourself",
		"another value":   `["x"]`,
		"nothing in it":   "{}",
		"twice":           string(good) + string(good),
		"no such tool":    strings.ReplaceAll(string(good), "/compile", "/no-compiler"),
		"no such package": strings.ReplaceAll(string(good), "-d\"", "-gone\""),
	}
	for name, text := range broken {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(files[0], []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			if o := k.cell(at(cellLib, "21")); !strings.Contains(o.output, "got 42 one") {
				t.Errorf("%+v", o)
			}
		})
	}
	left, err := filepath.Glob(filepath.Join(k.dir, ".cellgo-*")) // work directories
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestRecordsAreBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range maxRecords + 5 {
		r := &Record{Packages: map[string]string{strings.Repeat("x", i+1): "f"}}
		if err := r.write(dir, "key"); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != maxRecords {
		t.Errorf("%d records, want %d", len(files), maxRecords)
	}
}

func TestSplitWords(t *testing.T) {
	for line, want := range map[string]string{
		`a bc  d`:             "a|bc|d",
		`x "b c=>" 'd e' f""`: "x|b c=>|d e|f",
		`GOROOT='/a b' /bin`:  "GOROOT=/a b|/bin",
	} {
		if got, ok := splitWords(line); !ok || strings.Join(got, "|") != want {
			t.Errorf("%s: %q %v, want %q", line, got, ok, want)
		}
	}
	for _, line := range []string{`cat >x << 'EOF'`, `a "b`, "a `b`", `a\ b`} {
		if got, ok := splitWords(line); ok {
			t.Errorf("%s: %q", line, got)
		}
	}
}

func TestDropUnused(t *testing.T) {
	names := map[string]string{"fmt": "fmt", "math/rand/v2": "rand", "example.org/go-thing": "thing", "os": "os", "flag": "flag"}
	nameOf := func(path string) string { return names[path] }
	for _, c := range []struct{ name, imports, body, want string }{
		{"all used", "import (\n\"fmt\"\n\"os\"\n)", "fmt.Println(os.Args)", "fmt os"},
		{"one not", "import (\n\"fmt\"\n\"os\"\n)", "fmt.Println()", "fmt"},
		{"none", "import (\n\"fmt\"\n\"os\"\n)", "", ""},
		{"single", "import \"fmt\"\nimport \"os\"", "_ = os.Args", "os"},
		{"other name than its path", "import \"example.org/go-thing\"\nimport \"math/rand/v2\"", "thing.Do(rand.Int())", "example.org/go-thing math/rand/v2"},
		{"renamed", "import f \"fmt\"\nimport r \"unknown/path\"", "f.Println()", "fmt"},
		{"shadowed", "import \"fmt\"\nimport \"os\"", "os := struct{ Args int }{}; fmt.Println(os.Args)", "fmt"},
		{"blank", "import _ \"unknown/driver\"\nimport \"os\"", "", "unknown/driver"},
		{"flag is added", "import \"fmt\"\nimport \"os\"", "flag.Parse(); fmt.Println()", "flag fmt"},
		{"flag is there", "import \"flag\"", "flag.Parse()", "flag"},
		{"missing", "import \"fmt\"", "fmt.Println(strings.ToUpper(``))", "?"},
		{"dot", "import . \"fmt\"", "Println()", "?"},
		{"unknown name", "import \"unknown/path\"", "path.F()", "?"},
		{"same name", "import \"fmt\"\nimport fmt \"os\"", "fmt.Println()", "?"},
		{"no Go", "import \"fmt\"", "fmt.Println(", "?"},
	} {
		src := "package main\n\n" + c.imports + "\n\nfunc main() {\n" + c.body + "\n}\n"
		tidy, ok := dropUnused([]byte(src), nameOf)
		if !ok {
			if c.want != "?" {
				t.Errorf("%s: gave up", c.name)
			}
			continue
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.go"), tidy, 0o666); err != nil {
			t.Fatal(err)
		}
		imports, err := readCell(dir)
		if got := strings.Join(imports, " "); err != nil || got != c.want {
			t.Errorf("%s: %q %v, want %q", c.name, got, err, c.want)
		}
	}
}
