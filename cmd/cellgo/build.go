package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// builder answers one "go build -o out" in dir.
type builder struct {
	dir, out string
	goCmd    string // the real go
	records  string // directory of the records
}

// build makes the binary and says whether it did. If not, it printed nothing,
// and the real go build has to be run.
func (b *builder) build() bool {
	imports, err := readCell(b.dir)
	if err != nil {
		return false
	}
	key, err := keyOf(b.dir, b.goCmd, b.cell(), os.Environ())
	if err != nil {
		return false
	}
	if r := findRecord(b.records, key, imports); r != nil {
		made, err := b.madeBefore(r)
		if err != nil {
			return false
		}
		if _, err := os.Stat(made); err == nil {
			os.Remove(b.out)
			if os.Link(made, b.out) == nil {
				return true
			}
		}
		// A cell that does not compile fails here too; the real build then
		// says why.
		if b.replay(r) != nil {
			return false
		}
		b.keep(made)
		return true
	}
	started := time.Now()
	r, built := b.record(imports, started)
	if r != nil {
		r.write(b.records, key) // if it cannot be kept, the next cell is slower: no more
	}
	return built
}

// cell is the name of the module GoNB made for the kernel's cells.
func (b *builder) cell() string { return filepath.Base(b.out) }

// errPlain says that a directory is not that of a plain cell.
var errPlain = errors.New("not a plain cell")

// readCell returns the imports of main.go, sorted, if it is the only source file
// in dir and holds nothing that steers the build.
func readCell(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := false
	for _, e := range entries {
		switch name := e.Name(); filepath.Ext(name) {
		case ".go":
			if name == "main.go" {
				found = true
			} else if !strings.HasSuffix(name, "_test.go") {
				return nil, errPlain
			}
		case ".s", ".S", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90", ".swig", ".swigcxx", ".syso", ".pgo":
			return nil, errPlain
		}
	}
	if !found {
		return nil, errPlain
	}
	src, err := os.ReadFile(filepath.Join(dir, "main.go"))
	if err != nil {
		return nil, err
	}
	if bytes.Contains(src, []byte("//go:")) || bytes.Contains(src, []byte("// +build")) {
		return nil, errPlain
	}
	file, err := parser.ParseFile(token.NewFileSet(), "main.go", src, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	if file.Name.Name != "main" {
		return nil, errPlain
	}
	var imports []string
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, path)
	}
	sort.Strings(imports)
	return imports, nil
}

// maxKept bounds how many binaries of earlier cells a kernel keeps.
const maxKept = 12

// madeBefore names the binary that the cell gives with the record: a cell that is
// run again as it was need not be made again.
func (b *builder) madeBefore(r *Record) (string, error) {
	src, err := os.ReadFile(filepath.Join(b.dir, "main.go"))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q", r.State, r.Link, src)
	return filepath.Join(b.dir, ".cellgo", hex.EncodeToString(h.Sum(nil))[:24]), nil
}

// keep gives the binary a second name, by which it is found when the cell is run
// again. If that fails, the next time is slower: no more.
func (b *builder) keep(made string) {
	if os.MkdirAll(filepath.Dir(made), 0o777) == nil && os.Link(b.out, made) == nil {
		prune(filepath.Join(filepath.Dir(made), "*"), maxKept)
	}
}

