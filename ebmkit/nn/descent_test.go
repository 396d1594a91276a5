package nn_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/race"
)

// Networks whose matrices are moved together: long enough to be moved on all
// cores, with one that is narrow on both sides, and with ends of panels.
var descended = []nn.Config{
	{Sizes: []int{90, 400, 33, 2}, Act: nn.Tanh, Seed: 1},
	{Sizes: []int{2, 17, 1}, Act: nn.SiLU, Seed: 2},
}

// Steps of a Descent have the bits of steps of Adam on all parameters, which the
// networks are then given; so have the derivatives of the networks after them.
func TestDescent(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testDescent[float32](t, nn.Float32) })
	t.Run("float64", func(t *testing.T) { testDescent[float64](t, nn.Float64) })
}

func testDescent[T nn.Float](t *testing.T, p nn.Precision) {
	networks := func() (nets []*nn.MLP) {
		for _, c := range descended {
			c.Precision = p
			nets = append(nets, must(nn.NewMLP(c)))
		}
		return nets
	}
	params := func(nets []*nn.MLP) (theta []float64) {
		for _, n := range nets {
			theta = append(theta, n.Params(nil)...)
		}
		return theta
	}
	// derivatives returns gradients in theta and x of something.
	derivatives := func(nets []*nn.MLP) (g []float64) {
		for _, n := range nets {
			const rows = 70
			xs, dtheta, dx := normals(rows*n.In(), 1), make([]float64, n.NumParams()), make([]float64, rows*n.In())
			n.NewPass().Grad(dtheta, dx, xs, func(dy, y []float64, _ int) { copy(dy, y) })
			g = append(append(g, dtheta...), dx...)
		}
		return g
	}
	c := nn.AdamConfig{Rate: nn.Constant(0.1), Decay: 0.01}
	for _, cores := range []int{1, 2, 7} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		nets, others := networks(), networks()
		d, adam := must(nn.NewDescent[T](c, nets...)), must(nn.NewAdam[T](c))
		grad := make([]T, d.NumParams())
		for k := range 4 {
			for i, v := range normals(len(grad), uint64(k)) {
				grad[i] = T(v)
			}
			if k == 2 { // what is set in between counts
				theta := nets[0].Params(nil)
				theta[7], theta[400] = 0.3, 1e30
				must(0, nets[0].SetParams(theta))
				if !slices.Equal(nets[0].Params(nil), theta) {
					t.Fatal("what was set between two steps is lost")
				}
				must(0, others[0].SetParams(theta))
			}
			must(0, d.Step(grad))
			var theta []T
			for _, v := range params(others) {
				theta = append(theta, T(v))
			}
			before := slices.Clone(theta)
			adam.Step(theta, grad)
			if slices.Equal(theta, before) {
				t.Fatal("Adam has not moved")
			}
			at := 0
			for _, n := range others {
				part := make([]float64, n.NumParams())
				for i := range part {
					part[i] = float64(theta[at+i])
				}
				must(0, n.SetParams(part))
				at += len(part)
			}
			if !slices.Equal(params(nets), params(others)) {
				t.Fatalf("%d cores, step %d: parameters differ from those of Adam", cores, k)
			}
			if !slices.Equal(derivatives(nets), derivatives(others)) {
				t.Fatalf("%d cores, step %d: derivatives differ", cores, k)
			}
		}
		if a := testing.AllocsPerRun(5, func() { must(0, d.Step(grad)) }); a > 0 && !race.Enabled {
			t.Errorf("%d cores: %g allocations a step", cores, a)
		}

		// What is not finite is seen, and where it is.
		var diverged *ebmkit.DivergedError
		at := nets[1].NumParams() - 3
		grad[len(grad)-3] = T(math.Sqrt(math.MaxFloat32) * 100)
		if p == nn.Float64 {
			grad[len(grad)-3] = T(math.Sqrt(math.MaxFloat64)) * 100
		}
		if err := d.Step(grad); !errors.As(err, &diverged) || diverged.Step != 4+6 ||
			diverged.Hint != fmt.Sprintf("second moment of the gradient in parameter %d of network 1: clip gradients", at) {
			t.Errorf("error %v", err)
		}
		grad[len(grad)-3] = T(math.NaN())
		if err := d.Step(grad); !errors.As(err, &diverged) || diverged.Hint != fmt.Sprintf("parameter %d of network 1: lower the learning rate", at) {
			t.Errorf("error %v", err)
		}
	}
}

// GradNorm is the norm of a gradient that was overwritten, in blocks and in wide
// layers, by Grad and by Backward.
func TestGradNorm(t *testing.T) {
	for _, c := range append(descended, nn.Config{Sizes: []int{150, 420, 20}, Act: nn.ReLU, Seed: 3}) {
		for _, precision := range []nn.Precision{nn.Float32, nn.Float64} {
			c.Precision = precision
			n := must(nn.NewMLP(c))
			p := n.NewPass()
			p.Overwrites(true)
			for _, rows := range []int{130, 64, 0} {
				xs, theta := normals(rows*n.In(), 1), make([]float64, n.NumParams())
				check := func(how string) {
					var want float64
					for _, g := range theta {
						want += g * g
					}
					want = math.Sqrt(want)
					if got := p.GradNorm(); !(math.Abs(got-want) <= 1e-12*want) || rows > 0 && want == 0 {
						t.Errorf("%v %v, %d rows, %s: norm %v, want %v", c.Sizes, c.Precision, rows, how, got, want)
					}
				}
				p.Grad(theta, nil, xs, func(dy, y []float64, _ int) { copy(dy, y) })
				check("Grad")
				p.Forward(nil, xs)
				p.Backward(theta, nil, normals(rows*n.Out(), 2))
				check("Backward")
			}
		}
	}
}

func TestDescentErrors(t *testing.T) {
	n := must(nn.NewMLP(descended[1]))
	c := nn.AdamConfig{Rate: nn.Constant(0.1)}
	for _, x := range []struct {
		err error
		arg string
	}{
		{fail(nn.NewDescent[float64](c, n)), "nets[0]"},
		{fail(nn.NewDescent[float32](c)), "nets"},
		{fail(nn.NewDescent[float32](c, n, nil)), "nets[1]"},
		{fail(nn.NewDescent[float32](c, n, n)), "nets[1]"},
		{fail(nn.NewDescent[float32](nn.AdamConfig{}, n)), "Rate"},
	} {
		var arg *ebmkit.ArgError
		if !errors.As(x.err, &arg) || arg.Arg != x.arg {
			t.Errorf("error %v, want one of %s", x.err, x.arg)
		}
	}
}

func fail[T any](_ T, err error) error { return err }
