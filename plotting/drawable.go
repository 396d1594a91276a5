package plotting

// Drawable is a Figure or Multiples.
type Drawable interface {
	// Err returns the first thing that is wrong with it, or nil.
	Err() error

	specs() ([]Spec, error) // resolved specs of the panels
	layout() (*page, error)
	captionText() string
	titleText() string
	provenance() []Pair
}

var (
	_ Drawable = Figure{}
	_ Drawable = Multiples{}
)

// Specs returns the resolved specification of every panel of d, one for a
// Figure, with shared axes made equal. Other renderers draw from it.
func Specs(d Drawable) ([]Spec, error) { return d.specs() }

// CaptionOf returns the caption of d.
func CaptionOf(d Drawable) string { return d.captionText() }

// TitleOf returns the title of d.
func TitleOf(d Drawable) string { return d.titleText() }

// SizeOf returns width and height of d on the page, in points.
func SizeOf(d Drawable) (width, height float64, err error) {
	p, err := d.layout()
	if err != nil {
		return 0, 0, err
	}
	return p.w, p.h, nil
}

// HasRaster reports whether d holds clouds or heat maps, which are images inside
// vector files. Such figures are smaller as PNG.
func HasRaster(d Drawable) bool {
	specs, err := d.specs()
	if err != nil {
		return false
	}
	for _, s := range specs {
		for _, r := range s.Series {
			if r.Kind == KindCloud || r.Kind == KindHeat {
				return true
			}
		}
		for _, in := range s.Insets {
			if HasRaster(in.Figure) {
				return true
			}
		}
	}
	return false
}
