package evaluate

import (
	"fmt"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Parts is a law made of parts whose masses are known, such as data.Ring.
type Parts interface {
	Dim() int
	// Masses writes the probability of each part into dst (allocated if nil).
	Masses(dst []float64) []float64
	// Part returns the part that x most likely came from, -1 if it came from none.
	Part(x []float64) int
}

// Config says how to judge.
type Config struct {
	Parts Parts             // modes of the data's law with their masses; nil: not known
	Truth ebmkit.Normalized // the data's law; nil: not known

	// Bandwidth of MMD's kernel: the size of what is to be seen, such as the width
	// of a mode. 0 means the median distance between held-out points, which sees
	// where mass is and hardly the shape of modes that are far apart.
	Bandwidth    float64
	Projections  int     // of the sliced distance; 0 means 50
	Permutations int     // for the null levels; 0 means 99, at least 19
	MinShare     float64 // a mode is missed that got less than this share of its mass; 0 means 0.1
	Seed         uint64  // of projections and permutations
}

// Judge compares generators with the same held-out data.
type Judge struct {
	held   *ebmkit.Ensemble
	cfg    Config
	masses []float64
	logP   []float64 // log density of the truth at the held-out points
}

// NewJudge prepares reports on the held-out data, whose memory it keeps. It
// returns *ebmkit.ArgError if there are fewer than 20 points or one is not
// finite, if Parts or Truth have another dimension or masses that are no
// probabilities, or a number is out of range.
func NewJudge(heldOut *ebmkit.Ensemble, cfg Config) (*Judge, error) {
	const fn = "evaluate.NewJudge"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if err := checkPoints(fn, "heldOut", heldOut); err != nil {
		return nil, err
	}
	j := &Judge{held: heldOut, cfg: cfg}
	if cfg.Parts != nil {
		if d := cfg.Parts.Dim(); d != heldOut.Dim {
			return nil, bad("Parts.Dim()", d, fmt.Sprint(heldOut.Dim))
		}
		j.masses = cfg.Parts.Masses(nil)
		sum := 0.0
		for k, m := range j.masses {
			if !(m >= 0) {
				return nil, bad(fmt.Sprintf("Parts.Masses()[%d]", k), m, "0 or more")
			}
			sum += m
		}
		if !(math.Abs(sum-1) < 1e-9) {
			return nil, bad("Parts.Masses()", fmt.Sprintf("sum %v", sum), "probabilities that sum to 1")
		}
	}
	if cfg.Truth != nil {
		if d := cfg.Truth.Dim(); d != heldOut.Dim {
			return nil, bad("Truth.Dim()", d, fmt.Sprint(heldOut.Dim))
		}
		j.logP = j.LogDensity(cfg.Truth)
		for i, v := range j.logP {
			if !finite(v) {
				return nil, bad("heldOut", fmt.Sprintf("log density %v at row %d", v, i), "points at which Truth has a positive, finite density")
			}
		}
	}
	if j.cfg.Bandwidth == 0 {
		a, b := heldOut.Slice(0, heldOut.N/2), heldOut.Slice(heldOut.N/2, heldOut.N)
		w, err := divergence.MedianDistance(&a, &b)
		if err != nil {
			return nil, err
		}
		j.cfg.Bandwidth = w
	}
	if !(j.cfg.Bandwidth > 0) || math.IsInf(j.cfg.Bandwidth, 1) {
		return nil, bad("Bandwidth", j.cfg.Bandwidth, "a positive, finite number (the median distance is 0 if most points are equal)")
	}
	if j.cfg.Projections == 0 {
		j.cfg.Projections = 50
	}
	if j.cfg.Projections < 2 || j.cfg.Projections > 1_000_000 {
		return nil, bad("Projections", cfg.Projections, "at least 2")
	}
	if j.cfg.Permutations == 0 {
		j.cfg.Permutations = 99
	}
	if j.cfg.Permutations < 19 || j.cfg.Permutations > 1_000_000 {
		return nil, bad("Permutations", cfg.Permutations, "at least 19, or there is no level of 0.05")
	}
	if j.cfg.MinShare == 0 {
		j.cfg.MinShare = 0.1
	}
	if !(j.cfg.MinShare > 0 && j.cfg.MinShare <= 1) {
		return nil, bad("MinShare", cfg.MinShare, "more than 0, at most 1")
	}
	return j, nil
}

// LogDensity returns -U - log Z at the held-out points, for Generator.
func (j *Judge) LogDensity(e ebmkit.Normalized) []float64 {
	u := make([]float64, j.held.N)
	ebmkit.NewEvaluator(e).EnergyGrad(u, nil, j.held.X)
	z := e.LogZ()
	for i, v := range u {
		u[i] = -v - z
	}
	return u
}

// HeldOut returns the held-out points, sharing memory.
func (j *Judge) HeldOut() *ebmkit.Ensemble { return j.held }

// Generator is what is judged: one trained model, one seed.
type Generator struct {
	Name    string
	Samples *ebmkit.Ensemble // independent draws
	// LogDensity is the model's log density, or a bound of it, at the held-out
	// points; nil if there is none.
	LogDensity []float64

	Params    int // number of parameters
	GradEvals int // rows at which a gradient was computed in training

	// Times that were measured elsewhere, in seconds; 0: not known.
	TrainSeconds, Per1000Seconds float64
}

// Report compares g with the held-out data. It returns *ebmkit.ArgError if there
// are fewer than 20 samples, one is not finite or of another dimension, or
// LogDensity is not one number per held-out point, is NaN or +Inf.
func (j *Judge) Report(g Generator) (*Report, error) {
	const fn = "evaluate.Judge.Report"
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if err := checkPoints(fn, "Samples", g.Samples); err != nil {
		return nil, err
	}
	if g.Samples.Dim != j.held.Dim {
		return nil, bad("Samples.Dim", g.Samples.Dim, fmt.Sprint(j.held.Dim))
	}
	if g.LogDensity != nil && len(g.LogDensity) != j.held.N {
		return nil, bad("len(LogDensity)", len(g.LogDensity), fmt.Sprintf("%d, one per held-out point", j.held.N))
	}
	for i, v := range g.LogDensity {
		if math.IsNaN(v) || math.IsInf(v, 1) {
			return nil, bad(fmt.Sprintf("LogDensity[%d]", i), v, "a finite number, or -Inf for a density of 0")
		}
	}
	if g.Params < 0 || g.GradEvals < 0 || !(g.TrainSeconds >= 0) || !(g.Per1000Seconds >= 0) {
		return nil, bad("Params, GradEvals, TrainSeconds, Per1000Seconds", fmt.Sprint(g.Params, g.GradEvals, g.TrainSeconds, g.Per1000Seconds), "0 or more")
	}
	r := &Report{Name: g.Name, Samples: g.Samples.N, HeldOut: j.held.N, Params: g.Params, GradEvals: g.GradEvals,
		TrainSeconds: g.TrainSeconds, Per1000Seconds: g.Per1000Seconds,
		LogLik: none, KL: none}
	if err := j.distances(r, g.Samples); err != nil {
		return nil, err
	}
	if g.LogDensity != nil {
		r.LogLik = meanOf(g.LogDensity)
		if j.logP != nil {
			gap := make([]float64, j.held.N)
			for i, v := range g.LogDensity {
				gap[i] = j.logP[i] - v
			}
			r.KL = meanOf(gap)
		}
	}
	if j.masses != nil {
		j.modes(r, g.Samples)
	}
	return r, nil
}

func (j *Judge) distances(r *Report, x *ebmkit.Ensemble) error {
	mmd, err := divergence.MMD2(x, j.held, j.cfg.Bandwidth)
	if err != nil {
		return err
	}
	if !finite(mmd.Unbiased.Value) { // squares of distances overflow
		return &ebmkit.ArgError{Func: "evaluate.Judge.Report", Arg: "Samples", Value: fmt.Sprintf("numbers from %.2g to %.2g", slices.Min(x.X), slices.Max(x.X)), Want: "samples whose distances can be squared: some have run away"}
	}
	null, err := divergence.MMD2Null(x, j.held, j.cfg.Bandwidth, j.cfg.Permutations, j.cfg.Seed)
	if err != nil {
		return err
	}
	r.MMD2 = Distance{mmd.Unbiased, null.Quantile(0.95), null.PValue()}
	sw, err := divergence.SlicedW2(x, j.held, j.cfg.Projections, j.cfg.Seed)
	if err != nil {
		return err
	}
	null, err = divergence.PermutationNull(x, j.held, func(x, y *ebmkit.Ensemble) (float64, error) {
		e, err := divergence.SlicedW2(x, y, j.cfg.Projections, j.cfg.Seed)
		return e.Value, err
	}, j.cfg.Permutations, j.cfg.Seed)
	if err != nil {
		return err
	}
	r.SlicedW2 = Distance{sw, null.Quantile(0.95), null.PValue()}
	return nil
}

// modes counts samples in the parts. The level of the total variation is from
// as many draws of the true masses.
func (j *Judge) modes(r *Report, x *ebmkit.Ensemble) {
	n := float64(x.N)
	count := make([]int, len(j.masses))
	outside := 0
	for i := range x.N {
		if k := j.cfg.Parts.Part(x.Row(i)); k >= 0 {
			count[k]++
		} else {
			outside++
		}
	}
	r.Modes = make([]Mode, len(count))
	for k, c := range count {
		m := Mode{Mass: share(c, x.N), Truth: j.masses[k]}
		m.Found = m.Truth == 0 || m.Mass.Value >= j.cfg.MinShare*m.Truth
		if !m.Found {
			r.Missed++
		}
		r.Modes[k] = m
	}
	r.Outside = share(outside, x.N)
	tv := func(count []int, outside int) float64 {
		d := float64(outside) / n
		for k, c := range count {
			d += math.Abs(float64(c)/n - j.masses[k])
		}
		return d / 2
	}
	r.Masses.Value.Value = tv(count, outside)
	// SE by the delta method, as for Samples counts that differ from the truth.
	p, q := 0.0, 0.0
	for k, c := range count {
		s := 1.0
		if float64(c)/n < j.masses[k] {
			s = -1
		}
		p += s * float64(c) / n
		q += float64(c) / n
	}
	p, q = p+float64(outside)/n, q+float64(outside)/n
	r.Masses.Value.SE = math.Sqrt(max(q-p*p, 1/n)/n) / 2

	null := make([]float64, j.cfg.Permutations)
	at := make([]float64, len(j.masses))
	sum := 0.0
	for k, m := range j.masses {
		sum += m
		at[k] = sum
	}
	for t := range null {
		s := ebmkit.NewStream(j.cfg.Seed, "masses", t)
		clear(count)
		for range x.N {
			k, _ := slices.BinarySearch(at, s.Float64()*sum)
			count[min(k, len(count)-1)]++
		}
		null[t] = tv(count, 0)
	}
	slices.Sort(null)
	law := divergence.Null{Observed: r.Masses.Value.Value, Values: null}
	r.Masses.Level, r.Masses.P = law.Quantile(0.95), law.PValue()
}

// share is a fraction with its binomial error, as in data.Fractions.
func share(c, n int) ebmkit.Estimate {
	g := (float64(c) + 1) / (float64(n) + 2)
	return ebmkit.Estimate{Value: float64(c) / float64(n), SE: math.Sqrt(g * (1 - g) / float64(n))}
}

// none is an estimate that does not exist.
var none = ebmkit.Estimate{Value: math.NaN(), SE: math.NaN()}

// meanOf is ebmkit.MeanOf for numbers that may be infinite.
func meanOf(v []float64) ebmkit.Estimate {
	e := ebmkit.MeanOf(v)
	if math.IsInf(e.Value, 0) {
		e.SE = math.Inf(1)
	}
	return e
}

func finite(x float64) bool { return x-x == 0 }

func checkPoints(fn, arg string, e *ebmkit.Ensemble) error {
	const least = 20
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: fn, Arg: arg, Value: value, Want: want}
	}
	if e == nil {
		return bad(arg, nil, "an ensemble")
	}
	if e.N < least || e.Dim < 1 || len(e.X) != e.N*e.Dim {
		return bad(arg, fmt.Sprintf("%d points of %d, %d numbers", e.N, e.Dim, len(e.X)), fmt.Sprintf("at least %d points", least))
	}
	if e.LogW != nil {
		return bad(arg+".LogW", "weights", "points of equal weight: resample first")
	}
	if finite(vmath.Sum(e.X)) {
		return nil
	}
	for i, v := range e.X {
		if !finite(v) {
			return bad(fmt.Sprintf("%s, row %d, coordinate %d", arg, i/e.Dim, i%e.Dim), v, "a finite number: a generator that diverged cannot be judged by the rest of its samples")
		}
	}
	return nil
}

