package minibatch_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/minibatch"
)

func rows(n int) *ebmkit.Ensemble {
	e := &ebmkit.Ensemble{N: n, Dim: 2, X: make([]float64, 2*n)}
	for i := range e.X {
		e.X[i] = float64(i)
	}
	return e
}

// Batches of an epoch do not overlap, and epochs differ.
func TestEpochs(t *testing.T) {
	b, err := minibatch.New[float32]("f", rows(10), 2, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	for epoch := range 2 {
		var seen []float32
		for range 3 {
			x := b.Next()
			for i := 0; i < len(x); i += 2 {
				if x[i+1] != x[i]+1 {
					t.Fatalf("a row was torn: %v", x[i:i+2])
				}
				if slices.Contains(seen, x[i]) {
					t.Fatalf("epoch %d: row %g twice", epoch, x[i]/2)
				}
				seen = append(seen, x[i])
			}
		}
		if epoch == 0 {
			first = seen
		} else if slices.Equal(first, seen) {
			t.Error("both epochs have the same order")
		}
	}
}

func TestBadArguments(t *testing.T) {
	nan := rows(3)
	nan.X[3] = math.NaN()
	huge := rows(3)
	huge.X[3] = 1e300
	for name, c := range map[string]struct {
		e    *ebmkit.Ensemble
		size int
	}{
		"nil": {nil, 0}, "empty": {&ebmkit.Ensemble{Dim: 2}, 0}, "dimension": {&ebmkit.Ensemble{N: 1, Dim: 3, X: make([]float64, 3)}, 0},
		"length": {&ebmkit.Ensemble{N: 2, Dim: 2, X: make([]float64, 3)}, 0}, "NaN": {nan, 0}, "huge": {huge, 0},
		"batch": {rows(3), 4}, "negative": {rows(3), -1},
	} {
		var arg *ebmkit.ArgError
		if _, err := minibatch.New[float32]("f", c.e, 2, c.size, 1); !errors.As(err, &arg) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
