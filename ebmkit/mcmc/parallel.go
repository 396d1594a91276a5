package mcmc

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// forBlocks calls fn(0) to fn(n-1), each once, on all cores.
func forBlocks(n int, fn func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				fn(i)
			}
		})
	}
	wg.Wait()
}
