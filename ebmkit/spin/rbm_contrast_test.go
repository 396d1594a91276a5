package spin

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

func uniformRows(n, d int, seed uint64) []float64 { return must(ebmkit.Draw(Uniform{N: d}, n, seed)).X }

// With the walkers it ends at, the gradient is that of two calls of AddParamGrad.
func TestContrastIsTheGradient(t *testing.T) {
	for _, size := range [][4]int{{1, 1, 1, 1}, {5, 3, 2, 9}, {20, 30, 64, 7}, {230, 17, 13, 120}, {784, 128, 20, 20}} {
		nv, nh, n, walkers := size[0], size[1], size[2], size[3]
		m := stir(must(NewRBM(nv, nh)), 0.3, 1)
		data := uniformRows(n, nv, 2)
		c := NewContrast(m, 3)
		grad, want := make([]float64, m.NumParams()), make([]float64, m.NumParams())
		check := func(what string, model []float64) {
			t.Helper()
			w := make([]float64, n)
			for i := range w {
				w[i] = 1 / float64(n)
			}
			clear(want)
			m.AddParamGrad(want, w, data)
			w = make([]float64, len(model)/nv)
			for i := range w {
				w[i] = -1 / float64(len(w))
			}
			m.AddParamGrad(want, w, model)
			for k, v := range grad {
				if !(math.Abs(v-want[k]) < 2e-6) {
					t.Fatalf("%v, %s: gradient %d is %v, want %v", size, what, k, v, want[k])
				}
			}
		}
		model := uniformRows(walkers, nv, 4)
		for range 2 {
			if err := c.Gradient(grad, data, model, 2); err != nil {
				t.Fatal(err)
			}
			check("walkers", model)
			if err := c.Gradient(grad, data, nil, 1); err != nil {
				t.Fatal(err)
			}
			forgotten := make([]float64, n*nv)
			for i := range n {
				vmath.UnpackBits(forgotten[i*nv:(i+1)*nv], c.walkers[i*c.w.pv/8:(i+1)*c.w.pv/8])
			}
			check("contrastive divergence", forgotten)
			m = stir(m, 0.3, 5) // other parameters, as after a step
		}
		if slices.Equal(model, uniformRows(walkers, nv, 4)) && nv > 1 {
			t.Errorf("%v: the walkers did not move", size)
		}
	}
}

// On data of its own law an RBM has nothing to learn: the mean gradient is 0, for
// contrastive divergence and for walkers that started in equilibrium. With data
// of another machine it is not.
func TestContrastAtEquilibrium(t *testing.T) {
	const steps, rows = 400, 40
	m := stir(must(NewRBM(6, 4)), 0.6, 3)
	other := must(NewRBM(6, 4))
	theta := m.Params(nil)
	theta[24] += 0.3
	other.SetParams(theta)
	worst := func(data RBM, persistent bool) (top float64) {
		c := NewContrast(m, 7)
		xs := exactRows(data, steps*rows, 1).X
		walkers := exactRows(m, 200, 2).X
		if !persistent {
			walkers = nil
		}
		grads := make([][]float64, m.NumParams())
		grad := make([]float64, m.NumParams())
		for s := range steps {
			if err := c.Gradient(grad, xs[s*rows*6:(s+1)*rows*6], walkers, 3); err != nil {
				t.Fatal(err)
			}
			for k, v := range grad {
				grads[k] = append(grads[k], v)
			}
		}
		for _, g := range grads {
			top = max(top, math.Abs(batchMeans(g, 20).Z(0)))
		}
		return top
	}
	cd, pcd, bad := worst(m, false), worst(m, true), worst(other, true)
	t.Logf("largest |z| of %d: contrastive divergence %.2f, persistent %.2f; data of another machine %.1f", m.NumParams(), cd, pcd, bad)
	// Student's t with 19 degrees of freedom beyond 5: 8e-5, of 34 numbers 0.3 %.
	if cd > 5 || pcd > 5 || bad < 5 {
		t.Errorf("largest |z|: contrastive divergence %.2f, persistent %.2f; data of another machine %.1f", cd, pcd, bad)
	}
}

// batchMeans is MeanOf of the means of so many batches, for correlated draws.
func batchMeans(v []float64, batches int) ebmkit.Estimate {
	m := make([]float64, batches)
	for i := range m {
		size := len(v) / batches
		m[i] = ebmkit.MeanOf(v[i*size : (i+1)*size]).Value
	}
	return ebmkit.MeanOf(m)
}

// The same seed and step give the same bits, on one core too; the next step others.
func TestContrastRepeats(t *testing.T) {
	m := stir(must(NewRBM(30, 20)), 0.3, 1)
	data := uniformRows(120, 30, 2)
	run := func(c *Contrast) ([]float64, []float64) {
		grad, walkers := make([]float64, m.NumParams()), uniformRows(70, 30, 3)
		if err := c.Gradient(grad, data, walkers, 2); err != nil {
			t.Fatal(err)
		}
		return grad, walkers
	}
	c := NewContrast(m, 1)
	run(c)
	grad, walkers := run(c)
	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	d := NewContrast(m, 1)
	d.Step = 1
	if g, w := run(d); !slices.Equal(g, grad) || !slices.Equal(w, walkers) {
		t.Error("a step that is repeated gives other bits")
	}
	if g, w := run(d); slices.Equal(g, grad) || slices.Equal(w, walkers) || d.Step != 3 {
		t.Error("two steps are equal")
	}
}

func TestContrastErrors(t *testing.T) {
	m := stir(must(NewRBM(3, 2)), 0.5, 1)
	c, grad, ok := NewContrast(m, 1), make([]float64, m.NumParams()), []float64{0, 1, 0, 1, 1, 1}
	huge := must(NewRBM(3, 2))
	theta := huge.Params(nil)
	theta[10] = 1e31
	huge.SetParams(theta)
	walkers := []float64{0, 1, 1}
	for _, e := range []struct {
		what, arg string
		err       func() error
	}{
		{"no data", "len(data)", func() error { return c.Gradient(grad, nil, nil, 1) }},
		{"no walkers", "len(walkers)", func() error { return c.Gradient(grad, ok, []float64{}, 1) }},
		{"no sweeps", "sweeps", func() error { return c.Gradient(grad, ok, nil, 0) }},
		{"spins", "data[1][0]", func() error { return c.Gradient(grad, []float64{0, 1, 0, -1, 1, 1}, walkers, 1) }},
		{"NaN", "data[0][2]", func() error { return c.Gradient(grad, []float64{0, 1, math.NaN()}, walkers, 1) }},
		{"grey walkers", "walkers[0][1]", func() error { return c.Gradient(grad, ok, []float64{0, 0.5, 1}, 1) }},
		{"huge bias", "theta[10]", func() error { return NewContrast(huge, 1).Gradient(grad, ok, walkers, 1) }},
	} {
		wantArg(t, e.what, e.err(), e.arg)
	}
	if !slices.Equal(walkers, []float64{0, 1, 1}) || c.Step != 0 {
		t.Error("an error moved the walkers or the step")
	}
	defer func() {
		if recover() == nil {
			t.Error("a cut row does not panic")
		}
	}()
	c.Gradient(grad, ok[:4], nil, 1)
}
