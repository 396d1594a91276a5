package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Record holds the commands of one real build of a cell, with what they depend
// on. It serves every cell whose imports are among the packages of that build.
type Record struct {
	Compile  []string          // compile command; $WORK stands for the work directory
	Link     []string          // link command, likewise
	GOROOT   string            // environment of the link command
	ModInfo  string            // the modinfo line of the link's importcfg; $CELL stands for the cell's module
	Packages map[string]string // import path -> compiled package in Go's build cache
	Names    map[string]string // import path -> package name
	Dirs     []string          // directories that the user may edit and the build read
	Files    []string          // other files it depends on: go.mod, go.sum, the tools
	State    string            // state of Dirs and Files at that build
}

const (
	workMark = "$WORK"
	cellMark = "$CELL"
)

// maxRecords bounds the directory of records; the oldest goes first.
const maxRecords = 24

// covers says whether every import is a package of the record that a cell may
// import directly.
func (r *Record) covers(imports []string) bool {
	for _, path := range imports {
		if path == "unsafe" {
			continue
		}
		if _, ok := r.Packages[path]; !ok || restricted(path) {
			return false
		}
	}
	return true
}

// restricted says whether go build would have a word to say about who imports
// the package.
func restricted(path string) bool {
	if path == "C" {
		return true
	}
	for _, part := range strings.Split(path, "/") {
		if part == "internal" || part == "vendor" || part == "." || part == ".." {
			return true
		}
	}
	return false
}

// fresh says whether nothing that the build read has changed since.
func (r *Record) fresh() bool {
	state, _, err := state(r.Dirs, r.Files)
	return err == nil && state == r.State
}

// state sums up the names, sizes and modification times of the files in dirs
// (not below) and of files. It also returns the latest modification time.
func state(dirs, files []string) (sum string, latest time.Time, err error) {
	h := sha256.New()
	note := func(path string, info os.FileInfo) {
		fmt.Fprintf(h, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		if info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return "", latest, err
		}
		fmt.Fprintf(h, "dir %q\n", dir)
		for _, e := range entries {
			// Tests are not part of a cell, and directories are listed by
			// themselves if the build reads them.
			if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			path := filepath.Join(dir, e.Name())
			info, err := os.Stat(path)
			if errors.Is(err, os.ErrNotExist) {
				continue // an editor's dangling lock link, or gone meanwhile
			}
			if err != nil {
				return "", latest, err
			}
			note(path, info)
		}
	}
	for _, path := range files {
		info, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(h, "%q missing\n", path)
			continue
		}
		if err != nil {
			return "", latest, err
		}
		note(path, info)
	}
	return hex.EncodeToString(h.Sum(nil)), latest, nil
}

// keyOf names the circumstances of a build that are not files of the library:
// the go command, the variables that steer it, the cell's own module files.
// Records of other circumstances are never looked at.
func keyOf(dir, goCmd, cell string, environ []string) (string, error) {
	h := sha256.New()
	real, err := filepath.EvalSymlinks(goCmd)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "record 1\n%q %d %d\n", real, info.Size(), info.ModTime().UnixNano())
	environ = append([]string(nil), environ...)
	sort.Strings(environ)
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case strings.HasPrefix(name, "GONB"), name == "GOMAXPROCS", name == "GODEBUG", name == "GOTRACEBACK", name == "GOGC", name == "GOMEMLIMIT":
			// For the program that runs, not for the one that is built.
		case strings.HasPrefix(name, "GO"), strings.HasPrefix(name, "CGO_"), name == "HOME", name == "XDG_CONFIG_HOME", name == "XDG_CACHE_HOME":
			fmt.Fprintf(h, "%q\n", kv)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "go.work", "go.work.sum"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		fmt.Fprintf(h, "%q %q\n", name, strings.ReplaceAll(string(b), cell, cellMark))
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// findRecord returns a fresh record of the key that covers the imports, or nil.
// What it finds broken or stale it removes.
func findRecord(dir, key string, imports []string) *Record {
	paths, _ := filepath.Glob(filepath.Join(dir, key+"-*.json"))
	for _, path := range paths {
		r, err := readRecord(path)
		if err != nil {
			os.Remove(path)
			continue
		}
		if !r.covers(imports) {
			continue
		}
		if r.fresh() {
			return r
		}
		os.Remove(path)
	}
	return nil
}

func readRecord(path string) (*Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := new(Record)
	dec := json.NewDecoder(f)
	if err := dec.Decode(r); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one record")
	}
	if len(r.Compile) == 0 || len(r.Link) == 0 || len(r.Packages) == 0 || len(r.Dirs)+len(r.Files) == 0 {
		return nil, errors.New("incomplete record")
	}
	return r, nil
}

// write stores the record whole or not at all, under a name that tells its key
// and its packages, and keeps the number of records bounded.
func (r *Record) write(dir, key string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	paths := make([]string, 0, len(r.Packages))
	for path := range r.Packages {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	sum := sha256.Sum256([]byte(strings.Join(paths, "\n")))
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err = f.Write(data); err == nil {
		err = f.Close()
	} else {
		f.Close()
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, key+"-"+hex.EncodeToString(sum[:6])+".json")); err != nil {
		return err
	}
	prune(filepath.Join(dir, "*.json"), maxRecords)
	return nil
}

// prune removes the oldest files of the pattern, down to the number given.
func prune(pattern string, keep int) {
	paths, _ := filepath.Glob(pattern)
	if len(paths) <= keep {
		return
	}
	age := make(map[string]time.Time)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			age[path] = info.ModTime()
		}
	}
	sort.Slice(paths, func(i, j int) bool { return age[paths[i]].Before(age[paths[j]]) })
	for _, path := range paths[:len(paths)-keep] {
		os.Remove(path)
	}
}
