package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ebmkit/hitchhiker/data"
)

// Time is what BenchmarkCompare has measured, in seconds for training with the
// budget of the task, in ms for drawing 1000 samples.
type Time struct{ data.Benchmark }

// FindTime returns a time from the rows of data.Benchmarks: what is "train" or
// "sample". It returns *ebmkit.ArgError, which says what to run, if there is none.
func FindTime(rows []data.Benchmark, task string, k Kind, what string) (Time, error) {
	b, err := data.FindBenchmark(rows, "compare/"+task+"/"+strings.ToLower(k.String())+"/"+what)
	return Time{b}, err
}

// String prints the median with the least and the most, to two digits and no fewer
// than all before the point, as in "0.49 (0.46 to 0.51)".
func (t Time) String() string {
	return fmt.Sprintf("%s (%s to %s)", twoDigits(t.Median), twoDigits(t.Min), twoDigits(t.Max))
}

func twoDigits(v float64) string {
	return fmt.Sprintf("%.*f", max(0, 1-int(math.Floor(math.Log10(v)))), v)
}

// Machines returns the machines on which the times of BenchmarkCompare were measured,
// each with the day, in the order of the rows.
func Machines(rows []data.Benchmark) []string {
	var all []string
	for _, b := range rows {
		m := b.Machine() + ", " + b.Date
		if b.Workload == "compare" && !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}