// replay compiles and links the cell with the commands of the record.
func (b *builder) replay(r *Record) error {
	work, err := os.MkdirTemp(b.dir, ".cellgo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if work, err = filepath.Abs(work); err != nil {
		return err
	}
	var config bytes.Buffer
	for path, file := range r.Packages {
		fmt.Fprintf(&config, "packagefile %s=%s\n", path, file)
	}
	if err := os.MkdirAll(filepath.Join(work, "b001", "exe"), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "b001", "importcfg"), config.Bytes(), 0o666); err != nil {
		return err
	}
	config.WriteString(strings.ReplaceAll(r.ModInfo, cellMark, b.cell()) + "\n")
	if err := os.WriteFile(filepath.Join(work, "b001", "importcfg.link"), config.Bytes(), 0o666); err != nil {
		return err
	}
	for _, command := range [][]string{r.Compile, r.Link} {
		args := make([]string, len(command))
		for i, a := range command {
			args[i] = strings.ReplaceAll(a, workMark, work)
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = b.dir
		// The heaps of compiler and linker are small: collecting them is time lost.
		cmd.Env = append(os.Environ(), "GOROOT="+r.GOROOT, "GOGC=off")
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	return os.Rename(filepath.Join(work, "b001", "exe", "a.out"), b.out)
}

// record runs the real build and writes down how it did it. Both results may be
// had or not: a build may succeed without telling enough to be replayed.
func (b *builder) record(imports []string, started time.Time) (*Record, bool) {
	listed := make(chan *Record, 1)
	go func() { listed <- b.dependencies() }()
	cmd := exec.Command(b.goCmd, "build", "-x", "-work", "-o", b.out)
	cmd.Dir = b.dir
	log, err := cmd.CombinedOutput()
	r := <-listed
	work := strings.TrimPrefix(firstLine(log), "WORK=")
	if work == firstLine(log) || !filepath.IsAbs(work) {
		return nil, err == nil
	}
	defer os.RemoveAll(work)
	if err != nil {
		return nil, false
	}
	if r == nil || !r.readCommands(log, work, b.cell()) || !r.covers(imports) {
		return nil, true
	}
	// What changed while it was being built may or may not be in it. File times
	// are a few milliseconds coarse.
	var latest time.Time
	if r.State, latest, err = state(r.Dirs, r.Files); err != nil || latest.After(started.Add(-20*time.Millisecond)) {
		return nil, true
	}
	return r, true
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// dependencies asks go list what the cell depends on, and returns a record
// without its commands, or nil.
func (b *builder) dependencies() *Record {
	run := func(args ...string) []string {
		cmd := exec.Command(b.goCmd, args...)
		cmd.Dir = b.dir
		out, err := cmd.Output()
		if err != nil {
			return nil
		}
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
	env := run("env", "GOMODCACHE", "GOROOT", "GOTOOLDIR", "GOENV", "GOWORK")
	if len(env) != 5 {
		return nil
	}
	modCache, goRoot, toolDir, goEnv, goWork := env[0], env[1], env[2], env[3], env[4]
	lines := run("list", "-deps", "-f", `{{.ImportPath}}|{{.Name}}|{{.Dir}}|{{with .Module}}{{.GoMod}}{{end}}|{{range .EmbedFiles}}{{.}}|{{end}}`)
	if lines == nil {
		return nil
	}
	r := &Record{GOROOT: goRoot, Names: make(map[string]string)}
	dirs, files := make(map[string]bool), make(map[string]bool)
	own, _ := filepath.Abs(b.dir)
	for _, line := range lines {
		f := strings.Split(line, "|")
		if len(f) < 5 {
			return nil
		}
		path, name, dir, goMod, embedded := f[0], f[1], f[2], f[3], f[4:]
		r.Names[path] = name
		if dir == "" || dir == own || below(dir, goRoot) || below(dir, modCache) {
			continue // nobody edits these; the cell itself is compiled anew each time
		}
		dirs[dir] = true
		for _, e := range embedded {
			if e != "" {
				dirs[filepath.Dir(filepath.Join(dir, e))] = true
			}
		}
		if goMod != "" {
			files[goMod] = true
			files[strings.TrimSuffix(goMod, "go.mod")+"go.sum"] = true
		}
	}
	for _, path := range []string{goEnv, goWork, filepath.Join(goRoot, "VERSION"), filepath.Join(toolDir, "compile"), filepath.Join(toolDir, "link")} {
		if filepath.IsAbs(path) && filepath.Dir(path) != own {
			files[path] = true
		}
	}
	r.Dirs, r.Files = sorted(dirs), sorted(files)
	return r
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for s := range set {
		list = append(list, s)
	}
	sort.Strings(list)
	return list
}

func below(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}

// readCommands fills in the commands from the log of go build -x and from the
// work directory it left, and says whether it found all.
func (r *Record) readCommands(log []byte, work, cell string) bool {
	for _, line := range strings.Split(string(log), "\n") {
		words, ok := splitWords(line)
		if !ok {
			continue
		}
		for len(words) > 0 && strings.HasPrefix(words[0], "GOROOT=") {
			words = words[1:]
		}
		if len(words) == 0 || !filepath.IsAbs(words[0]) {
			continue
		}
		words = marked(words, work)
		switch filepath.Base(words[0]) {
		case "compile":
			if contains(words, "-p", "main") {
				r.Compile = words
			}
		case "link":
			r.Link = words
		}
	}
	if !contains(r.Compile, "-p", "main") || !contains(r.Compile, "-importcfg", workMark+"/b001/importcfg") ||
		!contains(r.Link, "-importcfg", workMark+"/b001/importcfg.link") || !contains(r.Link, "-o", workMark+"/b001/exe/a.out") {
		return false
	}
	config, err := os.ReadFile(filepath.Join(work, "b001", "importcfg.link"))
	if err != nil {
		return false
	}
	r.Packages = make(map[string]string)
	for _, line := range strings.Split(string(config), "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "packagefile":
			path, file, _ := strings.Cut(rest, "=")
			switch {
			case path == cell:
			case below(file, work):
				return false // compiled just now: not yet under its name in the build cache
			default:
				r.Packages[path] = file
			}
		case "modinfo":
			r.ModInfo = strings.ReplaceAll(line, cell, cellMark)
		case "", "#":
		default:
			return false // a directive not known here
		}
	}
	return len(r.Packages) > 0
}

// marked replaces the work directory by its mark.
func marked(words []string, work string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ReplaceAll(w, work, workMark)
	}
	return out
}

func contains(words []string, flag, value string) bool {
	for i := range words {
		if words[i] == flag && i+1 < len(words) && words[i+1] == value {
			return true
		}
	}
	return false
}

// splitWords splits a line of go build -x as the shell would, as far as such
// lines go: blanks separate, single and double quotes group. It refuses what it
// does not know.
func splitWords(line string) ([]string, bool) {
	var words []string
	var word strings.Builder
	in, quote := false, rune(0)
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, in = c, true
		case c == ' ':
			if in {
				words, in = append(words, word.String()), false
				word.Reset()
			}
		case strings.ContainsRune("\\`;&|<>()\t", c):
			return nil, false
		default:
			word.WriteRune(c)
			in = true
		}
	}
	if in {
		words = append(words, word.String())
	}
	return words, quote == 0
}
