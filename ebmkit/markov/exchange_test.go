package markov_test

import (
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit/markov"
)

// Two states with energies 0 and 1: p_1 = 1/(1 + e^b0), and only the pair (cold
// low, hot high) is refused, with probability 1 - exp(b1 - b0).
func TestExchangeRate(t *testing.T) {
	u := []float64{0, 1}
	for _, b := range [][2]float64{{1, 0.3}, {2, 1.9}, {1, 0}} {
		cold, hot := 1/(1+math.Exp(-b[0])), 1/(1+math.Exp(b[1])) // low at b0, high at b1
		want := 1 - cold*hot*(1-math.Exp(b[1]-b[0]))
		if got := markov.ExchangeRate(u, b[0], b[1]); math.Abs(got-want) > 1e-14 {
			t.Errorf("b = %v: %v, want %v", b, got, want)
		}
		if got, back := markov.ExchangeRate(u, b[0], b[1]), markov.ExchangeRate(u, b[1], b[0]); math.Abs(got-back) > 1e-14 {
			t.Errorf("b = %v: %v one way, %v the other", b, got, back)
		}
	}
	if got := markov.ExchangeRate([]float64{0, 3, -2}, 0.7, 0.7); math.Abs(got-1) > 1e-14 {
		t.Errorf("equal temperatures: %v", got)
	}
}
