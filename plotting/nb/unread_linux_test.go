package nb

import (
	"os/exec"
	"testing"
	"time"
)

// A process that computes is told from one that waits.
func TestRuns(t *testing.T) {
	start := func(name string, args ...string) int {
		cmd := exec.Command(name, args...)
		if err := cmd.Start(); err != nil {
			t.Skip(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
		return cmd.Process.Pid
	}
	busy, waiting := start("sh", "-c", "while :; do :; done"), start("sleep", "600")
	// Both begin by being loaded.
	for i := 0; runs(waiting) && i < 1000; i++ {
		time.Sleep(5 * time.Millisecond)
	}
	for range 20 {
		if !runs(busy) {
			t.Fatal("a process in a loop is said to wait")
		}
		if runs(waiting) {
			t.Fatal("a sleeping process is said to run")
		}
		time.Sleep(time.Millisecond)
	}
	if runs(1 << 30) {
		t.Error("a process that does not exist is said to run")
	}
}
