//go:build !linux

package nb

import (
	"os"
	"time"
)

// unread cannot be asked portably: it leaves the kernel a few milliseconds.
func unread(*os.File) bool {
	time.Sleep(3 * time.Millisecond)
	return false
}

// runs cannot be asked portably.
func runs(int) bool { return false }
