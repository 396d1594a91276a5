package flow_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/flow"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/quad"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
	"github.com/ebmkit/hitchhiker/internal/conform"
	"github.com/ebmkit/hitchhiker/internal/race"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func normals(n int, seed uint64) []float64 {
	v := make([]float64, n)
	ebmkit.NewStream(seed, "test", 0).FillNormal(v)
	return v
}

func largestError(got, want []float64) float64 {
	var err, size float64
	for i := range got {
		err, size = max(err, math.Abs(got[i]-want[i])), max(size, math.Abs(want[i]))
	}
	return err / size
}

// named is a flow of the tests.
type named struct {
	name string
	f    *flow.Flow
}

// flows returns flows of d dimensions, one for each kind of layer and some of
// many, with parameters away from where they start.
func flows(d int, p nn.Precision) []named {
	kinds := []struct {
		name   string
		layers []flow.Layer
		base   flow.Base
	}{
		{"planar", []flow.Layer{flow.Planar{}, flow.Planar{}, flow.Planar{}}, nil},
		{"radial", []flow.Layer{flow.Radial{}, flow.Radial{}, flow.Radial{}}, nil},
		{"actnorm", []flow.Layer{flow.ActNorm{}}, nil},
		{"linear", []flow.Layer{flow.Linear{}}, nil},
		{"all", []flow.Layer{flow.ActNorm{}, flow.Linear{}, flow.Planar{}, flow.Radial{}}, nil},
	}
	if d > 1 {
		kinds[4].layers = append(kinds[4].layers, flow.Coupling{Hidden: []int{5}, Act: nn.Softplus})
		kinds = append(kinds, []struct {
			name   string
			layers []flow.Layer
			base   flow.Base
		}{
			{"realnvp", flow.RealNVP(4, nn.Tanh, 8, 8), nil},
			{"glow", flow.Glow(2, nn.SiLU, 8), nil},
		}...)
	}
	if d == 2 {
		kinds = append(kinds, struct {
			name   string
			layers []flow.Layer
			base   flow.Base
		}{"ring base", flow.RealNVP(2, nn.Tanh, 8), must(energy.NewRing(3, 2, 0.5))})
	}
	var out []named
	for i, k := range kinds {
		f := must(flow.New(flow.Config{Dim: d, Layers: k.layers, Base: k.base, Precision: p, Seed: uint64(i)}))
		theta := f.Params(nil)
		for j, e := range normals(len(theta), uint64(100+i)) {
			theta[j] += 0.4 * e
		}
		if err := f.SetParams(theta); err != nil {
			panic(err)
		}
		out = append(out, named{fmt.Sprintf("%s d=%d", k.name, d), f})
	}
	return out
}

func TestInverse(t *testing.T) {
	for _, p := range []nn.Precision{nn.Float64, nn.Float32} {
		for _, d := range []int{1, 2, 5} {
			for _, c := range flows(d, p) {
				const n = 200 // blocks of 64 and a rest
				xs := normals(n*d, 3)
				for i := range xs[:d*20] {
					xs[i] *= 30 // far out
				}
				zs, back := make([]float64, n*d), make([]float64, n*d)
				ld, dl := make([]float64, n), make([]float64, n)
				c.f.Normalize(zs, ld, xs)
				c.f.Generate(back, dl, zs)
				for i := range xs {
					if e := math.Abs(back[i] - xs[i]); !(e < 1e-10*max(1, math.Abs(xs[i]))) {
						t.Fatalf("%s %v: phi(phi^-1(x)) - x = %g at x = %v", c.name, p, back[i]-xs[i], xs[i])
					}
				}
				for i := range ld {
					if e := math.Abs(ld[i] + dl[i]); !(e < 1e-9) {
						t.Fatalf("%s %v: log det %v and of the inverse %v", c.name, p, ld[i], dl[i])
					}
				}
			}
		}
	}
}

// determinant by elimination.
func logAbsDet(a []float64, d int) float64 {
	l := 0.0
	for k := range d {
		p := k
		for i := k; i < d; i++ {
			if math.Abs(a[i*d+k]) > math.Abs(a[p*d+k]) {
				p = i
			}
		}
		for j := range d {
			a[k*d+j], a[p*d+j] = a[p*d+j], a[k*d+j]
		}
		l += math.Log(math.Abs(a[k*d+k]))
		for i := k + 1; i < d; i++ {
			f := a[i*d+k] / a[k*d+k]
			for j := k; j < d; j++ {
				a[i*d+j] -= f * a[k*d+j]
			}
		}
	}
	return l
}

