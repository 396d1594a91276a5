package nn_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var allActivations = []nn.Activation{nn.Identity, nn.SiLU, nn.Tanh, nn.Softplus, nn.ReLU, nn.Sigmoid}

func normals(n int, seed uint64) []float64 {
	v := make([]float64, n)
	ebmkit.NewStream(seed, "test", 0).FillNormal(v)
	return v
}

// shaken returns a network whose biases are not 0.
func shaken(c nn.Config) *nn.MLP {
	n := must(nn.NewMLP(c))
	theta := n.Params(nil)
	for i, v := range normals(len(theta), 99) {
		theta[i] += 0.3 * v
	}
	if err := n.SetParams(theta); err != nil {
		panic(err)
	}
	return n
}

// scalar is an activation in float64, from package math.
func scalar(a nn.Activation, z float64) float64 {
	switch a {
	case nn.SiLU:
		return z / (1 + math.Exp(-z))
	case nn.Tanh:
		return math.Tanh(z)
	case nn.Softplus:
		return math.Log1p(math.Exp(-math.Abs(z))) + math.Max(z, 0)
	case nn.ReLU:
		return math.Max(z, 0)
	case nn.Sigmoid:
		return 1 / (1 + math.Exp(-z))
	}
	return z
}

// reference evaluates one row by the formula of MLP.
func reference(c nn.Config, theta, x []float64) []float64 {
	a := slices.Clone(x)
	for l := 1; l < len(c.Sizes); l++ {
		in, out := c.Sizes[l-1], c.Sizes[l]
		w, b := theta[:in*out], theta[in*out:(in+1)*out]
		theta = theta[(in+1)*out:]
		act := c.Act
		if l == len(c.Sizes)-1 {
			act = c.Out
		}
		z := make([]float64, out)
		for j := range z {
			z[j] = b[j]
			for i := range a {
				z[j] += a[i] * w[i*out+j]
			}
			z[j] = scalar(act, z[j])
		}
		a = z
	}
	return a
}

func TestForwardIsTheFormula(t *testing.T) {
	for _, act := range allActivations {
		for _, sizes := range [][]int{{1, 1}, {3, 7, 2}, {2, 17, 33, 5}} {
			for _, p := range []nn.Precision{nn.Float32, nn.Float64} {
				c := nn.Config{Sizes: sizes, Act: act, Out: act, Precision: p, Seed: 3}
				n := shaken(c)
				const rows = 71
				xs, y := normals(rows*n.In(), 1), make([]float64, rows*n.Out())
				n.NewPass().Forward(y, xs)
				tol := 1e-13
				if p == nn.Float32 {
					tol = 5e-6 // some tens of roundings of numbers up to 10
				}
				for i := range rows {
					for j, want := range reference(c, n.Params(nil), xs[i*n.In():(i+1)*n.In()]) {
						if got := y[i*n.Out()+j]; !(math.Abs(got-want) <= tol*(1+math.Abs(want))) {
							t.Fatalf("%v %v %v: y[%d][%d] = %v, want %v", act, sizes, p, i, j, got, want)
						}
					}
				}
			}
		}
	}
}

