package asm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// withoutHeader drops the first line, which repeats the command.
func withoutHeader(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return rest
}

func TestGeneratedFilesAreCurrent(t *testing.T) {
	for pkg, home := range map[string]string{"vmath": "../vmath", "gemm": "../gemm", "spin": "../../ebmkit/spin"} {
		dir := t.TempDir()
		cmd := exec.Command("go", "run", "./"+pkg, "-pkg", pkg,
			"-out", filepath.Join(dir, "kernels_amd64.s"), "-stubs", filepath.Join(dir, "kernels_amd64.go"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, name := range []string{"kernels_amd64.s", "kernels_amd64.go"} {
			have := withoutHeader(t, filepath.Join(home, name))
			want := withoutHeader(t, filepath.Join(dir, name))
			if !bytes.Equal(have, want) {
				t.Errorf("%s/%s is not what the generator writes; run go generate in internal/asm", pkg, name)
			}
		}
	}
}
