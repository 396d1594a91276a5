package nbi

import (
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/plotting"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/go-echarts/go-echarts/v2/types"
)

const (
	maxPoints = 4000 // of a cloud
	maxCells  = 6400 // of a heat map

	controls = 30 // height of the row of buttons above a chart, in CSS pixels
	slider   = 62 // height of the timeline below it
)

// chart returns the option of one figure.
func chart(s plotting.Spec) ([]byte, error) {
	o, err := option(s)
	if err != nil {
		return nil, err
	}
	return json.Marshal(o)
}

// timeline returns the option of a sequence of figures: everything of the first,
// then the series and the title of each.
func timeline(specs []plotting.Spec, labels []string) ([]byte, error) {
	var base map[string]any
	var frames []map[string]any
	names := make([]string, len(labels))
	for i, s := range specs {
		o, err := option(s)
		if err != nil {
			return nil, err
		}
		frames = append(frames, map[string]any{"series": o["series"], "title": o["title"]})
		if i == 0 {
			base = o
		}
		names[i] = mathtext.Plain(labels[i])
	}
	delete(base, "series")
	delete(base, "title")
	base["animation"] = true
	base["animationDurationUpdate"] = 250
	base["grid"] = grid(specs[0], slider)
	base["timeline"] = map[string]any{
		"axisType": "category", "data": names, "playInterval": 700, "loop": false,
		"left": 30, "right": 30, "bottom": 0, "height": 44, "symbolSize": 7,
		"label": map[string]any{"fontSize": 11}, "controlStyle": map[string]any{"itemSize": 18},
	}
	return json.Marshal(map[string]any{"baseOption": base, "options": frames})
}

// option builds the option with go-echarts and adds what its types do not have.
func option(s plotting.Spec) (map[string]any, error) {
	c := charts.NewLine()
	if s.X.Names != nil {
		names := make([]string, len(s.X.Names))
		for i, n := range s.X.Names {
			names[i] = mathtext.Plain(n)
		}
		c.SetXAxis(names)
	}
	x, y := xAxis(s.X), yAxis(s.Y)
	if s.Picture {
		x.Show, y.Show = opts.Bool(false), opts.Bool(false)
	}
	c.Animation = opts.Bool(false)
	c.SetGlobalOptions(
		charts.WithTitleOpts(opts.Title{Title: mathtext.Plain(s.Title), Left: "center", Top: "30",
			TitleStyle: &opts.TextStyle{FontSize: 14, FontWeight: "normal"}}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(legend(s) != nil), Data: legend(s), Type: "scroll", Left: "50", Right: "90", Top: "4",
			ItemHeight: 10, ItemWidth: 22}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: trigger(s)}),
		charts.WithXAxisOpts(x),
		charts.WithYAxisOpts(y),
	)
	for i := range s.Series {
		series, err := drawn(s, &s.Series[i])
		if err != nil {
			return nil, err
		}
		for j := range series {
			series[j].Id = fmt.Sprintf("%d.%d", i, j)
		}
		c.MultiSeries = append(c.MultiSeries, series...)
	}
	c.Validate()
	o := c.JSON()
	delete(o, "color") // every series has its own
	o["grid"] = grid(s, 0)
	o["toolbox"] = map[string]any{"right": 12, "top": 2, "itemSize": 13, "feature": map[string]any{
		"dataZoom": map[string]any{"filterMode": "none", "title": map[string]any{"zoom": "zoom", "back": "back"}},
		"restore":  map[string]any{"title": "reset"},
	}}
	zoom := func(axis string) map[string]any {
		return map[string]any{"type": "inside", axis: 0, "filterMode": "none", "zoomOnMouseWheel": "shift", "moveOnMouseMove": "shift", "moveOnMouseWheel": false}
	}
	o["dataZoom"] = []any{zoom("xAxisIndex"), zoom("yAxisIndex")}
	if i := heat(s); i >= 0 {
		// The heat map is the first of its series' drawn ones: find it by its id.
		o["visualMap"] = visualMap(s, o["series"].(charts.MultiSeries), fmt.Sprintf("%d.0", i))
	}
	return o, nil
}

