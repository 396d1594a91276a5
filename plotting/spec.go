package plotting

import "image/color"

// Kind says how a series is drawn and which of its fields are used.
type Kind int

// The kinds of series.
const (
	KindLine      Kind = iota // X, Y
	KindPoints                // X, Y
	KindHist                  // X: n+1 edges of bins, Y: n densities
	KindBand                  // X, Lo, Hi
	KindErrorBars             // X, Y, Lo, Hi
	KindBars                  // Labels, Y, and Lo, Hi if there are errors; bar i stands at x = i
	KindCloud                 // X, Y
	KindHeat                  // Grid
	KindContour               // Grid, Levels
	KindArrows                // X, Y, U, V (length in units of the axes)
	KindVLine                 // X[0]
	KindHLine                 // Y[0]
	KindNote                  // X[0], Y[0], Name is the text
	KindCustom                // Custom
)

var kindNames = [...]string{"line", "points", "histogram", "band", "error bars", "bars", "cloud",
	"heat map", "contours", "arrows", "vertical line", "horizontal line", "note", "custom"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown kind"
	}
	return kindNames[k]
}

// Series is one drawn thing. The comments of Kind say which fields are set.
// Slices belong to the figure and must not be changed.
type Series struct {
	Kind   Kind
	Name   string
	X, Y   []float64
	Lo, Hi []float64
	U, V   []float64
	Labels []string
	Grid   Grid
	Levels []float64
	Custom Plotter
	N      int // number of samples behind a histogram
	Style  Style

	fn   func(float64) float64 // of Func, to sample anew on a logarithmic axis
	a, b float64
}

// Marker is the shape of a point.
type Marker int

// The markers.
const (
	Disc Marker = iota
	Square
	Diamond
	TriangleUp
	Ring
	Cross
)

// Style is how a series looks. In the Spec of a figure all of it is resolved:
// colours come from the theme's palette unless they were given.
type Style struct {
	Color  color.NRGBA
	Width  float64   // of lines, in points
	Dash   []float64 // lengths of dashes and gaps, in points; nil is a solid line
	Size   float64   // diameter of markers, in points
	Marker Marker
	Step   bool    // a staircase: the value holds until the next x
	Pixels bool    // heat maps: never smooth between cells
	K      float64 // half length of error bars, in standard errors

	colorSet, widthSet, dashSet, markerSet bool
	bins                                   int
	lo, hi                                 float64 // of Within
	within                                 bool
	weights                                []float64
	dx, dy                                 float64 // of Offset
	offset                                 bool
	diverging                              bool
	resolution                             int // of Func
}

// Axis is one axis. In the Spec of a figure Min and Max are the ends that are
// drawn.
type Axis struct {
	Label    string
	Log      bool
	Min, Max float64
	Fixed    bool     // Min and Max were given by the user
	Names    []string // names of the places 0, 1, 2, ... of bars
}

// Position is where a legend goes.
type Position int

// The positions of a legend. Auto takes a corner without data, makes room above
// the data if there is none, or else goes outside.
const (
	Auto Position = iota
	TopRight
	TopLeft
	BottomRight
	BottomLeft
	Above // outside, in rows over the data
	Right // outside, a column at the right
	None
	Each // Multiples only: a legend of its own in every panel
)

// Width is the width of a figure on the page, in millimetres.
type Width float64

// Column widths of journals.
const (
	Single Width = 86
	Double Width = 178
)

// Pair is one entry of the provenance.
type Pair struct{ Key, Value string }

// Inset is a small figure inside the data rectangle of another. X, Y, W, H are
// fractions of that rectangle, from its lower left corner.
type Inset struct {
	Figure     Figure
	X, Y, W, H float64
}

// Spec is everything a renderer needs to know about a figure: data in drawn
// form (histograms are binned, functions sampled), resolved styles, the ends of
// the axes. Other renderers read it; package plotting draws from it.
type Spec struct {
	Title, Caption string
	X, Y, Z        Axis // Z: colours of heat maps
	Series         []Series
	Legend         Position
	Width, Height  float64 // in millimetres; Height 0 is chosen by the layout
	Equal          bool    // one unit of x is as long as one unit of y
	Picture        bool    // no axes, no colour bar: see Picture
	Insets         []Inset
	Provenance     []Pair
	Theme          Theme
}