// Every parameter of every layer and every input, for every activation, against
// differences; as a control, a gradient with one wrong entry is refused.
func TestBackwardAgainstDifferences(t *testing.T) {
	for _, act := range allActivations {
		n := shaken(nn.Config{Sizes: []int{2, 5, 4, 3}, Act: act, Out: act, Precision: nn.Float64, Seed: 5})
		const rows = 9
		xs, dy := normals(rows*2, 1), normals(rows*3, 2)
		p := n.NewPass()
		y := make([]float64, rows*3)
		value := func() float64 {
			p.Forward(y, xs)
			var s float64
			for i := range y {
				s += y[i] * dy[i]
			}
			return s
		}
		dtheta, dx := make([]float64, n.NumParams()), make([]float64, len(xs))
		p.Forward(nil, xs)
		p.Backward(dtheta, dx, dy)
		theta := n.Params(nil)
		check := func(what string, got float64, move func(h float64)) bool {
			num, e := conform.Derivative(func(h float64) float64 { move(h); return value() }, 1e-2)
			move(0)
			if e > 1e-7 {
				t.Fatalf("%v %s: the difference is not sharp: %v +- %v", act, what, num, e)
			}
			return math.Abs(got-num) <= 10*e+1e-11
		}
		move := func(k int) func(h float64) {
			return func(h float64) {
				th := slices.Clone(theta)
				th[k] += h
				must(0, n.SetParams(th))
			}
		}
		for k := range theta {
			if !check("theta", dtheta[k], move(k)) {
				t.Errorf("%v: dtheta[%d] = %v does not agree", act, k, dtheta[k])
			}
		}
		if check("control", dtheta[3]+1e-4, move(3)) {
			t.Errorf("%v: a wrong derivative passes", act)
		}
		for k := range xs {
			x := xs[k]
			if !check("x", dx[k], func(h float64) { xs[k] = x + h }) {
				t.Errorf("%v: dx[%d] = %v does not agree", act, k, dx[k])
			}
		}
	}
}

// All ways to the same gradient give the same bits: Backward or Grad, one row
// or many, with or without the other output.
func TestSameBitsByEveryWay(t *testing.T) {
	for _, p := range []nn.Precision{nn.Float32, nn.Float64} {
		n := shaken(nn.Config{Sizes: []int{3, 33, 20, 2}, Act: nn.SiLU, Precision: p, Seed: 5})
		const rows = 700
		xs, dy := normals(rows*3, 1), normals(rows*2, 2)
		pass := n.NewPass()
		y, dx, dtheta := make([]float64, rows*2), make([]float64, rows*3), make([]float64, n.NumParams())
		pass.Forward(y, xs)
		pass.Backward(dtheta, dx, dy)

		y2, dx2, dtheta2 := make([]float64, rows*2), make([]float64, rows*3), make([]float64, n.NumParams())
		give := func(d, y []float64, lo int) { copy(y2[lo*2:], y); copy(d, dy[lo*2:]) }
		pass.Grad(dtheta2, dx2, xs, give)
		y3 := make([]float64, rows*2)
		pass.Values(y3, xs)
		if !slices.Equal(y, y2) || !slices.Equal(y, y3) || !slices.Equal(dx, dx2) || !slices.Equal(dtheta, dtheta2) {
			t.Errorf("%v: Grad differs from Forward and Backward", p)
		}
		clear(dx2)
		pass.Grad(nil, dx2, xs, give)
		if !slices.Equal(dx, dx2) {
			t.Errorf("%v: dx depends on dtheta", p)
		}
		y1, dx1 := make([]float64, 2), make([]float64, 3)
		for i := range rows {
			pass.Forward(y1, xs[3*i:3*i+3])
			pass.Backward(nil, dx1, dy[2*i:2*i+2])
			if !slices.Equal(y1, y[2*i:2*i+2]) || !slices.Equal(dx1, dx[3*i:3*i+3]) {
				t.Fatalf("%v: row %d alone gives %v %v, among others %v %v", p, i, y1, dx1, y[2*i:2*i+2], dx[3*i:3*i+3])
			}
		}
		// float32 slices round only what comes in and goes out.
		if p == nn.Float32 {
			f := func(v []float64) []float32 {
				w := make([]float32, len(v))
				for i := range v {
					w[i] = float32(v[i])
				}
				return w
			}
			p32 := n.NewPass32()
			y32, dx32, dt32 := make([]float32, rows*2), make([]float32, rows*3), make([]float32, n.NumParams())
			p32.Forward(y32, f(xs))
			p32.Backward(dt32, dx32, f(dy))
			if !slices.Equal(y32, f(y)) || !slices.Equal(dx32, f(dx)) || !slices.Equal(dt32, f(dtheta)) {
				t.Error("float32 slices give other numbers")
			}
		}
	}
}