// Nearest is Parts by the nearest of some centres, such as the mean pictures of
// classes.
type Nearest struct {
	dim             int
	radius          float64
	centers, masses []float64
}

// NewNearest returns the cells of len(masses) centres of dimension dim, stored
// row by row. Points further than radius from all of them are in no part; radius
// +Inf means that there are none. masses are divided by their sum. It returns
// *ebmkit.ArgError if a length does not fit, a number is not finite, a mass is
// negative or all are 0, or radius is not positive.
func NewNearest(dim int, centers, masses []float64, radius float64) (*Nearest, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: "evaluate.NewNearest", Arg: arg, Value: value, Want: want}
	}
	if dim < 1 {
		return nil, bad("dim", dim, "at least 1")
	}
	if len(masses) == 0 || len(centers) != dim*len(masses) {
		return nil, bad("len(centers)", len(centers), fmt.Sprintf("%d, for %d masses in %d dimensions", dim*len(masses), len(masses), dim))
	}
	for i, v := range centers {
		if !finite(v) {
			return nil, bad(fmt.Sprintf("centers[%d]", i), v, "a finite number")
		}
	}
	sum := 0.0
	for k, m := range masses {
		if !(m >= 0) || !finite(m) {
			return nil, bad(fmt.Sprintf("masses[%d]", k), m, "a finite number, 0 or more")
		}
		sum += m
	}
	if !(sum > 0) || !finite(sum) {
		return nil, bad("masses", masses, "a positive sum")
	}
	if !(radius > 0) {
		return nil, bad("radius", radius, "a positive number")
	}
	n := &Nearest{dim: dim, radius: radius, centers: slices.Clone(centers), masses: slices.Clone(masses)}
	for k := range n.masses {
		n.masses[k] /= sum
	}
	return n, nil
}

// Dim returns the dimension.
func (n *Nearest) Dim() int { return n.dim }

// Masses implements Parts.
func (n *Nearest) Masses(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(n.masses))
	}
	if len(dst) != len(n.masses) {
		panic("evaluate: Nearest.Masses: len(dst) is not the number of parts")
	}
	copy(dst, n.masses)
	return dst
}

// Part implements Parts. It panics if len(x) != Dim().
func (n *Nearest) Part(x []float64) int {
	if len(x) != n.dim {
		panic("evaluate: Nearest.Part: len(x) != Dim")
	}
	best, at := n.radius*n.radius, -1
	for k := range n.masses {
		d := 0.0
		for j, c := range n.centers[k*n.dim : (k+1)*n.dim] {
			d += (x[j] - c) * (x[j] - c)
		}
		if d <= best && (at < 0 || d < best) {
			best, at = d, k
		}
	}
	return at
}
