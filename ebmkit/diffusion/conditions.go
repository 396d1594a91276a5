package diffusion

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Condition is one requirement on an interpolant and whether it holds.
type Condition struct {
	Key    string // short, for tables: see Conditions
	Name   string // with the equation of the review
	Holds  bool
	Detail string // what was found, with a witness if it is violated
}

// String prints name, verdict and detail.
func (c Condition) String() string {
	verdict := "holds"
	if !c.Holds {
		verdict = "VIOLATED"
	}
	return fmt.Sprintf("%s: %s (%s)", c.Name, verdict, c.Detail)
}

// Violated returns those that do not hold, in order.
func Violated(all []Condition) []Condition {
	var bad []Condition
	for _, c := range all {
		if !c.Holds {
			bad = append(bad, c)
		}
	}
	return bad
}

// checkTimes is the number of times in [0, 1] at which conditions are looked at,
// transportTol the relative residual that counts as none.
const (
	checkTimes   = 200
	transportTol = 1e-6
)

// Conditions checks the interpolant between two Gaussian mixtures, in this
// order:
//
//	Key         Name
//	X_0         I(0) = X_0, eq. (59)
//	X_1         I(1) = X_1, eq. (59)
//	60          |d_t I| <= C |X_0 - X_1|, eq. (60)
//	gamma(0)    gamma(0) = 0
//	gamma(1)    gamma(1) = 0
//	gamma>0     gamma > 0 inside
//	moment      E|d_t I|^2 finite
//	61          transport equation, eq. (61)
//
// The conditions of Definition 3.6 are sufficient, not necessary. Eq. (60) at
// X_0 = X_1 asks for alpha' + beta' = 0, so Trigonometric violates it; one-sided
// interpolants violate gamma(0) = 0 and I(0) = X_0. What is needed is the last
// two, and all of these have them. Eq. (61) is checked as the residual
//
//	d_t log p + div b + b . grad log p = 0
//
// at points from the law at times inside (0, 1), with d_t by differences. base
// is nil for a one-sided interpolant. It returns *ebmkit.ArgError as Law does.
func (p Interpolant) Conditions(base, data ebmkit.Energy) ([]Condition, error) {
	law, err := p.Law(base, data)
	if err != nil {
		return nil, err
	}
	a0, b0, _, _ := p.I.Coefficients(0)
	a1, b1, _, _ := p.I.Coefficients(1)
	g0, _ := p.Gamma.At(0)
	g1, _ := p.Gamma.At(1)
	ends := func(key, name string, v, want [2]float64) Condition {
		ok := math.Abs(v[0]-want[0])+math.Abs(v[1]-want[1]) < 1e-12
		return Condition{key, name, ok, fmt.Sprintf("I = %.4g X_0 + %.4g X_1", v[0], v[1])}
	}
	zero := func(key string, g float64) Condition {
		return Condition{key, key + " = 0", math.Abs(g) < 1e-12, fmt.Sprintf("it is %.4g", g)}
	}
	transport, err := p.transport(law)
	if err != nil {
		return nil, err
	}
	return []Condition{
		ends("X_0", "I(0) = X_0, eq. (59)", [2]float64{a0, b0}, [2]float64{1, 0}),
		ends("X_1", "I(1) = X_1, eq. (59)", [2]float64{a1, b1}, [2]float64{0, 1}),
		p.bounded(),
		zero("gamma(0)", g0), zero("gamma(1)", g1),
		p.positive(), p.moment(law), transport,
	}, nil
}

