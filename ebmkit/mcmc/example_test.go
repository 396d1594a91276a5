package mcmc_test

import (
	"context"
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit/diagnose"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/mcmc"
)

// ULA with step 0.5 does not sample N(0, 1) but the law of review eq. (90), with
// variance 1/(1 - 0.5/2) = 4/3. With a Metropolis test (MALA) the bias is gone.
func Example() {
	target, _ := energy.NewGaussian1D(0, 1)
	cfg := mcmc.Config{Walkers: 20_000, Burn: 50, Draws: 1, Seed: 2}
	for _, m := range []mcmc.Method{mcmc.ULA{Step: 0.5}, mcmc.MALA{Step: 0.5}} {
		chain, err := mcmc.Run(context.Background(), target, m, cfg)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%T: variance %v\n", m, diagnose.Variance(chain.Last(), 0))
	}
	limit, _ := mcmc.ULALimit(target, 0.5)
	fmt.Printf("eq. (90): %.4f\n", limit.Cov(nil)[0])
	// Output:
	// mcmc.ULA: variance 1.337 +- 0.013
	// mcmc.MALA: variance 1.0022 +- 0.0100
	// eq. (90): 1.3333
}

// A kernel for every need: here your own energy, from a function.
func ExampleRun() {
	target, _ := energy.NewFunc(2, func(x []float64) float64 {
		return (x[0]*x[0]+x[1]*x[1])/2 + math.Cos(2*x[0]) + 0.5*x[0]*x[1]
	}, nil)
	chain, err := mcmc.Run(context.Background(), target, mcmc.NUTS{},
		mcmc.Config{Walkers: 4, Burn: 500, Draws: 1000, Seed: 1, Adapt: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	x, _ := diagnose.FromChain(chain, 0)
	fmt.Printf("mean %v (0 by symmetry), R-hat %.2f, divergent %d\n", x.Mean(), x.RHat(), chain.Divergent)
	// Output:
	// mean 0.027 +- 0.059 (0 by symmetry), R-hat 1.01, divergent 0
}

// Two modes 16 standard deviations apart, found by replica exchange.
func ExampleTempering() {
	target, _ := energy.NewMixture1D([]float64{0.3, 0.7}, []float64{-8, 8}, []float64{1, 1})
	ladder, err := mcmc.Tempering{Method: mcmc.RWM{Step: 2}, Betas: []float64{1, 0.4, 0.15, 0.05, 0.02}}.Run(
		context.Background(), target, mcmc.Config{Walkers: 50, Burn: 1000, Draws: 2000, Seed: 1, Adapt: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	right := 0
	for _, x := range ladder.Chain.X {
		if x > 0 {
			right++
		}
	}
	fmt.Printf("mass of the right mode %.2f, round trips %t\n", float64(right)/float64(len(ladder.Chain.X)), ladder.RoundTrips > 0)
	// Output:
	// mass of the right mode 0.70, round trips true
}

// A simulation can be stopped, saved and continued, with the same bits.
func ExampleSimulation() {
	target, _ := energy.NewGaussian1D(0, 1)
	cfg := mcmc.Config{Walkers: 2, Draws: 100, Seed: 1}
	whole, _ := mcmc.Run(context.Background(), target, mcmc.RWM{Step: 2}, cfg)

	ctx, stop := context.WithCancel(context.Background())
	cut := cfg
	cut.Progress = func(done, total int) {
		if done >= 30 {
			stop()
		}
	}
	sim, _ := mcmc.New(target, mcmc.RWM{Step: 2}, cut)
	_, err := sim.Run(ctx)
	fmt.Println(err)
	rest, _ := sim.Run(context.Background()) // or Save, and Load in another process
	fmt.Println(rest.Draws, rest.X[199] == whole.X[199])
	// Output:
	// context canceled
	// 100 true
}

// The law of ULA after k steps, review eq. (88), from a point.
func ExampleULALaw() {
	target, _ := energy.NewGaussian1D(0, 1)
	for _, k := range []int{1, 2, 5, 50} {
		law, _ := mcmc.ULALaw(target, 0.5, k, []float64{4}, nil)
		fmt.Printf("k = %2d: mean %.4f, variance %.4f\n", k, law.Mean(nil)[0], law.Cov(nil)[0])
	}
	// Output:
	// k =  1: mean 2.0000, variance 1.0000
	// k =  2: mean 1.0000, variance 1.2500
	// k =  5: mean 0.1250, variance 1.3320
	// k = 50: mean 0.0000, variance 1.3333
}

// The three splittings of review eq. (91)-(94) from the same start.
func ExampleForwardBackward() {
	target, _ := energy.NewGaussian1D(0, 1)
	var ff, fb, bf energy.Normal
	ff, _ = energy.NewGaussian1D(0, 3)
	fb, bf = ff, ff
	for range 200 {
		s, _ := mcmc.ForwardFlow(target, 0.5, ff)
		ff = s.Next
		s, _ = mcmc.ForwardBackward(target, 0.5, fb)
		fb = s.Next
		s, _ = mcmc.BackwardForward(target, 0.5, bf)
		bf = s.Next
	}
	fmt.Printf("forward-flow     %.4f\n", ff.Cov(nil)[0])
	fmt.Printf("forward-backward %.4f\n", fb.Cov(nil)[0])
	fmt.Printf("backward-forward %.4f\n", bf.Cov(nil)[0])
	// Output:
	// forward-flow     1.3333
	// forward-backward 1.0000
	// backward-forward 2.2500
}

// The transition matrix of review eq. (80) on three states is reversible for
// exp(-U).
func ExampleMetropolisMatrix() {
	u := []float64{0, 1, 2}
	third := []float64{1. / 3, 1. / 3, 1. / 3}
	t, _ := mcmc.MetropolisMatrix(u, append(append(append([]float64(nil), third...), third...), third...))
	for i := range 3 {
		fmt.Printf("%.4f\n", t[3*i:3*i+3])
	}
	// Output:
	// [0.8323 0.1226 0.0451]
	// [0.3333 0.5440 0.1226]
	// [0.3333 0.3333 0.3333]
}
