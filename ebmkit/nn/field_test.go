package nn_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/internal/conform"
)

func testField(act nn.Activation, freqs []float64) *nn.Field {
	f := must(nn.NewField(nn.FieldConfig{Dim: 3, Hidden: []int{7, 6}, Act: act, Freqs: freqs, Precision: nn.Float64, Seed: 4}))
	theta := f.Params(nil)
	for i, v := range normals(len(theta), 50) {
		theta[i] += 0.2 * v
	}
	must(0, f.SetParams(theta))
	return f
}

func TestFieldEmbedsTime(t *testing.T) {
	for _, freqs := range [][]float64{nil, {}, {0.25, 3}} {
		f := testField(nn.Tanh, freqs)
		const rows, time = 130, 0.37
		xs := normals(3*rows, 1)
		ts, got, same := make([]float64, rows), make([]float64, 3*rows), make([]float64, 3*rows)
		for i := range ts {
			ts[i] = time
		}
		f.At(got, time, xs)
		f.AtTimes(same, ts, xs)
		if !slices.Equal(got, same) {
			t.Errorf("%v: AtTimes with equal times differs from At", freqs)
		}
		c := f.Net().Config()
		for i := range rows {
			x := slices.Clone(xs[3*i : 3*i+3])
			if freqs == nil {
				x = append(x, time)
			}
			for _, w := range freqs {
				x = append(x, math.Sin(2*math.Pi*w*time), math.Cos(2*math.Pi*w*time))
			}
			for j, want := range reference(c, f.Params(nil), x) {
				if math.Abs(got[3*i+j]-want) > 1e-13*(1+math.Abs(want)) {
					t.Fatalf("%v: row %d: %v, want %v", freqs, i, got[3*i+j], want)
				}
			}
		}
	}
	// Octaves from 1/4 tell the times of [0, 1] apart.
	if w := nn.OctaveFreqs(3); !slices.Equal(w, []float64{0.25, 0.5, 1}) {
		t.Errorf("OctaveFreqs(3) = %v", w)
	}
}

// The four sums over rows whose gradients a Field gives, against differences in
// every parameter.
func TestFieldGradients(t *testing.T) {
	const rows = 70
	xs, ys, v := normals(3*rows, 1), normals(3*rows, 2), normals(3*rows, 3)
	ts, w := normals(rows, 4), normals(rows, 5)
	for _, act := range []nn.Activation{nn.SiLU, nn.Tanh, nn.Softplus, nn.Sigmoid} {
		f := testField(act, []float64{0.25, 0.5})
		theta, y := f.Params(nil), make([]float64, 3*rows)
		cases := []struct {
			what  string
			value func() float64
			grad  func(dst []float64)
		}{
			{"loss", func() float64 {
				f.AtTimes(y, ts, xs)
				var s float64
				for i := range y {
					s += w[i/3] * (y[i] - ys[i]) * (y[i] - ys[i])
				}
				return s
			}, func(dst []float64) { f.AddLossGrad(dst, w, ys, ts, xs) }},
			{"transposed derivative", func() float64 {
				f.AtTimes(y, ts, xs)
				var s float64
				for i := range y {
					s += v[i] * y[i]
				}
				return s
			}, func(dst []float64) { f.AddParamGrad(dst, v, ts, xs) }},
			{"probe", func() float64 {
				var s float64
				out := make([]float64, 1)
				for i := range rows {
					f.Probe(out, ts[i], v[3*i:3*i+3], xs[3*i:3*i+3])
					s += w[i] * out[0]
				}
				return s
			}, func(dst []float64) { f.AddProbeParamGrad(dst, w, v, ts, xs) }},
		}
		for _, c := range cases {
			got := make([]float64, len(theta))
			c.grad(got)
			th := slices.Clone(theta)
			for k := 0; k < len(theta); k += 7 {
				num, e := conform.Derivative(func(h float64) float64 {
					th[k] = theta[k] + h
					f.SetParams(th)
					return c.value()
				}, 0.02)
				th[k] = theta[k]
				if math.Abs(got[k]-num) > 10*e+1e-9 || e > 1e-6 {
					t.Errorf("%v, %s: [%d] = %v, by differences %v +- %v", act, c.what, k, got[k], num, e)
				}
			}
			f.SetParams(theta)
		}
		if got, want := f.AddLossGrad(nil, w, ys, ts, xs), cases[0].value(); math.Abs(got-want) > 1e-11*math.Abs(want) {
			t.Errorf("%v: the loss is %v, want %v", act, got, want)
		}
	}
}

