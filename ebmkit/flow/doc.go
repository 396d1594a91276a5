// Package flow holds normalizing flows (review section 3.4): invertible maps
// that carry a base density to a model of the data, with the density in closed
// form, so that a flow is an energy with log Z = 0.
//
//	f, err := flow.New(flow.Config{Dim: 2, Layers: flow.RealNVP(8, nn.Tanh, 64, 64)})
//	t, err := train.New(f, points, flow.Likelihood{}, adam, train.Config{Batch: 256})
//	err = t.Fit(ctx, 2000)
//
// # Directions
//
// The generative direction phi carries noise z to data x, the normalizing
// direction phi^-1 carries data to noise. With the base density rho_Z the
// density of x = phi(z) is
//
//	rho(x) = rho_Z(phi^-1(x)) |det J phi^-1(x)| = rho_Z(z) / |det J phi(z)|,  z = phi^-1(x),
//
// review Lemma 3.5 and eq. (70). There, g^-1 in the first form stands for phi^-1,
// and the Jacobian of the second form is that of phi with respect to z, at
// z = phi^-1(y); the print has J_y. As an energy
//
//	U(x) = -log rho_Z(phi^-1(x)) - log |det J phi^-1(x)|,   log Z = 0,
//
// which holds for every flow: the review's section 3.5 drops the determinant and
// says that it holds only sometimes.
//
// Layers are listed, and their formulas are written, in the normalizing
// direction f = f_L o .. o f_1 of x to z, which is what maximum likelihood
// evaluates. With x_0 = x and x_i = f_i(x_{i-1}) the composition has (Lemma 3.6,
// eq. (73) and (74))
//
//	phi = f^-1 = f_1^-1 o .. o f_L^-1,
//	log |det J f(x)| = sum_i log |det J f_i(x_{i-1})|.
//
// The print of eq. (74) evaluates factor i of the other direction at x_i, which
// is right, but its "x_i = f_{i+1}^-1 o .. o f_M^-1" lacks the argument y.
//
// # Training
//
// Maximum likelihood, eq. (71) and (72), is
//
//	minimise  E_data[U] = -E_data[log rho_Z(phi^-1(x)) + log |det J phi^-1(x)|],
//
// the objective Likelihood of a train.Trainer. In Table 1 the print lacks the
// bars of the determinant.
//
// Trainings runs several of them under the same conditions, and Law measures what
// flows of the plane have made of a density that is known.
//
// # Arithmetic
//
// Networks inside couplings compute in float32 or float64 as Config.Precision
// says, everything else in float64: the inverse is good to rounding in both, and
// with float32 networks an x beyond 3e38 gives NaN. Rows go through all layers in
// blocks of 64, on all cores; every number has the same bits on any number of
// them.
package flow
