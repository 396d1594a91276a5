//go:build race

package conform

// Race says that the race detector is on: it makes sync.Pool drop what it is
// given now and then, so that a count of allocations means nothing.
const Race = true