// The parameter gradients of many rows, blocks and shards of them, are the sums
// of those of few.
func TestGradientsAddUp(t *testing.T) {
	n := shaken(nn.Config{Sizes: []int{2, 12, 9, 1}, Act: nn.Tanh, Precision: nn.Float64, Seed: 8})
	e := must(nn.NewEnergy(n, 0))
	const rows, few = 2000, 50
	xs, v := normals(rows*2, 1), normals(rows*2, 2)
	p := n.NewPass()
	for what, add := range map[string]func(dst []float64, lo, hi int){
		"AddParamGrad":      func(dst []float64, lo, hi int) { e.AddParamGrad(dst, v[lo:hi], xs[2*lo:2*hi]) },
		"AddScoreParamGrad": func(dst []float64, lo, hi int) { e.AddScoreParamGrad(dst, v[2*lo:2*hi], xs[2*lo:2*hi]) },
		"AddCurvParamGrad":  func(dst []float64, lo, hi int) { e.AddCurvParamGrad(dst, v[2*lo:2*hi], xs[2*lo:2*hi]) },
		"Backward": func(dst []float64, lo, hi int) {
			p.Forward(nil, xs[2*lo:2*hi])
			p.Backward(dst, nil, v[lo:hi])
		},
	} {
		all, sum := make([]float64, n.NumParams()), make([]float64, n.NumParams())
		add(all, 0, rows)
		for lo := 0; lo < rows; lo += few {
			add(sum, lo, lo+few)
		}
		for k, want := range sum {
			if math.Abs(all[k]-want) > 1e-10*(1+math.Abs(want)) {
				t.Errorf("%s[%d] of %d rows is %v, the sum of parts %v", what, k, rows, all[k], want)
				break
			}
		}
	}
}

func TestSameBitsAtAnyGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	n := shaken(nn.Config{Sizes: []int{2, 24, 24, 1}, Act: nn.Tanh, Seed: 8})
	e := must(nn.NewEnergy(n, 3))
	const rows = 700
	xs, v := normals(rows*2, 1), normals(rows*2, 2)
	var want []float64
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		u, g, d := make([]float64, rows), make([]float64, 2*rows), make([]float64, 3*n.NumParams())
		e.NewEvaluator().EnergyGrad(u, g, xs)
		p := n.NumParams()
		e.AddParamGrad(d[:p], nil, xs)
		e.AddScoreParamGrad(d[p:2*p], v, xs)
		e.AddCurvParamGrad(d[2*p:], v, xs)
		all := slices.Concat(u, g, d)
		if want == nil {
			want = all
		}
		if !slices.Equal(want, all) {
			t.Errorf("GOMAXPROCS %d gives other bits", procs)
		}
	}
}

// A network in training has the same bits on every amd64 machine, with
// EBMKIT_PORTABLE=1 or without.
func TestSameBitsOnEveryProcessor(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other compilers may fuse multiplications with additions")
	}
	h := fnv.New64a()
	put := func(v []float64) {
		for _, x := range v {
			binary.Write(h, binary.LittleEndian, x)
		}
	}
	for _, act := range allActivations {
		for _, p := range []nn.Precision{nn.Float32, nn.Float64} {
			e := must(nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{2, 20, 17, 1}, Act: act, Precision: p, Seed: 1})), 2))
			adam := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 0.01, Over: 9}, Decay: 0.1}))
			const rows = 90
			xs, v := normals(2*rows, 1), normals(2*rows, 2)
			u, g, d, theta := make([]float64, rows), make([]float64, 2*rows), make([]float64, e.NumParams()), e.Params(nil)
			for range 3 {
				clear(d)
				e.AddParamGrad(d, v[:rows], xs)
				e.AddScoreParamGrad(d, v, xs)
				e.AddCurvParamGrad(d, v, xs)
				adam.Step(theta, d)
				must(0, e.SetParams(theta))
			}
			e.NewEvaluator().EnergyGrad(u, g, xs)
			put(theta)
			put(u)
			put(g)
		}
	}
	if want := uint64(0xb1c19395ce596b88); h.Sum64() != want {
		t.Errorf("digest %#x, want %#x", h.Sum64(), want)
	}
}

