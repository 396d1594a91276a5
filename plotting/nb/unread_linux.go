package nb

import (
	"os"
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
