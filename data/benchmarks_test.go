package data

import (
	"errors"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

func TestBenchmarks(t *testing.T) {
	rows := must(Benchmarks())
	for _, b := range rows {
		if !strings.HasPrefix(b.Name, b.Workload+"/") {
			t.Errorf("%s is a row of %s", b.Name, b.Workload)
		}
	}
	const good = benchmarksHeader + "\nw11,w11/vae,ms/step,5.4,5.5,6e0,2,Some CPU @ 2 GHz,go1.26.8,2026-11-24\nw1,w1/ula,ns,1,2,3,1,X,go1,2026-01-01\n"
	for _, text := range []string{good, strings.TrimRight(good, "\n"), strings.ReplaceAll(good, "\n", "\r\n")} {
		rows := must(ParseBenchmarks(text))
		b := must(FindBenchmark(rows, "w11/vae"))
		if want := (Benchmark{"w11", "w11/vae", "ms/step", 5.4, 5.5, 6, 2, "Some CPU @ 2 GHz", "go1.26.8", "2026-11-24"}); len(rows) != 2 || b != want {
			t.Errorf("%+v", rows)
		}
		if got, want := b.Machine(), "Some CPU @ 2 GHz, 2 threads, go1.26.8"; got != want {
			t.Errorf("machine %q, want %q", got, want)
		}
	}
	var arg *ebmkit.ArgError
	if _, err := FindBenchmark(must(ParseBenchmarks(good)), "compare/ring"); !errors.As(err, &arg) || !strings.Contains(arg.Want, "make bench W=compare") {
		t.Error(err)
	}
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for at, text := range map[string]string{
		"row 1":                   swap("workload,", ""),
		"row 2":                   swap("Some CPU", "Some, CPU"),
		"row 3":                   swap("w1,w1/ula", "w1/ula"),
		"row 2, column min":       swap("5.4", "-1"),
		"row 2, column median":    swap("5.5", "7"),
		"row 2, column max":       swap("6e0", "NaN"),
		"row 2, column threads":   swap(",2,Some", ",0,Some"),
		"row 2, column cpu":       swap("Some CPU @ 2 GHz", " "),
		"row 3, column name":      swap("w1/ula", "w11/vae"),
		"row 3, column date":      swap("2026-01-01", ""),
		"row 2, column workload ": "",
	} {
		if text == "" { // an empty file has no header
			at = "row 1"
		}
		if _, err := ParseBenchmarks(text); !errors.As(err, &arg) || arg.Arg != at {
			t.Errorf("want an error about %q, got %v", at, err)
		}
	}
}

func FuzzBenchmarks(f *testing.F) {
	f.Add(benchmarksFile)
	f.Add(benchmarksHeader + "\na,b,c,1,1,1,1,x,y,z\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := ParseBenchmarks(text)
		for _, b := range rows {
			if err != nil || !(b.Min > 0) || b.Threads < 1 || b.Name == "" {
				t.Errorf("%+v, %v", b, err)
			}
		}
	})
}
