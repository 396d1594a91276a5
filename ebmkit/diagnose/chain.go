package diagnose

import (
	"runtime"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
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
	workers := min(c.Dim, runtime.GOMAXPROCS(0))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for k := range workers {
		wg.Go(func() {
			from, to := k*c.Dim/workers, (k+1)*c.Dim/workers
			group, w := make([]*Series, min(groupSize, to-from)), &work{}
			for i := range group {
				group[i], _ = newFor(fn, c)
			}
			for j := from; j < to; j += len(group) {
				group = group[:min(len(group), to-j)]
				if errs[k] = gather(fn, group, c, j); errs[k] != nil {
					return
				}
				for i, s := range group {
					w.of = nil // s holds other draws than the last time
					f(j+i, w, s)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs { // the first coordinate that failed, at any number of cores
		if err != nil {
			return err
		}
	}
	return nil
}
