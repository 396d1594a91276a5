package nb

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// StateFile returns the path of the file name in the notebook's state folder,
// which it makes if need be. It is for what packages write themselves, such as
// the checkpoint of a train.Trainer from which an interrupted cell goes on.
func StateFile(name string) string {
	dir := stateDir()
	Must0(os.MkdirAll(dir, 0o777))
	return filepath.Join(dir, name)
}
