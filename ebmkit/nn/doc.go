// Package nn holds multilayer perceptrons with the derivatives that energy-based
// models ask of them, and the optimisers that train them.
//
// A network (MLP) is evaluated by passes, forward and backward, on many rows. An
// Energy makes an energy of a network with one output, with input gradient,
// parameter gradient and the mixed derivatives of score matching, so that every
// sampler and trainer takes it. A Field makes a time-dependent vector field of
// one, for diffusions and interpolants. Optimisers move any parameters; a Descent
// moves those of networks where they are.
//
// Networks compute in float32 unless told otherwise; the slices of the API are
// float64, and Pass[float32] is there for those who hold float32 data. The same
// configuration, parameters and rows give the same bits on any processor and at
// any number of cores.
package nn
