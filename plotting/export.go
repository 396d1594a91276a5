package plotting

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/store"
	"github.com/ebmkit/hitchhiker/internal/vmath"
	"github.com/ebmkit/hitchhiker/plotting/internal/canvas"
)

// Version is the version of the drawing code. It changes when the same figure
// would give other bytes.
const Version = "1"

// exportDPI is the resolution of exported PNG files.
const exportDPI = 300

// Export writes d as path.svg, path.pdf, path.png (300 dpi) and path.csv. One of
// these endings on path is dropped. A folder that does not exist is made.
//
// The files carry the caption and their provenance: the version of the drawing
// code, the notebook (environment EBMKIT_NOTEBOOK), what Figure.Provenance added,
// the path through the vector kernels ("avx2" or "portable"), the SHA-256 of the
// CSV file, and the revision if EBMKIT_REVISION is set. There are no dates: the same
// figure gives the same bytes.
//
// It returns *ebmkit.ArgError if the figure cannot be drawn or the folder cannot
// be written; then nothing has changed on disk.
func Export(d Drawable, path string) error {
	const who = "plotting.Export"
	for _, ext := range []string{".svg", ".pdf", ".png", ".csv"} {
		path = strings.TrimSuffix(path, ext)
	}
	base := filepath.Base(path)
	if path == "" || base == "." || base == ".." || strings.HasSuffix(path, string(filepath.Separator)) {
		return &ebmkit.ArgError{Func: who, Arg: "path", Value: fmt.Sprintf("%q", path), Want: "the name of a figure, as in figures/fig1"}
	}
	pg, err := d.layout()
	if err != nil {
		return err
	}
	csv, err := CSV(d)
	if err != nil {
		return err
	}
	meta := canvas.Meta{Title: PlainText(d.titleText()), Caption: PlainText(d.captionText())}
	add := func(key, value string) {
		if value != "" {
			meta.Pairs = append(meta.Pairs, [2]string{key, value})
		}
	}
	add("Software", "ebmkit plotting, version "+Version)
	add("Notebook", os.Getenv("EBMKIT_NOTEBOOK"))
	for _, p := range d.provenance() {
		add(p.Key, p.Value)
	}
	add("Processor path", vmath.Path())
	add("Revision", os.Getenv("EBMKIT_REVISION"))
	add("CSV SHA-256", store.SHA256(csv))

	c := pg.draw()
	svg, err := c.SVG(meta, true)
	if err != nil {
		return err
	}
	pdf, err := c.PDF(meta, true)
	if err != nil {
		return err
	}
	png, err := c.PNG(exportDPI, pg.theme.Paper, meta, true)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return &ebmkit.ArgError{Func: who, Arg: "path", Value: fmt.Sprintf("%q", path), Want: "a folder that can be written: " + reason(err)}
	}
	if err := writeAll(dir, base, []file{{".svg", svg}, {".pdf", pdf}, {".png", png}, {".csv", csv}}); err != nil {
		return &ebmkit.ArgError{Func: who, Arg: "path", Value: fmt.Sprintf("%q", path), Want: "a folder that can be written: " + reason(err)}
	}
	return nil
}

// reason is the cause of a file error without the names of temporary files.
func reason(err error) string {
	switch e := err.(type) {
	case *fs.PathError:
		return e.Err.Error()
	case *os.LinkError:
		return e.Err.Error()
	}
	return err.Error()
}

type file struct {
	ext  string
	data []byte
}

// writeAll writes all files or none: to temporary files in the same folder first,
// which are synced and then renamed. Files that were there before come back if a
// rename fails.
func writeAll(dir, base string, files []file) (err error) {
	var temps []string
	var undo []func()
	defer func() {
		if err != nil {
			for i := len(undo) - 1; i >= 0; i-- {
				undo[i]()
			}
		}
		for _, t := range temps {
			os.Remove(t) // those renamed are gone already
		}
	}()
	for _, f := range files {
		name, err := writeTemp(dir, base, f.data)
		if name != "" {
			temps = append(temps, name)
		}
		if err != nil {
			return err
		}
	}
	for i, f := range files {
		target := filepath.Join(dir, base+f.ext)
		if st, err := os.Lstat(target); err == nil {
			if st.IsDir() {
				return &fs.PathError{Op: "rename", Path: target, Err: fmt.Errorf("%s is a folder", base+f.ext)}
			}
			old := temps[i] + ".old"
			if err := os.Rename(target, old); err != nil {
				return err
			}
			temps = append(temps, old)
			undo = append(undo, func() { os.Rename(old, target) })
		}
		if err := os.Rename(temps[i], target); err != nil {
			return err
		}
		undo = append(undo, func() { os.Remove(target) })
	}
	if d, err := os.Open(dir); err == nil { // make the renames last
		d.Sync()
		d.Close()
	}
	return nil
}

// writeTemp returns the name of a new synced file, also when writing failed.
func writeTemp(dir, base string, data []byte) (string, error) {
	f, err := os.CreateTemp(dir, "."+base+"-*.tmp")
	if err != nil {
		return "", err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return f.Name(), err
}
