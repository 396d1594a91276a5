package data

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

//go:embed benchmarks.csv
var benchmarksFile string

const benchmarksHeader = "workload,name,unit,min,median,max,threads,cpu,go,date"

// Benchmark is a time or a rate that "make bench" has measured, with the machine
// on which it did.
type Benchmark struct {
	Workload, Name, Unit string // "w11", "w11/vae", "ms/step"
	Min, Median, Max     float64
	Threads              int
	CPU, Go, Date        string // model of the processor, version of Go, day in UTC
}

// Machine names processor, threads and version of Go.
func (b Benchmark) Machine() string {
	return fmt.Sprintf("%s, %d threads, %s", b.CPU, b.Threads, b.Go)
}

// Benchmarks returns the rows of benchmarks.csv, which "make bench" writes: rows
// of the same name are replaced by its latest run, others are kept, so that rows
// may come from different days and machines. Programs have the file as it was when
// they were built.
func Benchmarks() ([]Benchmark, error) { return ParseBenchmarks(benchmarksFile) }

// ParseBenchmarks reads a text with the columns
//
//	workload,name,unit,min,median,max,threads,cpu,go,date
//
// without quotes. It returns *ebmkit.ArgError with the row (from 1, the header)
// and the column if the header is another, a row has not ten fields or an empty
// one, a number is not positive and finite or min, median and max are not in
// order, or a name occurs twice.
func ParseBenchmarks(text string) ([]Benchmark, error) {
	const fn = "data.ParseBenchmarks"
	columns := strings.Split(benchmarksHeader, ",")
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	if head := strings.TrimSuffix(lines[0], "\r"); head != benchmarksHeader {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "row 1", Value: strconv.Quote(clip([]byte(head))), Want: benchmarksHeader}
	}
	seen := map[string]int{}
	out := make([]Benchmark, 0, len(lines)-1)
	for i, line := range lines[1:] {
		row := i + 2
		bad := func(column int, value any, want string) error {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("row %d, column %s", row, columns[column]), Value: value, Want: want}
		}
		f := strings.Split(strings.TrimSuffix(line, "\r"), ",")
		if len(f) != len(columns) {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("row %d", row), Value: fmt.Sprintf("%d fields", len(f)), Want: fmt.Sprintf("%d fields, no comma inside one", len(columns))}
		}
		for k, s := range f {
			if strings.TrimSpace(s) == "" {
				return nil, bad(k, strconv.Quote(s), "a text")
			}
		}
		b := Benchmark{Workload: f[0], Name: f[1], Unit: f[2], CPU: f[7], Go: f[8], Date: f[9]}
		for k, dst := range []*float64{&b.Min, &b.Median, &b.Max} {
			v, err := strconv.ParseFloat(f[3+k], 64)
			if err != nil || !(v > 0) || math.IsInf(v, 1) {
				return nil, bad(3+k, strconv.Quote(f[3+k]), "a positive number")
			}
			*dst = v
		}
		if b.Min > b.Median || b.Median > b.Max {
			return nil, bad(4, b.Median, "a number from min to max")
		}
		n, err := strconv.Atoi(f[6])
		if err != nil || n < 1 {
			return nil, bad(6, strconv.Quote(f[6]), "a whole number, at least 1")
		}
		b.Threads = n
		if at, ok := seen[b.Name]; ok {
			return nil, bad(1, b.Name, fmt.Sprintf("a name that does not occur before; row %d has it", at))
		}
		seen[b.Name] = row
		out = append(out, b)
	}
	return out, nil
}

// FindBenchmark returns the row with the name. It returns *ebmkit.ArgError, which
// says what to run, if there is none.
func FindBenchmark(rows []Benchmark, name string) (Benchmark, error) {
	for _, b := range rows {
		if b.Name == name {
			return b, nil
		}
	}
	w, _, _ := strings.Cut(name, "/")
	return Benchmark{}, &ebmkit.ArgError{Func: "data.FindBenchmark", Arg: "name", Value: name, Want: fmt.Sprintf("a name in benchmarks.csv: \"make bench W=%s\" writes its rows", w)}
}
