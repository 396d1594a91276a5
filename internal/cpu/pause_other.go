//go:build !amd64

package cpu

// Pause tells the processor that the caller is waiting in a loop; here it does
// nothing.
func Pause() {}
