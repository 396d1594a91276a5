package plotting

import "image/color"

// Option changes how one series looks.
type Option func(*Style)

// Color sets the colour.
func Color(c color.Color) Option {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return func(s *Style) { s.Color, s.colorSet = n, true }
}

// LineWidth sets the width of lines, in points.
func LineWidth(pt float64) Option { return func(s *Style) { s.Width, s.widthSet = pt, true } }

// Solid draws an unbroken line.
func Solid(s *Style) { s.Dash, s.dashSet = nil, true }

// Dashed draws a dashed line.
func Dashed(s *Style) { s.Dash, s.dashSet = []float64{4, 1.8}, true }

// Dotted draws a dotted line.
func Dotted(s *Style) { s.Dash, s.dashSet = []float64{1, 1.3}, true }

// DashDot draws a line of dashes and dots.
func DashDot(s *Style) { s.Dash, s.dashSet = []float64{5, 1.6, 1, 1.6}, true }

// Step draws a line as a staircase: each value holds until the next x.
func Step(s *Style) { s.Step = true }

// Size sets the diameter of points, in points.
func Size(pt float64) Option { return func(s *Style) { s.Size = pt } }

// Shape sets the marker of points.
func Shape(m Marker) Option { return func(s *Style) { s.Marker, s.markerSet = m, true } }

// Resolution sets the number of points at which Func and Against evaluate their
// function. The default is 513.
func Resolution(n int) Option { return func(s *Style) { s.resolution = n } }

// Bins sets the number of bins of a histogram. The default is a width of
// 1.2 IQR n^(-1/3), kept between 10 and 120 bins: finer than the rule of Freedman
// and Diaconis (2 IQR n^(-1/3)), which hides the modes of a mixture.
func Bins(n int) Option { return func(s *Style) { s.bins = n } }

// Within limits the bins of a histogram to [lo, hi]. The density stays
// normalised over all samples, also those outside.
func Within(lo, hi float64) Option {
	return func(s *Style) { s.lo, s.hi, s.within = lo, hi, true }
}

// Weights gives one non-negative weight per sample of a histogram.
func Weights(w []float64) Option {
	w = append([]float64(nil), w...)
	return func(s *Style) { s.weights = w }
}

// StandardErrors sets the half length of error bars in standard errors. The
// default is 2.
func StandardErrors(k float64) Option { return func(s *Style) { s.K = k } }

// Pixels shows every cell of a heat map as a rectangle, as is right for spins
// and matrices. Grids of fewer than 100 cells a side are always shown so.
func Pixels(s *Style) { s.Pixels = true }

// Diverging colours a heat map from blue over white to red, white at zero.
func Diverging(s *Style) { s.diverging = true }

// Offset places the text of a note dx, dy points from its data point. The
// default looks for the nearest free place.
func Offset(dx, dy float64) Option {
	return func(s *Style) { s.dx, s.dy, s.offset = dx, dy, true }
}
