package diagnose

import (
	"encoding/json"
	"math"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"testing"
)

// arvizCase is one entry of testdata/arviz.json, made by testdata/regenerate.py.
type arvizCase struct {
	Name                                     string
	Chains, Draws, Frozen                    int
	Phi, Shift, Spread, Trend, Offset, Scale float64
	Quantum                                  float64
	Heavy, Flat                              bool
	Seed                                     uint64
	Bits                                     string
	Want                                     map[string]any
}

// splitMix is the generator of regenerate.py.
type splitMix uint64

func (s *splitMix) uniform() float64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}

func (s *splitMix) noise(heavy bool) float64 {
	if heavy {
		u := s.uniform()
		return (u - 0.5) / float64(u*(1-u))
	}
	var total float64
	for range 12 {
		total += s.uniform()
	}
	return total - 6
}

// draws makes the draws of regenerate.py, bit for bit; float64() keeps products
// from being fused.
func (c *arvizCase) draws() [][]float64 {
	rng := splitMix(c.Seed)
	x := make([][]float64, c.Chains)
	for k := range x {
		x[k] = make([]float64, c.Draws)
		var y float64
		for t := range x[k] {
			y = float64(c.Phi*y) + rng.noise(c.Heavy)
			if c.Flat {
				y = 0
			}
			v := c.Offset + float64(c.Shift*float64(k))
			v += float64(c.Trend * float64(t))
			v += float64((1 + float64(c.Spread*float64(k))) * y)
			v *= c.Scale
			if c.Quantum > 0 {
				v = math.Floor(v/c.Quantum) * c.Quantum
			}
			if k < c.Frozen && t > 0 {
				v = x[k][0]
			}
			x[k][t] = v
		}
	}
	return x
}

func fingerprint(x [][]float64) string {
	var h uint64
	for _, row := range x {
		for _, v := range row {
			h = bits.RotateLeft64(h, 1) ^ math.Float64bits(v)
		}
	}
	s := strconv.FormatUint(h, 16)
	return strings.Repeat("0", 16-len(s)) + s
}

func loadArviz(t testing.TB) []arvizCase {
	raw, err := os.ReadFile("testdata/arviz.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []arvizCase }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) < 25 {
		t.Fatalf("only %d cases", len(file.Cases))
	}
	return file.Cases
}

// differsOnPurpose lists the numbers where ArviZ is not followed, and what is
// returned instead.
var differsOnPurpose = map[string]map[string]float64{
	// A sampler that never moved is not worth N draws, nor is its mean exact.
	"constant": {
		"ess_bulk": math.NaN(), "ess_tail": math.NaN(), "ess_mean": math.NaN(), "ess_sd": math.NaN(), "mcse_mean": math.NaN(),
		"ess_quantile_0.05": math.NaN(), "ess_quantile_0.1": math.NaN(), "ess_quantile_0.5": math.NaN(), "ess_quantile_0.9": math.NaN(), "ess_quantile_0.95": math.NaN(),
		"mcse_quantile_0.05": math.NaN(), "mcse_quantile_0.1": math.NaN(), "mcse_quantile_0.5": math.NaN(), "mcse_quantile_0.9": math.NaN(), "mcse_quantile_0.95": math.NaN(),
	},
	// ArviZ's 7e15 is infinity with rounding errors in the variance of a frozen chain.
	"all chains frozen apart": {"rhat": math.Inf(1), "rhat_bulk": math.Inf(1), "rhat_folded": math.Inf(1), "bfmi": math.NaN()},
}

