package data

import (
	"fmt"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// BarsAndStripes returns all different pictures of size x size pixels, 0 or 1,
// in which either every row or every column is of one colour: 2^size rows of
// bars, then the columns of stripes without the two pictures that are both, so
//
//	N = 2^(size+1) - 2
//
// (MacKay, Information Theory, Inference, and Learning Algorithms, 2003,
// section 43). Equally likely, they have the entropy log N. Labels are "rows"
// and "columns". It returns *ebmkit.ArgError unless size is from 1 to 12.
func BarsAndStripes(size int) (*Pictures, error) {
	if size < 1 || size > 12 {
		return nil, &ebmkit.ArgError{Func: "data.BarsAndStripes", Arg: "size", Value: size, Want: fmt.Sprintf("from 1 to %d", 12)}
	}
	p := &Pictures{Rows: size, Cols: size}
	add := func(pattern int, rows bool) {
		for r := range size {
			for c := range size {
				k := c
				if rows {
					k = r
				}
				p.X = append(p.X, float64(pattern>>k&1))
			}
		}
		label := "columns"
		if rows {
			label = "rows"
		}
		p.Label = append(p.Label, label)
		p.N++
	}
	all := 1<<size - 1
	for pattern := range all + 1 {
		add(pattern, true)
	}
	for pattern := 1; pattern < all; pattern++ {
		add(pattern, false)
	}
	return p, nil
}
