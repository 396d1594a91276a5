// Package energy holds energies U(x) of densities exp(-U)/Z, review eq. (5),
// with what is known about them in closed form: gradient, log Z, mean,
// covariance, modes, an exact sampler.
//
// # Conventions
//
// Low energy means probable. Every energy says which additive constant it has,
// and LogZ belongs to the U that is returned. Vectors and matrices are slices;
// a d x d matrix is row-major. Constructors copy what they are given and return
// *ebmkit.ArgError, which names the argument and the entry ("cov[1][2]"), for
// wrong sizes, NaN, non-positive scales and singular matrices.
//
// Energies with parameters are pointers; MuellerBrown and the combinations
// Tempered, Sum and Interpolate are values. All are safe for concurrent use,
// except that SetParams of a parametric energy must not run while it is
// evaluated. Energy and EnergyGrad of one row, and the evaluator of many rows,
// give the same bits. Scales are parameters through their logarithm, so that
// every theta of moderate numbers is legal.
package energy
