package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// Distance is a distance to the held-out data, or to the true masses, with the
// level that samples of the true law exceed with probability 0.05.
type Distance struct {
	Value ebmkit.Estimate
	Level float64
	P     float64 // share of null draws at least as large
}

// Ratio returns the distance in units of its level: above 1 the model is told
// from the data.
func (d Distance) Ratio() float64 { return d.Value.Value / d.Level }

// String prints value, level and p-value.
func (d Distance) String() string {
	return fmt.Sprintf("%v (level %.2g, p = %.2g)", d.Value, d.Level, d.P)
}

// short is value and level for a table.
func (d Distance) short() string {
	return fmt.Sprintf("%.3g (level %.2g)", d.Value.Value, d.Level)
}

// Mode is what a generator makes of one part of the data's law.
type Mode struct {
	Mass  ebmkit.Estimate // share of the samples
	Truth float64
	Found bool // at least Config.MinShare of the true mass
}

// Report is what was found out about one generator. Estimates that do not exist
// are NaN.
type Report struct {
	Name             string
	Samples, HeldOut int

	// MMD2 is the unbiased estimate of the square of MMD to the held-out points,
	// SlicedW2 the sliced Wasserstein-2 distance, not its square.
	MMD2, SlicedW2 Distance

	LogLik ebmkit.Estimate // mean log density of the held-out points, in nats per point
	KL     ebmkit.Estimate // mean of log truth - log density: KL(truth || model), paired

	Modes   []Mode // nil if the parts are not known
	Missed  int    // modes not found
	Outside ebmkit.Estimate
	// Masses is the total variation between shares of the samples and true masses,
	// sum_k |m_k - t_k| / 2, where what is outside counts as a part of mass 0.
	Masses Distance

	Params, GradEvals            int
	TrainSeconds, Per1000Seconds float64 // as given; 0: not known
}

// String prints the report on several lines.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d samples, %d held-out points\n", r.Name, r.Samples, r.HeldOut)
	fmt.Fprintf(&b, "  MMD^2          %v\n", r.MMD2)
	fmt.Fprintf(&b, "  sliced W2      %v\n", r.SlicedW2)
	if !math.IsNaN(r.LogLik.Value) {
		fmt.Fprintf(&b, "  log-likelihood %v nats\n", r.LogLik)
	}
	if !math.IsNaN(r.KL.Value) {
		fmt.Fprintf(&b, "  KL from truth  %v nats\n", r.KL)
	}
	if r.Modes != nil {
		fmt.Fprintf(&b, "  masses         TV %v\n", r.Masses)
		fmt.Fprintf(&b, "  modes          %d of %d found", len(r.Modes)-r.Missed, len(r.Modes))
		if r.Outside.Value > 0 {
			fmt.Fprintf(&b, ", %v of the samples in none", r.Outside)
		}
		b.WriteString("\n")
		for k, m := range r.Modes {
			note := ""
			if !m.Found {
				note = "  missed"
			}
			fmt.Fprintf(&b, "    %2d  %v, true %.4g%s\n", k, m.Mass, m.Truth, note)
		}
	}
	fmt.Fprintf(&b, "  cost           %d parameters, %d gradient evaluations", r.Params, r.GradEvals)
	return b.String()
}

// Header returns the titles of Report.Row.
func Header() []string {
	return []string{"model", "log-likelihood", "KL", "MMD²", "sliced W2", "modes found", "masses TV", "parameters", "gradients"}
}

// Row returns the report as a row of a table: for nb.Table under Header.
func (r *Report) Row() []any {
	return []any{r.Name, orDash(r.LogLik), orDash(r.KL), r.MMD2.short(), r.SlicedW2.short(), r.found(), r.masses(), r.Params, r.GradEvals}
}

func (r *Report) found() string {
	if r.Modes == nil {
		return dash
	}
	return fmt.Sprintf("%d of %d", len(r.Modes)-r.Missed, len(r.Modes))
}

func (r *Report) masses() string {
	if r.Modes == nil {
		return dash
	}
	return r.Masses.short()
}

const dash = "–"

func orDash(e ebmkit.Estimate) any {
	if math.IsNaN(e.Value) {
		return dash
	}
	return e
}

// CostHeader returns the titles of Report.CostRow and Summary.CostRow.
func CostHeader() []string {
	return []string{"model", "parameters", "gradients", "training (s)", "1000 samples (s)"}
}

