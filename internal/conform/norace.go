//go:build !race

package conform

// Race says whether the race detector is on.
const Race = false
