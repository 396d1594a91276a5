package compare

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/data"
	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/evaluate"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// Task is a data set to learn.
type Task struct {
	Name           string
	Train, HeldOut *ebmkit.Ensemble
	Parts          evaluate.Parts    // modes and their masses
	Law            ebmkit.Normalized // what the data are drawn from; nil: not known
	Bandwidth      float64           // of MMD

	// Of the digits' pixels, nil in the plane: models learn (x - Mean)/SD, and
	// samples and densities are those of x.
	Mean, SD []float64

	z *ebmkit.Ensemble // the training data as models see them
}

// ringMasses are the masses of the modes of NewRing.
var ringMasses = []float64{4, 2, 3, 1, 4, 2, 3, 1}

// NewRing returns a task of 8 Gaussian modes of standard deviation 0.2 on a circle
// of radius 2, with masses 4 : 2 : 3 : 1 : 4 : 2 : 3 : 1. It returns
// *ebmkit.ArgError if there are fewer than 512 points to train on or 20 held out.
func NewRing(train, heldOut int, seed uint64) (*Task, error) {
	law, err := data.NewRing(ringMasses, 2, 0.2)
	if err != nil {
		return nil, err
	}
	return plane("compare.NewRing", "ring", law, 0.2, train, heldOut, seed)
}

// NewMoons returns the task of two moons with noise 0.1, the upper one with 0.7 of
// the mass. Errors as NewRing.
func NewMoons(train, heldOut int, seed uint64) (*Task, error) {
	law, err := data.NewTwoMoons(0.7, 0.1)
	if err != nil {
		return nil, err
	}
	return plane("compare.NewMoons", "moons", law, 0.1, train, heldOut, seed)
}

func plane(fn, name string, law data.Parts, width float64, train, heldOut int, seed uint64) (*Task, error) {
	if err := sizes(fn, train, heldOut); err != nil {
		return nil, err
	}
	x, err := ebmkit.Draw(law, train+heldOut, seed)
	if err != nil {
		return nil, err
	}
	first, rest := x.Slice(0, train), x.Slice(train, x.N)
	return &Task{Name: name, Train: &first, HeldOut: &rest, Parts: law, Law: law, Bandwidth: width, z: &first}, nil
}

func sizes(fn string, train, heldOut int) error {
	if train < 512 {
		return &ebmkit.ArgError{Func: fn, Arg: "train", Value: train, Want: "at least 512, the largest batch"}
	}
	if heldOut < 20 {
		return &ebmkit.ArgError{Func: fn, Arg: "heldOut", Value: heldOut, Want: "at least 20"}
	}
	return nil
}

// Blur is the standard deviation of the noise on the digits' pixels, which run
// from 0 to 16.
const Blur = 2.0

// digitsBandwidth is the bandwidth of MMD on digits, in pixels' units: how far the
// blur takes a picture, Blur sqrt(64).
const digitsBandwidth = 8 * Blur

// NewDigits returns the task of the handwritten digits of 8 x 8 pixels, blurred by
// Gaussian noise of standard deviation Blur so that their law has a density, and
// standardised pixel by pixel. Every sixth picture is held out, so that both sets
// are by the same writers; those left are in the training set four times, with
// different noise. The parts are the cells of the mean pictures of the ten
// digits, with the masses that the training set has in them: a picture belongs to
// the digit whose mean is nearest, which need not be what it shows. Of the 300
// held-out pictures the first heldOut are kept, 0 means all. It returns
// *ebmkit.ArgError if heldOut is from 1 to 19, or more than 300.
func NewDigits(heldOut int, seed uint64) (*Task, error) {
	const copies, every, d = 4, 6, 64
	p, err := data.Digits()
	if err != nil {
		return nil, err
	}
	held := (p.N + every - 1) / every
	if heldOut == 0 {
		heldOut = held
	}
	if heldOut < 20 || heldOut > held {
		return nil, &ebmkit.ArgError{Func: "compare.NewDigits", Arg: "heldOut", Value: heldOut, Want: fmt.Sprintf("20 to %d, or 0 for all", held)}
	}
	train := &ebmkit.Ensemble{N: copies * (p.N - held), Dim: d}
	test := &ebmkit.Ensemble{N: held, Dim: d}
	noise := ebmkit.NewStream(seed, "blur", 0)
	blurred := func(dst []float64, i int) []float64 {
		for _, v := range p.At(i) {
			dst = append(dst, v+Blur*noise.Normal())
		}
		return dst
	}
	for c := range copies {
		for i := range p.N {
			switch {
			case i%every != 0:
				train.X = blurred(train.X, i)
			case c == 0:
				test.X = blurred(test.X, i)
			}
		}
	}
	t := &Task{Name: "digits", Train: train, HeldOut: test, Bandwidth: digitsBandwidth, Mean: make([]float64, d), SD: make([]float64, d)}
	for j := range d {
		m := ebmkit.MeanOf(train.Col(j))
		t.Mean[j], t.SD[j] = m.Value, m.SE*math.Sqrt(float64(train.N))
	}
	t.z = &ebmkit.Ensemble{N: train.N, Dim: d, X: t.standardize(train.X)}
	test.N, test.X = heldOut, test.X[:heldOut*d]

	centers, count := p.Means(), make([]float64, 10)
	for k := range count {
		count[k] = 1
	}
	cells, err := evaluate.NewNearest(d, centers.X, count, math.Inf(1))
	if err != nil {
		return nil, err
	}
	clear(count)
	for i := range train.N {
		count[cells.Part(train.Row(i))]++
	}
	t.Parts, err = evaluate.NewNearest(d, centers.X, count, math.Inf(1))
	return t, err
}

// standardize returns (x - Mean)/SD of rows, or the rows where there are none.
func (t *Task) standardize(xs []float64) []float64 {
	if t.Mean == nil {
		return xs
	}
	out := make([]float64, len(xs))
	for i, v := range xs {
		j := i % len(t.Mean)
		out[i] = (v - t.Mean[j]) / t.SD[j]
	}
	return out
}

// restore is the way back, in place.
func (t *Task) restore(zs []float64) {
	if t.Mean == nil {
		return
	}
	for i, v := range zs {
		j := i % len(t.Mean)
		zs[i] = t.Mean[j] + t.SD[j]*v
	}
}

// logScale is the log of the volume of a standardised unit cube.
func (t *Task) logScale() (s float64) {
	for _, v := range t.SD {
		s += vmath.Log(v)
	}
	return s
}

// Judge returns the judge of samples for the task: MMD with the task's bandwidth,
// sliced W2, both with their null levels, and the masses of modes.
func (t *Task) Judge(permutations int, seed uint64) (*evaluate.Judge, error) {
	return evaluate.NewJudge(t.HeldOut, evaluate.Config{Parts: t.Parts, Truth: t.Law, Bandwidth: t.Bandwidth, Permutations: permutations, Seed: seed})
}

func (t *Task) check(fn string) error {
	if t == nil || t.z == nil {
		return &ebmkit.ArgError{Func: fn, Arg: "t", Value: fmt.Sprintf("%T", t), Want: "a task, as compare.NewRing returns"}
	}
	return sizes(fn, t.Train.N, t.HeldOut.N)
}