// CostRow returns what the model cost, with the times that the caller gave.
func (r *Report) CostRow() []any {
	return []any{r.Name, r.Params, r.GradEvals, known(r.TrainSeconds), known(r.Per1000Seconds)}
}

func known(seconds float64) string {
	if seconds == 0 {
		return dash
	}
	return fmt.Sprintf("%.3g", seconds)
}

// ModeHeader returns the titles of Report.ModeRows.
func ModeHeader() []string { return []string{"mode", "mass", "true mass", "z", "found"} }

// ModeRows returns a row for each mode: for nb.Table under ModeHeader.
func (r *Report) ModeRows() [][]any {
	rows := make([][]any, len(r.Modes))
	for k, m := range r.Modes {
		found := "yes"
		if !m.Found {
			found = "no"
		}
		rows[k] = []any{k, m.Mass, m.Truth, fmt.Sprintf("%.1f", m.Mass.Z(m.Truth)), found}
	}
	return rows
}

// Spread is how a number varies from seed to seed.
type Spread struct {
	Mean, SD, Min, Max float64 // SD is that of one run, not of the mean
	Runs               int
}

// String prints mean and standard deviation.
func (s Spread) String() string {
	switch {
	case s.Runs == 0 || math.IsNaN(s.Mean):
		return dash
	case s.Runs == 1 || s.SD == 0:
		return fmt.Sprintf("%.4g", s.Mean)
	}
	return ebmkit.Estimate{Value: s.Mean, SE: s.SD}.String()
}

// spreadOf takes numbers one after another.
func spreadOf(v []float64) Spread {
	s := Spread{Runs: len(v), Min: math.Inf(1), Max: math.Inf(-1)}
	for _, x := range v {
		s.Mean += x / float64(len(v))
		s.Min, s.Max = min(s.Min, x), max(s.Max, x)
	}
	for _, x := range v {
		s.SD += (x - s.Mean) * (x - s.Mean)
	}
	switch {
	case math.IsInf(s.Mean, 0):
		s.SD = math.Inf(1)
	case s.Min == s.Max && len(v) > 1: // without the rounding of the mean
		s.Mean, s.SD = s.Min, 0
	case len(v) > 1:
		s.SD = math.Sqrt(s.SD / float64(len(v)-1))
	default:
		s.SD = math.NaN()
	}
	return s
}

// SE returns the standard error of the mean over runs.
func (s Spread) SE() float64 { return s.SD / math.Sqrt(float64(s.Runs)) }

// Rank orders spreads from the best mean, the smallest or, if larger is set, the
// largest. It returns their indices, without those that are NaN, and how many
// share the first place: the best and those after it, up to the first whose mean
// is two standard errors of the difference from it,
//
//	|m_i - m_0| >= 2 sqrt(SE_i^2 + SE_0^2).
//
// With a single run there is no error and nothing is shared.
func Rank(spreads []Spread, larger bool) (order []int, shared int) {
	for i, s := range spreads {
		if !math.IsNaN(s.Mean) {
			order = append(order, i)
		}
	}
	sign := 1.0
	if larger {
		sign = -1
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(sign*spreads[i].Mean, sign*spreads[j].Mean) })
	for shared = 0; shared < len(order); shared++ {
		a, b := spreads[order[0]], spreads[order[shared]]
		if shared > 0 && !(math.Abs(a.Mean-b.Mean) < 2*math.Hypot(a.SE(), b.SE())) {
			break
		}
	}
	return order, shared
}

// Summary is the spread of the reports of one model over seeds.
type Summary struct {
	Name string
	Runs int

	LogLik, KL                   Spread
	MMD2, SlicedW2, Masses       Spread
	MMD2Ratio, SlicedW2Ratio     Spread // in units of their levels
	MassesRatio                  Spread
	Missed                       Spread   // modes
	Shares                       []Spread // of the samples, one for each mode
	Modes, Params, GradEvals     int
	TrainSeconds, Per1000Seconds Spread

	// Told counts the runs that MMD2 or SlicedW2 tells from the data. Of the data's
	// own law it is each with probability 0.05, so either with up to 0.1.
	Told int
}

