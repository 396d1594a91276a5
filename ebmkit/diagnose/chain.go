package diagnose

import (
	"context"
	"runtime"

	"github.com/ebmkit/hitchhiker/ebmkit"
	"github.com/ebmkit/hitchhiker/internal/par"
)

// RHat returns the rank-normalised split R-hat of every coordinate of c, one
// chain per walker (Series.RHat). It returns *ArgError as FromChain does.
func RHat(c *ebmkit.Chain) ([]float64, error) {
	return perCoordinate("diagnose.RHat", c, (*work).rhat)
}

// ESS returns the bulk effective sample size of every coordinate of c, one
// chain per walker (Series.ESSBulk). It returns *ArgError as FromChain does.
func ESS(c *ebmkit.Chain) ([]float64, error) {
	return perCoordinate("diagnose.ESS", c, (*work).essBulk)
}

// perCoordinate returns f of every coordinate of c.
func perCoordinate(fn string, c *ebmkit.Chain, f func(*work, *Series) float64) ([]float64, error) {
	if err := checkChain(fn, c); err != nil {
		return nil, err
	}
	v := make([]float64, c.Dim)
	if err := eachCoordinate(fn, c, func(j int, w *work, s *Series) { v[j] = f(w, s) }); err != nil {
		return nil, err
	}
	return v, nil
}

// groupSize is the number of coordinates that are read from a chain together.
const groupSize = 4

// eachCoordinate calls f for every coordinate of c, on all cores. Coordinates
// do not share anything, so that the number of cores does not change results.
func eachCoordinate(fn string, c *ebmkit.Chain, f func(j int, w *work, s *Series)) error {
	if err := checkChain(fn, c); err != nil {
		return err
	}
	parts := min(c.Dim, runtime.GOMAXPROCS(0)) // each with its own scratch
	errs := make([]error, parts)
	par.For(context.Background(), parts, func(part int) {
		from, to := part*c.Dim/parts, (part+1)*c.Dim/parts
		group, w := make([]*Series, min(groupSize, to-from)), &work{}
		for i := range group {
			group[i], _ = newFor(fn, c)
		}
		for j := from; j < to; j += len(group) {
			group = group[:min(len(group), to-j)]
			if errs[part] = gather(fn, group, c, j); errs[part] != nil {
				return
			}
			for i, s := range group {
				w.of = nil // s holds other draws than the last time
				f(j+i, w, s)
			}
		}
	})
	for _, err := range errs { // the first coordinate that failed, at any number of cores
		if err != nil {
			return err
		}
	}
	return nil
}
