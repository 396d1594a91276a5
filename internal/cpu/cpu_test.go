package cpu

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestPortable(t *testing.T) {
	for env, want := range map[string]bool{"": false, "0": false, "1": true, "yes": true} {
		if portable(env) != want {
			t.Errorf("EBMKIT_PORTABLE=%q: portable %v", env, !want)
		}
	}
}

// The kernel of the system looks at the same bits.
func TestAVX2AgreesWithTheSystem(t *testing.T) {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("no /proc/cpuinfo")
	}
	flags := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if name, list, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "flags" {
			for _, f := range strings.Fields(list) {
				flags[f] = true
			}
		}
	}
	if want := flags["avx2"] && flags["fma"]; hasAVX2() != want {
		t.Errorf("hasAVX2 is %v, the system says %v", hasAVX2(), want)
	}
	Pause()
}
