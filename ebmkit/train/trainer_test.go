package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/spin"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/store"
)

// run is a training that can be made again and again.
type run struct {
	name  string
	model func() train.Model
	data  *ebmkit.Ensemble
	obj   train.Objective
	opt   func() train.Optimizer
	cfg   train.Config
}

func (r run) trainer() *train.Trainer {
	return must(train.New(r.model(), r.data, r.obj, r.opt(), r.cfg))
}

func runs() []run {
	data1 := must(ebmkit.Draw(mixture1(), 300, 1))
	data2 := must(ebmkit.Draw(must(energy.NewRing(3, 1, 0.4)), 300, 1))
	bits := must(ebmkit.NewEnsemble(50, 6))
	s := ebmkit.NewStream(3, "bits", 0)
	for i := range bits.X {
		bits.X[i] = float64(s.IntN(2))
	}
	mix := func() train.Model { return mixture1() }
	network := func() train.Model {
		return must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{2, 8, 8, 1}, Act: nn.SiLU, Seed: 1})), 2))
	}
	rbm := func() train.Model {
		m := must(spin.NewRBM(6, 4))
		m.Randomize(0.1, 1)
		return m
	}
	quick := func() train.Optimizer { return sgd(0.1) }
	slow, fast := func() train.Optimizer { return sgd(0.01) }, func() train.Optimizer { return adam(0.005) }
	heavy := func() train.Optimizer { return must(nn.NewMomentum[float64](nn.Constant(0.005), 0.9)) }
	ula := mcmc.ULA{Step: 0.01}
	return []run{
		{"CD", mix, data1, train.CD{Walkers: 100, Kernel: ula, Steps: 3}, slow, train.Config{Seed: 2}},
		{"CD from noise", mix, data1, train.CD{Walkers: 100, Kernel: mcmc.MALA{Step: 0.05}, Steps: 3, From: gauss1(0, 2)}, slow, train.Config{Batch: 70}},
		{"PCD, network", network, data2, train.PCD{Walkers: 150, Kernel: ula, Steps: 5}, fast, train.Config{Batch: 64, Clip: 0.5}},
		{"PCD, renewed", mix, data1, train.PCD{Walkers: 500, Kernel: mcmc.HMC{Step: 0.1, Leapfrog: 3}, Renew: 0.1}, heavy, train.Config{KeepPath: true}},
		{"PCD, Gibbs", rbm, bits, train.PCD{Walkers: 70, Kernel: mcmc.Gibbs{}}, slow, train.Config{Batch: 20}},
		{"PCD, underdamped", mix, data1, train.PCD{Walkers: 70, Kernel: mcmc.Underdamped{Step: 0.1, Friction: 1}, Steps: 2}, slow, train.Config{}},
		{"Replay", network, data2, train.Replay{Buffer: 400, Walkers: 100, Kernel: ula, Steps: 4, Renew: 0.05, From: iso(1, 0, 0)}, fast, train.Config{Batch: 100}},
		{"Jarzynski", mix, data1, train.Jarzynski{Walkers: 200, Kernel: ula, Resample: 0.999}, quick, train.Config{KeepPath: true}},
		{"Jarzynski, MALA", mix, data1, train.Jarzynski{Walkers: 200, Kernel: mcmc.MALA{Step: 0.05}, Steps: 2, Resample: 0.999}, quick, train.Config{}},
		{"Exact", mix, data1, train.Exact{}, heavy, train.Config{}},
		{"NCE", network, data2, train.NCE{Noise: iso(1.5, 0, 0), Ratio: 2}, fast, train.Config{Batch: 128}},
		{"ISM", network, data2, train.ISM{}, fast, train.Config{Batch: 128}},
		{"DSM, field", func() train.Model { return field(3, 2) }, data2, train.DSM{Sigma: 0.3}, fast, train.Config{}},
		{"SSM, field", func() train.Model { return field(3, 2) }, data2, train.SSM{Slices: 2}, fast, train.Config{Batch: 99}},
	}
}

