package data

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// LoadIDX reads pictures and their labels from two files in the IDX format of
// MNIST, plain or gzipped, such as train-images-idx3-ubyte and
// train-labels-idx1-ubyte. Pixels are 0 to 255; Label is the number as text. It
// keeps the first count pictures; 0 means all (60,000 of 28 x 28 take 376 MB).
// The files are not part of this package: the user says where they lie.
//
// It returns *ebmkit.ArgError, naming file and byte offset, if a file cannot be
// read, is not what it is given as, is cut short or has bytes left over, if the
// two hold different numbers, or if there are fewer than count.
func LoadIDX(images, labels string, count int) (*Pictures, error) {
	const fn = "data.LoadIDX"
	if count < 0 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "count", Value: count, Want: "at least 0"}
	}
	pix, err := readIDX(images)
	if err != nil {
		return nil, err
	}
	lab, err := readIDX(labels)
	if err != nil {
		return nil, err
	}
	return ParseIDX(filepath.Base(images), pix, filepath.Base(labels), lab, count)
}

// readIDX reads a file and inflates it if it is gzipped.
func readIDX(path string) ([]byte, error) {
	const fn = "data.LoadIDX"
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "path", Value: path, Want: "a readable file (" + err.Error() + ")"}
	}
	if len(b) < 2 || b[0] != 0x1f || b[1] != 0x8b {
		return b, nil
	}
	bad := func(err error) error {
		return &ebmkit.ArgError{Func: fn, Arg: filepath.Base(path), Value: "damaged gzip data (" + err.Error() + ")", Want: "a whole file"}
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, bad(err)
	}
	// The header says how much to expect; one byte more shows a file that is too
	// long, and a small file cannot claim memory without end.
	head := make([]byte, 16)
	n, err := io.ReadFull(z, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, bad(err)
	}
	head = head[:n]
	_, size, err := idxHeader(filepath.Base(path), head, 0)
	if err != nil {
		return nil, err
	}
	if size > 1100*len(b) { // deflate makes at most 1032 bytes of one
		return nil, &ebmkit.ArgError{Func: fn, Arg: filepath.Base(path) + " at byte 4", Value: fmt.Sprintf("sizes for %d bytes", size), Want: "no more than the file holds"}
	}
	rest, err := io.ReadAll(io.LimitReader(z, int64(size-len(head)+1)))
	if err != nil {
		return nil, bad(err)
	}
	return append(head, rest...), nil
}

// idxHeader returns the sizes and the length of the whole file that the header
// promises. axes is the number wanted: 3 for images, 1 for labels, 0 for either.
func idxHeader(name string, b []byte, axes int) (sizes []int, total int, err error) {
	fail := func(offset int, value any, want string) ([]int, int, error) {
		return nil, 0, &ebmkit.ArgError{Func: "data.LoadIDX", Arg: fmt.Sprintf("%s at byte %d", name, offset), Value: value, Want: want}
	}
	if len(b) < 4 {
		return fail(len(b), "the end", "a header of 4 bytes and more")
	}
	if b[0] != 0 || b[1] != 0 {
		return fail(0, fmt.Sprintf("%x", b[:2]), "0000, with which IDX files begin")
	}
	if b[2] != 8 {
		return fail(2, fmt.Sprintf("type %#02x", b[2]), "type 0x08, unsigned bytes")
	}
	what := map[int]string{0: "3 axes (images) or 1 (labels)", 1: "1 axis: labels (are the two files swapped?)", 3: "3 axes: images (are the two files swapped?)"}[axes]
	n := int(b[3])
	if n != 1 && n != 3 || axes != 0 && n != axes {
		return fail(3, fmt.Sprintf("%d axes", n), what)
	}
	total = 1
	for k := range n {
		at := 4 + 4*k
		if len(b) < at+4 {
			return fail(len(b), "the end", fmt.Sprintf("the size of axis %d", k))
		}
		v := binary.BigEndian.Uint32(b[at:])
		if v == 0 || v > math.MaxInt32 || total > math.MaxInt/16/int(v) || k > 0 && v > 10000 {
			return fail(at, v, "a size that is not 0 and fits in memory")
		}
		sizes = append(sizes, int(v))
		total *= int(v)
	}
	return sizes, total + 4 + 4*n, nil
}

// ParseIDX is LoadIDX of files that are in memory already, not gzipped; the
// names are for errors.
func ParseIDX(imagesName string, images []byte, labelsName string, labels []byte, count int) (*Pictures, error) {
	const fn = "data.LoadIDX"
	body := func(name string, b []byte, axes int) ([]int, []byte, error) {
		sizes, total, err := idxHeader(name, b, axes)
		if err != nil {
			return nil, nil, err
		}
		if len(b) < total {
			return nil, nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s at byte %d", name, len(b)), Value: "the end", Want: fmt.Sprintf("%d bytes for sizes %v (is the file cut short?)", total, sizes)}
		}
		if len(b) > total {
			return nil, nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("%s at byte %d", name, total), Value: "more bytes", Want: fmt.Sprintf("the end for sizes %v", sizes)}
		}
		return sizes, b[4+4*axes:], nil
	}
	size, pixels, err := body(imagesName, images, 3)
	if err != nil {
		return nil, err
	}
	lsize, label, err := body(labelsName, labels, 1)
	if err != nil {
		return nil, err
	}
	if lsize[0] != size[0] {
		return nil, &ebmkit.ArgError{Func: fn, Arg: labelsName + " at byte 4", Value: fmt.Sprintf("%d labels", lsize[0]), Want: fmt.Sprintf("%d, one for each picture of %s", size[0], imagesName)}
	}
	if count < 0 || count > size[0] {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "count", Value: count, Want: fmt.Sprintf("from 0 to %d, the number in %s", size[0], imagesName)}
	}
	if count == 0 {
		count = size[0]
	}
	p := &Pictures{N: count, Rows: size[1], Cols: size[2], X: make([]float64, count*size[1]*size[2]), Label: make([]string, count)}
	for i := range p.X {
		p.X[i] = float64(pixels[i])
	}
	for i := range p.Label {
		p.Label[i] = strconv.Itoa(int(label[i]))
	}
	return p, nil
}
