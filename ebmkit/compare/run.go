package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/evaluate"
	"github.com/ebmkit/hitchhiker/internal/par"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// Budgets of notebook 3.5 at full size and of BenchmarkCompare, which all recipes
// spend to the last row.
const (
	PlaneBudget  = 1_024_000
	DigitsBudget = 512_000
)

// Config says what Run compares.
type Config struct {
	Budget       int    // gradient evaluations of each model
	Seeds        int    // runs of each kind
	FirstSeed    uint64 // of them; the others follow
	Kinds        []Kind // nil: the six models and both controls
	Samples      int    // drawn of each model; 0 means as many as there are held-out points
	Permutations int    // for the null levels; 0 means 99

	// Dir is a folder for the models that are finished, so that an interrupted Run
	// goes on with the next; empty means none. Files of another configuration are
	// not read.
	Dir string

	// Progress, if not nil, is called now and then with the gradient evaluations
	// done and their total. It must not change anything.
	Progress func(done, total int)
}

// Result is one trained model and what was found out about it.
type Result struct {
	Kind   Kind
	Seed   uint64
	Params []float64 // of its networks

	NumParams, GradEvals, Weights int // Weights: see the package's documentation

	X          []float64 // samples, row by row
	LogDensity []float64 // at the held-out points; nil if there is none
	Shared     float64   // standard error of what they have in common, log Z
	Report     evaluate.Report
}

