package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
)

// tidyImports does what goimports does for a cell whose imports are all there:
// it takes those out of the file that are not used, and adds flag for GoNB. It says whether it could; if
// not, the file is as it was and the real goimports has to be run.
//
// GoNB only reads the imports back from the file, so its layout is left alone.
func tidyImports(records, path string) bool {
	src, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	tidy, ok := dropUnused(src, func(imported string) string { return packageName(records, imported) })
	if !ok {
		return false
	}
	return bytes.Equal(tidy, src) || os.WriteFile(path, tidy, 0o666) == nil
}

// dropUnused returns src without its unused imports. It gives up (false) if an
// import is missing, or if it cannot tell the name of a package.
func dropUnused(src []byte, nameOf func(path string) string) ([]byte, bool) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "main.go", src, parser.ParseComments)
	if err != nil {
		return nil, false
	}
	// What stands before a dot and is declared nowhere in the file is a package.
	undeclared := make(map[*ast.Ident]bool)
	for _, id := range file.Unresolved {
		undeclared[id] = true
	}
	needed := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := sel.X.(*ast.Ident); ok && undeclared[id] {
				needed[id.Name] = true
			}
		}
		return true
	})
	offset := func(p token.Pos) int { return fset.File(p).Offset(p) }
	provided := make(map[string]bool)
	type span struct{ from, to int }
	var unused []span
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.IMPORT {
			continue
		}
		for _, s := range gen.Specs {
			spec := s.(*ast.ImportSpec)
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil || path == "C" {
				return nil, false
			}
			name := ""
			if spec.Name != nil {
				name = spec.Name.Name
			} else if name = nameOf(path); name == "" {
				return nil, false
			}
			if name == "_" {
				continue
			}
			if name == "." || provided[name] {
				return nil, false
			}
			provided[name] = true
			if needed[name] {
				continue
			}
			from, to := spec.Pos(), spec.End()
			if !gen.Lparen.IsValid() {
				from = gen.Pos() // the word import goes with it
			}
			unused = append(unused, span{offset(from), offset(to)})
		}
	}
	start := offset(file.Name.End())
	tidy := append([]byte(nil), src[:start]...)
	for name := range needed {
		if provided[name] {
			continue
		}
		if name != "flag" {
			return nil, false
		}
		// GoNB writes flag.Parse() into every main and leaves its import to goimports.
		tidy = append(tidy, "\n\nimport \"flag\"\n"...)
	}
	kept := start
	for _, u := range unused {
		tidy = append(tidy, src[kept:u.from]...)
		kept = u.to
	}
	return append(tidy, src[kept:]...), true
}

// packageName looks the package up in the records. Names do not go stale in a
// way that matters: a wrong one makes the compiler complain, no more.
func packageName(records, path string) string {
	files, _ := filepath.Glob(filepath.Join(records, "*.json"))
	for _, file := range files {
		if r := cachedRecord(file); r != nil && r.Names[path] != "" {
			return r.Names[path]
		}
	}
	return ""
}

var recordCache = make(map[string]*Record)

func cachedRecord(file string) *Record {
	r, ok := recordCache[file]
	if !ok {
		r, _ = readRecord(file)
		recordCache[file] = r
	}
	return r
}