// heat returns the series that is drawn as a heat map, or -1.
func heat(s plotting.Spec) int {
	contour := -1
	for i := range s.Series {
		switch s.Series[i].Kind {
		case plotting.KindHeat:
			return i
		case plotting.KindContour:
			contour = i
		}
	}
	return contour
}

func trigger(s plotting.Spec) string {
	for _, r := range s.Series {
		switch r.Kind {
		case plotting.KindHeat, plotting.KindContour, plotting.KindCloud, plotting.KindArrows:
			return "item"
		}
	}
	return "axis"
}

// entry is a line of the legend.
type entry struct {
	Name string `json:"name"`
	Icon string `json:"icon,omitempty"`
	// A line's entry would show a marker that the line does not have.
	ItemStyle *opts.ItemStyle `json:"itemStyle,omitempty"`
}

// legend returns the names of the series, each once, or nil if the figure has no
// legend.
func legend(s plotting.Spec) []entry {
	var entries []entry
	for i := range s.Series {
		r := &s.Series[i]
		name := seriesName(r)
		if name == "" || r.Kind == plotting.KindNote || r.Kind == plotting.KindHeat || r.Kind == plotting.KindContour ||
			slices.ContainsFunc(entries, func(e entry) bool { return e.Name == name }) {
			continue
		}
		e := entry{Name: name}
		switch r.Kind {
		case plotting.KindLine, plotting.KindHLine, plotting.KindVLine:
			e.ItemStyle = &opts.ItemStyle{Opacity: opts.Float(0)}
		case plotting.KindHist, plotting.KindBand, plotting.KindBars:
			e.Icon = "roundRect"
		case plotting.KindErrorBars, plotting.KindArrows:
			e.Icon = "circle"
		}
		entries = append(entries, e)
	}
	if s.Legend == plotting.None || len(entries) == 0 {
		return nil
	}
	return entries
}

func seriesName(r *plotting.Series) string {
	name := mathtext.Plain(r.Name)
	if k := stride(r); k > 1 {
		name += fmt.Sprintf(" (1 of %d)", k)
	}
	return name
}

// stride is 1, or more for a cloud that is thinned.
func stride(r *plotting.Series) int {
	if r.Kind != plotting.KindCloud {
		return 1
	}
	return (len(r.X) + maxPoints - 1) / maxPoints
}

// margins are the widths around the data rectangle, in CSS pixels; those at the
// left and the bottom do not hold the numbers of the axis.
func margins(s plotting.Spec, below int) (left, right, top, bottom int) {
	left, right, top, bottom = 16, 24, controls+8, 16+below
	if s.Title != "" {
		top += 20
	}
	if heat(s) >= 0 && !s.Picture {
		right = 90
	}
	if s.X.Label != "" {
		bottom += 22
	}
	if s.Y.Label != "" {
		left += 26
	}
	return left, right, top, bottom
}

// Room for the numbers of the axes where ECharts is not left to find it.
const numbersX, numbersY = 44, 22

func grid(s plotting.Spec, below int) map[string]any {
	left, right, top, bottom := margins(s, below)
	if s.Equal {
		return map[string]any{"left": left + numbersX, "right": right, "top": top, "bottom": bottom + numbersY}
	}
	return map[string]any{"left": left, "right": right, "top": top, "bottom": bottom, "containLabel": true}
}

// height returns the height of a chart in CSS pixels: that of the figure and its
// controls, or what one unit of x being as long as one of y asks for.
func height(s plotting.Spec, w, h, below int) int {
	if !s.Equal || s.X.Log || s.Y.Log {
		return h + controls + below
	}
	left, right, top, bottom := margins(s, below)
	plot := float64(w-left-numbersX-right) * (s.Y.Max - s.Y.Min) / (s.X.Max - s.X.Min)
	return min(int(plot+0.5)+top+bottom+numbersY, 2000)
}

