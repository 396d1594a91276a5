package vmath

// Energies of Gaussians whose precision has O(d) entries, at the n rows of xs. u
// has length n, grad that of xs; either may be nil, and what is computed does
// not depend on the other. grad must not overlap xs. Every operation is rounded,
// and the sums have a fixed order. They panic on a wrong length.

// rowKernel is the dimension from which a call of a kernel pays.
const rowKernel = 8

// DiagonalRows evaluates
//
//	U(x) = sum_j prec_j (x_j - mean_j)^2 / 2,   dU/dx_j = prec_j (x_j - mean_j).
//
// Four sums are kept, entry j going to sum j mod 4, but the last d mod 4 entries
// to the first.
func DiagonalRows(u, grad, xs, mean, prec []float64) {
	d := len(mean)
	checkRows(u, grad, xs, d)
	sameLength(len(prec), d)
	for i := range len(xs) / d {
		x := xs[i*d : (i+1)*d]
		var g []float64
		if grad != nil {
			g = grad[i*d : (i+1)*d]
		}
		if u != nil {
			u[i] = diagonalEnergy(g, x, mean, prec)
		} else if grad != nil {
			diagonalGrad(g, x, mean, prec)
		}
	}
}

func diagonalGrad(grad, x, mean, prec []float64) {
	n := 0
	if useAVX2 && len(x) >= rowKernel {
		n = len(x) &^ 3
		diagonalGradAVX2(&grad[0], &x[0], &mean[0], &prec[0], n)
	}
	for j := n; j < len(x); j++ {
		grad[j] = (x[j] - mean[j]) * prec[j]
	}
}

func diagonalEnergy(grad, x, mean, prec []float64) float64 {
	var s [4]float64
	j := 0
	if useAVX2 && len(x) >= rowKernel {
		j = len(x) &^ 3
		diagonalEnergyAVX2(&s, pointer(grad), &x[0], &mean[0], &prec[0], j)
	}
	s0, s1, s2, s3 := s[0], s[1], s[2], s[3]
	for ; j+4 <= len(x); j += 4 {
		x4, m4, p4 := x[j:j+4:j+4], mean[j:j+4:j+4], prec[j:j+4:j+4]
		y0, y1, y2, y3 := x4[0]-m4[0], x4[1]-m4[1], x4[2]-m4[2], x4[3]-m4[3]
		g0, g1, g2, g3 := float64(y0*p4[0]), float64(y1*p4[1]), float64(y2*p4[2]), float64(y3*p4[3])
		if grad != nil {
			g4 := grad[j : j+4 : j+4]
			g4[0], g4[1], g4[2], g4[3] = g0, g1, g2, g3
		}
		s0 += float64(y0 * g0)
		s1 += float64(y1 * g1)
		s2 += float64(y2 * g2)
		s3 += float64(y3 * g3)
	}
	for ; j < len(x); j++ {
		y := x[j] - mean[j]
		g := float64(y * prec[j])
		if grad != nil {
			grad[j] = g
		}
		s0 += float64(y * g)
	}
	return ((s0 + s1) + (s2 + s3)) / 2
}

// TridiagonalRows evaluates, with y = x - mean,
//
//	U(x) = |z|^2 / 2,   z_j = diag_j y_j + off_j y_{j+1},
//	dU/dx_j = diag_j z_j + off_{j-1} z_{j-1}.
//
// The last entry of off must be 0. Two sums are kept, entry j going to sum j mod
// 2, and the last entry comes last.
func TridiagonalRows(u, grad, xs, mean, diag, off []float64) {
	d := len(mean)
	checkRows(u, grad, xs, d)
	sameLength(len(diag), d)
	sameLength(len(off), d)
	for i := range len(xs) / d {
		x := xs[i*d : (i+1)*d]
		var g []float64
		if grad != nil {
			g = grad[i*d : (i+1)*d]
		}
		if u != nil {
			u[i] = tridiagonalEnergy(g, x, mean, diag, off)
		} else if grad != nil {
			tridiagonalGrad(g, x, mean, diag, off)
		}
	}
}

func tridiagonalGrad(grad, x, mean, diag, off []float64) {
	n := 0
	if useAVX2 && len(x) >= rowKernel {
		n = len(x) &^ 3
		var next float64
		if n < len(x) {
			next = x[n] - mean[n]
		}
		tridiagonalGradAVX2(&grad[0], &x[0], &mean[0], &diag[0], &off[0], next, n)
	}
	if n < len(x) {
		tridiagonalRest(grad, x, mean, diag, off, n, nil)
	}
}

func tridiagonalEnergy(grad, x, mean, diag, off []float64) float64 {
	var s [2]float64
	n := 0
	if useAVX2 && len(x) > rowKernel {
		n = (len(x) - 1) &^ 3
		tridiagonalEnergyAVX2(&s, pointer(grad), &x[0], &mean[0], &diag[0], &off[0], x[n]-mean[n], n)
	}
	return tridiagonalRest(grad, x, mean, diag, off, n, &s)
}

// tridiagonalRest does entries j and up, and returns the energy if it gets the
// sums of those before.
func tridiagonalRest(grad, x, mean, diag, off []float64, j int, s *[2]float64) (u float64) {
	y := x[j] - mean[j]
	var left float64 // off_{j-1} z_{j-1}
	if j > 0 {
		z := float64(diag[j-1]*(x[j-1]-mean[j-1])) + float64(off[j-1]*y)
		left = float64(off[j-1] * z)
	}
	var z float64
	for ; j < len(x); j++ {
		var next float64
		if j+1 < len(x) {
			next = x[j+1] - mean[j+1]
		}
		z = float64(diag[j]*y) + float64(off[j]*next)
		if grad != nil {
			grad[j] = float64(diag[j]*z) + left
		}
		if s != nil && j+1 < len(x) {
			s[j%2] += float64(z * z)
		}
		left = float64(off[j] * z)
		y = next
	}
	if s == nil {
		return 0
	}
	return (s[0] + s[1] + float64(z*z)) / 2
}

func checkRows(u, grad, xs []float64, d int) {
	if d == 0 || len(xs)%d != 0 || u != nil && len(u) != len(xs)/d || grad != nil && len(grad) != len(xs) {
		panic("vmath: lengths of rows do not fit")
	}
}

// pointer returns the place of x[0], or nil.
func pointer(x []float64) *float64 {
	if x == nil {
		return nil
	}
	return &x[0]
}