func TestAgreesWithArviZ(t *testing.T) {
	worst, compared := 0.0, 0
	var unit map[string]any
	for _, c := range loadArviz(t) {
		if c.Name == "unit scale" {
			unit = c.Want
		}
		x := c.draws()
		if got := fingerprint(x); got != c.Bits {
			t.Fatalf("%s: the draws are not those of regenerate.py (%s, want %s)", c.Name, got, c.Bits)
		}
		s, err := NewSeries(x)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{
			"mean": s.Mean().Value, "mcse_mean": s.Mean().SE,
			"sd": s.SD().Value, "mcse_sd_0.23.4": s.SD().SE,
			"rhat": s.RHat(), "rhat_bulk": s.RHatBulk(), "rhat_folded": s.RHatFolded(),
			"ess_bulk": s.ESSBulk(), "ess_tail": s.ESSTail(), "ess_mean": s.ESSMean(), "ess_sd": s.ESSSD(),
		}
		for _, p := range []string{"0.05", "0.1", "0.5", "0.9", "0.95"} {
			prob, _ := strconv.ParseFloat(p, 64)
			q, err := s.Quantile(prob)
			if err != nil {
				t.Fatal(err)
			}
			got["quantile_"+p], got["mcse_quantile_"+p] = q.Value, q.SE
			got["ess_quantile_"+p], _ = s.ESSQuantile(prob)
		}
		for k, b := range EBFMI(s) {
			want := number(t, c.Want["bfmi"].([]any)[k])
			if other, ok := differsOnPurpose[c.Name]["bfmi"]; ok {
				want = other
			}
			check(t, c.Name, "bfmi", b, want, &worst)
			compared++
		}
		for name, g := range got {
			w, ok := c.Want[name]
			if !ok {
				if name == "rhat_folded" && c.Draws%2 == 1 {
					continue // ArviZ's folded method takes the median of other draws than its rank method
				}
				t.Fatalf("%s: no stored %s", c.Name, name)
			}
			want := number(t, w)
			if c.Name == "small scale" && strings.Contains(name, "sd") {
				// ArviZ takes squares that differ by less than 1e-15 for constants.
				// A change of units changes nothing here.
				want = number(t, unit[name])
				if name != "ess_sd" {
					want *= c.Scale
				}
			}
			if other, ok := differsOnPurpose[c.Name][name]; ok {
				want = other
			}
			check(t, c.Name, name, g, want, &worst)
			compared++
		}
	}
	t.Logf("%d numbers, largest relative difference %.1e", compared, worst)
}

// check compares to 1e-8, relative to numbers above 1e-8 of the quantity's own
// size.
func check(t *testing.T, name, what string, got, want float64, worst *float64) {
	t.Helper()
	if math.IsNaN(want) || math.IsInf(want, 0) {
		if !(math.IsNaN(got) && math.IsNaN(want)) && got != want {
			t.Errorf("%s: %s = %v, want %v", name, what, got, want)
		}
		return
	}
	d := math.Abs(got-want) / max(math.Abs(want), math.SmallestNonzeroFloat64)
	if got == want {
		d = 0
	}
	*worst = max(*worst, d)
	if !(d <= 1e-8) {
		t.Errorf("%s: %s = %v, want %v (relative difference %.1e)", name, what, got, want, d)
	}
}

func number(t *testing.T, v any) float64 {
	f, err := strconv.ParseFloat(v.(string), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestTauAgreesWithEmcee compares the first chain of every case where the two
// mean the same: rho_1 >= 0, and a window that closes.
func TestTauAgreesWithEmcee(t *testing.T) {
	worst, compared := 0.0, 0
	for _, c := range loadArviz(t) {
		s, err := NewSeries(c.draws()[:1])
		if err != nil {
			t.Fatal(err)
		}
		rho, _ := s.Autocorrelation(s.Draws() - 1)
		if !(rho[1] >= 0) {
			continue
		}
		if _, _, window := sokal(rho); window < 0 {
			continue
		}
		tau, _ := s.Tau()
		// Compared as 1 + tau: a sum of terms of size 1 that may cancel.
		check(t, c.Name, "1 + tau", 1+tau.Value, 1+number(t, c.Want["emcee_tau"]), &worst)
		compared++
	}
	if compared < 12 {
		t.Errorf("only %d cases compared", compared)
	}
	t.Logf("%d cases, largest relative difference %.1e", compared, worst)
}