func TestFloat32AgainstFloat64(t *testing.T) {
	c := nn.Config{Sizes: []int{2, 128, 128, 1}, Act: nn.SiLU, Seed: 1}
	lo := shaken(c)
	c.Precision = nn.Float64
	hi := must(nn.NewMLP(c))
	must(0, hi.SetParams(lo.Params(nil)))
	const rows = 1000
	xs := normals(rows*2, 4)
	run := func(n *nn.MLP) (y, dx, dtheta []float64) {
		y, dx, dtheta = make([]float64, rows), make([]float64, rows*2), make([]float64, n.NumParams())
		n.NewPass().Grad(dtheta, dx, xs, func(dy, out []float64, lo int) {
			copy(y[lo:], out)
			for i := range dy {
				dy[i] = 1.0 / rows
			}
		})
		return
	}
	y32, dx32, d32 := run(lo)
	y64, dx64, d64 := run(hi)
	for _, q := range []struct {
		what string
		a, b []float64
	}{{"y", y32, y64}, {"dx", dx32, dx64}, {"dtheta", d32, d64}} {
		var err, size float64
		for i := range q.a {
			err, size = max(err, math.Abs(q.a[i]-q.b[i])), max(size, math.Abs(q.b[i]))
		}
		t.Logf("%s: largest error %.2g of %.3g", q.what, err, size)
		// 128 roundings of 2^-24 that add at random: about 1e-6.
		if err > 5e-6*size || err == 0 {
			t.Errorf("%s: float32 is off by %v of %v", q.what, err, size)
		}
	}
}

func TestEnergyConforms(t *testing.T) {
	for _, act := range allActivations {
		for _, s := range []float64{0, 2.5} {
			if testing.Short() && s == 0 {
				continue
			}
			n := shaken(nn.Config{Sizes: []int{2, 5, 4, 1}, Act: act, Precision: nn.Float64, Seed: 11})
			o := conform.Options{Prefix: "nn: ", Seed: 1}
			if act == nn.ReLU { // no second derivative at its kinks
				o.Scale, o.Center = 1e-3, []float64{0.7, -0.4}
			}
			for _, err := range conform.Check(must(nn.NewEnergy(n, s)), o) {
				t.Errorf("%v, confinement %v: %v", act, s, err)
			}
		}
	}
}

// Along against the derivatives of Energy along a line, ReLU included.
func TestEnergyAlong(t *testing.T) {
	for _, act := range allActivations {
		n := shaken(nn.Config{Sizes: []int{3, 8, 8, 1}, Act: act, Precision: nn.Float64, Seed: 2})
		e := must(nn.NewEnergy(n, 1.5))
		const rows = 20
		xs, v := normals(rows*3, 7), normals(rows*3, 8)
		du, ddu, alone := make([]float64, rows), make([]float64, rows), make([]float64, rows)
		e.Along(du, ddu, v, xs)
		e.Along(alone, nil, v, xs)
		for i := range rows {
			x, g := make([]float64, 3), make([]float64, 3)
			line := func(t float64, grad bool) float64 {
				for j := range x {
					x[j] = xs[3*i+j] + t*v[3*i+j]
				}
				if !grad {
					return e.Energy(x)
				}
				e.EnergyGrad(g, x)
				return g[0]*v[3*i] + g[1]*v[3*i+1] + g[2]*v[3*i+2]
			}
			d1, e1 := conform.Derivative(func(t float64) float64 { return line(t, false) }, 1e-3)
			d2, e2 := conform.Derivative(func(t float64) float64 { return line(t, true) }, 1e-3)
			if math.Abs(du[i]-d1) > 10*e1+1e-10 || math.Abs(ddu[i]-d2) > 10*e2+1e-10 || math.Abs(alone[i]-du[i]) > 1e-13*(1+math.Abs(du[i])) {
				t.Errorf("%v: along row %d: %v %v, by differences %v %v", act, i, du[i], ddu[i], d1, d2)
			}
		}
	}
}

