package compare_test

import (
	"context"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/compare"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// BenchmarkCompare times what notebook 3.5 compares, at its full budgets: training
// on all cores, and drawing 1,000 samples.
func BenchmarkCompare(b *testing.B) {
	ctx := context.Background()
	for _, c := range []struct {
		task   *compare.Task
		budget int
	}{
		{must(compare.NewRing(4000, 1000, 1)), compare.PlaneBudget},
		{must(compare.NewMoons(4000, 1000, 1)), compare.PlaneBudget},
		{must(compare.NewDigits(0, 1)), compare.DigitsBudget},
	} {
		for _, k := range compare.Kinds() {
			var m *compare.Model
			name := c.task.Name + "/" + strings.ToLower(k.String())
			b.Run(name+"/train", func(b *testing.B) {
				for b.Loop() {
					m = must(compare.Train(ctx, k, c.task, c.budget, 1, nil))
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s")
				b.ReportMetric(float64(m.GradEvals()), "check-evals")
			})
			b.Run(name+"/sample", func(b *testing.B) {
				if m == nil {
					m = must(compare.New(k, c.task, 1))
				}
				must(m.Sample(ctx, 1000, 1)) // warm
				b.ResetTimer()
				for b.Loop() {
					must(m.Sample(ctx, 1000, 1))
				}
				b.ReportMetric(1e3*b.Elapsed().Seconds()/float64(b.N), "ms/1000")
			})
		}
	}
}