func xAxis(a plotting.Axis) opts.XAxis {
	typ, lo, hi, first, last := scale(a, splitX)
	x := opts.XAxis{Type: typ, Name: mathtext.Plain(a.Label), NameLocation: "middle", NameGap: 30, Min: lo, Max: hi, SplitNumber: splitX,
		SplitLine: &opts.SplitLine{Show: opts.Bool(false)}, AxisLine: &opts.AxisLine{OnZero: opts.Bool(false)},
		AxisLabel: &opts.AxisLabel{ShowMinLabel: opts.Bool(first), ShowMaxLabel: opts.Bool(last)}}
	if a.Names != nil {
		x.AxisLabel.Interval = "0" // every name
	}
	return x
}

func yAxis(a plotting.Axis) opts.YAxis {
	typ, lo, hi, first, last := scale(a, splitY)
	return opts.YAxis{Type: typ, Name: mathtext.Plain(a.Label), NameLocation: "middle", NameGap: 48, Min: lo, Max: hi, SplitNumber: splitY,
		SplitLine: &opts.SplitLine{Show: opts.Bool(false)}, AxisLine: &opts.AxisLine{Show: opts.Bool(true), OnZero: opts.Bool(false)},
		AxisLabel: &opts.AxisLabel{Show: opts.Bool(true), ShowMinLabel: opts.Bool(first), ShowMaxLabel: opts.Bool(last)}}
}

// Numbers of intervals that axes are asked for.
const splitX, splitY = 6, 5

// scale returns the type and the ends of an axis, and whether the ends lie on
// ticks and so deserve a label.
func scale(a plotting.Axis, split int) (typ string, lo, hi any, first, last bool) {
	if a.Names != nil {
		return "category", nil, nil, true, true
	}
	step := tickStep(a.Max-a.Min, split)
	round := func(v float64) bool { return math.Abs(v/step-math.Round(v/step)) < 1e-6 }
	typ = "value"
	if a.Log {
		typ = "log"
		round = func(v float64) bool { e := math.Log10(v); return math.Abs(e-math.Round(e)) < 1e-9 }
	}
	return typ, digits(a.Min), digits(a.Max), round(a.Min), round(a.Max)
}

// tickStep is the distance of ticks that ECharts chooses.
func tickStep(span float64, split int) float64 {
	v := span / float64(split)
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	switch f := v / unit; {
	case f < 1.5:
		return unit
	case f < 2.5:
		return 2 * unit
	case f < 4:
		return 3 * unit
	case f < 7:
		return 5 * unit
	}
	return 10 * unit
}

// digits rounds to six significant digits, to keep the text of a chart short.
func digits(x float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	return r
}

