// Package density follows the density of a diffusion instead of its walkers: the
// equations of package diffusion on the grids of package fokkerplanck. It is how
// the law of an equation with wrong fields is found, for which there is no closed
// form.
//
//	grid, err := fokkerplanck.NewGrid(fokkerplanck.Axis{Lo: -5, Hi: 5, Cells: 700})
//	p, err := grid.Boltzmann(base)
//	err = density.Evolve(ctx, grid, p, sde, diffusion.Uniform(0, 1, 400))
package density

import (
	"context"
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/ebmkit/diffusion"
	"github.com/ebmkit/hitchhiker/ebmkit/fokkerplanck"
)

// Evolve moves the density p on the grid, in place, from the first to the last of
// the times by the Fokker-Planck equation of e, review eq. (41),
//
//	dp/dt = -div(Drift p) + Noise^2/2 Laplacian p.
//
// In each step drift and noise are those of its middle and the scheme is
// fokkerplanck.TRBDF2, so that the error falls as the square of the steps and of
// the cells. Times rise. It returns *ebmkit.ArgError if e has a Sigma or no
// Noise, its dimension is not that of the grid, there are fewer than two times or
// they do not rise, and the errors of fokkerplanck: for a p that is not a density,
// and for a grid too coarse for the drift. ctx's error if it ends. After an error p
// is the density of the last step that was done.
func Evolve(ctx context.Context, g *fokkerplanck.Grid, p []float64, e diffusion.SDE, times []float64) error {
	if err := check(g, e, times); err != nil {
		return err
	}
	for i, t := range times[:len(times)-1] {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := times[i+1] - t
		gen, err := at(e, t+h/2).On(g)
		if err != nil {
			return err
		}
		flow, err := fokkerplanck.NewFlow(gen, fokkerplanck.TRBDF2, h)
		if err != nil {
			return err
		}
		if err := flow.Advance(p, 1); err != nil {
			return err
		}
	}
	return nil
}

// at is the equation with the coefficients of one time.
func at(e diffusion.SDE, t float64) fokkerplanck.Ito {
	noise := e.Noise(t)
	return fokkerplanck.Ito{
		Drift:     func(mu, x []float64) { e.Drift.At(mu, t, x) },
		Diffusion: fokkerplanck.Isotropic(noise * noise / 2),
	}
}

func check(g *fokkerplanck.Grid, e diffusion.SDE, times []float64) error {
	const fn = "density.Evolve"
	switch {
	case g == nil:
		return &ebmkit.ArgError{Func: fn, Arg: "g", Value: nil, Want: "a grid"}
	case e.Drift == nil:
		return &ebmkit.ArgError{Func: fn, Arg: "e.Drift", Value: nil, Want: "a field"}
	case e.Drift.Dim() != g.Dim():
		return &ebmkit.ArgError{Func: fn, Arg: "e.Drift.Dim()", Value: e.Drift.Dim(), Want: fmt.Sprint(g.Dim())}
	case e.Sigma != nil:
		return &ebmkit.ArgError{Func: fn, Arg: "e.Sigma", Value: "set", Want: "nil: Noise only"}
	case e.Noise == nil:
		return &ebmkit.ArgError{Func: fn, Arg: "e.Noise", Value: nil, Want: "a noise (an ordinary equation moves densities by diffusion.Flow)"}
	case len(times) < 2:
		return &ebmkit.ArgError{Func: fn, Arg: "len(times)", Value: len(times), Want: "at least 2"}
	}
	for i := 1; i < len(times); i++ {
		if !(times[i] > times[i-1]) {
			return &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("times[%d]", i), Value: times[i], Want: "times that rise"}
		}
	}
	return nil
}
