package diffusion

import (
	"context"
	"fmt"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
)

// ringTest tests whether points have the law of the ring, at the level 1e-4
// (1e-2 in short mode).
func ringTest(n int) *divergence.LawTest {
	level := 1e-4
	if testing.Short() {
		level = 1e-2
	}
	return must(divergence.NewLawTest(ring(), n, 0.3, level, 101))
}

// The reversed SDE with the exact score ends in the data, for three processes
// and three seeds; with 0.9 of the score it does not.
func TestReverse(t *testing.T) {
	n, wrong := 5000, 0.9
	if testing.Short() {
		n, wrong = 800, 0.5
	}
	data, same := ring(), ringTest(n)
	t.Log(same)
	for _, c := range []struct {
		name string
		p    Process
		T    float64
	}{{"VP", VP{0.1, 20}, 1}, {"sub-VP", SubVP{0.1, 20}, 1}, {"VE", VE{1, 1}, 3}} {
		law := must(Marginal(c.p, data))
		for seed := range uint64(3) {
			if testing.Short() && seed > 0 {
				break
			}
			for _, scale := range []float64{1, wrong} {
				sde := must(Reverse(c.p, Scaled(scale, law.Score())))
				x := must(sde.Run(context.Background(), Config{Walkers: n, Times: Uniform(c.T, 1e-3, 500), Scheme: Heun, Seed: seed,
					Init: must(ebmkit.Draw(must(Prior(c.p, c.T, 2)), n, seed+10))})).Last()
				d := must(same.Ratio(x))
				t.Logf("%s, seed %d, %g of the score: %.2f of the limit", c.name, seed, scale, d)
				if right := scale == 1; right != (d < 1) {
					t.Errorf("%s, seed %d, %g of the score: %.2f of the limit", c.name, seed, scale, d)
				}
			}
		}
	}
}

func BenchmarkReverseExact(b *testing.B) {
	law := must(Marginal(VP{0.1, 20}, ring()))
	sde := must(Reverse(VP{0.1, 20}, law.Score()))
	b.ReportAllocs()
	for b.Loop() {
		must(sde.Run(context.Background(), Config{Walkers: 10000, Times: Uniform(1, 1e-3, 500), Seed: 1}))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(10000*500), "ns/sample-step")
}

func ExampleProbabilityFlow() {
	// The density at a point, from the score alone: the flow to noise and the
	// divergence along it.
	vp := VP{BetaMin: 0.1, BetaMax: 20}
	data := line()
	law, _ := Marginal(vp, data)
	sde, _ := ProbabilityFlow(vp, law.Score())
	prior, _ := Prior(vp, 1, 1)
	x := &ebmkit.Ensemble{N: 1, Dim: 1, X: []float64{-0.8}}
	l, err := Flow{Velocity: sde.Drift, End: prior, Times: Uniform(0, 1, 400), Scheme: RK4}.LogDensity(context.Background(), x)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("flow %.3f, exact %.3f\n", l[0].Value, -data.Energy(x.X)-data.LogZ())
	// Output: flow -0.484, exact -0.484
}
