// Package conform checks that an energy keeps the contracts of package ebmkit,
// for the tests of every package that defines energies.
//
// Check returns what it found instead of failing a test, so that a test can
// also hand it a broken energy and require that the fault is found.
package conform

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
)

// Options tells Check about the energy.
type Options struct {
	// Prefix is what panics start with. Default "energy: ".
	Prefix string
	// Center and Scale place the test points. Default 0 and 1.
	Center []float64
	Scale  float64
	// Seed of the test points and samples.
	Seed uint64
	// Samples is the number of exact samples. Default 20000.
	Samples int
	// HeavyTails leaves out the comparison of sample moments, whose standard
	// errors are not finite or not reached; bounded functions are compared
	// instead.
	HeavyTails bool
	// GradTol is the relative error of derivatives that the energy itself takes
	// by finite differences.
	GradTol float64
	// Fast leaves out what needs quadrature in two dimensions.
	Fast bool
	// Log, if not nil, receives the measured z-scores and errors.
	Log func(format string, args ...any)
}

// Check returns the faults of e, none if it conforms. It sets and restores the
// parameters of a Parametric energy.
func Check(e ebmkit.Energy, o Options) []error {
	if o.Prefix == "" {
		o.Prefix = "energy: "
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Center == nil {
		o.Center = make([]float64, e.Dim())
	}
	if o.Samples == 0 {
		o.Samples = 20000
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	c := &checker{e: e, d: e.Dim(), o: o}
	c.points = c.cloud(40, false)
	c.points = append(c.points, c.cloud(20, true)...)
	for _, step := range []struct {
		name string
		f    func()
	}{
		{"gradient", c.gradient}, {"rows", c.rows}, {"lengths", c.lengths}, {"concurrency", c.concurrency},
		{"modes", c.modes}, {"log Z", c.logZ}, {"sampler", c.sampler}, {"parameters", c.params}, {"score", c.score},
	} {
		c.step = step.name
		func() {
			defer func() {
				if p := recover(); p != nil {
					c.fail("panics: %v", p)
				}
			}()
			step.f()
		}()
	}
	return c.faults
}

type checker struct {
	e      ebmkit.Energy
	d      int
	o      Options
	step   string
	points []float64
	faults []error
}

func (c *checker) fail(format string, args ...any) {
	if len(c.faults) < 20 {
		c.faults = append(c.faults, fmt.Errorf("%s: %s", c.step, fmt.Sprintf(format, args...)))
	}
}

func (c *checker) quadrature() bool { return c.d == 1 || (c.d == 2 && !c.o.Fast) }

// cloud returns n points around the centre: normal, or of a Cauchy law cut at
// 1e4 scales.
func (c *checker) cloud(n int, heavy bool) []float64 {
	s := ebmkit.NewStream(c.o.Seed, "conform", 0)
	if heavy {
		s = ebmkit.NewStream(c.o.Seed, "conform-heavy", 0)
	}
	xs := make([]float64, n*c.d)
	for i := range xs {
		t := s.Normal()
		if heavy {
			t = max(-1e4, min(1e4, t/math.Abs(s.Normal())))
		}
		xs[i] = c.o.Center[i%c.d] + c.o.Scale*t
	}
	return xs
}

func (c *checker) row(xs []float64, i int) []float64 { return xs[i*c.d : (i+1)*c.d] }

// Derivative returns df/dt at 0 by Ridders' extrapolation of central
// differences from the step h down, with an estimate of its error. The estimate
// is never below what the rounding of f makes of the smallest step; agreement of
// two extrapolations can be luck.
func Derivative(f func(t float64) float64, h float64) (value, err float64) {
	const n, shrink = 10, 1.6
	var a [n][n]float64
	err = math.Inf(1)
	var top, last float64
	for i := range n {
		up, down := f(h), f(-h)
		a[0][i] = (up - down) / (2 * h)
		top, last = max(top, math.Abs(up), math.Abs(down)), h
		h /= shrink
		fac := shrink * shrink
		for j := 1; j <= i; j++ {
			a[j][i] = (a[j-1][i]*fac - a[j-1][i-1]) / (fac - 1)
			fac *= shrink * shrink
			e := max(math.Abs(a[j][i]-a[j-1][i]), math.Abs(a[j][i]-a[j-1][i-1]))
			if e <= err {
				err, value = e, a[j][i]
			}
		}
	}
	return value, max(err, 4*0x1p-52*top/last)
}

// compare checks got against a numerical derivative with its error estimate.
// size is the magnitude of the terms that make up got; it returns false if the
// numerical derivative is too coarse to say anything.
func (c *checker) compare(what string, got, num, numErr, size float64) bool {
	if math.IsNaN(got) {
		c.fail("%s is NaN", what)
		return true
	}
	tol := 10*numErr + max(1e-12, c.o.GradTol)*size
	if !(tol <= 1e-5*size) {
		return false
	}
	if math.Abs(got-num) > tol {
		c.fail("%s = %.12g, by differences %.12g +- %.1g", what, got, num, numErr)
	}
	return true
}

func (c *checker) gradient() {
	if _, err := ebmkit.Gradient("conform", "e", c.e); err != nil {
		return
	}
	g := c.e.(ebmkit.Differentiable)
	grad, y := make([]float64, c.d), make([]float64, c.d)
	sharp, all := 0, 0
	for i := range len(c.points) / c.d {
		x := c.row(c.points, i)
		before := slices.Clone(x)
		u := g.EnergyGrad(grad, x)
		if !slices.Equal(x, before) {
			c.fail("EnergyGrad changed x")
		}
		if e := c.e.Energy(x); math.Float64bits(e) != math.Float64bits(u) {
			c.fail("Energy(%v) = %v, EnergyGrad returns %v", x, e, u)
		}
		if math.IsInf(u, 1) {
			continue
		}
		size := 0.0
		for _, v := range grad {
			size = max(size, math.Abs(v))
		}
		for j := range x {
			copy(y, x)
			num, numErr := Derivative(func(t float64) float64 {
				y[j] = x[j] + t
				return c.e.Energy(y)
			}, 0.05*c.o.Scale)
			all++
			// The energy itself is rounded: its size over the step bounds the sharpness.
			if c.compare(fmt.Sprintf("dU/dx_%d at %v", j, x), grad[j], num, numErr, size+1e-3*math.Abs(u)/c.o.Scale+1e-3) {
				sharp++
			}
		}
	}
	if 2*sharp < all {
		c.fail("only %d of %d differences were sharp enough to compare", sharp, all)
	}
	c.o.Log("gradient: %d of %d compared", sharp, all)
}

// rows compares the evaluator with single rows, bit for bit, in batches of
// awkward sizes.
func (c *checker) rows() {
	_, err := ebmkit.Gradient("conform", "e", c.e)
	hasGrad := err == nil
	ev := ebmkit.NewEvaluator(c.e)
	for _, n := range []int{1, 2, 3, 63, 64, 65, 131} {
		xs := make([]float64, 0, n*c.d)
		for len(xs) < n*c.d {
			xs = append(xs, c.points[:min(len(c.points), n*c.d-len(xs))]...)
		}
		before := slices.Clone(xs)
		u1, u2 := poisoned(n), poisoned(n)
		var g1, g2 []float64
		ev.EnergyGrad(u1, nil, xs)
		if hasGrad {
			g1, g2 = poisoned(n*c.d), poisoned(n*c.d)
			ev.EnergyGrad(nil, g1, xs)
			ev.EnergyGrad(u2, g2, xs)
		} else {
			copy(u2, u1)
		}
		ev.EnergyGrad(nil, nil, xs)
		if !slices.Equal(xs, before) {
			c.fail("the evaluator changed xs")
		}
		grad := make([]float64, c.d)
		for i := range n {
			x := c.row(xs, i)
			u := c.e.Energy(x)
			if math.Float64bits(u) != math.Float64bits(u1[i]) || math.Float64bits(u) != math.Float64bits(u2[i]) {
				c.fail("U(%v): row by row %v, batch of %d %v, with gradient %v", x, u, n, u1[i], u2[i])
			}
			if !hasGrad || math.IsInf(u, 1) {
				continue
			}
			c.e.(ebmkit.Differentiable).EnergyGrad(grad, x)
			if !slices.Equal(grad, c.row(g1, i)) || !slices.Equal(grad, c.row(g2, i)) {
				c.fail("grad U(%v): row by row %v, batch of %d %v, with u %v", x, grad, n, c.row(g1, i), c.row(g2, i))
			}
		}
	}
}

func poisoned(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

func (c *checker) panics(what string, f func()) {
	defer func() {
		p := recover()
		if s, ok := p.(string); !ok || !strings.HasPrefix(s, c.o.Prefix) {
			c.fail("%s: panic %v, want one that starts with %q", what, p, c.o.Prefix)
		}
	}()
	f()
}

func (c *checker) lengths() {
	long, ok := make([]float64, c.d+1), make([]float64, c.d)
	if _, wrapper := c.e.(ebmkit.Wrapper); !wrapper {
		c.panics("Energy of a long x", func() { c.e.Energy(long) })
		if g, is := c.e.(ebmkit.Differentiable); is {
			c.panics("EnergyGrad of a long x", func() { g.EnergyGrad(ok, long) })
			c.panics("EnergyGrad into a long grad", func() { g.EnergyGrad(long, ok) })
		}
	}
	if b, is := c.e.(ebmkit.Batched); is {
		ev := b.NewEvaluator()
		if c.d > 1 {
			c.panics("evaluator, odd xs", func() { ev.EnergyGrad(nil, nil, long) })
		}
		c.panics("evaluator, long u", func() { ev.EnergyGrad(make([]float64, 2), nil, ok) })
		c.panics("evaluator, long grad", func() { ev.EnergyGrad(nil, long, ok) })
	}
	if s, is := c.e.(ebmkit.Sampler); is {
		c.panics("Sample into a long dst", func() { s.Sample(long, ebmkit.NewStream(1, "x", 0)) })
	}
	if m, is := c.e.(ebmkit.Moments); is {
		c.panics("Mean into a long dst", func() { m.Mean(long) })
		c.panics("Cov into a long dst", func() { m.Cov(make([]float64, c.d*c.d+1)) })
	}
	if p, is := c.e.(ebmkit.Parametric); is {
		theta := make([]float64, p.NumParams())
		c.panics("Params into a long dst", func() { p.Params(make([]float64, len(theta)+1)) })
		c.panics("AddParamGrad, long dst", func() { p.AddParamGrad(make([]float64, len(theta)+1), nil, ok) })
		c.panics("AddParamGrad, long w", func() { p.AddParamGrad(theta, make([]float64, 2), ok) })
		if s, is := c.e.(ebmkit.ScoreParametric); is {
			c.panics("AddScoreParamGrad, long v", func() { s.AddScoreParamGrad(theta, long, ok) })
			c.panics("AddCurvParamGrad, long v", func() { s.AddCurvParamGrad(theta, long, ok) })
		}
	}
}

// concurrency evaluates from several goroutines at once; the race detector and
// the bits both watch.
func (c *checker) concurrency() {
	g, err := ebmkit.Gradient("conform", "e", c.e)
	n := len(c.points) / c.d
	want := make([]float64, n)
	for i := range n {
		want[i] = c.e.Energy(c.row(c.points, i))
	}
	var wg sync.WaitGroup
	bad := make([]bool, 8)
	for k := range bad {
		wg.Go(func() {
			grad, x := make([]float64, c.d), make([]float64, c.d)
			for i := range n {
				copy(x, c.row(c.points, i))
				u := c.e.Energy(x)
				if err == nil && k%2 == 1 {
					u = g.EnergyGrad(grad, x)
				}
				bad[k] = bad[k] || math.Float64bits(u) != math.Float64bits(want[i])
			}
		})
	}
	wg.Wait()
	if slices.Contains(bad, true) {
		c.fail("concurrent calls disturb each other")
	}
}

func (c *checker) modes() {
	m, ok := c.e.(ebmkit.Modes)
	if !ok {
		return
	}
	modes := m.Modes()
	if len(modes) == 0 || len(modes)%c.d != 0 {
		c.fail("Modes returns %d numbers in dimension %d", len(modes), c.d)
		return
	}
	s := ebmkit.NewStream(c.o.Seed, "conform-modes", 0)
	last := math.Inf(-1)
	y := make([]float64, c.d)
	for i := range len(modes) / c.d {
		x := c.row(modes, i)
		u := c.e.Energy(x)
		if u < last-1e-12*math.Abs(u) {
			c.fail("modes are not sorted by energy")
		}
		last = u
		for range 100 {
			for j := range y {
				y[j] = x[j] + 1e-4*c.o.Scale*s.Normal()
			}
			if v := c.e.Energy(y); v < u-1e-12*(1+math.Abs(u)) {
				c.fail("U falls from %v at the mode %v to %v at %v", u, x, v, y)
				break
			}
		}
	}
}

// logZ compares log Z with quadrature in one and two dimensions.
func (c *checker) logZ() {
	n, ok := c.e.(ebmkit.Normalized)
	if !ok || !c.quadrature() {
		return
	}
	r, err := quad.LogZ(c.e, quad.All())
	if err != nil {
		c.fail("quadrature: %v", err)
		return
	}
	c.o.Log("log Z: %.15g, by quadrature %v", n.LogZ(), r)
	if math.Abs(n.LogZ()-r.Value) > r.Err+1e-12*(1+math.Abs(r.Value)) {
		c.fail("LogZ = %.15g, by quadrature %v", n.LogZ(), r)
	}
}

// sampler compares exact samples with the moments, and in one and two
// dimensions the means of bounded functions and of U with quadrature.
func (c *checker) sampler() {
	if _, ok := c.e.(ebmkit.Sampler); !ok {
		return
	}
	ens, err := ebmkit.Draw(c.e, c.o.Samples, c.o.Seed)
	if err != nil {
		c.fail("%v", err)
		return
	}
	worst, count := 0.0, 0
	test := func(what string, v []float64, exact float64) {
		z := ebmkit.MeanOf(v).Z(exact)
		count++
		worst = max(worst, math.Abs(z))
		if !(math.Abs(z) < 4.5) {
			c.fail("sampled %s: %v, exact %v, z = %.2f", what, ebmkit.MeanOf(v), exact, z)
		}
	}
	v := make([]float64, ens.N)
	if m, ok := c.e.(ebmkit.Moments); ok && !c.o.HeavyTails {
		mean, cov := m.Mean(nil), m.Cov(nil)
		top := min(c.d, 4)
		for i := range top {
			for n := range v {
				v[n] = ens.Row(n)[i]
			}
			test(fmt.Sprintf("mean[%d]", i), v, mean[i])
			for j := i; j < top; j++ {
				for n := range v {
					x := ens.Row(n)
					v[n] = (x[i] - mean[i]) * (x[j] - mean[j])
				}
				test(fmt.Sprintf("cov[%d][%d]", i, j), v, cov[i*c.d+j])
			}
		}
	}
	if c.quadrature() {
		dens, err := quad.NewDensity(c.e, quad.All())
		if err != nil {
			c.fail("quadrature: %v", err)
			return
		}
		bounded := func(dst, x []float64) {
			a, b := (x[0]-c.o.Center[0])/c.o.Scale, (x[c.d-1]-c.o.Center[c.d-1])/c.o.Scale
			dst[0] = a / math.Sqrt(1+a*a)
			dst[1] = 1 / (1 + b*b)
			dst[2] = a * b / (1 + a*a + b*b)
			dst[3] = c.e.Energy(x)
		}
		exact, err := dens.Expect(4, bounded)
		if err != nil {
			c.fail("quadrature: %v", err)
			return
		}
		f := make([]float64, 4)
		for k, r := range exact {
			for n := range v {
				bounded(f, ens.Row(n))
				v[n] = f[k]
			}
			if mean := ebmkit.MeanOf(v); mean.SE == 0 { // a function that is constant
				continue
			}
			test(fmt.Sprintf("function %d", k), v, r.Value)
		}
	}
	c.o.Log("sampler: largest |z| of %d: %.2f", count, worst)
}

// params checks Params, SetParams and AddParamGrad.
func (c *checker) params() {
	p, ok := c.e.(ebmkit.Parametric)
	if !ok {
		return
	}
	theta := p.Params(nil)
	if len(theta) != p.NumParams() {
		c.fail("Params has %d entries, NumParams is %d", len(theta), p.NumParams())
		return
	}
	defer p.SetParams(theta)

	// A wrong theta is refused and changes nothing.
	for _, bad := range [][]float64{theta[:len(theta)-1], append(slices.Clone(theta[:len(theta)-1]), math.NaN())} {
		err := p.SetParams(bad)
		var ae *ebmkit.ArgError
		if !errors.As(err, &ae) {
			c.fail("SetParams(%v) returns %v, want *ebmkit.ArgError", bad, err)
		}
		if !slices.Equal(p.Params(nil), theta) {
			c.fail("SetParams(%v) failed and changed the energy", bad)
		}
	}
	// Other parameters come back, and U follows them.
	moved := slices.Clone(theta)
	for k := range moved {
		moved[k] += 0.01 * float64(k%3+1)
	}
	if err := p.SetParams(moved); err != nil {
		c.fail("SetParams: %v", err)
		return
	}
	for k, v := range p.Params(nil) {
		if math.Abs(v-moved[k]) > 1e-14*(1+math.Abs(v)) {
			c.fail("Params[%d] = %v after SetParams with %v", k, v, moved[k])
		}
	}
	p.SetParams(theta)

	n := min(len(c.points)/c.d, 20)
	xs := c.points[:n*c.d]
	w := make([]float64, n)
	for i := range w {
		w[i] = math.Sin(float64(3*i + 1))
	}
	for _, ws := range [][]float64{nil, w} {
		got := make([]float64, len(theta))
		for k := range got {
			got[k] = 1 // must be accumulated into
		}
		p.AddParamGrad(got, ws, xs)
		c.compareParams("AddParamGrad", p, theta, got, func() float64 {
			var s float64
			for i := range n {
				wi := 1.0
				if ws != nil {
					wi = ws[i]
				}
				s += wi * c.e.Energy(c.row(xs, i))
			}
			return s
		})
	}
	// d log Z/dtheta = -E[dU/dtheta], from the closed form and by quadrature.
	norm, ok := c.e.(ebmkit.Normalized)
	if !ok || !c.quadrature() {
		return
	}
	dens, err := quad.NewDensity(c.e, quad.All())
	if err != nil {
		c.fail("quadrature: %v", err)
		return
	}
	mean, err := dens.Expect(len(theta), func(dst, x []float64) {
		clear(dst)
		p.AddParamGrad(dst, nil, x)
	})
	if err != nil {
		c.fail("quadrature: %v", err)
		return
	}
	got := make([]float64, len(theta))
	for k, r := range mean {
		got[k] = 1 - r.Value
	}
	c.compareParams("-E[dU/dtheta]", p, theta, got, norm.LogZ)
}

// compareParams checks got = 1 + df/dtheta.
func (c *checker) compareParams(what string, p ebmkit.Parametric, theta, got []float64, f func() float64) {
	t := slices.Clone(theta)
	size := math.Abs(f())
	for _, g := range got {
		size = max(size, math.Abs(g))
	}
	for k := range theta {
		if math.IsInf(theta[k], 0) {
			continue
		}
		num, numErr := Derivative(func(h float64) float64 {
			t[k] = theta[k] + h
			if err := p.SetParams(t); err != nil {
				return math.NaN()
			}
			return f()
		}, 0.02)
		t[k] = theta[k]
		if !c.compare(fmt.Sprintf("%s[%d]", what, k), got[k]-1, num, numErr, size) {
			c.fail("%s[%d]: the difference is not sharp: %v +- %v", what, k, num, numErr)
		}
	}
	p.SetParams(theta)
}

// score checks the derivatives in theta of v.grad U and of v'(Hess U)v, the
// second as the derivative of the first along v.
func (c *checker) score() {
	p, ok := c.e.(ebmkit.ScoreParametric)
	if !ok {
		return
	}
	g, err := ebmkit.Gradient("conform", "e", c.e)
	if err != nil {
		c.fail("%v", err)
		return
	}
	theta := p.Params(nil)
	defer p.SetParams(theta)
	n := min(len(c.points)/c.d, 10)
	xs := c.points[:n*c.d]
	v := make([]float64, n*c.d)
	s := ebmkit.NewStream(c.o.Seed, "conform-score", 0)
	s.FillNormal(v)
	got := make([]float64, len(theta))
	for k := range got {
		got[k] = 1
	}
	p.AddScoreParamGrad(got, v, xs)
	grad := make([]float64, c.d)
	c.compareParams("AddScoreParamGrad", p, theta, got, func() float64 {
		var s float64
		for i := range n {
			g.EnergyGrad(grad, c.row(xs, i))
			for j, gj := range grad {
				s += v[i*c.d+j] * gj
			}
		}
		return s
	})
	curv := make([]float64, len(theta))
	p.AddCurvParamGrad(curv, v, xs)
	size := 1.0
	for _, x := range curv {
		size = max(size, math.Abs(x))
	}
	y, tmp := make([]float64, len(xs)), make([]float64, len(theta))
	for k := range theta {
		num, numErr := Derivative(func(t float64) float64 {
			for i := range y {
				y[i] = xs[i] + t*v[i]
			}
			clear(tmp)
			p.AddScoreParamGrad(tmp, v, y)
			return tmp[k]
		}, 0.02*c.o.Scale)
		c.compare(fmt.Sprintf("AddCurvParamGrad[%d]", k), curv[k], num, numErr, size)
	}
}
