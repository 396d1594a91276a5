//go:build race

// Package race says whether the race detector is on. It makes code ten times
// slower, and sync.Pool drops things at random: tests of long sums by one
// goroutine are skipped under it, and so are counts of allocations.
package race

// Enabled says whether the race detector is on.
const Enabled = true
