package plotting

import (
	"math"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// step is the decimal number m * 10^e, m = 1, 2 or 5: a distance of ticks.
type step struct{ m, e int }

// niceStep returns the smallest step that is not below x > 0.
func niceStep(x float64) step {
	e := floorLog10(x)
	for _, m := range []int{1, 2, 5} {
		if s := (step{m, e}); s.size() >= x*(1-1e-9) {
			return s
		}
	}
	return step{1, e + 1}
}

func (s step) size() float64 { return s.at(1) }

// at returns i steps, correctly rounded where powers of ten are exact.
func (s step) at(i float64) float64 {
	if s.e < 0 {
		return i * float64(s.m) / math.Pow10(-s.e)
	}
	return i * float64(s.m) * math.Pow10(s.e)
}

// next returns the next larger step: 1, 2, 5, 10, ...
func (s step) next() step {
	switch s.m {
	case 1:
		return step{2, s.e}
	case 2:
		return step{5, s.e}
	}
	return step{1, s.e + 1}
}

// minor returns the number of intervals between two major ticks.
func (s step) minor() int {
	if s.m == 2 {
		return 4
	}
	return 5
}

// floorLog10 returns the largest e with 10^e <= x, for x > 0.
func floorLog10(x float64) int {
	e := int(math.Floor(vmath.Log(x) / math.Ln10))
	for math.Pow10(e) > x {
		e--
	}
	for math.Pow10(e+1) <= x {
		e++
	}
	return e
}

// tick is a labelled place on an axis.
type tick struct {
	v     float64
	label string
}

// ticks are the marks of one axis. note stands at its end: a common factor and
// an offset of the labels.
type ticks struct {
	major []tick
	minor []float64
	note  string
}

// fits reports whether labels of major ticks are far enough apart.
type fits func(major []tick) bool

// makeTicks returns the densest round ticks of the axis whose labels fit.
func makeTicks(a Axis, target int, ok fits) ticks {
	switch {
	case a.Names != nil:
		var t ticks
		for i, n := range a.Names {
			if v := float64(i); v >= a.Min && v <= a.Max {
				t.major = append(t.major, tick{v, n})
			}
		}
		return t
	case a.Log:
		return logTicks(a.Min, a.Max, ok)
	}
	return linearTicks(a.Min, a.Max, target, ok)
}

func linearTicks(lo, hi float64, target int, ok fits) ticks {
	s := niceStep((hi - lo) / float64(target))
	for {
		t := linearTicksOf(lo, hi, s)
		if len(t.major) <= 2 || ok(t.major) {
			if len(t.major) < 2 && s.size() > (hi-lo)/100 {
				// A single label tells no scale: accept the next finer step
				// even if its labels are close.
				for len(t.major) < 2 {
					switch s.m {
					case 5:
						s.m = 2
					case 2:
						s.m = 1
					default:
						s = step{5, s.e - 1}
					}
					t = linearTicksOf(lo, hi, s)
				}
			}
			return t
		}
		s = s.next()
	}
}

func linearTicksOf(lo, hi float64, s step) ticks {
	var t ticks
	eps := (hi - lo) * 1e-9
	first := math.Ceil((lo - eps) / s.size())
	var vs []float64
	for i := first; s.at(i) <= hi+eps && len(vs) < 1000; i++ {
		vs = append(vs, s.at(i))
	}
	// Offset: more than six digits would be needed to tell neighbours apart.
	size := max(math.Abs(lo), math.Abs(hi))
	offset := 0.0
	if size > 0 && floorLog10(size)-s.e >= 6 {
		unit := step{1, floorLog10(hi-lo) + 2}
		offset = unit.at(math.Trunc(lo / unit.size()))
		size = max(math.Abs(lo-offset), math.Abs(hi-offset))
	}
	// Common factor of very large and very small labels.
	k := 0
	if size > 0 && (size >= 1e5 || size < 1e-2) {
		k = floorLog10(size)
	}
	dec := max(0, k-s.e)
	for n, v := range vs {
		if offset != 0 {
			v = s.at(first+float64(n)) - offset
		}
		if k != 0 {
			if k < 0 {
				v *= math.Pow10(-k)
			} else {
				v /= math.Pow10(k)
			}
		}
		t.major = append(t.major, tick{vs[n], number(v, dec)})
	}
	if k != 0 {
		t.note = `$\times 10^{` + number(float64(k), 0) + `}$`
	}
	if offset != 0 {
		o := strconv.FormatFloat(math.Abs(offset), 'f', -1, 64)
		sign := "+"
		if offset < 0 {
			sign = "\u2212"
		}
		t.note = strings.TrimSpace(t.note + " " + sign + "\u2009" + o)
	}
	// Minor ticks.
	n := s.minor()
	for i := first*float64(n) - float64(n); ; i++ {
		v := s.at(i) / float64(n)
		if v > hi+eps || len(t.minor) > 2000 {
			break
		}
		if v >= lo-eps && math.Mod(i, float64(n)) != 0 {
			t.minor = append(t.minor, v)
		}
	}
	return t
}

// number formats v with a true minus and dec decimals, and no minus zero.
func number(v float64, dec int) string {
	s := strconv.FormatFloat(v, 'f', dec, 64)
	if strings.HasPrefix(s, "-") {
		if strings.Trim(s, "-0.") == "" {
			return s[1:]
		}
		return "\u2212" + s[1:]
	}
	return s
}

// shortNumber formats v for contours and the text twin.
func shortNumber(v float64) string {
	return strings.Replace(strconv.FormatFloat(v, 'g', 6, 64), "-", "\u2212", -1)
}

func logTicks(lo, hi float64, ok fits) ticks {
	e0 := floorLog10(lo)
	if math.Pow10(e0) < lo*(1-1e-12) {
		e0++
	}
	e1 := floorLog10(hi * (1 + 1e-12))
	if e1-e0 >= 1 {
		for _, stride := range [...]int{1, 2, 3, 4, 5, 10, 20, 50, 100, 200} {
			t := ticks{}
			for e := e0; e <= e1; e++ {
				if floorMod(e, stride) == 0 {
					t.major = append(t.major, tick{math.Pow10(e), "$10^{" + strconv.Itoa(e) + "}$"})
				} else {
					t.minor = append(t.minor, math.Pow10(e))
				}
			}
			if len(t.major) > 2 && !ok(t.major) && stride < 200 {
				continue
			}
			if stride == 1 && e1-e0 <= 12 {
				t.minor = between(lo, hi, e0-1, e1)
			}
			return t
		}
	}
	// Less than two decades: 1, 2, ..., 9 or a part of them; if the axis holds fewer
	// than three of these, round numbers as on a linear axis.
	for _, ms := range [][]int{{1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 5}, {1, 2, 5}, {1, 3}} {
		t := ticks{minor: between(lo, hi, e0-1, e1)}
		for e := e0 - 1; e <= e1; e++ {
			for _, m := range ms {
				v := step{m, e}.size()
				if v < lo*(1-1e-12) || v > hi*(1+1e-12) {
					continue
				}
				label := number(v, max(0, -e))
				if e >= 5 || e < -3 {
					label = "$" + strconv.Itoa(m) + `\times 10^{` + strconv.Itoa(e) + "}$"
					if m == 1 {
						label = "$10^{" + strconv.Itoa(e) + "}$"
					}
				}
				t.major = append(t.major, tick{v, label})
			}
		}
		if len(t.major) >= 3 && ok(t.major) {
			return t
		}
	}
	return linearTicks(lo, hi, 5, ok)
}

// between returns 2, 3, ..., 9 times the powers of ten in [lo, hi].
func between(lo, hi float64, e0, e1 int) []float64 {
	var vs []float64
	for e := e0; e <= e1; e++ {
		for m := 2; m <= 9; m++ {
			if v := (step{m, e}).size(); v >= lo && v <= hi {
				vs = append(vs, v)
			}
		}
	}
	return vs
}

func floorMod(a, b int) int { return ((a % b) + b) % b }
