// Package gonumplot puts plotters of gonum.org/v1/plot into figures of package
// plotting. Axes, legend and files are the figure's own; only the plotter's
// drawing is gonum's. Package plotting does without gonum/plot, so that only who
// imports this package links it.
package gonumplot

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting"
)

// Plotter is what Wrap needs: a plotter of gonum/plot that knows the range of its
// data, as all of package plotter with data do.
type Plotter interface {
	plot.Plotter
	plot.DataRanger
}

// Wrap returns p as a plotter of package plotting, for Figure.Custom:
//
//	line, _ := plotter.NewLine(xys)
//	p, err := gonumplot.Wrap(line)
//	fig := plotting.New().Custom("gonum's line", p)
//
// If p is a plot.Thumbnailer it draws its own entry of the legend. It returns
// *ebmkit.ArgError if p is nil.
func Wrap(p Plotter) (plotting.Plotter, error) {
	if p == nil {
		return nil, &ebmkit.ArgError{Func: "gonumplot.Wrap", Arg: "p", Value: nil, Want: "a plotter with a data range"}
	}
	return wrapped{p}, nil
}

type wrapped struct{ p Plotter }

var (
	_ plotting.Plotter  = wrapped{}
	_ plotting.Swatcher = wrapped{}
)

// Range implements plotting.Plotter.
func (w wrapped) Range() (xmin, xmax, ymin, ymax float64) { return w.p.DataRange() }

// Plot implements plotting.Plotter: it gives the plotter a plot.Plot whose axes
// map data to the data rectangle of the figure.
func (w wrapped) Plot(c vg.Canvas, area vg.Rectangle, axes plotting.Axes) {
	pl := plot.New()
	pl.X.Min, pl.X.Max = axes.X.Min, axes.X.Max
	pl.Y.Min, pl.Y.Max = axes.Y.Min, axes.Y.Max
	size := area.Size()
	pl.X.Scale = place{func(v float64) float64 { return float64((axes.PlaceX(v) - area.Min.X) / size.X) }}
	pl.Y.Scale = place{func(v float64) float64 { return float64((axes.PlaceY(v) - area.Min.Y) / size.Y) }}
	w.p.Plot(draw.Canvas{Canvas: c, Rectangle: area}, pl)
}

// Swatch implements plotting.Swatcher.
func (w wrapped) Swatch(c vg.Canvas, area vg.Rectangle) bool {
	t, ok := w.p.(plot.Thumbnailer)
	if ok {
		t.Thumbnail(&draw.Canvas{Canvas: c, Rectangle: area})
	}
	return ok
}

// place is a plot.Normalizer that asks the figure.
type place struct{ at func(v float64) float64 }

func (p place) Normalize(_, _, x float64) float64 { return p.at(x) }