// Summarize returns the spread over reports of the same model with different
// seeds. It returns *ebmkit.ArgError if there are none, or they differ in name,
// number of modes, parameters or gradient evaluations, and so are no
// repetitions.
func Summarize(reports []*Report) (*Summary, error) {
	bad := func(arg string, value any, want string) error {
		return &ebmkit.ArgError{Func: "evaluate.Summarize", Arg: arg, Value: value, Want: want}
	}
	if len(reports) == 0 {
		return nil, bad("reports", "none", "at least one")
	}
	for i, r := range reports {
		if r == nil {
			return nil, bad(fmt.Sprintf("reports[%d]", i), nil, "a report")
		}
	}
	a := reports[0]
	s := &Summary{Name: a.Name, Runs: len(reports), Modes: len(a.Modes), Params: a.Params, GradEvals: a.GradEvals}
	for i, r := range reports {
		if r.Name != a.Name || len(r.Modes) != len(a.Modes) || r.Params != a.Params || r.GradEvals != a.GradEvals {
			return nil, bad(fmt.Sprintf("reports[%d]", i), fmt.Sprintf("%s, %d modes, %d parameters, %d gradient evaluations", r.Name, len(r.Modes), r.Params, r.GradEvals),
				fmt.Sprintf("what reports[0] has: %s, %d, %d, %d", a.Name, len(a.Modes), a.Params, a.GradEvals))
		}
		if r.MMD2.Ratio() > 1 || r.SlicedW2.Ratio() > 1 {
			s.Told++
		}
	}
	of := func(f func(r *Report) float64) Spread {
		v := make([]float64, len(reports))
		for i, r := range reports {
			v[i] = f(r)
		}
		return spreadOf(v)
	}
	s.LogLik = of(func(r *Report) float64 { return r.LogLik.Value })
	s.KL = of(func(r *Report) float64 { return r.KL.Value })
	s.MMD2 = of(func(r *Report) float64 { return r.MMD2.Value.Value })
	s.SlicedW2 = of(func(r *Report) float64 { return r.SlicedW2.Value.Value })
	s.MMD2Ratio = of(func(r *Report) float64 { return r.MMD2.Ratio() })
	s.SlicedW2Ratio = of(func(r *Report) float64 { return r.SlicedW2.Ratio() })
	s.TrainSeconds = of(func(r *Report) float64 { return r.TrainSeconds })
	s.Per1000Seconds = of(func(r *Report) float64 { return r.Per1000Seconds })
	if a.Modes != nil {
		s.Masses = of(func(r *Report) float64 { return r.Masses.Value.Value })
		s.MassesRatio = of(func(r *Report) float64 { return r.Masses.Ratio() })
		s.Missed = of(func(r *Report) float64 { return float64(r.Missed) })
		for k := range a.Modes {
			s.Shares = append(s.Shares, of(func(r *Report) float64 { return r.Modes[k].Mass.Value }))
		}
	}
	return s, nil
}

// SummaryHeader returns the titles of Summary.Row.
func SummaryHeader() []string {
	return []string{"", "log-likelihood, nats", "KL from the truth", "MMD$^2$/level", "sliced W2/level", "masses/level", "modes missed", "told"}
}

// Row returns the summary as a row of a table: for nb.Table under SummaryHeader.
func (s *Summary) Row() []any {
	var missed any = dash
	if s.Modes > 0 {
		missed = s.Missed.Mean
	}
	return []any{s.Name, s.LogLik, s.KL, s.MMD2Ratio, s.SlicedW2Ratio, s.MassesRatio, missed, s.ToldRuns()}
}

// ToldRuns returns how many of how many runs are told from the data, as in
// "3 of 5".
func (s *Summary) ToldRuns() string { return fmt.Sprintf("%d of %d", s.Told, s.Runs) }

// Passes reports whether at least half of the runs are not told from the data.
func (s *Summary) Passes() bool { return 2*s.Told <= s.Runs }

// CostRow returns what a run cost, with the spread of the times that the caller
// gave: for nb.Table under CostHeader.
func (s *Summary) CostRow() []any {
	row := []any{s.Name, s.Params, s.GradEvals, dash, dash}
	for i, t := range []Spread{s.TrainSeconds, s.Per1000Seconds} {
		if t.Mean > 0 {
			row[3+i] = t.String()
		}
	}
	return row
}

// String prints the summary on one line.
func (s *Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s over %d seeds:", s.Name, s.Runs)
	for _, p := range []struct {
		name string
		v    Spread
	}{{"log-likelihood", s.LogLik}, {"KL", s.KL}, {"MMD^2/level", s.MMD2Ratio}, {"sliced W2/level", s.SlicedW2Ratio}, {"modes missed", s.Missed}, {"masses TV/level", s.MassesRatio}} {
		if t := p.v.String(); t != dash {
			fmt.Fprintf(&b, " %s %s,", p.name, t)
		}
	}
	fmt.Fprintf(&b, " told from the data %d times", s.Told)
	return b.String()
}
