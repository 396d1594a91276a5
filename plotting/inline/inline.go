// Package inline is what passes between a figure and a notebook: a picture in the
// forms that a front end shows. It stands alone, so that package nb does not import
// package plotting and a cell that only computes does not link the drawing code.
package inline

// Picture is a drawn figure.
type Picture struct {
	SVG           []byte // nil if the figure holds images: then PNG is as sharp
	PNG           []byte
	Width, Height float64 // on the page, in points
	Text          string  // the figure in words
	Caption       string  // the figure's own, may be empty
}