func TestLogDet(t *testing.T) {
	for _, d := range []int{1, 2, 5} {
		for _, c := range flows(d, nn.Float64) {
			x := normals(d, 5)
			z, ld, jac := make([]float64, d), make([]float64, 1), make([]float64, d*d)
			bound := 1e-9
			for j := range d {
				for i := range d {
					v, _ := conform.Derivative(func(h float64) float64 {
						y := append([]float64(nil), x...)
						y[j] += h
						c.f.Normalize(z, nil, y)
						return z[i]
					}, 0.01)
					jac[i*d+j] = v
				}
			}
			c.f.Normalize(z, ld, x)
			if want := logAbsDet(jac, d); math.Abs(ld[0]-want) > bound {
				t.Errorf("%s: log det %v, numerically %v", c.name, ld[0], want)
			}
		}
	}
}

// Flows keep the contracts of energies: gradients against finite differences,
// rows against batches, samples against the density and so on.
func TestConform(t *testing.T) {
	for _, d := range []int{1, 2, 3} {
		for i, c := range flows(d, nn.Float64) {
			if testing.Short() && (d == 3 || d == 1 && i < 4) || race.Enabled && c.name != "all d=2" {
				continue
			}
			o := conform.Options{Prefix: "flow: ", Samples: 2000, Fast: true, HeavyTails: true}
			if d == 1 {
				o.GradTol = 1e-9 // E[dU/dtheta] = 0 is compared with 0 by quadrature
			}
			for _, err := range conform.Check(c.f, o) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
}

func TestDensityIntegratesToOne(t *testing.T) {
	for _, d := range []int{1, 2} {
		for _, c := range flows(d, nn.Float64) {
			if d == 2 && testing.Short() && c.name != "all d=2" {
				continue
			}
			r, err := quad.Adaptive{RelTol: 1e-7}.Density(c.f, quad.All())
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if math.Abs(r.LogZ.Value) > 1e-6 {
				t.Errorf("%s: log Z = %v", c.name, r.LogZ)
			}
		}
	}
}

// The reading of a flow as an energy in section 3.5 of the review, -log
// rho_Z(phi^-1(x)) without the determinant, is not normalised.
func TestWithoutDeterminant(t *testing.T) {
	f := must(flow.New(flow.Config{Dim: 1, Layers: []flow.Layer{flow.Planar{U: []float64{2}, W: []float64{1}}}}))
	z := make([]float64, 1)
	e := must(energy.NewFunc(1, func(x []float64) float64 {
		f.Normalize(z, nil, x)
		return z[0]*z[0]/2 + math.Log(2*math.Pi)/2
	}, nil))
	r := must(quad.LogZ(e, quad.All()))
	if math.Abs(r.Value) < 0.1 {
		t.Errorf("log Z = %v without the determinant", r)
	}
	if r := must(quad.LogZ(f, quad.All())); math.Abs(r.Value) > 1e-9 {
		t.Errorf("log Z = %v with it", r)
	}
}

// One Gaussian in closed form: ActNorm and Linear make N(m, (W'W)^-1).
func TestGaussian(t *testing.T) {
	w := []float64{2, 1, -0.5, 0.8}
	f := must(flow.New(flow.Config{Dim: 2, Precision: nn.Float64, Layers: []flow.Layer{
		flow.ActNorm{Scale: []float64{0.5, 3}, Shift: []float64{1, -2}},
		flow.Linear{Matrix: w},
	}}))
	// z = W (S x + b): precision S W'W S, mean -b/S.
	s := []float64{0.5, 3}
	prec := make([]float64, 4)
	for i := range 2 {
		for j := range 2 {
			prec[2*i+j] = s[i] * s[j] * (w[i]*w[j] + w[2+i]*w[2+j])
		}
	}
	g := must(energy.NewGaussianPrecision([]float64{-2, 2.0 / 3}, prec))
	for i := range 20 {
		x := normals(2, uint64(i))
		want := g.Energy(x) + g.LogZ()
		if got := f.Energy(x); math.Abs(got-want) > 1e-12*max(1, math.Abs(want)) {
			t.Errorf("U = %v, want %v", got, want)
		}
	}
}

func TestSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []float64
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		f := flows(2, nn.Float32)[6].f
		xs := normals(2*1100, 1)
		out := make([]float64, f.NumParams())
		loss := f.AddLossGrad(out, nil, xs)
		out = append(out, loss)
		out = append(out, must(f.Draw(130, 4)).X...)
		out = append(out, must(ebmkit.Draw(f, 130, 4)).X...)
		if n := len(out); out[n-1] != out[n-1-2*130] || out[n-260] != out[n-520] {
			t.Error("Draw differs from ebmkit.Draw")
		}
		if first == nil {
			first = out
		}
		for i := range out {
			if out[i] != first[i] {
				t.Fatalf("GOMAXPROCS %d: number %d is %v, was %v", procs, i, out[i], first[i])
			}
		}
	}
}

func TestNoAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	f := flows(2, nn.Float32)[4].f
	xs := normals(2*200, 1)
	u, dx := make([]float64, 200), make([]float64, len(xs))
	ev := f.NewEvaluator()
	if n := testing.AllocsPerRun(20, func() { ev.EnergyGrad(u, dx, xs); f.Generate(dx, u, dx) }); n != 0 {
		t.Errorf("EnergyGrad and Generate: %v allocations", n)
	}
	f = flows(2, nn.Float32)[5].f
	g := make([]float64, f.NumParams())
	if n := testing.AllocsPerRun(20, func() { f.AddParamGrad(g, u, xs) }); n != 0 {
		t.Errorf("AddParamGrad: %v allocations", n)
	}
}

func TestFloat32(t *testing.T) {
	lo, hi := flows(2, nn.Float32), flows(2, nn.Float64)
	xs := normals(2*100, 1)
	for i := range lo {
		g, want := make([]float64, lo[i].f.NumParams()), make([]float64, lo[i].f.NumParams())
		lo[i].f.AddParamGrad(g, nil, xs)
		hi[i].f.AddParamGrad(want, nil, xs)
		if e := largestError(g, want); e > 2e-6 {
			t.Errorf("%s: gradients in float32 and float64 differ by %g", lo[i].name, e)
		}
	}
}

