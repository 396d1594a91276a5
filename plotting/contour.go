package plotting

import (
	"math"

	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
	"github.com/ebmkit/hitchhiker/plotting/internal/mathtext"
)

// isoline is a line of equal value in units of the lattice: node (i, j) is the
// centre of column i and row j.
type isoline struct {
	pts    []canvas.Point
	closed bool
}

// isolines returns the lines z = level by marching squares on nx by ny values,
// in an order that depends on nothing but the values. Cells with a value that is
// not finite are skipped. Saddles are cut by the mean of the four corners.
func isolines(z []float64, nx, ny int, level float64) []isoline {
	// A line crosses edges. Edge 2k is to the right of node k, edge 2k+1 above it.
	// Every crossed edge of a cell is linked to one other edge of that cell, so an
	// edge has at most two links, one from each cell at its sides.
	links := make([][2]int32, 2*nx*ny)
	for i := range links {
		links[i] = [2]int32{-1, -1}
	}
	join := func(a, b int32) {
		for _, e := range [2][2]int32{{a, b}, {b, a}} {
			if l := &links[e[0]]; l[0] < 0 {
				l[0] = e[1]
			} else {
				l[1] = e[1]
			}
		}
	}
	for j := 0; j+1 < ny; j++ {
		for i := 0; i+1 < nx; i++ {
			k := j*nx + i
			v := [4]float64{z[k], z[k+1], z[k+1+nx], z[k+nx]}
			code := 0
			finite := true
			for c, t := range v {
				finite = finite && !math.IsInf(t, 0)
				if t >= level {
					code |= 1 << c
				}
			}
			if !finite || code == 0 || code == 15 {
				continue
			}
			bottom, right, top, left := int32(2*k), int32(2*(k+1)+1), int32(2*(k+nx)), int32(2*k+1)
			switch code {
			case 1, 14:
				join(left, bottom)
			case 2, 13:
				join(bottom, right)
			case 4, 11:
				join(right, top)
			case 8, 7:
				join(top, left)
			case 3, 12:
				join(left, right)
			case 6, 9:
				join(bottom, top)
			case 5, 10:
				high := (v[0]+v[1]+v[2]+v[3])/4 >= level
				if high == (code == 5) {
					join(left, top)
					join(bottom, right)
				} else {
					join(left, bottom)
					join(right, top)
				}
			}
		}
	}
	place := func(e int32) canvas.Point {
		k := int(e / 2)
		i, j := k%nx, k/nx
		other := k + 1
		if e%2 == 1 {
			other = k + nx
		}
		t := (level - z[k]) / (z[other] - z[k])
		if e%2 == 1 {
			return canvas.Point{X: float64(i), Y: float64(j) + t}
		}
		return canvas.Point{X: float64(i) + t, Y: float64(j)}
	}
	used := make([]bool, len(links))
	trace := func(start int32) isoline {
		var l isoline
		prev, e := int32(-1), start
		for {
			used[e] = true
			l.pts = append(l.pts, place(e))
			next := links[e][0]
			if next == prev || next < 0 || used[next] && next != start {
				next = links[e][1]
			}
			if next < 0 || next == prev {
				return l
			}
			if next == start {
				l.closed = true
				return l
			}
			if used[next] {
				return l
			}
			prev, e = e, next
		}
	}
	var out []isoline
	for e := range links { // open lines start at an edge with one link
		if links[e][0] >= 0 && links[e][1] < 0 && !used[e] {
			out = append(out, trace(int32(e)))
		}
	}
	for e := range links {
		if links[e][0] >= 0 && !used[e] {
			out = append(out, trace(int32(e)))
		}
	}
	return out
}

// extended returns the grid with a ring of linearly extrapolated values around
// it, so that contours reach the edges of the cells' rectangle.
func extended(g Grid) (z []float64, nx, ny int) {
	nx, ny = g.Nx+2, g.Ny+2
	z = make([]float64, nx*ny)
	for j := range g.Ny {
		copy(z[(j+1)*nx+1:], g.Z[j*g.Nx:(j+1)*g.Nx])
		row := z[(j+1)*nx : (j+2)*nx]
		row[0], row[nx-1] = beyond(row[1], row[2]), beyond(row[nx-2], row[nx-3])
	}
	for i := range nx {
		z[i] = beyond(z[nx+i], z[2*nx+i])
		z[(ny-1)*nx+i] = beyond(z[(ny-2)*nx+i], z[(ny-3)*nx+i])
	}
	return z, nx, ny
}

// beyond continues from b over a.
func beyond(a, b float64) float64 {
	if v := 2*a - b; !math.IsNaN(v) {
		return v
	}
	return a
}

// contour draws the lines of a series and their labels.
func (p *panel) contour(c *canvas.Canvas, r *Series) {
	g := r.Grid
	z, nx, ny := extended(g)
	var placed []canvas.Point
	for _, level := range r.Levels {
		label := mathtext.Layout(shortNumber(level), p.s.Theme.SmallSize*0.88)
		for _, l := range isolines(z, nx, ny, level) {
			pts := make([]canvas.Point, len(l.pts))
			for i, q := range l.pts {
				pts[i] = canvas.Point{
					X: p.x(g.X0 + (q.X-0.5)*(g.X1-g.X0)/float64(g.Nx)),
					Y: p.y(g.Y0 + (q.Y-0.5)*(g.Y1-g.Y0)/float64(g.Ny)),
				}
			}
			if l.closed {
				pts = append(pts, pts[0])
			}
			for _, piece := range clipLine(simplify(pts), p.data) {
				p.contourLine(c, piece, l.closed, label, r.Style, &placed)
			}
		}
	}
}