// bitsOf returns everything that training left behind.
func bitsOf(t *train.Trainer) string {
	var b strings.Builder
	put := func(v ...float64) {
		for _, x := range v {
			fmt.Fprintf(&b, "%x ", math.Float64bits(x))
		}
	}
	put(t.Params()...)
	put(t.Extra()...)
	for _, r := range t.History() {
		put(float64(r.Step), r.Loss, r.GradNorm, r.DataEnergy, r.WalkerEnergy, r.Accept, r.ESS, r.LogZ)
		fmt.Fprint(&b, r.Resampled)
	}
	if w := t.Walkers(); w != nil {
		put(w.X...)
		put(w.LogW...)
	}
	if p := t.Path(); p != nil {
		put(p.X...)
	}
	return b.String()
}

func TestSameBitsOnAnyNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, r := range runs() {
		var want string
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			tr := r.trainer()
			if err := tr.Fit(ctx, 6); err != nil {
				t.Errorf("%s: %v", r.name, err)
			}
			if got := bitsOf(tr); want == "" {
				want = got
			} else if got != want {
				t.Errorf("%s: other bits on %d cores", r.name, procs)
			}
		}
		r.cfg.Seed++
		if tr := r.trainer(); tr.Fit(ctx, 6) == nil && bitsOf(tr) == want && r.name != "Exact" {
			t.Errorf("%s: the seed changes nothing", r.name)
		}
	}
}

// A run that is saved and loaded half-way, in a trainer of its own, ends with the
// bits of one that was not.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	var resampled bool
	for i, r := range runs() {
		whole := r.trainer()
		if err := whole.Fit(ctx, 13); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		for _, rec := range whole.History()[:6] {
			resampled = resampled || rec.Resampled
		}
		path := filepath.Join(dir, fmt.Sprint(i, ".npz"))
		first := r.trainer()
		if err := first.Fit(ctx, 6); err != nil {
			t.Fatal(err)
		}
		if err := first.Save(path); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		second := r.trainer()
		if err := second.Load(path); err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		if second.Steps() != 6 || bitsOf(second) != bitsOf(first) {
			t.Errorf("%s: loaded another state", r.name)
		}
		if err := second.Fit(ctx, 13); err != nil {
			t.Fatal(err)
		}
		if bitsOf(second) != bitsOf(whole) {
			t.Errorf("%s: other bits after resuming", r.name)
		}
		// Saving once more gives the same bytes.
		again := filepath.Join(dir, "again.npz")
		if err := whole.Save(path); err != nil {
			t.Fatal(err)
		}
		if err := second.Save(again); err != nil {
			t.Fatal(err)
		}
		if a, b := must(os.ReadFile(path)), must(os.ReadFile(again)); !slices.Equal(a, b) {
			t.Errorf("%s: the files differ", r.name)
		}
	}
	if !resampled {
		t.Error("no run has resampled before it was saved")
	}
}

func TestLoadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	all := runs()
	base := all[0]
	tr := base.trainer()
	if err := tr.Fit(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(r *run){
		"model":      func(r *run) { r.model = func() train.Model { return gauss1(0, 1) } },
		"parameters": func(r *run) { r.model = func() train.Model { return threeModes() } },
		"data":       func(r *run) { r.data = must(ebmkit.Draw(mixture1(), 300, 8)) },
		"objective":  func(r *run) { r.obj = train.CD{Walkers: 100, Kernel: mcmc.ULA{Step: 0.01}, Steps: 4} },
		"optimizer":  func(r *run) { r.opt = func() train.Optimizer { return adam(0.01) } },
		"seed":       func(r *run) { r.cfg.Seed = 99 },
		"batch":      func(r *run) { r.cfg.Batch = 10 },
		"path":       func(r *run) { r.cfg.KeepPath = true },
	} {
		r := base
		change(&r)
		other := r.trainer()
		before := bitsOf(other)
		err := other.Load(path)
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) || arg.Arg != what || !strings.Contains(err.Error(), path) {
			t.Errorf("another %s: %v", what, err)
		}
		if bitsOf(other) != before {
			t.Errorf("another %s: refused, but changed", what)
		}
	}
	// A network of another form with the same number of parameters.
	r := run{model: func() train.Model { return net(1, 2, 6, 5, 1) }, data: all[2].data, obj: train.ISM{}, opt: func() train.Optimizer { return sgd(0.1) }}
	tr = r.trainer()
	tr.Step()
	if err := tr.Save(path); err != nil {
		t.Fatal(err)
	}
	r.model = func() train.Model {
		return must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{2, 6, 5, 1}, Act: nn.Tanh, Precision: nn.Float64, Seed: 1})), 2))
	}
	other := r.trainer()
	before := bitsOf(other)
	var arg *ebmkit.ArgError
	if err := other.Load(path); !errors.As(err, &arg) || arg.Arg != "model" || bitsOf(other) != before {
		t.Errorf("another activation: %v", err)
	}
	// A file that says it has more steps than it holds.
	f := must(store.Load(path, "train.Trainer", 1))
	for _, steps := range []string{"2", "1099511627776", "-1", "x"} {
		f.Config["step"] = steps
		if err := store.Save(path, f); err != nil {
			t.Fatal(err)
		}
		r.model = func() train.Model { return net(1, 2, 6, 5, 1) }
		liar := r.trainer()
		if err := liar.Load(path); !errors.As(err, &arg) || liar.Steps() != 0 {
			t.Errorf("%s steps: %v", steps, err)
		}
	}
	// Damage, and no file.
	b := must(os.ReadFile(path))
	for _, cut := range []int{0, 10, len(b) / 2, len(b) - 1} {
		if err := os.WriteFile(path, b[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if err := other.Load(path); !errors.As(err, &arg) || bitsOf(other) != before {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	if err := other.Load(path + "?"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func threeModes() *energy.Mixture {
	return must(energy.NewMixture1D([]float64{1, 1, 1}, []float64{-1, 0, 1}, []float64{1, 1, 1}))
}

// Whenever the program is killed, a whole checkpoint is there.
func TestKilled(t *testing.T) {
	if path := os.Getenv("EBMKIT_TRAIN_CHILD"); path != "" {
		r := runs()[2]
		r.cfg.Checkpoint, r.cfg.CheckpointEvery = path, 1
		r.trainer().Fit(ctx, 1<<30)
		return
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	s := ebmkit.NewStream(1, "kill", 0)
	last := 0
	for range 6 {
		os.Remove(path)
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "EBMKIT_TRAIN_CHILD="+path)
		if err := cmd.Start(); err != nil {
			t.Skip(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for written := false; !written; { // until it has a first checkpoint
			select {
			case err := <-ended:
				t.Fatalf("the run that was to be killed ended by itself: %v", err)
			case <-time.After(time.Millisecond):
				_, err := os.Stat(path)
				written = err == nil
			}
		}
		time.Sleep(time.Duration(s.IntN(40)) * time.Millisecond)
		cmd.Process.Kill()
		<-ended
		tr := runs()[2].trainer()
		if err := tr.Load(path); err != nil {
			t.Fatalf("after a kill: %v", err)
		}
		last = max(last, tr.Steps())
	}
	t.Logf("killed 6 times, the longest at step %d", last)
}

func TestFitStopsAndGoesOn(t *testing.T) {
	r := runs()[0]
	path := filepath.Join(t.TempDir(), "a.npz")
	c, cancel := context.WithCancel(ctx)
	var hooked, shown []int
	r.cfg.Checkpoint = path
	r.cfg.Hooks = []train.Hook{{Name: "count", Every: 2, Do: func(tr *train.Trainer, last train.Record) error {
		hooked = append(hooked, tr.Steps())
		if tr.Steps() == 4 {
			cancel()
		}
		return nil
	}}}
	r.cfg.Progress = func(done, total int, _ train.Record) { shown = append(shown, done, total) }
	tr := r.trainer()
	if err := tr.Fit(c, 9); !errors.Is(err, context.Canceled) || tr.Steps() != 4 {
		t.Fatalf("%v after %d steps", err, tr.Steps())
	}
	if err := tr.Fit(ctx, 9); err != nil || fmt.Sprint(hooked) != "[2 4 6 8]" || shown[len(shown)-2] != 9 {
		t.Errorf("%v, hooks %v, progress %v", err, hooked, shown)
	}
	plain := runs()[0].trainer()
	plain.Fit(ctx, 9)
	if bitsOf(plain) != bitsOf(tr) {
		t.Error("other bits after an interruption")
	}
	if err := tr.Fit(ctx, 5); err != nil || tr.Steps() != 9 {
		t.Errorf("a total that is behind: %v, %d steps", err, tr.Steps())
	}
	saved := runs()[0].trainer()
	if err := saved.Load(path); err != nil || saved.Steps() != 9 {
		t.Errorf("%v, %d steps saved", err, saved.Steps())
	}
	r.cfg.Hooks = []train.Hook{{Name: "stop here", Do: func(*train.Trainer, train.Record) error { return errors.New("enough") }}}
	if err := r.trainer().Fit(ctx, 9); err == nil || !strings.Contains(err.Error(), `"stop here" after step 0: enough`) {
		t.Errorf("hook: %v", err)
	}
}

// Batches of an epoch are all rows, once.
func TestBatches(t *testing.T) {
	data := &ebmkit.Ensemble{N: 10, Dim: 1, X: []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}
	seen := &spy{}
	tr := must(train.New(gauss1(0, 1), data, seen, sgd(0.01), train.Config{Batch: 3, Seed: 4}))
	if err := tr.Fit(ctx, 6); err != nil {
		t.Fatal(err)
	}
	for e := range 2 {
		rows := slices.Clone(seen.rows[9*e : 9*e+9])
		slices.Sort(rows)
		if len(slices.Compact(rows)) != 9 {
			t.Errorf("epoch %d: rows %v", e, rows)
		}
	}
	if slices.Equal(seen.rows[:9], seen.rows[9:]) {
		t.Error("two epochs in the same order")
	}
}

// spy is an objective of a user: it looks at the batches and returns what it is
// told to.
type spy struct {
	rows []float64
	grad func(k int, dst []float64, rec *train.Record) error
	k    int
}

func (s *spy) Bind(train.Task) (train.Bound, error) { return s, nil }
func (s *spy) State() train.State                   { return train.State{Identity: "spy"} }
func (s *spy) Grad(dst, batch []float64, rec *train.Record) error {
	s.rows = append(s.rows, batch...)
	rec.Loss = 0
	s.k++
	if s.grad != nil {
		return s.grad(s.k-1, dst, rec)
	}
	return nil
}

// Training that runs away stops, says why, and leaves the last good parameters.
func TestDivergence(t *testing.T) {
	data := must(ebmkit.Draw(gauss1(0, 1), 50, 1))
	good := []float64{}
	at := func(bad func(dst []float64, rec *train.Record)) *spy {
		return &spy{grad: func(k int, dst []float64, rec *train.Record) error {
			dst[0] = 1
			if k == 3 {
				bad(dst, rec)
			}
			return nil
		}}
	}
	for what, c := range map[string]struct {
		o    train.Objective
		m    train.Model
		opt  train.Optimizer
		hint string
		step int // -1: whenever
	}{
		"gradient": {at(func(dst []float64, _ *train.Record) { dst[1] = math.NaN() }), gauss1(0, 1), sgd(0.1), "gradient of parameter 1", 3},
		"loss":     {at(func(_ []float64, rec *train.Record) { rec.Loss = math.Inf(1) }), gauss1(0, 1), sgd(0.1), "lower the learning rate", 3},
		"overflow": {at(func(dst []float64, _ *train.Record) { dst[1] = 1e300 }), gauss1(0, 1), sgd(0.1), "gradient of parameter 1", 3},
		"gap":      {at(func(_ []float64, rec *train.Record) { rec.DataEnergy, rec.WalkerEnergy = -2000, 2000 }), gauss1(0, 1), sgd(0.1), "drift apart", 3},
		"refused":  {at(func(dst []float64, _ *train.Record) { dst[1] = 1e100 }), gauss1(0, 1), sgd(0.1), "the model refuses", 3},
		"walkers":  {train.PCD{Walkers: 20, Kernel: mcmc.ULA{Step: 3}, Steps: 100}, must(energy.NewDoubleWell(1, 1)), sgd(0.1), "smaller Step", -1},
		"weights":  {train.Jarzynski{Walkers: 200, Kernel: mcmc.ULA{Step: 0.01}, Resample: 0.5, MinESS: 0.4}, gauss1(5, 1), sgd(0.5), "collapsed", -1},
		"network":  {train.PCD{Walkers: 64, Kernel: mcmc.ULA{Step: 0.05}, Steps: 5}, net(1, 1, 16, 16, 1), sgd(1e4), "", -1},
	} {
		tr := must(train.New(c.m, data, c.o, c.opt, train.Config{Seed: 1}))
		path := filepath.Join(t.TempDir(), "a.npz")
		var err error
		for err == nil && tr.Steps() < 200 {
			good = tr.Params()
			if tr.Save(path) != nil {
				t.Fatal("not saved")
			}
			_, err = tr.Step()
		}
		var d *ebmkit.DivergedError
		if !errors.As(err, &d) || !strings.Contains(err.Error(), c.hint) || d.Step != tr.Steps() || c.step >= 0 && d.Step != c.step {
			t.Errorf("%s: %v after %d steps", what, err, tr.Steps())
			continue
		}
		t.Logf("%s: %v", what, err)
		// The parameters at which it failed are not the last good ones, unless only
		// the next are refused.
		if slices.Equal(tr.Params(), good) != (what == "refused") && d.Step > 0 {
			t.Errorf("%s: parameters %v, at the failure %v", what, tr.Params(), good)
		}
		if !slices.Equal(c.m.Params(nil), tr.Params()) {
			t.Errorf("%s: model and trainer differ", what)
		}
		if _, again := tr.Step(); again != err {
			t.Errorf("%s: it goes on", what)
		}
		if tr.Save(path) == nil {
			t.Errorf("%s: the failed run is saved over the good one", what)
		}
	}
}

func TestArguments(t *testing.T) {
	data := must(ebmkit.Draw(mixture1(), 20, 1))
	nan := must(ebmkit.Draw(mixture1(), 20, 1))
	nan.X[7] = math.NaN()
	two := must(ebmkit.Draw(iso(1, 0, 0), 20, 1))
	ula := mcmc.ULA{Step: 0.1}
	pcd := train.PCD{Walkers: 5, Kernel: ula}
	type c = train.Config
	for arg, f := range map[string]struct {
		m    train.Model
		data *ebmkit.Ensemble
		o    train.Objective
		cfg  train.Config
	}{
		"model":                     {nil, data, pcd, c{}},
		"data":                      {mixture1(), nil, pcd, c{}},
		"data.N":                    {mixture1(), &ebmkit.Ensemble{Dim: 1}, pcd, c{}},
		"data.Dim":                  {mixture1(), two, pcd, c{}},
		"len(data.X)":               {mixture1(), &ebmkit.Ensemble{N: 3, Dim: 1, X: []float64{1}}, pcd, c{}},
		"data, point 7, coordinate": {mixture1(), nan, pcd, c{}},
		"o":                         {mixture1(), data, nil, c{}},
		"Config.Batch":              {mixture1(), data, pcd, c{Batch: 21}},
		"Config.Clip":               {mixture1(), data, pcd, c{Clip: -1}},
		"Config.MaxGap":             {mixture1(), data, pcd, c{MaxGap: -1}},
		"Config.CheckpointEvery":    {mixture1(), data, pcd, c{CheckpointEvery: -1}},
		"Config.Hooks[0]":           {mixture1(), data, pcd, c{Hooks: []train.Hook{{Name: "x"}}}},
		"Walkers":                   {mixture1(), data, train.CD{Kernel: ula, Steps: 1}, c{}},
		"Steps":                     {mixture1(), data, train.CD{Walkers: 3, Kernel: ula}, c{}},
		"Kernel":                    {mixture1(), data, train.CD{Walkers: 3, Steps: 1}, c{}},
		"Step":                      {mixture1(), data, train.CD{Walkers: 3, Steps: 1, Kernel: mcmc.ULA{}}, c{}},
		"From.Dim()":                {mixture1(), data, train.CD{Walkers: 3, Steps: 1, Kernel: ula, From: iso(1, 0, 0)}, c{}},
		"Renew":                     {mixture1(), data, train.PCD{Walkers: 3, Kernel: ula, Renew: 1.1}, c{}},
		"Init.N":                    {mixture1(), data, train.PCD{Walkers: 3, Kernel: ula, Init: data}, c{}},
		"Init.Dim":                  {mixture1(), data, train.PCD{Walkers: 20, Kernel: ula, Init: two}, c{}},
		"Buffer":                    {mixture1(), data, train.Replay{Walkers: 3, Kernel: ula, Steps: 1, Buffer: 2}, c{}},
		"Resample":                  {mixture1(), data, train.Jarzynski{Walkers: 3, Kernel: ula, Resample: 1}, c{}},
		"MinESS":                    {mixture1(), data, train.Jarzynski{Walkers: 3, Kernel: ula, Resample: 0.3, MinESS: 0.3}, c{}},
		"Ratio":                     {mixture1(), data, train.NCE{Noise: gauss1(0, 1)}, c{}},
		"Noise":                     {mixture1(), data, train.NCE{Ratio: 1}, c{}},
		"Noise.Dim()":               {mixture1(), data, train.NCE{Ratio: 1, Noise: iso(1, 0, 0)}, c{}},
		"LogZ":                      {mixture1(), data, train.NCE{Ratio: 1, Noise: gauss1(0, 1), LogZ: math.Inf(1)}, c{}},
		"Sigma":                     {mixture1(), data, train.DSM{}, c{}},
		"Draws":                     {mixture1(), data, train.DSM{Sigma: 1, Draws: -1}, c{}},
		"Slices":                    {mixture1(), data, train.SSM{Slices: -1}, c{}},
		"Time":                      {field(1, 1), data, train.ISM{Time: math.NaN()}, c{}},
		"Nodes":                     {mixture1(), data, train.Exact{Lo: []float64{0}, Hi: []float64{1}, Nodes: 7}, c{}},
		"Lo[0], Hi[0]":              {mixture1(), data, train.Exact{Lo: []float64{1}, Hi: []float64{1}}, c{}},
		"len(Lo), len(Hi)":          {mixture1(), data, train.Exact{Lo: []float64{1, 2}, Hi: []float64{1}}, c{}},
	} {
		tr, err := train.New(f.m, f.data, f.o, sgd(0.1), f.cfg)
		var a *ebmkit.ArgError
		if tr != nil || !errors.As(err, &a) || !strings.HasPrefix(a.Arg, arg) {
			t.Errorf("%s: %v", arg, err)
		}
	}
	if _, err := train.New(mixture1(), data, pcd, nil, c{}); err == nil || !strings.Contains(err.Error(), "opt = ") {
		t.Errorf("no optimiser: %v", err)
	}
	// The wrong model for the objective.
	for what, err := range map[string]error{
		"PCD of a field":      func() error { _, err := train.New(field(1, 1), data, pcd, sgd(1), c{}); return err }(),
		"exact without log Z": func() error { _, err := train.New(net(1, 1, 4, 1), data, train.Exact{}, sgd(1), c{}); return err }(),
		"Jarzynski without a start": func() error {
			_, err := train.New(net(1, 1, 4, 1), data, train.Jarzynski{Walkers: 5, Kernel: ula}, sgd(1), c{})
			return err
		}(),
		"ISM of an RBM": func() error { _, err := train.New(must(spin.NewRBM(1, 1)), data, train.ISM{}, sgd(1), c{}); return err }(),
	} {
		var a *ebmkit.ArgError
		if !errors.As(err, &a) || a.Arg != "model" {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A box that is too small, a grid that is too coarse.
	for what, o := range map[string]train.Exact{"larger box": {Lo: []float64{-2}, Hi: []float64{2}}, "more Nodes": {Lo: []float64{-30}, Hi: []float64{30}, Nodes: 20}} {
		_, err := must(train.New(mixture1(), data, o, sgd(0.1), c{})).Step()
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
