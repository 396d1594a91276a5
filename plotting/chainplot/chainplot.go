// Package chainplot draws what one must look at before believing a Markov
// chain (review section 4): traces, ranks, autocorrelation and the growth of the
// effective sample size, of one scalar quantity followed along several chains.
//
//	s, err := diagnose.FromChain(chain, 0)
//	fig, err := chainplot.Diagnostics(s) // all four
//
// The numbers are those of package diagnose. A series that never moved has no
// ranks, no autocorrelation and no effective sample size: all but Trace return
// *ebmkit.ArgError for it.
package chainplot

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
	"github.com/ebmkit/hitchhiker/plotting"
)

const (
	maxChains = 4   // drawn one by one; more cannot be told apart
	maxPoints = 300 // of one trace; a page shows no more
	rankBins  = 20
)

var bandGrey = color.NRGBA{R: 0x77, G: 0x77, B: 0x77, A: 0xff}

// Diagnostics returns all four figures of a series as one: trace, ranks,
// autocorrelation and growth of the effective sample size. It returns
// *ebmkit.ArgError if the series is constant.
func Diagnostics(s *diagnose.Series) (plotting.Multiples, error) {
	ranks, err := Ranks(s)
	if err != nil {
		return plotting.Multiples{}, err
	}
	acf, err := Autocorrelation(s, 0)
	if err != nil {
		return plotting.Multiples{}, err
	}
	growth, err := ESSGrowth(s)
	if err != nil {
		return plotting.Multiples{}, err
	}
	return plotting.Small(2,
		Trace(s).Title("trace"), ranks.Title("ranks of the draws"), acf,
		growth.Title("effective sample size: bulk (solid), tail (dashed)")).
		Free(true, true).Legend(plotting.None).Size(plotting.Double, 104), nil
}

// Trace draws the first four chains of a series against the number of the draw.
// Of a long chain every k-th draw is shown, at most 300.
func Trace(s *diagnose.Series) plotting.Figure {
	fig := plotting.New().XLabel("draw").YLabel("$x$")
	every := (s.Draws() + maxPoints - 1) / maxPoints
	for c := range min(s.Chains(), maxChains) {
		var x, y []float64
		for t, v := range s.Chain(c) {
			if t%every == 0 {
				x, y = append(x, float64(t)), append(y, v)
			}
		}
		fig = fig.Line(chainName(c), x, y, plotting.Solid, plotting.LineWidth(0.6), chainColor(c))
	}
	return fig
}

// Ranks draws, for the first four chains, how often their draws fall into each
// of 20 equal bins of the ranks of all draws, divided by what is expected of
// chains that sample the same distribution. The band holds 2 standard
// deviations of it,
//
//	2 sqrt((bins-1)(1 - 1/chains) / ESS),
//
// with ESS the effective sample size of "the draw is in this bin", the mean over
// the chains taken singly.
func Ranks(s *diagnose.Series) (plotting.Figure, error) {
	if err := moving("chainplot.Ranks", s); err != nil {
		return plotting.Figure{}, err
	}
	counts, err := s.RankCounts(rankBins)
	if err != nil {
		return plotting.Figure{}, err
	}
	edge, lo, hi := make([]float64, 2*rankBins), make([]float64, 2*rankBins), make([]float64, 2*rankBins)
	var sorted []float64
	for c := range s.Chains() {
		sorted = append(sorted, s.Chain(c)...)
	}
	slices.Sort(sorted)
	for b := range rankBins {
		n := len(sorted)
		half, err := binNoise(s, sorted[b*n/rankBins], sorted[(b+1)*n/rankBins-1])
		if err != nil {
			return plotting.Figure{}, err
		}
		for k := range 2 {
			edge[2*b+k] = float64(b+k) / rankBins
			lo[2*b+k], hi[2*b+k] = max(0, 1-half), 1+half
		}
	}
	fig := plotting.New().XLabel("rank of the draw among all").YLabel("count / expected").XRange(0, 1).
		Band("", edge, lo, hi, plotting.Color(bandGrey))
	expected := float64(s.Draws()) / rankBins
	for c := range min(s.Chains(), maxChains) {
		x, y := make([]float64, rankBins+1), make([]float64, rankBins+1)
		for b := range x {
			x[b] = float64(b) / rankBins
			y[b] = float64(counts[c][min(b, rankBins-1)]) / expected
		}
		fig = fig.Line(chainName(c), x, y, plotting.Step, plotting.Solid, chainColor(c))
	}
	return fig, nil
}

