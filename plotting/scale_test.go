package plotting

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func always([]tick) bool { return true }

func labels(t ticks) string {
	var s []string
	for _, m := range t.major {
		s = append(s, m.label)
	}
	return strings.Join(s, " ")
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		axis   Axis
		target int
		want   string
		note   string
	}{
		{Axis{Min: 0, Max: 1}, 5, "0.0 0.2 0.4 0.6 0.8 1.0", ""},
		{Axis{Min: -2, Max: 2}, 4, "−2 −1 0 1 2", ""},
		{Axis{Min: -0.3, Max: 0.3}, 3, "−0.2 0.0 0.2", ""},
		{Axis{Min: 0, Max: 1e-6}, 5, "0.0 0.2 0.4 0.6 0.8 1.0", `$\times 10^{−6}$`},
		{Axis{Min: 0, Max: 3e12}, 3, "0 1 2 3", `$\times 10^{12}$`},
		{Axis{Min: 0, Max: 20000}, 4, "0 5000 10000 15000 20000", ""},
		{Axis{Min: 1000.001, Max: 1000.002}, 5, "1.0 1.2 1.4 1.6 1.8 2.0", "$\\times 10^{−3}$ +\u20091000"},
		{Axis{Min: -5000.002, Max: -5000.001}, 2, "−2.0 −1.5 −1.0", "$\\times 10^{−3}$ −\u20095000"},
		{Axis{Min: 1, Max: 1000, Log: true}, 5, "$10^{0}$ $10^{1}$ $10^{2}$ $10^{3}$", ""},
		{Axis{Min: 0.9, Max: 11, Log: true}, 5, "$10^{0}$ $10^{1}$", ""},
		{Axis{Min: 2, Max: 9, Log: true}, 5, "2 3 4 5 6 7 8 9", ""},
		{Axis{Min: 1.1, Max: 3.1, Log: true}, 4, "1.5 2.0 2.5 3.0", ""},
		{Axis{Min: 2e-7, Max: 9e-7, Log: true}, 4, `$2\times 10^{-7}$ $3\times 10^{-7}$ $4\times 10^{-7}$ $5\times 10^{-7}$ $6\times 10^{-7}$ $7\times 10^{-7}$ $8\times 10^{-7}$ $9\times 10^{-7}$`, ""},
		{Axis{Min: -0.6, Max: 1.6, Names: []string{"a", "b"}}, 4, "a b", ""},
	} {
		got := makeTicks(c.axis, c.target, always)
		if labels(got) != c.want || got.note != c.note {
			t.Errorf("%g to %g (log %v): %s | %s, want %s | %s", c.axis.Min, c.axis.Max, c.axis.Log, labels(got), got.note, c.want, c.note)
		}
	}
}

// value reads a label back: its number times the factor plus the offset of the note.
func value(t *testing.T, label, note string) float64 {
	parse := func(s string) float64 {
		v, err := strconv.ParseFloat(strings.ReplaceAll(s, "\u2212", "-"), 64)
		if err != nil {
			t.Fatalf("label %q: %v", s, err)
		}
		return v
	}
	v := parse(label)
	if i := strings.Index(note, "10^{"); i >= 0 {
		e := note[i+4 : strings.Index(note, "}")]
		v *= math.Pow(10, parse(e))
	}
	if i := strings.Index(note, "\u2009"); i >= 0 {
		o := parse(note[i+len("\u2009"):])
		if strings.HasPrefix(note[:i][strings.LastIndexAny(" "+note[:i], " "):], "\u2212") {
			o = -o
		}
		v += o
	}
	return v
}

// Ticks of random axes: inside, evenly spaced, different, and every label tells
// its place to a thousandth of the distance of ticks.
func TestTicksTellTheirPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for n := range 3000 {
		length := math.Pow(10, 16*r.Float64()-8)
		lo := (r.Float64() - 0.5) * length * math.Pow(10, 6*r.Float64()-1)
		hi := lo + length
		tk := makeTicks(Axis{Min: lo, Max: hi}, 2+r.IntN(8), always)
		if len(tk.major) < 2 {
			t.Fatalf("%d: [%g, %g] has %d ticks", n, lo, hi, len(tk.major))
		}
		d := tk.major[1].v - tk.major[0].v
		for i, m := range tk.major {
			if m.v < lo-1e-6*length || m.v > hi+1e-6*length {
				t.Fatalf("[%g, %g]: tick at %g", lo, hi, m.v)
			}
			if i > 0 && math.Abs(m.v-tk.major[i-1].v-d) > 1e-6*d {
				t.Fatalf("[%g, %g]: uneven ticks %v", lo, hi, tk.major)
			}
			if v := value(t, m.label, tk.note); math.Abs(v-m.v) > 1e-3*d {
				t.Fatalf("[%.17g, %.17g]: tick at %.17g is labelled %s %s", lo, hi, m.v, m.label, tk.note)
			}
		}
		for _, v := range tk.minor {
			for _, m := range tk.major {
				if math.Abs(v-m.v) < 1e-3*d {
					t.Fatalf("[%g, %g]: minor tick on a major one at %g", lo, hi, v)
				}
			}
		}
	}
}

func TestTicksMakeRoom(t *testing.T) {
	few := makeTicks(Axis{Min: 0, Max: 1}, 9, func(m []tick) bool { return len(m) <= 3 })
	if labels(few) != "0.0 0.5 1.0" {
		t.Errorf("got %s", labels(few))
	}
	many := makeTicks(Axis{Min: 1e-20, Max: 1e20, Log: true}, 9, func(m []tick) bool { return len(m) <= 5 })
	if labels(many) != "$10^{-20}$ $10^{-10}$ $10^{0}$ $10^{10}$ $10^{20}$" {
		t.Errorf("got %s", labels(many))
	}
}
