// Package nbi shows interactive twins of figures in JupyterLab: the same figure
// value, drawn by Apache ECharts with zoom and tooltips, and sequences of figures
// on a slider. A saved notebook keeps them, and they need no kernel and no
// network: the extension of this repository draws them.
//
//	nbi.Show(plotting.Density(points, 0).Against("target", target))
//	nbi.Timeline(frames, []string{"t = 0", "t = 1", "t = 2"})
//
// Each output also holds a static picture, which a front end without the
// extension, GitHub or a converter shows, and a text.
//
// Lines, functions, bands, histograms, error bars, bars, points, clouds, heat
// maps, arrows and straight lines are drawn. Contours over a heat map are left to
// the static picture; contours alone become a heat map. Numbers are rounded to
// six digits, clouds thinned to 4,000 points and heat maps to 6,400 cells, so that
// notebooks stay small; a thinned cloud says so in its name. Labels are Unicode
// text. The wheel zooms with the shift key held.
//
// Cells that do not need this should use package nb alone: go-echarts takes
// longer to link.
package nbi

import (
	"fmt"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting"
	"github.com/ebmkit/hitchhiker/plotting/nb"
)

// MIMEType is the type of an interactive chart: a string of JSON with width and
// height in CSS pixels and an option of ECharts.
const MIMEType = "application/vnd.ebmkit.echarts.v1+json"

// Show shows the figure as an interactive chart, with a caption below it as
// nb.Show does. A figure with an error ends the cell.
func Show(f plotting.Figure, caption ...string) {
	parts := nb.Must(Forms(f))
	nb.Display(parts...)
	nb.Caption(captionOf(caption, plotting.CaptionOf(f)))
}

// Forms returns what Show displays: the chart, the static picture, the text.
func Forms(f plotting.Figure) ([]nb.Part, error) {
	specs, err := plotting.Specs(f)
	if err != nil {
		return nil, err
	}
	option, err := chart(specs[0])
	if err != nil {
		return nil, err
	}
	return forms(option, specs[0], 0, f, f)
}

// Timeline shows one frame at a time, with a slider and a button that plays
// them. labels name the frames. The axes are those of all frames together, and
// all frames have the same series. The chart has the size of the first frame. The
// static picture shows up to six of the frames side by side, larger or smaller with
// that size. An error ends the cell.
func Timeline(frames []plotting.Figure, labels []string, caption ...string) {
	parts := nb.Must(TimelineForms(frames, labels))
	nb.Display(parts...)
	nb.Caption(captionOf(caption, plotting.CaptionOf(frames[0])))
}

// TimelineForms returns what Timeline displays. It returns *ebmkit.ArgError if
// there are no frames, another number of labels, or frames with other series than
// the first.
func TimelineForms(frames []plotting.Figure, labels []string) ([]nb.Part, error) {
	const who = "nbi.Timeline"
	if len(frames) == 0 {
		return nil, &ebmkit.ArgError{Func: who, Arg: "frames", Value: "empty", Want: "at least one figure"}
	}
	if len(labels) != len(frames) {
		return nil, &ebmkit.ArgError{Func: who, Arg: "len(labels)", Value: len(labels), Want: fmt.Sprintf("%d, one for each frame", len(frames))}
	}
	specs, err := plotting.Specs(plotting.Small(1, frames...)) // the axes of all
	if err != nil {
		return nil, err
	}
	for i, s := range specs {
		if len(s.Series) != len(specs[0].Series) {
			return nil, &ebmkit.ArgError{Func: who, Arg: fmt.Sprintf("frames[%d]", i), Value: fmt.Sprintf("%d series", len(s.Series)),
				Want: fmt.Sprintf("%d, as many as the first frame", len(specs[0].Series))}
		}
		for j := range s.Series {
			a, b := &s.Series[j], &specs[0].Series[j]
			if a.Kind != b.Kind || a.Name != b.Name {
				return nil, &ebmkit.ArgError{Func: who, Arg: fmt.Sprintf("frames[%d]", i), Value: fmt.Sprintf("series %q (%v)", a.Name, a.Kind),
					Want: fmt.Sprintf("%q (%v), as in the first frame", b.Name, b.Kind)}
			}
		}
	}
	option, err := timeline(specs, labels)
	if err != nil {
		return nil, err
	}
	return forms(option, specs[0], slider, frames[0], sheet(frames, labels, specs[0]))
}

// sheetScale is the width of the static picture of frames of one journal column,
// in such columns: two columns of a page.
const sheetScale = float64(plotting.Double / plotting.Single)

// Small panels leave no room for data between their labels, in millimetres.
const (
	minPanelWidth  = 40
	minPanelHeight = 32
)

// sheet lays out up to six frames, the first and the last among them, in up to
// three columns. It grows with the size of the frames, at most to the width of a
// page, and keeps the proportions of a height that was asked for.
func sheet(frames []plotting.Figure, labels []string, s plotting.Spec) plotting.Multiples {
	width := min(sheetScale*s.Width, float64(plotting.Double))
	cols := max(1, min(int(width/minPanelWidth), 3))
	n := min(len(frames), 2*cols)
	cols = min(cols, n)
	var figs []plotting.Figure
	for i := range n {
		k := 0
		if n > 1 {
			k = i * (len(frames) - 1) / (n - 1)
		}
		figs = append(figs, frames[k].Title(labels[k]))
	}
	height := 0.0
	if s.Height > 0 {
		rows := (n + cols - 1) / cols
		height = float64(rows) * max(s.Height*width/float64(cols)/s.Width, minPanelHeight)
	}
	return plotting.Small(cols, figs...).Size(plotting.Width(width), height)
}

// forms puts the option, in the size of figure f, before the static forms.
func forms(option []byte, s plotting.Spec, below int, f plotting.Figure, static nb.Drawable) ([]nb.Part, error) {
	w, h, err := plotting.SizeOf(f)
	if err != nil {
		return nil, err
	}
	parts, err := nb.Forms(static)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`{"width":%d,"height":%d,"option":%s}`, nb.Pixels(w), height(s, nb.Pixels(w), nb.Pixels(h), below), option)
	out := []nb.Part{{MIME: MIMEType, Text: text}}
	for _, p := range parts {
		if p.MIME != "image/svg+xml" { // one static picture is enough
			out = append(out, p)
		}
	}
	return out, nil
}

func captionOf(given []string, own string) string {
	if text := strings.Join(given, " "); text != "" {
		return text
	}
	return own
}