// binNoise returns half the height of the band of Ranks over the bin of values
// from lo to hi. Chains that never enter or never leave it do not count.
func binNoise(s *diagnose.Series, lo, hi float64) (float64, error) {
	var ess float64
	var n int
	for c := range s.Chains() {
		in := s.Chain(c)
		for i, v := range in {
			in[i] = 0
			if lo <= v && v <= hi {
				in[i] = 1
			}
		}
		one, err := diagnose.NewSeries([][]float64{in})
		if err != nil {
			return 0, err
		}
		if e := one.ESSMean(); !math.IsNaN(e) {
			ess, n = ess+e, n+1
		}
	}
	if n == 0 {
		return 0, nil
	}
	return 2 * math.Sqrt((rankBins-1)*(1-1/float64(s.Chains()))/(ess/float64(n))), nil
}

// Autocorrelation draws the autocorrelation function up to maxLag draws; 0 means
// five integrated autocorrelation times, at least 20. The title gives tau, or
// says that the chains are too short for it. It returns *ebmkit.ArgError if the
// series is constant or maxLag is not below its length.
func Autocorrelation(s *diagnose.Series, maxLag int) (plotting.Figure, error) {
	if err := moving("chainplot.Autocorrelation", s); err != nil {
		return plotting.Figure{}, err
	}
	tau, short := s.Tau()
	if maxLag == 0 {
		maxLag = min(s.Draws()-1, max(20, int(5*tau.Value)))
	}
	rho, err := s.Autocorrelation(maxLag)
	if err != nil {
		return plotting.Figure{}, err
	}
	title := fmt.Sprintf(`autocorrelation, $\tau = %.3g \pm %.1g$`, tau.Value, tau.SE)
	if short != nil {
		title = fmt.Sprintf(`autocorrelation, $\tau > %.3g$: too short a chain`, tau.Value)
	}
	lag := make([]float64, len(rho))
	for i := range lag {
		lag[i] = float64(i)
	}
	return plotting.New().XLabel("lag in draws").YLabel("autocorrelation").
		Title(title).Line("", lag, rho).HLine("", 0, plotting.Dotted), nil
}

// ESSGrowth draws the bulk and the tail effective sample size of the first draws
// of all chains together against the number of draws per chain. A sampler that
// works gives straight lines. The dotted line at 400 is where R-hat and the
// effective sample size itself begin to be reliable (Vehtari et al. 2021).
func ESSGrowth(s *diagnose.Series) (plotting.Figure, error) {
	const fn = "chainplot.ESSGrowth"
	if err := moving(fn, s); err != nil {
		return plotting.Figure{}, err
	}
	growth, err := s.ESSGrowth(min(12, s.Draws()/4))
	if err != nil {
		return plotting.Figure{}, err
	}
	var x, bulk, tail []float64
	for _, g := range growth {
		// The first draws of a chain may all be equal.
		if !math.IsNaN(g.Bulk) && !math.IsNaN(g.Tail) {
			x, bulk, tail = append(x, float64(g.Draws)), append(bulk, g.Bulk), append(tail, g.Tail)
		}
	}
	return plotting.New().XLabel("draws per chain").YLabel("ESS").
		Line("bulk", x, bulk).Points("bulk", x, bulk).Line("tail", x, tail).Points("tail", x, tail).
		HLine("", 400, plotting.Dotted), nil
}

// moving returns an error for a series that never moved.
func moving(fn string, s *diagnose.Series) error {
	if s.Constant() {
		return &ebmkit.ArgError{Func: fn, Arg: "s", Value: s.Chain(0)[0], Want: "a series that is not constant"}
	}
	return nil
}

// chainColor gives a chain the same colour in trace and ranks.
func chainColor(c int) plotting.Option { return plotting.Color(plotting.Print().Palette[c]) }

func chainName(c int) string { return fmt.Sprintf("chain %d", c) }