// simplify drops points that lie within 0.04 points of the line between their
// neighbours and closer than that to each other.
func simplify(pts []canvas.Point) []canvas.Point {
	if len(pts) < 3 {
		return pts
	}
	out := pts[:1:1]
	for i := 1; i+1 < len(pts); i++ {
		a, b, c := out[len(out)-1], pts[i], pts[i+1]
		abx, aby, acx, acy := b.X-a.X, b.Y-a.Y, c.X-a.X, c.Y-a.Y
		l := math.Sqrt(acx*acx + acy*acy)
		if abx*abx+aby*aby < 0.02 || l > 0 && l < 4 && math.Abs(abx*acy-aby*acx)/l < 0.015 {
			continue
		}
		out = append(out, b)
	}
	return append(out, pts[len(pts)-1])
}

// contourLine draws one line with a gap for its label where the line is straight,
// free of points, and away from other labels and from the frame.
func (p *panel) contourLine(c *canvas.Canvas, pts []canvas.Point, closed bool, label mathtext.Label, st Style, placed *[]canvas.Point) {
	if len(pts) < 2 {
		return
	}
	s := make([]float64, len(pts)) // length along the line
	for i := 1; i < len(pts); i++ {
		dx, dy := pts[i].X-pts[i-1].X, pts[i].Y-pts[i-1].Y
		s[i] = s[i-1] + math.Sqrt(dx*dx+dy*dy)
	}
	total := s[len(s)-1]
	at := func(d float64) canvas.Point {
		i := 1
		lo, hi := 1, len(s)-1
		for lo < hi {
			if m := (lo + hi) / 2; s[m] < d {
				lo = m + 1
			} else {
				hi = m
			}
		}
		i = lo
		if s[i] == s[i-1] {
			return pts[i]
		}
		t := (d - s[i-1]) / (s[i] - s[i-1])
		return canvas.Point{X: pts[i-1].X + t*(pts[i].X-pts[i-1].X), Y: pts[i-1].Y + t*(pts[i].Y-pts[i-1].Y)}
	}
	half := label.Width/2 + 1.8
	stroke := func(pts []canvas.Point) {
		var path canvas.Path
		path.Polyline(pts)
		c.StrokePath(path, st.Width, st.Dash, st.Color)
	}
	need := 5 * half
	if closed {
		need = 7 * half
	}
	bestCost, best := math.Inf(1), -1.0
	if total >= need {
		edge := 2 * half
		for k := 0; k < 160; k++ {
			d := edge + (total-2*edge)*(float64(k)+0.5)/160
			q, a, b := at(d), at(d-half), at(d+half)
			room := min(q.X-p.data.X0, p.data.X1-q.X, q.Y-p.data.Y0, p.data.Y1-q.Y)
			if room < half+4 {
				continue
			}
			chord := math.Sqrt((b.X-a.X)*(b.X-a.X) + (b.Y-a.Y)*(b.Y-a.Y))
			cost := 60 * (1 - chord/(2*half)) // bending
			tilt := math.Abs(b.Y-a.Y) / max(chord, 1e-9)
			cost += 1.5 * tilt // flat labels read best
			for _, o := range *placed {
				dist := math.Sqrt((o.X-q.X)*(o.X-q.X) + (o.Y-q.Y)*(o.Y-q.Y))
				if dist < 3.5*half {
					cost += 40 * (1 - dist/(3.5*half))
				}
			}
			w := half * 0.9
			cost += 0.6 * float64(p.busy.count(canvas.Rect{X0: q.X - w, Y0: q.Y - w, X1: q.X + w, Y1: q.Y + w}))
			if cost < bestCost {
				bestCost, best = cost, d
			}
		}
	}
	if best < 0 || bestCost > 45 {
		stroke(pts)
		return
	}
	a, b, q := at(best-half), at(best+half), at(best)
	var before, after []canvas.Point
	for i := range pts {
		if s[i] < best-half {
			before = append(before, pts[i])
		} else if s[i] > best+half {
			after = append(after, pts[i])
		}
	}
	after = append([]canvas.Point{b}, after...)
	before = append(before, a)
	if closed && len(after) > 1 && len(before) > 1 && after[len(after)-1] == before[0] {
		stroke(append(after, before[1:]...))
	} else {
		stroke(before)
		stroke(after)
	}
	angle := math.Atan2(b.Y-a.Y, b.X-a.X)
	if angle > math.Pi/2 {
		angle -= math.Pi
	} else if angle <= -math.Pi/2 {
		angle += math.Pi
	}
	mid := canvas.Point{X: (a.X + b.X + 2*q.X) / 4, Y: (a.Y + b.Y + 2*q.Y) / 4}
	sin, cos := math.Sincos(angle)
	w, h := label.Width/2, label.Asc/2
	c.Text(label.Glyphs(mid.X-w*cos+h*sin, mid.Y-w*sin-h*cos, angle), st.Color)
	*placed = append(*placed, mid)
}
