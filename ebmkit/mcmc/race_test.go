//go:build race

package mcmc

// raced is true under the race detector, which makes arithmetic ten times
// slower and finds nothing in it.
const raced = true
