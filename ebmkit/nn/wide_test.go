package nn

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// Layers that run one at a time give outputs and gradients in x with the bits of
// blocks of rows, and the parameter gradient of a sum over all rows: that of the
// shards where there is one block, and near it where there are more. Nothing
// depends on the number of cores.
func TestWide(t *testing.T) {
	for _, cfg := range []Config{
		{Sizes: []int{30, 25, 20, 1}, Act: SiLU},
		{Sizes: []int{7, 40, 33}, Act: ReLU, Out: Sigmoid},
		{Sizes: []int{2, 17, 2, 9}, Act: Tanh, Out: Tanh},
		{Sizes: []int{5, 3}},
		{Sizes: []int{4, 16, 48, 2}, Act: Identity},
	} {
		for _, p := range []Precision{Float32, Float64} {
			t.Run(fmt.Sprint(cfg.Sizes, p), func(t *testing.T) {
				cfg.Precision, cfg.Seed = p, 1
				n, err := NewMLP(cfg)
				if err != nil {
					t.Fatal(err)
				}
				if p == Float64 {
					testWide[float64](t, n, n.c64, 1e-14)
					return
				}
				testWide[float32](t, n, n.c32, 1e-5)
				testWide[float64](t, n, n.c32, 1e-5)
			})
		}
	}
}

func testWide[B, C Float](t *testing.T, n *MLP, c *core[C], tol float64) {
	fill := func(name string, n int) []B {
		v, out := make([]float64, n), make([]B, n)
		ebmkit.NewStream(1, name, 0).FillNormal(v)
		for i := range v {
			out[i] = B(v[i])
		}
		return out
	}
	for what := range c.packed {
		c.want(what)
	}
	for _, rows := range []int{8*64 - 3, 1, 64, 2*64 + 5} {
		xs, dy, start := fill("xs", rows*n.In()), fill("dy", rows*n.Out()), fill("start", n.NumParams())
		blocks, layers := newRunner[B](c), newRunner[B](c)
		// gradient is Grad, or else Forward and Backward, of all rows but the first
		// skip; it returns outputs, dtheta and dx.
		gradient := func(r *runner[B, C], wide, grad bool, skip int) (y, dtheta, dx []B) {
			y, dtheta, dx = make([]B, len(dy)-skip*n.Out()), slices.Clone(start), make([]B, len(xs)-skip*n.In())
			r.rows, r.n, r.xs, r.dtheta, r.dx = rows-skip, rows-skip, xs[skip*n.In():], dtheta, dx
			dy := dy[skip*n.Out():]
			if grad {
				r.cotangent = func(d, v []B, lo int) {
					copy(y[lo*n.Out():], v)
					copy(d, dy[lo*n.Out():])
				}
			} else {
				r.cotangent, r.dy, r.out = nil, dy, y
			}
			switch {
			case wide && grad:
				r.wideLayers().forward(nil)
				r.wide.backward()
			case wide:
				r.wideLayers().forward(y)
				r.wide.backward()
			case grad:
				r.sharded(r.gradShard)
			default:
				r.forward(y, r.xs)
				r.sharded(r.backwardShard)
			}
			return y, dtheta, dx
		}
		near := func(a, b []B) (off float64) {
			for i := range a {
				scale := max(1, math.Sqrt(float64(rows)), math.Abs(float64(b[i])))
				off = max(off, math.Abs(float64(a[i])-float64(b[i]))/scale)
			}
			return off
		}
		wantY, want, wantX := gradient(blocks, false, true, 0)
		var first []B
		for _, cores := range []int{1, 2, 7} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			for _, grad := range []bool{true, false} {
				y, got, gotX := gradient(layers, true, grad, 0)
				if !slices.Equal(y, wantY) || !slices.Equal(gotX, wantX) {
					t.Errorf("%d rows, %d cores: outputs or gradients in x differ from those of blocks", rows, cores)
				}
				if off := near(got, want); off > tol || rows <= blockRows && off > 0 {
					t.Errorf("%d rows, %d cores: parameter gradient off by %g from that of shards", rows, cores, off)
				}
				if first == nil {
					first = got
				}
				if !slices.Equal(got, first) {
					t.Errorf("%d rows, %d cores, Grad %v: other bits", rows, cores, grad)
				}
			}
		}
		// Overwriting is adding to 0.
		clear(start)
		_, zero, _ := gradient(layers, true, true, 0)
		for i := range start {
			start[i] = B(math.NaN())
		}
		layers.overwrites(true)
		if _, got, _ := gradient(layers, true, true, 0); !slices.Equal(got, zero) {
			t.Errorf("%d rows: overwritten, it differs", rows)
		}
		layers.overwrites(false)
		clear(start)
		if _, got, _ := gradient(layers, true, true, rows/2); rows > 1 && near(got, want) < 100*tol {
			t.Errorf("%d rows: half of them give the same", rows)
		}
	}
}

// A network with enough parameters takes its layers one at a time, and has the
// outputs of Values and the gradients in x that it has without a gradient in
// theta.
func TestWideNetwork(t *testing.T) {
	n, err := NewMLP(Config{Sizes: []int{150, 400, 20}, Act: ReLU, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 128
	xs, y, values := make([]float32, rows*150), make([]float32, rows*20), make([]float32, rows*20)
	for i := range xs {
		xs[i] = float32(i%17)/17 - 0.5
	}
	p := n.NewPass32()
	p.Forward(y, xs)
	if p.run.(*runner[float32, float32]).wide == nil {
		t.Fatal("the layers have not run one at a time")
	}
	n.NewPass32().Values(values, xs)
	if !slices.Equal(y, values) {
		t.Error("Forward and Values differ")
	}
	theta, dx, alone := make([]float32, n.NumParams()), make([]float32, len(xs)), make([]float32, len(xs))
	square := func(d, y []float32, _ int) { copy(d, y) }
	p.Grad(theta, dx, xs, square)
	n.NewPass32().Grad(nil, alone, xs, square)
	if !slices.Equal(dx, alone) {
		t.Error("gradients in x depend on whether the other is asked for")
	}
	if allocs := testing.AllocsPerRun(5, func() { p.Grad(theta, dx, xs, square) }); allocs > 0 && !race.Enabled {
		t.Errorf("%g allocations", allocs)
	}
}