func row(v ...float64) []float64 {
	for i := range v {
		v[i] = digits(v[i])
	}
	return v
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func opacity(c color.NRGBA) types.Float { return opts.Float(float32(c.A) / 255) }

func lineStyle(st plotting.Style) *opts.LineStyle {
	typ := "solid"
	if len(st.Dash) > 0 {
		typ = "dashed"
		if st.Dash[0] < 2 {
			typ = "dotted"
		}
	}
	return &opts.LineStyle{Color: hex(st.Color), Width: float32(st.Width * 1.7), Type: typ, Opacity: opacity(st.Color)}
}

// drawn returns the series of ECharts that draw r. Kinds that ECharts lacks are
// custom series: RenderItem names a drawing routine of the extension.
func drawn(s plotting.Spec, r *plotting.Series) ([]charts.SingleSeries, error) {
	base := charts.SingleSeries{Name: seriesName(r), ItemStyle: &opts.ItemStyle{Color: hex(r.Style.Color), Opacity: opacity(r.Style.Color)}}
	line := func(data [][]float64) charts.SingleSeries {
		l := base
		l.Type, l.Data, l.ShowSymbol, l.LineStyle = "line", data, opts.Bool(false), lineStyle(r.Style)
		l.Symbol = "none"
		return l
	}
	custom := func(routine string, data [][]float64, y ...int) charts.SingleSeries {
		u := base
		u.Type, u.Data, u.RenderItem = "custom", data, types.FuncStr(routine)
		u.Encode = &opts.Encode{X: 0, Y: y, Tooltip: y}
		return u
	}
	data := make([][]float64, 0, len(r.X))
	switch r.Kind {
	case plotting.KindLine:
		for i := range r.X {
			data = append(data, row(r.X[i], r.Y[i]))
		}
		l := line(data)
		if r.Style.Step {
			l.Step = "end"
		}
		return []charts.SingleSeries{l}, nil

	case plotting.KindPoints, plotting.KindCloud:
		k := stride(r)
		for i := 0; i < len(r.X); i += k {
			data = append(data, row(r.X[i], r.Y[i]))
		}
		p := base
		p.Type, p.Data, p.Symbol = "scatter", data, symbol(r)
		p.SymbolSize = digits(max(r.Style.Size*2, 3))
		return []charts.SingleSeries{p}, nil

	case plotting.KindHist:
		data = append(data, row(r.X[0], 0))
		for i := range r.Y {
			data = append(data, row(r.X[i], r.Y[i]))
		}
		n := len(r.Y)
		data = append(data, row(r.X[n], r.Y[n-1]), row(r.X[n], 0))
		l := line(data)
		l.Step = "end"
		l.LineStyle.Width = 1
		l.LineStyle.Type = "solid"
		l.AreaStyle = &opts.AreaStyle{Color: hex(r.Style.Color), Opacity: opts.Float(0.3)}
		return []charts.SingleSeries{l}, nil

	case plotting.KindBand:
		for i := range r.X {
			data = append(data, row(r.X[i], r.Lo[i], r.Hi[i]))
		}
		return []charts.SingleSeries{custom("band", data, 1, 2)}, nil

	case plotting.KindErrorBars:
		for i := range r.X {
			data = append(data, row(r.X[i], r.Y[i], r.Lo[i], r.Hi[i]))
		}
		return []charts.SingleSeries{custom("errorbar", data, 1, 2, 3)}, nil

	case plotting.KindBars:
		b := base
		b.Type, b.Data, b.BarCategoryGap = "bar", row(slices.Clone(r.Y)...), "45%"
		if r.Lo == nil {
			return []charts.SingleSeries{b}, nil
		}
		for i := range r.Y {
			data = append(data, row(float64(i), r.Y[i], r.Lo[i], r.Hi[i]))
		}
		e := custom("whisker", data, 2, 3)
		e.ItemStyle = &opts.ItemStyle{Color: hex(s.Theme.Ink)}
		return []charts.SingleSeries{b, e}, nil

	case plotting.KindHeat, plotting.KindContour:
		if i := heat(s); i < 0 || &s.Series[i] != r {
			return nil, nil
		}
		g := coarse(r.Grid)
		for k, z := range g.Z {
			if !math.IsInf(z, 1) {
				data = append(data, row(g.CenterX(k%g.Nx), g.CenterY(k/g.Nx), z))
			}
		}
		dx, dy := (g.X1-g.X0)/float64(g.Nx), (g.Y1-g.Y0)/float64(g.Ny)
		u := custom(fmt.Sprintf("cells %g %g", dx, dy), data, 1)
		u.Encode.Tooltip = []int{0, 1, 2}
		u.ItemStyle = nil
		return []charts.SingleSeries{u}, nil

	case plotting.KindArrows:
		for i := range r.X {
			data = append(data, row(r.X[i], r.Y[i], r.U[i], r.V[i]))
		}
		g := r.Grid
		return []charts.SingleSeries{custom(fmt.Sprintf("arrow %g %g", (g.X1-g.X0)/float64(g.Nx), (g.Y1-g.Y0)/float64(g.Ny)), data, 1)}, nil

	case plotting.KindVLine:
		return []charts.SingleSeries{line([][]float64{row(r.X[0], s.Y.Min), row(r.X[0], s.Y.Max)})}, nil
	case plotting.KindHLine:
		return []charts.SingleSeries{line([][]float64{row(s.X.Min, r.Y[0]), row(s.X.Max, r.Y[0])})}, nil

	case plotting.KindNote:
		p := base
		p.Name, p.Type, p.Symbol, p.SymbolSize = "", "scatter", "circle", 4
		p.Data = [][]float64{row(r.X[0], r.Y[0])}
		p.Label = &opts.Label{Show: opts.Bool(true), Position: "top", Color: hex(r.Style.Color),
			Formatter: strings.NewReplacer("{", "(", "}", ")").Replace(mathtext.Plain(r.Name))}
		return []charts.SingleSeries{p}, nil
	}
	return nil, &ebmkit.ArgError{Func: "nbi.Show", Arg: fmt.Sprintf("series %q", r.Name), Value: r.Kind, Want: "a kind that can be drawn interactively; show this figure with nb.Show"}
}

func symbol(r *plotting.Series) string {
	switch r.Style.Marker {
	case plotting.Square:
		return "rect"
	case plotting.Diamond:
		return "diamond"
	case plotting.TriangleUp:
		return "triangle"
	case plotting.Ring:
		return "emptyCircle"
	}
	return "circle"
}

// coarse returns g, or means over blocks of cells if it has too many.
func coarse(g plotting.Grid) plotting.Grid {
	k := 1
	for ((g.Nx+k-1)/k)*((g.Ny+k-1)/k) > maxCells {
		k++
	}
	if k == 1 {
		return g
	}
	// Whole blocks only: the last rows and columns are cut off otherwise than by
	// a block, so that the rectangle shrinks by less than one block.
	out := plotting.Grid{X0: g.X0, Y0: g.Y0, Nx: g.Nx / k, Ny: g.Ny / k}
	out.X1 = g.X0 + float64(out.Nx*k)*(g.X1-g.X0)/float64(g.Nx)
	out.Y1 = g.Y0 + float64(out.Ny*k)*(g.Y1-g.Y0)/float64(g.Ny)
	out.Z = make([]float64, out.Nx*out.Ny)
	for j := range out.Ny {
		for i := range out.Nx {
			var sum float64
			for b := range k * k {
				sum += g.Z[(j*k+b/k)*g.Nx+i*k+b%k]
			}
			out.Z[j*out.Nx+i] = sum / float64(k*k)
		}
	}
	return out
}

// visualMap colours the heat map whose series has the given id.
func visualMap(s plotting.Spec, series charts.MultiSeries, id string) map[string]any {
	index := slices.IndexFunc(series, func(u charts.SingleSeries) bool { return u.Id == id })
	m := s.Theme.Map
	if s.Z.Min < 0 && s.Z.Max == -s.Z.Min && !s.Picture {
		m = s.Theme.Diverging
	}
	var colors []string
	for i := range 17 {
		colors = append(colors, hex(m.At((float64(i)+0.5)/17)))
	}
	v := map[string]any{"type": "continuous", "seriesIndex": index, "dimension": 2, "min": digits(s.Z.Min), "max": digits(s.Z.Max),
		"calculable": true, "right": 4, "top": "middle", "itemHeight": 130, "itemWidth": 14, "precision": 2,
		"inRange": map[string]any{"color": colors}}
	if s.Picture {
		v["show"] = false
	} else if s.Z.Label != "" {
		v["text"] = []string{mathtext.Plain(s.Z.Label), ""}
	}
	return v
}
