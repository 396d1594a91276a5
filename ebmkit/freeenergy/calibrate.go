package freeenergy

import (
	"fmt"
	"math"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/vmath"
)

// FreeEnergy returns the difference F(1) - F(0) with its error, of a report of
// Jarzynski, and F of the target of another one: minus LogZ, since
//
//	F = -log Z
//
// at beta = 1 (review Remark 5.1).
func (r *Report) FreeEnergy() ebmkit.Estimate {
	return ebmkit.Estimate{Value: -r.LogZ.Value, SE: r.LogZ.SE}
}

// Work returns the N works of a report of Jarzynski in a new slice: W of the
// trajectories that ran forward, -W of those that ran in reverse, so that in both
// directions it scatters about FreeEnergy. It is minus LogW.
func (r *Report) Work() []float64 {
	w := make([]float64, len(r.LogW))
	for i, l := range r.LogW {
		w[i] = -l
	}
	return w
}

// Off returns LogZ - exact with the error of LogZ: what the estimate is off by.
func (r *Report) Off(exact float64) ebmkit.Estimate {
	return ebmkit.Estimate{Value: r.LogZ.Value - exact, SE: r.LogZ.SE}
}

// Outside returns by how many standard errors the exact log Z is outside of the
// bounds, the larger of
//
//	(Lower - exact)/SE of Lower,   (exact - Upper)/SE of Upper.
//
// It is negative where both bounds hold, and -Inf for a bound that is not given.
// The means of the bounds hold always, so that a value above 4 speaks against
// the method that gave them.
func (r *Report) Outside(exact float64) float64 {
	return max(r.Lower.Z(exact), -r.Upper.Z(exact))
}

// Price returns the standard error that the same method would have with so many
// evaluations of an energy, SE sqrt(Evals/evals).
func (r *Report) Price(evals int) float64 {
	return r.LogZ.SE * math.Sqrt(float64(r.Evals)/float64(evals))
}

// BatchFreeEnergy returns what n trajectories tell of the free energy on average:
// the mean of
//
//	-log (1/n) sum_i w_i
//
// over the batches of n weights into which LogW is cut (what is left over is not
// used), with its error. Before the logarithm is taken this has no bias;
// afterwards, by Jensen, the mean is above FreeEnergy (below it for the way back)
// by about CV^2/2n for large n, and at n = 1 it is the mean work. It returns
// *ebmkit.ArgError if n < 1 or there are fewer than two batches.
func (r *Report) BatchFreeEnergy(n int) (ebmkit.Estimate, error) {
	if n < 1 || n > len(r.LogW)/2 {
		return ebmkit.Estimate{}, &ebmkit.ArgError{Func: "freeenergy.BatchFreeEnergy", Arg: "n", Value: n,
			Want: fmt.Sprintf("1 .. %d, half the weights or fewer", len(r.LogW)/2)}
	}
	sign := 1.0
	if r.Reverse {
		sign = -1
	}
	var f []float64
	logw := make([]float64, n)
	for lo := 0; lo+n <= len(r.LogW); lo += n {
		for i := range logw {
			logw[i] = sign * r.LogW[lo+i]
		}
		f = append(f, -sign*(vmath.LogSumExp(logw)-vmath.Log(float64(n))))
	}
	return ebmkit.MeanOf(f), nil
}

// Calibration compares the errors that independent estimates of the same log Z
// make with those that they state.
type Calibration struct {
	Made   ebmkit.Estimate // root of the mean of (LogZ - exact)^2
	Stated ebmkit.Estimate // mean of the standard errors
	Z2     ebmkit.Estimate // mean of z^2, z = (LogZ - exact)/SE; 1 if what is stated is right
	KHat   ebmkit.Estimate // mean of KHat
}

// Calibrate returns the calibration of reports whose exact log Z is the same. The
// error of Made is that of the mean square, by the delta method,
//
//	Made = sqrt(m),   SE of Made = (SE of m)/(2 sqrt(m)).
//
// It returns *ebmkit.ArgError if there are fewer than two reports or one is nil.
func Calibrate(reports []*Report, exact float64) (Calibration, error) {
	const fn = "freeenergy.Calibrate"
	if len(reports) < 2 {
		return Calibration{}, &ebmkit.ArgError{Func: fn, Arg: "len(reports)", Value: len(reports), Want: "at least 2"}
	}
	var square, stated, z2, khat []float64
	for i, r := range reports {
		if r == nil {
			return Calibration{}, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("reports[%d]", i), Value: nil, Want: "a report"}
		}
		off, z := r.LogZ.Value-exact, r.LogZ.Z(exact)
		square = append(square, off*off)
		stated = append(stated, r.LogZ.SE)
		z2 = append(z2, z*z)
		khat = append(khat, r.KHat)
	}
	m := ebmkit.MeanOf(square)
	made := math.Sqrt(m.Value)
	return Calibration{
		Made:   ebmkit.Estimate{Value: made, SE: m.SE / (2 * made)},
		Stated: ebmkit.MeanOf(stated), Z2: ebmkit.MeanOf(z2), KHat: ebmkit.MeanOf(khat),
	}, nil
}
