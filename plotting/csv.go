package plotting

import (
	"strconv"
	"strings"
)

// csvHeader names the columns of exported data. One row is one drawn datum, and
// fields that its kind does not have are empty:
//
//	line, points, cloud      x, y
//	histogram                x to x_hi is the bin, y its density
//	band                     x, y_lo, y_hi
//	error bars               x, y, y_lo, y_hi
//	bars                     label, y, y_lo, y_hi
//	heat map, contours       x, y, z at the centres of the cells
//	arrows                   x, y, u, v
//	vertical line            x
//	horizontal line          y
//	note                     x, y, label
//
// panel counts the small multiples from 0; insets follow their panel as 0.1, 0.2.
// Numbers are the shortest that read back to the same float64. Lines end in LF.
const csvHeader = "panel,series,kind,label,x,x_hi,y,y_lo,y_hi,z,u,v\n"

// CSV returns the data of d, as Export writes them.
func CSV(d Drawable) ([]byte, error) {
	specs, err := d.specs()
	if err != nil {
		return nil, err
	}
	b := []byte(csvHeader)
	for i := range specs {
		if b, err = appendCSV(b, strconv.Itoa(i), &specs[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// row is one line of the file: nil is an empty field.
type csvRow struct {
	label                        string
	x, xHi, y, yLo, yHi, z, u, v *float64
}

func appendCSV(b []byte, panel string, s *Spec) ([]byte, error) {
	for i := range s.Series {
		r := &s.Series[i]
		name := r.Name
		if r.Kind == KindNote {
			name = ""
		}
		head := panel + "," + quote(name) + "," + r.Kind.String() + ","
		put := func(row csvRow) {
			b = append(b, head...)
			b = append(b, quote(row.label)...)
			for _, v := range [8]*float64{row.x, row.xHi, row.y, row.yLo, row.yHi, row.z, row.u, row.v} {
				b = append(b, ',')
				if v != nil {
					b = strconv.AppendFloat(b, *v, 'g', -1, 64)
				}
			}
			b = append(b, '\n')
		}
		switch r.Kind {
		case KindLine, KindPoints, KindCloud:
			for k := range r.X {
				put(csvRow{x: &r.X[k], y: &r.Y[k]})
			}
		case KindHist:
			for k := range r.Y {
				put(csvRow{x: &r.X[k], xHi: &r.X[k+1], y: &r.Y[k]})
			}
		case KindBand:
			for k := range r.X {
				put(csvRow{x: &r.X[k], yLo: &r.Lo[k], yHi: &r.Hi[k]})
			}
		case KindErrorBars:
			for k := range r.X {
				put(csvRow{x: &r.X[k], y: &r.Y[k], yLo: &r.Lo[k], yHi: &r.Hi[k]})
			}
		case KindBars:
			for k := range r.Y {
				row := csvRow{label: r.Labels[k], y: &r.Y[k]}
				if r.Lo != nil {
					row.yLo, row.yHi = &r.Lo[k], &r.Hi[k]
				}
				put(row)
			}
		case KindHeat, KindContour:
			g := r.Grid
			for k := range g.Z {
				x, y := g.CenterX(k%g.Nx), g.CenterY(k/g.Nx)
				put(csvRow{x: &x, y: &y, z: &g.Z[k]})
			}
		case KindArrows:
			for k := range r.X {
				put(csvRow{x: &r.X[k], y: &r.Y[k], u: &r.U[k], v: &r.V[k]})
			}
		case KindVLine:
			put(csvRow{x: &r.X[0]})
		case KindHLine:
			put(csvRow{y: &r.Y[0]})
		case KindNote:
			put(csvRow{label: r.Name, x: &r.X[0], y: &r.Y[0]})
		}
	}
	for i, in := range s.Insets {
		t, err := in.Figure.Spec()
		if err != nil {
			return nil, err
		}
		if b, err = appendCSV(b, panel+"."+strconv.Itoa(i+1), &t); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// quote protects commas, quotes and line ends as RFC 4180 says.
func quote(s string) string {
	if !strings.ContainsAny(s, ",\"\r\n") {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