// The mixed derivatives in float32 against float64.
func TestMixedDerivativesInFloat32(t *testing.T) {
	for _, act := range allActivations {
		c := nn.Config{Sizes: []int{2, 32, 32, 1}, Act: act, Seed: 1}
		low := shaken(c)
		c.Precision = nn.Float64
		high := must(nn.NewMLP(c))
		theta := low.Params(nil)
		for i, v := range theta {
			theta[i] = float64(float32(v))
		}
		must(0, low.SetParams(theta))
		must(0, high.SetParams(theta))
		const rows = 300
		xs, v := normals(2*rows, 1), normals(2*rows, 2)
		for i := range xs { // the same kinks of ReLU on both sides
			xs[i] = float64(float32(xs[i]))
		}
		var got [2][]float64
		for i, n := range []*nn.MLP{low, high} {
			e := must(nn.NewEnergy(n, 0))
			p := n.NumParams()
			all := make([]float64, 2*p+2*rows)
			e.AddScoreParamGrad(all[:p], v, xs)
			e.AddCurvParamGrad(all[p:2*p], v, xs)
			e.Along(all[2*p:2*p+rows], all[2*p+rows:], v, xs)
			got[i] = all
		}
		var err, size float64
		for i := range got[0] {
			err, size = max(err, math.Abs(got[0][i]-got[1][i])), max(size, math.Abs(got[1][i]))
		}
		t.Logf("%v: largest error %.1g of %.3g", act, err, size)
		if err > 5e-6*size || size == 0 {
			t.Errorf("%v: float32 is off by %v of %v", act, err, size)
		}
	}
}

func TestNoRows(t *testing.T) {
	n := shaken(nn.Config{Sizes: []int{2, 3, 1}, Act: nn.SiLU})
	e := must(nn.NewEnergy(n, 1))
	d := make([]float64, n.NumParams())
	p := n.NewPass()
	p.Forward(nil, nil)
	p.Backward(d, nil, nil)
	e.NewEvaluator().EnergyGrad([]float64{}, []float64{}, nil)
	e.AddParamGrad(d, nil, nil)
	e.AddScoreParamGrad(d, nil, nil)
	e.Along(nil, nil, nil, nil)
	must(nn.NewField(nn.FieldConfig{Dim: 1})).At(nil, 0, nil)
	if nn.Norm(d) != 0 {
		t.Error("no rows have a gradient")
	}
}

