package chainplot

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
	"github.com/ebmkit/hitchhiker/plotting"
)

// ar1 returns chains of the autoregression x' = rho x + sqrt(1-rho^2) xi, chain
// c shifted by shift*c.
func ar1(t *testing.T, chains, draws int, rho, shift float64) *diagnose.Series {
	t.Helper()
	rows := make([][]float64, chains)
	for c := range rows {
		s := ebmkit.NewStream(1, "ar1", c)
		x := s.Normal()
		for range draws {
			x = rho*x + math.Sqrt(1-rho*rho)*s.Normal()
			rows[c] = append(rows[c], x+shift*float64(c))
		}
	}
	series, err := diagnose.NewSeries(rows)
	if err != nil {
		t.Fatal(err)
	}
	return series
}

func spec(t *testing.T, f plotting.Figure, err error) plotting.Spec {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTraceShowsEveryKthDraw(t *testing.T) {
	s := ar1(t, 6, 1500, 0.5, 0)
	sp := spec(t, Trace(s), nil)
	if len(sp.Series) != maxChains {
		t.Fatalf("%d chains drawn", len(sp.Series))
	}
	for c, line := range sp.Series {
		if len(line.X) != 300 || line.X[1] != 5 {
			t.Fatalf("%d points, the second at draw %g", len(line.X), line.X[1])
		}
		for i, x := range line.X {
			if line.Y[i] != s.Chain(c)[int(x)] {
				t.Fatalf("chain %d, draw %g: %g", c, x, line.Y[i])
			}
		}
	}
}

// outside returns the share of rank bins that leave the band.
func outside(t *testing.T, s *diagnose.Series) float64 {
	t.Helper()
	f, err := Ranks(s)
	sp := spec(t, f, err)
	band := sp.Series[0]
	var out, n float64
	for _, line := range sp.Series[1:] {
		var sum float64
		for b, y := range line.Y[:rankBins] {
			sum += y
			if y < band.Lo[2*b] || y > band.Hi[2*b] {
				out++
			}
			n++
			if line.X[b] != float64(b)/rankBins {
				t.Fatalf("bin %d begins at %g", b, line.X[b])
			}
		}
		if math.Abs(sum-rankBins) > 1e-9 {
			t.Fatalf("counts over expected sum to %g, not %d", sum, rankBins)
		}
	}
	return out / n
}

// 80 bins, independent draws: about 5 % leave a band of 2 sd; 16 % would be 5 sd
// of a binomial more. Shifted chains must leave it.
func TestRankBandCovers(t *testing.T) {
	t.Log(outside(t, ar1(t, 4, 4000, 0, 0)), outside(t, ar1(t, 4, 4000, 0.9, 0)), outside(t, ar1(t, 4, 4000, 0, 0.5)))
	if p := outside(t, ar1(t, 4, 4000, 0, 0)); p > 0.16 {
		t.Errorf("independent draws: %.0f %% outside", 100*p)
	}
	if p := outside(t, ar1(t, 4, 4000, 0.9, 0)); p > 0.16 {
		t.Errorf("correlated chains: %.0f %% outside", 100*p)
	}
	if p := outside(t, ar1(t, 4, 4000, 0, 0.5)); p < 0.5 {
		t.Errorf("shifted chains: only %.0f %% outside", 100*p)
	}
}

func TestAutocorrelationIsDiagnose(t *testing.T) {
	s := ar1(t, 2, 3000, 0.8, 0)
	f, err := Autocorrelation(s, 30)
	sp := spec(t, f, err)
	want, _ := s.Autocorrelation(30)
	for i, y := range sp.Series[0].Y {
		if y != want[i] || sp.Series[0].X[i] != float64(i) {
			t.Fatalf("lag %g: %g, want %g", sp.Series[0].X[i], y, want[i])
		}
	}
	if _, err := Autocorrelation(s, 3000); err == nil {
		t.Error("a lag as long as the chain was accepted")
	}
	f, err = Autocorrelation(ar1(t, 1, 40, 0.99, 0), 0)
	if title := spec(t, f, err).Title; !strings.Contains(title, "too short") {
		t.Errorf("a short chain is called %q", title)
	}
}

func TestESSGrowthEndsAtTheWholeChain(t *testing.T) {
	s := ar1(t, 4, 1000, 0.5, 0)
	f, err := ESSGrowth(s)
	sp := spec(t, f, err)
	bulk := sp.Series[0]
	if n := len(bulk.X); bulk.X[n-1] != 1000 || bulk.Y[n-1] != s.ESSBulk() {
		t.Errorf("ends at %g draws with ESS %g, want 1000 and %g", bulk.X[n-1], bulk.Y[n-1], s.ESSBulk())
	}
}

func TestConstantSeries(t *testing.T) {
	s, err := diagnose.NewSeries([][]float64{{3, 3, 3, 3, 3, 3, 3, 3}})
	if err != nil {
		t.Fatal(err)
	}
	_, ranks := Ranks(s)
	_, acf := Autocorrelation(s, 0)
	_, growth := ESSGrowth(s)
	_, all := Diagnostics(s)
	for _, err := range []error{ranks, acf, growth, all} {
		var arg *ebmkit.ArgError
		if !errors.As(err, &arg) || arg.Arg != "s" {
			t.Errorf("a constant series gives %v", err)
		}
	}
	if err := Trace(s).Err(); err != nil {
		t.Errorf("the trace of a constant series: %v", err)
	}
}

// CHAINPLOT_OUT=dir writes pictures to look at.
func TestDraws(t *testing.T) {
	for name, s := range map[string]*diagnose.Series{
		"good": ar1(t, 4, 4000, 0.7, 0), "apart": ar1(t, 4, 1000, 0.9, 1), "one": ar1(t, 1, 200, 0.95, 0),
	} {
		m, err := Diagnostics(s)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := plotting.Render(&b, m, plotting.PNG, 110); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if dir := os.Getenv("CHAINPLOT_OUT"); dir != "" {
			if err := os.WriteFile(dir+"/"+name+".png", b.Bytes(), 0o644); err != nil {
				t.Error(err)
			}
		}
	}
}

func ExampleAutocorrelation() {
	s, _ := diagnose.NewSeries([][]float64{{1, 2, 1, 3, 1, 2, 1, 3}, {2, 1, 3, 1, 2, 1, 3, 1}})
	fig, err := Autocorrelation(s, 3)
	if err != nil {
		fmt.Println(err)
		return
	}
	sp, _ := fig.Spec()
	fmt.Printf("%.3f\n", sp.Series[0].Y)
	// Output: [1.000 -0.716 0.477 -0.511]
}
