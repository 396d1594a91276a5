// Package nb is what a notebook cell needs beside the science: figures, tables
// and checks in the output, values that pass from cell to cell, an end to a cell
// that says why.
//
//	target := nb.Must(energy.NewGaussian1D(0, sigma))
//	points := nb.Must(ebmkit.Draw(target, walkers, seed))
//	nb.Check("mean", ebmkit.MeanOf(points.Col(0)), 0)
//	nb.Show(plotting.Density(points, 0), "Histogram of exact draws.")
//	nb.Keep("points", points, sigma, walkers, seed)
//
// Functions that print go to the notebook when the program is a cell of GoNB, in
// order with what the cell prints itself. Elsewhere, as in go test and go run,
// they write the same as plain text to standard output.
//
// A cell may use this package or GoNB's own package gonbui, not both: each of
// them would open the one pipe to the kernel.
//
// # Notebook and session
//
// The notebook's name is $EBMKIT_NOTEBOOK, else the file name in
// $JPY_SESSION_NAME, which JupyterLab sets, else "unnamed". What it leaves lies
// in $EBMKIT_STATE/NOTEBOOK, or .state/NOTEBOOK below the notebook's folder. A
// session is one life of the kernel, told apart by $GONB_TMP_DIR.
//
// # Records of checks
//
// Check, CheckTol and CheckTrue append to checks.jsonl in that folder, one line
// of JSON for each:
//
//	{"name":"variance","value":1.3322,"se":0.0133,"exact":1.3333,"z":-0.083,"ok":true,"kind":"z","session":"gonb_1f2e"}
//
// kind is "z" (se is the standard error and ok means |z| < 4), "tol" (se is the
// tolerance, z the error divided by it, ok means |z| <= 1) or "true" (value is 1
// or 0, se and z are 0). A number that is not finite is null, and never ok. All
// lines have the same session: the first check of a new session empties the
// file. A cell that is run again appends again, and Checks shows the last line
// of each name, at the place of the first.
package nb
