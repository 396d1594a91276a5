package data

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Table is N rows of Dim numbers, row-major, with the names of the columns.
type Table struct {
	N, Dim int
	X      []float64 // N*Dim
	Names  []string  // Dim names, "x1", "x2", .. where the file has none
}

// LoadCSV reads a file of numbers: one row a line, the same number of fields in
// each, separated by commas, semicolons or tabs (whichever the first line has;
// decimal points, not commas). A first line none of whose fields is a number is
// taken as the names of the columns. Names may be in double quotes. Blank lines
// at the end are ignored.
//
// It returns *ebmkit.ArgError, naming file, row and column (from 1), for a file
// that cannot be read, has no row, rows of different length, or a field that is
// not a finite number: NaN, Inf and empty fields are refused, never filled in.
func LoadCSV(path string) (*Table, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, &ebmkit.ArgError{Func: "data.LoadCSV", Arg: "path", Value: path, Want: "a readable file (" + err.Error() + ")"}
	}
	return ParseCSV(filepath.Base(path), b)
}

// ParseCSV is LoadCSV of a file that is in memory already; the name is for
// errors.
func ParseCSV(name string, b []byte) (*Table, error) {
	fail := func(where string, value any, want string) (*Table, error) {
		return nil, &ebmkit.ArgError{Func: "data.LoadCSV", Arg: name + where, Value: value, Want: want}
	}
	if !utf8.Valid(b) {
		return fail("", "bytes that are not UTF-8", "a text file")
	}
	text := strings.TrimPrefix(string(b), "\ufeff")
	text = strings.TrimRight(text, "\r\n \t")
	if text == "" {
		return fail("", "no rows", "at least one row of numbers")
	}
	lines := strings.Split(text, "\n")
	sep := ","
	for _, s := range []string{"\t", ";"} {
		if strings.Contains(lines[0], s) && !strings.Contains(lines[0], ",") {
			sep = s
		}
	}
	t := &Table{}
	for r, line := range lines {
		fields := strings.Split(strings.TrimSuffix(line, "\r"), sep)
		if r == 0 {
			t.Dim = len(fields)
			if t.Names = header(fields); t.Names != nil {
				continue
			}
			for k := range fields {
				t.Names = append(t.Names, fmt.Sprintf("x%d", k+1))
			}
			t.X = make([]float64, 0, len(lines)*t.Dim)
		}
		if len(fields) != t.Dim {
			return fail(fmt.Sprintf(", row %d", r+1), fmt.Sprintf("%d fields", len(fields)), fmt.Sprintf("%d, as in row 1", t.Dim))
		}
		for k, f := range fields {
			v, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return fail(fmt.Sprintf(", row %d, column %d (%s)", r+1, k+1, t.Names[k]), strconv.Quote(clip([]byte(f))), "a finite number")
			}
			t.X = append(t.X, v)
		}
		t.N++
	}
	if t.N == 0 {
		return fail(", row 2", "the end", "at least one row of numbers under the header")
	}
	return t, nil
}

// header returns the names of the columns if no field is a number, else nil.
func header(fields []string) []string {
	names := make([]string, len(fields))
	for k, f := range fields {
		f = strings.TrimSpace(f)
		if n := len(f); n >= 2 && f[0] == '"' && f[n-1] == '"' {
			f = f[1 : n-1]
		}
		// A number, or something that should be one, makes this a row of numbers,
		// whose errors are reported as such. NaN is never a name.
		if _, err := strconv.ParseFloat(f, 64); err == nil || f == "" {
			return nil
		}
		names[k] = f
	}
	return names
}

// Points returns the rows as an ensemble that shares memory with the table.
func (t *Table) Points() *ebmkit.Ensemble { return &ebmkit.Ensemble{N: t.N, Dim: t.Dim, X: t.X} }

// Select returns a table with copies of the named columns, in the order given.
// It returns *ebmkit.ArgError if no name is given or there is no such column.
func (t *Table) Select(names ...string) (*Table, error) {
	const fn = "data.Table.Select"
	if len(names) == 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "names", Value: "none", Want: "at least one"}
	}
	at := make([]int, len(names))
	for k, n := range names {
		if at[k] = slices.Index(t.Names, n); at[k] < 0 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("names[%d]", k), Value: n, Want: fmt.Sprintf("one of %v", t.Names)}
		}
	}
	out := &Table{N: t.N, Dim: len(at), X: make([]float64, 0, t.N*len(at)), Names: slices.Clone(names)}
	for i := range t.N {
		for _, k := range at {
			out.X = append(out.X, t.X[i*t.Dim+k])
		}
	}
	return out, nil
}

// Standardized returns a table whose columns have mean 0 and standard deviation 1
// (divisor N), with the means and deviations that were taken out:
//
//	x_ij = mean_j + sd_j y_ij.
//
// It returns *ebmkit.ArgError if a column is constant or overflows.
func (t *Table) Standardized() (out *Table, mean, sd []float64, err error) {
	mean, sd = make([]float64, t.Dim), make([]float64, t.Dim)
	for i, v := range t.X {
		mean[i%t.Dim] += v / float64(t.N)
	}
	for i, v := range t.X {
		d := v - mean[i%t.Dim]
		sd[i%t.Dim] += float64(d*d) / float64(t.N)
	}
	for k, v := range sd {
		sd[k] = math.Sqrt(v)
		// The rounding of the mean alone can look like a tiny spread.
		if !(sd[k] > 1e-14*math.Abs(mean[k])) || math.IsInf(sd[k], 1) {
			return nil, nil, nil, &ebmkit.ArgError{Func: "data.Table.Standardized", Arg: fmt.Sprintf("standard deviation of column %d (%s)", k+1, t.Names[k]), Value: sd[k],
				Want: "a positive finite number (leave constant columns out with Select)"}
		}
	}
	out = &Table{N: t.N, Dim: t.Dim, X: make([]float64, len(t.X)), Names: slices.Clone(t.Names)}
	for i, v := range t.X {
		out.X[i] = (v - mean[i%t.Dim]) / sd[i%t.Dim]
	}
	return out, mean, sd, nil
}
