package data

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// DigitsSHA256 is the checksum of digits.csv.gz as it was published.
const DigitsSHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"

//go:embed digits.csv.gz
var digitsFile []byte

const (
	digitsCount = 1797
	digitsSide  = 8
	digitsWhite = 16 // the largest pixel
)

// Digits returns the 1797 handwritten digits of the UCI repository, 8 x 8 pixels
// from 0 (paper) to 16 (ink), labelled "0" to "9". They were written by 13
// people; the order is that of the file. Each call returns a new copy.
//
// Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits,
// 1998, doi 10.24432/C50P49, CC BY 4.0; the test set, as it comes with
// scikit-learn. README.md has more.
func Digits() (*Pictures, error) { return readDigits(digitsFile) }

// readDigits reads the gzipped file. It refuses one with another checksum.
func readDigits(file []byte) (*Pictures, error) {
	const fn = "data.Digits"
	if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != DigitsSHA256 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "digits.csv.gz", Value: hex.EncodeToString(sum[:]), Want: "the checksum " + DigitsSHA256}
	}
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: digits.csv.gz: %w", fn, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: digits.csv.gz: %w", fn, err)
	}
	return ParseDigits(text, digitsCount)
}

// ParseDigits reads count lines of 64 pixels from 0 to 16 and a digit, separated
// by commas, the format of the UCI files. It returns *ebmkit.ArgError with the
// line (from 1) if the text is cut short or too long, a line has not 65 numbers,
// or a number is out of range.
func ParseDigits(text []byte, count int) (*Pictures, error) {
	const fn = "data.ParseDigits"
	const dim = digitsSide * digitsSide
	if count < 1 {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "count", Value: count, Want: "at least 1"}
	}
	lines := bytes.Split(text, []byte("\n"))
	if last := len(lines) - 1; len(lines[last]) == 0 {
		lines = lines[:last]
	} else {
		return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("line %d", len(lines)), Value: clip(lines[last]), Want: "a line that ends (the text is cut short)"}
	}
	if len(lines) != count {
		return nil, &ebmkit.ArgError{Func: fn, Arg: "lines", Value: len(lines), Want: fmt.Sprint(count)}
	}
	p := &Pictures{N: count, Rows: digitsSide, Cols: digitsSide, X: make([]float64, 0, count*dim), Label: make([]string, 0, count)}
	for i, line := range lines {
		fields := bytes.Split(line, []byte(","))
		if len(fields) != dim+1 {
			return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("line %d", i+1), Value: fmt.Sprintf("%d numbers", len(fields)), Want: fmt.Sprint(dim + 1)}
		}
		for k, f := range fields {
			top := digitsWhite
			if k == dim {
				top = 9
			}
			v, err := strconv.Atoi(string(f))
			if err != nil || v < 0 || v > top {
				return nil, &ebmkit.ArgError{Func: fn, Arg: fmt.Sprintf("line %d, number %d", i+1, k+1), Value: clip(f), Want: fmt.Sprintf("an integer from 0 to %d", top)}
			}
			if k == dim {
				p.Label = append(p.Label, strconv.Itoa(v))
			} else {
				p.X = append(p.X, float64(v))
			}
		}
	}
	return p, nil
}

// clip shortens what an error quotes.
func clip(b []byte) string {
	if len(b) > 20 {
		return string(b[:20]) + ".."
	}
	return string(b)
}
