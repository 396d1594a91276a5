// Command cellgo is the go command, and the goimports command, that notebook
// kernels find first on their PATH. Nobody else uses it.
//
// GoNB runs three commands for every cell: goimports, "go get" and "go build".
// Of the time they take, only compiling the cell and linking it is needed when
// nothing but the cell changed. So cellgo
//
//   - answers the bare "go get" at once: kernels work without the network;
//   - answers "go build -o BINARY" by replaying the compile and link commands of
//     an earlier real build (see Record), if they still hold, or by the binary
//     itself if the cell was run before just as it is;
//   - answers "goimports -w main.go" itself if no import is missing.
//
// In every other case, and whenever it is in doubt, it hands over to the real
// command, whose messages are the only ones a user sees.
//
// It reads EBMKIT_GO (path of the real go), EBMKIT_GOIMPORTS (path of the real
// goimports) and EBMKIT_RECORDS (directory of the records), set by the kernel's
// launcher.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func main() {
	if filepath.Base(os.Args[0]) == "goimports" {
		if len(os.Args) == 3 && os.Args[1] == "-w" && tidyImports(os.Getenv("EBMKIT_RECORDS"), os.Args[2]) {
			return
		}
		handOver("EBMKIT_GOIMPORTS")
	}
	args := os.Args[1:]
	switch {
	case len(args) == 1 && args[0] == "get":
		return
	case len(args) == 3 && args[0] == "build" && args[1] == "-o" && filepath.Dir(args[2]) == os.Getenv("GONB_TMP_DIR"):
		b := builder{dir: ".", out: args[2], goCmd: os.Getenv("EBMKIT_GO"), records: os.Getenv("EBMKIT_RECORDS")}
		if b.build() {
			return
		}
	}
	handOver("EBMKIT_GO")
}

// handOver becomes the command whose path the environment variable holds, with
// the arguments of this one.
func handOver(variable string) {
	path := os.Getenv(variable)
	err := syscall.Exec(path, append([]string{path}, os.Args[1:]...), os.Environ())
	fmt.Fprintf(os.Stderr, "cellgo: cannot run %s=%q: %v\n", variable, path, err)
	os.Exit(1)
}
