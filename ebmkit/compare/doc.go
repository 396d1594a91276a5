// Package compare trains six generative models on the same data with the same
// budget of gradient evaluations (review section 3.5): an energy with MCMC, a
// variational autoencoder, a generative adversarial network, score-based
// diffusion, a stochastic interpolant and a normalizing flow.
//
//	ring, err := compare.NewRing(4000, 1000, 1)
//	results, err := compare.Run(ctx, ring, compare.Config{Budget: 1_024_000, Seeds: 5})
//
// # The unit of cost
//
// A gradient evaluation is one row through one network, forward and back, in
// parameters or in x. A way forward without the way back counts in full. So per
// row of data
//
//	energy         1, and 1 for each walker's row in the gradient, and 1 for each of its moves
//	VAE            2: encoder and decoder
//	GAN            5: G and twice D for a step of D, G and D for one of G
//	diffusion      1
//	interpolant    1
//	flow           1: its couplings are the layers of one network
//
// A recipe's batch is fixed and its number of steps follows from the budget.
// The networks of one model have together about 9,000 parameters in the plane and
// 40,000 on digits; NumParams has the number. A row of a flow passes all of them
// and a row of a VAE's count half, so equal budgets are not equal arithmetic:
// Result.Weights is the number of rows times the parameters that each has passed.
//
// # Tuning
//
// Widths were set by the number of parameters. For each model and each data set
// the learning rate was chosen from three values a factor of 3 apart, and one
// quantity of the method's own from three values: the walkers' moves of the
// energy, the size of the code of the VAE, the batch of the GAN, the
// frequencies of time of diffusion and interpolant, the number of couplings of
// the flow. Judged were two seeds that are not used elsewhere, by the sum of the
// ratios of MMD^2 and sliced W2 to their null levels on points that are not the
// held-out ones. Nothing else was tried, and more work would change the table.
//
// The same seed gives the same bits on any number of cores.
package compare
