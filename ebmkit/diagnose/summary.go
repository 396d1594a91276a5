package diagnose

import (
	"fmt"
	"math"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// The limits that make Summarize write a note.
const (
	maxRHat  = 1.01 // Vehtari et al. 2021
	minESS   = 400  // below it R-hat and ESS themselves are too noisy; the same source
	minEBFMI = 0.3  // Betancourt 2016
)

// Row is the summary of one quantity.
type Row struct {
	Name             string
	Mean, SD         ebmkit.Estimate // with Monte Carlo standard errors
	Q05, Median, Q95 ebmkit.Estimate
	ESSBulk, ESSTail float64
	RHat             float64
}

// Summary is what the draws of a chain say about themselves.
type Summary struct {
	Chains, Draws int
	Rows          []Row     // the coordinates, then the energy U if the chain has energies
	Accept        float64   // mean acceptance probability, NaN if the kernel has none
	EBFMI         []float64 // of each walker's total energies, nil if the kernel has no momenta
	Notes         []string  // what to worry about; the last one always applies
}

// unknowable is the last note of every summary.
const unknowable = "What this cannot know: a mode that no walker visited. Walkers that all sit in one mode agree, with R-hat 1; start them far apart."

// Summarize returns mean, standard deviation and quantiles of every coordinate
// of c and of its energy, with Monte Carlo standard errors, effective sample
// sizes and R-hat, one chain per walker, and notes on what is wrong. names are
// those of the coordinates; none means x[0], x[1], ... It returns *ArgError as
// FromChain does, or when the number of names is neither 0 nor Dim.
func Summarize(c *ebmkit.Chain, names ...string) (*Summary, error) {
	const fn = "diagnose.Summarize"
	if err := checkChain(fn, c); err != nil {
		return nil, err
	}
	if len(names) != 0 && len(names) != c.Dim {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "len(names)", Value: len(names), Want: fmt.Sprintf("0 or Dim = %d", c.Dim)}
	}
	sum := &Summary{Chains: c.Walkers, Draws: c.Draws, Rows: make([]Row, c.Dim), Accept: math.NaN()}
	moved := make([][]bool, c.Dim) // [coordinate][walker]
	err := eachCoordinate(fn, c, func(j int, w *work, s *Series) {
		name := fmt.Sprintf("x[%d]", j)
		if len(names) > 0 {
			name = names[j]
		}
		sum.Rows[j] = w.row(name, s)
		moved[j] = make([]bool, s.chains)
		for k := range s.chains {
			moved[j][k] = !allEqual(s.x[k*s.draws : (k+1)*s.draws])
		}
	})
	if err != nil {
		return nil, err
	}
	if c.U != nil {
		u, err := FromEnergy(c)
		if err != nil {
			return nil, err
		}
		sum.Rows = append(sum.Rows, new(work).row("U", u))
	}
	if c.H != nil {
		h, err := FromTotalEnergy(c)
		if err != nil {
			return nil, err
		}
		sum.EBFMI = EBFMI(h)
	}
	if len(c.Accept) > 0 {
		sum.Accept = 0
		for _, a := range c.Accept {
			sum.Accept += a / float64(len(c.Accept))
		}
	}
	sum.note(c, moved)
	return sum, nil
}

// row summarises one quantity.
func (w *work) row(name string, s *Series) Row {
	r := Row{Name: name, Mean: w.mean(s), SD: w.sd(s), ESSBulk: w.essBulk(s), RHat: w.rhat(s)}
	var low, high float64
	r.Q05, low = w.quantile(s, 0.05)
	r.Median, _ = w.quantile(s, 0.5)
	r.Q95, high = w.quantile(s, 0.95)
	r.ESSTail = min(low, high)
	return r
}

