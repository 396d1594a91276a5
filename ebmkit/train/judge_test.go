package train_test

import (
	"errors"
	"math"
	"testing"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/energy"
	"github.com/ebmkit/hitchhiker/ebmkit/train"
)

// halves is a Gaussian of the plane, cut at x = 0.
type halves struct{ *energy.DiagonalGaussian }

func (halves) Masses(dst []float64) []float64 { return append(dst[:0], 0.5, 0.5) }
func (halves) Part(x []float64) int {
	if x[0] < 0 {
		return 0
	}
	return 1
}

func TestJudge(t *testing.T) {
	law := halves{iso(1, 0, 0)}
	box := train.Exact{Lo: []float64{-12, -12}, Hi: []float64{12, 12}, Nodes: 96}
	v := must(box.Judge(iso(1, 0, 0), law))
	if math.Abs(v.KL) > 1e-12 || math.Abs(v.Masses[0]-0.5) > 1e-12 || math.Abs(v.LogZ-law.LogZ()) > 1e-12 {
		t.Errorf("of itself: %+v", v)
	}
	m := iso(1.5, 0.7, -0.2)
	v = must(box.Judge(m, law))
	want := 2*math.Log(1.5) + (2+0.7*0.7+0.2*0.2)/(2*1.5*1.5) - 1
	if math.Abs(v.KL-want) > 1e-12 || math.Abs(v.LogZ-m.LogZ()) > 1e-12 {
		t.Errorf("KL %v, exact %v; log Z %v, exact %v", v.KL, want, v.LogZ, m.LogZ())
	}
	// The border between the parts is a border between cells.
	if want := math.Erfc(0.7/1.5/math.Sqrt2) / 2; math.Abs(v.Masses[0]-want) > 2e-3 {
		t.Errorf("mass of the left half %v, exact %v", v.Masses[0], want)
	}
	small := train.Exact{Lo: []float64{-3, -3}, Hi: []float64{3, 3}}
	var ran *ebmkit.DivergedError
	if _, err := small.Judge(m, law); !errors.As(err, &ran) {
		t.Errorf("a box that is too small: %v", err)
	}
	var bad *ebmkit.ArgError
	if _, err := box.Judge(iso(1, 0), law); !errors.As(err, &bad) {
		t.Errorf("other dimensions: %v", err)
	}
	if _, err := (train.Exact{}).Judge(m, law); !errors.As(err, &bad) {
		t.Errorf("no box: %v", err)
	}
}

// A Gaussian's dU/dmean has the covariance I/sd^2.
func TestSpreadOfGrad(t *testing.T) {
	const d, n = 3, 20000
	m := means{iso(0.5, 1, 2, 3)}
	e := must(ebmkit.Draw(m, n, 1))
	got := must(train.SpreadOfGrad(m, e))
	if z := (got - d/0.25) / (d / 0.25 * math.Sqrt(2.0/(d*n))); math.Abs(z) > 4 {
		t.Errorf("tr Cov = %v, exact %v, z = %.1f", got, d/0.25, z)
	}
	if _, err := train.SpreadOfGrad(m, must(ebmkit.NewEnsemble(2, 2))); err == nil {
		t.Error("points of another dimension pass")
	}
}