// bounded checks eq. (60) with X_0 = X_1 != 0, and that beta' is bounded: the
// two together are equivalent to it for a linear I.
func (p Interpolant) bounded() Condition {
	c := Condition{Key: "60", Name: "|d_t I| <= C |X_0 - X_1|, eq. (60)", Holds: true}
	var top float64
	for i := range checkTimes + 1 {
		t := float64(i) / checkTimes
		_, _, da, db := p.I.Coefficients(t)
		if size := math.Abs(da) + math.Abs(db); !(size < math.Inf(1)) {
			c.Holds, c.Detail = false, fmt.Sprintf("at t = %.4g the derivatives of the coefficients are %.4g and %.4g", t, da, db)
			return c
		}
		if s := da + db; math.Abs(s) >= 1e-9 {
			c.Holds = false
			c.Detail = fmt.Sprintf("at t = %.4g and X_0 = X_1 = x, d_t I = %.4g x, and the right side is 0", t, s)
			return c
		}
		top = max(top, math.Abs(db))
	}
	c.Detail = fmt.Sprintf("C = %.4g", top)
	return c
}

func (p Interpolant) positive() Condition {
	c := Condition{Key: "gamma>0", Name: "gamma > 0 inside", Holds: true}
	low, at := math.Inf(1), 0.0
	for i := 1; i < checkTimes; i++ {
		t := float64(i) / checkTimes
		if g, _ := p.Gamma.At(t); !(g >= low) {
			low, at = g, t
		}
	}
	c.Holds = low > 0
	c.Detail = fmt.Sprintf("least value %.4g, at t = %.4g", low, at)
	return c
}

// moment checks that E|d_t I|^2 is finite at all times.
func (p Interpolant) moment(l *Law) Condition {
	var top, at float64
	d := l.d
	for i := range checkTimes + 1 {
		t := float64(i) / checkTimes
		_, _, da, db := p.I.Coefficients(t)
		var s float64
		for k, lw := range l.logw {
			var second float64
			for j := range d {
				m := da*l.m0[k*d+j] + db*l.m1[k*d+j]
				second += m*m + da*da*l.c0[k*l.size+j*l.step] + db*db*l.c1[k*l.size+j*l.step]
			}
			s += vmath.Exp(lw) * second
		}
		if !(s < math.Inf(1)) {
			return Condition{"moment", "E|d_t I|^2 finite", false, fmt.Sprintf("it is not, at t = %.4g", t)}
		}
		if s > top {
			top, at = s, t
		}
	}
	return Condition{"moment", "E|d_t I|^2 finite", true, fmt.Sprintf("largest %.4g, at t = %.4g", top, at)}
}

// transport checks eq. (61) at points of the law.
func (p Interpolant) transport(l *Law) (Condition, error) {
	const points, h = 8, 1e-4
	d := l.d
	c := Condition{Key: "61", Name: "transport equation, eq. (61)"}
	var worst, at float64
	b, s := make([]float64, points*d), make([]float64, points*d)
	div, before, after := make([]float64, points), make([]float64, points), make([]float64, points)
	for i := 1; i < 20; i++ {
		t := float64(i) / 20
		m, err := l.At(t)
		if err != nil {
			return c, err
		}
		x, err := ebmkit.Draw(m, points, uint64(i))
		if err != nil {
			return c, err
		}
		v := l.Velocity()
		v.At(b, t, x.X)
		v.Divergence(div, t, x.X)
		l.Score().At(s, t, x.X)
		// The derivative in t to fourth order: steps h and 2h.
		dt := make([]float64, points)
		for _, k := range []float64{1, 2} {
			weight := map[float64]float64{1: 8.0 / 12, 2: -1.0 / 12}[k]
			l.LogDensity(before, t-k*h, x.X)
			l.LogDensity(after, t+k*h, x.X)
			for r := range dt {
				dt[r] += weight * (after[r] - before[r]) / h
			}
		}
		for r := range points {
			bs := vmath.Dot(b[r*d:(r+1)*d], s[r*d:(r+1)*d])
			res := math.Abs(dt[r]+div[r]+bs) / (1 + math.Abs(dt[r]) + math.Abs(div[r]) + math.Abs(bs))
			if !(res <= worst) {
				worst, at = res, t
			}
		}
	}
	c.Holds = worst < transportTol
	c.Detail = fmt.Sprintf("largest relative residual %.2g, at t = %.4g", worst, at)
	return c, nil
}
