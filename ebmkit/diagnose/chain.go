package diagnose

import (
	"runtime"
	"sync"

	"github.com/ebmkit/hitchhiker/ebmkit"
)

// RHat returns the rank-normalised split R-hat of every coordinate of c, one
// chain per walker (Series.RHat). It returns *ArgError as FromChain does.
func RHat(c *ebmkit.Chain) ([]float64, error) {
	dst := make([]float64, max(0, c.Dim))
	return dst, eachCoordinate("diagnose.RHat", c, func(j int, w *work, s *Series) { dst[j] = w.rhat(s) })
}

// ESS returns the bulk effective sample size of every coordinate of c, one
// chain per walker (Series.ESSBulk). It returns *ArgError as FromChain does.
func ESS(c *ebmkit.Chain) ([]float64, error) {
	dst := make([]float64, max(0, c.Dim))
	return dst, eachCoordinate("diagnose.ESS", c, func(j int, w *work, s *Series) { dst[j] = w.essBulk(s) })
}

// eachCoordinate calls f for every coordinate of c, on all cores. Coordinates
// do not share anything, so that the number of cores does not change results.
func eachCoordinate(fn string, c *ebmkit.Chain, f func(j int, w *work, s *Series)) error {
	first, err := newFor(fn, c)
	if err != nil {
		return err
	}
	workers := min(c.Dim, runtime.GOMAXPROCS(0))
	errs := make([]error, c.Dim)
	var wg sync.WaitGroup
	for k := range workers {
		wg.Go(func() {
			s, w := first, &work{}
			if k > 0 {
				s = &Series{chains: first.chains, draws: first.draws, x: make([]float64, len(first.x))}
			}
			for j := k; j < c.Dim; j += workers {
				if errs[j] = s.gather(fn, c, j); errs[j] == nil {
					w.of = nil // s holds other draws now
					f(j, w, s)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
