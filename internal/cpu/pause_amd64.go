package cpu

// Pause tells the processor that the caller is waiting in a loop.
func Pause()
