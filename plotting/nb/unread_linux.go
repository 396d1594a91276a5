package nb

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const fionread = 0x541b // from <asm-generic/ioctls.h>

// unread reports whether a pipe holds bytes that were not read.
func unread(f *os.File) bool {
	var n int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), fionread, uintptr(unsafe.Pointer(&n)))
	return errno == 0 && n > 0
}

// runs reports whether a thread of the process runs or waits for a processor or a
// disk. A Go program with something to do has such a thread: the system makes it
// runnable in the same moment as it has data for it.
func runs(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, t := range tasks {
		stat, err := os.ReadFile(dir + t.Name() + "/stat")
		if err != nil {
			continue // the thread has ended
		}
		// "123 (name) S ...": the name may hold anything.
		if s := string(stat); strings.HasPrefix(s[strings.LastIndexByte(s, ')')+1:], " R") ||
			strings.HasPrefix(s[strings.LastIndexByte(s, ')')+1:], " D") {
			return true
		}
	}
	return false
}
