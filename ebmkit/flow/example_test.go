package flow_test

import (
	"context"
	"fmt"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/flow"
	"github.com/ebmkit/hitchhiker/ebmkit/nn"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

func Example() {
	f, err := flow.New(flow.Config{Dim: 2, Layers: []flow.Layer{
		flow.ActNorm{Scale: []float64{0.5, 2}},
		flow.Planar{U: []float64{1, 0}, W: []float64{2, 1}, B: 0.5},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	x := []float64{0.3, -1.2}
	z, back, logDet := make([]float64, 2), make([]float64, 2), make([]float64, 1)
	f.Normalize(z, logDet, x)
	f.Generate(back, nil, z)
	fmt.Println(f)
	fmt.Printf("z = %.6f, log|det| = %.6f, back to %.6f\n", z, logDet[0], back)
	fmt.Printf("log density %.6f = -U\n", f.LogDensity(nil, x))

	_, err = flow.New(flow.Config{Dim: 2, Layers: []flow.Layer{flow.Planar{U: []float64{-1, 0}, W: []float64{2, 1}}}})
	fmt.Println(err)
	// Output:
	// flow.Flow(d = 2, 9 parameters: ActNorm Planar)
	// z = [-0.771669 -2.400000], log|det| = 0.263175, back to [0.300000 -1.200000]
	// log density [-4.752438] = -U
	// flow.New: Layers[0].U.W = -2, want more than -1, or the layer is not invertible: shorten U or turn its sign
}

func Example_training() {
	moons, err := data.NewTwoMoons(0.5, 0.15)
	if err != nil {
		fmt.Println(err)
		return
	}
	points, _ := ebmkit.Draw(moons, 1000, 1)
	f, _ := flow.New(flow.Config{Dim: 2, Layers: flow.RealNVP(4, nn.Tanh, 8)})
	adam, _ := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(0.02)})
	t, err := train.New(f, points, flow.Likelihood{}, adam, train.Config{Batch: 250, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := t.Fit(context.Background(), 100); err != nil {
		fmt.Println(err)
		return
	}
	h := t.History()
	fmt.Printf("cross-entropy %.1f -> %.1f nats\n", h[0].Loss, h[len(h)-1].Loss)
	draws, _ := f.Draw(100, 1)
	fmt.Printf("%.1f\n", draws.Row(0))
	// Output:
	// cross-entropy 2.5 -> 1.8 nats
	// [2.2 0.1]
}
