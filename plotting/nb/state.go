package nb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// notebookName returns the name of the notebook, without folder and extension.
func notebookName() string {
	name := os.Getenv("EBMKIT_NOTEBOOK")
	if name == "" {
		name = os.Getenv("JPY_SESSION_NAME")
	}
	name = strings.TrimSuffix(filepath.Base(filepath.ToSlash(name)), ".ipynb")
	if name == "" || name == "." || name == ".." || name == "/" {
		return "unnamed"
	}
	return name
}

// stateDir returns the folder of what the notebook keeps. It may not exist.
func stateDir() string {
	root := os.Getenv("EBMKIT_STATE")
	if root == "" {
		root = ".state"
	}
	return filepath.Join(root, notebookName())
}

// session names the life of the kernel, or this process if there is no kernel.
func session() string {
	if dir := os.Getenv("GONB_TMP_DIR"); dir != "" {
		return filepath.Base(dir)
	}
	return "process_" + strconv.Itoa(os.Getpid())
}

// The names in the state folder that package nb itself writes.
const (
	checksName = "checks.jsonl" // what Check, CheckTol and CheckTrue record
	keptName   = "kept"         // the folder of what Keep stores
)

// StateFile returns the path of the file name in the notebook's state folder,
// which it makes if need be. It is for what packages write themselves, such as
// the checkpoint of a train.Trainer from which an interrupted cell goes on. What
// Keep stores lies elsewhere, so that the same name may serve both. A name that is
// not that of one file, or that of the checks, ends the cell with an error.
func StateFile(name string) string {
	return Must(stateFile(stateDir(), name))
}

func stateFile(dir, name string) (string, error) {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\:`) {
		return "", &ebmkit.ArgError{Func: "nb.StateFile", Arg: "name", Value: strconv.Quote(name), Want: "the name of a file, without a folder"}
	}
	if strings.EqualFold(name, checksName) || strings.EqualFold(name, keptName) {
		return "", &ebmkit.ArgError{Func: "nb.StateFile", Arg: "name", Value: strconv.Quote(name), Want: "another name: this one is taken by package nb"}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("nb.StateFile: %w", err)
	}
	return filepath.Join(dir, name), nil
}