// Layers given by the numbers of the formulas are what the formulas say.
func TestFormulas(t *testing.T) {
	at := func(l flow.Layer, x ...float64) (z []float64, ld float64) {
		f := must(flow.New(flow.Config{Dim: len(x), Layers: []flow.Layer{l}, Precision: nn.Float64}))
		z, d := make([]float64, len(x)), make([]float64, 1)
		f.Normalize(z, d, x)
		return z, d[0]
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-13*max(1, math.Abs(want)) {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	u, w, b := []float64{1, -2}, []float64{0.3, 0.6}, 0.2 // w.u = -0.9
	z, ld := at(flow.Planar{U: u, W: w, B: b}, 0.7, -0.4)
	h := math.Tanh(0.3*0.7 - 0.6*0.4 + 0.2)
	near("planar z0", z[0], 0.7+h)
	near("planar z1", z[1], -0.4-2*h)
	near("planar log det", ld, math.Log(1-0.9*(1-h*h)))

	z, ld = at(flow.Radial{Center: []float64{1, 0}, Alpha: 0.5, Beta: -0.4}, 1.3, 0.4)
	near("radial z0", z[0], 1.3-0.4*0.3/(0.5+0.5))
	near("radial log det", ld, math.Log(1-0.4)+math.Log(1-0.4*0.5))

	// A coupling starts as the identity.
	z, ld = at(flow.Coupling{Hidden: []int{4}, Act: nn.Tanh}, 1, 2)
	near("coupling z1", z[1], 2)
	near("coupling log det", ld, 0)

	// Close to the limit of invertibility, and to strong compression, the inverse
	// still finds its way.
	for _, l := range []flow.Layer{
		flow.Planar{U: []float64{-0.9999999}, W: []float64{1}},
		flow.Planar{U: []float64{500}, W: []float64{2}, B: -30},
		flow.Planar{U: []float64{3}, W: []float64{1e-8}},
		flow.Radial{Center: []float64{0}, Alpha: 1, Beta: -0.9999999},
		flow.Radial{Center: []float64{0}, Alpha: 1e-3, Beta: 1e3},
	} {
		f := must(flow.New(flow.Config{Dim: 1, Layers: []flow.Layer{l}, Precision: nn.Float64}))
		for _, z := range []float64{-1e3, -20, -1, -1e-3, 0, 0.3, 7, 1e5} {
			x, back := []float64{0}, []float64{0}
			f.Generate(x, nil, []float64{z})
			f.Normalize(back, nil, x)
			if e := math.Abs(back[0] - z); !(e < 1e-10*max(1, math.Abs(z))) {
				t.Errorf("%#v: phi^-1(phi(%v)) = %v", l, z, back[0])
			}
		}
	}
}

func TestBadInput(t *testing.T) {
	nan := math.NaN()
	two := func(l ...flow.Layer) flow.Config { return flow.Config{Dim: 2, Layers: l} }
	for _, c := range []struct {
		cfg  flow.Config
		arg  string
		says string
	}{
		{flow.Config{Layers: []flow.Layer{flow.ActNorm{}}}, "Dim", "between"},
		{two(), "Layers", "at least one"},
		{two(nil), "Layers[0]", "Planar"},
		{flow.Config{Dim: 2, Layers: []flow.Layer{flow.ActNorm{}}, Precision: 7}, "Precision", "Float32"},
		{flow.Config{Dim: 2, Layers: []flow.Layer{flow.ActNorm{}}, Base: must(energy.NewGaussian1D(0, 1))}, "Base.Dim()", "2"},
		{two(flow.Planar{U: []float64{-1, -1}, W: []float64{1, 0}}), "Layers[0].U.W", "shorten U"},
		{two(flow.ActNorm{}, flow.Planar{W: []float64{0, 0}}), "Layers[1].W", "not 0"},
		{two(flow.Planar{U: []float64{1, 1}}), "Layers[0].W", "together"},
		{two(flow.Planar{W: []float64{1}}), "Layers[0].len(W)", "2"},
		{two(flow.Planar{B: nan}), "Layers[0].B[0]", "finite"},
		{two(flow.Radial{Alpha: -1}), "Layers[0].Alpha", "positive"},
		{two(flow.Radial{Alpha: 2, Beta: -2}), "Layers[0].Beta", "more than -Alpha"},
		{two(flow.Radial{Center: []float64{0, nan}}), "Layers[0].Center[1]", "finite"},
		{two(flow.ActNorm{Scale: []float64{1, 0}}), "Layers[0].Scale[1]", "invertible"},
		{two(flow.Linear{Matrix: []float64{1, 2, 2, 4}}), "Layers[0].Matrix", "invertible"},
		{two(flow.Linear{Matrix: []float64{1, 2, 2}}), "Layers[0].len(Matrix)", "4"},
		{two(flow.Coupling{Cap: -1}), "Layers[0].Cap", "more than 0"},
		{two(flow.Coupling{Pass: []bool{true, true}}), "Layers[0].Pass", "coordinates that pass"},
		{two(flow.Coupling{Pass: []bool{true}}), "Layers[0].len(Pass)", "2"},
		{two(flow.Coupling{Hidden: []int{0}}), "Layers[0].network Sizes[1]", "between"},
		{flow.Config{Dim: 1, Layers: []flow.Layer{flow.Coupling{}}}, "Layers[0].Pass", "Planar"},
	} {
		_, err := flow.New(c.cfg)
		var bad *ebmkit.ArgError
		if !errors.As(err, &bad) || bad.Func != "flow.New" || bad.Arg != c.arg || !strings.Contains(bad.Want, c.says) {
			t.Errorf("want an error about %s (%q), got %v", c.arg, c.says, err)
		}
	}

	f := must(flow.New(two(flow.Planar{}, flow.Radial{}, flow.ActNorm{}, flow.Linear{}, flow.Coupling{Hidden: []int{3}})))
	was := f.Params(nil)
	for name, change := range map[string]func(theta []float64) []float64{
		"len(theta)":       func(p []float64) []float64 { return p[1:] },
		"theta[3]":         func(p []float64) []float64 { p[3] = math.Inf(1); return p },
		"layer 0, Planar":  func(p []float64) []float64 { p[2], p[3] = 0, 0; return p },
		"layer 1, Radial":  func(p []float64) []float64 { p[8] = -60; return p },
		"layer 2, ActNorm": func(p []float64) []float64 { p[9] = 400; return p },
		"layer 3, Linear":  func(p []float64) []float64 { p[16] = -400; return p },
		"layer 4":          func(p []float64) []float64 { p[len(p)-1] = 1e39; return p },
	} {
		err := f.SetParams(change(f.Params(nil)))
		var bad *ebmkit.ArgError
		if !errors.As(err, &bad) || !strings.Contains(bad.Arg, name) {
			t.Errorf("want an error about %s, got %v", name, err)
		}
		for i, v := range f.Params(nil) {
			if v != was[i] {
				t.Fatalf("%s: SetParams changed a parameter", name)
			}
		}
	}
	// Non-invertible in a way that no parameter can say: w.u from far below -1 is
	// brought above it, by construction.
	theta := f.Params(nil)
	theta[0], theta[1], theta[2], theta[3] = -10, 0, 2, 0
	if err := f.SetParams(theta); err != nil {
		t.Errorf("a planar layer is invertible whatever v: %v", err)
	}

	for _, xs := range [][]float64{{1, 2}, {1, 2, 3}, {1, nan, 2, 3}, {1, 2, 1, 3}} {
		var bad *ebmkit.ArgError
		if err := f.Standardize(xs); !errors.As(err, &bad) && !(xs[0] == 1 && len(xs) == 4 && xs[1] == 2) {
			t.Errorf("Standardize(%v): %v", xs, err)
		}
	}
	one := must(flow.New(two(flow.ActNorm{})))
	var bad *ebmkit.ArgError
	if err := one.Standardize([]float64{1, 2, 1, 3}); !errors.As(err, &bad) || !strings.Contains(bad.Arg, "coordinate 0") {
		t.Errorf("a constant coordinate: %v", err)
	}
	for name, call := range map[string]func(){
		"Energy":       func() { f.Energy(make([]float64, 3)) },
		"EnergyGrad":   func() { f.EnergyGrad(make([]float64, 1), make([]float64, 2)) },
		"AddParamGrad": func() { f.AddParamGrad(make([]float64, 1), nil, make([]float64, 2)) },
		"Normalize":    func() { f.Normalize(make([]float64, 1), nil, make([]float64, 2)) },
		"Sample":       func() { f.Sample(make([]float64, 1), ebmkit.NewStream(1, "t", 0)) },
	} {
		func() {
			defer func() {
				if r, ok := recover().(string); !ok || !strings.HasPrefix(r, "flow: ") {
					t.Errorf("%s: want a panic of this package, got %v", name, r)
				}
			}()
			call()
		}()
	}
}

func TestStandardize(t *testing.T) {
	f := must(flow.New(flow.Config{Dim: 2, Layers: flow.Glow(3, nn.Tanh, 8), Seed: 3}))
	xs := normals(2*500, 1)
	for i := range xs {
		xs[i] = 5*xs[i] + 7
	}
	if err := f.Standardize(xs); err != nil {
		t.Fatal(err)
	}
	s := f.NormalStages(xs)
	for _, at := range []int{1, 4, 7} { // after each ActNorm
		for j := range 2 {
			col := (&ebmkit.Ensemble{N: 500, Dim: 2, X: s[at]}).Col(j)
			var m, q float64
			for _, v := range col {
				m += v / 500
				q += v * v / 500
			}
			if math.Abs(m) > 1e-10 || math.Abs(q-1) > 1e-10 {
				t.Errorf("after layer %d: mean %v, mean square %v", at, m, q)
			}
		}
	}
}

// Lemma 3.6: the logarithms of the layers' determinants add up, and the first i of
// them make the determinant of the first i layers, numerically.
func TestNormalLogDets(t *testing.T) {
	for _, d := range []int{1, 2, 5} {
		for _, c := range flows(d, nn.Float64) {
			const n = 70 // more than a block
			xs := normals(n*d, 6)
			whole := make([]float64, n)
			c.f.Normalize(make([]float64, n*d), whole, xs)
			parts := c.f.NormalLogDets(xs)
			if len(parts) != c.f.Layers() {
				t.Fatalf("%s: %d parts", c.name, len(parts))
			}
			for _, row := range []int{0, n - 1} {
				sum := 0.0
				for i := range parts {
					sum += parts[i][row]
					jac := make([]float64, d*d)
					for j := range d {
						for k := range d {
							jac[k*d+j], _ = conform.Derivative(func(h float64) float64 {
								y := append([]float64(nil), xs[row*d:(row+1)*d]...)
								y[j] += h
								return c.f.NormalStages(y)[i+1][k]
							}, 0.01)
						}
					}
					if want := logAbsDet(jac, d); math.Abs(sum-want) > 1e-9 {
						t.Errorf("%s: layers up to %d make %v, numerically %v", c.name, i, sum, want)
					}
				}
				if math.Abs(sum-whole[row]) > 1e-12*max(1, math.Abs(sum)) {
					t.Errorf("%s: the layers add %v, the whole is %v", c.name, sum, whole[row])
				}
			}
		}
	}
}

func TestStagesAndMesh(t *testing.T) {
	f := flows(2, nn.Float64)[6].f
	m := must(flow.NewMesh(-2, 2, 5, 9))
	s := must(f.Deform(m))
	if len(s) != f.Layers()+1 || len(m.X) != 2*2*5*9 {
		t.Fatalf("%d stages, %d numbers", len(s), len(m.X))
	}
	x := make([]float64, len(m.X))
	f.Generate(x, nil, m.X)
	back := f.NormalStages(x)
	for i := range x {
		if s[len(s)-1].X[i] != x[i] || s[0].X[i] != m.X[i] {
			t.Fatal("the stages do not end at phi(z)")
		}
		// The stages of the two directions are the same points in reverse order.
		for k := range back {
			if d := back[k][i] - s[len(s)-1-k].X[i]; math.Abs(d) > 1e-10 {
				t.Fatalf("stage %d: %g apart", k, d)
			}
		}
	}
	px, py := m.Line(0)
	if px[0] != -2 || px[8] != -2 || py[0] != -2 || py[8] != 2 {
		t.Error("line 0 is not x = -2:", px, py)
	}
	px, py = m.Line(9)
	if px[0] != -2 || px[8] != 2 || py[0] != 2 || py[8] != 2 {
		t.Error("line 9 is not y = 2:", px, py)
	}
	for _, bad := range []func() error{
		func() error { _, err := flow.NewMesh(1, 1, 3, 3); return err },
		func() error { _, err := flow.NewMesh(0, 1, 1, 3); return err },
		func() error { _, err := flow.NewMesh(0, math.Inf(1), 3, 3); return err },
		func() error { _, err := flows(1, nn.Float64)[0].f.Deform(m); return err },
	} {
		var arg *ebmkit.ArgError
		if !errors.As(bad(), &arg) {
			t.Error("want an ArgError")
		}
	}
}

// A flow of two layers can be a Gaussian exactly, so maximum likelihood must find
// the Gaussian of the data's moments.
func TestLikelihoodOfGaussian(t *testing.T) {
	law := must(energy.NewGaussian([]float64{1, -2}, []float64{2, 1.2, 1.2, 1}))
	points := must(ebmkit.Draw(law, 400, 1))
	f := must(flow.New(flow.Config{Dim: 2, Precision: nn.Float64, Layers: []flow.Layer{flow.ActNorm{}, flow.Linear{}}}))
	if err := f.Standardize(points.X); err != nil {
		t.Fatal(err)
	}
	tr := must(train.New(f, points, flow.Likelihood{}, must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 0.05, End: 0, Over: 600}})), train.Config{}))
	if err := tr.Fit(context.Background(), 600); err != nil {
		t.Fatal(err)
	}
	// The optimum is H = d/2 (1 + log 2 pi) + log det(S)/2 with the sample
	// covariance S.
	var m, s [2]float64
	var c float64
	for j := range 2 {
		for _, v := range points.Col(j) {
			m[j] += v / 400
		}
	}
	for i := range 400 {
		a, b := points.Row(i)[0]-m[0], points.Row(i)[1]-m[1]
		s[0] += a * a / 400
		s[1] += b * b / 400
		c += a * b / 400
	}
	want := 1 + math.Log(2*math.Pi) + math.Log(s[0]*s[1]-c*c)/2
	h := tr.History()
	if got := h[len(h)-1].Loss; math.Abs(got-want) > 1e-6 {
		t.Errorf("loss %v, the optimum is %v", got, want)
	}
	if h[0].Loss < want {
		t.Errorf("loss %v below the optimum %v", h[0].Loss, want)
	}
}

