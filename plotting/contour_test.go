package plotting

import (
	"math"
	"testing"
)

func lattice(fn func(x, y float64) float64, nx, ny int) []float64 {
	z := make([]float64, nx*ny)
	for k := range z {
		z[k] = fn(float64(k%nx), float64(k/nx))
	}
	return z
}

func TestIsolinesOfACircle(t *testing.T) {
	// z = r^2 on a lattice of spacing 1 about (50, 40). Linear interpolation of a
	// parabola along an edge errs by at most 1/8 of its second difference, so in
	// the radius by 1/8 * 2 / (2 r) = 1/(8 r).
	const r = 30.0
	z := lattice(func(x, y float64) float64 { return (x-50)*(x-50) + (y-40)*(y-40) }, 101, 81)
	ls := isolines(z, 101, 81, r*r+0.1)
	if len(ls) != 1 || !ls[0].closed {
		t.Fatalf("%d lines, want one closed line", len(ls))
	}
	want := math.Sqrt(r*r + 0.1)
	length := 0.0
	for i, p := range ls[0].pts {
		if d := math.Hypot(p.X-50, p.Y-40); math.Abs(d-want) > 1/(8*r)+1e-9 {
			t.Errorf("point %d at radius %v, want %v", i, d, want)
		}
		q := ls[0].pts[(i+1)%len(ls[0].pts)]
		length += math.Hypot(p.X-q.X, p.Y-q.Y)
	}
	if math.Abs(length-2*math.Pi*want) > 0.01*length {
		t.Errorf("length %v, want %v", length, 2*math.Pi*want)
	}
}

func TestIsolinesOfAPlane(t *testing.T) {
	// Linear functions are interpolated exactly.
	z := lattice(func(x, y float64) float64 { return 2*x + 3*y }, 20, 10)
	ls := isolines(z, 20, 10, 21.7)
	if len(ls) != 1 || ls[0].closed {
		t.Fatalf("%d lines, want one open line", len(ls))
	}
	for _, p := range ls[0].pts {
		if math.Abs(2*p.X+3*p.Y-21.7) > 1e-12 {
			t.Errorf("%v is off the line", p)
		}
	}
	first, last := ls[0].pts[0], ls[0].pts[len(ls[0].pts)-1]
	if first.Y != 0 && last.Y != 0 || first.X != 0 && last.X != 0 {
		t.Errorf("ends %v and %v, want the edges y = 0 and x = 0", first, last)
	}
}

func TestIsolinesCount(t *testing.T) {
	// 3 x 2 separate hills; at level 0 of sin sin the saddles join nothing twice:
	// every crossed edge must belong to exactly one line.
	hills := func(x, y float64) float64 { return math.Sin(x*math.Pi/10) * math.Sin(y*math.Pi/10) }
	z := lattice(hills, 31, 21)
	closed := 0
	for _, l := range isolines(z, 31, 21, 0.7) {
		if l.closed {
			closed++
		}
	}
	if closed != 3 { // half of the six cells are hills, the others hollows
		t.Errorf("%d closed lines, want 3", closed)
	}
	crossed := 0
	for j := range 21 {
		for i := range 31 {
			k := j*31 + i
			if i < 30 && (z[k] >= 0.013) != (z[k+1] >= 0.013) {
				crossed++
			}
			if j < 20 && (z[k] >= 0.013) != (z[k+31] >= 0.013) {
				crossed++
			}
		}
	}
	got := 0
	for _, l := range isolines(z, 31, 21, 0.013) {
		got += len(l.pts)
	}
	if got != crossed {
		t.Errorf("lines have %d points, %d edges are crossed", got, crossed)
	}
}

func TestIsolinesBesideInfinity(t *testing.T) {
	z := lattice(func(x, y float64) float64 {
		if x > 10 {
			return math.Inf(1)
		}
		return x + y
	}, 20, 20)
	for _, l := range isolines(z, 20, 20, 9.5) {
		for _, p := range l.pts {
			if math.IsNaN(p.X) || math.IsNaN(p.Y) || p.X > 10 {
				t.Errorf("point %v", p)
			}
		}
	}
}

func TestContoursReachTheFrame(t *testing.T) {
	g := GridOf(func(x, y float64) float64 { return x }, 0, 1, 0, 1, 20, 20)
	z, nx, ny := extended(g)
	ls := isolines(z, nx, ny, 0.51)
	if len(ls) != 1 {
		t.Fatalf("%d lines", len(ls))
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, p := range ls[0].pts {
		y := (p.Y - 0.5) / 20
		lo, hi = min(lo, y), max(hi, y)
		if x := (p.X - 0.5) / 20; math.Abs(x-0.51) > 1e-12 {
			t.Errorf("x = %v, want 0.51", x)
		}
	}
	if lo > 0 || hi < 1 {
		t.Errorf("the line runs from %v to %v, want beyond 0 and 1", lo, hi)
	}
}
