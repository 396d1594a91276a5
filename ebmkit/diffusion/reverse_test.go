package diffusion

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/divergence"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
)

// sameLaw tests whether n points x, made by a generator, have the law of data:
// the MMD between x and one set of data against its null law at a small level.
//
// n MMD^2 of two sets from one law has a limit law (a weighted sum of centred
// chi-squares), so the quantile comes from permutations of smaller sets, divided
// by the ratio of the sizes; TestNullScales looks at that.
type sameLaw struct {
	data      *ebmkit.Ensemble
	bandwidth float64
	quantile  float64 // of the null law at the level
	sd        float64 // of the null law
}

// nullSize is the size of the sets that are permuted.
const nullSize = 500

// newSameLaw returns the test for n points from the ring, at the level 1e-4 (1e-2
// in short mode).
func newSameLaw(n int) *sameLaw {
	null, level := ringNull(), 1e-4
	if testing.Short() {
		level = 1e-2
	}
	return &sameLaw{data: must(ebmkit.Draw(ring(), n, 101)), bandwidth: ringBandwidth,
		quantile: null.Quantile(1-level) * nullSize / float64(n), sd: sdOf(null) * nullSize / float64(n)}
}

const ringBandwidth = 0.3

var ringNull = sync.OnceValue(func() *divergence.Null {
	permutations := 9999
	if testing.Short() {
		permutations = 199
	}
	return nullOf(ring(), nullSize, ringBandwidth, permutations)
})

func nullOf(data *energy.Mixture, n int, bandwidth float64, permutations int) *divergence.Null {
	return must(divergence.MMD2Null(must(ebmkit.Draw(data, n, 103)), must(ebmkit.Draw(data, n, 102)), bandwidth, permutations, 1))
}

// sdOf returns the standard deviation of a null law; its mean is 0.
func sdOf(n *divergence.Null) float64 {
	var s float64
	for _, v := range n.Values {
		s += v * v / float64(len(n.Values))
	}
	return math.Sqrt(s)
}

func TestNullScales(t *testing.T) {
	if testing.Short() {
		t.Skip("a second")
	}
	small, large := nullOf(ring(), nullSize, ringBandwidth, 999), nullOf(ring(), 3*nullSize, ringBandwidth, 999)
	got := sdOf(small) / sdOf(large)
	// Both have about 1/sqrt(2 999) of relative error, a little more for the tail.
	se := 3 * math.Sqrt(2.0/(2*999)) * 1.3
	t.Logf("ratio of sds %.3f +- %.3f", got, se)
	if math.Abs(got-3) > 4*se {
		t.Errorf("the null law does not scale as 1/n: ratio of sds %.3f +- %.3f, want 3", got, se)
	}
}

// test returns the distance in units of the quantile: above 1 is another law.
func (s *sameLaw) test(x *ebmkit.Ensemble) float64 {
	return must(divergence.MMD2(x, s.data, s.bandwidth)).Unbiased.Value / s.quantile
}

// The reversed SDE with the exact score ends in the data, for three processes
// and three seeds; with 0.9 of the score it does not.
func TestReverse(t *testing.T) {
	n, wrong := 5000, 0.9
	if testing.Short() {
		n, wrong = 800, 0.5
	}
	data, same := ring(), newSameLaw(n)
	t.Logf("null: sd %.2g, quantile at %.1f sd", same.sd, same.quantile/same.sd)
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
				d := same.test(x)
				t.Logf("%s, seed %d, %g of the score: %.2f of the quantile", c.name, seed, scale, d)
				if right := scale == 1; right != (d < 1) {
					t.Errorf("%s, seed %d, %g of the score: %.2f of the quantile", c.name, seed, scale, d)
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