// Run trains Config.Seeds models of each kind on the task, on all cores, samples
// them and judges the samples. Results are in the order of kinds, then seeds, and
// do not depend on the number of cores. It returns *ebmkit.ArgError for arguments
// out of range, the first error of Train otherwise, and ctx's error if it ends.
func Run(ctx context.Context, t *Task, cfg Config) ([]Result, error) {
	const fn = "compare.Run"
	if err := t.check(fn); err != nil {
		return nil, err
	}
	if cfg.Seeds < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "Seeds", Value: cfg.Seeds, Want: "at least 1"}
	}
	if cfg.Kinds == nil {
		cfg.Kinds = append(Kinds(), Gaussian, Training)
	}
	if cfg.Samples == 0 {
		cfg.Samples = t.HeldOut.N
	}
	judge, err := t.Judge(cfg.Permutations, cfg.FirstSeed)
	if err != nil {
		return nil, err
	}
	c := &campaign{t: t, cfg: cfg, judge: judge, results: make([]Result, len(cfg.Kinds)*cfg.Seeds), done: make([]int, len(cfg.Kinds)*cfg.Seeds)}
	for _, k := range cfg.Kinds {
		m, err := New(k, t, cfg.FirstSeed)
		if err != nil {
			return nil, err
		}
		if one, _ := m.Step(); one > 0 {
			if cfg.Budget < one {
				return nil, &ebmkit.ArgError{Func: fn, Arg: "Budget", Value: cfg.Budget, Want: fmt.Sprintf("at least %d, one step of %v on %s", one, k, t.Name)}
			}
			c.total += cfg.Budget / one * one * cfg.Seeds
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c.stop = stop
	err = par.For(ctx, len(c.results), func(i int) {
		r, err := c.one(ctx, cfg.Kinds[i/cfg.Seeds], cfg.FirstSeed+uint64(i%cfg.Seeds), i)
		if err != nil {
			c.fail(err)
			return
		}
		c.results[i] = *r
	})
	if c.err != nil {
		return nil, c.err
	}
	if err != nil {
		return nil, err
	}
	return c.results, nil
}

// Of returns the results of one kind, in their order.
func Of(results []Result, k Kind) []Result {
	var of []Result
	for _, r := range results {
		if r.Kind == k {
			of = append(of, r)
		}
	}
	return of
}

// Summarize returns the spread over seeds of what one kind has reached. It returns
// *ebmkit.ArgError if there is no result of the kind.
func Summarize(results []Result, k Kind) (*evaluate.Summary, error) {
	var reports []*evaluate.Report
	for _, r := range Of(results, k) {
		reports = append(reports, &r.Report)
	}
	if len(reports) == 0 {
		return nil, &ebmkit.ArgError{Func: "compare.Summarize", Arg: "k", Value: k, Want: "a kind of which there are results"}
	}
	return evaluate.Summarize(reports)
}

// Summaries returns Summarize of each of the kinds, in the order given; without
// kinds, of each that there is, in the order of the results.
func Summaries(results []Result, kinds ...Kind) ([]*evaluate.Summary, error) {
	if len(kinds) == 0 {
		for _, r := range results {
			if !slices.Contains(kinds, r.Kind) {
				kinds = append(kinds, r.Kind)
			}
		}
	}
	var all []*evaluate.Summary
	for _, k := range kinds {
		s, err := Summarize(results, k)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Model returns the trained model, made anew for the task that it was trained on. It
// returns *ebmkit.ArgError as New does, or if the parameters do not fit.
func (r Result) Model(t *Task) (*Model, error) {
	m, err := New(r.Kind, t, r.Seed)
	if err != nil {
		return nil, err
	}
	if err := m.SetParams(r.Params); err != nil {
		return nil, err
	}
	if one, _ := m.Step(); one > 0 {
		m.done = r.GradEvals / one
	}
	return m, nil
}

// campaign is a Run at work.
type campaign struct {
	t       *Task
	cfg     Config
	judge   *evaluate.Judge
	results []Result
	total   int

	mu   sync.Mutex
	done []int // gradient evaluations of each result
	sum  int
	err  error
	stop func()
}

func (c *campaign) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// An error that only says that another one stopped everything is no news.
	if c.err == nil || errors.Is(c.err, context.Canceled) {
		c.err = err
	}
	c.stop()
}

func (c *campaign) tick(i, evals int) {
	if c.cfg.Progress == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum += evals - c.done[i]
	c.done[i] = evals
	c.cfg.Progress(c.sum, c.total)
}

func (c *campaign) one(ctx context.Context, k Kind, seed uint64, i int) (*Result, error) {
	path := c.file(k, seed)
	r, err := c.load(path, k, seed)
	if err != nil {
		if r, err = c.make(ctx, k, seed, i); err != nil {
			return nil, err
		}
		if path != "" {
			if err := c.save(path, r); err != nil {
				return nil, err
			}
		}
	}
	c.tick(i, r.GradEvals)
	rep, err := c.judge.Report(evaluate.Generator{Name: k.String(), Samples: &ebmkit.Ensemble{N: c.cfg.Samples, Dim: c.t.Train.Dim, X: r.X},
		LogDensity: r.LogDensity, Params: r.NumParams, GradEvals: r.GradEvals})
	if err != nil {
		return nil, fmt.Errorf("compare: %v on %s, seed %d: %w", k, c.t.Name, seed, err)
	}
	r.Report = *rep
	return r, nil
}

func (c *campaign) make(ctx context.Context, k Kind, seed uint64, i int) (*Result, error) {
	m, err := Train(ctx, k, c.t, c.cfg.Budget, seed, func(evals int) { c.tick(i, evals) })
	if err != nil {
		return nil, err
	}
	x, err := m.Sample(ctx, c.cfg.Samples, seed)
	if err != nil {
		return nil, err
	}
	ld, shared, err := m.LogDensity(ctx, c.t.HeldOut, seed)
	if err != nil {
		return nil, err
	}
	_, weights := m.Step()
	return &Result{Kind: k, Seed: seed, Params: m.Params(), NumParams: m.NumParams(), GradEvals: m.GradEvals(), Weights: m.done * weights,
		X: x.X, LogDensity: ld, Shared: shared}, nil
}

// Files of finished models.
const (
	fileKind    = "compare"
	fileVersion = 1
)

func (c *campaign) file(k Kind, seed uint64) string {
	if c.cfg.Dir == "" {
		return ""
	}
	return filepath.Join(c.cfg.Dir, fmt.Sprintf("%s-%d-%d.npz", c.t.Name, k, seed))
}

// identity tells runs apart whose results would differ.
func (c *campaign) identity(k Kind, seed uint64) map[string]string {
	return map[string]string{
		"task": c.t.Name, "kind": k.String(), "seed": fmt.Sprint(seed), "budget": fmt.Sprint(c.cfg.Budget), "samples": fmt.Sprint(c.cfg.Samples),
		"recipe": fmt.Sprint(recipeFor(k, c.t)),
		"data":   store.SHA256(fmt.Append(nil, c.t.Train.N, c.t.HeldOut.N, c.t.Train.X[:2], c.t.HeldOut.X[:2])),
	}
}

func (c *campaign) save(path string, r *Result) error {
	if err := os.MkdirAll(c.cfg.Dir, 0o755); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	return store.Save(path, &store.File{Kind: fileKind, Version: fileVersion, Config: c.identity(r.Kind, r.Seed), Arrays: []store.Array{
		store.Vector("params", r.Params), store.Vector("x", r.X), store.Vector("logdensity", r.LogDensity),
		store.Vector("counts", []float64{float64(r.NumParams), float64(r.GradEvals), float64(r.Weights), r.Shared}),
	}})
}

// load returns a result that save wrote, and an error for anything else.
func (c *campaign) load(path string, k Kind, seed uint64) (*Result, error) {
	if path == "" {
		return nil, os.ErrNotExist
	}
	f, err := store.Load(path, fileKind, fileVersion)
	if err != nil {
		return nil, err
	}
	for key, want := range c.identity(k, seed) {
		if f.Config[key] != want {
			return nil, fmt.Errorf("compare: %s is of another run: %s is %s, not %s", path, key, f.Config[key], want)
		}
	}
	v := map[string][]float64{}
	for _, a := range f.Arrays {
		v[a.Name], _ = a.Data.([]float64)
	}
	n := v["counts"]
	if len(n) != 4 || len(v["x"]) != c.cfg.Samples*c.t.Train.Dim || len(v["logdensity"]) != 0 && len(v["logdensity"]) != c.t.HeldOut.N {
		return nil, fmt.Errorf("compare: %s has arrays of the wrong size", path)
	}
	r := &Result{Kind: k, Seed: seed, Params: v["params"], NumParams: int(n[0]), GradEvals: int(n[1]), Weights: int(n[2]), Shared: n[3], X: v["x"]}
	if len(v["logdensity"]) > 0 {
		r.LogDensity = v["logdensity"]
	}
	return r, nil
}
