package energy_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// bitsOf hashes energies, gradients, samples and log Z of the whole zoo.
func bitsOf() string {
	h := fnv.New64a()
	put := func(vs ...float64) {
		for _, v := range vs {
			if v != v {
				v = math.NaN() // a NaN has no sign and no payload worth comparing
			}
			var b [8]byte
			for i := range b {
				b[i] = byte(math.Float64bits(v) >> (8 * i))
			}
			h.Write(b[:])
		}
	}
	for _, r := range zoo() {
		if strings.HasPrefix(r.name, "Func") || strings.HasPrefix(r.name, "ExponentialFamily numerical") || r.name == "Nested" {
			continue // these call math, which is the user's business
		}
		n, d := 70, r.e.Dim()
		xs, u, g := make([]float64, n*d), make([]float64, n), make([]float64, n*d)
		ebmkit.NewStream(3, "bits", 0).FillNormal(xs)
		ebmkit.NewEvaluator(r.e).EnergyGrad(u, g, xs)
		put(u...)
		put(g...)
		if z, ok := r.e.(ebmkit.Normalized); ok {
			put(z.LogZ())
		}
		if s, ok := r.e.(ebmkit.Sampler); ok {
			st := ebmkit.NewStream(3, "sample", 0)
			for range 20 {
				s.Sample(xs[:d], st)
				put(xs[:d]...)
			}
		}
	}
	return fmt.Sprintf("%s %x", vmath.Path(), h.Sum64())
}

// The portable path gives the bits of the vector path.
func TestSameBitsOnThePortablePath(t *testing.T) {
	if os.Getenv("EBMKIT_BITS_CHILD") != "" {
		fmt.Println("bits:", bitsOf())
		return
	}
	here := bitsOf()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSameBitsOnThePortablePath$")
	cmd.Env = append(os.Environ(), "EBMKIT_BITS_CHILD=1", "EBMKIT_PORTABLE=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	_, there, _ := strings.Cut(string(out), "bits: ")
	there, _, _ = strings.Cut(there, "\n")
	t.Logf("here %s, there %s", here, there)
	if !strings.HasPrefix(there, "portable ") {
		t.Fatalf("the child ran on %q", there)
	}
	_, a, _ := strings.Cut(here, " ")
	_, b, _ := strings.Cut(there, " ")
	if a != b {
		t.Errorf("bits differ: %s, %s", here, there)
	}
}
