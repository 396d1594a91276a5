// Package evaluate compares generators on the same held-out data (review section
// 3.5): one report for any model that can be sampled, with a density or without.
//
//	judge, err := evaluate.NewJudge(heldOut, evaluate.Config{Parts: ring, Truth: ring, Seed: 1})
//	report, err := judge.Report(evaluate.Generator{
//	    Name: "flow", Samples: draws, LogDensity: judge.LogDensity(f), GradEvals: 512_000, Params: f.NumParams(),
//	})
//	fmt.Println(report)
//
// # What the numbers mean
//
// Distances between two sets of points are never 0, even if their laws agree, so
// each comes with its null level: what it exceeds with probability 0.05 if the
// samples are of the held-out data's law. A distance below its level says that
// this many points cannot tell the two apart, not that the model is right.
//
// All errors and levels are for independent samples. Draws along a chain are not
// independent: thin them, or take one draw from each of many chains.
//
// The review lets all models maximise the likelihood; the held-out log-likelihood
// exists for flows, for energies with an estimate of log Z and for probability
// flows, as a bound for VAEs, and not for GANs. Samples can look right while it
// is poor, and the other way round, so a report has both.
//
// Times are numbers that the caller brings. Nothing here looks at a clock.
package evaluate