// The divergence against differences of the field and against probes.
func TestFieldDivergence(t *testing.T) {
	const rows, time = 70, 0.6
	f := testField(nn.SiLU, nn.OctaveFreqs(2))
	xs := normals(3*rows, 1)
	div := make([]float64, rows)
	f.Divergence(div, time, xs)
	y, x := make([]float64, 3), make([]float64, 3)
	for i := range rows {
		var want, tol float64
		for j := range 3 {
			d, e := conform.Derivative(func(h float64) float64 {
				copy(x, xs[3*i:])
				x[j] += h
				f.At(y, time, x)
				return y[j]
			}, 0.02)
			want += d
			tol += 10*e + 1e-11
		}
		if math.Abs(div[i]-want) > tol {
			t.Errorf("div[%d] = %v, by differences %v", i, div[i], want)
		}
	}
	// E v'Jv = tr J for v of random signs; the axes give it exactly.
	sum, one, v := make([]float64, rows), make([]float64, rows), make([]float64, 3*rows)
	for j := range 3 {
		clear(v)
		for i := j; i < len(v); i += 3 {
			v[i] = 1
		}
		f.Probe(one, time, v, xs)
		for i := range sum {
			sum[i] += one[i]
		}
	}
	for i := range sum {
		if math.Abs(sum[i]-div[i]) > 1e-12 {
			t.Errorf("row %d: probes along the axes sum to %v, the divergence is %v", i, sum[i], div[i])
		}
	}
	s := ebmkit.NewStream(3, "signs", 0)
	draws := make([]float64, 4000)
	for r := range draws {
		for j := range 3 {
			v[j] = float64(2*s.IntN(2) - 1)
		}
		f.Probe(one[:1], time, v[:3], xs[:3])
		draws[r] = one[0]
	}
	if z := ebmkit.MeanOf(draws).Z(div[0]); math.Abs(z) > 4 {
		t.Errorf("mean of probes %v, divergence %v, z = %.1f", ebmkit.MeanOf(draws), div[0], z)
	}
}

// A field learns the least-squares field: y = x(1 - 2t) plus noise is a
// regression whose answer is known.
func ExampleField() {
	f, err := nn.NewField(nn.FieldConfig{Dim: 1, Hidden: []int{16, 16}, Act: nn.SiLU, Seed: 1})
	if err != nil {
		panic(err)
	}
	adam, err := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Cosine{Start: 1e-2, Over: 300}})
	if err != nil {
		panic(err)
	}
	const rows = 128
	s := ebmkit.NewStream(1, "data", 0)
	x, y, t := make([]float64, rows), make([]float64, rows), make([]float64, rows)
	theta, grad := f.Params(nil), make([]float64, f.NumParams())
	for range 300 {
		s.FillNormal(x)
		s.FillUniform(t)
		for i := range y {
			y[i] = x[i]*(1-2*t[i]) + 0.1*s.Normal()
		}
		clear(grad)
		f.AddLossGrad(grad, nil, y, t, x)
		adam.Step(theta, grad)
		if err := f.SetParams(theta); err != nil {
			panic(err)
		}
	}
	f.At(y[:1], 0.25, []float64{1})
	fmt.Printf("f(1, 0.25) = %.1f\n", y[0])
	f.At(y[:1], 0.75, []float64{1})
	fmt.Printf("f(1, 0.75) = %.1f\n", y[0])
	// Output:
	// f(1, 0.25) = 0.5
	// f(1, 0.75) = -0.5
}
