package nn

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// A parameter gradient made in pieces has the bits of the sum over shards,
// whatever it is added to, in Grad and in Backward, on any number of cores.
func TestPieces(t *testing.T) {
	for _, sizes := range [][]int{{30, 25, 20, 1}, {7, 40, 33}} {
		for _, p := range []Precision{Float32, Float64} {
			t.Run(fmt.Sprint(sizes, p), func(t *testing.T) {
				n, err := NewMLP(Config{Sizes: sizes, Act: SiLU, Precision: p, Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				if p == Float64 {
					testPieces[float64](t, n, n.c64)
					return
				}
				testPieces[float32](t, n, n.c32)
				testPieces[float64](t, n, n.c32)
			})
		}
	}
}

func testPieces[B, C Float](t *testing.T, n *MLP, c *core[C]) {
	fill := func(name string, n int) []B {
		v, out := make([]float64, n), make([]B, n)
		ebmkit.NewStream(1, name, 0).FillNormal(v)
		for i := range v {
			out[i] = B(v[i])
		}
		return out
	}
	c.wantTransposes(true)
	for _, rows := range []int{1, 64, 2*64 + 5, 8*64 - 3} {
		xs, dy, start := fill("xs", rows*n.In()), fill("dy", rows*n.Out()), fill("start", n.NumParams())
		r := newRunner[B](c)
		r.rows, r.xs = rows, xs
		// grad adds the gradient with the first skip rows left out.
		grad := func(dst, dx []B, skip int, how func(block, shard func(int))) {
			r.rows, r.xs, r.dtheta, r.dx = rows-skip, xs[skip*n.In():], dst, dx
			r.cotangent = func(d, y []B, lo int) { copy(d, dy[(skip+lo)*n.Out():]) }
			how(r.gradBlock, r.gradShard)
		}
		shards := func(_, shard func(int)) { r.sharded(shard) }
		pieces := func(block, _ func(int)) { r.pieces(block) }

		want, wantX := slices.Clone(start), make([]B, len(xs))
		grad(want, wantX, 0, shards)
		for _, cores := range []int{1, 2, 7} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
			got, gotX := slices.Clone(start), make([]B, len(xs))
			grad(got, gotX, 0, pieces)
			if !slices.Equal(got, want) || !slices.Equal(gotX, wantX) {
				t.Errorf("%d rows, %d cores: Grad differs", rows, cores)
			}
			got = slices.Clone(start)
			r.forward(nil, xs)
			r.dtheta, r.dx, r.dy = got, nil, dy
			r.pieces(r.backwardBlock)
			if !slices.Equal(got, want) {
				t.Errorf("%d rows, %d cores: Backward differs", rows, cores)
			}
		}
		// Overwriting is adding to 0.
		zero, got := make([]B, len(start)), slices.Clone(start)
		grad(zero, nil, 0, pieces)
		r.overwrites(true)
		for _, how := range []func(_, _ func(int)){pieces, shards} {
			grad(got, nil, 0, how)
			if !slices.Equal(got, zero) {
				t.Errorf("%d rows: overwritten, it differs", rows)
			}
			copy(got, start)
		}
		r.overwrites(false)
		if grad(got, nil, rows/2, pieces); rows > 1 && slices.Equal(got, want) {
			t.Errorf("%d rows: half of them give the same", rows)
		}
	}
}

// SetParams32 finds a number that is not finite anywhere in many, takes large
// ones, and sets the network as SetParams does, transposes included.
func TestSetParams32(t *testing.T) {
	n, err := NewMLP(Config{Sizes: []int{90, 400, 33, 2}, Act: Tanh, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	other, _ := NewMLP(Config{Sizes: []int{90, 400, 33, 2}, Act: Tanh, Seed: 2})
	theta := make([]float32, n.NumParams())
	convert(theta, other.Params(nil))
	xs, dy := make([]float32, 70*90), make([]float32, 70*2)
	for i := range xs {
		xs[i] = float32(i%17) / 17
	}
	for i := range dy {
		dy[i] = float32(i%5) - 2
	}
	gradient := func(n *MLP) []float32 {
		g := make([]float32, n.NumParams()+len(xs))
		n.NewPass32().Grad(g[:n.NumParams()], g[n.NumParams():], xs, func(d, y []float32, lo int) { copy(d, dy[lo*2:]) })
		return g
	}
	before := gradient(n) // makes the transposes
	for _, k := range []int{0, squares - 1, squares, len(theta) - 1} {
		for _, v := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
			saved := theta[k]
			theta[k] = v
			var arg *ebmkit.ArgError
			if err := n.SetParams32(theta); !errors.As(err, &arg) || arg.Arg != fmt.Sprintf("theta[%d]", k) {
				t.Errorf("theta[%d] = %g: error %v", k, v, err)
			}
			theta[k] = saved
		}
	}
	if !slices.Equal(gradient(n), before) {
		t.Error("refused parameters have changed the network")
	}
	if err := n.SetParams32(theta); err != nil {
		t.Fatal(err)
	}
	if got := gradient(n); slices.Equal(got, before) || !slices.Equal(got, gradient(other)) {
		t.Error("the parameters set are not those of the other network")
	}
	theta[squares+1] = 1e30
	if err := n.SetParams32(theta); err != nil {
		t.Errorf("a large number is refused: %v", err)
	}
}