// The same gradient from the generic objective.
func TestTrainExact(t *testing.T) {
	f := flows(2, nn.Float64)[5].f
	theta := f.Params(nil)
	points := &ebmkit.Ensemble{N: 100, Dim: 2, X: normals(200, 2)}
	var loss [2]float64
	var norm [2]float64
	for i, o := range []train.Objective{flow.Likelihood{}, train.Exact{}} {
		f.SetParams(theta)
		tr := must(train.New(f, points, o, must(nn.NewSGD[float64](nn.Constant(0.01))), train.Config{}))
		r := must(tr.Step())
		loss[i], norm[i] = r.Loss, r.GradNorm
	}
	if math.Abs(loss[0]-loss[1]) > 1e-12 || math.Abs(norm[0]-norm[1]) > 1e-10 {
		t.Errorf("Likelihood and train.Exact: losses %v, gradients %v", loss, norm)
	}
	var arg *ebmkit.ArgError
	sgd := must(nn.NewSGD[float64](nn.Constant(0.01)))
	if _, err := train.New(f, points, flow.Likelihood{Noise: -1}, sgd, train.Config{}); !errors.As(err, &arg) {
		t.Errorf("a negative noise: %v", err)
	}
	if _, err := train.New(must(energy.NewTwoModes([]float64{0, 0}, []float64{1, 1}, 0)), points, flow.Likelihood{}, sgd, train.Config{}); !errors.As(err, &arg) {
		t.Errorf("a model that is not a flow: %v", err)
	}
}

