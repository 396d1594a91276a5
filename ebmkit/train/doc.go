// Package train fits energies and score fields to data (review sections 3.3 and
// 6).
//
// An objective is a plain struct of the paper's parameters, such as
// PCD{Walkers: 512, Kernel: mcmc.ULA{Step: 0.01}}; a Trainer does the rest:
//
//	opt, err := nn.NewAdam[float64](nn.AdamConfig{Rate: nn.Constant(0.001)})
//	t, err := train.New(model, points, train.CD{Walkers: 100, Kernel: mcmc.ULA{Step: 0.1}, Steps: 10},
//	    opt, train.Config{Seed: 1})
//	err = t.Fit(ctx, 1000)
//
// # One gradient
//
// The gradient of the cross-entropy, review eq. (109), is a difference of two
// means of dU/dtheta,
//
//	dH/dtheta = E_data[dU/dtheta] - E_theta[dU/dtheta] = -D,
//
// and Exact, CD, PCD, Replay, NCE and Jarzynski differ only in the points and
// the weights that stand for the second, eq. (110). The score objectives ISM,
// DSM and SSM need no samples of the model. Objectives return the gradient of a
// loss, which optimisers make smaller: they are passed -D where the review's
// opt(theta, D) is passed the direction of ascent D. Steps are counted from k =
// 0.
//
// # Walkers
//
// The review wants fewer walkers than data, N < n. More work as well: where
// walkers start on data they are drawn with replacement.
//
// # What training cannot show
//
// CD and PCD have no loss that can be computed: Record.Loss is then the gap
// E_data[U] - E_walkers[U], whose derivative with the walkers held still is the
// gradient. A gap of zero does not say that the model is right: of separated
// modes the masses may be wrong, whatever the gap.
package train
