// Package plotting draws the figures of the laboratory: in a notebook, and as
// SVG, PDF, PNG and CSV files for a paper.
//
// # Figures are values
//
// A Figure is data, encoding and labels. Its methods return a changed copy, so
// that figures are written as a chain and one figure can be the start of many:
//
//	fig := plotting.New().
//		Hist("samples", xs).
//		Func("model $\\rho_\\theta(x)$", rho, -3, 3).
//		XLabel("$x$").YLabel("$\\rho_\\theta(x)$")
//	err := plotting.Export(fig, "figures/fig1")
//
// Data are copied when they are given. What cannot be drawn (NaN, Inf, slices of
// different lengths, nothing at all) is kept as the first error of the figure and
// returned by Err, Spec, Render and Export with the name of the series and the
// index.
//
// # Conventions
//
// Points of the plane are row-major pairs, as in ebmkit.Ensemble. Sizes on the
// page are in millimetres, line widths and text sizes in points (1/72 inch).
// Series that share a name share a colour and one entry of the legend; an empty
// name has no entry. Colours are Okabe and Ito's, lines also differ by their
// dashes, so that nothing is told by colour alone.
//
// Labels hold mathematics between dollar signs, a subset of LaTeX set in STIX
// Two: Greek, nested sub- and superscripts, \frac, \sqrt, \hat, \bar, \tilde,
// \vec, \dot, \mathbb, \mathcal, \mathbf, \mathrm, \text, the usual operators and
// relations. A command that is not known is printed as it is written.
//
// # Reproducibility
//
// The same figure gives the same bytes in every format, on any number of cores.
// Text becomes outlines, so that no viewer needs a font.
package plotting