// A run that is saved and resumed has the bits of one that is not, noise included.
func TestResume(t *testing.T) {
	points := &ebmkit.Ensemble{N: 200, Dim: 2, X: normals(400, 2)}
	start := func() (*flow.Flow, *train.Trainer) {
		f := must(flow.New(flow.Config{Dim: 2, Layers: flow.Glow(2, nn.Tanh, 8), Seed: 1}))
		adam := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(0.01)}))
		return f, must(train.New(f, points, flow.Likelihood{Noise: 0.2}, adam, train.Config{Batch: 50, Seed: 3}))
	}
	whole, a := start()
	_, b := start()
	rest, c := start()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "flow.npz")
	for _, err := range []error{a.Fit(ctx, 20), b.Fit(ctx, 9), b.Save(path), c.Load(path), c.Fit(ctx, 20)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := whole.Params(nil)
	for i, v := range rest.Params(nil) {
		if v != want[i] {
			t.Fatalf("parameter %d is %v, without the break %v", i, v, want[i])
		}
	}
}

// A flow trained on two moons makes samples that a test at level 1e-3 does not
// tell from data; those of the same flow without its last layer it does.
func TestTwoMoons(t *testing.T) {
	if testing.Short() {
		t.Skip("trains a flow")
	}
	moons := must(data.NewTwoMoons(0.5, 0.15))
	points := must(ebmkit.Draw(moons, 4000, 1))
	f := must(flow.New(flow.Config{Dim: 2, Layers: flow.RealNVP(6, nn.Tanh, 32, 32), Seed: 1}))
	adam := must(nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 5e-3, End: 0, Over: 1500}}))
	tr := must(train.New(f, points, flow.Likelihood{}, adam, train.Config{Batch: 256, Seed: 1}))
	if err := tr.Fit(context.Background(), 1500); err != nil {
		t.Fatal(err)
	}
	test := must(divergence.NewLawTest(moons, 1000, 0.3, 1e-3, 7))
	made := must(f.Draw(1000, 9))
	r := must(test.Ratio(made))
	held := must(ebmkit.Draw(moons, 2000, 5))
	gap := make([]float64, held.N)
	ours := f.LogDensity(nil, held.X)
	for i := range gap {
		gap[i] = -moons.Energy(held.Row(i)) - ours[i]
	}
	kl := ebmkit.MeanOf(gap)
	t.Logf("MMD ratio %.2f, KL(moons || flow) = %v", r, kl)
	if r > 1 {
		t.Errorf("MMD of the flow's samples is %.2f times its limit", r)
	}
	if kl.Value > 0.1 || kl.Value < -4*kl.SE {
		t.Errorf("KL = %v", kl)
	}
	noise := must(f.Noise(1000, 9))
	if r := must(test.Ratio(&ebmkit.Ensemble{N: 1000, Dim: 2, X: f.Stages(noise.X)[f.Layers()-1]})); r < 1 {
		t.Errorf("a layer left out is not noticed: ratio %.2f", r)
	}
}
