package compare_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/compare"
)

// What is made of results, checked on a run of four kinds.
func TestResults(t *testing.T) {
	moons := must(compare.NewMoons(600, 50, 1))
	kinds := []compare.Kind{compare.Training, compare.GAN, compare.Gaussian, compare.Flow}
	results := must(compare.Run(ctx, moons, compare.Config{Budget: 1280, Seeds: 2, Kinds: kinds, Permutations: 19}))

	// A model that is made anew draws what it drew when it was trained.
	for _, r := range results {
		m := must(r.Model(moons))
		if x := must(m.Sample(ctx, moons.HeldOut.N, r.Seed)); !slices.Equal(x.X, r.X) {
			t.Errorf("%v, seed %d: other samples", r.Kind, r.Seed)
		}
		if m.Kind() != r.Kind || m.GradEvals() != r.GradEvals {
			t.Errorf("%v: %v with %d gradient evaluations, want %d", r.Kind, m.Kind(), m.GradEvals(), r.GradEvals)
		}
		// Cost foretells what training spent.
		want := compare.Cost{Params: r.NumParams, StepEvals: m.Cost(1280).StepEvals, Steps: m.Cost(1280).Steps, GradEvals: r.GradEvals, Weights: r.Weights}
		if got := m.Cost(1280); got != want || got.Steps*got.StepEvals != r.GradEvals {
			t.Errorf("%v: cost %+v, want %+v", r.Kind, got, want)
		}
	}
	gan := must(compare.New(compare.GAN, moons, 1))
	one, weights := gan.Step()
	if got := gan.Cost(3*one + one/2); got.Steps != 3 || got.GradEvals != 3*one || got.Weights != 3*weights {
		t.Errorf("three and a half steps cost %+v", got)
	}
	if got := gan.Cost(one - 1); got.Steps != 0 || got.GradEvals != 0 {
		t.Errorf("less than a step costs %+v", got)
	}

	var names []string
	for _, s := range must(compare.Summaries(results)) {
		names = append(names, s.Name)
		if s.Runs != 2 {
			t.Errorf("%s: %d runs", s.Name, s.Runs)
		}
	}
	if want := []string{"training data", "GAN", "Gaussian", "flow"}; !slices.Equal(names, want) {
		t.Errorf("summaries of %v, want %v", names, want)
	}
	if s := must(compare.Summaries(results, compare.Flow, compare.GAN)); len(s) != 2 || s[0].Name != "flow" || s[1].Name != "GAN" {
		t.Errorf("%v", s)
	}

	shown := compare.Gallery(moons, results)
	if len(shown) != 4 || shown[0].Name != "held out" || !slices.Equal(shown[0].X, moons.HeldOut.X) {
		t.Fatalf("%d samples, the first %s", len(shown), shown[0].Name)
	}
	for i, k := range []compare.Kind{compare.GAN, compare.Gaussian, compare.Flow} {
		if s := shown[i+1]; s.Name != k.String() || !slices.Equal(s.X, compare.Of(results, k)[0].X) {
			t.Errorf("sample %d is of %s, want the first %v", i+1, s.Name, k)
		}
	}

	for _, err := range []error{
		func() error { _, err := compare.Summaries(results, compare.VAE); return err }(),
		func() error { _, err := results[2].Model(nil); return err }(),
		func() error { _, err := (compare.Result{Kind: compare.GAN}).Model(moons); return err }(),
	} {
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) {
			t.Errorf("want an ArgError, got %v", err)
		}
	}
}

func TestTimes(t *testing.T) {
	rows := must(data.ParseBenchmarks(`workload,name,unit,min,median,max,threads,cpu,go,date
w11,w11/vae,ms/step,1,1,1,8,Other,go1.1,2026-01-01
compare,compare/ring/ebm/train,s,0.456,0.49,0.514,2,Fast,go1.26,2026-01-02
compare,compare/ring/ebm/sample,ms/1000,270.1,281.4,288,2,Fast,go1.26,2026-01-02
compare,compare/moons/gan/sample,ms/1000,0.0949,9.96,31,4,Slow,go1.26,2026-01-03
`))
	for _, c := range []struct {
		task string
		k    compare.Kind
		what string
		want string
	}{
		{"ring", compare.EBM, "train", "0.49 (0.46 to 0.51)"},
		{"ring", compare.EBM, "sample", "281 (270 to 288)"},
		{"moons", compare.GAN, "sample", "10.0 (0.095 to 31)"},
	} {
		if got := must(compare.FindTime(rows, c.task, c.k, c.what)).String(); got != c.want {
			t.Errorf("%s of %v on %s: %q, want %q", c.what, c.k, c.task, got, c.want)
		}
	}
	if got, want := compare.Machines(rows), []string{"Fast, 2 threads, go1.26, 2026-01-02", "Slow, 4 threads, go1.26, 2026-01-03"}; !slices.Equal(got, want) {
		t.Errorf("machines %q, want %q", got, want)
	}
	var arg *ebmkit.ArgError
	if _, err := compare.FindTime(rows, "moons", compare.EBM, "train"); !errors.As(err, &arg) {
		t.Errorf("want an ArgError, got %v", err)
	}
	// The rows that notebook 3.5 shows are there.
	all := must(data.Benchmarks())
	for _, task := range []string{"ring", "moons", "digits"} {
		for _, k := range compare.Kinds() {
			for _, what := range []string{"train", "sample"} {
				must(compare.FindTime(all, task, k, what))
			}
		}
	}
}