func TestArguments(t *testing.T) {
	ok := nn.Config{Sizes: []int{2, 3, 1}}
	net := must(nn.NewMLP(ok))
	inf := math.Inf(1)
	for what, f := range map[string]func() error{
		"Sizes":    func() error { _, err := nn.NewMLP(nn.Config{Sizes: []int{2}}); return err },
		"Sizes[1]": func() error { _, err := nn.NewMLP(nn.Config{Sizes: []int{2, 0, 1}}); return err },
		"Act":      func() error { _, err := nn.NewMLP(nn.Config{Sizes: []int{2, 1}, Act: 77}); return err },
		"Out":      func() error { _, err := nn.NewMLP(nn.Config{Sizes: []int{2, 1}, Out: 6}); return err },
		"Precision": func() error {
			_, err := nn.NewMLP(nn.Config{Sizes: []int{2, 1}, Precision: 2})
			return err
		},
		"theta[4]":   func() error { th := net.Params(nil); th[4] = inf; return net.SetParams(th) },
		"theta[5]":   func() error { th := net.Params(nil); th[5] = 1e39; return net.SetParams(th) },
		"len(theta)": func() error { return net.SetParams(make([]float64, 3)) },
		"net":        func() error { _, err := nn.NewEnergy(nil, 0); return err },
		"net.Out()":  func() error { _, err := nn.NewEnergy(must(nn.NewMLP(nn.Config{Sizes: []int{2, 2}})), 0); return err },
		"confine":    func() error { _, err := nn.NewEnergy(net, -1); return err },
		"Dim":        func() error { _, err := nn.NewField(nn.FieldConfig{}); return err },
		"Freqs[1]": func() error {
			_, err := nn.NewField(nn.FieldConfig{Dim: 1, Freqs: []float64{1, math.NaN()}})
			return err
		},
		"Rate":  func() error { _, err := nn.NewSGD[float64](nn.Constant(0)); return err },
		"mu":    func() error { _, err := nn.NewMomentum[float64](nn.Constant(1), 1); return err },
		"Beta1": func() error { _, err := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(1), Beta1: 1}); return err },
		"Cosine.Over": func() error {
			_, err := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Warmup{Over: 3, Then: nn.Cosine{Start: 1}}})
			return err
		},
		"decay": func() error { _, err := nn.NewEMA[float32](1); return err },
		"name":  func() error { _, err := nn.ParseActivation("gelu"); return err },
	} {
		var a *ebmkit.ArgError
		if err := f(); !errors.As(err, &a) || a.Arg != what {
			t.Errorf("want an ArgError about %s, got %v", what, err)
		}
	}
	before := net.Params(nil)
	net.SetParams(append(slices.Clone(before[:len(before)-1]), math.NaN()))
	if !slices.Equal(before, net.Params(nil)) {
		t.Error("a refused theta has changed the network")
	}
}

func TestNoAllocations(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	n := must(nn.NewMLP(nn.Config{Sizes: []int{2, 16, 1}, Act: nn.SiLU}))
	e := must(nn.NewEnergy(n, 1))
	f := must(nn.NewField(nn.FieldConfig{Dim: 2, Hidden: []int{16}, Act: nn.SiLU, Freqs: nn.OctaveFreqs(2)}))
	const rows = 200
	xs, ts := normals(2*rows, 1), normals(rows, 2)
	u, g, d := make([]float64, rows), make([]float64, 2*rows), make([]float64, n.NumParams())
	df := make([]float64, f.NumParams())
	ev, p := e.NewEvaluator(), n.NewPass()
	adam := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(1e-3)}))
	theta := n.Params(nil)
	step := func() {
		p.Forward(u, xs)
		p.Backward(d, g, u)
		p.Values(u, xs)
		ev.EnergyGrad(u, g, xs)
		e.AddParamGrad(d, nil, xs)
		e.AddScoreParamGrad(d, xs, xs)
		e.AddCurvParamGrad(d, xs, xs)
		e.Energy(xs[:2])
		f.At(g, 0.5, xs)
		f.AddLossGrad(df, nil, xs, ts, xs)
		f.Divergence(u, 0.5, xs)
		clear(d)
		adam.Step(theta, d)
		n.SetParams(theta)
	}
	for range 3 {
		step()
	}
	for _, procs := range []int{1, 2} {
		runtime.GOMAXPROCS(procs)
		step()
		if a := testing.AllocsPerRun(10, step); a > 0 && !race.Enabled {
			t.Errorf("GOMAXPROCS %d: %v allocations", procs, a)
		}
	}
}

func ExampleNewEnergy() {
	net, err := nn.NewMLP(nn.Config{Sizes: []int{2, 16, 16, 1}, Act: nn.SiLU, Precision: nn.Float64, Seed: 1})
	if err != nil {
		panic(err)
	}
	u, err := nn.NewEnergy(net, 2) // U = network + |x|^2/8
	if err != nil {
		panic(err)
	}
	grad := make([]float64, 2)
	fmt.Println(u.NumParams(), "parameters")
	fmt.Printf("U = %.4f\n", u.EnergyGrad(grad, []float64{1, -1}))
	fmt.Printf("grad U = %.4f\n", grad)
	// Output:
	// 337 parameters
	// U = 0.2532
	// grad U = [0.5365 0.1445]
}