// note writes the notes. moved tells which walkers changed each coordinate.
func (sum *Summary) note(c *ebmkit.Chain, moved [][]bool) {
	var stuck []string
	for k := range c.Walkers {
		ever := false
		for j := range moved {
			ever = ever || moved[j][k]
		}
		if !ever {
			stuck = append(stuck, fmt.Sprint(k))
		}
	}
	if len(stuck) > 0 {
		sum.add("%s never moved: walker %s.", plural(len(stuck), "walker"), list(stuck))
	}
	if c.Divergent > 0 {
		sum.add("%s diverged: the draws avoid a region of strong curvature and are biased; take smaller steps or another parametrisation.", plural(c.Divergent, "transition"))
	}
	var apart, few []string
	for _, r := range sum.Rows {
		if r.RHat > maxRHat {
			apart = append(apart, r.Name)
		}
		if min(r.ESSBulk, r.ESSTail) < minESS {
			few = append(few, r.Name)
		}
	}
	if sum.Chains == 1 {
		sum.add("One chain has nothing to be compared with: R-hat needs two or more, started apart.")
	}
	if len(apart) > 0 {
		sum.add("R-hat above %g: %s. The chains do not agree; run longer, or look for separate modes.", maxRHat, list(apart))
	}
	if len(few) > 0 {
		sum.add("ESS below %d: %s. Error bars and R-hat are rough; run longer.", minESS, list(few))
	}
	low := 0
	for _, b := range sum.EBFMI {
		if b < minEBFMI {
			low++
		}
	}
	if low > 0 {
		sum.add("E-BFMI below %g in %s: fresh momenta do not carry the walker through the energies of the target.", minEBFMI, plural(low, "walker"))
	}
	sum.add(unknowable)
}

func (sum *Summary) add(format string, args ...any) {
	sum.Notes = append(sum.Notes, fmt.Sprintf(format, args...))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// list joins names, the first five of them.
func list(names []string) string {
	if len(names) > 5 {
		return strings.Join(names[:5], ", ") + fmt.Sprintf(" and %d more", len(names)-5)
	}
	return strings.Join(names, ", ")
}

// Header returns the column names of Cells.
func (sum *Summary) Header() []string {
	return []string{"", "mean", "sd", "5 %", "median", "95 %", "ESS bulk", "ESS tail", "R-hat"}
}

// Cells returns the table, one row per quantity, in the form that nb.Table
// shows: names, estimates with their errors, and rounded numbers.
func (sum *Summary) Cells() [][]any {
	cells := make([][]any, len(sum.Rows))
	for i, r := range sum.Rows {
		cells[i] = []any{r.Name, r.Mean, r.SD, r.Q05, r.Median, r.Q95,
			math.Round(r.ESSBulk), math.Round(r.ESSTail), math.Round(r.RHat*1000) / 1000}
	}
	return cells
}

// String returns the table and the notes as aligned text.
func (sum *Summary) String() string {
	rows := [][]string{sum.Header()}
	for _, r := range sum.Rows {
		rows = append(rows, []string{r.Name, r.Mean.String(), r.SD.String(), r.Q05.String(), r.Median.String(), r.Q95.String(),
			fmt.Sprintf("%.0f", r.ESSBulk), fmt.Sprintf("%.0f", r.ESSTail), fmt.Sprintf("%.3f", r.RHat)})
	}
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for j, s := range row {
			width[j] = max(width[j], len([]rune(s)))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s", plural(sum.Chains, "chain"), plural(sum.Draws, "draw"))
	if !math.IsNaN(sum.Accept) {
		fmt.Fprintf(&b, ", acceptance %.3f", sum.Accept)
	}
	b.WriteByte('\n')
	for _, row := range rows {
		fmt.Fprintf(&b, "%-*s", width[0], row[0])
		for j := 1; j < len(row); j++ {
			fmt.Fprintf(&b, "  %*s", width[j], row[j])
		}
		b.WriteByte('\n')
	}
	for _, n := range sum.Notes {
		b.WriteString("- " + n + "\n")
	}
	return b.String()
}
