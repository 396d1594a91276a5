package plotting

import "image/color"

// Theme is the look of a figure as a value. Lengths are in points.
type Theme struct {
	TextSize   float64 // labels of axes, titles, legends
	SmallSize  float64 // labels of ticks and contours
	AxisWidth  float64
	TickMajor  float64 // length of ticks, outside the data rectangle
	TickMinor  float64
	LineWidth  float64
	MarkerSize float64       // diameter
	Palette    []color.NRGBA // colours of series, in order
	Dashes     [][]float64   // dashes of lines, in order; nil is solid
	Map        ColorMap      // of heat maps
	Diverging  ColorMap      // of heat maps with the option Diverging
	Ink, Paper color.NRGBA   // axes and text; background
	Forbidden  color.NRGBA   // where an energy is +Inf
}

// Print is the theme for papers, and the default: Okabe and Ito's colours with
// line styles, viridis, 8.5 and 7.5 point text, thin axes.
func Print() Theme {
	return Theme{
		TextSize: 8.5, SmallSize: 7.5,
		AxisWidth: 0.5, TickMajor: 2.6, TickMinor: 1.5,
		LineWidth: 1, MarkerSize: 3.4,
		Palette: []color.NRGBA{
			{0x00, 0x72, 0xb2, 0xff}, // blue
			{0xd5, 0x5e, 0x00, 0xff}, // vermilion
			{0x00, 0x9e, 0x73, 0xff}, // green
			{0xcc, 0x79, 0xa7, 0xff}, // purple
			{0xe6, 0x9f, 0x00, 0xff}, // orange
			{0x56, 0xb4, 0xe9, 0xff}, // sky blue
			{0x1a, 0x1a, 0x1a, 0xff}, // black
			{0x8c, 0x8c, 0x8c, 0xff}, // grey, in place of a yellow that paper swallows
		},
		Dashes:    [][]float64{nil, {4, 1.8}, {1, 1.3}, {5, 1.6, 1, 1.6}},
		Map:       Viridis,
		Diverging: BlueRed,
		Ink:       color.NRGBA{0, 0, 0, 0xff},
		Paper:     color.NRGBA{0xff, 0xff, 0xff, 0xff},
		Forbidden: color.NRGBA{0xd9, 0xd9, 0xd9, 0xff},
	}
}

// ColorMap is a table of 256 colours as 768 bytes, red, green, blue.
type ColorMap string

// At returns the colour at t, which is clipped to [0, 1].
func (m ColorMap) At(t float64) color.NRGBA {
	i := 0
	switch {
	case t >= 1:
		i = 255
	case t > 0:
		i = int(t * 256)
	}
	return color.NRGBA{m[3*i], m[3*i+1], m[3*i+2], 0xff}
}
